/* SPDX-License-Identifier: Apache-2.0 */
/* An entry on its way from the ledger through the journal to the live socket. */
#ifndef ASSAY_CORE_COMMIT_ITEM_H
#define ASSAY_CORE_COMMIT_ITEM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct live_queue;

/* Shared between the main thread, the journal and the live socket; the last reference frees it. */
struct commit_item {
	struct commit_item *next;
	atomic_uint refs;
	uint64_t seq, tc;
	const char *topic; /* interned in the ledger, lives as long as it */
	size_t topic_len;
	bool roll;   /* the segment ends here: the end of a large run */
	bool synced; /* durable before it is published, in every sync mode */

	/* Called on the main thread once the entry is committed, and published or about to be; may be NULL. */
	void (*done)(void *arg, const struct commit_item *item);
	bool may_wait; /* `done` is worth no wake-up: see COMMIT_WAIT_BYTES */
	void *arg;
	uint64_t tag; /* the caller's own */

	/* of publish.c: counts it until the live socket has sent it; the next of the queue */
	struct live_queue *live;
	struct commit_item *next_live;

	size_t len;
	uint8_t bytes[]; /* the entry, final */
};

/* Room for an entry of up to `size` bytes, one reference.  NULL: no memory. */
struct commit_item *commit_item_create(size_t size);
void commit_item_unref(struct commit_item *item);

#endif
