/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/commit/item.h"
#include "core/commit/published.h"
#include "journal/reader.h"
#include "journal/topics.h"
#include "record/keys.h"

/* A journal while its place in the order is sought. */
struct volume {
	struct published_journal range;
	uint64_t tc;     /* of its first entry that can be read, 0: none */
	bool has_before; /* its own first record names the journal before it */
	bool is_placed;
	uint8_t before[JOURNAL_ID_SIZE];
};

struct published {
	char path[PATH_MAX];
	pthread_mutex_t lock;
	struct volume *list; /* oldest first, the current one last; only `first` ever changes */
	size_t count;
	uint64_t head; /* of the current one */
	struct topics topics;
};

/* --- the order of journals ------------------------------------------------------------------- */

/* A journal starts with an audit record whose `after` names the one that it replaces. */
static const struct keys after_keys = {.open = true,
	.rows = (const struct key[]){
		{"old_journal", KEY_FIXED, .limit = JOURNAL_ID_SIZE},
		{0},
	}};

static const struct keys opened_keys = {.open = true,
	.rows = (const struct key[]){
		{"after", KEY_MAP, .keys = &after_keys, .lenient = true},
		{0},
	}};

static int read_start(const char *path, struct volume *volume)
{
	struct journal_reader *reader;
	struct journal_found found;
	struct assay_entry_view entry;
	int r = journal_reader_open(&reader, &io_posix, path, volume->range.id, NULL);
	if (r < 0)
		return r;
	journal_reader_seek(reader, volume->range.first);
	r = journal_reader_next(reader, volume->range.last, &found);
	if (r == 1 && found.kind == JOURNAL_ENTRY &&
		assay_entry_read(found.bytes, found.len, &entry) == 0) {
		const uint8_t *before = NULL;
		volume->tc = entry.tc;
		if (entry.seq == 1)
			keys_decode(&opened_keys, entry.body.data, entry.body.len, &before);
		volume->has_before = before != NULL;
		if (before != NULL)
			memcpy(volume->before, before, sizeof volume->before);
	}
	journal_reader_close(reader);
	return r < 0 ? r : 0;
}

static int add_volume(void *arg, const uint8_t id[JOURNAL_ID_SIZE])
{
	struct published *p = arg;
	struct volume *grown = realloc(p->list, (p->count + 1) * sizeof *grown);
	if (grown == NULL)
		return -ENOMEM;
	p->list = grown;
	struct volume *volume = &p->list[p->count];
	*volume = (struct volume){0};
	memcpy(volume->range.id, id, JOURNAL_ID_SIZE);
	int r = journal_range(&io_posix, p->path, id, &volume->range.first, &volume->range.last);
	if (r == 0)
		r = read_start(p->path, volume);
	if (r == 0)
		p->count++;
	return r == -ENOMEM ? r : 0;
}

static struct volume *find_before(struct published *p, const struct volume *after)
{
	struct volume *found = NULL;
	for (size_t i = 0; i < p->count; i++) {
		struct volume *volume = &p->list[i];
		if (volume->is_placed)
			continue;
		if (after->has_before &&
			memcmp(volume->range.id, after->before, JOURNAL_ID_SIZE) == 0)
			return volume;
		if (found == NULL || volume->tc > found->tc)
			found = volume; /* unless one is named, the youngest of the others */
	}
	return found;
}

/* From the current one backwards: commit times alone do not tell, a clock may have been set back. */
static int put_in_order(struct published *p, const uint8_t *current)
{
	struct volume *ordered = calloc(p->count, sizeof *ordered);
	if (ordered == NULL)
		return -ENOMEM;
	struct volume *at = &p->list[p->count - 1];
	for (size_t i = 0; i < p->count; i++) {
		if (memcmp(p->list[i].range.id, current, JOURNAL_ID_SIZE) == 0)
			at = &p->list[i];
	}
	for (size_t i = p->count; i > 0; i--) {
		at->is_placed = true;
		ordered[i - 1] = *at;
		at = find_before(p, at);
	}
	free(p->list);
	p->list = ordered;
	return 0;
}

