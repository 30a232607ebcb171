/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "comply.h"
#include "export.h"
#include "record/check.h"
#include "record/entry.h"

static void fault(struct comply_run *run, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The first fault counts. */
static void fault(struct comply_run *run, const char *format, ...)
{
	va_list args;
	if (run->fault[0] != '\0')
		return;
	va_start(args, format);
	vsnprintf(run->fault, sizeof run->fault, format, args);
	va_end(args);
	text_make_printable(run->fault);
}

static void take_start(struct comply_run *run, const struct export_item *item)
{
	if (run->start.len > 0)
		fault(run, "it has two run-starts");
	buffer_append(&run->start, item->entry.body.data, item->entry.body.len);
	entry_leaf_hash(item->bytes.data, item->bytes.len, run->ctx);
}

static void take_frame(struct comply_run *run, const struct export_item *item)
{
	const struct assay_frame_view *frame = &item->frame;
	uint8_t leaf[ASSAY_SHA256_SIZE];
	if (frame->record.n != run->frames)
		fault(run, "frame %" PRIu64 " follows where frame %" PRIu64 " was expected",
			frame->record.n, run->frames);
	if (frame->record.ctx == NULL || memcmp(frame->record.ctx, run->ctx, sizeof run->ctx) != 0)
		fault(run, "frame %" PRIu64 " belongs to another run-start", frame->record.n);
	entry_leaf_hash(item->bytes.data, item->bytes.len, leaf);
	digest_update(&run->digest, leaf, sizeof leaf);
	run->frames++;
	run->whole += !frame->partial;
	if (run->each != NULL)
		run->each(run->arg, run, frame);
}

static void take_end(struct comply_run *run, const struct assay_record_view *record)
{
	uint8_t digest[ASSAY_SHA256_SIZE];
	digest_final(&run->digest, digest);
	run->has_end = true;
	print_safe(run->status, sizeof run->status, record->status);
	print_safe(run->why, sizeof run->why, record->why);
	if (record->frames != run->frames)
		fault(run, "its run-end counts %" PRIu64 " frames, %" PRIu64 " were committed",
			record->frames, run->frames);
	if (record->digest == NULL || memcmp(record->digest, digest, sizeof digest) != 0)
		fault(run, "the digest of its run-end is not that of its frames");
}

static int take(struct export *e, const struct export_item *item)
{
	struct comply_run *run = e->arg;
	const struct assay_record_view *record = &item->frame.record;
	struct schema_error error = {0};
	if (check_entry(item->bytes.data, item->bytes.len, &error) < 0)
		fault(run, "entry %" PRIu64 " breaks the format: %.100s: %.150s", item->entry.seq,
			error.path, error.text);
	else if (run->has_end && record->type != ASSAY_RECORD_AMEND)
		fault(run, "entry %" PRIu64 " follows its run-end", item->entry.seq);
	else if (record->type == ASSAY_RECORD_RUN_START)
		take_start(run, item);
	else if (item->is_frame)
		take_frame(run, item);
	else if (record->type == ASSAY_RECORD_RUN_END)
		take_end(run, record);
	return 0;
}

static int take_piece(void *arg, const struct export *e, uint64_t seq)
{
	return 0;
}

static void note_run(struct comply *c, const struct comply_run *run)
{
	json_t *row = json_pack("{s:s, s:s, s:I}", "number", run->number, "status", run->status,
		"frames", (json_int_t)run->frames);
	for (size_t i = 0; i < json_array_size(c->runs); i++) {
		const char *known = json_string_value(
			json_object_get(json_array_get(c->runs, i), "number"));
		if (known != NULL && strcmp(known, run->number) == 0) {
			json_decref(row);
			return;
		}
	}
	json_array_append_new(c->runs, row);
}

/* Of the first run: its software and settings, with which those of later ones are compared. */
static void note_facts(struct comply *c, const struct comply_run *run)
{
	struct assay_span start = {run->start.data, run->start.len};
	struct assay_span settings = comply_run_settings(run);
	struct assay_span driver = keys_value(start, string_of("driver"));
	struct assay_span technique = keys_value(start, string_of("technique"));
	struct assay_span name = keys_value(technique, string_of("name"));
	struct reader r;
	struct assay_string text;
	buffer_append(&c->settings, settings.data, settings.len);
	buffer_append(&c->software, driver.data, driver.len);
	read_init(&r, name.data, name.len);
	if (name.len > 0 && read_text(&r, &text) == 0)
		print_safe(c->technique, sizeof c->technique, text);
}

/* Each run names the unit that the first test found. */
static void check_unit(struct comply *c, const struct comply_run *run)
{
	struct assay_record_view start;
	if (assay_record_read(run->start.data, run->start.len, &start) < 0)
		return;
	const struct assay_string found[] = {start.inst.make, start.inst.model, start.inst.serial};
	const char *const expected[] = {c->unit.make, c->unit.model, c->unit.serial};
	for (size_t i = 0; i < sizeof found / sizeof *found; i++) {
		char text[260];
		print_safe(text, sizeof text, found[i]);
		if (expected[i][0] != '\0' && strcmp(text, expected[i]) != 0)
			comply_fail(c, "run %s names %.100s where the instrument was %.100s",
				run->number, text, expected[i]);
	}
}

int comply_run_read(struct comply *c, const char *number, struct comply_run *run)
{
	static const struct export_format format = {.entry = take, .is_evidence = true};
	static struct export e;
	struct export_run row = {0};
	e = (struct export){.format = &format,
		.replay = c->replay,
		.with_partial = true,
		.piece = take_piece,
		.arg = run};
	snprintf(row.number, sizeof row.number, "%s", number);
	snprintf(run->number, sizeof run->number, "%s", number);
	int r = digest_init(&run->digest);
	if (r == 0)
		r = export_put(&e, &row);
	export_finish(&e);
	if (r < 0)
		comply_fail(c, "the records of run %s cannot be fetched: %s", number, strerror(-r));
	else if (run->start.len == 0 || run->start.failed)
		comply_fail(c, "run %s has no run-start in the journal", number);
	else if (run->fault[0] != '\0')
		comply_fail(c, "run %s: %.300s", number, run->fault);
	else if (!run->has_end)
		comply_fail(c, "run %s has no run-end in the journal", number);
	else
		check_unit(c, run);
	if (run->has_end)
		note_run(c, run);
	if (c->software.len == 0 && run->fault[0] == '\0')
		note_facts(c, run);
	return r < 0 || comply_has_verdict(c) ? -1 : 0;
}

void comply_run_finish(struct comply_run *run)
{
	buffer_finish(&run->start);
	digest_finish(&run->digest);
}

struct assay_span comply_run_settings(const struct comply_run *run)
{
	return keys_value(
		(struct assay_span){run->start.data, run->start.len}, string_of("settings"));
}

int comply_run_over(struct comply *c, const char *number, uint64_t enough, struct comply_run *run)
{
	if (comply_wait_end(c, number, enough) < 0 || comply_run_read(c, number, run) < 0)
		return -1;
	return comply_wait_idle(c);
}

int comply_run_short(struct comply *c, const char *method, struct comply_run *run)
{
	char number[COMPLY_NUMBER];
	if (comply_start(c, method, number) < 0 || comply_end(c, "run-stop") < 0 ||
		comply_run_over(c, number, 0, run) < 0)
		return -1;
	if (strcmp(run->status, "stopped") != 0 && strcmp(run->status, "complete") != 0)
		comply_fail(c, "run %s was stopped and has the status %s: %.200s", number,
			run->status, run->why);
	return comply_has_verdict(c) ? -1 : 0;
}
