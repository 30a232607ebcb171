/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "curve-test.h"

extern const struct format format_jasco;

#define HEAD 0x740

static struct build *create_jws(unsigned x, unsigned y)
{
	static const float values[] = {0.5f, -1.17549435e-38f, 2.5f, NAN, 0.125f};
	struct build *b = calloc(1, sizeof *b);
	if (b == NULL)
		abort();
	build_text(b, 0, "L~S ");
	build_u16(b, 0x82, 1);
	build_u32(b, 0x84, 5);
	build_f64(b, 0x88, 700);
	build_f64(b, 0x90, 400); /* of a scan that ended early */
	build_f64(b, 0x98, -5);
	build_u32(b, 0xa0, 0x10000100 + x);
	b->bytes[0xa4] = (uint8_t)y;
	build_u32(b, 0xc8, 4 * 5);
	build_text(b, 0x140, "V-730");
	build_text(b, 0x160, "H470561798");
	build_text(b, 0x180, "\xc3\xbd\xc4"); /* half-width katakana: te, su, to */
	build_text(b, 0x1c0, "a comment");
	build_text(b, 0x240, "g");
	build_u32(b, 0x2c0, 1780556881); /* 2026-06-04T07:08:01Z */
	for (size_t i = 0; i < 5; i++)
		build_f32(b, HEAD + 4 * i, values[i]);
	return b;
}

static struct import *start(const struct build *b, const char *technique)
{
	struct import *im = import_create(technique, "a.JWS");
	import_add(im, NULL, b->bytes, b->len);
	assert_int_equal(import_look(im, &format_jasco), FORMAT_WHOLE);
	assert_true(import_start(im));
	assert_true(import_frame(im));
	return im;
}

static void test_spectrum(void **state)
{
	(void)state;
	struct build *b = create_jws(3, 3);
	struct import *im = start(b, "uv-vis");
	assert_string_equal(im->facts.model, "V-730");
	assert_string_equal(im->facts.serial, "H470561798");
	assert_string_equal(im->facts.sample, "\xef\xbe\x83\xef\xbd\xbd\xef\xbe\x84" + 0);
	assert_string_equal(im->facts.title, "a comment");
	assert_string_equal(im->facts.person, "g");
	assert_string_equal(im->facts.acquired, "2026-06-04T07:08:01");
	assert_string_equal(im->facts.zone, "Z");
	expect_curve(
		im, &(struct curve_values){"wavelength", "nm", "absorbance", "{absorbance}", 5,
			    "700", "680", "0.5", "0.125", "2.5", "690", "0.125", "680", "3.125"});
	/* Points without a value are no numbers. */
	const struct assay_variable *y = host_find(im->host, "absorbance");
	assert_true(isnan(host_element(y, 1)) && isnan(host_element(y, 3)));
	assert_int_equal(im->host->frame.flag, ASSAY_UNCHECKED);
	assert_true(host_has_reason(im->host, "out-of-range"));
	assert_string_equal(im->host->frame.device_time, "2026-06-04T07:08:01Z");
	assert_false(import_frame(im));
	import_destroy(im);
	free(b);
}

