/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The units of a worker: the worker's own table of phases (worker/unit-machine.h) over a driver
 * whose slots take virtual time and succeed or fail by dice.  As in a real worker, one slot runs at a
 * time on a port, and commands are taken between slots.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "worker.h"

#define BIT(event) (UINT32_C(1) << (event))

/* --- messages -------------------------------------------------------------------------------- */

static void send_identity(struct sim_unit *u)
{
	struct buffer message = {0};
	const struct site_instrument *instrument = site_find(u->key);
	const char *serial = instrument != NULL ? instrument->serial : "?";
	if (worker_fault(4))
		serial = "OTHER-1";
	struct wire_identity id = {.make = {"Sim", 3},
		.model = {"P1", 2},
		.serial = {serial, strlen(serial)},
		.fw = {"1.0", 3}};
	wire_write_identity(&message, u->number, &id);
	worker_send(u->worker, &message);
}

static void send_ended(struct sim_unit *u, enum wire_end end)
{
	struct buffer message = {0};
	bool is_good = end != WIRE_END_FAILED && end != WIRE_END_NOT_STARTED;
	if (u->measurement != NULL) {
		u->measurement->is_over = true;
		u->measurement->end = end;
	}
	u->measurement = NULL;
	note("%s sends ENDED %d", u->key, (int)end);
	clients_notice();
	wire_write_ended(&message, u->number, end, is_good ? "" : "EIO", is_good ? "" : u->why);
	worker_send(u->worker, &message);
}

static void send_started(struct sim_unit *u)
{
	struct buffer message = {0};
	struct wire_started started = {.utc = now_utc(), .mono = system_boot()};
	u->measurement = measurement_create(u->key);
	u->frames = 0;
	note("%s sends STARTED", u->key);
	clients_notice();
	wire_write_started(&message, u->number, &started);
	worker_send(u->worker, &message);
}

static void send_hazard(struct sim_unit *u, bool on)
{
	struct buffer message = {0};
	u->hazard_at = now_boot();
	note("%s: hazard %s", u->key, on ? "on" : "off");
	wire_write_hazard(&message, u->number, on);
	worker_send(u->worker, &message);
}

static void put_part(struct buffer *to, const struct sim_unit *u)
{
	static uint8_t bytes[SITE_FRAME_MAX];
	const struct site_instrument *instrument = site_find(u->key);
	size_t most = instrument != NULL ? instrument->frame_bytes : 600;
	size_t len = 24 + (size_t)dice_time(1, most - 24);
	struct map var, raw;
	memset(bytes, (int)dice(256), len);
	memcpy(bytes, FRAME_MAGIC, 8);
	memcpy(bytes + 8, &u->measurement->token, 8);
	memcpy(bytes + 16, &u->measurement->sent, 8);
	encode_text(to, "kind");
	encode_text(to, "scalar");
	if (u->step_len > 0) {
		encode_text(to, "step");
		encode_raw(to, u->step, u->step_len);
	}
	encode_text(to, "vars");
	encode_array(to, 1);
	map_open(&var, to);
	map_text(&var, "name", "counts");
	map_text(&var, "role", "data");
	map_key(&var, "dims");
	encode_array(to, 0);
	map_text(&var, "unit", "{count}");
	map_uint(&var, "data", u->measurement->sent);
	map_close(&var);
	encode_text(to, "raw");
	encode_array(to, 1);
	map_open(&raw, to);
	map_text(&raw, "media", "application/octet-stream");
	map_uint(&raw, "size", len);
	map_key(&raw, "data");
	encode_bytes(to, bytes, len);
	map_close(&raw);
}

