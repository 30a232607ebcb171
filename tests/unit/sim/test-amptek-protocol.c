/* SPDX-License-Identifier: Apache-2.0 */
/* The worked examples of the protocol sheet byte for byte, and the rules around them. */
#include "amptek-bench.h"

/* A PX5 with serial number 2524 after 9252 s, as its makers' program printed its status. */
static void worked_status_has_the_printed_bytes(void **state)
{
	struct status s = {.fast = 66888311,
		.slow = 65028866,
		.accumulation_ms = 9252206,
		.real_ms = 9263658,
		.firmware_major = 6,
		.firmware_minor = 8,
		.firmware_build = 6,
		.fpga_major = 6,
		.fpga_minor = 11,
		.serial = 2524,
		.bias_v = -130,
		.detector_k = 252.0,
		.board_c = 29,
		.gate_inactive = true,
		.configured = true,
		.clock_80 = true,
		.pc5_good = true,
		.preamp_8v5 = true,
		.device_id = 1};
	struct bench b = {0};
	uint8_t block[STATUS_LEN];
	status_write(&s, block);
	b.len = frame_write(b.sent, 0x80, 0x01, block, sizeof(block));
	expect_hex(&b,
		"F5 FA 80 01 00 40 77 A2 FC 03 02 43 E0 03 00 00 00 00 06 6A 69 01 00 00 00 00 "
		"2A 5A 8D 00 68 6B DC 09 00 00 FE FC 09 D8 1D 0A 02 06 A0 01 00 00 00 00 00 00 "
		"00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 F2 C2");
}

/* The same unit, idle: everything but counters, times and temperatures. */
static void model_set_up_as_that_unit_identifies_like_it(void **state)
{
	struct bench b;
	start(&b, "device", "px5", "serial", "2524", "firmware", "6.08.06", "config",
		"HVSE=-130;TECS=252;PAPS=8.5;");
	status_of(&b);
	assert_int_equal(status_of(&b)[36], 0x02);
	const uint8_t *s = answer_data(&b);
	assert_memory_equal(
		s + 24, "\x68\x6B\xDC\x09\x00\x00\xFE\xFC\x09\xD8\x1D\x0A\x02\x06\xA0\x01", 16);
	bench_stop(&b);
}

static void worked_requests_are_answered(void **state)
{
	static const struct {
		const char *request;
		unsigned answer;
	} table[] = {
		{"F5 FA 01 01 00 00 FE 0F", 0x8001},
		{"F5 FA 02 01 00 00 FE 0E", 0x8107},
		{"F5 FA 02 02 00 00 FE 0D", 0x8107},
		{"F5 FA 02 03 00 00 FE 0C", 0x8108},
		{"F5 FA 02 04 00 00 FE 0B", 0x8108},
		{"F5 FA 03 02 00 00 FE 0C", 0x8202},
		{"F5 FA 03 04 00 00 FE 0A", 0x8204},
		{"F5 FA 03 05 00 00 FE 09", 0x8205},
		{"F5 FA 03 07 00 00 FE 07", 0x8208},
		{"F5 FA 04 01 00 00 FE 0C", 0x8301},
		{"F5 FA F0 01 00 00 FD 20", 0xFF00},
		{"F5 FA F0 02 00 00 FD 1F", 0xFF00},
		{"F5 FA F0 03 00 00 FD 1E", 0xFF00},
		{"F5 FA F0 20 00 00 FD 01", 0xFF00},
		{"F5 FA F0 21 00 00 FD 00", 0xFF00},
		{"F5 FA F0 22 00 00 FC FF", 0xFF00},
		{"F5 FA F1 00 00 00 FD 20", 0xFF00},
	};
	struct bench b;
	start(&b, "tube-kv", "0");
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		send_hex(&b, table[i].request);
		assert_int_equal(answer_pid(&b), table[i].answer);
	}
	send_hex(&b, "F5 FA F1 7F 00 03 01 02 03 FC 98");
	expect_hex(&b, "F5 FA 8F 7F 00 03 01 02 03 FC FA");
	bench_stop(&b);
}

