/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values that are computed from several registers, texts, repeated rows, components by code, and
 * the instrument's time.  Expected numbers are decimal texts, or are built up bit by bit here.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host.h"
#include "modbus-map/decode.h"
#include "rows.h"

extern const struct assay_driver *const assay_driver;

static int setup(void **state)
{
	*state = host_create(assay_driver, ASSAY_LINK_MODBUS_TCP);
	return 0;
}

static int teardown(void **state)
{
	host_destroy(*state);
	return 0;
}

/* Decodes holding registers from 0 on. */
static void decode(struct host *h, const uint16_t *registers, unsigned count)
{
	uint8_t wire[250];
	char name[24];
	for (unsigned i = 0; i < count; i++) {
		wire[2 * i] = (uint8_t)(registers[i] >> 8);
		wire[2 * i + 1] = (uint8_t)registers[i];
	}
	snprintf(name, sizeof(name), "holding 0+%u", count);
	struct assay_bytes raw = {MAP_MEDIA_REGISTERS, name, wire, 2 * (size_t)count};
	assert_int_equal(host_decode_bytes(h, &raw, 1, NULL, 0), 0);
}

static void assert_missing(const struct host *h, const char *item, const char *reason)
{
	assert_non_null(host_find(h, "missing"));
	assert_string_equal(host_find(h, "missing")->text, item);
	assert_true(host_has_reason(h, reason));
}

static void expect_decimal(struct host *h, const char *expected)
{
	const struct assay_variable *x = host_find(h, "x");
	assert_non_null(x);
	if (host_element(x, 0) != strtod(expected, NULL))
		fail_msg("%.17g is not %s", host_element(x, 0), expected);
}

/* number * 10^part, number / 10^part and number * code for every number, part and scale. */
static void a_power_or_factor_of_a_register_costs_no_digit(void **state)
{
	static const char *const scales[] = {"1", "0.1", "100", "0.025"};
	static const int scale_digits[] = {1, 1, 1, 25}, scale_powers[] = {0, -1, 2, -3};
	static const char *const uses[] = {"exponent", "decimals", "factor"};
	for (size_t s = 0; s < 4; s++)
		for (size_t use = 0; use < 3; use++) {
			struct host *h = host_create(assay_driver, ASSAY_LINK_MODBUS_TCP);
			char row[128], expected[64];
			snprintf(row, sizeof(row),
				"name=x table=holding address=0 type=int16 scale=%s %s=p",
				scales[s], uses[use]);
			rows_add(h, "points", row);
			rows_add(h, "parts",
				use < 2 ? "name=p table=holding address=1 type=int16"
					: "name=p table=holding address=1 type=int16 "
					  "codes=-3=0.001 "
					  "codes=-1=0.1 codes=0=1 codes=3=1000");
			for (int n = -32768; n <= 32767; n += 1311)
				for (int p = -3; p <= 3; p += 1 + 2 * (p == -3 || p == 0)) {
					uint16_t registers[] = {(uint16_t)n, (uint16_t)p};
					int power = scale_powers[s] + (use == 1 ? -p : p);
					if (use == 2 && p == -1)
						power = scale_powers[s] - 1;
					snprintf(expected, sizeof(expected), "%de%d",
						n * scale_digits[s], power);
					if (use == 2 && p != -3 && p != -1 && p != 0 && p != 3)
						continue;
					decode(h, registers, 2);
					expect_decimal(h, expected);
					assert_int_equal(
						host_find(h, "x")->type, ASSAY_SCALAR_FLOAT);
					assert_int_equal(h->frame.setting_count, 1);
				}
			host_destroy(h);
		}
	(void)state;
}

static void a_part_that_is_no_power_or_code_takes_the_value_away(void **state)
{
	struct host *h = *state;
	static const uint16_t far[] = {5, 23}, unknown[] = {5, 9};
	rows_add(h, "points", "name=x table=holding address=0 exponent=p");
	rows_add(h, "parts", "name=p table=holding address=1 type=int16");
	decode(h, far, 2);
	assert_null(host_find(h, "x"));
	assert_missing(h, "x", "out-of-range");
	assert_int_equal(h->frame.flag, ASSAY_MISSING);
	decode(h, far, 1);
	assert_null(host_find(h, "x"));
	assert_missing(h, "x", "truncated");
	host_destroy(h);
	h = *state = host_create(assay_driver, ASSAY_LINK_MODBUS_TCP);
	rows_add(h, "points", "name=x table=holding address=0 factor=p");
	rows_add(h, "parts", "name=p table=holding address=1 codes=0=1 codes=0x10=10");
	decode(h, unknown, 2);
	assert_missing(h, "x", "device-warning");
}

