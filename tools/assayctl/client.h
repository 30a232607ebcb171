/* SPDX-License-Identifier: Apache-2.0 */
/* One request to the control socket. */
#ifndef ASSAY_ASSAYCTL_CLIENT_H
#define ASSAY_ASSAYCTL_CLIENT_H

#include "base/buffer.h"
#include "command.h"
#include "record/encode.h"

/* A request under construction: client_begin(), map_*() of request->map, client_ask(). */
struct request {
	struct buffer bytes;
	struct map map;
};

void client_begin(struct request *request, const char *op);

/*
 * Sends it and waits `seconds` for the reply, which the caller finishes.  Returns 0 when the
 * daemon did it; otherwise 1 after the reason was printed (with --json: the reply as it is).
 */
int client_ask(
	const struct options *options, struct request *request, int seconds, struct buffer *reply);

/*
 * The same without a word when it was not done: 1 when it was refused, with the reply, -EAGAIN when
 * nobody answered.
 */
int client_try(
	const struct options *options, struct request *request, int seconds, struct buffer *reply);

/* Says why a reply is a refusal; returns 1. */
int client_explain(const struct options *options, const struct buffer *reply);

#endif
