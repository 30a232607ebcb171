/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include <assay/client.h>

#include "record/text.h"
#include "table.h"

/* The dimensions of the result itself: those of the first data variable that has the most. */
static void choose_dims(struct table *t)
{
	const struct assay_var_view *best = NULL;
	for (size_t i = 0; i < t->columns_count; i++) {
		const struct assay_var_view *var = &t->columns[i].var;
		if (var->role == ASSAY_ROLE_DATA &&
			(best == NULL || var->dims_count > best->dims_count))
			best = var;
	}
	t->dims_count = best != NULL ? best->dims_count : 0;
	for (size_t i = 0; i < t->dims_count; i++)
		t->dims[i] = best->dims[i];
}

static size_t length_of(
	const struct assay_frame_view *frame, const struct assay_var_view *var, size_t dim)
{
	struct assay_var_view axis;
	if (var->form == ASSAY_FORM_ND)
		return var->shape[dim];
	if (var->dims_count == 1)
		return var->count;
	return assay_client_axis(frame, var, dim, &axis) == 0 ? axis.count : 0;
}

static size_t dim_of(const struct table *t, struct assay_string name)
{
	size_t i = 0;
	while (i < t->dims_count && !string_same(t->dims[i], name))
		i++;
	return i;
}

/* Sets the column's stride: the step in the variable's elements for each dimension of the table. */
static void place_column(
	const struct table *t, const struct assay_frame_view *frame, struct table_column *c)
{
	size_t step = 1;
	c->is_shown = true;
	for (size_t i = c->var.dims_count; i > 0; i--) {
		size_t dim = dim_of(t, c->var.dims[i - 1]);
		size_t length = length_of(frame, &c->var, i - 1);
		if (dim == t->dims_count || length != t->lengths[dim]) {
			c->is_shown = false;
			return;
		}
		c->stride[dim] = step;
		step *= length;
	}
	c->is_shown = step == c->var.count || c->var.dims_count == 0;
}

void table_read(struct table *t, const struct assay_frame_view *of)
{
	struct assay_frame_view copy = *of, *frame = &copy;
	memset(t, 0, sizeof *t);
	assay_frame_rewind(frame);
	while (t->columns_count < ASSAY_VARS_MAX &&
		assay_frame_next(frame, &t->columns[t->columns_count].var) == 1)
		t->columns_count++;
	choose_dims(t);
	t->rows = 1;
	for (size_t i = 0; i < t->columns_count; i++) {
		const struct assay_var_view *var = &t->columns[i].var;
		for (size_t d = 0; d < var->dims_count; d++) {
			size_t dim = dim_of(t, var->dims[d]);
			if (dim < t->dims_count && t->lengths[dim] == 0)
				t->lengths[dim] = length_of(frame, var, d);
		}
	}
	for (size_t i = 0; i < t->dims_count; i++)
		t->rows *= t->lengths[i];
	for (size_t i = 0; i < t->columns_count; i++)
		place_column(t, frame, &t->columns[i]);
}

size_t table_at(const struct table *t, const struct table_column *c, size_t row)
{
	size_t at = 0;
	for (size_t i = t->dims_count; i > 0; i--) {
		at += row % t->lengths[i - 1] * c->stride[i - 1];
		row /= t->lengths[i - 1];
	}
	return at;
}
