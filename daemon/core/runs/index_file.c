/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define LOG_TOPIC "runs"
#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/log.h"
#include "core/runs/index_file.h"
#include "record/encode.h"
#include "record/keys.h"

#define INDEX_BYTES_MAX (1u << 30) /* over a million runs */
#define CRC_BYTES       4

static void write_row(struct buffer *to, const struct runs_row *row)
{
	struct map map;
	map_open(&map, to);
	map_bytes(&map, "run", row->id, sizeof row->id);
	map_bytes(&map, "ctx", row->ctx, sizeof row->ctx);
	map_text(&map, "number", row->number);
	map_text(&map, "instrument", row->instrument);
	map_text(&map, "topic", row->topic);
	map_text(&map, "sample", row->sample);
	map_text(&map, "operator", row->operator);
	map_text(&map, "status", row->status);
	map_uint(&map, "start", row->start);
	map_uint(&map, "first", row->first);
	map_uint(&map, "last", row->last);
	map_uint(&map, "frames", row->frames);
	map_bool(&map, "sim", row->sim);
	if (row->quality != 0)
		map_uint(&map, "quality", row->quality);
	if (taken_is_file(&row->file))
		map_bytes(&map, "file", &row->file, sizeof row->file);
	map_close(&map);
}

/* Takes the note. */
static void append(struct index_file *file, struct buffer *note)
{
	uint8_t crc[CRC_BYTES];
	put_le32(crc, crc32c(file->seed, note->data, note->len));
	struct iovec iov[] = {{crc, sizeof crc}, {note->data, note->len}};
	ssize_t n = file->fd < 0 || note->failed ? 0 : writev(file->fd, iov, 2);
	if (file->fd >= 0 && n != (ssize_t)(sizeof crc + note->len)) {
		log_warn("cannot write the run index: %s; the next start takes longer",
			n < 0 ? strerror(errno) : "short write");
		index_file_close(file);
	}
	buffer_finish(note);
}

void index_file_put_row(struct index_file *file, const struct runs_row *row)
{
	struct buffer note = {0};
	write_row(&note, row);
	append(file, &note);
}

void index_file_put_amend(struct index_file *file, const uint8_t run[16], uint64_t seq)
{
	struct buffer note = {0};
	struct map map;
	map_open(&map, &note);
	map_bytes(&map, "amend", run, 16);
	map_uint(&map, "seq", seq);
	map_close(&map);
	append(file, &note);
}

void index_file_put_reach(struct index_file *file, uint64_t head)
{
	struct buffer note = {0};
	struct map map;
	map_open(&map, &note);
	map_uint(&map, "upto", head);
	map_close(&map);
	append(file, &note);
	file->reach = head;
}

static const struct keys note_keys = {
	.rows = (const struct key[]){
		{"run", KEY_COPY, KEY_AT(struct index_note, row.id)},
		{"ctx", KEY_COPY, KEY_AT(struct index_note, row.ctx)},
		{"number", KEY_CHARS, KEY_AT(struct index_note, row.number)},
		{"instrument", KEY_CHARS, KEY_AT(struct index_note, row.instrument)},
		{"topic", KEY_CHARS, KEY_AT(struct index_note, row.topic)},
		{"sample", KEY_CHARS, KEY_AT(struct index_note, row.sample)},
		{"operator", KEY_CHARS, KEY_AT(struct index_note, row.operator)},
		{"status", KEY_CHARS, KEY_AT(struct index_note, row.status)},
		{"start", KEY_UINT, KEY_AT(struct index_note, row.start)},
		{"first", KEY_UINT, KEY_AT(struct index_note, row.first)},
		{"last", KEY_UINT, KEY_AT(struct index_note, row.last)},
		{"frames", KEY_UINT, KEY_AT(struct index_note, row.frames)},
		{"sim", KEY_BOOL, KEY_AT(struct index_note, row.sim)},
		{"quality", KEY_UINT, KEY_AT(struct index_note, row.quality)},
		{"file", KEY_COPY, KEY_AT(struct index_note, row.file)},
		{"amend", KEY_COPY, KEY_AT(struct index_note, amend)},
		{"seq", KEY_UINT, KEY_AT(struct index_note, amend_seq)},
		{"upto", KEY_UINT, KEY_AT(struct index_note, upto)},
		{0},
	}};

static uint64_t reach_of(const struct index_note *note)
{
	const uint64_t seqs[] = {note->upto, note->row.first, note->row.last, note->amend_seq};
	uint64_t reach = 0;
	for (size_t i = 0; i < sizeof seqs / sizeof *seqs; i++)
		reach = seqs[i] > reach ? seqs[i] : reach;
	return reach;
}

/*
 * Passes on the notes up to seq `head`; returns where the sound part ends.  Beyond `head` are
 * entries that the journal did not keep: their numbers are given again to others.
 */
static size_t take_notes(struct index_file *file, const uint8_t *data, size_t len, uint64_t head,
	int (*take)(void *arg, const struct index_note *note), void *arg)
{
	size_t at = 0;
	while (at < len) {
		struct reader r;
		struct index_note note = {0};
		if (len - at < CRC_BYTES)
			break;
		const uint8_t *map = data + at + CRC_BYTES;
		read_init(&r, map, len - at - CRC_BYTES);
		if (keys_read(&r, &note_keys, &note, NULL) < 0 ||
			get_le32(data + at) != crc32c(file->seed, map, r.at))
			break;
		uint64_t reach = reach_of(&note);
		if (reach > head || take(arg, &note) < 0)
			break;
		file->reach = reach > file->reach ? reach : file->reach;
		at += CRC_BYTES + r.at;
	}
	return at;
}

/* Reads the notes and cuts off the torn end; a file that is too large is written again. */
static int load(struct index_file *file, uint64_t head,
	int (*take)(void *arg, const struct index_note *note), void *arg)
{
	struct stat st;
	size_t sound = 0;
	if (fstat(file->fd, &st) < 0)
		return -errno;
	size_t len = (size_t)st.st_size;
	if (len > 0 && len <= INDEX_BYTES_MAX) {
		uint8_t *data = malloc(len);
		if (data == NULL)
			return -ENOMEM;
		ssize_t n = pread(file->fd, data, len, 0);
		int r = n < 0 ? -errno : 0;
		if (n > 0)
			sound = take_notes(file, data, (size_t)n, head, take, arg);
		free(data);
		if (r < 0)
			return r;
	}
	return sound < len && ftruncate(file->fd, (off_t)sound) < 0 ? -errno : 0;
}

int index_file_open(struct index_file *file, const char *journal, const uint8_t id[JOURNAL_ID_SIZE],
	uint64_t head, int (*take)(void *arg, const struct index_note *note), void *arg)
{
	char path[PATH_MAX], name[JOURNAL_ID_TEXT];
	*file = (struct index_file){.fd = -1, .seed = crc32c(0, id, JOURNAL_ID_SIZE)};
	if (snprintf(path, sizeof path, "%s/runs", journal) >= (int)sizeof path)
		return -ENAMETOOLONG;
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	journal_id_format(name, id);
	file->fd = openat(
		dir, name, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	struct stat st = {0};
	int r = file->fd < 0 || fstat(file->fd, &st) < 0 ? -errno : 0;
	if (r == 0 && !S_ISREG(st.st_mode))
		r = -EBADMSG;
	close(dir);
	return r < 0 ? r : load(file, head, take, arg);
}

void index_file_close(struct index_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}
