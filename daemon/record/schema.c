/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "record/schema.h"
#include "record/units.h"

#define TEXT_MAX 4096 /* bytes of a text that the schema names */

int schema_fail(struct schema_walk *walk, size_t at, const char *format, ...)
{
	if (walk->r->error != 0)
		return walk->r->error;
	char text[sizeof walk->r->text];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	return read_fail(walk->r, at, "%s", text);
}

/* A path that is too long loses its end, the inner keys. */
static int prepend(struct schema_walk *walk, const char *text, size_t len)
{
	struct schema_error *error = walk->error;
	if (error != NULL) {
		size_t size = sizeof error->path - 1, had = strlen(error->path);
		len = len < size ? len : size;
		size_t kept = had < size - len ? had : size - len;
		memmove(error->path + len, error->path, kept);
		memcpy(error->path, text, len);
		error->path[len + kept] = '\0';
	}
	return -EBADMSG;
}

int schema_fail_in(struct schema_walk *walk, struct assay_string key)
{
	if (walk->error != NULL && walk->error->path[0] != '\0' && walk->error->path[0] != '[')
		prepend(walk, ".", 1);
	return prepend(walk, key.data, key.len);
}

int schema_fail_at(struct schema_walk *walk, size_t index)
{
	char text[24];
	if (walk->error != NULL && walk->error->path[0] != '\0' && walk->error->path[0] != '[')
		prepend(walk, ".", 1);
	int len = snprintf(text, sizeof text, "[%zu]", index);
	return prepend(walk, text, (size_t)len);
}

int schema_finish(struct schema_walk *walk)
{
	struct schema_error *error = walk->error;
	if (walk->r->error != 0 && error != NULL) {
		snprintf(error->text, sizeof error->text, "%s", walk->r->text);
		text_make_printable(error->path);
		error->at = walk->r->error_at;
	}
	return walk->r->error;
}

/* Texts from outside, cut so that they fit an error text. */
#define SHOWN(text) (int)((text).len < 40 ? (text).len : 40), (text).data

static int read_string(struct schema_walk *walk, const struct schema_type *type, void *into)
{
	size_t at = walk->r->at;
	struct assay_string text;
	if (read_text(walk->r, &text) < 0)
		return walk->r->error;
	if (walk->strict && text.len > TEXT_MAX)
		return schema_fail(walk, at, "%zu bytes of text where at most %d were expected",
			text.len, TEXT_MAX);
	if (walk->strict && type->fits != NULL && !type->fits(text))
		return schema_fail(
			walk, at, "\"%.*s\" where %s was expected", SHOWN(text), type->expected);
	if (into != NULL)
		*(struct assay_string *)into = text;
	return 0;
}

static int read_unit(struct schema_walk *walk, const struct schema_type *type, void *into)
{
	size_t at = walk->r->at;
	struct assay_string code;
	unsigned techniques = type->of_any_technique ? 0 : walk->techniques;
	if (read_text(walk->r, &code) < 0)
		return walk->r->error;
	if (walk->strict && !unit_is_allowed(code, techniques)) {
		if (unit_is_allowed(code, 0))
			return schema_fail(walk, at,
				"\"%.*s\", a unit of the list that this technique does not have",
				SHOWN(code));
		const char *near = unit_suggest(code);
		return schema_fail(walk, at, "\"%.*s\" where a unit of the list was expected%s%s%s",
			SHOWN(code), near != NULL ? "; did you mean \"" : "",
			near != NULL ? near : "", near != NULL ? "\"?" : "");
	}
	if (into != NULL)
		*(struct assay_string *)into = code;
	return 0;
}

/* The lenient walk stores 0 for an unknown word. */
static int read_word(struct schema_walk *walk, const struct schema_type *type, void *into)
{
	size_t at = walk->r->at;
	struct assay_string text;
	if (read_text(walk->r, &text) < 0)
		return walk->r->error;
	int value = words_find(type->words, text);
	if (value < 0 && walk->strict) {
		char expected[100];
		return schema_fail(walk, at, "\"%.*s\" where %s was expected",
			text.len < 20 ? (int)text.len : 20, text.data,
			words_list(type->words, expected, sizeof expected));
	}
	if (into != NULL && type->keep_text)
		*(struct assay_string *)into = text;
	else if (into != NULL)
		*(int *)into = value > 0 ? value : 0;
	return 0;
}

