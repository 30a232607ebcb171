/* SPDX-License-Identifier: Apache-2.0 */
/* The slots against a web server that this test plays, by its own reading of the published facts. */
#include <errno.h>
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

#define STATE "/v1/scm/sessions/system-manager/publicConfiguration\n"
#define LOAD \
	"/v1/scm/sessions/system-manager!cmd.loadMethod?methodLocation=/v1/methods/userMethods/"
#define RUN   "/v1/scm/sessions/system-manager!cmd.run?runWhenReady=true\n"
#define ABORT "/v1/scm/sessions/system-manager!cmd.abort\n"
#define LAST  "/v1/lastRun\n"

#define WHOLE                                                                              \
	"{\"methodName\":\"Air\",\"detectors\":{\"moduleA:tcd\":{\"nValuesPerSecond\":20," \
	"\"nValuesExpected\":2,\"values\":[1,2],\"analysis\":{\"peaks\":[]}}}}"
#define PART                                                                               \
	"{\"methodName\":\"Air\",\"detectors\":{\"moduleA:tcd\":{\"nValuesPerSecond\":20," \
	"\"nValuesExpected\":2,\"values\":[1],\"analysis\":{\"peaks\":[]}}}}"
#define OTHER                                                                      \
	"{\"methodName\":\"Other\",\"detectors\":{\"a\":{\"nValuesPerSecond\":20," \
	"\"nValuesExpected\":1,\"values\":[1],\"analysis\":{\"peaks\":[]}}}}"

/* The states come one after the other, the last one again and again. */
struct server {
	struct host *h;
	const char *states[12];
	size_t at;
	const char *last; /* the body for lastRun; NULL: status 404 */
	const char *next; /* that after the command run */
	const char *run;  /* the body of a run */
	int run_status, command_status;
	char log[16384], body[512];
	unsigned requests, fail_at;
	int fail;
};

static const char *serve(struct server *s, const char *path, int *status)
{
	*status = 200;
	if (strstr(path, "publicConfiguration") != NULL) {
		const char *word = s->states[s->at];
		s->at += s->at + 1 < sizeof(s->states) / sizeof(*s->states) &&
			 s->states[s->at + 1] != NULL;
		if (word[0] == '[')
			return word;
		snprintf(s->body, sizeof(s->body), "[\"public:sequence-not-loaded\",\"public:%s\"]",
			word);
		return s->body;
	}
	if (strstr(path, "!cmd.") != NULL) {
		*status = s->command_status;
		s->last = strstr(path, "cmd.run") != NULL && s->next != NULL ? s->next : s->last;
		return s->command_status == 200 ? "{}" : "{\"error\":\"\033no such method\"}";
	}
	if (strcmp(path, "/v1/lastRun") == 0) {
		*status = s->last != NULL ? 200 : 404;
		return s->last != NULL ? s->last : "";
	}
	if (strncmp(path, "/runData/", 9) == 0) {
		*status = s->run_status;
		return s->run;
	}
	return "\"70000001\"";
}

static int reply_to(
	struct host *h, const struct assay_http_request *request, struct assay_http_reply *reply)
{
	struct server *s = h->device_data;
	size_t n = strlen(s->log);
	snprintf(s->log + n, sizeof(s->log) - n, "%s\n", request->path);
	h->now += 20;
	if (++s->requests == s->fail_at) {
		if (s->fail == -ECANCELED || s->fail == -ENODEV)
			h->stuck = s->fail;
		return s->fail;
	}
	const char *body = serve(s, request->path, &reply->status);
	reply->body = (const uint8_t *)body;
	reply->len = strlen(body);
	return 0;
}

#define STATES(s, ...)                                      \
	do {                                                \
		const char *const list[12] = {__VA_ARGS__}; \
		memcpy((s)->states, list, sizeof(list));    \
		(s)->at = 0;                                \
	} while (0)

static int setup(void **state)
{
	struct server *s = calloc(1, sizeof(*s));
	s->h = host_create(assay_driver, ASSAY_LINK_HTTP);
	s->h->http = reply_to;
	s->h->device_data = s;
	s->run = WHOLE;
	s->run_status = s->command_status = 200;
	STATES(s, "ready", "ready", "preparing", "method-running");
	host_set(s->h, "method", "Air");
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct server *s = *state;
	host_destroy(s->h);
	free(s);
	return 0;
}

