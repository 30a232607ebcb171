/* SPDX-License-Identifier: Apache-2.0 */
/* archive --until DATE --to DIR */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive.h"
#include "args.h"
#include "client.h"
#include "journal/reader.h"
#include "print.h"

#define CONFIRM_SECONDS 1800 /* the daemon hashes its own files */
#define BATCH_MAX       16   /* files of one request */

struct item {
	uint8_t journal[JOURNAL_ID_SIZE];
	struct journal_segment segment;
	uint64_t started; /* its journal: time of the first entry that is left */
	uint8_t sha256[ASSAY_SHA256_SIZE];
	bool is_gone;
};

struct archive {
	const struct options *options;
	char from[PATH_MAX], to[PATH_MAX]; /* real paths */
	int from_fd, to_fd;
	bool has_daemon; /* report the copies to it */
	uint64_t until;
	struct item *items;
	size_t count;
	const uint8_t *journal; /* of the segments being listed */
	size_t later, unknown;  /* files that are not archived: too new, or of unknown end */
	struct manifest manifest;
	struct progress progress;
	size_t made, there;
	uint64_t noted, known;
};

/* Prints why `name` failed.  Returns `r`. */
static int fail(const char *name, int r)
{
	const char *why = r == -EEXIST ? "the archive holds another file of this name; it stays"
			  : r == -EIO  ? "the copy differs when it is read back"
			  : r == -EXDEV
				  ? "this is the journal's own file: archive to another folder"
				  : strerror(-r);
	fprintf(stderr, "assayctl: %s: %s\n", name, why);
	return r;
}

/* --- the files to copy ----------------------------------------------------------------------- */

static int take_segment(void *arg, const struct journal_segment *segment)
{
	struct archive *a = arg;
	uint64_t last_tc = segment->last_tc != 0 ? segment->last_tc : segment->first_tc;
	bool is_later = !segment->is_closed || last_tc >= a->until;
	bool is_unknown = !is_later && segment->last_seq == 0;
	if (segment->is_removed || segment->is_missing)
		return 0;
	a->later += is_later;
	a->unknown += is_unknown;
	if (is_later || is_unknown)
		return 0;
	struct item *items = reallocarray(a->items, a->count + 1, sizeof *items);
	if (items == NULL)
		return -ENOMEM;
	a->items = items;
	struct item *item = &items[a->count];
	*item = (struct item){.segment = *segment, .started = segment->first_tc};
	memcpy(item->journal, a->journal, sizeof item->journal);
	if (a->count > 0 && memcmp(item[-1].journal, a->journal, sizeof item->journal) == 0)
		item->started = item[-1].started;
	a->count++;
	return 0;
}

static int take_journal(void *arg, const uint8_t id[JOURNAL_ID_SIZE])
{
	struct archive *a = arg;
	a->journal = id;
	return journal_segments(&io_posix, a->from, id, take_segment, a);
}

/* The oldest journal first, each in its order: the daemon may remove a file once it is confirmed. */
static int compare_items(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	if (x->started != y->started)
		return x->started < y->started ? -1 : 1;
	int order = memcmp(x->journal, y->journal, sizeof x->journal);
	if (order != 0)
		return order;
	return (x->segment.first_seq > y->segment.first_seq) -
	       (x->segment.first_seq < y->segment.first_seq);
}

/* --- copying --------------------------------------------------------------------------------- */

static int make_folder(const struct archive *a, const uint8_t *journal)
{
	char id[JOURNAL_ID_TEXT];
	journal_id_format(id, journal);
	int journals = io_open_dir(&io_posix, a->to_fd, "journal");
	if (journals < 0)
		return journals;
	int dir = io_open_dir(&io_posix, journals, id);
	close(journals);
	if (dir < 0)
		return dir;
	close(dir);
	return 0;
}

/* Puts a file into the manifest.  -EBADMSG: it is there with another digest. */
static int list_file(struct archive *a, const char *path, const uint8_t *sha256)
{
	const struct manifest_line *line = manifest_find(&a->manifest, path);
	if (line != NULL && memcmp(line->sha256, sha256, sizeof line->sha256) != 0) {
		fprintf(stderr,
			"assayctl: %s: its SHA-256 is not the one in " ARCHIVE_MANIFEST "\n", path);
		return -EBADMSG;
	}
	return line != NULL ? 0 : manifest_set(&a->manifest, path, sha256);
}

/* An index can be made again with other bytes: if the archive has one, that stays. */
static int copy_index(struct archive *a, const struct item *item)
{
	char path[JOURNAL_SEGMENT_PATH];
	uint8_t sha256[ASSAY_SHA256_SIZE];
	snprintf(path, sizeof path, "%.*s.idx", (int)strlen(item->segment.path) - 4,
		item->segment.path);
	int r = copy_file(a->from_fd, a->to_fd, path, sha256, NULL);
	if (r == -ENOENT)
		return 0;
	if (r == -EEXIST)
		r = copy_hash(a->to_fd, path, sha256);
	return r < 0 ? fail(path, r) : list_file(a, path, sha256);
}

