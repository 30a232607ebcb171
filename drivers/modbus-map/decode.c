/* SPDX-License-Identifier: Apache-2.0 */
#include "decode.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "device-time.h"
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
	const struct rows *rows;
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
	for (size_t i = 0; place->of[0] != '\0' && i < d->delivered_count; i++) {
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

/* `which`: the analyte or the like, or NULL. */
static void add_missing(
	struct decoding *d, const char *name, const char *which, const char *failure)
{
	char item[120];
	snprintf(item, sizeof(item), "%s%s%.40s", name, which != NULL ? " " : "",
		which != NULL ? which : "");
	text_add(&d->missing, item);
	assay_frame_quality(d->out, ASSAY_SUSPECT, failure != NULL ? failure : "truncated");
}

/* --- points ----------------------------------------------------------------------------------- */

static const struct part *part_of(
	const struct decoding *d, const struct rows_point *point, enum part_use use)
{
	int n = point->parts[use];
	return n >= 0 && (size_t)n < d->rows->part_count ? &d->rows->parts[n] : NULL;
}

/*
 * A computation is listed as "scaling_<row>", the row's number in the table of points, from 1, and
 * "scaling_<row>_<copy>" of a repeated one.
 */
static void list_scaling(struct decoding *d, const struct rows_point *point,
	const struct scaling *scaling, const char *analyte)
{
	const struct row_place *place = &point->place;
	const struct part *high = part_of(d, point, PART_HIGH);
	const struct part *sign = part_of(d, point, PART_SIGN);
	char name[40], number[120] = "number", text[400];
	struct assay_variable v = {.type = ASSAY_SCALAR_TEXT, .text = text};
	int n = snprintf(name, sizeof(name), "scaling_%zu", point->number);
	if (place->copy > 0)
		snprintf(name + n, sizeof(name) - (size_t)n, "_%u", place->copy);
	if (high != NULL)
		snprintf(number, sizeof(number), "(number + %s * 2^%u)", high->place.name,
			16 * register_width(place->type));
	snprintf(text, sizeof(text), "%s%s%.40s = %s * %.15g + %.15g%s%s", place->name,
		analyte != NULL ? " " : "", analyte != NULL ? analyte : "", number, scaling->factor,
		scaling->offset, sign != NULL ? ", negative by " : "",
		sign != NULL ? sign->place.name : "");
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

static bool is_power(const struct register_value *v)
{
	return v->kind == REGISTER_INTEGER && v->integer >= -22 && v->integer <= 22;
}

/* Computes one part into the number or its scaling.  False if it is none of its possible values. */
static bool apply_part(const struct rows_point *point, enum part_use use,
	const struct register_value *part, struct register_value *value, struct scaling *scaling)
{
	unsigned bits = 16 * register_width(point->place.type);
	switch (use) {
	case PART_EXPONENT:
	case PART_DECIMALS:
		if (!is_power(part))
			return false;
		scaling_multiply(
			scaling, 1, (int)(use == PART_EXPONENT ? part->integer : -part->integer));
		return true;
	case PART_FACTOR: scaling_multiply(scaling, register_number(part), 0); return true;
	case PART_HIGH:
		if (value->kind != REGISTER_INTEGER || part->kind != REGISTER_INTEGER ||
			part->integer < 0 || part->integer > INT32_MAX || bits > 32)
			return false;
		value->integer += part->integer * (INT64_C(1) << bits);
		return true;
	case PART_SIGN:
		if (register_number(part) != 0) {
			value->integer = -value->integer;
			value->real = -value->real;
		}
		return true;
	default: return true;
	}
}

/* The number of the point's register, with what its parts do to it and to the scaling. */
static struct register_value point_number(struct decoding *d, const struct rows_point *point,
	struct scaling *scaling, const char **failure)
{
	struct register_value none = {.kind = REGISTER_NOTHING};
	struct register_value value = replies_value(&d->replies, &point->place, failure);
	*scaling = point->scaling;
	if (value.kind == REGISTER_NOTHING)
		return none;
	if (row_is_nothing(&point->limits, &point->place, &value)) {
		*failure = "device-warning";
		return none;
	}
	for (enum part_use use = 0; use < PART_USES; use++) {
		const struct part *part = part_of(d, point, use);
		if (part == NULL && point->parts[use] >= 0)
			return none;
		if (part == NULL || use == PART_COMPONENT)
			continue;
		struct register_value v = part_value(&d->replies, part, failure);
		if (v.kind == REGISTER_NOTHING)
			return none;
		if (!apply_part(point, use, &v, &value, scaling)) {
			*failure = "out-of-range";
			return none;
		}
	}
	return value;
}

/* True if a variable like this one is in the frame already. */
static bool is_delivered(const struct decoding *d, const struct assay_variable *v)
{
	for (size_t i = 0; i < d->delivered_count; i++)
		if (strcmp(d->delivered[i].name, v->name) == 0 &&
			row_is_same_substance(d->delivered[i].analyte, d->delivered[i].basis,
				v->analyte, v->basis))
			return true;
	return false;
}

enum slot {
	SLOT_USED,
	SLOT_EMPTY, /* there is no substance */
	SLOT_WRONG, /* it is missing */
};

/* The analyte of a point whose component a register names. */
static enum slot name_component(
	struct decoding *d, const struct rows_point *point, struct assay_variable *v)
{
	const struct part *part = part_of(d, point, PART_COMPONENT);
	const char *failure;
	char which[40];
	if (part == NULL)
		return SLOT_USED;
	struct register_value code = part_value(&d->replies, part, &failure);
	if (code.kind != REGISTER_INTEGER) {
		add_missing(d, v->name, part->place.name, failure);
		return SLOT_WRONG;
	}
	const struct component *component = component_find(&d->rows->components, code.integer);
	if (component != NULL && component->analyte == NULL)
		return SLOT_EMPTY;
	if (component != NULL) {
		v->analyte = component->analyte;
		v->cas = component->cas;
		v->label = component->label != NULL ? component->label : v->label;
		if (!is_delivered(d, v))
			return SLOT_USED;
	}
	snprintf(which, sizeof(which), "code %lld%s", (long long)code.integer,
		component != NULL ? " (twice)" : "");
	add_missing(d, v->name, which, "device-warning");
	return SLOT_WRONG;
}

/* A text that is empty is no variable. */
static void decode_text(struct decoding *d, const struct rows_point *point)
{
	const char *failure;
	size_t at;
	char text[2 * ROW_TEXT_MAX + 1];
	const uint8_t *data = replies_find(&d->replies, &point->place, &failure, &at);
	if (data == NULL) {
		if (!is_tolerated(point->option, failure))
			add_missing(d, point->place.name, point->place.analyte, failure);
		return;
	}
	register_text(data, point->place.width, point->place.order, text, sizeof(text));
	struct assay_variable v = point->v;
	v.type = ASSAY_SCALAR_TEXT;
	v.text = text;
	if (text[0] != '\0')
		deliver(d, &point->place, &v);
}

static void decode_number(struct decoding *d, const struct rows_point *point)
{
	const char *failure = NULL;
	bool is_data = point->v.role == ASSAY_DATA;
	struct scaling scaling;
	struct assay_variable v = point->v;
	struct register_value value = point_number(d, point, &scaling, &failure);
	if (value.kind == REGISTER_NOTHING && is_tolerated(point->option, failure))
		return;
	enum slot slot = name_component(d, point, &v);
	if (slot == SLOT_EMPTY)
		return;
	d->data_wanted += is_data;
	d->data_missing += is_data && slot == SLOT_WRONG;
	if (slot == SLOT_WRONG)
		return;
	bool is_computed = scaling.is_used || point->parts[PART_HIGH] >= 0 ||
			   point->parts[PART_SIGN] >= 0;
	if (value.kind != REGISTER_NOTHING && is_computed)
		list_scaling(d, point, &scaling, v.analyte);
	if (value.kind != REGISTER_NOTHING) {
		value = scaling_apply(&scaling, &value);
		if (value.kind == REGISTER_NOTHING || !row_is_inside(&point->limits, &value)) {
			value.kind = REGISTER_NOTHING;
			failure = "out-of-range";
		}
	}
	if (value.kind == REGISTER_NOTHING) {
		d->data_missing += is_data;
		add_missing(d, v.name, v.analyte, failure);
		return;
	}
	const struct delivered *subject = find_subject(d, &point->place);
	if (point->place.of[0] != '\0' && subject == NULL)
		return;
	if (subject != NULL)
		copy_subject(&v, subject);
	set_value(&v, &value);
	deliver(d, &point->place, &v);
}

static void decode_point(struct decoding *d, const struct rows_point *point)
{
	if (point->place.type == REGISTER_TEXT)
		decode_text(d, point);
	else
		decode_number(d, point);
}

/* --- status ----------------------------------------------------------------------------------- */

/*
 * Consecutive rows of one name make one variable.  Its value: with `position`, the conditions that
 * hold, as bits; of several rows, their register, whole; of one row, the register or its `bit`.
 */
struct flags {
	const struct row_place *place;
	size_t rows;                        /* that had a value */
	struct register_value value, whole; /* of the first of them */
	bool is_mask;
	int64_t mask;
};

static void flags_deliver(struct decoding *d, const struct flags *flags)
{
	const struct row_place *place = flags->place;
	if (flags->rows == 0)
		return;
	struct assay_variable v = {.name = place->name,
		.unit = "1",
		.label = place->label,
		.analyte = place->analyte,
		.basis = place->basis,
		.role = ASSAY_AUX};
	struct register_value mask = {.kind = REGISTER_INTEGER, .integer = flags->mask};
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
	bool is_first = flags->place == NULL || strcmp(flags->place->name, place->name) != 0 ||
			!row_is_same_substance(flags->place->analyte, flags->place->basis,
				place->analyte, place->basis);
	if (is_first) {
		flags_deliver(d, flags);
		*flags = (struct flags){.place = place};
	}
	struct register_value value = replies_value(&d->replies, place, &failure);
	if (value.kind == REGISTER_NOTHING) {
		if (is_first && !is_tolerated(status->option, failure))
			add_missing(d, place->name, place->analyte, failure);
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
	if (place->of[0] != '\0' && quality > ASSAY_SUSPECT)
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
	d.rows = rows;
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
	device_time_set(&d.replies, rows, out);
	add_text(&d, "status_text", &d.status);
	add_text(&d, "missing", &d.missing);
	if (d.data_wanted > 0 && d.data_missing == d.data_wanted)
		assay_frame_quality(out, ASSAY_MISSING, "device-warning");
	return d.delivered_count > 0 || d.missing.len > 0 ? 0 : -EBADMSG;
}
