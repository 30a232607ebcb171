/* SPDX-License-Identifier: Apache-2.0 */
/* The table of tests at the end, and a function for each; those of settings are in comply-settings.c. */
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "capture-job.h"
#include "comply.h"
#include "decoder.h"
#include "record/json.h"
#include "record/uuid.h"

#define ATTEMPTS 5 /* to end a run in a state that may be short */
#define TIMES    3

static double seconds_since(uint64_t begin)
{
	return (double)(clock_boot() - begin) / 1e9;
}

/* After something unusual: the instrument is idle again and makes a run. */
static void check_usable(struct comply *c)
{
	struct comply_run run = {0};
	if (comply_wait_idle(c) == 0)
		comply_run_short(c, c->how.method, &run);
	comply_run_finish(&run);
}

/* --- identity -------------------------------------------------------------------------------- */

static void test_identity(struct comply *c)
{
	if (comply_status(c, &c->unit) < 0)
		return;
	if (c->unit.run.number[0] != '\0')
		comply_fail(c, "run %s is open: end it first", c->unit.run.number);
	else if (strcmp(c->unit.state, "idle") != 0)
		comply_fail(c, "the instrument is %s instead of idle%s%.200s", c->unit.state,
			c->unit.text[0] != '\0' ? ": " : "", c->unit.text);
	comply_note(c, "%.60s %.60s, serial %.60s, firmware %.60s", c->unit.make, c->unit.model,
		c->unit.serial, c->unit.fw[0] != '\0' ? c->unit.fw : "not known");
}

/* --- complete frames, recorded --------------------------------------------------------------- */

struct recording {
	struct capture_job job;
	const struct options *options;
	pthread_t thread;
	atomic_bool is_over;
	int result;
};

static bool recording_is_over(struct capture_job *job)
{
	return atomic_load(&((struct recording *)job)->is_over);
}

static void *follow(void *arg)
{
	struct recording *rec = arg;
	rec->result = capture_job_follow(rec->options, &rec->job);
	return NULL;
}

/* True if it runs; without a recording the frames are still tested. */
static bool recording_start(struct comply *c, struct recording *rec)
{
	snprintf(c->capture, sizeof c->capture, "%s/capture.cap", c->how.folder);
	*rec = (struct recording){.options = c->options,
		.job = {.instrument = c->how.instrument,
			.path = c->capture,
			.is_over = recording_is_over}};
	int r = capture_job_start(c->options, &rec->job);
	if (r == 0 && pthread_create(&rec->thread, NULL, follow, rec) == 0)
		return true;
	capture_job_close(&rec->job, 1);
	c->capture[0] = '\0';
	return false;
}

static void recording_end(struct comply *c, struct recording *rec)
{
	atomic_store(&rec->is_over, true);
	pthread_join(rec->thread, NULL);
	if (capture_job_close(&rec->job, rec->result) != 0)
		c->capture[0] = '\0';
	else
		comply_measured(c, "dialogue recorded", (double)rec->job.link_bytes, "By");
}

/* Keeps a digest of each frame's variables, by which a playback is compared. */
static void keep_digest(
	void *arg, const struct comply_run *run, const struct assay_frame_view *frame)
{
	struct comply *c = arg;
	struct digest digest;
	uint8_t hash[ASSAY_SHA256_SIZE];
	char text[HEX_SIZE(ASSAY_SHA256_SIZE)];
	if (digest_init(&digest) < 0)
		return;
	digest_update(&digest, frame->vars.data, frame->vars.len);
	digest_final(&digest, hash);
	digest_finish(&digest);
	json_array_append_new(c->frames, json_string(hex_write(text, hash, sizeof hash)));
	if (frame->quality == ASSAY_QUALITY_BAD || frame->quality == ASSAY_QUALITY_MISSING)
		comply_fail(c, "frame %" PRIu64 " of run %s is %s", frame->record.n, run->number,
			assay_quality_name(frame->quality));
}

