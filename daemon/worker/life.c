/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "worker/life.h"

#define TRIES         3
#define BACKOFF_FIRST (NS_PER_S / 2)
#define BACKOFF_MAX   (30 * NS_PER_S)
#define STEADY        (10 * NS_PER_S) /* what worked for so long begins anew */
#define LOOK_AGAIN    (5 * NS_PER_S)  /* has a refused unit been exchanged for the right one? */
#define AGAIN_LEAST   NS_PER_MS       /* between two acquires that had nothing to deliver */

/* --- messages --------------------------------------------------------------------------------- */

static void send_message(struct life *life, struct buffer *message)
{
	outlet_send(life->instrument.services->outlet, message);
	buffer_finish(message);
}

static void tell_identity(struct life *life, const struct assay_identity *id)
{
	struct wire_identity identity = {
		.make = {id->make, strlen(id->make)},
		.model = {id->model, strlen(id->model)},
		.serial = {id->serial, strlen(id->serial)},
		.fw = {id->fw, strlen(id->fw)},
		.declared = id->declared,
	};
	struct buffer message = {0};
	wire_write_identity(&message, life->instrument.unit, &identity);
	send_message(life, &message);
}

/* The settings as sent or read back; `out` is finished by the caller. */
static struct wire_bytes settings_in_use(struct life *life, struct buffer *out)
{
	const struct instrument *instrument = &life->instrument;
	if (report_merge(&instrument->report, instrument->sent.data, instrument->sent.len, out) < 0)
		return instrument->sent;
	return (struct wire_bytes){out->data, out->len};
}

/* What the driver works with, where it is not what `in_use` says; empty: it is. */
static struct wire_bytes settings_sent(struct life *life, struct wire_bytes in_use)
{
	static const uint8_t none[] = {0xa0}; /* an empty map */
	struct wire_bytes sent = life->instrument.sent;
	if (sent.len == 0)
		sent = (struct wire_bytes){none, sizeof none};
	bool same = sent.len == in_use.len && memcmp(sent.data, in_use.data, sent.len) == 0;
	return same ? (struct wire_bytes){NULL, 0} : sent;
}

/* A run says its settings once, but each step of a method has its own. */
static void keep_for_step(struct life *life, const struct wire_started *started)
{
	buffer_reset(&life->step_settings);
	buffer_reset(&life->step_sent);
	if (life->start.step.len == 0)
		return;
	if (started->settings.len > 0)
		buffer_append(&life->step_settings, started->settings.data, started->settings.len);
	struct wire_bytes sent = started->sent.len > 0 ? started->sent : started->settings;
	if (sent.len > 0)
		buffer_append(&life->step_sent, sent.data, sent.len);
}

static void tell_ready(struct life *life)
{
	struct buffer message = {0}, settings = {0};
	wire_write_ready(&message, life->instrument.unit, settings_in_use(life, &settings));
	send_message(life, &message);
	buffer_finish(&settings);
}

static void tell_started(struct life *life)
{
	struct buffer message = {0}, settings = {0};
	struct wire_started started = {.utc = clock_utc(), .mono = clock_boot()};
	started.settings = settings_in_use(life, &settings);
	started.sent = settings_sent(life, started.settings);
	keep_for_step(life, &started);
	wire_write_started(&message, life->instrument.unit, &started);
	send_message(life, &message);
	buffer_finish(&settings);
	life->is_open = true;
}

static void tell_ended(struct life *life, enum wire_end end, int error, const char *text)
{
	struct buffer message = {0};
	wire_write_ended(&message, life->instrument.unit, end, instrument_code(error), text);
	send_message(life, &message);
	life->is_open = false;
}

/* --- faults ----------------------------------------------------------------------------------- */

static bool is_silence(int error)
{
	return error == -ETIMEDOUT || error == -EBADMSG;
}

