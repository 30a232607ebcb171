/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "record/keys.h"
#include "record/removed.h"

void removed_write(struct buffer *to, const struct removed_record *removed)
{
	struct map map;
	map_open(&map, to);
	map_bytes(&map, "journal", removed->journal, ASSAY_UUID_SIZE);
	map_uint(&map, "first", removed->first);
	map_uint(&map, "last", removed->last);
	map_uint(&map, "bytes", removed->bytes);
	map_uint(&map, "from", removed->from);
	map_uint(&map, "to", removed->to);
	map_text(&map, "why", removed->why);
	map_close(&map);
}

static const struct keys removed_keys = {.open = true,
	.rows = (const struct key[]){
		{"journal", KEY_FIXED, KEY_AT(struct removed_record, journal),
			.limit = ASSAY_UUID_SIZE, .required = true},
		{"first", KEY_UINT, KEY_AT(struct removed_record, first), .required = true},
		{"last", KEY_UINT, KEY_AT(struct removed_record, last), .required = true},
		{0},
	}};

int removed_read(const uint8_t *bytes, size_t len, uint8_t journal[ASSAY_UUID_SIZE],
	uint64_t *first, uint64_t *last)
{
	struct assay_entry_view entry;
	struct assay_record_view record;
	struct removed_record removed = {0};
	if (assay_entry_read(bytes, len, &entry) < 0 ||
		assay_record_read(entry.body.data, entry.body.len, &record) < 0 ||
		record.type != ASSAY_RECORD_AUDIT ||
		!assay_string_is(record.event, "segment-removed"))
		return -EBADMSG;
	struct assay_span after = keys_value(entry.body, string_of("after"));
	if (keys_decode(&removed_keys, after.data, after.len, &removed) < 0)
		return -EBADMSG;
	memcpy(journal, removed.journal, ASSAY_UUID_SIZE);
	*first = removed.first;
	*last = removed.last;
	return 0;
}
