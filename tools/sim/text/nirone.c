/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The NIRONE sensor of Spectral Engines: a tunable filter from 1550 to 1950 nm.  A command ends with CR or
 * LF.  Labels of replies and the reply to a wrong command are not published: here the command is the label
 * and a wrong one gets no reply.
 */
#include <math.h>
#include <string.h>

#include "text.h"

#define NM_MIN   1550.0
#define NM_MAX   1950.0
#define POINT_NS (1 * TEXT_MS) /* for one averaged value */
#define AVERAGE  1000

static void init(struct text *t)
{
	t->nirone = (struct nirone_state){.points = 1, .average = 1, .intensity = 100};
	for (size_t i = 0; i < TEXT_POINTS_MAX; i++)
		t->nirone.nm[i] = NM_MIN;
}

static uint64_t duration(const struct text *t)
{
	return t->nirone.points * t->nirone.average * POINT_NS;
}

/* Reflected light: two bands of water and cellulose on a smooth lamp. */
static double light(const struct text *t, double nm)
{
	double lamp = 1 - pow((nm - 1700) / 600, 2);
	double a = (nm - 1930) / 40, b = (nm - 1590) / 30;
	double sample = 1 - 0.45 * exp(-a * a) - 0.2 * exp(-b * b);
	return t->value * lamp * sample * (t->nirone.lamp ? 1 : 0.01) * t->nirone.intensity / 100;
}

static void tick(struct text *t)
{
	bool is_stable;
	double scale = t->value != 0 ? text_value(t, &is_stable) / t->value : 0;
	double noise = t->noise / sqrt(t->nirone.average);
	for (unsigned i = 0; i < t->nirone.points; i++)
		t->nirone.measured[i] = (float)(scale * light(t, t->nirone.nm[i]) +
						noise * random_normal(sim_random_of(t->m)));
	FILE *out = sim_truth_start(t->m, "measured");
	if (out != NULL) {
		for (unsigned i = 0; i < t->nirone.points; i++)
			fprintf(out, "%s%.9g", i == 0 ? ",\"values\":[" : ",",
				(double)t->nirone.measured[i]);
		fputs("]", out);
		sim_truth_end(t->m);
	}
	text_reply(t, "Measurement ready\r\n");
}

/* n floats, or none if it has measured fewer. */
static bool send_values(struct text *t, const char *text)
{
	uint8_t bytes[4 * TEXT_POINTS_MAX];
	long n;
	if (!text_integer(text, 1, t->nirone.points, &n))
		return false;
	for (long i = 0; i < n; i++) {
		uint32_t bits;
		memcpy(&bits, &t->nirone.measured[i], sizeof bits);
		for (int k = 0; k < 4; k++)
			bytes[4 * i + k] = (uint8_t)(bits >> 8 * (t->swaps_bytes ? 3 - k : k));
	}
	sim_emit(t->m, bytes, 4 * (size_t)n);
	return true;
}

/* "W3,1600.0": as many points as wavelengths, unless V changes it. */
static bool set_wavelength(struct text *t, const char *text)
{
	char number[8];
	const char *comma = strchr(text, ',');
	long i;
	double nm;
	if (comma == NULL || comma - text >= (ptrdiff_t)sizeof number)
		return false;
	snprintf(number, sizeof number, "%.*s", (int)(comma - text), text);
	if (!text_integer(number, 0, TEXT_POINTS_MAX - 1, &i) || number_parse(comma + 1, &nm) < 0 ||
		nm < NM_MIN || nm > NM_MAX)
		return false;
	t->nirone.nm[i] = nm;
	if (t->nirone.points <= i)
		t->nirone.points = (unsigned)i + 1;
	text_reply(t, "W%ld: %.1f\r\n", i, nm);
	return true;
}

/* "V32,10": so many wavelengths, values averaged. */
static bool set_averaging(struct text *t, const char *text)
{
	char number[8];
	const char *comma = strchr(text, ',');
	long points, average;
	if (comma == NULL || comma - text >= (ptrdiff_t)sizeof number)
		return false;
	snprintf(number, sizeof number, "%.*s", (int)(comma - text), text);
	if (!text_integer(number, 1, TEXT_POINTS_MAX, &points) ||
		!text_integer(comma + 1, 1, AVERAGE, &average))
		return false;
	t->nirone.points = (unsigned)points;
	t->nirone.average = (unsigned)average;
	text_reply(t, "V: %ld,%ld\r\n", points, average);
	return true;
}

static bool set_lamp(struct text *t, const char *text)
{
	long value;
	if (text[0] == 'M' && text_integer(text + 1, 0, 1, &value))
		t->nirone.lamp = (unsigned)value;
	else if (text[0] == 'I' && text_integer(text + 1, 0, 100, &value))
		t->nirone.intensity = (unsigned)value;
	else
		return false;
	text_reply(t, "L%c: %ld\r\n", text[0], value);
	return true;
}

static bool report(struct text *t, const char *command)
{
	if (strcmp(command, "!") == 0)
		text_reply(t, "!: 1\r\n");
	else if (strcmp(command, "h0") == 0)
		text_reply(t, "h0: NIRONE S2.0 simulated\r\n");
	else if (strcmp(command, "h1") == 0)
		text_reply(t, "h1: 1.0\r\n");
	else if (strcmp(command, "h2") == 0)
		text_reply(t, "h2: %u\r\n", text_serial(t));
	else if (strcmp(command, "h3") == 0)
		text_reply(t, "h3: %.2e\r\n", NM_MIN);
	else if (strcmp(command, "h4") == 0)
		text_reply(t, "h4: %.2e\r\n", NM_MAX);
	else if (strcmp(command, "i") == 0)
		text_reply(t, "i: 3.0\r\n");
	else if (strcmp(command, "m") == 0)
		text_reply(t, "m: %u\r\n", t->nirone.points);
	else if (command[0] == 'E' && strchr("012", command[1]) != NULL && strlen(command) == 2)
		text_reply(t, "%s: %.2e\r\n", command, (double)duration(t) / TEXT_MS);
	else if (strcmp(command, "St") == 0)
		text_reply(t, "St: 2.51e+01\r\n");
	else if (strcmp(command, "Sc") == 0)
		text_reply(t, "Sc: %.2e\r\n", t->nirone.lamp ? 45.0 : 0.0);
	else
		return false;
	return true;
}

static bool carry_out(struct text *t, const char *command)
{
	if (strcmp(command, "XM") == 0) {
		t->due = t->now + duration(t);
		return true;
	}
	if (strncmp(command, "Xm0,", 4) == 0)
		return send_values(t, command + 4);
	switch (command[0]) {
	case 'W': return set_wavelength(t, command + 1);
	case 'V': return set_averaging(t, command + 1);
	case 'L': return set_lamp(t, command + 1);
	default: return report(t, command);
	}
}

/* While it measures it takes no command. */
static void take(struct text *t, const char *frame, size_t len, bool is_long)
{
	if (len == 0)
		return;
	bool is_busy = t->due != SIM_NEVER || sim_fault_active(t->m, FAULT_BUSY);
	if (is_long || is_busy || strlen(frame) != len || !carry_out(t, frame))
		sim_truth(t->m, "refused", ",\"bytes\":%zu", len);
}

const struct text_dialect text_nirone = {
	.name = "nirone",
	.value = 0.8,
	.start = -1,
	.ends = "\r\n",
	.init = init,
	.take = take,
	.tick = tick,
};