/* False: there is no credit for it. */
static bool send_frame(struct sim_unit *u)
{
	struct worker *w = u->worker;
	struct buffer message = {0}, part = {0};
	put_part(&part, u);
	struct wire_frame frame = {.utc = now_utc(),
		.mono = system_boot(),
		.quality = 1,
		.pairs = 3 + (u->step_len > 0),
		.part = {part.data, part.len}};
	if (worker_fault(20)) {
		part.data[0] ^= 0x40; /* the core must not take it, nor those after it */
		u->measurement->is_spoiled = true;
	}
	wire_write_frame_head(&message, u->number, &frame);
	buffer_append(&message, part.data, part.len);
	buffer_finish(&part);
	if (message.len > w->credit) {
		buffer_finish(&message);
		return false;
	}
	w->credit -= message.len;
	u->measurement->sent++;
	u->measurement->last_sent = now_boot();
	u->frames++;
	worker_send(w, &message);
	return true;
}

/* --- actions --------------------------------------------------------------------------------- */

static void on_due(void *arg)
{
	struct sim_unit *u = arg;
	u->due_event = 0;
	units_turn(u->worker);
}

static void set_due(struct sim_unit *u, uint64_t when)
{
	u->due = when;
	event_cancel(u->due_event);
	u->due_event = when != UINT64_MAX ? event_at(when, on_due, u) : 0;
}

static void perform(struct sim_unit *u, enum unit_action action, enum wire_end end)
{
	static const uint8_t settings[] = {0xa1, 0x65, 'l', 'e', 'v', 'e', 'l', 0x01};
	struct buffer message = {0};
	switch (action) {
	case UNIT_SEND_IDENTITY: send_identity(u); break;
	case UNIT_SEND_READY:
		progress_ready(u->key);
		wire_write_ready(
			&message, u->number, (struct assay_span){settings, sizeof settings});
		worker_send(u->worker, &message);
		break;
	case UNIT_SEND_ARMED:
		wire_write_state(&message, u->number, "armed", "", "", (struct assay_span){0});
		worker_send(u->worker, &message);
		break;
	case UNIT_SEND_STARTED: send_started(u); break;
	case UNIT_SEND_ENDED: send_ended(u, end); break;
	case UNIT_SEND_NOT_STARTED:
	case UNIT_SEND_NOT_READY: send_ended(u, WIRE_END_NOT_STARTED); break;
	case UNIT_SEND_FAULT:
		wire_write_state(
			&message, u->number, "fault", "EIO", u->why, (struct assay_span){0});
		worker_send(u->worker, &message);
		break;
	case UNIT_SEND_HAZARD_ON: send_hazard(u, true); break;
	case UNIT_SEND_HAZARD_OFF: send_hazard(u, false); break;
	case UNIT_PREPARE_RUN:
	case UNIT_RETRY: break;
	case UNIT_START_PACE:
	case UNIT_DUE_NOW: set_due(u, now_boot()); break;
	case UNIT_NEXT_PACE:
		set_due(u, now_boot() + (u->start.every_ns != 0 ? u->start.every_ns : S));
		break;
	case UNIT_BACK_OFF: set_due(u, now_boot() + dice_time(400 * MS, 30 * S)); break;
	case UNIT_DUE_SOON: set_due(u, now_boot() + 10 * MS); break;
	case UNIT_DUE_LATER: set_due(u, now_boot() + 5 * S); break;
	case UNIT_DUE_CHECK: /* the even ones have a link of datagrams */
		set_due(u, u->number % 2 == 0 ? now_boot() + 30 * S : UINT64_MAX);
		break;
	}
}

static void take(struct sim_unit *u, enum unit_event event)
{
	struct unit_step step = unit_step(u->state, event, u->start.mode);
	u->state = step.state;
	for (unsigned i = 0; i < step.count; i++)
		perform(u, step.actions[i], step.end);
}

/* --- slots ----------------------------------------------------------------------------------- */

/* How a slot other than acquire and deliver ends. */
static enum unit_event draw_result(struct sim_unit *u, uint64_t rarely)
{
	if (!worker_fault(rarely))
		return UNIT_ON_OK;
	u->why = dice_one_in(2) ? "no answer" : "the detector is too warm";
	return dice_one_in(2) ? UNIT_ON_SILENT : UNIT_ON_FAILED;
}

static void set_hazard(struct sim_unit *u, bool on)
{
	bool is_on = u->state.hazard != UNIT_HAZARD_OFF;
	if (is_on != on)
		take(u, on ? UNIT_ON_HAZARD_ON : UNIT_ON_HAZARD_OFF);
}

