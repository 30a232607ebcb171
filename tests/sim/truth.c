/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The truth: every entry that was published or recovered, and their runs.
 * Nothing here comes from the daemon's memory.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <assay/record.h>

#include "disk.h"
#include "journal/durable.h"
#include "journal/inspect.h"
#include "journal/reader.h"
#include "record/digest.h"
#include "record/entry.h"
#include "record/removed.h"
#include "record/words.h"
#include "world.h"

#define SWIFT        (800 * MS) /* several syncs of the disk; heartbeats wake the thread every second */
#define CHECKED_LAST 1000       /* entries of a journal that are read again after each life */

struct topic_truth {
	char text[ASSAY_TOPIC_MAX + 1];
	uint64_t last;
};

struct journal_truth {
	uint8_t id[JOURNAL_ID_SIZE];
	uint64_t *hashes; /* by seq - 1 */
	size_t count, size;
	uint64_t last_tc;
	struct topic_truth *topics;
	size_t topic_count;
	bool may_lose; /* not `always`, and the power was cut */
};

static struct {
	bool always;
	struct journal_truth *journals; /* the last one is in use */
	size_t journal_count;
	struct truth_run *runs;
	size_t run_count, run_size;
	size_t *open; /* places in `runs` */
	size_t open_count, open_size;
	unsigned life;
	bool is_new_life;    /* nothing was published in it yet */
	bool clock_was_back; /* by over an hour: a new journal may start */
	char event[64];
	uint64_t
		stepped_at; /* seq of the last record of a clock that was set; 0: none since the start */
	uint64_t entries, published_at;
} truth;

static uint64_t hash_of(const uint8_t *data, size_t len)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325) ^ len;
	size_t i = 0;
	for (; i + 8 <= len; i += 8) {
		uint64_t word;
		memcpy(&word, data + i, 8);
		h = (h ^ word) * UINT64_C(0x9fb21c651e98df25);
		h ^= h >> 29;
	}
	for (; i < len; i++)
		h = (h ^ data[i]) * UINT64_C(0x100000001b3);
	return h;
}

/* --- journals -------------------------------------------------------------------------------- */

static struct journal_truth *find_journal(const uint8_t *id)
{
	for (size_t i = truth.journal_count; i > 0; i--) {
		if (memcmp(truth.journals[i - 1].id, id, JOURNAL_ID_SIZE) == 0)
			return &truth.journals[i - 1];
	}
	return NULL;
}

static struct journal_truth *current(void)
{
	return truth.journal_count > 0 ? &truth.journals[truth.journal_count - 1] : NULL;
}

static struct journal_truth *add_journal(const uint8_t *id)
{
	truth.journals = realloc(
		truth.journals, (truth.journal_count + 1) * sizeof *truth.journals);
	assert(truth.journals != NULL);
	struct journal_truth *j = &truth.journals[truth.journal_count++];
	*j = (struct journal_truth){0};
	memcpy(j->id, id, JOURNAL_ID_SIZE);
	return j;
}

static struct topic_truth *find_topic(struct journal_truth *j, struct assay_string text)
{
	for (size_t i = 0; i < j->topic_count; i++) {
		if (assay_string_is(text, j->topics[i].text))
			return &j->topics[i];
	}
	j->topics = realloc(j->topics, (j->topic_count + 1) * sizeof *j->topics);
	assert(j->topics != NULL);
	struct topic_truth *topic = &j->topics[j->topic_count++];
	*topic = (struct topic_truth){0};
	snprintf(topic->text, sizeof topic->text, "%.*s", (int)text.len, text.data);
	return topic;
}

uint64_t truth_head_seq(void)
{
	return current() != NULL ? current()->count : 0;
}

const uint8_t *truth_journal(void)
{
	static const uint8_t none[JOURNAL_ID_SIZE];
	return current() != NULL ? current()->id : none;
}

uint64_t truth_entries(void)
{
	return truth.entries;
}

uint64_t truth_published_at(void)
{
	return truth.published_at;
}

