/* SPDX-License-Identifier: Apache-2.0 */
/* The signal of a chromatograph's detector. */
#ifndef ASSAY_SIM_LABJACK_TRACE_H
#define ASSAY_SIM_LABJACK_TRACE_H

#include <stdint.h>
#include <stdio.h>

struct trace {
	int sample;
	double baseline, drift; /* V, V/s */
	double height;          /* of the largest peak, V */
	double length;          /* of the chromatogram, s */
};

/* Names of samples, the last one is NULL. */
extern const char *const trace_samples[];

/* Volts, `at` s after the start and `since` s after the last injection; negative: none yet. */
double trace_volts(const struct trace *trace, double at, double since);

/* Members of a truth line: the peaks with their times and heights. */
void trace_print(const struct trace *trace, FILE *out);

#endif
