/* SPDX-License-Identifier: Apache-2.0 */
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
#include "core/keep/confirm.h"
#include "core/keep/inside.h"
#include "journal/retain.h"
#include "record/encode.h"

struct confirmation {
	struct job job;
	struct retention *retention;
	struct confirm_request request; /* of its segments, those that are not noted yet */
	size_t known;                   /* the number of the others */
	void (*done)(void *arg, const struct confirm_result *result); /* NULL: it was called */
	void *arg;
	int result;
	char text[200]; /* the difference */
};

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
	closed->is_there = found->is_closed && !found->is_removed && !found->is_missing &&
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
	struct confirm_request *request = &c->request;
	size_t fresh = 0;
	for (size_t i = 0; c->result == 0 && i < request->count; i++) {
		if (is_known(c, &request->segments[i]))
			continue;
		c->result = compare_one(c, &request->segments[i]);
		request->segments[fresh++] = request->segments[i];
	}
	c->known = request->count - fresh;
	request->count = fresh;
}

static void note_work(struct job *job)
{
	struct confirmation *c = (struct confirmation *)job;
	c->result = archived_add(c->retention->archived, c->request.segments, c->request.count,
		c->request.to, clock_utc());
}

/* --- the steps, on the main thread ----------------------------------------------------------- */

static void report(struct confirmation *c, const char *refused)
{
	struct confirm_result result = {refused, c->request.count, c->known};
	if (c->done != NULL)
		c->done(c->arg, &result);
	c->done = NULL;
}

static void finish(struct confirmation *c, const char *refused)
{
	struct retention *retention = c->retention;
	report(c, refused);
	retention->confirming = NULL;
	free(c);
	retention->with.due(retention->with.arg);
}

static void noted(struct job *job, bool skipped)
{
	struct confirmation *c = (struct confirmation *)job;
	if (!skipped && c->result < 0)
		log_error("archived segments cannot be noted: %s", strerror(-c->result));
	finish(c, skipped ? "the daemon is stopping" : c->result < 0 ? strerror(-c->result) : NULL);
}

static void recorded(void *arg, const struct commit_item *item)
{
	struct confirmation *c = arg;
	c->job = (struct job){.work = note_work, .done = noted};
	retention_put(c->retention, &c->job);
}

static void write_record(struct buffer *to, const struct confirm_request *request)
{
	struct map map, row;
	map_open(&map, to);
	map_bytes(&map, "journal", request->segments[0].journal, JOURNAL_ID_SIZE);
	map_text(&map, "to", request->to);
	map_key(&map, "segments");
	encode_array(to, request->count);
	for (size_t i = 0; i < request->count; i++) {
		const struct archived_segment *segment = &request->segments[i];
		map_open(&row, to);
		map_uint(&row, "first", segment->first);
		map_uint(&row, "last", segment->last);
		map_bytes(&row, "sha256", segment->sha256, ASSAY_SHA256_SIZE);
		map_close(&row);
	}
	map_close(&map);
}

static void compared(struct job *job, bool skipped)
{
	struct confirmation *c = (struct confirmation *)job;
	struct buffer after = {0};
	if (skipped || c->result < 0 || c->request.count == 0) {
		finish(c, skipped ? "the daemon is stopping" : c->result < 0 ? c->text : NULL);
		return;
	}
	write_record(&after, &c->request);
	int r = audit_then(c->retention->with.audit, "archived", &c->request.actor, NULL, &after,
		NULL, recorded, c);
	if (r < 0)
		finish(c, "out of memory");
	buffer_finish(&after);
}

int confirm_start(struct retention *retention, const struct confirm_request *request,
	void (*done)(void *arg, const struct confirm_result *result), void *arg)
{
	if (retention->confirming != NULL)
		return -EBUSY;
	struct confirmation *c = calloc(1, sizeof *c);
	if (c == NULL)
		return -ENOMEM;
	*c = (struct confirmation){.job = {.work = compare_work, .done = compared},
		.retention = retention,
		.request = *request,
		.done = done,
		.arg = arg};
	retention->confirming = c;
	retention_put(retention, &c->job);
	return 0;
}

void confirm_give_up(struct retention *retention)
{
	if (retention != NULL && retention->confirming != NULL)
		report(retention->confirming, "the daemon is stopping");
}

void confirm_destroy(struct retention *retention)
{
	if (retention == NULL)
		return;
	free(retention->confirming);
	retention->confirming = NULL;
}
