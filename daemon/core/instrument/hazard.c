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

static void note_path(const char *journal, const char *instrument, char *path, size_t size)
{
	snprintf(path, size, "%s/hazards/%s", journal, instrument);
}

bool hazard_is_noted(const char *journal, const char *instrument)
{
	char path[PATH_MAX];
	note_path(journal, instrument, path, sizeof path);
	return access(path, F_OK) == 0;
}

static int make_note(const char *journal, const char *path)
{
	char folder[PATH_MAX];
	snprintf(folder, sizeof folder, "%s/hazards", journal);
	if (mkdir(folder, 0700) < 0 && errno != EEXIST)
		return -errno;
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

void hazard_note(const char *journal, const char *instrument, bool on)
{
	char path[PATH_MAX];
	note_path(journal, instrument, path, sizeof path);
	int r = 0;
	if (on)
		r = make_note(journal, path);
	else if (unlink(path) < 0 && errno != ENOENT)
		r = -errno;
	if (r < 0)
		log_error("%s: %s", path, strerror(-r));
}
