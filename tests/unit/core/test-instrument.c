/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instruments between their workers, which the test plays, and the journal, from which it reads
 * the story; on virtual time.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "core/commit/commit.h"
#include "core/commit/published.h"
#include "core/instrument/identity.h"
#include "core/runs/interrupted.h"
#include "core/runs/rows.h"
#include "journal/journal.h"
#include "parts.h"
#include "peer.h"
#include "record/text.h"
#include "roof.h"
#include "virtual-loop.h"
#include "wire/exit.h"

static struct roof roof;

static const struct roof_plan plan = {
	.instruments = "  ms-2:\n"
		       "    driver: srs-rga\n"
		       "    simulated: true\n"
		       "    link: {type: serial, port: /dev/zero}\n"
		       "    identity: {serial: '7', model: RGA100, otherwise: flag}\n"
		       "    acquire: {mode: repeat, every: 1 min}\n"
		       "    settings: {mass_first: 1, mass_last: 50}\n",
	.methods = "  both:\n"
		   "    version: 1\n"
		   "    driver: amptek-dp5\n"
		   "    steps:\n"
		   "      - {name: light, settings: {preset_time: 1 s}}\n"
		   "      - {name: heavy, settings: {preset_time: 2 s}}\n",
	.start = peer_start,
};

static int open_roof(void **state)
{
	roof_open_as(&roof, &plan);
	virtual_loop_run_for(roof.core.loop, NS_PER_MS);
	return 0;
}

/* Ends the workers when they receive QUIT. */
static int close_roof(void **state)
{
	struct instrument *instrument;
	roof.core.instruments.stopping = true;
	ports_stop_all(&roof.core.ports);
	list_for_each(instrument, &roof.core.instruments.list, link)
	{
		int pid = supervise_pid(instrument->supervisor);
		if (pid != 0)
			peer_exit(peer_of(pid), roof.core.loop, false, WIRE_EXIT_CLEAN);
	}
	virtual_loop_run_for(roof.core.loop, NS_PER_MS);
	roof_commit(&roof);
	roof_close(&roof);
	peers_forget();
	return 0;
}

static void run(uint64_t ns)
{
	assert_int_equal(virtual_loop_run_for(roof.core.loop, ns), 0);
}

/* --- one instrument and its worker ----------------------------------------------------------- */

static struct instrument *find(const char *key)
{
	struct instrument *instrument = instrument_find(&roof.core.instruments, key);
	assert_non_null(instrument);
	return instrument;
}

static struct peer *worker(const struct instrument *instrument)
{
	return peer_of(supervise_pid(instrument->supervisor));
}

static void deliver(struct instrument *instrument, struct buffer *message)
{
	peer_send(worker(instrument), message);
	run(NS_PER_MS);
}

/* The next message of the core that is not credit. */
static struct wire_message expect(struct instrument *instrument, enum wire_type type)
{
	struct wire_message m;
	do {
		if (!peer_next(worker(instrument), &m))
			fail_msg("no message %d to %s", (int)type, instrument->config->key);
	} while (m.type == WIRE_CREDIT);
	assert_int_equal(m.type, type);
	return m;
}

static void expect_nothing(struct instrument *instrument)
{
	struct wire_message m;
	while (peer_next(worker(instrument), &m))
		assert_int_equal(m.type, WIRE_CREDIT);
}

static void send_identity(struct instrument *instrument, const char *model, const char *serial)
{
	struct buffer message = {0};
	struct wire_identity identity = {
		.make = string_of("Make"), .model = string_of(model), .serial = string_of(serial)};
	wire_write_identity(&message, 0, &identity);
	deliver(instrument, &message);
}

static void send_ready(struct instrument *instrument)
{
	struct buffer message = {0};
	wire_write_ready(&message, 0, instrument_settings(instrument));
	deliver(instrument, &message);
}

/* From SETUP to READY; whether the worker must make the instrument safe. */
static bool connect_to(struct instrument *instrument)
{
	struct buffer message = {0};
	struct wire_go go;
	expect(instrument, WIRE_SETUP);
	wire_write_hello(&message, "");
	wire_write_opened(&message, NULL);
	deliver(instrument, &message);
	send_identity(instrument, "RGA100", "7");
	struct wire_message m = expect(instrument, WIRE_GO);
	assert_int_equal(wire_read_go(&m, &go), 0);
	send_ready(instrument);
	return go.safe;
}

/* How far the clocks that a worker reports are off. */
static uint64_t utc_off, mono_off;

static void send_started(struct instrument *instrument)
{
	struct buffer message = {0};
	struct wire_started started = {.utc = clock_utc() + utc_off,
		.mono = clock_boot() + mono_off,
		.settings = instrument_settings(instrument)};
	wire_write_started(&message, 0, &started);
	deliver(instrument, &message);
}

static uint64_t age; /* of the next frames */

/* Sends a frame of one value with this quality; `pairs` 2 is right. */
static void send_frame(struct instrument *instrument, uint32_t reasons, uint64_t dropped, int pairs)
{
	struct buffer message = {0}, part = {0};
	part_begin(&part, "scalar", 1);
	part_number(&part, "dead_time", "%", 1.5);
	struct wire_frame frame = {.utc = clock_utc() + utc_off - age,
		.mono = clock_boot() + mono_off - age,
		.quality = ASSAY_QUALITY_GOOD,
		.reasons = reasons,
		.dropped = dropped,
		.pairs = (uint16_t)pairs,
		.part = {part.data, part.len}};
	wire_write_frame_head(&message, 0, &frame);
	buffer_append(&message, part.data, part.len);
	buffer_finish(&part);
	deliver(instrument, &message);
}

static void send_end(struct instrument *instrument, enum wire_end end, const char *text)
{
	struct buffer message = {0};
	wire_write_ended(&message, 0, end, "", text);
	deliver(instrument, &message);
}

static void send_not_started(struct instrument *instrument, const char *code, const char *text)
{
	struct buffer message = {0};
	wire_write_ended(&message, 0, WIRE_END_NOT_STARTED, code, text);
	deliver(instrument, &message);
}

static void send_fault(struct instrument *instrument, const char *text)
{
	struct buffer message = {0};
	wire_write_state(&message, 0, "fault", "ETIMEDOUT", text, (struct assay_span){0});
	deliver(instrument, &message);
}

