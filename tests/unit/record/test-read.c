/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "record/encode.h"
#include "record/read.h"

/* Bytes in hexadecimal, blanks ignored, of at most 256 bytes. */
static size_t from_hex(const char *hex, uint8_t *out)
{
	size_t len = 0;
	for (; *hex != '\0'; hex++) {
		unsigned byte;
		if (*hex == ' ')
			continue;
		assert_int_equal(sscanf(hex, "%2x", &byte), 1);
		out[len++] = (uint8_t)byte;
		hex++;
	}
	return len;
}

/* Passes over one item; NULL when it was accepted, else the error's text. */
static const char *rejection(const char *hex)
{
	static struct reader r;
	uint8_t data[256];
	read_init(&r, data, from_hex(hex, data));
	read_skip(&r);
	return read_finish(&r) < 0 ? r.text : NULL;
}

#define assert_rejected(hex, words)                                                  \
	do {                                                                         \
		const char *text_ = rejection(hex);                                  \
		if (text_ == NULL || strstr(text_, words) == NULL)                   \
			fail_msg("%s: %s", hex, text_ != NULL ? text_ : "accepted"); \
	} while (0)

static void an_array_larger_than_its_message_is_rejected_at_once(void **state)
{
	assert_rejected("9b 00000000 10000000", "shortest form");
	assert_rejected("9a 10000000", "but 0 bytes follow");
	assert_rejected("bb 7fffffff ffffffff", "but 0 bytes follow");
	assert_rejected("9b ffffffff ffffffff 00", "but 1 bytes follow");
	assert_rejected("a2 01 01 02", "but 3 bytes follow");
	assert_rejected("5b ffffffff ffffffff 00", "cut off");
	assert_rejected("7a 7fffffff 00", "cut off");
}

static void items_outside_the_profile_are_rejected(void **state)
{
	assert_rejected("9f 01 ff", "indefinite");
	assert_rejected("bf 61 61 01 ff", "indefinite");
	assert_rejected("5f 41 00 ff", "indefinite");
	assert_rejected("7f 61 61 ff", "indefinite");
	assert_rejected("ff", "indefinite");
	assert_rejected("f9 3c00", "half float");
	assert_rejected("f7", "undefined");
	assert_rejected("e0", "starts no item");
	assert_rejected("f8 20", "starts no item");
	assert_rejected("1c", "starts no item");
	assert_rejected("18 17", "shortest");
	assert_rejected("19 00ff", "shortest");
	assert_rejected("1a 0000ffff", "shortest");
	assert_rejected("1b 00000000 ffffffff", "shortest");
	assert_rejected("38 00", "shortest");
	assert_rejected("58 01 00", "shortest");
	assert_rejected("d9 0040 41 00", "shortest");
	assert_rejected("c1 00", "tag 1");
	assert_rejected("d8 41 42 0000", "tag 65");
	assert_rejected("d8 40 01", "after tag 64");
	assert_rejected("d8 46 43 000000", "elements have 4");
	assert_rejected("61 ff", "UTF-8");
	assert_rejected("63 eda080", "UTF-8");
	assert_rejected("62 c080", "UTF-8");
	assert_rejected("a2 61 61 01 61 61 02", "already has");
	assert_rejected("a2 01 01 01 02", "already has");
	assert_rejected("a1 f5 01", "as a key");
	assert_rejected("00 00", "after the end");
	assert_rejected("", "the end");
	assert_rejected("82 01", "but 1 bytes follow");
	assert_rejected("82 81 00", "the end");
}

static void nesting_is_limited(void **state)
{
	assert_null(rejection("81 81 81 81 81 81 81 80"));
	assert_rejected("81 81 81 81 81 81 81 81 80", "nesting deeper than 8");
	assert_rejected("81 81 81 81 81 81 81 81 81 81 81 81 81 81 81 81 81 81 81 00", "nesting");
}

static void arrays_with_dimensions_must_have_their_product(void **state)
{
	assert_null(rejection("d828 82 82 02 01 d840 42 0000"));
	assert_rejected("d828 82 82 02 02 d840 42 0000", "dimensions give 4");
	assert_rejected("d828 82 80 d840 42 0000", "0 dimensions");
	assert_rejected("d828 83 81 02 d840 42 0000 00", "3 items after tag 40");
	assert_rejected("d828 42 0000", "an array was expected");
	assert_rejected("d828 82 81 02 d828 42 0000", "dimensions where a plain one");
	assert_rejected("d828 82 82 1b8000000000000000 02 d840 40", "overflow");
}

static void keys_are_compared_within_one_map_only(void **state)
{
	assert_null(rejection("a2 61 61 a1 61 61 01 61 62 a1 61 61 02"));
	assert_rejected("a2 61 61 a1 61 62 01 61 61 02", "already has");
	assert_null(rejection("82 a1 61 61 01 a1 61 61 01"));
}

static void many_keys_are_bounded(void **state)
{
	struct buffer b = {0};
	static struct reader r;
	for (size_t n = READ_KEYS_MAX; n <= READ_KEYS_MAX + 1; n++) {
		buffer_reset(&b);
		encode_map(&b, n);
		for (size_t i = 0; i < n; i++) {
			encode_uint(&b, i);
			encode_raw(&b, "\xf6", 1);
		}
		read_init(&r, b.data, b.len);
		assert_int_equal(read_skip(&r) == 0, n == READ_KEYS_MAX);
	}
	assert_non_null(strstr(r.text, "more than 1024 keys"));
	buffer_finish(&b);
}

