/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JCAMP-DX 4.24 for spectra and interferograms of light, 5.01 for mass spectra; one file per run.
 * Several spectra are blocks of a LINK, several mass scans pages of NTUPLES.  Ordinates of equal
 * steps are integers times a power of two, because some readers take an E for a packed digit.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "jcamp.h"
#include "record/names.h"
#include "record/text.h"

enum kind {
	NEITHER,
	LIGHT,
	MASS,
};

static enum kind kind_of(const struct spectrum *s)
{
	const struct name *name = name_find(s->x.name);
	if (spectrum_is_over(s, "mz"))
		return MASS;
	return name != NULL && name->jcamp != NULL ? LIGHT : NEITHER;
}

/* The next spectrum of the frame that fits, from the i-th on. */
static enum kind next_spectrum(const struct assay_frame_view *frame, size_t *i, struct spectrum *s)
{
	while (spectrum_at(frame, (*i)++, s) == 0) {
		enum kind kind = kind_of(s);
		if (kind != NEITHER && jcamp_points(s) > 0)
			return kind;
	}
	return NEITHER;
}

/* --- a spectrum of light ---------------------------------------------------------------------- */

/* A power of two by which all ordinates are integers below 2^30, or 1 if they are. */
static double factor_of(const struct spectrum *s, double scale)
{
	double most = 0;
	bool is_whole = true;
	int exponent;
	for (size_t i = 0; i < s->count; i++) {
		double y = assay_var_number(&s->y, i) * scale;
		most = isfinite(y) && fabs(y) > most ? fabs(y) : most;
		is_whole &= !isfinite(y) || fpclassify(y - floor(y)) == FP_ZERO;
	}
	if (!(most > 0) || (is_whole && most < 0x1p30))
		return 1;
	frexp(most, &exponent);
	return ldexp(1, exponent - 30);
}

/* Digits after the point that tell neighbours apart.  An E in an abscissa is a packed digit, too. */
static int decimals_of(double step)
{
	double digits = ceil(4 - log10(fabs(step)));
	return digits < 0 ? 0 : digits > 17 ? 17 : (int)digits;
}

/* "X Y Y Y" per line, "?" for an ordinate that is not finite. */
static void put_ordinates(
	struct buffer *to, const struct spectrum *s, double step, double scale, double factor)
{
	size_t start = to->len;
	int decimals = decimals_of(step);
	for (size_t i = 0; i < s->count; i++) {
		double y = assay_var_number(&s->y, i) * scale / factor;
		char text[40] = "?";
		if (isfinite(y))
			snprintf(text, sizeof text, "%.0f", nearbyint(y));
		if (to->len - start + strlen(text) + 1 > JCAMP_LINE) {
			cell_put(to, "\r\n");
			start = to->len;
		}
		if (to->len == start)
			cell_put(to, "%.*f", decimals, assay_var_number(&s->x, i));
		cell_put(to, " %s", text);
	}
	cell_put(to, "\r\n");
}

/* Of the points as they are written: those that are finite, and whole times `factor` unless it is 0. */
static void put_ranges(struct buffer *to, const struct spectrum *s, double scale, double factor)
{
	double least = INFINITY, most = -INFINITY, first_x = NAN, last_x = NAN, first_y = NAN;
	for (size_t i = 0; i < s->count; i++) {
		double x = assay_var_number(&s->x, i);
		double y = assay_var_number(&s->y, i) * scale;
		if (factor > 0)
			y = nearbyint(y / factor) * factor;
		else if (!isfinite(x) || !isfinite(y))
			continue;
		first_x = isnan(first_x) ? x : first_x;
		last_x = x;
		if (!isfinite(y))
			continue;
		first_y = isnan(first_y) ? y : first_y;
		least = y < least ? y : least;
		most = y > most ? y : most;
	}
	jcamp_put_number(to, "FIRSTX", first_x);
	jcamp_put_number(to, "LASTX", last_x);
	jcamp_put_number(to, "MAXY", most);
	jcamp_put_number(to, "MINY", least);
	jcamp_put_number(to, "FIRSTY", first_y);
}

