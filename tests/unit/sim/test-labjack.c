/* SPDX-License-Identifier: Apache-2.0 */
/* The frames of the sheets, the converter by formulas of its own, the stream with its gaps. */
#include <math.h>

#include "bench.h"
#include "labjack/labjack.h"

#define PACKET 64
#define SCANS  25 /* of one input in a packet */

#define QUIET "noise", "0", "adc-noise", "0", "nominal", "", "drift", "0"
#define start(b, ...)                                 \
	bench_start(b, &labjack_model, SIM_USB, NULL, \
		(const char *const[]){"length", "10", __VA_ARGS__, NULL})

#define CONFIG       "0B F8 0A 08 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
#define AIN0         "06 F8 03 00 0A 00 00 02 00 08 00 00"
#define LINE0        "05 F8 02 00 0A 00 00 0A 00 00"
#define STREAM_1     "D9 F8 05 11 CA 00 01 01 19 00 00 00 A0 0F 00 00"
#define STREAM_DONE  "0B F8 01 11 00 00 00 00"
#define STARTED      "A9 A9 00 00"
#define STOPPED      "B1 B1 00 00"
#define STREAM_START "A8 A8"
#define STREAM_STOP  "B0 B0"

/* A frame with the sums as the sheet words them: bytes 1 to 5 summed, the carry added twice. */
static size_t seal(uint8_t *frame, size_t len)
{
	unsigned data = 0, head = 0;
	for (size_t i = 6; i < len; i++)
		data += frame[i];
	frame[2] = (uint8_t)((len - 6) / 2);
	frame[4] = data & 255;
	frame[5] = data >> 8 & 255;
	for (int i = 1; i < 6; i++)
		head += frame[i];
	head = head / 256 + head % 256;
	frame[0] = (uint8_t)(head / 256 + head % 256);
	return len;
}

static void expect_sums(const uint8_t *frame, size_t len)
{
	uint8_t copy[PACKET];
	memcpy(copy, frame, len);
	seal(copy, len);
	assert_memory_equal(copy, frame, len);
}

/* Sends command `number` with this data; its reply has the right form. */
static const uint8_t *ask(struct bench *b, uint8_t number, const char *hex)
{
	uint8_t frame[PACKET] = {[1] = 0xF8};
	size_t len = 6 + from_hex(hex, frame + 6, sizeof frame - 6);
	frame[3] = number;
	send_bytes(b, frame, seal(frame, len + len % 2));
	wait_until(b, b->now + S);
	assert_true(b->len >= 8);
	assert_int_equal(b->sent[3], number);
	expect_sums(b->sent, b->len);
	return b->sent;
}

static double fixed_at(const uint8_t *at)
{
	uint32_t fraction = 0, integer = 0;
	for (int i = 0; i < 4; i++) {
		fraction |= (uint32_t)at[i] << 8 * i;
		integer |= (uint32_t)at[4 + i] << 8 * i;
	}
	return fraction / 4294967296.0 + (int32_t)integer;
}

static void read_constants(struct bench *b, double c[40])
{
	for (int block = 0; block < 10; block++) {
		char hex[8];
		snprintf(hex, sizeof hex, "00 %02X", block);
		const uint8_t *reply = ask(b, 0x2D, hex);
		assert_int_equal(b->len, 40);
		assert_int_equal(reply[6], 0);
		for (int i = 0; i < 4; i++)
			c[4 * block + i] = fixed_at(reply + 8 + 8 * i);
	}
}

static double volts_of(const double c[40], double v, int gain, bool is_high)
{
	int i = 2 * gain + (is_high ? 24 : 0);
	return v < c[i + 9] ? (c[i + 9] - v) * c[i + 8] : (v - c[i + 9]) * c[i];
}

static uint32_t u24(const uint8_t *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16;
}

/* --- commands --------------------------------------------------------------------------------- */

