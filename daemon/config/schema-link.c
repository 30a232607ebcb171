/* SPDX-License-Identifier: Apache-2.0 */
#include "config/link.h"
#include "config/schema-field.h"
#include "config/schema-link.h"

static bool is_preset(
	const struct catalog_driver *driver, const struct port_kind *kind, const char *name)
{
	const char *defaults = catalog_link_defaults(driver, kind->link);
	if (defaults == NULL)
		return false;
	struct arena arena = {0};
	struct config_errors errors = {0};
	const struct node *map = yaml_parse_value(defaults, true, "", &arena, &errors);
	bool found = node_get(map, name) != NULL;
	config_errors_finish(&errors);
	arena_finish(&arena);
	return found;
}

static bool must_be_said(
	const struct catalog_driver *driver, const struct port_kind *kind, const struct field *f)
{
	return (f->flags & FIELD_REQUIRED) != 0 && !is_preset(driver, kind, f->name);
}

/* Is the name of the type enough? */
static bool is_shorthand(const struct catalog_driver *driver, const struct port_kind *kind)
{
	struct field fields[LINK_FIELDS_MAX];
	link_fields(kind, fields);
	for (const struct field *f = fields; f->name != NULL; f++)
		if (must_be_said(driver, kind, f))
			return false;
	return true;
}

static void write_type(struct json *j, const char *name)
{
	json_key(j, "type");
	json_single(j, "const", name);
}

static void write_keys(struct json *j, const struct port_kind *kind, bool is_only)
{
	struct field fields[LINK_FIELDS_MAX];
	link_fields(kind, fields);
	schema_open_map(j);
	for (const struct field *f = fields; f->name != NULL; f++) {
		if (f->type == FIELD_NODE)
			write_type(j, kind->name);
		else
			schema_write_field(j, f);
	}
	json_close(j, '}');
	json_key(j, "required");
	json_literal(j, is_only ? "[]" : "[\"type\"]");
	json_close(j, '}');
}

void schema_write_link(struct json *j, const struct catalog_driver *driver)
{
	const struct port_kind *kind;
	bool is_only = port_kind_of(driver->links) != NULL;
	json_open(j, '{');
	json_key(j, "anyOf");
	json_open(j, '[');
	json_literal(j, "false");
	for (size_t i = 0; (kind = port_kind_at(i)) != NULL; i++) {
		if (!port_kind_fits(kind, driver->links))
			continue;
		json_single(j, "const", kind->name);
		write_keys(j, kind, is_only);
	}
	json_close(j, ']');
	json_close(j, '}');
}

static void write_complete(
	struct json *j, const struct catalog_driver *driver, const struct port_kind *kind)
{
	struct field fields[LINK_FIELDS_MAX];
	link_fields(kind, fields);
	json_open(j, '{');
	json_pair(j, "type", "object");
	json_key(j, "properties");
	json_open(j, '{');
	write_type(j, kind->name);
	json_close(j, '}');
	json_key(j, "required");
	json_open(j, '[');
	for (const struct field *f = fields; f->name != NULL; f++)
		if (must_be_said(driver, kind, f))
			json_text(j, f->name);
	json_close(j, ']');
	json_close(j, '}');
}

void schema_write_whole_link(struct json *j, const struct catalog_driver *driver)
{
	const struct port_kind *kind;
	json_open(j, '{');
	json_key(j, "anyOf");
	json_open(j, '[');
	json_literal(j, "false");
	for (size_t i = 0; (kind = port_kind_at(i)) != NULL; i++) {
		if (!port_kind_fits(kind, driver->links))
			continue;
		write_complete(j, driver, kind);
		if (is_shorthand(driver, kind))
			json_single(j, "const", kind->name);
	}
	json_close(j, ']');
	json_close(j, '}');
}

bool schema_link_goes_unsaid(const struct catalog_driver *driver)
{
	const struct port_kind *only = port_kind_of(driver->links);
	return only != NULL && is_shorthand(driver, only);
}
