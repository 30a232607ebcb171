/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOG_TOPIC "runs"
#include "base/clock.h"
#include "base/log.h"
#include "base/arena.h"
#include "core/commit/published.h"
#include "core/runs/index_file.h"
#include "core/runs/rows.h"
#include "journal/reader.h"
#include "record/digest.h"
#include "record/entry.h"

/* Entries between two notes of how far the index reaches. */
#define CHECKPOINT_ENTRIES 5000

/* A row as it is kept: runs are many, and most of their texts are those of their neighbours. */
struct runs_kept {
	uint8_t id[16], journal[16], ctx[32];
	const char *number, *instrument, *topic, *sample, *operator, * status; /* in the arena */
	uint64_t start, first, last, frames;
	uint64_t frames_committed; /* of the open run */
	uint64_t judged;           /* frames that `quality` is the worst of */
	unsigned quality;
	bool sim;
};

struct runs {
	struct runs_kept *rows;
	size_t count, size;
	uint32_t *slots; /* by id: place of a row + 1, 0: free; none in `older` */
	size_t slot_count;
	struct runs_amend *amends;
	size_t amend_count, amend_size;
	struct arena texts;
	pthread_mutex_t lock; /* of rows, texts and amends, against other threads' reading */
	struct runs *older;   /* those of all former journals; NULL: none */
	char path[PATH_MAX];
	uint8_t id[JOURNAL_ID_SIZE];
	uint64_t head;               /* seq that loading reached */
	struct published *published; /* what is committed; NULL: all */
	struct numbers *numbers;     /* reserves numbers; NULL: none are */
	struct index_file file;
};

/* Rows searched before the lock is briefly released. */
#define SEARCH_TURN 1000

/* Rows searched for an equal text, which is then shared. */
#define NEIGHBOURS 16

/* --- rows in memory -------------------------------------------------------------------------- */

/* The slot that holds this id, or the free one for it.  Ids are random: any part is a hash. */
static uint32_t *find_slot(const struct runs *runs, const uint8_t *id)
{
	size_t at;
	memcpy(&at, id + 8, sizeof at);
	for (;; at++) {
		uint32_t *slot = &runs->slots[at & (runs->slot_count - 1)];
		if (*slot == 0 || memcmp(runs->rows[*slot - 1].id, id, 16) == 0)
			return slot;
	}
}

static struct runs_kept *find_id(const struct runs *runs, const uint8_t *id)
{
	if (runs->slot_count == 0)
		return NULL;
	uint32_t place = *find_slot(runs, id);
	return place == 0 ? NULL : &runs->rows[place - 1];
}

/* Room for one row more, at most half full. */
static int grow_slots(struct runs *runs)
{
	if (2 * (runs->count + 1) <= runs->slot_count)
		return 0;
	size_t count = runs->slot_count != 0 ? 2 * runs->slot_count : 256;
	uint32_t *slots = calloc(count, sizeof *slots);
	if (slots == NULL || runs->count >= UINT32_MAX) {
		free(slots);
		return -ENOMEM;
	}
	free(runs->slots);
	runs->slots = slots;
	runs->slot_count = count;
	for (size_t i = 0; i < runs->count; i++)
		*find_slot(runs, runs->rows[i].id) = (uint32_t)i + 1;
	return 0;
}

/* A text of a row in both forms: a pointer in the arena, an array in struct runs_row. */
struct text_field {
	size_t kept, row, size;
};

#define TEXT_FIELD(name)                                                           \
	{                                                                          \
		offsetof(struct runs_kept, name), offsetof(struct runs_row, name), \
			sizeof((struct runs_row *)NULL)->name                      \
	}

static const struct text_field text_fields[] = {TEXT_FIELD(number), TEXT_FIELD(instrument),
	TEXT_FIELD(topic), TEXT_FIELD(sample), TEXT_FIELD(operator), TEXT_FIELD(status)};

#define TEXT_FIELDS (sizeof text_fields / sizeof *text_fields)

static const char **kept_text(struct runs_kept *kept, const struct text_field *field)
{
	return (const char **)((char *)kept + field->kept);
}

/* The text as one of the last rows has it, or a copy. */
static const char *share_text(struct runs *runs, const struct text_field *field, const char *text)
{
	for (size_t i = runs->count; i > 0 && i + NEIGHBOURS > runs->count; i--) {
		const char *have = *kept_text(&runs->rows[i - 1], field);
		if (strcmp(have, text) == 0)
			return have;
	}
	return arena_text(&runs->texts, text, strlen(text));
}

