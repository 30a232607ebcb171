/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "core/runs/taken.h"
#include "record/digest.h"
#include "record/keys.h"

#define HEX_BYTES 64

struct file_names {
	struct assay_string file, sha256;
};

static const struct keys name_keys = {.open = true,
	.rows = (const struct key[]){
		{"file", KEY_TEXT, KEY_AT(struct file_names, file), .required = true},
		{"file_sha256", KEY_TEXT, KEY_AT(struct file_names, sha256), .required = true},
		{0},
	}};

/* The first bytes of the SHA-256 of two texts and what is between them. */
static bool hash(uint8_t to[16], struct assay_string a, uint8_t between, struct assay_string b)
{
	struct digest digest;
	uint8_t whole[ASSAY_SHA256_SIZE];
	if (digest_init(&digest) < 0)
		return false;
	digest_update(&digest, a.data, a.len);
	digest_update(&digest, &between, 1);
	digest_update(&digest, b.data, b.len);
	digest_final(&digest, whole);
	digest_finish(&digest);
	memcpy(to, whole, 16);
	return true;
}

bool taken_is_file(const struct taken_file *file)
{
	static const struct taken_file none;
	return memcmp(file, &none, sizeof none) != 0;
}

void taken_read(
	struct taken_file *file, const char *instrument, bool sim, struct assay_span settings)
{
	struct file_names names;
	struct taken_file found;
	const struct assay_string key = {instrument, strlen(instrument)};
	*file = (struct taken_file){{0}, {0}};
	if (settings.len > 0 && keys_decode(&name_keys, settings.data, settings.len, &names) == 0 &&
		names.file.len > 0 && names.sha256.len == HEX_BYTES &&
		hash(found.path, key, sim, names.file) &&
		hash(found.key, names.file, 0, names.sha256))
		*file = found;
}

/* --- the table -------------------------------------------------------------------------------- */

struct taken_place {
	uint8_t path[TAKEN_PATH_BYTES];
	size_t run; /* + 1; 0: free */
};

/* The slot of this path, or the free one for it.  Any part of a path is a hash. */
static struct taken_place *find(const struct taken_table *table, const uint8_t *path)
{
	for (uint64_t at = get_le64(path);; at++) {
		struct taken_place *place = &table->slots[at & (table->size - 1)];
		if (place->run == 0 || memcmp(place->path, path, TAKEN_PATH_BYTES) == 0)
			return place;
	}
}

/* Room for one more, at most half full. */
static int grow(struct taken_table *table)
{
	if (2 * (table->count + 1) <= table->size)
		return 0;
	struct taken_table more = {
		.count = table->count, .size = table->size > 0 ? 2 * table->size : 64};
	more.slots = calloc(more.size, sizeof *more.slots);
	if (more.slots == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < table->size; i++)
		if (table->slots[i].run != 0)
			*find(&more, table->slots[i].path) = table->slots[i];
	free(table->slots);
	*table = more;
	return 0;
}

int taken_put(struct taken_table *table, const uint8_t path[TAKEN_PATH_BYTES], size_t run)
{
	int r = grow(table);
	if (r < 0)
		return r;
	struct taken_place *place = find(table, path);
	table->count += place->run == 0;
	memcpy(place->path, path, TAKEN_PATH_BYTES);
	place->run = run + 1;
	return 0;
}

bool taken_find(const struct taken_table *table, const uint8_t path[TAKEN_PATH_BYTES], size_t *run)
{
	const struct taken_place *place = table->size > 0 ? find(table, path) : NULL;
	if (place == NULL || place->run == 0)
		return false;
	*run = place->run - 1;
	return true;
}

void taken_finish(struct taken_table *table)
{
	free(table->slots);
	*table = (struct taken_table){0};
}
