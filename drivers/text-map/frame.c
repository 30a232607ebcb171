/* SPDX-License-Identifier: Apache-2.0 */
#include "frame.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rows.h"

#define TEXT_MAX 4000 /* of a text in a record, which has at most 4096 bytes */

struct build {
	const struct assay_settings *settings;
	const struct parts *parts;
	struct assay_frame *out; /* NULL: only check */
	char *why;
	bool is_missing; /* a word reports that there are no values */
	bool has_array;
	size_t data_wanted, data_missing;
	char missing[TEXT_MAX], status[TEXT_MAX];
};

static void list_add(char list[TEXT_MAX], const char *item)
{
	size_t n = strlen(list);
	if (n + strlen(item) + 3 < TEXT_MAX)
		snprintf(list + n, TEXT_MAX - n, "%s%s", n > 0 ? ", " : "", item);
}

static void lower(struct build *b, enum assay_quality flag, const char *reason)
{
	if (b->out != NULL)
		assay_frame_quality(b->out, flag, reason);
}

static bool part_is(const struct part *part, const char *text)
{
	char plain[256];
	long n = pattern_unescape(text, plain, sizeof(plain));
	return n >= 0 && (size_t)n == part->len && memcmp(plain, part->text, part->len) == 0;
}

/* An integer or hexadecimal part that fits 64 bits with a sign. */
static bool read_integer(const struct assay_host *host, const struct part *part, int64_t *out)
{
	uint64_t value = 0;
	if (part->kind == PART_INTEGER)
		return assay_parse_integer(host, part->text, part->len, out) == 0;
	for (size_t i = 0; i < part->len; i++) {
		char c = part->text[i];
		value = value << 4 | (uint64_t)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
	}
	*out = (int64_t)value;
	return value <= INT64_MAX;
}

/* --- words ------------------------------------------------------------------------------------ */

static int apply_word(struct build *b, const struct part *part, const struct assay_settings *word)
{
	static const enum assay_quality flags[] = {
		ASSAY_GOOD, ASSAY_SUSPECT, ASSAY_BAD, ASSAY_MISSING};
	static const char *const names[] = {"good", "suspect", "bad", "missing", "error", NULL};
	unsigned quality = reply_choice(names, assay_text(word, "quality"));
	const char *reason = assay_text(word, "reason"), *meaning = assay_text(word, "meaning");
	char shown[WHY_MAX];
	if (quality == 4) {
		snprintf(b->why, WHY_MAX, "the instrument replied '%s'%s%.200s",
			reply_escaped(part->text, part->len, shown), meaning != NULL ? ": " : "",
			meaning != NULL ? meaning : "");
		return -EPROTO;
	}
	b->is_missing = b->is_missing || flags[quality] == ASSAY_MISSING;
	if (flags[quality] != ASSAY_GOOD)
		lower(b, flags[quality], reason);
	if (meaning != NULL)
		list_add(b->status, meaning);
	return 0;
}

/* Applies the rows of `words` that hold for the part.  A word that no row knows is a fault. */
static int read_words(struct build *b, const struct part *part)
{
	const struct assay_settings *otherwise = NULL;
	struct parts one = {.count = 1, .list[0] = *part};
	bool is_listed = false, is_known = false;
	char shown[WHY_MAX];
	int64_t bits = 0;
	int r = 0;
	if (part->kind == PART_INTEGER || part->kind == PART_HEX)
		read_integer(b->settings->host, part, &bits);
	for (size_t i = 0; i < assay_count(b->settings, "words") && r == 0; i++) {
		const struct assay_settings *word = assay_row(b->settings, "words", i);
		size_t texts = assay_count(word, "text");
		bool holds = assay_has(word, "bit") && bits >> assay_int(word, "bit") & 1;
		if (parts_find(&one, assay_text(word, "part")) == NULL)
			continue;
		if (texts == 0 && !assay_has(word, "bit"))
			otherwise = word;
		for (size_t n = 0; n < texts && !holds; n++)
			holds = part_is(part, assay_text_at(word, "text", n));
		is_listed = is_listed || texts > 0;
		is_known = is_known || holds;
		if (holds)
			r = apply_word(b, part, word);
	}
	if (r == 0 && !is_known && otherwise != NULL)
		return apply_word(b, part, otherwise);
	if (r < 0 || is_known || !is_listed)
		return r;
	snprintf(b->why, WHY_MAX, "the profile does not know '%s' as '%.*s'",
		reply_escaped(part->text, part->len, shown), (int)part->name_len, part->name);
	return -EBADMSG;
}

/* --- values ----------------------------------------------------------------------------------- */

