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

#define BIT(n) (UINT32_C(1) << (n))

/* An instrument with one channel; its scans are complete when they are asked for. */
struct server {
	struct host *h;
	char log[8192]; /* the requests of this step, each "PATH\n" */
	char body[8192];
	unsigned requests;
	unsigned fail_at; /* the request, from 1, that gets `fail`, or a refusal if that is 0 */
	int fail;
	uint32_t status, errors;
	bool is_slow;        /* the emission is pending at first */
	bool is_dead;        /* the emission stays as it is */
	unsigned number;     /* of the last scan */
	unsigned ready;      /* complete scans that nextScan has not given yet */
	unsigned points;     /* of a scan */
	unsigned shift;      /* a scan has that much more than the requested number */
	const char *channel; /* the reply for a channel; NULL: as it was set */
	char set[256];       /* the last parameters of a channel */
};

static void put(struct server *s, const char *name, const char *path, const char *data)
{
	snprintf(s->body, sizeof(s->body), "{\"name\":\"%s\",\"origin\":\"%s\",\"data\":%s}", name,
		path, data);
}

static void put_scan(struct server *s, const char *path, unsigned number, unsigned points)
{
	char data[4096];
	int n = snprintf(data, sizeof(data),
		"{\"systemStatus\":%13u,\"currentScan\":1,\"currentScanPoints\":0,\"scannum\":%u,"
		"\"scansize\":%u,\"values\":[",
		s->status, number, points);
	for (unsigned i = 0; i < points; i++)
		n += snprintf(data + n, sizeof(data) - (size_t)n, "%s 1.0e-12", i > 0 ? "," : "");
	snprintf(data + n, sizeof(data) - (size_t)n, "]}");
	put(s, "got", path, data);
}

/* "channelMode=Sweep&startMass=0": as members of an object, numbers padded with blanks. */
static void put_channel(struct server *s, const char *path)
{
	char data[512] = "{", copy[256], *save = NULL;
	snprintf(copy, sizeof(copy), "%s", s->set);
	for (char *pair = strtok_r(copy, "&", &save); pair != NULL;
		pair = strtok_r(NULL, "&", &save)) {
		char *value = strchr(pair, '=');
		*value++ = '\0';
		bool is_number = value[0] >= '0' && value[0] <= '9';
		size_t n = strlen(data);
		snprintf(data + n, sizeof(data) - n,
			is_number ? "%s\"%s\":%13s" : "%s\"%s\":\"%s\"", n > 1 ? "," : "", pair,
			value);
	}
	strcat(data, "}");
	put(s, "got", path, s->channel != NULL ? s->channel : data);
}

static void switch_part(struct server *s, const char *path)
{
	bool on = strstr(path, "?On") != NULL;
	bool is_emission = strstr(path, "setEmission") != NULL;
	assert_true(!on || s->h->hazard); /* announced before */
	uint32_t bit = is_emission ? BIT(31) : BIT(23), pending = is_emission ? BIT(28) : BIT(22);
	if (!is_emission && on && !(s->status & BIT(31))) {
		put(s, "error", path,
			"[{\"command\":\"set\",\"code\":1,\"id\":\"interlockEmisRequired\","
			"\"level\":\"error\",\"message\":\"no emission\"}]");
		return;
	}
	if (!s->is_dead)
		s->status = on ? s->status | (s->is_slow ? pending : bit)
			       : s->status & ~(bit | pending);
	put(s, "wasSet", path, on ? "\"On\"" : "\"Off\"");
}

