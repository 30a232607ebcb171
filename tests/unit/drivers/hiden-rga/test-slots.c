/* SPDX-License-Identifier: Apache-2.0 */
/* The slots, on the published session and on a unit whose replies are spoiled one by one. */
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
#include "unit.h"

extern const struct assay_driver *const assay_driver;

struct bench {
	struct host *h;
	struct unit u;
	struct assay_identity id;
};

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	b->h = host_create(assay_driver, ASSAY_LINK_SERIAL);
	unit_init(&b->u, b->h);
	host_set(b->h, "mass_last", "6");
	host_set(b->h, "emission_current", "1");
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;
	host_destroy(b->h);
	free(b);
	return 0;
}

static int identify(struct bench *b)
{
	return b->h->driver->identify(&b->h->ins, &b->id);
}

static int configure(struct bench *b)
{
	return b->h->driver->configure(&b->h->ins);
}

static int start(struct bench *b)
{
	return b->h->driver->start(&b->h->ins);
}

static int acquire(struct bench *b)
{
	b->h->raw.count = b->h->raw.total = 0;
	return b->h->driver->acquire(&b->h->ins, &b->h->raw.handle);
}

static int stop(struct bench *b)
{
	return b->h->driver->stop(&b->h->ins);
}

static int make_safe(struct bench *b)
{
	return b->h->driver->make_safe(&b->h->ins);
}

static void begin(struct bench *b)
{
	assert_int_equal(identify(b), 0);
	assert_int_equal(configure(b), 0);
	assert_int_equal(start(b), 0);
}

static bool heard(const struct bench *b, const char *commands)
{
	return strstr(b->u.heard, commands) != NULL;
}

static bool is_dark(struct bench *b)
{
	return unit_device(&b->u, "F1")->value == 0 && unit_device(&b->u, "F2")->value == 0 &&
	       unit_device(&b->u, "multiplier")->value == 0 &&
	       unit_device(&b->u, "mode")->value == 0 && unit_device(&b->u, "enable")->value == 0;
}

static void check_values(struct bench *b)
{
	const struct assay_variable *mz = host_find(b->h, "mz"), *v = host_find(b->h, "intensity");
	for (size_t i = 0; i < mz->count; i++)
		assert_true(host_element(v, i) == unit_truth(host_element(mz, i)));
}

/* --- the published session, byte by byte --- */

static void ask(struct host *h, const char *command, const char *reply)
{
	char line[200];
	snprintf(line, sizeof(line), "%s\r", command);
	host_expect_text(h, line);
	snprintf(line, sizeof(line), "%s\r\n", reply);
	host_answer_text(h, line);
}

static void set(struct host *h, const char *const *commands)
{
	for (; *commands != NULL; commands++)
		ask(h, *commands, "");
}

static void script_start(struct host *h)
{
	static const char *const on[] = {"lset mode 0", "lset enable 1", "lput F1 0 1",
		"lput F2 0 0", "lput multiplier 0 850", "lput emission 20 1000", "lset mode 1",
		NULL};
	static const char *const scan[] = {"sdel all", "sset scan Ascans", "sset row 1",
		"sset output mass", "sset start 1.00", "sset stop 3.00", "sset step 1.00",
		"sset input SEM", "sset dwell 100%", "sset settle 100%", "sset mode 1",
		"sset report 5", "sset cycles 1", "pset points 100", NULL};
	static const char *const flags[][2] = {{"lget mode", "1"}, {"lget F1", "1"},
		{"lget emission", "1000"}, {"lget inhibit", "0"}, {"lget ptrip", "0"},
		{"lget filok", "1"}, {"lget emok", "1"}, {"lget overtemp", "0"}};
	ask(h, "pset terse 1", "");
	ask(h, "data stop", "");
	ask(h, "data off", "");
	ask(h, "sset state Abort:", "");
	ask(h, "sget state", "Stop:");
	set(h, on);
	ask(h, "lget mode", "1");
	ask(h, "lget F1", "1");
	ask(h, "lget emission", "1000");
	ask(h, "lget multiplier", "850");
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		ask(h, flags[i][0], flags[i][1]);
	ask(h, "lget mode", "1");
	set(h, scan);
	ask(h, "pget name", "\"HAL RC RGA 201 #16359\"");
}

