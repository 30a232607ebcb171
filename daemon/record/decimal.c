/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "record/decimal.h"

static locale_t c_locale;

static void make_locale(void)
{
	c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* printf takes the decimal point, which may be any character, from the thread's locale. */
static locale_t use_point(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, make_locale);
	return uselocale(c_locale);
}

static size_t write_digits(char out[DECIMAL_SIZE], double value, int digits)
{
	assert(isfinite(value));
	int len = snprintf(out, DECIMAL_SIZE, "%.*g", digits, value);
	assert(len > 0 && len < DECIMAL_SIZE);
	return (size_t)len;
}

/* A decimal of up to DBL_DIG digits survives the way to a double and back: printf drops its zeros. */
size_t decimal_from_double(char out[DECIMAL_SIZE], double value)
{
	locale_t before = use_point();
	int digits = DBL_DIG;
	size_t len = write_digits(out, value, digits);
	while (digits < DBL_DECIMAL_DIG && strtod(out, NULL) != value)
		len = write_digits(out, value, ++digits);
	uselocale(before);
	return len;
}

size_t decimal_from_float(char out[DECIMAL_SIZE], float value)
{
	locale_t before = use_point();
	int digits = FLT_DIG;
	size_t len = write_digits(out, (double)value, digits);
	while (digits < FLT_DECIMAL_DIG && strtof(out, NULL) != value)
		len = write_digits(out, (double)value, ++digits);
	uselocale(before);
	return len;
}

size_t decimal_from_computed(char out[DECIMAL_SIZE], double value)
{
	locale_t before = use_point();
	size_t len = write_digits(out, value, DBL_DIG);
	uselocale(before);
	return len;
}
