/* SPDX-License-Identifier: Apache-2.0 */
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

bool token_is_valid(struct assay_string token)
{
	for (size_t i = 0; i < token.len; i++) {
		char c = token.data[i];
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
			return false;
	}
	return token.len >= 1 && token.len <= ASSAY_TOKEN_MAX;
}

static size_t utf8_sequence(const uint8_t *p, size_t left)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t len = p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
	if (len == 0 || len > left)
		return 0;
	uint32_t code = p[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3f);
	}
	bool surrogate = code >= 0xd800 && code < 0xe000;
	return code < least[len] || code > 0x10ffff || surrogate ? 0 : len;
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
	for (size_t i = 0; i < len;) {
		if (len - i >= sizeof(uint64_t) && is_ascii_word(p + i)) {
			i += sizeof(uint64_t);
			continue;
		}
		size_t step = p[i] < 0x80 ? 1 : utf8_sequence(p + i, len - i);
		if (step == 0)
			return false;
		i += step;
	}
	return true;
}

/* Of the two-byte characters, U+0080 to U+009F are controls. */
void text_make_printable(char *text)
{
	size_t len = strlen(text);
	for (size_t i = 0, step; i < len; i += step) {
		uint8_t *at = (uint8_t *)text + i;
		step = at[0] < 0x80 ? 1 : utf8_sequence(at, len - i);
		if (step == 0) {
			text[i] = '\0';
			return;
		}
		if (at[0] < 0x20 || at[0] == 0x7f || (at[0] == 0xc2 && at[1] < 0xa0))
			memset(at, '?', step);
	}
}

bool assay_string_is(struct assay_string text, const char *word)
{
	size_t len = strlen(word);
	return text.len == len && text.data != NULL && memcmp(text.data, word, len) == 0;
}
