/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agilent-file.h"
#include "harness.h"

extern const struct format format_agilent_ms;

#define SCANS 12

static struct agilent_file file;

static struct import *of_file(const char *name)
{
	struct import *im = import_create("gcms", name);
	import_add(im, NULL, file.bytes, file.len);
	return im;
}

static int look(void)
{
	struct import *im = of_file("data.ms");
	int found = import_look(im, &format_agilent_ms);
	import_destroy(im);
	return found;
}

static void expect_chromatogram(struct import *im, unsigned scans)
{
	assert_true(import_frame(im));
	const struct assay_variable *time = host_find(im->host, "time");
	const struct assay_variable *total = host_find(im->host, "total_ion_current");
	assert_int_equal(im->host->frame.kind, ASSAY_CHROMATOGRAM);
	assert_int_equal(im->host->frame.flag, ASSAY_UNCHECKED);
	assert_string_equal(time->unit, "ms");
	assert_int_equal(time->count, scans);
	assert_int_equal(time->type, ASSAY_U32);
	assert_int_equal(total->type, ASSAY_U32);
	for (unsigned i = 0; i < scans; i++) {
		assert_true(host_element(time, i) == 1000 + 100 * i);
		assert_true(host_element(total, i) == agilent_ms_total(i));
	}
}

static void expect_scan(struct import *im, unsigned i)
{
	assert_true(import_frame(im));
	assert_int_equal(host_find(im->host, "retention_time")->integer, 1000 + 100 * i);
	assert_int_equal(host_find(im->host, "total_ion_current")->integer, agilent_ms_total(i));
	assert_int_equal(im->host->frame.kind, i % 5 > 0 ? ASSAY_SPECTRUM : ASSAY_SCALARS);
	const struct assay_variable *mz = host_find(im->host, "mz");
	const struct assay_variable *intensity = host_find(im->host, "intensity");
	for (unsigned k = 0; k < i % 5; k++) {
		assert_int_equal(mz->count, i % 5);
		assert_true(host_element(mz, k) == (8000 - 30 * k) / 20.0);
		assert_true(host_element(intensity, k) == agilent_ms_intensity(i, k));
	}
}

static void the_scans_have_their_values(void **state)
{
	static const char *const names[] = {"DATA.MS", "dataSim.ms"};
	for (int k = 0; k < 2; k++) {
		agilent_make_ms(&file, SCANS, k == 0);
		struct import *im = of_file(names[k]);
		assert_true(import_start(im));
		expect_chromatogram(im, SCANS);
		assert_string_equal(im->host->frame.device_time,
			k == 0 ? "17 Dec 19  10:04 am" : "28 Jun 13  10:59 am -0500");
		for (unsigned i = 0; i < SCANS; i++) {
			expect_scan(im, i);
			assert_int_equal(im->host->frame.setting_count, k);
		}
		assert_string_equal(im->host->raw.blocks[0].media,
			k == 0 ? "application/x-assay-file;format=agilent-ms;part=scan"
			       : "application/x-assay-file;format=agilent-ms;part=scan-sim");
		assert_false(import_frame(im));
		import_destroy(im);
	}
	(void)state;
}

static void the_head_has_facts(void **state)
{
	agilent_make_ms(&file, SCANS, true);
	struct import *im = of_file("data.ms");
	assert_int_equal(import_look(im, &format_agilent_ms), FORMAT_WHOLE);
	assert_string_equal(im->facts.sample, "P071");
	assert_string_equal(im->facts.title, "petrol");
	assert_string_equal(im->facts.person, "rjb");
	assert_string_equal(im->facts.make, "Agilent");
	assert_string_equal(im->facts.model, "5977B");
	assert_string_equal(im->facts.method, "FIRE_RTL_ON_COLUMN_2.M");
	assert_string_equal(im->facts.acquired, "2019-12-17T10:04:00");
	assert_string_equal(im->facts.zone, "");
	import_destroy(im);
	agilent_make_ms(&file, SCANS, false);
	im = of_file("MSD1.MS");
	assert_int_equal(import_look(im, &format_agilent_ms), FORMAT_WHOLE);
	assert_string_equal(im->facts.model, "Instrumen");
	assert_string_equal(im->facts.method, "FIRE_RTL_ON_COLUMN_");
	assert_string_equal(im->facts.acquired, "2013-06-28T10:59:00");
	assert_string_equal(im->facts.zone, "-05:00");
	import_destroy(im);
	(void)state;
}

