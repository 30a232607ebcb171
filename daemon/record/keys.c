/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "record/keys.h"

#define PASSED 1 /* a value that does not fit its lenient key */

#define BIT(type) (1u << (type))

/* The items that a type accepts, and their name. */
static const struct {
	unsigned items;
	const char *name;
} types[] = {
	[KEY_UINT] = {BIT(READ_UINT), "a whole number"},
	[KEY_INT] = {BIT(READ_UINT) | BIT(READ_NEGINT), "an integer"},
	[KEY_NUMBER] = {BIT(READ_UINT) | BIT(READ_NEGINT) | BIT(READ_FLOAT32) | BIT(READ_FLOAT64),
		"a number"},
	[KEY_BOOL] = {BIT(READ_BOOL), "true or false"},
	[KEY_TEXT] = {BIT(READ_TEXT), "a text"},
	[KEY_CHARS] = {BIT(READ_TEXT), "a text"},
	[KEY_WORD] = {BIT(READ_TEXT), "a text"},
	[KEY_BYTES] = {BIT(READ_BYTES), "a byte string"},
	[KEY_FIXED] = {BIT(READ_BYTES), "a byte string"},
	[KEY_COPY] = {BIT(READ_BYTES), "a byte string"},
	[KEY_RAW] = {~0u, "a value"},
	[KEY_RAW_MAP] = {BIT(READ_MAP), "a map"},
	[KEY_RAW_LIST] = {BIT(READ_ARRAY), "a list"},
	[KEY_MAP] = {BIT(READ_MAP), "a map"},
	[KEY_LIST] = {BIT(READ_ARRAY), "a list"},
	[KEY_OTHER] = {~0u, "a value"},
};

/* The largest value of a KEY_UINT. */
static uint64_t uint_limit(const struct key *key)
{
	assert(key->size >= 1 && key->size <= 8);
	uint64_t limit = UINT64_MAX >> (64 - 8 * key->size);
	return key->limit != 0 && key->limit < limit ? key->limit : limit;
}

const char *key_expected(const struct key *key, char *to, size_t size)
{
	const char *name = types[key->type].name;
	size_t limit = key->type == KEY_CHARS  ? key->size - 1u
		       : key->type == KEY_LIST ? key->size / key->keys->size
					       : (size_t)key->limit;
	snprintf(to, size, "%s", name);
	switch (key->type) {
	case KEY_UINT:
		if (uint_limit(key) < UINT64_MAX)
			snprintf(to, size, "%s of at most %" PRIu64, name, uint_limit(key));
		break;
	case KEY_TEXT:
	case KEY_BYTES:
	case KEY_CHARS:
		if (limit != 0)
			snprintf(to, size, "%s of at most %zu bytes", name, limit);
		break;
	case KEY_WORD: words_list(key->words, to, size); break;
	case KEY_FIXED:
	case KEY_COPY:
		snprintf(to, size, "%zu bytes", key->type == KEY_COPY ? key->size : limit);
		break;
	case KEY_LIST: snprintf(to, size, "%s of at most %zu", name, limit); break;
	default: break;
	}
	return to;
}

static int misfit(struct reader *r, const struct key *key, size_t at)
{
	char expected[100];
	if (key->lenient)
		return PASSED;
	return read_fail(r, at, "must be %s", key_expected(key, expected, sizeof expected));
}

/* Puts "name: " before the reader's error: a key or the index of an element. */
static void name_error(struct reader *r, struct assay_string name)
{
	size_t len = name.len < 40 ? name.len : 40, had = strlen(r->text);
	while (len < name.len && len > 0 && ((unsigned char)name.data[len] & 0xc0) == 0x80)
		len--; /* not in the middle of a character */
	size_t kept = sizeof r->text - len - 3;
	memmove(r->text + len + 2, r->text, had < kept ? had : kept);
	memcpy(r->text, name.data, len);
	memcpy(r->text + len, ": ", 2);
	r->text[len + 2 + (had < kept ? had : kept)] = '\0';
	text_make_printable(r->text);
}

static int store_uint(struct reader *r, const struct key *key, void *to)
{
	size_t at = r->at;
	uint64_t value;
	if (read_uint(r, &value) < 0)
		return r->error;
	if (value > uint_limit(key))
		return misfit(r, key, at);
	memcpy(to, &value, key->size); /* little-endian */
	return 0;
}

static int store_text(struct reader *r, const struct key *key, void *to)
{
	size_t at = r->at;
	struct assay_string text;
	if (read_text(r, &text) < 0)
		return r->error;
	if (key->type == KEY_WORD) {
		int value = words_find(key->words, text);
		if (value < 0)
			return misfit(r, key, at);
		memcpy(to, &value, sizeof value);
	} else if (key->type == KEY_CHARS) {
		if (text.len >= key->size || memchr(text.data, '\0', text.len) != NULL)
			return misfit(r, key, at);
		memcpy(to, text.data, text.len);
		((char *)to)[text.len] = '\0';
	} else {
		if (key->limit != 0 && text.len > key->limit)
			return misfit(r, key, at);
		*(struct assay_string *)to = text;
	}
	return 0;
}

