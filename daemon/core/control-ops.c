/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of the control socket, and the table that declares them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/audit.h"
#include "core/commit.h"
#include "core/control.h"
#include "core/instrument.h"
#include "core/ledger.h"
#include "core/runs.h"
#include "core/supervise.h"

#define RUNS_LIMIT 1000

/* --- help, status ---------------------------------------------------------------------------- */

static int op_help(struct control_call *call)
{
	static const char *const types[] = {[CONTROL_TEXT] = "text",
		[CONTROL_UINT] = "uint",
		[CONTROL_BOOL] = "bool",
		[CONTROL_ITEM] = "any"};
	struct map ops, op, args, arg;
	map_key(&call->reply, "ops");
	map_open(&ops, call->reply.to);
	for (const struct control_op *at = control_ops; at->name != NULL; at++) {
		map_key(&ops, at->name);
		map_open(&op, ops.to);
		map_text(&op, "help", at->help);
		map_key(&op, "args");
		map_open(&args, op.to);
		for (const struct control_arg *a = at->args; a->name != NULL; a++) {
			map_key(&args, a->name);
			map_open(&arg, args.to);
			map_text(&arg, "type", types[a->type]);
			map_bool(&arg, "required", a->required);
			map_text(&arg, "help", a->help);
			map_close(&arg);
		}
		map_close(&args);
		map_close(&op);
	}
	map_close(&ops);
	return 0;
}

static void add_text(struct map *map, const char *key, const char *text)
{
	if (text != NULL && text[0] != '\0')
		map_text(map, key, text);
}

static void add_open_run(struct map *map, const struct instrument *instrument)
{
	const struct run *run = instrument->run;
	struct map row;
	map_key(map, "run");
	map_open(&row, map->to);
	map_text(&row, "number", run_number(run));
	map_bytes(&row, "id", run_id(run), 16);
	map_uint(&row, "frames", run_frames(run));
	map_uint(&row, "start", run_started(run));
	add_text(&row, "sample", run_sample(run));
	add_text(&row, "operator", run_operator(run));
	map_close(&row);
}

static void add_instrument(struct buffer *to, const struct instrument *instrument)
{
	const struct config_instrument *config = instrument->config;
	struct map map;
	map_open(&map, to);
	map_text(&map, "key", config->key);
	map_text(&map, "driver", config->driver->name);
	map_text(&map, "technique", config->technique);
	map_text(&map, "link", config->port_name);
	map_bool(&map, "simulated", config->simulated);
	map_text(&map, "state", words_name(&words_device_state, (int)instrument->state));
	add_text(&map, "text", instrument->text);
	add_text(&map, "values", instrument->values);
	add_text(&map, "make", instrument->identity.make);
	add_text(&map, "model", instrument->identity.model);
	add_text(&map, "serial", instrument->identity.serial);
	add_text(&map, "fw", instrument->identity.fw);
	map_bool(&map, "hazard", instrument->hazard);
	map_uint(&map, "frames", instrument->frames);
	if (instrument->last_frame != 0)
		map_uint(&map, "last_frame", instrument->last_frame);
	map_uint(&map, "pid", (uint64_t)supervise_pid(instrument->supervisor));
	map_uint(&map, "worker_starts", supervise_starts(instrument->supervisor));
	map_text(&map, "topic", instrument->data_topic->text);
	if (instrument->run != NULL)
		add_open_run(&map, instrument);
	map_close(&map);
}

static void add_journal(struct map *reply, const struct core *core)
{
	struct commit_status status;
	struct map map;
	commit_status(core->commit, &status);
	map_key(reply, "journal");
	map_open(&map, reply->to);
	map_bytes(&map, "id", ledger_journal_id(core->ledger), JOURNAL_ID_SIZE);
	map_text(&map, "path", core->config->journal_path);
	map_uint(&map, "head", status.head);
	map_uint(&map, "queued_bytes", status.queued);
	map_uint(&map, "waiting_ns", status.waiting_ns);
	add_text(&map, "error", status.error != 0 ? strerror(-status.error) : NULL);
	map_close(&map);
}

