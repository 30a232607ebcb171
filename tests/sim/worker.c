/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workers' processes as wire.h describes them, some with a fault: garbage, half a message, a hang,
 * a crash, a lost port.  A worker acts on what it reads and knows nothing of the daemon's state.
 */
#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/exit.h"
#include "worker.h"

#define WORKERS_MAX  16
#define MEASUREMENTS 4096

static struct worker workers[WORKERS_MAX];
static struct measurement measurements[MEASUREMENTS]; /* by the rest of their token */
static uint64_t last_token, faults_one_in;
static char unsafe[WORKERS_MAX][16];

/* --- shared by units ------------------------------------------------------------------------- */

struct measurement *measurement_find(uint64_t token)
{
	struct measurement *m = &measurements[token % MEASUREMENTS];
	return m->token == token ? m : NULL;
}

struct measurement *measurement_create(const char *key)
{
	struct measurement *m = &measurements[++last_token % MEASUREMENTS];
	*m = (struct measurement){.token = last_token, .started = now_boot()};
	snprintf(m->key, sizeof m->key, "%s", key);
	return m;
}

const struct sim_unit *worker_unit(const char *key)
{
	const struct sim_unit *found = NULL;
	for (size_t i = 0; i < WORKERS_MAX; i++) {
		const struct worker *w = &workers[i];
		for (size_t k = 0; w->pid != 0 && k < w->unit_count; k++) {
			bool is_better = found == NULL || found->worker->got_quit;
			if (is_better && strcmp(w->units[k].key, key) == 0)
				found = &w->units[k];
		}
	}
	return found;
}

void workers_set_faults(uint64_t one_in)
{
	faults_one_in = one_in;
}

bool worker_fault(uint64_t rarely)
{
	return faults_one_in != 0 && dice_one_in(faults_one_in * rarely);
}

static char *unsafe_slot(const char *key)
{
	for (size_t i = 0; i < WORKERS_MAX; i++) {
		if (strcmp(unsafe[i], key) == 0)
			return unsafe[i];
	}
	return NULL;
}

bool is_unsafe(const char *key)
{
	return unsafe_slot(key) != NULL;
}

void set_unsafe(const char *key, bool on)
{
	char *slot = unsafe_slot(key);
	if (on && slot == NULL)
		slot = unsafe_slot("");
	if (on)
		note("%s stays on", key);
	if (slot != NULL)
		snprintf(slot, sizeof unsafe[0], "%s", on ? key : "");
}

/* --- the end --------------------------------------------------------------------------------- */

static void vanish(struct worker *w)
{
	for (size_t i = 0; i < w->unit_count; i++) {
		struct sim_unit *u = &w->units[i];
		event_cancel(u->due_event);
		progress_worker_ended(u->key, w->pid);
		if (u->measurement != NULL)
			u->measurement->is_over = true;
		if (u->state.hazard != UNIT_HAZARD_OFF && has_been_taken(u->hazard_at))
			set_unsafe(u->key, true);
	}
	event_cancel(w->slot_event);
	event_cancel(w->open_event);
	event_cancel(w->beat_event);
	event_cancel(w->stir_event);
	event_cancel(w->end_event);
	buffer_finish(&w->in);
	buffer_finish(&w->out);
	pid_t pid = w->pid;
	struct stream *stream = w->stream;
	int code = w->exit_code, number = w->exit_signal;
	*w = (struct worker){0};
	system_worker_exits(pid, stream, code, number);
}

static void on_end(void *arg)
{
	struct worker *w = arg;
	w->end_event = 0;
	vanish(w);
}

static void end_in(struct worker *w, uint64_t delay, int code, int number)
{
	event_cancel(w->end_event);
	w->exit_code = code;
	w->exit_signal = number;
	w->end_event = event_in(delay, on_end, w);
}

void worker_over(struct worker *w)
{
	if (w->exit_code == 0 && w->exit_signal == 0)
		end_in(w, dice_time(US, MS), WIRE_EXIT_CLEAN, 0);
	else
		end_in(w, dice_time(US, MS), w->exit_code, w->exit_signal);
}

void workers_lose_power(void)
{
	for (size_t i = 0; i < WORKERS_MAX; i++) {
		workers[i].exit_signal = SIGKILL;
		if (workers[i].pid != 0)
			vanish(&workers[i]);
	}
}

void worker_killed(pid_t pid, int number)
{
	for (size_t i = 0; i < WORKERS_MAX; i++) {
		if (workers[i].pid == pid) {
			workers[i].is_mute = workers[i].is_hung = true;
			end_in(&workers[i], dice_time(US, 20 * MS), 0, number);
		}
	}
}

/* --- writing --------------------------------------------------------------------------------- */

