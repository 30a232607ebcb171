/* SPDX-License-Identifier: Apache-2.0 */
/* Counting: its end, the packets fetched, and their decoding. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"

#define CHANNELS 1024

/* A detector at its set points, so that nothing but the case at hand lowers the quality. */
static const char readback[] =
	"MCAS=NORM;MCAC=1024;PRET=60.0;PRER=OFF;PREC=OFF;HVSE=-130;TECS=225;";

struct bench {
	struct host *h;
	struct amptek_status s; /* its next status */
	uint32_t counts[CHANNELS];
};

static int teardown(void **state)
{
	struct bench *b = *state;
	host_destroy(b->h);
	return 0;
}

static void start(struct bench *b, const char *text)
{
	amptek_status_turn(b->h, &b->s);
	amptek_readback_turn(b->h, text);
	assert_int_equal(b->h->driver->configure(&b->h->ins), 0);
	amptek_start_turns(b->h, &b->s, text);
	assert_int_equal(b->h->driver->start(&b->h->ins), 0);
	assert_true(host_is_done(b->h));
	b->s.enabled = true;
}

static int setup(void **state)
{
	static struct bench b;
	b = (struct bench){.h = host_create(assay_driver, ASSAY_LINK_USB)};
	b.s = amptek_px5;
	b.s.kelvin = 226;
	b.s.fast = b.s.slow = 0;
	b.s.accumulation_ms = b.s.real_ms = 0;
	*state = &b;
	return 0;
}

/* The instrument has counted until `ms`: one event per ms, spread over the channels. */
static void count_to(struct bench *b, uint32_t ms)
{
	b->s.accumulation_ms = ms;
	b->s.real_ms = ms + 3;
	b->s.slow = ms;
	b->s.fast = ms + 10;
	for (uint32_t i = 0; i < CHANNELS; i++)
		b->counts[i] = ms / CHANNELS + (i < ms % CHANNELS);
}

static void spectrum_turn(struct bench *b, unsigned pid2)
{
	amptek_spectrum_turn(b->h, pid2, CHANNELS, b->counts, &b->s);
}

static int acquire(struct bench *b)
{
	b->h->raw.count = 0;
	b->h->raw.total = 0;
	return b->h->driver->acquire(&b->h->ins, &b->h->raw.handle);
}

/* --- the start of a measurement --- */

/* The preset may have been reached since: a second ENABLE would count without end. */
static void a_lost_reply_to_enable_repeats_the_sequence(void **state)
{
	struct bench *b = *state;
	amptek_status_turn(b->h, &b->s);
	amptek_readback_turn(b->h, readback);
	host_set(b->h, "preset_time", "60");
	assert_int_equal(b->h->driver->configure(&b->h->ins), 0);
	amptek_status_turn(b->h, &b->s);
	amptek_readback_turn(b->h, readback);
	amptek_order_turn(b->h, 0xf0, 3, NULL);
	amptek_order_turn(b->h, 0xf0, 1, NULL);
	amptek_ask(b->h, 0xf0, 2, NULL);
	host_silence(b->h);
	amptek_order_turn(b->h, 0xf0, 2, NULL);
	amptek_order_turn(b->h, 0xf0, 3, NULL);
	amptek_order_turn(b->h, 0xf0, 1, NULL);
	amptek_order_turn(b->h, 0xf0, 2, NULL);
	assert_int_equal(b->h->driver->start(&b->h->ins), 0);
	assert_true(host_is_done(b->h));
}

/* Every status has the serial number: on UDP the only sign that the unit was exchanged. */
static void another_unit_in_the_middle_ends_the_measurement(void **state)
{
	struct bench *b = *state;
	struct assay_identity id = {0};
	host_set(b->h, "preset_time", "60");
	amptek_status_turn(b->h, &b->s);
	assert_int_equal(b->h->driver->identify(&b->h->ins, &id), 0);
	start(b, readback);
	b->s.serial++;
	b->s.enabled = false;
	count_to(b, 60000);
	amptek_status_turn(b->h, &b->s);
	assert_int_equal(acquire(b), -ENODEV);
	assert_non_null(strstr(b->h->explained, "another unit replies"));
	amptek_status_turn(b->h, &b->s);
	assert_int_equal(b->h->driver->identify(&b->h->ins, &id), 0);
	assert_true(host_is_done(b->h));
}

