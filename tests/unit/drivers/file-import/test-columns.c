/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness.h"
#include "modbus-map/profile.h"

extern const struct format format_columns;

static struct import *of(const char *profile, const char *name, const void *text, size_t len)
{
	char path[300];
	struct import *im = import_create("xrf", name);
	snprintf(path, sizeof path, "%s/%s.yaml", PROFILES, profile);
	profile_load(im->host, path);
	host_check(im->host);
	assert_string_equal(im->host->found, "");
	import_add(im, NULL, text, len);
	return im;
}

static struct import *of_text(const char *profile, const char *name, const char *text)
{
	return of(profile, name, text, strlen(text));
}

static void expect_refused(struct import *im, int found, const char *why)
{
	assert_int_equal(import_look(im, &format_columns), found);
	if (strstr(im->facts.why, why) == NULL)
		host_bug("'%s' is not in '%s'", why, im->facts.why);
	import_destroy(im);
}

static double value(const struct import *im, const char *analyte)
{
	const struct assay_variable *v = host_find_of(im->host, "mass_fraction", analyte);
	return v != NULL ? v->real : -1e9;
}

static const char *setting(const struct import *im, const char *name)
{
	const struct host_frame *f = &im->host->frame;
	for (size_t i = 0; i < f->setting_count; i++)
		if (strcmp(f->settings[i].said, name) == 0)
			return f->settings[i].v.text;
	return NULL;
}

/* --- Vanta --- */

#define VANTA                                                                                 \
	"Instrument Serial Num,Reading #,Date,Time,Method Name,Sample ID, Units,Fe Compound," \
	"Fe Concentration,Fe Error1s,Pb Concentration,Pb Error1s,Zn Concentration,Zn Error1s\n"
#define ROW "841524,7,1/10/2022,14:38:24,Geo,24-0815,PPM,,17312,194,<LOD,35,,\n"

static void test_vanta(void **state)
{
	(void)state;
	static const char *const starts[] = {
		"", "sep=,\n", "\xef\xbb\xbfsep = \",\"\n", "\xef\xbb\xbf", ",\n"};
	for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
		char text[1000];
		snprintf(text, sizeof text, "%s%s%s", starts[i], VANTA,
			ROW "1,8,2022-01-10,3:04:05 PM,Geo,x,%,,0,5,1.5,0,,\n");
		struct import *im = of_text(
			"olympus-vanta", "chemistry-841524-2022-01-10-14-39-13.csv", text);
		assert_int_equal(import_look(im, &format_columns), FORMAT_WHOLE);
		assert_string_equal(im->facts.serial, "841524");
		assert_string_equal(im->facts.method, "Geo");
		assert_string_equal(im->facts.sample, ""); /* two of them */
		assert_string_equal(im->facts.acquired, "2022-01-10T14:38:24");
		assert_true(import_start(im) && import_frame(im));
		const struct assay_variable *iron = host_find_of(im->host, "mass_fraction", "Fe");
		assert_true(iron->real == 17312 && iron->unc.value == 194);
		assert_string_equal(iron->unc.kind, "standard");
		assert_string_equal(iron->unit, "[ppm]");
		assert_null(host_find_of(im->host, "mass_fraction", "Pb"));
		assert_true(host_find_of(im->host, "detection_limit", "Pb")->real == 35);
		assert_string_equal(host_find(im->host, "below_detection")->text, "Pb");
		assert_true(host_has_reason(im->host, "below-detection"));
		assert_int_equal(im->host->frame.flag, ASSAY_UNCHECKED);
		assert_int_equal(im->host->frame.var_count, 3);
		assert_string_equal(setting(im, "sample"), "24-0815");
		assert_string_equal(setting(im, "reading"), "7");
		assert_string_equal(im->host->frame.device_time, "2022-01-10T14:38:24");
		assert_true(import_frame(im));
		assert_true(host_find_of(im->host, "detection_limit", "Fe")->real == 5);
		assert_true(value(im, "Pb") == 1.5 &&
			    host_find_of(im->host, "mass_fraction", "Pb")->unc.kind == NULL);
		assert_string_equal(host_find_of(im->host, "mass_fraction", "Pb")->unit, "%");
		assert_string_equal(im->host->frame.device_time, "2022-01-10T15:04:05");
		assert_false(import_frame(im));
		import_destroy(im);
	}
}

