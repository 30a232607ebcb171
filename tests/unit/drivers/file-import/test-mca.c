/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness.h"

extern const struct format format_mca;

#define HEAD                                                                              \
	"<<PMCA SPECTRUM>>\r\nTAG - live_data\r\nDESCRIPTION\r\nGAIN - 0\r\nLIVE_TIME - " \
	"58.200000\r\n"                                                                   \
	"REAL_TIME - 60.000000\r\nSTARTTIME - x\r\nSTART_TIME - 11/29/2026 "              \
	"21:40:05\r\nSERIAL_NUMBER - 0\r\n"
#define PAIRS  "<<CALIBRATION>>\r\nLABEL - Channel\r\n0 -0.5\r\n2 0.5\r\n4 1.5\r\n<<ROI>>\r\n1 2\r\n"
#define DATA   "<<DATA>>\r\n0\r\n1\r\n70000\r\n3\r\n<<END>>\r\n"
#define STATUS "<<DPP STATUS>>\r\nDevice Type: PX5\r\nSerial Number: 2524\r\n<<DPP STATUS END>>\r\n"

static struct import *of(const char *text, size_t len)
{
	struct import *im = import_create("xrf", "a.mca");
	import_add(im, NULL, text, len);
	return im;
}

static int look(const char *text)
{
	struct import *im = of(text, strlen(text));
	int found = import_look(im, &format_mca);
	import_destroy(im);
	return found;
}

static void test_values(void **state)
{
	(void)state;
	static const char text[] = HEAD PAIRS DATA
		"<<DP5 CONFIGURATION>>\r\nMCAE=ON;    x\r\n<<DP5 CONFIGURATION END>>\r\n" STATUS;
	struct import *im = of(text, strlen(text));
	assert_int_equal(import_look(im, &format_mca), FORMAT_WHOLE);
	assert_string_equal(im->facts.make, "Amptek");
	assert_string_equal(im->facts.model, "PX5");
	assert_string_equal(im->facts.serial, "2524");
	assert_string_equal(im->facts.title, "live_data");
	assert_string_equal(im->facts.acquired, "2026-11-29T21:40:05");
	assert_true(import_start(im) && import_frame(im));
	const struct assay_variable *counts = host_find(im->host, "counts"),
				    *energy = host_find(im->host, "energy");
	static const double values[] = {0, 1, 70000, 3};
	assert_int_equal(counts->type, ASSAY_U32);
	for (size_t i = 0; i < 4; i++)
		assert_true(host_element(counts, i) == values[i]);
	assert_true(energy->start == -0.5 && energy->step == 0.5);
	assert_string_equal(energy->unit, "keV");
	assert_true(host_find(im->host, "live_time")->real == 58.2);
	assert_true(host_find(im->host, "real_time")->real == 60);
	assert_string_equal(im->host->frame.device_time, "2026-11-29T21:40:05");
	assert_false(import_frame(im));
	import_destroy(im);
	import_cut(&format_mca, "xrf", "a.mca", (const uint8_t *)text, strlen(HEAD PAIRS DATA) - 3,
		strlen(HEAD PAIRS DATA), 0);
	assert_int_equal(
		look(HEAD PAIRS DATA "<<DPP STATUS>>\r\nDevice Type: PX5\r\n"), FORMAT_INCOMPLETE);
}

/* One point is no line: the axis is channels. */
static void test_without_calibration(void **state)
{
	(void)state;
	static const char *const pairs[] = {"", "<<CALIBRATION>>\nLABEL - x\n",
		"<<CALIBRATION>>\n1 2\n", "<<CALIBRATION>>\n1 2\n1 3\n",
		"<<CALIBRATION>>\n1 2\n2 1\n"};
	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
		char text[400] = HEAD;
		strcat(strcat(text, pairs[i]), DATA);
		struct import *im = of(text, strlen(text));
		assert_true(import_start(im) && import_frame(im));
		assert_null(host_find(im->host, "energy"));
		assert_true(host_has_reason(im->host, "no-calibration"));
		assert_int_equal(host_find(im->host, "channel")->count, 4);
		import_destroy(im);
	}
}

