/* SPDX-License-Identifier: Apache-2.0 */
/* Where two arrays of variables part, in words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "differ.h"
#include "record/encode.h"

static struct buffer was, now;
static char text[DIFFER_TEXT];

static void put(
	struct buffer *to, const char *name, const char *unit, const uint16_t *data, size_t n)
{
	struct map map;
	map_open(&map, to);
	map_text(&map, "name", name);
	map_text(&map, "unit", unit);
	map_key(&map, "data");
	encode_typed(to, ASSAY_ELEMENT_U16, data, n);
	map_close(&map);
}

static void put_number(struct buffer *to, const char *name, double value)
{
	struct map map;
	map_open(&map, to);
	map_text(&map, "name", name);
	map_f64(&map, "data", value);
	map_close(&map);
}

static void put_both(
	struct buffer *to, const char *unit, const uint16_t *data, size_t n, double value)
{
	buffer_reset(to);
	encode_array(to, 2);
	put_number(to, "live_time", value);
	put(to, "counts", unit, data, n);
}

static bool differ(void)
{
	text[0] = '\0';
	return vars_differ((struct assay_span){was.data, was.len},
		(struct assay_span){now.data, now.len}, text);
}

static int finish(void **state)
{
	buffer_finish(&was);
	buffer_finish(&now);
	return 0;
}

static const uint16_t counts[] = {1, 2, 3, 4}, others[] = {1, 2, 0x103, 4};

static void the_same_bytes_do_not_differ(void **state)
{
	put_both(&was, "1", counts, 4, 1.5);
	put_both(&now, "1", counts, 4, 1.5);
	assert_false(differ());
}

static void the_first_other_element_is_named(void **state)
{
	put_both(&was, "1", counts, 4, 1.5);
	put_both(&now, "1", others, 4, 1.5);
	assert_true(differ());
	assert_string_equal(text, "counts[2]");
	put_both(&now, "1", counts, 3, 1.5);
	assert_true(differ());
	assert_string_equal(text, "counts[3]");
	put_both(&now, "1", others, 4, 1.25);
	assert_true(differ());
	assert_string_equal(text, "live_time");
}

static void another_unit_is_named(void **state)
{
	put_both(&was, "1", counts, 4, 1.5);
	put_both(&now, "s", counts, 4, 1.5);
	assert_true(differ());
	assert_string_equal(text, "counts: unit");
}

static void another_number_of_variables_is_told(void **state)
{
	put_both(&was, "1", counts, 4, 1.5);
	buffer_reset(&now);
	encode_array(&now, 1);
	put_number(&now, "live_time", 1.5);
	assert_true(differ());
	assert_string_equal(text, "1 variables instead of 2");
}

static void what_is_no_array_differs(void **state)
{
	put_both(&was, "1", counts, 4, 1.5);
	buffer_reset(&now);
	encode_text(&now, "no");
	assert_true(differ());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_same_bytes_do_not_differ, finish),
		cmocka_unit_test_teardown(the_first_other_element_is_named, finish),
		cmocka_unit_test_teardown(another_unit_is_named, finish),
		cmocka_unit_test_teardown(another_number_of_variables_is_told, finish),
		cmocka_unit_test_teardown(what_is_no_array_differs, finish),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
