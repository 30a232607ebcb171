/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker of a port as a test plays it: the other end of the socket, and the end of a process
 * that does not exist.  Signals to it are noted, not sent.  A function that fails ends the test.
 */
#ifndef ASSAY_TESTS_CORE_PEER_H
#define ASSAY_TESTS_CORE_PEER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "wire/wire.h"

struct loop;

struct peer {
	pid_t pid;
	int fd;     /* -1: closed */
	int signal; /* the last one sent to it; 0: none */
	struct buffer in;
	size_t in_at;
};

/* A port_host.start. */
int peer_start(const char *worker, int fd, int error, pid_t *pid);

/* The worker of this process id; borrowed until peers_forget(). */
struct peer *peer_of(pid_t pid);

/* Sends the messages in the buffer and empties it. */
void peer_send(struct peer *peer, struct buffer *message);

/* Takes the next message of the core; borrowed until the next call.  False: there is none. */
bool peer_next(struct peer *peer, struct wire_message *message);

/* Takes the next message of the core, which must be of this type. */
struct wire_message peer_expect(struct peer *peer, enum wire_type type);

/* The process ends: its exit code, or with `is_killed` the signal. */
void peer_exit(struct peer *peer, struct loop *loop, bool is_killed, int status);

/* Closes the sockets of all. */
void peers_forget(void);

#endif
