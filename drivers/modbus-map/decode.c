/* SPDX-License-Identifier: Apache-2.0 */
#include "decode.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "reply.h"

#define TEXT_MAX 480

/* A list of texts for people; an item that does not fit is left out whole. */
struct text {
	char data[TEXT_MAX];
	size_t len;
};

struct decoding {
	const struct assay_settings *settings;
	struct assay_frame *out;
	struct row_common common;
	struct replies replies;
	struct delivered {
		const char *name, *analyte, *cas;
		const char *basis_in_row, *basis;
	} delivered[ROW_VARS_MAX];
	size_t delivered_count;
	size_t data_wanted, data_missing;
	struct text missing, status;
};

static void text_add(struct text *text, const char *item)
{
	size_t n = strlen(item), comma = text->len > 0 ? 2 : 0;
	if (text->len + comma + n >= sizeof(text->data))
		return;
	memcpy(text->data + text->len, ", ", comma);
	memcpy(text->data + text->len + comma, item, n + 1);
	text->len += comma + n;
}

static void add_text(struct decoding *d, const char *name, const struct text *text)
{
	struct assay_variable v = {.name = name,
		.role = ASSAY_AUX,
		.unit = "1",
		.type = ASSAY_SCALAR_TEXT,
		.text = text->data};
	if (text->len > 0)
		assay_frame_add(d->out, &v);
}

/* The delivered variable that `place` is about, or NULL. */
static const struct delivered *find_subject(const struct decoding *d, const struct row_place *place)
{
	for (size_t i = 0; place->of != NULL && i < d->delivered_count; i++) {
		const struct delivered *v = &d->delivered[i];
		if (strcmp(v->name, place->of) == 0 &&
			row_is_same_substance(
				v->analyte, v->basis_in_row, place->analyte, place->basis))
			return v;
	}
	return NULL;
}

static void deliver(
	struct decoding *d, const struct row_place *place, const struct assay_variable *v)
{
	if (d->delivered_count == ROW_VARS_MAX)
		return;
	d->delivered[d->delivered_count++] = (struct delivered){
		v->name, v->analyte, v->cas, place->basis, v->basis};
	assay_frame_add(d->out, v);
}

/* An option that this instrument does not have leaves no block, and is not missed. */
static bool is_tolerated(const char *option, const char *failure)
{
	return option != NULL && failure == NULL;
}

static void miss(struct decoding *d, const struct row_place *place, const char *failure)
{
	char item[80];
	snprintf(item, sizeof(item), "%s%s%.40s", place->name, place->analyte != NULL ? " " : "",
		place->analyte != NULL ? place->analyte : "");
	text_add(&d->missing, item);
	assay_frame_quality(d->out, ASSAY_SUSPECT, failure != NULL ? failure : "truncated");
}

/* --- points ------------------------------------------------------------------------------------
 */

static enum assay_role read_role(const struct assay_settings *row)
{
	switch (assay_text(row, "role")[0]) {
	case 'a': return ASSAY_AUX;
	case 'u': return ASSAY_UNCERTAINTY;
	case 'f': return ASSAY_FLAGS;
	default: return ASSAY_DATA;
	}
}

static void read_uncertainty(const struct assay_settings *row, struct assay_variable *v)
{
	if (!assay_has(row, "unc"))
		return;
	const char *kind = assay_text(row, "unc_kind"), *src = assay_text(row, "unc_src");
	v->unc.value = assay_number(row, "unc");
	v->unc.k = assay_number(row, "unc_k");
	v->unc.kind = kind != NULL ? kind : "standard";
	v->unc.src = src != NULL ? src : "method";
}

/* Listed as "scaling_<row>", the row's number in the table of points, from 1. */
static void list_scaling(
	struct decoding *d, const struct row_place *place, size_t row, double factor, double offset)
{
	char name[32], text[160];
	struct assay_variable v = {.type = ASSAY_SCALAR_TEXT, .text = text};
	snprintf(name, sizeof(name), "scaling_%zu", row + 1);
	snprintf(text, sizeof(text), "%s%s%.40s = number * %.15g + %.15g", place->name,
		place->analyte != NULL ? " " : "", place->analyte != NULL ? place->analyte : "",
		factor, offset);
	assay_frame_setting(d->out, name, &v);
}

