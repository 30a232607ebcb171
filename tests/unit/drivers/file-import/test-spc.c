/* SPDX-License-Identifier: Apache-2.0 */
/* Galactic files that the test writes byte by byte, and real ones. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness.h"

extern const struct format format_spc;

#define LINE 0x4b
#define OLD  0x4d

/* --- a file ----------------------------------------------------------------------------------- */

struct file {
	uint8_t bytes[8192];
	size_t len;
};

static void put16(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)value;
	to[1] = (uint8_t)(value >> 8);
}

static void put32(uint8_t *to, uint32_t value)
{
	put16(to, value);
	put16(to + 2, value >> 16);
}

static void put_f32(uint8_t *to, float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof bits);
	put32(to, bits);
}

static void put_f64(uint8_t *to, double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	put32(to, (uint32_t)bits);
	put32(to + 4, (uint32_t)(bits >> 32));
}

static void add16(struct file *f, uint32_t value)
{
	put16(f->bytes + f->len, value);
	f->len += 2;
}

static void add32(struct file *f, uint32_t value)
{
	put32(f->bytes + f->len, value);
	f->len += 4;
}

static void add_f32(struct file *f, float value)
{
	put_f32(f->bytes + f->len, value);
	f->len += 4;
}

/* A header of wavenumbers 4000 to 3600 and absorbance, 1995-04-18 09:20. */
static void begin(struct file *f, unsigned flags, int exponent, uint32_t points, uint32_t subfiles)
{
	*f = (struct file){.len = 512};
	f->bytes[0] = (uint8_t)flags;
	f->bytes[1] = LINE;
	f->bytes[3] = (uint8_t)exponent;
	put32(f->bytes + 4, points);
	put_f64(f->bytes + 8, 4000);
	put_f64(f->bytes + 16, 3600);
	put32(f->bytes + 24, subfiles);
	f->bytes[28] = 1;
	f->bytes[29] = 2;
	f->bytes[30] = 5;
	put32(f->bytes + 32, 1995u << 20 | 4u << 16 | 18u << 11 | 9u << 6 | 20u);
	memcpy(f->bytes + 45, "FTS-7\0xx", 9);
	memcpy(f->bytes + 88, "Probe \xe4\0behind the end", 23);
	memcpy(f->bytes + 264, "METHOD.M", 8);
}

static void add_subhead(struct file *f, int exponent, float z, uint32_t points, uint32_t scans)
{
	uint8_t *to = f->bytes + f->len;
	to[1] = (uint8_t)exponent;
	put_f32(to + 4, z);
	put32(to + 16, points);
	put32(to + 20, scans);
	f->len += 32;
}

static void add_log(struct file *f, const char *text)
{
	size_t len = strlen(text) + 1;
	put32(f->bytes + 248, (uint32_t)f->len);
	put32(f->bytes + f->len, (uint32_t)(64 + len));
	put32(f->bytes + f->len + 8, 64);
	memcpy(f->bytes + f->len + 64, text, len);
	f->len += 64 + len;
}

/* Values 1, 2, 3 ... in units of 1/8, as the exponent wants them. */
static void add_values(struct file *f, unsigned flags, int exponent, unsigned count)
{
	for (unsigned i = 1; i <= count; i++) {
		if (exponent == -128)
			add_f32(f, (float)i / 8);
		else if (flags & 1)
			add16(f, i << (16 - exponent - 3));
		else
			add32(f, i << (32 - exponent - 3));
	}
}

static void begin_old(struct file *f, unsigned flags, int exponent, unsigned points)
{
	*f = (struct file){.len = 224};
	f->bytes[0] = (uint8_t)flags;
	f->bytes[1] = OLD;
	put16(f->bytes + 2, (uint32_t)exponent);
	put_f32(f->bytes + 4, (float)points);
	put_f32(f->bytes + 8, 4000);
	put_f32(f->bytes + 12, 3600);
	f->bytes[16] = 1;
	f->bytes[17] = 2;
	put16(f->bytes + 18, 5u << 12 | 92);
	memcpy(f->bytes + 20, (uint8_t[]){5, 14, 20, 19}, 4);
	memcpy(f->bytes + 64, "old", 3);
}

