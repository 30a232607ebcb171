/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <cbor.h>

#include "base/clock.h"
#include "core/commit/item.h"
#include "core/commit/ledger.h"
#include "record/entry.h"

/* Of entry = [1, journal, seq, prev, tc, topic, body] everything but topic and body. */
#define ENVELOPE_MAX 64

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

static uint64_t commit_time(const struct ledger *l)
{
	uint64_t now = clock_utc();
	return now > l->tc ? now : l->tc;
}

static size_t put_envelope(
	const struct ledger *l, const struct ledger_record *record, uint64_t tc, uint8_t *to)
{
	uint8_t *at = to, *end = to + ENVELOPE_MAX + JOURNAL_TOPIC_MAX;
	at += cbor_encode_array_start(7, at, (size_t)(end - at));
	at += cbor_encode_uint(1, at, (size_t)(end - at));
	at += cbor_encode_bytestring_start(JOURNAL_ID_SIZE, at, (size_t)(end - at));
	memcpy(at, l->journal, JOURNAL_ID_SIZE);
	at += JOURNAL_ID_SIZE;
	at += cbor_encode_uint(l->seq + 1, at, (size_t)(end - at));
	at += cbor_encode_uint(record->topic->last, at, (size_t)(end - at));
	at += cbor_encode_uint(tc, at, (size_t)(end - at));
	at += cbor_encode_string_start(record->topic->len, at, (size_t)(end - at));
	memcpy(at, record->topic->text, record->topic->len);
	at += record->topic->len;
	at += cbor_encode_bytestring_start(
		record->head_len + record->part_len, at, (size_t)(end - at));
	return (size_t)(at - to);
}

int ledger_put(struct ledger *l, const struct ledger_record *record, struct ledger_receipt *receipt)
{
	size_t room = ENVELOPE_MAX + JOURNAL_TOPIC_MAX + record->head_len + record->part_len;
	struct commit_item *item = commit_item_create(room);
	if (item == NULL)
		return -ENOMEM;
	uint64_t tc = commit_time(l);
	item->len = put_envelope(l, record, tc, item->bytes);
	memcpy(item->bytes + item->len, record->head, record->head_len);
	item->len += record->head_len;
	if (record->part_len > 0)
		memcpy(item->bytes + item->len, record->part, record->part_len);
	item->len += record->part_len;

	item->seq = ++l->seq;
	item->tc = l->tc = tc;
	item->topic = record->topic->text;
	item->topic_len = record->topic->len;
	record->topic->last = item->seq;
	item->roll = record->roll;
	item->done = record->done;
	item->arg = record->arg;
	item->may_wait = record->may_wait;
	item->tag = record->tag;
	if (receipt != NULL) {
		receipt->seq = item->seq;
		receipt->tc = tc;
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
