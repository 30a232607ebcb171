/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors.  Sockets give and take as much as they like, as stream sockets may: a message can
 * come in any number of pieces.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/buffer.h"
#include "sys.h"

#define FIRST_FD     1000
#define FDS_MAX      256
#define STREAM_BYTES (400u << 10) /* that one way holds */
#define PIECES_EVERY 8

/* Two ends; `in` of an end has the bytes that it can read.  An end is closed when nothing holds it. */
struct stream {
	struct {
		struct buffer in;
		size_t at; /* read of it */
		int holders;
	} ends[2];
	bool is_known; /* a worker has it */
};

static struct sys_fd fds[FDS_MAX];
static const char stirred; /* pollers wait on it */

long sys_result(long r)
{
	if (r >= 0)
		return r;
	errno = (int)-r;
	return -1;
}

struct sys_fd *fd_find(int fd)
{
	bool is_ours = fd >= FIRST_FD && fd < FIRST_FD + FDS_MAX &&
		       fds[fd - FIRST_FD].kind != FD_NONE;
	return is_ours ? &fds[fd - FIRST_FD] : NULL;
}

int fd_create(enum fd_kind kind, struct sys_fd **out)
{
	for (int i = 0; i < FDS_MAX; i++) {
		if (fds[i].kind != FD_NONE)
			continue;
		fds[i] = (struct sys_fd){.kind = kind, .file = -1};
		*out = &fds[i];
		return FIRST_FD + i;
	}
	return -EMFILE;
}

void fds_stir(void)
{
	thread_wake(&stirred, true);
}

/* --- streams --------------------------------------------------------------------------------- */

static struct stream *stream_create(void)
{
	struct stream *stream = calloc(1, sizeof *stream);
	assert(stream != NULL);
	return stream;
}

static size_t waiting(const struct stream *stream, int side)
{
	return stream->ends[side].in.len - stream->ends[side].at;
}

static size_t take(struct stream *stream, int side, void *data, size_t size)
{
	size_t n = waiting(stream, side);
	n = n < size ? n : size;
	if (n > 0)
		memcpy(data, stream->ends[side].in.data + stream->ends[side].at, n);
	stream->ends[side].at += n;
	if (waiting(stream, side) == 0) {
		buffer_reset(&stream->ends[side].in);
		stream->ends[side].at = 0;
	}
	return n;
}

static size_t give(struct stream *stream, int side, const void *data, size_t len)
{
	size_t there = waiting(stream, side);
	size_t room = there < STREAM_BYTES ? STREAM_BYTES - there : 0;
	len = len < room ? len : room;
	if (len > 1 && dice_one_in(PIECES_EVERY))
		len = 1 + dice(len - 1);
	buffer_append(&stream->ends[side].in, data, len);
	return len;
}

static void release_end(struct stream *stream, int side)
{
	if (--stream->ends[side].holders > 0 || stream->ends[1 - side].holders > 0)
		return;
	for (int i = 0; i < 2; i++)
		buffer_finish(&stream->ends[i].in);
	free(stream);
}

/* The worker's side is 1. */
static void stir_worker(struct stream *stream, int side)
{
	if (side == 0 && stream->is_known && stream->ends[1].holders > 0)
		sys.world->worker_stirred(stream);
}

size_t stream_write(struct stream *stream, const void *data, size_t len)
{
	if (stream->ends[0].holders == 0)
		return 0;
	size_t n = give(stream, 0, data, len);
	fds_stir();
	return n;
}

size_t stream_read(struct stream *stream, void *data, size_t size)
{
	size_t n = take(stream, 1, data, size);
	if (n > 0)
		fds_stir();
	return n;
}

bool stream_is_over(const struct stream *stream)
{
	return stream->ends[0].holders == 0 && waiting(stream, 1) == 0;
}

