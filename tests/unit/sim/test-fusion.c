/* SPDX-License-Identifier: Apache-2.0 */
/* States, runs and their data of the gas chromatograph. */
#include <math.h>

#include "bench.h"
#include "fusion/fusion.h"

#define MANAGER "/v1/scm/sessions/system-manager"
#define LOAD    MANAGER "!cmd.loadMethod?methodLocation=/v1/methods/userMethods/"

#define start(b, ...) \
	bench_start(b, &fusion_model, SIM_TCP, NULL, (const char *const[]){__VA_ARGS__, NULL})

static const char *get(struct bench *b, const char *url)
{
	assert_int_equal(send_http(b, "GET", url, NULL), 200);
	return (const char *)b->sent;
}

static void expect_state(struct bench *b, const char *state)
{
	char want[96];
	snprintf(want, sizeof want, "[\"public:sequence-not-loaded\",\"public:%s\"]", state);
	assert_string_equal(get(b, MANAGER "/publicConfiguration"), want);
}

/* The last run; owned. */
static json_t *last_run(struct bench *b)
{
	char location[64];
	assert_int_equal(
		sscanf(get(b, "/v1/lastRun"), "{\"dataLocation\":\"%63[^\"]\"}", location), 1);
	assert_int_equal(strncmp(location, "/runData/", 9), 0);
	assert_int_equal(strlen(location), 9 + 36);
	json_t *run = json_loads(get(b, location), 0, NULL);
	assert_non_null(run);
	return run;
}

static void run_goes_through_the_states(void **state)
{
	struct bench b;
	start(&b, "rate", "5");
	expect_state(&b, "ready");
	get(&b, LOAD "NaturalGas");
	expect_state(&b, "loading-method");
	assert_int_equal(send_http(&b, "GET", MANAGER "!cmd.run", NULL), 500);
	wait_until(&b, b.now + 30 * S);
	expect_state(&b, "ready");
	assert_string_equal(
		get(&b, MANAGER "!cmd.run?runWhenReady=true"), "{\"runWhenReady\":\"true\"}");
	expect_state(&b, "preparing");
	wait_until(&b, b.now + 28 * S);
	expect_state(&b, "method-running");
	assert_int_equal(send_http(&b, "GET", MANAGER "!cmd.run?runWhenReady=true", NULL), 500);
	assert_int_equal(send_http(&b, "GET", "/v1/lastRun", NULL), 404);
	wait_until(&b, b.now + 300 * S);
	expect_state(&b, "preparing");
	json_decref(last_run(&b));
	wait_until(&b, b.now + 126 * S);
	expect_state(&b, "ready"); /* 454 s after the start */
	bench_stop(&b);
}

static const json_t *detector(const json_t *run, const char *name)
{
	return json_object_get(json_object_get(run, "detectors"), name);
}

static void data_have_trace_and_peaks_that_agree(void **state)
{
	struct bench b;
	start(&b, "rate", "10", "noise", "0");
	get(&b, LOAD "Air");
	wait_until(&b, b.now + 30 * S);
	const char body[] = "{\"runWhenReady\":true,\"annotations\":{\"name\":\"S 1\","
			    "\"tags\":[\"a\"]}}";
	assert_int_equal(send_http(&b, "POST", MANAGER "!cmd.run", body), 200);
	wait_until(&b, b.now + 400 * S);
	json_t *run = last_run(&b);
	assert_string_equal(json_string_value(json_object_get(run, "methodName")), "Air");
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(run, "annotations"), "name")),
		"S 1");
	const json_t *tcd = detector(run, "moduleA:tcd");
	const json_t *values = json_object_get(tcd, "values");
	assert_int_equal(json_integer_value(json_object_get(tcd, "nValuesExpected")), 3000);
	assert_int_equal(json_array_size(values), 3000);
	const json_t *peaks = json_object_get(json_object_get(tcd, "analysis"), "peaks");
	const json_t *nitrogen = json_array_get(peaks, 1);
	assert_string_equal(json_string_value(json_object_get(nitrogen, "label")), "nitrogen");
	double top = json_real_value(json_object_get(nitrogen, "top")), area = 0;
	double from = json_real_value(json_object_get(nitrogen, "start"));
	double until = json_real_value(json_object_get(nitrogen, "end"));
	json_int_t highest = 0;
	for (int i = (int)(from * 10); i <= (int)(until * 10); i++) {
		json_int_t v = json_integer_value(json_array_get(values, (size_t)i));
		highest = v > highest ? v : highest;
		area += ((double)v - 1502) / 10;
	}
	assert_int_equal(json_integer_value(json_array_get(values, (size_t)(top * 10))), highest);
	assert_true(fabs(area / json_real_value(json_object_get(nitrogen, "area")) - 1) < 0.01);
	json_decref(run);
	bench_stop(&b);
}

