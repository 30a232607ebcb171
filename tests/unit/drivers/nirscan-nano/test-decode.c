/* SPDX-License-Identifier: Apache-2.0 */
/* From a scan's file to a frame, by the values that the capture and its wavelength list have. */
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

#include "bench.h"

#define SCAN   "application/x-nirscan-scan"
#define ERRORS "application/x-nirscan-errors"

static uint8_t file[BENCH_FILE], other[BENCH_FILE];

static int setup(void **state)
{
	*state = host_create(assay_driver, ASSAY_LINK_USB);
	return 0;
}

static int teardown(void **state)
{
	host_destroy(*state);
	return 0;
}

/* The frame of `s` with these error bits, against a background or none. */
static int decode(struct host *h, const struct bench_scan *s, uint32_t errors,
	const struct bench_scan *background)
{
	uint8_t bits[20] = {(uint8_t)errors, (uint8_t)(errors >> 8)};
	struct assay_bytes raw[2] = {
		{.media = SCAN, .data = file, .len = sizeof(file)},
		{.media = ERRORS, .data = bits, .len = sizeof(bits)},
	};
	struct assay_bytes reference[2] = {
		{.media = SCAN, .data = other, .len = sizeof(other)},
		{.media = ERRORS, .data = bits, .len = sizeof(bits)},
	};
	bench_file(s, file);
	if (background != NULL)
		bench_file(background, other);
	host_reset(h);
	int r = host_decode_bytes(h, raw, 2, reference, background != NULL ? 2 : 0);
	assert_false(h->frame.failed);
	return r;
}

static void assert_near(double value, double expected, double within)
{
	if (!(fabs(value - expected) <= within))
		fail_msg("%.7f, expected %.7f", value, expected);
}

static const struct assay_variable *setting(const struct host *h, const char *name)
{
	for (size_t i = 0; i < h->frame.setting_count; i++)
		if (strcmp(h->frame.settings[i].said, name) == 0)
			return &h->frame.settings[i].v;
	fail_msg("no setting %s", name);
	return NULL;
}

static bool has_setting(const struct host *h, const char *name)
{
	for (size_t i = 0; i < h->frame.setting_count; i++)
		if (strcmp(h->frame.settings[i].said, name) == 0)
			return true;
	return false;
}

/* --- the capture ------------------------------------------------------------------------------ */

static void a_scan_has_the_values_of_the_capture(void **state)
{
	struct host *h = *state;
	for (int type = 0; type <= 2; type += 2) {
		struct bench_scan s = bench_capture();
		s.type = type;
		assert_int_equal(decode(h, &s, 0, NULL), 0);
		assert_int_equal(h->frame.kind, ASSAY_SPECTRUM);
		assert_int_equal(h->frame.flag, ASSAY_GOOD);
		const struct assay_variable *axis = host_find(h, "wavelength");
		const struct assay_variable *data = host_find(h, "single_beam");
		assert_string_equal(axis->unit, "nm");
		assert_string_equal(data->unit, "{count}");
		assert_string_equal(data->dims[0], "wavelength");
		assert_null(data->channel);
		assert_int_equal(data->type, ASSAY_I32);
		assert_int_equal(data->count, 228);
		static const int first[] = {18693, 20787, 22799, 24598},
				 last[] = {4365, 3752, 3220};
		for (size_t i = 0; i < 4; i++)
			assert_true(host_element(data, i) == first[i]);
		for (size_t i = 0; i < 3; i++)
			assert_true(host_element(data, 225 + i) == last[i]);
		/* The published list has them to a thousandth, or a tenth. */
		assert_near(host_element(axis, 0), 901.629, 5e-4);
		assert_near(host_element(axis, 50), 1097.0, 0.05);
		assert_near(host_element(axis, 150), 1455.6, 0.05);
		assert_near(host_element(axis, 227), 1701.4, 0.05);
		assert_int_equal(host_find(h, "dark_level")->integer, 21206);
		assert_true(host_find(h, "board_temperature")->real == 23.08);
		assert_true(host_find(h, "detector_temperature")->real == 25.15);
		assert_true(host_find(h, "humidity")->real == 27.53);
		assert_string_equal(setting(h, "gain")->text, "64");
		assert_string_equal(setting(h, "scan_name")->text, "Column 1");
		assert_int_equal(setting(h, "scans")->integer, 6);
		assert_int_equal(setting(h, "wavelength_first")->integer, 900);
		assert_int_equal(setting(h, "wavelength_last")->integer, 1700);
		assert_int_equal(has_setting(h, "exposure_time"), type == 2);
		if (type == 2)
			assert_int_equal(setting(h, "exposure_time")->integer, 1270);
		assert_string_equal(h->frame.device_time, "2016-07-28T17:25:43");
	}
}

