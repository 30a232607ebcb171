/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define LOG_TOPIC "cursors"
#include "base/log.h"
#include "core/commit/published.h"
#include "core/replay/cursor-file.h"
#include "journal/folder.h"
#include "journal/reader.h"
#include "record/entry.h"
#include "record/text.h"

struct cursor {
	char name[CURSOR_NAME_MAX + 1];
	bool is_damaged;
	struct cursor_mark *marks; /* as on the disk */
	size_t count;
	struct cursor_mark *moved; /* after the next flush; NULL: the same */
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

/* It is not on the disk yet. */
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

/* --- opening --------------------------------------------------------------------------------- */

static int load_one(void *arg, const char *file)
{
	struct cursors *c = arg;
	struct assay_string name = string_of(file);
	if (!token_is_valid(name))
		return 0; /* a temporary file, or not ours */
	struct cursor *cursor = add(c, name);
	if (cursor == NULL)
		return -ENOMEM;
	int r = cursor_file_read(c->dir, cursor->name, &cursor->marks, &cursor->count);
	if (r == 0 || r == -ENOMEM)
		return r;
	if (c->published != NULL)
		log_error("the file of cursor %s is damaged (%s): nothing is removed from the "
			  "journal until it is forgotten",
			cursor->name, strerror(-r));
	cursor->is_damaged = true;
	return 0;
}

int cursors_open(struct cursors **out, const char *path, struct published *published)
{
	const struct io *io = &io_posix;
	struct cursors *c = calloc(1, sizeof *c);
	if (c == NULL)
		return -ENOMEM;
	pthread_mutex_init(&c->disk, NULL);
	pthread_mutex_init(&c->lock, NULL);
	c->published = published;
	c->dir = -1;
	c->path = strdup(path);
	int r = c->path == NULL ? -ENOMEM : 0;
	int base = -1;
	if (r == 0)
		r = base = io->openat(io->ctx, IO_CWD, path, O_RDONLY | O_DIRECTORY);
	if (r >= 0)
		r = c->dir = io_open_dir(io, base, "cursors");
	if (base >= 0)
		io->close(io->ctx, base);
	if (r >= 0)
		r = io->list(io->ctx, c->dir, load_one, c);
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
	bool is_read = c.dir >= 0 && io->list(io->ctx, c.dir, load_one, &c) == 0;
	while (c.count > 0) {
		const struct cursor *cursor = &c.list[c.count - 1];
		for (size_t i = 0; is_read && i < cursor->count; i++) {
			const struct cursor_mark *mark = &cursor->marks[i];
			if (mark->seq > seq && memcmp(mark->journal, id, JOURNAL_ID_SIZE) == 0)
				seq = mark->seq;
		}
		remove_at(&c, c.count - 1);
	}
	free(c.list);
	if (c.dir >= 0)
		io->close(io->ctx, c.dir);
	io->close(io->ctx, base);
	return seq;
}

/* --- moving ---------------------------------------------------------------------------------- */

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
	/* A copy of the marks, with room for one more. */
	struct cursor_mark *moved = realloc(cursor->moved, (count + 1) * sizeof *moved);
	if (moved == NULL)
		return -ENOMEM;
	if (cursor->moved == NULL && count > 0)
		memcpy(moved, cursor->marks, count * sizeof *moved);
	cursor->moved = moved;
	struct cursor_mark *mark = find_mark(moved, count, journal, topic);
	if (mark == NULL) {
		mark = &moved[count++];
		*mark = (struct cursor_mark){0};
		memcpy(mark->journal, journal, JOURNAL_ID_SIZE);
		text_copy(mark->topic, sizeof mark->topic, topic);
	}
	cursor->moved_count = count;
	mark->seq = seq;
	return 0;
}

