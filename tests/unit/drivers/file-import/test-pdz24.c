/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness.h"

extern const struct format format_pdz24;

#define CHANNELS 8
#define SIZE     (358 + 4 * CHANNELS)

static void put(uint8_t *to, const void *value, size_t len)
{
	memcpy(to, value, len); /* tests run on machines with the low byte first */
}

static void make(uint8_t file[SIZE])
{
	const uint16_t head = 257, channels = CHANNELS, time[] = {2024, 2, 5, 16, 13, 21, 8, 143};
	const double step = 10000;
	const float voltage = 80, current = 6, real = 20.5F, live = 19.25F;
	const int32_t counts[CHANNELS] = {517, 1, 70000, 3, 4, 5, 6, 0};
	memset(file, 0, SIZE);
	put(file, &head, 2);
	put(file + 6, &channels, 2);
	put(file + 50, &step, 8);
	put(file + 146, time, sizeof time);
	put(file + 162, &voltage, 4);
	put(file + 166, &current, 4);
	put(file + 338, &real, 4);
	put(file + 354, &live, 4);
	put(file + 358, counts, sizeof counts);
}

static int look(const uint8_t *data, size_t len)
{
	struct import *im = import_create("xrf", "Old.PDZ");
	import_add(im, NULL, data, len);
	int found = import_look(im, &format_pdz24);
	import_destroy(im);
	return found;
}

static void test_values(void **state)
{
	(void)state;
	uint8_t file[SIZE];
	make(file);
	struct import *im = import_create("xrf", "a.pdz");
	import_add(im, NULL, file, SIZE);
	assert_int_equal(import_look(im, &format_pdz24), FORMAT_WHOLE);
	assert_string_equal(im->facts.acquired, "2024-02-16T13:21:08.143");
	assert_true(import_start(im) && import_frame(im));
	const struct assay_variable *counts = host_find(im->host, "counts"),
				    *energy = host_find(im->host, "energy");
	assert_int_equal(counts->type, ASSAY_U32);
	assert_true(host_element(counts, 0) == 517 && host_element(counts, 2) == 70000);
	assert_true(energy->start == 0 && energy->step == 10000);
	assert_true(host_find(im->host, "live_time")->real == 19.25);
	assert_true(host_find(im->host, "real_time")->real == 20.5);
	assert_false(import_frame(im));
	import_destroy(im);
}

/* A file that is being written has zeros from a place on: here behind half of the voltage, channel 4. */
static void test_what_is_not_whole(void **state)
{
	(void)state;
	uint8_t file[SIZE + 1] = {0}, copy[SIZE];
	make(file);
	for (size_t len = 0; len < SIZE; len++) {
		assert_int_not_equal(look(file, len), FORMAT_WHOLE);
		memset(copy, 0, SIZE);
		memcpy(copy, file, len);
		if (len < 358 + 4 * 4)
			assert_int_not_equal(look(copy, SIZE), FORMAT_WHOLE);
	}
	assert_int_equal(look(file, SIZE), FORMAT_WHOLE);
	assert_int_equal(look(file, SIZE + 1), FORMAT_DAMAGED);
	file[7] = 0xff; /* -1 channels */
	assert_int_equal(look(file, SIZE), FORMAT_FOREIGN);
}

static void test_sample(void **state)
{
	(void)state;
	size_t len, at = 0;
	uint8_t *data = import_sample("files/xrf/pdz24_example.pdz", &len);
	if (data == NULL)
		skip();
	for (size_t i = 1; i <= 100; i++)
		assert_int_not_equal(look(data, len - i * len / 101), FORMAT_WHOLE);
	struct import *im = import_create("xrf", "pdz24_example.pdz");
	import_add(im, NULL, data, len);
	assert_int_equal(import_look(im, &format_pdz24), FORMAT_WHOLE);
	assert_string_equal(im->facts.acquired, "2024-02-16T13:21:08.143");
	assert_true(import_start(im) && import_frame(im));
	const struct assay_variable *counts = host_find(im->host, "counts");
	double sum = 0, max = 0;
	for (size_t i = 0; i < counts->count; i++) {
		sum += host_element(counts, i);
		if (host_element(counts, i) > max)
			max = host_element(counts, at = i);
	}
	assert_int_equal(counts->count, 2048);
	assert_true(sum == 481004 && max == 7093 && at == 318 && host_element(counts, 0) == 517);
	assert_true(host_find(im->host, "energy")->step == 20.085);
	double live = host_find(im->host, "live_time")->real;
	assert_true(live > 19.1455 && live < 19.1465);
	const struct host_frame *f = &im->host->frame;
	assert_true(f->settings[0].v.real == 40 && f->settings[1].v.real == 6);
	assert_false(import_frame(im));
	memset(data + len / 2, 0, len - len / 2);
	assert_int_equal(look(data, len), FORMAT_INCOMPLETE);
	import_destroy(im);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_what_is_not_whole),
		cmocka_unit_test(test_sample),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
