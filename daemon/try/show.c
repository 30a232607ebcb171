/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/read.h"
#include "record/json.h"
#include "record/read.h"
#include "record/record.h"
#include "record/text.h"
#include "try/arguments.h"
#include "try/show.h"

#define COLUMNS   16
#define VALUE_MAX 160 /* of a line */
#define FIRST     5   /* elements of an array */

char *show_text(const char *format, ...)
{
	char *text = NULL;
	va_list args;
	va_start(args, format);
	int len = vasprintf(&text, format, args);
	va_end(args);
	return len >= 0 ? text : NULL;
}

/* --- bytes ------------------------------------------------------------------------------------ */

static void put_bytes(FILE *to, const uint8_t *data, size_t len)
{
	for (size_t at = 0; at < len; at += COLUMNS) {
		size_t n = len - at < COLUMNS ? len - at : COLUMNS;
		char hex[3 * COLUMNS + 1], text[10 * COLUMNS + 1];
		for (size_t i = 0; i < n; i++)
			snprintf(hex + 3 * i, 4, "%02x ", data[at + i]);
		text_escape(text, sizeof text, (struct assay_string){(const char *)data + at, n});
		fprintf(to, "    %06zx  %-*s %s\n", at, 3 * COLUMNS, hex, text);
	}
}

char *show_record(const struct capture_record *record)
{
	char *text = NULL;
	size_t size;
	uint64_t records, bytes;
	FILE *to = open_memstream(&text, &size);
	if (to == NULL)
		return NULL;
	fputs(capture_kind_name(record->kind), to);
	if (record->channel != 0)
		fprintf(to, " 0x%02x", record->channel);
	if (record->kind == CAPTURE_OUT || record->kind == CAPTURE_IN) {
		size_t shown = record->len < SHOW_BYTES ? record->len : SHOW_BYTES;
		fprintf(to, " %zu byte%s\n", record->len, record->len == 1 ? "" : "s");
		put_bytes(to, record->data, shown);
		if (shown < record->len)
			fprintf(to, "    ... %zu more\n", record->len - shown);
	} else if (record->kind == CAPTURE_MISSING) {
		capture_read_missing(record, &records, &bytes);
		fprintf(to, ": %" PRIu64 " bytes are not shown\n", bytes);
	} else {
		char why[CAPTURE_TEXT_MAX + 1];
		text_escape(why, sizeof why,
			(struct assay_string){(const char *)record->data, record->len});
		fprintf(to, "%s%s\n", why[0] != '\0' ? ": " : "", why);
	}
	fclose(to);
	return text;
}

/* --- identity, settings ----------------------------------------------------------------------- */

char *show_identity(const struct wire_identity *identity)
{
	const struct assay_string parts[] = {
		identity->make, identity->model, identity->serial, identity->fw};
	char shown[4][200];
	if (identity->declared)
		return show_text("identity: the driver cannot read it\n");
	for (size_t i = 0; i < 4; i++) {
		text_escape(shown[i], sizeof shown[i], parts[i]);
		if (shown[i][0] == '\0')
			strcpy(shown[i], "-");
	}
	return show_text("identity: make %s, model %s, serial %s, firmware %s\n", shown[0],
		shown[1], shown[2], shown[3]);
}

/* One encoded item as JSON, cut to VALUE_MAX. */
static void put_item(FILE *to, struct assay_span item)
{
	struct buffer json = {0};
	if (json_write(&json, item.data, item.len) == 0 && !json.failed)
		fprintf(to, "%.*s%s", (int)(json.len < VALUE_MAX ? json.len : VALUE_MAX),
			(const char *)json.data, json.len > VALUE_MAX ? " ..." : "");
	buffer_finish(&json);
}

char *show_settings(const char *title, struct assay_span settings)
{
	char *text = NULL;
	size_t size, count;
	struct reader r;
	struct assay_string name;
	struct assay_span value;
	FILE *to = open_memstream(&text, &size);
	if (to == NULL)
		return NULL;
	fprintf(to, "%s\n", title);
	read_init(&r, settings.data, settings.len);
	if (settings.len > 0 && read_map(&r, &count) == 0)
		for (; count > 0 && read_text(&r, &name) == 0 && read_raw(&r, &value) == 0;
			count--) {
			char shown[100];
			text_escape(shown, sizeof shown, name);
			fprintf(to, "    %s = ", shown);
			put_item(to, value);
			fputc('\n', to);
		}
	fclose(to);
	return text;
}

/* --- frames ----------------------------------------------------------------------------------- */

static void put_escaped(FILE *to, const char *before, struct assay_string text)
{
	char shown[200];
	text_escape(shown, sizeof shown, text);
	if (shown[0] != '\0')
		fprintf(to, "%s%s", before, shown);
}

