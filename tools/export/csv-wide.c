/* SPDX-License-Identifier: Apache-2.0 */
/* Wide CSV: a line per point of the axis, a column per spectrum; a file per run and axis. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "cell.h"
#include "collect.h"
#include "record/text.h"

#define EXCEL_COLUMNS 16384

static void put_heading(struct export *e, const struct collect_group *group)
{
	static const char *const marks[] = {NULL};
	static const struct facts_style comments = {"# ", ": ", "\n", marks, 2 * FACT_SIZE};
	struct buffer *to = &e->to;
	facts_put_comments(to, &e->about, NULL, &comments);
	for (size_t i = 0; i < group->frames_count; i++) {
		cell_put(to, "# frame %" PRIu64 ": ", group->frames[i].n);
		cell_put_time(to, group->frames[i].utc);
		cell_put(to, " UTC, %s\n", assay_quality_name(group->frames[i].quality));
	}
	cell_put_text(to, string_of(group->x.label));
	for (size_t i = 0; i < group->spectra_count; i++) {
		const struct collect_spectrum *s = &group->spectra[i];
		char name[240];
		snprintf(name, sizeof name, "frame %" PRIu64 " %s", group->frames[s->frame].n,
			group->variables[s->variable].label);
		cell_put(to, ",");
		cell_put_text(to, string_of(name));
	}
	cell_put(to, "\n");
}

static int end(struct export *e)
{
	const struct collect_group *group;
	int r = collect_next(e, &group);
	if (r <= 0)
		return r;
	if (group->spectra_count >= EXCEL_COLUMNS)
		export_note(
			e, "files with more columns than the 16384 that a spreadsheet shows", 1);
	put_heading(e, group);
	for (size_t i = 0; i < group->points_count && !e->to.failed; i++) {
		cell_put_number(&e->to, group->points[i]);
		for (size_t k = 0; k < group->spectra_count; k++) {
			cell_put(&e->to, ",");
			if (isfinite(group->spectra[k].y[i]))
				cell_put_number(&e->to, group->spectra[k].y[i]);
		}
		cell_put(&e->to, "\n");
	}
	return collect_more(e);
}

const struct export_format export_csv_wide = {.survey = facts_only,
	.entry = collect_add,
	.end = end,
	.forget = collect_forget,
	.lacks = "settings and setup of the instrument; variables without an axis; reasons of a "
		 "frame's quality"};
