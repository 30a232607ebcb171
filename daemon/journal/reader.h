/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a journal back, the current one or an older one, while it may be written.  A reader
 * belongs to one thread at a time and shares nothing with the writer but the files: any number
 * may run.  Every entry given out has passed its checksums; what is missing is said as a gap.
 */
#ifndef ASSAY_JOURNAL_READER_H
#define ASSAY_JOURNAL_READER_H

#include "journal/journal.h"

struct journal_reader;

enum journal_found_kind {
	JOURNAL_ENTRY,
	JOURNAL_GAP_PRUNED,  /* removed on purpose: the segment is gone, its index was kept */
	JOURNAL_GAP_DAMAGED, /* should be there */
};

struct journal_found {
	enum journal_found_kind kind;
	uint64_t seq;         /* of the entry, or the first of the gap */
	uint64_t to;          /* the last of the gap, inclusive */
	const uint8_t *bytes; /* of the entry, borrowed until the next call */
	size_t len;
};

/*
 * Opens a reader at seq 1 of journal `id` below `path` (as in journal_options).  `entry` is needed
 * by journal_reader_filter only.  Borrows `io`.  Returns owned through `out`; -ENOENT: no such
 * journal.
 */
int journal_reader_open(struct journal_reader **out, const struct io *io, const char *path,
	const uint8_t id[JOURNAL_ID_SIZE], journal_entry_fn entry);

/* NULL is legal. */
void journal_reader_close(struct journal_reader *reader);

/*
 * From now on gives only entries on topics for which `want` says true, and gaps.  It may be asked
 * once per topic of a file rather than per entry.  NULL: all topics.  Borrows `arg`.
 */
void journal_reader_filter(struct journal_reader *reader,
	bool (*want)(void *arg, const char *topic, size_t topic_len), void *arg);

/* Continues at `seq`; costs one binary search, and a walk over one file that has no index yet. */
void journal_reader_seek(struct journal_reader *reader, uint64_t seq);

/*
 * The next entry or gap up to and including seq `upto`, which must not be past what the writer has
 * published (of an older journal, the end of journal_range).  1: found; 0: nothing more up to there, asking again
 * with a higher `upto` goes on; negative: no memory or no file to be had, asking again tries
 * again.  What the disk cannot read is a gap.
 */
int journal_reader_next(struct journal_reader *reader, uint64_t upto, struct journal_found *found);

/*
 * First and last seq of a journal as its files tell; first > last when it is empty.  For journals
 * that are not being written: without an index the last file is walked over.
 */
int journal_range(const struct io *io, const char *path, const uint8_t id[JOURNAL_ID_SIZE],
	uint64_t *first, uint64_t *last);

/* Calls `each` for every journal below `path`, in no order; it may stop the walk with non-zero. */
int journal_each(const struct io *io, const char *path,
	int (*each)(void *arg, const uint8_t id[JOURNAL_ID_SIZE]), void *arg);

#endif
