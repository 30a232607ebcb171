/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "agilent-file.h"
#include "harness.h"

extern const struct format format_agilent_ch;

#define POINTS 121
#define ZEROS  512 /* fewer of them at the end are values */

static struct agilent_file file;

static const struct {
	const char *version, *type, *software, *unit;
	bool is_scaled, is_sure, has_end;
} kinds[] = {
	{"8", "", "", "1", false, false, true},
	{"30", "", "", "pA", true, true, true},
	{"81", "", "", "pA", true, true, false},
	{"130", "LC DATA FILE", "ChemStation", "1", true, true, true},
	{"179", "GC DATA FILE", "Asterix ChemStation", "1", true, false, false},
	{"179", "GC DATA FILE", "Mustang 1.0", "1", true, true, true},
	{"179", "OL DATA FILE", "OpenLab", "1", true, true, false},
	{"181", "GC DATA FILE", "Asterix ChemStation", "1", true, true, false},
};

#define KINDS (sizeof kinds / sizeof *kinds)

static void make(size_t kind)
{
	agilent_make_ch(&file, kinds[kind].version, POINTS, kinds[kind].type, kinds[kind].software);
}

static struct import *of_file(size_t len)
{
	struct import *im = import_create("gc", "FID1A.CH");
	import_add(im, NULL, file.bytes, len);
	return im;
}

static int look(size_t len)
{
	struct import *im = of_file(len);
	int found = import_look(im, &format_agilent_ch);
	import_destroy(im);
	return found;
}

static void each_version_has_its_values(void **state)
{
	for (size_t k = 0; k < KINDS; k++) {
		make(k);
		struct import *im = of_file(file.len);
		assert_int_equal(import_look(im, &format_agilent_ch), FORMAT_WHOLE);
		assert_true(import_start(im) && import_frame(im));
		const struct assay_variable *time = host_find(im->host, "time");
		const struct assay_variable *y = host_find(im->host, "signal");
		assert_int_equal(im->host->frame.kind, ASSAY_CHROMATOGRAM);
		assert_int_equal(
			im->host->frame.flag, kinds[k].is_sure ? ASSAY_UNCHECKED : ASSAY_SUSPECT);
		assert_int_equal(host_has_reason(im->host, "scale-unverified"), !kinds[k].is_sure);
		assert_true(time->start == 100 && time->step == 50 && time->count == POINTS);
		assert_string_equal(time->unit, "ms");
		assert_string_equal(y->unit, kinds[k].unit);
		assert_string_equal(y->channel, "FID1A");
		assert_string_equal(y->label, "FID1A, Front Signal");
		assert_int_equal(y->count, POINTS);
		for (unsigned i = 0; i < POINTS; i++)
			assert_true(
				host_element(y, i) ==
				(kinds[k].is_scaled ? 0.5 * agilent_raw(i) + 3 : agilent_raw(i)));
		const struct assay_variable *unit = host_find(im->host, "stated_unit");
		assert_int_equal(unit != NULL, strcmp(kinds[k].unit, "1") == 0);
		assert_false(import_frame(im));
		import_destroy(im);
	}
	(void)state;
}

static void the_head_has_facts(void **state)
{
	make(2);
	struct import *im = of_file(file.len);
	assert_int_equal(import_look(im, &format_agilent_ch), FORMAT_WHOLE);
	assert_string_equal(im->facts.sample, "5970 mix 10nG");
	assert_string_equal(im->facts.title, "mixture");
	assert_string_equal(im->facts.person, "rjb");
	assert_string_equal(im->facts.model, "HP G1530A");
	assert_string_equal(im->facts.method, "EVAL.M");
	assert_string_equal(im->facts.acquired, "2020-08-20T14:00:32");
	import_destroy(im);
	make(5);
	im = of_file(file.len);
	assert_int_equal(import_look(im, &format_agilent_ch), FORMAT_WHOLE);
	assert_string_equal(im->facts.sample, "BB7125_3");
	assert_string_equal(im->facts.person, "SYSTEM");
	assert_string_equal(im->facts.software, "Mustang 1.0");
	assert_string_equal(im->facts.method, "ramp4.M");
	assert_string_equal(im->facts.acquired, "2022-10-13T08:52:05");
	import_destroy(im);
	(void)state;
}

