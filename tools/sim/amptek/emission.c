/* SPDX-License-Identifier: Apache-2.0 */
#include "emission.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "detector.h"
#include "tube.h"
#include "xrl.h"

#define ANGLE          (M_PI / 2) /* between beam and detector; the sample's face halves it */
#define SIN_FACE       0.70710678
#define COMPTON_SPREAD 0.012  /* Doppler, relative to the energy */
#define SOLID_ANGLE    2.7e-5 /* sr2 of sample and detector together: 10 000/s from steel */

static const struct {
	int shell, first, last; /* lines count downwards */
} shells[] = {
	{K_SHELL, KL1_LINE, KP5_LINE},
	{L1_SHELL, L1L2_LINE, L2L3_LINE + 1},
	{L2_SHELL, L2L3_LINE, L3M1_LINE + 1},
	{L3_SHELL, L3M1_LINE, M1M2_LINE + 1},
	{M3_SHELL, M3M4_LINE, M4M5_LINE + 1},
	{M4_SHELL, M4M5_LINE, M5N1_LINE + 1},
	{M5_SHELL, M5N1_LINE, M5P5_LINE},
};

struct beam {
	struct photons photons[TUBE_PHOTONS_MAX];
	double attenuation[TUBE_PHOTONS_MAX]; /* of the sample, cm2/g */
	size_t count;
	double flux; /* photons of the table per photon */
};

static double attenuation(const struct sample *sample, double kev)
{
	double sum = 0, mass = 0;
	for (const struct component *c = sample->components; c->element != 0; c++) {
		sum += c->mass * XRL(CS_Total, c->element, kev);
		mass += c->mass;
	}
	return sum / mass;
}

static int strongest_line(int z, int first, int last)
{
	int best = 0;
	double most = 0;
	for (int line = first; line >= last; line--) {
		double rate = XRL(RadRate, z, line);
		if (rate > most && XRL(LineEnergy, z, line) > 0) {
			most = rate;
			best = line;
		}
	}
	return best;
}

static void add_line(struct detector *d, const struct sample *sample, const struct beam *beam,
	const double *vacancies, double kev, double rate)
{
	double out = attenuation(sample, kev), sum = 0;
	for (size_t i = 0; i < beam->count; i++)
		sum += beam->photons[i].number * vacancies[i] / (beam->attenuation[i] + out);
	detector_add(d, kev, sum * rate * beam->flux / (4 * M_PI), 0);
}

static void add_shell(struct detector *d, const struct sample *sample, const struct beam *beam,
	const struct component *c, size_t shell)
{
	double vacancies[TUBE_PHOTONS_MAX];
	int z = c->element, main = strongest_line(z, shells[shell].first, shells[shell].last);
	double edge = XRL(EdgeEnergy, z, shells[shell].shell);
	if (main == 0 || edge <= 0)
		return;
	/* Vacancy cross-section times yield: that of one line, divided by its radiative rate. */
	double main_rate = XRL(RadRate, z, main);
	for (size_t i = 0; i < beam->count; i++) {
		double kev = beam->photons[i].kev;
		vacancies[i] = 0;
		if (kev > edge)
			vacancies[i] = c->mass * XRL(CS_FluorLine_Kissel, z, main, kev) / main_rate;
	}
	for (int line = shells[shell].first; line >= shells[shell].last; line--) {
		double rate = XRL(RadRate, z, line), kev = XRL(LineEnergy, z, line);
		if (rate > 0 && kev > 0.1)
			add_line(d, sample, beam, vacancies, kev, rate);
	}
}

static void add_scatter(struct detector *d, const struct sample *sample, const struct beam *beam)
{
	for (size_t i = 0; i < beam->count; i++) {
		double e = beam->photons[i].kev, shifted = XRL(ComptonEnergy, e, ANGLE);
		double elastic = 0, inelastic = 0, in = beam->attenuation[i];
		for (const struct component *c = sample->components; c->element != 0; c++) {
			elastic += c->mass * XRL(DCS_Rayl, c->element, e, ANGLE);
			inelastic += c->mass * XRL(DCS_Compt, c->element, e, ANGLE);
		}
		double number = beam->photons[i].number * beam->flux;
		detector_add(d, e, number * elastic / (2 * in), 0);
		detector_add(d, shifted, number * inelastic / (in + attenuation(sample, shifted)),
			COMPTON_SPREAD * shifted);
	}
}

