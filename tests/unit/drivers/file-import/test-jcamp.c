/* SPDX-License-Identifier: Apache-2.0 */
/* JCAMP-DX files: all forms of numbers, blocks, pages, and real ones. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness.h"

extern const struct format format_jcamp;

static struct import *of_bytes(const char *text, size_t len)
{
	struct import *im = import_create("ftir", "a.dx");
	import_add(im, NULL, text, len);
	return im;
}

static int look(const char *text)
{
	struct import *im = of_bytes(text, strlen(text));
	int found = import_look(im, &format_jcamp);
	import_destroy(im);
	return found;
}

static void expect_numbers(
	const struct assay_variable *v, const double *numbers, size_t count, double near)
{
	assert_non_null(v);
	assert_int_equal(v->count, count);
	for (size_t i = 0; i < count; i++) {
		double value = host_element(v, i);
		if (isnan(numbers[i]) ? !isnan(value) : !(fabs(value - numbers[i]) <= near))
			fail_msg("%s[%zu] is %.15g, expected %.15g", v->name, i, value, numbers[i]);
	}
}

/* --- forms of numbers ------------------------------------------------------------------------- */

#define HEAD "##TITLE= t\n##DATA TYPE= INFRARED SPECTRUM\n##XUNITS= 1/CM\n##YUNITS= ABSORBANCE\n"

/* One table with the values, and whether its checks hold. */
static void tables_of_all_forms(void **state)
{
	(void)state;
	static const struct {
		const char *labels, *table;
		size_t count;
		double values[10];
		bool is_wrong;
	} cases[] = {
		/* AFFN, with exponents with and without a sign, and blanks, commas, tabs */
		{"", "1 1.5 -2\t+3.25, 4\n", 4, {1.5, -2, 3.25, 4}, false},
		{"", "1.0E+00 1.5E3 -2.5e-1 .5 7.\n", 4, {1500, -0.25, 0.5, 7}, false},
		{"", "1 2 ? 4\n", 3, {2, NAN, 4}, false},
		/* PAC */
		{"", "1+12-3+4-55\n5+1\n", 5, {12, -3, 4, -55, 1}, false},
		/* SQZ: E is +5, and no exponent */
		{"", "1@A2b3E4i9\n", 5, {0, 12, -23, 54, -99}, false},
		{"##FIRSTX= 646.2\n", "646.2E66408043E1\n", 2, {566408043, 51}, false},
		/* DIF, with its checkpoint on the next line */
		{"", "1A0J2k3%\n4g9K\n", 5, {10, 22, -1, -1, -77}, true},
		{"", "1A0J2k3%\n4a%\n", 5, {10, 22, -1, -1, -1}, false},
		{"", "1A0J2k3%\n4a\n", 4, {10, 22, -1, -1}, false},
		/* DUP: n times in all; of a difference, the difference */
		{"", "1A0U\n4B\n", 4, {10, 10, 10, 2}, false},
		{"", "1A0JT\n3A2J\n", 4, {10, 11, 12, 13}, false},
		{"", "1A0s\n", 9, {10, 10, 10, 10, 10, 10, 10, 10, 10}, false},
		/* comments, the points that are stated, a factor, places */
		{"", "1 2 $$ 3 4\n$$ 5\n2 6\n", 2, {2, 6}, false},
		{"##NPOINTS= 2\n", "1 2 3\n", 2, {2, 3}, false},
		{"##NPOINTS= 3\n", "1 2 3\n", 2, {2, 3}, true},
		{"##YFACTOR= 0.5\n##FIRSTX= 10\n##DELTAX= 2\n", "10 2 3\n14 8\n", 3, {1, 1.5, 4},
			false},
		{"##FIRSTX= 10\n##DELTAX= 2\n", "10 2 3\n16 8\n", 3, {2, 3, 8}, true},
		/* other signs */
		{"", "1 2 3\n2 4 (5)\n", 3, {2, 3, 4}, true}, {"", "x 2 3\n1 4\n", 1, {4}, true},
		{"", "1S2\n2 4\n", 1, {4}, true}, /* nothing to repeat */
		{"", "1J2\n2 4\n", 1, {4}, true}, /* nothing to differ from */
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char text[1024];
		snprintf(text, sizeof text,
			HEAD "##FIRSTX= 1\n##DELTAX= 1\n%s##XYDATA= (X++(Y..Y))\n%s##END=\n",
			cases[i].labels, cases[i].table);
		struct import *im = of_bytes(text, strlen(text));
		if (import_all(im) != 1)
			fail_msg("case %zu is no frame", i);
		expect_numbers(
			host_find(im->host, "absorbance"), cases[i].values, cases[i].count, 1e-9);
		if (cases[i].is_wrong != host_has_reason(im->host, "malformed"))
			fail_msg("case %zu: the checks are not seen", i);
		assert_int_equal(
			im->host->frame.flag, cases[i].is_wrong ? ASSAY_SUSPECT : ASSAY_UNCHECKED);
		import_destroy(im);
	}
}

