/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watching the clock: steps of CLOCK_REALTIME against CLOCK_BOOTTIME are audit records, and frames
 * of runs that were open then say so.  A clock that is over an hour behind the journal's last
 * commit time ends the core, to begin again with a new journal.
 *
 * The kernel tells of a clock that was set (TFD_TIMER_CANCEL_ON_SET); besides it is looked at once
 * a second.  Slewing is no step.  The main thread's.
 */
#ifndef ASSAY_CORE_COMMIT_TIMEKEEPER_H
#define ASSAY_CORE_COMMIT_TIMEKEEPER_H

#include <stdbool.h>
#include <stdint.h>

struct core;
struct loop_source;

struct timekeeper {
	uint64_t utc, boot;  /* at the last look */
	uint64_t stepped_at; /* CLOCK_BOOTTIME; 0: never */
	bool was_synced;     /* something disciplined the clock at the last look */
	bool is_waiting;     /* it did before the step, and does not yet again */
	struct loop_source *source;
	int fd; /* is told of a clock that was set; -1: none */
};

/* Begins to watch; `last_tc` is the journal's last commit time.  0 or a negative errno. */
int timekeeper_start(struct core *core, uint64_t last_tc);
void timekeeper_stop(struct core *core);

/* Once a second. */
void timekeeper_look(struct core *core);

/* Whether the clock was set, or is doubtful since, within a run that began at `mono`. */
bool timekeeper_doubts(const struct timekeeper *keeper, uint64_t mono);

/*
 * By how many ns the clock was set between two looks, 0 when it was slewed at most.  `was_set`: the
 * kernel told that it was, so that a small step is one, too.
 */
int64_t timekeeper_judge(
	const struct timekeeper *before, uint64_t utc, uint64_t boot, bool was_set);

#endif
