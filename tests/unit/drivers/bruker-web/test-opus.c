/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of OPUS files, on files that the test writes. */
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

#include "bruker-web/measurement.h"
#include "opus-file.h"

#define POINTS 600

static float values[POINTS];

/* A burst in the middle of each half, the second one point earlier, as real files have it. */
static struct opus_scan both_directions(void)
{
	for (size_t i = 0; i < POINTS; i++) {
		double d = (double)(i % 300) - (i < 300 ? 150 : 149);
		values[i] = (float)(100 * exp(-d * d / 50) * cos(d) + 1);
	}
	return (struct opus_scan){.values = values,
		.count = POINTS,
		.peak = 150,
		.backward_peak = 149,
		.forward = 25,
		.backward = 25,
		.laser = 15795.820598,
		.high = 15795.820598,
		.resolution = 400,
		.phase_resolution = 800,
		.factor = 0.04};
}

static int read_file(const struct opus_file *f, struct measurement *m, char *why)
{
	struct opus file;
	int r = opus_open(&file, f->bytes, f->len);
	return r < 0 ? r : measurement_read(&file, OPUS_SAMPLE, m, why);
}

static int read_scan(const struct opus_scan *scan, struct measurement *m, char *why)
{
	struct opus_file *f = opus_file_of(scan);
	int r = read_file(f, m, why);
	/* Only numbers and texts are looked at afterwards. */
	opus_file_free(f);
	return r;
}

/* With bit 30 of every type, as some files have it, the file reads the same. */
static void a_file_is_read_with_and_without_bit_30(void **state)
{
	for (int k = 0; k < 2; k++) {
		char why[WHY_MAX];
		struct measurement m;
		struct opus_scan scan = both_directions();
		scan.extra = k == 0 ? 0 : 0x40000000;
		struct opus_file *f = opus_file_of(&scan);
		assert_int_equal(read_file(f, &m, why), 0);
		assert_int_equal(m.scan_count, 2);
		assert_int_equal(m.scans[0].count, 300);
		assert_int_equal(m.scans[0].peak, 150);
		assert_int_equal(m.scans[1].peak, 149);
		assert_ptr_equal(m.scans[1].numbers, m.scans[0].numbers + 4 * 300);
		assert_true(opus_value(m.scans[1].numbers, 149) == values[449]);
		assert_true(m.is_intact);
		assert_true(m.factor == 0.04 && m.laser == 15795.820598 && m.limit == m.laser);
		assert_true(m.resolution == 400 && m.phase_resolution == 800);
		assert_true(m.low == 500 && m.high == 10000);
		assert_int_equal(m.coadded, 50);
		assert_string_equal(m.mode, "DD");
		assert_string_equal(m.apodization, "B3");
		assert_string_equal(m.phase, "ML");
		assert_string_equal(m.zero_filling, "2");
		assert_string_equal(m.time, "03/05/2019 13:34:44.641 (GMT-4)");
		opus_file_free(f);
	}
	(void)state;
}

static void a_single_direction_without_stated_burst_is_found(void **state)
{
	char why[WHY_MAX];
	struct measurement m;
	struct opus_scan scan = both_directions();
	scan.count = 300;
	scan.backward = 0;
	scan.peak = -1;
	assert_int_equal(read_scan(&scan, &m, why), 0);
	assert_int_equal(m.scan_count, 1);
	assert_int_equal(m.scans[0].peak, 150);
	assert_true(m.is_intact);
	(void)state;
}

/* The folding limit is the laser's wavenumber, an n-th or n times it; the band starts at 0. */
static void the_distance_of_points_follows_the_folding_limits(void **state)
{
	static const struct {
		double high, low, limit;
	} cases[] = {
		{15795.820598, 0, 15795.820598},
		{15795.820598 / 2, 0, 15795.820598 / 2},
		{15795.820598 * 2, 0, 15795.820598 * 2},
		{15795.820598 / 2, 15795.820598 / 4, 0},
		{15795.820598, 7897.910299, 0},
		{11000, 0, 0},
		{0, 0, 0},
		{-15795.820598, 0, 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char why[WHY_MAX];
		struct measurement m;
		struct opus_scan scan = both_directions();
		scan.high = cases[i].high;
		scan.low = cases[i].low;
		assert_int_equal(read_scan(&scan, &m, why), 0);
		assert_float_equal(m.limit, cases[i].limit, 1e-9);
	}
	(void)state;
}

/* A value that was changed on the way contradicts the stated maximum, minimum or burst. */
static void a_file_that_contradicts_itself_is_not_intact(void **state)
{
	static const struct {
		size_t at;
		float value;
	} damage[] = {{0, 500}, {5, -500}, {0, NAN}, {0, INFINITY}, {150, 1}};
	for (size_t i = 0; i < sizeof(damage) / sizeof(*damage); i++) {
		char why[WHY_MAX];
		struct measurement m;
		struct opus_scan scan = both_directions();
		scan.count = 300;
		scan.backward = 0;
		scan.peak = i < 4 ? -1 : 150; /* the last one is found by the stated burst only */
		struct opus_file *f = opus_file_of(&scan);
		assert_int_equal(read_file(f, &m, why), 0);
		assert_true(m.is_intact);
		size_t at = (size_t)(m.scans[0].numbers - f->bytes) + 4 * damage[i].at;
		memcpy(f->bytes + at, &damage[i].value, 4);
		assert_int_equal(read_file(f, &m, why), 0);
		assert_false(m.is_intact);
		opus_file_free(f);
	}
	struct opus_scan scan = both_directions();
	char why[WHY_MAX];
	struct measurement m;
	scan.peak = 250;
	assert_int_equal(read_scan(&scan, &m, why), 0);
	assert_false(m.is_intact);
	assert_int_equal(m.scans[0].peak, 150);
	(void)state;
}

static void a_file_without_a_usable_interferogram_is_rejected_in_words(void **state)
{
	char why[WHY_MAX];
	struct measurement m;
	struct opus_scan scan = both_directions();
	scan.factor = 0;
	assert_int_equal(read_scan(&scan, &m, why), -EBADMSG);
	assert_non_null(strstr(why, "CSF"));
	scan = both_directions();
	scan.count = 599;
	assert_int_equal(read_scan(&scan, &m, why), -EBADMSG);
	assert_non_null(strstr(why, "odd number"));
	scan.count = 1;
	scan.backward = 0;
	assert_int_equal(read_scan(&scan, &m, why), -EBADMSG);
	assert_non_null(strstr(why, "fewer"));
	scan = both_directions();
	struct opus_file *f = opus_file_of(&scan);
	opus_file_block(f, 0x807);
	opus_file_numbers(f, values, 10);
	assert_int_equal(read_file(f, &m, why), -EBADMSG);
	assert_non_null(strstr(why, "several"));
	opus_file_free(f);
	/* A derivative, a spectrum and a reference's interferogram are none of the sample. */
	static const uint32_t others[] = {0x20807, 0x407, 0x80b};
	f = opus_file_new();
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		opus_file_block(f, others[i]);
		opus_file_numbers(f, values, 10);
	}
	opus_file_block(f, 0x817);
	opus_file_integer(f, "NPT", 10);
	opus_file_real(f, "CSF", 1);
	opus_file_end(f);
	assert_int_equal(read_file(f, &m, why), -EBADMSG);
	assert_non_null(strstr(why, "no interferogram"));
	opus_file_free(f);
	(void)state;
}

