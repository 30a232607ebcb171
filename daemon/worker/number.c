/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "worker/number.h"

#define DIGITS_MAX 63

static locale_t c_locale;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_locale(void)
{
	c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void trim(const char **text, size_t *len)
{
	while (*len > 0 && is_blank((*text)[0])) {
		(*text)++;
		(*len)--;
	}
	while (*len > 0 && is_blank((*text)[*len - 1]))
		(*len)--;
}

static size_t count_digits(const char *text, size_t len)
{
	size_t n = 0;
	while (n < len && text[n] >= '0' && text[n] <= '9')
		n++;
	return n;
}

static size_t sign_length(const char *text, size_t len)
{
	return len > 0 && (text[0] == '-' || text[0] == '+') ? 1 : 0;
}

static bool is_number(const char *text, size_t len)
{
	size_t at = sign_length(text, len);
	size_t digits = count_digits(text + at, len - at);
	at += digits;
	if (at < len && text[at] == '.') {
		size_t more = count_digits(text + at + 1, len - at - 1);
		digits += more;
		at += 1 + more;
	}
	if (digits == 0)
		return false;
	if (at < len && (text[at] == 'e' || text[at] == 'E')) {
		at++;
		at += sign_length(text + at, len - at);
		size_t exponent = count_digits(text + at, len - at);
		if (exponent == 0)
			return false;
		at += exponent;
	}
	return at == len;
}

int number_parse(const char *text, size_t len, double *out)
{
	trim(&text, &len);
	char copy[DIGITS_MAX + 1];
	if (len > DIGITS_MAX || !is_number(text, len))
		return -EBADMSG;
	pthread_once(&once, make_locale);
	if (c_locale == (locale_t)0)
		return -EBADMSG;
	memcpy(copy, text, len);
	copy[len] = '\0';
	double value = strtod_l(copy, NULL, c_locale);
	if (!isfinite(value))
		return -EBADMSG;
	*out = value;
	return 0;
}

int number_parse_integer(const char *text, size_t len, int64_t *out)
{
	trim(&text, &len);
	bool negative = len > 0 && text[0] == '-';
	size_t sign = sign_length(text, len);
	if (len == sign || count_digits(text + sign, len - sign) != len - sign)
		return -EBADMSG;
	int64_t value = 0; /* counted downwards: the negative range is the larger */
	for (size_t i = sign; i < len; i++) {
		if (__builtin_mul_overflow(value, (int64_t)10, &value) ||
			__builtin_sub_overflow(value, (int64_t)(text[i] - '0'), &value))
			return -EBADMSG;
	}
	if (!negative && value == INT64_MIN)
		return -EBADMSG;
	*out = negative ? value : -value;
	return 0;
}