/* --- the end of a measurement --- */

static void a_preset_ends_the_measurement_with_one_whole_packet(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "preset_time", "60");
	start(b, readback);
	uint64_t before = b->h->now;
	for (uint32_t ms = 20000; ms < 60000; ms += 20000) {
		count_to(b, ms);
		amptek_status_turn(b->h, &b->s);
	}
	b->s.enabled = false;
	count_to(b, 60000);
	amptek_status_turn(b->h, &b->s);
	spectrum_turn(b, 3);
	assert_int_equal(acquire(b), ASSAY_LAST);
	assert_true(host_is_done(b->h));
	assert_int_equal(b->h->now - before, 1000); /* two pauses of half a second */
	assert_true(host_progress(b->h, "accumulation_time")->real == 60);
	assert_true(host_progress(b->h, "slow_count")->real == 60000);
	assert_int_equal(b->h->raw.count, 2);
	assert_string_equal(b->h->raw.blocks[0].media, "application/x-amptek-fw6");
	assert_string_equal(b->h->raw.blocks[0].name, "spectrum");
	assert_int_equal(b->h->raw.blocks[0].len, 3144);
	assert_int_equal(b->h->raw.blocks[1].len, strlen(readback));
	assert_int_equal(host_decode(b->h), 0);
	assert_int_equal(b->h->frame.flag, ASSAY_GOOD);
	assert_false(b->h->frame.partial);
}

static void a_request_to_stop_ends_counting_and_reads_the_spectrum(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "preset_time", "60");
	start(b, readback);
	count_to(b, 5000);
	amptek_status_turn(b->h, &b->s);
	host_ask_to_stop(b->h);
	amptek_order_turn(b->h, 0xf0, 3, NULL);
	b->s.enabled = false;
	spectrum_turn(b, 3);
	assert_int_equal(acquire(b), ASSAY_LAST);
	assert_true(host_is_done(b->h));
	assert_int_equal(host_decode(b->h), 0);
	assert_int_equal(b->h->frame.flag, ASSAY_GOOD);
	assert_true(host_find(b->h, "accumulation_time")->real == 5);
}

static void an_abort_gets_through_at_once(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "preset_time", "60");
	start(b, readback);
	b->h->abort_at = b->h->now + 100;
	amptek_status_turn(b->h, &b->s);
	assert_int_equal(acquire(b), -ECANCELED);
	assert_int_equal(b->h->raw.count, 0);
	host_revive(b->h);
	amptek_order_turn(b->h, 0xf0, 3, NULL);
	assert_int_equal(b->h->driver->stop(&b->h->ins), 0);
	assert_true(host_is_done(b->h));
}

static void counting_that_ended_before_its_preset_is_suspect(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "preset_time", "60");
	start(b, readback);
	b->s.enabled = false;
	count_to(b, 30000);
	amptek_status_turn(b->h, &b->s);
	amptek_status_turn(b->h, &b->s);
	spectrum_turn(b, 3);
	assert_int_equal(acquire(b), ASSAY_CUT);
	assert_string_equal(b->h->explained, "counting ended before a preset was reached");
	assert_non_null(strstr(b->h->logged, b->h->explained));
	assert_int_equal(host_decode(b->h), 0);
	assert_int_equal(b->h->frame.flag, ASSAY_SUSPECT);
	assert_true(host_has_reason(b->h, "device-warning"));
}

/* It acknowledges the start and shows it some time later, or never. */
static void a_first_status_that_is_not_enabled_is_read_again(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "preset_time", "60");
	start(b, readback);
	uint64_t before = b->h->now;
	b->s.enabled = false;
	amptek_status_turn(b->h, &b->s);
	b->s.enabled = true;
	amptek_status_turn(b->h, &b->s);
	b->s.enabled = false;
	count_to(b, 60000);
	amptek_status_turn(b->h, &b->s);
	spectrum_turn(b, 3);
	assert_int_equal(acquire(b), ASSAY_LAST);
	assert_true(b->h->now - before >= 50);
	assert_int_equal(host_decode(b->h), 0);
	assert_int_equal(b->h->frame.flag, ASSAY_GOOD);
	assert_true(host_is_done(b->h));
}

