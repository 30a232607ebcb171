/* SPDX-License-Identifier: Apache-2.0 */
/* Connections are cut where a peer passes a limit, wherever its bytes are split. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/zmtp.h"

#define MORE    1
#define COMMAND 4

static void greet(struct buffer *b, const char *mechanism)
{
	uint8_t greeting[64] = {0xff, [9] = 0x7f, [10] = 3, [11] = 1};
	memcpy(greeting + 12, mechanism, strlen(mechanism));
	buffer_append(b, greeting, sizeof greeting);
}

static void add_frame(struct buffer *b, uint8_t flags, const char *begin, size_t len)
{
	uint8_t head[9] = {flags, (uint8_t)len};
	size_t head_len = 2;
	if (len > 255) {
		head[0] |= 2;
		for (size_t i = 0; i < 8; i++)
			head[1 + i] = (uint8_t)(len >> (56 - 8 * i));
		head_len = 9;
	}
	buffer_append(b, head, head_len);
	uint8_t *body = buffer_reserve(b, len + 1);
	assert_non_null(body);
	memset(body, 'x', len);
	memcpy(body, begin, strlen(begin) < len ? strlen(begin) : len);
	b->len += len;
}

struct example {
	const char *name;
	bool is_publisher, is_fine;
	const char *mechanism;
	struct {
		uint8_t flags;
		const char *begin;
		size_t len, count;
	} frames[3];
};

static const struct example examples[] = {
	{"a request", false, true, "NULL",
		{{COMMAND, "\5READY", 30, 1}, {MORE, "", 0, 1}, {0, "", 60000, 1}}},
	{"many requests", false, true, "NULL", {{MORE, "", 0, 1}, {0, "", 500, 10000}}},
	{"as many parts as are allowed", false, true, "NULL",
		{{MORE, "a", 1, ZMTP_PARTS_MAX - 1}, {COMMAND, "\4PING", 7, 1}, {0, "a", 1, 1}}},
	{"one more", false, false, "NULL", {{MORE, "a", 1, ZMTP_PARTS_MAX}, {0, "a", 1, 1}}},
	{"parts between commands", false, false, "NULL",
		{{MORE, "a", 1, 100}, {COMMAND, "\4PING", 7, 1}, {MORE, "a", 1, 100}}},
	{"large parts", false, false, "NULL", {{MORE, "", 60000, 3}}},
	{"a large part", false, false, "NULL", {{0, "", ZMTP_MESSAGE_MAX + 1, 1}}},
	{"a subscription of a request", false, false, "NULL", {{COMMAND, "\11SUBSCRIBE", 20, 1}}},
	{"subscriptions", true, true, "NULL",
		{{COMMAND, "\11SUBSCRIBE", 60, 150}, {COMMAND, "\6CANCEL", 30, 150}}},
	{"subscriptions of ZMTP 3.0", true, true, "NULL", {{0, "\1a1/", 60, 250}}},
	{"too many bytes of subscriptions", true, false, "NULL", {{0, "\1a1/", 160, 1000}}},
	{"too many subscriptions", true, false, "NULL", {{0, "\1", 2, ZMTP_CHANGES_MAX + 1}}},
	{"too many by both ways", true, false, "NULL",
		{{COMMAND, "\6CANCEL", 7, 2100}, {0, "\0", 1, 2100}}},
	{"many PINGs", true, true, "NULL", {{COMMAND, "\4PING", 7, 20000}}},
	{"a subscription in parts", true, false, "NULL", {{MORE, "\1a1/", 10, 1}}},
	{"a command in parts", false, false, "NULL", {{COMMAND | MORE, "\4PING", 7, 1}}},
	{"unknown flags", false, false, "NULL", {{8, "", 7, 1}}},
	{"encrypted bytes", false, true, "CURVE", {{8, "", 60000, 10}}},
	{"a mechanism that begins the same", false, true, "NULLX", {{8, "", 60000, 1}}},
};

static void limits_hold_wherever_bytes_are_split(void **state)
{
	for (size_t i = 0; i < sizeof examples / sizeof *examples; i++) {
		const struct example *e = &examples[i];
		struct buffer b = {0};
		greet(&b, e->mechanism);
		for (size_t k = 0; k < 3; k++) {
			for (size_t n = 0; n < e->frames[k].count; n++)
				add_frame(&b, e->frames[k].flags, e->frames[k].begin,
					e->frames[k].len);
		}
		for (size_t step = 1; step < 20000; step = step * 3 + 1) {
			struct zmtp z = {.is_publisher = e->is_publisher};
			bool is_fine = true;
			for (size_t at = 0; is_fine && at < b.len; at += step)
				is_fine = zmtp_take(
					&z, b.data + at, step < b.len - at ? step : b.len - at);
			if (is_fine != e->is_fine)
				fail_msg("%s, %zu bytes at a time", e->name, step);
		}
		buffer_finish(&b);
	}
}

static void needed_mechanism_is_the_only_one(void **state)
{
	static const char *const names[] = {"CURVE", "NULL", "PLAIN", "CURVEX", "CUR", "curve", ""};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct zmtp z = {.needs_curve = true};
		struct buffer b = {0};
		bool is_curve = strcmp(names[i], "CURVE") == 0;
		greet(&b, names[i]);
		assert_int_equal(zmtp_take(&z, b.data, b.len), is_curve);
		assert_int_equal(z.state, is_curve ? ZMTP_ENCRYPTED : ZMTP_NOT_CURVE);
		buffer_finish(&b);
	}
}

static void older_protocols_are_refused(void **state)
{
	static const uint8_t first[] = {1, 0}, second[64] = {0xff, [9] = 0x7f, [10] = 1};
	struct zmtp z = {0};
	assert_false(zmtp_take(&z, first, sizeof first));
	z = (struct zmtp){0};
	assert_false(zmtp_take(&z, second, sizeof second));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits_hold_wherever_bytes_are_split),
		cmocka_unit_test(needed_mechanism_is_the_only_one),
		cmocka_unit_test(older_protocols_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
