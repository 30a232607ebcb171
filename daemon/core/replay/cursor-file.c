/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "core/replay/cursor-file.h"
#include "record/encode.h"

int cursor_file_read(int dir, const char *name, struct cursor_mark **marks, size_t *count)
{
	const struct io *io = &io_posix;
	uint64_t size = 0;
	*marks = NULL;
	*count = 0;
	/* A pipe or a link in its place is damage: it must not stop the start. */
	int fd = io->openat(io->ctx, dir, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0)
		return fd;
	int r = io->size(io->ctx, fd, &size);
	if (r == 0 && size > CURSOR_BYTES_MAX)
		r = -EBADMSG;
	uint8_t *data = r == 0 ? malloc((size_t)size + 1) : NULL;
	if (r == 0 && data == NULL)
		r = -ENOMEM;
	if (r == 0) {
		ssize_t n = io->pread(io->ctx, fd, data, (size_t)size, 0);
		r = n < 0 ? (int)n : cursor_decode(data, (size_t)n, name, marks, count);
	}
	free(data);
	io->close(io->ctx, fd);
	return r;
}

int cursor_file_write(int dir, const char *name, const struct cursor_mark *marks, size_t count)
{
	struct buffer file = {0};
	int r = cursor_encode(&file, name, marks, count);
	if (r == 0)
		r = io_replace(&io_posix, dir, name, file.data, file.len);
	buffer_finish(&file);
	return r;
}
