/* SPDX-License-Identifier: Apache-2.0 */
/* Packets, status block and text configuration, byte by byte, with the sheet's worked examples. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"

#include "amptek-dp5/command.h"
#include "amptek-dp5/packet.h"
#include "amptek-dp5/status.h"

static void worked_requests_are_built_byte_by_byte(void **state)
{
	static const struct {
		unsigned request;
		const char *data, *hex;
	} worked[] = {
		{REQUEST_STATUS, "", "F5 FA 01 01 00 00 FE 0F"},
		{REQUEST_SPECTRUM, "", "F5 FA 02 03 00 00 FE 0C"},
		{REQUEST_SPECTRUM_AND_CLEAR, "", "F5 FA 02 04 00 00 FE 0B"},
		{REQUEST_CLEAR, "", "F5 FA F0 01 00 00 FD 20"},
		{REQUEST_ENABLE, "", "F5 FA F0 02 00 00 FD 1F"},
		{REQUEST_DISABLE, "", "F5 FA F0 03 00 00 FD 1E"},
		{REQUEST_CONFIGURE_SAVED, "PRET=100;",
			"F5 FA 20 02 00 09 50 52 45 54 3D 31 30 30 3B FB A2"},
		{REQUEST_CONFIGURE, "PRET=100;",
			"F5 FA 20 04 00 09 50 52 45 54 3D 31 30 30 3B FB A0"},
		{REQUEST_READBACK, "MCAC=;TPEA=;",
			"F5 FA 20 03 00 0C 4D 43 41 43 3D 3B 54 50 45 41 3D 3B FA B4"},
		/* Not sent by the driver: the rest of the sheet's packets. */
		{0x0201, "", "F5 FA 02 01 00 00 FE 0E"},
		{0x0202, "", "F5 FA 02 02 00 00 FE 0D"},
		{0x0302, "", "F5 FA 03 02 00 00 FE 0C"},
		{0x0304, "", "F5 FA 03 04 00 00 FE 0A"},
		{0x0305, "", "F5 FA 03 05 00 00 FE 09"},
		{0x0307, "", "F5 FA 03 07 00 00 FE 07"},
		{0x0401, "", "F5 FA 04 01 00 00 FE 0C"},
		{0xf020, "", "F5 FA F0 20 00 00 FD 01"},
		{0xf021, "", "F5 FA F0 21 00 00 FD 00"},
		{0xf022, "", "F5 FA F0 22 00 00 FC FF"},
		{0xf100, "", "F5 FA F1 00 00 00 FD 20"},
		{0xf17f, "\1\2\3", "F5 FA F1 7F 00 03 01 02 03 FC 98"},
	};
	for (size_t i = 0; i < sizeof(worked) / sizeof(*worked); i++) {
		uint8_t built[PACKET_REQUEST_MAX], wanted[64];
		size_t len = host_hex(worked[i].hex, wanted, sizeof(wanted));
		assert_int_equal(packet_build(built, worked[i].request, worked[i].data,
					 strlen(worked[i].data)),
			len);
		assert_memory_equal(built, wanted, len);
	}
}

static void worked_replies_are_understood(void **state)
{
	uint8_t bytes[64];
	struct packet p;
	size_t len = host_hex("F5 FA FF 00 00 00 FD 12", bytes, sizeof(bytes));
	assert_int_equal(packet_parse(bytes, len, &p), 0);
	assert_true(p.pid1 == REPLY_ACK && p.pid2 == ACK_OK && p.len == 0);
	len = host_hex("F5 FA FF 04 00 00 FD 0E", bytes, sizeof(bytes));
	assert_int_equal(packet_parse(bytes, len, &p), 0);
	assert_int_equal(p.pid2, ACK_CHECKSUM);
	len = host_hex("F5 FA FF 0D 00 00 FD 05", bytes, sizeof(bytes));
	assert_int_equal(packet_parse(bytes, len, &p), 0);
	assert_int_equal(p.pid2, ACK_BUSY);
	len = host_hex(
		"F5 FA FF 05 00 0A 4D 43 41 43 3D 31 30 30 30 3B FA B6", bytes, sizeof(bytes));
	assert_int_equal(packet_parse(bytes, len, &p), 0);
	assert_int_equal(p.len, 10);
	assert_memory_equal(p.data, "MCAC=1000;", 10);
	len = host_hex("F5 FA 8F 7F 00 03 01 02 03 FC FA", bytes, sizeof(bytes));
	assert_int_equal(packet_parse(bytes, len, &p), 0);
	assert_true(p.pid1 == 0x8f && p.pid2 == 0x7f && p.len == 3);
}