/* Scales where the row says so; the value becomes nothing when it does not stay finite. */
static void scale(struct decoding *d, const struct assay_settings *row,
	const struct row_place *place, size_t i, struct register_value *value)
{
	bool has_scale = assay_has(row, "scale"), has_offset = assay_has(row, "offset");
	if (value->kind == REGISTER_NOTHING || (!has_scale && !has_offset))
		return;
	double factor = has_scale ? assay_number(row, "scale") : 1;
	double offset = assay_number(row, "offset");
	double real = register_number(value) * factor + offset;
	value->kind = real - real == 0 ? REGISTER_REAL : REGISTER_NOTHING;
	value->real = real;
	value->is_single = false;
	list_scaling(d, place, i, factor, offset);
}

static void set_value(struct assay_variable *v, const struct register_value *value)
{
	v->type = ASSAY_SCALAR_INT;
	if (value->kind == REGISTER_REAL)
		v->type = value->is_single ? ASSAY_SCALAR_F32 : ASSAY_SCALAR_FLOAT;
	v->integer = value->integer;
	v->real = value->real;
}

static bool is_meant(const struct assay_settings *row, const struct assay_variable *v)
{
	return strcmp(assay_text(row, "name"), v->name) == 0 &&
	       row_is_same_substance(assay_text(row, "analyte"), NULL, v->analyte, NULL);
}

static void adjust(const struct decoding *d, struct assay_variable *v)
{
	for (size_t i = 0, n = assay_count(d->settings, "adjust"); i < n; i++) {
		const struct assay_settings *row = assay_row(d->settings, "adjust", i);
		if (!is_meant(row, v))
			continue;
		const char *unit = assay_text(row, "unit"), *basis = assay_text(row, "basis");
		const char *label = assay_text(row, "label");
		v->unit = unit != NULL ? unit : v->unit;
		v->basis = basis != NULL ? basis : v->basis;
		v->label = label != NULL ? label : v->label;
		read_uncertainty(row, v);
	}
}

/* What is about another variable has that one's substance, adjusted as it may be. */
static void take_subject(struct assay_variable *v, const struct delivered *subject)
{
	v->of = subject->name;
	v->analyte = subject->analyte;
	v->cas = subject->cas;
	v->basis = subject->basis;
}

static void describe_point(const struct decoding *d, const struct assay_settings *row,
	const struct row_place *place, struct assay_variable *v)
{
	v->name = place->name;
	v->label = place->label;
	v->analyte = place->analyte;
	v->basis = place->basis;
	v->unit = assay_text(row, "unit");
	v->cas = assay_text(row, "cas");
	read_uncertainty(row, v);
	adjust(d, v);
}

static void decode_point(struct decoding *d, const struct assay_settings *row, size_t i)
{
	const char *option, *failure;
	struct row_place place;
	if (!row_is_wanted(d->settings, &d->common, row, &option))
		return;
	row_place_read(row, &d->common, &place);
	struct assay_variable v = {.role = read_role(row)};
	struct register_value value = replies_value(&d->replies, &place, &failure);
	if (value.kind == REGISTER_NOTHING && is_tolerated(option, failure))
		return;
	scale(d, row, &place, i, &value);
	d->data_wanted += v.role == ASSAY_DATA;
	if (value.kind == REGISTER_NOTHING) {
		d->data_missing += v.role == ASSAY_DATA;
		miss(d, &place, failure != NULL ? failure : "out-of-range");
		return;
	}
	const struct delivered *subject = find_subject(d, &place);
	if (place.of != NULL && subject == NULL)
		return;
	describe_point(d, row, &place, &v);
	if (subject != NULL)
		take_subject(&v, subject);
	set_value(&v, &value);
	deliver(d, &place, &v);
}

/* --- status ------------------------------------------------------------------------------------
 */

