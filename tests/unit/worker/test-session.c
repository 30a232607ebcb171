/* SPDX-License-Identifier: Apache-2.0 */
/* The worker as the core meets it: messages in, messages out, exit codes. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <assay/driver.h>

#include "../apart.h"
#include "base/clock.h"
#include "core.h"
#include "record/check.h"
#include "record/keys.h"
#include "record/quality.h"
#include "record/read.h"

#define PLENTY (UINT64_C(1) << 40)

#define text_is(t, s) assert_true((t).len == strlen(s) && memcmp((t).data, s, (t).len) == 0)

static const struct port none = {.kind = ASSAY_LINK_NONE};
static struct core core;
static struct settings_bytes settings;

static int before(void **state)
{
	core = (struct core){.fd = -1};
	settings = (struct settings_bytes){0};
	return 0;
}

static int after(void **state)
{
	core_finish(&core);
	buffer_finish(&settings.bytes);
	return 0;
}

/* A worker with one unit of the driver `misbehave`, up to READY. */
static void bring_up(const char *deed, const char *slot, int64_t after_frames)
{
	settings_add_text(&settings, "deed", deed);
	settings_add_text(&settings, "slot", slot);
	settings_add_int(&settings, "after", after_frames);
	settings_add_number(&settings, "period", 0.002, "s");
	struct unit unit = unit_with("bad-1", "misbehave", &settings);
	core_start(&core, &none, &unit, 1);
	core_bring_up(&core);
}

static void grant(uint64_t bytes)
{
	wire_write_credit(&core.out, bytes);
	core_send(&core);
}

static void start(enum wire_mode mode, uint64_t frames)
{
	core_run(&core, 0, &(struct wire_start){.mode = mode, .frames = frames});
}

static struct wire_frame expect_frame(void)
{
	struct wire_message m = core_expect(&core, WIRE_FRAME, 0);
	struct wire_frame frame;
	struct schema_error error;
	assert_int_equal(wire_read_frame(&m, &frame), 0);
	if (check_frame_part(frame.part.data, frame.part.len, frame.pairs, 0, &error) < 0)
		fail_msg("%s: %s", error.path, error.text);
	return frame;
}

static struct wire_ended await_end(enum wire_end end)
{
	struct wire_message m = core_await(&core, WIRE_ENDED, 0);
	struct wire_ended ended;
	assert_int_equal(wire_read_ended(&m, &ended), 0);
	if (ended.end != end)
		fail_msg("ended as %d: %.*s", (int)ended.end, (int)ended.text.len, ended.text.data);
	return ended;
}

static void await_fault(unsigned unit, const char *code)
{
	struct wire_message m = core_await(&core, WIRE_STATE, unit);
	struct wire_state said;
	assert_int_equal(wire_read_state(&m, &said), 0);
	text_is(said.state, "fault");
	text_is(said.code, code);
}

/* --- the ordinary life ------------------------------------------------------------------------ */

static void a_run_on_demand_delivers_its_frames_and_ends(void **state)
{
	bring_up("none", "acquire", 0);
	grant(PLENTY);
	start(WIRE_ONCE, 3);
	for (int i = 0; i < 3; i++) {
		struct wire_frame frame = expect_frame();
		assert_int_equal(frame.quality, ASSAY_GOOD);
		assert_int_equal(frame.dropped, 0);
		text_is(frame.dev, "12:00:00");
		assert_true(clock_utc() - frame.utc < 10 * NS_PER_S);
		assert_true(clock_boot() - frame.mono < 10 * NS_PER_S);
	}
	await_end(WIRE_END_COMPLETE);
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
}

static void identity_and_settings_as_read_back_are_told(void **state)
{
	settings_add_number(&settings, "period", 0.5, "s");
	settings_add_text(&settings, "serial", "X-17");
	struct unit unit = unit_with("bad-1", "misbehave", &settings);
	core_start(&core, &none, &unit, 1);
	struct wire_identity id = core_identify(&core);
	text_is(id.make, "assayd");
	text_is(id.serial, "X-17");
	assert_false(id.declared);
	wire_write_go(&core.out, 0, &(struct wire_go){.safe = false});
	core_send(&core);
	struct wire_message m = core_expect(&core, WIRE_READY, 0);
	struct assay_span told;
	assert_int_equal(wire_read_ready(&m, &told), 0);
	assert_int_equal(told.len, settings.bytes.len); /* read back as it was sent */
	assert_memory_equal(told.data, settings.bytes.data, told.len);
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
}

static void a_refused_instrument_is_left_alone(void **state)
{
	struct unit unit = unit_with("bad-1", "misbehave", NULL);
	core_start(&core, &none, &unit, 1);
	core_await(&core, WIRE_IDENTITY, 0);
	wire_write_refuse(&core.out, 0, "another one is configured");
	wire_write_start(&core.out, 0, &(struct wire_start){.mode = WIRE_ONCE});
	core_send(&core);
	struct wire_ended ended = await_end(WIRE_END_NOT_STARTED);
	text_is(ended.code, "EAGAIN");
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
}

static void a_refused_instrument_is_asked_again_who_it_is(void **state)
{
	struct unit unit = unit_with("bad-1", "misbehave", NULL);
	core_start(&core, &none, &unit, 1);
	core_await(&core, WIRE_IDENTITY, 0);
	wire_write_refuse(&core.out, 0, "another one is configured");
	core_send(&core);
	core_await(&core, WIRE_IDENTITY, 0);
	wire_write_go(&core.out, 0, &(struct wire_go){.safe = false});
	core_send(&core);
	core_await(&core, WIRE_READY, 0);
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
}

