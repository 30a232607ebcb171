/* SPDX-License-Identifier: Apache-2.0 */
/* The operations that start, repeat and end runs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <assay/driver.h>

#include "core/commit/audit.h"
#include "core/control/control.h"
#include "core/control/names.h"
#include "core/control/ops.h"
#include "core/core.h"
#include "core/instrument/instrument.h"
#include "core/runs/amends.h"

static void answer_run(void *arg, int r, const char *text, const struct run_label *run)
{
	if (r < 0) {
		control_reject(arg, "not-started", text);
		return;
	}
	map_text(control_reply(arg), "number", run->number);
	map_bytes(control_reply(arg), "run", run->id, 16);
	control_answer(arg);
}

/*
 * Requests the run of the instrument, and replies when it has started or failed.  `repeats` is the
 * number of the run that it repeats, or NULL.  Takes what the request owns.
 */
static int start(struct call *call, struct instrument *instrument, struct run_request *request,
	const char *repeats)
{
	struct core *core = call->on;
	char text[WIRE_TEXT_MAX + 1] = "";
	struct control_ticket *ticket = control_keep(call);
	if (ticket == NULL) {
		run_request_finish(request);
		return -ENOBUFS;
	}
	request->answer = answer_run;
	request->arg = ticket;
	int r = instrument_start(instrument, request, text, sizeof text);
	if (r < 0) {
		audit_text(&core->audit, "run-refused", call->actor, text);
		control_reject(ticket, r == -ENODEV ? "not-ready" : "refused", text);
	} else if (repeats != NULL) {
		audit_text(&core->audit, "run-repeat", call->actor, repeats);
	}
	return 0;
}

/* --- run-start ------------------------------------------------------------------------------- */

struct start_args {
	struct assay_string instrument, method;
	char sample[RUN_TEXT_MAX + 1], operator[RUN_TEXT_MAX + 1], note[RUN_TEXT_MAX + 1];
	enum entry_way entered;
	struct assay_span refs;
};

static int op_run_start(struct call *call)
{
	const struct start_args *args = call->args;
	const struct core *core = call->on;
	struct run_request request = {
		.mode = CONFIG_ON_DEMAND, .actor = *call->actor, .entered = args->entered};
	struct instrument *instrument = control_instrument(call, args->instrument);
	if (instrument == NULL)
		return -ENOENT;
	char method[65];
	text_copy(method, sizeof method, args->method);
	if (args->method.len > 0 && args->method.len < sizeof method)
		request.method = config_find_method(core->config, method);
	if (args->method.len > 0 && request.method == NULL)
		return call_refuse(call, "not-found",
			"there is no method %s; methods are files in methods.d", method);
	memcpy(request.sample, args->sample, sizeof request.sample);
	memcpy(request.operator, args->operator, sizeof request.operator);
	memcpy(request.note, args->note, sizeof request.note);
	buffer_append(&request.refs, args->refs.data, args->refs.len);
	if (request.refs.len > 0 && run_refs_check(&request.refs) < 0) {
		run_request_finish(&request);
		return call_refuse(call, "bad-argument",
			"refs must be a list of {rel, run}: see the frame format");
	}
	return start(call, instrument, &request, NULL);
}

/* --- run-repeat ------------------------------------------------------------------------------ */