static void test_vanta_that_is_not_whole(void **state)
{
	(void)state;
	struct import *im;
	for (size_t len = 0; len < strlen(VANTA ROW); len++) {
		im = of("olympus-vanta", "a.csv", VANTA ROW, len);
		assert_int_not_equal(import_look(im, &format_columns), FORMAT_WHOLE);
		char zeros[sizeof VANTA ROW] = "";
		memcpy(zeros, VANTA ROW, len);
		import_add(im, NULL, zeros, strlen(VANTA ROW));
		assert_int_not_equal(import_look(im, &format_columns), FORMAT_WHOLE);
		import_destroy(im);
	}
	char hole[] = VANTA ROW;
	memset(strstr(hole, "17312") + 2, 0, 3); /* read up to it, the value would be 17 */
	expect_refused(of("olympus-vanta", "a.csv", hole, strlen(VANTA ROW)), FORMAT_INCOMPLETE,
		"not written yet");
	expect_refused(
		of_text("olympus-vanta", "a.csv", VANTA), FORMAT_INCOMPLETE, "no reading yet");
	expect_refused(of_text("olympus-vanta", "a.csv", VANTA "1,2\n"), FORMAT_DAMAGED,
		"line 2: it has 2 cells, the header has 14");
	expect_refused(
		of_text("olympus-vanta", "a.csv", "a,b\n1,2\n"), FORMAT_UNDECODED, "Reading #");
	expect_refused(
		of_text("olympus-vanta", "a.csv", "sep=;\n" VANTA ROW), FORMAT_UNDECODED, "';'");
	expect_refused(of_text("olympus-vanta", "a.csv", VANTA "1,2,,,,,PPM,,\"1,234\",1,,,,\n"),
		FORMAT_UNDECODED, "'1,234' is no number");
	expect_refused(of_text("olympus-vanta", "a.csv", VANTA "1,2,,,,,g/t,,1,1,,,,\n"),
		FORMAT_UNDECODED, "'g/t' is no unit");
	expect_refused(of_text("olympus-vanta", "a.csv", VANTA "1,2,,,,,,,1,1,,,,\n"),
		FORMAT_UNDECODED, "have no unit");
	expect_refused(of_text("olympus-vanta", "a.csv", VANTA "1,\"2,,,,,PPM,,1,1,,,,\n"),
		FORMAT_INCOMPLETE, "quote");
	expect_refused(of_text("olympus-vanta", "a.csv",
			       "Reading #,Units,Fe Concentration,Fe Concentration\n1,%,2,3\n"),
		FORMAT_UNDECODED, "a second value");
}

/* Without a profile, and in a binary file, there is no report. */
static void test_files_that_are_no_report(void **state)
{
	(void)state;
	struct import *im = import_create("xrf", "a.csv");
	import_add(im, NULL, VANTA ROW, strlen(VANTA ROW));
	assert_int_equal(import_look(im, &format_columns), FORMAT_FOREIGN);
	import_destroy(im);
	im = of("olympus-vanta", "a.bin", "a\0b", 3);
	assert_int_equal(import_look(im, &format_columns), FORMAT_FOREIGN);
	import_destroy(im);
}

