/* SPDX-License-Identifier: Apache-2.0 */
/* The slots against a unit that this test plays; it rejects each command that could write to it. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "unit.h"

extern const struct assay_driver *const assay_driver;

#define SPP     25 /* samples of a packet at 1 kHz, one input */
#define PACKETS 1200

struct bench {
	struct host *h;
	struct unit u;
	unsigned counter, sent; /* packets; samples */
};

static int setup(void **state)
{
	static struct bench b;
	memset(&b, 0, sizeof b);
	b.h = host_create(assay_driver, ASSAY_LINK_USB);
	unit_init(&b.u, b.h);
	host_settings_set(host_add_row(b.h, "inputs"), "channel", "0");
	host_set(b.h, "rate", "1000");
	host_set(b.h, "slice", "0.1"); /* 4 packets */
	*state = &b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;
	bool is_wrong = b->u.complaint != NULL;
	if (is_wrong)
		print_error("the driver sent %s\n", b->u.complaint);
	host_destroy(b->h);
	return is_wrong;
}

/* Adds packets, which arrive together; samples count up from 1000. */
static void stream(struct bench *b, unsigned packets, unsigned error, unsigned dropped)
{
	static uint8_t bytes[PACKETS * UNIT_PACKET];
	size_t len = 0;
	assert_in_range(packets, 0, PACKETS);
	for (unsigned i = 0; i < packets; i++) {
		uint16_t samples[SPP];
		for (unsigned k = 0; k < SPP; k++)
			samples[k] = (uint16_t)(1000 + b->sent++);
		len += unit_packet(bytes + len, samples, SPP, b->counter++, error, dropped, 0);
	}
	host_answer(b->h, bytes, len);
}

static int identify(struct bench *b, struct assay_identity *id)
{
	memset(id, 0, sizeof *id);
	return b->h->driver->identify(&b->h->ins, id);
}

static void prepare(struct bench *b)
{
	struct assay_identity id;
	assert_int_equal(identify(b, &id), 0);
	assert_int_equal(b->h->driver->configure(&b->h->ins), 0);
}

static int start(struct bench *b)
{
	b->counter = b->sent = 0;
	return b->h->driver->start(&b->h->ins);
}

static int acquire(struct bench *b)
{
	b->h->raw.count = b->h->raw.total = 0;
	return b->h->driver->acquire(&b->h->ins, &b->h->raw.handle);
}

/* The frame starts with sample `first` at `position`, and has `count` of them. */
static void expect_frame(struct bench *b, unsigned first, uint64_t position, size_t count)
{
	assert_int_equal(host_decode(b->h), 0);
	const struct assay_variable *time = host_find(b->h, "time");
	const struct assay_variable *signal = host_find(b->h, "signal");
	double at = time->type == ASSAY_LINEAR ? time->start : host_element(time, 0);
	assert_int_equal(signal->count, count);
	assert_true(fabs(at - (double)position / 1000) < 1e-9);
	for (size_t i = 0; i < count; i++)
		assert_true(fabs(host_element(signal, i) -
				    unit_volts(&b->u, 0, 1000.0 + first + (double)i)) < 1e-6);
}

/* --- identity --------------------------------------------------------------------------------- */

static void both_models_are_identified(void **state)
{
	struct bench *b = *state;
	for (unsigned is_pro = 0; is_pro < 2; is_pro++) {
		struct assay_identity id;
		b->u.info = is_pro ? 0x0c : 0x04;
		b->u.serial = 4294967295u - is_pro;
		assert_int_equal(identify(b, &id), 0);
		assert_string_equal(id.make, "LabJack");
		assert_string_equal(id.model, is_pro ? "U6-Pro" : "U6");
		assert_string_equal(id.serial, is_pro ? "4294967294" : "4294967295");
		assert_string_equal(id.fw, "1.43, bootloader 6.15, hardware 2.00");
	}
}

static void another_product_is_rejected(void **state)
{
	struct bench *b = *state;
	struct assay_identity id;
	b->u.product = 3;
	assert_int_equal(identify(b, &id), -EPROTO);
	assert_non_null(strstr(b->h->explained, "product number 3"));
}