/* Runs one after the other until there are enough frames. */
static void test_complete(struct comply *c)
{
	struct recording rec;
	uint64_t whole = 0, begin = clock_boot();
	bool is_recorded = recording_start(c, &rec);
	while (whole < c->how.frames && !comply_has_verdict(c)) {
		struct comply_run run = {.each = keep_digest, .arg = c};
		char *number = c->series[c->series_count];
		if (c->series_count == COMPLY_RUNS_MAX)
			comply_fail(
				c, "%d runs have only %" PRIu64 " frames", COMPLY_RUNS_MAX, whole);
		else if (comply_start(c, c->how.method, number) == 0 &&
			 comply_run_over(c, number, c->how.frames, &run) == 0) {
			bool is_complete = strcmp(run.status, "complete") == 0;
			bool is_first = c->series_count++ == 0;
			whole += run.whole;
			if (!is_first && c->series_frames != run.frames)
				c->series_frames = 0;
			else if (is_first)
				c->series_frames = run.frames;
			if (run.whole == 0)
				comply_fail(c, "run %s has no whole frame", number);
			else if (!is_complete &&
				 (strcmp(run.status, "stopped") != 0 || run.frames < c->how.frames))
				comply_fail(c, "run %s has the status %s: %.200s", number,
					run.status, run.why);
		}
		comply_run_finish(&run);
	}
	if (is_recorded)
		recording_end(c, &rec);
	comply_measured(c, "whole frames", (double)whole, "{count}");
	comply_measured(c, "duration", seconds_since(begin), "s");
	comply_note(c, "%" PRIu64 " frames in %zu runs, none missing", whole, c->series_count);
}

/* --- frames of the series, again ------------------------------------------------------------- */

static int read_series(struct comply *c,
	void (*each)(void *arg, const struct comply_run *run, const struct assay_frame_view *frame),
	void *arg)
{
	if (c->series_count == 0)
		comply_skip(c, "test `complete` has no frames");
	for (size_t i = 0; i < c->series_count && !comply_has_verdict(c); i++) {
		struct comply_run run = {.each = each, .arg = arg};
		comply_run_read(c, c->series[i], &run);
		comply_run_finish(&run);
	}
	return comply_has_verdict(c) ? -1 : 0;
}

static void add_to_spread(
	void *arg, const struct comply_run *run, const struct assay_frame_view *frame)
{
	if (!frame->partial)
		spread_add(arg, frame);
}

static void put_spread(struct comply *c, const struct spread *spread)
{
	json_t *rows = json_array();
	for (size_t i = 0; i < spread->count; i++) {
		const struct spread_row *row = &spread->rows[i];
		json_t *one = json_pack("{s:s, s:s, s:I, s:f, s:f, s:f, s:f}", "name", row->name,
			"unit", row->unit, "n", (json_int_t)row->n, "mean", row->mean, "sd",
			spread_deviation(row), "min", row->min, "max", row->max);
		if (!row->is_place && row->mean != 0)
			json_object_set_new(one, "rsd", json_real(spread_relative(row)));
		json_array_append_new(rows, one);
		if (c->how.spread > 0 && !row->is_place && spread_relative(row) > c->how.spread)
			comply_fail(c, "%s varies by %.3g %%, the limit is %.3g %%", row->name,
				spread_relative(row), c->how.spread);
	}
	json_object_set_new(c->row, "spread", rows);
}

static void test_repeatability(struct comply *c)
{
	static struct spread spread;
	spread = (struct spread){0};
	if (read_series(c, add_to_spread, &spread) < 0)
		return;
	if (spread.frames < 2) {
		comply_skip(c, "it needs two frames or more");
		return;
	}
	put_spread(c, &spread);
	if (spread.is_other)
		comply_fail(c, "the frames have different variables");
	if (spread.left_out > 0)
		comply_note(c, "%" PRIu64 " values are not finite", spread.left_out);
	if (c->how.spread == 0)
		comply_note(c, "%" PRIu64 " frames; no limit was given", spread.frames);
	else
		comply_note(
			c, "%" PRIu64 " frames; all within %.3g %%", spread.frames, c->how.spread);
}

