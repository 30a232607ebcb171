/* SPDX-License-Identifier: Apache-2.0 */
#include "scaling.h"

#include <math.h>

#define EXACT_MAX 0x1p53 /* whole numbers up to here are exact */

/* Whether `number` is the float nearest to *whole / divisor. */
static bool is_over(double number, double divisor, double *whole)
{
	*whole = rint(number * divisor);
	return fabs(*whole) <= EXACT_MAX && *whole / divisor == number;
}

void scaling_make(double factor, double offset, struct scaling *scaling)
{
	*scaling = (struct scaling){
		.is_used = factor != 1 || offset != 0, .factor = factor, .offset = offset};
	for (double divisor = 1; divisor <= 1e22; divisor *= 10) {
		if (!is_over(factor, divisor, &scaling->whole_factor) ||
			!is_over(offset, divisor, &scaling->whole_offset))
			continue;
		scaling->divisor = divisor;
		return;
	}
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
