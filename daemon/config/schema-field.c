/* SPDX-License-Identifier: Apache-2.0 */
#include "config/schema-field.h"
#include "config/schema-setting.h"

void schema_open_map(struct json *j)
{
	json_open(j, '{');
	json_pair(j, "type", "object");
	json_key(j, "additionalProperties");
	json_bool(j, false);
	json_key(j, "properties");
	json_open(j, '{');
}

static void write_choices(struct json *j, const char *const *choices)
{
	json_key(j, "enum");
	json_open(j, '[');
	for (; *choices != NULL; choices++)
		json_text(j, *choices);
	json_close(j, ']');
}

static void write_range(struct json *j, const struct field *f)
{
	json_pair(j, "type", "integer");
	if (f->min == 0 && f->max == 0)
		return;
	json_key(j, "minimum");
	json_number(j, f->min);
	json_key(j, "maximum");
	json_number(j, f->max);
}

static void write_pattern(struct json *j, const char *types, const char *pattern)
{
	json_key(j, "type");
	json_literal(j, types);
	json_pair(j, "pattern", pattern);
}

static void write_flags(struct json *j, const struct field *f)
{
	json_pair(j, "type", "array");
	json_key(j, "items");
	json_open(j, '{');
	write_choices(j, f->choices);
	json_close(j, '}');
}

static void write_keywords(struct json *j, const struct field *f)
{
	switch (f->type) {
	case FIELD_TEXT:
	case FIELD_HOST:
	case FIELD_USB_SOCKET:
		json_key(j, "type");
		json_literal(j, SCHEMA_TEXT_TYPES);
		break;
	case FIELD_TOKEN: write_pattern(j, "[\"string\",\"integer\"]", "^[a-z0-9-]{1,32}$"); break;
	case FIELD_PATH: write_pattern(j, "\"string\"", "^/"); break;
	case FIELD_BOOL: json_pair(j, "type", "boolean"); break;
	case FIELD_UINT:
	case FIELD_COUNT: write_range(j, f); break;
	case FIELD_DURATION:
	case FIELD_MS: schema_write_quantity(j, "s"); break;
	case FIELD_SIZE: schema_write_quantity(j, "By"); break;
	case FIELD_DATE: write_pattern(j, "\"string\"", "^[0-9]{4}-[0-9]{2}-[0-9]{2}"); break;
	case FIELD_CHOICE: write_choices(j, f->choices); break;
	case FIELD_FLAGS: write_flags(j, f); break;
	case FIELD_SECTION: schema_write_fields(j, f->fields, NULL, NULL); break;
	case FIELD_NODE: break;
	}
}

void schema_write_field(struct json *j, const struct field *f)
{
	json_key(j, f->name);
	json_open(j, '{');
	json_pair(j, "description", f->help);
	write_keywords(j, f);
	json_close(j, '}');
}

/* In an allOf beside its description, since $ref allows no neighbour. */
static void write_node(struct json *j, const struct field *f, schema_node *nodes, void *ctx)
{
	json_key(j, f->name);
	json_open(j, '{');
	json_pair(j, "description", f->help);
	json_key(j, "allOf");
	json_open(j, '[');
	if (f->json != NULL)
		json_literal(j, f->json);
	else if (nodes == NULL || !nodes(ctx, f->name))
		json_literal(j, "true");
	json_close(j, ']');
	json_close(j, '}');
}

void schema_write_fields(struct json *j, const struct field *fields, schema_node *nodes, void *ctx)
{
	json_pair(j, "type", "object");
	json_key(j, "additionalProperties");
	json_bool(j, false);
	json_key(j, "properties");
	json_open(j, '{');
	for (const struct field *f = fields; f->name != NULL; f++) {
		if (f->type == FIELD_NODE)
			write_node(j, f, nodes, ctx);
		else
			schema_write_field(j, f);
	}
	json_close(j, '}');
	json_key(j, "required");
	json_open(j, '[');
	for (const struct field *f = fields; f->name != NULL; f++)
		if ((f->flags & FIELD_REQUIRED) != 0)
			json_text(j, f->name);
	json_close(j, ']');
}
