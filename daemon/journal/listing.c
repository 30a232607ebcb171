/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "journal/listing.h"

void listing_finish(struct listing *listing)
{
	free(listing->list);
	*listing = (struct listing){0};
}

static int add(struct listing *listing, struct listing_item item)
{
	if (listing->count == listing->size) {
		size_t size = listing->size == 0 ? 64 : 2 * listing->size;
		struct listing_item *list = realloc(listing->list, size * sizeof *list);
		if (list == NULL)
			return -ENOMEM;
		listing->list = list;
		listing->size = size;
	}
	listing->list[listing->count++] = item;
	return 0;
}

static int add_name(void *arg, const char *name)
{
	struct listing *listing = arg;
	uint64_t seq = segment_name_parse(name, SEGMENT_FILE);
	if (seq != 0)
		return add(listing, (struct listing_item){.first_seq = seq, .has_segment = true});
	seq = segment_name_parse(name, SEGMENT_INDEX);
	if (seq != 0)
		return add(listing, (struct listing_item){.first_seq = seq, .has_index = true});
	seq = segment_name_parse(name, SEGMENT_REMOVED);
	if (seq != 0)
		return add(listing, (struct listing_item){.first_seq = seq, .has_note = true});
	if (segment_name_parse(name, SEGMENT_UNFINISHED) != 0)
		listing->has_unfinished = true;
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct listing_item *left = a, *right = b;
	return (left->first_seq > right->first_seq) - (left->first_seq < right->first_seq);
}

static void merge(struct listing *listing)
{
	size_t kept = 0;
	for (size_t i = 0; i < listing->count; i++) {
		const struct listing_item *item = &listing->list[i];
		if (kept > 0 && listing->list[kept - 1].first_seq == item->first_seq) {
			listing->list[kept - 1].has_segment |= item->has_segment;
			listing->list[kept - 1].has_index |= item->has_index;
			listing->list[kept - 1].has_note |= item->has_note;
		} else {
			listing->list[kept++] = *item;
		}
	}
	listing->count = kept;
}

int listing_load(struct listing *listing, const struct io *io, int dir)
{
	listing->count = 0;
	listing->has_unfinished = false;
	int r = io->list(io->ctx, dir, add_name, listing);
	if (r < 0)
		return r;
	if (listing->count > 0)
		qsort(listing->list, listing->count, sizeof *listing->list, compare);
	merge(listing);
	return 0;
}

ssize_t listing_find(const struct listing *listing, uint64_t seq)
{
	size_t low = 0, high = listing->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (listing->list[middle].first_seq <= seq)
			low = middle + 1;
		else
			high = middle;
	}
	return (ssize_t)low - 1;
}

uint64_t listing_limit(const struct listing *listing, size_t at)
{
	return at + 1 < listing->count ? listing->list[at + 1].first_seq - 1 : UINT64_MAX;
}
