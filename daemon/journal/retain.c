/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "journal/folder.h"
#include "journal/retain.h"
#include "journal/tables.h"

/* A journal's folder, looked at from outside. */
struct shelf {
	const struct io *io;
	int dir;
	uint8_t id[JOURNAL_ID_SIZE];
	bool is_current;
	struct listing listing;
};

static int find_current(struct shelf *shelf, const char *path)
{
	const struct io *io = shelf->io;
	uint8_t current[JOURNAL_ID_SIZE];
	int base = io->openat(io->ctx, IO_CWD, path, O_RDONLY | O_DIRECTORY);
	if (base < 0)
		return base;
	int r = folder_read_current(io, base, current);
	io->close(io->ctx, base);
	shelf->is_current = r == 0 && memcmp(current, shelf->id, JOURNAL_ID_SIZE) == 0;
	return r == -ENOENT || r == -EINVAL ? 0 : r;
}

static void close_shelf(struct shelf *shelf)
{
	listing_finish(&shelf->listing);
	if (shelf->dir >= 0)
		shelf->io->close(shelf->io->ctx, shelf->dir);
}

/* The folder is listed first: what is current afterwards was not closed before. */
static int open_shelf(struct shelf *shelf, const struct io *io, const char *path, const uint8_t *id)
{
	*shelf = (struct shelf){.io = io};
	memcpy(shelf->id, id, JOURNAL_ID_SIZE);
	shelf->dir = folder_open(io, path, id);
	int r = shelf->dir < 0 ? shelf->dir : listing_load(&shelf->listing, io, shelf->dir);
	if (r == 0)
		r = find_current(shelf, path);
	if (r < 0)
		close_shelf(shelf);
	return r;
}

static bool is_last(const struct shelf *shelf, size_t at)
{
	return at + 1 == shelf->listing.count;
}

static int open_segment(const struct shelf *shelf, size_t at, struct scan *scan)
{
	struct tables tables = {
		.io = shelf->io, .dir = shelf->dir, .id = shelf->id, .listing = &shelf->listing};
	return tables_open_segment(&tables, at, scan);
}

/* --- looking */

static uint64_t created_of(const struct shelf *shelf, size_t at)
{
	struct scan scan = {0};
	int r = shelf->listing.list[at].has_segment ? open_segment(shelf, at, &scan) : -ENOENT;
	uint64_t created = r == 0 ? scan.header.created : 0;
	scan_close(&scan);
	return created;
}

static void describe_index(
	const struct shelf *shelf, size_t at, const struct scan *scan, struct journal_segment *to)
{
	struct index_header header;
	const struct listing_item *item = &shelf->listing.list[at];
	if (!item->has_index ||
		index_read_header(&header, shelf->io, shelf->dir, item->first_seq) < 0 ||
		memcmp(header.journal, shelf->id, JOURNAL_ID_SIZE) != 0 ||
		(to->is_readable && !index_belongs(&header, &scan->header)))
		return;
	to->is_closed = true;
	to->last_seq = header.last_seq;
	to->last_tc = header.last_tc;
	if (to->first_tc == 0)
		to->first_tc = header.first_tc;
}

static int describe(const struct shelf *shelf, size_t at, struct journal_segment *to)
{
	const struct listing_item *item = &shelf->listing.list[at];
	char id[JOURNAL_ID_TEXT], name[SEGMENT_NAME_SIZE];
	*to = (struct journal_segment){
		.first_seq = item->first_seq, .is_removed = !item->has_segment};
	journal_id_format(id, shelf->id);
	segment_name(name, item->first_seq, SEGMENT_FILE);
	snprintf(to->path, sizeof to->path, "journal/%s/%s", id, name);

	struct scan scan = {0};
	int r = item->has_segment ? open_segment(shelf, at, &scan) : 0;
	to->is_readable = item->has_segment && r == 0;
	to->size = scan.size;
	to->first_tc = to->is_readable ? scan.header.created : 0;
	describe_index(shelf, at, &scan, to);
	scan_close(&scan);
	if (!is_last(shelf, at)) {
		to->is_closed = true;
		to->last_seq = listing_limit(&shelf->listing, at);
		if (to->last_tc == 0)
			to->last_tc = created_of(shelf, at + 1);
	} else if (!shelf->is_current) {
		to->is_closed = true;
	}
	return r == -EBADMSG || r == -EIO || r == -ENOENT ? 0 : r;
}