/* The background's intensities follow from the capture's and the absorbances of its reference. */
static void absorbance_is_the_decimal_logarithm(void **state)
{
	static const struct {
		size_t at;
		double absorbance;
	} points[] = {{0, 0.57703}, {50, 0.6199}, {150, 1.27509}, {227, 1.15296}};
	struct host *h = *state;
	struct bench_scan s = bench_capture(), background = s;
	int32_t reference[228];
	host_set(h, "result", "single_beam");
	assert_int_equal(decode(h, &s, 0, NULL), 0);
	const struct assay_variable *data = host_find(h, "single_beam");
	for (size_t i = 0; i < 228; i++)
		reference[i] = 200000;
	for (size_t i = 0; i < 4; i++)
		reference[points[i].at] = (int32_t)lround(
			host_element(data, points[i].at) * pow(10, points[i].absorbance));
	bench_fill(&background, 20000, reference, 228);
	host_set(h, "result", "absorbance");
	assert_int_equal(decode(h, &s, 0, &background), 0);
	data = host_find(h, "absorbance");
	assert_string_equal(data->unit, "{absorbance}");
	assert_int_equal(h->frame.flag, ASSAY_GOOD);
	for (size_t i = 0; i < 4; i++)
		assert_near(host_element(data, points[i].at), points[i].absorbance, 5e-6);
	static const char *const ratios[] = {"transmittance", "reflectance"};
	for (size_t k = 0; k < 2; k++) {
		host_set(h, "result", ratios[k]);
		assert_int_equal(decode(h, &s, 0, &background), 0);
		data = host_find(h, ratios[k]);
		assert_string_equal(data->unit, "1");
		for (size_t i = 0; i < 4; i++)
			assert_near(host_element(data, points[i].at),
				pow(10, -points[i].absorbance), 1e-5);
	}
}

/* --- dark patterns and columns ---------------------------------------------------------------- */

static void the_dark_level_is_the_integer_mean(void **state)
{
	struct host *h = *state;
	struct bench_scan s = bench_capture();
	s.adc[24] = 21206 + 8; /* of nine: a mean of 21206.9 */
	assert_int_equal(decode(h, &s, 0, NULL), 0);
	assert_int_equal(host_find(h, "dark_level")->integer, 21206);
	s.adc[24]++;
	assert_int_equal(decode(h, &s, 0, NULL), 0);
	assert_int_equal(host_find(h, "dark_level")->integer, 21207);
	assert_true(host_element(host_find(h, "single_beam"), 0) == 18692);
}

/* A column is cut to a whole one; of an even width the centre lies half a column before it. */
static void columns_are_whole_ones(void **state)
{
	struct host *h = *state;
	struct bench_scan s = bench_capture();
	const double *p = s.polynomial;
	for (int width = 5; width <= 6; width++) {
		s.sections[0].width = width;
		assert_int_equal(decode(h, &s, 0, NULL), 0);
		const struct assay_variable *axis = host_find(h, "wavelength");
		for (size_t i = 0; i < 228; i++) {
			/* The column of each wavelength by halving, without a formula. */
			double low = 0, high = 853, nm = host_element(axis, i);
			while (high - low > 1e-9) {
				double x = (low + high) / 2;
				if (p[0] + p[1] * x + p[2] * x * x > nm)
					low = x;
				else
					high = x;
			}
			double part = low + (width == 6 ? 0.5 : 0);
			assert_near(part, round(part), 1e-6);
		}
	}
}

