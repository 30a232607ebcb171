/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOG_TOPIC "hazard"
#include "base/log.h"
#include "core/instrument/hazard.h"
#include "journal/io.h"

static void note_path(const char *journal, const char *instrument, char *path, size_t size)
{
	snprintf(path, size, "%s/hazards/%s", journal, instrument);
}

bool hazard_is_noted(const struct hazards *hazards, const char *instrument)
{
	char path[PATH_MAX];
	note_path(hazards->journal, instrument, path, sizeof path);
	return access(path, F_OK) == 0;
}

static int make_note(const char *journal, const char *path)
{
	char folder[PATH_MAX];
	snprintf(folder, sizeof folder, "%s/hazards", journal);
	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		return -errno;
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

int hazard_note(struct hazards *hazards, const char *instrument, bool on)
{
	char path[PATH_MAX];
	note_path(hazards->journal, instrument, path, sizeof path);
	int r = 0;
	if (on)
		r = make_note(hazards->journal, path);
	else if (unlink(path) < 0 && errno != ENOENT)
		r = -errno;
	atomic_store(&hazards->is_changed, true);
	return r;
}

void hazard_sync(void *arg)
{
	struct hazards *hazards = arg;
	const struct io *io = &io_posix;
	if (!atomic_exchange(&hazards->is_changed, false))
		return;
	int base = io->openat(io->ctx, IO_CWD, hazards->journal, O_RDONLY | O_DIRECTORY);
	int dir = base < 0 ? base : io_open_dir(io, base, "hazards");
	int r = dir < 0 ? dir : io->fsync_dir(io->ctx, dir);
	if (dir >= 0)
		io->close(io->ctx, dir);
	if (base >= 0)
		io->close(io->ctx, base);
	if (r < 0) {
		log_error("cannot sync the notes: %s", strerror(-r));
		atomic_store(&hazards->is_changed, true);
	}
}
