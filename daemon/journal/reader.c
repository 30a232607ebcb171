/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "journal/folder.h"
#include "journal/listing.h"
#include "journal/index.h"
#include "journal/reader.h"
#include "journal/tables.h"

struct journal_reader {
	const struct io *io;
	int dir;
	uint8_t id[JOURNAL_ID_SIZE];
	journal_entry_fn entry;
	bool (*want)(void *arg, const char *topic, size_t topic_len);
	void *want_arg;

	uint64_t next;
	struct listing listing;

	bool is_open;  /* a segment */
	bool is_fresh; /* opened in this call: a missing entry is in no other file */
	struct scan scan;
	uint64_t limit; /* its last seq, by the listing */
	bool has_index;
	struct index index;
	struct topics topics;
	bool *wanted; /* by topic of the index; NULL: all */
};

/* Result of a step, if not a negative errno. */
enum step {
	STEP_FOUND = 1,
	STEP_AGAIN, /* the position has changed */
	STEP_MISS,  /* the next entry is not in this segment, or not sound */
};

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void close_segment(struct journal_reader *reader)
{
	if (reader->is_open)
		scan_close(&reader->scan);
	reader->is_open = reader->has_index = false;
	index_finish(&reader->index);
	topics_finish(&reader->topics);
	free(reader->wanted);
	reader->wanted = NULL;
}

int journal_reader_open(struct journal_reader **out, const struct io *io, const char *path,
	const uint8_t id[JOURNAL_ID_SIZE], journal_entry_fn entry)
{
	int dir = folder_open(io, path, id);
	if (dir < 0)
		return dir;
	struct journal_reader *reader = calloc(1, sizeof *reader);
	if (reader == NULL) {
		io->close(io->ctx, dir);
		return -ENOMEM;
	}
	reader->io = io;
	reader->dir = dir;
	reader->entry = entry;
	reader->next = 1;
	memcpy(reader->id, id, JOURNAL_ID_SIZE);
	*out = reader;
	return 0;
}

void journal_reader_close(struct journal_reader *reader)
{
	if (reader == NULL)
		return;
	close_segment(reader);
	listing_finish(&reader->listing);
	reader->io->close(reader->io->ctx, reader->dir);
	free(reader);
}

void journal_reader_filter(struct journal_reader *reader,
	bool (*want)(void *arg, const char *topic, size_t topic_len), void *arg)
{
	close_segment(reader);
	reader->want = want;
	reader->want_arg = arg;
}

void journal_reader_seek(struct journal_reader *reader, uint64_t seq)
{
	bool is_here = reader->is_open && seq >= reader->scan.header.first_seq &&
		       seq <= reader->limit;
	if (!is_here)
		close_segment(reader);
	reader->next = seq > 0 ? seq : 1;
}

/* --- segments */

static int find_wanted(struct journal_reader *reader)
{
	uint32_t count = reader->topics.count;
	if (reader->want == NULL || count == 0)
		return 0;
	reader->wanted = malloc(count * sizeof *reader->wanted);
	if (reader->wanted == NULL)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		const struct topic_row *topic = &reader->topics.list[i];
		reader->wanted[i] = reader->want(reader->want_arg, topic->name, topic->len);
	}
	return 0;
}

static int load_index(struct journal_reader *reader, uint64_t first_seq)
{
	struct index_header header;
	int r = index_read(
		&header, &reader->index, &reader->topics, reader->io, reader->dir, first_seq);
	if (r == 0 && index_belongs(&header, &reader->scan.header)) {
		reader->has_index = true;
		return find_wanted(reader);
	}
	index_finish(&reader->index);
	topics_finish(&reader->topics);
	return r == -ENOMEM ? r : 0;
}

static int open_item(struct journal_reader *reader, size_t at)
{
	const struct listing_item *item = &reader->listing.list[at];
	char name[SEGMENT_NAME_SIZE];
	segment_name(name, item->first_seq, SEGMENT_FILE);
	int r = scan_open(&reader->scan, reader->io, reader->dir, name);
	reader->is_open = r == 0 || r == -EBADMSG;
	if (r == 0 &&
		(reader->scan.header.first_seq != item->first_seq ||
			memcmp(reader->scan.header.journal, reader->id, JOURNAL_ID_SIZE) != 0))
		r = -EBADMSG;
	if (r == 0 && item->has_index)
		r = load_index(reader, item->first_seq);
	if (r < 0)
		close_segment(reader);
	return r;
}

