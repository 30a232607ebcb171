/* SPDX-License-Identifier: Apache-2.0 */
#include "pattern.h"

#include <stdio.h>
#include <string.h>

static const char *const kinds[] = {"number", "integer", "hex", "word", "text", "numbers",
	"float32le", "float32be", "blanks", "address"};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int hex_digit(char c)
{
	return is_digit(c)            ? c - '0'
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
				      : -1;
}

/* --- reading a pattern ------------------------------------------------------------------------ */

size_t pattern_character(const char *at, char *c)
{
	*c = at[0];
	if (at[0] != '\\')
		return at[0] != '\0';
	*c = at[1] == 'r' ? '\r' : at[1] == 'n' ? '\n' : at[1] == 't' ? '\t' : at[1];
	if (at[1] == 'x' && hex_digit(at[2]) >= 0 && hex_digit(at[3]) >= 0) {
		*c = (char)(hex_digit(at[2]) << 4 | hex_digit(at[3]));
		return 4;
	}
	bool is_letter = ((at[1] | 32) >= 'a' && (at[1] | 32) <= 'z') || is_digit(at[1]);
	return at[1] == '\0' || (is_letter && *c == at[1]) ? 0 : 2;
}

long pattern_unescape(const char *text, char *out, size_t size)
{
	size_t len = 0;
	while (*text != '\0') {
		char c;
		size_t n = pattern_character(text, &c);
		if (n == 0)
			return -1;
		if (len < size)
			out[len++] = c;
		text += n;
	}
	return (long)len;
}

enum token_type { TOKEN_END, TOKEN_CHARACTER, TOKEN_BLANK, TOKEN_PART };

struct token {
	enum token_type type;
	char character;
	struct part part;    /* name and kind */
	const char *choices; /* of PART_CHOICE */
	size_t choices_len;
	size_t width; /* 0: none */
};

/* The words of {...}: [name] kind [width], or [name] A|B.  NULL or the fault. */
static const char *read_words(const char *at, size_t len, struct token *t)
{
	struct {
		const char *text;
		size_t len;
	} words[3];
	size_t count = 0, kind;
	for (size_t i = 0; i < len;) {
		size_t n = 0;
		while (i + n < len && !is_blank(at[i + n]))
			n += at[i + n] == '\\' ? 2 : 1;
		if (n > 0 && count == 3)
			return "more than a name, a kind and a width";
		if (n > 0) {
			words[count].text = at + i;
			words[count++].len = n;
		}
		i += n > 0 ? n : 1;
	}
	if (count == 0)
		return "an empty part";
	size_t last = count - 1;
	bool is_one = words[last].text[0] == '=';
	if (is_one || memchr(words[last].text, '|', words[last].len) != NULL) {
		t->part.kind = PART_CHOICE;
		t->choices = words[last].text + is_one;
		t->choices_len = words[last].len - is_one;
	} else {
		size_t digits = 0;
		while (digits < words[last].len && is_digit(words[last].text[digits]))
			t->width = t->width * 10 + (size_t)(words[last].text[digits++] - '0');
		if (digits > 4 || (digits > 0 && (digits < words[last].len || t->width == 0)))
			return "a width is 1 to 9999";
		if (digits > 0 && last-- == 0)
			return "a width without a kind";
		for (kind = 0; kind < sizeof(kinds) / sizeof(*kinds); kind++)
			if (strlen(kinds[kind]) == words[last].len &&
				memcmp(kinds[kind], words[last].text, words[last].len) == 0)
				break;
		if (kind == sizeof(kinds) / sizeof(*kinds))
			return "expected number, integer, hex, word, text, numbers, float32le, "
			       "float32be, blanks, address, a choice A|B or one text =A";
		t->part.kind = (enum part_kind)kind;
	}
	if (last == 0)
		return NULL;
	size_t n = 0;
	while (n < words[0].len &&
		strchr("abcdefghijklmnopqrstuvwxyz0123456789_", words[0].text[n]))
		n++;
	if (last > 1 || n < words[0].len || n > PART_NAME_MAX || is_digit(words[0].text[0]))
		return "a name is a-z, 0-9 and _, starts with a letter, at most 32";
	t->part.name = words[0].text;
	t->part.name_len = words[0].len;
	return NULL;
}

/* Reads the next token of a pattern and moves on; NULL or the fault. */
static const char *next(const char **at, struct token *t)
{
	*t = (struct token){.type = TOKEN_END};
	if (is_blank(**at)) {
		t->type = TOKEN_BLANK;
		*at += strspn(*at, " \t");
	} else if (**at == '{') {
		const char *start = ++*at;
		t->type = TOKEN_PART;
		while (**at != '}') {
			char c;
			size_t n = pattern_character(*at, &c);
			if (n == 0)
				return **at == '\0' ? "'}' is missing" : "a wrong escape";
			*at += n;
		}
		return read_words(start, (size_t)((*at)++ - start), t);
	} else if (**at == '}') {
		return "'}' without '{': write \\}";
	} else if (**at != '\0') {
		t->type = TOKEN_CHARACTER;
		size_t n = pattern_character(*at, &t->character);
		if (n == 0)
			return "a wrong escape: expected \\r \\n \\t \\\\ \\{ or \\x and two "
			       "digits";
		*at += n;
	}
	return NULL;
}