static void script_scan(struct host *h)
{
	ask(h, "data on", "");
	ask(h, "lini Ascans", "");
	ask(h, "sjob lget Ascans", "task 1, job 1,");
	ask(h, "data all", "[{1.00: 1.25e");
	ask(h, "data", "-09,2.00:-3.0e-10,3.00: 4.1e-11,}]");
	ask(h, "data", "*C110*");
	ask(h, "sget state", "Stop:");
	ask(h, "data stop", "");
	ask(h, "data off", "");
	ask(h, "lget mode", "1");
	ask(h, "lget F1", "1");
	ask(h, "lget emission", "1000");
	for (int i = 0; i < 5; i++)
		ask(h,
			(const char *[]){"lget inhibit", "lget ptrip", "lget filok", "lget emok",
				"lget overtemp"}[i],
			(const char *[]){"*C042", "0", "1", "1", "0"}[i]);
	ask(h, "pget name", "\"HAL RC RGA 201 #16359\"");
}

static void script_stop(struct host *h)
{
	static const char *const off[] = {"lset mode 0", "lset F1 0", "lset F2 0",
		"lset multiplier 0", "lset enable 0", NULL};
	set(h, off);
	ask(h, "lget mode", "0");
	ask(h, "lget F1", "0");
	ask(h, "lget F2", "0");
	ask(h, "lget multiplier", "0");
	ask(h, "pget name", "\"HAL RC RGA 201 #16359\"");
}

static void the_published_session_goes_byte_by_byte(void **state)
{
	struct bench *b = *state;
	struct host *h = b->h;
	h->device = NULL;
	host_set(h, "mass_last", "3");
	host_set(h, "input", "SEM");
	host_set(h, "detector_voltage", "850");
	for (int i = 0; i < 2; i++) {
		host_expect_hex(h, "70 67 65 74 20 6E 61 6D 65 0D");
		host_answer_text(h, "\"HAL RC RGA 201 #16359\"\r\n");
	}
	ask(h, "pget release", "Release 10.11.0, 2022-11-28, 131720");
	ask(h, "pget name", "\"HAL RC RGA 201 #16359\"");
	assert_int_equal(identify(b), 0);
	assert_string_equal(b->id.make, h->driver->make);
	assert_string_equal(b->id.model, "HAL RC RGA 201");
	assert_string_equal(b->id.serial, "16359");
	assert_string_equal(b->id.fw, "10.11.0");
	assert_int_equal(configure(b), 0);
	assert_false(h->hazard);
	script_start(h);
	assert_int_equal(start(b), 0);
	assert_true(h->hazard);
	assert_true(host_report(h, "emission_current")->real == 1);
	script_scan(h);
	assert_int_equal(acquire(b), ASSAY_LAST);
	script_stop(h);
	assert_int_equal(stop(b), 0);
	assert_false(h->hazard);
	assert_true(host_is_done(h));
	assert_int_equal(h->retried, 0);
	assert_int_equal(host_decode(h), 0);
	assert_true(host_element(host_find(h, "intensity"), 0) == 1.25e-9);
	assert_int_equal(h->frame.flag, ASSAY_UNCHECKED);
}

/* --- a unit --- */

static void a_scan_has_the_values_of_its_masses(void **state)
{
	static const char *const ends[] = {"\r\n", "\r", "\n"};
	for (size_t i = 0; i < 3; i++) {
		struct bench *b;
		setup((void **)&b);
		b->u.line_end = ends[i];
		b->u.polls = 3;
		host_set(b->h, "scans", "3");
		begin(b);
		assert_int_equal(acquire(b), ASSAY_FRAME);
		assert_int_equal(acquire(b), ASSAY_FRAME);
		assert_int_equal(acquire(b), ASSAY_LAST);
		assert_int_equal(host_decode(b->h), 0);
		check_values(b);
		assert_int_equal(host_find(b->h, "mz")->count, 6);
		assert_int_equal(stop(b), 0);
		assert_true(is_dark(b) && !b->h->hazard && b->h->hazards == 1);
		assert_int_equal(b->h->retried, 0);
		teardown((void **)&b);
	}
	(void)state;
}

static void a_series_has_one_row_per_mass(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "mode", "series");
	host_set(b->h, "sim_ions", "18");
	host_set(b->h, "sim_ions", "28.05");
	host_set(b->h, "range_low", "-13");
	host_set(b->h, "dwell_time", "0.2");
	b->u.end = "!";
	begin(b);
	assert_int_equal(b->u.row_count, 2);
	assert_true(heard(b, "sset row 2;sset output mass;sset start 28.05;sset stop 28.05;"
			     "sset step 1.00;sset input Faraday;sset low -13;sset dwell 200;"
			     "sset settle 100%;sset mode 1;sset report 17;"));
	assert_int_equal(acquire(b), ASSAY_LAST);
	assert_int_equal(host_decode(b->h), 0);
	check_values(b);
	assert_int_equal(stop(b), 0);
}