struct reparsing {
	struct comply *c;
	struct decoder decoder;
	uint64_t same, without;
};

static void decode_again(
	void *arg, const struct comply_run *run, const struct assay_frame_view *frame)
{
	struct reparsing *p = arg;
	char text[DECODER_TEXT];
	struct assay_span start = {run->start.data, run->start.len};
	struct assay_span settings = keys_value(frame->record.body, string_of("x-sent"));
	if (settings.data == NULL)
		settings = keys_value(start, string_of("x-sent"));
	if (settings.data == NULL)
		settings = keys_value(start, string_of("settings"));
	if (settings.data == NULL)
		settings = (struct assay_span){(const uint8_t *)"\xa0", 1};
	if (comply_has_verdict(p->c))
		return;
	if (!decoder_has_data(frame->raw)) {
		p->without++;
		return;
	}
	if (decoder_compare(&p->decoder, frame, settings, (struct assay_span){0}, text) == 0)
		p->same++;
	else
		comply_fail(p->c, "frame %" PRIu64 " of run %s: %.300s", frame->record.n,
			run->number, text);
}

static void test_reparse(struct comply *c)
{
	struct reparsing p = {.c = c};
	char why[DECODER_TEXT];
	if (c->series_count > 0 && decoder_start(&p.decoder, c->options, c->unit.driver, why) < 0)
		comply_skip(c, "on this computer %.300s", why);
	else if (read_series(c, decode_again, &p) == 0 && p.same == 0)
		comply_skip(c, "the frames were recorded without their raw bytes");
	decoder_stop(&p.decoder);
	comply_note(c, "%" PRIu64 " frames are the same", p.same);
}

/* --- start, stop, abort ---------------------------------------------------------------------- */

static void test_start_stop(struct comply *c)
{
	for (int i = 0; i < TIMES && !comply_has_verdict(c); i++) {
		struct comply_run run = {0};
		char number[COMPLY_NUMBER];
		uint64_t begin = clock_boot();
		if (comply_start(c, c->how.method, number) == 0) {
			comply_measured(c, "start", seconds_since(begin), "s");
			begin = clock_boot();
			if (comply_end(c, "run-stop") >= 0 &&
				comply_run_over(c, number, 0, &run) == 0)
				comply_measured(c, "stop", seconds_since(begin), "s");
			if (!comply_has_verdict(c) && strcmp(run.status, "stopped") != 0 &&
				strcmp(run.status, "complete") != 0)
				comply_fail(c, "run %s has the status %s: %.200s", number,
					run.status, run.why);
		}
		comply_run_finish(&run);
	}
	comply_note(c, "%d times", TIMES);
}

/* 1: the run was aborted; 0: it had ended before; -1 after comply_fail(). */
static int check_aborted(struct comply *c, const char *number)
{
	struct comply_run run = {0};
	int r = comply_run_over(c, number, 0, &run);
	bool is_aborted = strcmp(run.status, "aborted") == 0;
	if (r == 0 && !is_aborted && strcmp(run.status, "complete") != 0 &&
		strcmp(run.status, "stopped") != 0) {
		comply_fail(c, "run %s was aborted and has the status %s: %.200s", number,
			run.status, run.why);
		r = -1;
	}
	comply_run_finish(&run);
	return r < 0 ? -1 : is_aborted;
}

/* 1: aborted before it started; 0: it had started; -1 after comply_fail(). */
static int abort_arming(struct comply *c)
{
	struct comply_starter *starter = comply_start_apart(c);
	struct comply_started started;
	int ended = 0;
	if (starter == NULL)
		return -1;
	while ((ended = comply_end(c, "run-abort")) == 0 && !comply_start_is_answered(starter))
		if (comply_pause(c, 1))
			break;
	comply_start_join(starter, &started);
	if (ended < 0 || comply_has_verdict(c))
		return -1;
	if (ended == 0 && started.number[0] != '\0')
		ended = comply_end(c, "run-abort");
	if (ended == 0 && started.number[0] == '\0')
		comply_fail(c, "run-start was rejected: %.300s", started.text);
	if (started.number[0] != '\0' && check_aborted(c, started.number) < 0)
		return -1;
	return comply_has_verdict(c) ? -1 : ended == 2;
}

