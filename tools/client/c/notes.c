/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "notes.h"

void note_gap(struct delivery *d, struct topic_state *t, uint64_t upto, struct delivery_note *note)
{
	uint64_t from = t->cursor + 1;
	*note = (struct delivery_note){
		.kind = DELIVERY_GAP, .first = from, .why = ASSAY_GAP_DAMAGED};
	uint64_t to = upto;
	for (size_t i = 0; i < d->holes_count; i++) {
		const struct message_gap *hole = &d->holes[i];
		if (hole->to < from || hole->from > upto)
			continue;
		note->first = hole->from > from ? hole->from : from;
		to = hole->to < upto ? hole->to : upto;
		note->why = hole->why;
		break;
	}
	note->cursor = mark_of(d->id, t->name, to);
	t->cursor = to;
}

static struct delivery_note prefix_note(
	const struct delivery *d, enum delivery_note_kind kind, uint64_t seq)
{
	return (struct delivery_note){.kind = kind, .cursor = mark_of(d->id, d->name, seq)};
}

bool note_hole(struct delivery *d, uint64_t before, struct delivery_note *note)
{
	while (d->holes_given < d->holes_count) {
		struct message_gap hole = d->holes[d->holes_given];
		if (hole.from >= before)
			return false;
		d->holes_given++;
		uint64_t floor = marks_floor(&d->marks, d->id, d->name);
		if (hole.to <= floor)
			continue;
		*note = prefix_note(d, DELIVERY_GAP, hole.to);
		note->first = hole.from > floor ? hole.from : floor + 1;
		note->why = hole.why;
		place_mark(d, d->name, hole.to);
		for (size_t i = 0; i < d->topics_count; i++) {
			struct topic_state *t = &d->topics[i];
			struct assay_string name = {t->name, strlen(t->name)};
			if (prefix_covers(d->name, name) && t->cursor < hole.to)
				t->cursor = hole.to;
		}
		return true;
	}
	return false;
}

/* All pages of the fetch are processed: entries that did not come are lost. */
static bool note_ending(struct delivery *d, struct delivery_note *note)
{
	struct assay_string name = {d->name, strlen(d->name)};
	if (d->stage == STAGE_FOLLOW) {
		struct topic_state *t = place_topic(d, name);
		if (t != NULL && t->cursor < d->to && !d->is_short) {
			note_gap(d, t, d->to, note);
			return true;
		}
	} else if (!place_is_current(d) && note_hole(d, UINT64_MAX, note)) {
		return true;
	}
	bool is_end = d->stage == STAGE_SCAN && !place_is_current(d);
	if (is_end) {
		*note = prefix_note(d, DELIVERY_END, d->to);
		place_mark(d, d->name, d->to);
	}
	if (d->stage == STAGE_SCAN)
		d->prefix++;
	d->is_fetching = d->is_ending = false;
	place_advance(d);
	return is_end;
}

/* A mark for each prefix, even at 0: the cursor that the daemon keeps then names all of them. */
static bool note_start(struct delivery *d, struct delivery_note *note)
{
	if (!d->has_start_notes || d->start_note == d->prefixes.count)
		return false;
	const char *prefix = d->prefixes.names[d->start_note++];
	uint64_t floor = marks_get(&d->marks, d->start_id, prefix);
	*note = (struct delivery_note){
		.kind = DELIVERY_MARK, .cursor = mark_of(d->start_id, prefix, floor)};
	return true;
}

/* The journal of a mark is gone: the entries after the mark are lost. */
static bool note_lost(struct delivery *d, struct delivery_note *note)
{
	for (; d->journals_count > 0 && d->lost_note < d->marks.count; d->lost_note++) {
		struct assay_client_cursor *mark = &d->marks.items[d->lost_note];
		struct assay_string topic = {mark->topic, strlen(mark->topic)};
		if (mark->seq >= DELIVERY_LOST || place_find(d, mark->journal) >= 0 ||
			prefixes_find(&d->prefixes, topic) < 0)
			continue;
		*note = (struct delivery_note){.kind = DELIVERY_GAP,
			.cursor = mark_of(mark->journal, mark->topic, DELIVERY_LOST),
			.first = mark->seq + 1,
			.why = ASSAY_GAP_DAMAGED};
		mark->seq = DELIVERY_LOST;
		return true;
	}
	return false;
}

int delivery_note(struct delivery *d, struct delivery_note *note)
{
	if (d->error < 0)
		return d->error;
	if (note_lost(d, note))
		return 1;
	if (note_start(d, note))
		return 1;
	if (d->stage >= STAGE_SCAN && !d->is_fetching && !d->needs_hello)
		place_advance(d);
	while (d->is_ending) {
		if (note_ending(d, note))
			return 1;
	}
	return 0;
}