static void add_old(struct file *f, int exponent, unsigned count)
{
	add_subhead(f, exponent, 1.5, 0, 0);
	for (unsigned i = 1; i <= count; i++) {
		uint32_t value = i << (32 - exponent - 3);
		add16(f, value >> 16);
		add16(f, value);
	}
}

static struct import *of_file(const struct file *f)
{
	struct import *im = import_create("ftir", "A.SPC");
	import_add(im, NULL, f->bytes, f->len);
	return im;
}

static int look(const struct file *f)
{
	struct import *im = of_file(f);
	int found = import_look(im, &format_spc);
	import_destroy(im);
	return found;
}

/* --- synthetic -------------------------------------------------------------------------------- */

static void expect_values(struct import *im, const char *name, size_t count)
{
	const struct assay_variable *y = host_find(im->host, name);
	assert_non_null(y);
	assert_int_equal(y->count, count);
	for (size_t i = 0; i < count; i++)
		assert_true(host_element(y, i) == (double)(i + 1) / 8);
}

/* Every way to store values gives the same ones, in the type that holds them. */
static void values_of_all_types_are_the_same(void **state)
{
	(void)state;
	static const struct {
		unsigned flags;
		int exponent;
		enum assay_value type;
	} cases[] = {{0, 8, ASSAY_F64}, {0, -128, ASSAY_F32}, {1, 8, ASSAY_F64},
		{1, -128, ASSAY_F32}, {0, 4, ASSAY_F64}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct file f;
		begin(&f, cases[i].flags, cases[i].exponent, 5, 1);
		add_subhead(&f, 77, 0, 0, 16); /* the exponent of the header counts */
		add_values(&f, cases[i].flags, cases[i].exponent, 5);
		add_log(&f, "SCANS = 16 \r\nMODEL = Spectrum 2000 \r\n");
		struct import *im = of_file(&f);
		assert_int_equal(import_look(im, &format_spc), FORMAT_WHOLE);
		assert_string_equal(im->facts.title, "Probe \xc3\xa4");
		assert_string_equal(im->facts.model, "FTS-7");
		assert_string_equal(im->facts.method, "METHOD.M");
		assert_string_equal(im->facts.acquired, "1995-04-18T09:20:00");
		assert_string_equal(im->facts.zone, "");
		assert_true(import_start(im) && import_frame(im));
		assert_int_equal(im->host->raw.count, 1);
		assert_int_equal(im->host->frame.kind, ASSAY_SPECTRUM);
		assert_int_equal(im->host->frame.flag, ASSAY_UNCHECKED);
		assert_string_equal(im->host->frame.device_time, "1995-04-18T09:20:00");
		const struct assay_variable *x = host_find(im->host, "wavenumber");
		assert_true(x->start == 4000 && x->step == -100 && x->count == 5);
		assert_int_equal(host_find(im->host, "absorbance")->type, cases[i].type);
		assert_string_equal(host_find(im->host, "absorbance")->unit, "{absorbance}");
		expect_values(im, "absorbance", 5);
		assert_false(import_frame(im));
		import_destroy(im);
	}
}

/* Each subfile of a multifile has its own exponent; 16-bit ones and floats differ in size. */
static void a_multifile_may_mix_exponents(void **state)
{
	(void)state;
	static const int exponents[] = {8, -128, 5};
	for (unsigned flags = 4; flags <= 5; flags++) {
		struct file f;
		begin(&f, flags, 0, 3, 3);
		for (unsigned i = 0; i < 3; i++) {
			add_subhead(&f, exponents[i], (float)i + 0.5f, 0, 0);
			add_values(&f, flags, exponents[i], 3);
		}
		struct import *im = of_file(&f);
		assert_int_equal(import_look(im, &format_spc), FORMAT_WHOLE);
		assert_true(import_start(im));
		for (unsigned i = 0; i < 3; i++) {
			assert_true(import_frame(im));
			expect_values(im, "absorbance", 3);
			const struct assay_variable *z = host_find(im->host, "series_position");
			assert_true(z->real == i + 0.5);
			assert_string_equal(z->unit, "min");
		}
		assert_false(import_frame(im));
		import_destroy(im);
	}
}