/* The worker ends, and the next one starts. */
static void restart_worker(struct instrument *instrument, bool is_killed, int status)
{
	unsigned starts = supervise_starts(instrument->supervisor);
	peer_exit(worker(instrument), roof.core.loop, is_killed, status);
	run(NS_PER_MS);
	for (int i = 0; i < 400 && supervise_starts(instrument->supervisor) == starts; i++)
		run(100 * NS_PER_MS);
	assert_int_equal(supervise_starts(instrument->supervisor), starts + 1);
}

/* --- the story ------------------------------------------------------------------------------- */

/* The types of committed records of the instrument's runs; of a run-end with its status. */
static void expect_story(const struct instrument *instrument, const char *expected)
{
	char story[400] = "", *rest = NULL;
	char *all = strdup(roof_records(&roof, instrument->config->key));
	for (char *line = strtok_r(all, "\n", &rest); line != NULL;
		line = strtok_r(NULL, "\n", &rest)) {
		char type[20], status[20] = "";
		assert_int_equal(sscanf(line, "{\"type\":\"%19[^\"]", type), 1);
		const char *at = strstr(line, "\"status\":\"");
		if (strcmp(type, "state") == 0)
			continue;
		if (at != NULL)
			sscanf(at, "\"status\":\"%19[^\"]", status);
		size_t len = strlen(story);
		snprintf(story + len, sizeof story - len, "%s%s%s", len > 0 ? " " : "",
			at != NULL ? status : type, "");
	}
	free(all);
	assert_string_equal(story, expected);
}

/* How many records of the instrument ("-": audit records) have this text. */
static size_t count(const char *instrument, const char *text)
{
	size_t found = 0;
	const char *at = roof_records(&roof, instrument);
	for (; (at = strstr(at, text)) != NULL; at++)
		found++;
	return found;
}

static void expect_shown(
	const struct instrument *instrument, enum device_state state, const char *text)
{
	assert_string_equal(words_name(&words_device_state, (int)instrument->state),
		words_name(&words_device_state, (int)state));
	if (strstr(instrument->text, text) == NULL)
		fail_msg("'%s' has no '%s'", instrument->text, text);
}

/* --- runs ------------------------------------------------------------------------------------ */

static void a_continuous_run_is_recorded_whole(void **state)
{
	struct instrument *ms = find("ms-1");
	struct wire_start start;
	connect_to(ms);
	struct wire_message m = expect(ms, WIRE_START);
	assert_int_equal(wire_read_start(&m, &start), 0);
	assert_int_equal(start.mode, WIRE_CONTINUOUS);
	assert_int_equal(start.every_ns, NS_PER_S);
	send_started(ms);
	expect_shown(ms, DEVICE_STATE_BUSY, "node/ms-1/20270115-001");
	for (int i = 0; i < 3; i++)
		send_frame(ms, 0, 0, 2);
	assert_int_equal(ms->frames, 3);
	assert_int_equal(instrument_renew(ms), 0);
	expect_shown(ms, DEVICE_STATE_BUSY, "node/ms-1/20270115-002");
	assert_true(ms->largest_run == 0); /* of ended runs by the worker only */
	send_frame(ms, 0, 0, 2);
	assert_int_equal(instrument_stop(ms, false, NULL), 0);
	expect(ms, WIRE_STOP);
	send_end(ms, WIRE_END_STOPPED, "");
	assert_true(ms->largest_run > 0);
	expect(ms, WIRE_START); /* the next one follows by itself */
	assert_int_equal(instrument_stop_for(ms, "the disk is full"), 0);
	expect(ms, WIRE_STOP);
	send_started(ms); /* it crossed with the stop */
	send_end(ms, WIRE_END_STOPPED, "");
	expect_story(ms,
		"run-start frame frame frame complete run-start frame stopped run-start stopped");
}

/* All ends of a run that a worker reports, by the mode of the run. */
static void every_end_has_its_status(void **state)
{
	static const struct {
		enum wire_end end;
		const char *why, *status;
		enum device_state shown;
	} ends[] = {
		{WIRE_END_COMPLETE, "", "complete", DEVICE_STATE_IDLE},
		{WIRE_END_COMPLETE, "the reason", "stopped", DEVICE_STATE_IDLE},
		{WIRE_END_STOPPED, "the reason", "stopped", DEVICE_STATE_IDLE},
		{WIRE_END_ABORTED, "the reason", "aborted", DEVICE_STATE_IDLE},
		{WIRE_END_FAILED, "the reason", "failed", DEVICE_STATE_FAULT},
	};
	struct instrument *ms = find("ms-1");
	char story[400] = "";
	connect_to(ms);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		expect(ms, WIRE_START);
		send_started(ms);
		send_frame(ms, 0, 0, 2);
		if (i + 1 == sizeof ends / sizeof *ends)
			send_fault(ms, "the filament is broken");
		send_end(ms, ends[i].end, ends[i].why);
		if (ends[i].shown == DEVICE_STATE_FAULT)
			expect_shown(ms, ends[i].shown, "the reason");
		size_t len = strlen(story);
		snprintf(story + len, sizeof story - len, "%srun-start frame %s",
			len > 0 ? " " : "", ends[i].status);
	}
	expect_story(ms, story);
	assert_int_equal(
		count("ms-1", "\"why\":\"the reason\""), 4); /* a complete run needs none */
	send_end(ms, WIRE_END_COMPLETE, "");
	assert_int_equal(worker(ms)->signal, SIGKILL); /* there is no run */
}

/* A repeating worker reports each round; the next has a request of its own. */
static void a_repetition_ends_between_two_runs(void **state)
{
	struct instrument *ms = find("ms-2");
	connect_to(ms);
	expect(ms, WIRE_START);
	for (int i = 0; i < 2; i++) {
		send_started(ms);
		send_frame(ms, 0, 0, 2);
		send_end(ms, WIRE_END_COMPLETE, "");
		expect_shown(ms, DEVICE_STATE_IDLE, "");
		expect_nothing(ms);
	}
	roof.core.instruments.notice = "the disk is low";
	send_started(ms);
	send_end(ms, WIRE_END_COMPLETE, "");
	expect(ms, WIRE_STOP); /* no run may start now */
	expect_shown(ms, DEVICE_STATE_IDLE, "the disk is low");
	send_end(ms, WIRE_END_STOPPED, "");
	expect_nothing(ms);
	roof.core.instruments.notice = NULL;
	instrument_rest(ms);
	expect(ms, WIRE_START);
	expect_story(ms, "run-start frame complete run-start frame complete run-start complete");
}

