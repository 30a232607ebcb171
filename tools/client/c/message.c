/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "message.h"
#include "record/encode.h"

#define PROTOCOL 1

static const struct {
	const char *word;
	enum message_kind kind;
} kinds[] = {{"welcome", MESSAGE_WELCOME}, {"data", MESSAGE_DATA}, {"ok", MESSAGE_OK},
	{"cursor", MESSAGE_CURSOR}, {"cursors", MESSAGE_CURSORS}, {"error", MESSAGE_ERROR}};

static const struct {
	const char *word;
	enum message_error error;
} errors[] = {{"bad-request", MESSAGE_BAD_REQUEST}, {"not-authorised", MESSAGE_NOT_AUTHORISED},
	{"wrong-journal", MESSAGE_WRONG_JOURNAL}, {"not-found", MESSAGE_NOT_FOUND},
	{"busy", MESSAGE_BUSY}, {"unsupported", MESSAGE_UNSUPPORTED}};

static void read_kind(struct reader *r, struct message *m)
{
	struct assay_string word;
	m->kind = MESSAGE_OTHER;
	if (read_text(r, &word) < 0)
		return;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (assay_string_is(word, kinds[i].word))
			m->kind = kinds[i].kind;
	}
}

static void read_error(struct reader *r, struct message *m)
{
	struct assay_string word;
	m->error = MESSAGE_FAILED;
	if (read_text(r, &word) < 0)
		return;
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
		if (assay_string_is(word, errors[i].word))
			m->error = errors[i].error;
	}
}

/* An array or map as bytes, and how many items or pairs it has. */
static void read_list(struct reader *r, enum read_type type, struct assay_span *raw, size_t *count)
{
	struct reader inner;
	if (read_peek(r) != type) {
		read_fail(r, r->at, "a list was expected");
		return;
	}
	if (read_raw(r, raw) < 0)
		return;
	read_init(&inner, raw->data, raw->len);
	inner.depth_max = READ_DEPTH_MAX;
	if ((type == READ_MAP ? read_map(&inner, count) : read_array(&inner, count)) < 0)
		read_fail(r, r->at, "a list was expected");
}

static void read_pair(struct reader *r, struct assay_string key, struct message *m)
{
	size_t pairs;
	if (assay_string_is(key, "op"))
		read_kind(r, m);
	else if (assay_string_is(key, "journal"))
		read_fixed(r, ASSAY_UUID_SIZE, &m->journal);
	else if (assay_string_is(key, "head"))
		read_uint(r, &m->head);
	else if (assay_string_is(key, "journals"))
		read_list(r, READ_ARRAY, &m->journals, &m->journals_count);
	else if (assay_string_is(key, "topics"))
		read_list(r, READ_MAP, &m->topics, &pairs);
	else if (assay_string_is(key, "count"))
		read_uint(r, &m->count);
	else if (assay_string_is(key, "next"))
		read_uint(r, &m->next);
	else if (assay_string_is(key, "gaps"))
		read_list(r, READ_ARRAY, &m->gaps, &m->gaps_count);
	else if (assay_string_is(key, "at") || assay_string_is(key, "cursors"))
		read_list(r, READ_ARRAY, &m->at, &m->at_count);
	else if (assay_string_is(key, "code"))
		read_error(r, m);
	else if (assay_string_is(key, "text"))
		read_text(r, &m->text);
	else
		read_skip(r);
}

static bool is_whole(const struct message *m)
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

int message_read(const void *data, size_t len, struct message *m)
{
	struct reader r;
	struct assay_string key;
	size_t pairs;
	memset(m, 0, sizeof *m);
	if (len > ASSAY_RECORD_MAX)
		return -EBADMSG;
	read_init(&r, data, len);
	r.depth_max = READ_DEPTH_MAX;
	read_map(&r, &pairs);
	for (; pairs > 0 && read_key(&r, &key) == 0; pairs--)
		read_pair(&r, key, m);
	return read_finish(&r) == 0 && is_whole(m) ? 0 : -EBADMSG;
}

static int begin_list(struct reader *r, struct assay_span list, size_t *count)
{
	*count = 0;
	if (list.data == NULL)
		return 0;
	read_init(r, list.data, list.len);
	r->depth_max = READ_DEPTH_MAX;
	return read_array(r, count);
}

