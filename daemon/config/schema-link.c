/* SPDX-License-Identifier: Apache-2.0 */
#include "config/link.h"
#include "config/schema-field.h"
#include "config/schema-link.h"

static bool is_preset(
	const struct catalog_driver *driver, const struct link_type *type, const char *name)
{
	const struct assay_link_defaults *d = driver->link_defaults;
	while (d != NULL && d->link != 0 && d->link != type->link)
		d++;
	if (d == NULL || d->link == 0 || d->defaults == NULL)
		return false;
	struct arena arena = {0};
	struct config_errors errors = {0};
	const struct node *map = yaml_parse_value(d->defaults, true, "", &arena, &errors);
	bool found = node_get(map, name) != NULL;
	config_errors_finish(&errors);
	arena_finish(&arena);
	return found;
}

static bool must_be_said(
	const struct catalog_driver *driver, const struct link_type *type, const struct field *f)
{
	return (f->flags & FIELD_REQUIRED) != 0 && !is_preset(driver, type, f->name);
}

/* Is the name of the type enough? */
static bool is_shorthand(const struct catalog_driver *driver, const struct link_type *type)
{
	for (const struct field *f = type->fields; f->name != NULL; f++)
		if (must_be_said(driver, type, f))
			return false;
	return true;
}

static void write_type(struct json *j, const char *name)
{
	json_key(j, "type");
	json_single(j, "const", name);
}

static void write_keys(struct json *j, const struct link_type *type, bool is_only)
{
	schema_open_map(j);
	for (const struct field *f = type->fields; f->name != NULL; f++) {
		if (f->type == FIELD_NODE)
			write_type(j, type->name);
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
	const struct link_type *type;
	bool is_only = link_type_of(driver->links) != NULL;
	json_open(j, '{');
	json_key(j, "anyOf");
	json_open(j, '[');
	json_literal(j, "false");
	for (size_t i = 0; (type = link_type_at(i)) != NULL; i++) {
		if (!link_type_fits(driver, type))
			continue;
		json_single(j, "const", type->name);
		write_keys(j, type, is_only);
	}
	json_close(j, ']');
	json_close(j, '}');
}

static void write_complete(
	struct json *j, const struct catalog_driver *driver, const struct link_type *type)
{
	json_open(j, '{');
	json_pair(j, "type", "object");
	json_key(j, "properties");
	json_open(j, '{');
	write_type(j, type->name);
	json_close(j, '}');
	json_key(j, "required");
	json_open(j, '[');
	for (const struct field *f = type->fields; f->name != NULL; f++)
		if (must_be_said(driver, type, f))
			json_text(j, f->name);
	json_close(j, ']');
	json_close(j, '}');
}

void schema_write_whole_link(struct json *j, const struct catalog_driver *driver)
{
	const struct link_type *type;
	json_open(j, '{');
	json_key(j, "anyOf");
	json_open(j, '[');
	json_literal(j, "false");
	for (size_t i = 0; (type = link_type_at(i)) != NULL; i++) {
		if (!link_type_fits(driver, type))
			continue;
		write_complete(j, driver, type);
		if (is_shorthand(driver, type))
			json_single(j, "const", type->name);
	}
	json_close(j, ']');
	json_close(j, '}');
}

bool schema_link_goes_unsaid(const struct catalog_driver *driver)
{
	const struct link_type *only = link_type_of(driver->links);
	return only != NULL && is_shorthand(driver, only);
}
