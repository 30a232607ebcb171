/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOG_TOPIC "runs"
#include "base/clock.h"
#include "base/log.h"
#include "core/commit/published.h"
#include "core/runs/index_file.h"
#include "core/runs/kept.h"
#include "core/runs/rows.h"
#include "journal/reader.h"
#include "record/digest.h"
#include "record/entry.h"

/* Entries between two notes of how far the index reaches. */
#define CHECKPOINT_ENTRIES 5000

struct runs {
	struct kept_table kept;
	struct runs *older; /* those of all former journals; NULL: none */
	char path[PATH_MAX];
	uint8_t id[JOURNAL_ID_SIZE];
	uint64_t head;               /* seq that loading reached */
	struct published *published; /* what is committed; NULL: all */
	struct numbers *numbers;     /* reserves numbers; NULL: none are */
	struct index_file file;
	struct taken_table
		taken; /* of complete runs: the older ones, then these; runs_load() fills it */
};

/* Rows searched before the lock is briefly released. */
#define SEARCH_TURN 1000

static size_t older_count(const struct runs *runs)
{
	return runs->older != NULL ? runs->older->kept.count : 0;
}

/* The `i`-th of all, from the oldest on. */
static const struct runs_kept *row_at(const struct runs *runs, size_t i)
{
	size_t older = older_count(runs);
	return i < older ? &runs->older->kept.rows[i] : &runs->kept.rows[i - older];
}

static bool has_taken(const struct runs_kept *row)
{
	return row->file != NULL && strcmp(row->status, "complete") == 0;
}

static int set_row(struct runs *runs, const struct runs_row *row)
{
	struct runs_row here = *row;
	memcpy(here.journal, runs->id, sizeof here.journal);
	int r = kept_set(&runs->kept, &here);
	const struct runs_kept *kept = r == 0 ? kept_find(&runs->kept, here.id) : NULL;
	if (kept != NULL && runs->older != NULL && has_taken(kept))
		r = taken_put(&runs->taken, kept->file->path,
			older_count(runs) + (size_t)(kept - runs->kept.rows));
	return r;
}

static int set_amend(struct runs *runs, const uint8_t run[16], uint64_t seq)
{
	struct runs_amend amend = {.seq = seq};
	memcpy(amend.run, run, sizeof amend.run);
	memcpy(amend.journal, runs->id, sizeof amend.journal);
	return kept_add_amend(&runs->kept, &amend);
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
	for (size_t i = runs->kept.count; i > 0; i--) {
		const char *have = runs->kept.rows[i - 1].number;
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
	taken_read(&row.file, row.instrument, row.sim, record->settings);
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
	pthread_mutex_lock(&runs->kept.lock);
	struct runs_kept *kept = r == 0 ? kept_find(&runs->kept, frame.record.run) : NULL;
	if (kept != NULL)
		lower_quality(kept, frame.quality);
	pthread_mutex_unlock(&runs->kept.lock);
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
	const struct runs_kept *have = kept_find(&runs->kept, record.run);
	if (have == NULL)
		return runs_put_amend(runs, record.run, entry.seq);
	struct runs_row row;
	kept_copy(&row, have);
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
	kept_init(&runs->kept);
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
	taken_finish(&runs->taken);
	kept_finish(&runs->kept);
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
	for (size_t i = 0; r == 0 && i < part->kept.count; i++) {
		struct runs_row row;
		kept_copy(&row, &part->kept.rows[i]);
		r = kept_add(&older->kept, &row);
	}
	for (size_t i = 0; r == 0 && i < part->kept.amend_count; i++)
		r = kept_add_amend(&older->kept, &part->kept.amends[i]);
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
	kept_init(&older->kept);
	int r = journal_each(&io_posix, runs->path, visit_former, runs);
	if (r == 0 || r == -ENOENT)
		r = load_orphans(runs);
	if (older->kept.count > 0)
		qsort(older->kept.rows, older->kept.count, sizeof *older->kept.rows, compare_start);
	return r;
}

static int load_taken(struct runs *runs)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < older_count(runs) + runs->kept.count; i++)
		if (has_taken(row_at(runs, i)))
			r = taken_put(&runs->taken, row_at(runs, i)->file->path, i);
	return r;
}

