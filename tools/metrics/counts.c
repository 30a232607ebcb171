/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "counts.h"
#include "record/text.h"
#include "record/words.h"

static const enum assay_quality_flag flags[COUNTS_FLAGS] = {ASSAY_QUALITY_GOOD,
	ASSAY_QUALITY_UNCHECKED, ASSAY_QUALITY_SUSPECT, ASSAY_QUALITY_BAD, ASSAY_QUALITY_MISSING};

const char *counts_status(size_t i)
{
	return words_name(&words_run_status, (int)i + 1);
}

const char *counts_flag(size_t i)
{
	return assay_quality_name(flags[i]);
}

/* The row, a new one if needed; NULL: there are too many, or the key is no token. */
static struct counts_row *row_of(struct counts *counts, struct assay_string key)
{
	for (size_t i = 0; i < counts->count; i++) {
		if (assay_string_is(key, counts->rows[i].instrument))
			return &counts->rows[i];
	}
	if (counts->count == COUNTS_MAX || !token_is_valid(key))
		return NULL;
	if (counts->count == counts->size) {
		size_t size = counts->size == 0 ? 16 : counts->size * 2;
		struct counts_row *rows = realloc(counts->rows, size * sizeof *rows);
		if (rows == NULL)
			return NULL;
		counts->rows = rows;
		counts->size = size;
	}
	struct counts_row *row = &counts->rows[counts->count++];
	*row = (struct counts_row){0};
	text_copy(row->instrument, sizeof row->instrument, key);
	return row;
}

static void take_frame(struct counts *counts, struct assay_span body)
{
	struct assay_frame_view frame;
	if (assay_frame_read(body.data, body.len, &frame) < 0)
		return;
	struct counts_row *row = row_of(counts, frame.record.inst.key);
	if (row == NULL)
		return;
	for (size_t i = 0; i < COUNTS_FLAGS; i++)
		row->frames[i] += flags[i] == frame.quality;
	row->dropped += frame.dropped;
	row->retries += frame.retries;
}

void counts_take(struct counts *counts, const struct assay_client_item *item)
{
	struct assay_record_view record;
	struct assay_span body = item->entry.body;
	if (item->kind != ASSAY_ITEM_ENTRY || assay_record_read(body.data, body.len, &record) < 0)
		return;
	if (record.type == ASSAY_RECORD_FRAME)
		take_frame(counts, body);
	if (record.type != ASSAY_RECORD_RUN_END)
		return;
	struct counts_row *row = row_of(counts, record.inst.key);
	for (size_t i = 0; row != NULL && i < COUNTS_STATUSES; i++)
		row->runs[i] += assay_string_is(record.status, counts_status(i));
}

void counts_finish(struct counts *counts)
{
	free(counts->rows);
	*counts = (struct counts){0};
}
