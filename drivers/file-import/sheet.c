/* SPDX-License-Identifier: Apache-2.0 */
#include "sheet.h"

#include <stdio.h>
#include <string.h>

#define HEADER_LINES 200 /* in which the header is searched */

unsigned sheet_line_of(const struct sheet *sheet, size_t at)
{
	unsigned line = 1;
	for (size_t i = report_mark(sheet->r, sheet->bytes, sheet->len); i + sheet->r->width <= at;
		i += sheet->r->width)
		line += report_char(sheet->r, sheet->bytes, i) == '\n';
	return line;
}

/* Passes a first line "sep=;", whose sign must be that of the profile. */
static bool pass_separator(struct sheet *sheet, size_t *at)
{
	char line[16] = "";
	size_t n = 0, i = *at, width = sheet->r->width;
	for (; i + width <= sheet->len && report_char(sheet->r, sheet->bytes, i) != '\n';
		i += width) {
		char c = (char)report_char(sheet->r, sheet->bytes, i);
		if (c != ' ' && c != '"' && c != '\r' && n + 1 < sizeof line)
			line[n++] = c;
	}
	if (strncmp(line, "sep=", 4) != 0)
		return true;
	*at = i + width <= sheet->len ? i + width : sheet->len;
	if (line[4] == sheet->r->separator)
		return true;
	snprintf(sheet->why, sizeof sheet->why,
		"its first line states the separator '%.1s', the profile another one: set "
		"report_separator",
		line + 4);
	return false;
}

static void join_titles(struct sheet *sheet, size_t upper)
{
	static const struct report_cell nothing;
	struct report_cell *cells = sheet->cells;
	char word[REPORT_TEXT], above[REPORT_TEXT] = "";
	size_t n, at = upper;
	bool is_ended;
	int r = report_line(sheet->r, sheet->bytes, sheet->len, &at, cells, &n, &is_ended);
	for (size_t i = 0; i < sheet->count; i++) {
		report_text(sheet->r, sheet->bytes, r == 1 && i < n ? cells[i] : nothing, word);
		if (word[0] != '\0')
			memcpy(above, word, sizeof above);
		char joined[2 * REPORT_TEXT + 1];
		bool is_both = above[0] != '\0' && sheet->titles[i][0] != '\0';
		snprintf(joined, sizeof joined, "%s%s%s", is_both ? above : "", is_both ? " " : "",
			sheet->titles[i]);
		snprintf(sheet->titles[i], REPORT_TEXT, "%.*s", REPORT_TEXT - 1, joined);
	}
}

static bool take_titles(struct sheet *sheet, size_t n)
{
	bool is_header = false;
	for (size_t i = 0; i < n; i++) {
		report_text(sheet->r, sheet->bytes, sheet->cells[i], sheet->titles[i]);
		bool counts = i == 0 || !sheet->r->is_spectra;
		is_header = is_header ||
			    (counts && strcmp(sheet->titles[i], sheet->r->header) == 0);
	}
	sheet->count = n;
	return is_header;
}

bool sheet_find_header(struct sheet *sheet)
{
	size_t at = report_mark(sheet->r, sheet->bytes, sheet->len), before = SIZE_MAX, n;
	bool is_ended;
	if (!pass_separator(sheet, &at))
		return false;
	for (int i = 0; i < HEADER_LINES; i++) {
		size_t start = at;
		if (report_line(sheet->r, sheet->bytes, sheet->len, &at, sheet->cells, &n,
			    &is_ended) <= 0)
			break;
		if (take_titles(sheet, n)) {
			sheet->body = sheet->r->is_spectra ? start : at;
			if (sheet->r->has_two_lines && before != SIZE_MAX)
				join_titles(sheet, before);
			return true;
		}
		before = start;
	}
	snprintf(sheet->why, sizeof sheet->why,
		"no line of it has the cell '%.60s', which the profile names as report_header",
		sheet->r->header);
	return false;
}
