/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_TOPIC "assayd"
#include "base/log.h"
#include "config/config.h"
#include "core/keep/jobs.h"
#include "core/keep/last-good.h"
#include "journal/io.h"

#define BYTES_MAX (64u << 20)

/* Appends the file's bytes to an empty buffer. */
static int read_file(const char *path, struct buffer *out)
{
	const struct io *io = &io_posix;
	uint64_t size;
	int fd = io->openat(io->ctx, IO_CWD, path, O_RDONLY);
	if (fd < 0)
		return fd;
	ssize_t n = io->size(io->ctx, fd, &size);
	if (n == 0 && size > BYTES_MAX)
		n = -EFBIG;
	if (n == 0) {
		uint8_t *room = buffer_reserve(out, (size_t)size + 1);
		n = room != NULL ? io->pread(io->ctx, fd, room, (size_t)size, 0) : -ENOMEM;
	}
	io->close(io->ctx, fd);
	out->len = n > 0 ? (size_t)n : 0;
	return n < 0 ? (int)n : 0;
}

static int replace_file(const char *path, const struct buffer *text)
{
	const struct io *io = &io_posix;
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	snprintf(folder, sizeof folder, "%.*s", slash != NULL ? (int)(slash + 1 - path) : 1,
		slash != NULL ? path : ".");
	int dir = io->openat(io->ctx, IO_CWD, folder, O_RDONLY | O_DIRECTORY);
	if (dir < 0)
		return dir;
	int r = io_replace(io, dir, slash != NULL ? slash + 1 : path, text->data, text->len);
	io->close(io->ctx, dir);
	return r;
}

struct save {
	struct job job;
	const char *path;
	struct buffer text;
	int result;
};

static void write_text(struct job *job)
{
	struct save *save = (struct save *)job;
	struct buffer have = {0};
	bool is_same = read_file(save->path, &have) == 0 && have.len == save->text.len &&
		       memcmp(have.data, save->text.data, have.len) == 0;
	save->result = is_same ? 0 : replace_file(save->path, &save->text);
	buffer_finish(&have);
}

static void on_written(struct job *job, bool skipped)
{
	struct save *save = (struct save *)job;
	if (!skipped && save->result < 0)
		log_warn("%s: the last good configuration cannot be kept: %s", save->path,
			strerror(-save->result));
	buffer_finish(&save->text);
	free(save);
}

void last_good_save(const char *path, struct jobs *jobs, const struct config *config)
{
	struct save *save = calloc(1, sizeof *save);
	if (save == NULL)
		return;
	*save = (struct save){.job = {.work = write_text, .done = on_written},
		.path = path,
		.text = {.limit = BYTES_MAX}};
	config_save(config, &save->text);
	if (!save->text.failed) {
		jobs_put(jobs, &save->job);
		return;
	}
	save->result = -EFBIG;
	on_written(&save->job, false);
}

int last_good_load(const char *path, const struct catalog *catalog, struct config **out,
	struct config_errors *errors)
{
	struct buffer text = {0};
	*out = NULL;
	*errors = (struct config_errors){0};
	int r = read_file(path, &text);
	if (r == 0)
		r = config_load_saved(
			(struct assay_span){text.data, text.len}, catalog, out, errors);
	buffer_finish(&text);
	return r;
}
