/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive.h"
#include "base/buffer.h"
#include "record/uuid.h"

#define DIGITS             (2 * ASSAY_SHA256_SIZE)
#define MANIFEST_BYTES_MAX (256u << 20)

void manifest_finish(struct manifest *manifest)
{
	free(manifest->lines);
	*manifest = (struct manifest){0};
}

struct manifest_line *manifest_find(const struct manifest *manifest, const char *path)
{
	for (size_t i = manifest->count; i > 0; i--) {
		if (strcmp(manifest->lines[i - 1].path, path) == 0)
			return &manifest->lines[i - 1];
	}
	return NULL;
}

static int add(struct manifest *manifest, const struct manifest_line *line)
{
	struct manifest_line *lines = reallocarray(
		manifest->lines, manifest->count + 1, sizeof *lines);
	if (lines == NULL)
		return -ENOMEM;
	manifest->lines = lines;
	lines[manifest->count++] = *line;
	return 0;
}

int manifest_set(struct manifest *manifest, const char *path, const uint8_t *sha256)
{
	struct manifest_line line = {0}, *there = manifest_find(manifest, path);
	snprintf(line.path, sizeof line.path, "%s", path);
	memcpy(line.sha256, sha256, sizeof line.sha256);
	if (there == NULL)
		return add(manifest, &line);
	*there = line;
	return 0;
}

/* --- reading --------------------------------------------------------------------------------- */

/* Lines of "<64 digits>  <path>". */
int manifest_parse(struct manifest *manifest, const char *text, size_t len)
{
	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t n = end != NULL ? (size_t)(end - text) : 0;
		size_t path = n > DIGITS + 2 ? n - DIGITS - 2 : 0;
		struct manifest_line line = {0};
		if (path == 0 || path >= sizeof line.path || memcmp(text + DIGITS, "  ", 2) != 0 ||
			memchr(text, '\0', n) != NULL || memchr(text, '-', DIGITS) != NULL ||
			hex_read((struct assay_string){text, DIGITS}, line.sha256,
				sizeof line.sha256) < 0)
			return -EBADMSG;
		memcpy(line.path, text + DIGITS + 2, path);
		int r = add(manifest, &line);
		if (r < 0)
			return r;
		text += n + 1;
		len -= n + 1;
	}
	return 0;
}

static int read_file(struct manifest *manifest, int fd)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size > MANIFEST_BYTES_MAX)
		return -EFBIG;
	size_t len = (size_t)st.st_size;
	char *text = malloc(len + 1);
	if (text == NULL)
		return -ENOMEM;
	ssize_t n = pread(fd, text, len, 0);
	int r = n < 0 ? -errno : manifest_parse(manifest, text, (size_t)n);
	free(text);
	return r;
}

int manifest_read(struct manifest *manifest, int dir)
{
	int fd = openat(dir, ARCHIVE_MANIFEST, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	int r = read_file(manifest, fd);
	close(fd);
	return r;
}

/* --- writing --------------------------------------------------------------------------------- */

static int by_path(const void *a, const void *b)
{
	const struct manifest_line *x = a, *y = b;
	return strcmp(x->path, y->path);
}

int manifest_write(struct manifest *manifest, int dir)
{
	struct buffer text = {0};
	char digits[HEX_SIZE(ASSAY_SHA256_SIZE)];
	if (manifest->count > 0)
		qsort(manifest->lines, manifest->count, sizeof *manifest->lines, by_path);
	for (size_t i = 0; i < manifest->count; i++) {
		const struct manifest_line *line = &manifest->lines[i];
		hex_write(digits, line->sha256, sizeof line->sha256);
		buffer_append(&text, digits, DIGITS);
		buffer_append(&text, "  ", 2);
		buffer_append(&text, line->path, strlen(line->path));
		buffer_append(&text, "\n", 1);
	}
	int r = text.failed ? -ENOMEM
			    : io_replace(&io_posix, dir, ARCHIVE_MANIFEST, text.data, text.len);
	buffer_finish(&text);
	return r;
}
