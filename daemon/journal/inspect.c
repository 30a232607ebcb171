/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "journal/durable.h"
#include "journal/folder.h"
#include "journal/inspect.h"
#include "journal/reader.h"
#include "journal/tables.h"

#define PROGRESS_BYTES (UINT64_C(4) << 20)

struct walk {
	struct inspection *in;
	int dir;
	struct listing listing;
	struct topics topics;
	struct index index; /* of this segment, from its records */
	uint64_t next;      /* the next seq */
	uint64_t last_tc;
	uint64_t lost; /* the last seq that is missing or damaged: chains may lead to those */
	uint64_t total, reported;

	uint64_t first_seq, limit; /* of this segment */
	bool is_last;
	const char *suffix;
};

static void report(struct walk *walk, struct finding finding)
{
	char id[JOURNAL_ID_TEXT];
	journal_id_format(id, walk->in->id);
	snprintf(finding.file, sizeof finding.file, "journal/%s/%020" PRIu64 "%s", id,
		walk->first_seq, walk->suffix);
	walk->in->findings[finding.kind]++;
	walk->in->found(walk->in->arg, &finding);
}

static void report_lost(struct walk *walk, struct finding finding)
{
	report(walk, finding);
	if (finding.to > walk->lost)
		walk->lost = finding.to;
}

/* --- entries */

static const char *entry_fault(
	const struct walk *walk, const struct inspect_entry *entry, uint64_t seq)
{
	if (memcmp(entry->journal, walk->in->id, JOURNAL_ID_SIZE) != 0)
		return "it belongs to another journal";
	if (entry->seq != seq)
		return "its seq is not that of its place";
	if (entry->topic_len == 0 || entry->topic_len > JOURNAL_TOPIC_MAX)
		return "its topic has a wrong length";
	if (entry->tc < walk->last_tc)
		return "its commit time is before that of the entry before it";
	/* Behind lost entries `prev` may be one of them; otherwise it is the topic's last one. */
	uint32_t topic = topics_find(&walk->topics, entry->topic, entry->topic_len);
	uint64_t last = topic == TOPIC_NONE ? 0 : walk->topics.list[topic].last;
	if (entry->prev == last || (entry->prev > last && entry->prev <= walk->lost))
		return NULL;
	return entry->prev == 0 ? "its prev is 0, but it is not the first on its topic"
				: "its prev is not the entry before it on its topic";
}

static int take_entry(
	struct walk *walk, const struct record *record, const uint8_t *body, uint64_t offset)
{
	struct inspect_entry entry = {0};
	bool is_entry = walk->in->entry(body, record->len, &entry) == 0;
	const char *wrong = is_entry ? entry_fault(walk, &entry, record->seq)
				     : "its bytes are not an entry";
	if (wrong != NULL)
		report(walk, (struct finding){.kind = FINDING_WRONG,
				     .from = record->seq,
				     .to = record->seq,
				     .from_byte = offset,
				     .to_byte = offset + RECORD_HEADER_SIZE + record->len,
				     .text = wrong});
	uint32_t topic = TOPIC_NONE;
	if (is_entry && entry.topic_len > 0 && entry.topic_len <= JOURNAL_TOPIC_MAX) {
		topic = topics_add(&walk->topics, entry.topic, entry.topic_len);
		if (topic == TOPIC_NONE)
			return -ENOMEM;
		topics_advance(&walk->topics, topic, record->seq);
		walk->last_tc = entry.tc > walk->last_tc ? entry.tc : walk->last_tc;
	}
	walk->in->entries++;
	return index_add(&walk->index, record->seq, offset, topic, walk->last_tc);
}

/* --- segments */

/* Nothing sound follows in this file. */
static void end_badly(struct walk *walk, const struct scan *scan, uint64_t durable)
{
	bool is_open = walk->is_last;
	uint64_t to = is_open ? durable : walk->limit;
	if (scan->next <= to)
		report_lost(
			walk, (struct finding){.kind = scan->offset < scan->size ? FINDING_DAMAGED
										 : FINDING_MISSING,
				      .from = scan->next,
				      .to = to,
				      .from_byte = scan->offset,
				      .to_byte = scan->size,
				      .text = "durable entries cannot be read"});
	else if (is_open && scan->offset < scan->size)
		report(walk, (struct finding){.kind = FINDING_TAIL,
				     .from_byte = scan->offset,
				     .to_byte = scan->size,
				     .text = "bytes after the last entry"});
}