/* More points than a frame has are no table; a repetition that no number can count is wrong. */
static void repetitions_are_bounded(void **state)
{
	(void)state;
	static const struct {
		const char *table;
		bool is_frame;
	} cases[] = {{"1A0s99999999\n", true}, {"1A0S9999999999999999\n", true},
		{"1A0Z000000Z000000\n", false}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char text[512];
		snprintf(text, sizeof text,
			HEAD "##FIRSTX= 1\n##DELTAX= 1\n##XYDATA= (X++(Y..Y))\n%s##END=\n",
			cases[i].table);
		struct assay_bytes block = {"application/x-assay-file;format=jcamp;part=block",
			"a@0", (const uint8_t *)text, strlen(text)};
		struct import *im = of_bytes(text, strlen(text));
		int r = host_decode_bytes(im->host, &block, 1, NULL, 0);
		assert_int_equal(r, 0);
		assert_true(host_has_reason(
			im->host, cases[i].is_frame ? "malformed" : "file-damaged"));
		import_destroy(im);
	}
}

/* Of a list the places follow from first and last place; of pairs they are in it. */
static void places_of_lists_and_pairs(void **state)
{
	(void)state;
	static const double xs[] = {41, 43, 57, 91.5}, ys[] = {120, 999, 650.5, 333};
	const char *list = HEAD "##XFACTOR= 0.5\n##FIRSTX= 100\n##LASTX= 106\n##NPOINTS= 4\n"
				"##XYDATA= (X++(Y..Y))\n200 1 2\n208 3 4\n##END=\n";
	struct import *im = of_bytes(list, strlen(list));
	assert_int_equal(import_all(im), 1);
	const struct assay_variable *x = host_find(im->host, "wavenumber");
	assert_true(x->type == ASSAY_LINEAR && x->start == 100 && x->step == 2 && x->count == 4);
	assert_int_equal(im->host->frame.flag, ASSAY_UNCHECKED);
	import_destroy(im);
	static const char *const pairs[] = {"41, 120\n43, 999\n57, 650.5\n91.5, 333\n",
		"41 120;43 999; 57 650.5\n91.5 333\n", "41,120 43,999 57,650.5 91.5,3.33E+02\r\n"};
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		char text[512];
		snprintf(text, sizeof text,
			"##title= scan\r\n##Data Type= MASS SPECTRUM\n##data-class= PEAK TABLE\n"
			"##XUNITS= M/Z\n##YUNITS= RELATIVE ABUNDANCE\n##NPOINTS= 4\n"
			"##PEAK_TABLE= (XY..XY)\n%s##END=\n",
			pairs[i]);
		im = of_bytes(text, strlen(text));
		assert_int_equal(import_all(im), 1);
		expect_numbers(host_find(im->host, "mz"), xs, 4, 0);
		expect_numbers(host_find(im->host, "intensity"), ys, 4, 0);
		assert_int_equal(im->host->frame.flag, ASSAY_UNCHECKED);
		import_destroy(im);
	}
}

