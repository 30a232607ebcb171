/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entries of a run, fetched again page by page, so that only one page is in memory; and those of
 * a run that is open when the client starts.
 */
#include <errno.h>
#include <string.h>

#include "handle.h"
#include "record/text.h"

static struct assay_string text_of(const char *text)
{
	return text[0] != '\0' ? (struct assay_string){text, strlen(text)}
			       : (struct assay_string){NULL, 0};
}

void client_give_run(struct assay_client *c)
{
	const struct run *run = &c->run;
	c->item = (struct assay_client_item){.kind = ASSAY_ITEM_RUN,
		.cursor = run->cursor,
		.first = run->first,
		.run = run->id,
		.number = text_of(run->number),
		.status = text_of(run->status),
		.frames = run->frames,
		.entries = run->entries,
		.is_whole = run->is_whole,
		.gaps = run->gaps,
		.gaps_count = run->gaps_count,
		.final_frames = run->final_frames,
		.sample = text_of(run->corrected.sample),
		.person = text_of(run->corrected.person),
		.note = text_of(run->corrected.note),
		.is_valid = run->corrected.valid};
	assay_client_run_rewind(c);
}

void assay_client_run_rewind(struct assay_client *c)
{
	parts_finish(&c->run_page);
	c->run_page_at = 0;
	c->run_next = c->run.first;
	c->run_seen = 0;
}

static int fetch_page(struct assay_client *c, int timeout_ms)
{
	struct reply_view m;
	struct buffer request = {0};
	const struct message_fetch fetch = {.journal = c->run.cursor.journal,
		.name = c->run.cursor.topic,
		.from = c->run_next,
		.to = c->run.cursor.seq};
	message_fetch(&request, &fetch);
	int r = requester_message(c->requester, &request, timeout_ms, &c->run_page, &m);
	buffer_finish(&request);
	if (r < 0)
		return r == -ETIMEDOUT ? -EAGAIN : r;
	if (m.kind == MESSAGE_ERROR && m.error == MESSAGE_BUSY)
		return -EAGAIN;
	if (m.kind == MESSAGE_ERROR && m.error == MESSAGE_NOT_FOUND)
		return -ENODATA;
	if (m.kind == MESSAGE_ERROR)
		return client_refused(c, &m);
	if (m.kind != MESSAGE_DATA || (m.next != 0 && m.next <= c->run_next))
		return client_fail(c, -EPROTO, "invalid page of a run");
	c->run_page_at = 1;
	c->run_next = m.next > c->run.cursor.seq ? 0 : m.next;
	return 0;
}

/* 1: an entry of the run; 0: the page is at its end. */
static int next_of_page(struct assay_client *c)
{
	while (c->run_page_at > 0 && c->run_page_at < c->run_page.count) {
		struct assay_span bytes = parts_at(&c->run_page, c->run_page_at++);
		struct assay_entry_view entry;
		if (assay_entry_read(bytes.data, bytes.len, &entry) < 0)
			return client_fail(c, -EPROTO, "invalid entry of a run");
		if (!runs_has(&c->run, &entry))
			continue;
		c->run_entry = (struct assay_client_entry){bytes.data, bytes.len, entry};
		c->run_seen++;
		return 1;
	}
	return 0;
}

int assay_client_run_entry(
	struct assay_client *c, int timeout_ms, const struct assay_client_entry **entry)
{
	*entry = NULL;
	if (c->item.kind != ASSAY_ITEM_RUN)
		return -EINVAL;
	for (;;) {
		int r = next_of_page(c);
		if (r == 1)
			*entry = &c->run_entry;
		if (r != 0)
			return r;
		if (c->run_next == 0)
			return c->run_seen == c->run.entries ? 0 : -ENODATA;
		r = fetch_page(c, timeout_ms);
		if (r < 0)
			return client_result(c, r);
	}
}

/* Adds the entries of a page before the one that waits.  0, or negative. */
static int add_page(struct assay_client *c, const struct assay_entry_view *upto)
{
	for (size_t i = 1; i < c->run_page.count; i++) {
		struct assay_span bytes = parts_at(&c->run_page, i);
		struct assay_entry_view entry;
		if (assay_entry_read(bytes.data, bytes.len, &entry) < 0)
			return client_fail(c, -EPROTO, "invalid entry of a run");
		if (entry.seq >= upto->seq || !string_same(entry.topic, upto->topic) ||
			memcmp(entry.journal, upto->journal, ASSAY_UUID_SIZE) != 0)
			continue;
		int r = runs_entry(&c->runs, bytes, &entry, &c->run);
		if (r < 0)
			return r;
	}
	return 0;
}

int client_read_start(struct assay_client *c, const struct assay_entry_view *upto, int timeout_ms)
{
	struct assay_record_view record;
	struct reply_view m;
	assay_record_read(upto->body.data, upto->body.len, &record);
	while (c->waiting_from != 0) {
		struct buffer request = {0};
		message_fetch_id(&request, record.run, c->waiting_from);
		int r = requester_message(c->requester, &request, timeout_ms, &c->run_page, &m);
		buffer_finish(&request);
		if (r == -ETIMEDOUT ||
			(r == 0 && m.kind == MESSAGE_ERROR && m.error == MESSAGE_BUSY))
			return -EAGAIN;
		if (r < 0)
			return r;
		if (m.kind == MESSAGE_ERROR)
			return m.error == MESSAGE_NOT_FOUND ? 0 : client_refused(c, &m);
		if (m.kind != MESSAGE_DATA || (m.next != 0 && m.next <= c->waiting_from))
			return client_fail(c, -EPROTO, "invalid page of a run");
		r = add_page(c, upto);
		if (r < 0)
			return r;
		c->waiting_from = m.next < upto->seq ? m.next : 0;
	}
	return 0;
}