static void acknowledgements_have_the_printed_bytes(void **state)
{
	struct bench b;
	start(&b, "tube-kv", "0");
	ask(&b, 0xF0, 0x01, "");
	expect_hex(&b, "F5 FA FF 00 00 00 FD 12");
	send_hex(&b, "F5 FA 01 01 00 00 FE 0E");
	expect_hex(&b, "F5 FA FF 04 00 00 FD 0E");
	ask(&b, 0x20, 0x04, "MCAC=1000;");
	expect_hex(&b, "F5 FA FF 05 00 0A 4D 43 41 43 3D 31 30 30 30 3B FA B6");
	b.faults.strength[FAULT_BUSY] = 1;
	ask(&b, 0x01, 0x01, "");
	expect_hex(&b, "F5 FA FF 0D 00 00 FD 05");
	bench_stop(&b);
}

static void comm_test_returns_each_acknowledgement(void **state)
{
	struct bench b;
	start(&b, "tube-kv", "0");
	for (unsigned n = 0; n <= 0x0F; n++) {
		ask(&b, 0xF1, (uint8_t)n, "");
		assert_int_equal(answer_pid(&b), 0xFF00 | n);
		assert_int_equal(answer_len(&b), 0);
	}
	bench_stop(&b);
}

static void preset_packets_are_taken_and_the_saved_one_stalls(void **state)
{
	struct bench b;
	start(&b, "tube-kv", "0");
	send_hex(&b, "F5 FA 20 04 00 09 50 52 45 54 3D 31 30 30 3B FB A0");
	expect_hex(&b, "F5 FA FF 00 00 00 FD 12");
	ask(&b, 0x20, 0x03, "PRET;");
	expect_text(&b, 0x8207, "PRET=100.0;");
	send_hex(&b, "F5 FA 20 02 00 09 50 52 45 54 3D 31 30 30 3B FB A2");
	expect_hex(&b, "F5 FA FF 00 00 00 FD 12");
	send_hex(&b, "F5 FA 01 01 00 00 FE 0F");
	assert_int_equal(b.len, 0);
	pass(&b, 79 * MS);
	assert_int_equal(b.len, 0);
	pass(&b, 322 * MS);
	assert_int_equal(answer_pid(&b), 0x8001);
	bench_stop(&b);
}

static void newer_firmware_does_not_save_a_single_preset(void **state)
{
	struct bench b;
	start(&b, "tube-kv", "0", "firmware", "6.09.06");
	ask(&b, 0x20, 0x02, "PRET=100;");
	status_of(&b);
	ask(&b, 0x20, 0x02, "PRET=100;PRER=OFF;");
	send_hex(&b, "F5 FA 01 01 00 00 FE 0F");
	assert_int_equal(b.len, 0);
	bench_stop(&b);
}

static void worked_readback_has_the_printed_text(void **state)
{
	struct bench b;
	start(&b, "device", "px5", "config", "TPEA=2.000;", "tube-kv", "0");
	send_hex(&b, "F5 FA 20 03 00 0C 4D 43 41 43 3D 3B 54 50 45 41 3D 3B FA B4");
	expect_text(&b, 0x8207, "MCAC=2048;TPEA=2.000;");
	ask(&b, 0x20, 0x03, "MCAC;TPEA;");
	expect_text(&b, 0x8207, "MCAC=2048;TPEA=2.000;");
	bench_stop(&b);
}

/* The configuration block that a real PX5 wrote into its files. */
static void settings_read_back_as_a_real_unit_writes_them(void **state)
{
	static const char text[] =
		"TPEA=2.000;GAIN=60.023;RESL=102;TFLA=0.200;TPFA=50;PURE=ON;RTDE=OFF;MCAS=NORM;"
		"MCAC=2048;SOFF=OFF;AINP=POS;INOF=DEF;GAIA=19;CUSP=0;PDMD=NORM;THSL=0.781;TLLD=OFF;"
		"THFA=40.00;DACO=SHAPED;DACF=50;RTDS=0;RTDT=0.00;BLRM=1;BLRD=3;BLRU=1;AUO1=SCA8;"
		"PRET=OFF;PRER=OFF;PREC=OFF;PRCL=1;PRCH=8191;HVSE=-130;TECS=225;PAPZ=OFF;PAPS=8.5;"
		"SCOE=FA;SCOT=12;SCOG=1;MCSL=1;MCSH=8191;MCST=0.01;AUO2=ICR;TPMO=OFF;GPED=RI;";
	struct bench b;
	start(&b, "device", "px5", "tube-kv", "0");
	ask(&b, 0x20, 0x04, "RESC=YES;CLCK=80;");
	assert_int_equal(answer_pid(&b), 0xFF00);
	ask(&b, 0x20, 0x04, text);
	assert_int_equal(answer_pid(&b), 0xFF00);
	ask(&b, 0x20, 0x03, text);
	expect_text(&b, 0x8207, text);
	bench_stop(&b);
}

