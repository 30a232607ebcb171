/* SPDX-License-Identifier: Apache-2.0 */
/* The sockets of a client. */
#ifndef ASSAY_CLIENT_SOCKET_H
#define ASSAY_CLIENT_SOCKET_H

#include "prefixes.h"
#include "secure.h"

/*
 * Connects a SUB socket with these subscriptions and the heartbeats.  `keys` may be NULL; `watch` is
 * begun.  0, or a negative errno.
 */
int socket_listen(void **socket, void *context, const char *endpoint,
	const struct prefixes *prefixes, int receive_hwm, const struct secure_keys *keys,
	struct secure_watch *watch);

/* Connects a DEALER socket; the same. */
int socket_request(void **socket, void *context, const char *endpoint,
	const struct secure_keys *keys, struct secure_watch *watch);

/*
 * Messages that may wait if the largest so far had so many bytes: `receive_hwm`, or fewer.  libzmq
 * counts messages only.
 */
int socket_limit(int receive_hwm, size_t largest);

/* Messages that may wait in a socket of socket_listen(). */
void socket_set_limit(void *socket, int receive_hwm);

/* Closes at once and drops messages that wait; NULL inside is legal. */
void socket_close(void **socket);

#endif
