/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket's requests: every operation of the table, without a daemon. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <zmq.h>

#include "base/clock.h"
#include "core/control/actor.h"
#include "core/control/ops.h"
#include "core/control/replies.h"
#include "core/keep/jobs.h"
#include "core/keep/retention.h"
#include "core/reload.h"
#include "core/replay/cursors.h"
#include "core/runs/rows.h"
#include "journal/journal.h"
#include "record/json.h"
#include "drivers.h"
#include "roof.h"
#include "virtual-loop.h"

static struct roof roof;

static int open_roof(void **state)
{
	roof_open(&roof);
	return 0;
}

static int close_roof(void **state)
{
	roof_close(&roof);
	return 0;
}

/* The last reply as JSON. */
static const char *reply(void)
{
	static struct buffer json;
	buffer_reset(&json);
	assert_int_equal(json_write(&json, roof.reply.data, roof.reply.len), 0);
	buffer_append(&json, "", 1);
	return (const char *)json.data;
}

static void assert_has(const char *text)
{
	if (strstr(reply(), text) == NULL)
		fail_msg("no %s in %s", text, reply());
}

static void assert_refused(const char *code, const char *text)
{
	char expected[80];
	snprintf(expected, sizeof expected, "{\"ok\":false,\"error\":{\"code\":\"%s\"", code);
	assert_has(expected);
	assert_has(text);
}

/* --- requests -------------------------------------------------------------------------------- */

enum kind { NONE, TEXT, UINT, BOOL, RAW };

struct arg {
	const char *name;
	enum kind kind;
	const char *text; /* TEXT, and RAW: encoded CBOR */
	uint64_t number;  /* UINT, BOOL; RAW: its length */
};

#define MAX_ARGS 8

static void put(struct map *map, const struct arg *arg)
{
	switch (arg->kind) {
	case TEXT: map_text(map, arg->name, arg->text); break;
	case UINT: map_uint(map, arg->name, arg->number); break;
	case BOOL: map_bool(map, arg->name, arg->number != 0); break;
	case RAW:
		map_key(map, arg->name);
		encode_raw(map->to, arg->text, arg->number);
		break;
	case NONE: break;
	}
}

static void write_request(struct buffer *request, const char *op, const struct arg args[MAX_ARGS])
{
	struct map map;
	map_open(&map, request);
	for (size_t i = 0; args != NULL && i < MAX_ARGS && args[i].name != NULL; i++)
		put(&map, &args[i]);
	map_text(&map, "op", op); /* it may be anywhere */
	map_close(&map);
}

/* Sends the request; the reply may come later. */
static void send_args(const char *op, const struct arg args[MAX_ARGS])
{
	struct buffer request = {0};
	write_request(&request, op, args);
	roof_ask(&roof, request.data, request.len);
	buffer_finish(&request);
}

#define ARGS(...) ((const struct arg[MAX_ARGS]){__VA_ARGS__})
#define T(name, text)               \
	{                           \
		name, TEXT, text, 0 \
	}
#define N(name, number)                  \
	{                                \
		name, UINT, NULL, number \
	}
#define B(name, flag)                  \
	{                              \
		name, BOOL, NULL, flag \
	}
#define R(name, bytes, len)           \
	{                             \
		name, RAW, bytes, len \
	}

static void ask(const char *op, const struct arg args[MAX_ARGS])
{
	send_args(op, args);
	roof_wait_reply(&roof);
}

static void expect(const char *op, const struct arg args[MAX_ARGS], const char *text)
{
	ask(op, args);
	assert_has("{\"ok\":true");
	assert_has(text);
}

static void refuse(
	const char *op, const struct arg args[MAX_ARGS], const char *code, const char *text)
{
	ask(op, args);
	assert_refused(code, text);
}

/* --- every operation with every way in which its arguments can be wrong ----------------------- */

/* A value of the type of this argument. */
static struct arg right_value(const struct key *key)
{
	struct arg arg = {key->name, TEXT, .text = "x"};
	switch (key->type) {
	case KEY_UINT: arg = (struct arg){key->name, UINT, .number = 1}; break;
	case KEY_BOOL: arg = (struct arg){key->name, BOOL, .number = 1}; break;
	case KEY_WORD: arg.text = words_name(key->words, 1); break;
	case KEY_RAW: arg = (struct arg){key->name, RAW, "\xa0", .number = 1}; break;
	case KEY_LIST: arg = (struct arg){key->name, RAW, "\x80", .number = 1}; break;
	default: break;
	}
	return arg;
}

/* A value of another type; false: there is none. */
static bool wrong_value(const struct key *key, struct arg *arg)
{
	bool is_number = key->type == KEY_UINT || key->type == KEY_BOOL;
	*arg = is_number ? (struct arg){key->name, TEXT, .text = "x"}
			 : (struct arg){key->name, UINT, .number = 7};
	return key->type != KEY_RAW;
}

/* Sends the right arguments, except one, which is replaced. */
static void ask_with(const struct op *op, const struct key *but, struct arg instead)
{
	struct arg args[MAX_ARGS] = {0};
	size_t count = 0;
	for (const struct key *key = op->args.rows; key != NULL && key->name != NULL; key++)
		args[count++] = key == but ? instead : right_value(key);
	if (but == NULL)
		args[count++] = instead;
	assert_true(count <= MAX_ARGS);
	ask(op->name, args);
}

static void try_argument(const struct op *op, const struct key *key)
{
	char text[120], expected[60], limit[80], *large;
	struct arg wrong;
	if (key->required) {
		ask_with(op, key, (struct arg){.name = key->name});
		snprintf(text, sizeof text, "%s needs %s: ", op->name, key->name);
		assert_refused("missing-argument", text);
		assert_has(key->help);
	}
	if (wrong_value(key, &wrong)) {
		ask_with(op, key, wrong);
		snprintf(text, sizeof text, "%s of %s must be ", key->name, op->name);
		assert_refused("bad-argument", text);
		if (key->type != KEY_OTHER)
			assert_has(key_expected(key, expected, sizeof expected));
	}
	if (key->type == KEY_CHARS) {
		large = calloc(1, key->size + 1);
		memset(large, 'x', key->size);
		ask_with(op, key, (struct arg){key->name, TEXT, .text = large});
		free(large);
		snprintf(limit, sizeof limit, "%s of %s must be a text of at most %u bytes",
			key->name, op->name, (unsigned)key->size - 1);
		assert_refused("bad-argument", limit);
	}
}