/* At each byte, and with zeros in place of the rest. */
static void a_file_that_is_cut_is_not_whole(void **state)
{
	agilent_make_ms(&file, SCANS, false);
	import_cut(&format_agilent_ms, "gcms", "data.ms", file.bytes, file.len, file.len, 0);
	(void)state;
}

/* A byte of the scans and the index that was changed is noticed, unless the index does not repeat it. */
static void a_changed_byte_is_noticed(void **state)
{
	agilent_make_ms(&file, SCANS, false);
	for (size_t at = file.start, scan = at, end = at; at < file.len; at++) {
		bool is_index = at >= file.index;
		if (!is_index && at == end) {
			scan = at;
			end = scan + 2 * (size_t)(file.bytes[scan] << 8 | file.bytes[scan + 1]);
		}
		size_t in = at - scan, tail = end - scan - 10;
		bool is_repeated = is_index || in < 6 || in == 12 || in == 13 || in >= tail + 6;
		for (int bit = 0; bit < 8; bit++) {
			file.bytes[at] ^= (uint8_t)(1 << bit);
			if (look() == FORMAT_WHOLE && is_repeated)
				fail_msg("byte %zu, bit %d: whole all the same", at, bit);
			file.bytes[at] ^= (uint8_t)(1 << bit);
		}
	}
	assert_int_equal(look(), FORMAT_WHOLE);
	(void)state;
}

static void places_and_counts_are_checked(void **state)
{
	static const struct {
		size_t at;
		unsigned size;
		uint64_t value;
		int found;
	} cases[] = {
		{260, 4, 0, FORMAT_INCOMPLETE},
		{260, 4, 0xffffffff, FORMAT_INCOMPLETE},
		{260, 4, 200, FORMAT_DAMAGED},
		{266, 2, 0, FORMAT_INCOMPLETE},
		{266, 2, 0xffff, FORMAT_DAMAGED},
		{266, 2, 100, FORMAT_DAMAGED},
		{278, 4, 0, FORMAT_INCOMPLETE},
		{278, 4, 0xffffffff, FORMAT_INCOMPLETE},
		{278, 4, SCANS + 1, FORMAT_INCOMPLETE},
		{278, 4, SCANS - 1, FORMAT_DAMAGED},
		{754, 2, 0, FORMAT_INCOMPLETE},
		{754, 2, 1, FORMAT_DAMAGED},
		{754, 2, 0xffff, FORMAT_DAMAGED},
		{4, 1, 3, FORMAT_FOREIGN},
		{0, 1, 2, FORMAT_FOREIGN},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		agilent_make_ms(&file, SCANS, false);
		agilent_put(&file, cases[i].at, cases[i].size, cases[i].value);
		int found = look();
		if (found != cases[i].found)
			fail_msg("case %zu: %d", i, found);
	}
	/* Two scans of one time, and m/z that do not descend. */
	agilent_make_ms(&file, SCANS, false);
	agilent_put(&file, file.start + 28 + 2, 4, 1000);
	agilent_put(&file, file.index + 12 + 4, 4, 1000);
	assert_int_equal(look(), FORMAT_DAMAGED);
	agilent_make_ms(&file, SCANS, false);
	agilent_put(&file, file.start + 28 + 32 + 22, 2, 8000);
	assert_int_equal(look(), FORMAT_DAMAGED);
	(void)state;
}

