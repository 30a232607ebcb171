/* SPDX-License-Identifier: Apache-2.0 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "core/control/replies.h"

/* Of one message, more than its bytes: the envelope and libzmq's bookkeeping. */
#define MESSAGE_COST 512

struct replies {
	atomic_uint refs; /* the owner's, and one per reply */
	atomic_size_t bytes;
};

struct sent_reply {
	struct replies *replies;
	size_t cost;
	uint8_t bytes[];
};

static void unref(struct replies *replies)
{
	if (replies != NULL && atomic_fetch_sub(&replies->refs, 1) == 1)
		free(replies);
}

struct replies *replies_create(void)
{
	struct replies *replies = calloc(1, sizeof *replies);
	if (replies != NULL)
		atomic_init(&replies->refs, 1);
	return replies;
}

void replies_destroy(struct replies *replies)
{
	unref(replies);
}

bool replies_fit(const struct replies *replies, size_t len)
{
	return atomic_load(&replies->bytes) + len + MESSAGE_COST <= REPLIES_MAX;
}

/* Threads: libzmq's. */
static void let_go(void *data, void *hint)
{
	struct sent_reply *sent = hint;
	atomic_fetch_sub(&sent->replies->bytes, sent->cost);
	unref(sent->replies);
	free(sent);
}

void replies_send(struct replies *replies, void *socket, const struct buffer *reply)
{
	zmq_msg_t part;
	struct sent_reply *sent = malloc(sizeof *sent + reply->len);
	if (sent == NULL) {
		zmq_send(socket, NULL, 0, ZMQ_DONTWAIT); /* the message has to end */
		return;
	}
	sent->replies = replies;
	sent->cost = reply->len + MESSAGE_COST;
	memcpy(sent->bytes, reply->data, reply->len);
	atomic_fetch_add(&replies->refs, 1);
	atomic_fetch_add(&replies->bytes, sent->cost);
	if (zmq_msg_init_data(&part, sent->bytes, reply->len, let_go, sent) < 0) {
		let_go(NULL, sent);
		zmq_send(socket, NULL, 0, ZMQ_DONTWAIT);
	} else if (zmq_msg_send(&part, socket, ZMQ_DONTWAIT) < 0) {
		zmq_msg_close(&part);
	}
}