struct answer {
	size_t count;
	int r;
	char text[200];
};

static void take_answer(struct answer *answer, int r, const char *text)
{
	answer->count++;
	answer->r = r;
	snprintf(answer->text, sizeof answer->text, "%s", text != NULL ? text : "");
}

static void on_started(void *arg, int r, const char *text, const struct run_label *label)
{
	take_answer(arg, r, text);
}

static void start_on_demand(struct instrument *xrf, const char *method, struct answer *answer)
{
	char why[200];
	struct run_request request = {.sample = "S-1",
		.method = method != NULL ? config_find_method(roof.core.config, method) : NULL,
		.mode = CONFIG_ON_DEMAND,
		.answer = on_started,
		.arg = answer};
	*answer = (struct answer){0};
	assert_int_equal(instrument_start(xrf, &request, why, sizeof why), 0);
}

static void steps_of_a_method_follow_within_a_run(void **state)
{
	struct instrument *xrf = find("xrf-1");
	struct wire_start start;
	struct answer answer;
	connect_to(xrf);
	start_on_demand(xrf, "both", &answer);
	for (int step = 1; step <= 2; step++) {
		struct wire_message m = expect(xrf, WIRE_START);
		assert_int_equal(wire_read_start(&m, &start), 0);
		assert_int_equal(start.mode, WIRE_ONCE);
		assert_int_equal(start.step.data[3], step); /* {"i": step, "of": 2, "name": ...} */
		send_started(xrf);
		send_frame(xrf, 0, 0, 2);
		send_end(xrf, WIRE_END_COMPLETE, "");
	}
	expect_nothing(xrf);
	expect_story(xrf, "run-start frame frame complete");
	assert_int_equal(answer.count, 1);
	assert_int_equal(answer.r, 0);
	start_on_demand(xrf, "both", &answer); /* a stop between the steps ends it */
	expect(xrf, WIRE_START);
	send_started(xrf);
	instrument_stop(xrf, false, NULL);
	expect(xrf, WIRE_STOP);
	send_end(xrf, WIRE_END_STOPPED, "");
	expect_nothing(xrf);
	assert_int_equal(count("xrf-1", "\"status\":\"stopped\""), 1);
	start_on_demand(
		xrf, "both", &answer); /* and so does an instrument that ends a step early */
	expect(xrf, WIRE_START);
	send_started(xrf);
	send_end(xrf, WIRE_END_COMPLETE, "counting ended early");
	expect_nothing(xrf);
	assert_int_equal(count("xrf-1", "\"status\":\"stopped\""), 2);
}

/* The worker ended a step before it read the abort, or failed after it. */
static void no_run_is_complete_without_its_last_step(void **state)
{
	static const struct audit_actor person = {.id = "jane"}, *const actors[] = {NULL, &person};
	struct instrument *xrf = find("xrf-1");
	struct answer answer;
	connect_to(xrf);
	for (int i = 0; i < 5; i++) {
		bool abort = i < 2;
		start_on_demand(xrf, "both", &answer);
		expect(xrf, WIRE_START);
		send_started(xrf);
		send_frame(xrf, 0, 0, 2);
		if (i < 4) {
			instrument_stop(xrf, abort, actors[i % 2]);
			expect(xrf, abort ? WIRE_ABORT : WIRE_STOP);
		} else {
			send_fault(xrf, "the filament is broken");
		}
		send_end(xrf, WIRE_END_COMPLETE, "");
		expect_nothing(xrf);
	}
	expect_story(xrf, "run-start frame aborted run-start frame aborted run-start frame stopped "
			  "run-start frame stopped run-start frame failed");
}

/* The next START was on its way when the abort came; a refusal may have crossed with it. */
static void an_abort_between_steps_is_no_failure(void **state)
{
	struct instrument *xrf = find("xrf-1");
	struct answer answer;
	connect_to(xrf);
	for (int i = 0; i < 2; i++) {
		start_on_demand(xrf, "both", &answer);
		expect(xrf, WIRE_START);
		send_started(xrf);
		send_frame(xrf, 0, 0, 2);
		send_end(xrf, WIRE_END_COMPLETE, "");
		expect(xrf, WIRE_START);
		instrument_stop(xrf, true, NULL);
		expect(xrf, WIRE_ABORT);
		send_not_started(xrf, i == 0 ? "ECANCELED" : "EPROTO", "aborted");
		expect_nothing(xrf);
	}
	expect_story(xrf, "run-start frame aborted run-start frame failed");
}

static void on_set_answer(void *arg, int r, const char *text)
{
}

/* Also where the instrument otherwise measures by itself. */
static void a_requested_run_is_not_ended_for_something_else(void **state)
{
	static const uint8_t part[] = {
		0xa1, 0x69, 'm', 'a', 's', 's', '_', 'l', 'a', 's', 't', 0x18, 60};
	struct instrument *ms = find("ms-1");
	struct answer answer;
	roof.core.instruments.notice = "the disk is low"; /* so that it rests */
	connect_to(ms);
	expect_nothing(ms);
	roof.core.instruments.notice = NULL;
	start_on_demand(ms, NULL, &answer);
	expect(ms, WIRE_START);
	for (int round = 0; round < 2; round++) { /* armed, and with an open run */
		assert_true(instrument_serves_request(ms));
		assert_int_equal(instrument_set(ms, (struct assay_span){part, sizeof part}, NULL,
					 on_set_answer, NULL),
			-EBUSY);
		assert_int_equal(instrument_set_maintenance(ms, true), -EBUSY);
		if (round == 0)
			send_started(ms);
	}
	roof_commit(&roof); /* which answers the request */
	assert_int_equal(answer.count, 1);
	send_end(ms, WIRE_END_COMPLETE, "");
	assert_false(instrument_serves_request(ms));
	expect(ms, WIRE_START); /* by itself */
	send_started(ms);
	assert_false(instrument_serves_request(ms));
}

