/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spectrum that a detector records from a sample in the beam of an X-ray tube: characteristic
 * lines with cross-sections, yields and radiative rates from xraylib, the tube's lines and
 * bremsstrahlung scattered by the sample, escape peaks, and the detector's resolution.  Computed
 * once into a table of 5 eV bins from which photons are drawn.
 *
 * Model: thick flat sample, primary fluorescence only (no enhancement by other lines).
 */
#ifndef ASSAY_SIM_AMPTEK_EMISSION_H
#define ASSAY_SIM_AMPTEK_EMISSION_H

#include <stddef.h>
#include <stdint.h>

#include "framework/random.h"
#include "sample.h"

#define EMISSION_BIN_KEV 0.005

struct tube {
	int anode; /* atomic number */
	double kv, ua;
};

struct emission {
	size_t bins;
	double rate;      /* photons per second that the detector absorbs */
	double *expected; /* per bin, photons per second */
	/* Walker's alias table over the bins */
	double *keep;
	uint32_t *other;
};

/*
 * Fills a zeroed `emission`, owned by the caller until emission_finish().  `fwhm` is the
 * detector's resolution at 5.895 keV in eV; `rate` > 0 scales the spectrum to that many photons per
 * second.  A tube of 0 kV or 0 uA makes no photons.  0 or -ENOMEM.
 */
int emission_init(struct emission *emission, const struct sample *sample, const struct tube *tube,
	double fwhm, double rate);

/* Legal on a zeroed one. */
void emission_finish(struct emission *emission);

/* Energy in keV of one photon; emission->rate must be positive. */
double emission_draw(const struct emission *emission, struct sim_random *random);

#endif