/* One array of places for all, behind the header; it is never scaled. */
static void places_can_be_stored(void **state)
{
	(void)state;
	struct file f;
	begin(&f, 0x84, 8, 3, 2);
	add_f32(&f, 400.5f);
	add_f32(&f, 500.25f);
	add_f32(&f, 800);
	for (unsigned i = 0; i < 2; i++) {
		add_subhead(&f, 8, 0, 0, 0);
		add_values(&f, 0, 8, 3);
	}
	struct import *im = of_file(&f);
	assert_true(import_start(im));
	for (unsigned i = 0; i < 2; i++) {
		assert_true(import_frame(im));
		const struct assay_variable *x = host_find(im->host, "wavenumber");
		assert_int_equal(x->type, ASSAY_F32);
		assert_true(host_element(x, 0) == 400.5 && host_element(x, 2) == 800);
		expect_values(im, "absorbance", 3);
	}
	assert_false(import_frame(im));
	import_destroy(im);
}

/* Mass spectra, each with its own places, the first one behind the others; then the directory. */
static void make_spectra(struct file *f)
{
	static const unsigned points[] = {2, 3, 1};
	static const unsigned order[] = {1, 2, 0};
	uint32_t at[3];
	begin(f, 0xf5, 0, 0, 3);
	f->bytes[28] = 9;
	f->bytes[29] = 0;
	for (unsigned k = 0; k < 3; k++) {
		unsigned i = order[k];
		at[i] = (uint32_t)f->len;
		add_subhead(f, 8, (float)i, points[i], 0);
		for (unsigned p = 0; p < points[i]; p++)
			add_f32(f, 50.5f - (float)p);
		add_values(f, 1, 8, points[i]);
	}
	put32(f->bytes + 4, (uint32_t)f->len);
	for (unsigned i = 0; i < 3; i++) {
		add32(f, at[i]);
		add32(f, 32 + 6 * points[i]);
		add_f32(f, (float)i + 100);
	}
}

static void subfiles_are_found_by_the_directory(void **state)
{
	(void)state;
	static const unsigned points[] = {2, 3, 1};
	struct file f;
	make_spectra(&f);
	struct import *im = of_file(&f);
	assert_int_equal(import_look(im, &format_spc), FORMAT_WHOLE);
	assert_true(import_start(im));
	for (unsigned i = 0; i < 3; i++) {
		assert_true(import_frame(im));
		const struct assay_variable *x = host_find(im->host, "mz");
		assert_int_equal(x->count, points[i]);
		assert_true(host_element(x, 0) == 50.5);
		expect_values(im, "intensity", points[i]);
		assert_true(host_find(im->host, "retention_time")->real == i);
		assert_string_equal(host_find(im->host, "retention_time")->unit, "min");
	}
	assert_false(import_frame(im));
	import_destroy(im);
}

/* A scan without peaks is no frame; if all are, the file has nothing. */
static void a_scan_without_peaks_is_left_out(void **state)
{
	(void)state;
	static const unsigned at[] = {512, 512 + 50, 512 + 50 + 38}; /* with 3, 1 and 2 points */
	struct file f;
	make_spectra(&f);
	put32(f.bytes + at[0] + 16, 0);
	struct import *im = of_file(&f);
	assert_int_equal(import_look(im, &format_spc), FORMAT_WHOLE);
	assert_int_equal(import_all(im), 2);
	import_destroy(im);
	put32(f.bytes + at[1] + 16, 0);
	put32(f.bytes + at[2] + 16, 0);
	assert_int_equal(look(&f), FORMAT_DAMAGED);
}

