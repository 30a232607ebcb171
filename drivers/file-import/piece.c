/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "date.h"
#include "piece.h"
#include "text.h"

#define DIGITS_MAX 40

int piece_load(struct source *s, unsigned file, struct piece *to)
{
	uint64_t size = s->file[file].size;
	*to = (struct piece){"", 0};
	if (size > PIECE_FILE_MAX)
		return -EFBIG;
	char *bytes = malloc(size + 1);
	if (bytes == NULL)
		return -ENOMEM;
	int r = s->read(s, file, 0, bytes, size);
	if (r < 0) {
		free(bytes);
		return r;
	}
	*to = (struct piece){bytes, size};
	return 0;
}

size_t piece_peek(struct source *s, char *to, size_t size)
{
	size_t n = s->files == 1 && !s->is_folder && s->file[0].size < size ? s->file[0].size
									    : size;
	return s->files == 1 && !s->is_folder && s->read(s, 0, 0, to, n) == 0 ? n : 0;
}

static bool is_utf_8(struct piece p)
{
	for (size_t i = 0; i < p.len;) {
		uint8_t c = (uint8_t)p.text[i++];
		int more = c < 0x80                ? 0
			   : c >= 0xc2 && c < 0xe0 ? 1
			   : c >= 0xe0 && c < 0xf0 ? 2
			   : c >= 0xf0 && c < 0xf5 ? 3
						   : -1;
		if (more < 0)
			return false;
		for (; more > 0; more--)
			if (i == p.len || ((uint8_t)p.text[i++] & 0xc0) != 0x80)
				return false;
	}
	return true;
}

void piece_show(struct piece p, char *to, size_t size)
{
	if (p.len == 0)
		p.text = "";
	text_convert(
		to, size, is_utf_8(p) ? TEXT_UTF_8 : TEXT_CP1252, (const uint8_t *)p.text, p.len);
}

bool piece_line(struct piece *rest, struct piece *line, bool *is_ended)
{
	if (rest->len == 0)
		return false;
	const char *end = memchr(rest->text, '\n', rest->len);
	*is_ended = end != NULL;
	line->text = rest->text;
	line->len = end != NULL ? (size_t)(end - rest->text) : rest->len;
	size_t taken = line->len + (end != NULL);
	rest->text += taken;
	rest->len -= taken;
	line->len -= line->len > 0 && line->text[line->len - 1] == '\r';
	return true;
}

static bool is_between(char c)
{
	return c == ' ' || c == '\t' || c == ',' || c == '\r' || c == '\n';
}

bool piece_word(struct piece *rest, struct piece *word)
{
	while (rest->len > 0 && is_between(rest->text[0])) {
		rest->text++;
		rest->len--;
	}
	*word = (struct piece){rest->text, 0};
	while (rest->len > 0 && !is_between(rest->text[0])) {
		rest->text++;
		rest->len--;
		word->len++;
	}
	return word->len > 0;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

struct piece piece_trim(struct piece p)
{
	while (p.len > 0 && is_blank(p.text[0])) {
		p.text++;
		p.len--;
	}
	while (p.len > 0 && is_blank(p.text[p.len - 1]))
		p.len--;
	return p;
}

bool piece_starts(struct piece p, const char *text)
{
	size_t n = strlen(text);
	for (size_t i = 0; i < n; i++) {
		char c = i < p.len ? p.text[i] : '\0';
		if ((c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c) != text[i])
			return false;
	}
	return true;
}

bool piece_is(struct piece p, const char *text)
{
	return p.len == strlen(text) && piece_starts(p, text);
}

static size_t digits(struct piece p, size_t at)
{
	size_t n = 0;
	while (at + n < p.len && p.text[at + n] >= '0' && p.text[at + n] <= '9')
		n++;
	return n;
}

bool piece_is_number(struct piece p)
{
	size_t at = p.len > 0 && (p.text[0] == '+' || p.text[0] == '-');
	size_t whole = digits(p, at), part = 0;
	at += whole;
	if (at < p.len && p.text[at] == '.') {
		part = digits(p, at + 1);
		at += 1 + part;
	}
	if (whole + part == 0 || whole + part > DIGITS_MAX)
		return false;
	if (at < p.len && (p.text[at] == 'e' || p.text[at] == 'E')) {
		at++;
		at += at < p.len && (p.text[at] == '+' || p.text[at] == '-');
		size_t exponent = digits(p, at);
		bool is_small = exponent <= 2 || (exponent == 3 && p.text[at] == '0');
		if (exponent == 0 || !is_small)
			return false;
		at += exponent;
	}
	return at == p.len;
}

double piece_number(const struct assay_host *host, struct piece p)
{
	double value;
	if (host == NULL || !piece_is_number(p))
		return (double)NAN;
	return assay_parse_number(host, p.text, p.len, &value) == 0 ? value : (double)NAN;
}

int64_t piece_numbers(const struct assay_host *host, struct piece text, double *to, size_t room)
{
	struct piece word;
	int64_t n = 0;
	for (; piece_word(&text, &word); n++) {
		if (!piece_is_number(word))
			return -1;
		if (to != NULL && (size_t)n < room)
			to[n] = piece_number(host, word);
	}
	return n;
}

int64_t piece_whole(struct piece p)
{
	int64_t value = 0;
	size_t n = digits(p, 0), at = n;
	if (at < p.len && p.text[at] == '.')
		for (at++; at < p.len && p.text[at] == '0';)
			at++;
	if (n == 0 || n > 15 || at != p.len)
		return -1;
	for (size_t i = 0; i < n; i++)
		value = 10 * value + (p.text[i] - '0');
	return value;
}

void piece_us_time(char *to, size_t size, struct piece p)
{
	static const char shape[] = "00/00/0000 00:00:00";
	int field[6] = {0}, n = 0;
	char text[DATE_TEXT] = "";
	p = piece_trim(p);
	bool fits = p.len == sizeof shape - 1;
	for (size_t i = 0; fits && i < p.len; i++) {
		bool is_digit = p.text[i] >= '0' && p.text[i] <= '9';
		if (shape[i] == '0' ? !is_digit : p.text[i] != shape[i])
			fits = false;
		else if (is_digit)
			field[n] = 10 * field[n] + (p.text[i] - '0');
		else
			n++;
	}
	if (fits)
		date_write(text, field[2], field[0], field[1], field[3], field[4], field[5]);
	size_t len = strlen(text) < size ? strlen(text) : 0;
	memcpy(to, text, len);
	to[len] = '\0';
}
