/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "export-search.h"
#include "file.h"

#define LOCATOR "FILESPEC.FIL"

int search_range(const char *text, uint64_t *first, uint64_t *last)
{
	char after;
	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	int found = sscanf(text, "%" SCNu64 "-%" SCNu64 "%c", first, last, &after);
	if (found == 1 && strspn(text, "0123456789") == strlen(text))
		*last = *first;
	else if (found != 2)
		return -EINVAL;
	return *first > 0 && *first <= *last ? 0 : -EINVAL;
}

/* The whole file at once: under another name first, which never replaces a locator that waits. */
int search_hand_over(const char *path, const char *folder)
{
	const char *name = strrchr(path, '/');
	int dir_len = name != NULL ? (int)(name + 1 - path) : 0;
	char line[9000], to[4200], part[4200];
	name = name != NULL ? name + 1 : path;
	size_t folder_len = strlen(folder);
	while (folder_len > 0 && strchr("\\/", folder[folder_len - 1]) != NULL)
		folder_len--;
	int len = snprintf(
		line, sizeof line, "%.*s\\%s OVERWRITE\r\n", (int)folder_len, folder, name);
	snprintf(to, sizeof to, "%.*s" LOCATOR, dir_len, path);
	snprintf(part, sizeof part, "%.*s" LOCATOR ".part", dir_len, path);
	if (len < 0 || (size_t)len >= sizeof line)
		return -ENAMETOOLONG;
	int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	int r = file_write(fd, line, (size_t)len);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	close(fd);
	if (r == 0 && renameat2(AT_FDCWD, part, AT_FDCWD, to, RENAME_NOREPLACE) < 0) {
		/* A share that knows no such flag. */
		r = errno != EINVAL ? -errno : access(to, F_OK) == 0 ? -EEXIST : 0;
		if (r == 0 && rename(part, to) < 0)
			r = -errno;
	}
	if (r < 0)
		unlink(part);
	return r == 0 ? file_sync_folder(AT_FDCWD, path) : r;
}
