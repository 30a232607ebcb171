/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker without a process: the real unit, commands, channel and driver module of assay-worker on
 * the test's thread and in virtual time, between the core's socket and a double of the instrument.
 * Where the driver's thread would wait, in ppoll(2), the core's loop runs and time passes.
 */
#ifndef ASSAY_TESTS_SEQUENCES_SEAT_H
#define ASSAY_TESTS_SEQUENCES_SEAT_H

#include <sys/types.h>

#include "host.h"
#include "wire/wire.h"
#include "worker/module.h"

struct loop;
struct seat;

/* The world of a seat; `arg` goes to all functions. */
struct seat_world {
	struct loop *loop;
	const struct assay_driver *driver;
	struct host *line; /* the double of the instrument is at its other end */
	unsigned link;     /* enum assay_link */
	/* The driver's bytes have reached the double.  May be NULL. */
	void (*sent)(void *arg);
	/* A message of the worker, before the core gets it. */
	void (*message)(void *arg, const struct wire_message *m);
	/* The driver waits; may request anything of the core.  May be NULL. */
	void (*waits)(void *arg);
	void *arg;
};

/* The worker of the process id that peer_start() gave; takes its SETUP when that comes. */
struct seat *seat_create(const struct seat_world *world, pid_t pid);

/* Does all that is due now.  False: the process has ended, and the core knows. */
bool seat_turn(struct seat *seat);

/* SIGKILL with the driver's write number `after` from now on, before or after the bytes are out. */
void seat_kill_at(struct seat *seat, unsigned after, bool before);

/* SIGKILL now.  seat_turn() is false then, too. */
void seat_kill(struct seat *seat);

/* The core is gone: the worker stops what runs, and ends. */
void seat_orphan(struct seat *seat);

/* Without it the process never was. */
void seat_destroy(struct seat *seat);

#endif
