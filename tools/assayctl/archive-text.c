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
#include "cell.h"
#include "journal/reader.h"
#include "print.h"
#include "record/entry.h"
#include "record/json.h"
#include "record/read.h"

struct archived_run {
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
	struct archived_run *runs;
	size_t count;
	struct archive_summary *summary;
	const uint8_t *journal;
	char id[JOURNAL_ID_TEXT];
	uint64_t *files; /* first seqs of the journal's files, in order */
	size_t file_count;
	struct progress progress;
};

/* --- runs ------------------------------------------------------------------------------------ */

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

/* The run of a record, added if it is new; NULL: out of memory. */
static struct archived_run *find_run(
	struct texts *texts, const struct assay_record_view *record, uint64_t seq)
{
	for (size_t i = texts->count; i > 0; i--) {
		if (memcmp(texts->runs[i - 1].run, record->run, ASSAY_UUID_SIZE) == 0)
			return &texts->runs[i - 1];
	}
	struct archived_run *runs = reallocarray(texts->runs, texts->count + 1, sizeof *runs);
	if (runs == NULL)
		return NULL;
	texts->runs = runs;
	struct archived_run *run = &runs[texts->count++];
	*run = (struct archived_run){.first = seq,
		.first_file = file_of(texts, seq),
		.is_partial = true,
		.sim = record->sim};
	memcpy(run->run, record->run, sizeof run->run);
	memcpy(run->journal, texts->journal, sizeof run->journal);
	print_safe(run->instrument, sizeof run->instrument, record->inst.key);
	return run;
}

/* `set {"sample":"A-2"}, was {"sample":"A-1"}, by kim: mistyped` */
static void add_amendment(struct buffer *to, const struct assay_record_view *record)
{
	char actor[204], reason[1004], text[1300];
	print_safe(actor, sizeof actor, record->actor);
	print_safe(reason, sizeof reason, record->reason);
	const char *set = to->len > 0 ? "; set " : "set ", *was = ", was ";
	int len = snprintf(text, sizeof text, ", by %s: %s", actor, reason);
	buffer_append(to, set, strlen(set));
	json_write(to, record->set.data, record->set.len);
	buffer_append(to, was, strlen(was));
	json_write(to, record->was.data, record->was.len);
	buffer_append(to, text, (size_t)len);
}

static int take_run(struct texts *texts, const struct assay_entry_view *entry,
	const struct assay_record_view *record)
{
	struct archived_run *row = find_run(texts, record, entry->seq);
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

static int by_start(const void *a, const void *b)
{
	const struct archived_run *x = a, *y = b;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return (x->first > y->first) - (x->first < y->first);
}

/* "" for no time. */
static const char *time_text(char text[PRINT_TIME_SIZE], uint64_t utc)
{
	text[0] = '\0';
	if (utc != 0)
		print_time(text, utc);
	return text;
}

/* Texts are always in quotes: a sample id may have any character. */
static void write_row(struct buffer *to, const struct archived_run *row)
{
	const char *texts[] = {row->number, row->sample, row->person, row->instrument};
	char id[JOURNAL_ID_TEXT], start[PRINT_TIME_SIZE], line[400];
	journal_id_format(id, row->journal);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		cell_put_text(to, string_of(texts[i]));
		buffer_append(to, ",", 1);
	}
	int len = snprintf(line, sizeof line,
		"%s,%s,%" PRIu64 ",%s,%s,%s,%" PRIu64 ",%" PRIu64 ",%020" PRIu64 ".seg,%020" PRIu64
		".seg,",
		time_text(start, row->start), row->status[0] != '\0' ? row->status : "open",
		row->frames, row->sim ? "yes" : "no", row->is_partial ? "no" : "yes", id,
		row->first, row->last, row->first_file, row->last_file);
	buffer_append(to, line, (size_t)len);
	cell_put_text(
		to, (struct assay_string){(const char *)row->amendments.data, row->amendments.len});
	buffer_append(to, "\n", 1);
}

