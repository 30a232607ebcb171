/* SPDX-License-Identifier: Apache-2.0 */
/* The list of runs and the audit log of an archive, read from the archive itself. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive.h"
#include "base/clock.h"
#include "journal/reader.h"
#include "print.h"
#include "record/entry.h"
#include "record/json.h"
#include "record/read.h"

struct row {
	uint8_t run[ASSAY_UUID_SIZE], journal[JOURNAL_ID_SIZE];
	char number[100], instrument[33], sample[204], person[204], status[16];
	uint64_t start, first, last, frames;
	uint64_t first_file, last_file; /* their first seqs */
	struct buffer amendments;       /* text */
	bool sim, is_partial;           /* its run-start is not in the archive */
};

struct texts {
	const char *path;
	FILE *audit;
	struct row *rows;
	size_t count, size;
	struct archive_summary *summary;
	const uint8_t *journal;
	char id[JOURNAL_ID_TEXT];
	uint64_t *files; /* first seqs of the journal's files, in order */
	size_t file_count;
	struct progress progress;
};

/* --- runs ------------------------------------------------------------------------------------ */

static struct row *find_row(const struct texts *texts, const uint8_t *run)
{
	for (size_t i = texts->count; i > 0; i--) {
		if (memcmp(texts->rows[i - 1].run, run, ASSAY_UUID_SIZE) == 0)
			return &texts->rows[i - 1];
	}
	return NULL;
}

/* The file that holds an entry, by its first seq. */
static uint64_t file_of(const struct texts *texts, uint64_t seq)
{
	size_t low = 0, high = texts->file_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (texts->files[middle] <= seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 ? texts->files[low - 1] : 0;
}

/* The run's row, made when it is not there; NULL: no memory. */
static struct row *take_row(
	struct texts *texts, const struct assay_record_view *record, uint64_t seq)
{
	struct row *row = find_row(texts, record->run);
	if (row != NULL)
		return row;
	if (texts->count == texts->size) {
		size_t size = texts->size == 0 ? 256 : 2 * texts->size;
		struct row *rows = realloc(texts->rows, size * sizeof *rows);
		if (rows == NULL)
			return NULL;
		texts->rows = rows;
		texts->size = size;
	}
	row = &texts->rows[texts->count++];
	*row = (struct row){.first = seq,
		.first_file = file_of(texts, seq),
		.is_partial = true,
		.sim = record->sim};
	memcpy(row->run, record->run, sizeof row->run);
	memcpy(row->journal, texts->journal, sizeof row->journal);
	print_safe(row->instrument, sizeof row->instrument, record->inst.key);
	return row;
}

static void add_words(struct buffer *to, const char *words)
{
	buffer_append(to, words, strlen(words));
}

/* `set {"sample":"A-2"}, was {"sample":"A-1"}, by kim: mistyped` */
static void add_amendment(struct buffer *to, const struct assay_record_view *record)
{
	char actor[204], reason[1004];
	print_safe(actor, sizeof actor, record->actor);
	print_safe(reason, sizeof reason, record->reason);
	add_words(to, to->len > 0 ? "; set " : "set ");
	json_write(to, record->set.data, record->set.len);
	add_words(to, ", was ");
	json_write(to, record->was.data, record->was.len);
	add_words(to, ", by ");
	add_words(to, actor);
	add_words(to, ": ");
	add_words(to, reason);
}

static int take_run(struct texts *texts, const struct assay_entry_view *entry,
	const struct assay_record_view *record)
{
	struct row *row = take_row(texts, record, entry->seq);
	if (row == NULL)
		return -ENOMEM;
	row->last = entry->seq;
	row->last_file = file_of(texts, entry->seq);
	switch (record->type) {
	case ASSAY_RECORD_RUN_START:
		row->is_partial = false;
		row->start = record->t.utc;
		row->sim = record->sim;
		print_safe(row->number, sizeof row->number, record->number);
		print_safe(row->sample, sizeof row->sample, record->sample);
		print_safe(row->person, sizeof row->person, record->person);
		break;
	case ASSAY_RECORD_FRAME: row->frames++; break;
	case ASSAY_RECORD_RUN_END:
		row->frames = record->frames;
		print_safe(row->status, sizeof row->status, record->status);
		break;
	case ASSAY_RECORD_AMEND: add_amendment(&row->amendments, record); break;
	default: break;
	}
	return 0;
}

/* Quotes everything: sample ids may hold whatever people type. */
static void write_cell(FILE *to, const char *text, size_t len, char after)
{
	fputc('"', to);
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"')
			fputc('"', to);
		fputc(text[i], to);
	}
	fputc('"', to);
	fputc(after, to);
}

