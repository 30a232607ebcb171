/* SPDX-License-Identifier: Apache-2.0 */
#include "command.h"

#include <stdio.h>
#include <string.h>

#define CAPITALS    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
/* Characters of a value that need no escape, and the escape itself. */
#define VALUE_CHARS CAPITALS "abcdefghijklmnopqrstuvwxyz.,_~+-*|%"

/* Parameters with a setting of their own. */
static const struct {
	const char *setting, *key;
	bool is_integer;
} own[] = {
	{"resolution", "RES", false},
	{"scans", "NSS", true},
};
#define OWN (sizeof(own) / sizeof(*own))

/* The length of the pair KEY=VALUE at the start of `text`; 0 if there is none. */
static size_t pair_length(const char *text)
{
	size_t key = strspn(text, CAPITALS);
	if (key != 3 || text[3] != '=')
		return 0;
	size_t value = strcspn(text + 4, "&");
	/* A value may hold pairs of its own, such as STM=SLO=1|MSL=1. */
	return strspn(text + 4, VALUE_CHARS "=") == value ? 4 + value : 0;
}

const char *command_mistake(const char *parameters)
{
	for (const char *at = parameters;; at++) {
		size_t len = pair_length(at);
		if (len == 0)
			return "found no pair KEY=VALUE with a key of three capitals, joined by "
			       "'&'";
		if (memcmp(at, "WRK", 3) == 0)
			return "leave out WRK: the driver sends it";
		at += len;
		if (*at == '\0')
			return NULL;
	}
}

bool command_has(const char *parameters, const char *key)
{
	for (const char *at = parameters; at != NULL; at = strchr(at, '&')) {
		at += at != parameters;
		if (strncmp(at, key, 3) == 0)
			return true;
	}
	return false;
}

static bool is_replaced(const struct assay_settings *s, const char *pair)
{
	for (size_t i = 0; i < OWN; i++)
		if (assay_has(s, own[i].setting) && memcmp(pair, own[i].key, 3) == 0)
			return true;
	return false;
}

bool command_write(const struct assay_settings *s, enum command_work work, char *path, size_t size)
{
	size_t n = (size_t)snprintf(path, size, "/cmd.htm?WRK=%d", (int)work);
	const char *at = assay_has(s, "command") ? assay_text(s, "command") : "";
	for (size_t len; *at != '\0' && n < size; at += len + (at[len] == '&')) {
		len = pair_length(at);
		if (len == 0)
			return false;
		if (!is_replaced(s, at))
			n += (size_t)snprintf(path + n, size - n, "&%.*s", (int)len, at);
	}
	for (size_t i = 0; i < OWN && n < size; i++) {
		if (!assay_has(s, own[i].setting))
			continue;
		const char *key = own[i].key;
		n += (size_t)(own[i].is_integer ? snprintf(path + n, size - n, "&%s=%d", key,
							  (int)assay_int(s, own[i].setting))
						: snprintf(path + n, size - n, "&%s=%.6f", key,
							  assay_number(s, own[i].setting)));
	}
	return n < size;
}
