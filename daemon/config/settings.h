/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings by a driver's table: the keys of a file become the CBOR map that a worker gets,
 *
 *	{ name => { "v": float, "u": unit } / text / bool / int / list }
 *
 * in the table's order, quantities in the table's units, defaults filled in.  A table is a list
 * of rows, a row the list [name, value, name, value ...].
 */
#ifndef ASSAY_CONFIG_SETTINGS_H
#define ASSAY_CONFIG_SETTINGS_H

#include "config/reading.h"

struct settings_source {
	const struct catalog_driver *driver;
	const struct node *settings;    /* a map by name, or NULL */
	const struct node *calibration; /* the same for those flagged ASSAY_CALIBRATION */
	struct config_mark where;       /* of an error about a missing setting */
	struct config_mark *origins;    /* filled with one item per setting; may be NULL */
	unsigned techniques;            /* bits of techniques.h whose units are legal; 0: any */
	bool is_partial;                /* laid over others: no defaults, nothing is required */
	bool is_profile;                /* of a profile alone: nothing is required */
};

/* Checks and encodes into `out`, in the load's arena.  False after an error. */
bool settings_read(struct load *load, const struct settings_source *source, struct assay_span *out);

/* Number of settings of a table. */
size_t settings_count(const struct assay_setting *table);

/* Borrowed from the table; NULL: there is none of that name. */
const struct assay_setting *settings_find(const struct assay_setting *table, const char *name);

#endif
