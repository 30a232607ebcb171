/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cbor/streaming.h>

#include "record/element.h"
#include "record/read.h"

/* The result of libcbor's callbacks. */
struct found {
	struct read_item *item;
	const char *rejected;
};

static void found_value(void *context, enum read_type type, uint64_t value)
{
	struct found *found = context;
	found->item->type = type;
	found->item->value = value;
}

#define INTEGER_CALLBACK(name, ctype, type)          \
	static void name(void *context, ctype value) \
	{                                            \
		found_value(context, type, value);   \
	}
INTEGER_CALLBACK(found_uint8, uint8_t, READ_UINT)
INTEGER_CALLBACK(found_uint16, uint16_t, READ_UINT)
INTEGER_CALLBACK(found_uint32, uint32_t, READ_UINT)
INTEGER_CALLBACK(found_uint64, uint64_t, READ_UINT)
INTEGER_CALLBACK(found_negint8, uint8_t, READ_NEGINT)
INTEGER_CALLBACK(found_negint16, uint16_t, READ_NEGINT)
INTEGER_CALLBACK(found_negint32, uint32_t, READ_NEGINT)
INTEGER_CALLBACK(found_negint64, uint64_t, READ_NEGINT)
INTEGER_CALLBACK(found_array, size_t, READ_ARRAY)
INTEGER_CALLBACK(found_map, size_t, READ_MAP)
INTEGER_CALLBACK(found_tag, uint64_t, READ_TAG)
INTEGER_CALLBACK(found_bool, bool, READ_BOOL)

static void found_null(void *context)
{
	found_value(context, READ_NULL, 0);
}

static void found_bytes(void *context, cbor_data data, size_t len)
{
	struct found *found = context;
	found->item->type = READ_BYTES;
	found->item->bytes = (struct assay_span){data, len};
}

static void found_text(void *context, cbor_data data, size_t len)
{
	found_bytes(context, data, len);
	((struct found *)context)->item->type = READ_TEXT;
}

static void found_float4(void *context, float value)
{
	struct found *found = context;
	found->item->type = READ_FLOAT32;
	found->item->number = (double)value;
}

static void found_float8(void *context, double value)
{
	struct found *found = context;
	found->item->type = READ_FLOAT64;
	found->item->number = value;
}

static void reject_float2(void *context, float value)
{
	((struct found *)context)->rejected = "a half float; floats have 32 or 64 bits";
}

static void reject_undefined(void *context)
{
	((struct found *)context)->rejected = "undefined, which has no place here";
}

static void reject_indefinite(void *context)
{
	((struct found *)context)->rejected = "an indefinite length; lengths are definite";
}

static const struct cbor_callbacks callbacks = {
	.uint8 = found_uint8,
	.uint16 = found_uint16,
	.uint32 = found_uint32,
	.uint64 = found_uint64,
	.negint8 = found_negint8,
	.negint16 = found_negint16,
	.negint32 = found_negint32,
	.negint64 = found_negint64,
	.byte_string_start = reject_indefinite,
	.byte_string = found_bytes,
	.string = found_text,
	.string_start = reject_indefinite,
	.indef_array_start = reject_indefinite,
	.array_start = found_array,
	.indef_map_start = reject_indefinite,
	.map_start = found_map,
	.tag = found_tag,
	.float4 = found_float4,
	.float8 = found_float8,
	.float2 = reject_float2,
	.undefined = reject_undefined,
	.null = found_null,
	.boolean = found_bool,
	.indef_break = reject_indefinite,
};

void read_init(struct reader *r, const void *data, size_t len)
{
	assert(len < UINT32_MAX);
	r->data = data;
	r->len = len;
	r->at = r->items = r->error_at = 0;
	r->depth_max = ASSAY_DEPTH_MAX;
	r->depth = 0;
	r->tag = 0;
	r->error = 0;
	r->text[0] = '\0';
	r->keys_count = 0;
}

