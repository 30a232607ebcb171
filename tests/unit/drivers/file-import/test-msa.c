/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness.h"

extern const struct format format_msa;

#define END "#ENDOFDATA   : \r\n"
#define HEAD                                                                                  \
	"#FORMAT      : EMSA/MAS Spectral Data File\r\n#VERSION     : 1.0\r\n"                \
	"#TITLE       : K\xe4se 3\r\n#title       : second\r\n#DATE        : 29-NOV-2026\r\n" \
	"#TIME        : 21:40\r\n#OWNER       : Customs Lab\r\n"                              \
	"#YUNITS      : counts\r\n##OFFSET     : 7\r\n#AZIMANGLE-dg: 3\r\n"
#define Y                                                                                         \
	HEAD "#NPOINTS     : 5.\r\n#NCOLUMNS    : 2\r\n#XUNITS      : eV\r\n#DATATYPE    : Y\r\n" \
	     "#XPERCHAN    : 20.  eV\r\n#OFFSET      : -10.\r\n#CHOFFSET    : 2\r\n"              \
	     "#SIGNALTYPE  : XRF\r\n#LIVETIME    : 58.2\r\n#REALTIME    : 60.\r\n"                \
	     "#BEAMKV      : 40.\r\n#EMISSION    : 20.\r\n#PROBECUR    : 5\r\n"                   \
	     "#SPECTRUM    : Spectral Data Starts Here\r\n0., 1.\r\n70000., 3.\r\n4.\r\n" END

static struct import *of(const char *text, size_t len)
{
	struct import *im = import_create("xrf", "a.msa");
	import_add(im, NULL, text, len);
	return im;
}

static int look(const char *text)
{
	struct import *im = of(text, strlen(text));
	int found = import_look(im, &format_msa);
	import_destroy(im);
	return found;
}

static void test_values(void **state)
{
	(void)state;
	struct import *im = of(Y, strlen(Y));
	assert_int_equal(import_look(im, &format_msa), FORMAT_WHOLE);
	assert_string_equal(im->facts.title, "K\xc3\xa4se 3");
	assert_string_equal(im->facts.person, "Customs Lab");
	assert_string_equal(im->facts.acquired, "2026-11-29T21:40:00");
	assert_true(import_start(im) && import_frame(im));
	const struct assay_variable *counts = host_find(im->host, "counts"),
				    *energy = host_find(im->host, "energy");
	static const double values[] = {0, 1, 70000, 3, 4};
	assert_int_equal(counts->type, ASSAY_U32);
	assert_int_equal(counts->count, 5);
	for (size_t i = 0; i < 5; i++)
		assert_true(host_element(counts, i) == values[i]);
	assert_true(energy->start == -50 && energy->step == 20);
	assert_string_equal(energy->unit, "eV");
	assert_true(host_find(im->host, "live_time")->real == 58.2);
	assert_true(host_find(im->host, "real_time")->real == 60);
	const struct host_frame *f = &im->host->frame;
	assert_int_equal(f->setting_count, 2);
	assert_true(f->settings[0].v.real == 40 && f->settings[1].v.real == 20);
	assert_string_equal(f->settings[1].v.unit, "uA");
	assert_string_equal(f->device_time, "2026-11-29T21:40:00");
	assert_false(import_frame(im));
	import_destroy(im);
}

static void test_pairs_and_fractions(void **state)
{
	(void)state;
	static const char text[] = HEAD "#NPOINTS : 2\n#XUNITS : keV\n#DATATYPE : "
					"XY\n#SPECTRUM\n1.5, 0.5\n2, 1e2\n#endofdata";
	struct import *im = of(text, strlen(text));
	assert_true(import_start(im) && import_frame(im));
	const struct assay_variable *counts = host_find(im->host, "counts"),
				    *energy = host_find(im->host, "energy");
	assert_int_equal(counts->type, ASSAY_F64);
	assert_true(host_element(counts, 0) == 0.5 && host_element(counts, 1) == 100);
	assert_true(host_element(energy, 0) == 1.5 && host_element(energy, 1) == 2);
	assert_null(host_find(im->host, "live_time"));
	import_destroy(im);
}

