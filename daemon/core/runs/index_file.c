/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_TOPIC "runs"
#include "base/log.h"
#include "core/runs/inside.h"
#include "record/encode.h"
#include "record/keys.h"

/* Entries between two notes of how far the index reaches. */
#define CHECKPOINT_ENTRIES 5000
#define NOTES_BYTES_MAX    (1u << 30) /* over a million runs */

/*
 * A sequence of CBOR maps, each a row, {amend, seq} or {upto}, in order of seq; the end is cut off
 * where it is torn or beyond the journal's head.  They are a cache: without them the journal is
 * read whole.
 */

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
	map_close(&map);
}

static void append_note(struct runs *runs, const struct buffer *note)
{
	if (runs->fd < 0 || note->failed)
		return;
	ssize_t n = write(runs->fd, note->data, note->len);
	if (n != (ssize_t)note->len) {
		log_warn("the run index cannot be kept: %s; the next start takes longer",
			n < 0 ? strerror(errno) : "short write");
		close(runs->fd);
		runs->fd = -1;
	}
}

int runs_put(struct runs *runs, const struct runs_row *row)
{
	int r = runs_set_row(runs, row);
	if (r < 0)
		return r;
	struct buffer note = {0};
	write_row(&note, row);
	append_note(runs, &note);
	buffer_finish(&note);
	return 0;
}

int runs_put_amend(struct runs *runs, const uint8_t run[16], uint64_t seq)
{
	int r = runs_set_amend(runs, run, seq);
	if (r < 0)
		return r;
	struct buffer note = {0};
	struct map map;
	map_open(&map, &note);
	map_bytes(&map, "amend", run, 16);
	map_uint(&map, "seq", seq);
	map_close(&map);
	append_note(runs, &note);
	buffer_finish(&note);
	return 0;
}

void runs_note_upto(struct runs *runs, uint64_t head)
{
	struct buffer note = {0};
	struct map map;
	map_open(&map, &note);
	map_uint(&map, "upto", head);
	map_close(&map);
	append_note(runs, &note);
	buffer_finish(&note);
	runs->noted = head;
}

void runs_checkpoint(struct runs *runs, uint64_t head)
{
	if (head >= runs->noted + CHECKPOINT_ENTRIES)
		runs_note_upto(runs, head);
}

struct note {
	struct runs_row row;
	uint8_t amend[16];
	uint64_t amend_seq; /* 0: it is none */
	uint64_t upto;
};

static const struct keys note_keys = {
	.rows = (const struct key[]){
		{"run", KEY_COPY, KEY_AT(struct note, row.id)},
		{"ctx", KEY_COPY, KEY_AT(struct note, row.ctx)},
		{"number", KEY_CHARS, KEY_AT(struct note, row.number)},
		{"instrument", KEY_CHARS, KEY_AT(struct note, row.instrument)},
		{"topic", KEY_CHARS, KEY_AT(struct note, row.topic)},
		{"sample", KEY_CHARS, KEY_AT(struct note, row.sample)},
		{"operator", KEY_CHARS, KEY_AT(struct note, row.operator)},
		{"status", KEY_CHARS, KEY_AT(struct note, row.status)},
		{"start", KEY_UINT, KEY_AT(struct note, row.start)},
		{"first", KEY_UINT, KEY_AT(struct note, row.first)},
		{"last", KEY_UINT, KEY_AT(struct note, row.last)},
		{"frames", KEY_UINT, KEY_AT(struct note, row.frames)},
		{"sim", KEY_BOOL, KEY_AT(struct note, row.sim)},
		{"amend", KEY_COPY, KEY_AT(struct note, amend)},
		{"seq", KEY_UINT, KEY_AT(struct note, amend_seq)},
		{"upto", KEY_UINT, KEY_AT(struct note, upto)},
		{0},
	}};

static uint64_t reach_of(const struct note *note)
{
	const uint64_t seqs[] = {note->upto, note->row.first, note->row.last, note->amend_seq};
	uint64_t reach = 0;
	for (size_t i = 0; i < sizeof seqs / sizeof *seqs; i++)
		reach = seqs[i] > reach ? seqs[i] : reach;
	return reach;
}

/*
 * Takes one note; false at the torn end, and at what the journal did not keep: its numbers are
 * given again to other entries.
 */
static bool take_note(struct runs *runs, struct reader *r, uint64_t head)
{
	struct note note = {0};
	if (keys_read(r, &note_keys, &note, NULL) < 0)
		return false;
	uint64_t reach = reach_of(&note);
	if (reach > head || (note.row.first > 0 && runs_set_row(runs, &note.row) < 0) ||
		(note.amend_seq > 0 && runs_set_amend(runs, note.amend, note.amend_seq) < 0))
		return false;
	if (reach > runs->noted)
		runs->noted = reach;
	return true;
}

static size_t take_notes(struct runs *runs, const uint8_t *data, size_t len, uint64_t head)
{
	size_t at = 0;
	while (at < len) {
		struct reader r;
		read_init(&r, data + at, len - at);
		if (!take_note(runs, &r, head))
			break;
		at += r.at;
	}
	return at;
}

/* Reads what the notes in `fd` hold; *sound is where the sound part ends. */
static int read_notes(struct runs *runs, int fd, uint64_t head, size_t *sound, size_t *len)
{
	struct stat st;
	*sound = *len = 0;
	if (fstat(fd, &st) < 0)
		return -errno;
	*len = (size_t)st.st_size;
	if (*len == 0 || *len > NOTES_BYTES_MAX)
		return 0; /* too large: made anew */
	uint8_t *data = malloc(*len);
	if (data == NULL)
		return -ENOMEM;
	ssize_t n = pread(fd, data, *len, 0);
	if (n > 0)
		*sound = take_notes(runs, data, (size_t)n, head);
	free(data);
	return n < 0 ? -errno : 0;
}

int runs_open_notes(struct runs *runs, uint64_t head)
{
	char path[PATH_MAX], id[JOURNAL_ID_TEXT];
	if (snprintf(path, sizeof path, "%s/runs", runs->path) >= (int)sizeof path)
		return -ENAMETOOLONG;
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return -errno;
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	journal_id_format(id, runs->id);
	runs->fd = openat(dir, id, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int r = runs->fd < 0 ? -errno : 0;
	close(dir);
	size_t sound, len;
	if (r == 0)
		r = read_notes(runs, runs->fd, head, &sound, &len);
	if (r == 0 && sound < len && ftruncate(runs->fd, (off_t)sound) < 0)
		r = -errno;
	return r;
}
