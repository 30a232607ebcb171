/* SPDX-License-Identifier: Apache-2.0 */
#include <endian.h>
#include <string.h>

#include <cbor/encoding.h>

#include "record/encode.h"
#include "record/element.h"

#if __BYTE_ORDER != __LITTLE_ENDIAN
#error "typed arrays are written as they lie in memory, which must be little-endian"
#endif

#define HEAD_MAX 9

/* Runs one of libcbor's encoders, which return the bytes written or 0 for no room. */
#define put(to, encoder, value)                                       \
	do {                                                          \
		uint8_t *at_ = buffer_reserve((to), HEAD_MAX);        \
		if (at_ != NULL)                                      \
			(to)->len += encoder((value), at_, HEAD_MAX); \
	} while (0)

void encode_map(struct buffer *to, size_t pairs)
{
	put(to, cbor_encode_map_start, pairs);
}

void encode_array(struct buffer *to, size_t items)
{
	put(to, cbor_encode_array_start, items);
}

void encode_tag(struct buffer *to, uint64_t tag)
{
	put(to, cbor_encode_tag, tag);
}

/* Head and content in one piece: of most records, most bytes are short texts. */
static void put_string(struct buffer *to, size_t (*start)(size_t, unsigned char *, size_t),
	const void *data, size_t len)
{
	uint8_t *at = buffer_reserve(to, len < SIZE_MAX / 2 ? HEAD_MAX + len : len);
	if (at == NULL)
		return;
	size_t head = start(len, at, HEAD_MAX);
	if (len > 0)
		memcpy(at + head, data, len);
	to->len += head + len;
}

void encode_text_n(struct buffer *to, const char *text, size_t len)
{
	put_string(to, cbor_encode_string_start, text, len);
}

void encode_text(struct buffer *to, const char *text)
{
	encode_text_n(to, text, strlen(text));
}

void encode_bytes(struct buffer *to, const void *data, size_t len)
{
	put_string(to, cbor_encode_bytestring_start, data, len);
}

void encode_bytes_head(struct buffer *to, size_t len)
{
	put(to, cbor_encode_bytestring_start, len);
}

void encode_uint(struct buffer *to, uint64_t value)
{
	put(to, cbor_encode_uint, value);
}

void encode_int(struct buffer *to, int64_t value)
{
	if (value >= 0)
		put(to, cbor_encode_uint, (uint64_t)value);
	else
		put(to, cbor_encode_negint, ~(uint64_t)value);
}

void encode_bool(struct buffer *to, bool value)
{
	put(to, cbor_encode_bool, value);
}

void encode_f32(struct buffer *to, float value)
{
	put(to, cbor_encode_single, value);
}

void encode_f64(struct buffer *to, double value)
{
	put(to, cbor_encode_double, value);
}

void encode_typed(struct buffer *to, enum assay_element element, const void *data, size_t count)
{
	size_t size = assay_element_size(element);
	if (count > SIZE_MAX / size) {
		to->failed = true;
		return;
	}
	encode_tag(to, element_tag(element));
	encode_bytes(to, data, count * size);
}

void encode_nd(struct buffer *to, const size_t *shape, size_t dims, enum assay_element element,
	const void *data, size_t count)
{
	encode_tag(to, TAG_ND);
	encode_array(to, 2);
	encode_array(to, dims);
	for (size_t i = 0; i < dims; i++)
		encode_uint(to, shape[i]);
	encode_typed(to, element, data, count);
}

void encode_linear(struct buffer *to, double start, double step, size_t n)
{
	encode_map(to, 3);
	encode_text(to, "start");
	encode_f64(to, start);
	encode_text(to, "step");
	encode_f64(to, step);
	encode_text(to, "n");
	encode_uint(to, n);
}

void encode_quantity(struct buffer *to, double value, const char *unit)
{
	struct map map;
	map_open(&map, to);
	map_f64(&map, "v", value);
	map_text(&map, "u", unit);
	map_close(&map);
}

void encode_raw(struct buffer *to, const void *data, size_t len)
{
	buffer_append(to, data, len);
}

void map_open(struct map *map, struct buffer *to)
{
	*map = (struct map){.to = to, .at = to->len};
	encode_map(to, 0);
}

/* The head was written as one byte; more than 23 pairs need a longer one. */
void map_close(struct map *map)
{
	struct buffer *to = map->to;
	uint8_t head[HEAD_MAX];
	size_t len = cbor_encode_map_start(map->pairs, head, sizeof head);
	if (to->failed || buffer_reserve(to, HEAD_MAX) == NULL)
		return;
	uint8_t *at = to->data + map->at;
	if (len > 1)
		memmove(at + len, at + 1, to->len - map->at - 1);
	memcpy(at, head, len);
	to->len += len - 1;
}

void map_key(struct map *map, const char *key)
{
	encode_text(map->to, key);
	map->pairs++;
}

void map_text(struct map *map, const char *key, const char *value)
{
	if (value != NULL)
		map_text_n(map, key, value, strlen(value));
}

void map_text_n(struct map *map, const char *key, const char *value, size_t len)
{
	map_key(map, key);
	encode_text_n(map->to, value, len);
}

void map_bytes(struct map *map, const char *key, const void *data, size_t len)
{
	if (data == NULL)
		return;
	map_key(map, key);
	encode_bytes(map->to, data, len);
}

void map_uint(struct map *map, const char *key, uint64_t value)
{
	map_key(map, key);
	encode_uint(map->to, value);
}

void map_bool(struct map *map, const char *key, bool value)
{
	map_key(map, key);
	encode_bool(map->to, value);
}

void map_f64(struct map *map, const char *key, double value)
{
	map_key(map, key);
	encode_f64(map->to, value);
}

void map_pairs(struct map *map, const void *data, size_t len, size_t pairs)
{
	encode_raw(map->to, data, len);
	map->pairs += pairs;
}
