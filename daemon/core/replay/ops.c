/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "core/replay/cursors.h"
#include "core/commit/published.h"
#include "core/replay/call.h"
#include "core/runs/rows.h"
#include "record/encode.h"

#define AMENDS_MAX 64 /* of one run */

/* `next` of a run's amends in later journals: their place in the list, not a seq. */
#define LATER_FROM (UINT64_C(1) << 62)

/* --- journals and entries -------------------------------------------------------------------- */

static int find_journal(
	struct replay_call *call, const uint8_t *id, struct published_journal *journal)
{
	struct published *published = call->desk->published;
	ssize_t i = published_find(published, id);
	if (i < 0)
		return replay_fail(call, "wrong-journal",
			"there is no journal of this id; `hello` lists those there are");
	published_at(published, (size_t)i, journal);
	return 0;
}

static int read_part(struct replay_call *call)
{
	int r = shelf_read(call->desk->shelf, &call->part);
	call->answer->page = call->part.page;
	if (r == 0)
		return 0;
	return replay_fail(call, "busy", "the journal cannot be read just now: %s", strerror(-r));
}

/* Reads the one entry `seq`, or the gap where it was. */
static int read_one(struct replay_call *call, const uint8_t *journal, uint64_t seq)
{
	struct replay_part *part = &call->part;
	part->journal = journal;
	part->topic = "";
	part->topic_len = 0;
	part->is_prefix = true;
	part->from = part->to = seq;
	return read_part(call);
}

static void put_gaps(struct map *map, const struct replay_part *part)
{
	struct map gap;
	map_key(map, "gaps");
	encode_array(map->to, part->gap_count);
	for (size_t i = 0; i < part->gap_count; i++) {
		map_open(&gap, map->to);
		map_uint(&gap, "from", part->gaps[i].from);
		map_uint(&gap, "to", part->gaps[i].to);
		map_text(&gap, "why", part->gaps[i].is_pruned ? "pruned" : "damaged");
		map_close(&gap);
	}
}

/* The map before the entries; `journal` NULL: who asked knows which. */
static int put_data(struct replay_call *call, uint64_t head, const uint8_t *journal)
{
	struct map map;
	const struct replay_part *part = &call->part;
	map_open(&map, &call->answer->head);
	map_text(&map, "op", "data");
	map_uint(&map, "count", part->page != NULL ? page_count(part->page) : 0);
	map_uint(&map, "next", part->next);
	map_uint(&map, "head", head);
	put_gaps(&map, part);
	map_bytes(&map, "journal", journal, JOURNAL_ID_SIZE);
	map_close(&map);
	return 0;
}

/* --- hello ----------------------------------------------------------------------------------- */

static void put_topic(void *arg, const char *topic, size_t len, uint64_t last)
{
	struct map *map = arg;
	encode_text_n(map->to, topic, len);
	encode_uint(map->to, last);
	map->pairs++;
}

static void put_journals(struct map *map, struct published *published, uint64_t head)
{
	struct map row;
	struct published_journal journal;
	size_t count = published_count(published);
	map_key(map, "journals");
	encode_array(map->to, count);
	for (size_t i = 0; i < count; i++) {
		published_at(published, i, &journal);
		map_open(&row, map->to);
		map_bytes(&row, "journal", journal.id, JOURNAL_ID_SIZE);
		map_uint(&row, "first", journal.first);
		map_uint(&row, "last", i + 1 < count ? journal.last : head);
		map_close(&row);
	}
}

static void put_limits(struct map *map)
{
	struct map limits;
	map_key(map, "limits");
	map_open(&limits, map->to);
	map_uint(&limits, "max_bytes", REPLAY_BYTES_MAX);
	map_uint(&limits, "max_entries", REPLAY_ENTRIES_MAX);
	map_uint(&limits, "max_request", REPLAY_REQUEST_MAX);
	map_uint(&limits, "max_runs", REPLAY_RUNS_MAX);
	map_uint(&limits, "max_cursors", CURSORS_MAX);
	map_uint(&limits, "max_marks", CURSOR_MARKS_MAX);
	map_close(&limits);
}

