/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <zmq.h>

#include "base/clock.h"
#include "base/endpoint.h"
#include "base/remote.h"
#include "core/access/access.h"
#include "core/replay/cursors.h"
#include "core/replay/leases.h"
#include "core/replay/replay.h"
#include "core/router/envelope.h"

/* Peers with bytes under way; waiting requests of one peer, and its waiting replies. */
#define PEERS_MAX   256
#define RECEIVE_HWM 64
#define SEND_HWM    1000
#define IDLE_MS     1000
#define FLUSH_MS    50  /* between two times that moved cursors are made durable */
#define PENDING_MAX 256 /* replies that wait for that */

/* The reply to a request that moved a cursor. */
struct pending {
	struct envelope envelope;
	struct buffer head;
};

struct replay {
	void *socket;
	struct endpoint_file *endpoint;
	struct remote *remote; /* NULL: local peers only */
	struct replay_sources sources;
	char node[33]; /* sources.node: a reload frees the configuration */
	struct quotas *quotas;
	int stop_fd;
	pthread_t thread;

	struct pending pending[PENDING_MAX];
	size_t pending_count;
	uint64_t flush_due; /* CLOCK_BOOTTIME */
};

/* --- replies --------------------------------------------------------------------------------- */

static struct quota *quota_of(const struct replay *replay, struct envelope *envelope)
{
	return quotas_find(replay->quotas, zmq_msg_data(&envelope->parts[0]),
		zmq_msg_size(&envelope->parts[0]));
}

/* Drops the reply if the peer is gone or has too many waiting.  Takes the page, closes the envelope. */
static void send_reply(struct replay *replay, struct envelope *envelope, const struct buffer *head,
	struct page *page)
{
	struct quota *quota = quota_of(replay, envelope);
	bool has_page = page != NULL && page_count(page) > 0;
	bool sent = quota != NULL && !head->failed &&
		    envelope_send(envelope, replay->socket) == 0 &&
		    zmq_send(replay->socket, head->data, head->len,
			    ZMQ_DONTWAIT | (has_page ? ZMQ_SNDMORE : 0)) >= 0;
	if (sent && has_page)
		page_send(page, replay->socket, replay->quotas, quota);
	else
		page_drop(page);
	envelope_close(envelope);
}

