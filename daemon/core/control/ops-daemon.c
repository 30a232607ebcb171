/* SPDX-License-Identifier: Apache-2.0 */
/* The operations on the daemon and on instruments as a whole. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/access/access.h"
#include "core/commit/audit.h"
#include "core/commit/commit.h"
#include "core/commit/ledger.h"
#include "core/commit/publish.h"
#include "core/control/control.h"
#include "core/control/names.h"
#include "core/control/ops.h"
#include "core/core.h"
#include "core/instrument/instrument.h"
#include "core/keep/retention.h"
#include "core/port/supervise.h"
#include "core/reload.h"
#include "core/runs/rows.h"
#include "record/stamp.h"

/* --- status ---------------------------------------------------------------------------------- */

/* Nothing, while its run-start is not committed. */
static void add_open_run(struct map *map, const struct instrument *instrument)
{
	struct map inner;
	struct runs_row row;
	struct runs_search search = {.id = run_label(instrument->run)->id};
	if (runs_search(instrument->all->runs->rows, &search, &row) == 0)
		return;
	map_key(map, "run");
	map_open(&inner, map->to);
	map_text(&inner, "number", row.number);
	map_bytes(&inner, "id", row.id, sizeof row.id);
	map_uint(&inner, "frames", row.frames);
	map_uint(&inner, "start", row.start);
	control_add_text(&inner, "sample", row.sample);
	control_add_text(&inner, "operator", row.operator);
	map_close(&inner);
}

/* The last run on demand, if the daemon ended during it: a person should repeat it. */
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
	control_add_text(&map, "address", supervise_address(instrument->supervisor));
	map_bool(&map, "simulated", config->simulated);
	map_text(&map, "state", words_name(&words_device_state, (int)instrument->state));
	map_uint(&map, "since", instrument->since);
	control_add_text(&map, "code", instrument->code);
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
	control_add_text(&map, "faults", supervise_faults(instrument->supervisor));
	control_add_text(&map, "lacking", supervise_lacking(instrument->supervisor));
	map_text(&map, "topic", instrument->data_topic->text);
	if (instrument->run != NULL)
		add_open_run(&map, instrument);
	else
		add_interrupted(&map, instrument);
	map_close(&map);
}

static void add_live_queue(struct map *reply, const struct core *core)
{
	struct publisher_status status;
	struct map map;
	publisher_status(core->publisher, &status);
	map_key(reply, "live_queue");
	map_open(&map, reply->to);
	map_uint(&map, "bytes", status.bytes);
	map_uint(&map, "skipped", status.skipped);
	map_bool(&map, "full", status.is_full);
	map_close(&map);
	if (core->access != NULL)
		map_uint(reply, "refused", access_refusals(core->access));
}

static void add_journal(struct map *reply, const struct core *core)
{
	struct commit_status status;
	struct map map, keep;
	commit_status(core->commit, &status);
	map_key(reply, "journal");
	map_open(&map, reply->to);
	map_bytes(&map, "id", ledger_journal_id(core->ledger), JOURNAL_ID_SIZE);
	map_text(&map, "path", core->config->journal_path);
	control_add_text(&map, "why", core->journal_why);
	map_uint(&map, "head", status.head);
	map_uint(&map, "free", core->disk.free);
	map_text(&map, "disk", disk_level_name(core->disk.level));
	map_uint(&map, "queued_bytes", status.queued);
	map_uint(&map, "waiting_ns", status.waiting_ns);
	control_add_text(&map, "error", status.error != 0 ? strerror(-status.error) : NULL);
	const struct retention_summary *summary = retention_summary(core->retention);
	if (summary != NULL) {
		map_key(&map, "retention");
		map_open(&keep, map.to);
		map_uint(&keep, "looked", summary->looked);
		map_uint(&keep, "files", summary->files);
		map_uint(&keep, "bytes", summary->bytes);
		map_uint(&keep, "not_archived", summary->not_archived);
		map_uint(&keep, "not_passed", summary->not_passed);
		control_add_text(&keep, "held_by", summary->held_by);
		map_close(&keep);
	}
	map_close(&map);
}

/* How the kernel's clock is kept, as in the stamps of records; `unc` is its greatest error. */
static void add_clock(struct map *reply)
{
	struct stamp now = stamp_now();
	struct map map;
	map_key(reply, "clock");
	map_open(&map, reply->to);
	map_uint(&map, "utc", now.utc);
	map_text(&map, "sync", assay_sync_name(now.sync));
	if (now.unc != 0)
		map_uint(&map, "unc", now.unc);
	if (now.is_unread)
		map_bool(&map, "unread", true);
	map_close(&map);
}

/* Returns whether there is one; nothing is added to `to` NULL. */
static bool add_calibration(struct buffer *to, const struct config_calibration *calibration,
	const char *kind, const char *name, const char *step)
{
	struct map map;
	if (calibration == NULL || (calibration->id == NULL && calibration->to == 0))
		return false;
	if (to == NULL)
		return true;
	map_open(&map, to);
	map_text(&map, kind, name);
	map_text(&map, "step", step);
	map_text(&map, "id", calibration->id);
	if (calibration->from != 0)
		map_uint(&map, "from", calibration->from);
	if (calibration->to != 0)
		map_uint(&map, "until", calibration->to);
	map_close(&map);
	return true;
}