static void test_vanta_sample(void **state)
{
	(void)state;
	static const char name[] = "vanta_chemistry-841524-2022-01-10-14-39-13.csv";
	static const struct {
		const char *analyte;
		double value, error;
	} values[] = {
		{"Si", 97691, 595}, {"Ca", 194014, 865}, {"Fe", 17312, 194}, {"LE", 659120, 1049}};
	size_t len;
	char path[100];
	snprintf(path, sizeof path, "files/xrf/%s", name);
	uint8_t *data = import_sample(path, &len);
	if (data == NULL)
		skip();
	struct import *im;
	for (size_t i = 0; i < 100; i++) {
		im = of("olympus-vanta", name, data, i < 99 ? len * i / 99 : len - 1);
		assert_int_not_equal(import_look(im, &format_columns), FORMAT_WHOLE);
		import_destroy(im);
	}
	im = of("olympus-vanta", name, data, len);
	assert_int_equal(import_look(im, &format_columns), FORMAT_WHOLE);
	assert_string_equal(im->facts.serial, "841524");
	assert_string_equal(im->facts.method, "Geochem(3-Beam)");
	assert_string_equal(im->facts.acquired, "2022-01-10T14:38:24");
	assert_true(import_start(im) && import_frame(im));
	for (size_t i = 0; i < 4; i++) {
		const struct assay_variable *v = host_find_of(
			im->host, "mass_fraction", values[i].analyte);
		assert_true(v->real == values[i].value && v->unc.value == values[i].error);
		assert_string_equal(v->unit, "[ppm]");
	}
	assert_null(host_find_of(im->host, "mass_fraction", "Mg"));
	assert_true(host_find_of(im->host, "detection_limit", "Mg")->real == 8596);
	assert_string_equal(setting(im, "reading"), "1");
	assert_false(import_frame(im));
	import_destroy(im);
	free(data);
}

/* --- spectra --- */

#define SPECTRA                                                                           \
	"TestID,a #1,a "                                                                  \
	"#2,\nExposureNum,1,2,\nOffset,-0.5,0.25,\nSlope,0.02,0.04,\nLivetime,12.5,13,\n" \
	"NumData,3,3,\nTubeVoltageSet,40,15,\nTimeStamp,2021-05-01 11:06:43,2021-05-01 "  \
	"11:32:56,\n"                                                                     \
	",0,4,\n,1,5,\n,70000,6,\n"

static void test_spectra(void **state)
{
	(void)state;
	struct import *im = of_text("olympus-delta-spectra", "s.csv", SPECTRA);
	assert_int_equal(import_look(im, &format_columns), FORMAT_WHOLE);
	assert_true(import_start(im) && import_frame(im));
	const struct assay_variable *counts = host_find(im->host, "counts"),
				    *energy = host_find(im->host, "energy");
	assert_int_equal(counts->type, ASSAY_U32);
	assert_int_equal(counts->count, 3);
	assert_true(
		host_element(counts, 2) == 70000 && energy->start == -0.5 && energy->step == 0.02);
	assert_true(import_frame(im));
	assert_true(host_element(host_find(im->host, "counts"), 2) == 6);
	assert_true(host_find(im->host, "energy")->start == 0.25);
	assert_true(host_find(im->host, "live_time")->real == 13);
	assert_string_equal(setting(im, "title"), "a #2");
	assert_string_equal(im->host->frame.device_time, "2021-05-01T11:32:56");
	assert_false(import_frame(im));
	import_destroy(im);
	for (size_t len = 0; len < strlen(SPECTRA); len++) {
		im = of("olympus-delta-spectra", "s.csv", SPECTRA, len);
		assert_int_not_equal(import_look(im, &format_columns), FORMAT_WHOLE);
		import_destroy(im);
	}
	expect_refused(of_text("olympus-delta-spectra", "s.csv", SPECTRA ",1,,\n"),
		FORMAT_UNDECODED, "4 counts, and states 3");
	expect_refused(of_text("olympus-delta-spectra", "s.csv", SPECTRA ",1\n"), FORMAT_DAMAGED,
		"2 cells");
}