static void identity_is_that_of_the_unit(void **state)
{
	struct bench b;
	start(&b, "serial", "9990817", "firmware", "1.43");
	send_hex(&b, CONFIG);
	assert_int_equal(b.len, 38);
	expect_sums(b.sent, b.len);
	assert_memory_equal(b.sent + 1, ((uint8_t[]){0xF8, 0x10, 0x08}), 3);
	assert_int_equal(b.sent[6], 0);
	assert_int_equal(b.sent[9], 43);
	assert_int_equal(b.sent[10], 1);
	assert_memory_equal(b.sent + 15, ((uint8_t[]){0xA1, 0x72, 0x98, 0x00, 6, 0}), 6);
	assert_int_equal(b.sent[37] & 0x0C, 0x0C);
	b.faults.strength[FAULT_WRONG_IDENTITY] = 1;
	send_hex(&b, CONFIG);
	assert_int_equal(b.sent[15], 0xA2);
	bench_stop(&b);
	start(&b, "model", "u6");
	send_hex(&b, CONFIG);
	assert_int_equal(b.sent[37] & 0x0C, 0x04);
	const char *writes = "01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00";
	assert_int_not_equal(ask(&b, 0x08, writes)[6], 0);
	bench_stop(&b);
}

static void constants_are_as_printed(void **state)
{
	struct bench b;
	double c[40];
	start(&b, "nominal", "");
	send_hex(&b, "30 F8 01 2D 09 00 00 09");
	assert_int_equal(b.len, 40);
	assert_memory_equal(b.sent + 1, ((uint8_t[]){0xF8, 0x11, 0x2D}), 3);
	read_constants(&b, c);
	for (int high = 0; high < 2; high++) {
		for (int gain = 0; gain < 4; gain++) {
			int i = 24 * high + 2 * gain;
			double scale = pow(10, -gain);
			assert_float_equal(c[i], 3.1580578e-4 * scale, 2e-10);
			assert_float_equal(c[i + 8], -3.158058e-4 * scale, 2e-10);
			assert_float_equal(c[i + 9], 33523, 1e-9);
		}
	}
	assert_int_not_equal(ask(&b, 0x2D, "00 0A")[6], 0);
	bench_stop(&b);
}

/* Units differ, and each reads the same voltage by its own constants. */
static void readings_follow_the_units_own_constants(void **state)
{
	static const char *const serials[] = {"9990800", "9990801"};
	double first = 0;
	for (int unit = 0; unit < 2; unit++) {
		struct bench b;
		double c[40];
		start(&b, "serial", serials[unit], "noise", "0", "adc-noise", "0", "drift", "0",
			"height", "0", "baseline", "-0.0075");
		read_constants(&b, c);
		assert_float_not_equal(c[0], first, 1e-9);
		first = c[0];
		for (int gain = 0; gain < 4; gain++) {
			for (int resolution = 1; resolution <= 12; resolution++) {
				char hex[40];
				snprintf(hex, sizeof hex, "00 02 00 %02X 00",
					gain << 4 | resolution);
				const uint8_t *reply = ask(&b, 0x00, hex);
				double step = 20 * pow(10, -gain) /
					      pow(2, resolution > 8 ? 20 : 16);
				assert_float_equal(
					volts_of(c, u24(reply + 9) / 256.0, gain, resolution > 8),
					-0.0075, step);
			}
		}
		bench_stop(&b);
	}
}

static void the_printed_reading_comes_out(void **state)
{
	struct bench b;
	start(&b, QUIET, "height", "0", "baseline", "0.5");
	send_hex(&b, AIN0);
	assert_int_equal(b.len, 0); /* it converts */
	wait_until(&b, b.now + 100 * MS);
	expect_hex(&b, "E7 F8 03 00 EB 00 00 00 00 40 22 89");
	bench_stop(&b);
}

static void auto_range_reports_its_gain(void **state)
{
	static const struct {
		const char *volts;
		uint8_t gain;
	} cases[] = {{"5", 0}, {"0.5", 1}, {"-0.05", 2}, {"0.005", 3}};
	for (size_t i = 0; i < 4; i++) {
		struct bench b;
		start(&b, QUIET, "height", "0", "baseline", cases[i].volts);
		const uint8_t *reply = ask(&b, 0x00, "2A 03 00 F9 00");
		assert_int_equal(b.len, 14);
		assert_int_equal(reply[8], 0x2A);
		assert_int_equal(reply[12], 9 | cases[i].gain << 4);
		bench_stop(&b);
	}
}