const char *pattern_fault(const char *pattern, const char *address, char *why, size_t size)
{
	const char *at = pattern, *fault = NULL;
	struct token t, before = {.type = TOKEN_BLANK};
	for (bool is_end = false; fault == NULL && !is_end; before = t) {
		const char *start = at;
		fault = next(&at, &t);
		enum part_kind kind = t.part.kind;
		bool is_part = t.type == TOKEN_PART, takes_width = kind <= PART_TEXT;
		bool is_float = kind == PART_FLOAT32LE || kind == PART_FLOAT32BE;
		bool is_open = before.type == TOKEN_PART && before.width == 0;
		if (fault != NULL)
			;
		else if (is_part && is_float && t.width == 0)
			fault = "the number of values is missing, such as {single_beam float32le "
				"128}";
		else if (is_part && t.width > 0 && !takes_width && !is_float)
			fault = "this kind has no width";
		else if (is_part && t.part.name != NULL &&
			 (kind == PART_BLANKS || kind == PART_ADDRESS))
			fault = "this kind has no name";
		else if (is_part && kind == PART_ADDRESS && address == NULL)
			fault = "the setting 'address' is missing";
		else if (is_part && is_open && before.part.kind == PART_TEXT)
			fault = "where does the text before this part end? Give it a width";
		else if (is_part && is_open && before.part.kind == PART_WORD && kind != PART_BLANKS)
			fault = "where does the word before this part end? Give it a width";
		if (fault != NULL)
			snprintf(why, size, "character %d, '%.20s': %s", (int)(start - pattern) + 1,
				start, fault);
		is_end = t.type == TOKEN_END;
	}
	return fault != NULL ? why : NULL;
}

void pattern_names(const char *pattern, void (*each)(void *arg, const struct part *part), void *arg)
{
	struct token t;
	while (next(&pattern, &t) == NULL && t.type != TOKEN_END)
		if (t.part.name != NULL)
			each(arg, &t.part);
}

/* --- matching --------------------------------------------------------------------------------- */

static size_t digits_at(const char *text, size_t len)
{
	size_t n = 0;
	while (n < len && is_digit(text[n]))
		n++;
	return n;
}

static size_t blanks_at(const char *text, size_t len)
{
	size_t n = 0;
	while (n < len && is_blank(text[n]))
		n++;
	return n;
}

static size_t integer_at(const char *text, size_t len)
{
	size_t sign = len > 0 && (text[0] == '-' || text[0] == '+');
	size_t n = digits_at(text + sign, len - sign);
	return n > 0 ? sign + n : 0;
}

static size_t hex_at(const char *text, size_t len)
{
	size_t n = 0;
	while (n < len && hex_digit(text[n]) >= 0)
		n++;
	return n <= 16 ? n : 0;
}

size_t pattern_number(const char *text, size_t len)
{
	size_t at = len > 0 && (text[0] == '-' || text[0] == '+');
	at += at > 0 ? blanks_at(text + at, len - at) : 0;
	size_t whole = digits_at(text + at, len - at), decimals = 0;
	at += whole;
	if (at < len && text[at] == '.') {
		decimals = digits_at(text + at + 1, len - at - 1);
		at += decimals + 1;
	}
	if (whole + decimals == 0)
		return 0;
	if (at < len && (text[at] | 32) == 'e') {
		size_t n = integer_at(text + at + 1, len - at - 1);
		at += n > 0 ? n + 1 : 0;
	}
	return at;
}

static size_t numbers_at(const char *text, size_t len)
{
	size_t end = 0, at = 0;
	for (size_t n; (n = pattern_number(text + at, len - at)) > 0;) {
		at = end = at + n;
		while (at < len && (is_blank(text[at]) || text[at] == ',' || text[at] == ';'))
			at++;
		if (at == end)
			break;
	}
	return end;
}

/* Up to the pattern's next character or blank, or to the end; a word has no control characters. */
static size_t text_at(const char *next_at, bool is_word, const char *text, size_t len)
{
	struct token after;
	size_t n = 0;
	next(&next_at, &after);
	while (n < len && !(after.type == TOKEN_CHARACTER && text[n] == after.character) &&
		!(after.type == TOKEN_BLANK && is_blank(text[n])) &&
		!(is_word && (uint8_t)text[n] <= ' '))
		n++;
	return n;
}