/* Places that go back are no axis: they stay, as data. */
static void places_that_go_back_stay(void **state)
{
	(void)state;
	struct file f;
	begin(&f, 0xc0, -128, 0, 1);
	add_subhead(&f, 0, 0, 3, 0);
	add_f32(&f, 1);
	add_f32(&f, 3);
	add_f32(&f, 2);
	add_values(&f, 0, -128, 3);
	struct import *im = of_file(&f);
	assert_true(import_start(im) && import_frame(im));
	assert_int_equal(host_find(im->host, "point")->count, 3);
	assert_int_equal(host_find(im->host, "wavenumber")->role, ASSAY_DATA);
	assert_true(host_element(host_find(im->host, "wavenumber"), 2) == 2);
	expect_values(im, "absorbance", 3);
	assert_false(import_frame(im));
	import_destroy(im);
}

static void old_files_have_the_high_word_first(void **state)
{
	(void)state;
	for (unsigned subfiles = 1; subfiles <= 3; subfiles += 2) {
		struct file f;
		begin_old(&f, subfiles == 1 ? 0 : 4, subfiles == 1 ? 6 : 0, 4);
		for (unsigned i = 0; i < subfiles; i++)
			add_old(&f, 6, 4);
		struct import *im = of_file(&f);
		assert_int_equal(import_look(im, &format_spc), FORMAT_WHOLE);
		assert_string_equal(im->facts.acquired, "1992-05-14T20:19:00");
		assert_string_equal(im->facts.title, "old");
		assert_int_equal(import_all(im), subfiles);
		expect_values(im, "absorbance", 4);
		assert_int_equal(host_find(im->host, "wavenumber")->count, 4);
		assert_int_equal(host_find(im->host, "series_position") != NULL, subfiles > 1);
		import_destroy(im);
	}
}

/* Transmittance has no unit in the format: the values show if they are per cent. */
static void the_values_show_per_cent(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		struct file f;
		begin(&f, 0, -128, 2, 1);
		f.bytes[29] = 128;
		add_subhead(&f, 0, 0, 0, 0);
		add_f32(&f, 0.5f);
		add_f32(&f, i == 0 ? 1.25f : 95);
		struct import *im = of_file(&f);
		assert_int_equal(import_all(im), 1);
		assert_string_equal(host_find(im->host, "transmittance")->unit, i == 0 ? "1" : "%");
		import_destroy(im);
	}
}

/* The name of a value depends on its place: its unit must be one that the name can have. */
static void codes_of_units_become_names(void **state)
{
	(void)state;
	static const struct {
		uint8_t x, y;
		const char *place, *value, *unit;
		enum assay_kind kind;
	} cases[] = {
		{9, 0, "mz", "intensity", "1", ASSAY_SPECTRUM},
		{9, 6, "mz", "ordinate", "deg", ASSAY_SPECTRUM},
		{13, 12, "raman_shift", "intensity", "1", ASSAY_SPECTRUM},
		{5, 9, "time", "signal", "mV", ASSAY_CHROMATOGRAM},
		{3, 10, "wavelength", "log_inverse_reflectance", "1", ASSAY_SPECTRUM},
		{0, 1, "abscissa", "interferogram", "1", ASSAY_INTERFEROGRAM},
		{255, 255, "abscissa", "ordinate", "1", ASSAY_SPECTRUM},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct file f;
		begin(&f, 0, -128, 2, 1);
		f.bytes[28] = cases[i].x;
		f.bytes[29] = cases[i].y;
		add_subhead(&f, 0, 0, 0, 0);
		add_values(&f, 0, -128, 2);
		struct import *im = of_file(&f);
		assert_int_equal(import_all(im), 1);
		assert_int_equal(im->host->frame.kind, cases[i].kind);
		assert_non_null(host_find(im->host, cases[i].place));
		assert_non_null(host_find(im->host, cases[i].value));
		assert_string_equal(host_find(im->host, cases[i].value)->unit, cases[i].unit);
		import_destroy(im);
	}
}

