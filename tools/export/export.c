/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "export.h"
#include "record/digest.h"

#define ANSWER_MS 10000
#define ATTEMPTS  5

/* EXPORT_FORMATS(F) is F(csv, csv) F(csv_excel, csv-excel) ..., from meson.build. */
#define DECLARE(symbol, name) extern const struct export_format export_##symbol;
EXPORT_FORMATS(DECLARE)

#define ROW(symbol, name) &export_##symbol,
const struct export_format *const export_formats[] = {EXPORT_FORMATS(ROW) NULL};

#define NAME(symbol, name) #name,
const char *const export_format_names[] = {EXPORT_FORMATS(NAME) NULL};

const struct export_format *export_format_find(const char *name)
{
	size_t i = 0;
	while (export_format_names[i] != NULL && strcmp(export_format_names[i], name) != 0)
		i++;
	return export_formats[i];
}

static int view_item(struct assay_span bytes, struct export_item *item)
{
	struct assay_record_view *record = &item->frame.record;
	*item = (struct export_item){.bytes = bytes};
	if (assay_entry_read(bytes.data, bytes.len, &item->entry) < 0)
		return -EBADMSG;
	const struct assay_span body = item->entry.body;
	item->is_frame = assay_frame_read(body.data, body.len, &item->frame) == 0;
	if (!item->is_frame && assay_record_read(body.data, body.len, record) < 0)
		record->type = 0;
	return 0;
}

/* Frames are numbered without gaps, and run-end has their number. */
static void count_lost(struct export *e, struct export_item *item)
{
	const struct assay_record_view *record = &item->frame.record;
	uint64_t upto = record->type == ASSAY_RECORD_FRAME     ? record->n
			: record->type == ASSAY_RECORD_RUN_END ? record->frames
							       : 0;
	if (upto > e->next) {
		e->lost_first = e->lost_now == 0 ? e->next : e->lost_first;
		e->lost_now += upto - e->next;
		e->lost += upto - e->next;
	}
	item->lost_first = e->lost_first;
	item->lost = e->lost_now;
	if (record->type == ASSAY_RECORD_FRAME)
		e->next = record->n + 1;
}

static bool is_left_out(const struct export *e, const struct export_item *item)
{
	return item->is_frame && item->frame.partial && !e->with_partial && !e->format->is_evidence;
}

static int give_piece(struct export *e, uint64_t seq)
{
	bool failed = e->to.failed || e->head.failed || e->facts.failed;
	int r = failed ? -ENOMEM : e->piece(e->arg, e, seq);
	buffer_reset(&e->to);
	return r;
}

static int choose(struct export *e, const uint8_t *hash, size_t max, bool *is_new)
{
	struct export_tables *t = &e->tables;
	size_t i = 0;
	while (i < t->count && memcmp(t->of[i].id, hash, sizeof t->of[i].id) != 0)
		i++;
	*is_new = i == t->count;
	if (i == max)
		return -E2BIG;
	if (*is_new) {
		memcpy(t->of[i].id, hash, sizeof t->of[i].id);
		t->of[i].rows = 0;
		t->count++;
	}
	t->at = i;
	return 0;
}

int export_choose_table(struct export *e, const uint8_t *hash, bool *is_new)
{
	return choose(e, hash, EXPORT_TABLES_MAX, is_new);
}

int export_choose_file(struct export *e, uint64_t key, bool *is_new)
{
	struct digest digest;
	uint8_t hash[ASSAY_SHA256_SIZE];
	int r = digest_init(&digest);
	if (r < 0)
		return r;
	digest_update(&digest, e->run.number, strlen(e->run.number));
	digest_update(&digest, &key, sizeof key);
	digest_final(&digest, hash);
	digest_finish(&digest);
	return choose(e, hash, EXPORT_FILES_MAX, is_new);
}

void export_note(struct export *e, const char *text, uint64_t count)
{
	size_t i = 0;
	while (e->notes[i].text != NULL && e->notes[i].text != text)
		i++;
	assert(i < EXPORT_NOTES_MAX - 1); /* the last one ends the list */
	e->notes[i].text = text;
	e->notes[i].count += count;
}

