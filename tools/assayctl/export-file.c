/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "export-file.h"
#include "file.h"
#include "record/text.h"
#include "record/uuid.h"

#define SAVE_NS  NS_PER_S
#define OPEN_MAX 64 /* files at the same time; the first stays open, because it has the lock */

void export_file_name(
	const struct export_file *f, size_t i, const char *suffix, char to[EXPORT_PATH])
{
	const char *name = strrchr(f->path, '/'), *dot = strrchr(f->path, '.');
	char number[24] = "";
	name = name != NULL ? name + 1 : f->path;
	size_t stem = dot != NULL && dot > name ? (size_t)(dot - f->path) : strlen(f->path);
	if (i > 0)
		snprintf(number, sizeof number, "-%zu", i + 1);
	snprintf(to, EXPORT_PATH, "%.*s%s%s%s", (int)stem, f->path, number, f->path + stem, suffix);
}

/* --- FILE.part.at ----------------------------------------------------------------------------- */

static bool read_outputs(FILE *file, struct export_file *f, struct export_tables *tables)
{
	char line[200], id[40];
	while (fgets(line, sizeof line, file) != NULL && strcmp(line, "end\n") != 0) {
		struct export_table *table = &tables->of[f->count];
		if (f->count == EXPORT_FILES_MAX ||
			sscanf(line, "%" SCNu64 " %" SCNu64 " %39s", &f->outputs[f->count].offset,
				&table->rows, id) != 3 ||
			hex_read(string_of(id), table->id, sizeof table->id) < 0)
			return false;
		f->count++;
	}
	tables->count = f->count;
	return f->count > 0 && strcmp(line, "end\n") == 0;
}

/* "2 ENTRIES CORRECTIONS RUN SELECTION", "OFFSET ROWS ID" for each file, "end". */
static bool read_state(struct export_file *f, struct export_tables *tables)
{
	char path[EXPORT_PATH], line[700] = "", selection[400] = "";
	export_file_name(f, 0, ".part.at", path);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return false;
	bool is_right = fgets(line, sizeof line, file) != NULL &&
			sscanf(line, "2 %" SCNu64 " %" SCNu64 " %127s %399[^\n]", &f->entries,
				&f->corrections, f->run, selection) == 4 &&
			strcmp(selection, f->selection) == 0 && read_outputs(file, f, tables);
	fclose(file);
	return is_right;
}

static void write_state(
	struct buffer *to, const struct export_file *f, const struct export_tables *tables)
{
	char line[700], id[HEX_SIZE(sizeof tables->of[0].id)];
	int len = snprintf(line, sizeof line, "2 %" PRIu64 " %" PRIu64 " %s %s\n", f->entries,
		f->corrections, f->run, f->selection);
	buffer_append(to, line, (size_t)len);
	for (size_t i = 0; i < f->count; i++) {
		const struct export_table *table = &tables->of[i];
		len = snprintf(line, sizeof line, "%" PRIu64 " %" PRIu64 " %s\n",
			f->outputs[i].offset, table->rows,
			hex_write(id, table->id, sizeof table->id));
		buffer_append(to, line, (size_t)len);
	}
	buffer_append(to, "end\n", 4);
}

