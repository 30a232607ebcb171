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

static void read_part_numbers(const struct row_walk *walk, struct rows_point *point)
{
	for (int use = 0; use < PART_USES; use++) {
		const char *name = assay_text(walk->row, part_use_names[use]);
		int n = name == NULL
				? -1
				: part_find(walk->settings, walk->common, name, walk->place.copy);
		bool is_there = n >= 0 && n < PART_COUNT_MAX;
		point->parts[use] = is_there || name == NULL ? n : PART_COUNT_MAX;
	}
}

static void read_point(const struct row_walk *walk, struct rows_point *point)
{
	const struct assay_settings *row = walk->row;
	bool has_scale = assay_has(row, "scale");
	enum assay_role role = ASSAY_DATA;
	switch (assay_text(row, "role")[0]) {
	case 'a': role = ASSAY_AUX; break;
	case 'u': role = ASSAY_UNCERTAINTY; break;
	case 'f': role = ASSAY_FLAGS; break;
	}
	point->number = walk->index + 1;
	point->option = walk->option;
	point->place = walk->place;
	scaling_make(has_scale ? assay_number(row, "scale") : 1, assay_number(row, "offset"),
		&point->scaling);
	row_limits_read(row, &point->limits);
	read_part_numbers(walk, point);
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
	adjust(walk->settings, &point->v);
}

static struct row_walk walk_of(const struct assay_settings *settings,
	const struct row_common *common, enum row_table table)
{
	return (struct row_walk){.settings = settings, .common = common, .table = table};
}

void rows_prepare(const struct assay_settings *settings, void *prepared)
{
	struct rows *rows = prepared;
	struct row_common common;
	row_common_read(settings, &common);
	struct row_walk walk = walk_of(settings, &common, ROW_POINTS);
	while (rows->point_count < PLAN_ITEMS_MAX && row_next(&walk))
		read_point(&walk, &rows->points[rows->point_count++]);
	walk = walk_of(settings, &common, ROW_STATUS);
	while (rows->status_count < PLAN_ITEMS_MAX && row_next(&walk)) {
		struct rows_status *status = &rows->statuses[rows->status_count++];
		status->place = walk.place;
		status->option = walk.option;
		row_condition_read(walk.row, &status->condition);
	}
	walk = walk_of(settings, &common, ROW_PARTS);
	while (rows->part_count < PART_COUNT_MAX && row_next(&walk))
		part_read(&walk, &rows->parts[rows->part_count++]);
	components_read(settings, &rows->components);
}