/* Without the setting nothing is switched: the rows have the mode that the unit is in. */
static void a_measurement_without_emission_switches_nothing(void **state)
{
	struct bench *b = *state;
	host_unset(b->h, "emission_current");
	unit_device(&b->u, "F1")->modes[1] = 1; /* left there by another program */
	begin(b);
	assert_int_equal(b->u.rows[0].mode, 0);
	assert_int_equal(acquire(b), ASSAY_LAST);
	assert_true(is_dark(b));
	assert_int_equal(stop(b), 0);
	assert_int_equal(b->h->hazards, 0);
	assert_false(heard(b, "lset") || heard(b, "lput"));
}

static void an_emission_of_0_switches_off(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "emission_current", "0");
	unit_device(&b->u, "F2")->value = 1;
	begin(b);
	assert_true(is_dark(b) && b->h->hazards == 0);
}

static void a_unit_without_second_filament_and_multiplier_is_used(void **state)
{
	struct bench *b = *state;
	unit_device(&b->u, "F2")->is_missing = true;
	unit_device(&b->u, "multiplier")->is_missing = true;
	unit_device(&b->u, "inhibit")->is_missing = true;
	begin(b);
	assert_int_equal(acquire(b), ASSAY_LAST);
	assert_int_equal(stop(b), 0);
	assert_true(is_dark(b) && !b->h->hazard);
}

static void own_values_of_the_source_are_compared(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "electron_energy", "40");
	host_set(b->h, "focus_voltage", "-110");
	host_set(b->h, "filament", "F2");
	begin(b);
	assert_true(heard(b, "lput F2 0 1;lput F1 0 0;lput multiplier 0 0;lput emission 20 1000;"
			     "lput electron-energy 40 40;lput focus -110 -110;lset mode 1;"));
	assert_int_equal(host_report(b->h, "electron_energy")->integer, 40);
	assert_true(unit_device(&b->u, "F1")->value == 0);
}

static void a_start_that_fails_leaves_nothing_on(void **state)
{
	static const char *const refusals[] = {"lset enable", "lput F1 0 1", "lset mode 1",
		"lget F1", "lget emission", "sset stop", "sset scan", "sset report", "pset points"};
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct bench *b;
		setup((void **)&b);
		assert_int_equal(identify(b), 0);
		b->u.refuses = refusals[i];
		assert_int_equal(start(b), -EPROTO);
		assert_non_null(strstr(b->h->explained, "*C042"));
		b->u.refuses = NULL;
		assert_int_equal(stop(b), 0);
		assert_true(is_dark(b) && !b->h->hazard);
		teardown((void **)&b);
	}
	(void)state;
}

static void an_emission_that_does_not_come_fails_the_start(void **state)
{
	struct bench *b = *state;
	b->u.holds_no_emission = true;
	assert_int_equal(identify(b), 0);
	b->h->stop_at = b->h->now + 5000; /* a request to stop does not make it poll faster */
	assert_int_equal(start(b), -EPROTO);
	assert_non_null(strstr(b->h->explained, "3 uA"));
	assert_true(b->h->now > 30000 && b->h->now < 60000 && b->u.commands < 120);
	assert_int_equal(stop(b), 0);
	assert_true(is_dark(b));
}

static void a_trip_in_the_data_ends_the_run(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "scans", "0");
	begin(b);
	assert_int_equal(acquire(b), ASSAY_FRAME);
	b->u.trip = 113;
	b->u.piece = 1000; /* the whole cycle at once */
	assert_int_equal(acquire(b), ASSAY_CUT);
	assert_non_null(strstr(b->h->explained, "filament"));
	assert_int_equal(host_decode(b->h), 0);
	assert_int_equal(b->h->frame.flag, ASSAY_BAD);
	b->u.piece = 10; /* in pieces: the rest is not waited for */
	assert_int_equal(acquire(b), -EPROTO);
	assert_non_null(strstr(b->h->explained, "filament"));
	assert_int_equal(stop(b), 0);
	assert_true(is_dark(b));
}

