/* SPDX-License-Identifier: Apache-2.0 */
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
#include "head.h"

extern const struct assay_driver *const assay_driver;

struct bench {
	struct host *h;
	struct head head;
	struct assay_identity id;
};

static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	b->h = host_create(assay_driver, ASSAY_LINK_SERIAL);
	head_init(&b->head, b->h);
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

static void set_range(struct host *h, const char *first, const char *last)
{
	host_set(h, "mass_first", first);
	host_set(h, "mass_last", last);
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

static void begin(struct bench *b)
{
	assert_int_equal(identify(b), 0);
	assert_int_equal(configure(b), 0);
	assert_int_equal(start(b), 0);
}

static bool heard(const struct bench *b, const char *command)
{
	char word[20];
	snprintf(word, sizeof(word), " %s ", command);
	return strstr(b->head.heard, word) != NULL;
}

static const char *setting(const struct host *h, const char *name)
{
	for (size_t i = 0; i < h->frame.setting_count; i++)
		if (strcmp(h->frame.settings[i].said, name) == 0)
			return h->frame.settings[i].v.text;
	return "";
}

/* --- the sheet's worked session, byte by byte --- */

static void expect_text_reply(struct host *h, const char *query, const char *reply)
{
	char line[80];
	snprintf(line, sizeof(line), "%s\r", query);
	host_expect_text(h, line);
	snprintf(line, sizeof(line), "%s\n\r", reply);
	host_answer_text(h, line);
}

static void script_identify(struct host *h)
{
	host_expect_text(h, "??????????????\r");
	host_expect_hex(h, "49 44 3F 0D");
	host_answer_hex(h, "53 52 53 52 47 41 32 30 30 56 45 52 30 2E 32 34 53 4E 31 32 32 32 36 "
			   "0A 0D");
	expect_text_reply(h, "EC?", "4");
	expect_text_reply(h, "ID?", "SRSRGA200VER0.24SN12226");
	host_expect_hex(h, "4D 4F 3F 0D");
	host_answer_hex(h, "31 0A 0D");
}

/* What follows the noise floor. */
static void script_range(struct host *h)
{
	host_expect_hex(h, "4D 46 32 30 30 0D");
	host_expect_hex(h, "4D 49 31 30 0D");
	host_expect_hex(h, "4D 49 3F 0D");
	host_answer_hex(h, "31 30 0A 0D");
	host_expect_hex(h, "4D 46 35 30 0D");
	expect_text_reply(h, "MF?", "50");
	host_expect_hex(h, "53 41 31 30 0D");
	expect_text_reply(h, "SA?", "10");
	expect_text_reply(h, "EE?", "70"); /* the values that stay, as found */
	expect_text_reply(h, "IE?", "1");
	expect_text_reply(h, "VF?", "90");
}

static void script_configure(struct host *h)
{
	host_expect_hex(h, "4E 46 34 0D");
	expect_text_reply(h, "NF?", "4");
	script_range(h);
}

static void script_start(struct host *h)
{
	static const char *const replies[][2] = {{"NF?", "4"}, {"EE?", "70"}, {"IE?", "1"},
		{"VF?", "90"}, {"FL?", "1.0002"}, {"MI?", "10"}, {"MF?", "50"}, {"SA?", "10"}};
	expect_text_reply(h, "ER?", "0");
	host_expect_hex(h, "46 4C 31 2E 30 0D");
	host_answer_hex(h, "30 0A 0D");
	expect_text_reply(h, "FL?", "1.0002");
	expect_text_reply(h, "ER?", "0");
	host_expect_text(h, "TP1\r");
	expect_text_reply(h, "ER?", "0");
	for (size_t i = 0; i < sizeof(replies) / sizeof(*replies); i++)
		expect_text_reply(h, replies[i][0], replies[i][1]);
	host_expect_hex(h, "41 50 3F 0D");
	host_answer_hex(h, "34 30 31 0A 0D");
	expect_text_reply(h, "HV?", "0");
	expect_text_reply(h, "MG?", "1.2");
	expect_text_reply(h, "MV?", "1400");
}

static void script_scan(struct host *h)
{
	uint8_t scan[1608] = {0x39, 0x30, 0, 0, 0x06, 0xff, 0xff, 0xff, 0, 0xe1, 0xf5, 0x05, 0x0a,
		0x0d, 0x11, 0x13};
	memcpy(scan + 1604, "\x0d\x0a\0\0", 4);
	host_expect_hex(h, "53 43 31 0D");
	host_answer_split(h, scan, sizeof(scan), 333);
	host_silence(h);
	expect_text_reply(h, "ER?", "0");
}

static void script_stop(struct host *h)
{
	host_expect_hex(h, "46 4C 30 0D");
	host_answer_hex(h, "30 0A 0D");
	expect_text_reply(h, "FL?", "0");
}

static void the_worked_session_goes_byte_by_byte(void **state)
{
	struct bench *b = *state;
	struct host *h = b->h;
	h->device = NULL;
	set_range(h, "10", "50");
	host_set(h, "emission_current", "1.0");
	host_set(h, "total_pressure", "true");
	script_identify(h);
	assert_int_equal(identify(b), 0);
	assert_string_equal(b->id.model, "RGA200");
	assert_string_equal(b->id.fw, "0.24");
	assert_string_equal(b->id.serial, "12226");
	assert_string_equal(b->id.make, h->driver->make);
	assert_false(b->id.declared);
	script_configure(h);
	assert_int_equal(configure(b), 0);
	assert_false(h->hazard);
	script_start(h);
	assert_int_equal(start(b), 0);
	assert_true(h->hazard);
	script_scan(h);
	assert_int_equal(acquire(b), ASSAY_LAST);
	assert_int_equal(h->raw.blocks[1].len, 1608);
	script_stop(h);
	assert_int_equal(stop(b), 0);
	assert_false(h->hazard);
	assert_true(host_is_done(h));
	assert_int_equal(host_decode(h), 0);
	const struct assay_variable *mz = host_find(h, "mz"), *ion = host_find(h, "ion_current");
	assert_true(mz->start == 10 && mz->step == 0.1 && mz->count == 401);
	assert_true(host_element(ion, 0) == 1.2345e-12);
	assert_true(host_element(ion, 1) == -2.5e-14);
	assert_true(host_element(ion, 2) == 1e-8);
	assert_true(host_element(ion, 3) == 0x13110d0a / 1e16);
	assert_true(host_find(h, "total_pressure_current")->real == 0x0a0d / 1e16);
	assert_null(host_find(h, "total_pressure"));
	assert_int_equal(h->frame.flag, ASSAY_UNCHECKED);
}

/* --- resynchronising --- */

static void a_running_scan_is_ended_before_the_first_query(void **state)
{
	struct bench *b = *state;
	uint8_t rest[300];
	memset(rest, '0', sizeof(rest));
	rest[17] = '\n';
	host_answer(b->h, rest, sizeof(rest));
	assert_int_equal(identify(b), 0);
	assert_string_equal(b->id.serial, "12226");
}

static void half_a_command_is_never_run(void **state)
{
	struct bench *b = *state;
	strcpy(b->head.partial, "FL1");
	b->head.partial_len = 3;
	assert_int_equal(identify(b), 0);
	assert_true(head_value(&b->head, "FL")->value == 0);
	assert_true(head_value(&b->head, "ER")->value == 0);
}

/* A reply that is read then would be the rest of another one. */
static void a_head_that_never_pauses_is_not_asked(void **state)
{
	struct bench *b = *state;
	b->h->never_pauses = true;
	assert_int_equal(identify(b), -EBADMSG);
	assert_int_equal(b->h->writes, 1); /* the command that is too long */
	assert_string_equal(b->id.serial, "");
}

static void identify_changes_nothing_that_lasts(void **state)
{
	struct bench *b = *state;
	assert_int_equal(identify(b), 0);
	assert_string_equal(b->head.heard, "?????????????? ID? EC? ID? MO? ");
	assert_int_equal(b->h->hazards, 0);
}

static void a_damaged_serial_number_is_not_another_unit(void **state)
{
	struct bench *b = *state;
	struct host *h = b->h;
	h->device = NULL;
	host_expect_text(h, "??????????????\r");
	expect_text_reply(h, "ID?", "SRSRGA200VER0.24SN12726");
	expect_text_reply(h, "EC?", "4");
	expect_text_reply(h, "ID?", "SRSRGA200VER0.24SN12226");
	assert_int_equal(identify(b), -EBADMSG);
	assert_non_null(strstr(h->explained, "SN12726"));
	assert_true(host_is_done(h));
}

static void a_head_that_does_not_know_its_range_is_tolerated(void **state)
{
	struct bench *b = *state;
	b->head.id = "SRSRGA???VER0.31SN44";
	assert_int_equal(identify(b), 0);
	assert_string_equal(b->id.model, "RGA");
	assert_string_equal(b->id.serial, "44");
	assert_int_equal(configure(b), 0);
	assert_true(heard(b, "MF*"));
}

static void another_instrument_is_not_taken_for_a_head(void **state)
{
	struct bench *b = *state;
	b->head.id = "HAL RC RGA 201 #16359";
	assert_int_equal(identify(b), -EBADMSG);
	b->h->device = NULL;
	host_expect_text(b->h, "??????????????\r");
	for (int i = 0; i < 3; i++)
		host_expect_text(b->h, "ID?\r");
	assert_int_equal(identify(b), -ETIMEDOUT);
	assert_true(host_is_done(b->h));
}

static void replies_that_end_with_lf_alone_are_read(void **state)
{
	struct bench *b = *state;
	b->head.line_end = "\n";
	begin(b);
	assert_int_equal(acquire(b), ASSAY_LAST);
	assert_int_equal(b->h->retried, 0);
}

/* The head was silent for longer than two requests: it owes an identity when EC? is sent. */
static void a_late_identity_is_no_reply_to_the_next_query(void **state)
{
	struct bench *b = *state;
	struct host *h = b->h;
	set_range(h, "10", "50");
	assert_int_equal(identify(b), 0);
	h->device = NULL;
	host_expect_text(h, "NF4\r");
	host_expect_text(h, "NF?\r");
	host_silence(h);
	host_expect_text(h, "??????????????\r");
	host_expect_text(h, "ID?\r");
	host_silence(h);
	expect_text_reply(h, "ID?", "SRSRGA200VER0.24SN12226");
	host_expect_text(h, "EC?\r");
	host_answer_text(h, "SRSRGA200VER0.24SN12226\n\r");
	host_answer_text(h, "0\n\r");
	expect_text_reply(h, "NF?", "4");
	script_range(h);
	assert_int_equal(configure(b), 0);
	assert_true(host_is_done(h));
}

static void a_lost_reply_repeats_the_request(void **state)
{
	struct bench *b = *state;
	assert_int_equal(identify(b), 0);
	b->head.unanswered = 1;
	assert_int_equal(configure(b), 0);
	assert_int_equal(b->h->retried, 1);
}

/* --- settings --- */

static void the_range_is_set_in_the_order_that_the_head_accepts(void **state)
{
	struct bench *b = *state;
	assert_int_equal(identify(b), 0);
	head_value(&b->head, "MI")->value = 5;
	head_value(&b->head, "MF")->value = 20;
	set_range(b->h, "40", "60");
	assert_int_equal(configure(b), 0);
	assert_true(strstr(b->head.heard, "MF200 MI40 MI? MF60 MF? SA10 SA? ") != NULL);
}

static void a_status_after_nf_is_not_taken_for_its_value(void **state)
{
	struct bench *b = *state;
	b->head.nf_echoes = true;
	begin(b);
	assert_int_equal(b->h->retried, 0);
}

static void an_error_that_stays_is_cleared_before_the_start(void **state)
{
	struct bench *b = *state;
	b->head.ec_stays = true;
	begin(b);
	assert_true(heard(b, "IN0"));
	assert_int_equal(acquire(b), ASSAY_LAST);
	assert_int_equal(host_decode(b->h), 0);
	assert_int_equal(b->h->frame.flag, ASSAY_UNCHECKED);
}

static void a_refused_setting_is_explained(void **state)
{
	struct bench *b = *state;
	assert_int_equal(identify(b), 0);
	head_value(&b->head, "SA")->refuses = true;
	host_set(b->h, "points_per_amu", "20");
	assert_int_equal(configure(b), -EPROTO);
	assert_string_equal(b->h->explained,
		"the head refused SA20 and keeps 10; communication: bad parameter");
}

static void settings_that_contradict_are_rejected(void **state)
{
	static const char *const pairs[][4] = {{"mass_first", "50", "mass_last", "40"},
		{"mass_last", "250", "mass_first", "1"},
		{"detector_voltage", "1400", "total_pressure", "true"},
		{"detector_voltage", "5", "mass_first", "1"},
		{"emission_current", "0.01", "mass_first", "1"}, {"mode", "series", "scans", "1"}};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		struct bench *b;
		setup((void **)&b);
		assert_int_equal(identify(b), 0);
		host_set(b->h, pairs[i][0], pairs[i][1]);
		host_set(b->h, pairs[i][2], pairs[i][3]);
		assert_int_equal(configure(b), -EINVAL);
		assert_true(b->h->explained[0] != '\0');
		teardown((void **)&b);
	}
	(void)state;
}

