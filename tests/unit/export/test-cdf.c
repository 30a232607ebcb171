/* SPDX-License-Identifier: Apache-2.0 */
/* netCDF-3, byte by byte as its specification has it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cdf.h"

static struct cdf cdf;
static struct buffer out;

static int clean(void **state)
{
	cdf_finish(&cdf);
	buffer_finish(&out);
	return 0;
}

/* Compares the file with bytes in hexadecimal digits; blanks count nothing. */
static void expect_bytes(const char *hex)
{
	size_t at = 0;
	assert_false(out.failed);
	for (; *hex != '\0'; hex++) {
		unsigned byte;
		if (*hex == ' ')
			continue;
		assert_int_equal(sscanf(hex++, "%2x", &byte), 1);
		assert_true(at < out.len);
		if (out.data[at] != byte)
			fail_msg("byte %zu is %02x, not %02x", at, out.data[at], byte);
		at++;
	}
	assert_int_equal(at, out.len);
}

static void values_are_padded_and_in_order(void **state)
{
	size_t x = cdf_dim(&cdf, "x", 3), dims[] = {x};
	size_t v = cdf_var(&cdf, "v", CDF_SHORT, 1, dims);
	cdf_var(&cdf, "s", CDF_DOUBLE, 0, NULL);
	cdf_text(&cdf, CDF_GLOBAL, "title", "ab");
	cdf_number(&cdf, v, "n", CDF_INT, -2);
	assert_int_equal(cdf_head(&cdf, &out), 0);
	assert_false(cdf_is_whole(&cdf));
	for (int i = 1; i <= 3; i++)
		cdf_put(&cdf, &out, -i);
	cdf_put(&cdf, &out, 1.5);
	assert_true(cdf_is_whole(&cdf));
	expect_bytes("43444601 00000000" /* CDF-1, no records */
		     "0000000a 00000001 00000001 78000000 00000003"
		     "0000000c 00000001 00000005 7469746c 65000000 00000002 00000002 61620000"
		     "0000000b 00000002"
		     "00000001 76000000 00000001 00000000"
		     "0000000c 00000001 00000001 6e000000 00000004 00000001 fffffffe"
		     "00000003 00000008 0000009c"
		     "00000001 73000000 00000000 00000000 00000000 00000006 00000008 000000a4"
		     "ffff fffe fffd 0000 3ff8000000000000");
}

/* Dimension r of records, and two variables of it; the fixed one stands first in the file. */
static void declare_records(enum cdf_type type, bool is_alone)
{
	size_t r = cdf_dim(&cdf, "r", 0), two = cdf_dim(&cdf, "t", 2), dims[] = {r, two};
	cdf_var(&cdf, "a", type, 1, dims);
	if (!is_alone)
		cdf_var(&cdf, "b", CDF_CHAR, 2, dims);
	cdf_var(&cdf, "f", CDF_BYTE, 0, NULL);
	cdf.records = 2;
	assert_int_equal(cdf_head(&cdf, &out), 0);
	buffer_reset(&out);
	cdf_put(&cdf, &out, 7);
}

static void records_are_interleaved(void **state)
{
	declare_records(CDF_FLOAT, false);
	cdf_put(&cdf, &out, 1);
	cdf_put_text(&cdf, &out, "xyz", 2);
	assert_false(cdf_is_whole(&cdf));
	cdf_put(&cdf, &out, 2);
	cdf_put_text(&cdf, &out, "x", 2);
	assert_true(cdf_is_whole(&cdf));
	expect_bytes("07000000 3f800000 78790000 40000000 78000000");
}

static void a_single_variable_of_records_is_not_padded(void **state)
{
	declare_records(CDF_SHORT, true);
	cdf_put(&cdf, &out, 1);
	cdf_put(&cdf, &out, 2);
	assert_true(cdf_is_whole(&cdf));
	expect_bytes("07000000 0001 0002");
}

static void without_records_only_the_fixed_values_come(void **state)
{
	size_t dims[] = {cdf_dim(&cdf, "r", 0)};
	cdf_var(&cdf, "a", CDF_DOUBLE, 1, dims);
	assert_int_equal(cdf_head(&cdf, &out), 0);
	assert_true(cdf_is_whole(&cdf));
	cdf_var(&cdf, "f", CDF_INT, 0, NULL);
	assert_int_equal(cdf_head(&cdf, &out), 0);
	assert_false(cdf_is_whole(&cdf));
	cdf_put(&cdf, &out, 1);
	assert_true(cdf_is_whole(&cdf));
}

static void too_large_files_are_rejected(void **state)
{
	static const struct {
		bool is_64;
		uint64_t records, fixed; /* of 16 bytes, of 8 bytes */
		int result;
	} rows[] = {{false, 1000, 1000, 0}, {false, 134217000, 1000, 0},
		{false, 134217728, 1, -EFBIG}, {false, 1, 268435456, -EFBIG},
		{false, 0, UINT64_C(1) << 62, -E2BIG}, {true, 134217728, 1, 0},
		{true, 1, 268435456, 0}, {true, 1, 536870912, -EFBIG},
		{true, UINT64_C(1) << 31, 1, -EFBIG}, {false, 0, UINT64_C(1) << 31, -EFBIG}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		size_t dims[] = {cdf_dim(&cdf, "r", 0)},
		       fixed[] = {cdf_dim(&cdf, "f", rows[i].fixed)};
		cdf_var(&cdf, "a", CDF_DOUBLE, 1, dims);
		cdf_var(&cdf, "b", CDF_DOUBLE, 1, dims);
		cdf_var(&cdf, "c", CDF_DOUBLE, 1, fixed);
		cdf.is_64 = rows[i].is_64;
		cdf.records = rows[i].records;
		if (cdf_head(&cdf, &out) != rows[i].result)
			fail_msg("row %zu", i);
		clean(state);
	}
}

static void offsets_of_64_bits_stand_in_the_second_version(void **state)
{
	size_t dims[] = {cdf_dim(&cdf, "x", 500000000)};
	cdf_var(&cdf, "a", CDF_DOUBLE, 1, dims);
	cdf_var(&cdf, "b", CDF_BYTE, 0, NULL);
	cdf.is_64 = true;
	assert_int_equal(cdf_head(&cdf, &out), 0);
	expect_bytes("43444602 00000000 0000000a 00000001 00000001 78000000 1dcd6500"
		     "00000000 00000000 0000000b 00000002"
		     "00000001 61000000 00000001 00000000 00000000 00000000 00000006 ee6b2800"
		     "00000000 00000078"
		     "00000001 62000000 00000000 00000000 00000000 00000001 00000004"
		     "00000000 ee6b2878");
}

static void too_many_declarations_are_rejected(void **state)
{
	for (size_t i = 0; i <= CDF_VARS; i++)
		cdf_var(&cdf, "v", CDF_INT, 0, NULL);
	assert_int_equal(cdf_head(&cdf, &out), -E2BIG);
	cdf_finish(&cdf);
	for (size_t i = 0; i <= CDF_DIMS; i++)
		cdf_dim(&cdf, "d", 1);
	assert_int_equal(cdf_head(&cdf, &out), -E2BIG);
}

#define TEST(name) cmocka_unit_test_teardown(name, clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(values_are_padded_and_in_order),
		TEST(records_are_interleaved),
		TEST(a_single_variable_of_records_is_not_padded),
		TEST(without_records_only_the_fixed_values_come),
		TEST(too_large_files_are_rejected),
		TEST(offsets_of_64_bits_stand_in_the_second_version),
		TEST(too_many_declarations_are_rejected),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
