/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "journal/folder.h"

int folder_open(const struct io *io, const char *path, const uint8_t *id)
{
	char text[JOURNAL_ID_TEXT];
	const char *names[] = {path, "journal", text};
	int count = id == NULL ? 2 : 3, dir = IO_CWD;
	if (id != NULL)
		journal_id_format(text, id);
	for (int i = 0; i < count; i++) {
		int next = io->openat(io->ctx, dir, names[i], O_RDONLY | O_DIRECTORY);
		if (dir != IO_CWD)
			io->close(io->ctx, dir);
		if (next < 0)
			return next;
		dir = next;
	}
	return dir;
}

int folder_read_current(const struct io *io, int base, uint8_t id[JOURNAL_ID_SIZE])
{
	char text[JOURNAL_ID_TEXT + 1] = {0};
	int fd = io->openat(io->ctx, base, "current", O_RDONLY);
	if (fd < 0)
		return fd;
	ssize_t n = io->pread(io->ctx, fd, text, JOURNAL_ID_TEXT, 0);
	io->close(io->ctx, fd);
	if (n < 0)
		return (int)n;
	if (n != JOURNAL_ID_TEXT || text[JOURNAL_ID_TEXT - 1] != '\n')
		return -EINVAL;
	text[JOURNAL_ID_TEXT - 1] = '\0';
	return journal_id_parse(id, text);
}

int folder_write_current(const struct io *io, int base, const uint8_t id[JOURNAL_ID_SIZE])
{
	char text[JOURNAL_ID_TEXT];
	journal_id_format(text, id);
	text[JOURNAL_ID_TEXT - 1] = '\n';
	return io_replace(io, base, "current", text, sizeof text);
}
