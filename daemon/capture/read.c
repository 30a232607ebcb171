/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "capture/read.h"
#include "record/keys.h"

static bool is_sound(const uint8_t *data, size_t len)
{
	return get_le32(data + len) == crc32c(0, data, len);
}

/* --- the head --------------------------------------------------------------------------------- */

/* Other keys are skipped: a later version may have more. */
static const struct keys unit_keys = {.open = true,
	.size = sizeof(struct capture_unit),
	.rows = (const struct key[]){
		{"instrument", KEY_CHARS, KEY_AT(struct capture_unit, key)},
		{"driver", KEY_CHARS, KEY_AT(struct capture_unit, driver)},
		{"make", KEY_CHARS, KEY_AT(struct capture_unit, make)},
		{"model", KEY_CHARS, KEY_AT(struct capture_unit, model)},
		{"serial", KEY_CHARS, KEY_AT(struct capture_unit, serial)},
		{"fw", KEY_CHARS, KEY_AT(struct capture_unit, fw)},
		{"unit_id", KEY_UINT, KEY_AT(struct capture_unit, unit_id), .limit = 255},
		{"simulated", KEY_BOOL, KEY_AT(struct capture_unit, simulated)},
		{0},
	}};

static const struct keys head_keys = {.open = true,
	.rows = (const struct key[]){
		{"link", KEY_CHARS, KEY_AT(struct capture_head, link), .required = true},
		{"site", KEY_CHARS, KEY_AT(struct capture_head, site)},
		{"node", KEY_CHARS, KEY_AT(struct capture_head, node)},
		{"version", KEY_CHARS, KEY_AT(struct capture_head, version)},
		{"utc", KEY_UINT, KEY_AT(struct capture_head, utc)},
		{"mono", KEY_UINT, KEY_AT(struct capture_head, mono)},
		{"unit", KEY_UINT, KEY_AT(struct capture_head, unit)},
		{"units", KEY_LIST, KEY_AT(struct capture_head, units), .keys = &unit_keys,
			.count_at = offsetof(struct capture_head, unit_count)},
		{0},
	}};

long capture_read_head(const uint8_t *data, size_t len, struct capture_head *head)
{
	size_t begin = len < 8 ? len : 8;
	if (begin > 0 && memcmp(data, CAPTURE_MAGIC, begin) != 0)
		return -EBADMSG;
	if (len < CAPTURE_HEAD_BYTES)
		return 0;
	size_t size = get_le32(data + 12);
	if (get_le16(data + 8) != CAPTURE_VERSION || get_le16(data + 10) != 0 ||
		size > CAPTURE_MAP_MAX)
		return -EBADMSG;
	if (len < CAPTURE_HEAD_BYTES + size + CAPTURE_SUM_BYTES)
		return 0;
	*head = (struct capture_head){0};
	if (!is_sound(data, CAPTURE_HEAD_BYTES + size) ||
		keys_decode(&head_keys, data + CAPTURE_HEAD_BYTES, size, head) < 0 ||
		head->unit >= head->unit_count || head->link[0] == '\0')
		return -EBADMSG;
	return (long)(CAPTURE_HEAD_BYTES + size + CAPTURE_SUM_BYTES);
}

/* --- records ---------------------------------------------------------------------------------- */

static bool is_record(const struct capture_record *record)
{
	switch (record->kind) {
	case CAPTURE_OUT:
	case CAPTURE_IN: return true;
	case CAPTURE_OPENED: return record->len == 0;
	case CAPTURE_MISSING: return record->len == CAPTURE_COUNT_BYTES;
	case CAPTURE_LOST:
	case CAPTURE_END: return record->len <= CAPTURE_TEXT_MAX;
	}
	return false;
}

long capture_read(const uint8_t *data, size_t len, struct capture_record *record)
{
	if (len < CAPTURE_ROW_BYTES)
		return 0;
	size_t size = get_le32(data);
	if (size > CAPTURE_DATA_MAX)
		return -EBADMSG;
	if (len < CAPTURE_ROW_BYTES + size + CAPTURE_SUM_BYTES)
		return 0;
	*record = (struct capture_record){
		.kind = (enum capture_kind)data[4],
		.channel = data[5],
		.mono = get_le64(data + 8),
		.data = data + CAPTURE_ROW_BYTES,
		.len = size,
	};
	if (!is_sound(data, CAPTURE_ROW_BYTES + size) || get_le16(data + 6) != 0 ||
		!is_record(record))
		return -EBADMSG;
	return (long)(CAPTURE_ROW_BYTES + size + CAPTURE_SUM_BYTES);
}

void capture_read_missing(const struct capture_record *record, uint64_t *records, uint64_t *bytes)
{
	*records = get_le64(record->data);
	*bytes = get_le64(record->data + 8);
}

bool capture_are_records(const uint8_t *data, size_t len)
{
	while (len > 0) {
		struct capture_record record;
		long n = capture_read(data, len, &record);
		if (n <= 0 || record.kind == CAPTURE_END)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}