static int give_gap(struct journal_reader *reader, enum journal_found_kind kind, uint64_t to,
	struct journal_found *found)
{
	*found = (struct journal_found){.kind = kind, .seq = reader->next, .to = to};
	reader->next = to + 1;
	return STEP_FOUND;
}

/* Opens the segment that has, or should have, the next entry. */
static int open_next(struct journal_reader *reader, uint64_t upto, struct journal_found *found)
{
	const struct listing *listing = &reader->listing;
	close_segment(reader);
	ssize_t at = listing_find(listing, reader->next);
	bool is_stale = at < 0 || (size_t)at + 1 == listing->count ||
			!listing->list[at].has_segment;
	if (is_stale) {
		int r = listing_load(&reader->listing, reader->io, reader->dir);
		if (r < 0)
			return r;
		at = listing_find(listing, reader->next);
	}
	reader->is_fresh = true;
	if (at < 0) {
		uint64_t first = listing->count > 0 ? listing->list[0].first_seq : UINT64_MAX;
		return give_gap(reader, JOURNAL_GAP_DAMAGED, min(first - 1, upto), found);
	}
	reader->limit = listing_limit(listing, (size_t)at);
	uint64_t to = min(reader->limit, upto);
	if (!listing->list[at].has_segment)
		return give_gap(reader,
			listing->list[at].has_note ? JOURNAL_GAP_PRUNED : JOURNAL_GAP_DAMAGED, to,
			found);
	int r = open_item(reader, (size_t)at);
	if (r == -EBADMSG || r == -EIO)
		return give_gap(reader, JOURNAL_GAP_DAMAGED, to, found);
	if (r != -ENOENT || is_stale)
		return r < 0 ? r : STEP_AGAIN;
	reader->listing.count = 0; /* removed since the folder was read: read it again */
	return STEP_AGAIN;
}

/* --- entries */

static int give_entry(struct journal_reader *reader, const struct record *record,
	const uint8_t *body, struct journal_found *found)
{
	*found = (struct journal_found){
		.kind = JOURNAL_ENTRY,
		.seq = record->seq,
		.to = record->seq,
		.bytes = body,
		.len = record->len,
	};
	reader->next = record->seq + 1;
	return STEP_FOUND;
}

/* Bytes that the disk cannot read count as bad. */
static int read_record(struct scan *scan, struct record *record, const uint8_t **body)
{
	int r = scan_next(scan, record, body);
	return r == -EIO ? SCAN_BAD : r;
}

static int look_ahead(struct scan *scan, struct scan_ahead *ahead)
{
	int r = scan_ahead(scan, ahead);
	return r == -EIO ? 0 : r;
}

static int step_indexed(struct journal_reader *reader, struct journal_found *found)
{
	const struct index *index = &reader->index;
	uint64_t at = reader->next - index->first_seq;
	if (at >= index->count)
		return STEP_MISS;
	const struct index_entry *place = &index->list[at];
	if (place->offset == 0)
		return give_gap(reader, JOURNAL_GAP_DAMAGED, reader->next, found);
	bool skip = reader->want != NULL &&
		    (place->topic == TOPIC_NONE || !reader->wanted[place->topic]);
	if (skip) {
		reader->next++;
		return STEP_AGAIN;
	}
	struct record record;
	const uint8_t *body;
	scan_seek(&reader->scan, (uint64_t)place->offset * 8, reader->next);
	int r = read_record(&reader->scan, &record, &body);
	if (r < 0)
		return r;
	if (r == SCAN_RECORD && record.kind == RECORD_ENTRY)
		return give_entry(reader, &record, body, found);
	return give_gap(reader, JOURNAL_GAP_DAMAGED, reader->next, found);
}

/* The scan is at a bad record or at the end. */
static int step_over(struct journal_reader *reader, uint64_t upto, struct journal_found *found)
{
	struct scan_ahead ahead;
	if (!reader->is_fresh)
		return STEP_MISS;
	int r = look_ahead(&reader->scan, &ahead);
	if (r < 0)
		return r;
	if (ahead.seq == 0 || ahead.seq > min(reader->limit, upto))
		return STEP_MISS;
	scan_seek(&reader->scan, ahead.offset, ahead.seq);
	if (ahead.seq <= reader->next)
		return STEP_AGAIN;
	return give_gap(reader, JOURNAL_GAP_DAMAGED, ahead.seq - 1, found);
}

