/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "notes.h"
#include "place.h"

#define JOURNALS_MAX 4096

int delivery_create(struct delivery **out, const struct prefixes *prefixes,
	enum assay_client_start start, uint64_t start_at)
{
	struct delivery *d = calloc(1, sizeof *d);
	if (d == NULL)
		return -ENOMEM;
	d->holes = calloc(HOLES_MAX, sizeof *d->holes);
	if (d->holes == NULL) {
		free(d);
		return -ENOMEM;
	}
	d->prefixes = *prefixes;
	d->start = start;
	d->start_at = start_at;
	d->needs_hello = true;
	*out = d;
	return 0;
}

void delivery_destroy(struct delivery *d)
{
	if (d == NULL)
		return;
	free(d->holes);
	free(d->journals);
	free(d->topics);
	marks_finish(&d->marks);
	free(d);
}

int delivery_put_mark(struct delivery *d, const struct assay_client_cursor *mark)
{
	return marks_put(&d->marks, mark);
}

/* --- requests --------------------------------------------------------------------------------- */

enum delivery_need delivery_need(struct delivery *d, struct message_fetch *fetch)
{
	if (d->has_sent)
		return DELIVERY_NOTHING;
	if (d->needs_hello)
		return DELIVERY_HELLO;
	if (!d->is_fetching && d->stage == STAGE_SEEK)
		place_seek(d);
	if (!d->is_fetching)
		place_advance(d);
	if (d->needs_hello)
		return DELIVERY_HELLO;
	if (!d->is_fetching || d->is_last_page || d->is_ending)
		return DELIVERY_NOTHING;
	*fetch = (struct message_fetch){.journal = d->id,
		.name = d->name,
		.is_prefix = !d->is_by_topic,
		.from = d->from,
		.to = d->to,
		.max_bytes = d->stage == STAGE_SEEK ? 1 : 0};
	return DELIVERY_FETCH;
}

void delivery_sent(struct delivery *d)
{
	d->has_sent = true;
}

void delivery_reconnected(struct delivery *d)
{
	d->needs_hello = true;
	d->has_sent = false;
	if (!d->is_reading)
		return;
	/* Request a page again if it was not read to its end. */
	d->is_reading = d->is_last_page = false;
	d->from = d->page_from;
	while (d->holes_count > 0 && d->holes[d->holes_count - 1].to >= d->from)
		d->holes_count--;
	if (d->holes_given > d->holes_count)
		d->holes_given = d->holes_count;
}

bool delivery_pause(struct delivery *d)
{
	bool must_pause = d->must_pause;
	d->must_pause = false;
	return must_pause;
}

int delivery_refused(struct delivery *d, enum message_error error)
{
	d->has_sent = false;
	d->must_pause = true;
	switch (error) {
	case MESSAGE_WRONG_JOURNAL:
	case MESSAGE_NOT_FOUND: d->needs_hello = true; return 0;
	case MESSAGE_BUSY:
	case MESSAGE_FAILED: return 0;
	case MESSAGE_NOT_AUTHORISED: return -EACCES;
	case MESSAGE_IN_USE: return -EBUSY;
	case MESSAGE_BAD_REQUEST:
	case MESSAGE_UNSUPPORTED: break;
	}
	return -EPROTO;
}

/* --- journals and topics ---------------------------------------------------------------------- */

struct journal_list {
	struct known_journal *items;
	size_t count, size;
};

static int add_journal(void *arg, const struct message_journal *from)
{
	struct journal_list *list = arg;
	if (list->count == list->size)
		return -EBADMSG;
	struct known_journal *to = &list->items[list->count++];
	memcpy(to->id, from->id, ASSAY_UUID_SIZE);
	to->first = from->first > 0 ? from->first : 1;
	to->last = from->last;
	return 0;
}

