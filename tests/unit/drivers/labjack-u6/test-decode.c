/* SPDX-License-Identifier: Apache-2.0 */
/* From raw blocks to frames: volts, time axis, gaps of each kind, damaged blocks. */
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

#define SCANS  12 /* of a packet with two inputs at 1 kHz */
#define INPUTS 2

/* The blocks of one frame, written by this test. */
struct blocks {
	struct host *h;
	struct unit u;
	uint8_t setup[18], memory[400], place[9], packets[20 * 64];
	size_t packets_len;
	unsigned counter;
};

static void set_place(struct blocks *b, uint64_t scan, unsigned counter)
{
	for (unsigned i = 0; i < 8; i++)
		b->place[i] = (uint8_t)(scan >> 8 * i);
	b->place[8] = (uint8_t)counter;
	b->counter = counter;
}

static int setup(void **state)
{
	static struct blocks b;
	memset(&b, 0, sizeof b);
	b.h = host_create(assay_driver, ASSAY_LINK_USB);
	unit_init(&b.u, b.h);
	unit_memory(&b.u, b.memory);
	struct host_settings *row = host_add_row(b.h, "inputs");
	host_settings_set(row, "channel", "0");
	host_settings_set(row, "name", "fid");
	row = host_add_row(b.h, "inputs");
	host_settings_set(row, "channel", "4");
	host_settings_set(row, "range", "0.1");
	/* Two inputs, 24 samples per packet, 4 MHz / 4000. */
	const uint8_t command[] = {
		0, 0xf8, 6, 0x11, 0, 0, 2, 0, 24, 0, 0, 0, 0xa0, 0x0f, 0, 0, 4, 0x20};
	memcpy(b.setup, command, sizeof command);
	unit_close(b.setup, sizeof b.setup);
	set_place(&b, 0, 0);
	*state = &b;
	return 0;
}

static int teardown(void **state)
{
	struct blocks *b = *state;
	host_destroy(b->h);
	return 0;
}

/* The samples of scan n. */
static void write_scan(uint16_t *samples, unsigned n)
{
	samples[0] = (uint16_t)(20000 + 7 * n);
	samples[1] = (uint16_t)(40000 - 5 * n);
}

/* A packet whose scans are n, n + 1 ...; scan `dummy` is none.  Returns the next n. */
static unsigned add_packet(
	struct blocks *b, unsigned n, unsigned error, unsigned dropped, unsigned dummy)
{
	uint16_t samples[SCANS * INPUTS];
	for (unsigned i = 0; i < SCANS; i++) {
		if (i == dummy)
			samples[2 * i] = samples[2 * i + 1] = 0xffff;
		else
			write_scan(samples + 2 * i, n++);
	}
	b->packets_len += unit_packet(b->packets + b->packets_len, samples, SCANS * INPUTS,
		b->counter++, error, dropped, 64);
	return n;
}

static int decode(struct blocks *b)
{
	const struct assay_bytes raw[] = {
		{"application/x-labjack-u6", "setup", b->setup, sizeof b->setup},
		{"application/x-labjack-u6", "calibration", b->memory, sizeof b->memory},
		{"application/x-labjack-u6", "place", b->place, sizeof b->place},
		{"application/x-labjack-u6", "packets", b->packets, b->packets_len},
	};
	return host_decode_bytes(b->h, raw, 4, NULL, 0);
}

static double time_at(const struct host *h, size_t i)
{
	const struct assay_variable *v = host_find(h, "time");
	assert_non_null(v);
	assert_int_equal(v->role, ASSAY_AXIS);
	assert_string_equal(v->unit, "s");
	return v->type == ASSAY_LINEAR ? v->start + v->step * (double)i : host_element(v, i);
}

/* Element i of both signals is scan n, at `position`. */
static void expect_scan(const struct blocks *b, size_t i, unsigned n, uint64_t position)
{
	uint16_t samples[2];
	write_scan(samples, n);
	const struct assay_variable *v = &b->h->frame.vars[1].v;
	assert_true(fabs(host_element(v, i) - unit_volts(&b->u, 0, samples[0])) < 1e-6);
	v = &b->h->frame.vars[2].v;
	assert_true(fabs(host_element(v, i) - unit_volts(&b->u, 2, samples[1])) < 1e-8);
	assert_true(fabs(time_at(b->h, i) - (double)position / 1000) < 1e-9);
}

