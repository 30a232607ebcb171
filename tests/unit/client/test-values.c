/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <assay/client.h>

#include "examples.h"

static struct buffer bytes;

static struct assay_frame_view read_frame(const char *name)
{
	struct assay_entry_view entry;
	struct assay_frame_view frame;
	for (size_t i = 0; i < examples_count; i++) {
		if (strcmp(examples[i].name, name) != 0)
			continue;
		buffer_reset(&bytes);
		examples[i].build(&bytes);
		assert_int_equal(assay_entry_read(bytes.data, bytes.len, &entry), 0);
		assert_int_equal(assay_frame_read(entry.body.data, entry.body.len, &frame), 0);
		return frame;
	}
	fail_msg("no example %s", name);
	return (struct assay_frame_view){0};
}

static int finish(void **state)
{
	buffer_finish(&bytes);
	return 0;
}

static void an_axis_is_found_by_dimension(void **state)
{
	struct assay_frame_view frame = read_frame("frame-spectrum-nd");
	struct assay_var_view var, axis;
	assert_int_equal(assay_frame_find(&frame, "single_beam", &var), 0);
	assert_int_equal(assay_client_axis(&frame, &var, 0, &axis), 0);
	assert_true(assay_string_is(axis.name, "delay"));
	assert_int_equal(assay_client_axis(&frame, &var, 1, &axis), 0);
	assert_true(assay_string_is(axis.unit, "nm"));
	double values[3];
	assert_int_equal(assay_client_doubles(&axis, values, 3), 3);
	assert_float_equal(values[1], 903.5, 0);
	assert_int_equal(assay_client_axis(&frame, &var, 2, &axis), -ENOENT);
}

static void an_array_is_given_in_place(void **state)
{
	struct assay_frame_view frame = read_frame("frame-spectrum-typed");
	struct assay_var_view var;
	assert_int_equal(assay_frame_find(&frame, "absorbance", &var), 0);
	const uint8_t *at = assay_client_array(&var, var.element);
	assert_true(at > bytes.data && at + var.data.len <= bytes.data + bytes.len);
	enum assay_element other = var.element == ASSAY_ELEMENT_U8 ? ASSAY_ELEMENT_I8
								   : ASSAY_ELEMENT_U8;
	assert_null(assay_client_array(&var, other));
	double values[3];
	assert_int_equal(assay_client_doubles(&var, values, 3), 3);
	assert_float_equal(values[1], assay_var_number(&var, 1), 0);
}

static struct assay_var_view integer(int64_t i)
{
	return (struct assay_var_view){.form = ASSAY_FORM_INT, .count = 1, .i = i};
}

static void nothing_is_converted_with_loss(void **state)
{
	struct assay_var_view var = {.form = ASSAY_FORM_UINT, .count = 1, .u = UINT64_MAX};
	double d = 0;
	int64_t i = 0;
	assert_int_equal(assay_client_double(&var, 0, &d), -ERANGE);
	assert_int_equal(assay_client_int(&var, 0, &i), -ERANGE);
	var.u = UINT64_C(1) << 63;
	assert_int_equal(assay_client_double(&var, 0, &d), 0);
	assert_float_equal(d, 0x1p63, 0);
	var = integer((INT64_C(1) << 53) + 1);
	assert_int_equal(assay_client_double(&var, 0, &d), -ERANGE);
	assert_int_equal(assay_client_int(&var, 0, &i), 0);
	assert_int_equal(i, (INT64_C(1) << 53) + 1);
	var = integer(INT64_MIN);
	assert_int_equal(assay_client_int(&var, 0, &i), 0);
	assert_true(i == INT64_MIN);
	assert_int_equal(assay_client_double(&var, 0, &d), 0);
	assert_float_equal(d, -0x1p63, 0);
	assert_int_equal(assay_client_double(&var, 1, &d), -EDOM);
	var = (struct assay_var_view){.form = ASSAY_FORM_FLOAT, .count = 1, .f = 2};
	assert_int_equal(assay_client_int(&var, 0, &i), -EDOM);
	var = (struct assay_var_view){.form = ASSAY_FORM_TEXT, .count = 1, .text = {"7", 1}};
	assert_int_equal(assay_client_double(&var, 0, &d), -EDOM);
}

static void assert_text_of(const struct assay_var_view *var, const char *expected)
{
	char text[40];
	assert_int_equal(assay_client_text(var, 0, text, sizeof text), strlen(expected));
	assert_string_equal(text, expected);
}

