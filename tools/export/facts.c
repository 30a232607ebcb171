/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "csv.h"
#include "facts.h"
#include "record/text.h"
#include "record/uuid.h"

const char *const fact_names[FACTS_COUNT] = {
	[FACT_RUN] = "run",
	[FACT_SIMULATED] = "SIMULATED",
	[FACT_NOT_VALID] = "NOT VALID",
	[FACT_STATUS] = "status",
	[FACT_QUALITY] = "quality",
	[FACT_STARTED] = "started",
	[FACT_SAMPLE] = "sample",
	[FACT_OPERATOR] = "operator",
	[FACT_NOTE] = "note",
	[FACT_METHOD] = "method",
	[FACT_CALIBRATION] = "calibration",
	[FACT_LABORATORY] = "laboratory",
	[FACT_INSTRUMENT] = "instrument",
	[FACT_MAKE] = "make",
	[FACT_MODEL] = "model",
	[FACT_SERIAL] = "serial",
	[FACT_FIRMWARE] = "firmware",
	[FACT_TECHNIQUE] = "technique",
	[FACT_CORRECTED] = "corrected",
	[FACT_SOURCE] = "source",
	[FACT_DIGEST] = "digest",
	[FACT_PROGRAM] = "exported by",
};

static void set(struct facts *facts, enum fact_id id, struct assay_string text)
{
	text_escape(facts->texts[id], FACT_SIZE, text);
}

static void set_buffer(struct facts *facts, enum fact_id id, struct buffer *text)
{
	if (!text->failed)
		set(facts, id, (struct assay_string){(const char *)text->data, text->len});
	buffer_finish(text);
}

/* A correction replaces the value that was given at the start, and is named. */
static void correct(struct facts *facts, const struct export_correction *now)
{
	static const struct {
		enum export_corrected key;
		enum fact_id id;
	} rows[] = {{EXPORT_SAMPLE, FACT_SAMPLE}, {EXPORT_OPERATOR, FACT_OPERATOR},
		{EXPORT_NOTE, FACT_NOTE}};
	const char *const texts[] = {now->sample, now->person, now->note};
	struct buffer names = {0};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if ((now->keys & rows[i].key) == 0)
			continue;
		set(facts, rows[i].id, string_of(texts[i]));
		cell_put(&names, "%s%s", names.len > 0 ? ", " : "", fact_names[rows[i].id]);
	}
	if ((now->keys & EXPORT_VALID) != 0)
		cell_put(&names, "%svalid", names.len > 0 ? ", " : "");
	if (names.len > 0)
		cell_put(&names, ": %s", now->reason);
	set_buffer(facts, FACT_CORRECTED, &names);
}

void facts_begin(struct facts *facts, const struct export_run *run)
{
	const struct export_correction *now = &run->corrected;
	*facts = (struct facts){.started = run->start};
	set(facts, FACT_RUN, string_of(run->number));
	if (run->sim)
		set(facts, FACT_SIMULATED, string_of("this is not a measurement"));
	if ((now->keys & EXPORT_VALID) != 0 && !now->valid)
		set(facts, FACT_NOT_VALID, string_of("see the correction"));
	set(facts, FACT_STATUS,
		string_of(run->status[0] != '\0' ? run->status : "open, not complete"));
	set(facts, FACT_DIGEST, string_of("none: the run has no end"));
	set(facts, FACT_PROGRAM, string_of("assayctl " ASSAY_VERSION));
	correct(facts, now);
}

/* The tokens `first` to `last` of a topic: 2 is "xrf" of "a1/data/xrf/site/node/xrf-1/spectrum". */
static struct assay_string tokens(struct assay_string topic, int first, int last)
{
	const char *end = topic.data + topic.len, *at = topic.data, *from = NULL;
	for (int i = 0; at != NULL && at < end; i++) {
		const char *slash = memchr(at, '/', (size_t)(end - at));
		from = i == first ? at : from;
		if (i == last && slash != NULL)
			return (struct assay_string){from, (size_t)(slash - from)};
		at = slash != NULL ? slash + 1 : NULL;
	}
	return (struct assay_string){0};
}

