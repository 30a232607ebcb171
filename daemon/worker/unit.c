/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "worker/unit.h"

#define TRIES         3
#define BACKOFF_FIRST (NS_PER_S / 2)
#define BACKOFF_MAX   (30 * NS_PER_S)
#define STEADY        (10 * NS_PER_S) /* what worked for so long begins anew */
#define LOOK_AGAIN    (5 * NS_PER_S)  /* has a refused unit been exchanged for the right one? */
#define AGAIN_LEAST   NS_PER_MS       /* between two acquires that had nothing to deliver */

/* --- messages --------------------------------------------------------------------------------- */

static void send_message(struct worker_unit *unit, struct buffer *message)
{
	core_link_send(unit->device.services->core, message);
	buffer_finish(message);
}

static void tell_identity(struct worker_unit *unit, const struct assay_identity *id)
{
	struct wire_identity identity = {
		.make = {id->make, strlen(id->make)},
		.model = {id->model, strlen(id->model)},
		.serial = {id->serial, strlen(id->serial)},
		.fw = {id->fw, strlen(id->fw)},
		.declared = id->declared,
	};
	struct buffer message = {0};
	wire_write_identity(&message, unit->device.index, &identity);
	send_message(unit, &message);
}

/* The settings as sent or read back; `out` is finished by the caller. */
static struct assay_span settings_in_use(struct worker_unit *unit, struct buffer *out)
{
	const struct device *device = &unit->device;
	if (report_merge(&device->report, device->sent.data, device->sent.len, out) < 0)
		return device->sent;
	return (struct assay_span){out->data, out->len};
}

/* What the driver works with, where it is not what `in_use` says; empty: it is. */
static struct assay_span settings_sent(struct worker_unit *unit, struct assay_span in_use)
{
	static const uint8_t none[] = {0xa0}; /* an empty map */
	struct assay_span sent = unit->device.sent;
	if (sent.len == 0)
		sent = (struct assay_span){none, sizeof none};
	bool same = sent.len == in_use.len && memcmp(sent.data, in_use.data, sent.len) == 0;
	return same ? (struct assay_span){NULL, 0} : sent;
}

/* A run says its settings once, but each step of a method has its own. */
static void keep_for_step(struct worker_unit *unit, const struct wire_started *started)
{
	buffer_reset(&unit->step_settings);
	buffer_reset(&unit->step_sent);
	if (unit->start.step.len == 0)
		return;
	if (started->settings.len > 0)
		buffer_append(&unit->step_settings, started->settings.data, started->settings.len);
	struct assay_span sent = started->sent.len > 0 ? started->sent : started->settings;
	if (sent.len > 0)
		buffer_append(&unit->step_sent, sent.data, sent.len);
}

static void tell_ready(struct worker_unit *unit)
{
	struct buffer message = {0}, settings = {0};
	wire_write_ready(&message, unit->device.index, settings_in_use(unit, &settings));
	send_message(unit, &message);
	buffer_finish(&settings);
}

static void tell_started(struct worker_unit *unit)
{
	struct buffer message = {0}, settings = {0};
	struct wire_started started = {.utc = clock_utc(), .mono = clock_boot()};
	started.settings = settings_in_use(unit, &settings);
	started.sent = settings_sent(unit, started.settings);
	keep_for_step(unit, &started);
	wire_write_started(&message, unit->device.index, &started);
	send_message(unit, &message);
	buffer_finish(&settings);
	unit->is_open = true;
}

static void tell_ended(struct worker_unit *unit, enum wire_end end, int error, const char *text)
{
	struct buffer message = {0};
	wire_write_ended(&message, unit->device.index, end, device_code(error), text);
	send_message(unit, &message);
	unit->is_open = false;
}

/* --- faults ----------------------------------------------------------------------------------- */

static bool is_silence(int error)
{
	return error == -ETIMEDOUT || error == -EBADMSG;
}

