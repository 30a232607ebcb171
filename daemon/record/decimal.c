/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "record/decimal.h"

#define EXACT_POWER 27 /* 10^27 is the largest power of ten that a long double holds exactly */

/*
 * The value of "d.ddde+x" as printf wrote it, in one rounding of a long double.  False if that is
 * not exact enough for a comparison; then all digits are written.
 */
static bool read_back(const char *text, long double *value)
{
	uint64_t digits = 0;
	int scale = 0, exponent = 0;
	bool negative = *text == '-', after_point = false;
	for (text += negative; *text != 'e'; text++) {
		if (*text < '0' || *text > '9') {
			after_point = true;
			continue;
		}
		digits = digits * 10 + (uint64_t)(*text - '0');
		scale += after_point;
	}
	bool below = text[1] == '-';
	for (text += 2; *text != '\0'; text++)
		exponent = exponent * 10 + (*text - '0');
	exponent = (below ? -exponent : exponent) - scale;
	if (exponent < -EXACT_POWER || exponent > EXACT_POWER)
		return false;
	long double power = 1;
	for (int i = 0; i < (exponent < 0 ? -exponent : exponent); i++)
		power *= 10;
	*value = exponent < 0 ? (long double)digits / power : (long double)digits * power;
	*value = negative ? -*value : *value;
	return true;
}

static size_t write_digits(char out[DECIMAL_SIZE], double value, int digits)
{
	int len = snprintf(out, DECIMAL_SIZE, "%.*g", digits, value);
	assert(len > 0 && len < DECIMAL_SIZE);
	return (size_t)len;
}

static size_t write_shortest(char out[DECIMAL_SIZE], double value, int least, int most,
	bool (*same)(long double, double))
{
	assert(isfinite(value));
	for (int digits = least; digits < most; digits++) {
		char scientific[DECIMAL_SIZE];
		long double back;
		snprintf(scientific, sizeof scientific, "%.*e", digits - 1, value);
		if (read_back(scientific, &back) && same(back, value))
			return write_digits(out, value, digits);
	}
	return write_digits(out, value, most);
}

static locale_t c_locale;

static void make_locale(void)
{
	c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* printf takes the decimal point, which may be any character, from the thread's locale. */
static size_t write_with_point(char out[DECIMAL_SIZE], double value, int least, int most,
	bool (*same)(long double, double))
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, make_locale);
	locale_t before = uselocale(c_locale);
	size_t len = write_shortest(out, value, least, most, same);
	uselocale(before);
	return len;
}

static bool same_double(long double back, double value)
{
	return (double)back == value;
}

static bool same_float(long double back, double value)
{
	return (float)back == (float)value;
}

size_t decimal_from_double(char out[DECIMAL_SIZE], double value)
{
	return write_with_point(out, value, 15, 17, same_double);
}

size_t decimal_from_float(char out[DECIMAL_SIZE], float value)
{
	return write_with_point(out, (double)value, 6, 9, same_float);
}
