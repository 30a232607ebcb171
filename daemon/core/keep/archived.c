/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_TOPIC "archived"
#include "base/log.h"
#include "core/keep/archived.h"
#include "record/encode.h"
#include "record/keys.h"

#define NOTES_BYTES_MAX (64u << 20)

struct archived {
	char path[PATH_MAX]; /* the journal's */
	struct archived_segment *list;
	size_t count, size;
};

/* --- in memory ------------------------------------------------------------------------------- */

static int add(struct archived *archived, const struct archived_segment *segment)
{
	if (archived->count == archived->size) {
		size_t size = archived->size == 0 ? 64 : 2 * archived->size;
		struct archived_segment *list = realloc(archived->list, size * sizeof *list);
		if (list == NULL)
			return -ENOMEM;
		archived->list = list;
		archived->size = size;
	}
	archived->list[archived->count++] = *segment;
	return 0;
}

const struct archived_segment *archived_find(
	const struct archived *archived, const uint8_t journal[JOURNAL_ID_SIZE], uint64_t first)
{
	for (size_t i = archived->count; i > 0; i--) { /* the latest confirmation counts */
		const struct archived_segment *segment = &archived->list[i - 1];
		if (segment->first == first &&
			memcmp(segment->journal, journal, JOURNAL_ID_SIZE) == 0)
			return segment;
	}
	return NULL;
}

/* --- reading --------------------------------------------------------------------------------- */

static const struct keys note_keys = {.open = true,
	.rows = (const struct key[]){
		{"first", KEY_UINT, KEY_AT(struct archived_segment, first)},
		{"last", KEY_UINT, KEY_AT(struct archived_segment, last)},
		{"sha256", KEY_COPY, KEY_AT(struct archived_segment, sha256), .required = true},
		{0},
	}};

static bool take_note(struct archived *archived, struct reader *r, const uint8_t *journal)
{
	struct archived_segment segment = {0};
	memcpy(segment.journal, journal, sizeof segment.journal);
	return keys_read(r, &note_keys, &segment, NULL) == 0 && segment.first > 0 &&
	       segment.last >= segment.first && add(archived, &segment) == 0;
}

size_t archived_take(struct archived *archived, const uint8_t journal[JOURNAL_ID_SIZE],
	const uint8_t *data, size_t len)
{
	size_t at = 0;
	while (at < len) {
		struct reader r;
		read_init(&r, data + at, len - at);
		if (!take_note(archived, &r, journal))
			break;
		at += r.at;
	}
	return at;
}

/* Cuts off a torn note before more is written: notes behind it could not be found again. */
static int take_file(struct archived *archived, int fd, const uint8_t *journal)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;
	if (st.st_size == 0 || st.st_size > NOTES_BYTES_MAX)
		return st.st_size == 0 ? 0 : -EFBIG;
	size_t len = (size_t)st.st_size, sound = 0;
	uint8_t *data = malloc(len);
	if (data == NULL)
		return -ENOMEM;
	ssize_t n = pread(fd, data, len, 0);
	int r = n < 0 ? -errno : 0;
	if (n > 0)
		sound = archived_take(archived, journal, data, (size_t)n);
	free(data);
	if (r == 0 && sound < len && ftruncate(fd, (off_t)sound) < 0)
		r = -errno;
	return r;
}

static int take_named(struct archived *archived, int dir, const char *name)
{
	uint8_t journal[JOURNAL_ID_SIZE];
	if (journal_id_parse(journal, name) < 0)
		return 0;
	int fd = openat(dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	int r = take_file(archived, fd, journal);
	close(fd);
	if (r < 0)
		log_error("archived/%s: %s", name, strerror(-r));
	return r;
}

static int take_all(struct archived *archived)
{
	char path[PATH_MAX];
	if (snprintf(path, sizeof path, "%s/archived", archived->path) >= (int)sizeof path)
		return -ENAMETOOLONG;
	DIR *dir = opendir(path);
	if (dir == NULL)
		return errno == ENOENT ? 0 : -errno;
	int r = 0;
	for (struct dirent *e; r == 0 && (e = readdir(dir)) != NULL;)
		r = take_named(archived, dirfd(dir), e->d_name);
	closedir(dir);
	return r;
}

int archived_open(struct archived **out, const char *path)
{
	struct archived *archived = calloc(1, sizeof *archived);
	if (archived == NULL)
		return -ENOMEM;
	snprintf(archived->path, sizeof archived->path, "%s", path);
	int r = take_all(archived);
	if (r < 0)
		archived_close(archived);
	else
		*out = archived;
	return r;
}

void archived_close(struct archived *archived)
{
	if (archived == NULL)
		return;
	free(archived->list);
	free(archived);
}

/* --- writing --------------------------------------------------------------------------------- */

static void write_note(
	struct buffer *to, const struct archived_segment *segment, const char *where, uint64_t utc)
{
	struct map map;
	map_open(&map, to);
	map_uint(&map, "first", segment->first);
	map_uint(&map, "last", segment->last);
	map_bytes(&map, "sha256", segment->sha256, sizeof segment->sha256);
	map_text(&map, "to", where);
	map_uint(&map, "utc", utc);
	map_close(&map);
}

/* All of it is durable, or the file is as long as it was. */
static int append_durably(int fd, const struct buffer *notes)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -errno;
	ssize_t n = write(fd, notes->data, notes->len);
	int r = n < 0 ? -errno : (size_t)n < notes->len ? -ENOSPC : 0;
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r < 0 && ftruncate(fd, st.st_size) < 0)
		log_error("archived: a torn note stays: %s", strerror(errno));
	return r;
}

static int make_folder(const struct archived *archived)
{
	int base = io_posix.openat(io_posix.ctx, IO_CWD, archived->path, O_RDONLY | O_DIRECTORY);
	if (base < 0)
		return base;
	int dir = io_open_dir(&io_posix, base, "archived");
	io_posix.close(io_posix.ctx, base);
	return dir;
}

static int append_notes(
	const struct archived *archived, const uint8_t *journal, const struct buffer *notes)
{
	char id[JOURNAL_ID_TEXT];
	int dir = make_folder(archived);
	if (dir < 0)
		return dir;
	journal_id_format(id, journal);
	int fd = openat(
		dir, id, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	int r = fd < 0 ? -errno : append_durably(fd, notes);
	if (fd >= 0)
		close(fd);
	if (r == 0 && fsync(dir) < 0)
		r = -errno;
	close(dir);
	return r;
}

int archived_add(struct archived *archived, const struct archived_segment *segments, size_t count,
	const char *to, uint64_t utc)
{
	struct buffer notes = {0};
	for (size_t i = 0; i < count; i++)
		write_note(&notes, &segments[i], to, utc);
	int r = notes.failed ? -ENOMEM : 0;
	if (r == 0 && count > 0)
		r = append_notes(archived, segments[0].journal, &notes);
	buffer_finish(&notes);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = add(archived, &segments[i]);
	return r;
}
