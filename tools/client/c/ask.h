/* SPDX-License-Identifier: Apache-2.0 */
/* Questions to the replay socket, one at a time, each waiting for its answer. */
#ifndef ASSAY_CLIENT_ASK_H
#define ASSAY_CLIENT_ASK_H

#include "base/buffer.h"
#include "message.h"
#include "parts.h"

struct ask;

/* Nothing is connected yet.  Borrows `context` and copies the endpoint.  Owned; -ENOMEM. */
int ask_create(struct ask **out, void *context, const char *endpoint);
void ask_destroy(struct ask *ask);

/*
 * Sends the request and waits for the answer: its first part as `message`, which borrows from
 * `reply` (as do its entries, parts 1 ...) until the next call.  0; -ETIMEDOUT; -EINTR; -EPROTO:
 * not an answer; -ENOMEM; what libzmq says.  After an error the connection is a new one, so that
 * no late answer is taken for that of the next question.
 */
int ask_request(struct ask *ask, const struct buffer *request, int timeout_ms, struct parts *reply,
	struct message *message);

#endif