static int copy_item(struct archive *a, struct item *item)
{
	int r = make_folder(a, item->journal);
	if (r == 0)
		r = copy_file(a->from_fd, a->to_fd, item->segment.path, item->sha256, &a->progress);
	item->is_gone = r == -ENOENT; /* removed since it was listed, so archived before */
	if (item->is_gone)
		return 0;
	if (r < 0)
		return fail(item->segment.path, r);
	a->made += r == COPY_MADE;
	a->there += r == COPY_WAS_THERE;
	r = list_file(a, item->segment.path, item->sha256);
	return r < 0 ? r : copy_index(a, item);
}

/* --- reporting the copies -------------------------------------------------------------------- */

struct confirmed {
	uint64_t noted, known;
};

static const struct keys confirmed_keys = {
	.rows = (const struct key[]){ROW_UINT(struct confirmed, noted),
		ROW_UINT(struct confirmed, known), {0}},
	.open = true};

/* Reports copies of one journal's files, of those that are still there.  0 or -EPROTO. */
static int confirm(struct archive *a, const struct item *items, size_t count)
{
	struct control_request request;
	struct control_reply reply;
	struct confirmed confirmed = {0};
	char id[JOURNAL_ID_TEXT];
	size_t left = 0;
	for (size_t i = 0; i < count; i++)
		left += !items[i].is_gone;
	if (left == 0)
		return 0;
	journal_id_format(id, items[0].journal);
	control_request_init(&request, "archived");
	map_text(&request.map, "journal", id);
	map_text(&request.map, "to", a->to);
	map_key(&request.map, "segments");
	encode_array(&request.bytes, left);
	for (size_t i = 0; i < count; i++) {
		struct map row;
		if (items[i].is_gone)
			continue;
		map_open(&row, &request.bytes);
		map_uint(&row, "first", items[i].segment.first_seq);
		map_uint(&row, "last", items[i].segment.last_seq);
		map_bytes(&row, "sha256", items[i].sha256, ASSAY_SHA256_SIZE);
		map_close(&row);
	}
	int r = client_ask(a->options, &request, CONFIRM_SECONDS, &reply);
	if (r == 0)
		keys_decode(&confirmed_keys, reply.body.data, reply.body.len, &confirmed);
	a->noted += confirmed.noted;
	a->known += confirmed.known;
	control_reply_finish(&reply);
	return r == 0 ? 0 : -EPROTO;
}

/* In batches of one journal.  The manifest is durable before the daemon relies on the copies. */
static int copy_all(struct archive *a)
{
	uint64_t all = 0;
	int r = 0;
	for (size_t i = 0; i < a->count; i++)
		all += a->items[i].segment.size;
	progress_start(&a->progress, "archiving:", all);
	for (size_t at = 0; r == 0 && at < a->count;) {
		struct item *first = &a->items[at];
		size_t count = 0;
		while (r == 0 && at + count < a->count && count < BATCH_MAX &&
			memcmp(first[count].journal, first->journal, JOURNAL_ID_SIZE) == 0)
			r = copy_item(a, &first[count++]);
		if (r == 0)
			r = manifest_write(&a->manifest, a->to_fd);
		if (r == 0 && a->has_daemon)
			r = confirm(a, first, count);
		at += count;
	}
	progress_stop(&a->progress);
	return r;
}

/* --- texts for people ------------------------------------------------------------------------ */

static const char readme[] =
	"This folder is an archive of a journal of assayd.\n"
	"\n"
	"journal/ID/*.seg   the entries, byte for byte as the daemon wrote them\n"
	"journal/ID/*.idx   the place of each entry; can be made again from the .seg files\n"
	"runs.csv           the runs: operator, sample, instrument and time of each\n"
	"audit.txt          actions of people and of the daemon\n"
	"MANIFEST           the SHA-256 of every file:  sha256sum -c MANIFEST\n"
	"\n"
	"In runs.csv, from_beginning is yes if the start of the run is in this archive;\n"
	"first_file and last_file are the files below journal/ID/ that hold the run.\n"
	"\n"
	"Keep the files as they are. Each .seg file checks itself: every entry has a checksum.\n";

static int list_text(struct archive *a, const char *name)
{
	uint8_t sha256[ASSAY_SHA256_SIZE];
	int r = copy_hash(a->to_fd, name, sha256);
	return r < 0 ? r : manifest_set(&a->manifest, name, sha256);
}

