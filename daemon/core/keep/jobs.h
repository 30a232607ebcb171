/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work that waits for the disk and is in no hurry: done one after another on a thread of its own,
 * so that neither the main loop nor the commit thread waits.  What follows from it happens on the
 * main thread.
 */
#ifndef ASSAY_CORE_KEEP_CHORES_H
#define ASSAY_CORE_KEEP_CHORES_H

#include <stdbool.h>

struct chores;
struct loop;

/* Part of the caller's struct, which lives until `done` was called. */
struct chore {
	struct chore *next;
	/* On the thread; a long one looks at chores_are_ending(). */
	void (*work)(struct chore *chore);
	/* On the main thread, once, whatever happened; `skipped`: the end came before the work. */
	void (*done)(struct chore *chore, bool skipped);
};

/* Starts the thread, which takes no signals.  Owned through `out`, or a negative errno. */
int chores_start(struct chores **out, struct loop *loop);

/*
 * Ends the thread after the present chore, calls `done` of all that are left, and frees.  NULL is
 * legal.  Chores that are put meanwhile are skipped at once.
 */
void chores_stop(struct chores *chores);

/* Main thread.  Takes the chore until its `done`. */
void chores_put(struct chores *chores, struct chore *chore);

/* Any thread: the process is about to end. */
bool chores_are_ending(struct chores *chores);

#endif