static void peak_without_a_name_has_no_label(void **state)
{
	struct bench b;
	start(&b, "rate", "1", "run", "10");
	get(&b, LOAD "NaturalGas");
	wait_until(&b, b.now + 30 * S);
	get(&b, MANAGER "!cmd.run?runWhenReady=true");
	wait_until(&b, b.now + 60 * S);
	json_t *run = last_run(&b);
	const json_t *peaks = json_object_get(
		json_object_get(detector(run, "moduleB:tcd"), "analysis"), "peaks");
	assert_int_equal(json_array_size(peaks), 4);
	assert_null(json_object_get(json_array_get(peaks, 2), "label"));
	json_decref(run);
	get(&b, MANAGER "!cmd.run?runWhenReady=true"); /* it waits until it is ready */
	wait_until(&b, b.now + 300 * S);
	json_t *all = json_loads(get(&b, "/runData?limit=1&sortByDate=DESC&allData=True"), 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(all, "totalCount")), 2);
	assert_int_equal(json_array_size(json_object_get(all, "runs")), 1);
	json_decref(all);
	bench_stop(&b);
}

static void abort_leaves_no_run(void **state)
{
	struct bench b;
	start(&b, "rate", "1");
	get(&b, LOAD "Air");
	wait_until(&b, b.now + 30 * S);
	get(&b, MANAGER "!cmd.run?runWhenReady=true");
	wait_until(&b, b.now + 60 * S);
	get(&b, MANAGER "!cmd.abort");
	expect_state(&b, "preparing");
	wait_until(&b, b.now + 500 * S);
	expect_state(&b, "ready");
	assert_int_equal(send_http(&b, "GET", "/v1/lastRun", NULL), 404);
	bench_stop(&b);
}

static void run_may_fail(void **state)
{
	struct bench b;
	start(&b, "run-fails", "error-carrier-gas-pressure");
	get(&b, LOAD "Air");
	wait_until(&b, b.now + 30 * S);
	get(&b, MANAGER "!cmd.run?runWhenReady=true");
	wait_until(&b, b.now + 30 * S);
	expect_state(&b, "error-carrier-gas-pressure");
	assert_int_equal(send_http(&b, "GET", MANAGER "!cmd.run?runWhenReady=true", NULL), 500);
	bench_stop(&b);
}

static void wrong_requests_are_refused(void **state)
{
	static const struct {
		const char *method, *url, *body;
		unsigned status;
	} cases[] = {{"GET", "/v1/methods", NULL, 500}, {"GET", "/nowhere", NULL, 404},
		{"GET", MANAGER "!cmd.run?runWhenReady=true", NULL, 500},
		{"GET", LOAD "Nothing", NULL, 500}, {"GET", MANAGER "!cmd.loadMethod", NULL, 500},
		{"GET", MANAGER "!cmd.foo", NULL, 500}, {"GET", "/runData/x", NULL, 404},
		{"GET", MANAGER "!cmd.bakeout", NULL, 500}, {"POST", "/v1/lastRun", NULL, 405},
		{"POST", MANAGER "!cmd.run", "{", 500}, {"POST", MANAGER "!cmd.run", "[]", 500},
		{"POST", MANAGER "!cmd.run", "{\"runWhenReady\":1}", 500},
		{"DELETE", "/v1/runData/x", NULL, 405}, {"PUT", "/v1/runData/x", "{}", 405},
		{"PUT", "/networkConfig/date", "tomorrow", 500},
		{"GET", "/fpgaManager/fpga3/det/core/0/data", NULL, 404}};
	struct bench b;
	start(&b, "rate", "1");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_int_equal(send_http(&b, cases[i].method, cases[i].url, cases[i].body),
			cases[i].status);
	expect_state(&b, "ready");
	b.faults.strength[FAULT_BUSY] = 1;
	assert_int_equal(send_http(&b, "GET", "/v1/lastRun", NULL), 503);
	bench_stop(&b);
}

static void identity_clock_and_live_signal(void **state)
{
	struct bench b;
	unsigned bits;
	float value;
	start(&b, "live", "hex", "rate", "1", "run", "10");
	assert_string_equal(get(&b, "/system/systemInfo/systemSerialNumber"), "\"9990700\"");
	assert_string_equal(get(&b, "/system/systemSpec/numberOfModules"), "1");
	assert_int_equal(
		sscanf(get(&b, "/fpgaManager/fpga1/det/core/0/data"), "\"0x%8X\"", &bits), 1);
	memcpy(&value, &bits, sizeof value);
	assert_true(fabs(value - 0.015) < 1e-6);
	assert_int_equal(send_http(&b, "PUT", "/networkConfig/date", "1767225600"), 200);
	get(&b, LOAD "Air");
	get(&b, MANAGER "!cmd.run?runWhenReady=true");
	wait_until(&b, b.now + 100 * S);
	json_t *run = last_run(&b);
	assert_string_equal(json_string_value(json_object_get(run, "runTimeStamp")),
		"2026-01-01T00:00:29.000Z");
	json_decref(run);
	b.faults.strength[FAULT_WRONG_IDENTITY] = 1;
	assert_string_equal(get(&b, "/system/systemInfo/systemSerialNumber"), "\"9990701\"");
	bench_stop(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(run_goes_through_the_states),
		cmocka_unit_test(data_have_trace_and_peaks_that_agree),
		cmocka_unit_test(peak_without_a_name_has_no_label),
		cmocka_unit_test(abort_leaves_no_run),
		cmocka_unit_test(run_may_fail),
		cmocka_unit_test(wrong_requests_are_refused),
		cmocka_unit_test(identity_clock_and_live_signal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
