/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workers as wire.h describes them, each with a few faults of its own.  A worker acts on what it
 * reads and at times it chose; it knows nothing of the daemon's state.
 */
#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/exit.h"
#include "wire/wire.h"
#include "world.h"

#define WORKERS_MAX  16
#define UNITS_OF_ONE 8
#define MEASUREMENTS 4096
#define OUT_MAX      (2u << 20)

enum phase { WAITING, IDENTIFIED, REFUSED, READY, STARTING, MEASURING, FAULTY };

struct unit_sim {
	struct worker *worker;
	unsigned number;
	char key[16];
	enum phase phase;
	struct wire_start start;
	bool stop, abort; /* asked for */
	bool hazard;
	uint64_t hazard_at; /* when it was sent */
	uint64_t event;
	struct measurement *measurement;
	uint64_t frames; /* of this run */
};

struct worker {
	pid_t pid; /* 0: free */
	struct stream *stream;
	struct buffer in, out;
	struct unit_sim units[UNITS_OF_ONE];
	size_t unit_count;
	uint64_t credit, beat_event, end_event, stir_event, beat_progress;
	bool is_open, is_hung, is_mute, quitting, ignores_quit;
	int exit_code, exit_signal;
};

static struct worker workers[WORKERS_MAX];
static struct measurement measurements[MEASUREMENTS]; /* by the rest of their token */
static uint64_t last_token, faults_one_in;

/* Of instruments, whether a worker left something on; what the next GO must tell. */
static char unsafe[SITE_INSTRUMENTS_MAX][16];

struct measurement *measurement_find(uint64_t token)
{
	struct measurement *m = &measurements[token % MEASUREMENTS];
	return m->token == token ? m : NULL;
}

void workers_set_faults(uint64_t one_in)
{
	faults_one_in = one_in;
}

/* A fault that is `rarely` times as rare as usual. */
static bool fault(uint64_t rarely)
{
	return faults_one_in != 0 && dice_one_in(faults_one_in * rarely);
}

static struct worker *find_stream(const struct stream *stream)
{
	for (size_t i = 0; i < WORKERS_MAX; i++) {
		if (workers[i].pid != 0 && workers[i].stream == stream)
			return &workers[i];
	}
	return NULL;
}

/* --- something is on ------------------------------------------------------------------------- */

static char *unsafe_slot(const char *key)
{
	for (size_t i = 0; i < SITE_INSTRUMENTS_MAX; i++) {
		if (strcmp(unsafe[i], key) == 0)
			return unsafe[i];
	}
	return NULL;
}

static void set_unsafe(const char *key, bool on)
{
	char *slot = unsafe_slot(key);
	if (on && slot == NULL)
		slot = unsafe_slot("");
	if (slot != NULL)
		snprintf(slot, sizeof unsafe[0], "%s", on ? key : "");
}

/* --- the end --------------------------------------------------------------------------------- */

static void over(struct worker *w)
{
	for (size_t i = 0; i < w->unit_count; i++) {
		struct unit_sim *u = &w->units[i];
		event_cancel(u->event);
		if (u->measurement != NULL)
			u->measurement->is_over = true;
		if (u->hazard)
			set_unsafe(u->key, true);
	}
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
	over(w);
}

static void end_in(struct worker *w, uint64_t delay, int code, int number)
{
	event_cancel(w->end_event);
	w->exit_code = code;
	w->exit_signal = number;
	w->end_event = event_in(delay, on_end, w);
}

/* What was on for a while has been told, and stays on. */
void workers_lose_power(void)
{
	for (size_t i = 0; i < WORKERS_MAX; i++) {
		struct worker *w = &workers[i];
		for (size_t k = 0; w->pid != 0 && k < w->unit_count; k++) {
			struct unit_sim *u = &w->units[k];
			u->hazard = u->hazard && healthy_since() != NEVER &&
				    now_boot() > u->hazard_at + 5 * S &&
				    now_boot() > healthy_since() + 5 * S;
		}
		w->exit_signal = SIGKILL;
		if (w->pid != 0)
			over(w);
	}
}

