/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PerkinElmer Spectrum: .sp, one spectrum.  A tree of items {u16 id, u32 length, content}: the root is the
 * data set, its members have ids from 0x8000 on, and their content is a value with a tag.  The history, one
 * of the members, has items of the same ids with other meanings, so that ids are never searched for.
 */
#include "curve.h"

#include <math.h>
#include <stdio.h>

#include "bytes.h"
#include "date.h"
#include "text.h"

#define MAGIC      "PEPE"
#define MAGIC_SIZE 4
#define ROOT       44
#define ITEM       6
#define DEPTH_MAX  16 /* of the history */

enum tag {
	TAG_ARRAY = 0x7516,
	TAG_F64 = 0x751b,
	TAG_F64_PAIR = 0x751d,
	TAG_TEXT = 0x7523,
	TAG_I32 = 0x752b
};

enum id {
	ID_DATA_SET = 120,
	ID_CONTAINERS_END = 0x7500, /* from here on it is the tag of a value */
	ID_X_ENDS = 0x8b72,
	ID_Y_ENDS = 0x8b73,
	ID_X_STEP = 0x8b74,
	ID_POINTS = 0x8b75,
	ID_X_LABEL = 0x8b77,
	ID_Y_LABEL = 0x8b78,
	ID_VALUES = 0x8b7c,
	ID_HISTORY = 0x8b7f,
	ID_NAME = 0x8b81,
	/* of the history */
	ID_DATE = 0x8b74,
	ID_MODEL = 0x8bfd,
	ID_SERIAL = 0x8bfe,
};

struct item_bytes {
	const uint8_t *at;
	size_t len;
};

/* Members of the data set: the content without its tag; at NULL: there is none. */
struct members {
	struct item_bytes x_ends, y_ends, x_step, points, x_label, y_label, values, history, name;
};

static const struct row {
	unsigned id, tag;
	size_t offset, least; /* in struct members; bytes */
} rows[] = {
	{ID_X_ENDS, TAG_F64_PAIR, offsetof(struct members, x_ends), 16},
	{ID_Y_ENDS, TAG_F64_PAIR, offsetof(struct members, y_ends), 16},
	{ID_X_STEP, TAG_F64, offsetof(struct members, x_step), 8},
	{ID_POINTS, TAG_I32, offsetof(struct members, points), 4},
	{ID_X_LABEL, TAG_TEXT, offsetof(struct members, x_label), 2},
	{ID_Y_LABEL, TAG_TEXT, offsetof(struct members, y_label), 2},
	{ID_VALUES, TAG_ARRAY, offsetof(struct members, values), 4},
	{ID_NAME, TAG_TEXT, offsetof(struct members, name), 2},
};

/* --- items ------------------------------------------------------------------------------------ */

/* Takes the next item off `rest`: false if there is none, or it does not fit. */
static bool take_item(struct item_bytes *rest, unsigned *id, struct item_bytes *content)
{
	if (rest->len < ITEM)
		return false;
	uint32_t len = get_le32(rest->at + 2);
	if (len > rest->len - ITEM)
		return false;
	*id = get_le16(rest->at);
	*content = (struct item_bytes){rest->at + ITEM, len};
	rest->at += ITEM + len;
	rest->len -= ITEM + len;
	return true;
}

/* A text: its length in two bytes, then its characters.  "" if it is none. */
static void take_text(char to[FORMAT_FACT], struct item_bytes text)
{
	size_t len = text.len >= 2 ? get_le16(text.at) : 0;
	to[0] = '\0';
	if (text.at != NULL && len <= text.len - 2)
		text_convert(to, FORMAT_FACT, TEXT_CP1252, text.at + 2, len);
}

static enum format_found read_members(
	struct item_bytes set, struct members *m, char why[FORMAT_FACT])
{
	unsigned id;
	struct item_bytes content;
	const uint8_t *start = set.at - ROOT - ITEM;
	while (set.len > 0) {
		size_t at = (size_t)(set.at - start);
		if (!take_item(&set, &id, &content)) {
			snprintf(why, FORMAT_FACT, "the item at byte %zu is longer than the rest",
				at);
			return FORMAT_DAMAGED;
		}
		if (id == 0) {
			snprintf(why, FORMAT_FACT, "nothing is written at byte %zu", at);
			return FORMAT_INCOMPLETE;
		}
		if (id == ID_HISTORY)
			m->history = content;
		for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
			struct item_bytes *to = (struct item_bytes *)((char *)m + rows[i].offset);
			if (id == rows[i].id && content.len >= 2 + rows[i].least &&
				get_le16(content.at) == rows[i].tag)
				*to = (struct item_bytes){content.at + 2, content.len - 2};
		}
	}
	return FORMAT_WHOLE;
}

