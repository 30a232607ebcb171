/* SPDX-License-Identifier: Apache-2.0 */
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
#include "modbus-map/check.h"
#include "modbus-map/plan.h"
#include "modbus-map/registers.h"
#include "modbus-map/scaling.h"

extern const struct assay_driver *const assay_driver;

/* --- numbers --- */

static double number(const char *hex, enum register_type type, enum register_order order)
{
	uint8_t wire[8];
	assert_int_equal(host_hex(hex, wire, sizeof(wire)), 2 * register_width(type));
	struct register_value v = register_read(wire, type, order);
	assert_int_not_equal(v.kind, REGISTER_NOTHING);
	return register_number(&v);
}

static void a_float_is_read_in_all_four_orders(void **state)
{
	assert_true(number("42 C8 00 00", REGISTER_FLOAT32, REGISTER_ABCD) == 100);
	assert_true(number("00 00 42 C8", REGISTER_FLOAT32, REGISTER_CDAB) == 100);
	assert_true(number("C8 42 00 00", REGISTER_FLOAT32, REGISTER_BADC) == 100);
	assert_true(number("00 00 C8 42", REGISTER_FLOAT32, REGISTER_DCBA) == 100);
	assert_true(number("33 33 41 63", REGISTER_FLOAT32, REGISTER_CDAB) == (double)14.2f);
	assert_true(number("68 00 47 BF", REGISTER_FLOAT32, REGISTER_CDAB) == 98000);
	(void)state;
}

static void integers_keep_their_sign_and_width(void **state)
{
	assert_true(number("FF 38", REGISTER_INT16, REGISTER_ABCD) == -200);
	assert_true(number("FF 38", REGISTER_UINT16, REGISTER_CDAB) == 65336);
	assert_true(number("38 FF", REGISTER_UINT16, REGISTER_BADC) == 14591);
	assert_true(number("FF FF FF FE", REGISTER_INT32, REGISTER_ABCD) == -2);
	assert_true(number("00 01 00 00", REGISTER_UINT32, REGISTER_CDAB) == 1);
	assert_true(number("FF FE FF FF FF FF FF FF", REGISTER_INT64, REGISTER_CDAB) == -2);
	assert_true(number("01 00 00 00 00 00 00 00", REGISTER_UINT64, REGISTER_DCBA) == 1);
	assert_true(number("3F F8 00 00 00 00 00 00", REGISTER_FLOAT64, REGISTER_ABCD) == 1.5);
	assert_true(number("00 00 00 00 00 00 3F F8", REGISTER_FLOAT64, REGISTER_CDAB) == 1.5);
	(void)state;
}

static void nan_and_infinity_are_nothing(void **state)
{
	static const uint8_t nan[] = {0x7f, 0xc0, 0, 0}, inf[] = {0xff, 0x80, 0, 0};
	static const uint8_t big[] = {0x80, 0, 0, 0, 0, 0, 0, 0};
	assert_int_equal(
		register_read(nan, REGISTER_FLOAT32, REGISTER_ABCD).kind, REGISTER_NOTHING);
	assert_int_equal(
		register_read(inf, REGISTER_FLOAT32, REGISTER_ABCD).kind, REGISTER_NOTHING);
	assert_int_equal(register_read(big, REGISTER_UINT64, REGISTER_ABCD).kind, REGISTER_NOTHING);
	assert_int_equal(register_read(big, REGISTER_INT64, REGISTER_ABCD).integer, INT64_MIN);
	(void)state;
}

/* --- scaling --- */

static struct register_value scaled(int64_t number, double factor, double offset)
{
	struct scaling scaling;
	struct register_value v = {.kind = REGISTER_INTEGER, .integer = number};
	scaling_make(factor, offset, &scaling);
	return scaling_apply(&scaling, &v);
}

/* For every register and every scale with two digits: the decimal that a person computes. */
static void a_scaled_number_is_the_decimal_that_is_meant(void **state)
{
	static const int factors[] = {1, 2, 3, 5, 7, 10, 12, 25, 33, 75, 99};
	static const int offsets[] = {0, -40, 27315, -1};
	for (int64_t n = -32768; n <= 65535; n += 11)
		for (size_t f = 0; f < sizeof(factors) / sizeof(*factors); f++)
			for (int places = 0; places <= 6; places++) {
				char text[64], factor[24], offset[24];
				int o = offsets[(n & 0x7fff) % 4];
				snprintf(factor, sizeof(factor), "%de-%d", factors[f], places);
				snprintf(offset, sizeof(offset), "%de-%d", o, places);
				snprintf(text, sizeof(text), "%llde-%d",
					(long long)(n * factors[f] + o), places);
				struct register_value v = scaled(
					n, strtod(factor, NULL), strtod(offset, NULL));
				if (register_number(&v) != strtod(text, NULL))
					fail_msg("%lld * %s + %s is not %s", (long long)n, factor,
						offset, text);
			}
	(void)state;
}

