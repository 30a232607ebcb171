/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "curve-test.h"

extern const struct format format_perkinelmer;

#define ROOT 44

/* The places of what tests change. */
struct places {
	size_t x_ends, y_ends, points, x_label, y_label, values, last;
};

/* The head of an item; `end()` gives it the length of what followed. */
static size_t item(struct build *b, unsigned id)
{
	size_t at = b->len;
	build_u16(b, at, (uint16_t)id);
	build_u32(b, at + 2, 0);
	return at;
}

static void end(struct build *b, size_t item)
{
	build_u32(b, item + 2, (uint32_t)(b->len - item - 6));
}

static size_t add_text(struct build *b, unsigned id, const char *text)
{
	size_t at = item(b, id);
	build_u16(b, b->len, 0x7523);
	build_u16(b, b->len, (uint16_t)strlen(text));
	build_text(b, b->len, text);
	end(b, at);
	return at + 10;
}

static size_t add_numbers(
	struct build *b, unsigned id, unsigned tag, const double *values, size_t n)
{
	size_t at = item(b, id);
	build_u16(b, b->len, (uint16_t)tag);
	if (tag == 0x7516)
		build_u32(b, b->len, (uint32_t)(8 * n));
	size_t first = b->len;
	for (size_t i = 0; i < n; i++)
		build_f64(b, b->len, values[i]);
	end(b, at);
	return first;
}

/* One step of the history in the other, with the ids of the data set in other meanings. */
static void add_history(struct build *b)
{
	size_t history = item(b, 0x8b7f), outer = item(b, 0x79);
	add_text(b, 0x8b73, "Absorbance");
	add_text(b, 0x8b74, "Thu Mar 09 09:19:21 2006");
	size_t earlier = item(b, 0x8b77), inner = item(b, 0x7a);
	add_text(b, 0x8b72, "Administrator");
	add_text(b, 0x8b74, "Thu Mar 09 09:17:56 2006");
	add_text(b, 0x8bfd, "Spectrum One");
	add_text(b, 0x8bfe, "69425");
	end(b, inner);
	end(b, earlier);
	end(b, outer);
	end(b, history);
}

static struct build *create_sp(struct places *p)
{
	static const double x[] = {4000, 3996}, y[] = {-0.25, 1.5}, step = -1;
	static const double values[] = {0.5, -0.25, 1.5, 1, 0.125};
	struct build *b = calloc(1, sizeof *b);
	struct places unused;
	p = p != NULL ? p : &unused;
	if (b == NULL)
		abort();
	build_text(b, 0, "PEPE2D constant interval DataSet file");
	build_u16(b, ROOT - 2, 0);
	size_t root = item(b, 120);
	add_history(b);
	p->x_ends = add_numbers(b, 0x8b72, 0x751d, x, 2);
	p->y_ends = add_numbers(b, 0x8b73, 0x751d, y, 2);
	add_numbers(b, 0x8b74, 0x751b, &step, 1);
	size_t points = item(b, 0x8b75);
	build_u16(b, b->len, 0x752b);
	p->points = b->len;
	build_u32(b, b->len, 5);
	end(b, points);
	p->x_label = add_text(b, 0x8b77, "cm-1");
	p->y_label = add_text(b, 0x8b78, "%T");
	add_text(b, 0x8b81, "strip01");
	p->values = add_numbers(b, 0x8b7c, 0x7516, values, 5);
	p->last = add_text(b, 0x8b82, "Scan Range");
	end(b, root);
	return b;
}

static void test_spectrum(void **state)
{
	(void)state;
	struct build *b = create_sp(NULL);
	struct import *im = import_create("ftir", "Strip01.SP");
	import_add(im, NULL, b->bytes, b->len);
	assert_int_equal(import_look(im, &format_perkinelmer), FORMAT_WHOLE);
	assert_string_equal(im->facts.title, "strip01");
	assert_string_equal(im->facts.model, "Spectrum One");
	assert_string_equal(im->facts.serial, "69425");
	assert_string_equal(
		im->facts.acquired, "2006-03-09T09:17:56"); /* not that of the last step */
	assert_string_equal(im->facts.zone, "");
	assert_true(import_start(im));
	assert_true(import_frame(im));
	expect_curve(
		im, &(struct curve_values){"wavenumber", "cm-1", "transmittance", "%", 5, "4000",
			    "3996", "0.5", "0.125", "1.5", "3998", "-0.25", "3999", "2.875"});
	assert_int_equal(host_find(im->host, "transmittance")->type, ASSAY_F64);
	assert_string_equal(host_find(im->host, "transmittance")->label, "strip01");
	assert_string_equal(im->host->frame.device_time, "2006-03-09T09:17:56");
	assert_int_equal(im->host->frame.flag, ASSAY_UNCHECKED);
	assert_false(import_frame(im));
	import_destroy(im);
	free(b);
}

static void test_cut(void **state)
{
	(void)state;
	struct places p;
	struct build *b = create_sp(&p);
	/* Zeros in the last text change no value. */
	import_cut(&format_perkinelmer, "ftir", "a.sp", b->bytes, b->len, b->len,
		b->len - p.last + 10);
	for (size_t i = 0; i < b->len - p.last + 10; i++) {
		struct import *im = import_create("ftir", "a.sp");
		import_add(im, NULL, b->bytes, p.last - 10 + i);
		assert_int_equal(import_look(im, &format_perkinelmer), FORMAT_INCOMPLETE);
		import_destroy(im);
	}
	free(b);
}