static void presets_by_real_time_and_counts_are_seen_by_their_flags(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "preset_counts", "500");
	start(b, "MCAC=1024;PRET=OFF;PREC=500;HVSE=-130;TECS=225;");
	b->s.enabled = false;
	b->s.counts_reached = true;
	count_to(b, 500);
	amptek_status_turn(b->h, &b->s);
	spectrum_turn(b, 3);
	assert_int_equal(acquire(b), ASSAY_LAST);
	assert_string_equal(b->h->raw.blocks[0].name, "spectrum");
}

static void clocks_that_stand_still_end_the_run(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "stall_time", "2");
	host_set(b->h, "preset_time", "60");
	start(b, readback);
	count_to(b, 100);
	for (int i = 0; i < 5; i++)
		amptek_status_turn(b->h, &b->s);
	assert_int_equal(acquire(b), -EPROTO);
	assert_non_null(strstr(b->h->explained, "clocks have stood still for 2 s"));
	assert_true(host_is_done(b->h));
}

static void an_instrument_that_restarts_ends_the_run(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "preset_time", "60");
	start(b, readback);
	b->s.rebooted = true;
	amptek_status_turn(b->h, &b->s);
	assert_int_equal(acquire(b), -EPROTO);
	assert_non_null(strstr(b->h->explained, "restarted during the measurement"));
}

/* --- growing spectra and slices --- */

static void a_growing_spectrum_is_partial_until_its_end(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "preset_time", "60");
	host_set(b->h, "progress_every", "1");
	start(b, readback);
	for (uint32_t ms = 1000; ms <= 2000; ms += 1000) {
		count_to(b, ms - 500);
		for (int i = 0; i < 3; i++)
			amptek_status_turn(b->h, &b->s);
		count_to(b, ms);
		spectrum_turn(b, 3);
		assert_int_equal(acquire(b), ASSAY_FRAME);
		assert_int_equal(host_decode(b->h), 0);
		assert_true(b->h->frame.partial);
		assert_int_equal(b->h->frame.flag, ASSAY_GOOD);
		assert_true(host_find(b->h, "accumulation_time")->real == ms / 1000.0);
	}
	assert_true(host_is_done(b->h));
	/* It ends while the next partial spectrum is fetched: that one is the last. */
	amptek_status_turn(b->h, &b->s);
	amptek_status_turn(b->h, &b->s);
	amptek_status_turn(b->h, &b->s);
	b->s.enabled = false;
	count_to(b, 60000);
	spectrum_turn(b, 3);
	int r = acquire(b);
	assert_int_equal(r, ASSAY_LAST);
	assert_int_equal(host_decode(b->h), 0);
	assert_false(b->h->frame.partial);
}

static void slices_are_cleared_as_they_are_read_and_keep_their_pace(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "slice", "1");
	start(b, "MCAC=1024;PRET=OFF;PRER=OFF;PREC=OFF;HVSE=-130;TECS=225;");
	uint64_t before = b->h->now;
	for (int i = 0; i < 3; i++) {
		count_to(b, 500);
		amptek_status_turn(b->h, &b->s);
		amptek_status_turn(b->h, &b->s);
		count_to(b, 1000);
		spectrum_turn(b, 4);
		assert_int_equal(acquire(b), ASSAY_FRAME);
		assert_true(host_is_done(b->h));
		assert_int_equal(host_decode(b->h), 0);
		assert_false(b->h->frame.partial);
		assert_int_equal(b->h->frame.flag, ASSAY_GOOD);
	}
	assert_int_equal(b->h->now - before, 3000);
	host_ask_to_stop(b->h);
	amptek_order_turn(b->h, 0xf0, 3, NULL);
	b->s.enabled = false;
	count_to(b, 200);
	spectrum_turn(b, 3);
	assert_int_equal(acquire(b), ASSAY_LAST);
	assert_int_equal(host_decode(b->h), 0);
	assert_true(host_find(b->h, "real_time")->real == 0.203);
}

static void a_growing_spectrum_that_ends_early_is_cut(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "preset_time", "60");
	host_set(b->h, "progress_every", "1");
	start(b, readback);
	count_to(b, 900);
	for (int i = 0; i < 3; i++)
		amptek_status_turn(b->h, &b->s);
	b->s.enabled = false;
	spectrum_turn(b, 3);
	assert_int_equal(acquire(b), ASSAY_CUT);
	assert_string_equal(b->h->explained, "counting ended before a preset was reached");
	assert_true(host_is_done(b->h));
}

