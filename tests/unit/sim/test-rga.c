/* SPDX-License-Identifier: Apache-2.0 */
/* The worked session of the manual, byte for byte, and the rules on which a driver relies. */
#include "bench.h"
#include "rga/rga.h"

#define start_truth(b, truth, ...) \
	bench_start(b, &rga_model, SIM_NONE, truth, (const char *const[]){__VA_ARGS__, NULL})
#define start(b, ...) start_truth(b, NULL, __VA_ARGS__)

static void give(struct bench *b, const char *text)
{
	send_bytes(b, text, strlen(text));
}

/* Sends a command and waits for the reply. */
static void ask(struct bench *b, const char *text, uint64_t wait)
{
	give(b, text);
	wait_until(b, b->now + wait);
}

#define expect(b, text)                                         \
	do {                                                    \
		assert_int_equal((b)->len, strlen(text));       \
		assert_memory_equal((b)->sent, text, (b)->len); \
	} while (0)

static int32_t word(const struct bench *b, size_t i)
{
	const uint8_t *at = b->sent + 4 * i;
	return (int32_t)((uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 |
			 at[0]);
}

static void answers_the_worked_session(void **state)
{
	struct bench b;
	start(&b, "fixed", "", "serial", "12226");
	ask(&b, "IN0\r", S);
	expect(&b, "0\n\r");
	ask(&b, "ID?\r", 0);
	expect(&b, "SRSRGA200VER0.24SN12226\n\r");
	ask(&b, "MO?\r", 0);
	expect(&b, "1\n\r");
	give(&b, "FL1.0\r");
	wait_until(&b, b.now + S);
	assert_int_equal(b.len, 0);
	wait_until(&b, b.now + 5 * S);
	expect(&b, "0\n\r");
	ask(&b, "MF200\rMI10\rMF50\r", 0);
	assert_int_equal(b.len, 0);
	ask(&b, "MI?\r", 0);
	expect(&b, "10\n\r");
	ask(&b, "NF4\rSA10\r", 0);
	assert_int_equal(b.len, 0);
	ask(&b, "AP?\r", 0);
	expect(&b, "401\n\r");
	ask(&b, "SC1\r", 60 * S);
	assert_int_equal(b.len, 1608);
	const uint8_t words[] = {0x39, 0x30, 0, 0, 0x06, 0xFF, 0xFF, 0xFF, 0x00, 0xE1, 0xF5, 0x05};
	assert_memory_equal(b.sent, words, sizeof words);
	assert_int_equal(word(&b, 401), 100000000);
	ask(&b, "MR28\r", S);
	assert_int_equal(b.len, 4);
	ask(&b, "FL0\r", S);
	expect(&b, "0\n\r");
	bench_stop(&b);
}

static void case_lf_and_empty_lines_do_not_matter(void **state)
{
	struct bench b;
	start(&b, "serial", "1");
	ask(&b, "\r\n\r\nid?\r\n", 0);
	expect(&b, "SRSRGA200VER0.24SN1\n\r");
	ask(&b, "EC?\r", 0);
	expect(&b, "0\n\r");
	ask(&b, "HS1\r\n", 60 * S); /* the LF after it aborts nothing */
	assert_int_equal(b.len, 4 * 201);
	bench_stop(&b);
}

/* Silence, and a bit in RS232_ERR that reading clears. */
static void expect_refused(struct bench *b, const char *command, const char *error)
{
	ask(b, command, 0);
	assert_int_equal(b->len, 0);
	ask(b, "ER?\r", 0);
	expect(b, "1\n\r");
	ask(b, "EC?\r", 0);
	expect(b, error);
	ask(b, "ER?\r", 0);
	expect(b, "0\n\r");
}

static void refusals_are_silent_and_remembered(void **state)
{
	struct bench b;
	start(&b, "model", "100");
	expect_refused(&b, "XX?\r", "1\n\r");
	expect_refused(&b, "Q\r", "1\n\r");
	expect_refused(&b, "NF8\r", "2\n\r");
	expect_refused(&b, "NF 4\r", "2\n\r");
	expect_refused(&b, "NF4.5\r", "2\n\r");
	expect_refused(&b, "FL0.01\r", "2\n\r");
	expect_refused(&b, "FL3.6\r", "2\n\r");
	expect_refused(&b, "HV9\r", "2\n\r");
	expect_refused(&b, "HV2491\r", "2\n\r");
	expect_refused(&b, "MF101\r", "2\n\r");
	expect_refused(&b, "CA?\r", "2\n\r");
	expect_refused(&b, "ID\r", "2\n\r");
	expect_refused(&b, "SC256\r", "2\n\r");
	expect_refused(&b, "FLnan\r", "2\n\r");
	expect_refused(&b, "FL1.000000000000\r", "4\n\r");
	expect_refused(&b, "MI10\rMF9\r", "64\n\r");
	expect_refused(&b, "MF50\rMI51\r", "64\n\r");
	expect_refused(&b, "SP0.2\r", "32\n\r");
	expect_refused(&b, "MV1500\r", "32\n\r");
	expect_refused(&b, "RS\r", "32\n\r");
	expect_refused(&b, "DS-2.55\r", "32\n\r");
	ask(&b, "SP?\r", 0);
	expect(&b, "0.1000\n\r");
	bench_stop(&b);
}

static void thirteen_characters_pass_and_fifth_decimal_is_dropped(void **state)
{
	struct bench b;
	start(&b, "jumper", "write");
	ask(&b, "CE?\r", 0);
	expect(&b, "1\n\r");
	ask(&b, "SP0.123456789\rSP?\r", 0);
	expect(&b, "0.1234\n\r");
	ask(&b, "DS-0.5\rDS?\r", 0);
	expect(&b, "-0.5000\n\r");
	ask(&b, "DI*\rDI?\r", 0);
	expect(&b, "115\n\r");
	ask(&b, "EC?\r", 0);
	expect(&b, "0\n\r");
	bench_stop(&b);
}

static void defaults_are_those_of_the_manual(void **state)
{
	static const char *const cases[][2] = {{"EE?\r", "70\n\r"}, {"IE?\r", "1\n\r"},
		{"VF?\r", "90\n\r"}, {"NF?\r", "4\n\r"}, {"MI?\r", "1\n\r"}, {"MF?\r", "300\n\r"},
		{"SA?\r", "10\n\r"}, {"HP?\r", "300\n\r"}, {"AP?\r", "2991\n\r"},
		{"HV?\r", "0\n\r"}, {"FL?\r", "0.0000\n\r"}, {"CE?\r", "0\n\r"},
		{"MG?\r", "1.0000\n\r"}, {"ST?\r", "0.0100\n\r"}};
	struct bench b;
	start(&b, "model", "300", "fixed", "");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		ask(&b, cases[i][0], 0);
		expect(&b, cases[i][1]);
	}
	ask(&b, "NF7\rNF*\rMF200\rMF*\rHV*\r", 5 * S);
	expect(&b, "0\n\r");
	ask(&b, "NF?\rMF?\rHV?\r", 0);
	expect(&b, "4\n\r300\n\r1400\n\r");
	bench_stop(&b);
}