static void readback_marks_unknown_commands(void **state)
{
	struct bench b;
	start(&b, "tube-kv", "0");
	ask(&b, 0x20, 0x03, "RESC;XXXX=1;SCAI;SCAI=3;SCAL;MCAE");
	expect_text(&b, 0x8207, "RESC=?;XXXX=??;SCAI=??;SCAI=3;SCAL=0;MCAE=OFF;");
	bench_stop(&b);
}

static void units_and_long_words_are_understood(void **state)
{
	struct bench b;
	start(&b, "tube-kv", "0");
	ask(&b, 0x20, 0x04, "TPEA=10US;TECS=220K;GPED=RISING;SCOE=FALLING;CLCK=AU;");
	expect_text(&b, 0xFF00, "");
	ask(&b, 0x20, 0x03, "TPEA;TECS;GPED;SCOE;");
	expect_text(&b, 0x8207, "TPEA=10.000;TECS=220;GPED=RI;SCOE=FA;");
	ask(&b, 0x20, 0x04, "TPEA=2.03;");
	ask(&b, 0x20, 0x03, "TPEA;");
	expect_text(&b, 0x8207, "TPEA=2.000;"); /* rounds down */
	bench_stop(&b);
}

static void last_wrong_command_is_echoed_and_the_good_ones_work(void **state)
{
	struct bench b;
	start(&b, "tube-kv", "0");
	ask(&b, 0x20, 0x04, "XXXX=1;THSL=1.5;MCAC=300;PRET=30;");
	expect_text(&b, 0xFF05, "MCAC=300;");
	ask(&b, 0x20, 0x03, "THSL;MCAC;PRET;");
	expect_text(&b, 0x8207, "THSL=1.500;MCAC=1024;PRET=30.0;");
	ask(&b, 0x20, 0x04, "MCAC=300;YYYY=1;MCAC=512;");
	expect_text(&b, 0xFF07, "YYYY=1;");
	ask(&b, 0x20, 0x03, "MCAC;");
	expect_text(&b, 0x8207, "MCAC=512;");
	bench_stop(&b);
}

static void malformed_text_is_rejected(void **state)
{
	static const struct {
		const char *text;
		unsigned answer;
	} table[] = {{"mcac=512;", 0xFF07}, {" MCAC=512;", 0xFF07}, {"MCAC=512", 0xFF07},
		{"MCAC 512;", 0xFF07}, {"MCA=512;", 0xFF07}, {"MCAC=512;\r\n", 0xFF07},
		{"PRET=10000000000;", 0xFF05}, {"PRET=;", 0xFF05}, {"PRET=nan;", 0xFF05},
		{"PRET=1e3;", 0xFF05}, {"PRET=--1;", 0xFF05}, {"MCAC=512;RESC=Y;", 0xFF05}};
	struct bench b;
	start(&b, "tube-kv", "0");
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		ask(&b, 0x20, 0x04, table[i].text);
		assert_int_equal(answer_pid(&b), table[i].answer);
	}
	bench_stop(&b);
}

static void each_device_has_its_own_commands(void **state)
{
	static const struct {
		const char *device, *text;
		unsigned answer;
	} table[] = {{"dp5g", "TECS=220;", 0xFF07}, {"px5", "TECS=220;", 0xFF00},
		{"mca8000d", "PRET=10;", 0xFF07}, {"mca8000d", "PREL=10;", 0xFF00},
		{"px5", "PREL=10;", 0xFF07}, {"mca8000d", "TPEA=2;", 0xFF07},
		{"px5", "GATE=OFF;", 0xFF07}, {"dp5", "GATE=OFF;", 0xFF00},
		{"dp5", "CON2=ICR;", 0xFF07}, {"tb5", "CON2=ICR;", 0xFF00},
		{"dp5", "GAIN=200;", 0xFF05}, {"px5", "GAIN=200;", 0xFF00},
		{"dp5g", "GAIN=11;", 0xFF05}, {"dp5g", "GAIN=10;", 0xFF00},
		{"dp5x", "HVSE=-400;", 0xFF05}, {"dp5x", "HVSE=-300;", 0xFF00},
		{"dp5", "HVSE=180;", 0xFF05}};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct bench b;
		start(&b, "tube-kv", "0", "device", table[i].device);
		ask(&b, 0x20, 0x04, table[i].text);
		assert_int_equal(answer_pid(&b), table[i].answer);
		bench_stop(&b);
	}
}

