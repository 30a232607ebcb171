/* SPDX-License-Identifier: Apache-2.0 */
/* The duties of every link, over each kind of transport. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../apart.h"
#include "base/clock.h"
#include "capture/read.h"
#include "pump.h"
#include "record/text.h"
#include "transport.h"

#define LONG_MS 5000

static const struct transport *over;
static struct port port;
static struct pump pump;
static bool is_running;

static int before(void **state)
{
	port = (struct port){.open_ms = 2000};
	over->make(&port);
	int r = pump_start(&pump, &port);
	if (r < 0)
		print_message("%s\n", pump.link.why);
	is_running = r == 0;
	return r;
}

static int after(void **state)
{
	if (is_running)
		pump_stop(&pump);
	over->drop();
	return 0;
}

static uint64_t ms_since(uint64_t start)
{
	return (clock_boot() - start) / NS_PER_MS;
}

static void expect_read(const char *text)
{
	char got[64];
	size_t have = 0, len = strlen(text);
	while (have < len) {
		ssize_t n = channel_read(&pump.channel, got + have, sizeof got - have, LONG_MS);
		if (n < 0)
			fail_msg("read: %s (%s)", strerror((int)-n), pump.link.why);
		have += (size_t)n;
		assert_true(have <= len);
	}
	assert_memory_equal(got, text, len);
}

static void expect_heard(const char *text)
{
	char got[64];
	size_t have = 0, len = strlen(text);
	while (have < len)
		have += over->hear(got + have, sizeof got - have);
	assert_int_equal(have, len);
	assert_memory_equal(got, text, len);
}

/* Waits for some turns of the I/O thread, so that it has seen all input. */
static void settle(void)
{
	unsigned turns = atomic_load(&pump.turns);
	uint64_t limit = clock_boot() + 2 * NS_PER_S;
	while (atomic_load(&pump.turns) < turns + 4 && clock_boot() < limit)
		poll(NULL, 0, 5);
}

static void bytes_go_both_ways(void **state)
{
	assert_int_equal(channel_write(&pump.channel, "ping", 4, 1000), 0);
	expect_heard("ping");
	uint64_t utc = clock_utc(), boot = clock_boot();
	over->say("pong", 4);
	expect_read("pong");
	struct receipt received = channel_received(&pump.channel);
	assert_true(received.utc >= utc && received.utc <= clock_utc());
	assert_true(received.mono >= boot && received.mono <= clock_boot());
	for (int i = 0; i < 50; i++) {
		assert_int_equal(channel_write(&pump.channel, "again", 5, 1000), 0);
		expect_heard("again");
		over->say("and again", 9);
		expect_read("and again");
	}
}

static void every_byte_value_passes_unchanged(void **state)
{
	uint8_t all[256], got[256];
	for (int i = 0; i < 256; i++)
		all[i] = (uint8_t)i;
	assert_int_equal(channel_write(&pump.channel, all, sizeof all, 1000), 0);
	for (size_t have = 0; have < sizeof got;)
		have += over->hear(got + have, sizeof got - have);
	assert_memory_equal(got, all, sizeof all);
	over->say(all, sizeof all);
	for (size_t have = 0; have < sizeof got;) {
		ssize_t n = channel_read(&pump.channel, got + have, sizeof got - have, LONG_MS);
		assert_true(n > 0);
		have += (size_t)n;
	}
	assert_memory_equal(got, all, sizeof all);
}

static void silence_ends_at_the_deadline(void **state)
{
	char byte;
	uint64_t start = clock_boot();
	assert_int_equal(channel_read(&pump.channel, &byte, 1, 120), -ETIMEDOUT);
	assert_true(ms_since(start) >= 120 && ms_since(start) < 1000);
	start = clock_boot();
	assert_int_equal(channel_read(&pump.channel, &byte, 1, 0), -ETIMEDOUT);
	assert_int_equal(channel_read(&pump.channel, &byte, 1, -5), -ETIMEDOUT);
	assert_true(ms_since(start) < 500);
}

