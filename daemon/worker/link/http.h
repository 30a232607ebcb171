/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP on top of a TCP link, in the driver's thread: one request, one connection, one reply.  The
 * library http-parser reads the replies.  The channel carries all bytes, so that they are recorded
 * and played back like all others, one deadline covers an exchange, and an abort interrupts it.
 * No code here opens a socket: every request, a followed redirect too, reaches the link's peer.
 *
 * Not libcurl: it wants to connect its sockets itself, which a confined worker cannot.
 */
#ifndef ASSAY_WORKER_LINK_HTTP_H
#define ASSAY_WORKER_LINK_HTTP_H

#include <assay/driver.h>

#include "wire/port.h"
#include "worker/channel.h"

struct http;

/* Copies from `port`.  Borrows `channel` and makes it direct.  NULL: no memory. */
struct http *http_create(const struct port *port, struct channel *channel);

/* Legal on NULL. */
void http_destroy(struct http *http);

#define HTTP_WHY 240

/* As assay_http() of <assay/driver.h>. */
int http_exchange(struct http *http, const struct assay_http_request *request,
	struct assay_http_reply *reply, int ms);

/* Why the last exchange failed: the request and the cause; "" if it did not. */
const char *http_why(const struct http *http);

#endif
