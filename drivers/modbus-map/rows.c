/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include <string.h>

static void read_uncertainty(const struct assay_settings *row, struct assay_variable *v)
{
	if (!assay_has(row, "unc"))
		return;
	const char *kind = assay_text(row, "unc_kind"), *src = assay_text(row, "unc_src");
	v->unc.value = assay_number(row, "unc");
	v->unc.k = assay_number(row, "unc_k");
	v->unc.kind = kind != NULL ? kind : "standard";
	v->unc.src = src != NULL ? src : "method";
}

/* Applies the rows of `adjust` with the variable's name and analyte. */
static void adjust(const struct assay_settings *settings, struct assay_variable *v)
{
	for (size_t i = 0, n = assay_count(settings, "adjust"); i < n; i++) {
		const struct assay_settings *row = assay_row(settings, "adjust", i);
		if (strcmp(assay_text(row, "name"), v->name) != 0 ||
			!row_is_same_substance(assay_text(row, "analyte"), NULL, v->analyte, NULL))
			continue;
		const char *unit = assay_text(row, "unit"), *basis = assay_text(row, "basis");
		const char *label = assay_text(row, "label");
		v->unit = unit != NULL ? unit : v->unit;
		v->basis = basis != NULL ? basis : v->basis;
		v->label = label != NULL ? label : v->label;
		read_uncertainty(row, v);
	}
}

static void read_point(const struct assay_settings *settings, const struct row_common *common,
	const struct assay_settings *row, struct rows_point *point)
{
	bool has_scale = assay_has(row, "scale");
	enum assay_role role = ASSAY_DATA;
	switch (assay_text(row, "role")[0]) {
	case 'a': role = ASSAY_AUX; break;
	case 'u': role = ASSAY_UNCERTAINTY; break;
	case 'f': role = ASSAY_FLAGS; break;
	}
	row_place_read(row, common, &point->place);
	scaling_make(has_scale ? assay_number(row, "scale") : 1, assay_number(row, "offset"),
		&point->scaling);
	row_limits_read(row, &point->limits);
	point->v = (struct assay_variable){
		.name = point->place.name,
		.role = role,
		.unit = assay_text(row, "unit"),
		.analyte = point->place.analyte,
		.cas = assay_text(row, "cas"),
		.basis = point->place.basis,
		.label = point->place.label,
	};
	read_uncertainty(row, &point->v);
	adjust(settings, &point->v);
}

static void read_points(
	const struct assay_settings *settings, const struct row_common *common, struct rows *rows)
{
	for (size_t i = 0, n = assay_count(settings, "points"); i < n; i++) {
		const struct assay_settings *row = assay_row(settings, "points", i);
		struct rows_point *point = &rows->points[rows->point_count];
		if (rows->point_count == PLAN_ITEMS_MAX)
			break;
		if (!row_is_wanted(settings, common, row, &point->option))
			continue;
		point->number = i + 1;
		read_point(settings, common, row, point);
		rows->point_count++;
	}
}

static void read_statuses(
	const struct assay_settings *settings, const struct row_common *common, struct rows *rows)
{
	for (size_t i = 0, n = assay_count(settings, "status"); i < n; i++) {
		const struct assay_settings *row = assay_row(settings, "status", i);
		struct rows_status *status = &rows->statuses[rows->status_count];
		if (rows->status_count == PLAN_ITEMS_MAX)
			break;
		if (!row_is_wanted(settings, common, row, &status->option))
			continue;
		row_place_read(row, common, &status->place);
		row_condition_read(row, &status->condition);
		rows->status_count++;
	}
}

void rows_prepare(const struct assay_settings *settings, void *prepared)
{
	struct row_common common;
	row_common_read(settings, &common);
	read_points(settings, &common, prepared);
	read_statuses(settings, &common, prepared);
}
