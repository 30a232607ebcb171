/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CSV for spreadsheets and R: comments with the provenance, a line of columns, then one line per
 * point of the frame's axes, or per frame if it has none; a variable per column.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <assay/client.h>

#include "base/clock.h"
#include "export.h"
#include "record/json.h"
#include "record/uuid.h"

#define LONG_TEXT 8192

static void put(struct buffer *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct buffer *to, const char *format, ...)
{
	char text[LONG_TEXT];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (len > 0)
		buffer_append(to, text, len < LONG_TEXT ? (size_t)len : LONG_TEXT - 1);
}

/* --- comments --------------------------------------------------------------------------------- */

/* Without line ends, which would end the comment. */
static void put_clean(struct buffer *to, struct assay_string text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = (unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f ? ' '
										    : text.data[i];
		buffer_append(to, &c, 1);
	}
}

static void put_fact(struct buffer *to, const char *name, struct assay_string text)
{
	if (text.data == NULL)
		return;
	put(to, "# %s: ", name);
	put_clean(to, text);
	put(to, "\n");
}

static void put_map(struct buffer *to, const char *name, struct assay_span map)
{
	if (map.data == NULL)
		return;
	put(to, "# %s: ", name);
	json_write(to, map.data, map.len);
	put(to, "\n");
}

static void put_time(struct buffer *to, uint64_t ns)
{
	struct tm tm;
	char text[32];
	time_t seconds = (time_t)(ns / NS_PER_S);
	gmtime_r(&seconds, &tm);
	strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
	put(to, "%s.%03u", text, (unsigned)(ns % NS_PER_S / NS_PER_MS));
}

static void put_start(
	struct buffer *to, const struct assay_entry_view *entry, const struct assay_record_view *r)
{
	char text[HEX_SIZE(ASSAY_SHA256_SIZE)];
	put(to, "# started: ");
	put_time(to, r->t.utc);
	put(to, " UTC, clock %s\n", assay_sync_name(r->t.sync));
	put_fact(to, "sample", r->sample);
	put_fact(to, "operator", r->person);
	put_fact(to, "method", r->method);
	put_fact(to, "instrument", r->inst.key);
	put_fact(to, "make", r->inst.make);
	put_fact(to, "model", r->inst.model);
	put_fact(to, "serial", r->inst.serial);
	put_fact(to, "firmware", r->inst.fw);
	put_fact(to, "technique", r->technique);
	put_fact(to, "mode", r->mode);
	put_map(to, "settings", r->settings);
	put_map(to, "setup", r->setup);
	put(to, "# journal: %s, entry %" PRIu64 "\n",
		hex_write(text, entry->journal, ASSAY_UUID_SIZE), entry->seq);
	if (r->config != NULL)
		put(to, "# configuration: sha256 %s\n",
			hex_write(text, r->config, ASSAY_SHA256_SIZE));
}

static void put_lost(struct buffer *to, const struct export_item *item)
{
	if (item->lost > 0)
		put(to, "# LOST: frames %" PRIu64 " to %" PRIu64 "\n", item->lost_first,
			item->lost_first + item->lost - 1);
}

static void put_end(struct buffer *to, const struct export_item *item)
{
	const struct assay_record_view *r = &item->frame.record;
	char text[HEX_SIZE(ASSAY_SHA256_SIZE)];
	put(to, "# end: %.*s, %" PRIu64 " frames, digest %s\n", (int)r->status.len, r->status.data,
		r->frames,
		r->digest != NULL ? hex_write(text, r->digest, ASSAY_SHA256_SIZE) : "none");
	put_fact(to, "why", r->why);
	put_lost(to, item);
}

static void put_amend(struct buffer *to, const struct assay_record_view *r)
{
	put(to, "# AMENDED ");
	put_time(to, r->t.utc);
	put(to, " UTC by ");
	put_clean(to, r->actor);
	put(to, ": now ");
	json_write(to, r->set.data, r->set.len);
	put(to, ", before ");
	json_write(to, r->was.data, r->was.len);
	put(to, ", because: ");
	put_clean(to, r->reason);
	put(to, "\n");
}

static int put_heading(struct export *e)
{
	struct buffer *to = &e->to;
	const struct export_run *run = &e->run;
	if (e->runs > 0)
		put(to, "\n");
	put(to, "# run: %s\n", run->number);
	if (run->sim)
		put(to, "# SIMULATED: this is not a measurement\n");
	put(to, "# status: %s\n", run->status[0] != '\0' ? run->status : "open, not complete");
	put(to, "# exported by assayctl " ASSAY_VERSION "\n");
	return 0;
}