static void repetition_makes_run_after_run_until_stopped(void **state)
{
	settings_add_int(&settings, "frames", 2);
	settings_add_number(&settings, "period", 0.001, "s");
	struct unit unit = unit_with("bad-1", "misbehave", &settings);
	core_start(&core, &none, &unit, 1);
	core_bring_up(&core);
	grant(PLENTY);
	start(WIRE_REPEAT, 0);
	for (int i = 0; i < 3; i++) {
		if (i > 0)
			core_expect(&core, WIRE_STARTED, 0);
		expect_frame();
		expect_frame();
		await_end(WIRE_END_COMPLETE);
	}
	wire_write_quit(&core.out);
	core_send(&core);
	assert_int_equal(core_wait(&core), WIRE_EXIT_CLEAN);
}

static void a_repeated_run_ends_after_its_frames_and_the_next_begins(void **state)
{
	settings_add_number(&settings, "period", 0.001, "s");
	struct unit unit = unit_with("bad-1", "misbehave", &settings);
	core_start(&core, &none, &unit, 1);
	core_bring_up(&core);
	grant(PLENTY);
	core_run(&core, 0, &(struct wire_start){.mode = WIRE_REPEAT, .frames = 2});
	for (int i = 0; i < 3; i++) {
		if (i > 0)
			core_expect(&core, WIRE_STARTED, 0);
		expect_frame();
		expect_frame();
		await_end(WIRE_END_COMPLETE);
	}
	wire_write_quit(&core.out);
	core_send(&core);
	assert_int_equal(core_wait(&core), WIRE_EXIT_CLEAN);
}

static void continuous_goes_on_over_measurements_in_one_run(void **state)
{
	settings_add_int(&settings, "frames", 1);
	settings_add_number(&settings, "period", 0.001, "s");
	struct unit unit = unit_with("bad-1", "misbehave", &settings);
	core_start(&core, &none, &unit, 1);
	core_bring_up(&core);
	grant(PLENTY);
	start(WIRE_CONTINUOUS, 0);
	for (int i = 0; i < 5; i++)
		expect_frame();
	wire_write_stop(&core.out, 0);
	core_send(&core);
	await_end(WIRE_END_STOPPED);
	start(WIRE_ONCE, 0); /* ready again */
	expect_frame();
	await_end(WIRE_END_COMPLETE);
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
}

static void frames_keep_to_whole_multiples_of_the_period(void **state)
{
	const uint64_t every = 50 * NS_PER_MS;
	settings_add_number(&settings, "period", 0, "s");
	struct unit unit = unit_with("bad-1", "misbehave", &settings);
	core_start(&core, &none, &unit, 1);
	core_bring_up(&core);
	grant(PLENTY);
	core_run(&core, 0, &(struct wire_start){.mode = WIRE_CONTINUOUS, .every_ns = every});
	expect_frame(); /* of a driver with start(): at once */
	struct wire_frame frame = expect_frame();
	/*
	 * A busy machine may make any frame late, but not by more than the next one counts as
	 * missed. So each frame bounds the tick that the first was for, and together they leave
	 * one.
	 */
	uint64_t passed = 0, least = 0, most = UINT64_MAX, deadline = now_ms() + CORE_WAIT_MS;
	for (int punctual = 0, frames = 0; punctual < 5 || frames < 5; frames++) {
		assert_true(now_ms() < deadline);
		uint64_t at = frame.utc / every - passed;
		punctual += frame.utc % every < every / 5;
		frame = expect_frame();
		passed += 1 + frame.dropped;
		most = at < most ? at : most;
		least = at - frame.dropped > least ? at - frame.dropped : least;
		assert_true(least <= most);
	}
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
}

static void a_step_stands_in_every_frame(void **state)
{
	bring_up("none", "acquire", 0);
	grant(PLENTY);
	static const uint8_t step[] = "\xa3\x61i\x00\x62of\x02\x64name\x63low";
	core_run(&core, 0,
		&(struct wire_start){
			.mode = WIRE_ONCE, .frames = 1, .step = {step, sizeof step - 1}});
	struct wire_frame frame = expect_frame();
	assert_non_null(memmem(frame.part.data, frame.part.len, step, sizeof step - 1));
	await_end(WIRE_END_COMPLETE);
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
}

static void other_settings_of_a_start_are_configured_first(void **state)
{
	bring_up("none", "acquire", 0);
	grant(PLENTY);
	struct settings_bytes other = {0};
	settings_add_number(&other, "period", 0.25, "s");
	struct wire_start with = {
		.mode = WIRE_ONCE, .frames = 1, .settings = {other.bytes.data, other.bytes.len}};
	uint64_t at = now_ms();
	wire_write_start(&core.out, 0, &with);
	core_send(&core);
	struct wire_message m = core_expect(&core, WIRE_STARTED, 0);
	struct wire_started started;
	assert_int_equal(wire_read_started(&m, &started), 0);
	assert_int_equal(started.settings.len, other.bytes.len);
	assert_memory_equal(started.settings.data, other.bytes.data, other.bytes.len);
	expect_frame();
	assert_true(now_ms() - at >= 250);
	await_end(WIRE_END_COMPLETE);
	buffer_finish(&other.bytes);

	struct settings_bytes wrong = {0};
	settings_add_int(&wrong, "perido", 3);
	with.settings = (struct assay_span){wrong.bytes.data, wrong.bytes.len};
	wire_write_start(&core.out, 0, &with);
	core_send(&core);
	struct wire_ended ended = await_end(WIRE_END_NOT_STARTED);
	text_is(ended.text, "the driver has no setting 'perido'");
	buffer_finish(&wrong.bytes);
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
}

