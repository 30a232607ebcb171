/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_TOPIC "journal"
#include "base/clock.h"
#include "base/log.h"
#include "journal/durable.h"
#include "journal/recover.h"
#include "journal/survey.h"
#include "journal/tables.h"

#define CLOCK_BACK_MAX  (3600 * NS_PER_S)
#define COPY_SIZE       ((size_t)256 * 1024)
#define QUARANTINE_NAME 112
#define CHAIN_MAX       64

struct tail {
	struct journal *journal;
	const struct io *io;
	const struct journal_options *options;
	const uint8_t *id;
	struct journal_report *report;
	struct listing listing;
	struct tables tables;
	uint64_t expected; /* entries up to here existed, by the file `durable` or the options */

	bool has_newest; /* the header of the newest segment, and how it ended */
	struct segment_header newest;
	bool is_clean;
	bool end_is_unknown;
	uint64_t head, known;
};

static int remove_unfinished(void *arg, const char *name)
{
	const struct tail *tail = arg;
	if (segment_name_parse(name, SEGMENT_UNFINISHED) == 0)
		return 0;
	return tail->io->unlinkat(tail->io->ctx, tail->journal->dir, name);
}

static bool is_missing(const struct listing_item *item)
{
	return !item->has_segment && !item->has_note;
}

/* Reports an item whose segment is missing, or the files that are missing after it. */
static void check_item(const struct tail *tail, size_t at, bool is_recent)
{
	const struct listing_item *item = &tail->listing.list[at];
	struct index_header header = {.last_seq = item->first_seq};
	bool is_last = at + 1 == tail->listing.count;
	if (!is_missing(item) && (is_last || !is_recent))
		return;
	int r = tables_read_header(&tail->tables, at, &header);
	uint64_t end = is_last ? header.last_seq : listing_limit(&tail->listing, at);
	if (is_missing(item))
		report_gap(tail->report, item->first_seq, end);
	else if (r == 0 && header.last_seq < end)
		report_gap(tail->report, header.last_seq + 1, end);
}

/*
 * Reports missing files: by the names of all, and by the index files of the newest, so that a start
 * takes no longer in a long journal; readers and `journal check` report the others.
 */
static void check_chain(const struct tail *tail)
{
	const struct listing *listing = &tail->listing;
	if (listing->count > 0 && listing->list[0].first_seq > 1)
		report_gap(tail->report, 1, listing->list[0].first_seq - 1);
	for (size_t i = 0; i < listing->count; i++)
		check_item(tail, i, listing->count - i <= CHAIN_MAX);
}

/* --- the tail of the last segment */

static int copy(const struct io *io, int from, uint64_t offset, uint64_t size, int to)
{
	uint8_t *data = malloc(COPY_SIZE);
	if (data == NULL)
		return -ENOMEM;
	int r = 0;
	for (uint64_t done = 0; r == 0 && offset + done < size;) {
		uint64_t left = size - offset - done;
		size_t len = left < COPY_SIZE ? (size_t)left : COPY_SIZE;
		ssize_t n = io->pread(io->ctx, from, data, len, offset + done);
		if (n <= 0) {
			r = n < 0 ? (int)n : -EIO;
			break;
		}
		struct iovec iov = {data, (size_t)n};
		r = io_write_all(io, to, &iov, 1, done);
		done += (uint64_t)n;
	}
	free(data);
	return r == 0 ? io->fdatasync(io->ctx, to) : r;
}

/* Keeps a copy of the file's bytes from `offset` on. */
static int quarantine(
	const struct tail *tail, const struct scan *scan, uint64_t first_seq, uint64_t offset)
{
	char id[JOURNAL_ID_TEXT], name[QUARANTINE_NAME];
	journal_id_format(id, tail->id);
	snprintf(name, sizeof name, "%s-%020" PRIu64 "-%08" PRIx32 "-%" PRIu64 ".torn", id,
		first_seq, scan->header.salt, offset);
	const struct io *io = tail->io;
	int dir = tail->journal->quarantine;
	int fd = io->openat(io->ctx, dir, name, O_WRONLY | O_CREAT | O_TRUNC);
	if (fd < 0)
		return fd;
	int r = copy(io, scan->fd, offset, scan->size, fd);
	io->close(io->ctx, fd);
	return r < 0 ? r : io->fsync_dir(io->ctx, dir);
}

