/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fetches the words of one scan or of one series of single masses.
 */
#ifndef ASSAY_SRS_RGA_ACQUIRE_H
#define ASSAY_SRS_RGA_ACQUIRE_H

#include <assay/driver.h>

#include "replies.h"
#include "scan.h"

#define RGA_EXTRA_MAX 64 /* bytes kept after the end of a scan */

/* The driver's state, from identify, configure and start. */
struct rga {
	unsigned mass_max; /* 0: not reported by the head */
	bool has_multiplier;
	bool filament_on, multiplier_on; /* by us */
	bool busy;                       /* a scan or a single mass runs or was abandoned */
	bool owes_reply;                 /* the last exchange was cut off */
	bool series_open;                /* the quadrupole is set to a single mass */
	bool is_lossy;                   /* the last scan was not whole; logged */
	bool tripped;                    /* the head has switched the filament off */
	enum rga_mode mode;
	size_t points;
	double word_ms;             /* the expected time between two words */
	uint64_t done;              /* frames of this measurement */
	struct rga_replies replies; /* read back once per start */
	size_t replies_fixed;       /* their length; the status of the frame follows them */
	size_t have;
	uint8_t bytes[(RGA_POINTS_MAX + 1) * RGA_WORD + RGA_EXTRA_MAX];
};

/* How long one word is expected to take. */
double rga_word_ms(enum rga_mode mode, unsigned noise_floor);

/*
 * Reads one scan into rga->bytes.  If bytes are missing only from the last word, or there are too
 * many, rga->have differs from 4 * (points + 1) and the head has been recovered.  Fewer bytes than
 * the points need are -EBADMSG, none at all -ETIMEDOUT.
 */
int rga_fetch_scan(struct assay_instrument *ins);

/* Reads one series of single masses, and the total pressure after it if the settings request it. */
int rga_fetch_series(struct assay_instrument *ins);

#endif
