/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOG_TOPIC "run"
#include "base/log.h"
#include "core/runs/amends.h"
#include "core/commit/ledger.h"
#include "record/check.h"
#include "record/keys.h"
#include "record/record.h"
#include "record/uuid.h"

#define AMENDS_MAX 200 /* read per run */

struct amends {
	struct amended committed; /* of a run of which more is on its way to the disk */
	struct run_store *store;
	struct amended *items;
	size_t count, size;
};

struct amends *amends_create(struct run_store *store)
{
	struct amends *amends = calloc(1, sizeof *amends);
	if (amends != NULL)
		amends->store = store;
	return amends;
}

void amends_destroy(struct amends *amends)
{
	if (amends != NULL)
		free(amends->items);
	free(amends);
}

/* --- reading --------------------------------------------------------------------------------- */

/*
 * In the order of enum amend_key.  Other keys, and values of another type, belong to a later
 * version.
 */
static const struct keys set_keys = {.open = true,
	.rows = (const struct key[]){
		{"sample.id", KEY_CHARS, KEY_AT(struct amended, sample), .lenient = true},
		{"operator.id", KEY_CHARS, KEY_AT(struct amended, operator), .lenient = true},
		{"x-note", KEY_CHARS, KEY_AT(struct amended, note), .lenient = true},
		{"valid", KEY_BOOL, KEY_AT(struct amended, valid), .lenient = true},
		{0},
	}};

static int take_amend(const char *path, const struct runs_amend *amend, struct amended *now)
{
	struct buffer bytes = {0};
	struct assay_entry_view entry;
	struct assay_record_view record;
	int r = past_entry_read(path, amend->journal, amend->seq, &bytes);
	if (r == 0 && (assay_entry_read(bytes.data, bytes.len, &entry) < 0 ||
			      assay_record_read(entry.body.data, entry.body.len, &record) < 0))
		r = -EBADMSG;
	if (r == 0 && record.type == ASSAY_RECORD_AMEND) {
		struct keys_found found;
		struct reader reader;
		read_init(&reader, record.set.data, record.set.len);
		keys_read(&reader, &set_keys, now, &found);
		now->keys |= (unsigned)found.seen;
		text_copy(now->reason, sizeof now->reason, record.reason);
		text_copy(now->actor, sizeof now->actor, record.actor);
		now->when = record.t.utc;
		now->count++;
	}
	buffer_finish(&bytes);
	return r;
}

static struct amended *find(struct amends *amends, const uint8_t *run)
{
	for (size_t i = 0; i < amends->count; i++) {
		if (memcmp(amends->items[i].run, run, sizeof amends->items[i].run) == 0)
			return &amends->items[i];
	}
	return NULL;
}

static struct amended *keep(struct amends *amends, const struct amended *now)
{
	struct amended *have = find(amends, now->run);
	if (have == NULL && amends->count == amends->size) {
		size_t size = amends->size != 0 ? amends->size * 2 : 16;
		struct amended *items = realloc(amends->items, size * sizeof *items);
		if (items == NULL)
			return NULL;
		amends->items = items;
		amends->size = size;
	}
	if (have == NULL)
		have = &amends->items[amends->count++];
	*have = *now;
	return have;
}

/* The sum of the amends that can be read by now. */
static void read_all(const struct amends *amends, const uint8_t run[16], struct amended *now)
{
	struct runs_amend list[AMENDS_MAX];
	size_t count = runs_amends(amends->store->rows, run, list, AMENDS_MAX);
	*now = (struct amended){.count = 0};
	for (size_t i = 0; i < count && i < AMENDS_MAX; i++) {
		int r = take_amend(amends->store->path, &list[i], now);
		if (r < 0)
			log_error("entry %llu, an amend, cannot be read: %s",
				(unsigned long long)list[i].seq, strerror(-r));
	}
	memcpy(now->run, run, sizeof now->run);
}

/* With those that are on their way to the disk. */
static const struct amended *newest(struct amends *amends, const uint8_t run[16])
{
	struct amended now;
	const struct amended *have = find(amends, run);
	if (have != NULL)
		return have;
	read_all(amends, run, &now);
	return now.count > 0 ? keep(amends, &now) : NULL;
}

const struct amended *amends_of(struct amends *amends, const uint8_t run[16])
{
	const struct amended *now = newest(amends, run);
	if (now == NULL || now->seq <= runs_committed(amends->store->rows))
		return now;
	read_all(amends, run, &amends->committed);
	return amends->committed.count > 0 ? &amends->committed : NULL;
}

static bool says(const struct amended *now, enum amend_key key)
{
	return now != NULL && (now->keys & key) != 0;
}

/* A record has "none" in place of an absent text. */
static const char *plain(const char *text)
{
	return strcmp(text, "none") == 0 ? "" : text;
}

const char *amends_sample(const struct runs_row *row, const struct amended *now)
{
	return plain(says(now, AMEND_SAMPLE) ? now->sample : row->sample);
}

const char *amends_operator(const struct runs_row *row, const struct amended *now)
{
	return plain(says(now, AMEND_OPERATOR) ? now->operator : row->operator);
}

