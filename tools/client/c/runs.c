/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "marks.h"
#include "prefixes.h"
#include "record/entry.h"
#include "record/keys.h"
#include "record/text.h"
#include "runs.h"

void runs_finish(struct runs *runs)
{
	for (size_t i = 0; i < runs->count; i++)
		digest_finish(&runs->items[i].leaves);
	free(runs->items);
	*runs = (struct runs){0};
}

bool runs_is_theirs(struct assay_string topic)
{
	return prefix_covers("a1/data/", topic) || prefix_covers("a1/sim-data/", topic);
}

static struct run *find(const struct runs *runs, const struct assay_entry_view *entry)
{
	for (size_t i = 0; i < runs->count; i++) {
		struct run *run = &runs->items[i];
		if (assay_string_is(entry->topic, run->cursor.topic) &&
			memcmp(run->cursor.journal, entry->journal, ASSAY_UUID_SIZE) == 0)
			return run;
	}
	return NULL;
}

static struct run *add(struct runs *runs, const struct assay_entry_view *entry)
{
	if (runs->count == runs->size) {
		size_t size = runs->size > 0 ? 2 * runs->size : 8;
		void *items = reallocarray(runs->items, size, sizeof *runs->items);
		if (items == NULL)
			return NULL;
		runs->items = items;
		runs->size = size;
	}
	struct run *run = &runs->items[runs->count];
	*run = (struct run){.first = entry->seq, .corrected.valid = true};
	memcpy(run->cursor.journal, entry->journal, ASSAY_UUID_SIZE);
	memcpy(run->cursor.topic, entry->topic.data, entry->topic.len);
	if (digest_init(&run->leaves) < 0)
		return NULL;
	runs->count++;
	return run;
}

/* Keys of later versions, and values of another type, are skipped. */
static const struct keys set_keys = {.open = true,
	.rows = (const struct key[]){
		{"sample.id", KEY_CHARS, KEY_AT(struct corrected, sample), .lenient = true},
		{"operator.id", KEY_CHARS, KEY_AT(struct corrected, person), .lenient = true},
		{"x-note", KEY_CHARS, KEY_AT(struct corrected, note), .lenient = true},
		{"valid", KEY_BOOL, KEY_AT(struct corrected, valid), .lenient = true},
		{0},
	}};

static void take_start(struct run *run, const struct assay_record_view *record)
{
	struct corrected *c = &run->corrected;
	run->has_start = true;
	text_copy(run->number, sizeof run->number, record->number);
	keys_decode(&set_keys, record->body.data, record->body.len, c); /* x-note */
	text_copy(c->sample, sizeof c->sample, record->sample);
	text_copy(c->person, sizeof c->person, record->person);
}

static int take_in(struct run *run, struct assay_span bytes, const struct assay_entry_view *entry,
	const struct assay_record_view *record)
{
	uint8_t leaf[ASSAY_SHA256_SIZE];
	struct assay_frame_view frame;
	run->cursor.seq = entry->seq;
	run->entries++;
	if (record->run != NULL && record->type != ASSAY_RECORD_AMEND)
		memcpy(run->id, record->run, ASSAY_UUID_SIZE);
	if (record->type == ASSAY_RECORD_FRAME) {
		run->frames++;
		run->final_frames += assay_frame_read(entry->body.data, entry->body.len, &frame) ==
					     0 &&
				     !frame.partial;
		if (entry_leaf_hash(bytes.data, bytes.len, leaf) < 0)
			return -ENOMEM;
		digest_update(&run->leaves, leaf, sizeof leaf);
	} else if (record->type == ASSAY_RECORD_RUN_START) {
		take_start(run, record);
	} else if (record->type == ASSAY_RECORD_AMEND) {
		keys_decode(&set_keys, record->set.data, record->set.len, &run->corrected);
	} else if (record->type == ASSAY_RECORD_RUN_END && !run->has_end) {
		run->has_end = true;
		text_copy(run->status, sizeof run->status, record->status);
		/* The core hashed the same frames, and counted as many. */
		uint8_t hash[ASSAY_SHA256_SIZE];
		digest_final(&run->leaves, hash);
		run->is_whole = run->has_start && run->gaps_count == 0 &&
				run->frames == record->frames && record->digest != NULL &&
				memcmp(hash, record->digest, sizeof hash) == 0;
	}
	return 0;
}