/* A mark in place of a number: -----, ^^^^, --.--, or one with # before it. */
static size_t mark_at(const char *next_at, const char *text, size_t len)
{
	size_t n = 0;
	if (len > 0 && text[0] == '#')
		return text_at(next_at, true, text, len);
	while (n < len && strchr("-_*^?<>=.", text[n]) != NULL && text[n] != '\0')
		n++;
	return n >= 2 ? n : 0;
}

/* The longest of the alternatives; false if none is there. */
static bool choice_at(const struct token *t, const char *text, size_t len, size_t *longest)
{
	const char *at = t->choices, *end = t->choices + t->choices_len;
	bool is_found = false;
	*longest = 0;
	while (at <= end) {
		size_t n = 0, step;
		bool is_same = true;
		for (char c; at < end && *at != '|'; at += step) {
			step = pattern_character(at, &c);
			is_same = is_same && n < len && text[n] == c;
			n++;
		}
		if (is_same && (!is_found || n > *longest)) {
			is_found = true;
			*longest = n;
		}
		at++;
	}
	return is_found;
}

/* The number of bytes of the line that the part takes; false if they do not fit it. */
static bool part_at(const struct token *t, const char *next_at, const char *address,
	const char *text, size_t len, size_t *taken, bool *is_mark)
{
	switch (t->part.kind) {
	case PART_NUMBER:
		*taken = pattern_number(text, len);
		if (*taken == 0)
			*is_mark = (*taken = mark_at(next_at, text, len)) > 0;
		return *taken > 0;
	case PART_INTEGER: return (*taken = integer_at(text, len)) > 0;
	case PART_HEX: return (*taken = hex_at(text, len)) > 0;
	case PART_WORD: return (*taken = text_at(next_at, true, text, len)) > 0;
	case PART_TEXT: *taken = text_at(next_at, false, text, len); return true;
	case PART_NUMBERS: return (*taken = numbers_at(text, len)) > 0;
	case PART_FLOAT32LE:
	case PART_FLOAT32BE: *taken = 4 * t->width; return *taken <= len;
	case PART_BLANKS: *taken = blanks_at(text, len); return true;
	case PART_ADDRESS:
		*taken = strlen(address);
		return *taken <= len && memcmp(text, address, *taken) == 0;
	case PART_CHOICE: return choice_at(t, text, len, taken);
	}
	return false;
}

/* A part of fixed width: its bytes, without the blanks around them, are it. */
static bool field_at(
	const struct token *t, const char *address, const char *text, struct part *part)
{
	size_t first = blanks_at(text, t->width), len = t->width - first, taken;
	while (len > 0 && is_blank(text[first + len - 1]))
		len--;
	part->text = text + first;
	part->len = len;
	return part_at(t, "", address, part->text, len, &taken, &part->is_mark) && taken == len;
}

static bool add(struct parts *parts, const struct part *part)
{
	for (size_t i = 0; i < parts->count; i++)
		if (parts->list[i].name_len == part->name_len &&
			memcmp(parts->list[i].name, part->name, part->name_len) == 0)
			parts->is_double = true;
	parts->is_double = parts->is_double || parts->count == PARTS_MAX;
	if (!parts->is_double)
		parts->list[parts->count++] = *part;
	return !parts->is_double;
}

static bool match_part(const struct token *t, const char *next_at, const char *address,
	const char **line, size_t *len, struct parts *parts)
{
	struct part part = t->part;
	bool is_field = t->width > 0 && part.kind <= PART_TEXT;
	size_t taken = t->width;
	if (is_field ? taken > *len || !field_at(t, address, *line, &part)
		     : !part_at(t, next_at, address, *line, *len, &taken, &part.is_mark))
		return false;
	if (!is_field) {
		part.text = *line;
		part.len = taken;
	}
	*line += taken;
	*len -= taken;
	return part.name == NULL || add(parts, &part);
}

bool pattern_match(
	const char *pattern, const char *address, const char *line, size_t len, struct parts *parts)
{
	size_t before = parts->count;
	for (struct token t; next(&pattern, &t) == NULL;) {
		size_t blanks = blanks_at(line, len);
		if (t.type == TOKEN_END && len == 0)
			return true;
		if (t.type == TOKEN_PART) {
			if (!match_part(&t, pattern, address, &line, &len, parts))
				break;
			continue;
		}
		size_t n = t.type == TOKEN_BLANK
				   ? blanks
				   : len > 0 && t.type == TOKEN_CHARACTER && line[0] == t.character;
		if (n == 0)
			break;
		line += n;
		len -= n;
	}
	parts->count = before;
	return false;
}

const struct part *parts_find(const struct parts *parts, const char *name)
{
	for (size_t i = 0; name != NULL && i < parts->count; i++)
		if (strlen(name) == parts->list[i].name_len &&
			memcmp(name, parts->list[i].name, parts->list[i].name_len) == 0)
			return &parts->list[i];
	return NULL;
}
