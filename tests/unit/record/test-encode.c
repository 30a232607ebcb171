/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "record/encode.h"

#define assert_bytes(b, expected)                                               \
	do {                                                                    \
		assert_false((b)->failed);                                      \
		assert_int_equal((b)->len, sizeof(expected) - 1);               \
		assert_memory_equal((b)->data, expected, sizeof(expected) - 1); \
		buffer_reset(b);                                                \
	} while (0)

static void integers_take_the_shortest_form(void **state)
{
	struct buffer b = {0};
	encode_uint(&b, 23);
	encode_uint(&b, 24);
	encode_uint(&b, 256);
	encode_uint(&b, 65536);
	encode_uint(&b, UINT64_C(1) << 32);
	assert_bytes(&b, "\x17\x18\x18\x19\x01\x00\x1a\x00\x01\x00\x00\x1b\0\0\0\1\0\0\0\0");
	encode_int(&b, -1);
	encode_int(&b, -25);
	encode_int(&b, INT64_MIN);
	encode_int(&b, 7);
	assert_bytes(&b, "\x20\x38\x18\x3b\x7f\xff\xff\xff\xff\xff\xff\xff\x07");
	buffer_finish(&b);
}

static void floats_stay_as_wide_as_they_are(void **state)
{
	struct buffer b = {0};
	encode_f32(&b, 1.5f);
	encode_f64(&b, 1.5);
	assert_bytes(&b, "\xfa\x3f\xc0\0\0\xfb\x3f\xf8\0\0\0\0\0\0");
	buffer_finish(&b);
}

static void typed_arrays_are_little_endian_with_their_tag(void **state)
{
	struct buffer b = {0};
	encode_typed(&b, ASSAY_ELEMENT_U16, (const uint16_t[]){1, 0x0203}, 2);
	assert_bytes(&b, "\xd8\x45\x44\x01\x00\x03\x02");
	encode_nd(&b, (const size_t[]){2, 1}, 2, ASSAY_ELEMENT_U8, "ab", 2);
	assert_bytes(&b, "\xd8\x28\x82\x82\x02\x01\xd8\x40\x42"
			 "ab");
	encode_typed(&b, ASSAY_ELEMENT_U64, "", SIZE_MAX / 4);
	assert_true(b.failed);
	buffer_finish(&b);
}

static void open_maps_count_their_pairs(void **state)
{
	struct buffer b = {0};
	struct map outer, inner;
	map_open(&outer, &b);
	map_text(&outer, "a", NULL);
	map_key(&outer, "m");
	map_open(&inner, &b);
	map_bool(&inner, "t", true);
	map_close(&inner);
	map_key(&outer, "i");
	encode_int(outer.to, -1);
	map_close(&outer);
	assert_bytes(&b, "\xa2\x61m\xa1\x61t\xf5\x61i\x20");
	buffer_finish(&b);
}

static void open_maps_grow_a_longer_head(void **state)
{
	struct buffer b = {0};
	struct map map;
	encode_uint(&b, 1);
	map_open(&map, &b);
	for (int i = 0; i < 300; i++)
		map_uint(&map, "k", 0);
	map_close(&map);
	assert_int_equal(b.len, 1 + 3 + 300 * 3);
	assert_memory_equal(b.data, "\x01\xb9\x01\x2c\x61k\x00\x61k", 9);
	assert_memory_equal(b.data + b.len - 3, "\x61k\x00", 3);
	buffer_finish(&b);
}

static void failure_of_the_buffer_sticks(void **state)
{
	struct buffer b = {.limit = 16};
	struct map map;
	map_open(&map, &b);
	map_text(&map, "key", "a text that does not fit in sixteen bytes");
	map_uint(&map, "n", 1);
	map_close(&map);
	assert_true(b.failed);
	assert_true(b.len <= 16);
	buffer_finish(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_take_the_shortest_form),
		cmocka_unit_test(floats_stay_as_wide_as_they_are),
		cmocka_unit_test(typed_arrays_are_little_endian_with_their_tag),
		cmocka_unit_test(open_maps_count_their_pairs),
		cmocka_unit_test(open_maps_grow_a_longer_head),
		cmocka_unit_test(failure_of_the_buffer_sticks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
