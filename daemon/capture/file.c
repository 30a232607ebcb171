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

static int say(char why[CAPTURE_WHY], int error, const char *text)
{
	snprintf(why, CAPTURE_WHY, "%s", text);
	return -error;
}

/* At most `most` bytes of a plain file; a longer one is read in part. */
static int read_bytes(const char *path, size_t most, struct buffer *to, char why[CAPTURE_WHY])
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return say(why, errno, strerror(errno));
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return say(why, EINVAL, "it is no plain file");
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
		return say(why, ENOMEM, "no memory for it");
	return error != 0 ? say(why, error, strerror(error)) : 0;
}

static long parse_head(const struct buffer *bytes, struct capture_head *head, char why[CAPTURE_WHY])
{
	long n = capture_read_head(bytes->data, bytes->len, head);
	if (n > 0)
		return n;
	if (n == 0)
		return say(why, EBADMSG, "it ends within its head");
	return say(why, EBADMSG,
		"it is no recording of this version made by `assayctl capture`, or damaged");
}

static size_t count_records(const struct buffer *bytes, size_t at)
{
	struct capture_record record;
	size_t count = 0;
	long n;
	for (; (n = capture_read(bytes->data + at, bytes->len - at, &record)) > 0; at += (size_t)n)
		count++;
	return count;
}

static int take_records(struct capture_file *file, size_t at, char why[CAPTURE_WHY])
{
	const struct buffer *bytes = &file->bytes;
	size_t count = count_records(bytes, at);
	file->records = calloc(count > 0 ? count : 1, sizeof *file->records);
	if (file->records == NULL)
		return say(why, ENOMEM, "no memory for it");
	for (; file->count < count; file->count++) {
		struct capture_record *record = &file->records[file->count];
		at += (size_t)capture_read(bytes->data + at, bytes->len - at, record);
	}
	file->read = at;
	file->is_whole = at == bytes->len && count > 0 &&
			 file->records[count - 1].kind == CAPTURE_END;
	return 0;
}

static int parse(struct capture_file *file, char why[CAPTURE_WHY])
{
	long n = parse_head(&file->bytes, &file->head, why);
	int r = n < 0 ? (int)n : take_records(file, (size_t)n, why);
	if (r < 0)
		capture_file_close(file);
	return r;
}

int capture_file_parse(
	struct capture_file *file, const uint8_t *data, size_t len, char why[CAPTURE_WHY])
{
	*file = (struct capture_file){0};
	if (buffer_reserve(&file->bytes, len > 0 ? len : 1) == NULL)
		return say(why, ENOMEM, "no memory for it");
	buffer_append(&file->bytes, data, len);
	return parse(file, why);
}

int capture_file_open(struct capture_file *file, const char *path, char why[CAPTURE_WHY])
{
	*file = (struct capture_file){0};
	int r = read_bytes(path, CAPTURE_FILE_MAX + 1, &file->bytes, why);
	if (r == 0 && file->bytes.len > CAPTURE_FILE_MAX)
		r = say(why, EFBIG, "it is longer than 256 MiB");
	if (r < 0) {
		capture_file_close(file);
		return r;
	}
	return parse(file, why);
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