int journal_segments(const struct io *io, const char *path, const uint8_t id[JOURNAL_ID_SIZE],
	int (*each)(void *arg, const struct journal_segment *segment), void *arg)
{
	struct shelf shelf;
	struct journal_segment segment;
	int r = open_shelf(&shelf, io, path, id);
	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < shelf.listing.count; i++) {
		r = describe(&shelf, i, &segment);
		if (r == 0)
			r = each(arg, &segment);
	}
	close_shelf(&shelf);
	return r;
}

/* --- removing */

/* Whether the index file is sound from end to end and this segment's. */
static int check_index(const struct shelf *shelf, size_t at, const struct segment_header *segment)
{
	struct index_header header;
	struct index index = {0};
	struct topics topics = {0};
	int r = -EBADMSG;
	if (shelf->listing.list[at].has_index)
		r = index_read(&header, &index, &topics, shelf->io, shelf->dir,
			shelf->listing.list[at].first_seq);
	if (r == 0 && !index_belongs(&header, segment))
		r = -EBADMSG;
	index_finish(&index);
	topics_finish(&topics);
	return r;
}

static int make_index(struct shelf *shelf, size_t at, journal_entry_fn entry)
{
	struct topics topics = {0};
	struct journal_report report = {0};
	struct tables tables = {
		.io = shelf->io,
		.dir = shelf->dir,
		.id = shelf->id,
		.entry = entry,
		.listing = &shelf->listing,
		.topics = &topics,
		.report = &report,
	};
	int r = tables_load(&tables, at + 1);
	tables_finish(&tables);
	topics_finish(&topics);
	return r < 0 ? r : listing_load(&shelf->listing, shelf->io, shelf->dir);
}

static int keep_index(struct shelf *shelf, size_t at, journal_entry_fn entry)
{
	struct scan scan = {0};
	uint64_t first_seq = shelf->listing.list[at].first_seq;
	int r = open_segment(shelf, at, &scan);
	if (r == 0)
		r = check_index(shelf, at, &scan.header);
	if (r == -EBADMSG && scan.header.first_seq == first_seq) {
		r = make_index(shelf, at, entry);
		if (r == 0)
			r = check_index(shelf, at, &scan.header);
	}
	scan_close(&scan);
	if (r == 0) /* its name: a sync of the folder may have failed when it was written */
		r = shelf->io->fsync_dir(shelf->io->ctx, shelf->dir);
	return r;
}

static int remove_segment(const struct shelf *shelf, uint64_t first_seq)
{
	char name[SEGMENT_NAME_SIZE];
	segment_name(name, first_seq, SEGMENT_FILE);
	int r = shelf->io->unlinkat(shelf->io->ctx, shelf->dir, name);
	return r < 0 && r != -ENOENT ? r : shelf->io->fsync_dir(shelf->io->ctx, shelf->dir);
}

static int prune(struct shelf *shelf, uint64_t first_seq, journal_entry_fn entry)
{
	ssize_t at = listing_find(&shelf->listing, first_seq);
	if (at < 0 || shelf->listing.list[at].first_seq != first_seq)
		return -ENOENT;
	if (!shelf->listing.list[at].has_segment)
		return shelf->io->fsync_dir(shelf->io->ctx, shelf->dir);
	if (shelf->is_current && is_last(shelf, (size_t)at))
		return -EBUSY;
	int r = keep_index(shelf, (size_t)at, entry);
	return r < 0 ? r : remove_segment(shelf, first_seq);
}

int journal_prune(const struct io *io, const char *path, const uint8_t id[JOURNAL_ID_SIZE],
	uint64_t first_seq, journal_entry_fn entry)
{
	struct shelf shelf;
	int r = open_shelf(&shelf, io, path, id);
	if (r < 0)
		return r;
	r = prune(&shelf, first_seq, entry);
	close_shelf(&shelf);
	return r;
}