static void put_element(FILE *to, const struct assay_var_view *var, size_t i)
{
	uint64_t u;
	bool negative;
	struct assay_string text = assay_var_text(var, i);
	if (text.data != NULL)
		put_escaped(to, "", text);
	else if (assay_var_integer(var, i, &u, &negative))
		fprintf(to, "%s%" PRIu64, negative ? "-" : "", u);
	else
		fprintf(to, "%.9g", assay_var_number(var, i));
}

static void put_range(FILE *to, const struct assay_var_view *var)
{
	double least = 0, most = 0;
	size_t finite = 0;
	for (size_t i = 0; i < var->count; i++) {
		double v = assay_var_number(var, i);
		if (v - v != 0)
			continue;
		least = finite == 0 || v < least ? v : least;
		most = finite == 0 || v > most ? v : most;
		finite++;
	}
	if (finite > 0)
		fprintf(to, ", from %.9g to %.9g", least, most);
}

/* As people write it: "count" of {count}, nothing of 1. */
static void put_unit(FILE *to, const char *before, struct assay_string unit)
{
	if (assay_string_is(unit, "1"))
		return;
	if (unit.len > 2 && unit.data[0] == '{' && unit.data[unit.len - 1] == '}')
		unit = (struct assay_string){unit.data + 1, unit.len - 2};
	put_escaped(to, before, unit);
}

static void put_variable(FILE *to, const struct assay_var_view *var)
{
	put_escaped(to, "    ", var->name);
	put_escaped(to, " of ", var->of);
	put_escaped(to, " ", var->analyte);
	put_escaped(to, " channel ", var->channel);
	fprintf(to, " (%s)", assay_role_name(var->role));
	if (var->dims_count == 0 && var->count == 1) {
		fputs(" = ", to);
		put_element(to, var, 0);
		put_unit(to, " ", var->unit);
		fputc('\n', to);
		return;
	}
	fprintf(to, ": %zu values", var->count);
	for (size_t i = 0; i < var->dims_count; i++)
		put_escaped(to, i == 0 ? " along " : ", ", var->dims[i]);
	put_unit(to, " in ", var->unit);
	put_range(to, var);
	fputs(": ", to);
	for (size_t i = 0; i < var->count && i < FIRST; i++) {
		fputs(i > 0 ? ", " : "", to);
		put_element(to, var, i);
	}
	fputs(var->count > FIRST ? " ...\n" : "\n", to);
}

/* The frame's part with a head as in a record, so that the public reader takes it. */
static int read_part(
	const struct wire_frame *frame, struct buffer *record, struct assay_frame_view *view)
{
	static const uint8_t zeros[ASSAY_SHA256_SIZE];
	struct frame_head head = {
		.base = {.id = zeros,
			.t = {.utc = frame->utc, .sync = ASSAY_SYNC_NONE},
			.inst = {.key = ARGUMENTS_KEY, .make = "", .model = "", .serial = "none"}},
		.run = zeros,
		.ctx = zeros,
		.n = 1};
	quality_lower(&head.q, (enum assay_quality_flag)frame->quality, NULL);
	for (size_t i = 0; i < QUALITY_LIST_MAX && quality_reason_at(i, NULL) != NULL; i++)
		if ((frame->reasons >> i & 1) != 0)
			quality_lower(&head.q, (enum assay_quality_flag)frame->quality,
				quality_reason_at(i, NULL));
	record_frame(record, &head, frame->part, frame->pairs);
	return record->failed ? -1 : assay_frame_read(record->data, record->len, view);
}

char *show_frame(const struct wire_frame *frame, uint64_t n)
{
	char *text = NULL;
	size_t size;
	struct buffer record = {0};
	struct assay_frame_view view;
	struct assay_var_view var;
	FILE *to = open_memstream(&text, &size);
	if (to == NULL)
		return NULL;
	fprintf(to, "frame %" PRIu64, n);
	if (read_part(frame, &record, &view) == 0) {
		const char *meaning, *reason;
		fprintf(to, ": %s, %s%s\n", assay_frame_kind_name(view.kind),
			assay_quality_name(view.quality), view.partial ? ", partial" : "");
		for (size_t i = 0; (reason = quality_reason_at(i, &meaning)) != NULL; i++)
			if ((frame->reasons >> i & 1) != 0)
				fprintf(to, "    because %s: %s\n", reason, meaning);
		put_escaped(to, "    the instrument's time ", frame->dev);
		fputs(frame->dev.len > 0 ? "\n" : "", to);
		while (assay_frame_next(&view, &var) > 0)
			put_variable(to, &var);
	} else {
		fputs(": it cannot be read\n", to);
	}
	fclose(to);
	buffer_finish(&record);
	return text;
}
