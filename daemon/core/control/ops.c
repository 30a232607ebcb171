/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of the control socket, and the table that declares them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/commit/audit.h"
#include "core/commit/commit.h"
#include "core/control/ops.h"
#include "core/reload.h"
#include "core/instrument/instrument.h"
#include "core/commit/ledger.h"
#include "core/keep/retention.h"
#include "core/runs/rows.h"
#include "core/port/supervise.h"

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

void control_add_text(struct map *map, const char *key, const char *text)
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
	control_add_text(&row, "sample", run_sample(run));
	control_add_text(&row, "operator", run_operator(run));
	map_close(&row);
}

/* The last run on demand came to no good end by itself: somebody should repeat it. */
static void add_interrupted(struct map *map, const struct instrument *instrument)
{
	struct runs_row row;
	struct runs_search search = {.instrument = instrument->config->key};
	if (instrument->config->acquire.mode == CONFIG_ON_DEMAND &&
		runs_search(instrument->all->runs->rows, &search, &row) > 0 &&
		strcmp(row.status, words_name(&words_run_status, RUN_STATUS_INTERRUPTED)) == 0)
		map_text(map, "interrupted", row.number);
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
	control_add_text(&map, "text", instrument->text);
	control_add_text(&map, "values", instrument->values);
	if (change_is_made(&instrument->change))
		map_bool(&map, "changed", true);
	control_add_text(&map, "make", instrument->identity.make);
	control_add_text(&map, "model", instrument->identity.model);
	control_add_text(&map, "serial", instrument->identity.serial);
	control_add_text(&map, "fw", instrument->identity.fw);
	map_bool(&map, "hazard", instrument->hazard);
	map_uint(&map, "frames", instrument->frames);
	if (instrument->last_frame != 0)
		map_uint(&map, "last_frame", instrument->last_frame);
	map_uint(&map, "pid", (uint64_t)supervise_pid(instrument->supervisor));
	map_uint(&map, "worker_starts", supervise_starts(instrument->supervisor));
	map_text(&map, "topic", instrument->data_topic->text);
	if (instrument->run != NULL)
		add_open_run(&map, instrument);
	else
		add_interrupted(&map, instrument);
	map_close(&map);
}

static void add_retention(struct map *journal, const struct retention_summary *summary)
{
	struct map map;
	if (summary == NULL)
		return;
	map_key(journal, "retention");
	map_open(&map, journal->to);
	map_uint(&map, "looked", summary->looked);
	map_uint(&map, "files", summary->files);
	map_uint(&map, "bytes", summary->bytes);
	map_uint(&map, "not_archived", summary->not_archived);
	map_uint(&map, "not_passed", summary->not_passed);
	control_add_text(&map, "held_by", summary->held_by);
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
	map_uint(&map, "free", core->disk.free);
	map_text(&map, "disk", disk_level_name(core->disk.level));
	map_uint(&map, "queued_bytes", status.queued);
	map_uint(&map, "waiting_ns", status.waiting_ns);
	control_add_text(&map, "error", status.error != 0 ? strerror(-status.error) : NULL);
	add_retention(&map, retention_summary(core->retention));
	map_close(&map);
}

static int op_status(struct control_call *call)
{
	const struct core *core = call->core;
	char wanted[33];
	if (control_copy_text(call, "instrument", wanted, sizeof wanted) < 0)
		return control_refuse(call, "not-found", "there is no instrument of that name");
	if (wanted[0] != '\0' && instrument_find(&call->core->instruments, wanted) == NULL)
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
	list_for_each(instrument, &core->instruments.list, link)
		count += wanted[0] == '\0' || strcmp(wanted, instrument->config->key) == 0;
	map_key(&call->reply, "instruments");
	encode_array(call->reply.to, count);
	list_for_each(instrument, &core->instruments.list, link)
	{
		if (wanted[0] == '\0' || strcmp(wanted, instrument->config->key) == 0)
			add_instrument(call->reply.to, instrument);
	}
	return 0;
}

