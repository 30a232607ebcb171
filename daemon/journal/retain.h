/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Closed segments: lists them for an archive, and removes them.  The caller decides if a segment may
 * be removed.  Any thread may call these while the journal is written; they use only the files and
 * need no open journal.
 */
#ifndef ASSAY_JOURNAL_RETAIN_H
#define ASSAY_JOURNAL_RETAIN_H

#include "journal/journal.h"

/* "journal/<id>/<20 digits>.seg" */
#define JOURNAL_SEGMENT_PATH (sizeof "journal//" + JOURNAL_ID_TEXT + 32)

struct journal_segment {
	uint64_t first_seq;
	uint64_t last_seq; /* 0: not known, the one that is being written */
	/*
	 * Commit times of the first and the last entry, ns since 1970.  0: not known.  Without a
	 * sound index last_tc is that of the next segment's first entry, which is not earlier.
	 */
	uint64_t first_tc, last_tc;
	uint64_t size;                   /* of the file in bytes; 0 if it was removed */
	bool is_closed;                  /* never written again */
	bool is_removed;                 /* by journal_prune: index and note are there */
	bool is_missing;                 /* neither the segment nor that note is there */
	bool is_readable;                /* false: its header is damaged */
	char path[JOURNAL_SEGMENT_PATH]; /* below the journal's path */
};

/*
 * Calls `each` for every segment of journal `id` below `path`, by seq, the removed ones and the one
 * being written included; it may stop the walk with non-zero, which is returned.  `segment` is
 * borrowed for the call.  0 or a negative errno; -ENOENT: no such journal.
 */
int journal_segments(const struct io *io, const char *path, const uint8_t id[JOURNAL_ID_SIZE],
	int (*each)(void *arg, const struct journal_segment *segment), void *arg);

/*
 * Removes the closed segment that starts with `first_seq`; the committed entry `record` records that.
 * Its index stays (it is rebuilt first if it is not sound), with a note of the record (removal.h);
 * both are durable before the segment is removed, so that readers return the gap as
 * JOURNAL_GAP_PRUNED and no topic's last seq is lost.  0: it is durably removed, now or earlier.
 * -ENOENT: no segment starts there; -EBUSY: it is the last one of the current journal, which may be
 * written; -EBADMSG: it is so damaged that no index can be made; other errors: the removal may not
 * be durable, call it again.
 */
int journal_prune(const struct io *io, const char *path, const uint8_t id[JOURNAL_ID_SIZE],
	uint64_t first_seq, const struct journal_place *record, journal_entry_fn entry);

#endif