static void serve(struct server *s, const char *path)
{
	char number[16];
	unsigned wanted;
	if (strstr(path, "/channels/") != NULL && strstr(path, "/set?") != NULL)
		snprintf(s->set, sizeof(s->set), "%s", strchr(path, '?') + 1);
	if (strstr(path, "/generalControl/") != NULL) {
		switch_part(s, path);
	} else if (strstr(path, "scanStart") != NULL) {
		s->status |= BIT(1);
		put(s, "wasSet", path, "\"1\"");
	} else if (strstr(path, "/set?") != NULL) {
		put(s, "wasSet", path, "\"\"");
	} else if (strstr(path, "/channels/") != NULL) {
		put_channel(s, path);
	} else if (strstr(path, "nextScan") != NULL) {
		bool has = s->ready > 0;
		s->ready -= has;
		put_scan(s, path, has ? s->number - s->ready : 0, has ? s->points : 0);
	} else if (strstr(path, "/scans/-1/") != NULL) {
		put_scan(s, path, s->number, s->number > 0 ? s->points : 0);
	} else if (sscanf(path, "/mmsp/measurement/scans/%u/get", &wanted) == 1) {
		put_scan(s, path, wanted + s->shift, s->points);
	} else if (strstr(path, "electronicsInfo") != NULL) {
		put(s, "got", path,
			"{\"serialNumber\":\"71234567\",\"monitorFWVersion\":\"1.00\"}");
	} else {
		bool is_system = strstr(path, "systemStatus") != NULL;
		snprintf(number, sizeof(number), "%13u", is_system ? s->status : s->errors);
		put(s, "got", path, number);
		if (is_system && (s->status & BIT(28)))
			s->status = (s->status & ~BIT(28)) | BIT(31);
		if (is_system)
			s->status &= ~BIT(0);
	}
}

static int reply_to(
	struct host *h, const struct assay_http_request *request, struct assay_http_reply *reply)
{
	struct server *s = h->device_data;
	size_t n = strlen(s->log);
	snprintf(s->log + n, sizeof(s->log) - n, "%s\n", request->path);
	h->now += 20;
	reply->status = 200;
	if (++s->requests == s->fail_at && s->fail != 0) {
		if (s->fail == -ECANCELED || s->fail == -ENODEV)
			h->stuck = s->fail;
		return s->fail;
	}
	if (s->requests == s->fail_at)
		put(s, "errorSet", request->path,
			"[{\"command\":\"set\",\"code\":1,\"id\":\"notIn\\u001bControl\","
			"\"level\":\"error\",\"message\":\"another client has the control\"}]");
	else
		serve(s, request->path);
	reply->body = (const uint8_t *)s->body;
	reply->len = strlen(s->body);
	return 0;
}

static void begin_step(struct server *s)
{
	s->log[0] = '\0';
	s->requests = 0;
}