static void every_wrong_argument_is_refused_with_the_accepted_ones(void **state)
{
	char text[80];
	size_t count = 0;
	for (const struct op *const *family = control_ops; *family != NULL; family++) {
		for (const struct op *op = *family; op->name != NULL; op++, count++) {
			snprintf(text, sizeof text, "%s has no argument 'nonsense'; accepted: %s",
				op->name, op->args.rows == NULL ? "none" : op->args.rows->name);
			ask_with(op, NULL, (struct arg)N("nonsense", 1));
			assert_refused("unknown-argument", text);
			for (const struct key *key = op->args.rows;
				key != NULL && key->name != NULL; key++) {
				assert_non_null(key->help);
				try_argument(op, key);
			}
		}
	}
	assert_true(count >= 17);
}

static void bytes_that_are_no_request_are_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *code, *text;
	} wrong[] = {
		{"", 0, "bad-request", "one CBOR map"},
		{"\x82\x01\x02", 3, "bad-request", "map"},
		{"\x9b\0\0\0\0\x10\0\0\0", 9, "bad-request", "map"}, /* 2^28 items announced */
		{"\xa1\x62op\xbb\0\0\0\0\x10\0\0\0", 13, "bad-request", "must be a text"},
		{"\xa1\x62op\x07", 5, "bad-request", "must be a text"},
		{"\xa1\x62no\x01", 5, "bad-request", "has no `op`"},
		{"\xa0", 1, "bad-request", "has no `op`"},
		{"\xa2\x62op\x64help\x62op\x64help", 17, "bad-request", "op"}, /* twice */
		{"\xa1\x62op\x64help\x01", 10, "bad-request", "map"},          /* and more */
		{"\xb9\0\1\x62op\x64help", 11, "bad-request", "shortest"},
		{"\xbf\x62op\x64help\xff", 10, "bad-request", "length"}, /* no length */
		{"\xa1\x62op\x65halts", 10, "unknown-op", "accepted: help, status, reload"},
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		roof_ask(&roof, wrong[i].bytes, wrong[i].len);
		assert_refused(wrong[i].code, wrong[i].text);
	}
}

static void help_is_the_table(void **state)
{
	expect("help", NULL, "\"run-start\":{\"help\":\"starts a run; ");
	assert_has("{\"instrument\":{\"type\":\"text\",\"required\":true,\"help\":");
	assert_has("\"wait\":{\"type\":\"uint\",\"required\":false");
	assert_has("\"now\":{\"type\":\"bool\"");
	assert_has("\"settings\":{\"type\":\"any\"");
	assert_has("\"cursor-forget\"");
}

/* --- the daemon ------------------------------------------------------------------------------ */

static void status_shows_the_daemon_and_its_instruments(void **state)
{
	expect("status", NULL, "\"site\":\"site\",\"node\":\"node\",\"timezone\":\"UTC\"");
	assert_has("\"disk\":\"ok\"");
	assert_has("\"key\":\"xrf-1\",\"driver\":\"amptek-dp5\",\"technique\":\"xrf\"");
	assert_has("\"key\":\"ms-1\"");
	expect("status", ARGS(T("instrument", "ms-1")), "\"state\":\"connecting\",\"since\":");
	assert_null(strstr(reply(), "xrf-1"));
	refuse("status", ARGS(T("instrument", "xrf-9")), "not-found", "xrf-1, ms-1");
	refuse("status", ARGS(T("instrument", "a-name-that-is-longer-than-any-key-is")),
		"not-found", "xrf-1, ms-1");
}

static void status_has_the_clock_and_every_calibration(void **state)
{
	expect("status", NULL, "\"clock\":{\"utc\":");
	assert_has("\"calibrations\":[],");
	roof.plan.instruments =
		"  xrf-2:\n    driver: amptek-dp5\n    link: {type: udp, host: 192.0.2.2}\n"
		"    calibration: {id: CAL-1, until: 2027-04-01, energy: {gain: 10 eV}}\n";
	roof.plan.methods =
		"  two:\n    version: 1\n    driver: amptek-dp5\n    steps:\n"
		"      - {name: light, settings: {},\n"
		"         calibration: {id: CAL-2, from: 2027-04-02, energy: {gain: 4 eV}}}\n";
	roof_configure(&roof, "");
	expect("reload", ARGS(B("now", true)), "{\"ok\":true}");
	expect("status", NULL,
		"\"calibrations\":[{\"instrument\":\"xrf-2\",\"id\":\"CAL-1\",\"until\":");
	assert_has("},{\"method\":\"two\",\"step\":\"light\",\"id\":\"CAL-2\",\"from\":");
}

static void a_reload_takes_a_right_file_only(void **state)
{
	roof_configure(&roof, "kep: forever");
	refuse("reload", NULL, "refused", "assayd.yaml:8:3: ");
	assert_has("did you mean 'keep'?");
	roof_configure(&roof, "segment: 128MiB");
	refuse("reload", NULL, "refused", "needs a restart");
	roof_configure(&roof, "");
	expect("reload", ARGS(B("now", true)), "{\"ok\":true}");
}