bool truth_is_complete(void)
{
	return !truth.is_new_life;
}

const char *truth_last_event(void)
{
	return truth.event;
}

/* --- runs ------------------------------------------------------------------------------------ */

/* Places + 1 in `runs`, by the hash of a number or an id. */
struct table {
	uint32_t *slots;
	size_t size;
	bool is_of_ids;
};

static struct table numbers, ids = {.is_of_ids = true};

static const void *key_of(const struct table *table, size_t place, size_t *len)
{
	const struct truth_run *run = &truth.runs[place];
	*len = table->is_of_ids ? sizeof run->id : strlen(run->number);
	return table->is_of_ids ? (const void *)run->id : run->number;
}

static uint32_t *find_slot(const struct table *table, const void *key, size_t len)
{
	for (size_t at = hash_of(key, len);; at++) {
		uint32_t *slot = &table->slots[at & (table->size - 1)];
		size_t have_len = 0;
		const void *have = *slot != 0 ? key_of(table, *slot - 1, &have_len) : NULL;
		if (have == NULL || (have_len == len && memcmp(have, key, len) == 0))
			return slot;
	}
}

static void add_to_table(struct table *table, size_t place)
{
	size_t len, first = place;
	if (2 * (place + 1) > table->size) {
		table->size = table->size != 0 ? 2 * table->size : 512;
		free(table->slots);
		table->slots = calloc(table->size, sizeof *table->slots);
		assert(table->slots != NULL);
		first = 0;
	}
	for (size_t i = first; i <= place; i++) {
		const void *key = key_of(table, i, &len);
		*find_slot(table, key, len) = (uint32_t)i + 1;
	}
}

static struct truth_run *find_in(const struct table *table, const void *key, size_t len)
{
	uint32_t place = table->size != 0 ? *find_slot(table, key, len) : 0;
	return place != 0 ? &truth.runs[place - 1] : NULL;
}

static struct truth_run *find_run(const uint8_t *id)
{
	return find_in(&ids, id, 16);
}

const struct truth_run *truth_run(const char *number, size_t len)
{
	return find_in(&numbers, number, len);
}

const struct truth_run *truth_any_run(void)
{
	if (truth.run_count == 0)
		return NULL;
	size_t recent = truth.run_count < 20 || dice_one_in(4) ? truth.run_count : 20;
	return &truth.runs[truth.run_count - 1 - dice(recent)];
}

static struct truth_run *open_on(struct assay_string topic)
{
	for (size_t i = 0; i < truth.open_count; i++) {
		struct truth_run *run = &truth.runs[truth.open[i]];
		if (assay_string_is(topic, run->topic))
			return run;
	}
	return NULL;
}

const struct truth_run *truth_open_run(const char *key)
{
	for (size_t i = 0; i < truth.open_count; i++) {
		const struct truth_run *run = &truth.runs[truth.open[i]];
		if (strcmp(run->key, key) == 0)
			return run;
	}
	return NULL;
}

static void copy(char *to, size_t size, struct assay_string text)
{
	snprintf(to, size, "%.*s", (int)text.len, text.data);
}

static void add_open(size_t place)
{
	struct truth_run *run = &truth.runs[place];
	if (truth.open_count == truth.open_size) {
		truth.open_size = truth.open_size != 0 ? 2 * truth.open_size : 16;
		truth.open = realloc(truth.open, truth.open_size * sizeof *truth.open);
		assert(truth.open != NULL);
	}
	truth.open[truth.open_count++] = place;
	run->digest = calloc(1, sizeof(struct digest));
	digest_init(run->digest);
	run->status[0] = '\0';
}

