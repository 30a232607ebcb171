/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer.  Zero is a valid empty buffer.  After an allocation failed or `limit`
 * was passed, the buffer is marked failed, keeps its bytes, and ignores further appends, so that
 * a writer may append many pieces and look once at the end.
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
 * Makes room for `len` more bytes and returns where they go (borrowed until the next append), or
 * NULL with the buffer marked failed.  The length is unchanged: add to `len` what was written.
 */
uint8_t *buffer_reserve(struct buffer *buffer, size_t len);

/* Appends a copy of `len` bytes. */
void buffer_append(struct buffer *buffer, const void *data, size_t len);

/* Removes the first `len` bytes, `len` <= buffer->len. */
void buffer_consume(struct buffer *buffer, size_t len);

#endif
