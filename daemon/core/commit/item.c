/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "core/commit/item.h"

struct commit_item *commit_item_create(size_t size)
{
	struct commit_item *item = malloc(sizeof *item + size);
	if (item == NULL)
		return NULL;
	memset(item, 0, sizeof *item);
	atomic_init(&item->refs, 1);
	return item;
}

void commit_item_unref(struct commit_item *item)
{
	if (atomic_fetch_sub(&item->refs, 1) == 1)
		free(item);
}
