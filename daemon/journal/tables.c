/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#define LOG_TOPIC "journal"
#include "base/log.h"
#include "journal/survey.h"
#include "journal/tables.h"

void tables_finish(struct tables *tables)
{
	index_finish(&tables->index);
}

static void clear(struct tables *tables)
{
	topics_finish(tables->topics);
	index_finish(&tables->index);
	tables->last_tc = 0;
}

int tables_open_segment(const struct tables *tables, size_t at, struct scan *scan)
{
	char name[SEGMENT_NAME_SIZE];
	uint64_t first_seq = tables->listing->list[at].first_seq;
	segment_name(name, first_seq, SEGMENT_FILE);
	int r = scan_open(scan, tables->io, tables->dir, name);
	bool is_ours = r == 0 && scan->header.first_seq == first_seq &&
		       memcmp(scan->header.journal, tables->id, JOURNAL_ID_SIZE) == 0;
	return r == 0 && !is_ours ? -EBADMSG : r;
}

/* A file may have been copied here from another journal. */
static int check_owner(const struct tables *tables, size_t at, const struct index_header *header)
{
	struct scan scan = {0};
	if (memcmp(header->journal, tables->id, JOURNAL_ID_SIZE) != 0)
		return -EBADMSG;
	if (!tables->listing->list[at].has_segment)
		return 0;
	int r = tables_open_segment(tables, at, &scan);
	if (r == 0 && !index_belongs(header, &scan.header))
		r = -EBADMSG;
	scan_close(&scan);
	return r;
}

int tables_read_header(const struct tables *tables, size_t at, struct index_header *header)
{
	const struct listing_item *item = &tables->listing->list[at];
	if (!item->has_index)
		return -ENOENT;
	int r = index_read_header(header, tables->io, tables->dir, item->first_seq);
	return r < 0 ? r : check_owner(tables, at, header);
}

int tables_load_index(struct tables *tables, size_t at)
{
	const struct listing_item *item = &tables->listing->list[at];
	struct index_header header;
	clear(tables);
	if (!item->has_index)
		return 1;
	int r = index_read(
		&header, &tables->index, tables->topics, tables->io, tables->dir, item->first_seq);
	if (r == 0)
		r = check_owner(tables, at, &header);
	if (r == 0)
		tables->last_tc = header.last_tc;
	if (r == 0 || r == -ENOMEM)
		return r;
	clear(tables);
	return 1;
}

void tables_write_index(struct tables *tables, const struct segment_header *segment)
{
	int r = index_write(&tables->index, tables->topics, segment, tables->io, tables->dir);
	if (r == 0)
		tables->report->reindexed++;
	else
		log_warn("cannot write an index: %s", strerror(-r));
}

/* Adds an item to the tables by reading its segment, and makes its index. */
static int rebuild_index(struct tables *tables, size_t at)
{
	uint64_t limit = listing_limit(tables->listing, at);
	struct scan scan = {0};
	int r = -EBADMSG;
	if (tables->listing->list[at].has_segment)
		r = tables_open_segment(tables, at, &scan);
	struct survey survey = {
		.entry = tables->entry,
		.topics = tables->topics,
		.index = &tables->index,
		.report = tables->report,
		.last_tc = tables->last_tc,
		.limit = limit,
		.known = limit,
	};
	if (r == 0)
		r = survey_segment(&survey, &scan);
	if (r == 0) {
		tables->last_tc = survey.last_tc;
		tables_write_index(tables, &scan.header);
	} else if (r == -EBADMSG || r == -EIO) {
		report_gap(tables->report, tables->listing->list[at].first_seq, limit);
		r = 0;
	}
	scan_close(&scan);
	return r;
}

int tables_load(struct tables *tables, size_t at)
{
	size_t from = at;
	int r = 1;
	clear(tables);
	while (r > 0 && from > 0)
		r = tables_load_index(tables, --from);
	if (r == 0)
		from++;
	for (; r >= 0 && from < at; from++)
		r = rebuild_index(tables, from);
	return r < 0 ? r : 0;
}
