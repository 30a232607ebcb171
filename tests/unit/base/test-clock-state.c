/* SPDX-License-Identifier: Apache-2.0 */
/* The file of assay-clock: read back as written while it is new; every other file is an unknown state. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock-state.h"
#include "record/stamp.h"

#define BOOT (1000 * NS_PER_S)
#define UNC  UINT64_C(1500000)

static uint64_t boot_now;
static char folder[] = "/tmp/clock-state-XXXXXX", path[64];

static uint64_t boot(void *arg)
{
	return boot_now;
}

static uint64_t utc(void *arg)
{
	return UINT64_C(1795305600000000000) + boot_now;
}

static const struct clock_source virtual_clock = {.boot = boot, .utc = utc};

static void write_bytes(const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
}

static size_t write_state(bool is_synchronised, uint64_t unc, uint64_t at)
{
	char text[CLOCK_STATE_TEXT];
	struct clock_state state = {.is_synchronised = is_synchronised, .unc = unc, .boot = at};
	size_t len = (size_t)clock_state_format(text, &state);
	assert_true(len < sizeof text);
	write_bytes(text, len);
	return len;
}

static int make(void **state)
{
	clock_replace(&virtual_clock);
	boot_now = BOOT;
	snprintf(path, sizeof path, "%s/state", folder);
	return 0;
}

static int clean(void **state)
{
	unlink(path);
	rmdir(path);
	return 0;
}

static void a_new_file_is_read_as_written(void **state)
{
	for (int is_synchronised = 0; is_synchronised < 2; is_synchronised++) {
		write_state(is_synchronised, UNC, BOOT);
		struct clock_state read = clock_state_load(path);
		assert_false(read.is_unknown);
		assert_int_equal(read.is_synchronised, is_synchronised);
		assert_int_equal(read.unc, UNC);
	}
	write_state(true, UINT64_MAX / 2, BOOT);
	assert_int_equal(clock_state_load(path).unc, UINT64_MAX / 2);
}

static void an_old_file_and_one_of_the_future_are_unknown(void **state)
{
	write_state(true, UNC, BOOT);
	boot_now = BOOT + CLOCK_STATE_VALID;
	assert_false(clock_state_load(path).is_unknown);
	boot_now++;
	assert_true(clock_state_load(path).is_unknown);
	boot_now = BOOT - 1;
	assert_true(clock_state_load(path).is_unknown);
}

/* 500 ppm, as the kernel counts it. */
static void the_error_grows_with_the_age(void **state)
{
	write_state(true, UNC, BOOT);
	boot_now = BOOT + 2 * NS_PER_S;
	assert_int_equal(clock_state_load(path).unc, UNC + NS_PER_MS);
	write_state(false, 0, BOOT);
	assert_int_equal(clock_state_load(path).unc, 0);
}

static void any_other_file_is_unknown(void **state)
{
	char whole[CLOCK_STATE_TEXT + 8], changed[sizeof whole];
	assert_true(clock_state_load(path).is_unknown);
	size_t len = write_state(true, UNC, BOOT);
	int fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, whole, sizeof whole), len);
	close(fd);
	for (size_t i = 0; i < len; i++) {
		write_bytes(whole, i);
		assert_true(clock_state_load(path).is_unknown);
		memcpy(changed, whole, len);
		changed[i] = 'x';
		write_bytes(changed, len);
		assert_true(clock_state_load(path).is_unknown);
	}
	memcpy(changed, whole, len);
	memcpy(changed + len, "more", 4);
	write_bytes(changed, len + 4);
	assert_true(clock_state_load(path).is_unknown);
	changed[13] = '2'; /* neither 0 nor 1 */
	write_bytes(changed, len);
	assert_true(clock_state_load(path).is_unknown);
}

/* Nothing in the place of the file makes the reader wait, or read another one. */
static void what_is_no_file_is_unknown(void **state)
{
	char target[80];
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_true(clock_state_load(path).is_unknown);
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_true(clock_state_load(path).is_unknown);
	rmdir(path);
	write_state(true, UNC, BOOT);
	snprintf(target, sizeof target, "%s.target", path);
	assert_int_equal(rename(path, target), 0);
	assert_int_equal(symlink(target, path), 0);
	assert_true(clock_state_load(path).is_unknown);
	unlink(target);
}

static void stamps_follow_the_file(void **state)
{
	stamp_source(path);
	write_state(true, UNC, boot_now);
	struct stamp stamp = stamp_now();
	assert_int_equal(stamp.sync, ASSAY_SYNC_NTP);
	assert_int_equal(stamp.unc, UNC);
	assert_false(stamp.is_unread);
	boot_now += NS_PER_S;
	write_state(false, 0, boot_now);
	stamp = stamp_now();
	assert_int_equal(stamp.sync, ASSAY_SYNC_RTC);
	assert_int_equal(stamp.unc, 0);
	assert_false(stamp.is_unread);
	write_state(true, UNC, boot_now);
	boot_now += CLOCK_STATE_VALID + 1;
	stamp = stamp_now();
	assert_int_equal(stamp.sync, ASSAY_SYNC_RTC);
	assert_int_equal(stamp.unc, 0);
	assert_true(stamp.is_unread);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_new_file_is_read_as_written, make, clean),
		cmocka_unit_test_setup_teardown(
			an_old_file_and_one_of_the_future_are_unknown, make, clean),
		cmocka_unit_test_setup_teardown(the_error_grows_with_the_age, make, clean),
		cmocka_unit_test_setup_teardown(any_other_file_is_unknown, make, clean),
		cmocka_unit_test_setup_teardown(what_is_no_file_is_unknown, make, clean),
		cmocka_unit_test_setup_teardown(stamps_follow_the_file, make, clean),
	};
	if (mkdtemp(folder) == NULL)
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(folder);
	return failed;
}
