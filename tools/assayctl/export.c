/* SPDX-License-Identifier: Apache-2.0 */
/* export: runs in a format of tools/export, into a file. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "base/clock.h"
#include "client.h"
#include "export-file.h"
#include "export-folder.h"
#include "export-search.h"
#include "export.h"
#include "interrupt.h"
#include "print.h"

#define PROGRESS_NS (200 * NS_PER_MS)
#define EXCEL_ROWS  1048575 /* and the line of columns */
#define NAMES_SHOWN 5

struct job {
	struct export export;
	struct export_file file;
	struct export_name *names;
	size_t at, count;
	size_t left_out;  /* runs of simulated instruments */
	uint64_t entries; /* of the run so far */
	uint64_t bytes, shown_at;
};

static void show_progress(struct job *job, const struct export_run *run, uint64_t seq)
{
	uint64_t now = clock_boot();
	if (!isatty(STDERR_FILENO) || now < job->shown_at + PROGRESS_NS)
		return;
	job->shown_at = now;
	fprintf(stderr, "\r\033[K%s, %zu of %zu runs", run->number, job->at + 1, job->count);
	if (run->last > run->first && seq >= run->first && seq <= run->last)
		fprintf(stderr, ", %.0f %%",
			100.0 * (double)(seq - run->first) / (double)(run->last - run->first));
}

/*
 * Of the run in which an earlier attempt was interrupted, the pieces that are in the file are not
 * written again.  They are made again, because the comments depend on them.
 */
static int write_piece(void *arg, const struct export *e, uint64_t seq)
{
	struct job *job = arg;
	struct export_file *file = &job->file;
	bool is_there = file->is_resumed && strcmp(file->run, e->run.number) == 0 &&
			job->entries < file->entries;
	show_progress(job, &e->run, seq);
	job->entries++;
	if (is_there)
		return 0;
	file->is_resumed = false;
	job->bytes += e->to.len;
	return export_file_append(file, job->entries, e);
}

/* The runs before the one in which an earlier attempt was interrupted are complete. */
static size_t first_to_do(const struct job *job)
{
	for (size_t i = 0; job->file.is_resumed && i < job->count; i++) {
		if (strcmp(job->names[i].number, job->file.run) == 0)
			return i;
	}
	return 0;
}

/* Reads the facts of the run of this number.  0, or 1 after a message. */
static int show_run(const struct options *options, const char *number, struct export_run *run)
{
	struct options quiet = *options;
	struct control_request request;
	struct control_reply reply;
	quiet.json = false;
	*run = (struct export_run){0};
	control_request_init(&request, "run-show");
	map_text(&request.map, "number", number);
	int r = client_ask(&quiet, &request, ASK_SECONDS, &reply);
	if (r == 0) {
		struct assay_span row = keys_value(reply.body, string_of("run"));
		if (keys_decode(&export_run_keys, row.data, row.len, run) < 0)
			r = client_explain(&quiet, -EBADMSG, &reply);
	}
	control_reply_finish(&reply);
	return r;
}

/* 0, a negative errno, or 1 after a message. */
static int put_runs(struct job *job, const struct options *options)
{
	struct export_file *file = &job->file;
	int r = 0;
	for (job->at = first_to_do(job); r == 0 && job->at < job->count; job->at++) {
		struct export_run run;
		r = show_run(options, job->names[job->at].number, &run);
		/*
		 * The lines that are there have the values of then; and what a survey counted may
		 * be another number now.
		 */
		if (r == 0 && file->is_resumed &&
			(run.corrected.count != file->corrections ||
				job->export.format->survey != NULL)) {
			r = export_file_restart(file, &job->export.tables);
			job->at = SIZE_MAX;
			continue;
		}
		job->entries = 0;
		if (r == 0)
			r = export_put(&job->export, &run);
	}
	return r;
}