static void a_flag_ends_the_run(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "scans", "0");
	begin(b);
	unit_device(&b->u, "ptrip")->value = 1;
	assert_int_equal(acquire(b), ASSAY_CUT);
	assert_int_equal(host_decode(b->h), 0);
	assert_int_equal(b->h->frame.flag, ASSAY_BAD);
	host_set(b->h, "status_flags", "false");
	assert_int_equal(acquire(b), ASSAY_FRAME);
	assert_int_equal(stop(b), 0);
}

static void data_that_end_early_are_no_frame(void **state)
{
	static const char *const texts[] = {"[{1.00: 1e-09,2.00: 1e-", "[{1.00: 1e-09,}]", "",
		"[{1.00: 1e-09,2.00: 1e-09,3.00: 1e-09,4.00: 1e-09,5.00: 1e-09,6.00: 1e-09,}]"
		"[{1.00: 1e-09,2.00: 1e-09,3.00: 1e-09,4.00: 1e-09,5.00: 1e-09,6.00: 1e-09,}]"};
	static const char *const ends[] = {"*C110*", "!", ""};
	struct bench *b = *state;
	begin(b);
	for (size_t i = 0; i < 12; i++) {
		b->u.data = texts[i / 3];
		b->u.end = ends[i % 3];
		assert_int_equal(acquire(b), -EBADMSG);
	}
	b->u.data = NULL;
	assert_int_equal(acquire(b), ASSAY_LAST);
}

/* Sources disagree on these marks: while the job runs, they are not its end. */
static void a_mark_of_the_end_while_the_job_runs_is_none(void **state)
{
	static const char *const idle[] = {"", "!", "*C110*"};
	struct bench *b = *state;
	begin(b);
	for (size_t i = 0; i < 3; i++) {
		b->u.idle = idle[i];
		b->u.polls = 5;
		assert_int_equal(acquire(b), ASSAY_LAST);
		check_values((host_decode(b->h), b));
	}
}

/* The last data come after the job's end. */
static void data_after_the_end_of_the_job_are_read(void **state)
{
	struct bench *b = *state;
	begin(b);
	b->u.ends_first = true;
	b->u.polls = 1;
	b->u.end = "";
	assert_int_equal(acquire(b), ASSAY_LAST);
	check_values((host_decode(b->h), b));
}

static void a_scan_that_stands_still_times_out(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "point_timeout", "20");
	begin(b);
	b->u.polls = 100000;
	uint64_t before = b->h->now;
	assert_int_equal(acquire(b), -ETIMEDOUT);
	assert_true(b->h->now - before >= 20000 && b->h->now - before < 22000);
	assert_int_equal(stop(b), 0);
	assert_true(is_dark(b));
}

static void the_scan_of_another_program_is_ended(void **state)
{
	struct bench *b = *state;
	b->u.is_running = true;
	begin(b);
	assert_int_equal(acquire(b), ASSAY_LAST);
	check_values((host_decode(b->h), b));
}

static void a_stop_finishes_the_scan(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "scans", "0");
	begin(b);
	b->u.busy_until = b->h->now + 10000;
	b->h->stop_at = b->h->now + 100;
	size_t before = b->u.commands;
	assert_int_equal(acquire(b), ASSAY_LAST);
	assert_true(b->u.commands - before < 120); /* it waits between the requests */
	assert_int_equal(acquire(b), ASSAY_DONE);
}

/* --- identity --- */

static void another_instrument_is_not_taken_for_one(void **state)
{
	static const char *const names[] = {"SRSRGA200VER0.24SN12226", "", "*C001", "0"};
	struct bench *b = *state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		b->u.name = names[i];
		assert_int_equal(identify(b), -EBADMSG);
	}
	b->h->device = NULL;
	for (int i = 0; i < 4; i++)
		host_expect_text(b->h, "pget name\r");
	assert_int_equal(identify(b), -ETIMEDOUT);
	assert_true(host_is_done(b->h));
}

static void an_unquoted_name_without_serial_is_read(void **state)
{
	struct bench *b = *state;
	b->u.name = "HAL RC RGA 301";
	b->u.refuses = "pget release";
	assert_int_equal(identify(b), 0);
	assert_string_equal(b->id.model, "HAL RC RGA 301");
	assert_string_equal(b->id.serial, "");
	assert_string_equal(b->id.fw, "");
}

