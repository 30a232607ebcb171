/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "print.h"
#include "record/json.h"
#include "record/uuid.h"

void print_json(const struct buffer *bytes)
{
	struct buffer text = {0};
	if (json_write(&text, bytes->data, bytes->len) == 0 && !text.failed)
		printf("%.*s\n", (int)text.len, (const char *)text.data);
	buffer_finish(&text);
}

void print_object(json_t *object)
{
	if (object != NULL && json_dumpf(object, stdout, JSON_COMPACT) == 0)
		putchar('\n');
	json_decref(object);
}

void print_safe(char *to, size_t size, struct assay_string text)
{
	size_t len = text.len < size - 1 ? text.len : size - 1;
	for (size_t i = 0; i < len; i++)
		to[i] = (unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f ? '?'
										   : text.data[i];
	to[len] = '\0';
}

void print_time(char to[PRINT_TIME_SIZE], uint64_t utc)
{
	struct tm tm;
	time_t seconds = (time_t)(utc / NS_PER_S);
	gmtime_r(&seconds, &tm);
	strftime(to, PRINT_TIME_SIZE, "%Y-%m-%d %H:%M:%SZ", &tm);
}

static int read_value(struct reader *r, char *to, size_t size)
{
	struct assay_string text;
	struct assay_span bytes;
	double number = 0;
	uint64_t n = 0;
	bool flag = false;
	switch (read_peek(r)) {
	case READ_TEXT:
		if (read_text(r, &text) == 0)
			print_safe(to, size, text);
		break;
	case READ_BYTES:
		if (read_bytes(r, &bytes) == 0 && HEX_SIZE(bytes.len) <= size)
			hex_write(to, bytes.data, bytes.len);
		break;
	case READ_UINT:
		read_uint(r, &n);
		snprintf(to, size, "%" PRIu64, n);
		break;
	case READ_BOOL:
		read_bool(r, &flag);
		snprintf(to, size, "%s", flag ? "yes" : "no");
		break;
	case READ_NEGINT:
	case READ_FLOAT32:
	case READ_FLOAT64:
		read_double(r, &number);
		snprintf(to, size, "%.10g", number);
		break;
	default: return read_skip(r);
	}
	return r->error;
}

static size_t put(char *to, size_t size, const char *text)
{
	int n = snprintf(to, size, "%s", text);
	return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}

static size_t put_setting(char *to, size_t size, struct reader *r)
{
	char text[200] = "", unit[40] = "";
	size_t count, len;
	struct assay_string key;
	switch (read_peek(r)) {
	case READ_MAP: /* {v, u} */
		read_map(r, &count);
		for (; count > 0 && read_key(r, &key) == 0; count--) {
			if (assay_string_is(key, "v"))
				read_value(r, text, sizeof text);
			else if (assay_string_is(key, "u"))
				read_value(r, unit, sizeof unit);
			else
				read_skip(r);
		}
		len = put(to, size, text);
		if (unit[0] == '\0' || strcmp(unit, "1") == 0)
			return len;
		len += put(to + len, size - len, " ");
		return len + put(to + len, size - len, unit);
	case READ_ARRAY:
		read_array(r, &count);
		if (read_peek(r) == READ_ARRAY) {
			snprintf(text, sizeof text, "%zu rows", count);
			return put(to, size, text);
		}
		len = put(to, size, "[");
		for (size_t i = 0; i < count && r->error == 0; i++) {
			len += put(to + len, size - len, i > 0 ? ", " : "");
			len += put_setting(to + len, size - len, r);
		}
		return len + put(to + len, size - len, "]");
	case READ_BOOL:
		read_value(r, text, sizeof text);
		return put(to, size, strcmp(text, "yes") == 0 ? "true" : "false");
	default: read_value(r, text, sizeof text); return put(to, size, text);
	}
}

void print_setting(char *to, size_t size, const struct assay_span *value)
{
	struct reader r;
	to[0] = '\0';
	if (value->len == 0)
		return;
	read_init(&r, value->data, value->len);
	put_setting(to, size, &r);
}

static int read_into(struct pairs *pairs, struct reader *r, const char *prefix)
{
	size_t left;
	struct assay_string key;
	if (read_map(r, &left) < 0)
		return -EBADMSG;
	for (; left > 0 && read_key(r, &key) == 0; left--) {
		char name[40], word[40];
		print_safe(word, sizeof word, key);
		if (snprintf(name, sizeof name, "%s%s", prefix, word) >= (int)sizeof name ||
			pairs->count == PAIRS_MAX) {
			read_skip(r);
			continue;
		}
		if (read_peek(r) == READ_MAP) {
			char inner[41];
			snprintf(inner, sizeof inner, "%s.", name);
			read_into(pairs, r, inner);
			continue;
		}
		size_t i = pairs->count++;
		snprintf(pairs->items[i].key, sizeof pairs->items[i].key, "%s", name);
		pairs->items[i].value[0] = '\0';
		read_value(r, pairs->items[i].value, sizeof pairs->items[i].value);
	}
	return r->error;
}

int pairs_read(struct pairs *pairs, struct reader *r)
{
	pairs->count = 0;
	return read_into(pairs, r, "");
}

static const char *find_pair(const struct pairs *pairs, const char *key)
{
	for (size_t i = 0; i < pairs->count; i++) {
		if (strcmp(pairs->items[i].key, key) == 0)
			return pairs->items[i].value;
	}
	return NULL;
}

bool pairs_has(const struct pairs *pairs, const char *key)
{
	return find_pair(pairs, key) != NULL;
}

const char *pairs_get(const struct pairs *pairs, const char *key)
{
	const char *value = find_pair(pairs, key);
	return value != NULL ? value : "";
}

uint64_t pairs_number(const struct pairs *pairs, const char *key)
{
	return strtoull(pairs_get(pairs, key), NULL, 10);
}

int reply_array(const struct buffer *reply, const char *wanted, struct reader *r, size_t *items)
{
	size_t pairs;
	struct assay_string key;
	read_init(r, reply->data, reply->len);
	read_map(r, &pairs);
	for (; pairs > 0 && read_key(r, &key) == 0; pairs--) {
		if (assay_string_is(key, wanted))
			return read_array(r, items);
		read_skip(r);
	}
	return -EBADMSG;
}

int reply_pairs(const struct buffer *reply, struct pairs *pairs)
{
	struct reader r;
	read_init(&r, reply->data, reply->len);
	return pairs_read(pairs, &r);
}
