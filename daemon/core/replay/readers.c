/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_TOPIC "replay"
#include "base/clock.h"
#include "base/log.h"
#include "core/replay/readers.h"
#include "record/entry.h"

#define READERS_MAX 8
#define IDLE_NS     (10 * NS_PER_S)
#define STEP_SEQS   4096              /* between two looks at the clock */
#define HEAD_BYTES  ((size_t)4 << 10) /* room for the map before the entries */

struct cached_reader {
	struct journal_reader *reader; /* NULL: free */
	uint8_t journal[JOURNAL_ID_SIZE];
	char topic[JOURNAL_TOPIC_MAX];
	size_t topic_len;
	bool is_prefix;
	uint64_t used;     /* CLOCK_BOOTTIME */
	uint64_t next;     /* seq that the reader returns next, or that of `overflow` */
	uint8_t *overflow; /* an entry that did not fit in the last page; NULL: none */
	size_t overflow_len;
	size_t last_size; /* bytes of the last page */

	/* The next page, requested or read; then `next` is behind it. */
	bool wants_ahead;
	uint64_t ahead_to;
	size_t ahead_bytes;
	struct replay_range *ahead; /* NULL: not read */
};

struct reader_cache {
	char path[PATH_MAX];
	uint64_t turn_ns;
	int error; /* of the last read; logged when it changes */
	struct cached_reader list[READERS_MAX];
};

/* --- the cache ------------------------------------------------------------------------------- */

static void drop_ahead(struct cached_reader *cached)
{
	if (cached->ahead != NULL)
		page_drop(cached->ahead->page);
	free(cached->ahead);
	cached->ahead = NULL;
	cached->wants_ahead = false;
}

static void clear(struct cached_reader *cached)
{
	drop_ahead(cached);
	journal_reader_close(cached->reader);
	free(cached->overflow);
	*cached = (struct cached_reader){0};
}

struct reader_cache *reader_cache_create(const char *path, unsigned turn_ms)
{
	struct reader_cache *cache = calloc(1, sizeof *cache);
	if (cache == NULL)
		return NULL;
	snprintf(cache->path, sizeof cache->path, "%s", path);
	cache->turn_ns = turn_ms * NS_PER_MS;
	return cache;
}

void reader_cache_destroy(struct reader_cache *cache)
{
	for (size_t i = 0; cache != NULL && i < READERS_MAX; i++)
		clear(&cache->list[i]);
	free(cache);
}

void reader_cache_expire(struct reader_cache *cache)
{
	uint64_t now = clock_boot();
	for (size_t i = 0; i < READERS_MAX; i++) {
		if (cache->list[i].reader != NULL && now > cache->list[i].used + IDLE_NS)
			clear(&cache->list[i]);
	}
}

static bool matches_topic(void *arg, const char *topic, size_t len)
{
	const struct cached_reader *cached = arg;
	return (cached->is_prefix ? len >= cached->topic_len : len == cached->topic_len) &&
	       memcmp(topic, cached->topic, cached->topic_len) == 0;
}

static int open_reader(
	struct reader_cache *cache, struct cached_reader *cached, const struct replay_range *range)
{
	clear(cached);
	int r = journal_reader_open(
		&cached->reader, &io_posix, cache->path, range->journal, entry_place);
	if (r < 0) {
		cached->reader = NULL;
		return r;
	}
	memcpy(cached->journal, range->journal, JOURNAL_ID_SIZE);
	memcpy(cached->topic, range->topic, range->topic_len);
	cached->topic_len = range->topic_len;
	cached->is_prefix = range->is_prefix;
	cached->next = 1;
	if (range->topic_len > 0 || !range->is_prefix)
		journal_reader_filter(cached->reader, matches_topic, cached);
	return 0;
}

/* The first seq of this reader's next page. */
static uint64_t position(const struct cached_reader *cached)
{
	return cached->ahead != NULL ? cached->ahead->from : cached->next;
}

