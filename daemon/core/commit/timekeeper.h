/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches the clock: steps of CLOCK_REALTIME against CLOCK_BOOTTIME become audit records, and
 * frames of runs that were open at a step carry a reason.  Commit times stand still while the
 * clock is behind them, but not for more than an hour: then the core starts again with a new
 * journal.
 *
 * The kernel reports a clock that was set (TFD_TIMER_CANCEL_ON_SET); the roof also looks once a
 * second.  Slewing is no step.  Main thread.
 */
#ifndef ASSAY_CORE_COMMIT_TIMEKEEPER_H
#define ASSAY_CORE_COMMIT_TIMEKEEPER_H

#include <stdbool.h>
#include <stdint.h>

struct audit_trail;
struct loop;
struct loop_source;

struct timekeeper {
	struct audit_trail *audit;
	uint64_t utc, boot;  /* at the last look */
	uint64_t stepped_at; /* CLOCK_BOOTTIME; 0: never */
	bool was_synced;     /* something disciplined the clock at the last look */
	bool is_unread;      /* it was not known at the last look: was_synced is older */
	bool is_waiting;     /* it did before the step, and does not yet again */
	int fd;              /* the kernel reports a clock that was set; -1: none */
	struct loop_source *source;
	void (*on_set)(void *arg);
	void *arg;
};

/*
 * Starts to watch; `last_tc` is the journal's last commit time.  `on_set` is called when the
 * kernel reports that the clock was set, and then calls timekeeper_look().  0 or a negative errno.
 */
int timekeeper_start(struct timekeeper *keeper, struct loop *loop, struct audit_trail *audit,
	uint64_t last_tc, void (*on_set)(void *arg), void *arg);
void timekeeper_stop(struct timekeeper *keeper);

/*
 * Records a step since the last look.  `was_set`: the kernel reported one, so that a small step
 * counts too.  True: the clock is too far behind `last_tc` for commit times to wait for it.
 */
bool timekeeper_look(struct timekeeper *keeper, uint64_t last_tc, bool was_set);

/* Was the clock set, or is it doubtful since, within a run that started at `mono`? */
bool timekeeper_doubts(const struct timekeeper *keeper, uint64_t mono);

/* By how many ns the clock was set between two looks; 0 if it was slewed at most. */
int64_t timekeeper_judge(
	const struct timekeeper *before, uint64_t utc, uint64_t boot, bool was_set);

#endif