static enum unit_event acquire(struct sim_unit *u)
{
	if (worker_fault(6))
		return draw_result(u, 1) == UNIT_ON_OK ? UNIT_ON_SILENT : UNIT_ON_FAILED;
	return dice_one_in(20) ? UNIT_ON_AGAIN : UNIT_ON_FRAME;
}

/* AGAIN: it waits for credit. */
static enum unit_event deliver(struct sim_unit *u)
{
	if (!send_frame(u))
		return UNIT_ON_AGAIN;
	bool enough = u->start.frames != 0 && u->frames >= u->start.frames;
	return enough ? UNIT_ON_ENOUGH : UNIT_ON_OK;
}

static enum unit_event run_slot(struct sim_unit *u)
{
	switch (u->state.phase) {
	case UNIT_IDENTIFY: return draw_result(u, 4);
	case UNIT_CONFIGURE: return draw_result(u, 4);
	case UNIT_RECHECK: return draw_result(u, 100);
	case UNIT_RESCUE: set_hazard(u, false); return UNIT_ON_OK;
	case UNIT_START:
	case UNIT_AWAIT:
	case UNIT_RESTART:
		set_hazard(u, true);
		return dice_one_in(5) ? UNIT_ON_AGAIN : draw_result(u, 3);
	case UNIT_ACQUIRE: return acquire(u);
	case UNIT_DELIVER:
	case UNIT_DELIVER_LAST: return deliver(u);
	case UNIT_STOP:
	case UNIT_CLEAN: set_hazard(u, false); return draw_result(u, 10);
	case UNIT_SAFE: set_hazard(u, false); return UNIT_ON_OK;
	default: return UNIT_ON_OK;
	}
}

static uint64_t draw_time(const struct sim_unit *u)
{
	switch (u->state.phase) {
	case UNIT_DELIVER:
	case UNIT_DELIVER_LAST: return 0;
	case UNIT_START:
	case UNIT_AWAIT: return dice_one_in(10) ? dice_time(S, 60 * S) : dice_time(MS, 2 * S);
	case UNIT_ACQUIRE: return dice_time(MS, 3 * S);
	default: return dice_time(MS, S);
	}
}

static void on_slot_over(void *arg)
{
	struct worker *w = arg;
	struct sim_unit *u = w->running;
	w->slot_event = 0;
	enum unit_event result = run_slot(u);
	bool delivers = u->state.phase == UNIT_DELIVER || u->state.phase == UNIT_DELIVER_LAST;
	if (delivers && result == UNIT_ON_AGAIN) {
		w->slot_event = event_in(50 * MS, on_slot_over, w);
		return;
	}
	w->running = NULL;
	take(u, result);
	units_turn(w);
}

/* An abort, or the end of the port, interrupts the slot that runs. */
static void interrupt(struct sim_unit *u)
{
	struct worker *w = u->worker;
	if (w->running != u || unit_activity(&u->state) != UNIT_RUNS)
		return;
	event_cancel(w->slot_event);
	w->slot_event = 0;
	w->running = NULL;
	u->why = "aborted";
	take(u, UNIT_ON_CANCELED);
}

/* --- turns ----------------------------------------------------------------------------------- */

static bool take_command(struct sim_unit *u)
{
	for (enum unit_event event = 0; event <= UNIT_ON_START; event++) {
		if ((u->pending & BIT(event)) == 0 || !unit_takes(&u->state, event))
			continue;
		u->pending &= ~BIT(event);
		if (event == UNIT_ON_START) {
			u->start = u->next_start;
			u->pending |= u->after_start;
			u->after_start = 0;
		}
		if (event == UNIT_ON_ABORT || event == UNIT_ON_QUIT)
			u->why = "aborted";
		take(u, event);
		return true;
	}
	return false;
}

