/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of the control socket about runs that were: list, show, amend, repeat. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <assay/driver.h>

#include "core/commit/item.h"
#include "core/runs/amends.h"
#include "core/commit/audit.h"
#include "core/control/ops.h"
#include "core/instrument/instrument.h"
#include "core/runs/past-run.h"

#define RUNS_LIMIT 1000

/* Frames of an open run are counted where it is made. */
static uint64_t count_frames(struct core *core, const struct runs_row *row)
{
	const struct instrument *instrument = instrument_find(&core->instruments, row->instrument);
	bool open = instrument != NULL && instrument->run != NULL &&
		    memcmp(run_id(instrument->run), row->id, sizeof row->id) == 0;
	return open ? run_frames(instrument->run) : row->frames;
}

static void add_amended(struct map *map, const struct amended *now)
{
	struct map inner;
	if (now == NULL)
		return;
	map_key(map, "amended");
	map_open(&inner, map->to);
	if ((now->keys & AMEND_SAMPLE) != 0)
		map_text(&inner, "sample", now->sample);
	if ((now->keys & AMEND_OPERATOR) != 0)
		map_text(&inner, "operator", now->operator);
	if ((now->keys & AMEND_NOTE) != 0)
		map_text(&inner, "note", now->note);
	if ((now->keys & AMEND_VALID) != 0)
		map_bool(&inner, "valid", now->valid);
	map_text(&inner, "reason", now->reason);
	map_text(&inner, "actor", now->actor);
	map_uint(&inner, "when", now->when);
	map_uint(&inner, "count", now->count);
	map_close(&inner);
}

static const char *or_none(const char *text)
{
	return text[0] != '\0' ? text : "none";
}

static void add_row(struct core *core, struct buffer *to, const struct runs_row *row)
{
	struct map map;
	map_open(&map, to);
	map_bytes(&map, "run", row->id, 16);
	map_text(&map, "number", row->number);
	map_text(&map, "instrument", row->instrument);
	map_text(&map, "sample", or_none(row->sample));
	map_text(&map, "operator", or_none(row->operator));
	map_uint(&map, "start", row->start);
	control_add_text(&map, "status", row->status);
	map_bool(&map, "sim", row->sim);
	map_bytes(&map, "journal", row->journal, sizeof row->journal);
	map_text(&map, "topic", row->topic);
	map_uint(&map, "first", row->first);
	if (row->last != 0)
		map_uint(&map, "last", row->last);
	map_uint(&map, "frames", count_frames(core, row));
	add_amended(&map, amends_of(core->amends, row->id));
	map_close(&map);
}

/* A sample is found by what it was called first and by what it is called now. */
static bool is_of_sample(struct core *core, const struct runs_row *row, const char *sample)
{
	return sample[0] == '\0' || strcmp(row->sample, sample) == 0 ||
	       strcmp(amends_sample(row, amends_of(core->amends, row->id)), sample) == 0;
}

int op_runs(struct control_call *call)
{
	struct core *core = call->core;
	char instrument[33], sample[RUN_TEXT_MAX + 1];
	const struct control_value *limit = control_arg(call, "limit");
	size_t most = limit->given && limit->number < RUNS_LIMIT ? limit->number : RUNS_LIMIT;
	if (control_copy_text(call, "instrument", instrument, sizeof instrument) < 0 ||
		control_copy_text(call, "sample", sample, sizeof sample) < 0)
		return control_refuse(call, "bad-argument", "that name is too long for any run");
	struct runs_search search = {.instrument = instrument[0] != '\0' ? instrument : NULL};
	struct runs_row row;
	struct buffer rows = {0};
	size_t count = 0;
	while (count < most && runs_search(core->runs, &search, &row) > 0) {
		if (!is_of_sample(core, &row, sample))
			continue;
		add_row(core, &rows, &row);
		count++;
	}
	map_key(&call->reply, "runs");
	encode_array(call->reply.to, count);
	encode_raw(call->reply.to, rows.data, rows.len);
	call->reply.to->failed |= rows.failed;
	buffer_finish(&rows);
	return 0;
}

