/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that connects to one peer.  A confined worker cannot connect; before it confines
 * itself it forks this process, which has nothing but the peer's address, connects once for each
 * request, and passes the connection to the worker.
 *
 * It is confined more tightly than the worker.  The address stands in read-only memory, and its
 * system calls may connect to that place in memory and to nothing else.  It reads requests and drops
 * their content, receives no descriptor, and ends with the worker.
 */
#ifndef ASSAY_WORKER_LINK_CONNECTOR_H
#define ASSAY_WORKER_LINK_CONNECTOR_H

#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

struct connector {
	int fd; /* readable when the result of a request is there; -1: none */
	pid_t pid;
};

/*
 * Starts the process for TCP connections to `peer`, each made within `limit_ms`.  In a process with
 * one thread.  0 or a negative errno.
 */
int connector_start(struct connector *connector, const struct sockaddr *peer, socklen_t peer_len,
	unsigned limit_ms);

/* Its process ends.  Legal on one that was not started. */
void connector_stop(struct connector *connector);

/* Requests a connection; connector_take() has the result.  0 or -EPIPE. */
int connector_request(struct connector *connector);

/*
 * The result: a descriptor that does not block; -EAGAIN: not yet; -EPIPE: the process has ended;
 * another negative errno: why it could not connect.
 */
int connector_take(struct connector *connector);

/* Gives a socket the options that connections have. */
void connector_set_options(int fd);

/*
 * Confines the calling process as described above, for good: for the process itself, and tests.
 * Returns the place of the address, or NULL.
 */
const struct sockaddr *connector_confine(const struct sockaddr *peer, socklen_t peer_len);

#endif