static int op_status(struct control_call *call)
{
	const struct core *core = call->core;
	char wanted[33];
	if (control_copy_text(call, "instrument", wanted, sizeof wanted) < 0)
		return control_refuse(call, "not-found", "there is no instrument of that name");
	if (wanted[0] != '\0' && instrument_find(call->core, wanted) == NULL)
		return control_refuse(call, "not-found", "there is no instrument %s", wanted);
	map_text(&call->reply, "site", core->config->site);
	map_text(&call->reply, "node", core->config->node);
	map_text(&call->reply, "version", ASSAY_VERSION);
	map_uint(&call->reply, "started", core->started);
	map_bytes(&call->reply, "config", core->config->sha256, 32);
	map_text(&call->reply, "live", core->config->live);
	add_journal(&call->reply, core);
	size_t count = 0;
	struct instrument *instrument;
	list_for_each(instrument, &core->instruments, link)
		count += wanted[0] == '\0' || strcmp(wanted, instrument->config->key) == 0;
	map_key(&call->reply, "instruments");
	encode_array(call->reply.to, count);
	list_for_each(instrument, &core->instruments, link)
	{
		if (wanted[0] == '\0' || strcmp(wanted, instrument->config->key) == 0)
			add_instrument(call->reply.to, instrument);
	}
	return 0;
}

/* --- runs ------------------------------------------------------------------------------------ */

static void answer_run(void *arg, int r, const char *text, const struct run *run)
{
	struct buffer pairs = {0};
	if (r == 0) {
		struct map map = {.to = &pairs};
		map_text(&map, "number", run_number(run));
		map_bytes(&map, "run", run_id(run), 16);
		control_answer(arg, &pairs, map.pairs, NULL, NULL);
	} else {
		control_answer(arg, NULL, 0, "not-started", text);
	}
	buffer_finish(&pairs);
}

static struct instrument *find_instrument(struct control_call *call)
{
	char key[33], known[300] = "";
	struct instrument *instrument = NULL;
	if (control_copy_text(call, "instrument", key, sizeof key) == 0)
		instrument = instrument_find(call->core, key);
	if (instrument != NULL)
		return instrument;
	list_for_each(instrument, &call->core->instruments, link)
	{
		size_t len = strlen(known);
		snprintf(known + len, sizeof known - len, "%s%s", len > 0 ? ", " : "",
			instrument->config->key);
	}
	control_refuse(call, "not-found", "there is no such instrument; configured: %s",
		known[0] != '\0' ? known : "none");
	return NULL;
}

static int read_request(struct control_call *call, struct run_request *request)
{
	static const char *const texts[] = {"sample", "operator", "note"};
	char *to[] = {request->sample, request->operator, request->note };
	const size_t sizes[] = {
		sizeof request->sample, sizeof request->operator, sizeof request->note };
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (control_copy_text(call, texts[i], to[i], sizes[i]) < 0)
			return control_refuse(call, "bad-argument", "%s is longer than %zu bytes",
				texts[i], sizes[i] - 1);
	}
	const struct control_value *entered = control_arg(call, "entered");
	int way = entered->given ? words_find(&words_entry_way, entered->text) : 0;
	if (way < 0)
		return control_refuse(
			call, "bad-argument", "entered is one of scanned, typed, lims, instrument");
	request->entered = (enum entry_way)way;
	char method[65];
	if (control_copy_text(call, "method", method, sizeof method) < 0)
		return control_refuse(call, "not-found", "there is no method of that name");
	request->method = method[0] != '\0' ? config_find_method(call->core->config, method) : NULL;
	if (method[0] != '\0' && request->method == NULL)
		return control_refuse(call, "not-found",
			"there is no method %s; methods are files in methods.d", method);
	const struct control_value *refs = control_arg(call, "refs");
	if (refs->given)
		buffer_append(&request->refs, refs->item.data, refs->item.len);
	return 0;
}