/* The unit is to be identified again, after a while. */
static void declare_fault(struct life *life, int error)
{
	struct instrument *instrument = &life->instrument;
	const char *text = instrument_reason(instrument, error);
	if (!life->is_faulty) {
		struct buffer message = {0};
		wire_write_state(&message, instrument->unit, "fault", instrument_code(error), text,
			(struct wire_bytes){NULL, 0});
		send_message(life, &message);
	}
	life->is_faulty = true;
	life->is_silent = is_silence(error);
	life->is_configured = false;
	life->failures++;
	life->phase = PHASE_IDENTIFYING;
	uint64_t now = clock_boot();
	if (life->ready_at != 0 && now - life->ready_at >= STEADY)
		life->backoff = (struct backoff){0};
	life->ready_at = 0;
	life->due = now + backoff_next(&life->backoff, BACKOFF_FIRST, BACKOFF_MAX);
	orders_clear_answer(instrument->services->orders, instrument->unit);
}

bool life_is_given_up(const struct life *life)
{
	return life->phase == PHASE_IDENTIFYING && life->is_silent && life->failures >= TRIES;
}

/* Runs a slot up to three times while the answers are missing or broken. */
static int try_slot(struct life *life, int (*slot)(struct instrument *), bool with_stop)
{
	int r = -ETIMEDOUT;
	for (unsigned i = 0; i < TRIES; i++) {
		if (i > 0)
			channel_discard(life->instrument.services->channel);
		r = slot(&life->instrument);
		if (r < 0 && with_stop) {
			char words[EXPLAIN_MAX]; /* of the failure, not of what comes after it */
			memcpy(words, life->instrument.explained, sizeof words);
			(void)instrument_stop(&life->instrument);
			memcpy(life->instrument.explained, words, sizeof words);
		}
		if (!is_silence(r))
			break;
		life->instrument.retried++;
	}
	return r;
}

/* --- up to rest ------------------------------------------------------------------------------- */

static void identify(struct life *life)
{
	struct assay_identity id;
	int r = -ETIMEDOUT;
	for (unsigned i = 0; i < TRIES && is_silence(r); i++)
		r = instrument_identify(&life->instrument, &id);
	if (r == -ECANCELED)
		return;
	if (r < 0) {
		declare_fault(life, r);
		return;
	}
	life->phase = PHASE_WAITING;
	tell_identity(life, &id);
}

static void go(struct life *life, bool safe)
{
	if (safe) {
		life->instrument.hazard = true; /* until make_safe says otherwise */
		int r = instrument_make_safe(&life->instrument);
		if (r < 0) {
			declare_fault(life, r);
			return;
		}
		instrument_tell_hazard(&life->instrument, false);
	}
	int r = try_slot(life, instrument_configure, false);
	if (r == -ECANCELED) {
		life->phase = PHASE_IDENTIFYING; /* nobody knows how far it came */
		life->due = 0;
		return;
	}
	if (r < 0) {
		declare_fault(life, r);
		return;
	}
	life->is_configured = true;
	life->is_faulty = life->is_silent = false;
	life->ready_at = clock_boot();
	life->phase = PHASE_RESTING;
	tell_ready(life);
}

static void refused(struct life *life)
{
	life->phase = PHASE_REFUSED;
	life->due = clock_boot() + LOOK_AGAIN;
	life->is_faulty = true; /* the core has said so */
}

static void await_answer(struct life *life)
{
	bool safe;
	int answer = orders_take_answer(
		life->instrument.services->orders, life->instrument.unit, &safe);
	if (answer > 0)
		go(life, safe);
	else if (answer < 0)
		refused(life);
}

/* --- a run ------------------------------------------------------------------------------------ */

static void rest(struct life *life)
{
	life->phase = PHASE_RESTING;
	orders_clear_run(life->instrument.services->orders, life->instrument.unit);
}

static int stop_measuring(struct life *life)
{
	if (!life->is_measuring)
		return 0;
	life->is_measuring = false;
	int r = instrument_stop(&life->instrument);
	if (r < 0 && !channel_is_lost(life->instrument.services->channel))
		instrument_log(&life->instrument, ASSAY_LOG_WARN, "stopping failed: %s",
			instrument_reason(&life->instrument, r));
	return r;
}

