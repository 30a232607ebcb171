/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "curve-test.h"
#include "ole2-file.h"

extern const struct format format_jasco_ole2;

#define POINTS 1200
#define VOID   (-1.17549435e-38f)

/* The streams of a file, before they are put together. */
struct parts {
	uint32_t sector;
	bool is_reversed;
	struct build info, xs, ys, sample, base, module, parameters;
};

static void add_string(struct build *b, const char *text)
{
	build_u32(b, b->len, (uint32_t)(2 * strlen(text) + 2));
	for (size_t i = 0; i <= strlen(text); i++)
		build_u16(b, b->len, (uint8_t)text[i]);
}

static void add_value(struct build *b, uint32_t tag, unsigned type, double value)
{
	build_u32(b, b->len, tag);
	build_u16(b, b->len, (uint16_t)type);
	if (type == 3)
		build_u32(b, b->len, (uint32_t)value);
	else if (type == 4)
		build_f32(b, b->len, (float)value);
	else if (type == 5)
		build_f64(b, b->len, value);
	else
		add_string(b, "TGS");
}

static struct parts *create_parts(uint32_t channels, uint32_t x, double step)
{
	struct parts *p = calloc(1, sizeof *p);
	if (p == NULL)
		abort();
	p->sector = 512;
	build_u32(&p->info, 0, 3);
	build_u32(&p->info, 0x0c, channels);
	build_u32(&p->info, 0x14, POINTS);
	build_f64(&p->info, 0x18, 500);
	build_f64(&p->info, 0x20, 500 + step * (POINTS - 1));
	build_f64(&p->info, 0x28, step);
	build_u32(&p->info, 0x30, 0x10000100 + x);
	build_u32(&p->info, 92, 0);
	for (uint32_t i = 0; i < channels * POINTS; i++)
		build_f32(&p->ys, 4 * i, 1 + (float)i);
	build_u32(&p->sample, 0, 1);
	add_string(&p->sample, "sample 7");
	add_string(&p->sample, "a comment");
	build_u32(&p->sample, p->sample.len, 1);
	add_value(&p->sample, 1, 5, 40000);
	build_u32(&p->base, 0, 1);
	build_text(&p->base, 4, "the GUID, of 16 b");
	add_string(&p->base, "D:\\a.jws");
	build_f64(&p->base, p->base.len, 44252.2);
	build_f64(&p->base, p->base.len, 44252.25);
	build_u32(&p->base, p->base.len, 0);
	build_u32(&p->module, 0, 2);
	add_string(&p->module, "");
	build_u16(&p->module, p->module.len, 0);
	build_u16(&p->module, p->module.len, 9);
	add_string(&p->module, "FT/IR-4600typeA");
	add_string(&p->module, "E137161786");
	build_u32(&p->parameters, 0, 1);
	build_u32(&p->parameters, 4, 1);
	build_u32(&p->parameters, 8, 4);
	add_value(&p->parameters, 48, 8, 0);
	add_value(&p->parameters, 1, 3, 16);
	add_value(&p->parameters, 2, 4, 4);
	add_value(&p->parameters, 12, 5, 44252.25);
	return p;
}

static struct ole2_file *join(const struct parts *p)
{
	struct ole2_file *f = ole2_file_create(p->sector, 3 * sizeof p->ys.bytes);
	const struct {
		const char *name;
		const struct build *b;
	} list[] = {{"BaseInfo", &p->base}, {"DataInfo", &p->info}, {"MeasParam", &p->parameters},
		{"ModuleInfo", &p->module}, {"SampleInfo", &p->sample}, {"X-Data", &p->xs},
		{"Y-Data", &p->ys}};
	f->is_reversed = p->is_reversed;
	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		if (list[i].b->len > 0)
			ole2_file_add(
				f, OLE2_FILE_ROOT, list[i].name, list[i].b->bytes, list[i].b->len);
	/* A stream of the same name in a storage is another one. */
	unsigned images = ole2_file_add(f, OLE2_FILE_ROOT, "MicroImages", NULL, 0);
	ole2_file_add(f, images, "BaseInfo", "\1\0\0\0\0\0\0\0", 8);
	ole2_file_finish(f);
	return f;
}

