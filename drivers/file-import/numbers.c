/* SPDX-License-Identifier: Apache-2.0 */
#include "numbers.h"

#include <math.h>

static double number_at(enum assay_value type, const void *data, size_t i)
{
	return type == ASSAY_F32 ? (double)((const float *)data)[i] : ((const double *)data)[i];
}

/* Whether it is an axis by the rules of a frame. */
static bool is_axis(const struct places *x)
{
	if (x->data == NULL)
		return isfinite(x->first) && isfinite(x->last) &&
		       (x->count == 1 || fabs(x->last - x->first) > 0);
	double first = number_at(x->type, x->data, 0);
	double way = x->count > 1 ? number_at(x->type, x->data, 1) - first : 0;
	for (size_t i = 1; i < x->count; i++) {
		double step = number_at(x->type, x->data, i) - number_at(x->type, x->data, i - 1);
		if (!(way > 0 ? step > 0 : step < 0))
			return false;
	}
	return isfinite(first) && isfinite(number_at(x->type, x->data, x->count - 1));
}

const char *numbers_add_places(struct assay_frame *out, const struct places *x)
{
	struct assay_variable v = {.name = x->of.name,
		.role = ASSAY_AXIS,
		.dims = {x->of.name},
		.unit = x->of.unit,
		.label = x->label,
		.type = x->data == NULL ? ASSAY_LINEAR : x->type,
		.data = x->data,
		.count = x->count,
		.start = x->first,
		.step = x->count > 1 ? (x->last - x->first) / (double)(x->count - 1) : 1};
	if (!is_axis(x)) {
		assay_add_linear_axis(out, "point", "1", 0, 1, x->count);
		v.role = ASSAY_DATA;
		v.dims[0] = "point";
		if (x->data == NULL) {
			assay_frame_quality(out, ASSAY_SUSPECT, "malformed");
			return v.dims[0];
		}
	}
	assay_frame_add(out, &v);
	return v.dims[0];
}

void numbers_add_values(struct assay_frame *out, const char *axis, const struct quantity *of,
	const char *label, enum assay_value type, const void *data, size_t count)
{
	struct assay_variable v = {.name = of->name,
		.role = ASSAY_DATA,
		.dims = {axis},
		.unit = of->unit,
		.label = label,
		.type = type,
		.data = data,
		.count = count};
	assay_frame_add(out, &v);
}

const char *numbers_ratio_unit(enum assay_value type, const void *data, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (number_at(type, data, i) > 1.5)
			return "%";
	return "1";
}
