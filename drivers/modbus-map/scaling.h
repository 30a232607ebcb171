/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value = number * factor + offset, with a single rounding if both are decimals: 101 * 0.1 is 10.1.
 */
#ifndef ASSAY_MODBUS_MAP_SCALING_H
#define ASSAY_MODBUS_MAP_SCALING_H

#include "registers.h"

struct scaling {
	bool is_used; /* otherwise the number stays as it is, an integer too */
	double factor, offset;
	/* The same as whole numbers over a power of ten; divisor 0: they are no such decimals. */
	double whole_factor, whole_offset, divisor;
};

/* Pure; a factor of 1 without offset leaves the number alone. */
void scaling_make(double factor, double offset, struct scaling *scaling);

/*
 * Multiplies the factor by `factor` and a power of ten.  From then on the result is a number of 64
 * bits, even if the factor is 1.
 */
void scaling_multiply(struct scaling *scaling, double factor, int exponent);

/* The value as a number of 64 bits; REGISTER_NOTHING if it is not finite, or was nothing before. */
struct register_value scaling_apply(
	const struct scaling *scaling, const struct register_value *value);

#endif
