/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "curve-test.h"

extern const struct format format_omnic;

#define HEAD       304
#define SECTIONS   12
#define TABLE_END  (HEAD + 16 * SECTIONS)
#define FIRST_TIME 3737043778u /* 2018-06-02T19:42:58 */

/* A section behind the others, and its entry in the table. */
static size_t add_section(struct build *b, unsigned key, const void *bytes, size_t len)
{
	unsigned n = b->bytes[294];
	size_t at = b->len > TABLE_END ? b->len : TABLE_END;
	build_bytes(b, at, bytes, len);
	b->bytes[HEAD + 16 * n] = (uint8_t)key;
	build_u32(b, HEAD + 16 * n + 2, (uint32_t)at);
	build_u32(b, HEAD + 16 * n + 6, (uint32_t)len);
	b->bytes[294]++;
	return at;
}

static void add_header(
	struct build *b, unsigned x, unsigned y, uint32_t points, float first, float last)
{
	static const uint8_t none[140];
	size_t at = add_section(b, 0x02, none, sizeof none);
	build_u32(b, at, 3);
	build_u32(b, at + 4, points);
	build_u32(b, at + 8, x);
	build_u32(b, at + 12, y);
	build_f32(b, at + 16, first);
	build_f32(b, at + 20, last);
	build_u32(b, at + 36, 100);
	build_u32(b, at + 52, 200);
	build_u32(b, at + 68, 12345);
	build_f32(b, at + 80, 15798.25f);
}

static void add_values(struct build *b, unsigned key, const float *values, size_t count)
{
	size_t at = add_section(b, key, values, count * sizeof *values);
	for (size_t i = 0; i < count; i++)
		build_f32(b, at + 4 * i, values[i]);
}

static void add_member(struct build *b, const char *title, uint32_t time)
{
	char bytes[264] = "";
	snprintf(bytes, 256, "%s", title);
	size_t at = add_section(b, 0x6b, bytes, sizeof bytes);
	build_u32(b, at + 256, time);
}

static struct build *create(const char *title)
{
	struct build *b = calloc(1, sizeof *b);
	if (b == NULL)
		abort();
	build_text(b, 0, "Spectral Data File\r\n");
	build_text(b, 30, title);
	build_u32(b, 296, FIRST_TIME);
	build_u16(b, TABLE_END - 2, 0);
	return b;
}

static const float five[] = {100.5f, 99.25f, 61.510986f, 97, 95};

/* One spectrum of five points, and all other kinds of sections. */
static struct build *create_spa(void)
{
	static const uint8_t empty[128], status[] = {0x9e, 0, 1, 2, 3};
	static const float signal[] = {0.25f, -0.5f, 0.125f};
	uint8_t experiment[932] = {'y', 0, 0x9d, 3};
	memcpy(experiment + 10, "C:\\a.exp", 9);
	memcpy(experiment + 90, "Microplastics", 14);
	struct build *b = create("Caf\xe9");
	static const char history[] = "Collect Sample\r\n\t Bench Serial Number:AKX1502022\r\n";
	add_header(b, 1, 11, 5, 4000, 3992);
	add_section(b, 0x80, empty, sizeof empty);
	add_section(b, 0x1b, history, sizeof history - 1);
	add_values(b, 0x03, five, 5);
	add_section(b, 0x82, status, sizeof status);
	add_section(b, 0x82, experiment, sizeof experiment);
	add_values(b, 0x67, signal, 3);
	add_values(b, 0x66, signal, 3);
	return b;
}

static struct build *create_spg(void)
{
	static const float first[] = {1, 2, 3}, second[] = {4, NAN, 6, 7};
	struct build *b = create("two.spg");
	add_header(b, 1, 17, 3, 1000, 1002);
	add_member(b, "one.spa", FIRST_TIME - 60);
	add_values(b, 0x03, first, 3);
	add_header(b, 32, 31, 4, 500, 503);
	add_values(b, 0x03, second, 4);
	add_member(b, "two.spa", FIRST_TIME + 60);
	return b;
}

