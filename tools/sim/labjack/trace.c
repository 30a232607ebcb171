/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Peaks are exponentially modified Gaussians: bands that diffuse in the column, and a detector or dead
 * volume that empties exponentially, which is their tail.
 */
#include "trace.h"

#include <math.h>

#define PEAKS_MAX   7
#define WANDER      0.002 /* of the largest peak: slow, with the temperature of the room */
#define WANDER_S    97
#define BLEED       0.01 /* of the largest peak: the hot column loses its coating */
#define BLEED_START 0.6  /* of the length */

struct peak {
	const char *name;
	double time, sigma, tail; /* of the length */
	double height;            /* of the largest peak, without its tail */
};

struct mixture {
	struct peak peaks[PEAKS_MAX];
};

const char *const trace_samples[] = {"alcohols", "btex", "blank", NULL};

static const struct mixture mixtures[] = {
	{{{"methanol", 0.12, 0.0035, 0.004, 0.55}, {"ethanol", 0.2, 0.004, 0.004, 1},
		{"2-propanol", 0.245, 0.0045, 0.004, 0.4}, {"1-propanol", 0.37, 0.0055, 0.005, 0.7},
		{"1-butanol", 0.62, 0.0075, 0.006, 0.3}}},
	{{{"solvent", 0.08, 0.003, 0.008, 1}, {"benzene", 0.22, 0.004, 0.002, 0.3},
		{"toluene", 0.36, 0.005, 0.002, 0.45}, {"ethylbenzene", 0.52, 0.006, 0.003, 0.25},
		{"m,p-xylene", 0.545, 0.006, 0.003, 0.5}, {"o-xylene", 0.6, 0.0065, 0.003, 0.2}}},
	{{{NULL, 0, 0, 0, 0}}},
};

/* Of unit area. */
static double tailed(double x, double sigma, double tail)
{
	if (x < -8 * sigma)
		return 0;
	double ratio = sigma / tail;
	return exp(ratio * ratio / 2 - x / tail) * erfc((ratio - x / sigma) / M_SQRT2) / (2 * tail);
}

static double peak_at(const struct peak *peak, double x)
{
	double area = peak->height * peak->sigma * sqrt(2 * M_PI);
	return area * tailed(x - peak->time, peak->sigma, peak->tail);
}

static double bleed_at(double x)
{
	double y = (x - BLEED_START) / (1 - BLEED_START);
	return x > 1 ? BLEED * exp(-20 * (x - 1)) : y > 0 ? BLEED * y * y : 0;
}

double trace_volts(const struct trace *trace, double at, double since)
{
	double volts = trace->baseline + trace->drift * at;
	volts += trace->height * WANDER * sin(2 * M_PI * at / WANDER_S);
	if (since < 0)
		return volts;
	double x = since / trace->length;
	const struct peak *peaks = mixtures[trace->sample].peaks;
	for (unsigned i = 0; i < PEAKS_MAX && peaks[i].name != NULL; i++)
		volts += trace->height * peak_at(&peaks[i], x);
	return volts + trace->height * bleed_at(x);
}

void trace_print(const struct trace *trace, FILE *out)
{
	const struct peak *peaks = mixtures[trace->sample].peaks;
	fputs(",\"peaks\":[", out);
	for (unsigned i = 0; i < PEAKS_MAX && peaks[i].name != NULL; i++) {
		const struct peak *peak = &peaks[i];
		fprintf(out, "%s{\"name\":\"%s\",\"time\":%g,\"area\":%g}", i > 0 ? "," : "",
			peak->name, peak->time * trace->length,
			trace->height * peak->height * peak->sigma * sqrt(2 * M_PI) *
				trace->length);
	}
	fputc(']', out);
}
