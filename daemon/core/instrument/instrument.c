/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_TOPIC instrument->config->key
#include "base/clock.h"
#include "base/log.h"
#include "core/commit/audit.h"
#include "core/instrument/hazard.h"
#include "core/instrument/identity.h"
#include "core/instrument/instrument.h"
#include "core/commit/ledger.h"
#include "core/instrument/request.h"
#include "core/instrument/state.h"
#include "core/port/supervise.h"
#include "journal/journal.h"
#include "record/encode.h"
#include "record/record.h"
#include "record/topic.h"
#include "record/uuid.h"
#include "wire/wire.h"

#define RETRY_FIRST_NS NS_PER_S
#define RETRY_MAX_NS   (30 * NS_PER_S)

struct config_map instrument_settings(const struct instrument *instrument)
{
	return change_settings(&instrument->change, instrument->config->settings);
}

struct inst_id instrument_inst(const struct instrument *instrument)
{
	return run_inst(&instrument->identity, instrument->config);
}

static struct ledger_topic *make_topic(struct instrument *instrument, enum assay_record_type type)
{
	const struct config *config = instrument->all->config;
	char text[ASSAY_TOPIC_MAX + 1];
	int r = topic_make(text, topic_kind_of(type, instrument->config->simulated),
		instrument->config->technique, config->site, config->node, instrument->config->key);
	return r < 0 ? NULL : ledger_topic(instrument->all->runs->ledger, text);
}

int instrument_create(
	struct instruments *all, const struct config_instrument *config, struct instrument **out)
{
	struct instrument *instrument = calloc(1, sizeof *instrument);
	if (instrument == NULL)
		return -ENOMEM;
	instrument->all = all;
	instrument->config = config;
	instrument->state = DEVICE_STATE_OFF;
	instrument->data_topic = make_topic(instrument, ASSAY_RECORD_FRAME);
	instrument->state_topic = make_topic(instrument, ASSAY_RECORD_STATE);
	if (instrument->data_topic == NULL || instrument->state_topic == NULL) {
		free(instrument);
		return -ENOMEM;
	}
	instrument->hazard = hazard_is_noted(all->config->journal_path, config->key);
	list_append(&all->list, &instrument->link);
	*out = instrument;
	return 0;
}

void instrument_destroy(struct instrument *instrument)
{
	if (instrument == NULL)
		return;
	if (instrument->run != NULL)
		run_forget(instrument->run);
	list_remove(&instrument->link);
	buffer_finish(&instrument->settings);
	change_finish(&instrument->change);
	run_request_finish(&instrument->request);
	free(instrument);
}

struct instrument *instrument_find(const struct instruments *all, const char *key)
{
	struct instrument *instrument;
	list_for_each(instrument, &all->list, link)
	{
		if (strcmp(instrument->config->key, key) == 0)
			return instrument;
	}
	return NULL;
}

void instrument_attach(struct instrument *instrument, struct supervisor *supervisor)
{
	instrument->supervisor = supervisor;
	state_set(instrument, DEVICE_STATE_CONNECTING, NULL, "");
}

static void send_to_worker(struct instrument *instrument, struct buffer *message)
{
	supervise_send(instrument->supervisor, message);
	buffer_finish(message);
}

/* --- requests --------------------------------------------------------------------------------- */

/* {i, of, name}: a frame of a method with several steps carries it. */
static void write_step(struct buffer *to, const struct config_method *method, size_t step)
{
	struct map map;
	map_open(&map, to);
	map_uint(&map, "i", step + 1);
	map_uint(&map, "of", method->step_count);
	map_text(&map, "name", method->steps[step].name);
	map_close(&map);
}

static void send_start(
	struct instrument *instrument, const struct run_request *request, size_t step)
{
	static const enum wire_mode modes[] = {
		[CONFIG_ON_DEMAND] = WIRE_ONCE,
		[CONFIG_REPEAT] = WIRE_REPEAT,
		[CONFIG_CONTINUOUS] = WIRE_CONTINUOUS,
	};
	struct buffer message = {0}, place = {0};
	const struct buffer *settings = &request->steps.settings[step];
	struct wire_start start = {
		.mode = modes[request->mode],
		.every_ns = instrument->config->acquire.every_ns,
		.frames = instrument->config->acquire.frames,
	};
	start.settings = (struct assay_span){settings->data, settings->len};
	if (request->method != NULL && request->method->step_count > 1) {
		write_step(&place, request->method, step);
		start.step = (struct assay_span){place.data, place.len};
	}
	wire_write_start(&message, instrument->unit, &start);
	send_to_worker(instrument, &message);
	instrument->starting = instrument->change.sent = true;
	instrument->repeating = request->mode == CONFIG_REPEAT;
	buffer_finish(&place);
}

