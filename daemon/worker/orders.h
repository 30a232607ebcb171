/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the core told the units to do, from the I/O thread to the driver's thread.  An order stands
 * until the session takes it; a stop or abort of the unit whose slot runs reaches it at once.
 */
#ifndef ASSAY_WORKER_ORDERS_H
#define ASSAY_WORKER_ORDERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "wire/wire.h"
#include "worker/channel.h"
#include "worker/monitor.h"

/* A START with copies of its parts. */
struct start {
	enum wire_mode mode;
	uint64_t every_ns, frames;
	struct buffer step, settings;
};

struct order {
	bool go, safe, refused;
	bool stop, abort;             /* of the run that is under way */
	bool started;                 /* `start` stands, */
	bool start_stop, start_abort; /* and was already stopped or aborted */
	struct start start;
};

struct orders {
	struct monitor *monitor;
	struct channel *channel;
	size_t count;
	/* under the lock */
	struct order *units;
	bool quit;
	int current; /* the unit whose slot runs and may be interrupted; -1: none */
};

/* 0 or -ENOMEM. */
int orders_init(
	struct orders *orders, struct monitor *monitor, struct channel *channel, size_t units);
void orders_finish(struct orders *orders);

void start_finish(struct start *start);

/* The I/O thread: one message of the core.  0, -EBADMSG (out of place, malformed) or -ENOMEM. */
int orders_take_message(struct orders *orders, const struct wire_message *message);

/* The I/O thread: end everything; what runs is interrupted. */
void orders_quit(struct orders *orders);

/* --- the driver's thread --- */

/* From here on the unit's slot runs: its stop and abort, and quit, reach the channel. */
void orders_enter(struct orders *orders, size_t unit);

/* The slot is over, or a slot runs that nothing may interrupt: the link works again. */
void orders_leave(struct orders *orders);

/* True when the run of the unit was aborted, or everything is to end. */
bool orders_is_aborted(struct orders *orders, size_t unit);
bool orders_is_stopped(struct orders *orders, size_t unit);
bool orders_is_quit(struct orders *orders);

/* Forgets stop and abort: the run they meant is over. */
void orders_clear_run(struct orders *orders, size_t unit);

/* Takes a standing START into `start`, which is finished before. */
bool orders_take_start(struct orders *orders, size_t unit, struct start *start);

/* Takes a standing answer to the unit's identity: 1 GO (with *safe), -1 REFUSE, 0 none yet. */
int orders_take_answer(struct orders *orders, size_t unit, bool *safe);

/* Forgets what was said of an identity that is no longer known. */
void orders_clear_answer(struct orders *orders, size_t unit);

#endif
