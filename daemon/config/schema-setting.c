/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "config/quantity.h"
#include "config/schema-field.h"
#include "config/schema-setting.h"
#include "record/names.h"

#define NUMBER_PATTERN "^[-+]?[0-9]+(\\.[0-9]+)?([eE][-+]?[0-9]+)? *"

static void escape(char *to, size_t size, const char *text)
{
	size_t n = 0;
	for (; *text != '\0' && n + 3 < size; text++) {
		if (strchr("[]{}()*+?.^$|\\/", *text) != NULL)
			to[n++] = '\\';
		to[n++] = *text;
	}
	to[n] = '\0';
}

void schema_write_quantity(struct json *j, const char *unit)
{
	char pattern[800], escaped[60];
	const char *written;
	size_t len = (size_t)snprintf(pattern, sizeof pattern, "%s(", NUMBER_PATTERN);
	for (size_t i = 0; (written = quantity_spelling(unit, i)) != NULL; i++) {
		escape(escaped, sizeof escaped, written);
		if (len + strlen(escaped) + 4 < sizeof pattern)
			len += (size_t)snprintf(pattern + len, sizeof pattern - len, "%s%s",
				i == 0 ? "" : "|", escaped);
	}
	snprintf(pattern + len, sizeof pattern - len, ")%s$", quantity_is_plain(unit) ? "?" : "");
	json_pair(j, "type", "string");
	json_pair(j, "pattern", pattern);
}

static void write_bounds(struct json *j, const struct assay_setting *s)
{
	if (s->min == 0 && s->max == 0)
		return;
	json_key(j, "minimum");
	json_number(j, s->min);
	json_key(j, "maximum");
	json_number(j, s->max);
}

static void write_plain_number(struct json *j, const struct assay_setting *s)
{
	json_key(j, "anyOf");
	json_open(j, '[');
	json_open(j, '{');
	json_pair(j, "type", s->type == ASSAY_INT ? "integer" : "number");
	write_bounds(j, s);
	json_close(j, '}');
	if (s->type == ASSAY_NUMBER) {
		json_open(j, '{');
		schema_write_quantity(j, s->unit != NULL ? s->unit : "1");
		json_close(j, '}');
	}
	json_close(j, ']');
}

/* A choice that is written with digits is a number to a reader of YAML. */
static void write_choices(struct json *j, const char *const *choices)
{
	double number;
	json_key(j, "enum");
	json_open(j, '[');
	for (; *choices != NULL; choices++) {
		json_text(j, *choices);
		if (quantity_parse_number(*choices, &number) == 0)
			json_number(j, number);
	}
	json_close(j, ']');
}

/* The keywords of one value, in an object that is open. */
static void write_scalar(struct json *j, const struct assay_setting *s)
{
	bool is_number = s->type == ASSAY_INT || s->type == ASSAY_NUMBER;
	if (is_number && quantity_is_plain(s->unit)) {
		write_plain_number(j, s);
	} else if (is_number) {
		schema_write_quantity(j, s->unit);
	} else if (s->type == ASSAY_BOOL) {
		json_pair(j, "type", "boolean");
	} else if (s->type == ASSAY_CHOICE) {
		write_choices(j, s->choices);
	} else {
		json_key(j, "type");
		json_literal(j, SCHEMA_TEXT_TYPES);
	}
}

static void write_setting(struct json *j, const struct assay_setting *s)
{
	json_open(j, '{');
	json_pair(j, "description", s->help);
	json_pair(j, "default", s->fallback);
	bool is_table = s->type == ASSAY_TABLE;
	if (is_table || (s->flags & ASSAY_LIST) != 0) {
		json_pair(j, "type", "array");
		json_key(j, "minItems");
		json_number(j, 1);
		json_key(j, "items");
		if (is_table) {
			schema_write_settings(j, s->columns, true);
		} else {
			json_open(j, '{');
			write_scalar(j, s);
			json_close(j, '}');
		}
	} else {
		write_scalar(j, s);
	}
	json_close(j, '}');
}

static bool is_required(const struct assay_setting *s)
{
	return (s->flags & ASSAY_REQUIRED) != 0 && (s->flags & ASSAY_CALIBRATION) == 0;
}

