/* SPDX-License-Identifier: Apache-2.0 */
/* No time of a worker is believed that the core's clocks contradict. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "core/runs/times.h"

#define S    NS_PER_S
#define UTC  UINT64_C(1795305600000000000)
#define BOOT (5000 * S)

static const struct times now = {UTC, BOOT};

static void a_time_since_the_start_is_right(void **state)
{
	for (uint64_t ago = 0; ago <= 3600 * S; ago += 7 * S) {
		struct times times = {UTC - ago, BOOT - ago};
		assert_int_equal(times_check(&times, BOOT - 3600 * S, &now), 0);
		assert_int_equal(times.utc, UTC - ago);
	}
}

static void another_day_is_corrected(void **state)
{
	const uint64_t wrong[] = {0, 1, UTC - 86400 * S, UTC + 86400 * S, UTC + 3 * S, UTC - 8 * S,
		UINT64_C(4102444800) * S, UINT64_MAX, UINT64_MAX / 2};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct times times = {wrong[i], BOOT - 2 * S};
		assert_int_equal(times_check(&times, BOOT - 5 * S, &now), 1);
		assert_int_equal(times.utc, UTC - 2 * S);
	}
}

static void a_time_after_now_or_before_the_start_is_refused(void **state)
{
	const uint64_t wrong[] = {0, BOOT - 12 * S, BOOT + 2 * S, BOOT + 86400 * S, UINT64_MAX};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct times times = {UTC, wrong[i]};
		assert_int_equal(times_check(&times, BOOT - 10 * S, &now), -EBADMSG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_time_since_the_start_is_right),
		cmocka_unit_test(another_day_is_corrected),
		cmocka_unit_test(a_time_after_now_or_before_the_start_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
