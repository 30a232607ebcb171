/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "core/peer.h"
#include "seat.h"
#include "virtual-loop.h"
#include "wire/exit.h"
#include "worker/unit.h"

#define STEP_NS (20 * NS_PER_MS) /* of time, while the driver waits */

struct seat {
	const struct seat_world *world;
	pid_t pid;
	struct peer *peer;
	struct wire_setup setup;
	bool is_open; /* SETUP has come */
	bool is_dead;
	unsigned kill_at; /* writes from now; 0: never */
	bool kill_before;
	uint64_t beat_at;

	struct monitor monitor;
	struct link link;
	struct heartbeat heartbeat;
	struct channel channel;
	struct core_link core;
	struct commands commands;
	struct services services;
	struct worker_unit unit;
	int out; /* the other end of core.fd */
	struct buffer sent;
};

static struct seat *working; /* the one whose turn it is: ppoll() is its driver's */

/* --- the link --------------------------------------------------------------------------------- */

/* From here on nothing leaves this process any more. */
static void die(struct seat *seat)
{
	seat->is_dead = true;
	seat->core.closed = true;
}

/* Passes on the worker's messages; before its next bytes, so that the order is theirs. */
static void forward(struct seat *seat)
{
	struct wire_message m;
	for (;;) {
		uint8_t *to = buffer_reserve(&seat->sent, 1 << 16);
		ssize_t n = recv(seat->out, to, 1 << 16, MSG_DONTWAIT);
		if (n <= 0)
			break;
		seat->sent.len += (size_t)n;
	}
	while (wire_next(seat->sent.data, seat->sent.len, &m) == 1) {
		struct buffer one = {0};
		seat->world->message(seat->world->arg, &m);
		buffer_append(&one, seat->sent.data, m.size);
		buffer_consume(&seat->sent, m.size);
		if (seat->peer->fd >= 0)
			peer_send(seat->peer, &one);
		buffer_finish(&one);
	}
}

static ssize_t line_send(struct link *link, const uint8_t *data, size_t len)
{
	struct seat *seat = link->own;
	struct host *line = seat->world->line;
	bool is_last = seat->kill_at > 0 && --seat->kill_at == 0;
	if (is_last && seat->kill_before)
		die(seat);
	if (seat->is_dead)
		return -ENODEV;
	forward(seat);
	line->now = clock_boot() / NS_PER_MS;
	line->device(line, data, len);
	if (seat->world->sent != NULL)
		seat->world->sent(seat->world->arg);
	if (is_last)
		die(seat);
	return (ssize_t)len;
}

static ssize_t line_receive(struct link *link, uint8_t *to, size_t size)
{
	struct seat *seat = link->own;
	struct host *line = seat->world->line;
	if (seat->is_dead)
		return -ENODEV;
	uint64_t now = line->now = clock_boot() / NS_PER_MS;
	ssize_t n = assay_read(&line->ins, to, size, 0);
	line->now = now;
	return n == -ETIMEDOUT ? -EAGAIN : n;
}

static const struct link_ops line_ops = {
	.receive = line_receive, .send = line_send, .receive_max = 33000};

/* --- the core's socket ------------------------------------------------------------------------ */

static void take_message(struct seat *seat, const struct wire_message *m)
{
	uint64_t bytes;
	switch (m->type) {
	case WIRE_QUIT: commands_quit(&seat->commands); break;
	case WIRE_CREDIT:
		assert_int_equal(wire_read_credit(m, &bytes), 0);
		core_link_grant(&seat->core, bytes);
		break;
	default: assert_int_equal(commands_take_message(&seat->commands, m), 0);
	}
}

static void beat(struct seat *seat)
{
	struct buffer message = {0};
	if (clock_boot() < seat->beat_at)
		return;
	seat->beat_at = clock_boot() + NS_PER_S;
	wire_write_beat(&message, &(struct wire_beat){.progress = seat->heartbeat.progress,
					  .deadline = seat->heartbeat.deadline});
	core_link_offer(&seat->core, &message);
	buffer_finish(&message);
}

static void exchange(struct seat *seat)
{
	struct wire_message m;
	if (!seat->is_dead)
		beat(seat);
	forward(seat);
	while (core_link_is_waiting(&seat->core) && !seat->is_dead) {
		core_link_flush(&seat->core);
		forward(seat);
	}
	if (seat->peer->signal == SIGKILL && !seat->is_dead)
		fail_msg("the core killed the worker");
	while (!seat->is_dead && peer_next(seat->peer, &m))
		take_message(seat, &m);
}

/* --- time ------------------------------------------------------------------------------------- */