static void raw_blocks_are_kept_hashed_or_left_out(void **state)
{
	static const struct {
		enum unit_raw raw;
		const char *key;
	} ways[] = {{UNIT_RAW_KEEP, "data"}, {UNIT_RAW_HASH, "sha256"}, {UNIT_RAW_OFF, NULL}};
	for (size_t i = 0; i < 3; i++) {
		struct unit unit = unit_with("gen-1", "generator", NULL);
		struct settings_bytes s = {0};
		settings_add_int(&s, "frame_bytes", 800);
		settings_add_int(&s, "frames", 1);
		unit.settings = s.bytes.data;
		unit.settings_len = s.bytes.len;
		unit.raw = ways[i].raw;
		core_start(&core, &none, &unit, 1);
		core_bring_up(&core);
		grant(PLENTY);
		start(WIRE_ONCE, 0);
		struct wire_frame frame = expect_frame();
		bool has_raw = memmem(frame.part.data, frame.part.len, "\x65media", 6) != NULL;
		assert_int_equal(has_raw, ways[i].key != NULL);
		bool has_hash = memmem(frame.part.data, frame.part.len, "\x66sha256", 7) != NULL;
		assert_int_equal(has_hash, ways[i].raw == UNIT_RAW_HASH);
		await_end(WIRE_END_COMPLETE);
		assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
		core_finish(&core);
		buffer_finish(&s.bytes);
	}
}

/* --- credit ----------------------------------------------------------------------------------- */

static void no_frame_comes_without_credit_and_what_was_missed_is_counted(void **state)
{
	const uint64_t every = 20 * NS_PER_MS;
	bring_up("none", "acquire", 0);
	core_run(&core, 0, &(struct wire_start){.mode = WIRE_CONTINUOUS, .every_ns = every});
	struct wire_message m;
	uint64_t until = now_ms() + 300;
	while (now_ms() < until) {
		if (core_next(&core, &m, 50))
			assert_int_equal(m.type, WIRE_BEAT);
	}
	grant(PLENTY);
	assert_int_equal(expect_frame().dropped, 0); /* made at once, and held back since */
	assert_true(expect_frame().dropped >= 300 / 20 - 1);
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
}

static void a_frame_waits_for_credit_for_all_of_it(void **state)
{
	settings_add_int(&settings, "frame_bytes", 80000);
	struct unit unit = unit_with("gen-1", "generator", &settings);
	core_start(&core, &none, &unit, 1);
	core_bring_up(&core);
	grant(60000);
	start(WIRE_CONTINUOUS, 0);
	struct wire_message m;
	uint64_t until = now_ms() + 200;
	while (now_ms() < until) {
		if (core_next(&core, &m, 50))
			assert_int_equal(m.type, WIRE_BEAT);
	}
	grant(60000);
	expect_frame();
	wire_write_abort(&core.out, 0); /* while the next one waits */
	core_send(&core);
	await_end(WIRE_END_ABORTED);
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
}

/* --- stop, abort, quit ------------------------------------------------------------------------ */

static void abort_gets_through_to_a_waiting_driver_within_a_second(void **state)
{
	bring_up("wait", "acquire", 2);
	grant(PLENTY);
	start(WIRE_ONCE, 0);
	expect_frame();
	expect_frame();
	uint64_t at = now_ms();
	wire_write_abort(&core.out, 0);
	core_send(&core);
	await_end(WIRE_END_ABORTED);
	assert_true(now_ms() - at < 1000);
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
}

static void an_aborted_start_is_answered(void **state)
{
	bring_up("wait", "start", 0);
	wire_write_start(&core.out, 0, &(struct wire_start){.mode = WIRE_ONCE});
	wire_write_abort(&core.out, 0);
	core_send(&core);
	struct wire_ended ended = await_end(WIRE_END_NOT_STARTED);
	text_is(ended.code, "ECANCELED");
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
}

static void hazards_are_switched_off_on_every_way_out(void **state)
{
	settings_add_flag(&settings, "hazard", true);
	settings_add_number(&settings, "period", 0.001, "s");
	struct unit unit = unit_with("bad-1", "misbehave", &settings);
	for (int way = 0; way < 4; way++) {
		core_start(&core, &none, &unit, 1);
		core_bring_up(&core);
		grant(PLENTY);
		wire_write_start(&core.out, 0, &(struct wire_start){.mode = WIRE_ONCE});
		core_send(&core);
		bool on = false;
		struct wire_message m = core_expect(&core, WIRE_HAZARD, 0);
		assert_int_equal(wire_read_hazard(&m, &on), 0);
		assert_true(on);
		core_await(&core, WIRE_FRAME, 0);
		if (way == 0) {
			wire_write_quit(&core.out);
			core_send(&core);
		} else if (way == 1) {
			kill(core.pid, SIGTERM);
		} else if (way == 2) {
			shutdown(core.fd, SHUT_WR);
		} else {
			wire_write_credit(&core.out, 1);
			core.out.data[4] = 99; /* no message of ours */
			core_send(&core);
		}
		do {
			m = core_await(&core, WIRE_HAZARD, 0);
			assert_int_equal(wire_read_hazard(&m, &on), 0);
		} while (on);
		assert_int_equal(core_wait(&core), way == 3 ? WIRE_EXIT_PROTOCOL : WIRE_EXIT_CLEAN);
		core_finish(&core);
	}
}