static void seek(struct cached_reader *cached, uint64_t seq)
{
	drop_ahead(cached);
	free(cached->overflow);
	cached->overflow = NULL;
	cached->next = seq;
	journal_reader_seek(cached->reader, seq);
}

/*
 * Finds a reader of this journal and topic: the one at `range->from` already; or, if all are in use,
 * another one, which seeks; or opens one in place of the reader unused for longest.
 */
static int find_reader(
	struct reader_cache *cache, const struct replay_range *range, struct cached_reader **found)
{
	struct cached_reader *same = NULL, *oldest = &cache->list[0];
	for (size_t i = 0; i < READERS_MAX; i++) {
		struct cached_reader *cached = &cache->list[i];
		bool fits = cached->reader != NULL &&
			    memcmp(cached->journal, range->journal, JOURNAL_ID_SIZE) == 0 &&
			    cached->is_prefix == range->is_prefix &&
			    cached->topic_len == range->topic_len &&
			    memcmp(cached->topic, range->topic, range->topic_len) == 0;
		if (fits && (same == NULL || position(cached) == range->from))
			same = cached;
		if (cached->used < oldest->used)
			oldest = cached;
	}
	bool is_there = same != NULL && position(same) == range->from;
	*found = same != NULL && (is_there || oldest->reader != NULL) ? same : oldest;
	int r = *found != same ? open_reader(cache, *found, range) : 0;
	if (r == 0 && position(*found) != range->from)
		seek(*found, range->from);
	(*found)->used = clock_boot();
	return r;
}

/* --- pages ----------------------------------------------------------------------------------- */

static bool has_room(const struct replay_range *range, size_t len)
{
	if (range->page == NULL || page_count(range->page) == 0)
		return true;
	return page_count(range->page) < REPLAY_ENTRIES_MAX &&
	       page_bytes(range->page) + len + HEAD_BYTES <= range->bytes_max;
}

static int add_entry(
	struct cached_reader *cached, struct replay_range *range, const uint8_t *bytes, size_t len)
{
	if (range->takes != NULL && !range->takes(range->arg, bytes, len))
		return 0;
	if (range->page == NULL) { /* probably as large as the last one */
		size_t size = cached->last_size > range->bytes_max / 2 ? range->bytes_max
								       : cached->last_size;
		range->page = page_create(len > size ? len : size);
	}
	return range->page == NULL ? -ENOMEM : page_add(range->page, bytes, len);
}

static int add_overflow(struct cached_reader *cached, struct replay_range *range)
{
	if (!has_room(range, cached->overflow_len))
		return 1;
	int r = add_entry(cached, range, cached->overflow, cached->overflow_len);
	if (r < 0)
		return r;
	free(cached->overflow);
	cached->overflow = NULL;
	cached->next++;
	return 0;
}

static int take_entry(
	struct cached_reader *cached, struct replay_range *range, const struct journal_found *found)
{
	if (has_room(range, found->len))
		return add_entry(cached, range, found->bytes, found->len);
	cached->overflow = malloc(found->len);
	if (cached->overflow == NULL)
		return -ENOMEM;
	memcpy(cached->overflow, found->bytes, found->len);
	cached->overflow_len = found->len;
	cached->next = found->seq;
	return 1;
}

static int take_gap(struct replay_range *range, const struct journal_found *found)
{
	bool is_pruned = found->kind == JOURNAL_GAP_PRUNED;
	struct replay_gap *last = range->gap_count > 0 ? &range->gaps[range->gap_count - 1] : NULL;
	if (last != NULL && last->to + 1 == found->seq && last->is_pruned == is_pruned) {
		last->to = found->to;
		return 0;
	}
	range->gaps[range->gap_count++] = (struct replay_gap){found->seq, found->to, is_pruned};
	return range->gap_count == REPLAY_GAPS_MAX;
}

