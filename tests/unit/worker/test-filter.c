/* SPDX-License-Identifier: Apache-2.0 */
/* The text of faults, and what a filter makes of pieces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "worker/filter.h"

#define PIECES 100000

static void texts_are_read(void **state)
{
	static const struct {
		const char *text;
		struct faults faults;
	} right[] = {
		{"", {.seed = 1}},
		{"off", {.seed = 1}},
		{"delay=200ms", {.delay_ms = 200, .seed = 1}},
		{"delay=1.5s", {.delay_ms = 1500, .seed = 1}},
		{"delay=600s", {.delay_ms = 600000, .seed = 1}},
		{"drop=0.01, corrupt=1 truncate=0.000001",
			{.drop = 10000, .corrupt = 1000000, .truncate = 1, .seed = 1}},
		{"  rate=960  seed=7 ", {.rate = 960, .seed = 7}},
		{"drop=0.5 drop=0", {.seed = 1}},
		{"seed=0", {.seed = 0}},
		{"log=20", {.seed = 1, .log = 20}},
	};
	static const char *const wrong[] = {"delay", "delay=", "delay=5", "delay=0ms", "delay=601s",
		"delay=-1s", "delay=1h", "drop=1.1", "drop=1%", "drop=1e-2", "drop=.5", "drop=0.5x",
		"drop =1", "rate=0", "rate=1.5", "rate=99999999999999999999", "seed=-1", "log=0",
		"log=1001", "log", "x=1", "OFF", "off drop=1", "drop=1;delay=1s", "drop=0.1234567",
		"=", "=1", "dropp=1", "dro=1", "drop=\xc2\xbd", "delay=200msms",
		"corrupt=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	char why[FAULTS_WHY];
	struct faults faults;
	for (size_t i = 0; i < sizeof right / sizeof *right; i++) {
		assert_int_equal(faults_read(&faults, right[i].text, why), 0);
		assert_memory_equal(&faults, &right[i].faults, sizeof faults);
	}
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		why[0] = '\0';
		if (faults_read(&faults, wrong[i], why) == 0)
			fail_msg("'%s' is right", wrong[i]);
		assert_true(strlen(why) > 10 && !faults_are_any(&faults));
	}
}

static struct filter filter;
static uint8_t piece[20];

static void set(const char *text)
{
	char why[FAULTS_WHY];
	struct faults faults;
	assert_int_equal(faults_read(&faults, text, why), 0);
	filter_set(&filter, &faults);
}

static size_t pass(struct filter_way *way, uint64_t now, uint64_t *arrives)
{
	memset(piece, 0, sizeof piece);
	return filter_pass(&filter, way, piece, sizeof piece, now, arrives);
}

/* How many pieces of PIECES are lost, shorter, changed. */
static void count(const char *text, unsigned counts[3])
{
	static const uint8_t none[sizeof piece];
	uint64_t arrives;
	set(text);
	memset(counts, 0, 3 * sizeof *counts);
	for (unsigned i = 0; i < PIECES; i++) {
		size_t n = pass(&filter.in, 0, &arrives);
		counts[0] += n == 0;
		counts[1] += n > 0 && n < sizeof piece;
		counts[2] += n > 0 && memcmp(piece, none, sizeof none) != 0;
	}
}

/* Such as an empty datagram. */
static void an_empty_piece_stays_empty(void **state)
{
	uint64_t arrives;
	set("truncate=1 corrupt=1 rate=1 delay=1ms");
	assert_int_equal(filter_pass(&filter, &filter.out, piece, 0, 7, &arrives), 0);
	assert_int_equal(arrives, 7 + NS_PER_MS);
}

static void shares_are_kept(void **state)
{
	unsigned counts[3], again[3];
	count("drop=0.25", counts);
	assert_in_range(counts[0], PIECES * 24 / 100, PIECES * 26 / 100);
	assert_true(counts[1] == 0 && counts[2] == 0);
	count("truncate=0.5", counts);
	assert_in_range(counts[0] + counts[1], PIECES * 49 / 100, PIECES * 51 / 100);
	count("corrupt=0.01", counts);
	assert_in_range(counts[2], PIECES * 9 / 1000, PIECES * 11 / 1000);
	assert_true(counts[0] == 0 && counts[1] == 0);
	count("corrupt=0.01", again);
	assert_memory_equal(counts, again, sizeof counts);
	count("corrupt=0.01 seed=2", again);
	assert_int_not_equal(counts[2], again[2]);
	count("delay=1s rate=10", counts);
	assert_true(counts[0] == 0 && counts[1] == 0 && counts[2] == 0);
}

/* The same pieces are spoiled in the same way, no matter which bytes go the other way. */
static void directions_are_apart(void **state)
{
	uint8_t first[50][sizeof piece];
	uint64_t arrives;
	set("corrupt=1 seed=9");
	for (size_t i = 0; i < 50; i++) {
		pass(&filter.in, 0, &arrives);
		memcpy(first[i], piece, sizeof piece);
	}
	set("corrupt=1 seed=9");
	for (size_t i = 0; i < 50; i++) {
		for (size_t other = 0; other < i % 3; other++)
			pass(&filter.out, 0, &arrives);
		pass(&filter.in, 0, &arrives);
		assert_memory_equal(first[i], piece, sizeof piece);
	}
}

static void times_are_kept(void **state)
{
	uint64_t arrives;
	set("delay=2s rate=100");
	pass(&filter.in, 5 * NS_PER_S, &arrives);
	assert_int_equal(arrives, 7200 * NS_PER_MS);
	pass(&filter.in, 5 * NS_PER_S, &arrives); /* after the first one */
	assert_int_equal(arrives, 7400 * NS_PER_MS);
	pass(&filter.in, 9 * NS_PER_S, &arrives);
	assert_int_equal(arrives, 11200 * NS_PER_MS);
	pass(&filter.out, 5 * NS_PER_S, &arrives);
	assert_int_equal(arrives, 7200 * NS_PER_MS);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_read),
		cmocka_unit_test(an_empty_piece_stays_empty),
		cmocka_unit_test(shares_are_kept),
		cmocka_unit_test(directions_are_apart),
		cmocka_unit_test(times_are_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
