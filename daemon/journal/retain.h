/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Closed segments: what there is to be copied to an archive, and removing what may go.  Nothing
 * here decides that something may go.  Any thread may call these while the journal is written;
 * they work on files alone and need no open journal.
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
	uint64_t size;                   /* of the file in bytes; 0 when it was removed */
	bool is_closed;                  /* never written again */
	bool is_removed;                 /* by journal_prune: only the index is there */
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
 * Removes the closed segment that begins with `first_seq`.  Its index stays (it is made anew first
 * when it is not sound) and is durable before the segment goes, so that readers tell the gap as
 * JOURNAL_GAP_PRUNED and no topic's last seq is forgotten.  0 when it is, or already was, removed
 * for good.  -ENOENT: no segment begins there; -EBUSY: it is the last one of the current journal,
 * which may be written; -EBADMSG: it is damaged so that no index can be made; other errors: the
 * removal may or may not last, calling again is right.
 */
int journal_prune(const struct io *io, const char *path, const uint8_t id[JOURNAL_ID_SIZE],
	uint64_t first_seq, journal_entry_fn entry);

#endif
