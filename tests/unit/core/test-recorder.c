/* SPDX-License-Identifier: Apache-2.0 */
/* A recording between a port and its client, on virtual time. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "capture/file.h"
#include "capture/write.h"
#include "core/port/recorder.h"
#include "virtual-loop.h"
#include "wire/wire.h"

/* The port, the client and the audit of the recording under test. */
struct bench {
	struct loop *loop;
	struct recorder *recorder;
	struct recording *attached, *recording;
	bool has_worker;
	unsigned grants, stops; /* requests to the worker */
	uint64_t granted;       /* bytes */
	char ended[100];        /* "": not yet */
	struct buffer file;     /* the pieces in a row */
	size_t answers;
	bool is_end, is_cut; /* of the last answer; it was NULL */
};

static bool request(void *arg, bool on, uint64_t bytes)
{
	struct bench *b = arg;
	b->grants += on;
	b->stops += !on;
	b->granted += on ? bytes : 0;
	return b->has_worker;
}

static void attach(void *arg, struct recording *recording)
{
	struct bench *b = arg;
	b->attached = recording;
}

static void on_ended(void *arg, const char *why)
{
	struct bench *b = arg;
	assert_string_equal(b->ended, ""); /* once */
	snprintf(b->ended, sizeof b->ended, "%s", why != NULL ? why : "with the daemon");
}

static void on_piece(void *arg, const struct recording_piece *piece)
{
	struct bench *b = arg;
	b->answers++;
	b->is_cut = piece == NULL;
	if (piece == NULL)
		return;
	buffer_append(&b->file, piece->data, piece->len);
	b->is_end = piece->is_end;
}

static void start(struct bench *b)
{
	static const struct capture_head head = {.site = "site",
		.node = "node",
		.link = "udp",
		.unit_count = 1,
		.units[0].key = "xrf-1"};
	*b = (struct bench){.has_worker = true};
	assert_int_equal(virtual_loop_open(&b->loop, NULL), 0);
	b->recorder = recorder_create(b->loop);
	struct recording_port port = {b, request, attach};
	b->recording = recorder_start(b->recorder, &head, &port, on_ended, b);
	assert_non_null(b->recording);
	assert_ptr_equal(b->attached, b->recording);
	assert_int_equal(b->grants, 1);
	assert_int_equal(recording_id(b->recording), 1);
	assert_ptr_equal(recorder_find(b->recorder, 1), b->recording);
}

static void finish(struct bench *b)
{
	recorder_destroy(b->recorder);
	loop_close(b->loop);
	virtual_clock_release();
	buffer_finish(&b->file);
}

static void read_piece(struct bench *b, uint64_t wait_ms)
{
	assert_int_equal(recording_read(b->recording, wait_ms, on_piece, b), 0);
}

/* Sends one record of `len` bytes; its result. */
static int send_record(struct bench *b, size_t len)
{
	static uint8_t data[CAPTURE_DATA_MAX];
	struct buffer records = {0};
	struct capture_record record = {.kind = CAPTURE_IN, .mono = 1, .data = data, .len = len};
	capture_write(&records, &record);
	int r = recording_take(b->recording, records.data, records.len);
	buffer_finish(&records);
	return r;
}

/* Checks that the pieces are a whole file with these kinds of records, a letter each. */
static void expect_file(const struct bench *b, const char *kinds)
{
	struct capture_file file;
	char why[CAPTURE_WHY], path[] = "/tmp/test-recorder-XXXXXX", found[64] = "";
	int fd = mkstemp(path);
	assert_int_equal(write(fd, b->file.data, b->file.len), b->file.len);
	close(fd);
	assert_int_equal(capture_file_open(&file, path, why), 0);
	assert_string_equal(file.head.units[0].key, "xrf-1");
	for (size_t i = 0; i < file.count; i++)
		found[i] = capture_kind_name(file.records[i].kind)[0];
	assert_string_equal(found, kinds);
	capture_file_close(&file);
	remove(path);
}

static void pieces_in_a_row_are_a_file(void **state)
{
	struct bench b;
	start(&b);
	read_piece(&b, 5000); /* the head, at once */
	assert_int_equal(b.answers, 1);
	assert_int_equal(send_record(&b, 10), 0);
	read_piece(&b, 5000);
	read_piece(&b, 5000); /* waits */
	assert_int_equal(b.answers, 2);
	assert_int_equal(recording_read(b.recording, 0, on_piece, &b), -EBUSY);
	assert_int_equal(send_record(&b, 20), 0);
	assert_int_equal(b.answers, 3);
	read_piece(&b, 60000); /* not longer than RECORDING_WAIT_MS */
	virtual_loop_run_for(b.loop, (RECORDING_WAIT_MS + 200) * NS_PER_MS);
	assert_int_equal(b.answers, 4);
	recording_stop(b.recording);
	recording_stop(b.recording);
	assert_int_equal(b.stops, 1);
	assert_int_equal(send_record(&b, 30), 0); /* the worker's last */
	assert_int_equal(recording_take(b.recording, NULL, 0), 0);
	assert_string_equal(b.ended, "stopped");
	assert_null(b.attached);
	read_piece(&b, 0);
	assert_true(b.is_end);
	assert_null(recorder_find(b.recorder, 1));
	expect_file(&b, "iiie");
	finish(&b);
}