void read_init_pairs(struct reader *r, const void *data, size_t len, size_t pairs)
{
	read_init(r, data, len);
	if (pairs > len / 2) {
		read_fail(r, 0, "%zu pairs cannot fit in %zu bytes", pairs, len);
	} else if (pairs > 0) {
		r->open[0].left = 2 * pairs;
		r->open[0].keys = 0;
		r->open[0].is_map = true;
		r->depth = 1;
	}
}

int read_fail(struct reader *r, size_t at, const char *format, ...)
{
	if (r->error != 0)
		return r->error;
	va_list args;
	va_start(args, format);
	vsnprintf(r->text, sizeof r->text, format, args);
	va_end(args);
	text_make_printable(r->text);
	r->error_at = at;
	return r->error = -EBADMSG;
}

/* Integers, lengths and tags: the shortest of the five forms (RFC 8949, 4.2.1). */
static bool is_shortest(const uint8_t *head)
{
	switch (head[0] & 0x1f) {
	case 24: return head[1] >= 24;
	case 25: return head[1] != 0;
	case 26: return head[1] != 0 || head[2] != 0;
	case 27: return head[1] != 0 || head[2] != 0 || head[3] != 0 || head[4] != 0;
	default: return true;
	}
}

static bool is_float(enum read_type type)
{
	return type == READ_FLOAT32 || type == READ_FLOAT64;
}

static const char *const type_names[] = {
	[READ_ERROR] = "nothing",
	[READ_UINT] = "an unsigned integer",
	[READ_NEGINT] = "a negative integer",
	[READ_BYTES] = "a byte string",
	[READ_TEXT] = "a text",
	[READ_ARRAY] = "an array",
	[READ_MAP] = "a map",
	[READ_TAG] = "a tag",
	[READ_BOOL] = "a boolean",
	[READ_NULL] = "null",
	[READ_FLOAT32] = "a float",
	[READ_FLOAT64] = "a float",
};

static int decode(struct reader *r, struct read_item *item)
{
	struct found found = {item, NULL};
	size_t at = r->at, left = r->len - at;
	if (left == 0)
		return read_fail(r, at, "the end, where an item was expected");
	if (++r->items > READ_ITEMS_MAX)
		return read_fail(r, at, "more than %d items", READ_ITEMS_MAX);
	/* libcbor 0.8 takes the simple values 24 ... 255 and 0 ... 19 for errors, as we want. */
	struct cbor_decoder_result got = cbor_stream_decode(r->data + at, left, &callbacks, &found);
	if (got.status == CBOR_DECODER_NEDATA)
		return read_fail(r, at, "an item that is cut off after %zu bytes", left);
	if (got.status != CBOR_DECODER_FINISHED)
		return read_fail(
			r, at, "byte %02x, which starts no item of this format", r->data[at]);
	if (found.rejected != NULL)
		return read_fail(r, at, "%s", found.rejected);
	if (is_float(item->type) && !isfinite(item->number))
		return read_fail(r, at, "NaN or infinity outside an array");
	bool has_head = item->type >= READ_UINT && item->type <= READ_TAG;
	if (has_head && !is_shortest(r->data + at))
		return read_fail(r, at, "an integer or length that is not in its shortest form");
	item->at = at;
	r->at += got.read;
	return 0;
}

static uint32_t hash_key(const uint8_t *data, size_t len)
{
	uint64_t hash = len;
	for (size_t i = 0; i < len; i += 8) {
		uint64_t word = 0;
		memcpy(&word, data + i, len - i < 8 ? len - i : 8);
		hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 29;
	}
	return (uint32_t)hash;
}

