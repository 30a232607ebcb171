/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/loop.h"
#include "capture/read.h"
#include "capture/write.h"
#include "core/port/recorder.h"
#include "wire/wire.h"

#define ROOM     (1u << 20)   /* of the worker's bytes that wait for the client */
#define REST     (2u << 20)   /* bytes that a worker may still send after the stop */
#define PIECE    (256u << 10) /* bytes of one read */
#define GRANT    (64u << 10)
#define LAPSE_NS (20 * NS_PER_S)
#define REST_NS  (5 * NS_PER_S) /* for the worker's last records */

struct recorder {
	struct loop *loop;
	uint64_t last_id;
	struct recording *list[RECORDINGS_MAX]; /* NULL: free */
};

struct recording {
	struct recorder *recorder;
	uint64_t id;
	struct recording_port port;
	bool is_attached;
	void (*ended)(void *arg, const char *why); /* NULL: it was called */
	void *ended_arg;

	struct buffer data; /* not yet read, from `at` on */
	size_t at;
	uint64_t granted;         /* bytes that the worker may still send */
	bool is_ending, is_whole; /* a stop was requested; END is written */

	void (*done)(void *arg, const struct recording_piece *piece); /* NULL: no read waits */
	void *done_arg;
	uint64_t wait_until, lapse_at, rest_until; /* CLOCK_BOOTTIME */
	struct loop_source *timer;
};

static size_t unread(const struct recording *rec)
{
	return rec->data.len - rec->at;
}

static bool request(struct recording *rec, bool on, uint64_t bytes)
{
	rec->granted += bytes;
	return rec->port.request(rec->port.arg, on, bytes);
}

/* Grants the worker as many bytes as the buffer has room for, in steps. */
static void grant(struct recording *rec)
{
	uint64_t used = unread(rec) + rec->granted;
	if (rec->is_attached && !rec->is_ending && used + GRANT <= ROOM)
		request(rec, true, ROOM - used);
}

/* Stops the worker's recording; the supervisor drops records that still arrive. */
static void detach(struct recording *rec)
{
	if (!rec->is_attached)
		return;
	if (!rec->is_ending)
		request(rec, false, REST);
	rec->port.attach(rec->port.arg, NULL);
	rec->is_attached = false;
}

static void report_end(struct recording *rec, const char *why)
{
	if (rec->ended != NULL)
		rec->ended(rec->ended_arg, why);
	rec->ended = NULL;
}

static void destroy(struct recording *rec)
{
	detach(rec);
	loop_drop(rec->timer);
	buffer_finish(&rec->data);
	for (size_t i = 0; i < RECORDINGS_MAX; i++) {
		if (rec->recorder->list[i] == rec)
			rec->recorder->list[i] = NULL;
	}
	free(rec);
}

/* Answers the read that waits.  False: that was the end, and the recording is freed. */
static bool answer(struct recording *rec)
{
	if (rec->done == NULL)
		return true;
	size_t len = unread(rec) < PIECE ? unread(rec) : PIECE;
	struct recording_piece piece = {
		.data = len > 0 ? rec->data.data + rec->at : (const uint8_t *)"",
		.len = len,
		.is_end = rec->is_whole && len == unread(rec),
	};
	void (*done)(void *, const struct recording_piece *) = rec->done;
	rec->done = NULL;
	rec->lapse_at = clock_boot() + LAPSE_NS;
	done(rec->done_arg, &piece);
	if (piece.is_end) {
		destroy(rec);
		return false;
	}
	rec->at += len;
	if (rec->at == rec->data.len) {
		buffer_reset(&rec->data);
		rec->at = 0;
	}
	grant(rec);
	return true;
}

/* Writes the last record.  False: the recording is freed. */
static bool finish(struct recording *rec, const char *why)
{
	if (rec->is_whole)
		return true;
	rec->is_whole = true;
	capture_write_text(&rec->data, CAPTURE_END, clock_boot(), why);
	report_end(rec, why);
	detach(rec);
	return answer(rec);
}

/* --- the worker's side ------------------------------------------------------------------------ */

void recording_worker_starts(struct recording *rec, struct buffer *message)
{
	uint64_t used = unread(rec);
	struct wire_capture capture = {.on = true, .bytes = used < ROOM ? ROOM - used : 0};
	rec->granted = capture.bytes;
	wire_write_capture(message, &capture);
}