/* --- tables ----------------------------------------------------------------------------------- */

struct column {
	struct assay_var_view var;
	size_t stride[ASSAY_DIMS_MAX]; /* by dimension of the table */
	bool is_shown;
};

struct table {
	struct column columns[ASSAY_VARS_MAX];
	size_t columns_count;
	struct assay_string dims[ASSAY_DIMS_MAX];
	size_t lengths[ASSAY_DIMS_MAX];
	size_t dims_count, rows;
};

static bool is_same(struct assay_string a, struct assay_string b)
{
	return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

/* The dimensions of the result itself: those of the first data variable that has the most. */
static void choose_dims(struct table *t)
{
	const struct assay_var_view *best = NULL;
	for (size_t i = 0; i < t->columns_count; i++) {
		const struct assay_var_view *var = &t->columns[i].var;
		if (var->role == ASSAY_ROLE_DATA &&
			(best == NULL || var->dims_count > best->dims_count))
			best = var;
	}
	t->dims_count = best != NULL ? best->dims_count : 0;
	for (size_t i = 0; i < t->dims_count; i++)
		t->dims[i] = best->dims[i];
}

static size_t length_of(
	const struct assay_frame_view *frame, const struct assay_var_view *var, size_t dim)
{
	struct assay_var_view axis;
	if (var->form == ASSAY_FORM_ND)
		return var->shape[dim];
	if (var->dims_count == 1)
		return var->count;
	return assay_client_axis(frame, var, dim, &axis) == 0 ? axis.count : 0;
}

static size_t dim_of(const struct table *t, struct assay_string name)
{
	size_t i = 0;
	while (i < t->dims_count && !is_same(t->dims[i], name))
		i++;
	return i;
}

/* Sets the column's stride: the step in the variable's elements for each dimension of the table. */
static void place_column(
	const struct table *t, const struct assay_frame_view *frame, struct column *c)
{
	size_t step = 1;
	c->is_shown = true;
	for (size_t i = c->var.dims_count; i > 0; i--) {
		size_t dim = dim_of(t, c->var.dims[i - 1]);
		size_t length = length_of(frame, &c->var, i - 1);
		if (dim == t->dims_count || length != t->lengths[dim]) {
			c->is_shown = false;
			return;
		}
		c->stride[dim] = step;
		step *= length;
	}
	c->is_shown = step == c->var.count || c->var.dims_count == 0;
}

static void read_table(struct table *t, struct assay_frame_view *frame)
{
	memset(t, 0, sizeof *t);
	assay_frame_rewind(frame);
	while (t->columns_count < ASSAY_VARS_MAX &&
		assay_frame_next(frame, &t->columns[t->columns_count].var) == 1)
		t->columns_count++;
	choose_dims(t);
	t->rows = 1;
	for (size_t i = 0; i < t->columns_count; i++) {
		const struct assay_var_view *var = &t->columns[i].var;
		for (size_t d = 0; d < var->dims_count; d++) {
			size_t dim = dim_of(t, var->dims[d]);
			if (dim < t->dims_count && t->lengths[dim] == 0)
				t->lengths[dim] = length_of(frame, var, d);
		}
	}
	for (size_t i = 0; i < t->dims_count; i++)
		t->rows *= t->lengths[i];
	for (size_t i = 0; i < t->columns_count; i++)
		place_column(t, frame, &t->columns[i]);
}

void export_csv_quote(struct buffer *to, const char *text, size_t len)
{
	buffer_append(to, "\"", 1);
	for (size_t i = 0; i < len; i++)
		buffer_append(to, text[i] == '"' ? "\"\"" : text + i, text[i] == '"' ? 2 : 1);
	buffer_append(to, "\"", 1);
}

/* In quotes only if it must be. */
static void put_cell(struct buffer *to, const char *text, size_t len)
{
	bool is_plain = memchr(text, ',', len) == NULL && memchr(text, '"', len) == NULL &&
			memchr(text, '\n', len) == NULL && memchr(text, '\r', len) == NULL;
	if (is_plain)
		buffer_append(to, text, len);
	else
		export_csv_quote(to, text, len);
}

static void put_name(struct buffer *to, const struct assay_var_view *var)
{
	struct buffer name = {0};
	buffer_append(&name, var->name.data, var->name.len);
	if (var->analyte.data != NULL)
		put(&name, " %.*s", (int)var->analyte.len, var->analyte.data);
	if (var->basis.data != NULL)
		put(&name, " (%.*s)", (int)var->basis.len, var->basis.data);
	put(&name, " [%.*s]", (int)var->unit.len, var->unit.data);
	buffer_append(to, ",", 1);
	if (name.failed)
		to->failed = true;
	else
		put_cell(to, (const char *)name.data, name.len);
	buffer_finish(&name);
}

/* The columns if they differ from those of the frame before, and the variables without a column. */
static void put_header(struct export *e, const struct table *t)
{
	struct buffer header = {0};
	put(&header, "run,frame,step,partial,utc,quality");
	for (size_t i = 0; i < t->columns_count; i++) {
		if (t->columns[i].is_shown)
			put_name(&header, &t->columns[i].var);
	}
	put(&header, "\n");
	for (size_t i = 0; i < t->columns_count; i++) {
		const struct assay_string name = t->columns[i].var.name;
		if (!t->columns[i].is_shown)
			put(&header,
				"# not in this table, it has other dimensions: %.*s; it is in "
				"--format json\n",
				(int)name.len, name.data);
	}
	bool is_new = header.len != e->memory.len ||
		      memcmp(header.data, e->memory.data, header.len) != 0;
	if (is_new && e->memory.len > 0)
		put(&e->to, "\n");
	if (is_new)
		buffer_append(&e->to, header.data, header.len);
	buffer_finish(&e->memory);
	e->memory = header;
}

static void put_value(struct buffer *to, const struct column *c, size_t at)
{
	char number[64];
	buffer_append(to, ",", 1);
	if (at >= c->var.count)
		return;
	struct assay_string text = assay_var_text(&c->var, at);
	ssize_t len = text.data == NULL ? assay_client_text(&c->var, at, number, sizeof number) : 0;
	if (text.data != NULL)
		put_cell(to, text.data, text.len);
	else if (len > 0 && strcmp(number, "nan") != 0)
		buffer_append(to, number, (size_t)len);
}

static void put_row(
	struct buffer *to, const struct table *t, const struct buffer *begin, size_t row)
{
	size_t place[ASSAY_DIMS_MAX] = {0};
	for (size_t i = t->dims_count, rest = row; i > 0; i--) {
		place[i - 1] = rest % t->lengths[i - 1];
		rest /= t->lengths[i - 1];
	}
	buffer_append(to, begin->data, begin->len);
	for (size_t i = 0; i < t->columns_count; i++) {
		const struct column *c = &t->columns[i];
		size_t at = 0;
		for (size_t d = 0; d < t->dims_count; d++)
			at += place[d] * c->stride[d];
		if (c->is_shown)
			put_value(to, c, at);
	}
	buffer_append(to, "\n", 1);
}

static void put_frame(struct export *e, const struct export_item *item)
{
	static struct table t;
	struct buffer begin = {0};
	struct assay_frame_view frame = item->frame;
	put_lost(&e->to, item);
	read_table(&t, &frame);
	put_header(e, &t);
	put_cell(&begin, e->run.number, strlen(e->run.number));
	put(&begin, ",%" PRIu64 ",", frame.record.n);
	if (frame.step_name.data != NULL)
		put_cell(&begin, frame.step_name.data, frame.step_name.len);
	put(&begin, ",%s,", frame.partial ? "TRUE" : "FALSE");
	put_time(&begin, frame.record.t.utc);
	put(&begin, ",%s", assay_quality_name(frame.quality));
	for (size_t row = 0; row < t.rows && !e->to.failed; row++)
		put_row(&e->to, &t, &begin, row);
	e->to.failed = e->to.failed || begin.failed;
	buffer_finish(&begin);
}

static int put_entry(struct export *e, const struct export_item *item)
{
	const struct assay_record_view *record = &item->frame.record;
	if (item->is_frame)
		put_frame(e, item);
	else if (record->type == ASSAY_RECORD_RUN_START)
		put_start(&e->to, &item->entry, record);
	else if (record->type == ASSAY_RECORD_AMEND)
		put_amend(&e->to, record);
	else if (record->type == ASSAY_RECORD_RUN_END)
		put_end(&e->to, item);
	else if (record->type == 0 || record->type == ASSAY_RECORD_FRAME)
		put(&e->to, "# entry %" PRIu64 " cannot be read\n", item->entry.seq);
	return 0;
}

const struct export_format export_csv = {.begin = put_heading, .entry = put_entry};
