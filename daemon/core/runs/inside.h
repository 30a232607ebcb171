/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of core/runs/rows.h, for its own files: the rows in memory and the notes on the disk. */
#ifndef ASSAY_CORE_RUNS_INSIDE_H
#define ASSAY_CORE_RUNS_INSIDE_H

#include <limits.h>
#include <pthread.h>

#include "base/arena.h"
#include "core/runs/rows.h"
#include "journal/journal.h"

/* A row as it is kept: runs are many, and most of their texts are those of their neighbours. */
struct runs_kept {
	uint8_t id[16], journal[16], ctx[32];
	const char *number, *instrument, *topic, *sample, *operator, * status; /* in the arena */
	uint64_t start, first, last, frames;
	bool sim;
};

struct runs {
	struct runs_kept *rows;
	size_t count, size;
	uint32_t *slots; /* by id: place of a row + 1, 0: free; none in `older` */
	size_t slot_count;
	struct runs_amend *amends;
	size_t amend_count, amend_size;
	struct arena texts;
	pthread_mutex_t lock; /* of rows, texts and amends, against other threads' reading */
	struct runs *older;   /* those of all former journals; NULL: none */
	char path[PATH_MAX];
	uint8_t id[JOURNAL_ID_SIZE];
	uint64_t head;  /* seq that loading reached */
	uint64_t noted; /* everything up to here is in the notes */
	int fd;         /* the notes; -1: none */
};

/* Adds a row or an amend in memory only; -ENOMEM. */
int runs_set_row(struct runs *runs, const struct runs_row *row);
int runs_set_amend(struct runs *runs, const uint8_t run[16], uint64_t seq);

/*
 * Opens the notes, making them when there are none, and takes what they hold up to seq `head`; what
 * comes after the sound part is cut off.  0 or a negative errno.
 */
int runs_open_notes(struct runs *runs, uint64_t head);

/* Notes that everything up to seq `head` is accounted for. */
void runs_note_upto(struct runs *runs, uint64_t head);

#endif