static void a_frame_has_volts_over_an_even_time(void **state)
{
	struct blocks *b = *state;
	set_place(b, 7200000, 253);
	unsigned n = 0;
	for (unsigned i = 0; i < 5; i++)
		n = add_packet(b, n, 0, 0, SCANS);
	assert_int_equal(decode(b), 0);
	const struct host_frame *f = &b->h->frame;
	assert_int_equal(f->kind, ASSAY_CHROMATOGRAM);
	assert_false(f->partial);
	assert_int_equal(f->flag, ASSAY_GOOD);
	assert_int_equal(f->reason_count, 0);
	assert_int_equal(f->var_count, 4);
	assert_true(f->span == 60 / 1000.0);
	assert_int_equal(f->gaps, 0);
	const struct assay_variable *v = host_find(b->h, "time");
	assert_int_equal(v->type, ASSAY_LINEAR);
	assert_int_equal(v->count, 60);
	assert_true(v->start == 7200.0 && v->step == 0.001);
	for (unsigned i = 0; i < 2; i++) {
		v = &f->vars[1 + i].v;
		assert_string_equal(v->name, "signal");
		assert_string_equal(v->channel, i == 0 ? "fid" : "ain4");
		assert_string_equal(v->unit, "V");
		assert_string_equal(v->dims[0], "time");
		assert_int_equal(v->count, 60);
	}
	for (unsigned i = 0; i < n; i++)
		expect_scan(b, i, i, 7200000 + i);
	assert_true(host_find(b->h, "backlog")->real == 25);
}

/* The scan that stands for the dropped ones, at each place, or nowhere. */
static void a_report_of_dropped_scans_is_a_gap_in_time(void **state)
{
	struct blocks *b = *state;
	for (unsigned dummy = 0; dummy <= SCANS; dummy++) {
		b->packets_len = 0;
		set_place(b, 1000, 255);
		unsigned n = add_packet(b, 0, 59, 0, SCANS);
		n = add_packet(b, n, 60, 700, dummy);
		n = add_packet(b, n, 0, 0, SCANS);
		assert_int_equal(decode(b), 0);
		assert_int_equal(n, dummy < SCANS ? 35 : 36);
		for (unsigned i = 0; i < n; i++) {
			bool is_behind = i >= SCANS + (dummy < SCANS ? dummy : 0);
			expect_scan(b, i, i, 1000 + i + (is_behind ? 700 : 0));
		}
		assert_int_equal(b->h->frame.lost, 700);
		assert_int_equal(b->h->frame.gaps, 1);
		assert_int_equal(b->h->frame.last_gap, SCANS + (dummy < SCANS ? dummy : 0));
		assert_true(fabs(b->h->frame.span - (n + 700) / 1000.0) < 1e-9);
		assert_int_equal(host_find(b->h, "time")->type, ASSAY_F64);
		assert_int_equal(b->h->frame.flag, ASSAY_SUSPECT);
		assert_true(host_has_reason(b->h, "driver-overrun"));
		assert_true(host_has_reason(b->h, "device-warning"));
		assert_false(host_has_reason(b->h, "malformed"));
		assert_false(host_has_reason(b->h, "saturated"));
	}
}

/* The scan that stands for the dropped ones is at least itself missing. */
static void a_report_of_nothing_is_one_missing_scan(void **state)
{
	struct blocks *b = *state;
	add_packet(b, 0, 60, 0, 3);
	assert_int_equal(decode(b), 0);
	assert_int_equal(b->h->frame.lost, 1);
	for (unsigned i = 0; i < SCANS - 1; i++)
		expect_scan(b, i, i, i < 3 ? i : i + 1);
}

/* The last scan of the frame stands for the dropped ones: the next frame starts behind them. */
static void a_gap_behind_the_last_scan_is_reported(void **state)
{
	struct blocks *b = *state;
	add_packet(b, 0, 60, 300, SCANS - 1);
	assert_int_equal(decode(b), 0);
	assert_int_equal(b->h->frame.lost, 300);
	assert_int_equal(b->h->frame.last_gap, SCANS - 1);
	assert_int_equal(host_find(b->h, "time")->type, ASSAY_LINEAR);
	assert_int_equal(host_find(b->h, "time")->count, SCANS - 1);
}