static void facts_and_units(void **state)
{
	(void)state;
	static const struct {
		const char *type, *x, *y, *value, *axis, *name, *unit;
		enum assay_kind kind;
	} cases[] = {
		{"INFRARED SPECTRUM", "1/CM", "TRANSMITTANCE", "0.9", "wavenumber", "transmittance",
			"1", ASSAY_SPECTRUM},
		{"INFRARED SPECTRUM", "MICROMETERS", "Transmittance", "95", "wavelength",
			"transmittance", "%", ASSAY_SPECTRUM},
		{"RAMAN SPECTRUM", "1/CM", "ARBITRARY UNITS", "3", "raman_shift", "ordinate", "1",
			ASSAY_SPECTRUM},
		{"INFRARED INTERFEROGRAM", "SECONDS", "VOLTS", "3", "time", "interferogram", "1",
			ASSAY_INTERFEROGRAM},
		{"GAS CHROMATOGRAM", "MINUTES", "VOLTS", "3", "time", "signal", "V",
			ASSAY_CHROMATOGRAM},
		{"MASS SPECTRUM", "M/Z", "COUNTS", "3", "mz", "intensity", "{count}",
			ASSAY_SPECTRUM},
		{"NMR", "PPM", "X", "3", "abscissa", "ordinate", "1", ASSAY_SPECTRUM},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char text[512];
		snprintf(text, sizeof text,
			"%s##TITLE= Probe \xe4 $$ comment\n##DATA TYPE= %s\n##XUNITS= "
			"%s\n##YUNITS= "
			"%s\n"
			"##SPECTROMETER/DATA SYSTEM= V80\n##LONGDATE= 2026/11/29 21:40:00 +0100\n"
			"##FIRSTX= 1\n##DELTAX= 1\n##RESOLUTION= 4\n"
			"##XYDATA= (X++(Y..Y))\n1 %s 1\n##END=\n",
			i % 2 == 0 ? "" : "\xef\xbb\xbf\r\n ", /* the mark of UTF-8, and blanks */
			cases[i].type, cases[i].x, cases[i].y, cases[i].value);
		struct import *im = of_bytes(text, strlen(text));
		assert_int_equal(import_look(im, &format_jcamp), FORMAT_WHOLE);
		assert_string_equal(im->facts.title, "Probe \xc3\xa4");
		assert_string_equal(im->facts.model, "V80");
		assert_string_equal(im->facts.acquired, "2026-11-29T21:40:00");
		assert_string_equal(im->facts.zone, "+01:00");
		assert_int_equal(import_all(im), 1);
		assert_int_equal(im->host->frame.kind, cases[i].kind);
		assert_non_null(host_find(im->host, cases[i].axis));
		assert_non_null(host_find(im->host, cases[i].name));
		assert_string_equal(host_find(im->host, cases[i].name)->unit, cases[i].unit);
		import_destroy(im);
	}
}

/* --- blocks and pages ------------------------------------------------------------------------- */

#define TABLE \
	"##XUNITS= 1/CM\n##YUNITS= ABSORBANCE\n##FIRSTX= 1\n##DELTAX= 1\n##XYDATA= (X++(Y..Y))\n"

static const char link_text[] = "##TITLE= all\n##DATA TYPE= LINK\n##BLOCKS= 3\n"
				"##TITLE= one\n" TABLE "1 1 2\n##END=\n"
				"##TITLE= structure\n##DATA TYPE= X\n##ATOMLIST= \n1 C\n##END=\n"
				"##TITLE= two\n" TABLE "1 3 4\n##END=\n"
				"##END=\n";

