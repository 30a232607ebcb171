/* SPDX-License-Identifier: Apache-2.0 */
/* The operations that read journals. */
#include <errno.h>
#include <string.h>

#include "core/commit/published.h"
#include "core/replay/cursors.h"
#include "core/replay/ops.h"
#include "core/runs/run-name.h"

#define AMENDS_MAX 64 /* of one run */

/* `next` of a run's amends in later journals: this and their index in the list, not a seq. */
#define LATER_FROM (UINT64_C(1) << 62)

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static struct published *published_of(const struct call *call)
{
	const struct replay_call *replay = call->on;
	return replay->sources->published;
}

/* --- journals and entries -------------------------------------------------------------------- */

static int find_journal(struct call *call, const uint8_t *id, struct published_journal *journal)
{
	ssize_t i = published_find(published_of(call), id);
	if (i < 0)
		return call_refuse(call, "wrong-journal",
			"there is no journal of this id; `hello` lists them");
	published_at(published_of(call), (size_t)i, journal);
	return 0;
}

static int read_range(struct call *call)
{
	struct replay_call *replay = call->on;
	int r = reader_cache_read(replay->sources->readers, &replay->range);
	if (r < 0)
		return call_refuse(call, "busy", "the journal cannot be read: %s", strerror(-r));
	return 0;
}

/* Reads the one entry `seq`, or the gap in its place. */
static int read_one(struct call *call, const uint8_t *journal, uint64_t seq)
{
	struct replay_call *replay = call->on;
	struct replay_range *range = &replay->range;
	range->journal = journal;
	range->topic = "";
	range->topic_len = 0;
	range->is_prefix = true;
	range->takes = NULL;
	range->from = range->to = seq;
	return read_range(call);
}

/* Adds the map before the entries; `journal` NULL: the request named it. */
static int put_data(struct call *call, uint64_t head, const uint8_t *journal)
{
	const struct replay_call *replay = call->on;
	const struct replay_range *range = &replay->range;
	struct map *map = &call->reply, gap;
	map_text(map, "op", "data");
	map_uint(map, "count", range->page != NULL ? page_count(range->page) : 0);
	map_uint(map, "next", range->next);
	map_uint(map, "head", head);
	map_key(map, "gaps");
	encode_array(map->to, range->gap_count);
	for (size_t i = 0; i < range->gap_count; i++) {
		map_open(&gap, map->to);
		map_uint(&gap, "from", range->gaps[i].from);
		map_uint(&gap, "to", range->gaps[i].to);
		map_text(&gap, "why", range->gaps[i].is_pruned ? "pruned" : "damaged");
		map_close(&gap);
	}
	map_bytes(map, "journal", journal, JOURNAL_ID_SIZE);
	return 0;
}

/* --- help, hello ----------------------------------------------------------------------------- */

static int op_help(struct call *call)
{
	map_text(&call->reply, "op", "help");
	return call_help(call);
}

static void put_topic(void *arg, const char *topic, size_t len, uint64_t last)
{
	struct map *map = arg;
	encode_text_n(map->to, topic, len);
	encode_uint(map->to, last);
	map->pairs++;
}

struct hello_args {
	uint64_t proto;
};

