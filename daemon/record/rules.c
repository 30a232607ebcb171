/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "record/element.h"
#include "record/format.h"
#include "record/names.h"
#include "record/rules.h"

static size_t place_of(const struct schema_walk *walk, const struct assay_var_view *var)
{
	return (size_t)((const uint8_t *)var->name.data - walk->r->data);
}

int rule_portion(struct schema_walk *walk, const void *kept)
{
	const struct portion *portion = kept;
	if (portion->of != 0 && portion->i > portion->of)
		return schema_fail(walk, walk->r->at, "number %llu of %llu",
			(unsigned long long)portion->i, (unsigned long long)portion->of);
	return 0;
}

int rule_raw_block(struct schema_walk *walk, const void *kept)
{
	const struct raw_block *block = kept;
	if (block->sha256 == NULL && block->data.data == NULL)
		return schema_fail(
			walk, walk->r->at, "neither \"sha256\" nor \"data\"; one is required");
	if (block->data.data != NULL && block->data.len != block->size)
		return schema_fail(walk, walk->r->at, "%zu bytes of data where size says %llu",
			block->data.len, (unsigned long long)block->size);
	return 0;
}

/* --- one variable --------------------------------------------------------------------------- */

static bool is_array(enum assay_form form)
{
	return form == ASSAY_FORM_ARRAY || form == ASSAY_FORM_ND || form == ASSAY_FORM_LINEAR ||
	       form == ASSAY_FORM_TEXTS;
}

static int check_form(struct schema_walk *walk, const struct assay_var_view *var)
{
	if (var->dims_count == 0 && is_array(var->form))
		return schema_fail(walk, walk->r->at,
			"an array where dims, being empty, announces a single value");
	if (var->dims_count > 0 && !is_array(var->form))
		return schema_fail(
			walk, walk->r->at, "a single value where dims announces an array");
	if (var->dims_count == 1 && var->form == ASSAY_FORM_ND)
		return schema_fail(walk, walk->r->at,
			"tag 40 where a plain array was expected for one dimension");
	if (var->dims_count > 1 && var->form != ASSAY_FORM_ND)
		return schema_fail(walk, walk->r->at,
			"a plain array where tag 40 was expected for several dimensions");
	return 0;
}

/*
 * The first element that does not continue in the direction of the first two, or 0.  The search
 * ends at a NaN, which compares false; in an axis that passes, infinities are at the ends only.
 */
#define FIND_TURN(name, ctype)                                           \
	static size_t name(const uint8_t *data, size_t count)            \
	{                                                                \
		ctype before, now;                                       \
		memcpy(&before, data, sizeof before);                    \
		memcpy(&now, data + sizeof now, sizeof now);             \
		bool up = before < now;                                  \
		for (size_t i = 1; i < count; i++) {                     \
			memcpy(&now, data + i * sizeof now, sizeof now); \
			if (!(up ? before < now : before > now))         \
				return i;                                \
			before = now;                                    \
		}                                                        \
		return 0;                                                \
	}
FIND_TURN(find_turn_u8, uint8_t)
FIND_TURN(find_turn_u16, uint16_t)
FIND_TURN(find_turn_u32, uint32_t)
FIND_TURN(find_turn_u64, uint64_t)
FIND_TURN(find_turn_i8, int8_t)
FIND_TURN(find_turn_i16, int16_t)
FIND_TURN(find_turn_i32, int32_t)
FIND_TURN(find_turn_i64, int64_t)
FIND_TURN(find_turn_f32, float)
FIND_TURN(find_turn_f64, double)

static size_t (*const find_turn[])(const uint8_t *, size_t) = {
	[ASSAY_ELEMENT_U8] = find_turn_u8,
	[ASSAY_ELEMENT_U16] = find_turn_u16,
	[ASSAY_ELEMENT_U32] = find_turn_u32,
	[ASSAY_ELEMENT_U64] = find_turn_u64,
	[ASSAY_ELEMENT_I8] = find_turn_i8,
	[ASSAY_ELEMENT_I16] = find_turn_i16,
	[ASSAY_ELEMENT_I32] = find_turn_i32,
	[ASSAY_ELEMENT_I64] = find_turn_i64,
	[ASSAY_ELEMENT_F32] = find_turn_f32,
	[ASSAY_ELEMENT_F64] = find_turn_f64,
};

