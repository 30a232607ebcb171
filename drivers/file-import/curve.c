/* SPDX-License-Identifier: Apache-2.0 */
#include "curve.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bytes.h"

struct quantity {
	const char *name, *unit;
};

static const struct quantity axes[] = {
	[CURVE_WAVENUMBER] = {"wavenumber", "cm-1"},
	[CURVE_RAMAN_SHIFT] = {"raman_shift", "cm-1"},
	[CURVE_NANOMETRE] = {"wavelength", "nm"},
	[CURVE_MICROMETRE] = {"wavelength", "um"},
	[CURVE_POINT] = {"point", "1"},
};

static const struct quantity values[] = {
	[CURVE_ABSORBANCE] = {"absorbance", "{absorbance}"},
	[CURVE_TRANSMITTANCE] = {"transmittance", "%"},
	[CURVE_REFLECTANCE] = {"reflectance", "1"},
	[CURVE_REFLECTANCE_PERCENT] = {"reflectance", "%"},
	[CURVE_LOG_1_R] = {"log_inverse_reflectance", "1"},
	[CURVE_KUBELKA_MUNK] = {"kubelka_munk", "1"},
	[CURVE_PHOTOACOUSTIC] = {"photoacoustic_signal", "1"},
	[CURVE_SINGLE_BEAM] = {"single_beam", "1"},
	[CURVE_INTENSITY] = {"intensity", "1"},
	[CURVE_VOLTS] = {"single_beam", "V"},
	[CURVE_INTERFEROGRAM] = {"interferogram", "1"},
};

/* --- a curve ---------------------------------------------------------------------------------- */

static double axis_at(const struct curve *c, size_t i)
{
	return c->xs != NULL ? get_le_f32(c->xs + 4 * i) : c->first + c->step * (double)i;
}

bool curve_check(const struct curve *c, char why[FORMAT_FACT])
{
	if (c->points < 2 || c->channels < 1 || c->points > CURVE_BYTES / c->width / c->channels) {
		snprintf(why, FORMAT_FACT,
			"it has %zu points in %u curves; a frame has 2 points or more, %u MiB at "
			"most",
			c->points, c->channels, CURVE_BYTES >> 20);
		return false;
	}
	bool ascends = axis_at(c, 1) > axis_at(c, 0);
	for (size_t i = 0; i < c->points; i++) {
		double x = axis_at(c, i), before = i > 0 ? axis_at(c, i - 1) : 0;
		if (isfinite(x) && (i == 0 || (ascends ? x > before : x < before)))
			continue;
		snprintf(why, FORMAT_FACT, "its x axis neither ascends nor descends at point %zu",
			i + 1);
		return false;
	}
	return true;
}

/* Copies one channel in the machine's own numbers; returns how many points have no value. */
static size_t copy_values(const struct curve *c, const uint8_t *from, void *to)
{
	float *f32 = to;
	double *f64 = to;
	size_t none = 0;
	for (size_t i = 0; i < c->points; i++) {
		double value;
		if (c->width == 4) {
			bool is_void = c->has_void && get_le32(from + 4 * i) == c->no_value;
			f32[i] = is_void ? NAN : get_le_f32(from + 4 * i);
			value = f32[i];
		} else {
			value = f64[i] = get_le_f64(from + 8 * i);
		}
		if (isfinite(value))
			continue;
		none++;
		if (c->width == 4)
			f32[i] = NAN;
		else
			f64[i] = NAN;
	}
	return none;
}