static bool must_stop(const struct export *e)
{
	return e->must_stop != NULL && *e->must_stop;
}

static int fetch_page(struct export *e, uint64_t from, struct parts *reply, struct reply_view *m)
{
	int r = -ETIMEDOUT;
	for (int i = 0; i < ATTEMPTS && !must_stop(e); i++) {
		struct buffer request = {0};
		message_fetch_run(&request, e->run.number, from);
		r = requester_message(e->replay, &request, ANSWER_MS, reply, m);
		buffer_finish(&request);
		if (r == 0 && m->kind == MESSAGE_DATA)
			return m->next == 0 || m->next > from ? 0 : -EPROTO;
		if (r == 0 && m->kind == MESSAGE_ERROR && m->error == MESSAGE_NOT_FOUND)
			return -ENOENT;
		if (r == 0 && m->error != MESSAGE_BUSY)
			return -EPROTO;
		if (r != 0 && r != -ETIMEDOUT)
			return r;
		nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
	}
	return must_stop(e) ? -EINTR : r == 0 ? -EBUSY : r;
}

/* Gives the run's entries from this one on to take(). */
static int walk(struct export *e, uint64_t from, int (*take)(struct export *, struct export_item *))
{
	struct parts reply = {0};
	struct reply_view m = {.next = from};
	int r = 0;
	while (r == 0 && m.next != 0) {
		r = fetch_page(e, m.next, &reply, &m);
		for (size_t i = 1; r == 0 && i < reply.count; i++) {
			struct export_item item;
			r = must_stop(e) ? -EINTR : view_item(parts_at(&reply, i), &item);
			if (r == 0)
				r = take(e, &item);
		}
	}
	parts_finish(&reply);
	return r;
}

static int survey_item(struct export *e, struct export_item *item)
{
	if (is_left_out(e, item))
		return 0;
	facts_take(&e->about, &e->run, item);
	return e->format->survey(e, item);
}

static int put_in_heading(struct export *e, struct export_item *item)
{
	e->in_heading++;
	return e->format->entry(e, item);
}

static int put_item(struct export *e, struct export_item *item)
{
	const struct assay_record_view *record = &item->frame.record;
	bool is_in_heading = e->has_end && e->in_heading > 0 && record->type == ASSAY_RECORD_AMEND;
	int r = 0;
	e->in_heading -= is_in_heading;
	e->has_end |= record->type == ASSAY_RECORD_RUN_END;
	if (!is_in_heading) {
		count_lost(e, item);
		if (is_left_out(e, item)) {
			export_note(e,
				"partial frames left out, which later frames replace; "
				"--partials has them",
				1);
		} else {
			r = e->format->entry(e, item);
			e->lost_now = 0;
		}
	}
	return r < 0 ? r : give_piece(e, item->entry.seq);
}

static void forget(struct export *e)
{
	if (e->format->forget != NULL && e->own != NULL)
		e->format->forget(e);
	e->own = NULL;
}

int export_put(struct export *e, const struct export_run *run)
{
	forget(e);
	e->run = *run;
	e->next = e->lost_now = e->in_heading = e->fits = 0;
	e->has_end = false;
	buffer_reset(&e->to);
	facts_begin(&e->about, run);
	int r = e->format->survey != NULL ? walk(e, 1, survey_item) : 0;
	if (r == 0 && e->format->begin != NULL) {
		r = e->format->begin(e);
		if (r == 0 && run->last > 0)
			r = walk(e, run->last + 1, put_in_heading);
	}
	if (r == 0)
		r = walk(e, 1, put_item);
	for (int more = 1; r == 0 && e->format->end != NULL && more == 1;) {
		more = e->format->end(e);
		r = more < 0 ? more : give_piece(e, run->last);
	}
	e->runs++;
	return r;
}

void export_finish(struct export *e)
{
	if (e->format != NULL)
		forget(e);
	buffer_finish(&e->to);
	buffer_finish(&e->head);
	buffer_finish(&e->facts);
}
