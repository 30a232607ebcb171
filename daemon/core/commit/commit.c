/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#define LOG_TOPIC "journal"
#include "base/beat.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/commit/commit.h"
#include "core/commit/item.h"
#include "core/commit/publish.h"
#include "core/commit/published.h"

/* A group is one sync; past this size a larger one gains nothing and delays the first. */
#define GROUP_BYTES_MAX (8u << 20)
#define GROUP_ITEMS_MAX 8192

/* How often a journal that failed twice is tried again. */
#define RETRY_NS NS_PER_S

struct chain {
	struct commit_item *first, **end;
	size_t bytes;
};

struct commit {
	struct journal *journal;
	struct publisher *publisher;
	struct commit_options options;
	int wake_fd;
	pthread_t thread;

	pthread_mutex_t lock;
	pthread_cond_t more;
	struct chain queued; /* main -> thread */
	struct chain done;   /* thread -> main */
	bool stopping;
	struct commit_status status;
	uint64_t group_since; /* CLOCK_BOOTTIME, 0: no group under way */

	/* of the thread alone */
	struct commit_item *group[GROUP_ITEMS_MAX];
	struct journal_item items[GROUP_ITEMS_MAX];
	size_t group_count; /* not yet finished */
	uint64_t sync_due, idle_due;
	int result;
};

static void chain_init(struct chain *chain)
{
	*chain = (struct chain){.end = &chain->first};
}

static void chain_put(struct chain *chain, struct commit_item *item)
{
	item->next = NULL;
	*chain->end = item;
	chain->end = &item->next;
	chain->bytes += item->len;
}

static struct commit_item *chain_take(struct chain *chain)
{
	struct commit_item *item = chain->first;
	if (item == NULL)
		return NULL;
	chain->first = item->next;
	if (chain->first == NULL)
		chain->end = &chain->first;
	chain->bytes -= item->len;
	return item;
}

static size_t take_group(struct commit *c)
{
	size_t count = 0, bytes = 0;
	while (count < GROUP_ITEMS_MAX && c->queued.first != NULL &&
		(count == 0 || bytes + c->queued.first->len <= GROUP_BYTES_MAX)) {
		struct commit_item *item = chain_take(&c->queued);
		bytes += item->len;
		c->group[count++] = item;
	}
	if (count > 0)
		c->group_since = clock_boot();
	c->group_count = count;
	return count;
}

/* Condition variables know CLOCK_MONOTONIC at best; deadlines here are in CLOCK_BOOTTIME. */
static struct timespec wait_until(uint64_t deadline)
{
	uint64_t now = clock_boot();
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	uint64_t ns = (uint64_t)t.tv_nsec + (deadline > now ? deadline - now : 0);
	t.tv_sec += (time_t)(ns / NS_PER_S);
	t.tv_nsec = (long)(ns % NS_PER_S);
	return t;
}

static void note_error(struct commit *c, int error)
{
	pthread_mutex_lock(&c->lock);
	int before = c->status.error;
	c->status.error = error;
	pthread_mutex_unlock(&c->lock);
	if (error != 0 && before == 0)
		log_error("cannot commit: %s; nothing is published until it can", strerror(-error));
	else if (error == 0 && before != 0)
		log_info("committing again");
}

static bool is_stopping(struct commit *c)
{
	pthread_mutex_lock(&c->lock);
	bool stopping = c->stopping;
	pthread_mutex_unlock(&c->lock);
	return stopping;
}

/* Waits between two tries, or until commit_stop(). */
static void wait_retry(struct commit *c)
{
	uint64_t until = clock_boot() + RETRY_NS;
	struct timespec t = wait_until(until);
	pthread_mutex_lock(&c->lock);
	while (!c->stopping && clock_boot() < until)
		pthread_cond_timedwait(&c->more, &c->lock, &t);
	pthread_mutex_unlock(&c->lock);
}