static int read_journals(struct delivery *d, const struct reply_view *welcome)
{
	struct journal_list list = {.size = welcome->journals_count};
	if (list.size == 0 || list.size > JOURNALS_MAX)
		return -EBADMSG;
	list.items = calloc(list.size, sizeof *list.items);
	if (list.items == NULL)
		return -ENOMEM;
	int r = message_journals(welcome, add_journal, &list);
	if (r == 0 && memcmp(list.items[list.count - 1].id, welcome->journal, ASSAY_UUID_SIZE) != 0)
		r = -EBADMSG;
	if (r < 0) {
		free(list.items);
		return r;
	}
	free(d->journals);
	d->journals = list.items;
	d->journals_count = list.count;
	return 0;
}

static int want_topic(void *arg, struct assay_string name, uint64_t last)
{
	struct delivery *d = arg;
	struct topic_state *t = place_topic(d, name);
	if (t != NULL && last > t->want)
		t->want = last;
	return d->error;
}

static int merge(struct delivery *d, struct assay_span topics, uint64_t head)
{
	int r = message_topics(topics, want_topic, d);
	if (r < 0)
		return r;
	d->has_merged = true;
	if (head > d->merged)
		d->merged = head;
	return 0;
}

int delivery_welcome(struct delivery *d, const struct reply_view *welcome)
{
	bool was_current = place_is_current(d);
	int r = read_journals(d, welcome);
	if (r < 0)
		return r;
	d->has_sent = d->needs_hello = false;
	d->head = welcome->head;
	if (d->stage == STAGE_NEW || d->stage == STAGE_SEEK)
		place_start(d);
	else
		place_continue(d, was_current);
	if (place_is_current(d) && d->stage != STAGE_SEEK)
		r = merge(d, welcome->topics, welcome->head);
	return r < 0 ? r : d->error;
}

int delivery_head(struct delivery *d, const struct head_view *head)
{
	if (d->stage == STAGE_NEW)
		return 0;
	ssize_t at = place_find(d, head->journal);
	if (at < 0) {
		d->needs_hello = true;
		return 0;
	}
	if ((size_t)at != d->journals_count - 1)
		return 0;
	if (head->head > d->head)
		d->head = head->head;
	if (!place_is_current(d) || d->stage == STAGE_SEEK)
		return 0;
	int r = merge(d, head->topics, head->head);
	place_settle(d);
	return r < 0 ? r : d->error;
}

/* --- entries ---------------------------------------------------------------------------------- */

static enum delivery_verdict give(
	struct delivery *d, struct topic_state *t, const struct assay_entry_view *entry)
{
	t->cursor = entry->seq;
	if (t->want < entry->seq)
		t->want = entry->seq;
	if (d->seq < entry->seq)
		d->seq = entry->seq;
	/* The start time is in the future: entries of this journal before it are not wanted. */
	if (entry->tc >= d->start_at || memcmp(d->start_id, d->id, ASSAY_UUID_SIZE) != 0)
		d->is_waiting = false;
	return d->is_waiting ? DELIVERY_DROP : DELIVERY_GIVE;
}

enum delivery_verdict delivery_live_entry(struct delivery *d, const struct assay_entry_view *entry)
{
	if (d->stage == STAGE_NEW)
		return DELIVERY_DROP;
	if (place_find(d, entry->journal) < 0)
		d->needs_hello = true;
	if (!place_is_current(d) || d->stage == STAGE_SEEK ||
		memcmp(entry->journal, d->id, ASSAY_UUID_SIZE) != 0)
		return DELIVERY_DROP;
	struct topic_state *t = place_topic(d, entry->topic);
	if (t == NULL || entry->seq <= t->cursor || entry->prev >= entry->seq)
		return DELIVERY_DROP;
	if (entry->seq > d->head)
		d->head = entry->seq;
	if (entry->prev <= t->cursor)
		return give(d, t, entry);
	if (t->want <= t->cursor)
		d->refetched++;
	if (t->want < entry->seq)
		t->want = entry->seq;
	return DELIVERY_DROP;
}