/* The value of a mask, bit by bit. */
static void a_mask_picks_neighbouring_bits(void **state)
{
	for (unsigned first = 0; first < 32; first += 3)
		for (unsigned bits = 1; first + bits <= 32; bits += 2) {
			struct host *h = host_create(assay_driver, ASSAY_LINK_MODBUS_TCP);
			char row[128];
			uint64_t mask = ((UINT64_C(1) << bits) - 1) << first, expected = 0;
			uint32_t number = 0xA5C3F01Eu * (first + 7 * bits);
			uint16_t registers[] = {(uint16_t)(number >> 16), (uint16_t)number};
			for (unsigned b = 0; b < bits; b++)
				expected += (uint64_t)(number >> (first + b) & 1) << b;
			snprintf(row, sizeof(row),
				"name=x table=holding address=0 type=uint32 mask=0x%llx",
				(unsigned long long)mask);
			rows_add(h, "points", row);
			decode(h, registers, 2);
			assert_int_equal(host_find(h, "x")->integer, expected);
			host_destroy(h);
		}
	(void)state;
}

static void decimal_digits_are_a_number_and_others_are_none(void **state)
{
	struct host *h = *state;
	rows_add(h, "points", "name=x table=holding address=0 type=bcd16");
	rows_add(h, "points", "name=y table=holding address=0 type=bcd32");
	for (unsigned v = 0; v <= 0xffff; v += 7) {
		uint16_t registers[] = {(uint16_t)v, 0x0042};
		char digits[16];
		snprintf(digits, sizeof(digits), "%x", v);
		bool is_decimal = strspn(digits, "0123456789") == strlen(digits);
		decode(h, registers, 2);
		assert_int_equal(host_find(h, "x") != NULL, is_decimal);
		assert_int_equal(host_find(h, "y") != NULL, is_decimal);
		if (!is_decimal)
			assert_missing(h, "x, y", "out-of-range");
		else {
			assert_int_equal(host_find(h, "x")->integer, atoi(digits));
			assert_int_equal(host_find(h, "y")->integer, atoi(digits) * 10000 + 42);
		}
		host_reset(h);
	}
}

/* A scale: bit 16 of the weight, its sign and its decimals in a register before it. */
static void a_weight_of_17_bits_has_its_sign_and_point_elsewhere(void **state)
{
	struct host *h = *state;
	static const struct {
		uint16_t status, low;
		const char *expected;
	} cases[] = {{0x0000, 1234, "1234"}, {0x0002, 1234, "12.34"}, {0x000b, 1, "65.537"},
		{0x0008, 0, "65536"}, {0x001a, 0xffff, "-1310.71"}, {0x0011, 5, "-0.5"}};
	rows_add(h, "points", "name=x table=holding address=1 unit=kg high=h sign=s decimals=d");
	rows_add(h, "parts", "name=d table=holding address=0 mask=0x7");
	rows_add(h, "parts", "name=h table=holding address=0 mask=0x8");
	rows_add(h, "parts", "name=s table=holding address=0 mask=0x10");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint16_t registers[] = {cases[i].status, cases[i].low};
		decode(h, registers, 2);
		expect_decimal(h, cases[i].expected);
	}
	assert_string_equal(
		h->frame.settings[0].v.text, "x = (number + h * 2^16) * 0.1 + 0, negative by s");
}

static void a_status_has_bits_up_to_31(void **state)
{
	for (unsigned bit = 0; bit < 32; bit++) {
		struct host *h = host_create(assay_driver, ASSAY_LINK_MODBUS_TCP);
		char row[128];
		uint32_t number = UINT32_C(1) << bit;
		uint16_t on[] = {(uint16_t)(number >> 16), (uint16_t)number};
		uint16_t off[] = {(uint16_t)~on[0], (uint16_t)~on[1]};
		snprintf(row, sizeof(row),
			"name=st table=holding address=0 type=uint32 bit=%u quality=bad", bit);
		rows_add(h, "status", row);
		decode(h, on, 2);
		assert_int_equal(host_find(h, "st")->integer, 1);
		assert_int_equal(h->frame.flag, ASSAY_BAD);
		decode(h, off, 2);
		assert_int_equal(host_find(h, "st")->integer, 0);
		assert_int_equal(h->frame.flag, ASSAY_GOOD);
		host_destroy(h);
	}
	(void)state;
}