static struct import *start(const struct build *b, const char *name)
{
	struct import *im = import_create("ftir", name);
	import_add(im, NULL, b->bytes, b->len);
	assert_int_equal(import_look(im, &format_omnic), FORMAT_WHOLE);
	assert_true(import_start(im));
	return im;
}

/* --- frames ----------------------------------------------------------------------------------- */

static void test_spectrum(void **state)
{
	(void)state;
	struct build *b = create_spa();
	struct import *im = start(b, "a.SPA");
	assert_string_equal(im->facts.title, "Caf\xc3\xa9");
	assert_string_equal(im->facts.serial, "AKX1502022");
	assert_string_equal(im->facts.method, "Microplastics");
	assert_string_equal(im->facts.acquired, "2018-06-02T19:42:58");
	assert_string_equal(im->facts.zone, "Z");
	assert_true(import_frame(im));
	const struct host_frame *frame = &im->host->frame;
	expect_curve(
		im, &(struct curve_values){"wavenumber", "cm-1", "reflectance", "%", 5, "4000",
			    "3992", "100.5", "95", "100.5", "4000", "61.510986", "3996", NULL});
	assert_int_equal(frame->kind, ASSAY_SPECTRUM);
	assert_int_equal(frame->flag, ASSAY_UNCHECKED);
	assert_int_equal(frame->reason_count, 0);
	assert_string_equal(frame->device_time, "2018-06-02T19:42:58Z");
	assert_string_equal(host_find(im->host, "reflectance")->label, "Caf\xc3\xa9");
	assert_int_equal(host_find(im->host, "reflectance")->type, ASSAY_F32);
	assert_true(frame_setting(im, "scans") == 100);
	assert_true(frame_setting(im, "background_scans") == 200);
	assert_true(frame_setting(im, "collection_time") == 123.45);
	assert_true(frame_setting(im, "laser_wavenumber") == 15798.25);
	static const char *const labels[] = {"background", "sample"};
	for (int i = 0; i < 2; i++) {
		assert_true(import_frame(im));
		assert_int_equal(frame->kind, ASSAY_INTERFEROGRAM);
		expect_curve(im, &(struct curve_values){"point", "1", "interferogram", "1", 3, "0",
					 "2", "0.25", "0.125", NULL, NULL, NULL, NULL, NULL});
		assert_string_equal(host_find(im->host, "interferogram")->label, labels[i]);
	}
	assert_false(import_frame(im));
	import_destroy(im);
	free(b);
}

static void test_group(void **state)
{
	(void)state;
	struct build *b = create_spg();
	struct import *im = start(b, "two.spg");
	assert_string_equal(im->facts.title, "two.spg");
	assert_string_equal(im->facts.acquired, "2018-06-02T19:41:58"); /* of the first member */
	const struct host_frame *frame = &im->host->frame;
	assert_true(import_frame(im));
	expect_curve(im, &(struct curve_values){"wavenumber", "cm-1", "absorbance", "{absorbance}",
				 3, "1000", "1002", "1", "3", NULL, NULL, NULL, NULL, NULL});
	assert_string_equal(host_find(im->host, "absorbance")->label, "one.spa");
	assert_string_equal(frame->device_time, "2018-06-02T19:41:58Z");
	assert_true(import_frame(im));
	expect_curve(im, &(struct curve_values){"raman_shift", "cm-1", "intensity", "1", 4, "500",
				 "503", "4", "7", "7", "503", "4", "500", "17"});
	assert_true(isnan(host_element(host_find(im->host, "intensity"), 1)));
	assert_true(host_has_reason(im->host, "out-of-range"));
	assert_string_equal(host_find(im->host, "intensity")->label, "two.spa");
	assert_string_equal(frame->device_time, "2018-06-02T19:43:58Z");
	assert_false(import_frame(im));
	import_destroy(im);
	free(b);
}

/* A spectrum whose x axis is points is an interferogram. */
static void test_interferogram_file(void **state)
{
	(void)state;
	struct build *b = create("x");
	add_header(b, 2, 22, 5, 0, 4);
	add_values(b, 0x03, five, 5);
	struct import *im = start(b, "x.spa");
	assert_true(import_frame(im));
	assert_int_equal(im->host->frame.kind, ASSAY_INTERFEROGRAM);
	assert_string_equal(host_find(im->host, "interferogram")->unit, "V");
	import_destroy(im);
	free(b);
}

