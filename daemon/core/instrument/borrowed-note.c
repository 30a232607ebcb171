/* SPDX-License-Identifier: Apache-2.0 */
/* The notes of borrowed settings on the disk. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_TOPIC "borrowed"
#include "base/log.h"
#include "core/instrument/borrowed.h"
#include "journal/io.h"
#include "record/encode.h"
#include "record/keys.h"
#include "record/text.h"

#define FOLDER   "borrowed"
#define NOTE_MAX (1u << 20)

/* A note to be written; without bytes: to be removed. */
struct note_to_write {
	struct list link;
	char instrument[33];
	struct buffer bytes;
};

void borrowed_notes_init(struct borrowed_notes *notes, const char *journal)
{
	notes->journal = journal;
	pthread_mutex_init(&notes->lock, NULL);
	list_init(&notes->pending);
}

static void destroy(struct note_to_write *pending)
{
	list_remove(&pending->link);
	buffer_finish(&pending->bytes);
	free(pending);
}

void borrowed_notes_finish(struct borrowed_notes *notes)
{
	struct note_to_write *pending;
	if (notes->journal == NULL)
		return;
	list_for_each(pending, &notes->pending, link) destroy(pending);
	pthread_mutex_destroy(&notes->lock);
}

/* Lock held.  The last one of the instrument; NULL: none is pending. */
static struct note_to_write *find(struct borrowed_notes *notes, const char *instrument)
{
	struct note_to_write *pending, *last = NULL;
	list_for_each(pending, &notes->pending, link)
	{
		if (strcmp(pending->instrument, instrument) == 0)
			last = pending;
	}
	return last;
}

bool borrowed_is_saved(struct borrowed_notes *notes, const char *instrument)
{
	pthread_mutex_lock(&notes->lock);
	bool saved = find(notes, instrument) == NULL;
	pthread_mutex_unlock(&notes->lock);
	return saved;
}

bool borrowed_is_due(
	struct borrowed_notes *notes, const char *instrument, const struct borrowed *borrowed)
{
	return borrowed->found.len > 0 && !borrowed_is_saved(notes, instrument);
}

/* --- writing --------------------------------------------------------------------------------- */

int borrowed_save(struct borrowed_notes *notes, const char *instrument, const char *driver,
	const struct borrowed *borrowed)
{
	struct note_to_write *pending = calloc(1, sizeof *pending);
	struct map map;
	if (pending == NULL)
		return -ENOMEM;
	snprintf(pending->instrument, sizeof pending->instrument, "%s", instrument);
	if (borrowed->found.len > 0) {
		map_open(&map, &pending->bytes);
		map_text(&map, "driver", driver);
		map_text(&map, "serial", borrowed->serial);
		map_key(&map, "found");
		encode_raw(&pending->bytes, borrowed->found.data, borrowed->found.len);
		map_close(&map);
	}
	if (pending->bytes.failed) {
		free(pending);
		return -ENOMEM;
	}
	pthread_mutex_lock(&notes->lock);
	list_append(&notes->pending, &pending->link);
	pthread_mutex_unlock(&notes->lock);
	return 0;
}

static int write_note(const struct io *io, int dir, const struct note_to_write *pending)
{
	if (pending->bytes.len > 0)
		return io_replace(
			io, dir, pending->instrument, pending->bytes.data, pending->bytes.len);
	int r = io->unlinkat(io->ctx, dir, pending->instrument);
	return r == 0 || r == -ENOENT ? io->fsync_dir(io->ctx, dir) : r;
}

static int open_folder(const struct io *io, const char *journal)
{
	int base = io->openat(io->ctx, IO_CWD, journal, O_RDONLY | O_DIRECTORY);
	int dir = base < 0 ? base : io_open_dir(io, base, FOLDER);
	if (base >= 0)
		io->close(io->ctx, base);
	return dir;
}