static void slices_end_when_counting_has_ended(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "slice", "1");
	start(b, "MCAC=1024;PRET=OFF;PRER=OFF;PREC=OFF;HVSE=-130;TECS=225;");
	/* A status that was read too early, then the true end. */
	for (int is_end = 0; is_end < 2; is_end++) {
		count_to(b, 500);
		amptek_status_turn(b->h, &b->s);
		amptek_status_turn(b->h, &b->s);
		b->s.enabled = false;
		count_to(b, 1000);
		spectrum_turn(b, 4);
		count_to(b, 10);
		amptek_status_turn(b->h, &b->s);
		b->s.enabled = !is_end;
		amptek_status_turn(b->h, &b->s);
		assert_int_equal(acquire(b), is_end ? ASSAY_CUT : ASSAY_FRAME);
	}
	assert_string_equal(b->h->explained, "counting ended between two slices");
	assert_true(host_is_done(b->h));
}

static void a_slice_whose_first_reply_was_lost_is_suspect(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "slice", "1");
	start(b, "MCAC=1024;PRET=OFF;HVSE=-130;TECS=225;");
	count_to(b, 500);
	amptek_status_turn(b->h, &b->s);
	amptek_status_turn(b->h, &b->s);
	amptek_ask(b->h, 2, 4, NULL);
	host_silence(b->h);
	count_to(b, 20);
	spectrum_turn(b, 4);
	assert_int_equal(acquire(b), ASSAY_FRAME);
	assert_int_equal(b->h->retried, 1);
	assert_int_equal(host_decode(b->h), 0);
	assert_int_equal(b->h->frame.flag, ASSAY_SUSPECT);
	assert_true(host_has_reason(b->h, "checksum-retry"));
	assert_non_null(strstr(b->h->logged, "the reply to a read-and-clear was lost"));
}

static void a_spectrum_older_than_its_status_repeats_the_request(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "preset_time", "60");
	start(b, readback);
	b->s.enabled = false;
	count_to(b, 60000);
	amptek_status_turn(b->h, &b->s);
	count_to(b, 40000);
	spectrum_turn(b, 3);
	count_to(b, 60000);
	spectrum_turn(b, 3);
	assert_int_equal(acquire(b), ASSAY_LAST);
	assert_int_equal(host_decode(b->h), 0);
	assert_true(host_find(b->h, "accumulation_time")->real == 60);
	assert_int_equal(b->h->retried, 1);
	/* Older at the second attempt, too: there is no frame. */
	amptek_status_turn(b->h, &b->s);
	count_to(b, 40000);
	spectrum_turn(b, 3);
	spectrum_turn(b, 3);
	assert_int_equal(acquire(b), -EBADMSG);
	assert_true(host_is_done(b->h));
}

/* --- decode --- */

static int decode_as(struct bench *b, const char *name, const char *text)
{
	static uint8_t packet[8192 * 3 + 72];
	struct assay_bytes raw[2] = {
		{"application/x-amptek-fw6", name, packet,
			amptek_spectrum(packet, CHANNELS, b->counts, &b->s)},
		{"text/x-amptek-configuration", NULL, (const uint8_t *)text, strlen(text)},
	};
	return host_decode_bytes(b->h, raw, 2, NULL, 0);
}

/* Without a calibration the axis is channels. */
static void a_spectrum_without_calibration_says_so(void **state)
{
	struct bench *b = *state;
	for (int is_calibrated = 0; is_calibrated < 2; is_calibrated++) {
		if (is_calibrated)
			host_set(b->h, "energy_gain", "0.01");
		assert_int_equal(decode_as(b, "spectrum", readback), 0);
		assert_int_equal(host_has_reason(b->h, "no-calibration"), !is_calibrated);
		assert_int_equal(host_find(b->h, "channel") != NULL, !is_calibrated);
		assert_int_equal(b->h->frame.flag, ASSAY_GOOD);
	}
}