static void take_quality(struct facts *facts, const struct assay_frame_view *frame)
{
	char *text = facts->texts[FACT_QUALITY];
	size_t len = 0;
	facts->qualities[frame->quality]++;
	for (enum assay_quality_flag i = ASSAY_QUALITY_GOOD; i <= ASSAY_QUALITY_MISSING; i++) {
		if (facts->qualities[i] > 0)
			len += (size_t)snprintf(text + len, FACT_SIZE - len, "%s%s %" PRIu64,
				len > 0 ? ", " : "", assay_quality_name(i), facts->qualities[i]);
	}
}

static void take_start(struct facts *facts, const struct export_item *item)
{
	const struct assay_record_view *start = &item->frame.record;
	struct buffer method = {0}, calibrations = {0}, time = {0};
	set(facts, FACT_SAMPLE, start->sample);
	set(facts, FACT_OPERATOR, start->person);
	set(facts, FACT_NOTE, csv_note(start));
	set(facts, FACT_LABORATORY, tokens(item->entry.topic, 3, 4));
	set(facts, FACT_INSTRUMENT, start->inst.key);
	set(facts, FACT_MAKE, start->inst.make);
	set(facts, FACT_MODEL, start->inst.model);
	set(facts, FACT_SERIAL, start->inst.serial);
	set(facts, FACT_FIRMWARE, start->inst.fw);
	set(facts, FACT_TECHNIQUE, tokens(item->entry.topic, 2, 2));
	if (start->method.data != NULL)
		csv_put_method(&method, start);
	csv_put_calibrations(&calibrations, start);
	cell_put_time(&time, start->t.utc);
	cell_put(&time, " UTC, clock %s", assay_sync_name(start->t.sync));
	facts->started = start->t.utc;
	set_buffer(facts, FACT_METHOD, &method);
	set_buffer(facts, FACT_CALIBRATION, &calibrations);
	set_buffer(facts, FACT_STARTED, &time);
}

void facts_take(struct facts *facts, const struct export_run *run, const struct export_item *item)
{
	const struct assay_record_view *record = &item->frame.record;
	char hex[HEX_SIZE(ASSAY_SHA256_SIZE)];
	if (item->is_frame) {
		take_quality(facts, &item->frame);
	} else if (record->type == ASSAY_RECORD_RUN_START) {
		take_start(facts, item);
		correct(facts, &run->corrected);
		snprintf(facts->texts[FACT_SOURCE], FACT_SIZE,
			"journal %s, entries %" PRIu64 " to %" PRIu64,
			hex_write(hex, item->entry.journal, ASSAY_UUID_SIZE), item->entry.seq,
			run->last);
	} else if (record->type == ASSAY_RECORD_RUN_END && record->digest != NULL) {
		snprintf(facts->texts[FACT_DIGEST], FACT_SIZE, "sha256 %s",
			hex_write(hex, record->digest, ASSAY_SHA256_SIZE));
	}
}

void facts_put_reasons(struct buffer *to, const struct assay_frame_view *frame)
{
	struct reader r;
	struct assay_string reason;
	size_t count = 0;
	read_init(&r, frame->why.data, frame->why.len);
	if (frame->why.len > 0)
		read_array(&r, &count);
	for (size_t i = 0; i < count && read_text(&r, &reason) == 0; i++) {
		cell_put(to, i > 0 ? " " : "");
		cell_put_escaped(to, reason);
	}
}

void facts_put_quality(struct buffer *to, const struct assay_frame_view *frame)
{
	cell_put(to, "%s", assay_quality_name(frame->quality));
	if (frame->why.len > 1) /* not an empty list */
		cell_put(to, ": ");
	facts_put_reasons(to, frame);
}

