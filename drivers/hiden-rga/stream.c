/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define CODE_DIGITS  3
#define NO_MORE_DATA 110
#define TOKEN_MAX    32
#define SHOWN        12 /* characters of a wrong text */

void hiden_grid_read(const struct assay_settings *s, struct hiden_grid *grid)
{
	grid->is_series = strcmp(assay_text(s, "mode"), "series") == 0;
	grid->first = (int)lround(assay_number(s, "mass_first") * 100);
	grid->step = (int)lround(assay_number(s, "mass_step") * 100);
	int last = (int)lround(assay_number(s, "mass_last") * 100);
	bool is_last_left_out = strcmp(assay_text(s, "stop_mass"), "left out") == 0;
	if (grid->is_series)
		grid->points = assay_count(s, "sim_ions");
	else
		grid->points = last > grid->first ? (size_t)((last - grid->first) / grid->step) +
							    !is_last_left_out
						  : 0;
}

/* --- codes ------------------------------------------------------------------------------------ */

/* The next character from text[*at] on that is no end of a reply; 0 at the end. */
static char next(const char *text, size_t len, size_t *at)
{
	while (*at < len && text[*at] == '\n')
		++*at;
	return *at < len ? text[(*at)++] : '\0';
}

/* The length of the code at text[start], "*P112*" or "*C042"; 0: there is none, or not all of it. */
static size_t read_code(const char *text, size_t len, size_t start, char *kind, int *code)
{
	size_t at = start;
	if (next(text, len, &at) != '*')
		return 0;
	*kind = next(text, len, &at);
	*code = 0;
	if (*kind < 'A' || *kind > 'Z')
		return 0;
	for (int i = 0; i < CODE_DIGITS; i++) {
		char c = next(text, len, &at);
		if (c < '0' || c > '9')
			return 0;
		*code = *code * 10 + c - '0';
	}
	size_t end = at;
	return (next(text, len, &at) == '*' ? at : end) - start;
}

void hiden_stream_look(const char *text, size_t len, struct hiden_progress *progress)
{
	*progress = (struct hiden_progress){0};
	for (size_t at = 0; at < len; at++) {
		char kind;
		int code;
		size_t n = text[at] == '*' ? read_code(text, len, at, &kind, &code) : 0;
		if (n > 0 && kind == 'P')
			progress->trip = code;
		else if (n > 0 && kind == 'C' && code == NO_MORE_DATA)
			progress->is_over = true;
		else if (n > 0)
			progress->error = code;
		at += n > 0 ? n - 1 : 0;
		progress->values += text[at] == ',';
		progress->cycles += text[at] == ']';
		progress->is_over |= text[at] == '!';
	}
}

/* --- the cycle -------------------------------------------------------------------------------- */

struct reader {
	const struct assay_host *host;
	const char *text;
	size_t len, at;
	size_t index; /* of the value that is read, from 0 */
	int blanks; /* 1: positive values have a blank before them, -1: they have none, 0: unknown */
	char *why;
};