static void an_abort_ends_a_wait_within_a_second_and_stays(void **state)
{
	char byte;
	pump_cancel_in(&pump, 100);
	uint64_t start = clock_boot();
	assert_int_equal(channel_read(&pump.channel, &byte, 1, 30000), -ECANCELED);
	assert_true(ms_since(start) < 1000);
	assert_int_equal(channel_read(&pump.channel, &byte, 1, 30000), -ECANCELED);
	assert_int_equal(channel_write(&pump.channel, "x", 1, 1000), -ECANCELED);
	assert_int_equal(channel_pause(&pump.channel, 30000), -ECANCELED);
	assert_int_equal(channel_drain(&pump.channel, 10, 1000, &(size_t){0}), -ECANCELED);
	pump_resume(&pump);
	assert_int_equal(channel_write(&pump.channel, "ping", 4, 1000), 0);
	expect_heard("ping");
	over->say("pong", 4);
	expect_read("pong");
}

static void a_pause_lasts_as_long_as_it_should(void **state)
{
	uint64_t start = clock_boot();
	assert_int_equal(channel_pause(&pump.channel, 80), 0);
	assert_true(ms_since(start) >= 80 && ms_since(start) < 1000);
}

/* Which ends that pause, and no later one: the frame on its way may need them. */
static void a_request_to_stop_ends_the_pause_that_it_finds(void **state)
{
	pump_ask_to_stop_in(&pump, 100);
	uint64_t start = clock_boot();
	assert_int_equal(channel_pause(&pump.channel, 30000), 0);
	assert_true(ms_since(start) < 1000);
	assert_true(channel_is_stopping(&pump.channel));
	start = clock_boot();
	assert_int_equal(channel_pause(&pump.channel, 80), 0);
	assert_true(ms_since(start) >= 80 && ms_since(start) < 1000);
	pump_cancel_in(&pump, 50);
	assert_int_equal(channel_pause(&pump.channel, 30000), -ECANCELED);
	pump_resume(&pump);
}

/* The records of the recorder, one after the other; NULL data when there are no more. */
static struct capture_record next_noted(size_t *at)
{
	struct capture_record record = {0};
	const struct buffer *head = &pump.channel.recorder.head;
	monitor_lock(&pump.monitor);
	long n = *at < head->len ? capture_read(head->data + *at, head->len - *at, &record) : 0;
	monitor_unlock(&pump.monitor);
	assert_true(n >= 0);
	*at += (size_t)n;
	return record;
}

static void what_passes_is_noted_for_a_recording(void **state)
{
	size_t at = 0;
	assert_int_equal(channel_write(&pump.channel, "ping", 4, 1000), 0);
	expect_heard("ping");
	over->say("pong", 4);
	expect_read("pong");
	struct capture_record out = next_noted(&at), in = next_noted(&at);
	assert_int_equal(out.kind, CAPTURE_OUT);
	assert_int_equal(out.channel, port.out);
	assert_int_equal(out.len, 4);
	assert_memory_equal(out.data, "ping", 4);
	assert_int_equal(in.kind, CAPTURE_IN);
	assert_int_equal(in.channel, port.in);
	assert_memory_equal(in.data, "pong", in.len);
	assert_true(in.mono >= out.mono && in.mono <= clock_boot());
}

static void what_came_before_the_loss_is_read_first(void **state)
{
	char byte;
	over->say("last", 4);
	settle();
	over->leave();
	expect_read("last");
	assert_int_equal(channel_read(&pump.channel, &byte, 1, LONG_MS), -ENODEV);
	assert_int_equal(channel_write(&pump.channel, "x", 1, LONG_MS), -ENODEV);
	assert_int_equal(channel_pause(&pump.channel, LONG_MS), -ENODEV);
	assert_true(strlen(pump.link.why) > 0);
	struct capture_record record, last = {0};
	for (size_t at = 0; (record = next_noted(&at)).data != NULL;)
		last = record;
	assert_int_equal(last.kind, CAPTURE_LOST);
	assert_memory_equal(last.data, pump.link.why, last.len);
}