static void write_text(FILE *to, const char *text)
{
	write_cell(to, text, strlen(text), ',');
}

static int by_start(const void *a, const void *b)
{
	const struct row *x = a, *y = b;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->first > y->first) - (x->first < y->first);
}

static void write_time(FILE *to, uint64_t utc)
{
	char time[PRINT_TIME_SIZE] = "";
	if (utc != 0)
		print_time(time, utc);
	fputs(time, to);
}

static void write_row(FILE *to, const struct row *row)
{
	char id[JOURNAL_ID_TEXT];
	journal_id_format(id, row->journal);
	write_text(to, row->number);
	write_text(to, row->sample);
	write_text(to, row->person);
	write_text(to, row->instrument);
	write_time(to, row->start);
	fprintf(to, ",%s,%" PRIu64 ",%s,%s,%s,%" PRIu64 ",%" PRIu64,
		row->status[0] != '\0' ? row->status : "open", row->frames, row->sim ? "yes" : "no",
		row->is_partial ? "no" : "yes", id, row->first, row->last);
	fprintf(to, ",%020" PRIu64 ".seg,%020" PRIu64 ".seg,", row->first_file, row->last_file);
	write_cell(to, (const char *)row->amendments.data, row->amendments.len, '\n');
}

static void write_runs(FILE *to, struct texts *texts)
{
	if (texts->count > 0)
		qsort(texts->rows, texts->count, sizeof *texts->rows, by_start);
	fputs("number,sample,operator,instrument,start,status,frames,simulated,"
	      "from_beginning,journal,first_seq,last_seq,first_file,last_file,"
	      "amendments\n",
		to);
	for (size_t i = 0; i < texts->count; i++)
		write_row(to, &texts->rows[i]);
}

/* --- audit ----------------------------------------------------------------------------------- */

/* As one line of JSON, which no control character leaves. */
static void write_item(FILE *to, const char *name, struct assay_span item)
{
	struct buffer text = {0};
	if (json_write(&text, item.data, item.len) == 0 && !text.failed)
		fprintf(to, "  %s %.*s", name, (int)text.len, (const char *)text.data);
	buffer_finish(&text);
}

static void write_pairs(FILE *to, struct assay_span body)
{
	static const char *const shown[] = {"actor", "reason", "before", "after"};
	struct reader r;
	struct assay_string key;
	struct assay_span item;
	size_t pairs;
	read_init(&r, body.data, body.len);
	read_map(&r, &pairs);
	for (; pairs > 0 && read_key(&r, &key) == 0 && read_raw(&r, &item) == 0; pairs--) {
		for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
			if (assay_string_is(key, shown[i]))
				write_item(to, shown[i], item);
		}
	}
}

static void write_audit(struct texts *texts, const struct assay_entry_view *entry,
	const struct assay_record_view *record)
{
	char event[64];
	print_safe(event, sizeof event, record->event);
	write_time(texts->audit, record->t.utc);
	fprintf(texts->audit, "  %s/%" PRIu64 "  %s", texts->id, entry->seq, event);
	write_pairs(texts->audit, record->body);
	fputc('\n', texts->audit);
	texts->summary->audits++;
}

/* --- reading --------------------------------------------------------------------------------- */

static bool is_wanted(void *arg, const char *topic, size_t len)
{
	static const char *const begins[] = {"a1/data/", "a1/sim-data/", "a1/audit/"};
	for (size_t i = 0; i < sizeof begins / sizeof *begins; i++) {
		size_t n = strlen(begins[i]);
		if (len > n && memcmp(topic, begins[i], n) == 0)
			return true;
	}
	return false;
}

static int take_entry(struct texts *texts, const struct journal_found *found)
{
	struct assay_entry_view entry;
	struct assay_record_view record;
	progress_add(&texts->progress, found->len);
	if (assay_entry_read(found->bytes, found->len, &entry) < 0 ||
		assay_record_read(entry.body.data, entry.body.len, &record) < 0)
		return 0; /* kept, but of a later version of the format */
	switch (record.type) {
	case ASSAY_RECORD_RUN_START:
	case ASSAY_RECORD_FRAME:
	case ASSAY_RECORD_RUN_END:
	case ASSAY_RECORD_AMEND: return take_run(texts, &entry, &record);
	case ASSAY_RECORD_AUDIT: write_audit(texts, &entry, &record); return 0;
	default: return 0;
	}
}

