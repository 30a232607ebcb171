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

#endif