static int find_run(struct control_call *call, struct runs_search *search, struct runs_row *row)
{
	if (runs_search(call->core->runs, search, row) > 0)
		return 0;
	return control_refuse(call, "not-found", "there is no such run; run list shows them");
}

int op_run_show(struct control_call *call)
{
	char number[RUN_NUMBER_MAX + 1];
	struct runs_search search = {.number = number};
	struct runs_row row;
	if (control_copy_text(call, "number", number, sizeof number) < 0)
		number[0] = '\0';
	int r = find_run(call, &search, &row);
	if (r < 0)
		return r;
	map_key(&call->reply, "run");
	add_row(call->core, call->reply.to, &row);
	return 0;
}

/* The run that the argument `run` names, by its number or its id, as its run-start has it. */
static int read_run(struct control_call *call, struct past_run *past)
{
	struct reader r;
	struct assay_string text;
	char number[RUN_NUMBER_MAX + 1] = "";
	const uint8_t *id = NULL;
	struct runs_row row;
	*past = (struct past_run){0};
	const struct assay_span *item = &control_arg(call, "run")->item;
	read_init(&r, item->data, item->len);
	if (read_peek(&r) == READ_TEXT && read_text(&r, &text) == 0 && text.len < sizeof number)
		memcpy(number, text.data, text.len);
	else if (read_peek(&r) != READ_BYTES || read_fixed(&r, 16, &id) < 0)
		return control_refuse(call, "bad-argument",
			"run is a number such as bench-3/xrf-1/20261122-007, or a UUID of 16 "
			"bytes");
	struct runs_search search = {.id = id, .number = id == NULL ? number : NULL};
	int e = find_run(call, &search, &row);
	if (e < 0)
		return e;
	e = past_run_read(past, call->core->run_store.path, &row);
	if (e < 0)
		return control_refuse(call, "not-found",
			"the beginning of %s cannot be read in its journal: %s", row.number,
			strerror(-e));
	return 0;
}

/* --- amend ----------------------------------------------------------------------------------- */

static int read_change_text(struct control_call *call, struct reader *r, struct amended *change,
	enum amend_key key, const char *name, char *to)
{
	struct assay_string text;
	if (read_peek(r) != READ_TEXT || read_text(r, &text) < 0 || text.len > RUN_TEXT_MAX)
		return control_refuse(call, "bad-argument", "%s must be a text of at most %d bytes",
			name, RUN_TEXT_MAX);
	memcpy(to, text.data, text.len);
	to[text.len] = '\0';
	change->keys |= key;
	return 0;
}

static int read_change(struct control_call *call, struct amended *change)
{
	static struct reader r;
	struct assay_string key;
	size_t pairs;
	const struct assay_span *item = &control_arg(call, "set")->item;
	read_init(&r, item->data, item->len);
	if (read_map(&r, &pairs) < 0 || pairs == 0)
		return control_refuse(call, "bad-argument",
			"set is a map of what is to be corrected: sample, operator, note, valid");
	int e = 0;
	for (; e == 0 && pairs > 0 && read_key(&r, &key) == 0; pairs--) {
		if (assay_string_is(key, "sample"))
			e = read_change_text(
				call, &r, change, AMEND_SAMPLE, "sample", change->sample);
		else if (assay_string_is(key, "operator"))
			e = read_change_text(
				call, &r, change, AMEND_OPERATOR, "operator", change->operator);
		else if (assay_string_is(key, "note"))
			e = read_change_text(call, &r, change, AMEND_NOTE, "note", change->note);
		else if (assay_string_is(key, "valid") && read_bool(&r, &change->valid) == 0)
			change->keys |= AMEND_VALID;
		else
			e = control_refuse(call, "bad-argument",
				"'%.*s' cannot be corrected like this; sample, operator and note "
				"are texts, valid is true or false",
				(int)(key.len < 64 ? key.len : 64), key.data);
	}
	if (e == 0 && read_finish(&r) < 0)
		e = control_refuse(call, "bad-argument", "set: %s", r.text);
	return e;
}

static int refuse_amend(struct control_call *call, const char *text)
{
	audit_text(&call->core->audit, "amend-refused", &call->actor, text);
	return control_refuse(call, "refused", "%s", text);
}

