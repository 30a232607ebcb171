/* SPDX-License-Identifier: Apache-2.0 */
/* The slots against the played instrument, over both links. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"

static const enum assay_link links[] = {ASSAY_LINK_USB, ASSAY_LINK_SERIAL};

/* The whole way of one run; 1: a frame. */
static int live(struct bench *b, struct assay_identity *id)
{
	int r = -EBADMSG;
	for (int n = 0; n < 3 && (r == -EBADMSG || r == -ETIMEDOUT); n++)
		r = b->h->driver->identify(&b->h->ins, id);
	int c = -EBADMSG;
	for (int n = 0; r == 0 && n < 3 && (c == -EBADMSG || c == -ETIMEDOUT); n++)
		c = b->h->driver->configure(&b->h->ins);
	if (r < 0 || c < 0)
		return r < 0 ? r : c;
	r = bench_start(b);
	if (r == 0)
		r = bench_acquire(b);
	return r == ASSAY_LAST ? host_decode(b->h) + 1 : r;
}

static void a_run_is_the_published_dialogue(void **state)
{
	for (size_t i = 0; i < 2; i++) {
		struct bench *b = bench_create(links[i]);
		struct assay_identity id = {0};
		assert_int_equal(live(b, &id), 1);
		assert_string_equal(id.serial, "6100039");
		assert_string_equal(id.model, "DLP NIRscan Nano");
		assert_string_equal(id.fw, "2.1.0");
		assert_string_equal(id.make, "");
		assert_string_equal(b->dialogue,
			"0403 0216 0233 023C 030F 030E[00] 030F 0223 0220[00] 0223 "
			"0403 0404 0237 0218[00] 0219 0219 0219 0404 002D[00] "
			"002E 002E 002E 002E 002E 002E 002E 002E");
		assert_int_equal(host_report(b->h, "scan_configuration")->integer, 0);
		assert_true(host_element(host_find(b->h, "single_beam"), 0) == 18693);
		assert_int_equal(b->h->frame.flag, ASSAY_GOOD);
		assert_int_equal(b->h->raw.count, 2);
		assert_int_equal(b->h->raw.blocks[0].len, BENCH_FILE);
		assert_int_equal(b->h->retried, 0);
		assert_in_range(b->h->now, 1000 + 2000 + 3 * 50, 1000 + 2500);
		assert_false(b->is_wrong);
		bench_destroy(b);
	}
}

/* 220 bytes are in TI's header, the firmware sends 510: any size works. */
static void a_chunk_may_have_any_size(void **state)
{
	for (size_t i = 0; i < 2; i++)
		for (size_t chunk = 1; chunk <= (i == 0 ? 512 : 510); chunk += 73) {
			struct bench *b = bench_create(links[i]);
			struct assay_identity id = {0};
			b->chunk = chunk;
			assert_int_equal(live(b, &id), 1);
			assert_memory_equal(b->h->raw.blocks[0].data, b->file, BENCH_FILE);
			bench_destroy(b);
		}
}

/*
 * Each reply of the dialogue spoiled in each way that can happen on the link: the run ends with the
 * same frame.  Over USB, without a checksum, a wrong bit is not seen, and a request is not lost alone.
 */
static void any_one_spoiled_reply_is_got_over(void **state)
{
	struct assay_identity right = {0};
	struct bench *whole = bench_create(ASSAY_LINK_SERIAL);
	assert_int_equal(live(whole, &right), 1);
	unsigned count = whole->requests;
	assert_in_range(count, 25, 35);
	for (size_t i = 0; i < 2; i++)
		for (enum bench_fault fault = FAULT_SILENT; fault < FAULT_COUNT; fault++) {
			bool is_usb = links[i] == ASSAY_LINK_USB;
			bool is_of_uart = fault == FAULT_FLIP || fault == FAULT_CHECKSUM ||
					  fault == FAULT_GAP || fault == FAULT_NOISE ||
					  fault == FAULT_OTHER;
			if (is_usb ? is_of_uart : fault == FAULT_RAGGED)
				continue;
			for (unsigned at = 1; at <= count; at++) {
				struct bench *b = bench_create(links[i]);
				struct assay_identity id = {0};
				b->fault = fault;
				b->fault_at = at;
				uint64_t before = b->h->now;
				int r = live(b, &id);
				if (!is_usb && fault == FAULT_CUT) /* no wait for a whole reply */
					assert_in_range(b->h->now - before, 2000, 4000);
				if (r != 1)
					fail_msg("link %zu, fault %d of reply %u: %d, %s", i,
						(int)fault, at, r, b->h->explained);
				assert_memory_equal(&id, &right, sizeof(id));
				assert_memory_equal(b->h->raw.blocks[0].data, b->file, BENCH_FILE);
				assert_true(b->requests >= count);
				assert_int_equal(b->scans_done, 1);
				assert_false(b->is_wrong);
				bench_destroy(b);
			}
		}
	bench_destroy(whole);
}

