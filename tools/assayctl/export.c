/* SPDX-License-Identifier: Apache-2.0 */
/* export: runs as CSV, JSON lines or the entries themselves, into a file that is whole or absent. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "args.h"
#include "base/clock.h"
#include "export.h"
#include "record/json.h"

#define ASK_MS      10000
#define TRIES       5
#define PROGRESS_NS (200 * NS_PER_MS)

enum format { FORMAT_CSV, FORMAT_JSON, FORMAT_CBOR };
static const char *const format_names[] = {"csv", "json", "cbor"};

struct export
{
	const struct options *options;
	enum format format;
	bool simulated;
	const char *number, *from, *until, *instrument, *to;
	uint64_t since, before; /* --from, --until */
	struct requester *requester;
	struct export_file file;
	struct export_table table;
	struct buffer piece;
	struct export_run run;
	size_t run_at, runs_count;
	uint64_t entries, next; /* of the run: entries, frame */
	uint64_t lost, shown_at;
};

static volatile sig_atomic_t must_end;

static void on_signal(int number)
{
	must_end = 1;
}

static void clear_progress(const struct export *e)
{
	if (e->shown_at > 0)
		fputs("\r\033[K", stderr);
}

static void show_progress(struct export *e, uint64_t seq)
{
	uint64_t now = clock_boot();
	if (!isatty(STDERR_FILENO) || now < e->shown_at + PROGRESS_NS)
		return;
	e->shown_at = now;
	fprintf(stderr, "\r\033[K%s, %zu of %zu runs", e->run.number, e->run_at + 1, e->runs_count);
	if (e->run.last > e->run.first && seq >= e->run.first && seq <= e->run.last)
		fprintf(stderr, ", %.0f %%",
			100.0 * (double)(seq - e->run.first) /
				(double)(e->run.last - e->run.first));
}

/* --- one run ---------------------------------------------------------------------------------- */

static void lose(struct export *e, uint64_t first, uint64_t last)
{
	char line[300];
	e->lost += last - first + 1;
	if (e->format != FORMAT_JSON)
		return;
	int len = snprintf(line, sizeof line,
		"{\"lost\":{\"run\":\"%s\",\"from\":%" PRIu64 ",\"to\":%" PRIu64 "}}\n",
		e->run.number, first, last);
	buffer_append(&e->piece, line, (size_t)len);
}

/* Frames that are counted and not there. */
static void count(struct export *e, const struct assay_entry_view *entry)
{
	struct assay_record_view record;
	if (assay_record_read(entry->body.data, entry->body.len, &record) < 0)
		return;
	if (record.type == ASSAY_RECORD_FRAME) {
		if (record.n > e->next)
			lose(e, e->next, record.n - 1);
		e->next = record.n + 1;
	} else if (record.type == ASSAY_RECORD_RUN_END && record.frames > e->next) {
		lose(e, e->next, record.frames - 1);
	}
}

static int put_entry(struct export *e, struct assay_span bytes)
{
	struct assay_entry_view entry;
	if (assay_entry_read(bytes.data, bytes.len, &entry) < 0)
		return -EBADMSG;
	count(e, &entry);
	if (e->format == FORMAT_CSV) {
		export_csv_entry(&e->table, &e->piece, e->run.number, &entry);
	} else if (e->format == FORMAT_CBOR) {
		buffer_append(&e->piece, bytes.data, bytes.len);
	} else {
		int r = json_write_entry(&e->piece, bytes.data, bytes.len);
		if (r < 0)
			return r;
		buffer_append(&e->piece, "\n", 1);
	}
	show_progress(e, entry.seq);
	return e->piece.failed ? -ENOMEM : 0;
}

/* What was in the file before an interruption is made again, for the columns, and not written. */
static int write_piece(struct export *e)
{
	bool is_there = e->file.is_resumed && strcmp(e->file.run, e->run.number) == 0 &&
			e->entries < e->file.entries;
	int r = 0;
	e->entries++;
	if (!is_there) {
		r = export_append(&e->file, e->run.number, e->entries, &e->piece);
		e->file.is_resumed = false;
	}
	buffer_reset(&e->piece);
	return r;
}

static int ask_page(struct export *e, uint64_t from, struct parts *reply, struct message *m)
{
	int r = -ETIMEDOUT;
	for (int i = 0; i < TRIES && !must_end; i++) {
		struct buffer request = {0};
		message_fetch_run(&request, e->run.number, from);
		r = requester_message(e->requester, &request, ASK_MS, reply, m);
		buffer_finish(&request);
		if (r == 0 && m->kind == MESSAGE_DATA)
			return m->next == 0 || m->next > from ? 0 : -EPROTO;
		if (r == 0 && m->error != MESSAGE_BUSY)
			return m->kind == MESSAGE_ERROR && m->error == MESSAGE_NOT_FOUND ? -ENOENT
											 : -EPROTO;
		if (r != 0 && r != -ETIMEDOUT)
			return r;
		nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
	}
	return r == 0 ? -EBUSY : r;
}

/* Corrections that were made after the end stand above what they correct. */
static int put_heading(struct export *e)
{
	struct parts reply = {0};
	struct message m = {.next = e->run.last + 1};
	int r = 0;
	if (e->file.offset > 0)
		buffer_append(&e->piece, "\n", 1);
	export_csv_begin(&e->table, &e->piece, &e->run);
	while (r == 0 && e->run.last > 0 && m.next != 0) {
		r = ask_page(e, m.next, &reply, &m);
		for (size_t i = 1; r == 0 && i < reply.count; i++, e->table.amends++) {
			struct assay_entry_view entry;
			struct assay_span bytes = parts_at(&reply, i);
			if (assay_entry_read(bytes.data, bytes.len, &entry) < 0)
				r = -EBADMSG;
			else
				export_csv_entry(&e->table, &e->piece, e->run.number, &entry);
		}
	}
	parts_finish(&reply);
	return r;
}

