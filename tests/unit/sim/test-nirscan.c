/* SPDX-License-Identifier: Apache-2.0 */
/* The packets of the sheets on both links, and a scan's file by a reader of its own. */
#include <math.h>

#include "bench.h"
#include "nirscan/nirscan.h"

#define start(b, transport, ...)                        \
	bench_start(b, &nirscan_model, transport, NULL, \
		(const char *const[]){"noise", "0", __VA_ARGS__, NULL})

/* A report: the bytes, then zeroes. */
static void send_report(struct bench *b, const char *hex)
{
	uint8_t report[64] = {0};
	from_hex(hex, report, sizeof report);
	send_bytes(b, report, sizeof report);
}

/* The reply is one report that starts with these bytes; the rest is zero. */
static void ask_usb(struct bench *b, const char *request, const char *reply)
{
	uint8_t want[64] = {0};
	send_report(b, request);
	from_hex(reply, want, sizeof want);
	assert_int_equal(b->len, 64);
	assert_memory_equal(b->sent, want, 64);
}

static void usb_packets_are_those_of_the_sheet(void **state)
{
	struct bench b;
	start(&b, SIM_USB, "serial", "6100039");
	ask_usb(&b, "C0 00 02 00 19 02", "C0 00 01 00 01");
	ask_usb(&b, "40 00 03 00 18 02 00", "40 00 00 00");
	ask_usb(&b, "C0 00 02 00 19 02", "C0 00 01 00 00");
	ask_usb(&b, "40 07 03 00 18 02 00", "50 07 00 00"); /* it scans already */
	wait_until(&b, b.now + 10 * S);
	ask_usb(&b, "C0 00 02 00 19 02", "C0 00 01 00 01");
	ask_usb(&b, "C0 00 03 00 2D 00 00", "C0 00 04 00 EE 0E 00 00");
	ask_usb(&b, "C0 00 02 00 99 04", "D0 00 00 00");
	ask_usb(&b, "C0 00 02 00 33 02", "C0 00 08 00 36 31 30 30 30 33 39");
	send_report(&b, "C0 00 02 00 2E 00");
	assert_int_equal(b.len, 9 * 64);
	const uint8_t first[] = {
		0xC0, 0, 0, 2, 0x74, 0x70, 0x6C, 0, 0xA0, 0, 0, 0, 0x53, 0x28, 0x75, 0x63};
	assert_memory_equal(b.sent, first, sizeof first);
	bench_stop(&b);
}

static void usb_refuses_wrong_packets(void **state)
{
	static const char *const dropped[] = {"E0 00 02 00 19 02", "C0 00 01 00 19 02",
		"C0 00 01 02 19 02", "C4 00 02 00 19 02", "C1 00 02 00 19 02"};
	struct bench b;
	start(&b, SIM_USB, "sample", "white");
	for (size_t i = 0; i < 5; i++) {
		send_report(&b, dropped[i]);
		assert_int_equal(b.len, 0);
	}
	ask_usb(&b, "40 05 02 00 19 02", "50 05 00 00");       /* a read opcode as a write */
	ask_usb(&b, "C0 05 03 00 18 02 00", "D0 05 00 00");    /* and the other way */
	ask_usb(&b, "40 05 03 00 1B 02 03", "50 05 00 00");    /* gain 3 */
	ask_usb(&b, "40 05 03 00 24 02 03", "50 05 00 00");    /* no such configuration */
	ask_usb(&b, "40 05 02 00 21 02", "50 05 00 00");       /* would erase */
	ask_usb(&b, "C0 05 03 00 2D 00 00", "D0 05 00 00");    /* no scan yet */
	ask_usb(&b, "C0 05 03 00 2D 00 05", "C0 05 04 00 00"); /* of BLE: empty */
	send_report(&b, "80 05 02 00 19 02");
	assert_int_equal(b.len, 0); /* no reply wanted */
	b.faults.strength[FAULT_BUSY] = 1;
	ask_usb(&b, "C0 05 02 00 19 02", "E0 05 00 00");
	ask_usb(&b, "40 05 03 00 18 02 00", "60 05 00 00");
	b.faults.strength[FAULT_BUSY] = 0;
	send_report(&b, "40 05 64 00 34 02"); /* 104 bytes: one more report */
	assert_int_equal(b.len, 0);
	ask_usb(&b, "00", "40 05 00 00");
	send_report(&b, "40 05 64 00 34 02");
	wait_until(&b, b.now + 2 * S); /* abandoned */
	ask_usb(&b, "C0 05 02 00 19 02", "C0 05 01 00 01");
	bench_stop(&b);
}

