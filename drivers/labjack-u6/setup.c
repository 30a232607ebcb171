/* SPDX-License-Identifier: Apache-2.0 */
#include "setup.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define STREAM_CONFIG   0x11
#define INTERVAL_MAX    65535
#define PACKET_S        0.1   /* a packet comes this often at low rates */
#define SAMPLE_RATE_MAX 50000 /* of all inputs together */
#define SETTLING_STEP   10    /* us */

enum {
	DIFFERENTIAL = 0x80,
	GAIN_SHIFT = 4,
	GAIN_MASK = 3,
	/* Places in the command. */
	INPUTS_AT = 6,
	RESOLUTION_AT = 7,
	SAMPLES_AT = 8,
	SETTLING_AT = 10,
	CLOCK_AT = 11,
	INTERVAL_AT = 12,
	TABLE_AT = 14,
};

static const double ranges[] = {10, 1, 0.1, 0.01};
#define RANGES (sizeof ranges / sizeof *ranges)

/* The first that makes the rate exactly is used. */
static const struct {
	unsigned bits;
	double hz;
} clocks[] = {{0, 4e6}, {8, 48e6}, {2, 4e6 / 256}, {10, 48e6 / 256}};
#define CLOCKS (sizeof clocks / sizeof *clocks)

static const char *const start_names[] = {"command", "low", "high", NULL};

static const struct assay_setting input_columns[] = {
	{.name = "channel",
		.type = ASSAY_INT,
		.flags = ASSAY_REQUIRED,
		.max = 13,
		.help = "number of the analogue input: 0 is AIN0"},
	{.name = "differential",
		.type = ASSAY_BOOL,
		.fallback = "false",
		.help = "against the next input, such as AIN0 against AIN1, not against ground"},
	{.name = "range",
		.type = ASSAY_NUMBER,
		.unit = "V",
		.min = 0.01,
		.max = 10,
		.fallback = "10 V",
		.help = "full scale: 10 V, 1 V, 100 mV or 10 mV, plus and minus"},
	{.name = "name",
		.type = ASSAY_TEXT,
		.help = "detector at this input, such as fid; absent: ain and its number"},
	{.name = NULL},
};

const struct assay_setting setup_settings[] = {
	{.name = "inputs",
		.type = ASSAY_TABLE,
		.flags = ASSAY_REQUIRED,
		.columns = input_columns,
		.help = "analogue inputs, in the order in which a scan reads them"},
	{.name = "rate",
		.type = ASSAY_NUMBER,
		.unit = "Hz",
		.min = 0.24,
		.max = SAMPLE_RATE_MAX,
		.fallback = "50 Hz",
		.help = "scans of all inputs per second"},
	{.name = "resolution_index",
		.type = ASSAY_INT,
		.max = 8,
		.fallback = "0",
		.help = "1 is fast, 8 has the least noise; 0 is the device's default"},
	{.name = "settling",
		.type = ASSAY_NUMBER,
		.unit = "us",
		.max = 2550,
		.fallback = "0 us",
		.help = "time before each sample, in steps of 10 us; 0: as the device finds right"},
	{.name = "slice",
		.type = ASSAY_NUMBER,
		.flags = ASSAY_LIVE,
		.unit = "s",
		.min = 0.05,
		.max = 3600,
		.fallback = "1 s",
		.help = "time of one frame, rounded to whole packets"},
	{.name = "duration",
		.type = ASSAY_NUMBER,
		.flags = ASSAY_LIVE,
		.unit = "s",
		.min = 0.05,
		.max = 1e7,
		.help = "time of one run; absent: until it is stopped"},
	{.name = "start",
		.type = ASSAY_CHOICE,
		.choices = start_names,
		.fallback = "command",
		.help = "time zero: the start of the run, or when the start input becomes low or "
			"high"},
	{.name = "start_input",
		.type = ASSAY_INT,
		.max = 19,
		.fallback = "0",
		.help = "digital line of the start contact: 0 is FIO0, 8 EIO0, 16 CIO0"},
	{.name = NULL},
};

double setup_range(unsigned gain)
{
	return ranges[gain];
}

