/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process assayd: what its parts share.  Everything here belongs to the main thread, which
 * runs one event loop; the commit thread is reached through core/commit/commit.h only.
 *
 *	ports        which instruments share a worker; changing them
 *	supervise    a port's worker process, again and again
 *	instrument   the state of one instrument and what its worker says of it
 *	recorder     a port's bytes on their way to a client
 *	audit        what people and the core did
 *	runs/        the open run of an instrument, all runs there were, corrections of them
 *	commit/      seq, prev and commit time; append, sync, publish; steps of the clock
 *	keep/        room on the disk, what may be removed, what was archived
 *	replay/      the replay socket, how far consumers have got
 *	control/     the control socket, a file for each family of operations
 */
#ifndef ASSAY_CORE_CORE_H
#define ASSAY_CORE_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/loop.h"
#include "config/config.h"
#include "core/commit/audit.h"
#include "core/commit/timekeeper.h"
#include "core/keep/disk.h"

struct amends;
struct commit;
struct control;
struct cursors;
struct journal;
struct ledger;
struct published;
struct publisher;
struct recorder;
struct replay;
struct retention;
struct runs;

/* Where things are; borrowed from the command line for the life of the process. */
struct core_options {
	const char *config;  /* the main YAML file */
	const char *worker;  /* the program assay-worker */
	const char *drivers; /* the folder of driver modules */
};

struct core {
	struct core_options options;
	struct loop *loop;
	void *zmq;
	struct catalog *catalog;
	struct config *config;
	struct journal *journal; /* the commit thread's once it runs */
	struct publisher *publisher;
	struct published *published; /* what may be read */
	struct amends *amends;       /* of runs, as far as they were looked at; NULL: none yet */
	struct cursors *cursors;     /* durable, of consumers */
	struct commit *commit;
	struct ledger *ledger;
	struct runs *runs;
	struct control *control;
	struct replay *replay;
	struct audit_trail audit;
	struct list instruments; /* struct instrument.link */
	struct list ports;       /* struct port_group.link, in ports.c */
	struct config **retired; /* replaced by a reload and still referred to */
	size_t retired_count;
	char sync[24];    /* the journal's mode in words: "always", "1s" */
	uint64_t started; /* UTC */
	struct loop_source *second, *stop_timer;
	bool stopping;
	uint64_t stop_by; /* CLOCK_BOOTTIME: open frames are discarded after it */
	bool again;       /* the end is only the beginning of the next life */
	struct disk_watch disk;
	struct timekeeper timekeeper;
	struct recorder *recorder;
	struct retention *retention;
	int wake_fd; /* the commit thread has something to collect */
};

/*
 * Runs until the end is asked for by signal.  0, 1 when it wants to be called again, or a negative
 * errno after a logged error.
 */
int core_run(const struct core_options *options);

/*
 * Reads the configuration again.  A wrong one changes nothing: -EINVAL with the error list in
 * *text (owned).  A right one touches the ports whose instruments changed; -EBUSY with *text when
 * one of those has an open on-demand run and `now` is false.
 */
int core_reload(struct core *core, bool now, char **text);

/* Begins the end: runs are stopped, workers ended.  A second call does not wait for frames. */
void core_stop(struct core *core);

/* Looks at the clock; restarts the core, with a new journal, if it is too far back. */
void core_look_at_clock(struct core *core, bool was_set);

/* Looks at the journal's disk and lets the instruments follow a change of its level. */
void core_look_at_disk(struct core *core);

/* Removes from the journal what may go now. */
void core_look_at_retention(struct core *core);

#endif