static int check_axis_numbers(struct schema_walk *walk, const struct assay_var_view *var)
{
	size_t n = var->count;
	size_t turn = n > 1 ? find_turn[var->element](var->data.data, n) : 0;
	double at_turn = turn > 0 ? element_number(var->element, var->data.data, turn) : 0;
	double first = n > 0 ? element_number(var->element, var->data.data, 0) : 0;
	double last = n > 0 ? element_number(var->element, var->data.data, n - 1) : 0;
	if (!isfinite(first) || !isfinite(at_turn) || (turn == 0 && !isfinite(last)))
		return schema_fail(walk, walk->r->at, "NaN or infinity in an axis");
	if (turn > 0)
		return schema_fail(walk, walk->r->at,
			"an axis that does not strictly ascend or descend at element %zu", turn);
	return 0;
}

static int check_axis(struct schema_walk *walk, const struct assay_var_view *var)
{
	if (var->dims_count != 1 || !string_same(var->dims[0], var->name))
		return schema_fail(walk, place_of(walk, var),
			"dims of an axis that are not its own name alone");
	int error = 0;
	if (var->form == ASSAY_FORM_ARRAY)
		error = check_axis_numbers(walk, var);
	else if (var->form == ASSAY_FORM_LINEAR && var->count > 1 && var->step == 0)
		error = schema_fail(walk, walk->r->at, "an axis with step 0");
	else if (var->form == ASSAY_FORM_LINEAR && var->count > 0 &&
		 !isfinite(var->start + (double)(var->count - 1) * var->step))
		error = schema_fail(walk, walk->r->at, "an axis that ends at infinity");
	return error < 0 ? schema_fail_in(walk, string_of("data")) : 0;
}

/* An uncertainty may be relative, and flags count nothing. */
static int check_unit(struct schema_walk *walk, const struct assay_var_view *var)
{
	const struct name *name = name_find(var->name);
	if (var->role == ASSAY_ROLE_UNCERTAINTY || var->role == ASSAY_ROLE_FLAGS ||
		name_takes_unit(name, var->unit))
		return 0;
	char units[NAME_UNITS];
	return schema_fail(walk, place_of(walk, var),
		"\"%.*s\" of \"%s\" where %s, or a unit of the same kind, was expected",
		(int)var->unit.len, var->unit.data, name->name, name_units(name, units));
}

int rule_variable(struct schema_walk *walk, const void *kept)
{
	const struct assay_var_view *var = kept;
	if (check_unit(walk, var) < 0)
		return schema_fail_in(walk, string_of("unit"));
	if (check_form(walk, var) < 0)
		return schema_fail_in(walk, string_of("data"));
	if (var->role == ASSAY_ROLE_UNCERTAINTY && var->of.data == NULL)
		return schema_fail(
			walk, walk->r->at, "no key \"of\", which an uncertainty requires");
	return var->role == ASSAY_ROLE_AXIS ? check_axis(walk, var) : 0;
}

/* --- variables of a frame ------------------------------------------------------------------- */

static int check_dim(struct schema_walk *walk, const struct format_vars *vars,
	const struct assay_var_view *var, size_t dim)
{
	const struct assay_var_view *axis = NULL;
	size_t axes = 0;
	for (size_t i = 0; i < vars->count; i++) {
		if (vars->var[i].role != ASSAY_ROLE_AXIS ||
			!string_same(vars->var[i].name, var->dims[dim]))
			continue;
		axis = &vars->var[i];
		axes++;
	}
	if (axes != 1)
		return schema_fail(walk, place_of(walk, var),
			"%zu axis variables \"%.*s\" where one was expected", axes,
			(int)var->dims[dim].len, var->dims[dim].data);
	size_t have = var->form == ASSAY_FORM_ND ? var->shape[dim] : var->count;
	if (have != axis->count)
		return schema_fail(walk, place_of(walk, var),
			"%zu elements along \"%.*s\", whose axis has %zu", have,
			(int)axis->name.len, axis->name.data, axis->count);
	return 0;
}