static void write_required(struct json *j, const struct assay_setting *table)
{
	json_key(j, "required");
	json_open(j, '[');
	for (const struct assay_setting *s = table; s != NULL && s->name != NULL; s++)
		if (is_required(s))
			json_text(j, s->name);
	json_close(j, ']');
}

bool schema_has_required(const struct assay_setting *table)
{
	for (const struct assay_setting *s = table; s != NULL && s->name != NULL; s++)
		if (is_required(s))
			return true;
	return false;
}

void schema_write_settings(struct json *j, const struct assay_setting *table, bool with_required)
{
	schema_open_map(j);
	for (const struct assay_setting *s = table; s != NULL && s->name != NULL; s++) {
		if ((s->flags & ASSAY_CALIBRATION) != 0)
			continue;
		json_key(j, s->name);
		write_setting(j, s);
	}
	json_close(j, '}');
	if (with_required)
		write_required(j, table);
	json_close(j, '}');
}

void schema_write_required(struct json *j, const struct assay_setting *table)
{
	json_open(j, '{');
	write_required(j, table);
	json_close(j, '}');
}

/* The length of `energy` in energy_gain; 0: it has no such part. */
static size_t group_of(const struct assay_setting *s)
{
	const char *bar = strchr(s->name, '_');
	bool is_one = (s->flags & ASSAY_CALIBRATION) != 0 && bar != NULL && bar[1] != '\0';
	return is_one ? (size_t)(bar - s->name) : 0;
}

static bool same_group(const struct assay_setting *a, const struct assay_setting *b)
{
	size_t len = group_of(a);
	return len != 0 && len == group_of(b) && strncmp(a->name, b->name, len) == 0;
}

static bool is_first_of_group(const struct assay_setting *table, const struct assay_setting *s)
{
	if (group_of(s) == 0)
		return false;
	for (const struct assay_setting *before = table; before < s; before++)
		if (same_group(before, s))
			return false;
	return true;
}

static void write_group(
	struct json *j, const struct assay_setting *table, const struct assay_setting *first)
{
	size_t len = group_of(first);
	char name[40];
	snprintf(name, sizeof name, "%.*s", (int)len, first->name);
	json_key(j, name);
	schema_open_map(j);
	for (const struct assay_setting *s = table; s->name != NULL; s++) {
		if (!same_group(first, s))
			continue;
		json_key(j, s->name + len + 1);
		write_setting(j, s);
	}
	json_close(j, '}');
	json_close(j, '}');
}

void schema_write_calibration(struct json *j, const struct assay_setting *table)
{
	for (const struct assay_setting *s = table; s != NULL && s->name != NULL; s++) {
		if ((s->flags & ASSAY_CALIBRATION) == 0)
			continue;
		json_key(j, s->name);
		write_setting(j, s);
		if (is_first_of_group(table, s))
			write_group(j, table, s);
	}
}

static void write_known_name(struct json *j, const struct name *name)
{
	json_key(j, name->name);
	json_open(j, '{');
	json_pair(j, "description", name->meaning);
	json_key(j, "anyOf");
	json_open(j, '[');
	json_literal(j, "{\"type\":\"array\"}");
	json_open(j, '{');
	if (name->unit == NULL || quantity_is_plain(name->unit)) {
		json_key(j, "type");
		json_literal(j, SCHEMA_TEXT_TYPES);
	} else {
		schema_write_quantity(j, name->unit);
	}
	json_close(j, '}');
	json_close(j, ']');
	json_close(j, '}');
}

void schema_write_setup(struct json *j)
{
	const struct name *name;
	json_open(j, '{');
	json_pair(j, "type", "object");
	json_key(j, "propertyNames");
	json_literal(j, "{\"pattern\":\"^[a-z][a-z0-9_]{0,31}$\"}");
	json_key(j, "additionalProperties");
	json_literal(j, "{\"type\":[\"string\",\"number\",\"boolean\",\"array\"]}");
	json_key(j, "properties");
	json_open(j, '{');
	for (size_t i = 0; (name = name_at(i)) != NULL; i++)
		if (name->where == NAME_SETUP)
			write_known_name(j, name);
	json_close(j, '}');
	json_close(j, '}');
}