static void a_text_is_a_variable_unless_it_is_empty(void **state)
{
	struct host *h = *state;
	static const uint16_t co[] = {0x434f, 0x2020, 0x0000, 0x4f43, 0x2020, 0x0032};
	static const uint16_t empty[] = {0x2020, 0x2020, 0xffff, 0, 0, 0};
	rows_add(h, "points", "name=gas table=holding address=0 type=text registers=3 role=aux");
	rows_add(h, "points",
		"name=swapped table=holding address=3 type=text registers=3 role=aux "
		"word_order=badc");
	rows_add(h, "points", "name=n table=holding address=0");
	decode(h, co, 6);
	assert_int_equal(host_find(h, "gas")->type, ASSAY_SCALAR_TEXT);
	assert_string_equal(host_find(h, "gas")->text, "CO");
	assert_string_equal(host_find(h, "swapped")->text, "CO  2");
	decode(h, empty, 6);
	assert_null(host_find(h, "gas"));
	assert_null(host_find(h, "missing"));
	decode(h, co, 2);
	assert_missing(h, "gas, swapped", "truncated");
}

/* Eight channels, each with its own exponent, typed once. */
static void a_repeated_row_is_as_many_variables(void **state)
{
	struct host *h = *state;
	uint16_t registers[40];
	char name[24], expected[24];
	rows_add(h, "points",
		"name=x table=holding address=0 type=uint32 unit=V repeat=8 step=5 decimals=d");
	rows_add(h, "points", "name=y table=holding address=3 repeat=8 step=5 factor=k");
	rows_add(h, "parts", "name=d table=holding address=2 repeat=8 step=5");
	rows_add(h, "parts", "name=k table=holding address=4");
	rows_add(h, "status", "name=st table=holding address=4 repeat=8 step=5 bit=0 of=x");
	for (unsigned i = 0; i < 40; i++)
		registers[i] = (uint16_t)(i % 5 == 2 ? i / 5 % 4 : i);
	decode(h, registers, 40);
	for (unsigned c = 0; c < 8; c++) {
		unsigned at = 5 * c;
		snprintf(name, sizeof(name), "x_%u", c + 1);
		snprintf(expected, sizeof(expected), "%ue-%u", at * 65536 + at + 1, c % 4);
		assert_true(host_element(host_find(h, name), 0) == strtod(expected, NULL));
		snprintf(name, sizeof(name), "y_%u", c + 1);
		assert_true(host_element(host_find(h, name), 0) == (at + 3) * 4);
		snprintf(name, sizeof(name), "st_%u", c + 1);
		assert_int_equal(host_find(h, name)->integer, (at + 4) & 1);
		snprintf(expected, sizeof(expected), "x_%u", c + 1);
		assert_string_equal(host_find(h, name)->of, expected);
	}
	assert_string_equal(h->frame.settings[8].said, "scaling_2_1");
	host_check(h);
	assert_string_equal(h->found, "");
}

static void the_analyte_of_a_slot_is_its_code(void **state)
{
	struct host *h = *state;
	static const char *const components[] = {"code=100 analyte=methane cas=74-82-8",
		"code=114 analyte=nitrogen label=N2", "code=117 analyte=CO2", "code=0", NULL};
	static const uint16_t good[] = {117, 100, 0, 114, 5, 900, 0, 95};
	static const uint16_t odd[] = {117, 100, 55, 117, 5, 900, 7, 95};
	host_set(h, "basis", "dry");
	rows_add_all(h, "components", components);
	rows_add(h, "parts", "name=slot table=holding address=0 repeat=4");
	rows_add(h, "points",
		"name=mole_fraction table=holding address=4 unit=% scale=0.1 repeat=4 "
		"component=slot");
	host_check(h);
	assert_string_equal(h->found, "");
	decode(h, good, 8);
	assert_int_equal(h->frame.var_count, 3);
	const struct assay_variable *v = host_find_of(h, "mole_fraction", "methane");
	assert_true(v->real == 90);
	assert_string_equal(v->cas, "74-82-8");
	assert_string_equal(v->basis, "dry");
	v = host_find_of(h, "mole_fraction", "nitrogen");
	assert_true(v->real == 9.5);
	assert_string_equal(v->label, "N2");
	assert_true(host_find_of(h, "mole_fraction", "CO2")->real == 0.5);
	assert_int_equal(h->frame.flag, ASSAY_GOOD);
	decode(h, odd, 8);
	assert_missing(
		h, "mole_fraction code 55, mole_fraction code 117 (twice)", "device-warning");
	assert_true(host_find_of(h, "mole_fraction", "CO2")->real == 0.5);
	decode(h, good, 3);
	assert_int_equal(h->frame.flag, ASSAY_MISSING);
}

