/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_TOPIC "journal"
#include "base/clock.h"
#include "base/log.h"
#include "journal/recover.h"
#include "journal/survey.h"
#include "journal/tables.h"

#define CLOCK_BACK_MAX  (3600 * NS_PER_S)
#define COPY_SIZE       ((size_t)256 * 1024)
#define QUARANTINE_NAME 112
#define CHAIN_MAX       64

struct tail {
	const struct recovery *recovery;
	struct writer *writer;
	struct listing listing;
	struct tables tables;

	bool has_newest; /* the header of the newest segment, and how it ended */
	struct segment_header newest;
	bool is_clean;
	bool end_is_unknown;
	uint64_t head, known;
};

static int remove_unfinished(void *arg, const char *name)
{
	const struct recovery *recovery = arg;
	if (segment_name_parse(name, SEGMENT_UNFINISHED) == 0)
		return 0;
	return recovery->io->unlinkat(recovery->io->ctx, recovery->dir, name);
}

static int load_listing(struct tail *tail)
{
	const struct recovery *recovery = tail->recovery;
	const struct io *io = recovery->io;
	int r = listing_load(&tail->listing, io, recovery->dir);
	if (r < 0 || !tail->listing.has_unfinished)
		return r;
	return io->list(io->ctx, recovery->dir, remove_unfinished, (void *)(uintptr_t)recovery);
}

/*
 * Files that are missing in between, as far as index files tell.  Only the newest are looked at, so
 * that a start takes no longer in a long journal; who reads on, or checks, is told of the others.
 */
