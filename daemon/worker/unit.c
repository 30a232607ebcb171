/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "record/text.h"
#include "worker/fatal.h"
#include "worker/unit.h"

#define BACKOFF_FIRST (NS_PER_S / 2)
#define BACKOFF_MAX   (30 * NS_PER_S)
#define STEADY        (10 * NS_PER_S) /* after which a fault starts the back-off from its first wait */
#define LOOK_AGAIN    (5 * NS_PER_S)  /* between two identifications of a rejected unit */
#define RECHECK       (30 * NS_PER_S) /* between two identifications of a unit at rest */
#define AGAIN_LEAST   NS_PER_MS       /* between two acquires that had nothing to deliver */

/* --- a shared line ---------------------------------------------------------------------------- */

#define SILENT_WITHIN 4 /* times the silence */

/*
 * On a line that units share, and whose replies nothing assigns to a request but the driver, a reply
 * that comes too late must not be taken for that of the next request or unit.  After a request
 * without a reply nothing is sent until the line has been silent for the time of a reply.  That costs
 * the port's time, which session.c limits for units at fault.
 */
static void await_silence(struct worker_unit *unit)
{
	struct services *services = unit->device.services;
	struct channel *channel = services->channel;
	if (services->quiet_ms == 0 || !channel_owes(channel))
		return;
	if (channel_clear(channel, services->quiet_ms, SILENT_WITHIN * services->quiet_ms) ==
		-EBADMSG)
		device_log(&unit->device, ASSAY_LOG_WARN,
			"the line is not silent for %d ms although no unit has a request: another "
			"program uses it, or a unit sends unasked",
			services->quiet_ms);
	heartbeat_rest(channel->heartbeat);
}

/* --- actions ---------------------------------------------------------------------------------- */

static void send_message(struct worker_unit *unit, struct buffer *message)
{
	core_link_send(unit->device.services->core, message);
	buffer_finish(message);
}

static void send_identity(struct worker_unit *unit)
{
	const struct assay_identity *read = &unit->identity;
	struct buffer message = {0};
	struct wire_identity identity = {string_of(read->make), string_of(read->model),
		string_of(read->serial), string_of(read->fw), read->declared};
	wire_write_identity(&message, unit->device.index, &identity);
	send_message(unit, &message);
}

/* The settings as sent or read back; `out` is finished by the caller. */
static struct assay_span settings_in_use(struct worker_unit *unit, struct buffer *out)
{
	const struct device *device = &unit->device;
	struct assay_span sent = device_sent(device);
	if (!unit->is_configured)
		sent = (struct assay_span){0}; /* it was only read back */
	if (report_merge(&device->report, sent.data, sent.len, out) < 0)
		return sent;
	return (struct assay_span){out->data, out->len};
}

/* A run is complete only if its data set was taken. */
static void end_file(struct worker_unit *unit, enum wire_end end)
{
	struct folder *folder = unit->device.services->folder;
	bool is_complete = end == WIRE_END_COMPLETE && unit->cut[0] == '\0';
	if (folder != NULL && !folder_end_run(folder, is_complete) && is_complete)
		snprintf(unit->cut, sizeof unit->cut,
			"its files were not read to their end: they come again");
}

/*
 * STARTED carries the settings in use and, if they differ, those that the driver works with.  A
 * step of a method has settings of its own, which its frames repeat.
 */
static void send_started(struct worker_unit *unit)
{
	static const uint8_t none[] = {0xa0}; /* an empty map */
	struct buffer message = {0}, settings = {0};
	struct assay_span holds = {unit->start.holds.data, unit->start.holds.len};
	const struct device *device = &unit->device;
	struct receipt begun = device->has_begun ? device->began
						 : (struct receipt){clock_utc(), clock_boot()};
	unit->has_other_sample = false;
	memcpy(unit->sample, device->sample, sizeof unit->sample);
	unit->is_calibrated = device_calibrate(&unit->device, holds);
	device_report_file(&unit->device);
	struct assay_span sent = device_sent(&unit->device);
	if (sent.len == 0)
		sent = (struct assay_span){none, sizeof none};
	struct wire_started started = {begun.utc, begun.mono, settings_in_use(unit, &settings),
		sent, string_of(unit->sample)};
	buffer_reset(&unit->step_settings);
	buffer_reset(&unit->step_sent);
	if (unit->start.step.len > 0) {
		buffer_append(&unit->step_settings, started.settings.data, started.settings.len);
		buffer_append(&unit->step_sent, sent.data, sent.len);
	}
	if (sent.len == started.settings.len &&
		memcmp(sent.data, started.settings.data, sent.len) == 0)
		started.sent = (struct assay_span){NULL, 0};
	wire_write_started(&message, device->index, &started);
	send_message(unit, &message);
	buffer_finish(&settings);
}

