/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "page.h"
#include "record/keys.h"
#include "record/text.h"
#include "record/words.h"

#define ROWS_MAX   1024 /* instruments, and calibrations */
#define LABEL_SIZE 200

/* --- the reply ------------------------------------------------------------------------------- */

struct instrument_row {
	struct assay_string key, driver, technique, state;
	bool simulated, hazard;
	uint64_t frames, last_frame, worker_starts;
	struct {
		struct assay_string number;
	} run;
};

struct calibration_row {
	struct assay_string instrument, method, step, id;
	uint64_t until;
};

struct page {
	uint64_t up;
	struct assay_string site, node, version;
	uint64_t started;
	struct {
		struct assay_string disk, error;
		uint64_t head, free, queued_bytes, waiting_ns;
		struct {
			uint64_t looked, files, bytes, not_archived, not_passed;
		} retention;
	} journal;
	struct {
		uint64_t bytes, skipped;
		bool full;
	} live;
	struct {
		uint64_t utc, unc;
		struct assay_string sync;
	} clock;
	struct assay_span instruments_list, calibrations_list;
	struct assay_string config_errors;
	struct instrument_row *instruments;
	struct calibration_row *calibrations;
	size_t instrument_count, calibration_count;
	const struct counts *counts;
};

/* Keys of this name, of another type as if absent. */
#define TEXT(type, key, member)                                      \
	{                                                            \
		key, KEY_TEXT, KEY_AT(type, member), .lenient = true \
	}
#define UINT(type, key, member)                                      \
	{                                                            \
		key, KEY_UINT, KEY_AT(type, member), .lenient = true \
	}
#define BOOL(type, key, member)                                      \
	{                                                            \
		key, KEY_BOOL, KEY_AT(type, member), .lenient = true \
	}
#define JOURNAL   __typeof__(((struct page *)0)->journal)
#define RETENTION __typeof__(((struct page *)0)->journal.retention)
#define LIVE      __typeof__(((struct page *)0)->live)
#define CLOCK     __typeof__(((struct page *)0)->clock)
#define RUN       __typeof__(((struct instrument_row *)0)->run)

static const struct keys run_keys = {
	.rows = (const struct key[]){TEXT(RUN, "number", number), {0}}, .open = true};

static const struct keys instrument_keys = {
	.rows = (const struct key[]){TEXT(struct instrument_row, "key", key),
		TEXT(struct instrument_row, "driver", driver),
		TEXT(struct instrument_row, "technique", technique),
		TEXT(struct instrument_row, "state", state),
		BOOL(struct instrument_row, "simulated", simulated),
		BOOL(struct instrument_row, "hazard", hazard),
		UINT(struct instrument_row, "frames", frames),
		UINT(struct instrument_row, "last_frame", last_frame),
		UINT(struct instrument_row, "worker_starts", worker_starts),
		{"run", KEY_MAP, KEY_AT(struct instrument_row, run), .keys = &run_keys}, {0}},
	.open = true};

static const struct keys calibration_keys = {
	.rows = (const struct key[]){TEXT(struct calibration_row, "instrument", instrument),
		TEXT(struct calibration_row, "method", method),
		TEXT(struct calibration_row, "step", step), TEXT(struct calibration_row, "id", id),
		UINT(struct calibration_row, "until", until), {0}},
	.open = true};

static const struct keys retention_keys = {
	.rows = (const struct key[]){UINT(RETENTION, "looked", looked),
		UINT(RETENTION, "files", files), UINT(RETENTION, "bytes", bytes),
		UINT(RETENTION, "not_archived", not_archived),
		UINT(RETENTION, "not_passed", not_passed), {0}},
	.open = true};

static const struct keys journal_keys = {
	.rows = (const struct key[]){TEXT(JOURNAL, "disk", disk), TEXT(JOURNAL, "error", error),
		UINT(JOURNAL, "head", head), UINT(JOURNAL, "free", free),
		UINT(JOURNAL, "queued_bytes", queued_bytes),
		UINT(JOURNAL, "waiting_ns", waiting_ns),
		{"retention", KEY_MAP, KEY_AT(JOURNAL, retention), .keys = &retention_keys}, {0}},
	.open = true};

static const struct keys live_keys = {
	.rows = (const struct key[]){UINT(LIVE, "bytes", bytes), UINT(LIVE, "skipped", skipped),
		BOOL(LIVE, "full", full), {0}},
	.open = true};