/* Compares keys as encoded: each has one encoding, and none is a prefix of another. */
static int check_key(struct reader *r, const struct read_item *item)
{
	if (item->type != READ_TEXT && item->type != READ_UINT)
		return read_fail(
			r, item->at, "%s as a key; keys are texts", type_names[item->type]);
	if (r->keys_count == READ_KEYS_MAX)
		return read_fail(r, item->at, "more than %d keys", READ_KEYS_MAX);
	const uint8_t *key = r->data + item->at;
	size_t len = r->at - item->at;
	uint32_t hash = hash_key(key, len);
	for (uint32_t i = r->open[r->depth - 1].keys; i < r->keys_count; i++)
		if (r->keys[i].hash == hash && memcmp(r->data + r->keys[i].at, key, len) == 0)
			return read_fail(r, item->at, "a key that this map already has");
	r->keys[r->keys_count].hash = hash;
	r->keys[r->keys_count++].at = (uint32_t)item->at;
	return 0;
}

static int check_tagged(struct reader *r, const struct read_item *item)
{
	uint64_t tag = r->tag;
	r->tag = 0;
	if (tag == TAG_ND && item->type != READ_ARRAY)
		return read_fail(r, item->at, "%s after tag 40; an array was expected",
			type_names[item->type]);
	if (tag == TAG_ND)
		return 0;
	if (item->type != READ_BYTES)
		return read_fail(r, item->at, "%s after tag %" PRIu64 "; bytes were expected",
			type_names[item->type], tag);
	size_t size = assay_element_size((enum assay_element)element_from_tag(tag));
	if (item->bytes.len % size != 0)
		return read_fail(r, item->at, "%zu bytes in an array whose elements have %zu",
			item->bytes.len, size);
	return 0;
}

static void close_full(struct reader *r)
{
	while (r->depth > 0 && r->open[r->depth - 1].left == 0)
		r->keys_count = r->open[--r->depth].keys;
}

static int open_container(struct reader *r, const struct read_item *item)
{
	bool is_map = item->type == READ_MAP;
	size_t left = r->len - r->at;
	if (item->value > (is_map ? left / 2 : left))
		return read_fail(r, item->at, "%s of %" PRIu64 ", but %zu bytes follow",
			type_names[item->type], item->value, left);
	if (r->depth >= r->depth_max || r->depth >= READ_DEPTH_MAX)
		return read_fail(r, item->at, "nesting deeper than %u", r->depth_max);
	r->open[r->depth].left = is_map ? 2 * item->value : item->value;
	r->open[r->depth].keys = r->keys_count;
	r->open[r->depth].is_map = is_map;
	r->depth++;
	close_full(r);
	return 0;
}

static bool at_key(const struct reader *r)
{
	return r->depth > 0 && r->open[r->depth - 1].is_map && r->open[r->depth - 1].left % 2 == 0;
}

static int place(struct reader *r, const struct read_item *item)
{
	if (r->tag != 0 && check_tagged(r, item) < 0)
		return r->error;
	if (at_key(r) && check_key(r, item) < 0)
		return r->error;
	if (item->type == READ_TEXT && !text_is_utf8(item->bytes.data, item->bytes.len))
		return read_fail(r, item->at, "a text that is not UTF-8");
	if (item->type == READ_TAG && item->value != TAG_ND && element_from_tag(item->value) < 0)
		return read_fail(r, item->at, "tag %" PRIu64 ", which this format does not have",
			item->value);
	if (item->type == READ_TAG) {
		r->tag = item->value;
		return 0;
	}
	if (r->depth > 0)
		r->open[r->depth - 1].left--;
	if (item->type == READ_ARRAY || item->type == READ_MAP)
		return open_container(r, item);
	close_full(r);
	return 0;
}

int read_item(struct reader *r, struct read_item *item)
{
	*item = (struct read_item){0};
	if (r->error == 0 && decode(r, item) == 0)
		place(r, item);
	if (r->error != 0)
		*item = (struct read_item){0};
	return r->error;
}

