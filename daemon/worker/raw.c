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
	raw->is_open = false;
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

static void put_media(struct buffer *to, struct block_span *block, const char *media, bool has_name)
{
	encode_map(to, has_name ? 4 : 3);
	encode_text(to, "media");
	put_text(to, media, &block->media, &block->media_len);
}

/* What is between the media type and the bytes. */
static void put_size(struct buffer *to, size_t len)
{
	encode_text(to, "size");
	encode_uint(to, len);
	encode_text(to, "data");
	encode_bytes_head(to, len);
}

static void put_name(struct buffer *to, struct block_span *block, const char *name)
{
	if (name == NULL)
		return;
	encode_text(to, "name");
	put_text(to, name, &block->name, &block->name_len);
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

static int check_texts(struct raw *raw, const char *media, const char *name)
{
	if (raw->error != 0)
		return raw->error;
	if (raw->is_open)
		return refuse(raw, -EINVAL, "raw block %zu is still open", raw->count);
	if (raw->count == RAW_BLOCKS_MAX)
		return refuse(raw, -EMSGSIZE, "a frame has at most %d raw blocks", RAW_BLOCKS_MAX);
	if (media == NULL || !value_is_text(media, RAW_TEXT_MAX))
		return refuse(raw, -EINVAL,
			"the media type of raw block %zu is no text of at most %d bytes",
			raw->count, RAW_TEXT_MAX);
	if (name != NULL && !value_is_text(name, RAW_TEXT_MAX))
		return refuse(raw, -EINVAL,
			"the name of raw block %zu is no text of at most %d bytes", raw->count,
			RAW_TEXT_MAX);
	return 0;
}

static int check_data(struct raw *raw, const void *data, size_t len)
{
	if (len > raw->max - raw->total)
		return refuse(raw, -EMSGSIZE,
			"%zu raw bytes after %zu are more than the driver's raw_max of %zu", len,
			raw->total, raw->max);
	if (data == NULL && len > 0)
		return refuse(raw, -EINVAL, "raw block %zu has no data", raw->count);
	return 0;
}

/* The block at raw->count is whole, if there was memory for it. */
static int end_block(struct raw *raw)
{
	if (raw->encoded.failed)
		return refuse(raw, -ENOMEM, "no memory for %zu raw bytes", raw->total);
	raw->count++;
	return 0;
}

int raw_add(
	struct assay_raw *handle, const char *media, const char *name, const void *data, size_t len)
{
	struct raw *raw = of(handle);
	int r = check_texts(raw, media, name);
	if (r == 0)
		r = check_data(raw, data, len);
	if (r < 0)
		return r;
	struct block_span *block = &raw->blocks[raw->count];
	*block = (struct block_span){.len = len};
	put_media(&raw->encoded, block, media, name != NULL);
	put_size(&raw->encoded, len);
	block->data = raw->encoded.len;
	buffer_append(&raw->encoded, data, len);
	put_name(&raw->encoded, block, name);
	raw->total += len;
	return end_block(raw);
}

/* --- a block that grows ----------------------------------------------------------------------- */

/* The bytes come behind room for the largest size; close moves them up to the right one. */
int raw_open(struct assay_raw *handle, const char *media, const char *name)
{
	struct raw *raw = of(handle);
	int r = check_texts(raw, media, name);
	if (r < 0)
		return r;
	struct block_span *block = &raw->blocks[raw->count];
	*block = (struct block_span){0};
	put_media(&raw->encoded, block, media, name != NULL);
	raw->size_at = raw->encoded.len;
	put_size(&raw->encoded, raw->max);
	block->data = raw->encoded.len;
	snprintf(raw->name, sizeof raw->name, "%s", name != NULL ? name : "");
	raw->has_name = name != NULL;
	raw->is_open = true;
	return 0;
}

int raw_append(struct assay_raw *handle, const void *data, size_t len)
{
	struct raw *raw = of(handle);
	if (raw->error != 0)
		return raw->error;
	if (!raw->is_open)
		return refuse(raw, -EINVAL, "bytes were appended, but no raw block is open");
	int r = check_data(raw, data, len);
	if (r < 0)
		return r;
	buffer_append(&raw->encoded, data, len);
	raw->blocks[raw->count].len += len;
	raw->total += len;
	return raw->encoded.failed ? refuse(raw, -ENOMEM, "no memory for %zu raw bytes", raw->total)
				   : 0;
}

int raw_close(struct assay_raw *handle)
{
	struct raw *raw = of(handle);
	if (raw->error != 0)
		return raw->error;
	if (!raw->is_open)
		return refuse(raw, -EINVAL, "no raw block is open");
	raw->is_open = false;
	struct buffer size = {0}, *to = &raw->encoded;
	struct block_span *block = &raw->blocks[raw->count];
	put_size(&size, block->len);
	if (!size.failed && !to->failed) {
		memcpy(to->data + raw->size_at, size.data, size.len);
		memmove(to->data + raw->size_at + size.len, to->data + block->data, block->len);
		block->data = raw->size_at + size.len;
		to->len = block->data + block->len;
	}
	to->failed = to->failed || size.failed;
	buffer_finish(&size);
	put_name(to, block, raw->has_name ? raw->name : NULL);
	return end_block(raw);
}

int raw_complete(struct raw *raw)
{
	if (raw->error == 0 && raw->is_open)
		refuse(raw, -EINVAL, "raw block %zu was not closed", raw->count);
	return raw->error;
}

struct block {
	struct assay_span data;
	char media[RAW_TEXT_MAX + 1], name[RAW_TEXT_MAX + 1];
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
	(void)buffer_reserve(&raw->texts, raw->count * 2 * (RAW_TEXT_MAX + 1));
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