static void every_single_wrong_byte_is_noticed(void **state)
{
	uint8_t bytes[128];
	struct packet p;
	size_t len = host_hex(amptek_px5_packet, bytes, sizeof(bytes));
	for (size_t i = 0; i < len; i++) {
		bytes[i] ^= 0x10;
		assert_int_equal(packet_parse(bytes, len, &p), -EBADMSG);
		bytes[i] ^= 0x10;
	}
	assert_int_equal(packet_parse(bytes, len - 1, &p), -EBADMSG);
	assert_int_equal(packet_parse(bytes, len + 1, &p), -EBADMSG);
	assert_int_equal(packet_parse(bytes, 0, &p), -EBADMSG);
	assert_int_equal(packet_parse(bytes, len, &p), 0);
}

static void a_packets_length_is_known_from_its_header_on(void **state)
{
	static const uint8_t header[] = {0xf5, 0xfa, 0x81, 0x0c, 0x60, 0x40};
	for (size_t have = 0; have < 6; have++)
		assert_int_equal(packet_length(header, have), 0);
	assert_int_equal(packet_length(header, 6), 24648);
	assert_int_equal(packet_length((const uint8_t *)"\xf5\xfb", 2), -EBADMSG);
	assert_int_equal(packet_length((const uint8_t *)"x", 1), -EBADMSG);
	assert_int_equal(packet_length((const uint8_t *)"\xf5\xfa\x80\x01\x7f\xff", 6), 32775);
	assert_int_equal(packet_length((const uint8_t *)"\xf5\xfa\x80\x01\x80\x00", 6), -EBADMSG);
}

static void channels_come_from_the_reply_and_its_length(void **state)
{
	static const struct {
		uint8_t pid2;
		size_t len, channels;
	} sizes[] = {{2, 0x0340, 256}, {4, 0x0640, 512}, {6, 0x0c40, 1024}, {8, 0x1840, 2048},
		{10, 0x3040, 4096}, {12, 0x6040, 8192}, {8, 0x1800, 0}, {7, 0x1800, 0}, {0, 64, 0},
		{14, 0xc040, 0}, {2, 0x0640, 0}};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct packet p = {REPLY_SPECTRUM, sizes[i].pid2, NULL, sizes[i].len};
		assert_int_equal(packet_channels(&p), sizes[i].channels);
	}
}

static void status_of_a_real_px5_is_read(void **state)
{
	uint8_t bytes[128];
	struct packet p;
	struct status s;
	size_t len = host_hex(amptek_px5_packet, bytes, sizeof(bytes));
	assert_int_equal(packet_parse(bytes, len, &p), 0);
	assert_int_equal(p.len, STATUS_BYTES);
	status_parse(p.data, &s);
	assert_int_equal(s.fast_count, 66888311);
	assert_int_equal(s.slow_count, 65028866);
	assert_int_equal(s.accumulation_ms, 9252206);
	assert_int_equal(s.real_ms, 9263658);
	assert_true(s.has_serial && s.serial == 2524);
	assert_true(s.high_voltage == -130 && s.detector_kelvin == 252 && s.board_celsius == 29);
	assert_true(s.configured && !s.enabled && !s.rebooted && !s.high_voltage_fault);
	assert_false(s.real_time_reached || s.counts_reached || s.live_time_reached);
	assert_string_equal(status_device_name(s.device), "PX5");
	char text[64];
	status_firmware_text(&s, text, sizeof(text));
	assert_string_equal(text, "6.08 build 6, FPGA 6.11");
	/* The tests' own instrument sends the same bytes. */
	uint8_t block[64];
	amptek_status_block(&amptek_px5, block);
	assert_memory_equal(block, p.data, 64);
}

