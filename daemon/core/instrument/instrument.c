/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_TOPIC instrument->config->key
#include "base/clock.h"
#include "base/log.h"
#include "core/commit/ledger.h"
#include "core/instrument/inside.h"
#include "core/instrument/noting.h"
#include "core/instrument/request.h"
#include "core/instrument/state.h"
#include "record/encode.h"
#include "record/topic.h"

#define RETRY_FIRST_NS NS_PER_S
#define RETRY_MAX_NS   (30 * NS_PER_S)

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
	instrument->since = clock_utc();
	instrument->data_topic = make_topic(instrument, ASSAY_RECORD_FRAME);
	instrument->state_topic = make_topic(instrument, ASSAY_RECORD_STATE);
	if (instrument->data_topic == NULL || instrument->state_topic == NULL) {
		free(instrument);
		return -ENOMEM;
	}
	instrument->hazard = hazard_is_noted(&all->hazards, config->key);
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
	buffer_finish(&instrument->own);
	borrowed_finish(&instrument->borrowed);
	change_finish(&instrument->change);
	run_request_finish(&instrument->request);
	run_request_finish(&instrument->waiting.request);
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

static void send_to_worker(struct instrument *instrument, struct buffer *message)
{
	supervise_send(instrument->supervisor, message);
	buffer_finish(message);
}

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

/* Sends the START of the request or, in a run, of its present step. */
static void send_start(struct instrument *instrument)
{
	static const enum wire_mode modes[] = {
		[CONFIG_ON_DEMAND] = WIRE_ONCE,
		[CONFIG_REPEAT] = WIRE_REPEAT,
		[CONFIG_CONTINUOUS] = WIRE_CONTINUOUS,
	};
	size_t step = 0;
	if (instrument->run != NULL)
		run_method(instrument->run, &step);
	const struct run_request *request = instrument->run != NULL ? run_request(instrument->run)
								    : &instrument->request;
	const struct buffer *own = &request->steps.settings[step];
	struct buffer message = {0}, place = {0}, settings = {0};
	if (borrowed_lay(&instrument->borrowed, instrument->config->driver,
		    (struct assay_span){own->data, own->len}, &settings) < 0)
		message.failed = true;
	struct wire_start start = {
		.mode = modes[request->mode],
		.every_ns = instrument->config->acquire.every_ns,
		.frames = instrument->config->acquire.frames,
		.settings = {settings.data, settings.len},
		.holds = {request->steps.holds[step].data, request->steps.holds[step].len},
		.references = {request->references.data, request->references.len},
	};
	if (request->method != NULL && request->method->step_count > 1) {
		write_step(&place, request->method, step);
		start.step = (struct assay_span){place.data, place.len};
	}
	wire_write_start(&message, instrument->unit, &start);
	send_to_worker(instrument, &message);
	instrument->change.sent = true;
	buffer_finish(&place);
	buffer_finish(&settings);
}

static void send_stop(struct instrument *instrument, bool abort)
{
	struct buffer message = {0};
	if (abort)
		wire_write_abort(&message, instrument->unit);
	else
		wire_write_stop(&message, instrument->unit);
	send_to_worker(instrument, &message);
}

static void refuse_unit(struct instrument *instrument, const char *why)
{
	struct buffer message = {0};
	wire_write_refuse(&message, instrument->unit, why);
	send_to_worker(instrument, &message);
}

/* Its own settings, over the values noted of it; `look`: the values noted alone. */
static int own_settings(const struct instrument *instrument, bool look, struct buffer *out)
{
	return (look ? borrowed_lay_found : borrowed_lay)(&instrument->borrowed,
		instrument->config->driver, instrument_settings(instrument), out);
}

/*
 * The worker configures the unit with its own settings; if that would change a value that is not
 * noted, it puts back the noted ones and reads back first.
 */
