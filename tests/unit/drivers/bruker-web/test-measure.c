/* SPDX-License-Identifier: Apache-2.0 */
/* The slots against a web server whose pages and paths this test writes by its own reading. */
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
#include "opus-file.h"

extern const struct assay_driver *const assay_driver;

/* The strings that users of the IFS 125HR and the VERTEX 80 send; WRK is the driver's. */
#define HR125                                                                                      \
	"AMD=7&UWN=0&ITC=0&CNM=Default&SNM=Bremen&DLY=0&DEL=0&RES=14.216020&SRC=104&LPF=10.0&HPF=" \
	"0"                                                                                        \
	"&BMS=1&APT=0x1F40&DTC=0x4041&VEL=10.0&AQM=0x4e44&HFW=15788.022000&LFW=10.000000"          \
	"&PHR=14.216020&SON=0&PGN=3&OPF=8&OF3=5&ADC=0&CMA=0&COR=0&CHN=1&SOT=0&NSS=1&RDX=0&TSR=0"   \
	"&GNS=1&REP=1&DLR=0"
#define VERTEX                                                                                     \
	"FLP=0&REP=1&APT=4000&NSS=20&RES=0.08&BMS=1&VEL=20000&SRC=201&AQM=SD&CHN=1&DTC=16416&HPF=" \
	"0"                                                                                        \
	"&LPF=20000&OPF=1&PGN=2&DEL=0&PHR=2.0&COR=0&GNS=1"

#define IDLE     "<TR><TD ID=MSTCO>IDL</TD></TR>"
#define SCANNING "<TD ID=MSTCO>SCN</TD><TD ID=SCAN>3</TD><TD ID=SRSC>17 scans</TD>"
#define READY(link)                                                                               \
	"<TR><TD>Datafile status</TD><TD>Ready for download</TD></TR><A HREF=\"" link "\">file</" \
	"A>"
#define FILE_PATH "/data/ab12.dat"

/* One reply; the last one of a script is repeated. */
struct turn {
	const char *path, *body;
	size_t len;
	int status;
};
#define REPLY(path, status, text) ((struct turn){path, text, strlen(text), status})
#define PAGE(path, text)          REPLY(path, 200, text)
#define BYTES(path, file, n)      ((struct turn){path, (const char *)(file)->bytes, n, 200})

#define TURNS_MAX 200

struct server {
	struct host *h;
	struct turn turns[TURNS_MAX];
	size_t count, at, requests;
	bool is_wrong;
	int fail; /* result of request number `fail_at`, counted from 1 */
	size_t fail_at;
	struct opus_file *file;
	float values[300];
};

static int reply_to(
	struct host *h, const struct assay_http_request *request, struct assay_http_reply *reply)
{
	struct server *s = h->device_data;
	const struct turn *turn = &s->turns[s->at];
	s->at += s->at + 1 < s->count;
	if (++s->requests == s->fail_at)
		return s->fail;
	if (request->method != NULL || strcmp(request->path, turn->path) != 0) {
		print_error("request for %s, expected %s\n", request->path, turn->path);
		s->is_wrong = true;
	}
	reply->status = turn->status;
	reply->body = (const uint8_t *)turn->body;
	reply->len = turn->len;
	h->now += 20;
	return 0;
}

static void play(struct server *s, const struct turn *turns, size_t count)
{
	assert_in_range(count, 1, TURNS_MAX);
	memcpy(s->turns, turns, count * sizeof(*turns));
	s->count = count;
	s->at = s->requests = 0;
}
#define PLAY(s, ...)                                         \
	do {                                                 \
		const struct turn list[] = {__VA_ARGS__};    \
		play(s, list, sizeof(list) / sizeof(*list)); \
	} while (0)