static int write_runs(struct texts *texts, int dir)
{
	static const char columns[] = "number,sample,operator,instrument,start,status,frames,"
				      "simulated,from_beginning,journal,first_seq,last_seq,"
				      "first_file,last_file,amendments\n";
	struct buffer text = {0};
	if (texts->count > 0)
		qsort(texts->runs, texts->count, sizeof *texts->runs, by_start);
	buffer_append(&text, columns, sizeof columns - 1);
	for (size_t i = 0; i < texts->count; i++)
		write_row(&text, &texts->runs[i]);
	int r = text.failed ? -ENOMEM
			    : io_replace(&io_posix, dir, ARCHIVE_RUNS, text.data, text.len);
	buffer_finish(&text);
	return r;
}

/* --- audit ----------------------------------------------------------------------------------- */

/* The values are JSON, in which control characters are escaped. */
static void write_values(FILE *to, struct assay_span body)
{
	static const char *const names[] = {"actor", "before", "after", "reason"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct buffer text = {0};
		struct assay_span value = keys_value(body, string_of(names[i]));
		if (value.data != NULL && json_write(&text, value.data, value.len) == 0 &&
			!text.failed)
			fprintf(to, "  %s %.*s", names[i], (int)text.len, (const char *)text.data);
		buffer_finish(&text);
	}
}

static void write_audit(struct texts *texts, const struct assay_entry_view *entry,
	const struct assay_record_view *record)
{
	char event[64], time[PRINT_TIME_SIZE];
	print_safe(event, sizeof event, record->event);
	fprintf(texts->audit, "%s  %s/%" PRIu64 "  %s", time_text(time, record->t.utc), texts->id,
		entry->seq, event);
	write_values(texts->audit, record->body);
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
		return 0; /* of a later version of the format: copied, but not in the texts */
	switch (record.type) {
	case ASSAY_RECORD_RUN_START:
	case ASSAY_RECORD_FRAME:
	case ASSAY_RECORD_RUN_END:
	case ASSAY_RECORD_AMEND: return take_run(texts, &entry, &record);
	case ASSAY_RECORD_AUDIT: write_audit(texts, &entry, &record); return 0;
	default: return 0;
	}
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
		if (found.kind == JOURNAL_ENTRY) {
			r = take_entry(texts, &found);
			if (r < 0)
				break;
		} else {
			const char *damaged = found.kind == JOURNAL_GAP_PRUNED ? ""
									       : "damaged, or ";
			texts->summary->holes++;
			fprintf(stderr,
				"assayctl: entries %" PRIu64 " to %" PRIu64
				" of %s are %snot in this archive\n",
				found.seq, found.to, texts->id, damaged);
		}
	}
	journal_reader_close(reader);
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

/* audit.txt is written while the entries are read: whole and durable under its name, or absent. */
int archive_write_texts(const char *path, int dir, struct archive_summary *summary)
{
	static const char part[] = ARCHIVE_AUDIT ".new";
	struct texts texts = {.path = path, .summary = summary};
	int fd = openat(dir, part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	texts.audit = fd >= 0 ? fdopen(fd, "w") : NULL;
	if (texts.audit == NULL) {
		int error = errno;
		if (fd >= 0)
			close(fd);
		return -error;
	}
	progress_start(&texts.progress, "reading the archive back:", 0);
	int r = journal_each(&io_posix, path, measure_journal, &texts);
	if (r == 0)
		r = journal_each(&io_posix, path, read_journal, &texts);
	progress_stop(&texts.progress);
	if (r == 0 && (fflush(texts.audit) != 0 || ferror(texts.audit) || fsync(fd) < 0))
		r = -EIO;
	fclose(texts.audit);
	if (r == 0 && renameat(dir, part, dir, ARCHIVE_AUDIT) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(dir, part, 0);
	if (r == 0)
		r = write_runs(&texts, dir); /* which makes both names durable */
	summary->runs = texts.count;
	for (size_t i = 0; i < texts.count; i++)
		buffer_finish(&texts.runs[i].amendments);
	free(texts.files);
	free(texts.runs);
	return r;
}