static void ask_uart(struct bench *b, const char *request, const char *reply)
{
	send_hex(b, request);
	expect_hex(b, reply);
}

#define STATUS       "41 42 43 44 C9 00 00 00 C0 00 02 00 03 04 44 43 42 41"
#define STATUS_REPLY "41 42 43 44 CE 00 00 00 C0 00 06 00 03 04 01 00 00 00 44 43 42 41"
#define GAP_REPLY    "41 42 43 44 10 00 00 00 10 00 00 00 44 43 42 41"

static void uart_frames_are_those_of_the_sheet(void **state)
{
	struct bench b;
	start(&b, SIM_PTY, "gap", "1");
	ask_uart(&b, STATUS, STATUS_REPLY);
	ask_uart(&b, "41 42 43 44 5F 01 00 00 C0 00 02 00 99 04 44 43 42 41",
		"41 42 43 44 6F 01 00 00 D0 00 02 00 99 04 44 43 42 41");
	ask_uart(&b, "41 42 43 44 5D 00 00 00 40 00 03 00 18 02 00 44 43 42 41",
		"41 42 43 44 5C 00 00 00 40 00 02 00 18 02 44 43 42 41");
	bench_stop(&b);
}

static void uart_refuses_wrong_frames(void **state)
{
	struct bench b;
	start(&b, SIM_PTY, "gap", "1");
	ask_uart(&b, STATUS, STATUS_REPLY);
	ask_uart(&b, "41 42 43 44 C8 00 00 00 C0 00 02 00 03 04 44 43 42 41",
		"41 42 43 44 D6 00 00 00 D0 00 06 00 44 43 42 41"); /* a wrong checksum */
	send_hex(&b, "41 42 43 44 C9 00");
	b.len = 0;
	wait_until(&b, b.now + 2 * MS);
	expect_hex(&b, GAP_REPLY);
	ask_uart(&b, STATUS, STATUS_REPLY);
	/* One byte too many: the next frame is lost. */
	send_hex(&b, "41 42 43 44 CA 00 00 00 C0 00 03 00 03 04 00 44 43 42 41");
	expect_hex(&b, STATUS_REPLY);
	ask_uart(&b, STATUS, "");
	ask_uart(&b, STATUS, STATUS_REPLY);
	ask_uart(&b, "FF 41 41 " STATUS, STATUS_REPLY);
	bench_stop(&b);
}

