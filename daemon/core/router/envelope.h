/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of a ROUTER socket.  The parts before a request (the peer's routing id, the empty part of
 * a REQ socket, the numbers of a DEALER or a proxy) are its envelope; they are sent before its
 * reply, so that every kind of peer works.
 *
 * An envelope belongs to the thread of its socket.
 */
#ifndef ASSAY_CORE_ROUTER_ENVELOPE_H
#define ASSAY_CORE_ROUTER_ENVELOPE_H

#include <stddef.h>

#include <zmq.h>

/* The routing id, the empty part of a REQ socket, and those of a chain of proxies. */
#define ENVELOPE_PARTS_MAX 8

struct envelope {
	size_t count;
	zmq_msg_t parts[ENVELOPE_PARTS_MAX];
};

/*
 * Receives one message without waiting: its envelope, and the last part into `body`, which the
 * caller closes.  -EAGAIN: there is none.  -EBADMSG: it has no envelope that a reply could use and
 * was dropped.  After an error there is nothing to close.
 */
int envelope_receive(struct envelope *envelope, void *socket, zmq_msg_t *body);

/*
 * Sends the envelope, to be followed by the reply, and closes it.  A negative errno: the peer is
 * gone, or so many replies wait for it that it gets no more; then nothing was sent.
 */
int envelope_send(struct envelope *envelope, void *socket);

/* Moves the parts to an uninitialised envelope; the other one is empty then. */
void envelope_move(struct envelope *to, struct envelope *from);
void envelope_close(struct envelope *envelope);

#endif
