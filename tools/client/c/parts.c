/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "parts.h"

static void empty(struct parts *parts)
{
	while (parts->count > 0)
		zmq_msg_close(&parts->items[--parts->count]);
}

void parts_finish(struct parts *parts)
{
	empty(parts);
	free(parts->items);
	*parts = (struct parts){0};
}

/* No realloc(): a zmq_msg_t may only be moved by zmq_msg_move(). */
static int make_room(struct parts *parts)
{
	if (parts->count < parts->size)
		return 0;
	size_t size = parts->size > 0 ? 2 * parts->size : 16;
	zmq_msg_t *items = calloc(size, sizeof *items);
	if (items == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < parts->count; i++) {
		zmq_msg_init(&items[i]);
		zmq_msg_move(&items[i], &parts->items[i]);
		zmq_msg_close(&parts->items[i]);
	}
	free(parts->items);
	parts->items = items;
	parts->size = size;
	return 0;
}

/* ZeroMQ receives whole messages: after the first part the others do not wait. */
int parts_receive(struct parts *parts, void *socket)
{
	int more = 1;
	empty(parts);
	while (more) {
		int r = make_room(parts);
		if (r < 0)
			return r;
		zmq_msg_t *msg = &parts->items[parts->count];
		zmq_msg_init(msg);
		if (zmq_msg_recv(msg, socket, ZMQ_DONTWAIT) < 0) {
			int error = errno;
			zmq_msg_close(msg);
			return error == EAGAIN && parts->count == 0 ? 0 : -error;
		}
		parts->count++;
		more = zmq_msg_more(msg);
	}
	return 1;
}

struct assay_span parts_at(const struct parts *parts, size_t i)
{
	zmq_msg_t *msg = &parts->items[i];
	return (struct assay_span){zmq_msg_data(msg), zmq_msg_size(msg)};
}