static void commands_wait_while_the_head_settles(void **state)
{
	char many[200];
	struct bench b;
	start(&b, "fixed", "");
	ask(&b, "FL1\rFL?\r", S);
	assert_int_equal(b.len, 0);
	wait_until(&b, b.now + 5 * S);
	expect(&b, "0\n\r1.0000\n\r");

	memset(many, '\r', sizeof many);
	many[sizeof many - 1] = '\0';
	give(&b, "EE70\r");
	sim_model_input(b.model, (const uint8_t *)many, strlen(many), b.now);
	wait_until(&b, b.now + S);
	expect(&b, "1\n\r");
	ask(&b, "EC?\r", 0);
	expect(&b, "8\n\r");
	bench_stop(&b);
}

static void scan_is_streamed_as_it_is_measured(void **state)
{
	struct bench b;
	start(&b, "fixed", "");
	ask(&b, "MF50\rMI10\rNF4\rSC1\r", 400 * MS);
	assert_int_equal(b.len, 0); /* the detector is zeroed first */
	wait_until(&b, b.now + 5 * S);
	assert_true(b.len > 4 * 150 && b.len < 4 * 250);
	size_t before = b.len;
	wait_until(&b, b.now + 100 * MS);
	assert_in_range(b.len - before, 4 * 3, 4 * 6);
	wait_until(&b, b.now + 60 * S);
	assert_int_equal(b.len, 1608);
	bench_stop(&b);
}

static void noise_floor_sets_the_pace(void **state)
{
	static const uint64_t ms[] = {2400, 1210, 480, 250, 163, 60, 43, 25};
	struct bench b;
	start(&b, "fixed", "");
	for (int i = 0; i < 8; i++) {
		char command[32];
		snprintf(command, sizeof command, "NF%d\rMR28\r", i);
		ask(&b, command, (ms[i] - 2) * MS);
		assert_int_equal(b.len, 0);
		wait_until(&b, b.now + 4 * MS);
		assert_int_equal(b.len, 4);
	}
	bench_stop(&b);
}

