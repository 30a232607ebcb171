/* SPDX-License-Identifier: Apache-2.0 */
#include "decode.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "reply.h"
#include "rows.h"

#define TEXT_MAX 4000 /* a text of a record has at most 4096 bytes */
#define MORE_MAX 40

/* A list of texts for people; it ends with the number of those that do not fit. */
struct text {
	char data[TEXT_MAX + MORE_MAX];
	size_t len, more;
};

struct decoding {
	struct assay_frame *out;
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
	if (text->more > 0 || text->len + comma + n >= TEXT_MAX) {
		text->more++;
		return;
	}
	memcpy(text->data + text->len, ", ", comma);
	memcpy(text->data + text->len + comma, item, n + 1);
	text->len += comma + n;
}

static void add_text(struct decoding *d, const char *name, struct text *text)
{
	struct assay_variable v = {.name = name,
		.role = ASSAY_AUX,
		.unit = "1",
		.type = ASSAY_SCALAR_TEXT,
		.text = text->data};
	if (text->more > 0)
		snprintf(text->data + text->len, MORE_MAX, ", and %zu more", text->more);
	if (text->len > 0)
		assay_frame_add(d->out, &v);
}

/* The delivered variable named by `of` of `place`, or NULL. */
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

/* Rows of an option that this instrument does not have are not missing: they have no block. */
static bool is_tolerated(const char *option, const char *failure)
{
	return option != NULL && failure == NULL;
}

static void add_missing(struct decoding *d, const struct row_place *place, const char *failure)
{
	char item[80];
	snprintf(item, sizeof(item), "%s%s%.40s", place->name, place->analyte != NULL ? " " : "",
		place->analyte != NULL ? place->analyte : "");
	text_add(&d->missing, item);
	assay_frame_quality(d->out, ASSAY_SUSPECT, failure != NULL ? failure : "truncated");
}

/* --- points ----------------------------------------------------------------------------------- */

/*
 * A scaling is listed as "scaling_<row>", the row's number in the table of points, from 1.
 */
static void list_scaling(struct decoding *d, const struct rows_point *point)
{
	const struct row_place *place = &point->place;
	char name[32], text[160];
	struct assay_variable v = {.type = ASSAY_SCALAR_TEXT, .text = text};
	snprintf(name, sizeof(name), "scaling_%zu", point->number);
	snprintf(text, sizeof(text), "%s%s%.40s = number * %.15g + %.15g", place->name,
		place->analyte != NULL ? " " : "", place->analyte != NULL ? place->analyte : "",
		point->scaling.factor, point->scaling.offset);
	assay_frame_setting(d->out, name, &v);
}

static void set_value(struct assay_variable *v, const struct register_value *value)
{
	v->type = ASSAY_SCALAR_INT;
	if (value->kind == REGISTER_REAL)
		v->type = value->is_single ? ASSAY_SCALAR_F32 : ASSAY_SCALAR_FLOAT;
	v->integer = value->integer;
	v->real = value->real;
}

/* An uncertainty or flags variable has the substance of its subject, after adjustment. */
static void copy_subject(struct assay_variable *v, const struct delivered *subject)
{
	v->of = subject->name;
	v->analyte = subject->analyte;
	v->cas = subject->cas;
	v->basis = subject->basis;
}

static void decode_point(struct decoding *d, const struct rows_point *point)
{
	const char *failure;
	bool is_data = point->v.role == ASSAY_DATA;
	struct register_value value = replies_value(&d->replies, &point->place, &failure);
	if (value.kind == REGISTER_NOTHING && is_tolerated(point->option, failure))
		return;
	if (value.kind != REGISTER_NOTHING &&
		row_is_nothing(&point->limits, &point->place, &value)) {
		value.kind = REGISTER_NOTHING;
		failure = "device-warning";
	}
	if (value.kind != REGISTER_NOTHING && point->scaling.is_used)
		list_scaling(d, point);
	value = scaling_apply(&point->scaling, &value);
	if (value.kind != REGISTER_NOTHING && !row_is_inside(&point->limits, &value))
		value.kind = REGISTER_NOTHING;
	d->data_wanted += is_data;
	if (value.kind == REGISTER_NOTHING) {
		d->data_missing += is_data;
		add_missing(d, &point->place, failure != NULL ? failure : "out-of-range");
		return;
	}
	const struct delivered *subject = find_subject(d, &point->place);
	if (point->place.of != NULL && subject == NULL)
		return;
	struct assay_variable v = point->v;
	if (subject != NULL)
		copy_subject(&v, subject);
	set_value(&v, &value);
	deliver(d, &point->place, &v);
}

