/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "record/text.h"
#include "wire/wire.h"
#include "worker/io-thread.h"

#define BEAT_NS NS_PER_S
#define BEAT_REST_NS \
	(8 * NS_PER_S) /* while the driver has nothing to do, and the core knows that */
/* For the stop path when the core is gone: a living core kills the worker before. */
#define STOP_LIMIT_NS (15 * NS_PER_S)
#define FLUSH_NS      NS_PER_S /* for the last messages, if the core takes them */
#define READ_STEP     4096
#define RECORDER_MS   50 /* between two messages of a recording */

enum {
	FD_CORE,
	FD_KICK,
	FD_LINK, /* and following */
	FDS_MAX = FD_LINK + LINK_FDS_MAX,
};

static void quit(struct io_thread *io)
{
	if (io->quit_at == 0)
		io->quit_at = clock_boot();
	commands_quit(io->commands);
}

/* --- the core --------------------------------------------------------------------------------- */

static int take_faults(struct io_thread *io, const struct wire_message *message)
{
	struct assay_string sent;
	struct faults faults;
	char text[FAULTS_TEXT_MAX], why[FAULTS_WHY];
	if (wire_read_faults(message, &sent) < 0 || !text_copy(text, sizeof text, sent) ||
		faults_read(&faults, text, why) < 0)
		return -EBADMSG;
	channel_set_faults(io->channel, &faults);
	return 0;
}

static int take_message(struct io_thread *io, const struct wire_message *message)
{
	uint64_t bytes;
	switch (message->type) {
	case WIRE_QUIT: quit(io); return 0;
	case WIRE_CAPTURE:
		return link_recorder_take_message(&io->channel->recorder, io->monitor, message);
	case WIRE_FAULTS: return take_faults(io, message);
	case WIRE_CREDIT:
		if (wire_read_credit(message, &bytes) < 0)
			return -EBADMSG;
		core_link_grant(io->core, bytes);
		return 0;
	default: return commands_take_message(io->commands, message);
	}
}

static void take_messages(struct io_thread *io)
{
	size_t at = 0;
	struct wire_message message;
	int r;
	while ((r = wire_next(io->in.data + at, io->in.len - at, &message)) > 0) {
		r = take_message(io, &message);
		if (r < 0)
			break;
		at += message.size;
	}
	buffer_consume(&io->in, at);
	if (r < 0) {
		io->failure = r == -ENOMEM ? WIRE_EXIT_MEMORY : WIRE_EXIT_PROTOCOL;
		io->is_closed = true; /* the rest cannot be read either */
		quit(io);
	}
}

/* The core may still read; if it does not, sending fails. */
static void close_core(struct io_thread *io)
{
	io->is_closed = true;
	quit(io);
}

static void read_core(struct io_thread *io)
{
	uint8_t *to = buffer_reserve(&io->in, READ_STEP);
	if (to == NULL) {
		io->failure = WIRE_EXIT_MEMORY;
		close_core(io);
		return;
	}
	ssize_t n = recv(io->core->fd, to, READ_STEP, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		close_core(io);
		return;
	}
	io->in.len += (size_t)n;
	take_messages(io);
}

static void beat(struct io_thread *io, uint64_t now)
{
	struct buffer message = {0};
	struct wire_beat heartbeat = {
		.progress = atomic_load_explicit(&io->heartbeat->progress, memory_order_acquire),
		.deadline = atomic_load_explicit(&io->heartbeat->deadline, memory_order_relaxed),
	};
	bool rests = heartbeat.deadline == 0;
	uint64_t every = rests && io->said_rest ? BEAT_REST_NS : BEAT_NS;
	io->beat_at = (io->beaten_at / every + 1) *
		      every; /* the workers of a machine wake together */
	if (now < io->beat_at)
		return;
	every = rests ? BEAT_REST_NS : BEAT_NS;
	io->beat_at = (now / every + 1) * every;
	io->beaten_at = now;
	io->said_rest = rests;
	wire_write_beat(&message, &heartbeat);
	core_link_offer(io->core, &message);
	buffer_finish(&message);
}

/* --- the loop --------------------------------------------------------------------------------- */

static void dispatch(struct io_thread *io, const struct pollfd *fds, int n)
{
	if ((fds[FD_KICK].revents & POLLIN) != 0) {
		monitor_lock(io->monitor);
		monitor_unkick(io->monitor);
		monitor_unlock(io->monitor);
	}
	if ((fds[FD_CORE].revents & POLLOUT) != 0)
		core_link_flush(io->core);
	if ((fds[FD_CORE].revents & (POLLIN | POLLHUP | POLLERR)) != 0 && !io->is_closed)
		read_core(io);
	bool ready = io->channel->link->ops->handle != NULL;
	for (int i = FD_LINK; i < n; i++)
		ready = ready || fds[i].revents != 0;
	if (ready)
		channel_handle(io->channel);
}

static bool is_over(struct io_thread *io)
{
	monitor_lock(io->monitor);
	bool over = io->is_over;
	monitor_unlock(io->monitor);
	return over;
}

bool io_thread_run(struct io_thread *io)
{
	take_messages(io);
	while (!is_over(io)) {
		uint64_t now = clock_boot();
		if (*io->terminate)
			quit(io);
		if (io->quit_at != 0 && now > io->quit_at + STOP_LIMIT_NS)
			return false;
		beat(io, now);
		dialogue_send(&io->channel->dialogue, io->core);
		int timeout = clock_ms_until(io->beat_at);
		if (link_recorder_send(&io->channel->recorder, io->core) && timeout > RECORDER_MS)
			timeout = RECORDER_MS;
		struct pollfd fds[FDS_MAX] = {
			[FD_CORE] = {.fd = io->core->fd, .events = io->is_closed ? 0 : POLLIN},
			[FD_KICK] = {.fd = io->monitor->kick, .events = POLLIN}};
		if (core_link_is_waiting(io->core))
			fds[FD_CORE].events |= POLLOUT;
		if (fds[FD_CORE].events == 0)
			fds[FD_CORE].fd = -1;
		int n = FD_LINK + channel_watch(io->channel, fds + FD_LINK, &timeout);
		int ready = poll(fds, (nfds_t)n, timeout);
		if (ready > 0)
			dispatch(io, fds, n);
		else if (io->channel->link->ops->handle != NULL)
			channel_handle(io->channel);
	}
	link_recorder_send_all(&io->channel->recorder, io->core);
	uint64_t deadline = clock_boot() + FLUSH_NS;
	struct pollfd fd = {.fd = io->core->fd, .events = POLLOUT};
	while (core_link_is_waiting(io->core) && clock_boot() < deadline) {
		if (poll(&fd, 1, clock_ms_until(deadline)) > 0)
			core_link_flush(io->core);
	}
	return true;
}
