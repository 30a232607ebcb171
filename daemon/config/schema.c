/* SPDX-License-Identifier: Apache-2.0 */
#include <assay/driver.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/calibration.h"
#include "config/instrument.h"
#include "config/jsonout.h"
#include "config/link.h"
#include "config/method.h"
#include "config/schema.h"
#include "config/schema-setting.h"
#include "config/sections.h"
#include "record/techniques.h"

#define TOKEN_PATTERN "^[a-z0-9-]{1,32}$"
#define ID_PATTERN    "^[A-Za-z0-9._-]{1,64}$"

struct writing {
	struct json j;
	const struct catalog *catalog;
	const struct catalog_driver *driver; /* whose part is being written */
};

/* Writes what a FIELD_NODE may be; false where there is nothing to say. */
typedef bool node_writer(struct writing *w, const char *name);

/* --- fields
 * ---------------------------------------------------------------------------------------- */

static void write_ref(struct writing *w, const char *what, const char *driver)
{
	char ref[120];
	snprintf(ref, sizeof ref, "#/definitions/%s%s%s", what, driver != NULL ? "-" : "",
		driver != NULL ? driver : "");
	json_open(&w->j, '{');
	json_pair(&w->j, "$ref", ref);
	json_close(&w->j, '}');
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

static void write_fields(struct writing *w, const struct field *fields, node_writer *nodes);

/* The keywords of one field, in an object that is open. */
static void write_field(struct writing *w, const struct field *f, node_writer *nodes)
{
	struct json *j = &w->j;
	switch (f->type) {
	case FIELD_TEXT:
		json_key(j, "type");
		json_literal(j, SCHEMA_TEXT_TYPES);
		break;
	case FIELD_TOKEN:
		json_key(j, "type");
		json_literal(j, "[\"string\",\"integer\"]");
		json_pair(j, "pattern", TOKEN_PATTERN);
		break;
	case FIELD_PATH:
		json_pair(j, "type", "string");
		json_pair(j, "pattern", "^/");
		break;
	case FIELD_BOOL: json_pair(j, "type", "boolean"); break;
	case FIELD_UINT:
	case FIELD_COUNT: write_range(j, f); break;
	case FIELD_DURATION:
	case FIELD_MS: schema_write_quantity(j, "s"); break;
	case FIELD_SIZE: schema_write_quantity(j, "By"); break;
	case FIELD_DATE:
		json_pair(j, "type", "string");
		json_pair(j, "pattern", "^[0-9]{4}-[0-9]{2}-[0-9]{2}");
		break;
	case FIELD_CHOICE: write_choices(j, f->choices); break;
	case FIELD_FLAGS:
		json_pair(j, "type", "array");
		json_key(j, "items");
		json_open(j, '{');
		write_choices(j, f->choices);
		json_close(j, '}');
		break;
	case FIELD_SECTION: write_fields(w, f->fields, nodes); break;
	case FIELD_NODE: break;
	}
}

/* What is said of a node stands beside its description in an allOf, since $ref allows no neighbour.
 */
static void write_node(struct writing *w, const struct field *f, node_writer *nodes)
{
	struct json *j = &w->j;
	json_open(j, '{');
	json_pair(j, "description", f->help);
	json_key(j, "allOf");
	json_open(j, '[');
	if (f->json != NULL)
		json_literal(j, f->json);
	else if (nodes == NULL || !nodes(w, f->name))
		json_literal(j, "true");
	json_close(j, ']');
	json_close(j, '}');
}

/* The keywords of a map with these keys, in an object that is open. */
static void write_fields(struct writing *w, const struct field *fields, node_writer *nodes)
{
	struct json *j = &w->j;
	json_pair(j, "type", "object");
	json_key(j, "additionalProperties");
	json_bool(j, false);
	json_key(j, "properties");
	json_open(j, '{');
	for (const struct field *f = fields; f->name != NULL; f++) {
		json_key(j, f->name);
		if (f->type == FIELD_NODE) {
			write_node(w, f, nodes);
			continue;
		}
		json_open(j, '{');
		json_pair(j, "description", f->help);
		write_field(w, f, nodes);
		json_close(j, '}');
	}
	json_close(j, '}');
	json_key(j, "required");
	json_open(j, '[');
	for (const struct field *f = fields; f->name != NULL; f++)
		if ((f->flags & FIELD_REQUIRED) != 0)
			json_text(j, f->name);
	json_close(j, ']');
}

/* --- what knows the catalog
 * ---------------------------------------------------------------------------- */

static void write_driver_names(struct writing *w)
{
	json_open(&w->j, '{');
	json_key(&w->j, "enum");
	json_open(&w->j, '[');
	for (size_t i = 0; i < w->catalog->count; i++)
		json_text(&w->j, w->catalog->drivers[i].name);
	json_close(&w->j, ']');
	json_close(&w->j, '}');
}

static void write_techniques(struct writing *w)
{
	const struct technique *t;
	json_open(&w->j, '{');
	json_key(&w->j, "enum");
	json_open(&w->j, '[');
	for (size_t i = 0; (t = technique_at(i)) != NULL; i++)
		json_text(&w->j, t->token);
	json_close(&w->j, ']');
	json_close(&w->j, '}');
}

static bool write_instrument_node(struct writing *w, const char *name)
{
	if (strcmp(name, "driver") == 0)
		write_driver_names(w);
	else if (strcmp(name, "technique") == 0)
		write_techniques(w);
	else if (strcmp(name, "setup") == 0)
		write_ref(w, "setup", NULL);
	else
		return false; /* depends on the driver */
	return true;
}

static bool write_step_node(struct writing *w, const char *name)
{
	if (w->driver == NULL || strcmp(name, "settings") != 0)
		return false;
	write_ref(w, "settings", w->driver->name);
	return true;
}

static void write_steps(struct writing *w)
{
	struct json *j = &w->j;
	json_open(j, '{');
	json_pair(j, "type", "array");
	json_key(j, "minItems");
	json_number(j, 1);
	json_key(j, "items");
	json_open(j, '{');
	write_fields(w, method_step_fields, write_step_node);
	json_close(j, '}');
	json_close(j, '}');
}

static bool write_method_node(struct writing *w, const char *name)
{
	if (strcmp(name, "driver") == 0)
		write_driver_names(w);
	else if (strcmp(name, "setup") == 0)
		write_ref(w, "setup", NULL);
	else if (strcmp(name, "steps") == 0)
		write_steps(w);
	else
		return false;
	return true;
}

/* A map of named things. */
static void write_named(struct writing *w, const char *pattern, const char *what)
{
	struct json *j = &w->j;
	json_open(j, '{');
	json_key(j, "type");
	json_literal(j, "[\"object\",\"null\"]");
	json_key(j, "propertyNames");
	json_open(j, '{');
	json_pair(j, "pattern", pattern);
	json_close(j, '}');
	json_key(j, "additionalProperties");
	write_ref(w, what, NULL);
	json_close(j, '}');
}

static bool write_top_node(struct writing *w, const char *name)
{
	bool is_instruments = strcmp(name, "instruments") == 0;
	const struct field *fields = strcmp(name, "laboratory") == 0 ? laboratory_fields
				     : strcmp(name, "journal") == 0  ? journal_fields
								     : sockets_fields;
	if (is_instruments || strcmp(name, "methods") == 0) {
		write_named(w, is_instruments ? TOKEN_PATTERN : ID_PATTERN,
			is_instruments ? "instrument" : "method");
		return true;
	}
	json_open(&w->j, '{');
	write_fields(w, fields, NULL);
	json_close(&w->j, '}');
	return true;
}

/* --- links
 * -----------------------------------------------------------------------------------------------
 */

/* What the driver's family presets need not be said. */
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

static bool is_shorthand(const struct catalog_driver *driver, const struct link_type *type)
{
	for (const struct field *f = type->fields; f->name != NULL; f++)
		if (must_be_said(driver, type, f))
			return false;
	return true;
}

static void write_link_type(struct writing *w, const struct link_type *type, bool is_only)
{
	struct json *j = &w->j;
	json_open(j, '{');
	json_pair(j, "type", "object");
	json_key(j, "additionalProperties");
	json_bool(j, false);
	json_key(j, "properties");
	json_open(j, '{');
	for (const struct field *f = type->fields; f->name != NULL; f++) {
		json_key(j, f->name);
		json_open(j, '{');
		json_pair(j, "description", f->help);
		if (f->type == FIELD_NODE)
			json_pair(j, "const", type->name);
		else
			write_field(w, f, NULL);
		json_close(j, '}');
	}
	json_close(j, '}');
	json_key(j, "required");
	json_open(j, '[');
	if (!is_only)
		json_text(j, "type");
	json_close(j, ']');
	json_close(j, '}');
}

/* Keys that a profile may say as well are asked for only where none is named. */
static void write_link_required(struct writing *w, const struct link_type *type)
{
	json_open(&w->j, '{');
	json_key(&w->j, "required");
	json_open(&w->j, '[');
	for (const struct field *f = type->fields; f->name != NULL; f++)
		if (must_be_said(w->driver, type, f))
			json_text(&w->j, f->name);
	json_close(&w->j, ']');
	json_close(&w->j, '}');
}

static void write_link(struct writing *w)
{
	struct json *j = &w->j;
	const struct link_type *type;
	bool is_only = link_type_of(w->driver->links) != NULL;
	json_open(j, '{');
	json_key(j, "anyOf");
	json_open(j, '[');
	for (size_t i = 0; (type = link_type_at(i)) != NULL; i++) {
		if ((w->driver->links & type->link) == 0)
			continue;
		json_open(j, '{');
		json_pair(j, "const", type->name);
		json_close(j, '}');
		write_link_type(w, type, is_only);
	}
	json_close(j, ']');
	json_close(j, '}');
}

/* One way to write the link completely, for each type. */
static void write_whole_link(struct writing *w)
{
	struct json *j = &w->j;
	const struct link_type *type;
	json_open(j, '{');
	json_key(j, "anyOf");
	json_open(j, '[');
	for (size_t i = 0; (type = link_type_at(i)) != NULL; i++) {
		if ((w->driver->links & type->link) == 0)
			continue;
		json_open(j, '{');
		json_pair(j, "type", "object");
		json_key(j, "properties");
		json_open(j, '{');
		json_key(j, "type");
		json_open(j, '{');
		json_pair(j, "const", type->name);
		json_close(j, '}');
		json_close(j, '}');
		json_key(j, "allOf");
		json_open(j, '[');
		write_link_required(w, type);
		json_close(j, ']');
		json_close(j, '}');
		if (!is_shorthand(w->driver, type))
			continue;
		json_open(j, '{');
		json_pair(j, "const", type->name);
		json_close(j, '}');
	}
	json_close(j, ']');
	json_close(j, '}');
}

/* --- by driver
 * --------------------------------------------------------------------------------------------- */

static void write_calibration(struct writing *w)
{
	struct json *j = &w->j;
	json_open(j, '{');
	json_pair(j, "type", "object");
	json_key(j, "additionalProperties");
	json_bool(j, false);
	json_key(j, "properties");
	json_open(j, '{');
	for (const struct field *f = calibration_fields; f->name != NULL; f++) {
		json_key(j, f->name);
		json_open(j, '{');
		json_pair(j, "description", f->help);
		write_field(w, f, NULL);
		json_close(j, '}');
	}
	schema_write_calibration(j, w->driver->settings);
	json_close(j, '}');
	json_close(j, '}');
}

static void define(struct writing *w, const char *what)
{
	char name[80];
	snprintf(name, sizeof name, "%s-%s", what, w->driver->name);
	json_key(&w->j, name);
}

static void write_driver_definitions(struct writing *w)
{
	for (size_t i = 0; i < w->catalog->count; i++) {
		w->driver = &w->catalog->drivers[i];
		define(w, "settings");
		schema_write_settings(&w->j, w->driver->settings, false);
		define(w, "calibration");
		write_calibration(w);
		define(w, "link");
		write_link(w);
		define(w, "whole-link");
		write_whole_link(w);
	}
	w->driver = NULL;
}

/* {"if": it is that driver's, "then": */
static void open_if(struct writing *w, bool without_profile)
{
	struct json *j = &w->j;
	json_open(j, '{');
	json_key(j, "if");
	json_open(j, '{');
	json_key(j, "properties");
	json_open(j, '{');
	json_key(j, "driver");
	json_open(j, '{');
	json_pair(j, "const", w->driver->name);
	json_close(j, '}');
	json_close(j, '}');
	json_key(j, "required");
	json_literal(j, "[\"driver\"]");
	if (without_profile) {
		json_key(j, "not");
		json_literal(j, "{\"required\":[\"profile\"]}");
	}
	json_close(j, '}');
	json_key(j, "then");
}

static void write_property_ref(struct writing *w, const char *name, const char *what)
{
	json_key(&w->j, name);
	write_ref(w, what, w->driver->name);
}

/* What only a driver knows of its instruments. */
static void write_instrument_of_driver(struct writing *w)
{
	struct json *j = &w->j;
	open_if(w, false);
	json_open(j, '{');
	json_key(j, "properties");
	json_open(j, '{');
	write_property_ref(w, "link", "link");
	write_property_ref(w, "settings", "settings");
	write_property_ref(w, "calibration", "calibration");
	json_close(j, '}');
	json_close(j, '}');
	json_close(j, '}');

	open_if(w, true);
	json_open(j, '{');
	json_key(j, "properties");
	json_open(j, '{');
	write_property_ref(w, "link", "whole-link");
	json_key(j, "settings");
	schema_write_required(j, w->driver->settings);
	json_close(j, '}');
	json_key(j, "required");
	json_open(j, '[');
	if (schema_has_required(w->driver->settings))
		json_text(j, "settings");
	if (w->driver->technique == NULL)
		json_text(j, "technique");
	const struct link_type *only = link_type_of(w->driver->links);
	if (only == NULL || !is_shorthand(w->driver, only))
		json_text(j, "link");
	json_close(j, ']');
	json_close(j, '}');
	json_close(j, '}');
}

static void write_method_of_driver(struct writing *w)
{
	struct json *j = &w->j;
	open_if(w, false);
	json_open(j, '{');
	json_key(j, "properties");
	json_open(j, '{');
	write_property_ref(w, "settings", "settings");
	json_key(j, "steps");
	write_steps(w);
	json_close(j, '}');
	json_close(j, '}');
	json_close(j, '}');
}

static void write_entry(struct writing *w, const char *name, const struct field *fields,
	node_writer *nodes, void (*of_driver)(struct writing *))
{
	struct json *j = &w->j;
	json_key(j, name);
	json_open(j, '{');
	write_fields(w, fields, nodes);
	json_key(j, "allOf");
	json_open(j, '[');
	json_literal(j, "true");
	for (size_t i = 0; i < w->catalog->count; i++) {
		w->driver = &w->catalog->drivers[i];
		of_driver(w);
	}
	w->driver = NULL;
	json_close(j, ']');
	json_close(j, '}');
}

/* A file in instruments.d has no laboratory, and the main file need not have instruments. */
static void write_top(struct writing *w)
{
	struct field fields[8] = {0};
	for (size_t i = 0; config_fields[i].name != NULL && i < 7; i++) {
		fields[i] = config_fields[i];
		fields[i].flags = 0;
	}
	write_fields(w, fields, write_top_node);
	json_key(&w->j, "anyOf");
	json_literal(&w->j, "[{\"required\":[\"laboratory\"]},{\"required\":[\"instruments\"]},"
			    "{\"required\":[\"methods\"]}]");
}

int config_schema_write(const struct catalog *catalog, struct buffer *to)
{
	struct writing w = {.j = {.to = to}, .catalog = catalog};
	struct json *j = &w.j;
	json_open(j, '{');
	json_pair(j, "$schema", "http://json-schema.org/draft-07/schema#");
	json_pair(j, "title", "assayd configuration");
	write_top(&w);
	json_key(j, "definitions");
	json_open(j, '{');
	json_key(j, "setup");
	schema_write_setup(j);
	write_driver_definitions(&w);
	write_entry(&w, "instrument", instrument_fields, write_instrument_node,
		write_instrument_of_driver);
	write_entry(&w, "method", method_fields, write_method_node, write_method_of_driver);
	json_close(j, '}');
	json_close(j, '}');
	return to->failed ? -ENOMEM : 0;
}
