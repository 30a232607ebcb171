/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
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

struct publisher {
	void *socket;
	struct endpoint_file *endpoint;
	char head_topic[JOURNAL_TOPIC_MAX + 1];
	uint64_t beat_at;      /* when the last heartbeat was sent */
	uint64_t entry_at;     /* when the last entry was sent, 0: none since the heartbeat */
	uint64_t tc;           /* of the last entry */
	struct buffer message; /* of the heartbeat */
};

int publisher_open(
	struct publisher **out, void *context, const char *endpoint, const char *head_topic)
{
	struct publisher *p = calloc(1, sizeof *p);
	if (p == NULL)
		return -ENOMEM;
	strncpy(p->head_topic, head_topic, sizeof p->head_topic - 1);
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
	buffer_finish(&p->message);
	free(p);
}

static void let_go(void *data, void *hint)
{
	commit_item_unref(hint);
}

void publisher_send(struct publisher *p, struct commit_item *item)
{
	zmq_msg_t body;
	if (zmq_msg_init_data(&body, item->bytes, item->len, let_go, item) < 0) {
		commit_item_unref(item); /* no memory: the subscriber sees the gap and fetches it */
		return;
	}
	if (zmq_send(p->socket, item->topic, item->topic_len, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0 ||
		zmq_msg_send(&body, p->socket, ZMQ_DONTWAIT) < 0)
		zmq_msg_close(&body);
	p->tc = item->tc;
	p->entry_at = clock_boot();
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

void publisher_beat(struct publisher *p, const struct journal *journal)
{
	if (clock_boot() < publisher_due(p))
		return;
	endpoint_look(p->endpoint);
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
	if (!p->message.failed && zmq_send(p->socket, p->head_topic, strlen(p->head_topic),
					  ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0)
		zmq_send(p->socket, p->message.data, p->message.len, ZMQ_DONTWAIT);
	p->beat_at = clock_boot();
	p->entry_at = 0;
}
