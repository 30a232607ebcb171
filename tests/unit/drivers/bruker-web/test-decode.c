/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of OPUS files that the test writes: each result, each reason to stop before it. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host.h"
#include "opus-file.h"

extern const struct assay_driver *const assay_driver;

#define MEDIA "application/x-bruker-opus"
#define LASER 15795.820598
#define HALF  2001 /* points of one direction; the burst at 1000, backward too */

/* A band around 3000 cm-1 with that height; forward, then backward. */
static void fill(float *values, double height, double shift)
{
	for (size_t i = 0; i < 2 * HALF; i++) {
		double x = ((double)(i % HALF) - 1000 - shift) / (2 * LASER),
		       w = 2 * M_PI * 400 * x;
		values[i] = (float)(height * exp(-w * w / 2) * cos(2 * M_PI * 3000 * x));
	}
}

struct bench {
	struct host *h;
	float values[2 * HALF];
	struct opus_scan scan;
	struct opus_file *file, *background;
};

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	b->h = host_create(assay_driver, ASSAY_LINK_HTTP);
	fill(b->values, 2, 0.3);
	b->scan = (struct opus_scan){.values = b->values,
		.count = HALF,
		.peak = 1000,
		.backward_peak = -1,
		.forward = 8,
		.laser = LASER,
		.high = LASER,
		.resolution = 32,
		.phase_resolution = 128,
		.factor = 1};
	b->background = opus_file_of(&b->scan);
	fill(b->values, 0.5, 0.3);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;
	host_destroy(b->h);
	if (b->file != NULL)
		opus_file_free(b->file);
	opus_file_free(b->background);
	free(b);
	return 0;
}

/* Decodes the file of b->scan, with as many references as given. */
static int decode(struct bench *b, const char *result, size_t references)
{
	host_reset(b->h);
	host_set(b->h, "result", result);
	if (b->file != NULL)
		opus_file_free(b->file);
	b->file = opus_file_of(&b->scan);
	struct assay_bytes raw = {.media = MEDIA, .data = b->file->bytes, .len = b->file->len};
	struct assay_bytes one = {
		.media = MEDIA, .data = b->background->bytes, .len = b->background->len};
	struct assay_bytes all[] = {one, one, one};
	return host_decode_bytes(b->h, &raw, 1, all, references);
}

static const char *said(const struct bench *b)
{
	const struct assay_variable *v = host_find(b->h, "status_text");
	return v != NULL ? v->text : "";
}

static const struct assay_variable *setting(const struct bench *b, const char *name)
{
	for (size_t i = 0; i < b->h->frame.setting_count; i++)
		if (strcmp(b->h->frame.settings[i].said, name) == 0)
			return &b->h->frame.settings[i].v;
	return NULL;
}

/* --- interferograms --------------------------------------------------------------------------- */

static void an_interferogram_keeps_the_stored_numbers(void **state)
{
	struct bench *b = *state;
	assert_int_equal(decode(b, "interferogram", 0), 0);
	assert_int_equal(b->h->frame.kind, ASSAY_INTERFEROGRAM);
	assert_int_equal(b->h->frame.flag, ASSAY_UNCHECKED);
	const struct assay_variable *v = host_find(b->h, "interferogram");
	const struct assay_variable *axis = host_find(b->h, "path_difference");
	assert_int_equal(v->type, ASSAY_F32);
	assert_int_equal(v->count, HALF);
	assert_memory_equal(v->data, b->values, HALF * sizeof(float));
	assert_float_equal(axis->step, 0.5 / LASER, 1e-15);
	assert_float_equal(axis->start, -1000 * 0.5 / LASER, 1e-12);
	assert_null(host_find(b->h, "interferogram_backward"));
	assert_null(setting(b, "apodization"));
	assert_string_equal(setting(b, "stated_apodization")->text, "B3");
	assert_string_equal(setting(b, "acquisition_mode")->text, "DD");
	assert_true(setting(b, "resolution")->real == 32);
	assert_int_equal(setting(b, "scans")->integer, 8);
	assert_true(setting(b, "laser_wavenumber")->real == LASER);
	assert_string_equal(b->h->frame.device_time, "03/05/2019 13:34:44.641 (GMT-4)");
}