static void print_notes(const struct job *job)
{
	const struct export *e = &job->export;
	if (job->left_out > 0)
		fprintf(stderr, "assayctl: %zu run%s left out: simulated; add --simulated\n",
			job->left_out, job->left_out == 1 ? "" : "s");
	for (const struct export_note *note = e->notes; note->text != NULL; note++)
		fprintf(stderr, "assayctl: %" PRIu64 " %s\n", note->count, note->text);
	if (e->format->lacks != NULL)
		fprintf(stderr, "assayctl: this format has no place for: %s\n", e->format->lacks);
	if (e->format->style == NULL)
		return;
	if (e->tables.count > 1)
		fputs("assayctl: one file for each set of columns\n", stderr);
	for (size_t i = 0; i < e->tables.count; i++) {
		char name[EXPORT_PATH];
		export_file_name(&job->file, i, "", name);
		if (e->tables.of[i].rows > EXCEL_ROWS)
			fprintf(stderr,
				"assayctl: %s has %" PRIu64 " lines; a spreadsheet shows the first "
				"%d\n",
				name, e->tables.of[i].rows, EXCEL_ROWS);
	}
}

/* "a.msa, a-2.msa, a-3.msa and 5 more" */
static void print_names(const struct job *job, size_t files)
{
	char name[EXPORT_PATH];
	for (size_t i = 0; i < files && i < NAMES_SHOWN; i++) {
		export_file_name(&job->file, i, "", name);
		fprintf(stderr, "%s%s", i > 0 ? ", " : "assayctl: ", name);
	}
	if (files > NAMES_SHOWN)
		fprintf(stderr, " and %zu more", files - NAMES_SHOWN);
	fprintf(stderr, ": %zu run%s, %" PRIu64 " bytes\n", job->count, job->count == 1 ? "" : "s",
		job->bytes);
}

static void print_answer(const struct job *job, size_t files)
{
	const struct export *e = &job->export;
	json_t *names = json_array(), *notes = json_array(), *lacks = json_array();
	for (size_t i = 0; i < files; i++) {
		char name[EXPORT_PATH];
		export_file_name(&job->file, i, "", name);
		json_array_append_new(names, json_string(name));
	}
	for (const struct export_note *note = e->notes; note->text != NULL; note++)
		json_array_append_new(notes,
			json_pack("{sIss}", "count", (json_int_t)note->count, "text", note->text));
	for (const char *at = e->format->lacks; at != NULL;) {
		size_t len = strcspn(at, ";");
		json_array_append_new(lacks, json_stringn(at, len));
		at = at[len] == ';' ? at + len + 2 : NULL;
	}
	print_object(json_pack("{sb so sI sI sI sI so so}", "ok", files > 0 && e->lost == 0,
		"files", names, "runs", (json_int_t)job->count, "bytes", (json_int_t)job->bytes,
		"lost", (json_int_t)e->lost, "simulated_left_out", (json_int_t)job->left_out,
		"notes", notes, "not_carried", lacks));
}

static int print_result(const struct job *job, const struct options *options, size_t files, int r)
{
	if (job->shown_at > 0)
		fputs("\r\033[K", stderr);
	if (r == -EINTR)
		fputs("assayctl: interrupted; the same command continues here\n", stderr);
	else if (r == -E2BIG)
		fprintf(stderr,
			"assayctl: more than %d sets of columns or %d files; use --format json\n",
			EXPORT_TABLES_MAX, EXPORT_FILES_MAX);
	else if (r == -EFBIG)
		fprintf(stderr,
			"assayctl: %s is too large for a format that needs it in memory; use "
			"--format csv or json\n",
			job->export.run.number);
	else if (r < 0)
		fprintf(stderr, "assayctl: %s: %s; the same command continues here\n",
			job->export.run.number, strerror(-r));
	if (r != 0)
		return 1;
	if (options->json)
		print_answer(job, files);
	print_names(job, files);
	print_notes(job);
	if (job->export.lost > 0)
		fprintf(stderr,
			"assayctl: not complete: %" PRIu64 " frames are no longer in the journal\n",
			job->export.lost);
	return job->export.lost > 0;
}