static void a_run_that_was_not_started_fails_its_request_once(void **state)
{
	struct instrument *xrf = find("xrf-1");
	struct answer answer;
	connect_to(xrf);
	for (int round = 0; round < 3; round++) {
		start_on_demand(xrf, NULL, &answer);
		expect(xrf, WIRE_START);
		if (round == 1)
			send_fault(xrf, "the detector is warm");
		if (round < 2) {
			send_end(xrf, WIRE_END_NOT_STARTED, "the detector is warm");
		} else {
			peer_exit(worker(xrf), roof.core.loop, true, SIGSEGV);
			run(NS_PER_MS);
		}
		assert_int_equal(answer.count, 1);
		assert_int_equal(answer.r, round < 2 ? -EPROTO : -ENODEV);
		assert_string_equal(answer.text,
			round < 2 ? "the detector is warm" : "the worker crashed (signal 11)");
		if (round == 1) {
			expect_shown(xrf, DEVICE_STATE_FAULT, "the detector is warm");
			send_identity(xrf, "RGA100", "7");
			expect(xrf, WIRE_GO);
			send_ready(xrf);
		}
	}
	expect_story(xrf, "");
}

/* One that runs by itself is tried again, with growing delays. */
static void a_refused_start_is_tried_again_later(void **state)
{
	struct instrument *ms = find("ms-1");
	uint64_t delays[4];
	connect_to(ms);
	expect(ms, WIRE_START);
	for (int i = 0; i < 4; i++) {
		send_end(ms, WIRE_END_NOT_STARTED, "the pressure is too high");
		expect_shown(ms, DEVICE_STATE_FAULT, "the pressure is too high");
		delays[i] = ms->retry_at - clock_boot();
		instrument_tick(ms);
		expect_nothing(ms);
		struct buffer message = {0};
		for (uint64_t t = 0; t < delays[i]; t += NS_PER_S) {
			wire_write_beat(&message, &(struct wire_beat){0});
			deliver(ms, &message);
			run(NS_PER_S);
		}
		instrument_tick(ms);
		expect(ms, WIRE_START);
	}
	assert_true(
		delays[0] <= NS_PER_S && delays[3] >= 6 * NS_PER_S && delays[3] <= 8 * NS_PER_S);
	send_started(ms);
	expect_shown(ms, DEVICE_STATE_BUSY, "");
	expect_story(ms, "run-start");
}

/* --- frames ---------------------------------------------------------------------------------- */

static void a_frame_carries_all_that_lowers_it(void **state)
{
	struct instrument *ms = find("ms-2");
	size_t frames = 4;
	expect(ms, WIRE_SETUP);
	send_identity(ms, "RGA200", "8"); /* another unit: flagged */
	expect(ms, WIRE_GO);
	send_ready(ms);
	expect(ms, WIRE_START);
	send_started(ms);
	send_frame(ms, 0, 0, 2);
	send_frame(ms, 0, 3, 2); /* dropped */
	age = NS_PER_S + 1;
	send_frame(ms, 0, 0, 2);
	age = NS_PER_S;
	for (unsigned i = 0; quality_reason_at(i, NULL) != NULL; i++, frames++)
		send_frame(ms, UINT32_C(1) << i, 0, 2);
	age = 0;
	roof.core.timekeeper.stepped_at = clock_boot() + 1;
	send_frame(ms, 0, 0, 2);
	assert_int_equal(count("ms-2", "\"q\":{\"flag\":3"), frames); /* suspect */
	assert_int_equal(count("ms-2", "\"dropped\":3"), 1);
	bool is_synced = stamp_now().sync == ASSAY_SYNC_NTP; /* of this computer */
	for (unsigned i = 0; quality_reason_at(i, NULL) != NULL; i++) {
		const char *reason = quality_reason_at(i, NULL);
		char text[60];
		snprintf(text, sizeof text, "\"%s\"", reason);
		bool is_of_all = strcmp(reason, "identity-mismatch") == 0 ||
				 (strcmp(reason, "clock-unsynced") == 0 && !is_synced);
		bool is_added = strcmp(reason, "driver-overrun") == 0 ||
				strcmp(reason, "late") == 0 || strcmp(reason, "clock-stepped") == 0;
		assert_int_equal(count("ms-2", text), is_of_all ? frames : 1 + (size_t)is_added);
	}
}

static void an_identity_that_was_not_read_is_a_reason(void **state)
{
	struct instrument *ms = find("ms-1");
	struct buffer message = {0};
	expect(ms, WIRE_SETUP);
	wire_write_identity(&message, 0, &(struct wire_identity){.declared = true});
	deliver(ms, &message);
	expect(ms, WIRE_GO);
	send_ready(ms);
	expect(ms, WIRE_START);
	send_started(ms);
	send_frame(ms, 0, 0, 2);
	assert_int_equal(count("ms-1", "\"identity-unread\""), 1);
	assert_int_equal(count("ms-1", "\"q\":{\"flag\":1"), 1);
}

/* The worker, which may have other instruments, goes on; the run starts again, less and less often. */
static void a_frame_that_is_wrong_ends_its_run(void **state)
{
	struct instrument *ms = find("ms-1");
	uint64_t waited[3];
	connect_to(ms);
	for (int i = 0; i < 3; i++) {
		uint64_t since = clock_boot();
		struct wire_message m;
		while (!peer_next(worker(ms), &m) || m.type != WIRE_START) {
			run(100 * NS_PER_MS);
			instrument_tick(ms);
		}
		waited[i] = clock_boot() - since;
		send_started(ms);
		send_frame(ms, 0, 0, 3); /* announces more than there is */
		expect(ms, WIRE_ABORT);
		expect_shown(ms, DEVICE_STATE_FAULT, "a frame did not pass the check: ");
		send_frame(ms, 0, 0, 2); /* it crossed with the abort */
		send_end(ms, i == 0 ? WIRE_END_COMPLETE : WIRE_END_ABORTED, "");
		expect_shown(ms, DEVICE_STATE_FAULT, "a frame did not pass the check: ");
	}
	assert_true(waited[0] < NS_PER_S && waited[2] > waited[1]);
	assert_int_equal(worker(ms)->signal, 0);
	expect_story(ms, "run-start failed run-start failed run-start failed");
	assert_int_equal(count("ms-1", "\"why\":\"a frame did not pass the check: "), 3);
	assert_int_equal(count("-", "\"event\":\"frame-refused\""), 3);
}