int curve_add(const struct curve *c, struct assay_frame *out)
{
	const struct quantity *x = &axes[c->x];
	size_t size = c->points * c->width, none = 0;
	assay_frame_kind(out, c->x == CURVE_POINT ? ASSAY_INTERFEROGRAM : ASSAY_SPECTRUM);
	assay_frame_quality(out, ASSAY_UNCHECKED, NULL);
	if (c->xs == NULL) {
		assay_add_linear_axis(out, x->name, x->unit, c->first, c->step, c->points);
	} else {
		float *xs = assay_frame_scratch(out, c->points * sizeof(*xs));
		if (xs == NULL)
			return -ENOMEM;
		for (size_t i = 0; i < c->points; i++)
			xs[i] = get_le_f32(c->xs + 4 * i);
		struct assay_variable axis = {.name = x->name,
			.role = ASSAY_AXIS,
			.dims = {x->name},
			.unit = x->unit,
			.type = ASSAY_F32,
			.data = xs,
			.count = c->points};
		assay_frame_add(out, &axis);
	}
	for (unsigned i = 0; i < c->channels; i++) {
		enum curve_y kind = c->y[i];
		if (c->x == CURVE_POINT && (kind == CURVE_VOLTS || kind == CURVE_SINGLE_BEAM))
			kind = CURVE_INTERFEROGRAM;
		void *ys = assay_frame_scratch(out, size);
		if (ys == NULL)
			return -ENOMEM;
		none += copy_values(c, c->ys + i * size, ys);
		char channel[12];
		snprintf(channel, sizeof channel, "%u", i + 1);
		struct assay_variable v = {.name = values[kind].name,
			.role = ASSAY_DATA,
			.dims = {x->name},
			.unit = c->y[i] == CURVE_VOLTS ? "V" : values[kind].unit,
			.label = c->label[0] != '\0' ? c->label : NULL,
			.type = c->width == 4 ? ASSAY_F32 : ASSAY_F64,
			.data = ys,
			.count = c->points,
			.channel = c->channels > 1 ? channel : NULL};
		assay_frame_add(out, &v);
	}
	if (c->scans > 0)
		assay_frame_setting(out, "scans",
			&(struct assay_variable){.type = ASSAY_SCALAR_INT, .integer = c->scans});
	if (c->resolution > 0 && isfinite(c->resolution))
		assay_frame_setting(out, "resolution",
			&(struct assay_variable){
				.type = ASSAY_SCALAR_FLOAT, .unit = "cm-1", .real = c->resolution});
	if (none > 0)
		assay_frame_quality(out,
			none == c->points * c->channels ? ASSAY_MISSING : ASSAY_UNCHECKED,
			"out-of-range");
	return 0;
}

/* --- a file of one curve ---------------------------------------------------------------------- */

bool curve_fits(struct source *s, const void *magic, size_t len, const char *const *ends)
{
	static const uint8_t zeros[32];
	uint8_t head[32];
	size_t n = s->files == 1 && s->file[0].size < len ? s->file[0].size : len;
	if (s->files != 1 || s->is_folder || s->read(s, 0, 0, head, n) < 0)
		return false;
	if (n == len && memcmp(head, magic, n) == 0)
		return true;
	bool is_named = false;
	for (; *ends != NULL && !is_named; ends++)
		is_named = name_ends(s->file[0].path, *ends);
	return is_named && (memcmp(head, magic, n) == 0 || memcmp(head, zeros, n) == 0);
}

int curve_look(struct source *s, curve_parse *parse, struct format_facts *facts)
{
	uint64_t size = s->file[0].size;
	if (size > CURVE_BYTES) {
		snprintf(facts->why, sizeof facts->why, "it is larger than %u MiB",
			CURVE_BYTES >> 20);
		return FORMAT_DAMAGED;
	}
	uint8_t *bytes = malloc(2 * size + 1);
	if (bytes == NULL)
		return -ENOMEM;
	int found = s->read(s, 0, 0, bytes, size);
	if (found >= 0) {
		struct curve curve = {0};
		found = parse(bytes, size, bytes + size, &curve, facts);
		if (found == FORMAT_WHOLE && !curve_check(&curve, facts->why))
			found = FORMAT_DAMAGED;
	}
	free(bytes);
	return found;
}

int curve_next(struct source *s, void *state, bool rewind, struct format_plan *plan)
{
	bool *is_done = state;
	if (!rewind && *is_done)
		return 0;
	*is_done = true;
	*plan = (struct format_plan){
		.part = "spectrum", .slice = {{.len = s->file[0].size}}, .count = 1};
	return 1;
}

int curve_decode(const struct assay_decoding *in, curve_parse *parse, struct assay_frame *out)
{
	struct curve curve = {0};
	struct format_facts facts = {0};
	if (in->raw_count < 1)
		return -EBADMSG;
	const struct assay_bytes *file = &in->raw[0];
	uint8_t *work = assay_frame_scratch(out, file->len + 1);
	if (work == NULL)
		return -ENOMEM;
	if (parse(file->data, file->len, work, &curve, &facts) != FORMAT_WHOLE ||
		!curve_check(&curve, facts.why)) {
		assay_explain_decode(in, "%s", facts.why);
		return -EBADMSG;
	}
	int error = curve_add(&curve, out);
	if (error == 0 && facts.acquired[0] != '\0') {
		char time[2 * FORMAT_FACT];
		snprintf(time, sizeof time, "%s%s", facts.acquired, facts.zone);
		assay_frame_device_time(out, time);
	}
	return error;
}