/* No file is made of runs that have nothing that the format can hold. */
static int explain_nothing(const struct job *job, const struct options *options)
{
	if (options->json)
		print_answer(job, 0);
	fprintf(stderr, "assayctl: no file: nothing in %s fits this format\n",
		job->count == 1 ? job->export.run.number : "these runs");
	print_notes(job);
	return 1;
}

/* Before the file gets its name.  0, or 1 after a message. */
static int check_search(struct job *job, const struct args *args)
{
	uint64_t spectra = job->export.tables.of[0].rows;
	if (!args_has(args, "nist") || spectra <= SEARCH_SPECTRA)
		return 0;
	fprintf(stderr,
		"assayctl: no file: %" PRIu64 " spectra, and NIST MS Search takes %d at a time: "
		"choose some with --scans FIRST-LAST\n",
		spectra, SEARCH_SPECTRA);
	export_file_restart(&job->file, &job->export.tables);
	return 1;
}

static int hand_over(const struct args *args, const char *path)
{
	int r = search_hand_over(path, args_text(args, "nist"));
	if (r == -EEXIST)
		fputs("assayctl: FILESPEC.FIL is there: NIST MS Search has not taken the last file "
		      "yet; is it running, with \"Automatic Search On\"?\n",
			stderr);
	else if (r < 0)
		fprintf(stderr, "assayctl: FILESPEC.FIL: %s\n", strerror(-r));
	return r < 0;
}

/* -ENODATA: there is no file, because nothing fits the format. */
static int write_file(
	struct job *job, const struct options *options, const struct args *args, const char *path)
{
	const char *names[] = {"format", "run", "from", "until", "instrument", "decimal", "scans"};
	const char *flags[] = {"simulated", "partials"};
	char selection[400];
	size_t len = 0;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *text = args_text(args, names[i]);
		len += (size_t)snprintf(
			selection + len, sizeof selection - len, "%s ", text != NULL ? text : "-");
		if (len >= sizeof selection)
			return args_reject(args, "--%s is too long", names[i]);
	}
	for (size_t i = 0; i < sizeof flags / sizeof *flags && len < sizeof selection; i++)
		len += (size_t)snprintf(
			selection + len, sizeof selection - len, "%d", args_has(args, flags[i]));
	int r = export_file_open(&job->file, path, selection, &job->export.tables);
	if (r == 0)
		r = put_runs(job, options);
	size_t files = job->file.count;
	bool is_empty = r == 0 && job->file.outputs[0].offset == 0;
	if (r == 0 && !is_empty)
		r = check_search(job, args);
	if (r == 0 && !is_empty)
		r = export_file_finish(&job->file);
	else if (r < 0)
		export_file_save(&job->file, &job->export.tables);
	export_file_close(&job->file);
	if (is_empty)
		return -ENODATA;
	r = print_result(job, options, files, r);
	return r == 0 && args_has(args, "nist") ? hand_over(args, path) : r;
}

static void leave_out_simulated(struct job *job)
{
	size_t count = 0;
	for (size_t i = 0; i < job->count; i++) {
		if (!job->names[i].sim)
			job->names[count++] = job->names[i];
	}
	job->left_out = job->count - count;
	job->count = count;
}

/* The run that was named, or those of the period.  0, or 1 after a message. */
static int list_runs(struct job *job, const struct args *args)
{
	const char *number = args_text(args, "run");
	uint64_t until = args_has(args, "until") ? args_number(args, "until") : INT64_MAX;
	if (number != NULL) { /* may be a simulated one: the file has a mark of that */
		job->names = calloc(1, sizeof *job->names);
		if (job->names == NULL)
			return 1;
		snprintf(job->names->number, sizeof job->names->number, "%s", number);
		job->count = 1;
		return 0;
	}
	int r = export_find(job->export.replay, args_number(args, "from"), until,
		args_text(args, "instrument"), &job->names, &job->count);
	if (r < 0)
		fprintf(stderr, "assayctl: the runs cannot be listed: %s\n",
			r == -ETIMEDOUT ? "no answer; is assayd running?" : strerror(-r));
	else if (job->count == 0)
		fputs("assayctl: no run started in that period\n", stderr);
	if (r == 0 && job->count > 0 && !args_has(args, "simulated"))
		leave_out_simulated(job);
	if (job->count == 0)
		print_notes(job);
	return r < 0 || (job->count == 0 && !args_has(args, "into")); /* a timer finds none often */
}