static void send_ended(struct worker_unit *unit, enum wire_end end, int error, const char *text)
{
	struct buffer message = {0};
	wire_write_ended(&message, unit->device.index, end, device_code(error), text);
	send_message(unit, &message);
}

/* The core must know it before the act, even if the act ends this process. */
static void send_hazard(struct worker_unit *unit, bool on)
{
	struct buffer message = {0};
	wire_write_hazard(&message, unit->device.index, on);
	send_message(unit, &message);
	core_link_wait_sent(unit->device.services->core, NS_PER_S);
}

/* Whether the unit at rest is due for poll, not for its identity. */
static bool is_poll(const struct worker_unit *unit)
{
	return unit->device.driver->poll != NULL && unit->poll_due <= unit->identity_due;
}

/* Before a rest: both are due after their whole time, and all values are sent. */
static void end_rest(struct worker_unit *unit)
{
	unit->identity_due = unit->poll_due = 0;
	buffer_reset(&unit->device.shown);
}

/* Sets the next time of the one that was done. */
static void rest(struct worker_unit *unit, uint64_t now)
{
	const struct device *device = &unit->device;
	bool is_first = unit->identity_due == 0, was_polled = !is_first && is_poll(unit);
	bool may_be_exchanged = device->services->channel->link->is_unconnected;
	if (!was_polled)
		unit->identity_due = may_be_exchanged ? now + RECHECK : UNIT_NEVER;
	if (is_first || was_polled)
		unit->poll_due = device->driver->poll != NULL
					 ? now + device->driver->poll_ms * NS_PER_MS
					 : UNIT_NEVER;
	unit->due = is_poll(unit) ? unit->poll_due : unit->identity_due;
}

