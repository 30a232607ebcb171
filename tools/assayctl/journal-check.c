/* SPDX-License-Identifier: Apache-2.0 */
/* journal check: everything that can be verified, and a report of what is damaged. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <assay/record.h>

#include "journal.h"
#include "journal/inspect.h"
#include "print.h"
#include "record/cursor.h"
#include "record/removed.h"

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

/* --- what consumers know ----------------------------------------------------------------------- */

struct known {
	int dir;
	const uint8_t *id;
	uint64_t seq;
};

/* Raises the seq to that of a cursor's file; a damaged one names none. */
static int take_cursor(void *arg, const char *name)
{
	const struct io *io = &io_posix;
	struct known *known = arg;
	struct cursor_mark *marks = NULL;
	uint64_t size = 0;
	size_t count = 0;
	int fd = io->openat(io->ctx, known->dir, name, O_RDONLY);
	if (fd < 0)
		return 0;
	bool fits = io->size(io->ctx, fd, &size) == 0 && size <= CURSOR_BYTES_MAX;
	uint8_t *data = fits ? malloc((size_t)size + 1) : NULL;
	ssize_t n = data != NULL ? io->pread(io->ctx, fd, data, (size_t)size, 0) : -1;
	if (n > 0)
		cursor_decode(data, (size_t)n, name, &marks, &count);
	for (size_t i = 0; i < count; i++) {
		if (memcmp(marks[i].journal, known->id, JOURNAL_ID_SIZE) == 0 &&
			marks[i].seq > known->seq)
			known->seq = marks[i].seq;
	}
	free(marks);
	free(data);
	io->close(io->ctx, fd);
	return 0;
}

/* The last seq of journal `id` that a consumer's durable cursor has; 0: none. */
static uint64_t known_seq(const struct journal_args *args, const uint8_t id[JOURNAL_ID_SIZE])
{
	const struct io *io = &io_posix;
	struct known known = {.id = id};
	int base = io->openat(io->ctx, IO_CWD, args->path, O_RDONLY | O_DIRECTORY);
	if (base < 0)
		return 0;
	known.dir = io->openat(io->ctx, base, "cursors", O_RDONLY | O_DIRECTORY);
	io->close(io->ctx, base);
	if (known.dir < 0)
		return 0;
	io->list(io->ctx, known.dir, take_cursor, &known);
	io->close(io->ctx, known.dir);
	return known.seq;
}

static int check_one(const struct journal_args *args, const uint8_t id[JOURNAL_ID_SIZE], void *arg)
{
	char text[JOURNAL_ID_TEXT];
	journal_id_format(text, id);
	struct inspection in = {.io = &io_posix,
		.path = args->path,
		.id = id,
		.entry = read_entry,
		.removal = removed_read,
		.known = known_seq(args, id),
		.found = found,
		.progress = show_progress,
		.arg = (void *)(uintptr_t)args};
	int r = journal_inspect(&in);
	clear_progress();
	if (r < 0) {
		fprintf(stderr, "assayctl: journal %s: %s\n", text,
			r == -ENOENT ? "there is none" : journal_error(r));
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
