/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration as a JSON Schema (draft 7), for editors.  It is made from the tables that the
 * loader reads by, so it has every driver's settings, units and choices.  It is for one file, the
 * main one or one in instruments.d or methods.d, and accepts more than the loader: rules across
 * files and profiles are not in it.
 */
#ifndef ASSAY_ASSAYCTL_SCHEMA_H
#define ASSAY_ASSAYCTL_SCHEMA_H

#include <jansson.h>

#include "config/catalog.h"

/* Owned by the caller; NULL: no memory. */
json_t *schema_make(const struct catalog *catalog);

/* The same of a profile's file. */
json_t *schema_make_profile(const struct catalog *catalog);

#endif
