/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of system.h, for sys-*.c. */
#ifndef ASSAY_TESTS_SIM_SYS_H
#define ASSAY_TESTS_SIM_SYS_H

#include <poll.h>

#include "schedule.h"
#include "system.h"

/* The functions that the daemon calls have no prototype here: only isolate.py knows their names. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

struct loop;

struct sys {
	const struct system_world *world;
	struct disk *disk;
	const char *config;
	struct system_part catalog;
	bool is_running;
	struct loop *loop; /* the daemon's, NULL: none */
	uint64_t sync_time, stalled_until;
	bool is_synchronised;
	uint64_t booted_at; /* its CLOCK_BOOTTIME and CLOCK_MONOTONIC are 0 then */
	uint64_t kill_at;
	void (*killed)(void);
};

extern struct sys sys;

/* The end of the process: each part of the system releases its own. */
void memory_drop(void);
void fds_drop(void);
void zmq_drop(void);
void process_drop(void);

/* --- descriptors ----------------------------------------------------------------------------- */

enum fd_kind { FD_NONE, FD_FILE, FD_STREAM, FD_EVENT, FD_TIMER, FD_ZMQ };

struct sys_fd {
	enum fd_kind kind;
	int file;              /* FD_FILE: the disk's descriptor, or -1: `text` */
	uint64_t position;     /* FD_FILE */
	bool appends;          /* FD_FILE */
	char text[64];         /* FD_FILE with file -1 */
	struct stream *stream; /* FD_STREAM */
	int side;              /* FD_STREAM: 0 and 1 */
	uint64_t count;        /* FD_EVENT */
	bool was_set;          /* FD_TIMER: the clock was, since the last read */
	void *socket;          /* FD_ZMQ */
};

/* The simulated descriptor, NULL: it is not one of ours.  Making one: its number, or -EMFILE. */
struct sys_fd *fd_find(int fd);
int fd_create(enum fd_kind kind, struct sys_fd **out);
void fd_release(int fd);

/* Something may be readable or writable that was not. */
void fds_stir(void);

/* POLLIN and so on, of the requested events, that hold now. */
short zmq_fd_events(void *socket);

/* Waits for that, or the time; the events that hold now.  As struct virtual_host needs them. */
void fds_wait(void *arg, uint64_t until);
int poll_now(void *arg, struct pollfd *polled, nfds_t count);

/* close(), read() and write() of a file; the latter return a negative errno. */
void file_close(struct sys_fd *f);
long file_read(struct sys_fd *f, void *data, size_t len);
long file_write(struct sys_fd *f, const void *data, size_t len);

/* --- streams --------------------------------------------------------------------------------- */

/* A worker gets the end of this descriptor, which stays the daemon's, too; and its end. */
struct stream *stream_pass_on(int fd);
void stream_leave(struct stream *stream);

/* All that will come through the pipe of this writing end. */
void pipe_fill(int fd, const void *data, size_t len);

/* The clock was set: timers that watch it. */
void fds_note_clock(void);

/* Fails like a system call: sets errno, returns -1; passes on a result that is not negative. */
long sys_result(long r);

#endif