static int append_group(struct commit *c, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct commit_item *item = c->group[i];
		c->items[i] = (struct journal_item){.seq = item->seq,
			.tc = item->tc,
			.topic = item->topic,
			.topic_len = item->topic_len,
			.bytes = item->bytes,
			.len = item->len};
	}
	int r = journal_append(c->journal, c->items, count);
	while (r == -ENOMEM && !is_stopping(c)) {
		note_error(c, r);
		wait_retry(c);
		beat_pass();
		r = journal_append(c->journal, c->items, count);
	}
	return r;
}

/* After a failed append the items are queued in the journal, and the sync tries them again. */
static int sync_until_done(struct commit *c, int r)
{
	if (r == 0)
		r = journal_sync(c->journal);
	while (r < 0) {
		note_error(c, r);
		if (is_stopping(c))
			return r;
		wait_retry(c);
		beat_pass();
		r = journal_sync(c->journal);
	}
	note_error(c, 0);
	return 0;
}

static void finish_group(struct commit *c, size_t count, bool synced)
{
	bool wake = false;
	if (c->options.committed != NULL)
		c->options.committed(c->options.arg);
	if (c->options.published != NULL)
		published_note(c->options.published, c->group, count);
	for (size_t i = 0; i < count; i++) {
		wake = wake || (c->group[i]->done != NULL && !c->group[i]->may_wait);
		atomic_fetch_add(&c->group[i]->refs, synced ? 1 : 2);
		publisher_send(c->publisher, c->group[i]);
	}
	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < count; i++)
		chain_put(&c->done, c->group[i]);
	wake = wake || c->done.bytes >= COMMIT_WAIT_BYTES;
	c->status.head = c->group[count - 1]->seq;
	c->group_since = 0;
	c->group_count = 0;
	pthread_mutex_unlock(&c->lock);
	if (wake)
		eventfd_write(c->wake_fd, 1);
}

/* The items of an unsynced group stay borrowed by the journal: one reference each is kept. */
struct kept {
	struct kept *next;
	size_t count;
	struct commit_item *items[];
};

static void release_kept(struct kept **kept)
{
	while (*kept != NULL) {
		struct kept *k = *kept;
		*kept = k->next;
		for (size_t i = 0; i < k->count; i++)
			commit_item_unref(k->items[i]);
		free(k);
	}
}

static int keep_group(struct commit *c, struct kept **kept, size_t count)
{
	struct kept *k = malloc(sizeof *k + count * sizeof k->items[0]);
	if (k == NULL)
		return -ENOMEM;
	*k = (struct kept){.next = *kept, .count = count};
	memcpy(k->items, c->group, count * sizeof k->items[0]);
	*kept = k;
	return 0;
}

static int commit_group(struct commit *c, struct kept **kept, size_t count)
{
	bool roll = false, now = c->options.always;
	for (size_t i = 0; i < count; i++) {
		roll = roll || c->group[i]->roll;
		now = now || c->group[i]->synced;
	}
	int r = append_group(c, count);
	now = now || r < 0 || keep_group(c, kept, count) < 0;
	if (now) {
		r = sync_until_done(c, r);
		if (r < 0)
			return r;
		release_kept(kept);
	}
	finish_group(c, count, now);
	if (roll && journal_roll(c->journal) < 0)
		log_warn("the segment could not be closed after a large run");
	return 0;
}

static void sync_kept(struct commit *c, struct kept **kept)
{
	uint64_t now = clock_boot();
	if (*kept != NULL && now >= c->sync_due && sync_until_done(c, 0) == 0)
		release_kept(kept);
	if (now >= c->sync_due)
		c->sync_due = now + c->options.every_ns;
}

/* Sleeps until there is an item, the heartbeat or the periodic sync is due, or the end. */
static size_t wait_group(struct commit *c, bool *stopping)
{
	uint64_t until = publisher_due(c->publisher);
	if (!c->options.always && c->sync_due < until)
		until = c->sync_due;
	if (c->idle_due < until)
		until = c->idle_due;
	struct timespec t = wait_until(until);
	pthread_mutex_lock(&c->lock);
	while (c->queued.first == NULL && !c->stopping && clock_boot() < until)
		pthread_cond_timedwait(&c->more, &c->lock, &t);
	size_t count = take_group(c);
	*stopping = c->stopping;
	pthread_mutex_unlock(&c->lock);
	return count;
}

