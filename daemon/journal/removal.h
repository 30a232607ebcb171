/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The proof that a segment was removed on purpose: a note beside its index (place.h) that names the
 * entry which records the removal.  That entry may be in a later journal.
 */
#ifndef ASSAY_JOURNAL_REMOVAL_H
#define ASSAY_JOURNAL_REMOVAL_H

#include "journal/journal.h"

/* A segment that is gone. */
struct removed_segment {
	uint8_t journal[JOURNAL_ID_SIZE];
	uint64_t first, last; /* seqs */
};

/* Reads the segment that an entry records as removed.  0 or -EBADMSG: it records no removal. */
typedef int (*removal_entry_fn)(const uint8_t *entry, size_t len, uint8_t journal[JOURNAL_ID_SIZE],
	uint64_t *first, uint64_t *last);

/* Writes the note of the segment that starts with `first_seq` into its folder, durably. */
int removal_note(
	const struct io *io, int dir, uint64_t first_seq, const struct journal_place *record);

/*
 * Is the removal of this segment recorded?  `dir` is its folder, `path` that of all journals.  A
 * record whose own segment was removed later is believed.
 */
bool removal_is_recorded(const struct io *io, const char *path, int dir,
	const struct removed_segment *segment, removal_entry_fn read);

#endif
