/* SPDX-License-Identifier: Apache-2.0 */
/* Reads one segment from end to end, to check it and to rebuild its index and topics. */
#ifndef ASSAY_JOURNAL_SURVEY_H
#define ASSAY_JOURNAL_SURVEY_H

#include "journal/index.h"
#include "journal/scan.h"

struct survey {
	/* Set by the caller; tables and report are added to. */
	journal_entry_fn entry;
	struct topics *topics;
	struct index *index;
	struct journal_report *report; /* gaps, odd entries */
	uint64_t limit;                /* entries after this one belong to the next segment */
	uint64_t known;    /* entries up to here were durable, by other sources than this file */
	uint64_t expected; /* the same for the journal: if it ends earlier, it is a copy */

	uint64_t head;    /* the last seq: first_seq - 1 when there is no entry */
	uint64_t durable; /* the highest seq that was certainly durable */
	uint64_t end;     /* where the last sound record ends */
	uint64_t last_tc;
	bool is_clean;   /* the last record is a clean end */
	bool is_damaged; /* something durable is missing: leave the file as it is */
};

/*
 * Surveys the segment that `scan` has just opened.  0, or a negative errno: -EIO if the disk cannot
 * be read; then the tables hold a part.
 */
int survey_segment(struct survey *survey, struct scan *scan);

/* Adds a gap to the report. */
void report_gap(struct journal_report *report, uint64_t from, uint64_t to);

#endif
