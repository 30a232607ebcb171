/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "journal/folder.h"
#include "journal/removal.h"
#include "journal/retain.h"
#include "journal/tables.h"

/* The folder of a journal that may be open elsewhere. */
struct folder {
	const struct io *io;
	int dir;
	uint8_t id[JOURNAL_ID_SIZE];
	bool is_current;
	struct listing listing;
};

static void close_folder(struct folder *folder)
{
	listing_finish(&folder->listing);
	if (folder->dir >= 0)
		folder->io->close(folder->io->ctx, folder->dir);
}

/* Lists the folder before it reads `current`: a journal still current then is not closed. */
static int open_folder(
	struct folder *folder, const struct io *io, const char *path, const uint8_t *id)
{
	*folder = (struct folder){.io = io};
	memcpy(folder->id, id, JOURNAL_ID_SIZE);
	folder->dir = folder_open(io, path, id);
	int r = folder->dir < 0 ? folder->dir : listing_load(&folder->listing, io, folder->dir);
	uint8_t current[JOURNAL_ID_SIZE];
	int base = r < 0 ? r : io->openat(io->ctx, IO_CWD, path, O_RDONLY | O_DIRECTORY);
	r = base < 0 ? base : folder_read_current(io, base, current);
	folder->is_current = r == 0 && memcmp(current, id, JOURNAL_ID_SIZE) == 0;
	if (base >= 0)
		io->close(io->ctx, base);
	if (base >= 0 && (r == -ENOENT || r == -EINVAL))
		r = 0;
	if (r < 0)
		close_folder(folder);
	return r;
}

static bool is_last(const struct folder *folder, size_t at)
{
	return at + 1 == folder->listing.count;
}

static int open_segment(const struct folder *folder, size_t at, struct scan *scan)
{
	struct tables tables = {.io = folder->io,
		.dir = folder->dir,
		.id = folder->id,
		.listing = &folder->listing};
	return tables_open_segment(&tables, at, scan);
}

/* --- listing */

static void describe_index(
	const struct folder *folder, size_t at, const struct scan *scan, struct journal_segment *to)
{
	struct index_header header;
	const struct listing_item *item = &folder->listing.list[at];
	if (!item->has_index ||
		index_read_header(&header, folder->io, folder->dir, item->first_seq) < 0 ||
		memcmp(header.journal, folder->id, JOURNAL_ID_SIZE) != 0 ||
		(to->is_readable && !index_belongs(&header, &scan->header)))
		return;
	to->is_closed = true;
	to->last_seq = header.last_seq;
	to->last_tc = header.last_tc;
	if (to->first_tc == 0)
		to->first_tc = header.first_tc;
}

static int describe(const struct folder *folder, size_t at, struct journal_segment *to)
{
	const struct listing_item *item = &folder->listing.list[at];
	char id[JOURNAL_ID_TEXT], name[SEGMENT_NAME_SIZE];
	*to = (struct journal_segment){.first_seq = item->first_seq,
		.is_removed = !item->has_segment && item->has_note,
		.is_missing = !item->has_segment && !item->has_note};
	journal_id_format(id, folder->id);
	segment_name(name, item->first_seq, SEGMENT_FILE);
	snprintf(to->path, sizeof to->path, "journal/%s/%s", id, name);

	struct scan scan = {0};
	int r = item->has_segment ? open_segment(folder, at, &scan) : 0;
	to->is_readable = item->has_segment && r == 0;
	to->size = scan.size;
	to->first_tc = to->is_readable ? scan.header.created : 0;
	describe_index(folder, at, &scan, to);
	scan_close(&scan);
	if (!is_last(folder, at)) {
		to->is_closed = true;
		to->last_seq = listing_limit(&folder->listing, at);
		if (to->last_tc == 0 && folder->listing.list[at + 1].has_segment &&
			open_segment(folder, at + 1, &scan) == 0)
			to->last_tc = scan.header.created;
		scan_close(&scan);
	} else if (!folder->is_current) {
		to->is_closed = true;
	}
	return r == -EBADMSG || r == -EIO || r == -ENOENT ? 0 : r;
}