static void labels_of_the_file_are_kept(void **state)
{
	(void)state;
	struct file f;
	begin(&f, 0x20, -128, 2, 1);
	f.bytes[28] = 99;
	f.bytes[29] = 99;
	memcpy(f.bytes + 218, "Angle\0Counts\0Z", 14);
	put32(f.bytes + 32, 1330u << 20 | 4u << 16 | 18u << 11); /* as a real file has it */
	add_subhead(&f, 0, 0, 0, 0);
	add_values(&f, 0, -128, 2);
	struct import *im = of_file(&f);
	assert_int_equal(import_all(im), 1);
	assert_string_equal(host_find(im->host, "abscissa")->label, "Angle");
	assert_string_equal(host_find(im->host, "ordinate")->label, "Counts");
	assert_null(im->host->frame.device_time);
	import_destroy(im);
}

/* --- what is not whole ------------------------------------------------------------------------ */

/* Cut anywhere, or with zeros from there on, a file is not whole; of a log only its text may be missing. */
static void a_file_without_its_end_is_incomplete(void **state)
{
	(void)state;
	struct file f;
	begin(&f, 0, 8, 40, 1);
	add_subhead(&f, 0, 0, 0, 0);
	add_values(&f, 0, 8, 40);
	import_cut(&format_spc, "ftir", "a.spc", f.bytes, f.len, f.len, 64);
	for (size_t len = 2; len < f.len; len++) {
		struct file cut = f;
		cut.len = len;
		assert_int_equal(look(&cut), FORMAT_INCOMPLETE);
	}
	add_log(&f, "A = 1 \r\n");
	import_cut(&format_spc, "ftir", "a.spc", f.bytes, f.len, f.len, 64 + 9);
	make_spectra(&f);
	import_cut(&format_spc, "ms", "a.spc", f.bytes, f.len, f.len, 7);
	begin_old(&f, 0, 6, 40);
	add_old(&f, 6, 40);
	import_cut(&format_spc, "ftir", "a.spc", f.bytes, f.len, f.len, 64);
	memcpy(f.bytes + f.len, "further", 8); /* the size counts the subfiles of an old file */
	f.len += 8;
	assert_int_equal(look(&f), FORMAT_DAMAGED);
}

/* A file may have bytes behind its end. */
static void bytes_behind_the_end_are_recorded(void **state)
{
	(void)state;
	struct file f;
	make_spectra(&f);
	f.len += 100;
	struct import *im = of_file(&f);
	assert_int_equal(import_all(im), 3); /* which has seen all bytes */
	import_destroy(im);
}

/* Values that end in zeros: a log behind them shows that they were written. */
static void a_log_shows_that_zeros_are_values(void **state)
{
	(void)state;
	struct file f;
	begin(&f, 0, -128, 40, 1);
	add_subhead(&f, 0, 0, 0, 0);
	f.len += 160;
	assert_int_equal(look(&f), FORMAT_INCOMPLETE);
	add_log(&f, "A = 1 \r\n");
	assert_int_equal(look(&f), FORMAT_WHOLE);
}