static int setup(void **state)
{
	struct server *s = calloc(1, sizeof(*s));
	s->h = host_create(assay_driver, ASSAY_LINK_HTTP);
	s->h->http = reply_to;
	s->h->device_data = s;
	s->points = 6;
	host_set(s->h, "mass_last", "1");
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

static int start(struct server *s)
{
	begin_step(s);
	return s->h->driver->start(&s->h->ins);
}

/* Until a frame, an error, or nothing new for ten minutes. */
static int acquire(struct server *s)
{
	uint64_t end = s->h->now + 600000;
	int r;
	begin_step(s);
	do
		r = s->h->driver->acquire(&s->h->ins, &s->h->raw.handle);
	while (r == -EAGAIN && s->h->now < end);
	return r;
}

static int stop(struct server *s)
{
	begin_step(s);
	return s->h->driver->stop(&s->h->ins);
}

static void complete(struct server *s, unsigned number)
{
	s->number = number;
	s->ready = 1;
}

/* --- the whole way ---------------------------------------------------------------------------- */

#define SET_UP                                                                                     \
	"/mmsp/communication/control/set?take\n"                                                   \
	"/mmsp/scanSetup/scanStop/set?1\n"                                                         \
	"/mmsp/scanSetup/channels/1/set?channelMode=Sweep&startMass=0&stopMass=1&dwell=32&ppamu=5" \
	"&enabled=True\n"                                                                          \
	"/mmsp/scanSetup/channels/1/get\n"                                                         \
	"/mmsp/scanSetup/set?startChannel=1&stopChannel=1&scanCount=1&scanInterval=0\n"
#define GO                                 \
	"/mmsp/status/systemStatus/get\n"  \
	"/mmsp/measurement/scans/-1/get\n" \
	"/mmsp/scanSetup/scanStart/set?1\n"
#define SCAN_1                              \
	"/mmsp/measurement/nextScan/get\n"  \
	"/mmsp/measurement/scans/1/get\n"   \
	"/mmsp/status/systemStatus/get\n"   \
	"/mmsp/status/hardwareErrors/get\n" \
	"/mmsp/status/hardwareWarnings/get\n"

static void a_run_takes_the_control_measures_and_releases(void **state)
{
	struct server *s = *state;
	assert_int_equal(start(s), 0);
	assert_string_equal(s->log, SET_UP GO);
	assert_non_null(strstr(s->h->logged, "the emission is off"));
	assert_int_equal(s->h->hazards, 0);
	complete(s, 1);
	assert_int_equal(acquire(s), ASSAY_LAST);
	assert_string_equal(s->log, SCAN_1);
	assert_int_equal(s->h->raw.count, 4);
	assert_true(host_progress(s->h, "scans_done")->real == 1);
	assert_int_equal(host_decode(s->h), 0);
	assert_int_equal(host_find(s->h, "ion_current")->count, 6);
	assert_int_equal(stop(s), 0);
	assert_string_equal(s->log, "/mmsp/communication/control/set?release\n");
}

static void identity_is_read(void **state)
{
	struct server *s = *state;
	struct assay_identity id = {.declared = false};
	assert_int_equal(s->h->driver->identify(&s->h->ins, &id), 0);
	assert_string_equal(s->log, "/mmsp/electronicsInfo/get\n");
	assert_string_equal(id.serial, "71234567");
	assert_string_equal(id.fw, "1.00");
	assert_string_equal(id.model, "");
	assert_int_equal(host_poll(s->h), 0);
	assert_true(host_progress(s->h, "emission")->real == 0);
}

/* Masses have two decimals at most, and none that are not needed. */
static void settings_become_channels(void **state)
{
	struct server *s = *state;
	host_set(s->h, "mass_first", "0.50");
	host_set(s->h, "mass_last", "300");
	host_set(s->h, "points_per_amu", "100");
	host_set(s->h, "dwell_time", "48");
	host_set(s->h, "scans", "0");
	host_set(s->h, "control", "force");
	assert_int_equal(start(s), 0);
	assert_non_null(strstr(s->log, "control/set?force\n"));
	assert_non_null(strstr(s->log,
		"channels/1/set?channelMode=Sweep&startMass=0.50&stopMass=300&dwell=48&ppamu=100&"
		"enabled=True\n"));
	assert_non_null(strstr(s->log, "scanCount=-1&"));
	host_set(s->h, "mode", "single");
	host_set(s->h, "sim_ions", "2");
	host_set(s->h, "sim_ions", "18.05");
	host_set(s->h, "total_pressure", "mbar");
	assert_int_equal(start(s), 0);
	assert_non_null(strstr(s->log,
		"channels/2/"
		"set?channelMode=Single&startMass=18.05&dwell=48&ppamu=1&enabled=True\n"));
	assert_non_null(strstr(s->log, "channels/3/set?channelMode=TotalPressure&enabled=True\n"));
	assert_non_null(strstr(s->log, "startChannel=1&stopChannel=3&"));
}

static void a_channel_that_is_not_as_sent_is_refused(void **state)
{
	static const struct {
		const char *channel, *text;
	} rows[] = {
		{"{}", "channelMode"},
		{"5", "channelMode"},
		{"{\"channelMode\":\"Single\",\"startMass\":0,\"stopMass\":1,\"dwell\":32,"
		 "\"ppamu\":5}",
			"channelMode"},
		{"{\"channelMode\":\"Sweep\",\"startMass\":1,\"stopMass\":1,\"dwell\":32,\"ppamu\":"
		 "5}",
			"startMass"},
		{"{\"channelMode\":\"Sweep\",\"startMass\":0,\"stopMass\":1.01,\"dwell\":32,"
		 "\"ppamu\":5}",
			"stopMass"},
		{"{\"channelMode\":\"Sweep\",\"startMass\":0,\"stopMass\":1,\"dwell\":16,\"ppamu\":"
		 "5}",
			"dwell"},
		{"{\"channelMode\":\"Sweep\",\"startMass\":0,\"stopMass\":1,\"dwell\":32,\"ppamu\":"
		 "\"5\"}",
			"ppamu"},
		{"{\"channelMode\":\"Sweep\",\"startMass\":0,\"stopMass\":1,\"dwell\":32,\"ppamu\":"
		 "5,"
		 "\"reportUnits\":\"PP\"}",
			"reportUnits"},
	};
	struct server *s = *state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		s->channel = rows[i].channel;
		assert_int_equal(start(s), -EPROTO);
		assert_non_null(strstr(s->h->explained, rows[i].text));
		assert_null(strstr(s->log, "scanStart"));
	}
	s->channel = "{\"channelmode\":\"sweep\",\"STARTMASS\":0.000000e+00,\"stopMass\":1.0,"
		     "\"dwell\":32,"
		     "\"ppamu\":5,\"enabled\":1,\"reportUnits\":\"Current\"}";
	assert_int_equal(start(s), 0);
}

