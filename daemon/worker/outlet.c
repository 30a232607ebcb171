/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "worker/outlet.h"

#define QUEUE_ROOM  (256u << 10) /* a frame waits while more than this is queued */
#define OFFER_ROOM  (64u << 10)
#define QUEUE_LIMIT (64u << 20)
#define QUEUE_KEEP  (1u << 20) /* a larger queue gives its memory back */

void outlet_init(struct outlet *outlet, struct monitor *monitor, int fd)
{
	*outlet = (struct outlet){.monitor = monitor, .fd = fd, .queue.limit = QUEUE_LIMIT};
}

void outlet_finish(struct outlet *outlet)
{
	buffer_finish(&outlet->queue);
}

static size_t queued(const struct outlet *outlet)
{
	return outlet->queue.len - outlet->queue_at;
}

/* What the socket took of the pieces; 0 when it is full; the core's end may be closed. */
static size_t push(struct outlet *outlet, const struct iovec *pieces, int count)
{
	struct msghdr message = {.msg_iov = (struct iovec *)pieces, .msg_iovlen = (size_t)count};
	ssize_t n;
	do {
		n = sendmsg(outlet->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && errno != EAGAIN && errno != ENOBUFS)
		outlet->closed = true;
	return n > 0 ? (size_t)n : 0;
}

static void enqueue(struct outlet *outlet, const struct iovec *pieces, int count, size_t sent)
{
	for (int i = 0; i < count; i++) {
		size_t skip = sent < pieces[i].iov_len ? sent : pieces[i].iov_len;
		sent -= skip;
		buffer_append(&outlet->queue, (const char *)pieces[i].iov_base + skip,
			pieces[i].iov_len - skip);
	}
	if (outlet->queue.failed)
		outlet->closed = true; /* half a message is lost: nothing sensible can follow */
}

static void send_pieces(struct outlet *outlet, const struct iovec *pieces, int count, size_t size)
{
	if (outlet->closed)
		return;
	bool was_empty = queued(outlet) == 0;
	size_t sent = was_empty ? push(outlet, pieces, count) : 0;
	if (sent == size || outlet->closed)
		return;
	enqueue(outlet, pieces, count, sent);
	if (was_empty)
		monitor_kick(outlet->monitor);
}

static void send_message(struct outlet *outlet, struct buffer *message)
{
	if (message->failed)
		outlet->closed = true;
	struct iovec piece = {message->data, message->len};
	if (message->len > 0)
		send_pieces(outlet, &piece, 1, message->len);
}

void outlet_send(struct outlet *outlet, struct buffer *message)
{
	monitor_lock(outlet->monitor);
	send_message(outlet, message);
	monitor_unlock(outlet->monitor);
	buffer_reset(message);
}

void outlet_offer(struct outlet *outlet, struct buffer *message)
{
	monitor_lock(outlet->monitor);
	if (queued(outlet) < OFFER_ROOM)
		send_message(outlet, message);
	monitor_unlock(outlet->monitor);
	buffer_reset(message);
}

static int wait_for(struct outlet *outlet, uint64_t credit, const bool *cancelled)
{
	while (!outlet->closed && !*cancelled &&
		(outlet->credit < credit || queued(outlet) > QUEUE_ROOM))
		monitor_wait(outlet->monitor, UINT64_MAX);
	if (outlet->closed)
		return -EPIPE;
	return *cancelled ? -ECANCELED : 0;
}

int outlet_frame(
	struct outlet *outlet, const struct iovec *pieces, int count, const bool *cancelled)
{
	size_t size = 0;
	for (int i = 0; i < count; i++)
		size += pieces[i].iov_len;
	monitor_lock(outlet->monitor);
	int r = wait_for(outlet, size, cancelled);
	if (r == 0) {
		outlet->credit -= size;
		send_pieces(outlet, pieces, count, size);
	}
	monitor_unlock(outlet->monitor);
	return r;
}

int outlet_wait_credit(struct outlet *outlet, const bool *cancelled)
{
	monitor_lock(outlet->monitor);
	int r = wait_for(outlet, 1, cancelled);
	monitor_unlock(outlet->monitor);
	return r;
}

void outlet_wait_sent(struct outlet *outlet, uint64_t limit_ns)
{
	uint64_t deadline = clock_boot() + limit_ns;
	monitor_lock(outlet->monitor);
	while (!outlet->closed && queued(outlet) > 0 && monitor_wait(outlet->monitor, deadline))
		;
	monitor_unlock(outlet->monitor);
}

bool outlet_is_idle(const struct outlet *outlet)
{
	return !outlet->closed && queued(outlet) == 0;
}

void outlet_grant(struct outlet *outlet, uint64_t bytes)
{
	monitor_lock(outlet->monitor);
	if (bytes > UINT64_MAX - outlet->credit)
		bytes = UINT64_MAX - outlet->credit;
	outlet->credit += bytes;
	monitor_notify(outlet->monitor);
	monitor_unlock(outlet->monitor);
}

bool outlet_is_waiting(struct outlet *outlet)
{
	monitor_lock(outlet->monitor);
	bool waiting = !outlet->closed && queued(outlet) > 0;
	monitor_unlock(outlet->monitor);
	return waiting;
}

void outlet_flush(struct outlet *outlet)
{
	monitor_lock(outlet->monitor);
	if (!outlet->closed && queued(outlet) > 0) {
		struct iovec piece = {outlet->queue.data + outlet->queue_at, queued(outlet)};
		outlet->queue_at += push(outlet, &piece, 1);
	}
	if (queued(outlet) == 0) {
		outlet->queue_at = 0;
		buffer_reset(&outlet->queue);
		if (outlet->queue.size > QUEUE_KEEP)
			buffer_finish(&outlet->queue);
	} else if (outlet->queue_at > outlet->queue.len / 2) {
		buffer_consume(&outlet->queue, outlet->queue_at);
		outlet->queue_at = 0;
	}
	monitor_notify(outlet->monitor);
	monitor_unlock(outlet->monitor);
}
