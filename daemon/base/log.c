/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log-id.h"
#include "base/log.h"
#include "base/printable.h"

#define LINE_MAX_BYTES 1100
#define TEXT_BYTES     1001
#define ID_BYTES       16
#define CAPTURE_BYTES  (64 << 10)
#define CAPTURE_LINES  100

static _Atomic int max_level = LOG_LEVEL_INFO;
static _Atomic bool with_prefix = true;

void log_init(enum log_level level, bool prefixes)
{
	max_level = (int)level;
	with_prefix = prefixes;
}

static const char *level_name(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR: return "error: ";
	case LOG_LEVEL_WARN: return "warning: ";
	case LOG_LEVEL_INFO: return "";
	case LOG_LEVEL_DEBUG: return "debug: ";
	}
	return "";
}

/* The last word is an id of ours: a text of others that ends like one is marked. */
static void add_id(char *text, size_t size, enum log_level level, const char *format)
{
	size_t len = strlen(text);
	const char *id = level <= LOG_LEVEL_WARN ? log_id(format) : NULL;
	if (id != NULL)
		snprintf(text + len, size - len, " [%s]", id);
	else if (len > 0 && text[len - 1] == ']')
		snprintf(text + len, size - len, " [-]");
}

void log_write(enum log_level level, const char *topic, const char *format, ...)
{
	if ((int)level > max_level)
		return;
	int saved = errno;
	char line[LINE_MAX_BYTES], text[TEXT_BYTES + ID_BYTES];
	va_list args;
	va_start(args, format);
	vsnprintf(text, TEXT_BYTES, format, args);
	va_end(args);
	text_make_printable(text); /* an instrument's or a client's bytes must not break the line */
	add_id(text, sizeof text, level, format);
	int n = with_prefix
			? snprintf(line, sizeof line, "<%d>%s: %s\n", (int)level, topic, text)
			: snprintf(line, sizeof line, "%s: %s%s\n", topic, level_name(level), text);
	if (n > 0) {
		size_t len = (size_t)n < sizeof line ? (size_t)n : sizeof line - 1;
		ssize_t written = write(STDERR_FILENO, line, len);
		(void)written; /* this failure cannot be reported */
	}
	errno = saved;
}

int log_capture(int *end)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	*end = ends[1];
	return ends[0];
}

void log_captured(const char *topic, int fd)
{
	char text[CAPTURE_BYTES + 1];
	ssize_t len = fd < 0 ? 0 : read(fd, text, CAPTURE_BYTES);
	char *line, *rest = text;
	text[len > 0 ? len : 0] = '\0';
	for (int i = 0; i < CAPTURE_LINES && (line = strsep(&rest, "\n")) != NULL; i++) {
		if (line[0] != '\0')
			log_write(LOG_LEVEL_WARN, topic, "%s", line);
	}
	if (fd >= 0)
		close(fd);
}