static void each_section_has_an_axis_of_its_own(void **state)
{
	struct host *h = *state;
	struct bench_scan s = bench_capture();
	s.section_count = 2;
	s.sections[0] = (struct bench_section){0, 6, 900, 1300, 100, 1};
	s.sections[1] = (struct bench_section){0, 7, 1250, 1700, 128, 6};
	assert_int_equal(decode(h, &s, 0, NULL), 0);
	assert_int_equal(h->frame.flag, ASSAY_GOOD);
	const struct assay_variable *first = NULL, *second = NULL;
	for (size_t i = 0; i < h->frame.var_count; i++) {
		const struct assay_variable *v = &h->frame.vars[i].v;
		if (strcmp(v->name, "single_beam") == 0 && strcmp(v->channel, "1") == 0)
			first = v;
		if (strcmp(v->name, "single_beam") == 0 && strcmp(v->channel, "2") == 0)
			second = v;
	}
	assert_string_equal(first->dims[0], "wavelength");
	assert_string_equal(second->dims[0], "wavelength_2");
	assert_int_equal(first->count, 100);
	assert_int_equal(second->count, 128);
	assert_true(host_element(first, 0) == 18693);
	assert_true(host_element(second, 127) == 3220);
	assert_near(host_element(host_find(h, "wavelength"), 99), 1300, 3);
	assert_near(host_element(host_find(h, "wavelength_2"), 0), 1250, 3);
	assert_int_equal(setting(h, "exposure_time")->count, 2);
	assert_true(host_element(setting(h, "exposure_time"), 1) == 60960);
	assert_true(host_element(setting(h, "column_width"), 1) == 7);
}

static void a_section_may_have_one_pattern(void **state)
{
	struct host *h = *state;
	struct bench_scan s = bench_capture();
	s.samples = 25;
	s.section_count = 2;
	s.sections[0] = (struct bench_section){0, 6, 1000, 1100, 1, 1};
	s.sections[1] = (struct bench_section){0, 6, 900, 1700, 23, 1};
	assert_int_equal(decode(h, &s, 0, NULL), 0);
	assert_int_equal(h->frame.flag, ASSAY_GOOD);
	assert_int_equal(host_find(h, "wavelength")->count, 1);
	assert_near(host_element(host_find(h, "wavelength"), 0), 1000, 3);
}

static void texts_of_a_file_are_cleaned(void **state)
{
	struct host *h = *state;
	struct bench_scan s = bench_capture();
	s.name = "Col\x1b[1m\xff";
	assert_int_equal(decode(h, &s, 0, NULL), 0);
	assert_string_equal(setting(h, "scan_name")->text, "Col?[1m?");
}

/* --- scans without a spectrum ----------------------------------------------------------------- */