static int op_hello(struct replay_call *call)
{
	struct published *published = call->desk->published;
	if (replay_arg(call, "proto")->number != 1)
		return replay_fail(call, "unsupported", "this daemon speaks proto 1 only");
	struct buffer topics = {0};
	struct map map, last;
	map_open(&last, &topics);
	uint64_t head = published_topics(published, put_topic, &last);
	map_close(&last);
	struct published_journal current;
	published_at(published, published_count(published) - 1, &current);
	map_open(&map, &call->answer->head);
	map_text(&map, "op", "welcome");
	map_uint(&map, "proto", 1);
	map_bytes(&map, "journal", current.id, JOURNAL_ID_SIZE);
	map_text(&map, "node", call->desk->node);
	map_uint(&map, "head", head);
	map_uint(&map, "oldest", current.first);
	put_journals(&map, published, head);
	map_key(&map, "topics");
	encode_raw(map.to, topics.data, topics.len);
	put_limits(&map);
	map_close(&map);
	if (topics.failed)
		map.to->failed = true;
	buffer_finish(&topics);
	return 0;
}

/* --- fetch, last, ctx ------------------------------------------------------------------------ */

static int choose_topic(struct replay_call *call)
{
	const struct replay_value *topic = replay_arg(call, "topic"),
				  *prefix = replay_arg(call, "prefix");
	if (topic->given == prefix->given)
		return replay_fail(call, "bad-request", "fetch needs either `topic` or `prefix`");
	struct assay_string text = topic->given ? topic->text : prefix->text;
	if (text.len > JOURNAL_TOPIC_MAX || (topic->given && text.len == 0))
		return replay_fail(
			call, "bad-request", "a topic has 1 to %d bytes", JOURNAL_TOPIC_MAX);
	call->part.topic = text.data;
	call->part.topic_len = text.len;
	call->part.is_prefix = prefix->given;
	return 0;
}

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static size_t bytes_max(const struct replay_value *value)
{
	uint64_t most = value->given ? value->number : REPLAY_BYTES_MAX;
	most = min(most, REPLAY_BYTES_MAX);
	return most > REPLAY_BYTES_MIN ? (size_t)most : REPLAY_BYTES_MIN;
}

static int op_fetch(struct replay_call *call)
{
	struct published_journal journal;
	struct replay_part *part = &call->part;
	int r = choose_topic(call);
	if (r == 0)
		r = find_journal(call, replay_arg(call, "journal")->bytes, &journal);
	if (r < 0)
		return r;
	part->journal = journal.id;
	part->from = replay_arg(call, "from")->number > 0 ? replay_arg(call, "from")->number : 1;
	part->to = min(replay_arg(call, "to")->number, journal.last);
	part->bytes_max = bytes_max(replay_arg(call, "max_bytes"));
	bool is_current = memcmp(journal.id, published_id(call->desk->published),
				  JOURNAL_ID_SIZE) == 0;
	if (is_current && !part->is_prefix)
		part->to = min(part->to,
			published_last(call->desk->published, part->topic, part->topic_len));
	r = read_part(call);
	return r < 0 ? r : put_data(call, journal.last, NULL);
}

static int op_last(struct replay_call *call)
{
	struct published *published = call->desk->published;
	struct assay_string topic = replay_arg(call, "topic")->text;
	uint64_t seq = published_last(published, topic.data, topic.len);
	if (seq == 0)
		return replay_fail(
			call, "not-found", "the current journal has nothing on this topic");
	uint64_t head = published_head(published);
	int r = read_one(call, published_id(published), seq);
	return r < 0 ? r : put_data(call, head, NULL);
}

/* Whether this entry may be told of. */
static bool is_out(const struct replay_call *call, const uint8_t *journal, uint64_t seq)
{
	struct published *published = call->desk->published;
	return memcmp(journal, published_id(published), JOURNAL_ID_SIZE) != 0 ||
	       seq <= published_head(published);
}

static int find_run(struct replay_call *call, struct runs_search *search, struct runs_row *row)
{
	while (runs_search(call->desk->runs, search, row) == 1) {
		if (published_find(call->desk->published, row->journal) >= 0 &&
			is_out(call, row->journal, row->first))
			return 0;
	}
	return -ENOENT;
}

