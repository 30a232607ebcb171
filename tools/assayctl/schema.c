/* SPDX-License-Identifier: Apache-2.0 */
#include <assay/driver.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "config/calibration.h"
#include "config/instrument.h"
#include "config/link.h"
#include "config/method.h"
#include "config/profile.h"
#include "config/quantity.h"
#include "config/sections.h"
#include "record/names.h"
#include "record/techniques.h"
#include "schema.h"

#define TOKEN_PATTERN     "^[a-z0-9-]{1,32}$"
#define TECHNIQUE_PATTERN "^[a-z][a-z0-9-]{0,31}$"
#define ID_PATTERN        "^[A-Za-z0-9._-]{1,64}$"
#define NAME_PATTERN      "^[a-z][a-z0-9_]{0,31}$"
#define DATE_PATTERN      "^[0-9]{4}-[0-9]{2}-[0-9]{2}"
#define NUMBER_PATTERN    "^[-+]?[0-9]+(\\.[0-9]+)?([eE][-+]?[0-9]+)? *"

/*
 * Every function returns a new value, NULL without memory, and takes the values that it is given.
 * NULL stays NULL through put(), append() and json_pack(), so that only the end needs a check.
 */
struct schema {
	const struct catalog *catalog;
	const struct catalog_driver *driver; /* whose part is made; NULL: for all */
};

static void put(json_t **object, const char *key, json_t *value)
{
	if (json_object_set_new(*object, key, value) < 0) {
		json_decref(*object);
		*object = NULL;
	}
}

static void append(json_t **list, json_t *value)
{
	if (json_array_append_new(*list, value) < 0) {
		json_decref(*list);
		*list = NULL;
	}
}

static json_t *number(double value)
{
	return value == trunc(value) && fabs(value) < 0x1p53 ? json_integer((json_int_t)value)
							     : json_real(value);
}

static json_t *texts(const char *const *list)
{
	json_t *array = json_array();
	for (; *list != NULL; list++)
		append(&array, json_string(*list));
	return array;
}

/* The keywords with a description before them. */
static json_t *describe(const char *text, json_t *keywords)
{
	json_t *schema = json_pack("{s:s*}", "description", text);
	if (json_object_update_new(schema, keywords) < 0) {
		json_decref(schema);
		schema = NULL;
	}
	return schema;
}

/* A map that has no other keys than these; `required` may be NULL. */
static json_t *closed_map(json_t *properties, json_t *required)
{
	return json_pack("{s:s, s:b, s:o, s:o*}", "type", "object", "additionalProperties", 0,
		"properties", properties, "required", required);
}

/* {"$ref": "#/definitions/<name>"}, or <name>-<driver>. */
static json_t *reference(const char *name, const struct catalog_driver *driver)
{
	return json_pack("{s:s+++}", "$ref", "#/definitions/", name, driver != NULL ? "-" : "",
		driver != NULL ? driver->name : "");
}

/* --- values ----------------------------------------------------------------------------------- */

/* A text may look like a number or a truth value to a reader of YAML. */
static json_t *text_schema(void)
{
	return json_pack("{s:[s, s, s]}", "type", "string", "number", "boolean");
}

static json_t *quantity_schema(const char *unit)
{
	char pattern[800];
	const char *written;
	size_t len = (size_t)snprintf(pattern, sizeof pattern, "%s(", NUMBER_PATTERN);
	for (size_t i = 0; (written = quantity_spelling(unit, i)) != NULL; i++) {
		if (len + 2 * strlen(written) + 8 > sizeof pattern)
			break;
		if (i > 0)
			pattern[len++] = '|';
		for (; *written != '\0'; written++) {
			if (strchr("[]{}()*+?.^$|\\/", *written) != NULL)
				pattern[len++] = '\\';
			pattern[len++] = *written;
		}
	}
	snprintf(pattern + len, sizeof pattern - len, ")%s$", quantity_is_plain(unit) ? "?" : "");
	return json_pack("{s:s, s:s}", "type", "string", "pattern", pattern);
}

static json_t *range_schema(const char *type, double min, double max)
{
	json_t *schema = json_pack("{s:s}", "type", type);
	if (min != 0 || max != 0) {
		put(&schema, "minimum", number(min));
		put(&schema, "maximum", number(max));
	}
	return schema;
}