static void a_scale_of_one_leaves_the_number_alone(void **state)
{
	struct register_value v = scaled(INT64_C(9007199254740993), 1, 0);
	assert_int_equal(v.kind, REGISTER_INTEGER);
	assert_int_equal(v.integer, INT64_C(9007199254740993));
	v = scaled(INT64_C(9007199254740993), 0.5, 0);
	assert_true(v.real == 4503599627370496.5);
	v = scaled(INT64_MAX, 1e289, 0);
	assert_int_equal(v.kind, REGISTER_REAL);
	v = scaled(INT64_MAX, 1e290, 0);
	assert_int_equal(v.kind, REGISTER_NOTHING);
	(void)state;
}

/* --- the plan --- */

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

static struct host_settings *add(struct host *h, const char *to, const char *name,
	const char *table, const char *address, const char *type)
{
	struct host_settings *row = host_add_row(h, to);
	host_settings_set(row, "name", name);
	host_settings_set(row, "table", table);
	host_settings_set(row, "address", address);
	if (type != NULL)
		host_settings_set(row, "type", type);
	return row;
}

static void assert_plan(struct host *h, const char *expected)
{
	struct plan plan;
	char text[512] = "";
	assert_int_equal(check_plan(&h->ins, &plan), 0);
	for (size_t i = 0; i < plan.count; i++) {
		strcat(text, i > 0 ? "; " : "");
		strcat(text, plan.blocks[i].name);
	}
	assert_string_equal(text, expected);
}

static void neighbours_share_a_request(void **state)
{
	struct host *h = *state;
	add(h, "points", "c", "holding", "14", "float32");
	add(h, "points", "a", "holding", "10", "float32");
	add(h, "points", "b", "holding", "11", "uint16");
	add(h, "points", "d", "input", "16", "float32");
	assert_plan(h, "holding 10+6; input 16+2");
}

static void a_gap_that_is_too_wide_separates(void **state)
{
	struct host *h = *state;
	host_set(h, "max_gap", "3");
	host_set(h, "max_gap_bits", "1999");
	add(h, "points", "a", "holding", "0", "uint16");
	add(h, "points", "b", "holding", "4", "uint16");
	add(h, "points", "c", "holding", "9", "uint16");
	add(h, "points", "d", "coil", "0", NULL);
	add(h, "points", "e", "coil", "1999", NULL);
	add(h, "points", "f", "coil", "2000", NULL);
	assert_plan(h, "coil 0+2000; coil 2000+1; holding 0+5; holding 9+1");
}

static void a_request_stays_within_the_protocols_limit(void **state)
{
	struct host *h = *state;
	static char names[70][8], addresses[70][8];
	host_set(h, "max_gap", "0");
	for (int i = 0; i < 70; i++) {
		snprintf(names[i], sizeof(names[i]), "p%d", i);
		snprintf(addresses[i], sizeof(addresses[i]), "%d", 2 * i);
		add(h, "points", names[i], "input", addresses[i], "float32");
	}
	assert_plan(h, "input 0+124; input 124+16");
}

static void groups_and_options_are_never_joined(void **state)
{
	struct host *h = *state;
	add(h, "points", "a", "holding", "0", "uint16");
	host_settings_set(add(h, "points", "b", "holding", "1", "uint16"), "group", "x");
	host_settings_set(add(h, "points", "c", "holding", "2", "uint16"), "option", "more");
	host_settings_set(add(h, "status", "d", "holding", "3", "uint16"), "group", "x");
	assert_plan(h, "holding 0+1; holding 1+3");
	host_set(h, "options", "more");
	assert_plan(h, "holding 0+1; holding 1+3; holding 2+1");
}

static void the_offset_moves_every_address(void **state)
{
	struct host *h = *state;
	add(h, "points", "a", "holding", "1", "uint16");
	add(h, "status", "b", "coil", "7", NULL);
	host_set(h, "address_offset", "-1");
	assert_plan(h, "coil 6+1; holding 0+1");
	host_set(h, "address_offset", "1");
	assert_plan(h, "coil 8+1; holding 2+1");
}

/* Each breaks one rule of the tables. */
static void break_name(struct host *h)
{
	add(h, "points", "HCl", "input", "0", "float32");
}

static void break_twin(struct host *h)
{
	add(h, "points", "a", "input", "0", "float32");
	add(h, "points", "a", "input", "2", "float32");
}

static void break_bit(struct host *h)
{
	add(h, "points", "a", "coil", "0", "uint16");
}