static void ion_source_settings_are_sent_only_when_given(void **state)
{
	struct bench *b = *state;
	begin(b);
	assert_false(heard(b, "EE70") || heard(b, "IE1") || heard(b, "VF90"));
	host_set(b->h, "electron_energy", "50");
	host_set(b->h, "ion_energy", "8 eV");
	host_set(b->h, "focus_voltage", "110");
	assert_int_equal(configure(b), 0);
	assert_true(heard(b, "EE50") && heard(b, "IE0") && heard(b, "VF110"));
	assert_int_equal(host_report(b->h, "electron_energy")->integer, 50);
}

static const struct {
	const char *setting, *name;
	unsigned least, most;
} source[] = {{"electron_energy", "EE", 25, 105}, {"ion_energy", "IE", 0, 1},
	{"focus_voltage", "VF", 0, 150}};
#define SOURCE (sizeof(source) / sizeof(source[0]))

static void set_source(struct bench *b, size_t i, unsigned value)
{
	char text[20];
	snprintf(text, sizeof(text), "%u", value);
	if (source[i].most == 1)
		snprintf(text, sizeof(text), value != 0 ? "12 eV" : "8 eV");
	host_unset(b->h, source[i].setting);
	host_set(b->h, source[i].setting, text);
}

static unsigned reported(const struct bench *b, size_t i)
{
	const struct assay_variable *v = host_report(b->h, source[i].setting);
	return source[i].most == 1 ? strcmp(v->text, "12 eV") == 0 : (unsigned)v->integer;
}