static void each_device_reports_its_identity(void **state)
{
	for (size_t i = 0; i < 6; i++) {
		struct bench b;
		start(&b, "tube-kv", "0", "device", devices[i].name, "serial", "9990042");
		const uint8_t *s = status_of(&b);
		assert_int_equal(s[39], i);
		assert_int_equal(little(s + 26, 4), 9990042);
		ask(&b, 0x03, 0x07, "");
		char name[64];
		snprintf(name, sizeof(name), "Amptek %s - S/N 9990042", devices[i].title);
		assert_string_equal((const char *)answer_data(&b) + 32, name);
		bench_stop(&b);
	}
}

static size_t find(struct bench *b, const char *request, uint8_t *reply)
{
	uint8_t data[16];
	size_t len = from_hex(request, data, sizeof(data));
	memset(reply, 0xEE, SIM_DISCOVERY_MAX);
	return sim_model_discover(b->model, data, len, b->now, reply);
}

static void netfinder_gets_the_identity_for_each_new_number(void **state)
{
	static const uint8_t network[] = {192, 168, 1, 10, 255, 255, 255, 0, 192, 168, 1, 1};
	static const char texts[] = "Amptek PX5 - S/N 9990042\0(no description)\0"
				    "Time Powered\0Time on Network";
	static const char *const ignored[] = {"00 00 12 34 F4 FA", "00 00 12 35",
		"00 00 12 35 F4 FB", "00 00 12 35 F4 FA 00", "04 00 12 35 F4 FA", ""};
	struct bench b;
	uint8_t reply[SIM_DISCOVERY_MAX];
	start_on(&b, SIM_UDP, "tube-kv", "0", "device", "px5", "serial", "9990042");
	assert_int_equal(find(&b, "00 00 12 34 F4 FA", reply), 32 + sizeof(texts));
	static const uint8_t head[14] = {1, 0, 0x12, 0x34};
	assert_memory_equal(reply, head, sizeof(head));
	assert_memory_equal(reply + 20, network, sizeof(network));
	assert_memory_equal(reply + 32, texts, sizeof(texts));
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		assert_int_equal(find(&b, ignored[i], reply), 0);
	assert_int_equal(b.len, 0);
	pass(&b, 3661 * S);
	assert_true(find(&b, "00 00 00 00 F4 FA", reply) > 0);
	static const uint8_t later[14] = {1, 0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 1};
	assert_memory_equal(reply, later, sizeof(later));
	bench_stop(&b);
}

static void netfinder_shows_to_whom_the_port_belongs(void **state)
{
	struct bench b;
	uint8_t reply[SIM_DISCOVERY_MAX];
	char request[32];
	start_on(&b, SIM_UDP, "tube-kv", "0");
	for (unsigned i = 0; i < 3; i++) {
		ask(&b, 0xF0, (uint8_t)(0x20 + i), "");
		expect_text(&b, 0xFF00, "");
		snprintf(request, sizeof(request), "00 00 00 0%u F4 FA", i);
		assert_true(find(&b, request, reply) > 0);
		assert_int_equal(reply[1], 1 + i);
	}
	pass(&b, 14 * S);
	assert_true(find(&b, "00 00 01 00 F4 FA", reply) > 0);
	assert_int_equal(reply[1], 3);
	pass(&b, 2 * S);
	assert_true(find(&b, "00 00 01 01 F4 FA", reply) > 0);
	assert_int_equal(reply[1], 0);
	status_of(&b);
	assert_true(find(&b, "00 00 01 02 F4 FA", reply) > 0);
	assert_int_equal(reply[1], 1);
	bench_stop(&b);
}

