/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness.h"

extern const struct format format_pdz;

/* --- a small file of two phases, byte by byte --- */

#define CHANNELS 3

struct bytes {
	uint8_t data[4096];
	size_t len;
};

static void put16(struct bytes *b, unsigned value)
{
	b->data[b->len++] = (uint8_t)value;
	b->data[b->len++] = (uint8_t)(value >> 8);
}

static void put32(struct bytes *b, uint32_t value)
{
	put16(b, value & 0xffff);
	put16(b, value >> 16);
}

static void put_float(struct bytes *b, float value)
{
	uint32_t bits;
	memcpy(&bits, &value, 4);
	put32(b, bits);
}

static void put_text(struct bytes *b, const char *text)
{
	put32(b, (uint32_t)strlen(text));
	for (; *text != '\0'; text++)
		put16(b, (unsigned char)*text);
}

static size_t begin(struct bytes *b, unsigned type)
{
	put16(b, type);
	put32(b, 0);
	return b->len;
}

static void end(struct bytes *b, size_t body)
{
	struct bytes length = {.len = 0};
	put32(&length, (uint32_t)(b->len - body));
	memcpy(b->data + body - 4, length.data, 4);
}

static void put_spectrum(
	struct bytes *b, unsigned phase, const char *illumination, const uint32_t *counts)
{
	static const unsigned time[] = {2024, 7, 4, 4, 15, 38, 45, 7};
	size_t body = begin(b, 3);
	put32(b, phase);
	for (int i = 0; i < 4; i++)
		put32(b, 100);
	put_float(b, 10);
	put_float(b, 9.5F); /* packet */
	put_float(b, 2.5F);
	put_float(b, 1.25F);
	put_float(b, 5.5F + (float)phase); /* live */
	put_float(b, 40);
	put_float(b, 20);
	put16(b, 29);
	put16(b, 75);
	for (int i = 0; i < 4; i++)
		put16(b, 0);
	put16(b, 2);
	put_float(b, -27.5F);
	put_float(b, 94);
	put32(b, UINT32_MAX);
	put_float(b, 20);
	put16(b, 1);
	put_float(b, 0.25F);
	for (int i = 0; i < 8; i++)
		put16(b, time[i]);
	put_float(b, 958);
	put16(b, CHANNELS);
	put16(b, 32);
	put16(b, 0);
	put_text(b, illumination);
	put16(b, 0);
	for (int i = 0; i < CHANNELS; i++)
		put32(b, counts[i]);
	end(b, body);
}

static void put_result(struct bytes *b, const char *name, unsigned unit, float value, float error)
{
	size_t body = begin(b, 6);
	put_text(b, name);
	put32(b, 26);
	b->data[b->len++] = (uint8_t)unit;
	put_float(b, value);
	put_float(b, value);
	put_float(b, error);
	put_float(b, 0);
	put_float(b, 0);
	put32(b, 0);
	end(b, body);
}

static struct bytes make(unsigned phases)
{
	static const uint32_t counts[2][CHANNELS] = {{1, 70000, 3}, {UINT32_MAX, 5, 0}};
	struct bytes b = {.len = 0};
	size_t body = begin(&b, 25);
	for (const char *c = "pdz25"; *c != '\0'; c++)
		put16(&b, (unsigned)*c);
	put32(&b, 1);
	end(&b, body);
	body = begin(&b, 1);
	put_text(&b, "800N1");
	put_text(&b, "SG7");
	end(&b, body);
	body = begin(&b, 2);
	put32(&b, phases);
	for (int i = 0; i < 10; i++)
		put32(&b, 0);
	put_text(&b, "Geo");
	put_text(&b, "");
	put_text(&b, "Kim");
	end(&b, body);
	put_spectrum(&b, 0, "", counts[0]);
	put_spectrum(&b, 1, "60sec", counts[1]);
	put_result(&b, "Fe", 2, 4.25F, 0.5F);
	put_result(&b, "Pb", 1, 0.125F, 0);
	body = begin(&b, 9);
	put16(&b, 3);
	put_text(&b, "Operator");
	put_text(&b, "Lee");
	put_text(&b, "ID");
	put_text(&b, "24-0815");
	put_text(&b, "Name");
	put_text(&b, "bag 3");
	end(&b, body);
	end(&b, begin(&b, 138));
	end(&b, begin(&b, 139));
	return b;
}

static struct import *of(const struct bytes *b)
{
	struct import *im = import_create("xrf", "a.pdz");
	import_add(im, NULL, b->data, b->len);
	return im;
}

static int look(const struct bytes *b)
{
	struct import *im = of(b);
	int found = import_look(im, &format_pdz);
	import_destroy(im);
	return found;
}