static void counts_and_places_of_an_enemy_end_in_bounded_time(void **state)
{
	(void)state;
	struct file f;
	begin(&f, 4, 8, 2, UINT32_MAX);
	add_subhead(&f, 8, 0, 0, 0);
	add_values(&f, 0, 8, 2);
	assert_int_equal(look(&f), FORMAT_INCOMPLETE);
	begin(&f, 4, 8, 2, 0);
	assert_int_equal(look(&f), FORMAT_DAMAGED);
	begin(&f, 0, 8, UINT32_MAX, 1);
	assert_int_equal(look(&f), FORMAT_DAMAGED);
	begin(&f, 0, 8, 0, 1);
	assert_int_equal(look(&f), FORMAT_DAMAGED);
	begin(&f, 0, 8, 2, 1);
	add_subhead(&f, 8, 0, 0, 0);
	add_values(&f, 0, 8, 2);
	put32(f.bytes + 248, 0xfffffff0);
	assert_int_equal(look(&f), FORMAT_INCOMPLETE);
	f.bytes[1] = 0x4c;
	assert_int_equal(look(&f), FORMAT_UNDECODED);
	f.bytes[1] = 0x4e;
	assert_int_equal(look(&f), FORMAT_FOREIGN);
	make_spectra(&f);
	uint32_t directory = (uint32_t)f.len - 36;
	put32(f.bytes + directory, UINT32_MAX); /* behind the end */
	assert_int_equal(look(&f), FORMAT_INCOMPLETE);
	put32(f.bytes + directory, 480); /* in the header */
	assert_int_equal(look(&f), FORMAT_INCOMPLETE);
	make_spectra(&f);
	put32(f.bytes + 512 + 16, UINT32_MAX); /* points of a subfile */
	assert_int_equal(look(&f), FORMAT_INCOMPLETE);
	/* A directory that names one subfile again and again. */
	begin(&f, 0xc4, -128, 0, 200);
	add_subhead(&f, -128, 0, 20, 0);
	for (unsigned i = 0; i < 40; i++)
		add_f32(&f, (float)i);
	put32(f.bytes + 4, (uint32_t)f.len);
	for (unsigned i = 0; i < 200; i++) {
		add32(&f, 512);
		add32(&f, 192);
		add32(&f, 0);
	}
	assert_int_equal(look(&f), FORMAT_DAMAGED);
	begin(&f, 0xc4, -128, 0, 2); /* no directory of two subfiles */
	add_subhead(&f, -128, 0, 1, 0);
	add_f32(&f, 1);
	add_f32(&f, 2);
	assert_int_equal(look(&f), FORMAT_UNDECODED);
	begin_old(&f, 0x40, 6, 2);
	add_old(&f, 6, 2);
	assert_int_equal(look(&f), FORMAT_UNDECODED);
	begin_old(&f, 4, 6, 2);
	add_old(&f, 6, 2);
	f.bytes[224 + 1] = 0x80; /* the exponent of floats */
	assert_int_equal(look(&f), FORMAT_UNDECODED);
}

/* Only a name that ends so: the second byte alone is a 'K' or 'M' of any text. */
static void another_name_is_foreign(void **state)
{
	(void)state;
	struct file f;
	begin(&f, 0, 8, 2, 1);
	struct import *im = import_create("ftir", "a.txt");
	import_add(im, NULL, f.bytes, f.len);
	assert_int_equal(import_look(im, &format_spc), FORMAT_FOREIGN);
	import_destroy(im);
}

/* --- real files ------------------------------------------------------------------------------- */

struct expected {
	unsigned frame;
	const char *axis, *values, *unit;
	size_t count;
	double first, last, y0, max, max_at, sum; /* NAN: not known */
};

static double place_at(const struct assay_variable *x, size_t i)
{
	return x->type == ASSAY_LINEAR ? x->start + x->step * (double)i : host_element(x, i);
}

static void expect_near(double value, double expected, double relative)
{
	if (!isnan(expected) && fabs(value - expected) > relative * fabs(expected))
		fail_msg("%.12g, expected %.12g", value, expected);
}

static void expect_frame(const struct host *h, const struct expected *e)
{
	const struct assay_variable *x = host_find(h, e->axis), *y = host_find(h, e->values);
	double sum = 0, max = -HUGE_VAL;
	size_t at = 0;
	assert_non_null(x);
	assert_non_null(y);
	assert_string_equal(y->unit, e->unit);
	assert_int_equal(y->count, e->count);
	for (size_t i = 0; i < y->count; i++) {
		sum += host_element(y, i);
		if (host_element(y, i) > max)
			max = host_element(y, at = i);
	}
	expect_near(place_at(x, 0), e->first, 5e-8);
	expect_near(place_at(x, y->count - 1), e->last, 5e-8);
	expect_near(host_element(y, 0), e->y0, 2e-8);
	expect_near(max, e->max, 1e-7);
	expect_near(place_at(x, at), e->max_at, 5e-8);
	expect_near(sum, e->sum, 5e-8);
}

