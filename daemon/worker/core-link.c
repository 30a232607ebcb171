/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "worker/core-link.h"

#define QUEUE_ROOM  (256u << 10) /* a frame waits while more than this is queued */
#define OFFER_ROOM  (64u << 10)
#define QUEUE_LIMIT (64u << 20)
#define QUEUE_KEEP  (1u << 20) /* a larger queue gives its memory back */

void core_link_init(struct core_link *core, struct monitor *monitor, int fd)
{
	*core = (struct core_link){.monitor = monitor, .fd = fd, .queue.limit = QUEUE_LIMIT};
	int flags = fcntl(fd, F_GETFL);
	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

void core_link_finish(struct core_link *core)
{
	buffer_finish(&core->queue);
}

static size_t queued(const struct core_link *core)
{
	return core->queue.len - core->queue_at;
}

/*
 * How many bytes the socket took: 0 if it is full, or closed by the core.  A confined worker has no
 * sendmsg(), which could name another address: it writes, and ignores SIGPIPE.
 */
static size_t push(struct core_link *core, const struct iovec *pieces, int count)
{
	ssize_t n;
	do {
		n = writev(core->fd, pieces, count);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno != EAGAIN && errno != ENOBUFS)
		core->closed = true;
	return n > 0 ? (size_t)n : 0;
}

static void send_pieces(struct core_link *core, const struct iovec *pieces, int count, size_t size)
{
	if (core->closed)
		return;
	bool was_empty = queued(core) == 0;
	size_t sent = was_empty ? push(core, pieces, count) : 0;
	if (sent == size || core->closed)
		return;
	for (int i = 0; i < count; i++) {
		size_t skip = sent < pieces[i].iov_len ? sent : pieces[i].iov_len;
		sent -= skip;
		buffer_append(&core->queue, (const char *)pieces[i].iov_base + skip,
			pieces[i].iov_len - skip);
	}
	if (core->queue.failed)
		core->closed = true; /* half a message is lost: the core cannot read on */
	if (was_empty)
		monitor_kick(core->monitor);
}

static void send_message(struct core_link *core, struct buffer *message)
{
	if (message->failed)
		core->closed = true;
	struct iovec piece = {message->data, message->len};
	if (message->len > 0)
		send_pieces(core, &piece, 1, message->len);
}

void core_link_send(struct core_link *core, struct buffer *message)
{
	monitor_lock(core->monitor);
	send_message(core, message);
	monitor_unlock(core->monitor);
	buffer_reset(message);
}

void core_link_offer(struct core_link *core, struct buffer *message)
{
	monitor_lock(core->monitor);
	if (queued(core) < OFFER_ROOM)
		send_message(core, message);
	monitor_unlock(core->monitor);
	buffer_reset(message);
}

int core_link_frame(
	struct core_link *core, const struct iovec *pieces, int count, const bool *cancelled)
{
	size_t size = 0;
	for (int i = 0; i < count; i++)
		size += pieces[i].iov_len;
	monitor_lock(core->monitor);
	while (!core->closed && !*cancelled && (core->credit < size || queued(core) > QUEUE_ROOM))
		monitor_wait(core->monitor, UINT64_MAX);
	int r = core->closed ? -EPIPE : *cancelled ? -ECANCELED : 0;
	if (r == 0) {
		core->credit -= size;
		send_pieces(core, pieces, count, size);
	}
	monitor_unlock(core->monitor);
	return r;
}

bool core_link_has_credit(const struct core_link *core)
{
	return core->closed || (core->credit > 0 && queued(core) <= QUEUE_ROOM);
}

void core_link_wait_sent(struct core_link *core, uint64_t limit_ns)
{
	uint64_t deadline = clock_boot() + limit_ns;
	monitor_lock(core->monitor);
	while (!core->closed && queued(core) > 0 && monitor_wait(core->monitor, deadline))
		;
	monitor_unlock(core->monitor);
}

bool core_link_is_idle(const struct core_link *core)
{
	return !core->closed && queued(core) == 0;
}

void core_link_grant(struct core_link *core, uint64_t bytes)
{
	monitor_lock(core->monitor);
	if (bytes > UINT64_MAX - core->credit)
		bytes = UINT64_MAX - core->credit;
	core->credit += bytes;
	monitor_notify(core->monitor);
	monitor_unlock(core->monitor);
}

bool core_link_is_waiting(struct core_link *core)
{
	monitor_lock(core->monitor);
	bool waiting = !core->closed && queued(core) > 0;
	monitor_unlock(core->monitor);
	return waiting;
}

void core_link_flush(struct core_link *core)
{
	monitor_lock(core->monitor);
	if (!core->closed && queued(core) > 0) {
		struct iovec piece = {core->queue.data + core->queue_at, queued(core)};
		core->queue_at += push(core, &piece, 1);
	}
	if (queued(core) == 0) {
		core->queue_at = 0;
		buffer_reset(&core->queue);
		if (core->queue.size > QUEUE_KEEP)
			buffer_finish(&core->queue);
	} else if (core->queue_at > core->queue.len / 2) {
		buffer_consume(&core->queue, core->queue_at);
		core->queue_at = 0;
	}
	monitor_notify(core->monitor);
	monitor_unlock(core->monitor);
}

void core_link_last(const struct core_link *core, const struct buffer *message)
{
	if (!core->closed && core->queue.len == core->queue_at)
		(void)!send(core->fd, message->data, message->len, MSG_DONTWAIT | MSG_NOSIGNAL);
}