/* --- the filament and the multiplier ---------------------------------------------------------- */

#define EM_OFF       "/mmsp/generalControl/setEM/set?Off\n"
#define EMISSION_OFF "/mmsp/generalControl/setEmission/set?Off\n"
#define STATUS       "/mmsp/status/systemStatus/get\n"

static void hazards_are_on_for_the_run_only(void **state)
{
	struct server *s = *state;
	s->is_slow = true;
	host_set(s->h, "emission", "true");
	assert_int_equal(start(s), 0);
	assert_string_equal(
		s->log, SET_UP "/mmsp/generalControl/setEmission/set?On\n" STATUS STATUS GO);
	assert_true(s->h->hazard);
	stop(s);
	assert_string_equal(s->log, "/mmsp/scanSetup/scanStop/set?1\n" EMISSION_OFF STATUS
				    "/mmsp/communication/control/set?release\n");
	assert_false(s->h->hazard);
	s->is_slow = false;
	host_set(s->h, "multiplier", "true");
	assert_int_equal(start(s), 0);
	assert_non_null(strstr(s->log,
		"setEmission/set?On\n" STATUS "/mmsp/generalControl/setEM/set?On\n" STATUS));
	assert_int_equal(s->status & (BIT(31) | BIT(23)), BIT(31) | BIT(23));
	stop(s);
	assert_non_null(strstr(s->log, EM_OFF STATUS EMISSION_OFF STATUS));
	assert_int_equal(s->status & (BIT(31) | BIT(23)), 0);
	/* Off on request is no hazard; the multiplier alone cannot be on. */
	host_set(s->h, "emission", "false");
	host_unset(s->h, "multiplier");
	s->status = BIT(31);
	assert_int_equal(start(s), 0);
	assert_non_null(strstr(s->log, EMISSION_OFF));
	assert_false(s->h->hazard);
	host_unset(s->h, "emission");
	host_set(s->h, "multiplier", "true");
	assert_int_equal(start(s), -EPROTO);
	assert_non_null(strstr(s->h->explained, "interlockEmisRequired no emission"));
}