static void perform(struct worker_unit *unit, enum unit_action action, enum wire_end end)
{
	struct device *device = &unit->device;
	struct buffer message = {0}, settings = {0};
	uint64_t now = clock_boot();
	switch (action) {
	case UNIT_SEND_IDENTITY: send_identity(unit); break;
	case UNIT_SEND_READY:
		end_rest(unit);
		unit->ready_at = now;
		unit->is_configured = !unit->own.look;
		wire_write_ready(&message, device->index, settings_in_use(unit, &settings));
		send_message(unit, &message);
		buffer_finish(&settings);
		break;
	case UNIT_SEND_ARMED:
		unit->waits_for[0] = '\0';
		wire_write_state(
			&message, device->index, "armed", "", "", (struct assay_span){NULL, 0});
		send_message(unit, &message);
		break;
	case UNIT_SEND_STARTED:
		unit->frames = 0;
		unit->waits_for[0] = '\0';
		send_started(unit);
		break;
	case UNIT_SEND_ENDED:
		end_file(unit, end);
		if (end == WIRE_END_FAILED)
			send_ended(unit, end, unit->error, unit->why);
		else
			send_ended(unit, end, 0, end == WIRE_END_COMPLETE ? unit->cut : "");
		break;
	case UNIT_SEND_NOT_STARTED:
		send_ended(unit, WIRE_END_NOT_STARTED, unit->error, unit->why);
		break;
	case UNIT_SEND_NOT_READY:
		send_ended(unit, WIRE_END_NOT_STARTED, -EAGAIN, "the instrument is not ready");
		break;
	case UNIT_SEND_FAULT:
		wire_write_state(&message, device->index, "fault", device_code(unit->error),
			unit->why, (struct assay_span){NULL, 0});
		send_message(unit, &message);
		break;
	case UNIT_SEND_HAZARD_ON: send_hazard(unit, true); break;
	case UNIT_SEND_HAZARD_OFF: send_hazard(unit, false); break;
	case UNIT_PREPARE_RUN:
		end_rest(unit);
		channel_start_run(device->services->channel);
		device->retried = 0;
		unit->dropped = 0;
		unit->was_late = unit->was_broken = unit->was_resumed = false;
		unit->cut[0] = '\0';
		break;
	case UNIT_START_PACE:
		pace_start(&unit->pace, unit->start.every_ns, clock_utc(), now);
		unit->due = unit->pace.due;
		if (device->driver->start != NULL) { /* it measures already */
			pace_at_once(&unit->pace);
			unit->due = 0;
		}
		break;
	case UNIT_NEXT_PACE:
		unit->dropped += pace_next(&unit->pace, clock_utc(), now);
		unit->due = unit->pace.due;
		break;
	case UNIT_RETRY:
		if (services_have_stream(device->services)) /* the others know late replies */
			channel_discard(device->services->channel);
		await_silence(unit);
		device->retried++;
		break;
	case UNIT_BACK_OFF:
		if (unit->ready_at != 0 && now - unit->ready_at >= STEADY)
			unit->backoff = (struct backoff){0};
		unit->ready_at = 0;
		unit->is_configured = false;
		unit->due = now + backoff_next(&unit->backoff, BACKOFF_FIRST, BACKOFF_MAX);
		break;
	case UNIT_DUE_NOW: unit->due = 0; break;
	case UNIT_DUE_SOON:
		pace_idle(&unit->pace, clock_utc(), now);
		unit->due = now + (device->again_ns > AGAIN_LEAST ? device->again_ns : AGAIN_LEAST);
		device->again_ns = 0;
		break;
	case UNIT_DUE_LATER: unit->due = now + LOOK_AGAIN; break;
	case UNIT_DUE_CHECK: rest(unit, now); break;
	}
}

static void take(struct worker_unit *unit, enum unit_event event)
{
	struct unit_step step = unit_step(unit->state, event, unit->start.mode);
	unit->state = step.state;
	for (unsigned i = 0; i < step.count; i++)
		perform(unit, step.actions[i], step.end);
}

static void on_hazard(struct device *device, bool on)
{
	struct worker_unit *unit = (struct worker_unit *)(void *)device;
	take(unit, on ? UNIT_ON_HAZARD_ON : UNIT_ON_HAZARD_OFF);
}

/* --- slots ------------------------------------------------------------------------------------ */

/* A frame that nothing else checks is suspect then; a checksum shows if its own bytes were hit. */
static void note_line_errors(struct worker_unit *unit)
{
	struct device *device = &unit->device;
	struct link_errors e = channel_errors(device->services->channel);
	enum assay_quality flag = device->frame.quality == ASSAY_UNCHECKED ? ASSAY_SUSPECT
									   : ASSAY_GOOD;
	if (e.parity > 0 || e.framing > 0)
		frame_lower(&device->frame, flag, "malformed");
	if (e.overrun > 0)
		frame_lower(&device->frame, flag, "driver-overrun");
	if (e.parity > 0 || e.framing > 0 || e.overrun > 0 || e.breaks > 0)
		device_log(device, ASSAY_LOG_WARN,
			"the serial line had %u parity errors, %u framing errors, %u overruns and "
			"%u breaks before this frame: compare baud rate, parity and wiring",
			e.parity, e.framing, e.overrun, e.breaks);
}

