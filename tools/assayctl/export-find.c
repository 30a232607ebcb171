/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "export.h"
#include "print.h"

#define ASK_MS 5000
#define PAGE   500

struct found {
	struct export_run *items;
	size_t count, size;
};

static int add(struct found *found, const struct export_run *run)
{
	for (size_t i = 0; i < found->count; i++) {
		if (strcmp(found->items[i].number, run->number) == 0)
			return 0;
	}
	if (found->count == found->size) {
		size_t size = found->size > 0 ? 2 * found->size : 64;
		void *items = reallocarray(found->items, size, sizeof *found->items);
		if (items == NULL)
			return -ENOMEM;
		found->items = items;
		found->size = size;
	}
	found->items[found->count++] = *run;
	return 0;
}

static const struct keys row_keys = {
	.rows = (const struct key[]){ROW_TEXT(struct export_run, number),
		ROW_UINT(struct export_run, start), ROW_TEXT(struct export_run, status),
		ROW_UINT(struct export_run, first), ROW_UINT(struct export_run, last),
		ROW_UINT(struct export_run, frames), ROW_BOOL(struct export_run, sim), {0}},
	.open = true};

/* The runs of one reply; `oldest` is the start of the last of them. */
static int read_rows(const struct parts *reply, struct found *found, size_t *rows, uint64_t *oldest)
{
	struct reader r;
	int error = 0;
	*rows = print_open_list(parts_at(reply, 0), "runs", &r);
	for (size_t i = 0; i < *rows && error == 0; i++) {
		struct export_run run = {0};
		error = keys_read(&r, &row_keys, &run, NULL);
		if (error == 0)
			error = run.number[0] != '\0' ? add(found, &run) : -EBADMSG;
		*oldest = run.start;
	}
	return error;
}

static int ask_page(struct requester *requester, uint64_t since, uint64_t until,
	const char *instrument, struct parts *reply)
{
	struct buffer request = {0};
	struct message message;
	struct map map;
	map_open(&map, &request);
	map_text(&map, "op", "find");
	map_text(&map, "instrument", instrument);
	map_uint(&map, "since", since);
	map_uint(&map, "until", until);
	map_uint(&map, "limit", PAGE);
	map_close(&map);
	int r = requester_message(requester, &request, ASK_MS, reply, &message);
	buffer_finish(&request);
	return r == 0 && message.kind == MESSAGE_ERROR ? -EPROTO : r;
}

static int by_start(const void *a, const void *b)
{
	const struct export_run *one = a, *other = b;
	if (one->start != other->start)
		return one->start < other->start ? -1 : 1;
	return strcmp(one->number, other->number);
}

/* The daemon gives the newest first, some at a time; the next page begins where this one ended. */
int export_find(struct requester *requester, uint64_t since, uint64_t until, const char *instrument,
	struct export_run **runs, size_t *count)
{
	struct found found = {0};
	struct parts reply = {0};
	size_t rows = PAGE;
	int r = 0;
	for (uint64_t upto = until - 1; r == 0 && rows == PAGE;) {
		size_t before = found.count;
		r = ask_page(requester, since, upto, instrument, &reply);
		if (r == 0)
			r = read_rows(&reply, &found, &rows, &upto);
		if (r == 0 && found.count == before)
			break;
	}
	parts_finish(&reply);
	if (r < 0) {
		fprintf(stderr, "assayctl: the runs cannot be listed: %s\n",
			r == -ETIMEDOUT ? "no answer; is assayd running?" : strerror(-r));
		free(found.items);
		return 1;
	}
	if (found.count > 0)
		qsort(found.items, found.count, sizeof *found.items, by_start);
	*runs = found.items;
	*count = found.count;
	return 0;
}

int export_show(const struct options *options, const char *number, struct export_run *run)
{
	struct options quiet = *options;
	struct control_request request;
	struct control_reply reply;
	quiet.json = false;
	control_request_init(&request, "run-show");
	map_text(&request.map, "number", number);
	int r = client_ask(&quiet, &request, ASK_SECONDS, &reply);
	*run = (struct export_run){0};
	if (r == 0) {
		struct assay_span row = keys_value(reply.body, string_of("run"));
		if (keys_decode(&row_keys, row.data, row.len, run) < 0)
			r = client_explain(&quiet, -EBADMSG, &reply);
	}
	snprintf(run->number, sizeof run->number, "%s", number);
	control_reply_finish(&reply);
	return r;
}