static int set_aside(struct tail *tail, const struct scan *scan, uint64_t first_seq,
	uint64_t offset, uint64_t torn_seq)
{
	if (offset >= scan->size)
		return 0;
	struct journal_report *report = tail->report;
	if (report->torn_bytes == 0 || torn_seq < report->torn_seq)
		report->torn_seq = torn_seq;
	report->torn_bytes += scan->size - offset;
	return quarantine(tail, scan, first_seq, offset);
}

static int truncate_segment(const struct tail *tail, uint64_t first_seq, uint64_t size)
{
	const struct io *io = tail->io;
	char name[SEGMENT_NAME_SIZE];
	segment_name(name, first_seq, SEGMENT_FILE);
	int fd = io->openat(io->ctx, tail->journal->dir, name, O_RDWR);
	if (fd < 0)
		return fd;
	int r = io->ftruncate(io->ctx, fd, size);
	if (r == 0)
		r = io->fdatasync(io->ctx, fd);
	io->close(io->ctx, fd);
	return r;
}

/* A segment without entries; its name is needed for the next one. */
static int remove_segment(const struct tail *tail, size_t at)
{
	const struct listing_item *item = &tail->listing.list[at];
	const struct io *io = tail->io;
	char name[SEGMENT_NAME_SIZE];
	int r = 0;
	if (item->has_index) {
		segment_name(name, item->first_seq, SEGMENT_INDEX);
		r = io->unlinkat(io->ctx, tail->journal->dir, name);
	}
	segment_name(name, item->first_seq, SEGMENT_FILE);
	if (r == 0)
		r = io->unlinkat(io->ctx, tail->journal->dir, name);
	return r < 0 ? r : io->fsync_dir(io->ctx, tail->journal->dir);
}

/* --- entries that may not have reached the disk */

/* Reads an entry back as an item; its `bytes` are owned by the caller, also after an error. */
static int read_item(
	const struct tail *tail, const struct scan *scan, uint64_t seq, struct journal_item *item)
{
	const struct io *io = tail->io;
	const struct index_entry *place =
		&tail->tables.index.list[seq - tail->tables.index.first_seq];
	uint64_t offset = (uint64_t)place->offset * 8;
	uint8_t header[RECORD_HEADER_SIZE];
	struct record record;
	ssize_t n = io->pread(io->ctx, scan->fd, header, sizeof header, offset);
	if (n != sizeof header || !record_decode(&record, header, scan->header.salt))
		return n < 0 ? (int)n : -EIO;
	uint8_t *body = malloc(record.len);
	if (body == NULL)
		return -ENOMEM;
	*item = (struct journal_item){.seq = seq, .bytes = body, .len = record.len};
	n = io->pread(io->ctx, scan->fd, body, record.len, offset + RECORD_HEADER_SIZE);
	if (n < 0 || (size_t)n != record.len || !record_body_is_sound(&record, body))
		return n < 0 ? (int)n : -EIO;
	if (place->topic != TOPIC_NONE) {
		uint64_t same;
		return tail->options->entry(
			body, record.len, &item->topic, &item->topic_len, &same, &item->tc);
	}
	item->tc = tail->tables.last_tc;
	return 0;
}

static int rewrite(struct tail *tail, const struct scan *scan, uint64_t durable)
{
	size_t count = (size_t)(tail->head - durable), done = 0;
	struct journal_item *items = calloc(count, sizeof *items);
	if (items == NULL)
		return -ENOMEM;
	int r = 0;
	while (r == 0 && done < count) {
		r = read_item(tail, scan, durable + 1 + done, &items[done]);
		done++;
	}
	if (r == 0) {
		writer_start(tail->journal, tail->id, durable);
		r = writer_rewrite(tail->journal, items, count);
	}
	if (r == 0)
		tail->report->rewritten = count;
	for (size_t i = 0; i < done; i++)
		free((void *)(uintptr_t)items[i].bytes);
	free(items);
	return r;
}

