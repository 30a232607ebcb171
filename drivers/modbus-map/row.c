/* SPDX-License-Identifier: Apache-2.0 */
#include "row.h"

#include <stdio.h>
#include <string.h>

#include "part.h"

/* --- the columns of the tables --- */

static const char *const roles[] = {"data", "aux", "uncertainty", "flags", NULL};
static const char *const unc_kinds[] = {"standard", "expanded", NULL};
static const char *const unc_sources[] = {"instrument", "calibration", "driver", "method", NULL};
static const char *const qualities[] = {"good", "suspect", "bad", "missing", NULL};
static const char *const reasons[] = {"saturated", "timeout", "truncated", "out-of-range",
	"no-background", "cal-expired", "interlock", "device-warning", "device-error",
	"maintenance", "below-detection", "not-ready", NULL};

const char *const row_table_names[ROW_TABLES] = {"points", "status", "parts"};

/* clang-format off */
#define NAME_COLUMN(flag, text)                                                                    \
	{.name = "name", .type = ASSAY_TEXT, .flags = ASSAY_REQUIRED | (flag), .help = (text)}

#define PLACE_COLUMNS                                                                              \
	{.name = "option", .type = ASSAY_TEXT, .help = "read only when listed in options"},        \
	{.name = "table", .type = ASSAY_CHOICE, .choices = table_names, .flags = ASSAY_REQUIRED,        \
		.help = "function code 01, 02, 03 or 04; 32: one register has 32 bits"},                                         \
	{.name = "address", .type = ASSAY_INT, .max = 65535, .flags = ASSAY_REQUIRED,              \
		.help = "protocol address, counted from 0"},                                       \
	{.name = "type", .type = ASSAY_CHOICE, .choices = register_type_names,                     \
		.help = "absent: bit, uint16, or float32 in holding32 and input32"},          \
	{.name = "word_order", .type = ASSAY_CHOICE, .choices = register_order_names,              \
		.help = "absent: that of the settings"},                                           \
	{.name = "mask", .type = ASSAY_INT, .flags = ASSAY_HEX, .min = 1, .max = 4294967295.0,     \
		.help = "the bits of the number that are the value, such as 0xff00"},              \
	{.name = "repeat", .type = ASSAY_INT, .min = 2, .max = 128,                                \
		.help = "as many rows: name_1, name_2 and so on"},                                       \
	{.name = "step", .type = ASSAY_INT, .min = 1, .max = 32767,                                \
		.help = "from one of these rows to the next; absent: side by side"},               \
	{.name = "group", .type = ASSAY_TEXT, .help = "requests never join two groups"}

#define SUBJECT_COLUMNS                                                                            \
	{.name = "analyte", .type = ASSAY_TEXT, .help = "the substance it is about"},              \
	{.name = "basis", .type = ASSAY_TEXT,                                                      \
		.help = "such as wet or dry, of an analyte; absent: that of the settings"},        \
	{.name = "of", .type = ASSAY_TEXT,                                                         \
		.help = "the earlier variable with this analyte that it belongs to"},              \
	{.name = "label", .type = ASSAY_TEXT, .help = "a name for people"}

#define UNCERTAINTY_COLUMNS                                                                        \
	{.name = "unc", .type = ASSAY_NUMBER, .flags = ASSAY_IN_UNIT,                              \
		.help = "uncertainty, in the unit of the value"},                                  \
	{.name = "unc_kind", .type = ASSAY_CHOICE, .choices = unc_kinds,                           \
		.help = "absent: standard"},                                                       \
	{.name = "unc_k", .type = ASSAY_NUMBER, .help = "coverage factor of an expanded one"},     \
	{.name = "unc_src", .type = ASSAY_CHOICE, .choices = unc_sources, .help = "absent: method"}

