/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "journal/survey.h"

void report_gap(struct journal_report *report, uint64_t from, uint64_t to)
{
	if (report->gap_count < JOURNAL_GAPS_MAX)
		report->gaps[report->gap_count] = (struct journal_gap){from, to};
	report->gap_count++;
}

static uint64_t max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static int take_entry(
	struct survey *survey, const struct record *record, const uint8_t *body, uint64_t offset)
{
	const char *name = NULL;
	size_t name_len = 0;
	uint64_t seq = 0, tc = 0;
	uint32_t topic = TOPIC_NONE;
	int r = survey->entry(body, record->len, &name, &name_len, &seq, &tc);
	if (r < 0 || seq != record->seq || name_len == 0 || name_len > JOURNAL_TOPIC_MAX) {
		survey->report->odd_entries++;
	} else {
		topic = topics_add(survey->topics, name, name_len);
		if (topic == TOPIC_NONE)
			return -ENOMEM;
		topics_advance(survey->topics, topic, seq);
		survey->last_tc = max(survey->last_tc, tc);
	}
	return index_add(survey->index, record->seq, offset, topic, survey->last_tc);
}

/* 1: continues behind the damage; 0: the rest was never committed, or is lost. */
static int skip_damage(struct survey *survey, struct scan *scan)
{
	struct scan_ahead ahead;
	int r = scan_ahead(scan, &ahead);
	if (r < 0)
		return r;
	survey->is_clean = false;
	survey->durable = max(survey->durable, ahead.synced_upto);
	uint64_t durable = max(survey->durable, survey->expected);
	if (durable < scan->next)
		return 0;
	survey->is_damaged = true;
	survey->is_clean = ahead.seq == 0 && ahead.is_clean;
	if (ahead.seq == 0 || ahead.seq - 1 > durable || ahead.seq > survey->limit)
		return 0;
	report_gap(survey->report, scan->next, ahead.seq - 1);
	scan_seek(scan, ahead.offset, ahead.seq);
	return 1;
}

/* 1: continue; 0: this was the last one. */
static int step(struct survey *survey, struct scan *scan)
{
	struct record record;
	const uint8_t *body;
	uint64_t offset = scan->offset;
	if (scan->next > survey->limit)
		return 0;
	int r = scan_next(scan, &record, &body);
	if (r == SCAN_BAD)
		return skip_damage(survey, scan);
	if (r != SCAN_RECORD)
		return r;
	survey->durable = max(survey->durable, record.synced_upto);
	survey->is_clean = record.kind == RECORD_CLEAN_END;
	if (record.kind == RECORD_ENTRY)
		r = take_entry(survey, &record, body, offset);
	return r < 0 ? r : 1;
}

/* Durable entries are missing at the end.  The index gets room for plausible numbers only. */
static int lose_end(struct survey *survey, const struct scan *scan)
{
	survey->is_damaged = true;
	report_gap(survey->report, scan->next, survey->durable);
	survey->head = survey->durable;
	if (survey->durable - scan->next >= scan->size / RECORD_HEADER_SIZE)
		return 0;
	return index_extend(survey->index, survey->durable);
}

int survey_segment(struct survey *survey, struct scan *scan)
{
	survey->durable = max(survey->known, scan->header.first_seq - 1);
	survey->is_clean = survey->is_damaged = false;
	index_start(survey->index, scan->header.first_seq);
	int r;
	do
		r = step(survey, scan);
	while (r > 0);
	if (r < 0)
		return r;
	survey->end = survey->index->end = scan->offset;
	survey->head = scan->next - 1;
	return survey->head < survey->durable ? lose_end(survey, scan) : 0;
}
