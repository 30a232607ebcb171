/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdbool.h>

#include "core/router/envelope.h"

int envelope_receive(struct envelope *envelope, void *socket, zmq_msg_t *body)
{
	bool is_too_deep = false;
	envelope->count = 0;
	for (;;) {
		zmq_msg_init(body);
		if (zmq_msg_recv(body, socket, ZMQ_DONTWAIT) < 0) {
			zmq_msg_close(body);
			envelope_close(envelope);
			return -EAGAIN;
		}
		if (!zmq_msg_more(body))
			break;
		if (envelope->count == ENVELOPE_PARTS_MAX) {
			is_too_deep = true;
			zmq_msg_close(body);
			continue;
		}
		zmq_msg_init(&envelope->parts[envelope->count]);
		zmq_msg_move(&envelope->parts[envelope->count++], body);
		zmq_msg_close(body);
	}
	if (!is_too_deep && envelope->count > 0)
		return 0;
	zmq_msg_close(body);
	envelope_close(envelope);
	return -EBADMSG;
}

/* Only the first part can be refused: it selects the peer. */
int envelope_send(struct envelope *envelope, void *socket)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < envelope->count; i++) {
		if (zmq_msg_send(&envelope->parts[i], socket, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0)
			r = -errno;
	}
	envelope_close(envelope);
	return r;
}

void envelope_move(struct envelope *to, struct envelope *from)
{
	for (size_t i = 0; i < from->count; i++) {
		zmq_msg_init(&to->parts[i]);
		zmq_msg_move(&to->parts[i], &from->parts[i]);
	}
	to->count = from->count;
	envelope_close(from);
}

void envelope_close(struct envelope *envelope)
{
	for (size_t i = 0; i < envelope->count; i++)
		zmq_msg_close(&envelope->parts[i]);
	envelope->count = 0;
}
