/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which segments were copied to an archive, with the SHA-256 that the core itself found in its own
 * files then.  Kept in <path>/archived/<journal id>, a sequence of CBOR maps {first, last, sha256,
 * to, utc}; a torn end is cut off.  A segment that is not in here has no copy that we know of.
 *
 * One thread at a time.
 */
#ifndef ASSAY_CORE_KEEP_ARCHIVED_H
#define ASSAY_CORE_KEEP_ARCHIVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <assay/record.h>

#include "journal/journal.h"

struct archived;

struct archived_segment {
	uint8_t journal[JOURNAL_ID_SIZE];
	uint64_t first, last; /* seqs */
	uint8_t sha256[ASSAY_SHA256_SIZE];
};

/* Reads the notes below the journal's `path`; no folder yet is none.  Owned through `out`. */
int archived_open(struct archived **out, const char *path);
void archived_close(struct archived *archived);

/*
 * Notes segments (copied) of one journal durably: 0 if they survive a power cut.  The copies are at
 * `to` and were confirmed at `utc`.
 */
int archived_add(struct archived *archived, const struct archived_segment *segments, size_t count,
	const char *to, uint64_t utc);

/*
 * The note of the segment that starts with seq `first`, borrowed until archived_add(); NULL: none.
 */
const struct archived_segment *archived_find(
	const struct archived *archived, const uint8_t journal[JOURNAL_ID_SIZE], uint64_t first);

/* Takes the notes of one journal from memory, also for fuzzing; how many bytes are sound. */
size_t archived_take(struct archived *archived, const uint8_t journal[JOURNAL_ID_SIZE],
	const uint8_t *data, size_t len);

#endif
