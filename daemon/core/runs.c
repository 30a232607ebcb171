/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOG_TOPIC "runs"
#include "base/clock.h"
#include "base/log.h"
#include "core/runs.h"
#include "journal/reader.h"
#include "record/digest.h"
#include "record/encode.h"
#include "record/entry.h"
#include "record/read.h"

/* Entries between two notes of how far the index reaches. */
#define CHECKPOINT_ENTRIES 5000
#define NOTES_BYTES_MAX    (64u << 20)

struct runs {
	struct runs_row *rows;
	size_t count, size;
	struct runs *older; /* the rows of all former journals; NULL: none */
	char path[PATH_MAX];
	uint8_t id[JOURNAL_ID_SIZE];
	uint64_t head;  /* seq that loading reached */
	uint64_t noted; /* everything up to here is in the notes */
	int fd;         /* the notes; -1: none */
};

/* --- rows in memory -------------------------------------------------------------------------- */

static struct runs_row *find_id(const struct runs *runs, const uint8_t *id)
{
	for (size_t i = runs->count; i > 0; i--) { /* the newest is what is looked for most */
		if (memcmp(runs->rows[i - 1].id, id, sizeof runs->rows[i - 1].id) == 0)
			return &runs->rows[i - 1];
	}
	return NULL;
}

static int set_row(struct runs *runs, const struct runs_row *row)
{
	struct runs_row *have = find_id(runs, row->id);
	if (have != NULL) {
		*have = *row;
		return 0;
	}
	if (runs->count == runs->size) {
		size_t size = runs->size != 0 ? runs->size * 2 : 64;
		struct runs_row *rows = realloc(runs->rows, size * sizeof *rows);
		if (rows == NULL)
			return -ENOMEM;
		runs->rows = rows;
		runs->size = size;
	}
	runs->rows[runs->count++] = *row;
	return 0;
}

const struct runs_row *runs_find_id(const struct runs *runs, const uint8_t id[16])
{
	return find_id(runs, id);
}

const struct runs_row *runs_find_number(const struct runs *runs, const char *number)
{
	for (size_t i = runs->count; i > 0; i--) {
		if (strcmp(runs->rows[i - 1].number, number) == 0)
			return &runs->rows[i - 1];
	}
	return NULL;
}

size_t runs_count(const struct runs *runs)
{
	return runs->count;
}

const struct runs_row *runs_at(const struct runs *runs, size_t i)
{
	return &runs->rows[i];
}

uint64_t runs_head(const struct runs *runs)
{
	return runs->head;
}

/* The highest number that begins with this prefix; 0: none. */
static unsigned last_number(const struct runs *runs, const char *prefix, size_t len)
{
	unsigned last = 0;
	for (size_t i = runs->count; i > 0; i--) {
		const char *have = runs->rows[i - 1].number;
		if (strncmp(have, prefix, len) != 0)
			continue;
		unsigned long n = strtoul(have + len, NULL, 10);
		if (n > last && n < UINT_MAX)
			last = (unsigned)n;
	}
	return last;
}

void runs_next_number(const struct runs *runs, const char *node, const char *instrument,
	uint64_t utc, char number[RUN_NUMBER_MAX + 1])
{
	struct tm day;
	time_t seconds = (time_t)(utc / NS_PER_S);
	gmtime_r(&seconds, &day);
	char prefix[RUN_NUMBER_MAX - 11];
	int len = snprintf(prefix, sizeof prefix, "%s/%s/%04d%02d%02d-", node, instrument,
		day.tm_year + 1900, day.tm_mon + 1, day.tm_mday);
	unsigned last = last_number(runs, prefix, (size_t)len);
	unsigned older = runs->older != NULL ? last_number(runs->older, prefix, (size_t)len) : 0;
	last = older > last ? older : last;
	snprintf(number, RUN_NUMBER_MAX + 1, "%s%03u", prefix, last + 1);
}

/* --- the notes -------------------------------------------------------------------------------
 *
 * A sequence of CBOR maps, each a row or {upto}, in order of seq; the end is cut off where it is
 * torn or beyond the journal's head.  They are a cache: without them the journal is read whole.
 */

static void write_row(struct buffer *to, const struct runs_row *row)
{
	struct map map;
	map_open(&map, to);
	map_bytes(&map, "run", row->id, sizeof row->id);
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
	int r = set_row(runs, row);
	if (r < 0)
		return r;
	struct buffer note = {0};
	write_row(&note, row);
	append_note(runs, &note);
	buffer_finish(&note);
	return 0;
}

