/* SPDX-License-Identifier: Apache-2.0 */
#include "amptek-bench.h"

void pass(struct bench *b, uint64_t ns)
{
	wait_until(b, b->now + ns);
}

static void expect_good_packet(const struct bench *b)
{
	uint16_t sum = 0;
	assert_true(b->len >= FRAME_OVERHEAD);
	assert_int_equal(b->sent[0] << 8 | b->sent[1], 0xF5FA);
	assert_int_equal(answer_len(b) + FRAME_OVERHEAD, b->len);
	for (size_t i = 0; i + 2 < b->len; i++)
		sum = (uint16_t)(sum + b->sent[i]);
	assert_int_equal((uint16_t)(sum + (b->sent[b->len - 2] << 8) + b->sent[b->len - 1]), 0);
}

void ask(struct bench *b, uint8_t pid1, uint8_t pid2, const char *text)
{
	uint8_t packet[FRAME_PACKET_MAX];
	size_t n = frame_write(packet, pid1, pid2, (const uint8_t *)text, strlen(text));
	send_bytes(b, packet, n);
	expect_good_packet(b);
}

unsigned answer_pid(const struct bench *b)
{
	return (unsigned)b->sent[2] << 8 | b->sent[3];
}

const uint8_t *answer_data(const struct bench *b)
{
	return b->sent + 6;
}

size_t answer_len(const struct bench *b)
{
	return (size_t)b->sent[4] << 8 | b->sent[5];
}

void expect_text(const struct bench *b, unsigned pid, const char *text)
{
	assert_int_equal(answer_pid(b), pid);
	assert_int_equal(answer_len(b), strlen(text));
	assert_memory_equal(answer_data(b), text, strlen(text));
}

uint32_t little(const uint8_t *p, int n)
{
	uint32_t v = 0;
	for (int i = 0; i < n; i++)
		v |= (uint32_t)p[i] << 8 * i;
	return v;
}

const uint8_t *status_of(struct bench *b)
{
	ask(b, 0x01, 0x01, "");
	assert_int_equal(answer_pid(b), 0x8001);
	assert_int_equal(answer_len(b), 64);
	return answer_data(b);
}

uint64_t spectrum_of(struct bench *b, uint32_t *counts, unsigned *channels, const uint8_t **status)
{
	uint64_t sum = 0;
	ask(b, 0x02, 0x03, "");
	unsigned pid = answer_pid(b), n = 256u << ((pid & 0xFF) - 1) / 2;
	assert_int_equal(pid >> 8, 0x81);
	assert_int_equal(pid % 2, 0);
	assert_int_equal(answer_len(b), n * 3 + 64);
	for (unsigned i = 0; i < n; i++) {
		uint32_t count = little(answer_data(b) + 3 * i, 3);
		if (counts != NULL)
			counts[i] = count;
		sum += count;
	}
	if (channels != NULL)
		*channels = n;
	*status = answer_data(b) + n * 3;
	return sum;
}
