/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Somebody says that segments were archived: their digests are compared with our own files, the
 * audit says who it was, and only when both are done it is noted and counts.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_TOPIC "retention"
#include "base/clock.h"
#include "base/log.h"
#include "core/commit/audit.h"
#include "core/keep/inside.h"
#include "journal/retain.h"
#include "record/encode.h"

struct confirmation {
	struct job job;
	struct retention *retention;
	struct control_ticket *ticket; /* NULL: answered */
	struct audit_actor actor;
	struct archived_segment *segments; /* of one journal */
	size_t count, known;               /* how many were noted before, at the list's end */
	char to[CONFIRM_TEXT_MAX + 1];
	int result;
	char text[200]; /* what differs */
};

void confirmation_destroy(struct confirmation *confirmation)
{
	if (confirmation == NULL)
		return;
	free(confirmation->segments);
	free(confirmation);
}

/* --- comparing, on the thread ---------------------------------------------------------------- */

struct closed {
	const struct archived_segment *segment;
	bool is_there;
};

static int is_closed_one(void *arg, const struct journal_segment *found)
{
	struct closed *closed = arg;
	if (found->first_seq != closed->segment->first)
		return 0;
	closed->is_there = found->is_closed && !found->is_removed &&
			   found->last_seq == closed->segment->last;
	return 1;
}

static int differ(struct confirmation *c, const struct archived_segment *segment, const char *how)
{
	snprintf(c->text, sizeof c->text, "entries %" PRIu64 " to %" PRIu64 ": %s", segment->first,
		segment->last, how);
	return -EBADMSG;
}

static int compare_one(struct confirmation *c, const struct archived_segment *segment)
{
	struct closed closed = {.segment = segment};
	uint8_t hash[ASSAY_SHA256_SIZE];
	int r = journal_segments(
		&io_posix, c->retention->path, segment->journal, is_closed_one, &closed);
	if (r >= 0 && !closed.is_there)
		return differ(c, segment, "there is no such closed file in the journal");
	if (r >= 0)
		r = retention_hash(c->retention, segment->journal, segment->first, hash);
	if (r < 0)
		return differ(c, segment, strerror(-r));
	if (memcmp(hash, segment->sha256, sizeof hash) != 0)
		return differ(c, segment, "the journal's file has another SHA-256");
	return 0;
}

static bool is_known(const struct confirmation *c, const struct archived_segment *segment)
{
	const struct archived_segment *note = archived_find(
		c->retention->archived, segment->journal, segment->first);
	return note != NULL && memcmp(note, segment, sizeof *note) == 0;
}

static void compare_work(struct job *job)
{
	struct confirmation *c = (struct confirmation *)job;
	size_t fresh = 0;
	for (size_t i = 0; c->result == 0 && i < c->count; i++) {
		struct archived_segment segment = c->segments[i];
		if (is_known(c, &segment))
			continue;
		c->result = compare_one(c, &segment);
		c->segments[i] = c->segments[fresh];
		c->segments[fresh++] = segment;
	}
	c->known = c->count - fresh;
	c->count = fresh;
}

static void note_work(struct job *job)
{
	struct confirmation *c = (struct confirmation *)job;
	c->result = archived_add(c->retention->archived, c->segments, c->count, c->to, clock_utc());
}

/* --- what follows, on the main thread -------------------------------------------------------- */

static void answer(struct confirmation *c, const char *text)
{
	struct buffer pairs = {0};
	struct map map = {.to = &pairs};
	map_uint(&map, "noted", c->count);
	map_uint(&map, "known", c->known);
	control_answer(c->ticket, &pairs, map.pairs, text != NULL ? "refused" : NULL, text);
	c->ticket = NULL;
	buffer_finish(&pairs);
}

void confirmation_give_up(struct confirmation *confirmation)
{
	if (confirmation != NULL && confirmation->ticket != NULL)
		answer(confirmation, "the daemon is stopping");
}

static void finish(struct confirmation *c, const char *text)
{
	struct retention *retention = c->retention;
	if (c->ticket != NULL)
		answer(c, text);
	retention->confirming = NULL;
	confirmation_destroy(c);
	retention->with.due(retention->with.arg);
}

static void noted(struct job *job, bool skipped)
{
	struct confirmation *c = (struct confirmation *)job;
	if (!skipped && c->result < 0)
		log_error("what was archived cannot be noted: %s", strerror(-c->result));
	finish(c, skipped ? "the daemon is stopping" : c->result < 0 ? strerror(-c->result) : NULL);
}

static void recorded(void *arg, const struct commit_item *item)
{
	struct confirmation *c = arg;
	c->job = (struct job){.work = note_work, .done = noted};
	retention_put(c->retention, &c->job);
}

static void write_record(struct buffer *to, const struct confirmation *c)
{
	struct map map, row;
	map_open(&map, to);
	map_bytes(&map, "journal", c->segments[0].journal, JOURNAL_ID_SIZE);
	map_text(&map, "to", c->to);
	map_key(&map, "segments");
	encode_array(to, c->count);
	for (size_t i = 0; i < c->count; i++) {
		map_open(&row, to);
		map_uint(&row, "first", c->segments[i].first);
		map_uint(&row, "last", c->segments[i].last);
		map_bytes(&row, "sha256", c->segments[i].sha256, ASSAY_SHA256_SIZE);
		map_close(&row);
	}
	map_close(&map);
}

static void compared(struct job *job, bool skipped)
{
	struct confirmation *c = (struct confirmation *)job;
	struct buffer after = {0};
	if (skipped || c->result < 0 || c->count == 0) {
		finish(c, skipped ? "the daemon is stopping" : c->result < 0 ? c->text : NULL);
		return;
	}
	write_record(&after, c);
	int r = audit_then(c->retention->with.audit, "archived", &c->actor, &after, recorded, c);
	if (r < 0)
		finish(c, "no memory");
	buffer_finish(&after);
}

bool retention_is_confirming(const struct retention *retention)
{
	return retention->confirming != NULL;
}

int retention_confirm(struct retention *retention, struct control_ticket *ticket,
	const struct audit_actor *actor, struct archived_segment *segments, size_t count,
	const char *to)
{
	assert(retention->confirming == NULL);
	struct confirmation *c = calloc(1, sizeof *c);
	if (c == NULL)
		return -ENOMEM;
	*c = (struct confirmation){.job = {.work = compare_work, .done = compared},
		.retention = retention,
		.ticket = ticket,
		.actor = *actor,
		.segments = segments,
		.count = count};
	snprintf(c->to, sizeof c->to, "%s", to);
	retention->confirming = c;
	retention_put(retention, &c->job);
	return 0;
}
