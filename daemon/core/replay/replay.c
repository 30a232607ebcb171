/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <zmq.h>

#define LOG_TOPIC "replay"
#include "base/clock.h"
#include "base/log.h"
#include "core/replay/cursors.h"
#include "core/replay/read.h"
#include "core/replay/replay.h"

/* The peer's routing id, REQ's empty part, and what a chain of proxies may add. */
#define ENVELOPE_PARTS_MAX 8

/* Peers with something under way; requests of one peer that wait; its replies that wait. */
#define PEERS_MAX   256
#define RECEIVE_HWM 64
#define SEND_HWM    1000
#define IDLE_MS     1000
#define FLUSH_MS    50  /* between two times that moved cursors are made durable */
#define PENDING_MAX 256 /* replies that wait for that */

struct envelope {
	size_t count;
	zmq_msg_t parts[ENVELOPE_PARTS_MAX];
};

/* The reply to a request that moved a cursor. */
struct pending {
	struct envelope envelope;
	struct buffer head;
};

struct replay {
	void *socket;
	struct replay_desk desk;
	char node[33]; /* the desk's: a reload frees the configuration */
	struct quotas *quotas;
	int stop_fd;
	pthread_t thread;

	struct pending pending[PENDING_MAX];
	size_t pending_count;
	uint64_t flush_due; /* CLOCK_BOOTTIME */
};

/* --- envelopes ------------------------------------------------------------------------------- */

static void close_envelope(struct envelope *envelope)
{
	for (size_t i = 0; i < envelope->count; i++)
		zmq_msg_close(&envelope->parts[i]);
	envelope->count = 0;
}

/* Reads one request: its envelope, and the last part into `body`.  -EAGAIN: there is none. */
static int receive(void *socket, struct envelope *envelope, zmq_msg_t *body)
{
	bool too_deep = false;
	envelope->count = 0;
	for (;;) {
		zmq_msg_t part;
		zmq_msg_init(&part);
		if (zmq_msg_recv(&part, socket, ZMQ_DONTWAIT) < 0) {
			zmq_msg_close(&part);
			close_envelope(envelope);
			return -EAGAIN;
		}
		if (!zmq_msg_more(&part)) {
			*body = part;
			break;
		}
		if (envelope->count < ENVELOPE_PARTS_MAX) {
			envelope->parts[envelope->count++] = part;
		} else {
			too_deep = true;
			zmq_msg_close(&part);
		}
	}
	if (!too_deep && envelope->count > 0)
		return 0;
	zmq_msg_close(body); /* nobody who could be answered */
	close_envelope(envelope);
	return -EBADMSG;
}

/* --- replies --------------------------------------------------------------------------------- */

/*
 * The first part finds the peer: it may be gone, or have so many replies waiting that it gets no
 * more.  After that no part is refused.  Takes the page, closes the envelope.
 */
