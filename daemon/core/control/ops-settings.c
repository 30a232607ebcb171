/* SPDX-License-Identifier: Apache-2.0 */
/* describe and set: what instruments can be told, and telling it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <assay/driver.h>

#include "core/commit/audit.h"
#include "core/control/ops.h"
#include "core/instrument/instrument.h"
#include "record/decimal.h"

#define SETTINGS_MAX 64   /* of one request */
#define TEXT_SIZE    4096 /* of a value as it would stand in a file */

static void put_value(struct map *map, const char *key, struct assay_span value)
{
	if (value.len == 0)
		return;
	map_key(map, key);
	encode_raw(map->to, value.data, value.len);
}

static bool same(struct assay_span a, struct assay_span b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* --- describe -------------------------------------------------------------------------------- */

/* Where the value comes from: set at run time, a line of a file, or the driver's default. */
static void put_origin(struct map *map, bool is_set, const struct config_mark *mark)
{
	char place[600];
	snprintf(place, sizeof place, "%s:%u", mark->file != NULL ? mark->file : "", mark->line);
	map_text(map, "from", is_set ? "set" : mark->file != NULL ? place : "default");
}

static void put_present(struct map *map, const struct instrument *instrument, size_t i)
{
	const struct config_instrument *config = instrument->config;
	const char *text = config->driver->settings[i].name;
	struct assay_string name = string_of(text);
	struct config_map now = instrument_settings(instrument);
	struct assay_span value = config_value(now, name);
	struct assay_span file = config_value(config->settings, name);
	struct assay_span back = {0};
	if (instrument->ready)
		back = config_value(
			(struct config_map){instrument->settings.data, instrument->settings.len},
			name);
	put_value(map, "value", value);
	if (value.len > 0)
		put_origin(map, !same(value, file), &config->origins[i]);
	if (!same(value, file))
		put_value(map, "file", file);
	if (!same(value, back))
		put_value(map, "read_back", back);
}

static void put_instrument(struct map *reply, const struct instrument *instrument)
{
	const struct config_instrument *config = instrument->config;
	const struct assay_setting *settings = config->driver->settings;
	struct map map, row;
	size_t count = 0;
	while (settings != NULL && settings[count].name != NULL)
		count++;
	map_key(reply, "instrument");
	map_open(&map, reply->to);
	map_text(&map, "key", config->key);
	map_text(&map, "driver", config->driver->name);
	control_add_text(&map, "profile", config->profile);
	map_bool(&map, "changed", change_is_made(&instrument->change));
	map_key(&map, "settings");
	encode_array(map.to, count);
	for (size_t i = 0; i < count; i++) {
		map_open(&row, map.to);
		catalog_put_setting(&row, &settings[i]);
		put_present(&row, instrument, i);
		map_close(&row);
	}
	map_close(&map);
}

static int refuse_driver(struct control_call *call, const char *name)
{
	char known[300] = "";
	const struct catalog *catalog = call->core->catalog;
	for (size_t i = 0; i < catalog->count; i++) {
		size_t len = strlen(known);
		snprintf(known + len, sizeof known - len, "%s%s", i > 0 ? ", " : "",
			catalog->drivers[i].name);
	}
	return control_refuse(
		call, "not-found", "there is no driver %s; there are: %s", name, known);
}

int op_describe(struct control_call *call)
{
	const struct catalog *catalog = call->core->catalog;
	char name[65];
	const struct catalog_driver *driver = NULL;
	if (control_arg(call, "instrument")->given) {
		const struct instrument *instrument = control_instrument(call);
		if (instrument == NULL)
			return -ENOENT;
		put_instrument(&call->reply, instrument);
		return 0;
	}
	int r = control_copy_text(call, "driver", name, sizeof name);
	if (r == 0 && name[0] != '\0')
		driver = catalog_find(catalog, name);
	if (r < 0 || (name[0] != '\0' && driver == NULL))
		return refuse_driver(call, name);
	map_key(&call->reply, "drivers");
	encode_array(call->reply.to, driver != NULL ? 1 : catalog->count);
	for (size_t i = 0; i < catalog->count; i++) {
		if (driver == NULL || driver == &catalog->drivers[i])
			catalog_put(call->reply.to, &catalog->drivers[i]);
	}
	return 0;
}

/* --- set ------------------------------------------------------------------------------------- */

/* A change on its way, until the instrument has taken it. */
struct setting {
	struct instrument *instrument;
	struct control_ticket *ticket;
	struct audit_actor actor;
	struct buffer part, before; /* what was asked for; all that was in force */
};

static void setting_destroy(struct setting *set)
{
	buffer_finish(&set->part);
	buffer_finish(&set->before);
	free(set);
}

/* The value as it would stand in the file; false for what is no single value. */
static bool as_text(struct reader *r, char text[TEXT_SIZE])
{
	struct assay_string given;
	int64_t integer;
	double number;
	bool flag;
	switch (read_peek(r)) {
	case READ_TEXT:
		if (read_text(r, &given) < 0 || given.len >= TEXT_SIZE)
			return false;
		memcpy(text, given.data, given.len);
		text[given.len] = '\0';
		return true;
	case READ_UINT:
	case READ_NEGINT:
		return read_int(r, &integer) == 0 &&
		       snprintf(text, TEXT_SIZE, "%lld", (long long)integer) > 0;
	case READ_FLOAT32:
	case READ_FLOAT64:
		if (read_double(r, &number) < 0)
			return false;
		decimal_from_double(text, number);
		return true;
	case READ_BOOL:
		return read_bool(r, &flag) == 0 &&
		       snprintf(text, TEXT_SIZE, "%s", flag ? "true" : "false") > 0;
	default: return false;
	}
}

static void add_why(struct buffer *errors, const char *text)
{
	if (errors->len > 0)
		buffer_append(errors, "; ", 2);
	buffer_append(errors, text, strlen(text));
}

/* Some settings only the files may say: a calibration, or what could harm the instrument. */
static bool is_settable(
	const struct catalog_driver *driver, const char *name, struct buffer *errors)
{
	const struct assay_setting *s = driver->settings;
	while (s != NULL && s->name != NULL && strcmp(s->name, name) != 0)
		s++;
	if (s == NULL || s->name == NULL || (s->flags & ASSAY_LIVE) != 0)
		return true; /* what is unknown is told by whoever reads it */
	char text[200];
	snprintf(text, sizeof text,
		"'%s' cannot be set at run time: change it in the configuration and reload", name);
	add_why(errors, text);
	return false;
}

static int add_setting(const struct catalog_driver *driver, const char *name, const char *text,
	struct buffer *part, struct buffer *errors)
{
	struct buffer one = {0}, merged = {0};
	char *why = NULL;
	if (!is_settable(driver, name, errors))
		return 0;
	int r = config_parse_setting(driver, name, text, &one, &why);
	if (r == -EINVAL)
		add_why(errors, why != NULL ? why : "?");
	free(why);
	if (r == 0) {
		r = config_merge(driver, (struct config_map){part->data, part->len},
			(struct config_map){one.data, one.len}, &merged, &why);
		free(why);
	}
	if (merged.len > 0) {
		buffer_finish(part);
		*part = merged;
	}
	buffer_finish(&one);
	return r == -EINVAL ? 0 : r;
}

/* The argument `settings` becomes CBOR by the driver's table, or a refusal with all errors. */
static int read_settings(
	struct control_call *call, const struct catalog_driver *driver, struct buffer *part)
{
	static struct reader r;
	const struct control_value *given = control_arg(call, "settings");
	struct buffer errors = {0};
	struct assay_string key;
	size_t pairs;
	int result = 0;
	read_init(&r, given->item.data, given->item.len);
	if (read_map(&r, &pairs) < 0 || pairs == 0 || pairs > SETTINGS_MAX)
		return control_refuse(call, "bad-argument",
			"settings must be a map of 1 to %d names with their values", SETTINGS_MAX);
	for (; pairs > 0 && result == 0 && read_key(&r, &key) == 0; pairs--) {
		char name[65], text[TEXT_SIZE];
		snprintf(name, sizeof name, "%.*s", (int)key.len, key.data);
		if (!as_text(&r, text)) {
			buffer_finish(&errors);
			return control_refuse(call, "bad-argument",
				"the value of '%s' must be a text as in the configuration, a "
				"number, true or false",
				name);
		}
		result = add_setting(driver, name, text, part, &errors);
	}
	if (result == 0 && read_finish(&r) < 0) {
		buffer_finish(&errors);
		return control_refuse(call, "bad-argument", "settings: %s", r.text);
	}
	if (result < 0)
		control_refuse(call, "busy", "there is no memory for it");
	else if (errors.len > 0)
		result = control_refuse(
			call, "refused", "%.*s", (int)errors.len, (const char *)errors.data);
	buffer_finish(&errors);
	return result;
}

/* name => value of all that was asked for, out of `all`. */
static void put_values(struct map *map, const struct buffer *part, const struct buffer *all)
{
	struct reader r;
	struct assay_string key;
	size_t pairs;
	struct map inner;
	map_key(map, "settings");
	map_open(&inner, map->to);
	read_init(&r, part->data, part->len);
	read_map(&r, &pairs);
	for (; pairs > 0 && read_key(&r, &key) == 0 && read_skip(&r) == 0; pairs--) {
		struct assay_span value = config_value(
			(struct config_map){all->data, all->len}, key);
		if (value.len == 0)
			continue;
		inner.pairs++;
		encode_text_n(inner.to, key.data, key.len);
		encode_raw(inner.to, value.data, value.len);
	}
	map_close(&inner);
}

/* {instrument, settings: {name: value}} for the audit. */
static void put_side(struct buffer *to, const struct instrument *instrument,
	const struct buffer *part, const struct buffer *all)
{
	struct map map;
	map_open(&map, to);
	map_text(&map, "instrument", instrument->config->key);
	put_values(&map, part, all);
	map_close(&map);
}

static void answer_set(void *arg, int r, const char *text)
{
	struct setting *set = arg;
	struct instrument *instrument = set->instrument;
	struct buffer pairs = {0}, before = {0}, after = {0};
	put_side(&before, instrument, &set->part, &set->before);
	put_side(&after, instrument, &set->part, &set->part);
	audit(instrument->all->audit, r < 0 ? "set-refused" : "set", &set->actor, &before, &after,
		r < 0 ? text : NULL);
	if (r < 0) {
		control_answer(set->ticket, NULL, 0, "refused", text);
	} else {
		struct map map = {.to = &pairs};
		put_values(&map, &set->part, &set->part);
		if (instrument->run != NULL)
			map_text(&map, "number", run_number(instrument->run));
		control_answer(set->ticket, &pairs, map.pairs, NULL, NULL);
	}
	buffer_finish(&pairs);
	buffer_finish(&before);
	buffer_finish(&after);
	setting_destroy(set);
}

static int begin_set(struct control_call *call, struct instrument *instrument, struct setting *set)
{
	struct config_map now = instrument_settings(instrument);
	set->actor = call->actor;
	buffer_append(&set->before, now.data, now.len);
	int r = read_settings(call, instrument->config->driver, &set->part);
	if (r < 0)
		return r;
	set->ticket = control_keep(call);
	if (set->ticket == NULL)
		return control_refuse(call, "busy", "too many requests are waiting");
	set->instrument = instrument;
	r = instrument_set(instrument, (struct config_map){set->part.data, set->part.len},
		&call->actor, answer_set, set);
	if (r == 0)
		return 0;
	char text[120];
	snprintf(text, sizeof text, "a run is open on %s, or another change is under way",
		instrument->config->key);
	control_answer(set->ticket, NULL, 0, "busy", r == -EBUSY ? text : strerror(-r));
	setting_destroy(set);
	return 0;
}

int op_set(struct control_call *call)
{
	struct instrument *instrument = control_instrument(call);
	if (instrument == NULL)
		return -ENOENT;
	struct setting *set = calloc(1, sizeof *set);
	if (set == NULL)
		return control_refuse(call, "busy", "there is no memory for it");
	int r = begin_set(call, instrument, set);
	if (r < 0)
		setting_destroy(set);
	return r;
}