/* Hands the end that a daemon's descriptor has to a worker, too. */
struct stream *stream_pass_on(int fd)
{
	const struct sys_fd *f = fd_find(fd);
	assert(f != NULL && f->kind == FD_STREAM && f->side == 1);
	f->stream->ends[1].holders++;
	f->stream->is_known = true;
	return f->stream;
}

void stream_leave(struct stream *stream)
{
	release_end(stream, 1);
	fds_stir();
}

/* Bytes for the reader of the pipe of which this is the writing end. */
void pipe_fill(int fd, const void *data, size_t len)
{
	const struct sys_fd *f = fd_find(fd);
	assert(f != NULL && f->kind == FD_STREAM && f->side == 1);
	buffer_append(&f->stream->ends[0].in, data, len);
}

static int make_pair(int out[2])
{
	struct stream *stream = stream_create();
	for (int side = 0; side < 2; side++) {
		struct sys_fd *f;
		out[side] = fd_create(FD_STREAM, &f);
		assert(out[side] >= 0);
		f->stream = stream;
		f->side = side;
		stream->ends[side].holders = 1;
	}
	return 0;
}

int sim_socketpair(int domain, int type, int protocol, int out[2])
{
	return make_pair(out);
}

int sim_pipe2(int out[2], int flags)
{
	return make_pair(out);
}

int sim_setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
	return 0;
}

static long stream_recv(const struct sys_fd *f, void *data, size_t size)
{
	if (size > 1 && dice_one_in(PIECES_EVERY))
		size = 1 + dice(size - 1);
	size_t n = take(f->stream, f->side, data, size);
	if (n > 0) {
		stir_worker(f->stream, f->side);
		return (long)n;
	}
	return f->stream->ends[1 - f->side].holders == 0 ? 0 : -EAGAIN;
}

ssize_t sim_recv(int fd, void *data, size_t size, int flags)
{
	const struct sys_fd *f = fd_find(fd);
	assert(f != NULL && f->kind == FD_STREAM && (flags & MSG_DONTWAIT) != 0);
	return sys_result(stream_recv(f, data, size));
}

ssize_t sim_send(int fd, const void *data, size_t len, int flags)
{
	const struct sys_fd *f = fd_find(fd);
	assert(f != NULL && f->kind == FD_STREAM && (flags & MSG_DONTWAIT) != 0);
	if (f->stream->ends[1 - f->side].holders == 0)
		return sys_result(-EPIPE);
	size_t n = give(f->stream, 1 - f->side, data, len);
	if (n == 0 && len > 0)
		return sys_result(-EAGAIN);
	stir_worker(f->stream, f->side);
	return (ssize_t)n;
}

/* --- eventfd, timerfd ------------------------------------------------------------------------ */

int sim_eventfd(unsigned count, int flags)
{
	struct sys_fd *f;
	int fd = fd_create(FD_EVENT, &f);
	if (fd >= 0)
		f->count = count;
	return (int)sys_result(fd);
}

int sim_eventfd_write(int fd, eventfd_t value)
{
	struct sys_fd *f = fd_find(fd);
	assert(f != NULL && f->kind == FD_EVENT);
	f->count += value;
	fds_stir();
	return 0;
}

int sim_eventfd_read(int fd, eventfd_t *value)
{
	struct sys_fd *f = fd_find(fd);
	assert(f != NULL && f->kind == FD_EVENT);
	if (f->count == 0)
		return (int)sys_result(-EAGAIN);
	*value = f->count;
	f->count = 0;
	return 0;
}

/* The one timer that never ends unless the clock is set. */
int sim_timerfd_create(int clock, int flags)
{
	struct sys_fd *f;
	assert(clock == CLOCK_REALTIME);
	return (int)sys_result(fd_create(FD_TIMER, &f));
}

int sim_timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old)
{
	struct sys_fd *f = fd_find(fd);
	assert(f != NULL && f->kind == FD_TIMER && (flags & TFD_TIMER_CANCEL_ON_SET) != 0);
	f->was_set = false;
	return 0;
}

