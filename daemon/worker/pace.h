/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the next frame is due: at whole multiples of `every` since 1970 UTC, so that instruments
 * with the same period fire together.  What is counted as missed is judged by the steady clock, so
 * that setting the wall clock loses nothing.
 */
#ifndef ASSAY_WORKER_PACE_H
#define ASSAY_WORKER_PACE_H

#include <stdint.h>

struct pace {
	uint64_t every; /* ns; 0: no pace */
	uint64_t due;   /* clock_boot(); 0: at once */
};

/* Begins: due at the next multiple. */
void pace_begin(struct pace *pace, uint64_t every, uint64_t utc, uint64_t boot);

/* A frame was made for `due`: the next multiple after now.  Returns how many were missed. */
uint64_t pace_next(struct pace *pace, uint64_t utc, uint64_t boot);

#endif