static void real_files_have_their_values(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		unsigned frames;
		size_t slack; /* bytes at the end, without which the values are right */
		const char *acquired, *model;
		struct expected expected[3];
	} files[] = {
		{"files/ftir/spc_Ft-ir.spc", 1, 440, "1995-04-18T09:20:00", "PE Spectrum 2000",
			{{0, "wavenumber", "transmittance", "%", 1776, 4000, 450, 95.137497, 100,
				2088, 150493.737}}},
		{"files/ftir/spc_s_evenx.spc", 1, 64, "", "",
			{{0, "wavenumber", "absorbance", "{absorbance}", 1844, 447.48407,
				4002.28174, 0.0080506196, 0.46489167, 698.22943, 23.572041}}},
		{"files/ftir/spc_nir.spc", 20, 1053, "", "NIRSYSTEMS 5000",
			{{0, "wavelength", "kubelka_munk", "1", 700, 1100, 2498, 2.0048395e-04,
				 4.0419779, 2300, NAN},
				{1, "wavelength", "kubelka_munk", "1", 700, 1100, 2498, NAN,
					4.0423541, 2300, NAN},
				{19, "wavelength", "kubelka_munk", "1", 700, 1100, 2498, NAN,
					5.8720640, 2280, NAN}}},
		{"files/ftir/spc_m_xyxy.spc", 512, 64, "1986-01-09T08:47:00", "MS_5970",
			{{0, "mz", "intensity", "1", 8, 43.9, 25.85, 6823, 17704, 27.95, NAN}}},
		{"files/ftir/spc_ms.spc", 1, 1056 + 64, "", "",
			{{0, "mz", "intensity", "1", 128, 42, 413, NAN, 9999, 254, 83126}}},
		{"files/ftir/spc_m_ordz.spc", 10, 64, "1992-05-14T20:19:00", "",
			{{0, "wavenumber", "absorbance", "{absorbance}", 857, 698.22974, 4000.35474,
				 0.02219367027, 4.816089332, NAN, NAN},
				{1, "wavenumber", "absorbance", "{absorbance}", 857, NAN, NAN, NAN,
					7.933676317, NAN, NAN}}},
	};
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		size_t len, next = 0;
		uint8_t *data = import_sample(files[i].path, &len);
		if (data == NULL)
			skip();
		struct import *im = import_create("ftir", strrchr(files[i].path, '/') + 1);
		import_add(im, NULL, data, len);
		assert_int_equal(import_look(im, &format_spc), FORMAT_WHOLE);
		assert_string_equal(im->facts.acquired, files[i].acquired);
		assert_string_equal(im->facts.model, files[i].model);
		assert_true(import_start(im));
		for (unsigned k = 0; k < files[i].frames; k++) {
			const struct expected *e = &files[i].expected[next];
			assert_true(import_frame(im));
			if (next == 3 || e->axis == NULL || e->frame != k)
				continue;
			expect_frame(im->host, e);
			next++;
		}
		assert_false(import_frame(im));
		import_destroy(im);
		import_cut(&format_spc, "ftir", "a.spc", data, len, 40, files[i].slack);
		free(data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_of_all_types_are_the_same),
		cmocka_unit_test(a_multifile_may_mix_exponents),
		cmocka_unit_test(places_can_be_stored),
		cmocka_unit_test(subfiles_are_found_by_the_directory),
		cmocka_unit_test(a_scan_without_peaks_is_left_out),
		cmocka_unit_test(places_that_go_back_stay),
		cmocka_unit_test(old_files_have_the_high_word_first),
		cmocka_unit_test(the_values_show_per_cent),
		cmocka_unit_test(codes_of_units_become_names),
		cmocka_unit_test(labels_of_the_file_are_kept),
		cmocka_unit_test(a_file_without_its_end_is_incomplete),
		cmocka_unit_test(a_log_shows_that_zeros_are_values),
		cmocka_unit_test(bytes_behind_the_end_are_recorded),
		cmocka_unit_test(counts_and_places_of_an_enemy_end_in_bounded_time),
		cmocka_unit_test(another_name_is_foreign),
		cmocka_unit_test(real_files_have_their_values),
	};
	return cmocka_run_group_tests_name("file-import-spc", tests, NULL, NULL);
}
