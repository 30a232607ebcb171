/* SPDX-License-Identifier: Apache-2.0 */
/* A silicon drift detector behind a beryllium window and a centimetre of air. */
#ifndef ASSAY_SIM_AMPTEK_DETECTOR_H
#define ASSAY_SIM_AMPTEK_DETECTOR_H

#include <stddef.h>

struct detector {
	double noise_kev; /* standard deviation of the electronics' noise */
	double *expected; /* borrowed: photons per second and bin */
	size_t bins;
	double bin_kev;
};

/* `fwhm` in eV at 5.895 keV; if the Fano effect alone makes more, the noise is zero. */
void detector_init(struct detector *d, double fwhm, double *expected, size_t bins, double bin_kev);

/*
 * Adds `rate` incident photons per second of one energy: the absorbed share, as a peak with its
 * escape peak.  `spread` is a further standard deviation (Doppler), in keV.
 */
void detector_add(struct detector *d, double kev, double rate, double spread);

/* Adds the flat shelf below every peak that incomplete charge collection makes; call once. */
void detector_add_shelf(struct detector *d);

#endif
