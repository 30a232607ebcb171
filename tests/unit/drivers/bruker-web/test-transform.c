/* SPDX-License-Identifier: Apache-2.0 */
/* Apodization and transform against values in closed form and against the definition. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bruker-web/opus.h"
#include "bruker-web/transform.h"

#define LASER 15798.0

/* --- apodization ------------------------------------------------------------------------------ */

/*
 * By the published definitions, at 0, 0.5 and 1.  The values of Norton-Beer find the slips that are
 * in use: with 0.348093 in `weak` or 0.045355 in `strong` the value at 0 is not 1, with the cube of
 * u in `strong` that at 0.5 is 0.52611.
 */
static void apodizations_have_their_published_values(void **state)
{
	static const struct {
		const char *name;
		double at_half, at_end;
	} cases[] = {
		{"boxcar", 1, 1},
		{"triangular", 0.5, 0},
		{"happ-genzel", 0.54, 0.08},
		{"happ-genzel-53856", 0.53856, 0.07712},
		{"blackman-harris-3", 0.42323 - 0.07922, 0.42323 - 0.49755 + 0.07922},
		{"blackman-harris-4", 0.35875 - 0.14128, 0.35875 - 0.48829 + 0.14128 - 0.01168},
		{"norton-beer-weak", 0.384093 - 0.75 * 0.087577 + 0.5625 * 0.703484, 0.384093},
		{"norton-beer-medium", 0.152442 - 0.75 * 0.136176 + 0.5625 * 0.983734, 0.152442},
		{"norton-beer-strong", 0.48395, 0.045335},
		{"norton-beer-weak-first", 0.5480 - 0.75 * 0.0833 + 0.5625 * 0.5353, 0.5480},
		{"norton-beer-medium-first", 0.26 - 0.75 * 0.154838 + 0.5625 * 0.894838, 0.26},
		{"norton-beer-strong-first", 0.09 + 0.5625 * 0.5875 + 0.31640625 * 0.3225, 0.09},
	};
	size_t names = 0;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct apodization *a = apodization_find(cases[i].name);
		assert_non_null(a);
		assert_float_equal(apodization_at(a, 0), 1, 1e-12);
		assert_float_equal(apodization_at(a, 0.5), cases[i].at_half, 5e-6);
		assert_float_equal(apodization_at(a, -0.5), cases[i].at_half, 5e-6);
		assert_float_equal(apodization_at(a, 1), cases[i].at_end, 1e-12);
		assert_true(apodization_at(a, 1.0001) < 1e-300);
		assert_true(apodization_at(a, -1.0001) < 1e-300);
	}
	while (apodization_names[names] != NULL)
		assert_string_equal(apodization_names[names], cases[names].name), names++;
	assert_int_equal(names, sizeof(cases) / sizeof(*cases));
	assert_null(apodization_find("kaiser"));
	(void)state;
}

/* --- the discrete transform ------------------------------------------------------------------- */

static void the_transform_is_the_sum_of_its_definition(void **state)
{
	for (size_t n = 1; n <= 256; n *= 2) {
		struct fourier z[256], in[256];
		for (size_t i = 0; i < n; i++)
			in[i] = z[i] = (struct fourier){sin((double)(i * i)), cos(3.0 * (double)i)};
		fourier_transform(z, n);
		for (size_t j = 0; j < n; j++) {
			double re = 0, im = 0;
			for (size_t m = 0; m < n; m++) {
				double angle = -2 * M_PI * (double)(j * m % n) / (double)n;
				re += in[m].re * cos(angle) - in[m].im * sin(angle);
				im += in[m].re * sin(angle) + in[m].im * cos(angle);
			}
			assert_float_equal(z[j].re, re, 1e-12 * (double)n);
			assert_float_equal(z[j].im, im, 1e-12 * (double)n);
		}
	}
	assert_int_equal(fourier_size(1), 1);
	assert_int_equal(fourier_size(7108), 8192);
	assert_int_equal(fourier_size(8192), 8192);
	(void)state;
}

