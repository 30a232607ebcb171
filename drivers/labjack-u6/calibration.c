/* SPDX-License-Identifier: Apache-2.0 */
#include "calibration.h"

#include <math.h>

#include "packet.h"

#define NOMINAL_SLOPE  3.1580578e-4 /* V per unit at +-10 V; a tenth of it per gain step */
#define NOMINAL_CENTER 33523.0
#define TOLERANCE      0.1 /* of the nominal value: real devices differ by some per mille */

enum {
	NUMBER_BYTES = 8,
	BLOCK_NUMBERS = 4,
	BLOCK_AT = 8, /* of a reply: behind head, error and a zero */
	/* Places in the table. */
	SLOPE = 0,
	NEGATIVE_SLOPE = 8,
	CENTER = 9,
};

double calibration_number(const uint8_t *at)
{
	return (int32_t)packet_u32(at + 4) + packet_u32(at) / 4294967296.0;
}

static double number_at(const uint8_t *replies, size_t index)
{
	const uint8_t *block = replies + index / BLOCK_NUMBERS * MEMORY_REPLY + BLOCK_AT;
	return calibration_number(block + index % BLOCK_NUMBERS * NUMBER_BYTES);
}

static bool is_near(double value, double nominal)
{
	return fabs(value - nominal) <= fabs(nominal) * TOLERANCE;
}

bool calibration_read(const uint8_t *replies, size_t len, struct calibration *out)
{
	struct packet p;
	unsigned error;
	if (len != CALIBRATION_BYTES)
		return false;
	packet_read_memory(&p, 0);
	for (size_t i = 0; i < MEMORY_BLOCKS; i++) {
		if (!packet_fits(&p, replies + i * MEMORY_REPLY, &error) || error != 0)
			return false;
	}
	bool is_plausible = true;
	double nominal = NOMINAL_SLOPE;
	for (size_t gain = 0; gain < GAINS; gain++, nominal /= 10) {
		struct calibration_line *line = &out->lines[gain];
		line->slope = number_at(replies, 2 * gain + SLOPE);
		line->negative_slope = number_at(replies, 2 * gain + NEGATIVE_SLOPE);
		line->center = number_at(replies, 2 * gain + CENTER);
		is_plausible = is_plausible && is_near(line->slope, nominal) &&
			       is_near(line->negative_slope, -nominal) &&
			       is_near(line->center, NOMINAL_CENTER);
	}
	return is_plausible;
}

double calibration_volts(const struct calibration_line *line, double raw)
{
	if (raw < line->center)
		return (line->center - raw) * line->negative_slope;
	return (raw - line->center) * line->slope;
}
