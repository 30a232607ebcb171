/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A core for tests: starts the real assay-worker on one end of a socketpair and plays the other.
 * Every wait has a deadline and fails the test when it passes.
 */
#ifndef ASSAY_TESTS_WORKER_CORE_H
#define ASSAY_TESTS_WORKER_CORE_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "wire/exit.h"
#include "wire/wire.h"

#define CORE_WAIT_MS 10000

struct core {
	pid_t pid; /* 0: has ended */
	int fd;
	struct buffer in, out;
	size_t in_at;
	uint64_t beats; /* seen so far */
	struct wire_beat beat;
	char address[80]; /* of the instrument, after core_identify() */
};

/* The programs' places, out of the environment that meson sets. */
const char *core_drivers(void);

/* Starts a worker for `port` with these units (drivers and settings), and gives it no credit. */
void core_start(struct core *core, const struct port *port, const struct unit *units, size_t count);

/* The same without SETUP. */
void core_start_bare(struct core *core);

/* Sends the messages in core->out. */
void core_send(struct core *core);

/* The next message that is neither BEAT nor LOG; it must be of this type and unit. */
struct wire_message core_expect(struct core *core, enum wire_type type, unsigned unit);

/* The next message of this type and unit; others before it are passed over. */
struct wire_message core_await(struct core *core, enum wire_type type, unsigned unit);

/* The next message of any type within `ms`; false if there is none. */
bool core_next(struct core *core, struct wire_message *m, int ms);

/* HELLO, OPENED, IDENTITY of unit 0; borrows from the message. */
struct wire_identity core_identify(struct core *core);

/* The same, then GO and READY. */
void core_bring_up(struct core *core);

/* START of a unit, and STARTED. */
void core_run(struct core *core, unsigned unit, const struct wire_start *start);

/* Waits for the end: the exit code, or 128 + the signal. */
int core_wait(struct core *core);

/* QUIT, and the exit code. */
int core_quit(struct core *core);

/* After each test: ends a worker that still runs. */
void core_finish(struct core *core);

/* Milliseconds for measuring how long something took. */
uint64_t now_ms(void);

/* A CBOR map of settings, pair by pair; zero is an empty one. */
struct settings_bytes {
	struct buffer bytes;
};
void settings_add_text(struct settings_bytes *s, const char *name, const char *value);
void settings_add_int(struct settings_bytes *s, const char *name, int64_t value);
void settings_add_number(
	struct settings_bytes *s, const char *name, double value, const char *unit);
void settings_add_flag(struct settings_bytes *s, const char *name, bool value);

/* A unit with these settings, which stay owned by the caller. */
struct unit unit_with(const char *key, const char *driver, const struct settings_bytes *s);

#endif
