/* SPDX-License-Identifier: Apache-2.0 */
#include "reading.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "xray.h"

void reading_begin(struct reading *rd, const struct report *r, const char *file)
{
	double *counts = rd->counts;
	size_t room = rd->room;
	*rd = (struct reading){.report = r,
		.file = file,
		.counts = counts,
		.room = room,
		.sigma = (double)NAN,
		.first = (double)NAN,
		.step = (double)NAN,
		.points = (double)NAN};
}

static int __attribute__((format(printf, 2, 3))) refuse(struct reading *rd, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(rd->why, sizeof rd->why, format, args);
	va_end(args);
	return -EBADMSG;
}

static struct entry *entry_of(
	struct reading *rd, const struct report_rule *rule, const char *analyte)
{
	for (size_t i = 0; i < rd->entry_count; i++) {
		struct entry *e = &rd->entries[i];
		bool is_named = rule->name == NULL || strcmp(e->name, rule->name) == 0;
		if (is_named && strcmp(e->analyte, analyte) == 0)
			return e;
	}
	if (rd->entry_count == READING_ENTRIES)
		return NULL;
	struct entry *e = &rd->entries[rd->entry_count++];
	e->name = rule->name;
	memcpy(e->analyte, analyte, REPORT_TEXT);
	return e;
}

static int take_number(struct reading *rd, const char *title, const char *cell, double *to)
{
	if (report_number(rd->report, cell, to) == 0)
		return 0;
	return refuse(rd,
		"column '%.60s': '%.40s' is no number by the profile: see report_decimal, "
		"report_thousands, report_below",
		title, cell);
}

static int take_value(struct reading *rd, const struct report_rule *rule, const char *analyte,
	const char *title, const char *cell)
{
	bool is_below = report_is_below(rd->report, cell);
	struct entry *e = entry_of(rd, rule, analyte);
	double number = 0;
	if (e == NULL)
		return refuse(rd, "it has more than %d values", READING_ENTRIES);
	if (!is_below && take_number(rd, title, cell, &number) < 0)
		return -EBADMSG;
	if (rule->use == USE_ERROR) {
		if (e->has_error)
			return refuse(
				rd, "column '%.60s': a second error of the same value", title);
		e->has_error = !is_below;
		e->error = number;
		return 0;
	}
	if (e->has_value || e->is_below)
		return refuse(rd, "column '%.60s': a second value of the same substance", title);
	e->has_value = !is_below;
	e->is_below = is_below;
	e->value = number;
	if (e->unit == NULL)
		e->unit = rule->unit;
	return 0;
}

static int take_unit(struct reading *rd, const struct report_rule *rule, const char *analyte,
	const char *title, const char *cell)
{
	const char *unit = report_unit(rd->report, cell);
	if (unit == NULL)
		return refuse(rd,
			"column '%.60s': '%.40s' is no unit of the profile: see report_units",
			title, cell);
	if (rule->substance == HAS_NO_SUBSTANCE) {
		rd->unit = unit;
		return 0;
	}
	/* Of all values of the substance. */
	bool is_known = false;
	for (size_t i = 0; i < rd->entry_count; i++)
		if (strcmp(rd->entries[i].analyte, analyte) == 0) {
			rd->entries[i].unit = unit;
			is_known = true;
		}
	return is_known ? 0
			: refuse(rd, "column '%.60s' has a unit, and no value is before it", title);
}

static int take_extra(
	struct reading *rd, const struct report_rule *rule, const char *title, const char *cell)
{
	if (report_is_below(rd->report, cell))
		return 0;
	for (size_t i = 0; i < rd->extra_count; i++)
		if (strcmp(rd->extras[i].rule->name, rule->name) == 0)
			return refuse(rd, "column '%.60s': a second %s", title, rule->name);
	if (rd->extra_count == READING_EXTRAS)
		return refuse(
			rd, "it has more than %d values of use aux and setting", READING_EXTRAS);
	struct extra *extra = &rd->extras[rd->extra_count];
	bool is_number = rule->use == USE_AUX || rule->unit != NULL;
	if (is_number && take_number(rd, title, cell, &extra->number) < 0)
		return -EBADMSG;
	extra->rule = rule;
	snprintf(extra->text, sizeof extra->text, "%s", cell);
	rd->extra_count++;
	return 0;
}

static int take_count(struct reading *rd, const char *title, const char *cell)
{
	double number;
	if (take_number(rd, title, cell, &number) < 0)
		return -EBADMSG;
	if (rd->count == READING_CHANNELS)
		return refuse(rd, "it has more than %u channels", READING_CHANNELS);
	if (rd->counts != NULL && rd->count < rd->room)
		rd->counts[rd->count] = number;
	rd->count++;
	return 0;
}

int reading_take(struct reading *rd, const char *title, const char *cell)
{
	char analyte[REPORT_TEXT];
	const struct report_rule *rule = report_match(rd->report, title, analyte);
	if (rule == NULL || cell[0] == '\0')
		return 0;
	switch (rule->use) {
	case USE_VALUE:
	case USE_ERROR: return rule->name != NULL ? take_value(rd, rule, analyte, title, cell) : 0;
	case USE_UNIT: return take_unit(rd, rule, analyte, title, cell);
	case USE_SIGMA: return take_number(rd, title, cell, &rd->sigma);
	case USE_AUX:
	case USE_SETTING: return rule->name != NULL ? take_extra(rd, rule, title, cell) : 0;
	case USE_FIRST:
		rd->energy_unit = rule->unit;
		return take_number(rd, title, cell, &rd->first);
	case USE_STEP: return take_number(rd, title, cell, &rd->step);
	case USE_POINTS: return take_number(rd, title, cell, &rd->points);
	case USE_COUNTS: return take_count(rd, title, cell);
	case USE_IGNORE:
		rd->is_ignored = rd->is_ignored || report_is_ignored(rd->report, cell);
		return 0;
	default: break;
	}
	if (rd->texts[rule->use][0] == '\0')
		snprintf(rd->texts[rule->use], REPORT_TEXT, "%s", cell);
	return 0;
}