static int store_bytes(struct reader *r, const struct key *key, void *to)
{
	size_t at = r->at;
	struct assay_span bytes;
	if (read_bytes(r, &bytes) < 0)
		return r->error;
	if (key->type == KEY_BYTES) {
		if (key->limit != 0 && bytes.len > key->limit)
			return misfit(r, key, at);
		*(struct assay_span *)to = bytes;
		return 0;
	}
	if (bytes.len != (key->type == KEY_COPY ? key->size : key->limit))
		return misfit(r, key, at);
	if (key->type == KEY_COPY)
		memcpy(to, bytes.data, bytes.len);
	else
		*(const uint8_t **)to = bytes.data;
	return 0;
}

static int store_list(struct reader *r, const struct key *key, char *to, size_t *count)
{
	size_t at = r->at, items;
	if (read_array(r, &items) < 0)
		return r->error;
	assert(key->keys->size > 0);
	if (items > key->size / key->keys->size) {
		char expected[100];
		return read_fail(r, at, "must be %s", key_expected(key, expected, sizeof expected));
	}
	for (size_t i = 0; i < items; i++) {
		void *element = to + i * key->keys->size;
		memset(element, 0, key->keys->size);
		int error = keys_read(r, key->keys, element, NULL);
		if (error < 0) {
			char index[24];
			int len = snprintf(index, sizeof index, "[%zu]", i);
			name_error(r, (struct assay_string){index, (size_t)len});
			return error;
		}
	}
	*count = items;
	return 0;
}

/* Returns 0, PASSED with the item read, or an error. */
static int store(struct reader *r, const struct key *key, char *into)
{
	void *to = into + key->at;
	enum read_type next = read_peek(r);
	/* Without a next item, reading reports why. */
	if (next != READ_ERROR && (types[key->type].items & BIT(next)) == 0) {
		int error = misfit(r, key, r->at);
		return error == PASSED && read_skip(r) < 0 ? r->error : error;
	}
	switch (key->type) {
	case KEY_UINT: return store_uint(r, key, to);
	case KEY_INT: return read_int(r, to);
	case KEY_NUMBER: return read_double(r, to);
	case KEY_BOOL: return read_bool(r, to);
	case KEY_TEXT:
	case KEY_CHARS:
	case KEY_WORD: return store_text(r, key, to);
	case KEY_BYTES:
	case KEY_FIXED:
	case KEY_COPY: return store_bytes(r, key, to);
	case KEY_RAW:
	case KEY_RAW_MAP:
	case KEY_RAW_LIST: return read_raw(r, to);
	case KEY_MAP: return keys_read(r, key->keys, to, NULL);
	case KEY_LIST: return store_list(r, key, to, (size_t *)(void *)(into + key->count_at));
	case KEY_OTHER: return key->read(r, key, to);
	}
	assert(!"a key without a type");
	return -EINVAL;
}

static int read_value(struct reader *r, const struct keys *keys, struct assay_string name,
	void *into, struct keys_found *found)
{
	size_t at = r->at, i = 0;
	while (keys->rows[i].name != NULL && !assay_string_is(name, keys->rows[i].name))
		i++;
	assert(i < KEYS_MAX);
	const struct key *key = &keys->rows[i];
	int error;
	if (key->name != NULL) {
		found->fault = KEYS_WRONG;
		found->key = key;
		error = store(r, key, into);
		found->seen |= (uint64_t)(error == 0) << i;
	} else if (keys->open || (keys->passed != NULL && assay_string_is(name, keys->passed))) {
		error = read_skip(r);
	} else {
		found->fault = KEYS_UNKNOWN;
		found->name = name;
		return read_fail(r, at, "unknown key \"%.*s\"", name.len < 40 ? (int)name.len : 40,
			name.data);
	}
	if (error < 0 && r->error != 0)
		name_error(r, name);
	return error < 0 ? error : 0;
}

int keys_read(struct reader *r, const struct keys *keys, void *into, struct keys_found *found)
{
	struct keys_found own;
	struct assay_string name;
	size_t at = r->at, pairs;
	found = found != NULL ? found : &own;
	*found = (struct keys_found){.fault = KEYS_MALFORMED};
	for (read_map(r, &pairs); pairs > 0 && read_key(r, &name) == 0; pairs--) {
		int error = read_value(r, keys, name, into, found);
		if (error < 0)
			return error;
		found->fault = KEYS_MALFORMED;
		found->key = NULL;
	}
	if (r->error != 0)
		return r->error;
	for (size_t i = 0; keys->rows[i].name != NULL; i++) {
		if (keys->rows[i].required && (found->seen >> i & 1) == 0) {
			found->fault = KEYS_MISSING;
			found->key = &keys->rows[i];
			return read_fail(r, at, "no key \"%s\"", found->key->name);
		}
	}
	found->fault = 0;
	return 0;
}

int keys_decode(const struct keys *keys, const void *data, size_t len, void *into)
{
	struct reader r;
	read_init(&r, data, len);
	int error = keys_read(&r, keys, into, NULL);
	return error < 0 ? error : read_finish(&r);
}

struct assay_span keys_value(struct assay_span map, struct assay_string name)
{
	struct reader r;
	struct assay_string key;
	struct assay_span value;
	size_t pairs = 0;
	read_init(&r, map.data, map.len);
	if (map.len > 0)
		read_map(&r, &pairs);
	for (; pairs > 0 && read_key(&r, &key) == 0 && read_raw(&r, &value) == 0; pairs--) {
		if (string_same(key, name))
			return value;
	}
	return (struct assay_span){0};
}
