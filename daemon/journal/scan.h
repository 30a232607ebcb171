/* SPDX-License-Identifier: Apache-2.0 */
/* Walks over the records of a segment file, sound or not, with one window of memory. */
#ifndef ASSAY_JOURNAL_SCAN_H
#define ASSAY_JOURNAL_SCAN_H

#include "journal/segment.h"

struct scan {
	const struct io *io;
	int fd;
	struct segment_header header;
	uint64_t size;   /* of the file, when it was opened or last refreshed */
	uint64_t offset; /* of the next record */
	uint64_t next;   /* the seq it must have if it is an entry */

	uint8_t *window;
	size_t window_size, window_len;
	uint64_t window_at;
};

enum scan_result {
	SCAN_END,    /* the file ends here */
	SCAN_RECORD, /* a sound record */
	SCAN_BAD,    /* bytes that are no sound record: see scan_ahead */
};

/* The records behind a bad one. */
struct scan_ahead {
	uint64_t synced_upto; /* the highest that any later header names, 0: none */
	uint64_t offset, seq; /* the first sound entry after it, seq 0: none */
	bool is_clean;        /* the last sound header is a clean end */
};

/*
 * Opens `name` in `dir` and reads its header.  -EPROTONOSUPPORT: a later version wrote it.  -EBADMSG: the header is not a segment's; then `size`
 * is set, and the caller must call scan_close().  Other errors leave nothing to close.
 */
int scan_open(struct scan *scan, const struct io *io, int dir, const char *name);

/* Legal on a zeroed one. */
void scan_close(struct scan *scan);

/*
 * Reads the record at `offset`.  If it is sound, moves behind it and lets `body` point to its bytes
 * (borrowed until the next call; NULL: the body is neither read nor checked).  Returns a scan_result
 * or a negative errno.
 */
int scan_next(struct scan *scan, struct record *record, const uint8_t **body);

/* Searches everything behind the bad record at `offset`; the position does not change. */
int scan_ahead(struct scan *scan, struct scan_ahead *ahead);

/* Sets the position, after scan_ahead or from an index. */
void scan_seek(struct scan *scan, uint64_t offset, uint64_t next);

#endif