int instrument_start(
	struct instrument *instrument, struct run_request *request, char *text, size_t size)
{
	int r = request_check(instrument, request, text, size);
	if (r < 0) {
		run_request_finish(request);
		return r;
	}
	run_request_finish(&instrument->request);
	instrument->request = *request;
	*request = (struct run_request){0};
	state_set(instrument, DEVICE_STATE_ARMED, NULL, "");
	send_start(instrument, &instrument->request, 0);
	return 0;
}

bool instrument_is_active(const struct instrument *instrument)
{
	return instrument->run != NULL || instrument->starting || instrument->repeating;
}

int instrument_stop(struct instrument *instrument, bool abort, const struct audit_actor *actor)
{
	if (!instrument_is_active(instrument))
		return -ENOENT;
	struct buffer message = {0};
	if (abort)
		wire_write_abort(&message, instrument->unit);
	else
		wire_write_stop(&message, instrument->unit);
	send_to_worker(instrument, &message);
	if (instrument->run != NULL)
		run_asked_to_end(instrument->run, actor);
	return 0;
}

int instrument_stop_for(struct instrument *instrument, const char *why)
{
	int r = instrument_stop(instrument, false, NULL);
	if (r == 0 && instrument->run != NULL)
		run_end_reason(instrument->run, why);
	return r;
}

int instrument_set(struct instrument *instrument, struct config_map part,
	const struct audit_actor *actor, void (*answer)(void *arg, int r, const char *text),
	void *arg)
{
	bool on_demand = instrument->config->acquire.mode == CONFIG_ON_DEMAND;
	struct change *change = &instrument->change;
	if (change->pending || (on_demand && instrument_is_active(instrument)))
		return -EBUSY;
	int r = change_lay(change, instrument->config->driver, instrument->config->settings, part,
		answer, arg);
	if (r < 0)
		return r;
	if (instrument_is_active(instrument))
		instrument_stop(instrument, false, actor);
	else if (instrument->ready && !on_demand)
		instrument_rest(instrument);
	if (!instrument_is_active(instrument)) /* it goes with the next run, or connection */
		change_settle(change, 0, NULL);
	return 0;
}

void instrument_reconfigure(struct instrument *instrument, const struct config_instrument *config)
{
	instrument->config = config;
}

int instrument_set_maintenance(struct instrument *instrument, bool on)
{
	bool busy = instrument_is_active(instrument);
	if (on && busy && instrument->config->acquire.mode == CONFIG_ON_DEMAND)
		return -EBUSY;
	instrument->maintenance = on;
	if (on && busy)
		return instrument_stop(instrument, false, NULL);
	if (on)
		state_set(instrument, DEVICE_STATE_MAINTENANCE, NULL, "");
	else if (instrument->state == DEVICE_STATE_MAINTENANCE)
		instrument_rest(instrument);
	return 0;
}

/* May it begin runs that nobody asked for? */
static bool goes_by_itself(const struct instrument *instrument)
{
	return instrument->config->acquire.mode != CONFIG_ON_DEMAND && !instrument->all->stopping &&
	       !supervise_is_stopping(instrument->supervisor);
}

static void rest(struct instrument *instrument)
{
	if (instrument->maintenance) {
		state_set(instrument, DEVICE_STATE_MAINTENANCE, NULL, "");
		return;
	}
	if (!instrument->ready) {
		state_set(instrument, DEVICE_STATE_CONNECTING, NULL, "");
		return;
	}
	const char *notice = instrument->all->notice;
	state_set(instrument, DEVICE_STATE_IDLE, NULL, notice);
	if (notice != NULL || !goes_by_itself(instrument))
		return;
	struct run_request request = {.mode = instrument->config->acquire.mode};
	char text[WIRE_TEXT_MAX];
	if (instrument_start(instrument, &request, text, sizeof text) < 0)
		state_set(instrument, DEVICE_STATE_IDLE, NULL, text);
}

