/* SPDX-License-Identifier: Apache-2.0 */
/* journal: which journals a command reads, and journal info. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog.h"
#include "config/config.h"
#include "journal.h"
#include "journal/folder.h"
#include "journal/inspect.h"
#include "journal/reader.h"
#include "print.h"
#include "record/entry.h"

/* Among the first entries of a journal is the audit record with the reason of its start. */
#define WHY_ENTRIES 3
#define WHY_SIZE    120

int journal_find_current(const struct journal_args *args, uint8_t id[JOURNAL_ID_SIZE])
{
	const struct io *io = &io_posix;
	int base = io->openat(io->ctx, IO_CWD, args->path, O_RDONLY | O_DIRECTORY);
	int r = base < 0 ? base : folder_read_current(io, base, id);
	if (base >= 0)
		io->close(io->ctx, base);
	if (r < 0)
		fprintf(stderr, "assayctl: %s: %s\n", args->path,
			r == -ENOENT ? "there is no journal" : journal_error(r));
	return r;
}

/* --- all journals, the oldest first ---------------------------------------------------------- */

struct ids {
	const char *path;
	struct ids_item {
		uint8_t id[JOURNAL_ID_SIZE];
		uint64_t first_tc;
	} * items;
	size_t count;
};

static int take_first_tc(void *arg, const struct journal_segment *segment)
{
	*(uint64_t *)arg = segment->first_tc;
	return segment->first_tc != 0;
}

static int take_id(void *arg, const uint8_t id[JOURNAL_ID_SIZE])
{
	struct ids *ids = arg;
	struct ids_item *items = reallocarray(ids->items, ids->count + 1, sizeof *items);
	if (items == NULL)
		return -ENOMEM;
	ids->items = items;
	struct ids_item *item = &items[ids->count++];
	memcpy(item->id, id, JOURNAL_ID_SIZE);
	item->first_tc = UINT64_MAX; /* without an entry: last */
	journal_segments(&io_posix, ids->path, id, take_first_tc, &item->first_tc);
	return 0;
}

static int by_first_tc(const void *a, const void *b)
{
	const struct ids_item *left = a, *right = b;
	return (left->first_tc > right->first_tc) - (left->first_tc < right->first_tc);
}

int journal_for_each(const struct journal_args *args, journal_fn *each, void *arg)
{
	if (args->has_id)
		return each(args, args->id, arg);
	struct ids ids = {.path = args->path};
	int r = journal_each(&io_posix, args->path, take_id, &ids), worst = 0;
	if (r < 0 || ids.count == 0) {
		fprintf(stderr, "assayctl: %s: %s\n", args->path,
			r < 0 && r != -ENOENT ? journal_error(r) : "there is no journal");
		free(ids.items);
		return 1;
	}
	qsort(ids.items, ids.count, sizeof *ids.items, by_first_tc);
	for (size_t i = 0; i < ids.count; i++) {
		r = each(args, ids.items[i].id, arg);
		worst = r > worst ? r : worst;
	}
	free(ids.items);
	return worst;
}

/* --- journal info ---------------------------------------------------------------------------- */

struct summary {
	char id[JOURNAL_ID_TEXT], why[WHY_SIZE];
	bool is_current;
	uint64_t closed, open, removed, missing, unreadable, size;
	uint64_t first_seq, last_seq, first_tc, last_tc; /* of the entries that are left */
};

static int add_segment(void *arg, const struct journal_segment *segment)
{
	struct summary *sum = arg;
	if (segment->is_removed) {
		sum->removed++;
		return 0;
	}
	if (segment->is_missing) {
		sum->missing++;
		return 0;
	}
	if (segment->is_closed)
		sum->closed++;
	else
		sum->open++;
	sum->unreadable += !segment->is_readable;
	sum->size += segment->size;
	if (sum->first_tc == 0)
		sum->first_tc = segment->first_tc;
	if (segment->last_tc > sum->last_tc)
		sum->last_tc = segment->last_tc;
	return 0;
}

/* The map "after" of journal-opened and journal-recovered. */
static const struct keys after_keys = {
	.rows = (const struct key[]){ROW_TEXT(struct summary, why), {0}}, .open = true};

static void find_why(const struct journal_args *args, const uint8_t *id, struct summary *sum)
{
	struct journal_reader *reader;
	struct journal_found found;
	uint64_t upto = sum->last_seq < WHY_ENTRIES ? sum->last_seq : WHY_ENTRIES;
	if (journal_reader_open(&reader, &io_posix, args->path, id, entry_place) < 0)
		return;
	while (sum->why[0] == '\0' && journal_reader_next(reader, upto, &found) == 1) {
		struct assay_entry_view entry;
		struct assay_record_view record;
		bool is_audit = found.kind == JOURNAL_ENTRY &&
				assay_entry_read(found.bytes, found.len, &entry) == 0 &&
				assay_record_read(entry.body.data, entry.body.len, &record) == 0 &&
				(assay_string_is(record.event, "journal-opened") ||
					assay_string_is(record.event, "journal-recovered"));
		if (!is_audit)
			continue;
		struct assay_span after = keys_value(entry.body, string_of("after"));
		keys_decode(&after_keys, after.data, after.len, sum);
	}
	journal_reader_close(reader);
}

