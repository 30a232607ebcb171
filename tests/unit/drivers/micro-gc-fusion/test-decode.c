/* SPDX-License-Identifier: Apache-2.0 */
/* Frames from runs in the form of published files; facts by the test's own reading. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host.h"

extern const struct assay_driver *const assay_driver;

#define METHANE                                                                                    \
	"{\"label\":\"methane\",\"top\":12.5,\"start\":11,\"end\":14,\"area\":98765.4,\"height\":" \
	"123,"                                                                                     \
	"\"concentration\":89.5,\"normalizedConcentration\":90.1,\"snr\":55}"
#define UNKNOWN "{\"top\":20.25,\"start\":19.5,\"end\":21,\"area\":4,\"height\":2}"
#define ETHANE  "{\"label\":\"ethane\",\"top\":3,\"area\":7,\"concentration\":1.25}"

/* Module B first: the order of detectors varies from file to file. */
#define RUN(b, a)                                                                                  \
	"{\"$id\":\"ea9d0e98-c254\",\"runTimeStamp\":\"2026-11-30T10:00:00.000Z\",\"methodName\":" \
	"\"NatGas\",\"softwareVersion\":{\"version\":\"1.9\"},\"detectors\":{\"moduleB:tcd\":" b   \
	",\"moduleA:tcd\":" a "}}"
#define DETECTOR(rate, expected, values, peaks)                                               \
	"{\"nValuesPerSecond\":" rate ",\"nValuesExpected\":" expected ",\"values\":[" values \
	"],\"analysis\":{\"peaks\":[" peaks "]}}"
#define B DETECTOR("50", "3", "1,2.5,-3", ETHANE)
#define A DETECTOR("50", "3", "10,20,30", METHANE "," UNKNOWN)

static int setup(void **state)
{
	*state = host_create(assay_driver, ASSAY_LINK_HTTP);
	return 0;
}

static int teardown(void **state)
{
	host_destroy(*state);
	return 0;
}

static int decode(struct host *h, const char *text)
{
	struct assay_bytes raw = {.media = "application/json",
		.name = "run",
		.data = (const uint8_t *)text,
		.len = strlen(text)};
	host_reset(h);
	return host_decode_bytes(h, &raw, 1, NULL, 0);
}

/* The variable of that name and channel. */
static const struct assay_variable *find(
	const struct host *h, const char *name, const char *channel)
{
	for (size_t i = 0; i < h->frame.var_count; i++) {
		const struct assay_variable *v = &h->frame.vars[i].v;
		if (strcmp(v->name, name) == 0 && v->channel != NULL &&
			strcmp(v->channel, channel) == 0)
			return v;
	}
	fail_msg("no %s of %s", name, channel);
	return NULL;
}

static void a_run_has_traces_and_a_table(void **state)
{
	static const char *const columns[] = {"retention_time", "peak_start", "peak_end",
		"peak_area", "peak_height", "concentration", "normalized_concentration",
		"signal_to_noise"};
	/* Of methane, the unknown one, ethane; -1: none. */
	static const double wanted[][3] = {{12.5, 20.25, 3}, {11, 19.5, -1}, {14, 21, -1},
		{98765.4, 4, 7}, {123, 2, -1}, {89.5, -1, 1.25}, {90.1, -1, -1}, {55, -1, -1}};
	struct host *h = *state;
	assert_int_equal(decode(h, RUN(B, A)), 0);
	assert_int_equal(h->frame.kind, ASSAY_CHROMATOGRAM);
	assert_int_equal(h->frame.flag, ASSAY_UNCHECKED);
	assert_string_equal(h->frame.device_time, "2026-11-30T10:00:00.000Z");
	const struct assay_variable *time = host_find(h, "time");
	assert_true(time->start == 0 && time->step == 0.02 && time->count == 3);
	assert_string_equal(time->unit, "s");
	assert_true(host_element(find(h, "signal", "moduleA:tcd"), 2) == 30);
	assert_true(host_element(find(h, "signal", "moduleB:tcd"), 1) == 2.5);
	assert_string_equal(find(h, "signal", "moduleB:tcd")->dims[0], "time");
	const struct assay_variable *peak = host_find(h, "peak");
	assert_true(peak->start == 1 && peak->step == 1 && peak->count == 3);
	const struct assay_variable *names = host_find(h, "peak_name");
	assert_string_equal(names->texts[0], "methane");
	assert_string_equal(names->texts[1], "");
	assert_string_equal(names->texts[2], "ethane");
	const struct assay_variable *detectors = host_find(h, "peak_detector");
	assert_string_equal(detectors->texts[1], "moduleA:tcd");
	assert_string_equal(detectors->texts[2], "moduleB:tcd");
	for (size_t i = 0; i < 8; i++)
		for (size_t k = 0; k < 3; k++) {
			double value = host_element(host_find(h, columns[i]), k);
			assert_true(wanted[i][k] < 0 ? isnan(value) : value == wanted[i][k]);
		}
	assert_string_equal(host_find(h, "retention_time")->unit, "s");
	assert_string_equal(host_find(h, "concentration")->unit, "%");
	host_set(h, "concentration_unit", "umol/mol");
	assert_int_equal(decode(h, RUN(B, A)), 0);
	assert_string_equal(host_find(h, "concentration")->unit, "umol/mol");
	assert_string_equal(host_find(h, "normalized_concentration")->unit, "%");
}

