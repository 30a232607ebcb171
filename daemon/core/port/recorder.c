/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "capture/read.h"
#include "capture/write.h"
#include "core/commit/audit.h"
#include "core/port/recorder.h"
#include "core/control/ops.h"
#include "core/instrument/instrument.h"
#include "core/port/supervise.h"

#define ROOM     (1u << 20)   /* of the worker's bytes that wait for the client */
#define REST     (2u << 20)   /* what a worker may still send after the stop */
#define PIECE    (256u << 10) /* of one reply */
#define GRANT    (64u << 10)
#define WAIT_MS  5000 /* most that a read waits */
#define LAPSE_NS (20 * NS_PER_S)
#define REST_NS  (5 * NS_PER_S) /* for the worker's last records */

struct capture {
	struct core *core;
	struct supervisor *supervisor; /* NULL: gone */
	uint64_t id;
	char key[33];
	struct audit_actor actor;
	struct buffer data; /* not yet read */
	size_t at;
	uint64_t granted;              /* bytes that the worker may still send */
	bool is_ending, is_over;       /* stop was said; END is written */
	struct control_ticket *ticket; /* a read that waits */
	uint64_t wait_until, lapse_at, rest_until;
	struct loop_source *timer;
};

static void ask_worker(struct capture *c, bool on, uint64_t bytes)
{
	struct buffer message = {0};
	struct wire_capture capture = {.on = on, .bytes = bytes};
	c->granted += bytes;
	wire_write_capture(&message, &capture);
	supervise_send(c->supervisor, &message);
	buffer_finish(&message);
}

/* The worker records no longer; what it still sends goes nowhere. */
static void let_go(struct capture *c)
{
	if (c->supervisor == NULL)
		return;
	if (!c->is_ending)
		ask_worker(c, false, REST);
	supervise_set_capture(c->supervisor, NULL);
	c->supervisor = NULL;
}

static size_t waiting(const struct capture *c)
{
	return c->data.len - c->at;
}

static void destroy(struct capture *c)
{
	let_go(c);
	loop_drop(c->timer);
	buffer_finish(&c->data);
	for (size_t i = 0; i < CORE_CAPTURES_MAX; i++) {
		if (c->core->captures[i] == c)
			c->core->captures[i] = NULL;
	}
	free(c);
}

#define NOTE_MAX 200

static const char *in_words(const struct capture *c, const char *how, char text[NOTE_MAX])
{
	snprintf(text, NOTE_MAX, "%s, recording %llu: %s", c->key, (unsigned long long)c->id, how);
	return text;
}

static void note_end(struct capture *c, const char *how)
{
	char text[NOTE_MAX];
	audit_text(&c->core->audit, "capture-stop", &c->actor, in_words(c, how, text));
}

/* --- the worker's side ------------------------------------------------------------------------ */

/* As much as there is room for, in steps. */
static void grant(struct capture *c)
{
	uint64_t used = waiting(c) + c->granted;
	if (c->supervisor == NULL || c->is_ending || used + GRANT > ROOM)
		return;
	ask_worker(c, true, ROOM - used);
}

void capture_worker_begins(struct capture *c, struct buffer *message)
{
	uint64_t used = waiting(c);
	struct wire_capture capture = {.on = true, .bytes = used < ROOM ? ROOM - used : 0};
	c->granted = capture.bytes;
	wire_write_capture(message, &capture);
}

/* --- the client's side ------------------------------------------------------------------------ */

static void fill_reply(struct capture *c, struct map *map)
{
	size_t len = waiting(c) < PIECE ? waiting(c) : PIECE;
	bool is_end = c->is_over && len == waiting(c);
	map_bytes(map, "data", len > 0 ? c->data.data + c->at : (const uint8_t *)"", len);
	map_bool(map, "end", is_end);
	c->at += len;
	if (c->at == c->data.len) {
		buffer_reset(&c->data);
		c->at = 0;
	}
}