static int abort_measuring(struct comply *c)
{
	char number[COMPLY_NUMBER];
	uint64_t begin;
	if (comply_start(c, c->how.method, number) < 0)
		return -1;
	begin = clock_boot();
	int ended = comply_end(c, "run-abort");
	int r = ended < 0 ? -1 : check_aborted(c, number);
	if (r == 1)
		comply_measured(c, "abort", seconds_since(begin), "s");
	return r;
}

static int abort_stopping(struct comply *c)
{
	char number[COMPLY_NUMBER];
	if (comply_start(c, c->how.method, number) < 0 || comply_end(c, "run-stop") < 0 ||
		comply_end(c, "run-abort") < 0)
		return -1;
	return check_aborted(c, number);
}

/* A state may be over before the request arrives: then again. */
static void abort_in(struct comply *c, int (*attempt)(struct comply *c), const char *state)
{
	int r = 0, i = 0;
	for (; i < ATTEMPTS && r == 0; i++) {
		r = attempt(c);
		if (r == 0 && comply_wait_idle(c) < 0)
			r = -1;
	}
	if (r >= 0)
		check_usable(c);
	if (r == 0)
		comply_skip(c,
			"its %s is too short: no request arrived in it in %d attempts; "
			"the instrument was usable after each",
			state, ATTEMPTS);
	comply_note(c, "at attempt %d; the next run was good", i);
}

static void test_abort_arming(struct comply *c)
{
	abort_in(c, abort_arming, "start");
}

static void test_abort_measuring(struct comply *c)
{
	abort_in(c, abort_measuring, "measurement");
}

static void test_abort_stopping(struct comply *c)
{
	abort_in(c, abort_stopping, "stop");
}

/* --- without the instrument ------------------------------------------------------------------ */

/* A run that lost the instrument: its end is recorded, and it is not taken for a good one. */
static void check_lost(struct comply *c, const char *number)
{
	struct comply_run run = {0};
	comply_run_read(c, number, &run);
	if (strcmp(run.status, "complete") == 0 || strcmp(run.status, "stopped") == 0)
		comply_fail(
			c, "run %s has the status %s without the instrument", number, run.status);
	comply_note(c, "the run ended as %s: %.200s", run.status, run.why);
	comply_run_finish(&run);
}

/* A start while the instrument does not reply. */
static void start_without(struct comply *c)
{
	struct comply_started started;
	if (comply_try_start(c, c->how.method, &started) < 0)
		return;
	if (started.number[0] == '\0')
		comply_note(c, "the start was rejected: %.200s", started.text);
	else if (comply_wait_end(c, started.number, 0) == 0)
		check_lost(c, started.number);
}

/*
 * Cuts the instrument off within a run.  A run that ended before is no evidence: then another one is
 * started without the instrument.
 */
static void cut_off(struct comply *c, int (*cut)(struct comply *c))
{
	char number[COMPLY_NUMBER];
	struct comply_run run = {0};
	if (comply_start(c, c->how.method, number) < 0 || cut(c) < 0)
		return;
	uint64_t begin = clock_boot();
	if (comply_wait_end(c, number, 0) < 0 || comply_run_read(c, number, &run) < 0)
		comply_note(c, "the run was lost");
	else if (strcmp(run.status, "complete") == 0)
		start_without(c);
	else
		check_lost(c, number);
	comply_measured(c, "failure reported", seconds_since(begin), "s");
	comply_run_finish(&run);
}

static void come_back(struct comply *c)
{
	uint64_t begin = clock_boot();
	if (comply_wait_idle(c) < 0)
		return;
	comply_measured(c, "idle again", seconds_since(begin), "s");
	check_usable(c);
}

