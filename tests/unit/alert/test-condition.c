/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions over virtual time: every sequence of looks up to a length, against a model that follows
 * the notes alone; and a reply of the daemon, read into conditions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "condition.h"
#include "look.h"
#include "outbox.h"
#include "record/encode.h"

#define LOOKS 7 /* 3^7 sequences for each pace */

static const struct alert_options options = {.fault = 30 * NS_PER_S,
	.silent = 20 * NS_PER_S,
	.settle = 30 * NS_PER_S,
	.remind = 100 * NS_PER_S,
	.clock = 60 * NS_PER_S,
	.calibration = 30 * 86400 * NS_PER_S,
	.to_count = 1};

enum what { BAD, GOOD, UNKNOWN, WHATS };

static void make_look(struct look *look, enum what what)
{
	*look = (struct look){.utc = 1};
	if (what == UNKNOWN) {
		look->unknown = ~0u;
	} else if (what == BAD) {
		look->items = calloc(1, sizeof *look->items);
		look->count = look->size = 1;
		look->items[0] = (struct seen){.kind = CONDITION_FAULT, .subject = "xrf-1"};
	}
}

/* The facts that people get. */
struct model {
	uint64_t bad_since, good_since, last_note; /* of known looks in a row; 0: not */
	bool raised;
};

static void check_note(
	struct model *m, enum what what, uint64_t now, const struct outbox *outbox, size_t before)
{
	assert_true(outbox->count - before <= 1);
	if (what == BAD && m->bad_since == 0)
		m->bad_since = now;
	if (what == GOOD && m->good_since == 0)
		m->good_since = now;
	if (what == GOOD)
		m->bad_since = 0;
	if (what == BAD)
		m->good_since = 0;
	if (outbox->count == before) {
		/* Nothing that is due is kept back. */
		assert_false(!m->raised && what == BAD && now >= m->bad_since + options.fault);
		assert_false(m->raised && what == GOOD && now >= m->good_since + options.settle);
		return;
	}
	enum note_event event = outbox->notes[before].event;
	if (event == NOTE_ALERT) {
		assert_false(m->raised);
		assert_true(what == BAD && now >= m->bad_since + options.fault);
		m->raised = true;
	} else if (event == NOTE_REMINDER) {
		assert_true(m->raised && what == BAD && now >= m->last_note + options.remind);
	} else {
		assert_int_equal(event, NOTE_END);
		assert_true(m->raised && what == GOOD && now >= m->good_since + options.settle);
		m->raised = false;
	}
	m->last_note = now;
}

static void try_sequence(unsigned sequence, uint64_t pace)
{
	struct conditions all = {0};
	struct outbox outbox;
	struct model model = {0};
	uint64_t now = 1000 * NS_PER_S;
	outbox_init(&outbox, &options);
	for (int i = 0; i < LOOKS; i++, sequence /= WHATS, now += pace) {
		struct look look;
		size_t before = outbox.count;
		make_look(&look, (enum what)(sequence % WHATS));
		conditions_take(&all, &look, &options, now, &outbox);
		check_note(&model, (enum what)(sequence % WHATS), now, &outbox, before);
		look_finish(&look);
	}
	conditions_finish(&all);
	outbox_finish(&outbox);
}

static void every_sequence_of_looks_gives_the_right_notes(void **state)
{
	static const uint64_t paces[] = {
		NS_PER_S, 10 * NS_PER_S, 31 * NS_PER_S, 60 * NS_PER_S, 200 * NS_PER_S};
	unsigned count = 1;
	for (int i = 0; i < LOOKS; i++)
		count *= WHATS;
	for (size_t p = 0; p < sizeof paces / sizeof paces[0]; p++) {
		for (unsigned sequence = 0; sequence < count; sequence++)
			try_sequence(sequence, paces[p]);
	}
}

