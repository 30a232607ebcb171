/* SPDX-License-Identifier: Apache-2.0 */
/* journal check: everything that can be verified, and a report of what is damaged. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <assay/record.h>

#include "config/jsonout.h"
#include "journal.h"
#include "journal/inspect.h"

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

static void put_number(struct json *j, const char *key, uint64_t value)
{
	json_key(j, key);
	json_number(j, (double)value);
}

static void print_line(struct json *j)
{
	json_close(j, '}');
	if (!j->to->failed)
		printf("%.*s\n", (int)j->to->len, (const char *)j->to->data);
	buffer_finish(j->to);
}

static void found_json(const struct finding *finding)
{
	struct buffer line = {0};
	struct json j = {.to = &line};
	json_open(&j, '{');
	json_pair(&j, "finding", kinds[finding->kind].name);
	json_key(&j, "harm");
	json_bool(&j, kinds[finding->kind].is_harm);
	json_pair(&j, "file", finding->file);
	if (finding->from > 0) {
		put_number(&j, "from", finding->from);
		put_number(&j, "to", finding->to);
	}
	if (finding->to_byte > finding->from_byte) {
		put_number(&j, "from_byte", finding->from_byte);
		put_number(&j, "to_byte", finding->to_byte);
	}
	json_pair(&j, "text", finding->text);
	print_line(&j);
}

static void found(void *arg, const struct finding *finding)
{
	const struct journal_args *args = arg;
	clear_progress();
	if (args->json) {
		found_json(finding);
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
	if (args->json) {
		struct buffer line = {0};
		struct json j = {.to = &line};
		json_open(&j, '{');
		json_pair(&j, "journal", id);
		json_key(&j, "sound");
		json_bool(&j, harm == 0);
		put_number(&j, "files", in->segments);
		put_number(&j, "removed", in->removed);
		put_number(&j, "entries", in->entries);
		put_number(&j, "size", in->bytes);
		put_number(&j, "findings", harm);
		print_line(&j);
		return;
	}
	printf("journal %s: %" PRIu64 " file%s, %" PRIu64 " entries, %.1f MB: ", id, in->segments,
		in->segments == 1 ? "" : "s", in->entries, (double)in->bytes / 1e6);
	if (harm == 0)
		puts("no damage");
	else
		printf("DAMAGED, %" PRIu64 " finding%s\n", harm, harm == 1 ? "" : "s");
}

static int check_one(const struct journal_args *args, const uint8_t id[JOURNAL_ID_SIZE])
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
	return r == 0 ? journal_for_each(&journal, check_one) : r;
}