/* --- facts ------------------------------------------------------------------------------------ */

/* A number of `n` digits, of which the first may be a blank; -1: it is none. */
static int take_digits(const char *at, size_t n)
{
	int value = 0;
	for (size_t i = 0; i < n; i++) {
		if ((at[i] < '0' || at[i] > '9') && !(i == 0 && at[i] == ' '))
			return -1;
		value = 10 * value + (at[i] == ' ' ? 0 : at[i] - '0');
	}
	return value;
}

/* "Thu Mar 09 09:17:56 2006"; any other text stays as it is. */
static void take_date(char to[FORMAT_FACT], const char *text)
{
	char date[DATE_TEXT];
	snprintf(to, FORMAT_FACT, "%s", text);
	if (strlen(text) == 24 && text[3] == ' ' && text[7] == ' ' && text[10] == ' ' &&
		text[13] == ':' && text[16] == ':' && text[19] == ' ' &&
		date_write(date, take_digits(text + 20, 4), date_month(text + 4, 3),
			take_digits(text + 8, 2), take_digits(text + 11, 2),
			take_digits(text + 14, 2), take_digits(text + 17, 2)))
		snprintf(to, FORMAT_FACT, "%s", date);
}

/* The history is one item in the other, the latest step first: the last date is that of the measurement. */
static void read_history(struct item_bytes rest, struct format_facts *facts, unsigned depth)
{
	unsigned id;
	struct item_bytes content;
	char text[FORMAT_FACT];
	while (depth < DEPTH_MAX && take_item(&rest, &id, &content)) {
		unsigned tag = content.len >= 2 ? get_le16(content.at) : 0;
		if (id < ID_CONTAINERS_END || (tag > 0 && tag < ID_CONTAINERS_END))
			read_history(content, facts, depth + 1);
		if (tag != TAG_TEXT)
			continue;
		take_text(text, (struct item_bytes){content.at + 2, content.len - 2});
		if (id == ID_DATE && text[0] != '\0')
			take_date(facts->acquired, text);
		else if (id == ID_MODEL)
			snprintf(facts->model, sizeof facts->model, "%s", text);
		else if (id == ID_SERIAL)
			snprintf(facts->serial, sizeof facts->serial, "%s", text);
	}
}

/* --- the spectrum ----------------------------------------------------------------------------- */

static bool read_units(const struct members *m, struct curve *c, char why[FORMAT_FACT])
{
	static const struct {
		const char *label;
		enum curve_x x;
		enum curve_y y;
	} units[] = {
		{"cm-1", CURVE_WAVENUMBER, CURVE_NO_Y},
		{"nm", CURVE_NANOMETRE, CURVE_NO_Y},
		{"A", CURVE_NO_X, CURVE_ABSORBANCE},
		{"%T", CURVE_NO_X, CURVE_TRANSMITTANCE},
		{"%R", CURVE_NO_X, CURVE_REFLECTANCE_PERCENT},
	};
	char x[FORMAT_FACT], y[FORMAT_FACT];
	take_text(x, m->x_label);
	take_text(y, m->y_label);
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (units[i].x != CURVE_NO_X && strcmp(x, units[i].label) == 0)
			c->x = units[i].x;
		if (units[i].y != CURVE_NO_Y && strcmp(y, units[i].label) == 0)
			c->y[0] = units[i].y;
	}
	if (c->x != CURVE_NO_X && c->y[0] != CURVE_NO_Y)
		return true;
	snprintf(why, FORMAT_FACT, "it has units that are not known: x \"%.60s\", y \"%.60s\"", x,
		y);
	return false;
}

