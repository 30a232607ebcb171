/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zmq.h>

#include "base/key-file.h"

#define BYTES_MAX   4096
#define KEY_LEN     (KEY_FILE_TEXT - 1)
#define PRIVATE_ALL 077

bool key_file_is_private(unsigned mode)
{
	return (mode & PRIVATE_ALL) == 0;
}

bool key_file_decode(const char *text, uint8_t key[KEY_FILE_SIZE])
{
	return strlen(text) == KEY_LEN && zmq_z85_decode(key, text) != NULL;
}

static int fail(char *why, unsigned line, size_t column, const char *reason)
{
	snprintf(why, KEY_FILE_ERRORS, "%u:%zu: %s", line, column, reason);
	return -EINVAL;
}

/* The reason why `text`, one line, cannot be read, with its column in `at`; NULL: it was read. */
static const char *read_line(char *text, bool *is_curve, struct key_pair *pair, size_t *at)
{
	uint8_t key[KEY_FILE_SIZE];
	char name[32], value[80];
	int begin = 0, end = 0;
	size_t indent = strspn(text, " \t");
	*at = indent;
	if (text[indent] == '\0' || text[indent] == '#')
		return NULL;
	if (indent == 0) {
		*is_curve = strcmp(text, "curve") == 0;
		return *is_curve || strcmp(text, "metadata") == 0
			       ? NULL
			       : "expected `curve`, or `metadata`, and indented lines below it";
	}
	if (!*is_curve)
		return NULL;
	if (sscanf(text, " %31[a-z-] = %n\"%79[^\"]\"%n", name, &begin, value, &end) != 2 ||
		end == 0 || text[end] != '\0')
		return "expected public-key = \"…\" or secret-key = \"…\"";
	char *to = strcmp(name, "public-key") == 0   ? pair->public_key
		   : strcmp(name, "secret-key") == 0 ? pair->secret_key
						     : NULL;
	if (to == NULL)
		return "expected the name public-key or secret-key";
	if (to[0] != '\0')
		return "there are two keys of this name";
	*at = (size_t)begin + 1;
	if (!key_file_decode(value, key))
		return "expected a key: 40 characters of Z85";
	memcpy(to, value, KEY_FILE_TEXT);
	return NULL;
}

int key_file_parse(const char *text, size_t len, struct key_pair *pair, char why[KEY_FILE_ERRORS])
{
	char line[256], belongs[KEY_FILE_TEXT];
	bool is_curve = false;
	unsigned number = 0;
	*pair = (struct key_pair){0};
	for (size_t start = 0, size; start < len; start += size + 1) {
		const char *end = memchr(text + start, '\n', len - start);
		size = end != NULL ? (size_t)(end - text) - start : len - start;
		number++;
		if (size >= sizeof line || memchr(text + start, '\0', size) != NULL)
			return fail(why, number, 1, "expected a line of text, at most 255 bytes");
		memcpy(line, text + start, size);
		line[size] = '\0';
		size_t at;
		const char *reason = read_line(line, &is_curve, pair, &at);
		if (reason != NULL)
			return fail(why, number, at + 1, reason);
	}
	if (pair->public_key[0] == '\0')
		return fail(why, number > 0 ? number : 1, 1, "the file has no public-key");
	if (pair->secret_key[0] != '\0' && (zmq_curve_public(belongs, pair->secret_key) < 0 ||
						   strcmp(belongs, pair->public_key) != 0))
		return fail(why, number, 1, "public-key and secret-key are not of one pair");
	return 0;
}

static int fail_file(char *why, const char *path, int error, const char *reason)
{
	snprintf(why, KEY_FILE_ERRORS, "%.200s: %s", path, reason);
	return error;
}

int key_file_read(
	const char *path, bool is_secret, struct key_pair *pair, char why[KEY_FILE_ERRORS])
{
	char text[BYTES_MAX], reason[KEY_FILE_ERRORS];
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0 || fstat(fd, &st) < 0) {
		int error = errno;
		if (fd >= 0)
			close(fd);
		return fail_file(why, path, -error, strerror(error));
	}
	ssize_t n = S_ISREG(st.st_mode) ? read(fd, text, sizeof text) : -1;
	close(fd);
	if (n < 0 || n == sizeof text)
		return fail_file(why, path, -EINVAL, "expected a regular file below 4 KiB");
	if (is_secret && !key_file_is_private(st.st_mode))
		return fail_file(why, path, -EPERM,
			"its group or others have rights on this secret key: chmod 600, and make a "
			"new key if others may have read it");
	int r = key_file_parse(text, (size_t)n, pair, reason);
	if (r == 0 && is_secret && pair->secret_key[0] == '\0')
		return fail_file(why, path, -EINVAL, "the file has no secret-key");
	if (r < 0)
		snprintf(why, KEY_FILE_ERRORS, "%.200s:%.190s", path, reason);
	explicit_bzero(text, sizeof text);
	return r;
}
