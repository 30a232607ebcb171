/* SPDX-License-Identifier: Apache-2.0 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "core/commit/commit.h"
#include "core/commit/item.h"
#include "journals.h"
#include "journal/writer.h"
#include "record/entry.h"
#include "record/read.h"

static void check(bool right, const char *what)
{
	if (right)
		return;
	fprintf(stderr, "journals: %s\n", what);
	abort();
}

static void open_journal(struct journals *journals)
{
	struct journal_report report;
	struct journal_options options = {.path = journals->path,
		.entry = entry_place,
		.now = clock_utc(),
		.segment_size = journals->segment_size};
	check(journal_open(&journals->journal, &io_posix, &options, &report) == 0, "journal_open");
	memcpy(journals->id, report.id, sizeof journals->id);
}

void journals_create(struct journals *journals)
{
	*journals = (struct journals){
		.segment_size = journals->segment_size, .is_hasty = journals->is_hasty};
	snprintf(journals->path, sizeof journals->path, "/tmp/test-journals-XXXXXX");
	check(mkdtemp(journals->path) != NULL, "mkdtemp");
	open_journal(journals);
}

void journals_renew(struct journals *journals)
{
	char current[80];
	check(journals->published == NULL, "renewed before it is opened");
	check(journal_close(journals->journal) == 0, "journal_close");
	snprintf(current, sizeof current, "%s/current", journals->path);
	check(unlink(current) == 0, "unlink");
	open_journal(journals);
}

static uint64_t put(struct journals *journals, const char *topic, const struct buffer *body)
{
	const struct topics *topics = &journals->journal->topics;
	uint32_t id = topics_find(topics, topic, strlen(topic));
	struct assay_entry_view entry = {
		.journal = journals->id,
		.seq = journal_head(journals->journal) + 1,
		.prev = id == TOPIC_NONE ? 0 : topics->list[id].last,
		.tc = clock_utc() - journals->clock_back,
		.topic = {topic, strlen(topic)},
		.body = {body->data, body->len},
	};
	struct commit_item *item = commit_item_create(ENTRY_HEAD_MAX + body->len);
	check(item != NULL, "commit_item_create");
	item->len = entry_encode_head(item->bytes, &entry);
	memcpy(item->bytes + item->len, body->data, body->len);
	item->len += body->len;
	item->seq = entry.seq;
	item->topic = topic;
	item->topic_len = strlen(topic);
	struct journal_item line = {.seq = entry.seq,
		.tc = entry.tc,
		.topic = topic,
		.topic_len = strlen(topic),
		.bytes = item->bytes,
		.len = item->len};
	check(journal_append(journals->journal, &line, 1) == 0, "journal_append");
	check(journal_sync(journals->journal) == 0, "journal_sync");
	if (journals->published != NULL)
		published_note(journals->published, &item, 1);
	commit_item_unref(item);
	return entry.seq;
}

uint64_t journals_put(struct journals *journals, const char *topic, size_t size)
{
	struct buffer body = {0};
	memset(buffer_reserve(&body, size), 0xf6, size);
	body.len = size;
	uint64_t seq = put(journals, topic, &body);
	buffer_finish(&body);
	return seq;
}

static void put_base(struct map *map)
{
	static const uint8_t id[16] = {9};
	struct map part;
	map_uint(map, "v", 1);
	map_bytes(map, "id", id, sizeof id);
	map_key(map, "t");
	map_open(&part, map->to);
	map_uint(&part, "utc", clock_utc());
	map_text(&part, "sync", "ntp");
	map_close(&part);
	map_key(map, "inst");
	map_open(&part, map->to);
	map_text(&part, "key", "xrf-1");
	map_text(&part, "source", "none");
	map_close(&part);
}

uint64_t journals_put_record(
	struct journals *journals, const char *topic, const char *type, uint8_t run)
{
	struct buffer body = {0};
	struct map map, part;
	const uint8_t id[16] = {run};
	char text[40];
	map_open(&map, &body);
	map_text(&map, "type", type);
	put_base(&map);
	map_bytes(&map, "run", id, sizeof id);
	if (strcmp(type, "run-start") == 0) {
		snprintf(text, sizeof text, "node/xrf-1/%d", run);
		map_text(&map, "number", text);
		snprintf(text, sizeof text, "S-%d", run);
		map_key(&map, "sample");
		map_open(&part, &body);
		map_text(&part, "id", text);
		map_close(&part);
	} else if (strcmp(type, "run-end") == 0) {
		map_uint(&map, "frames", 1);
		map_text(&map, "status", "complete");
	}
	map_close(&map);
	uint64_t seq = put(journals, topic, &body);
	struct assay_record_view record;
	check(assay_record_read(body.data, body.len, &record) == 0, "assay_record_read");
	buffer_finish(&body);
	return seq;
}

void journals_put_beginning(struct journals *journals, const uint8_t old[JOURNAL_ID_SIZE])
{
	struct buffer body = {0};
	struct map map, after;
	map_open(&map, &body);
	map_text(&map, "type", "audit");
	map_key(&map, "after");
	map_open(&after, &body);
	map_uint(&after, "head", 0);
	map_bytes(&after, "old_journal", old, JOURNAL_ID_SIZE);
	map_close(&after);
	map_close(&map);
	put(journals, JOURNALS_AUDIT, &body);
	buffer_finish(&body);
}

void journals_open(struct journals *journals)
{
	check(runs_load(&journals->runs, journals->path, journals->id,
		      journal_head(journals->journal)) == 0,
		"runs_load");
	check(published_open(&journals->published, journals->path, journals->journal, NULL) == 0,
		"published_open");
	check(cursors_open(&journals->cursors, journals->path, journals->published) == 0,
		"cursors_open");
	journals->readers = reader_cache_create(
		journals->path, journals->is_hasty ? 0 : JOURNALS_TURN_MS);
	journals->replay = (struct replay_sources){.node = "node",
		.published = journals->published,
		.runs = journals->runs,
		.cursors = journals->cursors,
		.readers = journals->readers,
		.leases = leases_create()};
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static void drop_answer(struct journals *journals)
{
	buffer_finish(&journals->answer.head);
	page_drop(journals->answer.page);
	journals->answer = (struct replay_answer){0};
}

void journals_close(struct journals *journals)
{
	drop_answer(journals);
	reader_cache_destroy(journals->readers);
	leases_destroy(journals->replay.leases);
	cursors_close(journals->cursors);
	runs_destroy(journals->runs);
	published_close(journals->published);
	journal_close(journals->journal);
	nftw(journals->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void journals_ask_raw(struct journals *journals, const void *data, size_t len)
{
	drop_answer(journals);
	const struct lease_peer peer = {.id = {(const uint8_t *)"test", 4}};
	replay_handle(&journals->replay, &peer, data, len, &journals->answer);
	if (reader_cache_can_read_ahead(journals->readers))
		reader_cache_read_ahead(journals->readers);
	struct reader r;
	read_init(&r, journals->answer.head.data, journals->answer.head.len);
	check(!journals->answer.head.failed && read_peek(&r) == READ_MAP && read_skip(&r) == 0 &&
			read_finish(&r) == 0,
		"the answer is one map");
}

void journals_ask(struct journals *journals, const char *op,
	void (*encode)(struct map *map, const void *arg), const void *arg)
{
	struct buffer request = {0};
	struct map map;
	map_open(&map, &request);
	map_text(&map, "op", op);
	if (encode != NULL)
		encode(&map, arg);
	map_close(&map);
	journals_ask_raw(journals, request.data, request.len);
	buffer_finish(&request);
}

/* Leaves `r` before the value of the key.  False: there is none. */
static bool find(const struct journals *journals, const char *key, struct reader *r)
{
	struct assay_string found;
	size_t pairs;
	read_init(r, journals->answer.head.data, journals->answer.head.len);
	read_map(r, &pairs);
	for (; pairs > 0 && read_key(r, &found) == 0; pairs--) {
		if (assay_string_is(found, key))
			return true;
		read_skip(r);
	}
	return false;
}

const char *journals_text(const struct journals *journals, const char *key)
{
	static char text[700];
	struct reader r;
	struct assay_string value = {0};
	if (find(journals, key, &r))
		read_text(&r, &value);
	snprintf(text, sizeof text, "%.*s", (int)value.len, value.len > 0 ? value.data : "");
	return text;
}

uint64_t journals_number(const struct journals *journals, const char *key)
{
	struct reader r;
	uint64_t value = 0;
	if (find(journals, key, &r) && read_peek(&r) == READ_ARRAY) {
		size_t items = 0;
		read_array(&r, &items);
		return items;
	}
	if (find(journals, key, &r))
		read_uint(&r, &value);
	return value;
}

size_t journals_count(const struct journals *journals)
{
	return journals->answer.page != NULL ? page_count(journals->answer.page) : 0;
}

uint64_t journals_seq(const struct journals *journals, size_t i)
{
	struct assay_entry_view entry;
	size_t len;
	check(i < journals_count(journals), "so many entries");
	const uint8_t *bytes = page_at(journals->answer.page, i, &len);
	check(assay_entry_read(bytes, len, &entry) == 0, "assay_entry_read");
	return entry.seq;
}