static int op_hello(struct call *call)
{
	const struct hello_args *args = call->args;
	const struct replay_call *replay = call->on;
	struct published *published = published_of(call);
	struct published_journal journal;
	struct map *map = &call->reply, inner;
	struct buffer topics = {0};
	if (args->proto != 1)
		return call_refuse(call, "unsupported", "this daemon supports proto 1 only");
	map_open(&inner, &topics);
	uint64_t head = published_topics(published, put_topic, &inner);
	map_close(&inner);
	size_t count = published_count(published);
	published_at(published, count - 1, &journal);
	map_text(map, "op", "welcome");
	map_uint(map, "proto", 1);
	map_bytes(map, "journal", journal.id, JOURNAL_ID_SIZE);
	map_text(map, "node", replay->sources->node);
	map_uint(map, "head", head);
	map_uint(map, "oldest", journal.first);
	map_key(map, "journals");
	encode_array(map->to, count);
	for (size_t i = 0; i < count; i++) {
		published_at(published, i, &journal);
		map_open(&inner, map->to);
		map_bytes(&inner, "journal", journal.id, JOURNAL_ID_SIZE);
		map_uint(&inner, "first", journal.first);
		map_uint(&inner, "last", i + 1 < count ? journal.last : head);
		map_close(&inner);
	}
	map_key(map, "topics");
	encode_raw(map->to, topics.data, topics.len);
	map_key(map, "limits");
	map_open(&inner, map->to);
	map_uint(&inner, "max_bytes", REPLAY_BYTES_MAX);
	map_uint(&inner, "max_entries", REPLAY_ENTRIES_MAX);
	map_uint(&inner, "max_request", CALL_BYTES_MAX);
	map_uint(&inner, "max_runs", REPLAY_RUNS_MAX);
	map_uint(&inner, "max_cursors", CURSORS_MAX);
	map_uint(&inner, "max_marks", CURSOR_MARKS_MAX);
	map_close(&inner);
	map->to->failed |= topics.failed;
	buffer_finish(&topics);
	return 0;
}

/* --- fetch, last, ctx ------------------------------------------------------------------------ */

struct fetch_args {
	const uint8_t *journal;
	struct assay_string topic, prefix;
	uint64_t from, to, max_bytes;
};

static int op_fetch(struct call *call)
{
	const struct fetch_args *args = call->args;
	struct replay_call *replay = call->on;
	struct replay_range *range = &replay->range;
	struct published_journal journal;
	bool is_prefix = args->prefix.data != NULL;
	struct assay_string topic = is_prefix ? args->prefix : args->topic;
	if (is_prefix == (args->topic.data != NULL))
		return call_refuse(call, "bad-request", "fetch needs either `topic` or `prefix`");
	if (topic.len > JOURNAL_TOPIC_MAX || (!is_prefix && topic.len == 0))
		return call_refuse(
			call, "bad-request", "a topic has 1 to %d bytes", JOURNAL_TOPIC_MAX);
	int r = find_journal(call, args->journal, &journal);
	if (r < 0)
		return r;
	range->journal = journal.id;
	range->topic = topic.data;
	range->topic_len = topic.len;
	range->is_prefix = is_prefix;
	range->from = args->from > 0 ? args->from : 1;
	range->to = min(args->to, journal.last);
	range->bytes_max = min(args->max_bytes, REPLAY_BYTES_MAX);
	if (range->bytes_max < REPLAY_BYTES_MIN)
		range->bytes_max = REPLAY_BYTES_MIN;
	bool is_current = memcmp(journal.id, published_id(published_of(call)), JOURNAL_ID_SIZE) ==
			  0;
	if (is_current && !is_prefix)
		range->to = min(
			range->to, published_last(published_of(call), topic.data, topic.len));
	r = read_range(call);
	return r < 0 ? r : put_data(call, journal.last, NULL);
}

struct last_args {
	struct assay_string topic;
};

static int op_last(struct call *call)
{
	const struct last_args *args = call->args;
	struct published *published = published_of(call);
	uint64_t seq = published_last(published, args->topic.data, args->topic.len);
	if (seq == 0)
		return call_refuse(
			call, "not-found", "the current journal has nothing on this topic");
	uint64_t head = published_head(published);
	int r = read_one(call, published_id(published), seq);
	return r < 0 ? r : put_data(call, head, NULL);
}

/* The next run of the search whose journal is there.  0 or -ENOENT. */
static int find_run(const struct call *call, struct runs_search *search, struct runs_row *row)
{
	const struct replay_call *replay = call->on;
	while (runs_search(replay->sources->runs, search, row) == 1) {
		if (published_find(published_of(call), row->journal) >= 0)
			return 0;
	}
	return -ENOENT;
}

struct ctx_args {
	const uint8_t *ctx;
};

