/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JCAMP-DX 4.24 for spectra and interferograms of light, 5.01 for mass spectra; one file per run.
 * Several spectra are blocks of a LINK, several mass scans pages of NTUPLES.  Ordinates of equal
 * steps are integers times a power of two, because some readers take an E for a packed digit.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "jcamp.h"
#include "record/names.h"
#include "record/text.h"

#define LINE 78 /* characters */

static const char *const marks[] = {"##", "$$", NULL};

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

/* --- labels ----------------------------------------------------------------------------------- */

/* A value may go on in the next lines. */
static void put_label(struct buffer *to, const char *label, const char *text)
{
	struct buffer value = {0};
	size_t used = strlen(label) + 5;
	facts_put_ascii(&value, text, marks, FACT_SIZE);
	cell_put(to, "##%s= ", label);
	for (size_t at = 0; at < value.len;) {
		size_t len = value.len - at < LINE - used ? value.len - at : LINE - used;
		buffer_append(to, value.data + at, len);
		at += len;
		used = 0;
		if (at < value.len)
			cell_put(to, "\r\n");
	}
	cell_put(to, "\r\n");
	to->failed |= value.failed;
	buffer_finish(&value);
}

/* "##$ASSAYD SAMPLE= 24-0815" for each fact; the digest has a line of its own. */
static void put_facts(
	struct buffer *to, const struct facts *facts, const struct assay_frame_view *frame)
{
	for (enum fact_id i = 0; i < FACTS_COUNT; i++) {
		char label[40] = "$ASSAYD ";
		for (size_t c = 0; fact_names[i][c] != '\0'; c++)
			label[8 + c] = fact_names[i][c] >= 'a' ? (char)(fact_names[i][c] - 32)
							       : fact_names[i][c];
		if (i == FACT_DIGEST)
			put_label(to, "$SHA256", facts_digest(facts));
		else if (facts->texts[i][0] != '\0')
			put_label(to, label, facts->texts[i]);
	}
	if (frame == NULL)
		return;
	struct buffer text = {0};
	facts_put_quality(&text, frame);
	buffer_append(&text, "", 1);
	if (!text.failed)
		put_label(to, "$ASSAYD FRAMES QUALITY", (const char *)text.data);
	buffer_reset(&text);
	cell_put(to, "##$ASSAYD FRAME= %llu\r\n", (unsigned long long)frame->record.n);
	to->failed |= text.failed;
	buffer_finish(&text);
}

void jcamp_put_number(struct buffer *to, const char *label, double number)
{
	cell_put(to, "##%s= ", label);
	cell_put_number(to, number);
	cell_put(to, "\r\n");
}

static void put_time(struct buffer *to, uint64_t ns)
{
	char text[40];
	struct tm tm;
	time_t seconds = (time_t)(ns / NS_PER_S);
	gmtime_r(&seconds, &tm);
	strftime(text, sizeof text, "%Y/%m/%d %H:%M:%S", &tm);
	cell_put(to, "##LONGDATE= %s.%03u\r\n", text, (unsigned)(ns % NS_PER_S / NS_PER_MS));
}

static void put_title(struct export *e, const char *what)
{
	cell_put(&e->to, "##TITLE= ");
	facts_put_title(&e->to, &e->about, marks, LINE - 30);
	cell_put(&e->to, "%s%.20s\r\n", what[0] != '\0' ? " " : "", what);
}

void jcamp_put_heading(struct export *e, const char *version, const char *type, const char *what,
	const struct assay_frame_view *frame)
{
	const struct facts *facts = &e->about;
	char system[2 * FACT_SIZE];
	put_title(e, what);
	put_label(&e->to, "JCAMP-DX", version);
	put_label(&e->to, "DATA TYPE", type);
	put_label(&e->to, "ORIGIN", facts->texts[FACT_PROGRAM]);
	put_label(&e->to, "OWNER", facts->texts[FACT_LABORATORY]);
	put_time(&e->to, frame != NULL ? frame->record.t.utc : facts->started);
	snprintf(system, sizeof system, "%.100s %.100s %.100s", facts->texts[FACT_MAKE],
		facts->texts[FACT_MODEL], facts->texts[FACT_SERIAL]);
	put_label(&e->to, "SPECTROMETER/DATA SYSTEM", system);
	put_facts(&e->to, facts, frame);
}

void jcamp_put_units(struct buffer *to, const char *label, const struct assay_var_view *var)
{
	const struct name *name = name_find(var->name);
	bool is_known = name != NULL && name->jcamp != NULL &&
			(name->unit == NULL || assay_string_is(var->unit, name->unit) ||
				assay_string_is(var->unit, "%"));
	bool is_micro = assay_string_is(var->name, "wavelength") &&
			assay_string_is(var->unit, "um");
	put_label(to, label, is_known ? name->jcamp : is_micro ? "MICROMETERS" : "ARBITRARY UNITS");
}

/* --- a spectrum of light ---------------------------------------------------------------------- */

size_t jcamp_points(const struct spectrum *s)
{
	size_t count = 0;
	for (size_t i = 0; i < s->count; i++)
		count += isfinite(assay_var_number(&s->x, i)) &&
			 isfinite(assay_var_number(&s->y, i));
	return count;
}

void jcamp_put_pairs(struct buffer *to, const struct spectrum *s, double factor)
{
	for (size_t i = 0; i < s->count; i++) {
		double x = assay_var_number(&s->x, i), y = assay_var_number(&s->y, i);
		if (isfinite(x) && isfinite(y)) {
			cell_put_number(to, x);
			cell_put(to, ", ");
			cell_put_number(to, y * factor);
			cell_put(to, "\r\n");
		}
	}
}

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

/* "X Y Y Y" per line, "?" for an ordinate that is not finite. */
static void put_ordinates(struct buffer *to, const struct spectrum *s, double scale, double factor)
{
	size_t start = to->len;
	for (size_t i = 0; i < s->count; i++) {
		double y = assay_var_number(&s->y, i) * scale / factor;
		char text[40] = "?";
		if (isfinite(y))
			snprintf(text, sizeof text, "%.0f", nearbyint(y));
		if (to->len - start + strlen(text) + 1 > LINE) {
			cell_put(to, "\r\n");
			start = to->len;
		}
		if (to->len == start)
			cell_put(to, "%.10g", assay_var_number(&s->x, i));
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
	char what[40];
	text_copy(what, sizeof what, s->y.name);
	jcamp_put_heading(e, "4.24",
		frame->kind == ASSAY_KIND_INTERFEROGRAM ? "INFRARED INTERFEROGRAM"
							: "INFRARED SPECTRUM",
		what, frame);
	if (is_percent)
		put_label(
			to, "$ASSAYD CORRECTION", "per cent to fraction: ordinates divided by 100");
	jcamp_put_units(to, "XUNITS", &s->x);
	jcamp_put_units(to, "YUNITS", &s->y);
	jcamp_put_number(to, "XFACTOR", 1);
	jcamp_put_number(to, "YFACTOR", factor);
	put_ranges(to, s, scale, is_linear ? factor : 0);
	if (is_linear) {
		jcamp_put_number(to, "DELTAX", step);
		cell_put(to, "##NPOINTS= %zu\r\n##XYDATA= (X++(Y..Y))\r\n", s->count);
		put_ordinates(to, s, scale, factor);
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
