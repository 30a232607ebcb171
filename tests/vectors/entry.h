/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ASSAY_TESTS_VECTORS_ENTRY_H
#define ASSAY_TESTS_VECTORS_ENTRY_H

#include "base/buffer.h"
#include "record/entry.h"

static inline void entry_encode(struct buffer *to, const struct assay_entry_view *entry)
{
	uint8_t head[ENTRY_HEAD_MAX];
	buffer_append(to, head, entry_encode_head(head, entry));
	buffer_append(to, entry->body.data, entry->body.len);
}

#endif