static double setting(const struct import *im, const char *name)
{
	const struct host_frame *f = &im->host->frame;
	for (size_t i = 0; i < f->setting_count; i++)
		if (strcmp(f->settings[i].said, name) == 0)
			return f->settings[i].v.type == ASSAY_SCALAR_INT
				       ? (double)f->settings[i].v.integer
				       : f->settings[i].v.real;
	host_bug("no setting %s", name);
}

static void test_values(void **state)
{
	(void)state;
	struct bytes b = make(2);
	struct import *im = of(&b);
	assert_int_equal(import_look(im, &format_pdz), FORMAT_WHOLE);
	assert_string_equal(im->facts.serial, "800N1");
	assert_string_equal(im->facts.method, "Geo");
	assert_string_equal(im->facts.person, "Lee");
	assert_string_equal(im->facts.sample, "24-0815");
	assert_string_equal(im->facts.title, "bag 3");
	assert_string_equal(im->facts.acquired, "2024-07-04T15:38:45.007");
	assert_true(import_start(im) && import_frame(im));
	const struct assay_variable *counts = host_find(im->host, "counts"),
				    *energy = host_find(im->host, "energy");
	assert_int_equal(counts->type, ASSAY_U32);
	assert_int_equal(counts->count, CHANNELS);
	assert_true(host_element(counts, 1) == 70000);
	assert_true(energy->start == 0.25 && energy->step == 20);
	assert_string_equal(energy->unit, "eV");
	assert_true(host_find(im->host, "live_time")->real == 5.5);
	assert_true(host_find(im->host, "real_time")->real == 9.5);
	assert_true(setting(im, "tube_voltage") == 40 && setting(im, "phase") == 0);
	assert_string_equal(im->host->frame.device_time, "2024-07-04T15:38:45.007");
	assert_int_equal(im->host->frame.flag, ASSAY_UNCHECKED);
	assert_true(import_frame(im));
	counts = host_find(im->host, "counts");
	assert_true(host_element(counts, 0) == UINT32_MAX && setting(im, "phase") == 1);
	assert_true(import_frame(im));
	assert_int_equal(im->host->frame.kind, ASSAY_SCALARS);
	const struct assay_variable *iron = host_find_of(im->host, "mass_fraction", "Fe");
	const struct assay_variable *lead = host_find_of(im->host, "mass_fraction", "Pb");
	assert_true(iron->real == 4.25 && iron->unc.value == 0.5);
	assert_string_equal(iron->unc.kind, "standard");
	assert_true(lead->real == 0.125 && lead->unc.kind == NULL);
	assert_string_equal(lead->unit, "%");
	assert_false(import_frame(im));
	import_destroy(im);
}

static void test_what_is_not_whole(void **state)
{
	(void)state;
	struct bytes b = make(2), copy;
	/* The last record is empty: the walk sees a cut in its head. */
	import_cut(&format_pdz, "xrf", "a.pdz", b.data, b.len, b.len, 0);
	b = make(3);
	assert_int_equal(look(&b), FORMAT_INCOMPLETE);
	b = make(2);
	for (size_t at = 0; at + 6 <= b.len;) {
		uint32_t len;
		memcpy(&len, b.data + at + 2, 4);
		copy = b;
		memset(copy.data + at + 2, 0xff, 4); /* a length of 2^32 - 1 */
		assert_int_not_equal(look(&copy), FORMAT_WHOLE);
		if (b.data[at] == 3) {
			copy = b;
			copy.data[at + 6 + 104] = 4; /* one channel more than there is */
			assert_int_equal(look(&copy), FORMAT_DAMAGED);
			copy.data[at + 6 + 104] = 2; /* one fewer */
			assert_int_equal(look(&copy), FORMAT_DAMAGED);
			copy.data[at + 6 + 105] = 0xff; /* a negative number of them */
			assert_int_equal(look(&copy), FORMAT_DAMAGED);
		}
		at += 6 + (size_t)len;
	}
	b.len += 12; /* zeros behind the last record */
	assert_int_equal(look(&b), FORMAT_INCOMPLETE);
	copy = (struct bytes){.len = 0};
	end(&copy, begin(&copy, 25));
	assert_int_equal(look(&copy), FORMAT_FOREIGN);
}

/* Each name once; a record that is no result is left out, and the frame is suspect. */
static void test_results_that_are_not_sure(void **state)
{
	(void)state;
	struct bytes b = make(2);
	size_t after = b.len - 12;
	struct bytes tail = {.len = 12};
	memcpy(tail.data, b.data + after, 12);
	b.len = after;
	put_result(&b, "Fe", 2, 1, 0);
	put_result(&b, "Zn ", 7, 1, 0);
	put_result(&b, "", 2, 1, 0);
	static const uint8_t not_finite[] = {0, 0, 0x80, 0x7f};
	put_result(&b, "Cu", 2, 1, 0);
	memcpy(b.data + b.len - 24, not_finite, 4);
	memcpy(b.data + b.len, tail.data, 12);
	b.len += 12;
	struct import *im = of(&b);
	assert_true(import_start(im));
	for (int i = 0; i < 3; i++)
		assert_true(import_frame(im));
	assert_int_equal(im->host->frame.flag, ASSAY_SUSPECT);
	assert_int_equal(im->host->frame.var_count, 3);
	assert_true(host_find_of(im->host, "mass_fraction", "Fe")->real == 4.25);
	import_destroy(im);
}

