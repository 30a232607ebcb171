/* SPDX-License-Identifier: Apache-2.0 */
#include "jcamp-scan.h"

#include <string.h>

#include "text.h"

void jcamp_scan_init(struct jcamp_scan *scan, struct source *s)
{
	scan->s = s;
	scan->end = 0;
	scan->used = scan->have = 0;
	scan->is_inside = false;
}

static uint64_t place(const struct jcamp_scan *scan)
{
	return scan->end - scan->have + scan->used;
}

/* The next byte, which stays: 1; 0: the file ends. */
static int peek(struct jcamp_scan *scan, char *c)
{
	if (scan->used == scan->have) {
		uint64_t left = scan->s->file[0].size - scan->end;
		size_t n = left < JCAMP_PIECE ? (size_t)left : JCAMP_PIECE;
		int r = n > 0 ? scan->s->read(scan->s, 0, scan->end, scan->piece, n) : 0;
		if (n == 0 || r < 0)
			return r;
		scan->used = 0;
		scan->have = n;
		scan->end += n;
	}
	*c = (char)scan->piece[scan->used];
	return 1;
}

static bool is_line_end(char c)
{
	return c == '\n' || c == '\r';
}

/* A blank, or the mark of UTF-8 that a file may begin with. */
static bool is_left_out(const struct jcamp_scan *scan, char c)
{
	bool is_mark = c == '\xef' || c == '\xbb' || c == '\xbf';
	return c == ' ' || c == '\t' || (is_mark && place(scan) < 3);
}

/* Goes to the next line that begins with "##", blanks before it allowed, and behind that. */
static int find_record(struct jcamp_scan *scan)
{
	unsigned signs = 0;
	char c;
	int r = 0;
	while (signs < 2 && (r = peek(scan, &c)) == 1) {
		bool is_at_start = !scan->is_inside && signs == 0 && is_left_out(scan, c);
		bool is_sign = c == '#' && !scan->is_inside;
		scan->is_inside = !is_line_end(c) && !is_at_start && !is_sign;
		signs = is_sign ? signs + 1 : 0;
		scan->used++;
	}
	return signs == 2 ? 1 : r;
}

static void add_to_label(struct jcamp_record *record, size_t *len, char c)
{
	bool is_no_letter = c == ' ' || c == '\t' || c == '-' || c == '/' || c == '_';
	if (is_no_letter || *len + 1 == JCAMP_LABEL)
		return;
	record->label[(*len)++] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

int jcamp_scan_next(struct jcamp_scan *scan, struct jcamp_record *record)
{
	size_t label = 0, text = 0;
	bool is_value = false;
	char c, line[FORMAT_FACT];
	int r = find_record(scan);
	if (r <= 0)
		return r;
	memset(record, 0, sizeof *record);
	record->at = place(scan) - 2;
	scan->is_inside = true;
	while ((r = peek(scan, &c)) == 1 && !is_line_end(c)) {
		if (is_value && text < sizeof line)
			line[text++] = c;
		else if (!is_value && c != '=')
			add_to_label(record, &label, c);
		is_value = is_value || c == '=';
		scan->used++;
	}
	while (r == 1 && is_line_end(c)) {
		scan->is_inside = false;
		scan->used++;
		r = peek(scan, &c);
	}
	record->after = place(scan);
	if (!is_value)
		record->label[0] = '\0'; /* a sign is missing, or the rest of the line */
	for (size_t i = 0; i + 1 < text; i++)
		if (line[i] == '$' && line[i + 1] == '$')
			text = i;
	text_set(record->text, TEXT_CP1252, (const uint8_t *)line, text);
	return r < 0 ? r : 1;
}

/* --- forms of tables -------------------------------------------------------------------------- */

static bool is_table(const char *label)
{
	static const char *const labels[] = {"XYDATA", "XYPOINTS", "PEAKTABLE", "DATATABLE"};
	for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++)
		if (strcmp(label, labels[i]) == 0)
			return true;
	return false;
}

/* Letters and digits from `at` on; returns how many characters, blanks before them counted. */
static size_t take_symbol(const char *at, char symbol[JCAMP_SYMBOL])
{
	size_t blanks = strspn(at, " "), n = 0;
	at += blanks;
	while ((at[n] >= 'A' && at[n] <= 'Z') || (at[n] >= 'a' && at[n] <= 'z') ||
		(at[n] >= '0' && at[n] <= '9'))
		n++;
	size_t kept = n < JCAMP_SYMBOL ? n : 0;
	memcpy(symbol, at, kept);
	symbol[kept] = '\0';
	return blanks + n;
}

/* "XY" into "X" and "Y"; "F1Y": a digit belongs to the letter before it. */
static bool split_symbols(const char *both, char x[JCAMP_SYMBOL], char y[JCAMP_SYMBOL])
{
	size_t len = strlen(both), first = 1;
	while (first < len && both[first] >= '0' && both[first] <= '9')
		first++;
	size_t second = first < len ? first + 1 : len;
	while (second < len && both[second] >= '0' && both[second] <= '9')
		second++;
	if (first >= len || second != len)
		return false;
	memmove(y, both + first, len - first + 1);
	memmove(x, both, first);
	x[first] = '\0';
	return true;
}

enum jcamp_form jcamp_form_of(
	const struct jcamp_record *record, char x[JCAMP_SYMBOL], char y[JCAMP_SYMBOL])
{
	char both[JCAMP_SYMBOL];
	const char *at = record->text;
	if (!is_table(record->label) || *at++ != '(')
		return JCAMP_NO_FORM;
	at += take_symbol(at, both);
	if (strncmp(at, "++(", 3) == 0) {
		take_symbol(at + 3, y);
		memcpy(x, both, JCAMP_SYMBOL);
		return x[0] != '\0' && y[0] != '\0' ? JCAMP_LIST : JCAMP_NO_FORM;
	}
	return strncmp(at, "..", 2) == 0 && split_symbols(both, x, y) ? JCAMP_PAIRS : JCAMP_NO_FORM;
}