static void break_register(struct host *h)
{
	add(h, "points", "a", "input", "0", "bit");
}

static void break_end(struct host *h)
{
	add(h, "points", "a", "input", "65535", "float32");
}

static void break_begin(struct host *h)
{
	host_set(h, "address_offset", "-1");
	add(h, "points", "a", "input", "0", "uint16");
}

static void break_of(struct host *h)
{
	add(h, "points", "a", "input", "0", "uint16");
	host_settings_set(add(h, "status", "s", "coil", "0", NULL), "of", "b");
}

static void break_role(struct host *h)
{
	add(h, "points", "a", "input", "0", "uint16");
	host_settings_set(add(h, "points", "u", "input", "1", "uint16"), "role", "uncertainty");
}

static void break_status_twin(struct host *h)
{
	add(h, "status", "s", "coil", "0", NULL);
	add(h, "status", "t", "coil", "1", NULL);
	add(h, "status", "s", "coil", "2", NULL);
}

static void break_own_name(struct host *h)
{
	add(h, "status", "status_text", "coil", "0", NULL);
}

static void break_option(struct host *h)
{
	add(h, "points", "a", "input", "0", "uint16");
	host_set(h, "options", "none");
}

static void break_adjust(struct host *h)
{
	add(h, "points", "a", "input", "0", "uint16");
	host_settings_set(host_add_row(h, "adjust"), "name", "b");
}

static void break_nothing(struct host *h)
{
	host_settings_set(add(h, "points", "a", "input", "0", "uint16"), "option", "x");
}

static void break_one_bit(struct host *h)
{
	host_settings_set(add(h, "status", "s", "holding", "0", "float32"), "bit", "3");
}

static void break_blocks(struct host *h)
{
	static char names[65][8], addresses[65][8];
	for (int i = 0; i < 65; i++) {
		snprintf(names[i], sizeof(names[i]), "p%d", i);
		snprintf(addresses[i], sizeof(addresses[i]), "%d", 200 * i);
		add(h, "points", names[i], "input", addresses[i], "uint16");
	}
}

static void maps_that_cannot_be_read_are_rejected_with_the_reason(void **state)
{
	static const struct {
		void (*prepare)(struct host *h);
		const char *why;
	} cases[] = {{break_name, "a name is a-z"}, {break_twin, "already such a variable"},
		{break_bit, "type bit"}, {break_register, "type bit"},
		{break_end, "outside 0 to 65535"}, {break_begin, "outside 0 to 65535"},
		{break_of, "no earlier variable"}, {break_role, "needs 'of'"},
		{break_status_twin, "already such a variable"},
		{break_own_name, "reserved for the driver"},
		{break_option, "options: no row belongs to 'none'"},
		{break_adjust, "no row reads 'b'"}, {break_nothing, "no row of points"},
		{break_one_bit, "'bit' picks"}, {break_blocks, "more than 64 requests"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct host *h = host_create(assay_driver, ASSAY_LINK_MODBUS_RTU);
		struct plan plan;
		cases[i].prepare(h);
		assert_int_equal(check_plan(&h->ins, &plan), -EINVAL);
		assert_non_null(strstr(h->explained, cases[i].why));
		host_destroy(h);
	}
	(void)state;
}

static void names_of_blocks_are_read_back_strictly(void **state)
{
	enum table table;
	unsigned address, count;
	assert_true(plan_name_read("input 138+34", &table, &address, &count));
	assert_true(table == TABLE_INPUT && address == 138 && count == 34);
	assert_true(plan_name_read("discrete 4000+2000", &table, &address, &count));
	static const char *const wrong[] = {"", "input", "input ", "input 1", "input 1+",
		"input +1", "input 1+0", "input 1+126", "coil 1+2001", "input 65536+1",
		"input 1+1 ", "inputs 1+1", "holding 99999999999+1"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_false(plan_name_read(wrong[i], &table, &address, &count));
	(void)state;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_float_is_read_in_all_four_orders),
		T(integers_keep_their_sign_and_width),
		T(nan_and_infinity_are_nothing),
		T(a_scaled_number_is_the_decimal_that_is_meant),
		T(a_scale_of_one_leaves_the_number_alone),
		T(neighbours_share_a_request),
		T(a_gap_that_is_too_wide_separates),
		T(a_request_stays_within_the_protocols_limit),
		T(groups_and_options_are_never_joined),
		T(the_offset_moves_every_address),
		T(maps_that_cannot_be_read_are_rejected_with_the_reason),
		T(names_of_blocks_are_read_back_strictly),
	};
	return cmocka_run_group_tests_name("modbus-registers", tests, NULL, NULL);
}
