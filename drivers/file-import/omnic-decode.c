/* SPDX-License-Identifier: Apache-2.0 */
#include "omnic.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "bytes.h"
#include "date.h"
#include "text.h"

#define EPOCH 2209075200 /* 1899-12-31 to 1970-01-01, in seconds */

bool omnic_date(char *to, const uint8_t *time)
{
	return date_from_unix(to, (int64_t)get_le32(time) - EPOCH);
}

enum format_found omnic_read_curve(const uint8_t *header, const uint8_t *values, uint64_t len,
	struct curve *c, char why[FORMAT_FACT])
{
	static const uint8_t xs[] = {[1] = CURVE_WAVENUMBER,
		[2] = CURVE_POINT,
		[3] = CURVE_NANOMETRE,
		[4] = CURVE_MICROMETRE,
		[32] = CURVE_RAMAN_SHIFT};
	static const uint8_t ys[] = {[11] = CURVE_REFLECTANCE_PERCENT,
		[12] = CURVE_LOG_1_R,
		[15] = CURVE_SINGLE_BEAM,
		[16] = CURVE_TRANSMITTANCE,
		[17] = CURVE_ABSORBANCE,
		[20] = CURVE_KUBELKA_MUNK,
		[21] = CURVE_REFLECTANCE,
		[22] = CURVE_VOLTS,
		[26] = CURVE_PHOTOACOUSTIC,
		[31] = CURVE_INTENSITY};
	uint8_t x = header[8], y = header[12];
	c->x = x < sizeof xs ? xs[x] : CURVE_NO_X;
	c->y[0] = y < sizeof ys ? ys[y] : CURVE_NO_Y;
	uint32_t points = get_le32(header + 4);
	if (c->x == CURVE_NO_X || c->y[0] == CURVE_NO_Y) {
		snprintf(why, FORMAT_FACT,
			"it has units that are not known: code %u of x, code %u of y", x, y);
		return FORMAT_UNDECODED;
	}
	if (points != len / 4 || len % 4 != 0 || points < 2) {
		snprintf(why, FORMAT_FACT, "its header has %u points, its values are %llu bytes",
			points, (unsigned long long)len);
		return FORMAT_DAMAGED;
	}
	c->first = get_le_f32(header + 16);
	c->step = (get_le_f32(header + 20) - c->first) / (double)(points - 1);
	c->points = points;
	c->channels = 1;
	c->ys = values;
	c->width = 4;
	return curve_check(c, why) ? FORMAT_WHOLE : FORMAT_DAMAGED;
}

static void set_number(struct assay_frame *out, const char *name, double value, const char *unit)
{
	struct assay_variable v = {.type = ASSAY_SCALAR_FLOAT, .real = value, .unit = unit};
	if (isfinite(value) && value > 0)
		assay_frame_setting(out, name, &v);
}

static int decode_interferogram(
	const struct assay_decoding *in, const char *label, struct assay_frame *out)
{
	struct curve c = {.x = CURVE_POINT,
		.first = 0,
		.step = 1,
		.points = in->raw[0].len / 4,
		.channels = 1,
		.y = {CURVE_INTERFEROGRAM},
		.ys = in->raw[0].data,
		.width = 4};
	char why[FORMAT_FACT];
	snprintf(c.label, sizeof c.label, "%s", label);
	if (in->raw[0].len % 4 == 0 && curve_check(&c, why))
		return curve_add(&c, out);
	assay_explain_decode(in, "an interferogram of %zu bytes", in->raw[0].len);
	return -EBADMSG;
}

int omnic_decode(const struct assay_decoding *in, const char *part, struct assay_frame *out)
{
	bool is_member = strcmp(part, "member") == 0;
	if (in->raw_count < 1)
		return -EBADMSG;
	if (strcmp(part, "interferogram") == 0)
		return decode_interferogram(in, "sample", out);
	if (strcmp(part, "background") == 0)
		return decode_interferogram(in, "background", out);
	const struct assay_bytes *about = &in->raw[0], *values = &in->raw[2];
	size_t title = is_member ? 0 : OMNIC_HEAD_TITLE,
	       time = is_member ? OMNIC_MEMBER_TIME : OMNIC_HEAD_TIME;
	if (in->raw_count < 3 || about->len < time + 4 || in->raw[1].len < OMNIC_HEADER) {
		assay_explain_decode(in, "a spectrum of too few bytes");
		return -EBADMSG;
	}
	const uint8_t *header = in->raw[1].data;
	struct curve curve = {0};
	char why[FORMAT_FACT], when[DATE_TEXT + 1];
	if (omnic_read_curve(header, values->data, values->len, &curve, why) != FORMAT_WHOLE) {
		assay_explain_decode(in, "%s", why);
		return -EBADMSG;
	}
	text_set(curve.label, TEXT_CP1252, about->data + title, OMNIC_TITLE);
	curve.scans = get_le32(header + 36);
	struct assay_variable background = {
		.type = ASSAY_SCALAR_INT, .integer = get_le32(header + 52)};
	if (background.integer > 0)
		assay_frame_setting(out, "background_scans", &background);
	set_number(out, "collection_time", get_le32(header + 68) / 100.0, "s");
	set_number(out, "laser_wavenumber", get_le_f32(header + 80), "cm-1");
	if (omnic_date(when, about->data + time)) {
		snprintf(when + strlen(when), 2, "Z");
		assay_frame_device_time(out, when);
	}
	return curve_add(&curve, out);
}