void worker_killed(pid_t pid, int number)
{
	for (size_t i = 0; i < WORKERS_MAX; i++) {
		if (workers[i].pid == pid) {
			workers[i].is_mute = true;
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

static void send_message(struct worker *w, struct buffer *message)
{
	assert(!message->failed && w->out.len < OUT_MAX);
	if (!w->is_mute)
		buffer_append(&w->out, message->data, message->len);
	buffer_finish(message);
	flush(w);
}

static void send_garbage(struct worker *w)
{
	struct buffer message = {0};
	uint8_t bytes[64];
	struct wire_started started = {0};
	switch (dice(5)) {
	case 0: /* anything */
		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = (uint8_t)dice(256);
		buffer_append(&message, bytes, sizeof bytes);
		break;
	case 1: /* of a unit that is not there */
		wire_write_ready(&message, 77, (struct assay_span){0});
		break;
	case 2: /* the core's own words */ wire_write_quit(&message); break;
	case 3: /* what nobody asked for */ wire_write_started(&message, 0, &started); break;
	default: /* half a message, then the end */
		wire_write_log(&message, 0, 4, "a line that is cut off");
		message.len /= 2;
		end_in(w, dice_time(US, 10 * MS), 0, SIGSEGV);
	}
	note("worker %d sends garbage", w->pid);
	send_message(w, &message);
}

static void send_state(struct unit_sim *u, const char *state, const char *code, const char *text)
{
	struct buffer message = {0};
	wire_write_state(&message, u->number, state, code, text, (struct assay_span){0});
	send_message(u->worker, &message);
}

static void send_hazard(struct unit_sim *u, bool on)
{
	struct buffer message = {0};
	if (u->hazard == on || u->worker->is_mute)
		return;
	u->hazard = on;
	u->hazard_at = now_boot();
	wire_write_hazard(&message, u->number, on);
	send_message(u->worker, &message);
}

static void on_beat(void *arg)
{
	struct worker *w = arg;
	struct buffer message = {0};
	struct wire_beat beat = {.progress = ++w->beat_progress, .deadline = now_boot() + 60 * S};
	w->beat_event = w->is_hung ? 0 : event_in(dice_between(2, 4) * S, on_beat, w);
	wire_write_beat(&message, &beat);
	send_message(w, &message);
}

/* --- a unit ---------------------------------------------------------------------------------- */

static void plan(struct unit_sim *u, uint64_t delay, void (*fn)(void *arg))
{
	event_cancel(u->event);
	u->event = event_in(delay, fn, u);
}

static void identify(void *arg)
{
	struct unit_sim *u = arg;
	struct buffer message = {0};
	const struct site_instrument *instrument = site_find(u->key);
	const char *serial = instrument != NULL ? instrument->serial : "?";
	u->event = 0;
	if (fault(4))
		serial = "OTHER-1";
	struct wire_identity id = {.make = {"Sim", 3},
		.model = {"P1", 2},
		.serial = {serial, strlen(serial)},
		.fw = {"1.0", 3}};
	wire_write_identity(&message, u->number, &id);
	u->phase = IDENTIFIED;
	send_message(u->worker, &message);
}

static void become_ready(void *arg)
{
	struct unit_sim *u = arg;
	static const uint8_t settings[] = {0xa1, 0x65, 'l', 'e', 'v', 'e', 'l', 0x01};
	struct buffer message = {0};
	u->event = 0;
	wire_write_ready(&message, u->number, (struct assay_span){settings, sizeof settings});
	u->phase = READY;
	send_message(u->worker, &message);
}

static void break_down(struct unit_sim *u, const char *text)
{
	u->phase = FAULTY;
	send_state(u, "fault", "EIO", text);
	send_hazard(u, false);
	plan(u, dice_time(S, 30 * S), identify);
}

static void send_ended(struct unit_sim *u, enum wire_end end, const char *text)
{
	struct buffer message = {0};
	if (u->measurement != NULL) {
		u->measurement->is_over = true;
		u->measurement->end = end;
	}
	u->measurement = NULL;
	note("%s sends ENDED %d", u->key, (int)end);
	wire_write_ended(&message, u->number, end, "", text);
	send_message(u->worker, &message);
}

static void start(void *arg);

static void end_run(struct unit_sim *u, enum wire_end end)
{
	bool goes_on = u->start.mode == WIRE_REPEAT && end == WIRE_END_COMPLETE && !u->stop;
	u->phase = READY;
	if (!goes_on)
		send_hazard(u, false);
	send_ended(u, end, end == WIRE_END_COMPLETE ? "" : "as asked");
	if (goes_on) {
		u->phase = STARTING;
		plan(u, dice_time(MS, 2 * S), start);
	}
}

static void fail_run(struct unit_sim *u)
{
	send_state(u, "fault", "EIO", "the detector is too warm");
	u->phase = FAULTY;
	send_ended(u, WIRE_END_FAILED, "the detector is too warm");
	send_hazard(u, false);
	plan(u, dice_time(S, 30 * S), identify);
}

static void put_var(struct buffer *to, uint64_t value)
{
	struct map var;
	map_open(&var, to);
	map_text(&var, "name", "counts");
	map_text(&var, "role", "data");
	map_key(&var, "dims");
	encode_array(to, 0);
	map_text(&var, "unit", "{count}");
	map_uint(&var, "data", value);
	map_close(&var);
}

/* kind, vars, raw: what wire.h calls the frame's part. */
static void put_part(struct buffer *to, const struct unit_sim *u)
{
	uint8_t bytes[600];
	size_t len = 24 + (size_t)dice_time(1, sizeof bytes - 24);
	memset(bytes, (int)dice(256), sizeof bytes);
	memcpy(bytes, FRAME_MAGIC, 8);
	memcpy(bytes + 8, &u->measurement->token, 8);
	memcpy(bytes + 16, &u->measurement->sent, 8);
	struct map raw;
	encode_text(to, "kind");
	encode_text(to, "scalar");
	encode_text(to, "vars");
	encode_array(to, 1);
	put_var(to, u->measurement->sent);
	encode_text(to, "raw");
	encode_array(to, 1);
	map_open(&raw, to);
	map_text(&raw, "media", "application/octet-stream");
	map_uint(&raw, "size", len);
	map_key(&raw, "data");
	encode_bytes(to, bytes, len);
	map_close(&raw);
}

/* False: there is no credit for it yet. */
static bool send_frame(struct unit_sim *u)
{
	struct worker *w = u->worker;
	struct buffer message = {0}, part = {0};
	put_part(&part, u);
	struct wire_frame frame = {.utc = now_utc(),
		.mono = now_boot(),
		.quality = 1,
		.pairs = 3,
		.part = {part.data, part.len}};
	if (fault(20))
		part.data[0] ^= 0x40; /* the core must not take it */
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
	send_message(w, &message);
	return true;
}

static void measure(void *arg)
{
	struct unit_sim *u = arg;
	uint64_t every = u->start.every_ns != 0 ? u->start.every_ns : dice_time(S, 30 * S);
	u->event = 0;
	if (u->abort) {
		end_run(u, WIRE_END_ABORTED);
		return;
	}
	if (fault(3)) {
		fail_run(u);
		return;
	}
	if (!send_frame(u)) {
		plan(u, 100 * MS, measure);
		return;
	}
	bool all = u->start.mode != WIRE_CONTINUOUS && u->frames >= u->start.frames;
	if (all || u->stop)
		end_run(u, all ? WIRE_END_COMPLETE : WIRE_END_STOPPED);
	else
		plan(u, every, measure);
}

static void start(void *arg)
{
	struct unit_sim *u = arg;
	struct buffer message = {0};
	u->event = 0;
	if (u->stop || u->abort) {
		u->phase = READY;
		send_ended(u, u->abort ? WIRE_END_ABORTED : WIRE_END_STOPPED, "as asked");
		return;
	}
	if (fault(3)) {
		u->phase = READY;
		send_ended(u, WIRE_END_NOT_STARTED, "the shutter is open");
		return;
	}
	struct measurement *m = &measurements[++last_token % MEASUREMENTS];
	*m = (struct measurement){.token = last_token, .started = now_boot()};
	snprintf(m->key, sizeof m->key, "%s", u->key);
	u->measurement = m;
	u->frames = 0;
	send_hazard(u, true);
	struct wire_started started = {.utc = now_utc(), .mono = now_boot()};
	wire_write_started(&message, u->number, &started);
	u->phase = MEASURING;
	send_message(u->worker, &message);
	plan(u, dice_time(100 * MS, 10 * S), measure);
}

/* --- reading --------------------------------------------------------------------------------- */

static void take_setup(struct worker *w, const struct wire_message *m)
{
	struct wire_setup setup;
	if (wire_read_setup(m, &setup) < 0 || setup.unit_count > UNITS_OF_ONE) {
		wrong("a worker cannot read its SETUP");
		return;
	}
	w->unit_count = setup.unit_count;
	for (size_t i = 0; i < setup.unit_count; i++) {
		struct unit_sim *u = &w->units[i];
		*u = (struct unit_sim){.worker = w, .number = (unsigned)i};
		snprintf(u->key, sizeof u->key, "%s", setup.units[i].key);
	}
	wire_setup_finish(&setup);
}

static void take_go(struct unit_sim *u, const struct wire_message *m)
{
	struct wire_go go;
	if (wire_read_go(m, &go) < 0) {
		wrong("a GO for %s cannot be read", u->key);
		return;
	}
	if (u->phase != IDENTIFIED) /* it crossed a fault of this unit */
		return;
	if (unsafe_slot(u->key) != NULL && !go.safe)
		wrong("GO for %s without make_safe: something may be on", u->key);
	if (go.safe) {
		u->hazard = true;
		send_hazard(u, false); /* make_safe worked */
	}
	set_unsafe(u->key, false);
	plan(u, dice_time(10 * MS, 3 * S), become_ready);
}

static void take_start(struct unit_sim *u, const struct wire_message *m)
{
	struct wire_start asked;
	if (wire_read_start(m, &asked) < 0) {
		wrong("a START for %s cannot be read", u->key);
		return;
	}
	bool is_repeating = u->phase == STARTING && u->start.mode == WIRE_REPEAT;
	if (u->phase == MEASURING || (u->phase == STARTING && !is_repeating)) {
		wrong("a START for %s, which measures already", u->key);
		return;
	}
	if (u->phase != READY && !is_repeating) {
		send_ended(u, WIRE_END_NOT_STARTED, "the instrument is not ready");
		return;
	}
	u->start = asked;
	u->start.step = u->start.settings = (struct assay_span){0};
	if (u->start.frames == 0)
		u->start.frames = 1 + dice(4);
	u->stop = u->abort = false;
	u->phase = STARTING;
	plan(u, dice_one_in(10) ? dice_time(S, 60 * S) : dice_time(MS, 2 * S), start);
}

static void take_refuse(struct unit_sim *u)
{
	u->phase = REFUSED;
	plan(u, dice_time(5 * S, 60 * S), identify);
}

static void take_stop(struct unit_sim *u, bool abort)
{
	u->stop = true;
	u->abort = u->abort || abort;
	if (u->phase == STARTING)
		plan(u, dice_time(MS, 200 * MS), start);
	else if (u->phase == MEASURING && abort)
		plan(u, dice_time(MS, 200 * MS), measure);
}

static void take_quit(struct worker *w)
{
	w->quitting = true;
	if (w->ignores_quit)
		return;
	for (size_t i = 0; i < w->unit_count; i++) {
		struct unit_sim *u = &w->units[i];
		event_cancel(u->event);
		u->event = 0;
		if (u->phase == MEASURING)
			send_ended(u, WIRE_END_STOPPED, "");
		send_hazard(u, false);
	}
	end_in(w, dice_time(MS, 2 * S), WIRE_EXIT_CLEAN, 0);
}

static const char *const words[] = {[WIRE_SETUP] = "SETUP",
	[WIRE_GO] = "GO",
	[WIRE_REFUSE] = "REFUSE",
	[WIRE_CREDIT] = "CREDIT",
	[WIRE_START] = "START",
	[WIRE_STOP] = "STOP",
	[WIRE_ABORT] = "ABORT",
	[WIRE_QUIT] = "QUIT",
	[WIRE_CAPTURE] = "CAPTURE"};

static void take(struct worker *w, const struct wire_message *m)
{
	struct unit_sim *u = m->unit < w->unit_count ? &w->units[m->unit] : NULL;
	uint64_t bytes;
	if (m->type != WIRE_CREDIT && m->type <= WIRE_CAPTURE)
		note("%s gets %s", u != NULL ? u->key : "a worker", words[m->type]);
	switch (m->type) {
	case WIRE_SETUP: take_setup(w, m); return;
	case WIRE_CREDIT:
		if (wire_read_credit(m, &bytes) == 0)
			w->credit += bytes;
		return;
	case WIRE_QUIT: take_quit(w); return;
	case WIRE_CAPTURE: return;
	default: break;
	}
	if (u == NULL)
		wrong("a message of type %d for a unit that is not there", (int)m->type);
	else if (m->type == WIRE_GO)
		take_go(u, m);
	else if (m->type == WIRE_REFUSE)
		take_refuse(u);
	else if (m->type == WIRE_START)
		take_start(u, m);
	else if (m->type == WIRE_STOP || m->type == WIRE_ABORT)
		take_stop(u, m->type == WIRE_ABORT);
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
	int r;
	while ((r = wire_next(w->in.data + at, w->in.len - at, &m)) > 0) {
		if (!w->is_hung)
			take(w, &m);
		at += m.size;
	}
	if (r < 0)
		wrong("a worker gets what is no message");
	buffer_consume(&w->in, at);
	if (stream_is_over(w->stream) && !w->quitting)
		take_quit(w);
	flush(w);
}

void worker_stirred(struct stream *stream)
{
	struct worker *w = find_stream(stream);
	if (w != NULL && w->stir_event == 0)
		w->stir_event = event_in(dice_time(US, 300 * US), on_stirred, w);
}

/* What a worker sends is committed within a moment, unless the daemon ends that worker for it. */
void workers_look(void)
{
	uint64_t since = healthy_since();
	for (size_t i = 0; i < WORKERS_MAX && since != NEVER; i++) {
		struct worker *w = &workers[i];
		for (size_t k = 0; w->pid != 0 && !w->is_mute && k < w->unit_count; k++) {
			const struct measurement *m = w->units[k].measurement;
			if (m == NULL || m->seen == m->sent || w->out.len > 0)
				continue;
			uint64_t from = m->last_sent > since ? m->last_sent : since;
			if (now_boot() > from + 2 * S)
				wrong("a frame of %s is not committed within 2 s", m->key);
		}
	}
}

/* --- the beginning --------------------------------------------------------------------------- */

static void hang(void *arg)
{
	struct worker *w = arg;
	note("worker %d hangs", w->pid);
	w->end_event = 0;
	w->is_hung = w->is_mute = true;
	for (size_t i = 0; i < w->unit_count; i++)
		event_cancel(w->units[i].event);
}

static void lose_port(void *arg)
{
	struct worker *w = arg;
	struct buffer message = {0};
	w->end_event = 0;
	wire_write_state(&message, WIRE_PORT, "fault", "ENODEV", "the cable was pulled",
		(struct assay_span){0});
	send_message(w, &message);
	end_in(w, dice_time(MS, 100 * MS), WIRE_EXIT_LOST, 0);
}

static void misbehave(void *arg)
{
	struct worker *w = arg;
	w->end_event = 0;
	send_garbage(w);
}

static void fault_of_unit(void *arg)
{
	struct worker *w = arg;
	w->end_event = 0;
	struct unit_sim *u = w->unit_count > 0 ? &w->units[dice(w->unit_count)] : NULL;
	if (u == NULL || u->phase == FAULTY)
		return;
	if (u->phase == MEASURING)
		fail_run(u);
	else if (u->phase == READY || u->phase == IDENTIFIED)
		break_down(u, "no answer");
}

/* What will go wrong with this one, and when. */
static void choose_fate(struct worker *w)
{
	uint64_t when = dice_time(S, 2 * HOUR);
	w->ignores_quit = fault(4);
	if (!fault(1))
		return;
	switch (dice(6)) {
	case 0: w->end_event = event_in(when, hang, w); break;
	case 1: w->end_event = event_in(when, lose_port, w); break;
	case 2: w->end_event = event_in(when, misbehave, w); break;
	case 3: end_in(w, when, 0, SIGSEGV); break;
	case 4: end_in(w, when, WIRE_EXIT_DRIVER, 0); break;
	default: w->end_event = event_in(when, fault_of_unit, w); break;
	}
}

static void open_port(void *arg)
{
	struct worker *w = arg;
	struct buffer message = {0};
	w->beat_event = 0;
	if (fault(2)) {
		end_in(w, MS, WIRE_EXIT_NOT_OPENED, 0);
		return;
	}
	wire_write_opened(&message);
	send_message(w, &message);
	w->is_open = true;
	for (size_t i = 0; i < w->unit_count; i++)
		plan(&w->units[i], dice_time(10 * MS, 5 * S), identify);
	on_beat(w);
}

static void begin(void *arg)
{
	struct worker *w = arg;
	struct buffer message = {0};
	wire_write_hello(&message, "");
	send_message(w, &message);
	w->beat_event = event_in(dice_time(MS, 2 * S), open_port, w);
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
	w->beat_event = event_in(dice_time(MS, 50 * MS), begin, w);
	choose_fate(w);
}
