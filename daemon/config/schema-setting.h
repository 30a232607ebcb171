/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the JSON Schema that comes from drivers' settings tables. */
#ifndef ASSAY_CONFIG_SCHEMA_SETTING_H
#define ASSAY_CONFIG_SCHEMA_SETTING_H

#include <assay/driver.h>

#include "config/jsonout.h"

/* A text may look like a number or a truth value to a reader of YAML. */
#define SCHEMA_TEXT_TYPES "[\"string\",\"number\",\"boolean\"]"

/* Keywords of a text that is a quantity in `unit`, in an object that is open. */
void schema_write_quantity(struct json *j, const char *unit);

/* An object with the settings that do not belong to the calibration. */
void schema_write_settings(struct json *j, const struct assay_setting *table, bool with_required);

/* An object that asks for the settings that must be there. */
void schema_write_required(struct json *j, const struct assay_setting *table);
bool schema_has_required(const struct assay_setting *table);

/* Properties for the settings of the calibration, joined and nested, in an object that is open. */
void schema_write_calibration(struct json *j, const struct assay_setting *table);

/* An object of declared facts. */
void schema_write_setup(struct json *j);

#endif
