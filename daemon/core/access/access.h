/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs of other machines: the daemon's key, the authorised keys with their roles, and the handler
 * that refuses all others.
 *
 * Threads: access_admits(), any; the others, main.
 */
#ifndef ASSAY_CORE_ACCESS_ACCESS_H
#define ASSAY_CORE_ACCESS_ACCESS_H

#include <zmq.h>

#include "base/remote.h"
#include "core/access/keys.h"

struct access;
struct audit_trail;

/*
 * Reads the daemon's key, starts the handler in `zmq` and proves that it refuses a key that is not in
 * the list: no TCP socket may be bound before.  `audit` is borrowed.  Owned through `out`, or a
 * negative errno after a logged error.  Without TCP endpoints in the configuration *out is NULL.
 */
int access_open(
	struct access **out, void *zmq, const struct config *config, struct audit_trail *audit);

/* After all sockets of the context were closed, before zmq_ctx_term().  NULL is legal. */
void access_close(struct access *access);

/*
 * A reload: from now on these keys are authorised, and no others.  0, or -ENOMEM: the former ones
 * are.  NULL is legal.
 */
int access_set_keys(struct access *access, const struct config *config);

/* Where the socket of this role listens; address NULL: nowhere.  Borrowed as long as `access`. */
struct remote_place access_place(const struct access *access, enum config_role role);

/* Once a second: records refusals, at most one record per minute.  NULL is legal. */
void access_look(struct access *access);

/* Refused connections and requests since the start. */
uint64_t access_refusals(const struct access *access);

/* The program at the other end of a connection. */
struct access_peer {
	bool is_local;          /* by the kernel's word */
	unsigned uid;           /* of a local one */
	int pid;                /* the same; 0: not known */
	char name[ACCESS_NAME]; /* of the key of another; "": not known */
};

/* Reads libzmq's Peer-Address, "localhost:uid:gid:pid" of a local peer; NULL: not known. */
void access_read_local(struct access_peer *peer, const char *address);

/*
 * Whether the peer that sent `last`, the last part of a message, may use the socket of this role now.
 * The first part may have been read ahead without the properties that this needs.  `access` NULL:
 * nothing listens by TCP, every peer is local.
 */
bool access_admits(
	struct access *access, zmq_msg_t *last, enum config_role role, struct access_peer *peer);

#endif
