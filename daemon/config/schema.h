/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration as a JSON Schema (draft 7), for editors: made from the same tables that the
 * loader reads by, so it knows every driver's settings, units and choices.  It is for one file,
 * the main one or one in instruments.d or methods.d, and says less than the loader: what spans
 * files or profiles is not in it.
 */
#ifndef ASSAY_CONFIG_SCHEMA_H
#define ASSAY_CONFIG_SCHEMA_H

#include "base/buffer.h"
#include "config/catalog.h"

/* Appends one line of JSON.  0 or -ENOMEM. */
int config_schema_write(const struct catalog *catalog, struct buffer *to);

#endif
