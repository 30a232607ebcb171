/* SPDX-License-Identifier: Apache-2.0 */
/* The operations that start, repeat and end runs. */
#include <errno.h>
#include <math.h>
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
#include "core/runs/references.h"
#include "record/references.h"

static void answer_run(void *arg, int r, const char *text, const struct run_label *run)
{
	if (r < 0) {
		control_reject(arg, r == -EAGAIN ? "not-ready" : "not-started", text);
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

/* What decode() needs of other runs is read before anything is started. */
static int read_references(struct call *call, struct run_request *request)
{
	const struct core *core = call->on;
	char why[WIRE_TEXT_MAX];
	int r = references_read(core->runs, core->run_store.path, &request->refs,
		&request->references, why, sizeof why);
	const char *code = r == -EBADMSG ? "bad-argument" : r == -ENOENT ? "not-found" : "refused";
	return r < 0 ? call_refuse(call, code, "%s", why) : 0;
}

static int op_run_start(struct call *call)
{
	const struct start_args *args = call->args;
	const struct core *core = call->on;
	struct run_request request = {
		.mode = CONFIG_ON_DEMAND, .actor = *call->actor, .entered = args->entered};
	struct instrument *instrument = control_instrument(call, args->instrument);
	if (instrument == NULL)
		return -ENOENT;
	if (args->entered == ENTRY_FILE)
		return call_refuse(call, "bad-argument",
			"entered: file is of runs that are read from files, and the daemon sets "
			"it");
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
	int r = read_references(call, &request);
	if (r == 0)
		return start(call, instrument, &request, NULL);
	run_request_finish(&request);
	return r;
}

/* --- run-repeat ------------------------------------------------------------------------------ */

/* The run-start has the settings of the first step. */
static bool is_in_method(const struct config_method *method, struct assay_string name)
{
	return method != NULL && keys_value(method->steps[0].settings, name).len > 0;
}

/* A number, alone or as {v, u}. */
static bool number_of(struct assay_span value, double *number, struct assay_string *unit)
{
	struct assay_span inner = keys_value(value, string_of("v")),
			  of = keys_value(value, string_of("u"));
	struct reader r;
	*unit = (struct assay_string){0};
	read_init(&r, of.data, of.len);
	if (of.len > 0 && (read_text(&r, unit) < 0 || assay_string_is(*unit, "1")))
		unit->len = 0;
	value = inner.len > 0 ? inner : value;
	read_init(&r, value.data, value.len);
	return value.len > 0 && read_peek(&r) != READ_TEXT && read_peek(&r) != READ_BOOL &&
	       read_double(&r, number) == 0;
}

/* A value that was only read back may differ by a thousandth from one that was sent. */
static bool is_same_value(struct assay_span a, struct assay_span b)
{
	double x, y;
	struct assay_string unit;
	if (a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0))
		return true;
	return number_of(a, &x, &unit) && number_of(b, &y, &unit) && fabs(x - y) <= 1e-3 * fabs(y);
}

static void value_text(char *text, size_t size, struct assay_span value)
{
	double number;
	struct assay_string unit;
	if (value.len == 0)
		snprintf(text, size, "not set");
	else if (number_of(value, &number, &unit))
		snprintf(text, size, "%.6g%s%.*s", number, unit.len > 0 ? " " : "", (int)unit.len,
			unit.len > 0 ? unit.data : "");
	else
		snprintf(text, size, "another");
}

/*
 * The value that the repeated run would have: of its request and the file, or of the instrument.
 * False: it cannot be known, or does not concern the run.
 */
static bool values_of(const struct instrument *instrument, const struct past_run *past,
	const struct assay_setting *s, struct assay_span *now, struct assay_span *was)
{
	struct assay_string name = string_of(s->name);
	struct assay_span sent = {past->sent.data, past->sent.len};
	struct assay_span recorded = {past->settings.data, past->settings.len};
	struct assay_span back = {instrument->settings.data, instrument->settings.len};
	bool stays = (s->flags & ASSAY_STAYS) != 0;
	bool was_sent = sent.len == 0 || keys_value(sent, name).len > 0;
	*now = keys_value(instrument_settings(instrument), name);
	*was = keys_value(sent, name);
	if (was->len == 0 && (was_sent || stays))
		*was = keys_value(recorded, name);
	bool is_default =
		instrument->config->origins[s - instrument->config->driver->settings].file == NULL;
	if (now->len > 0)
		return was->len > 0 || (!stays && !is_default);
	if (!stays)
		return was_sent && was->len > 0;
	/* It is not named now: the instrument's own, as last read. */
	*now = keys_value(back, name);
	*was = keys_value(recorded, name);
	return s->type != ASSAY_TEXT && now->len > 0 && was->len > 0;
}

/*
 * Below its method the repeated run has the settings of the recorded one.  Those that people may
 * change at run time are sent again; 0, or -EINVAL with the others that differ, and their values, in
 * `why`.  A calibration is that of today.
 */
static int copy_settings(struct run_request *request, const struct instrument *instrument,
	const struct past_run *past, char *why, size_t size)
{
	struct map map;
	size_t used = 0;
	const struct assay_setting *s = instrument->config->driver->settings;
	map_open(&map, &request->settings);
	for (; s != NULL && s->name != NULL; s++) {
		struct assay_span now, was;
		char is[80], had[80];
		if ((s->flags & ASSAY_CALIBRATION) != 0 ||
			is_in_method(request->method, string_of(s->name)) ||
			!values_of(instrument, past, s, &now, &was) || is_same_value(now, was))
			continue;
		if ((s->flags & ASSAY_LIVE) != 0 && was.len > 0) {
			map_key(&map, s->name);
			encode_raw(map.to, was.data, was.len);
			continue;
		}
		value_text(is, sizeof is, now);
		value_text(had, sizeof had, was);
		int n = used < size ? snprintf(why + used, size - used, "%s%s is %s, was %s",
					      used > 0 ? "; " : "", s->name, is, had)
				    : 0;
		used += n > 0 ? (size_t)n : 0;
	}
	map_close(&map);
	return used > 0 ? -EINVAL : 0;
}

static void put_reference(struct buffer *to, const struct run_ref *ref)
{
	struct map map;
	map_open(&map, to);
	map_text(&map, "rel", words_name(&words_ref_kind, (int)ref->rel));
	map_bytes(&map, "run", ref->run, ASSAY_UUID_SIZE);
	if (ref->ctx != NULL)
		map_bytes(&map, "ctx", ref->ctx, ASSAY_SHA256_SIZE);
	map_close(&map);
}

/* The run that is repeated, and the runs that its decode() needed. */
static int put_references(struct run_request *request, const struct past_run *past)
{
	struct run_ref list[REFERENCES_MAX], kept[REFERENCES_MAX];
	size_t count, n = 0;
	int r = references_list(&past->refs, list, &count);
	kept[n++] = (struct run_ref){REF_REPEATS, past->row.id, past->row.ctx};
	for (size_t i = 0; r == 0 && i < count && n < REFERENCES_MAX; i++)
		if (references_has(list[i].rel))
			kept[n++] = list[i];
	encode_array(&request->refs, n);
	for (size_t i = 0; i < n; i++)
		put_reference(&request->refs, &kept[i]);
	return r;
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
	char why[WIRE_TEXT_MAX];
	if (copy_settings(request, instrument, past, why, sizeof why) < 0)
		return call_refuse(call, "refused",
			"it cannot be measured as it was: %s; use `assayctl run start`", why);
	int r = put_references(request, past);
	if (r < 0 || request->settings.failed || request->refs.failed)
		return call_refuse(call, "busy", "out of memory");
	return read_references(call, request);
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

/* The reply has the run's number and waits for the commit of the audit record, which follows its run-start. */
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