int reading_end(struct reading *rd)
{
	bool has_any = rd->count > 0;
	if (rd->is_ignored)
		return 0;
	for (size_t i = 0; i < rd->entry_count; i++) {
		struct entry *e = &rd->entries[i];
		if (!e->has_value && !e->is_below)
			continue;
		has_any = true;
		if (e->unit == NULL)
			e->unit = rd->unit;
		if (e->unit == NULL)
			return refuse(rd, "the values of '%.60s' have no unit", e->analyte);
	}
	if (rd->report->is_spectra && has_any && isfinite(rd->points) &&
		rd->points != (double)rd->count)
		return refuse(
			rd, "a spectrum has %zu counts, and states %.0f", rd->count, rd->points);
	return has_any;
}

static void copy(char to[FORMAT_FACT], const char *text)
{
	snprintf(to, FORMAT_FACT, "%s", text);
}

void reading_facts(const struct reading *rd, struct format_facts *facts)
{
	copy(facts->sample, rd->texts[USE_SAMPLE]);
	copy(facts->person, rd->texts[USE_PERSON]);
	copy(facts->method, rd->texts[USE_METHOD]);
	copy(facts->title, rd->texts[USE_TITLE]);
	copy(facts->serial, rd->texts[USE_SERIAL]);
	copy(facts->model, rd->texts[USE_MODEL]);
	report_time(
		rd->report, rd->texts[USE_DATE], rd->texts[USE_TIME], rd->file, facts->acquired);
}

/* --- the frame -------------------------------------------------------------------------------- */

static void add_entry(const struct reading *rd, const struct entry *e, struct assay_frame *out)
{
	bool has_limit = e->is_below && e->has_error && rd->report->error_is_limit;
	double sigma = isfinite(rd->sigma) ? rd->sigma : rd->report->sigma;
	struct assay_variable v = {.name = e->has_value ? e->name : "detection_limit",
		.role = e->has_value ? ASSAY_DATA : ASSAY_AUX,
		.unit = e->unit,
		.analyte = e->analyte[0] != '\0' ? e->analyte : NULL,
		.type = ASSAY_SCALAR_FLOAT,
		.real = e->has_value ? e->value : e->error};
	if (e->has_value && e->has_error && e->error > 0 && sigma > 0) {
		v.unc.kind = sigma == 1 ? "standard" : "expanded";
		v.unc.k = sigma == 1 ? 0 : sigma;
		v.unc.src = "instrument";
		v.unc.value = e->error;
	}
	if (e->has_value || has_limit)
		assay_frame_add(out, &v);
}

/* The substances below the limit of detection, as one text. */
static void add_below(const struct reading *rd, struct assay_frame *out)
{
	char text[2048] = "";
	size_t used = 0;
	bool has_any = false;
	for (size_t i = 0; i < rd->entry_count; i++) {
		const struct entry *e = &rd->entries[i];
		const char *name = e->analyte[0] != '\0' ? e->analyte : e->name;
		if (!e->is_below)
			continue;
		has_any = true;
		if (used + strlen(name) + 3 < sizeof text)
			used += (size_t)snprintf(
				text + used, sizeof text - used, "%s%s", used > 0 ? " " : "", name);
	}
	if (!has_any)
		return;
	assay_frame_quality(out, ASSAY_UNCHECKED, "below-detection");
	struct assay_variable v = {.name = "below_detection",
		.role = ASSAY_AUX,
		.unit = "1",
		.type = ASSAY_SCALAR_TEXT,
		.text = text};
	assay_frame_add(out, &v);
}

static void add_extra(const struct extra *extra, struct assay_frame *out)
{
	if (extra->rule->use == USE_AUX)
		xray_add_aux(out, extra->rule->name, extra->number, extra->rule->unit);
	else if (extra->rule->unit != NULL)
		xray_add_setting_number(out, extra->rule->name, extra->number, extra->rule->unit);
	else
		xray_add_setting_text(out, extra->rule->name, extra->text);
}

int reading_add(const struct reading *rd, struct assay_frame *out)
{
	struct xray x = xray_none;
	int r = 0;
	if (rd->report->is_spectra) {
		bool has_axis = isfinite(rd->first) && isfinite(rd->step) && rd->step != 0;
		x.unit = has_axis ? rd->energy_unit : NULL;
		x.first = rd->first;
		x.step = rd->step;
		x.counts = rd->counts;
		x.n = rd->count;
		r = xray_add(&x, out);
	} else {
		assay_frame_kind(out, ASSAY_SCALARS);
		assay_frame_quality(out, ASSAY_UNCHECKED, NULL);
	}
	if (r < 0)
		return r;
	struct format_facts facts = {.why = ""};
	reading_facts(rd, &facts);
	for (size_t i = 0; i < rd->entry_count && !rd->report->is_spectra; i++)
		add_entry(rd, &rd->entries[i], out);
	if (!rd->report->is_spectra)
		add_below(rd, out);
	for (size_t i = 0; i < rd->extra_count; i++)
		add_extra(&rd->extras[i], out);
	xray_add_setting_text(out, "sample", facts.sample);
	xray_add_setting_text(out, "operator", facts.person);
	xray_add_setting_text(out, "method", facts.method);
	xray_add_setting_text(out, "title", facts.title);
	xray_add_setting_text(out, "serial", facts.serial);
	if (facts.acquired[0] != '\0')
		assay_frame_device_time(out, facts.acquired);
	return 0;
}