static void erased_memory_is_rejected(void **state)
{
	struct bench *b = *state;
	struct assay_identity id;
	memset(b->u.memory, 0xff, sizeof b->u.memory);
	assert_int_equal(identify(b, &id), -EPROTO);
	assert_non_null(strstr(b->h->explained, "constants"));
}

/* A stream of an earlier process still runs, and half a reply waits. */
static void a_stale_stream_is_ended_first(void **state)
{
	struct bench *b = *state;
	struct assay_identity id;
	b->u.is_streaming = true;
	host_answer_hex(b->h, "B1 00 B1 27 F8");
	stream(b, 3, 0, 0);
	assert_int_equal(identify(b, &id), 0);
	assert_int_equal(b->u.stops, 1);
	assert_false(b->u.is_streaming);
	assert_true(b->h->drains > 0);
}

static void damaged_and_missing_replies_are_errors(void **state)
{
	struct bench *b = *state;
	struct assay_identity id;
	b->u.is_silent = true;
	assert_int_equal(identify(b, &id), -ETIMEDOUT);
	b->u.is_silent = false;
	assert_int_equal(identify(b, &id), 0);
	b->u.is_damaged = true;
	assert_int_equal(b->h->driver->poll(&b->h->ins, NULL), 0);         /* no inputs yet */
	assert_int_equal(b->h->driver->configure(&b->h->ins), -ETIMEDOUT); /* no right reply */
	b->u.is_damaged = false;
	assert_int_equal(b->h->driver->configure(&b->h->ins), 0);
	b->u.is_damaged = true;
	assert_int_equal(host_poll(b->h), -EBADMSG);
}

/* --- configuration ---------------------------------------------------------------------------- */

static void the_real_rate_is_reported(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "rate", "333");
	host_set(b->h, "slice", "1.013");
	host_set(b->h, "settling", "14");
	prepare(b);
	assert_true(fabs(host_report(b->h, "rate")->real - 4e6 / 12012) < 1e-9);
	assert_true(host_report(b->h, "settling")->real == 10);
	assert_true(fabs(host_report(b->h, "slice")->real - 325 * 12012 / 4e6) < 1e-9);
}

static void a_rejected_setup_is_explained(void **state)
{
	struct bench *b = *state;
	struct assay_identity id;
	assert_int_equal(identify(b, &id), 0);
	b->u.setup_error = 58;
	assert_int_equal(b->h->driver->configure(&b->h->ins), -EPROTO);
	assert_non_null(strstr(b->h->explained, "error 58"));
	b->u.setup_error = 0;
	host_set(b->h, "slice", "3600"); /* a frame of 3.6 million samples */
	assert_int_equal(b->h->driver->configure(&b->h->ins), -EINVAL);
}

/* --- a run ------------------------------------------------------------------------------------ */

static void frames_follow_each_other_without_a_gap(void **state)
{
	struct bench *b = *state;
	prepare(b);
	assert_int_equal(start(b), 0);
	assert_int_equal(b->u.starts, 1);
	stream(b, 300 * 4, 0, 0); /* the counter overflows four times */
	for (unsigned i = 0; i < 300; i++) {
		assert_int_equal(acquire(b), ASSAY_FRAME);
		expect_frame(b, i * 100, i * 100, 100);
		assert_int_equal(b->h->frame.flag, ASSAY_GOOD);
	}
	assert_true(fabs(host_progress(b->h, "time")->real - 30) < 1e-9);
	assert_int_equal(b->h->driver->stop(&b->h->ins), 0);
	assert_false(b->u.is_streaming);
	assert_string_equal(b->h->logged, "");
}

static void a_run_ends_with_its_duration(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "duration", "0.22"); /* 9 packets of 25 */
	prepare(b);
	for (unsigned run = 0; run < 2; run++) {
		assert_int_equal(start(b), 0);
		stream(b, 12, 0, 0);
		assert_int_equal(acquire(b), ASSAY_FRAME);
		assert_int_equal(acquire(b), ASSAY_FRAME);
		assert_int_equal(acquire(b), ASSAY_LAST);
		expect_frame(b, 200, 200, 25);
		assert_int_equal(b->h->driver->stop(&b->h->ins), 0);
	}
}

