/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/quantity.h"
#include "record/units.h"

static double read_as(const char *text, const char *unit)
{
	char why[QUANTITY_TEXT] = "";
	double value = -1;
	if (quantity_read(text, unit, &value, why) != 0)
		fail_msg("'%s' in %s: %s", text, unit, why);
	return value;
}

static void expect_why(const char *text, const char *unit, const char *phrase)
{
	char why[QUANTITY_TEXT] = "";
	double value;
	assert_int_equal(quantity_read(text, unit, &value, why), -EINVAL);
	if (strstr(why, phrase) == NULL)
		fail_msg("'%s' in %s: '%s' lacks '%s'", text, unit, why, phrase);
}

static void quantities_are_converted_to_the_wanted_unit(void **state)
{
	assert_true(read_as("60s", "s") == 60);
	assert_true(read_as("5 min", "s") == 300);
	assert_true(read_as("1h", "s") == 3600);
	assert_true(read_as("2 weeks", "d") == 14);
	assert_true(read_as("4y", "d") == 1461);
	assert_true(read_as("10 eV", "keV") == 0.01);
	assert_true(read_as("0 keV", "keV") == 0);
	assert_true(read_as("0.5 mA", "uA") == 500);
	assert_true(read_as("25 Cel", "K") == 298.15);
	assert_true(read_as("25 °C", "Cel") == 25);
	assert_true(read_as("5 \302\265s", "us") == 5);
	assert_true(read_as("1013.25 hPa", "mbar") == 1013.25);
	assert_true(read_as("760 Torr", "Pa") == 101325);
	assert_true(read_as("200GiB", "By") == 214748364800.0);
	assert_true(read_as("4 1/cm", "cm-1") == 4);
	assert_true(read_as("5 %", "1") == 0.05);
	assert_true(read_as("-1.5e-3 mbar", "Pa") == -0.15);
	assert_true(read_as("3 {count}", "{count}") == 3);
	assert_true(read_as("3 mg/L", "mg/L") == 3);
}

static void one_meaning_has_one_value(void **state)
{
	assert_true(read_as("0.01 keV", "keV") == read_as("10eV", "keV"));
	assert_true(read_as("60000 ms", "s") == read_as("1 min", "s"));
	double zero = read_as("-0 s", "s");
	assert_int_equal(memcmp(&zero, &(double){0}, sizeof zero), 0);
}

/*
 * Decimals of every unit and digit, against the decimal that a person gets by moving the point.
 * Other factors are whole numbers here: both sides are exact.
 */
static void a_conversion_rounds_once(void **state)
{
	static const struct {
		const char *from, *to;
		int power;
	} shifts[] = {{"eV", "keV", -3}, {"keV", "eV", 3}, {"eV", "MeV", -6}, {"ms", "s", -3},
		{"s", "ms", 3}, {"ns", "s", -9}, {"s", "us", 6}, {"V", "kV", -3}, {"mV", "kV", -6},
		{"uA", "mA", -3}, {"pA", "A", -12}, {"A", "pA", 12}, {"nm", "m", -9},
		{"cm", "mm", 1}, {"mm", "cm", -1}, {"mbar", "bar", -3}, {"hPa", "mbar", 0},
		{"Pa", "mbar", -2}, {"mbar", "Pa", 2}, {"ppm", "%", -4}, {"%", "1", -2},
		{"[ppb]", "1", -9}, {"mg/kg", "%", -4}, {"mL/min", "L/min", -3},
		{"uL/min", "mL/min", -3}, {"ug/m3", "mg/m3", -3}, {"cm/s", "m/s", -2},
		{"cm-1", "m-1", 2}, {"kB", "By", 3}, {"g", "kg", -3}};
	static const struct {
		const char *from, *to;
		double factor;
	} times[] = {{"min", "s", 60}, {"h", "min", 60}, {"d", "h", 24}, {"KiB", "By", 1024},
		{"mL/min", "uL/min", 1000}, {"K/s", "K/min", 60}, {"wk", "d", 7}};
	for (int n = -20000; n <= 20000; n += 7) {
		for (size_t i = 0; i < sizeof shifts / sizeof shifts[0]; i++) {
			char text[60], expected[60];
			snprintf(text, sizeof text, "%d.%03d %s", n / 1000, abs(n % 1000),
				shifts[i].from);
			snprintf(expected, sizeof expected, "%de%d",
				n / 1000 * 1000 + (n < 0 && n / 1000 != 0 ? -1 : 1) * abs(n % 1000),
				shifts[i].power - 3);
			if (read_as(text, shifts[i].to) != strtod(expected, NULL))
				fail_msg("%s in %s is not %s", text, shifts[i].to, expected);
		}
		for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
			char text[60];
			snprintf(text, sizeof text, "%de-3 %s", n, times[i].from);
			if (read_as(text, times[i].to) != n * times[i].factor / 1000)
				fail_msg("%s in %s", text, times[i].to);
		}
	}
	assert_true(read_as("10.758 eV", "keV") == 0.010758);
	assert_true(read_as("1.0758e1 eV", "keV") == 0.010758);
	assert_true(read_as("0e99999999999999999999 eV", "keV") == 0);
}