static const struct keys clock_keys = {
	.rows = (const struct key[]){UINT(CLOCK, "utc", utc), UINT(CLOCK, "unc", unc),
		TEXT(CLOCK, "sync", sync), {0}},
	.open = true};

static const struct keys page_keys = {
	.rows = (const struct key[]){TEXT(struct page, "site", site),
		TEXT(struct page, "node", node), TEXT(struct page, "version", version),
		TEXT(struct page, "config_errors", config_errors),
		UINT(struct page, "started", started),
		{"journal", KEY_MAP, KEY_AT(struct page, journal), .required = true,
			.keys = &journal_keys},
		{"live_queue", KEY_MAP, KEY_AT(struct page, live), .keys = &live_keys},
		{"clock", KEY_MAP, KEY_AT(struct page, clock), .keys = &clock_keys},
		{"calibrations", KEY_RAW_LIST, KEY_AT(struct page, calibrations_list)},
		{"instruments", KEY_RAW_LIST, KEY_AT(struct page, instruments_list),
			.required = true},
		{0}},
	.open = true};

/* Reads a list of maps into rows, owned; false: it cannot be read. */
static bool read_rows(
	struct assay_span list, const struct keys *keys, size_t size, void **rows, size_t *count)
{
	struct reader r;
	size_t items;
	read_init(&r, list.data, list.len);
	if (list.data == NULL)
		return true;
	if (read_array(&r, &items) < 0 || items > ROWS_MAX)
		return false;
	*rows = calloc(items + 1, size);
	if (*rows == NULL)
		return false;
	for (; *count < items; (*count)++) {
		if (keys_read(&r, keys, (char *)*rows + *count * size, NULL) < 0)
			return false;
	}
	return true;
}

/* --- the format ------------------------------------------------------------------------------ */

void page_escape(char *to, size_t size, struct assay_string text)
{
	size_t len = 0;
	char seen[LABEL_SIZE];
	text_copy(seen, sizeof seen, text);
	text_make_printable(seen);
	for (const char *p = seen; *p != '\0' && len + 3 <= size; p++) {
		if (*p == '\\' || *p == '"')
			to[len++] = '\\';
		to[len++] = *p;
	}
	to[len] = '\0';
}

static void print(struct buffer *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void print(struct buffer *to, const char *format, ...)
{
	char line[1000];
	va_list args;
	va_start(args, format);
	int n = vsnprintf(line, sizeof line, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof line)
		to->failed = true;
	else
		buffer_append(to, line, (size_t)n);
}

/* One label; the first of a sample opens the braces, end_labels() closes them. */
static void label(struct buffer *to, bool first, const char *name, struct assay_string text)
{
	char value[2 * LABEL_SIZE];
	page_escape(value, sizeof value, text);
	print(to, "%s%s=\"%s\"", first ? "{" : ",", name, value);
}

/* Numbers have all digits that a double needs, and a point in every locale. */
static void end_labels(struct buffer *to, double value)
{
	print(to, "} %.17g\n", value);
}

static void plain(struct buffer *to, const char *name, double value)
{
	print(to, "%s %.17g\n", name, value);
}

static double seconds(uint64_t ns)
{
	return (double)(ns / NS_PER_S) + (double)(ns % NS_PER_S) / 1e9;
}

/* --- families -------------------------------------------------------------------------------- */

static void write_info(struct buffer *to, const char *name, const struct page *p)
{
	print(to, "%s", name);
	label(to, true, "site", p->site);
	label(to, false, "node", p->node);
	label(to, false, "version", p->version);
	end_labels(to, 1);
}

static void write_config(struct buffer *to, const char *name, const struct page *p)
{
	plain(to, name, p->config_errors.len == 0);
}

static void write_states(struct buffer *to, const char *name, const struct page *p)
{
	for (int state = 1; state <= words_device_state.count; state++) {
		const char *word = words_name(&words_device_state, state);
		size_t count = 0;
		for (size_t i = 0; i < p->instrument_count; i++)
			count += assay_string_is(p->instruments[i].state, word);
		print(to, "%s", name);
		label(to, true, "state", string_of(word));
		end_labels(to, (double)count);
	}
}

static void write_instrument_info(struct buffer *to, const char *name, const struct page *p)
{
	for (size_t i = 0; i < p->instrument_count; i++) {
		const struct instrument_row *row = &p->instruments[i];
		print(to, "%s", name);
		label(to, true, "instrument", row->key);
		label(to, false, "driver", row->driver);
		label(to, false, "technique", row->technique);
		label(to, false, "simulated", string_of(row->simulated ? "true" : "false"));
		label(to, false, "state", row->state);
		end_labels(to, 1);
	}
}

static double is_working(const struct instrument_row *row)
{
	return assay_string_is(row->state, "idle") || assay_string_is(row->state, "armed") ||
	       assay_string_is(row->state, "busy");
}

static double has_hazard(const struct instrument_row *row)
{
	return row->hazard;
}

static double has_run(const struct instrument_row *row)
{
	return row->run.number.len > 0;
}

static void write_journal_ok(struct buffer *to, const char *name, const struct page *p)
{
	plain(to, name, p->journal.error.len == 0);
}

static void write_disk(struct buffer *to, const char *name, const struct page *p)
{
	static const char *const levels[] = {"ok", "low", "full", "failed"};
	for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++) {
		print(to, "%s", name);
		label(to, true, "level", string_of(levels[i]));
		end_labels(to, assay_string_is(p->journal.disk, levels[i]));
	}
}