/* The unit of a value: fixed, or of the part that names it; NULL: unknown. */
static const char *read_unit(struct build *b, const struct assay_settings *row)
{
	const struct part *part = parts_find(b->parts, assay_text(row, "unit_from"));
	if (!assay_has(row, "unit_from"))
		return assay_text(row, "unit");
	for (size_t i = 0; part != NULL && i < assay_count(b->settings, "units"); i++) {
		const struct assay_settings *unit = assay_row(b->settings, "units", i);
		if (part_is(part, assay_text(unit, "text")))
			return assay_text(unit, "unit");
	}
	return NULL;
}

static bool read_real(const struct assay_host *host, const char *text, size_t len, double *out)
{
	char plain[64]; /* without the blanks after a sign */
	size_t n = 0;
	for (size_t i = 0; i < len && n < sizeof(plain); i++)
		if (text[i] != ' ' && text[i] != '\t')
			plain[n++] = text[i];
	return n < sizeof(plain) && assay_parse_number(host, plain, n, out) == 0;
}

/* The numbers of a part, to `out` if that is not NULL; their count, or -1 if one is none. */
static long read_numbers(const struct assay_host *host, const struct part *part, void *out)
{
	long count = 0;
	bool is_text = part->kind == PART_NUMBERS, is_low_first = part->kind == PART_FLOAT32LE;
	for (size_t at = 0, n; at < part->len; at += n) {
		const uint8_t *bytes = (const uint8_t *)part->text + at;
		uint32_t bits = 0;
		double value = 0;
		float single = 0;
		n = is_text ? pattern_number(part->text + at, part->len - at) : 4;
		if (n == 0) { /* a separator */
			n = 1;
			continue;
		}
		for (int i = 0; !is_text && i < 4; i++)
			bits = bits << 8 | bytes[is_low_first ? 3 - i : i];
		memcpy(&single, &bits, sizeof(single));
		if (is_text ? !read_real(host, part->text + at, n, &value) : single - single != 0)
			return -1;
		if (out != NULL && is_text)
			((double *)out)[count] = value;
		else if (out != NULL)
			((float *)out)[count] = single;
		count++;
	}
	return count;
}

static void add_axes(struct build *b)
{
	for (size_t i = 0; i < assay_count(b->settings, "axes"); i++) {
		const struct assay_settings *axis = assay_row(b->settings, "axes", i);
		assay_add_linear_axis(b->out, assay_text(axis, "name"), assay_text(axis, "unit"),
			assay_number(axis, "first"), assay_number(axis, "step"),
			(size_t)assay_int(axis, "count"));
	}
}

/* NULL or the fault. */
static const char *set_array(struct build *b, const struct assay_settings *row,
	const struct part *part, struct assay_variable *v)
{
	const char *name = assay_text(row, "axis");
	const struct assay_settings *axis = rows_find(b->settings, "axes", "name", name);
	long count = read_numbers(b->settings->host, part, NULL);
	if (count < 0)
		return "a number in it is infinite, or none";
	if (axis == NULL || count != assay_int(axis, "count"))
		return "its axis has another number of values";
	v->type = part->kind == PART_NUMBERS ? ASSAY_F64 : ASSAY_F32;
	v->count = (size_t)count;
	v->dims[0] = name;
	if (b->out != NULL && !b->has_array)
		add_axes(b);
	b->has_array = true;
	void *data = b->out != NULL ? assay_frame_scratch(b->out, v->count * sizeof(double)) : NULL;
	if (b->out != NULL && data == NULL)
		return "there is no memory for it";
	read_numbers(b->settings->host, part, data);
	v->data = data;
	return NULL;
}

/* NULL or the fault. */
static const char *set_text(const struct part *part, char text[TEXT_MAX], struct assay_variable *v)
{
	for (size_t i = 0; i < part->len; i++)
		if (part->text[i] < ' ' || part->text[i] > '~')
			return "it is no plain text";
	if (part->len >= TEXT_MAX)
		return "it is too long";
	memcpy(text, part->text, part->len);
	text[part->len] = '\0';
	v->type = ASSAY_SCALAR_TEXT;
	v->text = text;
	return NULL;
}

static const char *set_value(struct build *b, const struct assay_settings *row,
	const struct part *part, char text[TEXT_MAX], struct assay_variable *v)
{
	v->unit = read_unit(b, row);
	if (v->unit == NULL)
		return "the profile does not know its unit";
	switch (part->kind) {
	case PART_NUMBER:
		v->type = ASSAY_SCALAR_FLOAT;
		return read_real(b->settings->host, part->text, part->len, &v->real)
			       ? NULL
			       : "it is infinite, or has too many digits";
	case PART_INTEGER:
	case PART_HEX:
		v->type = ASSAY_SCALAR_INT;
		return read_integer(b->settings->host, part, &v->integer) ? NULL
									  : "it is too large";
	case PART_NUMBERS:
	case PART_FLOAT32LE:
	case PART_FLOAT32BE: return set_array(b, row, part, v);
	default: return set_text(part, text, v);
	}
}

