/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads pages of entries and gaps from journals.  Readers stay open in a cache with their position,
 * so that paging through a journal costs one walk over it, and the next page of a reader is read
 * ahead while the last one is on its way.
 *
 * Threads: the replay thread's.
 */
#ifndef ASSAY_CORE_REPLAY_READERS_H
#define ASSAY_CORE_REPLAY_READERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/replay/page.h"
#include "journal/reader.h"

#define REPLAY_BYTES_MAX   ((size_t)4 << 20) /* of a reply, except a single larger entry */
#define REPLAY_BYTES_MIN   ((size_t)4 << 10)
#define REPLAY_ENTRIES_MAX 16384 /* of a reply */
#define REPLAY_GAPS_MAX    64    /* of a reply */
#define REPLAY_TURN_MS     100   /* after this time a reply is sent with the entries found so far */

struct reader_cache;

/*
 * `path` as in journal_reader_open(), copied.  A turn of `turn_ms` bounds the time of each read;
 * however short, a read gets at least one step further.  Owned; NULL: out of memory.
 */
struct reader_cache *reader_cache_create(const char *path, unsigned turn_ms);
void reader_cache_destroy(struct reader_cache *cache);

struct replay_gap {
	uint64_t from, to;
	bool is_pruned; /* else it is damaged */
};

/* The request for a page, and the page. */
struct replay_range {
	const uint8_t *journal;
	const char *topic; /* exactly this one, or a prefix; not terminated */
	size_t topic_len;
	bool is_prefix;
	uint64_t from, to; /* inclusive, `to` not past the published entries */
	size_t bytes_max;

	/* Only the entries for which this returns true; NULL: all.  Borrows `arg`. */
	bool (*takes)(void *arg, const uint8_t *entry, size_t len);
	void *arg;

	struct page *page; /* the caller's; NULL: none yet */
	struct replay_gap gaps[REPLAY_GAPS_MAX];
	size_t gap_count;
	uint64_t next; /* the `from` of the next page; 0: the range is read up to `to` */
};

/*
 * Adds to page and gaps until the page is full or the turn is over.  0, or a negative errno with
 * the entries found so far.  -ENOENT: no such journal.
 */
int reader_cache_read(struct reader_cache *cache, struct replay_range *range);

/* Is there a page to read ahead?  Reads one; to be called when no request waits. */
bool reader_cache_can_read_ahead(struct reader_cache *cache);
void reader_cache_read_ahead(struct reader_cache *cache);

/* Closes readers that were not used for 10 s, so that no removed file stays open. */
void reader_cache_expire(struct reader_cache *cache);

#endif
