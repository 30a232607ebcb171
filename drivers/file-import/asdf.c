/* SPDX-License-Identifier: Apache-2.0 */
#include "asdf.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define NUMBER_MAX 40
#define MANY       (1u << 24) /* repetitions: more than any table has */

/* The last ordinate, as DUP repeats it. */
enum last { LAST_NONE, LAST_VALUE, LAST_DIFFERENCE };

struct reader {
	const struct asdf *table;
	const char *at, *end; /* of a line; comments are left out */
	double *to;
	size_t max, count, line;
	bool has_exponents;
	enum last last;
	double value, difference;
	struct asdf_result *result;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == ',' || c == ';' || c == '\r' || c == '\n';
}

static void note_wrong(struct reader *r)
{
	if (r->result->wrong++ == 0)
		r->result->wrong_at = r->line;
}

/* The next line without its comment: false at the end. */
static bool take_line(const struct asdf *table, size_t *from, const char **at, const char **end)
{
	if (*from >= table->len)
		return false;
	const char *start = table->text + *from, *limit = table->text + table->len, *stop = start;
	while (stop < limit && *stop != '\n' && *stop != '\r')
		stop++;
	*from = (size_t)(stop - table->text) + 1;
	*at = start;
	*end = stop;
	for (const char *c = start; c + 1 < stop; c++)
		if (c[0] == '$' && c[1] == '$') {
			*end = c;
			break;
		}
	return true;
}

/* "E3", "e+05" at `at`: how long it is; 0: it is none.  More digits would be a packed ordinate. */
static size_t exponent_length(const char *at, const char *end, bool has_exponents)
{
	size_t n = 1, digits = 0;
	if (at == end || (*at != 'E' && *at != 'e'))
		return 0;
	bool is_signed = at + 1 < end && (at[1] == '+' || at[1] == '-');
	n += is_signed;
	while (at + n < end && is_digit(at[n])) {
		n++;
		digits++;
	}
	return digits >= 1 && digits <= 3 && (is_signed || has_exponents) ? n : 0;
}

/*
 * Whether an E without a sign is an exponent: no other letter packs ordinates in this table, and none is
 * followed by more digits than an exponent has.
 */
static bool has_exponents(const struct asdf *table)
{
	const char *at, *end;
	for (size_t from = 0; take_line(table, &from, &at, &end);)
		for (; at < end; at++) {
			bool is_e = *at == 'E' || *at == 'e';
			bool is_letter = (*at >= '@' && *at <= 'Z') || (*at >= 'a' && *at <= 's');
			if (is_e ? exponent_length(at, end, true) == 0 : is_letter || *at == '%')
				return false;
		}
	return true;
}

/*
 * A number from r->at on: `first` is its sign and first digit, or "" if they are there as they are.  0 or
 * -EBADMSG; r->at is behind it.
 */
static int take_number(struct reader *r, const char *first, bool may_have_exponent, double *to)
{
	char text[NUMBER_MAX];
	size_t len = strlen(first), digits = len > 0;
	memcpy(text, first, len);
	const char *at = r->at;
	if (len == 0 && at < r->end && (*at == '+' || *at == '-')) {
		if (*at == '-')
			text[len++] = '-';
		at++;
	}
	for (bool has_point = false; at < r->end && (is_digit(*at) || (*at == '.' && !has_point));
		at++) {
		has_point = has_point || *at == '.';
		digits += is_digit(*at);
		if (len == sizeof text)
			return -EBADMSG;
		text[len++] = *at;
	}
	size_t exponent = may_have_exponent ? exponent_length(at, r->end, r->has_exponents) : 0;
	if (digits == 0 || len + exponent > sizeof text)
		return -EBADMSG;
	memcpy(text + len, at, exponent);
	r->at = at + exponent;
	len += exponent;
	if (text[len - 1] == '.')
		len--;
	return assay_parse_number(r->table->host, text, len, to);
}

/* --- ordinates -------------------------------------------------------------------------------- */

static int put(struct reader *r, double value)
{
	if (r->count == r->max)
		return -EBADMSG;
	if (r->to != NULL)
		r->to[r->count] = value;
	r->count++;
	r->value = value;
	return 0;
}

/* The ordinate before, n times in all. */
static int repeat(struct reader *r, double times)
{
	if (r->last == LAST_NONE || !(times >= 1 && times <= MANY)) {
		note_wrong(r);
		return 0;
	}
	int e = 0;
	for (size_t i = 1; i < (size_t)times && e == 0; i++)
		e = put(r, r->last == LAST_DIFFERENCE ? r->value + r->difference : r->value);
	return e;
}