static void assert_source(struct bench *b, const unsigned values[SOURCE])
{
	for (size_t i = 0; i < SOURCE; i++) {
		assert_int_equal(head_value(&b->head, source[i].name)->value, values[i]);
		assert_int_equal(reported(b, i), values[i]);
	}
}

/* Any values found, any of them changed: those reported bring the head back. */
static void what_is_read_back_is_taken_again(void **state)
{
	struct bench *b = *state;
	begin(b);
	srand(1);
	for (int round = 0; round < 500; round++) {
		unsigned found[SOURCE], wanted[SOURCE];
		b->head.heard[0] = '\0';
		for (size_t i = 0; i < SOURCE; i++) {
			unsigned range = source[i].most - source[i].least + 1;
			found[i] = source[i].least + (unsigned)rand() % range;
			wanted[i] = found[i];
			head_value(&b->head, source[i].name)->value = found[i];
			host_unset(b->h, source[i].setting);
		}
		assert_int_equal(b->h->driver->read_back(&b->h->ins), 0);
		assert_source(b, found);
		for (size_t i = 0; i < SOURCE; i++) {
			unsigned range = source[i].most - source[i].least + 1;
			if (rand() % 2 != 0)
				continue;
			wanted[i] = source[i].least + (unsigned)rand() % range;
			set_source(b, i, wanted[i]);
		}
		assert_int_equal(configure(b), 0);
		assert_source(b, wanted);
		for (size_t i = 0; i < SOURCE; i++)
			set_source(b, i, found[i]);
		assert_int_equal(configure(b), 0);
		assert_source(b, found);
	}
}

