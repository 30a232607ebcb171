/* SPDX-License-Identifier: Apache-2.0 */
/* The operations on settings: describe shows them, set changes them at run time. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <assay/driver.h>

#include "core/commit/audit.h"
#include "core/control/control.h"
#include "core/control/names.h"
#include "core/control/ops.h"
#include "core/instrument/instrument.h"
#include "core/keep/jobs.h"
#include "core/port/supervise.h"
#include "record/decimal.h"
#include "record/keys.h"

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
	struct assay_span now = instrument_settings(instrument);
	struct assay_span value = keys_value(now, name);
	struct assay_span file = keys_value(config->settings, name);
	struct assay_span back = {0};
	if (machine_is_ready(instrument->machine.state))
		back = keys_value(
			(struct assay_span){instrument->settings.data, instrument->settings.len},
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
	map_text(&map, "link", config->port_name);
	control_add_text(&map, "address", supervise_address(instrument->supervisor));
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

struct describe_args {
	struct assay_string instrument, driver;
};

static int op_describe(struct call *call)
{
	const struct describe_args *args = call->args;
	const struct core *core = call->on;
	const struct catalog *catalog = core->catalog;
	const struct catalog_driver *driver = NULL;
	char name[65], known[300] = "";
	if (args->instrument.data != NULL) {
		const struct instrument *instrument = control_instrument(call, args->instrument);
		if (instrument == NULL)
			return -ENOENT;
		put_instrument(&call->reply, instrument);
		return 0;
	}
	if (text_copy(name, sizeof name, args->driver))
		driver = catalog_find(catalog, name);
	if (args->driver.len > 0 && driver == NULL) {
		for (size_t i = 0; i < catalog->count; i++)
			call_add_word(known, sizeof known, catalog->drivers[i].name);
		return call_refuse(
			call, "not-found", "there is no driver %s; known: %s", name, known);
	}
	map_key(&call->reply, "drivers");
	encode_array(call->reply.to, driver != NULL ? 1 : catalog->count);
	for (size_t i = 0; i < catalog->count; i++) {
		if (driver == NULL || driver == &catalog->drivers[i])
			catalog_put(call->reply.to, &catalog->drivers[i]);
	}
	return 0;
}

/* --- set ------------------------------------------------------------------------------------- */

/* A change under way, until the instrument has taken or refused it. */
struct setting {
	struct job job;
	struct core *core;
	char *key;                     /* of the instrument, which may go while drivers check */
	struct instrument *instrument; /* once it changes */
	const struct catalog_driver *driver;
	struct control_ticket *ticket;
	struct audit_actor actor;
	struct buffer part, before; /* the requested settings; all that were in force */
	struct buffer merged;       /* both */
	int result;                 /* of the driver's check, */
	char *why;                  /* and its reason */
};

static void setting_destroy(struct setting *set)
{
	buffer_finish(&set->part);
	buffer_finish(&set->before);
	buffer_finish(&set->merged);
	free(set->key);
	free(set->why);
	free(set);
}