static int setup(void **state)
{
	struct server *s = calloc(1, sizeof(*s));
	s->h = host_create(assay_driver, ASSAY_LINK_HTTP);
	s->h->http = reply_to;
	s->h->device_data = s;
	host_set(s->h, "command", VERTEX);
	for (size_t i = 0; i < 300; i++)
		s->values[i] = (float)exp(-pow((double)i - 150, 2) / 50);
	struct opus_scan scan = {.values = s->values,
		.count = 300,
		.peak = 150,
		.backward_peak = -1,
		.forward = 1,
		.laser = 15798,
		.high = 15798,
		.resolution = 400,
		.phase_resolution = 800,
		.factor = 1};
	s->file = opus_file_of(&scan);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct server *s = *state;
	bool is_wrong = s->is_wrong;
	host_destroy(s->h);
	opus_file_free(s->file);
	free(s);
	return is_wrong;
}

static int start(struct server *s)
{
	PLAY(s, PAGE("/stat.htm", IDLE), PAGE("/cmd.htm?WRK=1&" VERTEX, "ok"),
		PAGE("/stat.htm", SCANNING));
	return s->h->driver->start(&s->h->ins);
}

static int acquire(struct server *s)
{
	int r;
	do
		r = s->h->driver->acquire(&s->h->ins, &s->h->raw.handle);
	while (r == -EAGAIN);
	return r;
}

/* --- the whole way ---------------------------------------------------------------------------- */

static void a_run_applies_starts_polls_and_downloads(void **state)
{
	struct server *s = *state;
	struct assay_identity id = {0};
	PLAY(s, PAGE("/stat.htm", IDLE));
	assert_int_equal(s->h->driver->identify(&s->h->ins, &id), 0);
	assert_true(id.declared);
	PLAY(s, PAGE("/stat.htm", IDLE), PAGE("/cmd.htm?WRK=8&" VERTEX, "ok"));
	assert_int_equal(s->h->driver->configure(&s->h->ins), 0);
	assert_int_equal(start(s), 0);
	PLAY(s, PAGE("/stat.htm", SCANNING), PAGE("/stat.htm", SCANNING), PAGE("/stat.htm", IDLE),
		PAGE("/datafile.htm", "<TD>Datafile status</TD><TD>No data</TD>"),
		PAGE("/datafile.htm", READY(FILE_PATH)), BYTES(FILE_PATH, s->file, s->file->len));
	uint64_t before = s->h->now;
	assert_int_equal(acquire(s), ASSAY_LAST);
	assert_int_equal(s->requests, 6);
	/* Three waits of half a second, six replies of 20 ms. */
	assert_int_equal(s->h->now - before, 3 * 500 + 6 * 20);
	assert_true(host_progress(s->h, "scans_done")->real == 3);
	assert_true(host_progress(s->h, "scans_remaining")->real == 17);
	assert_int_equal(s->h->raw.count, 1);
	assert_memory_equal(s->h->raw.blocks[0].data, s->file->bytes, s->file->len);
	assert_int_equal(host_decode(s->h), 0);
	assert_int_equal(host_find(s->h, "interferogram")->count, 300);
	PLAY(s, PAGE("/none", ""));
	assert_int_equal(s->h->driver->stop(&s->h->ins), 0);
	assert_int_equal(s->requests, 0);
}

static void settings_replace_parameters_of_the_command(void **state)
{
	struct server *s = *state;
	PLAY(s, PAGE("/stat.htm", IDLE), PAGE("/cmd.htm?WRK=8&" HR125, "ok"));
	host_set(s->h, "command", HR125);
	assert_int_equal(s->h->driver->configure(&s->h->ins), 0);
	host_set(s->h, "command", "RES=4&SRC=201&NSS=20&STM=SLO=2|MSL=1");
	host_set(s->h, "resolution", "0.5");
	host_set(s->h, "scans", "64");
	PLAY(s, PAGE("/stat.htm", IDLE),
		PAGE("/cmd.htm?WRK=8&SRC=201&STM=SLO=2|MSL=1&RES=0.500000&NSS=64", "ok"));
	assert_int_equal(s->h->driver->configure(&s->h->ins), 0);
	assert_int_equal(s->requests, 2);
}

