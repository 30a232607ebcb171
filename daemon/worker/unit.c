/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "record/text.h"
#include "worker/unit.h"

#define BACKOFF_FIRST (NS_PER_S / 2)
#define BACKOFF_MAX   (30 * NS_PER_S)
#define STEADY        (10 * NS_PER_S) /* after which a fault starts the back-off from its first wait */
#define LOOK_AGAIN    (5 * NS_PER_S) /* between two identifications of a rejected unit */
#define AGAIN_LEAST   NS_PER_MS      /* between two acquires that had nothing to deliver */

static struct worker_unit *unit_of(struct device *device)
{
	return (struct worker_unit *)(void *)device;
}

/* --- messages --------------------------------------------------------------------------------- */

static void send_message(struct worker_unit *unit, struct buffer *message)
{
	core_link_send(unit->device.services->core, message);
	buffer_finish(message);
}

static void send_identity(struct worker_unit *unit)
{
	struct buffer message = {0};
	struct wire_identity identity = {
		.make = string_of(unit->identity.make),
		.model = string_of(unit->identity.model),
		.serial = string_of(unit->identity.serial),
		.fw = string_of(unit->identity.fw),
		.declared = unit->identity.declared,
	};
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

/* The settings that the driver works with, if they differ from those in use; else empty. */
static struct assay_span settings_sent(struct worker_unit *unit, struct assay_span in_use)
{
	static const uint8_t none[] = {0xa0}; /* an empty map */
	struct assay_span sent = unit->device.sent;
	if (sent.len == 0)
		sent = (struct assay_span){none, sizeof none};
	bool same = sent.len == in_use.len && memcmp(sent.data, in_use.data, sent.len) == 0;
	return same ? (struct assay_span){NULL, 0} : sent;
}

/* STARTED has the settings of a run; a step of a method has its own, which its frames carry. */
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

static void send_ready(struct worker_unit *unit)
{
	struct buffer message = {0}, settings = {0};
	wire_write_ready(&message, unit->device.index, settings_in_use(unit, &settings));
	send_message(unit, &message);
	buffer_finish(&settings);
}

static void send_started(struct worker_unit *unit)
{
	struct buffer message = {0}, settings = {0};
	struct wire_started started = {.utc = clock_utc(), .mono = clock_boot()};
	started.settings = settings_in_use(unit, &settings);
	started.sent = settings_sent(unit, started.settings);
	keep_for_step(unit, &started);
	wire_write_started(&message, unit->device.index, &started);
	send_message(unit, &message);
	buffer_finish(&settings);
	unit->frames = 0;
}

static void send_ended(struct worker_unit *unit, enum wire_end end, int error, const char *text)
{
	struct buffer message = {0};
	wire_write_ended(&message, unit->device.index, end, device_code(error), text);
	send_message(unit, &message);
}

static void send_fault(struct worker_unit *unit)
{
	struct buffer message = {0};
	wire_write_state(&message, unit->device.index, "fault", device_code(unit->error), unit->why,
		(struct assay_span){NULL, 0});
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

/* --- actions ---------------------------------------------------------------------------------- */

static void prepare_run(struct worker_unit *unit)
{
	channel_begin_run(unit->device.services->channel);
	unit->device.retried = 0;
	unit->dropped = 0;
	unit->was_late = unit->was_broken = false;
}

/* If start() has started the measurement, its first frame is not held back. */
static void start_pace(struct worker_unit *unit)
{
	pace_begin(&unit->pace, unit->start.every_ns, clock_utc(), clock_boot());
	unit->due = unit->pace.due;
	if (unit->device.driver->start != NULL) {
		pace_at_once(&unit->pace);
		unit->due = 0;
	}
}

static void next_pace(struct worker_unit *unit)
{
	unit->dropped += pace_next(&unit->pace, clock_utc(), clock_boot());
	unit->due = unit->pace.due;
}

static void back_off(struct worker_unit *unit)
{
	uint64_t now = clock_boot();
	if (unit->ready_at != 0 && now - unit->ready_at >= STEADY)
		unit->backoff = (struct backoff){0};
	unit->ready_at = 0;
	unit->is_configured = false;
	unit->due = now + backoff_next(&unit->backoff, BACKOFF_FIRST, BACKOFF_MAX);
}

static void perform(struct worker_unit *unit, enum unit_action action, enum wire_end end)
{
	bool failed = end == WIRE_END_FAILED;
	switch (action) {
	case UNIT_SEND_IDENTITY: send_identity(unit); break;
	case UNIT_SEND_READY:
		unit->ready_at = clock_boot();
		unit->is_configured = true;
		send_ready(unit);
		break;
	case UNIT_SEND_STARTED: send_started(unit); break;
	case UNIT_SEND_ENDED:
		send_ended(unit, end, failed ? unit->error : 0, failed ? unit->why : "");
		break;
	case UNIT_SEND_NOT_STARTED:
		send_ended(unit, WIRE_END_NOT_STARTED, unit->error, unit->why);
		break;
	case UNIT_SEND_NOT_READY:
		send_ended(unit, WIRE_END_NOT_STARTED, -EAGAIN, "the instrument is not ready");
		break;
	case UNIT_SEND_FAULT: send_fault(unit); break;
	case UNIT_SEND_HAZARD_ON: send_hazard(unit, true); break;
	case UNIT_SEND_HAZARD_OFF: send_hazard(unit, false); break;
	case UNIT_PREPARE_RUN: prepare_run(unit); break;
	case UNIT_START_PACE: start_pace(unit); break;
	case UNIT_NEXT_PACE: next_pace(unit); break;
	case UNIT_RETRY:
		channel_discard(unit->device.services->channel);
		unit->device.retried++;
		break;
	case UNIT_BACK_OFF: back_off(unit); break;
	case UNIT_DUE_NOW: unit->due = 0; break;
	case UNIT_DUE_SOON: unit->due = clock_boot() + AGAIN_LEAST; break;
	case UNIT_DUE_LATER: unit->due = clock_boot() + LOOK_AGAIN; break;
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
	take(unit_of(device), on ? UNIT_ON_HAZARD_ON : UNIT_ON_HAZARD_OFF);
}

/* --- slots ------------------------------------------------------------------------------------ */

/* Sends the settings of the run to the instrument if they differ from those it has. */
static int prepare(struct worker_unit *unit)
{
	int r = device_use_settings(&unit->device, &unit->start.settings);
	if (r < 0 || (r == 0 && unit->is_configured))
		return r;
	unit->is_configured = false;
	r = device_configure(&unit->device);
	unit->is_configured = r == 0;
	return r;
}

static int acquire(struct worker_unit *unit)
{
	int r = device_acquire(&unit->device);
	if (r > ASSAY_LAST)
		r = -EBADMSG;
	unit->was_late = unit->was_late || r == -ETIMEDOUT;
	unit->was_broken = unit->was_broken || r == -EBADMSG;
	return r;
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
	r = core_link_frame(device->services->core, pieces, FRAME_PIECES, &channel->cancelled);
	if (r < 0)
		return r;
	unit->frames++;
	unit->dropped = device->retried = 0;
	unit->was_late = unit->was_broken = false;
	return 0;
}

static int stop(struct worker_unit *unit)
{
	int r = device_stop(&unit->device);
	if (r < 0 && !channel_is_lost(unit->device.services->channel))
		device_log(&unit->device, ASSAY_LOG_WARN, "stopping failed: %s",
			device_reason(&unit->device, r));
	return r;
}

static int make_safe(struct worker_unit *unit)
{
	int r = device_make_safe(&unit->device);
	if (r < 0 || unit->state.hazard == UNIT_HAZARD_ON)
		device_log(&unit->device, ASSAY_LOG_ERROR, "it could not be made safe: %s",
			r < 0 ? device_reason(&unit->device, r) : "the driver leaves something on");
	return r < 0 && channel_is_lost(unit->device.services->channel) ? -ENODEV : r;
}

/* 0 or positive: as the slot returned it; or a negative errno. */
static int run_slot(struct worker_unit *unit)
{
	int r;
	switch (unit->state.phase) {
	case UNIT_IDENTIFY: return device_identify(&unit->device, &unit->identity);
	case UNIT_RESCUE: return device_make_safe(&unit->device);
	case UNIT_CONFIGURE: return device_configure(&unit->device);
	case UNIT_PREPARE: return prepare(unit);
	case UNIT_START:
	case UNIT_RESTART: return device_start(&unit->device);
	case UNIT_CLEAN: return device_stop(&unit->device);
	case UNIT_ACQUIRE: return acquire(unit);
	case UNIT_DELIVER:
	case UNIT_DELIVER_LAST:
		r = device_decode(&unit->device);
		return r == 0 ? send_frame(unit) : r;
	case UNIT_STOP: return stop(unit);
	case UNIT_SAFE: return make_safe(unit);
	default: return 0;
	}
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
	case -EAGAIN: return phase == UNIT_ACQUIRE ? UNIT_ON_AGAIN : UNIT_ON_FAILED;
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

/* --- turns ------------------------------------------------------------------------------------ */

uint64_t unit_due(const struct worker_unit *unit, bool has_credit)
{
	bool waits = unit_activity(&unit->state) == UNIT_WAITS_UNTIL_DUE;
	bool blocked = unit->state.phase == UNIT_PACED && !has_credit;
	return waits && !blocked ? unit->due : UNIT_NEVER;
}

/* Takes pending commands: true if there were any. */
static bool take_commands(struct worker_unit *unit)
{
	struct commands *commands = unit->device.services->commands;
	enum unit_event event;
	bool any = false;
	while (commands_take(commands, unit->device.index, &unit->state, &event, &unit->start)) {
		if (event == UNIT_ON_ABORT || event == UNIT_ON_QUIT)
			remember(unit, -ECANCELED, "aborted");
		take(unit, event);
		any = true;
	}
	return any;
}

static void set_bracket(struct worker_unit *unit, bool undisturbed)
{
	struct commands *commands = unit->device.services->commands;
	monitor_lock(commands->monitor);
	if (undisturbed)
		commands_leave(commands);
	else
		commands_enter(commands, unit->device.index, unit->state.end == WIRE_END_STOPPED);
	monitor_unlock(commands->monitor);
}

/* Runs slots and takes commands until the unit waits.  `entered`: commands_enter() was called. */
static void run_slots(struct worker_unit *unit, bool entered)
{
	for (;;) {
		entered = !take_commands(unit) && entered;
		enum unit_activity activity = unit_activity(&unit->state);
		if (activity == UNIT_WAITS || activity == UNIT_WAITS_UNTIL_DUE)
			return;
		bool undisturbed = activity == UNIT_RUNS_UNDISTURBED;
		if (undisturbed || !entered)
			set_bracket(unit, undisturbed);
		entered = !undisturbed;
		enum unit_phase phase = unit->state.phase;
		int r = run_slot(unit);
		if (r < 0)
			remember(unit, r, device_reason(&unit->device, r));
		take(unit, event_of(unit, phase, r));
	}
}

void unit_turn(struct worker_unit *unit, bool is_due)
{
	if (is_due)
		take(unit, UNIT_ON_DUE);
	run_slots(unit, true);
}

bool unit_end(struct worker_unit *unit, bool lost)
{
	int error = lost ? -ENODEV : -ECANCELED;
	unit->device.explained[0] = '\0';
	remember(unit, error, device_reason(&unit->device, error));
	take(unit, lost ? UNIT_ON_LOST : UNIT_ON_QUIT);
	run_slots(unit, false);
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
}
