/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The traces of a run: signals over time.  Instruments send a trace whole or in slices, so the
 * frames of a channel are put together; where the time of a channel starts again, another trace
 * begins.  Traces are kept in memory.
 */
#ifndef ASSAY_EXPORT_TRACE_H
#define ASSAY_EXPORT_TRACE_H

#include <assay/record.h>

#include "base/buffer.h"

#define TRACE_TEXT 64

struct trace_peak {
	char name[TRACE_TEXT];
	double time, start, end, area, height, percent; /* NaN: not known */
};

struct trace {
	char name[TRACE_TEXT];    /* of the variable, such as "signal" */
	char channel[TRACE_TEXT]; /* "": the instrument has one only */
	char unit[TRACE_TEXT];
	struct buffer times, values; /* doubles; s */
	size_t count;
	struct buffer peaks; /* struct trace_peak */
	size_t peaks_count;
	bool is_narrow; /* the values come from 32-bit floats */
};

struct traces {
	struct trace *of;
	size_t count;
	uint64_t dropped; /* points that are not finite */
};

/* Adds the signals of a frame; `found` of them.  0 or -ENOMEM. */
int traces_take(struct traces *traces, const struct assay_frame_view *frame, size_t *found);
void traces_finish(struct traces *traces);

double trace_time(const struct trace *trace, size_t i);
double trace_value(const struct trace *trace, size_t i);
const struct trace_peak *trace_peak(const struct trace *trace, size_t i);

/* True if point i is at first + i * step, to a millionth of a step. */
bool trace_is_even(const struct trace *trace, double *first, double *step);

#endif
