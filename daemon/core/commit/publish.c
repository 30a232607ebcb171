/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <zmq.h>

#define LOG_TOPIC "live"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/endpoint.h"
#include "base/log.h"
#include "base/remote.h"
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

#define LOOK_MS 1000

/* libzmq may free messages later than the publisher. */
struct live_queue {
	atomic_uint refs;    /* the publisher's, and one per message */
	atomic_size_t bytes; /* of messages in the queue and in the socket */
};

struct publisher {
	struct live_queue *queue;
	atomic_uint_least64_t skipped;
	atomic_bool is_full;
	int wake_fd;
	pthread_t thread;
	bool is_running;

	pthread_mutex_t lock;
	struct commit_item *first, **end; /* to be sent; linked by next_live */
	bool stopping;

	/* of the publisher's thread while it runs */
	void *socket;
	struct endpoint_file *endpoint;
	struct remote *remote; /* NULL: local subscribers only */

	/* of the commit thread */
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

/* --- the publisher's thread ------------------------------------------------------------------ */

/* Threads: libzmq's. */
static void let_go(void *data, void *hint)
{
	struct commit_item *item = hint;
	struct live_queue *queue = item->live;
	atomic_fetch_sub(&queue->bytes, item->len + MESSAGE_COST);
	queue_unref(queue);
	commit_item_unref(item);
}

/* Takes the queue's reference; libzmq has one of its own. */
static void send_item(struct publisher *p, struct commit_item *item)
{
	zmq_msg_t body;
	atomic_fetch_add(&item->refs, 1);
	if (zmq_msg_init_data(&body, item->bytes, item->len, let_go, item) < 0) {
		atomic_fetch_add(&p->skipped, 1);
		let_go(NULL, item);
	} else if (zmq_send(p->socket, item->topic, item->topic_len, ZMQ_SNDMORE | ZMQ_DONTWAIT) <
			   0 ||
		   zmq_msg_send(&body, p->socket, ZMQ_DONTWAIT) < 0)
		zmq_msg_close(&body);
	commit_item_unref(item);
}

/* All that waits; also true when it is time to end. */
static bool take_all(struct publisher *p, struct commit_item **first)
{
	pthread_mutex_lock(&p->lock);
	*first = p->first;
	p->first = NULL;
	p->end = &p->first;
	bool stopping = p->stopping;
	pthread_mutex_unlock(&p->lock);
	return stopping;
}

/*
 * zmq_poll() also does the work of the socket for its peers: their subscriptions, and the messages
 * of those that are gone.
 */
static void *publish_run(void *arg)
{
	pthread_setname_np(pthread_self(), "live");
	struct publisher *p = arg;
	zmq_pollitem_t items[] = {
		{.socket = p->socket, .events = ZMQ_POLLIN},
		{.fd = p->wake_fd, .events = ZMQ_POLLIN},
	};
	for (bool stopping = false; !stopping;) {
		struct commit_item *item, *next;
		eventfd_t count;
		if (zmq_poll(items, 2, LOOK_MS) > 0 && items[1].revents != 0)
			eventfd_read(p->wake_fd, &count);
		stopping = take_all(p, &item);
		for (; item != NULL; item = next) {
			next = item->next_live;
			send_item(p, item);
		}
		endpoint_look(p->endpoint);
		remote_look(p->remote);
	}
	return NULL;
}

/* --- start and stop -------------------------------------------------------------------------- */

static int open_socket(struct publisher *p, void *context, const char *endpoint)
{
	int hwm = SEND_HWM, linger = 1000;
	p->socket = zmq_socket(context, ZMQ_PUB);
	if (p->socket == NULL || zmq_setsockopt(p->socket, ZMQ_SNDHWM, &hwm, sizeof hwm) < 0 ||
		zmq_setsockopt(p->socket, ZMQ_LINGER, &linger, sizeof linger) < 0)
		return -errno;
	return endpoint_open(&p->endpoint, p->socket, endpoint);
}

int publisher_open(
	struct publisher **out, void *context, const char *endpoint, const char *head_topic)
{
	struct publisher *p = calloc(1, sizeof *p);
	if (p == NULL)
		return -ENOMEM;
	strncpy(p->head_topic, head_topic, sizeof p->head_topic - 1);
	p->end = &p->first;
	pthread_mutex_init(&p->lock, NULL);
	p->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	p->queue = calloc(1, sizeof *p->queue);
	int r = p->wake_fd < 0 ? -errno : p->queue == NULL ? -ENOMEM : 0;
	if (r == 0) {
		atomic_init(&p->queue->refs, 1);
		r = open_socket(p, context, endpoint);
	}
	if (r < 0) {
		publisher_close(p);
		return r;
	}
	*out = p;
	return 0;
}

int publisher_listen(struct publisher *p, const struct remote_place *place)
{
	return remote_open(&p->remote, p->socket, place);
}

int publisher_start(struct publisher *p)
{
	int r = -pthread_create(&p->thread, NULL, publish_run, p);
	p->is_running = r == 0;
	return r;
}

void publisher_close(struct publisher *p)
{
	if (p == NULL)
		return;
	if (p->is_running) {
		pthread_mutex_lock(&p->lock);
		p->stopping = true;
		pthread_mutex_unlock(&p->lock);
		eventfd_write(p->wake_fd, 1);
		pthread_join(p->thread, NULL);
	}
	endpoint_close(p->endpoint);
	remote_close(p->remote);
	if (p->socket != NULL)
		zmq_close(p->socket);
	if (p->wake_fd >= 0)
		close(p->wake_fd);
	pthread_mutex_destroy(&p->lock);
	queue_unref(p->queue);
	buffer_finish(&p->message);
	free(p);
}

/* --- the commit thread ----------------------------------------------------------------------- */

/*
 * Queues the item unless more than `limit` bytes would be held, taking one reference.  The thread is
 * woken in both cases: if there is no room, it finds the subscribers that are gone.
 */
static bool put_below(struct publisher *p, struct commit_item *item, size_t limit)
{
	size_t cost = item->len + MESSAGE_COST;
	bool fits = atomic_load(&p->queue->bytes) + cost <= limit, wake = true;
	if (fits) {
		item->live = p->queue;
		item->next_live = NULL;
		atomic_fetch_add(&p->queue->refs, 1);
		atomic_fetch_add(&p->queue->bytes, cost);
		pthread_mutex_lock(&p->lock);
		wake = p->first == NULL;
		*p->end = item;
		p->end = &item->next_live;
		pthread_mutex_unlock(&p->lock);
	} else {
		commit_item_unref(item);
	}
	if (wake)
		eventfd_write(p->wake_fd, 1);
	return fits;
}

static void note_full(struct publisher *p, bool was_put)
{
	if (!was_put && !p->is_full)
		log_warn("subscribers of the live socket read too slowly: %zu MiB wait for them; "
			 "large entries are left out there until they do, and are served by replay",
			atomic_load(&p->queue->bytes) >> 20);
	else if (was_put && p->is_full && atomic_load(&p->queue->bytes) <= LIVE_RESUME)
		log_info("all entries are published on the live socket again");
	else
		return;
	p->is_full = !was_put;
}

void publisher_send(struct publisher *p, struct commit_item *item)
{
	size_t limit = item->len < LIVE_LARGE ? LIVE_SMALL_MAX : LIVE_LARGE_MAX;
	p->tc = item->tc;
	bool was_put = put_below(p, item, limit);
	if (!was_put)
		atomic_fetch_add(&p->skipped, 1);
	note_full(p, was_put);
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

static void put_beat(struct publisher *p)
{
	struct commit_item *item = p->message.failed ? NULL : commit_item_create(p->message.len);
	if (item == NULL)
		return;
	memcpy(item->bytes, p->message.data, p->message.len);
	item->len = p->message.len;
	item->topic = p->head_topic;
	item->topic_len = strlen(p->head_topic);
	put_below(p, item, LIVE_BEATS_MAX);
}

void publisher_beat(struct publisher *p, const struct journal *journal)
{
	if (clock_boot() < publisher_due(p))
		return;
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
	put_beat(p);
	p->beat_at = clock_boot();
	p->entry_at = 0;
}