/* True if the unit did something, or its slot runs now. */
static bool turn(struct sim_unit *u)
{
	struct worker *w = u->worker;
	if (take_command(u))
		return true;
	enum unit_activity activity = unit_activity(&u->state);
	if (activity == UNIT_WAITS_UNTIL_DUE && u->due <= now_boot() &&
		(u->state.phase != UNIT_PACED || w->credit > 0)) {
		take(u, UNIT_ON_DUE);
		return true;
	}
	if (activity != UNIT_RUNS && activity != UNIT_RUNS_UNDISTURBED)
		return false;
	w->running = u;
	w->progress++;
	w->slot_event = event_in(draw_time(u), on_slot_over, w);
	return true;
}

static bool all_are_over(const struct worker *w)
{
	for (size_t i = 0; i < w->unit_count; i++) {
		if (w->units[i].state.phase != UNIT_OVER)
			return false;
	}
	return true;
}

void units_turn(struct worker *w)
{
	size_t idle = 0;
	while (w->running == NULL && !w->is_hung && idle < w->unit_count) {
		idle = turn(&w->units[w->next]) ? 0 : idle + 1;
		if (w->running == NULL && idle > 0)
			w->next = (w->next + 1) % w->unit_count;
	}
	if (w->is_leaving && all_are_over(w))
		worker_over(w);
}

void units_leave(struct worker *w, bool lost)
{
	w->is_leaving = true;
	for (size_t i = 0; i < w->unit_count; i++) {
		struct sim_unit *u = &w->units[i];
		u->pending |= BIT(lost ? UNIT_ON_LOST : UNIT_ON_QUIT);
		u->why = lost ? "the port is gone" : "aborted";
		interrupt(u);
	}
	units_turn(w);
}

/* --- commands -------------------------------------------------------------------------------- */

static void take_start(struct sim_unit *u, const struct wire_message *m)
{
	struct wire_start asked;
	if (wire_read_start(m, &asked) < 0 || (u->pending & BIT(UNIT_ON_START)) != 0) {
		wrong("a START for %s that a worker does not take", u->key);
		return;
	}
	assert(asked.step.len <= sizeof u->step);
	u->step_len = asked.step.len;
	if (asked.step.len > 0)
		memcpy(u->step, asked.step.data, asked.step.len);
	u->next_start = asked;
	u->next_start.step = u->next_start.settings = (struct assay_span){0};
	u->pending |= BIT(UNIT_ON_START);
}

static void take_stop(struct sim_unit *u, enum unit_event event)
{
	if ((u->pending & BIT(UNIT_ON_START)) != 0) {
		u->after_start |= BIT(event);
		return;
	}
	u->pending |= BIT(event);
	if (event == UNIT_ON_ABORT)
		interrupt(u);
}

static void take_go(struct sim_unit *u, const struct wire_message *m)
{
	struct wire_go go;
	if (wire_read_go(m, &go) < 0) {
		wrong("a GO for %s cannot be read", u->key);
		return;
	}
	if (u->state.phase == UNIT_IDENTIFIED) {
		if (is_unsafe(u->key) && !go.safe)
			wrong("GO for %s without make_safe: something may be on", u->key);
		set_unsafe(u->key, false);
	}
	u->pending |= BIT(go.safe ? UNIT_ON_GO_SAFE : UNIT_ON_GO);
}

static void take_configure(struct sim_unit *u, const struct wire_message *m)
{
	struct wire_go own;
	if (wire_read_go(m, &own) < 0) {
		wrong("a CONFIGURE for %s cannot be read", u->key);
		return;
	}
	u->pending |= BIT(UNIT_ON_CONFIGURE);
}

void unit_message(struct sim_unit *u, const struct wire_message *m)
{
	switch (m->type) {
	case WIRE_GO: take_go(u, m); break;
	case WIRE_CONFIGURE: take_configure(u, m); break;
	case WIRE_REFUSE: u->pending |= BIT(UNIT_ON_REFUSE); break;
	case WIRE_START: take_start(u, m); break;
	case WIRE_STOP: take_stop(u, UNIT_ON_STOP); break;
	case WIRE_ABORT: take_stop(u, UNIT_ON_ABORT); break;
	default: break;
	}
}
