/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <assay/record.h>

#include "record/text.h"

int string_compare_row(const void *string, const void *row)
{
	const struct assay_string *text = string;
	const char *other = *(const char *const *)row;
	size_t len = strlen(other), shorter = text->len < len ? text->len : len;
	int order = shorter > 0 ? memcmp(text->data, other, shorter) : 0;
	return order != 0 ? order : (text->len > len) - (text->len < len);
}

bool text_copy(char *to, size_t size, struct assay_string text)
{
	size_t len = text.len < size ? text.len : size - 1;
	if (len > 0)
		memcpy(to, text.data, len);
	to[len] = '\0';
	return len == text.len;
}

bool name_is_valid(struct assay_string name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.data[i];
		bool later = (c >= '0' && c <= '9') || c == '_';
		if (!((c >= 'a' && c <= 'z') || (i > 0 && later)))
			return false;
	}
	return name.len >= 1 && name.len <= ASSAY_NAME_MAX;
}

bool cas_is_valid(struct assay_string cas)
{
	unsigned sum = 0, place = 0;
	size_t n = cas.len;
	if (n < 7 || n > 12 || cas.data[n - 2] != '-' || cas.data[n - 5] != '-')
		return false;
	for (size_t i = n; i-- > 0;) {
		if (i == n - 2 || i == n - 5)
			continue;
		if (cas.data[i] < '0' || cas.data[i] > '9')
			return false;
		sum += place++ * (unsigned)(cas.data[i] - '0');
	}
	return sum % 10 == (unsigned)(cas.data[n - 1] - '0');
}

bool token_is_valid(struct assay_string token)
{
	for (size_t i = 0; i < token.len; i++) {
		char c = token.data[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return false;
	}
	return token.len >= 1 && token.len <= ASSAY_TOKEN_MAX;
}

static bool is_ascii_word(const uint8_t *p)
{
	uint64_t word;
	memcpy(&word, p, sizeof word);
	return (word & UINT64_C(0x8080808080808080)) == 0;
}

bool text_is_utf8(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t code;
	for (size_t i = 0; i < len;) {
		if (len - i >= sizeof(uint64_t) && is_ascii_word(p + i)) {
			i += sizeof(uint64_t);
			continue;
		}
		size_t step = p[i] < 0x80 ? 1 : utf8_next(p + i, len - i, &code);
		if (step == 0)
			return false;
		i += step;
	}
	return true;
}

/* The next character of a text that may not be UTF-8: such a byte is U+FFFD. */
static size_t next_char(struct assay_string text, size_t at, uint32_t *code)
{
	size_t step = utf8_next((const uint8_t *)text.data + at, text.len - at, code);
	if (step == 0)
		*code = 0xfffd;
	return step > 0 ? step : 1;
}

/* As it is, or its escape when people do not see it. */
static void escape_char(
	char out[12], struct assay_string text, size_t at, size_t step, uint32_t code)
{
	const char *letter = code == '\n'   ? "\\n"
			     : code == '\r' ? "\\r"
			     : code == '\t' ? "\\t"
					    : NULL;
	if (letter != NULL)
		snprintf(out, 12, "%s", letter);
	else if (code < 0x80 && glyph_of(code) == GLYPH_CONTROL)
		snprintf(out, 12, "\\x%02x", code);
	else if (code == 0xfffd && step == 1)
		snprintf(out, 12, "\\x%02x", (uint8_t)text.data[at]);
	else if (glyph_of(code) > GLYPH_BLANK)
		snprintf(out, 12, code > 0xffff ? "\\U%08x" : "\\u%04x", code);
	else
		snprintf(out, 12, "%.*s", (int)step, text.data + at);
}

void text_escape(char *to, size_t size, struct assay_string text)
{
	size_t len = 0, step;
	uint32_t code;
	to[0] = '\0';
	for (size_t at = 0; at < text.len; at += step) {
		char out[12];
		step = next_char(text, at, &code);
		escape_char(out, text, at, step, code);
		if (len + strlen(out) >= size)
			return;
		len += (size_t)snprintf(to + len, size - len, "%s", out);
	}
}

static void name_char(char out[40], uint32_t code)
{
	static const struct {
		uint32_t code;
		const char *name;
	} names[] = {{0x00, "NUL"}, {0x02, "start of text (STX)"}, {0x03, "end of text (ETX)"},
		{0x04, "end of transmission (EOT)"}, {0x09, "a tab"}, {0x0a, "a line feed"},
		{0x0d, "a carriage return"}, {0x1b, "escape (ESC)"},
		{0x1d, "a group separator (GS)"}, {0x1e, "a record separator (RS)"},
		{0x20, "a blank"}, {0xa0, "a no-break space"}, {0x200b, "a zero width space"},
		{0xfeff, "a byte order mark"}, {0x3000, "an ideographic space"}};
	static const char *const kinds[] = {[GLYPH_BLANK] = "a blank",
		[GLYPH_CONTROL] = "a control character",
		[GLYPH_INVISIBLE] = "an invisible character"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (names[i].code == code) {
			snprintf(out, 40, "%s", names[i].name);
			return;
		}
	}
	snprintf(out, 40, "%s (U+%04X)", kinds[glyph_of(code)], code);
}

static const char *remedy(enum glyph glyph, bool at_end, bool at_begin)
{
	if (glyph == GLYPH_BLANK)
		return "leave it out";
	if (glyph == GLYPH_INVISIBLE)
		return "it comes with texts that were copied; type the text";
	return at_end     ? "set the scanner's suffix"
	       : at_begin ? "set the scanner's prefix"
			  : "set the scanner so that it leaves it out";
}

int text_check_id(struct assay_string text, char *why, size_t size)
{
	uint32_t first = 0, last = 0, inner = 'a', code;
	char shown[240], name[40];
	bool is_blank = text.len > 0;
	for (size_t at = 0, step; at < text.len; at += step) {
		step = next_char(text, at, &code);
		if (code == 0xfffd && step == 1) {
			text_escape(shown, sizeof shown, text);
			snprintf(why, size, "'%s' is not UTF-8", shown);
			return -EINVAL;
		}
		first = at == 0 ? code : first;
		last = code;
		inner = glyph_of(code) > GLYPH_BLANK ? code : inner;
		is_blank = is_blank && glyph_of(code) != GLYPH_SEEN;
	}
	bool at_end = glyph_of(last) != GLYPH_SEEN, at_begin = glyph_of(first) != GLYPH_SEEN;
	uint32_t fault = at_end ? last : at_begin ? first : inner;
	if (text.len == 0 || glyph_of(fault) == GLYPH_SEEN)
		return 0;
	text_escape(shown, sizeof shown, text);
	name_char(name, fault);
	if (is_blank)
		snprintf(why, size, "'%s' has no visible character", shown);
	else
		snprintf(why, size, "'%s' %s %s: %s", shown,
			at_end     ? "ends with"
			: at_begin ? "begins with"
				   : "contains",
			name, remedy(glyph_of(fault), at_end, at_begin));
	return -EINVAL;
}

bool assay_string_is(struct assay_string text, const char *word)
{
	size_t len = strlen(word);
	return text.len == len && text.data != NULL && memcmp(text.data, word, len) == 0;
}