/* The sign and first digit of a letter: of SQZ, DIF or DUP.  False: it is none. */
static bool unpack(char c, char first[3], char *kind)
{
	static const struct {
		char from, to, kind, digit, sign;
	} rows[] = {
		{'@', 'I', 'Q', '0', '+'},
		{'a', 'i', 'Q', '1', '-'},
		{'%', '%', 'D', '0', '+'},
		{'J', 'R', 'D', '1', '+'},
		{'j', 'r', 'D', '1', '-'},
		{'S', 'Z', 'U', '1', '+'},
		{'s', 's', 'U', '9', '+'},
	};
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (c < rows[i].from || c > rows[i].to)
			continue;
		char digit = (char)(rows[i].digit + (c - rows[i].from));
		*kind = rows[i].kind;
		memcpy(first, (char[]){digit, '\0', '\0'}, 3);
		if (rows[i].sign == '-')
			memcpy(first, (char[]){'-', digit, '\0'}, 3);
		return true;
	}
	return false;
}

/* A value that is not a difference.  As a checkpoint it is the last one once more. */
static int take_value(struct reader *r, double value, bool is_checkpoint)
{
	r->last = LAST_VALUE;
	if (!is_checkpoint)
		return put(r, value);
	if (!(fabs(value - r->value) <= 1e-6 * (1 + fabs(value))))
		note_wrong(r);
	r->value = value;
	return 0;
}

/* One item of a line: 0; -EBADMSG: more than there may be; 1: no such item. */
static int take_item(struct reader *r, bool is_checkpoint)
{
	char first[3] = "", kind = 'A';
	double number;
	if (*r->at == '?') {
		r->at++;
		return take_value(r, NAN, false);
	}
	bool is_packed = unpack(*r->at, first, &kind);
	r->at += is_packed;
	if (take_number(r, first, !is_packed, &number) < 0)
		return 1;
	if (kind == 'U')
		return is_checkpoint ? 1 : repeat(r, number);
	if (kind != 'D')
		return take_value(r, number, is_checkpoint);
	if (is_checkpoint || r->last == LAST_NONE)
		return 1;
	r->last = LAST_DIFFERENCE;
	r->difference = number;
	return put(r, r->value + number);
}

/* The place at the start of a line is that of its first ordinate, to its last digit and half a step. */
static void check_place(struct reader *r, const char *text, const char *end, double x, size_t point)
{
	const struct asdf *t = r->table;
	const char *dot = memchr(text, '.', (size_t)(end - text));
	int decimals = dot != NULL ? (int)(end - dot - 1) : 0;
	bool has_exponent = memchr(text, 'E', (size_t)(end - text)) != NULL ||
			    memchr(text, 'e', (size_t)(end - text)) != NULL;
	double digit = has_exponent ? 1e-4 * fabs(x) : pow(10, -decimals);
	double expected = t->first + (double)point * t->step;
	double near = 0.51 * (fabs(t->step) + digit * fabs(t->factor)) + 1e-6 * fabs(expected);
	if (t->has_places && !(fabs(x * t->factor - expected) <= near))
		note_wrong(r);
}

static int take_list_line(struct reader *r)
{
	bool is_checkpoint = r->last == LAST_DIFFERENCE;
	const char *start;
	double x;
	while (r->at < r->end && is_blank(*r->at))
		r->at++;
	if (r->at == r->end)
		return 0;
	start = r->at;
	if (take_number(r, "", true, &x) < 0) {
		note_wrong(r);
		return 0;
	}
	check_place(r, start, r->at, x, r->count - (is_checkpoint ? 1 : 0));
	while (r->at < r->end) {
		if (is_blank(*r->at)) {
			r->at++;
			continue;
		}
		int e = take_item(r, is_checkpoint);
		if (e < 0)
			return e;
		if (e > 0) {
			note_wrong(r);
			return 0;
		}
		is_checkpoint = false;
	}
	return 0;
}

int asdf_list(const struct asdf *table, double *to, size_t max, struct asdf_result *result)
{
	*result = (struct asdf_result){0};
	struct reader r = {.table = table,
		.to = to,
		.max = max,
		.has_exponents = has_exponents(table),
		.result = result};
	int e = 0;
	for (size_t from = 0; e == 0 && take_line(table, &from, &r.at, &r.end);) {
		r.line++;
		e = take_list_line(&r);
	}
	result->count = r.count;
	return e;
}

int asdf_pairs(
	const struct asdf *table, double *xs, double *ys, size_t max, struct asdf_result *result)
{
	*result = (struct asdf_result){0};
	struct reader r = {.table = table, .has_exponents = true, .result = result};
	size_t count = 0; /* of numbers */
	for (size_t from = 0; take_line(table, &from, &r.at, &r.end);) {
		r.line++;
		while (r.at < r.end) {
			double number;
			if (is_blank(*r.at)) {
				r.at++;
				continue;
			}
			if (take_number(&r, "", true, &number) < 0) {
				note_wrong(&r);
				break;
			}
			if (count / 2 == max)
				return -EBADMSG;
			double *to = count % 2 == 0 ? xs : ys;
			if (to != NULL)
				to[count / 2] = number;
			count++;
		}
	}
	if (count % 2 != 0)
		note_wrong(&r);
	result->count = count / 2;
	return 0;
}