/* Rows of one name that stand together make one variable. */
struct flags {
	struct row_place place;
	struct register_value value; /* of the first row */
	bool has_value, is_mask;
	int64_t mask;
};

static void flags_deliver(struct decoding *d, const struct flags *flags)
{
	const struct row_place *place = &flags->place;
	struct assay_variable v = {.name = place->name,
		.unit = "1",
		.label = place->label,
		.analyte = place->analyte,
		.basis = place->basis,
		.role = ASSAY_AUX};
	struct register_value mask = {.kind = REGISTER_INTEGER, .integer = flags->mask};
	if (!flags->has_value)
		return;
	const struct delivered *subject = find_subject(d, place);
	if (subject != NULL) {
		v.role = ASSAY_FLAGS;
		take_subject(&v, subject);
	}
	set_value(&v, flags->is_mask ? &mask : &flags->value);
	deliver(d, place, &v);
}

static bool is_same_variable(const struct row_place *a, const struct row_place *b)
{
	return a->name != NULL && strcmp(a->name, b->name) == 0 &&
	       row_is_same_substance(a->analyte, a->basis, b->analyte, b->basis);
}

/* What is said about one variable makes the frame suspect at most: its flags tell which one. */
static void judge(
	struct decoding *d, const struct row_place *place, const struct row_condition *condition)
{
	enum assay_quality quality = condition->quality;
	if (quality != 0 && place->of != NULL && quality > ASSAY_SUSPECT)
		quality = ASSAY_SUSPECT;
	if (quality != 0)
		assay_frame_quality(d->out, quality, condition->reason);
	if (condition->text != NULL)
		text_add(&d->status, condition->text);
}

static void decode_status(struct decoding *d, const struct assay_settings *row, struct flags *flags)
{
	const char *option, *failure;
	struct row_place place;
	struct row_condition condition;
	if (!row_is_wanted(d->settings, &d->common, row, &option))
		return;
	row_place_read(row, &d->common, &place);
	bool is_first = !is_same_variable(&flags->place, &place);
	if (is_first) {
		flags_deliver(d, flags);
		*flags = (struct flags){.place = place};
	}
	struct register_value value = replies_value(&d->replies, &place, &failure);
	if (value.kind == REGISTER_NOTHING) {
		if (is_first && !is_tolerated(option, failure))
			miss(d, &place, failure);
		return;
	}
	row_condition_read(row, &condition);
	value = row_condition_value(&condition, &value);
	bool holds = row_condition_holds(&condition, &value);
	if (!flags->has_value)
		flags->value = value;
	flags->has_value = true;
	if (condition.position >= 0) {
		flags->is_mask = true;
		flags->mask |= (int64_t)holds << condition.position;
	}
	if (holds)
		judge(d, &place, &condition);
}

/* --- the slot ----------------------------------------------------------------------------------
 */

int map_decode(const struct assay_decoding *in, struct assay_frame *out)
{
	struct decoding d;
	struct flags flags = {0};
	d.settings = in->settings;
	d.out = out;
	d.delivered_count = d.data_wanted = d.data_missing = d.missing.len = d.status.len = 0;
	int r = replies_read(in->raw, in->raw_count, &d.replies);
	if (r < 0)
		return r;
	row_common_read(in->settings, &d.common);
	assay_frame_kind(out, ASSAY_SCALARS);
	for (size_t i = 0, n = assay_count(d.settings, "points"); i < n; i++)
		decode_point(&d, assay_row(d.settings, "points", i), i);
	for (size_t i = 0, n = assay_count(d.settings, "status"); i < n; i++)
		decode_status(&d, assay_row(d.settings, "status", i), &flags);
	flags_deliver(&d, &flags);
	add_text(&d, "status_text", &d.status);
	add_text(&d, "missing", &d.missing);
	if (d.data_wanted > 0 && d.data_missing == d.data_wanted)
		assay_frame_quality(out, ASSAY_MISSING, "device-warning");
	return d.delivered_count > 0 || d.missing.len > 0 ? 0 : -EBADMSG;
}
