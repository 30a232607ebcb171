/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to the control socket (docs/sockets.md):
 *
 *	struct control_request request;
 *	struct control_reply reply;
 *	control_request_init(&request, "run-stop");
 *	map_text(&request.map, "instrument", "xrf-1");
 *	int r = control_send(requester, &request, 5000, &reply);
 *	...
 *	control_reply_finish(&reply);
 */
#ifndef ASSAY_CLIENT_CONTROL_H
#define ASSAY_CLIENT_CONTROL_H

#include "record/encode.h"
#include "requester.h"

struct control_request {
	struct buffer bytes;
	struct map map; /* open: the arguments go into it */
};

void control_request_init(struct control_request *request, const char *op);

/* Drops a request that is not sent. */
void control_request_finish(struct control_request *request);

struct control_error {
	struct assay_string code, text; /* for programs; the reason and the remedy in words */
};

struct control_reply {
	struct parts parts;
	struct assay_span body; /* the whole map: borrows from `parts`, as `error` does */
	struct control_error error;
};

/*
 * Sends the request, which it finishes, and waits for the reply, which the caller finishes in
 * every case.  0: done; 1: rejected, see reply->error; -EBADMSG: not a reply of the daemon;
 * otherwise as requester_exchange().
 */
int control_send(struct requester *requester, struct control_request *request, int timeout_ms,
	struct control_reply *reply);

void control_reply_finish(struct control_reply *reply);

#endif
