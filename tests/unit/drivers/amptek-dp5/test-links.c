/* SPDX-License-Identifier: Apache-2.0 */
/* Errors of the links, for each kind of link. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"

static uint8_t packet[8192 * 3 + 72];

static int teardown(void **state)
{
	host_destroy(*state);
	return 0;
}

static int setup_udp(void **state)
{
	*state = host_create(assay_driver, ASSAY_LINK_UDP);
	return 0;
}

static int setup_serial(void **state)
{
	*state = host_create(assay_driver, ASSAY_LINK_SERIAL);
	return 0;
}

static int setup_usb(void **state)
{
	*state = host_create(assay_driver, ASSAY_LINK_USB);
	return 0;
}

static int identify(struct host *h)
{
	struct assay_identity id = {0};
	int r = h->driver->identify(&h->ins, &id);
	if (r == 0)
		assert_string_equal(id.serial, "2524");
	return r;
}

/* A packet that is read then may be the reply to a request of another program. */
static void a_unit_that_never_pauses_is_not_asked(void **state)
{
	struct host *h = *state;
	h->never_pauses = true;
	assert_int_equal(identify(h), -EBADMSG);
	assert_int_equal(h->writes, 0);
}

static void ask_status(struct host *h)
{
	amptek_ask(h, 1, 1, NULL);
}

/* A stopped instrument: acquire requests the status twice, then the spectrum. */
static void status_turns(struct host *h)
{
	amptek_status_turn(h, &amptek_px5);
	amptek_status_turn(h, &amptek_px5);
}

static int acquire(struct host *h)
{
	h->raw.count = h->raw.total = 0;
	return h->driver->acquire(&h->ins, &h->raw.handle);
}

static void a_reply_in_datagrams_is_put_together_for_every_size(void **state)
{
	static const struct {
		size_t channels, datagrams;
	} sizes[] = {{256, 2}, {512, 4}, {1024, 7}, {2048, 12}, {4096, 24}, {8192, 48}};
	struct host *h = *state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		size_t len = amptek_spectrum(packet, sizes[i].channels, NULL, &amptek_px5);
		assert_int_equal((len + 519) / 520, sizes[i].datagrams);
		status_turns(h);
		amptek_ask(h, 2, 3, NULL);
		host_answer_split(h, packet, len, 520);
		assert_int_equal(acquire(h), ASSAY_CUT);
		assert_int_equal(h->raw.blocks[0].len, len);
		assert_memory_equal(h->raw.blocks[0].data, packet, len);
		assert_int_equal(host_decode(h), 0);
		assert_int_equal(host_find(h, "counts")->count, sizes[i].channels);
		assert_true(host_is_done(h));
	}
	assert_int_equal(h->retried, 0);
}

static void a_lost_datagram_repeats_the_request(void **state)
{
	struct host *h = *state;
	size_t len = amptek_spectrum(packet, 1024, NULL, &amptek_px5);
	status_turns(h);
	for (size_t lost = 0; lost < 2; lost++) {
		amptek_ask(h, 2, 3, NULL);
		for (size_t i = 0; i < 7; i++)
			if (i != 3 * lost)
				host_answer(h, packet + 520 * i, i < 6 ? 520 : len - 6 * 520);
	}
	amptek_ask(h, 2, 3, NULL);
	host_answer_split(h, packet, len, 520);
	assert_int_equal(acquire(h), ASSAY_CUT);
	assert_true(host_is_done(h));
	assert_int_equal(h->retried, 2);
	assert_memory_equal(h->raw.blocks[0].data, packet, len);
}

static void answer_in_datagrams(struct host *h, const uint8_t *bytes, size_t len, int copies)
{
	for (size_t at = 0; at < len; at += 520)
		for (int i = 0; i < copies; i++)
			host_answer(h, bytes + at, len - at < 520 ? len - at : 520);
}

/* Acquires one spectrum, which the instrument sends `requests` times. */
static void acquire_copies(
	struct host *h, const struct amptek_status *s, size_t channels, int copies, int requests)
{
	uint8_t block[64], bytes[72];
	amptek_status_block(s, block);
	for (int i = 0; i < 2; i++) {
		ask_status(h);
		answer_in_datagrams(h, bytes, amptek_packet(bytes, 0x80, 1, block, 64), copies);
	}
	size_t len = amptek_spectrum(packet, channels, NULL, s);
	for (int i = 0; i < requests; i++) {
		amptek_ask(h, 2, 3, NULL);
		answer_in_datagrams(h, packet, len, copies);
	}
	h->retried = 0;
	assert_int_equal(acquire(h), ASSAY_CUT);
	assert_true(copies > 1 || host_is_done(h)); /* the last copy is dropped later */
	assert_int_equal(h->retried, requests - 1);
	assert_int_equal(h->raw.blocks[0].len, len);
	assert_memory_equal(h->raw.blocks[0].data, packet, len);
}

