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
#include "export.h"
#include "interrupt.h"

#define PROGRESS_NS (200 * NS_PER_MS)

struct job {
	struct export export;
	struct export_file file;
	size_t run_at, runs_count;
	uint64_t entries; /* of the run so far */
	uint64_t shown_at;
};

static void show_progress(struct job *job, const struct export_run *run, uint64_t seq)
{
	uint64_t now = clock_boot();
	if (!isatty(STDERR_FILENO) || now < job->shown_at + PROGRESS_NS)
		return;
	job->shown_at = now;
	fprintf(stderr, "\r\033[K%s, %zu of %zu runs", run->number, job->run_at + 1,
		job->runs_count);
	if (run->last > run->first && seq >= run->first && seq <= run->last)
		fprintf(stderr, ", %.0f %%",
			100.0 * (double)(seq - run->first) / (double)(run->last - run->first));
}

/*
 * Of the run in which an earlier attempt was interrupted, the pieces that are in the file are not
 * written again.  They are made again, because the columns of a table depend on them.
 */
static int write_piece(void *arg, const struct export *e, const struct export_item *item)
{
	struct job *job = arg;
	struct export_file *file = &job->file;
	bool is_there = file->is_resumed && strcmp(file->run, e->run.number) == 0 &&
			job->entries < file->entries;
	show_progress(job, &e->run, item->entry.seq);
	job->entries++;
	if (is_there)
		return 0;
	file->is_resumed = false;
	return export_file_append(file, e->run.number, job->entries, &e->to);
}

/* The runs before the one in which an earlier attempt was interrupted are complete. */
static size_t first_to_do(const struct job *job, const struct export_run *runs)
{
	for (size_t i = 0; job->file.is_resumed && i < job->runs_count; i++) {
		if (strcmp(runs[i].number, job->file.run) == 0)
			return i;
	}
	return 0;
}

/* Fills in the rest of the run of this number.  0, or 1 after a message. */
static int show_run(const struct options *options, struct export_run *run)
{
	struct options quiet = *options;
	struct control_request request;
	struct control_reply reply;
	quiet.json = false;
	control_request_init(&request, "run-show");
	map_text(&request.map, "number", run->number);
	int r = client_ask(&quiet, &request, ASK_SECONDS, &reply);
	if (r == 0) {
		struct assay_span row = keys_value(reply.body, string_of("run"));
		if (keys_decode(&export_run_keys, row.data, row.len, run) < 0)
			r = client_explain(&quiet, -EBADMSG, &reply);
	}
	control_reply_finish(&reply);
	return r;
}

static int put_runs(struct job *job, const struct options *options, struct export_run *runs,
	bool with_simulated)
{
	int r = 0;
	for (job->run_at = first_to_do(job, runs); r == 0 && job->run_at < job->runs_count;
		job->run_at++) {
		struct export_run *run = &runs[job->run_at];
		if (show_run(options, run) != 0)
			return -ENOENT;
		job->entries = 0;
		if (with_simulated || !run->sim)
			r = export_put(&job->export, run);
	}
	return r;
}

static int print_result(const struct job *job, int r)
{
	const char *file = job->file.path;
	if (job->shown_at > 0)
		fputs("\r\033[K", stderr);
	if (r == 0 && job->export.lost == 0) {
		fprintf(stderr, "assayctl: %s: %zu runs, %" PRIu64 " bytes\n", file,
			job->runs_count, job->file.offset);
		return 0;
	}
	if (r == 0)
		fprintf(stderr,
			"assayctl: %s is not complete: %" PRIu64
			" frames are no longer in the journal\n",
			file, job->export.lost);
	else if (r == -EINTR)
		fputs("assayctl: interrupted; the same command continues here\n", stderr);
	else
		fprintf(stderr, "assayctl: %s: %s; the same command continues here\n",
			job->export.run.number, strerror(-r));
	return 1;
}

static int write_file(struct job *job, const struct options *options, const struct args *args,
	struct export_run *runs)
{
	const char *names[] = {"format", "run", "from", "until", "instrument"};
	char selection[400];
	size_t len = 0;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const char *text = args_text(args, names[i]);
		len += (size_t)snprintf(
			selection + len, sizeof selection - len, "%s ", text != NULL ? text : "-");
		if (len >= sizeof selection)
			return args_reject(args, "--%s is too long", names[i]);
	}
	/* A run that is named may be a simulated one: the file has a mark of that. */
	bool with_simulated = args_has(args, "simulated") || args_has(args, "run");
	snprintf(selection + len, sizeof selection - len, "%d", with_simulated);
	if (export_file_open(&job->file, args_text(args, "to"), selection) != 0)
		return 1;
	int r = put_runs(job, options, runs, with_simulated);
	int saved = r == 0 ? export_file_finish(&job->file) : export_file_save(&job->file);
	export_file_close(&job->file);
	return print_result(job, r == 0 ? saved : r);
}

/* The run that was named, or those of the period.  0, or 1 after a message. */
static int list_runs(struct job *job, const struct args *args, struct export_run **runs)
{
	const char *number = args_text(args, "run");
	uint64_t until = args_has(args, "until") ? args_number(args, "until") : INT64_MAX;
	if (number != NULL) {
		*runs = calloc(1, sizeof **runs);
		if (*runs == NULL)
			return 1;
		snprintf((*runs)->number, sizeof(*runs)->number, "%s", number);
		job->runs_count = 1;
		return 0;
	}
	int r = export_find(job->export.replay, args_number(args, "from"), until,
		args_text(args, "instrument"), runs, &job->runs_count);
	if (r < 0)
		fprintf(stderr, "assayctl: the runs cannot be listed: %s\n",
			r == -ETIMEDOUT ? "no answer; is assayd running?" : strerror(-r));
	else if (job->runs_count == 0)
		fputs("assayctl: no run started in that period\n", stderr);
	return r < 0 || job->runs_count == 0;
}

int command_export(const struct options *options, const struct args *args)
{
	static struct job job;
	const char *number = args_text(args, "run");
	if ((number != NULL) == args_has(args, "from"))
		return args_reject(args, "expected either --run or --from");
	if (number != NULL && (args_has(args, "until") || args_has(args, "instrument")))
		return args_reject(args, "--until and --instrument go with --from");
	if (number != NULL && strlen(number) >= sizeof job.export.run.number)
		return args_reject(args, "--run: this is not the number of a run");
	job.export = (struct export){.format = export_format_find(args_text(args, "format")),
		.must_stop = interrupt_catch(),
		.piece = write_piece,
		.arg = &job};
	struct export_run *runs = NULL;
	int r = requester_create(&job.export.replay, NULL, options->replay) < 0;
	if (r == 0)
		r = list_runs(&job, args, &runs);
	if (r == 0)
		r = write_file(&job, options, args, runs);
	requester_destroy(job.export.replay);
	export_finish(&job.export);
	free(runs);
	return r;
}