/* --- fields of sections ----------------------------------------------------------------------- */

static json_t *fields_schema(const struct schema *s, const struct field *fields);
static json_t *node_schema(const struct schema *s, const char *name);

static json_t *field_keywords(const struct schema *s, const struct field *f)
{
	switch (f->type) {
	case FIELD_TEXT:
	case FIELD_HOST:
	case FIELD_USB_SOCKET: return text_schema();
	case FIELD_TOKEN:
		return json_pack(
			"{s:[s, s], s:s}", "type", "string", "integer", "pattern", TOKEN_PATTERN);
	case FIELD_DEVICE:
	case FIELD_PATH: return json_pack("{s:s, s:s}", "type", "string", "pattern", "^/");
	case FIELD_BOOL: return json_pack("{s:s}", "type", "boolean");
	case FIELD_UINT:
	case FIELD_COUNT: return range_schema("integer", f->min, f->max);
	case FIELD_DURATION:
	case FIELD_MS: return quantity_schema("s");
	case FIELD_SIZE: return quantity_schema("By");
	case FIELD_DATE: return json_pack("{s:s, s:s}", "type", "string", "pattern", DATE_PATTERN);
	case FIELD_CHOICE: return json_pack("{s:o}", "enum", texts(f->choices));
	case FIELD_FLAGS:
		return json_pack(
			"{s:s, s:{s:o}}", "type", "array", "items", "enum", texts(f->choices));
	case FIELD_SECTION: return fields_schema(s, f->fields);
	case FIELD_NODE: break;
	}
	/* In an allOf next to its description, since $ref allows no neighbour. */
	return json_pack("{s:[o]}", "allOf", node_schema(s, f->name));
}

static json_t *fields_schema(const struct schema *s, const struct field *fields)
{
	json_t *properties = json_object(), *required = json_array();
	for (const struct field *f = fields; f->name != NULL; f++) {
		put(&properties, f->name, describe(f->help, field_keywords(s, f)));
		if ((f->flags & FIELD_REQUIRED) != 0)
			append(&required, json_string(f->name));
	}
	return closed_map(properties, required);
}

/* --- settings --------------------------------------------------------------------------------- */

static bool is_of_calibration(const struct assay_setting *setting)
{
	return (setting->flags & ASSAY_CALIBRATION) != 0;
}

/* A choice that is written with digits is a number to a reader of YAML. */
static json_t *choices_schema(const char *const *choices)
{
	json_t *list = json_array();
	double value;
	for (; *choices != NULL; choices++) {
		append(&list, json_string(*choices));
		if (quantity_parse_number(*choices, &value) == 0)
			append(&list, number(value));
	}
	return json_pack("{s:o}", "enum", list);
}

static json_t *scalar_schema(const struct assay_setting *setting)
{
	const char *unit = setting->unit != NULL ? setting->unit : "1";
	bool is_int = setting->type == ASSAY_INT;
	switch (setting->type) {
	case ASSAY_BOOL: return json_pack("{s:s}", "type", "boolean");
	case ASSAY_CHOICE: return choices_schema(setting->choices);
	case ASSAY_INT:
	case ASSAY_NUMBER: break;
	default: return text_schema();
	}
	if (!quantity_is_plain(setting->unit))
		return quantity_schema(unit);
	json_t *either = json_array();
	append(&either, range_schema(is_int ? "integer" : "number", setting->min, setting->max));
	if ((setting->flags & ASSAY_IN_UNIT) != 0)
		append(&either,
			json_pack("{s:s, s:s}", "type", "string", "pattern", NUMBER_PATTERN));
	else if (!is_int && strcmp(unit, "1") != 0)
		append(&either, quantity_schema(unit));
	return json_pack("{s:o}", "anyOf", either);
}

static json_t *settings_schema(const struct assay_setting *table, json_t *required);
static json_t *required_settings(const struct assay_setting *table);

static json_t *setting_schema(const struct assay_setting *setting)
{
	json_t *keywords;
	if (setting->type == ASSAY_TABLE)
		keywords = settings_schema(setting->columns, required_settings(setting->columns));
	else
		keywords = scalar_schema(setting);
	if (setting->type == ASSAY_TABLE || (setting->flags & ASSAY_LIST) != 0)
		keywords = json_pack(
			"{s:s, s:i, s:o}", "type", "array", "minItems", 1, "items", keywords);
	if (setting->fallback != NULL)
		put(&keywords, "default", json_string(setting->fallback));
	return describe(setting->help, keywords);
}

