/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "record/encode.h"
#include "record/keys.h"
#include "record/read.h"
#include "record/references.h"

bool references_has(enum ref_kind rel)
{
	return rel == REF_BACKGROUND || rel == REF_DARK;
}

int references_add(struct buffer *blocks, size_t *count, struct assay_span raw)
{
	struct reader r;
	struct assay_span block;
	size_t items = 0;
	read_init(&r, raw.data, raw.len);
	if (raw.len == 0 || read_array(&r, &items) < 0 || items == 0)
		return -ENODATA;
	for (size_t i = 0; i < items; i++) {
		if (read_raw(&r, &block) < 0 || keys_value(block, string_of("data")).data == NULL)
			return -ENODATA;
		if (blocks->len + block.len > REFERENCES_BYTES_MAX)
			return -EMSGSIZE;
		encode_raw(blocks, block.data, block.len);
	}
	*count += items;
	return blocks->failed ? -ENOMEM : 0;
}
