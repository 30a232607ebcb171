/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSV: one line of columns, then one line per point of a frame's axes, or per frame if it has none.
 * The first columns say where the line belongs, then comes a column per variable.  Frames with other
 * variables go to another file.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <assay/client.h>

#include "csv.h"
#include "record/digest.h"
#include "record/text.h"
#include "table.h"

static const struct csv_style for_programs = {.begin = "", .end = "\n"};
static const struct csv_style for_people = {
	.begin = "\xef\xbb\xbf", .end = "\r\n", .is_for_people = true};

static const struct csv_style *style_of(const struct export *e)
{
	return e->format->style;
}

/* With a decimal comma the separator is a semicolon. */
static bool has_comma(const struct export *e)
{
	return style_of(e)->is_for_people && e->decimal_comma;
}

static void put_separator(const struct export *e, struct buffer *to)
{
	cell_put(to, has_comma(e) ? ";" : ",");
}

/* --- the columns before the variables --------------------------------------------------------- */

enum fact {
	RUN,
	SAMPLE,
	OPERATOR,
	METHOD,
	CALIBRATION,
	NOTE,
	STATUS,
	CORRECTED,
	VALID,
	SIMULATED,
	FACTS
};

static const struct {
	const char *name;
	bool is_for_people; /* else it is in the comments, too */
	bool is_flag;
} facts[FACTS] = {
	[RUN] = {"run"},
	[SAMPLE] = {"sample"},
	[OPERATOR] = {"operator", true},
	[METHOD] = {"method", true},
	[CALIBRATION] = {"calibration", true},
	[NOTE] = {"note", true},
	[STATUS] = {"status", true},
	[CORRECTED] = {"corrected", true},
	[VALID] = {"valid", .is_flag = true},
	[SIMULATED] = {"simulated", .is_flag = true},
};

static const char *const frame_columns[] = {
	"frame", "step", "partial", "utc", "quality", "why", "dropped"};

static bool has_fact(const struct export *e, enum fact fact)
{
	return !facts[fact].is_for_people || style_of(e)->is_for_people;
}

static struct assay_string flag_text(bool flag)
{
	return string_of(flag ? "TRUE" : "FALSE");
}

static struct assay_string or_none(const char *text)
{
	return string_of(text[0] != '\0' ? text : "none");
}

/* A spreadsheet shows 00123, 3E5, 1-2 and numbers of more than 11 digits as something else. */
static bool is_altered(struct assay_string text)
{
	bool has_digits_only = true;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.data[i];
		if (c < '0' || c > '9')
			has_digits_only = false;
		if ((c < '0' || c > '9') && (i == 0 || strchr(".,eE+-/: ", c) == NULL))
			return false;
	}
	return text.len > 1 && (!has_digits_only || text.data[0] == '0' || text.len > 11);
}

/* The cells that all lines of the run begin with, as corrected; `start` may be NULL. */
static void make_facts(struct export *e, const struct assay_record_view *start)
{
	const struct export_run *run = &e->run;
	const struct export_correction *now = &run->corrected;
	struct buffer method = {0}, calibrations = {0};
	struct assay_string texts[FACTS] = {[RUN] = string_of(run->number),
		[STATUS] = string_of(run->status[0] != '\0' ? run->status : "open"),
		[CORRECTED] = string_of(now->reason),
		[VALID] = flag_text((now->keys & EXPORT_VALID) == 0 || now->valid),
		[SIMULATED] = flag_text(run->sim)};
	if (start != NULL) {
		csv_put_method(&method, start);
		csv_put_calibrations(&calibrations, start);
		texts[SAMPLE] = start->sample;
		texts[OPERATOR] = start->person;
		texts[NOTE] = csv_note(start);
		texts[METHOD] = (struct assay_string){(const char *)method.data, method.len};
		texts[CALIBRATION] = (struct assay_string){
			(const char *)calibrations.data, calibrations.len};
	}
	if ((now->keys & EXPORT_SAMPLE) != 0)
		texts[SAMPLE] = or_none(now->sample);
	if ((now->keys & EXPORT_OPERATOR) != 0)
		texts[OPERATOR] = or_none(now->person);
	if ((now->keys & EXPORT_NOTE) != 0)
		texts[NOTE] = string_of(now->note);
	if (style_of(e)->is_for_people && is_altered(texts[SAMPLE]))
		export_note(e,
			"sample ids look like numbers or dates, which a spreadsheet alters: "
			"import that column as text",
			1);
	buffer_reset(&e->facts);
	for (enum fact i = 0; i < FACTS; i++) {
		if (has_fact(e, i) && facts[i].is_flag)
			cell_put(&e->facts, "%s", texts[i].data);
		else if (has_fact(e, i))
			cell_put_text(&e->facts, texts[i]);
		if (has_fact(e, i))
			put_separator(e, &e->facts);
	}
	e->facts.failed |= method.failed || calibrations.failed;
	buffer_finish(&method);
	buffer_finish(&calibrations);
}