static void test_spectra_sample(void **state)
{
	(void)state;
	size_t len, at = 0;
	uint8_t *data = import_sample("files/xrf/olympus_delta_Spectra_05_01_21.csv", &len);
	if (data == NULL)
		skip();
	struct import *im = of("olympus-delta-spectra", "Spectra_05_01_21.csv", data, len);
	assert_int_equal(import_look(im, &format_columns), FORMAT_WHOLE);
	assert_string_equal(im->facts.title, "05_01_21 #1");
	assert_string_equal(im->facts.acquired, "2021-05-01T11:06:43");
	assert_true(import_start(im) && import_frame(im));
	const struct assay_variable *counts = host_find(im->host, "counts"),
				    *energy = host_find(im->host, "energy");
	double sum = 0, max = 0;
	for (size_t i = 0; i < counts->count; i++) {
		sum += host_element(counts, i);
		if (host_element(counts, i) > max)
			max = host_element(counts, at = i);
	}
	assert_int_equal(counts->count, 2048);
	assert_true(sum == 554275 && max == 29505 && at == 319);
	assert_true(energy->start == -0.015563 && energy->step == 0.020049);
	double top = energy->start + 319 * energy->step - 6.380068;
	assert_true(top < 5e-7 && top > -5e-7);
	assert_true(host_find(im->host, "live_time")->real == 12.8636);
	assert_true(host_find(im->host, "real_time")->real == 15.0643);
	unsigned frames = 1;
	while (import_frame(im))
		frames++;
	assert_int_equal(frames, 37);
	import_destroy(im);
	for (size_t i = 1; i < 10; i++) {
		im = of("olympus-delta-spectra", "s.csv", data, len * i / 10);
		assert_int_not_equal(import_look(im, &format_columns), FORMAT_WHOLE);
		import_destroy(im);
	}
	free(data);
}

/* --- Niton, PANalytical --- */

static void test_niton(void **state)
{
	(void)state;
	static const char text[] =
		"Index,Reading No,Time,Type,Duration,Units,Sigma "
		"Value,Sequence,User1,Flags,Operator,User Login,"
		"Pb,Pb Error,Bk1,Bk1 Error,Fe,Fe Error,\n"
		"1,12,1/2/2023 15:04,Soil,30.1,ppm,2,Final,Au,,Kim,x,< LOD,7.5,1,1,101.25,3.5,\n";
	struct import *im = of_text("niton", "a.csv", text);
	assert_int_equal(import_look(im, &format_columns), FORMAT_WHOLE);
	assert_string_equal(im->facts.person, "Kim");
	assert_string_equal(im->facts.acquired, "1/2/2023 15:04"); /* its order is not known */
	assert_true(import_start(im) && import_frame(im));
	const struct assay_variable *iron = host_find_of(im->host, "mass_fraction", "Fe");
	assert_true(iron->real == 101.25 && iron->unc.value == 3.5 && iron->unc.k == 2);
	assert_string_equal(iron->unc.kind, "expanded");
	assert_null(host_find(im->host, "detection_limit"));
	assert_string_equal(host_find(im->host, "below_detection")->text, "Pb");
	assert_int_equal(im->host->frame.var_count, 2); /* Bk1 is no element */
	import_destroy(im);
}

static void test_epsilon(void **state)
{
	(void)state;
	static const char text[] = "  \t     \t        \t             \t   \tNa   \t     \t     \t "
				   "   \tSi \t   \t    \t    \t\n"
				   "Nr\tIdent\tSeq     \tTime         \tPos\tIraw \tInet \tC    "
				   "\tUnit\tIraw\tInet\tC   \tUnit\t\n"
				   "1 \tpoc 1\t1 of 1  \t10-Jan-2019 14:45:47\t1  \t-5.8 \t-5.8 "
				   "\t-40.5\tppm \t1.5\t2.5\t12.5\t%   \t\n"
				   "2 \tpoc 1\tAve of 1\t10-Jan-2019 14:45:47\t1  \t-5.8 \t-5.8 "
				   "\t4071 \tppm \t1.5\t2.5\t99  \t%   \t\n"
				   "3 \tpoc 1\tSDev of 1\t10-Jan-2019 14:45:47\t1  \t-5.8 \t-5.8 "
				   "\t1    \tppm \t1.5\t2.5\t1   \t%   \t\n";
	struct import *im = of_text("panalytical-epsilon", "a.txt", text);
	assert_int_equal(import_look(im, &format_columns), FORMAT_WHOLE);
	assert_string_equal(im->facts.sample, "poc 1");
	assert_string_equal(im->facts.acquired, "2019-01-10T14:45:47");
	assert_true(import_start(im) && import_frame(im));
	assert_true(value(im, "Na") == -40.5 && value(im, "Si") == 12.5);
	assert_string_equal(host_find_of(im->host, "mass_fraction", "Na")->unit, "[ppm]");
	assert_string_equal(host_find_of(im->host, "mass_fraction", "Si")->unit, "%");
	assert_int_equal(im->host->frame.var_count, 2);
	assert_false(import_frame(im));
	import_destroy(im);
}