/* The end of a round and the next STARTED may cross with the abort. */
static void a_wrong_frame_ends_a_repetition(void **state)
{
	struct instrument *ms = find("ms-2");
	connect_to(ms);
	expect(ms, WIRE_START);
	send_started(ms);
	send_frame(ms, 0, 0, 3);
	expect(ms, WIRE_ABORT);
	send_end(ms, WIRE_END_COMPLETE, "");
	send_started(ms);
	send_frame(ms, 0, 0, 2);
	send_end(ms, WIRE_END_ABORTED, "");
	assert_int_equal(worker(ms)->signal, 0);
	expect_story(ms, "run-start failed");
}

/* The status tells a cable from an instrument that does not want to. */
static void the_error_decides_how_a_run_ends(void **state)
{
	static const struct {
		const char *code, *status;
	} ends[] = {{"ENODEV", "lost-device"}, {"ETIMEDOUT", "lost-device"}, {"EBADMSG", "failed"},
		{"EPROTO", "failed"}, {"EINVAL", "failed"}};
	struct instrument *ms = find("ms-1");
	char story[400] = "";
	connect_to(ms);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		struct buffer message = {0};
		size_t len = strlen(story);
		expect(ms, WIRE_START);
		send_started(ms);
		send_fault(ms, "the reason");
		wire_write_ended(&message, 0, WIRE_END_FAILED, ends[i].code, "the reason");
		deliver(ms, &message);
		snprintf(story + len, sizeof story - len, "%srun-start %s", len > 0 ? " " : "",
			ends[i].status);
		send_identity(ms, "RGA100", "7");
		expect(ms, WIRE_GO);
		send_ready(ms);
	}
	expect_story(ms, story);
}

static void an_instrument_without_a_serial_number_measures(void **state)
{
	struct instrument *ms = find("ms-1");
	struct buffer message = {0};
	expect(ms, WIRE_SETUP);
	wire_write_hello(&message, "");
	wire_write_opened(&message, NULL);
	deliver(ms, &message);
	send_identity(ms, "RGA100", "");
	expect(ms, WIRE_GO);
	send_ready(ms);
	expect(ms, WIRE_START);
	send_started(ms);
	send_frame(ms, 0, 0, 2);
	expect_story(ms, "run-start frame");
	assert_true(count("ms-1", "\"serial\":\"unknown\"") >= 2);
}

static void the_times_of_a_worker_are_checked(void **state)
{
	struct instrument *ms = find("ms-1");
	char today[40];
	time_t now = (time_t)(clock_utc() / NS_PER_S);
	strftime(today, sizeof today, "\"number\":\"node/ms-1/%Y%m%d-001", gmtime(&now));
	connect_to(ms);
	expect(ms, WIRE_START);
	utc_off = 400 * 86400 * NS_PER_S;
	mono_off = 86400 * NS_PER_S;
	send_started(ms);
	utc_off = mono_off = 0;
	assert_int_equal(count("ms-1", today), 1);
	send_frame(ms, 0, 0, 2);
	assert_int_equal(count("ms-1", "clock-stepped"), 0);
	utc_off = UINT64_MAX - clock_utc();
	send_frame(ms, 0, 0, 2);
	utc_off = 0;
	assert_int_equal(count("ms-1", "clock-stepped"), 1);
	expect_story(ms, "run-start frame frame");
	assert_int_equal(count("ms-1", "\"utc\":18446744"), 0);
	mono_off = 3600 * NS_PER_S;
	send_frame(ms, 0, 0, 2);
	mono_off = 0;
	expect(ms, WIRE_ABORT);
	assert_int_equal(count("-", "\"event\":\"frame-refused\""), 1);
	send_end(ms, WIRE_END_ABORTED, "");
	expect_story(ms, "run-start frame frame failed");
}

/* --- faults ---------------------------------------------------------------------------------- */

static void a_fault_explains_more_than_the_end_of_its_worker(void **state)
{
	struct instrument *ms = find("ms-1"), *other = find("ms-2");
	connect_to(ms);
	expect(ms, WIRE_START);
	send_started(ms);
	uint64_t before = ms->since;
	run(NS_PER_S);
	send_fault(ms, "no reply for 4 s");
	uint64_t since = ms->since;
	assert_true(since >= before + NS_PER_S);
	run(NS_PER_S);
	send_fault(ms, "no reply for 5 s");
	expect_shown(ms, DEVICE_STATE_FAULT, "no reply for 5 s");
	assert_int_equal(ms->since, since);
	assert_string_equal(ms->code, "ETIMEDOUT");
	peer_exit(worker(ms), roof.core.loop, false, WIRE_EXIT_LOST);
	peer_exit(worker(other), roof.core.loop, false, WIRE_EXIT_LOST);
	run(NS_PER_MS);
	expect_shown(ms, DEVICE_STATE_FAULT, "no reply for 5 s");
	expect_shown(other, DEVICE_STATE_FAULT, "the port was lost");
	expect_story(ms, "run-start lost-device");
	assert_int_equal(count("ms-1", "\"why\":\"no reply for 5 s\""), 1);
	assert_int_equal(
		count("ms-1", "\"state\":\"fault\""), 1); /* one record per change of state */
	assert_int_equal(count("ms-1", "\"code\":\"ETIMEDOUT\""), 1);
}

