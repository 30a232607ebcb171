/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process assayd: the parts that the roof makes, connects and ends.  Only main.c, startup.c,
 * core.c, reload.c and control/ know this; the parts below report to callbacks.
 *
 *	startup      makes all parts in order, runs the loop, ends them
 *	reload       takes a new configuration
 *	service      messages to the service manager, its watchdog
 *	ports        groups instruments by port
 *	control/     the control socket, a file for each family of operations
 *	router/      requests, their arguments and replies, for control and replay
 *	instrument/  one instrument: state, identity, requests, changes of settings
 *	port/        a port's worker process and its recording
 *	runs/        the open run, all runs, their corrections
 *	keep/        space on the disk, retention, archive
 *	access/      programs of other machines: keys, roles, refusals
 *	replay/      the replay socket and the cursors of consumers
 *	commit/      seq, prev and commit time; append, sync, publish; the clock; audit records
 *
 * Thread: main, which runs one event loop.
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
#include "core/instrument/instrument.h"
#include "core/keep/disk.h"
#include "core/keep/trust.h"
#include "core/ports.h"
#include "core/runs/numbers.h"

struct access;
struct amends;
struct commit;
struct control;
struct cursors;
struct jobs;
struct journal;
struct ledger;
struct published;
struct publisher;
struct recorder;
struct replay;
struct retention;
struct runs;
struct service;

/* Where things are; borrowed from the command line for the life of the process. */
struct core_options {
	const char *config;  /* the main YAML file */
	const char *worker;  /* the program assay-worker */
	const char *drivers; /* the folder of driver modules */
	/* The file of the last good configuration, which starts in place of a wrong one; NULL: none. */
	const char *last_good;
	const char *clock; /* the file of assay-clock; NULL: the kernel is asked */
};

struct core {
	struct core_options options;
	struct loop *loop;
	struct service *service;
	void *zmq;
	struct catalog *catalog;
	struct config *config;
	char *config_errors;     /* of the files, while `config` is the last good one; else NULL */
	struct jobs *checks;     /* configurations and settings, by the workers of their drivers */
	struct journal *journal; /* the commit thread's once it runs */
	struct publisher *publisher;
	struct published *published; /* the readable journals and their heads */
	struct amends *amends;       /* of runs, as far as they were looked up */
	struct cursors *cursors;     /* durable, of consumers */
	struct commit *commit;
	struct ledger *ledger;
	struct runs *runs;
	struct numbers numbers; /* of runs, reserved */
	struct access *access;  /* NULL: local programs only */
	struct control *control;
	struct replay *replay;
	struct audit_trail audit;
	struct run_store run_store;
	struct instruments instruments;
	struct ports ports;
	struct config **retired; /* replaced by a reload and still referred to; of reload.c */
	size_t retired_count;
	const char *journal_why; /* a new one was started; NULL: it goes on */
	char sync[24];           /* the journal's mode in words: "always", "1s" */
	uint64_t started;        /* UTC */
	struct loop_source *second, *stop_timer;
	uint64_t stop_by; /* CLOCK_BOOTTIME: open frames are discarded after it */
	bool again;       /* start again after the end */
	struct disk_watch disk;
	struct timekeeper timekeeper;
	struct recorder *recorder;
	struct retention *retention;
	struct trust trust; /* in the clock */
	int wake_fd;        /* the commit thread has something to collect */
};

/* Stops runs, then workers, then the loop.  A second call does not wait for frames. */
void core_stop(struct core *core);

/* On SIGTERM and SIGINT. */
void core_terminate(struct core *core);

/* Once a second. */
void core_tick(struct core *core);

/* Checks the clock; restarts the core, with a new journal, if it is too far back. */
void core_check_clock(struct core *core, bool was_set);

/* Checks the journal's disk and lets the instruments follow a change of its level. */
void core_check_disk(struct core *core);

/* Removes segments of the journal that retention lets go. */
void core_apply_retention(struct core *core);

/* Stops the workers once no run is open, or the time for that is over. */
void core_try_stop(struct core *core);

#endif
