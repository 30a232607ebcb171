/* SPDX-License-Identifier: Apache-2.0 */
#include "mass.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "record/read.h"
#include "record/text.h"

const struct mass_row *mass_row(const struct mass_run *mass, size_t i)
{
	return (const struct mass_row *)(const void *)mass->rows.data + i;
}

bool mass_next(struct mass_scan *scan, double *mz, double *intensity)
{
	while (scan->at < scan->mz.count && scan->at < scan->intensity.count) {
		*mz = assay_var_number(&scan->mz, scan->at);
		*intensity = assay_var_number(&scan->intensity, scan->at++);
		if (isfinite(*mz) && isfinite(*intensity))
			return true;
	}
	return false;
}

/* --- settings --------------------------------------------------------------------------------- */

/* A setting is a value, or a map of value `v` and unit `u`. */
static void read_setting(
	struct assay_span settings, const char *name, double *number, struct assay_string *text)
{
	struct reader r;
	struct assay_span value = keys_value(settings, string_of(name));
	struct assay_span inner = keys_value(value, string_of("v"));
	value = inner.len > 0 ? inner : value;
	read_init(&r, value.data, value.len);
	enum read_type type = value.len > 0 ? read_peek(&r) : READ_ERROR;
	if (text != NULL && type == READ_TEXT)
		read_text(&r, text);
	if (number != NULL && (type == READ_UINT || type == READ_FLOAT32 || type == READ_FLOAT64))
		read_double(&r, number);
}

static void read_settings(struct assay_span settings, double *first, double *last,
	bool *is_negative, bool *is_profile)
{
	struct assay_string polarity = {0}, representation = {0};
	if (settings.data == NULL)
		return;
	read_setting(settings, "mass_first", first, NULL);
	read_setting(settings, "mass_last", last, NULL);
	read_setting(settings, "polarity", NULL, &polarity);
	read_setting(settings, "representation", NULL, &representation);
	if (polarity.data != NULL)
		*is_negative = assay_string_is(polarity, "negative");
	if (representation.data != NULL)
		*is_profile = assay_string_is(representation, "profile");
}

/* --- scans ------------------------------------------------------------------------------------ */

static double find_number(const struct assay_frame_view *frame, const char *name)
{
	struct assay_var_view var;
	return assay_frame_find(frame, name, &var) == 0 && var.count == 1
		       ? assay_var_number(&var, 0)
		       : NAN;
}

/* The first intensities over m/z. */
static bool find_views(const struct assay_frame_view *frame, struct mass_scan *scan)
{
	struct assay_frame_view walk = *frame;
	if (frame->kind != ASSAY_KIND_SPECTRUM || assay_frame_find(frame, "mz", &scan->mz) < 0)
		return false;
	assay_frame_rewind(&walk);
	while (assay_frame_next(&walk, &scan->intensity) == 1) {
		if (scan->intensity.role == ASSAY_ROLE_DATA && scan->intensity.dims_count == 1 &&
			assay_string_is(scan->intensity.dims[0], "mz"))
			return true;
	}
	return false;
}

/* Of the instrument's clock if it reports the time from injection, else from the run's start. */
static double time_of(const struct export *e, const struct assay_frame_view *frame)
{
	const struct mass_run *mass = e->own;
	const struct assay_stamp *t = &frame->record.t;
	double time = find_number(frame, "retention_time");
	if (isfinite(time))
		return time;
	if (mass->mono > 0 && t->mono >= mass->mono)
		return (double)(t->mono - mass->mono) / 1e9;
	return ((double)(int64_t)(t->utc - e->about.started)) / 1e9;
}

static void measure(struct mass_scan *scan)
{
	double mz, intensity, sum = 0;
	for (scan->at = 0; mass_next(scan, &mz, &intensity); scan->points++) {
		if (scan->points == 0 || intensity > scan->base) {
			scan->base = intensity;
			scan->base_mz = mz;
		}
		scan->mz_least = scan->points == 0 ? mz : fmin(scan->mz_least, mz);
		scan->mz_most = scan->points == 0 ? mz : fmax(scan->mz_most, mz);
		sum += intensity;
	}
	scan->at = 0;
	scan->total = find_number(scan->frame, "total_ion_current");
	if (!isfinite(scan->total))
		scan->total = isfinite(sum) ? sum : 0;
	if (!isfinite(scan->window_first) || !isfinite(scan->window_last)) {
		scan->window_first = scan->mz_least;
		scan->window_last = scan->mz_most;
	}
}