static void progress_is_shown_and_recorded(void **state)
{
	struct instrument *ms = find("ms-1");
	struct buffer message = {0}, values = {0};
	struct map map;
	connect_to(ms);
	expect(ms, WIRE_START);
	send_started(ms);
	map_open(&map, &values);
	map_key(&map, "real_time");
	encode_raw(&values, "\xa2\x61v\xfb\x40\x29\0\0\0\0\0\0\x61u\x61s", 16); /* 12.5 s */
	map_key(&map, "counts");
	encode_raw(&values, "\xa2\x61v\x19\x0b\xb8\x61u\x67{count}", 16);
	map_close(&map);
	wire_write_state(&message, 0, "busy", "", "", (struct assay_span){values.data, values.len});
	buffer_finish(&values);
	deliver(ms, &message);
	assert_string_equal(ms->values, "real_time 12.5 s, counts 3000");
	assert_int_equal(count("ms-1", "\"values\":{\"real_time\":{\"v\":12.5,\"u\":\"s\"}"), 1);
	wire_write_state(&message, 0, "idle", "", "", (struct assay_span){0});
	deliver(ms, &message); /* the core decides that */
	expect_shown(ms, DEVICE_STATE_BUSY, "");
	assert_int_equal(worker(ms)->signal, 0);
	wire_write_state(&message, 0, "confused", "", "", (struct assay_span){0});
	deliver(ms, &message);
	assert_int_equal(worker(ms)->signal, SIGKILL);
}

static void a_message_that_cannot_be_read_ends_the_worker(void **state)
{
	static const enum wire_type types[] = {WIRE_IDENTITY, WIRE_READY, WIRE_STARTED, WIRE_FRAME,
		WIRE_ENDED, WIRE_STATE, WIRE_HAZARD};
	struct instrument *ms = find("ms-1");
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		uint8_t bytes[9] = {1, 0, 0, 0, (uint8_t)types[i], 0, 0, 0, 0xff};
		struct buffer message = {0};
		connect_to(ms);
		expect(ms, WIRE_START);
		buffer_append(&message, bytes, sizeof bytes);
		deliver(ms, &message);
		assert_int_equal(worker(ms)->signal, SIGKILL);
		restart_worker(ms, true, SIGKILL);
	}
	expect_story(ms, "");
}

/* --- hazards --------------------------------------------------------------------------------- */

static void send_hazard(struct instrument *instrument, bool on)
{
	struct buffer message = {0};
	wire_write_hazard(&message, 0, on);
	deliver(instrument, &message);
}

static void a_hazard_is_noted_until_it_is_off(void **state)
{
	struct instrument *ms = find("ms-1");
	struct hazards *hazards = &roof.core.instruments.hazards;
	assert_false(connect_to(ms));
	assert_false(hazard_is_noted(hazards, "ms-1"));
	send_hazard(ms, true);
	send_hazard(ms, true); /* reported already */
	assert_true(hazard_is_noted(hazards, "ms-1"));
	assert_false(hazard_is_noted(hazards, "ms-2"));
	assert_true(atomic_load(&hazards->is_changed));
	hazard_sync(hazards);
	assert_false(atomic_load(&hazards->is_changed));
	restart_worker(ms, true, SIGSEGV);
	assert_true(connect_to(ms)); /* must make it safe first, */
	struct instruments all = {.runs = &roof.core.run_store, .config = roof.core.config};
	struct instrument *next; /* also after a start of the core */
	list_init(&all.list);
	all.hazards.journal = hazards->journal;
	assert_int_equal(instrument_create(&all, ms->config, &next), 0);
	assert_true(next->hazard);
	instrument_destroy(next);
	send_hazard(ms, false);
	assert_false(hazard_is_noted(hazards, "ms-1"));
	restart_worker(ms, true, SIGSEGV);
	assert_false(connect_to(ms));
	assert_int_equal(count("-", "\"event\":\"hazard-on\""), 1);
	assert_int_equal(count("-", "\"event\":\"hazard-off\""), 1);
}

/* The folder cannot be made: the worker lives, and note and sync are tried again. */
static void a_note_that_fails_is_tried_again(void **state)
{
	char missing[100];
	struct instrument *ms = find("ms-1");
	struct hazards *hazards = &roof.core.instruments.hazards;
	const char *journal = hazards->journal;
	snprintf(missing, sizeof missing, "%s/missing", roof.folder);
	hazards->journal = missing;
	connect_to(ms);
	send_hazard(ms, true);
	instrument_tick(ms);
	assert_false(hazard_is_noted(hazards, "ms-1"));
	hazard_sync(hazards);
	assert_true(atomic_load(&hazards->is_changed));
	hazards->journal = journal;
	instrument_tick(ms);
	assert_true(hazard_is_noted(hazards, "ms-1"));
	hazard_sync(hazards);
	assert_false(atomic_load(&hazards->is_changed));
}

/* --- identity -------------------------------------------------------------------------------- */

/* What the core makes of a unit that replies with this model and serial number; NULL: no reply. */
static struct run_identity expect_identity(const struct config_instrument *config,
	const char *model, const char *serial, bool is_refused, bool is_flagged, const char *reason)
{
	char why[200] = "";
	struct instrument instrument = {.config = config};
	identity_take(&instrument, &(struct wire_identity){.model = string_of(model),
					   .serial = string_of(serial),
					   .declared = model == NULL && serial == NULL});
	assert_int_equal(identity_refuses(&instrument, why, sizeof why), is_refused);
	assert_int_equal(instrument.identity.mismatch, is_flagged);
	if (strstr(why, reason) == NULL)
		fail_msg("'%s' has no '%s'", why, reason);
	return instrument.identity;
}

static void another_unit_is_refused_or_flagged(void **state)
{
	struct config_instrument config = *roof.core.config->instruments;
	memset(&config.identity, 0, sizeof config.identity);

	expect_identity(&config, "DP5", "2524", false, false, "");
	expect_identity(&config, "DP5", "9990042", false, false, "");
	config.simulated = false;
	expect_identity(&config, "DP5", "2524", false, false, "");
	expect_identity(&config, "DP5", "9990042", true, false, "belongs to a simulator");
	for (int flag = 0; flag < 2; flag++) {
		memset(&config.identity, 0, sizeof config.identity);
		config.identity.flag_otherwise = flag;
		config.identity.serial = "2524";
		expect_identity(&config, "DP5", "2524", false, false, "");
		expect_identity(&config, NULL, NULL, false, false, ""); /* it has none: declared */
		expect_identity(&config, "DP5", "9990042", true, false, "belongs to a simulator");
		config.identity.serial = "2525";
		expect_identity(&config, "DP5", "2524", !flag, flag,
			"serial number '2524' was found, '2525' is configured");
		expect_identity(&config, "DP5", "none", !flag, flag,
			"no serial number was found, '2525' is configured");
		config.identity.serial = "2524";
		config.identity.model = "PX5";
		expect_identity(&config, "DP5", "2524", !flag, flag,
			"model 'DP5' was found, 'PX5' is configured");
	}
}