static void a_hazard_that_stays_on_is_told_by_the_exit_code(void **state)
{
	settings_add_flag(&settings, "hazard", true);
	settings_add_text(&settings, "deed", "refuse");
	settings_add_text(&settings, "slot", "make_safe");
	struct unit unit = unit_with("bad-1", "misbehave", &settings);
	core_start(&core, &none, &unit, 1);
	core_bring_up(&core);
	start(WIRE_ONCE, 0);
	assert_int_equal(core_quit(&core), WIRE_EXIT_UNSAFE);
}

static void make_safe_comes_before_anything_else_after_an_unclean_end(void **state)
{
	struct unit unit = unit_with("bad-1", "misbehave", NULL);
	core_start(&core, &none, &unit, 1);
	core_await(&core, WIRE_IDENTITY, 0);
	wire_write_go(&core.out, 0, &(struct wire_go){.safe = true});
	core_send(&core);
	struct wire_message m = core_expect(&core, WIRE_HAZARD, 0);
	bool on = true;
	assert_int_equal(wire_read_hazard(&m, &on), 0);
	assert_false(on);
	core_await(&core, WIRE_READY, 0);
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
}

/* --- failures --------------------------------------------------------------------------------- */

static void a_failing_acquire_is_tried_again_then_ends_the_run_and_recovers(void **state)
{
	bring_up("timeout", "acquire", 1);
	grant(PLENTY);
	start(WIRE_ONCE, 0);
	expect_frame();
	await_fault(0, "ETIMEDOUT");
	struct wire_ended ended = await_end(WIRE_END_FAILED);
	text_is(ended.code, "ETIMEDOUT");
	core_expect(&core, WIRE_IDENTITY, 0); /* by itself */
	wire_write_go(&core.out, 0, &(struct wire_go){.safe = false});
	core_send(&core);
	core_expect(&core, WIRE_READY, 0);
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
}

static void an_abort_that_comes_after_the_end_disturbs_nothing(void **state)
{
	bring_up("timeout", "acquire", 0);
	grant(PLENTY);
	start(WIRE_ONCE, 0);
	await_end(WIRE_END_FAILED);
	wire_write_abort(&core.out, 0); /* it crossed with the end */
	core_send(&core);
	core_await(&core, WIRE_IDENTITY, 0);
	wire_write_abort(&core.out, 0);
	wire_write_go(&core.out, 0, &(struct wire_go){.safe = false});
	core_send(&core);
	struct wire_message m;
	do { /* an abort while it configures starts the identification again */
		assert_true(core_next(&core, &m, CORE_WAIT_MS));
		if (m.type == WIRE_IDENTITY) {
			wire_write_go(&core.out, 0, &(struct wire_go){.safe = false});
			core_send(&core);
		}
	} while (m.type != WIRE_READY);
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
}

static void an_aborted_repetition_rests(void **state)
{
	settings_add_int(&settings, "frames", 1);
	settings_add_number(&settings, "period", 0.001, "s");
	struct unit unit = unit_with("bad-1", "misbehave", &settings);
	core_start(&core, &none, &unit, 1);
	core_bring_up(&core);
	grant(PLENTY);
	core_run(&core, 0, &(struct wire_start){.mode = WIRE_REPEAT, .every_ns = 3600 * NS_PER_S});
	core_await(&core, WIRE_ENDED, 0);
	wire_write_abort(&core.out, 0); /* between two runs: the repetition itself ends */
	core_send(&core);
	await_end(WIRE_END_ABORTED);
	wire_write_start(&core.out, 0, &(struct wire_start){.mode = WIRE_ONCE});
	core_send(&core);
	core_await(&core, WIRE_STARTED, 0);
	await_end(WIRE_END_COMPLETE);
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
}

static void a_refused_start_leaves_the_instrument_ready(void **state)
{
	bring_up("refuse", "start", 0);
	for (int i = 0; i < 2; i++) {
		wire_write_start(&core.out, 0, &(struct wire_start){.mode = WIRE_ONCE});
		core_send(&core);
		struct wire_message m = core_expect(&core, WIRE_ENDED, 0);
		struct wire_ended ended;
		assert_int_equal(wire_read_ended(&m, &ended), 0);
		assert_int_equal(ended.end, WIRE_END_NOT_STARTED);
		text_is(ended.code, "EPROTO");
		text_is(ended.text, "the interlock of bad-1 is open");
	}
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
}

static void what_decode_cannot_read_ends_the_run(void **state)
{
	bring_up("garbage", "decode", 3);
	grant(PLENTY);
	start(WIRE_ONCE, 0);
	struct wire_ended ended = await_end(WIRE_END_FAILED);
	text_is(ended.code, "EPROTO"); /* the link works */
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
}