/* Writes the value as in a file.  False: it is not a single value, or too long. */
static bool as_text(struct reader *r, char text[TEXT_SIZE])
{
	struct assay_string given;
	int64_t integer;
	double number;
	bool flag;
	switch (read_peek(r)) {
	case READ_TEXT: return read_text(r, &given) == 0 && text_copy(text, TEXT_SIZE, given);
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

/* Only files may change some settings: a calibration, or one that could do harm. */
static bool is_settable(
	const struct catalog_driver *driver, const char *name, struct buffer *errors)
{
	const struct assay_setting *s = driver->settings;
	while (s != NULL && s->name != NULL && strcmp(s->name, name) != 0)
		s++;
	if (s == NULL || s->name == NULL || (s->flags & ASSAY_LIVE) != 0)
		return true; /* config_parse_setting() reports an unknown name */
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
		r = config_merge(driver, (struct assay_span){part->data, part->len},
			(struct assay_span){one.data, one.len}, &merged, &why);
		free(why);
	}
	if (merged.len > 0) {
		buffer_finish(part);
		*part = merged;
	}
	buffer_finish(&one);
	return r == -EINVAL ? 0 : r;
}

/* Makes CBOR of the argument `settings` by the driver's table, or a refusal with all errors. */
static int read_settings(struct call *call, struct assay_span settings,
	const struct catalog_driver *driver, struct buffer *part)
{
	struct reader r;
	struct buffer errors = {0};
	struct assay_string key;
	size_t pairs;
	int result = 0;
	read_init(&r, settings.data, settings.len);
	if (read_map(&r, &pairs) < 0 || pairs == 0 || pairs > SETTINGS_MAX)
		return call_refuse(call, "bad-argument",
			"settings must be a map of 1 to %d names with their values", SETTINGS_MAX);
	for (; pairs > 0 && result == 0 && read_key(&r, &key) == 0; pairs--) {
		char name[65], text[TEXT_SIZE];
		snprintf(name, sizeof name, "%.*s", (int)key.len, key.data);
		if (!as_text(&r, text)) {
			buffer_finish(&errors);
			return call_refuse(call, "bad-argument",
				"the value of '%s' must be a text as in the configuration, a "
				"number, true or false",
				name);
		}
		result = add_setting(driver, name, text, part, &errors);
	}
	if (result == 0 && read_finish(&r) < 0) {
		buffer_finish(&errors);
		return call_refuse(call, "bad-argument", "settings: %s", r.text);
	}
	if (result < 0)
		call_refuse(call, "busy", "out of memory");
	else if (errors.len > 0)
		result = call_refuse(
			call, "refused", "%.*s", (int)errors.len, (const char *)errors.data);
	buffer_finish(&errors);
	return result;
}

/* Adds {settings: {name: value}} of the names in `part`, with their values in `all`. */
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
		struct assay_span value = keys_value((struct assay_span){all->data, all->len}, key);
		if (value.len == 0)
			continue;
		inner.pairs++;
		encode_text_n(inner.to, key.data, key.len);
		encode_raw(inner.to, value.data, value.len);
	}
	map_close(&inner);
}

/* {instrument, settings: {name: value}} for the audit. */
static void put_side(struct buffer *to, const struct setting *set, const struct buffer *all)
{
	struct map map;
	map_open(&map, to);
	map_text(&map, "instrument", set->key);
	put_values(&map, &set->part, all);
	map_close(&map);
}

static void audit_refusal(struct setting *set, const char *text)
{
	struct buffer before = {0}, after = {0};
	put_side(&before, set, &set->before);
	put_side(&after, set, &set->part);
	audit_put(&set->core->audit, "set-refused", &set->actor, &before, &after, text);
	buffer_finish(&before);
	buffer_finish(&after);
}

/* A new run has the settings: its run-start precedes the audit record. */
static void answer_set(void *arg, int r, const char *text)
{
	struct setting *set = arg;
	struct instrument *instrument = set->instrument;
	struct audit_trail *trail = &set->core->audit;
	struct buffer before = {0}, after = {0};
	if (r < 0) {
		audit_refusal(set, text);
		control_reject(set->ticket, "refused", text);
	} else {
		put_side(&before, set, &set->before);
		put_side(&after, set, &set->part);
		struct map *reply = control_reply(set->ticket);
		put_values(reply, &set->part, &set->part);
		if (instrument->run != NULL)
			map_text(reply, "number", run_label(instrument->run)->number);
		if (audit_then(trail, "set", &set->actor, &before, &after, NULL,
			    control_answer_committed, set->ticket) < 0)
			control_reject(set->ticket, "busy", "out of memory");
	}
	buffer_finish(&before);
	buffer_finish(&after);
	setting_destroy(set);
}

static void reject_set(struct setting *set, const char *code, const char *text)
{
	audit_refusal(set, text);
	control_reject(set->ticket, code, text);
	setting_destroy(set);
}

/* Whether the settings are still those that the driver has checked together with the new ones. */
static bool is_unchanged(const struct instrument *instrument, const struct setting *set)
{
	struct assay_span now = instrument_settings(instrument);
	return instrument->config->driver == set->driver && now.len == set->before.len &&
	       memcmp(now.data, set->before.data, now.len) == 0;
}

