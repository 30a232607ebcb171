/* SPDX-License-Identifier: Apache-2.0 */
#include <assay/driver.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/calibration.h"
#include "config/instrument.h"
#include "config/jsonout.h"
#include "config/method.h"
#include "config/schema.h"
#include "config/schema-field.h"
#include "config/schema-link.h"
#include "config/schema-setting.h"
#include "config/sections.h"
#include "record/techniques.h"

#define TOKEN_PATTERN "^[a-z0-9-]{1,32}$"
#define ID_PATTERN    "^[A-Za-z0-9._-]{1,64}$"
#define TOP_MAX       8

struct writing {
	struct json j;
	const struct catalog *catalog;
	const struct catalog_driver *driver; /* whose part is being written */
};

/* {"$ref": "#/definitions/<what>"}, or <what>-<driver>. */
static void write_ref(struct writing *w, const char *what, const struct catalog_driver *driver)
{
	char ref[120];
	snprintf(ref, sizeof ref, "#/definitions/%s%s%s", what, driver != NULL ? "-" : "",
		driver != NULL ? driver->name : "");
	json_single(&w->j, "$ref", ref);
}

/* --- what stands where the tables only know a node ------------------------------------------- */

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

static bool write_instrument_node(void *ctx, const char *name)
{
	struct writing *w = ctx;
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

static bool write_step_node(void *ctx, const char *name)
{
	struct writing *w = ctx;
	if (w->driver == NULL || strcmp(name, "settings") != 0)
		return false;
	write_ref(w, "settings", w->driver);
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
	schema_write_fields(j, method_step_fields, write_step_node, w);
	json_close(j, '}');
	json_close(j, '}');
}

static bool write_method_node(void *ctx, const char *name)
{
	struct writing *w = ctx;
	if (strcmp(name, "driver") == 0)
		write_driver_names(w);
	else if (strcmp(name, "setup") == 0)
		write_ref(w, "setup", NULL);
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
	json_single(j, "pattern", pattern);
	json_key(j, "additionalProperties");
	write_ref(w, what, NULL);
	json_close(j, '}');
}

/* What may go, and when, beside the word. */
static bool write_journal_node(void *ctx, const char *name)
{
	struct writing *w = ctx;
	struct json *j = &w->j;
	if (strcmp(name, "keep") != 0)
		return false;
	json_open(j, '{');
	json_key(j, "anyOf");
	json_open(j, '[');
	json_single(j, "const", "forever");
	json_open(j, '{');
	schema_write_fields(j, journal_keep_fields, NULL, NULL);
	json_key(j, "minProperties");
	json_number(j, 1);
	json_close(j, '}');
	json_close(j, ']');
	json_close(j, '}');
	return true;
}

static bool write_top_node(void *ctx, const char *name)
{
	struct writing *w = ctx;
	const struct field *fields = strcmp(name, "laboratory") == 0 ? laboratory_fields
				     : strcmp(name, "journal") == 0  ? journal_fields
								     : sockets_fields;
	if (strcmp(name, "instruments") == 0) {
		write_named(w, TOKEN_PATTERN, "instrument");
	} else if (strcmp(name, "methods") == 0) {
		write_named(w, ID_PATTERN, "method");
	} else {
		json_open(&w->j, '{');
		schema_write_fields(&w->j, fields, write_journal_node, w);
		json_close(&w->j, '}');
	}
	return true;
}

/* --- by driver ------------------------------------------------------------------------------- */

static void write_calibration(struct writing *w)
{
	struct json *j = &w->j;
	schema_open_map(j);
	for (const struct field *f = calibration_fields; f->name != NULL; f++)
		schema_write_field(j, f);
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
		schema_write_link(&w->j, w->driver);
		define(w, "whole-link");
		schema_write_whole_link(&w->j, w->driver);
	}
	w->driver = NULL;
}

/* {"if": it is that driver's, "then": {"properties": { */
static void open_if(struct writing *w, bool without_profile)
{
	struct json *j = &w->j;
	json_open(j, '{');
	json_key(j, "if");
	json_open(j, '{');
	json_key(j, "properties");
	json_open(j, '{');
	json_key(j, "driver");
	json_single(j, "const", w->driver->name);
	json_close(j, '}');
	json_key(j, "required");
	json_literal(j, "[\"driver\"]");
	if (without_profile) {
		json_key(j, "not");
		json_literal(j, "{\"required\":[\"profile\"]}");
	}
	json_close(j, '}');
	json_key(j, "then");
	json_open(j, '{');
	json_key(j, "properties");
	json_open(j, '{');
}

static void close_if(struct writing *w)
{
	json_close(&w->j, '}');
	json_close(&w->j, '}');
}

static void write_property_ref(struct writing *w, const char *name, const char *what)
{
	json_key(&w->j, name);
	write_ref(w, what, w->driver);
}

/* What may be said of an instrument of this driver, and what must be where no profile says it. */
static void write_instrument_of_driver(struct writing *w)
{
	struct json *j = &w->j;
	open_if(w, false);
	write_property_ref(w, "link", "link");
	write_property_ref(w, "settings", "settings");
	write_property_ref(w, "calibration", "calibration");
	json_close(j, '}');
	close_if(w);

	open_if(w, true);
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
	if (!schema_link_goes_unsaid(w->driver))
		json_text(j, "link");
	json_close(j, ']');
	close_if(w);
}

static void write_method_of_driver(struct writing *w)
{
	open_if(w, false);
	write_property_ref(w, "settings", "settings");
	json_key(&w->j, "steps");
	write_steps(w);
	json_close(&w->j, '}');
	close_if(w);
}

/* A recording is played only as a simulated instrument. */
#define PLAYBACK_RULE                                                                     \
	"{\"if\":{\"properties\":{\"link\":{\"type\":\"object\",\"required\":[\"type\"]," \
	"\"properties\":{\"type\":{\"const\":\"playback\"}}}},\"required\":[\"link\"]},"  \
	"\"then\":{\"properties\":{\"simulated\":{\"const\":true}},\"required\":[\"simulated\"]}}"

/* `rule` is one more that all of them keep. */
static void write_entry(struct writing *w, const char *name, const struct field *fields,
	schema_node *nodes, const char *rule, void (*of_driver)(struct writing *))
{
	struct json *j = &w->j;
	json_key(j, name);
	json_open(j, '{');
	schema_write_fields(j, fields, nodes, w);
	json_key(j, "allOf");
	json_open(j, '[');
	json_literal(j, rule);
	for (size_t i = 0; i < w->catalog->count; i++) {
		w->driver = &w->catalog->drivers[i];
		of_driver(w);
	}
	w->driver = NULL;
	json_close(j, ']');
	json_close(j, '}');
}

/* --- the whole ------------------------------------------------------------------------------- */

/* A file in instruments.d has no laboratory, and the main file need not have instruments. */
static void write_top(struct writing *w)
{
	struct field fields[TOP_MAX] = {0};
	for (size_t i = 0; config_fields[i].name != NULL && i + 1 < TOP_MAX; i++) {
		fields[i] = config_fields[i];
		fields[i].flags = 0;
	}
	schema_write_fields(&w->j, fields, write_top_node, w);
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
	write_entry(&w, "instrument", instrument_fields, write_instrument_node, PLAYBACK_RULE,
		write_instrument_of_driver);
	write_entry(&w, "method", method_fields, write_method_node, "true", write_method_of_driver);
	json_close(j, '}');
	json_close(j, '}');
	return to->failed ? -ENOMEM : 0;
}