/* RANGES if there is no such range. */
static unsigned find_gain(double range)
{
	unsigned gain = 0;
	while (gain < RANGES && fabs(range - ranges[gain]) > ranges[gain] * 1e-6)
		gain++;
	return gain;
}

static unsigned ticks(double hz, double rate)
{
	double n = round(hz / rate);
	return n < 1 ? 1 : n > INTERVAL_MAX ? INTERVAL_MAX : (unsigned)n;
}

static void choose_clock(struct setup *setup, double rate)
{
	double least = INFINITY;
	for (size_t i = 0; i < CLOCKS; i++) {
		unsigned n = ticks(clocks[i].hz, rate);
		double error = fabs(clocks[i].hz / n - rate) / rate;
		if (error >= least - 1e-12)
			continue;
		least = error;
		setup->clock = clocks[i].bits;
		setup->interval = n;
	}
}

const char *setup_name(const struct assay_settings *s, size_t i, char own[SETUP_NAME])
{
	const struct assay_settings *row = assay_row(s, "inputs", i);
	const char *name = assay_text(row, "name");
	snprintf(own, SETUP_NAME, "ain%u", (unsigned)assay_int(row, "channel") % 100);
	return name != NULL ? name : own;
}

/* Whether a row before it has the same name. */
static bool is_twin(const struct assay_settings *s, size_t i)
{
	char own[SETUP_NAME], other[SETUP_NAME];
	const char *name = setup_name(s, i, own);
	size_t k = 0;
	while (k < i && strcmp(setup_name(s, k, other), name) != 0)
		k++;
	return k < i;
}

static bool read_inputs(const struct assay_settings *s, struct setup *setup)
{
	setup->inputs = assay_count(s, "inputs");
	if (setup->inputs < 1 || setup->inputs > INPUTS_MAX)
		return false;
	for (size_t i = 0; i < setup->inputs; i++) {
		const struct assay_settings *row = assay_row(s, "inputs", i);
		struct setup_input *input = &setup->input[i];
		unsigned gain = find_gain(assay_number(row, "range"));
		input->channel = (uint8_t)assay_int(row, "channel");
		input->gain = (uint8_t)gain;
		input->is_differential = assay_flag(row, "differential");
		if (gain == RANGES || is_twin(s, i) ||
			(input->is_differential && input->channel % 2 != 0))
			return false;
	}
	return true;
}

bool setup_make(const struct assay_settings *s, struct setup *setup, struct setup_sizes *sizes)
{
	memset(setup, 0, sizeof *setup);
	if (!read_inputs(s, setup))
		return false;
	setup->resolution = (unsigned)assay_int(s, "resolution_index");
	setup->settling = (unsigned)round(assay_number(s, "settling") / SETTLING_STEP);
	choose_clock(setup, assay_number(s, "rate"));
	double rate = setup_rate(setup);
	size_t most = SAMPLES_MAX / setup->inputs;
	double wanted = round(rate * PACKET_S);
	setup->scans = wanted < 1 ? 1 : wanted > (double)most ? most : (size_t)wanted;
	double packets = round(rate * assay_number(s, "slice") / (double)setup->scans);
	sizes->packets = packets < 1 ? 1 : (uint64_t)packets;
	sizes->scans = (uint64_t)ceil(rate * assay_number(s, "duration") - 1e-6);
	return rate * (double)setup->inputs <= SAMPLE_RATE_MAX * (1 + 1e-9) &&
	       packets * (double)(setup->scans * setup->inputs) <= FRAME_SAMPLES_MAX;
}