static void *commit_run(void *arg)
{
	pthread_setname_np(pthread_self(), "journal");
	struct commit *c = arg;
	struct kept *kept = NULL;
	bool stopping = false;
	beat_bind(c->options.beat);
	c->idle_due = clock_boot() + NS_PER_S;
	c->sync_due = clock_boot() + c->options.every_ns;
	for (;;) {
		size_t count = wait_group(c, &stopping);
		beat_pass();
		if (count > 0) {
			c->result = commit_group(c, &kept, count);
			if (c->result < 0)
				break;
			c->idle_due = clock_boot() + NS_PER_S;
		} else if (stopping) {
			break;
		} else if (clock_boot() >= c->idle_due) {
			journal_idle(c->journal, clock_utc());
			c->idle_due = clock_boot() + NS_PER_S;
		}
		if (!c->options.always)
			sync_kept(c, &kept);
		publisher_beat(c->publisher, c->journal);
	}
	int closed = journal_close(c->journal);
	if (c->result == 0)
		c->result = closed;
	release_kept(&kept);
	beat_release();
	return NULL;
}

int commit_start(struct commit **out, struct journal *journal, struct publisher *publisher,
	const struct commit_options *options, int wake_fd)
{
	struct commit *c = calloc(1, sizeof *c);
	if (c == NULL)
		return -ENOMEM;
	c->journal = journal;
	c->publisher = publisher;
	c->options = *options;
	c->wake_fd = wake_fd;
	c->status.head = journal_head(journal);
	chain_init(&c->queued);
	chain_init(&c->done);
	pthread_mutex_init(&c->lock, NULL);
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->more, &attr);
	pthread_condattr_destroy(&attr);
	int r = pthread_create(&c->thread, NULL, commit_run, c);
	if (r != 0) {
		free(c);
		return -r;
	}
	*out = c;
	return 0;
}

int commit_stop(struct commit *c)
{
	if (c == NULL)
		return 0;
	pthread_mutex_lock(&c->lock);
	c->stopping = true;
	pthread_cond_signal(&c->more);
	pthread_mutex_unlock(&c->lock);
	beat_wait(true);
	pthread_join(c->thread, NULL);
	beat_wait(false);
	commit_collect(c);

	int result = c->result;
	for (size_t i = 0; i < c->group_count; i++)
		commit_item_unref(c->group[i]);
	for (struct commit_item *item; (item = chain_take(&c->queued)) != NULL;)
		commit_item_unref(item);
	pthread_cond_destroy(&c->more);
	pthread_mutex_destroy(&c->lock);
	free(c);
	return result;
}

void commit_put(struct commit *c, struct commit_item *item)
{
	pthread_mutex_lock(&c->lock);
	bool was_empty = c->queued.first == NULL;
	chain_put(&c->queued, item);
	if (was_empty)
		pthread_cond_signal(&c->more);
	pthread_mutex_unlock(&c->lock);
}

void commit_collect(struct commit *c)
{
	pthread_mutex_lock(&c->lock);
	struct commit_item *item = c->done.first;
	chain_init(&c->done);
	pthread_mutex_unlock(&c->lock);
	while (item != NULL) {
		struct commit_item *next = item->next;
		if (item->done != NULL)
			item->done(item->arg, item);
		commit_item_unref(item);
		item = next;
	}
}

void commit_status(struct commit *c, struct commit_status *status)
{
	pthread_mutex_lock(&c->lock);
	*status = c->status;
	status->queued = c->queued.bytes;
	status->waiting_ns = c->group_since != 0 ? clock_boot() - c->group_since : 0;
	pthread_mutex_unlock(&c->lock);
}
