/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOG_TOPIC "journal"
#include "base/clock.h"
#include "base/log.h"
#include "journal/durable.h"
#include "journal/writer.h"

#define GROUP_MAX 256

/* While entries come without a pause, the file `durable` is written this often. */
#define NOTE_EVERY (10 * NS_PER_S)

void writer_finish(struct writer *writer)
{
	if (writer->io != NULL)
		segment_drop(&writer->segment, writer->io);
	topics_finish(&writer->topics);
	index_finish(&writer->index);
	free(writer->queue);
	free(writer->queue_topics);
	*writer = (struct writer){.segment.fd = -1};
}

void writer_begin(struct writer *writer, int dir, const uint8_t id[JOURNAL_ID_SIZE], uint64_t head)
{
	writer->dir = dir;
	memcpy(writer->template.journal, id, JOURNAL_ID_SIZE);
	writer->head = head;
	writer->durable = head;
	writer->noted = 0;
}

static int grow_queue(struct writer *writer, size_t count)
{
	size_t size = writer->queue_size == 0 ? GROUP_MAX : writer->queue_size;
	while (size < count)
		size *= 2;
	if (size == writer->queue_size)
		return 0;
	struct journal_item *queue = realloc(writer->queue, size * sizeof *queue);
	if (queue == NULL)
		return -ENOMEM;
	writer->queue = queue;
	uint32_t *topics = realloc(writer->queue_topics, size * sizeof *topics);
	if (topics == NULL)
		return -ENOMEM;
	writer->queue_topics = topics;
	writer->queue_size = size;
	return 0;
}

static int enqueue(struct writer *writer, const struct journal_item *items, size_t count)
{
	int r = grow_queue(writer, writer->queue_count + count);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		const struct journal_item *item = &items[i];
		assert(item->seq == writer->head + 1 + i);
		assert(item->len > 0 && item->len <= JOURNAL_ENTRY_MAX);
		uint32_t topic = TOPIC_NONE;
		if (item->topic_len > 0)
			topic = topics_add(&writer->topics, item->topic, item->topic_len);
		if (topic == TOPIC_NONE && item->topic_len > 0)
			return -ENOMEM;
		writer->queue[writer->queue_count + i] = *item;
		writer->queue_topics[writer->queue_count + i] = topic;
	}
	writer->queue_count += count;
	writer->head += count;
	return 0;
}

static void note_durable(struct writer *writer, uint64_t tc)
{
	writer->noted_tc = tc;
	if (writer->base < 0 || writer->noted == writer->durable)
		return;
	durable_write(writer->io, writer->base, writer->template.journal, writer->durable);
	writer->noted = writer->durable;
}

/* What was written is durable: nobody's bytes are borrowed for it any more. */
static void settle(struct writer *writer)
{
	size_t left = writer->queue_count - writer->written;
	if (writer->written > 0) {
		const struct journal_item *last = &writer->queue[writer->written - 1];
		writer->durable = last->seq;
		if (last->tc >= writer->noted_tc + NOTE_EVERY)
			note_durable(writer, last->tc);
	}
	memmove(writer->queue, writer->queue + writer->written, left * sizeof *writer->queue);
	memmove(writer->queue_topics, writer->queue_topics + writer->written,
		left * sizeof *writer->queue_topics);
	writer->queue_count = left;
	writer->written = 0;
}

static int commit(struct writer *writer)
{
	if (writer->written == 0)
		return 0;
	int r = writer->io->fdatasync(writer->io->ctx, writer->segment.fd);
	if (r == 0)
		settle(writer);
	return r;
}

static int create_segment(
	struct writer *writer, const char *suffix, const struct journal_item *first)
{
	char name[SEGMENT_NAME_SIZE];
	segment_name(name, first->seq, suffix);
	struct segment_header header = writer->template;
	header.first_seq = first->seq;
	header.created = first->tc;
	int r = writer->io->random(writer->io->ctx, &header.salt, sizeof header.salt);
	if (r == 0)
		r = segment_create(&writer->segment, writer->io, writer->dir, name, &header);
	if (r < 0)
		return r;
	index_begin(&writer->index, first->seq);
	writer->is_marked = true;
	return 0;
}

static int begin_segment(struct writer *writer)
{
	int r = create_segment(writer, SEGMENT_FILE, &writer->queue[0]);
	return r < 0 ? r : writer->io->fsync_dir(writer->io->ctx, writer->dir);
}

/* All of it is durable.  The index can be made again: failing to write it is no failure. */
static int end_segment(struct writer *writer)
{
	int r = commit(writer);
	if (r < 0)
		return r;
	note_durable(writer, writer->index.last_tc);
	writer->index.end = writer->segment.size;
	r = index_write(
		&writer->index, &writer->topics, &writer->segment.header, writer->io, writer->dir);
	if (r < 0)
		log_warn("cannot write an index, it will be rebuilt: %s", strerror(-r));
	segment_drop(&writer->segment, writer->io);
	return 0;
}

static bool segment_is_old(const struct writer *writer, uint64_t now)
{
	uint64_t created = writer->segment.header.created;
	return now > created && now - created >= writer->segment_age;
}

/* How many of the queue go into the open segment with the next write; 0: it is full or old. */
static size_t group_that_fits(const struct writer *writer)
{
	uint64_t size = writer->segment.size;
	size_t count = 0, left = writer->queue_count - writer->written;
	const struct journal_item *items = writer->queue + writer->written;
	bool is_empty = writer->index.count == 0;
	for (; count < left && count < GROUP_MAX; count++) {
		size += record_size((uint32_t)items[count].len);
		bool fits = size <= writer->segment_size &&
			    !segment_is_old(writer, items[count].tc);
		if (!fits && !(is_empty && count == 0))
			break;
	}
	return count;
}

