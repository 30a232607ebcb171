/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "export.h"
#include "print.h"

#define ASK_SECONDS 5
#define ASK_MS      5000
#define PAGE        500

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

static int read_row(struct reader *r, struct export_run *run)
{
	struct assay_string key, number = {0};
	size_t pairs;
	*run = (struct export_run){0};
	read_map(r, &pairs);
	for (; pairs > 0 && read_key(r, &key) == 0; pairs--) {
		if (assay_string_is(key, "number"))
			read_text(r, &number);
		else if (assay_string_is(key, "start"))
			read_uint(r, &run->start);
		else
			read_skip(r);
	}
	if (r->error == 0 && number.len < sizeof run->number)
		print_safe(run->number, sizeof run->number, number);
	return r->error == 0 && run->number[0] != '\0' ? 0 : -EBADMSG;
}

/* The runs of one answer; `oldest` is the start of the last of them. */
static int read_rows(const struct parts *reply, struct found *found, size_t *rows, uint64_t *oldest)
{
	struct reader r;
	struct assay_string key;
	struct export_run run;
	struct assay_span first = parts_at(reply, 0);
	size_t pairs;
	int error = 0;
	*rows = 0;
	read_init(&r, first.data, first.len);
	read_map(&r, &pairs);
	for (; pairs > 0 && read_key(&r, &key) == 0; pairs--) {
		if (!assay_string_is(key, "runs")) {
			read_skip(&r);
			continue;
		}
		read_array(&r, rows);
		for (size_t i = 0; i < *rows && error == 0; i++) {
			error = read_row(&r, &run);
			if (error == 0)
				error = add(found, &run);
			*oldest = run.start;
		}
		if (error < 0)
			return error;
	}
	return r.error;
}

static int ask_page(struct ask *ask, uint64_t since, uint64_t until, const char *instrument,
	struct parts *reply)
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
	int r = ask_request(ask, &request, ASK_MS, reply, &message);
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
int export_find(struct ask *ask, uint64_t since, uint64_t until, const char *instrument,
	struct export_run **runs, size_t *count)
{
	struct found found = {0};
	struct parts reply = {0};
	size_t rows = PAGE;
	int r = 0;
	for (uint64_t upto = until - 1; r == 0 && rows == PAGE;) {
		size_t before = found.count;
		r = ask_page(ask, since, upto, instrument, &reply);
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
	static struct pairs f;
	struct options quiet = *options;
	struct request request;
	struct buffer reply = {0};
	quiet.json = false;
	client_begin(&request, "run-show");
	map_text(&request.map, "number", number);
	int r = client_ask(&quiet, &request, ASK_SECONDS, &reply);
	if (r == 0)
		r = reply_pairs(&reply, &f) < 0;
	buffer_finish(&reply);
	if (r != 0)
		return 1;
	*run = (struct export_run){.start = pairs_number(&f, "run.start"),
		.first = pairs_number(&f, "run.first"),
		.last = pairs_number(&f, "run.last"),
		.frames = pairs_number(&f, "run.frames"),
		.sim = strcmp(pairs_get(&f, "run.sim"), "yes") == 0};
	snprintf(run->number, sizeof run->number, "%.127s", number);
	snprintf(run->status, sizeof run->status, "%.31s", pairs_get(&f, "run.status"));
	return 0;
}