static uint32_t next_character(const char **at)
{
	const uint8_t *c = (const uint8_t *)*at;
	size_t more = *c >= 0xf0 ? 3 : *c >= 0xe0 ? 2 : *c >= 0xc0 ? 1 : 0;
	uint32_t code = more > 0 ? *c & (0x3fu >> more) : *c;
	for (; more > 0 && (c[1] & 0xc0) == 0x80; more--)
		code = code << 6 | (*++c & 0x3f);
	*at = (const char *)c + 1;
	return code;
}

static bool is_mark(const char *at, const char *const *marks)
{
	while (*marks != NULL && strncmp(at, *marks, strlen(*marks)) != 0)
		marks++;
	return *marks != NULL;
}

void facts_put_ascii(struct buffer *to, const char *text, const char *const *marks, size_t max)
{
	size_t start = to->len;
	while (*text != '\0') {
		char character[16] = {*text, '\0'};
		size_t before = to->len;
		if (is_mark(text, marks))
			character[0] = *text == '-' ? ' ' : '-';
		uint32_t code = next_character(&text);
		if (code >= 0x80)
			snprintf(character, sizeof character,
				code > 0xffff ? "\\U%08" PRIx32 : "\\u%04" PRIx32, code);
		if (before + strlen(character) > start + max)
			break;
		cell_put(to, "%s", character);
	}
}

const char *facts_digest(const struct facts *facts)
{
	const char *text = facts->texts[FACT_DIGEST];
	return strncmp(text, "sha256 ", 7) == 0 ? text + 7 : text;
}

/* A text that is longer than a line may be goes on in the next, under the same name. */
static void put_comment(
	struct buffer *to, const char *name, const char *text, const struct facts_style *style)
{
	struct buffer ascii = {0};
	facts_put_ascii(&ascii, text, style->marks, SIZE_MAX / 2);
	for (size_t at = 0; at < ascii.len; at += style->max) {
		size_t len = ascii.len - at < style->max ? ascii.len - at : style->max;
		cell_put(to, "%s%s%s", style->before, name, style->between);
		buffer_append(to, ascii.data + at, len);
		cell_put(to, "%s", style->after);
	}
	to->failed |= ascii.failed;
	buffer_finish(&ascii);
}

static void put_frame_comments(
	struct buffer *to, const struct assay_frame_view *frame, const struct facts_style *style)
{
	struct buffer text = {0};
	cell_put(&text, "%" PRIu64 ", ", frame->record.n);
	if (frame->step_name.len > 0) {
		cell_put_escaped(&text, frame->step_name);
		cell_put(&text, ", ");
	}
	cell_put_time(&text, frame->record.t.utc);
	cell_put(&text, " UTC");
	size_t quality = text.len + 1;
	buffer_append(&text, "", 1);
	facts_put_quality(&text, frame);
	buffer_append(&text, "", 1);
	if (!text.failed) {
		put_comment(to, "frame", (const char *)text.data, style);
		put_comment(to, "frame's quality", (const char *)text.data + quality, style);
	}
	to->failed |= text.failed;
	buffer_finish(&text);
}

void facts_put_comments(struct buffer *to, const struct facts *facts,
	const struct assay_frame_view *frame, const struct facts_style *style)
{
	for (enum fact_id i = 0; i < FACTS_COUNT; i++) {
		if (facts->texts[i][0] != '\0')
			put_comment(to, fact_names[i], facts->texts[i], style);
	}
	if (frame != NULL)
		put_frame_comments(to, frame, style);
}

void facts_put_title(
	struct buffer *to, const struct facts *facts, const char *const *marks, size_t max)
{
	const char *sample = facts->texts[FACT_SAMPLE];
	const char *mark = facts->texts[FACT_SIMULATED][0] != '\0' ? "SIMULATED " : "";
	cell_put(to, "%s", mark);
	facts_put_ascii(
		to, sample[0] != '\0' ? sample : facts->texts[FACT_RUN], marks, max - strlen(mark));
}

int facts_only(struct export *e, const struct export_item *item)
{
	return 0;
}
