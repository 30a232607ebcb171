/* SPDX-License-Identifier: Apache-2.0 */
/* journal reparse: decodes the raw bytes of recorded frames again and compares the variables. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "decoder.h"
#include "journal.h"
#include "journal/reader.h"
#include "print.h"
#include "record/encode.h"
#include "record/entry.h"
#include "record/keys.h"
#include "record/references.h"

#define DECODERS_MAX 32
#define NUMBER_MAX   96

/* A run whose frames are being read. */
struct reparsed_run {
	struct reparsed_run *next;
	uint8_t id[ASSAY_UUID_SIZE];
	char number[NUMBER_MAX + 1], driver[33], version[65];
	struct buffer settings;     /* as they were sent to the driver */
	struct buffer references;   /* raw blocks of other runs: a CBOR array; empty: none */
	char lacking[DECODER_TEXT]; /* why it cannot be decoded: a run it refers to; "": it can */
	uint64_t frames, same, differ, failed, without;
	char first[DECODER_TEXT + 40]; /* the first difference or failure */
};

struct reparse {
	const struct options *options;
	const struct journal_args *journal;
	const char *number; /* NULL: all runs */
	uint64_t from, to;  /* of the start of a run; to 0: no end */
	struct reparsed_run *runs;
	struct decoder decoders[DECODERS_MAX];
	size_t decoder_count;
	uint64_t run_count, frames, same, differ, failed, without, gaps;
};

/* --- decoders --------------------------------------------------------------------------------- */

static struct decoder *find_decoder(struct reparse *p, const char *driver, char why[DECODER_TEXT])
{
	size_t i = 0;
	while (i < p->decoder_count && strcmp(p->decoders[i].driver, driver) != 0)
		i++;
	if (i < p->decoder_count && p->decoders[i].pid != 0)
		return &p->decoders[i];
	if (i == DECODERS_MAX) {
		snprintf(why, DECODER_TEXT, "too many drivers in this journal");
		return NULL;
	}
	p->decoder_count = i == p->decoder_count ? i + 1 : p->decoder_count;
	if (decoder_start(&p->decoders[i], p->options, driver, why) < 0)
		return NULL;
	return &p->decoders[i];
}

/* --- results ----------------------------------------------------------------------------------- */

static void print_run(const struct reparse *p, const struct reparsed_run *run)
{
	if (run->differ == 0 && run->failed == 0)
		printf("%s: ", run->number);
	else
		printf("%s: %" PRIu64 " of %" PRIu64 " frames DIFFER, first %s; ", run->number,
			run->differ + run->failed, run->frames, run->first);
	printf("%" PRIu64 " the same", run->same);
	if (run->without > 0)
		printf(", %" PRIu64 " without raw bytes", run->without);
	for (size_t i = 0; i < p->decoder_count; i++) {
		const struct decoder *d = &p->decoders[i];
		if (strcmp(d->driver, run->driver) == 0 && strcmp(d->version, run->version) != 0)
			printf(" (%s was %s, is %s)", d->driver, run->version, d->version);
	}
	printf("\n");
}

/* Prints the run *at, and removes it. */
static void finish_run(struct reparse *p, struct reparsed_run **at)
{
	struct reparsed_run *run = *at;
	if (p->options->json)
		print_object(json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:s*}", "run",
			run->number, "driver", run->driver, "version", run->version, "frames",
			(json_int_t)run->frames, "same", (json_int_t)run->same, "differ",
			(json_int_t)run->differ, "failed", (json_int_t)run->failed, "without_raw",
			(json_int_t)run->without, "first",
			run->first[0] != '\0' ? run->first : NULL));
	else
		print_run(p, run);
	fflush(stdout);
	p->run_count++;
	p->frames += run->frames;
	p->same += run->same;
	p->differ += run->differ;
	p->failed += run->failed;
	p->without += run->without;
	*at = run->next;
	buffer_finish(&run->settings);
	buffer_finish(&run->references);
	free(run);
}

/* The link to the run of this id; NULL: to the end of the list. */
static struct reparsed_run **find_run(struct reparse *p, const uint8_t *id)
{
	struct reparsed_run **at = &p->runs;
	while (*at != NULL && (id == NULL || memcmp((*at)->id, id, ASSAY_UUID_SIZE) != 0))
		at = &(*at)->next;
	return at;
}

/* --- references -------------------------------------------------------------------------------- */

struct ref {
	enum ref_kind rel;
	uint8_t run[ASSAY_UUID_SIZE];
};

static const struct keys ref_keys = {.open = true,
	.rows = (const struct key[]){
		{"rel", KEY_WORD, KEY_AT(struct ref, rel), .words = &words_ref_kind,
			.required = true},
		{"run", KEY_COPY, KEY_AT(struct ref, run), .required = true},
		{0},
	}};

static bool is_data(void *arg, const char *topic, size_t len)
{
	static const char *const prefixes[] = {"a1/data/", "a1/sim-data/"};
	for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
		size_t n = strlen(prefixes[i]);
		if (len >= n && memcmp(topic, prefixes[i], n) == 0)
			return true;
	}
	return false;
}