static uint32_t u32(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static double f64(const uint8_t *at)
{
	double v;
	memcpy(&v, at, sizeof v);
	return v;
}

/* Scans with a stored configuration and reads the file. */
static void scan(struct bench *b, unsigned config, uint8_t file[3822])
{
	char hex[64];
	snprintf(hex, sizeof hex, "40 00 03 00 24 02 %02X", config);
	send_report(b, hex);
	assert_int_equal(b->sent[0], 0x40);
	send_report(b, "40 00 03 00 18 02 00");
	assert_int_equal(b->sent[0], 0x40);
	wait_until(b, b->now + 30 * S);
	send_report(b, "C0 00 03 00 2D 00 00");
	size_t at = 0;
	while (at < 3822) {
		send_report(b, "C0 00 02 00 2E 00");
		size_t len = b->sent[2] | (size_t)b->sent[3] << 8;
		assert_true(len > 0 && at + len <= 3822);
		assert_int_equal(b->len, (4 + len + 63) / 64 * 64);
		memcpy(file + at, b->sent + 4, len);
		at += len;
	}
	send_report(b, "C0 00 02 00 2E 00");
	assert_int_equal(b->sent[2] | b->sent[3] << 8, 0);
}

/* The blob from `at`: its format is this one; returns its data. */
static const uint8_t *blob(const uint8_t **at, const char *format, unsigned lengths)
{
	const uint8_t *start = *at;
	assert_memory_equal(start, "tpl", 4);
	assert_string_equal((const char *)start + 8, format);
	*at = start + u32(start + 4);
	return start + 8 + strlen(format) + 1 + 4 * lengths;
}

static void slew_file_has_four_blobs(void **state)
{
	static uint8_t file[3822];
	struct bench b;
	const uint8_t *at = file;
	start(&b, SIM_USB, "sample", "water");
	scan(&b, 0, file);
	const uint8_t *head = blob(&at, "S(uc#cccccccjjvvu$(f#f#)c#vccc)", 4);
	assert_int_equal(at - file, 160);
	const uint8_t *config = blob(&at, "S(cvc#c#vc)", 2);
	const uint8_t *sections = blob(&at, "S(ccvvvv)#", 1);
	const uint8_t *adc = blob(&at, "i#", 1);
	assert_int_equal(config[0], 2);
	assert_int_equal(sections[1], 6);
	assert_int_equal(sections[2] | sections[3] << 8, 900);
	assert_int_equal(sections[6] | sections[7] << 8, 228);
	assert_true(f64(head + 4 + 20 + 7 + 12 + 24) == 1817.5628040683239);
	const uint8_t *tail = head + 4 + 20 + 7 + 12 + 48 + 8;
	assert_int_equal(tail[0] | tail[1] << 8, 237);
	assert_int_equal(tail[2], 24);
	assert_int_equal(tail[3], 25);
	assert_int_equal(tail[4], 64);
	for (int i = 24; i < 237; i += 25)
		assert_int_equal(u32(adc + 4 * i), 21206);
	/* Water absorbs at 1450 nm, and not at 1100: points 155 and 58 of 228. */
	double band = u32(adc + 4 * (155 + 155 / 24)) - 21206.0;
	double beside = u32(adc + 4 * (58 + 58 / 24)) - 21206.0;
	assert_true(band > 0 && band < 0.15 * beside);
	bench_stop(&b);
}

static void column_file_has_one_blob(void **state)
{
	static uint8_t file[3822];
	struct bench b;
	const uint8_t *at = file;
	start(&b, SIM_USB, "sample", "white");
	scan(&b, 1, file);
	const uint8_t *head = blob(&at, "S(uc#cccccccjjvvu$(f#f#)c#vccccvc#c#vvcvvi#)", 7);
	const uint8_t *config = head + 104;
	assert_int_equal(config[0], 0);
	assert_int_equal(config[51] | config[52] << 8, 950);
	assert_int_equal(config[56] | config[57] << 8, 120);
	assert_true(u32(config + 60) > 21206);
	send_report(&b, "C0 00 03 00 20 02 01");
	assert_int_equal(u32(b.sent + 4), 8 + 15 + 8 + 60);
	bench_stop(&b);
}

static void wrong_identity_is_the_next_serial(void **state)
{
	struct bench b;
	start(&b, SIM_USB, "sample", "white");
	b.faults.strength[FAULT_WRONG_IDENTITY] = 1;
	ask_usb(&b, "C0 00 02 00 33 02", "C0 00 08 00 39 39 39 30 35 30 31");
	bench_stop(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usb_packets_are_those_of_the_sheet),
		cmocka_unit_test(usb_refuses_wrong_packets),
		cmocka_unit_test(uart_frames_are_those_of_the_sheet),
		cmocka_unit_test(uart_refuses_wrong_frames),
		cmocka_unit_test(slew_file_has_four_blobs),
		cmocka_unit_test(column_file_has_one_blob),
		cmocka_unit_test(wrong_identity_is_the_next_serial),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
