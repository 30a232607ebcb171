/* SPDX-License-Identifier: Apache-2.0 */
/* The operations on recorded runs: list, show, amend. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/commit/item.h"
#include "core/runs/amends.h"
#include "core/commit/audit.h"
#include "core/control/control.h"
#include "core/control/names.h"
#include "core/control/ops.h"
#include "core/instrument/instrument.h"
#include "core/instrument/request.h"
#include "core/runs/past-run.h"

#define RUNS_LIMIT 1000

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

/* An entry's record as it was committed, if the journal still has it. */
static void add_record(const struct core *core, struct map *map, const char *key,
	const struct runs_row *row, uint64_t seq)
{
	struct buffer bytes = {0};
	struct assay_entry_view entry;
	if (past_entry_read(core->config->journal_path, row->journal, seq, &bytes) == 0 &&
		assay_entry_read(bytes.data, bytes.len, &entry) == 0) {
		map_key(map, key);
		encode_raw(map->to, entry.body.data, entry.body.len);
	}
	buffer_finish(&bytes);
}

static void add_row(
	struct core *core, struct buffer *to, const struct runs_row *row, bool with_records)
{
	struct map map;
	map_open(&map, to);
	map_bytes(&map, "run", row->id, 16);
	map_text(&map, "number", row->number);
	map_text(&map, "instrument", row->instrument);
	map_text(&map, "sample", row->sample[0] != '\0' ? row->sample : "none");
	map_text(&map, "operator", row->operator[0] != '\0' ? row->operator : "none");
	map_uint(&map, "start", row->start);
	control_add_text(&map, "status", row->status);
	map_bool(&map, "sim", row->sim);
	map_bytes(&map, "journal", row->journal, sizeof row->journal);
	map_text(&map, "topic", row->topic);
	map_uint(&map, "first", row->first);
	if (row->last != 0)
		map_uint(&map, "last", row->last);
	map_uint(&map, "frames", row->frames);
	map_text(&map, "quality", assay_quality_name((enum assay_quality_flag)row->quality));
	if (with_records)
		add_record(core, &map, "run_start", row, row->first);
	if (with_records && row->last != 0)
		add_record(core, &map, "run_end", row, row->last);
	add_amended(&map, amends_of(core->amends, row->id));
	map_close(&map);
}

/* --- runs, run-show -------------------------------------------------------------------------- */

struct runs_args {
	char instrument[ASSAY_TOKEN_MAX + 1], sample[RUN_TEXT_MAX + 1];
	uint64_t limit;
};

/* A sample finds the runs that had its id at their start, and those that were amended to it. */
static int op_runs(struct call *call)
{
	const struct runs_args *args = call->args;
	struct core *core = call->on;
	struct runs_search search = {
		.instrument = args->instrument[0] != '\0' ? args->instrument : NULL};
	struct runs_row row;
	struct buffer rows = {0};
	size_t count = 0;
	while (count < args->limit && count < RUNS_LIMIT &&
		runs_search(core->runs, &search, &row) > 0) {
		if (args->sample[0] != '\0' && strcmp(row.sample, args->sample) != 0 &&
			strcmp(amends_sample(&row, amends_of(core->amends, row.id)),
				args->sample) != 0)
			continue;
		add_row(core, &rows, &row, false);
		count++;
	}
	map_key(&call->reply, "runs");
	encode_array(call->reply.to, count);
	encode_raw(call->reply.to, rows.data, rows.len);
	call->reply.to->failed |= rows.failed;
	buffer_finish(&rows);
	return 0;
}

struct run_show_args {
	struct assay_string number;
	bool records;
};

static int op_run_show(struct call *call)
{
	const struct run_show_args *args = call->args;
	struct core *core = call->on;
	char number[RUN_NUMBER_MAX + 1];
	struct runs_search search = {.number = number};
	struct runs_row row;
	if (!text_copy(number, sizeof number, args->number) ||
		runs_search(core->runs, &search, &row) == 0)
		return call_refuse(call, "not-found", "there is no such run; run list shows them");
	map_key(&call->reply, "run");
	add_row(core, call->reply.to, &row, args->records);
	return 0;
}

/* --- amend ----------------------------------------------------------------------------------- */

struct amend_args {
	struct run_name run;
	struct assay_span set;
	char reason[RUN_TEXT_MAX + 1];
};

/* Row i is bit i of enum amend_key. */
static const struct keys change_keys = {
	.rows = (const struct key[]){{"sample", KEY_CHARS, KEY_AT(struct amended, sample)},
		{"operator", KEY_CHARS, KEY_AT(struct amended, operator)},
		{"note", KEY_CHARS, KEY_AT(struct amended, note)},
		{"valid", KEY_BOOL, KEY_AT(struct amended, valid)}, {0}}};