/* 1: continues behind the damage. */
static int step_over(struct walk *walk, struct scan *scan, uint64_t *durable)
{
	struct scan_ahead ahead;
	int r = scan_ahead(scan, &ahead);
	if (r < 0 && r != -EIO)
		return r;
	if (ahead.synced_upto > *durable)
		*durable = ahead.synced_upto;
	bool is_inside = ahead.seq != 0 && ahead.seq <= walk->limit &&
			 (!walk->is_last || ahead.seq - 1 <= *durable);
	if (!is_inside)
		return 0;
	if (ahead.seq > scan->next)
		report_lost(walk, (struct finding){.kind = FINDING_DAMAGED,
					  .from = scan->next,
					  .to = ahead.seq - 1,
					  .from_byte = scan->offset,
					  .to_byte = ahead.offset,
					  .text = "entries cannot be read: a checksum is wrong"});
	scan_seek(scan, ahead.offset, ahead.seq);
	return 1;
}

static int read_records(struct walk *walk, struct scan *scan)
{
	struct index_header header;
	uint64_t durable = scan->next - 1;
	int r = index_read_header(&header, walk->in->io, walk->dir, walk->first_seq);
	if (r == 0 && index_belongs(&header, &scan->header))
		durable = header.last_seq; /* an index is written when all of it is durable */
	r = 1;
	while (r > 0 && scan->next <= walk->limit) {
		struct record record;
		const uint8_t *body;
		uint64_t offset = scan->offset;
		r = scan_next(scan, &record, &body);
		if (r == SCAN_BAD || r == -EIO) {
			r = step_over(walk, scan, &durable);
			continue;
		}
		if (r != SCAN_RECORD)
			break;
		durable = record.synced_upto > durable ? record.synced_upto : durable;
		if (record.kind == RECORD_ENTRY)
			r = take_entry(walk, &record, body, offset);
		if (r >= 0)
			r = 1;
		uint64_t done = walk->in->bytes + scan->offset;
		if (walk->in->progress != NULL &&
			(done >= walk->reported + PROGRESS_BYTES || done >= walk->total)) {
			walk->reported = done;
			walk->in->progress(walk->in->arg, done, walk->total);
		}
	}
	if (r < 0)
		return r;
	walk->index.end = scan->offset;
	if (scan->next <= walk->limit)
		end_badly(walk, scan, durable);
	walk->next = walk->is_last ? scan->next : walk->limit + 1;
	if (walk->next <= walk->lost)
		walk->next = walk->lost + 1;
	return 0;
}

/* --- index files */

static bool same_topic(const struct walk *walk, const struct topics *topics, uint32_t theirs,
	const struct index_entry *ours)
{
	if (theirs == TOPIC_NONE || ours->topic == TOPIC_NONE)
		return theirs == ours->topic;
	const struct topic_row *a = &topics->list[theirs], *b = &walk->topics.list[ours->topic];
	return a->len == b->len && memcmp(a->name, b->name, a->len) == 0;
}

static bool same_last(const struct walk *walk, const struct topics *topics)
{
	for (uint32_t i = 0; i < topics->count; i++) {
		const struct topic_row *theirs = &topics->list[i];
		uint32_t at = topics_find(&walk->topics, theirs->name, theirs->len);
		uint64_t last = at == TOPIC_NONE ? 0 : walk->topics.list[at].last;
		if (theirs->last != last && theirs->last > walk->lost)
			return false;
	}
	return true;
}

static const char *index_fault(
	const struct walk *walk, const struct index *index, const struct topics *topics)
{
	const struct index *ours = &walk->index;
	for (size_t i = 0; i < ours->count; i++) {
		if (ours->list[i].offset == 0)
			continue;
		if (i >= index->count)
			return "it ends before its segment does";
		if (index->list[i].offset != ours->list[i].offset)
			return "it has an entry in another place";
		if (!same_topic(walk, topics, index->list[i].topic, &ours->list[i]))
			return "it has an entry on another topic";
	}
	return same_last(walk, topics) ? NULL : "it has another last seq of a topic";
}

