/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines as journald gets them, with the ids of messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/log.h"

/* The format of A401. */
#define FAULT "fault%s%s"

static char line[2000];

/* Standard error goes into `line` from begin() to end(). */
static int saved, ends[2];

static void begin(void)
{
	assert_int_equal(pipe(ends), 0);
	saved = dup(STDERR_FILENO);
	dup2(ends[1], STDERR_FILENO);
}

static void end(void)
{
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(ends[1]);
	ssize_t n = read(ends[0], line, sizeof line - 1);
	line[n > 0 ? n : 0] = '\0';
	close(ends[0]);
}

static void a_message_of_the_catalogue_ends_with_its_id(void **state)
{
	char text[1500];
	log_init(LOG_LEVEL_INFO, true);
	begin();
	log_write(LOG_LEVEL_WARN, "xrf-1", FAULT, ": ", "no answer");
	end();
	assert_string_equal(line, "<4>xrf-1: fault: no answer [A401]\n");
	begin();
	log_write(LOG_LEVEL_WARN, "xrf-1", "an unlisted text");
	end();
	assert_string_equal(line, "<4>xrf-1: an unlisted text\n");
	/* A long text is cut, its id is not. */
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\0';
	begin();
	log_write(LOG_LEVEL_WARN, "xrf-1", FAULT, ": ", text);
	end();
	assert_int_equal(strlen(line), strlen("<4>xrf-1: ") + 1000 + strlen(" [A401]\n"));
	assert_non_null(strstr(line, "x [A401]\n"));
	/* A message below warning has no id. */
	begin();
	log_write(LOG_LEVEL_INFO, "xrf-1", FAULT, "", "");
	end();
	assert_string_equal(line, "<6>xrf-1: fault\n");
}

static void no_text_of_others_is_taken_for_an_id(void **state)
{
	log_init(LOG_LEVEL_INFO, true);
	begin();
	log_write(LOG_LEVEL_WARN, "gas-1", FAULT, ": ", "[A201]");
	end();
	assert_string_equal(line, "<4>gas-1: fault: [A201] [A401]\n");
	begin();
	log_write(LOG_LEVEL_INFO, "gas-1", "%s", "cannot commit [A201]");
	end();
	assert_string_equal(line, "<6>gas-1: cannot commit [A201] [-]\n");
	begin();
	log_write(LOG_LEVEL_INFO, "gas-1", "%s", "x [A201]\n<3>commit: y");
	end();
	assert_string_equal(line, "<6>gas-1: x [A201]?<3>commit: y\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_of_the_catalogue_ends_with_its_id),
		cmocka_unit_test(no_text_of_others_is_taken_for_an_id),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