/* After a failure nothing harmful stays on; through a lost port it can be tried only once. */
static void make_safe(struct life *life)
{
	struct instrument *instrument = &life->instrument;
	if (!instrument->hazard || life->is_left_on)
		return;
	int r = instrument_make_safe(instrument);
	if (r == 0 && !instrument->hazard)
		return;
	life->is_left_on = channel_is_lost(instrument->services->channel);
	instrument_log(instrument, ASSAY_LOG_ERROR, "it could not be made safe: %s",
		r < 0 ? instrument_reason(instrument, r) : "the driver leaves something on");
}

/* The run is over as it was meant to be; a failing stop is a fault that comes after it. */
static void finish_run(struct life *life, enum wire_end end)
{
	int r = stop_measuring(life);
	rest(life);
	tell_ended(life, end, 0, "");
	if (r < 0) {
		declare_fault(life, r);
		make_safe(life);
	}
}

/* The run failed with `error`, as the last slot explained. */
static void fail_run(struct life *life, int error)
{
	char text[EXPLAIN_MAX];
	snprintf(text, sizeof text, "%s", instrument_reason(&life->instrument, error));
	declare_fault(life, error);
	(void)stop_measuring(life);
	make_safe(life);
	orders_clear_run(life->instrument.services->orders, life->instrument.unit);
	if (life->is_open)
		tell_ended(life, WIRE_END_FAILED, error, text);
}

/* The START did not come to STARTED.  In a repetition there is no run that could be ended. */
static void fail_start(struct life *life, int error, const char *text, bool is_first)
{
	bool is_fault = !is_first || is_silence(error) || error == -ENODEV;
	char words[EXPLAIN_MAX];
	snprintf(words, sizeof words, "%s", text);
	rest(life);
	if (is_fault && error != -ECANCELED)
		declare_fault(life, error);
	make_safe(life);
	if (is_first)
		tell_ended(life, WIRE_END_NOT_STARTED, error, words);
}

/* Settings of the run, sent to the instrument where they differ.  0, or an error with `why`. */
static int prepare(struct life *life, char why[EXPLAIN_MAX])
{
	char what[SETTINGS_WHY];
	struct instrument *instrument = &life->instrument;
	int r = instrument_use(
		instrument, life->start.settings.data, life->start.settings.len, what);
	if (r < 0) {
		snprintf(why, EXPLAIN_MAX, "%s", what);
		return r;
	}
	if (r == 0 && life->is_configured)
		return 0;
	life->is_configured = false;
	r = try_slot(life, instrument_configure, false);
	snprintf(why, EXPLAIN_MAX, "%s", instrument_reason(instrument, r));
	life->is_configured = r == 0;
	return r;
}

static int start_measuring(struct life *life)
{
	int r = try_slot(life, instrument_start, true);
	life->is_measuring = r == 0;
	return r;
}

static void begin_run(struct life *life)
{
	char why[EXPLAIN_MAX];
	channel_begin_run(life->instrument.services->channel);
	life->instrument.retried = 0;
	int r = prepare(life, why);
	if (r == 0) {
		r = start_measuring(life);
		snprintf(why, sizeof why, "%s", instrument_reason(&life->instrument, r));
	}
	if (r < 0) {
		fail_start(life, r, why, true);
		return;
	}
	life->frames = life->dropped = life->retries = 0;
	life->was_late = life->was_broken = false;
	pace_begin(&life->pace, life->start.every_ns, clock_utc(), clock_boot());
	life->due = life->pace.due;
	if (life->instrument.driver->start != NULL) {
		pace_at_once(&life->pace); /* it has begun: the first frame is not held back */
		life->due = 0;
	}
	life->phase = PHASE_RUNNING;
	tell_started(life);
}

static void look_for_start(struct life *life)
{
	if (orders_take_start(
		    life->instrument.services->orders, life->instrument.unit, &life->start))
		begin_run(life);
}

