/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers at a place of bytes that the caller has checked to be there, and the reading of such bytes. */
#ifndef FILE_IMPORT_BYTES_H
#define FILE_IMPORT_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "format.h"

/* True if [offset, offset + len) lies in a size: no sum overflows. */
static inline bool bytes_fit(uint64_t offset, uint64_t len, uint64_t size)
{
	return offset <= size && len <= size - offset;
}

/* True if `count` items of `each` bytes from `offset` on lie in a size. */
static inline bool bytes_fit_items(uint64_t offset, uint64_t count, uint64_t each, uint64_t size)
{
	return offset <= size && (each == 0 || count <= (size - offset) / each);
}

static inline uint16_t get_le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint16_t get_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t get_le32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t get_le64(const uint8_t *p)
{
	return (uint64_t)get_le32(p + 4) << 32 | get_le32(p);
}

static inline uint64_t get_be64(const uint8_t *p)
{
	return (uint64_t)get_be32(p) << 32 | get_be32(p + 4);
}

static inline float bytes_f32(uint32_t bits)
{
	float value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

static inline double bytes_f64(uint64_t bits)
{
	double value;
	memcpy(&value, &bits, sizeof value);
	return value;
}

static inline float get_le_f32(const uint8_t *p)
{
	return bytes_f32(get_le32(p));
}

static inline float get_be_f32(const uint8_t *p)
{
	return bytes_f32(get_be32(p));
}

static inline double get_le_f64(const uint8_t *p)
{
	return bytes_f64(get_le64(p));
}

static inline double get_be_f64(const uint8_t *p)
{
	return bytes_f64(get_be64(p));
}

/* True if the name ends so, in any case of the letters; `end` is in small ones. */
static inline bool name_ends(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);
	for (size_t i = 0; i < m && m <= n; i++) {
		char c = name[n - m + i];
		if ((c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c) != end[i])
			return false;
	}
	return m <= n;
}

/* The file of a data set at this path, in any case of the letters, `path` in small ones; -1: none. */
static inline int source_find(const struct source *s, const char *path)
{
	for (unsigned i = 0; i < s->files; i++)
		if (strlen(s->file[i].path) == strlen(path) && name_ends(s->file[i].path, path))
			return (int)i;
	return -1;
}

/*
 * True if the end of these values was probably not written: the last 64 bytes of them, or more than the half
 * if that is less, are zero.  An instrument's numbers are not, but those of a file that has its final
 * length before its bytes are.
 */
static inline bool bytes_end_in_zeros(const uint8_t *values, size_t len)
{
	size_t tail = len / 2 + 1 < 64 ? len / 2 + 1 : 64;
	for (size_t i = 0; i < tail && i < len; i++)
		if (values[len - 1 - i] != 0)
			return false;
	return len > 0;
}

#endif