static void a_scan_without_a_spectrum_keeps_its_samples(void **state)
{
	struct bench_scan s[11];
	static const char *const why[11] = {"Hadamard", "Hadamard", "no column", "no column",
		"one wavelength", "more than 32", "do not fit", "do not fit", "do not fit",
		"do not fit", "do not fit"};
	struct host *h = *state;
	for (size_t i = 0; i < 11; i++)
		s[i] = bench_capture();
	s[0].sections[0].type = 1;
	s[1].type = 3;
	s[2].sections[0].first = 300;
	s[3].polynomial[1] = s[3].polynomial[2] = 0;
	s[4].sections[0].first = 1690;
	s[5].adc[200] = INT32_MIN;
	s[6].sections[0].patterns = 227;
	s[7].black_period = 20;
	s[8].black_first = 250;
	s[9].black_period = 0; /* one dark pattern */
	s[10].sections[0].patterns = 0, s[10].black_first = 0, s[10].black_period = 1;
	for (size_t i = 0; i < 11; i++) {
		assert_int_equal(decode(h, &s[i], 0, NULL), 0);
		const struct assay_variable *data = host_find(h, "samples");
		assert_int_equal(data->count, 237);
		assert_string_equal(data->dims[0], "pattern");
		assert_true(host_element(data, 24) == 21206);
		assert_true(host_element(data, 0) == 21206 + 18693);
		assert_null(host_find(h, "single_beam"));
		assert_int_equal(h->frame.flag, ASSAY_SUSPECT);
		assert_int_equal(has_setting(h, "scan_type"), i != 1);
		assert_true(host_has_reason(h, i < 6 ? "not-processed" : "malformed"));
		if (strstr(host_find(h, "status_text")->text, why[i]) == NULL)
			fail_msg("%zu: %s", i, host_find(h, "status_text")->text);
	}
}

/* --- backgrounds ------------------------------------------------------------------------------ */

static void a_background_of_another_scan_is_not_used(void **state)
{
	struct host *h = *state;
	struct bench_scan s = bench_capture(), b[9];
	static const char *const why[9] = {"configuration", "configuration", "configuration",
		"configuration", "configuration", "instrument 6100040", "wavelength calibration",
		"gain of 32", "Hadamard"};
	for (size_t i = 0; i < 9; i++)
		b[i] = s;
	b[0].sections[0].width = 7;
	b[1].sections[0].first = 901;
	b[2].sections[0].last = 1699;
	b[3].sections[0].exposure = 2;
	b[4].section_count = 2;
	b[4].sections[0].patterns = 100, b[4].sections[1].patterns = 128;
	b[5].serial = "6100040";
	b[6].polynomial[0] += 0.1;
	b[7].gain = 32;
	b[8].sections[0].type = 1;
	host_set(h, "result", "absorbance");
	for (size_t i = 0; i < 9; i++) {
		struct bench_scan sample = s;
		assert_int_equal(decode(h, &sample, 0, &b[i]), 0);
		assert_int_equal(h->frame.flag, ASSAY_SUSPECT);
		assert_true(host_has_reason(h, "no-background"));
		assert_true(host_element(host_find(h, "single_beam"), 0) == 18693);
		const char *text = host_find(h, "status_text")->text;
		if (strstr(text, i < 8 ? why[i] : "configuration") == NULL)
			fail_msg("%zu: %s", i, text);
	}
	b[0] = s;
	b[0].repeats = 100;
	assert_int_equal(decode(h, &s, 0, &b[0]), 0);
	assert_int_equal(h->frame.flag, ASSAY_GOOD);
	assert_int_equal(decode(h, &s, 0, NULL), 0);
	assert_true(host_has_reason(h, "no-background"));
	struct assay_bytes raw = {.media = SCAN, .data = file, .len = sizeof(file)};
	struct assay_bytes two[] = {raw, raw};
	host_reset(h);
	assert_int_equal(host_decode_bytes(h, &raw, 1, two, 2), 0);
	assert_non_null(strstr(host_find(h, "status_text")->text, "several"));
	two[0].len = 100;
	host_reset(h);
	assert_int_equal(host_decode_bytes(h, &raw, 1, two, 1), 0);
	assert_non_null(strstr(host_find(h, "status_text")->text, "cut off"));
}