static const char pages_text[] =
	"##TITLE= run 7\n##JCAMP-DX= 5.01\n##DATA TYPE= MASS SPECTRUM\n##DATA CLASS= NTUPLES\n"
	"##NTUPLES= MASS SPECTRUM\n##VAR_NAME= MASS, INTENSITY, RETENTION TIME\n##SYMBOL= X, Y, T\n"
	"##VAR_DIM= , , 2\n##FACTOR= 1, 2, 1\n##UNITS= M/Z, RELATIVE ABUNDANCE, SECONDS\n"
	"##PAGE= T= 5.25\n##NPOINTS= 2\n##DATA TABLE= (XY..XY), PEAKS\n28, 1000\n32, 240\n"
	"##PAGE= T= 5.84\n##NPOINTS= 2\n##DATA TABLE= (XY..XY), PEAKS\n28, 1001\n44.5, 30\n"
	"##END NTUPLES= MASS SPECTRUM\n##END=\n";

static void a_link_has_a_frame_for_each_table(void **state)
{
	(void)state;
	static const double values[2][2] = {{1, 2}, {3, 4}};
	struct import *im = of_bytes(link_text, strlen(link_text));
	assert_int_equal(import_look(im, &format_jcamp), FORMAT_WHOLE);
	assert_string_equal(im->facts.title, "all");
	assert_true(import_start(im));
	for (size_t i = 0; i < 2; i++) {
		assert_true(import_frame(im));
		expect_numbers(host_find(im->host, "absorbance"), values[i], 2, 0);
	}
	assert_false(import_frame(im));
	import_destroy(im);
}

static void pages_are_frames(void **state)
{
	(void)state;
	static const double xs[2][2] = {{28, 32}, {28, 44.5}}, ys[2][2] = {{2000, 480}, {2002, 60}};
	static const double times[] = {5.25, 5.84};
	struct import *im = of_bytes(pages_text, strlen(pages_text));
	assert_true(import_start(im));
	for (size_t i = 0; i < 2; i++) {
		assert_true(import_frame(im));
		expect_numbers(host_find(im->host, "mz"), xs[i], 2, 0);
		expect_numbers(host_find(im->host, "intensity"), ys[i], 2, 0);
		assert_true(host_find(im->host, "retention_time")->real == times[i]);
		assert_string_equal(host_find(im->host, "retention_time")->unit, "s");
		assert_int_equal(im->host->frame.flag, ASSAY_UNCHECKED);
	}
	assert_false(import_frame(im));
	import_destroy(im);
}

/* Programs that write one table behind the other, with the labels of each before it. */
static void further_tables_of_a_block_are_frames(void **state)
{
	(void)state;
	const char *text =
		"##TITLE= t\n##DATA TYPE= MASS SPECTRUM\n##XUNITS= M/Z\n##YUNITS= COUNTS\n"
		"##SCAN_NUMBER= 1\n##RETENTION_TIME= 1.5\n##NPOINTS= 1\n"
		"##XYDATA= (XY..XY)\n28, 7\n"
		"##SCAN_NUMBER= 2\n##RETENTION_TIME= 2.5\n##NPOINTS= 2\n"
		"##XYDATA= (XY..XY)\n28, 8\n32, 9\n"
		"##SCAN_NUMBER= 3\n##RETENTION_TIME= 3.5\n##NPOINTS= 1\n"
		"##XYDATA= (XY..XY)\n28, 10\n##END=\n";
	struct import *im = of_bytes(text, strlen(text));
	assert_true(import_start(im));
	for (unsigned i = 1; i <= 3; i++) {
		assert_true(import_frame(im));
		assert_int_equal(host_find(im->host, "mz")->count, i == 2 ? 2 : 1);
		assert_true(
			host_element(host_find(im->host, "intensity"), 0) == (i == 3 ? 10 : 6 + i));
		assert_true(host_find(im->host, "retention_time")->real == i + 0.5);
		assert_int_equal(im->host->frame.flag, ASSAY_UNCHECKED);
	}
	assert_false(import_frame(im));
	import_destroy(im);
}