/* Packets come split, joined, and behind bytes that belong to none. */
static void packets_are_found_in_any_pieces(void **state)
{
	struct bench *b = *state;
	prepare(b);
	for (size_t piece = 1; piece < 200; piece += 37) {
		uint8_t bytes[3 + 4 * 64] = {0xf9, 0xc0, 0x55};
		uint16_t samples[SPP];
		assert_int_equal(start(b), 0);
		for (unsigned i = 0; i < 100; i++) {
			samples[i % SPP] = (uint16_t)(1000 + i);
			if (i % SPP == SPP - 1)
				unit_packet(
					bytes + 3 + i / SPP * 64, samples, SPP, i / SPP, 0, 0, 0);
		}
		host_answer_split(b->h, bytes, sizeof bytes, piece);
		assert_int_equal(acquire(b), ASSAY_FRAME);
		expect_frame(b, 0, 0, 100);
		assert_int_equal(b->h->frame.flag, ASSAY_GOOD);
		assert_int_equal(b->h->driver->stop(&b->h->ins), 0);
	}
}

static void a_damaged_packet_is_a_gap(void **state)
{
	struct bench *b = *state;
	uint8_t packet[UNIT_PACKET];
	uint16_t samples[SPP] = {0};
	prepare(b);
	assert_int_equal(start(b), 0);
	stream(b, 2, 0, 0);
	unit_packet(packet, samples, SPP, b->counter++, 0, 0, 0);
	packet[30] ^= 1;
	host_answer(b->h, packet, sizeof packet);
	stream(b, 2, 0, 0);
	assert_int_equal(acquire(b), ASSAY_FRAME);
	expect_frame(b, 0, 0, 100);
	assert_int_equal(b->h->frame.lost, SPP);
	assert_int_equal(b->h->frame.last_gap, 50);
	assert_true(host_has_reason(b->h, "malformed"));
	assert_true(fabs(host_element(host_find(b->h, "time"), 50) - 0.075) < 1e-9);
	assert_non_null(strstr(b->h->logged, "25 scans are missing"));
}

/* The next frame knows where it is. */
static void dropped_scans_move_the_frames_behind_them(void **state)
{
	struct bench *b = *state;
	prepare(b);
	assert_int_equal(start(b), 0);
	stream(b, 4, 59, 0);
	stream(b, 1, 60, 5000);
	stream(b, 7, 0, 0);
	assert_int_equal(acquire(b), ASSAY_FRAME);
	expect_frame(b, 0, 0, 100);
	assert_int_equal(b->h->frame.flag, ASSAY_GOOD);
	assert_int_equal(acquire(b), ASSAY_FRAME);
	expect_frame(b, 100, 5100, 100);
	assert_true(host_has_reason(b->h, "driver-overrun"));
	assert_int_equal(acquire(b), ASSAY_FRAME);
	expect_frame(b, 200, 5200, 100);
	assert_int_equal(b->h->frame.flag, ASSAY_GOOD);
	assert_non_null(strstr(b->h->logged, "dropped 5000 scans"));
}

/* With one scan per packet, the one that stands for the dropped ones is a packet of its own. */
static void a_packet_without_scans_makes_no_frame(void **state)
{
	struct bench *b = *state;
	const uint16_t none = 0xffff, one = 30000;
	uint8_t packet[UNIT_PACKET];
	host_set(b->h, "rate", "10");
	prepare(b);
	assert_int_equal(start(b), 0);
	host_answer(b->h, packet, unit_packet(packet, &none, 1, 0, 60, 70, 0));
	host_answer(b->h, packet, unit_packet(packet, &one, 1, 1, 0, 0, 0));
	assert_int_equal(acquire(b), ASSAY_FRAME);
	assert_int_equal(host_decode(b->h), 0);
	assert_int_equal(host_find(b->h, "signal")->count, 1);
	assert_true(fabs(host_element(host_find(b->h, "time"), 0) - 7) < 1e-9);
	assert_false(host_has_reason(b->h, "saturated"));
}

