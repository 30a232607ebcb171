/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger gives every record its place: sequence number, the previous entry of its topic, and
 * commit time.  From here on an entry's bytes are final.
 *
 * Thread: the main thread's.
 */
#ifndef ASSAY_CORE_COMMIT_LEDGER_H
#define ASSAY_CORE_COMMIT_LEDGER_H

#include <stddef.h>
#include <stdint.h>

#include "core/commit/commit.h"
#include "journal/journal.h"

struct ledger;

/* A topic with its last seq; interned, borrowed until ledger_destroy(). */
struct ledger_topic {
	char text[JOURNAL_TOPIC_MAX + 1];
	size_t len;
	uint64_t last;
};

/*
 * Takes over the numbering of an opened journal, before the commit thread starts.  Returns owned,
 * NULL when there is no memory.
 */
struct ledger *ledger_create(const struct journal *journal, uint64_t last_tc);
void ledger_destroy(struct ledger *ledger);

/* From now on entries go to this thread (borrowed). */
void ledger_attach(struct ledger *ledger, struct commit *commit);

/* Finds or makes the topic.  NULL: no memory, or not a topic. */
struct ledger_topic *ledger_topic(struct ledger *ledger, const char *text);

/* The record to be written: two pieces, so that a worker's part is copied once. */
struct ledger_record {
	struct ledger_topic *topic;
	const uint8_t *head; /* the record's bytes, or those before `part` */
	size_t head_len;
	const uint8_t *part; /* may be NULL */
	size_t part_len;
	bool roll, synced; /* see struct commit_item, also the following */
	void (*done)(void *arg, const struct commit_item *item);
	void *arg;
	bool may_wait;
	uint64_t tag;
};

struct ledger_receipt {
	uint64_t seq, tc;
	uint8_t leaf[32]; /* SHA-256(0x00 || entry) */
};

/*
 * Makes the entry and queues it; copies the record.  `receipt` may be NULL.  0, or -ENOMEM with
 * nothing changed.
 */
int ledger_put(
	struct ledger *ledger, const struct ledger_record *record, struct ledger_receipt *receipt);

const uint8_t *ledger_journal_id(const struct ledger *ledger);
uint64_t ledger_head(const struct ledger *ledger);

/* The last commit time.  It stands still while the clock is behind it. */
uint64_t ledger_tc(const struct ledger *ledger);

#endif
