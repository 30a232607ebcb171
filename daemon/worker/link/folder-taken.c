/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "record/text.h"
#include "worker/link/folder-taken.h"

void folder_name_set(struct folder_name *name, const char *path, const uint8_t digest[SHA256_BYTES])
{
	text_escape(name->file, sizeof name->file, string_of(path));
	for (size_t i = 0; i < SHA256_BYTES; i++)
		snprintf(name->sha256 + 2 * i, 3, "%02x", digest[i]);
}

int folder_name_key(const struct folder_name *name, uint8_t key[WIRE_TAKEN_BYTES])
{
	char both[sizeof name->file + sizeof name->sha256];
	uint8_t digest[SHA256_BYTES];
	size_t len = strlen(name->file) + 1;
	memcpy(both, name->file, len);
	memcpy(both + len, name->sha256, sizeof name->sha256 - 1);
	int r = sha256(both, len + sizeof name->sha256 - 1, digest);
	if (r == 0)
		memcpy(key, digest, WIRE_TAKEN_BYTES);
	return r;
}

static bool is_free(const uint8_t key[WIRE_TAKEN_BYTES])
{
	static const uint8_t none[WIRE_TAKEN_BYTES];
	return memcmp(key, none, sizeof none) == 0;
}

/* The place of this key, or the free one for it.  Any part of a key is a hash. */
static uint8_t *find(const struct folder_taken *taken, const uint8_t key[WIRE_TAKEN_BYTES])
{
	for (uint64_t at = get_le64(key);; at++) {
		uint8_t *place = taken->keys[at & (taken->size - 1)];
		if (is_free(place) || memcmp(place, key, WIRE_TAKEN_BYTES) == 0)
			return place;
	}
}

/* Room for `count` keys, at most half full. */
static int grow(struct folder_taken *taken, size_t count)
{
	struct folder_taken more = {.count = taken->count, .size = 64};
	if (2 * count <= taken->size)
		return 0;
	while (more.size < 2 * count)
		more.size *= 2;
	more.keys = calloc(more.size, sizeof *more.keys);
	if (more.keys == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < taken->size; i++)
		if (!is_free(taken->keys[i]))
			memcpy(find(&more, taken->keys[i]), taken->keys[i], WIRE_TAKEN_BYTES);
	free(taken->keys);
	*taken = more;
	return 0;
}

int folder_taken_add(struct folder_taken *taken, const uint8_t key[WIRE_TAKEN_BYTES])
{
	int r = grow(taken, taken->count + 1);
	uint8_t *place = r == 0 ? find(taken, key) : NULL;
	if (place == NULL || !is_free(place))
		return r;
	memcpy(place, key, WIRE_TAKEN_BYTES);
	taken->count++;
	return 0;
}

int folder_taken_add_all(struct folder_taken *taken, struct assay_span keys)
{
	int r = grow(taken, taken->count + keys.len / WIRE_TAKEN_BYTES);
	for (size_t at = 0; r == 0 && at + WIRE_TAKEN_BYTES <= keys.len; at += WIRE_TAKEN_BYTES)
		r = folder_taken_add(taken, keys.data + at);
	return r;
}

bool folder_taken_has(const struct folder_taken *taken, const uint8_t key[WIRE_TAKEN_BYTES])
{
	return taken->size > 0 && !is_free(find(taken, key));
}

void folder_taken_finish(struct folder_taken *taken)
{
	free(taken->keys);
	*taken = (struct folder_taken){0};
}