static void send_go(struct instrument *instrument)
{
	const struct catalog_driver *driver = instrument->config->driver;
	struct buffer message = {0}, settings = {0};
	borrowed_load(&instrument->all->notes, instrument->config->key, driver->name,
		instrument->identity.serial, &instrument->borrowed);
	instrument->noting = 0;
	instrument->is_looking = instrument->config->port.playback == NULL && /* nothing stays */
				 (borrowed_is_due(&instrument->all->notes, instrument->config->key,
					  &instrument->borrowed) ||
					 borrowed_lacks(&instrument->borrowed, driver,
						 instrument_settings(instrument),
						 (struct assay_span){0}));
	message.failed = own_settings(instrument, instrument->is_looking, &settings) < 0;
	struct wire_go go = {.safe = instrument->hazard,
		.look = instrument->is_looking,
		.settings = {settings.data, settings.len}};
	wire_write_go(&message, instrument->unit, &go);
	send_to_worker(instrument, &message);
	buffer_finish(&settings);
}

/* While it rests: its own settings, or as send_go() to read back. */
static void send_configure(struct instrument *instrument, bool look)
{
	struct buffer message = {0}, settings = {0};
	message.failed = own_settings(instrument, look, &settings) < 0;
	struct wire_go own = {.look = look, .settings = {settings.data, settings.len}};
	instrument->is_looking = look;
	wire_write_configure(&message, instrument->unit, &own);
	send_to_worker(instrument, &message);
	buffer_finish(&settings);
}

/* --- the machine ------------------------------------------------------------------------------ */

static struct run_subject subject_of(const struct instrument *instrument)
{
	return (struct run_subject){.config = instrument->all->config,
		.instrument = instrument->config,
		.identity = &instrument->identity,
		.topic = instrument->data_topic,
		.settings = {instrument->settings.data, instrument->settings.len}};
}

static int begin_run(struct instrument *instrument, const struct wire_started *started)
{
	struct run_subject subject = subject_of(instrument);
	int r = run_begin(
		&instrument->run, instrument->all->runs, &subject, &instrument->request, started);
	if (r < 0)
		run_request_fail(
			&instrument->request, r, "cannot write the run-start: out of memory");
	return r;
}

static void finish_run(struct instrument *instrument, enum run_status status, const char *why)
{
	if (instrument->run == NULL)
		return; /* it could not be started */
	uint64_t bytes = run_finish(instrument->run, status, why);
	if (bytes > instrument->largest_run)
		instrument->largest_run = bytes;
	instrument->run = NULL;
}

/* May it start runs without a request? */
static bool starts_by_itself(const struct instrument *instrument)
{
	return instrument->config->acquire.mode != CONFIG_ON_DEMAND && !instrument->all->stopping &&
	       !supervise_is_stopping(instrument->supervisor);
}

/* It is idle: starts the next run of one that runs by itself, or shows why it does not. */
static void go_on(struct instrument *instrument, const char *text)
{
	const char *notice = instrument->all->notice;
	state_set(instrument, NULL, notice != NULL ? notice : text);
	if (notice != NULL || !starts_by_itself(instrument))
		return;
	struct run_request request = {.mode = instrument->config->acquire.mode};
	char why[WIRE_TEXT_MAX];
	if (instrument_start(instrument, &request, why, sizeof why) < 0)
		state_set(instrument, NULL, why);
}

static void give_up_note(struct instrument *instrument, int r, const char *why)
{
	if (instrument->machine.state != MACHINE_NOTING) {
		supervise_punish(instrument->supervisor, why);
		return;
	}
	change_settle(&instrument->change, r, why);
	instrument_apply(instrument, MACHINE_UNNOTED, &(struct cause){.error = r, .why = why});
}

/* The values found are noted, or cannot be: then nothing is changed. */
static void on_noted(struct instrument *instrument, int r)
{
	const char *why = "the values found cannot be noted on the disk";
	if (r == 0)
		instrument_apply(instrument, MACHINE_NOTED, NULL);
	else
		give_up_note(instrument, r, why);
}

