/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

#define SIZE_FIRST 256

void buffer_finish(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct buffer){.limit = buffer->limit};
}

void buffer_reset(struct buffer *buffer)
{
	buffer->len = 0;
	buffer->failed = false;
}

static bool grow(struct buffer *buffer, size_t need)
{
	size_t size = buffer->size != 0 ? buffer->size : SIZE_FIRST;
	while (size < need)
		size *= 2;
	uint8_t *data = realloc(buffer->data, size);
	if (data == NULL)
		return false;
	buffer->data = data;
	buffer->size = size;
	return true;
}

uint8_t *buffer_reserve(struct buffer *buffer, size_t len)
{
	if (buffer->failed)
		return NULL;
	size_t need = buffer->len + len;
	bool fits = need >= len && need <= SIZE_MAX / 2 &&
		    (buffer->limit == 0 || need <= buffer->limit);
	if (!fits || (need > buffer->size && !grow(buffer, need)) || buffer->data == NULL) {
		buffer->failed = len != 0;
		return NULL;
	}
	return buffer->data + buffer->len;
}

void buffer_append(struct buffer *buffer, const void *data, size_t len)
{
	if (len == 0)
		return;
	uint8_t *to = buffer_reserve(buffer, len);
	if (to == NULL)
		return;
	memcpy(to, data, len);
	buffer->len += len;
}

void buffer_consume(struct buffer *buffer, size_t len)
{
	assert(len <= buffer->len);
	if (len == 0)
		return;
	memmove(buffer->data, buffer->data + len, buffer->len - len);
	buffer->len -= len;
}