/* --- putting it together */

static bool is_behind(const struct tail *tail)
{
	return tail->expected > tail->head;
}

static void finish_index(struct tail *tail, const struct scan *scan)
{
	const struct index *index = &tail->tables.index;
	struct index_header header;
	int r = index_read_header(&header, tail->io, tail->journal->dir, index->first_seq);
	bool is_right = r == 0 && index_belongs(&header, &scan->header) &&
			header.end == index->end &&
			header.last_seq + 1 == index->first_seq + index->count;
	if (!is_right)
		tables_write_index(&tail->tables, &scan->header);
}

/*
 * Makes the index of a segment whose last entries were rewritten into the next one.  It needs
 * tables of its own: the journal's topics are those after the rewritten entries.
 */
static int index_rest(const struct tail *tail, size_t at)
{
	struct listing listing = {0};
	struct topics topics = {0};
	struct tables tables = tail->tables;
	tables.listing = &listing;
	tables.topics = &topics;
	tables.index = (struct index){0};
	int r = listing_load(&listing, tables.io, tables.dir);
	if (r == 0)
		r = tables_load(&tables, at + 1);
	tables_finish(&tables);
	topics_finish(&topics);
	listing_finish(&listing);
	return r;
}

static int repair(struct tail *tail, size_t at, struct scan *scan, const struct survey *survey)
{
	uint64_t first_seq = scan->header.first_seq;
	if (!survey->is_damaged && survey->end < scan->size) {
		int r = set_aside(tail, scan, first_seq, survey->end, survey->head + 1);
		if (r == 0 && survey->head >= first_seq)
			r = truncate_segment(tail, first_seq, survey->end);
		if (r < 0)
			return r;
	}
	if (survey->head < first_seq)
		return 0;
	/* In the same boot, entries may have been read from cached pages of a file whose sync failed. */
	bool may_be_volatile = survey->head > survey->durable && !survey->is_clean &&
			       memcmp(scan->header.boot, tail->journal->template.boot,
				       IO_BOOT_SIZE) == 0;
	if (!may_be_volatile) {
		finish_index(tail, scan);
		return 0;
	}
	int r = rewrite(tail, scan, survey->durable);
	return r < 0 || survey->durable < first_seq ? r : index_rest(tail, at);
}

/* Returns 1 when the segment holds nothing and was removed. */
static int recover_segment(struct tail *tail, size_t at, struct scan *scan)
{
	struct index_header header;
	uint64_t known = tail->known;
	if (index_read_header(&header, tail->io, tail->journal->dir, scan->header.first_seq) == 0 &&
		index_belongs(&header, &scan->header) && header.last_seq > known)
		known = header.last_seq;
	struct survey survey = {
		.entry = tail->options->entry,
		.topics = &tail->journal->topics,
		.index = &tail->tables.index,
		.report = tail->report,
		.last_tc = tail->tables.last_tc,
		.limit = UINT64_MAX,
		.expected = tail->expected,
		.known = known,
	};
	int r = survey_segment(&survey, scan);
	tail->end_is_unknown = r == -EIO;
	if (r < 0)
		return r == -EIO ? 0 : r;
	tail->head = survey.head;
	tail->tables.last_tc = survey.last_tc;
	if (!tail->has_newest) {
		tail->has_newest = true;
		tail->newest = scan->header;
		tail->is_clean = survey.is_clean;
	}
	if (is_behind(tail))
		return 0;
	r = repair(tail, at, scan, &survey);
	if (r < 0 || survey.head >= scan->header.first_seq)
		return r;
	tail->known = survey.head;
	r = remove_segment(tail, at);
	return r < 0 ? r : 1;
}