static void silence_ends_each_slot_in_time(void **state)
{
	for (size_t i = 0; i < 2; i++)
		for (unsigned at = 1; at <= 27; at++) {
			struct bench *b = bench_create(links[i]);
			struct assay_identity id = {0};
			b->fault = FAULT_SILENT;
			b->fault_at = at;
			b->fault_for = 1000;
			uint64_t before = b->h->now;
			int r = b->h->driver->identify(&b->h->ins, &id);
			if (r == 0)
				r = b->h->driver->configure(&b->h->ins);
			if (r == 0)
				r = b->h->driver->start(&b->h->ins);
			while (r == 0 || r == -EAGAIN)
				r = b->h->driver->acquire(&b->h->ins, &b->h->raw.handle);
			assert_int_equal(r, -ETIMEDOUT);
			assert_non_null(strstr(b->h->explained, "no reply to"));
			assert_in_range(b->h->now - before, 1, 35000);
			bench_destroy(b);
		}
}

/* --- refusals --------------------------------------------------------------------------------- */

static void a_refusal_has_a_name(void **state)
{
	for (size_t i = 0; i < 2; i++) {
		struct bench *b = bench_create(links[i]);
		struct assay_identity id = {0};
		b->refused = 0x0233;
		assert_int_equal(b->h->driver->identify(&b->h->ins, &id), -EPROTO);
		assert_string_equal(
			b->h->explained, "the instrument refused \"read serial number\" (02-33)");
		/* Over the UART it may have been the reply to a damaged request. */
		assert_int_equal(b->requests, i == 0 ? 3 : 5);
		bench_destroy(b);
	}
}

static void a_busy_instrument_is_waited_for(void **state)
{
	struct bench *b = bench_create(ASSAY_LINK_USB);
	struct assay_identity id = {0};
	b->fault = FAULT_BUSY;
	b->fault_at = 1;
	b->fault_for = 10;
	assert_int_equal(b->h->driver->identify(&b->h->ins, &id), 0);
	b->fault_at = b->requests + 1;
	b->fault_for = 1000;
	uint64_t before = b->h->now;
	assert_int_equal(b->h->driver->identify(&b->h->ins, &id), -EPROTO);
	assert_non_null(strstr(b->h->explained, "busy"));
	assert_in_range(b->h->now - before, 2000, 5000);
	bench_destroy(b);
}

/* --- settings --------------------------------------------------------------------------------- */

static void settings_are_sent_and_read_back(void **state)
{
	for (size_t i = 0; i < 2; i++) {
		struct bench *b = bench_create(links[i]);
		host_set(b->h, "scan_configuration", "1");
		host_set(b->h, "scans", "300");
		host_set(b->h, "gain", "16");
		host_set(b->h, "hibernation", "true");
		assert_int_equal(b->h->driver->configure(&b->h->ins), 0);
		assert_string_equal(b->dialogue, "030F 0222 0223 0224[01] 0223 0223 0220[01] "
						 "022E[2C01] 040C[0110] 0223");
		assert_int_equal(b->active, 1);
		assert_int_equal(b->repeats, 300);
		assert_int_equal(b->hibernation, 1);
		assert_int_equal(host_report(b->h, "scan_configuration")->integer, 1);
		/* A configuration that is selected already is not selected again. */
		b->dialogue[0] = '\0';
		host_set(b->h, "gain", "auto");
		host_unset(b->h, "scans");
		assert_int_equal(b->h->driver->configure(&b->h->ins), 0);
		assert_string_equal(b->dialogue, "030F 0222 0223 0223 0220[01] 040C[0001] 0223");
		assert_false(b->is_wrong);
		bench_destroy(b);
	}
}

static void a_ratio_needs_a_fixed_gain(void **state)
{
	static const struct {
		const char *result, *gain;
		bool is_warned;
	} cases[] = {{"absorbance", "auto", true}, {"reflectance", "auto", true},
		{"absorbance", "16", false}, {"single_beam", "auto", false},
		{"absorbance", NULL, false}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct bench *b = bench_create(ASSAY_LINK_USB);
		host_set(b->h, "result", cases[i].result);
		if (cases[i].gain != NULL)
			host_set(b->h, "gain", cases[i].gain);
		host_check(b->h);
		assert_int_equal(strstr(b->h->found, "warn gain: ") != NULL, cases[i].is_warned);
		bench_destroy(b);
	}
}

static void read_back_changes_nothing(void **state)
{
	struct bench *b = bench_create(ASSAY_LINK_USB);
	b->active = 2;
	assert_int_equal(b->h->driver->read_back(&b->h->ins), 0);
	assert_string_equal(b->dialogue, "0223");
	assert_int_equal(host_report(b->h, "scan_configuration")->integer, 2);
	bench_destroy(b);
}