static void both_directions_are_two_interferograms(void **state)
{
	struct bench *b = *state;
	b->scan.count = 2 * HALF;
	b->scan.backward = 8;
	b->scan.backward_peak = 1000;
	b->scan.factor = 0.04;
	assert_int_equal(decode(b, "interferogram", 0), 0);
	const struct assay_variable *v = host_find(b->h, "interferogram_backward");
	const struct assay_variable *axis = host_find(b->h, "path_difference_backward");
	assert_int_equal(v->type, ASSAY_F64);
	assert_int_equal(v->count, HALF);
	assert_true(host_element(v, 7) == (double)b->values[HALF + 7] * 0.04);
	assert_true(
		host_element(host_find(b->h, "interferogram"), 7) == (double)b->values[7] * 0.04);
	assert_float_equal(axis->step, -0.5 / LASER, 1e-15);
	assert_float_equal(axis->start, 1000 * 0.5 / LASER, 1e-12);
	assert_true(setting(b, "interferogram_factor")->real == 0.04);
	assert_int_equal(setting(b, "scans")->integer, 16);
}

/* --- spectra ---------------------------------------------------------------------------------- */

static void a_single_beam_lists_the_steps_that_made_it(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "apodization", "norton-beer-medium");
	host_set(b->h, "zero_filling", "4");
	host_set(b->h, "wavenumber_first", "2000");
	host_set(b->h, "wavenumber_last", "4000");
	assert_int_equal(decode(b, "single_beam", 0), 0);
	assert_int_equal(b->h->frame.kind, ASSAY_SPECTRUM);
	assert_int_equal(b->h->frame.flag, ASSAY_UNCHECKED);
	assert_int_equal(b->h->frame.reason_count, 0);
	const struct assay_variable *axis = host_find(b->h, "wavenumber");
	const struct assay_variable *v = host_find(b->h, "single_beam");
	/* 889 points to a side, 1024 by the next power of two, times 4. */
	assert_float_equal(axis->step, 2 * LASER / 4096, 1e-12);
	assert_true(axis->start >= 2000 && axis->start < 2000 + axis->step);
	double end = axis->start + (double)(axis->count - 1) * axis->step;
	assert_true(end <= 4000 && end > 4000 - axis->step);
	assert_int_equal(v->count, axis->count);
	size_t greatest = 0;
	for (size_t i = 0; i < v->count; i++)
		greatest = host_element(v, i) > host_element(v, greatest) ? i : greatest;
	assert_float_equal(axis->start + (double)greatest * axis->step, 3000, axis->step);
	assert_string_equal(setting(b, "apodization")->text, "norton-beer-medium");
	assert_int_equal(setting(b, "zero_filling")->integer, 4);
	assert_string_equal(setting(b, "phase_correction")->text, "Mertz");
	assert_true(setting(b, "phase_resolution")->real == 128);
	assert_true(setting(b, "resolution")->real == 32);
}

/* The sample's band has a quarter of the background's height at each wavenumber. */
static void a_background_gives_transmittance_and_absorbance(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "wavenumber_first", "2500");
	host_set(b->h, "wavenumber_last", "3500");
	assert_int_equal(decode(b, "transmittance", 1), 0);
	assert_int_equal(b->h->frame.flag, ASSAY_UNCHECKED);
	assert_null(host_find(b->h, "single_beam"));
	const struct assay_variable *v = host_find(b->h, "transmittance");
	assert_string_equal(v->unit, "1");
	for (size_t i = 0; i < v->count; i++)
		assert_float_equal(host_element(v, i), 0.25, 1e-5);
	assert_int_equal(decode(b, "absorbance", 1), 0);
	v = host_find(b->h, "absorbance");
	assert_string_equal(v->unit, "{absorbance}");
	for (size_t i = 0; i < v->count; i++)
		assert_float_equal(host_element(v, i), log10(4), 1e-5);
	assert_string_equal(said(b), "");
}

/* A band that the sample inverts transmits less than nothing: no number may stand for that. */
static void values_that_cannot_be_computed_are_missing(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "wavenumber_first", "1");
	host_set(b->h, "wavenumber_last", "15000");
	for (size_t i = 0; i < HALF; i++)
		b->values[i] += (float)(0.002 * cos((double)i * 2.9) +
					0.002 * cos((double)(i * i)));
	assert_int_equal(decode(b, "absorbance", 1), 0);
	const struct assay_variable *v = host_find(b->h, "absorbance");
	size_t missing = 0;
	for (size_t i = 0; i < v->count; i++) {
		missing += isnan(host_element(v, i)) != 0;
		assert_false(isinf(host_element(v, i)));
	}
	assert_true(missing > 0 && missing < v->count);
	assert_true(host_has_reason(b->h, "below-detection"));
}

