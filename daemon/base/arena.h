/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is freed together, such as all of a configuration.  Nothing is freed alone.  Failure
 * is sticky: a caller may continue after it and check `failed` once at the end.
 */
#ifndef ASSAY_BASE_ARENA_H
#define ASSAY_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena_chunk;

/* Zero is a valid empty arena. */
struct arena {
	struct arena_chunk *chunks;
	bool failed;
};

/* Frees all of it; legal on a zeroed arena. */
void arena_finish(struct arena *arena);

/* Zeroed memory, aligned for any type; NULL when there is none. */
void *arena_alloc(struct arena *arena, size_t size);

/* The same for `count` elements; NULL if count * size overflows. */
void *arena_array(struct arena *arena, size_t count, size_t size);

/* A copy of `len` bytes, or NULL.  `len` 0 gives a valid pointer. */
void *arena_copy(struct arena *arena, const void *data, size_t len);

/* A terminated copy of a text; "" when there is no memory, so that it can be used at once. */
const char *arena_text(struct arena *arena, const char *text, size_t len);
const char *arena_printf(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