static int keep_row(struct runs *runs, struct runs_kept *kept, const struct runs_row *row)
{
	memcpy(kept->id, row->id, sizeof kept->id);
	memcpy(kept->journal, row->journal, sizeof kept->journal);
	memcpy(kept->ctx, row->ctx, sizeof kept->ctx);
	for (size_t i = 0; i < TEXT_FIELDS; i++) {
		const char *text = (const char *)row + text_fields[i].row;
		const char **have = kept_text(kept, &text_fields[i]);
		if (*have == NULL || strcmp(*have, text) != 0)
			*have = share_text(runs, &text_fields[i], text);
	}
	kept->start = row->start;
	kept->first = row->first;
	kept->last = row->last;
	kept->frames = row->frames;
	kept->quality = row->quality != 0 ? row->quality : kept->quality;
	kept->judged = row->quality != 0 ? row->frames : kept->judged;
	kept->sim = row->sim;
	bool failed = runs->texts.failed;
	runs->texts.failed = false;
	return failed ? -ENOMEM : 0;
}

static void copy_row(struct runs_row *row, const struct runs_kept *kept)
{
	*row = (struct runs_row){.start = kept->start,
		.first = kept->first,
		.last = kept->last,
		.frames = kept->frames,
		.quality = kept->judged >= kept->frames ? kept->quality : 0,
		.sim = kept->sim};
	memcpy(row->id, kept->id, sizeof row->id);
	memcpy(row->journal, kept->journal, sizeof row->journal);
	memcpy(row->ctx, kept->ctx, sizeof row->ctx);
	for (size_t i = 0; i < TEXT_FIELDS; i++) {
		const char *text = *kept_text((struct runs_kept *)kept, &text_fields[i]);
		memcpy((char *)row + text_fields[i].row, text, strlen(text) + 1);
	}
}

static int add_row(struct runs *runs, const struct runs_row *row)
{
	if (runs->count == runs->size) {
		size_t size = runs->size != 0 ? runs->size * 2 : 64;
		struct runs_kept *rows = realloc(runs->rows, size * sizeof *rows);
		if (rows == NULL)
			return -ENOMEM;
		runs->rows = rows;
		runs->size = size;
	}
	struct runs_kept *kept = &runs->rows[runs->count];
	*kept = (struct runs_kept){0};
	int r = keep_row(runs, kept, row);
	if (r == 0)
		runs->count++;
	return r;
}

static int set_row(struct runs *runs, const struct runs_row *row)
{
	struct runs_row here = *row;
	memcpy(here.journal, runs->id, sizeof here.journal);
	pthread_mutex_lock(&runs->lock);
	struct runs_kept *have = find_id(runs, row->id);
	int r = have != NULL ? keep_row(runs, have, &here) : grow_slots(runs);
	if (r == 0 && have == NULL)
		r = add_row(runs, &here);
	if (r == 0 && have == NULL)
		*find_slot(runs, row->id) = (uint32_t)runs->count;
	pthread_mutex_unlock(&runs->lock);
	return r;
}

static int add_amend(struct runs *runs, const struct runs_amend *amend)
{
	int r = 0;
	pthread_mutex_lock(&runs->lock);
	if (runs->amend_count == runs->amend_size) {
		size_t size = runs->amend_size != 0 ? runs->amend_size * 2 : 16;
		struct runs_amend *amends = realloc(runs->amends, size * sizeof *amends);
		r = amends != NULL ? 0 : -ENOMEM;
		runs->amends = amends != NULL ? amends : runs->amends;
		runs->amend_size = amends != NULL ? size : runs->amend_size;
	}
	if (r == 0)
		runs->amends[runs->amend_count++] = *amend;
	pthread_mutex_unlock(&runs->lock);
	return r;
}

static int set_amend(struct runs *runs, const uint8_t run[16], uint64_t seq)
{
	struct runs_amend amend = {.seq = seq};
	memcpy(amend.run, run, sizeof amend.run);
	memcpy(amend.journal, runs->id, sizeof amend.journal);
	return add_amend(runs, &amend);
}

int runs_put(struct runs *runs, const struct runs_row *row)
{
	int r = set_row(runs, row);
	if (r == 0)
		index_file_put_row(&runs->file, row);
	return r;
}