void instrument_rest(struct instrument *instrument)
{
	rest(instrument);
	if (!instrument_is_active(instrument))
		change_settle(
			&instrument->change, 0, NULL); /* what was set goes with the next run */
}

void instrument_tick(struct instrument *instrument)
{
	if (instrument->retry_at == 0 || clock_boot() < instrument->retry_at)
		return;
	if (instrument->state != DEVICE_STATE_FAULT || !instrument->ready ||
		instrument_is_active(instrument) || !goes_by_itself(instrument)) {
		instrument->retry_at = 0;
		return;
	}
	if (instrument->all->notice != NULL)
		return;
	instrument->retry_at = 0;
	struct run_request request = {.mode = instrument->config->acquire.mode};
	char text[WIRE_TEXT_MAX];
	if (request_settle(instrument, &request, text, sizeof text) < 0) {
		run_request_finish(&request);
		return;
	}
	run_request_finish(&instrument->request);
	instrument->request = request;
	send_start(instrument, &instrument->request, 0);
}

static struct run_subject subject_of(const struct instrument *instrument)
{
	return (struct run_subject){.config = instrument->all->config,
		.instrument = instrument->config,
		.identity = &instrument->identity,
		.topic = instrument->data_topic,
		.settings = {instrument->settings.data, instrument->settings.len}};
}

int instrument_renew(struct instrument *instrument)
{
	struct run_subject subject = subject_of(instrument);
	int r = run_renew(&instrument->run, &subject);
	if (r == 0)
		state_set(instrument, DEVICE_STATE_BUSY, NULL, run_number(instrument->run));
	return r;
}

/* --- what the worker says -------------------------------------------------------------------- */

/* The worker keeps re-reading the identity in case the unit is swapped: report each unit once. */
static void refuse_unit(struct instrument *instrument, const char *why)
{
	bool was_fault = instrument->state == DEVICE_STATE_FAULT;
	bool known = was_fault && strcmp(instrument->refused, instrument->identity.serial) == 0;
	state_set(instrument, DEVICE_STATE_FAULT, "identity", why);
	if (known)
		return;
	snprintf(
		instrument->refused, sizeof instrument->refused, "%s", instrument->identity.serial);
	audit_text(instrument->all->audit, "identity-refused", NULL, why);
	if (was_fault)
		state_tell(instrument, "identity");
}

static void go_or_refuse(struct instrument *instrument)
{
	struct buffer message = {0};
	char why[WIRE_TEXT_MAX];
	if (identity_refuses(instrument, why, sizeof why)) {
		refuse_unit(instrument, why);
		wire_write_refuse(&message, instrument->unit, why);
	} else {
		wire_write_go(&message, instrument->unit, instrument->hazard);
	}
	send_to_worker(instrument, &message);
}

static int take_identity(struct instrument *instrument, const struct wire_message *m)
{
	struct wire_identity found;
	int r = wire_read_identity(m, &found);
	if (r < 0)
		return r;
	struct run_identity *id = &instrument->identity;
	*id = (struct run_identity){.declared = found.declared};
	text_copy(id->make, sizeof id->make, found.make);
	text_copy(id->model, sizeof id->model, found.model);
	text_copy(id->serial, sizeof id->serial, found.serial);
	text_copy(id->fw, sizeof id->fw, found.fw);
	if (id->declared)
		identity_declare(instrument);
	instrument->identified = true;
	instrument->ready = false;
	go_or_refuse(instrument);
	return 0;
}

static int take_ready(struct instrument *instrument, const struct wire_message *m)
{
	struct assay_span settings;
	int r = wire_read_ready(m, &settings);
	if (r < 0 || !instrument->identified)
		return -EBADMSG;
	buffer_reset(&instrument->settings);
	buffer_append(&instrument->settings, settings.data, settings.len);
	instrument->ready = true;
	supervise_worked(instrument->supervisor);
	instrument->starting = instrument->repeating = false;
	if (instrument->run == NULL)
		instrument_rest(instrument);
	return 0;
}

