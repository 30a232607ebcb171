/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of a ZeroMQ socket that others connect to, ipc:///some/path.  It belongs to this process
 * alone: a file <path>.lock is locked as long as the endpoint is open, a socket on which another
 * program listens is left to that program, and a file that is no socket stays.  A file that was
 * removed is made again; connections that exist are not affected.
 *
 * The socket is made here and handed to libzmq (ZMQ_USE_FD), which otherwise removes any file at
 * the path, at the bind and at the end.  All calls are for the thread of the ZeroMQ socket.
 */
#ifndef ASSAY_BASE_ENDPOINT_H
#define ASSAY_BASE_ENDPOINT_H

struct endpoint_file;

/*
 * Binds `socket` (borrowed).  Makes the folder if it is missing; members of the group may connect.
 * Other addresses than ipc:// are bound by libzmq alone.  Owned through `out`.  -EADDRINUSE: another
 * program has it; -EEXIST: a file that is no socket; or another negative errno.
 */
int endpoint_open(struct endpoint_file **out, void *socket, const char *address);

/* Looks once a second if the file is still there; if not, makes it again, or logs why it cannot. */
void endpoint_look(struct endpoint_file *endpoint);

/* Removes the file if it is still ours; before zmq_close().  NULL is legal. */
void endpoint_close(struct endpoint_file *endpoint);

/* For people: why endpoint_open() failed. */
const char *endpoint_error(int error);

#endif
