/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define LOG_TOPIC "cursors"
#include "base/buffer.h"
#include "base/crc32c.h"
#include "base/log.h"
#include "core/replay/cursors.h"
#include "core/commit/published.h"
#include "base/bytes.h"
#include "journal/folder.h"
#include "journal/reader.h"
#include "record/encode.h"
#include "record/entry.h"
#include "record/keys.h"
#include "record/topic.h"

#define FILE_BYTES_MAX (512u << 10)
#define FILE_VERSION   1

struct cursor {
	char name[CURSOR_NAME_MAX + 1];
	bool is_damaged;
	struct cursor_mark *marks; /* as on the disk */
	size_t count;
	struct cursor_mark *moved; /* as they are to be; NULL: the same */
	size_t moved_count;
};

struct cursors {
	struct published *published;
	char *path;
	int dir;
	pthread_mutex_t disk; /* held while files change; taken before `lock` */
	pthread_mutex_t lock; /* of the list */
	struct cursor *list;
	size_t count, size;
};

/* --- the list -------------------------------------------------------------------------------- */

static struct cursor *find(const struct cursors *c, struct assay_string name)
{
	for (size_t i = 0; i < c->count; i++) {
		if (assay_string_is(name, c->list[i].name))
			return &c->list[i];
	}
	return NULL;
}

/* It was begun and is not on the disk yet. */
static bool is_new(const struct cursor *cursor)
{
	return cursor->marks == NULL && !cursor->is_damaged;
}

static struct cursor *add(struct cursors *c, struct assay_string name)
{
	if (c->count == c->size) {
		size_t size = c->size > 0 ? 2 * c->size : 8;
		struct cursor *list = realloc(c->list, size * sizeof *list);
		if (list == NULL)
			return NULL;
		c->list = list;
		c->size = size;
	}
	struct cursor *cursor = &c->list[c->count++];
	*cursor = (struct cursor){0};
	memcpy(cursor->name, name.data, name.len);
	return cursor;
}

static void remove_at(struct cursors *c, size_t i)
{
	free(c->list[i].marks);
	free(c->list[i].moved);
	c->count--;
	memmove(&c->list[i], &c->list[i + 1], (c->count - i) * sizeof c->list[0]);
}

/* --- files: a CBOR map {v, name, at: [{journal, topic, seq}]} and its crc32c ----------------- */

static void put_marks(struct buffer *to, const struct cursor_mark *marks, size_t count)
{
	struct map mark;
	encode_array(to, count);
	for (size_t i = 0; i < count; i++) {
		map_open(&mark, to);
		map_bytes(&mark, "journal", marks[i].journal, JOURNAL_ID_SIZE);
		map_text(&mark, "topic", marks[i].topic);
		map_uint(&mark, "seq", marks[i].seq);
		map_close(&mark);
	}
}

void cursor_put_marks(struct buffer *to, const struct cursor_view *view)
{
	put_marks(to, view->marks, view->count);
}

static void encode_file(struct buffer *to, const struct cursor *cursor)
{
	struct map map;
	uint8_t crc[4];
	map_open(&map, to);
	map_uint(&map, "v", FILE_VERSION);
	map_text(&map, "name", cursor->name);
	map_key(&map, "at");
	put_marks(to, cursor->moved, cursor->moved_count);
	map_close(&map);
	put_le32(crc, crc32c(0, to->data, to->len));
	buffer_append(to, crc, sizeof crc);
}

static bool is_topic(struct assay_string topic)
{
	if (topic.len == 0 || topic.len > JOURNAL_TOPIC_MAX || topic.data[topic.len - 1] != '/')
		return false;
	for (size_t i = 0; i < topic.len; i++) {
		char c = topic.data[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '/')
			return false;
	}
	return true;
}

static const struct keys mark_keys = {
	.rows = (const struct key[]){
		{"journal", KEY_COPY, KEY_AT(struct cursor_mark, journal), .required = true},
		{"topic", KEY_CHARS, KEY_AT(struct cursor_mark, topic), .required = true},
		{"seq", KEY_UINT, KEY_AT(struct cursor_mark, seq)},
		{0},
	}};

struct cursor_file {
	uint64_t version;
	struct assay_string name;
	struct assay_span at;
};

static const struct keys file_keys = {
	.rows = (const struct key[]){
		{"v", KEY_UINT, KEY_AT(struct cursor_file, version), .required = true},
		{"name", KEY_TEXT, KEY_AT(struct cursor_file, name), .required = true},
		{"at", KEY_RAW_LIST, KEY_AT(struct cursor_file, at), .required = true},
		{0},
	}};