static int check_index(struct walk *walk, size_t at, const struct segment_header *segment)
{
	struct index_header header;
	struct index index = {0};
	struct topics topics = {0};
	const char *wrong = NULL;
	bool has_index = walk->listing.list[at].has_index;
	int r = -ENOENT;
	if (has_index)
		r = index_read(&header, &index, &topics, walk->in->io, walk->dir, walk->first_seq);
	if (r == 0 && !index_belongs(&header, segment))
		r = -EBADMSG;
	if (r == 0)
		wrong = index_fault(walk, &index, &topics);
	else if (r == -EBADMSG || r == -EIO)
		wrong = "it is damaged";
	walk->suffix = SEGMENT_INDEX;
	if (wrong != NULL)
		report(walk, (struct finding){.kind = FINDING_INDEX, .text = wrong});
	else if (!has_index && !walk->is_last)
		report(walk, (struct finding){.kind = FINDING_NO_INDEX, .text = "it is missing"});
	index_finish(&index);
	topics_finish(&topics);
	return r == -ENOMEM ? r : 0;
}

/* --- items */

/* Without a segment: the index has its end and the topics up to there. */
static int visit_removed(struct walk *walk, size_t at)
{
	struct index_header header;
	uint64_t first_seq = walk->listing.list[at].first_seq;
	topics_finish(&walk->topics);
	int r = index_read(
		&header, &walk->index, &walk->topics, walk->in->io, walk->dir, first_seq);
	if (r == -ENOMEM)
		return r;
	if (r == 0 && memcmp(header.journal, walk->in->id, JOURNAL_ID_SIZE) != 0)
		r = -EBADMSG;
	if (r < 0) {
		topics_finish(&walk->topics);
		walk->suffix = SEGMENT_INDEX;
		report_lost(walk, (struct finding){.kind = FINDING_INDEX,
					  .from = first_seq,
					  .to = walk->is_last ? first_seq : walk->limit,
					  .text = "it is damaged, and its segment is gone"});
		walk->next = walk->is_last ? first_seq + 1 : walk->limit + 1;
		return 0;
	}
	struct removed_segment removed = {.first = first_seq, .last = header.last_seq};
	memcpy(removed.journal, walk->in->id, sizeof removed.journal);
	if (removal_is_recorded(
		    walk->in->io, walk->in->path, walk->dir, &removed, walk->in->removal))
		walk->in->removed++;
	else
		report_lost(walk, (struct finding){.kind = FINDING_MISSING,
					  .from = first_seq,
					  .to = header.last_seq,
					  .text = "the file is gone, and no record shows its "
						  "removal"});
	walk->last_tc = header.last_tc;
	walk->next = header.last_seq + 1;
	return 0;
}

static int visit_segment(struct walk *walk, size_t at)
{
	struct scan scan = {0};
	struct tables tables = {.io = walk->in->io,
		.dir = walk->dir,
		.id = walk->in->id,
		.listing = &walk->listing};
	int r = tables_open_segment(&tables, at, &scan);
	if (r == -ENOENT && walk->listing.list[at].has_index)
		return visit_removed(walk, at); /* removed just now */
	walk->in->segments++;
	if (r == 0) {
		index_start(&walk->index, walk->first_seq);
		r = read_records(walk, &scan);
		if (r == 0)
			r = check_index(walk, at, &scan.header);
	} else if (r == -EBADMSG || r == -EIO || r == -ENOENT) {
		report_lost(walk, (struct finding){.kind = FINDING_DAMAGED,
					  .from = walk->first_seq,
					  .to = walk->is_last ? walk->first_seq : walk->limit,
					  .to_byte = scan.size,
					  .text = "the header of the file cannot be read"});
		walk->next = walk->lost + 1;
		r = 0;
	}
	walk->in->bytes += scan.size;
	scan_close(&scan);
	return r;
}

