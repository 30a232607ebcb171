/* SPDX-License-Identifier: Apache-2.0 */
/* The cells of a report, and the times in them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "date.h"
#include "report.h"

/* --- cells ------------------------------------------------------------------------------------ */

bool report_find_encoding(
	struct report *r, const uint8_t *bytes, size_t len, char *why, size_t size)
{
	bool is_utf_16 = r->encoding == TEXT_UTF_16_LE;
	if (len >= 2 && ((bytes[0] == 0xff && bytes[1] == 0xfe) ||
				(bytes[0] == 0xfe && bytes[1] == 0xff))) {
		r->encoding = bytes[0] == 0xff ? TEXT_UTF_16_LE : TEXT_UTF_16_BE;
		r->width = 2;
	} else if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
		r->encoding = TEXT_UTF_8;
	else if (is_utf_16) {
		snprintf(why, size,
			"it has no mark of UTF-16 at its beginning: set report_encoding");
		return false;
	}
	return true;
}

unsigned report_char(const struct report *r, const uint8_t *bytes, size_t at)
{
	if (r->width == 1)
		return bytes[at] < 0x80 ? bytes[at] : 0x7f;
	unsigned c = r->encoding == TEXT_UTF_16_LE ? bytes[at] | (unsigned)bytes[at + 1] << 8
						   : bytes[at + 1] | (unsigned)bytes[at] << 8;
	return c < 0x80 ? c : 0x7f;
}

