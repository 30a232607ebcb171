/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading journals for replay: pages of entries and gaps.  A reader is kept with its place for
 * whoever asks for the next page, so that paging through a journal costs one walk over it.
 *
 * Thread: the replay thread's.
 */
#ifndef ASSAY_CORE_REPLAY_READ_H
#define ASSAY_CORE_REPLAY_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/replay/page.h"
#include "journal/reader.h"

#define REPLAY_BYTES_MAX   ((size_t)4 << 20) /* of a reply, but for a single larger entry */
#define REPLAY_BYTES_MIN   ((size_t)4 << 10)
#define REPLAY_ENTRIES_MAX 16384 /* of a reply */
#define REPLAY_GAPS_MAX    64    /* of a reply */
#define REPLAY_TURN_MS     100   /* after which a reply goes out with what there is */

struct shelf; /* readers in use */

/*
 * `path` as in journal_reader_open(), copied.  A turn of `turn_ms` bounds each reply; however
 * short, a reply gets further than the one before.  Owned; NULL: no memory.
 */
struct shelf *shelf_create(const char *path, unsigned turn_ms);
void shelf_destroy(struct shelf *shelf);

/* Closes readers that nobody used for a while, so that no removed file is held open. */
void shelf_tidy(struct shelf *shelf);

struct replay_gap {
	uint64_t from, to;
	bool is_pruned; /* else it is damaged */
};

/* What is wanted, and what was found. */
struct replay_part {
	const uint8_t *journal;
	const char *topic; /* exactly this one, or those that begin with it; not terminated */
	size_t topic_len;
	bool is_prefix;
	uint64_t from, to; /* inclusive, `to` not past what is published */
	size_t bytes_max;

	/* Of the entries, only those for which this says true; NULL: all.  Borrows `arg`. */
	bool (*takes)(void *arg, const uint8_t *entry, size_t len);
	void *arg;

	struct page *page; /* made when there is none; the caller's */
	struct replay_gap gaps[REPLAY_GAPS_MAX];
	size_t gap_count;
	uint64_t next; /* where to go on, 0: everything up to `to` was looked at */
};

/*
 * Adds to page and gaps until the reply is full or the turn is over.  0, or a negative errno with
 * what was found so far.  -ENOENT: no such journal.
 */
int shelf_read(struct shelf *shelf, struct replay_part *part);

/*
 * Whether there is a page to read that will probably be asked for next, and reading one such.  To
 * be called when nobody is waiting.
 */
bool shelf_wants_ahead(const struct shelf *shelf);
void shelf_read_ahead(struct shelf *shelf);

#endif
