/* SPDX-License-Identifier: Apache-2.0 */
/* A small plot of block characters. */
#ifndef ASSAY_ASSAYCTL_PLOT_H
#define ASSAY_ASSAYCTL_PLOT_H

#include <stddef.h>
#include <stdio.h>

struct plot {
	const char *title;
	const char *x_name, *x_unit, *y_name, *y_unit;
	double x_first, x_last;
	const double *y; /* `count` values, evenly spaced in x; NaN: none */
	size_t count;
	int width, height; /* characters of the drawing itself, without labels */
};

/* Draws it, `height` + 2 lines.  A column of several values shows the largest. */
void plot_draw(FILE *to, const struct plot *plot);

#endif