/* --- never wrong and good --------------------------------------------------------------------- */

static void expect_single_beam(const struct bench *b, const char *words)
{
	assert_non_null(host_find(b->h, "single_beam"));
	assert_null(host_find(b->h, "transmittance"));
	assert_int_equal(b->h->frame.flag, ASSAY_SUSPECT);
	assert_true(host_has_reason(b->h, "no-background"));
	assert_non_null(strstr(said(b), "no transmittance: "));
	if (strstr(said(b), words) == NULL)
		fail_msg("%s", said(b));
}

static void replace_background(struct bench *b, const struct opus_scan *scan)
{
	opus_file_free(b->background);
	b->background = opus_file_of(scan);
}

static void without_a_fitting_background_there_is_no_transmittance(void **state)
{
	struct bench *b = *state;
	assert_int_equal(decode(b, "transmittance", 0), 0);
	expect_single_beam(b, "no background run");
	assert_int_equal(decode(b, "transmittance", 2), 0);
	expect_single_beam(b, "several background runs");
	struct opus_scan other = b->scan;
	other.resolution = 64;
	replace_background(b, &other);
	assert_int_equal(decode(b, "transmittance", 1), 0);
	expect_single_beam(b, "the background has a resolution of 64 cm-1, this run one of 32");
	other = b->scan;
	other.laser = other.high = LASER + 0.5;
	replace_background(b, &other);
	assert_int_equal(decode(b, "transmittance", 1), 0);
	expect_single_beam(b, "the background has the laser wavenumber 15796.320598 cm-1");
	other = b->scan;
	other.high = LASER / 2;
	replace_background(b, &other);
	assert_int_equal(decode(b, "transmittance", 1), 0);
	expect_single_beam(b, "the background ends at 7897.91 cm-1");
	other = b->scan;
	other.count = 1001 + 800; /* fewer points than the resolution needs */
	replace_background(b, &other);
	assert_int_equal(decode(b, "transmittance", 1), 0);
	assert_int_equal(b->h->frame.flag, ASSAY_UNCHECKED); /* one side is long enough */
	other.values = b->values + 200;
	other.count = 1601;
	other.peak = 800;
	replace_background(b, &other);
	assert_int_equal(decode(b, "transmittance", 1), 0);
	expect_single_beam(b, "longer or shorter");
	b->background->len -= 5;
	assert_int_equal(decode(b, "transmittance", 1), 0);
	expect_single_beam(b, "no complete OPUS file");
	other = b->scan;
	other.peak = 1500;
	replace_background(b, &other);
	assert_int_equal(decode(b, "transmittance", 1), 0);
	expect_single_beam(b, "contradicts itself");
}

static void a_reference_of_another_instrument_is_none(void **state)
{
	struct bench *b = *state;
	b->file = opus_file_of(&b->scan);
	struct assay_bytes raw = {.media = MEDIA, .data = b->file->bytes, .len = b->file->len};
	struct assay_bytes other = {.media = "text/plain", .data = (const uint8_t *)"1", .len = 1};
	host_set(b->h, "result", "transmittance");
	assert_int_equal(host_decode_bytes(b->h, &raw, 1, &other, 1), 0);
	expect_single_beam(b, "no background run");
}