static int visit(struct walk *walk, size_t at)
{
	const struct listing_item *item = &walk->listing.list[at];
	walk->first_seq = item->first_seq;
	walk->limit = listing_limit(&walk->listing, at);
	walk->is_last = at + 1 == walk->listing.count;
	walk->suffix = SEGMENT_FILE;
	if (walk->in->first_seq == 0 && item->has_segment)
		walk->in->first_seq = item->first_seq;
	if (item->first_seq > walk->next)
		report_lost(walk, (struct finding){.kind = FINDING_MISSING,
					  .from = walk->next,
					  .to = item->first_seq - 1,
					  .text = "the files before this one are missing"});
	return item->has_segment ? visit_segment(walk, at) : visit_removed(walk, at);
}

static int add_size(void *arg, const struct journal_segment *segment)
{
	*(uint64_t *)arg += segment->size;
	return 0;
}

/* Entries up to here were durable before the files are listed. */
static uint64_t expected(const struct walk *walk)
{
	const struct io *io = walk->in->io;
	int base = io->openat(io->ctx, IO_CWD, walk->in->path, O_RDONLY | O_DIRECTORY);
	if (base < 0)
		return walk->in->known;
	uint64_t durable = durable_read(io, base, walk->dir, walk->in->id);
	io->close(io->ctx, base);
	return durable > walk->in->known ? durable : walk->in->known;
}

static void check_end(struct walk *walk, uint64_t upto)
{
	if (walk->next > upto)
		return;
	walk->first_seq = walk->next;
	walk->suffix = SEGMENT_FILE;
	report(walk, (struct finding){.kind = FINDING_MISSING,
			     .from = walk->next,
			     .to = upto,
			     .text = "entries existed up to there, and are in no file"});
}

int journal_inspect(struct inspection *in)
{
	struct walk walk = {.in = in, .next = 1};
	int r = journal_segments(in->io, in->path, in->id, add_size, &walk.total);
	if (r < 0)
		return r;
	walk.dir = folder_open(in->io, in->path, in->id);
	if (walk.dir < 0)
		return walk.dir;
	uint64_t upto = expected(&walk);
	r = listing_load(&walk.listing, in->io, walk.dir);
	for (size_t i = 0; r == 0 && i < walk.listing.count; i++)
		r = visit(&walk, i);
	if (r == 0)
		check_end(&walk, upto);
	in->last_seq = walk.next - 1;
	listing_finish(&walk.listing);
	topics_finish(&walk.topics);
	index_finish(&walk.index);
	in->io->close(in->io->ctx, walk.dir);
	return r;
}

/* --- durable entries */

/* The highest synced_upto of the records of an open segment. */
static int find_durable(const struct io *io, int dir, uint64_t first_seq, uint64_t *last)
{
	char name[SEGMENT_NAME_SIZE];
	struct scan scan = {0};
	*last = first_seq - 1;
	segment_name(name, first_seq, SEGMENT_FILE);
	int r = scan_open(&scan, io, dir, name);
	while (r >= 0) {
		struct record record;
		struct scan_ahead ahead;
		r = scan_next(&scan, &record, NULL);
		if (r == SCAN_RECORD) {
			*last = record.synced_upto > *last ? record.synced_upto : *last;
			continue;
		}
		if (r != SCAN_BAD || scan_ahead(&scan, &ahead) < 0 || ahead.seq == 0)
			break;
		scan_seek(&scan, ahead.offset, ahead.seq);
	}
	scan_close(&scan);
	return r == -ENOMEM ? r : 0;
}

int journal_committed(const struct io *io, const char *path, const uint8_t id[JOURNAL_ID_SIZE],
	uint64_t *first, uint64_t *last)
{
	struct listing listing = {0};
	struct index_header header;
	int r = journal_range(io, path, id, first, last);
	int dir = r < 0 ? r : folder_open(io, path, id);
	if (dir < 0)
		return dir;
	r = listing_load(&listing, io, dir);
	size_t at = listing.count - 1;
	struct tables tables = {.io = io, .dir = dir, .id = id, .listing = &listing};
	bool is_open = r == 0 && listing.count > 0 && listing.list[at].has_segment &&
		       tables_read_header(&tables, at, &header) < 0;
	if (is_open)
		r = find_durable(io, dir, listing.list[at].first_seq, last);
	listing_finish(&listing);
	io->close(io->ctx, dir);
	return r;
}