static void a_command_that_cannot_be_right_is_found(void **state)
{
	static const char *const wrong[] = {"", "RES=4", "NSS=1&SRC=1", "RES=4&NSS=1&",
		"&RES=4&NSS=1", "WRK=1&RES=4&NSS=1", "RES=4&NSS=1&WRK=3", "RES=4&NSS=1&SNM=a b",
		"RES=4&NSS=1&SNM=a\nb", "RES=4&NSS=1#", "RES=4&NSS=1?", "res=4&NSS=1",
		"RESO=4&NSS=1", "RES4&NSS=1", "RES=4&&NSS=1", "RES=4 NSS=1"};
	struct server *s = *state;
	host_check(s->h);
	assert_string_equal(s->h->found, "");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		host_set(s->h, "command", wrong[i]);
		host_check(s->h);
		if (strstr(s->h->found, "error command: ") == NULL)
			fail_msg("accepted: %s", wrong[i]);
		PLAY(s, PAGE("/none", ""));
		assert_int_equal(s->h->driver->configure(&s->h->ins), -EINVAL);
		assert_non_null(strstr(s->h->explained, "command: "));
		assert_int_equal(s->requests, 0);
	}
	char longest[2000] = "RES=4&NSS=1&SNM=";
	memset(longest + strlen(longest), 'x', 1100);
	host_set(s->h, "command", longest);
	host_check(s->h);
	assert_non_null(strstr(s->h->found, "too long"));
	host_set(s->h, "command", VERTEX);
	host_set(s->h, "stop_command", "stop");
	host_check(s->h);
	assert_non_null(strstr(s->h->found, "error stop_command: "));
}

/* --- replies that are not as expected --------------------------------------------------------- */

static void the_last_status_of_the_page_counts(void **state)
{
	struct server *s = *state;
	struct assay_identity id;
	PLAY(s, PAGE("/stat.htm", "<TD ID=MSTCO>IDL</TD>" SCANNING),
		PAGE("/stat.htm", SCANNING IDLE), PAGE("/cmd.htm?WRK=8&" VERTEX, "ok"));
	assert_int_equal(s->h->driver->configure(&s->h->ins), 0);
	assert_int_equal(s->requests, 3);
	static const char *const none[] = {
		"", "<html>router</html>", "ID=MSTCO", "ID=MSTCO>", "ID=MSTCO></TD>"};
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++) {
		PLAY(s, PAGE("/stat.htm", none[i]));
		assert_int_equal(s->h->driver->identify(&s->h->ins, &id), -EBADMSG);
		assert_non_null(strstr(s->h->explained, "Bruker"));
	}
	PLAY(s, REPLY("/stat.htm", 404, IDLE));
	assert_int_equal(s->h->driver->identify(&s->h->ins, &id), -EPROTO);
	assert_non_null(strstr(s->h->explained, "GET /stat.htm: status 404"));
}

static void a_start_without_scans_is_rejected(void **state)
{
	struct server *s = *state;
	PLAY(s, PAGE("/stat.htm", IDLE), PAGE("/cmd.htm?WRK=1&" VERTEX, "ok"),
		PAGE("/stat.htm", IDLE));
	assert_int_equal(s->h->driver->start(&s->h->ins), -EPROTO);
	assert_non_null(strstr(s->h->explained, "did not start to scan"));
	/* Another program measures: nothing is sent. */
	PLAY(s, PAGE("/stat.htm", SCANNING));
	assert_int_equal(s->h->driver->start(&s->h->ins), -EPROTO);
	assert_non_null(strstr(s->h->explained, "busy (status SCN)"));
	PLAY(s, PAGE("/stat.htm", "ID=MSTCO>W\x1b[1"));
	assert_int_equal(s->h->driver->start(&s->h->ins), -EPROTO);
	assert_non_null(strstr(s->h->explained, "busy (status W?[1)"));
}