/* --- settings --- */

struct own {
	const char *settings[6][2];
	const char *text;
	size_t len;           /* 0: of the text */
	double value;         /* of Fe; NAN is not used: 0 is "refused" */
	const char *acquired; /* NULL: not looked at */
};

static struct import *of_own(const struct own *o)
{
	struct import *im = import_create("xrf", "day-2023-02-01_2023-03-04_2023-04-03.txt");
	struct host_settings *row;
	static const char *const columns[][3] = {
		{"t", "time", NULL}, {"Fe", "value", "mass_fraction"}};
	bool has_separator = false;
	host_set(im->host, "report", "rows");
	host_set(im->host, "report_header", "Fe");
	for (size_t i = 0; i < 6 && o->settings[i][0] != NULL; i++) {
		host_set(im->host, o->settings[i][0], o->settings[i][1]);
		has_separator = has_separator || strcmp(o->settings[i][0], "report_separator") == 0;
	}
	if (!has_separator)
		host_set(im->host, "report_separator", "semicolon");
	for (size_t i = 0; i < 2; i++) {
		row = host_add_row(im->host, "report_columns");
		host_settings_set(row, "column", columns[i][0]);
		host_settings_set(row, "use", columns[i][1]);
		if (columns[i][2] != NULL) {
			host_settings_set(row, "name", columns[i][2]);
			host_settings_set(row, "unit", "%");
		}
	}
	import_add(im, NULL, o->text, o->len > 0 ? o->len : strlen(o->text));
	return im;
}

