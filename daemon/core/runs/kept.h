/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of runs in memory.  Runs are many, and most of their texts are those of their neighbours: a row
 * is kept with pointers into an arena, and copied out as struct runs_row.
 *
 * Threads: one changes rows; others read them with the lock.
 */
#ifndef ASSAY_CORE_RUNS_KEPT_H
#define ASSAY_CORE_RUNS_KEPT_H

#include <pthread.h>

#include "base/arena.h"
#include "core/runs/rows.h"

struct runs_kept {
	uint8_t id[16], journal[16], ctx[32];
	const char *number, *instrument, *topic, *sample, *operator, * status; /* in the arena */
	uint64_t start, first, last, frames;
	uint64_t frames_committed; /* of the open run */
	uint64_t judged;           /* frames that `quality` is the worst of */
	unsigned quality;
	bool sim;
	const struct taken_file *file; /* in the arena; NULL: none */
};

struct kept_table {
	struct runs_kept *rows;
	size_t count, size;
	uint32_t *slots; /* by id: place of a row + 1, 0: free; of those by kept_set() */
	size_t slot_count;
	struct runs_amend *amends;
	size_t amend_count, amend_size;
	struct arena texts;
	pthread_mutex_t lock; /* of all this, against other threads' reading */
};

void kept_init(struct kept_table *table);
void kept_finish(struct kept_table *table);

/* Adds a row, or replaces the one with its id.  Locks.  -ENOMEM. */
int kept_set(struct kept_table *table, const struct runs_row *row);

/* One by kept_set(), borrowed until the next is added; NULL: none has this id. */
struct runs_kept *kept_find(const struct kept_table *table, const uint8_t *id);

/* Adds a row at the end that kept_find() does not find.  Does not lock.  -ENOMEM. */
int kept_add(struct kept_table *table, const struct runs_row *row);

/* Replaces a row; without its quality, the one it had stays.  Does not lock.  -ENOMEM. */
int kept_change(struct kept_table *table, struct runs_kept *kept, const struct runs_row *row);

void kept_copy(struct runs_row *row, const struct runs_kept *kept);

/* Locks.  -ENOMEM. */
int kept_add_amend(struct kept_table *table, const struct runs_amend *amend);

#endif
