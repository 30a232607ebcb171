/* SPDX-License-Identifier: Apache-2.0 */
/* The session of the analyser, the forms of its data stream, and its refusals. */
#include <math.h>

#include "bench.h"
#include "hiden/hiden.h"

#define start(b, ...) \
	bench_start(b, &hiden_model, SIM_PTY, NULL, (const char *const[]){__VA_ARGS__, NULL})

static const char *say(struct bench *b, const char *command)
{
	char line[200];
	snprintf(line, sizeof line, "%s\r", command);
	send_bytes(b, line, strlen(line));
	assert_true(b->len >= 2 && memcmp(b->sent + b->len - 2, "\r\n", 2) == 0);
	b->sent[b->len - 2] = '\0';
	return (const char *)b->sent;
}

static void set(struct bench *b, const char *command)
{
	assert_string_equal(say(b, command), "");
}

static void set_up(struct bench *b)
{
	static const char *const commands[] = {"pset terse 1", "data stop", "sdel all",
		"lset mode 0", "lset enable 1", "lput F1 0 1", "lput multiplier 0 850",
		"lput emission 20 1000", "lset mode 1", "sset scan Ascans", "sset row 1",
		"sset output mass", "sset start 1.00", "sset stop 50.00", "sset step 1.00",
		"sset input Faraday", "sset dwell 100%", "sset settle 100%", "sset report 5",
		"sset cycles 1", "pset points 100"};
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		set(b, commands[i]);
}

static void run(struct bench *b)
{
	set(b, "data on");
	set(b, "lini Ascans");
	const char *job = say(b, "sjob lget Ascans");
	assert_int_equal(strncmp(job, "task ", 5), 0);
}

static void identity_has_the_printed_form(void **state)
{
	struct bench b;
	start(&b, "serial", "16359");
	send_hex(&b, "70 67 65 74 20 6E 61 6D 65 0D");
	expect_hex(
		&b, "22 48 41 4C 20 52 43 20 52 47 41 20 32 30 31 20 23 31 36 33 35 39 22 0D 0A");
	b.faults.strength[FAULT_WRONG_IDENTITY] = 1;
	assert_string_equal(say(&b, "pget ID"), "\"HAL RC RGA 201 #16360\"");
	bench_stop(&b);
}

static void sweep_is_a_cycle_of_masses_and_values(void **state)
{
	struct bench b;
	start(&b, "pressure", "500");
	set_up(&b);
	run(&b);
	assert_string_equal(say(&b, "sget state"), "Run:");
	assert_string_equal(say(&b, "stat task 1"), "task 1,running");
	assert_string_equal(say(&b, "data all"), "");
	wait_until(&b, b.now + 10 * S);
	const char *text = say(&b, "data all"), *end;
	assert_int_equal(strncmp(text, "[{1.00:", 7), 0);
	double water = 0;
	int n = 0, used;
	text += 2;
	for (double mass, value; sscanf(text, "%lf:%lf,%n", &mass, &value, &used) == 2; n++) {
		assert_true(mass == n + 1);
		water = mass == 18 ? value : water;
		text += used;
	}
	end = text;
	assert_int_equal(n, 50);
	assert_string_equal(end, "}]");
	assert_true(fabs(water / 2.75e-7 - 1) < 0.05);
	assert_string_equal(say(&b, "data"), "*C110*");
	assert_string_equal(say(&b, "stat task 1"), "task 1,stopped");
	assert_null(strstr(say(&b, "sget state"), "Run:"));
	bench_stop(&b);
}

static void trend_has_times(void **state)
{
	struct bench b;
	int first, second, used = 0;
	double value;
	start(&b, "end", "mark");
	set_up(&b);
	set(&b, "sset start 18");
	set(&b, "sset stop 18");
	set(&b, "sset report 17");
	set(&b, "sset row 2");
	set(&b, "sset start 28");
	set(&b, "sset stop 28");
	set(&b, "sset report 17");
	run(&b);
	wait_until(&b, b.now + 1 * S);
	sscanf(say(&b, "data all"), "[/%d/%lf,/%d/%lf,]%n", &first, &value, &second, &value, &used);
	assert_int_equal(used, b.len - 2);
	assert_int_equal(first, 70);
	assert_int_equal(second, 140);
	assert_string_equal(say(&b, "data"), "!");
	bench_stop(&b);
}

