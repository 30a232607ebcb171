/* SPDX-License-Identifier: Apache-2.0 */
#include "amptek-bench.h"

static void collect(void *context, const uint8_t *data, size_t len)
{
	struct bench *b = context;
	assert_true(b->len + len <= sizeof(b->sent) && b->units < UNITS_MAX);
	memcpy(b->sent + b->len, data, len);
	b->len += len;
	b->unit_len[b->units++] = len;
}

void bench_start(
	struct bench *b, enum sim_transport transport, FILE *truth, const char *const *options)
{
	memset(b, 0, sizeof(*b));
	random_init(&b->random, 7);
	struct sim_env env = {.emit = collect,
		.context = b,
		.truth = truth,
		.faults = &b->faults,
		.random = &b->random,
		.transport = transport,
		.speed = 1};
	struct sim_options given = {.table = amptek_model.options};
	for (size_t i = 0; options[i] != NULL; i += 2)
		assert_int_equal(options_set(&given, options[i], options[i + 1]), 0);
	assert_int_equal(sim_model_create(&amptek_model, &given, &env, &b->model), 0);
}

void bench_stop(struct bench *b)
{
	sim_model_destroy(b->model);
	b->model = NULL;
}

void pass(struct bench *b, uint64_t ns)
{
	uint64_t until = b->now + ns, next;
	while ((next = sim_model_next_wakeup(b->model, b->now)) < until) {
		b->now = next > b->now ? next : b->now;
		sim_model_tick(b->model, b->now);
	}
	b->now = until;
	sim_model_tick(b->model, b->now);
}

static size_t from_hex(const char *hex, uint8_t *out)
{
	size_t n = 0;
	for (unsigned byte; *hex != '\0'; hex += strspn(hex, " ")) {
		assert_int_equal(sscanf(hex, "%2x", &byte), 1);
		out[n++] = (uint8_t)byte;
		hex += 2;
	}
	return n;
}

static void send_bytes(struct bench *b, const uint8_t *data, size_t len)
{
	b->len = b->units = 0;
	sim_model_input(b->model, data, len, b->now);
}

void send_hex(struct bench *b, const char *hex)
{
	uint8_t data[FRAME_PACKET_MAX];
	send_bytes(b, data, from_hex(hex, data));
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

void expect_hex(const struct bench *b, const char *hex)
{
	uint8_t data[FRAME_PACKET_MAX];
	size_t n = from_hex(hex, data);
	assert_int_equal(b->len, n);
	assert_memory_equal(b->sent, data, n);
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
