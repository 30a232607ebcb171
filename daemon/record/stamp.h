/* SPDX-License-Identifier: Apache-2.0 */
/* When something was received, and how well the clock knew it. */
#ifndef ASSAY_RECORD_STAMP_H
#define ASSAY_RECORD_STAMP_H

#include <stdint.h>

#include <assay/record.h>

#include "base/buffer.h"

struct stamp {
	uint64_t utc;  /* ns since 1970 UTC */
	uint64_t mono; /* CLOCK_BOOTTIME, ns; 0: not given */
	uint64_t unc;  /* ns; 0: not given */
	enum assay_sync sync;
	const char *dev; /* the instrument's own time, borrowed; NULL: none */
};

/*
 * The time now.  `sync` and `unc` are what the kernel says through adjtimex(2): "ntp" while some
 * daemon disciplines the clock, with its maximum error; otherwise "rtc", or "none" when the clock
 * is before the program was built, and then without uncertainty.  It is asked at most once a
 * second, which is how often it renews its estimate.  `dev` is NULL.  Any thread.
 */
struct stamp stamp_now(void);

/* Appends the map. */
void stamp_encode(struct buffer *to, const struct stamp *stamp);

#endif
