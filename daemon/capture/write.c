/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "capture/write.h"
#include "record/encode.h"

const char *capture_kind_name(unsigned kind)
{
	static const char *const names[] = {[CAPTURE_OUT] = "out",
		[CAPTURE_IN] = "in",
		[CAPTURE_OPENED] = "opened",
		[CAPTURE_LOST] = "lost",
		[CAPTURE_MISSING] = "missing",
		[CAPTURE_END] = "end"};
	return kind < sizeof names / sizeof names[0] ? names[kind] : NULL;
}

/* The checksum of everything from `at`. */
static void put_sum(struct buffer *out, size_t at)
{
	uint8_t sum[CAPTURE_SUM_BYTES];
	if (out->failed)
		return;
	put_le32(sum, crc32c(0, out->data + at, out->len - at));
	buffer_append(out, sum, sizeof sum);
}

static void put_text(struct map *map, const char *key, const char *text)
{
	if (text[0] != '\0')
		map_text(map, key, text);
}

static void put_unit(struct buffer *out, const struct capture_unit *unit)
{
	struct map map;
	map_open(&map, out);
	map_text(&map, "instrument", unit->key);
	map_text(&map, "driver", unit->driver);
	put_text(&map, "make", unit->make);
	put_text(&map, "model", unit->model);
	put_text(&map, "serial", unit->serial);
	put_text(&map, "fw", unit->fw);
	if (unit->unit_id != 0)
		map_uint(&map, "unit_id", unit->unit_id);
	map_bool(&map, "simulated", unit->simulated);
	map_close(&map);
}

static void put_map(struct buffer *out, const struct capture_head *head)
{
	struct map map;
	map_open(&map, out);
	map_text(&map, "link", head->link);
	map_uint(&map, "utc", head->utc);
	map_uint(&map, "mono", head->mono);
	put_text(&map, "site", head->site);
	put_text(&map, "node", head->node);
	put_text(&map, "version", head->version);
	map_uint(&map, "unit", head->unit);
	map_key(&map, "units");
	encode_array(out, head->unit_count);
	for (size_t i = 0; i < head->unit_count; i++)
		put_unit(out, &head->units[i]);
	map_close(&map);
}

void capture_write_head(struct buffer *out, const struct capture_head *head)
{
	struct buffer map = {0};
	size_t at = out->len;
	put_map(&map, head);
	out->failed = out->failed || map.failed;
	uint8_t head_bytes[CAPTURE_HEAD_BYTES] = CAPTURE_MAGIC;
	put_le16(head_bytes + 8, CAPTURE_VERSION);
	put_le32(head_bytes + 12, (uint32_t)map.len);
	buffer_append(out, head_bytes, sizeof head_bytes);
	buffer_append(out, map.data, map.len);
	put_sum(out, at);
	buffer_finish(&map);
}

static void put_record(struct buffer *out, const struct capture_record *record, size_t from)
{
	size_t at = out->len, left = record->len - from;
	size_t len = left < CAPTURE_DATA_MAX ? left : CAPTURE_DATA_MAX;
	uint8_t row[CAPTURE_ROW_BYTES] = {0};
	put_le32(row, (uint32_t)len);
	row[4] = (uint8_t)record->kind;
	row[5] = record->channel;
	put_le64(row + 8, record->mono);
	buffer_append(out, row, sizeof row);
	if (len > 0)
		buffer_append(out, record->data + from, len);
	put_sum(out, at);
}

void capture_write(struct buffer *out, const struct capture_record *record)
{
	size_t from = 0;
	do {
		put_record(out, record, from);
		from += CAPTURE_DATA_MAX;
	} while (from < record->len);
}

void capture_write_text(struct buffer *out, enum capture_kind kind, uint64_t mono, const char *text)
{
	struct capture_record record = {.kind = kind,
		.mono = mono,
		.data = (const uint8_t *)text,
		.len = strnlen(text, CAPTURE_TEXT_MAX)};
	capture_write(out, &record);
}

void capture_write_missing(struct buffer *out, uint64_t mono, uint64_t records, uint64_t bytes)
{
	uint8_t counts[CAPTURE_COUNT_BYTES];
	put_le64(counts, records);
	put_le64(counts + 8, bytes);
	struct capture_record record = {
		.kind = CAPTURE_MISSING, .mono = mono, .data = counts, .len = sizeof counts};
	capture_write(out, &record);
}
