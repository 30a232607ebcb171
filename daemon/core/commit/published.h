/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The readable journals below a path, in order; of the current one also its committed head and the
 * last seq of each topic.  The commit thread updates it; readers of the journal (replay, durable
 * cursors, retention) query it.
 *
 * Threads: published_note() belongs to the commit thread, the queries to any.
 */
#ifndef ASSAY_CORE_REPLAY_PUBLISHED_H
#define ASSAY_CORE_REPLAY_PUBLISHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "journal/journal.h"

struct commit_item;
struct published;

/* One journal; first > last: it is empty, or all of it was removed. */
struct published_journal {
	uint8_t id[JOURNAL_ID_SIZE];
	uint64_t first, last;
};

/*
 * Takes stock of the journals below `path`, before the commit thread starts with `journal`, the
 * current one; `before` is the id of the one that it has just replaced, or NULL.  Reads one entry
 * of each.  Owned through `out`; negative errno.
 */
int published_open(struct published **out, const char *path, const struct journal *journal,
	const uint8_t *before);

/* NULL is legal. */
void published_close(struct published *published);

/*
 * These entries are committed and about to be sent on the live socket: a consumer that misses one
 * there can fetch it from now on.
 */
void published_note(struct published *published, struct commit_item *const *items, size_t count);

/* The current journal, borrowed until close; its last seq; the last seq on a topic, 0: none. */
const uint8_t *published_id(const struct published *published);
uint64_t published_head(struct published *published);
uint64_t published_last(struct published *published, const char *topic, size_t len);

/*
 * Calls `each` for every topic of the current journal, with the lock held: it must be brief.
 * Returns the head that goes with it.
 */
uint64_t published_topics(struct published *published,
	void (*each)(void *arg, const char *topic, size_t len, uint64_t last), void *arg);

/* How many journals there are, and the one at `i`, oldest first, the current one last. */
size_t published_count(const struct published *published);
void published_at(struct published *published, size_t i, struct published_journal *journal);

/* The place of a journal in that order, -1: there is none of this id. */
ssize_t published_find(const struct published *published, const uint8_t id[JOURNAL_ID_SIZE]);

/* Segments of journal `i` were removed: `first` is the first seq still there. */
void published_removed(struct published *published, size_t i, uint64_t first);

#endif