static int send_frame(struct worker_unit *unit)
{
	struct device *device = &unit->device;
	struct channel *channel = device->services->channel;
	struct receipt received = channel_received(channel);
	struct iovec pieces[FRAME_PIECES];
	struct wire_frame head = {.utc = received.utc,
		.mono = received.mono,
		.retries = device->retried,
		.dropped = unit->dropped};
	if (unit->dropped > 0)
		frame_lower(&device->frame, ASSAY_GOOD, "driver-overrun");
	note_line_errors(unit);
	if (unit->was_late)
		frame_lower(&device->frame, ASSAY_GOOD, "timeout");
	if (unit->was_broken)
		frame_lower(&device->frame, ASSAY_GOOD, "checksum-retry");
	if (unit->was_resumed)
		frame_lower(&device->frame, ASSAY_GOOD, "resumed");
	if (unit->has_other_sample)
		frame_lower(&device->frame, ASSAY_SUSPECT, "sample-mismatch");
	if (!unit->is_calibrated) { /* the driver did not see the calibration */
		frame_withdraw(&device->frame, "no-calibration");
		frame_lower(&device->frame, ASSAY_SUSPECT, "cal-settings");
	}
	struct frame_step step = {{unit->start.step.data, unit->start.step.len},
		{unit->step_settings.data, unit->step_settings.len},
		{unit->step_sent.data, unit->step_sent.len}};
	int r = frame_message(&device->frame, device->index, &head, &step, &device->raw,
		device->config->raw, pieces);
	if (r < 0) {
		snprintf(device->explained, EXPLAIN_MAX, "the driver made no valid frame: %s",
			device->frame.why);
		return r;
	}
	r = core_link_frame(device->services->core, pieces, FRAME_PIECES, &channel->cancelled);
	if (r < 0)
		return r;
	unit->frames++;
	unit->dropped = device->retried = 0;
	unit->was_late = unit->was_broken = unit->was_resumed = false;
	return 0;
}

/* Whether it is still the unit that the core knows: -ENODEV, explained, if not. */
static int recheck(struct worker_unit *unit)
{
	struct device *device = &unit->device;
	const struct assay_identity *known = &unit->identity;
	struct assay_identity found;
	int r = device_identify_aside(device, &found);
	if (r < 0)
		return r;
	if (strcmp(found.serial, known->serial) == 0 && strcmp(found.model, known->model) == 0)
		return 0;
	snprintf(device->explained, EXPLAIN_MAX,
		"another unit replies: '%.40s', serial number '%.40s'; it was '%.40s', '%.40s'",
		found.model, found.serial, known->model, known->serial);
	return -ENODEV;
}

static bool is_connected_again(const struct worker_unit *unit)
{
	return unit->connection != unit->device.services->channel->connections;
}

/* After another connection was made: 0 if the same unit replies, or is known by declaration. */
static int confirm(struct worker_unit *unit)
{
	int r = unit->identity.declared ? 0 : -ETIMEDOUT;
	unit->device.may_yield = false;
	for (int i = 0; (r == -ETIMEDOUT || r == -EBADMSG) && i < UNIT_TRIES; i++)
		r = recheck(unit);
	if (r == 0)
		unit->connection = unit->device.services->channel->connections;
	return r == -EAGAIN ? -ETIMEDOUT : r;
}

/*
 * Before anything is sent that changes the instrument: the same, and its settings are sent again,
 * because it may have restarted.  On a closed connection, reading the identity makes another.
 */
static int confirm_first(struct worker_unit *unit)
{
	if (!is_connected_again(unit) && !channel_is_closed(unit->device.services->channel))
		return 0;
	unit->is_configured = false;
	return confirm(unit);
}

static int acquire(struct worker_unit *unit)
{
	struct device *device = &unit->device;
	struct channel *channel = device->services->channel;
	unsigned breaks = channel->breaks;
	int r = device_acquire(device);
	unit->cut[0] = '\0';
	if (r == ASSAY_CUT) {
		snprintf(unit->cut, sizeof unit->cut, "%s",
			device->explained[0] != '\0'
				? device->explained
				: "the instrument ended the measurement early");
		r = ASSAY_LAST;
	}
	if ((r == ASSAY_FRAME || r == ASSAY_LAST) && is_connected_again(unit)) {
		int confirmed = confirm(unit);
		r = confirmed < 0 ? confirmed : r;
	}
	unit->was_late = unit->was_late || r == -ETIMEDOUT;
	unit->was_broken = unit->was_broken || r == -EBADMSG;
	unit->was_resumed = unit->was_resumed || channel->breaks != breaks;
	return r;
}

static int configure(struct worker_unit *unit)
{
	int r = device_configure(&unit->device);
	unit->is_configured = r == 0;
	return r;
}

