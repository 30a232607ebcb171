/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Durable cursors: the positions of named consumers, one file each (replay/cursor-file.h).  Entries
 * that a cursor has not passed are not removed from the journal.
 *
 * A cursor follows topics.  A mark means "everything on this topic, or on all topics with this
 * prefix, up to this seq of this journal".  In a journal without a mark the cursor has passed
 * nothing of the topics that it followed in earlier journals, and needs nothing of topics that it
 * followed later.  A damaged file means a consumer that needs everything.
 *
 * Threads: any, at any time.  cursors_flush() waits for the disk, the others for at most one file.
 */
#ifndef ASSAY_CORE_REPLAY_CURSORS_H
#define ASSAY_CORE_REPLAY_CURSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <assay/record.h>

#include "journal/journal.h"
#include "record/cursor.h"

#define CURSORS_MAX     64 /* cursors */
#define CURSOR_NAME_MAX 32 /* [a-z0-9-] */

struct cursors;
struct published;

/*
 * Reads the cursors below the journal's `path`; creates the folder if there is none.  Borrows
 * `published` for its life.  Owned through `out`, or a negative errno; a damaged file is logged and
 * becomes a damaged cursor.
 */
int cursors_open(struct cursors **out, const char *path, struct published *published);

/* NULL is legal.  Moves that were not flushed are lost. */
void cursors_close(struct cursors *cursors);

/*
 * Before the current journal below `path` is opened: its id, and the highest seq that a cursor has
 * of it; 0: none.  Creates nothing, logs nothing.
 */
uint64_t cursors_known(const char *path, uint8_t id[JOURNAL_ID_SIZE]);

/*
 * Moves a cursor, or creates it.  `topic` is a topic or a prefix, ending in '/'.  The move counts,
 * and survives a crash, once cursors_flush() returned 0.
 *   -EINVAL  not a name, or not a topic or prefix      -ENOENT  there is no such journal
 *   -ERANGE  it is further already                      -EDOM    past the published entries
 *   -EBADMSG its file is damaged: forget it first       -ENOSPC  too many cursors or marks
 */
int cursors_move(struct cursors *cursors, struct assay_string name,
	const uint8_t journal[JOURNAL_ID_SIZE], struct assay_string topic, uint64_t seq);

/* Makes all moves durable.  Negative: some are not, and are undone.  The replay thread's. */
int cursors_flush(struct cursors *cursors);

/* A copy of one cursor as it is on the disk. */
struct cursor_view {
	char name[CURSOR_NAME_MAX + 1];
	bool is_damaged;           /* then it has no marks */
	struct cursor_mark *marks; /* owned: free() */
	size_t count;
};

/*
 * Cursor `i`, counted from 0 (a removal changes the order), or of this name.  0; -ENOENT: there is
 * none; -ENOMEM.
 */
int cursors_view(struct cursors *cursors, size_t i, struct cursor_view *view);
int cursors_find(struct cursors *cursors, struct assay_string name, struct cursor_view *view);

/* Removes a cursor, durably once it returns 0.  Waits for the disk.  -ENOENT: there is none. */
int cursors_forget(struct cursors *cursors, struct assay_string name);

/*
 * For retention: the highest seq of journal `id` up to which no cursor needs anything; 0: nothing
 * may be removed, UINT64_MAX: no cursor needs this journal.  If it is not known exactly, the result
 * is too low, never too high.  0, or a negative errno with *seq 0.  Reads index files.
 */
int cursors_floor(struct cursors *cursors, const uint8_t id[JOURNAL_ID_SIZE], uint64_t *seq);

/* The same for cursor `i`, with its name; -ENOENT: past the last. */
int cursors_floor_of(struct cursors *cursors, size_t i, const uint8_t id[JOURNAL_ID_SIZE],
	char name[CURSOR_NAME_MAX + 1], uint64_t *seq);

#endif
