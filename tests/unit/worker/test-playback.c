/* SPDX-License-Identifier: Apache-2.0 */
/* The recorder of a link, and a recording in place of one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <assay/driver.h>

#include "base/clock.h"
#include "capture/read.h"
#include "capture/write.h"
#include "worker/link/link.h"
#include "worker/link-recorder.h"

static struct buffer recording;
static struct link played;
static struct port port;
static char path[64];
static uint64_t now;

/* --- writing a recording ---------------------------------------------------------------------- */

static void start_recording(unsigned kind, const char *name)
{
	struct capture_head head = {.unit_count = 1};
	strcpy(head.link, name);
	strcpy(head.units[0].key, "x");
	strcpy(head.units[0].driver, "y");
	buffer_reset(&recording);
	capture_write_head(&recording, &head);
	port_init(&port, NULL, port_kind_of(PORT_PLAYBACK));
	port.kind = kind;
	port.playback = path;
	now = 0;
}

static void note_n(enum capture_kind kind, const char *data, size_t len, uint64_t after_ms)
{
	now += after_ms * NS_PER_MS;
	struct capture_record record = {
		.kind = kind, .mono = now, .data = (const uint8_t *)data, .len = len};
	capture_write(&recording, &record);
}

static void note(enum capture_kind kind, const char *data)
{
	note_n(kind, data, strlen(data), 1);
}

static void play(void)
{
	strcpy(path, "/tmp/test-playback-XXXXXX");
	int fd = mkstemp(path);
	capture_write_text(&recording, CAPTURE_END, now, "stopped");
	assert_true(write(fd, recording.data, recording.len) == (ssize_t)recording.len);
	close(fd);
	assert_int_equal(link_open(&played, &port), 0);
}

static int finish(void **state)
{
	link_close(&played);
	played.why[0] = '\0';
	unlink(path);
	return 0;
}

static int finish_all(void **state)
{
	buffer_finish(&recording);
	return 0;
}

/* --- the driver's side ------------------------------------------------------------------------ */

static ssize_t send_n(const char *data, size_t len)
{
	return played.ops->send(&played, (const uint8_t *)data, len);
}

static void sends(const char *data)
{
	assert_int_equal(send_n(data, strlen(data)), strlen(data));
}

static void receives_n(const char *data, size_t len)
{
	uint8_t got[256];
	struct pollfd p = {.fd = played.fd, .events = POLLIN};
	assert_int_equal(poll(&p, 1, 2000), 1);
	ssize_t n = played.ops->receive(&played, got, sizeof got);
	assert_int_equal(n, len);
	assert_memory_equal(got, data, len);
}

static void receives(const char *data)
{
	receives_n(data, strlen(data));
}

static void receives_nothing(void)
{
	uint8_t got[16];
	assert_int_equal(played.ops->receive(&played, got, sizeof got), -EAGAIN);
}

/* --- playback --------------------------------------------------------------------------------- */

static void answers_come_after_their_requests(void **state)
{
	start_recording(ASSAY_LINK_TCP, "tcp");
	note(CAPTURE_OPENED, "");
	note(CAPTURE_IN, "hello");
	note(CAPTURE_OUT, "ID?");
	note(CAPTURE_IN, "I am");
	note(CAPTURE_IN, " it");
	note(CAPTURE_OUT, "GO");
	note(CAPTURE_OUT, "READ");
	note(CAPTURE_IN, "1.5");
	play();
	receives("hello");
	receives_nothing();
	sends("ID?");
	receives("I am");
	receives(" it");
	receives_nothing();
	sends("GO");
	receives_nothing();
	sends("READ");
	receives("1.5");
}

static void a_stream_may_be_cut_otherwise(void **state)
{
	start_recording(ASSAY_LINK_SERIAL, "serial");
	note(CAPTURE_OUT, "MI");
	note(CAPTURE_OUT, "10\r");
	note(CAPTURE_IN, "ok");
	note(CAPTURE_OUT, "MF50\rSC1\r");
	note(CAPTURE_IN, "scan");
	play();
	sends("MI10\r");
	receives("ok");
	sends("MF50\r");
	receives_nothing();
	sends("SC1\r");
	receives("scan");
}