int journal_segments(const struct io *io, const char *path, const uint8_t id[JOURNAL_ID_SIZE],
	int (*each)(void *arg, const struct journal_segment *segment), void *arg)
{
	struct folder folder;
	struct journal_segment segment;
	int r = open_folder(&folder, io, path, id);
	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < folder.listing.count; i++) {
		r = describe(&folder, i, &segment);
		if (r == 0)
			r = each(arg, &segment);
	}
	close_folder(&folder);
	return r;
}

/* --- removing */

/* 0 if the index file is sound from end to end and belongs to this segment. */
static int check_index(const struct folder *folder, size_t at, const struct segment_header *segment)
{
	struct index_header header;
	struct index index = {0};
	struct topics topics = {0};
	int r = -EBADMSG;
	if (folder->listing.list[at].has_index)
		r = index_read(&header, &index, &topics, folder->io, folder->dir,
			folder->listing.list[at].first_seq);
	if (r == 0 && !index_belongs(&header, segment))
		r = -EBADMSG;
	index_finish(&index);
	topics_finish(&topics);
	return r;
}

static int make_index(struct folder *folder, size_t at, journal_entry_fn entry)
{
	struct topics topics = {0};
	struct journal_report report = {0};
	struct tables tables = {
		.io = folder->io,
		.dir = folder->dir,
		.id = folder->id,
		.entry = entry,
		.listing = &folder->listing,
		.topics = &topics,
		.report = &report,
	};
	int r = tables_load(&tables, at + 1);
	tables_finish(&tables);
	topics_finish(&topics);
	return r < 0 ? r : listing_load(&folder->listing, folder->io, folder->dir);
}

static int keep_index(struct folder *folder, size_t at, journal_entry_fn entry)
{
	struct scan scan = {0};
	uint64_t first_seq = folder->listing.list[at].first_seq;
	int r = open_segment(folder, at, &scan);
	if (r == 0)
		r = check_index(folder, at, &scan.header);
	if (r == -EBADMSG && scan.header.first_seq == first_seq) {
		r = make_index(folder, at, entry);
		if (r == 0)
			r = check_index(folder, at, &scan.header);
	}
	scan_close(&scan);
	if (r == 0) /* its name: a sync of the folder may have failed when it was written */
		r = folder->io->fsync_dir(folder->io->ctx, folder->dir);
	return r;
}

static int prune(struct folder *folder, uint64_t first_seq, const struct journal_place *record,
	journal_entry_fn entry)
{
	const struct io *io = folder->io;
	char name[SEGMENT_NAME_SIZE];
	ssize_t at = listing_find(&folder->listing, first_seq);
	if (at < 0 || folder->listing.list[at].first_seq != first_seq)
		return -ENOENT;
	const struct listing_item *item = &folder->listing.list[at];
	if (!item->has_segment)
		return item->has_note ? io->fsync_dir(io->ctx, folder->dir) : -ENOENT;
	if (folder->is_current && is_last(folder, (size_t)at))
		return -EBUSY;
	int r = keep_index(folder, (size_t)at, entry);
	if (r == 0)
		r = removal_note(io, folder->dir, first_seq, record);
	if (r < 0)
		return r;
	segment_name(name, first_seq, SEGMENT_FILE);
	r = io->unlinkat(io->ctx, folder->dir, name);
	return r < 0 && r != -ENOENT ? r : io->fsync_dir(io->ctx, folder->dir);
}

int journal_prune(const struct io *io, const char *path, const uint8_t id[JOURNAL_ID_SIZE],
	uint64_t first_seq, const struct journal_place *record, journal_entry_fn entry)
{
	struct folder folder;
	int r = open_folder(&folder, io, path, id);
	if (r < 0)
		return r;
	r = prune(&folder, first_seq, record, entry);
	close_folder(&folder);
	return r;
}