/* --- status ----------------------------------------------------------------------------------- */

/*
 * Consecutive rows of one name make one variable.  Its value: with `position`, the conditions that
 * hold, as bits; of several rows, their register, whole; of one row, the register or its `bit`.
 */
struct flags {
	struct row_place place;
	size_t rows;                        /* that had a value */
	struct register_value value, whole; /* of the first of them */
	bool is_mask;
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
	if (flags->rows == 0)
		return;
	const struct delivered *subject = find_subject(d, place);
	if (subject != NULL) {
		v.role = ASSAY_FLAGS;
		copy_subject(&v, subject);
	}
	set_value(&v, flags->is_mask ? &mask : flags->rows > 1 ? &flags->whole : &flags->value);
	deliver(d, place, &v);
}

static void decode_status(struct decoding *d, const struct rows_status *status, struct flags *flags)
{
	const char *failure;
	const struct row_place *place = &status->place;
	const struct row_condition *condition = &status->condition;
	bool is_first = flags->place.name == NULL || strcmp(flags->place.name, place->name) != 0 ||
			!row_is_same_substance(flags->place.analyte, flags->place.basis,
				place->analyte, place->basis);
	if (is_first) {
		flags_deliver(d, flags);
		*flags = (struct flags){.place = *place};
	}
	struct register_value value = replies_value(&d->replies, place, &failure);
	if (value.kind == REGISTER_NOTHING) {
		if (is_first && !is_tolerated(status->option, failure))
			add_missing(d, place, failure);
		return;
	}
	struct register_value whole = value;
	value = row_condition_value(condition, &value);
	bool holds = row_condition_holds(condition, &value);
	if (flags->rows++ == 0) {
		flags->value = value;
		flags->whole = whole;
	}
	if (condition->position >= 0) {
		flags->is_mask = true;
		flags->mask |= (int64_t)holds << condition->position;
	}
	if (!holds)
		return;
	/* A fault of one variable makes the frame suspect at most; its flags variable names it. */
	enum assay_quality quality = condition->quality;
	if (place->of != NULL && quality > ASSAY_SUSPECT)
		quality = ASSAY_SUSPECT;
	if (quality != 0)
		assay_frame_quality(d->out, quality, condition->reason);
	if (condition->text != NULL)
		text_add(&d->status, condition->text);
}

/* --- the slot --------------------------------------------------------------------------------- */

int map_decode(const struct assay_decoding *in, struct assay_frame *out)
{
	struct decoding d;
	struct flags flags = {0};
	const struct rows *rows = in->prepared;
	d.out = out;
	d.delivered_count = d.data_wanted = d.data_missing = 0;
	d.missing.len = d.missing.more = d.status.len = d.status.more = 0;
	int r = replies_read(in->raw, in->raw_count, &d.replies);
	if (r < 0)
		return r;
	assay_frame_kind(out, ASSAY_SCALARS);
	for (size_t i = 0; i < rows->point_count; i++)
		decode_point(&d, &rows->points[i]);
	for (size_t i = 0; i < rows->status_count; i++)
		decode_status(&d, &rows->statuses[i], &flags);
	flags_deliver(&d, &flags);
	add_text(&d, "status_text", &d.status);
	add_text(&d, "missing", &d.missing);
	if (d.data_wanted > 0 && d.data_missing == d.data_wanted)
		assay_frame_quality(out, ASSAY_MISSING, "device-warning");
	return d.delivered_count > 0 || d.missing.len > 0 ? 0 : -EBADMSG;
}
