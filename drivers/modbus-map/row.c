/* SPDX-License-Identifier: Apache-2.0 */
#include "row.h"

#include <string.h>

/* --- the columns of the tables --- */

static const char *const tables[] = {"coil", "discrete", "holding", "input", NULL};
static const char *const roles[] = {"data", "aux", "uncertainty", "flags", NULL};
static const char *const unc_kinds[] = {"standard", "expanded", NULL};
static const char *const unc_sources[] = {"instrument", "calibration", "driver", "method", NULL};
static const char *const qualities[] = {"good", "suspect", "bad", "missing", NULL};
static const char *const reasons[] = {"saturated", "timeout", "truncated", "out-of-range",
	"no-background", "cal-expired", "interlock", "device-warning", "device-error",
	"maintenance", "below-detection", "not-ready", NULL};

/* clang-format off */
#define PLACE_COLUMNS                                                                              \
	{.name = "option", .type = ASSAY_TEXT, .help = "read only when listed in options"},        \
	{.name = "name", .type = ASSAY_TEXT, .flags = ASSAY_REQUIRED | ASSAY_VARIABLE,             \
		.help = "name of the variable"},                                                   \
	{.name = "table", .type = ASSAY_CHOICE, .choices = tables, .flags = ASSAY_REQUIRED,        \
		.help = "function code 01, 02, 03 or 04"},                                         \
	{.name = "address", .type = ASSAY_INT, .max = 65535, .flags = ASSAY_REQUIRED,              \
		.help = "protocol address, counted from 0"},                                       \
	{.name = "type", .type = ASSAY_CHOICE, .choices = register_type_names,                     \
		.help = "absent: bit in coil and discrete, uint16 in holding and input"},          \
	{.name = "word_order", .type = ASSAY_CHOICE, .choices = register_order_names,              \
		.help = "absent: that of the settings"},                                           \
	{.name = "analyte", .type = ASSAY_TEXT, .help = "the substance it is about"},              \
	{.name = "basis", .type = ASSAY_TEXT,                                                      \
		.help = "such as wet or dry, of an analyte; absent: that of the settings"},        \
	{.name = "of", .type = ASSAY_TEXT,                                                         \
		.help = "the earlier variable with this analyte that it belongs to"},              \
	{.name = "label", .type = ASSAY_TEXT, .help = "a name for people"},                        \
	{.name = "group", .type = ASSAY_TEXT, .help = "requests never join two groups"}

#define UNCERTAINTY_COLUMNS                                                                        \
	{.name = "unc", .type = ASSAY_NUMBER, .flags = ASSAY_IN_UNIT,                              \
		.help = "uncertainty, in the unit of the value"},                                  \
	{.name = "unc_kind", .type = ASSAY_CHOICE, .choices = unc_kinds,                           \
		.help = "absent: standard"},                                                       \
	{.name = "unc_k", .type = ASSAY_NUMBER, .help = "coverage factor of an expanded one"},     \
	{.name = "unc_src", .type = ASSAY_CHOICE, .choices = unc_sources, .help = "absent: method"}

const struct assay_setting row_point_columns[] = {
	PLACE_COLUMNS,
	{.name = "scale", .type = ASSAY_NUMBER, .help = "value = number * scale + offset"},
	{.name = "offset", .type = ASSAY_NUMBER, .flags = ASSAY_IN_UNIT, .help = "see scale"},
	{.name = "unit", .type = ASSAY_TEXT, .flags = ASSAY_UNIT, .fallback = "1",
		.help = "UCUM code"},
	{.name = "none", .type = ASSAY_TEXT, .flags = ASSAY_LIST,
		.help = "numbers of the register that mean no value, such as 0x8000"},
	{.name = "min", .type = ASSAY_NUMBER, .flags = ASSAY_IN_UNIT,
		.help = "least possible value: one below is removed"},
	{.name = "max", .type = ASSAY_NUMBER, .flags = ASSAY_IN_UNIT,
		.help = "greatest possible value: one above is removed"},
	{.name = "cas", .type = ASSAY_TEXT, .flags = ASSAY_CAS, .help = "the analyte's CAS number"},
	{.name = "role", .type = ASSAY_CHOICE, .choices = roles, .fallback = "data",
		.help = "use of the variable"},
	UNCERTAINTY_COLUMNS,
	{.name = NULL},
};