int runs_put_amend(struct runs *runs, const uint8_t run[16], uint64_t seq)
{
	int r = set_amend(runs, run, seq);
	if (r == 0)
		index_file_put_amend(&runs->file, run, seq);
	return r;
}

void runs_checkpoint(struct runs *runs, uint64_t head)
{
	if (head >= runs->file.reach + CHECKPOINT_ENTRIES)
		index_file_put_reach(&runs->file, head);
}

static int take_note(void *arg, const struct index_note *note)
{
	struct runs *runs = arg;
	int r = note->row.first > 0 ? set_row(runs, &note->row) : 0;
	if (r == 0 && note->amend_seq > 0)
		r = set_amend(runs, note->amend, note->amend_seq);
	return r;
}

uint64_t runs_head(const struct runs *runs)
{
	return runs->head;
}

/* The highest number with this prefix; 0: none. */
static unsigned last_number(const struct runs *runs, const char *prefix, size_t len)
{
	unsigned last = 0;
	for (size_t i = runs->count; i > 0; i--) {
		const char *have = runs->rows[i - 1].number;
		if (strncmp(have, prefix, len) != 0)
			continue;
		unsigned long n = strtoul(have + len, NULL, 10);
		if (n > last && n < UINT_MAX)
			last = (unsigned)n;
	}
	return last;
}

void runs_reserve(struct runs *runs, struct numbers *numbers)
{
	runs->numbers = numbers;
}

void runs_use_zone(const char *name)
{
	char zone[80];
	snprintf(zone, sizeof zone, strcmp(name, "UTC") == 0 ? "UTC0" : ":%s", name);
	setenv("TZ", zone, 1);
	tzset();
}

void runs_next_number(const struct runs *runs, const char *node, const char *instrument,
	uint64_t utc, char number[RUN_NUMBER_MAX + 1])
{
	struct tm day;
	time_t seconds = (time_t)(utc / NS_PER_S);
	localtime_r(&seconds, &day);
	char prefix[RUN_NUMBER_MAX - 11];
	int len = snprintf(prefix, sizeof prefix, "%s/%s/%04d%02d%02d-", node, instrument,
		day.tm_year + 1900, day.tm_mon + 1, day.tm_mday);
	unsigned last = last_number(runs, prefix, (size_t)len);
	unsigned older = runs->older != NULL ? last_number(runs->older, prefix, (size_t)len) : 0;
	last = older > last ? older : last;
	unsigned next = last + 1;
	if (runs->numbers != NULL)
		next = numbers_give(runs->numbers,
			(unsigned)((day.tm_year + 1900) * 10000 + (day.tm_mon + 1) * 100 +
				   day.tm_mday),
			next);
	snprintf(number, RUN_NUMBER_MAX + 1, "%s%03u", prefix, next);
}

/* --- the journal ----------------------------------------------------------------------------- */

static bool is_data_topic(void *arg, const char *topic, size_t len)
{
	return (len > 8 && memcmp(topic, "a1/data/", 8) == 0) ||
	       (len > 12 && memcmp(topic, "a1/sim-data/", 12) == 0);
}

static int take_start(struct runs *runs, const struct journal_found *found,
	const struct assay_entry_view *entry, const struct assay_record_view *record)
{
	struct runs_row row = {.start = record->t.utc, .first = entry->seq, .sim = record->sim};
	int r = entry_leaf_hash(found->bytes, found->len, row.ctx);
	if (r < 0)
		return r;
	memcpy(row.id, record->run, sizeof row.id);
	text_copy(row.number, sizeof row.number, record->number);
	text_copy(row.instrument, sizeof row.instrument, record->inst.key);
	text_copy(row.topic, sizeof row.topic, entry->topic);
	text_copy(row.sample, sizeof row.sample, record->sample);
	text_copy(row.operator, sizeof row.operator, record->person);
	return runs_put(runs, &row);
}

static void lower_quality(struct runs_kept *kept, unsigned quality)
{
	kept->quality = quality > kept->quality ? quality : kept->quality;
	kept->judged++;
}

static int take_frame(struct runs *runs, struct assay_span body)
{
	struct assay_frame_view frame;
	int r = assay_frame_read(body.data, body.len, &frame);
	pthread_mutex_lock(&runs->lock);
	struct runs_kept *kept = r == 0 ? find_id(runs, frame.record.run) : NULL;
	if (kept != NULL)
		lower_quality(kept, frame.quality);
	pthread_mutex_unlock(&runs->lock);
	return 0;
}