static void test_settings(void **state)
{
	(void)state;
#define DECIMAL                           \
	{                                 \
		"report_decimal", "comma" \
	}
#define THOUSANDS                           \
	{                                   \
		"report_thousands", "point" \
	}
	static const struct own cases[] = {
		{{DECIMAL}, "t;Fe\n;1,25\n", 0, 1.25, NULL},
		{{DECIMAL}, "t;Fe\n;1.25\n", 0, 0, NULL},
		{{DECIMAL, THOUSANDS}, "t;Fe\n;1.234,5\n", 0, 1234.5, NULL},
		{{DECIMAL, THOUSANDS}, "t;Fe\n;1.234\n", 0, 1234, NULL},
		{{DECIMAL, THOUSANDS}, "t;Fe\n;12.34\n", 0, 0, NULL},
		{{DECIMAL, THOUSANDS}, "t;Fe\n;1234.567\n", 0, 0, NULL},
		{{DECIMAL, THOUSANDS}, "t;Fe\n;1,2.345\n", 0, 0, NULL},
		{{{NULL}}, "t;Fe\n;1e2\n", 0, 100, NULL},
		{{{NULL}}, "t;Fe\n;1,000\n", 0, 0, NULL},
		{{{NULL}}, "t;Fe\n;nan\n", 0, 0, NULL},
		{{{NULL}}, "t;Fe\n;1e999\n", 0, 0, NULL},
		{{{NULL}}, "t;Fe\n;0x10\n", 0, 0, NULL},
		{{{NULL}}, "t;Fe\n;\"-2.5\"\r\n", 0, -2.5, NULL},
		{{{"report_separator", "blanks"}}, "  t   Fe  \n x\t 2.5 \r\n", 0, 2.5, NULL},
		{{{"report_separator", "tab"}}, "t\tFe\n\t 2.5\n", 0, 2.5, NULL},
		{{{"report_encoding", "utf-16"}},
			"\xff\xfet\0;\0F\0e\0\r\0\n\0;\0"
			"2\0.\0"
			"5\0\n",
			24, 2.5, NULL},
		{{{NULL}},
			"\xfe\xff\0t\0;\0F\0e\0\n\0;\0"
			"2\0\n",
			18, 2, NULL},
		{{{"report_encoding", "utf-16"}}, "t;Fe\n;1\n", 0, 0, NULL},
		{{{"report_end", "END"}}, "t;Fe\n;1\nEND\n", 0, 1, NULL},
		{{{"report_end", "END"}}, "t;Fe\n;1\n", 0, 0, NULL},
		{{{NULL}}, "t;Fe\n2023-03-04 05:06;1\n", 0, 1, "2023-03-04T05:06:00"},
		{{{NULL}}, "t;Fe\n1/2/2023 05:06;1\n", 0, 1,
			"2023-02-01T05:06:00"}, /* by the file's name */
		{{{NULL}}, "t;Fe\n1/3/2023 05:06;1\n", 0, 1, "1/3/2023 05:06"},
		{{{NULL}}, "t;Fe\n3/4/2023 05:06;1\n", 0, 1,
			"3/4/2023 05:06"}, /* the name has both */
		{{{NULL}}, "t;Fe\n13/1/2023 05:06;1\n", 0, 1, "2023-01-13T05:06:00"},
		{{{NULL}}, "t;Fe\n1/13/2023 05:06;1\n", 0, 1, "2023-01-13T05:06:00"},
		{{{NULL}}, "t;Fe\n3/3/2023 05:06;1\n", 0, 1, "2023-03-03T05:06:00"},
		{{{"report_date", "mdy"}}, "t;Fe\n1/3/23 12:06 AM;1\n", 0, 1,
			"2023-01-03T00:06:00"},
		{{{"report_date", "dmy"}}, "t;Fe\n1.3.2023 05:06:07.5;1\n", 0, 1,
			"2023-03-01T05:06:07"},
		{{{"report_date", "mdy"}}, "t;Fe\n31.3.2023 05:06;1\n", 0, 1, "31.3.2023 05:06"},
		{{{NULL}}, "t;Fe\n2023-02-30 05:06;1\n", 0, 1, "2023-02-30 05:06"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct import *im = of_own(&cases[i]);
		host_check(im->host);
		assert_string_equal(im->host->found, "");
		int found = import_look(im, &format_columns);
		if ((found == FORMAT_WHOLE) != (cases[i].value != 0))
			host_bug("case %zu: %d %s", i, found, im->facts.why);
		if (found == FORMAT_WHOLE) {
			if (cases[i].acquired != NULL)
				assert_string_equal(im->facts.acquired, cases[i].acquired);
			assert_true(import_start(im) && import_frame(im));
			assert_true(host_find(im->host, "mass_fraction")->real == cases[i].value);
			assert_false(import_frame(im));
		}
		import_destroy(im);
	}
}

static void test_settings_that_cannot_work(void **state)
{
	(void)state;
	static const struct {
		struct own own;
		const char *finding;
	} cases[] = {
		{{{{"report_thousands", "point"}}, "", 0, 0, NULL}, "it is the decimal sign"},
		{{{{"report", "spectra"}}, "", 0, 0, NULL}, "no column is of use counts"},
		{{{{"report_thousands", "comma"}, {"report_separator", "comma"}}, "", 0, 0, NULL},
			"need quotes"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct import *im = of_own(&cases[i].own);
		host_check(im->host);
		assert_non_null(strstr(im->host->found, cases[i].finding));
		import_destroy(im);
	}
	struct import *im = import_create("xrf", "a.csv");
	host_set(im->host, "report", "rows");
	host_settings_set(host_add_row(im->host, "report_columns"), "column", "Fe");
	host_check(im->host);
	assert_non_null(strstr(im->host->found, "never guessed"));
	assert_non_null(strstr(im->host->found, "report_header"));
	assert_non_null(strstr(im->host->found, "needs the name of a variable"));
	import_destroy(im);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vanta),
		cmocka_unit_test(test_vanta_that_is_not_whole),
		cmocka_unit_test(test_files_that_are_no_report),
		cmocka_unit_test(test_vanta_sample),
		cmocka_unit_test(test_spectra),
		cmocka_unit_test(test_spectra_sample),
		cmocka_unit_test(test_niton),
		cmocka_unit_test(test_epsilon),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_settings_that_cannot_work),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
