/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The meaning of a scan's bytes: pure arithmetic on the head's replies and binary words.
 */
#ifndef ASSAY_SRS_RGA_SCAN_H
#define ASSAY_SRS_RGA_SCAN_H

#include <assay/driver.h>

#include "status.h"

#define RGA_MASS_MAX     300
#define RGA_POINTS_MAX   ((RGA_MASS_MAX - 1) * 25 + 1) /* analog, 1 to 300 u, 25 points per u */
#define RGA_WORD         4
#define RGA_COUNTS_PER_A 1e16 /* one count is 1e-16 A; dividing by this rounds only once */

#define RGA_MEDIA_REPLIES "application/x-srs-rga-replies"
#define RGA_MEDIA_SCAN    "application/x-srs-rga-scan"

enum rga_mode {
	RGA_ANALOG = 1,
	RGA_HISTOGRAM,
	RGA_SERIES, /* single masses, one after the other */
};

/* A scan as the replies stored with it describe it. */
struct rga_scan {
	enum rga_mode mode;
	size_t points;               /* words without the total-pressure word */
	unsigned first, per_u;       /* RGA_ANALOG, RGA_HISTOGRAM: first mass; points per u */
	double masses[RGA_MASS_MAX]; /* RGA_SERIES */
	bool total_pressure;         /* the word after the points is a measurement */
	double multiplier_v;         /* HV?, 0 without */
	struct rga_status status;
};

/*
 * Reads the replies.  Returns 0, or -EBADMSG if one is missing, is no number or is out of the
 * command's range, or if the number of points does not follow from the masses.
 */
int rga_scan_read(
	const struct assay_host *host, const char *replies, size_t len, struct rga_scan *scan);

/*
 * The stored factors for the conversion to pressure: SP and ST in mA/Torr, MG as gain / 1000.
 * Returns 0, or -EBADMSG if the replies do not have them, or if the gain is needed and 0.
 */
struct rga_sensitivity {
	double pa_per_count;       /* of a point */
	double total_pa_per_count; /* of the total-pressure word */
};
int rga_sensitivity_read(const struct assay_host *host, const char *replies, size_t len,
	double multiplier_v, struct rga_sensitivity *out);

/*
 * Whether the stored factors hold for the scan: the gain is stored for one voltage of the
 * multiplier (MV), and the sensitivities for one emission.  If not, the reason is in `why`.
 */
bool rga_sensitivity_holds(const struct assay_host *host, const char *replies, size_t len,
	const struct assay_settings *settings, double multiplier_v, char *why, size_t size);

/* Word i of the bytes: two's complement, little-endian. */
int32_t rga_word(const uint8_t *bytes, size_t i);

/* The driver's decode slot. */
int rga_decode(const struct assay_decoding *in, struct assay_frame *out);

/*
 * Reads "SRSRGA200VER0.24SN12226" into `id`.  *mass_max is 0 if the head does not report it
 * ("???").  Returns 0 or -EBADMSG.
 */
int rga_identity_read(const struct assay_host *host, const char *text, struct assay_identity *id,
	unsigned *mass_max);

#endif