static int op_ctx(struct replay_call *call)
{
	struct runs_row row;
	struct published_journal journal;
	struct runs_search search = {.ctx = replay_arg(call, "ctx")->bytes};
	if (find_run(call, &search, &row) < 0)
		return replay_fail(call, "not-found", "no run-start here has this hash");
	int r = find_journal(call, row.journal, &journal);
	if (r == 0)
		r = read_one(call, row.journal, row.first);
	return r < 0 ? r : put_data(call, journal.last, row.journal);
}

/* --- run ------------------------------------------------------------------------------------- */

static bool is_of_run(void *run, const uint8_t *bytes, size_t len)
{
	struct assay_entry_view entry;
	struct assay_record_view record;
	return assay_entry_read(bytes, len, &entry) == 0 &&
	       assay_record_read(entry.body.data, entry.body.len, &record) == 0 &&
	       record.run != NULL && memcmp(record.run, run, ASSAY_UUID_SIZE) == 0;
}

static int find_named_run(struct replay_call *call, struct runs_row *row)
{
	char number[RUN_NUMBER_MAX + 1] = "";
	const struct replay_value *run = replay_arg(call, "run");
	struct runs_search search = {.id = run->bytes};
	if (run->bytes == NULL && run->text.len < sizeof number) {
		memcpy(number, run->text.data, run->text.len);
		search.number = number;
	}
	if ((search.id == NULL && number[0] == '\0') || find_run(call, &search, row) < 0)
		return replay_fail(call, "not-found", "there is no such run");
	return 0;
}

/* Its amends after its end, each at its own seq; those of later journals come last. */
static int read_amends(struct replay_call *call, struct runs_row *row, uint64_t end, uint64_t from)
{
	struct runs_amend amends[AMENDS_MAX];
	struct replay_part *part = &call->part;
	size_t count = runs_amends(call->desk->runs, row->id, amends, AMENDS_MAX);
	count = count < AMENDS_MAX ? count : AMENDS_MAX;
	for (size_t i = 0; i < count; i++) {
		const struct runs_amend *amend = &amends[i];
		bool is_here = memcmp(amend->journal, row->journal, JOURNAL_ID_SIZE) == 0;
		uint64_t place = is_here ? amend->seq : LATER_FROM + i;
		if (place < from || (is_here && amend->seq <= end) ||
			!is_out(call, amend->journal, amend->seq))
			continue;
		int r = read_one(call, amend->journal, amend->seq);
		if (r < 0)
			return r;
		if (part->next != 0) { /* there was no room for it */
			part->next = place;
			return 0;
		}
	}
	return 0;
}

/* From run-start to run-end, or to what is committed of it, then the amends that came later. */
static int op_run(struct replay_call *call)
{
	struct runs_row row;
	struct published_journal journal;
	struct replay_part *part = &call->part;
	uint64_t from = replay_arg(call, "from")->number;
	int r = find_named_run(call, &row);
	if (r == 0)
		r = find_journal(call, row.journal, &journal);
	if (r < 0)
		return r;
	uint64_t end = row.last > 0 ? min(row.last, journal.last) : journal.last;
	part->journal = row.journal;
	part->topic = row.topic;
	part->topic_len = strlen(row.topic);
	part->from = from > row.first ? from : row.first;
	part->to = end;
	part->takes = is_of_run;
	part->arg = row.id;
	if (part->from <= end)
		r = read_part(call);
	part->takes = NULL;
	part->arg = NULL;
	part->topic = "";
	if (r == 0 && part->next == 0)
		r = read_amends(call, &row, end, from);
	part->journal = NULL;
	return r < 0 ? r : put_data(call, journal.last, row.journal);
}

/* --- find ------------------------------------------------------------------------------------ */