/* Behind the first packets of a frame, and before them. */
static void missing_packets_are_a_gap_in_time(void **state)
{
	struct blocks *b = *state;
	for (unsigned lost = 1; lost < 256; lost += 51) {
		for (unsigned before = 0; before < 2; before++) {
			b->packets_len = 0;
			set_place(b, 0, 200);
			unsigned n = before > 0 ? add_packet(b, 0, 0, 0, SCANS) : 0;
			b->counter += lost;
			n = add_packet(b, n, 0, 0, SCANS);
			assert_int_equal(decode(b), 0);
			for (unsigned i = 0; i < n; i++)
				expect_scan(b, i, i, i < before * SCANS ? i : i + lost * SCANS);
			assert_int_equal(b->h->frame.lost, lost * SCANS);
			assert_int_equal(b->h->frame.flag, ASSAY_SUSPECT);
			assert_true(host_has_reason(b->h, "malformed"));
			assert_int_equal(b->h->frame.last_gap, before * SCANS);
			assert_int_equal(host_find(b->h, "time")->type,
				before > 0 ? ASSAY_F64 : ASSAY_LINEAR);
		}
	}
}

static void a_sample_at_the_end_of_the_scale_is_saturated(void **state)
{
	struct blocks *b = *state;
	for (unsigned end = 0; end < 2; end++) {
		uint16_t samples[SCANS * INPUTS];
		for (unsigned i = 0; i < SCANS * INPUTS; i++)
			samples[i] = 30000;
		samples[17] = end == 0 ? 0 : 0xffff;
		b->packets_len = unit_packet(b->packets, samples, SCANS * INPUTS, 0, 0, 0, 0);
		assert_int_equal(decode(b), 0);
		assert_int_equal(b->h->frame.flag, ASSAY_SUSPECT);
		assert_true(host_has_reason(b->h, "saturated"));
		samples[17] = end == 0 ? 1 : 0xfffe;
		b->packets_len = unit_packet(b->packets, samples, SCANS * INPUTS, 0, 0, 0, 0);
		assert_int_equal(decode(b), 0);
		assert_int_equal(b->h->frame.flag, ASSAY_GOOD);
	}
}

static void reject_flips(struct blocks *b, uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < 8 * len; i++) {
		bytes[i / 8] ^= (uint8_t)(1u << i % 8);
		assert_int_equal(decode(b), -EBADMSG);
		bytes[i / 8] ^= (uint8_t)(1u << i % 8);
	}
}

static void damaged_blocks_are_rejected(void **state)
{
	struct blocks *b = *state;
	add_packet(b, 0, 0, 0, SCANS);
	add_packet(b, 0, 0, 0, SCANS);
	reject_flips(b, b->setup, sizeof b->setup);
	reject_flips(b, b->memory, sizeof b->memory);
	reject_flips(b, b->packets, b->packets_len);
	b->packets_len--;
	assert_int_equal(decode(b), -EBADMSG);
	b->packets_len = 0;
	assert_int_equal(decode(b), -EBADMSG);
	add_packet(b, 0, 55, 0, SCANS);
	assert_int_equal(decode(b), -EBADMSG);
	b->packets_len = 0;
	set_place(b, UINT64_C(1) << 60, 0);
	add_packet(b, 0, 0, 0, SCANS);
	assert_int_equal(decode(b), -EBADMSG);
	set_place(b, 0, 0);
	host_settings_set(host_add_row(b->h, "inputs"), "channel", "1");
	assert_int_equal(decode(b), -EBADMSG);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_frame_has_volts_over_an_even_time),
		TEST(a_report_of_dropped_scans_is_a_gap_in_time),
		TEST(a_report_of_nothing_is_one_missing_scan),
		TEST(a_gap_behind_the_last_scan_is_reported),
		TEST(missing_packets_are_a_gap_in_time),
		TEST(a_sample_at_the_end_of_the_scale_is_saturated),
		TEST(damaged_blocks_are_rejected),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
