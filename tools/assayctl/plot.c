/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <string.h>

#include "plot.h"

#define WIDTH_MAX 240

static const char *const blocks[] = {
	" ", "\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586", "\u2587", "\u2588"};

/* The largest value of each column: a narrow line must not vanish between two columns. */
static void gather(const struct plot *plot, int width, double column[WIDTH_MAX])
{
	for (int x = 0; x < width; x++)
		column[x] = NAN;
	for (size_t i = 0; i < plot->count; i++) {
		size_t x = i * (size_t)width / plot->count;
		if (!isnan(plot->y[i]) && !(column[x] >= plot->y[i]))
			column[x] = plot->y[i];
	}
	if (plot->count >= (size_t)width)
		return;
	for (int x = 1; x < width; x++) { /* fewer values than columns: steps */
		if (isnan(column[x]))
			column[x] = column[x - 1];
	}
}

static void find_range(const double *column, int width, double *low, double *high)
{
	*low = 0;
	*high = 0;
	for (int x = 0; x < width; x++) {
		if (column[x] > *high)
			*high = column[x];
		if (column[x] < *low)
			*low = column[x];
	}
	if (*high <= *low)
		*high = *low + 1;
}

void plot_draw(FILE *to, const struct plot *plot)
{
	double column[WIDTH_MAX], low, high;
	int width = plot->width < WIDTH_MAX ? plot->width : WIDTH_MAX;
	int height = plot->height > 1 ? plot->height : 2;
	gather(plot, width, column);
	find_range(column, width, &low, &high);
	fprintf(to, "  %s: %s [%s]\n", plot->title, plot->y_name, plot->y_unit);
	for (int row = height - 1; row >= 0; row--) {
		if (row == height - 1)
			fprintf(to, "%10.4g ", high);
		else if (row == 0)
			fprintf(to, "%10.4g ", low);
		else
			fprintf(to, "%10s ", "");
		for (int x = 0; x < width; x++) {
			double filled = (column[x] - low) * height / (high - low) - row;
			int eighths = isnan(filled) || filled <= 0 ? 0
				      : filled >= 1                ? 8
								   : (int)(filled * 8 + 0.5);
			fputs(blocks[eighths], to);
		}
		fputc('\n', to);
	}
	char left[80], right[40];
	snprintf(left, sizeof left, "%.6g  %s [%s]", plot->x_first, plot->x_name, plot->x_unit);
	snprintf(right, sizeof right, "%.6g", plot->x_last);
	int gap = width - (int)strlen(left) - (int)strlen(right);
	fprintf(to, "%10s %s%*s%s\n", "", left, gap > 1 ? gap : 1, "", right);
}
