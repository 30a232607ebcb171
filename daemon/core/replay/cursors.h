/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Durable cursors: how far each named consumer has got, kept in <path>/cursors/<name>, one file
 * each.  What a cursor has not passed is not removed from the journal.
 *
 * A cursor follows topics.  Its marks say "everything on this topic, or on all topics that begin
 * with this prefix, up to this seq of this journal".  Where it has no mark in a journal, it has
 * passed nothing there of what it followed before, and does not care about what came earlier.
 * A file that cannot be read or believed stands for a consumer that needs everything.
 *
 * Threads: any, at any time; cursors_flush() waits for the disk, the others do not wait for it
 * longer than one file takes.
 */
#ifndef ASSAY_CORE_REPLAY_CURSORS_H
#define ASSAY_CORE_REPLAY_CURSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <assay/record.h>

#include "journal/journal.h"

#define CURSORS_MAX      64   /* cursors */
#define CURSOR_MARKS_MAX 1024 /* marks of one cursor */
#define CURSOR_NAME_MAX  32   /* [a-z0-9-] */

struct cursors;
struct published;

struct cursor_mark {
	uint8_t journal[JOURNAL_ID_SIZE];
	uint64_t seq;
	char topic[JOURNAL_TOPIC_MAX + 1]; /* or a prefix; ends in '/' */
};

/*
 * Reads the cursors below the journal's `path`, making the folder when there is none.  Borrows
 * `published` (which journals there are, and what is in them) for its life.  Owned through `out`,
 * or a negative errno; a damaged file is logged and held to be a cursor that needs everything.
 */
int cursors_open(struct cursors **out, const char *path, struct published *published);

/* NULL is legal.  What was not flushed is forgotten. */
void cursors_close(struct cursors *cursors);

/*
 * What cursors below `path` know of its current journal, before that is opened: its id, and the
 * highest seq that a consumer has had of it, 0: nothing is known.  Makes nothing, logs nothing.
 */
uint64_t cursors_known(const char *path, uint8_t id[JOURNAL_ID_SIZE]);

/*
 * Moves a cursor, beginning it when there is none of this name.  `topic` is a topic or what topics
 * begin with, ending in '/'.  It counts, and survives a crash, once cursors_flush() returned 0.
 *   -EINVAL  not a name, or not a topic or prefix      -ENOENT  there is no such journal
 *   -ERANGE  it is further already                      -EDOM    past what is published
 *   -EBADMSG its file is damaged: forget it first       -ENOSPC  too many cursors or marks
 */
int cursors_move(struct cursors *cursors, struct assay_string name,
	const uint8_t journal[JOURNAL_ID_SIZE], struct assay_string topic, uint64_t seq);

/* Makes all moves durable.  Negative: some are not, and those are undone.  One thread at a time. */
int cursors_flush(struct cursors *cursors);

/* How many there are.  They keep their places until one is forgotten. */
size_t cursors_count(struct cursors *cursors);

/* A copy of one cursor as it is on the disk. */
struct cursor_view {
	char name[CURSOR_NAME_MAX + 1];
	bool is_damaged;           /* then it has no marks */
	struct cursor_mark *marks; /* owned: free() */
	size_t count;
};

struct buffer;

/* Appends its marks as a CBOR array of {journal, topic, seq}. */
void cursor_put_marks(struct buffer *to, const struct cursor_view *view);

/* By place or by name; -ENOENT: there is none, -ENOMEM. */
int cursors_view(struct cursors *cursors, size_t i, struct cursor_view *view);
int cursors_find(struct cursors *cursors, struct assay_string name, struct cursor_view *view);

/* Removes a cursor, for good once it returns 0.  Waits for the disk.  -ENOENT: there is none. */
int cursors_forget(struct cursors *cursors, struct assay_string name);

/*
 * For retention: the highest seq of journal `id` up to which no cursor needs anything any more;
 * 0: nothing may be removed, UINT64_MAX: no cursor minds.  Where this cannot be told exactly the
 * answer is too low, never too high.  0, or a negative errno, then *seq is 0.  Reads index files.
 */
int cursors_floor(struct cursors *cursors, const uint8_t id[JOURNAL_ID_SIZE], uint64_t *seq);

/* The same for one cursor, and its name, for telling who holds what back; -ENOENT: past the last. */
int cursors_floor_of(struct cursors *cursors, size_t i, const uint8_t id[JOURNAL_ID_SIZE],
	char name[CURSOR_NAME_MAX + 1], uint64_t *seq);

#endif
