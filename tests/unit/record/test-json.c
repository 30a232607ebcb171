/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "record/decimal.h"
#include "record/encode.h"
#include "record/json.h"

/* Projects the content of `from`, which is emptied. */
#define assert_json(from, expected)                                                 \
	do {                                                                        \
		struct buffer json_ = {0};                                          \
		assert_false((from)->failed);                                       \
		assert_int_equal(json_write(&json_, (from)->data, (from)->len), 0); \
		buffer_append(&json_, "", 1);                                       \
		assert_string_equal((char *)json_.data, expected);                  \
		buffer_finish(&json_);                                              \
		buffer_reset(from);                                                 \
	} while (0)

static void texts_cannot_leave_their_string_or_move_a_cursor(void **state)
{
	struct buffer b = {0};
	encode_text(&b,
		"a\"b\\c\n\t\x1b[0m\x7f\xc2\x9b\xc2\xb5\xe2\x82\xac\xe2\x80\xae\xf3\xa0\x80\xa0");
	assert_json(&b, "\"a\\\"b\\\\c\\n\\u0009\\u001b[0m\\u007f\\u009b\xc2\xb5\xe2\x82\xac"
			"\\u202e\\udb40\\udc20\"");
	buffer_finish(&b);
}

static void integers_beyond_a_double_become_text(void **state)
{
	struct buffer b = {0};
	encode_array(&b, 5);
	encode_uint(&b, UINT64_C(1) << 53);
	encode_uint(&b, (UINT64_C(1) << 53) + 1);
	encode_int(&b, -(INT64_C(1) << 53));
	encode_int(&b, INT64_MIN);
	encode_raw(&b, "\x3b\xff\xff\xff\xff\xff\xff\xff\xff", 9);
	assert_json(&b, "[9007199254740992,\"9007199254740993\",-9007199254740992,"
			"\"-9223372036854775808\",\"-18446744073709551616\"]");
	buffer_finish(&b);
}

static void times_differ_from_counts_by_key_and_size(void **state)
{
	struct buffer b = {0};
	struct map map;
	map_open(&map, &b);
	map_uint(&map, "from", 17);
	map_uint(&map, "to", UINT64_C(951782400000000000));
	map_uint(&map, "seq", UINT64_C(951782400000000000));
	map_close(&map);
	assert_json(&b, "{\"from\":17,\"to\":\"2000-02-29T00:00:00.000000000Z\","
			"\"to_ns\":\"951782400000000000\",\"seq\":\"951782400000000000\"}");
	buffer_finish(&b);
}

static void only_a_quality_gets_its_flag_in_words(void **state)
{
	struct buffer b = {0};
	struct map map, q;
	map_open(&map, &b);
	map_uint(&map, "flag", 4);
	map_key(&map, "q");
	map_open(&q, &b);
	map_uint(&q, "flag", 4);
	map_close(&q);
	map_close(&map);
	assert_json(&b, "{\"flag\":4,\"q\":{\"flag\":4,\"flag_text\":\"bad\"}}");
	buffer_finish(&b);
}

static void dimensions_are_nested_and_may_be_empty(void **state)
{
	struct buffer b = {0};
	encode_nd(&b, (const size_t[]){2, 1, 2}, 3, ASSAY_ELEMENT_I8, "\1\xff\3\4", 4);
	assert_json(&b, "[[[1,-1]],[[3,4]]]");
	encode_nd(&b, (const size_t[]){SIZE_MAX / 2, 0}, 2, ASSAY_ELEMENT_I8, "", 0);
	assert_json(&b, "[]");
	encode_typed(&b, ASSAY_ELEMENT_F32, (const float[]){0.1f, NAN, -INFINITY, -0.0f}, 4);
	assert_json(&b, "[0.1,null,null,-0]");
	buffer_finish(&b);
}

static void broken_input_is_an_error_and_not_a_crash(void **state)
{
	struct buffer json = {0};
	assert_int_equal(json_write(&json, "\x82\x01", 2), -EBADMSG);
	assert_int_equal(json_write(&json, "\xa1\x63utc", 5), -EBADMSG);
	assert_int_equal(json_write(&json, "\x01\x01", 2), -EBADMSG);
	assert_int_equal(json_write(&json, "", 0), -EBADMSG);
	assert_int_equal(json_write_entry(&json, "\x87\x01", 2), -EBADMSG);
	buffer_finish(&json);
}