enum delivery_verdict delivery_page_entry(
	struct delivery *d, const struct assay_entry_view *entry, struct delivery_note *note)
{
	bool is_requested = d->is_fetching && memcmp(entry->journal, d->id, ASSAY_UUID_SIZE) == 0 &&
			    prefix_covers(d->name, entry->topic) && entry->prev < entry->seq &&
			    entry->seq <= d->to;
	if (!is_requested)
		return DELIVERY_DROP;
	if (d->stage == STAGE_SEEK) {
		if (d->found_seq == 0) {
			d->found_seq = entry->seq;
			d->found_tc = entry->tc;
		}
		return DELIVERY_DROP;
	}
	if (d->seq < entry->seq)
		d->seq = entry->seq;
	if (!place_is_current(d) && note_hole(d, entry->seq, note))
		return DELIVERY_NOTED;
	struct topic_state *t = place_topic(d, entry->topic);
	if (t == NULL || entry->seq <= t->cursor)
		return DELIVERY_DROP;
	if (entry->prev > t->cursor) {
		note_gap(d, t, entry->prev, note);
		return DELIVERY_NOTED;
	}
	return give(d, t, entry);
}

static int add_hole(void *arg, const struct message_gap *gap)
{
	struct delivery *d = arg;
	struct message_gap hole = *gap;
	if (hole.from < d->from)
		hole.from = d->from;
	if (hole.to > d->to)
		hole.to = d->to;
	if (hole.from > hole.to)
		return 0;
	struct message_gap *last = d->holes_count > 0 ? &d->holes[d->holes_count - 1] : NULL;
	if (last != NULL && hole.from <= last->to)
		return -EBADMSG;
	bool is_same = last != NULL && d->holes_given < d->holes_count &&
		       hole.from == last->to + 1 && hole.why == last->why;
	if (!is_same && d->holes_count == HOLES_MAX && !place_is_current(d))
		return -EBADMSG;
	if (is_same || d->holes_count == HOLES_MAX) {
		last->to = hole.to;
		return 0;
	}
	d->holes[d->holes_count++] = hole;
	return 0;
}

int delivery_page(struct delivery *d, const struct reply_view *data)
{
	d->has_sent = false;
	if (!d->is_fetching || d->is_reading || (data->next != 0 && data->next <= d->from))
		return -EBADMSG;
	d->is_reading = true;
	d->page_from = d->from;
	if (d->holes_given == d->holes_count)
		d->holes_given = d->holes_count = 0;
	int r = message_gaps(data, add_hole, d);
	if (r < 0)
		return r;
	d->is_last_page = data->next == 0 || data->next > d->to;
	/* The daemon does not have the announced entries yet: they are late, not lost. */
	d->is_short = d->is_last_page && data->head < d->to && place_is_current(d);
	d->must_pause = d->must_pause || d->is_short;
	if (!d->is_last_page)
		d->from = data->next;
	/* A seek needs one entry of the page; the next page is requested only if it has none. */
	d->may_seek_on = d->stage == STAGE_SEEK && !d->is_last_page;
	d->is_last_page = d->is_last_page || d->may_seek_on;
	return 0;
}

int delivery_page_done(struct delivery *d)
{
	d->is_reading = false;
	if (d->is_fetching && d->is_last_page) {
		if (d->may_seek_on && d->found_seq == 0)
			d->is_last_page = false;
		else if (d->stage == STAGE_SEEK)
			place_found(d);
		else
			d->is_ending = true;
	}
	return d->error;
}

/* --- state ------------------------------------------------------------------------------------ */

bool delivery_is_live(const struct delivery *d)
{
	return d->stage == STAGE_FOLLOW && !d->needs_hello && !d->is_fetching && d->has_merged &&
	       d->settled >= d->merged;
}

bool delivery_is_past_start(const struct delivery *d)
{
	return d->is_past_goal;
}

const uint8_t *delivery_journal(const struct delivery *d, uint64_t *seq, uint64_t *head)
{
	if (d->stage == STAGE_NEW)
		return NULL;
	*seq = d->seq;
	*head = place_is_current(d) ? d->head : d->journals[d->at].last;
	return d->id;
}

uint64_t delivery_refetched(const struct delivery *d)
{
	return d->refetched;
}
