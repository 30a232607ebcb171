/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of each device and their parameters.  The first argument is a folder with the vendor's
 * default files; it is not part of the project, and without it they are not tried.
 */
#include "amptek-bench.h"

#include <unistd.h>

static const char *data_dir;

/*
 * Whether dp5, px5, dp5g, mca8000d, tb5 and dp5x have the command, after the vendor's program and
 * other programs that are used with these instruments; "?": they disagree.
 */
static const struct {
	const char *name, *has;
} commands[] = {{"AINP", "yyynyy"}, {"AU34", "?yy?y?"}, {"AUO1", "yyyyyy"}, {"AUO2", "yyyyyy"},
	{"BLRD", "yyynyy"}, {"BLRM", "yyynyy"}, {"BLRU", "yyynyy"}, {"BOOT", "ynnnny"},
	{"CLCK", "yyynyy"}, {"CLKL", "yyy?yy"}, {"CON1", "nyynyn"}, {"CON2", "nyynyn"},
	{"CUSP", "yyynyy"}, {"DACF", "yyynyy"}, {"DACO", "yyynyy"}, {"GAIA", "yyyyyy"},
	{"GAIF", "yyynyy"}, {"GAIN", "yyynyy"}, {"GATE", "ynnyny"}, {"GPED", "yyyyyy"},
	{"GPGA", "yyyyyy"}, {"GPIN", "yyyyyy"}, {"GPMC", "yyyyyy"}, {"GPME", "yyyyyy"},
	{"HVSE", "yyynyy"}, {"INOF", "yynnny"}, {"INOG", "?y????"}, {"LMMO", "yyyyyy"},
	{"MCAC", "yyyyyy"}, {"MCAE", "yyyyyy"}, {"MCAS", "yyyyyy"}, {"MCSH", "yyyyyy"},
	{"MCSL", "yyyyyy"}, {"MCST", "yyyyyy"}, {"PAPS", "yynnny"}, {"PAPZ", "?ynnnn"},
	{"PDMD", "yyyyy?"}, {"PRCH", "yyyyyy"}, {"PRCL", "yyyyyy"}, {"PREC", "yyyyyy"},
	{"PREL", "nnnynn"}, {"PRER", "yyyyyy"}, {"PRET", "yyynyy"}, {"PURE", "yyyyyy"},
	{"PURS", "y????y"}, {"RESC", "yyyyyy"}, {"RESL", "yyynyy"}, {"RTDD", "yyy?yy"},
	{"RTDE", "yyynyy"}, {"RTDS", "yyynyy"}, {"RTDT", "yyynyy"}, {"RTDW", "yyy?yy"},
	{"SCAH", "yyynyy"}, {"SCAI", "yyynyy"}, {"SCAL", "yyynyy"}, {"SCAO", "yyynyy"},
	{"SCAW", "yyynyy"}, {"SCOE", "yyyyyy"}, {"SCOG", "yyyyyy"}, {"SCOT", "yyyyyy"},
	{"SCTC", "nny?yn"}, {"SOFF", "yyyyyy"}, {"SYNC", "yyy?yy"}, {"TECS", "yynnn?"},
	{"TFLA", "yyynyy"}, {"THFA", "yyynyy"}, {"THSL", "yyyyyy"}, {"TLLD", "yyyyyy"},
	{"TPEA", "yyynyy"}, {"TPFA", "yyynyy"}, {"TPMO", "yyyny?"}, {"VOLU", "nynnnn"}};

/* No command takes "@": code 05 is the answer to its parameter, 07 to its name. */
static void each_device_has_the_published_commands(void **state)
{
	for (size_t i = 0; i < 6; i++) {
		struct bench b;
		start(&b, "tube-kv", "0", "device", devices[i].name);
		for (size_t c = 0; c < sizeof(commands) / sizeof(commands[0]); c++) {
			char text[16], unknown[16];
			snprintf(text, sizeof(text), "%s=@;", commands[c].name);
			ask(&b, 0x20, 0x04, text);
			unsigned answer = answer_pid(&b);
			assert_true(answer == 0xFF05 || answer == 0xFF07);
			bool has = answer == 0xFF05;
			if (commands[c].has[i] != '?' && has != (commands[c].has[i] == 'y'))
				fail_msg("%s %s: %s", devices[i].name, text,
					has ? "taken" : "unknown");
			snprintf(text, sizeof(text), "%s=1;", commands[c].name);
			snprintf(unknown, sizeof(unknown), "%s=??;", commands[c].name);
			ask(&b, 0x20, 0x03, text);
			assert_int_equal(answer_pid(&b), 0x8207);
			bool is_unknown = answer_len(&b) == strlen(unknown) &&
					  memcmp(answer_data(&b), unknown, strlen(unknown)) == 0;
			assert_int_equal(is_unknown, !has);
		}
		bench_stop(&b);
	}
}

/* The flash of every device holds only commands that the device has. */
static void each_device_has_the_commands_of_its_own_flash(void **state)
{
	for (size_t i = 0; i < 6; i++) {
		struct bench b;
		start(&b, "tube-kv", "0", "device", devices[i].name);
		ask(&b, 0x20, 0x04, devices[i].configuration);
		expect_text(&b, 0xFF00, "");
		bench_stop(&b);
	}
}

