/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands of the core, from the I/O thread to the driver's thread.  A command stays until the
 * session takes it; a stop or abort of the unit whose slot runs reaches the slot at once.
 */
#ifndef ASSAY_WORKER_COMMANDS_H
#define ASSAY_WORKER_COMMANDS_H

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

struct unit_commands {
	bool go, safe, refused;
	bool stop, abort;             /* of the run that is under way */
	bool started;                 /* `start` stands, */
	bool start_stop, start_abort; /* and was already stopped or aborted */
	struct start start;
};

struct commands {
	struct monitor *monitor;
	struct channel *channel;
	size_t count;
	/* under the lock */
	struct unit_commands *units;
	bool quit;
	int current; /* the unit whose slot runs and may be interrupted; -1: none */
};

/* 0 or -ENOMEM. */
int commands_init(
	struct commands *commands, struct monitor *monitor, struct channel *channel, size_t units);
void commands_finish(struct commands *commands);

void start_finish(struct start *start);

/* The I/O thread: one message of the core.  0, -EBADMSG (out of place, malformed) or -ENOMEM. */
int commands_take_message(struct commands *commands, const struct wire_message *message);

/* The I/O thread: end everything; what runs is interrupted. */
void commands_quit(struct commands *commands);

/* --- the driver's thread --- */

/* From here on the unit's slot runs: its stop and abort, and quit, reach the channel. */
void commands_enter(struct commands *commands, size_t unit);

/* The slot is over, or a slot runs that nothing may interrupt: the link works again. */
void commands_leave(struct commands *commands);

/* True when the run of the unit was aborted, or everything is to end. */
bool commands_is_aborted(struct commands *commands, size_t unit);
bool commands_is_stopped(struct commands *commands, size_t unit);
bool commands_is_quit(struct commands *commands);

/* Forgets stop and abort: the run they meant is over. */
void commands_clear_run(struct commands *commands, size_t unit);

/* Takes a standing START into `start`, which is finished before. */
bool commands_take_start(struct commands *commands, size_t unit, struct start *start);

/* Takes a standing answer to the unit's identity: 1 GO (with *safe), -1 REFUSE, 0 none yet. */
int commands_take_answer(struct commands *commands, size_t unit, bool *safe);

/* Forgets what was said of an identity that is no longer known. */
void commands_clear_answer(struct commands *commands, size_t unit);

#endif