enum read_type read_peek(struct reader *r)
{
	if (r->error != 0 || r->at == r->len)
		return READ_ERROR;
	static const enum read_type by_major[] = {
		READ_UINT, READ_NEGINT, READ_BYTES, READ_TEXT, READ_ARRAY, READ_MAP, READ_TAG};
	uint8_t head = r->data[r->at];
	if (head >> 5 < 7)
		return by_major[head >> 5];
	switch (head) {
	case 0xf4:
	case 0xf5: return READ_BOOL;
	case 0xf6: return READ_NULL;
	case 0xfa: return READ_FLOAT32;
	case 0xfb: return READ_FLOAT64;
	default: return READ_ERROR;
	}
}

static int read_as(struct reader *r, enum read_type type, struct read_item *item)
{
	if (read_item(r, item) < 0)
		return r->error;
	if (item->type == type)
		return 0;
	read_fail(
		r, item->at, "%s where %s was expected", type_names[item->type], type_names[type]);
	*item = (struct read_item){0};
	return r->error;
}

int read_map(struct reader *r, size_t *pairs)
{
	struct read_item item;
	int error = read_as(r, READ_MAP, &item);
	*pairs = item.value;
	return error;
}

int read_array(struct reader *r, size_t *items)
{
	struct read_item item;
	int error = read_as(r, READ_ARRAY, &item);
	*items = item.value;
	return error;
}

int read_tag(struct reader *r, uint64_t *tag)
{
	struct read_item item;
	int error = read_as(r, READ_TAG, &item);
	*tag = item.value;
	return error;
}

int read_text(struct reader *r, struct assay_string *text)
{
	struct read_item item;
	int error = read_as(r, READ_TEXT, &item);
	*text = (struct assay_string){(const char *)item.bytes.data, item.bytes.len};
	return error;
}

int read_bytes(struct reader *r, struct assay_span *bytes)
{
	struct read_item item;
	int error = read_as(r, READ_BYTES, &item);
	*bytes = item.bytes;
	return error;
}

int read_fixed(struct reader *r, size_t len, const uint8_t **data)
{
	struct read_item item;
	if (read_as(r, READ_BYTES, &item) == 0 && item.bytes.len != len)
		read_fail(r, item.at, "%zu bytes where %zu were expected", item.bytes.len, len);
	*data = r->error == 0 ? item.bytes.data : NULL;
	return r->error;
}

int read_uint(struct reader *r, uint64_t *value)
{
	struct read_item item;
	int error = read_as(r, READ_UINT, &item);
	*value = item.value;
	return error;
}

int read_int(struct reader *r, int64_t *value)
{
	struct read_item item;
	*value = 0;
	if (read_item(r, &item) < 0)
		return r->error;
	if (item.type != READ_UINT && item.type != READ_NEGINT)
		return read_fail(
			r, item.at, "%s where an integer was expected", type_names[item.type]);
	if (item.value > INT64_MAX)
		return read_fail(r, item.at, "an integer beyond 64 bits with sign");
	*value = item.type == READ_UINT ? (int64_t)item.value : -1 - (int64_t)item.value;
	return 0;
}

int read_bool(struct reader *r, bool *value)
{
	struct read_item item;
	int error = read_as(r, READ_BOOL, &item);
	*value = item.value != 0;
	return error;
}

int read_float(struct reader *r, double *value)
{
	struct read_item item;
	if (read_item(r, &item) == 0 && !is_float(item.type))
		read_fail(r, item.at, "%s where a float was expected", type_names[item.type]);
	*value = r->error == 0 ? item.number : 0;
	return r->error;
}

int read_double(struct reader *r, double *value)
{
	struct read_item item;
	*value = 0;
	if (read_item(r, &item) < 0)
		return r->error;
	if (is_float(item.type))
		*value = item.number;
	else if (item.type == READ_UINT)
		*value = (double)item.value;
	else if (item.type == READ_NEGINT)
		*value = -1.0 - (double)item.value;
	else
		read_fail(r, item.at, "%s where a number was expected", type_names[item.type]);
	return r->error;
}

int read_key(struct reader *r, struct assay_string *key)
{
	if (r->error == 0 && !at_key(r))
		read_fail(r, r->at, "the end of a map, where a key was expected");
	return read_text(r, key);
}