static void a_worker_sends_no_more_than_granted(void **state)
{
	struct bench b;
	start(&b);
	uint64_t sent = 0;
	while (sent + CAPTURE_RECORD_MAX <= b.granted) {
		assert_int_equal(send_record(&b, CAPTURE_DATA_MAX), 0);
		sent += CAPTURE_RECORD_MAX;
	}
	assert_true(sent > 900000 && sent < 1 << 20);
	assert_int_equal(b.grants, 1); /* nothing was read */
	assert_int_equal(send_record(&b, CAPTURE_DATA_MAX), -EBADMSG);
	for (int i = 0; i < 5; i++)
		read_piece(&b, 0);
	assert_true(b.grants > 1 && b.granted <= sent + (1 << 20));
	assert_int_equal(send_record(&b, CAPTURE_DATA_MAX), 0);
	assert_int_equal(recording_take(b.recording, (const uint8_t *)"nonsense", 8), -EBADMSG);
	assert_int_equal(recording_take(b.recording, NULL, 0), -EBADMSG); /* not stopped */
	finish(&b);
	assert_string_equal(b.ended, "with the daemon");
}

static void a_recording_survives_its_worker(void **state)
{
	struct bench b;
	struct buffer message = {0};
	struct wire_message m;
	struct wire_capture capture;
	start(&b);
	assert_int_equal(send_record(&b, 10), 0);
	recording_worker_ended(b.recording, "the worker crashed");
	b.has_worker = false;
	assert_int_equal(send_record(&b, 10), -EBADMSG);
	recording_worker_starts(b.recording, &message);
	assert_true(wire_next(message.data, message.len, &m) > 0);
	assert_int_equal(wire_read_capture(&m, &capture), 0);
	assert_true(capture.on && capture.bytes > 1000000);
	buffer_finish(&message);
	assert_int_equal(send_record(&b, 10), 0);
	recording_worker_ended(b.recording, "the port was lost");
	recording_stop(b.recording); /* no worker: at once */
	assert_string_equal(b.ended, "stopped");
	read_piece(&b, 0);
	assert_true(b.is_end);
	expect_file(&b, "ilile");
	finish(&b);
}

static void a_worker_that_ends_or_hangs_does_not_hold_up_a_stop(void **state)
{
	for (int hangs = 0; hangs < 2; hangs++) {
		struct bench b;
		start(&b);
		recording_stop(b.recording);
		assert_string_equal(b.ended, "");
		read_piece(&b, 0);
		read_piece(&b, 5000);
		if (hangs)
			virtual_loop_run_for(b.loop, 6 * NS_PER_S);
		else
			recording_worker_ended(b.recording, "the worker crashed");
		assert_string_equal(
			b.ended, hangs ? "stopped; the worker did not send the rest" : "stopped");
		if (hangs && !b.is_end)
			read_piece(&b, 0);
		assert_true(b.is_end);
		expect_file(&b, hangs ? "e" : "le");
		finish(&b);
	}
}

static void a_port_that_goes_ends_the_recording(void **state)
{
	struct bench b;
	start(&b);
	recording_port_gone(b.recording);
	assert_int_equal(b.stops, 0);
	assert_non_null(strstr(b.ended, "configuration"));
	recording_stop(b.recording); /* it is over already */
	read_piece(&b, 0);
	assert_true(b.is_end);
	expect_file(&b, "e");
	finish(&b);
}

static void a_recording_without_reads_lapses(void **state)
{
	struct bench b;
	start(&b);
	virtual_loop_run_for(b.loop, 19 * NS_PER_S);
	read_piece(&b, 0);
	virtual_loop_run_for(b.loop, 19 * NS_PER_S);
	assert_string_equal(b.ended, "");
	virtual_loop_run_for(b.loop, 2 * NS_PER_S);
	assert_string_equal(b.ended, "lapsed: not read for 20 s");
	assert_null(recorder_find(b.recorder, 1));
	assert_null(b.attached);
	assert_int_equal(b.stops, 1);
	finish(&b);
}

static void recordings_are_limited_and_end_with_the_daemon(void **state)
{
	struct bench b;
	struct capture_head head = {.unit_count = 1};
	start(&b);
	read_piece(&b, 0);
	read_piece(&b, 5000);
	struct bench others[RECORDINGS_MAX] = {0};
	for (size_t i = 1; i <= RECORDINGS_MAX; i++) {
		struct recording_port port = {&others[i - 1], request, attach};
		struct recording *other = recorder_start(
			b.recorder, &head, &port, on_ended, &others[i - 1]);
		assert_int_equal(other != NULL, i < RECORDINGS_MAX);
	}
	finish(&b);
	assert_int_equal(b.answers, 2);
	assert_true(b.is_cut);
	assert_string_equal(b.ended, "with the daemon");
	assert_string_equal(others[0].ended, "with the daemon");
	recorder_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_in_a_row_are_a_file),
		cmocka_unit_test(a_worker_sends_no_more_than_granted),
		cmocka_unit_test(a_recording_survives_its_worker),
		cmocka_unit_test(a_worker_that_ends_or_hangs_does_not_hold_up_a_stop),
		cmocka_unit_test(a_port_that_goes_ends_the_recording),
		cmocka_unit_test(a_recording_without_reads_lapses),
		cmocka_unit_test(recordings_are_limited_and_end_with_the_daemon),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
