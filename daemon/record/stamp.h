/* SPDX-License-Identifier: Apache-2.0 */
/* The time of a receipt, and the uncertainty of the clock. */
#ifndef ASSAY_RECORD_STAMP_H
#define ASSAY_RECORD_STAMP_H

#include <stdbool.h>
#include <stdint.h>

#include <assay/record.h>

#include "base/buffer.h"

struct stamp {
	uint64_t utc;  /* ns since 1970 UTC */
	uint64_t mono; /* CLOCK_BOOTTIME, ns; 0: not given */
	uint64_t unc;  /* ns; 0: not given */
	enum assay_sync sync;
	bool is_unread;  /* how the clock is kept is not known now; not encoded */
	const char *dev; /* the instrument's own time, borrowed; NULL: none */
};

/*
 * The time now.  `sync` and `unc` come from the kernel: "ntp" while a daemon disciplines the clock,
 * with the maximum error; otherwise, and while that is unknown, without uncertainty "rtc", or "none"
 * if the clock is before 2024.  It is read at most once a second, the interval in which the kernel
 * renews its estimate.  `dev` is NULL.  Any thread.
 */
struct stamp stamp_now(void);

/* Where a process reads this: a file of assay-clock, borrowed; NULL: adjtimex(2).  Before threads. */
void stamp_source(const char *file);

/* Appends the map. */
void stamp_encode(struct buffer *to, const struct stamp *stamp);

#endif