static void points_without_light_are_no_numbers(void **state)
{
	struct host *h = *state;
	struct bench_scan s = bench_capture(), background = s;
	s.adc[1] = 21206 - 5;
	s.adc[2] = 21206;
	background.adc[3] = 21206;
	background.adc[4] = 21206 - 1;
	host_set(h, "result", "absorbance");
	assert_int_equal(decode(h, &s, 0, &background), 0);
	assert_true(host_has_reason(h, "below-detection"));
	assert_int_equal(h->frame.flag, ASSAY_UNCHECKED);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(
			isnan(host_element(host_find(h, "absorbance"), i)) != 0, i >= 1 && i <= 4);
	host_set(h, "result", "transmittance");
	assert_int_equal(decode(h, &s, 0, &background), 0);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(isnan(host_element(host_find(h, "transmittance"), i)) != 0,
			i == 3 || i == 4);
}

/* --- quality, time ---------------------------------------------------------------------------- */

static void errors_of_the_instrument_lower_the_quality(void **state)
{
	static const struct {
		uint32_t bits;
		int flag;
		const char *reason, *text;
	} cases[] = {
		{0x001, ASSAY_BAD, "device-error", "errors: scan"},
		{0x002, ASSAY_BAD, "device-error", "errors: ADC"},
		{0x004, ASSAY_SUSPECT, "device-warning", "errors: SD card"},
		{0x008, ASSAY_SUSPECT, "device-warning", "errors: EEPROM"},
		{0x010, ASSAY_SUSPECT, "device-warning", "errors: Bluetooth"},
		{0x020, ASSAY_SUSPECT, "device-warning", "errors: spectrum library"},
		{0x040, ASSAY_BAD, "device-error", "errors: hardware"},
		{0x080, ASSAY_SUSPECT, "device-warning", "errors: temperature sensor"},
		{0x100, ASSAY_SUSPECT, "device-warning", "errors: humidity sensor"},
		{0x200, ASSAY_SUSPECT, "device-warning", "errors: battery"},
		{0x400, ASSAY_BAD, "device-error", "errors: memory"},
		{0x800, ASSAY_SUSPECT, "device-warning", "errors: serial port"},
		{0x202, ASSAY_BAD, "device-error", "errors: ADC, battery"},
	};
	struct host *h = *state;
	struct bench_scan s = bench_capture();
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(decode(h, &s, cases[i].bits, NULL), 0);
		assert_int_equal(h->frame.flag, cases[i].flag);
		assert_true(host_has_reason(h, cases[i].reason));
		assert_string_equal(host_find(h, "status_text")->text, cases[i].text);
		assert_int_equal(host_find(h, "error_status")->integer, cases[i].bits);
		assert_string_equal(host_find(h, "error_status")->of, "single_beam");
	}
	struct assay_bytes raw = {.media = SCAN, .data = file, .len = sizeof(file)};
	host_reset(h);
	assert_int_equal(host_decode_bytes(h, &raw, 1, NULL, 0), 0);
	assert_int_equal(h->frame.flag, ASSAY_UNCHECKED);
	struct assay_bytes two[] = {raw, {.media = ERRORS, .data = file, .len = 3}};
	assert_int_equal(host_decode_bytes(h, two, 2, NULL, 0), -EBADMSG);
}

static void the_number_of_january_is_a_setting(void **state)
{
	struct host *h = *state;
	struct bench_scan s = bench_capture();
	host_set(h, "first_month", "0");
	assert_int_equal(decode(h, &s, 0, NULL), 0);
	assert_string_equal(h->frame.device_time, "2016-08-28T17:25:43");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_scan_has_the_values_of_the_capture),
		T(absorbance_is_the_decimal_logarithm),
		T(the_dark_level_is_the_integer_mean),
		T(columns_are_whole_ones),
		T(each_section_has_an_axis_of_its_own),
		T(a_section_may_have_one_pattern),
		T(texts_of_a_file_are_cleaned),
		T(a_scan_without_a_spectrum_keeps_its_samples),
		T(a_background_of_another_scan_is_not_used),
		T(points_without_light_are_no_numbers),
		T(errors_of_the_instrument_lower_the_quality),
		T(the_number_of_january_is_a_setting),
	};
	return cmocka_run_group_tests_name("nirscan-nano-decode", tests, NULL, NULL);
}
