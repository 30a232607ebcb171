/* SPDX-License-Identifier: Apache-2.0 */
/* The decode slot: a run in, one frame with its traces and its table of peaks out. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "run.h"
#include "slots.h"

#define TIME_MAX_BYTES 40

/* --- traces ----------------------------------------------------------------------------------- */

/* Detectors with the same rate and number of values share an axis: the first one's. */
static size_t axis_of(const struct run *run, size_t detector)
{
	const struct detector *own = &run->detectors[detector];
	size_t i = 0;
	while (run->detectors[i].rate != own->rate ||
		json_array_size(run->detectors[i].values) != json_array_size(own->values))
		i++;
	return i;
}

static int add_trace(const struct run *run, size_t detector, struct assay_frame *out)
{
	const struct detector *own = &run->detectors[detector];
	size_t n = json_array_size(own->values), axis = axis_of(run, detector);
	double *values = assay_frame_scratch(out, n * sizeof(*values));
	char time[16] = "time";
	if (values == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		values[i] = json_number_value(json_array_get(own->values, i));
	if (axis > 0)
		snprintf(time, sizeof(time), "time_%zu", axis + 1);
	if (axis == detector)
		assay_add_linear_axis(out, time, "s", 0, 1 / own->rate, n);
	struct assay_variable v = {.name = "signal",
		.role = ASSAY_DATA,
		.dims = {time},
		.unit = "1",
		.channel = own->name,
		.type = ASSAY_F64,
		.data = values,
		.count = n};
	assay_frame_add(out, &v);
	return 0;
}

static int add_traces(const struct run *run, struct assay_frame *out)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < run->detector_count; i++) {
		const struct detector *own = &run->detectors[i];
		size_t n = json_array_size(own->values);
		if (n != own->expected)
			assay_frame_quality(
				out, ASSAY_SUSPECT, n < own->expected ? "truncated" : "malformed");
		if (own->peaks == NULL)
			assay_frame_quality(out, ASSAY_SUSPECT, "not-processed");
		r = add_trace(run, i, out);
	}
	return r;
}

/* --- peaks ------------------------------------------------------------------------------------ */

static const struct {
	const char *key, *name, *unit; /* NULL: that of the setting concentration_unit */
	enum assay_role role;
} columns[] = {
	{"top", "retention_time", "s", ASSAY_AUX},
	{"start", "peak_start", "s", ASSAY_AUX},
	{"end", "peak_end", "s", ASSAY_AUX},
	{"area", "peak_area", "1", ASSAY_DATA},
	{"height", "peak_height", "1", ASSAY_DATA},
	{"concentration", "concentration", NULL, ASSAY_DATA},
	{"normalizedConcentration", "normalized_concentration", "%", ASSAY_DATA},
	{"snr", "signal_to_noise", "1", ASSAY_AUX},
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* A peak without a value has NAN; a column without any value is left out. */
static int add_column(const struct assay_decoding *in, const struct run *run, size_t column,
	struct assay_frame *out)
{
	double *values = assay_frame_scratch(out, run->peak_count * sizeof(*values));
	size_t n = 0;
	bool has_any = false;
	if (values == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < run->detector_count; i++)
		for (size_t k = 0; k < json_array_size(run->detectors[i].peaks); k++, n++) {
			values[n] = run_peak_number(
				json_array_get(run->detectors[i].peaks, k), columns[column].key);
			has_any = has_any || !isnan(values[n]);
		}
	bool is_set = assay_has(in->settings, "concentration_unit");
	const char *unit = columns[column].unit;
	if (unit == NULL)
		unit = is_set ? assay_text(in->settings, "concentration_unit") : "%";
	struct assay_variable v = {.name = columns[column].name,
		.role = columns[column].role,
		.dims = {"peak"},
		.unit = unit,
		.type = ASSAY_F64,
		.data = values,
		.count = n};
	if (has_any)
		assay_frame_add(out, &v);
	return 0;
}

static int add_names(const struct run *run, struct assay_frame *out)
{
	const char **labels = assay_frame_scratch(out, run->peak_count * sizeof(*labels));
	const char **detectors = assay_frame_scratch(out, run->peak_count * sizeof(*detectors));
	size_t n = 0;
	if (labels == NULL || detectors == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < run->detector_count; i++)
		for (size_t k = 0; k < json_array_size(run->detectors[i].peaks); k++, n++) {
			labels[n] = run_text(json_array_get(run->detectors[i].peaks, k), "label");
			detectors[n] = run->detectors[i].name;
		}
	struct assay_variable v = {.name = "peak_name",
		.role = ASSAY_AUX,
		.dims = {"peak"},
		.unit = "1",
		.type = ASSAY_TEXTS,
		.texts = labels,
		.count = n};
	assay_frame_add(out, &v);
	v.name = "peak_detector";
	v.texts = detectors;
	assay_frame_add(out, &v);
	return 0;
}

static int add_peaks(
	const struct assay_decoding *in, const struct run *run, struct assay_frame *out)
{
	assay_add_linear_axis(out, "peak", "1", 1, 1, run->peak_count);
	int r = add_names(run, out);
	for (size_t i = 0; r == 0 && i < COLUMNS; i++)
		r = add_column(in, run, i, out);
	return r;
}

/* --- the frame -------------------------------------------------------------------------------- */

static void set_text(struct assay_frame *out, const char *name, const char *text)
{
	struct assay_variable v = {.type = ASSAY_SCALAR_TEXT, .text = text};
	if (text[0] != '\0')
		assay_frame_setting(out, name, &v);
}

static int add_run(const struct assay_decoding *in, const struct run *run, struct assay_frame *out)
{
	assay_frame_kind(out, ASSAY_CHROMATOGRAM);
	assay_frame_quality(out, ASSAY_UNCHECKED, NULL); /* JSON has no checksum */
	if (run->time[0] != '\0' && strlen(run->time) < TIME_MAX_BYTES)
		assay_frame_device_time(out, run->time);
	set_text(out, "method", run->method);
	set_text(out, "run_id", run->id);
	set_text(out, "software_version", run->version);
	int r = add_traces(run, out);
	if (r == 0 && run->peak_count > 0)
		r = add_peaks(in, run, out);
	return r;
}

int fusion_decode(const struct assay_decoding *in, struct assay_frame *out)
{
	struct run run;
	char why[WHY_MAX];
	if (in->raw_count != 1)
		return -EBADMSG;
	if (!run_read(in->raw[0].data, in->raw[0].len, &run, why)) {
		assay_explain_decode(in, "%s", why);
		return -EBADMSG;
	}
	int r = add_run(in, &run, out);
	run_free(&run);
	return r;
}