/* --- filament and multiplier --- */

static void hazards_without_a_setting_are_not_touched(void **state)
{
	struct bench *b = *state;
	begin(b);
	assert_int_equal(acquire(b), ASSAY_LAST);
	assert_int_equal(stop(b), 0);
	assert_null(strstr(b->head.heard, "FL0"));
	assert_null(strstr(b->head.heard, "FL1"));
	assert_null(strstr(b->head.heard, "HV0"));
	assert_int_equal(b->h->hazards, 0);
	assert_non_null(strstr(b->h->logged, "warn the filament is off"));
}

static void hazards_go_on_with_the_start_and_off_with_the_stop(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "emission_current", "0.25");
	host_set(b->h, "detector_voltage", "1400");
	begin(b);
	assert_true(b->h->hazard);
	assert_true(heard(b, "FL0.25") && heard(b, "HV1400"));
	assert_true(host_report(b->h, "emission_current")->real == 0.25);
	assert_int_equal(host_report(b->h, "detector_voltage")->integer, 1400);
	assert_int_equal(stop(b), 0);
	assert_true(heard(b, "FL0") && heard(b, "HV0"));
	assert_false(b->h->hazard);
}

static void a_filament_that_does_not_light_fails_the_start_and_is_switched_off(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "emission_current", "1");
	assert_int_equal(identify(b), 0);
	assert_int_equal(configure(b), 0);
	head_value(&b->head, "FL")->refuses = true;
	head_value(&b->head, "ER")->value = 2;
	head_value(&b->head, "EF")->value = 32;
	assert_int_equal(start(b), -EPROTO);
	assert_non_null(strstr(b->h->explained, "filament: pressure too high"));
	head_value(&b->head, "FL")->refuses = false;
	assert_int_equal(stop(b), 0);
	assert_true(heard(b, "FL0"));
	assert_false(b->h->hazard);
}