/* An empty spectrum has equal datagrams even where each comes once. */
static void datagrams_that_come_twice_are_read_once(void **state)
{
	for (size_t channels = 256; channels <= 8192; channels *= 2) {
		struct host *h = host_create(assay_driver, ASSAY_LINK_UDP);
		bool has_equal = channels > 512;
		acquire_copies(h, &amptek_px5, channels, 1, 1);
		acquire_copies(h, &amptek_px5, channels, 2, 2);
		acquire_copies(h, &amptek_px5, channels, 2, 1);
		acquire_copies(h, &amptek_px5, channels, 1, has_equal ? 2 : 1);
		acquire_copies(h, &amptek_px5, channels, 1, 1);
		host_destroy(h);
	}
	(void)state;
}

static void a_wrong_byte_repeats_the_request(void **state)
{
	struct host *h = *state;
	uint8_t bytes[128];
	size_t len = host_hex(amptek_px5_packet, bytes, sizeof(bytes));
	ask_status(h);
	bytes[20] ^= 4;
	host_answer(h, bytes, len);
	ask_status(h);
	host_answer_hex(h, amptek_px5_packet);
	uint64_t before = h->now;
	assert_int_equal(identify(h), 0);
	assert_true(host_is_done(h));
	assert_int_equal(h->retried, 1);
	/* Waits for silence: at the start, before and after the second attempt; and before each. */
	assert_int_equal(h->now - before, 150 + 2 * 1);
}

static void a_late_reply_is_not_taken_for_the_next_one(void **state)
{
	struct host *h = *state;
	struct amptek_status earlier = amptek_px5;
	uint8_t bytes[128], block[64];
	ask_status(h);
	host_silence(h);
	ask_status(h);
	host_answer_hex(h, amptek_px5_packet);
	/* The first reply arrives after all. */
	earlier.serial = 7;
	amptek_status_block(&earlier, block);
	host_answer(h, bytes, amptek_packet(bytes, 0x80, 1, block, 64));
	assert_int_equal(identify(h), 0);
	ask_status(h);
	host_answer_hex(h, amptek_px5_packet);
	assert_int_equal(identify(h), 0);
	assert_true(host_is_done(h));
}

static void a_reply_to_another_request_is_not_accepted(void **state)
{
	struct host *h = *state;
	uint8_t bytes[128];
	ask_status(h);
	host_answer(h, bytes, amptek_packet(bytes, 0x82, 7, "MCAC=2048;", 10));
	ask_status(h);
	host_answer_hex(h, "F5 FA FF 00 00 00 FD 12");
	ask_status(h);
	host_answer_hex(h, amptek_px5_packet);
	assert_int_equal(identify(h), 0);
	assert_int_equal(h->retried, 2);
	assert_true(host_is_done(h));
}

static void a_spectrum_without_status_is_not_accepted(void **state)
{
	struct host *h = *state;
	uint8_t data[3 * 256] = {0};
	status_turns(h);
	for (int i = 0; i < 3; i++) {
		amptek_ask(h, 2, 3, NULL);
		amptek_reply(h, 0x81, 1, data, sizeof(data));
	}
	assert_int_equal(acquire(h), -EBADMSG);
	assert_int_equal(h->raw.count, 0);
	assert_true(host_is_done(h));
}

static void silence_is_given_up_after_three_tries_with_advice(void **state)
{
	struct host *h = *state;
	for (int i = 0; i < 3; i++)
		ask_status(h);
	uint64_t before = h->now;
	assert_int_equal(identify(h), -ETIMEDOUT);
	assert_true(host_is_done(h));
	assert_true(h->now - before < 4000);
	assert_non_null(strstr(h->explained, "is it in use by another program?"));
}

static void a_port_that_is_gone_is_left_at_once(void **state)
{
	struct host *h = *state;
	ask_status(h);
	host_error(h, -ENODEV);
	assert_int_equal(identify(h), -ENODEV);
	assert_int_equal(h->writes, 1);
	assert_int_equal(h->driver->stop(&h->ins), -ENODEV);
}

static void more_bytes_than_the_packet_has_are_no_reply(void **state)
{
	struct host *h = *state;
	uint8_t bytes[128];
	size_t len = host_hex(amptek_px5_packet, bytes, sizeof(bytes));
	bytes[len] = 0;
	ask_status(h);
	host_answer(h, bytes, len + 1);
	ask_status(h);
	host_answer_hex(h, amptek_px5_packet);
	assert_int_equal(identify(h), 0);
	assert_int_equal(h->retried, 1);
}