static int read_journal(struct reader *r, struct message_journal *journal)
{
	struct assay_string key;
	size_t pairs;
	*journal = (struct message_journal){0};
	read_map(r, &pairs);
	for (; pairs > 0 && read_key(r, &key) == 0; pairs--) {
		if (assay_string_is(key, "journal"))
			read_fixed(r, ASSAY_UUID_SIZE, &journal->id);
		else if (assay_string_is(key, "first"))
			read_uint(r, &journal->first);
		else if (assay_string_is(key, "last"))
			read_uint(r, &journal->last);
		else
			read_skip(r);
	}
	return r->error == 0 && journal->id != NULL ? 0 : -EBADMSG;
}

int message_journals(const struct message *m,
	int (*each)(void *arg, const struct message_journal *journal), void *arg)
{
	struct reader r;
	struct message_journal journal;
	size_t left;
	int error = begin_list(&r, m->journals, &left);
	for (; error == 0 && left > 0; left--) {
		error = read_journal(&r, &journal);
		if (error == 0)
			error = each(arg, &journal);
	}
	return error;
}

static int read_gap(struct reader *r, struct message_gap *gap)
{
	struct assay_string key, word = {NULL, 0};
	size_t pairs;
	*gap = (struct message_gap){0};
	read_map(r, &pairs);
	for (; pairs > 0 && read_key(r, &key) == 0; pairs--) {
		if (assay_string_is(key, "from"))
			read_uint(r, &gap->from);
		else if (assay_string_is(key, "to"))
			read_uint(r, &gap->to);
		else if (assay_string_is(key, "why"))
			read_text(r, &word);
		else
			read_skip(r);
	}
	gap->why = assay_string_is(word, "pruned") ? ASSAY_GAP_PRUNED : ASSAY_GAP_DAMAGED;
	return r->error == 0 && gap->from > 0 && gap->from <= gap->to ? 0 : -EBADMSG;
}

int message_gaps(
	const struct message *m, int (*each)(void *arg, const struct message_gap *gap), void *arg)
{
	struct reader r;
	struct message_gap gap;
	size_t left;
	int error = begin_list(&r, m->gaps, &left);
	for (; error == 0 && left > 0; left--) {
		error = read_gap(&r, &gap);
		if (error == 0)
			error = each(arg, &gap);
	}
	return error;
}

static int read_mark(struct reader *r, struct assay_client_cursor *mark)
{
	struct assay_string key, topic = {NULL, 0};
	const uint8_t *journal = NULL;
	size_t pairs;
	*mark = (struct assay_client_cursor){0};
	read_map(r, &pairs);
	for (; pairs > 0 && read_key(r, &key) == 0; pairs--) {
		if (assay_string_is(key, "journal"))
			read_fixed(r, ASSAY_UUID_SIZE, &journal);
		else if (assay_string_is(key, "topic"))
			read_text(r, &topic);
		else if (assay_string_is(key, "seq"))
			read_uint(r, &mark->seq);
		else
			read_skip(r);
	}
	if (r->error != 0 || journal == NULL || topic.data == NULL || topic.len > ASSAY_TOPIC_MAX)
		return -EBADMSG;
	memcpy(mark->journal, journal, ASSAY_UUID_SIZE);
	memcpy(mark->topic, topic.data, topic.len);
	return 0;
}

int message_marks(const struct message *m,
	int (*each)(void *arg, const struct assay_client_cursor *mark), void *arg)
{
	struct reader r;
	struct assay_client_cursor mark;
	size_t left;
	int error = begin_list(&r, m->at, &left);
	for (; error == 0 && left > 0; left--) {
		error = read_mark(&r, &mark);
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

void message_cursor_get(struct buffer *to, const char *name)
{
	struct map map;
	map_open(&map, to);
	map_text(&map, "op", "cursor");
	map_text(&map, "name", name);
	map_close(&map);
}

void message_cursors(struct buffer *to)
{
	struct map map;
	map_open(&map, to);
	map_text(&map, "op", "cursors");
	map_close(&map);
}
