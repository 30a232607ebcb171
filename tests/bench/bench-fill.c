/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fills a journal as the daemon does, with runs' entries of one size, for bench-replay and for
 * starting the daemon on it.
 *
 *	bench-fill FOLDER BYTES ENTRY_BYTES
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "core/runs/rows.h"
#include "journal/journal.h"
#include "live.h"
#include "../vectors/entry.h"
#include "tool.h"

#define GROUP ((size_t)4 << 20) /* bytes of one sync */

static void check(int r, const char *what)
{
	if (r >= 0)
		return;
	errno = -r;
	die(what);
}

/* An entry that is nearly all noise; the content of the record does not matter here. */
static size_t make_entry(
	struct buffer *to, const uint8_t *id, uint64_t seq, const uint8_t *body, size_t len)
{
	struct assay_entry_view entry = {.journal = id,
		.seq = seq,
		.prev = seq - 1,
		.tc = clock_utc(),
		.topic = {LIVE_TOPIC, sizeof LIVE_TOPIC - 1},
		.body = {body, len}};
	size_t before = to->len;
	entry_encode(to, &entry);
	return to->len - before;
}

static void append_group(struct journal *journal, const uint8_t *body, size_t len, size_t count)
{
	struct buffer bytes = {0};
	struct journal_item *items = calloc(count, sizeof *items);
	uint64_t head = journal_head(journal);
	if (items == NULL)
		die("calloc");
	for (size_t i = 0; i < count; i++) {
		items[i] = (struct journal_item){.seq = head + 1 + i,
			.tc = clock_utc(),
			.topic = LIVE_TOPIC,
			.topic_len = sizeof LIVE_TOPIC - 1};
		items[i].len = make_entry(&bytes, journal_id(journal), items[i].seq, body, len);
	}
	if (bytes.failed)
		die("memory");
	for (size_t i = 0, at = 0; i < count; at += items[i++].len)
		items[i].bytes = bytes.data + at;
	check(journal_append(journal, items, count), "journal_append");
	check(journal_sync(journal), "journal_sync");
	buffer_finish(&bytes);
	free(items);
}

int main(int argc, char **argv)
{
	if (argc != 4) {
		fputs("usage: bench-fill FOLDER BYTES ENTRY_BYTES\n", stderr);
		return 2;
	}
	uint64_t bytes = argument(argv[2], UINT64_MAX);
	size_t len = argument(argv[3], 1u << 20);
	uint8_t *body = noise(len);
	struct journal *journal;
	struct journal_report report;
	struct runs *runs;
	struct journal_options options = {
		.path = argv[1], .entry = entry_place, .now = clock_utc()};
	check(journal_open(&journal, &io_posix, &options, &report), argv[1]);
	check(runs_load(&runs, argv[1], report.id, report.head), "runs_load");
	size_t count = GROUP / len > 0 ? GROUP / len : 1;
	for (uint64_t done = 0; done < bytes; done += count * len) {
		append_group(journal, body, len, count);
		runs_checkpoint(runs, journal_head(journal));
	}
	printf("{\"entries\":%llu,\"bytes\":%llu}\n", (unsigned long long)journal_head(journal),
		(unsigned long long)(journal_head(journal) * len));
	runs_destroy(runs);
	check(journal_close(journal), "journal_close");
	free(body);
	return 0;
}
