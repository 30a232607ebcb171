/* SPDX-License-Identifier: Apache-2.0 */
/* The duties of every link, and those of USB alone: packets, endpoints, control transfers, halts. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <assay/driver.h>

#include "base/clock.h"
#include "pump.h"
#include "transport.h"
#include "usbfs.h"

#define PACKET  64
#define LONG_MS 5000

static struct port port;
static struct pump pump;
static bool is_running;

static int start(void)
{
	int r = pump_start(&pump, &port);
	if (r < 0)
		print_message("%s\n", pump.link.why);
	is_running = r == 0;
	return r;
}

static int before(void **state)
{
	port = (struct port){.open_ms = 2000};
	is_running = false;
	usbfs_make(&port);
	port.stream = USBFS_STREAM;
	port.stream_2 = USBFS_REPORT;
	port.out_2 = USBFS_OUT_2;
	return 0;
}

static int before_open(void **state)
{
	before(state);
	return start();
}

static int after(void **state)
{
	if (is_running)
		pump_stop(&pump);
	usbfs_drop();
	return 0;
}

static ssize_t read_at(unsigned endpoint, void *to, size_t size)
{
	return channel_read_from(&pump.channel, endpoint, to, size, LONG_MS);
}

static void read_exactly(unsigned endpoint, uint8_t *to, size_t size)
{
	for (size_t have = 0; have < size;) {
		ssize_t n = read_at(endpoint, to + have, size - have);
		if (n < 0)
			fail_msg("after %zu of %zu bytes: %s", have, size, strerror((int)-n));
		have += (size_t)n;
	}
}

static size_t hear_at(unsigned address, void *to, size_t size)
{
	uint64_t limit = clock_boot() + LONG_MS * NS_PER_MS;
	size_t n;
	while ((n = usbfs_hear_at(address, to, size)) == 0) {
		if (clock_boot() > limit)
			fail_msg("the device received nothing");
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	return n;
}

/* --- packets ---------------------------------------------------------------------------------- */

static void a_reply_of_whole_packets_arrives(void **state)
{
	uint8_t sent[40 * PACKET], got[2 * sizeof sent];
	for (size_t i = 0; i < sizeof sent; i++)
		sent[i] = (uint8_t)(i * 7 + i / PACKET);
	static const size_t packets[] = {1, 2, 4, 40};
	for (size_t i = 0; i < sizeof packets / sizeof packets[0]; i++) {
		size_t n = packets[i];
		usbfs_say(sent, n * PACKET);
		size_t have = 0;
		while (have < n * PACKET) { /* with room for more */
			ssize_t r = read_at(0, got + have, sizeof got - have);
			if (r < 0)
				fail_msg("%zu packets: %s", n, strerror((int)-r));
			have += (size_t)r;
		}
		assert_int_equal(have, n * PACKET);
		assert_memory_equal(got, sent, have);
	}
}

static void a_short_packet_ends_a_message(void **state)
{
	uint8_t packet[PACKET] = {1}, got[8 * PACKET];
	usbfs_say(packet, PACKET);
	usbfs_say("ab", 2);
	usbfs_say("cd", 2);
	ssize_t n = read_at(0, got, sizeof got);
	if (n == PACKET)
		n += read_at(0, got + n, sizeof got - (size_t)n);
	assert_int_equal(n, PACKET + 2);
	assert_int_equal(read_at(0, got, sizeof got), 2);
	assert_memory_equal(got, "cd", 2);
	usbfs_say(packet, PACKET);
	assert_true(usbfs_send_packet(USBFS_IN, NULL, 0)); /* it is empty */
	usbfs_say("ef", 2);
	read_exactly(0, got, PACKET);
	assert_int_equal(read_at(0, got, sizeof got), 2);
}

/* A report is a message, also if it fills its packet. */
static void reports_are_not_joined(void **state)
{
	uint8_t packet[PACKET] = {1}, got[8 * PACKET];
	for (int i = 0; i < 3; i++)
		usbfs_send(USBFS_REPORT, packet, PACKET);
	for (int i = 0; i < 3; i++)
		assert_int_equal(read_at(ASSAY_ENDPOINT_STREAM_2, got, sizeof got), PACKET);
}