static void flush(struct worker *w)
{
	while (w->out.len > 0 && !w->is_mute) {
		size_t n = stream_write(w->stream, w->out.data, w->out.len);
		if (n == 0)
			break;
		buffer_consume(&w->out, n);
	}
}

void worker_send(struct worker *w, struct buffer *message)
{
	assert(!message->failed);
	if (!w->is_mute)
		buffer_append(&w->out, message->data, message->len);
	buffer_finish(message);
	flush(w);
}

static void on_beat(void *arg)
{
	struct worker *w = arg;
	struct buffer message = {0};
	struct wire_beat beat = {.progress = w->progress, .deadline = system_boot() + 70 * S};
	w->beat_event = w->is_hung ? 0 : event_in(dice_between(3000, 4800) * MS, on_beat, w);
	wire_write_beat(&message, &beat);
	worker_send(w, &message);
}

/* --- reading --------------------------------------------------------------------------------- */

static void take_setup(struct worker *w, const struct wire_message *m)
{
	struct wire_setup setup;
	if (wire_read_setup(m, &setup) < 0 || setup.unit_count > WORKER_UNITS_MAX) {
		wrong("a worker cannot read its SETUP");
		return;
	}
	w->unit_count = setup.unit_count;
	for (size_t i = 0; i < setup.unit_count; i++) {
		struct sim_unit *u = &w->units[i];
		*u = (struct sim_unit){
			.worker = w, .number = (unsigned)i, .due = NEVER, .why = "?"};
		snprintf(u->key, sizeof u->key, "%s", setup.units[i].key);
		progress_worker(u->key, w->pid);
	}
	wire_setup_finish(&setup);
}

static void leave(struct worker *w)
{
	if (w->is_leaving)
		return;
	if (w->ignores_quit) { /* the service manager ends the processes of a dead daemon */
		if (stream_is_over(w->stream))
			end_in(w, S, 0, SIGKILL);
		return;
	}
	event_cancel(w->end_event); /* its fate */
	w->end_event = 0;
	event_cancel(w->open_event);
	if (w->unit_count > 0)
		units_leave(w, false);
	else
		worker_over(w);
}

static void take_credit(struct worker *w, const struct wire_message *m)
{
	uint64_t bytes = 0;
	wire_read_credit(m, &bytes);
	w->credit += bytes;
	if (w->first_credit == 0)
		w->first_credit = bytes;
	if (w->credit > w->first_credit)
		wrong("a worker gets more credit back than it used");
}

static void take(struct worker *w, const struct wire_message *m)
{
	static const char *const words[] = {[WIRE_SETUP] = "SETUP",
		[WIRE_GO] = "GO",
		[WIRE_CONFIGURE] = "CONFIGURE",
		[WIRE_REFUSE] = "REFUSE",
		[WIRE_CREDIT] = "CREDIT",
		[WIRE_START] = "START",
		[WIRE_STOP] = "STOP",
		[WIRE_ABORT] = "ABORT",
		[WIRE_QUIT] = "QUIT",
		[WIRE_CAPTURE] = "CAPTURE",
		[WIRE_FAULTS] = "FAULTS"};
	struct sim_unit *u = m->unit < w->unit_count ? &w->units[m->unit] : NULL;
	if (m->type >= WIRE_HELLO) {
		wrong("a worker gets a message of type %d", (int)m->type);
		return;
	}
	if (m->type != WIRE_CREDIT)
		note("%s gets %s", u != NULL ? u->key : "a worker", words[m->type]);
	if (m->type == WIRE_SETUP)
		take_setup(w, m);
	else if (m->type == WIRE_CREDIT)
		take_credit(w, m);
	else if (m->type == WIRE_QUIT)
		w->got_quit = true, leave(w);
	else if (m->type != WIRE_CAPTURE && m->type != WIRE_FAULTS && u == NULL)
		wrong("a message of type %d for a unit that is not there", (int)m->type);
	else if (m->type != WIRE_CAPTURE && m->type != WIRE_FAULTS)
		unit_message(u, m);
}

static void on_stirred(void *arg)
{
	struct worker *w = arg;
	w->stir_event = 0;
	uint8_t bytes[4096];
	for (size_t n; (n = stream_read(w->stream, bytes, sizeof bytes)) > 0;)
		buffer_append(&w->in, bytes, n);
	struct wire_message m;
	size_t at = 0;
	int r = 0;
	while (!w->is_hung && (r = wire_next(w->in.data + at, w->in.len - at, &m)) > 0) {
		take(w, &m);
		at += m.size;
	}
	if (r < 0)
		wrong("a worker gets bytes that are no message");
	buffer_consume(&w->in, at);
	if (stream_is_over(w->stream) && !w->is_hung)
		leave(w);
	else if (stream_is_over(w->stream))
		end_in(w, S, 0, SIGKILL);
	flush(w);
	if (!w->is_hung)
		units_turn(w);
}