static void messages_say_what_was_expected(void **state)
{
	expect_why("60", "s", "expected a time such as 60 s: its unit is missing");
	expect_why("10 s", "keV", "expected an energy such as 10 eV");
	expect_why("10 kev", "keV", "did you mean 'keV'?");
	expect_why("10 mbarr", "Pa", "did you mean 'mbar'?");
	expect_why("ten eV", "keV", "expected an energy such as 10 eV");
	expect_why("5 s", "1", "expected a number");
	expect_why("5", "mg/L", "expected a value with its unit such as 5 mg/L");
	expect_why("5 g", "mg/L", "expected a value in mg/L");
	expect_why("1e999 s", "s", "expected a time");
	expect_why("nan", "1", "expected a number");
	expect_why("", "1", "expected a number");
	expect_why(". s", "s", "expected a time");
	expect_why("1. s", "s", "expected a time");
	expect_why("1 sssssssssssssssssssssssssssssssssssssssssssss", "s", "expected a time");
}

static void numbers_do_not_depend_on_the_locale(void **state)
{
	double value;
	const char *names[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "C"};
	for (size_t i = 0; i < 3; i++) {
		setlocale(LC_ALL, names[i]);
		assert_int_equal(quantity_parse_number("1.5", &value), 0);
		assert_true(value == 1.5);
		assert_int_equal(quantity_parse_number("1,5", &value), -EINVAL);
	}
	setlocale(LC_ALL, "C");
	assert_int_equal(quantity_parse_number("0x10", &value), -EINVAL);
	assert_int_equal(quantity_parse_number("inf", &value), -EINVAL);
	assert_int_equal(quantity_parse_number("1e", &value), -EINVAL);
	assert_int_equal(quantity_parse_number(" 1", &value), -EINVAL);
}

static void integers_are_decimal_or_hexadecimal(void **state)
{
	int64_t value;
	assert_int_equal(quantity_parse_integer("0x842A", &value), 0);
	assert_int_equal(value, 0x842a);
	assert_int_equal(quantity_parse_integer("-9223372036854775808", &value), 0);
	assert_true(value == INT64_MIN);
	assert_int_equal(quantity_parse_integer("9223372036854775807", &value), 0);
	assert_true(value == INT64_MAX);
	assert_int_equal(quantity_parse_integer("9223372036854775808", &value), -ERANGE);
	assert_int_equal(quantity_parse_integer("017", &value), -EINVAL);
	assert_int_equal(quantity_parse_integer("1_000", &value), -EINVAL);
	assert_int_equal(quantity_parse_integer("0x", &value), -EINVAL);
	assert_int_equal(quantity_parse_integer("-", &value), -EINVAL);
	assert_int_equal(quantity_parse_integer("1.0", &value), -EINVAL);
	assert_int_equal(quantity_parse_integer("0", &value), 0);
	assert_int_equal(value, 0);
}

static void every_spelling_of_a_unit_reads_back(void **state)
{
	const char *wanted[] = {"s", "keV", "Pa", "K", "A", "mL/min", "1", "By", "cm-1"};
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		const char *written;
		size_t n = 0;
		for (; (written = quantity_spelling(wanted[i], n)) != NULL; n++) {
			char text[40], why[QUANTITY_TEXT];
			double value;
			snprintf(text, sizeof text, "1 %s", written);
			assert_int_equal(quantity_read(text, wanted[i], &value, why), 0);
			assert_non_null(quantity_unit(written));
		}
		assert_true(n >= 2);
	}
	assert_string_equal(quantity_spelling("mg/L", 0), "mg/L");
	assert_null(quantity_spelling("mg/L", 1));
	assert_null(quantity_unit("furlong"));
}

/* A setup is recorded with the unit it was written in. */
static void every_unit_that_may_be_written_may_be_recorded(void **state)
{
	const char *dimensions[] = {"1", "s", "By", "eV", "m", "cm-1", "K", "Pa", "A", "V", "W",
		"Ohm", "Hz", "g", "u", "L", "mL/min", "mg/m3", "K/min", "deg", "m/s"};
	for (size_t i = 0; i < sizeof dimensions / sizeof dimensions[0]; i++) {
		const char *written;
		for (size_t n = 0; (written = quantity_spelling(dimensions[i], n)) != NULL; n++) {
			const char *code = quantity_unit(written);
			if (unit_find((struct assay_string){code, strlen(code)}) == NULL)
				fail_msg("%s is no unit of a record", code);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantities_are_converted_to_the_wanted_unit),
		cmocka_unit_test(one_meaning_has_one_value),
		cmocka_unit_test(a_conversion_rounds_once),
		cmocka_unit_test(messages_say_what_was_expected),
		cmocka_unit_test(numbers_do_not_depend_on_the_locale),
		cmocka_unit_test(integers_are_decimal_or_hexadecimal),
		cmocka_unit_test(every_spelling_of_a_unit_reads_back),
		cmocka_unit_test(every_unit_that_may_be_written_may_be_recorded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
