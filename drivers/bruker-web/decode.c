/* SPDX-License-Identifier: Apache-2.0 */
#include "decode.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "processing.h"

enum result { INTERFEROGRAM, SINGLE_BEAM, TRANSMITTANCE, ABSORBANCE };

const char *const result_names[] = {
	"interferogram", "single_beam", "transmittance", "absorbance", NULL};

static enum result result_of(const struct assay_settings *s)
{
	const char *name = assay_text(s, "result");
	size_t i = 0;
	while (result_names[i + 1] != NULL && strcmp(result_names[i], name) != 0)
		i++;
	return (enum result)i;
}

static struct processing processing_of(const struct assay_settings *s)
{
	return (struct processing){
		.apodization = apodization_find(assay_text(s, "apodization")),
		.zero_filling = (size_t)assay_int(s, "zero_filling"),
		.phase_resolution = assay_number(s, "phase_resolution"),
		.low = assay_number(s, "wavenumber_first"),
		.high = assay_number(s, "wavenumber_last"),
	};
}

/* --- settings of the frame -------------------------------------------------------------------- */

static void set_number(struct assay_frame *out, const char *name, double value, const char *unit)
{
	struct assay_variable v = {.type = ASSAY_SCALAR_FLOAT, .real = value, .unit = unit};
	if (value > 0)
		assay_frame_setting(out, name, &v);
}

static void set_integer(struct assay_frame *out, const char *name, int64_t value)
{
	struct assay_variable v = {.type = ASSAY_SCALAR_INT, .integer = value};
	if (value > 0)
		assay_frame_setting(out, name, &v);
}

static void set_text(struct assay_frame *out, const char *name, const char *text)
{
	struct assay_variable v = {.type = ASSAY_SCALAR_TEXT, .text = text};
	if (text[0] != '\0')
		assay_frame_setting(out, name, &v);
}

/* How the instrument measured, and how it is set to compute a spectrum, as the file states them. */
static void set_measurement(struct assay_frame *out, const struct measurement *m, double resolution)
{
	set_number(out, "resolution", resolution, "cm-1");
	set_integer(out, "scans", m->coadded);
	set_number(out, "laser_wavenumber", m->laser, "cm-1");
	set_text(out, "acquisition_mode", m->mode);
	set_text(out, "stated_apodization", m->apodization);
	set_text(out, "stated_phase_correction", m->phase);
	set_text(out, "stated_zero_filling", m->zero_filling);
}

/* The steps that made the frame of the interferogram, in their order. */
static void set_processing(
	struct assay_frame *out, const struct assay_decoding *in, const struct spectrum *s)
{
	set_text(out, "apodization", assay_text(in->settings, "apodization"));
	set_integer(out, "zero_filling", assay_int(in->settings, "zero_filling"));
	set_text(out, "phase_correction", "Mertz");
	set_number(out, "phase_resolution", s->phase_resolution, "cm-1");
}

/* --- the frame's variables -------------------------------------------------------------------- */

/*
 * One scan over the path difference.  The points are in the order of time, so that the path falls
 * in a backward scan.  Stored values stay as they are unless the file has a factor for them.
 */
static int add_scan(struct assay_frame *out, const struct measurement *m, size_t i)
{
	static const char *const axes[] = {"path_difference", "path_difference_backward"};
	static const char *const names[] = {"interferogram", "interferogram_backward"};
	const struct scan *scan = &m->scans[i];
	double step = (i == 0 ? 0.5 : -0.5) / m->limit;
	if (m->limit > 0)
		assay_add_linear_axis(
			out, axes[i], "cm", -(double)scan->peak * step, step, scan->count);
	else
		assay_add_linear_axis(
			out, i == 0 ? "point" : "point_backward", "1", 0, 1, scan->count);
	bool is_scaled = m->factor < 1 || m->factor > 1;
	double *scaled = assay_frame_scratch(out, scan->count * sizeof(double));
	float *stored = (float *)(void *)scaled;
	if (scaled == NULL)
		return -ENOMEM;
	for (size_t k = 0; k < scan->count; k++)
		if (is_scaled)
			scaled[k] = (double)opus_value(scan->numbers, k) * m->factor;
		else
			stored[k] = opus_value(scan->numbers, k);
	struct assay_variable v = {
		.name = names[i],
		.role = ASSAY_DATA,
		.dims = {m->limit > 0 ? axes[i]
			 : i == 0     ? "point"
				      : "point_backward"},
		.unit = "1",
		.type = is_scaled ? ASSAY_F64 : ASSAY_F32,
		.data = scaled,
		.count = scan->count,
	};
	assay_frame_add(out, &v);
	return 0;
}

static int add_interferogram(struct assay_frame *out, const struct measurement *m)
{
	assay_frame_kind(out, ASSAY_INTERFEROGRAM);
	set_measurement(out, m, m->resolution);
	if (m->factor < 1 || m->factor > 1)
		set_number(out, "interferogram_factor", fabs(m->factor), "1");
	for (size_t i = 0; i < m->scan_count; i++) {
		int r = add_scan(out, m, i);
		if (r < 0)
			return r;
	}
	return 0;
}

static void add_spectrum(struct assay_frame *out, enum result result, const struct spectrum *s)
{
	assay_frame_kind(out, ASSAY_SPECTRUM);
	assay_add_linear_axis(out, "wavenumber", "cm-1", s->low, s->step, s->count);
	struct assay_variable v = {
		.name = result_names[result],
		.role = ASSAY_DATA,
		.dims = {"wavenumber"},
		.unit = result == ABSORBANCE ? "{absorbance}" : "1",
		.type = ASSAY_F64,
		.data = s->at,
		.count = s->count,
	};
	assay_frame_add(out, &v);
}

