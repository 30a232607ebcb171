/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "plot.h"

#define TICK_COLUMNS 12 /* from one to the next, at least: a number of 10 characters fits */

const char *const plot_scale_names[] = {"linear", "logarithmic", "square root"};

static const char *const blocks[] = {
	" ", "\u2581", "\u2582", "\u2583", "\u2584", "\u2585", "\u2586", "\u2587", "\u2588"};

/* The largest value of each column: a narrow line must not vanish between two columns. */
static void gather(const struct plot *plot, int width, double column[PLOT_WIDTH_MAX])
{
	for (int x = 0; x < width; x++)
		column[x] = NAN;
	for (size_t i = 0; i < plot->count; i++) {
		size_t x = i * (size_t)width / plot->count;
		if (isfinite(plot->y[i]) && !(column[x] >= plot->y[i]))
			column[x] = plot->y[i];
	}
	if (plot->count >= (size_t)width)
		return;
	for (int x = 1; x < width; x++) { /* fewer values than columns: steps */
		if (isnan(column[x]))
			column[x] = column[x - 1];
	}
}

/* A value on the scale; NaN: it has no place there, as 0 on a logarithmic one. */
static double place(enum plot_scale scale, double value)
{
	switch (scale) {
	case PLOT_LINEAR: return value;
	case PLOT_LOG: return value > 0 ? log10(value) : (double)NAN;
	case PLOT_SQRT: return value >= 0 ? sqrt(value) : -sqrt(-value);
	}
	return NAN;
}

static double value_at(enum plot_scale scale, double place)
{
	switch (scale) {
	case PLOT_LINEAR: return place;
	case PLOT_LOG: return pow(10, place);
	case PLOT_SQRT: return place >= 0 ? place * place : -place * place;
	}
	return NAN;
}

/* Of the places: from 0, or of a trend and a logarithm from a little below the smallest. */
static void find_range(
	const struct plot *plot, const double *column, int width, double *low, double *high)
{
	double least = NAN, most = NAN;
	for (int x = 0; x < width; x++) {
		double at = place(plot->scale, column[x]);
		least = at < least || isnan(least) ? at : least;
		most = at > most || isnan(most) ? at : most;
	}
	if (isnan(least))
		least = most = 0;
	if (plot->is_trend || plot->scale == PLOT_LOG)
		least -= most > least ? (most - least) / 8 : fabs(least) / 8 + 0.1;
	else
		least = least < 0 ? least : 0;
	*low = least;
	*high = most > least ? most : least + 1;
}

static void draw_row(const struct plot *plot, int width, int row, char *line)
{
	double column[PLOT_WIDTH_MAX], low, high;
	char label[20] = "";
	gather(plot, width, column);
	find_range(plot, column, width, &low, &high);
	int from_bottom = plot->height - 1 - row;
	double middle = low + (high - low) * (from_bottom + 0.5) / plot->height;
	if (row == 0)
		snprintf(label, sizeof label, "%.4g", value_at(plot->scale, high));
	else if (from_bottom == 0)
		snprintf(label, sizeof label, "%.4g", value_at(plot->scale, low));
	else if (row == plot->height / 2)
		snprintf(label, sizeof label, "%.3g", value_at(plot->scale, middle));
	size_t len = (size_t)snprintf(
		line, PLOT_LINE, "%*.*s ", PLOT_LABELS - 1, PLOT_LABELS - 1, label);
	for (int x = 0; x < width; x++) {
		double at = place(plot->scale, column[x]);
		double filled = (at - low) * plot->height / (high - low) - from_bottom;
		int eighths = isnan(filled) || filled <= 0 ? 0
			      : filled >= 1                ? 8
							   : (int)(filled * 8 + 0.5);
		len += (size_t)snprintf(line + len, PLOT_LINE - len, "%s", blocks[eighths]);
	}
}

/* 1, 2 or 5 times a power of ten: the least that leaves room for the numbers. */
static double tick_step(double span, int width)
{
	double most = width / TICK_COLUMNS > 1 ? width / TICK_COLUMNS : 1;
	double power = pow(10, floor(log10(span / most)));
	double step = power;
	if (step * most < span)
		step = 2 * power;
	if (step * most < span)
		step = 5 * power;
	return step * most < span ? 10 * power : step;
}

/* The marks, or the numbers below them; every character of these lines is one byte. */
static void draw_ticks(const struct plot *plot, int width, bool are_numbers, char *line)
{
	double from = plot->x_first < plot->x_last ? plot->x_first : plot->x_last;
	double span = fabs(plot->x_last - plot->x_first);
	memset(line, ' ', (size_t)(PLOT_LABELS + width));
	line[PLOT_LABELS + width] = '\0';
	if (!are_numbers)
		memset(line + PLOT_LABELS, '-', (size_t)width);
	if (!isfinite(span) || !isfinite(from) || span <= 0 || !(span > fabs(from) * 1e-9))
		return;
	double step = tick_step(span, width);
	for (double tick = ceil(from / step - 1e-9) * step; tick <= from + span * (1 + 1e-9);
		tick += step) {
		char number[24];
		double shown = fabs(tick) < step / 1e6 ? 0 : tick;
		int x = (int)lround(
			(shown - plot->x_first) / (plot->x_last - plot->x_first) * (width - 1));
		int len = snprintf(number, sizeof number, "%.6g", shown);
		int start = x - len / 2 < 0             ? 0
			    : x - len / 2 > width - len ? width - len
							: x - len / 2;
		if (x < 0 || x >= width)
			continue;
		if (!are_numbers)
			line[PLOT_LABELS + x] = '+';
		else if (start >= 0 && line[PLOT_LABELS + start] == ' ' &&
			 (start == 0 || line[PLOT_LABELS + start - 1] == ' '))
			memcpy(line + PLOT_LABELS + start, number, (size_t)len);
	}
}

void plot_line(const struct plot *plot, int row, char line[PLOT_LINE])
{
	int width = plot->width < PLOT_WIDTH_MAX ? plot->width : PLOT_WIDTH_MAX;
	if (row < plot->height)
		draw_row(plot, width, row, line);
	else
		draw_ticks(plot, width, row > plot->height, line);
}
