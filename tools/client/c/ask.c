/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ask.h"
#include "base/clock.h"
#include "socket.h"

struct ask {
	void *context, *socket;
	char endpoint[300];
};

int ask_create(struct ask **out, void *context, const char *endpoint)
{
	struct ask *ask = calloc(1, sizeof *ask);
	if (ask == NULL)
		return -ENOMEM;
	ask->context = context;
	snprintf(ask->endpoint, sizeof ask->endpoint, "%s", endpoint);
	*out = ask;
	return 0;
}

void ask_destroy(struct ask *ask)
{
	if (ask == NULL)
		return;
	socket_close(&ask->socket);
	free(ask);
}

static int wait_for(void *socket, uint64_t deadline, struct parts *reply)
{
	for (;;) {
		int r = parts_receive(reply, socket);
		if (r != 0)
			return r < 0 ? r : 0;
		int ms = clock_ms_until(deadline);
		if (ms == 0)
			return -ETIMEDOUT;
		zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
		if (zmq_poll(&item, 1, ms) < 0)
			return -errno;
	}
}

static int exchange(struct ask *ask, const struct buffer *request, uint64_t deadline,
	struct parts *reply, struct message *message)
{
	int r = ask->socket != NULL ? 0 : socket_ask(&ask->socket, ask->context, ask->endpoint);
	if (r < 0)
		return r;
	if (request->failed)
		return -ENOMEM;
	if (zmq_send(ask->socket, request->data, request->len, ZMQ_DONTWAIT) < 0)
		return -errno;
	r = wait_for(ask->socket, deadline, reply);
	if (r < 0)
		return r;
	struct assay_span first = parts_at(reply, 0);
	if (message_read(first.data, first.len, message) < 0 ||
		(message->kind == MESSAGE_DATA && message->count != reply->count - 1))
		return -EPROTO;
	return 0;
}

int ask_request(struct ask *ask, const struct buffer *request, int timeout_ms, struct parts *reply,
	struct message *message)
{
	uint64_t deadline = clock_boot() + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0) * NS_PER_MS;
	int r = exchange(ask, request, deadline, reply, message);
	if (r < 0)
		socket_close(&ask->socket);
	return r;
}