static void take_start(const struct assay_entry_view *entry, const struct assay_record_view *r,
	const uint8_t leaf[32], bool is_live)
{
	if (truth_run(r->number.data, r->number.len) != NULL)
		wrong("run number %.*s is given twice", (int)r->number.len, r->number.data);
	if (find_run(r->run) != NULL)
		wrong("a run has two run-starts");
	if (open_on(entry->topic) != NULL)
		wrong("a run starts on %.*s, where one is open", (int)entry->topic.len,
			entry->topic.data);
	if (truth.run_count == truth.run_size) {
		truth.run_size = truth.run_size != 0 ? 2 * truth.run_size : 256;
		truth.runs = realloc(truth.runs, truth.run_size * sizeof *truth.runs);
		assert(truth.runs != NULL);
	}
	struct truth_run *run = &truth.runs[truth.run_count];
	*run = (struct truth_run){.first = entry->seq,
		.life = is_live ? truth.life : truth.life - 1,
		.started = now_boot(),
		.has_method = r->method.len > 0,
		.on_demand = assay_string_is(r->mode, "on-demand")};
	memcpy(run->id, r->run, sizeof run->id);
	memcpy(run->ctx, leaf, sizeof run->ctx);
	memcpy(run->journal, entry->journal, sizeof run->journal);
	copy(run->number, sizeof run->number, r->number);
	copy(run->key, sizeof run->key, r->inst.key);
	copy(run->topic, sizeof run->topic, entry->topic);
	copy(run->first_sample, sizeof run->first_sample, r->sample);
	copy(run->sample, sizeof run->sample, r->sample);
	copy(run->operator, sizeof run->operator, r->person);
	add_to_table(&numbers, truth.run_count);
	add_to_table(&ids, truth.run_count);
	add_open(truth.run_count++);
}

/* The daemon has been healthy for a while. */
static bool is_calm(void)
{
	return healthy_since() != NEVER && now_boot() > healthy_since() + 5 * S;
}

static void follow_measurement(
	struct truth_run *run, const struct assay_record_view *r, bool is_live)
{
	uint64_t token, index;
	const uint8_t *at = memmem(r->body.data, r->body.len, FRAME_MAGIC, 8);
	if (at == NULL || at + 24 > r->body.data + r->body.len) {
		wrong("a frame of %s was not sent by a worker", run->number);
		return;
	}
	memcpy(&token, at + 8, 8);
	memcpy(&index, at + 16, 8);
	struct measurement *m = measurement_find(token);
	run->token = token;
	if (m == NULL)
		return;
	if (strcmp(m->key, run->key) != 0)
		wrong("a frame of %s is in %s", m->key, run->number);
	if (index != m->seen && is_live)
		wrong("frame %llu of a measurement of %s follows frame %llu",
			(unsigned long long)index, m->key, (unsigned long long)m->seen - 1);
	m->seen = index + 1;
	if (is_live && m->seen == m->sent && is_calm() && now_boot() > m->last_sent + SWIFT)
		wrong("a frame of %s is published only after %llu ms", run->number,
			(unsigned long long)((now_boot() - m->last_sent) / MS));
}

/* Frames of a method come step by step. */
static void follow_method(struct truth_run *run, const struct assay_entry_view *entry)
{
	struct assay_frame_view frame;
	if (assay_frame_read(entry->body.data, entry->body.len, &frame) < 0) {
		wrong("a frame of %s cannot be read", run->number);
		return;
	}
	bool is_next = frame.step == run->step || frame.step == run->step + 1;
	if (!is_next || frame.step == 0 || frame.steps != site.steps)
		wrong("a frame of %s is of step %llu of %llu, after one of step %llu", run->number,
			(unsigned long long)frame.step, (unsigned long long)frame.steps,
			(unsigned long long)run->step);
	run->step = frame.step;
	run->steps = frame.steps;
}