static void a_part_that_does_not_follow_fails(void **state)
{
	struct server *s = *state;
	host_set(s->h, "emission", "true");
	s->is_dead = true;
	uint64_t before = s->h->now;
	assert_int_equal(start(s), -EPROTO);
	assert_in_range(s->h->now - before, 60000, 62000);
	assert_true(s->h->hazard);
	s->status = BIT(27);
	assert_int_equal(start(s), -EPROTO);
	assert_non_null(strstr(s->h->explained, "interlock"));
	/* It may be on by now: it stays a hazard until the status shows it as off. */
	s->status = BIT(31);
	assert_int_equal(stop(s), -EPROTO);
	assert_true(s->h->hazard);
	assert_int_equal(s->h->driver->make_safe(&s->h->ins), -EPROTO);
	assert_true(s->h->hazard);
	s->is_dead = false;
	assert_int_equal(s->h->driver->make_safe(&s->h->ins), 0);
	assert_false(s->h->hazard);
	/* A stop of the run ends the wait. */
	s->is_dead = true;
	s->h->stopping = true;
	before = s->h->now;
	assert_int_equal(start(s), -EPROTO);
	assert_in_range(s->h->now - before, 0, 1000);
}

static void make_safe_takes_the_control_by_force(void **state)
{
	struct server *s = *state;
	s->status = BIT(31) | BIT(23) | BIT(1);
	s->h->hazard = true;
	begin_step(s);
	assert_int_equal(s->h->driver->make_safe(&s->h->ins), 0);
	assert_string_equal(s->log,
		"/mmsp/communication/control/set?force\n"
		"/mmsp/scanSetup/scanStop/set?1\n" EM_OFF STATUS EMISSION_OFF STATUS
		"/mmsp/communication/control/set?release\n");
	assert_false(s->h->hazard);
	/* If any request is refused: both are off, or it stays a hazard. */
	for (unsigned at = 1; at <= 7; at++) {
		s->status = BIT(31) | BIT(23) | BIT(1);
		s->h->hazard = true;
		begin_step(s);
		s->fail_at = at;
		int r = s->h->driver->make_safe(&s->h->ins);
		assert_int_equal(r == 0, !s->h->hazard);
		assert_true(s->h->hazard || (s->status & (BIT(31) | BIT(23))) == 0);
		/* The emission is switched off even if the multiplier refuses. */
		assert_true(at == 1 || at == 5 || !(s->status & BIT(31)));
	}
}

/* --- errors on the way ------------------------------------------------------------------------ */

static void each_request_may_fail(void **state)
{
	static const int errors[] = {-ETIMEDOUT, -EBADMSG, -EPROTO, -ECANCELED, -ENODEV, 0};
	struct server *s = *state;
	host_set(s->h, "emission", "true");
	assert_int_equal(start(s), 0);
	unsigned count = s->requests;
	assert_int_equal(count, 10);
	stop(s);
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		for (unsigned at = 1; at <= count; at++) {
			host_revive(s->h);
			s->fail_at = at;
			s->fail = errors[i];
			/* Without scans this request may be refused. */
			bool may_pass = at == 9 && (errors[i] == 0 || errors[i] == -EPROTO);
			int wanted = errors[i] != 0 ? errors[i] : -EPROTO;
			assert_int_equal(start(s), may_pass ? 0 : wanted);
			if (errors[i] == 0 && !may_pass)
				assert_non_null(strstr(s->h->explained,
					"notIn?Control another client has the control"));
			assert_true(may_pass || s->requests == at);
			host_revive(s->h);
			s->fail_at = 0;
			assert_int_equal(stop(s), 0);
			assert_false(s->h->hazard);
			assert_int_equal(s->status & BIT(31), 0);
		}
}

static void replies_that_are_none_are_errors(void **state)
{
	static const char *const bodies[] = {"", "<html>", "{}", "[1]", "{\"name\":\"got\"}",
		"{\"name\":\"other\",\"data\":1}", "{\"name\":\"got\",\"data\":\"text\"}"};
	struct server *s = *state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		struct assay_bytes raw = {.media = "application/json",
			.name = "systemStatus",
			.data = (const uint8_t *)bodies[i],
			.len = strlen(bodies[i])};
		assert_int_equal(host_decode_bytes(s->h, &raw, 1, NULL, 0), -EBADMSG);
	}
}

/* --- scans ------------------------------------------------------------------------------------ */