static void put_row(struct replay_call *call, struct buffer *to, const struct runs_row *row)
{
	struct map map;
	bool has_ended = row->last > 0 && is_out(call, row->journal, row->last);
	map_open(&map, to);
	map_bytes(&map, "run", row->id, sizeof row->id);
	map_text(&map, "number", row->number);
	map_text(&map, "instrument", row->instrument);
	map_text(&map, "sample", row->sample[0] != '\0' ? row->sample : "none");
	map_uint(&map, "start", row->start);
	if (has_ended)
		map_text(&map, "status", row->status);
	map_text(&map, "topic", row->topic);
	map_uint(&map, "first", row->first);
	if (has_ended)
		map_uint(&map, "last", row->last);
	map_bytes(&map, "journal", row->journal, sizeof row->journal);
	map_close(&map);
}

static int copy_text(struct replay_call *call, const char *name, char *to, size_t size)
{
	const struct replay_value *value = replay_arg(call, name);
	if (value->text.len >= size)
		return replay_fail(call, "bad-request", "%s is longer than any", name);
	if (value->given)
		memcpy(to, value->text.data, value->text.len);
	return 0;
}

static int op_find(struct replay_call *call)
{
	char sample[RUN_TEXT_MAX + 1] = "", instrument[ASSAY_TOKEN_MAX + 1] = "";
	int r = copy_text(call, "sample", sample, sizeof sample);
	if (r == 0)
		r = copy_text(call, "instrument", instrument, sizeof instrument);
	if (r < 0)
		return r;
	struct runs_search search = {.since = replay_arg(call, "since")->number,
		.until = replay_arg(call, "until")->number,
		.sample = replay_arg(call, "sample")->given ? sample : NULL,
		.instrument = replay_arg(call, "instrument")->given ? instrument : NULL};
	if (strcmp(sample, "none") == 0)
		sample[0] = '\0';
	const struct replay_value *limit = replay_arg(call, "limit");
	uint64_t most = limit->given ? min(limit->number, REPLAY_RUNS_MAX) : REPLAY_RUNS_MAX;
	struct runs_row row;
	struct buffer rows = {0};
	struct map map;
	size_t count = 0;
	for (; count < most && find_run(call, &search, &row) == 0; count++)
		put_row(call, &rows, &row);
	map_open(&map, &call->answer->head);
	map_text(&map, "op", "runs");
	map_key(&map, "runs");
	encode_array(map.to, count);
	encode_raw(map.to, rows.data, rows.len);
	map_close(&map);
	if (rows.failed)
		map.to->failed = true;
	buffer_finish(&rows);
	return 0;
}

static int op_proof(struct replay_call *call)
{
	return replay_fail(call, "unsupported", "this journal is not sealed: there are no proofs");
}

/* --- the table ------------------------------------------------------------------------------- */

const struct replay_op replay_ops[] = {
	{"hello", {{"proto", REPLAY_UINT, true}}, op_hello},
	{"fetch",
		{
			{"journal", REPLAY_UUID, true},
			{"topic", REPLAY_TEXT, false},
			{"prefix", REPLAY_TEXT, false},
			{"from", REPLAY_UINT, true},
			{"to", REPLAY_UINT, true},
			{"max_bytes", REPLAY_UINT, false},
		},
		op_fetch},
	{"run", {{"run", REPLAY_RUN, true}, {"from", REPLAY_UINT, false}}, op_run},
	{"ctx", {{"ctx", REPLAY_SHA256, true}}, op_ctx},
	{"last", {{"topic", REPLAY_TEXT, true}}, op_last},
	{"find",
		{
			{"sample", REPLAY_TEXT, false},
			{"instrument", REPLAY_TEXT, false},
			{"since", REPLAY_UINT, false},
			{"until", REPLAY_UINT, false},
			{"limit", REPLAY_UINT, false},
		},
		op_find},
	{"cursor",
		{
			{"name", REPLAY_TEXT, true},
			{"journal", REPLAY_UUID, false},
			{"topic", REPLAY_TEXT, false},
			{"seq", REPLAY_UINT, false},
		},
		replay_cursor},
	{"cursors", {{0}}, replay_cursors},
	{"proof", {{"seq", REPLAY_UINT, true}, {"size", REPLAY_UINT, false}}, op_proof},
	{0},
};
