/* SPDX-License-Identifier: Apache-2.0 */
#include "scan.h"

#include <errno.h>
#include <string.h>

#include "packet.h"
#include "tpl.h"

/* The formats of firmware 2: a scan is one structure, but a slew scan is four, one after the other. */
#define HEAD          "uc#cccccccjjvvu$(f#f#)c#vccc"
#define CONFIGURATION "cvc#c#vvcvv"
static const char format_configuration[] = "S(" CONFIGURATION ")";
static const char format_scan[] = "S(" HEAD CONFIGURATION "i#)";
static const char format_slew[] = "S(cvc#c#vc)";
static const char format_sections[] = "S(ccvvvv)#";
static const char format_slew_head[] = "S(" HEAD ")";
static const char format_slew_samples[] = "i#";

const uint32_t scan_exposures[EXPOSURES] = {635, 1270, 2450, 5080, 15240, 30480, 60960};

struct input {
	const uint8_t *bytes;
	size_t len;
	struct tpl tpl; /* the structure read last */
	const char **why;
};

static int refuse(const struct input *in, const char *why)
{
	*in->why = why;
	return -EBADMSG;
}

static int next(struct input *in)
{
	ssize_t n = tpl_open(in->bytes, in->len, &in->tpl, in->why);
	if (n < 0)
		return (int)n;
	in->bytes += n;
	in->len -= (size_t)n;
	return 0;
}

static int next_is(struct input *in, const char *format)
{
	int r = next(in);
	if (r < 0 || tpl_is(&in->tpl, format))
		return r;
	return refuse(in, "has a structure that this driver does not know");
}

static void skip(struct input *in)
{
	size_t count;
	tpl_take(&in->tpl, &count);
}

static uint8_t take_u8(struct input *in)
{
	return (uint8_t)tpl_integer(&in->tpl);
}

static uint16_t take_u16(struct input *in)
{
	return (uint16_t)tpl_integer(&in->tpl);
}

/* --- configuration ---------------------------------------------------------------------------- */

static void take_configuration(struct input *in, struct configuration *out)
{
	struct section *s = &out->sections[0];
	out->type = s->type = take_u8(in);
	skip(in); /* index */
	skip(in); /* serial number */
	tpl_text(&in->tpl, out->name, sizeof(out->name));
	s->first = take_u16(in);
	s->last = take_u16(in);
	s->width = take_u8(in);
	s->patterns = take_u16(in);
	s->exposure = EXPOSURES;
	out->repeats = take_u16(in);
	out->section_count = 1;
}

/* The structure read last is the slew scan's head; the sections follow. */
static int take_slew(struct input *in, struct configuration *out)
{
	out->type = take_u8(in);
	skip(in);
	skip(in);
	tpl_text(&in->tpl, out->name, sizeof(out->name));
	out->repeats = take_u16(in);
	out->section_count = take_u8(in);
	int r = next_is(in, format_sections);
	if (r < 0)
		return r;
	if (out->section_count == 0 || out->section_count > SECTIONS_MAX ||
		out->section_count > in->tpl.lengths[0])
		return refuse(in, "has an impossible number of sections");
	for (struct section *s = out->sections; s < out->sections + out->section_count; s++) {
		in->tpl.at = in->tpl.format;
		s->type = take_u8(in);
		s->width = take_u8(in);
		s->first = take_u16(in);
		s->last = take_u16(in);
		s->patterns = take_u16(in);
		s->exposure = take_u16(in);
	}
	return 0;
}

static int read_configuration(struct input *in, struct configuration *out)
{
	int r = next(in);
	if (r == 0 && tpl_is(&in->tpl, format_configuration))
		take_configuration(in, out);
	else if (r == 0 && tpl_is(&in->tpl, format_slew))
		r = take_slew(in, out);
	else if (r == 0)
		r = refuse(in, "has a structure that this driver does not know");
	return r;
}

int configuration_open(
	const uint8_t *bytes, size_t len, struct configuration *out, const char **why)
{
	struct input in = {.bytes = bytes, .len = len, .why = why};
	*out = (struct configuration){.type = 0};
	return read_configuration(&in, out);
}

bool configuration_is_of_columns(const struct configuration *c)
{
	bool is = true;
	for (size_t i = 0; i < c->section_count; i++)
		is = is && c->sections[i].type == SCAN_COLUMN;
	return is;
}

/* --- scan ------------------------------------------------------------------------------------- */

static int take_head(struct input *in, struct scan *out)
{
	double shift[3];
	skip(in); /* version */
	skip(in); /* name */
	for (size_t i = 0; i < sizeof(out->time); i++)
		out->time[i] = take_u8(in);
	out->board = (int16_t)tpl_integer(&in->tpl);
	out->detector = (int16_t)tpl_integer(&in->tpl);
	out->humidity = take_u16(in);
	out->photodiode = take_u16(in);
	out->index = (uint32_t)tpl_integer(&in->tpl);
	if (!tpl_doubles(&in->tpl, shift, 3) || !tpl_doubles(&in->tpl, out->polynomial, 3))
		return refuse(in, "has other coefficients than three");
	tpl_text(&in->tpl, out->serial, sizeof(out->serial));
	out->sample_count = take_u16(in);
	out->black_first = take_u8(in);
	out->black_period = take_u8(in);
	out->gain = take_u8(in);
	return 0;
}

static int take_samples(struct input *in, struct scan *out)
{
	size_t count;
	out->samples = tpl_take(&in->tpl, &count);
	if (out->sample_count == 0 || out->sample_count > count)
		return refuse(in, "has fewer samples than it states");
	return 0;
}

int scan_open(const uint8_t *bytes, size_t len, struct scan *out, const char **why)
{
	struct input in = {.bytes = bytes, .len = len, .why = why};
	*out = (struct scan){.index = 0};
	int r = next(&in);
	if (r < 0)
		return r;
	bool is_slew = tpl_is(&in.tpl, format_slew_head);
	if (!is_slew && !tpl_is(&in.tpl, format_scan))
		return refuse(&in, "has a structure that this driver does not know");
	r = take_head(&in, out);
	if (r == 0 && is_slew)
		r = read_configuration(&in, &out->configuration);
	else if (r == 0)
		take_configuration(&in, &out->configuration);
	if (r == 0 && is_slew)
		r = next_is(&in, format_slew_samples);
	return r < 0 ? r : take_samples(&in, out);
}

int32_t scan_sample(const struct scan *s, size_t i)
{
	return (int32_t)packet_u32(s->samples + 4 * i);
}

bool scan_is_black(const struct scan *s, size_t i)
{
	if (i < s->black_first)
		return false;
	return s->black_period > 0 ? (i - s->black_first) % s->black_period == 0
				   : i == s->black_first;
}
