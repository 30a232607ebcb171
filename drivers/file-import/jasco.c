/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JASCO Spectra Manager 2: .jws, and .jrs as the instrument writes it.  A head of fixed places, the length
 * of the values in it, and the values.
 */
#include "jasco.h"

#include <math.h>
#include <stdio.h>

#include "bytes.h"
#include "date.h"
#include "text.h"

#define MAGIC      "L~S "
#define MAGIC_SIZE 4
#define HEAD       0x740

bool jasco_read_units(uint32_t x, const uint8_t *ys, struct curve *c, char why[FORMAT_FACT])
{
	static const uint8_t x_codes[] = {
		[0] = CURVE_WAVENUMBER, [1] = CURVE_RAMAN_SHIFT, [3] = CURVE_NANOMETRE};
	static const uint8_t y_codes[] = {[0] = CURVE_TRANSMITTANCE,
		[2] = CURVE_REFLECTANCE_PERCENT,
		[3] = CURVE_ABSORBANCE,
		[6] = CURVE_KUBELKA_MUNK,
		[8] = CURVE_SINGLE_BEAM,
		[9] = CURVE_SINGLE_BEAM,
		[10] = CURVE_SINGLE_BEAM,
		[14] = CURVE_INTENSITY};
	uint32_t code = x & 0xff;
	c->x = (x & ~0xffu) == JASCO_X_KIND && code < sizeof x_codes ? x_codes[code] : CURVE_NO_X;
	if (c->x == CURVE_NO_X)
		snprintf(why, FORMAT_FACT, "its x axis has the unit %#x, which is not known", x);
	for (unsigned i = 0; i < c->channels && c->x != CURVE_NO_X; i++) {
		code = get_le32(ys + 4 * i);
		c->y[i] = code < sizeof y_codes ? y_codes[code] : CURVE_NO_Y;
		if (c->y[i] == CURVE_NO_Y) {
			snprintf(why, FORMAT_FACT,
				"its y axis has the unit %#x, which is not known", code);
			return false;
		}
	}
	return c->x != CURVE_NO_X;
}

static void read_facts(const uint8_t *head, struct format_facts *facts)
{
	text_set(facts->model, TEXT_SHIFT_JIS, head + 0x140, 32);
	text_set(facts->serial, TEXT_SHIFT_JIS, head + 0x160, 32);
	text_set(facts->sample, TEXT_SHIFT_JIS, head + 0x180, 64);
	text_set(facts->title, TEXT_SHIFT_JIS, head + 0x1c0, 64);
	text_set(facts->person, TEXT_SHIFT_JIS, head + 0x240, 32);
	int32_t time = (int32_t)get_le32(head + 0x2c0);
	if (time != 0 && date_from_unix(facts->acquired, time))
		snprintf(facts->zone, sizeof facts->zone, "Z");
}

static enum format_found jasco_parse(const uint8_t *bytes, size_t len, uint8_t *work,
	struct curve *c, struct format_facts *facts)
{
	(void)work;
	uint64_t values = len >= HEAD ? get_le64(bytes + 0xc8) : 0;
	if (values == 0 || values != len - HEAD) {
		snprintf(facts->why, sizeof facts->why, "it has %zu bytes, its head states %llu",
			len, (unsigned long long)values + HEAD);
		return values == 0 || values > len - HEAD ? FORMAT_INCOMPLETE : FORMAT_DAMAGED;
	}
	uint32_t points = get_le32(bytes + 0x84);
	c->channels = get_le16(bytes + 0x82);
	if (c->channels != 1 || points != values / 4 || values % 4 != 0) {
		snprintf(facts->why, sizeof facts->why,
			"it states %u points in %u curves, its values are %llu bytes", points,
			c->channels, (unsigned long long)values);
		return FORMAT_DAMAGED;
	}
	if (bytes_end_in_zeros(bytes + HEAD, values)) {
		snprintf(facts->why, sizeof facts->why, "its values end in zeros");
		return FORMAT_INCOMPLETE;
	}
	c->first = get_le_f64(bytes + 0x88);
	c->step = get_le_f64(bytes + 0x98); /* the last x may be that of a scan that ended early */
	c->points = points;
	c->ys = bytes + HEAD;
	c->width = 4;
	c->has_void = true;
	c->no_value = JASCO_NO_VALUE;
	uint8_t y[4] = {bytes[0xa4]};
	read_facts(bytes, facts);
	snprintf(c->label, sizeof c->label, "%s", facts->sample);
	return jasco_read_units(get_le32(bytes + 0xa0), y, c, facts->why) ? FORMAT_WHOLE
									  : FORMAT_UNDECODED;
}

static bool jasco_fits(struct source *s)
{
	static const char *const ends[] = {".jws", ".jrs", NULL};
	return curve_fits(s, MAGIC, MAGIC_SIZE, ends);
}

static int jasco_look(struct source *s, void *state, struct format_facts *facts)
{
	(void)state;
	return curve_look(s, jasco_parse, facts);
}

static int jasco_decode(const struct assay_decoding *in, const char *part, struct assay_frame *out)
{
	(void)part;
	return curve_decode(in, jasco_parse, out);
}

const struct format format_jasco = {
	.name = "jasco",
	.summary = "JASCO Spectra Manager 2: .jws, .jrs",
	.techniques = "ftir nir raman uv-vis",
	.state_size = CURVE_STATE,
	.fits = jasco_fits,
	.look = jasco_look,
	.next = curve_next,
	.decode = jasco_decode,
};