static void take_frame(const struct assay_entry_view *entry, const struct assay_record_view *r,
	const uint8_t leaf[32], bool is_live)
{
	struct truth_run *run = open_on(entry->topic);
	if (run == NULL || memcmp(run->id, r->run, 16) != 0) {
		wrong("a frame of a run that is not open");
		return;
	}
	if (r->n != run->frames)
		wrong("frame %llu of %s comes after %llu frames", (unsigned long long)r->n,
			run->number, (unsigned long long)run->frames);
	if (memcmp(r->ctx, run->ctx, sizeof run->ctx) != 0)
		wrong("a frame of %s has another ctx", run->number);
	bool is_doubtful = is_live && run->first < truth.stepped_at &&
			   memcmp(run->journal, entry->journal, sizeof run->journal) == 0;
	if (is_doubtful && memmem(r->body.data, r->body.len, "clock-stepped", 13) == NULL)
		wrong("a frame of %s does not show that the clock was set", run->number);
	run->frames++;
	digest_update(run->digest, leaf, 32);
	if (run->has_method)
		follow_method(run, entry);
	follow_measurement(run, r, is_live);
}

static void take_end(
	const struct assay_entry_view *entry, const struct assay_record_view *r, bool is_live)
{
	struct truth_run *run = find_run(r->run);
	uint8_t digest[32];
	if (run == NULL || run->status[0] != '\0') {
		wrong("a run-end of %s", run == NULL ? "no run" : "a run that has ended");
		return;
	}
	digest_final(run->digest, digest);
	bool differs = r->frames != run->frames || memcmp(r->digest, digest, sizeof digest) != 0;
	if (differs && !run->is_unsure)
		wrong("the run-end of %s has %llu frames, there are %llu", run->number,
			(unsigned long long)r->frames, (unsigned long long)run->frames);
	digest_finish(run->digest);
	free(run->digest);
	run->digest = NULL;
	copy(run->status, sizeof run->status, r->status);
	bool is_interrupted = strcmp(run->status, "interrupted") == 0;
	if (is_live && is_interrupted != (run->life != truth.life))
		wrong("the daemon %s during %s, which is %s",
			is_interrupted ? "did not end" : "ended", run->number, run->status);
	run->last = entry->seq;
	run->ends_elsewhere = memcmp(run->journal, entry->journal, sizeof run->journal) != 0;
	run->ended = now_boot();
	const struct measurement *m = measurement_find(run->token);
	bool whole = m != NULL && m->is_over && m->end == 1 && strcmp(run->status, "complete") == 0;
	bool is_short = strcmp(run->status, "complete") == 0 && run->step != run->steps;
	if (is_short && !run->is_unsure)
		wrong("%s is complete, but has only %llu of %llu steps", run->number,
			(unsigned long long)run->step, (unsigned long long)run->steps);
	if (whole && m->seen != m->sent)
		wrong("%s is complete, but has only %llu of %llu frames", run->number,
			(unsigned long long)m->seen, (unsigned long long)m->sent);
	for (size_t i = 0; i < truth.open_count; i++) {
		if (&truth.runs[truth.open[i]] == run) {
			truth.open[i] = truth.open[--truth.open_count];
			return;
		}
	}
}

static void take_amend(const struct assay_record_view *r)
{
	struct truth_run *run = find_run(r->run);
	struct reader reader;
	struct assay_string key, text;
	size_t pairs = 0;
	if (run == NULL) {
		wrong("an amend of no run");
		return;
	}
	run->amends++;
	read_init(&reader, r->set.data, r->set.len);
	read_map(&reader, &pairs);
	for (; pairs > 0 && read_key(&reader, &key) == 0; pairs--) {
		if (assay_string_is(key, "sample.id") && read_text(&reader, &text) == 0)
			copy(run->sample, sizeof run->sample, text);
		else if (assay_string_is(key, "operator.id") && read_text(&reader, &text) == 0)
			copy(run->operator, sizeof run->operator, text);
		else
			read_skip(&reader);
	}
}

/* --- entries --------------------------------------------------------------------------------- */