static void a_configuration_that_cannot_be_used_is_refused(void **state)
{
	struct bench *b = bench_create(ASSAY_LINK_USB);
	host_set(b->h, "scan_configuration", "3");
	assert_int_equal(b->h->driver->configure(&b->h->ins), -EINVAL);
	assert_non_null(strstr(b->h->explained, "it has 3"));
	assert_int_equal(b->active, 0);
	host_set(b->h, "scan_configuration", "2");
	assert_int_equal(b->h->driver->configure(&b->h->ins), -EPROTO);
	assert_non_null(strstr(
		b->h->explained, "'Column 1', has scans other than column scans (Hadamard)"));
	bench_destroy(b);
}

static void a_setting_that_the_instrument_does_not_take_is_an_error(void **state)
{
	struct bench *b = bench_create(ASSAY_LINK_USB);
	b->stays_awake = true;
	assert_int_equal(b->h->driver->configure(&b->h->ins), -EPROTO);
	assert_string_equal(b->h->explained, "hibernation: the instrument has 1 after 0 was sent");
	bench_destroy(b);
}

/* --- scans ------------------------------------------------------------------------------------ */

static void a_failed_scan_has_its_cause(void **state)
{
	struct bench *b = bench_create(ASSAY_LINK_USB);
	b->errors = 0x201;
	assert_int_equal(bench_start(b), 0);
	assert_non_null(strstr(b->h->logged, "0x201"));
	assert_int_equal(b->errors, 0);
	b->errors = 0x001;
	b->codes[0] = 0x14;
	assert_int_equal(bench_acquire(b), -EPROTO);
	assert_string_equal(b->h->explained, "the scan failed: lamp, ADC (code 0x14)");
	assert_int_equal(b->h->raw.count, 0);
	bench_destroy(b);
}

static void the_file_of_the_scan_before_is_rejected(void **state)
{
	struct bench *b = bench_create(ASSAY_LINK_USB);
	uint8_t before[BENCH_FILE];
	assert_int_equal(bench_start(b), 0);
	assert_int_equal(bench_acquire(b), ASSAY_LAST);
	memcpy(before, b->file, sizeof(before));
	host_reset(b->h);
	assert_int_equal(bench_start(b), 0);
	memcpy(b->file, before, sizeof(before));
	assert_int_equal(bench_acquire(b), -EBADMSG);
	assert_non_null(strstr(b->h->explained, "scan before"));
	bench_destroy(b);
}

static void a_file_that_is_no_scan_is_rejected(void **state)
{
	struct bench *b = bench_create(ASSAY_LINK_SERIAL);
	assert_int_equal(bench_start(b), 0);
	b->file[10] = 'x';
	assert_int_equal(bench_acquire(b), -EBADMSG);
	assert_non_null(strstr(b->h->explained, "the scan file contradicts"));
	b->file[0] = 0;
	assert_int_equal(bench_acquire(b), -EBADMSG);
	assert_non_null(strstr(b->h->explained, "\"tpl\""));
	assert_int_equal(b->h->raw.count, 0);
	bench_destroy(b);
}

static void sizes_and_times_have_limits(void **state)
{
	static const uint32_t sizes[] = {0, 1, 3821, 16385, UINT32_MAX};
	for (size_t i = 0; i < 5; i++) {
		struct bench *b = bench_create(ASSAY_LINK_USB);
		assert_int_equal(bench_start(b), 0);
		b->file_size = sizes[i];
		assert_int_equal(bench_acquire(b), -EBADMSG);
		if (strstr(b->h->explained, i == 1 || i == 2 ? "longer than" : "expected 1 to") ==
			NULL)
			fail_msg("%u: %s", sizes[i], b->h->explained);
		b->scanning = false;
		b->estimate = 86400001;
		assert_int_equal(bench_start(b), -EBADMSG);
		assert_non_null(strstr(b->h->explained, "86400001 ms"));
		assert_int_equal(b->scans_done, 1);
		bench_destroy(b);
	}
}

/* After an abort the scan goes on; the next start waits for it. */
static void a_scan_that_still_runs_is_waited_for(void **state)
{
	struct bench *b = bench_create(ASSAY_LINK_USB);
	b->polls = 20;
	assert_int_equal(bench_start(b), 0);
	uint64_t before = b->h->now;
	assert_int_equal(bench_start(b), 0);
	assert_in_range(b->h->now - before, 2000, 2200);
	b->left = 1000000;
	host_set(b->h, "timeout", "5");
	before = b->h->now;
	assert_int_equal(b->h->driver->start(&b->h->ins), -EPROTO);
	assert_non_null(strstr(b->h->explained, "still runs"));
	assert_in_range(b->h->now - before, 5000, 5200);
	/* A start that is to stop does not wait. */
	b->h->stopping = true;
	before = b->h->now;
	assert_int_equal(b->h->driver->start(&b->h->ins), -EPROTO);
	assert_int_equal(b->h->now, before);
	bench_destroy(b);
}