static int reject(struct reader *in, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int reject(struct reader *in, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(in->why, HIDEN_WHY_MAX, format, args);
	va_end(args);
	return -EBADMSG;
}

/* Skips codes, which are looked at elsewhere, and the ends of replies. */
static void skip_codes(struct reader *in)
{
	char kind;
	int code;
	size_t n;
	do {
		n = read_code(in->text, in->len, in->at, &kind, &code);
		in->at += n;
	} while (n > 0);
	while (in->at < in->len && in->text[in->at] == '\n')
		in->at++;
}

static bool accept(struct reader *in, char c)
{
	skip_codes(in);
	bool is_there = in->at < in->len && in->text[in->at] == c;
	in->at += is_there;
	return is_there;
}

static int expect(struct reader *in, char c)
{
	if (accept(in, c))
		return 0;
	size_t left = in->len - in->at;
	return reject(in, "value %zu: expected '%c', found '%.*s'", in->index + 1, c,
		left < SHOWN ? (int)left : SHOWN, in->text + in->at);
}

static size_t read_token(struct reader *in, char token[TOKEN_MAX])
{
	size_t n = 0;
	for (; in->at < in->len && n + 1 < TOKEN_MAX; in->at++) {
		char c = in->text[in->at];
		if (c == '\n')
			continue;
		if (c == '\0' || strchr(" 0123456789+-.eE", c) == NULL)
			break;
		token[n++] = c;
	}
	token[n] = '\0';
	return n;
}

static int parse(struct reader *in, const char *token, size_t n, double *out)
{
	if (n > 0 && token[n - 1] != ' ' && assay_parse_number(in->host, token, n, out) == 0)
		return 0;
	return reject(in, "value %zu: '%s' is no number", in->index + 1, token);
}

/*
 * There is no checksum, but some losses show in the form of a number: an exponent has two digits or
 * more, and all positive values of a cycle have a blank in the place of the minus, or none has.
 */
static int read_value(struct reader *in, double *out)
{
	char token[TOKEN_MAX];
	size_t n = read_token(in, token);
	const char *e = strpbrk(token, "eE");
	if (e != NULL && strspn(e + 1 + strspn(e + 1, "+-"), "0123456789") < 2)
		return reject(
			in, "value %zu: the exponent of '%s' is cut off", in->index + 1, token);
	int style = token[0] == '-' ? 0 : token[0] == ' ' ? 1 : -1;
	if (style * in->blanks < 0)
		return reject(
			in, "value %zu: '%s' lacks its sign, or others do", in->index + 1, token);
	if (in->blanks == 0)
		in->blanks = style;
	return parse(in, token, n, out);
}

/* "28.00: 1.25e-09" or "/105/ 2.50", as far as the value. */
static int read_place(struct reader *in, const struct hiden_grid *grid, int32_t *elapsed)
{
	char token[TOKEN_MAX];
	double place;
	int r = grid->is_series ? expect(in, '/') : 0;
	skip_codes(in);
	size_t n = read_token(in, token);
	if (r == 0)
		r = parse(in, token, n, &place);
	if (r < 0)
		return r;
	int expected = grid->first + (int)in->index * grid->step;
	if (!grid->is_series && fabs(place * 100 - expected) > 0.5)
		return reject(in, "value %zu: mass %d.%02d was expected, '%s' came", in->index + 1,
			expected / 100, expected % 100, token);
	if (grid->is_series && (place < *elapsed || place > INT32_MAX || place != floor(place)))
		return reject(in, "value %zu: '%s' ms came after %d ms", in->index + 1, token,
			(int)*elapsed);
	if (grid->is_series)
		*elapsed = (int32_t)place;
	return expect(in, grid->is_series ? '/' : ':');
}

static int read_values(struct reader *in, const struct hiden_grid *grid, char end, double *values,
	int32_t *elapsed)
{
	int32_t now = 0;
	for (bool is_end = accept(in, end); !is_end;) {
		double value;
		if (in->index == grid->points)
			return reject(
				in, "more than the %zu values of the scan came", grid->points);
		int r = read_place(in, grid, &now);
		if (r == 0)
			r = read_value(in, &value);
		if (r < 0)
			return r;
		if (values != NULL)
			values[in->index] = value;
		if (elapsed != NULL)
			elapsed[in->index] = now;
		in->index++;
		bool is_separated = accept(in, ',');
		is_end = accept(in, end);
		if (!is_separated && !is_end)
			return expect(in, ',');
	}
	if (in->index == grid->points)
		return 0;
	bool lacks_last = !grid->is_series && in->index + 1 == grid->points;
	return reject(in, "%zu values came, %zu were expected%s", in->index, grid->points,
		lacks_last ? ": if the last mass always lacks, set stop_mass: left out" : "");
}

int hiden_stream_read(const struct assay_host *host, const struct hiden_grid *grid,
	const char *text, size_t len, double *values, int32_t *elapsed, char why[HIDEN_WHY_MAX])
{
	struct reader in = {.host = host, .text = text, .len = len, .why = why};
	while (accept(&in, '!'))
		;
	int r = expect(&in, '[');
	if (r == 0 && !grid->is_series)
		r = expect(&in, '{');
	if (r == 0)
		r = read_values(&in, grid, grid->is_series ? ']' : '}', values, elapsed);
	if (r == 0 && !grid->is_series) {
		accept(&in, ',');
		r = expect(&in, ']');
	}
	while (r == 0 && (accept(&in, '!') || accept(&in, ' ')))
		;
	return r == 0 && in.at != in.len ? reject(&in, "more came after the cycle") : r;
}
