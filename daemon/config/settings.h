/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings by a driver's table: what a technician wrote becomes the CBOR map that a worker gets,
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
	const struct node *calibration; /* likewise, for those flagged ASSAY_CALIBRATION */
	struct config_mark where;       /* at which something is missing */
	struct config_mark *origins;    /* NULL, or to be filled, an item per setting */
	bool is_partial; /* a part that lies over others: no defaults, nothing required */
};

/* Checks and encodes into `out`, in the load's arena.  False after an error. */
bool settings_read(struct load *load, const struct settings_source *source, struct assay_span *out);

/* How many settings the driver has. */
size_t settings_count(const struct assay_setting *table);

/* Borrowed from the table; NULL when there is none of that name. */
const struct assay_setting *settings_find(const struct assay_setting *table, const char *name);

#endif