static void a_frame_that_breaks_the_format_ends_the_run_with_the_reason(void **state)
{
	bring_up("unfinished", "decode", 1);
	grant(PLENTY);
	start(WIRE_ONCE, 0);
	struct wire_ended ended = await_end(WIRE_END_FAILED);
	text_is(ended.code, "EINVAL");
	text_is(ended.text, "the driver made no valid frame: variable 0 has no proper name");
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
}

static void a_frame_that_its_bytes_do_not_decide_ends_the_run(void **state)
{
	bring_up("drift", "decode", 1);
	grant(PLENTY);
	start(WIRE_ONCE, 0);
	struct wire_ended ended = await_end(WIRE_END_FAILED);
	text_is(ended.text,
		"driver misbehave: decode() made two different frames of the same bytes");
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
}

static void an_instrument_that_never_answers_gives_the_port_up(void **state)
{
	settings_add_text(&settings, "deed", "timeout");
	settings_add_text(&settings, "slot", "identify");
	struct unit unit = unit_with("bad-1", "misbehave", &settings);
	core_start(&core, &none, &unit, 1);
	await_fault(0, "ETIMEDOUT");
	struct wire_message m;
	while (core_next(&core, &m, CORE_WAIT_MS)) /* no second word about it */
		assert_int_equal(m.type, WIRE_BEAT);
	assert_int_equal(core_wait(&core), WIRE_EXIT_LOST);
}

static void a_dead_unit_does_not_stop_its_neighbours(void **state)
{
	settings_add_text(&settings, "deed", "timeout");
	settings_add_text(&settings, "slot", "identify");
	struct settings_bytes good = {0};
	settings_add_number(&good, "period", 0.005, "s");
	struct unit units[] = {unit_with("dead-1", "misbehave", &settings),
		unit_with("good-1", "misbehave", &good)};
	core_start(&core, &none, units, 2);
	core_await(&core, WIRE_IDENTITY, 1);
	wire_write_go(&core.out, 1, &(struct wire_go){.safe = false});
	core_send(&core);
	core_await(&core, WIRE_READY, 1);
	grant(PLENTY);
	core_run(&core, 1, &(struct wire_start){.mode = WIRE_CONTINUOUS});
	uint64_t at = now_ms(), frames = 0, faults = 0;
	struct wire_message m;
	while (frames <= 100 || now_ms() < at + 4000) { /* in which the dead one is tried again */
		assert_true(now_ms() < at + 20000 && core_next(&core, &m, CORE_WAIT_MS));
		frames += m.type == WIRE_FRAME && m.unit == 1;
		faults += m.type == WIRE_STATE;
	}
	assert_true(faults <= 1); /* the first may have come before READY */
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
	buffer_finish(&good.bytes);
}

static void units_that_are_always_due_are_served_in_turn(void **state)
{
	settings_add_number(&settings, "period", 0, "s");
	struct unit units[] = {unit_with("first", "misbehave", &settings),
		unit_with("second", "misbehave", &settings)};
	core_start(&core, &none, units, 2);
	for (unsigned i = 0; i < 2; i++) {
		core_await(&core, WIRE_IDENTITY, i);
		wire_write_go(&core.out, i, &(struct wire_go){.safe = false});
	}
	core_send(&core);
	struct wire_message m;
	uint64_t frames[2] = {0}, deadline = now_ms() + CORE_WAIT_MS;
	for (unsigned ready = 0; ready < 2;) { /* in any order */
		assert_true(now_ms() < deadline && core_next(&core, &m, CORE_WAIT_MS));
		if (m.type != WIRE_READY)
			continue;
		ready++;
		wire_write_start(&core.out, m.unit, &(struct wire_start){.mode = WIRE_CONTINUOUS});
	}
	grant(PLENTY);
	while (frames[0] < 100 || frames[1] < 100) {
		assert_true(now_ms() < deadline && core_next(&core, &m, CORE_WAIT_MS));
		frames[m.unit & 1] += m.type == WIRE_FRAME;
	}
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
}

/* ENDED with this code and text. */
static void await_failure(const char *code, const char *text)
{
	struct wire_message m = core_await(&core, WIRE_ENDED, 0);
	struct wire_ended ended;
	assert_int_equal(wire_read_ended(&m, &ended), 0);
	assert_int_equal(ended.end, WIRE_END_FAILED);
	text_is(ended.code, code);
	if (memmem(ended.text.data, ended.text.len, text, strlen(text)) == NULL)
		fail_msg("%.*s", (int)ended.text.len, ended.text.data);
}

static void a_result_that_a_slot_does_not_have_is_named(void **state)
{
	bring_up("result", "acquire", 2);
	grant(PLENTY);
	start(WIRE_ONCE, 0);
	await_failure("EINVAL", "driver misbehave: acquire returned 99");
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
}

/* The driver ignores the error of assay_raw_add() and returns a frame. */
static void a_frame_that_lacks_a_raw_block_ends_the_run(void **state)
{
	bring_up("spill", "acquire", 2);
	grant(PLENTY);
	start(WIRE_ONCE, 0);
	await_failure("EMSGSIZE",
		"driver misbehave: 15728641 raw bytes after 0 are more than the driver's raw_max");
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
}

static double number_in(struct assay_span bytes)
{
	struct reader r;
	double value = 0;
	read_init(&r, bytes.data, bytes.len);
	assert_int_equal(read_double(&r, &value), 0);
	return value;
}