static void an_error_of_the_stream_ends_the_run(void **state)
{
	struct bench *b = *state;
	prepare(b);
	for (unsigned before = 0; before < 2; before++) {
		assert_int_equal(start(b), 0);
		stream(b, before, 0, 0);
		stream(b, 1, 55, 0);
		if (before > 0) {
			assert_int_equal(acquire(b), ASSAY_FRAME);
			expect_frame(b, 0, 0, 25);
		}
		uint64_t before_error = b->h->now;
		assert_int_equal(acquire(b), -EPROTO);
		assert_int_equal(b->h->now, before_error);
		assert_non_null(strstr(b->h->explained, "error 55"));
		assert_non_null(strstr(b->h->explained, "rate"));
		assert_int_equal(b->h->driver->stop(&b->h->ins), 0);
	}
}

/* The scans before the silence are not lost. */
static void silence_is_an_error_within_some_seconds(void **state)
{
	struct bench *b = *state;
	prepare(b);
	assert_int_equal(start(b), 0);
	stream(b, 3, 0, 0);
	assert_int_equal(acquire(b), ASSAY_FRAME);
	expect_frame(b, 0, 0, 75);
	uint64_t before = b->h->now;
	assert_int_equal(acquire(b), -ETIMEDOUT);
	assert_in_range(b->h->now - before, 2000, 2500);
}

static void a_stop_keeps_what_has_arrived(void **state)
{
	struct bench *b = *state;
	prepare(b);
	for (unsigned packets = 0; packets < 4; packets++) {
		b->h->stop_at = 0;
		b->h->stopping = false;
		assert_int_equal(start(b), 0);
		stream(b, packets, 0, 0);
		b->h->stop_at = b->h->now + 150;
		uint64_t before = b->h->now;
		assert_int_equal(acquire(b), packets > 0 ? ASSAY_LAST : ASSAY_DONE);
		assert_in_range(b->h->now - before, 0, 500);
		if (packets > 0)
			expect_frame(b, 0, 0, packets * (size_t)SPP);
		assert_int_equal(b->h->driver->stop(&b->h->ins), 0);
		assert_false(b->u.is_streaming);
	}
}

static void an_abort_and_a_lost_port_end_at_once(void **state)
{
	struct bench *b = *state;
	static const int errors[] = {-ECANCELED, -ENODEV};
	prepare(b);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(start(b), 0);
		stream(b, 2, 0, 0);
		host_error(b->h, errors[i]);
		assert_int_equal(acquire(b), errors[i]);
		host_revive(b->h);
		assert_int_equal(b->h->driver->stop(&b->h->ins), 0);
		assert_false(b->u.is_streaming);
	}
}

/* --- start by a contact ----------------------------------------------------------------------- */

static void a_contact_starts_the_stream(void **state)
{
	struct bench *b = *state;
	for (unsigned level = 0; level < 2; level++) {
		host_set(b->h, "start", level == 0 ? "low" : "high");
		host_set(b->h, "start_input", "3");
		prepare(b);
		b->u.line = 1 - level;
		b->u.line_reads = b->u.starts = 0;
		b->u.rises_at = 50;
		b->h->has_begun = false;
		uint64_t before = b->h->now;
		while (b->u.line_reads < 49)
			assert_int_equal(start(b), -EAGAIN);
		assert_in_range(b->h->now - before, 49 * 2, 49 * 10);
		assert_int_equal(b->u.starts, 0);
		assert_false(b->h->has_begun);
		assert_int_equal(start(b), 0);
		assert_true(b->h->has_begun);
		assert_null(b->h->sample);
		assert_int_equal(b->u.starts, 1);
		stream(b, 4, 0, 0);
		assert_int_equal(acquire(b), ASSAY_FRAME);
		expect_frame(b, 0, 0, 100);
		assert_int_equal(b->u.line_reads, 50);
		assert_int_equal(b->h->driver->stop(&b->h->ins), 0);
	}
}