static int check_change(struct control_call *call, struct amended *change)
{
	const struct config *config = call->core->config;
	if (control_copy_text(call, "reason", change->reason, sizeof change->reason) < 0)
		return control_refuse(
			call, "bad-argument", "reason is longer than %d bytes", RUN_TEXT_MAX);
	if (change->reason[strspn(change->reason, " \t")] == '\0')
		return refuse_amend(call, "a correction needs a reason: give --reason");
	if (change->sample[0] == '\0' || config_sample_fits(config, change->sample))
		return 0;
	char text[300];
	snprintf(text, sizeof text,
		"the sample id does not match the site's pattern; a right one looks like %s",
		config->sample_example != NULL ? config->sample_example : config->sample_pattern);
	return refuse_amend(call, text);
}

/* An amend on its way to the disk. */
struct correction {
	struct control_ticket *ticket;
	struct core *core;
	uint8_t run[16];
};

static void on_amended(void *arg, const struct commit_item *item)
{
	struct correction *c = arg;
	struct buffer pairs = {0};
	struct map map = {.to = &pairs};
	struct runs_search search = {.id = c->run};
	struct runs_row row;
	if (runs_search(c->core->runs, &search, &row) > 0) {
		map_key(&map, "run");
		add_row(c->core, &pairs, &row);
	}
	control_answer(c->ticket, &pairs, map.pairs, NULL, NULL);
	buffer_finish(&pairs);
	free(c);
}

static int begin_amend(
	struct control_call *call, const struct past_run *past, const struct amended *change)
{
	struct correction *c = calloc(1, sizeof *c);
	if (c != NULL)
		c->ticket = control_keep(call);
	if (c == NULL || c->ticket == NULL) {
		free(c);
		return control_refuse(call, "busy", "too many requests are waiting");
	}
	c->core = call->core;
	memcpy(c->run, past->row.id, sizeof c->run);
	int r = amends_put(call->core->amends, past, change, &call->actor, on_amended, c);
	if (r == 0) {
		audit_text(&call->core->audit, "amend", &call->actor, past->row.number);
		return 0;
	}
	control_answer(c->ticket, NULL, 0, "refused",
		r == -EALREADY ? "all of that is so already" : strerror(-r));
	free(c);
	return 0;
}

int op_amend(struct control_call *call)
{
	struct past_run past;
	struct amended change = {.count = 0};
	int r = read_run(call, &past);
	if (r == 0)
		r = read_change(call, &change);
	if (r == 0)
		r = check_change(call, &change);
	if (r == 0)
		r = begin_amend(call, &past, &change);
	past_run_finish(&past);
	return r;
}

/* --- repeat ---------------------------------------------------------------------------------- */

static bool is_in_method(const struct config_method *method, struct assay_string name)
{
	for (size_t i = 0; method != NULL && i < method->step_count; i++) {
		const struct config_map *settings = &method->steps[i].settings;
		if (config_value(*settings, name).len > 0)
			return true;
	}
	return false;
}

static bool is_live(const struct catalog_driver *driver, struct assay_string name)
{
	for (const struct assay_setting *s = driver->settings; s != NULL && s->name != NULL; s++) {
		if (assay_string_is(name, s->name))
			return (s->flags & ASSAY_LIVE) != 0;
	}
	return false;
}

/* It is sent now with another value of the same kind, and was not set by hand then. */
static bool was_other(const struct instrument *instrument, const struct past_run *past,
	struct assay_string name, struct assay_span value)
{
	struct assay_span now = config_value(instrument_settings(instrument), name);
	struct config_map set = {past->set.data, past->set.len};
	bool same = now.len == value.len && memcmp(now.data, value.data, now.len) == 0;
	return now.len > 0 && !same && now.data[0] >> 5 == value.data[0] >> 5 &&
	       config_value(set, name).len == 0;
}