static int look_as(struct parts *p, const char *name, char why[FORMAT_FACT])
{
	struct ole2_file *f = join(p);
	struct import *im = import_create("ftir", name);
	import_add(im, NULL, f->bytes, f->len);
	int found = import_look(im, &format_jasco_ole2);
	snprintf(why, FORMAT_FACT, "%s", im->facts.why);
	import_destroy(im);
	ole2_file_destroy(f);
	free(p);
	return found;
}

static int look(struct parts *p, char why[FORMAT_FACT])
{
	return look_as(p, "a.jws", why);
}

/* The frame of the parts, which it frees. */
static struct import *start(struct parts *p)
{
	struct ole2_file *f = join(p);
	struct import *im = import_create("ftir", "a.jws");
	import_add(im, NULL, f->bytes, f->len);
	assert_int_equal(import_look(im, &format_jasco_ole2), FORMAT_WHOLE);
	assert_true(import_start(im));
	assert_true(import_frame(im));
	ole2_file_destroy(f);
	free(p);
	return im;
}

static void test_spectrum(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct parts *p = create_parts(1, 0, 0.5);
		p->sector = i < 2 ? 512 : 4096;
		p->is_reversed = i % 2 != 0;
		build_f32(&p->ys, 4, VOID);
		struct import *im = start(p);
		assert_string_equal(im->facts.sample, "sample 7");
		assert_string_equal(im->facts.title, "a comment");
		assert_string_equal(im->facts.model, "FT/IR-4600typeA");
		assert_string_equal(im->facts.serial, "E137161786");
		assert_string_equal(im->facts.acquired, "2021-02-25T06:00:00");
		assert_string_equal(im->facts.zone, "Z");
		expect_curve(im, &(struct curve_values){"wavenumber", "cm-1", "transmittance", "%",
					 POINTS, "500", "1099.5", "1", "1200", "1200", "1099.5",
					 "1", "500", "720598"});
		assert_true(isnan(host_element(host_find(im->host, "transmittance"), 1)));
		assert_true(host_has_reason(im->host, "out-of-range"));
		assert_true(frame_setting(im, "scans") == 16);
		assert_true(frame_setting(im, "resolution") == 4);
		assert_string_equal(im->host->frame.device_time, "2021-02-25T06:00:00Z");
		assert_false(import_frame(im));
		import_destroy(im);
	}
}

/* Of Raman the axis is not even, and X-Data has it. */
static void test_own_axis(void **state)
{
	(void)state;
	struct parts *p = create_parts(1, 1, 0);
	build_u32(&p->info, 0x34, 14);
	for (uint32_t i = 0; i < POINTS; i++)
		build_f32(&p->xs, 4 * i, 100 + (float)i * (float)i);
	struct import *im = start(p);
	expect_curve(im, &(struct curve_values){"raman_shift", "cm-1", "intensity", "1", POINTS,
				 "100", "1437701", "1", "1200", NULL, NULL, NULL, NULL, NULL});
	assert_int_equal(host_find(im->host, "raman_shift")->type, ASSAY_F32);
	import_destroy(im);
	char why[FORMAT_FACT];
	p = create_parts(1, 1, 0);
	assert_int_equal(look(p, why), FORMAT_DAMAGED); /* no X-Data */
	p = create_parts(1, 1, 0);
	for (uint32_t i = 0; i < POINTS; i++)
		build_f32(&p->xs, 4 * i, i == 600 ? 5 : 100 + (float)i);
	assert_int_equal(look(p, why), FORMAT_DAMAGED);
	assert_non_null(strstr(why, "point 601"));
	p = create_parts(1, 1, 0);
	for (uint32_t i = 0; i < POINTS; i++)
		build_f32(&p->xs, 4 * i, i == 0 ? -INFINITY : (float)i);
	assert_int_equal(look(p, why), FORMAT_DAMAGED);
	p = create_parts(1, 1, 0);
	for (uint32_t i = 0; i < POINTS - 1; i++)
		build_f32(&p->xs, 4 * i, (float)i);
	assert_int_equal(look(p, why), FORMAT_DAMAGED);
	assert_non_null(strstr(why, "X-Data has 4796 bytes"));
}

