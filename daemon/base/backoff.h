/* SPDX-License-Identifier: Apache-2.0 */
/* The wait before the next attempt: doubled each time, with random jitter. */
#ifndef ASSAY_BASE_BACKOFF_H
#define ASSAY_BASE_BACKOFF_H

#include <stdint.h>

/* Zero to start; set to zero again after a time of success. */
struct backoff {
	uint64_t wait; /* the last one, without its jitter */
};

/*
 * The next wait in nanoseconds: `first`, then doubled each time up to `most`, less a random part
 * of up to a quarter.
 */
uint64_t backoff_next(struct backoff *backoff, uint64_t first, uint64_t most);

#endif