/* --- real files --- */

static bool is_near(double a, double b, double half)
{
	return a - b <= half && b - a <= half;
}

struct expected {
	size_t max_at;
	double max, sum, live, voltage, current;
};

static void expect_spectrum(struct import *im, const struct expected *e)
{
	assert_true(import_frame(im));
	const struct assay_variable *counts = host_find(im->host, "counts");
	double sum = 0, max = 0;
	size_t at = 0;
	assert_int_equal(counts->count, 2048);
	for (size_t i = 0; i < counts->count; i++) {
		sum += host_element(counts, i);
		if (host_element(counts, i) > max)
			max = host_element(counts, at = i);
	}
	assert_true(max == e->max && at == e->max_at && sum == e->sum);
	assert_true(is_near(host_find(im->host, "live_time")->real, e->live, 5e-4));
	assert_true(setting(im, "tube_voltage") == e->voltage &&
		    setting(im, "tube_current") == e->current);
}

static struct import *of_sample(const char *path)
{
	size_t len;
	uint8_t *data = import_sample(path, &len);
	if (data == NULL)
		skip();
	import_cut(&format_pdz, "xrf", "a.pdz", data, len, 100, 0);
	struct import *im = import_create("xrf", strrchr(path, '/') + 1);
	import_add(im, NULL, data, len);
	free(data);
	assert_int_equal(import_look(im, &format_pdz), FORMAT_WHOLE);
	return im;
}

static void test_sample(void **state)
{
	(void)state;
	struct import *im = of_sample("files/xrf/pdz25_example.pdz");
	assert_string_equal(im->facts.serial, "800N9100");
	assert_string_equal(im->facts.method, "Spectrum Only");
	assert_string_equal(im->facts.person, "Marcos");
	assert_string_equal(im->facts.sample, "marcos3");
	assert_string_equal(im->facts.acquired, "2024-07-04T15:38:45.000");
	assert_true(import_start(im));
	expect_spectrum(im, &(struct expected){320, 34417, 1593761, 5.372, 40, 20});
	assert_true(is_near(host_find(im->host, "real_time")->real, 9.446, 5e-4));
	assert_true(is_near(host_find(im->host, "energy")->start, 0.21609, 5e-6));
	assert_true(host_find(im->host, "energy")->step == 20);
	assert_false(import_frame(im));
	import_destroy(im);
}

static void test_sample_of_two_phases(void **state)
{
	(void)state;
	struct import *im = of_sample("files/xrf/pdz25_example_dual_phase.pdz");
	assert_string_equal(im->facts.serial, "800C12745");
	assert_string_equal(im->facts.method, "GeoDualPhase");
	assert_string_equal(im->facts.person, "Supervisor");
	assert_string_equal(im->facts.sample, "mar");
	assert_string_equal(im->facts.title, "std");
	assert_string_equal(im->facts.acquired, "2025-02-01T02:11:52.000");
	assert_true(import_start(im));
	expect_spectrum(im, &(struct expected){320, 235631, 4944701, 17.785, 15, 70});
	expect_spectrum(im, &(struct expected){320, 36516, 2617739, 77.007, 45, 45});
	const struct host_frame *f = &im->host->frame;
	for (size_t i = 0; i < f->setting_count; i++)
		if (strcmp(f->settings[i].said, "filter") == 0)
			assert_string_equal(f->settings[i].v.text, "Cu 75 um, Ti 25 um, Al 200 um");
	assert_true(import_frame(im));
	assert_int_equal(host_find(im->host, "results")->integer, 30);
	assert_int_equal(f->var_count, 31);
	static const struct {
		const char *name;
		double value, near;
	} values[] = {
		{"Si", 25.116004, 1e-6}, {"Fe", 4.3576136, 5e-8}, {"Pb", 0.0042131716, 1e-10}};
	for (size_t i = 0; i < 3; i++)
		assert_true(is_near(host_find_of(im->host, "mass_fraction", values[i].name)->real,
			values[i].value, values[i].near));
	assert_true(
		is_near(host_find_of(im->host, "mass_fraction", "Fe")->unc.value, 0.0036149, 5e-8));
	assert_false(import_frame(im));
	import_destroy(im);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_what_is_not_whole),
		cmocka_unit_test(test_results_that_are_not_sure),
		cmocka_unit_test(test_sample),
		cmocka_unit_test(test_sample_of_two_phases),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
