/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetching the words of one scan or of one series of single masses.
 */
#ifndef ASSAY_SRS_RGA_ACQUIRE_H
#define ASSAY_SRS_RGA_ACQUIRE_H

#include <assay/driver.h>

#include "replies.h"
#include "scan.h"

#define RGA_EXTRA_MAX 64 /* bytes kept of what came behind a whole scan */

/* The driver's state: what identify, configure and start found out. */
struct rga {
	unsigned mass_max; /* 0: the head does not know */
	bool has_multiplier;
	bool filament_on, multiplier_on; /* by us */
	bool busy;        /* a scan or a single mass is on its way, or was given up */
	bool series_open; /* the quadrupole stands on a single mass */
	bool told_lost;   /* of bytes lost, since the last scan that was whole */
	bool tripped;     /* the head switched the filament off by itself */
	enum rga_mode mode;
	size_t points;
	double word_ms;             /* the expected time between two words */
	uint64_t done;              /* frames of this measurement */
	struct rga_replies replies; /* read back once per start */
	size_t replies_fixed;       /* their length; behind them stands the frame's status */
	size_t have;
	uint8_t bytes[(RGA_POINTS_MAX + 1) * RGA_WORD + RGA_EXTRA_MAX];
};

/* How long one word is expected to take. */
double rga_word_ms(enum rga_mode mode, unsigned noise_floor);

/*
 * Reads one scan into rga->bytes.  A byte count that is wrong by a part of the last word or by
 * bytes too many leaves rga->have other than 4 * (points + 1), after the head was brought back
 * into step; fewer bytes than the points need is -EBADMSG, none at all -ETIMEDOUT.
 */
int rga_fetch_scan(struct assay_instrument *ins);

/* Reads one series of single masses, and the total pressure behind it where that is asked for. */
int rga_fetch_series(struct assay_instrument *ins);

#endif