static void bits_of_the_status_are_where_the_guide_has_them(void **state)
{
	uint8_t b[64] = {[24] = 0x67,
		[29] = 0x80,
		[30] = 0x01,
		[32] = 0xf9,
		[33] = 0xd8,
		[34] = 0xf6,
		[35] = 0xf2,
		[36] = 0x20,
		[38] = 0x00,
		[39] = DEVICE_MCA8000D};
	struct status s;
	b[16] = 0x10;
	status_parse(b, &s);
	assert_false(s.has_serial);
	assert_true(s.high_voltage == 128);
	assert_true(s.detector_kelvin == 252); /* the upper nibble is not temperature */
	assert_int_equal(s.board_celsius, -10);
	assert_true(s.real_time_reached && s.live_time_reached && s.enabled && s.counts_reached);
	assert_true(s.rebooted && s.live_ms == 16 && status_has_live_time(&s));
	assert_false(s.high_voltage_fault || status_has_high_voltage(&s) || status_has_cooler(&s));
	b[24] = 0x66;
	status_parse(b, &s);
	assert_false(status_has_live_time(&s));
	b[39] = DEVICE_PX5;
	status_parse(b, &s);
	assert_true(s.high_voltage_fault);
	assert_false(s.live_time_reached); /* D6 is the automatic threshold here */
	assert_null(status_device_name(DEVICE_COUNT));
}

static const char file[] = "[DP5 Configuration File]\r\nRESC=YES;\r\nCLCK=80;\r\nTPEA=4.000;\r\n"
			   "MCAC=2048;\r\nPREL=;\r\nHVSE=-110;\r\n[DP5 Configuration Values]\r\n"
			   "TPEA=4.000;\r\nHVSE=-135;\r\n";

static void a_vendors_file_is_read_up_to_its_table_of_values(void **state)
{
	struct commands list = {0};
	char why[160];
	assert_int_equal(commands_parse(&list, file, why, sizeof(why)), 0);
	assert_int_equal(list.count, 6);
	assert_string_equal(commands_find(&list, "HVSE")->value, "-110");
	assert_string_equal(commands_find(&list, "PREL")->value, "");
	assert_null(commands_find(&list, "GAIN"));
}

static void text_that_breaks_the_grammar_is_rejected_with_its_line(void **state)
{
	static const struct {
		const char *text, *word;
	} wrong[] = {{"tpea=4;", "tpea=4;"}, {"TPEA=4", "TPEA=4"}, {"MCAC=2048;\nTPE=4;", "TPE=4;"},
		{"TPEA = 4;", "TPEA = 4;"}, {"TPEA=4 ;", "TPEA=4 ;"},
		{"HVSE=12345678901;", "HVSE="}, {"MCAC=2048; # channels", "# channels"},
		{"MCAC=1024;MCAC=2048;", "MCAC is given twice"}, {"MCAC=\xc3\xa4;", "MCAC="},
		{";", ";"}};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct commands list = {0};
		char why[160] = "";
		assert_int_equal(commands_parse(&list, wrong[i].text, why, sizeof(why)), -EINVAL);
		assert_non_null(strstr(why, wrong[i].word));
	}
}

static void more_commands_than_fit_are_rejected(void **state)
{
	struct commands list = {0};
	char text[6 * 200 + 1] = "", why[160];
	for (int i = 0; i < 200; i++)
		snprintf(text + 6 * i, 7, "SCAL=;");
	assert_int_equal(commands_parse(&list, text, why, sizeof(why)), -EINVAL);
}

