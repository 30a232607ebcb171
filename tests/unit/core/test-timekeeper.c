/* SPDX-License-Identifier: Apache-2.0 */
/* A clock that was set is distinguished from one that is slewed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "core/commit/timekeeper.h"

#define UTC  UINT64_C(1795305600000000000)
#define BOOT (1000 * NS_PER_S)
#define MS   ((int64_t)NS_PER_MS)

static const struct timekeeper before = {.utc = UTC, .boot = BOOT};

/* The clock shows `off` ns more than it should after `passed` ns. */
static int64_t judge(uint64_t passed, int64_t off, bool was_set)
{
	return timekeeper_judge(&before, UTC + passed + (uint64_t)off, BOOT + passed, was_set);
}

static void slewing_is_no_step(void **state)
{
	assert_int_equal(judge(NS_PER_S, 0, false), 0);
	assert_int_equal(judge(NS_PER_S, 83 * MS, false), 0);
	assert_int_equal(judge(NS_PER_S, -83 * MS, false), 0);
	assert_int_equal(judge(3600 * NS_PER_S, 83 * 3600 * MS, false), 0);
}

static void a_step_has_its_size_and_direction(void **state)
{
	assert_int_equal(judge(NS_PER_S, 1000 * MS, false), 1000 * MS);
	assert_int_equal(judge(NS_PER_S, -1000 * MS, false), -1000 * MS);
	assert_int_equal(judge(0, -7200 * 1000 * MS, false), -7200 * 1000 * MS);
}

static void what_the_kernel_tells_may_be_smaller(void **state)
{
	assert_int_equal(judge(NS_PER_S, 50 * MS, true), 50 * MS);
	assert_int_equal(judge(NS_PER_S, 5 * MS, true), 0);
	/* hours of sleep hide nothing */
	assert_int_equal(judge(8 * 3600 * NS_PER_S, -2000 * MS, true), -2000 * MS);
}

static void runs_that_were_open_are_doubted_and_later_ones_are_not(void **state)
{
	struct timekeeper keeper = {0};
	assert_false(timekeeper_doubts(&keeper, 0));
	keeper.stepped_at = BOOT;
	assert_true(timekeeper_doubts(&keeper, BOOT - 1));
	assert_false(timekeeper_doubts(&keeper, BOOT + 1));
	keeper.is_waiting = true;
	assert_true(timekeeper_doubts(&keeper, BOOT + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slewing_is_no_step),
		cmocka_unit_test(a_step_has_its_size_and_direction),
		cmocka_unit_test(what_the_kernel_tells_may_be_smaller),
		cmocka_unit_test(runs_that_were_open_are_doubted_and_later_ones_are_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