/* The settings that do not belong to the calibration. */
static json_t *settings_schema(const struct assay_setting *table, json_t *required)
{
	json_t *properties = json_object();
	for (const struct assay_setting *at = table; at != NULL && at->name != NULL; at++)
		if (!is_of_calibration(at))
			put(&properties, at->name, setting_schema(at));
	return closed_map(properties, required);
}

static json_t *required_settings(const struct assay_setting *table)
{
	json_t *names = json_array();
	for (const struct assay_setting *at = table; at != NULL && at->name != NULL; at++)
		if ((at->flags & ASSAY_REQUIRED) != 0 && !is_of_calibration(at))
			append(&names, json_string(at->name));
	return names;
}

/* `energy_gain: x` may be written `energy: {gain: x}`; the length of `energy`, or 0. */
static size_t group_of(const struct assay_setting *setting)
{
	const char *bar = strchr(setting->name, '_');
	return is_of_calibration(setting) && bar != NULL && bar[1] != '\0'
		       ? (size_t)(bar - setting->name)
		       : 0;
}

static json_t *group_schema(const struct assay_setting *table, const char *group, size_t len)
{
	json_t *properties = json_object();
	for (const struct assay_setting *at = table; at->name != NULL; at++)
		if (group_of(at) == len && strncmp(at->name, group, len) == 0)
			put(&properties, at->name + len + 1, setting_schema(at));
	return closed_map(properties, NULL);
}

static json_t *holds_for_schema(const struct schema *s)
{
	if (s->driver == NULL)
		return json_true();
	json_t *properties = json_object();
	const struct assay_setting *at = s->driver->settings;
	for (; at != NULL && at->name != NULL; at++)
		if ((at->flags & ASSAY_CALIBRATES) != 0)
			put(&properties, at->name, setting_schema(at));
	return closed_map(properties, NULL);
}

static json_t *calibration_schema(const struct schema *s)
{
	const struct assay_setting *table = s->driver->settings;
	json_t *properties = json_object();
	for (const struct field *f = calibration_fields; f->name != NULL; f++)
		put(&properties, f->name, describe(f->help, field_keywords(s, f)));
	for (const struct assay_setting *at = table; at != NULL && at->name != NULL; at++) {
		char group[40];
		size_t len = group_of(at);
		if (is_of_calibration(at))
			put(&properties, at->name, setting_schema(at));
		snprintf(group, sizeof group, "%.*s", (int)len, at->name);
		if (len != 0 && json_object_get(properties, group) == NULL)
			put(&properties, group, group_schema(table, group, len));
	}
	return closed_map(properties, NULL);
}

/* --- links ------------------------------------------------------------------------------------ */

/* The keys that the driver does not preset; empty: the name of the type is enough. */
static json_t *required_keys(const struct catalog_driver *driver, const struct port_kind *kind)
{
	struct field fields[LINK_FIELDS_MAX];
	struct arena arena = {0};
	struct config_errors errors = {0};
	json_t *names = json_array();
	const char *defaults = catalog_link_defaults(driver, kind->link);
	const struct node *preset = defaults != NULL
					    ? yaml_parse_value(defaults, true, "", &arena, &errors)
					    : NULL;
	link_fields(kind, fields);
	for (const struct field *f = fields; f->name != NULL; f++)
		if ((f->flags & FIELD_REQUIRED) != 0 && node_get(preset, f->name) == NULL)
			append(&names, json_string(f->name));
	config_errors_finish(&errors);
	arena_finish(&arena);
	return names;
}

/* The keys of every kind of link that the driver has; a profile may give the required ones. */
static json_t *link_schema(const struct schema *s)
{
	const struct port_kind *kind;
	bool is_only = port_kind_of(s->driver->links) != NULL;
	json_t *either = json_pack("[b]", 0);
	for (size_t i = 0; (kind = port_kind_at(i)) != NULL; i++) {
		struct field fields[LINK_FIELDS_MAX];
		json_t *properties = json_pack("{s:{s:s}}", "type", "const", kind->name);
		if (!port_kind_fits(kind, s->driver->links)) {
			json_decref(properties);
			continue;
		}
		link_fields(kind, fields);
		for (const struct field *f = fields; f->name != NULL; f++)
			if (f->type != FIELD_NODE)
				put(&properties, f->name, describe(f->help, field_keywords(s, f)));
		append(&either, json_pack("{s:s}", "const", kind->name));
		append(&either,
			closed_map(properties, is_only ? json_array() : json_pack("[s]", "type")));
	}
	return json_pack("{s:o}", "anyOf", either);
}

