/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "cell.h"
#include "record/text.h"

#define ESCAPED_MAX 4 /* bytes for one of a text */

void cell_put(struct buffer *to, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, args);
	uint8_t *at = len >= 0 ? buffer_reserve(to, (size_t)len + 1) : NULL;
	if (at != NULL) {
		vsnprintf((char *)at, (size_t)len + 1, format, again);
		to->len += (size_t)len;
	}
	va_end(again);
	va_end(args);
}

void cell_put_number(struct buffer *to, double number)
{
	char text[40];
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, number);
		double read = strtod(text, NULL);
		if (memcmp(&read, &number, sizeof read) == 0)
			break;
	}
	buffer_append(to, text, strlen(text));
}

void cell_put_time(struct buffer *to, uint64_t ns)
{
	struct tm tm;
	char text[32];
	time_t seconds = (time_t)(ns / NS_PER_S);
	gmtime_r(&seconds, &tm);
	strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
	cell_put(to, "%s.%03u", text, (unsigned)(ns % NS_PER_S / NS_PER_MS));
}

void cell_put_escaped(struct buffer *to, struct assay_string text)
{
	size_t size = ESCAPED_MAX * text.len + 1;
	char *at = (char *)buffer_reserve(to, size);
	if (at == NULL)
		return;
	text_escape(at, size, text);
	to->len += strlen(at);
}

void cell_put_text(struct buffer *to, struct assay_string text)
{
	struct buffer escaped = {0};
	cell_put_escaped(&escaped, text);
	bool is_guarded = escaped.len > 0 && strchr("=+-@'", escaped.data[0]) != NULL;
	cell_put(to, is_guarded ? "\"'" : "\"");
	for (size_t i = 0; i < escaped.len; i++)
		buffer_append(to, escaped.data[i] == '"' ? (const void *)"\"\"" : &escaped.data[i],
			escaped.data[i] == '"' ? 2 : 1);
	cell_put(to, "\"");
	to->failed |= escaped.failed;
	buffer_finish(&escaped);
}
