/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TCP endpoint of a ZeroMQ socket, beside its file (base/endpoint.h), for programs of other
 * machines.  Its connections use CURVE; libzmq copies the options of a socket when it binds, so the
 * socket has them only meanwhile, and local connections go on without keys.
 *
 * libzmq lets every key in if the process has no ZAP handler: that one must be there before.  It
 * recognises the socket by its routing id, which is the name given here: a ZAP domain cannot be
 * taken away again, and local connections would have it, too.
 *
 * All calls are for the thread of the ZeroMQ socket.
 */
#ifndef ASSAY_BASE_REMOTE_H
#define ASSAY_BASE_REMOTE_H

#include <stdatomic.h>

struct remote;

struct remote_place {
	const char *address;         /* tcp://ADDRESS:PORT, as base/tcp-address.h reads it */
	const char *name;            /* of the socket, for the ZAP handler */
	const char *secret_key;      /* of the daemon, in Z85 */
	const atomic_uint *removals; /* goes up when a key loses a right; borrowed */
};

/*
 * Listens; the address may be one that the machine gets later.  Copies the place.  Owned through
 * `out`, or a negative errno.
 */
int remote_open(struct remote **out, void *socket, const struct remote_place *place);

/*
 * Ends all connections if a key has lost a right since the last call: those of other keys come back by
 * themselves.  NULL is legal.
 */
void remote_look(struct remote *remote);

/* Before zmq_close().  NULL is legal. */
void remote_close(struct remote *remote);

#endif