static void a_damaged_serial_number_is_not_another_unit(void **state)
{
	struct bench *b = *state;
	b->h->device = NULL;
	host_expect_text(b->h, "pget name\r");
	ask(b->h, "pget name", "\"HAL RC RGA 201 #16459\"");
	ask(b->h, "pget release", "*C001");
	ask(b->h, "pget name", "\"HAL RC RGA 201 #16359\"");
	assert_int_equal(identify(b), -EBADMSG);
	assert_true(host_is_done(b->h));
}

static void identify_changes_nothing_and_runs_no_half_command(void **state)
{
	struct bench *b = *state;
	strcpy(b->u.partial, "lset F1 1");
	b->u.partial_len = 9;
	unit_device(&b->u, "mode")->value = 1;
	assert_int_equal(identify(b), 0);
	assert_string_equal(b->u.heard, "lset F1 1pget name;pget name;pget release;pget name;");
	assert_true(b->h->hazards == 0);
}

static void another_unit_at_the_line_is_noticed(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "scans", "0");
	begin(b);
	b->u.name = "\"HAL RC RGA 201 #16360\"";
	assert_int_equal(acquire(b), -EBADMSG);
	assert_int_equal(acquire(b), -ENODEV);
}

/* --- every reply spoiled --- */

/* A line without a command is dropped before it is taken for the reply to the next one. */
static void a_stray_line_is_no_reply(void **state)
{
	struct bench *b = *state;
	begin(b);
	host_answer_text(b->h, "0\r\n");
	assert_int_equal(acquire(b), ASSAY_LAST);
	assert_int_equal(host_decode(b->h), 0);
	check_values(b);
}

static void damage_one_name(struct unit *u, char *line, size_t size)
{
	char *serial = strstr(line, "#16359");
	int *names = u->spoil_data;
	if (serial == NULL || ++*names != 2) /* the first one is dropped */
		return;
	serial[1] = '7';
	u->spoil = NULL;
	(void)size;
}

static void a_name_that_is_damaged_once_is_no_other_unit(void **state)
{
	struct bench *b = *state;
	begin(b);
	host_answer_text(b->h, "0\r\n");
	int names = 0;
	b->u.spoil_data = &names;
	b->u.spoil = damage_one_name;
	assert_int_equal(acquire(b), ASSAY_LAST);
	assert_null(b->u.spoil);
}

static void a_reply_that_is_no_text_is_read_again(void **state)
{
	struct bench *b = *state;
	assert_int_equal(identify(b), 0);
	b->u.fault = UNIT_GARBLED;
	b->u.fault_at = b->u.commands + 1;
	assert_int_equal(start(b), 0);
	assert_int_equal(b->h->retried, 1);
}

static int measure(struct bench *b)
{
	int r = configure(b);
	for (int i = 0; i < 3 && (i == 0 || r == -ETIMEDOUT || r == -EBADMSG); i++)
		r = start(b);
	for (int i = 0; r == 0 || (i > 0 && i < 3 && (r == -ETIMEDOUT || r == -EBADMSG)); i++)
		r = acquire(b);
	return r;
}

/*
 * If one reply is spoiled, a frame that comes out of it has the unit's own values, and
 * afterwards nothing is on.
 */
static void no_spoiled_reply_makes_a_wrong_frame(void **state)
{
	unsigned frames = 0, sessions = 0;
	for (int fault = UNIT_LOST; fault < UNIT_FAULTS; fault++)
		for (size_t at = 1, commands = 1; at <= commands; at++, sessions++) {
			struct bench *b;
			setup((void **)&b);
			b->u.fault = (enum unit_fault)fault;
			assert_int_equal(identify(b), 0);
			size_t before = b->u.commands;
			b->u.fault_at = before + at;
			int r = measure(b);
			if (r >= ASSAY_FRAME) {
				frames++;
				assert_int_equal(host_decode(b->h), 0);
				assert_int_equal(host_find(b->h, "mz")->count, 6);
				check_values(b);
				assert_true(unit_device(&b->u, "F1")->value == 1);
				assert_true(b->u.rows[0].stop == 6 && b->u.rows[0].mode == 1);
			}
			commands = b->u.commands - before;
			int off = stop(b);
			if (off < 0)
				off = make_safe(b);
			assert_int_equal(off, 0);
			assert_true(is_dark(b) && !b->h->hazard);
			teardown((void **)&b);
		}
	assert_true(frames > sessions * 3 / 4);
	(void)state;
}

