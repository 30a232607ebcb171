/* SPDX-License-Identifier: Apache-2.0 */
/* The traces of a run as ANDI-chrom, a file for each, with the peaks that the instrument found. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "andi.h"
#include "mass.h"

#define PEAK_NAME 32

static const struct {
	const char *name;
	size_t at; /* in struct trace_peak */
} peak_columns[] = {{"retention_time", offsetof(struct trace_peak, time)},
	{"peak_start", offsetof(struct trace_peak, start)},
	{"peak_end", offsetof(struct trace_peak, end)},
	{"peak_area", offsetof(struct trace_peak, area)},
	{"peak_height", offsetof(struct trace_peak, height)}};

#define COLUMNS (sizeof peak_columns / sizeof *peak_columns)

static double peak_cell(const struct trace_peak *peak, size_t column)
{
	double value;
	memcpy(&value, (const char *)peak + peak_columns[column].at, sizeof value);
	return isfinite(value) ? value : ANDI_UNKNOWN;
}

struct shape {
	double first, step, least, most;
	bool is_even;
};

static struct shape measure(const struct trace *trace)
{
	struct shape s = {.least = trace_value(trace, 0), .most = trace_value(trace, 0)};
	s.is_even = trace_is_even(trace, &s.first, &s.step);
	for (size_t i = 0; i < trace->count; i++) {
		s.least = fmin(s.least, trace_value(trace, i));
		s.most = fmax(s.most, trace_value(trace, i));
	}
	return s;
}

static void declare(struct cdf *cdf, const struct export *e, const struct trace *trace,
	const struct shape *shape)
{
	const struct facts *about = &e->about;
	size_t points = cdf_dim(cdf, "point_number", trace->count);
	size_t peaks = trace->peaks_count > 0 ? cdf_dim(cdf, "peak_number", trace->peaks_count) : 0;
	size_t names[] = {peaks, cdf_dim(cdf, "_32_byte_string", PEAK_NAME)};
	enum cdf_type type = trace->is_narrow ? CDF_FLOAT : CDF_DOUBLE;
	andi_common(cdf, e, "aia_template_revision", "1.0");
	andi_time(cdf, "injection_date_time_stamp", about->started);
	cdf_text(cdf, CDF_GLOBAL, "separation_experiment_type", "gas chromatography");
	andi_text(cdf, "sample_name", about->texts[FACT_SAMPLE]);
	andi_text(cdf, "sample_id", about->texts[FACT_SAMPLE]);
	andi_text(cdf, "detection_method_name", about->texts[FACT_METHOD]);
	andi_text(cdf, "detector_name", trace->channel[0] != '\0' ? trace->channel : trace->name);
	andi_text(cdf, "detector_unit", trace->unit);
	cdf_text(cdf, CDF_GLOBAL, "retention_unit", "seconds");
	cdf_var(cdf, "detector_maximum_value", CDF_DOUBLE, 0, NULL);
	cdf_var(cdf, "detector_minimum_value", CDF_DOUBLE, 0, NULL);
	cdf_var(cdf, "actual_run_time_length", CDF_DOUBLE, 0, NULL);
	cdf_var(cdf, "actual_delay_time", CDF_DOUBLE, 0, NULL);
	cdf_var(cdf, "actual_sampling_interval", CDF_DOUBLE, 0, NULL);
	size_t ordinates = cdf_var(cdf, andi_name("signal"), type, 1, &points);
	cdf_text(cdf, ordinates, "uniform_sampling_flag", shape->is_even ? "Y" : "N");
	if (!shape->is_even)
		cdf_var(cdf, andi_name("time"), CDF_DOUBLE, 1, &points);
	if (trace->peaks_count == 0)
		return;
	for (size_t i = 0; i < COLUMNS; i++)
		cdf_var(cdf, andi_name(peak_columns[i].name), CDF_DOUBLE, 1, &peaks);
	cdf_var(cdf, andi_name("peak_name"), CDF_CHAR, 2, names);
}

static void put_values(
	struct export *e, struct cdf *cdf, const struct trace *trace, const struct shape *shape)
{
	struct buffer *to = &e->to;
	cdf_put(cdf, to, shape->most);
	cdf_put(cdf, to, shape->least);
	cdf_put(cdf, to, trace_time(trace, trace->count - 1));
	cdf_put(cdf, to, shape->first);
	cdf_put(cdf, to, shape->step);
	for (size_t i = 0; i < trace->count; i++)
		cdf_put(cdf, to, trace_value(trace, i));
	for (size_t i = 0; !shape->is_even && i < trace->count; i++)
		cdf_put(cdf, to, trace_time(trace, i));
	for (size_t k = 0; trace->peaks_count > 0 && k < COLUMNS; k++) {
		for (size_t i = 0; i < trace->peaks_count; i++)
			cdf_put(cdf, to, peak_cell(trace_peak(trace, i), k));
	}
	for (size_t i = 0; i < trace->peaks_count; i++) {
		static const char *const no_marks[] = {NULL};
		struct buffer name = {0};
		facts_put_ascii(&name, trace_peak(trace, i)->name, no_marks, PEAK_NAME - 1);
		buffer_append(&name, "", 1);
		cdf_put_text(cdf, to, name.failed ? "" : (const char *)name.data, PEAK_NAME);
		buffer_finish(&name);
	}
}

static int put_trace(struct export *e, const struct trace *trace, size_t number)
{
	struct cdf *cdf = calloc(1, sizeof *cdf);
	struct shape shape = measure(trace);
	bool is_new;
	if (cdf == NULL)
		return -ENOMEM;
	int r = export_choose_file(e, number, &is_new);
	declare(cdf, e, trace, &shape);
	if (r == 0)
		r = cdf_head(cdf, &e->to);
	if (r == 0)
		put_values(e, cdf, trace, &shape);
	cdf_finish(cdf);
	free(cdf);
	return r;
}

static int put_entry(struct export *e, const struct export_item *item)
{
	return 0;
}

/* A file for each trace. */
static int end(struct export *e)
{
	struct mass_run *mass = e->own;
	size_t traces = mass != NULL ? mass->traces.count : 0;
	while (traces > 0 && mass->done < traces) {
		const struct trace *trace = &mass->traces.of[mass->done++];
		if (trace->count == 0)
			continue;
		int r = put_trace(e, trace, mass->done);
		return r < 0 ? r : 1;
	}
	if (mass != NULL && mass->count > 0)
		export_note(e, "scans left out, which --format andi-ms has", mass->count);
	return 0;
}

const struct export_format export_andi_chrom = {.survey = mass_take,
	.entry = put_entry,
	.end = end,
	.forget = mass_forget,
	.lacks = "raw bytes; quality of single frames; flags and uncertainties of single values; "
		 "characters that are not ASCII"};