const struct assay_setting row_status_columns[] = {
	PLACE_COLUMNS,
	{.name = "bit", .type = ASSAY_INT, .max = 15, .help = "one bit of the register"},
	{.name = "position", .type = ASSAY_INT, .max = 31,
		.help = "its bit in the variable that rows of one name make"},
	{.name = "equals", .type = ASSAY_NUMBER, .help = "holds if the value is this"},
	{.name = "unless", .type = ASSAY_NUMBER, .help = "holds if the value is another"},
	{.name = "quality", .type = ASSAY_CHOICE, .choices = qualities,
		.help = "quality of the frame while it holds; absent: unchanged"},
	{.name = "reason", .type = ASSAY_CHOICE, .choices = reasons, .fallback = "device-warning",
		.help = "reason, as in the record format"},
	{.name = "text", .type = ASSAY_TEXT, .help = "its meaning while it holds"},
	{.name = NULL},
};

const struct assay_setting row_adjust_columns[] = {
	{.name = "name", .type = ASSAY_TEXT, .flags = ASSAY_REQUIRED | ASSAY_VARIABLE,
		.help = "of a point"},
	{.name = "analyte", .type = ASSAY_TEXT, .help = "of that point"},
	{.name = "unit", .type = ASSAY_TEXT, .flags = ASSAY_UNIT,
		.help = "UCUM code as configured on this instrument"},
	{.name = "basis", .type = ASSAY_TEXT, .help = "such as wet or dry"},
	{.name = "label", .type = ASSAY_TEXT, .help = "a name for people"},
	UNCERTAINTY_COLUMNS,
	{.name = NULL},
};
/* clang-format on */

/* --- reading them --- */

void row_common_read(const struct assay_settings *settings, struct row_common *common)
{
	const char *order = assay_text(settings, "word_order");
	common->order = (enum register_order)register_name_index(register_order_names, order);
	common->address_offset = (int)assay_int(settings, "address_offset");
	common->basis = assay_text(settings, "basis");
	common->options = assay_count(settings, "options");
}

bool row_is_wanted(const struct assay_settings *settings, const struct row_common *common,
	const struct assay_settings *row, const char **option)
{
	*option = assay_text(row, "option");
	if (*option == NULL)
		return true;
	for (size_t i = 0; i < common->options; i++)
		if (strcmp(assay_text_at(settings, "options", i), *option) == 0)
			return true;
	return false;
}

void row_place_read(
	const struct assay_settings *row, const struct row_common *common, struct row_place *place)
{
	place->name = assay_text(row, "name");
	place->table = (enum assay_modbus_table)(
		ASSAY_COILS + register_name_index(tables, assay_text(row, "table")));
	place->address = (long)assay_int(row, "address") + common->address_offset;
	place->of = assay_text(row, "of");
	place->label = assay_text(row, "label");
	place->analyte = assay_text(row, "analyte");
	place->basis = assay_text(row, "basis");
	if (place->basis == NULL && place->analyte != NULL)
		place->basis = common->basis;
	const char *type = assay_text(row, "type"), *order = assay_text(row, "word_order");
	place->type = type != NULL
			      ? (enum register_type)register_name_index(register_type_names, type)
		      : place->table <= ASSAY_DISCRETE ? REGISTER_BIT
						       : REGISTER_UINT16;
	place->order = order != NULL ? (enum register_order)register_name_index(
					       register_order_names, order)
				     : common->order;
}