/* The unit is to be identified again, after a while. */
static void declare_fault(struct worker_unit *unit, int error)
{
	struct device *device = &unit->device;
	const char *text = device_reason(device, error);
	if (!unit->is_faulty) {
		struct buffer message = {0};
		wire_write_state(&message, device->index, "fault", device_code(error), text,
			(struct assay_span){NULL, 0});
		send_message(unit, &message);
	}
	unit->is_faulty = true;
	unit->is_silent = is_silence(error);
	unit->is_configured = false;
	unit->failures++;
	unit->phase = PHASE_IDENTIFYING;
	uint64_t now = clock_boot();
	if (unit->ready_at != 0 && now - unit->ready_at >= STEADY)
		unit->backoff = (struct backoff){0};
	unit->ready_at = 0;
	unit->due = now + backoff_next(&unit->backoff, BACKOFF_FIRST, BACKOFF_MAX);
	commands_clear_answer(device->services->commands, device->index);
}

bool unit_is_given_up(const struct worker_unit *unit)
{
	return unit->phase == PHASE_IDENTIFYING && unit->is_silent && unit->failures >= TRIES;
}

/* Runs a slot up to three times while the answers are missing or broken. */
static int try_slot(struct worker_unit *unit, int (*slot)(struct device *), bool with_stop)
{
	int r = -ETIMEDOUT;
	for (unsigned i = 0; i < TRIES; i++) {
		if (i > 0)
			channel_discard(unit->device.services->channel);
		r = slot(&unit->device);
		if (r < 0 && with_stop) {
			char words[EXPLAIN_MAX]; /* of the failure, not of what comes after it */
			memcpy(words, unit->device.explained, sizeof words);
			(void)device_stop(&unit->device);
			memcpy(unit->device.explained, words, sizeof words);
		}
		if (!is_silence(r))
			break;
		unit->device.retried++;
	}
	return r;
}

/* --- up to rest ------------------------------------------------------------------------------- */

static void identify(struct worker_unit *unit)
{
	struct assay_identity id;
	int r = -ETIMEDOUT;
	for (unsigned i = 0; i < TRIES && is_silence(r); i++)
		r = device_identify(&unit->device, &id);
	if (r == -ECANCELED)
		return;
	if (r < 0) {
		declare_fault(unit, r);
		return;
	}
	unit->phase = PHASE_WAITING;
	tell_identity(unit, &id);
}

static void go(struct worker_unit *unit, bool safe)
{
	if (safe) {
		unit->device.hazard = true; /* until make_safe says otherwise */
		int r = device_make_safe(&unit->device);
		if (r < 0) {
			declare_fault(unit, r);
			return;
		}
		device_report_hazard(&unit->device, false);
	}
	int r = try_slot(unit, device_configure, false);
	if (r == -ECANCELED) {
		unit->phase = PHASE_IDENTIFYING; /* nobody knows how far it came */
		unit->due = 0;
		return;
	}
	if (r < 0) {
		declare_fault(unit, r);
		return;
	}
	unit->is_configured = true;
	unit->is_faulty = unit->is_silent = false;
	unit->ready_at = clock_boot();
	unit->phase = PHASE_RESTING;
	tell_ready(unit);
}

static void refused(struct worker_unit *unit)
{
	unit->phase = PHASE_REFUSED;
	unit->due = clock_boot() + LOOK_AGAIN;
	unit->is_faulty = true; /* the core has said so */
}

static void await_answer(struct worker_unit *unit)
{
	bool safe;
	int answer = commands_take_answer(
		unit->device.services->commands, unit->device.index, &safe);
	if (answer > 0)
		go(unit, safe);
	else if (answer < 0)
		refused(unit);
}

/* --- a run ------------------------------------------------------------------------------------ */

static void rest(struct worker_unit *unit)
{
	unit->phase = PHASE_RESTING;
	commands_clear_run(unit->device.services->commands, unit->device.index);
}

static int stop_measuring(struct worker_unit *unit)
{
	if (!unit->is_measuring)
		return 0;
	unit->is_measuring = false;
	int r = device_stop(&unit->device);
	if (r < 0 && !channel_is_lost(unit->device.services->channel))
		device_log(&unit->device, ASSAY_LOG_WARN, "stopping failed: %s",
			device_reason(&unit->device, r));
	return r;
}

