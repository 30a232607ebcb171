/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The quality of a frame: one flag, and reasons out of a closed list.  It rates the reading as a
 * reading of the instrument; it is not the result of a QC sample.
 */
#ifndef ASSAY_RECORD_QUALITY_H
#define ASSAY_RECORD_QUALITY_H

#include <assay/record.h>

#include "base/buffer.h"

#define QUALITY_REASONS_MAX 16

struct quality {
	enum assay_quality_flag flag;
	const char *why[QUALITY_REASONS_MAX]; /* from quality_reason(), or static */
	size_t why_count;
	uint64_t retries, dropped; /* 0: absent */
};

/* The i-th reason of the list, with its meaning if `meaning` is not NULL; NULL after the last. */
const char *quality_reason_at(size_t i, const char **meaning);

/* The list's own copy of this reason, static; NULL when it is none. */
const char *quality_reason(struct assay_string word);

/*
 * Lowers the flag to `flag` if that is worse (bad is worse than suspect, missing is worst), and
 * adds `reason`, once; NULL adds none.  `reason` must be one of the list.
 */
void quality_lower(struct quality *quality, enum assay_quality_flag flag, const char *reason);

/* Appends the map. */
void quality_encode(struct buffer *to, const struct quality *quality);

#define QUALITY_LIST_MAX 32 /* reasons in the list: bits of a worker's frame */

/* Frames of a run, by flag and by reason. */
struct quality_counts {
	uint64_t flags[ASSAY_QUALITY_MISSING + 1], reasons[QUALITY_LIST_MAX];
};

/* Counts one frame, as it is made or as it was read. */
void quality_count(struct quality_counts *counts, const struct quality *quality);
void quality_count_read(struct quality_counts *counts, const struct assay_frame_view *frame);

/* The worst flag that was counted; 0: none was. */
unsigned quality_worst(const struct quality_counts *counts);

/* Appends {"flags": {...}, "why": {...}}; only what was counted. */
void quality_counts_encode(struct buffer *to, const struct quality_counts *counts);

#endif
