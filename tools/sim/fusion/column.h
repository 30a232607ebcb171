/* SPDX-License-Identifier: Apache-2.0 */
/* The columns of the modules: which component leaves when, and the signal of the detector. */
#ifndef ASSAY_SIM_FUSION_COLUMN_H
#define ASSAY_SIM_FUSION_COLUMN_H

#include <stddef.h>

#define COLUMN_MODULES 2
#define COLUMN_PEAKS   6

struct column_peak {
	const char *label;  /* NULL: a peak that the method has no name for */
	double time, sigma; /* s */
	double share;       /* mole % */
	double response;    /* area per mole % */
};

struct column_method {
	const char *name;
	struct column_peak peaks[COLUMN_MODULES][COLUMN_PEAKS]; /* end with a time of 0 */
};

/* NULL after the last one. */
const struct column_method *column_method(size_t index);

/* NULL when there is none of that name. */
const struct column_method *column_find(const char *name);

/* The signal of a module so many seconds after injection; `scale` multiplies the peaks. */
double column_signal(
	const struct column_method *method, size_t module, double seconds, double scale);

#endif