static int take_entry(struct runs *runs, const struct journal_found *found)
{
	struct assay_entry_view entry;
	struct assay_record_view record;
	if (assay_entry_read(found->bytes, found->len, &entry) < 0 ||
		assay_record_read(entry.body.data, entry.body.len, &record) < 0)
		return 0; /* kept, but not ours to read */
	if (record.type == ASSAY_RECORD_RUN_START)
		return take_start(runs, found, &entry, &record);
	if (record.type == ASSAY_RECORD_AMEND)
		return runs_put_amend(runs, record.run, entry.seq);
	if (record.type == ASSAY_RECORD_FRAME)
		return take_frame(runs, entry.body);
	if (record.type != ASSAY_RECORD_RUN_END)
		return 0;
	const struct runs_kept *have = find_id(runs, record.run);
	if (have == NULL)
		return runs_put_amend(runs, record.run, entry.seq);
	struct runs_row row;
	copy_row(&row, have);
	row.last = entry.seq;
	row.frames = record.frames;
	row.quality = have->judged >= record.frames ? have->quality : 0;
	text_copy(row.status, sizeof row.status, record.status);
	return runs_put(runs, &row);
}

static int open_reader(
	const struct runs *runs, const uint8_t *journal, struct journal_reader **reader)
{
	return journal_reader_open(reader, &io_posix, runs->path, journal, entry_place);
}

static int scan_journal(struct runs *runs, uint64_t head)
{
	struct journal_reader *reader;
	struct journal_found found;
	if (runs->file.reach >= head || head == UINT64_MAX)
		return 0;
	int r = open_reader(runs, runs->id, &reader);
	if (r < 0)
		return r;
	journal_reader_filter(reader, is_data_topic, NULL);
	journal_reader_seek(reader, runs->file.reach + 1);
	while ((r = journal_reader_next(reader, head, &found)) > 0) {
		if (found.kind == JOURNAL_ENTRY && (r = take_entry(runs, &found)) < 0)
			break;
	}
	journal_reader_close(reader);
	return r;
}

static int load_one(struct runs **out, const char *path, const uint8_t *id, uint64_t head)
{
	struct runs *runs = calloc(1, sizeof *runs);
	if (runs == NULL)
		return -ENOMEM;
	pthread_mutex_init(&runs->lock, NULL);
	runs->head = head;
	snprintf(runs->path, sizeof runs->path, "%s", path);
	memcpy(runs->id, id, sizeof runs->id);
	int r = index_file_open(&runs->file, path, id, head, take_note, runs);
	if (r == 0)
		r = scan_journal(runs, head);
	if (r < 0) {
		runs_destroy(runs);
		return r;
	}
	*out = runs;
	return 0;
}

void runs_destroy(struct runs *runs)
{
	if (runs == NULL)
		return;
	index_file_close(&runs->file);
	runs_destroy(runs->older);
	pthread_mutex_destroy(&runs->lock);
	free(runs->amends);
	free(runs->slots);
	free(runs->rows);
	arena_finish(&runs->texts);
	free(runs);
}

/* --- former journals ------------------------------------------------------------------------- */

static int compare_start(const void *a, const void *b)
{
	const struct runs_kept *left = a, *right = b;
	return (left->start > right->start) - (left->start < right->start);
}

static int merge(struct runs *older, const struct runs *part)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < part->count; i++) {
		struct runs_row row;
		copy_row(&row, &part->rows[i]);
		r = add_row(older, &row);
	}
	for (size_t i = 0; r == 0 && i < part->amend_count; i++)
		r = add_amend(older, &part->amends[i]);
	return r;
}

/*
 * Reads from the journal, once, the runs that its index file lacks; a removed journal has only the
 * index file.
 */
static int load_former(struct runs *runs, const uint8_t *id)
{
	uint64_t first, last;
	struct runs *part;
	int r = journal_range(&io_posix, runs->path, id, &first, &last);
	if (r < 0)
		last = UINT64_MAX;
	r = load_one(&part, runs->path, id, last);
	if (r < 0) {
		log_warn("the runs of a former journal cannot be read: %s", strerror(-r));
		return r == -ENOMEM ? r : 0;
	}
	if (last != UINT64_MAX && part->file.reach < last)
		index_file_put_reach(&part->file, last);
	r = merge(runs->older, part);
	runs_destroy(part);
	return r;
}

