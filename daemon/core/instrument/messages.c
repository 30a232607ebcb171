/* SPDX-License-Identifier: Apache-2.0 */
/* The instrument's side of its port: messages of the worker become events of the machine. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LOG_TOPIC instrument->config->key
#include "base/clock.h"
#include "base/log.h"
#include "core/commit/audit.h"
#include "core/commit/item.h"
#include "core/instrument/identity.h"
#include "core/instrument/inside.h"
#include "core/instrument/request.h"
#include "core/instrument/state.h"
#include "core/runs/rows.h"
#include "record/text.h"

/* The worker keeps re-reading the identity in case the unit is swapped: report each unit once. */
static int reject_unit(struct instrument *instrument, const char *why)
{
	bool was_fault = instrument->state == DEVICE_STATE_FAULT;
	bool known = was_fault && strcmp(instrument->rejected, instrument->identity.serial) == 0;
	int r = instrument_apply(
		instrument, MACHINE_STRANGER, &(struct cause){.code = "identity", .text = why});
	waiting_fail(instrument, -EAGAIN, why);
	if (r < 0 || known)
		return r;
	text_copy(instrument->rejected, sizeof instrument->rejected,
		string_of(instrument->identity.serial));
	audit_text(instrument->all->audit, "identity-refused", NULL, why);
	if (was_fault)
		state_report(instrument, "identity");
	return 0;
}

static int take_identity(struct instrument *instrument, const struct wire_message *m)
{
	struct wire_identity found;
	char why[WIRE_TEXT_MAX];
	int r = wire_read_identity(m, &found);
	if (r < 0)
		return r;
	identity_take(instrument, &found);
	if (identity_refuses(instrument, why, sizeof why))
		return reject_unit(instrument, why);
	return instrument_apply(instrument, MACHINE_IDENTIFIED, NULL);
}

static void keep_settings(struct buffer *to, struct assay_span settings)
{
	buffer_reset(to);
	buffer_append(to, settings.data, settings.len);
}

/* The start that waited for this: requested like any other. */
static void start_waiting(struct instrument *instrument)
{
	char why[WIRE_TEXT_MAX];
	struct run_request request;
	if (instrument->machine.state != MACHINE_IDLE || !waiting_release(instrument, &request))
		return;
	struct run_request asked = {
		.actor = request.actor, .answer = request.answer, .arg = request.arg};
	int r = instrument_start(instrument, &request, why, sizeof why);
	if (r < 0)
		waiting_answer(instrument, &asked, r, why);
}

static int take_ready(struct instrument *instrument, const struct wire_message *m)
{
	struct assay_span settings;
	int r = wire_read_ready(m, &settings);
	if (r < 0)
		return r;
	keep_settings(&instrument->settings, settings);
	if (instrument->is_looking) {
		instrument->is_looking = false;
		return instrument_apply(instrument, MACHINE_FOUND, NULL);
	}
	keep_settings(&instrument->own, settings);
	supervise_worked(instrument->supervisor);
	r = instrument_apply(instrument, MACHINE_READY, NULL);
	if (r == 0)
		start_waiting(instrument);
	return r;
}

static int take_started(struct instrument *instrument, const struct wire_message *m)
{
	struct wire_started started;
	char why[WIRE_TEXT_MAX];
	int r = wire_read_started(m, &started);
	if (r < 0)
		return r;
	if (instrument->machine.state == MACHINE_BETWEEN) {
		instrument->request.mode = CONFIG_REPEAT;
		if (request_settle(instrument, &instrument->request, why, sizeof why) < 0)
			log_error("%s", why);
	}
	if (started.sample.len > 0 && instrument->run != NULL)
		run_compare_sample(instrument->run, started.sample);
	else if (started.sample.len > 0)
		request_take_sample(instrument, &instrument->request, started.sample);
	r = instrument_apply(instrument, MACHINE_STARTED, &(struct cause){.started = &started});
	if (r < 0)
		return r;
	if (started.settings.len > 0)
		keep_settings(&instrument->settings, started.settings);
	if (instrument->change.sent)
		change_settle(&instrument->change, 0, NULL);
	return 0;
}

