/* SPDX-License-Identifier: Apache-2.0 */
#include "scaling.h"

#include <math.h>
#include <stdbool.h>

#define EXACT_MAX 0x1p53 /* whole numbers up to here are exact */

/* Whether `number` is the float nearest to *whole / divisor. */
static bool is_over(double number, double divisor, double *whole)
{
	*whole = rint(number * divisor);
	return fabs(*whole) <= EXACT_MAX && *whole / divisor == number;
}

/* The least power of ten over which both are whole numbers; 0: there is none. */
static double find_divisor(double a, double b, double *whole_a, double *whole_b)
{
	for (double divisor = 1; divisor <= 1e22; divisor *= 10)
		if (is_over(a, divisor, whole_a) && is_over(b, divisor, whole_b))
			return divisor;
	return 0;
}

void scaling_make(double factor, double offset, struct scaling *scaling)
{
	*scaling = (struct scaling){
		.is_used = factor != 1 || offset != 0, .factor = factor, .offset = offset};
	scaling->divisor = find_divisor(
		factor, offset, &scaling->whole_factor, &scaling->whole_offset);
}

void scaling_multiply(struct scaling *scaling, double factor, int exponent)
{
	double whole, none, power = 1;
	for (int i = exponent < 0 ? -exponent : exponent; i > 0; i--)
		power *= 10; /* exact up to 10^22 */
	double divisor = find_divisor(factor, 0, &whole, &none);
	scaling->is_used = true;
	scaling->factor = exponent < 0 ? scaling->factor * factor / power
				       : scaling->factor * factor * power;
	if (divisor == 0 || scaling->divisor == 0) {
		scaling->divisor = 0;
		return;
	}
	double down = divisor * (exponent < 0 ? power : 1);
	scaling->whole_factor *= whole * (exponent < 0 ? 1 : power);
	scaling->whole_offset *= down;
	scaling->divisor *= down;
	bool is_exact = fabs(scaling->whole_factor) <= EXACT_MAX &&
			fabs(scaling->whole_offset) <= EXACT_MAX && scaling->divisor <= 1e22;
	if (!is_exact)
		scaling->divisor = 0;
	else
		scaling->factor = scaling->whole_factor / scaling->divisor;
}

struct register_value scaling_apply(
	const struct scaling *scaling, const struct register_value *value)
{
	struct register_value v = *value;
	if (v.kind == REGISTER_NOTHING || !scaling->is_used)
		return v;
	double number = register_number(&v);
	long double exact = v.kind == REGISTER_REAL ? (long double)v.real : (long double)v.integer;
	double whole = number * scaling->whole_factor + scaling->whole_offset;
	if (scaling->divisor == 0)
		v.real = number * scaling->factor + scaling->offset;
	else if (v.kind == REGISTER_INTEGER && fabs(number) <= EXACT_MAX &&
		 fabs(number * scaling->whole_factor) <= EXACT_MAX && fabs(whole) <= EXACT_MAX)
		v.real = whole / scaling->divisor; /* `whole` is exact: one rounding */
	else
		v.real = (double)((exact * scaling->whole_factor + scaling->whole_offset) /
				  scaling->divisor);
	v.kind = isfinite(v.real) ? REGISTER_REAL : REGISTER_NOTHING;
	v.is_single = false;
	return v;
}
