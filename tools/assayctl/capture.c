/* SPDX-License-Identifier: Apache-2.0 */
/* capture: what goes over an instrument's link, into a file; and such a file for people. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "base/clock.h"
#include "capture/read.h"
#include "client.h"
#include "print.h"
#include "show.h"

#define CAPTURE_SECONDS 15
#define WAIT_MS         500

/* A recording that is being written. */
struct recording {
	const char *instrument, *path;
	uint64_t seconds, count; /* 0: no limit */
	FILE *file;
	uint64_t id, bytes, link_bytes, missing;
	struct buffer rest; /* of a record or the head, not yet whole: for counting only */
	bool has_head, is_stopped;
	sigset_t signals; /* that end it */
};

/* Blocked while a request is under way, and looked at between two. */
static bool is_interrupted(const sigset_t *signals)
{
	return sigtimedwait(signals, NULL, &(struct timespec){0}) > 0;
}

/* --- what came -------------------------------------------------------------------------------- */

static long count_one(struct recording *rec, const uint8_t *data, size_t len)
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

/* The bytes go into the file as they are; they are read along to know how many there were. */
static int take(struct recording *rec, struct assay_span data)
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
		fprintf(stderr, "assayctl: what the daemon sends is no recording\n");
		return 1;
	}
	return 0;
}

/* --- the dialogue with the daemon ------------------------------------------------------------- */

struct reply {
	uint64_t id;
	struct assay_span data;
	bool end;
};

static const struct keys reply_keys = {
	.rows = (const struct key[]){ROW_UINT(struct reply, id),
		{"data", KEY_BYTES, KEY_AT(struct reply, data)}, ROW_BOOL(struct reply, end), {0}},
	.open = true};

static int ask_start(const struct options *options, struct recording *rec)
{
	struct control_request request;
	struct control_reply reply;
	struct reply started = {0};
	control_request_init(&request, "capture-start");
	map_text(&request.map, "instrument", rec->instrument);
	int r = client_ask(options, &request, CAPTURE_SECONDS, &reply);
	if (r == 0 && keys_decode(&reply_keys, reply.body.data, reply.body.len, &started) < 0)
		r = client_explain(options, -EBADMSG, &reply);
	rec->id = started.id;
	control_reply_finish(&reply);
	return r;
}

static int ask_read(const struct options *options, struct recording *rec, bool *end)
{
	struct control_request request;
	struct control_reply reply;
	struct reply next = {0};
	control_request_init(&request, "capture-read");
	map_uint(&request.map, "id", rec->id);
	map_uint(&request.map, "wait", WAIT_MS);
	int r = client_ask(options, &request, CAPTURE_SECONDS, &reply);
	if (r == 0 && keys_decode(&reply_keys, reply.body.data, reply.body.len, &next) < 0)
		r = client_explain(options, -EBADMSG, &reply);
	if (r == 0)
		r = take(rec, next.data);
	*end = next.end;
	control_reply_finish(&reply);
	return r;
}

static int ask_stop(const struct options *options, struct recording *rec)
{
	struct control_request request;
	struct control_reply reply;
	control_request_init(&request, "capture-stop");
	map_uint(&request.map, "id", rec->id);
	int r = client_ask(options, &request, CAPTURE_SECONDS, &reply);
	rec->is_stopped = true;
	control_reply_finish(&reply);
	return r;
}

static bool is_enough(const struct recording *rec, uint64_t begin)
{
	return is_interrupted(&rec->signals) ||
	       (rec->count != 0 && rec->link_bytes >= rec->count) ||
	       (rec->seconds != 0 && clock_boot() >= begin + rec->seconds * NS_PER_S);
}

static int record_all(const struct options *options, struct recording *rec)
{
	struct options quiet = *options;
	quiet.json = false;
	bool end = false;
	int r = ask_start(&quiet, rec);
	uint64_t begin = clock_boot();
	while (r == 0 && !end) {
		if (!rec->is_stopped && is_enough(rec, begin))
			r = ask_stop(&quiet, rec);
		if (r == 0)
			r = ask_read(&quiet, rec, &end);
	}
	return r;
}

/* --- the command ------------------------------------------------------------------------------ */

static int open_file(struct recording *rec)
{
	int fd = open(rec->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	rec->file = fd >= 0 ? fdopen(fd, "wb") : NULL;
	if (rec->file != NULL)
		return 0;
	fprintf(stderr, "assayctl: %s: %s\n", rec->path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return 1;
}

static void print_summary(const struct options *options, const struct recording *rec)
{
	if (options->json)
		print_object(json_pack("{s:I, s:I, s:I}", "bytes", (json_int_t)rec->bytes,
			"link_bytes", (json_int_t)rec->link_bytes, "missing_bytes",
			(json_int_t)rec->missing));
	else
		printf("%s: %" PRIu64 " bytes of dialogue, %" PRIu64 " bytes not recorded\n",
			rec->path, rec->link_bytes, rec->missing);
}

static int capture(const struct options *options, struct recording *rec)
{
	sigemptyset(&rec->signals);
	sigaddset(&rec->signals, SIGINT);
	sigaddset(&rec->signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &rec->signals, NULL);
	if (open_file(rec) != 0)
		return 1;
	int r = record_all(options, rec);
	if (fclose(rec->file) != 0 && r == 0) {
		fprintf(stderr, "assayctl: %s: %s\n", rec->path, strerror(errno));
		r = 1;
	}
	if (rec->bytes == 0)
		unlink(rec->path);
	if (r == 0)
		print_summary(options, rec);
	buffer_finish(&rec->rest);
	return r;
}

int command_capture(const struct options *options, const struct args *args)
{
	struct recording rec = {.instrument = args->words[0],
		.path = args_text(args, "to"),
		.seconds = args_number(args, "seconds"),
		.count = args_number(args, "count")};
	if (args_has(args, "show")) {
		if (rec.instrument != NULL || rec.path != NULL)
			return args_reject(args, "--show takes neither INSTRUMENT nor --to");
		return show_capture(options, args_text(args, "show"));
	}
	if (rec.instrument == NULL)
		return args_reject(args, "expected INSTRUMENT");
	if (rec.path == NULL)
		return args_reject(args, "--to is missing");
	return capture(options, &rec);
}
