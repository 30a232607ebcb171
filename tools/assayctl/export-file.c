/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "export.h"

#define SAVE_NS NS_PER_S

static int write_all(int fd, const void *data, size_t len)
{
	const uint8_t *at = data;
	while (len > 0) {
		ssize_t n = write(fd, at, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

/* One line: version, offset, entries, run, selection. */
static bool read_state(struct export_file *f)
{
	char line[700] = "", selection[400] = "";
	FILE *file = fopen(f->state, "re");
	if (file == NULL)
		return false;
	bool is_whole = fgets(line, sizeof line, file) != NULL && strchr(line, '\n') != NULL;
	fclose(file);
	return is_whole &&
	       sscanf(line, "1 %" SCNu64 " %" SCNu64 " %127s %399[^\n]", &f->offset, &f->entries,
		       f->run, selection) == 4 &&
	       strcmp(selection, f->selection) == 0;
}

static void begin_anew(struct export_file *f)
{
	f->offset = f->entries = 0;
	f->run[0] = '\0';
	f->is_resumed = false;
}

static int set_paths(struct export_file *f, const char *path)
{
	if (snprintf(f->path, sizeof f->path, "%s", path) >= (int)sizeof f->path)
		return -ENAMETOOLONG;
	snprintf(f->part, sizeof f->part, "%s.part", f->path);
	snprintf(f->state, sizeof f->state, "%s.at", f->part);
	return 0;
}

int export_open(struct export_file *f, const char *path, const char *selection)
{
	f->fd = -1;
	int r = set_paths(f, path);
	snprintf(f->selection, sizeof f->selection, "%s", selection);
	if (r == 0 && access(f->path, F_OK) == 0)
		r = -EEXIST;
	if (r == 0) {
		f->is_resumed = read_state(f);
		f->fd = open(f->part, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		r = f->fd < 0 ? -errno : 0;
	}
	/* A file shorter than it is said to be was cut by somebody. */
	if (r == 0 && (!f->is_resumed || lseek(f->fd, 0, SEEK_END) < (off_t)f->offset))
		begin_anew(f);
	if (r == 0 && (ftruncate(f->fd, (off_t)f->offset) < 0 ||
			      lseek(f->fd, (off_t)f->offset, SEEK_SET) < 0))
		r = -errno;
	if (r < 0)
		fprintf(stderr, "assayctl: %s: %s\n", f->path, strerror(-r));
	f->saved_at = clock_boot();
	return r < 0;
}

/* The bytes first, then the word that they are there. */
int export_save(struct export_file *f)
{
	char line[700], next[4120];
	int len = snprintf(line, sizeof line, "1 %" PRIu64 " %" PRIu64 " %s %s\n", f->offset,
		f->entries, f->run, f->selection);
	f->saved_at = clock_boot();
	if (f->run[0] == '\0')
		return 0;
	if (len >= (int)sizeof line)
		return -ENAMETOOLONG;
	if (fdatasync(f->fd) < 0)
		return -errno;
	snprintf(next, sizeof next, "%s.new", f->state);
	int fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	int r = write_all(fd, line, (size_t)len);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	close(fd);
	return r == 0 && rename(next, f->state) < 0 ? -errno : r;
}

int export_append(
	struct export_file *f, const char *run, uint64_t entries, const struct buffer *piece)
{
	if (piece->failed)
		return -ENOMEM;
	int r = write_all(f->fd, piece->data, piece->len);
	if (r < 0)
		return r;
	f->offset += piece->len;
	f->entries = entries;
	if (f->run != run)
		snprintf(f->run, sizeof f->run, "%s", run);
	return clock_boot() > f->saved_at + SAVE_NS ? export_save(f) : 0;
}

static int sync_folder(const char *path)
{
	char copy[4096];
	snprintf(copy, sizeof copy, "%s", path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	int r = fsync(fd) < 0 ? -errno : 0;
	close(fd);
	return r;
}

int export_finish(struct export_file *f)
{
	if (fsync(f->fd) < 0 || rename(f->part, f->path) < 0)
		return -errno;
	unlink(f->state);
	return sync_folder(f->path);
}

void export_close(struct export_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}