/* A frame is committed: its bytes become credit again. */
static void on_committed(void *arg, const struct commit_item *item)
{
	supervise_release(arg, item->tag);
}

/* Ends the run, not the worker, which may measure with other instruments. */
static int spoil(struct instrument *instrument, const char *text)
{
	log_error("%s: the run is ended", text);
	audit_text(instrument->all->audit, "frame-refused", NULL, text);
	return instrument_apply(instrument, MACHINE_SPOIL,
		&(struct cause){.code = "frame-refused", .text = text, .abort = true});
}

static int take_frame(struct instrument *instrument, const struct wire_message *m)
{
	struct wire_frame frame;
	struct schema_error error = {0};
	char text[WIRE_TEXT_MAX];
	if (wire_read_frame(m, &frame) < 0)
		return -EBADMSG;
	int r = instrument_apply(instrument, MACHINE_FRAME, NULL);
	if (r < 0)
		return r;
	supervise_hold(instrument->supervisor);
	if (instrument->machine.state == MACHINE_SPOILED) {
		supervise_release(instrument->supervisor, m->size);
		return 0;
	}
	r = run_frame(
		instrument->run, &frame, m->size, on_committed, instrument->supervisor, &error);
	if (r == 0) {
		instrument->backoff = (struct backoff){0};
		instrument->frames++;
		instrument->last_frame = clock_utc();
		return 0;
	}
	snprintf(text, sizeof text, "a frame did not pass the check: %s: %s", error.path,
		r == -EBADMSG ? error.text : strerror(-r));
	supervise_release(instrument->supervisor, m->size);
	return spoil(instrument, text);
}

/* How a run ends that the worker could not finish, by its errno: a device that sends is not lost. */
static enum run_status status_of(struct assay_string code)
{
	bool is_gone = assay_string_is(code, "ENODEV") || assay_string_is(code, "ETIMEDOUT");
	return is_gone ? RUN_STATUS_LOST_DEVICE : RUN_STATUS_FAILED;
}

/* A START was refused, or the abort of a run between two of its steps came before it. */
static int take_not_started(
	struct instrument *instrument, struct assay_string code, const char *text)
{
	struct cause cause = {.text = text,
		.status = status_of(code),
		.error = -EPROTO,
		.why = text[0] != '\0' ? text : "the run was ended before it started"};
	struct change *change = &instrument->change;
	if (instrument->run != NULL && run_is_aborted(instrument->run) &&
		assay_string_is(code, "ECANCELED"))
		cause.status = RUN_STATUS_ABORTED;
	if (change->pending && instrument->machine.state == MACHINE_ARMED) {
		cause.text = NULL; /* it starts again, with the former settings or the new ones */
		if (change->sent)
			change_settle(change, -EPROTO, text);
		return instrument_apply(instrument, MACHINE_NOT_STARTED_CHANGED, &cause);
	}
	bool by_itself = instrument->config->acquire.mode != CONFIG_ON_DEMAND;
	return instrument_apply(
		instrument, by_itself ? MACHINE_NOT_STARTED_ITSELF : MACHINE_NOT_STARTED, &cause);
}

/* How a run ends if its next step does not start: an abort or a fault may have crossed with the end. */
static void end_short(const struct instrument *instrument, struct cause *cause)
{
	cause->status = RUN_STATUS_STOPPED;
	if (run_is_aborted(instrument->run)) {
		cause->status = RUN_STATUS_ABORTED;
	} else if (instrument->machine.state == MACHINE_BUSY_FAULT) {
		cause->status = RUN_STATUS_FAILED;
		cause->why = "the instrument failed between two steps";
	}
}