static void check_chain(const struct tail *tail)
{
	const struct listing *listing = &tail->listing;
	size_t from = listing->count > CHAIN_MAX ? listing->count - CHAIN_MAX : 0;
	for (size_t i = from; i + 1 < listing->count; i++) {
		struct index_header header;
		uint64_t limit = listing_limit(listing, i);
		if (tables_read_header(&tail->tables, i, &header) == 0 && header.last_seq < limit)
			report_gap(tail->recovery->report, header.last_seq + 1, limit);
	}
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
static int quarantine(const struct recovery *recovery, const struct scan *scan, uint64_t first_seq,
	uint64_t offset)
{
	char id[JOURNAL_ID_TEXT], name[QUARANTINE_NAME];
	journal_id_format(id, recovery->id);
	snprintf(name, sizeof name, "%s-%020" PRIu64 "-%08" PRIx32 "-%" PRIu64 ".torn", id,
		first_seq, scan->header.salt, offset);
	const struct io *io = recovery->io;
	int fd = io->openat(io->ctx, recovery->quarantine, name, O_WRONLY | O_CREAT | O_TRUNC);
	if (fd < 0)
		return fd;
	int r = copy(io, scan->fd, offset, scan->size, fd);
	io->close(io->ctx, fd);
	return r < 0 ? r : io->fsync_dir(io->ctx, recovery->quarantine);
}

static int set_aside(struct tail *tail, const struct scan *scan, uint64_t first_seq,
	uint64_t offset, uint64_t torn_seq)
{
	if (offset >= scan->size)
		return 0;
	struct journal_report *report = tail->recovery->report;
	if (report->torn_bytes == 0 || torn_seq < report->torn_seq)
		report->torn_seq = torn_seq;
	report->torn_bytes += scan->size - offset;
	return quarantine(tail->recovery, scan, first_seq, offset);
}

static int truncate_segment(const struct recovery *recovery, uint64_t first_seq, uint64_t size)
{
	const struct io *io = recovery->io;
	char name[SEGMENT_NAME_SIZE];
	segment_name(name, first_seq, SEGMENT_FILE);
	int fd = io->openat(io->ctx, recovery->dir, name, O_RDWR);
	if (fd < 0)
		return fd;
	int r = io->ftruncate(io->ctx, fd, size);
	if (r == 0)
		r = io->fdatasync(io->ctx, fd);
	io->close(io->ctx, fd);
	return r;
}

/* A segment that never got an entry; its name is wanted for one that will. */
static int remove_segment(const struct tail *tail, size_t at)
{
	const struct recovery *recovery = tail->recovery;
	const struct listing_item *item = &tail->listing.list[at];
	const struct io *io = recovery->io;
	char name[SEGMENT_NAME_SIZE];
	int r = 0;
	if (item->has_index) {
		segment_name(name, item->first_seq, SEGMENT_INDEX);
		r = io->unlinkat(io->ctx, recovery->dir, name);
	}
	segment_name(name, item->first_seq, SEGMENT_FILE);
	if (r == 0)
		r = io->unlinkat(io->ctx, recovery->dir, name);
	return r < 0 ? r : io->fsync_dir(io->ctx, recovery->dir);
}

/* --- entries that were written but perhaps never reached the disk */

/* As an item; `bytes` is owned by the caller. */
static int read_item(
	const struct tail *tail, const struct scan *scan, uint64_t seq, struct journal_item *item)
{
	const struct io *io = tail->recovery->io;
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
		return tail->recovery->options->entry(
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
		writer_begin(tail->writer, tail->recovery->dir, tail->recovery->id, durable);
		r = writer_rewrite(tail->writer, items, count);
	}
	if (r == 0)
		tail->recovery->report->rewritten = count;
	for (size_t i = 0; i < done; i++)
		free((void *)(uintptr_t)items[i].bytes);
	free(items);
	return r;
}

/* --- putting it together */

static void note_newest(struct tail *tail, const struct segment_header *header, bool is_clean)
{
	if (tail->has_newest)
		return;
	tail->has_newest = true;
	tail->newest = *header;
	tail->is_clean = is_clean;
}

/* Entries up to here existed, whatever the segments say. */
static uint64_t told_of(const struct recovery *recovery)
{
	const struct journal_options *options = recovery->options;
	bool is_known = options->known_id != NULL &&
			memcmp(options->known_id, recovery->id, JOURNAL_ID_SIZE) == 0;
	uint64_t known = is_known ? options->known_seq : 0;
	return known > recovery->told ? known : recovery->told;
}

static bool is_behind(const struct tail *tail)
{
	return told_of(tail->recovery) > tail->head;
}

static void finish_index(struct tail *tail, const struct scan *scan)
{
	const struct recovery *recovery = tail->recovery;
	const struct index *index = &tail->tables.index;
	struct index_header header;
	int r = index_read_header(&header, recovery->io, recovery->dir, index->first_seq);
	bool is_right = r == 0 && index_belongs(&header, &scan->header) &&
			header.end == index->end &&
			header.last_seq + 1 == index->first_seq + index->count;
	if (!is_right)
		tables_write_index(&tail->tables, &scan->header);
}

/* Same boot: what was read may have come from cached pages of a file whose sync had failed. */
static bool may_be_volatile(
	const struct tail *tail, const struct scan *scan, const struct survey *survey)
{
	return survey->head > survey->durable && !survey->is_clean &&
	       memcmp(scan->header.boot, tail->writer->template.boot, IO_BOOT_SIZE) == 0;
}

static int repair(struct tail *tail, struct scan *scan, const struct survey *survey)
{
	uint64_t first_seq = scan->header.first_seq;
	if (!survey->is_damaged && survey->end < scan->size) {
		int r = set_aside(tail, scan, first_seq, survey->end, survey->head + 1);
		if (r == 0 && survey->head >= first_seq)
			r = truncate_segment(tail->recovery, first_seq, survey->end);
		if (r < 0)
			return r;
	}
	if (survey->head < first_seq)
		return 0;
	finish_index(tail, scan);
	return may_be_volatile(tail, scan, survey) ? rewrite(tail, scan, survey->durable) : 0;
}

static uint64_t known_from_index(
	const struct recovery *recovery, const struct segment_header *segment)
{
	struct index_header header;
	int r = index_read_header(&header, recovery->io, recovery->dir, segment->first_seq);
	return r == 0 && index_belongs(&header, segment) ? header.last_seq : 0;
}

/* Returns 1 when the segment holds nothing and was removed. */
static int recover_segment(struct tail *tail, size_t at, struct scan *scan)
{
	const struct recovery *recovery = tail->recovery;
	uint64_t known = known_from_index(recovery, &scan->header);
	struct survey survey = {
		.entry = recovery->options->entry,
		.topics = &tail->writer->topics,
		.index = &tail->tables.index,
		.report = recovery->report,
		.last_tc = tail->tables.last_tc,
		.limit = UINT64_MAX,
		.told = told_of(recovery),
		.known = known > tail->known ? known : tail->known,
	};
	int r = survey_segment(&survey, scan);
	tail->end_is_unknown = r == -EIO;
	if (r < 0)
		return r == -EIO ? 0 : r;
	tail->head = survey.head;
	tail->tables.last_tc = survey.last_tc;
	note_newest(tail, &scan->header, survey.is_clean);
	if (is_behind(tail))
		return 0;
	r = repair(tail, scan, &survey);
	if (r < 0 || survey.head >= scan->header.first_seq)
		return r;
	tail->known = survey.head;
	r = remove_segment(tail, at);
	return r < 0 ? r : 1;
}

/* The creation was interrupted before the first entry, or the header is damaged. */
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

/* The last segment itself was removed on purpose: its index says where it ended. */
static int recover_pruned(struct tail *tail, size_t at)
{
	int r = tables_load_index(&tail->tables, at);
	if (r == 0)
		tail->head = tail->tables.index.first_seq + tail->tables.index.count - 1;
	else if (r > 0)
		tail->end_is_unknown = true;
	return r < 0 ? r : 0;
}

/* 0: done; 1: the last item is gone, look at the one before. */
static int recover_last(struct tail *tail)
{
	size_t at = tail->listing.count - 1;
	if (!tail->listing.list[at].has_segment)
		return recover_pruned(tail, at);
	struct scan scan = {0};
	int r = tables_open_segment(&tail->tables, at, &scan);
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
	const struct recovery *recovery = tail->recovery;
	const struct segment_header *newest = &tail->newest;
	uint64_t now = recovery->options->now;
	if (tail->end_is_unknown)
		return JOURNAL_NEW_END_UNKNOWN;
	if (is_behind(tail))
		return JOURNAL_NEW_BEHIND;
	bool same_boot = memcmp(newest->boot, tail->writer->template.boot, IO_BOOT_SIZE) == 0;
	if (tail->has_newest && !tail->is_clean && newest->sync_ms != 0 && !same_boot)
		return JOURNAL_NEW_UNCLEAN;
	if (tail->tables.last_tc > now && tail->tables.last_tc - now > CLOCK_BACK_MAX)
		return JOURNAL_NEW_CLOCK;
	return JOURNAL_CONTINUED;
}

static void fill_report(const struct tail *tail)
{
	struct journal_report *report = tail->recovery->report;
	uint64_t now = tail->recovery->options->now;
	report->why = decide(tail);
	report->head = tail->head;
	report->last_tc = tail->tables.last_tc;
	report->unclean = tail->has_newest && !tail->is_clean;
	report->clock_back = tail->tables.last_tc > now ? tail->tables.last_tc - now : 0;
	if (tail->end_is_unknown)
		report->head = 0;
}

int recover(const struct recovery *recovery, struct writer *writer)
{
	struct tail tail = {.recovery = recovery, .writer = writer};
	tail.tables = (struct tables){
		.io = recovery->io,
		.dir = recovery->dir,
		.id = recovery->id,
		.entry = recovery->options->entry,
		.listing = &tail.listing,
		.topics = &writer->topics,
		.report = recovery->report,
	};
	int r = load_listing(&tail);
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
		fill_report(&tail);
		if (writer->segment.fd < 0)
			writer_begin(writer, recovery->dir, recovery->id, tail.head);
	}
	tables_finish(&tail.tables);
	listing_finish(&tail.listing);
	return r;
}
