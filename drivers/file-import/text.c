/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <stdbool.h>

#define NO_CHARACTER 0xfffdu

/* 0x80 to 0x9f; 0: not assigned. */
static const uint16_t cp1252[32] = {0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
	0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0, 0, 0x2018, 0x2019, 0x201c, 0x201d,
	0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178};

/* Each takes one character of [at, end), at least one byte, and returns it. */

static uint32_t take_utf_8(const uint8_t **at, const uint8_t *end)
{
	const uint8_t *p = *at;
	int more = p[0] < 0x80                   ? 0
		   : p[0] >= 0xc2 && p[0] < 0xe0 ? 1
		   : (p[0] & 0xf0) == 0xe0       ? 2
		   : p[0] >= 0xf0 && p[0] < 0xf5 ? 3
						 : -1;
	uint32_t c = p[0] & (more == 1 ? 0x1fu : more == 2 ? 0x0fu : more == 3 ? 0x07u : 0x7fu);
	*at += 1;
	if (more < 0 || end - p <= more)
		return NO_CHARACTER;
	for (int i = 1; i <= more; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return NO_CHARACTER;
		c = c << 6 | (p[i] & 0x3fu);
	}
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
	if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return NO_CHARACTER;
	*at += more;
	return c;
}

static uint32_t unit_of(const uint8_t *p, bool is_big)
{
	return is_big ? (uint32_t)(p[0] << 8 | p[1]) : (uint32_t)(p[1] << 8 | p[0]);
}

static uint32_t take_utf_16(const uint8_t **at, const uint8_t *end, bool is_big)
{
	if (end - *at < 2) {
		*at = end;
		return NO_CHARACTER;
	}
	uint32_t c = unit_of(*at, is_big);
	*at += 2;
	if (c < 0xd800 || c >= 0xe000)
		return c;
	uint32_t low = end - *at >= 2 ? unit_of(*at, is_big) : 0;
	if (c >= 0xdc00 || low < 0xdc00 || low >= 0xe000)
		return NO_CHARACTER;
	*at += 2;
	return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
}

/* JIS X 0201 has no backslash, but the files' paths do: 0x5c stays as it is. */
static uint32_t take_shift_jis(const uint8_t **at, const uint8_t *end)
{
	uint8_t c = *(*at)++;
	if (c < 0x80)
		return c;
	if (c >= 0xa1 && c <= 0xdf)
		return 0xff61u + (c - 0xa1u);
	bool is_first = (c >= 0x81 && c <= 0x9f) || (c >= 0xe0 && c <= 0xfc);
	if (is_first && *at < end && **at >= 0x40 && **at != 0x7f && **at <= 0xfc)
		++*at;
	return NO_CHARACTER;
}

static uint32_t take(enum text_encoding encoding, const uint8_t **at, const uint8_t *end)
{
	switch (encoding) {
	case TEXT_UTF_8: return take_utf_8(at, end);
	case TEXT_UTF_16_LE:
	case TEXT_UTF_16_BE: return take_utf_16(at, end, encoding == TEXT_UTF_16_BE);
	case TEXT_SHIFT_JIS: return take_shift_jis(at, end);
	case TEXT_CP1252:
	case TEXT_LATIN_1: break;
	}
	uint8_t c = *(*at)++;
	if (encoding == TEXT_LATIN_1 || c < 0x80 || c >= 0xa0)
		return c;
	return cp1252[c - 0x80] != 0 ? cp1252[c - 0x80] : NO_CHARACTER;
}

/* Controls, also those that turn the direction of a line: U+061C, U+200E, U+2028 and so on. */
static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff ||
	       (c >= 0xfff9 && c <= 0xfffb);
}

static size_t put(char to[4], uint32_t c)
{
	size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const uint8_t heads[] = {0, 0, 0xc0, 0xe0, 0xf0};
	for (size_t i = n; i-- > 1; c >>= 6)
		to[i] = (char)(0x80 | (c & 0x3f));
	to[0] = (char)(heads[n] | c);
	return n;
}

void text_convert(
	char *to, size_t size, enum text_encoding encoding, const uint8_t *bytes, size_t len)
{
	const uint8_t *end = bytes + len;
	size_t used = 0, kept = 0; /* kept: up to the last one that is no blank */
	while (bytes < end) {
		uint32_t c = take(encoding, &bytes, end);
		char character[4];
		if (c == 0)
			break;
		if (is_control(c))
			c = ' ';
		size_t n = put(character, c);
		if (c == ' ' && used == 0)
			continue;
		if (used + n >= size)
			break;
		for (size_t i = 0; i < n; i++)
			to[used++] = character[i];
		if (c != ' ')
			kept = used;
	}
	to[kept] = '\0';
}
