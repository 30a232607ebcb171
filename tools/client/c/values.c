/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <assay/client.h>

#include "record/decimal.h"

#define EXACT_MAX (UINT64_C(1) << 53) /* integers up to here are doubles */

int assay_client_axis(const struct assay_frame_view *frame, const struct assay_var_view *var,
	size_t dim, struct assay_var_view *axis)
{
	struct assay_frame_view walk = *frame;
	if (dim >= var->dims_count)
		return -ENOENT;
	struct assay_string name = var->dims[dim];
	assay_frame_rewind(&walk);
	while (assay_frame_next(&walk, axis) == 1) {
		if (axis->role == ASSAY_ROLE_AXIS && axis->name.len == name.len &&
			memcmp(axis->name.data, name.data, name.len) == 0)
			return 0;
	}
	return -ENOENT;
}

static bool fits(struct assay_string text, const char *wanted)
{
	return wanted == NULL || (text.data != NULL && assay_string_is(text, wanted));
}

int assay_client_variable(const struct assay_frame_view *frame, const char *name,
	const char *analyte, const char *basis, struct assay_var_view *var)
{
	struct assay_frame_view walk = *frame;
	struct assay_var_view next;
	size_t found = 0;
	assay_frame_rewind(&walk);
	while (assay_frame_next(&walk, &next) == 1) {
		if (!fits(next.name, name) || !fits(next.analyte, analyte) ||
			!fits(next.basis, basis))
			continue;
		*var = next;
		found++;
	}
	return found == 1 ? 0 : found == 0 ? -ENOENT : -ENOTUNIQ;
}

const void *assay_client_array(const struct assay_var_view *var, enum assay_element element)
{
	bool is_array = var->form == ASSAY_FORM_ARRAY || var->form == ASSAY_FORM_ND;
	return is_array && var->element == element ? var->data.data : NULL;
}

static bool is_text(const struct assay_var_view *var)
{
	return var->form == ASSAY_FORM_TEXT || var->form == ASSAY_FORM_TEXTS;
}

int assay_client_double(const struct assay_var_view *var, size_t i, double *value)
{
	uint64_t u;
	bool negative;
	if (i >= var->count || is_text(var))
		return -EDOM;
	if (assay_var_integer(var, i, &u, &negative)) {
		/* Above 2^53 every double is an integer, but not every integer a double. */
		double d = (double)u;
		if (u > EXACT_MAX && (d >= 0x1p64 || (uint64_t)d != u))
			return -ERANGE;
		*value = negative ? -d : d;
		return 0;
	}
	*value = assay_var_number(var, i);
	return 0;
}

int assay_client_int(const struct assay_var_view *var, size_t i, int64_t *value)
{
	uint64_t u;
	bool negative;
	if (i >= var->count || !assay_var_integer(var, i, &u, &negative))
		return -EDOM;
	if (u > (uint64_t)INT64_MAX + negative)
		return -ERANGE;
	*value = negative ? (int64_t)(0 - u) : (int64_t)u;
	return 0;
}

ssize_t assay_client_doubles(const struct assay_var_view *var, double *to, size_t size)
{
	if (is_text(var))
		return -EDOM;
	for (size_t i = 0; i < var->count && i < size; i++) {
		int r = assay_client_double(var, i, &to[i]);
		if (r < 0)
			return r;
	}
	return (ssize_t)var->count;
}

static ssize_t copy(const char *from, size_t len, char *to, size_t size)
{
	if (len >= size)
		return -ENOSPC;
	memcpy(to, from, len);
	to[len] = '\0';
	return (ssize_t)len;
}

/* The points of an even axis are computed; other floats are printed as stored. */
static ssize_t write_float(const struct assay_var_view *var, double value, char *to, size_t size)
{
	char text[DECIMAL_SIZE];
	if (isnan(value))
		return copy("nan", 3, to, size);
	if (isinf(value))
		return value > 0 ? copy("inf", 3, to, size) : copy("-inf", 4, to, size);
	size_t len = var->form == ASSAY_FORM_LINEAR      ? decimal_from_computed(text, value)
		     : var->element == ASSAY_ELEMENT_F32 ? decimal_from_float(text, (float)value)
							 : decimal_from_double(text, value);
	return copy(text, len, to, size);
}

ssize_t assay_client_text(const struct assay_var_view *var, size_t i, char *to, size_t size)
{
	uint64_t u;
	bool negative;
	if (i >= var->count)
		return -EDOM;
	if (is_text(var)) {
		struct assay_string text = assay_var_text(var, i);
		return text.data != NULL ? copy(text.data, text.len, to, size) : -EDOM;
	}
	if (assay_var_integer(var, i, &u, &negative)) {
		char digits[24];
		int len = snprintf(digits, sizeof digits, "%s%" PRIu64, negative ? "-" : "", u);
		return copy(digits, (size_t)len, to, size);
	}
	return write_float(var, assay_var_number(var, i), to, size);
}