/* A run that another one refers to. */
struct referred {
	uint8_t id[ASSAY_UUID_SIZE];
	struct buffer raw; /* of its last frame that is not partial */
	bool has_frame, is_over, failed;
};

static void take_referred(struct referred *run, const uint8_t *bytes, size_t len)
{
	struct assay_entry_view entry;
	struct assay_record_view record;
	struct assay_frame_view frame;
	if (assay_entry_read(bytes, len, &entry) < 0 ||
		assay_record_read(entry.body.data, entry.body.len, &record) < 0 ||
		memcmp(record.run, run->id, sizeof run->id) != 0)
		return;
	run->is_over = run->is_over || record.type == ASSAY_RECORD_RUN_END;
	if (record.type != ASSAY_RECORD_FRAME ||
		assay_frame_read(entry.body.data, entry.body.len, &frame) < 0 || frame.partial)
		return;
	run->has_frame = true;
	buffer_reset(&run->raw);
	buffer_append(&run->raw, frame.raw.data, frame.raw.len);
	run->failed = run->failed || run->raw.failed;
}

static int find_referred(
	const struct journal_args *args, const uint8_t id[JOURNAL_ID_SIZE], void *arg)
{
	struct referred *run = arg;
	struct journal_reader *reader;
	struct journal_found found;
	uint64_t first, last;
	if (run->is_over || journal_range(&io_posix, args->path, id, &first, &last) < 0 ||
		first > last ||
		journal_reader_open(&reader, &io_posix, args->path, id, entry_place) < 0)
		return 0;
	journal_reader_filter(reader, is_data, NULL);
	journal_reader_seek(reader, first);
	while (!run->is_over && journal_reader_next(reader, last, &found) > 0)
		if (found.kind == JOURNAL_ENTRY)
			take_referred(run, found.bytes, found.len);
	journal_reader_close(reader);
	return 0;
}

/* Reads the raw blocks that the driver got from other runs. */
static int read_references(struct reparse *p, struct reparsed_run *run, struct assay_span refs)
{
	struct buffer blocks = {0};
	struct assay_span ref;
	struct reader r;
	size_t count = 0, blocks_count = 0;
	int e = 0;
	read_init(&r, refs.data, refs.len);
	if (refs.len > 0)
		read_array(&r, &count);
	for (size_t i = 0; i < count && e == 0 && read_raw(&r, &ref) == 0; i++) {
		struct ref row = {0};
		struct referred other = {0};
		if (keys_decode(&ref_keys, ref.data, ref.len, &row) < 0 || !references_has(row.rel))
			continue;
		memcpy(other.id, row.run, sizeof other.id);
		journal_for_each(p->journal, find_referred, &other);
		e = other.failed      ? -ENOMEM
		    : other.has_frame ? references_add(&blocks, &blocks_count,
						(struct assay_span){other.raw.data, other.raw.len})
				      : -ENOENT;
		if (e < 0)
			snprintf(run->lacking, sizeof run->lacking,
				"the raw bytes of its %s run are not in the journal",
				words_name(&words_ref_kind, (int)row.rel));
		buffer_finish(&other.raw);
	}
	if (e == 0 && blocks_count > 0) {
		encode_array(&run->references, blocks_count);
		encode_raw(&run->references, blocks.data, blocks.len);
	}
	buffer_finish(&blocks);
	return e == -ENOMEM || run->references.failed ? -ENOMEM : 0;
}

/* --- records ---------------------------------------------------------------------------------- */

static const struct keys driver_keys = {
	.rows = (const struct key[]){{"name", KEY_CHARS, KEY_AT(struct reparsed_run, driver)},
		{"version", KEY_CHARS, KEY_AT(struct reparsed_run, version)}, {0}},
	.open = true};

static int take_start(struct reparse *p, struct assay_span body)
{
	struct assay_record_view record;
	if (assay_record_read(body.data, body.len, &record) < 0 ||
		(p->number != NULL && !assay_string_is(record.number, p->number)) ||
		record.t.utc < p->from || (p->to != 0 && record.t.utc >= p->to))
		return 0;
	struct reparsed_run *run = calloc(1, sizeof *run);
	if (run == NULL)
		return -ENOMEM;
	struct assay_span driver = keys_value(body, string_of("driver")),
			  sent = keys_value(body, string_of("x-sent"));
	if (sent.data == NULL)
		sent = record.settings.data != NULL
			       ? record.settings
			       : (struct assay_span){(const uint8_t *)"\xa0", 1};
	memcpy(run->id, record.run, sizeof run->id);
	print_safe(run->number, sizeof run->number, record.number);
	keys_decode(&driver_keys, driver.data, driver.len, run);
	buffer_append(&run->settings, sent.data, sent.len);
	*find_run(p, NULL) = run;
	int r = read_references(p, run, keys_value(body, string_of("refs")));
	return run->settings.failed ? -ENOMEM : r;
}