/* Answers the read that waits.  The recording may be gone afterwards: false then. */
static bool answer(struct capture *c)
{
	if (c->ticket == NULL)
		return true;
	struct buffer pairs = {0};
	struct map map = {.to = &pairs};
	struct control_ticket *ticket = c->ticket;
	c->ticket = NULL;
	c->lapse_at = clock_boot() + LAPSE_NS;
	fill_reply(c, &map);
	bool is_end = c->is_over && waiting(c) == 0;
	control_answer(ticket, &pairs, map.pairs, NULL, NULL);
	buffer_finish(&pairs);
	if (is_end)
		destroy(c);
	else
		grant(c);
	return !is_end;
}

/* The last record: false when the recording is gone with it. */
static bool finish(struct capture *c, const char *why)
{
	if (c->is_over)
		return true;
	c->is_over = true;
	capture_write_text(&c->data, CAPTURE_END, clock_boot(), why);
	note_end(c, why);
	let_go(c);
	return answer(c);
}

int capture_take(struct capture *c, const uint8_t *records, size_t len)
{
	if (len == 0) {
		if (!c->is_ending)
			return -EBADMSG;
		finish(c, "stopped");
		return 0;
	}
	if (len > c->granted || !capture_are_records(records, len))
		return -EBADMSG;
	c->granted -= len;
	if (c->at > c->data.len / 2) {
		buffer_consume(&c->data, c->at);
		c->at = 0;
	}
	buffer_append(&c->data, records, len);
	if (c->data.failed)
		finish(c, "no memory");
	else
		answer(c);
	return 0;
}

void capture_worker_ended(struct capture *c, const char *why)
{
	capture_write_text(&c->data, CAPTURE_LOST, clock_boot(), why);
	c->granted = 0;
	if (c->is_ending)
		finish(c, "stopped");
	else
		answer(c);
}

void capture_port_gone(struct capture *c)
{
	c->supervisor = NULL;
	finish(c, "the instrument was stopped or configured anew");
}

/* --- time ------------------------------------------------------------------------------------- */

static void set_timer(struct capture *c)
{
	loop_set_timer(c->timer, NS_PER_S / 10);
}

static void on_timer(void *arg)
{
	struct capture *c = arg;
	uint64_t now = clock_boot();
	if (c->ticket == NULL && now >= c->lapse_at) {
		if (!c->is_over)
			note_end(c, "lapsed, because nobody read it");
		destroy(c);
		return;
	}
	if (c->is_ending && now >= c->rest_until &&
		!finish(c, "stopped; the worker did not send the rest"))
		return;
	if (c->ticket != NULL && now >= c->wait_until && !answer(c))
		return;
	set_timer(c);
}

/* --- operations ------------------------------------------------------------------------------- */

static void copy(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from != NULL ? from : "");
}

static void fill_unit(struct capture_unit *unit, const struct instrument *instrument)
{
	const struct config_instrument *config = instrument->config;
	copy(unit->key, sizeof unit->key, config->key);
	copy(unit->driver, sizeof unit->driver, config->driver->name);
	copy(unit->make, sizeof unit->make, instrument->identity.make);
	copy(unit->model, sizeof unit->model, instrument->identity.model);
	copy(unit->serial, sizeof unit->serial, instrument->identity.serial);
	copy(unit->fw, sizeof unit->fw, instrument->identity.fw);
	unit->unit_id = config->unit_id;
	unit->simulated = config->simulated;
}

/* The port and all on it, as they are now. */
static void write_head(struct capture *c, const struct instrument *wanted)
{
	struct capture_head *head = calloc(1, sizeof *head);
	const struct instrument *instrument;
	if (head == NULL) {
		c->data.failed = true;
		return;
	}
	copy(head->site, sizeof head->site, c->core->config->site);
	copy(head->node, sizeof head->node, c->core->config->node);
	copy(head->version, sizeof head->version, ASSAY_VERSION);
	copy(head->link, sizeof head->link, config_link_name(wanted->config->port.kind));
	head->utc = clock_utc();
	head->mono = clock_boot();
	list_for_each(instrument, &c->core->instruments, link)
	{
		if (instrument->supervisor != wanted->supervisor ||
			head->unit_count == CAPTURE_UNITS_MAX)
			continue;
		if (instrument == wanted)
			head->unit = head->unit_count;
		fill_unit(&head->units[head->unit_count++], instrument);
	}
	capture_write_head(&c->data, head);
	free(head);
}