/* A measurement is complete: the method may have another step, the worker may repeat the run. */
static int end_complete(struct instrument *instrument, struct cause *cause)
{
	if (run_lacks_steps(instrument->run) && cause->status == RUN_STATUS_COMPLETE)
		end_short(instrument, cause);
	if (instrument->machine.state != MACHINE_BUSY)
		return instrument_apply(instrument, MACHINE_ENDED, cause);
	if (run_request(instrument->run)->mode != CONFIG_REPEAT)
		return instrument_apply(instrument,
			cause->why == NULL && run_next_step(instrument->run) ? MACHINE_ENDED_STEP
									     : MACHINE_ENDED,
			cause);
	int r = instrument_apply(instrument, MACHINE_ENDED_ROUND, cause);
	if (r < 0 || instrument->all->notice == NULL)
		return r;
	state_set(instrument, NULL, instrument->all->notice);
	return instrument_stop(instrument, false, NULL);
}

/* The run of a refused frame; the worker's own end of it may have crossed with the abort. */
static int end_spoiled(struct instrument *instrument, enum wire_end end)
{
	bool by_itself = instrument->config->acquire.mode != CONFIG_ON_DEMAND;
	struct cause cause = {.status = RUN_STATUS_FAILED};
	char why[sizeof instrument->text];
	if (end == WIRE_END_COMPLETE && run_request(instrument->run)->mode == CONFIG_REPEAT)
		return 0; /* the end of the repetition follows */
	text_copy(why, sizeof why, string_of(instrument->text));
	cause.text = cause.why = why;
	return instrument_apply(
		instrument, by_itself ? MACHINE_ENDED_SPOILED : MACHINE_ENDED, &cause);
}

static int take_ended(struct instrument *instrument, const struct wire_message *m)
{
	struct wire_ended ended;
	char text[WIRE_TEXT_MAX + 1];
	if (wire_read_ended(m, &ended) < 0)
		return -EBADMSG;
	text_copy(text, sizeof text, ended.text);
	if (instrument->machine.state == MACHINE_SPOILED && ended.end != WIRE_END_FAILED &&
		ended.end != WIRE_END_NOT_STARTED)
		return end_spoiled(instrument, ended.end);
	struct cause cause = {.error = -EPROTO,
		.why = text[0] != '\0' ? text : "the run was ended before it started"};
	switch (ended.end) {
	case WIRE_END_COMPLETE:
		if (instrument->run == NULL)
			return -EBADMSG;
		cause.status = text[0] != '\0' ? RUN_STATUS_STOPPED : RUN_STATUS_COMPLETE;
		cause.why = text[0] != '\0' ? text : NULL;
		return end_complete(instrument, &cause);
	case WIRE_END_STOPPED:
		cause.status = RUN_STATUS_STOPPED;
		if (instrument->run != NULL && instrument->change.pending) {
			cause.status = RUN_STATUS_COMPLETE;
			cause.why = "other settings";
		} else if (instrument->run != NULL) {
			cause.why = text;
		}
		return instrument_apply(instrument, MACHINE_ENDED, &cause);
	case WIRE_END_ABORTED:
		cause.status = RUN_STATUS_ABORTED;
		if (instrument->run != NULL)
			cause.why = text;
		return instrument_apply(instrument, MACHINE_ENDED, &cause);
	case WIRE_END_FAILED:
		cause.status = status_of(ended.code);
		cause.text = cause.why = text;
		return instrument_apply(instrument, MACHINE_FAILED, &cause);
	case WIRE_END_NOT_STARTED: return take_not_started(instrument, ended.code, text);
	}
	return -EBADMSG;
}