static void scans_are_fetched_by_number(void **state)
{
	struct server *s = *state;
	host_set(s->h, "scans", "3");
	assert_int_equal(start(s), 0);
	complete(s, 1);
	assert_int_equal(acquire(s), ASSAY_FRAME);
	/* The reply with the second one was lost: nextScan gives the third. */
	complete(s, 3);
	assert_int_equal(acquire(s), ASSAY_FRAME);
	assert_non_null(strstr(s->log, "nextScan/get\n/mmsp/measurement/scans/2/get\n"));
	assert_int_equal(acquire(s), ASSAY_LAST);
	assert_int_equal(strncmp(s->log, "/mmsp/measurement/scans/3/get\n", 30), 0);
	assert_int_equal(stop(s), 0);
}

static void scans_count_from_1_or_on(void **state)
{
	static const struct {
		unsigned before, first;
		bool is_right;
	} rows[] = {{0, 1, true}, {0, 2, false}, {7, 8, true}, {7, 1, true}, {7, 2, false},
		{7, 7, false}, {7, 9, false}, {1, 2, true}, {1, 1, true}};
	struct server *s = *state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		s->number = rows[i].before;
		assert_int_equal(start(s), 0);
		complete(s, rows[i].first);
		assert_int_equal(acquire(s), rows[i].is_right ? ASSAY_LAST : -EPROTO);
		stop(s);
		host_reset(s->h);
	}
	/* A reply that was lost may have had the first one. */
	s->number = 0;
	assert_int_equal(start(s), 0);
	s->fail_at = 1;
	s->fail = -ETIMEDOUT;
	assert_int_equal(acquire(s), -ETIMEDOUT);
	s->fail_at = 0;
	complete(s, 1);
	assert_int_equal(acquire(s), -EPROTO);
	assert_non_null(strstr(s->h->explained, "number of the first scan"));
}

static void a_scan_of_another_size_is_refused(void **state)
{
	struct server *s = *state;
	assert_int_equal(start(s), 0);
	complete(s, 1);
	s->points = 5;
	assert_int_equal(acquire(s), -EPROTO);
	assert_non_null(strstr(s->h->explained, "5 values, expected 6"));
	s->points = 6;
	s->shift = 1;
	assert_int_equal(acquire(s), -EBADMSG);
	s->shift = 0;
	assert_int_equal(acquire(s), ASSAY_LAST);
}

static void a_measurement_that_ends_by_itself_fails(void **state)
{
	struct server *s = *state;
	assert_int_equal(start(s), 0);
	uint64_t before = s->h->now;
	s->status &= ~BIT(1);
	assert_int_equal(acquire(s), -EPROTO);
	assert_non_null(strstr(s->h->explained, "ended at the instrument"));
	assert_in_range(s->h->now - before, 5000, 6000);
	/* No scan in time: 60 s and twice 6 points of 32 ms. */
	assert_int_equal(start(s), 0);
	before = s->h->now;
	assert_int_equal(acquire(s), -ETIMEDOUT);
	assert_in_range(s->h->now - before, 60384, 61500);
	/* A restart forgets the scan and the emission. */
	assert_int_equal(start(s), 0);
	s->status |= BIT(0);
	assert_int_equal(acquire(s), -EPROTO);
	assert_non_null(strstr(s->h->explained, "restarted"));
}

static void a_part_that_goes_off_ends_the_run(void **state)
{
	struct server *s = *state;
	host_set(s->h, "emission", "true");
	host_set(s->h, "scans", "0");
	assert_int_equal(start(s), 0);
	complete(s, 1);
	s->status = BIT(27) | BIT(1);
	assert_int_equal(acquire(s), ASSAY_FRAME);
	assert_int_equal(host_decode(s->h), 0);
	assert_int_equal(s->h->frame.flag, ASSAY_BAD);
	assert_true(host_has_reason(s->h, "interlock"));
	complete(s, 2);
	assert_int_equal(acquire(s), -EPROTO);
	assert_int_equal(s->requests, 0);
}

