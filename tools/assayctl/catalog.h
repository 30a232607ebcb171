/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ASSAY_ASSAYCTL_CATALOG_H
#define ASSAY_ASSAYCTL_CATALOG_H

#include "command.h"
#include "config/catalog.h"

/* The drivers, owned by the caller; NULL after a message on standard error. */
struct catalog *load_catalog(const struct options *options);

#endif
