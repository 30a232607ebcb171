/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "config/hint.h"

struct line {
	const char *text;
	size_t len, indent;
};

/* Line `number` of the text, counted from 1; empty past the end. */
static struct line find_line(const char *text, size_t len, unsigned number)
{
	const char *at = text, *end = text + len;
	for (unsigned i = 1; i < number && at < end; i++) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		at = stop != NULL ? stop + 1 : end;
	}
	struct line line = {.text = at};
	while (at + line.len < end && at[line.len] != '\n' && at[line.len] != '\r')
		line.len++;
	while (line.indent < line.len && line.text[line.indent] == ' ')
		line.indent++;
	return line;
}

static bool is_blank(const struct line *line)
{
	return line->indent == line->len || line->text[line->indent] == '#';
}

struct config_mark hint_mark_of_byte(const char *text, size_t len, size_t offset, const char *file)
{
	struct config_mark mark = {file, 1, 1};
	for (size_t i = 0; i < offset && i < len; i++) {
		mark.column += ((unsigned char)text[i] & 0xc0) != 0x80;
		if (text[i] == '\n') {
			mark.line++;
			mark.column = 1;
		}
	}
	return mark;
}

/* The length of `key:` at the start of a text if no space follows, else 0. */
static size_t glued_key(const char *text, size_t len)
{
	size_t n = 0;
	while (n < len && (isalnum((unsigned char)text[n]) || text[n] == '_' || text[n] == '-'))
		n++;
	bool glued = n > 0 && n + 1 < len && text[n] == ':' && text[n + 1] != ' ' &&
		     text[n + 1] != '\t' && text[n + 1] != '/' && text[n + 1] != ':';
	return glued ? n + 1 : 0;
}

static const char *const quotes[] = {"“", "”", "„", "‟", "«", "»", "‘", "’", "‚", "‛", "‹", "›"};
#define QUOTE_COUNT (sizeof quotes / sizeof quotes[0])
#define QUOTE_HINT  "; typographic quotes are part of a text: use ' or \""

size_t hint_typographic(const char *text)
{
	size_t len = strlen(text);
	for (size_t i = 0; i < QUOTE_COUNT; i++) {
		size_t n = strlen(quotes[i]);
		bool is_there = len >= n && (memcmp(text, quotes[i], n) == 0 ||
						    memcmp(text + len - n, quotes[i], n) == 0);
		if (is_there)
			return n;
	}
	return 0;
}

/* "20,5 s" or "1,000" */
static bool has_comma(const char *text)
{
	size_t n = text[0] == '-' || text[0] == '+', digits = strspn(text + n, "0123456789");
	return digits > 0 && text[n + digits] == ',' &&
	       isdigit((unsigned char)text[n + digits + 1]);
}

const char *hint_value(const char *found, char *hint, size_t size)
{
	size_t n = glued_key(found, strlen(found));
	snprintf(hint, size, "%s", "");
	if (n != 0)
		snprintf(hint, size, "; is a space missing after '%.*s'?", (int)(n > 40 ? 40 : n),
			found);
	else if (has_comma(found))
		snprintf(hint, size, "; a number has a decimal point, no comma");
	else if (hint_typographic(found) != 0)
		snprintf(hint, size, QUOTE_HINT);
	return hint;
}

/* --- the usual reasons ------------------------------------------------------------------------ */

struct hint {
	const char *text;
	size_t len;
	const char *problem;        /* libyaml's */
	struct config_mark context; /* start of the item that it was reading */
	struct config_mark *mark;
	char *message;
	size_t size;
};

/* Each checks one reason; false: it is another. */
typedef bool hint_reason(struct hint *h);

static bool has_phrase(const struct hint *h, const char *phrase)
{
	return strstr(h->problem, phrase) != NULL;
}

static bool is_tab(struct hint *h)
{
	struct line line = find_line(h->text, h->len, h->mark->line);
	if (line.indent >= line.len || line.text[line.indent] != '\t')
		return false;
	h->mark->column = (unsigned)line.indent + 1;
	snprintf(h->message, h->size,
		"a tab was found, expected spaces: YAML is indented with spaces only");
	return true;
}

/* In the line of the error, or the last one before it, where libyaml may have gone on reading. */
static bool is_no_break_space(struct hint *h)
{
	for (unsigned n = h->mark->line; n > 0 && n + 2 > h->mark->line; n--) {
		struct line line = find_line(h->text, h->len, n);
		bool is_there = line.len - line.indent >= 2 &&
				memcmp(line.text + line.indent, HINT_NO_BREAK, 2) == 0;
		if (!is_there)
			continue;
		h->mark->line = n;
		h->mark->column = (unsigned)line.indent + 1;
		snprintf(h->message, h->size, HINT_INDENTED);
		return true;
	}
	return false;
}

static bool is_open_quote(struct hint *h)
{
	if (!has_phrase(h, "unexpected end of stream") &&
		!has_phrase(h, "unexpected document indicator"))
		return false;
	*h->mark = h->context;
	snprintf(h->message, h->size, "the quote that opens here is not closed");
	return true;
}

/* In one line the place of the error is shown, over several lines the place of the bracket. */
static bool is_open_bracket(struct hint *h)
{
	if (!has_phrase(h, "',' or '"))
		return false;
	char bracket = has_phrase(h, "']'") ? ']' : '}';
	if (h->mark->line == h->context.line) {
		snprintf(h->message, h->size,
			"expected ',' or '%c' here; a text with brackets, commas or ': ' in it "
			"needs quotes",
			bracket);
		return true;
	}
	unsigned line = h->mark->line;
	*h->mark = h->context;
	snprintf(h->message, h->size,
		"the '%c' that opens here is not closed, or a comma is missing before line %u",
		bracket == ']' ? '[' : '{', line);
	return true;
}

