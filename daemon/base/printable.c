/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <string.h>

#include "base/printable.h"

/* Bytes of the character that begins with `first`; 0: none does. */
static size_t length_of(uint8_t first)
{
	return first < 0x80   ? 1
	       : first < 0xc2 ? 0
	       : first < 0xe0 ? 2
	       : first < 0xf0 ? 3
	       : first < 0xf5 ? 4
			      : 0;
}

size_t utf8_next(const uint8_t *p, size_t left, uint32_t *code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = left > 0 ? length_of(p[0]) : 0;
	if (len == 0 || len > left)
		return 0;
	*code = len == 1 ? p[0] : p[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (p[i] & 0x3f);
	}
	bool surrogate = *code >= 0xd800 && *code < 0xe000;
	return *code < least[len] || *code > 0x10ffff || surrogate ? 0 : len;
}

struct codes {
	uint32_t first, last;
};

static bool is_in(uint32_t code, const struct codes *all, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (code >= all[i].first && code <= all[i].last)
			return true;
	}
	return false;
}

/* Unicode's White_Space, and the empty Braille pattern; line ends are controls. */
static const struct codes blanks[] = {{0x20, 0x20}, {0xa0, 0xa0}, {0x1680, 0x1680},
	{0x2000, 0x200a}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x2800, 0x2800}, {0x3000, 0x3000}};

static const struct codes controls[] = {
	{0x00, 0x1f}, {0x7f, 0x9f}, {0x2028, 0x2029} /* line and paragraph separator */};

/*
 * Unicode's Default_Ignorable_Code_Point, without the variation selectors, which choose the form of
 * the character before them (Japanese names are written with them), and the annotation marks.
 */
static const struct codes invisibles[] = {{0xad, 0xad}, {0x034f, 0x034f}, {0x061c, 0x061c},
	{0x115f, 0x1160}, {0x17b4, 0x17b5}, {0x180e, 0x180e}, {0x200b, 0x200f}, {0x202a, 0x202e},
	{0x2060, 0x206f}, {0x3164, 0x3164}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff0, 0xfffb},
	{0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe00ff}, {0xe01f0, 0xe0fff}};

#define IS_IN(code, all) is_in(code, all, sizeof(all) / sizeof *(all))

enum glyph glyph_of(uint32_t code)
{
	if (code > 0x20 && code < 0x7f)
		return GLYPH_SEEN;
	return IS_IN(code, blanks)       ? GLYPH_BLANK
	       : IS_IN(code, controls)   ? GLYPH_CONTROL
	       : IS_IN(code, invisibles) ? GLYPH_INVISIBLE
					 : GLYPH_SEEN;
}

void text_make_printable(char *text)
{
	uint8_t *from = (uint8_t *)text, *to = from;
	for (size_t left = strlen(text), step; left > 0; from += step, left -= step) {
		uint32_t code = 0;
		step = utf8_next(from, left, &code);
		if (step == 0 && length_of(from[0]) > left)
			break;
		bool is_seen = step > 0 && glyph_of(code) <= GLYPH_BLANK;
		if (is_seen)
			memmove(to, from, step);
		else
			*to = '?';
		to += is_seen ? step : 1;
		step += step == 0;
	}
	*to = '\0';
}