static int op_run_start(struct control_call *call)
{
	struct instrument *instrument = find_instrument(call);
	if (instrument == NULL)
		return -ENOENT;
	struct run_request request = {.mode = CONFIG_ON_DEMAND, .actor = call->actor};
	int r = read_request(call, &request);
	if (r == 0 && (request.refs.len > 0 && run_refs_check(&request.refs) < 0))
		r = control_refuse(call, "bad-argument",
			"refs must be a list of {rel, run}: see the frame format");
	struct control_ticket *ticket = r == 0 ? control_keep(call) : NULL;
	if (r == 0 && ticket == NULL)
		r = control_refuse(call, "busy", "too many requests are waiting");
	if (r < 0) {
		run_request_finish(&request);
		return r;
	}
	request.answer = answer_run;
	request.arg = ticket;
	char text[WIRE_TEXT_MAX + 1] = "";
	r = instrument_start(instrument, &request, text, sizeof text);
	if (r < 0) {
		audit_text(call->core, "run-refused", &call->actor, text);
		control_answer(ticket, NULL, 0, r == -ENODEV ? "not-ready" : "refused", text);
	}
	return 0;
}

static int end_run(struct control_call *call, bool abort)
{
	struct instrument *instrument = find_instrument(call);
	if (instrument == NULL)
		return -ENOENT;
	if (instrument_stop(instrument, abort, &call->actor) < 0)
		return control_refuse(
			call, "not-found", "no run is open on %s", instrument->config->key);
	audit_text(call->core, abort ? "run-abort" : "run-stop", &call->actor,
		instrument->run != NULL ? run_number(instrument->run) : instrument->config->key);
	if (instrument->run != NULL)
		map_text(&call->reply, "number", run_number(instrument->run));
	return 0;
}

static int op_run_stop(struct control_call *call)
{
	return end_run(call, false);
}

static int op_run_abort(struct control_call *call)
{
	return end_run(call, true);
}

static void add_row(struct buffer *to, const struct runs_row *row)
{
	struct map map;
	map_open(&map, to);
	map_bytes(&map, "run", row->id, 16);
	map_text(&map, "number", row->number);
	map_text(&map, "instrument", row->instrument);
	map_text(&map, "sample", row->sample[0] != '\0' ? row->sample : "none");
	map_text(&map, "operator", row->operator[0] != '\0' ? row->operator : "none");
	map_uint(&map, "start", row->start);
	add_text(&map, "status", row->status);
	map_bool(&map, "sim", row->sim);
	map_text(&map, "topic", row->topic);
	map_uint(&map, "first", row->first);
	if (row->last != 0) {
		map_uint(&map, "last", row->last);
		map_uint(&map, "frames", row->frames);
	}
	map_close(&map);
}

static int op_runs(struct control_call *call)
{
	const struct runs *runs = call->core->runs;
	char instrument[33], sample[RUN_TEXT_MAX + 1];
	const struct control_value *limit = control_arg(call, "limit");
	size_t most = limit->given && limit->number < RUNS_LIMIT ? limit->number : RUNS_LIMIT;
	if (control_copy_text(call, "instrument", instrument, sizeof instrument) < 0 ||
		control_copy_text(call, "sample", sample, sizeof sample) < 0)
		return control_refuse(call, "bad-argument", "that name is too long for any run");
	const struct runs_row *found[RUNS_LIMIT];
	size_t count = 0;
	for (size_t i = runs_count(runs); i > 0 && count < most; i--) {
		const struct runs_row *row = runs_at(runs, i - 1);
		if ((instrument[0] == '\0' || strcmp(row->instrument, instrument) == 0) &&
			(sample[0] == '\0' || strcmp(row->sample, sample) == 0))
			found[count++] = row;
	}
	map_key(&call->reply, "runs");
	encode_array(call->reply.to, count);
	for (size_t i = 0; i < count; i++)
		add_row(call->reply.to, found[i]);
	return 0;
}