int export_file_save(struct export_file *f, const struct export_tables *tables)
{
	char path[EXPORT_PATH], next[EXPORT_PATH];
	struct buffer state = {0};
	f->saved_at = clock_boot();
	if (f->run[0] == '\0')
		return 0;
	for (size_t i = 0; i < f->count; i++) {
		if (f->outputs[i].fd >= 0 && fdatasync(f->outputs[i].fd) < 0)
			return -errno;
	}
	export_file_name(f, 0, ".part.at", path);
	export_file_name(f, 0, ".part.at.new", next);
	int fd = open(next, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	write_state(&state, f, tables);
	int r = state.failed ? -ENOMEM : file_write(fd, state.data, state.len);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	close(fd);
	buffer_finish(&state);
	return r == 0 && rename(next, path) < 0 ? -errno : r;
}

/* --- FILE.part -------------------------------------------------------------------------------- */

/* -EBUSY: another export has it, or had it until now and gave it its name. */
static int lock_part(int fd, const char *part)
{
	struct stat opened, named;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	if (fstat(fd, &opened) < 0 || stat(part, &named) < 0 || opened.st_dev != named.st_dev ||
		opened.st_ino != named.st_ino)
		return -EBUSY;
	return 0;
}

/* Closes the oldest further file if as many are open as may be. */
static int make_room(struct export_file *f)
{
	size_t open = 0, oldest = 0;
	for (size_t i = f->count; i > 1; i--) {
		open += f->outputs[i - 1].fd >= 0;
		oldest = f->outputs[i - 1].fd >= 0 ? i - 1 : oldest;
	}
	if (open < OPEN_MAX)
		return 0;
	int r = fsync(f->outputs[oldest].fd) < 0 ? -errno : 0;
	close(f->outputs[oldest].fd);
	f->outputs[oldest].fd = -1;
	return r;
}

static int open_output(struct export_file *f, size_t i)
{
	struct export_output *output = &f->outputs[i];
	char path[EXPORT_PATH], part[EXPORT_PATH];
	export_file_name(f, i, "", path);
	export_file_name(f, i, ".part", part);
	int r = make_room(f);
	if (r < 0)
		return r;
	if (access(path, F_OK) == 0)
		return -EEXIST;
	output->fd = open(part, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (output->fd < 0)
		return -errno;
	r = lock_part(output->fd, part);
	if (r == 0 && access(path, F_OK) == 0)
		r = -EEXIST;
	if (r < 0) {
		close(output->fd);
		output->fd = -1;
	}
	return r;
}

/* Takes it back to the data that are known to be on the disk.  -ESTALE: another program cut it. */
static int place_output(struct export_file *f, size_t i)
{
	int fd = f->outputs[i].fd;
	off_t offset = (off_t)f->outputs[i].offset;
	if (lseek(fd, 0, SEEK_END) < offset)
		return -ESTALE;
	return ftruncate(fd, offset) < 0 || lseek(fd, offset, SEEK_SET) < 0 ? -errno : 0;
}

int export_file_restart(struct export_file *f, struct export_tables *tables)
{
	tables->count = tables->at = 0;
	f->entries = f->corrections = 0;
	f->run[0] = '\0';
	f->is_resumed = false;
	/* The same runs may have fewer files now. */
	for (; f->count > 1; f->count--) {
		struct export_output *output = &f->outputs[f->count - 1];
		char part[EXPORT_PATH];
		export_file_name(f, f->count - 1, ".part", part);
		unlink(part);
		if (output->fd >= 0)
			close(output->fd);
	}
	f->outputs[0].offset = 0;
	return ftruncate(f->outputs[0].fd, 0) < 0 || lseek(f->outputs[0].fd, 0, SEEK_SET) < 0
		       ? -errno
		       : 0;
}

static int explain(const struct export_file *f, size_t i, int r)
{
	char path[EXPORT_PATH];
	export_file_name(f, i, "", path);
	fprintf(stderr, "assayctl: %s: %s\n", path,
		r == -EBUSY ? "another export writes this file" : strerror(-r));
	return 1;
}

int export_file_open(struct export_file *f, const char *path, const char *selection,
	struct export_tables *tables)
{
	*f = (struct export_file){.saved_at = clock_boot()};
	snprintf(f->selection, sizeof f->selection, "%s", selection);
	if (snprintf(f->path, sizeof f->path, "%s", path) >= (int)sizeof f->path)
		return explain(f, 0, -ENAMETOOLONG);
	int r = open_output(f, 0);
	if (r < 0)
		return explain(f, 0, r);
	f->is_resumed = read_state(f, tables);
	size_t count = f->is_resumed ? f->count : 1;
	for (size_t i = 0; i < count; i++) {
		r = i > 0 ? open_output(f, i) : 0;
		f->count = r == 0 ? i + 1 : i;
		if (r == 0)
			r = place_output(f, i);
		if (r == -ESTALE)
			f->is_resumed = false;
		else if (r < 0)
			return explain(f, i, r);
	}
	r = f->is_resumed ? 0 : export_file_restart(f, tables);
	return r < 0 ? explain(f, 0, r) : 0;
}

/* The file that e->to belongs to, at its end: opened if it is new or was closed to make room. */
static int reach_output(struct export_file *f, size_t at)
{
	bool is_new = at == f->count;
	assert(at <= f->count);
	if (!is_new && f->outputs[at].fd >= 0)
		return 0;
	if (is_new)
		f->outputs[at].offset = 0;
	int r = open_output(f, at);
	if (r < 0)
		return explain(f, at, r);
	f->count += is_new;
	return place_output(f, at);
}

int export_file_append(struct export_file *f, uint64_t entries, const struct export *e)
{
	size_t at = e->tables.at;
	int r = e->to.len > 0 ? reach_output(f, at) : 0;
	if (r == 0 && e->to.len > 0)
		r = file_write(f->outputs[at].fd, e->to.data, e->to.len);
	if (r != 0)
		return r;
	if (e->to.len > 0)
		f->outputs[at].offset += e->to.len;
	f->entries = entries;
	f->corrections = e->run.corrected.count;
	snprintf(f->run, sizeof f->run, "%s", e->run.number);
	return clock_boot() > f->saved_at + SAVE_NS ? export_file_save(f, &e->tables) : 0;
}

static void close_all(struct export_file *f)
{
	for (size_t i = 0; i < f->count; i++) {
		if (f->outputs[i].fd >= 0)
			close(f->outputs[i].fd);
	}
	f->count = 0;
}

/* The first file last: while FILE.part is there, the export is not complete. */
int export_file_finish(struct export_file *f)
{
	char path[EXPORT_PATH], part[EXPORT_PATH];
	for (size_t i = f->count; i > 0; i--) {
		export_file_name(f, i - 1, "", path);
		export_file_name(f, i - 1, ".part", part);
		if (f->outputs[i - 1].fd >= 0 && fsync(f->outputs[i - 1].fd) < 0)
			return -errno;
		if (renameat2(AT_FDCWD, part, AT_FDCWD, path, RENAME_NOREPLACE) < 0 &&
			(errno != EINVAL || rename(part, path) < 0))
			return -errno;
	}
	export_file_name(f, 0, ".part.at", part);
	unlink(part);
	close_all(f);
	return file_sync_folder(AT_FDCWD, f->path);
}

void export_file_close(struct export_file *f)
{
	char part[EXPORT_PATH];
	for (size_t i = 0; i < f->count; i++) {
		export_file_name(f, i, ".part", part);
		if (f->outputs[i].offset == 0)
			unlink(part);
	}
	close_all(f);
}