/* After a failure nothing harmful stays on; through a lost port it can be tried only once. */
static void make_safe(struct worker_unit *unit)
{
	struct device *device = &unit->device;
	if (!device->hazard || unit->is_left_on)
		return;
	int r = device_make_safe(device);
	if (r == 0 && !device->hazard)
		return;
	unit->is_left_on = channel_is_lost(device->services->channel);
	device_log(device, ASSAY_LOG_ERROR, "it could not be made safe: %s",
		r < 0 ? device_reason(device, r) : "the driver leaves something on");
}

/* The run is over as it was meant to be; a failing stop is a fault that comes after it. */
static void finish_run(struct worker_unit *unit, enum wire_end end)
{
	int r = stop_measuring(unit);
	rest(unit);
	tell_ended(unit, end, 0, "");
	if (r < 0) {
		declare_fault(unit, r);
		make_safe(unit);
	}
}

/* The run failed with `error`, as the last slot explained. */
static void fail_run(struct worker_unit *unit, int error)
{
	char text[EXPLAIN_MAX];
	snprintf(text, sizeof text, "%s", device_reason(&unit->device, error));
	declare_fault(unit, error);
	(void)stop_measuring(unit);
	make_safe(unit);
	commands_clear_run(unit->device.services->commands, unit->device.index);
	if (unit->is_open)
		tell_ended(unit, WIRE_END_FAILED, error, text);
}

/* The START did not come to STARTED.  In a repetition there is no run that could be ended. */
static void fail_start(struct worker_unit *unit, int error, const char *text, bool is_first)
{
	bool is_fault = !is_first || is_silence(error) || error == -ENODEV;
	char words[EXPLAIN_MAX];
	snprintf(words, sizeof words, "%s", text);
	rest(unit);
	if (is_fault && error != -ECANCELED)
		declare_fault(unit, error);
	make_safe(unit);
	if (is_first)
		tell_ended(unit, WIRE_END_NOT_STARTED, error, words);
}

/* Settings of the run, sent to the instrument where they differ.  0, or an error with `why`. */
static int prepare(struct worker_unit *unit, char why[EXPLAIN_MAX])
{
	char what[SETTINGS_WHY];
	struct device *device = &unit->device;
	int r = device_use_settings(
		device, unit->start.settings.data, unit->start.settings.len, what);
	if (r < 0) {
		snprintf(why, EXPLAIN_MAX, "%s", what);
		return r;
	}
	if (r == 0 && unit->is_configured)
		return 0;
	unit->is_configured = false;
	r = try_slot(unit, device_configure, false);
	snprintf(why, EXPLAIN_MAX, "%s", device_reason(device, r));
	unit->is_configured = r == 0;
	return r;
}

static int start_measuring(struct worker_unit *unit)
{
	int r = try_slot(unit, device_start, true);
	unit->is_measuring = r == 0;
	return r;
}

static void begin_run(struct worker_unit *unit)
{
	char why[EXPLAIN_MAX];
	channel_begin_run(unit->device.services->channel);
	unit->device.retried = 0;
	int r = prepare(unit, why);
	if (r == 0) {
		r = start_measuring(unit);
		snprintf(why, sizeof why, "%s", device_reason(&unit->device, r));
	}
	if (r < 0) {
		fail_start(unit, r, why, true);
		return;
	}
	unit->frames = unit->dropped = unit->retries = 0;
	unit->was_late = unit->was_broken = false;
	pace_begin(&unit->pace, unit->start.every_ns, clock_utc(), clock_boot());
	unit->due = unit->pace.due;
	if (unit->device.driver->start != NULL) {
		pace_at_once(&unit->pace); /* it has begun: the first frame is not held back */
		unit->due = 0;
	}
	unit->phase = PHASE_RUNNING;
	tell_started(unit);
}

static void look_for_start(struct worker_unit *unit)
{
	if (commands_take_start(unit->device.services->commands, unit->device.index, &unit->start))
		begin_run(unit);
}

