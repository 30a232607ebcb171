/* SPDX-License-Identifier: Apache-2.0 */
/* Which files a journal's folder holds, in order. */
#ifndef ASSAY_JOURNAL_CATALOG_H
#define ASSAY_JOURNAL_CATALOG_H

#include "journal/segment.h"

struct catalog_item {
	uint64_t first_seq;
	bool has_segment, has_index; /* an index alone: the segment was removed on purpose */
};

struct catalog {
	struct catalog_item *list; /* by first_seq */
	size_t count, size;
	bool has_unfinished; /* a segment that was never given its name */
};

/* Frees the list; legal on a zeroed one. */
void catalog_finish(struct catalog *catalog);

/* Reads the folder, replacing what the catalog held.  Unknown names are passed over. */
int catalog_load(struct catalog *catalog, const struct io *io, int dir);

/* The place of the last item that begins at or before `seq`; -1: none. */
ssize_t catalog_find(const struct catalog *catalog, uint64_t seq);

/* The last seq that belongs to an item; UINT64_MAX for the last one. */
uint64_t catalog_limit(const struct catalog *catalog, size_t at);

#endif