static void the_file_of_the_measurement_before_is_rejected(void **state)
{
	struct server *s = *state;
	for (int run = 0; run < 3; run++) {
		assert_int_equal(start(s), 0);
		s->file->bytes[s->file->len - 1] = run == 2;
		PLAY(s, PAGE("/stat.htm", IDLE), PAGE("/datafile.htm", READY(FILE_PATH)),
			BYTES(FILE_PATH, s->file, s->file->len));
		assert_int_equal(acquire(s), run == 1 ? -EBADMSG : ASSAY_LAST);
		host_reset(s->h);
	}
	assert_int_equal(start(s), 0);
	PLAY(s, PAGE("/stat.htm", IDLE), PAGE("/datafile.htm", READY(FILE_PATH)),
		BYTES(FILE_PATH, s->file, s->file->len - 4));
	assert_int_equal(acquire(s), -EBADMSG);
	assert_non_null(strstr(s->h->explained, "no complete OPUS file"));
}

static void the_link_to_the_file_is_a_path_of_the_server(void **state)
{
	static const struct {
		const char *page, *path;
	} cases[] = {
		{READY("file.dat"), "/file.dat"},
		{READY("/a/b.0"), "/a/b.0"},
		{READY("http://10.10.0.1/a/b.0"), "/a/b.0"},
		{READY("http://198.51.100.7/a/b.0"), "/a/b.0"}, /* the link's own host gets it */
		{READY("javascript:alert(1)"), NULL},
		{READY("ftp://host/file"), NULL},
		{READY("http://"), NULL},
		{READY(""), NULL},
		{READY("a b"), NULL},
		{READY("a#b"), NULL},
		{READY("a\r\nHost: x"), NULL},
		{"Datafile status Ready for download", NULL},
		{"Datafile status Ready for download A HREF=\"/x", NULL},
	};
	struct server *s = *state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(start(s), 0);
		s->file->bytes[s->file->len - 1] = (uint8_t)i;
		PLAY(s, PAGE("/stat.htm", IDLE), PAGE("/datafile.htm", cases[i].page),
			BYTES(cases[i].path != NULL ? cases[i].path : "/none", s->file,
				s->file->len));
		int r = acquire(s);
		if (r != (cases[i].path != NULL ? ASSAY_LAST : -EBADMSG))
			fail_msg("%s: %d", cases[i].page, r);
		assert_int_equal(s->requests, cases[i].path != NULL ? 3 : 2);
		host_reset(s->h);
	}
}

/* --- limits of time --------------------------------------------------------------------------- */

static void every_wait_ends(void **state)
{
	struct server *s = *state;
	host_set(s->h, "timeout", "30");
	assert_int_equal(start(s), 0);
	uint64_t before = s->h->now;
	PLAY(s, PAGE("/stat.htm", SCANNING));
	assert_int_equal(acquire(s), -ETIMEDOUT);
	assert_non_null(strstr(s->h->explained, "timeout"));
	assert_in_range(s->h->now - before, 30000, 31000);
	/* A scan within the limit starts it again. */
	assert_int_equal(start(s), 0);
	static struct turn turns[TURNS_MAX];
	static char pages[199][64];
	for (int i = 0; i < 199; i++) {
		snprintf(pages[i], sizeof(pages[i]), "ID=MSTCO>SCN<ID=SCAN>%d<", i / 40);
		turns[i] = PAGE("/stat.htm", pages[i]);
	}
	turns[199] = REPLY("/stat.htm", 404, IDLE);
	play(s, turns, 200);
	assert_int_equal(acquire(s), -EPROTO); /* the last turn, after 100 s */
	assert_int_equal(start(s), 0);
	before = s->h->now;
	PLAY(s, PAGE("/stat.htm", IDLE), PAGE("/datafile.htm", "Datafile status: none"));
	assert_int_equal(acquire(s), -ETIMEDOUT);
	assert_non_null(strstr(s->h->explained, "not ready"));
	assert_in_range(s->h->now - before, 60000, 61000);
}

