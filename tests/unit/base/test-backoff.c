/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/backoff.h"

#define S UINT64_C(1000000000)

static void each_wait_doubles_up_to_the_most(void **state)
{
	struct backoff b = {0};
	static const uint64_t waits[] = {S / 2, S, 2 * S, 4 * S, 8 * S, 16 * S, 30 * S, 30 * S};
	for (size_t i = 0; i < sizeof waits / sizeof *waits; i++)
		assert_in_range(backoff_next(&b, S / 2, 30 * S), waits[i] / 4 * 3, waits[i]);
	b = (struct backoff){0};
	assert_in_range(backoff_next(&b, S / 2, 30 * S), S / 8 * 3, S / 2);
}

static void two_that_failed_together_do_not_come_back_together(void **state)
{
	unsigned same = 0;
	for (int i = 0; i < 32; i++) {
		struct backoff a = {0}, b = {0};
		same += backoff_next(&a, S, S) == backoff_next(&b, S, S);
	}
	assert_in_range(same, 0, 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_wait_doubles_up_to_the_most),
		cmocka_unit_test(two_that_failed_together_do_not_come_back_together),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