static void begin_step(struct server *s)
{
	s->log[0] = '\0';
	s->requests = 0;
}

static int start(struct server *s)
{
	begin_step(s);
	return s->h->driver->start(&s->h->ins);
}

static int acquire(struct server *s)
{
	int r;
	begin_step(s);
	host_reset(s->h);
	do
		r = s->h->driver->acquire(&s->h->ins, &s->h->raw.handle);
	while (r == -EAGAIN);
	return r;
}

static int stop(struct server *s)
{
	begin_step(s);
	return s->h->driver->stop(&s->h->ins);
}

/* --- the whole way ---------------------------------------------------------------------------- */

static void a_run_loads_starts_waits_and_fetches(void **state)
{
	struct server *s = *state;
	struct assay_identity id = {.declared = false};
	assert_int_equal(s->h->driver->identify(&s->h->ins, &id), 0);
	assert_string_equal(s->log, "/system/systemInfo/systemSerialNumber\n");
	assert_string_equal(id.serial, "70000001");
	assert_string_equal(id.make, "INFICON");
	assert_int_equal(host_poll(s->h), 0);
	assert_true(host_progress(s->h, "ready")->real == 1);
	STATES(s, "ready", "ready", "preparing", "method-running");
	assert_int_equal(start(s), 0);
	assert_string_equal(s->log, STATE LOAD "Air\n" STATE LAST RUN STATE LAST STATE);
	STATES(s, "method-running", "method-running", "preparing", "ready");
	s->last = "{\"dataLocation\":\"/runData/ea9d0e98-c254\"}";
	uint64_t before = s->h->now;
	assert_int_equal(acquire(s), ASSAY_LAST);
	assert_string_equal(s->log, STATE STATE STATE LAST "/runData/ea9d0e98-c254\n");
	/* Two waits of a second, five replies of 20 ms. */
	assert_int_equal(s->h->now - before, 2 * 1000 + 5 * 20);
	assert_int_equal(s->h->raw.count, 1);
	assert_string_equal((const char *)s->h->raw.blocks[0].name, "run");
	assert_int_equal(host_decode(s->h), 0);
	assert_int_equal(stop(s), 0);
	assert_string_equal(s->log, "");
}

static void the_last_element_of_the_location_is_the_run(void **state)
{
	static const struct {
		const char *last, *path;
	} rows[] = {
		{"{\"dataLocation\":\"/runData/ab-1\"}", "/runData/ab-1\n"},
		{"{\"dataLocation\":\"ab-2\"}", "/runData/ab-2\n"},
		{"{\"dataLocation\":\"/v1/runData/ab_3\"}", "/runData/ab_3\n"},
		{"{\"dataLocation\":\"/runData/\"}", NULL},
		{"{\"dataLocation\":\"/runData/../x?y\"}", NULL},
		{"{\"dataLocation\":\"..\"}", NULL},
		{"{\"dataLocation\":5}", NULL},
		{"[]", NULL},
		{"no", NULL},
	};
	struct server *s = *state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		s->last = NULL;
		STATES(s, "ready", "ready", "method-running");
		assert_int_equal(start(s), 0);
		s->last = rows[i].last;
		STATES(s, "ready");
		assert_int_equal(acquire(s), rows[i].path != NULL ? ASSAY_LAST : -EBADMSG);
		if (rows[i].path != NULL)
			assert_non_null(strstr(s->log, rows[i].path));
	}
}

/* The run before this one is not taken for it. */
static void only_a_new_run_counts(void **state)
{
	struct server *s = *state;
	s->last = "{\"dataLocation\":\"old\"}";
	assert_int_equal(start(s), 0);
	STATES(s, "ready");
	uint64_t before = s->h->now;
	assert_int_equal(acquire(s), -EPROTO);
	assert_non_null(strstr(s->h->explained, "run_timeout"));
	assert_in_range(s->h->now - before, 3600000, 3602000);
	assert_null(strstr(s->log, "/runData/old"));
	/* A run that is over before its state was seen has begun, too. */
	STATES(s, "ready");
	s->next = "{\"dataLocation\":\"new\"}";
	assert_int_equal(start(s), 0);
	assert_int_equal(acquire(s), ASSAY_LAST);
}