/* That all required keys are there, for an instrument without a profile. */
static json_t *whole_link_schema(const struct schema *s)
{
	const struct port_kind *kind;
	json_t *either = json_pack("[b]", 0);
	for (size_t i = 0; (kind = port_kind_at(i)) != NULL; i++) {
		if (!port_kind_fits(kind, s->driver->links))
			continue;
		json_t *required = required_keys(s->driver, kind);
		if (json_array_size(required) == 0)
			append(&either, json_pack("{s:s}", "const", kind->name));
		append(&either, json_pack("{s:s, s:{s:{s:s}}, s:o}", "type", "object", "properties",
					"type", "const", kind->name, "required", required));
	}
	return json_pack("{s:o}", "anyOf", either);
}

static bool needs_link(const struct catalog_driver *driver)
{
	const struct port_kind *only = port_kind_of(driver->links);
	json_t *required = only != NULL ? required_keys(driver, only) : NULL;
	bool needs = json_array_size(required) != 0 || only == NULL;
	json_decref(required);
	return needs;
}

/* --- keys that the tables of sections leave to a reader of their own -------------------------- */

static json_t *drivers_schema(const struct schema *s)
{
	json_t *names = json_array();
	for (size_t i = 0; i < s->catalog->count; i++)
		append(&names, json_string(s->catalog->drivers[i].name));
	return json_pack("{s:o}", "enum", names);
}

static json_t *techniques_schema(const struct schema *s)
{
	const struct technique *technique;
	json_t *tokens = json_array();
	for (size_t i = 0; (technique = technique_at(i)) != NULL; i++)
		append(&tokens, json_string(technique->token));
	return json_pack(
		"{s:[{s:o}, {s:s}]}", "anyOf", "enum", tokens, "pattern", TECHNIQUE_PATTERN);
}

static json_t *keep_schema(const struct schema *s)
{
	json_t *parts = fields_schema(s, journal_keep_fields);
	put(&parts, "minProperties", json_integer(1));
	return json_pack("{s:[{s:s}, o]}", "anyOf", "const", "forever", parts);
}

/* Of a step; the settings of an instrument or a method depend on its driver. */
static json_t *step_settings_schema(const struct schema *s)
{
	return s->driver != NULL ? reference("settings", s->driver) : json_true();
}

static json_t *step_calibration_schema(const struct schema *s)
{
	return s->driver != NULL ? reference("calibration", s->driver) : json_true();
}

#define ENDPOINT "{\"type\": \"string\", \"pattern\": \"^ipc:///\"}"
#define NAMED(pattern, definition)                                                       \
	"{\"type\": [\"object\", \"null\"], \"propertyNames\": {\"pattern\": \"" pattern \
	"\"}, \"additionalProperties\": {\"$ref\": \"#/definitions/" definition "\"}}"

static json_t *node_schema(const struct schema *s, const char *name)
{
	static const struct {
		const char *name, *json;
		const struct field *fields;
		json_t *(*make)(const struct schema *s);
	} nodes[] = {
		{"laboratory", .fields = laboratory_fields},
		{"pattern", .json = "{\"type\": \"string\"}"},
		{"timezone", .json = "{\"type\": \"string\", \"pattern\": \"^[A-Za-z]\"}"},
		{"example", .json = "{\"type\": [\"string\", \"number\"]}"},
		{"journal", .fields = journal_fields},
		{"sync",
			.json = "{\"anyOf\": [{\"const\": \"always\"},"
				"{\"type\": \"string\", \"pattern\": \"^[0-9.]+ *(s|ms|min)$\"}]}"},
		{"keep", .make = keep_schema},
		{"sockets", .fields = sockets_fields},
		{"live", .json = ENDPOINT},
		{"replay", .json = ENDPOINT},
		{"control", .json = ENDPOINT},
		{"instruments", .json = NAMED(TOKEN_PATTERN, "instrument")},
		{"methods", .json = NAMED(ID_PATTERN, "method")},
		{"driver", .make = drivers_schema},
		{"technique", .make = techniques_schema},
		{"setup", .json = "{\"$ref\": \"#/definitions/setup\"}"},
		{"settings", .make = step_settings_schema},
		{"calibration", .make = step_calibration_schema},
		{"holds_for", .make = holds_for_schema},
	};
	for (size_t i = 0; i < sizeof nodes / sizeof nodes[0]; i++) {
		if (strcmp(nodes[i].name, name) == 0)
			return nodes[i].json != NULL     ? json_loads(nodes[i].json, 0, NULL)
			       : nodes[i].fields != NULL ? fields_schema(s, nodes[i].fields)
							 : nodes[i].make(s);
	}
	return json_true();
}

