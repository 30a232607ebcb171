/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "message.h"
#include "record/encode.h"
#include "record/keys.h"

#define PROTOCOL 1

static const char *const kinds_list[] = {"welcome", "data", "ok", "cursor", "cursors", "error"};
static const struct words kinds = {kinds_list, MESSAGE_ERROR};

static const char *const errors_list[] = {"bad-request", "not-authorised", "wrong-journal",
	"not-found", "busy", "unsupported", "in-use"};
static const struct words errors = {errors_list, MESSAGE_IN_USE};

static const char *const whys_list[] = {"pruned", "damaged"};
static const struct words whys = {whys_list, ASSAY_GAP_DAMAGED};

/* A word; one of a later version has the value after the last: MESSAGE_OTHER, MESSAGE_FAILED. */
static int read_word(struct reader *r, const struct key *key, void *to)
{
	struct assay_string word;
	if (read_text(r, &word) < 0)
		return r->error;
	int value = words_find(key->words, word);
	value = value < 0 ? key->words->count + 1 : value;
	memcpy(to, &value, sizeof value);
	return 0;
}

static const struct keys message_keys = {.open = true,
	.rows = (const struct key[]){
		{"op", KEY_OTHER, KEY_AT(struct reply_view, kind), .words = &kinds,
			.read = read_word},
		{"journal", KEY_FIXED, KEY_AT(struct reply_view, journal),
			.limit = ASSAY_UUID_SIZE},
		{"head", KEY_UINT, KEY_AT(struct reply_view, head)},
		{"journals", KEY_RAW_LIST, KEY_AT(struct reply_view, journals)},
		{"topics", KEY_RAW_MAP, KEY_AT(struct reply_view, topics)},
		{"count", KEY_UINT, KEY_AT(struct reply_view, count)},
		{"next", KEY_UINT, KEY_AT(struct reply_view, next)},
		{"gaps", KEY_RAW_LIST, KEY_AT(struct reply_view, gaps)},
		{"at", KEY_RAW_LIST, KEY_AT(struct reply_view, at)},
		{"cursors", KEY_RAW_LIST, KEY_AT(struct reply_view, at)},
		{"code", KEY_OTHER, KEY_AT(struct reply_view, error), .words = &errors,
			.read = read_word},
		{"text", KEY_TEXT, KEY_AT(struct reply_view, text)},
		{0},
	}};

static const struct keys journal_keys = {.open = true,
	.rows = (const struct key[]){
		{"journal", KEY_FIXED, KEY_AT(struct message_journal, id), .required = true,
			.limit = ASSAY_UUID_SIZE},
		{"first", KEY_UINT, KEY_AT(struct message_journal, first)},
		{"last", KEY_UINT, KEY_AT(struct message_journal, last)},
		{0},
	}};

static const struct keys gap_keys = {.open = true,
	.rows = (const struct key[]){
		{"from", KEY_UINT, KEY_AT(struct message_gap, from)},
		{"to", KEY_UINT, KEY_AT(struct message_gap, to)},
		{"why", KEY_WORD, KEY_AT(struct message_gap, why), .words = &whys, .lenient = true},
		{0},
	}};

static const struct keys mark_keys = {.open = true,
	.rows = (const struct key[]){
		{"journal", KEY_COPY, KEY_AT(struct assay_client_cursor, journal),
			.required = true},
		{"topic", KEY_CHARS, KEY_AT(struct assay_client_cursor, topic), .required = true},
		{"seq", KEY_UINT, KEY_AT(struct assay_client_cursor, seq)},
		{0},
	}};

static int open_list(struct reader *r, struct assay_span list, size_t *count)
{
	*count = 0;
	if (list.data == NULL)
		return 0;
	read_init(r, list.data, list.len);
	r->depth_max = READ_DEPTH_MAX;
	return read_array(r, count);
}

static bool is_whole(const struct reply_view *m)
{
	switch (m->kind) {
	case MESSAGE_WELCOME:
		return m->journal != NULL && m->journals_count > 0 && m->topics.data != NULL;
	case MESSAGE_DATA: return m->gaps.data != NULL;
	case MESSAGE_CURSOR:
	case MESSAGE_CURSORS: return m->at.data != NULL;
	case MESSAGE_ERROR: return m->error != 0;
	case MESSAGE_OK:
	case MESSAGE_OTHER: return true;
	}
	return false;
}

int message_read(const void *data, size_t len, struct reply_view *m)
{
	struct reader r;
	*m = (struct reply_view){0};
	if (len > ASSAY_RECORD_MAX)
		return -EBADMSG;
	read_init(&r, data, len);
	r.depth_max = READ_DEPTH_MAX;
	if (keys_read(&r, &message_keys, m, NULL) < 0 || read_finish(&r) < 0 ||
		open_list(&r, m->journals, &m->journals_count) < 0 || !is_whole(m))
		return -EBADMSG;
	return 0;
}