static void a_long_fault_has_one_alert_reminders_and_one_end(void **state)
{
	static const enum note_event expected[] = {
		NOTE_ALERT, NOTE_REMINDER, NOTE_REMINDER, NOTE_END};
	struct conditions all = {0};
	struct outbox outbox;
	struct look look;
	outbox_init(&outbox, &options);
	for (uint64_t s = 1; s < 400; s++) {
		make_look(&look, s < 250 ? BAD : GOOD);
		conditions_take(&all, &look, &options, s * NS_PER_S, &outbox);
		look_finish(&look);
	}
	assert_int_equal(outbox.count, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(outbox.notes[i].event, expected[i]);
	assert_int_equal(all.count, 0);
	conditions_finish(&all);
	outbox_finish(&outbox);
}

/* --- replies --------------------------------------------------------------------------------- */

#define UTC  (1795335330 * NS_PER_S)
#define DAYS (86400 * NS_PER_S)

static void add_instrument(struct buffer *to, const char *key, const char *state, bool simulated)
{
	struct map map;
	map_open(&map, to);
	map_text(&map, "key", key);
	map_text(&map, "state", state);
	map_bool(&map, "simulated", simulated);
	map_text(&map, "text", "no\nanswer\x1b[31m");
	map_close(&map);
}

static void add_calibration(struct buffer *to, const char *kind, const char *name, uint64_t until)
{
	struct map map;
	map_open(&map, to);
	map_text(&map, kind, name);
	map_text(&map, "id", "CAL-7");
	map_uint(&map, "until", until);
	map_close(&map);
}

/* Everything is wrong, the clock as given. */
static void make_reply(struct buffer *to, const char *sync)
{
	struct map map, inner;
	map_open(&map, to);
	map_bool(&map, "ok", true);
	map_text(&map, "site", "ccl");
	map_text(&map, "node", "bench-3");
	map_text(&map, "config_errors", "a.yaml:1:2: wrong\nb.yaml:1:1: wrong");
	map_key(&map, "journal");
	map_open(&inner, to);
	map_text(&inner, "disk", "low");
	map_text(&inner, "error", "Input/output error");
	map_uint(&inner, "free", 5);
	map_close(&inner);
	map_key(&map, "clock");
	map_open(&inner, to);
	map_text(&inner, "sync", sync);
	map_close(&inner);
	map_key(&map, "calibrations");
	encode_array(to, 4);
	add_calibration(to, "instrument", "xrf-1", UTC + 10 * DAYS);
	add_calibration(to, "instrument", "xrf-2", UTC + 31 * DAYS);
	add_calibration(to, "instrument", "xrf-3", UTC - 1);
	add_calibration(to, "method", "SOP-1", UTC + 30 * DAYS);
	map_key(&map, "instruments");
	encode_array(to, 4);
	add_instrument(to, "xrf-1", "fault", false);
	add_instrument(to, "xrf-2", "busy", false);
	add_instrument(to, "sim-1", "fault", true);
	add_instrument(to, "ms-1", "maintenance", false);
	map_close(&map);
}

static void a_reply_is_read_into_conditions(void **state)
{
	struct buffer bytes = {0};
	struct look look;
	make_reply(&bytes, "rtc");
	look_read(&look, (struct assay_span){bytes.data, bytes.len}, &options, UTC);
	assert_string_equal(look.lab, "ccl/bench-3");
	assert_int_equal(look.unknown, 0);
	assert_string_equal(
		look_find(&look, CONDITION_FAULT, "xrf-1")->text, "fault: no?answer?[31m");
	assert_non_null(look_find(&look, CONDITION_JOURNAL, ""));
	assert_non_null(look_find(&look, CONDITION_DISK, ""));
	assert_non_null(look_find(&look, CONDITION_CLOCK, ""));
	assert_string_equal(look_find(&look, CONDITION_CALIBRATION_ENDS, "xrf-1")->text,
		"calibration CAL-7 ends on 2026-12-02");
	assert_non_null(look_find(&look, CONDITION_CALIBRATION_ENDS, "SOP-1/"));
	assert_non_null(look_find(&look, CONDITION_CALIBRATION_ENDED, "xrf-3"));
	assert_non_null(look_find(&look, CONDITION_CALIBRATION_ENDS, "xrf-3"));
	assert_non_null(
		strstr(look_find(&look, CONDITION_CONFIG, "")->text, "errors: a.yaml:1:2: wrong"));
	assert_null(strstr(look_find(&look, CONDITION_CONFIG, "")->text, "b.yaml"));
	assert_int_equal(look.count, 9);
	look_finish(&look);
	struct alert_options all = options;
	all.simulated = true;
	look_read(&look, (struct assay_span){bytes.data, bytes.len}, &all, UTC);
	assert_non_null(look_find(&look, CONDITION_FAULT, "sim-1"));
	look_finish(&look);
	buffer_finish(&bytes);
}

static void without_a_date_no_calibration_ends(void **state)
{
	struct buffer bytes = {0};
	struct look look;
	make_reply(&bytes, "none");
	look_read(&look, (struct assay_span){bytes.data, bytes.len}, &options, UTC);
	assert_null(look_find(&look, CONDITION_CALIBRATION_ENDED, "xrf-3"));
	assert_int_equal(
		look.unknown, 1u << CONDITION_CALIBRATION_ENDS | 1u << CONDITION_CALIBRATION_ENDED);
	look_finish(&look);
	buffer_finish(&bytes);
}

static void any_other_reply_is_silence(void **state)
{
	struct buffer bytes = {0};
	struct look look;
	make_reply(&bytes, "ntp");
	for (size_t len = 0; len < bytes.len; len++) {
		look_read(&look, (struct assay_span){bytes.data, len}, &options, UTC);
		assert_int_equal(look.count, 1);
		assert_non_null(look_find(&look, CONDITION_SILENT, ""));
		assert_int_equal(look.unknown, ~(1u << CONDITION_SILENT));
		look_finish(&look);
	}
	look_read(&look, (struct assay_span){bytes.data, bytes.len}, &options, UTC);
	assert_null(look_find(&look, CONDITION_SILENT, ""));
	look_finish(&look);
	buffer_finish(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_sequence_of_looks_gives_the_right_notes),
		cmocka_unit_test(a_long_fault_has_one_alert_reminders_and_one_end),
		cmocka_unit_test(a_reply_is_read_into_conditions),
		cmocka_unit_test(without_a_date_no_calibration_ends),
		cmocka_unit_test(any_other_reply_is_silence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
