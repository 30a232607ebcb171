/* SPDX-License-Identifier: Apache-2.0 */
/* One entry of `instruments:`. */
#ifndef ASSAY_CONFIG_INSTRUMENT_H
#define ASSAY_CONFIG_INSTRUMENT_H

#include "config/fields.h"

/* Reads `node`, whose key is the instrument's name, into `out`. */
void instrument_read(struct load *load, const struct node *node, struct config_instrument *out);

extern const struct field instrument_fields[];

#endif