static void sizes_are_those_of_opus(void **state)
{
	/* The example of the real file: 4 cm-1 and a phase of 100 cm-1, factor 2. */
	struct pass pass = transform_pass(4, 15795.820598, 2);
	assert_int_equal(pass.reach, 7108);
	assert_int_equal(pass.size, 16384);
	pass = transform_pass(100, 15795.820598, 2);
	assert_int_equal(pass.size, 1024); /* of which OPUS stores the 512 points up to the laser */
	(void)state;
}

/* --- synthetic interferograms ----------------------------------------------------------------- */

/*
 * A band with the shape of a Gaussian, of unit height at the wavenumber `centre`, has the
 * interferogram sigma sqrt(2 pi) exp(-(2 pi sigma x)^2 / 2) 2 cos(2 pi centre x).  `shift` moves the
 * centre burst by a part of a point, which gives the spectrum a phase; `offset` is added to all.
 */
struct band {
	double centre, sigma, shift, offset;
};

static double interferogram_at(const struct band *b, double d)
{
	double x = (d - b->shift) / (2 * LASER), damped = 2 * M_PI * b->sigma * x;
	return b->offset + b->sigma * sqrt(2 * M_PI) * exp(-damped * damped / 2) * 2 *
				   cos(2 * M_PI * b->centre * x);
}

/* The spectrum of a scan with `before` and `after` points around the centre burst. */
static double *spectrum_of(const struct band *b, size_t before, size_t after,
	const char *apodization, const struct recipe *sizes)
{
	size_t count = before + 1 + after;
	float *values = malloc(count * sizeof(*values));
	for (size_t i = 0; i < count; i++)
		values[i] = (float)interferogram_at(b, (double)i - (double)before);
	struct scan scan = {(const uint8_t *)values, count, before};
	struct recipe recipe = *sizes;
	recipe.apodization = apodization_find(apodization);
	struct fourier *work = calloc(recipe.spectrum.size, sizeof(*work));
	struct fourier *phase = calloc(recipe.phase.size, sizeof(*phase));
	double *sum = calloc(recipe.spectrum.size / 2, sizeof(*sum));
	transform_add(&scan, &recipe, 1, work, phase, sum);
	free(work);
	free(phase);
	free(values);
	return sum;
}

/* The greatest difference to the Gaussian, as part of its height; below 100 cm-1 is the mean. */
static double error_of(const double *sum, const struct band *b, const struct recipe *recipe)
{
	size_t n = recipe->spectrum.size;
	double step = 2 * LASER / (double)n, worst = 0;
	for (size_t i = (size_t)(100 / step); i < n / 2; i++) {
		double away = ((double)i * step - b->centre) / b->sigma;
		/* The sum over points of 1 / (2 LASER) replaces the integral over the path. */
		double expected = 2 * LASER * exp(-away * away / 2);
		worst = fmax(worst, fabs(sum[i] - expected) / (2 * LASER));
	}
	return worst;
}

static struct recipe recipe_of(double resolution, double phase_resolution, size_t zero_filling)
{
	return (struct recipe){
		.spectrum = transform_pass(resolution, LASER, zero_filling),
		.phase = transform_pass(phase_resolution, LASER, zero_filling),
	};
}

/*
 * Symmetric scans, scans with one short side to the left or right, whole and fractional positions
 * of the centre burst, each factor of zero filling (with factor 1 the transform has fewer points
 * than the scan): the band comes back with its height.  The ramp of a scan with a short side stands
 * at a point, not at the burst's true place: its error is the part of a point by the short side.
 */
