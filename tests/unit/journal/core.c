/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"

void core_init(struct core *core, uint32_t seed)
{
	*core = (struct core){
		.disk = disk_create(seed),
		.tc = CORE_NOW,
		.options = {.path = CORE_PATH, .entry = entry_describe, .now = CORE_NOW},
	};
}

static void forget_items(struct core *core, size_t keep)
{
	while (core->count > keep)
		entry_free(&core->items[--core->count]);
}

void core_finish(struct core *core)
{
	journal_close(core->journal);
	forget_items(core, 0);
	free(core->items);
	disk_destroy(core->disk);
}

int core_open(struct core *core)
{
	assert(core->journal == NULL);
	return journal_open(&core->journal, disk_io(core->disk), &core->options, &core->report);
}

int core_close(struct core *core)
{
	int r = journal_close(core->journal);
	core->journal = NULL;
	if (r == 0 && core->appended > core->published)
		core->published = core->appended;
	return r;
}

const char *core_topic(uint32_t i)
{
	static const char *const topics[CORE_TOPICS] = {"a1/data/xrf/s/n/x-1/",
		"a1/data/ms/s/n/m-1/", "a1/state/xrf/s/n/x-1/", "a1/audit/-/s/n/-/", "a1/sim/"};
	return topics[i % CORE_TOPICS];
}

static struct journal_item *make(struct core *core, const char *topic, size_t len)
{
	if (core->count == core->size) {
		core->size = core->size == 0 ? 64 : 2 * core->size;
		core->items = realloc(core->items, core->size * sizeof *core->items);
		assert(core->items != NULL);
	}
	core->tc += 1000;
	core->items[core->count] = entry_make(topic, core->count + 1, core->tc, len);
	return &core->items[core->count++];
}

static int hand_over(struct core *core, struct journal_item *items, size_t count)
{
	core->may_lose |= core->options.sync_ms != 0; /* even when it fails: it has begun a file */
	int r = journal_append(core->journal, items, count);
	if (r < 0)
		return r;
	core->appended = core->count;
	if (core->options.sync_ms != 0 || core->publishes_early)
		core->published = core->count;
	return 0;
}

int core_append(struct core *core, const char *topic, size_t len)
{
	return hand_over(core, make(core, topic, len), 1);
}

int core_append_many(struct core *core, size_t count, size_t len)
{
	size_t before = core->count;
	for (size_t i = 0; i < count; i++)
		make(core, core_topic(disk_random(core->disk, CORE_TOPICS)),
			1 + disk_random(core->disk, (uint32_t)len));
	return hand_over(core, core->items + before, count);
}

int core_sync(struct core *core)
{
	int r = journal_sync(core->journal);
	if (r == 0)
		core->published = core->appended = core->count;
	return r;
}

void core_commit(struct core *core, const char *topic, size_t len)
{
	int r = core_append(core, topic, len);
	assert(r == 0);
	r = core_sync(core);
	assert(r == 0);
	(void)r;
}

const char *core_file(const struct core *core, uint64_t first_seq, const char *suffix)
{
	static char paths[4][160];
	static unsigned turn;
	char *path = paths[turn++ % 4];
	char id[JOURNAL_ID_TEXT];
	journal_id_format(id, core->id);
	snprintf(path, sizeof paths[0], CORE_PATH "/journal/%s/%020llu%s", id,
		(unsigned long long)first_seq, suffix);
	return path;
}

const char *core_read(struct core *core, uint64_t from, uint64_t to)
{
	struct journal_reader *reader;
	struct journal_found found;
	int r = journal_reader_open(
		&reader, disk_io(core->disk), CORE_PATH, core->id, entry_describe);
	if (r < 0)
		return to < from ? NULL : "the journal cannot be opened for reading";
	journal_reader_seek(reader, from);
	const char *wrong = NULL;
	for (uint64_t seq = from; seq <= to && wrong == NULL; seq++) {
		const struct journal_item *item = &core->items[seq - 1];
		if (journal_reader_next(reader, to, &found) != 1)
			wrong = "reading ends early";
		else if (found.kind != JOURNAL_ENTRY)
			wrong = "reading finds a gap";
		else if (found.seq != seq)
			wrong = "reading leaves out an entry";
		else if (found.len != item->len || memcmp(found.bytes, item->bytes, found.len) != 0)
			wrong = "an entry has other bytes than were handed over";
	}
	if (wrong == NULL && journal_reader_next(reader, to, &found) != 0)
		wrong = "reading does not end";
	journal_reader_close(reader);
	return wrong;
}

static const char *check_topics(const struct core *core, uint64_t head)
{
	uint64_t last[CORE_TOPICS] = {0};
	for (uint64_t seq = 1; seq <= head; seq++) {
		for (uint32_t i = 0; i < CORE_TOPICS; i++) {
			if (strcmp(core->items[seq - 1].topic, core_topic(i)) == 0)
				last[i] = seq;
		}
	}
	for (uint32_t i = 0; i < CORE_TOPICS; i++) {
		const char *topic = core_topic(i);
		if (journal_last(core->journal, topic, strlen(topic)) != last[i])
			return "a topic's last seq is wrong";
	}
	return NULL;
}

static const char *check_same(struct core *core)
{
	uint64_t head = core->report.head;
	bool is_other = memcmp(core->report.id, core->id, JOURNAL_ID_SIZE) != 0;
	if (is_other && head == 0 && (core->published == 0 || core->may_lose))
		return NULL; /* begun by a start that then failed */
	if (is_other)
		return "the journal has another id";
	if (head < core->published)
		return "a published entry is gone";
	if (head > core->count)
		return "there are more entries than were handed over";
	if (core->report.gap_count != 0)
		return "damage is reported where there is none";
	if (core->report.odd_entries != 0)
		return "entries are odd that were not";
	if (journal_head(core->journal) != head || journal_durable(core->journal) != head)
		return "the journal stands elsewhere than reported";
	if (head > 0 && core->report.last_tc != core->items[head - 1].tc)
		return "the last commit time is wrong";
	const char *wrong = check_topics(core, head);
	return wrong != NULL ? wrong : core_read(core, 1, head);
}

const char *core_check(struct core *core)
{
	switch (core->report.why) {
	case JOURNAL_CONTINUED: return check_same(core);
	case JOURNAL_NEW_FIRST:
		return core->published > 0 ? "a journal with published entries is not found" : NULL;
	case JOURNAL_NEW_UNCLEAN:
		return core->may_lose ? NULL : "a new journal began for no reason";
	default: return "a new journal began for no reason";
	}
}

void core_accept(struct core *core)
{
	memcpy(core->id, core->report.id, JOURNAL_ID_SIZE);
	forget_items(core, (size_t)core->report.head);
	core->published = core->appended = core->report.head;
	if (core->report.why != JOURNAL_CONTINUED)
		core->may_lose = false;
}
