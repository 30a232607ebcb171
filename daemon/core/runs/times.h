/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The times that a worker sends, against the clocks of the core.  Both read the same clocks, so a time
 * on CLOCK_BOOTTIME after now is wrong for certain.  UTC follows from it by the core's clock; a
 * difference means that the clock was set in between, or that the worker is wrong.
 */
#ifndef ASSAY_CORE_RUNS_TIMES_H
#define ASSAY_CORE_RUNS_TIMES_H

#include <stdint.h>

struct times {
	uint64_t utc, mono; /* mono: CLOCK_BOOTTIME */
};

/*
 * 0: right; 1: `utc` was wrong, and is corrected; -EBADMSG: `mono` is later than now or earlier than
 * `since`.
 */
int times_check(struct times *times, uint64_t since, const struct times *now);

#endif