static void commands_are_put_into_the_order_of_the_guide(void **state)
{
	struct commands list = {0};
	char why[160], packet[512];
	size_t at = 0;
	assert_int_equal(commands_parse(&list,
				 "SOFF=OFF;INOF=DEF;MCAS=NORM;RTDE=OFF;TFLA=0.2;GAIN=60;AINP=POS;"
				 "MCAC=1024;TPEA=2;CLCK=80;RESC=Y;SCAI=1;SCAL=5;SCAI=2;SCAL=6;",
				 why, sizeof(why)),
		0);
	commands_sort(&list);
	size_t len = commands_pack(&list, &at, false, packet, sizeof(packet));
	assert_int_equal(at, list.count);
	const char *wanted = "RESC=Y;CLCK=80;TPEA=2;TFLA=0.2;GAIN=60;RTDE=OFF;MCAS=NORM;AINP=POS;"
			     "MCAC=1024;SOFF=OFF;INOF=DEF;SCAI=1;SCAL=5;SCAI=2;SCAL=6;";
	assert_int_equal(len, strlen(wanted));
	assert_memory_equal(packet, wanted, len);
}

static void packets_hold_whole_commands_and_no_multiple_of_64_bytes_on_usb(void **state)
{
	for (int extra = 0; extra <= COMMAND_VALUE_MAX; extra++) {
		struct commands list = {0};
		size_t at = 0, len, sum = 0, total = 0;
		char packet[PACKET_REQUEST_DATA_MAX];
		for (int i = 0; i < 100; i++) {
			struct command *c = &list.items[list.count++];
			snprintf(c->name, sizeof(c->name), "C%03d", i);
			snprintf(c->value, sizeof(c->value), "%.*s", (i * 7 + extra) % 11,
				"1234567890");
			total += 6 + strlen(c->value);
		}
		while ((len = commands_pack(&list, &at, true, packet, sizeof(packet))) > 0) {
			assert_true(len <= sizeof(packet));
			assert_int_equal(packet[len - 1], ';');
			assert_int_equal(packet[0], 'C');
			assert_int_not_equal((len + PACKET_OVERHEAD) % 64, 0);
			sum += len;
		}
		assert_int_equal(at, 100);
		assert_int_equal(sum, total);
	}
}

static void a_packet_of_56_bytes_is_split_on_usb_only(void **state)
{
	struct commands list = {0};
	char why[160], packet[512];
	size_t at = 0;
	assert_int_equal(commands_parse(&list,
				 "AAAA=1234567890;BBBB=1234567890;CCCC=1234567890;"
				 "DDDD=12;",
				 why, sizeof(why)),
		0);
	assert_int_equal(commands_pack(&list, &at, false, packet, sizeof(packet)), 56);
	at = 0;
	assert_int_equal(commands_pack(&list, &at, true, packet, sizeof(packet)), 48);
	assert_int_equal(commands_pack(&list, &at, true, packet, sizeof(packet)), 8);
	assert_int_equal(commands_pack(&list, &at, true, packet, sizeof(packet)), 0);
}

static enum command_match match(void **state, const char *name, const char *sent, const char *text)
{
	struct host *h = *state;
	struct command c = {0};
	snprintf(c.name, sizeof(c.name), "%s", name);
	snprintf(c.value, sizeof(c.value), "%s", sent);
	return readback_match(h->ins.host, text, &c);
}