const char *amends_note(const struct past_run *past, const struct amended *now)
{
	return says(now, AMEND_NOTE) ? now->note : past->note;
}

/* --- writing --------------------------------------------------------------------------------- */

/* Puts the new value into `set` and the former one into `was`; true if they differ. */
static bool put_text(struct map *set, struct map *was, const char *key, const char *is,
	const char *before, const char *none)
{
	map_text(set, key, is[0] != '\0' ? is : none);
	map_text(was, key, before[0] != '\0' ? before : none);
	return strcmp(is, before) != 0;
}

static bool put_changes(struct map *set, struct map *was, const struct past_run *past,
	const struct amended *change, const struct amended *now)
{
	bool differs = false;
	if (says(change, AMEND_SAMPLE))
		differs |= put_text(set, was, "sample.id", change->sample,
			amends_sample(&past->row, now), "none");
	if (says(change, AMEND_OPERATOR))
		differs |= put_text(set, was, "operator.id", change->operator,
			amends_operator(&past->row, now), "none");
	if (says(change, AMEND_NOTE))
		differs |= put_text(set, was, "x-note", change->note, amends_note(past, now), "");
	if (says(change, AMEND_VALID)) {
		bool before = says(now, AMEND_VALID) ? now->valid : true;
		map_bool(set, "valid", change->valid);
		map_bool(was, "valid", before);
		differs |= change->valid != before;
	}
	return differs;
}

static void put_record(struct buffer *body, const struct past_run *past,
	const struct amended *change, const struct audit_actor *actor, const struct buffer *set,
	const struct buffer *was)
{
	uint8_t id[ASSAY_UUID_SIZE];
	uuid_random(id);
	struct amend amend = {
		.base = {.id = id,
			.t = stamp_now(),
			.inst = {.key = past->row.instrument, .source = ID_SOURCE_NONE}},
		.run = past->row.id,
		.ctx = past->row.ctx,
		.actor = {.id = actor->id, .auth = actor->auth, .via = actor->via},
		.reason = change->reason,
		.set = {set->data, set->len},
		.was = {was->data, was->len},
	};
	record_amend(body, &amend);
}

/* Keeps the sum of the run's amends with this one. */
static void remember(struct amends *amends, const struct past_run *past,
	const struct amended *change, const struct audit_actor *actor,
	const struct ledger_receipt *receipt)
{
	const struct amended *before = newest(amends, past->row.id);
	struct amended now = before != NULL ? *before : (struct amended){.count = 0};
	memcpy(now.run, past->row.id, sizeof now.run);
	now.count++;
	now.keys |= change->keys;
	if (says(change, AMEND_SAMPLE))
		memcpy(now.sample, change->sample, sizeof now.sample);
	if (says(change, AMEND_OPERATOR))
		memcpy(now.operator, change->operator, sizeof now.operator);
	if (says(change, AMEND_NOTE))
		memcpy(now.note, change->note, sizeof now.note);
	if (says(change, AMEND_VALID))
		now.valid = change->valid;
	memcpy(now.reason, change->reason, sizeof now.reason);
	memcpy(now.actor, actor->id, sizeof now.actor);
	now.when = receipt->tc;
	now.seq = receipt->seq;
	if (keep(amends, &now) == NULL)
		log_error("%s: cannot keep its amends: out of memory", past->row.number);
}

static int write_record(struct ledger *ledger, const struct past_run *past,
	const struct buffer *body, struct ledger_receipt *receipt,
	void (*done)(void *arg, const struct commit_item *item), void *arg)
{
	struct schema_error error;
	struct ledger_record record = {.topic = ledger_topic(ledger, past->row.topic),
		.head = body->data,
		.head_len = body->len,
		.done = done,
		.arg = arg};
	if (body->failed || record.topic == NULL)
		return -ENOMEM;
	int r = check_record(body->data, body->len, &error);
	if (r == -EBADMSG)
		log_error("%s: the amend is not right: %s: %s", past->row.number, error.path,
			error.text);
	return r < 0 ? r : ledger_put(ledger, &record, receipt);
}

int amends_put(struct amends *amends, const struct past_run *past, const struct amended *change,
	const struct audit_actor *actor, void (*done)(void *arg, const struct commit_item *item),
	void *arg)
{
	struct buffer set = {0}, was = {0}, body = {0};
	struct map set_map, was_map;
	struct ledger_receipt receipt;
	map_open(&set_map, &set);
	map_open(&was_map, &was);
	bool differs = put_changes(&set_map, &was_map, past, change, newest(amends, past->row.id));
	map_close(&set_map);
	map_close(&was_map);
	int r = set.failed || was.failed ? -ENOMEM : differs ? 0 : -EALREADY;
	if (r == 0) {
		put_record(&body, past, change, actor, &set, &was);
		r = write_record(amends->store->ledger, past, &body, &receipt, done, arg);
	}
	if (r == 0) {
		remember(amends, past, change, actor, &receipt);
		r = runs_put_amend(amends->store->rows, past->row.id, receipt.seq);
	}
	buffer_finish(&set);
	buffer_finish(&was);
	buffer_finish(&body);
	return r;
}