/* An abort at any time: stop, or else make_safe, switches off. */
static void an_abort_at_any_time_leaves_nothing_on(void **state)
{
	for (unsigned step = 0; step < 400; step++) {
		struct bench *b;
		setup((void **)&b);
		b->u.polls = 3;
		host_set(b->h, "command_pause", "0.01"); /* so that time passes */
		assert_int_equal(identify(b), 0);
		b->h->abort_at = b->h->now + step * 5 + 1;
		int r = measure(b);
		assert_true(r == -ECANCELED || r == ASSAY_LAST);
		bool was_on = b->h->hazard;
		host_revive(b->h);
		assert_int_equal(stop(b), 0);
		assert_true(is_dark(b) && !b->h->hazard);
		assert_true(was_on || unit_device(&b->u, "F1")->modes[1] == 0);
		teardown((void **)&b);
	}
	(void)state;
}

static void a_silent_unit_gets_the_commands_to_switch_off(void **state)
{
	struct bench *b = *state;
	begin(b);
	b->h->device = NULL;
	host_reset(b->h);
	host_expect_text(b->h, "lset mode 0\r");
	for (int i = 0; i < 2; i++) {
		for (int k = 0; k < 4; k++)
			host_expect_text(b->h, "pget name\r");
		if (i > 0)
			host_expect_text(b->h, "lset mode 0\r");
		host_expect_text(b->h, "lset F1 0\r");
		host_expect_text(b->h, "lset F2 0\r");
		host_expect_text(b->h, "lset multiplier 0\r");
		host_expect_text(b->h, "lset enable 0\r");
	}
	assert_int_equal(stop(b), -ETIMEDOUT);
	assert_true(host_is_done(b->h));
}

static void a_new_worker_makes_a_lit_unit_safe(void **state)
{
	struct bench *b = *state;
	begin(b);
	assert_true(unit_device(&b->u, "F1")->value == 1);
	b->u.is_running = true;
	struct bench *next;
	setup((void **)&next);
	next->u = b->u;
	next->u.h = next->h;
	assert_int_equal(identify(next), 0);
	assert_int_equal(make_safe(next), 0);
	assert_true(is_dark(next) && !next->u.is_running && !next->h->hazard);
	teardown((void **)&next);
}

static void a_filament_that_stays_on_is_reported(void **state)
{
	struct bench *b = *state;
	begin(b);
	b->u.refuses = "lset F1 0";
	unit_device(&b->u, "F1")->modes[0] = 1;
	assert_int_equal(stop(b), -EPROTO);
	assert_non_null(strstr(b->h->explained, "lget F1"));
	assert_true(b->h->hazard);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(the_published_session_goes_byte_by_byte),
		TEST(a_scan_has_the_values_of_its_masses),
		TEST(a_series_has_one_row_per_mass),
		TEST(a_measurement_without_emission_switches_nothing),
		TEST(an_emission_of_0_switches_off),
		TEST(a_unit_without_second_filament_and_multiplier_is_used),
		TEST(own_values_of_the_source_are_compared),
		TEST(a_start_that_fails_leaves_nothing_on),
		TEST(an_emission_that_does_not_come_fails_the_start),
		TEST(a_trip_in_the_data_ends_the_run),
		TEST(a_flag_ends_the_run),
		TEST(data_that_end_early_are_no_frame),
		TEST(a_mark_of_the_end_while_the_job_runs_is_none),
		TEST(data_after_the_end_of_the_job_are_read),
		TEST(a_scan_that_stands_still_times_out),
		TEST(the_scan_of_another_program_is_ended),
		TEST(a_stop_finishes_the_scan),
		TEST(another_instrument_is_not_taken_for_one),
		TEST(an_unquoted_name_without_serial_is_read),
		TEST(a_damaged_serial_number_is_not_another_unit),
		TEST(identify_changes_nothing_and_runs_no_half_command),
		TEST(another_unit_at_the_line_is_noticed),
		TEST(a_stray_line_is_no_reply),
		TEST(a_name_that_is_damaged_once_is_no_other_unit),
		TEST(a_reply_that_is_no_text_is_read_again),
		TEST(no_spoiled_reply_makes_a_wrong_frame),
		TEST(an_abort_at_any_time_leaves_nothing_on),
		TEST(a_silent_unit_gets_the_commands_to_switch_off),
		TEST(a_new_worker_makes_a_lit_unit_safe),
		TEST(a_filament_that_stays_on_is_reported),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
