/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "host.h"

extern const struct assay_driver *const assay_driver;

static int setup(void **state)
{
	*state = host_create(assay_driver, ASSAY_LINK_SERIAL);
	return 0;
}

static int teardown(void **state)
{
	host_destroy(*state);
	return 0;
}

static void expect_line(struct host *h, double value)
{
	h->raw.count = 0;
	assert_int_equal(h->driver->acquire(&h->ins, &h->raw.handle), ASSAY_FRAME);
	assert_int_equal(host_decode(h), 0);
	assert_true(host_find(h, "signal")->real == value);
	assert_int_equal(h->frame.flag, ASSAY_UNCHECKED);
}

static void lines_become_frames_however_they_arrive(void **state)
{
	struct host *h = *state;
	assert_int_equal(h->driver->start(&h->ins), 0);
	host_answer_text(h, "9\n1.5\r\n-2");
	host_silence(h);
	host_answer_text(h, "e-3\n");
	assert_int_equal(h->driver->acquire(&h->ins, &h->raw.handle), ASSAY_FRAME);
	assert_int_equal(host_decode(h), 0);
	assert_true(host_find(h, "signal")->real == 1.5);
	assert_string_equal(host_find(h, "signal")->unit, "V");
	expect_line(h, -2e-3);
	assert_true(host_is_done(h));
}

/* The instrument sent 7, 89 and 10: the 9 that arrives first is the rest of a line. */
static void a_line_is_complete_only_after_a_line_end(void **state)
{
	struct host *h = *state;
	host_answer_text(h, "7\n8");
	assert_int_equal(h->driver->start(&h->ins), 0);
	host_answer_text(h, "9\n10\n");
	expect_line(h, 10);
	assert_true(host_is_done(h));
}

/* The worker discards input before it calls acquire again, so the next line may be torn. */
static void a_failure_needs_a_line_end_again(void **state)
{
	struct host *h = *state;
	char line[100];
	memset(line, '1', sizeof(line));
	assert_int_equal(h->driver->start(&h->ins), 0);
	host_answer_text(h, "0\n1");
	assert_int_equal(h->driver->acquire(&h->ins, &h->raw.handle), -ETIMEDOUT);
	host_answer_text(h, "2\n34\n");
	expect_line(h, 34);
	host_answer(h, line, sizeof(line));
	assert_int_equal(h->driver->acquire(&h->ins, &h->raw.handle), -EBADMSG);
	host_answer_text(h, "5\n6\n");
	expect_line(h, 6);
}

static void a_stream_without_line_ends_fails(void **state)
{
	struct host *h = *state;
	char bytes[50];
	memset(bytes, '1', sizeof(bytes));
	assert_int_equal(h->driver->start(&h->ins), 0);
	host_answer(h, bytes, sizeof(bytes));
	host_answer(h, bytes, sizeof(bytes));
	assert_int_equal(h->driver->acquire(&h->ins, &h->raw.handle), -EBADMSG);
}

static void silence_ends_at_the_timeout_and_a_stop_before_it(void **state)
{
	struct host *h = *state;
	host_set(h, "timeout", "2");
	assert_int_equal(h->driver->acquire(&h->ins, &h->raw.handle), -ETIMEDOUT);
	assert_int_equal(h->now, 3000);
	host_ask_to_stop(h);
	assert_int_equal(h->driver->acquire(&h->ins, &h->raw.handle), ASSAY_DONE);
	h->stopping = false;
	h->abort_at = 3100;
	assert_int_equal(h->driver->acquire(&h->ins, &h->raw.handle), -ECANCELED);
	assert_int_equal(h->now, 3100);
	host_revive(h);
	host_error(h, -ENODEV);
	assert_int_equal(h->driver->acquire(&h->ins, &h->raw.handle), -ENODEV);
	assert_int_equal(h->driver->acquire(&h->ins, &h->raw.handle), -ENODEV);
}

static void a_line_that_is_not_one_number_is_rejected(void **state)
{
	struct host *h = *state;
	const char *const wrong[] = {"", "\n", "nan\n", "inf\n", "0x10\n", "1,5\n", "1 2\n", "1.5"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct assay_bytes raw = {.media = "text/plain",
			.data = (const uint8_t *)wrong[i],
			.len = strlen(wrong[i])};
		assert_int_equal(host_decode_bytes(h, &raw, 1, NULL, 0), -EBADMSG);
	}
	char line[100];
	memset(line, '1', sizeof(line));
	host_answer(h, line, sizeof(line));
	assert_int_equal(h->driver->acquire(&h->ins, &h->raw.handle), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			lines_become_frames_however_they_arrive, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_line_is_complete_only_after_a_line_end, setup, teardown),
		cmocka_unit_test_setup_teardown(a_failure_needs_a_line_end_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stream_without_line_ends_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(
			silence_ends_at_the_timeout_and_a_stop_before_it, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_line_that_is_not_one_number_is_rejected, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