static void a_run_is_fetched_until_it_is_whole(void **state)
{
	struct server *s = *state;
	assert_int_equal(start(s), 0);
	s->last = "{\"dataLocation\":\"new\"}";
	s->run = PART;
	STATES(s, "preparing");
	begin_step(s);
	assert_int_equal(s->h->driver->acquire(&s->h->ins, &s->h->raw.handle), -EAGAIN);
	assert_non_null(strstr(s->log, "/runData/new"));
	/* It will not become whole any more. */
	STATES(s, "ready");
	assert_int_equal(acquire(s), ASSAY_LAST);
	assert_int_equal(host_decode(s->h), 0);
	assert_true(host_has_reason(s->h, "truncated"));
	STATES(s, "ready", "ready", "method-running", "ready");
	assert_int_equal(start(s), 0);
	s->last = "{\"dataLocation\":\"newer\"}";
	s->run = OTHER;
	assert_int_equal(acquire(s), -EPROTO);
	assert_non_null(strstr(s->h->explained, "another method"));
	s->run = "{}";
	assert_int_equal(acquire(s), -EBADMSG);
	s->run_status = 500;
	assert_int_equal(acquire(s), -EPROTO);
}

/* --- states ----------------------------------------------------------------------------------- */

static void a_start_waits_until_the_instrument_is_ready(void **state)
{
	struct server *s = *state;
	STATES(s, "method-running", "preparing", "ready", "loading-method", "waiting-for-modules",
		"ready", "method-running");
	assert_int_equal(start(s), 0);
	assert_string_equal(
		s->log, STATE STATE STATE LOAD "Air\n" STATE STATE STATE LAST RUN STATE);
	/* From these a method can be loaded. */
	STATES(s, "standby", "ready", "method-running");
	assert_int_equal(start(s), 0);
	STATES(s, "error-method-load-failed", "ready", "method-running");
	assert_int_equal(start(s), 0);
	/* Not after it was loaded. */
	STATES(s, "ready", "error-method-load-failed");
	assert_int_equal(start(s), -EPROTO);
	assert_non_null(strstr(s->h->explained, "error-method-load-failed"));
	/* An endless preparation ends. */
	STATES(s, "bakeout");
	uint64_t before = s->h->now;
	assert_int_equal(start(s), -EPROTO);
	assert_in_range(s->h->now - before, 1800000, 1802000);
	assert_non_null(strstr(s->h->explained, "still bakeout"));
	/* So does one that a person stops. */
	s->h->stopping = true;
	before = s->h->now;
	assert_int_equal(start(s), -EPROTO);
	assert_in_range(s->h->now - before, 0, 1000);
}

static void errors_of_the_instrument_end_a_start_and_a_run(void **state)
{
	static const char *const words[] = {"error-carrier-gas-pressure", "error-running-too-long",
		"error-moduleA", "error-moduleD", "error-system-uninitialized", "shutdown"};
	struct server *s = *state;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		STATES(s, words[i]);
		assert_int_equal(start(s), -EPROTO);
		assert_non_null(strstr(s->h->explained, words[i]));
		assert_string_equal(s->log, STATE);
		STATES(s, "ready", "ready", words[i]);
		assert_int_equal(start(s), -EPROTO);
		STATES(s, "ready", "ready", "method-running", words[i]);
		assert_int_equal(start(s), 0);
		assert_int_equal(acquire(s), -EPROTO);
		assert_non_null(strstr(s->h->explained, words[i]));
	}
	STATES(s, "[\"public:sequence-running\",\"public:ready\"]");
	assert_int_equal(start(s), -EPROTO);
	assert_non_null(strstr(s->h->explained, "sequence"));
	STATES(s, "[\"public:sequence-loaded\"]");
	assert_int_equal(start(s), -EBADMSG);
	STATES(s, "[1,2]");
	assert_int_equal(start(s), -EBADMSG);
	/* Nothing of the instrument acts on a terminal. */
	STATES(s, "error-\\u001b[2J");
	assert_int_equal(start(s), -EPROTO);
	assert_non_null(strstr(s->h->explained, "error-?[2J"));
	STATES(s, "ready");
	s->command_status = 500;
	assert_int_equal(start(s), -EPROTO);
	assert_non_null(strstr(s->h->explained, "status 500: {\"error\":\"?no such method\"}"));
}