static int decode_file(struct cursor *cursor, const uint8_t *data, size_t len)
{
	struct cursor_file file = {0};
	struct reader r;
	size_t count;
	if (len < 4 || get_le32(data + len - 4) != crc32c(0, data, len - 4) ||
		keys_decode(&file_keys, data, len - 4, &file) < 0 || file.version != FILE_VERSION ||
		!assay_string_is(file.name, cursor->name))
		return -EBADMSG;
	read_init(&r, file.at.data, file.at.len);
	if (read_array(&r, &count) < 0 || count > CURSOR_MARKS_MAX)
		return -EBADMSG;
	cursor->marks = calloc(count > 0 ? count : 1, sizeof *cursor->marks);
	if (cursor->marks == NULL)
		return -ENOMEM;
	for (; cursor->count < count; cursor->count++) {
		struct cursor_mark *mark = &cursor->marks[cursor->count];
		if (keys_read(&r, &mark_keys, mark, NULL) < 0 || !is_topic(string_of(mark->topic)))
			return -EBADMSG;
	}
	return 0;
}

static int read_file(const struct cursors *c, struct cursor *cursor)
{
	uint64_t size = 0;
	int fd = io_posix.openat(io_posix.ctx, c->dir, cursor->name, O_RDONLY);
	if (fd < 0)
		return fd;
	int r = io_posix.size(io_posix.ctx, fd, &size);
	if (r == 0 && size > FILE_BYTES_MAX)
		r = -EBADMSG;
	uint8_t *data = r == 0 ? malloc((size_t)size + 1) : NULL;
	if (r == 0 && data == NULL)
		r = -ENOMEM;
	ssize_t n = 0;
	if (r == 0)
		n = io_posix.pread(io_posix.ctx, fd, data, (size_t)size, 0);
	if (r == 0)
		r = n < 0 ? (int)n : decode_file(cursor, data, (size_t)n);
	free(data);
	io_posix.close(io_posix.ctx, fd);
	return r;
}

/* --- opening --------------------------------------------------------------------------------- */

static int load_one(void *arg, const char *file)
{
	struct cursors *c = arg;
	struct assay_string name = string_of(file);
	if (!token_is_valid(name))
		return 0; /* unfinished, or somebody else's */
	struct cursor *cursor = add(c, name);
	if (cursor == NULL)
		return -ENOMEM;
	int r = read_file(c, cursor);
	if (r == 0 || r == -ENOMEM)
		return r;
	if (c->published != NULL)
		log_error("the file of cursor %s is damaged (%s): nothing is removed from the "
			  "journal until it is forgotten",
			cursor->name, strerror(-r));
	free(cursor->marks);
	cursor->marks = NULL;
	cursor->count = 0;
	cursor->is_damaged = true;
	return 0;
}

static int open_dir(struct cursors *c)
{
	int base = io_posix.openat(io_posix.ctx, IO_CWD, c->path, O_RDONLY | O_DIRECTORY);
	if (base < 0)
		return base;
	c->dir = io_open_dir(&io_posix, base, "cursors");
	io_posix.close(io_posix.ctx, base);
	return c->dir < 0 ? c->dir : 0;
}

int cursors_open(struct cursors **out, const char *path, struct published *published)
{
	struct cursors *c = calloc(1, sizeof *c);
	if (c == NULL)
		return -ENOMEM;
	pthread_mutex_init(&c->disk, NULL);
	pthread_mutex_init(&c->lock, NULL);
	c->published = published;
	c->dir = -1;
	c->path = strdup(path);
	int r = c->path == NULL ? -ENOMEM : open_dir(c);
	if (r == 0)
		r = io_posix.list(io_posix.ctx, c->dir, load_one, c);
	if (r < 0) {
		cursors_close(c);
		return r;
	}
	*out = c;
	return 0;
}

void cursors_close(struct cursors *c)
{
	if (c == NULL)
		return;
	while (c->count > 0)
		remove_at(c, c->count - 1);
	if (c->dir >= 0)
		io_posix.close(io_posix.ctx, c->dir);
	pthread_mutex_destroy(&c->lock);
	pthread_mutex_destroy(&c->disk);
	free(c->list);
	free(c->path);
	free(c);
}

static uint64_t highest(const struct cursors *c, const uint8_t *id)
{
	uint64_t seq = 0;
	for (size_t i = 0; i < c->count; i++) {
		for (size_t k = 0; k < c->list[i].count; k++) {
			const struct cursor_mark *mark = &c->list[i].marks[k];
			if (mark->seq > seq && memcmp(mark->journal, id, JOURNAL_ID_SIZE) == 0)
				seq = mark->seq;
		}
	}
	return seq;
}

