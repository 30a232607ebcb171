/* SPDX-License-Identifier: Apache-2.0 */
/* The spectra of a frame: each of its data variables that are numbers over one axis. */
#ifndef ASSAY_EXPORT_SPECTRUM_H
#define ASSAY_EXPORT_SPECTRUM_H

#include <assay/record.h>

struct spectrum {
	struct assay_var_view x, y;
	size_t count; /* of points, at least 1 */
};

/* The i-th; borrows from the frame's bytes.  0 or -ENOENT. */
int spectrum_at(const struct assay_frame_view *frame, size_t i, struct spectrum *s);

/* The axis has this name, such as "energy". */
bool spectrum_is_over(const struct spectrum *s, const char *axis);

/*
 * True if the axis has equal steps: point i is at first + i * step.  Steps of stored numbers may
 * differ by a millionth of one.
 */
bool spectrum_is_linear(const struct spectrum *s, double *first, double *step);

/* The number of a variable without axis, such as "live_time"; NaN: there is none. */
double spectrum_fact(const struct assay_frame_view *frame, const char *name);

/* All ordinates are finite; all points of the axis are. */
bool spectrum_is_finite(const struct spectrum *s);
bool spectrum_has_axis(const struct spectrum *s);

#endif