static void take_record(
	const struct assay_entry_view *entry, const uint8_t *data, size_t len, bool is_live)
{
	struct assay_record_view r;
	uint8_t leaf[32];
	if (assay_record_read(entry->body.data, entry->body.len, &r) < 0) {
		wrong("entry %llu is not a record", (unsigned long long)entry->seq);
		return;
	}
	bool is_data = r.type == ASSAY_RECORD_RUN_START || r.type == ASSAY_RECORD_FRAME;
	if (is_data)
		entry_leaf_hash(data, len, leaf);
	switch (r.type) {
	case ASSAY_RECORD_RUN_START: take_start(entry, &r, leaf, is_live); break;
	case ASSAY_RECORD_FRAME: take_frame(entry, &r, leaf, is_live); break;
	case ASSAY_RECORD_RUN_END: take_end(entry, &r, is_live); break;
	case ASSAY_RECORD_AMEND: take_amend(&r); break;
	case ASSAY_RECORD_AUDIT:
		copy(truth.event, sizeof truth.event, r.event);
		if (!is_live)
			break;
		site_audited(truth.event);
		progress_audited(truth.event);
		if (strcmp(truth.event, "start") ==
			0) /* a new life, or a start within the process */
			truth.stepped_at = 0;
		if (strcmp(truth.event, "clock-step") == 0)
			truth.stepped_at = entry->seq;
		break;
	default: break;
	}
}

static void add_entry(struct journal_truth *j, const uint8_t *data, size_t len, bool is_live)
{
	struct assay_entry_view entry;
	if (assay_entry_read(data, len, &entry) < 0) {
		wrong("a published message is no entry");
		return;
	}
	struct topic_truth *topic = find_topic(j, entry.topic);
	if (entry.seq != j->count + 1)
		wrong("entry %llu follows entry %llu", (unsigned long long)entry.seq,
			(unsigned long long)j->count);
	if (entry.prev != topic->last)
		wrong("entry %llu names %llu as the one before it on its topic, it is %llu",
			(unsigned long long)entry.seq, (unsigned long long)entry.prev,
			(unsigned long long)topic->last);
	bool is_second = entry.seq == 1 && truth.journal_count > 1;
	if (is_second && memmem(entry.body.data, entry.body.len, "old_journal", 11) == NULL)
		wrong("the first entry of a journal does not name the journal before it");
	if (entry.tc < j->last_tc)
		wrong("the commit time of entry %llu goes back", (unsigned long long)entry.seq);
	topic->last = entry.seq;
	j->last_tc = entry.tc;
	if (j->count == j->size) {
		j->size = j->size != 0 ? 2 * j->size : 4096;
		j->hashes = realloc(j->hashes, j->size * sizeof *j->hashes);
		assert(j->hashes != NULL);
	}
	j->hashes[j->count++] = hash_of(data, len);
	truth.entries++;
	take_record(&entry, data, len, is_live);
}

/* On the disk or, in another sync mode, at least in its file; a run-start on the disk in any mode. */
static bool is_committed(const struct assay_entry_view *entry, const uint8_t *data, size_t len)
{
	char folder[100], id[JOURNAL_ID_TEXT];
	struct assay_record_view r;
	journal_id_format(id, entry->journal);
	snprintf(folder, sizeof folder, SYSTEM_STATE "/journal/%s", id);
	bool durably = truth.always ||
		       (assay_record_read(entry->body.data, entry->body.len, &r) == 0 &&
			       r.type == ASSAY_RECORD_RUN_START);
	return disk_holds(the_disk, folder, data, len, durably);
}

bool truth_is_entry(const uint8_t *data, size_t len)
{
	struct assay_entry_view entry;
	if (assay_entry_read(data, len, &entry) < 0)
		return false;
	const struct journal_truth *j = find_journal(entry.journal);
	if (j != NULL && entry.seq >= 1 && entry.seq <= j->count)
		return j->hashes[entry.seq - 1] == hash_of(data, len);
	return is_committed(&entry, data, len); /* and about to be published */
}

static void check_commit(const struct assay_entry_view *entry, const uint8_t *data, size_t len)
{
	if (!is_committed(entry, data, len))
		wrong("entry %llu is published before it is committed",
			(unsigned long long)entry->seq);
}

