/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#define LOG_TOPIC "live"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/endpoint.h"
#include "base/log.h"
#include "core/commit/commit.h"
#include "core/commit/item.h"
#include "core/commit/publish.h"
#include "record/encode.h"

#define BEAT_NS       NS_PER_S
#define BEAT_AFTER_NS (100 * NS_PER_MS)

/* Messages that wait for a slow subscriber before it loses some; a group of small ones fits. */
#define SEND_HWM 16384

/* Of one message, more than its bytes: the item, libzmq's bookkeeping, the topic's copy. */
#define MESSAGE_COST 512

/* libzmq may free messages later than the publisher. */
struct live_queue {
	atomic_uint refs; /* the publisher's, and one per message */
	atomic_size_t bytes;
};

struct publisher {
	void *socket;
	struct live_queue *queue;
	atomic_uint_least64_t skipped;
	atomic_bool is_full;
	struct endpoint_file *endpoint;
	char head_topic[JOURNAL_TOPIC_MAX + 1];
	uint64_t beat_at;      /* when the last heartbeat was sent */
	uint64_t entry_at;     /* when the last entry was sent, 0: none since the heartbeat */
	uint64_t tc;           /* of the last entry */
	struct buffer message; /* of the heartbeat */
};

static void queue_unref(struct live_queue *queue)
{
	if (queue != NULL && atomic_fetch_sub(&queue->refs, 1) == 1)
		free(queue);
}

int publisher_open(
	struct publisher **out, void *context, const char *endpoint, const char *head_topic)
{
	struct publisher *p = calloc(1, sizeof *p);
	if (p == NULL)
		return -ENOMEM;
	strncpy(p->head_topic, head_topic, sizeof p->head_topic - 1);
	p->queue = calloc(1, sizeof *p->queue);
	if (p->queue == NULL) {
		free(p);
		return -ENOMEM;
	}
	atomic_init(&p->queue->refs, 1);
	p->socket = zmq_socket(context, ZMQ_PUB);
	int hwm = SEND_HWM, linger = 1000;
	if (p->socket == NULL || zmq_setsockopt(p->socket, ZMQ_SNDHWM, &hwm, sizeof hwm) < 0 ||
		zmq_setsockopt(p->socket, ZMQ_LINGER, &linger, sizeof linger) < 0) {
		int error = errno;
		publisher_close(p);
		return -error;
	}
	int r = endpoint_open(&p->endpoint, p->socket, endpoint);
	if (r < 0) {
		publisher_close(p);
		return r;
	}
	*out = p;
	return 0;
}

void publisher_close(struct publisher *p)
{
	if (p == NULL)
		return;
	endpoint_close(p->endpoint);
	if (p->socket != NULL)
		zmq_close(p->socket);
	queue_unref(p->queue);
	buffer_finish(&p->message);
	free(p);
}

/* Threads: libzmq's. */
static void let_go(void *data, void *hint)
{
	struct commit_item *item = hint;
	struct live_queue *queue = item->live;
	atomic_fetch_sub(&queue->bytes, item->len + MESSAGE_COST);
	queue_unref(queue);
	commit_item_unref(item);
}

/*
 * Does it fit?  libzmq frees the queue of a subscriber that is gone when the socket is used next, so
 * it is used here, too.
 */
static bool has_room(struct publisher *p, size_t cost, size_t limit)
{
	int events;
	size_t size = sizeof events;
	if (atomic_load(&p->queue->bytes) + cost <= limit)
		return true;
	zmq_getsockopt(p->socket, ZMQ_EVENTS, &events, &size);
	return atomic_load(&p->queue->bytes) + cost <= limit;
}

/* Sends unless more than `limit` bytes would be held, taking one reference of the item. */
static bool send_below(struct publisher *p, struct commit_item *item, size_t limit)
{
	zmq_msg_t body;
	size_t cost = item->len + MESSAGE_COST;
	if (!has_room(p, cost, limit) ||
		zmq_msg_init_data(&body, item->bytes, item->len, let_go, item) < 0) {
		commit_item_unref(item);
		return false;
	}
	item->live = p->queue;
	atomic_fetch_add(&p->queue->refs, 1);
	atomic_fetch_add(&p->queue->bytes, cost);
	if (zmq_send(p->socket, item->topic, item->topic_len, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0 ||
		zmq_msg_send(&body, p->socket, ZMQ_DONTWAIT) < 0)
		zmq_msg_close(&body);
	return true;
}

static void note_full(struct publisher *p, bool was_sent)
{
	if (!was_sent && !p->is_full)
		log_warn("subscribers of the live socket read too slowly: %zu MiB wait for them; "
			 "large entries are left out there until they do, and are served by replay",
			atomic_load(&p->queue->bytes) >> 20);
	else if (was_sent && p->is_full && atomic_load(&p->queue->bytes) <= LIVE_RESUME)
		log_info("all entries are published on the live socket again");
	else
		return;
	p->is_full = !was_sent;
}

void publisher_send(struct publisher *p, struct commit_item *item)
{
	size_t limit = item->len < LIVE_LARGE ? LIVE_SMALL_MAX : LIVE_LARGE_MAX;
	p->tc = item->tc;
	bool was_sent = send_below(p, item, limit);
	if (!was_sent)
		atomic_fetch_add(&p->skipped, 1);
	note_full(p, was_sent);
	p->entry_at = clock_boot();
}

void publisher_status(const struct publisher *p, struct publisher_status *status)
{
	*status = (struct publisher_status){.bytes = atomic_load(&p->queue->bytes),
		.skipped = atomic_load(&p->skipped),
		.is_full = atomic_load(&p->is_full)};
}

uint64_t publisher_due(const struct publisher *p)
{
	uint64_t due = p->beat_at + BEAT_NS;
	if (p->entry_at != 0 && p->entry_at + BEAT_AFTER_NS < due)
		due = p->entry_at + BEAT_AFTER_NS;
	return due;
}

static int add_topic(void *arg, const char *topic, size_t len, uint64_t last)
{
	struct map *map = arg;
	encode_text_n(map->to, topic, len);
	encode_uint(map->to, last);
	map->pairs++;
	return 0;
}

static void send_beat(struct publisher *p)
{
	struct commit_item *item = p->message.failed ? NULL : commit_item_create(p->message.len);
	if (item == NULL)
		return;
	memcpy(item->bytes, p->message.data, p->message.len);
	item->len = p->message.len;
	item->topic = p->head_topic;
	item->topic_len = strlen(p->head_topic);
	send_below(p, item, LIVE_BEATS_MAX);
}

void publisher_beat(struct publisher *p, const struct journal *journal)
{
	if (clock_boot() < publisher_due(p))
		return;
	endpoint_look(p->endpoint);
	note_full(p, true);
	struct map map, last;
	buffer_reset(&p->message);
	map_open(&map, &p->message);
	map_uint(&map, "v", 1);
	map_bytes(&map, "journal", journal_id(journal), JOURNAL_ID_SIZE);
	map_uint(&map, "head", journal_head(journal));
	map_uint(&map, "tc", p->tc);
	map_key(&map, "last");
	map_open(&last, &p->message);
	journal_topics(journal, add_topic, &last);
	map_close(&last);
	map_close(&map);
	send_beat(p);
	p->beat_at = clock_boot();
	p->entry_at = 0;
}
