/* SPDX-License-Identifier: Apache-2.0 */
/* Decides which segments of the journal may be removed: a pure function.  Any thread. */
#ifndef ASSAY_CORE_KEEP_CHOOSE_H
#define ASSAY_CORE_KEEP_CHOOSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "journal/journal.h"

enum retention_why {
	RETENTION_WANTED, /* neither old nor too much */
	RETENTION_OPEN,   /* it may still be written */
	RETENTION_NOT_ARCHIVED,
	RETENTION_NOT_PASSED, /* a durable cursor needs it */
	RETENTION_TOO_OLD,    /* it goes */
	RETENTION_TOO_MUCH,   /* it goes */
};

struct retention_segment {
	uint8_t journal[JOURNAL_ID_SIZE];
	uint64_t first, last;
	uint64_t first_tc, last_tc; /* 0: not known */
	uint64_t size;
	bool is_closed, is_archived, is_passed;
	enum retention_why why; /* the answer */
};

struct retention_policy {
	uint64_t age_ns, size; /* 0: no reason for anything to go */
	uint64_t now;          /* UTC, a time that may decide */
};

/* Sorts the segments, oldest first, and sets `why` of each.  Returns how many are to be removed. */
size_t retention_choose(
	struct retention_segment *segments, size_t count, const struct retention_policy *policy);

static inline bool retention_goes(enum retention_why why)
{
	return why == RETENTION_TOO_OLD || why == RETENTION_TOO_MUCH;
}

#endif
