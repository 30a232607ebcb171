/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SENAITE's "2-Dimensional-CSV": one line of results of a sample.  Its importer makes 0 of a negative
 * number, of "ND" and, in some versions, of an empty cell, so a result that it would change has no
 * column at all.  It passes over lines before the one that ends with "end"; these are the comments.
 */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "cell.h"
#include "export.h"
#include "record/text.h"

#define KEYWORD 64
#define ROWS    ASSAY_VARS_MAX

static const char *const marks[] = {",", NULL};

struct results {
	struct result {
		char keyword[KEYWORD];
		double value;
		bool is_twice;
	} rows[ROWS];
	size_t count;
};

/* Letters, digits and _ of the analyte: the importer drops others of a keyword. */
static void make_keyword(char to[KEYWORD], struct assay_string analyte)
{
	size_t len = 0;
	for (size_t i = 0; i < analyte.len && len + 1 < KEYWORD; i++) {
		unsigned char c = (unsigned char)analyte.data[i];
		if (c < 0x80 && (isalnum(c) || c == '_'))
			to[len++] = (char)c;
	}
	to[len] = '\0';
}

/* The results of a frame: single numbers of an analyte.  Their number. */
static size_t read_results(const struct assay_frame_view *of, struct results *to)
{
	struct assay_frame_view frame = *of;
	struct assay_var_view var;
	to->count = 0;
	assay_frame_rewind(&frame);
	while (to->count < ROWS && assay_frame_next(&frame, &var) == 1) {
		struct result *row = &to->rows[to->count];
		if (var.role != ASSAY_ROLE_DATA || var.dims_count != 0 || var.count != 1 ||
			var.analyte.data == NULL)
			continue;
		*row = (struct result){.value = assay_var_number(&var, 0)};
		make_keyword(row->keyword, var.analyte);
		for (size_t i = 0; i < to->count; i++) {
			bool is_same = strcmp(to->rows[i].keyword, row->keyword) == 0;
			to->rows[i].is_twice |= is_same;
			row->is_twice |= is_same;
		}
		to->count++;
	}
	return to->count;
}

static bool is_usable(const struct assay_frame_view *frame)
{
	return frame->quality == ASSAY_QUALITY_GOOD || frame->quality == ASSAY_QUALITY_UNCHECKED;
}

/* e->fits: the number of the last usable frame with results, and 1. */
static int survey(struct export *e, const struct export_item *item)
{
	static struct results results;
	if (item->is_frame && is_usable(&item->frame) && read_results(&item->frame, &results) > 0)
		e->fits = item->frame.record.n + 1;
	return 0;
}

/* Why the run cannot be imported; NULL: it can. */
static const char *why_not(const struct facts *facts)
{
	const char *sample = facts->texts[FACT_SAMPLE];
	if (facts->texts[FACT_NOT_VALID][0] != '\0')
		return "runs left out that are declared invalid";
	if (sample[0] == '\0' || strcmp(sample, "none") == 0)
		return "runs left out that have no sample id";
	for (const char *c = sample; *c != '\0'; c++) {
		if (*c == ',' || *c == '\\' || *c <= ' ' || *c == 0x7f || (*c & 0x80) != 0)
			return "runs left out whose sample id has a comma, a blank or a character "
			       "outside ASCII";
	}
	return NULL;
}

/* Whether the importer takes the value as it is; else with a note of the reason. */
static bool is_result(struct export *e, const struct result *row)
{
	const char *why = NULL;
	if (row->keyword[0] == '\0')
		why = "results left out whose analyte has no letter or digit";
	else if (row->is_twice)
		why = "results left out: several of one analyte";
	else if (!isfinite(row->value))
		why = "results left out that are not numbers";
	else if (row->value < 0)
		why = "results below zero left out, which the importer would change to 0";
	if (why != NULL)
		export_note(e, why, 1);
	return why == NULL;
}

static void put_line(struct export *e, const struct results *results, bool with_values)
{
	const struct facts *facts = &e->about;
	if (with_values)
		cell_put(&e->to, "%s%s",
			facts->texts[FACT_SIMULATED][0] != '\0' ? "SIMULATED-" : "",
			facts->texts[FACT_SAMPLE]);
	for (size_t i = 0; i < results->count; i++) {
		cell_put(&e->to, ",");
		if (with_values)
			cell_put_number(&e->to, results->rows[i].value);
		else
			cell_put(&e->to, "%s", results->rows[i].keyword);
	}
	cell_put(&e->to, with_values ? ",\r\n" : ",end\r\n");
}

static int put_results(struct export *e, const struct assay_frame_view *frame)
{
	static const struct facts_style comments = {"# ", ": ", "\r\n", marks, FACT_SIZE};
	static struct results results;
	size_t count = 0;
	bool is_new;
	read_results(frame, &results);
	for (size_t i = 0; i < results.count; i++) {
		if (is_result(e, &results.rows[i]))
			results.rows[count++] = results.rows[i];
	}
	results.count = count;
	int r = count > 0 ? export_choose_file(e, 0, &is_new) : 0;
	if (r < 0 || count == 0)
		return r;
	facts_put_comments(&e->to, &e->about, frame, &comments);
	put_line(e, &results, false);
	put_line(e, &results, true);
	cell_put(&e->to, "end");
	for (size_t i = 0; i <= count; i++)
		cell_put(&e->to, ",");
	cell_put(&e->to, "\r\n");
	return 0;
}

static int put_entry(struct export *e, const struct export_item *item)
{
	static struct results results;
	const char *why = why_not(&e->about);
	if (!item->is_frame)
		return 0;
	if (item->frame.record.n + 1 == e->fits && why != NULL)
		export_note(e, why, 1);
	else if (item->frame.record.n + 1 == e->fits)
		return put_results(e, &item->frame);
	else if (read_results(&item->frame, &results) == 0)
		export_note(e, "frames of another kind left out: no results of analytes", 1);
	else if (!is_usable(&item->frame))
		export_note(e, "frames left out that are suspect, bad or missing", 1);
	else
		export_note(e,
			"frames left out before the last one, whose results are the sample's", 1);
	return 0;
}

const struct export_format export_senaite = {.survey = survey,
	.entry = put_entry,
	.lacks = "units: those of the analysis services apply; times of results; settings and "
		 "setup of "
		 "the instrument"};
