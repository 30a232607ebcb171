/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands of the core, from the I/O thread to the driver's thread.  A command is pending until its
 * unit takes it.  A stop or abort of the unit that has its turn reaches the running slot at once.
 */
#ifndef ASSAY_WORKER_COMMANDS_H
#define ASSAY_WORKER_COMMANDS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "wire/wire.h"
#include "worker/channel.h"
#include "worker/monitor.h"
#include "worker/unit-machine.h"

/* A START with copies of its parts. */
struct start {
	enum wire_mode mode;
	uint64_t every_ns, frames;
	struct buffer step, settings, holds, references;
};

/* How the instrument is configured between runs: its own settings. */
struct own {
	struct buffer settings; /* CBOR; empty: those of SETUP */
	bool look;              /* read back only */
};

struct unit_commands {
	atomic_uint pending;  /* bit per enum unit_event; written under the lock */
	unsigned after_start; /* under the lock: those that mean the pending START */
	struct start start;   /* under the lock: of the pending START */
	struct own own;       /* under the lock: of the pending GO or CONFIGURE */
};

struct commands {
	struct monitor *monitor;
	struct channel *channel;
	size_t count;
	struct unit_commands *units;
	/* under the lock */
	bool quit;
	int current; /* the unit that has its turn and may be interrupted; -1: none */
};

/* 0 or -ENOMEM. */
int commands_init(
	struct commands *commands, struct monitor *monitor, struct channel *channel, size_t units);
void commands_finish(struct commands *commands);

void start_finish(struct start *start);

/* The I/O thread: one message of the core.  0, -EBADMSG (out of place, malformed) or -ENOMEM. */
int commands_take_message(struct commands *commands, const struct wire_message *message);

/* The I/O thread: end everything; the running slot is interrupted. */
void commands_quit(struct commands *commands);

/* --- the driver's thread --- */

/* True if a command is pending that the unit takes in its present state. */
bool commands_has(struct commands *commands, size_t unit, const struct unit_state *state);

/* True if an ABORT or QUIT is pending, which interrupts the unit's slot. */
bool commands_has_cut(struct commands *commands, size_t unit);

/*
 * Takes the next of them: true with *event; of a START, with *start, of a GO or CONFIGURE with
 * *own, its settings.  The former content is finished.  Without a pending command it takes no lock.
 */
bool commands_take(struct commands *commands, size_t unit, const struct unit_state *state,
	enum unit_event *event, struct start *start, struct own *own);

/*
 * Lock held: the unit's slots may be interrupted from here on, by pending commands as well.
 * `stopping`: it has taken a STOP and finishes its frame.
 */
void commands_enter(struct commands *commands, size_t unit, bool stopping);

/* Lock held: no slot may be interrupted; the link works again after an abort. */
void commands_leave(struct commands *commands);

#endif
