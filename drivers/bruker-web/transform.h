/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an interferogram to a single-beam spectrum, with phase correction by Mertz.  Pure.
 *
 * The order of steps and the rules for sizes reproduce the spectra of Bruker's OPUS: subtract the
 * mean; weigh by the apodization up to a path difference of 0.9 / resolution; transform with the
 * centre burst at index 0; multiply by the conjugate of the phase, a unit vector that is computed
 * in the same manner at a low resolution and interpolated; take the real part.
 */
#ifndef BRUKER_WEB_TRANSFORM_H
#define BRUKER_WEB_TRANSFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "apodization.h"
#include "fourier.h"

/* One scan in one direction: 32-bit floats as in the file, and the index of the centre burst. */
struct scan {
	const uint8_t *numbers;
	size_t count, peak;
};

/* One transform: apodization up to `reach` points from the centre burst, `size` points. */
struct pass {
	size_t reach, size;
};

struct recipe {
	const struct apodization *apodization;
	struct pass spectrum, phase;
};

/* The points of a transform of `reach` points on both sides. */
size_t transform_size(size_t reach, size_t zero_filling);

/* The pass for a resolution; `limit` is the wavenumber of one point per path difference of 1/2. */
struct pass transform_pass(double resolution, double limit, size_t zero_filling);

/* Points on the shorter and on the longer side of the centre burst. */
size_t scan_short(const struct scan *scan);
size_t scan_long(const struct scan *scan);

/*
 * The phase at pass.size points as unit vectors, of the pass.reach points on both sides of the
 * centre burst.
 */
void transform_phase(const struct scan *scan, const struct apodization *a, struct pass pass,
	struct fourier *phase);

/*
 * Adds `weight` times the single-beam spectrum to sum[0 ... recipe->spectrum.size / 2).  `work` has
 * the recipe's spectrum.size elements, `phase` phase.size.  The scan reaches at least
 * phase.reach on both sides, and spectrum.reach on one; a scan that is shorter on one side gives
 * the same spectrum as a symmetric one.
 */
void transform_add(const struct scan *scan, const struct recipe *recipe, double weight,
	struct fourier *work, struct fourier *phase, double *sum);

#endif
