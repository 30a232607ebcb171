/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core.h"
#include "journal/inspect.h"
#include "journal/retain.h"
#include "base/bytes.h"
#include "journal/writer.h"

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

static void forget_old(struct core *core)
{
	while (core->old.count > 0)
		entry_free(&core->old.items[--core->old.count]);
	free(core->old.items);
	core->old = (struct core_old){0};
}

void core_finish(struct core *core)
{
	journal_close(core->journal);
	forget_items(core, 0);
	free(core->items);
	forget_old(core);
	disk_destroy(core->disk);
}

int core_open(struct core *core)
{
	assert(core->journal == NULL);
	return journal_open(&core->journal, disk_io(core->disk), &core->options, &core->report);
}

int core_close(struct core *core)
{
	if (core->journal == NULL)
		return 0;
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
	core->may_lose |= core->options.sync_ms != 0; /* even if it fails: it has started a file */
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

/* --- reading */

/* One journal, read and compared with the core's memory. */
struct memory {
	const uint8_t *id;
	const struct journal_item *items;
	uint64_t pruned, maybe_pruned;
	uint64_t damaged; /* seq, 0: none */
};

static const char *judge_entry(const struct memory *memory, const struct journal_found *found)
{
	const struct journal_item *item = &memory->items[found->seq - 1];
	if (found->seq <= memory->pruned)
		return "an entry is back that was removed";
	if (found->seq == memory->damaged)
		return "a damaged entry is given out";
	if (found->len != item->len || memcmp(found->bytes, item->bytes, found->len) != 0)
		return "an entry has other bytes than were handed over";
	return NULL;
}

static const char *judge_found(
	const struct memory *memory, uint64_t seq, const struct journal_found *found)
{
	if (found->seq != seq)
		return "reading leaves out an entry";
	switch (found->kind) {
	case JOURNAL_ENTRY: return judge_entry(memory, found);
	case JOURNAL_GAP_PRUNED:
		return found->to <= memory->maybe_pruned ? NULL : "too much counts as removed";
	default:
		return found->seq == memory->damaged && found->to == seq ? NULL
									 : "reading finds a gap";
	}
}

static const char *read_memory(
	const struct core *core, const struct memory *memory, uint64_t from, uint64_t to)
{
	struct journal_reader *reader;
	struct journal_found found;
	int r = journal_reader_open(
		&reader, disk_io(core->disk), CORE_PATH, memory->id, entry_describe);
	if (r < 0)
		return to < from ? NULL : "the journal cannot be opened for reading";
	journal_reader_seek(reader, from);
	const char *wrong = NULL;
	for (uint64_t seq = from; seq <= to && wrong == NULL; seq = found.to + 1) {
		if (journal_reader_next(reader, to, &found) != 1) {
			wrong = "reading ends early";
			break;
		}
		wrong = judge_found(memory, seq, &found);
	}
	if (wrong == NULL && journal_reader_next(reader, to, &found) != 0)
		wrong = "reading does not end";
	journal_reader_close(reader);
	return wrong;
}

static struct memory memory_of(const struct core *core)
{
	return (struct memory){.id = core->id,
		.items = core->items,
		.pruned = core->pruned,
		.maybe_pruned = core->maybe_pruned};
}

const char *core_read(struct core *core, uint64_t from, uint64_t to)
{
	struct memory memory = memory_of(core);
	return read_memory(core, &memory, from, to);
}

static const char *read_old(const struct core *core)
{
	const struct core_old *old = &core->old;
	struct memory memory = {.id = old->id,
		.items = old->items,
		.pruned = old->pruned,
		.maybe_pruned = old->maybe_pruned};
	return old->count == 0 ? NULL : read_memory(core, &memory, 1, old->count);
}

/* --- the end of a journal */

/* The published entries of the current journal are kept as the old one. */
static void leave_behind(struct core *core)
{
	forget_old(core);
	forget_items(core, (size_t)core->published);
	core->old = (struct core_old){.items = core->items,
		.count = core->count,
		.pruned = core->pruned,
		.maybe_pruned = core->maybe_pruned};
	memcpy(core->old.id, core->id, JOURNAL_ID_SIZE);
	core->items = NULL;
	core->count = core->size = 0;
	core->appended = core->published = core->pruned = core->maybe_pruned = 0;
	core->may_lose = core->is_renewing = false;
}

int core_renew(struct core *core)
{
	uint64_t now = core->options.now;
	if (core->published == 0)
		return 0;
	core->is_renewing = true;
	int r = core_close(core);
	core->options.now = 1;
	if (r == 0)
		r = core_open(core);
	core->options.now = now;
	if (r < 0 || core->report.why != JOURNAL_NEW_CLOCK)
		return r < 0 ? r : -EBADMSG;
	leave_behind(core);
	memcpy(core->id, journal_id(core->journal), JOURNAL_ID_SIZE);
	return 0;
}

static int find_oldest(void *arg, const struct journal_segment *segment)
{
	if (segment->is_removed || segment->is_missing)
		return 0;
	*(struct journal_segment *)arg = *segment;
	return 1;
}

int core_prune(struct core *core)
{
	const struct io *io = disk_io(core->disk);
	struct journal_segment oldest = {0};
	int r = journal_segments(io, CORE_PATH, core->id, find_oldest, &oldest);
	if (r < 0 || oldest.first_seq == 0 || !oldest.is_closed)
		return r < 0 ? r : 0;
	struct journal_place record = {.seq = core->count + 1};
	memcpy(record.journal, core->id, JOURNAL_ID_SIZE);
	r = core_append(
		core, entry_gone(core->id, oldest.first_seq, oldest.last_seq, record.seq), 0);
	if (r == 0)
		r = core_sync(core);
	if (r < 0)
		return r;
	if (oldest.last_seq > core->maybe_pruned)
		core->maybe_pruned = oldest.last_seq;
	r = journal_prune(io, CORE_PATH, core->id, oldest.first_seq, &record, entry_describe);
	if (r == -EBUSY)
		return 0;
	if (r == 0)
		core->pruned = oldest.last_seq;
	return r;
}

/* --- checks */

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
		if (entry_last(core->journal, core_topic(i)) != last[i])
			return "a topic's last seq is wrong";
	}
	return NULL;
}