/* --- what is not whole ------------------------------------------------------------------------ */

static void test_cut(void **state)
{
	(void)state;
	struct build *b = create_spa();
	import_cut(&format_omnic, "ftir", "a.spa", b->bytes, b->len, b->len, 6); /* of 3 values */
	free(b);
	static const uint8_t empty[128]; /* the values are the last section that has anything */
	b = create("x");
	add_header(b, 1, 17, 5, 4000, 3992);
	add_values(b, 0x03, five, 5);
	add_section(b, 0x80, empty, sizeof empty);
	import_cut(&format_omnic, "ftir", "a.spa", b->bytes, b->len, b->len, sizeof empty + 10);
	free(b);
	b = create_spg();
	import_cut(&format_omnic, "ftir", "a.spg", b->bytes, b->len, b->len, 256); /* a title */
	free(b);
}

static int look(struct build *b, char why[FORMAT_FACT])
{
	struct format_facts facts;
	int found = build_look(b, &format_omnic, "a.spa", &facts);
	snprintf(why, FORMAT_FACT, "%s", facts.why);
	free(b);
	return found;
}

static void test_contradictions(void **state)
{
	(void)state;
	char why[FORMAT_FACT];
	struct build *b = create_spa();
	build_text(b, b->len, "more");
	assert_int_equal(look(b, why), FORMAT_DAMAGED);
	assert_non_null(strstr(why, "do not end with the file"));
	b = create_spa();
	build_u32(b, HEAD + 16 * 7 + 6, UINT32_MAX);
	assert_int_equal(look(b, why), FORMAT_INCOMPLETE);
	b = create_spa();
	build_u32(b, HEAD + 16 * 7 + 2, UINT32_MAX);
	assert_int_equal(look(b, why), FORMAT_INCOMPLETE);
	b = create_spa();
	build_u16(b, 294, UINT16_MAX);
	assert_int_equal(look(b, why), FORMAT_INCOMPLETE);
	b = create_spa();
	build_u32(b, HEAD + 2, 16); /* the header in the head of the file */
	assert_int_equal(look(b, why), FORMAT_DAMAGED);
	assert_non_null(strstr(why, "in the table"));
	b = create_spa();
	build_u32(b, HEAD + 16 * 2 + 6, 1000); /* the history over the other sections */
	assert_int_equal(look(b, why), FORMAT_DAMAGED);
	assert_non_null(strstr(why, "overlap"));
	for (int i = 0; i < 4; i++) { /* points: one more, 2^32 - 1, one, none */
		static const uint32_t points[] = {6, UINT32_MAX, 1, 0};
		b = create_spa();
		build_u32(b, TABLE_END + 4, points[i]);
		assert_int_equal(look(b, why), FORMAT_DAMAGED);
		assert_non_null(strstr(why, "points"));
	}
	b = create_spa();
	build_f32(b, TABLE_END + 20, 4000); /* the axis stands still */
	assert_int_equal(look(b, why), FORMAT_DAMAGED);
	assert_non_null(strstr(why, "neither ascends nor descends"));
	b = create_spa();
	build_f32(b, TABLE_END + 16, NAN);
	assert_int_equal(look(b, why), FORMAT_DAMAGED);
	b = create_spa();
	build_u32(b, HEAD + 6, 83); /* the header's length */
	assert_int_equal(look(b, why), FORMAT_DAMAGED);
	assert_non_null(strstr(why, "83 of 84"));
	b = create_spa();
	b->bytes[HEAD + 16 * 3] = 0x04; /* no values */
	assert_int_equal(look(b, why), FORMAT_DAMAGED);
	b = create_spa();
	b->bytes[HEAD] = 0x04; /* no spectrum */
	assert_int_equal(look(b, why), FORMAT_DAMAGED);
	b = create_spa();
	build_u32(b, TABLE_END + 12, 99); /* a unit that is not known */
	assert_int_equal(look(b, why), FORMAT_UNDECODED);
	assert_non_null(strstr(why, "code 99 of y"));
	b = create_spa();
	build_text(b, 0, "Spectral Exte File"); /* a series */
	assert_int_equal(look(b, why), FORMAT_FOREIGN);
}