/* Without a sound header: interrupted before the first entry, or damaged. */
static int recover_headless(struct tail *tail, size_t at, const struct scan *scan)
{
	if (scan->size > SEGMENT_HEADER_SIZE) {
		tail->end_is_unknown = true;
		return 0;
	}
	uint64_t first_seq = tail->listing.list[at].first_seq;
	int r = set_aside(tail, scan, first_seq, 0, first_seq);
	if (r == 0)
		r = remove_segment(tail, at);
	tail->known = tail->head = first_seq - 1;
	return r < 0 ? r : 1;
}

/* 0: done; 1: the last item is gone, recover the one before. */
static int recover_last(struct tail *tail)
{
	size_t at = tail->listing.count - 1;
	int r;
	if (!tail->listing.list[at].has_segment) { /* if it was removed, its index has its end */
		r = tables_load_index(&tail->tables, at);
		if (r == 0)
			tail->head = tail->tables.index.first_seq + tail->tables.index.count - 1;
		tail->end_is_unknown = r > 0 || is_missing(&tail->listing.list[at]);
		return r < 0 ? r : 0;
	}
	struct scan scan = {0};
	r = tables_open_segment(&tail->tables, at, &scan);
	if (r == -EBADMSG) {
		r = recover_headless(tail, at, &scan);
	} else if (r == -EIO) {
		tail->end_is_unknown = true;
		r = 0;
	} else if (r == 0) {
		r = tables_load(&tail->tables, at);
		if (r == 0)
			r = recover_segment(tail, at, &scan);
	}
	scan_close(&scan);
	return r;
}

static enum journal_why decide(const struct tail *tail)
{
	const struct segment_header *newest = &tail->newest;
	uint64_t now = tail->options->now;
	if (tail->end_is_unknown)
		return JOURNAL_NEW_END_UNKNOWN;
	if (is_behind(tail))
		return JOURNAL_NEW_BEHIND;
	bool same_boot = memcmp(newest->boot, tail->journal->template.boot, IO_BOOT_SIZE) == 0;
	if (tail->has_newest && !tail->is_clean && newest->sync_ms != 0 && !same_boot)
		return JOURNAL_NEW_UNCLEAN;
	if (tail->tables.last_tc > now && tail->tables.last_tc - now > CLOCK_BACK_MAX)
		return JOURNAL_NEW_CLOCK;
	return JOURNAL_CONTINUED;
}

int recover(struct journal *journal, const struct journal_options *options,
	const uint8_t id[JOURNAL_ID_SIZE], struct journal_report *report)
{
	const struct io *io = journal->io;
	struct tail tail = {.journal = journal,
		.io = io,
		.options = options,
		.id = id,
		.report = report,
		.expected = durable_read(io, journal->base, journal->dir, id)};
	if (options->known_id != NULL && memcmp(options->known_id, id, JOURNAL_ID_SIZE) == 0 &&
		options->known_seq > tail.expected)
		tail.expected = options->known_seq;
	tail.tables = (struct tables){
		.io = io,
		.dir = journal->dir,
		.id = id,
		.entry = options->entry,
		.listing = &tail.listing,
		.topics = &journal->topics,
		.report = report,
	};
	int r = listing_load(&tail.listing, io, journal->dir);
	if (r == 0 && tail.listing.has_unfinished)
		r = io->list(io->ctx, journal->dir, remove_unfinished, &tail);
	if (r == 0)
		check_chain(&tail);
	bool again = r == 0 && tail.listing.count > 0;
	while (again) {
		r = recover_last(&tail);
		if (r == 1)
			tail.listing.count--;
		again = r == 1 && tail.listing.count > 0;
	}
	if (r >= 0) {
		r = 0;
		report->why = decide(&tail);
		report->head = tail.end_is_unknown ? 0 : tail.head;
		report->last_tc = tail.tables.last_tc;
		report->unclean = tail.has_newest && !tail.is_clean;
		if (report->last_tc > options->now)
			report->clock_back = report->last_tc - options->now;
		if (report->why != JOURNAL_CONTINUED && tail.expected > 0)
			r = durable_leave(io, journal->dir, id, tail.expected);
		if (journal->segment.fd < 0)
			writer_start(journal, id, tail.head);
	}
	tables_finish(&tail.tables);
	listing_finish(&tail.listing);
	return r;
}