/* Builds the alias table, after Vose 1991. */
static int make_alias(struct emission *e)
{
	uint32_t *small = calloc(e->bins, sizeof(*small)), *large = calloc(e->bins, sizeof(*large));
	if (small == NULL || large == NULL) {
		free(small);
		free(large);
		return -ENOMEM;
	}
	size_t smalls = 0, larges = 0;
	for (size_t i = 0; i < e->bins; i++) {
		e->keep[i] = e->expected[i] / e->rate * (double)e->bins;
		e->other[i] = (uint32_t)i;
		if (e->keep[i] < 1)
			small[smalls++] = (uint32_t)i;
		else
			large[larges++] = (uint32_t)i;
	}
	while (smalls > 0 && larges > 0) {
		uint32_t less = small[--smalls], more = large[larges - 1];
		e->other[less] = more;
		e->keep[more] -= 1 - e->keep[less];
		if (e->keep[more] < 1) {
			larges--;
			small[smalls++] = more;
		}
	}
	while (larges > 0)
		e->keep[large[--larges]] = 1;
	while (smalls > 0) /* left over by rounding */
		e->keep[small[--smalls]] = 1;
	free(small);
	free(large);
	return 0;
}

static void fill(
	struct emission *e, const struct sample *sample, const struct beam *beam, double fwhm)
{
	struct detector d;
	detector_init(&d, fwhm, e->expected, e->bins, EMISSION_BIN_KEV);
	for (const struct component *c = sample->components; c->element != 0; c++)
		for (size_t shell = 0; shell < sizeof(shells) / sizeof(shells[0]); shell++)
			add_shell(&d, sample, beam, c, shell);
	add_scatter(&d, sample, beam);
	detector_add_shelf(&d);
}

int emission_init(struct emission *e, const struct sample *sample, const struct tube *tube,
	double fwhm, double rate)
{
	e->bins = (size_t)((tube->kv * 1.05 + 1) / EMISSION_BIN_KEV);
	e->expected = calloc(e->bins, sizeof(*e->expected));
	e->keep = calloc(e->bins, sizeof(*e->keep));
	e->other = calloc(e->bins, sizeof(*e->other));
	struct beam *beam = calloc(1, sizeof(*beam));
	if (e->expected == NULL || e->keep == NULL || e->other == NULL || beam == NULL) {
		free(beam);
		return -ENOMEM;
	}

	beam->count = tube_spectrum(tube, beam->photons);
	beam->flux = tube->ua / 1000 * SOLID_ANGLE * SIN_FACE;
	for (size_t i = 0; i < beam->count; i++)
		beam->attenuation[i] = attenuation(sample, beam->photons[i].kev);
	if (beam->count > 0)
		fill(e, sample, beam, fwhm);
	free(beam);

	e->rate = 0;
	for (size_t i = 0; i < e->bins; i++)
		e->rate += e->expected[i];
	double scale = rate > 0 && e->rate > 0 ? rate / e->rate : 1;
	for (size_t i = 0; i < e->bins; i++)
		e->expected[i] *= scale;
	e->rate *= scale;
	return e->rate > 0 ? make_alias(e) : 0;
}

void emission_finish(struct emission *e)
{
	free(e->expected);
	free(e->keep);
	free(e->other);
	*e = (struct emission){0};
}

double emission_draw(const struct emission *e, struct sim_random *random)
{
	uint64_t bits = random_u64(random);
	double place = (double)(bits >> 11) * 0x1p-53 * (double)e->bins;
	size_t bin = (size_t)place;
	double inside = place - (double)bin;
	/* One draw serves for bin, choice and place: its remainder after each step is uniform. */
	if (inside < e->keep[bin])
		inside /= e->keep[bin];
	else {
		inside = (inside - e->keep[bin]) / (1 - e->keep[bin]);
		bin = e->other[bin];
	}
	return ((double)bin + inside) * EMISSION_BIN_KEV;
}
