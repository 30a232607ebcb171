/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/file.h"
#include "capture/read.h"

#define HEAD_MAX (CAPTURE_HEAD_BYTES + CAPTURE_MAP_MAX + CAPTURE_SUM_BYTES)

static int fail(char why[CAPTURE_WHY], int error, const char *text)
{
	snprintf(why, CAPTURE_WHY, "%s", text);
	return -error;
}

/* Reads at most `most` bytes of a regular file. */
static int read_bytes(const char *path, size_t most, struct buffer *to, char why[CAPTURE_WHY])
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return fail(why, errno, strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return fail(why, EINVAL, "it is not a regular file");
	}
	size_t len = (uint64_t)st.st_size < most ? (size_t)st.st_size : most;
	uint8_t *at = buffer_reserve(to, len > 0 ? len : 1);
	ssize_t n = 1;
	while (at != NULL && to->len < len && n > 0) {
		n = read(fd, to->data + to->len, len - to->len);
		to->len += n > 0 ? (size_t)n : 0;
	}
	int error = n < 0 ? errno : 0;
	close(fd);
	if (at == NULL)
		return fail(why, ENOMEM, "out of memory");
	return error != 0 ? fail(why, error, strerror(error)) : 0;
}

static long parse_head(const struct buffer *bytes, struct capture_head *head, char why[CAPTURE_WHY])
{
	long n = capture_read_head(bytes->data, bytes->len, head);
	if (n > 0)
		return n;
	if (n == 0)
		return fail(why, EBADMSG, "it ends within its head");
	return fail(why, EBADMSG,
		"it is damaged, or not a recording of this version by `assayctl capture`");
}

static int take_records(struct capture_file *file, size_t at, char why[CAPTURE_WHY])
{
	const struct buffer *bytes = &file->bytes;
	struct capture_record record;
	size_t count = 0, end = at;
	long n;
	for (; (n = capture_read(bytes->data + end, bytes->len - end, &record)) > 0;
		end += (size_t)n)
		count++;
	file->records = calloc(count > 0 ? count : 1, sizeof *file->records);
	if (file->records == NULL)
		return fail(why, ENOMEM, "out of memory");
	for (; file->count < count; file->count++)
		at += (size_t)capture_read(
			bytes->data + at, bytes->len - at, &file->records[file->count]);
	file->read = at;
	file->is_whole = at == bytes->len && count > 0 &&
			 file->records[count - 1].kind == CAPTURE_END;
	return 0;
}

int capture_file_open(struct capture_file *file, const char *path, char why[CAPTURE_WHY])
{
	*file = (struct capture_file){0};
	int r = read_bytes(path, CAPTURE_FILE_MAX + 1, &file->bytes, why);
	if (r == 0 && file->bytes.len > CAPTURE_FILE_MAX)
		r = fail(why, EFBIG, "it is longer than 256 MiB");
	if (r == 0) {
		long n = parse_head(&file->bytes, &file->head, why);
		r = n < 0 ? (int)n : take_records(file, (size_t)n, why);
	}
	if (r < 0)
		capture_file_close(file);
	return r;
}

int capture_file_head(const char *path, struct capture_head *head, char why[CAPTURE_WHY])
{
	struct buffer bytes = {0};
	int r = read_bytes(path, HEAD_MAX, &bytes, why);
	if (r == 0) {
		long n = parse_head(&bytes, head, why);
		r = n < 0 ? (int)n : 0;
	}
	buffer_finish(&bytes);
	return r;
}

void capture_file_close(struct capture_file *file)
{
	buffer_finish(&file->bytes);
	free(file->records);
	*file = (struct capture_file){0};
}
