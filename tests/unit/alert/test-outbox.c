/* SPDX-License-Identifier: Apache-2.0 */
/* The outbox over virtual time: limits, waits, two channels, nothing lost and nothing twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "outbox.h"

#define HOUR (3600 * NS_PER_S)

static struct alert_options options = {
	.limit = 3, .retry = 10 * NS_PER_S, .to_count = 1, .url = "https://example.org/"};

static void put(struct outbox *outbox, size_t count)
{
	const struct note note = {.event = NOTE_LOST, .about = "run", .text = "x"};
	for (size_t i = 0; i < count; i++)
		outbox_put(outbox, &note);
}

static void a_limit_collects_into_one_message(void **state)
{
	struct outbox outbox;
	const struct note *first;
	struct alert_options mail = options;
	uint64_t now = 10 * HOUR;
	mail.url = NULL;
	outbox_init(&outbox, &mail);
	for (uint64_t i = 0; i < 3; i++, now += NS_PER_S) {
		put(&outbox, 1);
		assert_int_equal(outbox_take(&outbox, CHANNEL_MAIL, &mail, now, &first), 1);
		outbox_done(&outbox, CHANNEL_MAIL, true, &mail, now);
	}
	put(&outbox, 7);
	assert_int_equal(outbox_take(&outbox, CHANNEL_MAIL, &mail, now, &first), 0);
	assert_int_equal(outbox_take(&outbox, CHANNEL_MAIL, &mail, 11 * HOUR - 1, &first), 0);
	assert_int_equal(outbox_take(&outbox, CHANNEL_MAIL, &mail, 11 * HOUR, &first), 7);
	assert_int_equal(first->id, 4);
	outbox_done(&outbox, CHANNEL_MAIL, true, &mail, 11 * HOUR);
	assert_int_equal(outbox.count, 0);
	assert_int_equal(outbox_take(&outbox, CHANNEL_WEBHOOK, &mail, now, &first), 0);
	outbox_finish(&outbox);
}

static void a_failure_waits_longer_each_time_and_loses_nothing(void **state)
{
	struct outbox outbox;
	const struct note *first;
	uint64_t now = HOUR, before = now;
	outbox_init(&outbox, &options);
	put(&outbox, 1);
	for (int i = 0; i < 20; i++) {
		while (outbox_take(&outbox, CHANNEL_MAIL, &options, now, &first) == 0)
			now += NS_PER_S;
		/* A failed attempt is no message: the limit does not count it. */
		assert_true(now - before <= 901 * NS_PER_S);
		assert_true(i < 8 || now - before >= 600 * NS_PER_S);
		before = now;
		outbox_done(&outbox, CHANNEL_MAIL, false, &options, now);
	}
	assert_int_equal(outbox.count, 1);
	assert_int_equal(outbox.channels[CHANNEL_MAIL].failures, 20);
	outbox_finish(&outbox);
}

/* A year of random puts, results and pauses: each channel gets every note once, in order. */
static void each_channel_gets_each_note_once(void **state)
{
	struct outbox outbox;
	const struct note *first;
	uint64_t now = HOUR, last[CHANNELS] = {0}, window[CHANNELS][3] = {{0}};
	size_t sent[CHANNELS] = {0};
	outbox_init(&outbox, &options);
	srandom(9);
	for (int i = 0; i < 200000; i++) {
		enum channel_kind kind = (enum channel_kind)(random() % CHANNELS);
		struct channel *channel = &outbox.channels[kind];
		now += (uint64_t)(random() % 200) * NS_PER_S;
		if (random() % 4 == 0 && outbox_has_room(&outbox))
			put(&outbox, (size_t)(random() % 5));
		if (channel->taken == 0) {
			size_t count = outbox_take(&outbox, kind, &options, now, &first);
			if (count > 0)
				assert_int_equal(first->id, last[kind] + 1);
			continue;
		}
		bool delivered = random() % 3 != 0;
		if (delivered) {
			last[kind] = channel->taken;
			uint64_t *oldest = &window[kind][sent[kind]++ % 3];
			/* Messages are taken within the limit; the end of a delivery counts. */
			assert_true(*oldest == 0 || now >= *oldest + HOUR);
			*oldest = now;
		}
		outbox_done(&outbox, kind, delivered, &options, now);
		uint64_t gone = last[0] < last[1] ? last[0] : last[1];
		assert_int_equal(outbox.count, outbox.last - gone);
	}
	assert_true(sent[0] > 1000 && sent[1] > 1000);
	outbox_finish(&outbox);
}

static void a_full_outbox_has_no_room_and_still_takes_its_reserve(void **state)
{
	struct outbox outbox;
	outbox_init(&outbox, &options);
	while (outbox_has_room(&outbox))
		put(&outbox, 1);
	put(&outbox, 2 * 1024);
	assert_true(outbox.count <= OUTBOX_MAX);
	outbox_finish(&outbox);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_limit_collects_into_one_message),
		cmocka_unit_test(a_failure_waits_longer_each_time_and_loses_nothing),
		cmocka_unit_test(each_channel_gets_each_note_once),
		cmocka_unit_test(a_full_outbox_has_no_room_and_still_takes_its_reserve),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
