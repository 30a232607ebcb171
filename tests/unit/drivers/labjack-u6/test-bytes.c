/* SPDX-License-Identifier: Apache-2.0 */
/* Commands, checksums, constants, volts and setups against printed bytes and the published formula. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "labjack-u6/calibration.h"
#include "labjack-u6/setup.h"
#include "unit.h"

extern const struct assay_driver *const assay_driver;

static void expect_bytes(const struct packet *p, const char *hex)
{
	uint8_t expected[64];
	size_t len = host_hex(hex, expected, sizeof expected);
	assert_int_equal(p->len, len);
	assert_memory_equal(p->bytes, expected, len);
}

static void commands_have_the_printed_bytes(void **state)
{
	struct packet p;
	(void)state;
	packet_read_identity(&p);
	expect_bytes(&p,
		"0B F8 0A 08 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00");
	for (unsigned i = 0; i < 10; i++) {
		char hex[32];
		snprintf(hex, sizeof hex, "%02X F8 01 2D %02X 00 00 %02X", 0x27 + i, i, i);
		packet_read_memory(&p, i);
		expect_bytes(&p, hex);
	}
	packet_read_analog(&p, 0, 8, 0); /* AIN0 at +-10 V, resolution 8 */
	expect_bytes(&p, "06 F8 03 00 0A 00 00 02 00 08 00 00");
	packet_start_stream(&p);
	expect_bytes(&p, "A8 A8");
	packet_stop_stream(&p);
	expect_bytes(&p, "B0 B0");
}