/* Several curves over one axis. */
static void test_channels(void **state)
{
	(void)state;
	struct parts *p = create_parts(2, 3, -0.25);
	build_u32(&p->info, 0x34, 3);
	build_u32(&p->info, 0x38, 14);
	struct import *im = start(p);
	expect_curve(
		im, &(struct curve_values){"wavelength", "nm", "absorbance", "{absorbance}", POINTS,
			    "500", "200.25", "1", "1200", NULL, NULL, NULL, NULL, NULL});
	expect_curve(im, &(struct curve_values){"wavelength", "nm", "intensity", "1", POINTS, "500",
				 "200.25", "1201", "2400", NULL, NULL, NULL, NULL, NULL});
	assert_string_equal(host_find(im->host, "absorbance")->channel, "1");
	assert_string_equal(host_find(im->host, "intensity")->channel, "2");
	import_destroy(im);
}

static void test_contradictions(void **state)
{
	(void)state;
	char why[FORMAT_FACT];
	struct parts *p;
	for (int i = 0; i < 4; i++) {
		static const uint32_t points[] = {POINTS + 1, POINTS - 1, UINT32_MAX, 0};
		p = create_parts(1, 0, 0.5);
		build_u32(&p->info, 0x14, points[i]);
		assert_int_equal(look(p, why), FORMAT_DAMAGED);
		p = create_parts(1, 0, 0.5);
		build_u32(&p->info, 0x0c, i == 0 ? 2 : i == 1 ? 0 : UINT32_MAX);
		assert_int_equal(look(p, why), FORMAT_DAMAGED);
	}
	p = create_parts(1, 0, 0.5);
	build_u32(&p->info, 0x34, 0x1001); /* circular dichroism */
	assert_int_equal(look(p, why), FORMAT_UNDECODED);
	assert_non_null(strstr(why, "0x1001"));
	p = create_parts(9, 0, 0.5);
	assert_int_equal(look(p, why), FORMAT_DAMAGED);
	p = create_parts(1, 0, 0.5); /* values in a short stream, the end of them not written */
	build_u32(&p->info, 0x14, 100);
	p->ys.len = 400;
	memset(p->ys.bytes + 300, 0, 100);
	assert_int_equal(look(p, why), FORMAT_INCOMPLETE);
	p = create_parts(1, 0, 0.5);
	build_u32(&p->module, 0, 0); /* not written */
	assert_int_equal(look(p, why), FORMAT_INCOMPLETE);
	p = create_parts(1, 0, NAN);
	assert_int_equal(look(p, why), FORMAT_DAMAGED);
	p = create_parts(1, 0, 0.5);
	p->info.len = 60;
	assert_int_equal(look(p, why), FORMAT_DAMAGED);
	/* Another program's file: by its name it would be one of JASCO's. */
	p = create_parts(1, 0, 0.5);
	p->info.len = 0;
	assert_int_equal(look(p, why), FORMAT_DAMAGED);
	p = create_parts(1, 0, 0.5);
	p->info.len = 0;
	assert_int_equal(look_as(p, "report.xls", why), FORMAT_FOREIGN);
	/* Facts that are cut or absurd are left out; they do not spoil the values. */
	p = create_parts(1, 0, 0.5);
	build_u32(&p->sample, 4, UINT32_MAX);
	build_f64(&p->base, p->base.len - 12, 1e300);
	p->module.len = 7;
	build_u32(&p->parameters, 8, UINT32_MAX);
	struct import *im = start(p);
	assert_string_equal(im->facts.sample, "");
	assert_string_equal(im->facts.acquired, "");
	import_destroy(im);
}

