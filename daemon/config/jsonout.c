/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "config/jsonout.h"
#include "record/decimal.h"
#include "record/json.h"

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
	json_write_text(j->to, text, strlen(text));
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

void json_number(struct json *j, double value)
{
	char text[DECIMAL_SIZE];
	begin(j);
	buffer_append(j->to, text, decimal_from_double(text, value));
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

void json_single(struct json *j, const char *key, const char *text)
{
	json_open(j, '{');
	json_pair(j, key, text);
	json_close(j, '}');
}