void worker_stirred(struct stream *stream)
{
	for (size_t i = 0; i < WORKERS_MAX; i++) {
		struct worker *w = &workers[i];
		if (w->pid != 0 && w->stream == stream && w->stir_event == 0)
			w->stir_event = event_in(dice_time(US, 300 * US), on_stirred, w);
	}
}

/* A worker's frame is committed within a moment, unless the run ends for a wrong one. */
void workers_look(void)
{
	uint64_t since = healthy_since();
	for (size_t i = 0; i < WORKERS_MAX && since != NEVER; i++) {
		struct worker *w = &workers[i];
		for (size_t k = 0; w->pid != 0 && !w->is_mute && k < w->unit_count; k++) {
			const struct measurement *m = w->units[k].measurement;
			if (m == NULL || m->is_spoiled || m->seen == m->sent || w->out.len > 0)
				continue;
			uint64_t from = m->last_sent > since ? m->last_sent : since;
			if (now_boot() > from + 2 * S)
				wrong("a frame of %s is not committed within 2 s", m->key);
		}
	}
}

/* --- faults ---------------------------------------------------------------------------------- */

static void hang(void *arg)
{
	struct worker *w = arg;
	note("worker %d hangs", w->pid);
	w->end_event = 0;
	w->is_hung = w->is_mute = true;
	event_cancel(w->slot_event);
}

static void lose_port(void *arg)
{
	struct worker *w = arg;
	struct buffer message = {0};
	w->end_event = 0;
	wire_write_state(&message, WIRE_PORT, "fault", "ENODEV", "the cable was pulled",
		(struct assay_span){0});
	worker_send(w, &message);
	w->exit_code = WIRE_EXIT_LOST;
	if (w->unit_count > 0 && !w->is_leaving)
		units_leave(w, true);
}

static void send_garbage(void *arg)
{
	struct worker *w = arg;
	struct buffer message = {0};
	uint8_t bytes[64];
	struct wire_started started = {0};
	w->end_event = 0;
	w->sent_garbage = true;
	note("worker %d sends garbage", w->pid);
	switch (dice(5)) {
	case 0: /* anything */
		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = (uint8_t)dice(256);
		buffer_append(&message, bytes, sizeof bytes);
		break;
	case 1: /* of a unit that is not there */
		wire_write_ready(&message, 77, (struct assay_span){0});
		break;
	case 2: /* a word of the core */ wire_write_quit(&message); break;
	case 3: /* without a request */ wire_write_started(&message, 0, &started); break;
	default: /* half a message, then the end */
		wire_write_log(&message, 0, 4, "a line that is cut off");
		message.len /= 2;
		end_in(w, dice_time(US, 10 * MS), 0, SIGSEGV);
	}
	worker_send(w, &message);
}

/* The fault that this one will have, and when. */
static void choose_fate(struct worker *w)
{
	uint64_t when = dice_time(S, 2 * HOUR);
	w->ignores_quit = worker_fault(4);
	if (!worker_fault(1))
		return;
	switch (dice(5)) {
	case 0: w->end_event = event_in(when, hang, w); break;
	case 1: w->end_event = event_in(when, lose_port, w); break;
	case 2: w->end_event = event_in(when, send_garbage, w); break;
	case 3: end_in(w, when, 0, SIGSEGV); break;
	default: end_in(w, when, WIRE_EXIT_DRIVER, 0); break;
	}
}

/* --- the beginning --------------------------------------------------------------------------- */

static void open_port(void *arg)
{
	struct worker *w = arg;
	struct buffer message = {0};
	w->open_event = 0;
	if (w->unit_count == 0 || worker_fault(2)) {
		end_in(w, MS, WIRE_EXIT_NOT_OPENED, 0);
		return;
	}
	wire_write_opened(&message, NULL);
	worker_send(w, &message);
	for (size_t i = 0; i < w->unit_count; i++)
		w->units[i].due = now_boot();
	on_beat(w);
	units_turn(w);
}

static void begin(void *arg)
{
	struct worker *w = arg;
	struct buffer message = {0};
	wire_write_hello(&message, "");
	worker_send(w, &message);
	w->open_event = event_in(dice_time(MS, 2 * S), open_port, w);
}

void worker_started(pid_t pid, struct stream *stream)
{
	struct worker *w = workers;
	while (w < workers + WORKERS_MAX && w->pid != 0)
		w++;
	if (w == workers + WORKERS_MAX) {
		wrong("more than %d workers run", WORKERS_MAX);
		return;
	}
	*w = (struct worker){.pid = pid, .stream = stream};
	w->open_event = event_in(dice_time(MS, 50 * MS), begin, w);
	choose_fate(w);
}