/* A frame of a U3 that LabJack has published; it has the same checksums. */
static void each_flipped_bit_shows(void **state)
{
	uint8_t bytes[10];
	(void)state;
	host_hex("1B F8 02 00 20 00 00 01 00 1F", bytes, sizeof bytes);
	assert_true(packet_is_whole(bytes, sizeof bytes));
	assert_false(packet_is_whole(bytes, sizeof bytes - 1));
	for (unsigned bit = 0; bit < 8 * sizeof bytes; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_false(packet_is_whole(bytes, sizeof bytes));
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

static void a_sum_beyond_a_byte_is_folded_twice(void **state)
{
	const uint8_t bytes[] = {0, 0xff, 0xff, 0xff, 0xff, 0xff}; /* 0x4fb: fb + 4 = ff */
	const uint8_t carry[] = {0, 0xff, 0xff, 0x01};             /* 0x1ff: ff + 1 = 100: 00 + 1 */
	(void)state;
	assert_int_equal(packet_checksum8(bytes, sizeof bytes), 0xff);
	assert_int_equal(packet_checksum8(carry, sizeof carry), 0x01);
}

static void fixed_point_numbers_have_a_signed_whole_part(void **state)
{
	static const struct {
		const char *hex;
		double value;
	} rows[] = {
		{"00 00 00 00 01 00 00 00", 1},
		{"00 00 00 80 00 00 00 00", 0.5},
		{"00 00 00 80 FF FF FF FF", -0.5},
		{"01 00 00 00 00 00 00 00", 1 / 4294967296.0},
		{"FF FF FF FF FF FF FF FF", -1 / 4294967296.0},
		{"00 00 00 00 F3 82 00 00", 33523},
		{"00 00 00 00 00 00 00 80", -2147483648.0},
		{"57 B2 14 00 00 00 00 00", 1356375 / 4294967296.0}, /* 3.1580578e-4 */
		{"A8 4D EB FF FF FF FF FF", -1356376 / 4294967296.0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t bytes[8];
		host_hex(rows[i].hex, bytes, sizeof bytes);
		assert_true(calibration_number(bytes) == rows[i].value);
	}
	assert_true(fabs(1356375 / 4294967296.0 - 3.1580578e-4) < 3e-10);
}

static void a_reply_to_another_command_is_rejected(void **state)
{
	uint8_t reply[40] = {0, 0xf8, 0x11, 0x2d};
	struct packet p;
	unsigned error;
	(void)state;
	packet_read_memory(&p, 3);
	unit_close(reply, sizeof reply);
	assert_true(packet_fits(&p, reply, &error));
	reply[3] = 0x2e;
	unit_close(reply, sizeof reply);
	assert_false(packet_fits(&p, reply, &error));
}

static void the_printed_reply_is_half_a_volt(void **state)
{
	const struct calibration_line nominal = {3.1580578e-4, -3.158058e-4, 33523};
	uint8_t reply[12];
	struct packet p;
	unsigned error = 1;
	(void)state;
	host_hex("E7 F8 03 00 EB 00 00 00 00 40 22 89", reply, sizeof reply);
	packet_read_analog(&p, 0, 8, 0);
	assert_int_equal(p.reply, sizeof reply);
	assert_true(packet_fits(&p, reply, &error));
	assert_int_equal(error, 0);
	assert_int_equal(packet_u32(reply + 8) >> 8, 8987200);
	assert_true(fabs(calibration_volts(&nominal, 8987200 / 256.0) - 0.5) < 5e-5);
}

static void volts_have_a_slope_on_each_side_of_the_centre(void **state)
{
	struct host *h = host_create(assay_driver, ASSAY_LINK_USB);
	struct calibration calibration;
	struct unit u;
	uint8_t replies[400];
	(void)state;
	unit_init(&u, h);
	unit_memory(&u, replies);
	assert_true(calibration_read(replies, sizeof replies, &calibration));
	for (unsigned gain = 0; gain < 4; gain++) {
		for (unsigned raw = 0; raw <= 65535; raw += 51) {
			double volts = calibration_volts(&calibration.lines[gain], raw);
			assert_true(fabs(volts - unit_volts(&u, gain, raw)) < 1e-12);
			assert_true(fabs(volts) < 10.9 / pow(10, gain));
		}
	}
	host_destroy(h);
}

static void constants_that_cannot_be_right_are_rejected(void **state)
{
	static const unsigned used[] = {0, 2, 4, 6, 8, 9, 10, 11, 12, 13, 14, 15};
	struct host *h = host_create(assay_driver, ASSAY_LINK_USB);
	struct calibration calibration;
	uint8_t replies[400];
	(void)state;
	for (size_t i = 0; i < sizeof used / sizeof *used; i++) {
		struct unit u;
		unit_init(&u, h);
		unit_set_constant(&u, used[i], unit_constant(&u, used[i]) * 0.85);
		unit_memory(&u, replies);
		assert_false(calibration_read(replies, sizeof replies, &calibration));
	}
	host_destroy(h);
}

/* --- setup ------------------------------------------------------------------------------------ */

static struct host *with_inputs(unsigned inputs, const char *rate)
{
	struct host *h = host_create(assay_driver, ASSAY_LINK_USB);
	for (unsigned i = 0; i < inputs; i++) {
		char channel[8];
		snprintf(channel, sizeof channel, "%u", i % 14);
		host_settings_set(host_add_row(h, "inputs"), "channel", channel);
	}
	host_set(h, "rate", rate);
	return h;
}

static void a_stream_of_1_khz_has_the_printed_setup(void **state)
{
	struct host *h = with_inputs(1, "1000");
	struct setup_sizes sizes;
	struct setup setup;
	struct packet p;
	(void)state;
	host_set(h, "resolution_index", "1");
	host_set(h, "duration", "1.1"); /* times 1000 is a little above 1100 */
	assert_true(setup_make(h->ins.settings, &setup, &sizes));
	setup_write(&setup, &p);
	expect_bytes(&p, "D9 F8 05 11 CA 00 01 01 19 00 00 00 A0 0F 00 00");
	assert_int_equal(setup_packet(&setup), 64);
	assert_int_equal(sizes.packets, 40);
	assert_int_equal(sizes.scans, 1100);
	host_destroy(h);
}

/* With right checksums, but no driver sends it. */
static void a_setup_that_cannot_be_is_rejected(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} rows[] = {{6, 0}, {6, 3}, {8, 0}, {8, 23}, {8, 26}, {11, 1}, {3, 0x10}, {13, 0}};
	uint8_t bytes[18] = {0, 0xf8, 6, 0x11, 0, 0, 2, 0, 24, 0, 0, 0, 0, 0x0f, 0, 0, 4, 0x20};
	struct setup setup;
	(void)state;
	unit_close(bytes, sizeof bytes);
	assert_true(setup_read(bytes, sizeof bytes, &setup));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t kept = bytes[rows[i].at];
		bytes[rows[i].at] = rows[i].value;
		unit_close(bytes, sizeof bytes);
		assert_false(setup_read(bytes, sizeof bytes, &setup));
		bytes[rows[i].at] = kept;
	}
}

static void options_of_inputs_are_in_their_bits(void **state)
{
	static const char *const ranges[] = {"10", "1", "0.1", "0.01"};
	struct host *h = host_create(assay_driver, ASSAY_LINK_USB);
	struct setup_sizes sizes;
	struct setup setup;
	struct packet p;
	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct host_settings *row = host_add_row(h, "inputs");
		host_settings_set(row, "channel", i == 3 ? "12" : "2");
		host_settings_set(row, "name", ranges[i]);
		host_settings_set(row, "range", ranges[i]);
		host_settings_set(row, "differential", i % 2 == 0 ? "false" : "true");
	}
	host_set(h, "settling", "1230");
	host_set(h, "resolution_index", "7");
	assert_true(setup_make(h->ins.settings, &setup, &sizes));
	setup_write(&setup, &p);
	assert_int_equal(p.bytes[7], 7);
	assert_int_equal(p.bytes[10], 123);
	assert_memory_equal(
		p.bytes + 14, ((const uint8_t[]){2, 0x00, 2, 0x90, 2, 0x20, 12, 0xb0}), 8);
	host_destroy(h);
}

static void clocks_are_chosen_for_the_rate(void **state)
{
	static const struct {
		const char *rate;
		unsigned bits, interval;
	} rows[] = {{"50000", 0, 80}, {"1000", 0, 4000}, {"100", 0, 40000}, {"50", 10, 3750},
		{"25", 2, 625}, {"20", 10, 9375}, {"1", 2, 15625}, {"16000", 0, 250},
		{"32000", 0, 125}, {"15000", 8, 3200}};
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct host *h = with_inputs(1, rows[i].rate);
		struct setup_sizes sizes;
		struct setup setup;
		assert_true(setup_make(h->ins.settings, &setup, &sizes));
		assert_int_equal(setup.clock, rows[i].bits);
		assert_int_equal(setup.interval, rows[i].interval);
		host_destroy(h);
	}
}

