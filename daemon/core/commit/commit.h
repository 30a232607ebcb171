/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commit thread appends the queued entries to the journal, syncs them as one group, and only
 * then gives them to the publisher.  It owns the journal; the main loop never waits for the disk,
 * and the thread never waits for a subscriber.
 *
 * Threads: main, unless noted otherwise.
 */
#ifndef ASSAY_CORE_COMMIT_COMMIT_H
#define ASSAY_CORE_COMMIT_COMMIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "journal/journal.h"

struct beat;
struct commit_item;
struct published;
struct publisher;

/* Completions marked `may_wait` are delivered together, once this many bytes are pending. */
#define COMMIT_WAIT_BYTES (256u << 10)

struct commit_options {
	bool always; /* publish after the sync; else after the append, syncing at least every */
	uint64_t every_ns;           /* ... this often */
	struct published *published; /* gets what is readable; may be NULL */
	/* Called on the thread between the commit of a group and its publication; may be NULL. */
	void (*committed)(void *arg);
	void *arg;
	struct beat *beat; /* of the thread; may be NULL */
};

struct commit;

/*
 * Starts the thread.  Takes `journal` and `publisher` for as long as it runs.  `wake_fd` is an
 * eventfd (borrowed) that is written when commit_collect() has something to do that cannot wait.
 */
int commit_start(struct commit **out, struct journal *journal, struct publisher *publisher,
	const struct commit_options *options, int wake_fd);

/* Commits the queue, gives it to the publisher, ends the thread and frees; NULL is legal. */
int commit_stop(struct commit *commit);

/* Queues an item, taking the reference.  Order of calls is order of seq. */
void commit_put(struct commit *commit, struct commit_item *item);

/* Calls `done` of the items that were committed since the last call; at least once a second. */
void commit_collect(struct commit *commit);

struct commit_status {
	uint64_t head;       /* last seq committed and given to the publisher */
	uint64_t queued;     /* bytes waiting */
	uint64_t waiting_ns; /* how long the present group has been under way; 0: none is */
	int error; /* the journal's last error while it persists, negative errno; 0: none */
};
void commit_status(struct commit *commit, struct commit_status *status);

#endif
