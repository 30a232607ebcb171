/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The constants that the factory has stored in the device's memory, and volts by them.
 *
 * Facts: LabJack's examples for the U6 (exodriver).  40 numbers of fixed point, four per block: of each gain slope and offset,
 * then negative slope and centre; 24 more numbers on, the same for the high-resolution converter.
 */
#ifndef LABJACK_CALIBRATION_H
#define LABJACK_CALIBRATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	GAINS = 4,
	CALIBRATION_BYTES = 400, /* ten replies of 40 bytes */
};

/* Of one gain: raw values below the centre have a slope of their own. */
struct calibration_line {
	double slope, negative_slope, center;
};

struct calibration {
	struct calibration_line lines[GAINS];
};

/* 8 bytes: fraction in units of 2^-32 without sign, then the whole part, signed; low byte first. */
double calibration_number(const uint8_t *at);

/*
 * Reads the replies to ReadMem 0 ... 9, one after the other.  False if one is damaged, or if a slope
 * or centre is far from the nominal one: in erased memory all slopes are 0.
 */
bool calibration_read(const uint8_t *replies, size_t len, struct calibration *out);

/* `raw`: the 16 bits of a stream, or the 24 bits of a single reading / 256. */
double calibration_volts(const struct calibration_line *line, double raw);

#endif
