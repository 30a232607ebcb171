/* SPDX-License-Identifier: Apache-2.0 */
/* The time of a receipt, and the uncertainty of the clock. */
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
 * The time now.  `sync` and `unc` come from adjtimex(2): "ntp" while a daemon disciplines the clock,
 * with the maximum error; otherwise without uncertainty "rtc", or "none" if the clock is before
 * 2024.  adjtimex() is called at most once a second, the interval in which the kernel renews its
 * estimate.  `dev` is NULL.  Any thread.
 */
struct stamp stamp_now(void);

/* Appends the map. */
void stamp_encode(struct buffer *to, const struct stamp *stamp);

#endif