/* A further measurement: in the same run, or as a run of its own. */
static void begin_again(struct life *life)
{
	int r = start_measuring(life);
	if (r == -ECANCELED && life->is_open)
		return; /* the abort is seen at the next turn */
	if (r == 0) {
		if (life->start.mode == WIRE_REPEAT)
			tell_started(life);
		life->due = 0;
	} else if (life->is_open) {
		fail_run(life, r);
	} else {
		fail_start(life, r, instrument_reason(&life->instrument, r), false);
	}
}

static void count_ticks(struct life *life)
{
	life->dropped += pace_next(&life->pace, clock_utc(), clock_boot());
	life->due = life->pace.due;
}

static int send_frame(struct life *life)
{
	struct instrument *instrument = &life->instrument;
	struct channel *channel = instrument->services->channel;
	struct stamp received = channel_received(channel);
	struct iovec pieces[FRAME_PIECES];
	struct wire_frame head = {.utc = received.utc,
		.mono = received.mono,
		.retries = life->retries + instrument->retried,
		.dropped = life->dropped};
	if (life->dropped > 0)
		frame_lower(&instrument->frame, ASSAY_GOOD, "driver-overrun");
	if (life->was_late)
		frame_lower(&instrument->frame, ASSAY_GOOD, "timeout");
	if (life->was_broken)
		frame_lower(&instrument->frame, ASSAY_GOOD, "checksum-retry");
	struct frame_step step = {{life->start.step.data, life->start.step.len},
		{life->step_settings.data, life->step_settings.len},
		{life->step_sent.data, life->step_sent.len}};
	int r = frame_message(&instrument->frame, instrument->unit, &head, &step, &instrument->raw,
		instrument->config->raw, pieces);
	if (r < 0) {
		snprintf(instrument->explained, EXPLAIN_MAX, "the driver made no frame: %s",
			instrument->frame.why);
		return r;
	}
	orders_enter(instrument->services->orders, instrument->unit);
	r = outlet_frame(instrument->services->outlet, pieces, FRAME_PIECES, &channel->cancelled);
	orders_leave(instrument->services->orders);
	if (r < 0)
		return r;
	life->frames++;
	life->dropped = life->retries = instrument->retried = 0;
	life->was_late = life->was_broken = false;
	life->failures = 0;
	return 0;
}

/* How the run ends if it ends now; 0: nothing says that it should. */
static int wanted_end(struct life *life)
{
	struct orders *orders = life->instrument.services->orders;
	if (orders_is_aborted(orders, life->instrument.unit))
		return WIRE_END_ABORTED;
	if (orders_is_stopped(orders, life->instrument.unit))
		return WIRE_END_STOPPED;
	bool enough = life->start.frames != 0 && life->frames >= life->start.frames;
	return enough ? WIRE_END_COMPLETE : 0;
}

/* After a measurement's last frame. */
static void finish_measurement(struct life *life)
{
	int end = wanted_end(life);
	if (end == 0 && life->start.mode == WIRE_ONCE)
		end = WIRE_END_COMPLETE;
	if (end == WIRE_END_COMPLETE && life->start.mode == WIRE_REPEAT)
		end = 0; /* the run has its frames, the repetition goes on */
	if (end != 0) {
		finish_run(life, (enum wire_end)end);
		return;
	}
	int r = stop_measuring(life);
	if (r < 0) {
		fail_run(life, r);
		return;
	}
	if (life->start.mode == WIRE_REPEAT) {
		tell_ended(life, WIRE_END_COMPLETE, 0, "");
		life->frames = 0;
	}
	count_ticks(life);
}

static void take_frame(struct life *life, bool is_last)
{
	int r = instrument_decode(&life->instrument);
	if (r == 0)
		r = send_frame(life);
	if (r == -ECANCELED)
		return; /* the abort is seen at the next turn */
	if (r < 0) {
		fail_run(life, r);
		return;
	}
	int end = wanted_end(life);
	bool is_whole = end == WIRE_END_COMPLETE && life->start.mode == WIRE_REPEAT;
	if (is_last || is_whole)
		finish_measurement(life);
	else if (end != 0)
		finish_run(life, (enum wire_end)end);
	else
		count_ticks(life);
}

