/* SPDX-License-Identifier: Apache-2.0 */
/* Targets, control, emission and scans of the analyser's web interface. */
#include <math.h>

#include "bench.h"
#include "prismapro/prismapro.h"

#define start(b, ...) \
	bench_start(b, &prismapro_model, SIM_TCP, NULL, (const char *const[]){__VA_ARGS__, NULL})

static const char *get(struct bench *b, const char *path)
{
	char url[256];
	snprintf(url, sizeof url, "/mmsp/%s", path);
	assert_int_equal(send_http(b, "GET", url, NULL), 200);
	return (const char *)b->sent;
}

static void set(struct bench *b, const char *path)
{
	assert_int_equal(strncmp(get(b, path), "{\"name\":\"wasSet\",", 17), 0);
}

static void fails(struct bench *b, const char *path, const char *id)
{
	char part[64];
	assert_int_equal(strncmp(get(b, path), "{\"name\":\"error\",", 16), 0);
	snprintf(part, sizeof part, "\"id\":\"%s\"", id);
	assert_non_null(strstr((const char *)b->sent, part));
}

static uint32_t status(struct bench *b)
{
	const char *data = strstr(get(b, "status/systemStatus/get"), "\"data\":");
	return (uint32_t)strtoul(data + 7, NULL, 10);
}

static void scan_has_the_form_of_the_real_reply(void **state)
{
	struct bench b;
	start(&b, "serial", "9990601");
	assert_string_equal(get(&b, "electronicsInfo/serialNumber/get"),
		"{\"name\":\"got\",\"origin\":\"/mmsp/electronicsInfo/serialNumber\","
		"\"data\":\"09990601\"}");
	set(&b, "communication/control/set?force");
	set(&b, "generalControl/setEmission/set?On");
	wait_until(&b, 5 * S);
	set(&b, "scanSetup/channels/1/set?channelMode=Sweep&startMass=0&stopMass=30&dwell=32&"
		"ppamu=4&enabled=True");
	set(&b, "scanSetup/set?startChannel=1&stopChannel=1&scanCount=1&scanInterval=0");
	set(&b, "scanSetup/scanStart/set?1");
	wait_until(&b, b.now + 121 * 32 * MS);
	const char *text = get(&b, "measurement/scans/-1/get"), *at;
	assert_non_null(strstr(text, "\"origin\":\"/mmsp/measurement/scans/-1\",\"data\":{"));
	assert_non_null(strstr(text, "\"scannum\":            1,\"scansize\":          121,"));
	at = strstr(text, "\"values\":[") + 10;
	int n = 0;
	double value = 0, water = 0;
	for (char *next; *at != ']'; n++) {
		value = strtod(at, &next);
		assert_int_equal(next - at, 13);
		water = n == 72 ? value : water;
		at = *next == ',' ? next + 1 : next;
	}
	assert_int_equal(n, 121);
	assert_true(fabs(water / (2.75e-7 * 1e-4) - 1) < 0.02);
	assert_non_null(strstr(text, "]}}"));
	assert_false(status(&b) & 2);
	bench_stop(&b);
}

static void status_follows_the_emission(void **state)
{
	struct bench b;
	start(&b, "errors", "2147483648");
	assert_int_equal(status(&b) & 1, 1);
	assert_int_equal(status(&b) & 1, 0);
	set(&b, "communication/control/set?request");
	fails(&b, "generalControl/setEM/set?On", "interlockEmisRequired");
	set(&b, "GeneralControl/SetEmission/set?on");
	assert_int_equal(status(&b) >> 28 & 0xF, 1);
	fails(&b, "generalControl/setEM/set?On", "interlockEmisRequired");
	wait_until(&b, 4 * S);
	assert_int_equal(status(&b) >> 28 & 0xF, 8);
	set(&b, "generalControl/setEM/set?On");
	assert_true(status(&b) & 1u << 23);
	set(&b, "generalControl/setEmission/set?Off");
	assert_false(status(&b) & 1u << 23);
	assert_non_null(strstr(get(&b, "status/hardwareErrors/get"), "\"data\":   2147483648}"));
	set(&b, "status/hardwareErrors/set?2147483648");
	assert_non_null(strstr(get(&b, "status/hardwareErrors/get"), "\"data\":            0}"));
	bench_stop(&b);
}

