/* SPDX-License-Identifier: Apache-2.0 */
/* OPUS files that the test writes byte by byte, and a real one. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness.h"

extern const struct format format_opus;

/* --- a file ----------------------------------------------------------------------------------- */

#define BLOCKS 16

struct file {
	uint8_t bytes[8192];
	size_t len;
	unsigned blocks;
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

static void begin(struct file *f)
{
	*f = (struct file){.len = 24 + 12 * BLOCKS};
	memcpy(f->bytes, "\x0a\x0a\xfe\xfe", 4);
	put32(f->bytes + 12, 24);
	put32(f->bytes + 16, BLOCKS);
}

static void begin_block(struct file *f, uint32_t type)
{
	uint8_t *entry = f->bytes + 24 + 12 * f->blocks++;
	put32(entry, type);
	put32(entry + 8, (uint32_t)f->len);
	put32(f->bytes + 20, f->blocks);
}

static void end_block(struct file *f)
{
	uint8_t *entry = f->bytes + 24 + 12 * (f->blocks - 1);
	uint32_t at = (uint32_t)(entry[8] | entry[9] << 8);
	put32(entry + 4, ((uint32_t)f->len - at) / 4);
}

static void add(struct file *f, const char *name, unsigned type, const void *value, size_t len)
{
	uint8_t *to = f->bytes + f->len;
	memcpy(to, name, 4);
	put16(to + 4, type);
	put16(to + 6, (uint32_t)(len / 2));
	memcpy(to + 8, value, len);
	f->len += 8 + len;
}

static void add_integer(struct file *f, const char *name, int32_t value)
{
	uint8_t bytes[4];
	put32(bytes, (uint32_t)value);
	add(f, name, 0, bytes, 4);
}

static void add_real(struct file *f, const char *name, double value)
{
	uint8_t bytes[8];
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	put32(bytes, (uint32_t)bits);
	put32(bytes + 4, (uint32_t)(bits >> 32));
	add(f, name, 1, bytes, 8);
}

static void add_text(struct file *f, const char *name, const char *text)
{
	char bytes[64] = "";
	memcpy(bytes, text, strlen(text));
	add(f, name, 2, bytes, (strlen(text) + 4) / 4 * 4);
}

static void end_list(struct file *f)
{
	add(f, "END", 0, "", 0);
	end_block(f);
}

/* Values 0.5, 1, 1.5 ..., and the parameters that state them. */
static void add_numbers(
	struct file *f, uint32_t type, unsigned count, double factor, double largest)
{
	begin_block(f, type);
	for (unsigned i = 1; i <= count; i++) {
		float value = (float)i / 2;
		uint32_t bits;
		memcpy(&bits, &value, sizeof bits);
		put32(f->bytes + f->len, bits);
		f->len += 4;
	}
	f->len += 4; /* real files have one word more */
	end_block(f);
	begin_block(f, type | 1 << 4);
	add_integer(f, "NPT", (int32_t)count);
	add_real(f, "FXV", 4000);
	add_real(f, "LXV", 4000 - 100.0 * (count - 1));
	add_real(f, "CSF", factor);
	add_real(f, "MXY", largest);
	add_real(f, "MNY", 0.5 * factor);
	add_text(f, "DXU", (type >> 10 & 0x7f) == 2 ? "PNT" : "WN");
	add_text(f, "DAT", "03/05/2019");
	add_text(f, "TIM", "13:34:44.641 (GMT-4)");
	end_list(f);
}

static void add_facts(struct file *f, uint32_t bits)
{
	begin_block(f, 0x20 | bits);
	add_real(f, "LWN", 15795.82);
	add_text(f, "INS", "VERTEX 80V");
	add_text(f, "SRN", "1135");
	end_list(f);
	begin_block(f, 0x30 | bits);
	add_integer(f, "NSS", 50);
	add_integer(f, "NSR", 25);
	add_real(f, "RES", 4);
	add_text(f, "AQM", "DD");
	end_list(f);
	begin_block(f, 0xa0 | bits);
	add_text(f, "CNM", "Duran");
	add_text(f, "SNM",
		"Pr\xfc"
		"fling 7");
	end_list(f);
}

/* A whole file; `extra` is added to each type. */
static void make(struct file *f, uint32_t extra)
{
	begin(f);
	add_facts(f, extra);
	add_numbers(f, 0x807 | extra, 6, 0.25, 0.75);
	add_numbers(f, 0x40b | extra, 5, 1, 2.5);
	add_numbers(f, 0x100f | extra, 5, 1, 2.5);
	add_numbers(f, 0xc07 | extra, 5, 1, 2.5);   /* a phase: not decoded */
	add_numbers(f, 0x2100f | extra, 5, 1, 2.5); /* a derivative: not decoded */
}

static struct import *of_file(const struct file *f)
{
	struct import *im = import_create("ftir", "sample.0");
	import_add(im, NULL, f->bytes, f->len);
	return im;
}

static int look(const struct file *f)
{
	struct import *im = of_file(f);
	int found = import_look(im, &format_opus);
	import_destroy(im);
	return found;
}

static const struct host_variable *find_setting(const struct host *h, const char *name)
{
	for (size_t i = 0; i < h->frame.setting_count; i++)
		if (strcmp(h->frame.settings[i].said, name) == 0)
			return &h->frame.settings[i];
	return NULL;
}

/* --- synthetic -------------------------------------------------------------------------------- */

/* The result comes first, then single beams, then interferograms; bit 30 of the types changes nothing. */
static void blocks_become_frames(void **state)
{
	(void)state;
	for (int k = 0; k < 2; k++) {
		struct file f;
		make(&f, k == 0 ? 0 : 0x40000000);
		struct import *im = of_file(&f);
		assert_int_equal(import_look(im, &format_opus), FORMAT_WHOLE);
		assert_string_equal(im->facts.sample, "Pr\xc3\xbc"
						      "fling 7");
		assert_string_equal(im->facts.person, "Duran");
		assert_string_equal(im->facts.make, "Bruker");
		assert_string_equal(im->facts.model, "VERTEX 80V");
		assert_string_equal(im->facts.serial, "1135");
		assert_string_equal(im->facts.acquired, "03/05/2019 13:34:44.641 (GMT-4)");
		assert_true(import_start(im));

		assert_true(import_frame(im));
		const struct assay_variable *x = host_find(im->host, "wavenumber");
		const struct assay_variable *y = host_find(im->host, "absorbance");
		assert_int_equal(im->host->frame.kind, ASSAY_SPECTRUM);
		assert_int_equal(im->host->frame.flag, ASSAY_UNCHECKED);
		assert_string_equal(im->host->frame.device_time, "03/05/2019 13:34:44.641 (GMT-4)");
		assert_true(x->start == 4000 && x->step == -100 && x->count == 5);
		assert_int_equal(y->type, ASSAY_F32);
		assert_true(host_element(y, 0) == 0.5 && host_element(y, 4) == 2.5);
		assert_int_equal(find_setting(im->host, "scans")->v.integer, 50);
		assert_true(find_setting(im->host, "resolution")->v.real == 4);
		assert_true(find_setting(im->host, "laser_wavenumber")->v.real == 15795.82);
		assert_string_equal(find_setting(im->host, "acquisition_mode")->v.text, "DD");

		assert_true(import_frame(im));
		y = host_find(im->host, "single_beam");
		assert_string_equal(y->channel, "background");
		assert_true(host_element(y, 4) == 2.5);

		assert_true(import_frame(im));
		y = host_find(im->host, "interferogram");
		assert_int_equal(im->host->frame.kind, ASSAY_INTERFEROGRAM);
		assert_non_null(host_find(im->host, "point"));
		assert_int_equal(y->type, ASSAY_F64); /* times the factor */
		assert_true(host_element(y, 0) == 0.125 && host_element(y, 5) == 0.75);
		assert_true(find_setting(im->host, "interferogram_factor")->v.real == 0.25);
		assert_false(import_frame(im));
		import_destroy(im);
	}
}

/* The largest value that the file states is another one. */
static void values_that_contradict_their_largest_are_suspect(void **state)
{
	(void)state;
	for (int k = 0; k < 2; k++) {
		struct file f;
		begin(&f);
		add_numbers(&f, 0x100f, 5, 1, k == 0 ? 2.5 : 2.6);
		struct import *im = of_file(&f);
		assert_int_equal(import_all(im), 1);
		assert_int_equal(im->host->frame.flag, k == 0 ? ASSAY_UNCHECKED : ASSAY_SUSPECT);
		assert_int_equal(host_has_reason(im->host, "malformed"), k == 1);
		import_destroy(im);
	}
}

/* Of several blocks of one type each has the parameters at its own place among theirs. */
static void blocks_of_one_type_keep_their_order(void **state)
{
	(void)state;
	struct file f;
	begin(&f);
	add_numbers(&f, 0x100f, 5, 1, 2.5);
	add_numbers(&f, 0x100f, 4, 1, 2);
	struct import *im = of_file(&f);
	assert_true(import_start(im));
	for (size_t points = 5; points >= 4; points--) {
		assert_true(import_frame(im));
		assert_int_equal(host_find(im->host, "absorbance")->count, points);
		assert_int_equal(im->host->frame.flag, ASSAY_UNCHECKED);
	}
	assert_false(import_frame(im));
	import_destroy(im);
}

static void a_file_without_its_end_is_incomplete(void **state)
{
	(void)state;
	struct file f;
	make(&f, 0);
	import_cut(&format_opus, "ftir", "a.0", f.bytes, f.len, f.len, 8);
	for (size_t len = 4; len < f.len; len++) {
		struct file cut = f;
		cut.len = len;
		assert_int_equal(look(&cut), FORMAT_INCOMPLETE);
	}
	/* The numbers last. */
	begin(&f);
	add_numbers(&f, 0x100f, 40, 1, 20);
	begin_block(&f, 0x40680000); /* the texts of a history */
	memset(f.bytes + f.len, 'h', 100);
	f.len += 100;
	end_block(&f);
	assert_int_equal(look(&f), FORMAT_WHOLE);
	import_cut(&format_opus, "ftir", "a.0", f.bytes, f.len, f.len, 64);
}

static void counts_and_places_of_an_enemy_end_in_bounded_time(void **state)
{
	(void)state;
	static const struct {
		size_t at;
		uint32_t value;
		int found;
	} cases[] = {
		{0, 0, FORMAT_FOREIGN},
		{12, UINT32_MAX, FORMAT_INCOMPLETE}, /* place of the directory */
		{20, UINT32_MAX, FORMAT_INCOMPLETE}, /* blocks */
		{20, 0, FORMAT_INCOMPLETE},
		{24 + 4, UINT32_MAX, FORMAT_INCOMPLETE}, /* size of a block */
		{24 + 8, UINT32_MAX, FORMAT_INCOMPLETE}, /* its place */
		{24 + 3 * 12 + 4, 0, FORMAT_INCOMPLETE}, /* size of a block of numbers */
	};
	struct file f;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		make(&f, 0);
		put32(f.bytes + cases[i].at, cases[i].value);
		assert_int_equal(look(&f), cases[i].found);
	}
	begin(&f); /* one block of numbers again and again */
	add_numbers(&f, 0x100f, 5, 1, 2.5);
	for (; f.blocks < 8; f.blocks++)
		memcpy(f.bytes + 24 + 12 * f.blocks, f.bytes + 24 + 12 * (f.blocks - 2), 12);
	f.bytes[20] = (uint8_t)f.blocks;
	assert_int_equal(look(&f), FORMAT_DAMAGED);
	begin(&f);
	add_facts(&f, 0);
	assert_int_equal(look(&f), FORMAT_UNDECODED); /* no numbers */
	/* The number of points is more or less than there are. */
	static const int32_t points[] = {7, -1, 0, INT32_MAX, 2};
	for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
		begin(&f);
		add_numbers(&f, 0x100f, 5, 1, 2.5);
		put32(f.bytes + 24 + 12 * BLOCKS + 24 + 8, (uint32_t)points[i]);
		assert_int_equal(look(&f), points[i] == 2 ? FORMAT_UNDECODED : FORMAT_DAMAGED);
	}
}