void truth_published(const char *topic, size_t topic_len, const uint8_t *data, size_t len)
{
	struct assay_entry_view entry;
	if (assay_entry_read(data, len, &entry) < 0) {
		wrong("a published message is no entry");
		return;
	}
	if (entry.topic.len != topic_len || memcmp(entry.topic.data, topic, topic_len) != 0)
		wrong("an entry is published on another topic");
	bool is_other = current() == NULL ||
			memcmp(entry.journal, current()->id, JOURNAL_ID_SIZE) != 0;
	if (truth.is_new_life || is_other)
		truth_recovered(entry.journal, entry.seq - 1, false);
	truth.is_new_life = false;
	if (memcmp(entry.journal, current()->id, JOURNAL_ID_SIZE) != 0) {
		wrong("an entry of an older journal is published");
		return;
	}
	add_entry(current(), data, len, true);
	check_commit(&entry, data, len);
	truth.published_at = now_boot();
}

void truth_head(const uint8_t *data, size_t len)
{
	struct head_view head;
	if (head_read(data, len, &head) < 0) {
		wrong("a heartbeat cannot be read");
		return;
	}
	const struct journal_truth *j = find_journal(head.journal);
	if (j == NULL ? head.head != 0 : head.head != j->count)
		wrong("a heartbeat names entry %llu, %llu is published",
			(unsigned long long)head.head,
			(unsigned long long)(j != NULL ? j->count : 0));
}

/* --- after a life ---------------------------------------------------------------------------- */

void truth_life_over(enum life_end end)
{
	truth.is_new_life = true;
	truth.life++;
	if (current() != NULL && end == LIFE_POWER && !truth.always)
		current()->may_lose = true;
}

void truth_clock_back(void)
{
	truth.clock_was_back = true;
}

/* Entries that were published are gone with the power: so are their runs. */
static void forget_lost(struct journal_truth *j, uint64_t last)
{
	for (size_t i = 0; i < truth.run_count; i++) {
		struct truth_run *run = &truth.runs[i];
		if (memcmp(run->journal, j->id, sizeof run->journal) != 0)
			continue;
		if (run->first > last)
			wrong("the run-start of %s is lost with the power", run->number);
		run->is_unsure = run->is_unsure || run->last > last || run->last == 0;
		if (run->last > last)
			add_open(i);
	}
	j->count = last;
}

static void compare(struct journal_truth *j, uint64_t from, uint64_t upto, bool adopt)
{
	struct journal_reader *reader;
	struct journal_found found;
	const struct io *io = disk_io(the_disk);
	int r = journal_reader_open(&reader, io, SYSTEM_STATE, j->id, entry_place);
	if (r < 0) {
		if (upto > 0)
			wrong("a journal cannot be read again: %d", r);
		return;
	}
	uint64_t next = from;
	journal_reader_seek(reader, from);
	while ((r = journal_reader_next(reader, upto, &found)) == 1) {
		if (found.kind != JOURNAL_ENTRY && found.to == upto && j->may_lose)
			break;
		if (found.kind != JOURNAL_ENTRY) {
			wrong("entries %llu to %llu are gone", (unsigned long long)found.seq,
				(unsigned long long)found.to);
			break;
		}
		if (found.seq <= j->count &&
			j->hashes[found.seq - 1] != hash_of(found.bytes, found.len))
			wrong("entry %llu is another one than was published",
				(unsigned long long)found.seq);
		else if (found.seq > j->count && adopt)
			add_entry(j, found.bytes, found.len, false);
		next = found.seq + 1;
	}
	if (next <= upto && !j->may_lose)
		wrong("the journal ends with entry %llu, %llu was published",
			(unsigned long long)next - 1, (unsigned long long)upto);
	else if (next <= upto)
		forget_lost(j, next - 1);
	journal_reader_close(reader);
}

static uint64_t where_to_begin(const struct journal_truth *j, bool all)
{
	return all || j->count < CHECKED_LAST ? 1 : j->count - CHECKED_LAST;
}