/* An amend on its way to the disk. */
struct correction {
	struct control_ticket *ticket;
	struct core *core;
	uint8_t run[16];
};

static void on_amended(void *arg, const struct commit_item *item)
{
	struct correction *c = arg;
	struct map *reply = control_reply(c->ticket);
	struct runs_search search = {.id = c->run};
	struct runs_row row;
	if (runs_search(c->core->runs, &search, &row) > 0) {
		map_key(reply, "run");
		add_row(c->core, reply->to, &row, false);
	}
	control_answer(c->ticket);
	free(c);
}

static int refuse_amend(struct call *call, const char *text)
{
	struct core *core = call->on;
	audit_text(&core->audit, "amend-refused", call->actor, text);
	return call_refuse(call, "refused", "%s", text);
}

static int put_amend(struct call *call, const struct past_run *past, const struct amended *change)
{
	struct core *core = call->on;
	char why[400], text[WIRE_TEXT_MAX + 1];
	if (change->reason[strspn(change->reason, " \t")] == '\0')
		return refuse_amend(call, "a correction needs a reason: give --reason");
	if (text_check_id(string_of(change->reason), why, sizeof why) < 0) {
		snprintf(text, sizeof text, "reason %s", why);
		return refuse_amend(call, text);
	}
	if (request_check_texts(core->config, change->sample, change->operator, change->note, text,
		    sizeof text) < 0)
		return refuse_amend(call, text);
	struct correction *c = calloc(1, sizeof *c);
	if (c == NULL)
		return call_refuse(call, "busy", "out of memory");
	c->ticket = control_keep(call);
	if (c->ticket == NULL) {
		free(c);
		return -ENOBUFS;
	}
	c->core = core;
	memcpy(c->run, past->row.id, sizeof c->run);
	int r = amends_put(core->amends, past, change, call->actor, on_amended, c);
	if (r == 0) {
		audit_text(&core->audit, "amend", call->actor, past->row.number);
		return 0;
	}
	control_reject(c->ticket, "refused", r == -EALREADY ? "nothing to change" : strerror(-r));
	free(c);
	return 0;
}

static int op_amend(struct call *call)
{
	const struct amend_args *args = call->args;
	struct amended change = {0};
	struct keys_found found;
	struct past_run past;
	struct reader r;
	read_init(&r, args->set.data, args->set.len);
	if (keys_read(&r, &change_keys, &change, &found) < 0)
		return call_refuse(call, "bad-argument",
			"set: %s; sample, operator and note are texts, valid is true or false",
			r.text);
	if (found.seen == 0)
		return call_refuse(call, "bad-argument",
			"set is a map of corrections: sample, operator, note, valid");
	change.keys = (unsigned)found.seen;
	memcpy(change.reason, args->reason, sizeof change.reason);
	int e = control_past_run(call, &args->run, &past);
	if (e == 0)
		e = put_amend(call, &past, &change);
	past_run_finish(&past);
	return e;
}

const struct op control_past_ops[] = {
	{"runs", "lists runs, newest first",
		OP_ARGS(struct runs_args,
			{"instrument", KEY_CHARS, KEY_AT(struct runs_args, instrument),
				.help = "only of this one"},
			{"sample", KEY_CHARS, KEY_AT(struct runs_args, sample),
				.help = "only with this sample id"},
			{"limit", KEY_UINT, KEY_AT(struct runs_args, limit),
				.help = "at most so many"}),
		.defaults = &(const struct runs_args){.limit = RUNS_LIMIT}, .run = op_runs},
	{"run-show", "one run by its number",
		OP_ARGS(struct run_show_args,
			{"number", KEY_TEXT, KEY_AT(struct run_show_args, number), .required = true,
				.help = "such as bench-3/xrf-1/20261122-007"},
			{"records", KEY_BOOL, KEY_AT(struct run_show_args, records),
				.help = "with its run-start and run-end"}),
		.run = op_run_show},
	{"amend", "corrects a run; the first entries stay and are shown beside the correction",
		OP_ARGS(struct amend_args,
			{"run", KEY_OTHER, KEY_AT(struct amend_args, run), .required = true,
				.read = run_name_read, .help = "its number, or its UUID"},
			{"set", KEY_RAW, KEY_AT(struct amend_args, set), .required = true,
				.help = "{sample, operator, note, valid}, any of them"},
			{"reason", KEY_CHARS, KEY_AT(struct amend_args, reason),
				.help = "why; a correction without is refused"}),
		.run = op_amend},
	{0},
};