static void any_byte_aborts_a_scan(void **state)
{
	struct bench b;
	start(&b, "fixed", "");
	ask(&b, "SC\r", 100 * S);
	assert_true(b.len > 4 * 1992);
	ask(&b, "ID?\r", 10 * S);
	expect(&b, "SRSRGA200VER0.24SN9990100\n\r");
	ask(&b, "HS2\r", 20 * S);
	assert_true(b.len > 0 && b.len % 4 == 0);
	ask(&b, "\r", 100 * S);
	assert_int_equal(b.len, 0);
	assert_int_equal(sim_model_next_wakeup(b.model, b.now), SIM_NEVER);
	bench_stop(&b);
}

static void counted_scans_follow_each_other(void **state)
{
	struct bench b;
	start(&b, "fixed", "");
	ask(&b, "MF10\rNF7\rHS3\r", 100 * S);
	assert_int_equal(b.len, 3 * 4 * 11);
	ask(&b, "HS*\r", 100 * S);
	assert_int_equal(b.len, 4 * 11);
	ask(&b, "HS0\r", 100 * S);
	assert_int_equal(b.len, 0);
	ask(&b, "MR0\r", 100 * S);
	assert_int_equal(b.len, 0);
	bench_stop(&b);
}

static void multiplier_switches_total_pressure_off(void **state)
{
	struct bench b;
	start(&b, "fixed", "");
	ask(&b, "TP?\r", S);
	assert_int_equal(b.len, 4);
	assert_int_equal(word(&b, 0), 100000000);
	ask(&b, "HV1400\r", 5 * S);
	expect(&b, "0\n\r");
	ask(&b, "MF5\rHS1\r", 10 * S);
	assert_int_equal(b.len, 4 * 6);
	assert_int_equal(word(&b, 5), 0);
	ask(&b, "HV0\r", 5 * S);
	ask(&b, "TP?\r", S);
	assert_int_equal(word(&b, 0), 100000000);
	ask(&b, "TP0\rTP?\r", S);
	assert_int_equal(word(&b, 0), 0);
	bench_stop(&b);
}

static void head_without_multiplier_reports_it(void **state)
{
	struct bench b;
	start(&b, "cdem", "no");
	ask(&b, "MO?\r", 0);
	expect(&b, "0\n\r");
	ask(&b, "HV1400\r", 5 * S);
	expect(&b, "8\n\r");
	ask(&b, "HV?\rEM?\rEM?\r", 0);
	expect(&b, "0\n\r128\n\r128\n\r");
	bench_stop(&b);
}

static void over_pressure_trips_filament_and_multiplier(void **state)
{
	struct bench b;
	start(&b, "leak", "20:5", "fixed", "");
	ask(&b, "FL1\rHV1000\r", 10 * S);
	expect(&b, "0\n\r0\n\r");
	wait_until(&b, 21 * S);
	ask(&b, "ER?\r", 0);
	expect(&b, "2\n\r");
	ask(&b, "EF?\rFL?\rHV?\r", 0);
	expect(&b, "32\n\r0.0000\n\r0\n\r");
	ask(&b, "FL1\r", 3 * S + 500 * MS);
	expect(&b, "2\n\r"); /* still bad vacuum */
	wait_until(&b, 26 * S);
	ask(&b, "IN0\r", S);
	expect(&b, "2\n\r");
	ask(&b, "FL1\r", 4 * S);
	expect(&b, "0\n\r");
	ask(&b, "EF?\r", 0);
	expect(&b, "0\n\r");
	bench_stop(&b);
}

static void changing_a_voltage_after_a_trip_lights_nothing(void **state)
{
	struct bench b;
	start(&b, "leak", "20:5", "fixed", "");
	ask(&b, "FL1\r", 19 * S + 900 * MS);
	give(&b, "EE70\r");
	wait_until(&b, 30 * S);
	ask(&b, "FL?\r", 0);
	expect(&b, "0.0000\n\r");
	bench_stop(&b);
}

static void burnt_filaments_show_in_their_byte(void **state)
{
	struct bench b;
	start(&b, "filaments", "1", "fixed", "");
	ask(&b, "FL1\r", 5 * S);
	expect(&b, "2\n\r");
	ask(&b, "FL?\rEF?\r", 0);
	expect(&b, "1.0000\n\r1\n\r");
	bench_stop(&b);
	start(&b, "filaments", "0", "fixed", "");
	ask(&b, "FL1\r", 5 * S);
	expect(&b, "2\n\r");
	ask(&b, "FL?\rEF?\r", 0);
	expect(&b, "0.0000\n\r128\n\r");
	bench_stop(&b);
}