static int step_scanned(struct journal_reader *reader, uint64_t upto, struct journal_found *found)
{
	struct scan *scan = &reader->scan;
	struct record record;
	const uint8_t *body;
	if (scan->next > reader->next)
		scan_seek(scan, SEGMENT_HEADER_SIZE, scan->header.first_seq);
	bool is_passing = scan->next < reader->next;
	int r = read_record(scan, &record, is_passing ? NULL : &body);
	if (r < 0)
		return r;
	if (r != SCAN_RECORD)
		return step_over(reader, upto, found);
	if (is_passing || record.kind != RECORD_ENTRY)
		return STEP_AGAIN;
	const char *topic;
	size_t topic_len;
	uint64_t seq, tc;
	bool is_wanted = reader->want == NULL ||
			 (reader->entry(body, record.len, &topic, &topic_len, &seq, &tc) == 0 &&
				 reader->want(reader->want_arg, topic, topic_len));
	if (is_wanted)
		return give_entry(reader, &record, body, found);
	reader->next++;
	return STEP_AGAIN;
}

static int step(struct journal_reader *reader, uint64_t upto, struct journal_found *found)
{
	if (!reader->is_open || reader->next > reader->limit)
		return open_next(reader, upto, found);
	int r = reader->has_index ? step_indexed(reader, found) : step_scanned(reader, upto, found);
	if (r != STEP_MISS)
		return r;
	if (reader->is_fresh)
		return give_gap(reader, JOURNAL_GAP_DAMAGED, min(reader->limit, upto), found);
	return open_next(reader, upto, found);
}

int journal_reader_next(struct journal_reader *reader, uint64_t upto, struct journal_found *found)
{
	int r = STEP_AGAIN;
	reader->is_fresh = false;
	while (r == STEP_AGAIN && reader->next <= upto)
		r = step(reader, upto, found);
	return r == STEP_AGAIN ? 0 : r;
}

/* --- journals */

static uint64_t walk_to_end(const struct io *io, int dir, uint64_t first_seq)
{
	struct scan scan = {0};
	struct scan_ahead ahead;
	struct record record;
	char name[SEGMENT_NAME_SIZE];
	segment_name(name, first_seq, SEGMENT_FILE);
	uint64_t last = first_seq - 1;
	int r = scan_open(&scan, io, dir, name) == 0 ? SCAN_RECORD : SCAN_END;
	while (r == SCAN_RECORD) {
		r = read_record(&scan, &record, NULL);
		last = scan.next - 1;
		if (r != SCAN_BAD || look_ahead(&scan, &ahead) < 0 || ahead.seq == 0)
			continue;
		scan_seek(&scan, ahead.offset, ahead.seq);
		r = SCAN_RECORD;
	}
	scan_close(&scan);
	return last;
}

int journal_range(const struct io *io, const char *path, const uint8_t id[JOURNAL_ID_SIZE],
	uint64_t *first, uint64_t *last)
{
	struct listing listing = {0};
	int dir = folder_open(io, path, id);
	if (dir < 0)
		return dir;
	int r = listing_load(&listing, io, dir);
	*first = 1;
	*last = 0;
	if (r == 0 && listing.count > 0) {
		size_t at = 0;
		while (at < listing.count && !listing.list[at].has_segment)
			at++;
		struct index_header header;
		struct tables tables = {.io = io, .dir = dir, .id = id, .listing = &listing};
		size_t end = listing.count - 1;
		*last = tables_read_header(&tables, end, &header) == 0
				? header.last_seq
				: walk_to_end(io, dir, listing.list[end].first_seq);
		*first = at < listing.count ? listing.list[at].first_seq : *last + 1;
	}
	listing_finish(&listing);
	io->close(io->ctx, dir);
	return r;
}

struct visit {
	int (*each)(void *arg, const uint8_t id[JOURNAL_ID_SIZE]);
	void *arg;
};

static int visit_journal(void *arg, const char *name)
{
	const struct visit *visit = arg;
	uint8_t id[JOURNAL_ID_SIZE];
	return journal_id_parse(id, name) == 0 ? visit->each(visit->arg, id) : 0;
}

int journal_each(const struct io *io, const char *path,
	int (*each)(void *arg, const uint8_t id[JOURNAL_ID_SIZE]), void *arg)
{
	struct visit visit = {each, arg};
	int dir = folder_open(io, path, NULL);
	if (dir < 0)
		return dir;
	int r = io->list(io->ctx, dir, visit_journal, &visit);
	io->close(io->ctx, dir);
	return r;
}
