/* SPDX-License-Identifier: Apache-2.0 */
/* capture: records the bytes on an instrument's link into a file; prints such a file. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "base/clock.h"
#include "capture/file.h"
#include "capture/read.h"
#include "client.h"
#include "print.h"
#include "record/uuid.h"

#define CAPTURE_SECONDS 15
#define WAIT_MS         500
#define COLUMNS         16 /* bytes of a line of the hex dump */

/* --- recording -------------------------------------------------------------------------------- */

struct capture_job {
	const char *instrument, *path;
	uint64_t seconds, count; /* 0: no limit */
	FILE *file;
	uint64_t id, bytes, link_bytes, missing;
	struct buffer rest; /* an incomplete record, for counting only */
	bool has_head, is_stopped, has_end;
};

static long count_one(struct capture_job *rec, const uint8_t *data, size_t len)
{
	static struct capture_head head;
	struct capture_record record;
	if (!rec->has_head) {
		long n = capture_read_head(data, len, &head);
		rec->has_head = n > 0;
		return n;
	}
	long n = capture_read(data, len, &record);
	if (n <= 0)
		return n;
	if (record.kind == CAPTURE_OUT || record.kind == CAPTURE_IN)
		rec->link_bytes += record.len;
	if (record.kind == CAPTURE_MISSING) {
		uint64_t records, bytes;
		capture_read_missing(&record, &records, &bytes);
		rec->missing += bytes;
	}
	return n;
}

/* Writes the bytes into the file as they are, and reads them only to count. */
static int take(struct capture_job *rec, struct assay_span data)
{
	size_t at = 0;
	long n = 0;
	if (data.len > 0 && fwrite(data.data, 1, data.len, rec->file) != data.len) {
		fprintf(stderr, "assayctl: %s: %s\n", rec->path, strerror(errno));
		return 1;
	}
	rec->bytes += data.len;
	if (data.len > 0)
		buffer_append(&rec->rest, data.data, data.len);
	while ((n = count_one(rec, rec->rest.data + at, rec->rest.len - at)) > 0)
		at += (size_t)n;
	buffer_consume(&rec->rest, at);
	if (n < 0 || rec->rest.failed) {
		fprintf(stderr, "assayctl: the daemon sends something else than a recording\n");
		return 1;
	}
	return 0;
}

struct capture_reply {
	uint64_t id;
	struct assay_span data;
	bool end;
};

static const struct keys reply_keys = {
	.rows = (const struct key[]){ROW_UINT(struct capture_reply, id),
		{"data", KEY_BYTES, KEY_AT(struct capture_reply, data)},
		ROW_BOOL(struct capture_reply, end), {0}},
	.open = true};

/* Sends capture-start, capture-read or capture-stop.  0, or 1 after a message. */
static int ask(const struct options *options, struct capture_job *rec, const char *op)
{
	struct control_request request;
	struct control_reply reply;
	struct capture_reply found = {.id = rec->id};
	control_request_init(&request, op);
	if (rec->id == 0)
		map_text(&request.map, "instrument", rec->instrument);
	else
		map_uint(&request.map, "id", rec->id);
	if (strcmp(op, "capture-read") == 0)
		map_uint(&request.map, "wait", WAIT_MS);
	int r = client_ask(options, &request, CAPTURE_SECONDS, &reply);
	if (r == 0 && keys_decode(&reply_keys, reply.body.data, reply.body.len, &found) < 0)
		r = client_explain(options, -EBADMSG, &reply);
	if (r == 0)
		r = take(rec, found.data);
	rec->id = found.id;
	rec->has_end = found.end;
	control_reply_finish(&reply);
	return r;
}

/* Signals are blocked while a request is under way, and taken between two requests. */
static int record(const struct options *options, struct capture_job *rec)
{
	struct options quiet = *options;
	sigset_t signals;
	quiet.json = false;
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	int r = ask(&quiet, rec, "capture-start");
	uint64_t until = rec->seconds != 0 ? clock_boot() + rec->seconds * NS_PER_S : UINT64_MAX;
	while (r == 0 && !rec->has_end) {
		bool is_done = sigtimedwait(&signals, NULL, &(struct timespec){0}) > 0 ||
			       (rec->count != 0 && rec->link_bytes >= rec->count) ||
			       clock_boot() >= until;
		if (is_done && !rec->is_stopped)
			r = ask(&quiet, rec, "capture-stop");
		rec->is_stopped = rec->is_stopped || is_done;
		if (r == 0)
			r = ask(&quiet, rec, "capture-read");
	}
	return r;
}

static int capture(const struct options *options, struct capture_job *rec)
{
	rec->file = fopen(rec->path, "wxe");
	if (rec->file == NULL) {
		fprintf(stderr, "assayctl: %s: %s\n", rec->path, strerror(errno));
		return 1;
	}
	int r = record(options, rec);
	if (fclose(rec->file) != 0 && r == 0) {
		fprintf(stderr, "assayctl: %s: %s\n", rec->path, strerror(errno));
		r = 1;
	}
	buffer_finish(&rec->rest);
	if (rec->bytes == 0)
		unlink(rec->path);
	if (r == 0 && options->json)
		print_object(json_pack("{s:I, s:I, s:I}", "bytes", (json_int_t)rec->bytes,
			"link_bytes", (json_int_t)rec->link_bytes, "missing_bytes",
			(json_int_t)rec->missing));
	else if (r == 0)
		printf("%s: %" PRIu64 " bytes of dialogue, %" PRIu64 " bytes not recorded\n",
			rec->path, rec->link_bytes, rec->missing);
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
	struct capture_job rec = {.instrument = args->words[0],
		.path = args_text(args, "to"),
		.seconds = args_number(args, "seconds"),
		.count = args_number(args, "count")};
	if (args_has(args, "show")) {
		if (rec.instrument != NULL || rec.path != NULL)
			return args_reject(args, "--show takes neither INSTRUMENT nor --to");
		return show(options, args_text(args, "show"));
	}
	if (rec.instrument == NULL)
		return args_reject(args, "expected INSTRUMENT");
	if (rec.path == NULL)
		return args_reject(args, "--to is missing");
	return capture(options, &rec);
}