/* A copy that ends where the memory does, so that a sanitizer finds a byte read past it. */
static int open_copy(const uint8_t *bytes, size_t len)
{
	struct opus file;
	struct measurement m;
	char why[WHY_MAX];
	uint8_t *copy = malloc(len + (len == 0));
	memcpy(copy, bytes, len);
	int r = opus_open(&file, copy, len);
	if (r == 0)
		measurement_read(&file, OPUS_SAMPLE, &m, why);
	free(copy);
	return r;
}

static void a_file_cut_anywhere_is_rejected(void **state)
{
	struct opus_scan scan = both_directions();
	scan.count = 40;
	struct opus_file *f = opus_file_of(&scan);
	for (size_t len = 0; len < f->len; len++)
		assert_int_equal(open_copy(f->bytes, len), -EBADMSG);
	assert_int_equal(open_copy(f->bytes, f->len), 0);
	opus_file_free(f);
	(void)state;
}

/* Each byte of head, directory and parameters with other bits: rejected or read, never past the end. */
static void changed_bytes_are_never_followed_past_the_end(void **state)
{
	static const uint8_t flips[] = {0x01, 0x80, 0xff, 0x40};
	struct opus_scan scan = both_directions();
	scan.count = 40;
	struct opus_file *f = opus_file_of(&scan);
	for (size_t i = 0; i < f->len; i++) {
		for (size_t k = 0; k < sizeof(flips); k++) {
			f->bytes[i] ^= flips[k];
			open_copy(f->bytes, f->len);
			f->bytes[i] ^= flips[k];
		}
	}
	opus_file_free(f);
	(void)state;
}

static void parameters_have_the_type_of_their_use(void **state)
{
	struct opus file;
	double number;
	char text[4];
	struct opus_file *f = opus_file_new();
	opus_file_block(f, 0x30);
	opus_file_text(f, "RES", "4");
	opus_file_integer(f, "NSS", -3);
	opus_file_real(f, "BIG", INFINITY);
	opus_file_text(f, "SNM", "a\x1b\xe4\x62\x63");
	opus_file_text(f, "CNM", "");
	opus_file_end(f);
	opus_file_integer(f, "PST", 1); /* behind the end of the list */
	assert_int_equal(opus_open(&file, f->bytes, f->len), 0);
	struct opus_block block = opus_find_parameters(&file, OPUS_SAMPLE, OPUS_ACQUISITION);
	assert_false(opus_number(block, "RES", &number));
	assert_true(opus_number(block, "NSS", &number) && number == -3);
	assert_false(opus_number(block, "BIG", &number));
	assert_false(opus_number(block, "PST", &number));
	assert_true(opus_text(block, "SNM", text, sizeof(text)));
	assert_string_equal(text, "a??");
	assert_false(opus_text(block, "CNM", text, sizeof(text)));
	assert_false(opus_text(block, "NSS", text, sizeof(text)));
	block = opus_find_parameters(&file, OPUS_REFERENCE, OPUS_ACQUISITION);
	assert_false(opus_number(block, "NSS", &number));
	opus_file_free(f);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_read_with_and_without_bit_30),
		cmocka_unit_test(a_single_direction_without_stated_burst_is_found),
		cmocka_unit_test(the_distance_of_points_follows_the_folding_limits),
		cmocka_unit_test(a_file_that_contradicts_itself_is_not_intact),
		cmocka_unit_test(a_file_without_a_usable_interferogram_is_rejected_in_words),
		cmocka_unit_test(a_file_cut_anywhere_is_rejected),
		cmocka_unit_test(changed_bytes_are_never_followed_past_the_end),
		cmocka_unit_test(parameters_have_the_type_of_their_use),
	};
	return cmocka_run_group_tests_name("bruker-web-opus", tests, NULL, NULL);
}