static void send_reply(struct replay *replay, struct envelope *envelope, const struct buffer *head,
	struct page *page)
{
	struct quota *quota = quotas_find(replay->quotas, zmq_msg_data(&envelope->parts[0]),
		zmq_msg_size(&envelope->parts[0]));
	bool sent = quota != NULL && !head->failed;
	bool has_page = page != NULL && page_count(page) > 0;
	for (size_t i = 0; sent && i < envelope->count; i++)
		sent = zmq_msg_send(&envelope->parts[i], replay->socket,
			       ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0;
	if (sent)
		sent = zmq_send(replay->socket, head->data, head->len,
			       ZMQ_DONTWAIT | (has_page ? ZMQ_SNDMORE : 0)) >= 0;
	if (sent && has_page)
		page_send(page, replay->socket, replay->quotas, quota);
	else
		page_drop(page);
	close_envelope(envelope);
}

/* Makes the cursors durable that were moved, and says so to who moved them. */
static void flush(struct replay *replay)
{
	int r = cursors_flush(replay->desk.cursors);
	for (size_t i = 0; i < replay->pending_count; i++) {
		struct pending *pending = &replay->pending[i];
		struct replay_answer answer = {.head = pending->head};
		if (r < 0)
			replay_refuse(&answer, "busy", "the cursor could not be written");
		send_reply(replay, &pending->envelope, &answer.head, NULL);
		buffer_finish(&answer.head);
	}
	replay->pending_count = 0;
	replay->flush_due = clock_boot() + FLUSH_MS * NS_PER_MS;
}

static void keep(struct replay *replay, struct envelope *envelope, struct replay_answer *answer)
{
	struct pending *pending = &replay->pending[replay->pending_count++];
	*pending = (struct pending){.envelope = *envelope, .head = answer->head};
	answer->head = (struct buffer){0};
	if (replay->pending_count == PENDING_MAX)
		flush(replay);
}

/* --- requests -------------------------------------------------------------------------------- */

static bool has_too_much(const struct replay *replay, zmq_msg_t *id)
{
	const struct quota *quota = quotas_find(replay->quotas, zmq_msg_data(id), zmq_msg_size(id));
	if (quota == NULL)
		return true;
	size_t bytes = atomic_load(&quota->bytes), total = quotas_total(replay->quotas);
	return bytes >= REPLAY_PEER_MAX || (bytes > 0 && total >= REPLAY_TOTAL_MAX) ||
	       total >= 2 * REPLAY_TOTAL_MAX;
}

/* False: nothing more is waiting. */
static bool serve_one(struct replay *replay)
{
	zmq_msg_t body;
	struct envelope envelope;
	int r = receive(replay->socket, &envelope, &body);
	if (r < 0)
		return r == -EBADMSG;
	struct replay_answer answer = {0};
	if (has_too_much(replay, &envelope.parts[0]))
		replay_refuse(&answer, "busy", "read what was sent before asking for more");
	else
		replay_handle(&replay->desk, zmq_msg_data(&body), zmq_msg_size(&body), &answer);
	zmq_msg_close(&body);
	if (answer.has_cursor)
		keep(replay, &envelope, &answer);
	else
		send_reply(replay, &envelope, &answer.head, answer.page);
	buffer_finish(&answer.head);
	return true;
}

static int wait_ms(const struct replay *replay)
{
	if (shelf_wants_ahead(replay->desk.shelf))
		return 0;
	if (replay->pending_count == 0)
		return IDLE_MS;
	return clock_ms_until(replay->flush_due);
}

static void *run(void *arg)
{
	struct replay *replay = arg;
	zmq_pollitem_t items[] = {
		{.socket = replay->socket, .events = ZMQ_POLLIN},
		{.fd = replay->stop_fd, .events = ZMQ_POLLIN},
	};
	for (;;) {
		int n = zmq_poll(items, 2, wait_ms(replay));
		if (n > 0 && items[1].revents != 0)
			break;
		if (n > 0)
			serve_one(replay);
		else
			shelf_read_ahead(replay->desk.shelf);
		if (replay->pending_count > 0 && clock_boot() >= replay->flush_due)
			flush(replay);
		shelf_tidy(replay->desk.shelf);
	}
	if (replay->pending_count > 0)
		flush(replay);
	zmq_close(replay->socket);
	return NULL;
}

/* --- its life -------------------------------------------------------------------------------- */

static int open_socket(struct replay *replay, void *context, const char *endpoint)
{
	const struct {
		int option, value;
	} options[] = {{ZMQ_LINGER, 500}, {ZMQ_RCVHWM, RECEIVE_HWM}, {ZMQ_SNDHWM, SEND_HWM},
		{ZMQ_ROUTER_MANDATORY, 1}};
	int64_t limit = REPLAY_REQUEST_MAX;
	replay->socket = zmq_socket(context, ZMQ_ROUTER);
	if (replay->socket == NULL)
		return -errno;
	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		if (zmq_setsockopt(replay->socket, options[i].option, &options[i].value,
			    sizeof options[i].value) < 0)
			return -errno;
	}
	if (zmq_setsockopt(replay->socket, ZMQ_MAXMSGSIZE, &limit, sizeof limit) < 0 ||
		zmq_bind(replay->socket, endpoint) < 0)
		return -errno;
	return 0;
}

static void destroy(struct replay *replay)
{
	shelf_destroy(replay->desk.shelf);
	quotas_destroy(replay->quotas);
	if (replay->stop_fd >= 0)
		close(replay->stop_fd);
	free(replay);
}

int replay_start(struct replay **out, void *context, const char *endpoint, const char *path,
	const struct replay_desk *desk)
{
	struct replay *replay = calloc(1, sizeof *replay);
	if (replay == NULL)
		return -ENOMEM;
	replay->desk = *desk;
	snprintf(replay->node, sizeof replay->node, "%s", desk->node);
	replay->desk.node = replay->node;
	replay->desk.shelf = shelf_create(path, REPLAY_TURN_MS);
	replay->quotas = quotas_create(PEERS_MAX);
	replay->stop_fd = eventfd(0, EFD_CLOEXEC);
	int r = replay->stop_fd < 0 ? -errno : 0;
	if (r == 0 && (replay->desk.shelf == NULL || replay->quotas == NULL))
		r = -ENOMEM;
	if (r == 0)
		r = open_socket(replay, context, endpoint);
	if (r == 0)
		r = -pthread_create(&replay->thread, NULL, run, replay);
	if (r < 0) {
		if (replay->socket != NULL)
			zmq_close(replay->socket);
		destroy(replay);
		return r;
	}
	*out = replay;
	return 0;
}

void replay_stop(struct replay *replay)
{
	if (replay == NULL)
		return;
	eventfd_write(replay->stop_fd, 1);
	pthread_join(replay->thread, NULL);
	destroy(replay);
}