/* Bytes that are dropped in silence would make a frame of its neighbours. */
static void input_without_memory_loses_the_port(void **state)
{
	char byte;
	monitor_lock(&pump.monitor);
	pump.channel.in[0].pieces.limit = 1;
	monitor_unlock(&pump.monitor);
	over->say("last", 4);
	assert_int_equal(channel_read(&pump.channel, &byte, 1, LONG_MS), -ENODEV);
	assert_int_equal(channel_read(&pump.channel, &byte, 1, LONG_MS), -ENODEV);
	assert_string_equal(
		pump.link.why, "the received bytes cannot be stored: Cannot allocate memory");
}

static void a_loss_is_noticed_without_asking(void **state)
{
	if (over->connects_again)
		channel_set_stream(&pump.channel, true);
	over->leave();
	uint64_t start = clock_boot();
	assert_int_equal(channel_pause(&pump.channel, LONG_MS), -ENODEV);
	assert_true(ms_since(start) < 2000);
}

static void what_does_not_fit_comes_with_the_next_read(void **state)
{
	char got[8];
	over->say("abcdef", 6);
	settle();
	assert_int_equal(channel_read(&pump.channel, got, 4, LONG_MS), 4);
	assert_memory_equal(got, "abcd", 4);
	assert_int_equal(channel_read(&pump.channel, got, sizeof got, LONG_MS), 2);
	assert_memory_equal(got, "ef", 2);
}

static void messages_are_never_joined(void **state)
{
	char got[64];
	for (size_t i = 1; i <= 9; i++)
		over->say("abcdefghi", i);
	settle();
	for (ssize_t i = 1; i <= 9; i++)
		assert_int_equal(channel_read(&pump.channel, got, sizeof got, LONG_MS), i);
}

static uint8_t *make_large(void)
{
	uint8_t *data = malloc(over->large);
	assert_non_null(data);
	for (size_t i = 0; i < over->large; i++)
		data[i] = (uint8_t)(i * 7 + i / 251);
	return data;
}

static void large_messages_arrive_whole(void **state)
{
	uint8_t *data = make_large(), *got = malloc(over->large);
	assert_non_null(got);
	over->say(data, over->large);
	for (size_t have = 0; have < over->large;) {
		ssize_t n = channel_read(&pump.channel, got + have, over->large - have, LONG_MS);
		if (n < 0)
			fail_msg("after %zu bytes: %s", have, strerror((int)-n));
		if (over->keeps_messages && !over->has_packets)
			assert_int_equal(n, over->large);
		have += (size_t)n;
	}
	assert_memory_equal(got, data, over->large);
	free(data);
	free(got);
}

static void large_writes_are_sent_whole(void **state)
{
	size_t len = over->can_block ? 3000 : over->large; /* the room of a pty that is not read */
	uint8_t *data = make_large(), *got = malloc(over->large);
	assert_non_null(got);
	len = len < over->large ? len : over->large;
	assert_int_equal(channel_write(&pump.channel, data, len, LONG_MS), 0);
	for (size_t have = 0; have < len;)
		have += over->hear(got + have, over->large - have);
	assert_memory_equal(got, data, len);
	free(data);
	free(got);
}

static void draining_waits_until_the_link_is_quiet(void **state)
{
	over->say("noise", 5);
	over->say("more", 4);
	settle();
	uint64_t start = clock_boot();
	size_t dropped = 0;
	assert_int_equal(channel_drain(&pump.channel, 60, 2000, &dropped), 0);
	assert_true(ms_since(start) >= 60 && ms_since(start) < 2000);
	assert_int_equal(dropped, 9);
	over->say("clean", 5);
	expect_read("clean");
}

/* The limit is shorter than the silence: nothing shows that the sender has paused. */
static void draining_that_hears_no_silence_gives_up(void **state)
{
	over->say("noise", 5);
	settle();
	size_t dropped = 0;
	uint64_t start = clock_boot();
	assert_int_equal(channel_drain(&pump.channel, 5000, 60, &dropped), -EBADMSG);
	assert_true(ms_since(start) < 2000);
	assert_int_equal(dropped, 5);
	over->say("later", 5);
	settle();
	assert_int_equal(channel_drain(&pump.channel, 0, 0, &dropped), 0);
	assert_int_equal(dropped, 5);
	over->say("clean", 5);
	expect_read("clean");
}