static void blanks_around_an_identity_are_not_part_of_it(void **state)
{
	struct config_instrument config = *roof.core.config->instruments;
	config.identity.model = "RX 50";
	config.identity.serial = "0007";
	struct run_identity id = expect_identity(&config, "  RX 50 ", " 0007   ", false, false, "");
	assert_string_equal(id.model, "RX 50");
	assert_string_equal(id.serial, "0007");
	assert_false(id.declared);
	expect_identity(&config, "RX  50", "0007", true, false, "model 'RX  50' was found");
	expect_identity(&config, "   ", "0007", false, false, "");
}

/* Each of model and serial number: read, or not; configured, or not. */
static void an_identity_is_read_only_if_its_serial_number_is(void **state)
{
	struct config_instrument config = *roof.core.config->instruments;
	for (int i = 0; i < 16; i++) {
		const char *model = i & 1 ? "DP5" : NULL, *serial = i & 2 ? "7" : NULL;
		config.identity.model = i & 4 ? "DP5" : NULL;
		config.identity.serial = i & 8 ? "7" : NULL;
		struct run_identity id = expect_identity(&config, model, serial, false, false, "");
		assert_int_equal(id.declared,
			serial == NULL && (model == NULL || config.identity.serial != NULL));
		assert_string_equal(id.model, i & (1 | 4) ? "DP5" : "");
		assert_string_equal(id.serial, i & (2 | 8) ? "7" : id.declared ? "none" : "");
	}
}

static void a_rejected_unit_is_reported_once_until_it_is_another(void **state)
{
	struct instrument *ms = find("ms-1");
	struct config_instrument config = *ms->config;
	config.identity.serial = "7";
	const struct config_instrument *before = ms->config;
	instrument_reconfigure(ms, &config);
	expect(ms, WIRE_SETUP);
	for (int i = 0; i < 3; i++) {
		send_identity(ms, "RGA100", i < 2 ? "8" : "9");
		expect(ms, WIRE_REFUSE);
		expect_shown(ms, DEVICE_STATE_FAULT, "'7' is configured");
	}
	assert_int_equal(count("-", "\"event\":\"identity-refused\""), 2);
	assert_int_equal(count("ms-1", "\"code\":\"identity\""), 2);
	send_identity(ms, "RGA100", "7");
	expect(ms, WIRE_GO);
	send_ready(ms);
	expect(ms, WIRE_START);
	instrument_reconfigure(ms, before);
}

/* --- after a crash ---------------------------------------------------------------------------- */

/* The runs as the next start of the core finds them. */
static struct run_store load_runs(const uint8_t *journal, uint64_t head)
{
	struct run_store store = roof.core.run_store;
	assert_int_equal(runs_load(&store.rows, roof.folder, journal, head), 0);
	return store;
}

static struct runs_row newest_run(const struct run_store *store)
{
	struct runs_search search = {0};
	struct runs_row row;
	assert_int_equal(runs_search(store->rows, &search, &row), 1);
	return row;
}

/* A run of ms-1 with three frames, which are committed; its end is not. */
static struct instrument *leave_open(void)
{
	struct instrument *ms = find("ms-1");
	connect_to(ms);
	expect(ms, WIRE_START);
	send_started(ms);
	for (int i = 0; i < 3; i++)
		send_frame(ms, 0, 0, 2);
	roof_commit(&roof);
	return ms;
}

static void a_run_that_was_open_is_ended_as_interrupted(void **state)
{
	struct instrument *ms = leave_open();
	struct run_store store = load_runs(
		journal_id(roof.core.journal), published_head(roof.core.published));
	assert_string_equal(newest_run(&store).status, "");
	end_interrupted(&store);
	assert_string_equal(newest_run(&store).status, "interrupted");
	assert_int_equal(newest_run(&store).frames, 3);
	end_interrupted(&store); /* once */
	expect_story(ms, "run-start frame frame frame interrupted");
	char digest[81];
	const char *at = strstr(roof_records(&roof, "ms-1"), "\"digest\":\"");
	assert_non_null(at);
	snprintf(digest, sizeof digest, "%.75s", at); /* with its name: 64 digits */
	runs_destroy(store.rows);
	/* The run itself, had it ended, has the same digest. */
	instrument_stop(ms, false, NULL);
	send_end(ms, WIRE_END_STOPPED, "");
	assert_int_equal(count("ms-1", digest), 2);
}

/* Its journal was replaced: the end goes into the new one. */
static void an_open_run_of_a_former_journal_is_ended_in_the_present_one(void **state)
{
	static struct roof next;
	char from[300], to[300], id[JOURNAL_ID_TEXT];
	leave_open();
	roof_open(&next);
	const uint8_t *present = journal_id(next.core.journal);
	journal_id_format(id, present);
	snprintf(from, sizeof from, "%s/journal/%s", next.folder, id);
	snprintf(to, sizeof to, "%s/journal/%s", roof.folder, id);
	assert_int_equal(symlink(from, to), 0);
	for (int start = 0; start < 2; start++) {
		struct run_store store = load_runs(present, published_head(next.core.published));
		store.ledger = next.core.ledger;
		end_interrupted(&store);
		roof_commit(&next);
		assert_string_equal(newest_run(&store).status, "interrupted");
		assert_int_equal(newest_run(&store).frames, 3);
		runs_destroy(store.rows);
		const char *at = strstr(roof_records(&next, "ms-1"), "\"status\":\"interrupted\"");
		assert_non_null(at);
		assert_null(strstr(at + 1, "\"status\":\"interrupted\"")); /* once */
	}
	assert_int_equal(unlink(to), 0);
	roof_close(&next);
}

/* --- changes of settings --------------------------------------------------------------------- */

static void on_changed(void *arg, int r, const char *text)
{
	take_answer(arg, r, text);
}