static void make_safe_switches_off_parts_that_another_worker_switched_on(void **state)
{
	struct bench *b = *state;
	head_value(&b->head, "FL")->value = 1;
	head_value(&b->head, "HV")->value = 1400;
	b->h->hazard = true;
	assert_int_equal(identify(b), 0);
	assert_int_equal(b->h->driver->make_safe(&b->h->ins), 0);
	assert_true(head_value(&b->head, "FL")->value == 0);
	assert_true(head_value(&b->head, "HV")->value == 0);
	assert_false(b->h->hazard);
}

static void a_hazard_that_stays_on_is_never_called_off(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "emission_current", "1");
	begin(b);
	head_value(&b->head, "FL")->refuses = true;
	assert_int_equal(stop(b), -EPROTO);
	assert_true(b->h->hazard);
	assert_int_equal(b->h->driver->make_safe(&b->h->ins), -EPROTO);
	assert_true(b->h->hazard);
}

static void a_tripped_filament_spoils_the_frame_and_ends_the_run(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "emission_current", "1");
	host_set(b->h, "scans", "0");
	begin(b);
	assert_int_equal(acquire(b), ASSAY_FRAME);
	head_value(&b->head, "ER")->value = 2;
	head_value(&b->head, "EF")->value = 32;
	assert_int_equal(acquire(b), ASSAY_FRAME);
	assert_int_equal(host_decode(b->h), 0);
	assert_int_equal(b->h->frame.flag, ASSAY_BAD);
	assert_true(host_has_reason(b->h, "interlock"));
	assert_string_equal(host_find(b->h, "status_text")->text, "filament: pressure too high");
	assert_int_equal(acquire(b), -EPROTO);
	assert_int_equal(stop(b), 0);
}

/* --- scans --- */

static void a_histogram_has_one_point_per_mass(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "mode", "histogram");
	set_range(b->h, "2", "45");
	begin(b);
	assert_int_equal(acquire(b), ASSAY_LAST);
	assert_int_equal(host_decode(b->h), 0);
	const struct assay_variable *mz = host_find(b->h, "mz");
	assert_true(mz->start == 2 && mz->step == 1 && mz->count == 44);
	assert_true(host_element(host_find(b->h, "ion_current"), 3) == 500 / 1e16);
	assert_null(host_find(b->h, "total_pressure_current"));
	assert_true(heard(b, "TP0") && heard(b, "HS1"));
}

