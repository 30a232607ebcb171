/* SPDX-License-Identifier: Apache-2.0 */
/* A small plot out of block characters. */
#ifndef ASSAY_ASSAYCTL_PLOT_H
#define ASSAY_ASSAYCTL_PLOT_H

#include <stddef.h>
#include <stdio.h>

struct plot {
	const char *title;
	const char *x_name, *x_unit, *y_name, *y_unit;
	double x_first, x_last;
	const double *y; /* `count` values, evenly spread over x; NaN leaves a hole */
	size_t count;
	int width, height; /* characters of the drawing itself, without labels */
};

/* Draws it, `height` + 2 lines.  Columns that hold several values show the largest. */
void plot_draw(FILE *to, const struct plot *plot);

#endif
