/* SPDX-License-Identifier: Apache-2.0 */
/* One entry of `methods:`: named, versioned settings, in one step or several. */
#ifndef ASSAY_CONFIG_METHOD_H
#define ASSAY_CONFIG_METHOD_H

#include "config/fields.h"

/* Reads `node`, whose key is the method's id, into `out`. */
void method_read(struct load *load, const struct node *node, struct config_method *out);

extern const struct field method_fields[], method_step_fields[];

#endif