static void a_series_reads_single_masses_and_is_closed(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "mode", "series");
	host_set(b->h, "sim_ions", "18");
	host_set(b->h, "sim_ions", "28");
	host_set(b->h, "sim_ions", "44");
	host_set(b->h, "scans", "2");
	host_set(b->h, "total_pressure", "true");
	begin(b);
	assert_int_equal(acquire(b), ASSAY_FRAME);
	assert_int_equal(acquire(b), ASSAY_LAST);
	assert_int_equal(stop(b), 0);
	assert_non_null(
		strstr(b->head.heard, "MR18 MR28 MR44 TP? ER? MR18 MR28 MR44 TP? ER? MR0 "));
	assert_int_equal(b->h->raw.blocks[1].len, 16);
	assert_int_equal(host_decode(b->h), 0);
	const struct assay_variable *mz = host_find(b->h, "mz");
	assert_int_equal(mz->type, ASSAY_F64);
	assert_true(host_element(mz, 0) == 18 && host_element(mz, 2) == 44);
	assert_true(host_element(host_find(b->h, "ion_current"), 1) == 25500 / 1e16);
	assert_true(host_find(b->h, "total_pressure_current")->real == 77777 / 1e16);
}

static void a_byte_too_many_spoils_a_series(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "mode", "series");
	host_set(b->h, "sim_ions", "28");
	begin(b);
	host_answer_hex(b->h, "37");
	assert_int_equal(acquire(b), -EBADMSG);
	assert_int_equal(stop(b), 0);
	assert_true(heard(b, "MR0"));
}

static void lost_bytes_spoil_the_frame_and_clear_the_head(void **state)
{
	static const struct {
		size_t lost, extra;
	} cases[] = {{2, 0}, {4, 0}, {0, 1}, {0, 4}, {0, 200}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct bench *b;
		setup((void **)&b);
		host_set(b->h, "total_pressure", "true");
		begin(b);
		b->head.lost = cases[i].lost;
		b->head.extra = cases[i].extra;
		assert_int_equal(acquire(b), ASSAY_LAST);
		assert_true(heard(b, "IN0"));
		assert_true(b->h->retried > 0);
		assert_int_equal(host_decode(b->h), 0);
		assert_int_equal(b->h->frame.flag, ASSAY_BAD);
		bool is_more = cases[i].extra > 0;
		assert_true(host_has_reason(b->h, is_more ? "malformed" : "truncated"));
		assert_non_null(strstr(
			b->h->logged, is_more ? "bytes were added: a device server in Telnet mode"
					      : "bytes were lost"));
		assert_null(host_find(b->h, "total_pressure_current"));
		assert_int_equal(host_find(b->h, "ion_current")->count, 991);
		teardown((void **)&b);
	}
	(void)state;
}

static void a_scan_that_lost_points_is_no_frame(void **state)
{
	struct bench *b = *state;
	begin(b);
	b->head.lost = 7;
	assert_int_equal(acquire(b), -EBADMSG);
	assert_int_equal(b->h->raw.count, 0);
	assert_string_equal(b->h->explained, "only 3961 of the scan's 3968 bytes arrived");
	assert_int_equal(stop(b), 0);
	b->head.mute = true;
	assert_int_equal(start(b), 0);
	uint64_t begun = b->h->now;
	assert_int_equal(acquire(b), -ETIMEDOUT);
	assert_in_range(b->h->now - begun, 60000, 75000);
}

static void an_abort_ends_the_scan_at_once_and_the_head_is_brought_back(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "emission_current", "1");
	begin(b);
	b->head.mute = true;
	b->h->abort_at = b->h->now + 5000;
	uint64_t begun = b->h->now;
	assert_int_equal(acquire(b), -ECANCELED);
	assert_int_equal(b->h->now - begun, 5000);
	host_revive(b->h);
	b->head.heard[0] = '\0';
	assert_int_equal(stop(b), 0);
	assert_string_equal(b->head.heard, "?????????????? ID? EC? FL0 FL? ");
}

static void a_request_to_stop_finishes_the_scan(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "scans", "0");
	begin(b);
	b->h->stop_at = b->h->now + 10;
	assert_int_equal(acquire(b), ASSAY_LAST);
	assert_int_equal(acquire(b), ASSAY_DONE);
}

