/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The effective configuration as CBOR: configurations of equal meaning have equal bytes, in any
 * order of keys, spelling of units, and division into files.  Instruments and methods are sorted
 * by name, defaults are filled in, times are ns, sizes bytes.
 */
#ifndef ASSAY_CONFIG_CANONICAL_H
#define ASSAY_CONFIG_CANONICAL_H

#include "config/reading.h"

/*
 * Fill `canonical`, of methods and the configuration also `sha256`.  The configuration is last: it
 * holds its instruments whole and its methods by their hashes, which keeps an audit record within
 * the depth that a record may have.
 */
void canonical_instrument(struct load *load, struct config_instrument *instrument);
void canonical_method(struct load *load, struct config_method *method);
void canonical_config(struct load *load);

#endif