static void note_found(struct instrument *instrument)
{
	char why[WIRE_TEXT_MAX];
	bool is_start = instrument->machine.state == MACHINE_NOTING;
	int r = noting_start(instrument, on_noted, why);
	if (r == 0)
		instrument_apply(instrument, is_start ? MACHINE_OWN : MACHINE_NOTED, NULL);
	else if (r < 0)
		give_up_note(instrument, r, why);
}

int instrument_apply(
	struct instrument *instrument, enum machine_event event, const struct cause *cause)
{
	static const struct cause nothing;
	struct machine_step step = machine_step(instrument->machine, event);
	cause = cause != NULL ? cause : &nothing;
	const char *text = cause->text;
	if (step.next.state == MACHINE_RETURNING)
		text = "putting back borrowed settings";
	switch (step.verdict) {
	case MACHINE_OK: break;
	case MACHINE_IGNORED: return 0;
	case MACHINE_REJECTED: return -ENOENT;
	case MACHINE_BREACH: return -EBADMSG;
	case MACHINE_BUG: assert(!"an event that this state cannot have"); return -EINVAL;
	}
	if ((step.actions & MACHINE_BEGIN_RUN) != 0) {
		int r = begin_run(instrument, cause->started);
		if (r < 0)
			return r;
		text = run_label(instrument->run)->number;
	}
	if (instrument->machine.state == MACHINE_NOTING && step.next.state != MACHINE_NOTING)
		instrument->noting = 0; /* nothing waits for the note */
	instrument->machine = step.next;
	if ((step.actions & MACHINE_END_RUN) != 0)
		finish_run(instrument, cause->status, cause->why);
	if ((step.actions & MACHINE_FAIL_REQUEST) != 0)
		run_request_fail(&instrument->request, cause->error, cause->why);
	if ((step.actions & MACHINE_FORGET) != 0)
		noting_drop(instrument);
	if ((step.actions & MACHINE_SEND_GO) != 0)
		send_go(instrument);
	if ((step.actions & MACHINE_SEND_REFUSE) != 0)
		refuse_unit(instrument, cause->text);
	if ((step.actions & (MACHINE_SEND_CONFIGURE | MACHINE_SEND_LOOK)) != 0)
		send_configure(instrument, (step.actions & MACHINE_SEND_LOOK) != 0);
	if ((step.actions & MACHINE_SEND_START) != 0)
		send_start(instrument);
	if ((step.actions & MACHINE_SEND_STOP) != 0)
		send_stop(instrument, cause->abort);
	if ((step.actions & MACHINE_RETRY_LATER) != 0)
		instrument->retry_at = clock_boot() + backoff_next(&instrument->backoff,
							      RETRY_FIRST_NS, RETRY_MAX_NS);
	if ((step.actions & MACHINE_GO_ON) != 0)
		go_on(instrument, text);
	else if (text != NULL || machine_shown(step.next.state) != instrument->state)
		state_set(instrument, cause->code, text);
	/* A change waits for the next START; without one it is in force from the next run on. */
	enum machine_state now = instrument->machine.state;
	if (!machine_is_active(now) && now != MACHINE_REFUSED)
		change_settle(&instrument->change, 0, NULL);
	if ((step.actions & MACHINE_NOTE) != 0)
		note_found(instrument);
	return 0;
}

void instrument_attach(struct instrument *instrument, struct supervisor *supervisor)
{
	instrument->supervisor = supervisor;
	instrument_apply(instrument, MACHINE_ATTACH, NULL);
}

void instruments_sync_notes(void *arg)
{
	struct instruments *all = arg;
	hazard_sync(&all->hazards);
	borrowed_sync(&all->notes);
}

/* --- requests of people and the core --------------------------------------------------------- */

int instrument_start(
	struct instrument *instrument, struct run_request *request, char *text, size_t size)
{
	int r = request_check(instrument, request, text, size);
	if (r == -ENODEV && waiting_take(instrument, request))
		return 0;
	if (r < 0) {
		run_request_finish(request);
		return r;
	}
	run_request_finish(&instrument->request);
	instrument->request = *request;
	*request = (struct run_request){0};
	return instrument_apply(instrument,
		request_borrows(instrument, &instrument->request) ? MACHINE_BORROW : MACHINE_START,
		NULL);
}

