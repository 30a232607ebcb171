/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness.h"

extern const struct format format_asp;

#define TEXT "4\r\n4000\r\n3997\r\n1\r\n2\r\n4\r\n0.25\r\n-1e-3\r\n+3.5\r\n12\r\n"

static struct import *of_text(const char *text, size_t len)
{
	struct import *im = import_create("ftir", "Soil.ASP");
	import_add(im, NULL, text, len);
	return im;
}

static int look(const char *text)
{
	struct import *im = of_text(text, strlen(text));
	int found = import_look(im, &format_asp);
	import_destroy(im);
	return found;
}

static void test_values(void **state)
{
	(void)state;
	struct import *im = of_text(TEXT, strlen(TEXT));
	assert_int_equal(import_look(im, &format_asp), FORMAT_WHOLE);
	assert_true(import_start(im));
	assert_true(import_frame(im));
	assert_int_equal(im->host->raw.count, 1);
	assert_string_equal(
		im->host->raw.blocks[0].media, "application/x-assay-file;format=asp;part=spectrum");
	assert_string_equal(im->host->raw.blocks[0].name, "Soil.ASP@0");
	assert_int_equal(im->host->frame.kind, ASSAY_SPECTRUM);
	assert_int_equal(im->host->frame.flag, ASSAY_UNCHECKED);
	const struct assay_variable *x = host_find(im->host, "wavenumber");
	const struct assay_variable *y = host_find(im->host, "ordinate");
	assert_true(x->start == 4000 && x->step == -1 && x->count == 4);
	static const double values[] = {0.25, -1e-3, 3.5, 12};
	for (size_t i = 0; i < 4; i++)
		assert_true(host_element(y, i) == values[i]);
	assert_false(import_frame(im));
	import_destroy(im);
}

static void test_files_that_are_not_whole(void **state)
{
	(void)state;
	import_cut(
		&format_asp, "ftir", "a.asp", (const uint8_t *)TEXT, strlen(TEXT), strlen(TEXT), 0);
	assert_int_equal(look(""), FORMAT_INCOMPLETE);
	assert_int_equal(look(TEXT "13\r\n"), FORMAT_DAMAGED);
	assert_int_equal(look("4\r\n4000\r\n3997\r\nx"), FORMAT_INCOMPLETE);
	assert_int_equal(look("4\r\n4000\r\n3997\r\n1.2.3\r\n"), FORMAT_DAMAGED);
	assert_int_equal(look("4294967295\r\n1\r\n"), FORMAT_FOREIGN);
	assert_int_equal(look("function x() {\n"), FORMAT_FOREIGN); /* a web page's .asp */
	assert_int_equal(look("<html>"), FORMAT_FOREIGN);
	assert_int_equal(look("0x10\n"), FORMAT_FOREIGN);
}

static void test_sample(void **state)
{
	(void)state;
	size_t len;
	uint8_t *data = import_sample("files/ftir/ftir_ldpe_soil.asp", &len);
	if (data == NULL)
		skip();
	struct import *im = import_create("ftir", "ftir_ldpe_soil.asp");
	import_add(im, NULL, data, len);
	assert_int_equal(import_look(im, &format_asp), FORMAT_WHOLE);
	assert_true(import_start(im) && import_frame(im));
	const struct assay_variable *x = host_find(im->host, "wavenumber");
	const struct assay_variable *y = host_find(im->host, "ordinate");
	assert_int_equal(y->count, 1798);
	assert_float_equal(x->start, 3999.43350, 5e-6);
	assert_float_equal(x->start + 1797 * x->step, 650.42045, 5e-6);
	assert_float_equal(host_element(y, 0), 0.00569463, 5e-9);
	assert_float_equal(host_element(y, 1797), 0.02705602, 5e-9);
	double sum = 0, max = 0;
	size_t at = 0;
	for (size_t i = 0; i < 1798; i++) {
		sum += host_element(y, i);
		if (host_element(y, i) > max)
			max = host_element(y, at = i);
	}
	assert_float_equal(max, 0.5181628, 5e-8);
	assert_float_equal(x->start + (double)at * x->step, 2914.778, 5e-4);
	assert_float_equal(sum, 53.471274, 5e-7);
	assert_false(import_frame(im));
	import_destroy(im);
	import_cut(&format_asp, "ftir", "a.asp", data, len, 100, 0);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_files_that_are_not_whole),
		cmocka_unit_test(test_sample),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
