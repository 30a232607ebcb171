/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slow disk work in the background: one job after another on a thread of their own, so that neither
 * the main loop nor the commit thread waits.  The main thread handles the results.
 */
#ifndef ASSAY_CORE_KEEP_JOBS_H
#define ASSAY_CORE_KEEP_JOBS_H

#include <stdbool.h>

struct jobs;
struct loop;

/* Part of the caller's struct, which lives until `done` was called. */
struct job {
	struct job *next;
	/* On the jobs thread; a long one checks jobs_are_stopping(). */
	void (*work)(struct job *job);
	/* On the main thread, once in every case; `skipped`: jobs_stop() came before the work. */
	void (*done)(struct job *job, bool skipped);
};

/* Starts the thread, which takes no signals.  Owned through `out`, or a negative errno. */
int jobs_start(struct jobs **out, struct loop *loop);

/*
 * Stops the thread after the present job, calls `done` of all that are left, and frees.  NULL is
 * legal.  Jobs put during that are skipped at once.
 */
void jobs_stop(struct jobs *jobs);

/* Main thread.  Takes the job until its `done`; jobs NULL: does it at once. */
void jobs_put(struct jobs *jobs, struct job *job);

/* Any thread: the process is about to end. */
bool jobs_are_stopping(struct jobs *jobs);

#endif
