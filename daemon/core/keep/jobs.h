/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work that waits for the disk and is in no hurry: done one after another on a thread of its own,
 * so that neither the main loop nor the commit thread waits.  What follows from it happens on the
 * main thread.
 */
#ifndef ASSAY_CORE_KEEP_JOBS_H
#define ASSAY_CORE_KEEP_JOBS_H

#include <stdbool.h>

struct jobs;
struct loop;

/* Part of the caller's struct, which lives until `done` was called. */
struct job {
	struct job *next;
	/* On the thread; a long one looks at jobs_are_stopping(). */
	void (*work)(struct job *job);
	/* On the main thread, once, whatever happened; `skipped`: the end came before the work. */
	void (*done)(struct job *job, bool skipped);
};

/* Starts the thread, which takes no signals.  Owned through `out`, or a negative errno. */
int jobs_start(struct jobs **out, struct loop *loop);

/*
 * Ends the thread after the present job, calls `done` of all that are left, and frees.  NULL is
 * legal.  Chores that are put meanwhile are skipped at once.
 */
void jobs_stop(struct jobs *jobs);

/* Main thread.  Takes the job until its `done`. */
void jobs_put(struct jobs *jobs, struct job *job);

/* Any thread: the process is about to end. */
bool jobs_are_stopping(struct jobs *jobs);

#endif
