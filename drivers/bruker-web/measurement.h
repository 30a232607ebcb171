/* SPDX-License-Identifier: Apache-2.0 */
/* The interferogram of an OPUS file, and the parameters with which it was measured. */
#ifndef BRUKER_WEB_MEASUREMENT_H
#define BRUKER_WEB_MEASUREMENT_H

#include "opus.h"
#include "transform.h"

#define WHY_MAX 200

/* Absent numbers are 0, absent texts empty.  Borrows the file's bytes. */
struct measurement {
	struct scan scans[2]; /* forward; backward, in the order of time */
	size_t scan_count;
	double factor; /* true value = stored value * factor */
	double laser;  /* wavenumbers in cm-1 */
	double limit; /* that of half a wave per point, 0: unknown; the points are 1 / (2 limit) apart */
	double resolution, phase_resolution, low, high;
	int64_t coadded; /* scans averaged by the instrument */
	bool is_intact; /* all numbers finite, greatest and least as stated, centre bursts as stated */
	char apodization[16], phase[16], zero_filling[16], mode[16], time[64];
};

/* 0, or -EBADMSG with the reason in why[WHY_MAX]. */
int measurement_read(const struct opus *file, enum opus_of of, struct measurement *out, char *why);

/* The sample's measurement of a file, as the instrument delivers it: the same. */
int measurement_open(struct measurement *out, const uint8_t *bytes, size_t len, char *why);

#endif