/* --- a real file ------------------------------------------------------------------------------ */

static void a_real_file_has_its_values(void **state)
{
	(void)state;
	static const struct {
		const char *axis, *values;
		size_t count;
		double first, last, largest, smallest; /* as the file states them */
	} expected[] = {
		{"wavenumber", "absorbance", 4927, 9997.720922928467, 499.4039959572754, 6.0,
			-1.1767736673355103},
		{"wavenumber", "single_beam", 4927, 9997.720922928467, 499.4039959572754,
			0.03543896973133087, 1.2147593224653974e-05},
		{"wavenumber", "single_beam", 4933, 10005.433725954834, 495.5475944440914,
			0.03806210309267044, -1.1210246157133952e-05},
		{"point", "interferogram", 29456, 0, 29455, 0.043005578219890594,
			-0.041382331401109695},
		{"point", "interferogram", 14728, 0, 14727, 0.050183240324258804,
			-0.018092064186930656},
	};
	size_t len;
	uint8_t *data = import_sample("ftir/opus/brukeropus_example_file.0", &len);
	if (data == NULL)
		skip();
	struct import *im = import_create("ftir", "brukeropus_example_file.0");
	import_add(im, NULL, data, len);
	assert_int_equal(import_look(im, &format_opus), FORMAT_WHOLE);
	assert_string_equal(im->facts.sample, "File Test");
	assert_string_equal(im->facts.person, "Duran");
	assert_string_equal(im->facts.model, "VERTEX 80V");
	assert_string_equal(im->facts.serial, "1135");
	assert_string_equal(im->facts.acquired, "03/05/2019 13:34:44.641 (GMT-4)");
	assert_true(import_start(im));
	for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
		assert_true(import_frame(im));
		const struct assay_variable *x = host_find(im->host, expected[i].axis);
		const struct assay_variable *y = host_find(im->host, expected[i].values);
		double largest = -HUGE_VAL, smallest = HUGE_VAL;
		assert_int_equal(y->count, expected[i].count);
		for (size_t k = 0; k < y->count; k++) {
			largest = fmax(largest, host_element(y, k));
			smallest = fmin(smallest, host_element(y, k));
		}
		double last = x->start + x->step * (double)(y->count - 1);
		assert_true(x->start == expected[i].first && fabs(last - expected[i].last) < 1e-8);
		assert_true(fabs(largest - expected[i].largest) < 3e-9);
		assert_true(fabs(smallest - expected[i].smallest) < 3e-9);
		assert_int_equal(im->host->frame.flag, ASSAY_UNCHECKED);
		assert_non_null(find_setting(im->host, "laser_wavenumber"));
	}
	assert_false(import_frame(im));
	import_destroy(im);
	import_cut(&format_opus, "ftir", "a.0", data, len, 100, 12);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_become_frames),
		cmocka_unit_test(values_that_contradict_their_largest_are_suspect),
		cmocka_unit_test(blocks_of_one_type_keep_their_order),
		cmocka_unit_test(a_file_without_its_end_is_incomplete),
		cmocka_unit_test(counts_and_places_of_an_enemy_end_in_bounded_time),
		cmocka_unit_test(a_real_file_has_its_values),
	};
	return cmocka_run_group_tests_name("file-import-opus", tests, NULL, NULL);
}