/* The file has the ends of both axes beside the values. */
static bool ends_agree(const struct members *m, const struct curve *c, char why[FORMAT_FACT])
{
	double last = c->first + c->step * (double)(c->points - 1);
	if (!(fabs(last - get_le_f64(m->x_ends.at + 8)) <= fabs(c->step) / 100)) {
		snprintf(why, FORMAT_FACT, "its x axis ends at %g, by points and step at %g",
			get_le_f64(m->x_ends.at + 8), last);
		return false;
	}
	if (m->y_ends.at == NULL)
		return true;
	double least = INFINITY, most = -INFINITY;
	for (size_t i = 0; i < c->points; i++) {
		double y = get_le_f64(c->ys + 8 * i);
		least = y < least ? y : least;
		most = y > most ? y : most;
	}
	double stated_least = get_le_f64(m->y_ends.at), stated_most = get_le_f64(m->y_ends.at + 8);
	double slack = 1e-6 * (stated_most - stated_least);
	if (fabs(least - stated_least) <= slack && fabs(most - stated_most) <= slack)
		return true;
	snprintf(why, FORMAT_FACT, "its values are %g to %g, its header has %g to %g", least, most,
		stated_least, stated_most);
	return false;
}

static enum format_found read_spectrum(
	const struct members *m, struct curve *c, char why[FORMAT_FACT])
{
	if (m->x_ends.at == NULL || m->x_step.at == NULL || m->points.at == NULL ||
		m->values.at == NULL) {
		snprintf(why, FORMAT_FACT, "the data set has no x axis, or no values");
		return FORMAT_DAMAGED;
	}
	uint32_t points = get_le32(m->points.at), bytes = get_le32(m->values.at);
	if (bytes > m->values.len - 4 || bytes % 8 != 0 || bytes / 8 != points || points < 2) {
		snprintf(why, FORMAT_FACT, "it states %u points, its values are %u bytes of %zu",
			points, bytes, m->values.len - 4);
		return FORMAT_DAMAGED;
	}
	c->first = get_le_f64(m->x_ends.at);
	c->step = get_le_f64(m->x_step.at);
	c->points = points;
	c->channels = 1;
	c->ys = m->values.at + 4;
	c->width = 8;
	if (bytes_end_in_zeros(c->ys, bytes)) {
		snprintf(why, FORMAT_FACT, "its values end in zeros");
		return FORMAT_INCOMPLETE;
	}
	if (!ends_agree(m, c, why))
		return FORMAT_DAMAGED;
	return read_units(m, c, why) ? FORMAT_WHOLE : FORMAT_UNDECODED;
}

static enum format_found perkinelmer_parse(const uint8_t *bytes, size_t len, uint8_t *work,
	struct curve *c, struct format_facts *facts)
{
	(void)work;
	struct members m = {0};
	size_t content = len >= ROOT + ITEM ? get_le32(bytes + ROOT + 2) : 0;
	unsigned root = len >= ROOT + ITEM ? get_le16(bytes + ROOT) : 0;
	if (root != 0 && root != ID_DATA_SET) {
		snprintf(facts->why, sizeof facts->why, "its data set is of kind %u, not %u", root,
			ID_DATA_SET);
		return FORMAT_UNDECODED;
	}
	if (root == 0 || len - ROOT - ITEM != content) {
		snprintf(facts->why, sizeof facts->why, "it has %zu bytes of %zu", len,
			ROOT + ITEM + content);
		return root == 0 || content > len - ROOT - ITEM ? FORMAT_INCOMPLETE
								: FORMAT_DAMAGED;
	}
	enum format_found found = read_members(
		(struct item_bytes){bytes + ROOT + ITEM, content}, &m, facts->why);
	if (found == FORMAT_WHOLE)
		found = read_spectrum(&m, c, facts->why);
	take_text(facts->title, m.name);
	snprintf(c->label, sizeof c->label, "%s", facts->title);
	read_history(m.history, facts, 0);
	return found;
}

static bool perkinelmer_fits(struct source *s)
{
	static const char *const ends[] = {".sp", NULL};
	return curve_fits(s, MAGIC, MAGIC_SIZE, ends);
}

static int perkinelmer_look(struct source *s, void *state, struct format_facts *facts)
{
	(void)state;
	return curve_look(s, perkinelmer_parse, facts);
}

static int perkinelmer_decode(
	const struct assay_decoding *in, const char *part, struct assay_frame *out)
{
	(void)part;
	return curve_decode(in, perkinelmer_parse, out);
}

const struct format format_perkinelmer = {
	.name = "perkinelmer",
	.summary = "PerkinElmer Spectrum: .sp",
	.techniques = "ftir nir uv-vis",
	.state_size = CURVE_STATE,
	.fits = perkinelmer_fits,
	.look = perkinelmer_look,
	.next = curve_next,
	.decode = perkinelmer_decode,
};
