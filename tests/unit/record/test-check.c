/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "examples.h"
#include "record/check.h"
#include "record/techniques.h"

static void every_example_passes(void **state)
{
	for (size_t i = 0; i < examples_count; i++) {
		struct buffer entry = {0};
		struct schema_error error;
		examples[i].build(&entry);
		assert_false(entry.failed);
		if (check_entry(entry.data, entry.len, &error) < 0)
			fail_msg("%s: %s: %s", examples[i].name, error.path, error.text);
		buffer_finish(&entry);
	}
}

static void every_bad_example_is_rejected_with_its_reason(void **state)
{
	for (size_t i = 0; i < bad_examples_count; i++) {
		struct buffer entry = {0};
		struct schema_error error;
		char text[400];
		bad_examples[i].build(&entry);
		assert_false(entry.failed);
		if (check_entry(entry.data, entry.len, &error) == 0)
			fail_msg("%s: accepted", bad_examples[i].name);
		snprintf(text, sizeof text, "%s%s%s", error.path, error.path[0] != '\0' ? ": " : "",
			error.text);
		if (strcmp(text, bad_examples[i].error) != 0)
			fail_msg("%s: found \"%s\", expected \"%s\"", bad_examples[i].name, text,
				bad_examples[i].error);
		buffer_finish(&entry);
	}
}

static void the_part_of_a_frame_is_checked_alone(void **state)
{
	struct buffer part = {0};
	struct schema_error error;
	size_t pairs = example_large_part(&part);
	assert_int_equal(check_frame_part(part.data, part.len, pairs, 0, &error), 0);
	assert_int_equal(check_frame_part(part.data, part.len, pairs, TECHNIQUE_XRF, &error), 0);
	assert_true(check_frame_part(part.data, part.len, pairs, TECHNIQUE_FTIR, &error) < 0);
	assert_string_equal(error.path, "vars[0].unit");
	assert_non_null(strstr(error.text, "a unit of the list that this technique does not have"));
	assert_true(check_frame_part(part.data, part.len - 1, pairs, 0, &error) < 0);
	assert_true(check_frame_part(part.data, part.len, pairs - 1, 0, &error) < 0);
	assert_true(check_frame_part(part.data, part.len, pairs + 1, 0, &error) < 0);
	assert_true(check_frame_part(part.data, 0, 0, 0, NULL) < 0);
	buffer_finish(&part);
}

static void no_prefix_of_an_entry_passes(void **state)
{
	for (size_t i = 0; i < examples_count; i++) {
		struct buffer entry = {0};
		examples[i].build(&entry);
		for (size_t len = 0; len < entry.len; len++)
			assert_true(check_entry(entry.data, len, NULL) < 0);
		buffer_finish(&entry);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_example_passes),
		cmocka_unit_test(every_bad_example_is_rejected_with_its_reason),
		cmocka_unit_test(the_part_of_a_frame_is_checked_alone),
		cmocka_unit_test(no_prefix_of_an_entry_passes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