/* Known only where `keep` has a limit. */
static void write_size(struct buffer *to, const char *name, const struct page *p)
{
	if (p->journal.retention.looked != 0)
		plain(to, name, (double)p->journal.retention.bytes);
}

static void write_not_archived(struct buffer *to, const char *name, const struct page *p)
{
	if (p->journal.retention.looked != 0)
		plain(to, name, (double)p->journal.retention.not_archived);
}

static void write_clock(struct buffer *to, const char *name, const struct page *p)
{
	if (p->clock.sync.len > 0)
		plain(to, name,
			assay_string_is(p->clock.sync, "ntp") ||
				assay_string_is(p->clock.sync, "ptp"));
}

static void write_clock_error(struct buffer *to, const char *name, const struct page *p)
{
	if (p->clock.unc != 0)
		plain(to, name, seconds(p->clock.unc));
}

static void write_calibrations(struct buffer *to, const char *name, const struct page *p)
{
	for (size_t i = 0; i < p->calibration_count; i++) {
		const struct calibration_row *row = &p->calibrations[i];
		if (row->until == 0)
			continue;
		print(to, "%s", name);
		label(to, true, "instrument", row->instrument);
		label(to, false, "method", row->method);
		label(to, false, "step", row->step);
		label(to, false, "calibration", row->id);
		end_labels(to, seconds(row->until));
	}
}

static void write_runs(struct buffer *to, const char *name, const struct page *p)
{
	for (size_t i = 0; i < p->counts->count; i++) {
		for (size_t j = 0; j < COUNTS_STATUSES; j++) {
			print(to, "%s", name);
			label(to, true, "instrument", string_of(p->counts->rows[i].instrument));
			label(to, false, "status", string_of(counts_status(j)));
			end_labels(to, (double)p->counts->rows[i].runs[j]);
		}
	}
}

static void write_quality(struct buffer *to, const char *name, const struct page *p)
{
	for (size_t i = 0; i < p->counts->count; i++) {
		for (size_t j = 0; j < COUNTS_FLAGS; j++) {
			print(to, "%s", name);
			label(to, true, "instrument", string_of(p->counts->rows[i].instrument));
			label(to, false, "quality", string_of(counts_flag(j)));
			end_labels(to, (double)p->counts->rows[i].frames[j]);
		}
	}
}

static void write_dropped(struct buffer *to, const char *name, const struct page *p)
{
	for (size_t i = 0; i < p->counts->count; i++) {
		print(to, "%s", name);
		label(to, true, "instrument", string_of(p->counts->rows[i].instrument));
		end_labels(to, (double)p->counts->rows[i].dropped);
	}
}

/* One source: a number of the page or of each instrument, or a function. */
struct family {
	const char *name, *type, *help;
	size_t at;     /* of a uint64_t in struct page; 0: none */
	size_t row_at; /* of one in struct instrument_row; 0: none */
	bool is_ns;    /* it is in nanoseconds, and shown in seconds */
	double (*of)(const struct instrument_row *row);
	void (*write)(struct buffer *to, const char *name, const struct page *p);
	bool always; /* also if the daemon does not reply */
};

#define AT(member)     .at = offsetof(struct page, member)
#define ROW_AT(member) .row_at = offsetof(struct instrument_row, member)