static void a_contradicting_number_of_points_is_rejected(void **state)
{
	struct bench *b = *state;
	b->h->device = NULL;
	set_range(b->h, "10", "50");
	host_set(b->h, "mode", "histogram");
	script_identify(b->h);
	assert_int_equal(identify(b), 0);
	head_init(&b->head, b->h);
	assert_int_equal(configure(b), 0);
	head_value(&b->head, "MI")->value = 11;
	assert_int_equal(start(b), 0);
	head_value(&b->head, "MI")->value = 10.5;
	assert_int_equal(start(b), -EPROTO);
}

static void pressure_is_computed_only_on_request(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "convert", "partial_pressure");
	host_set(b->h, "emission_current", "1.0");
	host_set(b->h, "total_pressure", "true");
	begin(b);
	assert_int_equal(acquire(b), ASSAY_LAST);
	assert_int_equal(host_decode(b->h), 0);
	const struct assay_variable *p = host_find(b->h, "partial_pressure");
	double torr = 101325.0 / 760;
	assert_string_equal(p->unit, "Pa");
	assert_float_equal(host_element(p, 3), 500 * 1e-13 / 0.1 * torr, 1e-20);
	assert_float_equal(
		host_find(b->h, "total_pressure")->real, 77777 * 1e-13 / 10 * torr, 1e-18);
	assert_non_null(host_find(b->h, "ion_current"));
	assert_non_null(strstr(setting(b->h, "pressure_conversion"), "SP 0.1 ST 10 MG 2.5 HV 0"));
}

static void the_multipliers_gain_divides_the_pressure(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "convert", "partial_pressure");
	host_set(b->h, "emission_current", "1.0");
	host_set(b->h, "detector_voltage", "1400");
	begin(b);
	assert_int_equal(acquire(b), ASSAY_LAST);
	assert_int_equal(host_decode(b->h), 0);
	assert_float_equal(host_element(host_find(b->h, "partial_pressure"), 3),
		500 * 1e-13 / 0.1 / 2500 * 101325 / 760, 1e-24);
	assert_int_equal(stop(b), 0);
	head_value(&b->head, "MG")->value = 0;
	assert_int_equal(start(b), -EPROTO);
	assert_non_null(strstr(b->h->explained, "no usable sensitivity"));
	assert_int_equal(stop(b), 0);
}

/* The stored gain and sensitivities hold at one voltage and one emission. */
static void pressures_away_from_their_calibration_are_left_out(void **state)
{
	static const struct {
		const char *emission, *volts, *holds_for, *tolerance, *why;
	} cases[] = {
		{"1.0", NULL, "1", "5", NULL},
		{"1.1", NULL, "1", "5", NULL},
		{"2.0", NULL, "1", "5", "the emission is 2 mA, and the sensitivity holds for 1 mA"},
		{"2.0", NULL, "2", "5", NULL},
		{"0", NULL, "1", "5", "the emission is 0 mA"},
		{NULL, NULL, "1", "5", "the emission is 0 mA"},
		{"1.0", "1404", "1", "5", NULL},
		{"1.0", "1000", "1", "5",
			"the multiplier is at 1000 V, and its gain is stored for 1400 V"},
		{"1.0", "1450", "1", "5", "the multiplier is at 1450 V"},
		{"1.0", "1450", "1", "60", NULL},
		{"0.5", "1400", "1", "5", "the emission is 0.5 mA"},
	};
	struct bench *b = *state;
	host_set(b->h, "convert", "partial_pressure");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		host_unset(b->h, "emission_current");
		host_unset(b->h, "detector_voltage");
		if (cases[i].emission != NULL)
			host_set(b->h, "emission_current", cases[i].emission);
		if (cases[i].volts != NULL)
			host_set(b->h, "detector_voltage", cases[i].volts);
		host_set(b->h, "sensitivity_emission", cases[i].holds_for);
		host_set(b->h, "gain_tolerance", cases[i].tolerance);
		b->h->logged[0] = '\0';
		begin(b);
		assert_int_equal(acquire(b), ASSAY_LAST);
		assert_int_equal(host_decode(b->h), 0);
		bool holds = cases[i].why == NULL;
		assert_int_equal(host_find(b->h, "partial_pressure") != NULL, holds);
		assert_non_null(host_find(b->h, "ion_current"));
		assert_int_equal(b->h->frame.flag, holds ? ASSAY_UNCHECKED : ASSAY_SUSPECT);
		assert_int_equal(host_has_reason(b->h, "cal-settings"), !holds);
		if (!holds) {
			assert_non_null(strstr(b->h->logged, cases[i].why));
			assert_non_null(strstr(setting(b->h, "pressure_conversion"), cases[i].why));
		}
		assert_int_equal(stop(b), 0);
	}
	assert_null(strstr(b->head.heard, "MV1"));
}

