/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/crc32c.h"
#include "record/cursor.h"
#include "record/encode.h"
#include "record/keys.h"

#define FILE_VERSION 1
#define CRC_BYTES    4

struct content {
	uint64_t version;
	struct assay_string name;
	struct assay_span marks;
};

static const struct keys content_keys = {
	.rows = (const struct key[]){
		{"v", KEY_UINT, KEY_AT(struct content, version), .required = true},
		{"name", KEY_TEXT, KEY_AT(struct content, name), .required = true},
		{"at", KEY_RAW_LIST, KEY_AT(struct content, marks), .required = true}, {0}}};

static const struct keys mark_keys = {
	.rows = (const struct key[]){
		{"journal", KEY_COPY, KEY_AT(struct cursor_mark, journal), .required = true},
		{"topic", KEY_CHARS, KEY_AT(struct cursor_mark, topic), .required = true},
		{"seq", KEY_UINT, KEY_AT(struct cursor_mark, seq), .required = true}, {0}}};

bool cursor_topic_is_valid(struct assay_string topic)
{
	if (topic.len == 0 || topic.len > ASSAY_TOPIC_MAX || topic.data[topic.len - 1] != '/')
		return false;
	for (size_t i = 0; i < topic.len; i++) {
		char c = topic.data[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '/')
			return false;
	}
	return true;
}

static int decode(const uint8_t *data, size_t len, const char *name, struct cursor_mark **marks,
	size_t *count)
{
	struct content content = {0};
	struct reader r;
	size_t items;
	if (len < CRC_BYTES ||
		get_le32(data + len - CRC_BYTES) != crc32c(0, data, len - CRC_BYTES) ||
		keys_decode(&content_keys, data, len - CRC_BYTES, &content) < 0 ||
		content.version != FILE_VERSION || !assay_string_is(content.name, name))
		return -EBADMSG;
	read_init(&r, content.marks.data, content.marks.len);
	if (read_array(&r, &items) < 0 || items > CURSOR_MARKS_MAX)
		return -EBADMSG;
	*marks = calloc(items > 0 ? items : 1, sizeof **marks);
	if (*marks == NULL)
		return -ENOMEM;
	for (*count = 0; *count < items; ++*count) {
		struct cursor_mark *mark = &(*marks)[*count];
		if (keys_read(&r, &mark_keys, mark, NULL) < 0 ||
			!cursor_topic_is_valid(string_of(mark->topic)))
			return -EBADMSG;
	}
	return 0;
}

int cursor_decode(const uint8_t *data, size_t len, const char *name, struct cursor_mark **marks,
	size_t *count)
{
	*marks = NULL;
	*count = 0;
	int r = decode(data, len, name, marks, count);
	if (r < 0) {
		free(*marks);
		*marks = NULL;
		*count = 0;
	}
	return r;
}

void cursor_put_marks(struct buffer *to, const struct cursor_mark *marks, size_t count)
{
	struct map mark;
	encode_array(to, count);
	for (size_t i = 0; i < count; i++) {
		map_open(&mark, to);
		map_bytes(&mark, "journal", marks[i].journal, ASSAY_UUID_SIZE);
		map_text(&mark, "topic", marks[i].topic);
		map_uint(&mark, "seq", marks[i].seq);
		map_close(&mark);
	}
}

int cursor_encode(
	struct buffer *to, const char *name, const struct cursor_mark *marks, size_t count)
{
	struct map map;
	uint8_t crc[CRC_BYTES];
	map_open(&map, to);
	map_uint(&map, "v", FILE_VERSION);
	map_text(&map, "name", name);
	map_key(&map, "at");
	cursor_put_marks(to, marks, count);
	map_close(&map);
	put_le32(crc, crc32c(0, to->data, to->len));
	buffer_append(to, crc, sizeof crc);
	return to->failed ? -ENOMEM : 0;
}
