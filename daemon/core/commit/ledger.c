/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "core/commit/item.h"
#include "core/commit/ledger.h"
#include "record/entry.h"

struct ledger {
	uint8_t journal[JOURNAL_ID_SIZE];
	struct commit *commit;
	uint64_t seq, tc;
	struct ledger_topic **topics;
	size_t topic_count;
};

static struct ledger_topic *add_topic(struct ledger *l, const char *text, size_t len, uint64_t last)
{
	struct ledger_topic **grown = realloc(l->topics, (l->topic_count + 1) * sizeof *grown);
	if (grown == NULL)
		return NULL;
	l->topics = grown;
	struct ledger_topic *topic = calloc(1, sizeof *topic);
	if (topic == NULL || len == 0 || len > JOURNAL_TOPIC_MAX) {
		free(topic);
		return NULL;
	}
	memcpy(topic->text, text, len);
	topic->len = len;
	topic->last = last;
	l->topics[l->topic_count++] = topic;
	return topic;
}

static int seed_topic(void *arg, const char *text, size_t len, uint64_t last)
{
	return add_topic(arg, text, len, last) != NULL ? 0 : -ENOMEM;
}

struct ledger *ledger_create(const struct journal *journal, uint64_t last_tc)
{
	struct ledger *l = calloc(1, sizeof *l);
	if (l == NULL)
		return NULL;
	memcpy(l->journal, journal_id(journal), sizeof l->journal);
	l->seq = journal_head(journal);
	l->tc = last_tc;
	if (journal_topics(journal, seed_topic, l) != 0) {
		ledger_destroy(l);
		return NULL;
	}
	return l;
}

void ledger_destroy(struct ledger *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < l->topic_count; i++)
		free(l->topics[i]);
	free(l->topics);
	free(l);
}

void ledger_attach(struct ledger *l, struct commit *commit)
{
	l->commit = commit;
}

struct ledger_topic *ledger_topic(struct ledger *l, const char *text)
{
	for (size_t i = 0; i < l->topic_count; i++) {
		if (strcmp(l->topics[i]->text, text) == 0)
			return l->topics[i];
	}
	return add_topic(l, text, strlen(text), 0);
}

int ledger_put(struct ledger *l, const struct ledger_record *record, struct ledger_receipt *receipt)
{
	uint64_t now = clock_utc();
	struct assay_entry_view entry = {.journal = l->journal,
		.seq = l->seq + 1,
		.prev = record->topic->last,
		.tc = now > l->tc ? now : l->tc,
		.topic = {record->topic->text, record->topic->len},
		.body.len = record->head_len + record->part_len};
	struct commit_item *item = commit_item_create(ENTRY_HEAD_MAX + entry.body.len);
	if (item == NULL)
		return -ENOMEM;
	item->len = entry_encode_head(item->bytes, &entry);
	memcpy(item->bytes + item->len, record->head, record->head_len);
	item->len += record->head_len;
	if (record->part_len > 0)
		memcpy(item->bytes + item->len, record->part, record->part_len);
	item->len += record->part_len;

	item->seq = l->seq = entry.seq;
	item->tc = l->tc = entry.tc;
	item->topic = record->topic->text;
	item->topic_len = record->topic->len;
	record->topic->last = item->seq;
	item->roll = record->roll;
	item->synced = record->synced;
	item->done = record->done;
	item->arg = record->arg;
	item->may_wait = record->may_wait;
	item->tag = record->tag;
	if (receipt != NULL) {
		receipt->seq = item->seq;
		receipt->tc = entry.tc;
		entry_leaf_hash(item->bytes, item->len, receipt->leaf);
	}
	commit_put(l->commit, item);
	return 0;
}

const uint8_t *ledger_journal_id(const struct ledger *l)
{
	return l->journal;
}

uint64_t ledger_head(const struct ledger *l)
{
	return l->seq;
}

uint64_t ledger_tc(const struct ledger *l)
{
	return l->tc;
}
