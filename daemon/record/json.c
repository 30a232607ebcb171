/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "record/decimal.h"
#include "record/element.h"
#include "record/entry.h"
#include "base/printable.h"
#include "record/json.h"
#include "record/uuid.h"

#define EXACT_MAX (UINT64_C(1) << 53) /* integers that a double, so any JSON reader, holds */
#define TIME_MIN  UINT64_C(100000000000000000) /* ns: 1973; no count or seq gets there */

static void put(struct buffer *to, const char *text)
{
	buffer_append(to, text, strlen(text));
}

static void put_hex(struct buffer *to, const void *data, size_t len)
{
	put(to, "\"");
	uint8_t *at = buffer_reserve(to, HEX_SIZE(len));
	if (at != NULL) {
		hex_write((char *)at, data, len);
		to->len += 2 * len;
	}
	put(to, "\"");
}

static void put_integer(struct buffer *to, uint64_t value, bool negative)
{
	char text[32];
	const char *quote = value > EXACT_MAX ? "\"" : "";
	snprintf(text, sizeof text, "%s%s%" PRIu64 "%s", quote, negative ? "-" : "", value, quote);
	put(to, text);
}

static void put_float(struct buffer *to, float value)
{
	char text[DECIMAL_SIZE] = "null";
	if (isfinite(value))
		decimal_from_float(text, value);
	put(to, text);
}

static void put_double(struct buffer *to, double value)
{
	char text[DECIMAL_SIZE] = "null";
	if (isfinite(value))
		decimal_from_double(text, value);
	put(to, text);
}

/*
 * The escapes of RFC 8259; also of DEL, U+0080 ... U+009F and characters that people do not see, which
 * move a terminal's cursor or change the order of what it shows.  Returns the bytes it stands for.
 */
static size_t escape(const uint8_t *text, size_t left, char out[16])
{
	uint32_t code = text[0];
	size_t len = code < 0x80 ? 1 : utf8_next(text, left, &code);
	if (code == '"' || code == '\\')
		snprintf(out, 16, "\\%c", text[0]);
	else if (code == '\n')
		snprintf(out, 16, "\\n");
	else if (len == 0 || glyph_of(code) <= GLYPH_BLANK)
		return 0;
	else if (code > 0xffff)
		snprintf(out, 16, "\\u%04x\\u%04x", 0xd7c0 + (code >> 10), 0xdc00 + (code & 0x3ff));
	else
		snprintf(out, 16, "\\u%04x", code);
	return len;
}

void json_write_text(struct buffer *to, const char *text, size_t len)
{
	const uint8_t *bytes = (const uint8_t *)text;
	char escaped[16];
	size_t from = 0;
	put(to, "\"");
	for (size_t i = 0; i < len;) {
		size_t used = escape(bytes + i, len - i, escaped);
		if (used == 0) {
			i++;
			continue;
		}
		buffer_append(to, bytes + from, i - from);
		put(to, escaped);
		i += used;
		from = i;
	}
	buffer_append(to, bytes + from, len - from);
	put(to, "\"");
}

static void put_element(
	struct buffer *to, enum assay_element element, const uint8_t *data, size_t i)
{
	bool negative;
	uint64_t value;
	switch (element) {
	case ASSAY_ELEMENT_F32: put_float(to, (float)element_number(element, data, i)); break;
	case ASSAY_ELEMENT_F64: put_double(to, element_number(element, data, i)); break;
	default:
		value = element_integer(element, data, i, &negative);
		put_integer(to, value, negative);
	}
}

static void put_elements(
	struct buffer *to, enum assay_element element, const uint8_t *data, size_t n)
{
	put(to, "[");
	for (size_t i = 0; i < n && !to->failed; i++) {
		if (i > 0)
			put(to, ",");
		put_element(to, element, data, i);
	}
	put(to, "]");
}

static void put_shaped(struct buffer *to, enum assay_element element, const uint8_t *data,
	const size_t *shape, size_t dims)
{
	if (dims == 1) {
		put_elements(to, element, data, shape[0]);
		return;
	}
	size_t stride = assay_element_size(element);
	for (size_t i = 1; i < dims; i++)
		stride *= shape[i];
	put(to, "[");
	for (size_t i = 0; i < shape[0] && !to->failed; i++) {
		if (i > 0)
			put(to, ",");
		put_shaped(to, element, data + i * stride, shape + 1, dims - 1);
	}
	put(to, "]");
}

static void write_array_of_numbers(struct buffer *to, struct reader *r)
{
	size_t shape[ASSAY_DIMS_MAX], dims;
	enum assay_element element;
	struct assay_span data;
	if (read_nd(r, shape, &dims, &element, &data) < 0)
		return;
	if (dims == 0)
		put_elements(to, element, data.data, data.len / assay_element_size(element));
	else if (data.len == 0) /* its other dimensions may announce any number of empty rows */
		put(to, "[]");
	else
		put_shaped(to, element, data.data, shape, dims);
}

static bool is_time(struct assay_string key)
{
	static const char *const keys[] = {"utc", "tc", "from", "to", "since", "until", "start"};
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (assay_string_is(key, keys[i]))
			return true;
	return false;
}

static void put_key(struct buffer *to, struct assay_string key, const char *suffix)
{
	char name[16];
	snprintf(name, sizeof name, "%.*s%s", (int)key.len, key.data, suffix);
	json_write_text(to, name, strlen(name));
	put(to, ":");
}