/* The entries of the inspected journal, up to seq `at`. */
static struct {
	const uint8_t *id;
	const struct journal_item *items;
	uint64_t at, last[CORE_TOPICS];
	bool is_damaged;
} inspected;

static int describe(const uint8_t *bytes, size_t len, struct inspect_entry *entry)
{
	int r = entry_describe(
		bytes, len, &entry->topic, &entry->topic_len, &entry->seq, &entry->tc);
	entry->journal = inspected.id;
	for (; r == 0 && inspected.at < entry->seq; inspected.at++) {
		for (uint32_t i = 0; i < CORE_TOPICS; i++) {
			bool is_it = strcmp(inspected.items[inspected.at].topic, core_topic(i)) ==
				     0;
			if (is_it && inspected.at + 1 == entry->seq)
				entry->prev = inspected.last[i];
			if (is_it)
				inspected.last[i] = inspected.at + 1;
		}
	}
	return r;
}

static void on_finding(void *arg, const struct finding *finding)
{
	bool is_harmless = finding->kind == FINDING_NO_INDEX || finding->kind == FINDING_TAIL;
	inspected.is_damaged = inspected.is_damaged || !is_harmless;
}

/* `assayctl journal check` finds nothing where nothing was damaged. */
static const char *inspect(const struct core *core)
{
	struct inspection inspection = {.io = disk_io(core->disk),
		.path = CORE_PATH,
		.id = core->id,
		.entry = describe,
		.removal = entry_removal,
		.found = on_finding};
	memset(&inspected, 0, sizeof inspected);
	inspected.id = core->id;
	inspected.items = core->items;
	int r = journal_inspect(&inspection);
	if (r < 0)
		return "the journal cannot be inspected";
	return inspected.is_damaged ? "a check finds damage where there is none" : NULL;
}

static const char *check_same(struct core *core)
{
	uint64_t head = core->report.head;
	bool is_other = memcmp(core->report.id, core->id, JOURNAL_ID_SIZE) != 0;
	if (is_other && head == 0 && (core->published == 0 || core->may_lose))
		return NULL; /* started by a start that then failed */
	if (is_other && head == 0 && core->is_renewing)
		return core_read(core, 1, core->published);
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
	if (journal_head(core->journal) != head || core->journal->durable != head)
		return "the journal stands elsewhere than reported";
	if (head > 0 && core->report.last_tc != core->items[head - 1].tc)
		return "the last commit time is wrong";
	const char *wrong = check_topics(core, head);
	if (wrong == NULL)
		wrong = core_read(core, 1, head);
	if (wrong == NULL)
		wrong = inspect(core);
	return wrong != NULL ? wrong : read_old(core);
}

static int add_quarantined(void *arg, const char *name)
{
	struct quarantined {
		struct disk *disk;
		uint64_t bytes;
	} *sum = arg;
	char path[256];
	size_t len;
	snprintf(path, sizeof path, CORE_PATH "/quarantine/%s", name);
	uint8_t *data = disk_read(sum->disk, path, &len);
	sum->bytes += data == NULL ? 0 : len;
	free(data);
	return 0;
}