/* The contact of the injection before is still closed: in each of two runs. */
static void a_closed_contact_must_open_first(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "start", "low");
	prepare(b);
	for (unsigned run = 0; run < 2; run++) {
		b->u.line = b->u.line_reads = b->u.starts = 0;
		b->u.rises_at = 20; /* opens */
		for (unsigned i = 0; i < 30; i++)
			assert_int_equal(start(b), -EAGAIN);
		b->u.line = 0;
		assert_int_equal(start(b), 0);
		assert_int_equal(b->u.starts, 1);
		assert_int_equal(b->h->driver->stop(&b->h->ins), 0);
	}
}

/* The wait is over with the stop, and a wait that broke off starts from the beginning. */
static void a_stop_ends_the_wait_for_the_contact(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "start", "low");
	prepare(b);
	for (unsigned i = 0; i < 2; i++) {
		b->u.line = 1;
		b->u.setup_len = 0;
		assert_int_equal(start(b), -EAGAIN);
		assert_true(b->u.setup_len > 0);
		b->u.is_silent = i == 1;
		assert_int_equal(i == 0 ? b->h->driver->stop(&b->h->ins) : start(b),
			i == 0 ? 0 : -ETIMEDOUT);
		b->u.is_silent = false;
		b->u.line = 0;
		assert_int_equal(start(b), -EAGAIN);
		assert_int_equal(b->u.starts, 0);
		assert_int_equal(b->h->driver->stop(&b->h->ins), 0);
	}
}

/* A repeated start does not meet the stream of the one before, whose reply was lost. */
static void a_start_without_a_reply_can_be_repeated(void **state)
{
	struct bench *b = *state;
	prepare(b);
	b->u.loses_start = true;
	assert_int_equal(start(b), -ETIMEDOUT);
	b->u.loses_start = false;
	assert_true(b->u.is_streaming);
	assert_int_equal(start(b), 0);
	assert_int_equal(b->u.starts, 2);
}

/* --- between runs ----------------------------------------------------------------------------- */

static void voltages_are_seen_between_runs(void **state)
{
	struct bench *b = *state;
	struct host_settings *row = host_add_row(b->h, "inputs");
	host_settings_set(row, "channel", "2");
	host_settings_set(row, "range", "1");
	host_settings_set(row, "differential", "true");
	prepare(b);
	assert_int_equal(host_poll(b->h), 0);
	double volts = unit_volts(&b->u, 0, 8987200 / 256.0);
	assert_true(fabs(host_progress(b->h, "signal")->real - volts) <= 0.005001);
	volts = unit_volts(&b->u, 1, 8987200 / 256.0);
	assert_true(fabs(host_progress(b->h, "signal_2")->real - volts) <= 0.0005001);
	/* Noise of a hundredth of a step is no change. */
	double before = host_progress(b->h, "signal")->real;
	b->u.raw24 += 81;
	assert_int_equal(host_poll(b->h), 0);
	assert_true(host_progress(b->h, "signal")->real == before);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(both_models_are_identified),
		TEST(another_product_is_rejected),
		TEST(erased_memory_is_rejected),
		TEST(a_stale_stream_is_ended_first),
		TEST(damaged_and_missing_replies_are_errors),
		TEST(the_real_rate_is_reported),
		TEST(a_rejected_setup_is_explained),
		TEST(frames_follow_each_other_without_a_gap),
		TEST(a_run_ends_with_its_duration),
		TEST(packets_are_found_in_any_pieces),
		TEST(a_damaged_packet_is_a_gap),
		TEST(dropped_scans_move_the_frames_behind_them),
		TEST(a_packet_without_scans_makes_no_frame),
		TEST(an_error_of_the_stream_ends_the_run),
		TEST(silence_is_an_error_within_some_seconds),
		TEST(a_stop_keeps_what_has_arrived),
		TEST(an_abort_and_a_lost_port_end_at_once),
		TEST(a_contact_starts_the_stream),
		TEST(a_closed_contact_must_open_first),
		TEST(a_stop_ends_the_wait_for_the_contact),
		TEST(a_start_without_a_reply_can_be_repeated),
		TEST(voltages_are_seen_between_runs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