/* 50,000 samples per second, 25 in a packet; three times the I/O thread takes none for 125 ms. */
static void a_stream_loses_nothing(void **state)
{
	static uint8_t got[250 * PACKET];
	uint32_t sent = 0, expected = 0;
	for (int pause = 0; pause < 3; pause++) {
		monitor_lock(&pump.monitor);
		for (int i = 0; i < 250; i++) {
			uint8_t packet[PACKET] = {0};
			memcpy(packet, &sent, sizeof sent);
			if (!usbfs_send_packet(USBFS_STREAM, packet, PACKET))
				fail_msg("packet %u was lost", sent);
			sent++;
		}
		monitor_unlock(&pump.monitor);
		read_exactly(ASSAY_ENDPOINT_STREAM, got, sizeof got);
		for (size_t at = 0; at < sizeof got; at += PACKET, expected++)
			assert_memory_equal(got + at, &expected, sizeof expected);
	}
}

/* An unread stream stops none of the replies. */
static void a_full_endpoint_leaves_the_others_alone(void **state)
{
	uint8_t packet[PACKET] = {0}, got[PACKET];
	uint64_t limit = clock_boot() + 6 * LONG_MS * NS_PER_MS;
	unsigned full = 0;
	while (full < 5) { /* refused for several turns: store and transfers are full */
		full = usbfs_send_packet(USBFS_STREAM, packet, PACKET) ? 0 : full + 1;
		if (full > 0)
			nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
		assert_true(clock_boot() < limit);
	}
	assert_int_equal(channel_write(&pump.channel, "ping", 4, LONG_MS), 0);
	usbfs_say("pong", 4);
	assert_int_equal(read_at(0, got, sizeof got), 4);
}

/* --- endpoints -------------------------------------------------------------------------------- */

static void each_endpoint_has_its_own_bytes(void **state)
{
	char got[16];
	usbfs_send(USBFS_STREAM, "stream", 6);
	usbfs_send(USBFS_REPORT, "report", 6);
	usbfs_say("reply", 5);
	assert_int_equal(read_at(ASSAY_ENDPOINT_MAIN, got, sizeof got), 5);
	assert_memory_equal(got, "reply", 5);
	assert_int_equal(read_at(ASSAY_ENDPOINT_STREAM_2, got, sizeof got), 6);
	assert_memory_equal(got, "report", 6);
	assert_int_equal(read_at(ASSAY_ENDPOINT_STREAM, got, sizeof got), 6);
	assert_memory_equal(got, "stream", 6);
	assert_int_equal(
		channel_write_to(&pump.channel, ASSAY_ENDPOINT_OUT_2, "two", 3, LONG_MS), 0);
	assert_int_equal(hear_at(USBFS_OUT_2, got, sizeof got), 3);
	assert_int_equal(usbfs_hear(got, sizeof got), 0);
	assert_int_equal(
		channel_write_to(&pump.channel, ASSAY_ENDPOINT_STREAM, "x", 1, LONG_MS), -EINVAL);
	usbfs_send(USBFS_STREAM, "old", 3);
	usbfs_say("old", 3);
	size_t dropped = 0;
	assert_int_equal(channel_drain(&pump.channel, 50, LONG_MS, &dropped), 0);
	assert_int_equal(dropped, 6);
}

