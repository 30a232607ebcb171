/* SPDX-License-Identifier: Apache-2.0 */
/* `driver:` of an instrument or a method. */
#ifndef ASSAY_CONFIG_DRIVER_H
#define ASSAY_CONFIG_DRIVER_H

#include "config/reading.h"

/*
 * The driver of the catalog that `node` names, borrowed; NULL after an error, or if `node` is NULL,
 * which its section has reported as missing.
 */
const struct catalog_driver *driver_read(struct load *load, const struct node *node);

#endif