static const char *setting(const struct host *h, const char *name)
{
	for (size_t i = 0; i < h->frame.setting_count; i++)
		if (strcmp(h->frame.settings[i].said, name) == 0)
			return h->frame.settings[i].v.text;
	return NULL;
}

static void the_run_is_named(void **state)
{
	struct host *h = *state;
	assert_int_equal(decode(h, RUN(B, A)), 0);
	assert_string_equal(setting(h, "method"), "NatGas");
	assert_string_equal(setting(h, "run_id"), "ea9d0e98-c254");
	assert_string_equal(setting(h, "software_version"), "1.9");
	/* Without any of it there are data all the same. */
	assert_int_equal(decode(h, "{\"detectors\":{\"a\":" A "}}"), 0);
	assert_null(setting(h, "method"));
	assert_null(h->frame.device_time);
}

static void detectors_that_differ_have_axes_of_their_own(void **state)
{
	struct host *h = *state;
	assert_int_equal(
		decode(h, RUN(DETECTOR("20", "2", "1,2", ""), DETECTOR("50", "3", "1,2,3", ""))),
		0);
	assert_string_equal(find(h, "signal", "moduleA:tcd")->dims[0], "time");
	assert_string_equal(find(h, "signal", "moduleB:tcd")->dims[0], "time_2");
	assert_true(host_find(h, "time_2")->step == 0.05);
	/* No peak was found. */
	assert_null(host_find(h, "peak"));
	assert_int_equal(h->frame.flag, ASSAY_UNCHECKED);
}

static void runs_that_are_not_whole_are_suspect(void **state)
{
	static const struct {
		const char *text, *reason;
	} rows[] = {
		{RUN(DETECTOR("50", "4", "1,2,3", ""), A), "truncated"},
		{RUN(DETECTOR("50", "2", "1,2,3", ""), A), "malformed"},
		{RUN("{\"nValuesPerSecond\":50,\"nValuesExpected\":1,\"values\":[1]}", A),
			"not-processed"},
		{RUN("{\"nValuesPerSecond\":50,\"nValuesExpected\":1,\"values\":[1],\"analysis\":{}"
		     "}",
			 A),
			"not-processed"},
	};
	struct host *h = *state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(decode(h, rows[i].text), 0);
		assert_int_equal(h->frame.flag, ASSAY_SUSPECT);
		assert_true(host_has_reason(h, rows[i].reason));
	}
}

static void other_bytes_are_refused(void **state)
{
	static const char *const texts[] = {"", "null", "[]", "5", "{}", "{\"detectors\":{}}",
		"{\"detectors\":[]}", "{\"detectors\":{\"a\":5}}", "{\"detectors\":{\"\":" A "}}",
		"{\"detectors\":{\"a\":" A ",\"a\":" A "}}", "{\"detectors\":{\"a\":" A "}} x",
		"{\"detectors\":{\"a\":" DETECTOR("0", "1", "1", "") "}}",
		"{\"detectors\":{\"a\":" DETECTOR("-5", "1", "1", "") "}}",
		"{\"detectors\":{\"a\":" DETECTOR("1e9", "1", "1", "") "}}",
		"{\"detectors\":{\"a\":" DETECTOR("\"50\"", "1", "1", "") "}}",
		"{\"detectors\":{\"a\":" DETECTOR("50", "-1", "1", "") "}}",
		"{\"detectors\":{\"a\":" DETECTOR("50", "1.0", "1", "") "}}",
		"{\"detectors\":{\"a\":" DETECTOR("50", "1", "", "") "}}",
		"{\"detectors\":{\"a\":" DETECTOR("50", "1", "null", "") "}}",
		"{\"detectors\":{\"a\":" DETECTOR("50", "1", "NaN", "") "}}",
		"{\"detectors\":{\"a\":" DETECTOR("50", "1", "1e999", "") "}}",
		"{\"detectors\":{\"a\":" DETECTOR("50", "1", "1", "5") "}}",
		"{\"detectors\":{\"a\":{\"nValuesPerSecond\":5,\"nValuesExpected\":1,\"values\":[1]"
		","
		"\"analysis\":{\"peaks\":5}}}}",
		"{\"detectors\":{\"1\":" A ",\"2\":" A ",\"3\":" A ",\"4\":" A ",\"5\":" A
		",\"6\":" A ",\"7\":" A ",\"8\":" A ",\"9\":" A "}}"};
	struct host *h = *state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (decode(h, texts[i]) != -EBADMSG)
			fail_msg("accepted: %s", texts[i]);
}

/* A text that is no name is left out, and a value that is no number is none. */
static void odd_members_of_a_peak_are_left_out(void **state)
{
	static char text[2000], label[400];
	struct host *h = *state;
	memset(label, 'x', sizeof(label) - 1);
	snprintf(text, sizeof(text),
		"{\"detectors\":{\"a\":{\"nValuesPerSecond\":5,\"nValuesExpected\":1,\"values\":[1]"
		","
		"\"analysis\":{\"peaks\":[{\"label\":\"%s\",\"top\":\"5\",\"area\":2}]}}}}",
		label);
	assert_int_equal(decode(h, text), 0);
	assert_string_equal(host_find(h, "peak_name")->texts[0], "");
	assert_null(host_find(h, "retention_time"));
	assert_true(host_element(host_find(h, "peak_area"), 0) == 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_run_has_traces_and_a_table),
		TEST(the_run_is_named),
		TEST(detectors_that_differ_have_axes_of_their_own),
		TEST(runs_that_are_not_whole_are_suspect),
		TEST(other_bytes_are_refused),
		TEST(odd_members_of_a_peak_are_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