static int add_value(struct build *b, const struct assay_settings *row)
{
	static const char *const roles[] = {"data", "aux", NULL};
	char text[TEXT_MAX], shown[WHY_MAX];
	const char *name = assay_text(row, "name"), *analyte = assay_text(row, "analyte");
	const struct part *part = parts_find(
		b->parts, assay_has(row, "part") ? assay_text(row, "part") : name);
	struct assay_variable v = {.name = name,
		.role = (enum assay_role)(
			reply_choice(roles, assay_text(row, "role")) == 0 ? ASSAY_DATA : ASSAY_AUX),
		.analyte = analyte,
		.cas = analyte != NULL ? assay_text(row, "cas") : NULL,
		.basis = assay_text(row, "basis"),
		.label = assay_text(row, "label")};
	bool is_data = v.role == ASSAY_DATA;
	b->data_wanted += is_data;
	if (part == NULL || part->is_mark || (b->is_missing && is_data)) {
		snprintf(text, sizeof(text), "%s%s%.40s", name, analyte != NULL ? " " : "",
			analyte != NULL ? analyte : "");
		list_add(b->missing, text);
		lower(b, ASSAY_SUSPECT,
			part != NULL && part->is_mark ? "out-of-range" : "device-warning");
		b->data_missing += is_data;
		return 0;
	}
	const char *fault = set_value(b, row, part, text, &v);
	if (fault == NULL && b->out != NULL)
		assay_frame_add(b->out, &v);
	if (fault == NULL)
		return 0;
	snprintf(b->why, WHY_MAX, "%s, '%s': %s", name, reply_escaped(part->text, part->len, shown),
		fault);
	return -EBADMSG;
}

static void finish(struct build *b, bool is_checked)
{
	const struct assay_settings *s = b->settings;
	unsigned kind = reply_choice(rows_frames, assay_text(s, "frame"));
	const struct {
		const char *name, *text;
	} texts[] = {{"status_text", b->status}, {"missing", b->missing}};
	assay_frame_kind(
		b->out, b->has_array ? (enum assay_kind)(ASSAY_SPECTRUM + kind) : ASSAY_SCALARS);
	for (size_t i = 0; i < 2; i++) {
		struct assay_variable v = {.name = texts[i].name,
			.role = ASSAY_AUX,
			.unit = "1",
			.type = ASSAY_SCALAR_TEXT,
			.text = texts[i].text};
		if (v.text[0] != '\0')
			assay_frame_add(b->out, &v);
	}
	if (!is_checked)
		assay_frame_quality(b->out, ASSAY_UNCHECKED, NULL);
	if (b->data_wanted > 0 && b->data_missing == b->data_wanted)
		assay_frame_quality(b->out, ASSAY_MISSING, "device-warning");
}

int frame_build(const struct assay_settings *settings, const struct parts *parts, bool is_checked,
	struct assay_frame *out, char why[WHY_MAX])
{
	struct build b = {.settings = settings, .parts = parts, .out = out, .why = why};
	int r = 0;
	for (size_t i = 0; i < parts->count && r == 0; i++)
		r = read_words(&b, &parts->list[i]);
	for (size_t i = 0; i < assay_count(settings, "values") && r == 0; i++)
		r = add_value(&b, assay_row(settings, "values", i));
	if (r == 0 && out != NULL)
		finish(&b, is_checked);
	return r;
}

int frame_words(const struct assay_settings *settings, const struct parts *parts, char why[WHY_MAX])
{
	struct build b = {.settings = settings, .parts = parts, .why = why};
	int r = 0;
	for (size_t i = 0; i < parts->count && r == 0; i++)
		r = read_words(&b, &parts->list[i]);
	return r;
}

int frame_decode(const struct assay_decoding *in, struct assay_frame *out)
{
	const struct assay_settings *s = in->settings;
	char why[WHY_MAX] = "the frame has not one block per reply of the profile";
	struct parts parts = {0};
	bool is_checked = true, is_one_checked;
	size_t block = 0;
	int r = 0;
	for (size_t i = 0; i < assay_count(s, "requests") && r == 0; i++) {
		const struct assay_settings *row = assay_row(s, "requests", i);
		if (rows_use(row) != USE_FRAME || !assay_has(row, "reply"))
			continue;
		if (block == in->raw_count)
			r = -EBADMSG;
		else
			r = reply_read(s, row, (const char *)in->raw[block].data,
				in->raw[block].len, &parts, &is_one_checked, why);
		is_checked = is_checked && r == 0 && is_one_checked;
		block++;
	}
	if (r == 0)
		r = block == in->raw_count ? frame_build(s, &parts, is_checked, out, why)
					   : -EBADMSG;
	if (r < 0)
		assay_explain_decode(in, "%s", why);
	return r < 0 ? -EBADMSG : 0;
}