static void every_number_of_the_packet_is_in_the_frame(void **state)
{
	struct bench *b = *state;
	count_to(b, 60123);
	assert_int_equal(decode_as(b, "spectrum", readback), 0);
	assert_int_equal(b->h->frame.kind, ASSAY_SPECTRUM);
	const struct assay_variable *counts = host_find(b->h, "counts");
	assert_int_equal(counts->type, ASSAY_U32);
	assert_int_equal(counts->count, CHANNELS);
	assert_string_equal(counts->unit, "{count}");
	assert_string_equal(counts->dims[0], "channel");
	for (size_t i = 0; i < CHANNELS; i++)
		assert_true(host_element(counts, i) == b->counts[i]);
	assert_true(host_element(host_find(b->h, "channel"), 7) == 7);
	assert_true(host_find(b->h, "accumulation_time")->real == 60.123);
	assert_true(host_find(b->h, "real_time")->real == 60.126);
	assert_int_equal(host_find(b->h, "fast_count")->integer, 60133);
	assert_int_equal(host_find(b->h, "slow_count")->integer, 60123);
	assert_true(host_find(b->h, "detector_temperature")->real == 226);
	assert_true(host_find(b->h, "board_temperature")->real == 29);
	assert_true(host_find(b->h, "high_voltage")->real == -130);
	assert_null(host_find(b->h, "live_time"));
	assert_null(host_find(b->h, "dead_time"));
	assert_null(host_find(b->h, "energy"));
	assert_int_equal(b->h->frame.flag, ASSAY_GOOD);
}

static void a_calibration_makes_the_axis_energy(void **state)
{
	struct bench *b = *state;
	host_set(b->h, "energy_zero", "-0.02");
	host_set(b->h, "energy_gain", "0.01");
	count_to(b, 10);
	assert_int_equal(decode_as(b, "spectrum", readback), 0);
	const struct assay_variable *axis = host_find(b->h, "energy");
	assert_string_equal(axis->unit, "keV");
	assert_true(axis->start == -0.02 && axis->step == 0.01 && axis->count == CHANNELS);
	assert_string_equal(host_find(b->h, "counts")->dims[0], "energy");
	assert_null(host_find(b->h, "channel"));
}

static void live_time_is_there_only_where_the_device_reports_it(void **state)
{
	struct bench *b = *state;
	count_to(b, 1000);
	b->s.live_ms = 900;
	b->s.device = 3;
	b->s.firmware = 0x67;
	assert_int_equal(decode_as(b, "spectrum", "MCAC=1024;"), 0);
	assert_true(host_find(b->h, "live_time")->real == 0.9);
	assert_null(host_find(b->h, "high_voltage"));
	assert_null(host_find(b->h, "detector_temperature"));
	b->s.firmware = 0x66;
	assert_int_equal(decode_as(b, "spectrum", "MCAC=1024;"), 0);
	assert_null(host_find(b->h, "live_time"));
	b->s.firmware = 0x60;
	assert_int_equal(decode_as(b, "spectrum", "MCAC=1024;"), 0);
	assert_null(host_find(b->h, "real_time"));
}

static void contradictions_lower_the_quality(void **state)
{
	struct bench *b = *state;
	count_to(b, 60000);
	b->s.slow += 1;
	assert_int_equal(decode_as(b, "spectrum", readback), 0);
	assert_true(b->h->frame.flag == ASSAY_SUSPECT && host_has_reason(b->h, "malformed"));
	assert_int_equal(decode_as(b, "spectrum", "MCAS=FAST;TECS=225;"), 0);
	assert_int_equal(b->h->frame.flag, ASSAY_GOOD);

	/* A DP5-X does not pause for a readout, so the two may differ while it counts. */
	b->s.device = 5;
	assert_int_equal(decode_as(b, "spectrum", readback), 0);
	assert_true(host_has_reason(b->h, "malformed"));
	b->s.enabled = true;
	assert_int_equal(decode_as(b, "slice", readback), 0);
	assert_int_equal(b->h->frame.flag, ASSAY_GOOD);

	b->counts[17] = 0xffffff;
	assert_int_equal(decode_as(b, "spectrum", readback), 0);
	assert_true(b->h->frame.flag == ASSAY_SUSPECT && host_has_reason(b->h, "saturated"));
	assert_false(host_has_reason(b->h, "malformed"));
}