int recording_take(struct recording *rec, const uint8_t *records, size_t len)
{
	if (len == 0) {
		if (!rec->is_ending)
			return -EBADMSG;
		finish(rec, "stopped");
		return 0;
	}
	if (len > rec->granted || !capture_are_records(records, len))
		return -EBADMSG;
	rec->granted -= len;
	if (rec->at > rec->data.len / 2) {
		buffer_consume(&rec->data, rec->at);
		rec->at = 0;
	}
	buffer_append(&rec->data, records, len);
	if (rec->data.failed)
		finish(rec, "out of memory");
	else
		answer(rec);
	return 0;
}

void recording_worker_ended(struct recording *rec, const char *why)
{
	capture_write_text(&rec->data, CAPTURE_LOST, clock_boot(), why);
	rec->granted = 0;
	if (rec->is_ending)
		finish(rec, "stopped");
	else
		answer(rec);
}

void recording_port_gone(struct recording *rec)
{
	rec->is_attached = false;
	finish(rec, "the instrument was stopped or its configuration changed");
}

/* --- the client's side ------------------------------------------------------------------------ */

static void set_timer(struct recording *rec)
{
	loop_set_timer(rec->timer, NS_PER_S / 10);
}

static void on_timer(void *arg)
{
	struct recording *rec = arg;
	uint64_t now = clock_boot();
	if (rec->done == NULL && now >= rec->lapse_at) {
		report_end(rec, "lapsed: not read for 20 s");
		destroy(rec);
		return;
	}
	if (rec->is_ending && now >= rec->rest_until &&
		!finish(rec, "stopped; the worker did not send the rest"))
		return;
	if (rec->done != NULL && now >= rec->wait_until && !answer(rec))
		return;
	set_timer(rec);
}

struct recording *recorder_start(struct recorder *recorder, const struct capture_head *head,
	const struct recording_port *port, void (*ended)(void *arg, const char *why), void *arg)
{
	size_t i = 0;
	while (i < RECORDINGS_MAX && recorder->list[i] != NULL)
		i++;
	struct recording *rec = i < RECORDINGS_MAX ? calloc(1, sizeof *rec) : NULL;
	if (rec == NULL)
		return NULL;
	rec->recorder = recorder;
	rec->port = *port;
	rec->ended = ended;
	rec->ended_arg = arg;
	rec->lapse_at = clock_boot() + LAPSE_NS;
	capture_write_head(&rec->data, head);
	if (rec->data.failed || loop_add_timer(recorder->loop, &rec->timer, on_timer, rec) < 0) {
		buffer_finish(&rec->data);
		free(rec);
		return NULL;
	}
	rec->id = ++recorder->last_id;
	recorder->list[i] = rec;
	rec->port.attach(rec->port.arg, rec);
	rec->is_attached = true;
	grant(rec);
	set_timer(rec);
	return rec;
}

struct recording *recorder_find(const struct recorder *recorder, uint64_t id)
{
	for (size_t i = 0; i < RECORDINGS_MAX; i++) {
		if (recorder->list[i] != NULL && recorder->list[i]->id == id)
			return recorder->list[i];
	}
	return NULL;
}

uint64_t recording_id(const struct recording *rec)
{
	return rec->id;
}

int recording_read(struct recording *rec, uint64_t wait_ms,
	void (*done)(void *arg, const struct recording_piece *piece), void *arg)
{
	if (rec->done != NULL)
		return -EBUSY;
	if (wait_ms > RECORDING_WAIT_MS)
		wait_ms = RECORDING_WAIT_MS;
	rec->done = done;
	rec->done_arg = arg;
	rec->wait_until = clock_boot() + wait_ms * NS_PER_MS;
	if (unread(rec) > 0 || rec->is_whole || wait_ms == 0)
		answer(rec);
	return 0;
}

void recording_stop(struct recording *rec)
{
	if (rec->is_whole || rec->is_ending)
		return;
	rec->is_ending = true;
	rec->rest_until = clock_boot() + REST_NS;
	if (!rec->is_attached || !request(rec, false, REST))
		finish(rec, "stopped");
}

/* --- all of them ------------------------------------------------------------------------------ */

struct recorder *recorder_create(struct loop *loop)
{
	struct recorder *recorder = calloc(1, sizeof *recorder);
	if (recorder != NULL)
		recorder->loop = loop;
	return recorder;
}

void recorder_destroy(struct recorder *recorder)
{
	for (size_t i = 0; recorder != NULL && i < RECORDINGS_MAX; i++) {
		struct recording *rec = recorder->list[i];
		if (rec == NULL)
			continue;
		if (rec->done != NULL)
			rec->done(rec->done_arg, NULL);
		report_end(rec, NULL);
		rec->is_attached = false; /* the worker ends with the daemon */
		destroy(rec);
	}
	free(recorder);
}
