/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "place.h"

bool place_is_current(const struct delivery *d)
{
	return d->journals_count > 0 && d->at == d->journals_count - 1;
}

uint64_t place_last(const struct delivery *d)
{
	return place_is_current(d) ? d->head : d->journals[d->at].last;
}

ssize_t place_find(const struct delivery *d, const uint8_t *id)
{
	for (size_t i = 0; i < d->journals_count; i++) {
		if (memcmp(d->journals[i].id, id, ASSAY_UUID_SIZE) == 0)
			return (ssize_t)i;
	}
	return -1;
}

/* --- topics of the journal that is read ------------------------------------------------------- */

static int compare_topic(const struct topic_state *topic, struct assay_string name)
{
	int r = strncmp(topic->name, name.data, name.len);
	return r != 0 ? r : topic->name[name.len] != '\0';
}

/* The index of the topic, or the one at which to insert it. */
static size_t place_of(const struct delivery *d, struct assay_string name)
{
	size_t low = 0, high = d->topics_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare_topic(&d->topics[middle], name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool make_room(struct delivery *d)
{
	if (d->topics_count < d->topics_size)
		return true;
	size_t size = d->topics_size > 0 ? 2 * d->topics_size : 16;
	void *topics = reallocarray(d->topics, size, sizeof *d->topics);
	if (topics == NULL) {
		d->error = -ENOMEM;
		return false;
	}
	d->topics = topics;
	d->topics_size = size;
	return true;
}

struct topic_state *place_topic(struct delivery *d, struct assay_string name)
{
	if (name.len == 0 || name.len > ASSAY_TOPIC_MAX ||
		memchr(name.data, '\0', name.len) != NULL || prefixes_find(&d->prefixes, name) < 0)
		return NULL;
	size_t i = place_of(d, name);
	if (i < d->topics_count && compare_topic(&d->topics[i], name) == 0)
		return &d->topics[i];
	if (!make_room(d))
		return NULL;
	memmove(&d->topics[i + 1], &d->topics[i], (d->topics_count - i) * sizeof *d->topics);
	d->topics_count++;
	struct topic_state *t = &d->topics[i];
	snprintf(t->name, sizeof t->name, "%.*s", (int)name.len, name.data);
	t->cursor = t->want = marks_floor(&d->marks, d->id, t->name);
	return t;
}

void place_mark(struct delivery *d, const char *topic, uint64_t seq)
{
	struct assay_client_cursor mark = mark_of(d->id, topic, seq);
	if (marks_put(&d->marks, &mark) < 0)
		d->error = -ENOMEM;
}

static void keep_topics(struct delivery *d)
{
	for (size_t i = 0; i < d->topics_count; i++)
		place_mark(d, d->topics[i].name, d->topics[i].cursor);
	d->topics_count = 0;
}

/* --- from journal to journal ------------------------------------------------------------------ */

static void start_journal(struct delivery *d, size_t at)
{
	keep_topics(d);
	d->at = at;
	memcpy(d->id, d->journals[at].id, ASSAY_UUID_SIZE);
	d->stage = STAGE_SCAN;
	d->prefix = 0;
	d->settled = d->seq = d->merged = 0;
	d->has_merged = d->is_fetching = d->is_ending = d->is_reading = false;
}

/* A mark in a later journal implies that this one was read to its end. */
static bool is_passed(const struct delivery *d, size_t at, const char *prefix)
{
	for (size_t i = at + 1; i < d->journals_count; i++) {
		if (marks_below(&d->marks, d->journals[i].id, prefix) ||
			marks_floor(&d->marks, d->journals[i].id, prefix) > 0)
			return true;
	}
	return false;
}

static void start_fetch(
	struct delivery *d, bool is_by_topic, const char *name, uint64_t from, uint64_t to)
{
	d->is_fetching = true;
	d->is_last_page = d->is_ending = d->is_short = d->may_seek_on = false;
	d->is_by_topic = is_by_topic;
	snprintf(d->name, sizeof d->name, "%s", name);
	d->from = from;
	d->to = to;
	d->holes_count = d->holes_given = 0;
}

static bool is_whole_topic(const char *name)
{
	size_t slashes = 0;
	for (const char *at = name; *at != '\0'; at++)
		slashes += *at == '/';
	return slashes == 6 && name[strlen(name) - 1] == '/';
}

/*
 * Starts to scan one prefix; false: it has nothing to scan.  In the current journal, topics with
 * marks are fetched one by one, since one may be far behind the others.
 */
static bool start_scan(struct delivery *d, const char *prefix)
{
	if (place_is_current(d) ? marks_below(&d->marks, d->id, prefix)
				: is_passed(d, d->at, prefix))
		return false;
	uint64_t floor = marks_floor(&d->marks, d->id, prefix), last = place_last(d);
	if (last <= floor)
		return false;
	if (floor < d->settled)
		floor = d->settled;
	if (last <= floor && place_is_current(d))
		return false;
	start_fetch(d, is_whole_topic(prefix), prefix, floor + 1, last);
	d->is_last_page = d->is_ending = last <= floor; /* only a note of its end */
	return true;
}

void place_settle(struct delivery *d)
{
	if (d->stage != STAGE_FOLLOW || d->is_fetching || !d->has_merged)
		return;
	for (size_t i = 0; i < d->topics_count; i++) {
		if (d->topics[i].want > d->topics[i].cursor)
			return;
	}
	d->settled = d->merged;
	if (d->seq < d->merged)
		d->seq = d->merged;
	if (d->settled >= d->goal || memcmp(d->id, d->goal_id, ASSAY_UUID_SIZE) != 0)
		d->is_past_goal = true;
}

bool place_advance(struct delivery *d)
{
	while (d->stage == STAGE_SCAN) {
		if (d->prefix < d->prefixes.count) {
			if (start_scan(d, d->prefixes.names[d->prefix]))
				return true;
			d->prefix++;
		} else if (place_is_current(d)) {
			d->stage = STAGE_FOLLOW;
		} else {
			start_journal(d, d->at + 1);
			d->needs_hello = place_is_current(d); /* for its present topics */
		}
		if (d->needs_hello)
			return false;
	}
	for (size_t i = 0; d->stage == STAGE_FOLLOW && i < d->topics_count; i++) {
		const struct topic_state *t = &d->topics[i];
		if (t->want > t->cursor) {
			start_fetch(d, true, t->name, t->cursor + 1, t->want);
			return true;
		}
	}
	place_settle(d);
	return false;
}

/* --- the start -------------------------------------------------------------------------------- */

/* Starts in journals[at], after seq `floor`. */
static void start_after(struct delivery *d, size_t at, uint64_t floor)
{
	start_journal(d, at);
	for (size_t i = 0; i < d->prefixes.count; i++)
		place_mark(d, d->prefixes.names[i], floor);
	memcpy(d->start_id, d->id, ASSAY_UUID_SIZE);
	d->has_start_notes = true;
}

static void start_seek(struct delivery *d, size_t at)
{
	d->at = at;
	memcpy(d->id, d->journals[at].id, ASSAY_UUID_SIZE);
	d->stage = STAGE_SEEK;
	d->is_fetching = false;
	d->low = d->journals[at].first;
	d->high = place_last(d) + 1;
}

/* One step of the search for the first entry that was committed at or after `start_at`. */
bool place_seek(struct delivery *d)
{
	while (d->low >= d->high) {
		if (d->low <= place_last(d) || place_is_current(d)) {
			d->is_waiting = d->low > place_last(d);
			start_after(d, d->at, d->low - 1);
			return false;
		}
		start_seek(d, d->at + 1);
	}
	start_fetch(d, false, "a1/", d->low + (d->high - d->low) / 2, place_last(d));
	d->found_seq = 0;
	return true;
}

void place_found(struct delivery *d)
{
	uint64_t asked = d->low + (d->high - d->low) / 2;
	if (d->found_seq > 0 && d->found_tc < d->start_at)
		d->low = d->found_seq + 1;
	else
		d->high = asked;
	d->is_fetching = false;
}

void place_start(struct delivery *d)
{
	size_t current = d->journals_count - 1;
	d->goal = d->head;
	memcpy(d->goal_id, d->journals[current].id, ASSAY_UUID_SIZE);
	if (d->marks.count > 0)
		start_journal(d, 0);
	else if (d->start == ASSAY_START_OLDEST)
		start_after(d, 0, 0);
	else if (d->start == ASSAY_START_NOW)
		start_after(d, current, d->head);
	else if (d->start == ASSAY_START_SEQ)
		start_after(d, current, d->start_at > 0 ? d->start_at - 1 : 0);
	else
		start_seek(d, 0);
}

void place_continue(struct delivery *d, bool was_current)
{
	ssize_t at = place_find(d, d->id);
	if (at < 0) {
		keep_topics(d);
		d->lost_note = 0;
		start_journal(d, 0);
		return;
	}
	d->at = (size_t)at;
	if (was_current && !place_is_current(d)) {
		uint64_t settled = d->settled;
		start_journal(d, d->at);
		d->settled = settled;
	}
}
