/* SPDX-License-Identifier: Apache-2.0 */
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

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-';
}

/* The length of `key:` at the start of a text that goes on without a space; 0: it is not so. */
static size_t glued_key(const char *text, size_t len)
{
	size_t n = 0;
	while (n < len && is_word(text[n]))
		n++;
	bool glued = n > 0 && n + 1 < len && text[n] == ':' && text[n + 1] != ' ' &&
		     text[n + 1] != '\t' && text[n + 1] != '/' && text[n + 1] != ':';
	return glued ? n + 1 : 0;
}

const char *hint_missing_space(const char *found, char *hint, size_t size)
{
	size_t n = glued_key(found, strlen(found));
	snprintf(hint, size, "%s", "");
	if (n != 0)
		snprintf(hint, size, "; is a space missing after '%.*s'?", (int)(n > 40 ? 40 : n),
			found);
	return hint;
}

static bool hint_tab(
	const char *text, size_t len, struct config_mark *mark, char *message, size_t size)
{
	struct line line = find_line(text, len, mark->line);
	size_t at = line.indent;
	if (at >= line.len || line.text[at] != '\t')
		return false;
	mark->column = (unsigned)at + 1;
	snprintf(message, size,
		"a tab was found, expected spaces: YAML is indented with spaces only");
	return true;
}

/* On the line itself or the last one before it, which libyaml joined with it. */
static bool hint_colon(
	const char *text, size_t len, struct config_mark *mark, char *message, size_t size)
{
	for (unsigned n = mark->line, looked = 0; n > 0 && looked < 2; n--) {
		struct line line = find_line(text, len, n);
		if (is_blank(&line))
			continue;
		looked++;
		const char *from = line.text + line.indent;
		size_t left = line.len - line.indent;
		size_t key = glued_key(from, left);
		if (key == 0)
			continue;
		mark->line = n;
		mark->column = (unsigned)(line.indent + key) + 1;
		snprintf(message, size, "a space is missing after '%.*s'",
			(int)(key > 40 ? 40 : key), from);
		return true;
	}
	return false;
}

static bool hint_indent(
	const char *text, size_t len, struct config_mark *mark, char *message, size_t size)
{
	struct line line = find_line(text, len, mark->line);
	if (is_blank(&line))
		return false;
	unsigned n = mark->line - 1;
	struct line before = {0};
	for (; n > 0; n--) {
		before = find_line(text, len, n);
		if (!is_blank(&before))
			break;
	}
	if (n == 0 || line.indent == before.indent)
		return false;
	mark->column = (unsigned)line.indent + 1;
	snprintf(message, size,
		"this line is indented by %zu spaces and does not line up with the lines before it "
		"(line %u has %zu)",
		line.indent, n, before.indent);
	return true;
}

static bool hint_nameless(
	const char *text, size_t len, struct config_mark *mark, char *message, size_t size)
{
	struct line line = find_line(text, len, mark->line);
	if (line.indent >= line.len || line.text[line.indent] != ':')
		return false;
	mark->column = (unsigned)line.indent + 1;
	snprintf(message, size, "a name is missing before the colon");
	return true;
}

/* Is there a ': ' before the one that the mark stands on? */
static bool is_second_colon(const char *text, size_t len, const struct config_mark *mark)
{
	struct line line = find_line(text, len, mark->line);
	for (size_t i = 0; i + 1 < line.len && i + 1 < mark->column; i++)
		if (line.text[i] == ':' && line.text[i + 1] == ' ' && i + 1 != mark->column)
			return true;
	return false;
}

static bool hint_open(const char *problem, struct config_mark context, struct config_mark *mark,
	char *message, size_t size)
{
	bool is_flow = strstr(problem, "',' or '") != NULL;
	bool is_quote = strstr(problem, "unexpected end of stream") != NULL ||
			strstr(problem, "unexpected document indicator") != NULL;
	if (!is_flow && !is_quote)
		return false;
	unsigned line = mark->line;
	*mark = context;
	if (is_quote)
		snprintf(message, size, "the quote that opens here is not closed");
	else
		snprintf(message, size,
			"the %s that opens here is not closed, or a comma is missing before line "
			"%u goes on",
			strstr(problem, "]") != NULL ? "'['" : "'{'", line);
	return true;
}

void hint_syntax(const char *text, size_t len, const char *problem, struct config_mark context,
	struct config_mark *mark, char *message, size_t size)
{
	if (problem == NULL)
		problem = "unknown syntax";
	if (hint_tab(text, len, mark, message, size) ||
		hint_open(problem, context, mark, message, size))
		return;
	if (strstr(problem, "cannot start any token") != NULL) {
		snprintf(message, size, "a text that begins with this character needs quotes");
		return;
	}
	if (strstr(problem, "expected node content") != NULL) {
		snprintf(message, size, "a value or a closing bracket is missing here");
		return;
	}
	if (hint_colon(text, len, mark, message, size))
		return;
	if (hint_nameless(text, len, mark, message, size))
		return;
	if (strstr(problem, "mapping values are not allowed") != NULL) {
		if (!is_second_colon(text, len, mark) &&
			hint_indent(text, len, mark, message, size))
			return;
		snprintf(message, size,
			"a second ': ' in one line was found; a text with a colon "
			"needs quotes, a key its own line");
		return;
	}
	if (strstr(problem, "expected") != NULL && hint_indent(text, len, mark, message, size))
		return;
	snprintf(message, size, "this is not valid YAML: %s", problem);
}
