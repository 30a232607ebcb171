/* SPDX-License-Identifier: Apache-2.0 */
/* Time zones of the system's tzdata. */
#ifndef ASSAY_CONFIG_ZONE_H
#define ASSAY_CONFIG_ZONE_H

struct load;
struct node;

/* The name of a zone, as in "Europe/Berlin"; "" after an error.  Borrowed from the node. */
const char *zone_read(struct load *load, const struct node *node);

#endif