static void put_reasons(struct buffer *to, const struct assay_frame_view *frame)
{
	struct buffer words = {0};
	facts_put_reasons(&words, frame);
	cell_put_text(to, (struct assay_string){(const char *)words.data, words.len});
	to->failed |= words.failed;
	buffer_finish(&words);
}

/* The cells that all lines of the frame begin with. */
static void put_begin(
	const struct export *e, struct buffer *to, const struct assay_frame_view *frame)
{
	const char *separator = has_comma(e) ? ";" : ",";
	struct buffer utc = {0};
	cell_put_time(&utc, frame->record.t.utc);
	buffer_append(to, e->facts.data, e->facts.len);
	cell_put(to, "%" PRIu64 "%s", frame->record.n, separator);
	cell_put_text(to, frame->step_name);
	cell_put(to, "%s%s%s", separator, flag_text(frame->partial).data, separator);
	cell_put_text(to, (struct assay_string){(const char *)utc.data, utc.len});
	cell_put(to, "%s", separator);
	cell_put_text(to, string_of(assay_quality_name(frame->quality)));
	cell_put(to, "%s", separator);
	put_reasons(to, frame);
	cell_put(to, "%s%" PRIu64, separator, frame->dropped);
	buffer_finish(&utc);
}

/* --- the columns of the variables ------------------------------------------------------------- */

static void put_name(const struct export *e, struct buffer *to, const struct assay_var_view *var)
{
	struct buffer name = {0};
	const struct {
		const char *before, *after;
		struct assay_string text;
	} parts[] = {{"", "", var->name}, {" ", "", var->analyte}, {" (", ")", var->basis},
		{" {", "}", var->channel}, {" [", "]", var->unit}};
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		if (parts[i].text.data == NULL)
			continue;
		cell_put(&name, "%s", parts[i].before);
		buffer_append(&name, parts[i].text.data, parts[i].text.len);
		cell_put(&name, "%s", parts[i].after);
	}
	put_separator(e, to);
	cell_put_text(to, (struct assay_string){(const char *)name.data, name.len});
	to->failed |= name.failed;
	buffer_finish(&name);
}

static void make_header(const struct export *e, const struct table *t, struct buffer *to)
{
	for (enum fact i = 0; i < FACTS; i++) {
		if (has_fact(e, i)) {
			cell_put_text(to, string_of(facts[i].name));
			put_separator(e, to);
		}
	}
	for (size_t i = 0; i < sizeof frame_columns / sizeof *frame_columns; i++) {
		cell_put(to, "%s", i == 0 ? "" : has_comma(e) ? ";" : ",");
		cell_put_text(to, string_of(frame_columns[i]));
	}
	for (size_t i = 0; i < t->columns_count; i++) {
		if (t->columns[i].is_shown)
			put_name(e, to, &t->columns[i].var);
	}
	cell_put(to, "%s", style_of(e)->end);
}

/* The variables that have no column. */
static void note_unshown(struct export *e, const struct table *t)
{
	for (size_t i = 0; i < t->columns_count; i++) {
		if (t->columns[i].is_shown)
			continue;
		export_note(e,
			"variables left out, which have other dimensions; --format json has them",
			1);
		if (style_of(e)->is_for_people)
			continue;
		cell_put(&e->to, "# not in this table, it has other dimensions: ");
		cell_put_escaped(&e->to, t->columns[i].var.name);
		cell_put(&e->to, "; it is in --format json\n");
	}
}

/* The comments of the run stand in each file that has data of it. */
static void put_head_once(struct export *e)
{
	uint64_t bit = UINT64_C(1) << e->tables.at;
	if (!style_of(e)->is_for_people && (e->with_head & bit) == 0)
		buffer_append(&e->to, e->head.data, e->head.len);
	e->with_head |= bit;
}