static void sweep_with_times_is_an_array(void **state)
{
	struct bench b;
	int ms, used = 0;
	double v;
	start(&b, "stop-excluded", "");
	set_up(&b);
	set(&b, "sset start 1");
	set(&b, "sset stop 4");
	set(&b, "sset report 17");
	run(&b);
	wait_until(&b, b.now + 1 * S);
	sscanf(say(&b, "data all"), "[/%d/{%lf,%lf,%lf},]%n", &ms, &v, &v, &v, &used);
	assert_int_equal(used, b.len - 2);
	bench_stop(&b);
}

static void data_come_in_pieces_of_the_set_size(void **state)
{
	struct bench b;
	char all[4096] = "";
	start(&b, "model", "301");
	set_up(&b);
	set(&b, "pset points 7");
	set(&b, "sset cycles 0");
	run(&b);
	for (int i = 0; i < 60; i++) {
		wait_until(&b, b.now + 250 * MS);
		const char *piece = say(&b, i == 0 ? "data all" : "data");
		int commas = 0;
		for (const char *at = piece; *at != '\0'; at++)
			commas += *at == ':';
		assert_in_range(commas, 0, 7);
		strcat(all, piece);
	}
	assert_non_null(strstr(all, ",}][{1.00:"));
	set(&b, "sset state Stop:");
	wait_until(&b, b.now + 10 * S);
	assert_string_equal(say(&b, "sget state"), "Stop:");
	bench_stop(&b);
}

static void dark_filament_shows_no_gas(void **state)
{
	struct bench b;
	double mass, value;
	start(&b, "pressure", "500");
	set_up(&b);
	set(&b, "sset start 18");
	set(&b, "sset stop 18");
	set(&b, "lset mode 0");
	run(&b);
	wait_until(&b, b.now + 1 * S);
	assert_int_equal(sscanf(say(&b, "data all"), "[%lf:%lf,]", &mass, &value), 2);
	assert_true(fabs(value) < 1e-11);
	assert_string_equal(say(&b, "lget emok"), "0");
	bench_stop(&b);
}

static void trip_puts_the_filament_out(void **state)
{
	struct bench b;
	start(&b, "trip", "112", "trip-after", "2");
	set_up(&b);
	assert_string_equal(say(&b, "lget emok"), "1");
	set(&b, "sset cycles 0");
	set(&b, "sset dwell 1000");
	run(&b);
	wait_until(&b, b.now + 2500 * MS);
	assert_int_equal(strncmp(say(&b, "data all"), "[{", 2), 0);
	assert_string_equal(say(&b, "data"), "*P112*");
	assert_string_equal(say(&b, "lget ptrip"), "1");
	assert_string_equal(say(&b, "lget emok"), "0");
	bench_stop(&b);
}

static void wrong_commands_are_refused(void **state)
{
	static const char *const wrong[] = {"sset row 0", "sset row 9", "sset start 0",
		"sset stop 201", "sset step 0", "sset input Foo", "sset report 0", "lset focus 1",
		"lset multiplier 2001", "lput emission 20", "lget Foo", "PGET name", "pget",
		"pset x 1", "pset points 0", "lini Bscans", "sjob lget Bscans", "stat task 9",
		"stop 9", "data x", "sset dwell 0", "sset state Foo:", "sset row 1.5", "quit now",
		""};
	struct bench b;
	start(&b, "model", "201");
	assert_string_equal(say(&b, "sset row 1"), "*C042"); /* without a scan */
	assert_string_equal(say(&b, "data"), "*C042");       /* not switched on */
	set_up(&b);
	assert_string_equal(say(&b, "sjob lget Ascans"), "*C042"); /* not initialised */
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_string_equal(say(&b, wrong[i]), "*C042");
	run(&b);
	assert_string_equal(say(&b, "sset start 2"), "*C042");
	assert_string_equal(say(&b, "sjob lget Ascans"), "*C042");
	set(&b, "sset state Abort:");
	set(&b, "sset start 2");
	bench_stop(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identity_has_the_printed_form),
		cmocka_unit_test(sweep_is_a_cycle_of_masses_and_values),
		cmocka_unit_test(trend_has_times),
		cmocka_unit_test(sweep_with_times_is_an_array),
		cmocka_unit_test(data_come_in_pieces_of_the_set_size),
		cmocka_unit_test(dark_filament_shows_no_gas),
		cmocka_unit_test(trip_puts_the_filament_out),
		cmocka_unit_test(wrong_commands_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