static void values_come_back_as_they_were_written(void **state)
{
	struct buffer b = {0};
	static struct reader r;
	struct assay_string key, text;
	struct assay_span raw, data;
	enum assay_element element;
	size_t pairs;
	int64_t i;
	double d;
	bool flag;
	struct map map;
	map_open(&map, &b);
	map_text(&map, "text", "\xc2\xb5g");
	map_key(&map, "low");
	encode_int(map.to, INT64_MIN);
	map_f64(&map, "pi", 3.25);
	map_bool(&map, "yes", true);
	map_key(&map, "array");
	encode_typed(&b, ASSAY_ELEMENT_F32, (const float[]){1, 2}, 2);
	map_uint(&map, "skipped", 5);
	map_close(&map);

	read_init(&r, b.data, b.len);
	assert_int_equal(read_peek(&r), READ_MAP);
	assert_int_equal(read_map(&r, &pairs), 0);
	assert_int_equal(pairs, 6);
	assert_int_equal(read_key(&r, &key), 0);
	assert_true(assay_string_is(key, "text"));
	assert_int_equal(read_text(&r, &text), 0);
	assert_true(assay_string_is(text, "\xc2\xb5g"));
	assert_int_equal(read_key(&r, &key), 0);
	assert_int_equal(read_int(&r, &i), 0);
	assert_true(i == INT64_MIN);
	assert_int_equal(read_key(&r, &key), 0);
	assert_int_equal(read_float(&r, &d), 0);
	assert_true(d == 3.25);
	assert_int_equal(read_key(&r, &key), 0);
	assert_int_equal(read_bool(&r, &flag), 0);
	assert_true(flag);
	assert_int_equal(read_key(&r, &key), 0);
	assert_int_equal(read_typed(&r, &element, &data), 0);
	assert_int_equal(element, ASSAY_ELEMENT_F32);
	assert_int_equal(data.len, 8);
	assert_ptr_equal(data.data, b.data + b.len - 9 - 8);
	assert_int_equal(read_finish(&r), -EBADMSG);

	read_init(&r, b.data, b.len);
	assert_int_equal(read_raw(&r, &raw), 0);
	assert_int_equal(raw.len, b.len);
	assert_int_equal(read_finish(&r), 0);
	buffer_finish(&b);
}

static void the_first_error_sticks_with_its_place(void **state)
{
	static struct reader r;
	uint64_t u;
	size_t n;
	struct assay_string text;
	read_init(&r, "\x82\x01\x61x", 4);
	assert_int_equal(read_array(&r, &n), 0);
	assert_int_equal(read_text(&r, &text), -EBADMSG);
	assert_null(text.data);
	assert_int_equal(r.error_at, 1);
	assert_string_equal(r.text, "an unsigned integer where a text was expected");
	assert_int_equal(read_uint(&r, &u), -EBADMSG);
	assert_int_equal(read_skip(&r), -EBADMSG);
	assert_int_equal(read_finish(&r), -EBADMSG);
	assert_int_equal(r.error_at, 1);
}

static void integers_that_do_not_fit_are_rejected(void **state)
{
	static struct reader r;
	int64_t i;
	double d;
	read_init(&r, "\x1b\x80\0\0\0\0\0\0\0", 9);
	assert_int_equal(read_int(&r, &i), -EBADMSG);
	read_init(&r, "\x3b\x80\0\0\0\0\0\0\0", 9);
	assert_int_equal(read_int(&r, &i), -EBADMSG);
	read_init(&r, "\x3b\xff\xff\xff\xff\xff\xff\xff\xff", 9);
	assert_int_equal(read_double(&r, &d), 0);
	assert_true(d == -18446744073709551616.0);
}

static void pairs_without_their_map_head_are_read(void **state)
{
	static struct reader r;
	struct assay_string key;
	uint64_t u;
	read_init_pairs(&r, "\x61x\x01\x61y\x02", 6, 2);
	for (uint64_t i = 1; i <= 2; i++) {
		assert_int_equal(read_key(&r, &key), 0);
		assert_int_equal(read_uint(&r, &u), 0);
		assert_int_equal(u, i);
	}
	assert_int_equal(read_key(&r, &key), -EBADMSG);
	read_init_pairs(&r, "\x61x\x01\x61x\x02", 6, 2);
	read_skip(&r);
	read_skip(&r);
	assert_int_equal(read_skip(&r), -EBADMSG);
	read_init_pairs(&r, "\x61x\x01", 3, 2);
	assert_int_equal(r.error, -EBADMSG);
}

static void printable_texts_have_no_controls_and_no_torn_character(void **state)
{
	char text[] = "a\x1b[1m\n\xc2\x9b\xc2\xb5\x7f\xe2\x82";
	text_make_printable(text);
	assert_string_equal(text, "a?[1m??\xc2\xb5?");
	static struct reader r;
	read_init(&r, "", 0);
	read_fail(&r, 0, "key \"%s\"", "\x1b]0;title\a");
	assert_string_equal(r.text, "key \"?]0;title?\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_array_larger_than_its_message_is_rejected_at_once),
		cmocka_unit_test(items_outside_the_profile_are_rejected),
		cmocka_unit_test(nesting_is_limited),
		cmocka_unit_test(arrays_with_dimensions_must_have_their_product),
		cmocka_unit_test(keys_are_compared_within_one_map_only),
		cmocka_unit_test(many_keys_are_bounded),
		cmocka_unit_test(values_come_back_as_they_were_written),
		cmocka_unit_test(the_first_error_sticks_with_its_place),
		cmocka_unit_test(integers_that_do_not_fit_are_rejected),
		cmocka_unit_test(printable_texts_have_no_controls_and_no_torn_character),
		cmocka_unit_test(pairs_without_their_map_head_are_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