/* On a plain link the input of a driver with `start` is a stream from here to its stop. */
static int start(struct worker_unit *unit)
{
	struct device *device = &unit->device;
	if (device->driver->start != NULL && services_have_stream(device->services) &&
		device->services->quiet_ms == 0)
		channel_set_stream(device->services->channel, true);
	int r = device_start(device);
	bool is_further = unit->state.phase != UNIT_START && unit->state.owes == UNIT_OWES_END;
	if (r == 0 && is_further && device->has_begun && strcmp(device->sample, unit->sample) != 0)
		unit->has_other_sample = true; /* one run: no STARTED with this id follows */
	return r;
}

/* The connection that `start` looks at may have been made again while it waited. */
static int await(struct worker_unit *unit)
{
	int r = start(unit);
	return r == 0 && is_connected_again(unit) ? confirm(unit) : r;
}

static int stop(struct worker_unit *unit)
{
	int r = device_stop(&unit->device);
	channel_set_stream(unit->device.services->channel, false);
	return r;
}

/* The driver's slot of each phase that runs one. */
static const char *const slot_names[UNIT_PHASES] = {
	[UNIT_IDENTIFY] = "identify",
	[UNIT_RESCUE] = "make_safe",
	[UNIT_CONFIGURE] = "configure",
	[UNIT_PREPARE] = "configure",
	[UNIT_START] = "start",
	[UNIT_AWAIT] = "start",
	[UNIT_CLEAN] = "stop",
	[UNIT_ACQUIRE] = "acquire",
	[UNIT_DELIVER] = "decode",
	[UNIT_DELIVER_LAST] = "decode",
	[UNIT_STOP] = "stop",
	[UNIT_RESTART] = "start",
	[UNIT_SAFE] = "make_safe",
	[UNIT_RECHECK] = "identify",
};

static const char *slot_name(const struct worker_unit *unit)
{
	bool polls = unit->state.phase == UNIT_RECHECK && is_poll(unit);
	return polls ? "poll" : slot_names[unit->state.phase];
}

/* A result that the slot does not have is a fault of the driver. */
static int check_result(struct worker_unit *unit, int r)
{
	int most = unit->state.phase == UNIT_ACQUIRE ? ASSAY_LAST : 0;
	if (r <= most)
		return r;
	snprintf(unit->device.explained, EXPLAIN_MAX,
		"driver %s: %s returned %d, which is none of its results",
		unit->device.driver->name, slot_name(unit), r);
	return -EINVAL;
}

/* Runs the slot of the phase and returns its result: an error is explained. */
static int run_slot(struct worker_unit *unit)
{
	struct device *device = &unit->device;
	int r = 0;
	switch (unit->state.phase) {
	case UNIT_IDENTIFY:
		r = device_identify(device, &unit->identity);
		unit->connection = device->services->channel->connections;
		return r;
	case UNIT_RECHECK: return is_poll(unit) ? device_poll(device) : recheck(unit);
	case UNIT_RESCUE: return device_make_safe(device);
	case UNIT_CONFIGURE:
		r = confirm_first(unit);
		if (r == 0 && (!unit->own.look || unit->own.settings.len > 0)) {
			r = device_use_settings(device, &unit->own.settings);
			r = r < 0 ? r : device_configure(device);
		}
		return r < 0 || !unit->own.look ? r : device_read_back(device);
	case UNIT_PREPARE:
		r = confirm_first(unit);
		if (r == 0)
			r = device_use_references(device, &unit->start.references);
		if (r == 0)
			r = device_use_settings(device, &unit->start.settings);
		return r < 0 || (r == 0 && unit->is_configured) ? r : configure(unit);
	case UNIT_RESTART:
		r = confirm_first(unit);
		if (r == 0 && !unit->is_configured)
			r = configure(unit);
		return r < 0 ? r : start(unit);
	case UNIT_START: return start(unit);
	case UNIT_AWAIT: return await(unit);
	case UNIT_CLEAN: return stop(unit);
	case UNIT_ACQUIRE: return acquire(unit);
	case UNIT_DELIVER:
	case UNIT_DELIVER_LAST: r = device_decode(device); return r == 0 ? send_frame(unit) : r;
	case UNIT_STOP:
		r = stop(unit);
		if (r < 0 && !channel_is_lost(device->services->channel))
			device_log(device, ASSAY_LOG_WARN, "stopping failed: %s",
				device_reason(device, r));
		return r;
	case UNIT_SAFE:
		r = device_make_safe(device);
		if (r < 0 || unit->state.hazard == UNIT_HAZARD_ON)
			device_log(device, ASSAY_LOG_ERROR, "it could not be made safe: %s",
				r < 0 ? device_reason(device, r)
				      : "the driver leaves something on");
		return r < 0 && channel_is_lost(device->services->channel) ? -ENODEV : r;
	default: assert(!"a phase without a slot"); return r;
	}
}

