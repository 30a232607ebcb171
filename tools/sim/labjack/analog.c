/* SPDX-License-Identifier: Apache-2.0 */
/* The converter: what a voltage is as a number, with the unit's own calibration constants. */
#include <math.h>

#include "labjack.h"

#define UNITS       4294967296.0 /* of a constant: 2^32 */
#define SLOPE       3.1580578e-4
#define SLOPE_BELOW -3.158058e-4
#define CENTRE      33523
#define SPREAD      2e-4 /* of slopes, from unit to unit */
#define HIGH        24   /* first constant of the high resolution */
#define BELOW       8    /* the negative slope and the centre, behind the slope and the offset */

static double constant(const struct u6 *u, size_t index)
{
	return (double)u->constants[index] / UNITS;
}

static int64_t fixed(double value)
{
	return (int64_t)floor(value * UNITS + 0.5);
}

static void set_inputs(struct u6 *u, size_t first, double spread, struct sim_random *random)
{
	for (size_t gain = 0; gain < U6_GAINS; gain++) {
		double scale = pow(10, -(double)gain) * (1 + spread * random_normal(random));
		double centre = CENTRE + spread * 5e4 * random_normal(random);
		int64_t *at = u->constants + first + 2 * gain;
		at[0] = fixed(SLOPE * scale);
		at[1] = fixed(-SLOPE * scale * centre);
		at[BELOW] = fixed(SLOPE_BELOW * scale);
		at[BELOW + 1] = fixed(centre);
	}
}

void analog_calibrate(struct u6 *u, bool is_nominal)
{
	static const double others[] = {/* DAC */ 13200, 0, 13200, 0,
		/* current, A */ 1e-5, 2e-4, /* temperature */ -92.379, 465.129};
	struct sim_random random;
	random_init(&random, u->plan.serial);
	set_inputs(u, 0, is_nominal ? 0 : SPREAD, &random);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		u->constants[16 + i] = fixed(others[i]);
	set_inputs(u, HIGH, is_nominal ? 0 : SPREAD, &random);
}

/* The bits that are worth something at the lowest gain; noise has one standard deviation of half of the last one. */
static const struct {
	double bits;
	uint64_t us;
} resolutions[] = {
	[1] = {16, 300},
	[2] = {16.5, 400},
	[3] = {17, 600},
	[4] = {17.5, 900},
	[5] = {18, 1200},
	[6] = {18.5, 1600},
	[7] = {19, 2200},
	[8] = {19.5, 3000},
	[9] = {20, 3500},
	[10] = {20.7, 14000},
	[11] = {21.4, 66000},
	[12] = {22, 160000},
};

uint64_t analog_time(unsigned resolution)
{
	return resolutions[resolution].us * 1000;
}

bool contact_is_closed(const struct u6 *u, uint64_t at)
{
	uint64_t closed = contact_closed_at(u, at);
	return closed != SIM_NEVER && at - closed < u->plan.closed;
}

uint64_t contact_closed_at(const struct u6 *u, uint64_t at)
{
	const struct u6_plan *p = &u->plan;
	if (at < p->first)
		return SIM_NEVER;
	return p->cycle > 0 ? at - (at - p->first) % p->cycle : p->first;
}

/* At a terminal, without noise. */
static double volts_at(const struct u6 *u, unsigned channel, uint64_t at)
{
	if (channel != u->plan.channel)
		return 0;
	uint64_t injected = contact_closed_at(u, at);
	double since = injected != SIM_NEVER ? (double)(at - injected) / 1e9 : -1;
	return trace_volts(&u->plan.trace, (double)at / 1e9, since);
}

static double input_volts(const struct u6 *u, const struct u6_input *input, uint64_t at)
{
	double volts = volts_at(u, input->channel, at);
	return input->is_differential ? volts - volts_at(u, input->channel + 1U, at) : volts;
}

uint8_t analog_gain(const struct u6 *u, const struct u6_input *input, uint64_t at)
{
	static const double ranges[U6_GAINS] = {10, 1, 0.1, 0.01};
	double volts = fabs(input_volts(u, input, at));
	uint8_t gain = U6_GAINS - 1;
	while (gain > 0 && volts > ranges[gain])
		gain--;
	return gain;
}

uint32_t analog_read(struct u6 *u, const struct u6_input *input, uint64_t at, double *volts)
{
	static const double noise[U6_GAINS] = {1, 1.2, 2.5, 12};
	struct sim_random *random = sim_random_of(u->m);
	size_t index = 2 * input->gain + (input->resolution >= U6_FIRST_HIGH ? HIGH : 0);
	double step = exp2(24 - ceil(resolutions[input->resolution].bits));
	double v = *volts = input_volts(u, input, at);
	v += u->plan.noise * random_normal(random);
	double raw = constant(u, index + BELOW + 1);
	raw += v < 0 ? -v / constant(u, index + BELOW) : v / constant(u, index);
	raw += u->plan.adc_noise * noise[input->gain] *
	       exp2(15 - resolutions[input->resolution].bits) * random_normal(random);
	raw = floor(raw * 256 / step + 0.5) * step;
	return raw < 0 ? 0 : raw > 0xFFFFFF ? 0xFFFFFF : (uint32_t)raw;
}