static void a_write_that_nobody_takes_ends_at_the_deadline(void **state)
{
	size_t len = 32u << 20;
	uint8_t *data = calloc(1, len);
	assert_non_null(data);
	uint64_t start = clock_boot();
	assert_int_equal(channel_write(&pump.channel, data, len, 150), -ETIMEDOUT);
	assert_true(ms_since(start) >= 150 && ms_since(start) < 2000);
	free(data);
	start = clock_boot();
	pump_stop(&pump); /* closing does not wait for it either */
	is_running = false;
	assert_true(ms_since(start) < 2000);
}

static void a_refused_message_is_gone_when_its_time_is_over(void **state)
{
	over->refuse(true);
	assert_int_equal(channel_write(&pump.channel, "lost", 4, 100), -ETIMEDOUT);
	pump_cancel_in(&pump, 50);
	assert_int_equal(channel_write(&pump.channel, "lost", 4, 5000), -ECANCELED);
	pump_resume(&pump);
	settle();
	over->refuse(false);
	assert_int_equal(channel_write(&pump.channel, "ping", 4, 1000), 0);
	expect_heard("ping");
}

/* A pseudo-terminal and a socket have none. */
static void a_line_that_is_not_there_is_refused_in_words(void **state)
{
	char why[300];
	for (int act = ASSAY_LINE_DTR; act <= ASSAY_LINE_READ; act++) {
		assert_int_equal(channel_line(&pump.channel, act, 9600), -ENOTSUP);
		channel_why(&pump.channel, why, sizeof why);
		assert_non_null(strstr(why, "line"));
	}
	struct link_errors errors = channel_errors(&pump.channel);
	assert_int_equal(errors.parity + errors.framing + errors.overrun + errors.breaks, 0);
}

/* --- faults ----------------------------------------------------------------------------------- */

static void set_faults(const char *text)
{
	struct faults faults;
	char why[FAULTS_WHY];
	assert_int_equal(faults_read(&faults, text, why), 0);
	channel_set_faults(&pump.channel, &faults);
}

/* All works without them, and nothing that was lost comes later. */
static void end_faults(void)
{
	char rest[64];
	set_faults("off");
	while (channel_read(&pump.channel, rest, sizeof rest, 50) > 0)
		;
	assert_int_equal(channel_write(&pump.channel, "next", 4, 1000), 0);
	expect_heard("next");
	over->say("right", 5);
	expect_read("right");
}

/* Bytes said now do not come by a read or a discard within the delay: when they were said.  A delay
 * that a busy machine let pass meanwhile shows nothing; a longer one is tried. */
static uint64_t say_late(unsigned *delay_ms)
{
	char got[8], text[32];
	for (*delay_ms = 150; *delay_ms < 20000; *delay_ms *= 4) {
		snprintf(text, sizeof text, "delay=%ums", *delay_ms);
		set_faults(text);
		uint64_t start = clock_boot();
		over->say("pong", 4);
		ssize_t n = channel_read(&pump.channel, got, sizeof got, 50);
		settle();
		size_t dropped = channel_discard(&pump.channel);
		if (ms_since(start) < *delay_ms) {
			assert_int_equal(n, -ETIMEDOUT);
			assert_int_equal(dropped, 0);
			return start;
		}
		channel_read(&pump.channel, got, sizeof got, n > 0 || dropped > 0 ? 0 : 1000);
	}
	fail_msg("no delay passed slower than this machine");
	return 0;
}

/* The next line of the dialogue, "" after the last one. */
static const char *next_line(void)
{
	static char text[WIRE_TEXT_MAX + 1];
	struct buffer *messages = &pump.channel.dialogue.messages;
	struct wire_message m;
	struct wire_log line;
	monitor_lock(&pump.monitor);
	text[0] = '\0';
	if (wire_next(messages->data, messages->len, &m) == 1) {
		assert_int_equal(wire_read_log(&m, &line), 0);
		assert_true(text_copy(text, sizeof text, line.text));
		buffer_consume(messages, m.size);
	}
	monitor_unlock(&pump.monitor);
	return text;
}