static void broken_hardware_shows_in_status(void **state)
{
	struct bench b;
	start(&b, "hardware", "EQ:128,ED:64,EP:32");
	ask(&b, "ER?\rEQ?\rED?\rEP?\rIN0\r", S);
	expect(&b, "112\n\r128\n\r64\n\r32\n\r112\n\r");
	bench_stop(&b);
}

static void degas_blocks_and_any_byte_ends_it(void **state)
{
	struct bench b;
	start(&b, "fixed", "");
	ask(&b, "DG1\r", 59 * S);
	assert_int_equal(b.len, 0);
	wait_until(&b, b.now + 2 * S);
	expect(&b, "0\n\r");
	ask(&b, "DG*\r", 100 * S);
	ask(&b, "ER?\r", 200 * S);
	expect(&b, "0\n\r");
	bench_stop(&b);
}

static void in2_is_standby_and_in1_has_defaults(void **state)
{
	struct bench b;
	start(&b, "fixed", "");
	ask(&b, "FL2\rHV1200\rNF1\r", 10 * S);
	ask(&b, "IN2\r", 5 * S);
	expect(&b, "0\n\r");
	ask(&b, "FL?\rHV?\rNF?\r", 0);
	expect(&b, "0.0000\n\r0\n\r4\n\r");
	ask(&b, "EE80\rIN1\r", 10 * S);
	ask(&b, "FL?\rEE?\r", 0);
	expect(&b, "1.0000\n\r70\n\r");
	bench_stop(&b);
}

static void overrun_changes_the_byte_count_and_deafens(void **state)
{
	struct bench b;
	start(&b, "overrun", "1", "fixed", "");
	for (int i = 0; i < 10; i++) {
		ask(&b, "MF50\rMI10\rSC1\r", 60 * S);
		assert_int_not_equal(b.len, 1608);
		assert_in_range(b.len, 1608 - 12, 1608 + 8);
		ask(&b, "ID?\r", S);
		assert_int_equal(b.len, 0);
		int tries = 0;
		for (; b.len == 0; tries++)
			ask(&b, "IN0\r", S);
		assert_in_range(tries, 2, 5);
		expect(&b, "0\n\r");
		ask(&b, "HS1\r", 60 * S);
		assert_int_equal(b.len, 4 * 42);
	}
	bench_stop(&b);
}

static void spectrum_shows_the_gases_that_are_there(void **state)
{
	struct bench b;
	start(&b, "gases", "N2:1e-6,ethanol:5e-7");
	ask(&b, "FL1\rMF50\r", 10 * S);
	ask(&b, "NF3\rHS1\r", 60 * S);
	assert_int_equal(b.len, 4 * 51);
	/* 1e-6 Torr at 0.1 mA/Torr is 1e-10 A. */
	assert_in_range(word(&b, 27), 800000, 1400000);
	assert_in_range(word(&b, 30), 1300000, 2400000); /* 31: ethanol's base peak */
	assert_true(word(&b, 44) > 500000);              /* 45 */
	assert_true(abs(word(&b, 39)) < 5000);           /* 40: no argon */
	assert_in_range(word(&b, 50), 100000, 200000);
	ask(&b, "MI28\rMF29\rMI27\rSC1\r", 60 * S);
	assert_int_equal(b.len, 4 * 22);
	assert_true(word(&b, 10) > 5 * word(&b, 15)); /* half a unit away from the peak */
	ask(&b, "FL0\r", S);
	ask(&b, "MR28\r", S);
	assert_true(abs(word(&b, 0)) < 5000);
	bench_stop(&b);
}

static void multiplier_amplifies(void **state)
{
	struct bench b;
	start(&b, "gases", "Ar:1e-9");
	ask(&b, "FL1\r", 10 * S);
	ask(&b, "MR40\r", S);
	double faraday = word(&b, 0);
	ask(&b, "HV1400\r", 10 * S);
	ask(&b, "MR40\r", S);
	assert_true(word(&b, 0) / faraday > 500 && word(&b, 0) / faraday < 2000);
	ask(&b, "HV2490\r", 10 * S);
	ask(&b, "MR40\r", S);
	assert_true(word(&b, 0) > 500000000);
	bench_stop(&b);
}

static double scatter(struct bench *b, const char *command)
{
	double sum = 0;
	ask(b, command, 300 * S);
	size_t n = b->len / 4 - 1;
	assert_true(n > 100);
	for (size_t i = 0; i < n; i++)
		sum += (double)word(b, i) * word(b, i);
	return sum / (double)n;
}