static int look(struct build *b, char why[FORMAT_FACT])
{
	struct format_facts facts;
	int found = build_look(b, &format_perkinelmer, "a.sp", &facts);
	snprintf(why, FORMAT_FACT, "%s", facts.why);
	free(b);
	return found;
}

static void test_contradictions(void **state)
{
	(void)state;
	char why[FORMAT_FACT];
	struct places p;
	struct build *b = create_sp(&p);
	build_f64(b, p.values + 16, 1.25); /* one value is another: not the most of the header */
	assert_int_equal(look(b, why), FORMAT_DAMAGED);
	assert_string_equal(why, "its values are -0.25 to 1.25, its header has -0.25 to 1.5");
	b = create_sp(&p);
	build_f64(b, p.values + 8, -0.5);
	assert_int_equal(look(b, why), FORMAT_DAMAGED);
	b = create_sp(&p);
	build_f64(b, p.x_ends + 8, 3995);
	assert_int_equal(look(b, why), FORMAT_DAMAGED);
	assert_non_null(strstr(why, "x axis ends at 3995"));
	for (int i = 0; i < 4; i++) {
		static const uint32_t points[] = {6, UINT32_MAX, 0, 1};
		b = create_sp(&p);
		build_u32(b, p.points, points[i]);
		assert_int_equal(look(b, why), FORMAT_DAMAGED);
		assert_non_null(strstr(why, "it states"));
	}
	b = create_sp(&p); /* an array that is longer than its item */
	build_u32(b, p.points, 6);
	build_u32(b, p.values - 4, 48);
	assert_int_equal(look(b, why), FORMAT_DAMAGED);
	assert_non_null(strstr(why, "are 48 bytes of 40"));
	b = create_sp(&p);
	memset(b->bytes + p.x_ends, 0, b->len - p.x_ends);
	assert_int_equal(look(b, why), FORMAT_INCOMPLETE);
	b = create_sp(&p);
	build_u32(b, p.values - 4, UINT32_MAX); /* bytes of the array */
	assert_int_equal(look(b, why), FORMAT_DAMAGED);
	b = create_sp(&p);
	build_u32(b, p.values - 10, UINT32_MAX); /* of the item */
	assert_int_equal(look(b, why), FORMAT_DAMAGED);
	assert_non_null(strstr(why, "longer than the rest"));
	b = create_sp(&p);
	build_u32(b, ROOT + 2, UINT32_MAX); /* of the tree */
	assert_int_equal(look(b, why), FORMAT_INCOMPLETE);
	b = create_sp(&p);
	build_text(b, b->len, "more");
	assert_int_equal(look(b, why), FORMAT_DAMAGED);
	b = create_sp(&p);
	build_text(b, p.y_label, "EV");
	assert_int_equal(look(b, why), FORMAT_UNDECODED);
	assert_non_null(strstr(why, "y \"EV\""));
	b = create_sp(&p);
	build_u16(b, ROOT, 5100); /* a map */
	assert_int_equal(look(b, why), FORMAT_UNDECODED);
	b = create_sp(&p);
	build_text(b, 0, "PE IR"); /* the text format */
	assert_int_equal(look(b, why), FORMAT_FOREIGN);
}

/* A history of items in items is read to a depth that is limited. */
static void test_deep_history(void **state)
{
	(void)state;
	static size_t items[8000];
	struct build *b = create_sp(NULL);
	size_t history = item(b, 0x8b7f);
	for (size_t i = 0; i < 8000; i++)
		items[i] = item(b, 0x79);
	add_text(b, 0x8bfe, "deep");
	for (size_t i = 0; i < 8000; i++)
		end(b, items[i]);
	end(b, history);
	end(b, ROOT);
	struct format_facts facts;
	assert_int_equal(build_look(b, &format_perkinelmer, "a.sp", &facts), FORMAT_WHOLE);
	assert_string_equal(facts.serial, "");
	free(b);
}

static void test_sample(void **state)
{
	(void)state;
	size_t len;
	uint8_t *data = import_sample("files/ftir/specio_strip01.sp", &len);
	if (data == NULL)
		skip();
	struct import *im = import_create("ftir", "specio_strip01.sp");
	import_add(im, NULL, data, len);
	assert_int_equal(import_look(im, &format_perkinelmer), FORMAT_WHOLE);
	assert_string_equal(im->facts.title, "strip01");
	assert_string_equal(im->facts.model, "Spectrum One");
	assert_string_equal(im->facts.serial, "69425");
	assert_string_equal(im->facts.acquired, "2006-03-09T09:17:56");
	assert_true(import_start(im) && import_frame(im));
	expect_curve(im, &(struct curve_values){"wavenumber", "cm-1", "absorbance", "{absorbance}",
				 3301, "4000", "700", "0.037239360", "0.0041755621", "0.35907419",
				 "1650", "-0.044194606", "1766", "117.162189"});
	assert_false(import_frame(im));
	import_destroy(im);
	import_cut(&format_perkinelmer, "ftir", "a.sp", data, len, 100, 83);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spectrum),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_deep_history),
		cmocka_unit_test(test_sample),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