static int seed_topic(void *arg, const char *topic, size_t len, uint64_t last)
{
	struct topics *topics = arg;
	uint32_t id = topics_add(topics, topic, len);
	topics_advance(topics, id, last);
	return id == TOPIC_NONE ? -ENOMEM : 0;
}

int published_open(struct published **out, const char *path, const struct journal *journal,
	const uint8_t *before)
{
	struct published *p = calloc(1, sizeof *p);
	if (p == NULL)
		return -ENOMEM;
	pthread_mutex_init(&p->lock, NULL);
	snprintf(p->path, sizeof p->path, "%s", path);
	p->head = journal_head(journal);
	const uint8_t *id = journal_id(journal);
	int r = journal_each(&io_posix, path, add_volume, p);
	if (r == 0 && published_find(p, id) < 0)
		r = add_volume(p, id);
	if (r == 0 && published_find(p, id) < 0)
		r = -EIO;
	if (r == 0 && before != NULL) {
		struct volume *volume = &p->list[published_find(p, id)];
		memcpy(volume->before, before, JOURNAL_ID_SIZE);
		volume->has_before = true;
	}
	if (r == 0)
		r = put_in_order(p, id);
	if (r == 0)
		r = journal_topics(journal, seed_topic, &p->topics);
	if (r < 0) {
		published_close(p);
		return r;
	}
	*out = p;
	return 0;
}

void published_close(struct published *p)
{
	if (p == NULL)
		return;
	topics_finish(&p->topics);
	pthread_mutex_destroy(&p->lock);
	free(p->list);
	free(p);
}

/* --- the current one ------------------------------------------------------------------------- */

void published_note(struct published *p, struct commit_item *const *items, size_t count)
{
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < count; i++) {
		uint32_t topic = topics_add(&p->topics, items[i]->topic, items[i]->topic_len);
		topics_advance(&p->topics, topic, items[i]->seq);
		p->head = items[i]->seq;
	}
	pthread_mutex_unlock(&p->lock);
}

const uint8_t *published_id(const struct published *p)
{
	return p->list[p->count - 1].range.id;
}

uint64_t published_head(struct published *p)
{
	pthread_mutex_lock(&p->lock);
	uint64_t head = p->head;
	pthread_mutex_unlock(&p->lock);
	return head;
}

uint64_t published_last(struct published *p, const char *topic, size_t len)
{
	pthread_mutex_lock(&p->lock);
	uint32_t id = topics_find(&p->topics, topic, len);
	uint64_t last = id == TOPIC_NONE ? 0 : p->topics.list[id].last;
	pthread_mutex_unlock(&p->lock);
	return last;
}

uint64_t published_topics(struct published *p,
	void (*each)(void *arg, const char *topic, size_t len, uint64_t last), void *arg)
{
	pthread_mutex_lock(&p->lock);
	for (uint32_t i = 0; i < p->topics.count; i++) {
		const struct topic_row *topic = &p->topics.list[i];
		each(arg, topic->name, topic->len, topic->last);
	}
	uint64_t head = p->head;
	pthread_mutex_unlock(&p->lock);
	return head;
}

/* --- all of them ----------------------------------------------------------------------------- */

size_t published_count(const struct published *p)
{
	return p->count;
}

void published_at(struct published *p, size_t i, struct published_journal *journal)
{
	assert(i < p->count);
	pthread_mutex_lock(&p->lock);
	*journal = p->list[i].range;
	if (i == p->count - 1)
		journal->last = p->head;
	pthread_mutex_unlock(&p->lock);
}

ssize_t published_find(const struct published *p, const uint8_t id[JOURNAL_ID_SIZE])
{
	for (size_t i = p->count; i > 0; i--) {
		if (memcmp(p->list[i - 1].range.id, id, JOURNAL_ID_SIZE) == 0)
			return (ssize_t)i - 1;
	}
	return -1;
}

void published_removed(struct published *p, size_t i, uint64_t first)
{
	assert(i < p->count);
	pthread_mutex_lock(&p->lock);
	p->list[i].range.first = first;
	pthread_mutex_unlock(&p->lock);
}