/* Only this thread removes from the list, and only the main thread appends. */
void borrowed_sync(struct borrowed_notes *notes)
{
	const struct io *io = &io_posix;
	struct note_to_write *first;
	int dir = -EBADF, r = 0;
	for (;;) {
		pthread_mutex_lock(&notes->lock);
		first = list_is_empty(&notes->pending)
				? NULL
				: list_item(notes->pending.next, struct note_to_write, link);
		pthread_mutex_unlock(&notes->lock);
		if (first == NULL)
			break;
		if (dir < 0)
			dir = open_folder(io, notes->journal);
		r = dir < 0 ? dir : write_note(io, dir, first);
		if (r < 0)
			break;
		pthread_mutex_lock(&notes->lock);
		destroy(first);
		pthread_mutex_unlock(&notes->lock);
	}
	if (r < 0)
		log_error("cannot note the settings of %s: %s", first->instrument, strerror(-r));
	if (dir >= 0)
		io->close(io->ctx, dir);
}

/* --- reading --------------------------------------------------------------------------------- */

struct note {
	struct assay_string driver, serial;
	struct assay_span found;
};

static const struct keys note_keys = {.open = true,
	.rows = (const struct key[]){
		{"driver", KEY_TEXT, KEY_AT(struct note, driver), .required = true},
		{"serial", KEY_TEXT, KEY_AT(struct note, serial), .required = true},
		{"found", KEY_RAW_MAP, KEY_AT(struct note, found), .required = true},
		{0},
	}};

static int read_file(const char *journal, const char *instrument, struct buffer *bytes)
{
	const struct io *io = &io_posix;
	char path[4096];
	uint64_t size = 0;
	snprintf(path, sizeof path, "%s/" FOLDER "/%s", journal, instrument);
	int fd = io->openat(io->ctx, IO_CWD, path, O_RDONLY);
	if (fd < 0)
		return fd;
	int r = io->size(io->ctx, fd, &size);
	if (r == 0 && size > NOTE_MAX)
		r = -EFBIG;
	uint8_t *room = r == 0 ? buffer_reserve(bytes, size) : NULL;
	if (r == 0 && room == NULL)
		r = -ENOMEM;
	ssize_t n = r == 0 ? io->pread(io->ctx, fd, room, size, 0) : r;
	io->close(io->ctx, fd);
	bytes->len = n > 0 ? (size_t)n : 0;
	return n < 0 ? (int)n : 0;
}

static int read_note(struct borrowed_notes *notes, const char *instrument, struct buffer *bytes)
{
	pthread_mutex_lock(&notes->lock);
	const struct note_to_write *pending = find(notes, instrument);
	if (pending != NULL)
		buffer_append(bytes, pending->bytes.data, pending->bytes.len);
	pthread_mutex_unlock(&notes->lock);
	return pending == NULL ? read_file(notes->journal, instrument, bytes)
	       : bytes->failed ? -ENOMEM
			       : 0;
}

void borrowed_load(struct borrowed_notes *notes, const char *instrument, const char *driver,
	const char *serial, struct borrowed *borrowed)
{
	struct buffer bytes = {0};
	struct note note = {0};
	borrowed_finish(borrowed);
	text_copy(borrowed->serial, sizeof borrowed->serial, string_of(serial));
	int r = read_note(notes, instrument, &bytes);
	if (r == 0 && bytes.len > 0)
		r = keys_decode(&note_keys, bytes.data, bytes.len, &note);
	if (r < 0 && r != -ENOENT)
		log_error("the settings noted of %s cannot be read: %s", instrument, strerror(-r));
	bool is_of_this_unit = r == 0 && assay_string_is(note.driver, driver) &&
			       assay_string_is(note.serial, borrowed->serial);
	if (is_of_this_unit)
		buffer_append(&borrowed->found, note.found.data, note.found.len);
	else if (r == 0 && bytes.len > 0)
		log_warn("settings of the unit %.*s are noted for %s, and its unit is %s: they are "
			 "not put back",
			(int)note.serial.len, note.serial.data, instrument, serial);
	buffer_finish(&bytes);
}
