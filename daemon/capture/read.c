/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "capture/read.h"
#include "record/read.h"

static bool is_sound(const uint8_t *data, size_t len)
{
	return get_le32(data + len) == crc32c(0, data, len);
}

/* --- the head --------------------------------------------------------------------------------- */

struct place {
	const char *name;
	char *text; /* or */
	uint64_t *number;
	bool *flag;
	size_t size; /* of text */
};

static int read_into(struct reader *r, const struct place *place)
{
	struct assay_string text;
	if (place->number != NULL)
		return read_uint(r, place->number);
	if (place->flag != NULL)
		return read_bool(r, place->flag);
	size_t at = r->at;
	if (read_text(r, &text) < 0)
		return -EBADMSG;
	if (text.len >= place->size || memchr(text.data, 0, text.len) != NULL)
		return read_fail(r, at, "too long a text");
	memcpy(place->text, text.data, text.len);
	place->text[text.len] = '\0';
	return 0;
}

/* Keys that are not known are skipped: a later version may say more. */
static int read_places(struct reader *r, const struct place *places, size_t count,
	int (*other)(struct reader *, struct assay_string, void *), void *arg)
{
	size_t pairs;
	struct assay_string key;
	if (read_map(r, &pairs) < 0)
		return -EBADMSG;
	for (; pairs > 0; pairs--) {
		size_t i = 0;
		if (read_key(r, &key) < 0)
			return -EBADMSG;
		while (i < count && !assay_string_is(key, places[i].name))
			i++;
		int e = i < count       ? read_into(r, &places[i])
			: other != NULL ? other(r, key, arg)
					: read_skip(r);
		if (e < 0)
			return -EBADMSG;
	}
	return 0;
}

#define TEXT(key, to)                             \
	{                                         \
		key, (to), NULL, NULL, sizeof(to) \
	}

static int read_unit(struct reader *r, struct capture_unit *unit)
{
	uint64_t unit_id = 0;
	const struct place places[] = {
		TEXT("instrument", unit->key),
		TEXT("driver", unit->driver),
		TEXT("make", unit->make),
		TEXT("model", unit->model),
		TEXT("serial", unit->serial),
		TEXT("fw", unit->fw),
		{"unit_id", NULL, &unit_id, NULL, 0},
		{"simulated", NULL, NULL, &unit->simulated, 0},
	};
	if (read_places(r, places, sizeof places / sizeof places[0], NULL, NULL) < 0 ||
		unit_id > 255)
		return -EBADMSG;
	unit->unit_id = (unsigned)unit_id;
	return 0;
}

static int read_units(struct reader *r, struct assay_string key, void *arg)
{
	struct capture_head *head = arg;
	if (!assay_string_is(key, "units"))
		return read_skip(r);
	if (read_array(r, &head->unit_count) < 0 || head->unit_count > CAPTURE_UNITS_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < head->unit_count; i++) {
		if (read_unit(r, &head->units[i]) < 0)
			return -EBADMSG;
	}
	return 0;
}

static int read_map_of(const uint8_t *data, size_t len, struct capture_head *head)
{
	struct reader r;
	uint64_t unit = 0;
	const struct place places[] = {
		TEXT("link", head->link),
		TEXT("site", head->site),
		TEXT("node", head->node),
		TEXT("version", head->version),
		{"utc", NULL, &head->utc, NULL, 0},
		{"mono", NULL, &head->mono, NULL, 0},
		{"unit", NULL, &unit, NULL, 0},
	};
	*head = (struct capture_head){0};
	read_init(&r, data, len);
	int e = read_places(&r, places, sizeof places / sizeof places[0], read_units, head);
	if (e < 0 || read_finish(&r) < 0 || unit >= head->unit_count || head->link[0] == '\0')
		return -EBADMSG;
	head->unit = (size_t)unit;
	return 0;
}

long capture_read_head(const uint8_t *data, size_t len, struct capture_head *head)
{
	size_t begin = len < 8 ? len : 8;
	if (memcmp(data, CAPTURE_MAGIC, begin) != 0)
		return -EBADMSG;
	if (len < CAPTURE_HEAD_BYTES)
		return 0;
	size_t size = get_le32(data + 12);
	if (get_le16(data + 8) != CAPTURE_VERSION || get_le16(data + 10) != 0 ||
		size > CAPTURE_MAP_MAX)
		return -EBADMSG;
	if (len < CAPTURE_HEAD_BYTES + size + CAPTURE_SUM_BYTES)
		return 0;
	if (!is_sound(data, CAPTURE_HEAD_BYTES + size) ||
		read_map_of(data + CAPTURE_HEAD_BYTES, size, head) < 0)
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