size_t report_mark(const struct report *r, const uint8_t *bytes, size_t len)
{
	if (r->width == 2)
		return 2;
	return len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

struct cursor {
	const struct report *r;
	const uint8_t *bytes;
	size_t at, end; /* end: a multiple of the width from the beginning */
};

static bool is_at(const struct cursor *c, unsigned character)
{
	return c->at < c->end && report_char(c->r, c->bytes, c->at) == character;
}

static bool is_at_blank(const struct cursor *c)
{
	return is_at(c, ' ') || is_at(c, '\t');
}

static bool is_at_separator(const struct cursor *c)
{
	return c->r->separator == '\0' ? is_at_blank(c) : is_at(c, (unsigned char)c->r->separator);
}

static bool is_at_end(const struct cursor *c)
{
	return c->at >= c->end || is_at(c, '\n');
}

static void skip_blanks(struct cursor *c)
{
	while (is_at_blank(c) && !(c->r->separator == '\t' && is_at(c, '\t')))
		c->at += c->r->width;
}

/* A cell in quotes: up to the next one that is not doubled. */
static int take_quoted(struct cursor *c, struct report_cell *cell)
{
	c->at += c->r->width;
	cell->offset = c->at;
	for (;;) {
		if (c->at >= c->end)
			return -EBADMSG;
		if (is_at(c, '"')) {
			size_t quote = c->at;
			c->at += c->r->width;
			if (!is_at(c, '"')) {
				cell->len = quote - cell->offset;
				return 0;
			}
		}
		c->at += c->r->width;
	}
}

static int take_cell(struct cursor *c, struct report_cell *cell)
{
	skip_blanks(c);
	if (is_at(c, '"')) {
		int r = take_quoted(c, cell);
		skip_blanks(c);
		if (is_at(c, '\r'))
			c->at += c->r->width;
		return r == 0 && (is_at_end(c) || is_at_separator(c)) ? 0 : -EBADMSG;
	}
	cell->offset = c->at;
	while (!is_at_end(c) && !is_at_separator(c))
		c->at += c->r->width;
	cell->len = c->at - cell->offset;
	return 0;
}

int report_line(const struct report *r, const uint8_t *bytes, size_t len, size_t *at,
	struct report_cell cells[REPORT_CELLS], size_t *n, bool *is_ended)
{
	struct cursor c = {r, bytes, *at, len - len % r->width};
	*n = 0;
	if (c.at >= c.end)
		return 0;
	for (;;) {
		if (*n == REPORT_CELLS || take_cell(&c, &cells[*n]) < 0)
			return -EBADMSG;
		(*n)++;
		if (is_at_end(&c))
			break;
		c.at += r->width;
		if (r->separator == '\0') {
			skip_blanks(&c);
			if (is_at(&c, '\r') || is_at_end(&c)) {
				c.at += is_at(&c, '\r') ? r->width : 0;
				break;
			}
		}
	}
	*is_ended = is_at(&c, '\n');
	*at = c.at + (*is_ended ? r->width : 0);
	return 1;
}

void report_text(
	const struct report *r, const uint8_t *bytes, struct report_cell cell, char to[REPORT_TEXT])
{
	text_convert(to, REPORT_TEXT, r->encoding, bytes + cell.offset, cell.len);
	char *at = to;
	while ((at = strstr(at, "\"\"")) != NULL) {
		memmove(at, at + 1, strlen(at));
		at++;
	}
}

/* --- times ------------------------------------------------------------------------------------ */

struct day {
	int year, month, day;
};

/* Numbers with signs between them, or a month's name: how many, at most 3; the rest of the text follows. */
static int take_numbers(
	const char **text, const char *signs, int to[3], size_t digits[3], int *month_at)
{
	int n = 0;
	*month_at = -1;
	while (n < 3) {
		const char *start = *text;
		to[n] = 0;
		while (**text >= '0' && **text <= '9' && *text - start < 4)
			to[n] = 10 * to[n] + (*(*text)++ - '0');
		if (*text == start && *month_at < 0) {
			size_t letters = 0;
			while ((start[letters] | 0x20) >= 'a' && (start[letters] | 0x20) <= 'z')
				letters++;
			to[n] = date_month(start, letters);
			if (to[n] > 0) {
				*text += letters;
				*month_at = n;
			}
		}
		if (*text == start)
			return n;
		digits[n++] = (size_t)(*text - start);
		if (n < 3) {
			if (**text == '\0' || strchr(signs, **text) == NULL)
				return n;
			(*text)++;
		}
	}
	return n;
}

/* The day by an order; false: it is none of the calendar. */
static bool make_day(const int n[3], const size_t digits[3], const char *order, struct day *to)
{
	char text[DATE_TEXT];
	int *const parts[] = {&to->year, &to->month, &to->day};
	for (int i = 0; i < 3; i++) {
		int part = order[i] == 'y' ? 0 : order[i] == 'm' ? 1 : 2;
		*parts[part] = n[i];
		if (part == 0 && digits[i] != 4 && digits[i] != 2)
			return false;
		if (part == 0 && digits[i] == 2)
			to->year += 2000;
	}
	return date_write(text, to->year, to->month, to->day, 0, 0, 0);
}

static bool is_in_name(const char *file, const struct day *d)
{
	char text[DATE_TEXT];
	snprintf(text, sizeof text, "%04d-%02d-%02d", d->year, d->month, d->day);
	return file != NULL && strstr(file, text) != NULL;
}

/* True if the text begins with a day that is certain; moves behind it. */
static bool take_day(const struct report *r, const char **text, const char *file, struct day *to)
{
	int n[3], month_at;
	size_t digits[3];
	if (take_numbers(text, "-/.", n, digits, &month_at) != 3)
		return false;
	if (digits[0] == 4)
		return month_at != 2 && make_day(n, digits, "ymd", to);
	if (month_at >= 0)
		return month_at < 2 && make_day(n, digits, month_at == 0 ? "mdy" : "dmy", to);
	if (r->order != NULL)
		return make_day(n, digits, r->order, to);
	struct day us, other;
	bool is_us = digits[2] == 4 && make_day(n, digits, "mdy", &us);
	bool is_other = digits[2] == 4 && make_day(n, digits, "dmy", &other);
	if (is_us && is_other && n[0] != n[1]) {
		is_us = is_in_name(file, &us);
		is_other = is_in_name(file, &other);
		if (is_us == is_other)
			return false;
	}
	*to = is_us ? us : other;
	return is_us || is_other;
}

/* hh:mm, with seconds and their fraction, with AM or PM. */
static bool take_clock(const char *text, int to[3])
{
	size_t digits[3];
	int none;
	to[2] = 0;
	int n = take_numbers(&text, ":", to, digits, &none);
	if (n < 2 || none >= 0)
		return false;
	if (*text == '.')
		for (text++; *text >= '0' && *text <= '9';)
			text++;
	while (*text == ' ')
		text++;
	bool is_half = (text[0] | 0x20) == 'a' || (text[0] | 0x20) == 'p';
	if (is_half && (text[1] | 0x20) == 'm' && text[2] == '\0' && to[0] >= 1 && to[0] <= 12) {
		to[0] = to[0] % 12 + ((text[0] | 0x20) == 'p' ? 12 : 0);
		return true;
	}
	return *text == '\0';
}

void report_time(const struct report *r, const char *date, const char *time, const char *file,
	char to[FORMAT_FACT])
{
	char both[2 * REPORT_TEXT + 2], text[DATE_TEXT];
	struct day d;
	int clock[3];
	snprintf(both, sizeof both, "%s%s%s", date, date[0] != '\0' && time[0] != '\0' ? " " : "",
		time);
	const char *rest = both;
	bool has_day = take_day(r, &rest, file, &d) && (*rest == ' ' || *rest == 'T');
	if (has_day && take_clock(rest + 1, clock) &&
		date_write(text, d.year, d.month, d.day, clock[0], clock[1], clock[2]))
		snprintf(to, FORMAT_FACT, "%s", text);
	else
		snprintf(to, FORMAT_FACT, "%.*s", FORMAT_FACT - 1, both);
}