static const char *check_quarantine(const struct core *core)
{
	struct {
		struct disk *disk;
		uint64_t bytes;
	} sum = {core->disk, 0};
	if (core->report.torn_bytes == 0)
		return NULL;
	disk_list(core->disk, CORE_PATH "/quarantine", add_quarantined, &sum);
	return sum.bytes < core->report.torn_bytes ? "torn bytes were not kept" : NULL;
}

const char *core_check(struct core *core)
{
	const char *wrong = check_quarantine(core);
	if (wrong != NULL)
		return wrong;
	switch (core->report.why) {
	case JOURNAL_CONTINUED: return check_same(core);
	case JOURNAL_NEW_FIRST:
		return core->published > 0 ? "a journal with published entries is not found" : NULL;
	case JOURNAL_NEW_UNCLEAN:
		return core->may_lose ? NULL : "a new journal was started for no reason";
	default: return "a new journal was started for no reason";
	}
}

/* --- damage */

struct place {
	uint64_t first_seq;
	const char *path;
	uint64_t offset;
	size_t file_size;
};

static int find_segment(void *arg, const struct journal_segment *segment)
{
	struct place *place = arg; /* its offset is the seq that is looked for */
	if (segment->first_seq > place->offset)
		return 1;
	place->first_seq = segment->first_seq;
	return 0;
}

/* One random byte of the header or the body of an entry. */
static struct place find_place(struct core *core, uint64_t seq)
{
	struct place place = {.offset = seq};
	journal_segments(disk_io(core->disk), CORE_PATH, core->id, find_segment, &place);
	place.path = core_file(core, place.first_seq, SEGMENT_FILE);
	uint8_t *data = disk_read(core->disk, place.path, &place.file_size);
	assert(data != NULL);
	size_t at = SEGMENT_HEADER_SIZE;
	while (get_le64(data + at + 8) != seq) {
		at += record_size(get_le32(data + at + 4));
		assert(at < place.file_size);
	}
	place.offset = at + disk_random(core->disk, RECORD_HEADER_SIZE + get_le32(data + at + 4));
	free(data);
	return place;
}

static const char *judge_damage(struct core *core, uint64_t seq, const struct place *place)
{
	const struct journal_report *report = &core->report;
	struct memory memory = memory_of(core);
	memory.damaged = seq;
	size_t size;
	free(disk_read(core->disk, place->path, &size));
	if (report->why != JOURNAL_CONTINUED)
		return "a new journal was started because of a damaged entry";
	if (report->torn_bytes != 0 || size != place->file_size)
		return "damage was cut off";
	if (report->head != core->count)
		return "damage moved the end";
	if (report->gap_count > 1)
		return "one damaged entry is reported as more";
	if (report->gap_count == 1 && (report->gaps[0].from != seq || report->gaps[0].to != seq))
		return "damage is reported in the wrong place";
	return read_memory(core, &memory, 1, core->count);
}

const char *core_try_damage(struct core *core)
{
	/* as the core does at every start; else an earlier unclean end would be the last word */
	core_commit(core, core_topic(0), 50);
	int r = core_close(core);
	assert(r == 0);
	disk_reboot(core->disk);
	if (core->count <= core->maybe_pruned)
		return core_open(core) < 0 ? "the journal cannot be opened" : core_check(core);
	uint64_t left = core->count - core->maybe_pruned;
	uint64_t seq = core->count - disk_random(core->disk, (uint32_t)left);
	struct place place = find_place(core, seq);
	disk_damage(core->disk, place.path, place.offset);
	if (core_open(core) < 0)
		return "a damaged journal cannot be opened";
	const char *wrong = judge_damage(core, seq, &place);
	disk_damage(core->disk, place.path, place.offset);
	if (core->report.reindexed > 0) /* an index was made that knows of the damage */
		disk_remove(core->disk, core_file(core, place.first_seq, SEGMENT_INDEX));
	return wrong;
}

void core_accept(struct core *core)
{
	bool is_continued = core->report.why == JOURNAL_CONTINUED;
	bool is_other = memcmp(core->id, core->report.id, JOURNAL_ID_SIZE) != 0;
	if (core->is_renewing && is_continued && is_other)
		leave_behind(core);
	core->is_renewing = false;
	if (!is_continued || is_other) /* started just now, or by a start that then failed */
		core->pruned = core->maybe_pruned = 0;
	memcpy(core->id, core->report.id, JOURNAL_ID_SIZE);
	forget_items(core, (size_t)core->report.head);
	core->published = core->appended = core->report.head;
	if (core->report.why != JOURNAL_CONTINUED)
		core->may_lose = false;
}