/* A further measurement: in the same run, or as a run of its own. */
static void begin_again(struct worker_unit *unit)
{
	int r = start_measuring(unit);
	if (r == -ECANCELED && unit->is_open)
		return; /* the abort is seen at the next turn */
	if (r == 0) {
		if (unit->start.mode == WIRE_REPEAT)
			tell_started(unit);
		unit->due = 0;
	} else if (unit->is_open) {
		fail_run(unit, r);
	} else {
		fail_start(unit, r, device_reason(&unit->device, r), false);
	}
}

static void count_ticks(struct worker_unit *unit)
{
	unit->dropped += pace_next(&unit->pace, clock_utc(), clock_boot());
	unit->due = unit->pace.due;
}

static int send_frame(struct worker_unit *unit)
{
	struct device *device = &unit->device;
	struct channel *channel = device->services->channel;
	struct receipt received = channel_received(channel);
	struct iovec pieces[FRAME_PIECES];
	struct wire_frame head = {.utc = received.utc,
		.mono = received.mono,
		.retries = unit->retries + device->retried,
		.dropped = unit->dropped};
	if (unit->dropped > 0)
		frame_lower(&device->frame, ASSAY_GOOD, "driver-overrun");
	if (unit->was_late)
		frame_lower(&device->frame, ASSAY_GOOD, "timeout");
	if (unit->was_broken)
		frame_lower(&device->frame, ASSAY_GOOD, "checksum-retry");
	struct frame_step step = {{unit->start.step.data, unit->start.step.len},
		{unit->step_settings.data, unit->step_settings.len},
		{unit->step_sent.data, unit->step_sent.len}};
	int r = frame_message(&device->frame, device->index, &head, &step, &device->raw,
		device->config->raw, pieces);
	if (r < 0) {
		snprintf(device->explained, EXPLAIN_MAX, "the driver made no frame: %s",
			device->frame.why);
		return r;
	}
	commands_enter(device->services->commands, device->index);
	r = core_link_frame(device->services->core, pieces, FRAME_PIECES, &channel->cancelled);
	commands_leave(device->services->commands);
	if (r < 0)
		return r;
	unit->frames++;
	unit->dropped = unit->retries = device->retried = 0;
	unit->was_late = unit->was_broken = false;
	unit->failures = 0;
	return 0;
}

/* How the run ends if it ends now; 0: nothing says that it should. */
static int wanted_end(struct worker_unit *unit)
{
	struct commands *commands = unit->device.services->commands;
	if (commands_is_aborted(commands, unit->device.index))
		return WIRE_END_ABORTED;
	if (commands_is_stopped(commands, unit->device.index))
		return WIRE_END_STOPPED;
	bool enough = unit->start.frames != 0 && unit->frames >= unit->start.frames;
	return enough ? WIRE_END_COMPLETE : 0;
}

/* After a measurement's last frame. */
static void finish_measurement(struct worker_unit *unit)
{
	int end = wanted_end(unit);
	if (end == 0 && unit->start.mode == WIRE_ONCE)
		end = WIRE_END_COMPLETE;
	if (end == WIRE_END_COMPLETE && unit->start.mode == WIRE_REPEAT)
		end = 0; /* the run has its frames, the repetition goes on */
	if (end != 0) {
		finish_run(unit, (enum wire_end)end);
		return;
	}
	int r = stop_measuring(unit);
	if (r < 0) {
		fail_run(unit, r);
		return;
	}
	if (unit->start.mode == WIRE_REPEAT) {
		tell_ended(unit, WIRE_END_COMPLETE, 0, "");
		unit->frames = 0;
	}
	count_ticks(unit);
}

static void take_frame(struct worker_unit *unit, bool is_last)
{
	int r = device_decode(&unit->device);
	if (r == 0)
		r = send_frame(unit);
	if (r == -ECANCELED)
		return; /* the abort is seen at the next turn */
	if (r < 0) {
		fail_run(unit, r);
		return;
	}
	int end = wanted_end(unit);
	bool is_whole = end == WIRE_END_COMPLETE && unit->start.mode == WIRE_REPEAT;
	if (is_last || is_whole)
		finish_measurement(unit);
	else if (end != 0)
		finish_run(unit, (enum wire_end)end);
	else
		count_ticks(unit);
}

