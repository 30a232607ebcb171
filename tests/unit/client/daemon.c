/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "daemon.h"
#include "record/encode.h"

const char *const fake_topics[TOPICS] = {"a1/data/ms/site/node/ms-1/",
	"a1/data/xrf/site/node/xrf-1/", "a1/data/xrf/site/node/xrf-10/",
	"a1/sim-data/xrf/site/node/xrf-2/", "a1/state/ms/site/node/ms-1/",
	"a1/audit/-/site/node/-/", "a1/data/ftir/site/node/gas-1/"};

void fake_renew(struct fake_daemon *daemon)
{
	assert(daemon->count < JOURNALS);
	struct fake_journal *j = &daemon->journals[daemon->count++];
	memset(j, 0, sizeof *j);
	/* Ids have no order of their own. */
	memset(j->id, (int)(daemon->count * 77 % 256), sizeof j->id);
}

static struct fake_journal *current(struct fake_daemon *daemon)
{
	return &daemon->journals[daemon->count - 1];
}

void fake_commit(struct fake_daemon *daemon, size_t topic)
{
	struct fake_journal *j = current(daemon);
	assert(j->count < ENTRIES);
	j->count++;
	j->entries[j->count] = (struct fake_entry){(uint8_t)topic, j->last[topic], false};
	j->last[topic] = j->count;
}

void fake_prune(struct fake_daemon *daemon, size_t journal, uint64_t first, uint64_t last)
{
	struct fake_journal *j = &daemon->journals[journal];
	for (uint64_t seq = first; seq <= last && seq <= j->count; seq++)
		j->entries[seq].is_gone = true;
}

struct assay_entry_view fake_view(const struct fake_daemon *daemon, size_t journal, uint64_t seq)
{
	const struct fake_journal *j = &daemon->journals[journal];
	const char *topic = fake_topics[j->entries[seq].topic];
	return (struct assay_entry_view){.journal = j->id,
		.seq = seq,
		.prev = j->entries[seq].prev,
		.tc = 1000 * (journal * ENTRIES + seq),
		.topic = {topic, strlen(topic)}};
}

static void put_topics(const struct fake_journal *j, struct map *map)
{
	struct map topics;
	map_open(&topics, map->to);
	for (size_t i = 0; i < TOPICS; i++) {
		if (j->last[i] > 0)
			map_uint(&topics, fake_topics[i], j->last[i]);
	}
	map_close(&topics);
}

void fake_head(const struct fake_daemon *daemon, struct buffer *to)
{
	const struct fake_journal *j = &daemon->journals[daemon->count - 1];
	struct map map;
	map_open(&map, to);
	map_uint(&map, "v", 1);
	map_bytes(&map, "journal", j->id, ASSAY_UUID_SIZE);
	map_uint(&map, "head", j->count);
	map_uint(&map, "tc", j->count * 1000);
	map_key(&map, "last");
	put_topics(j, &map);
	map_close(&map);
}

void fake_welcome(const struct fake_daemon *daemon, struct buffer *to)
{
	const struct fake_journal *now = &daemon->journals[daemon->count - 1];
	struct map map, row;
	map_open(&map, to);
	map_text(&map, "op", "welcome");
	map_uint(&map, "proto", 1);
	map_bytes(&map, "journal", now->id, sizeof now->id);
	map_uint(&map, "head", now->count);
	map_key(&map, "journals");
	encode_array(to, daemon->count);
	for (size_t i = 0; i < daemon->count; i++) {
		map_open(&row, to);
		map_bytes(&row, "journal", daemon->journals[i].id, ASSAY_UUID_SIZE);
		map_uint(&row, "first", 1);
		map_uint(&row, "last", daemon->journals[i].count);
		map_close(&row);
	}
	map_key(&map, "topics");
	put_topics(now, &map);
	map_close(&map);
}

static bool is_asked_for(const struct message_fetch *fetch, const char *topic)
{
	return fetch->is_prefix ? strncmp(topic, fetch->name, strlen(fetch->name)) == 0
				: strcmp(topic, fetch->name) == 0;
}

struct answer {
	struct message_gap gaps[ENTRIES];
	size_t gaps_count, count;
	uint64_t next;
};

static void add_gap(struct answer *a, uint64_t seq)
{
	struct message_gap *last = a->gaps_count > 0 ? &a->gaps[a->gaps_count - 1] : NULL;
	if (last != NULL && last->to + 1 == seq)
		last->to = seq;
	else
		a->gaps[a->gaps_count++] = (struct message_gap){seq, seq, ASSAY_GAP_PRUNED};
}

static void put_answer(const struct answer *a, uint64_t head, struct buffer *to)
{
	struct map map, gap;
	map_open(&map, to);
	map_text(&map, "op", "data");
	map_uint(&map, "count", a->count);
	map_uint(&map, "next", a->next);
	map_uint(&map, "head", head);
	map_key(&map, "gaps");
	encode_array(to, a->gaps_count);
	for (size_t i = 0; i < a->gaps_count; i++) {
		map_open(&gap, to);
		map_uint(&gap, "from", a->gaps[i].from);
		map_uint(&gap, "to", a->gaps[i].to);
		map_text(&gap, "why", "pruned");
		map_close(&gap);
	}
	map_close(&map);
}

size_t fake_fetch(const struct fake_daemon *daemon, const struct message_fetch *fetch,
	struct buffer *to, size_t *journal, uint64_t *seqs)
{
	static struct answer a;
	a.gaps_count = a.count = 0;
	a.next = 0;
	*journal = 0;
	while (memcmp(daemon->journals[*journal].id, fetch->journal, ASSAY_UUID_SIZE) != 0)
		(*journal)++;
	const struct fake_journal *j = &daemon->journals[*journal];
	uint64_t page = fetch->max_bytes == 1 ? 1 : daemon->page;
	for (uint64_t seq = fetch->from; seq <= fetch->to && seq <= j->count; seq++) {
		const struct fake_entry *e = &j->entries[seq];
		if (a.count == page || a.gaps_count == 5) {
			a.next = seq;
			break;
		}
		if (e->is_gone)
			add_gap(&a, seq); /* of any topic, as the real one */
		else if (is_asked_for(fetch, fake_topics[e->topic]))
			seqs[a.count++] = seq;
	}
	put_answer(&a, j->count, to);
	return a.count;
}