/* Whether -EAGAIN is a result of the slot. */
static bool may_be_again(const struct worker_unit *unit, enum unit_phase phase)
{
	bool starts = phase == UNIT_START || phase == UNIT_AWAIT || phase == UNIT_RESTART;
	return phase == UNIT_ACQUIRE || (starts && unit->device.wants_again);
}

static enum unit_event event_of(const struct worker_unit *unit, enum unit_phase phase, int result)
{
	struct commands *commands = unit->device.services->commands;
	switch (result) {
	case -ETIMEDOUT:
	case -EBADMSG: return UNIT_ON_SILENT;
	case -ENODEV: return UNIT_ON_GONE;
	case -ECANCELED:
		return commands_has_cut(commands, unit->device.index) ? UNIT_ON_CANCELED
								      : UNIT_ON_FAILED;
	case -EAGAIN: return may_be_again(unit, phase) ? UNIT_ON_AGAIN : UNIT_ON_FAILED;
	default: break;
	}
	if (result < 0)
		return UNIT_ON_FAILED;
	if (phase == UNIT_ACQUIRE)
		return result == ASSAY_FRAME  ? UNIT_ON_FRAME
		       : result == ASSAY_LAST ? UNIT_ON_LAST
					      : UNIT_ON_DONE;
	bool is_delivered = phase == UNIT_DELIVER || phase == UNIT_DELIVER_LAST;
	bool enough = unit->start.frames != 0 && unit->frames >= unit->start.frames;
	return is_delivered && enough ? UNIT_ON_ENOUGH : UNIT_ON_OK;
}

/* Only the first failure is reported, not those that follow from it. */
static void remember(struct worker_unit *unit, int error, const char *why)
{
	if (unit->state.failure != 0)
		return;
	unit->error = error;
	snprintf(unit->why, sizeof unit->why, "%s", why);
}

/* Why the instrument waits for its measurement, if the driver explains it, and has not before. */
static void show_wait(struct worker_unit *unit)
{
	const struct device *device = &unit->device;
	struct buffer message = {0};
	if (device->explained[0] == '\0' || strcmp(device->explained, unit->waits_for) == 0)
		return;
	snprintf(unit->waits_for, sizeof unit->waits_for, "%s", device->explained);
	wire_write_state(&message, device->index, "armed", "", device->explained,
		(struct assay_span){NULL, 0});
	send_message(unit, &message);
}

/* --- turns ------------------------------------------------------------------------------------ */

/* When its part of the line is free for the next request; 0: at once. */
static uint64_t line_is_free_at(const struct worker_unit *unit)
{
	struct modbus *modbus = unit->device.services->modbus;
	return modbus != NULL ? modbus_not_before(modbus, unit->device.config->unit_id) : 0;
}

/* Whether the slot is called again if it returns -EAGAIN because the line is not free. */
static bool may_yield(const struct worker_unit *unit)
{
	enum unit_phase phase = unit->state.phase;
	return (phase == UNIT_IDENTIFY || phase == UNIT_ACQUIRE) && !unit->state.is_leaving;
}

static bool waits_for_line(const struct worker_unit *unit)
{
	return may_yield(unit) && line_is_free_at(unit) > clock_boot();
}