/* One run into its folder.  `*is_new`: its file was not there. */
static int write_folder(struct job *job, const struct options *options, const struct args *args,
	const struct export_run *run, bool *is_new)
{
	const char *folder = args_text(args, "into");
	char path[EXPORT_PATH];
	int r = export_folder_name(folder, run, args_text(args, "format"), path);
	*is_new = r == 0 && access(path, F_OK) < 0;
	if (*is_new)
		r = export_folder_make(path);
	if (r < 0)
		fprintf(stderr, "assayctl: %s: %s\n", folder, strerror(-r));
	if (r < 0 || !*is_new)
		return r < 0;
	job->export.tables.count = job->export.tables.at = 0;
	memset(job->export.notes, 0, sizeof job->export.notes);
	job->export.lost = job->bytes = 0;
	r = write_file(job, options, args, path);
	*is_new = r != -ENODATA;
	return r == -ENODATA ? 0 : r;
}

/* Each run that has ended and is not in the folder yet; for a timer. */
static int write_folders(struct job *job, const struct options *options, const struct args *args)
{
	struct export_name *names = job->names;
	size_t count = job->count, written = 0, open = 0;
	int r = 0;
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct export_run run;
		bool is_new = false;
		job->names = &names[i];
		job->count = 1;
		r = show_run(options, names[i].number, &run);
		if (r == 0 && run.last == 0)
			open++;
		else if (r == 0)
			r = write_folder(job, options, args, &run, &is_new);
		written += is_new && r == 0;
	}
	job->names = names;
	fprintf(stderr, "assayctl: %zu of %zu runs written, %zu still open\n", written, count,
		open);
	return r;
}

int command_export(const struct options *options, const struct args *args)
{
	static struct job job;
	const char *number = args_text(args, "run"), *decimal = args_text(args, "decimal");
	if ((number != NULL) == args_has(args, "from"))
		return args_reject(args, "expected either --run or --from");
	if (args_has(args, "to") == args_has(args, "into"))
		return args_reject(args, "expected either --to or --into");
	if (number != NULL && (args_has(args, "until") || args_has(args, "instrument")))
		return args_reject(args, "--until and --instrument go with --from");
	if (number != NULL && strlen(number) >= sizeof job.export.run.number)
		return args_reject(args, "--run: this is not the number of a run");
	if (decimal != NULL && strcmp(args_text(args, "format"), "csv-excel") != 0)
		return args_reject(args, "--decimal goes with --format csv-excel");
	uint64_t first = 0, last = UINT64_MAX;
	if (strcmp(args_text(args, "format"), "msp") != 0 &&
		(args_has(args, "scans") || args_has(args, "nist")))
		return args_reject(args, "--scans and --nist go with --format msp");
	if (args_has(args, "scans") && search_range(args_text(args, "scans"), &first, &last) < 0)
		return args_reject(
			args, "--scans: expected a number such as 5, or a range such as 5-20");
	job.export = (struct export){.format = export_format_find(args_text(args, "format")),
		.with_partial = args_has(args, "partials"),
		.scan_first = first,
		.scan_last = last,
		.decimal_comma = decimal == NULL || strcmp(decimal, "comma") == 0,
		.must_stop = interrupt_catch(),
		.piece = write_piece,
		.arg = &job};
	int r = client_reach(options->replay);
	if (r == 0)
		r = requester_create(&job.export.replay, NULL, options->replay, &options->keys) < 0;
	if (r == 0)
		r = list_runs(&job, args);
	if (r == 0 && args_has(args, "into"))
		r = write_folders(&job, options, args);
	else if (r == 0)
		r = write_file(&job, options, args, args_text(args, "to"));
	if (r == -ENODATA)
		r = explain_nothing(&job, options);
	requester_destroy(job.export.replay);
	export_finish(&job.export);
	free(job.names);
	return r;
}
