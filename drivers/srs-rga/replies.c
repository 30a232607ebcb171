/* SPDX-License-Identifier: Apache-2.0 */
#include "replies.h"

#include <stdio.h>
#include <string.h>

void rga_replies_cut(struct rga_replies *replies, size_t len)
{
	replies->len = len;
	replies->full = false;
}

void rga_replies_add(struct rga_replies *replies, const char *command, const char *reply)
{
	size_t room = sizeof(replies->text) - replies->len;
	int n = snprintf(replies->text + replies->len, room, reply != NULL ? "%s %s\n" : "%s%s\n",
		command, reply != NULL ? reply : "");
	if (n < 0 || (size_t)n >= room)
		replies->full = true;
	else
		replies->len += (size_t)n;
}

const char *rga_replies_find(const char *text, size_t len, const char *command, size_t *size)
{
	const char *found = NULL;
	size_t n = strlen(command);
	for (size_t at = 0; at < len;) {
		const char *line = text + at, *end = memchr(line, '\n', len - at);
		size_t line_len = end != NULL ? (size_t)(end - line) : len - at;
		/* The command alone, or followed by a blank and the reply. */
		if (line_len >= n && memcmp(line, command, n) == 0 &&
			(line_len == n || line[n] == ' ')) {
			size_t head = line_len > n ? n + 1 : n;
			found = line + head;
			*size = line_len - head;
		}
		at += line_len + 1;
	}
	return found;
}