/* If the bytes do not allow a spectrum, the frame has the interferogram and the reason. */
static void what_cannot_be_transformed_stays_an_interferogram(void **state)
{
	static const struct {
		double high, low, resolution, phase_resolution;
		int32_t peak;
		const char *zero_filling, *words;
	} cases[] = {
		{LASER, 7897.9, 32, 128, 1000, "2", "band"},
		{0, 0, 32, 128, 1000, "2", "band"},
		{LASER, 0, 0, 128, 1000, "2", "no resolution"},
		{LASER, 0, 32, 0, 1000, "2", "phase_resolution"},
		{LASER, 0, 1e-9, 128, 1000, "2", "too many points"},
		{LASER, 0, 32, 0.01, 1000, "2", "too many points"},
		{LASER, 0, 32, 16, 1000, "2", "centre burst"},
		{LASER, 0, 1e6, 128, 1000, "2", "fewer than two"},
	};
	struct bench *b = *state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		b->scan.high = cases[i].high;
		b->scan.low = cases[i].low;
		b->scan.resolution = cases[i].resolution;
		b->scan.phase_resolution = cases[i].phase_resolution;
		b->scan.peak = cases[i].peak;
		host_set(b->h, "zero_filling", cases[i].zero_filling);
		assert_int_equal(decode(b, "single_beam", 0), 0);
		assert_int_equal(b->h->frame.kind, ASSAY_INTERFEROGRAM);
		assert_non_null(host_find(b->h, "interferogram"));
		assert_null(host_find(b->h, "single_beam"));
		assert_int_equal(b->h->frame.flag, ASSAY_SUSPECT);
		assert_true(host_has_reason(b->h, "not-processed"));
		if (strstr(said(b), cases[i].words) == NULL)
			fail_msg("%zu: %s", i, said(b));
	}
	/* Without a known distance of points the axis counts them. */
	b->scan.high = 0;
	assert_int_equal(decode(b, "interferogram", 0), 0);
	assert_null(host_find(b->h, "path_difference"));
	assert_int_equal(host_find(b->h, "point")->count, HALF);
}

static void a_scan_that_is_too_short_has_the_resolution_it_reaches(void **state)
{
	struct bench *b = *state;
	b->scan.resolution = 16; /* 1777 points to a side; there are 1000 */
	assert_int_equal(decode(b, "single_beam", 0), 0);
	assert_int_equal(b->h->frame.flag, ASSAY_SUSPECT);
	assert_true(host_has_reason(b->h, "truncated"));
	assert_float_equal(setting(b, "resolution")->real, 2 * LASER * 0.9 / 1000, 1e-9);
}

static void a_damaged_file_is_suspect_and_no_file_is_an_error(void **state)
{
	struct bench *b = *state;
	b->scan.peak = 1500;
	assert_int_equal(decode(b, "single_beam", 0), 0);
	assert_int_equal(b->h->frame.flag, ASSAY_SUSPECT);
	assert_true(host_has_reason(b->h, "malformed"));
	struct assay_bytes raw = {.media = MEDIA, .data = (const uint8_t *)"<html>", .len = 6};
	assert_int_equal(host_decode_bytes(b->h, &raw, 1, NULL, 0), -EBADMSG);
	assert_non_null(strstr(b->h->explained, "OPUS"));
	assert_int_equal(host_decode_bytes(b->h, NULL, 0, NULL, 0), -EBADMSG);
	b->scan.factor = 0;
	assert_int_equal(decode(b, "single_beam", 0), -EBADMSG);
	assert_non_null(strstr(b->h->explained, "CSF"));
}

static void contradicting_settings_are_found(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "command", "RES=4&NSS=1");
	host_check(b->h);
	assert_string_equal(b->h->found, "");
	host_set(b->h, "zero_filling", "3");
	host_set(b->h, "wavenumber_first", "4000");
	host_set(b->h, "wavenumber_last", "400");
	host_check(b->h);
	assert_non_null(strstr(b->h->found, "zero_filling"));
	assert_non_null(strstr(b->h->found, "wavenumber_first"));
	/* A journal may hold such settings: they give a frame. */
	assert_int_equal(decode(b, "single_beam", 0), 0);
	assert_int_equal(host_find(b->h, "wavenumber")->count, 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(an_interferogram_keeps_the_stored_numbers),
		T(both_directions_are_two_interferograms),
		T(a_single_beam_lists_the_steps_that_made_it),
		T(a_background_gives_transmittance_and_absorbance),
		T(values_that_cannot_be_computed_are_missing),
		T(without_a_fitting_background_there_is_no_transmittance),
		T(a_reference_of_another_instrument_is_none),
		T(what_cannot_be_transformed_stays_an_interferogram),
		T(a_scan_that_is_too_short_has_the_resolution_it_reaches),
		T(a_damaged_file_is_suspect_and_no_file_is_an_error),
		T(contradicting_settings_are_found),
	};
	return cmocka_run_group_tests_name("bruker-web-decode", tests, NULL, NULL);
}