static int write_group(struct writer *writer, size_t count)
{
	uint64_t offsets[GROUP_MAX];
	const struct journal_item *items = writer->queue + writer->written;
	int r = segment_write(&writer->segment, writer->io, items, count, writer->durable, offsets);
	for (size_t i = 0; r == 0 && i < count; i++) {
		uint32_t topic = writer->queue_topics[writer->written + i];
		r = index_add(&writer->index, items[i].seq, offsets[i], topic, items[i].tc);
		topics_advance(&writer->topics, topic, items[i].seq);
	}
	if (r < 0)
		return r;
	writer->written += count;
	writer->is_marked = false;
	return 0;
}

static int write_queue(struct writer *writer)
{
	int r = 0;
	while (r == 0 && writer->written < writer->queue_count) {
		size_t count = writer->segment.fd < 0 ? 0 : group_that_fits(writer);
		if (count > 0)
			r = write_group(writer, count);
		else if (writer->segment.fd >= 0)
			r = end_segment(writer);
		else
			r = begin_segment(writer);
	}
	return r;
}

/*
 * The file gets its name only when everything is durable in it, so that it may take the place of
 * a failed one of the same name, whose entries others may be reading.
 */
static int fill_new_file(struct writer *writer)
{
	const struct io *io = writer->io;
	char unfinished[SEGMENT_NAME_SIZE], name[SEGMENT_NAME_SIZE];
	segment_name(unfinished, writer->queue[0].seq, SEGMENT_UNFINISHED);
	segment_name(name, writer->queue[0].seq, SEGMENT_FILE);
	io->unlinkat(io->ctx, writer->dir, unfinished);
	int r = create_segment(writer, SEGMENT_UNFINISHED, &writer->queue[0]);
	while (r == 0 && writer->written < writer->queue_count) {
		size_t left = writer->queue_count - writer->written;
		r = write_group(writer, left < GROUP_MAX ? left : GROUP_MAX);
	}
	if (r == 0)
		r = io->fdatasync(io->ctx, writer->segment.fd);
	if (r == 0)
		r = io->renameat(io->ctx, writer->dir, unfinished, writer->dir, name);
	if (r == 0)
		r = io->fsync_dir(io->ctx, writer->dir);
	if (r < 0)
		io->unlinkat(io->ctx, writer->dir, unfinished);
	return r;
}

/* -ENOMEM would say that nothing was taken. */
static int error_of_queued(int error)
{
	if (error == -EDQUOT)
		return -ENOSPC;
	return error == -ENOMEM ? -EAGAIN : error;
}

/* The one way out of any failure: see "Failures" in journal.h. */
static int rescue(struct writer *writer)
{
	segment_drop(&writer->segment, writer->io);
	writer->written = 0;
	writer->has_failed = true;
	int r = fill_new_file(writer);
	if (r < 0) {
		segment_drop(&writer->segment, writer->io);
		writer->written = 0;
		return error_of_queued(r);
	}
	settle(writer);
	writer->has_failed = false;
	writer->rescue_error = writer->error;
	writer->rescues++;
	return 0;
}

static int rescue_after(struct writer *writer, int error)
{
	log_error("cannot write the journal: %s; going on in a new file", strerror(-error));
	writer->error = error;
	return rescue(writer);
}

int writer_append(struct writer *writer, const struct journal_item *items, size_t count)
{
	int r = enqueue(writer, items, count);
	if (r < 0)
		return r;
	if (writer->has_failed)
		return writer->queue_count > 0 ? rescue(writer) : 0;
	r = write_queue(writer);
	return r < 0 ? rescue_after(writer, r) : 0;
}

int writer_sync(struct writer *writer)
{
	if (writer->queue_count == 0)
		return 0;
	if (writer->has_failed)
		return rescue(writer);
	int r = commit(writer);
	return r < 0 ? rescue_after(writer, r) : 0;
}

int writer_idle(struct writer *writer, uint64_t now)
{
	int r = writer_sync(writer);
	if (r < 0 || writer->segment.fd < 0)
		return r;
	if (segment_is_old(writer, now))
		return end_segment(writer);
	if (writer->is_marked)
		return 0;
	note_durable(writer, now);
	r = segment_mark(&writer->segment, writer->io, RECORD_MARKER, writer->durable);
	writer->is_marked = true;
	if (r < 0) { /* all entries are durable: the next one begins a new file */
		log_error("cannot write the journal: %s; closing the file", strerror(-r));
		segment_drop(&writer->segment, writer->io);
	}
	return 0;
}

int writer_roll(struct writer *writer)
{
	int r = writer_sync(writer);
	if (r < 0 || writer->segment.fd < 0)
		return r;
	return end_segment(writer);
}

int writer_rewrite(struct writer *writer, const struct journal_item *items, size_t count)
{
	assert(writer->queue_count == 0 && count > 0);
	assert(items[0].seq == writer->durable + 1);
	writer->head = writer->durable;
	int r = enqueue(writer, items, count);
	if (r == 0)
		r = rescue(writer);
	writer->rescues = 0; /* nothing has failed */
	return r;
}

int writer_close(struct writer *writer)
{
	int r = writer_sync(writer);
	if (r < 0 || writer->segment.fd < 0)
		return r;
	int marked = segment_mark(&writer->segment, writer->io, RECORD_CLEAN_END, writer->durable);
	if (marked < 0) {
		log_warn("cannot mark the journal's clean end: %s", strerror(-marked));
		segment_drop(&writer->segment, writer->io);
		return 0;
	}
	return end_segment(writer);
}
