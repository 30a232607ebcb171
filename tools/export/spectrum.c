/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>

#include <assay/client.h>

#include "spectrum.h"

static bool is_numbers(const struct assay_var_view *var)
{
	return var->form != ASSAY_FORM_TEXT && var->form != ASSAY_FORM_TEXTS;
}

int spectrum_at(const struct assay_frame_view *of, size_t i, struct spectrum *s)
{
	struct assay_frame_view frame = *of;
	assay_frame_rewind(&frame);
	while (assay_frame_next(&frame, &s->y) == 1) {
		if (s->y.role != ASSAY_ROLE_DATA || s->y.dims_count != 1 || s->y.count == 0 ||
			!is_numbers(&s->y) || assay_client_axis(of, &s->y, 0, &s->x) < 0 ||
			s->x.count != s->y.count || !is_numbers(&s->x))
			continue;
		s->count = s->y.count;
		if (i-- == 0)
			return 0;
	}
	return -ENOENT;
}

bool spectrum_is_over(const struct spectrum *s, const char *axis)
{
	return assay_string_is(s->x.name, axis);
}

bool spectrum_is_linear(const struct spectrum *s, double *first, double *step)
{
	*first = assay_var_number(&s->x, 0);
	*step = s->count > 1
			? (assay_var_number(&s->x, s->count - 1) - *first) / (double)(s->count - 1)
			: 1;
	if (s->x.form == ASSAY_FORM_LINEAR)
		*step = s->x.step;
	if (!isfinite(*first) || !isfinite(*step) || fpclassify(*step) == FP_ZERO)
		return false;
	for (size_t i = 0; i < s->count; i++) {
		double x = assay_var_number(&s->x, i);
		if (!(fabs(x - (*first + (double)i * *step)) <= 1e-6 * fabs(*step)))
			return false;
	}
	return true;
}

double spectrum_fact(const struct assay_frame_view *frame, const char *name)
{
	struct assay_var_view var;
	return assay_frame_find(frame, name, &var) == 0 && var.count == 1 && is_numbers(&var)
		       ? assay_var_number(&var, 0)
		       : NAN;
}

static bool is_finite(const struct assay_var_view *var)
{
	size_t i = 0;
	while (i < var->count && isfinite(assay_var_number(var, i)))
		i++;
	return i == var->count;
}

bool spectrum_is_finite(const struct spectrum *s)
{
	return is_finite(&s->y);
}

bool spectrum_has_axis(const struct spectrum *s)
{
	return is_finite(&s->x);
}