/* Not kept for the next run-start either. */
static void a_report_after_run_start_is_dropped_and_logged(void **state)
{
	bring_up("report", "acquire", 0);
	grant(PLENTY);
	start(WIRE_CONTINUOUS, 1);
	struct wire_message m = core_await(&core, WIRE_LOG, 0);
	struct wire_log line;
	assert_int_equal(wire_read_log(&m, &line), 0);
	text_is(line.text, "the driver reported 'period' outside configure, read_back and start: "
			   "dropped");
	core_await(&core, WIRE_ENDED, 0);
	wire_write_start(&core.out, 0, &(struct wire_start){.mode = WIRE_ONCE, .frames = 1});
	core_send(&core);
	m = core_await(&core, WIRE_STARTED, 0);
	struct wire_started started;
	assert_int_equal(wire_read_started(&m, &started), 0);
	struct assay_span period = keys_value(started.settings, string_of("period"));
	double value = number_in(keys_value(period, string_of("v")));
	assert_true(value == 0.002);
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
}

static void decode_explains_bytes_that_are_no_frame(void **state)
{
	bring_up("refuse", "decode", 2);
	grant(PLENTY);
	start(WIRE_ONCE, 0);
	await_failure("EPROTO", "frame 2 has no end");
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
}

static void a_crash_of_the_driver_is_a_death_by_signal(void **state)
{
	bring_up("crash", "acquire", 1);
	grant(PLENTY);
	wire_write_start(&core.out, 0, &(struct wire_start){.mode = WIRE_ONCE});
	core_send(&core);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	struct wire_message m = core_await(&core, WIRE_STATE, 0);
	struct wire_state reported;
	assert_int_equal(wire_read_state(&m, &reported), 0);
	static const char text[] = "driver misbehave crashed in acquire (signal 11, ";
	assert_true(reported.text.len > sizeof text - 1);
	assert_memory_equal(reported.text.data, text, sizeof text - 1);
#endif
	int code = core_wait(&core);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	assert_int_not_equal(code, WIRE_EXIT_CLEAN);
#else
	assert_int_equal(code, 128 + SIGSEGV);
#endif
}

static void a_hang_shows_in_the_heartbeat(void **state)
{
	bring_up("loop", "acquire", 0);
	grant(PLENTY);
	start(WIRE_ONCE, 0);
	core_await(&core, WIRE_BEAT, WIRE_PORT);
	core_await(&core, WIRE_BEAT, WIRE_PORT);
	struct wire_beat first = core.beat;
	assert_true(first.deadline > clock_boot());
	core_await(&core, WIRE_BEAT, WIRE_PORT);
	assert_int_equal(core.beat.progress, first.progress);
	assert_int_equal(core.beat.deadline, first.deadline);
}

static void a_resting_worker_has_no_deadline(void **state)
{
	bring_up("none", "acquire", 0);
	do
		core_await(&core, WIRE_BEAT, WIRE_PORT);
	while (core.beat.deadline != 0);
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
}

static void asking_for_a_setting_that_is_not_declared_ends_the_worker(void **state)
{
	bring_up("unknown", "acquire", 0);
	grant(PLENTY);
	start(WIRE_ONCE, 0);
	await_fault(WIRE_PORT, "EINVAL");
	assert_int_equal(core_wait(&core), WIRE_EXIT_DRIVER);
}

static void chatter_is_cut_and_counted(void **state)
{
	bring_up("chatter", "acquire", 0);
	uint64_t at = now_ms();
	start(WIRE_ONCE, 1);
	grant(PLENTY);
	unsigned lines = 0;
	struct wire_message m;
	do {
		assert_true(core_next(&core, &m, CORE_WAIT_MS));
		lines += m.type == WIRE_LOG;
	} while (m.type != WIRE_FRAME);
	uint64_t seconds = (now_ms() - at) / 1000 + 1;
	assert_in_range(lines, 1, 21 * seconds); /* 20, and how many were left out */
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
}

static void a_line_said_again_is_no_news(void **state)
{
	bring_up("echo", "acquire", 0);
	start(WIRE_ONCE, 1);
	grant(PLENTY);
	unsigned lines = 0;
	struct wire_message m;
	do {
		assert_true(core_next(&core, &m, 5000));
		lines += m.type == WIRE_LOG;
	} while (m.type != WIRE_FRAME);
	assert_int_equal(lines, 1);
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
}

static void a_frame_of_the_largest_size_gets_through(void **state)
{
	bring_up("huge", "acquire", 0);
	grant(WIRE_PAYLOAD_MAX + WIRE_HEAD_BYTES);
	start(WIRE_ONCE, 1);
	struct wire_message m = core_await(&core, WIRE_FRAME, 0);
	assert_true(m.len > 15 << 20);
	struct wire_frame frame;
	assert_int_equal(wire_read_frame(&m, &frame), 0);
	assert_int_equal(
		check_frame_part(frame.part.data, frame.part.len, frame.pairs, 0, NULL), 0);
	await_end(WIRE_END_COMPLETE);
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
}

/* --- ports ------------------------------------------------------------------------------------ */

static int listen_on(struct port *port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, size), 0);
	struct timeval limit = {.tv_sec = CORE_WAIT_MS / 1000}; /* of accept() */
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	*port = (struct port){.kind = ASSAY_LINK_TCP,
		.host = "127.0.0.1",
		.number = ntohs(at.sin_port),
		.open_ms = 2000};
	return fd;
}

