/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `link:` of an instrument: which port, and how it is used.  The keys come from the table of
 * wire/port.h; the driver's and the profile's values are defaults below those of the file.
 */
#ifndef ASSAY_CONFIG_LINK_H
#define ASSAY_CONFIG_LINK_H

#include "config/fields.h"

#define LINK_FIELDS_MAX 16

/* The keys of one kind of link; the first is `type`, which is left to its reader. */
void link_fields(const struct port_kind *kind, struct field fields[LINK_FIELDS_MAX]);

/* The keys of a profile's `link` (NULL: none): each belongs to a kind of link. */
void link_check_profile(struct load *load, const struct node *profile);

/*
 * Reads `node` (NULL: left out, at `where`) for an instrument of that driver into `port` and
 * `unit_id`.  `profile` is the link of its profile, or NULL: the keys there that this kind has are
 * defaults.  False after an error.
 */
bool link_read(struct load *load, const struct node *node, struct config_mark where,
	const struct node *profile, const struct catalog_driver *driver, struct port *port,
	unsigned *unit_id);

#endif