uint64_t unit_due(const struct worker_unit *unit, bool has_credit)
{
	enum unit_activity activity = unit_activity(&unit->state);
	bool blocked = unit->state.phase == UNIT_PACED && !has_credit;
	if (blocked || activity == UNIT_WAITS)
		return UNIT_NEVER;
	uint64_t due = activity == UNIT_WAITS_UNTIL_DUE ? unit->due : 0;
	uint64_t free_at = line_is_free_at(unit);
	return due > free_at ? due : free_at;
}

/* Takes pending commands: true if there were any. */
static bool take_commands(struct worker_unit *unit)
{
	struct commands *commands = unit->device.services->commands;
	enum unit_event event;
	bool any = false;
	while (commands_take(
		commands, unit->device.index, &unit->state, &event, &unit->start, &unit->own)) {
		if (event == UNIT_ON_ABORT || event == UNIT_ON_QUIT)
			remember(unit, -ECANCELED, "aborted");
		take(unit, event);
		any = true;
	}
	return any;
}

/* Runs slots and takes commands until the unit waits.  `entered`: as by commands_enter(). */
static void run_slots(struct worker_unit *unit, bool entered)
{
	struct commands *commands = unit->device.services->commands;
	for (;;) {
		entered = !take_commands(unit) && entered;
		enum unit_phase phase = unit->state.phase;
		enum unit_activity activity = unit_activity(&unit->state);
		if (activity == UNIT_WAITS || activity == UNIT_WAITS_UNTIL_DUE ||
			waits_for_line(unit))
			return;
		if (activity == UNIT_RUNS_UNDISTURBED || !entered) {
			monitor_lock(commands->monitor);
			entered = activity == UNIT_RUNS;
			if (entered)
				commands_enter(commands, unit->device.index,
					unit->state.end == WIRE_END_STOPPED);
			else
				commands_leave(commands);
			monitor_unlock(commands->monitor);
		}
		unit->device.may_yield = may_yield(unit);
		fatal_enter(unit->device.index, unit->device.driver->name, slot_name(unit));
		int r = check_result(unit, run_slot(unit));
		channel_end_exchange(unit->device.services->channel);
		if (r == -ETIMEDOUT || r == -EBADMSG || r == -ECANCELED)
			channel_miss(unit->device.services->channel);
		fatal_enter(0, NULL, NULL);
		if (r == -EAGAIN && phase != UNIT_ACQUIRE && waits_for_line(unit))
			continue;
		if (r < 0)
			remember(unit, r, device_reason(&unit->device, r));
		take(unit, event_of(unit, phase, r));
		if (r == -EAGAIN && phase != UNIT_ACQUIRE && may_be_again(unit, phase))
			show_wait(unit);
	}
}

void unit_turn(struct worker_unit *unit, bool is_due)
{
	await_silence(unit); /* an abort has ended it before */
	if (unit->device.services->quiet_ms > 0)
		channel_discard(unit->device.services->channel);
	if (is_due && unit_activity(&unit->state) == UNIT_WAITS_UNTIL_DUE)
		take(unit, UNIT_ON_DUE);
	run_slots(unit, true);
	await_silence(unit);
}

bool unit_end(struct worker_unit *unit, bool lost)
{
	int error = lost ? -ENODEV : -ECANCELED;
	unit->device.explained[0] = '\0';
	remember(unit, error, device_reason(&unit->device, error));
	take(unit, lost ? UNIT_ON_LOST : UNIT_ON_QUIT);
	run_slots(unit, false);
	fatal_enter(unit->device.index, unit->device.driver->name, "close");
	device_close(&unit->device);
	fatal_enter(0, NULL, NULL);
	return unit->state.hazard == UNIT_HAZARD_OFF;
}

int unit_init(struct worker_unit *unit, struct services *services, unsigned index,
	const struct unit *config, const struct assay_driver *driver, unsigned link,
	char why[MODULE_WHY])
{
	*unit = (struct worker_unit){0};
	return device_init(&unit->device, services, index, config, driver, link, on_hazard, why);
}

void unit_finish(struct worker_unit *unit)
{
	device_finish(&unit->device);
	buffer_finish(&unit->step_settings);
	buffer_finish(&unit->step_sent);
	start_finish(&unit->start);
	buffer_finish(&unit->own.settings);
}
