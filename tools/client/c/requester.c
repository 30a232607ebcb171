/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "requester.h"
#include "socket.h"

struct requester {
	void *context, *own_context, *socket;
	char endpoint[300];
	struct secure_keys keys;
	struct secure_watch watch;
};

int requester_create(
	struct requester **out, void *context, const char *endpoint, const struct secure_keys *keys)
{
	struct requester *q = calloc(1, sizeof *q);
	if (q == NULL)
		return -ENOMEM;
	if (context == NULL)
		q->own_context = context = zmq_ctx_new();
	q->context = context;
	snprintf(q->endpoint, sizeof q->endpoint, "%s", endpoint);
	if (keys != NULL)
		q->keys = *keys;
	if (context == NULL) {
		free(q);
		return -ENOMEM;
	}
	*out = q;
	return 0;
}

static void disconnect(struct requester *q)
{
	socket_close(&q->socket);
	secure_watch_end(&q->watch);
}

void requester_destroy(struct requester *q)
{
	if (q == NULL)
		return;
	disconnect(q);
	if (q->own_context != NULL)
		zmq_ctx_term(q->own_context);
	explicit_bzero(&q->keys, sizeof q->keys);
	free(q);
}

static int wait_for(struct requester *q, uint64_t deadline, struct parts *reply)
{
	for (;;) {
		int r = parts_receive(reply, q->socket);
		if (r != 0)
			return r < 0 ? r : 0;
		r = secure_watch_look(&q->watch);
		if (r < 0)
			return r;
		int ms = clock_ms_until(deadline);
		if (ms == 0)
			return -ETIMEDOUT;
		zmq_pollitem_t items[] = {{.socket = q->socket, .events = ZMQ_POLLIN},
			{.socket = q->watch.monitor, .events = ZMQ_POLLIN}};
		if (zmq_poll(items, q->watch.monitor != NULL ? 2 : 1, ms) < 0)
			return -errno;
	}
}

int requester_exchange(
	struct requester *q, const struct buffer *request, int timeout_ms, struct parts *reply)
{
	uint64_t deadline = clock_boot() + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0) * NS_PER_MS;
	if (request->failed)
		return -ENOMEM;
	int r = 0;
	if (q->socket == NULL)
		r = socket_request(&q->socket, q->context, q->endpoint, &q->keys, &q->watch);
	if (r == 0 && zmq_send(q->socket, request->data, request->len, ZMQ_DONTWAIT) < 0)
		r = -errno;
	if (r == 0)
		r = wait_for(q, deadline, reply);
	if (r < 0)
		disconnect(q);
	return r;
}

int requester_message(struct requester *q, const struct buffer *request, int timeout_ms,
	struct parts *reply, struct reply_view *message)
{
	int r = requester_exchange(q, request, timeout_ms, reply);
	if (r < 0)
		return r;
	struct assay_span first = parts_at(reply, 0);
	if (message_read(first.data, first.len, message) == 0 &&
		(message->kind != MESSAGE_DATA || message->count == reply->count - 1))
		return 0;
	disconnect(q);
	return -EPROTO;
}
