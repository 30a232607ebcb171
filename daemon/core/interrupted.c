/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#define LOG_TOPIC "run"
#include "base/log.h"
#include "core/interrupted.h"
#include "core/ledger.h"
#include "core/runs.h"
#include "record/record.h"
#include "record/uuid.h"

static int write_end(struct core *core, struct runs_row *row, const uint8_t digest[32])
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
	};
	record_run_end(&body, &end);
	struct ledger_receipt receipt;
	struct ledger_record record = {.topic = ledger_topic(core->ledger, row->topic),
		.head = body.data,
		.head_len = body.len};
	int r = -1;
	if (!body.failed && record.topic != NULL)
		r = ledger_put(core->ledger, &record, &receipt);
	buffer_finish(&body);
	if (r == 0)
		row->last = receipt.seq;
	return r;
}

static void end_one(struct core *core, struct runs_row *row, uint64_t head)
{
	uint8_t digest[32];
	if (runs_digest(core->runs, row, head, &row->frames, digest) < 0 ||
		write_end(core, row, digest) < 0) {
		log_error("%s was open and could not be ended", row->number);
		return;
	}
	snprintf(row->status, sizeof row->status, "%s",
		words_name(&words_run_status, RUN_STATUS_INTERRUPTED));
	runs_put(core->runs, row);
	log_warn("%s was open when the program ended: interrupted after %llu frames", row->number,
		(unsigned long long)row->frames);
}

void end_interrupted(struct core *core)
{
	uint64_t head = runs_head(core->runs);
	for (size_t i = 0; i < runs_count(core->runs); i++) {
		struct runs_row row = *runs_at(core->runs, i);
		if (row.status[0] == '\0')
			end_one(core, &row, head);
	}
}