static int op_run_show(struct control_call *call)
{
	char number[RUN_NUMBER_MAX + 1];
	const struct runs_row *row = NULL;
	if (control_copy_text(call, "number", number, sizeof number) == 0)
		row = runs_find_number(call->core->runs, number);
	if (row == NULL)
		return control_refuse(call, "not-found", "there is no run of that number");
	map_key(&call->reply, "run");
	add_row(call->reply.to, row);
	return 0;
}

/* --- the daemon and its instruments ---------------------------------------------------------- */

static int op_reload(struct control_call *call)
{
	char *text = NULL;
	bool now = control_arg(call, "now")->flag;
	int r = core_reload(call->core, now, &text);
	if (r < 0)
		r = control_refuse(call, r == -EBUSY ? "busy" : "refused", "%s",
			text != NULL ? text : strerror(-r));
	audit_text(call->core, r < 0 ? "reload-refused" : "reload", &call->actor,
		text != NULL ? text : "");
	free(text);
	return r < 0 ? r : 0;
}

static int op_maintenance(struct control_call *call)
{
	struct instrument *instrument = find_instrument(call);
	if (instrument == NULL)
		return -ENOENT;
	bool on = control_arg(call, "on")->flag;
	if (instrument_set_maintenance(instrument, on) < 0)
		return control_refuse(call, "busy", "a run is open on %s: stop it first",
			instrument->config->key);
	audit_text(call->core, on ? "maintenance-on" : "maintenance-off", &call->actor,
		instrument->config->key);
	return 0;
}

const struct control_op control_ops[] = {
	{"help", "lists the operations and their arguments", {{0}}, op_help},
	{"status", "the daemon, its journal, its instruments",
		{{"instrument", CONTROL_TEXT, false, "only this one"}}, op_status},
	{"run-start", "starts a run; answered when its run-start is committed, or refused",
		{
			{"instrument", CONTROL_TEXT, true, "its name in the configuration"},
			{"sample", CONTROL_TEXT, false, "sample id"},
			{"operator", CONTROL_TEXT, false, "who works at the instrument"},
			{"method", CONTROL_TEXT, false, "id of a configured method"},
			{"note", CONTROL_TEXT, false, "a remark that stays with the run"},
			{"entered", CONTROL_TEXT, false,
				"how the sample id came: scanned, typed, lims, instrument"},
			{"refs", CONTROL_ITEM, false, "runs this one refers to: [{rel, run}]"},
		},
		op_run_start},
	{"run-stop", "ends the open run after the present frame",
		{{"instrument", CONTROL_TEXT, true, "its name in the configuration"}}, op_run_stop},
	{"run-abort", "ends the open run at once, the present frame is discarded",
		{{"instrument", CONTROL_TEXT, true, "its name in the configuration"}},
		op_run_abort},
	{"runs", "lists runs, newest first",
		{
			{"instrument", CONTROL_TEXT, false, "only of this one"},
			{"sample", CONTROL_TEXT, false, "only with this sample id"},
			{"limit", CONTROL_UINT, false, "at most so many"},
		},
		op_runs},
	{"run-show", "one run by its number",
		{{"number", CONTROL_TEXT, true, "such as bench-3/xrf-1/20261122-007"}},
		op_run_show},
	{"reload", "reads the configuration again; a wrong one changes nothing",
		{{"now", CONTROL_BOOL, false, "do not wait for open on-demand runs"}}, op_reload},
	{"maintenance", "takes an instrument out of service, or back",
		{
			{"instrument", CONTROL_TEXT, true, "its name in the configuration"},
			{"on", CONTROL_BOOL, true, "out of service, or back"},
		},
		op_maintenance},
	{0},
};