/* A worker whose driver asks "?" over TCP; the instrument's end of the connection. */
static int bring_up_tcp(void)
{
	struct port port;
	int listener = listen_on(&port);
	settings_add_number(&settings, "period", 0, "s");
	struct unit unit = unit_with("net-1", "misbehave", &settings);
	core_start(&core, &port, &unit, 1);
	int fd = accept(listener, NULL, NULL);
	assert_true(fd >= 0);
	close(listener);
	core_bring_up(&core);
	grant(PLENTY);
	return fd;
}

static void expect_question(int fd)
{
	char question;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	assert_int_equal(poll(&p, 1, CORE_WAIT_MS), 1);
	assert_int_equal(read(fd, &question, 1), 1);
	assert_int_equal(question, '?');
}

static void a_frame_without_raw_bytes_ends_the_run(void **state)
{
	settings_add_text(&settings, "deed", "bare");
	int fd = bring_up_tcp();
	start(WIRE_CONTINUOUS, 0);
	await_failure("EINVAL", "driver misbehave: acquire returned a frame without raw bytes");
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
	close(fd);
}

static void a_port_that_cannot_be_opened_is_told(void **state)
{
	struct port port;
	close(listen_on(&port));
	struct unit unit = unit_with("net-1", "misbehave", NULL);
	core_start(&core, &port, &unit, 1);
	core_expect(&core, WIRE_HELLO, WIRE_PORT);
	await_fault(WIRE_PORT, "ECONNREFUSED");
	assert_int_equal(core_wait(&core), WIRE_EXIT_NOT_OPENED);
}

static void a_lost_port_ends_run_and_worker(void **state)
{
	int fd = bring_up_tcp();
	start(WIRE_CONTINUOUS, 0);
	expect_question(fd);
	assert_int_equal(write(fd, "abcd", 4), 4);
	expect_frame();
	expect_question(fd);
	close(fd);
	await_fault(0, "ENODEV");
	struct wire_ended ended = await_end(WIRE_END_FAILED);
	text_is(ended.code, "ENODEV");
	text_is(ended.text, "the other side closed the connection");
	assert_int_equal(core_wait(&core), WIRE_EXIT_LOST);
}

/* Closes it, and returns when the other side has it: a busy machine may deliver it later. */
static void close_delivered(int fd)
{
	uint64_t deadline = now_ms() + CORE_WAIT_MS;
	struct tcp_info info;
	socklen_t size = sizeof info;
	shutdown(fd, SHUT_WR);
	do {
		assert_true(now_ms() < deadline);
		poll(NULL, 0, 1);
		assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
	} while (info.tcpi_state == TCP_FIN_WAIT1);
	close(fd);
}

/* The worker is confined by then. */
static void an_idle_connection_that_closes_is_made_again(void **state)
{
	struct port port;
	int listener = listen_on(&port);
	settings_add_number(&settings, "period", 0, "s");
	struct unit unit = unit_with("net-1", "misbehave", &settings);
	core_start(&core, &port, &unit, 1);
	int fd = accept(listener, NULL, NULL);
	assert_true(fd >= 0);
	core_bring_up(&core);
	char address[80];
	snprintf(address, sizeof address, "127.0.0.1 port %u", port.number);
	assert_string_equal(core.address, address);
	grant(PLENTY);
	for (int i = 0; i < 3; i++) {
		close_delivered(fd);
		start(WIRE_ONCE, 1);
		fd = accept(listener, NULL, NULL);
		assert_true(fd >= 0);
		expect_question(fd);
		assert_int_equal(write(fd, "abcd", 4), 4);
		struct wire_frame frame = expect_frame();
		assert_int_equal(frame.quality, ASSAY_GOOD);
		assert_int_equal(frame.reasons, 0);
		await_end(WIRE_END_COMPLETE);
	}
	close(listener);
	close_delivered(fd);
	start(WIRE_ONCE, 1);
	await_fault(0, "ENODEV");
	assert_int_equal(core_wait(&core), WIRE_EXIT_LOST);
}

static void repeated_questions_are_counted_in_the_frame(void **state)
{
	int fd = bring_up_tcp();
	start(WIRE_ONCE, 2);
	expect_question(fd); /* of which nothing comes */
	expect_question(fd);
	assert_int_equal(write(fd, "abcd", 4), 4);
	struct wire_frame frame = expect_frame();
	assert_int_equal(frame.retries, 1);
	assert_int_equal(frame.quality, ASSAY_GOOD);
	assert_int_not_equal(frame.reasons, 0);
	expect_question(fd);
	assert_int_equal(write(fd, "efgh", 4), 4);
	frame = expect_frame();
	assert_int_equal(frame.retries, 0);
	assert_int_equal(frame.reasons, 0);
	await_end(WIRE_END_COMPLETE);
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
	close(fd);
}

static void a_quit_interrupts_an_exchange(void **state)
{
	int fd = bring_up_tcp();
	start(WIRE_ONCE, 0);
	expect_question(fd);
	uint64_t at = now_ms();
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
	assert_true(now_ms() - at < 1000);
	close(fd);
}

/* --- setting up ------------------------------------------------------------------------------- */

static void a_driver_that_is_not_there_is_told_and_not_tried_again(void **state)
{
	struct unit unit = unit_with("x", "no-such-driver", NULL);
	core_start(&core, &none, &unit, 1);
	await_fault(WIRE_PORT, "ENOENT");
	assert_int_equal(core_wait(&core), WIRE_EXIT_SETUP);
}

