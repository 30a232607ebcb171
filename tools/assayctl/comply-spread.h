/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The spread of a frame's variables over several frames: of each single value; of each array its sum,
 * and where along its axis its maximum is.
 */
#ifndef ASSAY_ASSAYCTL_COMPLY_SPREAD_H
#define ASSAY_ASSAYCTL_COMPLY_SPREAD_H

#include <assay/record.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPREAD_MAX 512

struct spread_row {
	char name[160]; /* "counts: sum", "concentration CO wet" */
	char unit[40];
	uint64_t n;
	double mean, m2, min, max; /* Welford */
	bool is_place;             /* of a maximum: no relative spread */
};

struct spread {
	struct spread_row rows[SPREAD_MAX];
	size_t count;
	uint64_t frames, left_out; /* values that are not finite, or beyond SPREAD_MAX */
	bool is_other;             /* a frame has other variables than the first */
};

/* Adds the data variables of one frame. */
void spread_add(struct spread *spread, const struct assay_frame_view *frame);

/* The standard deviation of the sample; 0 of one value. */
double spread_deviation(const struct spread_row *row);

/* Per cent of the mean; 0 if the mean is 0. */
double spread_relative(const struct spread_row *row);

#endif
