/* SPDX-License-Identifier: Apache-2.0 */
/* The part of the JSON Schema that comes from the tables of sections. */
#ifndef ASSAY_CONFIG_SCHEMA_FIELD_H
#define ASSAY_CONFIG_SCHEMA_FIELD_H

#include "config/fields.h"
#include "config/jsonout.h"

/* Opens a map that has no keys but those whose schemas follow; close it with two '}'. */
void schema_open_map(struct json *j);

/* A key and the schema of its field, which is not a FIELD_NODE. */
void schema_write_field(struct json *j, const struct field *field);

/*
 * The keywords of a map with these keys, in an object that is open.  `nodes` writes what a
 * FIELD_NODE without a schema of its own may be, or returns false where anything goes; it may be
 * NULL.
 */
typedef bool schema_node(void *ctx, const char *name);
void schema_write_fields(struct json *j, const struct field *fields, schema_node *nodes, void *ctx);

#endif
