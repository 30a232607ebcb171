/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every type in every word order with every kind of scale and limit: the bytes are laid out here,
 * by tables of their own, and the expected number is a decimal text.
 */
#include <math.h>
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

extern const struct assay_driver *const assay_driver;

/* Which byte of the number, 0 the most significant, is sent as the i-th. */
static const struct {
	const char *name, *two, *four;
} orders[] = {
	{"abcd", "0123", "01234567"},
	{"cdab", "2301", "67452301"},
	{"badc", "1032", "10325476"},
	{"dcba", "3210", "76543210"},
};

static const struct {
	const char *name;
	unsigned bits;
	bool is_signed, is_float;
} types[] = {
	{"int16", 16, true, false},
	{"uint16", 16, false, false},
	{"int32", 32, true, false},
	{"uint32", 32, false, false},
	{"int64", 64, true, false},
	{"uint64", 64, false, false},
	{"float32", 32, true, true},
	{"float64", 64, true, true},
};

/* scale = factor / 10^places, offset = offset / 10^places */
static const struct {
	const char *scale, *offset;
	int factor, shift, places;
} scales[] = {
	{NULL, NULL, 1, 0, 0},
	{"1", NULL, 1, 0, 0},
	{"0.1", NULL, 1, 0, 1},
	{"0.01", "-40", 1, -4000, 2},
	{"0.125", "0.5", 125, 500, 3},
	{NULL, "-273.15", 100, -27315, 2},
	{"33.86", NULL, 3386, 0, 2},
};

enum limit {
	NO_LIMIT,
	NOTHING_AS_NUMBER,
	NOTHING_AS_BITS,
	OTHER_NOTHING,
	BELOW,
	ABOVE,
	INSIDE,
	LIMITS
};

static uint64_t next(uint64_t *seed)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return *seed >> 11;
}

/* One number of a type: its bits, and its value as decimal text. */
struct number {
	uint64_t bits;
	char text[40];
	int64_t integer;
	double real;
};

static struct number pick(size_t type, uint64_t *seed)
{
	struct number n = {0};
	unsigned bits = types[type].bits;
	if (types[type].is_float) {
		/* Eighths, which both floats hold exactly. */
		int64_t eighths = (int64_t)(next(seed) % 2000001) - 1000000;
		float single = (float)eighths / 8;
		double value = (double)eighths / 8;
		uint32_t small;
		memcpy(&small, &single, sizeof(small));
		memcpy(&n.bits, &value, sizeof(value));
		n.bits = bits == 32 ? small : n.bits;
		n.real = value;
		snprintf(n.text, sizeof(n.text), "%.3f", value);
		return n;
	}
	uint64_t raw = next(seed) << 11 ^ next(seed);
	if (next(seed) % 4 == 0)
		raw = UINT64_C(1) << (bits - 1); /* 0x8000 and so on */
	if (next(seed) % 4 == 0)
		raw = UINT64_MAX;
	n.bits = bits == 64 ? raw : raw & ((UINT64_C(1) << bits) - 1);
	bool negative = types[type].is_signed && (n.bits >> (bits - 1) & 1) != 0;
	n.integer = bits == 64 ? (int64_t)n.bits
		    : negative ? (int64_t)n.bits - (int64_t)(UINT64_C(1) << bits)
			       : (int64_t)n.bits;
	n.real = (double)n.integer;
	snprintf(n.text, sizeof(n.text), "%lld", (long long)n.integer);
	return n;
}

static void lay_out(size_t type, size_t order, uint64_t bits, uint8_t *wire)
{
	unsigned bytes = types[type].bits / 8;
	const char *places = bytes == 2   ? "01"
			     : bytes == 4 ? orders[order].two
					  : orders[order].four;
	for (unsigned i = 0; i < bytes; i++) {
		unsigned place = (unsigned)(places[i] - '0');
		wire[i] = (uint8_t)(bits >> 8 * (bytes - 1 - place));
	}
}

/* number * scale + offset, rounded once from whole numbers. */
static double expected_value(size_t type, size_t scale, const struct number *n)
{
	long double ten = 1;
	for (int i = 0; i < scales[scale].places; i++)
		ten *= 10;
	if (!types[type].is_float && n->integer < 1000000000 && n->integer > -1000000000) {
		char text[48];
		snprintf(text, sizeof(text), "%llde-%d",
			(long long)(n->integer * scales[scale].factor + scales[scale].shift),
			scales[scale].places);
		return strtod(text, NULL);
	}
	long double exact = types[type].is_float ? (long double)n->real : (long double)n->integer;
	return (double)((exact * scales[scale].factor + scales[scale].shift) / ten);
}

static void set_limit(struct host_settings *row, enum limit limit, const struct number *n, double v)
{
	char text[64];
	switch (limit) {
	case NOTHING_AS_NUMBER:
		host_settings_set(row, "none", "12345678");
		host_settings_set(row, "none", n->text);
		break;
	case NOTHING_AS_BITS:
		snprintf(text, sizeof(text), "0x%llX", (unsigned long long)n->bits);
		host_settings_set(row, "none", text);
		break;
	case OTHER_NOTHING: host_settings_set(row, "none", "-7.0625"); break;
	case BELOW:
	case ABOVE:
		snprintf(
			text, sizeof(text), "%.17g", nextafter(v, limit == BELOW ? 1e300 : -1e300));
		host_settings_set(row, limit == BELOW ? "min" : "max", text);
		break;
	case INSIDE:
		snprintf(text, sizeof(text), "%.17g", v);
		host_settings_set(row, "min", text);
		host_settings_set(row, "max", text);
		break;
	default: break;
	}
}