static void a_band_comes_back_whatever_the_scan(void **state)
{
	static const double shifts[] = {0, 0.25, -0.4};
	for (size_t zero_filling = 1; zero_filling <= 4; zero_filling *= 2) {
		struct recipe recipe = recipe_of(8, 40, zero_filling);
		size_t reach = recipe.spectrum.reach, few = recipe.phase.reach + 50;
		size_t sides[][2] = {
			{reach, reach}, {reach + 9, reach + 300}, {few, reach}, {reach + 5, few}};
		for (size_t k = 0; k < 3 * 4; k++) {
			struct band band = {4000, 300, shifts[k % 3], 0.7};
			const size_t *side = sides[k / 3];
			double *sum = spectrum_of(&band, side[0], side[1], "boxcar", &recipe);
			bool is_symmetric = k / 3 < 2;
			double bound = is_symmetric ? 1e-7
						    : 1e-7 + fabs(band.shift) / (double)few * 1.1;
			assert_true(error_of(sum, &band, &recipe) < bound);
			free(sum);
		}
	}
	(void)state;
}

/* One wave, cut by the boxcar at `reach` points, has the spectrum of Dirichlet's kernel. */
static void one_wave_has_the_line_shape_of_the_boxcar(void **state)
{
	struct recipe recipe = recipe_of(16, 16, 2);
	recipe.apodization = apodization_find("boxcar");
	size_t n = recipe.spectrum.size, reach = recipe.spectrum.reach, count = 2 * reach + 1;
	float *values = malloc(count * sizeof(*values));
	double turn = 2 * M_PI * 1000.25 / (double)n, mean = 0;
	for (size_t i = 0; i < count; i++) {
		values[i] = (float)cos(turn * ((double)i - (double)reach));
		mean += (double)values[i] / (double)count;
	}
	struct scan scan = {(const uint8_t *)values, count, reach};
	struct fourier *work = calloc(n, sizeof(*work)), *phase = calloc(n, sizeof(*phase));
	double *sum = calloc(n / 2, sizeof(*sum));
	transform_add(&scan, &recipe, 1, work, phase, sum);
	for (size_t i = 900; i < 1100; i++) {
		double kernel = 0, edges[] = {turn - 2 * M_PI * (double)i / (double)n,
					   turn + 2 * M_PI * (double)i / (double)n};
		for (size_t k = 0; k < 2; k++)
			kernel += sin((double)count * edges[k] / 2) / sin(edges[k] / 2) / 2;
		double flat = 2 * M_PI * (double)i / (double)n;
		kernel -= mean * sin((double)count * flat / 2) / sin(flat / 2);
		/* The phase of a symmetric scan is 0 or half a turn: the height is positive. */
		assert_float_equal(fabs(sum[i]), fabs(kernel), 1e-4 * (double)reach);
	}
	free(sum);
	free(phase);
	free(work);
	free(values);
	(void)state;
}

/* The same bits on each call, and nothing kept from the call before. */
static void a_spectrum_is_the_same_on_each_call(void **state)
{
	struct recipe recipe = recipe_of(8, 80, 2);
	struct band band = {2000, 200, 0.3, 0}, other = {5000, 100, 0, 1};
	double *first = spectrum_of(&band, 5000, 4000, "norton-beer-medium", &recipe);
	free(spectrum_of(&other, 4000, 5000, "boxcar", &recipe));
	double *second = spectrum_of(&band, 5000, 4000, "norton-beer-medium", &recipe);
	assert_memory_equal(first, second, recipe.spectrum.size / 2 * sizeof(*first));
	free(first);
	free(second);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(apodizations_have_their_published_values),
		cmocka_unit_test(the_transform_is_the_sum_of_its_definition),
		cmocka_unit_test(sizes_are_those_of_opus),
		cmocka_unit_test(a_band_comes_back_whatever_the_scan),
		cmocka_unit_test(one_wave_has_the_line_shape_of_the_boxcar),
		cmocka_unit_test(a_spectrum_is_the_same_on_each_call),
	};
	return cmocka_run_group_tests_name("bruker-web-transform", tests, NULL, NULL);
}
