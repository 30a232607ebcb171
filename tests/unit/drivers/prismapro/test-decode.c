/* SPDX-License-Identifier: Apache-2.0 */
/* Frames from replies in the form that the vendor's example has; facts by the test's own reading. */
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

extern const struct assay_driver *const assay_driver;

struct frame {
	char text[20000];
	struct assay_bytes raw[4];
};

/* A scan with `count` values, of which the first are given; the others are 1e-13. */
static void put_scan(struct frame *f, const char *values, size_t given, size_t count)
{
	int n = snprintf(f->text, sizeof(f->text),
		"{\"name\":\"got\",\"origin\":\"/mmsp/measurement/scans/-1\",\"data\":"
		"{\"scannum\":         4,\"scansize\": %7zu,\"values\":[%s",
		count, values);
	for (size_t i = given; i < count; i++)
		n += snprintf(f->text + n, sizeof(f->text) - (size_t)n, "%s 1.000000e-13",
			i > 0 ? "," : "");
	n += snprintf(f->text + n, sizeof(f->text) - (size_t)n, "]}}");
	f->raw[0] = (struct assay_bytes){.media = "application/json",
		.name = "scan",
		.data = (const uint8_t *)f->text,
		.len = (size_t)n};
}

static void put_words(struct frame *f, uint32_t system, uint32_t errors, uint32_t warnings)
{
	static char texts[3][64];
	static const char *const names[] = {"systemStatus", "hardwareErrors", "hardwareWarnings"};
	const uint32_t words[] = {system, errors, warnings};
	for (size_t i = 0; i < 3; i++) {
		int n = snprintf(
			texts[i], sizeof(texts[i]), "{\"name\":\"got\",\"data\":%13u}", words[i]);
		f->raw[i + 1] = (struct assay_bytes){.media = "application/json",
			.name = names[i],
			.data = (const uint8_t *)texts[i],
			.len = (size_t)n};
	}
}

static struct frame frame;

static int setup(void **state)
{
	*state = host_create(assay_driver, ASSAY_LINK_HTTP);
	put_words(&frame, UINT32_C(1) << 31 | 1u << 25, 0, 0);
	return 0;
}

static int teardown(void **state)
{
	host_destroy(*state);
	return 0;
}

static int decode(struct host *h)
{
	host_reset(h);
	return host_decode_bytes(h, frame.raw, 4, NULL, 0);
}

/* --- the worked example ----------------------------------------------------------------------- */

/* 0 to 30 u with 4 points per u are 121 points; the first value of the real reply is this one. */
static void a_sweep_has_the_points_of_the_example(void **state)
{
	struct host *h = *state;
	host_set(h, "mass_last", "30");
	host_set(h, "points_per_amu", "4");
	put_scan(&frame, "-7.193528e-15", 1, 121);
	assert_int_equal(decode(h), 0);
	const struct assay_variable *mz = host_find(h, "mz"),
				    *current = host_find(h, "ion_current");
	assert_int_equal(h->frame.kind, ASSAY_SPECTRUM);
	assert_int_equal(mz->count, 121);
	assert_true(mz->start == 0 && mz->step == 0.25);
	assert_string_equal(current->unit, "A");
	assert_true(host_element(current, 0) == -7.193528e-15);
	assert_true(host_element(current, 120) == 1e-13);
	assert_int_equal(h->frame.flag, ASSAY_UNCHECKED);
	/* Another number of points is another scan. */
	put_scan(&frame, "-7.193528e-15", 1, 120);
	assert_int_equal(decode(h), -EBADMSG);
}

static void single_masses_are_a_list(void **state)
{
	struct host *h = *state;
	host_set(h, "mode", "single");
	host_set(h, "sim_ions", "2");
	host_set(h, "sim_ions", "18.25");
	host_set(h, "sim_ions", "44");
	put_scan(&frame, " 1.5e-12, 2.5e-12,-3.5e-15", 3, 3);
	assert_int_equal(decode(h), 0);
	assert_true(host_element(host_find(h, "mz"), 1) == 18.25);
	assert_true(host_element(host_find(h, "ion_current"), 2) == -3.5e-15);
}