static void a_detector_off_its_set_points_is_a_warning(void **state)
{
	struct bench *b = *state;
	count_to(b, 60000);
	host_set(b->h, "energy_gain", "0.01");
	b->s.kelvin = 231;
	assert_int_equal(decode_as(b, "spectrum", readback), 0);
	assert_true(host_has_reason(b->h, "device-warning"));
	host_set(b->h, "temperature_tolerance", "6");
	assert_int_equal(decode_as(b, "spectrum", readback), 0);
	assert_int_equal(b->h->frame.reason_count, 0);
	b->s.high_voltage = -100;
	assert_int_equal(decode_as(b, "spectrum", readback), 0);
	assert_true(host_has_reason(b->h, "device-warning"));
	assert_int_equal(decode_as(b, "spectrum", "HVSE=OFF;TECS=OFF;"), 0);
	assert_int_equal(b->h->frame.reason_count, 0);
	b->s.unconfigured = true;
	assert_int_equal(decode_as(b, "spectrum", ""), 0);
	assert_true(host_has_reason(b->h, "device-warning"));
}

static void counting_that_goes_on_makes_a_frame_partial_unless_it_is_a_slice(void **state)
{
	struct bench *b = *state;
	count_to(b, 10);
	b->s.enabled = true;
	assert_int_equal(decode_as(b, "growing spectrum", readback), 0);
	assert_true(b->h->frame.partial);
	assert_int_equal(decode_as(b, NULL, readback), 0);
	assert_true(b->h->frame.partial);
	assert_int_equal(decode_as(b, "slice", readback), 0);
	assert_false(b->h->frame.partial);
}

static void bytes_that_are_no_spectrum_are_rejected(void **state)
{
	struct bench *b = *state;
	static uint8_t packet[8192 * 3 + 72];
	size_t len = amptek_spectrum(packet, 256, NULL, &b->s);
	struct assay_bytes raw = {"application/x-amptek-fw6", NULL, packet, len};
	assert_int_equal(host_decode_bytes(b->h, &raw, 1, NULL, 0), 0);
	assert_int_equal(host_decode_bytes(b->h, &raw, 0, NULL, 0), -EBADMSG);
	for (raw.len = 0; raw.len < len; raw.len++)
		assert_int_equal(host_decode_bytes(b->h, &raw, 1, NULL, 0), -EBADMSG);
	packet[100] ^= 1;
	raw.len = len;
	assert_int_equal(host_decode_bytes(b->h, &raw, 1, NULL, 0), -EBADMSG);
	/* A whole packet of another kind, and one whose length is not its channels'. */
	raw.len = amptek_packet(packet, 0x80, 1, packet, 64);
	assert_int_equal(host_decode_bytes(b->h, &raw, 1, NULL, 0), -EBADMSG);
	raw.len = amptek_packet(packet, 0x81, 8, packet, 3 * 256 + 64);
	assert_int_equal(host_decode_bytes(b->h, &raw, 1, NULL, 0), -EBADMSG);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_lost_reply_to_enable_repeats_the_sequence),
		CASE(another_unit_in_the_middle_ends_the_measurement),
		CASE(a_preset_ends_the_measurement_with_one_whole_packet),
		CASE(a_request_to_stop_ends_counting_and_reads_the_spectrum),
		CASE(an_abort_gets_through_at_once),
		CASE(counting_that_ended_before_its_preset_is_suspect),
		CASE(a_first_status_that_is_not_enabled_is_read_again),
		CASE(a_growing_spectrum_that_ends_early_is_cut),
		CASE(slices_end_when_counting_has_ended),
		CASE(presets_by_real_time_and_counts_are_seen_by_their_flags),
		CASE(clocks_that_stand_still_end_the_run),
		CASE(an_instrument_that_restarts_ends_the_run),
		CASE(a_growing_spectrum_is_partial_until_its_end),
		CASE(slices_are_cleared_as_they_are_read_and_keep_their_pace),
		CASE(a_slice_whose_first_reply_was_lost_is_suspect),
		CASE(a_spectrum_older_than_its_status_repeats_the_request),
		CASE(a_spectrum_without_calibration_says_so),
		CASE(every_number_of_the_packet_is_in_the_frame),
		CASE(a_calibration_makes_the_axis_energy),
		CASE(live_time_is_there_only_where_the_device_reports_it),
		CASE(contradictions_lower_the_quality),
		CASE(a_detector_off_its_set_points_is_a_warning),
		CASE(counting_that_goes_on_makes_a_frame_partial_unless_it_is_a_slice),
		CASE(bytes_that_are_no_spectrum_are_rejected),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