static int set(struct instrument *ms, uint8_t noise_floor, struct answer *answer)
{
	uint8_t part[] = "\xa1\x6bnoise_floor\0";
	part[13] = noise_floor;
	*answer = (struct answer){0};
	return instrument_set(ms, (struct assay_span){part, 14}, NULL, on_changed, answer);
}

/* The noise_floor of a START; 255: it has none. */
static uint8_t noise_floor_of(const struct wire_message *m)
{
	const uint8_t *at = memmem(m->payload, m->len, "noise_floor", 11);
	return at != NULL ? at[11] : 255;
}

static void changed_settings_start_a_new_run(void **state)
{
	struct instrument *ms = find("ms-1");
	struct answer answer, busy;
	connect_to(ms);
	expect(ms, WIRE_START);
	send_started(ms);
	assert_int_equal(set(ms, 6, &answer), 0);
	assert_int_equal(set(ms, 7, &busy), -EBUSY); /* one at a time */
	expect(ms, WIRE_STOP);
	send_end(ms, WIRE_END_STOPPED, "");
	struct wire_message m = expect(ms, WIRE_START);
	assert_int_equal(noise_floor_of(&m), 6);
	assert_int_equal(answer.count, 0);
	send_started(ms);
	assert_int_equal(answer.count, 1);
	assert_int_equal(answer.r, 0);
	assert_int_equal(busy.count, 0);
	expect_story(ms, "run-start complete run-start");
	assert_int_equal(count("ms-1", "\"why\":\"other settings\""), 1);
	assert_int_equal(count("ms-1", "\"x-set\":{\"noise_floor\":6}"), 1);

	assert_int_equal(set(ms, 5, &answer), 0); /* the instrument refuses these */
	expect(ms, WIRE_STOP);
	send_end(ms, WIRE_END_STOPPED, "");
	m = expect(ms, WIRE_START);
	assert_int_equal(noise_floor_of(&m), 5);
	send_end(ms, WIRE_END_NOT_STARTED, "too noisy");
	assert_int_equal(answer.count, 1);
	assert_int_equal(answer.r, -EPROTO);
	assert_string_equal(answer.text, "too noisy");
	m = expect(ms, WIRE_START); /* and goes on with the former ones */
	assert_int_equal(noise_floor_of(&m), 6);
	send_started(ms);
	expect_story(ms, "run-start complete run-start complete run-start");
}

static void a_change_without_a_connection_is_in_force_at_once(void **state)
{
	struct instrument *ms = find("ms-1");
	struct answer answer;
	assert_int_equal(set(ms, 6, &answer), 0);
	assert_int_equal(answer.count, 1);
	assert_int_equal(answer.r, 0);
	connect_to(ms);
	struct wire_message m = expect(ms, WIRE_START);
	assert_int_equal(noise_floor_of(&m), 6);
}

/* --- service --------------------------------------------------------------------------------- */

static void maintenance_waits_for_the_end_of_the_run(void **state)
{
	struct instrument *ms = find("ms-1");
	connect_to(ms);
	expect(ms, WIRE_START);
	send_started(ms);
	assert_int_equal(instrument_set_maintenance(ms, true), 0);
	expect(ms, WIRE_STOP);
	expect_shown(ms, DEVICE_STATE_BUSY, "");
	send_end(ms, WIRE_END_STOPPED, "");
	expect_shown(ms, DEVICE_STATE_MAINTENANCE, "");
	instrument_rest(ms);
	instrument_tick(ms);
	expect_nothing(ms);
	restart_worker(ms, false, WIRE_EXIT_LOST);
	connect_to(ms);
	expect_shown(ms, DEVICE_STATE_MAINTENANCE, "");
	expect_nothing(ms);
	assert_int_equal(instrument_set_maintenance(ms, false), 0);
	expect(ms, WIRE_START);
	expect_story(ms, "run-start stopped");
}

int main(void)
{
#define WITH_ROOF(test) cmocka_unit_test_setup_teardown(test, open_roof, close_roof)
	const struct CMUnitTest tests[] = {
		WITH_ROOF(a_continuous_run_is_recorded_whole),
		WITH_ROOF(every_end_has_its_status),
		WITH_ROOF(a_repetition_ends_between_two_runs),
		WITH_ROOF(steps_of_a_method_follow_within_a_run),
		WITH_ROOF(no_run_is_complete_without_its_last_step),
		WITH_ROOF(an_abort_between_steps_is_no_failure),
		WITH_ROOF(a_requested_run_is_not_ended_for_something_else),
		WITH_ROOF(a_run_that_was_not_started_fails_its_request_once),
		WITH_ROOF(a_refused_start_is_tried_again_later),
		WITH_ROOF(a_frame_carries_all_that_lowers_it),
		WITH_ROOF(an_identity_that_was_not_read_is_a_reason),
		WITH_ROOF(the_times_of_a_worker_are_checked),
		WITH_ROOF(a_frame_that_is_wrong_ends_its_run),
		WITH_ROOF(a_wrong_frame_ends_a_repetition),
		WITH_ROOF(the_error_decides_how_a_run_ends),
		WITH_ROOF(an_instrument_without_a_serial_number_measures),
		WITH_ROOF(a_fault_explains_more_than_the_end_of_its_worker),
		WITH_ROOF(progress_is_shown_and_recorded),
		WITH_ROOF(a_message_that_cannot_be_read_ends_the_worker),
		WITH_ROOF(a_hazard_is_noted_until_it_is_off),
		WITH_ROOF(a_note_that_fails_is_tried_again),
		WITH_ROOF(another_unit_is_refused_or_flagged),
		WITH_ROOF(blanks_around_an_identity_are_not_part_of_it),
		WITH_ROOF(an_identity_is_read_only_if_its_serial_number_is),
		WITH_ROOF(a_rejected_unit_is_reported_once_until_it_is_another),
		WITH_ROOF(a_run_that_was_open_is_ended_as_interrupted),
		WITH_ROOF(an_open_run_of_a_former_journal_is_ended_in_the_present_one),
		WITH_ROOF(changed_settings_start_a_new_run),
		WITH_ROOF(a_change_without_a_connection_is_in_force_at_once),
		WITH_ROOF(maintenance_waits_for_the_end_of_the_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