static void a_busy_instrument_is_waited_for_with_a_limit(void **state)
{
	struct host *h = *state;
	for (int i = 0; i < 3; i++) {
		ask_status(h);
		host_answer_hex(h, "F5 FA FF 0D 00 00 FD 05");
	}
	ask_status(h);
	host_answer_hex(h, amptek_px5_packet);
	assert_int_equal(identify(h), 0);
	assert_int_equal(h->retried, 0);
	for (int i = 0; i < 21; i++) {
		ask_status(h);
		host_answer_hex(h, "F5 FA FF 0D 00 00 FD 05");
	}
	assert_int_equal(identify(h), -EPROTO);
	assert_non_null(strstr(h->explained, "stayed busy"));
	assert_true(host_is_done(h));
}

static void a_request_that_arrived_damaged_is_repeated(void **state)
{
	struct host *h = *state;
	ask_status(h);
	host_answer_hex(h, "F5 FA FF 04 00 00 FD 0E");
	ask_status(h);
	host_answer_hex(h, amptek_px5_packet);
	assert_int_equal(identify(h), 0);
	assert_int_equal(h->retried, 1);
	/* An unknown request is not repeated. */
	ask_status(h);
	host_answer_hex(h, "F5 FA FF 02 00 00 FD 10");
	assert_int_equal(identify(h), -EPROTO);
	assert_non_null(strstr(h->explained, "unknown request (code 02)"));
	assert_true(host_is_done(h));
}

static void a_serial_reply_may_come_byte_by_byte(void **state)
{
	struct host *h = *state;
	uint8_t bytes[128];
	size_t len = host_hex(amptek_px5_packet, bytes, sizeof(bytes));
	ask_status(h);
	host_answer_split(h, bytes, len, 1);
	assert_int_equal(identify(h), 0);
	assert_true(host_is_done(h));
}

static void the_serial_receiver_gets_its_silence_before_a_second_try(void **state)
{
	struct host *h = *state;
	ask_status(h);
	host_answer_hex(h, "F5 FA 80 01 00");
	host_silence(h);
	ask_status(h);
	host_answer_hex(h, amptek_px5_packet);
	uint64_t before = h->now;
	assert_int_equal(identify(h), 0);
	/* 120 ms at the start, 500 ms gap, 120 ms before the second attempt and after it. */
	assert_int_equal(h->now - before, 120 + 500 + 120 + 120);
	assert_true(host_is_done(h));
}

/* A flash write takes 80 to 400 ms; other replies must arrive within 1 s. */
static void a_flash_write_may_delay_the_next_reply(void **state)
{
	struct host *h = *state;
	const char *after = amptek_with(h, amptek_px5_readback, "MCAC=1024;");
	host_set(h, "channels", "1024");
	for (int saved = 0; saved < 2; saved++) {
		host_reset(h);
		host_set(h, "save_to_flash", saved ? "true" : "false");
		amptek_status_turn(h, &amptek_px5);
		amptek_readback_turn(h, amptek_px5_readback);
		amptek_order_turn(h, 0xf0, 3, NULL);
		amptek_order_turn(h, 0x20, saved ? 2 : 4, "MCAC=1024;");
		host_delay(h, 1300);
		for (int i = 0; i < 2 - saved; i++)
			amptek_readback_turn(h, after);
		assert_int_equal(h->driver->configure(&h->ins), 0);
		assert_int_equal(h->retried, 1 - saved);
	}
}

#define UDP(name)    cmocka_unit_test_setup_teardown(name, setup_udp, teardown)
#define SERIAL(name) cmocka_unit_test_setup_teardown(name, setup_serial, teardown)
#define USB(name)    cmocka_unit_test_setup_teardown(name, setup_usb, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_unit_that_never_pauses_is_not_asked, setup_serial, teardown),
		UDP(a_reply_in_datagrams_is_put_together_for_every_size),
		UDP(a_lost_datagram_repeats_the_request),
		UDP(datagrams_that_come_twice_are_read_once),
		UDP(a_wrong_byte_repeats_the_request),
		UDP(a_late_reply_is_not_taken_for_the_next_one),
		UDP(a_reply_to_another_request_is_not_accepted),
		USB(a_spectrum_without_status_is_not_accepted),
		UDP(silence_is_given_up_after_three_tries_with_advice),
		USB(a_port_that_is_gone_is_left_at_once),
		USB(more_bytes_than_the_packet_has_are_no_reply),
		USB(a_busy_instrument_is_waited_for_with_a_limit),
		USB(a_request_that_arrived_damaged_is_repeated),
		SERIAL(a_serial_reply_may_come_byte_by_byte),
		SERIAL(the_serial_receiver_gets_its_silence_before_a_second_try),
		USB(a_flash_write_may_delay_the_next_reply),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
