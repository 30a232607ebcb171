/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness.h"

extern const struct format format_spe;

#define HEAD                                                                                    \
	"$SPEC_ID:\r\n24-0815\r\n$SPEC_REM:\r\nDET# 1\r\n$DATE_MEA:\r\n11/29/2026 21:40:05\r\n" \
	"$MEAS_TIM:\r\n58 60.5\r\n"
#define CALIBRATION "$MCA_CAL:\r\n3\r\n-1.0E-02 2.0E-02 0.0E+00 keV\r\n"
#define DATA        "$DATA:\r\n0 4\r\n       0 1\r\n   70000.\r\n 3\r\n 4\r\n"

static struct import *of(const char *text, size_t len)
{
	struct import *im = import_create("xrf", "a.Spe");
	import_add(im, NULL, text, len);
	return im;
}

static int look(const char *text)
{
	struct import *im = of(text, strlen(text));
	int found = import_look(im, &format_spe);
	import_destroy(im);
	return found;
}

static void test_values(void **state)
{
	(void)state;
	static const char text[] = HEAD CALIBRATION DATA;
	struct import *im = of(text, strlen(text));
	assert_int_equal(import_look(im, &format_spe), FORMAT_WHOLE);
	assert_string_equal(im->facts.title, "24-0815");
	assert_string_equal(im->facts.acquired, "2026-11-29T21:40:05");
	assert_true(import_start(im) && import_frame(im));
	const struct assay_variable *counts = host_find(im->host, "counts"),
				    *energy = host_find(im->host, "energy");
	static const double values[] = {0, 1, 70000, 3, 4};
	assert_int_equal(counts->type, ASSAY_U32);
	assert_int_equal(counts->count, 5);
	for (size_t i = 0; i < 5; i++)
		assert_true(host_element(counts, i) == values[i]);
	assert_true(energy->start == -0.01 && energy->step == 0.02);
	assert_true(host_find(im->host, "live_time")->real == 58);
	assert_true(host_find(im->host, "real_time")->real == 60.5);
	assert_false(import_frame(im));
	import_destroy(im);
	import_cut(
		&format_spe, "xrf", "a.spe", (const uint8_t *)text, strlen(text), strlen(text), 0);
}

static void test_calibrations(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		double first, last; /* of the energies; both 0: channels */
	} cases[] = {
		{HEAD "$ENER_FIT:\n1 2\n" DATA, 1, 9},
		{HEAD "$ENER_FIT:\n1 2\n$MCA_CAL:\n3\n1 2 0.5\n" DATA, 1, 17},
		{HEAD "$MCA_CAL:\n2\n1 2\n$DATA:\n10 12\n1\n2\n3\n", 21, 25},
		{HEAD DATA "$MCA_CAL:\n2\n1 2\n", 1, 9},
		{HEAD "$MCA_CAL:\n3\n1 2 0 MeV\n" DATA, 0, 0},
		{HEAD "$MCA_CAL:\n9\n1 2 3 4 5 6 7 8 9\n" DATA, 0, 0},
		{HEAD "$MCA_CAL:\n2\n0 0\n" DATA, 0, 0},
		{HEAD "$MCA_CAL:\n2\n0 x\n" DATA, 0, 0},
		{HEAD DATA, 0, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct import *im = of(cases[i].text, strlen(cases[i].text));
		assert_true(import_start(im) && import_frame(im));
		const struct assay_variable *e = host_find(im->host, "energy");
		assert_int_equal(e != NULL, cases[i].last != 0);
		if (e != NULL) {
			bool is_even = e->type == ASSAY_LINEAR;
			assert_true((is_even ? e->start : host_element(e, 0)) == cases[i].first);
			assert_true((is_even ? e->start + e->step * (double)(e->count - 1)
					     : host_element(e, e->count - 1)) == cases[i].last);
		}
		import_destroy(im);
	}
}

static void test_what_is_not_whole(void **state)
{
	(void)state;
	char hole[] = HEAD DATA;
	memset(strstr(hole, "70000"), 0, 2); /* between bytes that are there */
	struct import *im = of(hole, strlen(HEAD DATA));
	assert_int_equal(import_look(im, &format_spe), FORMAT_INCOMPLETE);
	import_destroy(im);
	assert_int_equal(look(HEAD "$DATA:\n0 1\n1\n2\n3\n"), FORMAT_DAMAGED);
	assert_int_equal(look(HEAD "$DATA:\n0 1\n1\nx\n"), FORMAT_DAMAGED);
	assert_int_equal(look(HEAD "$DATA:\n5 1\n1\n2\n3\n"), FORMAT_DAMAGED);
	assert_int_equal(look(HEAD "$DATA:\n0 4294967295\n1\n"), FORMAT_DAMAGED);
	assert_int_equal(look(HEAD "$DATA:\n0 1\n1\n2"), FORMAT_INCOMPLETE); /* of 25? */
	assert_int_equal(look(HEAD), FORMAT_INCOMPLETE);
	assert_int_equal(look("\x24\x01\x02\x03:"), FORMAT_FOREIGN);
}

static void test_sample(void **state)
{
	(void)state;
	size_t len;
	uint8_t *data = import_sample("files/export/y.spe", &len);
	if (data == NULL)
		skip();
	struct import *im = of((const char *)data, len);
	assert_int_equal(import_look(im, &format_spe), FORMAT_WHOLE);
	assert_string_equal(im->facts.title, "24-0815");
	assert_string_equal(im->facts.acquired, "2026-11-29T21:40:00");
	assert_true(import_start(im) && import_frame(im));
	const struct assay_variable *counts = host_find(im->host, "counts");
	static const double values[] = {0, 1, 2, 30, 400, 30, 2, 1, 0, 5, 6, 7};
	assert_int_equal(counts->count, 12);
	for (size_t i = 0; i < 12; i++)
		assert_true(host_element(counts, i) == values[i]);
	assert_true(host_find(im->host, "energy")->start == -0.01 &&
		    host_find(im->host, "energy")->step == 0.02);
	import_destroy(im);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_calibrations),
		cmocka_unit_test(test_what_is_not_whole),
		cmocka_unit_test(test_sample),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