static void tell_hole(struct texts *texts, const struct journal_found *found)
{
	texts->summary->holes++;
	fprintf(stderr, "assayctl: entries %" PRIu64 " to %" PRIu64 " of %s are %s\n", found->seq,
		found->to, texts->id,
		found->kind == JOURNAL_GAP_PRUNED ? "not in this archive"
						  : "damaged, or not in this archive");
}

static int take_file(void *arg, const struct journal_segment *segment)
{
	struct texts *texts = arg;
	uint64_t *files = realloc(texts->files, (texts->file_count + 1) * sizeof *files);
	if (files == NULL)
		return -ENOMEM;
	texts->files = files;
	files[texts->file_count++] = segment->first_seq;
	return 0;
}

static int read_journal(void *arg, const uint8_t id[JOURNAL_ID_SIZE])
{
	struct texts *texts = arg;
	struct journal_reader *reader;
	struct journal_found found;
	uint64_t first, last;
	texts->journal = id;
	journal_id_format(texts->id, id);
	texts->file_count = 0;
	int r = journal_segments(&io_posix, texts->path, id, take_file, texts);
	if (r == 0)
		r = journal_range(&io_posix, texts->path, id, &first, &last);
	if (r == 0)
		r = journal_reader_open(&reader, &io_posix, texts->path, id, entry_place);
	if (r < 0)
		return r;
	journal_reader_filter(reader, is_wanted, NULL);
	journal_reader_seek(reader, first);
	while ((r = journal_reader_next(reader, last, &found)) > 0) {
		if (found.kind != JOURNAL_ENTRY)
			tell_hole(texts, &found);
		else if ((r = take_entry(texts, &found)) < 0)
			break;
	}
	journal_reader_close(reader);
	return r;
}

/* --- files ----------------------------------------------------------------------------------- */

static FILE *begin_file(int dir, const char *name)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
	if (fd >= 0 && file == NULL)
		close(fd);
	return file;
}

/* Whole and durable under its name, or not at all. */
static int end_file(FILE *file, int r, int dir, const char *made, const char *name)
{
	if (r == 0 && (fflush(file) != 0 || ferror(file) || fsync(fileno(file)) < 0))
		r = -EIO;
	fclose(file);
	if (r == 0 && renameat(dir, made, dir, name) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dir, made, 0);
	else if (fsync(dir) < 0)
		r = -errno;
	return r;
}

static int measure(void *arg, const struct journal_segment *segment)
{
	*(uint64_t *)arg += segment->size;
	return 0;
}

static int measure_journal(void *arg, const uint8_t id[JOURNAL_ID_SIZE])
{
	struct texts *texts = arg;
	return journal_segments(&io_posix, texts->path, id, measure, &texts->progress.all);
}

static int read_all(struct texts *texts)
{
	progress_begin(&texts->progress, "reading the archive back:", 0);
	int r = journal_each(&io_posix, texts->path, measure_journal, texts);
	if (r == 0)
		r = journal_each(&io_posix, texts->path, read_journal, texts);
	progress_end(&texts->progress);
	return r;
}

int archive_write_texts(const char *path, int dir, struct archive_summary *summary)
{
	struct texts texts = {.path = path, .summary = summary};
	texts.audit = begin_file(dir, ARCHIVE_AUDIT ".new");
	if (texts.audit == NULL)
		return -errno;
	int r = read_all(&texts);
	r = end_file(texts.audit, r, dir, ARCHIVE_AUDIT ".new", ARCHIVE_AUDIT);
	FILE *runs = r == 0 ? begin_file(dir, ARCHIVE_RUNS ".new") : NULL;
	if (r == 0 && runs == NULL)
		r = -errno;
	if (r == 0) {
		write_runs(runs, &texts);
		r = end_file(runs, 0, dir, ARCHIVE_RUNS ".new", ARCHIVE_RUNS);
	}
	summary->runs = texts.count;
	for (size_t i = 0; i < texts.count; i++)
		buffer_finish(&texts.rows[i].amendments);
	free(texts.files);
	free(texts.rows);
	return r;
}