static bool same_dims(const struct assay_var_view *a, const struct assay_var_view *b)
{
	for (size_t i = 0; i < a->dims_count && i < b->dims_count; i++)
		if (!string_same(a->dims[i], b->dims[i]))
			return false;
	return a->dims_count == b->dims_count;
}

/* Of one analyte, basis and channel. */
static bool same_subject(const struct assay_var_view *a, const struct assay_var_view *b)
{
	return string_same(a->analyte, b->analyte) && string_same(a->basis, b->basis) &&
	       string_same(a->channel, b->channel);
}

/* An analyte's uncertainty belongs to that analyte's variable. */
static int check_of(
	struct schema_walk *walk, const struct format_vars *vars, const struct assay_var_view *var)
{
	for (size_t i = 0; i < vars->count; i++) {
		const struct assay_var_view *other = &vars->var[i];
		if (other == var || !string_same(other->name, var->of) || !same_subject(other, var))
			continue;
		if (var->dims_count == 0 || same_dims(var, other))
			return 0;
		return schema_fail(walk, place_of(walk, var), "other dims than those of \"%.*s\"",
			(int)var->of.len, var->of.data);
	}
	return schema_fail(walk, place_of(walk, var),
		"\"%.*s\", which is no variable of this frame with this analyte, basis and channel",
		(int)var->of.len, var->of.data);
}

static int check_var(struct schema_walk *walk, const struct format_vars *vars, size_t i)
{
	const struct assay_var_view *var = &vars->var[i];
	for (size_t j = 0; j < i; j++) {
		const struct assay_var_view *other = &vars->var[j];
		if (!string_same(other->name, var->name) || !same_subject(other, var))
			continue;
		schema_fail(walk, place_of(walk, var),
			"a variable with the name, analyte, basis and channel of vars[%zu]", j);
		return schema_fail_in(walk, string_of("name"));
	}
	for (size_t dim = 0; dim < var->dims_count; dim++)
		if (check_dim(walk, vars, var, dim) < 0)
			return schema_fail_in(walk, string_of("dims"));
	if (var->of.data != NULL && check_of(walk, vars, var) < 0)
		return schema_fail_in(walk, string_of("of"));
	return 0;
}

/* A spectrum without its numbers would be taken for one by everyone who looks at `kind`. */
static int check_kind(
	struct schema_walk *walk, enum assay_frame_kind kind, const struct format_vars *vars)
{
	const struct assay_var_view *along = NULL; /* data along an axis */
	for (size_t i = 0; i < vars->count && along == NULL; i++)
		if (vars->var[i].role == ASSAY_ROLE_DATA && vars->var[i].dims_count > 0)
			along = &vars->var[i];
	if ((kind == ASSAY_KIND_SCALAR) == (along == NULL))
		return 0;
	if (along != NULL)
		schema_fail(walk, place_of(walk, along),
			"\"scalar\" where \"%.*s\", data along an axis, is there",
			(int)along->name.len, along->name.data);
	else
		schema_fail(walk, walk->r->at,
			"\"%s\", which requires a variable of role data along an axis",
			assay_frame_kind_name(kind));
	return schema_fail_in(walk, string_of("kind"));
}

int rule_frame(struct schema_walk *walk, const void *kept)
{
	const struct assay_frame_view *frame = kept;
	const struct format_vars *vars = walk->context;
	for (size_t i = 0; i < vars->count; i++) {
		if (check_var(walk, vars, i) == 0)
			continue;
		schema_fail_at(walk, i);
		return schema_fail_in(walk, string_of("vars"));
	}
	return check_kind(walk, frame->kind, vars);
}