uint64_t cursors_known(const char *path, uint8_t id[JOURNAL_ID_SIZE])
{
	const struct io *io = &io_posix;
	struct cursors c = {.dir = -1};
	uint64_t seq = 0;
	int base = io->openat(io->ctx, IO_CWD, path, O_RDONLY | O_DIRECTORY);
	if (base < 0)
		return 0;
	if (folder_read_current(io, base, id) == 0)
		c.dir = io->openat(io->ctx, base, "cursors", O_RDONLY | O_DIRECTORY);
	if (c.dir >= 0 && io->list(io->ctx, c.dir, load_one, &c) == 0)
		seq = highest(&c, id);
	while (c.count > 0)
		remove_at(&c, c.count - 1);
	free(c.list);
	if (c.dir >= 0)
		io->close(io->ctx, c.dir);
	io->close(io->ctx, base);
	return seq;
}

/* --- moving ---------------------------------------------------------------------------------- */

/* Makes `moved` a copy of the marks with room for one more. */
static int begin_move(struct cursor *cursor)
{
	size_t count = cursor->moved != NULL ? cursor->moved_count : cursor->count;
	struct cursor_mark *marks = realloc(cursor->moved, (count + 1) * sizeof *marks);
	if (marks == NULL)
		return -ENOMEM;
	if (cursor->moved == NULL && count > 0)
		memcpy(marks, cursor->marks, count * sizeof *marks);
	cursor->moved = marks;
	cursor->moved_count = count;
	return 0;
}

static struct cursor_mark *find_mark(
	struct cursor_mark *marks, size_t count, const uint8_t *journal, struct assay_string topic)
{
	for (size_t i = 0; i < count; i++) {
		if (memcmp(marks[i].journal, journal, JOURNAL_ID_SIZE) == 0 &&
			assay_string_is(topic, marks[i].topic))
			return &marks[i];
	}
	return NULL;
}

static int move(
	struct cursor *cursor, const uint8_t *journal, struct assay_string topic, uint64_t seq)
{
	struct cursor_mark *marks = cursor->moved != NULL ? cursor->moved : cursor->marks;
	size_t count = cursor->moved != NULL ? cursor->moved_count : cursor->count;
	const struct cursor_mark *have = find_mark(marks, count, journal, topic);
	if (cursor->is_damaged)
		return -EBADMSG;
	if (have != NULL && seq <= have->seq)
		return seq < have->seq ? -ERANGE : 0;
	if (have == NULL && count == CURSOR_MARKS_MAX)
		return -ENOSPC;
	int r = begin_move(cursor);
	if (r < 0)
		return r;
	struct cursor_mark *mark = find_mark(cursor->moved, cursor->moved_count, journal, topic);
	if (mark == NULL) {
		mark = &cursor->moved[cursor->moved_count++];
		*mark = (struct cursor_mark){0};
		memcpy(mark->journal, journal, JOURNAL_ID_SIZE);
		memcpy(mark->topic, topic.data, topic.len);
	}
	mark->seq = seq;
	return 0;
}

int cursors_move(struct cursors *c, struct assay_string name,
	const uint8_t journal[JOURNAL_ID_SIZE], struct assay_string topic, uint64_t seq)
{
	struct published_journal range;
	if (!token_is_valid(name) || !is_topic(topic))
		return -EINVAL;
	ssize_t i = published_find(c->published, journal);
	if (i < 0)
		return -ENOENT;
	published_at(c->published, (size_t)i, &range);
	if (seq > range.last)
		return -EDOM;
	pthread_mutex_lock(&c->lock);
	int r = 0;
	struct cursor *cursor = find(c, name);
	if (cursor == NULL && c->count >= CURSORS_MAX)
		r = -ENOSPC;
	else if (cursor == NULL && (cursor = add(c, name)) == NULL)
		r = -ENOMEM;
	if (r == 0)
		r = move(cursor, journal, topic, seq);
	if (r < 0 && cursor != NULL && is_new(cursor) && cursor->moved == NULL)
		remove_at(c, (size_t)(cursor - c->list));
	pthread_mutex_unlock(&c->lock);
	return r;
}

static int write_file(struct cursors *c, const struct cursor *cursor)
{
	struct buffer file = {0};
	encode_file(&file, cursor);
	int r = file.failed ? -ENOMEM : 0;
	if (r == 0)
		r = io_replace(&io_posix, c->dir, cursor->name, file.data, file.len);
	buffer_finish(&file);
	return r;
}

