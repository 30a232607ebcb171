/* SPDX-License-Identifier: Apache-2.0 */
/* How long to wait before the next try: twice as long each time, and never quite the same. */
#ifndef ASSAY_BASE_BACKOFF_H
#define ASSAY_BASE_BACKOFF_H

#include <stdint.h>

/* Zero is the beginning, and what it is set to once things have worked for a while. */
struct backoff {
	uint64_t wait; /* the last one, without its jitter */
};

/*
 * The next wait in nanoseconds: `first`, then doubled each time up to `most`, less a random part
 * of up to a quarter.
 */
uint64_t backoff_next(struct backoff *backoff, uint64_t first, uint64_t most);

#endif
