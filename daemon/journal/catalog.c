/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "journal/catalog.h"

void catalog_finish(struct catalog *catalog)
{
	free(catalog->list);
	*catalog = (struct catalog){0};
}

static int add(struct catalog *catalog, struct catalog_item item)
{
	if (catalog->count == catalog->size) {
		size_t size = catalog->size == 0 ? 64 : 2 * catalog->size;
		struct catalog_item *list = realloc(catalog->list, size * sizeof *list);
		if (list == NULL)
			return -ENOMEM;
		catalog->list = list;
		catalog->size = size;
	}
	catalog->list[catalog->count++] = item;
	return 0;
}

static int add_name(void *arg, const char *name)
{
	struct catalog *catalog = arg;
	uint64_t seq = segment_name_parse(name, SEGMENT_FILE);
	if (seq != 0)
		return add(catalog, (struct catalog_item){seq, true, false});
	seq = segment_name_parse(name, SEGMENT_INDEX);
	if (seq != 0)
		return add(catalog, (struct catalog_item){seq, false, true});
	if (segment_name_parse(name, SEGMENT_UNFINISHED) != 0)
		catalog->has_unfinished = true;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct catalog_item *left = a, *right = b;
	return (left->first_seq > right->first_seq) - (left->first_seq < right->first_seq);
}

static void merge(struct catalog *catalog)
{
	size_t kept = 0;
	for (size_t i = 0; i < catalog->count; i++) {
		const struct catalog_item *item = &catalog->list[i];
		if (kept > 0 && catalog->list[kept - 1].first_seq == item->first_seq) {
			catalog->list[kept - 1].has_segment |= item->has_segment;
			catalog->list[kept - 1].has_index |= item->has_index;
		} else {
			catalog->list[kept++] = *item;
		}
	}
	catalog->count = kept;
}

int catalog_load(struct catalog *catalog, const struct io *io, int dir)
{
	catalog->count = 0;
	catalog->has_unfinished = false;
	int r = io->list(io->ctx, dir, add_name, catalog);
	if (r < 0)
		return r;
	if (catalog->count > 0)
		qsort(catalog->list, catalog->count, sizeof *catalog->list, compare);
	merge(catalog);
	return 0;
}

ssize_t catalog_find(const struct catalog *catalog, uint64_t seq)
{
	size_t low = 0, high = catalog->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (catalog->list[middle].first_seq <= seq)
			low = middle + 1;
		else
			high = middle;
	}
	return (ssize_t)low - 1;
}

uint64_t catalog_limit(const struct catalog *catalog, size_t at)
{
	return at + 1 < catalog->count ? catalog->list[at + 1].first_seq - 1 : UINT64_MAX;
}
