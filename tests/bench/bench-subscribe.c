/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A subscriber that counts: entries, frames and bytes that arrive within a time, the gaps that
 * `prev` shows, and how long after their `t.mono` frames arrive.
 *
 *	bench-subscribe ENDPOINT TOPIC WARM_UP_SECONDS SECONDS
 *
 * Prints "ready" when the first frame has come, and the counts as one line of JSON at the end.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <assay/record.h>
#include <zmq.h>

#include "base/clock.h"
#include "tool.h"

#define WAIT_MS    20000
#define TOPICS_MAX 64
#define QUEUE      16384

struct topic {
	char text[ASSAY_TOPIC_MAX];
	size_t len;
	uint64_t last;
};

struct counts {
	struct topic topics[TOPICS_MAX];
	size_t topics_count;
	uint64_t entries, frames, bytes, gaps, dropped;
	struct samples latency;
};

static struct topic *find_topic(struct counts *c, struct assay_string text)
{
	for (size_t i = 0; i < c->topics_count; i++) {
		struct topic *t = &c->topics[i];
		if (t->len == text.len && memcmp(t->text, text.data, t->len) == 0)
			return t;
	}
	if (c->topics_count == TOPICS_MAX || text.len > ASSAY_TOPIC_MAX) {
		errno = E2BIG;
		die("topics");
	}
	struct topic *t = &c->topics[c->topics_count++];
	memcpy(t->text, text.data, text.len);
	t->len = text.len;
	return t;
}

static void count_entry(struct counts *c, const void *data, size_t len)
{
	uint64_t now = clock_boot();
	struct assay_entry_view entry;
	struct assay_frame_view frame;
	if (assay_entry_read(data, len, &entry) < 0) {
		errno = EBADMSG;
		die("entry");
	}
	struct topic *topic = find_topic(c, entry.topic);
	if (topic->last != 0 && entry.prev != topic->last)
		c->gaps++;
	topic->last = entry.seq;
	c->entries++;
	c->bytes += len;
	if (assay_frame_read(entry.body.data, entry.body.len, &frame) == 0) {
		c->frames++;
		c->dropped += frame.dropped;
		samples_add(&c->latency, now - frame.record.t.mono);
	}
}

static void receive(void *socket, zmq_msg_t *body, struct counts *c)
{
	do {
		if (zmq_msg_recv(body, socket, 0) < 0)
			die("nothing arrives");
	} while (zmq_msg_more(body));
	count_entry(c, zmq_msg_data(body), zmq_msg_size(body));
}

static void report(struct counts *c, uint64_t ns)
{
	double seconds = (double)ns / 1e9;
	printf("{\"entries\":%llu,\"frames\":%llu,\"bytes\":%llu,\"gaps\":%llu,\"dropped\":%llu,"
	       "\"topics\":%zu,\"seconds\":%.4f,\"frames_per_s\":%.1f,",
		(unsigned long long)c->entries, (unsigned long long)c->frames,
		(unsigned long long)c->bytes, (unsigned long long)c->gaps,
		(unsigned long long)c->dropped, c->topics_count, seconds,
		(double)c->frames / seconds);
	samples_print("latency", &c->latency);
	puts("}");
}

static void *subscribe(void *context, const char *endpoint, const char *topic)
{
	void *socket = zmq_socket(context, ZMQ_SUB);
	int wait = WAIT_MS, queue = QUEUE;
	if (socket == NULL || zmq_setsockopt(socket, ZMQ_RCVTIMEO, &wait, sizeof wait) < 0 ||
		zmq_setsockopt(socket, ZMQ_RCVHWM, &queue, sizeof queue) < 0 ||
		zmq_setsockopt(socket, ZMQ_SUBSCRIBE, topic, strlen(topic)) < 0 ||
		zmq_connect(socket, endpoint) < 0)
		die(endpoint);
	return socket;
}

int main(int argc, char **argv)
{
	if (argc != 5) {
		fputs("usage: bench-subscribe ENDPOINT TOPIC WARM_UP_SECONDS SECONDS\n", stderr);
		return 2;
	}
	uint64_t warm_up = argument_seconds(argv[3]), time = argument_seconds(argv[4]);
	void *context = zmq_ctx_new(), *socket = subscribe(context, argv[1], argv[2]);
	static struct counts counts;
	zmq_msg_t body;
	zmq_msg_init(&body);
	while (counts.frames == 0)
		receive(socket, &body, &counts);
	puts("ready");
	fflush(stdout);

	uint64_t begin = clock_boot(), now;
	while (clock_boot() < begin + warm_up)
		receive(socket, &body, &counts);
	counts.entries = counts.frames = counts.bytes = counts.gaps = counts.dropped = 0;
	counts.latency.count = 0;
	begin = clock_boot();
	do {
		receive(socket, &body, &counts);
		now = clock_boot();
	} while (now < begin + time);
	report(&counts, now - begin);
	zmq_msg_close(&body);
	zmq_close(socket);
	zmq_ctx_term(context);
	return 0;
}