/* --- real files ------------------------------------------------------------------------------- */

static struct import *start_sample(const char *path, uint8_t **data, size_t *len)
{
	char name[64];
	snprintf(name, sizeof name, "files/ftir/%s", path);
	*data = import_sample(name, len);
	if (*data == NULL)
		skip();
	struct import *im = import_create("ftir", path);
	import_add(im, NULL, *data, *len);
	assert_int_equal(import_look(im, &format_omnic), FORMAT_WHOLE);
	assert_true(import_start(im));
	return im;
}

static void test_sample_spa(void **state)
{
	(void)state;
	uint8_t *data;
	size_t len;
	struct import *im = start_sample("openspecy_parafilm.spa", &data, &len);
	assert_string_equal(im->facts.title, "Parafilm Test");
	assert_string_equal(im->facts.acquired, "2018-06-02T19:42:58");
	assert_string_equal(im->facts.serial, "AKX1502022");
	assert_string_equal(im->facts.method, "Mississippi River Microplastics");
	assert_true(import_frame(im));
	expect_curve(im, &(struct curve_values){"wavenumber", "cm-1", "reflectance", "%", 1738,
				 "3999.80859", "649.92072", "100.4965", "95.18974", "102.87708",
				 "2360.5428", "61.510986", "2917.8932", "170681.53"});
	assert_true(frame_setting(im, "scans") == 100);
	for (int i = 0; i < 2; i++) {
		assert_true(import_frame(im));
		assert_int_equal(im->host->frame.kind, ASSAY_INTERFEROGRAM);
		assert_int_equal(host_find(im->host, "interferogram")->count, 16384);
	}
	assert_false(import_frame(im));
	import_destroy(im);
	import_cut(&format_omnic, "ftir", "a.spa", data, len, 100, 23);
	free(data);
}

static void test_sample_spg(void **state)
{
	(void)state;
	uint8_t *data;
	size_t len;
	struct import *im = start_sample("wodger.spg", &data, &len);
	static const struct {
		const char *title, *time;
		struct curve_values values;
	} spectra[] = {
		{"vz0470.spa, Wed Jul 06 21:40:37 2016 (GMT+02:00)", "2016-07-06T19:43:13Z",
			{"wavenumber", "cm-1", "absorbance", "{absorbance}", 5549, "5999.5557",
				"649.90356", "1.9831526", "1.7043345", "6.0", "1173.4906",
				"0.5576339", "1996.9591", "9985.1019"}},
		{"vz0468.spa, Wed Jul 06 21:20:38 2016 (GMT+02:00)", "2016-07-06T19:23:14Z",
			{"wavenumber", "cm-1", "absorbance", "{absorbance}", 5549, "5999.5557",
				"649.90356", "2.0048976", "1.8313528", "6.0", "1169.6336", NULL,
				NULL, "10614.691"}},
	};
	assert_string_equal(im->facts.title, "wodger.spg");
	assert_string_equal(im->facts.serial, "APW0900134");
	for (int i = 0; i < 2; i++) {
		assert_true(import_frame(im));
		expect_curve(im, &spectra[i].values);
		assert_string_equal(host_find(im->host, "absorbance")->label, spectra[i].title);
		assert_string_equal(im->host->frame.device_time, spectra[i].time);
		assert_true(frame_setting(im, "scans") == 256);
		assert_true(frame_setting(im, "background_scans") == 128);
		assert_true(frame_setting(im, "laser_wavenumber") == 15798.25);
	}
	assert_true(import_frame(im) && import_frame(im)); /* interferograms */
	assert_false(import_frame(im));
	import_destroy(im);
	import_cut(&format_omnic, "ftir", "a.spg", data, len, 100, 23);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spectrum),
		cmocka_unit_test(test_group),
		cmocka_unit_test(test_interferogram_file),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_sample_spa),
		cmocka_unit_test(test_sample_spg),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