/* "utc":"2026-11-22T08:15:30.000000001Z","utc_ns":"1795335330000000001" */
static void put_time(struct buffer *to, struct assay_string key, uint64_t ns)
{
	char text[64];
	time_t seconds = (time_t)(ns / NS_PER_S);
	struct tm tm;
	gmtime_r(&seconds, &tm);
	put_key(to, key, "");
	size_t len = strftime(text, sizeof text, "\"%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + len, sizeof text - len, ".%09" PRIu64 "Z\",", ns % NS_PER_S);
	put(to, text);
	put_key(to, key, "_ns");
	snprintf(text, sizeof text, "\"%" PRIu64 "\"", ns);
	put(to, text);
}

static void write_in(struct buffer *to, struct reader *r, struct assay_string key);

/* True when the pair was written as more than one. */
static bool write_special(
	struct buffer *to, struct reader *r, struct assay_string map, struct assay_string key)
{
	bool time = is_time(key), flag = assay_string_is(map, "q") && assay_string_is(key, "flag");
	uint64_t value;
	if ((!time && !flag) || read_peek(r) != READ_UINT || read_uint(r, &value) < 0)
		return false;
	const char *name = flag && value < 10 ? assay_quality_name((enum assay_quality_flag)value)
					      : NULL;
	if (time && value >= TIME_MIN) {
		put_time(to, key, value);
		return true;
	}
	put_key(to, key, "");
	put_integer(to, value, false);
	if (name != NULL) {
		put(to, ",\"flag_text\":");
		json_write_text(to, name, strlen(name));
	}
	return true;
}

static void write_pair(struct buffer *to, struct reader *r, struct assay_string map)
{
	struct assay_string key = {"", 0};
	char number[24];
	uint64_t value;
	if (read_peek(r) == READ_UINT && read_uint(r, &value) == 0) {
		key.len = (size_t)snprintf(number, sizeof number, "%" PRIu64, value);
		key.data = number;
	} else if (read_key(r, &key) < 0 || write_special(to, r, map, key)) {
		return;
	}
	json_write_text(to, key.data, key.len);
	put(to, ":");
	write_in(to, r, key);
}

static void write_container(
	struct buffer *to, struct reader *r, const struct read_item *item, struct assay_string key)
{
	bool is_map = item->type == READ_MAP;
	put(to, is_map ? "{" : "[");
	for (size_t i = 0; i < item->value && r->error == 0 && !to->failed; i++) {
		if (i > 0)
			put(to, ",");
		if (is_map)
			write_pair(to, r, key);
		else
			write_in(to, r, (struct assay_string){0});
	}
	put(to, is_map ? "}" : "]");
}

/* `key` is the key of the item in its map. */
static void write_in(struct buffer *to, struct reader *r, struct assay_string key)
{
	struct read_item item;
	if (read_peek(r) == READ_TAG) {
		write_array_of_numbers(to, r);
		return;
	}
	if (read_item(r, &item) < 0)
		return;
	switch (item.type) {
	case READ_UINT: put_integer(to, item.value, false); break;
	case READ_NEGINT: /* -1 - value, down to -2^64 */
		if (item.value == UINT64_MAX)
			put(to, "\"-18446744073709551616\"");
		else
			put_integer(to, item.value + 1, true);
		break;
	case READ_BYTES: put_hex(to, item.bytes.data, item.bytes.len); break;
	case READ_TEXT: json_write_text(to, (const char *)item.bytes.data, item.bytes.len); break;
	case READ_ARRAY:
	case READ_MAP: write_container(to, r, &item, key); break;
	case READ_BOOL: put(to, item.value != 0 ? "true" : "false"); break;
	case READ_FLOAT32: put_float(to, (float)item.number); break;
	case READ_FLOAT64: put_double(to, item.number); break;
	default: put(to, "null"); break;
	}
}

int json_write_value(struct buffer *to, struct reader *r)
{
	write_in(to, r, (struct assay_string){0});
	return r->error;
}

int json_write(struct buffer *to, const void *data, size_t len)
{
	struct reader r;
	read_init(&r, data, len);
	json_write_value(to, &r);
	return read_finish(&r);
}

static void put_member(struct buffer *to, const char *key, uint64_t value)
{
	put(to, ",\"");
	put(to, key);
	put(to, "\":");
	put_integer(to, value, false);
}

int json_write_entry(struct buffer *to, const void *data, size_t len)
{
	struct assay_entry_view entry;
	uint8_t hash[ASSAY_SHA256_SIZE];
	int error = assay_entry_read(data, len, &entry);
	if (error == 0)
		error = entry_leaf_hash(data, len, hash);
	if (error < 0)
		return error;
	put(to, "{\"journal\":");
	put_hex(to, entry.journal, ASSAY_UUID_SIZE);
	put_member(to, "seq", entry.seq);
	put_member(to, "prev", entry.prev);
	put(to, ",");
	put_time(to, (struct assay_string){"tc", 2}, entry.tc);
	put(to, ",\"topic\":");
	json_write_text(to, entry.topic.data, entry.topic.len);
	put(to, ",\"entry_sha256\":");
	put_hex(to, hash, sizeof hash);
	put(to, ",\"record\":");
	error = json_write(to, entry.body.data, entry.body.len);
	put(to, "}");
	return error;
}
