/* SPDX-License-Identifier: Apache-2.0 */
/* The files in a journal's folder, in order. */
#ifndef ASSAY_JOURNAL_LISTING_H
#define ASSAY_JOURNAL_LISTING_H

#include "journal/segment.h"

struct listing_item {
	uint64_t first_seq;
	/* An index without a segment: that was removed on purpose if there is a note, or is missing. */
	bool has_segment, has_index, has_note;
};

struct listing {
	struct listing_item *list; /* by first_seq */
	size_t count, size;
	bool has_unfinished; /* a segment that was never given its name */
};

/* Frees the list; legal on a zeroed one. */
void listing_finish(struct listing *listing);

/* Reads the folder again.  Unknown names are skipped. */
int listing_load(struct listing *listing, const struct io *io, int dir);

/* The place of the last item that starts at or before `seq`; -1: none. */
ssize_t listing_find(const struct listing *listing, uint64_t seq);

/* The last seq that belongs to an item; UINT64_MAX for the last one. */
uint64_t listing_limit(const struct listing *listing, size_t at);

#endif