static int take_started(struct instrument *instrument, const struct wire_message *m)
{
	struct wire_started started;
	int r = wire_read_started(m, &started);
	if (r < 0)
		return r;
	size_t step;
	if (instrument->run != NULL) { /* only the next step of a method begins within a run */
		bool asked = instrument->starting;
		instrument->starting = false;
		return asked && run_method(instrument->run, &step) != NULL && step > 0 ? 0
										       : -EBADMSG;
	}
	if (!instrument->starting && !instrument->repeating)
		return -EBADMSG;
	char why[WIRE_TEXT_MAX];
	if (!instrument->starting) { /* the next of a repetition */
		instrument->request.mode = CONFIG_REPEAT;
		if (request_settle(instrument, &instrument->request, why, sizeof why) < 0)
			log_error("%s", why);
	}
	instrument->starting = false;
	instrument->backoff = (struct backoff){0};
	struct run_subject subject = subject_of(instrument);
	r = run_begin(
		&instrument->run, instrument->all->runs, &subject, &instrument->request, &started);
	if (r < 0) {
		run_request_fail(
			&instrument->request, r, "cannot write the run-start: out of memory");
		return r;
	}
	state_set(instrument, DEVICE_STATE_BUSY, NULL, run_number(instrument->run));
	if (instrument->change.sent)
		change_settle(&instrument->change, 0, NULL);
	return 0;
}

static int take_frame(struct instrument *instrument, const struct wire_message *m)
{
	struct wire_frame frame;
	if (wire_read_frame(m, &frame) < 0 || instrument->run == NULL)
		return -EBADMSG;
	struct schema_error error = {0};
	int r = run_frame(instrument->run, &frame, m->size, supervise_release,
		instrument->supervisor, &error);
	if (r == 0) {
		supervise_hold(instrument->supervisor);
		instrument->frames++;
		instrument->last_frame = frame.utc;
		return 0;
	}
	char text[WIRE_TEXT_MAX];
	snprintf(text, sizeof text, "a frame did not pass the check: %s: %s", error.path,
		r == -EBADMSG ? error.text : strerror(-r));
	audit_text(instrument->all->audit, "frame-refused", NULL, text);
	supervise_punish(instrument->supervisor, text);
	return 0; /* said already */
}

static void finish_run(struct instrument *instrument, enum run_status status, const char *why)
{
	uint64_t bytes = run_finish(instrument->run, status, why);
	if (bytes > instrument->largest_run)
		instrument->largest_run = bytes;
	instrument->run = NULL;
}

static void end_run(struct instrument *instrument, const struct wire_ended *ended, const char *text)
{
	size_t step;
	switch (ended->end) {
	case WIRE_END_COMPLETE:
		if (run_next_step(instrument->run)) {
			run_method(instrument->run, &step);
			send_start(instrument, run_request(instrument->run), step);
			return;
		}
		finish_run(instrument, RUN_STATUS_COMPLETE, NULL);
		break;
	case WIRE_END_STOPPED:
		if (instrument->change.pending)
			finish_run(instrument, RUN_STATUS_COMPLETE, "other settings");
		else
			finish_run(instrument, RUN_STATUS_STOPPED, text);
		break;
	case WIRE_END_ABORTED: finish_run(instrument, RUN_STATUS_ABORTED, text); break;
	default: finish_run(instrument, RUN_STATUS_LOST_DEVICE, text); break;
	}
}

/* What comes after a START that came to nothing, or a run that failed. */
static void rest_after_failure(struct instrument *instrument, enum wire_end end, const char *text)
{
	bool by_itself = instrument->config->acquire.mode != CONFIG_ON_DEMAND;
	if (end == WIRE_END_FAILED || !instrument->ready) {
		instrument->ready = false; /* READY brings it back */
		state_set(instrument, DEVICE_STATE_FAULT, NULL, text);
		return;
	}
	state_set(instrument, by_itself ? DEVICE_STATE_FAULT : DEVICE_STATE_IDLE, NULL, text);
	if (by_itself) /* it was refused: tried again by and by */
		instrument->retry_at = clock_boot() + backoff_next(&instrument->backoff,
							      RETRY_FIRST_NS, RETRY_MAX_NS);
}

/* The worker begins the next run by itself, unless it is told that none may begin. */
static void rest_between(struct instrument *instrument)
{
	const char *notice = instrument->all->notice;
	state_set(instrument, DEVICE_STATE_IDLE, NULL, notice);
	if (notice != NULL)
		instrument_stop(instrument, false, NULL);
}

