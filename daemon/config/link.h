/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `link:` of an instrument: which port, and how.  One table per type of link; what the driver's
 * family says of its links lies beneath what is written.
 */
#ifndef ASSAY_CONFIG_LINK_H
#define ASSAY_CONFIG_LINK_H

#include "config/fields.h"

/* The type `playback`, beside those of enum assay_link: a recording in place of any of them. */
#define LINK_PLAYBACK (1u << 30)

/* A type of link, its table over struct link_section, and what it is called in messages. */
struct link_type {
	unsigned link; /* enum assay_link */
	const char *name, *what;
	const struct field *fields;
};

/* i = 0, 1 ... until NULL. */
const struct link_type *link_type_at(size_t i);
const struct link_type *link_type_of(unsigned link);

/* Has the driver links of this type? */
bool link_type_fits(const struct catalog_driver *driver, const struct link_type *type);

/*
 * Reads `node` (NULL: not said, at `where`) for an instrument of that driver into `port` and
 * `unit_id`.  `profile` is what a profile says of links, or NULL: those of its keys that the type
 * has lie beneath.  False after an error.
 */
bool link_read(struct load *load, const struct node *node, struct config_mark where,
	const struct node *profile, const struct catalog_driver *driver, struct port *port,
	unsigned *unit_id);

#endif