static void a_stop_delivers_the_scan_on_its_way(void **state)
{
	struct server *s = *state;
	host_set(s->h, "scans", "0");
	assert_int_equal(start(s), 0);
	s->h->stopping = true;
	assert_int_equal(s->h->driver->acquire(&s->h->ins, &s->h->raw.handle), -EAGAIN);
	complete(s, 1);
	assert_int_equal(acquire(s), ASSAY_LAST);
	assert_int_equal(stop(s), 0);
	assert_non_null(strstr(s->log, "scanStop/set?1\n"));
}

/* --- settings --------------------------------------------------------------------------------- */

static void settings_that_cannot_be_right_are_found(void **state)
{
	static const struct {
		const char *name, *value, *found;
	} rows[] = {
		{"mass_first", "1.01", "error mass_first: mass_first is above mass_last\n"},
		{"mass_last", "0.005", "error mass_last: masses have steps"},
		{"mass_last", "0.1", "error mass_last: from mass_first"},
		{"points_per_amu", "3", "error points_per_amu:"},
		{"dwell_time", "3", "error dwell_time:"},
		{"dwell_time", "2.5", "error dwell_time:"},
		{"dwell_time", "96", "error dwell_time:"},
		{"mode", "single", "error sim_ions: mode single needs"},
		{"multiplier", "true", "warn multiplier:"},
	};
	struct server *s = *state;
	host_check(s->h);
	assert_string_equal(s->h->found, "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct host *h = host_create(assay_driver, ASSAY_LINK_HTTP);
		host_set(h, "mass_last", "1");
		host_set(h, rows[i].name, rows[i].value);
		host_check(h);
		if (strstr(h->found, rows[i].found) == NULL)
			fail_msg("%s: %s: found \"%s\"", rows[i].name, rows[i].value, h->found);
		h->http = reply_to;
		h->device_data = s;
		if (rows[i].found[0] == 'e')
			assert_int_equal(h->driver->start(&h->ins), -EINVAL);
		host_destroy(h);
	}
	host_set(s->h, "multiplier", "true");
	host_set(s->h, "emission", "false");
	host_check(s->h);
	assert_non_null(strstr(s->h->found, "error multiplier:"));
	host_set(s->h, "mode", "single");
	host_set(s->h, "sim_ions", "18");
	host_set(s->h, "sim_ions", "17.995");
	host_check(s->h);
	assert_non_null(strstr(s->h->found, "error sim_ions: sim_ions: write"));
	assert_non_null(strstr(s->h->found, "error sim_ions: masses have steps"));
}

static void every_dwell_time_of_the_list_is_right(void **state)
{
	struct server *s = *state;
	char text[16];
	for (unsigned ms = 1; ms <= 16384; ms *= 2) {
		snprintf(text, sizeof(text), "%u", ms);
		host_set(s->h, "dwell_time", text);
		host_check(s->h);
		assert_string_equal(s->h->found, "");
	}
	host_set(s->h, "dwell_time", "48");
	host_check(s->h);
	assert_string_equal(s->h->found, "");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_run_takes_the_control_measures_and_releases),
		TEST(identity_is_read),
		TEST(settings_become_channels),
		TEST(a_channel_that_is_not_as_sent_is_refused),
		TEST(hazards_are_on_for_the_run_only),
		TEST(a_part_that_does_not_follow_fails),
		TEST(make_safe_takes_the_control_by_force),
		TEST(each_request_may_fail),
		TEST(replies_that_are_none_are_errors),
		TEST(scans_are_fetched_by_number),
		TEST(scans_count_from_1_or_on),
		TEST(a_scan_of_another_size_is_refused),
		TEST(a_measurement_that_ends_by_itself_fails),
		TEST(a_part_that_goes_off_ends_the_run),
		TEST(a_stop_delivers_the_scan_on_its_way),
		TEST(settings_that_cannot_be_right_are_found),
		TEST(every_dwell_time_of_the_list_is_right),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
