/* SPDX-License-Identifier: Apache-2.0 */
/* The operations that record or spoil the bytes of a port. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "capture/capture.h"
#include "core/commit/audit.h"
#include "core/control/control.h"
#include "core/control/names.h"
#include "core/control/ops.h"
#include "core/instrument/instrument.h"
#include "core/instrument/state.h"
#include "core/port/recorder.h"
#include "core/port/supervise.h"
#include "record/text.h"
#include "wire/faults.h"

/* For the audit record at the end of a recording. */
struct capture {
	struct core *core;
	struct audit_actor actor;
	char key[33];
	uint64_t id;
};

static void put_audit(const struct capture *capture, const char *event, const char *how)
{
	char text[200];
	snprintf(text, sizeof text, "%s, recording %llu: %s", capture->key,
		(unsigned long long)capture->id, how);
	audit_text(&capture->core->audit, event, &capture->actor, text);
}

static void on_ended(void *arg, const char *why)
{
	struct capture *capture = arg;
	if (why != NULL)
		put_audit(capture, "capture-stop", why);
	free(capture);
}

static void copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from);
}

/* The port and all instruments on it, as they are now. */
static void fill_head(
	struct capture_head *head, const struct core *core, const struct instrument *wanted)
{
	const struct instrument *instrument;
	copy(head->site, sizeof head->site, core->config->site);
	copy(head->node, sizeof head->node, core->config->node);
	copy(head->version, sizeof head->version, ASSAY_VERSION);
	copy(head->link, sizeof head->link, port_kind_of(wanted->config->port.kind)->name);
	head->utc = clock_utc();
	head->mono = clock_boot();
	list_for_each(instrument, &core->instruments.list, link)
	{
		if (instrument->supervisor != wanted->supervisor ||
			head->unit_count == CAPTURE_UNITS_MAX)
			continue;
		if (instrument == wanted)
			head->unit = head->unit_count;
		struct capture_unit *unit = &head->units[head->unit_count++];
		const struct config_instrument *config = instrument->config;
		copy(unit->key, sizeof unit->key, config->key);
		copy(unit->driver, sizeof unit->driver, config->driver->name);
		copy(unit->make, sizeof unit->make, instrument->identity.make);
		copy(unit->model, sizeof unit->model, instrument->identity.model);
		copy(unit->serial, sizeof unit->serial, instrument->identity.serial);
		copy(unit->fw, sizeof unit->fw, instrument->identity.fw);
		unit->unit_id = config->unit_id;
		unit->simulated = config->simulated;
	}
}

struct capture_args {
	struct assay_string instrument;
	uint64_t id, wait;
};

static int op_capture_start(struct call *call)
{
	const struct capture_args *args = call->args;
	struct core *core = call->on;
	struct instrument *instrument = control_instrument(call, args->instrument);
	if (instrument == NULL)
		return -ENOENT;
	if (supervise_is_recording(instrument->supervisor))
		return call_refuse(call, "busy",
			"the port of %s is being recorded already: one recording at a time",
			instrument->config->key);
	struct capture *capture = calloc(1, sizeof *capture);
	struct capture_head *head = calloc(1, sizeof *head);
	struct recording *recording = NULL;
	if (capture != NULL && head != NULL) {
		struct recording_port port = supervise_recording_port(instrument->supervisor);
		capture->core = core;
		capture->actor = *call->actor;
		copy(capture->key, sizeof capture->key, instrument->config->key);
		fill_head(head, core, instrument);
		recording = recorder_start(core->recorder, head, &port, on_ended, capture);
	}
	free(head);
	if (recording == NULL) {
		free(capture);
		return call_refuse(call, "busy", "too many recordings are under way");
	}
	capture->id = recording_id(recording);
	put_audit(capture, "capture-start", "started");
	map_uint(&call->reply, "id", capture->id);
	return 0;
}

static struct recording *find(struct call *call)
{
	const struct capture_args *args = call->args;
	const struct core *core = call->on;
	struct recording *recording = recorder_find(core->recorder, args->id);
	if (recording == NULL)
		call_refuse(
			call, "not-found", "no such recording (it ends after 20 s without a read)");
	return recording;
}