/* Copies those of the former settings that the repeated run is to have again. */
static void copy_pairs(struct map *map, const struct instrument *instrument,
	const struct past_run *past, const struct buffer *from, const struct config_method *method)
{
	static struct reader r;
	struct assay_string name;
	struct assay_span value;
	size_t pairs = 0;
	read_init(&r, from->data, from->len);
	if (from->len > 0)
		read_map(&r, &pairs);
	for (; pairs > 0 && read_key(&r, &name) == 0 && read_raw(&r, &value) == 0; pairs--) {
		struct config_map sent = {past->sent.data, past->sent.len};
		if (from == &past->settings && config_value(sent, name).len > 0)
			value = config_value(sent, name);
		bool wanted = from == &past->set || (was_other(instrument, past, name, value) &&
							    !is_in_method(method, name));
		if (!wanted || !is_live(instrument->config->driver, name))
			continue;
		map->pairs++;
		encode_text_n(map->to, name.data, name.len);
		encode_raw(map->to, value.data, value.len);
	}
}

/*
 * What lay beneath the method is as it was then: what had been set by hand, and what has another
 * value now.  What else the instrument read back then it had by itself.
 */
static void copy_settings(struct run_request *request, const struct instrument *instrument,
	const struct past_run *past)
{
	struct map map;
	map_open(&map, &request->settings);
	copy_pairs(&map, instrument, past, &past->set, request->method);
	copy_pairs(&map, instrument, past, &past->settings, request->method);
	map_close(&map);
}

static void put_reference(struct run_request *request, const struct runs_row *row)
{
	struct map map;
	encode_array(&request->refs, 1);
	map_open(&map, &request->refs);
	map_text(&map, "rel", words_name(&words_ref_kind, REF_REPEATS));
	map_bytes(&map, "run", row->id, sizeof row->id);
	map_bytes(&map, "ctx", row->ctx, sizeof row->ctx);
	map_close(&map);
}

static int copy_method(
	struct control_call *call, struct run_request *request, const struct past_run *past)
{
	if (past->method[0] == '\0')
		return 0;
	request->method = config_find_method(call->core->config, past->method);
	if (request->method == NULL)
		return control_refuse(
			call, "refused", "its method %s is not configured any more", past->method);
	if (memcmp(request->method->sha256, past->method_sha256, sizeof past->method_sha256) != 0)
		return control_refuse(call, "refused",
			"its method %s is another one now: start the run anew with run start",
			past->method);
	return 0;
}

static int make_request(struct control_call *call, const struct past_run *past,
	const struct instrument *instrument, struct run_request *request)
{
	const struct amended *now = amends_of(call->core->amends, past->row.id);
	snprintf(request->sample, sizeof request->sample, "%s", amends_sample(&past->row, now));
	snprintf(request->operator, sizeof request->operator, "%s",
		amends_operator(&past->row, now));
	snprintf(request->note, sizeof request->note, "%s", amends_note(past, now));
	bool same = now == NULL || (now->keys & AMEND_SAMPLE) == 0;
	request->entered = same ? past->entered : 0;
	int r = copy_method(call, request, past);
	if (r < 0)
		return r;
	copy_settings(request, instrument, past);
	put_reference(request, &past->row);
	if (request->settings.failed || request->refs.failed)
		return control_refuse(call, "busy", "there is no memory for it");
	return 0;
}

static int start_again(struct control_call *call, const struct past_run *past)
{
	struct instrument *instrument = instrument_find(
		&call->core->instruments, past->row.instrument);
	struct run_request request = {.mode = CONFIG_ON_DEMAND, .actor = call->actor};
	if (instrument == NULL)
		return control_refuse(call, "not-found", "there is no instrument %s any more",
			past->row.instrument);
	if (instrument->config->acquire.mode != CONFIG_ON_DEMAND)
		return control_refuse(
			call, "refused", "%s begins its runs by itself", past->row.instrument);
	int r = make_request(call, past, instrument, &request);
	if (r == 0)
		return control_start(call, instrument, &request, past->row.number);
	run_request_finish(&request);
	return r;
}

int op_run_repeat(struct control_call *call)
{
	struct past_run past;
	int r = read_run(call, &past);
	if (r == 0)
		r = start_again(call, &past);
	past_run_finish(&past);
	return r;
}
