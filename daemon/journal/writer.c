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

/* Interval for the file `durable` while entries come without a pause. */
#define NOTE_EVERY (10 * NS_PER_S)

void writer_finish(struct journal *journal)
{
	segment_drop(&journal->segment, journal->io);
	topics_finish(&journal->topics);
	index_finish(&journal->index);
	free(journal->queue);
	free(journal->queue_topics);
}

void writer_start(struct journal *journal, const uint8_t id[JOURNAL_ID_SIZE], uint64_t head)
{
	memcpy(journal->template.journal, id, JOURNAL_ID_SIZE);
	journal->head = head;
	journal->durable = head;
	journal->noted = 0;
}

static int grow_queue(struct journal *journal, size_t count)
{
	size_t size = journal->queue_size == 0 ? GROUP_MAX : journal->queue_size;
	while (size < count)
		size *= 2;
	if (size == journal->queue_size)
		return 0;
	struct journal_item *queue = realloc(journal->queue, size * sizeof *queue);
	if (queue == NULL)
		return -ENOMEM;
	journal->queue = queue;
	uint32_t *topics = realloc(journal->queue_topics, size * sizeof *topics);
	if (topics == NULL)
		return -ENOMEM;
	journal->queue_topics = topics;
	journal->queue_size = size;
	return 0;
}

static int enqueue(struct journal *journal, const struct journal_item *items, size_t count)
{
	int r = grow_queue(journal, journal->queue_count + count);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++) {
		const struct journal_item *item = &items[i];
		assert(item->seq == journal->head + 1 + i);
		assert(item->len > 0 && item->len <= JOURNAL_ENTRY_MAX);
		uint32_t topic = TOPIC_NONE;
		if (item->topic_len > 0)
			topic = topics_add(&journal->topics, item->topic, item->topic_len);
		if (topic == TOPIC_NONE && item->topic_len > 0)
			return -ENOMEM;
		journal->queue[journal->queue_count + i] = *item;
		journal->queue_topics[journal->queue_count + i] = topic;
	}
	journal->queue_count += count;
	journal->head += count;
	return 0;
}

static void note_durable(struct journal *journal, uint64_t tc)
{
	journal->noted_tc = tc;
	if (journal->noted == journal->durable)
		return;
	durable_write(journal->io, journal->base, journal->template.journal, journal->durable);
	if (journal->known >= 0)
		durable_write(
			journal->io, journal->known, journal->template.journal, journal->durable);
	journal->noted = journal->durable;
}

/* All written entries are durable; callers may reuse their buffers. */
static void settle(struct journal *journal)
{
	size_t left = journal->queue_count - journal->written;
	if (journal->written > 0) {
		const struct journal_item *last = &journal->queue[journal->written - 1];
		journal->durable = last->seq;
		if (last->tc >= journal->noted_tc + NOTE_EVERY)
			note_durable(journal, last->tc);
	}
	memmove(journal->queue, journal->queue + journal->written, left * sizeof *journal->queue);
	memmove(journal->queue_topics, journal->queue_topics + journal->written,
		left * sizeof *journal->queue_topics);
	journal->queue_count = left;
	journal->written = 0;
}

static int commit(struct journal *journal)
{
	if (journal->written == 0)
		return 0;
	int r = journal->io->fdatasync(journal->io->ctx, journal->segment.fd);
	if (r == 0)
		settle(journal);
	return r;
}

static int create_segment(
	struct journal *journal, const char *suffix, const struct journal_item *first)
{
	char name[SEGMENT_NAME_SIZE];
	segment_name(name, first->seq, suffix);
	struct segment_header header = journal->template;
	header.first_seq = first->seq;
	header.created = first->tc;
	int r = journal->io->random(journal->io->ctx, &header.salt, sizeof header.salt);
	if (r == 0)
		r = segment_create(&journal->segment, journal->io, journal->dir, name, &header);
	if (r < 0)
		return r;
	index_start(&journal->index, first->seq);
	journal->is_marked = true;
	return 0;
}

/* Makes everything durable.  If the index cannot be written, it can be rebuilt later: no error. */
static int end_segment(struct journal *journal)
{
	int r = commit(journal);
	if (r < 0)
		return r;
	note_durable(journal, journal->index.last_tc);
	journal->index.end = journal->segment.size;
	r = index_write(&journal->index, &journal->topics, &journal->segment.header, journal->io,
		journal->dir);
	if (r < 0)
		log_warn("cannot write an index, it will be rebuilt: %s", strerror(-r));
	segment_drop(&journal->segment, journal->io);
	return 0;
}

static bool segment_is_old(const struct journal *journal, uint64_t now)
{
	uint64_t created = journal->segment.header.created;
	return now > created && now - created >= journal->segment_age;
}

/* The number of queued entries for the next write to the open segment; 0: it is full or old. */
static size_t group_that_fits(const struct journal *journal)
{
	uint64_t size = journal->segment.size;
	size_t count = 0, left = journal->queue_count - journal->written;
	const struct journal_item *items = journal->queue + journal->written;
	bool is_empty = journal->index.count == 0;
	for (; count < left && count < GROUP_MAX; count++) {
		size += record_size((uint32_t)items[count].len);
		bool fits = size <= journal->segment_size &&
			    !segment_is_old(journal, items[count].tc);
		if (!fits && !(is_empty && count == 0))
			break;
	}
	return count;
}

