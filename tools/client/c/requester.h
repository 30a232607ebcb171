/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the replay or control socket, one at a time, each with its reply and a deadline. */
#ifndef ASSAY_CLIENT_REQUESTER_H
#define ASSAY_CLIENT_REQUESTER_H

#include "base/buffer.h"
#include "message.h"
#include "parts.h"

struct requester;
struct secure_keys;

/*
 * Connects with the first request.  Borrows `context`, or has its own if that is NULL; copies the
 * endpoint and the keys, which may be NULL.  Owned; -ENOMEM.
 */
int requester_create(struct requester **out, void *context, const char *endpoint,
	const struct secure_keys *keys);
void requester_destroy(struct requester *requester);

/*
 * Sends the request and waits for the reply.  0; -ETIMEDOUT; -EINTR; -ENOMEM; SECURE_REFUSED or
 * SECURE_FAILED; an error of libzmq.
 * After an error the next request has a new connection, so that a late reply is not taken for its
 * reply.
 */
int requester_exchange(struct requester *requester, const struct buffer *request, int timeout_ms,
	struct parts *reply);

/*
 * The same on the replay socket: the reply's first part as `message`, which borrows from `reply`
 * (as do its entries, parts 1 ...).  -EPROTO: it is not a reply of this protocol.
 */
int requester_message(struct requester *requester, const struct buffer *request, int timeout_ms,
	struct parts *reply, struct reply_view *message);

#endif
