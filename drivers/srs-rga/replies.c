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

/* The reply if the line is `command`, alone or with a blank behind it. */
static const char *match(const char *line, size_t len, const char *command, size_t *size)
{
	size_t n = strlen(command);
	if (len < n || memcmp(line, command, n) != 0 || (len > n && line[n] != ' '))
		return NULL;
	*size = len > n ? len - n - 1 : 0;
	return len > n ? line + n + 1 : line + n;
}

const char *rga_replies_find(const char *text, size_t len, const char *command, size_t *size)
{
	const char *found = NULL;
	for (size_t at = 0; at < len;) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t line = end != NULL ? (size_t)(end - text) - at : len - at;
		size_t n;
		const char *reply = match(text + at, line, command, &n);
		if (reply != NULL) {
			found = reply;
			*size = n;
		}
		at += line + 1;
	}
	return found;
}