static int visit_former(void *arg, const uint8_t id[JOURNAL_ID_SIZE])
{
	struct runs *runs = arg;
	return memcmp(id, runs->id, JOURNAL_ID_SIZE) == 0 ? 0 : load_former(runs, id);
}

/* Notes whose journal is gone. */
static int load_orphans(struct runs *runs)
{
	char path[PATH_MAX + 8], journal[PATH_MAX + 64];
	snprintf(path, sizeof path, "%s/runs", runs->path);
	DIR *dir = opendir(path);
	if (dir == NULL)
		return -errno;
	int r = 0;
	for (struct dirent *e; r == 0 && (e = readdir(dir)) != NULL;) {
		uint8_t id[JOURNAL_ID_SIZE];
		if (journal_id_parse(id, e->d_name) < 0 || memcmp(id, runs->id, sizeof id) == 0)
			continue;
		snprintf(journal, sizeof journal, "%s/journal/%.36s", runs->path, e->d_name);
		if (access(journal, F_OK) < 0)
			r = load_former(runs, id);
	}
	closedir(dir);
	return r;
}

/* A number that people cite is given once, whichever journal the run is in. */
static int load_older(struct runs *runs)
{
	struct runs *older = runs->older = calloc(1, sizeof *older);
	if (older == NULL)
		return -ENOMEM;
	older->file.fd = -1;
	pthread_mutex_init(&older->lock, NULL);
	int r = journal_each(&io_posix, runs->path, visit_former, runs);
	if (r == 0 || r == -ENOENT)
		r = load_orphans(runs);
	if (older->count > 0)
		qsort(older->rows, older->count, sizeof *older->rows, compare_start);
	return r;
}

int runs_load(struct runs **out, const char *path, const uint8_t *id, uint64_t head)
{
	struct runs *runs;
	int r = load_one(&runs, path, id, head);
	if (r < 0)
		return r;
	r = load_older(runs);
	if (r < 0) {
		runs_destroy(runs);
		return r;
	}
	*out = runs;
	return 0;
}

static bool is_row_topic(void *arg, const char *topic, size_t len)
{
	const struct runs_row *row = arg;
	return strlen(row->topic) == len && memcmp(row->topic, topic, len) == 0;
}

static int add_leaf(struct digest *digest, const struct journal_found *found, struct runs_row *row,
	struct quality_counts *counts)
{
	struct assay_entry_view entry;
	struct assay_frame_view frame;
	uint8_t leaf[ASSAY_SHA256_SIZE];
	if (assay_entry_read(found->bytes, found->len, &entry) < 0 ||
		assay_frame_read(entry.body.data, entry.body.len, &frame) < 0 ||
		memcmp(frame.record.run, row->id, sizeof row->id) != 0)
		return 0;
	int r = entry_leaf_hash(found->bytes, found->len, leaf);
	digest_update(digest, leaf, sizeof leaf);
	row->frames++;
	quality_count_read(counts, &frame);
	return r;
}

int runs_digest(const struct runs *runs, struct runs_row *row, uint64_t head, uint8_t digest[32],
	struct quality_counts *counts)
{
	struct journal_reader *reader;
	struct journal_found found;
	struct digest running = {0};
	row->frames = 0;
	*counts = (struct quality_counts){0};
	int r = open_reader(runs, row->journal, &reader);
	if (r < 0)
		return r;
	r = digest_init(&running);
	journal_reader_filter(reader, is_row_topic, row);
	journal_reader_seek(reader, row->first);
	while (r == 0 && (r = journal_reader_next(reader, head, &found)) > 0)
		r = found.kind == JOURNAL_ENTRY ? add_leaf(&running, &found, row, counts) : 0;
	journal_reader_close(reader);
	row->quality = quality_worst(counts);
	if (r == 0)
		digest_final(&running, digest);
	digest_finish(&running);
	return r;
}

void runs_end_former(struct runs *runs, const uint8_t run[16], const char *status, uint64_t frames)
{
	pthread_mutex_lock(&runs->older->lock);
	for (size_t i = 0; i < runs->older->count; i++) { /* they have no slots */
		struct runs_kept *kept = &runs->older->rows[i];
		struct runs_row row;
		if (memcmp(kept->id, run, sizeof kept->id) != 0)
			continue;
		copy_row(&row, kept);
		snprintf(row.status, sizeof row.status, "%s", status);
		row.frames = frames;
		if (keep_row(runs->older, kept, &row) < 0)
			log_warn("no memory to note the end of %s", row.number);
	}
	pthread_mutex_unlock(&runs->older->lock);
}