static void test_damaged_files(void **state)
{
	(void)state;
	char hole[] = HEAD DATA;
	memset(strstr(hole, "70000"), 0, 2); /* between bytes that are there */
	struct import *im = of(hole, strlen(HEAD DATA));
	assert_int_equal(import_look(im, &format_mca), FORMAT_INCOMPLETE);
	import_destroy(im);
	assert_int_equal(look(HEAD "<<DATA>>\n1\nx\n<<END>>\n"), FORMAT_DAMAGED);
	assert_int_equal(look(HEAD "<<DATA>>\n<<END>>\n"), FORMAT_DAMAGED);
	assert_int_equal(look(HEAD "<<CALIBRATION>>\n1 2 3\n" DATA), FORMAT_DAMAGED);
	assert_int_equal(look("VERSION:    3.1\nELEMENTS:   4\n"), FORMAT_FOREIGN);
}

static void test_samples(void **state)
{
	(void)state;
	static const struct {
		const char *path, *acquired;
		double sum, max, live, real, start, step;
		size_t at;
	} samples[] = {
		{"20241217_113050_25kV_40uA_Alwin1_0pt2mm_asic3_center.mca", "2024-12-18T11:30:50",
			1935168, 98562, 2759.576, 2759.576, 0.067994002001154505,
			0.010647768196633968, 16},
		{"20241217_181453_25kV_40uA_Bewin_unfilt1.mca", "2024-12-17T18:14:53", 1058972,
			8563, 347.462352, 349.033, 0.067994002001154505, 0.010647768196633968, 907},
		{"20250108_164246_25kV_40uA_silver_teflon_tape_unfilt1.mca", "2025-01-08T16:42:46",
			1240743, 9971, 377.442469, 380.333, -0.10561579965254136,
			0.010792516196164632, 907},
		{"20250108_164933_25kV_40uA_silver_teflon_tape_meas1.mca", "2025-01-08T16:49:33",
			1042842, 10768, 500.549634, 501.603, -0.10561579965254136,
			0.010792516196164632, 906},
	};
	for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
		size_t len, at = 0;
		char path[120] = "xrf/amptek/";
		uint8_t *data = import_sample(strcat(path, samples[i].path), &len);
		if (data == NULL)
			skip();
		import_cut(&format_mca, "xrf", "a.mca", data, len, 100, 1);
		struct import *im = of((const char *)data, len);
		assert_int_equal(import_look(im, &format_mca), FORMAT_WHOLE);
		assert_string_equal(im->facts.acquired, samples[i].acquired);
		assert_string_equal(im->facts.serial, "2524");
		assert_string_equal(im->facts.model, "PX5");
		assert_true(import_start(im) && import_frame(im));
		const struct assay_variable *counts = host_find(im->host, "counts");
		double sum = 0, max = 0;
		assert_int_equal(counts->count, 2048);
		assert_int_equal(counts->type, ASSAY_U32);
		for (size_t k = 0; k < counts->count; k++) {
			sum += host_element(counts, k);
			if (host_element(counts, k) > max)
				max = host_element(counts, at = k);
		}
		assert_true(sum == samples[i].sum && max == samples[i].max && at == samples[i].at);
		assert_true(host_find(im->host, "live_time")->real == samples[i].live);
		assert_true(host_find(im->host, "real_time")->real == samples[i].real);
		double start = host_find(im->host, "energy")->start - samples[i].start;
		double step = host_find(im->host, "energy")->step - samples[i].step;
		assert_true(start < 1e-12 && start > -1e-12 && step < 1e-15 && step > -1e-15);
		import_destroy(im);
		free(data);
	}
}

/* Files of other programs with the same name. */
static void test_foreign_samples(void **state)
{
	(void)state;
	static const char *const paths[] = {
		"xrf/misc/XRFSpectrum.mca", "xrf/misc/srm1832.mca", "xrf/misc/xrf_spectra.mca"};
	for (size_t i = 0; i < 3; i++) {
		size_t len;
		uint8_t *data = import_sample(paths[i], &len);
		if (data == NULL)
			skip();
		struct import *im = of((const char *)data, len);
		assert_int_equal(import_look(im, &format_mca), FORMAT_FOREIGN);
		import_destroy(im);
		free(data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_without_calibration),
		cmocka_unit_test(test_damaged_files),
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_foreign_samples),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
