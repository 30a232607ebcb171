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
#include "record/read.h"

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

static int take_text(struct reader *r, char *to, size_t size)
{
	struct assay_string text;
	if (read_text(r, &text) < 0)
		return -EBADMSG;
	if (text.len >= size)
		return read_fail(r, r->at, "the text is too long");
	memcpy(to, text.data, text.len);
	to[text.len] = '\0';
	return 0;
}

static int take_id(struct reader *r, uint8_t *id, size_t len)
{
	const uint8_t *data;
	if (read_fixed(r, len, &data) < 0)
		return -EBADMSG;
	memcpy(id, data, len);
	return 0;
}

struct note {
	struct runs_row row;
	uint8_t amend[16];
	uint64_t amend_seq; /* 0: it is none */
	uint64_t upto;
};

static int read_pair(struct reader *r, struct assay_string key, struct note *note)
{
	struct runs_row *row = &note->row;
	const struct {
		const char *key;
		char *to;
		size_t size;
	} texts[] = {{"number", row->number, sizeof row->number},
		{"instrument", row->instrument, sizeof row->instrument},
		{"topic", row->topic, sizeof row->topic},
		{"sample", row->sample, sizeof row->sample},
		{"operator", row->operator, sizeof row->operator},
			{"status", row->status, sizeof row->status}};
	const struct {
		const char *key;
		uint64_t *to;
	} numbers[] = {{"start", &row->start}, {"first", &row->first}, {"last", &row->last},
		{"frames", &row->frames}, {"upto", &note->upto}, {"seq", &note->amend_seq}};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (assay_string_is(key, texts[i].key))
			return take_text(r, texts[i].to, texts[i].size);
	}
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		if (assay_string_is(key, numbers[i].key))
			return read_uint(r, numbers[i].to);
	}
	const struct {
		const char *key;
		uint8_t *to;
		size_t len;
	} ids[] = {{"run", row->id, 16}, {"ctx", row->ctx, 32}, {"amend", note->amend, 16}};
	for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
		if (assay_string_is(key, ids[i].key))
			return take_id(r, ids[i].to, ids[i].len);
	}
	if (assay_string_is(key, "sim"))
		return read_bool(r, &row->sim);
	return read_fail(r, r->at, "an unknown key");
}

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
	struct assay_string key;
	size_t pairs;
	if (read_map(r, &pairs) < 0)
		return false;
	for (; pairs > 0; pairs--) {
		if (read_key(r, &key) < 0 || read_pair(r, key, &note) < 0)
			return false;
	}
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