/* --- definitions ------------------------------------------------------------------------------ */

static json_t *setup_schema(void)
{
	const struct name *name;
	json_t *properties = json_object();
	for (size_t i = 0; (name = name_at(i)) != NULL; i++) {
		bool is_text = name->unit == NULL || quantity_is_plain(name->unit);
		if (name->where != NAME_SETUP)
			continue;
		json_t *keywords = is_text ? text_schema() : quantity_schema(name->unit);
		put(&properties, name->name,
			json_pack("{s:s*, s:[{s:s}, o]}", "description", name->meaning, "anyOf",
				"type", "array", keywords));
	}
	return json_pack("{s:s, s:{s:s}, s:{s:[s, s, s, s]}, s:o}", "type", "object",
		"propertyNames", "pattern", NAME_PATTERN, "additionalProperties", "type", "string",
		"number", "boolean", "array", "properties", properties);
}

/* {"if": it is of this driver (and has no profile), "then": `then`} */
static json_t *if_driver(const struct schema *s, bool without_profile, json_t *then)
{
	json_t *condition = json_pack("{s:{s:{s:s}}, s:[s]}", "properties", "driver", "const",
		s->driver->name, "required", "driver");
	if (without_profile)
		put(&condition, "not", json_pack("{s:[s]}", "required", "profile"));
	return json_pack("{s:o, s:o}", "if", condition, "then", then);
}

/* What an instrument of this driver may have, and what it must have if no profile has it. */
static void add_instrument_rules(const struct schema *s, json_t **rules)
{
	const struct catalog_driver *driver = s->driver;
	json_t *settings = required_settings(driver->settings), *required = json_array();
	append(rules, if_driver(s, false,
			      json_pack("{s:{s:o, s:o, s:o}}", "properties", "link",
				      reference("link", driver), "settings",
				      reference("settings", driver), "calibration",
				      reference("calibration", driver))));
	if (json_array_size(settings) != 0)
		append(&required, json_string("settings"));
	if (driver->technique == NULL)
		append(&required, json_string("technique"));
	if (needs_link(driver))
		append(&required, json_string("link"));
	append(rules, if_driver(s, true,
			      json_pack("{s:{s:o, s:{s:o}}, s:o}", "properties", "link",
				      reference("whole-link", driver), "settings", "required",
				      settings, "required", required)));
}

static void add_method_rules(const struct schema *s, json_t **rules)
{
	json_t *steps = json_pack("{s:s, s:i, s:o}", "type", "array", "minItems", 1, "items",
		fields_schema(s, method_step_fields));
	append(rules, if_driver(s, false,
			      json_pack("{s:{s:o, s:o, s:o}}", "properties", "settings",
				      reference("settings", s->driver), "calibration",
				      reference("calibration", s->driver), "steps", steps)));
}

/* A recording is played only as a simulated instrument. */
#define PLAYBACK_RULE                                                                           \
	"{\"if\": {\"properties\": {\"link\": {\"type\": \"object\", \"required\": [\"type\"]," \
	"\"properties\": {\"type\": {\"const\": \"playback\"}}}}, \"required\": [\"link\"]},"   \
	"\"then\": {\"properties\": {\"simulated\": {\"const\": true}},"                        \
	"\"required\": [\"simulated\"]}}"

