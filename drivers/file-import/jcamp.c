/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JCAMP-DX: text records in blocks from ##TITLE= to ##END=.  A LINK block has other blocks in it, an NTUPLES
 * block has pages with a table each.  Each table of numbers is a frame.  ##END= of the outermost block is
 * the end mark.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "jcamp-decode.h"
#include "jcamp-scan.h"

#define DEPTH     8
#define FRAME_MAX (8u << 20)

struct block {
	uint64_t at;
	uint64_t head_end;         /* of the records for all tables; 0: there is one table so far */
	uint64_t body;             /* of the records of one table, behind those */
	uint64_t table, table_end; /* 0: none yet */
	bool is_link, is_ntuples, has_table;
};

struct jcamp {
	struct jcamp_scan scan;
	struct block block[DEPTH];
	unsigned depth;
	/* By look(). */
	uint64_t blocks, frames;
	bool has_link;
};

/* --- blocks and their tables ------------------------------------------------------------------ */

/* The bytes of the table that ends here, if there is one: 1, or 0. */
static int end_table(struct block *b, uint64_t end, struct format_plan *plan)
{
	if (!b->has_table)
		return 0;
	b->has_table = false;
	if (b->head_end == 0) {
		plan->part = "block";
		plan->slice[0] = (struct format_slice){0, b->at, end - b->at};
		plan->count = 1;
	} else {
		plan->part = "page";
		plan->slice[0] = (struct format_slice){0, b->at, b->head_end - b->at};
		plan->slice[1] = (struct format_slice){0, b->body, end - b->body};
		plan->count = 2;
	}
	return 1;
}

/* Of a second table without a page of its own, the records before the first one are for both. */
static int begin_table(struct block *b, uint64_t at, struct format_plan *plan)
{
	int r = end_table(b, b->table_end, plan);
	if (b->table_end > 0) {
		b->head_end = b->head_end > 0 ? b->head_end : b->table;
		b->body = b->table_end;
	}
	b->has_table = true;
	b->table = at;
	b->table_end = 0;
	return r;
}

static int begin_page(struct block *b, uint64_t at, struct format_plan *plan)
{
	int r = end_table(b, at, plan);
	b->head_end = b->head_end > 0 ? b->head_end : at;
	b->body = at;
	b->table_end = 0;
	return r;
}

/* The effect of one record: 1: a table has ended, which is in `plan`; 0; -EBADMSG: the blocks are mixed up. */
static int take_record(struct jcamp *j, const struct jcamp_record *record, struct format_plan *plan)
{
	struct block *b = j->depth > 0 ? &j->block[j->depth - 1] : NULL;
	char x[JCAMP_SYMBOL], y[JCAMP_SYMBOL];
	if (strcmp(record->label, "TITLE") == 0) {
		if (j->depth == DEPTH || (b != NULL && !b->is_link))
			return -EBADMSG;
		j->block[j->depth++] = (struct block){.at = record->at};
		j->blocks++;
		return 0;
	}
	if (b == NULL)
		return 0;
	if (b->has_table && b->table_end == 0)
		b->table_end = record->at;
	if (strcmp(record->label, "END") == 0) {
		j->depth--;
		return end_table(b, record->after, plan);
	}
	if (strcmp(record->label, "DATATYPE") == 0 && strcmp(record->text, "LINK") == 0)
		b->is_link = j->has_link = true;
	if (strcmp(record->label, "NTUPLES") == 0)
		b->is_ntuples = true;
	if (b->is_ntuples && strcmp(record->label, "PAGE") == 0)
		return begin_page(b, record->at, plan);
	if (b->is_ntuples && strcmp(record->label, "ENDNTUPLES") == 0) {
		b->is_ntuples = false;
		return end_table(b, record->at, plan);
	}
	return jcamp_form_of(record, x, y) != JCAMP_NO_FORM ? begin_table(b, record->at, plan) : 0;
}

static void start_over(struct jcamp *j, struct source *s)
{
	jcamp_scan_init(&j->scan, s);
	j->depth = 0;
}

/* --- look ------------------------------------------------------------------------------------- */