static void errors_are_found_in_the_instruments_order(void **state)
{
	struct bench b;
	start(&b, "tube-kv", "0");
	send_hex(&b, "F5 FB 01 01 00 00 FE 0E");
	assert_int_equal(answer_pid(&b), 0xFF01);
	send_hex(&b, "F5 FA 01 01 00 01 FE 0E");
	assert_int_equal(answer_pid(&b), 0xFF03);
	send_hex(&b, "F5 FA 77 77 00 00 00 00");
	assert_int_equal(answer_pid(&b), 0xFF04);
	ask(&b, 0x77, 0x77, "");
	assert_int_equal(answer_pid(&b), 0xFF02);
	ask(&b, 0x01, 0x01, "x");
	assert_int_equal(answer_pid(&b), 0xFF03);
	ask(&b, 0xF1, 0x7E, "");
	assert_int_equal(answer_pid(&b), 0xFF02);
	bench_stop(&b);
}

static void older_firmware_lacks_the_volatile_configuration(void **state)
{
	struct bench b;
	start(&b, "tube-kv", "0", "firmware", "6.07.01");
	ask(&b, 0x20, 0x04, "PRET=10;");
	assert_int_equal(answer_pid(&b), 0xFF02);
	bench_stop(&b);
}

static void serial_line_hunts_sync_in_silence(void **state)
{
	struct bench b;
	start_on(&b, SIM_PTY, "tube-kv", "0");
	send_hex(&b, "00 F5 F5 41 F5 FA 01 01 00");
	assert_int_equal(b.len, 0);
	send_hex(&b, "00 FE 0F 55");
	assert_int_equal(answer_pid(&b), 0x8001);
	bench_stop(&b);
}

static void serial_line_drops_half_a_packet_after_a_gap(void **state)
{
	struct bench b;
	start_on(&b, SIM_PTY, "tube-kv", "0");
	send_hex(&b, "F5 FA 01 01");
	pass(&b, 101 * MS);
	send_hex(&b, "00 00 FE 0F");
	assert_int_equal(b.len, 0);
	send_hex(&b, "F5 FA 01 01");
	pass(&b, 99 * MS);
	send_hex(&b, "00 00 FE 0F");
	assert_int_equal(answer_pid(&b), 0x8001);
	bench_stop(&b);
}

static void packets_have_the_sizes_of_the_list_and_datagrams_of_520(void **state)
{
	static const struct {
		const char *channels;
		size_t plain, with_status, datagrams, datagrams_with_status;
	} table[] = {{"MCAC=256;", 776, 840, 2, 2}, {"MCAC=512;", 1544, 1608, 3, 4},
		{"MCAC=1024;", 3080, 3144, 6, 7}, {"MCAC=2048;", 6152, 6216, 12, 12},
		{"MCAC=4096;", 12296, 12360, 24, 24}, {"MCAC=8192;", 24584, 24648, 48, 48}};
	struct bench b;
	start_on(&b, SIM_UDP, "tube-kv", "0");
	for (size_t i = 0; i < 6; i++) {
		ask(&b, 0x20, 0x04, table[i].channels);
		ask(&b, 0x02, 0x01, "");
		assert_int_equal(answer_pid(&b), 0x8101 + 2 * i);
		assert_int_equal(b.len, table[i].plain);
		assert_int_equal(b.units, table[i].datagrams);
		ask(&b, 0x02, 0x03, "");
		assert_int_equal(b.len, table[i].with_status);
		assert_int_equal(b.units, table[i].datagrams_with_status);
		for (size_t u = 0; u + 1 < b.units; u++)
			assert_int_equal(b.unit_len[u], 520);
	}
	bench_stop(&b);
}

static void usb_answers_in_one_transfer(void **state)
{
	struct bench b;
	start(&b, "tube-kv", "0", "config", "MCAC=8192;");
	ask(&b, 0x02, 0x03, "");
	assert_int_equal(b.units, 1);
	assert_int_equal(b.unit_len[0], 24648);
	bench_stop(&b);
}

static void first_status_reports_the_restart(void **state)
{
	struct bench b;
	start(&b, "tube-kv", "0");
	assert_int_equal(status_of(&b)[36] & 0x20, 0x20);
	assert_int_equal(status_of(&b)[36] & 0x20, 0);
	bench_stop(&b);
}

