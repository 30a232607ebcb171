/* SPDX-License-Identifier: Apache-2.0 */
/* One entry of `instruments:`. */
#ifndef ASSAY_CONFIG_INSTRUMENT_H
#define ASSAY_CONFIG_INSTRUMENT_H

#include "config/profile.h"

/* Reads `node`, whose key is the instrument's name, into `out`. */
void instrument_read(struct load *load, const struct node *node, struct config_instrument *out);

/*
 * Checks a profile that no instrument names, by the rules of one: its `driver` is required, and what
 * instruments add may be missing.
 */
void instrument_check_profile(struct load *load, const struct profile *profile);

extern const struct field instrument_fields[];

#endif