/* The frame stops at the step before the one that was not possible, and has the reason in words. */
static void add_shortfall(
	struct assay_frame *out, const char *missing, const char *reason, const char *why)
{
	char text[WHY_MAX + 32];
	snprintf(text, sizeof(text), "no %s: %s", missing, why);
	struct assay_variable v = {.name = "status_text",
		.role = ASSAY_AUX,
		.unit = "1",
		.type = ASSAY_SCALAR_TEXT,
		.text = text};
	assay_frame_add(out, &v);
	assay_frame_quality(out, ASSAY_SUSPECT, reason);
}

/* --- background ------------------------------------------------------------------------------- */

static int refuse(char *why, const char *text)
{
	snprintf(why, WHY_MAX, "%s", text);
	return -EBADMSG;
}

static int find_background(const struct assay_decoding *in, struct measurement *out, char *why)
{
	const struct assay_bytes *found = NULL;
	for (size_t i = 0; i < in->reference_count; i++) {
		if (strcmp(in->references[i].media, OPUS_MEDIA) != 0)
			continue;
		if (found != NULL)
			return refuse(why, "several background runs, expected one");
		found = &in->references[i];
	}
	if (found == NULL)
		return refuse(why, "no background run: name one of a Bruker spectrometer in refs "
				   "of the start");
	return measurement_open(out, found->data, found->len, why);
}

/* Both spectra must have the same points, to a hundredth of their distance at the last one. */
static int compare(const struct measurement *m, const struct measurement *background, char *why)
{
	double points = 2 * m->limit / m->resolution;
	if (fabs(m->resolution - background->resolution) > 1e-6 * m->resolution)
		snprintf(why, WHY_MAX,
			"the background has a resolution of %g cm-1, this run one of %g",
			background->resolution, m->resolution);
	else if (fabs(m->laser - background->laser) * points > 0.01 * m->laser)
		snprintf(why, WHY_MAX,
			"the background has the laser wavenumber %.6f cm-1, this run %.6f",
			background->laser, m->laser);
	else if (fabs(m->limit - background->limit) * points > 0.01 * m->limit)
		snprintf(why, WHY_MAX, "the background ends at %g cm-1, this run at %g",
			background->limit, m->limit);
	else if (!background->is_intact)
		return refuse(why, "the background's file contradicts itself");
	else
		return 0;
	return -EBADMSG;
}

static int read_background(const struct assay_decoding *in, struct assay_frame *out,
	const struct processing *p, const struct measurement *m, const struct spectrum *sample,
	struct spectrum *background, char *why)
{
	struct measurement b;
	int r = find_background(in, &b, why);
	if (r == 0)
		r = compare(m, &b, why);
	if (r < 0)
		return r;
	/* The background's points are those of the sample, also if its file states another range. */
	b.low = m->low;
	b.high = m->high;
	r = processing_run(p, &b, out, background, why);
	if (r == 0 && (background->is_short || sample->is_short) &&
		background->recipe.spectrum.reach != sample->recipe.spectrum.reach)
		return refuse(why, "the background's scan is longer or shorter than this run's");
	return r;
}

/* --- decode ----------------------------------------------------------------------------------- */

static int add_result(const struct assay_decoding *in, struct assay_frame *out, enum result wanted,
	const struct measurement *m)
{
	char why[WHY_MAX];
	struct processing p = processing_of(in->settings);
	struct spectrum s, background;
	int r = processing_run(&p, m, out, &s, why);
	if (r == -EBADMSG) {
		r = add_interferogram(out, m);
		add_shortfall(out, result_names[wanted], "not-processed", why);
		return r;
	}
	enum result result = SINGLE_BEAM;
	if (r == 0 && wanted > SINGLE_BEAM) {
		r = read_background(in, out, &p, m, &s, &background, why);
		result = r == 0 ? wanted : SINGLE_BEAM;
	}
	if (r < 0 && r != -EBADMSG)
		return r;
	size_t lost = result > SINGLE_BEAM ? spectrum_divide(&s, &background) : 0;
	lost += result == ABSORBANCE ? spectrum_absorb(&s) : 0;
	set_measurement(out, m, s.resolution);
	set_processing(out, in, &s);
	add_spectrum(out, result, &s);
	if (result != wanted)
		add_shortfall(out, result_names[wanted], "no-background", why);
	if (lost > 0)
		assay_frame_quality(out, ASSAY_UNCHECKED, "below-detection");
	if (s.is_short)
		assay_frame_quality(out, ASSAY_SUSPECT, "truncated");
	return 0;
}

int bruker_decode(const struct assay_decoding *in, struct assay_frame *out)
{
	char why[WHY_MAX] = "expected one file";
	struct measurement m;
	if (in->raw_count != 1 || measurement_open(&m, in->raw[0].data, in->raw[0].len, why) < 0) {
		assay_explain_decode(in, "%s", why);
		return -EBADMSG;
	}
	assay_frame_quality(out, ASSAY_UNCHECKED, NULL); /* an OPUS file has no checksum */
	if (!m.is_intact)
		assay_frame_quality(out, ASSAY_SUSPECT, "malformed");
	if (m.time[0] != '\0')
		assay_frame_device_time(out, m.time);
	enum result wanted = result_of(in->settings);
	return wanted == INTERFEROGRAM ? add_interferogram(out, &m)
				       : add_result(in, out, wanted, &m);
}