/* Day and month change places with the settings of the PC: only where one is no month the date is known. */
static void an_ambiguous_date_stays_a_text(void **state)
{
	static const struct {
		const char *text, *acquired;
	} cases[] = {
		{"8/20/20 2:00:32 PM", "2020-08-20T14:00:32"},
		{"20/8/20 2:00:32 PM", "2020-08-20T14:00:32"},
		{"8/8/99 12:00:32 AM", "1999-08-08T00:00:32"},
		{"8/9/20 2:00:32 PM", "8/9/20 2:00:32 PM"},
		{"30-Feb-22, 08:52:05", "30-Feb-22, 08:52:05"},
		{"13-Oct-22, 08:52:05", "2022-10-13T08:52:05"},
		{"13 October 2022  12:52 pm", "2022-10-13T12:52:00"},
		{"13-Oct-22, 13:52 pm", "13-Oct-22, 13:52 pm"},
		{"2022-10-13T08:52:05Z", "2022-10-13T08:52:05"},
		{"2022-10-13T08:52:05.123+02:00", "2022-10-13T08:52:05"},
		{"2022-10-13T08:52:05 or so", "2022-10-13T08:52:05 or so"},
		{"yesterday", "yesterday"},
		{"", ""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		make(2);
		memset(file.bytes + 178, 0, 30);
		agilent_put_text(&file, 178, cases[i].text);
		struct import *im = of_file(file.len);
		import_look(im, &format_agilent_ch);
		assert_string_equal(im->facts.acquired, cases[i].acquired);
		import_destroy(im);
	}
	(void)state;
}

static void a_file_that_is_cut_is_not_whole(void **state)
{
	for (size_t k = 0; k < KINDS; k++) {
		make(k);
		bool has_mark = kinds[k].has_end && strcmp(kinds[k].version, "179") != 0;
		import_cut(&format_agilent_ch, "gc", "FID1A.ch", file.bytes, file.len, 97,
			has_mark ? 0 : ZEROS);
		for (size_t len = file.len - 2 * ZEROS; kinds[k].has_end && len < file.len; len++)
			assert_int_not_equal(look(len), FORMAT_WHOLE);
		size_t start = strlen(kinds[k].version) < 3 ? 1024 : 6144;
		for (size_t percent = 0; percent < 100; percent += 9)
			assert_int_not_equal(
				look(start + (file.len - start) * percent / 100), FORMAT_WHOLE);
	}
	(void)state;
}

static void places_and_counts_are_checked(void **state)
{
	static const struct {
		size_t kind, at;
		unsigned size;
		uint64_t value;
		int found;
	} cases[] = {
		{2, 264, 4, 0, FORMAT_DAMAGED},
		{2, 264, 4, 0xffffffff, FORMAT_DAMAGED},
		{2, 282, 4, 0x7fc00000, FORMAT_DAMAGED},             /* NaN */
		{2, 286, 4, 0x42c80000, FORMAT_DAMAGED},             /* the first time again */
		{2, 644, 8, 0, FORMAT_DAMAGED},                      /* slope 0 */
		{2, 636, 8, 0x7ff0000000000000, FORMAT_DAMAGED},     /* infinity */
		{4, 6144, 8, 0x000000000000f07f, FORMAT_INCOMPLETE}, /* the same as a value */
		{5, 278, 4, 0xffffffff, FORMAT_INCOMPLETE},
		{5, 278, 4, POINTS - 1, FORMAT_DAMAGED},
		{4, 278, 4, 0xffffffff, FORMAT_WHOLE}, /* the number means another thing there */
		{1, 1024, 1, 0x11, FORMAT_INCOMPLETE},
		{1, 1025, 1, 0xff, FORMAT_INCOMPLETE},
		{0, 1, 1, '9', FORMAT_FOREIGN},
		{0, 0, 1, 0xff, FORMAT_FOREIGN},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		make(cases[i].kind);
		agilent_put(&file, cases[i].at, cases[i].size, cases[i].value);
		int found = look(file.len);
		if (found != cases[i].found)
			fail_msg("case %zu: %d", i, found);
	}
	/* Bytes behind the end mark. */
	make(1);
	agilent_put(&file, file.len, 1, 1);
	assert_int_equal(look(file.len), FORMAT_INCOMPLETE);
	(void)state;
}

static double value_at(const struct assay_variable *time, size_t i)
{
	return (time->start + time->step * (double)i) / 60000;
}

static void real_files_have_their_values(void **state)
{
	static const struct {
		const char *path, *sample;
		size_t points, at;
		double first, last, y0, max, max_at, yn;
		bool is_sure;
	} files[] = {
		{"files/gcms/test_fid.ch", "5970 mix 10nG", 2699, 0, 3.00044479, 11.99711146,
			17.500782, 31.373569, 4.854465, 17.885938, true},
		{"files/gcms/test_179_fid.ch", "BB7125_3-spiropyrollidine_cof", 12000, 0,
			0.00082762, 9.99999479, 7.745703125, 8.2589844, 9.966661, 8.2528646, false},
	};
	size_t found = 0;
	for (size_t k = 0; k < 2; k++) {
		size_t len, most = 0;
		uint8_t *data = import_sample(files[k].path, &len);
		if (data == NULL)
			continue;
		struct import *im = import_create("gc", "FID1A.ch");
		import_add(im, NULL, data, len);
		assert_int_equal(import_look(im, &format_agilent_ch), FORMAT_WHOLE);
		assert_string_equal(im->facts.sample, files[k].sample);
		assert_true(import_start(im) && import_frame(im));
		const struct assay_variable *time = host_find(im->host, "time");
		const struct assay_variable *y = host_find(im->host, "signal");
		assert_string_equal(y->unit, "pA");
		assert_int_equal(
			im->host->frame.flag, files[k].is_sure ? ASSAY_UNCHECKED : ASSAY_SUSPECT);
		assert_int_equal(y->count, files[k].points);
		for (size_t i = 0; i < y->count; i++)
			most = host_element(y, i) > host_element(y, most) ? i : most;
		assert_float_equal(value_at(time, 0), files[k].first, 5e-9);
		assert_float_equal(value_at(time, y->count - 1), files[k].last, 5e-9);
		assert_float_equal(value_at(time, most), files[k].max_at, 5e-7);
		assert_float_equal(host_element(y, most), files[k].max, 5e-7);
		assert_float_equal(host_element(y, 0), files[k].y0, 5e-7);
		assert_float_equal(host_element(y, y->count - 1), files[k].yn, 5e-7);
		assert_false(import_frame(im));
		import_destroy(im);
		import_cut(&format_agilent_ch, "gc", "FID1A.ch", data, len, 40, ZEROS);
		free(data);
		found++;
	}
	if (found == 0)
		skip();
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_version_has_its_values),
		cmocka_unit_test(the_head_has_facts),
		cmocka_unit_test(an_ambiguous_date_stays_a_text),
		cmocka_unit_test(a_file_that_is_cut_is_not_whole),
		cmocka_unit_test(places_and_counts_are_checked),
		cmocka_unit_test(real_files_have_their_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