static int write_group(struct journal *journal, size_t count)
{
	uint64_t offsets[GROUP_MAX];
	const struct journal_item *items = journal->queue + journal->written;
	int r = segment_write(
		&journal->segment, journal->io, items, count, journal->durable, offsets);
	for (size_t i = 0; r == 0 && i < count; i++) {
		uint32_t topic = journal->queue_topics[journal->written + i];
		r = index_add(&journal->index, items[i].seq, offsets[i], topic, items[i].tc);
		topics_advance(&journal->topics, topic, items[i].seq);
	}
	if (r < 0)
		return r;
	journal->written += count;
	journal->is_marked = false;
	return 0;
}

static int write_queue(struct journal *journal)
{
	int r = 0;
	while (r == 0 && journal->written < journal->queue_count) {
		size_t count = journal->segment.fd < 0 ? 0 : group_that_fits(journal);
		if (count > 0) {
			r = write_group(journal, count);
		} else if (journal->segment.fd >= 0) {
			r = end_segment(journal);
		} else {
			r = create_segment(journal, SEGMENT_FILE, &journal->queue[0]);
			if (r == 0)
				r = journal->io->fsync_dir(journal->io->ctx, journal->dir);
		}
	}
	return r;
}

/*
 * The file gets its name only after everything in it is durable, so that it can replace a failed
 * file of the same name while others read that one.
 */
static int fill_new_file(struct journal *journal)
{
	const struct io *io = journal->io;
	char unfinished[SEGMENT_NAME_SIZE], name[SEGMENT_NAME_SIZE];
	segment_name(unfinished, journal->queue[0].seq, SEGMENT_UNFINISHED);
	segment_name(name, journal->queue[0].seq, SEGMENT_FILE);
	io->unlinkat(io->ctx, journal->dir, unfinished);
	int r = create_segment(journal, SEGMENT_UNFINISHED, &journal->queue[0]);
	while (r == 0 && journal->written < journal->queue_count) {
		size_t left = journal->queue_count - journal->written;
		r = write_group(journal, left < GROUP_MAX ? left : GROUP_MAX);
	}
	if (r == 0)
		r = io->fdatasync(io->ctx, journal->segment.fd);
	if (r == 0)
		r = io->renameat(io->ctx, journal->dir, unfinished, journal->dir, name);
	if (r == 0)
		r = io->fsync_dir(io->ctx, journal->dir);
	if (r < 0)
		io->unlinkat(io->ctx, journal->dir, unfinished);
	return r;
}

/* Handles every failure: see "Failures" in journal.h. */
static int rescue(struct journal *journal)
{
	segment_drop(&journal->segment, journal->io);
	journal->written = 0;
	journal->has_failed = true;
	int r = fill_new_file(journal);
	if (r < 0) {
		segment_drop(&journal->segment, journal->io);
		journal->written = 0;
		if (r == -EDQUOT)
			return -ENOSPC;
		return r == -ENOMEM ? -EAGAIN : r; /* -ENOMEM is for items that were not taken */
	}
	settle(journal);
	journal->has_failed = false;
	journal->rescue_error = journal->error;
	journal->rescues++;
	return 0;
}

static int rescue_after(struct journal *journal, int error)
{
	log_error("cannot write the journal: %s; continuing in a new file", strerror(-error));
	journal->error = error;
	return rescue(journal);
}

int journal_append(struct journal *journal, const struct journal_item *items, size_t count)
{
	int r = enqueue(journal, items, count);
	if (r < 0)
		return r;
	if (journal->has_failed)
		return journal->queue_count > 0 ? rescue(journal) : 0;
	r = write_queue(journal);
	return r < 0 ? rescue_after(journal, r) : 0;
}

int journal_sync(struct journal *journal)
{
	if (journal->queue_count == 0)
		return 0;
	if (journal->has_failed)
		return rescue(journal);
	int r = commit(journal);
	return r < 0 ? rescue_after(journal, r) : 0;
}

int journal_idle(struct journal *journal, uint64_t now)
{
	int r = journal_sync(journal);
	if (r < 0 || journal->segment.fd < 0)
		return r;
	if (segment_is_old(journal, now))
		return end_segment(journal);
	if (journal->is_marked)
		return 0;
	note_durable(journal, now);
	r = segment_mark(&journal->segment, journal->io, RECORD_MARKER, journal->durable);
	journal->is_marked = true;
	if (r < 0) { /* all entries are durable: the next one starts a new file */
		log_error("cannot write the journal: %s; closing the file", strerror(-r));
		segment_drop(&journal->segment, journal->io);
	}
	return 0;
}

int journal_roll(struct journal *journal)
{
	int r = journal_sync(journal);
	if (r < 0 || journal->segment.fd < 0)
		return r;
	return end_segment(journal);
}

int writer_rewrite(struct journal *journal, const struct journal_item *items, size_t count)
{
	assert(journal->queue_count == 0 && count > 0);
	assert(items[0].seq == journal->durable + 1);
	journal->head = journal->durable;
	int r = enqueue(journal, items, count);
	if (r == 0)
		r = rescue(journal);
	journal->rescues = 0; /* nothing has failed */
	return r;
}

int writer_close(struct journal *journal)
{
	int r = journal_sync(journal);
	if (r < 0 || journal->segment.fd < 0)
		return r;
	int marked = segment_mark(
		&journal->segment, journal->io, RECORD_CLEAN_END, journal->durable);
	if (marked < 0) {
		log_warn("cannot mark the journal's clean end: %s", strerror(-marked));
		segment_drop(&journal->segment, journal->io);
		return 0;
	}
	return end_segment(journal);
}
