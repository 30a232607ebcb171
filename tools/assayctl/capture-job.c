/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "capture-job.h"
#include "capture/read.h"
#include "client.h"
#include "print.h"

#define CAPTURE_SECONDS 15
#define WAIT_MS         500

static long count_one(struct capture_job *job, const uint8_t *data, size_t len)
{
	static struct capture_head head;
	struct capture_record record;
	if (!job->has_head) {
		long n = capture_read_head(data, len, &head);
		job->has_head = n > 0;
		return n;
	}
	long n = capture_read(data, len, &record);
	if (n <= 0)
		return n;
	if (record.kind == CAPTURE_OUT || record.kind == CAPTURE_IN)
		job->link_bytes += record.len;
	if (record.kind == CAPTURE_MISSING) {
		uint64_t records, bytes;
		capture_read_missing(&record, &records, &bytes);
		job->missing += bytes;
	}
	return n;
}

/* Writes the bytes into the file as they are, and reads them only to count. */
static int take(struct capture_job *job, struct assay_span data)
{
	size_t at = 0;
	long n = 0;
	if (data.len > 0 && fwrite(data.data, 1, data.len, job->file) != data.len) {
		fprintf(stderr, "assayctl: %s: %s\n", job->path, strerror(errno));
		return 1;
	}
	job->bytes += data.len;
	if (data.len > 0)
		buffer_append(&job->rest, data.data, data.len);
	while ((n = count_one(job, job->rest.data + at, job->rest.len - at)) > 0)
		at += (size_t)n;
	buffer_consume(&job->rest, at);
	if (n < 0 || job->rest.failed) {
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
static int ask(const struct options *options, struct capture_job *job, const char *op)
{
	struct control_request request;
	struct control_reply reply;
	struct capture_reply found = {.id = job->id};
	control_request_init(&request, op);
	if (job->id == 0)
		map_text(&request.map, "instrument", job->instrument);
	else
		map_uint(&request.map, "id", job->id);
	if (strcmp(op, "capture-read") == 0)
		map_uint(&request.map, "wait", WAIT_MS);
	int r = client_ask(options, &request, CAPTURE_SECONDS, &reply);
	if (r == 0 && keys_decode(&reply_keys, reply.body.data, reply.body.len, &found) < 0)
		r = client_explain(options, -EBADMSG, &reply);
	if (r == 0)
		r = take(job, found.data);
	job->id = found.id;
	job->has_end = found.end;
	control_reply_finish(&reply);
	return r;
}

int capture_job_start(const struct options *options, struct capture_job *job)
{
	job->file = fopen(job->path, "wxe");
	if (job->file == NULL) {
		fprintf(stderr, "assayctl: %s: %s\n", job->path, strerror(errno));
		return 1;
	}
	return ask(options, job, "capture-start");
}

int capture_job_follow(const struct options *options, struct capture_job *job)
{
	int r = 0;
	while (r == 0 && !job->has_end) {
		bool is_done = job->is_over(job);
		if (is_done && !job->is_stopped)
			r = ask(options, job, "capture-stop");
		job->is_stopped = job->is_stopped || is_done;
		if (r == 0)
			r = ask(options, job, "capture-read");
	}
	return r;
}

int capture_job_close(struct capture_job *job, int r)
{
	if (job->file == NULL)
		return r;
	if (fclose(job->file) != 0 && r == 0) {
		fprintf(stderr, "assayctl: %s: %s\n", job->path, strerror(errno));
		r = 1;
	}
	buffer_finish(&job->rest);
	if (job->bytes == 0)
		unlink(job->path);
	return r;
}