static void messages_may_not(void **state)
{
	start_recording(ASSAY_LINK_UDP, "udp");
	note(CAPTURE_OUT, "abcd");
	note(CAPTURE_IN, "answer");
	play();
	assert_int_equal(send_n("ab", 2), -ENODEV);
	assert_int_equal(send_n("abcde", 5), -ENODEV);
	sends("abcd");
	receives("answer");
}

static void requests_that_are_left_out_are_passed_over(void **state)
{
	start_recording(ASSAY_LINK_USB, "usb");
	note(CAPTURE_OUT, "one");
	note(CAPTURE_IN, "1");
	note(CAPTURE_OUT, "two");
	note(CAPTURE_IN, "2");
	note(CAPTURE_OUT, "one");
	note(CAPTURE_IN, "uno");
	play();
	sends("two");
	receives("2");
	sends("one");
	receives("uno");
}

static void another_request_is_told_with_the_place(void **state)
{
	start_recording(ASSAY_LINK_USB, "usb");
	note(CAPTURE_OPENED, "");
	note(CAPTURE_OUT, "abc");
	note(CAPTURE_IN, "1");
	play();
	assert_int_equal(send_n("abX", 3), -ENODEV);
	assert_false(played.is_over);
	assert_non_null(strstr(played.why, "61 62 58"));
	assert_non_null(strstr(played.why, "61 62 63"));
	assert_non_null(strstr(played.why, "record 2"));
	assert_non_null(strstr(played.why, "from byte 2"));
}

static void at_its_end_it_is_over_or_begins_again(void **state)
{
	for (int loop = 0; loop < 2; loop++) {
		start_recording(ASSAY_LINK_USB, "usb");
		port.loop = loop == 1;
		note(CAPTURE_OUT, "ask");
		note(CAPTURE_IN, "1");
		note(CAPTURE_OUT, "ask");
		note(CAPTURE_IN, "2");
		play();
		sends("ask");
		receives("1");
		sends("ask");
		receives("2");
		if (loop == 1) {
			sends("ask");
			receives("1");
			sends("ask");
			receives("2");
			assert_int_equal(send_n("other", 5), -ENODEV);
			assert_non_null(strstr(played.why, "not in the recording"));
			assert_false(played.is_over);
		} else {
			assert_int_equal(send_n("ask", 3), -ENODEV);
			assert_true(played.is_over);
			assert_non_null(strstr(played.why, "is over"));
		}
		finish(NULL);
	}
}

#define HEAD(id, size) "\0" id "\0\0\0" size
#define BYTES(text)    text, sizeof text - 1

static void transactions_get_the_number_that_was_asked(void **state)
{
	start_recording(ASSAY_LINK_MODBUS_TCP, "modbus-tcp");
	note_n(CAPTURE_OUT, BYTES(HEAD("\x07", "\x06") "\1\4\0\0\0\1"), 1);
	/* A late answer to another one, then the right one, in two pieces. */
	note_n(CAPTURE_IN, BYTES(HEAD("\x06", "\x03") "\1\x84\2" HEAD("\x07", "\x05") "\1\4"), 1);
	note_n(CAPTURE_IN, BYTES("\2\0\x07"), 1);
	play();
	assert_int_equal(send_n(BYTES(HEAD("\x63", "\x06") "\1\4\0\0\0\1")), 12);
	receives_n(BYTES(HEAD("\x06", "\x03") "\1\x84\2" HEAD("\x63", "\x05") "\1\4"));
	receives_n(BYTES("\2\0\x07"));
}

static void units_of_a_line_are_followed_each_by_itself(void **state)
{
	start_recording(ASSAY_LINK_MODBUS_RTU, "modbus-rtu");
	note(CAPTURE_OUT, "A-poll");
	note(CAPTURE_IN, "A1");
	note(CAPTURE_OUT, "B-poll");
	note(CAPTURE_IN, "B1");
	note(CAPTURE_OUT, "A-poll");
	note(CAPTURE_IN, "A2");
	play();
	sends("B-poll");
	receives("B1");
	sends("A-poll");
	receives("A1");
	sends("A-poll");
	receives("A2");
}

