/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of the control socket that start, end and show runs. */
#include <errno.h>
#include <string.h>

#include "core/commit/audit.h"
#include "core/control/ops.h"
#include "core/instrument/instrument.h"

static void answer_run(void *arg, int r, const char *text, const struct run_label *run)
{
	struct buffer pairs = {0};
	if (r == 0) {
		struct map map = {.to = &pairs};
		map_text(&map, "number", run->number);
		map_bytes(&map, "run", run->id, 16);
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

int control_start(struct control_call *call, struct instrument *instrument,
	struct run_request *request, const char *repeats)
{
	char text[WIRE_TEXT_MAX + 1] = "";
	struct control_ticket *ticket = control_keep(call);
	if (ticket == NULL) {
		run_request_finish(request);
		return control_refuse(call, "busy", "too many requests are waiting");
	}
	request->answer = answer_run;
	request->arg = ticket;
	int r = instrument_start(instrument, request, text, sizeof text);
	if (r < 0) {
		audit_text(&call->core->audit, "run-refused", &call->actor, text);
		control_answer(ticket, NULL, 0, r == -ENODEV ? "not-ready" : "refused", text);
	} else if (repeats != NULL) {
		audit_text(&call->core->audit, "run-repeat", &call->actor, repeats);
	}
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
	if (r == 0)
		return control_start(call, instrument, &request, NULL);
	run_request_finish(&request);
	return r;
}

static int end_run(struct control_call *call, bool abort)
{
	struct instrument *instrument = control_instrument(call);
	if (instrument == NULL)
		return -ENOENT;
	if (instrument_stop(instrument, abort, &call->actor) < 0)
		return control_refuse(
			call, "not-found", "no run is open on %s", instrument->config->key);
	audit_text(&call->core->audit, abort ? "run-abort" : "run-stop", &call->actor,
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
