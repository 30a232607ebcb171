/* SPDX-License-Identifier: Apache-2.0 */
/* capture: records the bytes on an instrument's link into a file; prints such a file. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "base/clock.h"
#include "capture/file.h"
#include "capture-job.h"
#include "capture/read.h"
#include "print.h"
#include "record/uuid.h"

#define COLUMNS 16 /* bytes of a line of the hex dump */

/* --- recording -------------------------------------------------------------------------------- */

/* A recording with limits. */
struct limited {
	struct capture_job job;
	sigset_t signals;
	uint64_t until, count; /* UINT64_MAX: no limit */
};

/* Signals are blocked while a request is under way, and taken between two requests. */
static bool is_over(struct capture_job *job)
{
	const struct limited *limited = (struct limited *)job;
	return sigtimedwait(&limited->signals, NULL, &(struct timespec){0}) > 0 ||
	       job->link_bytes >= limited->count || clock_boot() >= limited->until;
}

static int capture(const struct options *options, struct limited *limited)
{
	struct options quiet = *options;
	struct capture_job *job = &limited->job;
	quiet.json = false;
	sigemptyset(&limited->signals);
	sigaddset(&limited->signals, SIGINT);
	sigaddset(&limited->signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &limited->signals, NULL);
	int r = capture_job_start(&quiet, job);
	if (r == 0)
		r = capture_job_follow(&quiet, job);
	r = capture_job_close(job, r);
	if (r == 0 && options->json)
		print_object(json_pack("{s:I, s:I, s:I}", "bytes", (json_int_t)job->bytes,
			"link_bytes", (json_int_t)job->link_bytes, "missing_bytes",
			(json_int_t)job->missing));
	else if (r == 0)
		printf("%s: %" PRIu64 " bytes of dialogue, %" PRIu64 " bytes not recorded\n",
			job->path, job->link_bytes, job->missing);
	return r;
}

/* --- printing a recording --------------------------------------------------------------------- */

/* Seconds since the start of the recording; negative for the start of the connection before it. */
static double seconds_of(const struct capture_file *file, const struct capture_record *record)
{
	return (double)(int64_t)(record->mono - file->head.mono) / 1e9;
}

static void text_of(const struct capture_record *record, char *to, size_t size)
{
	if (record->kind == CAPTURE_MISSING) {
		uint64_t records, bytes;
		capture_read_missing(record, &records, &bytes);
		snprintf(to, size, "%" PRIu64 " bytes in %" PRIu64 " pieces were not recorded",
			bytes, records);
		return;
	}
	print_safe(to, size, (struct assay_string){(const char *)record->data, record->len});
}

static void show_record(const struct capture_file *file, const struct capture_record *record)
{
	char text[CAPTURE_TEXT_MAX + 1];
	printf("%+14.6f  %s", seconds_of(file, record), capture_kind_name(record->kind));
	if (record->channel != 0)
		printf(" 0x%02x", record->channel);
	if (record->kind == CAPTURE_OUT || record->kind == CAPTURE_IN) {
		printf("  %zu bytes\n", record->len);
		for (size_t at = 0; at < record->len; at += COLUMNS) {
			char hex[3 * COLUMNS + 1] = "", ascii[COLUMNS + 1] = "";
			for (size_t i = 0; i < COLUMNS && at + i < record->len; i++) {
				unsigned char c = record->data[at + i];
				snprintf(hex + 3 * i, 4, "%02x ", c);
				ascii[i] = c >= 0x20 && c < 0x7f ? (char)c : '.';
			}
			printf("    %06zx  %-*s %s\n", at, 3 * COLUMNS, hex, ascii);
		}
		return;
	}
	text_of(record, text, sizeof text);
	printf("%s%s\n", text[0] != '\0' ? "  " : "", text);
}

static void show_head(const char *path, const struct capture_head *head)
{
	char start[PRINT_TIME_SIZE];
	print_time(start, head->utc);
	printf("%s: link %s, recorded %s by assayd %s at %s/%s\n", path, head->link, start,
		head->version, head->site, head->node);
	for (size_t i = 0; i < head->unit_count; i++) {
		const struct capture_unit *unit = &head->units[i];
		printf("  %s: driver %s, %s %s, serial %s, firmware %s", unit->key, unit->driver,
			unit->make[0] != '\0' ? unit->make : "-",
			unit->model[0] != '\0' ? unit->model : "-",
			unit->serial[0] != '\0' ? unit->serial : "-",
			unit->fw[0] != '\0' ? unit->fw : "-");
		if (unit->unit_id != 0)
			printf(", unit id %u", unit->unit_id);
		printf("%s\n", unit->simulated ? ", SIMULATED" : "");
	}
}

static void show_record_json(const struct capture_file *file, const struct capture_record *record)
{
	char text[2 * CAPTURE_TEXT_MAX + 1], *hex = NULL;
	bool is_bytes = record->kind == CAPTURE_OUT || record->kind == CAPTURE_IN;
	if (is_bytes) {
		hex = malloc(HEX_SIZE(record->len));
		hex = hex != NULL ? hex_write(hex, record->data, record->len) : NULL;
	} else {
		text_of(record, text, sizeof text);
	}
	print_object(json_pack("{s:f, s:s, s:i, s:s}", "time", seconds_of(file, record), "kind",
		capture_kind_name(record->kind), "channel", record->channel,
		is_bytes ? "hex" : "text", is_bytes ? hex : text));
	free(hex);
}

static int show(const struct options *options, const char *path)
{
	static struct capture_file file;
	char why[CAPTURE_WHY];
	if (capture_file_open(&file, path, why) < 0) {
		fprintf(stderr, "assayctl: %s: %s\n", path, why);
		return 1;
	}
	if (!options->json)
		show_head(path, &file.head);
	for (size_t i = 0; i < file.count; i++) {
		if (options->json)
			show_record_json(&file, &file.records[i]);
		else
			show_record(&file, &file.records[i]);
	}
	bool is_whole = file.is_whole;
	if (!is_whole)
		fprintf(stderr, "assayctl: %s: damaged or cut off at byte %zu\n", path, file.read);
	capture_file_close(&file);
	return is_whole ? 0 : 1;
}

/* --- the command ------------------------------------------------------------------------------ */

int command_capture(const struct options *options, const struct args *args)
{
	uint64_t seconds = args_number(args, "seconds"), count = args_number(args, "count");
	struct limited limited = {.job = {.instrument = args->words[0],
					  .path = args_text(args, "to"),
					  .is_over = is_over},
		.until = seconds != 0 ? clock_boot() + seconds * NS_PER_S : UINT64_MAX,
		.count = count != 0 ? count : UINT64_MAX};
	if (args_has(args, "show")) {
		if (limited.job.instrument != NULL || limited.job.path != NULL)
			return args_reject(args, "--show takes neither INSTRUMENT nor --to");
		return show(options, args_text(args, "show"));
	}
	if (limited.job.instrument == NULL)
		return args_reject(args, "expected INSTRUMENT");
	if (limited.job.path == NULL)
		return args_reject(args, "--to is missing");
	return capture(options, &limited);
}
