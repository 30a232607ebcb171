/* SPDX-License-Identifier: Apache-2.0 */
#include "opus-decode.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"

const struct opus_row opus_rows[OPUS_ROWS] = {
	{"absorbance", OPUS_RATIO, OPUS_ABSORBANCE, {"absorbance", "{absorbance}"}, NULL},
	{"transmittance", OPUS_RATIO, OPUS_TRANSMITTANCE, {"transmittance", NULL}, NULL},
	{"kubelka-munk", OPUS_RATIO, OPUS_KUBELKA_MUNK, {"kubelka_munk", "1"}, NULL},
	{"single-beam", OPUS_SAMPLE, OPUS_SPECTRUM, {"single_beam", "1"}, NULL},
	{"single-beam-background", OPUS_REFERENCE, OPUS_SPECTRUM, {"single_beam", "1"},
		"background"},
	{"interferogram", OPUS_SAMPLE, OPUS_INTERFEROGRAM, {"interferogram", "1"}, NULL},
	{"interferogram-background", OPUS_REFERENCE, OPUS_INTERFEROGRAM, {"interferogram", "1"},
		"background"},
};

bool opus_about_numbers(struct opus_parameters list, struct opus_numbers *to)
{
	return opus_number(list, "NPT", &to->points) && opus_number(list, "FXV", &to->first) &&
	       opus_number(list, "LXV", &to->last) && opus_number(list, "CSF", &to->factor) &&
	       to->points >= 1 && to->points <= NUMBERS_MAX && fabs(to->factor) > 0;
}

static void set_number(const struct assay_decoding *in, struct assay_frame *out, const char *name,
	const char *setting, const char *unit)
{
	for (size_t i = 2; i < in->raw_count; i++) {
		struct opus_parameters list = {in->raw[i].data, in->raw[i].len};
		struct assay_variable v = {.unit = unit};
		if (strcmp(in->raw[i].media, in->raw[0].media) != 0 ||
			!opus_number(list, name, &v.real) || !(v.real > 0))
			continue;
		v.integer = (int64_t)v.real;
		v.type = unit == NULL && v.real <= 1e9 ? ASSAY_SCALAR_INT : ASSAY_SCALAR_FLOAT;
		assay_frame_setting(out, setting, &v);
		return;
	}
}

static void set_text(const struct assay_decoding *in, struct assay_frame *out, const char *name,
	const char *setting)
{
	for (size_t i = 2; i < in->raw_count; i++) {
		struct opus_parameters list = {in->raw[i].data, in->raw[i].len};
		char text[64];
		if (strcmp(in->raw[i].media, in->raw[0].media) != 0 ||
			!opus_text(list, name, text, sizeof text) || text[0] == '\0')
			continue;
		struct assay_variable v = {.type = ASSAY_SCALAR_TEXT, .text = text};
		assay_frame_setting(out, setting, &v);
		return;
	}
}

/* How it was measured, and how OPUS was set to compute, as the file states it. */
static void add_settings(
	const struct assay_decoding *in, const struct opus_row *row, struct assay_frame *out)
{
	set_number(in, out, "RES", "resolution", "cm-1");
	set_number(in, out, row->of == OPUS_REFERENCE ? "NSR" : "NSS", "scans", NULL);
	set_number(in, out, "LWN", "laser_wavenumber", "cm-1");
	set_text(in, out, "AQM", "acquisition_mode");
	set_text(in, out, "APF", "stated_apodization");
	set_text(in, out, "PHZ", "stated_phase_correction");
	set_text(in, out, "ZFF", "stated_zero_filling");
}

/*
 * The values are as stored, times the factor of the file if that is not 1.  The file states their largest
 * and smallest one, which other values contradict.
 */
static int add_values(const struct assay_decoding *in, const struct opus_row *row,
	const struct opus_numbers *about, const char *axis, struct assay_frame *out)
{
	struct opus_parameters list = {in->raw[1].data, in->raw[1].len};
	size_t count = (size_t)about->points;
	bool is_scaled = about->factor < 1 || about->factor > 1;
	double *scaled = assay_frame_scratch(out, count * sizeof *scaled);
	float *stored = (float *)(void *)scaled;
	double largest = -HUGE_VAL, smallest = HUGE_VAL, most, least;
	if (scaled == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		float value = get_le_f32(in->raw[0].data + 4 * i);
		double at = (double)value * about->factor;
		largest = at > largest ? at : largest;
		smallest = at < smallest ? at : smallest;
		if (is_scaled)
			scaled[i] = at;
		else
			stored[i] = value;
	}
	struct assay_variable v = {.name = row->quantity.name,
		.role = ASSAY_DATA,
		.dims = {axis},
		.unit = row->quantity.unit,
		.type = is_scaled ? ASSAY_F64 : ASSAY_F32,
		.data = scaled,
		.count = count,
		.channel = row->channel};
	if (v.unit == NULL)
		v.unit = numbers_ratio_unit(v.type, v.data, count);
	assay_frame_add(out, &v);
	double near = 1e-6 * (fabs(largest) > fabs(smallest) ? fabs(largest) : fabs(smallest));
	if ((opus_number(list, "MXY", &most) && !(fabs(most - largest) <= near)) ||
		(opus_number(list, "MNY", &least) && !(fabs(least - smallest) <= near)))
		assay_frame_quality(out, ASSAY_SUSPECT, "malformed");
	return 0;
}

int opus_decode(const struct assay_decoding *in, const char *part, struct assay_frame *out)
{
	const struct opus_row *row = opus_rows;
	struct opus_numbers about;
	char unit[16], date[24], time[40], stamp[72];
	while (row < opus_rows + OPUS_ROWS && strcmp(row->part, part) != 0)
		row++;
	if (row == opus_rows + OPUS_ROWS || in->raw_count < 2)
		return -EBADMSG;
	struct opus_parameters list = {in->raw[1].data, in->raw[1].len};
	if (!opus_about_numbers(list, &about) || in->raw[0].len < 4 * (uint64_t)about.points) {
		assay_explain_decode(in, "the block has no parameters, or too few numbers");
		return -EBADMSG;
	}
	opus_text(list, "DXU", unit, sizeof unit);
	struct places x = {.of = {"abscissa", "1"},
		.label = unit[0] != '\0' ? unit : NULL,
		.count = (size_t)about.points,
		.first = about.first,
		.last = about.last};
	if (strcmp(unit, "WN") == 0)
		x.of = (struct quantity){"wavenumber", "cm-1"};
	else if (strcmp(unit, "PNT") == 0)
		x.of = (struct quantity){"point", "1"};
	bool is_interferogram = row->data == OPUS_INTERFEROGRAM;
	assay_frame_kind(out, is_interferogram ? ASSAY_INTERFEROGRAM : ASSAY_SPECTRUM);
	assay_frame_quality(out, ASSAY_UNCHECKED, NULL);
	if (opus_text(list, "DAT", date, sizeof date) &&
		opus_text(list, "TIM", time, sizeof time)) {
		snprintf(stamp, sizeof stamp, "%s %s", date, time);
		assay_frame_device_time(out, stamp);
	}
	add_settings(in, row, out);
	struct assay_variable factor = {
		.type = ASSAY_SCALAR_FLOAT, .real = about.factor, .unit = "1"};
	if (is_interferogram && (about.factor < 1 || about.factor > 1))
		assay_frame_setting(out, "interferogram_factor", &factor);
	return add_values(in, row, &about, numbers_add_places(out, &x), out);
}
