/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A frame as a table: one row per point of the axes of its result, or one row if it has none, and a
 * column per variable.  A variable with other dimensions has no column.
 */
#ifndef ASSAY_EXPORT_TABLE_H
#define ASSAY_EXPORT_TABLE_H

#include <assay/record.h>

struct table_column {
	struct assay_var_view var;
	size_t stride[ASSAY_DIMS_MAX]; /* by dimension of the table */
	bool is_shown;
};

struct table {
	struct table_column columns[ASSAY_VARS_MAX];
	size_t columns_count;
	struct assay_string dims[ASSAY_DIMS_MAX];
	size_t lengths[ASSAY_DIMS_MAX];
	size_t dims_count, rows;
};

/* Borrows from the frame's bytes. */
void table_read(struct table *t, const struct assay_frame_view *frame);

/* The variable's element that stands in this row. */
size_t table_at(const struct table *t, const struct table_column *c, size_t row);

#endif
