/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing CBOR in the encoding profile of a record: definite lengths, shortest integers, floats
 * as given, arrays of numbers as RFC 8746 little-endian typed arrays.  Everything is appended to
 * a struct buffer; failure (no memory, over its limit) is sticky there, so that a writer appends
 * all its pieces and looks at `failed` once.  Nothing is borrowed past the call.
 */
#ifndef ASSAY_RECORD_ENCODE_H
#define ASSAY_RECORD_ENCODE_H

#include <assay/record.h>

#include "base/buffer.h"

/* Heads: `pairs` or `items` that the caller appends next. */
void encode_map(struct buffer *to, size_t pairs);
void encode_array(struct buffer *to, size_t items);
void encode_tag(struct buffer *to, uint64_t tag);

void encode_text(struct buffer *to, const char *text);
void encode_text_n(struct buffer *to, const char *text, size_t len);
void encode_bytes(struct buffer *to, const void *data, size_t len);
void encode_bytes_head(struct buffer *to, size_t len); /* the bytes follow */
void encode_uint(struct buffer *to, uint64_t value);
void encode_int(struct buffer *to, int64_t value);
void encode_bool(struct buffer *to, bool value);
void encode_f32(struct buffer *to, float value);
void encode_f64(struct buffer *to, double value);

/* A typed array of `count` elements in the machine's order, which is little-endian. */
void encode_typed(struct buffer *to, enum assay_element element, const void *data, size_t count);

/* The same with dimensions (tag 40): count = product of `shape`, the last one fastest. */
void encode_nd(struct buffer *to, const size_t *shape, size_t dims, enum assay_element element,
	const void *data, size_t count);

/* An evenly spaced axis {start, step, n}. */
void encode_linear(struct buffer *to, double start, double step, size_t n);

/* A quantity {v, u}, as in the maps `settings`, `env` and `values`. */
void encode_quantity(struct buffer *to, double value, const char *unit);

/* CBOR that is already encoded: one item, or pairs that the head of their map counts. */
void encode_raw(struct buffer *to, const void *data, size_t len);

/*
 * A map that counts its pairs while they are written:
 *
 *	struct map map;
 *	map_open(&map, to);
 *	map_text(&map, "op", "hello");
 *	map_uint(&map, "proto", 1);
 *	map_close(&map);
 *
 * Between open and close only this map's pairs, and maps opened inside a value, are appended.
 */
struct map {
	struct buffer *to;
	size_t at, pairs;
};

void map_open(struct map *map, struct buffer *to);
void map_close(struct map *map);

/* Writes the key; the caller writes one item after it. */
void map_key(struct map *map, const char *key);

/* A pair each.  map_text() and map_bytes() write nothing when the value is NULL. */
void map_text(struct map *map, const char *key, const char *value);
void map_text_n(struct map *map, const char *key, const char *value, size_t len);
void map_bytes(struct map *map, const char *key, const void *data, size_t len);
void map_uint(struct map *map, const char *key, uint64_t value);
void map_bool(struct map *map, const char *key, bool value);
void map_f64(struct map *map, const char *key, double value);

/* `len` bytes that hold `pairs` encoded pairs. */
void map_pairs(struct map *map, const void *data, size_t len, size_t pairs);

#endif