static const struct family families[] = {
	{"assay_up", "gauge", "The daemon replies.", AT(up), .always = true},
	{"assay_info", "gauge", "Laboratory, computer and version.", .write = write_info},
	{"assay_start_time_seconds", "gauge", "Start of the daemon.", AT(started), .is_ns = true},
	{"assay_config_ok", "gauge", "0: the last good configuration is in use.",
		.write = write_config},
	{"assay_instruments", "gauge", "Instruments by state.", .write = write_states},
	{"assay_instrument_info", "gauge", "One of each instrument, with its state.",
		.write = write_instrument_info},
	{"assay_instrument_working", "gauge", "It is idle, armed or busy.", .of = is_working},
	{"assay_instrument_hazard", "gauge", "Something harmful is on, or may be.",
		.of = has_hazard},
	{"assay_instrument_run_open", "gauge", "A run is open.", .of = has_run},
	{"assay_instrument_frames_total", "counter", "Frames since the daemon started.",
		ROW_AT(frames)},
	{"assay_instrument_last_frame_timestamp_seconds", "gauge", "0: none yet.",
		ROW_AT(last_frame), .is_ns = true},
	{"assay_instrument_worker_starts_total", "counter", "Starts of its worker process.",
		ROW_AT(worker_starts)},
	{"assay_runs_total", "counter", "Runs that ended, since assay-metrics started.",
		.write = write_runs, .always = true},
	{"assay_frames_total", "counter", "Frames by quality, since assay-metrics started.",
		.write = write_quality, .always = true},
	{"assay_frames_dropped_total", "counter",
		"Frames that were lost before they were recorded, as their quality counts them.",
		.write = write_dropped, .always = true},
	{"assay_journal_ok", "gauge", "0: it cannot commit.", .write = write_journal_ok},
	{"assay_journal_entries", "gauge", "The last seq of the journal in use.", AT(journal.head)},
	{"assay_journal_free_bytes", "gauge", "Free on its disk.", AT(journal.free)},
	{"assay_journal_disk", "gauge", "1 for the level of free space.", .write = write_disk},
	{"assay_journal_queued_bytes", "gauge", "Bytes that wait for the disk.",
		AT(journal.queued_bytes)},
	{"assay_journal_waiting_seconds", "gauge", "How long the present write and sync take.",
		AT(journal.waiting_ns), .is_ns = true},
	{"assay_journal_size_bytes", "gauge", "All files; only where keep has a limit.",
		.write = write_size},
	{"assay_journal_not_archived_bytes", "gauge", "Due for removal and not archived.",
		.write = write_not_archived},
	{"assay_live_queue_bytes", "gauge", "Bytes that wait for subscribers.", AT(live.bytes)},
	{"assay_live_skipped_total", "counter", "Entries left out on the live socket.",
		AT(live.skipped)},
	{"assay_clock_synchronised", "gauge", "The clock is disciplined.", .write = write_clock},
	{"assay_clock_error_seconds", "gauge", "The greatest error, as the system states it.",
		.write = write_clock_error},
	{"assay_calibration_end_timestamp_seconds", "gauge", "End of its last day.",
		.write = write_calibrations},
};

static double number_at(const void *from, size_t at, bool is_ns)
{
	uint64_t number = *(const uint64_t *)(const void *)((const char *)from + at);
	return is_ns ? seconds(number) : (double)number;
}

static void write_family(struct buffer *to, const struct family *f, const struct page *page)
{
	print(to, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name, f->type);
	if (f->write != NULL) {
		f->write(to, f->name, page);
	} else if (f->of == NULL && f->row_at == 0) {
		plain(to, f->name, number_at(page, f->at, f->is_ns));
	} else {
		for (size_t i = 0; i < page->instrument_count; i++) {
			const struct instrument_row *row = &page->instruments[i];
			print(to, "%s", f->name);
			label(to, true, "instrument", row->key);
			end_labels(to,
				f->of != NULL ? f->of(row) : number_at(row, f->row_at, f->is_ns));
		}
	}
}

void page_write(struct buffer *to, struct assay_span reply, const struct counts *counts)
{
	struct page page = {.counts = counts};
	page.up = reply.data != NULL &&
		  keys_decode(&page_keys, reply.data, reply.len, &page) == 0 &&
		  read_rows(page.instruments_list, &instrument_keys, sizeof *page.instruments,
			  (void **)&page.instruments, &page.instrument_count) &&
		  read_rows(page.calibrations_list, &calibration_keys, sizeof *page.calibrations,
			  (void **)&page.calibrations, &page.calibration_count);
	for (size_t i = 0; i < sizeof families / sizeof families[0]; i++) {
		if (page.up || families[i].always)
			write_family(to, &families[i], &page);
	}
	free(page.instruments);
	free(page.calibrations);
}
