/* SPDX-License-Identifier: Apache-2.0 */
#include "bench.h"
#include "url.h"

#define HEX_MAX 4096

static void collect(void *context, const uint8_t *data, size_t len)
{
	struct bench *b = context;
	assert_true(b->len + len <= sizeof(b->sent));
	memcpy(b->sent + b->len, data, len);
	b->len += len;
	if (b->units < UNITS_MAX)
		b->unit_len[b->units] = len;
	b->units++;
}

static void collect_stream(void *context, const uint8_t *data, size_t len)
{
	struct bench *b = context;
	assert_true(b->streamed_len + len <= sizeof(b->streamed));
	memcpy(b->streamed + b->streamed_len, data, len);
	b->streamed_len += len;
}

static bool has_room(void *context)
{
	const struct bench *b = context;
	return !b->takes_no_stream;
}

void bench_start(struct bench *b, const struct sim_model_ops *ops, enum sim_transport transport,
	FILE *truth, const char *const *options)
{
	memset(b, 0, sizeof(*b));
	random_init(&b->random, 7);
	struct sim_env env = {.emit = collect,
		.emit_stream = collect_stream,
		.stream_has_room = has_room,
		.context = b,
		.truth = truth,
		.faults = &b->faults,
		.random = &b->random,
		.transport = transport,
		.speed = 1};
	struct sim_options given = {.table = ops->options};
	for (size_t i = 0; options[i] != NULL; i += 2)
		assert_int_equal(options_set(&given, options[i], options[i + 1]), 0);
	assert_int_equal(sim_model_create(ops, &given, &env, &b->model), 0);
}

void bench_stop(struct bench *b)
{
	sim_model_destroy(b->model);
	b->model = NULL;
}

void wait_until(struct bench *b, uint64_t until)
{
	uint64_t next;
	while ((next = sim_model_next_wakeup(b->model, b->now)) <= until) {
		b->now = next > b->now ? next : b->now;
		sim_model_tick(b->model, b->now);
	}
	b->now = until;
	sim_model_tick(b->model, b->now);
}

void send_bytes(struct bench *b, const void *data, size_t len)
{
	b->len = b->units = 0;
	sim_model_input(b->model, data, len, b->now);
}

void send_hex(struct bench *b, const char *hex)
{
	uint8_t bytes[HEX_MAX];
	send_bytes(b, bytes, from_hex(hex, bytes, sizeof bytes));
}

unsigned send_http(struct bench *b, const char *method, const char *url, const char *body)
{
	char copy[2048], *sent;
	struct sim_http_request request = {.method = method,
		.body = (const uint8_t *)(body != NULL ? body : ""),
		.body_len = body != NULL ? strlen(body) : 0};
	struct sim_http_reply reply = {.status = 200, .type = "text/html"};
	assert_true(strlen(url) < sizeof copy);
	memcpy(copy, url, strlen(url) + 1);
	url_split(copy, &request);
	reply.body = open_memstream(&sent, &b->len);
	sim_model_respond(b->model, &request, &reply, b->now);
	fclose(reply.body);
	assert_true(b->len < sizeof b->sent);
	memcpy(b->sent, sent, b->len + 1);
	free(sent);
	return reply.status;
}

size_t from_hex(const char *hex, uint8_t *bytes, size_t size)
{
	size_t n = 0;
	for (unsigned byte; *hex != '\0'; hex += strspn(hex, " ")) {
		assert_true(n < size && sscanf(hex, "%2x", &byte) == 1);
		bytes[n++] = (uint8_t)byte;
		hex += 2;
	}
	return n;
}

void expect_hex(const struct bench *b, const char *hex)
{
	uint8_t bytes[HEX_MAX];
	size_t n = from_hex(hex, bytes, sizeof bytes);
	assert_int_equal(b->len, n);
	assert_memory_equal(b->sent, bytes, n);
}