static bool is_in_method(const struct config_method *method, struct assay_string name)
{
	for (size_t i = 0; method != NULL && i < method->step_count; i++) {
		const struct assay_span *settings = &method->steps[i].settings;
		if (keys_value(*settings, name).len > 0)
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

/* The setting has another value of the same type now, and was not changed with `set` then. */
static bool was_other(const struct instrument *instrument, const struct past_run *past,
	struct assay_string name, struct assay_span value)
{
	struct assay_span now = keys_value(instrument_settings(instrument), name);
	struct assay_span set = {past->set.data, past->set.len};
	bool same = now.len == value.len && memcmp(now.data, value.data, now.len) == 0;
	return now.len > 0 && !same && now.data[0] >> 5 == value.data[0] >> 5 &&
	       keys_value(set, name).len == 0;
}

/* Copies those of the recorded settings `from` that the repeated run has again. */
static void copy_pairs(struct map *map, const struct instrument *instrument,
	const struct past_run *past, const struct buffer *from, const struct config_method *method)
{
	struct reader r;
	struct assay_string name;
	struct assay_span value;
	size_t pairs = 0;
	read_init(&r, from->data, from->len);
	if (from->len > 0)
		read_map(&r, &pairs);
	for (; pairs > 0 && read_key(&r, &name) == 0 && read_raw(&r, &value) == 0; pairs--) {
		struct assay_span sent = {past->sent.data, past->sent.len};
		if (from == &past->settings && keys_value(sent, name).len > 0)
			value = keys_value(sent, name);
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
 * Below its method the repeated run has the settings of the recorded one: those that `set` had
 * changed then, and those whose value is another one now.
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

static int make_request(struct call *call, const struct past_run *past,
	const struct instrument *instrument, struct run_request *request)
{
	struct core *core = call->on;
	const struct amended *now = amends_of(core->amends, past->row.id);
	snprintf(request->sample, sizeof request->sample, "%s", amends_sample(&past->row, now));
	snprintf(request->operator, sizeof request->operator, "%s",
		amends_operator(&past->row, now));
	snprintf(request->note, sizeof request->note, "%s", amends_note(past, now));
	if (now == NULL || (now->keys & AMEND_SAMPLE) == 0)
		request->entered = past->entered;
	if (past->method[0] != '\0') {
		request->method = config_find_method(core->config, past->method);
		if (request->method == NULL)
			return call_refuse(
				call, "refused", "method %s is no longer configured", past->method);
		if (memcmp(request->method->sha256, past->method_sha256,
			    sizeof past->method_sha256) != 0)
			return call_refuse(call, "refused",
				"method %s has changed since that run; use `assayctl run start`",
				past->method);
	}
	copy_settings(request, instrument, past);
	put_reference(request, &past->row);
	if (request->settings.failed || request->refs.failed)
		return call_refuse(call, "busy", "out of memory");
	return 0;
}

static int start_again(struct call *call, const struct past_run *past)
{
	struct core *core = call->on;
	struct instrument *instrument = instrument_find(&core->instruments, past->row.instrument);
	struct run_request request = {.mode = CONFIG_ON_DEMAND, .actor = *call->actor};
	if (instrument == NULL)
		return call_refuse(call, "not-found", "instrument %s is no longer configured",
			past->row.instrument);
	if (instrument->config->acquire.mode != CONFIG_ON_DEMAND)
		return call_refuse(
			call, "refused", "%s starts its runs by itself", past->row.instrument);
	int r = make_request(call, past, instrument, &request);
	if (r == 0)
		return start(call, instrument, &request, past->row.number);
	run_request_finish(&request);
	return r;
}

struct repeat_args {
	struct run_name run;
};

static int op_run_repeat(struct call *call)
{
	const struct repeat_args *args = call->args;
	struct past_run past;
	int r = control_past_run(call, &args->run, &past);
	if (r == 0)
		r = start_again(call, &past);
	past_run_finish(&past);
	return r;
}

/* --- run-stop, run-abort --------------------------------------------------------------------- */

struct stop_args {
	struct assay_string instrument;
};

/* The run's number is told when the audit record is committed, which follows its run-start. */
static int stop(struct call *call, bool abort)
{
	const struct stop_args *args = call->args;
	struct core *core = call->on;
	struct buffer after = {0};
	struct instrument *instrument = control_instrument(call, args->instrument);
	if (instrument == NULL)
		return -ENOENT;
	struct control_ticket *ticket = control_keep(call);
	if (ticket == NULL)
		return -ENOBUFS;
	const char *key = instrument->config->key;
	const char *number = instrument->run != NULL ? run_label(instrument->run)->number : NULL;
	map_text(control_reply(ticket), "number", number);
	encode_text(&after, number != NULL ? number : key);
	if (instrument_stop(instrument, abort, call->actor) < 0) {
		char text[80];
		snprintf(text, sizeof text, "no run is open on %s", key);
		control_reject(ticket, "not-found", text);
	} else if (audit_then(&core->audit, abort ? "run-abort" : "run-stop", call->actor, NULL,
			   &after, NULL, control_answer_committed, ticket) < 0) {
		control_reject(ticket, "busy", "out of memory");
	}
	buffer_finish(&after);
	return 0;
}

static int op_run_stop(struct call *call)
{
	return stop(call, false);
}

static int op_run_abort(struct call *call)
{
	return stop(call, true);
}

const struct op control_run_ops[] = {
	{"run-start", "starts a run; answered when its run-start is committed, or refused",
		OP_ARGS(struct start_args,
			{"instrument", KEY_TEXT, KEY_AT(struct start_args, instrument),
				.required = true, .help = "its name in the configuration"},
			{"sample", KEY_CHARS, KEY_AT(struct start_args, sample),
				.help = "sample id"},
			{"operator", KEY_CHARS, KEY_AT(struct start_args, operator),
				.help = "the person at the instrument"},
			{"method", KEY_TEXT, KEY_AT(struct start_args, method),
				.help = "id of a configured method"},
			{"note", KEY_CHARS, KEY_AT(struct start_args, note),
				.help = "a remark that stays with the run"},
			{"entered", KEY_WORD, KEY_AT(struct start_args, entered),
				.words = &words_entry_way,
				.help = "how the sample id came: scanned, typed, lims, instrument"},
			{"refs", KEY_RAW, KEY_AT(struct start_args, refs),
				.help = "runs this one refers to: [{rel, run}]"}),
		.run = op_run_start},
	{"run-repeat", "starts a run as another one was started; answered like run-start",
		OP_ARGS(struct repeat_args,
			{"run", KEY_OTHER, KEY_AT(struct repeat_args, run), .required = true,
				.read = run_name_read, .help = "its number, or its UUID"}),
		.run = op_run_repeat},
	{"run-stop", "ends the open run after the present frame",
		OP_ARGS(struct stop_args,
			{"instrument", KEY_TEXT, KEY_AT(struct stop_args, instrument),
				.required = true, .help = "its name in the configuration"}),
		.run = op_run_stop},
	{"run-abort", "ends the open run at once, the present frame is discarded",
		OP_ARGS(struct stop_args,
			{"instrument", KEY_TEXT, KEY_AT(struct stop_args, instrument),
				.required = true, .help = "its name in the configuration"}),
		.run = op_run_abort},
	{0},
};