/* Streams that have the sectors of another one are longer together than the file. */
static void test_shared_sectors(void **state)
{
	(void)state;
	struct parts *p = create_parts(1, 0, 0.5);
	struct ole2_file *f = join(p);
	unsigned y = 1;
	while (strcmp(f->entries[y].name, "Y-Data") != 0)
		y++;
	for (unsigned i = 1; i < y; i++)
		if (strcmp(f->entries[i].name, "DataInfo") != 0)
			memcpy(ole2_file_entry(f, i) + 116, ole2_file_entry(f, y) + 116, 8);
	struct import *im = import_create("ftir", "a.jws");
	import_add(im, NULL, f->bytes, f->len);
	assert_int_equal(import_look(im, &format_jasco_ole2), FORMAT_DAMAGED);
	import_destroy(im);
	ole2_file_destroy(f);
	free(p);
}

/*
 * Zeros in the last `slack` bytes may change no value: of real files they are those of short streams that have
 * none, and of their entries.  Each cut does.
 */
static void expect_cut(const uint8_t *data, size_t len, size_t slack)
{
	import_cut(&format_jasco_ole2, "ftir", "a.jws", data, len, 300, slack);
	for (size_t n = 1; n < slack; n += 97) {
		struct import *im = import_create("ftir", "a.jws");
		import_add(im, NULL, data, len - n);
		assert_int_equal(import_look(im, &format_jasco_ole2), FORMAT_INCOMPLETE);
		import_destroy(im);
	}
}

static void test_cut(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct parts *p = create_parts(1, 0, 0.5);
		p->is_reversed = i == 1;
		struct ole2_file *f = join(p);
		expect_cut(f->bytes, f->len, 320 + 64); /* the rest of the last sector; a tail */
		ole2_file_destroy(f);
		free(p);
	}
}

/* --- real files ------------------------------------------------------------------------------- */

static void expect_sample(const char *path, const char *acquired, const struct curve_values *values,
	size_t no_value, const char *void_from)
{
	char name[64];
	size_t len, none = 0, first = SIZE_MAX;
	snprintf(name, sizeof name, "files/ftir/%s", path);
	uint8_t *data = import_sample(name, &len);
	if (data == NULL)
		skip();
	struct import *im = import_create("ftir", path);
	import_add(im, NULL, data, len);
	assert_int_equal(import_look(im, &format_jasco_ole2), FORMAT_WHOLE);
	assert_string_equal(im->facts.model, "FT/IR-4600typeA");
	assert_string_equal(im->facts.serial, "E137161786");
	assert_string_equal(im->facts.acquired, acquired);
	assert_true(import_start(im) && import_frame(im));
	expect_curve(im, values);
	const struct assay_variable *x = host_find(im->host, values->x);
	const struct assay_variable *y = host_find(im->host, values->y);
	for (size_t i = 0; i < y->count; i++)
		if (isnan(host_element(y, i))) {
			first = none == 0 ? i : first;
			none++;
		}
	assert_int_equal(none > 0, no_value > 0);
	if (none > 0)
		expect_digits(
			"first without a value", x->start + x->step * (double)first, void_from);
	assert_false(import_frame(im));
	import_destroy(im);
	expect_cut(data, len, 4096);
	free(data);
}

static void test_sample_transmittance(void **state)
{
	(void)state;
	expect_sample("jasco_legacy_trans_512.jws", "2021-02-25T04:48:03",
		&(struct curve_values){"wavenumber", "cm-1", "transmittance", "%", 7573,
			"499.47293820", "7800.64878382", "0.077332720", "16.778278", "27.716078",
			"7705.1897", NULL, NULL, NULL},
		1, "516.8291");
}

static void test_sample_absorbance(void **state)
{
	(void)state;
	expect_sample("jasco_legacy_abs_512.jws", "2021-03-12T04:40:36",
		&(struct curve_values){"wavenumber", "cm-1", "absorbance", "{absorbance}", 7573,
			"499.47293820", "7800.64878382", "3.1981542", "0.30148768", "4.1339202",
			"618.0737", NULL, NULL, "4705.63437"},
		0, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spectrum),
		cmocka_unit_test(test_own_axis),
		cmocka_unit_test(test_channels),
		cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_shared_sectors),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_sample_transmittance),
		cmocka_unit_test(test_sample_absorbance),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