static char has_command(const char *name, size_t device)
{
	for (size_t c = 0; c < sizeof(commands) / sizeof(commands[0]); c++)
		if (strncmp(commands[c].name, name, 4) == 0)
			return commands[c].has[device];
	fail_msg("%.4s is in no table", name);
	return '?';
}

/* A line "NAME=value;".  Empty values are of other devices: no command takes one. */
static void send_line(struct bench *b, size_t device, const char *line, const char *where)
{
	char has = has_command(line, device);
	bool is_empty = line[5] == ';';
	ask(b, 0x20, 0x04, line);
	unsigned answer = answer_pid(b);
	bool good = has == '?'   ? answer == 0xFF07 || answer == (is_empty ? 0xFF05 : 0xFF00)
		    : has == 'n' ? answer == 0xFF07
		    : is_empty   ? answer == 0xFF05
				 : answer == 0xFF00;
	if (!good)
		fail_msg("%s, %s: answer %04X", where, line, answer);
	expect_text(b, answer, answer == 0xFF00 ? "" : line);
}

/* Command by command; the second section of a file is for the vendor's program. */
static void vendors_default_files_get_the_published_answers(void **state)
{
	static const struct {
		const char *name, *polarity;
		size_t device;
	} files[] = {{"FastSDD_Default_DP5.txt", "negative", 0},
		{"FastSDD_Default_PX5.txt", "negative", 1},
		{"SiPIN_Default_PX5.txt", "positive", 1}, {"MCA8000D.txt", "negative", 3}};
	if (data_dir == NULL)
		skip();
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct bench b;
		char path[512], line[128];
		unsigned sent = 0;
		snprintf(path, sizeof(path), "%s/%s", data_dir, files[i].name);
		FILE *in = fopen(path, "re");
		assert_non_null(in);
		start(&b, "tube-kv", "0", "device", devices[files[i].device].name, "hv-polarity",
			files[i].polarity);
		while (fgets(line, sizeof(line), in) != NULL &&
			strncmp(line, "[DP5 Configuration Values]", 26) != 0) {
			char *end = strchr(line, ';');
			if (end == NULL)
				continue;
			end[1] = '\0';
			assert_true(end - line >= 5 && line[4] == '=');
			send_line(&b, files[i].device, line, files[i].name);
			sent++;
		}
		assert_in_range(sent, 50, 70);
		fclose(in);
		bench_stop(&b);
	}
}

static void parameters_have_the_published_ranges(void **state)
{
	static const struct {
		const char *device, *text;
		unsigned answer;
	} table[] = {{"px5", "MCST=0.00;", 0xFF00}, {"px5", "MCST=655.35;", 0xFF00},
		{"px5", "MCST=655.36;", 0xFF05}, {"px5", "GAIF=0.5;", 0xFF00},
		{"px5", "GAIF=1.9999;", 0xFF00}, {"px5", "GAIF=0.4999;", 0xFF05},
		{"px5", "GAIF=2;", 0xFF05}, {"dp5", "CUSP=OFF;", 0xFF00},
		{"dp5", "MCAS=FAST;", 0xFF00}, {"dp5", "MCAS=PUR;", 0xFF00},
		{"dp5", "MCAS=RTD;", 0xFF00}, {"dp5", "MCAS=SLOW;", 0xFF05},
		{"dp5", "PURE=10;", 0xFF00}, {"dp5", "PURE=MAX;", 0xFF00},
		{"mca8000d", "SOFF=-100.000;PURE=OFF;PDMD=NORM;", 0xFF00},
		{"dp5x", "GATE=HIGH;", 0xFF00}, {"dp5", "SYNC=INT;CLKL=100;LMMO=NORM;", 0xFF00},
		{"dp5g", "GAIN=10;", 0xFF00}, {"dp5g", "GAIN=10.1;", 0xFF05}};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct bench b;
		start(&b, "tube-kv", "0", "device", table[i].device);
		ask(&b, 0x20, 0x04, table[i].text);
		assert_int_equal(answer_pid(&b), table[i].answer);
		bench_stop(&b);
	}
}

static void set_bias(struct bench *b, const char *text, unsigned answer, int volts)
{
	ask(b, 0x20, 0x04, text);
	assert_int_equal(answer_pid(b), answer);
	pass(b, 30 * S);
	const uint8_t *s = status_of(b);
	assert_int_equal((int16_t)(s[30] << 8 | s[31]), volts * 2);
}