static void the_contact_starts_the_peaks(void **state)
{
	struct bench b;
	start(&b, QUIET, "first", "5", "closed", "0.5", "baseline", "0.1", "nominal", "");
	send_hex(&b, LINE0);
	assert_int_equal(b.sent[9], 1);
	wait_until(&b, 5 * S + 100 * MS);
	send_hex(&b, LINE0);
	assert_int_equal(b.sent[9], 0);
	wait_until(&b, 6 * S);
	send_hex(&b, LINE0);
	assert_int_equal(b.sent[9], 1);
	double most = 0, at = 0;
	while (b.now <
		9 * S) { /* the largest peak is at a fifth of 10 s, with its tail a little later */
		send_hex(&b, AIN0);
		wait_until(&b, b.now + 10 * MS);
		double volts = (u24(b.sent + 9) / 256.0 - 33523) * 3.1580578e-4;
		at = volts > most ? (double)b.now / 1e9 : at;
		most = volts > most ? volts : most;
	}
	assert_float_equal(at, 7.028, 0.011);
	assert_float_equal(most, 0.1 + 0.8 * 0.784, 0.003); /* a Gaussian convolved with its tail */
	bench_stop(&b);
}

static void wrong_frames_get_b8(void **state)
{
	static const char *const frames[] = {"07 F8 03 00 0A 00 00 02 00 08 00 00",
		"06 F8 03 00 0A 00 00 02 00 08 01 00", "06 F8 03 00 0A 00 00 02 00 08 00",
		"06 F8 02 00 0A 00 00 02 00 08 00 00", "A8", "A7 A8", "B0 B0 00", "00",
		"24 F8 00 2C 00 00" /* no such command */};
	struct bench b;
	start(&b, "noise", "0");
	for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
		send_hex(&b, frames[i]);
		expect_hex(&b, "B8 B8");
	}
	bench_stop(&b);
}

static void wrong_parts_of_a_feedback_are_named(void **state)
{
	static const struct {
		const char *hex;
		uint8_t frame;
	} cases[] = {
		{"00 02 0E 08 00", 1},             /* no such input */
		{"00 02 01 08 80", 1},             /* a pair starts with an even one */
		{"00 02 00 48 00", 1},             /* no such gain */
		{"00 02 00 F8 00", 1},             /* this command cannot choose it */
		{"00 02 00 0D 00", 1},             /* no such resolution */
		{"00 0A 00 0A 14", 2},             /* no such line */
		{"00 0A 00 02 00 08 00 63 00", 3}, /* no such part */
		{"00 0A 00 02 00", 2},             /* cut */
	};
	struct bench b;
	start(&b, "noise", "0");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const uint8_t *reply = ask(&b, 0x00, cases[i].hex);
		assert_int_not_equal(reply[6], 0);
		assert_int_equal(reply[7], cases[i].frame);
	}
	bench_stop(&b);
	start(&b, "model", "u6");
	assert_int_not_equal(ask(&b, 0x00, "00 02 00 09 00")[6], 0); /* of the U6-Pro only */
	bench_stop(&b);
}

/* --- the stream ------------------------------------------------------------------------------- */

static const uint8_t *packet(const struct bench *b, size_t i)
{
	assert_true((i + 1) * PACKET <= b->streamed_len);
	return b->streamed + i * PACKET;
}

static void the_stream_has_each_scan_at_its_time(void **state)
{
	struct bench b;
	start(&b, QUIET, "height", "0", "baseline", "0.5");
	send_hex(&b, STREAM_1);
	expect_hex(&b, STREAM_DONE);
	send_hex(&b, STREAM_START);
	expect_hex(&b, STARTED);
	wait_until(&b, b.now + 7 * S - 1);
	send_hex(&b, STREAM_STOP);
	expect_hex(&b, STOPPED);
	assert_int_equal(b.streamed_len, 7000 / SCANS * PACKET);
	for (size_t i = 0; i < 7000 / SCANS; i++) {
		const uint8_t *p = packet(&b, i);
		expect_sums(p, PACKET);
		assert_memory_equal(p + 1, ((uint8_t[]){0xF9, 29, 0xC0}), 3);
		assert_int_equal(p[10], i % 256);
		assert_int_equal(p[6] | p[7] | p[11] | p[62] | p[63], 0);
		for (int k = 0; k < SCANS; k++)
			assert_int_equal(p[12 + 2 * k] | p[13 + 2 * k] << 8, 0x8922);
	}
	wait_until(&b, b.now + S);
	assert_int_equal(b.streamed_len, 7000 / SCANS * PACKET);
	bench_stop(&b);
}