bool instrument_is_active(const struct instrument *instrument)
{
	return machine_is_active(instrument->machine.state);
}

bool instrument_serves_request(const struct instrument *instrument)
{
	if (instrument->waiting.is_set)
		return true;
	if (!instrument_is_active(instrument))
		return false;
	if (instrument->config->acquire.mode == CONFIG_ON_DEMAND)
		return true;
	return instrument->run != NULL ? run_request(instrument->run)->mode == CONFIG_ON_DEMAND
				       : instrument->request.answer != NULL;
}

int instrument_stop(struct instrument *instrument, bool abort, const struct audit_actor *actor)
{
	struct cause cause = {
		.abort = abort, .error = -EPROTO, .why = "the run was ended before it started"};
	if (waiting_fail(instrument, cause.error, cause.why))
		return 0;
	int r = instrument_apply(instrument, MACHINE_STOP, &cause);
	if (r == 0 && instrument->run != NULL)
		run_asked_to_end(instrument->run, abort, actor);
	return r;
}

int instrument_stop_for(struct instrument *instrument, const char *why)
{
	int r = instrument_stop(instrument, false, NULL);
	if (r == 0 && instrument->run != NULL)
		run_end_reason(instrument->run, why);
	return r;
}

int instrument_set(struct instrument *instrument, struct assay_span part,
	const struct audit_actor *actor, void (*answer)(void *arg, int r, const char *text),
	void *arg)
{
	struct change *change = &instrument->change;
	if (change->pending || instrument_serves_request(instrument))
		return -EBUSY;
	int r = change_lay(change, instrument->config->driver, instrument->config->settings, part,
		answer, arg);
	if (r < 0)
		return r;
	if (instrument_is_active(instrument))
		instrument_stop(instrument, false, actor);
	else
		instrument_rest(instrument);
	if (!instrument_is_active(instrument)) /* it goes with the next run, or connection */
		change_settle(change, 0, NULL);
	return 0;
}

int instrument_set_maintenance(struct instrument *instrument, bool on)
{
	if (on && instrument_serves_request(instrument))
		return -EBUSY;
	return instrument_apply(instrument, on ? MACHINE_SERVICE_ON : MACHINE_SERVICE_OFF, NULL);
}

void instrument_rest(struct instrument *instrument)
{
	instrument_apply(instrument, MACHINE_REST, NULL);
}

void instrument_note_hazard(struct instrument *instrument)
{
	int r = hazard_note(&instrument->all->hazards, instrument->config->key, instrument->hazard);
	if (r < 0 && !instrument->lacks_note)
		log_error("the note of a hazard is tried again each second: %s", strerror(-r));
	else if (r == 0 && instrument->lacks_note)
		log_info("the note of its hazard is written");
	instrument->lacks_note = r < 0;
}

void instrument_tick(struct instrument *instrument)
{
	waiting_tick(instrument);
	if (instrument->lacks_note)
		instrument_note_hazard(instrument);
	if (instrument->machine.state != MACHINE_REFUSED || clock_boot() < instrument->retry_at ||
		!starts_by_itself(instrument) || instrument->all->notice != NULL)
		return;
	struct run_request request = {.mode = instrument->config->acquire.mode};
	char text[WIRE_TEXT_MAX];
	if (request_settle(instrument, &request, text, sizeof text) < 0) {
		run_request_finish(&request);
		return;
	}
	run_request_finish(&instrument->request);
	instrument->request = request;
	instrument_apply(instrument, MACHINE_RETRY, NULL);
}

int instrument_renew(struct instrument *instrument)
{
	struct run_subject subject = subject_of(instrument);
	int r = run_renew(&instrument->run, &subject);
	if (r == 0)
		state_set(instrument, NULL, run_label(instrument->run)->number);
	else
		supervise_punish(instrument->supervisor, "no memory for the next run-start");
	return r;
}

void instrument_reconfigure(struct instrument *instrument, const struct config_instrument *config)
{
	instrument->config = config;
}