/* The time of the last entry, if its file is open and has no index yet. */
static void find_last_tc(const struct journal_args *args, const uint8_t *id, struct summary *sum)
{
	struct journal_reader *reader;
	struct journal_found found;
	struct assay_entry_view entry;
	if (journal_reader_open(&reader, &io_posix, args->path, id, entry_place) < 0)
		return;
	journal_reader_seek(reader, sum->last_seq);
	if (journal_reader_next(reader, sum->last_seq, &found) == 1 &&
		found.kind == JOURNAL_ENTRY &&
		assay_entry_read(found.bytes, found.len, &entry) == 0)
		sum->last_tc = entry.tc;
	journal_reader_close(reader);
}

static void print_info(const struct summary *sum)
{
	char from[PRINT_TIME_SIZE], to[PRINT_TIME_SIZE];
	print_time(from, sum->first_tc);
	print_time(to, sum->last_tc);
	printf("journal %s%s\n", sum->id, sum->is_current ? " (in use)" : "");
	if (sum->why[0] != '\0')
		printf("  started   %s\n", sum->why);
	printf("  files     %" PRIu64 " closed, %" PRIu64 " open, %" PRIu64 " removed", sum->closed,
		sum->open, sum->removed);
	if (sum->missing > 0)
		printf(", %" PRIu64 " missing", sum->missing);
	if (sum->unreadable > 0)
		printf(", %" PRIu64 " unreadable", sum->unreadable);
	printf("\n  size      %.1f MB\n", (double)sum->size / 1e6);
	if (sum->last_seq < sum->first_seq)
		puts("  entries   none");
	else
		printf("  entries   %" PRIu64 " to %" PRIu64 "\n  time      %s to %s\n",
			sum->first_seq, sum->last_seq, from, to);
}

static void print_info_json(const struct summary *sum)
{
	char from[PRINT_TIME_SIZE], to[PRINT_TIME_SIZE];
	print_time(from, sum->first_tc);
	print_time(to, sum->last_tc);
	print_object(json_pack(
		"{s:s, s:b, s:s*, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s*, s:s*}", "journal",
		sum->id, "current", sum->is_current, "why", sum->why[0] != '\0' ? sum->why : NULL,
		"closed", (json_int_t)sum->closed, "open", (json_int_t)sum->open, "removed",
		(json_int_t)sum->removed, "missing", (json_int_t)sum->missing, "unreadable",
		(json_int_t)sum->unreadable, "size", (json_int_t)sum->size, "first_seq",
		(json_int_t)sum->first_seq, "last_seq", (json_int_t)sum->last_seq, "from",
		sum->first_tc > 0 ? from : NULL, "to", sum->last_tc > 0 ? to : NULL));
}

static int info_one(const struct journal_args *args, const uint8_t id[JOURNAL_ID_SIZE], void *arg)
{
	struct summary sum = {0};
	uint8_t current[JOURNAL_ID_SIZE];
	journal_id_format(sum.id, id);
	int r = journal_segments(&io_posix, args->path, id, add_segment, &sum);
	if (r == 0)
		r = journal_committed(&io_posix, args->path, id, &sum.first_seq, &sum.last_seq);
	if (r < 0) {
		fprintf(stderr, "assayctl: journal %s: %s\n", sum.id,
			r == -ENOENT ? "there is none" : journal_error(r));
		return 1;
	}
	sum.is_current = journal_find_current(args, current) == 0 &&
			 memcmp(current, id, sizeof current) == 0;
	find_why(args, id, &sum);
	if (sum.open > 0)
		find_last_tc(args, id, &sum);
	if (args->options->json)
		print_info_json(&sum);
	else
		print_info(&sum);
	return 0;
}

int command_journal_info(const struct options *options, const struct args *args)
{
	static struct journal_args journal;
	int r = journal_args_read(&journal, options, args);
	return r == 0 ? journal_for_each(&journal, info_one, NULL) : r;
}

/* --- arguments ------------------------------------------------------------------------------- */

/* The path in the configuration. */
static int read_path(const struct options *options, char path[PATH_MAX])
{
	struct config *config = NULL;
	struct config_errors errors = {0};
	struct catalog *catalog = load_catalog(options);
	if (catalog == NULL)
		return 1;
	int r = config_load(options->config, catalog, &config, &errors);
	if (r == 0)
		snprintf(path, PATH_MAX, "%s", config->journal_path);
	else
		fprintf(stderr, "assayctl: %s has errors (see assayctl check); give --path\n",
			options->config);
	config_errors_finish(&errors);
	config_destroy(config);
	catalog_destroy(catalog);
	return r == 0 ? 0 : 1;
}

int journal_args_read(
	struct journal_args *journal, const struct options *options, const struct args *args)
{
	const char *path = args_text(args, "path"), *id = args_text(args, "journal");
	*journal = (struct journal_args){.options = options, .has_id = id != NULL};
	if (id != NULL && journal_id_parse(journal->id, id) < 0)
		return args_reject(args, "--journal: '%s' is not the id of a journal", id);
	if (path == NULL)
		return read_path(options, journal->path);
	snprintf(journal->path, sizeof journal->path, "%s", path);
	return 0;
}
