/* SPDX-License-Identifier: Apache-2.0 */
/* A frame as the formats of X-ray spectra have it: counts per channel, one spectrum per file. */
#ifndef ASSAY_EXPORT_XRAY_H
#define ASSAY_EXPORT_XRAY_H

#include "export.h"
#include "spectrum.h"

struct xray {
	struct spectrum spectrum;
	bool is_calibrated;
	double zero, gain; /* keV; of channel 0, per channel */
	double live, real; /* s; 0: not known */
	uint64_t start;    /* ns since 1970: the time of receipt less the real time */
};

/*
 * Reads the item and chooses a file for it.  1; 0: it is no frame, or one that is left out with a
 * note: of another kind, not finite, or for a format `of_integers` with counts that are not whole;
 * or a negative errno.
 */
int xray_take(struct export *e, const struct export_item *item, bool of_integers, struct xray *x);

enum xray_time {
	XRAY_US,   /* "11/29/2026 21:40:00" */
	XRAY_DAY,  /* "29-Nov-2026" */
	XRAY_HOUR, /* "21:40" */
};

/* Of the start, UTC. */
void xray_put_time(struct buffer *to, const struct xray *x, enum xray_time form);

#endif