static void misc_data_and_ethernet_settings_are_kept(void **state)
{
	struct bench b;
	char data[513];
	memset(data, 'x', 512);
	data[512] = '\0';
	start(&b, "tube-kv", "0");
	ask(&b, 0xF0, 0x09, data);
	assert_int_equal(answer_pid(&b), 0xFF00);
	pass(&b, S);
	ask(&b, 0x03, 0x02, "");
	expect_text(&b, 0x8202, data);
	ask(&b, 0xF0, 0x11, "0123456789012345678");
	ask(&b, 0x03, 0x04, "");
	assert_int_equal(answer_len(&b), 0x19);
	assert_memory_equal(answer_data(&b), "0123456789012345678", 19);
	bench_stop(&b);
}

static void calibration_and_firmware_are_rejected_and_logged(void **state)
{
	char *text = NULL;
	size_t size = 0;
	FILE *truth = open_memstream(&text, &size);
	struct bench b;
	bench_start(&b, &amptek_model, SIM_USB, truth, (const char *const[]){"tube-kv", "0", NULL});
	ask(&b, 0x30, 0x01, "");
	assert_int_equal(answer_pid(&b), 0xFF02);
	ask(&b, 0xF0, 0x0A, "1");
	assert_int_equal(answer_pid(&b), 0xFF02);
	assert_non_null(
		strstr(text, "\"event\":\"forbidden\",\"reply\":1,\"pid1\":48,\"pid2\":1}"));
	assert_non_null(strstr(text, "\"pid1\":240,\"pid2\":10}"));
	bench_stop(&b);
	fclose(truth);
	free(text);
}

static void faults_of_the_instrument_change_its_replies(void **state)
{
	struct bench b;
	start(&b, "tube-kv", "0");
	b.faults.strength[FAULT_SHARE] = 1;
	ask(&b, 0xF0, 0x20, "");
	assert_int_equal(answer_pid(&b), 0xFF0C);
	b.faults.strength[FAULT_SHARE] = 0;
	b.faults.strength[FAULT_WRONG_IDENTITY] = 1;
	assert_int_equal(little(status_of(&b) + 26, 4), 9990002);
	b.faults.strength[FAULT_WRONG_IDENTITY] = 0;
	assert_int_equal(little(status_of(&b) + 26, 4), 9990001);
	bench_stop(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(worked_status_has_the_printed_bytes),
		cmocka_unit_test(model_set_up_as_that_unit_identifies_like_it),
		cmocka_unit_test(worked_requests_are_answered),
		cmocka_unit_test(acknowledgements_have_the_printed_bytes),
		cmocka_unit_test(comm_test_returns_each_acknowledgement),
		cmocka_unit_test(preset_packets_are_taken_and_the_saved_one_stalls),
		cmocka_unit_test(newer_firmware_does_not_save_a_single_preset),
		cmocka_unit_test(worked_readback_has_the_printed_text),
		cmocka_unit_test(settings_read_back_as_a_real_unit_writes_them),
		cmocka_unit_test(readback_marks_unknown_commands),
		cmocka_unit_test(units_and_long_words_are_understood),
		cmocka_unit_test(last_wrong_command_is_echoed_and_the_good_ones_work),
		cmocka_unit_test(malformed_text_is_rejected),
		cmocka_unit_test(each_device_has_its_own_commands),
		cmocka_unit_test(each_device_reports_its_identity),
		cmocka_unit_test(netfinder_gets_the_identity_for_each_new_number),
		cmocka_unit_test(netfinder_shows_to_whom_the_port_belongs),
		cmocka_unit_test(errors_are_found_in_the_instruments_order),
		cmocka_unit_test(older_firmware_lacks_the_volatile_configuration),
		cmocka_unit_test(serial_line_hunts_sync_in_silence),
		cmocka_unit_test(serial_line_drops_half_a_packet_after_a_gap),
		cmocka_unit_test(packets_have_the_sizes_of_the_list_and_datagrams_of_520),
		cmocka_unit_test(usb_answers_in_one_transfer),
		cmocka_unit_test(first_status_reports_the_restart),
		cmocka_unit_test(misc_data_and_ethernet_settings_are_kept),
		cmocka_unit_test(calibration_and_firmware_are_rejected_and_logged),
		cmocka_unit_test(faults_of_the_instrument_change_its_replies),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