static int take_state(struct instrument *instrument, const struct wire_message *m)
{
	struct wire_state reported;
	if (wire_read_state(m, &reported) < 0)
		return -EBADMSG;
	int state = words_find(&words_device_state, reported.state);
	if (state < 0)
		return state;
	if (reported.values.len > 0) {
		state_progress(instrument, reported.values);
		return 0;
	}
	if (state == DEVICE_STATE_ARMED && instrument->change.sent)
		change_settle(&instrument->change, 0, NULL); /* the START has its settings */
	char code[33], text[WIRE_TEXT_MAX + 1];
	text_copy(code, sizeof code, reported.code);
	text_copy(text, sizeof text, reported.text);
	bool may_wait = instrument->state == DEVICE_STATE_ARMED ||
			instrument->state == DEVICE_STATE_IDLE; /* between two runs */
	if (state == DEVICE_STATE_ARMED && text[0] != '\0' && may_wait)
		state_set(instrument, NULL, text);
	if (state != DEVICE_STATE_FAULT)
		return 0; /* all other states are the core's to decide */
	return instrument_apply(instrument, MACHINE_TROUBLE,
		&(struct cause){.code = code[0] != '\0' ? code : NULL, .text = text});
}

static int take_hazard(struct instrument *instrument, const struct wire_message *m)
{
	bool on;
	if (wire_read_hazard(m, &on) < 0)
		return -EBADMSG;
	if (on == instrument->hazard)
		return 0;
	instrument->hazard = on;
	instrument_note_hazard(instrument);
	audit_text(instrument->all->audit, on ? "hazard-on" : "hazard-off", NULL,
		instrument->config->key);
	return 0;
}

static int take_message(void *arg, const struct wire_message *m)
{
	struct instrument *instrument = arg;
	switch (m->type) {
	case WIRE_OPENED: return 0;
	case WIRE_IDENTITY: return take_identity(instrument, m);
	case WIRE_READY: return take_ready(instrument, m);
	case WIRE_STARTED: return take_started(instrument, m);
	case WIRE_FRAME: return take_frame(instrument, m);
	case WIRE_ENDED: return take_ended(instrument, m);
	case WIRE_STATE: return take_state(instrument, m);
	case WIRE_HAZARD: return take_hazard(instrument, m);
	default: return -EBADMSG;
	}
}

static void lost(void *arg, const char *why)
{
	struct instrument *instrument = arg;
	if (why == NULL) {
		waiting_fail(instrument, -ENODEV,
			instrument->all->stopping ? "the daemon is stopping"
						  : "its configuration was changed");
		instrument_apply(instrument, MACHINE_GONE,
			&(struct cause){.text = "",
				.status = RUN_STATUS_STOPPED,
				.error = -ENODEV,
				.why = instrument->run != NULL ? NULL : "the daemon is stopping"});
		return;
	}
	/* A fault that the worker reported explains more than the end of its process. */
	char text[WIRE_TEXT_MAX + 1];
	bool is_explained = instrument->state == DEVICE_STATE_FAULT && instrument->text[0] != '\0';
	text_copy(text, sizeof text, string_of(is_explained ? instrument->text : why));
	instrument_apply(instrument, MACHINE_LOST,
		&(struct cause){.text = text,
			.status = RUN_STATUS_LOST_DEVICE,
			.error = -ENODEV,
			.why = text});
}

static struct unit setup(void *arg)
{
	const struct instrument *instrument = arg;
	const struct config_instrument *config = instrument->config;
	struct assay_span settings = instrument_settings(instrument);
	return (struct unit){
		.key = config->key,
		.driver = config->driver->name,
		.technique = config->technique,
		.unit_id = config->unit_id,
		.raw = config->raw,
		.settings = settings.data,
		.settings_len = settings.len,
	};
}

static const struct port *port(void *arg)
{
	const struct instrument *instrument = arg;
	return &instrument->config->port;
}

static void list_taken(void *arg, struct buffer *out)
{
	const struct instrument *instrument = arg;
	const struct config_instrument *config = instrument->config;
	if (port_kind_of(config->port.kind)->is_folder)
		runs_list_taken(instrument->all->runs->rows, config->key, config->simulated, out);
}

const struct port_unit_ops instrument_port_ops = {
	.setup = setup,
	.port = port,
	.taken = list_taken,
	.message = take_message,
	.lost = lost,
};
