/* SPDX-License-Identifier: Apache-2.0 */
#include "detector.h"

#include <math.h>

#include "xrl.h"

#define SILICON       14
#define BERYLLIUM     4
#define PAIR_KEV      0.00366 /* energy per electron-hole pair */
#define FANO          0.115
#define FWHM_SIGMA    2.35482
#define REFERENCE_KEV 5.895
#define SI_EDGE       1.839
#define SI_KA         1.740
#define SHELF         0.003
#define PEAK_SIGMAS   6

static double fano_variance(double kev)
{
	return PAIR_KEV * FANO * kev;
}

void detector_init(struct detector *d, double fwhm, double *expected, size_t bins, double bin_kev)
{
	double sigma = fwhm / 1000 / FWHM_SIGMA;
	double noise = sigma * sigma - fano_variance(REFERENCE_KEV);
	*d = (struct detector){.noise_kev = noise > 0 ? sqrt(noise) : 0,
		.expected = expected,
		.bins = bins,
		.bin_kev = bin_kev};
}

/* Transmission of 12.5 um beryllium and 1 cm air, times absorption of 500 um silicon. */
static double efficiency(double kev)
{
	double air = 0.755 * XRL(CS_Total, 7, kev) + 0.232 * XRL(CS_Total, 8, kev) +
		     0.013 * XRL(CS_Total, 18, kev);
	double window = XRL(CS_Total, BERYLLIUM, kev) * 0.00125 * 1.848 + air * 0.001205;
	return exp(-window) * (1 - exp(-XRL(CS_Photo, SILICON, kev) * 0.05 * 2.33));
}

/* Reed and Ware 1972: silicon K photons that leave through the front face. */
static double escape_fraction(double kev)
{
	if (kev <= SI_EDGE)
		return 0;
	double in = XRL(CS_Total, SILICON, kev), out = XRL(CS_Total, SILICON, SI_KA);
	return 0.5 * 0.047 * 0.92 * (1 - out / in * log(1 + in / out));
}

static void add_peak(struct detector *d, double kev, double rate, double spread)
{
	double sigma = sqrt(d->noise_kev * d->noise_kev + fano_variance(kev) + spread * spread);
	double first = (kev - PEAK_SIGMAS * sigma) / d->bin_kev;
	double last = (kev + PEAK_SIGMAS * sigma) / d->bin_kev;
	size_t from = first > 0 ? (size_t)first : 0;
	double below = erf((from * d->bin_kev - kev) / (sigma * M_SQRT2));
	for (size_t i = from; i < d->bins && (double)i <= last; i++) {
		double above = erf(((double)(i + 1) * d->bin_kev - kev) / (sigma * M_SQRT2));
		d->expected[i] += rate * (above - below) / 2;
		below = above;
	}
}

void detector_add(struct detector *d, double kev, double rate, double spread)
{
	if (kev < 0.1)
		return;
	double absorbed = rate * efficiency(kev), escaped = escape_fraction(kev);
	if (!(absorbed > 0))
		return;
	add_peak(d, kev, absorbed * (1 - escaped), spread);
	if (escaped > 0)
		add_peak(d, kev - SI_KA, absorbed * escaped, spread);
}

void detector_add_shelf(struct detector *d)
{
	double above = 0;
	for (size_t i = d->bins; i-- > 1;) {
		double loss = d->expected[i] * SHELF;
		d->expected[i] += above - loss;
		above += loss / (double)i;
	}
	d->expected[0] += above;
}