int runs_load(struct runs **out, const char *path, const uint8_t *id, uint64_t head)
{
	struct runs *runs;
	int r = load_one(&runs, path, id, head);
	if (r < 0)
		return r;
	r = load_older(runs);
	if (r >= 0)
		r = load_taken(runs);
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
	pthread_mutex_lock(&runs->older->kept.lock);
	for (size_t i = 0; i < runs->older->kept.count; i++) { /* they have no slots */
		struct runs_kept *kept = &runs->older->kept.rows[i];
		struct runs_row row;
		if (memcmp(kept->id, run, sizeof kept->id) != 0)
			continue;
		kept_copy(&row, kept);
		snprintf(row.status, sizeof row.status, "%s", status);
		row.frames = frames;
		if (kept_change(&runs->older->kept, kept, &row) < 0)
			log_warn("no memory to note the end of %s", row.number);
	}
	pthread_mutex_unlock(&runs->older->kept.lock);
}

/* --- data sets of folders --------------------------------------------------------------------- */

void runs_list_taken(const struct runs *runs, const char *instrument, bool sim, struct buffer *out)
{
	size_t count = 0;
	for (size_t i = older_count(runs) + runs->kept.count; i > 0 && count < WIRE_TAKEN_MAX;
		i--) {
		const struct runs_kept *row = row_at(runs, i - 1);
		if (!has_taken(row) || row->sim != sim || strcmp(row->instrument, instrument) != 0)
			continue;
		buffer_append(out, row->file->key, sizeof row->file->key);
		count++;
	}
}

bool runs_find_superseded(
	const struct runs *runs, const struct taken_file *file, struct runs_row *row)
{
	size_t i;
	if (!taken_is_file(file) || !taken_find(&runs->taken, file->path, &i))
		return false;
	kept_copy(row, row_at(runs, i));
	return memcmp(row->file.key, file->key, sizeof file->key) != 0;
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
	pthread_mutex_lock(&runs->kept.lock);
	struct runs_kept *kept = kept_find(&runs->kept, run);
	if (kept != NULL) {
		kept->frames_committed++;
		lower_quality(kept, quality);
	}
	pthread_mutex_unlock(&runs->kept.lock);
}

/* Copies the row as it is committed up to seq `head`.  False: it is not yet. */
static bool copy_committed(struct runs_row *row, const struct runs_kept *kept, uint64_t head)
{
	if (kept->first > head)
		return false;
	kept_copy(row, kept);
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
	pthread_mutex_lock(&runs->kept.lock);
	for (int turn = 0; r == -EAGAIN && turn < SEARCH_TURN; turn++) {
		if (*left == 0) {
			r = 0;
		} else if (fits(search, &runs->kept.rows[--*left]) &&
			   copy_committed(row, &runs->kept.rows[*left], head)) {
			r = 1;
		}
	}
	pthread_mutex_unlock(&runs->kept.lock);
	return r;
}

/* `at` is 1 + the rows still to be searched, those of former journals first. */
int runs_search(struct runs *runs, struct runs_search *search, struct runs_row *row)
{
	size_t before = runs->older != NULL ? runs->older->kept.count : 0;
	if (search->at == 0) {
		pthread_mutex_lock(&runs->kept.lock);
		search->at = 1 + before + runs->kept.count;
		pthread_mutex_unlock(&runs->kept.lock);
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
	pthread_mutex_lock(&runs->kept.lock);
	for (size_t i = 0; i < runs->kept.amend_count; i++) {
		if (memcmp(runs->kept.amends[i].run, run, sizeof runs->kept.amends[i].run) != 0 ||
			runs->kept.amends[i].seq > head)
			continue;
		if (count < size)
			amends[count] = runs->kept.amends[i];
		count++;
	}
	pthread_mutex_unlock(&runs->kept.lock);
	return count;
}

size_t runs_amends(struct runs *runs, const uint8_t run[16], struct runs_amend *amends, size_t size)
{
	size_t count = 0;
	if (runs->older != NULL)
		count = copy_amends(runs->older, run, UINT64_MAX, amends, size, count);
	return copy_amends(runs, run, runs_committed(runs), amends, size, count);
}