/* Finds the file for these columns, or begins a new one.  0, -E2BIG or -ENOMEM. */
static int choose_file(struct export *e, const struct table *t)
{
	struct buffer header = {0};
	struct digest digest;
	uint8_t hash[ASSAY_SHA256_SIZE];
	make_header(e, t, &header);
	int r = header.failed ? -ENOMEM : digest_init(&digest);
	if (r == 0) {
		digest_update(&digest, header.data, header.len);
		digest_final(&digest, hash);
		digest_finish(&digest);
		bool is_new;
		r = export_choose_table(e, hash, &is_new);
		if (r == 0 && is_new)
			cell_put(&e->to, "%s", style_of(e)->begin);
		if (r == 0)
			put_head_once(e);
		if (r == 0 && is_new) {
			note_unshown(e, t);
			buffer_append(&e->to, header.data, header.len);
		}
	}
	buffer_finish(&header);
	return r;
}

/* --- lines ------------------------------------------------------------------------------------ */

static void put_value(
	const struct export *e, struct buffer *to, const struct table_column *c, size_t at)
{
	char number[64];
	put_separator(e, to);
	if (at >= c->var.count)
		return;
	struct assay_string text = assay_var_text(&c->var, at);
	if (text.data != NULL) {
		cell_put_text(to, text);
		return;
	}
	ssize_t len = assay_client_text(&c->var, at, number, sizeof number);
	char *point = len > 0 ? strchr(number, '.') : NULL;
	if (point != NULL && has_comma(e))
		*point = ',';
	if (len > 0 && strcmp(number, "nan") != 0)
		buffer_append(to, number, (size_t)len);
	else if (len > 0 && !style_of(e)->is_for_people)
		cell_put(to, "NaN");
}

static int put_frame(struct export *e, const struct export_item *item)
{
	static struct table t;
	const struct assay_frame_view *frame = &item->frame;
	struct buffer begin = {0};
	if (e->facts.len == 0)
		make_facts(e, NULL);
	table_read(&t, frame);
	int r = choose_file(e, &t);
	if (r < 0)
		return r;
	if (!style_of(e)->is_for_people)
		csv_put_lost(&e->to, item);
	if (!style_of(e)->is_for_people && frame->step != e->step)
		csv_put_step(&e->to, frame);
	e->step = frame->step;
	put_begin(e, &begin, frame);
	for (size_t row = 0; row < t.rows && !e->to.failed; row++) {
		buffer_append(&e->to, begin.data, begin.len);
		for (size_t i = 0; i < t.columns_count; i++) {
			if (t.columns[i].is_shown)
				put_value(
					e, &e->to, &t.columns[i], table_at(&t, &t.columns[i], row));
		}
		cell_put(&e->to, "%s", style_of(e)->end);
	}
	e->tables.of[e->tables.at].rows += t.rows;
	e->to.failed |= begin.failed;
	buffer_finish(&begin);
	return 0;
}

/* --- the format ------------------------------------------------------------------------------- */

static int begin(struct export *e)
{
	buffer_reset(&e->head);
	buffer_reset(&e->facts);
	e->with_head = e->step = 0;
	csv_put_heading(&e->head, &e->run);
	return 0;
}

static int put_entry(struct export *e, const struct export_item *item)
{
	const struct assay_record_view *record = &item->frame.record;
	struct buffer *comments = e->with_head == 0 ? &e->head : &e->to;
	if (item->is_frame)
		return put_frame(e, item);
	if (record->type == ASSAY_RECORD_RUN_START)
		make_facts(e, record);
	if (style_of(e)->is_for_people)
		return 0;
	if (record->type == ASSAY_RECORD_RUN_START) {
		csv_put_start(comments, &item->entry, record);
	} else if (record->type == ASSAY_RECORD_AMEND) {
		csv_put_amend(comments, record);
	} else if (record->type == ASSAY_RECORD_RUN_END) {
		csv_put_end(comments, record);
		csv_put_lost(comments, item);
	} else if (record->type == 0 || record->type == ASSAY_RECORD_FRAME) {
		cell_put(comments, "# entry %" PRIu64 " cannot be read\n", item->entry.seq);
	}
	return 0;
}

/* A run without a frame: its comments go to the first file. */
static int end(struct export *e)
{
	if (e->with_head == 0)
		e->tables.at = 0;
	if (e->with_head == 0)
		put_head_once(e);
	return 0;
}

const struct export_format export_csv = {
	.begin = begin, .entry = put_entry, .end = end, .style = &for_programs};
const struct export_format export_csv_excel = {
	.begin = begin, .entry = put_entry, .end = end, .style = &for_people};
