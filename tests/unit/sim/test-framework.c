/* SPDX-License-Identifier: Apache-2.0 */
/* The shared framework: random numbers, faults, options, reserved serial numbers. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "framework/sim.h"
#include "models.h"

static void same_seed_makes_the_same_numbers(void **state)
{
	struct sim_random a, b, c;
	random_init(&a, 42);
	random_init(&b, 42);
	random_init(&c, 43);
	bool differs = false;
	for (int i = 0; i < 100; i++) {
		uint64_t v = random_u64(&a);
		assert_true(v == random_u64(&b));
		differs |= v != random_u64(&c);
	}
	assert_true(differs);
}

static void numbers_are_spread_as_they_say(void **state)
{
	enum { N = 100000 };
	struct sim_random random;
	double unit = 0, normal = 0, squares = 0;
	random_init(&random, 5);
	for (int i = 0; i < N; i++) {
		double u = random_unit(&random), z = random_normal(&random);
		assert_true(u >= 0 && u < 1);
		unit += u;
		normal += z;
		squares += z * z;
	}
	assert_true(fabs(unit / N - 0.5) < 5 / sqrt(12.0 * N));
	assert_true(fabs(normal / N) < 5 / sqrt(N));
	assert_true(fabs(squares / N - 1) < 5 * sqrt(2.0 / N));
	assert_false(random_chance(&random, 0));
	assert_true(random_chance(&random, 1));
}

static void fault_switches_are_read_strictly(void **state)
{
	static const char *const bad[] = {"", "stale", "stale=", "stale=1.5", "stale=-0.1",
		"stale=x", "stale=0.1x", "stale=on", "stales=0.1", "disconnect=5parsec",
		"disconnect=-1s", "garbage=2000", "busy=2", "busy=", "=1", "stale=nan", "stale=inf",
		"disconnect=x", "OFF", "drop=0.5"};
	struct sim_faults faults = {.strength[FAULT_STALE] = 0.5};
	const struct sim_faults before = faults;
	char error[512];
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		error[0] = '\0';
		assert_int_equal(fault_set(&faults, bad[i], 0, error, sizeof(error)), -EINVAL);
		assert_non_null(strstr(error, "accept"));
		assert_memory_equal(&faults, &before, sizeof(faults));
	}
}

static void fault_switches_are_taken_and_printed(void **state)
{
	struct sim_faults faults = {0};
	char text[256];
	static const char *const good[] = {
		"stale=0.25", "garbage=20", "busy", "wrong-identity=0.5", "disconnect=5s"};
	fault_print(&faults, text, sizeof(text));
	assert_string_equal(text, "off");
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(fault_set(&faults, good[i], 100, text, sizeof(text)), 0);
	fault_print(&faults, text, sizeof(text));
	assert_string_equal(text, "garbage=20 stale=0.25 disconnect wrong-identity=0.5 busy=1");
	assert_int_equal(fault_set(&faults, "stale=off", 100, text, sizeof(text)), 0);
	assert_true(faults.strength[FAULT_STALE] == 0);
	assert_int_equal(fault_set(&faults, "off", 100, text, sizeof(text)), 0);
	fault_print(&faults, text, sizeof(text));
	assert_string_equal(text, "off");
}

static void short_buffers_for_faults_do_not_overflow(void **state)
{
	struct sim_faults faults = {0};
	char text[256];
	for (enum sim_fault f = 0; f < FAULT_COUNT; f++)
		faults.strength[f] = 0.123456;
	for (size_t size = 1; size < sizeof(text); size++) {
		memset(text, 'x', sizeof(text));
		fault_print(&faults, text, size);
		assert_true(strlen(text) < size);
		if (size < sizeof(text))
			assert_int_equal(text[size], 'x');
	}
}

static void timed_outage_ends_by_itself(void **state)
{
	struct sim_faults faults = {0};
	struct sim_random random;
	char text[256];
	const uint64_t s = UINT64_C(1000000000);
	random_init(&random, 1);
	assert_int_equal(fault_set(&faults, "disconnect=5s", 10 * s, text, sizeof(text)), 0);
	assert_true(fault_strikes(&faults, FAULT_DISCONNECT, &random, 14 * s));
	assert_false(fault_strikes(&faults, FAULT_DISCONNECT, &random, 15 * s));
	assert_int_equal(fault_set(&faults, "disconnect", 20 * s, text, sizeof(text)), 0);
	assert_true(fault_strikes(&faults, FAULT_DISCONNECT, &random, 2000 * s));
}

static void numbers_are_plain_decimals(void **state)
{
	static const char *const bad[] = {"", "-", ".", "1e3", "0x10", "nan", "inf", " 1", "1 ",
		"1,5", "1.2.3", "--1", "+1", "9999999999999999999999"};
	double v;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(number_parse(bad[i], &v), -EINVAL);
	assert_int_equal(number_parse("-12.5", &v), 0);
	assert_true(v == -12.5);
	assert_int_equal(number_parse("0.1", &v), 0);
	assert_true(v == 0.1);
}

static void durations_carry_units(void **state)
{
	uint64_t ns;
	assert_int_equal(duration_parse("250ms", &ns), 0);
	assert_true(ns == UINT64_C(250000000));
	assert_int_equal(duration_parse("1.5", &ns), 0);
	assert_true(ns == UINT64_C(1500000000));
	assert_int_equal(duration_parse("2min", &ns), 0);
	assert_true(ns == UINT64_C(120000000000));
	assert_int_equal(duration_parse("5 s", &ns), -EINVAL);
	assert_int_equal(duration_parse("1e9s", &ns), -EINVAL);
}

static const struct sim_model_ops *simulates(const char *driver)
{
	for (size_t i = 0; sim_models[i] != NULL; i++) {
		const struct sim_model_ops *ops = sim_models[i];
		if (strcmp(ops->driver != NULL ? ops->driver : ops->name, driver) == 0)
			return ops;
	}
	return NULL;
}

/* The daemon reads the file; each model has its own range. */
static void reserved_serials_are_those_of_the_file(void **state)
{
	FILE *file = fopen(RESERVED_SERIALS, "re");
	assert_non_null(file);
	char line[256], name[64];
	unsigned first, last, found = 0, expected = 0;
	assert_non_null(fgets(line, sizeof(line), file));
	assert_string_equal(line, "driver,first,last,note\n");
	while (fgets(line, sizeof(line), file) != NULL) {
		assert_int_equal(sscanf(line, "%63[^,],%u,%u,", name, &first, &last), 3);
		struct sim_model m = {.ops = simulates(name)};
		if (m.ops == NULL)
			continue; /* built without its library */
		found++;
		assert_true(sim_serial_is_reserved(&m, first) && sim_serial_is_reserved(&m, last));
		assert_false(sim_serial_is_reserved(&m, first - 1));
		assert_false(sim_serial_is_reserved(&m, last + 1));
	}
	fclose(file);
	for (size_t i = 0; sim_models[i] != NULL; i++)
		expected += sim_models[i]->serial_last > 0;
	assert_int_equal(found, expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_seed_makes_the_same_numbers),
		cmocka_unit_test(numbers_are_spread_as_they_say),
		cmocka_unit_test(fault_switches_are_read_strictly),
		cmocka_unit_test(fault_switches_are_taken_and_printed),
		cmocka_unit_test(short_buffers_for_faults_do_not_overflow),
		cmocka_unit_test(timed_outage_ends_by_itself),
		cmocka_unit_test(numbers_are_plain_decimals),
		cmocka_unit_test(durations_carry_units),
		cmocka_unit_test(reserved_serials_are_those_of_the_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
