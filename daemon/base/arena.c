/* SPDX-License-Identifier: Apache-2.0 */
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

#define CHUNK_BYTES 16384
#define ALIGNMENT   alignof(max_align_t)

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, size;
	alignas(max_align_t) unsigned char bytes[];
};

void arena_finish(struct arena *arena)
{
	while (arena->chunks != NULL) {
		struct arena_chunk *chunk = arena->chunks;
		arena->chunks = chunk->next;
		free(chunk);
	}
	arena->failed = false;
}

static struct arena_chunk *add_chunk(struct arena *arena, size_t least)
{
	size_t size = least > CHUNK_BYTES ? least : CHUNK_BYTES;
	struct arena_chunk *chunk = calloc(1, sizeof *chunk + size);
	if (chunk == NULL)
		return NULL;
	chunk->size = size;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	return chunk;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	if (size == 0)
		size = 1;
	if (size <= SIZE_MAX / 2) {
		size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
		struct arena_chunk *chunk = arena->chunks;
		if (chunk == NULL || chunk->size - chunk->used < size)
			chunk = add_chunk(arena, size);
		if (chunk != NULL) {
			void *memory = chunk->bytes + chunk->used;
			chunk->used += size;
			return memory;
		}
	}
	arena->failed = true;
	return NULL;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes)) {
		arena->failed = true;
		return NULL;
	}
	return arena_alloc(arena, bytes);
}

void *arena_copy(struct arena *arena, const void *data, size_t len)
{
	void *copy = arena_alloc(arena, len);
	if (copy != NULL && len != 0)
		memcpy(copy, data, len);
	return copy;
}

const char *arena_text(struct arena *arena, const char *text, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);
	if (copy == NULL)
		return "";
	memcpy(copy, text, len);
	return copy;
}

const char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = NULL;
	int len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0) {
		arena->failed = true;
		return "";
	}
	const char *copy = arena_text(arena, text, (size_t)len);
	free(text);
	return copy;
}