static void take_out(struct runs *runs, struct run *run, struct run *out)
{
	digest_finish(&run->leaves);
	run->leaves = (struct digest){0};
	*out = *run;
	*run = runs->items[--runs->count];
}

int runs_entry(struct runs *runs, struct assay_span bytes, const struct assay_entry_view *entry,
	struct run *out)
{
	struct assay_record_view record;
	struct run *run = find(runs, entry);
	enum runs_verdict verdict = RUNS_TAKEN;
	if (assay_record_read(entry->body.data, entry->body.len, &record) < 0)
		record = (struct assay_record_view){0};
	bool is_amend = record.type == ASSAY_RECORD_AMEND;
	bool is_own = run != NULL && record.run != NULL &&
		      memcmp(record.run, run->id, ASSAY_UUID_SIZE) == 0;
	if (is_amend ? !is_own : run == NULL && record.run == NULL)
		return RUNS_ENTRY;
	/* An entry of another run ends a run whose end is lost or never came. */
	if (run != NULL &&
		(record.type == ASSAY_RECORD_RUN_START || (record.run != NULL && !is_own))) {
		take_out(runs, run, out);
		verdict = RUNS_RUN;
		run = NULL;
	}
	if (run == NULL)
		run = add(runs, entry);
	if (run == NULL || take_in(run, bytes, entry, &record) < 0)
		return -ENOMEM;
	/* One run per call: a lone run-end after an incomplete run waits for the next entry. */
	if (run->has_end && verdict == RUNS_TAKEN) {
		take_out(runs, run, out);
		verdict = RUNS_RUN;
	}
	return verdict;
}

bool runs_lack_start(
	const struct runs *runs, const struct assay_entry_view *entry, const uint8_t **id)
{
	struct assay_record_view record;
	if (find(runs, entry) != NULL ||
		assay_record_read(entry->body.data, entry->body.len, &record) < 0 ||
		(record.type != ASSAY_RECORD_FRAME && record.type != ASSAY_RECORD_RUN_END))
		return false;
	*id = record.run;
	return record.run != NULL;
}

bool runs_has(const struct run *run, const struct assay_entry_view *entry)
{
	struct assay_record_view record;
	if (entry->seq < run->first || entry->seq > run->cursor.seq ||
		!assay_string_is(entry->topic, run->cursor.topic))
		return false;
	return assay_record_read(entry->body.data, entry->body.len, &record) < 0 ||
	       record.type != ASSAY_RECORD_AMEND || record.run == NULL ||
	       memcmp(record.run, run->id, ASSAY_UUID_SIZE) == 0;
}

static bool is_below(const struct run *run, const uint8_t *journal, const char *topic)
{
	struct assay_string name = {run->cursor.topic, strlen(run->cursor.topic)};
	return prefix_covers(topic, name) &&
	       memcmp(run->cursor.journal, journal, ASSAY_UUID_SIZE) == 0;
}

bool runs_gap(struct runs *runs, const struct assay_client_cursor *cursor, uint64_t first,
	enum assay_client_why why)
{
	bool is_theirs = false;
	for (size_t i = 0; i < runs->count; i++) {
		struct run *run = &runs->items[i];
		if (!is_below(run, cursor->journal, cursor->topic))
			continue;
		is_theirs = true;
		run->cursor.seq = cursor->seq;
		if (run->gaps_count == RUN_GAPS_MAX)
			run->gaps[RUN_GAPS_MAX - 1].last = cursor->seq;
		else
			run->gaps[run->gaps_count++] = (struct assay_client_gap){
				first, cursor->seq, why};
	}
	return is_theirs;
}

int runs_cut(struct runs *runs, const uint8_t *journal, const char *topic, struct run *out)
{
	for (size_t i = 0; i < runs->count; i++) {
		if (is_below(&runs->items[i], journal, topic)) {
			take_out(runs, &runs->items[i], out);
			return 1;
		}
	}
	return 0;
}
