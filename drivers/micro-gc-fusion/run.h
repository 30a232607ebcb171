/* SPDX-License-Identifier: Apache-2.0 */
/* One run as the instrument stores it: the traces of its detectors, and their peaks.  Pure. */
#ifndef MICRO_GC_FUSION_RUN_H
#define MICRO_GC_FUSION_RUN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DETECTORS_MAX 8
#define PEAKS_MAX     10000
#define WHY_MAX       120

struct detector {
	const char *name;     /* such as "moduleA:tcd" */
	const json_t *values; /* numbers */
	double rate;          /* of values per second */
	size_t expected;      /* number of values */
	const json_t *peaks;  /* objects; NULL: not analysed */
};

/* Texts and values are within `root`. */
struct run {
	json_t *root;
	const char *id, *method, *time, *version; /* "" if there is none */
	struct detector detectors[DETECTORS_MAX]; /* by name: the instrument's order varies */
	size_t detector_count, peak_count;
};

/*
 * Any JSON value, owned by the caller; NULL, and the reason in `why`, if the bytes are none.  Numbers
 * are finite.
 */
json_t *run_parse(const void *body, size_t len, char why[WHY_MAX]);

/* False, and the reason in `why`: it is no run that can be read.  Nothing is owned then. */
bool run_read(const void *body, size_t len, struct run *out, char why[WHY_MAX]);

/* Legal on a zeroed run. */
void run_free(struct run *run);

/* Whether all detectors have all values, and are analysed. */
bool run_is_whole(const struct run *run);

/* A number of a peak; NAN: it has none. */
double run_peak_number(const json_t *peak, const char *key);

/* The text of a member; "" if there is none, or one that is too long for a name. */
const char *run_text(const json_t *object, const char *key);

#endif
