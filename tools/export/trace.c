/* SPDX-License-Identifier: Apache-2.0 */
#include "trace.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "record/text.h"

/* Seconds of the axis' unit; 0: it is no time. */
static double seconds_of(struct assay_string unit)
{
	static const struct {
		const char *unit;
		double seconds;
	} rows[] = {{"s", 1}, {"ms", 1e-3}, {"min", 60}, {"h", 3600}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (assay_string_is(unit, rows[i].unit))
			return rows[i].seconds;
	}
	return 0;
}

static void copy(char to[TRACE_TEXT], struct assay_string text)
{
	text_escape(to, TRACE_TEXT, text);
}

static double number_at(const struct buffer *numbers, size_t i)
{
	double number;
	memcpy(&number, numbers->data + i * sizeof number, sizeof number);
	return number;
}

double trace_time(const struct trace *trace, size_t i)
{
	return number_at(&trace->times, i);
}

double trace_value(const struct trace *trace, size_t i)
{
	return number_at(&trace->values, i);
}

const struct trace_peak *trace_peak(const struct trace *trace, size_t i)
{
	return (const struct trace_peak *)(const void *)trace->peaks.data + i;
}

bool trace_is_even(const struct trace *trace, double *first, double *step)
{
	size_t last = trace->count - 1;
	*first = trace->count > 0 ? trace_time(trace, 0) : 0;
	*step = trace->count > 1 ? (trace_time(trace, last) - *first) / (double)last : 0;
	for (size_t i = 0; i < trace->count; i++) {
		if (fabs(trace_time(trace, i) - (*first + (double)i * *step)) > 1e-6 * *step)
			return false;
	}
	return trace->count > 1 && *step > 0;
}

/* The trace that goes on with this signal, or a new one.  NULL: no memory. */
static struct trace *find(struct traces *traces, const struct assay_var_view *signal, double start)
{
	char channel[TRACE_TEXT], name[TRACE_TEXT], unit[TRACE_TEXT];
	copy(channel, signal->channel);
	copy(name, signal->name);
	copy(unit, signal->unit);
	for (size_t i = traces->count; i > 0; i--) {
		struct trace *trace = &traces->of[i - 1];
		if (strcmp(trace->channel, channel) == 0 && strcmp(trace->name, name) == 0 &&
			strcmp(trace->unit, unit) == 0) {
			if (trace->count == 0 || trace_time(trace, trace->count - 1) < start)
				return trace;
			break;
		}
	}
	void *more = reallocarray(traces->of, traces->count + 1, sizeof *traces->of);
	if (more == NULL)
		return NULL;
	traces->of = more;
	struct trace *trace = &traces->of[traces->count++];
	*trace = (struct trace){.is_narrow = true};
	memcpy(trace->channel, channel, sizeof channel);
	memcpy(trace->name, name, sizeof name);
	memcpy(trace->unit, unit, sizeof unit);
	return trace;
}

static int add_signal(struct traces *traces, const struct assay_var_view *signal,
	const struct assay_var_view *axis, struct trace **used)
{
	double seconds = seconds_of(axis->unit);
	size_t count = signal->count < axis->count ? signal->count : axis->count;
	struct trace *trace = find(traces, signal, assay_var_number(axis, 0) * seconds);
	*used = trace;
	if (trace == NULL)
		return -ENOMEM;
	trace->is_narrow &= signal->form == ASSAY_FORM_ARRAY &&
			    signal->element == ASSAY_ELEMENT_F32;
	for (size_t i = 0; i < count; i++) {
		double time = assay_var_number(axis, i) * seconds,
		       value = assay_var_number(signal, i);
		if (!isfinite(time) || !isfinite(value)) {
			traces->dropped++;
			continue;
		}
		buffer_append(&trace->times, &time, sizeof time);
		buffer_append(&trace->values, &value, sizeof value);
		trace->count++;
	}
	return trace->times.failed || trace->values.failed ? -ENOMEM : 0;
}

static double peak_number(const struct assay_frame_view *frame, const char *name, size_t i)
{
	struct assay_var_view var;
	double value = assay_frame_find(frame, name, &var) == 0 && i < var.count
			       ? assay_var_number(&var, i)
			       : NAN;
	return isfinite(value) ? value : NAN;
}

/* The peaks of the table that belong to the trace's channel. */
static int add_peaks(struct trace *trace, const struct assay_frame_view *frame)
{
	struct assay_var_view axis, names, detectors;
	if (assay_frame_find(frame, "peak", &axis) < 0)
		return 0;
	bool has_names = assay_frame_find(frame, "peak_name", &names) == 0;
	bool has_detectors = assay_frame_find(frame, "peak_detector", &detectors) == 0;
	for (size_t i = 0; i < axis.count; i++) {
		struct assay_string of = has_detectors && i < detectors.count
						 ? assay_var_text(&detectors, i)
						 : string_of(trace->channel);
		if (of.data != NULL && !assay_string_is(of, trace->channel))
			continue;
		struct trace_peak peak = {.time = peak_number(frame, "retention_time", i),
			.start = peak_number(frame, "peak_start", i),
			.end = peak_number(frame, "peak_end", i),
			.area = peak_number(frame, "peak_area", i),
			.height = peak_number(frame, "peak_height", i),
			.percent = peak_number(frame, "normalized_concentration", i)};
		if (has_names && i < names.count)
			copy(peak.name, assay_var_text(&names, i));
		buffer_append(&trace->peaks, &peak, sizeof peak);
		trace->peaks_count++;
	}
	return trace->peaks.failed ? -ENOMEM : 0;
}

int traces_take(struct traces *traces, const struct assay_frame_view *frame, size_t *found)
{
	struct assay_frame_view walk = *frame;
	struct assay_var_view var, axis;
	char name[ASSAY_NAME_MAX + 1];
	int r = 0;
	*found = 0;
	assay_frame_rewind(&walk);
	while (r == 0 && assay_frame_next(&walk, &var) == 1) {
		struct trace *trace = NULL;
		if (var.role != ASSAY_ROLE_DATA || var.dims_count != 1 || var.count == 0 ||
			!text_copy(name, sizeof name, var.dims[0]) ||
			assay_frame_find(frame, name, &axis) < 0 || seconds_of(axis.unit) == 0)
			continue;
		r = add_signal(traces, &var, &axis, &trace);
		if (r == 0)
			r = add_peaks(trace, frame);
		(*found)++;
	}
	return r;
}

void traces_finish(struct traces *traces)
{
	for (size_t i = 0; i < traces->count; i++) {
		buffer_finish(&traces->of[i].times);
		buffer_finish(&traces->of[i].values);
		buffer_finish(&traces->of[i].peaks);
	}
	free(traces->of);
	*traces = (struct traces){0};
}