static void note_first(
	struct reparsed_run *run, const struct assay_frame_view *frame, const char *text)
{
	if (run->first[0] == '\0')
		snprintf(run->first, sizeof run->first, "frame %" PRIu64 ": %s", frame->record.n,
			text);
}

static void compare(struct reparse *p, struct reparsed_run *run,
	const struct assay_frame_view *frame, struct assay_span settings)
{
	char text[DECODER_TEXT];
	struct assay_span references = {run->references.data, run->references.len};
	struct decoder *decoder = NULL;
	if (run->lacking[0] == '\0')
		decoder = find_decoder(p, run->driver, text);
	else
		snprintf(text, sizeof text, "%s", run->lacking);
	int r = decoder != NULL ? decoder_compare(decoder, frame, settings, references, text) : -1;
	run->same += r == 0;
	run->differ += r > 0;
	run->failed += r < 0;
	if (r != 0)
		note_first(run, frame, text);
}

static void take_frame(struct reparse *p, struct assay_span body)
{
	struct assay_frame_view frame;
	if (assay_frame_read(body.data, body.len, &frame) < 0)
		return;
	struct reparsed_run *run = *find_run(p, frame.record.run);
	if (run == NULL)
		return;
	run->frames++;
	if (!decoder_has_data(frame.raw)) {
		run->without++;
		return;
	}
	struct assay_span settings = keys_value(body, string_of("x-sent"));
	if (settings.data == NULL)
		settings = (struct assay_span){run->settings.data, run->settings.len};
	compare(p, run, &frame, settings);
}

static int take_entry(struct reparse *p, const uint8_t *bytes, size_t len)
{
	struct assay_entry_view entry;
	struct assay_record_view record;
	if (assay_entry_read(bytes, len, &entry) < 0 ||
		assay_record_read(entry.body.data, entry.body.len, &record) < 0)
		return 0;
	struct reparsed_run **run;
	switch (record.type) {
	case ASSAY_RECORD_RUN_START: return take_start(p, entry.body);
	case ASSAY_RECORD_FRAME: take_frame(p, entry.body); return 0;
	case ASSAY_RECORD_RUN_END:
		run = find_run(p, record.run);
		if (*run != NULL)
			finish_run(p, run);
		return 0;
	default: return 0;
	}
}

/* --- journals --------------------------------------------------------------------------------- */

static int walk(struct reparse *p, struct journal_reader *reader, uint64_t last)
{
	struct journal_found found;
	int r;
	while ((r = journal_reader_next(reader, last, &found)) > 0) {
		p->gaps += found.kind == JOURNAL_GAP_DAMAGED;
		r = found.kind == JOURNAL_ENTRY ? take_entry(p, found.bytes, found.len) : 0;
		if (r < 0)
			break;
	}
	while (p->runs != NULL) /* open at the end of the journal */
		finish_run(p, &p->runs);
	return r;
}

static int reparse_journal(
	const struct journal_args *args, const uint8_t id[JOURNAL_ID_SIZE], void *arg)
{
	struct reparse *p = arg;
	struct journal_reader *reader;
	uint64_t first, last;
	int r = journal_range(&io_posix, args->path, id, &first, &last);
	if (r == 0 && first > last)
		return 0;
	if (r == 0)
		r = journal_reader_open(&reader, &io_posix, args->path, id, entry_place);
	if (r == 0) {
		journal_reader_filter(reader, is_data, NULL);
		journal_reader_seek(reader, first);
		r = walk(p, reader, last);
		journal_reader_close(reader);
	}
	if (r < 0)
		fprintf(stderr, "assayctl: %s: %s\n", args->path, strerror(-r));
	return r < 0 ? 1 : 0;
}

static int print_sum(const struct reparse *p, const char *path)
{
	if (p->number != NULL && p->run_count == 0) {
		fprintf(stderr, "assayctl: %s: there is no run %s\n", path, p->number);
		return 1;
	}
	if (!p->options->json)
		printf("%" PRIu64 " runs, %" PRIu64 " frames: %" PRIu64 " the same, %" PRIu64
		       " differ, %" PRIu64 " cannot be decoded, %" PRIu64 " without raw bytes\n",
			p->run_count, p->frames, p->same, p->differ, p->failed, p->without);
	if (p->gaps > 0)
		fprintf(stderr, "assayctl: %s: %" PRIu64 " damaged ranges were skipped\n", path,
			p->gaps);
	return p->differ + p->failed + p->gaps > 0 ? 1 : 0;
}

int command_journal_reparse(const struct options *options, const struct args *args)
{
	static struct journal_args journal;
	static struct reparse p;
	int r = journal_args_read(&journal, options, args);
	if (r != 0)
		return r;
	p.options = options;
	p.journal = &journal;
	p.number = args_text(args, "run");
	p.from = args_number(args, "from");
	p.to = args_number(args, "to");
	signal(SIGPIPE, SIG_IGN); /* a driver that crashes */
	r = journal_for_each(&journal, reparse_journal, &p);
	for (size_t i = 0; i < p.decoder_count; i++)
		decoder_stop(&p.decoders[i]);
	return r == 0 ? print_sum(&p, journal.path) : r;
}