static unsigned writes_left;
static void (*uncut)(struct host *h, const uint8_t *data, size_t len);

/* The head hears it and replies, and the slot is cancelled before it reads. */
static void hear_and_cut(struct host *h, const uint8_t *data, size_t len)
{
	uncut(h, data, len);
	if (--writes_left == 0)
		h->stuck = -ECANCELED;
}

static void a_reply_of_a_cut_exchange_is_not_taken_for_another(void **state)
{
	struct bench *b = *state;
	struct host *h = b->h;
	uncut = h->device;
	h->device = hear_and_cut;
	host_set(h, "emission_current", "1");
	set_range(h, "1", "5");
	int r = -ECANCELED;
	for (unsigned cut = 1; r == -ECANCELED; cut++) {
		writes_left = 0;
		assert_int_equal(identify(b), 0);
		writes_left = cut;
		r = configure(b);
		r = r == 0 ? start(b) : r;
		assert_true(r == 0 || r == -ECANCELED);
		writes_left = 0;
		host_revive(h);
		assert_int_equal(h->driver->read_back(&h->ins), 0);
		assert_int_equal(host_report(h, "electron_energy")->integer, 70);
		assert_int_equal(host_report(h, "focus_voltage")->integer, 90);
		assert_int_equal(stop(b), 0);
		assert_true(head_value(&b->head, "FL")->value == 0);
		b->head.heard[0] = '\0';
		assert_in_range(cut, 1, 200);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(the_worked_session_goes_byte_by_byte),
		T(a_running_scan_is_ended_before_the_first_query),
		T(half_a_command_is_never_run),
		T(a_head_that_never_pauses_is_not_asked),
		T(identify_changes_nothing_that_lasts),
		T(a_damaged_serial_number_is_not_another_unit),
		T(a_head_that_does_not_know_its_range_is_tolerated),
		T(another_instrument_is_not_taken_for_a_head),
		T(replies_that_end_with_lf_alone_are_read),
		T(a_late_identity_is_no_reply_to_the_next_query),
		T(a_lost_reply_repeats_the_request),
		T(the_range_is_set_in_the_order_that_the_head_accepts),
		T(a_status_after_nf_is_not_taken_for_its_value),
		T(an_error_that_stays_is_cleared_before_the_start),
		T(a_refused_setting_is_explained),
		T(settings_that_contradict_are_rejected),
		T(ion_source_settings_are_sent_only_when_given),
		T(what_is_read_back_is_taken_again),
		T(hazards_without_a_setting_are_not_touched),
		T(hazards_go_on_with_the_start_and_off_with_the_stop),
		T(a_filament_that_does_not_light_fails_the_start_and_is_switched_off),
		T(make_safe_switches_off_parts_that_another_worker_switched_on),
		T(a_hazard_that_stays_on_is_never_called_off),
		T(a_tripped_filament_spoils_the_frame_and_ends_the_run),
		T(a_histogram_has_one_point_per_mass),
		T(a_series_reads_single_masses_and_is_closed),
		T(a_byte_too_many_spoils_a_series),
		T(lost_bytes_spoil_the_frame_and_clear_the_head),
		T(a_scan_that_lost_points_is_no_frame),
		T(an_abort_ends_the_scan_at_once_and_the_head_is_brought_back),
		T(a_request_to_stop_finishes_the_scan),
		T(a_contradicting_number_of_points_is_rejected),
		T(pressure_is_computed_only_on_request),
		T(the_multipliers_gain_divides_the_pressure),
		T(pressures_away_from_their_calibration_are_left_out),
		T(a_reply_of_a_cut_exchange_is_not_taken_for_another),
	};
	return cmocka_run_group_tests_name("srs-rga", tests, NULL, NULL);
}