static void wrong_streams_are_refused(void **state)
{
	static const char *const wrong[] = {
		"00 01 19 00 00 00 A0 0F",             /* no input */
		"01 01 19 00 00 00 A0 0F",             /* the input lacks */
		"01 01 00 00 00 00 A0 0F 00 00",       /* no sample */
		"01 01 1A 00 00 00 A0 0F 00 00",       /* more than 25 */
		"01 01 19 00 00 00 00 00 00 00",       /* no time */
		"01 01 19 00 00 00 4F 00 00 00",       /* 50,632 samples per second */
		"02 01 19 00 00 00 9F 00 00 00 01 00", /* with two inputs */
		"01 09 19 00 00 00 A0 0F 00 00",       /* resolution 9 */
		"01 01 19 00 00 00 A0 0F 00 40",       /* gain 4 */
		"01 01 19 00 00 00 A0 0F 0E 00",       /* input 14 */
	};
	struct bench b;
	start(&b, "noise", "0");
	send_hex(&b, STREAM_START); /* of what? */
	assert_int_not_equal(b.sent[2], 0);
	send_hex(&b, STREAM_STOP);
	assert_int_not_equal(b.sent[2], 0);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_int_not_equal(ask(&b, 0x11, wrong[i])[6], 0);
	assert_int_equal(ask(&b, 0x11, "01 01 19 00 00 00 50 00 00 00")[6], 0); /* 50,000 */
	assert_int_equal(
		ask(&b, 0x11, "01 01 19 00 00 0A 60 EA 00 00")[6], 0); /* 187,500 / 60,000 Hz */
	send_hex(&b, STREAM_START);
	expect_hex(&b, STARTED);
	send_hex(&b, STREAM_START); /* twice */
	assert_int_equal(b.len, 4);
	assert_int_equal(b.sent[1], 0xA9);
	assert_int_not_equal(b.sent[2], 0);
	send_hex(&b, STREAM_1); /* of one that runs */
	assert_int_not_equal(b.sent[6], 0);
	assert_int_not_equal(ask(&b, 0x00, "00 02 00 08 00")[6], 0);
	assert_int_equal(ask(&b, 0x00, "00 0A 00")[6], 0); /* lines can be read */
	send_hex(&b, STREAM_STOP);
	expect_hex(&b, STOPPED);
	send_hex(&b, STREAM_STOP);
	assert_int_not_equal(b.sent[2], 0);
	bench_stop(&b);
}

static unsigned sample(const struct bench *b, size_t i, size_t per_packet)
{
	const uint8_t *p = b->streamed + i / per_packet * (14 + 2 * per_packet);
	return p[12 + 2 * (i % per_packet)] | (unsigned)p[13 + 2 * (i % per_packet)] << 8;
}

/*
 * A host that takes nothing for a while: the buffer's scans, then a gap, whose length the first packet
 * after it has, and the inputs stay in order.  `per_packet` need not be a multiple of the inputs.
 */