struct instrument *control_instrument(struct control_call *call)
{
	char key[33], known[300] = "";
	struct instrument *instrument = NULL;
	if (control_copy_text(call, "instrument", key, sizeof key) == 0)
		instrument = instrument_find(&call->core->instruments, key);
	if (instrument != NULL)
		return instrument;
	list_for_each(instrument, &call->core->instruments.list, link)
	{
		size_t len = strlen(known);
		snprintf(known + len, sizeof known - len, "%s%s", len > 0 ? ", " : "",
			instrument->config->key);
	}
	control_refuse(call, "not-found", "there is no such instrument; configured: %s",
		known[0] != '\0' ? known : "none");
	return NULL;
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
	audit_text(&call->core->audit, r < 0 ? "reload-refused" : "reload", &call->actor,
		text != NULL ? text : "");
	free(text);
	return r < 0 ? r : 0;
}

static int op_maintenance(struct control_call *call)
{
	struct instrument *instrument = control_instrument(call);
	if (instrument == NULL)
		return -ENOENT;
	bool on = control_arg(call, "on")->flag;
	if (instrument_set_maintenance(instrument, on) < 0)
		return control_refuse(call, "busy", "a run is open on %s: stop it first",
			instrument->config->key);
	audit_text(&call->core->audit, on ? "maintenance-on" : "maintenance-off", &call->actor,
		instrument->config->key);
	return 0;
}

const struct control_op control_ops[] = {
	{"help", "lists the operations and their arguments", {{0}}, op_help},
	{"status", "the daemon, its journal, its instruments",
		{{"instrument", CONTROL_TEXT, false, "only this one"}}, op_status},
	{"describe", "what drivers can be told, or what an instrument was told",
		{
			{"instrument", CONTROL_TEXT, false,
				"its settings with their present values"},
			{"driver", CONTROL_TEXT, false, "only this one"},
		},
		op_describe},
	{"set", "changes settings of an instrument until the configuration is read again",
		{
			{"instrument", CONTROL_TEXT, true, "its name in the configuration"},
			{"settings", CONTROL_ITEM, true, "{name: value}, as in the configuration"},
		},
		op_set},
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
	{"run-repeat", "starts a run as another one was started; answered like run-start",
		{{"run", CONTROL_ITEM, true, "its number, or its UUID"}}, op_run_repeat},
	{"amend", "corrects what was said of a run; what was said stays and is shown beside it",
		{
			{"run", CONTROL_ITEM, true, "its number, or its UUID"},
			{"set", CONTROL_ITEM, true, "{sample, operator, note, valid}, any of them"},
			{"reason", CONTROL_TEXT, false, "why; a correction without is refused"},
		},
		op_amend},
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
	{"capture-start", "begins a recording of what goes over an instrument's link",
		{{"instrument", CONTROL_TEXT, true, "its name in the configuration"}},
		op_capture_start},
	{"capture-read", "the next bytes of a recording; waits until there are any",
		{
			{"id", CONTROL_UINT, true, "as capture-start said"},
			{"wait", CONTROL_UINT, false, "milliseconds, at most and by default 5000"},
		},
		op_capture_read},
	{"capture-stop", "ends a recording; what is left of it is read until `end`",
		{{"id", CONTROL_UINT, true, "as capture-start said"}}, op_capture_stop},
	{"archived", "says what was copied to an archive; answered when it is verified",
		{
			{"journal", CONTROL_TEXT, true, "its id, as its folder is named"},
			{"segments", CONTROL_ITEM, true,
				"[{first, last, sha256}]: seqs and digest"},
			{"to", CONTROL_TEXT, true, "where the copies are, for people"},
		},
		op_archived},
	{"cursor-forget", "forgets a durable cursor: what it had not read may be removed",
		{{"name", CONTROL_TEXT, true, "as its consumer calls it"}}, op_cursor_forget},
	{0},
};
