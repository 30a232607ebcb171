/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <assay/client.h>

#include "comply-spread.h"
#include "print.h"

static struct spread_row *find_row(struct spread *spread, const char *name, bool *is_new)
{
	size_t i = 0;
	while (i < spread->count && strcmp(spread->rows[i].name, name) != 0)
		i++;
	*is_new = i == spread->count;
	if (i == SPREAD_MAX)
		return NULL;
	if (*is_new) {
		spread->rows[i] = (struct spread_row){0};
		snprintf(spread->rows[i].name, sizeof spread->rows[i].name, "%s", name);
		spread->count++;
	}
	return &spread->rows[i];
}

static void add_value(struct spread *spread, const char *name, const char *suffix,
	struct assay_string unit, double value)
{
	char whole[160];
	bool is_new;
	snprintf(whole, sizeof whole, "%s%s", name, suffix);
	struct spread_row *row = find_row(spread, whole, &is_new);
	spread->is_other |= is_new && spread->frames > 1;
	if (row == NULL || !isfinite(value)) {
		spread->left_out++;
		return;
	}
	if (is_new)
		print_safe(row->unit, sizeof row->unit, unit);
	row->min = row->n == 0 || value < row->min ? value : row->min;
	row->max = row->n == 0 || value > row->max ? value : row->max;
	row->is_place = strcmp(suffix, ": maximum at") == 0;
	row->n++;
	double from_mean = value - row->mean;
	row->mean += from_mean / (double)row->n;
	row->m2 += from_mean * (value - row->mean);
}

static void add_array(struct spread *spread, const struct assay_frame_view *frame,
	const struct assay_var_view *var, const char *name)
{
	struct assay_var_view axis;
	double sum = 0;
	size_t top = 0;
	for (size_t i = 0; i < var->count; i++) {
		double value = assay_var_number(var, i);
		sum += value;
		if (value > assay_var_number(var, top))
			top = i;
	}
	add_value(spread, name, ": sum", var->unit, sum);
	if (var->dims_count == 1 && assay_client_axis(frame, var, 0, &axis) == 0 &&
		axis.form != ASSAY_FORM_TEXTS && top < axis.count)
		add_value(spread, name, ": maximum at", axis.unit, assay_var_number(&axis, top));
}

void spread_add(struct spread *spread, const struct assay_frame_view *frame)
{
	struct assay_frame_view at = *frame;
	struct assay_var_view var;
	size_t before = spread->count;
	uint64_t seen = 0;
	spread->frames++;
	assay_frame_rewind(&at);
	while (assay_frame_next(&at, &var) > 0) {
		const struct assay_string parts[] = {var.name, var.analyte, var.basis, var.channel};
		char name[140] = "";
		if (var.role != ASSAY_ROLE_DATA || var.form == ASSAY_FORM_TEXT ||
			var.form == ASSAY_FORM_TEXTS || var.count == 0)
			continue;
		for (size_t i = 0, len = 0; i < sizeof parts / sizeof *parts; i++) {
			char part[64];
			print_safe(part, sizeof part, parts[i]);
			if (part[0] != '\0' && len < sizeof name)
				len += (size_t)snprintf(name + len, sizeof name - len, "%s%s",
					len > 0 ? " " : "", part);
		}
		seen++;
		if (var.dims_count == 0)
			add_value(spread, name, "", var.unit, assay_var_number(&var, 0));
		else
			add_array(spread, frame, &var, name);
	}
	/* The first frame has them all. */
	for (size_t i = 0; i < before && seen > 0; i++)
		spread->is_other |= spread->rows[i].n < spread->frames && spread->left_out == 0;
}

double spread_deviation(const struct spread_row *row)
{
	return row->n > 1 ? sqrt(row->m2 / (double)(row->n - 1)) : 0;
}

double spread_relative(const struct spread_row *row)
{
	return row->mean != 0 ? 100 * spread_deviation(row) / fabs(row->mean) : 0;
}