/* 0, or -1 after comply_skip(). */
static int person_does(struct comply *c, const char *request)
{
	int r = comply_person(c, request);
	if (r != 0)
		comply_skip(c, "%s", r > 0 ? "skipped by the person" : "interrupted by a signal");
	return r == 0 ? 0 : -1;
}

static int switch_off(struct comply *c)
{
	return person_does(c, "Switch the instrument off, or pull the cable at the instrument.");
}

static int unplug(struct comply *c)
{
	return person_does(c, "Unplug the instrument from this computer.");
}

static int drop_bytes(struct comply *c)
{
	return comply_fault(c, "drop=1");
}

static void with_person(struct comply *c, int (*cut)(struct comply *c), const char *restore)
{
	if (c->how.is_unattended) {
		comply_skip(c, "no person was asked (--unattended)");
		return;
	}
	cut_off(c, cut);
	if (person_does(c, restore) == 0)
		come_back(c);
}

static void test_silence(struct comply *c)
{
	if (!c->unit.simulated) {
		with_person(c, switch_off, "Switch it on again, or plug the cable in again.");
		return;
	}
	cut_off(c, drop_bytes);
	if (comply_fault(c, "off") == 0)
		come_back(c);
}

static void test_unplug(struct comply *c)
{
	with_person(c, unplug, "Plug it in again.");
}

/* --- the table ------------------------------------------------------------------------------- */

const struct comply_test comply_tests[] = {
	{"identity", "the instrument is connected, idle, and identified as configured",
		"cable, address, power or driver are wrong, or another unit is connected: the "
		"further tests cannot be judged",
		test_identity},
	{"complete",
		"the wanted number of frames comes one after the other, in runs that end as they "
		"should; each frame passes the check of the format, none is missing or altered",
		"results are lost or wrong: do not use the instrument with this driver",
		test_complete},
	{"repeatability",
		"the frames have the same variables, and with a limit their spread stays below it",
		"the instrument is not stable, not warm, the sample changes, or the driver decodes "
		"a part of the frames wrongly",
		test_repeatability},
	{"reparse",
		"the raw bytes in the records give the same variables when they are decoded again",
		"a result cannot be verified later from the journal: the driver depends on more "
		"than the bytes, or another version of it is installed",
		test_reparse},
	{"start-stop",
		"start and stop work three times, each run ends as it should, and its frames are "
		"whole",
		"the instrument or the driver does not return to the same state after a run",
		test_start_stop},
	{"abort-arming",
		"an abort before the measurement has started leaves an instrument that makes the "
		"next run",
		"after an abort in this moment a person may have to reset the instrument",
		test_abort_arming},
	{"abort-measuring",
		"an abort in the middle of a measurement ends the run as aborted, and the next run "
		"is good",
		"bytes of an aborted measurement may get into the next one, or the instrument must "
		"be reset",
		test_abort_measuring},
	{"abort-stopping",
		"an abort while a run is being stopped ends it, and the next run is good",
		"a run that does not stop may block the instrument", test_abort_stopping},
	{"settings",
		"the record of a run has the settings that the instrument has, as it returned them",
		"records name settings that were not in force: results cannot be compared",
		comply_test_read_back},
	{"put-back",
		"a setting that is changed is in force in the next run, and back in force after it "
		"was put back",
		"runs may have settings that no person requested", comply_test_put_back},
	{"borrowed",
		"settings of a method are in force in its run only; the next run has the "
		"instrument's own again",
		"a method changes the instrument for good, also for users of other software",
		comply_test_borrowed},
	{"silence",
		"if the instrument does not reply, the run fails in time, its end is recorded, and "
		"the instrument comes back by itself",
		"a run may hang, or lost data may look complete", test_silence},
	{"unplug",
		"if the instrument is unplugged, the run fails in time, and after it is plugged in "
		"again it comes back by itself, as the same unit",
		"after a loose cable a person must restart the software, or data of another unit "
		"may be taken for this one's",
		test_unplug},
	{"kept", "after all tests it is the same unit with the settings of the first run",
		"a test, an abort or a lost connection changed the instrument", comply_test_kept},
	{.id = NULL},
};