/* What was not written is as it was; one that never was is not there. */
static void finish_move(struct cursors *c, size_t i, int r)
{
	struct cursor *cursor = &c->list[i];
	pthread_mutex_lock(&c->lock);
	if (r == 0) {
		free(cursor->marks);
		cursor->marks = cursor->moved;
		cursor->count = cursor->moved_count;
	} else {
		free(cursor->moved);
	}
	cursor->moved = NULL;
	if (r < 0 && is_new(cursor))
		remove_at(c, i);
	pthread_mutex_unlock(&c->lock);
}

/* Only this thread adds and moves cursors, only who holds `disk` removes one. */
int cursors_flush(struct cursors *c)
{
	int result = 0;
	pthread_mutex_lock(&c->disk);
	for (size_t i = c->count; i > 0; i--) {
		const struct cursor *cursor = &c->list[i - 1];
		if (cursor->moved == NULL)
			continue;
		int r = write_file(c, cursor);
		if (r < 0)
			log_error("cursor %s cannot be written: %s", cursor->name, strerror(-r));
		finish_move(c, i - 1, r);
		result = r < 0 ? r : result;
	}
	pthread_mutex_unlock(&c->disk);
	return result;
}

static int forget(struct cursors *c, struct assay_string name)
{
	char file[CURSOR_NAME_MAX + 1] = "";
	pthread_mutex_lock(&c->lock);
	const struct cursor *have = find(c, name);
	if (have != NULL)
		memcpy(file, have->name, sizeof file);
	pthread_mutex_unlock(&c->lock);
	if (have == NULL)
		return -ENOENT;
	int r = io_posix.unlinkat(io_posix.ctx, c->dir, file);
	if (r == 0 || r == -ENOENT) /* not written yet */
		r = io_posix.fsync_dir(io_posix.ctx, c->dir);
	if (r < 0)
		return r;
	pthread_mutex_lock(&c->lock);
	remove_at(c, (size_t)(find(c, name) - c->list));
	pthread_mutex_unlock(&c->lock);
	return 0;
}

int cursors_forget(struct cursors *c, struct assay_string name)
{
	pthread_mutex_lock(&c->disk);
	int r = forget(c, name);
	pthread_mutex_unlock(&c->disk);
	return r;
}

/* --- looking --------------------------------------------------------------------------------- */

size_t cursors_count(struct cursors *c)
{
	pthread_mutex_lock(&c->lock);
	size_t count = c->count;
	pthread_mutex_unlock(&c->lock);
	return count;
}

/* With the lock held. */
static int copy_view(const struct cursor *cursor, struct cursor_view *view)
{
	*view = (struct cursor_view){.is_damaged = cursor->is_damaged, .count = cursor->count};
	memcpy(view->name, cursor->name, sizeof view->name);
	view->marks = malloc((cursor->count + 1) * sizeof *view->marks);
	if (view->marks == NULL)
		return -ENOMEM;
	if (cursor->count > 0)
		memcpy(view->marks, cursor->marks, cursor->count * sizeof *view->marks);
	return 0;
}

int cursors_view(struct cursors *c, size_t i, struct cursor_view *view)
{
	pthread_mutex_lock(&c->lock);
	int r = i < c->count ? copy_view(&c->list[i], view) : -ENOENT;
	pthread_mutex_unlock(&c->lock);
	return r;
}

int cursors_find(struct cursors *c, struct assay_string name, struct cursor_view *view)
{
	pthread_mutex_lock(&c->lock);
	const struct cursor *cursor = find(c, name);
	int r = cursor != NULL && !is_new(cursor) ? copy_view(cursor, view) : -ENOENT;
	pthread_mutex_unlock(&c->lock);
	return r;
}

/* --- what they hold back --------------------------------------------------------------------- */

/* The question for one journal, and for one mark of a cursor. */
struct holding {
	struct cursors *cursors;
	const struct cursor_view *view;
	const uint8_t *id;
	ssize_t place; /* of the journal, in their order */
	uint64_t upto; /* its last seq */

	const char *topic;
	uint64_t seq;
	bool is_behind;
};

static bool covers(const char *mark, const char *topic, size_t len)
{
	size_t mark_len = strlen(mark);
	return mark_len <= len && memcmp(mark, topic, mark_len) == 0;
}