static void keep_span(struct schema_walk *walk, size_t from, void *into)
{
	if (into != NULL)
		*(struct assay_span *)into = (struct assay_span){
			walk->r->data + from, walk->r->at - from};
}

static int read_span(struct schema_walk *walk, void *into)
{
	size_t at = walk->r->at;
	if (read_skip(walk->r) == 0)
		keep_span(walk, at, into);
	return walk->r->error;
}

static int read_list(struct schema_walk *walk, const struct schema_type *type, void *into)
{
	size_t at = walk->r->at, items;
	if (!walk->strict)
		return read_span(walk, into);
	if (read_array(walk->r, &items) < 0)
		return walk->r->error;
	if (items == 0)
		return schema_fail(walk, at, "an empty list where at least one item was expected");
	for (size_t i = 0; i < items; i++)
		if (schema_read(walk, type->item, NULL) < 0)
			return schema_fail_at(walk, i);
	keep_span(walk, at, into);
	return 0;
}

static int read_dict(struct schema_walk *walk, const struct schema_type *type, void *into)
{
	size_t at = walk->r->at, pairs;
	struct assay_string key;
	if (!walk->strict)
		return read_span(walk, into);
	if (read_map(walk->r, &pairs) < 0)
		return walk->r->error;
	if (pairs == 0)
		return schema_fail(walk, at, "an empty map where at least one key was expected");
	while (pairs-- > 0) {
		size_t key_at = walk->r->at;
		if (read_key(walk->r, &key) < 0)
			return walk->r->error;
		if (type->fits != NULL && !type->fits(key))
			return schema_fail(walk, key_at, "key \"%.*s\" where %s was expected",
				SHOWN(key), type->expected);
		if (schema_read(walk, type->item, NULL) < 0)
			return schema_fail_in(walk, key);
	}
	keep_span(walk, at, into);
	return 0;
}

static int read_bits(struct schema_walk *walk, void *into)
{
	size_t at = walk->r->at, pairs;
	struct assay_string text;
	uint64_t bit;
	if (read_map(walk->r, &pairs) < 0)
		return walk->r->error;
	if (walk->strict && pairs == 0)
		return schema_fail(walk, at, "an empty map where at least one bit was expected");
	while (pairs-- > 0)
		if (read_uint(walk->r, &bit) < 0 || read_text(walk->r, &text) < 0)
			return walk->r->error;
	keep_span(walk, at, into);
	return 0;
}

static int read_number(struct schema_walk *walk, const struct schema_type *type, void *into)
{
	uint64_t u;
	double f;
	bool b;
	const uint8_t *data;
	struct assay_span span;
	int error;
	switch (type->kind) {
	case SCHEMA_UINT: error = read_uint(walk->r, into != NULL ? into : &u); return error;
	case SCHEMA_FLOAT: return read_float(walk->r, into != NULL ? into : &f);
	case SCHEMA_NUMBER: return read_double(walk->r, into != NULL ? into : &f);
	case SCHEMA_BOOL: return read_bool(walk->r, into != NULL ? into : &b);
	case SCHEMA_FIXED:
		error = read_fixed(walk->r, type->size, &data);
		if (error == 0 && into != NULL)
			*(const uint8_t **)into = data;
		return error;
	default:
		assert(type->kind == SCHEMA_BYTES);
		return read_bytes(walk->r, into != NULL ? into : &span);
	}
}

int schema_read(struct schema_walk *walk, const struct schema_type *type, void *into)
{
	switch (type->kind) {
	case SCHEMA_TEXT: return read_string(walk, type, into);
	case SCHEMA_UNIT: return read_unit(walk, type, into);
	case SCHEMA_WORD: return read_word(walk, type, into);
	case SCHEMA_MAP: return schema_read_map(walk, type->map, into);
	case SCHEMA_LIST: return read_list(walk, type, into);
	case SCHEMA_DICT: return read_dict(walk, type, into);
	case SCHEMA_BITS: return read_bits(walk, into);
	case SCHEMA_ANY: return read_span(walk, into);
	case SCHEMA_CUSTOM: return type->read(walk, into);
	default: return read_number(walk, type, into);
	}
}