void fds_note_clock(void)
{
	for (int i = 0; i < FDS_MAX; i++)
		fds[i].was_set = fds[i].kind == FD_TIMER;
	fds_stir();
}

/* --- all kinds ------------------------------------------------------------------------------- */

static void give_up(struct sys_fd *f)
{
	if (f->kind == FD_FILE) {
		file_close(f);
	} else if (f->kind == FD_STREAM) {
		struct stream *stream = f->stream;
		bool is_kept = stream->ends[1 - f->side].holders > 0;
		release_end(stream, f->side);
		if (is_kept)
			stir_worker(stream, f->side);
	}
	*f = (struct sys_fd){0};
}

void fd_release(int fd)
{
	struct sys_fd *f = fd_find(fd);
	assert(f != NULL);
	give_up(f);
}

void fds_drop(void)
{
	for (int i = 0; i < FDS_MAX; i++)
		give_up(&fds[i]);
}

int sim_close(int fd)
{
	if (fd_find(fd) == NULL)
		return close(fd);
	fd_release(fd);
	fds_stir();
	return 0;
}

ssize_t sim_read(int fd, void *data, size_t len)
{
	struct sys_fd *f = fd_find(fd);
	if (f == NULL)
		return read(fd, data, len);
	switch (f->kind) {
	case FD_FILE: return sys_result(file_read(f, data, len));
	case FD_STREAM: return sys_result(stream_recv(f, data, len));
	case FD_TIMER: {
		bool was_set = f->was_set;
		f->was_set = false;
		return sys_result(was_set ? -ECANCELED : -EAGAIN);
	}
	default: assert(!"a read of another kind"); return -1;
	}
}

ssize_t sim_write(int fd, const void *data, size_t len)
{
	struct sys_fd *f = fd_find(fd);
	if (fd == STDERR_FILENO) {
		sys.world->logged(data, len);
		return (ssize_t)len;
	}
	assert(f != NULL && f->kind == FD_FILE);
	return sys_result(file_write(f, data, len));
}

ssize_t sim_writev(int fd, const struct iovec *iov, int count)
{
	struct buffer all = {0};
	for (int i = 0; i < count; i++)
		buffer_append(&all, iov[i].iov_base, iov[i].iov_len);
	ssize_t n = sim_write(fd, all.data, all.len);
	buffer_finish(&all);
	return n;
}

static short events_of(const struct sys_fd *f)
{
	switch (f->kind) {
	case FD_STREAM: {
		bool over = f->stream->ends[1 - f->side].holders == 0;
		bool room = waiting(f->stream, 1 - f->side) < STREAM_BYTES;
		return (short)((waiting(f->stream, f->side) > 0 || over ? POLLIN : 0) |
			       (over ? POLLHUP : 0) | (room && !over ? POLLOUT : 0));
	}
	case FD_EVENT: return f->count > 0 ? POLLIN : 0;
	case FD_TIMER: return f->was_set ? POLLIN : 0;
	case FD_ZMQ: return zmq_fd_events(f->socket);
	default: return 0;
	}
}

int poll_now(void *arg, struct pollfd *polled, nfds_t count)
{
	int ready = 0;
	for (nfds_t i = 0; i < count; i++) {
		const struct sys_fd *f = fd_find(polled[i].fd);
		short wanted = (short)(polled[i].events | POLLHUP | POLLERR);
		polled[i].revents = f != NULL ? (short)(events_of(f) & wanted) : POLLNVAL;
		ready += polled[i].revents != 0;
	}
	return ready;
}

void fds_wait(void *arg, uint64_t until)
{
	thread_block(&stirred, until);
}

int sim_poll(struct pollfd *polled, nfds_t count, int ms)
{
	uint64_t until = ms < 0 ? NEVER : now_boot() + (uint64_t)ms * MS;
	for (;;) {
		int ready = poll_now(NULL, polled, count);
		if (ready > 0 || !thread_block(&stirred, until))
			return ready;
	}
}