static void the_wait_for_a_scan_ends(void **state)
{
	struct bench *b = bench_create(ASSAY_LINK_USB);
	b->polls = 1000000;
	host_set(b->h, "timeout", "5");
	assert_int_equal(bench_start(b), 0);
	uint64_t before = b->h->now;
	int r = -EAGAIN;
	while (r == -EAGAIN)
		r = b->h->driver->acquire(&b->h->ins, &b->h->raw.handle);
	assert_int_equal(r, -ETIMEDOUT);
	assert_in_range(b->h->now - before, 7500, 7700);
	assert_non_null(strstr(b->h->explained, "timeout"));
	bench_destroy(b);
}

static void readings_follow_each_other(void **state)
{
	struct bench *b = bench_create(ASSAY_LINK_SERIAL);
	host_set(b->h, "readings", "3");
	assert_int_equal(bench_start(b), 0);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(bench_acquire(b), i < 2 ? ASSAY_FRAME : ASSAY_LAST);
		assert_int_equal(host_decode(b->h), 0);
		assert_int_equal(host_find(b->h, "scan_index")->integer, i);
		host_reset(b->h);
	}
	host_set(b->h, "readings", "0");
	assert_int_equal(bench_start(b), 0);
	assert_int_equal(bench_acquire(b), ASSAY_FRAME);
	/* A stop within a scan lets it end, one between two scans starts none. */
	host_reset(b->h);
	int r = b->h->driver->acquire(&b->h->ins, &b->h->raw.handle);
	assert_int_equal(r, -EAGAIN);
	b->h->stopping = true;
	assert_int_equal(bench_acquire(b), ASSAY_LAST);
	assert_int_equal(bench_acquire(b), ASSAY_DONE);
	assert_int_equal(b->scans_done, 5);
	bench_destroy(b);
}

static void an_abort_ends_each_wait(void **state)
{
	struct bench *b = bench_create(ASSAY_LINK_SERIAL);
	assert_int_equal(bench_start(b), 0);
	b->h->stuck = -ECANCELED;
	assert_int_equal(bench_acquire(b), -ECANCELED);
	b->h->stuck = 0;
	assert_int_equal(bench_start(b), 0);
	assert_int_equal(bench_acquire(b), ASSAY_LAST);
	bench_destroy(b);
}

/* --- between runs ----------------------------------------------------------------------------- */

static void values_between_runs_are_rounded(void **state)
{
	struct bench *b = bench_create(ASSAY_LINK_USB);
	assert_int_equal(host_poll(b->h), 0);
	assert_string_equal(b->dialogue, "0300 0302");
	assert_true(host_progress(b->h, "detector_temperature")->real == 25.0);
	assert_true(host_progress(b->h, "board_temperature")->real == 23.0);
	assert_true(host_progress(b->h, "humidity")->real == 28);
	host_reset(b->h);
	b->sensors_failed = true;
	assert_int_equal(host_poll(b->h), 0);
	assert_null(host_progress(b->h, "humidity"));
	bench_destroy(b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_is_the_published_dialogue),
		cmocka_unit_test(a_chunk_may_have_any_size),
		cmocka_unit_test(any_one_spoiled_reply_is_got_over),
		cmocka_unit_test(silence_ends_each_slot_in_time),
		cmocka_unit_test(a_refusal_has_a_name),
		cmocka_unit_test(a_busy_instrument_is_waited_for),
		cmocka_unit_test(settings_are_sent_and_read_back),
		cmocka_unit_test(a_ratio_needs_a_fixed_gain),
		cmocka_unit_test(read_back_changes_nothing),
		cmocka_unit_test(a_configuration_that_cannot_be_used_is_refused),
		cmocka_unit_test(a_setting_that_the_instrument_does_not_take_is_an_error),
		cmocka_unit_test(a_failed_scan_has_its_cause),
		cmocka_unit_test(the_file_of_the_scan_before_is_rejected),
		cmocka_unit_test(a_file_that_is_no_scan_is_rejected),
		cmocka_unit_test(sizes_and_times_have_limits),
		cmocka_unit_test(a_scan_that_still_runs_is_waited_for),
		cmocka_unit_test(the_wait_for_a_scan_ends),
		cmocka_unit_test(readings_follow_each_other),
		cmocka_unit_test(an_abort_ends_each_wait),
		cmocka_unit_test(values_between_runs_are_rounded),
	};
	return cmocka_run_group_tests_name("nirscan-nano-slots", tests, NULL, NULL);
}