static bool is_forbidden_start(struct hint *h)
{
	if (!has_phrase(h, "cannot start any token"))
		return false;
	snprintf(h->message, h->size, "a text that starts with this character needs quotes");
	return true;
}

static bool is_missing_value(struct hint *h)
{
	if (!has_phrase(h, "expected node content"))
		return false;
	snprintf(h->message, h->size, "a value or a closing bracket is missing here");
	return true;
}

/* In the line itself or in the last one before it, which libyaml joined with it. */
static bool is_glued_colon(struct hint *h)
{
	unsigned looked = 0;
	for (unsigned n = h->mark->line; n > 0 && looked < 2; n--) {
		struct line line = find_line(h->text, h->len, n);
		if (is_blank(&line))
			continue;
		looked++;
		const char *from = line.text + line.indent;
		size_t key = glued_key(from, line.len - line.indent);
		if (key == 0)
			continue;
		h->mark->line = n;
		h->mark->column = (unsigned)(line.indent + key) + 1;
		snprintf(h->message, h->size, "a space is missing after '%.*s'",
			(int)(key > 40 ? 40 : key), from);
		return true;
	}
	return false;
}

static bool is_nameless(struct hint *h)
{
	struct line line = find_line(h->text, h->len, h->mark->line);
	if (line.indent >= line.len || line.text[line.indent] != ':')
		return false;
	h->mark->column = (unsigned)line.indent + 1;
	snprintf(h->message, h->size, "a name is missing before the colon");
	return true;
}

/* The last line before it that is not blank, or 0. */
static unsigned line_before(const struct hint *h, struct line *before)
{
	unsigned n = h->mark->line - 1;
	for (; n > 0; n--) {
		*before = find_line(h->text, h->len, n);
		if (!is_blank(before))
			break;
	}
	return n;
}

/* "driver amptek-dp5" above "link: usb": libyaml takes both lines for one text. */
static bool is_missing_colon(struct hint *h)
{
	struct line line = find_line(h->text, h->len, h->mark->line), before;
	unsigned n = line_before(h, &before);
	bool is_joined = has_phrase(h, "mapping values") && n != 0 &&
			 before.indent == line.indent &&
			 memchr(before.text, ':', before.len) == NULL;
	if (!is_joined)
		return false;
	h->mark->line = n;
	h->mark->column = (unsigned)before.indent + 1;
	snprintf(h->message, h->size, "a colon is missing in this line, expected 'name: value'");
	return true;
}

/* Whether there is a ': ' before the one at the mark. */
static bool is_second_colon(struct hint *h)
{
	struct line line = find_line(h->text, h->len, h->mark->line);
	if (!has_phrase(h, "mapping values"))
		return false;
	for (size_t i = 0; i + 1 < line.len && i + 1 < h->mark->column; i++) {
		if (line.text[i] != ':' || line.text[i + 1] != ' ')
			continue;
		snprintf(h->message, h->size,
			"a second ': ' in one line was found; a text with a colon needs quotes, a "
			"key its own line");
		return true;
	}
	return false;
}

/* libyaml reports the first character of such a line, or the colon of its key. */
static bool is_indentation(struct hint *h)
{
	struct line line = find_line(h->text, h->len, h->mark->line), before;
	unsigned n = line_before(h, &before);
	bool at_start = h->mark->column <= line.indent + 1 || has_phrase(h, "mapping values");
	if (!at_start || is_blank(&line) || n == 0 || line.indent == before.indent)
		return false;
	h->mark->column = (unsigned)line.indent + 1;
	snprintf(h->message, h->size,
		"this line is indented by %zu space%s and does not line up with the lines before "
		"it (line %u has %zu)",
		line.indent, line.indent == 1 ? "" : "s", n, before.indent);
	return true;
}

static bool is_rest_of_line(struct hint *h)
{
	if (!has_phrase(h, "expected <block end>") && !has_phrase(h, "expected key"))
		return false;
	snprintf(h->message, h->size,
		"expected the end of the line here: a bracket too many, or a text with brackets "
		"that needs quotes");
	return true;
}

static hint_reason *const reasons[] = {is_tab, is_no_break_space, is_open_quote, is_open_bracket,
	is_forbidden_start, is_missing_value, is_glued_colon, is_nameless, is_missing_colon,
	is_second_colon, is_indentation, is_rest_of_line};

void hint_syntax(const char *text, size_t len, const char *problem, struct config_mark context,
	struct config_mark *mark, char *message, size_t size)
{
	struct hint h = {text, len, problem != NULL ? problem : "", context, mark, message, size};
	bool is_known = false;
	for (size_t i = 0; i < sizeof reasons / sizeof reasons[0] && !is_known; i++)
		is_known = reasons[i](&h);
	if (!is_known)
		snprintf(message, size, "this is not valid YAML: %s", h.problem);
	struct line line = find_line(text, len, mark->line);
	for (size_t i = 0; i < QUOTE_COUNT; i++) {
		if (memmem(line.text, line.len, quotes[i], strlen(quotes[i])) != NULL) {
			size_t n = strlen(message);
			snprintf(message + n, size - n, QUOTE_HINT);
			return;
		}
	}
}
