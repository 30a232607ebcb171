/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "export-file.h"
#include "file.h"

#define SAVE_NS NS_PER_S

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

/* Opens FILE.part at the end of the data that are known to be on the disk. */
static int open_part(struct export_file *f)
{
	if (access(f->path, F_OK) == 0)
		return -EEXIST;
	f->is_resumed = read_state(f);
	f->fd = open(f->part, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (f->fd < 0)
		return -errno;
	/* A file shorter than its state was cut by another program. */
	if (!f->is_resumed || lseek(f->fd, 0, SEEK_END) < (off_t)f->offset) {
		f->offset = f->entries = 0;
		f->run[0] = '\0';
		f->is_resumed = false;
	}
	if (ftruncate(f->fd, (off_t)f->offset) < 0 || lseek(f->fd, (off_t)f->offset, SEEK_SET) < 0)
		return -errno;
	return 0;
}

int export_file_open(struct export_file *f, const char *path, const char *selection)
{
	int r = -ENAMETOOLONG;
	f->fd = -1;
	f->saved_at = clock_boot();
	snprintf(f->selection, sizeof f->selection, "%s", selection);
	if (snprintf(f->path, sizeof f->path, "%s", path) < (int)sizeof f->path) {
		snprintf(f->part, sizeof f->part, "%s.part", f->path);
		snprintf(f->state, sizeof f->state, "%s.at", f->part);
		r = open_part(f);
	}
	if (r < 0)
		fprintf(stderr, "assayctl: %s: %s\n", path, strerror(-r));
	return r < 0;
}

int export_file_save(struct export_file *f)
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
	int r = file_write(fd, line, (size_t)len);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	close(fd);
	return r == 0 && rename(next, f->state) < 0 ? -errno : r;
}

int export_file_append(
	struct export_file *f, const char *run, uint64_t entries, const struct buffer *piece)
{
	int r = file_write(f->fd, piece->data, piece->len);
	if (r < 0)
		return r;
	f->offset += piece->len;
	f->entries = entries;
	snprintf(f->run, sizeof f->run, "%s", run);
	return clock_boot() > f->saved_at + SAVE_NS ? export_file_save(f) : 0;
}

int export_file_finish(struct export_file *f)
{
	if (fsync(f->fd) < 0 || rename(f->part, f->path) < 0)
		return -errno;
	unlink(f->state);
	return file_sync_folder(AT_FDCWD, f->path);
}

void export_file_close(struct export_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	f->fd = -1;
}