void runs_checkpoint(struct runs *runs, uint64_t head)
{
	if (head < runs->noted + CHECKPOINT_ENTRIES)
		return;
	struct buffer note = {0};
	struct map map;
	map_open(&map, &note);
	map_uint(&map, "upto", head);
	map_close(&map);
	append_note(runs, &note);
	buffer_finish(&note);
	runs->noted = head;
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

static int take_id(struct reader *r, uint8_t id[16])
{
	const uint8_t *data;
	if (read_fixed(r, 16, &data) < 0)
		return -EBADMSG;
	memcpy(id, data, 16);
	return 0;
}

static int read_pair(
	struct reader *r, struct assay_string key, struct runs_row *row, uint64_t *upto)
{
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
		{"frames", &row->frames}, {"upto", upto}};
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		if (assay_string_is(key, texts[i].key))
			return take_text(r, texts[i].to, texts[i].size);
	}
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		if (assay_string_is(key, numbers[i].key))
			return read_uint(r, numbers[i].to);
	}
	if (assay_string_is(key, "run"))
		return take_id(r, row->id);
	if (assay_string_is(key, "sim"))
		return read_bool(r, &row->sim);
	return read_fail(r, r->at, "an unknown key");
}

/*
 * Takes one note; false at the torn end, and at what the journal did not keep: its numbers are
 * given again to other entries.
 */