int read_typed(struct reader *r, enum assay_element *element, struct assay_span *data)
{
	uint64_t tag;
	*element = ASSAY_ELEMENT_U8;
	*data = (struct assay_span){0};
	size_t at = r->at;
	if (read_tag(r, &tag) < 0)
		return r->error;
	if (tag == TAG_ND)
		return read_fail(r, at, "an array with dimensions where a plain one was expected");
	*element = (enum assay_element)element_from_tag(tag);
	return read_bytes(r, data);
}

static int read_shape(struct reader *r, size_t *shape, size_t *dims)
{
	size_t at = r->at, product = 1;
	if (read_array(r, dims) < 0)
		return r->error;
	if (*dims == 0 || *dims > ASSAY_DIMS_MAX)
		return read_fail(
			r, at, "%zu dimensions where 1 to %d were expected", *dims, ASSAY_DIMS_MAX);
	for (size_t i = 0; i < *dims; i++) {
		uint64_t n;
		if (read_uint(r, &n) < 0)
			return r->error;
		if (__builtin_mul_overflow(product, n, &product))
			return read_fail(r, at, "dimensions whose product overflows");
		shape[i] = n;
	}
	return 0;
}

static int read_shaped(struct reader *r, size_t *shape, size_t *dims, enum assay_element *element,
	struct assay_span *data)
{
	uint64_t tag;
	size_t parts, at = r->at;
	read_tag(r, &tag);
	if (read_array(r, &parts) == 0 && parts != 2)
		read_fail(r, at, "%zu items after tag 40 where 2 were expected", parts);
	if (r->error != 0 || read_shape(r, shape, dims) < 0 || read_typed(r, element, data) < 0)
		return r->error;
	size_t product = 1, count = data->len / assay_element_size(*element);
	for (size_t i = 0; i < *dims; i++)
		product *= shape[i];
	if (product != count)
		return read_fail(
			r, at, "%zu elements where the dimensions give %zu", count, product);
	return 0;
}

static bool next_is_nd(const struct reader *r)
{
	return r->error == 0 && r->len - r->at >= 2 && r->data[r->at] == 0xd8 &&
	       r->data[r->at + 1] == TAG_ND;
}

int read_nd(struct reader *r, size_t *shape, size_t *dims, enum assay_element *element,
	struct assay_span *data)
{
	*dims = 0;
	if (!next_is_nd(r))
		return read_typed(r, element, data);
	*element = ASSAY_ELEMENT_U8;
	*data = (struct assay_span){0};
	if (read_shaped(r, shape, dims, element, data) < 0)
		*dims = 0;
	return r->error;
}

/* Iterative: the depth is the reader's, not the stack's. */
int read_skip(struct reader *r)
{
	struct read_item item;
	size_t shape[ASSAY_DIMS_MAX], dims;
	enum assay_element element;
	struct assay_span data;
	for (uint64_t pending = 1; pending > 0 && r->error == 0; pending--) {
		if (next_is_nd(r)) {
			read_nd(r, shape, &dims, &element, &data);
			continue;
		}
		if (read_item(r, &item) < 0)
			break;
		if (item.type == READ_TAG)
			pending++;
		else if (item.type == READ_ARRAY)
			pending += item.value;
		else if (item.type == READ_MAP)
			pending += 2 * item.value;
	}
	return r->error;
}

int read_raw(struct reader *r, struct assay_span *raw)
{
	size_t at = r->at;
	int error = read_skip(r);
	*raw = error == 0 ? (struct assay_span){r->data + at, r->at - at} : (struct assay_span){0};
	return error;
}

int read_finish(struct reader *r)
{
	if (r->error == 0 && r->depth > 0)
		return read_fail(r, r->at, "items that were not read");
	if (r->error == 0 && r->at != r->len)
		return read_fail(r, r->at, "%zu bytes after the end", r->len - r->at);
	return r->error;
}