/* New settings were refused, or the old ones while the new ones wait: true, it can go on. */
static bool take_change_back(struct instrument *instrument, const char *text)
{
	if (!instrument->change.pending || instrument->state == DEVICE_STATE_FAULT)
		return false;
	if (instrument->change.sent)
		change_settle(&instrument->change, -EPROTO, text);
	return true;
}

static int take_ended(struct instrument *instrument, const struct wire_message *m)
{
	struct wire_ended ended;
	if (wire_read_ended(m, &ended) < 0 || !instrument_is_active(instrument))
		return -EBADMSG;
	char text[WIRE_TEXT_MAX + 1];
	text_copy(text, sizeof text, ended.text);
	bool complete = ended.end == WIRE_END_COMPLETE;
	if (instrument->run == NULL && complete)
		return -EBADMSG;
	if (instrument->run == NULL && instrument->starting)
		run_request_fail(&instrument->request, -EPROTO,
			text[0] != '\0' ? text : "the run was ended before it started");
	instrument->starting = false;
	instrument->repeating = instrument->repeating && complete;
	if (instrument->run != NULL)
		end_run(instrument, &ended, text);
	if (instrument->run != NULL)
		return 0; /* the next step */
	if (ended.end == WIRE_END_NOT_STARTED && take_change_back(instrument, text))
		instrument_rest(instrument);
	else if (ended.end == WIRE_END_FAILED || ended.end == WIRE_END_NOT_STARTED)
		rest_after_failure(instrument, ended.end, text);
	else if (instrument->repeating)
		rest_between(instrument);
	else
		instrument_rest(instrument);
	return 0;
}

static int take_state(struct instrument *instrument, const struct wire_message *m)
{
	struct wire_state said;
	if (wire_read_state(m, &said) < 0)
		return -EBADMSG;
	int state = words_find(
		&words_device_state, (struct assay_string){said.state.data, said.state.len});
	if (state < 0)
		return state;
	char code[33], text[WIRE_TEXT_MAX + 1];
	text_copy(code, sizeof code, said.code);
	text_copy(text, sizeof text, said.text);
	if (said.values.len > 0) {
		state_progress(instrument, said.values);
		return 0;
	}
	/* Only the core says idle, armed, busy, maintenance and off. */
	if (state == DEVICE_STATE_FAULT || state == DEVICE_STATE_CONNECTING) {
		instrument->repeating = instrument->ready = false;
		change_settle(&instrument->change, 0, NULL); /* they go with the next connection */
		state_set(
			instrument, (enum device_state)state, code[0] != '\0' ? code : NULL, text);
	}
	return 0;
}

static int take_hazard(struct instrument *instrument, const struct wire_message *m)
{
	bool on;
	if (wire_read_hazard(m, &on) < 0)
		return -EBADMSG;
	if (on != instrument->hazard) {
		instrument->hazard = on;
		hazard_note(instrument->all->config->journal_path, instrument->config->key, on);
		audit_text(instrument->all->audit, on ? "hazard-on" : "hazard-off", NULL,
			instrument->config->key);
	}
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
	instrument->identified = instrument->ready = false;
	if (why != NULL && instrument->run != NULL && instrument->state == DEVICE_STATE_FAULT &&
		instrument->text[0] != '\0')
		why = instrument->text; /* the worker's last words say more */
	if (instrument->run != NULL)
		finish_run(
			instrument, why != NULL ? RUN_STATUS_LOST_DEVICE : RUN_STATUS_STOPPED, why);
	if (instrument->starting)
		run_request_fail(&instrument->request, -ENODEV,
			why != NULL ? why : "the daemon is stopping");
	instrument->starting = instrument->repeating = false;
	change_settle(&instrument->change, 0, NULL);
	if (why == NULL)
		state_set(instrument, DEVICE_STATE_OFF, NULL, "");
	else if (instrument->state != DEVICE_STATE_FAULT || instrument->text[0] == '\0')
		state_set(instrument, DEVICE_STATE_FAULT, NULL, why);
}

static struct unit setup(void *arg)
{
	const struct instrument *instrument = arg;
	const struct config_instrument *config = instrument->config;
	struct config_map settings = instrument_settings(instrument);
	return (struct unit){
		.key = config->key,
		.driver = config->driver->name,
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

const struct port_unit_ops instrument_port_ops = {
	.setup = setup,
	.port = port,
	.message = take_message,
	.lost = lost,
};