static void fail_acquire(struct life *life, int error)
{
	if (error == -ECANCELED)
		return;
	if (is_silence(error) && life->retries + 1 < TRIES) {
		life->retries++;
		life->was_late = life->was_late || error == -ETIMEDOUT;
		life->was_broken = life->was_broken || error == -EBADMSG;
		channel_discard(life->instrument.services->channel);
		return;
	}
	fail_run(life, error);
}

static void acquire(struct life *life)
{
	struct instrument *instrument = &life->instrument;
	struct channel *channel = instrument->services->channel;
	orders_enter(instrument->services->orders, instrument->unit);
	int r = outlet_wait_credit(instrument->services->outlet, &channel->cancelled);
	orders_leave(instrument->services->orders);
	if (r == 0)
		r = instrument_acquire(instrument);
	switch (r) {
	case ASSAY_FRAME: take_frame(life, false); break;
	case ASSAY_LAST: take_frame(life, true); break;
	case ASSAY_DONE: finish_measurement(life); break;
	case -EAGAIN: life->due = clock_boot() + AGAIN_LEAST; break;
	default: fail_acquire(life, r < 0 ? r : -EBADMSG); break;
	}
}

/* Between two runs of a repetition it is the repetition that ends. */
static void end_now(struct life *life, int end)
{
	if (life->is_open) {
		finish_run(life, (enum wire_end)end);
	} else {
		rest(life);
		tell_ended(life, (enum wire_end)end, 0, "");
	}
}

static void run(struct life *life)
{
	int end = wanted_end(life);
	bool waiting = !life->is_measuring || clock_boot() < life->due;
	if (end == WIRE_END_ABORTED || (end == WIRE_END_STOPPED && waiting))
		end_now(life, end);
	else if (!life->is_measuring)
		begin_again(life);
	else
		acquire(life);
}

/* --- turns ------------------------------------------------------------------------------------ */

/*
 * A START for a unit that is not ready is answered, not kept for later; a stop or abort has no run
 * that it could mean.
 */
static bool answer_early_orders(struct life *life)
{
	struct instrument *instrument = &life->instrument;
	if (life->phase == PHASE_RESTING || life->phase == PHASE_RUNNING)
		return false;
	orders_clear_run(instrument->services->orders, instrument->unit);
	if (!orders_take_start(instrument->services->orders, instrument->unit, &life->start))
		return false;
	tell_ended(life, WIRE_END_NOT_STARTED, -EAGAIN, "the instrument is not ready");
	return true;
}

void life_turn(struct life *life)
{
	if (answer_early_orders(life))
		return;
	switch (life->phase) {
	case PHASE_IDENTIFYING: identify(life); break;
	case PHASE_WAITING: await_answer(life); break;
	case PHASE_RESTING: look_for_start(life); break;
	case PHASE_RUNNING: run(life); break;
	case PHASE_REFUSED:
		if (clock_boot() >= life->due)
			identify(life);
		break;
	}
}

uint64_t life_due(const struct life *life, const struct order *order)
{
	if (order->started && life->phase != PHASE_RUNNING)
		return 0;
	switch (life->phase) {
	case PHASE_IDENTIFYING:
	case PHASE_REFUSED: return life->due;
	case PHASE_WAITING: return order->go || order->refused ? 0 : LIFE_NEVER;
	case PHASE_RUNNING: return order->stop || order->abort ? 0 : life->due;
	case PHASE_RESTING: break;
	}
	return LIFE_NEVER;
}

bool life_end(struct life *life, bool lost)
{
	if (life->phase == PHASE_RUNNING && life->is_open && lost)
		fail_run(life, -ENODEV);
	else if (life->phase == PHASE_RUNNING && life->is_open)
		finish_run(life, WIRE_END_ABORTED);
	(void)stop_measuring(life);
	make_safe(life);
	return !life->instrument.hazard;
}

void life_finish(struct life *life)
{
	instrument_finish(&life->instrument);
	buffer_finish(&life->step_settings);
	buffer_finish(&life->step_sent);
	start_finish(&life->start);
}