/* --- what is committed ----------------------------------------------------------------------- */

void runs_follow(struct runs *runs, struct published *published)
{
	runs->published = published;
}

uint64_t runs_committed(struct runs *runs)
{
	return runs->published != NULL ? published_head(runs->published) : UINT64_MAX;
}

void runs_count_frame(struct runs *runs, const uint8_t run[16], unsigned quality)
{
	pthread_mutex_lock(&runs->lock);
	struct runs_kept *kept = find_id(runs, run);
	if (kept != NULL) {
		kept->frames_committed++;
		lower_quality(kept, quality);
	}
	pthread_mutex_unlock(&runs->lock);
}

/* Copies the row as it is committed up to seq `head`.  False: it is not yet. */
static bool copy_committed(struct runs_row *row, const struct runs_kept *kept, uint64_t head)
{
	if (kept->first > head)
		return false;
	copy_row(row, kept);
	if (kept->status[0] == '\0' || kept->last > head) {
		row->frames = kept->frames_committed;
		row->quality = kept->quality;
		row->status[0] = '\0';
		row->last = 0;
	}
	return true;
}

/* --- for other threads ----------------------------------------------------------------------- */

static bool fits(const struct runs_search *search, const struct runs_kept *row)
{
	return (search->id == NULL || memcmp(row->id, search->id, sizeof row->id) == 0) &&
	       (search->ctx == NULL || memcmp(row->ctx, search->ctx, sizeof row->ctx) == 0) &&
	       (search->number == NULL || strcmp(row->number, search->number) == 0) &&
	       (search->instrument == NULL || strcmp(row->instrument, search->instrument) == 0) &&
	       (search->sample == NULL || strcmp(row->sample, search->sample) == 0) &&
	       row->start >= search->since && (search->until == 0 || row->start <= search->until);
}

/*
 * Searches rows below *left; new ones are added above.  1: found, 0: none is left, -EAGAIN: call
 * again.
 */
static int search_turn(struct runs *runs, const struct runs_search *search, uint64_t head,
	size_t *left, struct runs_row *row)
{
	int r = -EAGAIN;
	pthread_mutex_lock(&runs->lock);
	for (int turn = 0; r == -EAGAIN && turn < SEARCH_TURN; turn++) {
		if (*left == 0) {
			r = 0;
		} else if (fits(search, &runs->rows[--*left]) &&
			   copy_committed(row, &runs->rows[*left], head)) {
			r = 1;
		}
	}
	pthread_mutex_unlock(&runs->lock);
	return r;
}

/* `at` is 1 + the rows still to be searched, those of former journals first. */
int runs_search(struct runs *runs, struct runs_search *search, struct runs_row *row)
{
	size_t before = runs->older != NULL ? runs->older->count : 0;
	if (search->at == 0) {
		pthread_mutex_lock(&runs->lock);
		search->at = 1 + before + runs->count;
		pthread_mutex_unlock(&runs->lock);
	}
	uint64_t head = runs_committed(runs);
	int r = -EAGAIN;
	while (r == -EAGAIN && search->at > 1) {
		size_t left = search->at - 1;
		bool is_here = left > before;
		size_t part = is_here ? left - before : left;
		r = is_here ? search_turn(runs, search, head, &part, row)
			    : search_turn(runs->older, search, UINT64_MAX, &part, row);
		search->at = 1 + part + (is_here ? before : 0);
		if (r == 0 && is_here)
			r = -EAGAIN;
	}
	return r == 1 ? 1 : 0;
}

static size_t copy_amends(struct runs *runs, const uint8_t *run, uint64_t head,
	struct runs_amend *amends, size_t size, size_t count)
{
	pthread_mutex_lock(&runs->lock);
	for (size_t i = 0; i < runs->amend_count; i++) {
		if (memcmp(runs->amends[i].run, run, sizeof runs->amends[i].run) != 0 ||
			runs->amends[i].seq > head)
			continue;
		if (count < size)
			amends[count] = runs->amends[i];
		count++;
	}
	pthread_mutex_unlock(&runs->lock);
	return count;
}

size_t runs_amends(struct runs *runs, const uint8_t run[16], struct runs_amend *amends, size_t size)
{
	size_t count = 0;
	if (runs->older != NULL)
		count = copy_amends(runs->older, run, UINT64_MAX, amends, size, count);
	return copy_amends(runs, run, runs_committed(runs), amends, size, count);
}