static void answer_read(void *arg, const struct recording_piece *piece)
{
	if (piece == NULL) {
		control_reject(arg, "not-found", "the daemon is stopping");
		return;
	}
	map_bytes(control_reply(arg), "data", piece->data, piece->len);
	map_bool(control_reply(arg), "end", piece->is_end);
	control_answer(arg);
}

static int op_capture_read(struct call *call)
{
	const struct capture_args *args = call->args;
	struct recording *recording = find(call);
	if (recording == NULL)
		return -ENOENT;
	struct control_ticket *ticket = control_keep(call);
	if (ticket == NULL)
		return -ENOBUFS;
	if (recording_read(recording, args->wait, answer_read, ticket) < 0)
		control_reject(ticket, "busy", "another read of this recording is waiting");
	return 0;
}

static int op_capture_stop(struct call *call)
{
	struct recording *recording = find(call);
	if (recording == NULL)
		return -ENOENT;
	recording_stop(recording);
	return 0;
}

/* --- faults ----------------------------------------------------------------------------------- */

struct fault_args {
	struct assay_string instrument, faults;
};

static int op_fault(struct call *call)
{
	const struct fault_args *args = call->args;
	struct core *core = call->on;
	struct faults faults;
	struct instrument *at, *instrument = control_instrument(call, args->instrument);
	char text[FAULTS_TEXT_MAX], before[FAULTS_TEXT_MAX], why[FAULTS_WHY];
	char audit[FAULTS_TEXT_MAX + 40];
	if (instrument == NULL)
		return -ENOENT;
	if (!text_copy(text, sizeof text, args->faults))
		return call_refuse(call, "bad-argument", "at most %d bytes", FAULTS_TEXT_MAX - 1);
	if (faults_read(&faults, text, why) < 0)
		return call_refuse(call, "bad-argument", "%s", why);
	list_for_each(at, &core->instruments.list, link)
	{
		if (at->supervisor == instrument->supervisor && !at->config->simulated)
			return call_refuse(call, "refused",
				"%s is not simulated: a real instrument's data is never spoiled",
				at->config->key);
	}
	snprintf(before, sizeof before, "%s", supervise_faults(instrument->supervisor));
	supervise_set_faults(instrument->supervisor, faults_are_any(&faults) ? text : "off");
	bool is_change = strcmp(before, supervise_faults(instrument->supervisor)) != 0;
	list_for_each(at, &core->instruments.list, link)
	{
		if (is_change && at->supervisor == instrument->supervisor)
			state_faults(at);
	}
	snprintf(audit, sizeof audit, "%s: %s", instrument->config->key,
		faults_are_any(&faults) ? text : "off");
	audit_text(&core->audit, "faults", call->actor, audit);
	return 0;
}

const struct op control_capture_ops[] = {
	{"capture-start", "starts a recording of the bytes on an instrument's link",
		OP_ARGS(struct capture_args,
			{"instrument", KEY_TEXT, KEY_AT(struct capture_args, instrument),
				.required = true, .help = "its name in the configuration"}),
		.run = op_capture_start},
	{"capture-read", "the next bytes of a recording; waits until there are any",
		OP_ARGS(struct capture_args,
			{"id", KEY_UINT, KEY_AT(struct capture_args, id), .required = true,
				.help = "as capture-start returned it"},
			{"wait", KEY_UINT, KEY_AT(struct capture_args, wait),
				.help = "milliseconds, at most and by default 5000"}),
		.defaults = &(const struct capture_args){.wait = RECORDING_WAIT_MS},
		.run = op_capture_read},
	{"capture-stop", "ends a recording; the rest of it is read until `end`",
		OP_ARGS(struct capture_args,
			{"id", KEY_UINT, KEY_AT(struct capture_args, id), .required = true,
				.help = "as capture-start returned it"}),
		.run = op_capture_stop},
	{"fault", "spoils the bytes on the link of a simulated instrument, until the next call",
		OP_ARGS(struct fault_args,
			{"instrument", KEY_TEXT, KEY_AT(struct fault_args, instrument),
				.required = true, .help = "its name in the configuration"},
			{"faults", KEY_TEXT, KEY_AT(struct fault_args, faults), .required = true,
				.help = "such as delay=200ms drop=0.01, or off"}),
		.run = op_fault},
	{0},
};
