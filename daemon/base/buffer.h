/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer.  Zero is a valid empty buffer.  If an allocation fails or `limit` is
 * exceeded, the buffer is marked failed, keeps its bytes, and ignores further appends, so that a
 * writer may append many pieces and check once at the end.
 */
#ifndef ASSAY_BASE_BUFFER_H
#define ASSAY_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buffer {
	uint8_t *data;
	size_t len, size;
	size_t limit; /* 0: none */
	bool failed;
};

/* Frees the bytes and empties the buffer; legal on a zeroed one. */
void buffer_finish(struct buffer *buffer);

/* Empties the buffer and its failure, keeping the memory. */
void buffer_reset(struct buffer *buffer);

/*
 * Makes room for `len` more bytes and returns their place (borrowed until the next append), or NULL
 * with the buffer marked failed.  buffer->len is unchanged: the caller adds the bytes it wrote.
 */
uint8_t *buffer_reserve(struct buffer *buffer, size_t len);

/* Appends a copy of `len` bytes. */
void buffer_append(struct buffer *buffer, const void *data, size_t len);

/* Removes the first `len` bytes, `len` <= buffer->len. */
void buffer_consume(struct buffer *buffer, size_t len);

#endif