/* The scans of a long run stream: each step reads the two bytes of a length. */
static void the_next_scan_costs_two_bytes(void **state)
{
	agilent_make_ms(&file, 1000, true);
	struct import *im = of_file("data.ms");
	void *format_state = calloc(1, format_agilent_ms.state_size);
	assert_int_equal(
		format_agilent_ms.look(&im->source, format_state, &im->facts), FORMAT_WHOLE);
	im->reads = 0;
	for (int pass = 0; pass < 2; pass++) {
		unsigned frames = 0;
		struct format_plan plan;
		while (format_agilent_ms.next(&im->source, format_state, frames == 0, &plan) == 1)
			frames++;
		assert_int_equal(frames, 1001);
	}
	assert_int_equal(im->reads, 2 * 2 * 1000);
	free(format_state);
	import_destroy(im);
	(void)state;
}

static void a_real_file_has_its_values(void **state)
{
	size_t len;
	uint8_t *data = import_sample("files/gcms/MSD1.MS", &len);
	if (data == NULL)
		skip();
	struct import *im = import_create("gcms", "MSD1.MS");
	import_add(im, NULL, data, len);
	assert_int_equal(import_look(im, &format_agilent_ms), FORMAT_WHOLE);
	assert_string_equal(im->facts.sample, "MHL 7M F7");
	assert_string_equal(im->facts.person, "RJB");
	assert_string_equal(im->facts.method, "RJBBARUA.M");
	assert_string_equal(im->facts.acquired, "2013-06-28T10:59:00");
	assert_string_equal(im->facts.zone, "-05:00");
	assert_true(import_start(im) && import_frame(im));
	const struct assay_variable *time = host_find(im->host, "time");
	const struct assay_variable *total = host_find(im->host, "total_ion_current");
	assert_int_equal(time->count, 2534);
	assert_float_equal(host_element(time, 0) / 60000, 0.0791667, 5e-8);
	assert_float_equal(host_element(time, 2533) / 60000, 44.9728667, 5e-8);
	assert_float_equal(host_element(time, 1398) / 60000, 24.85665, 5e-6);
	assert_true(host_element(total, 0) == 13924);
	for (size_t i = 0; i < 2534; i++)
		assert_true(host_element(total, i) < 78496 || i == 1398);
	assert_true(host_element(total, 1398) == 78496);
	size_t peaks = 0, scans = 0;
	double least = INFINITY, most = 0, sum = 0;
	while (import_frame(im)) {
		const struct assay_variable *mz = host_find(im->host, "mz");
		const struct assay_variable *y = host_find(im->host, "intensity");
		for (size_t k = 0; k < mz->count; k++) {
			sum += scans == 0 ? host_element(y, k) : 0;
			least = fmin(least, host_element(mz, k));
			most = fmax(most, host_element(mz, k));
		}
		if (scans == 0) {
			assert_int_equal(mz->count, 83);
			assert_true(host_element(mz, 0) == 915.7 && host_element(y, 0) == 112);
			assert_true(host_element(mz, 1) == 865.4 && host_element(y, 1) == 184);
		}
		peaks += mz->count;
		scans++;
	}
	assert_int_equal(scans, 2534);
	assert_int_equal(peaks, 95471);
	assert_true(sum == 13884 && least == 100.1 && most == 999.6);
	import_destroy(im);
	import_cut(&format_agilent_ms, "gcms", "MSD1.MS", data, len, 40, 600);
	free(data);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_scans_have_their_values),
		cmocka_unit_test(the_head_has_facts),
		cmocka_unit_test(a_file_that_is_cut_is_not_whole),
		cmocka_unit_test(a_changed_byte_is_noticed),
		cmocka_unit_test(places_and_counts_are_checked),
		cmocka_unit_test(the_next_scan_costs_two_bytes),
		cmocka_unit_test(a_real_file_has_its_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