static void an_endpoint_that_is_not_there_is_refused_in_words(void **state)
{
	static const struct {
		unsigned in, out, stream;
		const char *why;
	} cases[] = {
		{0x82, USBFS_OUT, 0, "endpoint 0x82 of interface 0: No such file or directory"},
		{USBFS_IN, 0x01, 0, "endpoint 0x01 of interface 0: No such file or directory"},
		{USBFS_IN, USBFS_OUT, 0x85,
			"endpoint 0x85 of interface 0: No such file or directory"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct link link;
		port.in = cases[i].in;
		port.out = cases[i].out;
		port.stream = cases[i].stream;
		assert_int_equal(link_open(&link, &port), -ENOENT);
		assert_string_equal(link.why, cases[i].why);
		link_close(&link);
	}
	port.in = USBFS_IN;
	port.out = USBFS_OUT;
	port.stream = 0;
	port.interface = 1; /* of another program */
	struct link link;
	assert_int_equal(link_open(&link, &port), -EBUSY);
	link_close(&link);
}

/* --- halts and failures ----------------------------------------------------------------------- */

static void halts_are_cleared_at_open(void **state)
{
	static const unsigned addresses[] = {
		USBFS_IN, USBFS_OUT, USBFS_STREAM, USBFS_REPORT, USBFS_OUT_2};
	char got[8];
	for (size_t i = 0; i < sizeof addresses / sizeof addresses[0]; i++)
		usbfs_halt(addresses[i]);
	assert_int_equal(start(), 0);
	assert_int_equal(channel_write(&pump.channel, "ping", 4, LONG_MS), 0);
	assert_int_equal(channel_write_to(&pump.channel, ASSAY_ENDPOINT_OUT_2, "x", 1, LONG_MS), 0);
	usbfs_say("pong", 4);
	usbfs_send(USBFS_STREAM, "s", 1);
	usbfs_send(USBFS_REPORT, "r", 1);
	assert_int_equal(read_at(0, got, sizeof got), 4);
	assert_int_equal(read_at(1, got, sizeof got), 1);
	assert_int_equal(read_at(2, got, sizeof got), 1);
}

static void a_halt_ends_the_write_that_it_concerns(void **state)
{
	usbfs_halt(USBFS_OUT);
	assert_int_equal(channel_write(&pump.channel, "no", 2, LONG_MS), -ENODEV);
	assert_string_equal(
		pump.link.why, "a transfer at endpoint 0x02 was refused: the instrument halted it");
}

static void a_halted_reply_loses_the_port(void **state)
{
	char got[8];
	usbfs_halt(USBFS_IN);
	assert_int_equal(read_at(0, got, sizeof got), -ENODEV);
	assert_string_equal(
		pump.link.why, "a transfer at endpoint 0x81 was refused: the instrument halted it");
}

static void more_than_a_packet_is_an_error(void **state)
{
	uint8_t packet[PACKET + 1] = {0}, got[2 * PACKET];
	assert_true(usbfs_send_packet(USBFS_STREAM, packet, sizeof packet));
	assert_int_equal(read_at(ASSAY_ENDPOINT_STREAM, got, sizeof got), -ENODEV);
	assert_string_equal(pump.link.why, "a transfer at endpoint 0x83 was longer than a packet");
}

/* --- control transfers ------------------------------------------------------------------------ */

static uint8_t last_setup[8], last_data[PACKET];
static size_t last_size;
static unsigned requests;

static int answer(const uint8_t setup[8], uint8_t *data, size_t size)
{
	requests++;
	memcpy(last_setup, setup, sizeof last_setup);
	if (setup[1] == 0x99)
		return -EPIPE;
	if ((setup[0] & 0x80) != 0) {
		size_t n = size < 5 ? size : 5;
		memcpy(data, "reply", n);
		return (int)n;
	}
	last_size = size;
	memcpy(last_data, data, size < sizeof last_data ? size : sizeof last_data);
	return (int)size;
}

static ssize_t control(uint8_t type, uint8_t request, unsigned index, void *data, size_t len)
{
	const struct assay_usb_request r = {type, request, 0x0200, (uint16_t)index};
	return channel_control(&pump.channel, &r, data, len, LONG_MS);
}

static void control_transfers_go_both_ways(void **state)
{
	uint8_t report[PACKET] = "a report", got[4096];
	usbfs_set_control(answer);
	assert_int_equal(control(0x21, 0x09, 0, report, sizeof report), sizeof report); /* HID */
	assert_memory_equal(last_setup, "\x21\x09\x00\x02\x00\x00\x40\x00", 8);
	assert_int_equal(last_size, sizeof report);
	assert_memory_equal(last_data, report, sizeof report);
	assert_int_equal(control(0xc0, 0x01, 7, got, 4), 4);
	assert_memory_equal(got, "repl", 4);
	assert_int_equal(control(0xc0, 0x01, 7, got, sizeof got), 5);
	assert_int_equal(control(0x40, 0x01, 7, NULL, 0), 0);
	assert_int_equal(control(0xc0, 0x01, 7, got, sizeof got + 1), -EMSGSIZE);
	usbfs_say("pong", 4); /* apart from the bytes of the endpoints */
	assert_int_equal(read_at(0, got, sizeof got), 4);
}

static void a_refused_request_fails_alone(void **state)
{
	uint8_t got[8];
	usbfs_set_control(answer);
	assert_int_equal(control(0xc0, 0x99, 0, got, sizeof got), -EPROTO);
	assert_string_equal(pump.link.why, "the instrument refuses request 0xc0 0x99");
	assert_int_equal(control(0xc0, 0x01, 0, got, sizeof got), 5);
}

/* Those that reach beyond the driver's own interface. */
static void requests_that_concern_others_are_not_sent(void **state)
{
	static const struct {
		uint8_t type, request;
		uint16_t index;
		bool may;
	} cases[] = {
		{0x00, 9, 0, false},    /* set configuration */
		{0x00, 5, 0, false},    /* set address */
		{0x00, 3, 1, false},    /* set feature: remote wake-up */
		{0x01, 11, 0, false},   /* set interface */
		{0x02, 1, 0x81, false}, /* clear halt: the link does that */
		{0x00, 7, 0, false},    /* set descriptor */
		{0x80, 6, 0, true},     /* get descriptor */
		{0x81, 10, 0, true},    /* get interface */
		{0x81, 6, 1, false},    /* of another one */
		{0x21, 9, 0, true},     /* class: HID set report */
		{0x21, 9, 1, false},    /* of another interface */
		{0x22, 1, 0x83, true},  /* class, to one of the endpoints */
		{0x22, 1, 0x86, false}, /* to another one */
		{0x23, 1, 0, false},    /* class, to a hub's port */
		{0x40, 1, 1, true},     /* vendor: the index has their meaning */
		{0x41, 1, 9, true},
	};
	uint8_t data[8] = {0};
	usbfs_set_control(answer);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		unsigned sent = requests;
		size_t len = (cases[i].type & 0x80) != 0 ? sizeof data : 0;
		ssize_t n = control(cases[i].type, cases[i].request, cases[i].index, data, len);
		if (cases[i].may != (n >= 0) || cases[i].may != (requests == sent + 1) ||
			(!cases[i].may && n != -EINVAL))
			fail_msg("request %02x %u to %u: %zd", cases[i].type, cases[i].request,
				cases[i].index, n);
	}
	assert_int_equal(control(0x00, 9, 0, data, 0), -EINVAL);
	assert_string_equal(pump.link.why, "request 0x00 0x09 was not sent: it changes the device");
}

static void the_rights_to_other_interfaces_are_dropped(void **state)
{
	assert_true(usbfs_has_rights());
	assert_int_equal(start(), 0);
	assert_false(usbfs_has_rights());
}

#define T(test)      cmocka_unit_test_setup_teardown(test, before_open, after)
#define CLOSED(test) cmocka_unit_test_setup_teardown(test, before, after)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_reply_of_whole_packets_arrives),
		T(a_short_packet_ends_a_message),
		T(reports_are_not_joined),
		T(a_stream_loses_nothing),
		T(a_full_endpoint_leaves_the_others_alone),
		T(each_endpoint_has_its_own_bytes),
		CLOSED(an_endpoint_that_is_not_there_is_refused_in_words),
		CLOSED(halts_are_cleared_at_open),
		T(a_halt_ends_the_write_that_it_concerns),
		T(a_halted_reply_loses_the_port),
		T(more_than_a_packet_is_an_error),
		T(control_transfers_go_both_ways),
		T(a_refused_request_fails_alone),
		T(requests_that_concern_others_are_not_sent),
		CLOSED(the_rights_to_other_interfaces_are_dropped),
	};
	int failures = transport_suite(&transport_usb);
	return failures + cmocka_run_group_tests(tests, NULL, NULL);
}