static void slow_scans_are_quieter(void **state)
{
	struct bench b;
	start(&b, "gases", "He:1e-9");
	assert_true(scatter(&b, "MF40\rMI20\rNF7\rSC1\r") > 10 * scatter(&b, "NF1\rSC1\r"));
	bench_stop(&b);
}

static void new_host_finds_an_idle_line_and_a_hot_filament(void **state)
{
	struct bench b;
	start(&b, "fixed", "");
	ask(&b, "FL1\rSC\r", 20 * S);
	assert_true(b.len > 100);
	sim_model_input(b.model, (const uint8_t *)"SC1\rID", 6, b.now);
	sim_model_link_reset(b.model, b.now);
	ask(&b, "ER?\rFL?\r", 10 * S);
	expect(&b, "0\n\r1.0000\n\r");
	bench_stop(&b);
}

static void truth_holds_every_word(void **state)
{
	char *text = NULL;
	size_t size;
	FILE *truth = open_memstream(&text, &size);
	struct bench b;
	start_truth(&b, truth, "fixed", "");
	ask(&b, "MF3\rHS1\r", 10 * S);
	fflush(truth);
	assert_non_null(strstr(text, "\"kind\":\"histogram\",\"mass_first\":1,\"mass_last\":3,"
				     "\"points\":1,\"overrun\":0,"
				     "\"counts\":[12345,-250,100000000,100000000]"));
	bench_stop(&b);
	fclose(truth);
	free(text);
}

static void wrong_identity_is_another_serial(void **state)
{
	struct bench b;
	start(&b, "model", "unset");
	b.faults.strength[FAULT_WRONG_IDENTITY] = 1;
	ask(&b, "ID?\r", 0);
	expect(&b, "SRSRGA???VER0.24SN9990101\n\r");
	bench_stop(&b);
}

static void bad_options_are_rejected(void **state)
{
	static const char *const bad[][2] = {{"model", "400"}, {"gases", "N3"}, {"gases", "N2:1e3"},
		{"gases", "N2:"}, {"gases", "N2:1e-7,"}, {"gases", "N2:-1e-7"}, {"cdem", "maybe"},
		{"overrun", "2"}, {"leak", "5"}, {"leak", "5:x"}, {"hardware", "EX:1"},
		{"hardware", "EQ:256"}, {"hardware", "EQ:1;"}, {"filaments", "3"},
		{"serial", "-1"}};
	struct bench b = {0};
	random_init(&b.random, 1);
	struct sim_env env = {.random = &b.random, .speed = 1};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct sim_options given = {.table = rga_model.options};
		struct sim_model *model;
		assert_int_equal(options_set(&given, bad[i][0], bad[i][1]), 0);
		assert_true(sim_model_create(&rga_model, &given, &env, &model) < 0);
		assert_null(model);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_the_worked_session),
		cmocka_unit_test(case_lf_and_empty_lines_do_not_matter),
		cmocka_unit_test(refusals_are_silent_and_remembered),
		cmocka_unit_test(thirteen_characters_pass_and_fifth_decimal_is_dropped),
		cmocka_unit_test(defaults_are_those_of_the_manual),
		cmocka_unit_test(commands_wait_while_the_head_settles),
		cmocka_unit_test(scan_is_streamed_as_it_is_measured),
		cmocka_unit_test(noise_floor_sets_the_pace),
		cmocka_unit_test(any_byte_aborts_a_scan),
		cmocka_unit_test(counted_scans_follow_each_other),
		cmocka_unit_test(multiplier_switches_total_pressure_off),
		cmocka_unit_test(head_without_multiplier_reports_it),
		cmocka_unit_test(over_pressure_trips_filament_and_multiplier),
		cmocka_unit_test(changing_a_voltage_after_a_trip_lights_nothing),
		cmocka_unit_test(burnt_filaments_show_in_their_byte),
		cmocka_unit_test(broken_hardware_shows_in_status),
		cmocka_unit_test(degas_blocks_and_any_byte_ends_it),
		cmocka_unit_test(in2_is_standby_and_in1_has_defaults),
		cmocka_unit_test(overrun_changes_the_byte_count_and_deafens),
		cmocka_unit_test(spectrum_shows_the_gases_that_are_there),
		cmocka_unit_test(multiplier_amplifies),
		cmocka_unit_test(slow_scans_are_quieter),
		cmocka_unit_test(new_host_finds_an_idle_line_and_a_hot_filament),
		cmocka_unit_test(truth_holds_every_word),
		cmocka_unit_test(wrong_identity_is_another_serial),
		cmocka_unit_test(bad_options_are_rejected),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