int message_journals(const struct reply_view *m,
	int (*each)(void *arg, const struct message_journal *journal), void *arg)
{
	struct reader r;
	size_t left;
	int error = open_list(&r, m->journals, &left);
	for (; error == 0 && left > 0; left--) {
		struct message_journal journal = {0};
		error = keys_read(&r, &journal_keys, &journal, NULL);
		if (error == 0)
			error = each(arg, &journal);
	}
	return error;
}

int message_gaps(const struct reply_view *m, int (*each)(void *arg, const struct message_gap *gap),
	void *arg)
{
	struct reader r;
	size_t left;
	int error = open_list(&r, m->gaps, &left);
	for (; error == 0 && left > 0; left--) {
		struct message_gap gap = {.why = ASSAY_GAP_DAMAGED};
		error = keys_read(&r, &gap_keys, &gap, NULL);
		if (error == 0 && (gap.from == 0 || gap.from > gap.to))
			error = -EBADMSG;
		if (error == 0)
			error = each(arg, &gap);
	}
	return error;
}

int message_marks(const struct reply_view *m,
	int (*each)(void *arg, const struct assay_client_cursor *mark), void *arg)
{
	struct reader r;
	size_t left;
	int error = open_list(&r, m->at, &left);
	for (; error == 0 && left > 0; left--) {
		struct assay_client_cursor mark = {0};
		error = keys_read(&r, &mark_keys, &mark, NULL);
		if (error == 0)
			error = each(arg, &mark);
	}
	return error;
}

int message_topics(struct assay_span topics,
	int (*each)(void *arg, struct assay_string topic, uint64_t last), void *arg)
{
	struct reader r;
	struct assay_string topic;
	size_t pairs = 0;
	uint64_t last;
	int error = 0;
	read_init(&r, topics.data, topics.len);
	read_map(&r, &pairs);
	for (; error == 0 && pairs > 0; pairs--) {
		if (read_key(&r, &topic) < 0 || read_uint(&r, &last) < 0)
			return -EBADMSG;
		error = each(arg, topic, last);
	}
	return error != 0 ? error : r.error;
}

void message_hello(struct buffer *to)
{
	struct map map;
	map_open(&map, to);
	map_text(&map, "op", "hello");
	map_uint(&map, "proto", PROTOCOL);
	map_close(&map);
}

void message_fetch(struct buffer *to, const struct message_fetch *fetch)
{
	struct map map;
	map_open(&map, to);
	map_text(&map, "op", "fetch");
	map_bytes(&map, "journal", fetch->journal, ASSAY_UUID_SIZE);
	map_text(&map, fetch->is_prefix ? "prefix" : "topic", fetch->name);
	map_uint(&map, "from", fetch->from);
	map_uint(&map, "to", fetch->to);
	if (fetch->max_bytes > 0)
		map_uint(&map, "max_bytes", fetch->max_bytes);
	map_close(&map);
}

void message_fetch_id(struct buffer *to, const uint8_t *run, uint64_t from)
{
	struct map map;
	map_open(&map, to);
	map_text(&map, "op", "run");
	map_bytes(&map, "run", run, ASSAY_UUID_SIZE);
	map_uint(&map, "from", from);
	map_close(&map);
}

void message_fetch_run(struct buffer *to, const char *number, uint64_t from)
{
	struct map map;
	map_open(&map, to);
	map_text(&map, "op", "run");
	map_text(&map, "run", number);
	if (from > 0)
		map_uint(&map, "from", from);
	map_close(&map);
}

void message_cursor_set(struct buffer *to, const char *name, const struct assay_client_cursor *mark)
{
	struct map map;
	map_open(&map, to);
	map_text(&map, "op", "cursor");
	map_text(&map, "name", name);
	map_bytes(&map, "journal", mark->journal, ASSAY_UUID_SIZE);
	map_text(&map, "topic", mark->topic);
	map_uint(&map, "seq", mark->seq);
	map_close(&map);
}

void message_cursor_get(struct buffer *to, const char *name, bool take)
{
	struct map map;
	map_open(&map, to);
	map_text(&map, "op", "cursor");
	map_text(&map, "name", name);
	if (take)
		map_bool(&map, "take", true);
	map_close(&map);
}

void message_cursors(struct buffer *to)
{
	struct map map;
	map_open(&map, to);
	map_text(&map, "op", "cursors");
	map_close(&map);
}