static void the_dialogue_is_written_to_the_log_if_wanted(void **state)
{
	char long_one[150];
	memset(long_one, 'x', sizeof long_one);
	set_faults("log=3");
	assert_int_equal(channel_write(&pump.channel, "a\\\r\x1b\xff", 5, 1000), 0);
	expect_heard("a\\\r\x1b\xff");
	over->say("pong", 4);
	expect_read("pong");
	assert_int_equal(channel_write(&pump.channel, long_one, sizeof long_one, 1000), 0);
	assert_string_equal(next_line(), "-> a\\x5c\\x0d\\x1b\\xff");
	assert_string_equal(next_line(), "<- pong");
	assert_non_null(strstr(next_line(), "xxx ... (150 bytes)"));
	pump.channel.dialogue.second = clock_boot() + 3600 * NS_PER_S; /* is not over */
	for (int i = 0; i < 5; i++)
		assert_int_equal(channel_write(&pump.channel, "y", 1, 1000), 0);
	assert_string_equal(next_line(), "");
	pump.channel.dialogue.second = 0; /* is over */
	assert_int_equal(channel_write(&pump.channel, "z", 1, 1000), 0);
	assert_string_equal(next_line(), "-> z (5 lines before it were left out)");
	set_faults("off");
	assert_int_equal(channel_write(&pump.channel, "z", 1, 1000), 0);
	assert_string_equal(next_line(), "");
}

static void a_delay_is_kept_both_ways(void **state)
{
	unsigned delay_ms;
	uint64_t start = say_late(&delay_ms);
	expect_read("pong");
	assert_true(ms_since(start) >= delay_ms);
	assert_true(channel_received(&pump.channel).mono >= start + delay_ms * NS_PER_MS);
	set_faults("delay=150ms");
	start = clock_boot();
	assert_int_equal(channel_write(&pump.channel, "ping", 4, 1000), 0);
	assert_true(ms_since(start) >= 150);
	expect_heard("ping");
	assert_int_equal(channel_write(&pump.channel, "never", 5, 50), -ETIMEDOUT);
	pump_cancel_in(&pump, 20);
	assert_int_equal(channel_write(&pump.channel, "never", 5, 1000), -ECANCELED);
	pump_resume(&pump);
	end_faults();
}

static void a_rate_is_kept_both_ways(void **state)
{
	set_faults("rate=100");
	uint64_t start = clock_boot();
	over->say("0123456789", 10);
	expect_read("0123456789");
	assert_true(ms_since(start) >= 100);
	start = clock_boot();
	assert_int_equal(channel_write(&pump.channel, "0123456789", 10, 1000), 0);
	assert_true(ms_since(start) >= 100);
	expect_heard("0123456789");
	end_faults();
}

static void lost_pieces_do_not_come(void **state)
{
	char got[8];
	set_faults("drop=1");
	over->say("pong", 4);
	settle();
	assert_int_equal(channel_read(&pump.channel, got, sizeof got, 50), -ETIMEDOUT);
	assert_int_equal(channel_write(&pump.channel, "lost", 4, 1000), 0);
	end_faults();
}

static unsigned bits_of_difference(const char *a, const char *b, size_t len)
{
	unsigned n = 0;
	for (size_t i = 0; i < len; i++)
		n += (unsigned)__builtin_popcount((unsigned)(uint8_t)(a[i] ^ b[i]));
	return n;
}

/* One bit of each piece; a stream may have come in several. */
static void spoiled_pieces_differ(void **state)
{
	char got[8] = "";
	set_faults("corrupt=1");
	over->say("pong", 4);
	for (size_t have = 0; have < 4;) {
		ssize_t n = channel_read(&pump.channel, got + have, sizeof got - have, LONG_MS);
		assert_true(n > 0);
		have += (size_t)n;
	}
	assert_in_range(bits_of_difference(got, "pong", 4), 1, 4);
	assert_int_equal(channel_write(&pump.channel, "ping", 4, 1000), 0);
	for (size_t have = 0; have < 4;)
		have += over->hear(got + have, sizeof got - have);
	assert_int_equal(bits_of_difference(got, "ping", 4), 1);
	end_faults();
}