static int put_run(struct export *e)
{
	struct parts reply = {0};
	struct message m = {.next = 1};
	e->entries = e->next = 0;
	buffer_reset(&e->piece);
	int r = e->format == FORMAT_CSV ? put_heading(e) : 0;
	while (r == 0 && m.next != 0 && !must_end) {
		r = ask_page(e, m.next, &reply, &m);
		for (size_t i = 1; r == 0 && i < reply.count && !must_end; i++) {
			r = put_entry(e, parts_at(&reply, i));
			if (r == 0)
				r = write_piece(e);
		}
	}
	parts_finish(&reply);
	return r == 0 && must_end ? -EINTR : r;
}

/* --- all of them ------------------------------------------------------------------------------ */

/* True for runs that an earlier attempt has finished. */
static bool is_done(const struct export *e, const struct export_run *runs, size_t i)
{
	if (!e->file.is_resumed)
		return false;
	for (; i < e->runs_count; i++) {
		if (strcmp(runs[i].number, e->file.run) == 0)
			break;
	}
	return i < e->runs_count && strcmp(runs[e->run_at].number, e->file.run) != 0;
}

static int put_runs(struct export *e, const struct export_run *runs)
{
	int r = 0;
	for (e->run_at = 0; r == 0 && e->run_at < e->runs_count; e->run_at++) {
		if (is_done(e, runs, e->run_at))
			continue;
		if (export_show(e->options, runs[e->run_at].number, &e->run) != 0)
			return -ENOENT;
		if (e->run.sim && !e->simulated)
			continue;
		r = put_run(e);
	}
	return r;
}

static int list_runs(struct export *e, struct export_run **runs)
{
	if (e->number != NULL) {
		*runs = calloc(1, sizeof **runs);
		if (*runs == NULL)
			return 1;
		snprintf((*runs)->number, sizeof(*runs)->number, "%s", e->number);
		e->runs_count = 1;
		e->simulated = true; /* who names a run means it; the file says what it is */
		return 0;
	}
	return export_find(e->requester, e->since, e->before, e->instrument, runs, &e->runs_count);
}

static int tell(struct export *e, int r)
{
	clear_progress(e);
	if (r == 0 && e->lost == 0) {
		fprintf(stderr, "assayctl: %s: %zu runs, %" PRIu64 " bytes\n", e->to, e->runs_count,
			e->file.offset);
		return 0;
	}
	if (r == 0)
		fprintf(stderr,
			"assayctl: %s is not complete: %" PRIu64
			" frames are not in the journal any more\n",
			e->to, e->lost);
	else if (r == -EINTR)
		fprintf(stderr, "assayctl: interrupted; the same command goes on from here\n");
	else
		fprintf(stderr, "assayctl: %s: %s; the same command goes on from here\n",
			e->run.number, strerror(-r));
	return 1;
}

static int write_file(struct export *e, const struct export_run *runs)
{
	char selection[400];
	snprintf(selection, sizeof selection, "%s %s %s %s %s %d", format_names[e->format],
		e->number != NULL ? e->number : "-", e->from != NULL ? e->from : "-",
		e->until != NULL ? e->until : "-", e->instrument != NULL ? e->instrument : "-",
		e->simulated);
	if (export_open(&e->file, e->to, selection) != 0)
		return 1;
	int r = put_runs(e, runs);
	int saved = r == 0 ? export_finish(&e->file) : export_save(&e->file);
	export_close(&e->file);
	return tell(e, r == 0 ? saved : r);
}

static int export(struct export *e)
{
	struct export_run *runs = NULL;
	int r = requester_create(&e->requester, NULL, e->options->replay) < 0;
	if (r == 0)
		r = list_runs(e, &runs);
	if (r == 0 && e->runs_count == 0) {
		fputs("assayctl: no run began in that time\n", stderr);
		r = 1;
	}
	if (r == 0)
		r = write_file(e, runs);
	requester_destroy(e->requester);
	buffer_finish(&e->piece);
	buffer_finish(&e->table.header);
	free(runs);
	return r;
}

/* --- the command ------------------------------------------------------------------------------ */

static int check_args(const struct export *e, const struct args *args)
{
	if ((e->number != NULL) == (e->from != NULL))
		return args_reject(args, "expected either --run or --from");
	if (e->number != NULL && (e->until != NULL || e->instrument != NULL))
		return args_reject(args, "--until and --instrument go with --from");
	if (e->number != NULL && strlen(e->number) >= EXPORT_NUMBER_SIZE)
		return args_reject(args, "--run: this is not the number of a run");
	return 0;
}

int command_export(const struct options *options, const struct args *args)
{
	static struct export e;
	e = (struct export){.options = options,
		.number = args_text(args, "run"),
		.from = args_text(args, "from"),
		.until = args_text(args, "until"),
		.instrument = args_text(args, "instrument"),
		.to = args_text(args, "to"),
		.since = args_number(args, "from"),
		.before = args_has(args, "until") ? args_number(args, "until") : INT64_MAX,
		.simulated = args_has(args, "simulated")};
	int error = check_args(&e, args);
	if (error != 0)
		return error;
	while (strcmp(format_names[e.format], args_text(args, "format")) != 0)
		e.format++;
	struct sigaction action = {.sa_handler = on_signal};
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	return export(&e);
}