static void fail_acquire(struct worker_unit *unit, int error)
{
	if (error == -ECANCELED)
		return;
	if (is_silence(error) && unit->retries + 1 < TRIES) {
		unit->retries++;
		unit->was_late = unit->was_late || error == -ETIMEDOUT;
		unit->was_broken = unit->was_broken || error == -EBADMSG;
		channel_discard(unit->device.services->channel);
		return;
	}
	fail_run(unit, error);
}

static void acquire(struct worker_unit *unit)
{
	struct device *device = &unit->device;
	struct channel *channel = device->services->channel;
	commands_enter(device->services->commands, device->index);
	int r = core_link_wait_credit(device->services->core, &channel->cancelled);
	commands_leave(device->services->commands);
	if (r == 0)
		r = device_acquire(device);
	switch (r) {
	case ASSAY_FRAME: take_frame(unit, false); break;
	case ASSAY_LAST: take_frame(unit, true); break;
	case ASSAY_DONE: finish_measurement(unit); break;
	case -EAGAIN: unit->due = clock_boot() + AGAIN_LEAST; break;
	default: fail_acquire(unit, r < 0 ? r : -EBADMSG); break;
	}
}

/* Between two runs of a repetition it is the repetition that ends. */
static void end_now(struct worker_unit *unit, int end)
{
	if (unit->is_open) {
		finish_run(unit, (enum wire_end)end);
	} else {
		rest(unit);
		tell_ended(unit, (enum wire_end)end, 0, "");
	}
}

static void run(struct worker_unit *unit)
{
	int end = wanted_end(unit);
	bool waiting = !unit->is_measuring || clock_boot() < unit->due;
	if (end == WIRE_END_ABORTED || (end == WIRE_END_STOPPED && waiting))
		end_now(unit, end);
	else if (!unit->is_measuring)
		begin_again(unit);
	else
		acquire(unit);
}

/* --- turns ------------------------------------------------------------------------------------ */

/*
 * A START for a unit that is not ready is answered, not kept for later; a stop or abort has no run
 * that it could mean.
 */
static bool answer_early_orders(struct worker_unit *unit)
{
	struct device *device = &unit->device;
	if (unit->phase == PHASE_RESTING || unit->phase == PHASE_RUNNING)
		return false;
	commands_clear_run(device->services->commands, device->index);
	if (!commands_take_start(device->services->commands, device->index, &unit->start))
		return false;
	tell_ended(unit, WIRE_END_NOT_STARTED, -EAGAIN, "the instrument is not ready");
	return true;
}

void unit_turn(struct worker_unit *unit)
{
	if (answer_early_orders(unit))
		return;
	switch (unit->phase) {
	case PHASE_IDENTIFYING: identify(unit); break;
	case PHASE_WAITING: await_answer(unit); break;
	case PHASE_RESTING: look_for_start(unit); break;
	case PHASE_RUNNING: run(unit); break;
	case PHASE_REFUSED:
		if (clock_boot() >= unit->due)
			identify(unit);
		break;
	}
}

uint64_t unit_due(const struct worker_unit *unit, const struct unit_commands *pending)
{
	if (pending->started && unit->phase != PHASE_RUNNING)
		return 0;
	switch (unit->phase) {
	case PHASE_IDENTIFYING:
	case PHASE_REFUSED: return unit->due;
	case PHASE_WAITING: return pending->go || pending->refused ? 0 : UNIT_NEVER;
	case PHASE_RUNNING: return pending->stop || pending->abort ? 0 : unit->due;
	case PHASE_RESTING: break;
	}
	return UNIT_NEVER;
}

bool unit_end(struct worker_unit *unit, bool lost)
{
	if (unit->phase == PHASE_RUNNING && unit->is_open && lost)
		fail_run(unit, -ENODEV);
	else if (unit->phase == PHASE_RUNNING && unit->is_open)
		finish_run(unit, WIRE_END_ABORTED);
	(void)stop_measuring(unit);
	make_safe(unit);
	return !unit->device.hazard;
}

void unit_finish(struct worker_unit *unit)
{
	device_finish(&unit->device);
	buffer_finish(&unit->step_settings);
	buffer_finish(&unit->step_sent);
	start_finish(&unit->start);
}
