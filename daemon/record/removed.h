/* SPDX-License-Identifier: Apache-2.0 */
/* The audit record `segment-removed`: which file of a journal was removed, and why. */
#ifndef ASSAY_RECORD_REMOVED_H
#define ASSAY_RECORD_REMOVED_H

#include "record/encode.h"

struct removed_record {
	const uint8_t *journal; /* ASSAY_UUID_SIZE bytes */
	uint64_t first, last;   /* seqs */
	uint64_t bytes;         /* of the file */
	uint64_t from, to;      /* commit times */
	const char *why;
};

/* Writes the map `after` of the record. */
void removed_write(struct buffer *to, const struct removed_record *removed);

/* Reads an entry with such a record: the removal_entry_fn of the journal.  0 or -EBADMSG. */
int removed_read(const uint8_t *entry, size_t len, uint8_t journal[ASSAY_UUID_SIZE],
	uint64_t *first, uint64_t *last);

#endif
