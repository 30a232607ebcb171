/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "file-import/date.h"

static void test_unix(void **state)
{
	(void)state;
	char to[DATE_TEXT], expected[DATE_TEXT];
	for (int64_t s = -62135596800; s < 253402300800; s += 86400 * 13 + 3607) {
		time_t t = (time_t)s;
		struct tm tm;
		gmtime_r(&t, &tm);
		strftime(expected, sizeof expected, "-%m-%dT%H:%M:%S", &tm);
		assert_true(date_from_unix(to, s));
		assert_string_equal(to + 4, expected);
		assert_int_equal(atoi(to), tm.tm_year + 1900);
	}
	assert_false(date_from_unix(to, INT64_MAX));
	assert_false(date_from_unix(to, INT64_MIN));
	assert_string_equal(to, "");
}

static void test_others(void **state)
{
	(void)state;
	char to[DATE_TEXT];
	assert_true(date_from_filetime(to, 127663298623770000u));
	assert_string_equal(to, "2005-07-20T10:44:22");
	assert_false(date_from_filetime(to, UINT64_MAX));
	assert_true(date_from_ole(to, 44252.2));
	assert_string_equal(to, "2021-02-25T04:48:00");
	assert_false(date_from_ole(to, 1e300));
	assert_true(date_write(to, 2024, 2, 29, 23, 59, 59));
	assert_string_equal(to, "2024-02-29T23:59:59");
	assert_false(date_write(to, 2023, 2, 29, 0, 0, 0));
	assert_false(date_write(to, 2023, 0, 1, 0, 0, 0));
	assert_false(date_write(to, 2023, 1, 1, 24, 0, 0));
	assert_int_equal(date_month("SEP", 3), 9);
	assert_int_equal(date_month("June", 4), 6);
	assert_int_equal(date_month("Ju", 2), 0);
	assert_int_equal(date_month("Junx", 4), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unix),
		cmocka_unit_test(test_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
