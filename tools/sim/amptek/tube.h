/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spectrum of an X-ray tube with a massive anode, after H. Ebel, X-Ray Spectrometry 28 (1999)
 * 255 and 32 (2003) 46: bremsstrahlung and the anode's K and L lines with their self-absorption.
 */
#ifndef ASSAY_SIM_AMPTEK_TUBE_H
#define ASSAY_SIM_AMPTEK_TUBE_H

#include <stddef.h>

#include "emission.h"

#define TUBE_PHOTONS_MAX 1024

/* `number` photons of one energy per s, mA and sr. */
struct photons {
	double kev, number;
};

/* Fills `out` and returns the number of entries; 0 if the tube is off. */
size_t tube_spectrum(const struct tube *tube, struct photons out[TUBE_PHOTONS_MAX]);

#endif