static json_t *definitions(struct schema *s)
{
	json_t *all = json_pack("{s:o}", "setup", setup_schema());
	json_t *instrument = fields_schema(s, instrument_fields), *instrument_rules = json_array();
	json_t *method = fields_schema(s, method_fields);
	json_t *method_rules = json_pack("[b]", 1); /* allOf must not be empty */
	append(&instrument_rules, json_loads(PLAYBACK_RULE, 0, NULL));
	for (size_t i = 0; i < s->catalog->count; i++) {
		s->driver = &s->catalog->drivers[i];
		json_t *parts[] = {settings_schema(s->driver->settings, NULL),
			calibration_schema(s), link_schema(s), whole_link_schema(s)};
		static const char *const names[] = {
			"settings", "calibration", "link", "whole-link"};
		for (size_t j = 0; j < sizeof names / sizeof names[0]; j++) {
			char name[80];
			snprintf(name, sizeof name, "%s-%s", names[j], s->driver->name);
			put(&all, name, parts[j]);
		}
		add_instrument_rules(s, &instrument_rules);
		add_method_rules(s, &method_rules);
	}
	put(&instrument, "allOf", instrument_rules);
	put(&method, "allOf", method_rules);
	put(&all, "instrument", instrument);
	put(&all, "method", method);
	return all;
}

/* --- profiles --------------------------------------------------------------------------------- */

/* The keys of every kind of link: a profile serves all, and some kinds have one in another form. */
static json_t *profile_link_schema(const struct schema *s)
{
	const struct port_kind *kind;
	json_t *properties = json_object();
	for (size_t i = 0; (kind = port_kind_at(i)) != NULL; i++) {
		struct field fields[LINK_FIELDS_MAX];
		link_fields(kind, fields);
		for (const struct field *f = fields; f->name != NULL; f++) {
			if (f->type == FIELD_NODE)
				continue;
			json_t *either = json_object_get(
				json_object_get(properties, f->name), "anyOf");
			json_t *forms = either != NULL ? json_incref(either) : json_array();
			append(&forms, describe(f->help, field_keywords(s, f)));
			put(&properties, f->name, json_pack("{s:o}", "anyOf", forms));
		}
	}
	return closed_map(properties, NULL);
}

json_t *schema_make_profile(const struct catalog *catalog)
{
	struct schema s = {.catalog = catalog};
	json_t *schema = json_pack("{s:s, s:s}", "$schema",
		"http://json-schema.org/draft-07/schema#", "title", "assayd profile");
	json_t *top = fields_schema(&s, profile_fields), *rules = json_pack("[b]", 1);
	json_t *all = json_pack("{s:o}", "setup", setup_schema());
	json_t *own = json_pack("{s:o, s:o, s:o}", "driver", drivers_schema(&s), "technique",
		techniques_schema(&s), "link", profile_link_schema(&s));
	for (size_t i = 0; i < catalog->count; i++) {
		char name[80];
		s.driver = &catalog->drivers[i];
		snprintf(name, sizeof name, "settings-%s", s.driver->name);
		put(&all, name, settings_schema(s.driver->settings, NULL));
		append(&rules, if_driver(&s, false,
				       json_pack("{s:{s:o}}", "properties", "settings",
					       reference("settings", s.driver))));
	}
	bool is_whole = json_object_update_new(json_object_get(top, "properties"), own) == 0;
	put(&top, "required", json_pack("[s]", "driver"));
	put(&top, "allOf", rules);
	put(&top, "definitions", all);
	if (json_object_update_new(schema, top) < 0 || !is_whole) {
		json_decref(schema);
		return NULL;
	}
	return schema;
}

/* --- the whole -------------------------------------------------------------------------------- */

json_t *schema_make(const struct catalog *catalog)
{
	struct schema s = {.catalog = catalog};
	json_t *schema = json_pack("{s:s, s:s}", "$schema",
		"http://json-schema.org/draft-07/schema#", "title", "assayd configuration");
	/* A file in instruments.d has no laboratory, and the main file need not have instruments. */
	json_t *top = fields_schema(&s, config_fields);
	put(&top, "required", json_array());
	put(&top, "anyOf",
		json_pack("[{s:[s]}, {s:[s]}, {s:[s]}]", "required", "laboratory", "required",
			"instruments", "required", "methods"));
	put(&top, "definitions", definitions(&s));
	if (json_object_update_new(schema, top) < 0) {
		json_decref(schema);
		return NULL;
	}
	return schema;
}