static void cut_pieces_lack_their_end(void **state)
{
	static const char text[] = "0123456789";
	char got[16];
	set_faults("truncate=1 seed=3");
	size_t have = 0, sent = 0;
	for (int i = 0; i < 5; i++) {
		over->say(text, 10);
		settle();
		ssize_t n = channel_read(&pump.channel, got, sizeof got, 50);
		assert_true(n < 10 && n != 0);
		have += n > 0 ? (size_t)n : 0;
		assert_true(n < 0 || !over->keeps_messages || memcmp(got, text, (size_t)n) == 0);
		sent += 10;
	}
	assert_in_range(have, 1, sent - 5);
	end_faults();
}

static void an_idle_link_costs_nothing(void **state)
{
	settle();
	unsigned turns = atomic_load(&pump.turns);
	poll(NULL, 0, 400);
	/* 20 ms a turn, some for a busy machine: a loop that spins has thousands. */
	assert_true(atomic_load(&pump.turns) - turns < 60);
}

static void a_port_that_is_not_there_is_refused_in_words(void **state)
{
	struct port wrong = {.open_ms = 500};
	struct link link;
	over->make_wrong(&wrong);
	uint64_t start = clock_boot();
	assert_true(link_open(&link, &wrong) < 0);
	assert_true(ms_since(start) < 2000);
	assert_true(strlen(link.why) > 0);
	link_close(&link);
}

#define T(test) cmocka_unit_test_setup_teardown(test, before, after)

int transport_suite(const struct transport *transport)
{
	const struct {
		struct CMUnitTest test;
		bool applies;
	} all[] = {
		{T(bytes_go_both_ways), true},
		{T(what_passes_is_noted_for_a_recording), true},
		{T(every_byte_value_passes_unchanged), true},
		{T(silence_ends_at_the_deadline), true},
		{T(an_abort_ends_a_wait_within_a_second_and_stays), true},
		{T(a_pause_lasts_as_long_as_it_should), true},
		{T(a_request_to_stop_ends_the_pause_that_it_finds), true},
		{T(what_came_before_the_loss_is_read_first), transport->notices_loss},
		{T(input_without_memory_loses_the_port), true},
		{T(a_loss_is_noticed_without_asking), transport->notices_loss},
		{T(what_does_not_fit_comes_with_the_next_read), true},
		{T(messages_are_never_joined), transport->keeps_messages},
		{T(large_messages_arrive_whole), true},
		{T(large_writes_are_sent_whole), true},
		{T(draining_waits_until_the_link_is_quiet), true},
		{T(draining_that_hears_no_silence_gives_up), true},
		{T(a_write_that_nobody_takes_ends_at_the_deadline), transport->can_block},
		{T(a_refused_message_is_gone_when_its_time_is_over), transport->refuse != NULL},
		{T(a_line_that_is_not_there_is_refused_in_words), !transport->has_line},
		{T(the_dialogue_is_written_to_the_log_if_wanted), true},
		{T(a_delay_is_kept_both_ways), true},
		{T(a_rate_is_kept_both_ways), true},
		{T(lost_pieces_do_not_come), true},
		{T(spoiled_pieces_differ), true},
		{T(cut_pieces_lack_their_end), true},
		{T(an_idle_link_costs_nothing), !transport->is_file},
		{cmocka_unit_test(a_port_that_is_not_there_is_refused_in_words), true},
	};
	struct CMUnitTest tests[sizeof all / sizeof all[0]];
	size_t count = 0;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		if (all[i].applies)
			tests[count++] = all[i].test;
	}
	over = transport;
	return run_apart(transport->name, tests, count);
}

void transport_await(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	if (poll(&p, 1, LONG_MS) <= 0)
		fail_msg("the instrument's side received nothing");
}
