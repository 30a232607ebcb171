/* SPDX-License-Identifier: Apache-2.0 */
#include "curve-test.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void build_bytes(struct build *b, size_t at, const void *bytes, size_t len)
{
	if (at + len > sizeof b->bytes)
		abort();
	if (len > 0)
		memcpy(b->bytes + at, bytes, len);
	b->len = at + len > b->len ? at + len : b->len;
}

void build_u16(struct build *b, size_t at, uint16_t value)
{
	uint8_t bytes[] = {(uint8_t)value, (uint8_t)(value >> 8)};
	build_bytes(b, at, bytes, sizeof bytes);
}

void build_u32(struct build *b, size_t at, uint32_t value)
{
	build_u16(b, at, (uint16_t)value);
	build_u16(b, at + 2, (uint16_t)(value >> 16));
}

void build_f32(struct build *b, size_t at, float value)
{
	uint32_t bits;
	memcpy(&bits, &value, sizeof bits);
	build_u32(b, at, bits);
}

void build_f64(struct build *b, size_t at, double value)
{
	uint64_t bits;
	memcpy(&bits, &value, sizeof bits);
	build_u32(b, at, (uint32_t)bits);
	build_u32(b, at + 4, (uint32_t)(bits >> 32));
}

void build_text(struct build *b, size_t at, const char *text)
{
	build_bytes(b, at, text, strlen(text));
}

int build_look(const struct build *b, const struct format *format, const char *name,
	struct format_facts *facts)
{
	struct import *im = import_create("ftir", name);
	import_add(im, NULL, b->bytes, b->len);
	int found = import_look(im, format);
	if (facts != NULL)
		*facts = im->facts;
	import_destroy(im);
	return found;
}

/* --- expecting -------------------------------------------------------------------------------- */

void expect_digits(const char *what, double value, const char *digits)
{
	if (digits == NULL)
		return;
	double given;
	int places = 0, exponent = 0;
	const char *point = strchr(digits, '.'), *e = strchr(digits, 'e');
	if (sscanf(digits, "%lf", &given) != 1)
		fail_msg("%s is no number", digits);
	if (point != NULL)
		places = (int)strspn(point + 1, "0123456789");
	if (e != NULL)
		sscanf(e + 1, "%d", &exponent);
	double half = 0.5001 * pow(10, exponent - places);
	if (!(fabs(value - given) <= half))
		fail_msg("%s: %.12g, not %s", what, value, digits);
}

static double x_at(const struct assay_variable *x, size_t i)
{
	return x->type == ASSAY_LINEAR ? x->start + x->step * (double)i : host_element(x, i);
}

void expect_curve(const struct import *im, const struct curve_values *v)
{
	const struct assay_variable *x = host_find(im->host, v->x), *y = host_find(im->host, v->y);
	if (x == NULL || y == NULL)
		fail_msg("no variable %s, or %s", v->x, v->y);
	assert_string_equal(x->unit, v->x_unit);
	assert_string_equal(y->unit, v->y_unit);
	assert_int_equal(x->count, v->points);
	assert_int_equal(y->count, v->points);
	size_t max = v->points, min = v->points;
	double sum = 0;
	for (size_t i = 0; i < v->points; i++) {
		double value = host_element(y, i);
		if (isnan(value))
			continue;
		sum += value;
		if (max == v->points || value > host_element(y, max))
			max = i;
		if (min == v->points || value < host_element(y, min))
			min = i;
	}
	expect_digits("first x", x_at(x, 0), v->first);
	expect_digits("last x", x_at(x, v->points - 1), v->last);
	expect_digits("first y", host_element(y, 0), v->y_first);
	expect_digits("last y", host_element(y, v->points - 1), v->y_last);
	expect_digits("most", host_element(y, max), v->max);
	expect_digits("most at", x_at(x, max), v->max_at);
	expect_digits("least", host_element(y, min), v->min);
	expect_digits("least at", x_at(x, min), v->min_at);
	expect_digits("sum", sum, v->sum);
}

double frame_setting(const struct import *im, const char *name)
{
	const struct host_frame *frame = &im->host->frame;
	for (size_t i = 0; i < frame->setting_count; i++)
		if (strcmp(frame->settings[i].said, name) == 0)
			return frame->settings[i].v.type == ASSAY_SCALAR_INT
				       ? (double)frame->settings[i].v.integer
				       : frame->settings[i].v.real;
	return -1;
}