static bool read_scan(
	const struct export *e, const struct export_item *item, struct mass_scan *scan)
{
	const struct mass_run *mass = e->own;
	*scan = (struct mass_scan){.frame = &item->frame,
		.window_first = mass->window_first,
		.window_last = mass->window_last,
		.is_negative = mass->is_negative};
	if (!item->is_frame || !find_views(&item->frame, scan))
		return false;
	scan->time = time_of(e, &item->frame);
	read_settings(item->frame.record.settings, &scan->window_first, &scan->window_last,
		&scan->is_negative, &scan->is_profile);
	measure(scan);
	return true;
}

/* All intensities of a file are of one quantity and unit: of those of the first scan. */
static bool is_same_quantity(const struct mass_run *mass, const struct mass_scan *scan)
{
	return assay_string_is(scan->intensity.name, mass->name) &&
	       assay_string_is(scan->intensity.unit, mass->unit);
}

bool mass_read(const struct export *e, const struct export_item *item, struct mass_scan *scan)
{
	return e->own != NULL && read_scan(e, item, scan) && is_same_quantity(e->own, scan);
}

/* --- the survey ------------------------------------------------------------------------------- */

static const char not_finite[] = "points left out that are not finite numbers";

static int add_scan(struct export *e, struct mass_run *mass, const struct mass_scan *scan)
{
	size_t points = scan->mz.count < scan->intensity.count ? scan->mz.count
							       : scan->intensity.count;
	struct mass_row row = {.n = scan->frame->record.n,
		.points = scan->points,
		.time = scan->time,
		.total = scan->total,
		.mz_least = scan->mz_least,
		.mz_most = scan->mz_most};
	if (mass->count == 0) {
		text_copy(mass->name, sizeof mass->name, scan->intensity.name);
		text_copy(mass->unit, sizeof mass->unit, scan->intensity.unit);
	}
	if (!is_same_quantity(mass, scan)) {
		export_note(e, "scans in another unit than the first one left out", 1);
		return 0;
	}
	if (scan->points < points)
		export_note(e, not_finite, points - scan->points);
	buffer_append(&mass->rows, &row, sizeof row);
	mass->count++;
	mass->points += scan->points;
	mass->profiles += scan->is_profile;
	return mass->rows.failed ? -ENOMEM : 0;
}

static int take_frame(struct export *e, struct mass_run *mass, const struct export_item *item)
{
	struct mass_scan scan;
	size_t found = 0;
	uint64_t dropped = mass->traces.dropped;
	if (read_scan(e, item, &scan))
		return add_scan(e, mass, &scan);
	int r = item->frame.kind == ASSAY_KIND_CHROMATOGRAM
			? traces_take(&mass->traces, &item->frame, &found)
			: 0;
	if (mass->traces.dropped > dropped)
		export_note(e, not_finite, mass->traces.dropped - dropped);
	if (found == 0)
		export_note(e, "frames of another kind left out; --format json has them", 1);
	return r;
}

int mass_take(struct export *e, const struct export_item *item)
{
	const struct assay_record_view *record = &item->frame.record;
	struct mass_run *mass = e->own;
	if (mass == NULL) {
		mass = e->own = calloc(1, sizeof *mass);
		if (mass == NULL)
			return -ENOMEM;
		mass->window_first = mass->window_last = NAN;
	}
	if (item->is_frame)
		return take_frame(e, mass, item);
	if (record->type == ASSAY_RECORD_RUN_START) {
		mass->mono = record->t.mono;
		read_settings(record->settings, &mass->window_first, &mass->window_last,
			&mass->is_negative, &(bool){false});
	}
	return 0;
}

void mass_forget(struct export *e)
{
	struct mass_run *mass = e->own;
	buffer_finish(&mass->rows);
	traces_finish(&mass->traces);
	free(mass);
}