/* A scan without peaks, and a table of other signs: no values, and the other tables are there. */
static void tables_without_numbers_are_bytes(void **state)
{
	(void)state;
	static const struct {
		const char *points, *table;
		bool is_damaged;
	} cases[] = {{"0", "", false}, {"1", "(x)\n", true}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char text[512];
		snprintf(text, sizeof text,
			"##TITLE= t\n##XUNITS= M/Z\n##YUNITS= COUNTS\n##RETENTION_TIME= 1.5\n"
			"##NPOINTS= %s\n##XYDATA= (XY..XY)\n%s##RETENTION_TIME= 2.5\n##NPOINTS= 1\n"
			"##XYDATA= (XY..XY)\n28, 8\n##END=\n",
			cases[i].points, cases[i].table);
		struct import *im = of_bytes(text, strlen(text));
		assert_true(import_start(im) && import_frame(im));
		assert_int_equal(im->host->frame.kind, ASSAY_SCALARS);
		assert_int_equal(host_has_reason(im->host, "file-damaged"), cases[i].is_damaged);
		assert_int_equal(
			host_find(im->host, "retention_time") == NULL, cases[i].is_damaged);
		assert_true(import_frame(im));
		assert_true(host_element(host_find(im->host, "intensity"), 0) == 8);
		assert_false(import_frame(im));
		import_destroy(im);
	}
}

/* --- not whole ------------------------------------------------------------------------ */

static void a_file_without_its_end_is_incomplete(void **state)
{
	(void)state;
	static const char *const texts[] = {link_text, pages_text, HEAD TABLE "1 2 3\n##END=\n"};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		size_t len = strlen(texts[i]);
		import_cut(&format_jcamp, "ftir", "a.dx", (const uint8_t *)texts[i], len, len, 2);
	}
}

static void blocks_that_are_mixed_up_are_damaged(void **state)
{
	(void)state;
	assert_int_equal(
		look(HEAD TABLE "1 2 3\n" HEAD TABLE "1 2 3\n##END=\n##END=\n"), FORMAT_DAMAGED);
	assert_int_equal(look(HEAD "##END=\n"), FORMAT_UNDECODED); /* no table */
	assert_int_equal(look(HEAD "##XYDATA= (XYM)\n1 2 3\n##END=\n"), FORMAT_UNDECODED);
	assert_int_equal(look("#TITLE= x\n##END=\n        "), FORMAT_FOREIGN);
	assert_int_equal(look("##ORIGIN= x\n##END=\n       "), FORMAT_FOREIGN);
	char deep[2048] = "";
	for (int i = 0; i < 20; i++)
		strcat(deep, "##TITLE= l\n##DATA TYPE= LINK\n");
	assert_int_equal(look(deep), FORMAT_DAMAGED);
	/* Records for all pages that are much longer than the pages. */
	char *long_head = calloc(1, 1 << 20);
	strcpy(long_head, "##TITLE= t\n##NTUPLES= x\n##NOTE= ");
	memset(long_head + strlen(long_head), 'x', 20000);
	for (int i = 0; i < 200; i++)
		strcat(long_head, "\n##PAGE= T=1\n##DATA TABLE= (XY..XY)\n1 2");
	strcat(long_head, "\n##END=\n");
	assert_int_equal(look(long_head), FORMAT_DAMAGED);
	free(long_head);
}

/* --- real files ------------------------------------------------------------------------------- */

