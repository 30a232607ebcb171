/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "config/jsonout.h"

static void put(struct json *j, const char *text)
{
	buffer_append(j->to, text, strlen(text));
}

/* Before every value that is not a key's. */
static void begin(struct json *j)
{
	if (j->needs_comma)
		put(j, ",");
	j->needs_comma = true;
}

void json_open(struct json *j, char bracket)
{
	begin(j);
	buffer_append(j->to, &bracket, 1);
	j->needs_comma = false;
}

void json_close(struct json *j, char bracket)
{
	buffer_append(j->to, &bracket, 1);
	j->needs_comma = true;
}

static void quote(struct json *j, const char *text)
{
	put(j, "\"");
	for (; *text != '\0'; text++) {
		char escaped[8];
		unsigned char c = (unsigned char)*text;
		if (c == '"' || c == '\\')
			snprintf(escaped, sizeof escaped, "\\%c", c);
		else if (c < ' ')
			snprintf(escaped, sizeof escaped, "\\u%04x", c);
		else
			snprintf(escaped, sizeof escaped, "%c", c);
		put(j, escaped);
	}
	put(j, "\"");
}

void json_key(struct json *j, const char *key)
{
	begin(j);
	quote(j, key);
	put(j, ":");
	j->needs_comma = false;
}

void json_text(struct json *j, const char *text)
{
	begin(j);
	quote(j, text);
}

/* Integers without a point, whatever the locale makes of it in other numbers. */
void json_number(struct json *j, double value)
{
	char text[40];
	begin(j);
	if (value == trunc(value) && fabs(value) < 0x1p63)
		snprintf(text, sizeof text, "%lld", (long long)value);
	else
		snprintf(text, sizeof text, "%.17g", value);
	for (char *c = text; *c != '\0'; c++)
		if (*c == ',')
			*c = '.';
	put(j, text);
}

void json_bool(struct json *j, bool value)
{
	json_literal(j, value ? "true" : "false");
}

void json_literal(struct json *j, const char *json)
{
	begin(j);
	put(j, json);
}

void json_pair(struct json *j, const char *key, const char *text)
{
	if (text == NULL)
		return;
	json_key(j, key);
	json_text(j, text);
}