static void each_request_may_fail(void **state)
{
	static const int errors[] = {-ETIMEDOUT, -EBADMSG, -EPROTO, -ECANCELED, -ENODEV};
	struct server *s = *state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		s->fail = errors[i];
		for (s->fail_at = 1; s->fail_at <= 8; s->fail_at++) {
			host_revive(s->h);
			STATES(s, "ready", "ready", "preparing", "method-running");
			assert_int_equal(start(s), errors[i]);
			assert_int_equal(s->requests, s->fail_at);
		}
		host_revive(s->h);
		s->fail_at = 0;
		s->last = NULL;
		STATES(s, "ready", "ready", "method-running");
		assert_int_equal(start(s), 0);
		s->last = "{\"dataLocation\":\"new\"}";
		STATES(s, "ready");
		for (s->fail_at = 1; s->fail_at <= 3; s->fail_at++) {
			host_revive(s->h);
			assert_int_equal(acquire(s), errors[i]);
			assert_int_equal(s->requests, s->fail_at);
		}
		host_revive(s->h);
		s->fail_at = 0;
	}
}

/* --- stop and settings ------------------------------------------------------------------------ */

static void the_run_is_aborted_only_on_request(void **state)
{
	struct server *s = *state;
	assert_int_equal(start(s), 0);
	assert_int_equal(stop(s), 0);
	assert_string_equal(s->log, "");
	host_set(s->h, "abort_run", "true");
	STATES(s, "ready", "ready", "method-running");
	assert_int_equal(start(s), 0);
	assert_int_equal(stop(s), 0);
	assert_string_equal(s->log, ABORT);
	/* A run that waits to begin would begin alone. */
	STATES(s, "ready", "ready", "error-moduleB");
	assert_int_equal(start(s), -EPROTO);
	assert_int_equal(stop(s), 0);
	assert_string_equal(s->log, ABORT);
	/* There is none. */
	STATES(s, "error-moduleB");
	assert_int_equal(start(s), -EPROTO);
	assert_int_equal(stop(s), 0);
	assert_string_equal(s->log, "");
}

static void the_name_of_a_method_is_escaped(void **state)
{
	char longest[400];
	struct server *s = *state;
	host_set(s->h, "method", "Nat Gas/100%&x=?#\xc3\xbc.~_-");
	assert_int_equal(start(s), 0);
	assert_non_null(strstr(s->log, LOAD "Nat%20Gas%2F100%25%26x%3D%3F%23%C3%BC.~_-\n"));
	host_check(s->h);
	assert_string_equal(s->h->found, "");
	memset(longest, '/', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	host_set(s->h, "method", longest);
	assert_int_equal(start(s), -EINVAL);
	host_check(s->h);
	assert_non_null(strstr(s->h->found, "error method: "));
	host_set(s->h, "method", "");
	assert_int_equal(start(s), -EINVAL);
	assert_int_equal(s->requests, 0);
	longest[100] = '\0'; /* the longest name that always fits */
	host_set(s->h, "method", longest);
	host_check(s->h);
	assert_string_equal(s->h->found, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_run_loads_starts_waits_and_fetches),
		TEST(the_last_element_of_the_location_is_the_run),
		TEST(only_a_new_run_counts),
		TEST(a_run_is_fetched_until_it_is_whole),
		TEST(a_start_waits_until_the_instrument_is_ready),
		TEST(errors_of_the_instrument_end_a_start_and_a_run),
		TEST(each_request_may_fail),
		TEST(the_run_is_aborted_only_on_request),
		TEST(the_name_of_a_method_is_escaped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
