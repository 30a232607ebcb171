/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The contents of index files at one point of a journal: the last seq of every topic, the place of
 * every entry of one segment.  An index file that is missing or damaged is rebuilt from the segments.
 */
#ifndef ASSAY_JOURNAL_TABLES_H
#define ASSAY_JOURNAL_TABLES_H

#include "journal/index.h"
#include "journal/listing.h"
#include "journal/scan.h"

/* The first part is the caller's; all of it borrowed. */
struct tables {
	const struct io *io;
	int dir;
	const uint8_t *id; /* of the journal */
	journal_entry_fn entry;
	const struct listing *listing;
	struct topics *topics;
	struct journal_report *report; /* gaps, odd entries and rebuilt index files are added */

	struct index index; /* of the last segment read */
	uint64_t last_tc;
};

/* Frees the index; `topics` is the caller's. */
void tables_finish(struct tables *tables);

/*
 * Opens an item's segment; -EBADMSG (`scan` is still open) also when it is some other one's.
 * Other errors as scan_open.
 */
int tables_open_segment(const struct tables *tables, size_t at, struct scan *scan);

/*
 * Reads the header of an item's index file.  -ENOENT: there is none; -EBADMSG: it is damaged, or
 * of some other segment.
 */
int tables_read_header(const struct tables *tables, size_t at, struct index_header *header);

/* Sets the tables to the end of item `at` from its index file alone.  1: the file is not usable. */
int tables_load_index(struct tables *tables, size_t at);

/*
 * Sets the tables to their state before item `at`.  Reads segments without a sound index and rebuilds
 * their index.  Segments that cannot be read are gaps.  0 or a negative errno.
 */
int tables_load(struct tables *tables, size_t at);

/* Writes the index file of a segment from the tables; without it the next start takes longer. */
void tables_write_index(struct tables *tables, const struct segment_header *segment);

#endif
