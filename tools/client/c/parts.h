/* SPDX-License-Identifier: Apache-2.0 */
/* A message of several parts, received from a socket.  Zero is a valid empty one. */
#ifndef ASSAY_CLIENT_PARTS_H
#define ASSAY_CLIENT_PARTS_H

#include <assay/record.h>

#include <zmq.h>

struct parts {
	zmq_msg_t *items;
	size_t count, size;
};

/*
 * Replaces the parts by those of the next message, without waiting.  1, 0: there is none, -ENOMEM,
 * -EINTR, or an error of libzmq.
 */
int parts_receive(struct parts *parts, void *socket);

/* Frees the bytes of the message. */
void parts_finish(struct parts *parts);

/* The bytes of part `i`, borrowed until parts_receive() or parts_finish(). */
struct assay_span parts_at(const struct parts *parts, size_t i);

#endif