/* The last seq of an older journal: entries recovered before the next one started count. */
static uint64_t last_of(const struct journal_truth *j)
{
	uint64_t first, last;
	int r = journal_range(disk_io(the_disk), SYSTEM_STATE, j->id, &first, &last);
	return r == 0 && last > j->count ? last : j->count;
}

void truth_recovered(const uint8_t *id, uint64_t upto, bool all)
{
	for (size_t i = 0; i < truth.journal_count; i++) {
		struct journal_truth *j = &truth.journals[i];
		bool is_it = memcmp(j->id, id, JOURNAL_ID_SIZE) == 0;
		if (is_it && j->count > upto)
			wrong("entry %llu was published, and is given again",
				(unsigned long long)j->count);
		if (is_it || all || i + 2 >= truth.journal_count)
			compare(j, where_to_begin(j, all), is_it ? upto : last_of(j), true);
	}
	if (find_journal(id) != NULL)
		return;
	const struct journal_truth *last = current();
	if (last != NULL && !last->may_lose && !truth.clock_was_back && last->count > 0)
		wrong("a new journal starts for no reason");
	truth.clock_was_back = false;
	struct journal_truth *j = add_journal(id);
	if (upto > 0)
		compare(j, 1, upto, true);
}

void truth_check_durable(bool is_stopped)
{
	const struct io *io = disk_io(the_disk);
	if (current() == NULL)
		return;
	int base = io->openat(io->ctx, IO_CWD, SYSTEM_STATE, O_RDONLY | O_DIRECTORY);
	uint64_t noted = durable_read(io, base, -1, current()->id), last = current()->count;
	io->close(io->ctx, base);
	if (noted > last || (is_stopped && noted != last))
		wrong("entry %llu is noted as the last durable one, it is %llu",
			(unsigned long long)noted, (unsigned long long)last);
}

static void on_finding(void *arg, const struct finding *finding)
{
	if (finding->kind != FINDING_NO_INDEX && finding->kind != FINDING_TAIL)
		wrong("journal check: %s: entries %llu to %llu: %s", finding->file,
			(unsigned long long)finding->from, (unsigned long long)finding->to,
			finding->text);
}

static int describe(const uint8_t *bytes, size_t len, struct inspect_entry *out)
{
	struct assay_entry_view entry;
	if (assay_entry_read(bytes, len, &entry) < 0)
		return -1;
	*out = (struct inspect_entry){.journal = entry.journal,
		.seq = entry.seq,
		.prev = entry.prev,
		.tc = entry.tc,
		.topic = entry.topic.data,
		.topic_len = entry.topic.len};
	return 0;
}

void truth_inspect(void)
{
	for (size_t i = 0; i < truth.journal_count; i++) {
		struct inspection inspection = {.io = disk_io(the_disk),
			.path = SYSTEM_STATE,
			.id = truth.journals[i].id,
			.entry = describe,
			.removal = removed_read,
			.found = on_finding};
		int r = journal_inspect(&inspection);
		if (r < 0 && r != -ENOENT)
			wrong("journal check fails: %d", r);
	}
}

void truth_check_runs(void)
{
	for (size_t i = 0; i < truth.open_count; i++) {
		const struct truth_run *run = &truth.runs[truth.open[i]];
		if (run->life != truth.life)
			wrong("%s stays open after the daemon's end", run->number);
	}
}

void truth_open(bool always)
{
	truth.always = always;
	truth.is_new_life = true;
}

void truth_close(void)
{
	for (size_t i = 0; i < truth.journal_count; i++) {
		free(truth.journals[i].hashes);
		free(truth.journals[i].topics);
	}
	for (size_t i = 0; i < truth.open_count; i++) {
		digest_finish(truth.runs[truth.open[i]].digest);
		free(truth.runs[truth.open[i]].digest);
	}
	free(truth.journals);
	free(truth.runs);
	free(truth.open);
	free(numbers.slots);
	free(ids.slots);
	numbers = (struct table){0};
	ids = (struct table){.is_of_ids = true};
	memset(&truth, 0, sizeof truth);
}