bool row_nothing_read(const struct assay_host *host, const char *text, struct row_nothing *nothing)
{
	size_t len = strlen(text);
	uint64_t bits = 0;
	*nothing = (struct row_nothing){.is_integer = true};
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		static const char digits[] = "0123456789abcdef";
		if (len < 3 || len > 18)
			return false;
		for (const char *at = text + 2; *at != '\0'; at++) {
			const char *digit = strchr(
				digits, *at >= 'A' && *at <= 'F' ? *at | 32 : *at);
			if (digit == NULL)
				return false;
			bits = bits << 4 | (uint64_t)(digit - digits);
		}
		nothing->integer = (int64_t)bits;
		nothing->real = (double)bits;
		return true;
	}
	nothing->is_integer = assay_parse_integer(host, text, len, &nothing->integer) == 0;
	return assay_parse_number(host, text, len, &nothing->real) == 0;
}

void row_limits_read(const struct assay_settings *row, struct row_limits *limits)
{
	*limits = (struct row_limits){
		.has_min = assay_has(row, "min"), .has_max = assay_has(row, "max")};
	if (limits->has_min)
		limits->min = assay_number(row, "min");
	if (limits->has_max)
		limits->max = assay_number(row, "max");
	for (size_t i = 0; i < assay_count(row, "none") && i < ROW_NOTHING_MAX; i++)
		limits->nothing_count += row_nothing_read(row->host, assay_text_at(row, "none", i),
			&limits->nothing[limits->nothing_count]);
}

bool row_is_nothing(const struct row_limits *limits, const struct row_place *place,
	const struct register_value *value)
{
	unsigned bits = 16 * register_width(place->type);
	uint64_t mask = bits < 64 ? (UINT64_C(1) << bits) - 1 : UINT64_MAX;
	for (size_t i = 0; i < limits->nothing_count; i++) {
		const struct row_nothing *n = &limits->nothing[i];
		double real = value->is_single ? (double)(float)n->real : n->real;
		/* 0x8000 and 32768 are the bits of -32768. */
		bool has_bits = (n->integer >= 0 || bits == 64) && (uint64_t)n->integer <= mask &&
				((uint64_t)value->integer & mask) == (uint64_t)n->integer;
		bool both = value->kind == REGISTER_INTEGER && n->is_integer;
		if (both ? has_bits || n->integer == value->integer
			 : real == register_number(value))
			return true;
	}
	return false;
}

bool row_is_inside(const struct row_limits *limits, const struct register_value *value)
{
	double v = register_number(value);
	return !(limits->has_min && v < limits->min) && !(limits->has_max && v > limits->max);
}

static bool same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool row_is_same_substance(
	const char *analyte, const char *basis, const char *other_analyte, const char *other_basis)
{
	return same(analyte, other_analyte) && same(basis, other_basis);
}

static int read_index(const struct assay_settings *row, const char *name)
{
	return assay_has(row, name) ? (int)assay_int(row, name) : -1;
}

void row_condition_read(const struct assay_settings *row, struct row_condition *condition)
{
	static const enum assay_quality flags[] = {
		ASSAY_GOOD, ASSAY_SUSPECT, ASSAY_BAD, ASSAY_MISSING};
	const char *quality = assay_text(row, "quality");
	*condition = (struct row_condition){
		.bit = read_index(row, "bit"),
		.position = read_index(row, "position"),
		.has_equals = assay_has(row, "equals"),
		.has_unless = assay_has(row, "unless"),
		.reason = assay_text(row, "reason"),
		.text = assay_text(row, "text"),
	};
	if (condition->has_equals)
		condition->equals = assay_number(row, "equals");
	if (condition->has_unless)
		condition->unless = assay_number(row, "unless");
	if (quality != NULL)
		condition->quality = flags[register_name_index(qualities, quality)];
}

struct register_value row_condition_value(
	const struct row_condition *condition, const struct register_value *value)
{
	if (condition->bit < 0 || value->kind != REGISTER_INTEGER)
		return *value;
	return (struct register_value){
		.kind = REGISTER_INTEGER, .integer = value->integer >> condition->bit & 1};
}

bool row_condition_holds(const struct row_condition *condition, const struct register_value *value)
{
	double v = register_number(value);
	if (condition->has_equals || condition->has_unless)
		return (condition->has_equals && v == condition->equals) ||
		       (condition->has_unless && v != condition->unless);
	return v != 0;
}