static void assert_reads_back(double value)
{
	char text[DECIMAL_SIZE];
	double back;
	size_t len = decimal_from_double(text, value);
	assert_int_equal(len, strlen(text));
	assert_int_equal(sscanf(text, "%lf", &back), 1);
	if (memcmp(&back, &value, sizeof value) != 0)
		fail_msg("%a written as %s", value, text);
}

static void assert_float_reads_back(float value)
{
	char text[DECIMAL_SIZE];
	float back;
	decimal_from_float(text, value);
	assert_int_equal(sscanf(text, "%f", &back), 1);
	if (memcmp(&back, &value, sizeof value) != 0)
		fail_msg("%a written as %s", (double)value, text);
}

static void decimals_read_back_as_the_same_float(void **state)
{
	uint64_t bits = 1;
	const double some[] = {0, -0.0, 0.1, 1e22, 1e23, 5e-324, DBL_MAX, DBL_MIN,
		2.2250738585072011e-308, 9007199254740993, 0.30000000000000004, 123456789012345678};
	for (size_t i = 0; i < sizeof some / sizeof some[0]; i++)
		assert_reads_back(some[i]);
	for (int i = 0; i < 20000; i++) {
		double value;
		float narrow;
		bits = bits * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		memcpy(&value, &bits, sizeof value);
		if (isfinite(value))
			assert_reads_back(value);
		memcpy(&narrow, (const char *)&bits + 4, sizeof narrow);
		if (isfinite(narrow))
			assert_float_reads_back(narrow);
	}
}

static void decimals_are_short_where_they_can_be(void **state)
{
	char text[DECIMAL_SIZE];
	decimal_from_double(text, 0.1);
	assert_string_equal(text, "0.1");
	decimal_from_double(text, 60);
	assert_string_equal(text, "60");
	decimal_from_float(text, 3998.6f);
	assert_string_equal(text, "3998.6");
	decimal_from_double(text, 2.5e-9);
	assert_string_equal(text, "2.5e-09");
	decimal_from_double(text, -2.39e-14);
	assert_string_equal(text, "-2.39e-14");
	decimal_from_double(text, 5e-324);
	assert_string_equal(text, "4.94065645841247e-324");
	decimal_from_computed(text, 35 * 0.01);
	assert_string_equal(text, "0.35");
}

/* A decimal of 15 digits, of a float of 6, has one float, and that float has no shorter one. */
static void every_decimal_comes_back_as_it_was_written(void **state)
{
	uint64_t bits = 1;
	for (int i = 0; i < 20000; i++) {
		char written[40], text[DECIMAL_SIZE], back[40];
		bits = bits * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		bool is_single = i % 2 == 0;
		int digits = is_single ? 6 : 15,
		    exponent = (int)(bits >> 33) % (is_single ? 37 : 306);
		snprintf(written, sizeof written, "%.*e", 1 + (int)(bits >> 60) % (digits - 1),
			1 + (double)(bits >> 11) * 0x1p-53);
		snprintf(strchr(written, 'e'), 8, "e%c%02d",
			exponent > 0 && (bits & 4096) != 0 ? '-' : '+', exponent);
		if (is_single)
			decimal_from_float(text, strtof(written, NULL));
		else
			decimal_from_double(text, strtod(written, NULL));
		int places = (int)(strchr(written, 'e') - written) - 2;
		snprintf(back, sizeof back, "%.*e", places, strtod(text, NULL));
		assert_string_equal(back, written);
		assert_true(strlen(text) <= (size_t)digits + 8);
	}
}

static void decimals_have_a_point_in_every_locale(void **state)
{
	char text[DECIMAL_SIZE];
	if (setlocale(LC_NUMERIC, "ps_AF.UTF-8") == NULL && /* its point has two bytes */
		setlocale(LC_NUMERIC, "de_DE.UTF-8") == NULL)
		skip();
	decimal_from_double(text, 0.1);
	setlocale(LC_NUMERIC, "C");
	assert_string_equal(text, "0.1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_cannot_leave_their_string_or_move_a_cursor),
		cmocka_unit_test(integers_beyond_a_double_become_text),
		cmocka_unit_test(times_differ_from_counts_by_key_and_size),
		cmocka_unit_test(only_a_quality_gets_its_flag_in_words),
		cmocka_unit_test(dimensions_are_nested_and_may_be_empty),
		cmocka_unit_test(broken_input_is_an_error_and_not_a_crash),
		cmocka_unit_test(decimals_read_back_as_the_same_float),
		cmocka_unit_test(decimals_are_short_where_they_can_be),
		cmocka_unit_test(every_decimal_comes_back_as_it_was_written),
		cmocka_unit_test(decimals_have_a_point_in_every_locale),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
