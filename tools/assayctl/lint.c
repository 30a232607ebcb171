/* SPDX-License-Identifier: Apache-2.0 */
/* lint: files of records and entries, by the check that the daemon makes before it commits. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "args.h"
#include "print.h"
#include "record/check.h"
#include "record/read.h"

struct lint_place {
	const char *file;
	size_t item; /* from 1 */
	size_t at;   /* byte */
};

static void report(const struct options *options, const struct lint_place *f, const char *path,
	const char *text)
{
	if (!options->json) {
		printf("%s: item %zu at byte %zu: %s%s%s\n", f->file, f->item, f->at, path,
			path[0] != '\0' ? ": " : "", text);
		return;
	}
	print_object(json_pack("{s:s, s:I, s:I, s:s, s:s}", "file", f->file, "item",
		(json_int_t)f->item, "byte", (json_int_t)f->at, "path", path, "text", text));
}

static int lint_bytes(
	const struct options *options, const char *file, const uint8_t *data, size_t len)
{
	struct lint_place f = {.file = file};
	int bad = 0;
	while (f.at < len) {
		struct reader r;
		struct assay_span item;
		f.item++;
		read_init(&r, data + f.at, len - f.at);
		r.depth_max = READ_DEPTH_MAX;
		if (read_raw(&r, &item) < 0) {
			report(options, &f, "", r.text);
			return 1; /* without its length there is no next item */
		}
		struct schema_error error = {0};
		bool is_entry = item.data[0] >> 5 == 4; /* an array; a record is a map */
		if ((is_entry ? check_entry : check_record)(item.data, item.len, &error) < 0) {
			report(options, &f, error.path, error.text);
			bad = 1;
		}
		f.at += r.at;
	}
	if (bad == 0 && !options->json)
		printf("%s: %zu item%s, no errors\n", file, f.item, f.item == 1 ? "" : "s");
	return bad;
}

static int lint_file(const struct options *options, const char *file)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_size == 0) {
		fprintf(stderr, "assayctl: %s: %s\n", file,
			fd < 0 ? strerror(errno) : "the file is empty");
		if (fd >= 0)
			close(fd);
		return 1;
	}
	size_t len = (size_t)st.st_size;
	void *data = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (data == MAP_FAILED) {
		fprintf(stderr, "assayctl: %s: %s\n", file, strerror(errno));
		return 1;
	}
	int r = lint_bytes(options, file, data, len);
	munmap(data, len);
	return r;
}

int command_lint(const struct options *options, const struct args *args)
{
	int r = 0;
	for (int i = 0; i < args->word_count; i++)
		r |= lint_file(options, args->words[i]);
	return r;
}