static void the_readback_is_compared_in_the_form_of_the_device(void **state)
{
	const char *text = amptek_px5_readback;
	assert_int_equal(match(state, "MCAC", "2048", text), COMMAND_SAME);
	assert_int_equal(match(state, "MCAC", "1024", text), COMMAND_WRONG);
	assert_int_equal(match(state, "TPEA", "2", text), COMMAND_SAME);
	assert_int_equal(match(state, "TPEA", "2.05US", text), COMMAND_ROUNDED);
	assert_int_equal(match(state, "TPEA", "4", text), COMMAND_WRONG);
	assert_int_equal(match(state, "GAIN", "60", text), COMMAND_ROUNDED);
	assert_int_equal(match(state, "HVSE", "130", text), COMMAND_WRONG);
	assert_int_equal(match(state, "TECS", "225K", text), COMMAND_SAME);
	assert_int_equal(match(state, "PRET", "OFF", text), COMMAND_SAME);
	assert_int_equal(match(state, "PRET", "100", text), COMMAND_WRONG);
	assert_int_equal(match(state, "PRET", "100", "PRET=100.0;"), COMMAND_SAME);
	assert_int_equal(match(state, "GPED", "RISING", text), COMMAND_SAME);
	assert_int_equal(match(state, "SCOE", "RISING", text), COMMAND_OTHER);
	assert_int_equal(match(state, "PAPS", "ON", text), COMMAND_SAME);
	assert_int_equal(match(state, "RTDE", "ON", text), COMMAND_WRONG);
	assert_int_equal(match(state, "RTDE", "0", text), COMMAND_OTHER);
	assert_int_equal(match(state, "GATE", "OFF", text), COMMAND_WRONG);
	assert_int_equal(match(state, "BOOT", "ON", text), COMMAND_OTHER);
	assert_int_equal(match(state, "ABCD", "ON", text), COMMAND_OTHER);
	assert_int_equal(match(state, "CLCK", "AUTO", text), COMMAND_SAME);
	assert_int_equal(match(state, "PREL", "60", text), COMMAND_WRONG);
	assert_int_equal(match(state, "TPEA", "2", "TPEA=??;"), COMMAND_WRONG);
	assert_int_equal(match(state, "TPEA", "2", "XTPEA=2;TPEA"), COMMAND_WRONG);
}

static void numbers_are_written_short_and_with_a_point(void **state)
{
	static const struct {
		double v;
		int digits;
		const char *text;
	} numbers[] = {{100, 1, "100"}, {0.1, 1, "0.1"}, {60.023, 4, "60.023"}, {-130, 1, "-130"},
		{-0.04, 1, "0"}, {2.0049, 3, "2.005"}, {99999999.9, 1, "99999999.9"},
		{0.05, 2, "0.05"}, {1.10, 2, "1.1"}, {9.999, 1, "10"}, {-0.5, 1, "-0.5"}};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		char text[32];
		command_number(text, sizeof(text), numbers[i].v, numbers[i].digits);
		assert_string_equal(text, numbers[i].text);
	}
}

static int setup(void **state)
{
	*state = host_create(assay_driver, ASSAY_LINK_USB);
	return 0;
}

static int teardown(void **state)
{
	host_destroy(*state);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(worked_requests_are_built_byte_by_byte),
		cmocka_unit_test(worked_replies_are_understood),
		cmocka_unit_test(every_single_wrong_byte_is_noticed),
		cmocka_unit_test(a_packets_length_is_known_from_its_header_on),
		cmocka_unit_test(channels_come_from_the_reply_and_its_length),
		cmocka_unit_test(status_of_a_real_px5_is_read),
		cmocka_unit_test(bits_of_the_status_are_where_the_guide_has_them),
		cmocka_unit_test(a_vendors_file_is_read_up_to_its_table_of_values),
		cmocka_unit_test(text_that_breaks_the_grammar_is_rejected_with_its_line),
		cmocka_unit_test(more_commands_than_fit_are_rejected),
		cmocka_unit_test(commands_are_put_into_the_order_of_the_guide),
		cmocka_unit_test(packets_hold_whole_commands_and_no_multiple_of_64_bytes_on_usb),
		cmocka_unit_test(a_packet_of_56_bytes_is_split_on_usb_only),
		cmocka_unit_test(the_readback_is_compared_in_the_form_of_the_device),
		cmocka_unit_test(numbers_are_written_short_and_with_a_point),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