const struct assay_setting row_point_columns[] = {
	NAME_COLUMN(ASSAY_VARIABLE, "name of the variable"),
	PLACE_COLUMNS,
	SUBJECT_COLUMNS,
	{.name = "registers", .type = ASSAY_INT, .min = 1, .max = ROW_TEXT_MAX,
		.help = "length of a text, two letters each"},
	{.name = "exponent", .type = ASSAY_TEXT, .help = "part: value = number * 10^part"},
	{.name = "decimals", .type = ASSAY_TEXT, .help = "part: value = number / 10^part"},
	{.name = "factor", .type = ASSAY_TEXT, .help = "part: value = number * part"},
	{.name = "high", .type = ASSAY_TEXT, .help = "part: the bits above those of the number"},
	{.name = "sign", .type = ASSAY_TEXT, .help = "part: the value is negative while it is not 0"},
	{.name = "component", .type = ASSAY_TEXT,
		.help = "part: its code in components is the analyte"},
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

const struct assay_setting row_part_columns[] = {
	NAME_COLUMN(0, "its name in points"),
	PLACE_COLUMNS,
	PART_COLUMNS,
	{.name = NULL},
};

const struct assay_setting row_status_columns[] = {
	NAME_COLUMN(ASSAY_VARIABLE, "name of the variable"),
	PLACE_COLUMNS,
	SUBJECT_COLUMNS,
	{.name = "bit", .type = ASSAY_INT, .max = 31, .help = "one bit of the number"},
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

/* True if the row belongs to no option, or to one that is listed in `options`. */
static bool is_wanted(struct row_walk *walk)
{
	walk->option = assay_text(walk->row, "option");
	if (walk->option == NULL)
		return true;
	for (size_t i = 0; i < walk->common->options; i++)
		if (strcmp(assay_text_at(walk->settings, "options", i), walk->option) == 0)
			return true;
	return false;
}

/* A name of a copy has its number, unless the copies differ by their components. */
static void read_name(char name[ROW_NAME_MAX + 1], const char *text, unsigned copy)
{
	if (copy > 0 && text[0] != '\0')
		snprintf(name, ROW_NAME_MAX + 1, "%.50s_%u", text, copy);
	else
		snprintf(name, ROW_NAME_MAX + 1, "%s", text);
}

static void read_subject(
	const struct assay_settings *row, const struct row_common *common, struct row_place *place)
{
	const char *of = assay_text(row, "of");
	read_name(place->of, of != NULL ? of : "", place->copy);
	place->label = assay_text(row, "label");
	place->analyte = assay_text(row, "analyte");
	place->basis = assay_text(row, "basis");
	if (place->basis == NULL && place->analyte != NULL)
		place->basis = common->basis;
}

static void read_place(const struct row_walk *walk, unsigned copy, struct row_place *place)
{
	const struct assay_settings *row = walk->row;
	const struct row_common *common = walk->common;
	bool is_point = walk->table == ROW_POINTS;
	bool has_component = is_point && assay_has(row, "component");
	*place = (struct row_place){.copy = copy};
	read_name(place->name, assay_text(row, "name"), has_component ? 0 : copy);
	place->table = (enum table)(
		TABLE_FIRST + register_name_index(table_names, assay_text(row, "table")));
	const char *type = assay_text(row, "type"), *order = assay_text(row, "word_order");
	place->type = type != NULL
			      ? (enum register_type)register_name_index(register_type_names, type)
		      : table_is_bits(place->table)             ? REGISTER_BIT
		      : table_register_bits(place->table) == 32 ? REGISTER_FLOAT32
								: REGISTER_UINT16;
	place->order = order != NULL ? (enum register_order)register_name_index(
					       register_order_names, order)
				     : common->order;
	place->width = register_width(place->type);
	if (table_register_bits(place->table) == 32)
		place->width = (place->width + 1) / 2;
	if (place->type == REGISTER_TEXT)
		place->width = is_point ? (unsigned)assay_int(row, "registers") : 0;
	place->mask = (uint64_t)assay_int(row, "mask");
	long step = assay_has(row, "step") ? (long)assay_int(row, "step") : (long)place->width;
	place->address = (long)assay_int(row, "address") + common->address_offset +
			 (copy > 0 ? (long)(copy - 1) * step : 0);
	if (walk->table != ROW_PARTS)
		read_subject(row, common, place);
	if (has_component && place->basis == NULL)
		place->basis = common->basis;
}

bool row_next(struct row_walk *walk)
{
	if (walk->next_copy < walk->copies) {
		read_place(walk, ++walk->next_copy, &walk->place);
		return true;
	}
	const char *table = row_table_names[walk->table];
	while (walk->next < assay_count(walk->settings, table)) {
		walk->index = walk->next++;
		walk->row = assay_row(walk->settings, table, walk->index);
		if (!is_wanted(walk))
			continue;
		walk->copies = (unsigned)assay_int(walk->row, "repeat");
		walk->next_copy = walk->copies > 0;
		read_place(walk, walk->next_copy, &walk->place);
		return true;
	}
	walk->copies = walk->next_copy = 0;
	return false;
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
