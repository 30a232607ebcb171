/* SPDX-License-Identifier: Apache-2.0 */
/* From the interferogram of a measurement to its spectrum, by the settings of the driver. */
#ifndef BRUKER_WEB_PROCESSING_H
#define BRUKER_WEB_PROCESSING_H

#include <assay/driver.h>

#include "measurement.h"

/* The steps of the settings; a number that is 0 is that of the file. */
struct processing {
	const struct apodization *apodization;
	size_t zero_filling;
	double phase_resolution, low, high;
};

/* Values from `low` on, each `step` further; at[0] is point `first` of the transform. */
struct spectrum {
	double *at;
	double low, step;
	size_t first, count;
	bool is_short; /* the scan ends before the path difference of the stated resolution */
	struct recipe recipe;
	double resolution, phase_resolution; /* of the spectrum, which is coarser then */
};

/*
 * Computes the single-beam spectrum in memory of the frame.  0; -ENOMEM; or -EBADMSG with the reason
 * in why[WHY_MAX] if the measurement does not allow it.
 */
int processing_run(const struct processing *p, const struct measurement *m,
	struct assay_frame *frame, struct spectrum *out, char *why);

/*
 * Divides a spectrum by that of its background; a point that cannot be divided becomes NaN.  Returns the
 * number of these points.
 */
size_t spectrum_divide(struct spectrum *sample, const struct spectrum *background);

/* From transmittance to absorbance; NaN where nothing was transmitted.  Returns their number. */
size_t spectrum_absorb(struct spectrum *s);

#endif