/* Those of instruments, then those of methods. */
static size_t add_calibrations(struct buffer *to, const struct config *config)
{
	size_t count = 0;
	for (size_t i = 0; i < config->instrument_count; i++)
		count += add_calibration(to, &config->instruments[i].calibration, "instrument",
			config->instruments[i].key, NULL);
	for (size_t i = 0; i < config->method_count; i++) {
		const struct config_method *method = &config->methods[i];
		for (size_t j = 0; j < method->step_count; j++)
			count += add_calibration(to, method->steps[j].calibration, "method",
				method->id, method->steps[j].name);
	}
	return count;
}

/* In the order of the configuration, and then those that end because it no longer has them. */
static void add_all(struct buffer *to, const struct core *core)
{
	const struct config *config = core->config;
	const struct instrument *instrument;
	size_t count = 0;
	list_for_each(instrument, &core->instruments.list, link) count++;
	encode_array(to, count);
	for (size_t i = 0; i < config->instrument_count; i++) {
		instrument = instrument_find(&core->instruments, config->instruments[i].key);
		if (instrument != NULL)
			add_instrument(to, instrument);
	}
	list_for_each(instrument, &core->instruments.list, link)
	{
		if (config_find(config, instrument->config->key) == NULL)
			add_instrument(to, instrument);
	}
}

struct status_args {
	struct assay_string instrument;
};

static int op_status(struct call *call)
{
	const struct status_args *args = call->args;
	const struct core *core = call->on;
	const struct instrument *one = NULL;
	if (args->instrument.len > 0) {
		one = control_instrument(call, args->instrument);
		if (one == NULL)
			return -ENOENT;
	}
	map_text(&call->reply, "site", core->config->site);
	map_text(&call->reply, "node", core->config->node);
	map_text(&call->reply, "timezone", core->config->timezone);
	map_text(&call->reply, "version", ASSAY_VERSION);
	map_uint(&call->reply, "started", core->started);
	map_bytes(&call->reply, "config", core->config->sha256, 32);
	control_add_text(&call->reply, "config_errors", core->config_errors);
	map_text(&call->reply, "live", core->config->live);
	add_live_queue(&call->reply, core);
	add_journal(&call->reply, core);
	add_clock(&call->reply);
	map_key(&call->reply, "calibrations");
	encode_array(call->reply.to, add_calibrations(NULL, core->config));
	add_calibrations(call->reply.to, core->config);
	map_key(&call->reply, "instruments");
	if (one != NULL) {
		encode_array(call->reply.to, 1);
		add_instrument(call->reply.to, one);
	} else {
		add_all(call->reply.to, core);
	}
	return 0;
}

/* --- reload, maintenance --------------------------------------------------------------------- */

struct reload_args {
	bool now;
};

struct reload_request {
	struct core *core;
	struct audit_actor actor;
	struct control_ticket *ticket;
};

static void answer_reload(void *arg, int r, const char *text)
{
	struct reload_request *request = arg;
	struct audit_trail *trail = &request->core->audit;
	if (r < 0) {
		audit_text(trail, "reload-refused", &request->actor, text);
		control_reject(request->ticket, r == -EBUSY ? "busy" : "refused", text);
	} else {
		if (audit_then(trail, "reload", &request->actor, NULL, NULL, NULL,
			    control_answer_committed, request->ticket) < 0)
			control_reject(request->ticket, "busy", "out of memory");
	}
	free(request);
}

static int op_reload(struct call *call)
{
	const struct reload_args *args = call->args;
	struct core *core = call->on;
	struct reload_request *request = malloc(sizeof *request);
	if (request == NULL)
		return call_refuse(call, "busy", "out of memory");
	*request = (struct reload_request){core, *call->actor, control_keep(call)};
	if (request->ticket == NULL) {
		free(request);
		return -ENOBUFS;
	}
	core_reload(core, args->now, answer_reload, request);
	return 0;
}

struct maintenance_args {
	struct assay_string instrument;
	bool on;
};

static int op_maintenance(struct call *call)
{
	const struct maintenance_args *args = call->args;
	struct core *core = call->on;
	struct instrument *instrument = control_instrument(call, args->instrument);
	if (instrument == NULL)
		return -ENOENT;
	const char *key = instrument->config->key;
	if (instrument_set_maintenance(instrument, args->on) < 0)
		return call_refuse(call, "busy", "a run is open on %s: stop it first", key);
	audit_text(&core->audit, args->on ? "maintenance-on" : "maintenance-off", call->actor, key);
	return 0;
}

const struct op control_daemon_ops[] = {
	{"help", "lists the operations and their arguments", .run = call_help},
	{"status", "the daemon, its journal, its instruments",
		OP_ARGS(struct status_args,
			{"instrument", KEY_TEXT, KEY_AT(struct status_args, instrument),
				.help = "only this one"}),
		.run = op_status},
	{"reload", "reads the configuration again; a wrong one changes nothing",
		OP_ARGS(struct reload_args, {"now", KEY_BOOL, KEY_AT(struct reload_args, now),
						    .help = "do not wait for open on-demand runs"}),
		.run = op_reload},
	{"maintenance", "takes an instrument out of service, or back",
		OP_ARGS(struct maintenance_args,
			{"instrument", KEY_TEXT, KEY_AT(struct maintenance_args, instrument),
				.required = true, .help = "its name in the configuration"},
			{"on", KEY_BOOL, KEY_AT(struct maintenance_args, on), .required = true,
				.help = "out of service, or back"}),
		.run = op_maintenance},
	{0},
};
