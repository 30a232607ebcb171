/* SPDX-License-Identifier: Apache-2.0 */
/* The entries of a run, fetched again page by page, so that only one page is in memory. */
#include <errno.h>
#include <string.h>

#include "handle.h"

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
		.final_frames = run->final_frames};
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
		if (entry.seq < c->run.first || entry.seq > c->run.cursor.seq ||
			!assay_string_is(entry.topic, c->run.cursor.topic))
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
			return r;
	}
}