/* The first record is a title, and nothing but blanks and the mark of UTF-8 is before it. */
static bool fits(struct source *s)
{
	struct jcamp_scan scan;
	struct jcamp_record record;
	char start[64];
	size_t size = sizeof start, blanks = 0;
	if (s->files != 1 || s->is_folder)
		return false;
	size = s->file[0].size < size ? (size_t)s->file[0].size : size;
	if (s->read(s, 0, 0, start, size) < 0)
		return false;
	while (blanks < size && memchr(" \t\r\n\xef\xbb\xbf", start[blanks], 7) != NULL)
		blanks++;
	if (size - blanks < 2 || start[blanks] != '#' || start[blanks + 1] != '#')
		return false;
	jcamp_scan_init(&scan, s);
	return jcamp_scan_next(&scan, &record) == 1 && strcmp(record.label, "TITLE") == 0;
}

static void set_fact(char to[FORMAT_FACT], const struct jcamp_record *record)
{
	if (to[0] == '\0')
		snprintf(to, FORMAT_FACT, "%s", record->text);
}

/* The first block that states a fact counts. */
static void read_fact(const struct jcamp_record *record, struct format_facts *facts)
{
	const char *label = record->label;
	if (strcmp(label, "TITLE") == 0)
		set_fact(facts->title, record);
	else if (strcmp(label, "SPECTROMETERDATASYSTEM") == 0 || strcmp(label, "INSTRUMENT") == 0)
		set_fact(facts->model, record);
	else if (strcmp(label, "SAMPLINGPROCEDURE") == 0)
		set_fact(facts->method, record);
	else if (strcmp(label, "LONGDATE") == 0)
		jcamp_date(record->text, facts->acquired, facts->zone);
	else if (strcmp(label, "DATE") == 0)
		set_fact(facts->acquired, record);
	else if (strcmp(label, "TIME") == 0 && facts->acquired[0] != '\0' &&
		 strchr(facts->acquired, ':') == NULL) {
		size_t len = strlen(facts->acquired);
		snprintf(facts->acquired + len, FORMAT_FACT - len, " %s", record->text);
	}
}

static int found(struct format_facts *facts, enum format_found what, const char *why)
{
	snprintf(facts->why, sizeof facts->why, "%s", why);
	return what;
}

static int look(struct source *s, void *state, struct format_facts *facts)
{
	struct jcamp *j = state;
	struct jcamp_record record;
	struct format_plan plan;
	uint64_t size = s->file[0].size, planned = 0;
	int r;
	start_over(j, s);
	while ((r = jcamp_scan_next(&j->scan, &record)) == 1) {
		read_fact(&record, facts);
		r = take_record(j, &record, &plan);
		if (r < 0)
			return found(facts, FORMAT_DAMAGED,
				"a block begins inside another one that is no LINK block");
		uint64_t len = 0;
		for (unsigned i = 0; r == 1 && i < plan.count; i++)
			len += plan.slice[i].len;
		if (len > FRAME_MAX)
			return found(facts, FORMAT_DAMAGED, "a table of more than 8 MiB");
		planned += len;
		if (planned / 64 > size)
			return found(facts, FORMAT_DAMAGED,
				"the records for all pages are repeated too often");
		j->frames += (uint64_t)r;
	}
	if (r < 0)
		return r;
	if (j->depth > 0 || j->blocks == 0)
		return found(facts, FORMAT_INCOMPLETE, "its last ##END= is missing");
	return j->frames > 0
		       ? FORMAT_WHOLE
		       : found(facts, FORMAT_UNDECODED, "no table of a form that can be decoded");
}

static int next(struct source *s, void *state, bool rewind, struct format_plan *plan)
{
	struct jcamp *j = state;
	struct jcamp_record record;
	int r = 0;
	if (rewind)
		start_over(j, s);
	while (r == 0 && (r = jcamp_scan_next(&j->scan, &record)) == 1)
		r = take_record(j, &record, plan);
	bool is_whole = j->frames == 1 && !j->has_link && j->blocks == 1;
	if (r == 1 && is_whole && s->file[0].size <= FRAME_MAX) {
		plan->part = "block";
		plan->slice[0] = (struct format_slice){0, 0, s->file[0].size};
		plan->count = 1;
	}
	return r;
}

const struct format format_jcamp = {
	.name = "jcamp",
	.summary = "JCAMP-DX: *.dx, *.jdx, *.jcm",
	.techniques = "ftir nir raman uv-vis ms gcms gc",
	.state_size = sizeof(struct jcamp),
	.fits = fits,
	.look = look,
	.next = next,
	.decode = jcamp_decode,
};