static void control_is_needed_and_ends_with_the_session(void **state)
{
	struct bench b;
	start(&b, "masses", "100");
	fails(&b, "generalControl/setEmission/set?On", "notInControl");
	set(&b, "communication/control/set?force");
	assert_non_null(strstr(get(&b, "communication/amInControl/get"), "\"data\":true}"));
	b.now += 59 * S;
	set(&b, "communication/clientName/set?assayd");
	b.now += 61 * S;
	fails(&b, "generalControl/setEmission/set?On", "notInControl");
	b.faults.strength[FAULT_SHARE] = 1;
	fails(&b, "communication/control/set?request", "controlLocked");
	set(&b, "communication/control/set?force");
	set(&b, "communication/control/set?release");
	fails(&b, "generalControl/setEmission/set?On", "notInControl");
	bench_stop(&b);
}

static void next_scan_gives_each_scan_once(void **state)
{
	struct bench b;
	start(&b, "masses", "100");
	set(&b, "communication/control/set?force");
	set(&b, "scanSetup/channels/2/set?channelMode=Single&startMass=18&dwell=64&enabled=True");
	set(&b, "scanSetup/channel/3/set?channelMode=TotalPressure&dwell=64&enabled=1");
	set(&b, "scanSetup/channels/set?@channel=4&channelMode=Timestamp&dwell=1&enabled=1");
	set(&b, "scanSetup/set?startChannel=1&stopChannel=4&scanCount=-1&scanInterval=1000");
	set(&b, "scanSetup/scanStart/set?1");
	assert_true(status(&b) & 2);
	fails(&b, "scanSetup/scanStart/set?1", "scanActive");
	fails(&b, "scanSetup/channels/2/set?dwell=32", "scanActive");
	assert_non_null(strstr(get(&b, "measurement/nextScan/get"), "\"values\":[]"));
	wait_until(&b, 2500 * MS);
	assert_non_null(strstr(get(&b, "measurement/nextScan/get"),
		"\"scannum\":            1,\"scansize\":            3,"));
	assert_non_null(strstr(get(&b, "measurement/nextScan/get"), "\"scannum\":            2,"));
	assert_non_null(strstr(get(&b, "measurement/nextScan/get"), "\"scannum\":            3,"));
	assert_non_null(strstr(get(&b, "measurement/nextScan/get"), "\"values\":[]"));
	set(&b, "scanSetup/scanStop/set?0");
	wait_until(&b, 4 * S);
	assert_false(status(&b) & 2);
	assert_non_null(strstr(get(&b, "measurement/scans/4/get"), "\"scannum\":            4,"));
	fails(&b, "measurement/scans/5/get", "badElement");
	bench_stop(&b);
}

static void wrong_requests_are_refused(void **state)
{
	static const char *const wrong[] = {"scanSetup/channels/1/set?dwell=33",
		"scanSetup/channels/1/set?dwell=32768", "scanSetup/channels/1/set?ppamu=3",
		"scanSetup/channels/1/set?startMass=10.001",
		"scanSetup/channels/1/set?stopMass=101",
		"scanSetup/channels/1/set?startMass=60&stopMass=50",
		"scanSetup/channels/1/set?foo=1", "scanSetup/channels/1/set",
		"scanSetup/channels/1/set?channelMode=Foo", "scanSetup/set?scanCount=0",
		"scanSetup/set?scanCount=1001", "scanSetup/set?startChannel=3&stopChannel=2",
		"scanSetup/scanStart/set?2", "scanSetup/scanStart/set?1",
		"generalControl/setEmission/set?maybe", "scanSetup/scanStop/set?x"};
	struct bench b;
	start(&b, "masses", "100");
	set(&b, "communication/control/set?force");
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		fails(&b, wrong[i], "badValue");
	fails(&b, "scanSetup/channels/17/set?dwell=32", "badElement");
	fails(&b, "foo/get", "badPath");
	fails(&b, "scanSetup/channels/1", "badPath");
	fails(&b, "measurement/scans/-1/set?1", "badPath");
	assert_int_equal(send_http(&b, "POST", "/mmsp/scanSetup/get", NULL), 200);
	assert_non_null(strstr((const char *)b.sent, "badPath"));
	b.faults.strength[FAULT_BUSY] = 1;
	fails(&b, "status/systemStatus/get", "busy");
	bench_stop(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scan_has_the_form_of_the_real_reply),
		cmocka_unit_test(status_follows_the_emission),
		cmocka_unit_test(control_is_needed_and_ends_with_the_session),
		cmocka_unit_test(next_scan_gives_each_scan_once),
		cmocka_unit_test(wrong_requests_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