static bool take_note(struct runs *runs, struct reader *r, uint64_t head)
{
	struct runs_row row = {0};
	struct assay_string key;
	uint64_t upto = 0;
	size_t pairs;
	if (read_map(r, &pairs) < 0)
		return false;
	for (; pairs > 0; pairs--) {
		if (read_key(r, &key) < 0 || read_pair(r, key, &row, &upto) < 0)
			return false;
	}
	uint64_t reach = upto;
	reach = row.first > reach ? row.first : reach;
	reach = row.last > reach ? row.last : reach;
	if (reach > head || (row.first > 0 && set_row(runs, &row) < 0))
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

/* A number that people cite is given once, whichever journal the run is in. */
static int load_older(struct runs *runs, int dir_fd, const char *current)
{
	DIR *dir = fdopendir(dup(dir_fd));
	if (dir == NULL)
		return -errno;
	runs->older = calloc(1, sizeof *runs->older);
	int r = runs->older != NULL ? 0 : -ENOMEM;
	for (struct dirent *e; r == 0 && (e = readdir(dir)) != NULL;) {
		uint8_t id[JOURNAL_ID_SIZE];
		size_t sound, len;
		if (strcmp(e->d_name, current) == 0 || journal_id_parse(id, e->d_name) < 0)
			continue;
		int fd = openat(dir_fd, e->d_name, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		r = read_notes(runs->older, fd, UINT64_MAX, &sound, &len);
		close(fd);
	}
	closedir(dir);
	return r;
}

static int open_notes(struct runs *runs, uint64_t head)
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
	int r = load_older(runs, dir, id);
	runs->fd = openat(dir, id, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (r == 0 && runs->fd < 0)
		r = -errno;
	close(dir);
	size_t sound, len;
	if (r == 0)
		r = read_notes(runs, runs->fd, head, &sound, &len);
	if (r == 0 && sound < len && ftruncate(runs->fd, (off_t)sound) < 0)
		r = -errno;
	return r;
}

/* --- the journal ----------------------------------------------------------------------------- */

static bool is_data_topic(void *arg, const char *topic, size_t len)
{
	return (len > 8 && memcmp(topic, "a1/data/", 8) == 0) ||
	       (len > 12 && memcmp(topic, "a1/sim-data/", 12) == 0);
}

static void copy(char *to, size_t size, struct assay_string text)
{
	size_t len = text.len < size - 1 ? text.len : size - 1;
	if (len > 0)
		memcpy(to, text.data, len);
	to[len] = '\0';
}

static int take_start(struct runs *runs, const struct assay_entry_view *entry,
	const struct assay_record_view *record)
{
	struct runs_row row = {.start = record->t.utc, .first = entry->seq, .sim = record->sim};
	memcpy(row.id, record->run, sizeof row.id);
	copy(row.number, sizeof row.number, record->number);
	copy(row.instrument, sizeof row.instrument, record->inst.key);
	copy(row.topic, sizeof row.topic, entry->topic);
	copy(row.sample, sizeof row.sample, record->sample);
	copy(row.operator, sizeof row.operator, record->person);
	return runs_put(runs, &row);
}

static int take_entry(struct runs *runs, const struct journal_found *found)
{
	struct assay_entry_view entry;
	struct assay_record_view record;
	if (assay_entry_read(found->bytes, found->len, &entry) < 0 ||
		assay_record_read(entry.body.data, entry.body.len, &record) < 0)
		return 0; /* kept, but not ours to read */
	if (record.type == ASSAY_RECORD_RUN_START)
		return take_start(runs, &entry, &record);
	if (record.type != ASSAY_RECORD_RUN_END)
		return 0;
	const struct runs_row *have = find_id(runs, record.run);
	if (have == NULL)
		return 0;
	struct runs_row row = *have;
	row.last = entry.seq;
	row.frames = record.frames;
	copy(row.status, sizeof row.status, record.status);
	return runs_put(runs, &row);
}

static int entry_topic(const uint8_t *bytes, size_t len, const char **topic, size_t *topic_len,
	uint64_t *seq, uint64_t *tc)
{
	struct assay_entry_view entry;
	if (assay_entry_read(bytes, len, &entry) < 0)
		return -EBADMSG;
	*topic = entry.topic.data;
	*topic_len = entry.topic.len;
	*seq = entry.seq;
	*tc = entry.tc;
	return 0;
}

static int open_reader(const struct runs *runs, struct journal_reader **reader)
{
	return journal_reader_open(reader, &io_posix, runs->path, runs->id, entry_topic);
}

static int scan_journal(struct runs *runs, uint64_t head)
{
	struct journal_reader *reader;
	struct journal_found found;
	if (runs->noted >= head)
		return 0;
	int r = open_reader(runs, &reader);
	if (r < 0)
		return r;
	journal_reader_filter(reader, is_data_topic, NULL);
	journal_reader_seek(reader, runs->noted + 1);
	while ((r = journal_reader_next(reader, head, &found)) > 0) {
		if (found.kind == JOURNAL_ENTRY && (r = take_entry(runs, &found)) < 0)
			break;
	}
	journal_reader_close(reader);
	return r;
}

int runs_load(struct runs **out, const char *path, const uint8_t *id, uint64_t head)
{
	struct runs *runs = calloc(1, sizeof *runs);
	if (runs == NULL)
		return -ENOMEM;
	runs->fd = -1;
	runs->head = head;
	snprintf(runs->path, sizeof runs->path, "%s", path);
	memcpy(runs->id, id, sizeof runs->id);
	int r = open_notes(runs, head);
	if (r == 0)
		r = scan_journal(runs, head);
	if (r < 0) {
		runs_destroy(runs);
		return r;
	}
	*out = runs;
	return 0;
}

void runs_destroy(struct runs *runs)
{
	if (runs == NULL)
		return;
	if (runs->fd >= 0)
		close(runs->fd);
	if (runs->older != NULL)
		free(runs->older->rows);
	free(runs->older);
	free(runs->rows);
	free(runs);
}

static bool is_row_topic(void *arg, const char *topic, size_t len)
{
	const struct runs_row *row = arg;
	return strlen(row->topic) == len && memcmp(row->topic, topic, len) == 0;
}

static int add_leaf(struct digest *digest, const struct journal_found *found,
	const struct runs_row *row, uint64_t *frames)
{
	struct assay_entry_view entry;
	struct assay_record_view record;
	uint8_t leaf[ASSAY_SHA256_SIZE];
	if (assay_entry_read(found->bytes, found->len, &entry) < 0 ||
		assay_record_read(entry.body.data, entry.body.len, &record) < 0 ||
		record.type != ASSAY_RECORD_FRAME ||
		memcmp(record.run, row->id, sizeof row->id) != 0)
		return 0;
	int r = entry_leaf_hash(found->bytes, found->len, leaf);
	digest_update(digest, leaf, sizeof leaf);
	++*frames;
	return r;
}

int runs_digest(const struct runs *runs, const struct runs_row *row, uint64_t head,
	uint64_t *frames, uint8_t digest[32])
{
	struct journal_reader *reader;
	struct journal_found found;
	struct digest running = {0};
	*frames = 0;
	int r = open_reader(runs, &reader);
	if (r < 0)
		return r;
	r = digest_init(&running);
	journal_reader_filter(reader, is_row_topic, (void *)row);
	journal_reader_seek(reader, row->first);
	while (r == 0 && (r = journal_reader_next(reader, head, &found)) > 0)
		r = found.kind == JOURNAL_ENTRY ? add_leaf(&running, &found, row, frames) : 0;
	journal_reader_close(reader);
	if (r == 0)
		digest_final(&running, digest);
	digest_finish(&running);
	return r;
}
