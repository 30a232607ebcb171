/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of a daemon to a client: pieces of two bytes of length, a letter and the bytes. 'r' an
 * answer, 'p' an entry of a page, 'd' its end, 'h' a heartbeat, 'l' a live entry, 'n' a new
 * connection. Entries of a topic must be given in order, each once, and notes must end.
 */
#include <stdlib.h>
#include <string.h>

#include "delivery.h"
#include "runs.h"

#define NOTES_MAX (1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct trial {
	struct delivery *delivery;
	struct runs runs;
	struct marks given;
	bool is_paging;
};

static void must(bool condition)
{
	if (!condition)
		abort();
}

static void take_run(struct trial *t, const struct assay_entry_view *entry)
{
	struct run run;
	must(runs_entry(&t->runs, entry->body, entry, &run) >= 0);
}

static void take_entry(struct trial *t, const struct assay_entry_view *entry)
{
	char topic[ASSAY_TOPIC_MAX + 1] = "";
	memcpy(topic, entry->topic.data, entry->topic.len);
	struct assay_client_cursor mark = mark_of(entry->journal, topic, entry->seq);
	must(marks_get(&t->given, entry->journal, topic) < entry->seq);
	must(marks_put(&t->given, &mark) == 0);
	take_run(t, entry);
}

static void take_note(struct trial *t, const struct delivery_note *note)
{
	struct run run;
	must(note->kind != DELIVERY_GAP || note->first <= note->cursor.seq);
	if (note->kind == DELIVERY_GAP)
		runs_gap(&t->runs, &note->cursor, note->first, note->why);
	while (note->kind == DELIVERY_END &&
		runs_cut(&t->runs, note->cursor.journal, note->cursor.topic, &run) == 1)
		;
}

static void take_notes(struct trial *t)
{
	struct delivery_note note;
	size_t count = 0;
	while (delivery_note(t->delivery, &note) == 1) {
		must(count++ < NOTES_MAX);
		take_note(t, &note);
	}
}

static void ask(struct trial *t)
{
	struct message_fetch fetch;
	struct buffer request = {0};
	enum delivery_need need = delivery_need(t->delivery, &fetch);
	if (need == DELIVERY_FETCH)
		message_fetch(&request, &fetch);
	if (need != DELIVERY_NOTHING)
		delivery_sent(t->delivery);
	buffer_finish(&request);
}

static int each_mark(void *arg, const struct assay_client_cursor *mark)
{
	must(memchr(mark->topic, '\0', sizeof mark->topic) != NULL);
	return 0;
}

static void answer(struct trial *t, const uint8_t *data, size_t size)
{
	struct reply_view m;
	if (t->is_paging || message_read(data, size, &m) < 0)
		return;
	message_marks(&m, each_mark, NULL);
	if (m.kind == MESSAGE_WELCOME)
		delivery_welcome(t->delivery, &m);
	else if (m.kind == MESSAGE_ERROR)
		delivery_refused(t->delivery, m.error);
	else if (m.kind == MESSAGE_DATA && delivery_page(t->delivery, &m) == 0)
		t->is_paging = true;
	else
		delivery_reconnected(t->delivery);
	delivery_pause(t->delivery);
}

static void page_entry(struct trial *t, const uint8_t *data, size_t size)
{
	struct assay_entry_view entry;
	struct delivery_note note;
	enum delivery_verdict verdict = DELIVERY_NOTED;
	if (!t->is_paging || assay_entry_read(data, size, &entry) < 0)
		return;
	for (size_t i = 0; verdict == DELIVERY_NOTED; i++) {
		must(i < NOTES_MAX);
		verdict = delivery_page_entry(t->delivery, &entry, &note);
		if (verdict == DELIVERY_NOTED)
			take_note(t, &note);
	}
	if (verdict == DELIVERY_GIVE)
		take_entry(t, &entry);
}

static void step(struct trial *t, char what, const uint8_t *data, size_t size)
{
	struct assay_entry_view entry;
	struct head_view head;
	if (what == 'r')
		answer(t, data, size);
	else if (what == 'p')
		page_entry(t, data, size);
	else if (what == 'h' && !t->is_paging && head_read(data, size, &head) == 0)
		delivery_head(t->delivery, &head);
	else if (what == 'l' && !t->is_paging && assay_entry_read(data, size, &entry) == 0 &&
		 delivery_live_entry(t->delivery, &entry) == DELIVERY_GIVE)
		take_entry(t, &entry);
	else if (what == 'n')
		delivery_reconnected(t->delivery);
	if (what == 'n' || (what == 'd' && t->is_paging)) {
		if (what == 'd')
			delivery_page_done(t->delivery);
		t->is_paging = false;
	}
	if (!t->is_paging)
		take_notes(t);
	ask(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const topics[] = {"a1/data/", "a1/state/xrf/"};
	struct prefixes prefixes;
	struct trial t = {0};
	if (size < 1)
		return 0;
	must(prefixes_init(&prefixes, topics, 2, data[0] & 1) == 0);
	must(delivery_create(&t.delivery, &prefixes, (enum assay_client_start)(data[0] >> 1 & 3),
		     UINT64_C(1000) << (data[0] >> 3)) == 0);
	for (size_t at = 1; at + 3 <= size;) {
		size_t len = data[at] | (size_t)data[at + 1] << 8;
		if (len > size - at - 3)
			len = size - at - 3;
		step(&t, (char)data[at + 2], data + at + 3, len);
		at += 3 + len;
	}
	delivery_destroy(t.delivery);
	runs_finish(&t.runs);
	marks_finish(&t.given);
	return 0;
}
