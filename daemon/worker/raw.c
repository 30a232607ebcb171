/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "record/encode.h"
#include "record/keys.h"
#include "worker/raw.h"
#include "worker/sha256.h"
#include "worker/value.h"

#define TEXT_MAX 127
#define KEEP_MAX (1u << 20) /* memory that stays for the next frame */

static struct raw *of(struct assay_raw *handle)
{
	return (struct raw *)(void *)handle;
}

void raw_init(struct raw *raw, const struct assay_host *host, size_t max)
{
	memset(raw, 0, sizeof *raw);
	raw->handle.host = host;
	raw->max = max;
}

void raw_finish(struct raw *raw)
{
	buffer_finish(&raw->encoded);
	buffer_finish(&raw->texts);
	buffer_finish(&raw->kept);
}

void raw_reset(struct raw *raw)
{
	raw->count = raw->total = 0;
	raw->error = 0;
	buffer_reset(&raw->encoded);
	buffer_reset(&raw->texts);
	buffer_reset(&raw->kept);
	if (raw->encoded.size > KEEP_MAX)
		buffer_finish(&raw->encoded);
}

/* Appends a text; sets *at and *len to the place of its bytes. */
static void put_text(struct buffer *to, const char *text, size_t *at, size_t *len)
{
	*len = strlen(text);
	encode_text_n(to, text, *len);
	*at = to->len - *len;
}

static void put_block(struct raw *raw, struct block_span *block, const char *media,
	const char *name, const void *data)
{
	struct buffer *to = &raw->encoded;
	encode_map(to, name != NULL ? 4 : 3);
	encode_text(to, "media");
	put_text(to, media, &block->media, &block->media_len);
	encode_text(to, "size");
	encode_uint(to, block->len);
	encode_text(to, "data");
	encode_bytes(to, data, block->len);
	block->data = to->len - block->len;
	if (name != NULL) {
		encode_text(to, "name");
		put_text(to, name, &block->name, &block->name_len);
	}
}

static int __attribute__((format(printf, 3, 4)))
refuse(struct raw *raw, int error, const char *format, ...)
{
	raw->error = error;
	va_list args;
	va_start(args, format);
	vsnprintf(raw->why, sizeof raw->why, format, args);
	va_end(args);
	return error;
}

int raw_add(
	struct assay_raw *handle, const char *media, const char *name, const void *data, size_t len)
{
	struct raw *raw = of(handle);
	if (raw->error != 0)
		return raw->error;
	if (raw->count == RAW_BLOCKS_MAX)
		return refuse(raw, -EMSGSIZE, "a frame has at most %d raw blocks", RAW_BLOCKS_MAX);
	if (len > raw->max - raw->total)
		return refuse(raw, -EMSGSIZE,
			"%zu raw bytes after %zu are more than the driver's raw_max of %zu", len,
			raw->total, raw->max);
	if (media == NULL || !value_is_text(media, TEXT_MAX))
		return refuse(raw, -EINVAL,
			"the media type of raw block %zu is no text of at most %d bytes",
			raw->count, TEXT_MAX);
	if (name != NULL && !value_is_text(name, TEXT_MAX))
		return refuse(raw, -EINVAL,
			"the name of raw block %zu is no text of at most %d bytes", raw->count,
			TEXT_MAX);
	if (data == NULL && len > 0)
		return refuse(raw, -EINVAL, "raw block %zu has no data", raw->count);
	struct block_span *block = &raw->blocks[raw->count];
	*block = (struct block_span){.len = len};
	put_block(raw, block, media, name, data);
	if (raw->encoded.failed)
		return refuse(raw, -ENOMEM, "no memory for %zu raw bytes", len);
	raw->total += len;
	raw->count++;
	return 0;
}

struct block {
	struct assay_span data;
	char media[TEXT_MAX + 1], name[TEXT_MAX + 1];
};

enum { BLOCK_DATA, BLOCK_MEDIA, BLOCK_NAME };

static const struct keys block_keys = {.open = true,
	.rows = (const struct key[]){
		[BLOCK_DATA] = {"data", KEY_BYTES, KEY_AT(struct block, data), .required = true},
		[BLOCK_MEDIA] = {"media", KEY_CHARS, KEY_AT(struct block, media)},
		[BLOCK_NAME] = {"name", KEY_CHARS, KEY_AT(struct block, name)},
		{0}}};

int raw_read(struct raw *raw, struct reader *r)
{
	size_t count;
	raw_reset(raw);
	if (read_array(r, &count) < 0)
		return -EBADMSG;
	for (size_t i = 0; i < count; i++) {
		struct block block = {0};
		struct keys_found found;
		if (keys_read(r, &block_keys, &block, &found) < 0)
			return -EBADMSG;
		bool has_name = (found.seen >> BLOCK_NAME & 1) != 0;
		int e = raw_add(&raw->handle, block.media, has_name ? block.name : NULL,
			block.data.data, block.data.len);
		if (e < 0)
			return e;
	}
	return 0;
}

static const char *terminated(struct buffer *texts, const char *text, size_t len)
{
	size_t at = texts->len;
	buffer_append(texts, text, len);
	buffer_append(texts, "", 1);
	return texts->failed ? "" : (const char *)texts->data + at;
}

const struct assay_bytes *raw_blocks(struct raw *raw, size_t *count)
{
	const char *bytes = (const char *)raw->encoded.data;
	buffer_reset(&raw->texts);
	/* Reserved at once: the texts must not move. */
	(void)buffer_reserve(&raw->texts, raw->count * 2 * (TEXT_MAX + 1));
	for (size_t i = 0; i < raw->count; i++) {
		const struct block_span *block = &raw->blocks[i];
		raw->views[i] = (struct assay_bytes){
			.media = terminated(&raw->texts, bytes + block->media, block->media_len),
			.name = block->name != 0 ? terminated(&raw->texts, bytes + block->name,
							   block->name_len)
						 : NULL,
			.data = raw->encoded.data + block->data,
			.len = block->len,
		};
	}
	*count = raw->count;
	return raw->views;
}

static int put_hash(struct raw *raw, const struct block_span *block)
{
	const char *bytes = (const char *)raw->encoded.data;
	uint8_t digest[SHA256_BYTES];
	int r = sha256(bytes + block->data, block->len, digest);
	if (r < 0)
		return r;
	struct map map;
	map_open(&map, &raw->kept);
	map_text_n(&map, "media", bytes + block->media, block->media_len);
	map_uint(&map, "size", block->len);
	map_bytes(&map, "sha256", digest, sizeof digest);
	if (block->name != 0)
		map_text_n(&map, "name", bytes + block->name, block->name_len);
	map_close(&map);
	return raw->kept.failed ? -ENOMEM : 0;
}

int raw_encoded(
	struct raw *raw, enum unit_raw keep, size_t *count, const uint8_t **data, size_t *len)
{
	*count = keep == UNIT_RAW_OFF ? 0 : raw->count;
	const struct buffer *from = keep == UNIT_RAW_HASH ? &raw->kept : &raw->encoded;
	buffer_reset(&raw->kept);
	for (size_t i = 0; keep == UNIT_RAW_HASH && i < raw->count; i++) {
		int r = put_hash(raw, &raw->blocks[i]);
		if (r < 0)
			return r;
	}
	*data = from->data;
	*len = *count > 0 ? from->len : 0;
	return 0;
}