/* Layouts of clocks; the time as the frame has it, NULL: none. */
static void the_instruments_time_is_that_of_its_registers(void **state)
{
	static const struct {
		const char *parts[8];
		uint16_t registers[6];
		const char *expected;
	} cases[] = {
		{{"name=y table=holding address=0 time=year",
			 "name=o table=holding address=1 time=month",
			 "name=d table=holding address=2 time=day",
			 "name=h table=holding address=3 time=hour",
			 "name=i table=holding address=4 time=minute",
			 "name=s table=holding address=5 time=second"},
			{2026, 11, 30, 7, 5, 9}, "2026-11-30T07:05:09"},
		{{"name=y table=holding address=0 type=bcd16 time=year add=2000",
			 "name=o table=holding address=1 type=uint16 mask=0xff00 time=month",
			 "name=d table=holding address=1 mask=0xff time=day",
			 "name=h table=holding address=2 type=bcd16 time=hour",
			 "name=i table=holding address=3 time=minute"},
			{0x26, 0x0c1f, 0x23, 59}, "2026-12-31T23:59"},
		{{"name=e table=holding address=0 type=uint32 time=epoch"}, {0x6553, 0xf100},
			"1700000000"},
		{{"name=y table=holding address=0 time=year",
			 "name=o table=holding address=1 time=month"},
			{2026, 13}, NULL},
		{{"name=y table=holding address=0 type=bcd16 time=year"}, {0x20a0}, NULL},
		{{"name=e table=holding address=0 type=uint32 time=epoch"}, {0, 0}, NULL},
		{{"name=e table=holding address=0"}, {1}, NULL},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct host *h = host_create(assay_driver, ASSAY_LINK_MODBUS_TCP);
		rows_add_all(h, "parts", cases[i].parts);
		rows_add(h, "points", "name=x table=holding address=0");
		host_check(h);
		assert_string_equal(h->found, "");
		decode(h, cases[i].registers, 6);
		if (cases[i].expected == NULL)
			assert_true(
				h->frame.device_time == NULL || h->frame.device_time[0] == '\0');
		else
			assert_string_equal(h->frame.device_time, cases[i].expected);
		host_destroy(h);
	}
	(void)state;
}

/* Daniel and Enron: one address is four bytes. */
static void a_register_of_32_bits_has_one_address(void **state)
{
	struct host *h = *state;
	static const uint8_t wire[] = {0x3c, 0xfd, 0xf3, 0xb6, 0x3f, 0xa0, 0, 0, 0x42, 0xbc, 0x66,
		0x66, 0x3f, 0x59, 0x99, 0x9a};
	struct assay_bytes raw = {MAP_MEDIA_REGISTERS, "holding32 7001+4", wire, sizeof(wire)};
	static const float expected[] = {0.031f, 1.25f, 94.2f, 0.85f};
	char name[24];
	rows_add(h, "points", "name=x table=holding32 address=7001 repeat=4");
	rows_add(h, "points", "name=y table=holding32 address=7002 type=uint32");
	rows_add(h, "points", "name=z table=holding32 address=7003 type=uint64");
	assert_int_equal(host_decode_bytes(h, &raw, 1, NULL, 0), 0);
	for (unsigned i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "x_%u", i + 1);
		assert_true(host_find(h, name)->real == (double)expected[i]);
	}
	assert_int_equal(host_find(h, "y")->integer, 0x3fa00000);
	assert_int_equal(host_find(h, "z")->integer, 0x42bc66663f59999a);
	raw.len = 8;
	assert_int_equal(host_decode_bytes(h, &raw, 1, NULL, 0), -EBADMSG);
	rows_add(h, "points", "name=w table=input32 address=7001 type=int16");
	host_check(h);
	assert_string_equal(h->found, "error points[3].type: 'w': a register of input32 has 32 "
				      "bits: this type has not\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_power_or_factor_of_a_register_costs_no_digit),
		cmocka_unit_test_setup_teardown(
			a_part_that_is_no_power_or_code_takes_the_value_away, setup, teardown),
		cmocka_unit_test(a_mask_picks_neighbouring_bits),
		cmocka_unit_test_setup_teardown(
			decimal_digits_are_a_number_and_others_are_none, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_weight_of_17_bits_has_its_sign_and_point_elsewhere, setup, teardown),
		cmocka_unit_test(a_status_has_bits_up_to_31),
		cmocka_unit_test_setup_teardown(
			a_text_is_a_variable_unless_it_is_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_repeated_row_is_as_many_variables, setup, teardown),
		cmocka_unit_test_setup_teardown(the_analyte_of_a_slot_is_its_code, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_register_of_32_bits_has_one_address, setup, teardown),
		cmocka_unit_test(the_instruments_time_is_that_of_its_registers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
