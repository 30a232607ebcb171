/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the bytes that a peer sends to a ZeroMQ socket, as they come, and counts what libzmq has no
 * limit for: the parts of a message, which libzmq keeps until the last one is there, and
 * subscriptions.  ZMTP 3.0 and 3.1 of rfc.zeromq.org, 23 and 37.  Of an encrypted connection only
 * the greeting can be read.
 *
 * Threads: those of the caller.
 */
#ifndef ASSAY_BASE_ZMTP_H
#define ASSAY_BASE_ZMTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZMTP_PARTS_MAX   128u         /* of one message */
#define ZMTP_MESSAGE_MAX (128u << 10) /* bytes of one message */
#define ZMTP_CHANGES_MAX 4096u        /* subscriptions and cancellations of one connection */
#define ZMTP_TOPICS_MAX  (16u << 10)  /* bytes of its subscriptions */

enum zmtp_state {
	ZMTP_GREETING,
	ZMTP_FLAGS,
	ZMTP_SIZE,
	ZMTP_BODY,
	ZMTP_ENCRYPTED,
	ZMTP_NOT_CURVE, /* the peer names another mechanism than it must */
};

/* Zero at first, except these two. */
struct zmtp {
	bool is_publisher; /* the socket is: its peers send subscriptions, no messages */
	bool needs_curve;  /* the peer has to use the mechanism CURVE */
	enum zmtp_state state;
	unsigned at;      /* bytes of the greeting, of the size, or in `head` */
	uint8_t head[10]; /* the first bytes of the body, or of the greeting */
	uint8_t flags;
	uint64_t size, left;    /* of the body; how much is still to come */
	bool is_null, is_curve; /* the mechanism that the greeting names */

	unsigned parts; /* of an unfinished message */
	size_t bytes;
	unsigned changes;
	size_t topics; /* bytes of subscriptions so far */
};

/* False: the peer breaks the protocol or a limit, and the connection has to be closed. */
bool zmtp_take(struct zmtp *zmtp, const uint8_t *data, size_t len);

#endif
