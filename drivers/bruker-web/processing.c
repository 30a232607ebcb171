/* SPDX-License-Identifier: Apache-2.0 */
#include "processing.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

/* Two million points take 32 MiB of the 64 MiB that a frame may use. */
#define SIZE_MAX_POINTS  (UINT32_C(1) << 21)
#define PHASE_MAX_POINTS (UINT32_C(1) << 16)

static int refuse(char *why, const char *text)
{
	snprintf(why, WHY_MAX, "%s", text);
	return -EBADMSG;
}

static bool has_room(double resolution, double limit, size_t zero_filling, double most)
{
	return 2 * limit * 0.9 / resolution * 2 * (double)zero_filling <= most;
}

/* The sizes of both passes, cut to the points that there are. */
static int plan(
	const struct processing *p, const struct measurement *m, struct spectrum *out, char *why)
{
	struct recipe *recipe = &out->recipe;
	double phase = p->phase_resolution > 0 ? p->phase_resolution : m->phase_resolution;
	if (!(m->limit > 0))
		return refuse(
			why, "not a band from 0 to the laser's wavenumber, its n-th or n-fold");
	if (!(m->resolution > 0))
		return refuse(why, "the file states no resolution");
	if (!(phase > 0))
		return refuse(why, "the file states no phase resolution: set phase_resolution");
	if (!has_room(m->resolution, m->limit, p->zero_filling, SIZE_MAX_POINTS) ||
		!has_room(phase, m->limit, p->zero_filling, PHASE_MAX_POINTS))
		return refuse(why, "too many points to transform: reduce zero_filling");
	recipe->apodization = p->apodization;
	recipe->spectrum = transform_pass(m->resolution, m->limit, p->zero_filling);
	recipe->phase = transform_pass(phase, m->limit, p->zero_filling);
	for (size_t i = 0; i < m->scan_count; i++) {
		size_t reach = scan_long(&m->scans[i]);
		if (scan_short(&m->scans[i]) < recipe->phase.reach)
			return refuse(why, "the centre burst is too near to the scan's end for the "
					   "phase resolution");
		out->is_short = out->is_short || reach < recipe->spectrum.reach;
		if (reach < recipe->spectrum.reach)
			recipe->spectrum.reach = reach;
	}
	recipe->spectrum.size = transform_size(recipe->spectrum.reach, p->zero_filling);
	if (recipe->spectrum.reach < 2 || recipe->phase.reach < 2)
		return refuse(why, "a resolution of fewer than two points");
	out->phase_resolution = phase;
	out->resolution = out->is_short ? 2 * m->limit * 0.9 / (double)recipe->spectrum.reach
					: m->resolution;
	return 0;
}

/* The points from `low` to `high`, which are 0 if unknown; never empty. */
static void choose_range(
	const struct processing *p, const struct measurement *m, struct spectrum *out)
{
	double low = p->low > 0 ? p->low : m->low, high = p->high > 0 ? p->high : m->high;
	size_t last = out->recipe.spectrum.size / 2 - 1;
	out->step = 2 * m->limit / (double)out->recipe.spectrum.size;
	if (high > 0 && high < (double)last * out->step)
		last = (size_t)(high / out->step);
	out->first = low > 0 ? (size_t)ceil(fmin(low / out->step, (double)last)) : 0;
	out->count = last - out->first + 1;
	out->low = (double)out->first * out->step;
}

int processing_run(const struct processing *p, const struct measurement *m,
	struct assay_frame *frame, struct spectrum *out, char *why)
{
	*out = (struct spectrum){0};
	int r = plan(p, m, out, why);
	if (r < 0)
		return r;
	choose_range(p, m, out);
	const struct recipe *recipe = &out->recipe;
	double *sum = assay_frame_scratch(frame, recipe->spectrum.size / 2 * sizeof(*sum));
	struct fourier *work = assay_frame_scratch(frame, recipe->spectrum.size * sizeof(*work));
	struct fourier *phase = assay_frame_scratch(frame, recipe->phase.size * sizeof(*phase));
	if (sum == NULL || work == NULL || phase == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < m->scan_count; i++)
		transform_add(
			&m->scans[i], recipe, m->factor / (double)m->scan_count, work, phase, sum);
	out->at = sum + out->first;
	return 0;
}

size_t spectrum_divide(struct spectrum *sample, const struct spectrum *background)
{
	size_t lost = 0;
	for (size_t i = 0; i < sample->count; i++) {
		bool is_lit = background->at[i] > 0;
		sample->at[i] = is_lit ? sample->at[i] / background->at[i] : (double)NAN;
		lost += !is_lit;
	}
	return lost;
}

size_t spectrum_absorb(struct spectrum *s)
{
	size_t lost = 0;
	for (size_t i = 0; i < s->count; i++) {
		bool is_lit = s->at[i] > 0;
		s->at[i] = is_lit ? -log10(s->at[i]) : (double)NAN;
		lost += !is_lit;
	}
	return lost;
}