static int write_texts(struct archive *a, struct archive_summary *summary)
{
	int r = io_replace(&io_posix, a->to_fd, ARCHIVE_README, readme, sizeof readme - 1);
	if (r == 0)
		r = archive_write_texts(a->to, a->to_fd, summary);
	if (r == 0)
		r = list_text(a, ARCHIVE_README);
	if (r == 0)
		r = list_text(a, ARCHIVE_RUNS);
	if (r == 0)
		r = list_text(a, ARCHIVE_AUDIT);
	if (r == 0)
		r = manifest_write(&a->manifest, a->to_fd);
	return r < 0 ? fail(a->to, r) : 0;
}

static void print_summary(const struct archive *a, const struct archive_summary *summary)
{
	if (a->options->json) {
		print_object(json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "copied",
			(json_int_t)a->made, "there", (json_int_t)a->there, "later",
			(json_int_t)a->later, "runs", (json_int_t)summary->runs, "audits",
			(json_int_t)summary->audits, "holes", (json_int_t)summary->holes,
			"confirmed", (json_int_t)(a->noted + a->known)));
		return;
	}
	printf("%s: %zu files copied, %zu were there already; %zu runs, %zu audit records\n", a->to,
		a->made, a->there, summary->runs, summary->audits);
	if (a->later > 0)
		printf("not archived: %zu files with later entries, or still open\n", a->later);
	if (a->unknown > 0)
		printf("not archived: %zu files of unknown end\n", a->unknown);
	if (a->has_daemon)
		printf("the daemon verified and noted %" PRIu64 ", and knew of %" PRIu64 "\n",
			a->noted, a->known);
	else
		puts("not reported to the daemon: repeat this without --path when it runs");
}

/* --- the command ----------------------------------------------------------------------------- */

struct journal_path {
	char path[PATH_MAX];
};

static const struct keys path_keys = {
	.rows = (const struct key[]){ROW_TEXT(struct journal_path, path), {0}}, .open = true};

static int ask_path(struct archive *a)
{
	struct control_request request;
	struct control_reply reply;
	struct journal_path journal_path = {.path = ""};
	control_request_init(&request, "status");
	int r = client_ask(a->options, &request, ASK_SECONDS, &reply);
	if (r == 0) {
		struct assay_span journal = keys_value(reply.body, string_of("journal"));
		keys_decode(&path_keys, journal.data, journal.len, &journal_path);
		if (realpath(journal_path.path, a->from) == NULL)
			r = fail(journal_path.path, -errno);
	}
	control_reply_finish(&reply);
	a->has_daemon = true;
	return r == 0 ? 0 : -EPROTO;
}

static int open_folders(struct archive *a, const char *to)
{
	struct stat from_st, to_st;
	if (mkdir(to, 0700) < 0 && errno != EEXIST)
		return fail(to, -errno);
	if (realpath(to, a->to) == NULL)
		return fail(to, -errno);
	size_t len = strlen(a->from);
	if (strncmp(a->to, a->from, len) == 0 && (a->to[len] == '\0' || a->to[len] == '/')) {
		fprintf(stderr, "assayctl: %s is inside the journal's folder\n", to);
		return -EINVAL;
	}
	a->from_fd = open(a->from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (a->from_fd < 0)
		return fail(a->from, -errno);
	a->to_fd = open(a->to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (a->to_fd < 0)
		return fail(to, -errno);
	if (fstat(a->from_fd, &from_st) == 0 && fstat(a->to_fd, &to_st) == 0 &&
		from_st.st_dev == to_st.st_dev)
		fprintf(stderr, "assayctl: the archive is on the same disk as the journal\n");
	int journals = io_open_dir(&io_posix, a->to_fd, "journal");
	if (journals < 0)
		return fail(to, journals);
	close(journals);
	int r = manifest_read(&a->manifest, a->to_fd);
	return r < 0 ? fail(ARCHIVE_MANIFEST, r) : 0;
}

static int archive(struct archive *a, const char *journal, const char *to)
{
	struct archive_summary summary = {0};
	int r = 0;
	if (journal == NULL)
		r = ask_path(a);
	else if (realpath(journal, a->from) == NULL)
		r = fail(journal, -errno);
	if (r == 0)
		r = open_folders(a, to);
	if (r == 0) {
		r = journal_each(&io_posix, a->from, take_journal, a);
		r = r < 0 ? fail(a->from, r) : 0;
	}
	if (r == 0 && a->count > 0)
		qsort(a->items, a->count, sizeof *a->items, compare_items);
	if (r == 0)
		r = copy_all(a);
	if (r == 0)
		r = write_texts(a, &summary);
	if (r == 0)
		print_summary(a, &summary);
	return r;
}

int command_archive(const struct options *options, const struct args *args)
{
	struct archive a = {.options = options,
		.from_fd = -1,
		.to_fd = -1,
		.until = args_number(args, "until")};
	umask(077);
	int r = archive(&a, args_text(args, "path"), args_text(args, "to"));
	if (a.from_fd >= 0)
		close(a.from_fd);
	if (a.to_fd >= 0)
		close(a.to_fd);
	manifest_finish(&a.manifest);
	free(a.items);
	return r < 0 ? 1 : 0;
}