static void the_total_pressure_is_the_last_value(void **state)
{
	struct host *h = *state;
	host_set(h, "mass_first", "4");
	host_set(h, "mass_last", "4");
	put_scan(&frame, "1e-12, 2.0e-6", 2, 2);
	host_set(h, "total_pressure", "mbar");
	assert_int_equal(decode(h), 0);
	assert_int_equal(host_find(h, "ion_current")->count, 1);
	assert_true(host_find(h, "total_pressure")->real == 2e-6);
	assert_string_equal(host_find(h, "total_pressure")->unit, "mbar");
	host_set(h, "total_pressure", "Torr");
	assert_int_equal(decode(h), 0);
	assert_float_equal(host_find(h, "total_pressure")->real, 2.666447368e-4, 1e-12);
	assert_string_equal(host_find(h, "total_pressure")->unit, "Pa");
	assert_int_equal(h->frame.flag, ASSAY_UNCHECKED);
	put_scan(&frame, "1e-12,-9.999999e-31", 2, 2);
	assert_int_equal(decode(h), 0);
	assert_null(host_find(h, "total_pressure"));
	assert_true(host_has_reason(h, "out-of-range"));
}

static void no_number_is_nan(void **state)
{
	struct host *h = *state;
	host_set(h, "mass_last", "1");
	put_scan(&frame, "-9.999999e-31,-9.999998e-31", 2, 6);
	assert_int_equal(decode(h), 0);
	assert_true(isnan(host_element(host_find(h, "ion_current"), 0)));
	assert_true(host_element(host_find(h, "ion_current"), 1) == -9.999998e-31);
	assert_int_equal(h->frame.flag, ASSAY_SUSPECT);
	assert_true(host_has_reason(h, "out-of-range"));
}

/* --- status ----------------------------------------------------------------------------------- */

static void status_words_are_flags(void **state)
{
	struct host *h = *state;
	host_set(h, "mass_last", "1");
	put_scan(&frame, "", 0, 6);
	put_words(&frame, 0xffffffff, 0, 0);
	assert_int_equal(decode(h), 0);
	const struct assay_variable *v = host_find(h, "status");
	assert_int_equal(v->role, ASSAY_FLAGS);
	assert_int_equal(v->integer, 0xffffffff);
	/* By the sheet's lists of bits. */
	static const struct {
		unsigned bit;
		const char *text;
	} system[] = {{31, "emission regulated"}, {28, "emission pending"},
		{27, "emission interlock"}, {25, "RF on"}, {23, "multiplier on"},
		{22, "multiplier pending"}, {21, "multiplier interlock"}, {1, "scan active"}},
	  errors[] = {{31, "emission"}, {30, "multiplier"}, {24, "electrometer"}, {20, "detector"},
		  {19, "DDS"}, {11, "DEC excursion"}};
	for (size_t i = 0; i < sizeof(system) / sizeof(*system); i++)
		assert_string_equal(v->bits[system[i].bit], system[i].text);
	assert_null(v->bits[12]);
	v = host_find(h, "hardware_errors");
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		assert_string_equal(v->bits[errors[i].bit], errors[i].text);
	assert_null(v->bits[10]);
	assert_int_equal(host_find(h, "hardware_warnings")->role, ASSAY_FLAGS);
}

static void errors_and_lost_parts_make_a_frame_bad(void **state)
{
	static const struct {
		const char *emission, *multiplier;
		uint32_t system, errors, warnings;
		enum assay_quality flag;
		const char *reason;
	} rows[] = {
		{NULL, NULL, 0, 0, 0, ASSAY_UNCHECKED, NULL},
		{NULL, NULL, 0, 1u << 24, 0, ASSAY_BAD, "device-error"},
		{NULL, NULL, 0, 0, 1, ASSAY_SUSPECT, "device-warning"},
		{"true", NULL, UINT32_C(1) << 31, 0, 0, ASSAY_UNCHECKED, NULL},
		{"true", NULL, 1u << 28, 0, 0, ASSAY_BAD, "device-error"},
		{"true", NULL, 1u << 27, 0, 0, ASSAY_BAD, "interlock"},
		{"false", NULL, 0, 0, 0, ASSAY_UNCHECKED, NULL},
		{"true", "true", UINT32_C(1) << 31, 0, 0, ASSAY_BAD, "device-error"},
		{"true", "true", UINT32_C(1) << 31 | 1u << 21, 0, 0, ASSAY_BAD, "interlock"},
		{"true", "true", UINT32_C(1) << 31 | 1u << 23, 0, 0, ASSAY_UNCHECKED, NULL},
	};
	struct host *h = *state;
	host_set(h, "mass_last", "1");
	put_scan(&frame, "", 0, 6);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		host_unset(h, "emission");
		host_unset(h, "multiplier");
		if (rows[i].emission != NULL)
			host_set(h, "emission", rows[i].emission);
		if (rows[i].multiplier != NULL)
			host_set(h, "multiplier", rows[i].multiplier);
		put_words(&frame, rows[i].system, rows[i].errors, rows[i].warnings);
		assert_int_equal(decode(h), 0);
		if (h->frame.flag != rows[i].flag)
			fail_msg("row %zu: quality %d", i, (int)h->frame.flag);
		assert_true(rows[i].reason == NULL || host_has_reason(h, rows[i].reason));
	}
}

