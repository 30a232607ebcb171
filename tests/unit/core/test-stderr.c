/* SPDX-License-Identifier: Apache-2.0 */
/* What a worker writes to its standard error reaches the log printable, named and limited. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/event-loop.h"
#include "base/loop.h"
#include "core/port/stderr.h"

#define HEAD "<4>worker: gas-1: "

static struct loop *loop;
static struct worker_stderr errors;
static char logged[1 << 20];

static void stop(void *arg)
{
	loop_stop(loop, 0);
}

/* One worker writes `text`, `times` times, and ends.  Its lines are in `logged`. */
static void write_and_end(const char *text, size_t len, int times)
{
	int end, saved = dup(STDERR_FILENO), log = memfd_create("log", 0);
	struct loop_source *timer;
	dup2(log, STDERR_FILENO);
	assert_int_equal(worker_stderr_open(&errors, loop, "gas-1", &end), 0);
	for (int i = 0; i < times; i++)
		assert_true(write(end, text, len) == (ssize_t)len);
	assert_int_equal(loop_add_timer(loop, &timer, stop, NULL), 0);
	loop_set_timer(timer, 0);
	loop_run(loop);
	loop_drop(timer);
	close(end);
	worker_stderr_close(&errors);
	worker_stderr_close(&errors); /* it may be closed already */
	dup2(saved, STDERR_FILENO);
	close(saved);
	ssize_t n = pread(log, logged, sizeof logged - 1, 0);
	close(log);
	logged[n > 0 ? n : 0] = '\0';
}

static size_t count_lines(void)
{
	size_t lines = 0;
	for (const char *line = logged; *line != '\0'; line = strchr(line, '\n') + 1) {
		assert_memory_equal(line, HEAD, strlen(HEAD));
		lines++;
	}
	return lines;
}

static void lines_are_printable_and_named(void **state)
{
	static const char text[] = "a\x1b[31mred\r\n\n\xc2\x9b\0x\xff\ntorn";
	write_and_end(text, sizeof text - 1, 1);
	assert_string_equal(
		logged, HEAD "a?[31mred? [A403]\n" HEAD "??x? [A403]\n" HEAD "torn [A403]\n");
}

static void a_flood_is_limited_over_restarts(void **state)
{
	static char long_line[2000];
	memset(long_line, 'x', sizeof long_line);
	write_and_end(long_line, sizeof long_line, 1);
	assert_int_equal(count_lines(), 3);
	write_and_end("noise\n", 6, 5000);
	assert_int_equal(count_lines(), STDERR_LINES - 6);
	write_and_end("noise\n", 6, 5000);
	assert_int_equal(count_lines(), 0);
	assert_int_equal(errors.dropped, 10000 - (STDERR_LINES - 6));
	errors.minute = 1; /* long ago */
	write_and_end("again\n", 6, 1);
	assert_int_equal(count_lines(), 2);
	assert_non_null(strstr(logged, "9906 more lines of its standard error were dropped"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_printable_and_named),
		cmocka_unit_test(a_flood_is_limited_over_restarts),
	};
	if (event_loop_open(&loop) < 0)
		return 1;
	int r = cmocka_run_group_tests(tests, NULL, NULL);
	loop_close(loop);
	return r;
}