static void put_light(
	struct export *e, const struct assay_frame_view *frame, const struct spectrum *s)
{
	struct buffer *to = &e->to;
	double first, step;
	bool is_percent = assay_string_is(s->y.unit, "%");
	double scale = is_percent ? 0.01 : 1;
	bool is_linear = s->count > 1 && spectrum_is_linear(s, &first, &step);
	double factor = is_linear ? factor_of(s, scale) : 1;
	char content[40];
	text_copy(content, sizeof content, s->y.name);
	jcamp_put_heading(e, "4.24",
		frame->kind == ASSAY_KIND_INTERFEROGRAM ? "INFRARED INTERFEROGRAM"
		: spectrum_is_over(s, "raman_shift")    ? "RAMAN SPECTRUM"
							: "INFRARED SPECTRUM",
		content, frame);
	if (is_percent)
		jcamp_put_label(
			to, "$ASSAYD CORRECTION", "per cent to fraction: ordinates divided by 100");
	jcamp_put_units(to, "XUNITS", &s->x);
	jcamp_put_units(to, "YUNITS", &s->y);
	jcamp_put_number(to, "XFACTOR", 1);
	jcamp_put_number(to, "YFACTOR", factor);
	put_ranges(to, s, scale, is_linear ? factor : 0);
	if (is_linear) {
		jcamp_put_number(to, "DELTAX", step);
		cell_put(to, "##NPOINTS= %zu\r\n##XYDATA= (X++(Y..Y))\r\n", s->count);
		put_ordinates(to, s, step, scale, factor);
	} else {
		cell_put(to, "##NPOINTS= %zu\r\n##XYPOINTS= (XY..XY)\r\n", jcamp_points(s));
		jcamp_put_pairs(to, s, scale);
	}
	cell_put(to, "##END=\r\n");
}

/* --- the file of a run ------------------------------------------------------------------------ */

/* e->fits counts spectra of light, e->step mass scans. */
static int survey(struct export *e, const struct export_item *item)
{
	struct spectrum s;
	size_t i = 0;
	if (item->frame.record.type == ASSAY_RECORD_RUN_START)
		e->step = 0;
	if (!item->is_frame)
		return 0;
	enum kind kind = next_spectrum(&item->frame, &i, &s);
	e->step += kind == MASS;
	for (; kind == LIGHT; kind = next_spectrum(&item->frame, &i, &s))
		e->fits++;
	return 0;
}

static int begin(struct export *e)
{
	bool is_new;
	if (e->fits == 0 && e->step == 0)
		return 0;
	int r = export_choose_file(e, 0, &is_new);
	if (r < 0)
		return r;
	if (e->fits > 1) {
		jcamp_put_heading(e, "4.24", "LINK", "", NULL);
		cell_put(&e->to, "##BLOCKS= %llu\r\n", (unsigned long long)e->fits);
	} else if (e->fits == 0 && e->step > 1) {
		jcamp_put_tuples(e);
	}
	return 0;
}

static int put_entry(struct export *e, const struct export_item *item)
{
	struct spectrum s;
	size_t i = 0, count = 0;
	if (!item->is_frame)
		return 0;
	for (enum kind kind; (kind = next_spectrum(&item->frame, &i, &s)) != NEITHER;) {
		if (kind == LIGHT)
			put_light(e, &item->frame, &s);
		else if (e->fits > 0 || count > 0)
			export_note(e, "further data of mass scans left out", 1);
		else if (e->step > 1)
			jcamp_put_page(e, &item->frame, &s);
		else
			jcamp_put_peaks(e, &item->frame, &s);
		count++;
	}
	if (count == 0)
		export_note(
			e, "frames of another kind left out: no spectrum of light or masses", 1);
	return 0;
}

static int end(struct export *e)
{
	if (e->fits > 1)
		cell_put(&e->to, "##END=\r\n");
	else if (e->fits == 0 && e->step > 1)
		jcamp_end_tuples(e);
	return 0;
}

const struct export_format export_jcamp = {.survey = survey,
	.begin = begin,
	.entry = put_entry,
	.end = end,
	.lacks = "settings and setup of the instrument; variables without an axis; digits of an "
		 "ordinate below 1/2^30 of the largest"};