/* --- bytes that are no frame ------------------------------------------------------------------ */

static void other_bytes_are_refused(void **state)
{
	static const char *const scans[] = {"", "[]", "{}", "null", "{\"name\":\"got\"}",
		"{\"name\":\"got\",\"data\":5}",
		"{\"name\":\"got\",\"data\":{\"scannum\":1,\"scansize\":6}}",
		"{\"name\":\"got\",\"data\":{\"scannum\":1,\"scansize\":6,\"values\":null}}",
		"{\"name\":\"got\",\"data\":{\"scannum\":1,\"scansize\":5,\"values\":[1,1,1,1,1,1]}"
		"}",
		"{\"name\":\"got\",\"data\":{\"scannum\":-1,\"scansize\":6,\"values\":[1,1,1,1,1,1]"
		"}}",
		"{\"name\":\"got\",\"data\":{\"scannum\":1,\"scansize\":6,\"values\":[1,1,1,1,1,"
		"null]}}",
		"{\"name\":\"got\",\"data\":{\"scannum\":1,\"scansize\":6,\"values\":[1,1,1,1,1,"
		"\"1\"]}}",
		/* JSON has no such numbers, and a double cannot hold the last. */
		"{\"name\":\"got\",\"data\":{\"scannum\":1,\"scansize\":6,\"values\":[1,1,1,1,1,"
		"NaN]}}",
		"{\"name\":\"got\",\"data\":{\"scannum\":1,\"scansize\":6,\"values\":[1,1,1,1,1,"
		"inf]}}",
		"{\"name\":\"got\",\"data\":{\"scannum\":1,\"scansize\":6,\"values\":[1,1,1,1,1,"
		"1e999]}}",
		/* Which of the two? */
		"{\"name\":\"got\",\"data\":{\"scannum\":1,\"scannum\":2,\"scansize\":6,\"values\":"
		"[1,1,1,1,1,1]}}",
		"{\"name\":\"error\",\"data\":{\"scannum\":1,\"scansize\":6,\"values\":[1,1,1,1,1,"
		"1]}}",
		"{\"name\":\"got\",\"data\":{\"scannum\":1,\"scansize\":6,\"values\":[1,1,1,1,1,1]}"
		"} x"};
	struct host *h = *state;
	host_set(h, "mass_last", "1");
	for (size_t i = 0; i < sizeof(scans) / sizeof(*scans); i++) {
		put_scan(&frame, "", 0, 6);
		frame.raw[0].data = (const uint8_t *)scans[i];
		frame.raw[0].len = strlen(scans[i]);
		if (decode(h) != -EBADMSG)
			fail_msg("accepted: %s", scans[i]);
	}
	put_scan(&frame, "", 0, 6);
	for (size_t i = 1; i < 4; i++) {
		struct assay_bytes kept = frame.raw[i];
		frame.raw[i].data = (const uint8_t *)"{\"name\":\"got\",\"data\":4294967296}";
		frame.raw[i].len = strlen((const char *)frame.raw[i].data);
		assert_int_equal(decode(h), -EBADMSG);
		frame.raw[i].name = "other";
		assert_int_equal(decode(h), -EBADMSG);
		frame.raw[i] = kept;
	}
	assert_int_equal(decode(h), 0);
}

/* A reply that nests deeper than its reader can follow ends in an error, not in a crash. */
static void deep_nesting_is_refused(void **state)
{
	struct host *h = *state;
	static char deep[1u << 20];
	memset(deep, '[', sizeof(deep));
	frame.raw[0] = (struct assay_bytes){.media = "application/json",
		.name = "scan",
		.data = (const uint8_t *)deep,
		.len = sizeof(deep)};
	assert_int_equal(decode(h), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_sweep_has_the_points_of_the_example, setup, teardown),
		cmocka_unit_test_setup_teardown(single_masses_are_a_list, setup, teardown),
		cmocka_unit_test_setup_teardown(
			the_total_pressure_is_the_last_value, setup, teardown),
		cmocka_unit_test_setup_teardown(no_number_is_nan, setup, teardown),
		cmocka_unit_test_setup_teardown(status_words_are_flags, setup, teardown),
		cmocka_unit_test_setup_teardown(
			errors_and_lost_parts_make_a_frame_bad, setup, teardown),
		cmocka_unit_test_setup_teardown(other_bytes_are_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(deep_nesting_is_refused, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