static void settings_that_do_not_fit_the_table_are_refused(void **state)
{
	settings_add_int(&settings, "after", -1);
	struct unit unit = unit_with("x", "misbehave", &settings);
	core_start(&core, &none, &unit, 1);
	struct wire_message m = core_await(&core, WIRE_STATE, WIRE_PORT);
	struct wire_state said;
	assert_int_equal(wire_read_state(&m, &said), 0);
	text_is(said.text, "setting 'after': is out of range");
	assert_int_equal(core_wait(&core), WIRE_EXIT_SETUP);
}

static void a_core_that_says_nothing_sensible_is_left(void **state)
{
	core_start_bare(&core);
	wire_write_quit(&core.out);
	core_send(&core);
	assert_int_equal(core_wait(&core), WIRE_EXIT_PROTOCOL);
	core_finish(&core);

	core_start_bare(&core);
	close(core.fd);
	core.fd = -1;
	assert_int_equal(core_wait(&core), WIRE_EXIT_CLEAN);
}

static void the_file_system_is_out_of_reach(void **state)
{
	bring_up("open", "start", 0);
	grant(PLENTY);
	wire_write_start(&core.out, 0, &(struct wire_start){.mode = WIRE_ONCE, .frames = 1});
	core_send(&core);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || defined(COVERAGE)
	await_end(WIRE_END_NOT_STARTED); /* a sanitizer needs its freedom, and says so */
#else
	await_end(WIRE_END_COMPLETE);
#endif
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
}

/* Its model is the first forbidden act of the constructor that succeeded. */
static void a_module_is_loaded_by_a_confined_process(void **state)
{
	struct unit unit = unit_with("eager-1", "eager", NULL);
	core_start(&core, &none, &unit, 1);
	struct wire_message m = core_await(&core, WIRE_IDENTITY, 0);
	struct wire_identity identity;
	assert_int_equal(wire_read_identity(&m, &identity), 0);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(COVERAGE)
	text_is(identity.model, "confined");
#endif
	assert_int_equal(core_quit(&core), WIRE_EXIT_CLEAN);
}

#define T(test) cmocka_unit_test_setup_teardown(test, before, after)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_run_on_demand_delivers_its_frames_and_ends),
		T(identity_and_settings_as_read_back_are_told),
		T(a_refused_instrument_is_left_alone),
		T(a_refused_instrument_is_asked_again_who_it_is),
		T(repetition_makes_run_after_run_until_stopped),
		T(a_repeated_run_ends_after_its_frames_and_the_next_begins),
		T(continuous_goes_on_over_measurements_in_one_run),
		T(frames_keep_to_whole_multiples_of_the_period),
		T(a_step_stands_in_every_frame),
		T(other_settings_of_a_start_are_configured_first),
		T(raw_blocks_are_kept_hashed_or_left_out),
		T(no_frame_comes_without_credit_and_what_was_missed_is_counted),
		T(a_frame_waits_for_credit_for_all_of_it),
		T(abort_gets_through_to_a_waiting_driver_within_a_second),
		T(an_aborted_start_is_answered),
		T(hazards_are_switched_off_on_every_way_out),
		T(a_hazard_that_stays_on_is_told_by_the_exit_code),
		T(make_safe_comes_before_anything_else_after_an_unclean_end),
		T(a_failing_acquire_is_tried_again_then_ends_the_run_and_recovers),
		T(an_abort_that_comes_after_the_end_disturbs_nothing),
		T(an_aborted_repetition_rests),
		T(a_refused_start_leaves_the_instrument_ready),
		T(what_decode_cannot_read_ends_the_run),
		T(a_frame_that_breaks_the_format_ends_the_run_with_the_reason),
		T(a_frame_that_its_bytes_do_not_decide_ends_the_run),
		T(an_instrument_that_never_answers_gives_the_port_up),
		T(a_dead_unit_does_not_stop_its_neighbours),
		T(units_that_are_always_due_are_served_in_turn),
		T(a_result_that_a_slot_does_not_have_is_named),
		T(a_frame_that_lacks_a_raw_block_ends_the_run),
		T(a_report_after_run_start_is_dropped_and_logged),
		T(a_frame_without_raw_bytes_ends_the_run),
		T(decode_explains_bytes_that_are_no_frame),
		T(a_crash_of_the_driver_is_a_death_by_signal),
		T(a_hang_shows_in_the_heartbeat),
		T(a_resting_worker_has_no_deadline),
		T(asking_for_a_setting_that_is_not_declared_ends_the_worker),
		T(chatter_is_cut_and_counted),
		T(a_line_said_again_is_no_news),
		T(a_frame_of_the_largest_size_gets_through),
		T(a_port_that_cannot_be_opened_is_told),
		T(a_lost_port_ends_run_and_worker),
		T(an_idle_connection_that_closes_is_made_again),
		T(repeated_questions_are_counted_in_the_frame),
		T(a_quit_interrupts_an_exchange),
		T(a_driver_that_is_not_there_is_told_and_not_tried_again),
		T(settings_that_do_not_fit_the_table_are_refused),
		T(a_core_that_says_nothing_sensible_is_left),
		T(the_file_system_is_out_of_reach),
		T(a_module_is_loaded_by_a_confined_process),
	};
	return RUN_APART(tests);
}
