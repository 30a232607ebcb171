/* SPDX-License-Identifier: Apache-2.0 */
/* Which reply of a line belongs to which request: bytes and times, nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crc16.h"
#include "worker/link/line.h"

#define REPLY 1000

static struct line line;
static struct line_inbox in;
static struct line_frame frame;
static uint8_t sent[8];
static struct line_query query;

static void request(uint8_t unit, uint8_t function, uint8_t address, uint8_t count)
{
	const uint8_t plain[] = {unit, function, 0, address, 0, count};
	memcpy(sent, plain, sizeof plain);
	uint16_t crc = crc_of(sent, 6);
	sent[6] = (uint8_t)crc;
	sent[7] = (uint8_t)(crc >> 8);
	query = (struct line_query){sent, sizeof sent, 5 + 2 * (size_t)count, false, false};
	line_request(&in);
}

static void put(const void *data, size_t len)
{
	assert_true(in.len + len <= sizeof in.data);
	memcpy(in.data + in.len, data, len);
	in.len += len;
}

/* A reply with one register. */
static void reply(uint8_t unit, uint8_t function, uint8_t value)
{
	uint8_t data[7] = {unit, function, 2, 0, value};
	uint16_t crc = crc_of(data, 5);
	data[5] = (uint8_t)crc;
	data[6] = (uint8_t)(crc >> 8);
	put(data, sizeof data);
}

static enum line_result take(uint64_t now)
{
	return line_take(&line, &in, &query, false, now, &frame);
}

static int before(void **state)
{
	line_init(&line, REPLY, false);
	memset(&in, 0, sizeof in);
	return 0;
}

static void a_reply_is_found_among_noise(void **state)
{
	static const struct {
		const char *front, *back;
		size_t front_len, back_len;
	} noise[] = {{"", "", 0, 0}, {"\0", "", 1, 0}, {"\xff", "", 1, 0}, {"", "\0", 0, 1},
		{"\x07", "", 1, 0}, {"\x07\x03", "", 2, 0}, {"\x07\x83\x02\x00\x00", "", 5, 0}};
	for (size_t i = 0; i < sizeof noise / sizeof noise[0]; i++) {
		before(NULL);
		request(7, 3, 0, 1);
		put(noise[i].front, noise[i].front_len);
		reply(7, 3, 42);
		put(noise[i].back, noise[i].back_len);
		enum line_result r = take(0);
		if (i == 6) { /* it looks like an exception with another CRC */
			assert_int_equal(r, LINE_DAMAGED);
			continue;
		}
		assert_int_equal(r, LINE_REPLY);
		assert_int_equal(frame.len, 7);
		assert_int_equal(frame.data[4], 42);
	}
}

static void a_reply_may_come_byte_by_byte(void **state)
{
	struct line_inbox whole = {0};
	request(7, 3, 0, 1);
	reply(7, 3, 42);
	whole = in;
	in.len = 0;
	for (size_t i = 0; i < whole.len; i++) {
		assert_int_equal(take(i), LINE_MORE);
		put(&whole.data[i], 1);
	}
	assert_int_equal(take(9), LINE_REPLY);
}

static void frames_that_do_not_fit_are_told_apart(void **state)
{
	static const struct {
		uint8_t unit, function;
		enum line_result result;
	} cases[] = {{7, 3, LINE_REPLY}, {7, 4, LINE_STRANGE}, {8, 3, LINE_STRANGE},
		{0, 3, LINE_STRANGE}, {255, 3, LINE_STRANGE}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		before(NULL);
		request(7, 3, 0, 1);
		reply(cases[i].unit, cases[i].function, 1);
		assert_int_equal(take(0), cases[i].result);
	}
	before(NULL);
	request(7, 3, 0, 2); /* two registers requested, one came */
	reply(7, 3, 1);
	assert_int_equal(take(0), LINE_STRANGE);
	before(NULL);
	request(7, 3, 0, 1);
	reply(7, 3, 1);
	in.data[4] ^= 1;
	assert_int_equal(take(0), LINE_DAMAGED);
}

static void an_adapter_may_return_each_request(void **state)
{
	request(7, 3, 0, 1);
	put(sent, sizeof sent);
	assert_int_equal(take(0), LINE_ECHO);
	request(7, 3, 0, 1);
	query.echoes = true;
	put(sent, 3);
	assert_int_equal(take(0), LINE_MORE);
	put(sent + 3, 5);
	reply(7, 3, 9);
	assert_int_equal(take(0), LINE_REPLY);
	assert_int_equal(frame.data[4], 9);
}

static void bytes_before_the_request_are_no_reply_to_it(void **state)
{
	reply(7, 3, 1);
	request(7, 3, 0, 1);
	assert_int_equal(take(0), LINE_MORE);
	reply(7, 3, 2);
	in.before = in.len; /* it came before the unit had the request */
	reply(7, 3, 3);
	assert_int_equal(take(0), LINE_REPLY);
	assert_int_equal(frame.data[4], 3);
}

static void owed_replies_are_counted(void **state)
{
	request(7, 3, 0, 1);
	line_missed(&line, sent, 0);
	assert_int_equal(line_not_before(&line, 7, 10), REPLY);
	assert_int_equal(line_not_before(&line, 8, 10), 10);
	assert_int_equal(line_not_before(&line, 7, REPLY), REPLY); /* once more, the same */
	request(7, 3, 0, 1);
	line_missed(&line, sent, 2 * REPLY);
	reply(7, 3, 1);
	line_take(&line, &in, NULL, false, 2 * REPLY + 1, &frame);
	assert_int_equal(line_not_before(&line, 7, 2 * REPLY + 1), 3 * REPLY + 1);
	reply(7, 3, 1);
	line_take(&line, &in, NULL, false, 2 * REPLY + 2, &frame);
	assert_int_equal(line_not_before(&line, 7, 2 * REPLY + 2), 2 * REPLY + 2);
	assert_false(line_owes(&line, 7));
}

static void a_first_reply_is_believed_only_to_the_same_request(void **state)
{
	request(7, 3, 0, 1);
	line_missed(&line, sent, 0);
	request(7, 3, 5, 1);
	assert_false(line_replied(&line, sent, REPLY));
	assert_int_equal(line_not_before(&line, 7, REPLY), 2 * REPLY);
	assert_int_equal(line_not_before(&line, 7, 2 * REPLY), 2 * REPLY);
	assert_false(line_owes(&line, 7)); /* silence after a reply */
	line_missed(&line, sent, 3 * REPLY);
	assert_true(line_replied(&line, sent, 4 * REPLY));
	assert_int_equal(line_not_before(&line, 7, 4 * REPLY), 5 * REPLY);
}

static void replies_of_a_neighbour_that_owes_them_do_not_disturb(void **state)
{
	request(8, 3, 0, 1);
	line_missed(&line, sent, 0);
	request(7, 3, 0, 1);
	reply(8, 3, 1);
	reply(7, 3, 2);
	assert_int_equal(take(1), LINE_REPLY);
	assert_int_equal(frame.data[4], 2);
	assert_false(line_owes(&line, 8));
}

#define T(test) cmocka_unit_test_setup(test, before)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_reply_is_found_among_noise),
		T(a_reply_may_come_byte_by_byte),
		T(frames_that_do_not_fit_are_told_apart),
		T(an_adapter_may_return_each_request),
		T(bytes_before_the_request_are_no_reply_to_it),
		T(owed_replies_are_counted),
		T(a_first_reply_is_believed_only_to_the_same_request),
		T(replies_of_a_neighbour_that_owes_them_do_not_disturb),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
