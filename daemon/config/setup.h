/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `setup:` the facts that people declare about an instrument or a run: column, accessory, filter.
 * Names of config/names.csv have the unit given there; other names are free, by the same pattern.
 */
#ifndef ASSAY_CONFIG_SETUP_H
#define ASSAY_CONFIG_SETUP_H

#include "config/reading.h"

/* Checks `map` (NULL: none) and encodes it, sorted by name.  False after an error. */
bool setup_read(struct load *load, const struct node *map, struct assay_span *out);

#endif
