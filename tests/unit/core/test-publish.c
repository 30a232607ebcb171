/* SPDX-License-Identifier: Apache-2.0 */
/* The live socket with subscribers that do not read, and with one that does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <zmq.h>

#include "../apart.h"
#include "base/clock.h"
#include "core/commit/item.h"
#include "core/commit/publish.h"

#define TOPIC    "a1/data/xrf/site/node/xrf-1/"
#define HEAD     "a1/head/-/site/node/-/"
#define LIMIT_MS 10000
#define STOPPED  5

/* The reader is woken once for so many bytes. */
#define READ_STEP ((size_t)1 << 20)

struct bench {
	void *zmq, *reader, *stopped[STOPPED];
	struct publisher *publisher;
	uint64_t sent, received, last; /* last: the seq that the reader has */
	uint64_t skipped;              /* before `sent` was counted */
};

static void *subscribe(struct bench *b)
{
	void *socket = zmq_socket(b->zmq, ZMQ_SUB);
	int hwm = 1, limit = LIMIT_MS;
	zmq_setsockopt(socket, ZMQ_RCVHWM, &hwm, sizeof hwm);
	zmq_setsockopt(socket, ZMQ_RCVTIMEO, &limit, sizeof limit);
	zmq_setsockopt(socket, ZMQ_SUBSCRIBE, TOPIC, strlen(TOPIC));
	assert_int_equal(zmq_connect(socket, "inproc://live"), 0);
	return socket;
}

static void bench_open(struct bench *b)
{
	*b = (struct bench){.zmq = zmq_ctx_new()};
	assert_int_equal(publisher_open(&b->publisher, b->zmq, "inproc://live", HEAD), 0);
	assert_int_equal(publisher_start(b->publisher), 0);
	b->reader = subscribe(b);
}

static void bench_close(struct bench *b)
{
	publisher_close(b->publisher);
	zmq_close(b->reader);
	zmq_ctx_term(b->zmq);
}

static struct publisher_status look(struct bench *b)
{
	struct publisher_status status;
	publisher_status(b->publisher, &status);
	return status;
}

static void send_one(struct bench *b, size_t len)
{
	struct commit_item *item = commit_item_create(len);
	assert_non_null(item);
	item->topic = TOPIC;
	item->topic_len = strlen(TOPIC);
	item->len = len;
	item->seq = ++b->sent;
	memcpy(item->bytes, &item->seq, sizeof item->seq);
	publisher_send(b->publisher, item);
}

/* The reader takes all that was sent and not left out, in order of seq. */
static void read_all(struct bench *b)
{
	uint64_t seq;
	char topic[100];
	while (b->received + look(b).skipped - b->skipped < b->sent) {
		assert_true(zmq_recv(b->reader, topic, sizeof topic, 0) >= 0);
		assert_true(zmq_recv(b->reader, &seq, sizeof seq, 0) >= (int)sizeof seq);
		assert_true(seq > b->last);
		b->last = seq;
		b->received++;
	}
}

static void fill(struct bench *b, size_t len, size_t total)
{
	size_t most = len < LIVE_LARGE ? LIVE_SMALL_MAX : LIVE_LARGE_MAX;
	for (size_t bytes = 0, unread = 0; bytes < total; bytes += len) {
		send_one(b, len);
		unread += len;
		assert_true(look(b).bytes <= most);
		if (unread >= READ_STEP)
			read_all(b);
		unread %= READ_STEP;
	}
	read_all(b);
}

/* Of every size, whenever the subscribers came; what is left out is counted. */
static void stopped_subscribers_hold_bounded_memory(void **state)
{
	static const size_t sizes[] = {1000, LIVE_LARGE - 1, LIVE_LARGE, 60000, 1 << 20, 16 << 20};
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct bench b;
		bench_open(&b);
		fill(&b, sizes[i], 4 * LIVE_LARGE_MAX / STOPPED);
		assert_int_equal(look(&b).skipped, 0);
		for (size_t k = 0; k < STOPPED; k++) {
			b.stopped[k] = subscribe(&b);
			fill(&b, sizes[i], 4 * LIVE_LARGE_MAX / STOPPED);
		}
		assert_int_equal(b.received + look(&b).skipped, b.sent);
		assert_true(sizes[i] < LIVE_LARGE - 1 || look(&b).skipped > 0);
		assert_true(look(&b).is_full == (look(&b).skipped > 0));
		for (size_t k = 0; k < STOPPED; k++)
			zmq_close(b.stopped[k]);
		/* They are gone: the next heartbeat or entry finds that out. */
		uint64_t end = clock_boot() + LIMIT_MS * NS_PER_MS;
		while ((look(&b).is_full || look(&b).bytes > 0) && clock_boot() < end) {
			send_one(&b, 100);
			read_all(&b);
		}
		assert_false(look(&b).is_full);
		b.sent = b.received = b.last = 0;
		b.skipped = look(&b).skipped;
		fill(&b, sizes[i], LIVE_LARGE_MAX);
		assert_int_equal(b.received, b.sent);
		assert_int_equal(look(&b).skipped, b.skipped);
		bench_close(&b);
	}
}

/* A small entry still goes where a large one is left out. */
static void large_entries_are_left_out_first(void **state)
{
	struct bench b;
	bench_open(&b);
	void *stopped = subscribe(&b);
	fill(&b, 8 << 20, 2 * LIVE_LARGE_MAX);
	uint64_t skipped = look(&b).skipped, received = b.received;
	assert_true(skipped > 0);
	fill(&b, 1000, 100000);
	assert_int_equal(look(&b).skipped, skipped);
	assert_int_equal(b.received, received + 100);
	zmq_close(stopped);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stopped_subscribers_hold_bounded_memory),
		cmocka_unit_test(large_entries_are_left_out_first),
	};
	return RUN_APART(tests);
}
