/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The interferogram of the light: its cosine transform with a phase.  One part of the phase is of the
 * optics and is mirrored when the mirror moves back, the other one is of the electronics and is the
 * same for both directions.  The transform is computed here, since a library would be the driver's too.
 */
#include <complex.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "bruker.h"

#define PEAK       0.05   /* of the open beam at the usual aperture */
#define MEAN       0.0004 /* the amplifier's offset */
#define APERTURE   4000
#define SHIFT      0.3          /* the zero of the path lies so many points behind the centre */
#define CHIRP      0.8          /* radian at the laser's wavenumber */
#define DELAY      0.35         /* the same, of the electronics */
#define BACKGROUND "background" /* a sample name: the beam is open */

/* In place, a power of two; sums exp(+2 pi i j k / n). */
static void transform(double complex *x, size_t n)
{
	for (size_t i = 1, j = 0; i < n; i++) {
		size_t bit = n >> 1;
		for (; (j & bit) != 0; bit >>= 1)
			j ^= bit;
		j ^= bit;
		if (i < j) {
			double complex swap = x[i];
			x[i] = x[j];
			x[j] = swap;
		}
	}
	for (size_t len = 2; len <= n; len *= 2) {
		size_t half = len / 2;
		for (size_t k = 0; k < half; k++) {
			double complex turn = cexp(I * 2 * M_PI * (double)k / (double)len);
			for (size_t i = k; i < n; i += len) {
				double complex odd = x[i + half] * turn;
				x[i + half] = x[i] - odd;
				x[i] += odd;
			}
		}
	}
}

/* The light with the phase of one direction, +1 or -1, and its transform. */
static void make_direction(const struct bruker *b, int direction, double complex *x, size_t n)
{
	const struct bruker_settings *set = &b->running;
	const struct scene_sample *sample = strcasecmp(set->sample, BACKGROUND) == 0
						    ? scene_find("none")
						    : b->plan.sample;
	double laser = b->plan.laser, open = 0;
	memset(x, 0, n * sizeof *x);
	for (size_t j = 1; j < n / 2; j++) {
		double at = 2 * laser * (double)j / (double)n, share = at / laser;
		double light = scene_source((int)set->source, at);
		open += light;
		double optics = CHIRP * share * share - M_PI * share * SHIFT;
		double phase = direction * optics + DELAY * share;
		if (light > 0)
			x[j] = light * scene_transmittance(sample, at) * cexp(I * phase);
	}
	double relative = set->aperture / APERTURE;
	for (size_t j = 1; open > 0 && j < n / 2; j++)
		x[j] *= PEAK / open * relative * relative;
	transform(x, n);
}

/* The backward sweep is stored with the other sign, as real files have it. */
static void store(
	const struct bruker *b, int direction, const double complex *x, size_t n, float *to)
{
	const struct bruker_sweep *sweep = &b->sweep;
	unsigned scans = direction > 0 ? sweep->forward : sweep->backward;
	size_t centre = direction > 0 ? sweep->centre : sweep->n - 1 - sweep->centre;
	double noise = b->plan.noise / sqrt(scans);
	for (size_t k = 0; k < sweep->n; k++) {
		size_t at = (k + n - centre) % n;
		double value = direction * (creal(x[at]) + MEAN);
		to[k] = (float)(value + noise * random_normal(sim_random_of(b->m)));
	}
}

int interferogram_make(const struct bruker *b, float *to)
{
	size_t n = 32768;
	while (n < 2 * b->sweep.n)
		n *= 2;
	double complex *x = malloc(n * sizeof *x);
	if (x == NULL)
		return -ENOMEM;
	make_direction(b, 1, x, n);
	store(b, 1, x, n, to);
	if (b->sweep.backward > 0) {
		make_direction(b, -1, x, n);
		store(b, -1, x, n, to + b->sweep.n);
	}
	free(x);
	return 0;
}