static void check_recovery(size_t inputs, size_t per_packet)
{
	struct bench b;
	uint8_t frame[PACKET] = {[1] = 0xF8, [3] = 0x11};
	size_t size = 14 + 2 * per_packet;
	start(&b, QUIET, "height", "0", "baseline", "1");
	frame[6] = (uint8_t)inputs;
	frame[7] = 1;
	frame[8] = (uint8_t)per_packet;
	frame[12] = 4000 & 255;
	frame[13] = 4000 >> 8;
	for (size_t i = 0; i < inputs; i++)
		frame[14 + 2 * i] = (uint8_t)i; /* only the first one is not 0 V */
	send_bytes(&b, frame, seal(frame, 14 + 2 * inputs));
	assert_int_equal(b.sent[6], 0);
	send_hex(&b, STREAM_START);
	wait_until(&b, b.now + 100 * MS);
	size_t before = b.streamed_len / size;
	b.takes_no_stream = true;
	wait_until(&b, b.now + 2 * S);
	assert_int_equal(b.streamed_len, before * size);
	b.takes_no_stream = false;
	wait_until(&b, b.now + 100 * MS);

	size_t packets = b.streamed_len / size, recovering = 0, reports = 0, dropped = 0, most = 0;
	for (size_t i = 0; i < packets; i++) {
		const uint8_t *p = b.streamed + i * size;
		assert_int_equal(p[10], i % 256);
		expect_sums(p, size);
		recovering += p[11] == 59;
		most = p[size - 2] > most ? p[size - 2] : most;
		if (p[11] != 60)
			continue;
		reports++;
		dropped = p[6] | (size_t)p[7] << 8;
	}
	assert_int_equal(reports, 1);
	assert_in_range(recovering, (984 - inputs * per_packet) / per_packet, 984 / per_packet);
	assert_in_range(most, 200, 255);
	for (size_t i = 0; i < packets * per_packet; i++)
		assert_int_equal(sample(&b, i, per_packet) > 0x8400, i % inputs == 0);
	size_t scans = packets * per_packet / inputs + dropped;
	assert_in_range(scans, 2201 - 25, 2201); /* of 2.2 s; a part of a packet waits */
	bench_stop(&b);
}

static void a_full_buffer_leaves_a_gap_of_known_length(void **state)
{
	check_recovery(1, 25);
	check_recovery(2, 25);
	check_recovery(3, 7);
	check_recovery(2, 1);
}

static void stall_is_a_host_that_takes_nothing(void **state)
{
	struct bench b;
	start(&b, "noise", "0");
	send_hex(&b, STREAM_1);
	send_hex(&b, STREAM_START);
	b.faults.strength[FAULT_STALL] = 1;
	wait_until(&b, b.now + 2 * S);
	assert_int_equal(b.streamed_len, 0);
	assert_true(sim_model_next_wakeup(b.model, b.now) > b.now);
	b.faults.strength[FAULT_STALL] = 0;
	wait_until(&b, b.now + 100 * MS);
	assert_int_equal(packet(&b, 0)[11], 59);
	assert_int_equal(packet(&b, 39)[11], 60);
	bench_stop(&b);
}

/* The stream belongs to the unit: it goes on without a host, and ends without power. */
static void a_stream_ends_with_the_supply(void **state)
{
	struct bench b;
	start(&b, "noise", "0");
	send_hex(&b, STREAM_1);
	send_hex(&b, STREAM_START);
	wait_until(&b, b.now + S);
	sim_model_link_reset(b.model, b.now);
	size_t len = b.streamed_len;
	wait_until(&b, b.now + S);
	assert_int_equal(b.streamed_len, len);
	send_hex(&b, STREAM_START);
	assert_int_not_equal(b.sent[2], 0); /* nor is it configured */
	bench_stop(&b);
}

static void old_firmware_leaves_bytes(void **state)
{
	struct bench b;
	start(&b, "firmware", "0.93");
	send_hex(&b, STREAM_1);
	send_hex(&b, STREAM_START);
	wait_until(&b, b.now + 10 * MS);
	assert_int_equal(b.streamed_len, 0);
	send_hex(&b, STREAM_STOP);
	expect_hex(&b, STOPPED);
	assert_int_equal(b.streamed_len, PACKET);
	bench_stop(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identity_is_that_of_the_unit),
		cmocka_unit_test(constants_are_as_printed),
		cmocka_unit_test(readings_follow_the_units_own_constants),
		cmocka_unit_test(the_printed_reading_comes_out),
		cmocka_unit_test(auto_range_reports_its_gain),
		cmocka_unit_test(the_contact_starts_the_peaks),
		cmocka_unit_test(wrong_frames_get_b8),
		cmocka_unit_test(wrong_parts_of_a_feedback_are_named),
		cmocka_unit_test(the_stream_has_each_scan_at_its_time),
		cmocka_unit_test(wrong_streams_are_refused),
		cmocka_unit_test(a_full_buffer_leaves_a_gap_of_known_length),
		cmocka_unit_test(stall_is_a_host_that_takes_nothing),
		cmocka_unit_test(a_stream_ends_with_the_supply),
		cmocka_unit_test(old_firmware_leaves_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
