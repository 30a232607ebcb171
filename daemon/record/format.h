/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The format assay/1 as tables for schema.h: the CDDL, key by key.  Where a table and the CDDL
 * differ, the CDDL is right.
 */
#ifndef ASSAY_RECORD_FORMAT_H
#define ASSAY_RECORD_FORMAT_H

#include <assay/record.h>

#include "record/schema.h"

/* The variables of a frame in a strict walk: schema_walk.context. */
struct format_vars {
	size_t count;
	struct assay_var_view var[ASSAY_VARS_MAX];
};

/* Kept in struct assay_record_view; a frame in struct assay_frame_view.  Without "type". */
extern const struct schema_map *const format_records[ASSAY_RECORD_SEAL + 1];

/* Number of the first key of the worker's part of a frame. */
extern const size_t format_frame_part;

/* Kept in struct assay_var_view. */
extern const struct schema_map format_variable;

/*
 * Reads a record of any type with its map's head.  `into` gets record.type and the values that the
 * tables keep; it is a frame view for every type.  0, -EBADMSG, or -EOPNOTSUPP for an unknown type
 * or version.
 */
int format_read_record(struct schema_walk *walk, struct assay_frame_view *into);

#endif