static struct capture *create(struct control_call *call, struct instrument *instrument)
{
	struct capture *c = calloc(1, sizeof *c);
	if (c == NULL)
		return NULL;
	c->core = call->core;
	c->supervisor = instrument->supervisor;
	c->id = ++call->core->capture_id;
	copy(c->key, sizeof c->key, instrument->config->key);
	c->actor = call->actor;
	c->lapse_at = clock_boot() + LAPSE_NS;
	write_head(c, instrument);
	if (c->data.failed || loop_add_timer(c->core->loop, &c->timer, on_timer, c) < 0) {
		buffer_finish(&c->data);
		free(c);
		return NULL;
	}
	set_timer(c);
	return c;
}

int capture_op_start(struct control_call *call)
{
	struct core *core = call->core;
	struct instrument *instrument = control_instrument(call);
	size_t i = 0;
	if (instrument == NULL)
		return -ENOENT;
	if (supervise_is_recording(instrument->supervisor))
		return control_refuse(call, "busy",
			"the port of %s is being recorded already: one recording at a time",
			instrument->config->key);
	while (i < CORE_CAPTURES_MAX && core->captures[i] != NULL)
		i++;
	struct capture *c = i < CORE_CAPTURES_MAX ? create(call, instrument) : NULL;
	if (c == NULL)
		return control_refuse(call, "busy", "too many recordings are under way");
	core->captures[i] = c;
	supervise_set_capture(c->supervisor, c);
	grant(c);
	char text[NOTE_MAX];
	in_words(c, "begun", text);
	audit_text(&core->audit, "capture-start", &call->actor, text);
	map_uint(&call->reply, "id", c->id);
	return 0;
}

static struct capture *find(struct control_call *call)
{
	uint64_t id = control_arg(call, "id")->number;
	for (size_t i = 0; i < CORE_CAPTURES_MAX; i++) {
		struct capture *c = call->core->captures[i];
		if (c != NULL && c->id == id)
			return c;
	}
	control_refuse(call, "not-found",
		"there is no such recording; one that nobody reads for 20 s is ended");
	return NULL;
}

int capture_op_read(struct control_call *call)
{
	struct capture *c = find(call);
	if (c == NULL)
		return -ENOENT;
	if (c->ticket != NULL)
		return control_refuse(call, "busy", "another read of it is waiting");
	const struct control_value *wait = control_arg(call, "wait");
	uint64_t ms = wait->given && wait->number < WAIT_MS ? wait->number : WAIT_MS;
	c->ticket = control_keep(call);
	if (c->ticket == NULL)
		return control_refuse(call, "busy", "too many requests are waiting");
	c->wait_until = clock_boot() + ms * NS_PER_MS;
	if (waiting(c) > 0 || c->is_over || ms == 0)
		answer(c);
	return 0;
}

int capture_op_stop(struct control_call *call)
{
	struct capture *c = find(call);
	if (c == NULL)
		return -ENOENT;
	if (c->is_over || c->is_ending)
		return 0;
	c->is_ending = true;
	c->rest_until = clock_boot() + REST_NS;
	if (c->supervisor != NULL && supervise_pid(c->supervisor) != 0)
		ask_worker(c, false, REST);
	else
		finish(c, "stopped");
	return 0;
}

void capture_finish_all(struct core *core)
{
	for (size_t i = 0; i < CORE_CAPTURES_MAX; i++) {
		struct capture *c = core->captures[i];
		if (c == NULL)
			continue;
		if (c->ticket != NULL)
			control_answer(c->ticket, NULL, 0, "not-found", "it ended with the daemon");
		c->supervisor = NULL;
		destroy(c);
	}
}
