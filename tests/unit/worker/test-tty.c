/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "transport.h"
#include "worker/link/link.h"

static void a_rate_that_the_adapter_rounds_is_refused(void **state)
{
	struct port port = {.open_ms = 1000};
	struct link link;
	transport_tty.make(&port);
	tty_rounds_baud(true);
	assert_int_equal(link_open(&link, &port), -EINVAL);
	assert_string_equal(link.why, "/dev/ttyUSB7 runs at 38400 baud instead of 28800");
	tty_rounds_baud(false);
	assert_int_equal(link_open(&link, &port), 0);
	link_close(&link);
	transport_tty.drop();
}

static void a_port_in_use_is_not_shared(void **state)
{
	struct port port = {.open_ms = 1000};
	struct link first, second;
	transport_tty.make(&port);
	assert_int_equal(link_open(&first, &port), 0);
	assert_int_equal(link_open(&second, &port), -EBUSY);
	assert_non_null(strstr(second.why, "used by another program"));
	link_close(&first);
	assert_int_equal(link_open(&second, &port), 0);
	link_close(&second);
	transport_tty.drop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rate_that_the_adapter_rounds_is_refused),
		cmocka_unit_test(a_port_in_use_is_not_shared),
	};
	int failures = transport_suite(&transport_tty);
	return failures + cmocka_run_group_tests(tests, NULL, NULL);
}