/* The longest frame has room. */
static void expect_room(struct host *h, unsigned inputs, double rate)
{
	struct setup_sizes sizes;
	struct setup setup;
	double slice = 0.98 * FRAME_SAMPLES_MAX / rate / inputs;
	char text[32];
	snprintf(text, sizeof text, "%.9g", slice < 3600 ? slice : 3600);
	host_set(h, "slice", text);
	host_check(h);
	assert_string_equal(h->found, "");
	assert_true(setup_make(h->ins.settings, &setup, &sizes));
	assert_true(64 + 400 + 9 + sizes.packets * setup_packet(&setup) <= h->driver->raw_max);
}

/* Over the whole range of rates, with each number of inputs. */
static void every_rate_is_met_and_every_packet_has_whole_scans(void **state)
{
	(void)state;
	for (unsigned inputs = 1; inputs <= 14; inputs++) {
		for (double rate = 0.25; rate * inputs <= 50000; rate *= 1.37) {
			struct setup_sizes sizes;
			struct setup setup, again;
			struct packet p;
			char text[32];
			snprintf(text, sizeof text, "%.9g", rate);
			struct host *h = with_inputs(inputs, text);
			assert_true(setup_make(h->ins.settings, &setup, &sizes));
			assert_true(fabs(setup_rate(&setup) / rate - 1) < 1e-3);
			assert_in_range(setup.scans * inputs, 1, 25);
			assert_true(
				setup.scans == 1 || (double)setup.scans / rate <= 0.15 + 1 / rate);
			setup_write(&setup, &p);
			assert_int_equal(p.bytes[8], setup.scans * inputs);
			assert_true(setup_read(p.bytes, p.len, &again));
			assert_memory_equal(&setup, &again, sizeof setup);
			host_check(h);
			assert_string_equal(h->found, "");
			expect_room(h, inputs, rate);
			host_destroy(h);
		}
	}
}

static void settings_that_contradict_each_other_are_found(void **state)
{
	struct setup_sizes sizes;
	struct setup setup;
	(void)state;
	struct host *h = with_inputs(2, "25100");
	host_check(h);
	assert_non_null(strstr(h->found, "rate"));
	assert_false(setup_make(h->ins.settings, &setup, &sizes));
	host_destroy(h);
	h = with_inputs(1, "50000");
	host_set(h, "slice", "11");
	host_check(h);
	assert_non_null(strstr(h->found, "slice"));
	assert_false(setup_make(h->ins.settings, &setup, &sizes));
	host_destroy(h);
	h = with_inputs(1, "50");
	struct host_settings *row = host_add_row(h, "inputs");
	host_settings_set(row, "channel", "1");
	host_settings_set(row, "differential", "true");
	host_settings_set(row, "range", "5");
	host_check(h);
	assert_non_null(strstr(h->found, "inputs[1].range"));
	assert_non_null(strstr(h->found, "inputs[1].channel"));
	assert_false(setup_make(h->ins.settings, &setup, &sizes));
	host_settings_set(row, "range", "1");
	assert_false(setup_make(h->ins.settings, &setup, &sizes));
	host_settings_set(row, "channel", "0");
	assert_false(setup_make(h->ins.settings, &setup, &sizes));
	host_check(h);
	assert_non_null(strstr(h->found, "inputs[1].name"));
	host_settings_set(row, "name", "tcd");
	assert_true(setup_make(h->ins.settings, &setup, &sizes));
	host_check(h);
	assert_string_equal(h->found, "");
	host_destroy(h);
	h = with_inputs(15, "50");
	host_check(h);
	assert_non_null(strstr(h->found, "inputs"));
	assert_false(setup_make(h->ins.settings, &setup, &sizes));
	host_destroy(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commands_have_the_printed_bytes),
		cmocka_unit_test(each_flipped_bit_shows),
		cmocka_unit_test(a_sum_beyond_a_byte_is_folded_twice),
		cmocka_unit_test(fixed_point_numbers_have_a_signed_whole_part),
		cmocka_unit_test(a_reply_to_another_command_is_rejected),
		cmocka_unit_test(the_printed_reply_is_half_a_volt),
		cmocka_unit_test(volts_have_a_slope_on_each_side_of_the_centre),
		cmocka_unit_test(constants_that_cannot_be_right_are_rejected),
		cmocka_unit_test(a_stream_of_1_khz_has_the_printed_setup),
		cmocka_unit_test(a_setup_that_cannot_be_is_rejected),
		cmocka_unit_test(options_of_inputs_are_in_their_bits),
		cmocka_unit_test(clocks_are_chosen_for_the_rate),
		cmocka_unit_test(every_rate_is_met_and_every_packet_has_whole_scans),
		cmocka_unit_test(settings_that_contradict_each_other_are_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