/* The four files have the same values, each in another form and as many of them as it goes on. */
static void real_files_of_four_forms_are_equal(void **state)
{
	(void)state;
	static const char *const names[] = {"packed", "squeezed", "difdup", "fix"};
	static const size_t counts[] = {30, 38, 30, 8};
	double first[64];
	for (size_t i = 0; i < 4; i++) {
		char path[64];
		size_t len;
		snprintf(path, sizeof path, "ftir/jcamp/jcamp-%s.dx", names[i]);
		uint8_t *data = import_sample(path, &len);
		if (data == NULL)
			skip();
		struct import *im = of_bytes((const char *)data, len);
		assert_int_equal(import_all(im), 1);
		assert_int_equal(im->host->frame.flag, ASSAY_UNCHECKED);
		const struct assay_variable *y = host_find(im->host, "ordinate");
		assert_int_equal(y->count, counts[i]);
		for (size_t k = 0; k < y->count && i == 0; k++)
			first[k] = host_element(y, k);
		for (size_t k = 0; k < y->count && k < counts[0]; k++)
			assert_true(host_element(y, k) == first[k]);
		const struct assay_variable *x = host_find(im->host, "abscissa");
		assert_true(x->start == 5592.84116331095);
		assert_true(fabs(x->step + 0.341380770512785) < 1e-12);
		import_destroy(im);
		import_cut(&format_jcamp, "ftir", "a.dx", data, len, 40, 3);
		free(data);
	}
	assert_true(first[0] == -10247 && first[29] == -1613);
}

static void real_files_have_their_values(void **state)
{
	(void)state;
	static const double difdup[] = {0, 0, 0, 0, 2, 4, 4, 4, 7, 5, 4, 4, 5, 5, 7, 10, 11, 11, 6,
		5, 7, 6, 9, 9, 7, 10, 10, 9, 10, 11, 12, 15, 16, 16, 14, 17, 38, 38, 35, 38, 42, 47,
		54, 59, 66, 75, 78, 88, 96, 104, 110, 121, 128};
	static const char *const paths[] = {
		"ftir/jcamp/difdup_example.jdx", "ftir/jcamp/noencoding_example.jdx"};
	for (size_t i = 0; i < 2; i++) {
		size_t len;
		uint8_t *data = import_sample(paths[i], &len);
		if (data == NULL)
			skip();
		struct import *im = of_bytes((const char *)data, len);
		assert_int_equal(import_all(im), 1);
		const struct assay_variable *y = host_find(im->host, "ordinate");
		assert_int_equal(y->count, 53);
		for (size_t k = 0; k < 53; k++)
			assert_true(fabs(host_element(y, k) - difdup[k] * 0.1) < 1e-12);
		assert_true(host_find(im->host, "time")->start == 4);
		assert_int_equal(im->host->frame.flag, ASSAY_UNCHECKED);
		import_destroy(im);
		free(data);
	}
	static const struct {
		const char *path, *values;
		unsigned frames;
	} exports[] = {{"files/export/ir.dx", "absorbance", 1},
		{"files/export/ms.dx", "intensity", 1}, {"files/export/gcms.dx", "intensity", 4}};
	for (size_t i = 0; i < 3; i++) {
		size_t len;
		uint8_t *data = import_sample(exports[i].path, &len);
		if (data == NULL)
			skip();
		struct import *im = of_bytes((const char *)data, len);
		assert_int_equal(import_all(im), exports[i].frames);
		assert_non_null(host_find(im->host, exports[i].values));
		assert_int_equal(im->host->frame.flag, ASSAY_UNCHECKED);
		if (i == 0)
			assert_true(fabs(host_element(host_find(im->host, "absorbance"), 40) -
					    0.134697577) < 1e-12);
		if (i == 2)
			assert_true(host_find(im->host, "retention_time")->real == 7.02);
		import_destroy(im);
		free(data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tables_of_all_forms),
		cmocka_unit_test(repetitions_are_bounded),
		cmocka_unit_test(places_of_lists_and_pairs),
		cmocka_unit_test(facts_and_units),
		cmocka_unit_test(a_link_has_a_frame_for_each_table),
		cmocka_unit_test(pages_are_frames),
		cmocka_unit_test(further_tables_of_a_block_are_frames),
		cmocka_unit_test(tables_without_numbers_are_bytes),
		cmocka_unit_test(a_file_without_its_end_is_incomplete),
		cmocka_unit_test(blocks_that_are_mixed_up_are_damaged),
		cmocka_unit_test(real_files_of_four_forms_are_equal),
		cmocka_unit_test(real_files_have_their_values),
	};
	return cmocka_run_group_tests_name("file-import-jcamp", tests, NULL, NULL);
}