/* Makes moved cursors durable and sends the replies that wait for that. */
static void flush(struct replay *replay)
{
	int r = cursors_flush(replay->sources.cursors);
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

/* --- requests -------------------------------------------------------------------------------- */

static bool is_full(const struct replay *replay, struct envelope *envelope)
{
	const struct quota *quota = quota_of(replay, envelope);
	if (quota == NULL)
		return true;
	size_t bytes = atomic_load(&quota->bytes), total = quotas_total(replay->quotas);
	return bytes >= REPLAY_PEER_MAX || (bytes > 0 && total >= REPLAY_TOTAL_MAX) ||
	       total >= 2 * REPLAY_TOTAL_MAX;
}

static struct lease_peer lease_of(struct envelope *envelope, const struct access_peer *peer)
{
	return (struct lease_peer){
		.id = {zmq_msg_data(&envelope->parts[0]), zmq_msg_size(&envelope->parts[0])},
		.pid = peer->pid};
}

static void serve_one(struct replay *replay)
{
	zmq_msg_t body;
	struct envelope envelope;
	if (envelope_receive(&envelope, replay->socket, &body) < 0)
		return;
	struct replay_answer answer = {0};
	struct access_peer peer;
	if (!access_admits(replay->sources.access, &body, CONFIG_REPLAY, &peer)) {
		replay_refuse(&answer, "not-authorised", "this key has no right to replay");
	} else if (is_full(replay, &envelope)) {
		replay_refuse(
			&answer, "busy", "read the replies under way before the next request");
	} else {
		struct lease_peer lease = lease_of(&envelope, &peer);
		replay_handle(&replay->sources, &lease, zmq_msg_data(&body), zmq_msg_size(&body),
			&answer);
	}
	zmq_msg_close(&body);
	if (!answer.has_cursor) {
		send_reply(replay, &envelope, &answer.head, answer.page);
		buffer_finish(&answer.head);
		return;
	}
	struct pending *pending = &replay->pending[replay->pending_count++];
	envelope_move(&pending->envelope, &envelope);
	pending->head = answer.head;
	if (replay->pending_count == PENDING_MAX)
		flush(replay);
}

static void *run(void *arg)
{
	pthread_setname_np(pthread_self(), "replay");
	struct replay *replay = arg;
	zmq_pollitem_t items[] = {
		{.socket = replay->socket, .events = ZMQ_POLLIN},
		{.fd = replay->stop_fd, .events = ZMQ_POLLIN},
	};
	for (;;) {
		int wait_ms = IDLE_MS;
		if (reader_cache_can_read_ahead(replay->sources.readers))
			wait_ms = 0;
		else if (replay->pending_count > 0)
			wait_ms = clock_ms_until(replay->flush_due);
		int n = zmq_poll(items, 2, wait_ms);
		if (n > 0 && items[1].revents != 0)
			break;
		if (n > 0)
			serve_one(replay);
		else
			reader_cache_read_ahead(replay->sources.readers);
		if (replay->pending_count > 0 && clock_boot() >= replay->flush_due)
			flush(replay);
		reader_cache_expire(replay->sources.readers);
		endpoint_look(replay->endpoint);
		remote_look(replay->remote);
	}
	if (replay->pending_count > 0)
		flush(replay);
	endpoint_close(replay->endpoint);
	remote_close(replay->remote);
	zmq_close(replay->socket);
	return NULL;
}

/* --- start and stop -------------------------------------------------------------------------- */

static int open_socket(struct replay *replay, void *context, const char *endpoint)
{
	const struct {
		int option, value;
	} options[] = {{ZMQ_LINGER, 500}, {ZMQ_RCVHWM, RECEIVE_HWM}, {ZMQ_SNDHWM, SEND_HWM},
		{ZMQ_ROUTER_MANDATORY, 1}};
	int64_t limit = CALL_BYTES_MAX;
	replay->socket = zmq_socket(context, ZMQ_ROUTER);
	if (replay->socket == NULL)
		return -errno;
	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		if (zmq_setsockopt(replay->socket, options[i].option, &options[i].value,
			    sizeof options[i].value) < 0)
			return -errno;
	}
	if (zmq_setsockopt(replay->socket, ZMQ_MAXMSGSIZE, &limit, sizeof limit) < 0)
		return -errno;
	struct remote_place place = access_place(replay->sources.access, CONFIG_REPLAY);
	int r = endpoint_open(&replay->endpoint, replay->socket, endpoint);
	return r < 0 || place.address == NULL
		       ? r
		       : remote_open(&replay->remote, replay->socket, &place);
}

static void destroy(struct replay *replay)
{
	reader_cache_destroy(replay->sources.readers);
	leases_destroy(replay->sources.leases);
	quotas_destroy(replay->quotas);
	if (replay->stop_fd >= 0)
		close(replay->stop_fd);
	free(replay);
}

int replay_start(struct replay **out, void *context, const char *endpoint, const char *path,
	const struct replay_sources *sources)
{
	struct replay *replay = calloc(1, sizeof *replay);
	if (replay == NULL)
		return -ENOMEM;
	replay->sources = *sources;
	snprintf(replay->node, sizeof replay->node, "%s", sources->node);
	replay->sources.node = replay->node;
	replay->sources.readers = reader_cache_create(path, REPLAY_TURN_MS);
	replay->sources.leases = leases_create();
	replay->quotas = quotas_create(PEERS_MAX);
	replay->stop_fd = eventfd(0, EFD_CLOEXEC);
	int r = replay->stop_fd < 0 ? -errno : 0;
	if (r == 0 && (replay->sources.readers == NULL || replay->sources.leases == NULL ||
			      replay->quotas == NULL))
		r = -ENOMEM;
	if (r == 0)
		r = open_socket(replay, context, endpoint);
	if (r == 0)
		r = -pthread_create(&replay->thread, NULL, run, replay);
	if (r < 0) {
		endpoint_close(replay->endpoint);
		remote_close(replay->remote);
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
