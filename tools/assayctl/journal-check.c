/* SPDX-License-Identifier: Apache-2.0 */
/* journal check: everything that can be verified, and a report of what is damaged. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <assay/record.h>

#include "journal.h"
#include "journal/inspect.h"
#include "print.h"

static const struct {
	const char *name;
	bool is_harm;
} kinds[] = {
	[FINDING_DAMAGED] = {"damaged", true},
	[FINDING_MISSING] = {"missing", true},
	[FINDING_WRONG] = {"wrong", true},
	[FINDING_INDEX] = {"index", true},
	[FINDING_NO_INDEX] = {"no-index", false},
	[FINDING_TAIL] = {"tail", false},
};

static int read_entry(const uint8_t *bytes, size_t len, struct inspect_entry *to)
{
	struct assay_entry_view entry;
	if (assay_entry_read(bytes, len, &entry) < 0)
		return -EBADMSG;
	*to = (struct inspect_entry){.journal = entry.journal,
		.seq = entry.seq,
		.prev = entry.prev,
		.tc = entry.tc,
		.topic = entry.topic.data,
		.topic_len = entry.topic.len};
	return 0;
}

static void clear_progress(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

static void show_progress(void *arg, uint64_t done, uint64_t total)
{
	if (isatty(STDERR_FILENO) && total > 0)
		fprintf(stderr, "\rchecked %3.0f %% of %.1f MB",
			100.0 * (double)done / (double)total, (double)total / 1e6);
}

static void print_finding_json(const struct finding *f)
{
	json_t *object = json_pack("{s:s, s:b, s:s*}", "finding", kinds[f->kind].name, "harm",
		kinds[f->kind].is_harm, "file", f->file);
	if (f->from > 0)
		json_object_update_new(object, json_pack("{s:I, s:I}", "from", (json_int_t)f->from,
						       "to", (json_int_t)f->to));
	if (f->to_byte > f->from_byte)
		json_object_update_new(
			object, json_pack("{s:I, s:I}", "from_byte", (json_int_t)f->from_byte,
					"to_byte", (json_int_t)f->to_byte));
	json_object_set_new(object, "text", json_string(f->text));
	print_object(object);
}

static void found(void *arg, const struct finding *finding)
{
	const struct journal_args *args = arg;
	clear_progress();
	if (args->options->json) {
		print_finding_json(finding);
		return;
	}
	printf("%s%s:", kinds[finding->kind].is_harm ? "" : "note: ", finding->file);
	if (finding->from > 0)
		printf(" entries %" PRIu64 " to %" PRIu64 ",", finding->from, finding->to);
	if (finding->to_byte > finding->from_byte)
		printf(" bytes %" PRIu64 " to %" PRIu64 ",", finding->from_byte, finding->to_byte);
	printf(" %s: %s\n", kinds[finding->kind].name, finding->text);
}

static uint64_t count_harm(const struct inspection *in)
{
	uint64_t harm = 0;
	for (size_t i = 0; i < FINDING_KINDS; i++)
		harm += kinds[i].is_harm ? in->findings[i] : 0;
	return harm;
}

static void print_summary(
	const struct journal_args *args, const struct inspection *in, const char *id)
{
	uint64_t harm = count_harm(in);
	if (args->options->json) {
		print_object(json_pack("{s:s, s:b, s:I, s:I, s:I, s:I, s:I}", "journal", id,
			"sound", harm == 0, "files", (json_int_t)in->segments, "removed",
			(json_int_t)in->removed, "entries", (json_int_t)in->entries, "size",
			(json_int_t)in->bytes, "findings", (json_int_t)harm));
		return;
	}
	printf("journal %s: %" PRIu64 " file%s, %" PRIu64 " entries, %.1f MB: ", id, in->segments,
		in->segments == 1 ? "" : "s", in->entries, (double)in->bytes / 1e6);
	if (harm == 0)
		puts("no damage");
	else
		printf("DAMAGED, %" PRIu64 " finding%s\n", harm, harm == 1 ? "" : "s");
}

static int check_one(const struct journal_args *args, const uint8_t id[JOURNAL_ID_SIZE], void *arg)
{
	char text[JOURNAL_ID_TEXT];
	journal_id_format(text, id);
	struct inspection in = {.io = &io_posix,
		.path = args->path,
		.id = id,
		.entry = read_entry,
		.found = found,
		.progress = show_progress,
		.arg = (void *)(uintptr_t)args};
	int r = journal_inspect(&in);
	clear_progress();
	if (r < 0) {
		fprintf(stderr, "assayctl: journal %s: %s\n", text,
			r == -ENOENT ? "there is none" : strerror(-r));
		return 1;
	}
	print_summary(args, &in, text);
	return count_harm(&in) > 0;
}

int command_journal_check(const struct options *options, const struct args *args)
{
	static struct journal_args journal;
	int r = journal_args_read(&journal, options, args);
	return r == 0 ? journal_for_each(&journal, check_one, NULL) : r;
}