/* In place of the C library's. */
int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
	struct seat *seat = working;
	if (seat == NULL || !seat->monitor.is_sleeping)
		return (int)syscall(SYS_ppoll, fds, count, timeout, mask, 8);
	uint64_t limit = UINT64_MAX;
	if (timeout != NULL)
		limit = clock_boot() + (uint64_t)timeout->tv_sec * NS_PER_S +
			(uint64_t)timeout->tv_nsec;
	fds[0].revents = fds[1].revents = 0;
	for (;;) {
		exchange(seat);
		if (seat->world->waits != NULL && !seat->is_dead)
			seat->world->waits(seat->world->arg);
		const struct host *line = seat->world->line;
		bool has_input = line->script != NULL || line->input != NULL;
		if (seat->channel.is_direct && has_input && !seat->is_dead) {
			fds[0].revents = POLLIN;
			return 1;
		}
		if (!seat->channel.is_direct)
			channel_handle(&seat->channel);
		if (seat->is_dead) {
			monitor_lock(&seat->monitor);
			seat->channel.lost = true;
			monitor_notify(&seat->monitor);
			monitor_unlock(&seat->monitor);
		}
		if (!seat->monitor.is_sleeping) { /* it was poked */
			fds[1].revents = POLLIN;
			return 1;
		}
		uint64_t now = clock_boot();
		if (now >= limit)
			return 0;
		virtual_loop_run_for(
			seat->world->loop, limit - now < STEP_NS ? limit - now : STEP_NS);
	}
}

/* --- life ------------------------------------------------------------------------------------- */

struct seat *seat_create(const struct seat_world *world, pid_t pid)
{
	struct seat *seat = calloc(1, sizeof *seat);
	int pair[2];
	assert_non_null(seat);
	seat->world = world;
	seat->pid = pid;
	seat->peer = peer_of(pid);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	seat->out = pair[1];
	assert_int_equal(monitor_init(&seat->monitor), 0);
	core_link_init(&seat->core, &seat->monitor, pair[0]);
	return seat;
}

static void open_seat(struct seat *seat, const struct wire_message *m)
{
	struct buffer message = {0};
	char why[MODULE_WHY];
	assert_int_equal(m->type, WIRE_SETUP);
	assert_int_equal(wire_read_setup(m, &seat->setup), 0);
	assert_int_equal(seat->setup.unit_count, 1);
	seat->link = (struct link){.ops = &line_ops, .fd = -1, .own = seat};
	channel_init(&seat->channel, &seat->monitor, &seat->link, &seat->heartbeat);
	assert_int_equal(commands_init(&seat->commands, &seat->monitor, &seat->channel, 1), 0);
	seat->services = (struct services){
		.core = &seat->core, .commands = &seat->commands, .channel = &seat->channel};
	services_init(&seat->services);
	if ((seat->world->link & (ASSAY_LINK_MODBUS_RTU | ASSAY_LINK_MODBUS_TCP)) != 0)
		seat->services.modbus = modbus_create(&seat->setup.port, &seat->channel);
	if (unit_init(&seat->unit, &seat->services, 0, seat->setup.units, seat->world->driver,
		    seat->world->link, why) < 0)
		fail_msg("%s", why);
	wire_write_hello(&message, "");
	wire_write_opened(&message, NULL);
	core_link_send(&seat->core, &message);
	buffer_finish(&message);
	seat->is_open = true;
}

static void leave(struct seat *seat, bool is_killed)
{
	forward(seat);
	if (seat->peer->fd >= 0)
		peer_exit(seat->peer, seat->world->loop, is_killed,
			is_killed ? SIGKILL : WIRE_EXIT_CLEAN);
}

bool seat_turn(struct seat *seat)
{
	struct wire_message m;
	if (!seat->is_open && peer_next(seat->peer, &m))
		open_seat(seat, &m);
	if (!seat->is_open)
		return true;
	working = seat;
	exchange(seat);
	while (!seat->is_dead && !seat->commands.quit) {
		uint64_t due = unit_due(&seat->unit, core_link_has_credit(&seat->core));
		bool is_due = due <= clock_boot();
		if (!is_due && !commands_has(&seat->commands, 0, &seat->unit.state))
			break;
		commands_enter(&seat->commands, 0, seat->unit.state.end == WIRE_END_STOPPED);
		unit_turn(&seat->unit, is_due);
		commands_leave(&seat->commands);
		exchange(seat);
	}
	if (seat->commands.quit && !seat->is_dead)
		unit_end(&seat->unit, false);
	working = NULL;
	bool has_ended = seat->is_dead || seat->commands.quit;
	if (has_ended)
		leave(seat, seat->is_dead);
	return !has_ended;
}

void seat_kill_at(struct seat *seat, unsigned after, bool before)
{
	seat->kill_at = after;
	seat->kill_before = before;
}

void seat_kill(struct seat *seat)
{
	die(seat);
	if (working == NULL)
		leave(seat, true);
}

void seat_orphan(struct seat *seat)
{
	if (!seat->is_open || seat->is_dead)
		return;
	seat->core.closed = true;
	working = seat;
	commands_quit(&seat->commands);
	unit_end(&seat->unit, false);
	working = NULL;
}

void seat_destroy(struct seat *seat)
{
	if (seat == NULL)
		return;
	if (seat->is_open) {
		unit_finish(&seat->unit);
		modbus_destroy(seat->services.modbus);
		commands_finish(&seat->commands);
		channel_finish(&seat->channel);
		wire_setup_finish(&seat->setup);
	}
	close(seat->core.fd);
	close(seat->out);
	core_link_finish(&seat->core);
	monitor_finish(&seat->monitor);
	buffer_finish(&seat->sent);
	free(seat);
}
