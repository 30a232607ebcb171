/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "export.h"
#include "record/encode.h"

#define ANSWER_MS 5000
#define PAGE      500 /* runs of one reply */

static const struct keys correction_keys = {
	.rows =
		(const struct key[]){/* row i is bit i of enum export_corrected */
			{"sample", KEY_CHARS, KEY_AT(struct export_correction, sample)},
			{"operator", KEY_CHARS, KEY_AT(struct export_correction, person)},
			{"note", KEY_CHARS, KEY_AT(struct export_correction, note)},
			{"valid", KEY_BOOL, KEY_AT(struct export_correction, valid)},
			{"reason", KEY_CHARS, KEY_AT(struct export_correction, reason)},
			{"count", KEY_UINT, KEY_AT(struct export_correction, count)}, {0}},
	.open = true};

static int read_correction(struct reader *r, const struct key *key, void *to)
{
	struct export_correction *correction = to;
	struct keys_found found;
	int error = keys_read(r, &correction_keys, correction, &found);
	correction->keys = (unsigned)found.seen & (EXPORT_VALID * 2 - 1);
	return error;
}

const struct keys export_run_keys = {
	.rows =
		(const struct key[]){
			{"number", KEY_CHARS, KEY_AT(struct export_run, number), .required = true},
			{"status", KEY_CHARS, KEY_AT(struct export_run, status)},
			{"start", KEY_UINT, KEY_AT(struct export_run, start)},
			{"first", KEY_UINT, KEY_AT(struct export_run, first)},
			{"last", KEY_UINT, KEY_AT(struct export_run, last)},
			{"frames", KEY_UINT, KEY_AT(struct export_run, frames)},
			{"sim", KEY_BOOL, KEY_AT(struct export_run, sim)},
			{"amended", KEY_OTHER, KEY_AT(struct export_run, corrected),
				.read = read_correction},
			{0}},
	.open = true};

static const struct keys name_keys = {
	.rows = (const struct key[]){{"number", KEY_CHARS, KEY_AT(struct export_name, number),
					     .required = true},
		{"start", KEY_UINT, KEY_AT(struct export_name, start)},
		{"sim", KEY_BOOL, KEY_AT(struct export_name, sim)}, {0}},
	.open = true};

struct found_runs {
	struct export_name *runs;
	size_t count, size;
	size_t rows;     /* of the last reply */
	uint64_t oldest; /* start of its last run */
};

/* Runs that started at the same time as the last of a page come twice. */
static int add(struct found_runs *found, const struct export_name *run)
{
	for (size_t i = 0; i < found->count; i++) {
		if (strcmp(found->runs[i].number, run->number) == 0)
			return 0;
	}
	if (found->count == found->size) {
		size_t size = found->size > 0 ? 2 * found->size : 64;
		void *runs = reallocarray(found->runs, size, sizeof *found->runs);
		if (runs == NULL)
			return -ENOMEM;
		found->runs = runs;
		found->size = size;
	}
	found->runs[found->count++] = *run;
	return 0;
}

static int read_runs(struct reader *r, const struct key *key, void *to)
{
	struct found_runs *found = to;
	int error = read_array(r, &found->rows);
	for (size_t i = 0; i < found->rows && error == 0; i++) {
		struct export_name run = {0};
		error = keys_read(r, &name_keys, &run, NULL);
		if (error == 0)
			error = add(found, &run);
		found->oldest = run.start;
	}
	return error;
}

static const struct keys found_keys = {
	.rows = (const struct key[]){{"runs", KEY_OTHER, .read = read_runs}, {0}}, .open = true};

/* Adds the newest runs that started in [since, until]. */
static int fetch_page(struct requester *replay, uint64_t since, uint64_t until,
	const char *instrument, struct found_runs *found)
{
	struct buffer request = {0};
	struct parts reply = {0};
	struct reply_view message;
	struct map map;
	map_open(&map, &request);
	map_text(&map, "op", "find");
	map_text(&map, "instrument", instrument);
	map_uint(&map, "since", since);
	map_uint(&map, "until", until);
	map_uint(&map, "limit", PAGE);
	map_close(&map);
	int r = requester_message(replay, &request, ANSWER_MS, &reply, &message);
	if (r == 0 && message.kind == MESSAGE_ERROR)
		r = -EPROTO;
	if (r == 0) {
		struct assay_span body = parts_at(&reply, 0);
		r = keys_decode(&found_keys, body.data, body.len, found);
	}
	buffer_finish(&request);
	parts_finish(&reply);
	return r;
}

static int by_start(const void *a, const void *b)
{
	const struct export_name *one = a, *other = b;
	if (one->start != other->start)
		return one->start < other->start ? -1 : 1;
	return strcmp(one->number, other->number);
}

int export_find(struct requester *replay, uint64_t since, uint64_t until, const char *instrument,
	struct export_name **runs, size_t *count)
{
	struct found_runs found = {.rows = PAGE, .oldest = until - 1};
	size_t before = SIZE_MAX;
	int r = 0;
	/* A full page: there may be older runs. */
	while (r == 0 && found.rows == PAGE && found.count != before) {
		before = found.count;
		r = fetch_page(replay, since, found.oldest, instrument, &found);
	}
	if (r < 0) {
		free(found.runs);
		return r;
	}
	if (found.count > 0)
		qsort(found.runs, found.count, sizeof *found.runs, by_start);
	*runs = found.runs;
	*count = found.count;
	return 0;
}