static void texts_have_all_digits(void **state)
{
	struct assay_var_view var = integer(INT64_MIN);
	char text[4];
	assert_text_of(&var, "-9223372036854775808");
	assert_int_equal(assay_client_text(&var, 0, text, sizeof text), -ENOSPC);
	assert_int_equal(assay_client_text(&var, 1, text, sizeof text), -EDOM);
	var = (struct assay_var_view){.form = ASSAY_FORM_FLOAT, .count = 1, .f = 0.1};
	assert_text_of(&var, "0.1");
	var.element = ASSAY_ELEMENT_F32;
	var.f = (double)11.7112055F;
	assert_text_of(&var, "11.7112055");
	var.f = NAN;
	assert_text_of(&var, "nan");
	var = (struct assay_var_view){
		.form = ASSAY_FORM_LINEAR, .count = 1, .start = 35 * 0.01, .step = 0.01};
	assert_text_of(&var, "0.35");
	static const float third = 1.0F / 3;
	var = (struct assay_var_view){.form = ASSAY_FORM_ARRAY,
		.element = ASSAY_ELEMENT_F32,
		.count = 1,
		.data = {(const uint8_t *)&third, sizeof third}};
	assert_text_of(&var, "0.33333334");
	var = (struct assay_var_view){.form = ASSAY_FORM_TEXT, .count = 1, .text = {"ok\n", 3}};
	assert_text_of(&var, "ok\n");
}

static void a_variable_is_found_or_ambiguous(void **state)
{
	struct assay_frame_view frame = read_frame("frame-scalar");
	struct assay_var_view var;
	assert_int_equal(
		assay_client_variable(&frame, "concentration", NULL, NULL, &var), -ENOTUNIQ);
	assert_int_equal(
		assay_client_variable(&frame, "concentration", "HCl", NULL, &var), -ENOTUNIQ);
	assert_int_equal(assay_client_variable(&frame, "concentration", "HCl", "wet", &var), 0);
	assert_true(assay_string_is(var.basis, "wet") && assay_string_is(var.analyte, "HCl"));
	assert_int_equal(assay_client_variable(&frame, "concentration", "Xe", NULL, &var), -ENOENT);
	assert_int_equal(assay_client_variable(&frame, "nothing", NULL, NULL, &var), -ENOENT);
}

/* Each is rejected by its name; without a client there is no other place for the text. */
static void a_wrong_option_is_named(void **state)
{
	char dir[400];
	memset(dir, 'x', sizeof dir);
	dir[sizeof dir - 1] = '\0';
	static const char *const none[] = {NULL}, *const sim[] = {"a1/sim-data/xrf/"},
				 *const bad[] = {"a1/data/", "xrf-1"};
	const struct assay_client_cursor cursor = {.topic = "a1/data/"};
	struct assay_client_cursor endless;
	memset(&endless, 'a', sizeof endless);
	char deep[104] = "/"; /* of which the live socket has 108 bytes */
	memset(deep + 1, 'd', sizeof deep - 2);
	const size_t size = sizeof(struct assay_client_options);
	const struct {
		struct assay_client_options options;
		const char *name;
	} rows[] = {
		{{.size = 3}, "size"},
		{{.size = size, .dir = dir}, "dir"},
		{{.size = size, .live = dir}, "live"},
		{{.size = size, .replay = dir}, "replay"},
		{{.size = size, .topics = none, .topics_count = 1}, "topics"},
		{{.size = size, .topics = bad, .topics_count = 2}, "topics: found 'xrf-1'"},
		{{.size = size, .topics = sim, .topics_count = 1}, "simulated"},
		{{.size = size, .receive_hwm = -1}, "receive_hwm"},
		{{.size = size, .start = (enum assay_client_start)9}, "start"},
		{{.size = size, .cursor = "Lims"}, "cursor: found 'Lims'"},
		{{.size = size, .cursor = "lims", .cursors = &cursor, .cursors_count = 1},
			"cursor and cursors"},
		{{.size = size, .cursors = &endless, .cursors_count = 1}, "cursors"},
		{{.size = size, .live = "nonsense://x"}, "nonsense://x"},
		{{.size = size, .dir = deep},
			"dir: the path of a socket has at most 107 bytes, this one 108"},
	};
	struct assay_client *client;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_true(assay_client_open(&client, &rows[i].options) < 0);
		assert_non_null(strstr(assay_client_error(NULL), rows[i].name));
	}
	const struct assay_client_options good = {.size = size, .dir = "/nonexistent"};
	assert_int_equal(assay_client_open(&client, &good), 0);
	assert_string_equal(assay_client_error(NULL), "");
	assay_client_close(client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_axis_is_found_by_dimension),
		cmocka_unit_test(a_variable_is_found_or_ambiguous),
		cmocka_unit_test(an_array_is_given_in_place),
		cmocka_unit_test(nothing_is_converted_with_loss),
		cmocka_unit_test(texts_have_all_digits),
		cmocka_unit_test(a_wrong_option_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, finish);
}