static void bias_has_the_polarity_of_the_supply(void **state)
{
	for (size_t i = 0; i < 6; i++) {
		struct bench b;
		if (i == 3) /* MCA8000D: no supply */
			continue;
		start(&b, "tube-kv", "0", "device", devices[i].name, "hv-polarity", "positive");
		const uint8_t *s = status_of(&b);
		assert_int_equal(s[38] & 0x40, 0x40);
		assert_int_equal(s[30] << 8 | s[31], 270);
		set_bias(&b, "HVSE=180;", 0xFF00, 180);
		set_bias(&b, "HVSE=-180;", 0xFF05, 180);
		set_bias(&b, "HVSE=OFF;", 0xFF00, 0);
		bench_stop(&b);
		start(&b, "tube-kv", "0", "device", devices[i].name);
		s = status_of(&b);
		assert_int_equal(s[38] & 0x40, 0);
		assert_int_equal((int16_t)(s[30] << 8 | s[31]), -270);
		set_bias(&b, "HVSE=-180;", 0xFF00, -180);
		set_bias(&b, "HVSE=180;", 0xFF05, -180);
		bench_stop(&b);
	}
}

/* The low bits of byte 42 are the supply's type. */
static void hpge_supply_reaches_5000_volts(void **state)
{
	struct bench b;
	start(&b, "tube-kv", "0", "device", "px5", "hv-polarity", "positive", "hpge", "");
	assert_int_equal(status_of(&b)[42] & 15, 1);
	ask(&b, 0x20, 0x04, "HVSE=5000;");
	expect_text(&b, 0xFF00, "");
	pass(&b, 120 * S);
	const uint8_t *s = status_of(&b);
	assert_int_equal(s[30] << 8 | s[31], 10000);
	ask(&b, 0x20, 0x04, "HVSE=5001;");
	assert_int_equal(answer_pid(&b), 0xFF05);
	bench_stop(&b);
	start(&b, "tube-kv", "0", "device", "px5", "hv-polarity", "positive");
	assert_int_equal(status_of(&b)[42] & 15, 0);
	ask(&b, 0x20, 0x04, "HVSE=1501;");
	assert_int_equal(answer_pid(&b), 0xFF05);
	bench_stop(&b);
}

static void device_that_never_counts_acknowledges(void **state)
{
	struct bench b;
	start(&b, "never-counts", "");
	ask(&b, 0xF0, 0x02, "");
	expect_text(&b, 0xFF00, "");
	ask(&b, 0x20, 0x04, "MCAE=ON;");
	expect_text(&b, 0xFF00, "");
	pass(&b, 5 * S);
	const uint8_t *s = status_of(&b);
	assert_int_equal(s[35] & 0x20, 0);
	assert_int_equal(little(s + 4, 4), 0);
	assert_int_equal(little(s + 12, 4), 0);
	bench_stop(&b);
}

/* D7 supply found, D6 positive, D5 preamplifier at 8.5 V; a DP5-X has no D5. */
static void supplies_are_in_byte_38(void **state)
{
	static const uint8_t expected[6] = {0xA0, 0xA0, 0x80, 0x00, 0x80, 0x80};
	for (size_t i = 0; i < 6; i++) {
		struct bench b;
		start(&b, "tube-kv", "0", "device", devices[i].name);
		assert_int_equal(status_of(&b)[38], expected[i]);
		bench_stop(&b);
	}
}

static void bootloader_is_in_byte_48(void **state)
{
	static const struct {
		const char *option;
		uint8_t id;
	} table[] = {{"00", 0x00}, {"7f", 0x7F}, {"80", 0x80}, {"ff", 0xFF}};
	struct bench b;
	start(&b, "tube-kv", "0");
	assert_int_equal(status_of(&b)[48], 0);
	bench_stop(&b);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		start(&b, "tube-kv", "0", "bootloader", table[i].option);
		assert_int_equal(status_of(&b)[48], table[i].id);
		bench_stop(&b);
	}
}

/* Bit D6 of byte 35; on the MCA8000D it is the preset live time. */
static void automatic_fast_threshold_locks(void **state)
{
	static const uint8_t locked[6] = {0x40, 0x40, 0x40, 0, 0x40, 0x40};
	for (size_t i = 0; i < 6; i++) {
		struct bench b;
		start(&b, "tube-kv", "0", "device", devices[i].name);
		assert_int_equal(status_of(&b)[35] & 0x40, 0);
		ask(&b, 0xF0, 0x06, "");
		expect_text(&b, 0xFF00, "");
		assert_int_equal(status_of(&b)[35] & 0x40, locked[i]);
		ask(&b, 0x20, 0x03, "THFA;");
		expect_text(&b, 0x8207, locked[i] ? "THFA=20.00;" : "THFA=??;");
		ask(&b, 0x20, 0x04, "THFA=30;");
		assert_int_equal(status_of(&b)[35] & 0x40, 0);
		bench_stop(&b);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_device_has_the_published_commands),
		cmocka_unit_test(each_device_has_the_commands_of_its_own_flash),
		cmocka_unit_test(vendors_default_files_get_the_published_answers),
		cmocka_unit_test(parameters_have_the_published_ranges),
		cmocka_unit_test(bias_has_the_polarity_of_the_supply),
		cmocka_unit_test(hpge_supply_reaches_5000_volts),
		cmocka_unit_test(device_that_never_counts_acknowledges),
		cmocka_unit_test(supplies_are_in_byte_38),
		cmocka_unit_test(bootloader_is_in_byte_48),
		cmocka_unit_test(automatic_fast_threshold_locks),
	};
	data_dir = argc > 1 && access(argv[1], R_OK) == 0 ? argv[1] : NULL;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