/* Puts `new` in the place of `old` in the configuration. */
static void edit(const char *old, const char *new)
{
	char text[4000] = "";
	FILE *file = fopen(roof.file, "r");
	assert_true(fread(text, 1, sizeof text - 1, file) > 0);
	fclose(file);
	char *at = strstr(text, old);
	assert_non_null(at);
	file = fopen(roof.file, "w");
	fprintf(file, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
	fclose(file);
}

static void the_time_zone_changes_with_a_restart_only(void **state)
{
	edit("node: node\n", "node: node\n  timezone: Asia/Tokyo\n");
	refuse("reload", NULL, "refused",
		"site, node and timezone` changed, which needs a restart: sudo systemctl restart "
		"assayd");
}

static void instruments_stand_in_the_order_of_the_configuration(void **state)
{
	edit("port: 9", "port: 10");
	expect("reload", ARGS(B("now", true)), "");
	expect("status", NULL, "\"key\":\"xrf-1\"");
	assert_true(strstr(reply(), "\"key\":\"xrf-1\"") < strstr(reply(), "\"key\":\"ms-1\""));
}

/* Runs the loop until the jobs' thread has reported. */
static void wait_for_jobs(void)
{
	while (roof.replies < roof.requests)
		virtual_loop_run_for(roof.core.loop, NS_PER_MS);
}

/* Takes this program for the worker that runs a driver's check, on the thread for that. */
static void check_with(struct catalog *catalog, struct catalog_driver *drivers, const char *worker)
{
	memcpy(drivers, test_catalog.drivers, test_catalog.count * sizeof *drivers);
	drivers[0].has_check = true;
	*catalog = (struct catalog){.drivers = drivers,
		.count = test_catalog.count,
		.worker = (char *)(uintptr_t)worker,
		.driver_dir = roof.folder};
	roof.core.catalog = catalog;
	assert_int_equal(jobs_start(&roof.core.checks, roof.core.loop), 0);
}

/* The driver's check hangs until the test lets it go on; meanwhile others are served. */
static void nothing_else_waits_for_the_check_of_a_driver(void **state)
{
	struct catalog catalog;
	struct catalog_driver drivers[8];
	char go[120], worker[120];
	assert_true(test_catalog.count <= 8);
	snprintf(go, sizeof go, "%s/go", roof.folder);
	snprintf(worker, sizeof worker, "%s/worker", roof.folder);
	assert_int_equal(mkfifo(go, 0600), 0);
	FILE *script = fopen(worker, "w");
	fprintf(script, "#!/bin/sh\nread line <%s\n", go);
	fclose(script);
	assert_int_equal(chmod(worker, 0700), 0);
	check_with(&catalog, drivers, worker);
	send_args("reload", NULL);
	send_args("status", NULL);
	assert_has("\"ok\":true");
	assert_int_equal(roof.replies, 1);
	int fd = open(go, O_WRONLY | O_CLOEXEC); /* waits for the script */
	assert_true(fd >= 0);
	close(fd);
	wait_for_jobs();
	assert_refused("refused", "check");
	jobs_stop(roof.core.checks);
	roof.core.checks = NULL;
}

static void maintenance_takes_an_instrument_out_of_service(void **state)
{
	expect("maintenance", ARGS(T("instrument", "ms-1"), B("on", true)), "");
	expect("status", ARGS(T("instrument", "ms-1")), "\"state\":\"maintenance\"");
	expect("maintenance", ARGS(T("instrument", "ms-1"), B("on", false)), "");
	refuse("maintenance", ARGS(T("instrument", "x"), B("on", false)), "not-found", "ms-1");
}

static struct config_instrument *config_of(const char *key)
{
	struct instrument *instrument;
	list_for_each(instrument, &roof.core.instruments.list, link)
	{
		if (strcmp(instrument->config->key, key) == 0)
			return (struct config_instrument *)(uintptr_t)instrument->config;
	}
	fail_msg("no %s", key);
	return NULL;
}

static void faults_are_for_simulated_instruments(void **state)
{
	const struct arg xrf_1 = T("instrument", "xrf-1");
	expect("fault", ARGS(xrf_1, T("faults", "delay=1s drop=0.1")), "{\"ok\":true}");
	expect("status", ARGS(xrf_1), "\"faults\":\"delay=1s drop=0.1\"");
	refuse("fault", ARGS(xrf_1, T("faults", "drop=2")), "bad-argument", "a share of 0 to 1");
	expect("status", ARGS(xrf_1), "\"faults\":\"delay=1s drop=0.1\"");
	expect("fault", ARGS(xrf_1, T("faults", "off")), "{\"ok\":true}");
	expect("status", ARGS(xrf_1), "");
	assert_null(strstr(reply(), "\"faults\""));
	refuse("fault", ARGS(T("instrument", "x"), T("faults", "off")), "not-found", "ms-1");
	config_of("xrf-1")->simulated = false;
	refuse("fault", ARGS(xrf_1, T("faults", "drop=1")), "refused", "is not simulated");
	config_of("xrf-1")->simulated = true;
	expect("status", ARGS(xrf_1), "");
	assert_null(strstr(reply(), "\"faults\""));
}

/* --- settings -------------------------------------------------------------------------------- */

static void describe_shows_drivers_and_values(void **state)
{
	expect("describe", NULL, "\"name\":\"srs-rga\"");
	expect("describe", ARGS(T("driver", "srs-rga")), "\"noise_floor\"");
	assert_null(strstr(reply(), "amptek"));
	refuse("describe", ARGS(T("driver", "srs-rgb")), "not-found", "srs-rga");
	refuse("describe", ARGS(T("instrument", "srs-rga")), "not-found", "xrf-1, ms-1");
	expect("describe", ARGS(T("instrument", "xrf-1")),
		"\"value\":{\"v\":10,\"u\":\"s\"},\"from\":\"");
	assert_has("\"link\":\"udp:127.0.0.1:9");
	assert_has("assayd.yaml:");
	assert_has("\"from\":\"default\"");
}

static const struct arg twenty_seconds = R("settings", "\xa1\x6bpreset_time\x64\x32\x30 s", 18);

static void settings_change_at_run_time(void **state)
{
	static const struct {
		const char *settings;
		size_t len;
		const char *code, *text;
	} wrong[] = {
		{"\xa0", 1, "bad-argument", "1 to 64 names"},
		{"\x80", 1, "bad-argument", "1 to 64 names"},
		{"\xa1\x07\x01", 3, "bad-argument", "settings: "},
		{"\xa1\x6bpreset_time\x80", 14, "bad-argument", "the value of 'preset_time'"},
		{"\xa1\x6apreset_tim\x63"
		 "5 s",
			16, "refused", "did you mean 'preset_time'?"},
		{"\xa1\x6bpreset_time\x05", 14, "refused", "unit"},
		{"\xa1\x68"
		 "channels\x19\x02\x00",
			13, "refused", "reload"},
		{"\xa2\x61"
		 "a\xf5\x61"
		 "b\xfb\x3f\xe0\0\0\0\0\0\0",
			15, "refused", "'b'"},
	};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
		refuse("set",
			ARGS(T("instrument", "xrf-1"),
				R("settings", wrong[i].settings, wrong[i].len)),
			wrong[i].code, wrong[i].text);
	refuse("set", ARGS(T("instrument", "x"), twenty_seconds), "not-found", "xrf-1, ms-1");
	expect("set", ARGS(T("instrument", "xrf-1"), twenty_seconds),
		"\"settings\":{\"preset_time\":{\"v\":20,\"u\":\"s\"}}");
	expect("describe", ARGS(T("instrument", "xrf-1")),
		"\"value\":{\"v\":20,\"u\":\"s\"},\"from\":\"set\"");
	expect("status", ARGS(T("instrument", "xrf-1")), "\"changed\":true");
	expect("set", ARGS(T("instrument", "ms-1"), R("settings", "\xa1\x6bnoise_floor\x07", 14)),
		"\"noise_floor\":7");
	expect("reload", NULL, "");
	expect("describe", ARGS(T("instrument", "xrf-1")), "\"changed\":false");
}

/* --- runs ------------------------------------------------------------------------------------ */

static struct instrument *xrf(void)
{
	struct instrument *instrument = instrument_find(&roof.core.instruments, "xrf-1");
	assert_non_null(instrument);
	return instrument;
}

/* Delivers a message of xrf-1's worker and empties the buffer. */
static void deliver(struct buffer *message)
{
	struct wire_message m;
	assert_true(wire_next(message->data, message->len, &m) > 0);
	assert_int_equal(instrument_port_ops.message(xrf(), &m), 0);
	buffer_finish(message);
}

static void connect_xrf(void)
{
	struct buffer message = {0};
	struct wire_identity identity = {.make = string_of("Amptek"),
		.model = string_of("DP5"),
		.serial = string_of("2524")};
	wire_write_identity(&message, 0, &identity);
	deliver(&message);
	struct assay_span settings = instrument_settings(xrf());
	wire_write_ready(&message, 0, (struct assay_span){settings.data, settings.len});
	deliver(&message);
}

static void end_run(enum wire_end end, const char *text)
{
	struct buffer message = {0};
	wire_write_ended(&message, 0, end, "", text);
	deliver(&message);
}

/* Starts a run, acquisition included, and gives its number. */
static void start_run(const char *op, const struct arg args[MAX_ARGS], char number[64])
{
	struct buffer message = {0};
	struct assay_span settings = instrument_settings(xrf());
	struct wire_started started = {
		.utc = clock_utc(), .settings = {settings.data, settings.len}};
	send_args(op, args);
	assert_true(roof.replies < roof.requests); /* not before the run-start is committed */
	wire_write_started(&message, 0, &started);
	deliver(&message);
	roof_wait_reply(&roof);
	assert_has("{\"ok\":true,\"number\":\"node/xrf-1/");
	snprintf(number, 64, "%.25s", strstr(reply(), "node/"));
	*strchr(number, '"') = '\0';
}

static void a_start_waits_until_the_instrument_is_connected(void **state)
{
	struct buffer message = {0};
	const struct arg args[MAX_ARGS] = {T("instrument", "xrf-1"), T("sample", "S-7")};
	refuse("run-start", ARGS(T("instrument", "xrf-1")), "refused", "--sample");
	send_args("run-start", args);
	assert_true(roof.replies < roof.requests);
	virtual_loop_run_for(roof.core.loop, 4 * NS_PER_S);
	instrument_tick(xrf());
	assert_true(roof.replies < roof.requests);
	virtual_loop_run_for(roof.core.loop, 2 * NS_PER_S);
	instrument_tick(xrf());
	assert_int_equal(roof.replies, roof.requests);
	assert_refused("not-ready", "connecting");

	send_args("run-start", args);
	connect_xrf();
	struct assay_span settings = instrument_settings(xrf());
	struct wire_started started = {.utc = clock_utc(), .settings = settings};
	assert_true(roof.replies < roof.requests);
	wire_write_started(&message, 0, &started);
	deliver(&message);
	roof_wait_reply(&roof);
	assert_has("{\"ok\":true,\"number\":\"node/xrf-1/");
}

static void a_start_that_waits_can_be_stopped(void **state)
{
	send_args("run-start", ARGS(T("instrument", "xrf-1"), T("sample", "S-7")));
	send_args("run-stop", ARGS(T("instrument", "xrf-1")));
	assert_has("the run was ended before it started");
	roof_wait_reply(&roof);
	assert_has("\"ok\":true");
	connect_xrf();
	expect("status", ARGS(T("instrument", "xrf-1")), "\"state\":\"idle\"");
}

/* It refers to a method of the configuration that was there when it came. */
static void a_reload_keeps_the_configuration_of_a_start_that_waits(void **state)
{
	const struct arg now[MAX_ARGS] = {B("now", true)};
	send_args("run-start",
		ARGS(T("instrument", "xrf-1"), T("sample", "S-7"), T("method", "quick")));
	send_args("reload", NULL);
	roof_commit(&roof);
	assert_has("\"ok\":true");
	reload_release(&roof.core);
	assert_int_equal(roof.core.retired_count, 1);
	edit("port: 9", "port: 10");
	send_args("reload", NULL);
	assert_refused("busy", "a run is open on xrf-1");
	send_args("maintenance", ARGS(T("instrument", "xrf-1"), B("on", true)));
	assert_refused("busy", "a run is open on xrf-1");
	assert_int_equal(roof.replies, roof.requests - 1);
	send_args("reload", now);
	assert_refused("not-started", "its configuration was changed");
	roof_wait_reply(&roof);
	assert_has("\"ok\":true");
	reload_release(&roof.core);
	assert_int_equal(roof.core.retired_count, 0);
}

static void a_run_starts_when_it_is_committed(void **state)
{
	char number[64], second[64];
	const struct arg sample = T("sample", "S-7");
	connect_xrf();
	refuse("run-start", ARGS(T("instrument", "xrf-1")), "refused", "--sample");
	refuse("run-start", ARGS(T("instrument", "xrf-1"), T("sample", "7")), "refused", "S-1");
	refuse("run-start", ARGS(T("instrument", "xrf-1"), T("sample", "S-7\r")), "refused",
		"sample 'S-7\\\\r' ends with a carriage return: set the scanner's suffix");
	refuse("run-start", ARGS(T("instrument", "xrf-1"), sample, T("operator", " ")), "refused",
		"operator ' ' has no visible character");
	refuse("run-start", ARGS(T("instrument", "xrf-1"), sample, T("operator", "none")),
		"refused", "'none' means that there is no operator");
	refuse("run-start", ARGS(T("instrument", "xrf-1"), sample, T("note", "\xe2\x80\xaex")),
		"refused", "an invisible character (U+202E)");
	refuse("run-start", ARGS(T("instrument", "xrf-1"), sample, T("method", "slow")),
		"not-found", "methods.d");
	refuse("run-start", ARGS(T("instrument", "xrf-1"), sample, R("refs", "\x81\xa0", 2)),
		"bad-argument", "{rel, run}");
	refuse("run-start", ARGS(T("instrument", "xrf-1"), sample, T("entered", "guessed")),
		"bad-argument", "scanned, typed, lims, instrument");
	refuse("run-stop", ARGS(T("instrument", "xrf-1")), "not-found", "no run is open");

	start_run("run-start",
		ARGS(T("instrument", "xrf-1"), sample, T("operator", "kim"), T("note", "left side"),
			T("entered", "scanned"), T("method", "quick")),
		number);
	expect("status", ARGS(T("instrument", "xrf-1")), "\"run\":{\"number\":\"node/xrf-1/");
	assert_has("\"sample\":\"S-7\",\"operator\":\"kim\"");
	refuse("run-start", ARGS(T("instrument", "xrf-1"), sample), "refused", "run is open");
	expect("run-show", ARGS(T("number", number)), "\"sample\":\"S-7\"");
	assert_null(strstr(reply(), "status"));
	expect("run-stop", ARGS(T("instrument", "xrf-1")), number);
	end_run(WIRE_END_STOPPED, "");
	expect("run-show", ARGS(T("number", number)), "\"status\":\"stopped\"");
	refuse("run-show", ARGS(T("number", "node/xrf-1/1")), "not-found", "run list");

	start_run("run-repeat", ARGS(T("run", number)), second);
	assert_string_not_equal(number, second);
	expect("run-show", ARGS(T("number", second)), "\"sample\":\"S-7\"");
	expect("run-abort", ARGS(T("instrument", "xrf-1")), second);
	end_run(WIRE_END_ABORTED, "");
	expect("runs", NULL, "\"status\":\"aborted\"");
	assert_has("\"status\":\"stopped\"");
	expect("runs", ARGS(N("limit", 1)), "\"status\":\"aborted\"");
	assert_null(strstr(reply(), "stopped"));
	expect("runs", ARGS(N("limit", 0)), "\"runs\":[]");
	expect("runs", ARGS(T("instrument", "ms-1")), "\"runs\":[]");
	expect("runs", ARGS(T("sample", "S-8")), "\"runs\":[]");

	/* The instrument ended it by itself and early. */
	start_run("run-repeat", ARGS(T("run", number)), second);
	end_run(WIRE_END_COMPLETE, "counting ended early");
	expect("run-show", ARGS(T("number", second)), "\"status\":\"stopped\"");

	send_args("run-start", ARGS(T("instrument", "xrf-1"), sample));
	end_run(WIRE_END_FAILED, "the detector is warm");
	assert_refused("not-started", "the detector is warm");
}

/* The one run of sample S-1, on which the tests of corrections work. */
static void start_and_end(char number[64])
{
	connect_xrf();
	start_run("run-start", ARGS(T("instrument", "xrf-1"), T("sample", "S-1")), number);
	expect("run-stop", ARGS(T("instrument", "xrf-1")), number);
	end_run(WIRE_END_STOPPED, "");
}

static void a_run_is_corrected_with_a_reason(void **state)
{
	char number[64];
	start_and_end(number);
	const struct arg run = T("run", number);
	const struct arg reason = T("reason", "wrong barcode");
	const struct arg s2 = R("set", "\xa1\x66sample\x63S-2", 12);
	const struct arg invalid = R(
		"set", "\xa3\x68operator\x63lee\x64note\x65right\x65valid\xf4", 32);
	refuse("amend", ARGS(run, s2), "refused", "--reason");
	refuse("amend", ARGS(run, s2, T("reason", " \t")), "refused", "--reason");
	refuse("amend", ARGS(run, R("set", "\xa0", 1), reason), "bad-argument", "valid");
	refuse("amend", ARGS(run, R("set", "\xa1\x66smaple\x61x", 10), reason), "bad-argument",
		"sample, operator and note are texts");
	refuse("amend", ARGS(run, R("set", "\xa1\x65valid\x01", 8), reason), "bad-argument",
		"true or false");
	refuse("amend", ARGS(run, R("set", "\xa1\x66sample\x61x", 10), reason), "refused", "S-1");
	refuse("amend", ARGS(run, R("set", "\xa1\x66sample\x64S-2 ", 13), reason), "refused",
		"sample 'S-2 ' ends with a blank");
	refuse("amend", ARGS(run, s2, T("reason", "x\x1b")), "refused", "reason 'x\\\\x1b' ends");
	refuse("amend", ARGS(T("run", "node/xrf-1/1"), s2, reason), "not-found", "run list");
	refuse("amend", ARGS(R("run", "\x42xx", 3), s2, reason), "bad-argument",
		"UUID of 16 bytes");
	send_args("amend", ARGS(run, s2, reason));
	assert_true(roof.replies < roof.requests); /* not before it is committed */
	roof_wait_reply(&roof);
	assert_has("\"amended\":{\"sample\":\"S-2\",\"reason\":\"wrong barcode\",\"actor\":"
		   "\"kim\"");
	refuse("amend", ARGS(run, s2, reason), "refused", "nothing to change");
	expect("amend", ARGS(run, invalid, reason), "\"valid\":false");
	assert_has("\"operator\":\"lee\",\"note\":\"right\"");
	expect("runs", ARGS(T("sample", "S-2")), number);
	expect("runs", ARGS(T("sample", "S-1")), number);
}

static void a_run_is_repeated_as_it_was(void **state)
{
	char number[64], second[64];
	refuse("run-repeat", ARGS(T("run", "node/xrf-1/1")), "not-found", "run list");
	start_and_end(number);
	expect("set", ARGS(T("instrument", "xrf-1"), twenty_seconds), "");
	start_run("run-repeat", ARGS(T("run", number)), second);
	expect("run-stop", ARGS(T("instrument", "xrf-1")), second);
	end_run(WIRE_END_STOPPED, "");
	struct runs_search search = {.number = second};
	struct runs_row row;
	assert_int_equal(runs_search(roof.core.runs, &search, &row), 1);
	char id[17] = "\x50";
	memcpy(id + 1, row.id, 16);
	start_run("run-repeat", ARGS(R("run", id, 17)), number);
}

/* --- the journal, recordings ----------------------------------------------------------------- */

static void confirmations_need_retention(void **state)
{
	static const char sha[] = "\x58\x20"
				  "0123456789abcdef0123456789abcdef";
	char list[100] = "\x81\xa3\x65"
			 "first\x03\x64last\x01\x66sha256",
	     id[JOURNAL_ID_TEXT];
	size_t len = strlen(list);
	memcpy(list + len, sha, sizeof sha);
	len += sizeof sha - 1;
	journal_id_format(id, journal_id(roof.core.journal));
	const struct arg to = T("to", "/mnt/archive");
	refuse("archived", ARGS(T("journal", "x"), R("segments", list, len), to), "bad-argument",
		"as its folder is named");
	refuse("archived", ARGS(T("journal", id), R("segments", "\x80", 1), to), "bad-argument",
		"1 to 64 maps");
	refuse("archived", ARGS(T("journal", id), R("segments", list, len), to), "bad-argument",
		"1 to 64 maps"); /* the last is before the first */
	refuse("archived", ARGS(T("journal", id), R("segments", "\x81\xa0", 2), to), "bad-argument",
		"segments of archived: [0]: no key");
	list[8] = 1;
	refuse("archived", ARGS(T("journal", id), R("segments", list, len), to), "busy",
		"retention does not run");
}

static void on_look_due(void *arg)
{
}

static void a_confirmation_compares_with_the_journal(void **state)
{
	static const char segments[] = "\x81\xa3\x65\x66irst\x01\x64last\x01\x66sha256\x58\x20"
				       "0123456789abcdef0123456789abcdef";
	char id[JOURNAL_ID_TEXT];
	const struct retention_options options = {.loop = roof.core.loop,
		.path = roof.folder,
		.journal = journal_id(roof.core.journal),
		.audit = &roof.core.audit,
		.published = roof.core.published,
		.cursors = roof.core.cursors,
		.due = on_look_due};
	assert_int_equal(retention_start(&roof.core.retention, &options), 0);
	journal_id_format(id, journal_id(roof.core.journal));
	const struct arg args[MAX_ARGS] = {T("journal", id),
		R("segments", segments, sizeof segments - 1), T("to", "/mnt/archive")};
	send_args("archived", args);
	send_args("archived", args);
	assert_refused("busy", "another archive");
	wait_for_jobs();
	assert_refused("refused", "entries 1 to 1: there is no such closed file");
	send_args("archived", args);
	size_t requests = roof.requests;
	roof_close(&roof);
	assert_int_equal(roof.replies, requests);
	roof_open(&roof);
}

static size_t count_of(struct cursors *cursors)
{
	struct cursor_view view;
	size_t count = 0;
	for (; cursors_view(cursors, count, &view) == 0; count++)
		free(view.marks);
	return count;
}

static void a_cursor_is_forgotten_for_good(void **state)
{
	struct assay_string name = string_of("lims");
	refuse("cursor-forget", ARGS(T("name", "lims")), "not-found", "no cursor");
	expect("reload", NULL, ""); /* there is an entry to pass */
	struct cursors *cursors = roof.core.cursors;
	assert_int_equal(cursors_move(cursors, name, journal_id(roof.core.journal),
				 string_of("a1/audit/"), 0),
		0);
	assert_int_equal(cursors_flush(cursors), 0);
	assert_int_equal(count_of(cursors), 1);
	expect("cursor-forget", ARGS(T("name", "lims")), "{\"ok\":true}");
	assert_int_equal(count_of(cursors), 0);
}

static void a_port_is_recorded_once_at_a_time(void **state)
{
	const struct arg xrf_1 = T("instrument", "xrf-1");
	refuse("capture-start", ARGS(T("instrument", "x")), "not-found", "xrf-1, ms-1");
	expect("capture-start", ARGS(xrf_1), "\"id\":1");
	refuse("capture-start", ARGS(xrf_1), "busy", "one recording at a time");
	refuse("capture-read", ARGS(N("id", 9)), "not-found", "20 s");
	refuse("capture-stop", ARGS(N("id", 9)), "not-found", "20 s");
	const struct arg id = N("id", 1);
	expect("capture-read", ARGS(id), "\"data\":\"415353415943415"); /* ASSAYCAP */
	assert_has("\"end\":false");
	expect("capture-read", ARGS(id, N("wait", 0)), "\"data\":\"\"");
	send_args("capture-read", ARGS(id));
	send_args("capture-read", ARGS(id)); /* at once: the first waits */
	assert_refused("busy", "another read");
	virtual_loop_run_for(roof.core.loop, 6 * NS_PER_S);
	assert_int_equal(roof.replies, roof.requests);
	assert_has("\"data\":\"\",\"end\":false");
	expect("capture-stop", ARGS(id), "{\"ok\":true}");
	expect("capture-read", ARGS(id), "\"end\":true");
	refuse("capture-read", ARGS(id), "not-found", "20 s");
}

static void requests_that_wait_are_bounded(void **state)
{
	char number[64], change[] = "\xa1\x66sample\x65S-000";
	start_and_end(number);
	for (int i = 0; i < 65; i++) {
		snprintf(change + 9, 6, "S-%03d", i);
		send_args("amend", ARGS(T("run", number), R("set", change, 14), T("reason", "x")));
	}
	assert_refused("busy", "too many requests");
	assert_int_equal(roof.requests - roof.replies, 64);
	roof_wait_reply(&roof);
	assert_has("\"sample\":\"S-063\"");
	expect("amend", ARGS(T("run", number), R("set", change, 14), T("reason", "x")), "S-064");
}

/* roof_close() stops the core as the roof does. */
static void requests_that_wait_end_with_the_daemon(void **state)
{
	connect_xrf();
	send_args("run-start", ARGS(T("instrument", "xrf-1"), T("sample", "S-1")));
	send_args("capture-start", ARGS(T("instrument", "ms-1")));
	send_args("capture-read", ARGS(N("id", 1), N("wait", 0)));
	send_args("capture-read", ARGS(N("id", 1)));
	assert_int_equal(roof.requests - roof.replies, 2);
	size_t requests = roof.requests;
	roof_close(&roof);
	assert_int_equal(roof.replies, requests);
	roof_open(&roof); /* for the teardown */
}

/* --- the actor --- */

static void an_actor_has_the_name_of_its_user(void **state)
{
	static const char users[] = "root:x:0:0:root:/root:/bin/sh\n"
				    "nothing\n"
				    ":x:7:7::/:\n"
				    "half:x\n"
				    "odd:x:7x:7::/:\n"
				    "two words:x:8:8::/:\n"
				    "esc\033[1m:x:9:9::/:\n"
				    "kim::1000:1000:Kim:/home/kim:/bin/sh\n"
				    "kim2:x:1000:1000::/:\n"
				    "last:x:1001:1001::/:";
	static const struct {
		const char *address, *id;
		enum auth_way auth;
	} peers[] = {
		{"localhost:1000:100:42", "kim", AUTH_OS}, /* the first line counts */
		{"localhost:0:0:42", "root", AUTH_OS},
		{"localhost:1001:100:42", "last", AUTH_OS},
		{"localhost:7:100:42", "uid-7", AUTH_OS},
		{"localhost:8:100:42", "uid-8", AUTH_OS},
		{"localhost:9:100:42", "uid-9", AUTH_OS},
		{"localhost:100:100:42", "uid-100", AUTH_OS},
		{"localhost:4294967295:100:42", "uid-4294967295", AUTH_OS},
		{"localhost:kim:100:42", "unknown", AUTH_NONE},
		{"10.0.0.1", "unknown", AUTH_NONE},
		{"2001:1000:100:42", "unknown", AUTH_NONE},
		{"localhost:1000:100:42:1", "unknown", AUTH_NONE},
		{"", "unknown", AUTH_NONE},
		{NULL, "unknown", AUTH_NONE},
	};
	char path[120];
	struct audit_actor actor;
	snprintf(path, sizeof path, "%s/users", roof.folder);
	FILE *file = fopen(path, "w");
	assert_true(file != NULL && fputs(users, file) >= 0 && fclose(file) == 0);
	for (size_t i = 0; i < sizeof peers / sizeof *peers; i++) {
		struct access_peer peer;
		access_read_local(&peer, peers[i].address);
		actor_find(&actor, &peer, path);
		assert_string_equal(actor.id, peers[i].id);
		assert_int_equal(actor.auth, peers[i].auth);
		assert_string_equal(
			actor.via, actor.auth == AUTH_OS ? "control pid 42" : "control");
	}
	remove(path);
	actor_find(&actor, &(struct access_peer){.is_local = true, .uid = 1000}, path);
	assert_string_equal(actor.id, "uid-1000");
	actor_find(&actor, &(struct access_peer){.name = "lims"}, path);
	assert_string_equal(actor.id, "lims");
	assert_int_equal(actor.auth, AUTH_KEY);
}

/* --- the socket ------------------------------------------------------------------------------ */

static void *connect_peer(int kind)
{
	void *peer = zmq_socket(roof.core.zmq, kind);
	int linger = 0;
	zmq_setsockopt(peer, ZMQ_LINGER, &linger, sizeof linger);
	assert_int_equal(zmq_connect(peer, ROOF_CONTROL), 0);
	return peer;
}

/* Sends `count` empty parts before the request. */
static void send_to(void *peer, int count, const char *op, const struct arg args[MAX_ARGS])
{
	struct buffer request = {0};
	write_request(&request, op, args);
	for (int i = 0; i < count; i++)
		assert_int_equal(zmq_send(peer, "", 0, ZMQ_SNDMORE), 0);
	assert_true(zmq_send(peer, request.data, request.len, 0) > 0);
	buffer_finish(&request);
}

/* Takes a reply from the socket as the last one; the number of parts before it, -1: there is none. */
static int take_reply(void *peer)
{
	char bytes[8192];
	int more = 1;
	size_t size = sizeof more;
	for (int parts = 0;; parts++) {
		int len = zmq_recv(peer, bytes, sizeof bytes, ZMQ_DONTWAIT);
		if (len < 0)
			return -1;
		zmq_getsockopt(peer, ZMQ_RCVMORE, &more, &size);
		if (!more) {
			buffer_reset(&roof.reply);
			buffer_append(&roof.reply, bytes, (size_t)len);
			return parts;
		}
		assert_int_equal(len, 0);
	}
}

static int receive(void *peer)
{
	virtual_loop_run_for(roof.core.loop, NS_PER_MS);
	return take_reply(peer);
}

static void an_envelope_comes_back_before_its_reply(void **state)
{
	void *req = connect_peer(ZMQ_REQ), *dealer = connect_peer(ZMQ_DEALER);
	send_to(req, 0, "run-stop", ARGS(T("instrument", "xrf-1")));
	assert_int_equal(receive(req), 0);
	assert_refused("not-found", "no run is open");
	for (int parts = 0; parts <= 9; parts++) { /* 8, with the peer's id */
		send_to(dealer, parts, "run-stop", ARGS(T("instrument", "xrf-1")));
		assert_int_equal(receive(dealer), parts < 8 ? parts : -1);
	}
	zmq_close(req);
	zmq_close(dealer);
}

/* More than one turn, and more than are served in 50 ms: the others follow, and none is lost. */
static void many_requests_are_served_at_a_bounded_rate(void **state)
{
	void *dealer = connect_peer(ZMQ_DEALER);
	virtual_loop_run_for(roof.core.loop, 60 * NS_PER_MS);
	for (int i = 0; i < 120; i++)
		send_to(dealer, 1, "run-stop", ARGS(T("instrument", "xrf-1")));
	static const int served[] = {50, 50, 20, 0};
	for (size_t i = 0; i < sizeof served / sizeof *served; i++) {
		virtual_loop_run_for(roof.core.loop, i == 0 ? NS_PER_MS : 50 * NS_PER_MS);
		int replies = 0;
		while (take_reply(dealer) >= 0)
			replies++;
		assert_int_equal(replies, served[i]);
	}
	zmq_close(dealer);
}

/* They are held until the peer has read or is gone, also when their owner is gone before. */
static void replies_that_nobody_reads_are_bounded(void **state)
{
	enum { LEN = 1 << 20 };
	void *to = zmq_socket(roof.core.zmq, ZMQ_PAIR), *from = zmq_socket(roof.core.zmq, ZMQ_PAIR);
	assert_int_equal(zmq_bind(to, "inproc://replies"), 0);
	assert_int_equal(zmq_connect(from, "inproc://replies"), 0);
	struct replies *replies = replies_create();
	struct buffer reply = {0};
	memset(buffer_reserve(&reply, LEN), 0, LEN);
	reply.len = LEN;
	for (size_t held = LEN; held < REPLIES_MAX; held += LEN) {
		assert_true(replies_fit(replies, LEN));
		replies_send(replies, from, &reply);
	}
	assert_false(replies_fit(replies, LEN));
	assert_int_equal(zmq_recv(to, NULL, 0, 0), LEN);
	assert_true(replies_fit(replies, LEN));
	replies_destroy(replies);
	buffer_finish(&reply);
	zmq_close(from);
	zmq_close(to);
}

static void a_kept_request_is_answered_on_the_socket(void **state)
{
	void *req = connect_peer(ZMQ_REQ), *gone = connect_peer(ZMQ_DEALER);
	connect_xrf();
	send_to(req, 0, "run-start", ARGS(T("instrument", "xrf-1"), T("sample", "S-1")));
	assert_int_equal(receive(req), -1);
	send_to(gone, 1, "capture-start", ARGS(T("instrument", "ms-1")));
	assert_int_equal(receive(gone), 1);
	send_to(gone, 1, "capture-read", ARGS(N("id", 1)));
	assert_int_equal(receive(gone), 1);
	send_to(gone, 1, "capture-read", ARGS(N("id", 1)));
	assert_int_equal(receive(gone), -1);
	zmq_close(gone);
	end_run(WIRE_END_FAILED, "the detector is warm");
	assert_int_equal(receive(req), 0);
	assert_refused("not-started", "the detector is warm");
	virtual_loop_run_for(roof.core.loop, 6 * NS_PER_S);
	zmq_close(req);
}

int main(void)
{
#define WITH_ROOF(test) cmocka_unit_test_setup_teardown(test, open_roof, close_roof)
	const struct CMUnitTest tests[] = {
		WITH_ROOF(every_wrong_argument_is_refused_with_the_accepted_ones),
		WITH_ROOF(bytes_that_are_no_request_are_refused),
		WITH_ROOF(help_is_the_table),
		WITH_ROOF(status_shows_the_daemon_and_its_instruments),
		WITH_ROOF(status_has_the_clock_and_every_calibration),
		WITH_ROOF(a_reload_takes_a_right_file_only),
		WITH_ROOF(the_time_zone_changes_with_a_restart_only),
		WITH_ROOF(instruments_stand_in_the_order_of_the_configuration),
		WITH_ROOF(nothing_else_waits_for_the_check_of_a_driver),
		WITH_ROOF(maintenance_takes_an_instrument_out_of_service),
		WITH_ROOF(faults_are_for_simulated_instruments),
		WITH_ROOF(describe_shows_drivers_and_values),
		WITH_ROOF(settings_change_at_run_time),
		WITH_ROOF(a_start_waits_until_the_instrument_is_connected),
		WITH_ROOF(a_start_that_waits_can_be_stopped),
		WITH_ROOF(a_reload_keeps_the_configuration_of_a_start_that_waits),
		WITH_ROOF(a_run_starts_when_it_is_committed),
		WITH_ROOF(a_run_is_corrected_with_a_reason),
		WITH_ROOF(a_run_is_repeated_as_it_was),
		WITH_ROOF(confirmations_need_retention),
		WITH_ROOF(a_confirmation_compares_with_the_journal),
		WITH_ROOF(a_cursor_is_forgotten_for_good),
		WITH_ROOF(a_port_is_recorded_once_at_a_time),
		WITH_ROOF(requests_that_wait_are_bounded),
		WITH_ROOF(requests_that_wait_end_with_the_daemon),
		WITH_ROOF(an_actor_has_the_name_of_its_user),
		WITH_ROOF(an_envelope_comes_back_before_its_reply),
		WITH_ROOF(many_requests_are_served_at_a_bounded_rate),
		WITH_ROOF(replies_that_nobody_reads_are_bounded),
		WITH_ROOF(a_kept_request_is_answered_on_the_socket),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