int cursors_move(struct cursors *c, struct assay_string name,
	const uint8_t journal[JOURNAL_ID_SIZE], struct assay_string topic, uint64_t seq)
{
	struct published_journal range;
	if (!token_is_valid(name) || !cursor_topic_is_valid(topic))
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

/* Without a durable file the cursor stays as it was, or is removed if it was new. */
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

/* Only this thread adds and moves cursors, and only the holder of `disk` removes one. */
int cursors_flush(struct cursors *c)
{
	int result = 0;
	pthread_mutex_lock(&c->disk);
	for (size_t i = c->count; i > 0; i--) {
		const struct cursor *cursor = &c->list[i - 1];
		if (cursor->moved == NULL)
			continue;
		int r = cursor_file_write(c->dir, cursor->name, cursor->moved, cursor->moved_count);
		if (r < 0)
			log_error("cursor %s cannot be written: %s", cursor->name, strerror(-r));
		finish_move(c, i - 1, r);
		result = r < 0 ? r : result;
	}
	pthread_mutex_unlock(&c->disk);
	return result;
}

int cursors_forget(struct cursors *c, struct assay_string name)
{
	const struct io *io = &io_posix;
	char file[CURSOR_NAME_MAX + 1] = "";
	pthread_mutex_lock(&c->disk);
	pthread_mutex_lock(&c->lock);
	const struct cursor *have = find(c, name);
	if (have != NULL)
		memcpy(file, have->name, sizeof file);
	pthread_mutex_unlock(&c->lock);
	int r = have != NULL ? io->unlinkat(io->ctx, c->dir, file) : -ENOENT;
	if (r == 0 || (have != NULL && r == -ENOENT)) /* not written yet */
		r = io->fsync_dir(io->ctx, c->dir);
	if (r == 0) {
		pthread_mutex_lock(&c->lock);
		remove_at(c, (size_t)(find(c, name) - c->list));
		pthread_mutex_unlock(&c->lock);
	}
	pthread_mutex_unlock(&c->disk);
	return r;
}

/* --- views ----------------------------------------------------------------------------------- */

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

/* --- the entries that they need --------------------------------------------------------------- */

/* The question for one journal, and for one mark of a cursor. */
struct holding {
	struct cursors *cursors;
	const struct cursor_view *view;
	const uint8_t *id;
	ssize_t index; /* of the journal, in the order of published_at() */
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

/* Is this mark the furthest in this journal of those that cover the topic? */
static bool decides(void *arg, const char *topic, size_t len)
{
	const struct holding *h = arg;
	uint64_t seq = 0;
	if (!covers(h->topic, topic, len))
		return false;
	for (size_t i = 0; i < h->view->count; i++) {
		const struct cursor_mark *mark = &h->view->marks[i];
		if (mark->seq > seq && memcmp(mark->journal, h->id, JOURNAL_ID_SIZE) == 0 &&
			covers(mark->topic, topic, len))
			seq = mark->seq;
	}
	return seq == h->seq;
}

static void compare_last(void *arg, const char *topic, size_t len, uint64_t last)
{
	struct holding *h = arg;
	if (last > h->seq && decides(h, topic, len))
		h->is_behind = true;
}

/* The first entry after the mark that the cursor still needs; `upto` + 1: none. */
static int first_needed(struct holding *h, uint64_t *needed)
{
	struct journal_reader *reader;
	struct journal_found found;
	struct cursors *c = h->cursors;
	*needed = h->upto + 1;
	h->is_behind = (size_t)h->index + 1 < published_count(c->published);
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

/*
 * A mark in an older journal shows that the cursor follows the topic, so of this journal it has
 * passed nothing unless another mark shows more.  A mark in a later journal has no effect here.
 */
static int find_floor(struct holding *h, uint64_t *floor)
{
	const struct cursor_view *view = h->view;
	for (size_t i = 0; i < view->count; i++) {
		const struct cursor_mark *mark = &view->marks[i];
		ssize_t index = published_find(h->cursors->published, mark->journal);
		bool is_repeated = false; /* an older journal's mark on the topic came before */
		for (size_t k = 0; k < i && index < h->index; k++)
			is_repeated |= strcmp(view->marks[k].topic, mark->topic) == 0 &&
				       published_find(h->cursors->published,
					       view->marks[k].journal) < h->index;
		if (index > h->index || is_repeated)
			continue;
		uint64_t needed;
		h->topic = mark->topic;
		h->seq = index == h->index ? mark->seq : 0;
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
	ssize_t index = published_find(c->published, id);
	r = index < 0 ? -EINVAL : 0;
	if (r == 0 && !view.is_damaged) {
		published_at(c->published, (size_t)index, &journal);
		struct holding h = {.cursors = c,
			.view = &view,
			.id = id,
			.index = index,
			.upto = journal.last};
		*seq = UINT64_MAX;
		r = find_floor(&h, seq);
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
