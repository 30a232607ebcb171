/* SPDX-License-Identifier: Apache-2.0 */
#include "spectrum.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define COLUMN_MAX 853 /* the mirrors have 854 columns */

static int refuse(char *why, const char *text)
{
	snprintf(why, WHY_MAX, "%s", text);
	return -EBADMSG;
}

static bool is_column(double x)
{
	return x >= 0 && x <= COLUMN_MAX;
}

/* The column of a wavelength; NAN if none of the mirrors, or two, have it. */
static double column_of(const double *p, double nm)
{
	double c = p[0] - nm, square = p[1] * p[1] - 4 * p[2] * c;
	double q = -(p[1] + copysign(sqrt(square), p[1])) / 2;
	double one = c / q, other = p[2] < 0 || p[2] > 0 ? q / p[2] : NAN;
	if (is_column(one) == is_column(other))
		return NAN;
	return is_column(one) ? one : other;
}

/* The centres of the columns that a section switches on, in the order of its patterns. */
static int place(const double *p, const struct section *s, double *nm, char *why)
{
	double first = column_of(p, s->first), last = column_of(p, s->last);
	if (isnan(first) || isnan(last))
		return refuse(why, "the instrument's coefficients have no column for the "
				   "wavelengths of the scan");
	double steps = s->patterns > 1 ? s->patterns - 1 : 1;
	for (size_t i = 0; i < s->patterns; i++) {
		double x = trunc(first + (double)i * (last - first) / steps);
		x -= s->width % 2 == 0 ? 0.5 : 0;
		nm[i] = p[2] * x * x + p[1] * x + p[0];
		if (i > 0 && !(nm[i] > nm[i - 1]))
			return refuse(why, "two patterns of the scan have one wavelength: it has "
					   "more patterns than the mirrors have columns");
	}
	return 0;
}

size_t spectrum_points(const struct scan *s)
{
	size_t points = 0;
	for (size_t i = 0; i < s->configuration.section_count; i++)
		points += s->configuration.sections[i].patterns;
	return points;
}

/* The integer mean of the dark patterns, and the others. */
static int divide(const struct scan *s, struct spectrum *out, char *why)
{
	size_t points = spectrum_points(s), blacks = 0;
	int64_t sum = 0;
	out->count = 0;
	for (size_t i = 0; i < s->sample_count; i++) {
		if (scan_is_black(s, i))
			blacks++, sum += scan_sample(s, i);
		else if (out->count < points)
			out->counts[out->count++] = scan_sample(s, i);
	}
	if (blacks == 0 || points == 0 || points + blacks != s->sample_count) {
		snprintf(why, WHY_MAX, "%zu samples do not fit %zu patterns and %zu dark ones",
			s->sample_count, points, blacks);
		return -EBADMSG;
	}
	out->dark = (int32_t)(sum / (int64_t)blacks);
	return 0;
}

int spectrum_compute(const struct scan *s, struct spectrum *out, char *why, bool *is_malformed)
{
	const struct configuration *c = &s->configuration;
	*is_malformed = false;
	if (!configuration_is_of_columns(c))
		return refuse(why, "only column scans have a published evaluation: Hadamard scans "
				   "need a matrix");
	int r = divide(s, out, why);
	*is_malformed = r < 0;
	double *nm = out->nm;
	for (size_t i = 0; r == 0 && i < c->section_count; nm += c->sections[i++].patterns)
		r = place(s->polynomial, &c->sections[i], nm, why);
	for (size_t i = 0; r == 0 && i < out->count; i++) {
		int64_t counts = (int64_t)out->counts[i] - out->dark;
		if (counts != (int32_t)counts)
			return refuse(why, "a sample differs from the dark ones by more than 32 "
					   "bits");
		out->counts[i] = (int32_t)counts;
	}
	return r;
}

int spectrum_compare(const struct scan *s, const struct scan *reference, char *why)
{
	const struct configuration *c = &s->configuration, *d = &reference->configuration;
	bool is_same = c->section_count == d->section_count;
	for (size_t i = 0; is_same && i < c->section_count; i++) {
		const struct section *a = &c->sections[i], *b = &d->sections[i];
		is_same = a->type == b->type && a->width == b->width && a->first == b->first &&
			  a->last == b->last && a->patterns == b->patterns &&
			  a->exposure == b->exposure;
	}
	if (!is_same)
		return refuse(why, "the background has another scan configuration than this run");
	if (strcmp(s->serial, reference->serial) != 0)
		snprintf(why, WHY_MAX, "the background is of the instrument %s, this run of %s",
			reference->serial, s->serial);
	else if (memcmp(s->polynomial, reference->polynomial, sizeof(s->polynomial)) != 0)
		return refuse(why, "the background has another wavelength calibration");
	else if (s->gain != reference->gain)
		snprintf(why, WHY_MAX,
			"the background has a gain of %u, this run of %u: set `gain` for both",
			reference->gain, s->gain);
	else
		return 0;
	return -EBADMSG;
}
