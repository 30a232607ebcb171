/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of the control socket that start, end and show runs. */
#include <errno.h>
#include <string.h>

#include "core/audit.h"
#include "core/control-ops.h"
#include "core/instrument.h"
#include "core/runs.h"

#define RUNS_LIMIT 1000

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

int op_run_start(struct control_call *call)
{
	struct instrument *instrument = control_instrument(call);
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
	struct instrument *instrument = control_instrument(call);
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

int op_run_stop(struct control_call *call)
{
	return end_run(call, false);
}

int op_run_abort(struct control_call *call)
{
	return end_run(call, true);
}

/* Frames of an open run are counted where it is made. */
static uint64_t count_frames(struct core *core, const struct runs_row *row)
{
	const struct instrument *instrument = instrument_find(core, row->instrument);
	bool open = instrument != NULL && instrument->run != NULL &&
		    memcmp(run_id(instrument->run), row->id, sizeof row->id) == 0;
	return open ? run_frames(instrument->run) : row->frames;
}

static void add_row(struct core *core, struct buffer *to, const struct runs_row *row)
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
	map_text(&map, "topic", row->topic);
	map_uint(&map, "first", row->first);
	if (row->last != 0)
		map_uint(&map, "last", row->last);
	map_uint(&map, "frames", count_frames(core, row));
	map_close(&map);
}

int op_runs(struct control_call *call)
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
		add_row(call->core, call->reply.to, found[i]);
	return 0;
}

int op_run_show(struct control_call *call)
{
	char number[RUN_NUMBER_MAX + 1];
	const struct runs_row *row = NULL;
	if (control_copy_text(call, "number", number, sizeof number) == 0)
		row = runs_find_number(call->core->runs, number);
	if (row == NULL)
		return control_refuse(call, "not-found", "there is no run of that number");
	map_key(&call->reply, "run");
	add_row(call->core, call->reply.to, row);
	return 0;
}