/* The driver's own rules on all settings, the changed ones among them. */
static void check_together(struct job *job)
{
	struct setting *set = (struct setting *)job;
	set->result = config_check_settings(set->core->catalog, set->driver,
		(struct assay_span){set->merged.data, set->merged.len}, &set->why);
}

static void on_checked(struct job *job, bool skipped)
{
	struct setting *set = (struct setting *)job;
	struct instrument *instrument = instrument_find(&set->core->instruments, set->key);
	char text[160];
	if (skipped || set->core->instruments.stopping) {
		reject_set(set, "busy", "the daemon is stopping");
	} else if (set->result < 0) {
		reject_set(set, set->result == -EINVAL ? "refused" : "busy",
			set->why != NULL ? set->why : strerror(-set->result));
	} else if (instrument == NULL || !is_unchanged(instrument, set)) {
		snprintf(text, sizeof text, "the settings of %s changed meanwhile", set->key);
		reject_set(set, "busy", text);
	} else {
		set->instrument = instrument;
		snprintf(text, sizeof text, "a run is open on %s, or another change is under way",
			set->key);
		int r = instrument_set(instrument, /* which may answer, and free `set` */
			(struct assay_span){set->part.data, set->part.len}, &set->actor, answer_set,
			set);
		if (r < 0)
			reject_set(set, "busy", r == -EBUSY ? text : strerror(-r));
	}
}

struct set_args {
	struct assay_string instrument;
	struct assay_span settings;
};

/* Reads the request and passes it to the driver's check; the rest follows in on_checked(). */
static int start_set(struct call *call, const struct instrument *instrument, struct setting *set)
{
	const struct set_args *args = call->args;
	struct assay_span now = instrument_settings(instrument);
	set->core = call->on;
	set->key = strdup(instrument->config->key);
	set->driver = instrument->config->driver;
	set->actor = *call->actor;
	buffer_append(&set->before, now.data, now.len);
	if (set->key == NULL || set->before.failed)
		return call_refuse(call, "busy", "out of memory");
	int r = read_settings(call, args->settings, set->driver, &set->part);
	if (r < 0)
		return r;
	r = config_merge(set->driver, now, (struct assay_span){set->part.data, set->part.len},
		&set->merged, &set->why);
	if (r < 0) {
		const char *text = set->why != NULL ? set->why : strerror(-r);
		audit_refusal(set, text);
		return call_refuse(call, r == -EINVAL ? "refused" : "busy", "%s", text);
	}
	set->ticket = control_keep(call);
	if (set->ticket == NULL)
		return -ENOBUFS;
	set->job = (struct job){.work = check_together, .done = on_checked};
	jobs_put(set->core->checks, &set->job);
	return 0;
}

static int op_set(struct call *call)
{
	const struct set_args *args = call->args;
	const struct instrument *instrument = control_instrument(call, args->instrument);
	if (instrument == NULL)
		return -ENOENT;
	struct setting *set = calloc(1, sizeof *set);
	if (set == NULL)
		return call_refuse(call, "busy", "out of memory");
	int r = start_set(call, instrument, set);
	if (r < 0)
		setting_destroy(set);
	return r;
}

const struct op control_settings_ops[] = {
	{"describe", "the settings that drivers have, or those of an instrument with their values",
		OP_ARGS(struct describe_args,
			{"instrument", KEY_TEXT, KEY_AT(struct describe_args, instrument),
				.help = "its settings with their present values"},
			{"driver", KEY_TEXT, KEY_AT(struct describe_args, driver),
				.help = "only this one"}),
		.run = op_describe},
	{"set", "changes settings of an instrument until the configuration is read again",
		OP_ARGS(struct set_args,
			{"instrument", KEY_TEXT, KEY_AT(struct set_args, instrument),
				.required = true, .help = "its name in the configuration"},
			{"settings", KEY_RAW, KEY_AT(struct set_args, settings), .required = true,
				.help = "{name: value}, as in the configuration"}),
		.run = op_set},
	{0},
};