/* Each code of an axis is one quantity in its own unit: per cent stay per cent. */
static void test_units(void **state)
{
	(void)state;
	static const struct {
		unsigned x, y;
		const char *x_name, *x_unit, *y_name, *y_unit;
	} rows[] = {
		{0, 0, "wavenumber", "cm-1", "transmittance", "%"},
		{0, 2, "wavenumber", "cm-1", "reflectance", "%"},
		{3, 3, "wavelength", "nm", "absorbance", "{absorbance}"},
		{0, 6, "wavenumber", "cm-1", "kubelka_munk", "1"},
		{0, 8, "wavenumber", "cm-1", "single_beam", "1"},
		{0, 9, "wavenumber", "cm-1", "single_beam", "1"},
		{0, 10, "wavenumber", "cm-1", "single_beam", "1"},
		{1, 14, "raman_shift", "cm-1", "intensity", "1"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct build *b = create_jws(rows[i].x, rows[i].y);
		struct import *im = start(b, "ftir");
		expect_curve(im, &(struct curve_values){rows[i].x_name, rows[i].x_unit,
					 rows[i].y_name, rows[i].y_unit, 5, NULL, NULL, NULL, NULL,
					 NULL, NULL, NULL, NULL, NULL});
		import_destroy(im);
		free(b);
	}
}

/* A spectrum of which no point has a value. */
static void test_no_value(void **state)
{
	(void)state;
	struct build *b = create_jws(0, 0);
	for (size_t i = 0; i < 5; i++)
		build_f32(b, HEAD + 4 * i, -1.17549435e-38f);
	struct import *im = start(b, "ftir");
	assert_int_equal(im->host->frame.flag, ASSAY_MISSING);
	import_destroy(im);
	free(b);
}

static void test_cut(void **state)
{
	(void)state;
	struct build *b = create_jws(0, 0);
	import_cut(&format_jasco, "ftir", "a.jws", b->bytes, b->len, b->len,
		10); /* half of 5 values */
	free(b);
}

static int look(struct build *b, char why[FORMAT_FACT])
{
	struct format_facts facts;
	int found = build_look(b, &format_jasco, "a.jws", &facts);
	snprintf(why, FORMAT_FACT, "%s", facts.why);
	free(b);
	return found;
}

static void test_contradictions(void **state)
{
	(void)state;
	char why[FORMAT_FACT];
	struct build *b = create_jws(0, 0);
	build_u32(b, 0xcc, UINT32_MAX); /* a length beyond all files */
	assert_int_equal(look(b, why), FORMAT_INCOMPLETE);
	b = create_jws(0, 0);
	build_text(b, b->len, "more");
	assert_int_equal(look(b, why), FORMAT_DAMAGED);
	for (int i = 0; i < 3; i++) {
		static const uint32_t points[] = {6, UINT32_MAX, 0};
		b = create_jws(0, 0);
		build_u32(b, 0x84, points[i]);
		assert_int_equal(look(b, why), FORMAT_DAMAGED);
		assert_non_null(strstr(why, "points"));
	}
	b = create_jws(0, 0);
	build_u16(b, 0x82, 2);
	assert_int_equal(look(b, why), FORMAT_DAMAGED);
	b = create_jws(0, 0);
	build_f64(b, 0x98, 0);
	assert_int_equal(look(b, why), FORMAT_DAMAGED);
	b = create_jws(0, 0);
	build_f64(b, 0x88, INFINITY);
	assert_int_equal(look(b, why), FORMAT_DAMAGED);
	b = create_jws(2, 0);
	assert_int_equal(look(b, why), FORMAT_UNDECODED);
	b = create_jws(0, 1);
	assert_int_equal(look(b, why), FORMAT_UNDECODED);
	assert_non_null(strstr(why, "y axis has the unit 0x1"));
	b = create_jws(0, 0);
	b->bytes[0xa3] = 0x20;
	assert_int_equal(look(b, why), FORMAT_UNDECODED);
}

/* --- real files ------------------------------------------------------------------------------- */

static void expect_sample(const char *path, const char *technique, const char *facts[5],
	const struct curve_values *values)
{
	char name[64];
	size_t len;
	snprintf(name, sizeof name, "files/ftir/%s", path);
	uint8_t *data = import_sample(name, &len);
	if (data == NULL)
		skip();
	struct import *im = import_create(technique, path);
	import_add(im, NULL, data, len);
	assert_int_equal(import_look(im, &format_jasco), FORMAT_WHOLE);
	assert_string_equal(im->facts.model, facts[0]);
	assert_string_equal(im->facts.serial, facts[1]);
	assert_string_equal(im->facts.sample, facts[2]);
	assert_string_equal(im->facts.title, facts[3]);
	assert_string_equal(im->facts.acquired, facts[4]);
	assert_true(import_start(im) && import_frame(im));
	expect_curve(im, values);
	assert_false(import_frame(im));
	import_destroy(im);
	import_cut(&format_jasco, technique, "a.jws", data, len, 100, 64);
	free(data);
}

static void test_sample_ftir(void **state)
{
	(void)state;
	const char *facts[] = {
		"FT/IR-4600typeA", "E137161786", "test", "test", "2026-06-04T04:54:03"};
	expect_sample("jasco_ftir_test.jws", "ftir", facts,
		&(struct curve_values){"wavenumber", "cm-1", "absorbance", "{absorbance}", 12447,
			"999.9101098668833", "7000.335002539608", "0.018802715", "0.012622221",
			"0.30773649", "1086.2090", "-0.0022951905", "2010.9089", "165.069447"});
}

static void test_sample_uv_vis(void **state)
{
	(void)state;
	const char *facts[] = {"V-730", "H470561798", "test", "1", "2026-06-04T07:08:01"};
	expect_sample("jasco_uvvis_abs.jws", "uv-vis", facts,
		&(struct curve_values){"wavelength", "nm", "absorbance", "{absorbance}", 61, "700",
			"400", "-6.3877727e-05", "-1.9697033e-04", "2.1108199e-04", "410", NULL,
			NULL, NULL});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spectrum),
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_no_value),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_sample_ftir),
		cmocka_unit_test(test_sample_uv_vis),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
