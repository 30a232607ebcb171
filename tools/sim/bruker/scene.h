/* SPDX-License-Identifier: Apache-2.0 */
/* The light that reaches the detector: source, beam splitter, air and sample. */
#ifndef ASSAY_SIM_BRUKER_SCENE_H
#define ASSAY_SIM_BRUKER_SCENE_H

struct scene_band {
	double centre, width, absorbance; /* cm-1, full width at half maximum, at the centre */
};

struct scene_sample {
	const char *name;
	const struct scene_band *bands; /* end with a width of 0 */
};

/* NULL when there is none of that name; "none" is the open beam. */
const struct scene_sample *scene_find(const char *name);

/* Relative power of source `code` (SRC) at a wavenumber, behind optics and detector; 0 if off. */
double scene_source(int code, double wavenumber);

/* Transmittance of the air and of the sample. */
double scene_transmittance(const struct scene_sample *sample, double wavenumber);

#endif