void setup_check(const struct assay_settings *s, struct assay_check *out)
{
	size_t inputs = assay_count(s, "inputs");
	double samples = assay_number(s, "rate") * (double)inputs;
	if (inputs < 1 || inputs > INPUTS_MAX)
		assay_check_error(out, "inputs", "write 1 to %d inputs", INPUTS_MAX);
	for (size_t i = 0; i < inputs; i++) {
		const struct assay_settings *row = assay_row(s, "inputs", i);
		if (find_gain(assay_number(row, "range")) == RANGES)
			assay_check_row(out, ASSAY_LOG_ERROR, "inputs", (long)i, "range",
				"the ranges are 10 V, 1 V, 100 mV and 10 mV");
		if (assay_flag(row, "differential") && assay_int(row, "channel") % 2 != 0)
			assay_check_row(out, ASSAY_LOG_ERROR, "inputs", (long)i, "channel",
				"a differential input has an even number: it is measured against "
				"the next one");
		if (is_twin(s, i))
			assay_check_row(out, ASSAY_LOG_ERROR, "inputs", (long)i, "name",
				"another input has this name: give each its own");
	}
	if (samples > SAMPLE_RATE_MAX)
		assay_check_error(out, "rate",
			"%g inputs at this rate are %g samples per second; the device makes %d",
			(double)inputs, samples, SAMPLE_RATE_MAX);
	if (samples * assay_number(s, "slice") > FRAME_SAMPLES_MAX * 0.99)
		assay_check_error(out, "slice",
			"a frame would have %g samples, at most %d are possible: shorten it",
			samples * assay_number(s, "slice"), FRAME_SAMPLES_MAX);
}

void setup_write(const struct setup *setup, struct packet *p)
{
	memset(p, 0, sizeof *p);
	p->bytes[INPUTS_AT] = (uint8_t)setup->inputs;
	p->bytes[RESOLUTION_AT] = (uint8_t)setup->resolution;
	p->bytes[SAMPLES_AT] = (uint8_t)(setup->scans * setup->inputs);
	p->bytes[SETTLING_AT] = (uint8_t)setup->settling;
	p->bytes[CLOCK_AT] = (uint8_t)setup->clock;
	p->bytes[INTERVAL_AT] = (uint8_t)setup->interval;
	p->bytes[INTERVAL_AT + 1] = (uint8_t)(setup->interval >> 8);
	for (size_t i = 0; i < setup->inputs; i++) {
		const struct setup_input *input = &setup->input[i];
		p->bytes[TABLE_AT + 2 * i] = input->channel;
		p->bytes[TABLE_AT + 2 * i + 1] = (uint8_t)(input->gain << GAIN_SHIFT |
							   (input->is_differential ? DIFFERENTIAL
										   : 0));
	}
	p->reply = SETUP_REPLY;
	packet_close(p, STREAM_CONFIG, TABLE_AT - PACKET_HEAD + 2 * setup->inputs);
}

bool setup_read(const uint8_t *bytes, size_t len, struct setup *setup)
{
	memset(setup, 0, sizeof *setup);
	if (len < TABLE_AT || !packet_is_whole(bytes, len) || bytes[3] != STREAM_CONFIG)
		return false;
	size_t samples = bytes[SAMPLES_AT];
	setup->inputs = bytes[INPUTS_AT];
	if (setup->inputs < 1 || setup->inputs > INPUTS_MAX ||
		len != TABLE_AT + 2 * setup->inputs || samples < 1 || samples > SAMPLES_MAX ||
		samples % setup->inputs != 0)
		return false;
	setup->resolution = bytes[RESOLUTION_AT];
	setup->settling = bytes[SETTLING_AT];
	setup->clock = bytes[CLOCK_AT];
	setup->interval = packet_u16(bytes + INTERVAL_AT);
	setup->scans = samples / setup->inputs;
	for (size_t i = 0; i < setup->inputs; i++) {
		const uint8_t *at = bytes + TABLE_AT + 2 * i;
		setup->input[i] = (struct setup_input){at[0],
			(uint8_t)(at[1] >> GAIN_SHIFT & GAIN_MASK), (at[1] & DIFFERENTIAL) != 0};
	}
	return setup->interval > 0 && setup_clock(setup) > 0;
}

double setup_clock(const struct setup *setup)
{
	for (size_t i = 0; i < CLOCKS; i++) {
		if (clocks[i].bits == setup->clock)
			return clocks[i].hz;
	}
	return 0;
}

double setup_rate(const struct setup *setup)
{
	return setup_clock(setup) / setup->interval;
}

size_t setup_packet(const struct setup *setup)
{
	return PACKET_EXTRA + 2 * setup->scans * setup->inputs;
}