/* x-[a-z0-9-]+ */
static bool is_extension(struct assay_string key)
{
	for (size_t i = 2; i < key.len; i++) {
		char c = key.data[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return false;
	}
	return key.len > 2 && key.data[0] == 'x' && key.data[1] == '-';
}

static bool key_is(const struct schema_key *key, struct assay_string text)
{
	return key->len == text.len && memcmp(key->name, text.data, text.len) == 0;
}

static int fail_missing(struct schema_walk *walk, size_t at, const struct schema_key *key)
{
	return schema_fail(walk, at, "no key \"%s\", which is required here", key->name);
}

static int fail_unknown(
	struct schema_walk *walk, const struct schema_map *map, size_t at, struct assay_string text)
{
	for (size_t i = 0; i < map->count; i++)
		if (key_is(&map->keys[i], text))
			return schema_fail(walk, at, "key \"%s\" after a key that comes later",
				map->keys[i].name);
	return schema_fail(
		walk, at, "key \"%.*s\", which the format does not have here", SHOWN(text));
}

/*
 * Finds the key's number, or -1 for one to be passed over.  `next` is the first that may still
 * come; in a strict walk it moves on, and must not move past a required one.
 */
static int find_key(struct schema_walk *walk, const struct schema_map *map,
	struct assay_string text, size_t at, size_t *next, int *number)
{
	size_t i = *next;
	while (i < map->count && !key_is(&map->keys[i], text))
		i++;
	bool found = i < map->count;
	*number = found ? (int)i : -1;
	if (!walk->strict)
		return 0;
	if (!found && !(map->extensible && is_extension(text)))
		return fail_unknown(walk, map, at, text);
	for (size_t passed = *next; passed < i; passed++)
		if (!map->keys[passed].optional)
			return fail_missing(walk, at, &map->keys[passed]);
	*next = found ? i + 1 : map->count;
	return 0;
}

static int read_pair(
	struct schema_walk *walk, const struct schema_map *map, size_t *next, void *into)
{
	size_t at = walk->r->at;
	struct assay_string text;
	int number;
	if (read_key(walk->r, &text) < 0)
		return walk->r->error;
	if (find_key(walk, map, text, at, next, &number) < 0)
		return walk->r->error;
	if (number < 0)
		return read_skip(walk->r) < 0 ? schema_fail_in(walk, text) : 0;
	const struct schema_key *key = &map->keys[number];
	bool is_kept = into != NULL && key->keep != SCHEMA_KEEP_NONE;
	if (schema_read(walk, key->type, is_kept ? (char *)into + key->keep : NULL) < 0)
		return schema_fail_in(walk, text);
	return 0;
}

int schema_read_pairs(struct schema_walk *walk, const struct schema_map *map, size_t first,
	size_t pairs, void *into)
{
	_Alignas(max_align_t) char kept[SCHEMA_KEPT_MAX];
	size_t at = walk->r->at, next = first;
	if (into == NULL && walk->strict && map->rule != NULL) {
		assert(map->size <= sizeof kept);
		memset(kept, 0, map->size);
		into = kept;
	}
	while (pairs-- > 0)
		if (read_pair(walk, map, &next, into) < 0)
			return walk->r->error;
	if (!walk->strict)
		return 0;
	for (; next < map->count; next++)
		if (!map->keys[next].optional)
			return fail_missing(walk, at, &map->keys[next]);
	return map->rule != NULL ? map->rule(walk, into) : 0;
}

int schema_read_map(struct schema_walk *walk, const struct schema_map *map, void *into)
{
	size_t pairs;
	if (read_map(walk->r, &pairs) < 0)
		return walk->r->error;
	return schema_read_pairs(walk, map, 0, pairs, into);
}