/* Takes one entry, one gap, or STEP_SEQS without any.  1: the page is full. */
static int step(struct cached_reader *cached, struct replay_range *range)
{
	struct journal_found found;
	if (cached->overflow != NULL)
		return add_overflow(cached, range);
	uint64_t to = range->to - cached->next < STEP_SEQS ? range->to : cached->next + STEP_SEQS;
	int r = journal_reader_next(cached->reader, to, &found);
	if (r < 0)
		return r;
	cached->next = r == 0 ? to + 1 : found.to + 1;
	if (r == 0)
		return 0;
	return found.kind == JOURNAL_ENTRY ? take_entry(cached, range, &found)
					   : take_gap(range, &found);
}

/* Reads on until the page is full, the turn is over, or the range is read. */
static int fill(struct cached_reader *cached, struct replay_range *range, uint64_t turn_ns)
{
	uint64_t until = clock_boot() + turn_ns;
	int r = 0;
	while (r == 0 && cached->next <= range->to) {
		r = step(cached, range);
		if (clock_boot() > until)
			break;
	}
	range->next = cached->next <= range->to ? cached->next : 0;
	return r < 0 ? r : 0;
}

/* --- reading ahead ----------------------------------------------------------------------------
 *
 * While a page is on its way, the next one is read: a consumer that pages through a journal waits
 * for the network only.
 */

static struct cached_reader *find_ahead(struct reader_cache *cache)
{
	for (size_t i = 0; i < READERS_MAX; i++) {
		if (cache->list[i].wants_ahead)
			return &cache->list[i];
	}
	return NULL;
}

bool reader_cache_can_read_ahead(struct reader_cache *cache)
{
	return find_ahead(cache) != NULL;
}

void reader_cache_read_ahead(struct reader_cache *cache)
{
	struct cached_reader *cached = find_ahead(cache);
	struct replay_range *range = cached != NULL ? calloc(1, sizeof *range) : NULL;
	if (cached != NULL)
		cached->wants_ahead = false;
	if (range == NULL)
		return;
	range->from = cached->next;
	range->to = cached->ahead_to;
	range->bytes_max = cached->ahead_bytes;
	cached->ahead = range;
	if (fill(cached, range, cache->turn_ns) < 0)
		clear(cached); /* the next request reads again and reports the error */
}

/* Takes the page that was read ahead.  False: there is none that fits; `cached` is at range->from. */
static bool take_ahead(struct cached_reader *cached, struct replay_range *range)
{
	struct replay_range *ahead = cached->ahead;
	if (ahead == NULL)
		return false;
	uint64_t end = ahead->next != 0 ? ahead->next : ahead->to + 1;
	bool fits = end - 1 <= range->to && ahead->bytes_max == range->bytes_max &&
		    range->takes == NULL && range->page == NULL && range->gap_count == 0;
	if (!fits) {
		seek(cached, ahead->from);
		return false;
	}
	range->page = ahead->page;
	ahead->page = NULL;
	memcpy(range->gaps, ahead->gaps, sizeof range->gaps);
	range->gap_count = ahead->gap_count;
	range->next = end <= range->to ? end : 0;
	drop_ahead(cached);
	return true;
}

int reader_cache_read(struct reader_cache *cache, struct replay_range *range)
{
	struct cached_reader *cached;
	assert(range->topic_len <= sizeof cached->topic);
	assert(range->from > 0);
	range->next = 0;
	if (range->from > range->to)
		return 0;
	if (range->gap_count == REPLAY_GAPS_MAX) {
		range->next = range->from;
		return 0;
	}
	int r = find_reader(cache, range, &cached);
	if (r == 0 && !take_ahead(cached, range))
		r = fill(cached, range, cache->turn_ns);
	if (r != cache->error && r < 0)
		log_error("a journal cannot be read: %s", strerror(-r));
	cache->error = r;
	if (r < 0) {
		clear(cached); /* its position is not known */
		return r;
	}
	cached->last_size = range->page != NULL ? page_bytes(range->page) : 0;
	cached->wants_ahead = range->next != 0 && range->takes == NULL;
	cached->ahead_to = range->to;
	cached->ahead_bytes = range->bytes_max;
	return 0;
}
