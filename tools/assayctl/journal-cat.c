/* SPDX-License-Identifier: Apache-2.0 */
/* journal cat: entries as JSON, or one line each, straight from the files. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <assay/record.h>

#include "journal.h"
#include "journal/inspect.h"
#include "journal/reader.h"
#include "print.h"
#include "record/entry.h"

/* From the first to the last entry, both included, by seq and by time. */
struct range {
	uint64_t from, to;       /* seqs */
	uint64_t from_tc, to_tc; /* ns since 1970 */
};

static bool has_prefix(void *arg, const char *topic, size_t len)
{
	const char *prefix = arg;
	return len >= strlen(prefix) && memcmp(topic, prefix, strlen(prefix)) == 0;
}

/* Skips closed files that end before the range. */
static int find_start(void *arg, const struct journal_segment *segment)
{
	struct range *range = arg;
	if (segment->is_closed && segment->last_tc != 0 && segment->last_tc < range->from_tc) {
		if (segment->last_seq >= range->from)
			range->from = segment->last_seq + 1;
		return 0;
	}
	return 1;
}

static void print_entry(const struct assay_entry_view *entry)
{
	struct assay_record_view record;
	char time[PRINT_TIME_SIZE], topic[JOURNAL_TOPIC_MAX + 1];
	print_time(time, entry->tc);
	print_safe(topic, sizeof topic, entry->topic);
	int r = assay_record_read(entry->body.data, entry->body.len, &record);
	const char *type = r == 0 ? assay_record_type_name(record.type) : NULL;
	printf("%" PRIu64 " %s %s %s\n", entry->seq, time, topic, type != NULL ? type : "?");
}

/* 1: after the range.  `*worst` becomes 1 for an entry that cannot be read. */
static int print_found(
	const struct range *range, const struct journal_found *found, bool json, int *worst)
{
	struct assay_entry_view entry;
	if (found->kind != JOURNAL_ENTRY) {
		const char *why = found->kind == JOURNAL_GAP_PRUNED ? "removed" : "damaged";
		*worst |= found->kind == JOURNAL_GAP_DAMAGED;
		if (json)
			print_object(json_pack("{s:{s:I, s:I, s:s}}", "gap", "from",
				(json_int_t)found->seq, "to", (json_int_t)found->to, "why", why));
		else
			printf("%" PRIu64 " to %" PRIu64 ": %s\n", found->seq, found->to, why);
		return 0;
	}
	int r = assay_entry_read(found->bytes, found->len, &entry);
	if (r == 0 && entry.tc > range->to_tc)
		return 1;
	if (r == 0 && entry.tc >= range->from_tc && json)
		r = print_entry_json((struct assay_span){found->bytes, found->len});
	else if (r == 0 && entry.tc >= range->from_tc)
		print_entry(&entry);
	if (r < 0) {
		fprintf(stderr, "assayctl: entry %" PRIu64 " is not of this format\n", found->seq);
		*worst = 1;
	}
	return 0;
}

static int cat(const struct journal_args *args, struct range *range, const char *topic)
{
	struct journal_reader *reader;
	struct journal_found found;
	uint64_t first, last;
	int worst = 0;
	int r = journal_committed(&io_posix, args->path, args->id, &first, &last);
	if (r == 0 && range->from_tc > 0)
		r = journal_segments(&io_posix, args->path, args->id, find_start, range);
	if (r >= 0)
		r = journal_reader_open(&reader, &io_posix, args->path, args->id, entry_place);
	if (r < 0) {
		fprintf(stderr, "assayctl: %s: %s\n", args->path,
			r == -ENOENT ? "there is no such journal" : journal_error(r));
		return 1;
	}
	if (topic != NULL)
		journal_reader_filter(reader, has_prefix, (void *)(uintptr_t)topic);
	journal_reader_seek(reader, range->from);
	uint64_t upto = range->to < last ? range->to : last;
	r = 0;
	while (r == 0 && (r = journal_reader_next(reader, upto, &found)) > 0)
		r = print_found(range, &found, args->options->json, &worst);
	if (r < 0)
		fprintf(stderr, "assayctl: %s: %s\n", args->path, journal_error(r));
	journal_reader_close(reader);
	return r < 0 ? 1 : worst;
}

int command_journal_cat(const struct options *options, const struct args *args)
{
	static struct journal_args journal;
	struct range range = {.from = 1, .to = UINT64_MAX, .to_tc = UINT64_MAX};
	const struct arg_value *from = args_value(args, "from"), *to = args_value(args, "to");
	int r = journal_args_read(&journal, options, args);
	if (r != 0)
		return r;
	if (from->text != NULL)
		*(from->is_time ? &range.from_tc : &range.from) = from->number;
	if (to->text != NULL && to->is_time)
		range.to_tc = to->number > 0 ? to->number - 1 : 0;
	else if (to->text != NULL)
		range.to = to->number;
	if (!journal.has_id && journal_find_current(&journal, journal.id) < 0)
		return 1;
	return cat(&journal, &range, args_text(args, "topic"));
}
