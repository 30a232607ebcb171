/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The time when the next frame is due: whole multiples of `every` since 1970 UTC, so that
 * instruments with the same period fire together.  Missed frames are counted by the steady clock,
 * so that a change of the wall clock loses none.
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

/* Starts: due at the next multiple. */
void pace_start(struct pace *pace, uint64_t every, uint64_t utc, uint64_t boot);

/* The first frame is made at once; `due` stays the time of the next one. */
void pace_at_once(struct pace *pace);

/* There was nothing to make a frame of until now: no multiple that went by was missed. */
void pace_idle(struct pace *pace, uint64_t utc, uint64_t boot);

/* A frame was made for `due`: sets the next multiple after now, returns how many were missed. */
uint64_t pace_next(struct pace *pace, uint64_t utc, uint64_t boot);

#endif
