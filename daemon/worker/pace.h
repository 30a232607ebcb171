/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When the next frame is due: at whole multiples of `every` since 1970 UTC, so that instruments
 * with the same period fire together.  What is counted as missed is judged by the steady clock, so
 * that setting the wall clock loses nothing.
 */
#ifndef ASSAY_WORKER_PACE_H
#define ASSAY_WORKER_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
	uint64_t every; /* ns; 0: no pace */
	uint64_t due;   /* clock_boot(); 0: no pace */
	bool is_ahead;  /* the frame to come is made before `due` */
};

/* Begins: due at the next multiple. */
void pace_start(struct pace *pace, uint64_t every, uint64_t utc, uint64_t boot);

/* The first frame is made at once; what is due next stays due. */
void pace_at_once(struct pace *pace);

/* A frame was made for `due`: the next multiple after now.  Returns how many were missed. */
uint64_t pace_next(struct pace *pace, uint64_t utc, uint64_t boot);

#endif
