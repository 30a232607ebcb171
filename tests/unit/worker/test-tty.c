/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <assay/driver.h>

#include "base/clock.h"
#include "pump.h"
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

/* --- the line --------------------------------------------------------------------------------- */

static struct pump pump;

static void start(enum port_dtr dtr, enum port_rts rts)
{
	struct port port = {.open_ms = 1000};
	transport_tty.make(&port);
	port.dtr = dtr;
	port.rts = rts;
	tty_count_errors(&(struct tty_errors){5, 6, 7, 8, 9}); /* of an earlier opening */
	assert_int_equal(pump_start(&pump, &port), 0);
}

static void stop(void)
{
	pump_stop(&pump);
	transport_tty.drop();
}

static void modem_lines_are_set_and_read(void **state)
{
	start(PORT_DTR_OFF, PORT_RTS_OFF);
	assert_false(tty_line()->dtr || tty_line()->rts);
	assert_int_equal(channel_line(&pump.channel, ASSAY_LINE_DTR, 1), 0);
	assert_true(tty_line()->dtr && !tty_line()->rts);
	assert_int_equal(channel_line(&pump.channel, ASSAY_LINE_RTS, 1), 0);
	assert_int_equal(channel_line(&pump.channel, ASSAY_LINE_DTR, 0), 0);
	assert_true(!tty_line()->dtr && tty_line()->rts);
	assert_int_equal(channel_line(&pump.channel, ASSAY_LINE_READ, 0),
		ASSAY_LINE_HAS_DSR | ASSAY_LINE_HAS_CTS);
	assert_int_equal(channel_line(&pump.channel, 99, 0), -EINVAL);
	stop();
	start(PORT_DTR_ON, PORT_RTS_ON);
	assert_true(tty_line()->dtr && tty_line()->rts && tty_line()->hangs_up);
	stop();
	start(PORT_DTR_KEPT, PORT_RTS_ON);
	assert_true(tty_line()->dtr && !tty_line()->hangs_up);
	stop();
}

static void a_break_lasts_as_long_as_it_should(void **state)
{
	start(PORT_DTR_ON, PORT_RTS_ON);
	uint64_t from = clock_boot();
	assert_int_equal(channel_line(&pump.channel, ASSAY_LINE_BREAK, 60), 0);
	assert_true(clock_boot() - from >= 60 * NS_PER_MS);
	assert_int_equal(tty_line()->breaks_sent, 1);
	assert_false(tty_line()->is_broken);
	pump_cancel_in(&pump, 30); /* an abort ends it */
	assert_int_equal(channel_line(&pump.channel, ASSAY_LINE_BREAK, 60000), -ECANCELED);
	assert_false(tty_line()->is_broken);
	stop();
}

static void the_baud_rate_changes_at_run_time(void **state)
{
	char why[300];
	start(PORT_DTR_ON, PORT_RTS_ON);
	assert_int_equal(channel_line(&pump.channel, ASSAY_LINE_BAUD, 300), 0);
	assert_int_equal(tty_line()->baud, 300);
	assert_true(pump.link.byte_ns == NS_PER_S / 30);
	assert_int_equal(channel_line(&pump.channel, ASSAY_LINE_BAUD, 9600), 0);
	assert_int_equal(tty_line()->baud, 9600);
	tty_rounds_baud(true);
	assert_int_equal(channel_line(&pump.channel, ASSAY_LINE_BAUD, 28800), -EINVAL);
	channel_why(&pump.channel, why, sizeof why);
	assert_string_equal(why, "the adapter makes 38400 baud instead of 28800: Invalid argument");
	tty_rounds_baud(false);
	assert_int_equal(channel_line(&pump.channel, ASSAY_LINE_BAUD, 0), -EINVAL);
	stop();
}

static void errors_of_the_receiver_are_counted_from_the_opening_on(void **state)
{
	start(PORT_DTR_ON, PORT_RTS_ON);
	struct link_errors none = channel_errors(&pump.channel);
	assert_true(none.parity == 0 && none.framing == 0 && none.overrun == 0 && none.breaks == 0);
	tty_count_errors(&(struct tty_errors){6, 8, 10, 12, 14});
	struct link_errors some = channel_errors(&pump.channel);
	assert_true(some.parity == 1 && some.framing == 2 && some.overrun == 7 && some.breaks == 5);
	none = channel_errors(&pump.channel);
	assert_true(none.parity == 0 && none.framing == 0 && none.overrun == 0 && none.breaks == 0);
	stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rate_that_the_adapter_rounds_is_refused),
		cmocka_unit_test(a_port_in_use_is_not_shared),
		cmocka_unit_test(modem_lines_are_set_and_read),
		cmocka_unit_test(a_break_lasts_as_long_as_it_should),
		cmocka_unit_test(the_baud_rate_changes_at_run_time),
		cmocka_unit_test(errors_of_the_receiver_are_counted_from_the_opening_on),
	};
	int failures = transport_suite(&transport_tty);
	return failures + cmocka_run_group_tests(tests, NULL, NULL);
}