static void test_files_that_are_not_whole(void **state)
{
	(void)state;
	char hole[] = Y;
	memset(strstr(hole, "70000"), 0, 2); /* between bytes that are there */
	struct import *im = of(hole, strlen(Y));
	assert_int_equal(import_look(im, &format_msa), FORMAT_INCOMPLETE);
	import_destroy(im);
	import_cut(&format_msa, "xrf", "a.msa", (const uint8_t *)Y, strlen(Y), strlen(Y),
		sizeof END - 1 - 10);
	assert_int_equal(
		look(HEAD "#NPOINTS : 3\n#XUNITS : eV\n#DATATYPE : Y\n#SPECTRUM\n1\n2\n" END),
		FORMAT_DAMAGED);
	assert_int_equal(
		look(HEAD "#NPOINTS : 2\n#XUNITS : eV\n#DATATYPE : Y\n#SPECTRUM\n1\nx\n" END),
		FORMAT_DAMAGED);
	assert_int_equal(
		look(HEAD "#NPOINTS : 4294967295\n#XUNITS : eV\n#DATATYPE : Y\n#SPECTRUM\n1\n" END),
		FORMAT_FOREIGN);
	assert_int_equal(
		look(HEAD "#NPOINTS : 2\n#XUNITS : nm\n#DATATYPE : Y\n#SPECTRUM\n1\n2\n" END),
		FORMAT_FOREIGN);
	assert_int_equal(
		look(HEAD "#NPOINTS : 1\n#XUNITS : eV\n#DATATYPE : YY\n#SPECTRUM\n1, 2\n" END),
		FORMAT_FOREIGN);
	assert_int_equal(look("#FORMAT : EMSA\n"), FORMAT_INCOMPLETE);
	assert_int_equal(look("#FORMAL"), FORMAT_FOREIGN);
}

/* A date whose order is not known stays as it is. */
static void test_date(void **state)
{
	(void)state;
	static const char text[] =
		"#FORMAT : EMSA\n#DATE : 03-28-2019\n#TIME : 13:23:00\n#NPOINTS : 1\n#XUNITS : eV\n"
		"#DATATYPE : Y\n#SPECTRUM\n1\n" END;
	struct import *im = of(text, strlen(text));
	assert_int_equal(import_look(im, &format_msa), FORMAT_WHOLE);
	assert_string_equal(im->facts.acquired, "03-28-2019 13:23:00");
	import_destroy(im);
}

static void test_samples(void **state)
{
	(void)state;
	static const struct {
		const char *path, *title, *acquired;
		double sum, max, live;
		size_t at;
		double start, step; /* 0: no calibration */
	} samples[] = {
		{"xrf/pixl_msa/Calibration_box_BCR-2G_28kV_230uA_03_28_2019_bulk_sum.msa",
			"Control Program v6 Test 5", "03-28-2019 13:23:00", 123826370, 3860990,
			13958, 639, -17.1133, 10.0493},
		{"xrf/pixl_msa/Calibration_box_BHVO-2G_28kV_230uA_03_28_2019_bulk_sum.msa",
			"Control Program v6 Test 5", "03-28-2019 10:34:33", 118401630, 3316780,
			13973.4, 639, -15.3063, 10.0449},
		{"xrf/pixl_msa/Normal_A_0634648629_000001C5_000068.msa",
			"Normal_A 2020-041T23:16:04", "2020-02-10T23:16:04", 9061, 31, 4.96607304,
			352, 0, 0},
		{"files/export/x.msa", "24-0815", "2026-11-29T21:40:00", 484, 400, 58.2, 4, -10,
			20},
	};
	for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
		size_t len, at = 0;
		uint8_t *data = import_sample(samples[i].path, &len);
		if (data == NULL)
			skip();
		import_cut(&format_msa, "xrf", "a.msa", data, len, 100, 45);
		struct import *im = of((const char *)data, len);
		assert_int_equal(import_look(im, &format_msa), FORMAT_WHOLE);
		assert_string_equal(im->facts.title, samples[i].title);
		assert_string_equal(im->facts.acquired, samples[i].acquired);
		assert_true(import_start(im) && import_frame(im));
		const struct assay_variable *counts = host_find(im->host, "counts");
		double sum = 0, max = 0;
		assert_int_equal(counts->type, ASSAY_U32);
		for (size_t k = 0; k < counts->count; k++) {
			sum += host_element(counts, k);
			if (host_element(counts, k) > max)
				max = host_element(counts, at = k);
		}
		assert_true(sum == samples[i].sum && max == samples[i].max && at == samples[i].at);
		assert_true(host_find(im->host, "live_time")->real == samples[i].live);
		const struct assay_variable *energy = host_find(im->host, "energy");
		assert_int_equal(energy != NULL, samples[i].step != 0);
		assert_true(energy == NULL ||
			    (energy->start == samples[i].start && energy->step == samples[i].step));
		assert_int_equal(host_has_reason(im->host, "no-calibration"), energy == NULL);
		import_destroy(im);
		free(data);
	}
	size_t len;
	uint8_t *data = import_sample(
		"xrf/pixl_msa/Breadboard_Configuration_2019_01_14_2020.msa", &len);
	struct import *im = of((const char *)data, len);
	assert_int_not_equal(import_look(im, &format_msa), FORMAT_WHOLE);
	import_destroy(im);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_pairs_and_fractions),
		cmocka_unit_test(test_files_that_are_not_whole),
		cmocka_unit_test(test_date),
		cmocka_unit_test(test_samples),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
