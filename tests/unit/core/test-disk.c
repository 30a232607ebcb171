/* SPDX-License-Identifier: Apache-2.0 */
/* Levels of free space on the disk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>

#include <cmocka.h>

#include "core/keep/disk.h"

#define MIB (UINT64_C(1) << 20)

static const struct disk_limits limits = {.low = 800 * MIB, .full = 80 * MIB};

static enum disk_level judge(enum disk_level before, uint64_t free)
{
	return disk_judge(before, &limits, free, 0);
}

static void acquisition_has_two_files_or_half_of_the_reserve(void **state)
{
	struct disk_limits l = disk_limits(1024 * MIB, 64 * MIB);
	assert_true(l.low == 1024 * MIB && l.full == 128 * MIB);
	l = disk_limits(100 * MIB, 64 * MIB);
	assert_true(l.low == 100 * MIB && l.full == 50 * MIB);
	l = disk_limits(0, 64 * MIB);
	assert_true(l.low == 0 && l.full == 0);
}

static void room_is_lost_step_by_step(void **state)
{
	assert_int_equal(judge(DISK_OK, 800 * MIB), DISK_OK);
	assert_int_equal(judge(DISK_OK, 800 * MIB - 1), DISK_LOW);
	assert_int_equal(judge(DISK_LOW, 80 * MIB), DISK_LOW);
	assert_int_equal(judge(DISK_LOW, 80 * MIB - 1), DISK_FULL);
	assert_int_equal(judge(DISK_OK, 0), DISK_FULL);
}

static void a_disk_at_its_limit_does_not_flutter(void **state)
{
	assert_int_equal(judge(DISK_LOW, 800 * MIB), DISK_LOW);
	assert_int_equal(judge(DISK_LOW, 900 * MIB - 1), DISK_LOW);
	assert_int_equal(judge(DISK_LOW, 900 * MIB), DISK_OK);
	assert_int_equal(judge(DISK_FULL, 90 * MIB - 1), DISK_FULL);
	assert_int_equal(judge(DISK_FULL, 90 * MIB), DISK_LOW);
	assert_int_equal(judge(DISK_FULL, 850 * MIB), DISK_LOW);
	assert_int_equal(judge(DISK_FULL, 900 * MIB), DISK_OK);
}

static void a_refused_write_means_full_whatever_is_said_to_be_free(void **state)
{
	assert_int_equal(disk_judge(DISK_OK, &limits, 5000 * MIB, -ENOSPC), DISK_FULL);
	struct disk_limits none = {0};
	assert_int_equal(disk_judge(DISK_OK, &none, 0, 0), DISK_OK);
	assert_int_equal(disk_judge(DISK_OK, &none, 0, -ENOSPC), DISK_FULL);
	assert_int_equal(disk_judge(DISK_FULL, &none, 0, 0), DISK_OK);
}

static void a_disk_that_fails_is_told_from_a_full_one(void **state)
{
	assert_int_equal(disk_judge(DISK_OK, &limits, 5000 * MIB, -EIO), DISK_FAILED);
	assert_int_equal(disk_judge(DISK_FULL, &limits, 0, -EROFS), DISK_FAILED);
	assert_int_equal(disk_judge(DISK_FAILED, &limits, 5000 * MIB, 0), DISK_OK);
	assert_int_equal(disk_judge(DISK_FAILED, &limits, 0, 0), DISK_FULL);
	assert_int_equal(disk_judge(DISK_OK, &limits, 5000 * MIB, -EAGAIN), DISK_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(acquisition_has_two_files_or_half_of_the_reserve),
		cmocka_unit_test(room_is_lost_step_by_step),
		cmocka_unit_test(a_disk_at_its_limit_does_not_flutter),
		cmocka_unit_test(a_refused_write_means_full_whatever_is_said_to_be_free),
		cmocka_unit_test(a_disk_that_fails_is_told_from_a_full_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