/* How far the cursor has got in this journal on a topic: the furthest of the marks that cover it. */
static uint64_t position(const struct holding *h, const char *topic, size_t len)
{
	uint64_t seq = 0;
	for (size_t i = 0; i < h->view->count; i++) {
		const struct cursor_mark *mark = &h->view->marks[i];
		if (mark->seq > seq && memcmp(mark->journal, h->id, JOURNAL_ID_SIZE) == 0 &&
			covers(mark->topic, topic, len))
			seq = mark->seq;
	}
	return seq;
}

/* Whether this mark is what says how far the cursor has got on a topic. */
static bool decides(void *arg, const char *topic, size_t len)
{
	const struct holding *h = arg;
	return covers(h->topic, topic, len) && position(h, topic, len) == h->seq;
}

static void compare_last(void *arg, const char *topic, size_t len, uint64_t last)
{
	struct holding *h = arg;
	if (last > h->seq && decides(h, topic, len))
		h->is_behind = true;
}

/* The first entry after the mark that it lets nobody remove; `upto` + 1: none. */
static int first_needed(struct holding *h, uint64_t *needed)
{
	struct journal_reader *reader;
	struct journal_found found;
	struct cursors *c = h->cursors;
	*needed = h->upto + 1;
	h->is_behind = (size_t)h->place + 1 < published_count(c->published);
	if (!h->is_behind)
		published_topics(c->published, compare_last, h);
	if (!h->is_behind || h->seq >= h->upto)
		return 0;
	int r = journal_reader_open(&reader, &io_posix, c->path, h->id, entry_place);
	if (r < 0)
		return r;
	journal_reader_filter(reader, decides, h);
	journal_reader_seek(reader, h->seq + 1);
	do
		r = journal_reader_next(reader, h->upto, &found);
	while (r == 1 && found.kind != JOURNAL_ENTRY);
	if (r == 1)
		*needed = found.seq;
	journal_reader_close(reader);
	return r < 0 ? r : 0;
}

static bool was_seen(const struct cursor_view *view, size_t i, const struct holding *h)
{
	for (size_t k = 0; k < i; k++) {
		if (strcmp(view->marks[k].topic, view->marks[i].topic) == 0 &&
			published_find(h->cursors->published, view->marks[k].journal) < h->place)
			return true;
	}
	return false;
}

/*
 * A mark in an older journal says what the cursor follows, and that of this one it has nothing yet
 * unless another mark says so.  One in a later journal says nothing here.
 */
static int hold(struct holding *h, uint64_t *floor)
{
	const struct cursor_view *view = h->view;
	for (size_t i = 0; i < view->count; i++) {
		const struct cursor_mark *mark = &view->marks[i];
		ssize_t place = published_find(h->cursors->published, mark->journal);
		uint64_t needed;
		if (place > h->place || (place < h->place && was_seen(view, i, h)))
			continue;
		h->topic = mark->topic;
		h->seq = place == h->place ? mark->seq : 0;
		int r = first_needed(h, &needed);
		if (r < 0)
			return r;
		if (needed - 1 < *floor)
			*floor = needed - 1;
	}
	return 0;
}

int cursors_floor_of(struct cursors *c, size_t i, const uint8_t id[JOURNAL_ID_SIZE],
	char name[CURSOR_NAME_MAX + 1], uint64_t *seq)
{
	struct published_journal journal;
	struct cursor_view view;
	*seq = 0;
	int r = cursors_view(c, i, &view);
	if (r < 0)
		return r;
	memcpy(name, view.name, sizeof view.name);
	ssize_t place = published_find(c->published, id);
	r = place < 0 ? -EINVAL : 0;
	if (r == 0 && !view.is_damaged) {
		published_at(c->published, (size_t)place, &journal);
		struct holding h = {.cursors = c,
			.view = &view,
			.id = id,
			.place = place,
			.upto = journal.last};
		*seq = UINT64_MAX;
		r = hold(&h, seq);
	}
	free(view.marks);
	if (r < 0)
		*seq = 0;
	return r;
}

int cursors_floor(struct cursors *c, const uint8_t id[JOURNAL_ID_SIZE], uint64_t *seq)
{
	char name[CURSOR_NAME_MAX + 1];
	uint64_t lowest = UINT64_MAX;
	int r = 0;
	*seq = 0;
	for (size_t i = 0; r == 0; i++) {
		uint64_t one;
		r = cursors_floor_of(c, i, id, name, &one);
		if (r == 0 && one < lowest)
			lowest = one;
	}
	if (r != -ENOENT)
		return r;
	*seq = lowest;
	return 0;
}
