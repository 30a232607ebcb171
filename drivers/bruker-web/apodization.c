/* SPDX-License-Identifier: Apache-2.0 */
#include "apodization.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#define TERMS 4

/*
 * A series with up to four terms: of cosines, c[k] cos(k pi x); or of powers, c[k] u^power[k] with
 * u = 1 - x^2.  The triangle is neither.
 */
struct apodization {
	enum { COSINES, POWERS, TRIANGLE } series;
	double c[TERMS];
	unsigned power[TERMS];
};

/*
 * Texts disagree about Happ-Genzel, and Norton and Beer published two sets: each has a name.  The
 * coefficients of each function add up to 1.  Of the second Norton-Beer set, copies with slips are
 * in use: 0.348093 for 0.384093 in `weak`, 0.045355 for 0.045335 and a cube for the fourth power in
 * `strong`.
 */
#define FUNCTIONS(X)                                                                  \
	X("boxcar", COSINES, {1}, {0})                                                \
	X("triangular", TRIANGLE, {0}, {0})                                           \
	X("happ-genzel", COSINES, {0.54, 0.46}, {0})                                  \
	X("happ-genzel-53856", COSINES, {0.53856, 0.46144}, {0})                      \
	X("blackman-harris-3", COSINES, {0.42323, 0.49755, 0.07922}, {0})             \
	X("blackman-harris-4", COSINES, {0.35875, 0.48829, 0.14128, 0.01168}, {0})    \
	X("norton-beer-weak", POWERS, {0.384093, -0.087577, 0.703484}, {0, 1, 2})     \
	X("norton-beer-medium", POWERS, {0.152442, -0.136176, 0.983734}, {0, 1, 2})   \
	X("norton-beer-strong", POWERS, {0.045335, 0.554883, 0.399782}, {0, 2, 4})    \
	X("norton-beer-weak-first", POWERS, {0.5480, -0.0833, 0.5353}, {0, 1, 2})     \
	X("norton-beer-medium-first", POWERS, {0.26, -0.154838, 0.894838}, {0, 1, 2}) \
	X("norton-beer-strong-first", POWERS, {0.09, 0.5875, 0.3225}, {0, 2, 4})

#define NAME(name, ...)     name,
#define FUNCTION(name, ...) {__VA_ARGS__},
const char *const apodization_names[] = {FUNCTIONS(NAME) NULL};
static const struct apodization functions[] = {FUNCTIONS(FUNCTION)};

const struct apodization *apodization_find(const char *name)
{
	for (size_t i = 0; apodization_names[i] != NULL; i++)
		if (strcmp(apodization_names[i], name) == 0)
			return &functions[i];
	return NULL;
}

double apodization_at(const struct apodization *a, double x)
{
	double sum = 0, u = 1 - x * x;
	if (fabs(x) > 1)
		return 0;
	if (a->series == TRIANGLE)
		return 1 - fabs(x);
	for (unsigned k = 0; k < TERMS; k++)
		sum += a->c[k] * (a->series == COSINES ? cos(k * M_PI * x) : pow(u, a->power[k]));
	return sum;
}
