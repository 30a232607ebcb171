/* SPDX-License-Identifier: Apache-2.0 */
/* Apodization functions: weights of an interferogram, by the distance from its centre burst. */
#ifndef BRUKER_WEB_APODIZATION_H
#define BRUKER_WEB_APODIZATION_H

struct apodization;

/* The function with that name of apodization_names; NULL if there is none. */
const struct apodization *apodization_find(const char *name);

/* Its weight at x = distance / maximum distance; 1 at 0, 0 beyond |x| = 1. */
double apodization_at(const struct apodization *a, double x);

/* All names, as choices of a setting; ends with NULL. */
extern const char *const apodization_names[];

#endif
