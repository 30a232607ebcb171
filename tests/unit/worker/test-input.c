/* SPDX-License-Identifier: Apache-2.0 */
/* Input against a plain model: every byte once, in order, with its time, no message joined to another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/input.h"

#define STEPS  200000
#define QUEUED 4096

/* One byte of the model. */
struct byte {
	uint8_t value;
	bool joins; /* to the byte before it */
	struct receipt received;
};

static struct model {
	struct byte bytes[QUEUED];
	size_t len;
} model;

static uint64_t seed = 1;

static uint32_t pick(uint32_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(seed >> 33) % below;
}

static void add(struct input *input, uint64_t now)
{
	size_t len = 1 + pick(200), room = len + pick(3000);
	bool joins = pick(2) == 0;
	/* the filter keeps the order of arrival */
	uint64_t last = model.len == 0 ? now : model.bytes[model.len - 1].received.mono;
	uint64_t mono = (last > now ? last : now) + pick(3);
	if (model.len + len > QUEUED)
		return;
	uint8_t *to = input_reserve(input, room);
	assert_non_null(to);
	for (size_t i = 0; i < len; i++) {
		to[i] = (uint8_t)pick(256);
		model.bytes[model.len++] = (struct byte){
			to[i], i > 0 || joins, {1000 + mono, mono}};
	}
	input_add(input, len, joins, (struct receipt){1000 + mono, mono});
}

static void take(struct input *input, uint64_t now)
{
	uint8_t got[512];
	size_t size = 1 + pick(sizeof got), expected = 0;
	while (expected < size && expected < model.len &&
		model.bytes[expected].received.mono <= now &&
		(expected == 0 || model.bytes[expected].joins))
		expected++;
	struct receipt received = {0};
	assert_int_equal(input_take(input, now, got, size, &received), expected);
	for (size_t i = 0; i < expected; i++)
		assert_int_equal(got[i], model.bytes[i].value);
	if (expected > 0) {
		assert_int_equal(received.mono, model.bytes[expected - 1].received.mono);
		assert_int_equal(received.utc, model.bytes[expected - 1].received.utc);
	}
	model.len -= expected;
	memmove(model.bytes, model.bytes + expected, model.len * sizeof *model.bytes);
}

static void drop(struct input *input, uint64_t now)
{
	size_t expected = 0;
	while (expected < model.len && model.bytes[expected].received.mono <= now)
		expected++;
	assert_int_equal(input_drop(input, now), expected);
	model.len -= expected;
	memmove(model.bytes, model.bytes + expected, model.len * sizeof *model.bytes);
}

static void input_is_like_its_model(void **state)
{
	struct input input = {0};
	uint64_t now = 1;
	for (int i = 0; i < STEPS; i++) {
		uint32_t act = pick(100);
		if (act < 40)
			add(&input, now);
		else if (act < 95)
			take(&input, pick(20) == 0 ? UINT64_MAX : now);
		else if (act < 97)
			drop(&input, pick(4) == 0 ? UINT64_MAX : now);
		else
			now += pick(10);
		uint64_t first = model.len == 0 ? UINT64_MAX : model.bytes[0].received.mono;
		assert_int_equal(input_arrival(&input, now), first <= now ? 0 : first);
		assert_true(model.len > 0 || input_size(&input) == 0);
	}
	input_drop(&input, UINT64_MAX);
	assert_true(input.pieces.size <= 64u << 10);
	input_finish(&input);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(input_is_like_its_model)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
