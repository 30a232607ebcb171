/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the kernel's clock is kept.  The call that reads this also sets the clock, so the unit of the
 * core does not allow it: there assay-clock reads it, in a unit of its own, and writes it to a file.
 */
#ifndef ASSAY_BASE_CLOCK_STATE_H
#define ASSAY_BASE_CLOCK_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define CLOCK_STATE_EVERY (2 * NS_PER_S) /* between two writes */
#define CLOCK_STATE_VALID (8 * NS_PER_S) /* an older file is not believed */
#define CLOCK_STATE_TEXT  72             /* enough for a file */

struct clock_state {
	uint64_t boot; /* CLOCK_BOOTTIME when it was read, ns */
	uint64_t unc;  /* the greatest error, ns; 0: not given */
	bool is_synchronised;
	bool is_unknown; /* nothing below this is meant; never in a file */
};

/* Asks the kernel: adjtimex(2). */
struct clock_state clock_state_read(void);

/* The content of a file; its length. */
int clock_state_format(char text[CLOCK_STATE_TEXT], const struct clock_state *state);

/*
 * Reads a file that was written at most CLOCK_STATE_VALID before; its `unc` includes the drift since
 * then.  Any other file, or none: unknown.
 */
struct clock_state clock_state_load(const char *path);

#endif
