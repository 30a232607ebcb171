/* SPDX-License-Identifier: Apache-2.0 */
/* From the samples of a scan to intensities over wavelengths.  Pure. */
#ifndef NIRSCAN_SPECTRUM_H
#define NIRSCAN_SPECTRUM_H

#include "scan.h"

#define WHY_MAX 160

struct spectrum {
	int32_t dark;    /* mean of the dark patterns */
	double *nm;      /* of all patterns that are not dark, section after section */
	int32_t *counts; /* the same, less `dark` */
	size_t count;
};

/* The room that a spectrum needs: of each of its arrays. */
size_t spectrum_points(const struct scan *s);

/*
 * Fills a spectrum whose arrays have room.  -EBADMSG: it is not possible, with the reason in `why`,
 * which holds WHY_MAX; *is_malformed then is true if the scan contradicts itself.
 */
int spectrum_compute(const struct scan *s, struct spectrum *out, char *why, bool *is_malformed);

/* Whether both have the same points and scale; else -EBADMSG with the reason. */
int spectrum_compare(const struct scan *s, const struct scan *reference, char *why);

#endif
