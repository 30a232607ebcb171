/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#define LOG_TOPIC "run"
#include "base/log.h"
#include "core/runs/interrupted.h"
#include "core/commit/ledger.h"
#include "core/runs/past-run.h"
#include "core/runs/rows.h"
#include "journal/reader.h"
#include "record/record.h"
#include "record/uuid.h"

#define LATER_MAX 200 /* records per run read in later journals */

static int write_end(struct run_store *store, struct runs_row *row, const uint8_t digest[32],
	const struct quality_counts *counts)
{
	struct buffer body = {0};
	uint8_t id[ASSAY_UUID_SIZE];
	uuid_random(id);
	struct run_end end = {
		.base = {.id = id,
			.t = stamp_now(),
			.inst = {.key = row->instrument, .source = ID_SOURCE_NONE}},
		.run = row->id,
		.frames = row->frames,
		.status = RUN_STATUS_INTERRUPTED,
		.why = "the program ended while the run was open",
		.digest = digest,
		.quality = counts,
	};
	record_run_end(&body, &end);
	struct ledger_receipt receipt;
	struct ledger_record record = {.topic = ledger_topic(store->ledger, row->topic),
		.head = body.data,
		.head_len = body.len};
	int r = -1;
	if (!body.failed && record.topic != NULL)
		r = ledger_put(store->ledger, &record, &receipt);
	buffer_finish(&body);
	if (r == 0)
		row->last = receipt.seq;
	return r;
}

/* 0 with the run-end written, its seq in row->last. */
static int end_one(struct run_store *store, struct runs_row *row, uint64_t head)
{
	uint8_t digest[32];
	struct quality_counts counts;
	if (runs_digest(store->rows, row, head, digest, &counts) < 0 ||
		write_end(store, row, digest, &counts) < 0) {
		log_error("%s was open and could not be ended", row->number);
		return -1;
	}
	snprintf(row->status, sizeof row->status, "%s",
		words_name(&words_run_status, RUN_STATUS_INTERRUPTED));
	log_warn("%s was open when the program ended: interrupted after %llu frames", row->number,
		(unsigned long long)row->frames);
	return 0;
}

/* Is this entry the run's end?  Then its status and frames go into the row. */
static bool take_end(
	const struct run_store *store, const struct runs_amend *later, struct runs_row *row)
{
	struct buffer bytes = {0};
	struct assay_entry_view entry;
	struct assay_record_view record;
	bool is_end = past_entry_read(store->path, later->journal, later->seq, &bytes) == 0 &&
		      assay_entry_read(bytes.data, bytes.len, &entry) == 0 &&
		      assay_record_read(entry.body.data, entry.body.len, &record) == 0 &&
		      record.type == ASSAY_RECORD_RUN_END;
	if (is_end) {
		snprintf(row->status, sizeof row->status, "%.*s", (int)record.status.len,
			record.status.data);
		row->frames = record.frames;
	}
	buffer_finish(&bytes);
	return is_end;
}

static bool is_ended_later(struct run_store *store, struct runs_row *row)
{
	struct runs_amend later[LATER_MAX];
	size_t count = runs_amends(store->rows, row->id, later, LATER_MAX);
	for (size_t i = 0; i < count && i < LATER_MAX; i++) {
		if (take_end(store, &later[i], row))
			return true;
	}
	return false;
}

/* A run of a former journal: its end is in a later one, or is now written into this one. */
static void end_former(struct run_store *store, struct runs_row *row)
{
	uint64_t first, last;
	if (!is_ended_later(store, row)) {
		if (journal_range(&io_posix, store->path, row->journal, &first, &last) < 0 ||
			end_one(store, row, last) < 0)
			return;
		runs_put_amend(store->rows, row->id, row->last);
	}
	runs_end_former(store->rows, row->id, row->status, row->frames);
}

void end_interrupted(struct run_store *store)
{
	uint64_t head = runs_head(store->rows);
	struct runs_search search = {0};
	struct runs_row row;
	while (runs_search(store->rows, &search, &row) > 0) {
		if (row.status[0] != '\0')
			continue;
		if (memcmp(row.journal, ledger_journal_id(store->ledger), sizeof row.journal) != 0)
			end_former(store, &row);
		else if (end_one(store, &row, head) == 0)
			runs_put(store->rows, &row);
	}
}
