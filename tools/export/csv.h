/* SPDX-License-Identifier: Apache-2.0 */
/* The two kinds of CSV; csv.c writes the tables of both, csv-head.c the comments of the first. */
#ifndef ASSAY_EXPORT_CSV_H
#define ASSAY_EXPORT_CSV_H

#include "cell.h"
#include "export.h"

struct csv_style {
	const char *begin, *end; /* of a file, of a line */
	bool is_for_people; /* no comments, but all facts of the run as columns; else for R and Python */
};

/* Comments; each is a line "# ...". */
void csv_put_heading(struct buffer *to, const struct export_run *run);
void csv_put_start(
	struct buffer *to, const struct assay_entry_view *entry, const struct assay_record_view *r);
void csv_put_step(struct buffer *to, const struct assay_frame_view *frame);
void csv_put_lost(struct buffer *to, const struct export_item *item);
void csv_put_amend(struct buffer *to, const struct assay_record_view *r);
void csv_put_end(struct buffer *to, const struct assay_record_view *r);

/* The remark given at the start; {NULL, 0}: none. */
struct assay_string csv_note(const struct assay_record_view *start);

/* "SOP-014, version 3": of a run-start; then the ids of its calibrations: "CAL-1; CAL-2". */
void csv_put_method(struct buffer *to, const struct assay_record_view *start);
void csv_put_calibrations(struct buffer *to, const struct assay_record_view *start);

#endif
