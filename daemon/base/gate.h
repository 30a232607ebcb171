/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gate in front of the ZeroMQ sockets.  libzmq 4.3 ends the process when a connection comes and no
 * descriptor is free, and has no limit for connections, subscriptions, and the parts of a message
 * that does not end.  So this file defines accept4() and recv() for the whole program: libzmq calls these
 * instead of the C library's.  A connection past a limit is closed, which its peer sees as a lost
 * connection; all other descriptors pass.
 *
 * Threads: any.
 */
#ifndef ASSAY_BASE_GATE_H
#define ASSAY_BASE_GATE_H

#include <stdbool.h>
#include <stdint.h>

/* Connections of one socket; those of addresses that are not watched count together. */
#define GATE_PEERS_MAX 256

/*
 * Bytes of all subscriptions, and of new ones in a second.  libzmq needs about 100 bytes and 2
 * microseconds for each, and goes through all of them when a subscriber is gone.
 */
#define GATE_TOPICS_MAX (64u << 10)

#define GATE_PATH (sizeof "/path" + 108)

/* Descriptors that connections leave to files and workers. */
#define GATE_RESERVE 48

enum gate_kind {
	GATE_REQUESTS,
	GATE_PUBLISHER,
	GATE_CURVE, /* closed to a peer that does not name this mechanism; the rest is encrypted */
};

/*
 * The limits hold for connections that `listener`, a listening socket, accepts.  `path` (copied)
 * names the socket in the log; listeners with the same path count together.
 */
void gate_watch(int listener, const char *path, enum gate_kind kind);

/* Logs that connections were closed since the last call; at most once a minute for each socket. */
void gate_look(const char *path);

struct gate_refusal {
	char path[GATE_PATH]; /* of the socket */
	char address[64];     /* of the peer, numeric; "": it has gone */
};

/* How many peers of GATE_CURVE did not name it, since the process started; `last` is the last one. */
uint64_t gate_not_curve(struct gate_refusal *last);

#endif
