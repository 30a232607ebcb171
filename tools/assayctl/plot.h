/* SPDX-License-Identifier: Apache-2.0 */
/* A small plot of block characters. */
#ifndef ASSAY_ASSAYCTL_PLOT_H
#define ASSAY_ASSAYCTL_PLOT_H

#include <stdbool.h>
#include <stddef.h>

enum plot_scale { PLOT_LINEAR, PLOT_LOG, PLOT_SQRT };

#define PLOT_WIDTH_MAX 240 /* columns of the drawing */
#define PLOT_LABELS    11  /* columns before it */
#define PLOT_EXTRA     2   /* lines below it: ticks and their numbers */
#define PLOT_LINE      (PLOT_LABELS + 4 * PLOT_WIDTH_MAX + 1)

struct plot {
	double x_first, x_last;
	const double *y; /* `count` values, evenly spaced in x; NaN: none */
	size_t count;
	int width, height; /* characters of the drawing itself, without labels */
	enum plot_scale scale;
	bool is_trend; /* its range is that of the values, without 0 */
};

extern const char *const plot_scale_names[];

/* Line `row` of height + PLOT_EXTRA, from the top.  A column of several values shows the largest. */
void plot_line(const struct plot *plot, int row, char line[PLOT_LINE]);

#endif
