/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a journal back, the current one or an older one, also while it is written.  A reader belongs
 * to one thread at a time and shares only the files with the writer, so any number may run.  Every
 * entry returned has passed its checksums; missing entries are returned as a gap.
 */
#ifndef ASSAY_JOURNAL_READER_H
#define ASSAY_JOURNAL_READER_H

#include "journal/journal.h"

struct journal_reader;

enum journal_found_kind {
	JOURNAL_ENTRY,
	JOURNAL_GAP_PRUNED,  /* removed on purpose: the segment is gone, index and note were kept */
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
 * Restricts the reader to entries on topics for which `want` returns true, and gaps.  `want` may be
 * called once per topic of a file instead of per entry.  NULL: all topics.  Borrows `arg`.
 */
void journal_reader_filter(struct journal_reader *reader,
	bool (*want)(void *arg, const char *topic, size_t topic_len), void *arg);

/* Continues at `seq`; costs one binary search, and a walk over one file that has no index yet. */
void journal_reader_seek(struct journal_reader *reader, uint64_t seq);

/*
 * The next entry or gap up to and including seq `upto`, which must not be past the last published
 * entry (of an older journal, the end of journal_range).  1: found; 0: nothing more up to there; a
 * call with a higher `upto` continues; negative: no memory or the file cannot be opened; the next
 * call retries.  Bytes that the disk cannot read are a gap.
 */
int journal_reader_next(struct journal_reader *reader, uint64_t upto, struct journal_found *found);

/*
 * First and last seq of a journal by its files; first > last if it is empty.  For journals that are
 * not being written: a last file without an index is read to its end.
 */
int journal_range(const struct io *io, const char *path, const uint8_t id[JOURNAL_ID_SIZE],
	uint64_t *first, uint64_t *last);

/* Calls `each` for every journal below `path`, in any order; it may stop the walk with non-zero. */
int journal_each(const struct io *io, const char *path,
	int (*each)(void *arg, const uint8_t id[JOURNAL_ID_SIZE]), void *arg);

#endif