static int op_ctx(struct call *call)
{
	const struct ctx_args *args = call->args;
	struct runs_row row;
	struct published_journal journal;
	struct runs_search search = {.ctx = args->ctx};
	if (find_run(call, &search, &row) < 0)
		return call_refuse(call, "not-found", "no run-start here has this hash");
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

/* Reads the amends after the run's end, each at its own seq; those of later journals come last. */
static int read_amends(struct call *call, const struct runs_row *row, uint64_t end, uint64_t from)
{
	struct replay_call *replay = call->on;
	struct replay_range *range = &replay->range;
	struct runs_amend amends[AMENDS_MAX];
	size_t count = min(
		runs_amends(replay->sources->runs, row->id, amends, AMENDS_MAX), AMENDS_MAX);
	for (size_t i = 0; i < count; i++) {
		const struct runs_amend *amend = &amends[i];
		bool is_here = memcmp(amend->journal, row->journal, JOURNAL_ID_SIZE) == 0;
		uint64_t place = is_here ? amend->seq : LATER_FROM + i;
		if (place < from || (is_here && amend->seq <= end))
			continue;
		int r = read_one(call, amend->journal, amend->seq);
		if (r < 0)
			return r;
		if (range->next != 0) { /* no room is left */
			range->next = place;
			return 0;
		}
	}
	return 0;
}

struct run_args {
	struct run_name run;
	uint64_t from;
};

/* From run-start to run-end, or to the last published entry, then the amends that came later. */
static int op_run(struct call *call)
{
	const struct run_args *args = call->args;
	struct replay_call *replay = call->on;
	struct replay_range *range = &replay->range;
	struct runs_row row;
	struct published_journal journal;
	struct runs_search search = run_name_search(&args->run);
	if (find_run(call, &search, &row) < 0)
		return call_refuse(call, "not-found", "there is no such run");
	int r = find_journal(call, row.journal, &journal);
	if (r < 0)
		return r;
	uint64_t end = row.last > 0 ? min(row.last, journal.last) : journal.last;
	range->journal = row.journal;
	range->topic = row.topic;
	range->topic_len = strlen(row.topic);
	range->from = args->from > row.first ? args->from : row.first;
	range->to = end;
	range->takes = is_of_run;
	range->arg = row.id;
	if (range->from <= end)
		r = read_range(call);
	if (r == 0 && range->next == 0)
		r = read_amends(call, &row, end, args->from);
	return r < 0 ? r : put_data(call, journal.last, row.journal);
}

/* --- find, proof ----------------------------------------------------------------------------- */

static void put_row(const struct call *call, struct buffer *to, const struct runs_row *row)
{
	struct map map;
	map_open(&map, to);
	map_bytes(&map, "run", row->id, sizeof row->id);
	map_text(&map, "number", row->number);
	map_text(&map, "instrument", row->instrument);
	map_text(&map, "sample", row->sample[0] != '\0' ? row->sample : "none");
	map_uint(&map, "start", row->start);
	if (row->last > 0)
		map_text(&map, "status", row->status);
	map_bool(&map, "sim", row->sim);
	map_text(&map, "topic", row->topic);
	map_uint(&map, "first", row->first);
	if (row->last > 0)
		map_uint(&map, "last", row->last);
	map_bytes(&map, "journal", row->journal, sizeof row->journal);
	map_close(&map);
}

struct find_args {
	struct assay_string sample, instrument; /* data NULL: any */
	uint64_t since, until, limit;
};

static int op_find(struct call *call)
{
	const struct find_args *args = call->args;
	char sample[RUN_TEXT_MAX + 1], instrument[ASSAY_TOKEN_MAX + 1];
	text_copy(sample, sizeof sample, args->sample);
	text_copy(instrument, sizeof instrument, args->instrument);
	if (strcmp(sample, "none") == 0)
		sample[0] = '\0';
	struct runs_search search = {.since = args->since,
		.until = args->until,
		.sample = args->sample.data != NULL ? sample : NULL,
		.instrument = args->instrument.data != NULL ? instrument : NULL};
	struct runs_row row;
	struct buffer rows = {0};
	struct map *map = &call->reply;
	size_t count = 0;
	while (count < min(args->limit, REPLAY_RUNS_MAX) && find_run(call, &search, &row) == 0) {
		put_row(call, &rows, &row);
		count++;
	}
	map_text(map, "op", "runs");
	map_key(map, "runs");
	encode_array(map->to, count);
	encode_raw(map->to, rows.data, rows.len);
	map->to->failed |= rows.failed;
	buffer_finish(&rows);
	return 0;
}

struct proof_args {
	uint64_t seq, size;
};

static int op_proof(struct call *call)
{
	return call_refuse(call, "unsupported", "this journal is not sealed: there are no proofs");
}

const struct op replay_journal_ops[] = {
	{"help", "lists the operations and their arguments", .run = op_help},
	{"hello", "the journals that are there, and the limits",
		OP_ARGS(struct hello_args, {"proto", KEY_UINT, KEY_AT(struct hello_args, proto),
						   .required = true, .help = "1"}),
		.run = op_hello},
	{"fetch", "entries of a journal on one topic, or on all with a prefix",
		OP_ARGS(struct fetch_args,
			{"journal", KEY_FIXED, KEY_AT(struct fetch_args, journal),
				.limit = JOURNAL_ID_SIZE, .required = true,
				.help = "the journal's id"},
			{"topic", KEY_TEXT, KEY_AT(struct fetch_args, topic),
				.help = "exactly this one"},
			{"prefix", KEY_TEXT, KEY_AT(struct fetch_args, prefix),
				.help = "the start of topics; or \"\" for all"},
			{"from", KEY_UINT, KEY_AT(struct fetch_args, from), .required = true,
				.help = "first seq"},
			{"to", KEY_UINT, KEY_AT(struct fetch_args, to), .required = true,
				.help = "last seq"},
			{"max_bytes", KEY_UINT, KEY_AT(struct fetch_args, max_bytes),
				.help = "of the reply"}),
		.defaults = &(const struct fetch_args){.max_bytes = REPLAY_BYTES_MAX},
		.run = op_fetch},
	{"run", "a whole run: run-start, frames, run-end, then its amends",
		OP_ARGS(struct run_args,
			{"run", KEY_OTHER, KEY_AT(struct run_args, run), .required = true,
				.read = run_name_read, .help = "its number, or its UUID"},
			{"from", KEY_UINT, KEY_AT(struct run_args, from),
				.help = "`next` of the reply before"}),
		.run = op_run},
	{"ctx", "the run-start of a frame",
		OP_ARGS(struct ctx_args,
			{"ctx", KEY_FIXED, KEY_AT(struct ctx_args, ctx), .limit = ASSAY_SHA256_SIZE,
				.required = true,
				.help = "SHA-256(0x00 || run-start entry), as in the frame"}),
		.run = op_ctx},
	{"last", "the last entry of a topic in the journal in use",
		OP_ARGS(struct last_args, {"topic", KEY_TEXT, KEY_AT(struct last_args, topic),
						  .required = true, .help = "exactly this one"}),
		.run = op_last},
	{"find", "runs, newest first",
		OP_ARGS(struct find_args,
			{"sample", KEY_TEXT, KEY_AT(struct find_args, sample),
				.limit = RUN_TEXT_MAX,
				.help = "id at the start of the run; \"none\""},
			{"instrument", KEY_TEXT, KEY_AT(struct find_args, instrument),
				.limit = ASSAY_TOKEN_MAX, .help = "its name in the configuration"},
			{"since", KEY_UINT, KEY_AT(struct find_args, since),
				.help = "earliest start, in nanoseconds since 1970"},
			{"until", KEY_UINT, KEY_AT(struct find_args, until),
				.help = "latest start, in nanoseconds since 1970"},
			{"limit", KEY_UINT, KEY_AT(struct find_args, limit),
				.help = "at most so many"}),
		.defaults = &(const struct find_args){.limit = REPLAY_RUNS_MAX}, .run = op_find},
	{"proof", "not yet",
		OP_ARGS(struct proof_args,
			{"seq", KEY_UINT, KEY_AT(struct proof_args, seq), .required = true,
				.help = "of the entry"},
			{"size", KEY_UINT, KEY_AT(struct proof_args, size), .help = "of the tree"}),
		.run = op_proof},
	{0},
};