static void the_recorded_pace_is_kept(void **state)
{
	start_recording(ASSAY_LINK_TCP, "tcp");
	port.recorded_pace = true;
	note_n(CAPTURE_OUT, "ask", 3, 5000);
	note_n(CAPTURE_IN, "a", 1, 60);
	note_n(CAPTURE_IN, "b", 1, 60);
	play();
	uint64_t begun = clock_boot();
	sends("ask");
	receives_nothing();
	receives("a");
	assert_true(clock_boot() >= begun + 60 * NS_PER_MS);
	receives("b");
	assert_true(clock_boot() >= begun + 120 * NS_PER_MS);
}

static void what_cannot_be_played_does_not_open(void **state)
{
	start_recording(ASSAY_LINK_TCP, "tcp");
	strcpy(path, "/nonexistent/x.cap");
	assert_int_equal(link_open(&played, &port), -ENOENT);
	assert_non_null(strstr(played.why, "/nonexistent/x.cap"));
}

/* --- the recorder ------------------------------------------------------------------------------ */

static struct link_recorder recorder;
static struct monitor monitor;
static struct core_link core;
static int pair[2];
static struct buffer got;

static int open_recorder(void **state)
{
	recorder = (struct link_recorder){0};
	assert_int_equal(monitor_init(&monitor), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	core_link_init(&core, &monitor, pair[0]);
	return 0;
}

static int close_recorder(void **state)
{
	link_recorder_finish(&recorder);
	core_link_finish(&core);
	monitor_finish(&monitor);
	close(pair[0]);
	close(pair[1]);
	buffer_finish(&got);
	return 0;
}

static void send_capture(bool on, uint64_t bytes)
{
	struct buffer message = {0};
	struct wire_message m;
	wire_write_capture(&message, &(struct wire_capture){.on = on, .bytes = bytes});
	assert_int_equal(wire_next(message.data, message.len, &m), 1);
	assert_int_equal(link_recorder_take_message(&recorder, &monitor, &m), 0);
	buffer_finish(&message);
}

static void pass(enum capture_kind kind, const char *data)
{
	monitor_lock(&monitor);
	link_recorder_note(&recorder, kind, 0, data, strlen(data));
	monitor_unlock(&monitor);
}

/* Takes the records that the core has received, in a row; true if the last message came. */
static bool receive_all(struct buffer *records)
{
	bool ended = false;
	for (;;) {
		uint8_t *to = buffer_reserve(&got, 65536);
		ssize_t n = recv(pair[1], to, 65536, MSG_DONTWAIT);
		got.len += n > 0 ? (size_t)n : 0;
		struct wire_message m;
		while (wire_next(got.data, got.len, &m) == 1) {
			assert_int_equal(m.type, WIRE_CAPTURED);
			ended = m.len == 0;
			if (m.len > 0)
				buffer_append(records, m.payload, m.len);
			buffer_consume(&got, m.size);
		}
		link_recorder_send(&recorder, &core);
		if (n <= 0 && !core_link_is_waiting(&core)) {
			struct pollfd p = {.fd = pair[1], .events = POLLIN};
			if (poll(&p, 1, 0) == 0)
				return ended;
		}
		core_link_flush(&core);
	}
}

static void the_beginning_is_kept_and_what_passed_is_counted(void **state)
{
	struct buffer records = {0};
	struct capture_record r;
	pass(CAPTURE_OPENED, "");
	pass(CAPTURE_OUT, "ID?");
	pass(CAPTURE_IN, "it");
	monitor_lock(&monitor);
	link_recorder_pass(&recorder);
	monitor_unlock(&monitor);
	pass(CAPTURE_OUT, "not");
	pass(CAPTURE_IN, "kept");
	send_capture(true, 1 << 20);
	pass(CAPTURE_OUT, "now");
	send_capture(false, 1 << 20);
	assert_true(receive_all(&records));
	static const enum capture_kind kinds[] = {
		CAPTURE_OPENED, CAPTURE_OUT, CAPTURE_IN, CAPTURE_MISSING, CAPTURE_OUT};
	size_t at = 0;
	for (size_t i = 0; i < 5; i++) {
		long n = capture_read(records.data + at, records.len - at, &r);
		assert_true(n > 0);
		assert_int_equal(r.kind, kinds[i]);
		at += (size_t)n;
		uint64_t lost, bytes;
		if (r.kind == CAPTURE_MISSING) {
			capture_read_missing(&r, &lost, &bytes);
			assert_true(lost == 2 && bytes == 7);
		}
	}
	assert_int_equal(at, records.len);
	assert_memory_equal(r.data, "now", 3);
	buffer_finish(&records);
}

/* Every byte is in the recording or counted as missing, and no more waits than there is room. */
static void a_core_that_does_not_read_costs_nothing_but_records(void **state)
{
	char piece[1001];
	struct buffer records = {0};
	memset(piece, 'x', 1000);
	piece[1000] = '\0';
	send_capture(true, 4096);
	for (int i = 0; i < 3000; i++) {
		pass(CAPTURE_IN, piece);
		link_recorder_send(&recorder, &core);
	}
	assert_true(recorder.waiting.len - recorder.sent <= 1 << 20);
	assert_true(recorder.waiting.size < 4 << 20);
	send_capture(false, 8 << 20);
	assert_true(receive_all(&records));
	uint64_t kept = 0, missing = 0;
	for (size_t at = 0; at < records.len;) {
		struct capture_record r;
		uint64_t lost, bytes;
		long n = capture_read(records.data + at, records.len - at, &r);
		assert_true(n > 0);
		at += (size_t)n;
		kept += r.kind == CAPTURE_IN ? r.len : 0;
		if (r.kind == CAPTURE_MISSING) {
			capture_read_missing(&r, &lost, &bytes);
			missing += bytes;
		}
	}
	assert_true(missing > 0 && kept + missing == 3000000);
	buffer_finish(&records);
}

/* Bytes after the stop are not recorded, or the recording would never end. */
static void after_the_stop_nothing_more_is_recorded(void **state)
{
	struct buffer records = {0};
	struct capture_record r;
	send_capture(true, 0);
	pass(CAPTURE_OUT, "before");
	send_capture(false, 0);
	pass(CAPTURE_OUT, "after");
	assert_false(receive_all(&records));
	send_capture(false, 1000);
	assert_true(receive_all(&records));
	assert_true(capture_read(records.data, records.len, &r) == (long)records.len);
	assert_memory_equal(r.data, "before", 6);
	buffer_finish(&records);
}

static void without_credit_nothing_is_sent(void **state)
{
	struct buffer records = {0};
	send_capture(true, 0);
	pass(CAPTURE_OUT, "wait");
	assert_false(receive_all(&records));
	assert_int_equal(records.len, 0);
	send_capture(true, 100);
	assert_false(receive_all(&records));
	assert_true(capture_are_records(records.data, records.len) && records.len > 0);
	buffer_finish(&records);
}

#define PLAYED(test)   cmocka_unit_test_teardown(test, finish)
#define RECORDED(test) cmocka_unit_test_setup_teardown(test, open_recorder, close_recorder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLAYED(answers_come_after_their_requests),
		PLAYED(a_stream_may_be_cut_otherwise),
		PLAYED(messages_may_not),
		PLAYED(requests_that_are_left_out_are_passed_over),
		PLAYED(another_request_is_told_with_the_place),
		PLAYED(at_its_end_it_is_over_or_begins_again),
		PLAYED(transactions_get_the_number_that_was_asked),
		PLAYED(units_of_a_line_are_followed_each_by_itself),
		PLAYED(the_recorded_pace_is_kept),
		PLAYED(what_cannot_be_played_does_not_open),
		RECORDED(the_beginning_is_kept_and_what_passed_is_counted),
		RECORDED(a_core_that_does_not_read_costs_nothing_but_records),
		RECORDED(after_the_stop_nothing_more_is_recorded),
		RECORDED(without_credit_nothing_is_sent),
	};
	return cmocka_run_group_tests(tests, NULL, finish_all);
}