static void try_one(size_t type, size_t order, size_t scale, enum limit limit, uint64_t *seed)
{
	struct host *h = host_create(assay_driver, ASSAY_LINK_MODBUS_TCP);
	struct number n = pick(type, seed);
	uint8_t wire[8];
	char name[32];
	bool is_scaled = scales[scale].factor != 1 || scales[scale].places != 0;
	double v = expected_value(type, scale, &n);
	lay_out(type, order, n.bits, wire);
	struct host_settings *row = host_add_row(h, "points");
	host_set(h, "word_order", orders[order].name);
	host_settings_set(row, "name", "x");
	host_settings_set(row, "table", "holding");
	host_settings_set(row, "address", "7");
	host_settings_set(row, "type", types[type].name);
	if (scales[scale].scale != NULL)
		host_settings_set(row, "scale", scales[scale].scale);
	if (scales[scale].offset != NULL)
		host_settings_set(row, "offset", scales[scale].offset);
	set_limit(row, limit, &n, v);
	snprintf(name, sizeof(name), "holding 7+%u", types[type].bits / 16);
	struct assay_bytes raw = {MAP_MEDIA_REGISTERS, name, wire, types[type].bits / 8};
	assert_int_equal(host_decode_bytes(h, &raw, 1, NULL, 0), 0);

	const struct assay_variable *x = host_find(h, "x");
	bool is_too_big = strcmp(types[type].name, "uint64") == 0 && n.integer < 0;
	bool is_nothing = limit == NOTHING_AS_NUMBER ||
			  (limit == NOTHING_AS_BITS && !types[type].is_float);
	bool is_outside = limit == BELOW || limit == ABOVE;
	bool is_wrong;
	if (is_too_big || is_nothing || is_outside)
		is_wrong = x != NULL || host_find(h, "missing") == NULL ||
			   h->frame.flag != ASSAY_MISSING ||
			   !host_has_reason(h,
				   is_too_big || !is_nothing ? "out-of-range" : "device-warning");
	else if (x == NULL || h->frame.flag != ASSAY_GOOD)
		is_wrong = true;
	else if (is_scaled || types[type].is_float)
		is_wrong = host_element(x, 0) != v ||
			   (x->type == ASSAY_SCALAR_F32) != (!is_scaled && types[type].bits == 32);
	else
		is_wrong = x->type != ASSAY_SCALAR_INT || x->integer != n.integer;
	if (is_wrong)
		fail_msg("%s %s of %s, scale %s offset %s, limit %d: got %.17g, expected %.17g",
			types[type].name, orders[order].name, n.text,
			scales[scale].scale != NULL ? scales[scale].scale : "-",
			scales[scale].offset != NULL ? scales[scale].offset : "-", limit,
			x != NULL ? host_element(x, 0) : NAN, v);
	host_destroy(h);
}

static void every_number_comes_through_or_is_missing(void **state)
{
	uint64_t seed = 7;
	for (int round = 0; round < 3; round++)
		for (size_t type = 0; type < sizeof(types) / sizeof(*types); type++)
			for (size_t order = 0; order < sizeof(orders) / sizeof(*orders); order++)
				for (size_t s = 0; s < sizeof(scales) / sizeof(*scales); s++)
					for (enum limit l = NO_LIMIT; l < LIMITS; l++)
						try_one(type, order, s, l, &seed);
	(void)state;
}

/* --- several rows of one name --- */

static struct host *decode_status(const char *const rows[][3], size_t count, uint16_t value)
{
	struct host *h = host_create(assay_driver, ASSAY_LINK_MODBUS_TCP);
	uint8_t wire[] = {(uint8_t)(value >> 8), (uint8_t)value};
	for (size_t i = 0; i < count; i++) {
		struct host_settings *row = host_add_row(h, "status");
		host_settings_set(row, "name", "st");
		host_settings_set(row, "table", "holding");
		host_settings_set(row, "address", "7");
		if (rows[i][0] != NULL)
			host_settings_set(row, rows[i][0], rows[i][1]);
		if (rows[i][2] != NULL)
			host_settings_set(row, "position", rows[i][2]);
	}
	struct assay_bytes raw = {MAP_MEDIA_REGISTERS, "holding 7+1", wire, 2};
	assert_int_equal(host_decode_bytes(h, &raw, 1, NULL, 0), 0);
	return h;
}

/* The value of a status variable for every combination of bits. */
static void a_status_shows_its_register_once(void **state)
{
	static const char *const bits[][3] = {{"bit", "0", NULL}, {"bit", "8", NULL}};
	static const char *const words[][3] = {{"equals", "1", NULL}, {"equals", "2304", NULL}};
	static const char *const masked[][3] = {{"bit", "8", "0"}, {"bit", "11", "3"}};
	static const char *const mixed[][3] = {{"bit", "8", NULL}, {"unless", "0", NULL}};
	for (unsigned v = 0; v < 0x1000; v += 0x55) {
		struct {
			const char *const (*rows)[3];
			size_t count;
			int64_t expected;
		} cases[] = {
			{bits, 2, v},
			{bits, 1, v & 1},
			{bits + 1, 1, v >> 8 & 1},
			{words, 2, v},
			{words, 1, v},
			{mixed, 2, v},
			{masked, 2, (v >> 8 & 1) | (v >> 11 & 1) << 3},
		};
		for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
			struct host *h = decode_status(cases[i].rows, cases[i].count, (uint16_t)v);
			assert_int_equal(host_find(h, "st")->integer, cases[i].expected);
			host_destroy(h);
		}
	}
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_number_comes_through_or_is_missing),
		cmocka_unit_test(a_status_shows_its_register_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
