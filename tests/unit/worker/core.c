/* SPDX-License-Identifier: Apache-2.0 */
#include "core.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "record/encode.h"

static const char *place(const char *name)
{
	const char *value = getenv(name);
	if (value == NULL)
		fail_msg("%s is not set: run it by meson", name);
	return value;
}

const char *core_drivers(void)
{
	return place("ASSAY_TEST_DRIVERS");
}

uint64_t now_ms(void)
{
	return clock_boot() / NS_PER_MS;
}

/* --- settings --------------------------------------------------------------------------------- */

/* A map of up to 23 pairs: the head is one byte. */
static struct buffer *next_pair(struct settings_bytes *s, const char *name)
{
	if (s->bytes.len == 0)
		encode_map(&s->bytes, 0);
	s->bytes.data[0]++;
	encode_text(&s->bytes, name);
	return &s->bytes;
}

void settings_add_text(struct settings_bytes *s, const char *name, const char *value)
{
	encode_text(next_pair(s, name), value);
}

void settings_add_int(struct settings_bytes *s, const char *name, int64_t value)
{
	encode_int(next_pair(s, name), value);
}

void settings_add_number(struct settings_bytes *s, const char *name, double value, const char *unit)
{
	struct map map;
	map_open(&map, next_pair(s, name));
	map_f64(&map, "v", value);
	map_text(&map, "u", unit);
	map_close(&map);
}

void settings_add_flag(struct settings_bytes *s, const char *name, bool value)
{
	encode_bool(next_pair(s, name), value);
}

struct unit unit_with(const char *key, const char *driver, const struct settings_bytes *s)
{
	return (struct unit){.key = key,
		.driver = driver,
		.settings = s != NULL ? s->bytes.data : NULL,
		.settings_len = s != NULL ? s->bytes.len : 0};
}

/* --- the worker ------------------------------------------------------------------------------- */

void core_start_bare(struct core *core)
{
	int pair[2];
	*core = (struct core){.fd = -1};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	const char *path = place("ASSAY_WORKER");
	char *const argv[] = {(char *)path, (char *)"--fd", (char *)"3", NULL};
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, pair[1], 3);
	posix_spawn_file_actions_addclosefrom_np(&actions, 4);
	assert_int_equal(posix_spawn(&core->pid, path, &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(pair[1]);
	core->fd = pair[0];
}

void core_start(struct core *core, const struct port *port, const struct unit *units, size_t count)
{
	struct wire_setup setup = {.drivers = core_drivers(),
		.port = *port,
		.units = (struct unit *)units,
		.unit_count = count};
	core_start_bare(core);
	wire_write_setup(&core->out, &setup);
	core_send(core);
}

void core_send(struct core *core)
{
	assert_false(core->out.failed);
	ssize_t n = send(core->fd, core->out.data, core->out.len, MSG_NOSIGNAL);
	assert_int_equal(n, core->out.len);
	buffer_reset(&core->out);
}

static bool receive(struct core *core, uint64_t deadline)
{
	struct pollfd p = {.fd = core->fd, .events = POLLIN};
	buffer_consume(&core->in, core->in_at);
	core->in_at = 0;
	if (poll(&p, 1, clock_ms_until(deadline)) <= 0)
		return false;
	uint8_t *to = buffer_reserve(&core->in, 1 << 20);
	assert_non_null(to);
	ssize_t n = recv(core->fd, to, 1 << 20, MSG_DONTWAIT);
	if (n <= 0)
		return false;
	core->in.len += (size_t)n;
	return true;
}

bool core_next(struct core *core, struct wire_message *m, int ms)
{
	uint64_t deadline = clock_boot() + (uint64_t)ms * NS_PER_MS;
	for (;;) {
		int r = wire_next(core->in.data + core->in_at, core->in.len - core->in_at, m);
		assert_true(r >= 0);
		if (r == 1)
			break;
		if (!receive(core, deadline))
			return false;
	}
	core->in_at += m->size;
	if (m->type == WIRE_BEAT) {
		assert_int_equal(wire_read_beat(m, &core->beat), 0);
		core->beats++;
	}
	return true;
}

static void print_text(const char *what, struct assay_string text)
{
	print_message("%s: %.*s\n", what, (int)text.len, text.data);
}

/* Prints the message that came instead of the expected one. */
static void print_unexpected(const struct wire_message *m)
{
	struct wire_ended ended;
	struct wire_state state;
	struct wire_log log;
	print_message("got message %d of unit %u\n", (int)m->type, m->unit);
	if (m->type == WIRE_ENDED && wire_read_ended(m, &ended) == 0)
		print_text("ended", ended.text);
	if (m->type == WIRE_STATE && wire_read_state(m, &state) == 0)
		print_text("state", state.text);
	if (m->type == WIRE_LOG && wire_read_log(m, &log) == 0)
		print_text("log", log.text);
}

struct wire_message core_expect(struct core *core, enum wire_type type, unsigned unit)
{
	struct wire_message m;
	do {
		if (!core_next(core, &m, CORE_WAIT_MS))
			fail_msg("no message, %d of unit %u was expected", (int)type, unit);
	} while (m.type == WIRE_BEAT || (m.type == WIRE_LOG && type != WIRE_LOG));
	if (m.type != type || m.unit != unit) {
		print_unexpected(&m);
		fail_msg("message %d of unit %u was expected", (int)type, unit);
	}
	return m;
}

struct wire_message core_await(struct core *core, enum wire_type type, unsigned unit)
{
	uint64_t deadline = now_ms() + CORE_WAIT_MS;
	struct wire_message m;
	do {
		if (now_ms() > deadline || !core_next(core, &m, CORE_WAIT_MS))
			fail_msg("no message %d of unit %u", (int)type, unit);
	} while (m.type != type || m.unit != unit);
	return m;
}

struct wire_identity core_identify(struct core *core)
{
	struct wire_identity identity;
	struct wire_opened opened;
	core_expect(core, WIRE_HELLO, WIRE_PORT);
	struct wire_message m = core_expect(core, WIRE_OPENED, WIRE_PORT);
	assert_int_equal(wire_read_opened(&m, &opened), 0);
	snprintf(core->address, sizeof core->address, "%.*s", (int)opened.address.len,
		opened.address.data);
	m = core_expect(core, WIRE_IDENTITY, 0);
	assert_int_equal(wire_read_identity(&m, &identity), 0);
	return identity;
}

void core_bring_up(struct core *core)
{
	core_identify(core);
	wire_write_go(&core->out, 0, &(struct wire_go){.safe = false});
	core_send(core);
	core_expect(core, WIRE_READY, 0);
}

void core_run(struct core *core, unsigned unit, const struct wire_start *start)
{
	wire_write_start(&core->out, unit, start);
	core_send(core);
	core_await(core, WIRE_STARTED, unit);
}

int core_wait(struct core *core)
{
	uint64_t deadline = now_ms() + CORE_WAIT_MS;
	int status = 0;
	while (waitpid(core->pid, &status, WNOHANG) == 0) {
		if (now_ms() > deadline)
			fail_msg("the worker does not end");
		poll(NULL, 0, 2);
	}
	core->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int core_quit(struct core *core)
{
	wire_write_quit(&core->out);
	core_send(core);
	return core_wait(core);
}

void core_finish(struct core *core)
{
	if (core->pid > 0) {
		kill(core->pid, SIGKILL);
		waitpid(core->pid, NULL, 0);
	}
	if (core->fd >= 0)
		close(core->fd);
	buffer_finish(&core->in);
	buffer_finish(&core->out);
	*core = (struct core){.fd = -1};
}
