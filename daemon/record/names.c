/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "record/names.h"
#include "record/techniques.h"

/* In strcmp() order; made by make-names.py. */
static const struct name names[] = {
#include "names.inc"
};

#define COUNT (sizeof names / sizeof names[0])

const struct name *name_at(size_t i)
{
	return i < COUNT ? &names[i] : NULL;
}

static int compare(struct assay_string name, const char *other)
{
	size_t len = strlen(other), shorter = name.len < len ? name.len : len;
	int order = shorter > 0 ? memcmp(name.data, other, shorter) : 0;
	return order != 0 ? order : (name.len > len) - (name.len < len);
}

const struct name *name_find(struct assay_string name)
{
	size_t low = 0, high = COUNT;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = compare(name, names[middle].name);
		if (order == 0)
			return &names[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}