/* A request to stop lets the scans go on; the server is not asked more often for it. */
static void a_stop_takes_the_measurement_to_its_end(void **state)
{
	struct server *s = *state;
	assert_int_equal(start(s), 0);
	s->h->stopping = true;
	uint64_t before = s->h->now;
	PLAY(s, PAGE("/stat.htm", SCANNING), PAGE("/stat.htm", SCANNING),
		PAGE("/stat.htm", SCANNING), PAGE("/stat.htm", IDLE),
		PAGE("/datafile.htm", READY(FILE_PATH)), BYTES(FILE_PATH, s->file, s->file->len));
	assert_int_equal(acquire(s), ASSAY_LAST);
	assert_int_equal(s->h->now - before, 3 * 500 + 6 * 20);
	/* A start that is to stop waits for nothing. */
	PLAY(s, PAGE("/stat.htm", SCANNING));
	assert_true(s->h->driver->start(&s->h->ins) < 0);
	assert_int_equal(s->requests, 1);
}

static void an_aborted_measurement_gets_the_stop_command(void **state)
{
	struct server *s = *state;
	host_set(s->h, "stop_command", "SRC=0");
	assert_int_equal(start(s), 0);
	PLAY(s, PAGE("/cmd.htm?SRC=0", "ok"));
	assert_int_equal(s->h->driver->stop(&s->h->ins), 0);
	assert_int_equal(s->requests, 1);
	assert_int_equal(s->h->driver->stop(&s->h->ins), 0);
	assert_int_equal(s->requests, 1);
	/* Also if the abort came before the first scan was seen. */
	s->fail = -ECANCELED;
	s->fail_at = 3;
	assert_int_equal(start(s), -ECANCELED);
	s->fail_at = 0;
	PLAY(s, PAGE("/cmd.htm?SRC=0", "ok"));
	assert_int_equal(s->h->driver->stop(&s->h->ins), 0);
	assert_int_equal(s->requests, 1);
	/* Not if the start found the spectrometer busy. */
	PLAY(s, PAGE("/stat.htm", SCANNING));
	assert_int_equal(s->h->driver->start(&s->h->ins), -EPROTO);
	PLAY(s, PAGE("/none", ""));
	assert_int_equal(s->h->driver->stop(&s->h->ins), 0);
	assert_int_equal(s->requests, 0);
	host_unset(s->h, "stop_command");
	assert_int_equal(start(s), 0);
	PLAY(s, PAGE("/none", ""));
	assert_int_equal(s->h->driver->stop(&s->h->ins), 0);
	assert_int_equal(s->requests, 0);
}

/* Whichever request fails, the slot returns its error at once. */
static void a_failed_request_ends_the_slot(void **state)
{
	static const int errors[] = {-ECANCELED, -ENODEV, -ETIMEDOUT, -EBADMSG};
	struct server *s = *state;
	for (size_t e = 0; e < sizeof(errors) / sizeof(*errors); e++) {
		s->fail = errors[e];
		for (s->fail_at = 1; s->fail_at <= 3; s->fail_at++) {
			assert_int_equal(start(s), s->fail);
			assert_int_equal(s->requests, s->fail_at);
		}
		for (size_t k = 1; k <= 3; k++) {
			s->fail_at = 0;
			assert_int_equal(start(s), 0);
			s->fail_at = k;
			PLAY(s, PAGE("/stat.htm", IDLE), PAGE("/datafile.htm", READY(FILE_PATH)),
				BYTES(FILE_PATH, s->file, s->file->len));
			assert_int_equal(acquire(s), s->fail);
			assert_int_equal(s->requests, k);
			assert_int_equal(s->h->raw.count, 0);
		}
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_run_applies_starts_polls_and_downloads),
		T(settings_replace_parameters_of_the_command),
		T(a_command_that_cannot_be_right_is_found),
		T(the_last_status_of_the_page_counts),
		T(a_start_without_scans_is_rejected),
		T(the_file_of_the_measurement_before_is_rejected),
		T(the_link_to_the_file_is_a_path_of_the_server),
		T(every_wait_ends),
		T(a_stop_takes_the_measurement_to_its_end),
		T(an_aborted_measurement_gets_the_stop_command),
		T(a_failed_request_ends_the_slot),
	};
	return cmocka_run_group_tests_name("bruker-web-measure", tests, NULL, NULL);
}
