/* SPDX-License-Identifier: Apache-2.0 */
#include "transform.h"

#include <math.h>
#include <string.h>

#include "opus.h"

size_t transform_size(size_t reach, size_t zero_filling)
{
	return fourier_size(zero_filling * fourier_size(reach));
}

struct pass transform_pass(double resolution, double limit, size_t zero_filling)
{
	size_t reach = (size_t)llround(2 * limit * 0.9 / resolution);
	return (struct pass){reach, transform_size(reach, zero_filling)};
}

size_t scan_short(const struct scan *scan)
{
	size_t after = scan->count - 1 - scan->peak;
	return scan->peak < after ? scan->peak : after;
}

size_t scan_long(const struct scan *scan)
{
	return scan->count - 1 - scan_short(scan);
}

static double mean_of(const struct scan *scan)
{
	double sum = 0;
	for (size_t i = 0; i < scan->count; i++)
		sum += (double)opus_value(scan->numbers, i);
	return sum / (double)scan->count;
}

/*
 * The share of a point in a scan with fewer points than needed on one side.  Path differences that
 * both sides have would count twice against the others: a ramp from 0 to 2 gives each pair of
 * points the sum of 2, and points without a partner count 2.  `d` grows towards the longer side.
 */
static double share(double d, size_t shorter, size_t reach)
{
	double s = (double)shorter;
	if (shorter >= reach)
		return 1;
	return d > s ? 2 : (d + s) / s;
}

/*
 * Weighs the points around the centre burst and puts them into z[0 ... size), the centre at 0, the
 * side before it at the end.  With fewer places than points they overlap: then the transform gives
 * each n-th point of the longer one, exactly.
 */
static void place(
	const struct scan *scan, const struct apodization *a, struct pass pass, struct fourier *z)
{
	double mean = mean_of(scan);
	size_t shorter = scan_short(scan);
	bool is_reversed = scan->peak > shorter;
	size_t first = scan->peak > pass.reach ? scan->peak - pass.reach : 0;
	memset(z, 0, pass.size * sizeof(*z));
	for (size_t i = first; i < scan->count && i <= scan->peak + pass.reach; i++) {
		double d = is_reversed ? (double)scan->peak - (double)i
				       : (double)i - (double)scan->peak;
		double weight = apodization_at(a, d / (double)pass.reach) *
				share(d, shorter, pass.reach);
		size_t distance = is_reversed ? scan->peak - i : i - scan->peak;
		z[distance & (pass.size - 1)].re += ((double)opus_value(scan->numbers, i) - mean) *
						    weight;
	}
}

/* The unit vector with the direction of `z`. */
static struct fourier direction(struct fourier z)
{
	double length = hypot(z.re, z.im);
	if (!(length > 0))
		return (struct fourier){1, 0};
	return (struct fourier){z.re / length, z.im / length};
}

/*
 * The phase at point i of `size`, from that at n points: vectors are interpolated, because an
 * angle jumps by a turn.
 */
static struct fourier phase_at(const struct fourier *phase, size_t n, size_t i, size_t size)
{
	double x = (double)i * (double)n / (double)size;
	size_t below = (size_t)x;
	double part = x - (double)below;
	struct fourier a = phase[below], b = phase[below + 1];
	return direction(
		(struct fourier){a.re + part * (b.re - a.re), a.im + part * (b.im - a.im)});
}

void transform_phase(const struct scan *scan, const struct apodization *a, struct pass pass,
	struct fourier *phase)
{
	place(scan, a, pass, phase);
	fourier_transform(phase, pass.size);
	for (size_t i = 0; i < pass.size; i++)
		phase[i] = direction(phase[i]);
}

void transform_add(const struct scan *scan, const struct recipe *recipe, double weight,
	struct fourier *work, struct fourier *phase, double *sum)
{
	size_t size = recipe->spectrum.size, n = recipe->phase.size;
	transform_phase(scan, recipe->apodization, recipe->phase, phase);
	place(scan, recipe->apodization, recipe->spectrum, work);
	fourier_transform(work, size);
	for (size_t i = 0; i < size / 2; i++) {
		struct fourier p = phase_at(phase, n, i, size);
		sum[i] += weight * (work[i].re * p.re + work[i].im * p.im);
	}
}
