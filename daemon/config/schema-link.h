/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the JSON Schema that says how a driver's instruments are connected. */
#ifndef ASSAY_CONFIG_SCHEMA_LINK_H
#define ASSAY_CONFIG_SCHEMA_LINK_H

#include "config/catalog.h"
#include "config/jsonout.h"

/* Whatever may be said of the link, by type; a profile may say the rest. */
void schema_write_link(struct json *j, const struct catalog_driver *driver);

/* That all is said which the driver does not preset; for an instrument without a profile. */
void schema_write_whole_link(struct json *j, const struct catalog_driver *driver);

/* Whether an instrument may have no link at all. */
bool schema_link_goes_unsaid(const struct catalog_driver *driver);

#endif
