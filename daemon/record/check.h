/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks the format assay/1: its schema, and the rules that a schema cannot express (lengths agree
 * with axes, axes ascend or descend, units are on the whitelist).  The core checks each record
 * before it commits it; `assayctl lint` uses the same functions.  Nothing allocates.  Any thread.
 */
#ifndef ASSAY_RECORD_CHECK_H
#define ASSAY_RECORD_CHECK_H

#include <assay/record.h>

#include "record/schema.h"

/*
 * All return 0, or -EBADMSG with the place and the reason in `error`, which may be NULL:
 *
 *	vars[2].unit: "Da" where a UCUM code of the list was expected
 */

/* One record. */
int check_record(const void *data, size_t len, struct schema_error *error);

/* One entry with its record; their topic, type, simulation and instrument must agree. */
int check_entry(const void *data, size_t len, struct schema_error *error);

/*
 * The part of a frame that a worker encodes: `pairs` pairs of the frame's map, keys kind, step,
 * partial, vars, settings, raw and x-* in this order, without the map's head.  `techniques` are
 * bits of units.h; 0 takes the units of all.
 */
int check_frame_part(const void *data, size_t len, size_t pairs, unsigned techniques,
	struct schema_error *error);

#endif
