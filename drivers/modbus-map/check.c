/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "action.h"
#include "component.h"
#include "identity.h"
#include "part.h"
#include "plan.h"
#include "row.h"
#include "trigger.h"

#define TEXT_MAX 256 /* of a name for people in a record */

struct variable {
	struct row_place place; /* its basis may be adjusted */
	bool has_position;
	bool has_component; /* its analyte is not known here */
};

struct checker {
	const struct assay_settings *settings;
	check_report *report;
	void *arg;
	struct check_place at;
	size_t errors;
	struct row_common common;
	struct variable vars[ROW_VARS_MAX]; /* so far */
	size_t var_count, row_count, part_count, trigger_count;
};

__attribute__((format(printf, 4, 0))) static void report(struct checker *c, enum assay_level level,
	const char *column, const char *format, va_list args)
{
	char text[300];
	vsnprintf(text, sizeof(text), format, args);
	c->at.column = column;
	c->errors += level == ASSAY_LOG_ERROR;
	c->report(c->arg, level, &c->at, text);
}

static void error(struct checker *c, const char *column, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void warn(struct checker *c, const char *column, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void error(struct checker *c, const char *column, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	report(c, ASSAY_LOG_ERROR, column, format, args);
	va_end(args);
}

static void warn(struct checker *c, const char *column, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	report(c, ASSAY_LOG_WARN, column, format, args);
	va_end(args);
}

/* --- names ------------------------------------------------------------------------------------ */

static bool is_variable(const struct variable *v, const char *name, const struct row_place *p)
{
	return strcmp(v->place.name, name) == 0 &&
	       row_is_same_substance(v->place.analyte, v->place.basis, p->analyte, p->basis);
}

/* Whether there is a variable `name` of the analyte and basis of `p`. */
static bool is_known(const struct checker *c, const char *name, const struct row_place *p)
{
	for (size_t i = 0; i < c->var_count; i++)
		if (is_variable(&c->vars[i], name, p))
			return true;
	return false;
}

static bool is_name(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
	return n > 0 && n <= 32 && name[n] == '\0' && name[0] >= 'a' && name[0] <= 'z';
}

/* Consecutive rows of `status` may share a name, and copies whose analyte is a code. */
static void check_name(struct checker *c, const struct variable *v, bool is_status)
{
	const struct row_place *p = &v->place;
	struct variable *last = c->var_count > 0 ? &c->vars[c->var_count - 1] : NULL;
	bool is_slot = v->has_component && p->copy > 1;
	if (!is_name(p->name))
		error(c, "name",
			"'%.60s': a name is a-z, 0-9 and _, starts with a letter, at most 32",
			p->name);
	else if (is_status && last != NULL && is_variable(last, p->name, p)) {
		bool is_one = last->place.table == p->table && last->place.address == p->address &&
			      last->place.type == p->type;
		if (!is_one && !(v->has_position && last->has_position))
			error(c, "address",
				"'%s': rows of one name read one register, or have a position each",
				p->name);
		return;
	} else if (!is_slot && is_known(c, p->name, p))
		error(c, "name",
			"'%s': there is already such a variable; analyte or basis must differ",
			p->name);
	else if (strcmp(p->name, "missing") == 0 || strcmp(p->name, "status_text") == 0)
		error(c, "name", "'%s' is reserved for the driver", p->name);
	if (c->var_count == ROW_VARS_MAX)
		error(c, "name", "more variables than a frame can have, which is %d", ROW_VARS_MAX);
	else
		c->vars[c->var_count++] = *v;
}

static void check_text(struct checker *c, const struct assay_settings *row, const char *column)
{
	const char *text = assay_text(row, column);
	if (text == NULL)
		return;
	if (text[0] == '\0')
		error(c, column, "an empty text: leave '%s' out", column);
	else if (strlen(text) > TEXT_MAX)
		error(c, column, "%zu bytes of text, the limit is %d", strlen(text), TEXT_MAX);
}

/* --- one row ---------------------------------------------------------------------------------- */

/* True if a row has this address, before `address_offset`. */
static bool has_row_at(const struct checker *c, enum table table, long address)
{
	static const char *const lists[] = {"points", "status", "parts", "identity"};
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		for (size_t n = 0; n < assay_count(c->settings, lists[i]); n++) {
			const struct assay_settings *row = assay_row(c->settings, lists[i], n);
			if (assay_int(row, "address") == address &&
				strcmp(assay_text(row, "table"), table_name(table)) == 0)
				return true;
		}
	return false;
}

/*
 * Manuals write the first holding register as 40001, which is 0 here.  No manual has a 40000: a map
 * with a row there, such as the marker of SunSpec, has addresses as on the wire.
 */
static void check_address(
	struct checker *c, const struct assay_settings *row, const struct row_place *p)
{
	static const struct {
		enum table table;
		long first; /* as manuals write the first address of the table */
	} written[] = {{TABLE_HOLDING, 40001}, {TABLE_INPUT, 30001}, {TABLE_DISCRETE, 10001}};
	long address = (long)assay_int(row, "address");
	if (p->address < 0 || p->address + (long)p->width > 65536) {
		error(c, "address", "'%s': the address lies outside 0 to 65535", p->name);
		return;
	}
	for (size_t i = 0; i < sizeof(written) / sizeof(*written); i++)
		if (p->table == written[i].table && address >= written[i].first &&
			address < written[i].first + 9999 &&
			!has_row_at(c, p->table, written[i].first - 1))
			warn(c, "address",
				"addresses count from 0: the %ld of a manual is %ld here (a map "
				"with "
				"a row at %ld, as SunSpec's, is taken as it is)",
				address, address - written[i].first, written[i].first - 1);
}

/* The whole numbers without a sign: only those have bits that mean something. */
static bool has_bits(enum register_type type)
{
	return type == REGISTER_UINT16 || type == REGISTER_UINT32;
}

static void check_mask(struct checker *c, const struct row_place *p)
{
	uint64_t bits = p->mask >> (p->mask == 0 ? 0 : __builtin_ctzll(p->mask));
	if (!has_bits(p->type))
		error(c, "mask", "'%s': 'mask' picks bits of an uint16 or uint32", p->name);
	else if (p->type == REGISTER_UINT16 && p->mask > 0xffff)
		error(c, "mask", "'%s': an uint16 has 16 bits: 0xffff at most", p->name);
	else if ((bits & (bits + 1)) != 0)
		error(c, "mask", "'%s': the bits of a mask are next to each other", p->name);
}

/* What the places of all three tables keep. */
static void check_where(
	struct checker *c, const struct assay_settings *row, const struct row_place *p)
{
	if (table_is_bits(p->table) != (p->type == REGISTER_BIT))
		error(c, assay_has(row, "type") ? "type" : "table",
			"'%s': type bit belongs to coil and discrete, others to registers",
			p->name);
	else if (table_register_bits(p->table) == 32 && register_width(p->type) < 2)
		error(c, "type", "'%s': a register of %s has 32 bits: this type has not", p->name,
			table_name(p->table));
	else
		check_address(c, row, p);
	if (assay_has(row, "word_order") && p->type != REGISTER_TEXT &&
		register_width(p->type) == 1)
		warn(c, "word_order", "a value of one register has no word order");
	if (assay_has(row, "mask"))
		check_mask(c, p);
	if (assay_has(row, "step") && p->copy == 0)
		error(c, "step", "a row that is not repeated has no step");
	else if (assay_has(row, "step") && assay_int(row, "step") < (int64_t)p->width)
		error(c, "step", "'%s' takes %u registers: the rows would overlap", p->name,
			p->width);
}

/* A status has the column `bit`, others do not. */
static void check_place(struct checker *c, const struct assay_settings *row,
	const struct row_place *p, bool is_status)
{
	static const char *const texts[] = {"analyte", "basis", "label"};
	check_where(c, row, p);
	if (p->of[0] != '\0' && !is_known(c, p->of, p))
		error(c, "of", "'%s': 'of' names no earlier variable with this analyte and basis",
			p->name);
	if (is_status && p->type == REGISTER_TEXT)
		error(c, "type", "'%s': texts belong into points", p->name);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		check_text(c, row, texts[i]);
}

static void check_uncertainty(struct checker *c, const struct assay_settings *row)
{
	const char *kind = assay_text(row, "unc_kind");
	if (assay_has(row, "unc") && assay_number(row, "unc") < 0)
		error(c, "unc", "an uncertainty is not negative");
	if (assay_has(row, "unc_k") && assay_number(row, "unc_k") <= 0)
		error(c, "unc_k", "a coverage factor is above 0");
	else if (kind != NULL && strcmp(kind, "expanded") == 0 && !assay_has(row, "unc_k"))
		warn(c, "unc_kind", "an expanded uncertainty needs its coverage factor: unc_k: 2");
	if (!assay_has(row, "unc") && (kind != NULL || assay_has(row, "unc_k")))
		warn(c, kind != NULL ? "unc_kind" : "unc_k",
			"there is no uncertainty: unc is missing");
}

static void check_limits(struct checker *c, const struct assay_settings *row)
{
	struct row_nothing nothing;
	size_t count = assay_count(row, "none");
	if (count > ROW_NOTHING_MAX)
		error(c, "none", "%zu numbers, the limit is %d", count, ROW_NOTHING_MAX);
	for (size_t i = 0; i < count; i++)
		if (!row_nothing_read(row->host, assay_text_at(row, "none", i), &nothing))
			error(c, "none", "'%.40s': expected a number, such as -999.9 or 0x8000",
				assay_text_at(row, "none", i));
	if (assay_has(row, "min") && assay_has(row, "max") &&
		assay_number(row, "min") > assay_number(row, "max"))
		error(c, "min", "min is above max");
	if (assay_has(row, "scale") && assay_number(row, "scale") == 0)
		error(c, "scale", "a scale of 0 makes every value the offset");
}

/* Which columns a text has no use for. */
static const char *const of_numbers[] = {"scale", "offset", "none", "min", "max", "mask",
	"exponent", "decimals", "factor", "high", "sign", "component", "unc", "of"};

static void check_text_point(
	struct checker *c, const struct assay_settings *row, const struct row_place *p)
{
	for (size_t i = 0; i < sizeof(of_numbers) / sizeof(*of_numbers); i++)
		if (assay_has(row, of_numbers[i]))
			error(c, of_numbers[i], "'%s': a text has no %s", p->name, of_numbers[i]);
	if (!assay_has(row, "registers"))
		error(c, "type", "'%s': a text needs its length: registers", p->name);
}

/* The parts that a point names are there and can be computed with. */
static void check_parts(
	struct checker *c, const struct assay_settings *row, const struct row_place *p)
{
	for (int use = 0; use < PART_USES; use++) {
		const char *column = part_use_names[use], *name = assay_text(row, column);
		if (name != NULL && part_find(c->settings, &c->common, name, p->copy) < 0)
			error(c, column, "'%s': no row of parts is named '%.60s'", p->name, name);
	}
	if (assay_has(row, "high") && !has_bits(p->type))
		error(c, "high", "'%s': 'high' belongs to an uint16 or uint32", p->name);
	if (assay_has(row, "exponent") && assay_has(row, "decimals"))
		error(c, "decimals", "'%s': 'exponent' or 'decimals', not both", p->name);
	if (!assay_has(row, "component"))
		return;
	if (p->analyte != NULL)
		error(c, "analyte", "'%s': the component is its analyte", p->name);
	if (p->of[0] != '\0')
		error(c, "of", "'%s': 'of' needs an analyte, not a component", p->name);
	if (assay_count(c->settings, "components") == 0)
		error(c, "component", "'%s': the table components is missing", p->name);
}

static void check_point(struct checker *c, const struct row_walk *walk)
{
	const struct assay_settings *row = walk->row;
	const struct row_place *p = &walk->place;
	const char *role = assay_text(row, "role");
	bool has_subject = strcmp(role, "uncertainty") == 0 || strcmp(role, "flags") == 0;
	check_place(c, row, p, false);
	if (has_subject && p->of[0] == '\0')
		error(c, "role", "'%s': this role needs 'of', the variable that it belongs to",
			p->name);
	if (!has_subject && p->of[0] != '\0')
		error(c, "of", "'%s': 'of' is for the roles uncertainty and flags", p->name);
	if (assay_has(row, "cas") && p->analyte == NULL)
		warn(c, "cas", "a CAS number without an analyte is not recorded");
	if (p->type == REGISTER_TEXT)
		check_text_point(c, row, p);
	else if (assay_has(row, "registers"))
		error(c, "registers", "'%s': only a text has a length", p->name);
	check_parts(c, row, p);
	check_uncertainty(c, row);
	check_limits(c, row);
	check_name(c, &(struct variable){*p, false, assay_has(row, "component")}, false);
}

static void check_status(struct checker *c, const struct row_walk *walk)
{
	const struct assay_settings *row = walk->row;
	const struct row_place *p = &walk->place;
	long bits = 16 * (long)register_width(p->type);
	bool is_word = has_bits(p->type) || p->type == REGISTER_INT16 || p->type == REGISTER_INT32;
	check_place(c, row, p, true);
	if (assay_has(row, "bit") && !is_word)
		error(c, "bit", "'%s': 'bit' picks one bit of a whole number of 16 or 32 bits",
			p->name);
	else if (assay_has(row, "bit") && assay_int(row, "bit") >= bits)
		error(c, "bit", "'%s': bits of one register are 0 to 15", p->name);
	check_name(c, &(struct variable){*p, assay_has(row, "position"), false}, true);
}

/* The fields before it are there, too: a day needs its month and year. */
static bool has_field_before(const struct checker *c, enum part_time time)
{
	if (time == PART_YEAR || time == PART_EPOCH)
		return true;
	struct row_walk walk = {.settings = c->settings, .common = &c->common, .table = ROW_PARTS};
	while (row_next(&walk)) {
		const char *other = assay_text(walk.row, "time");
		if (other != NULL && strcmp(other, part_time_names[time - 1]) == 0)
			return true;
	}
	return false;
}

static void check_time(struct checker *c, const struct row_walk *walk)
{
	const char *name = assay_text(walk->row, "time");
	enum part_time time = (enum part_time)register_name_index(part_time_names, name);
	struct row_walk other = {.settings = c->settings, .common = &c->common, .table = ROW_PARTS};
	while (row_next(&other) && other.index < walk->index) {
		const char *earlier = assay_text(other.row, "time");
		if (earlier != NULL && strcmp(earlier, name) == 0)
			error(c, "time", "there is a %s already", name);
	}
	if (walk->place.copy > 0)
		error(c, "time", "a field of the time is not repeated");
	if (!has_field_before(c, time))
		error(c, "time", "the time needs its %s, too", part_time_names[time - 1]);
}

static void check_part(struct checker *c, const struct row_walk *walk)
{
	const struct assay_settings *row = walk->row;
	const struct row_place *p = &walk->place;
	const char *name = assay_text(row, "name");
	struct part_code code;
	check_where(c, row, p);
	if (!is_name(p->name))
		error(c, "name",
			"'%.60s': a name is a-z, 0-9 and _, starts with a letter, at most 32",
			p->name);
	struct row_walk other = {.settings = c->settings, .common = &c->common, .table = ROW_PARTS};
	while (row_next(&other) && other.index < walk->index)
		if (strcmp(assay_text(other.row, "name"), name) == 0) {
			error(c, "name", "there is already a part '%s'", name);
			break;
		}
	if (p->type == REGISTER_TEXT)
		error(c, "type", "'%s': texts belong into points", p->name);
	if (assay_has(row, "time"))
		check_time(c, walk);
	else if (assay_has(row, "add"))
		error(c, "add", "'%s': only a field of the time has something to add", p->name);
	if (assay_count(row, "codes") > PART_CODES_MAX)
		error(c, "codes", "%zu codes, the limit is %d", assay_count(row, "codes"),
			PART_CODES_MAX);
	for (size_t i = 0; i < assay_count(row, "codes"); i++)
		if (!part_code_read(row->host, assay_text_at(row, "codes", i), &code))
			error(c, "codes", "'%.40s': expected a code and its number, such as 1=0.1",
				assay_text_at(row, "codes", i));
	if (assay_has(row, "frame") && ++c->trigger_count == TRIGGER_PARTS_MAX + 1)
		error(c, "frame", "more parts decide about frames than the limit, which is %d",
			TRIGGER_PARTS_MAX);
	if (++c->part_count == PART_COUNT_MAX + 1)
		error(c, NULL, "more parts than the limit, which is %d", PART_COUNT_MAX);
}

static void check_rows(struct checker *c, enum row_table table,
	void (*check)(struct checker *, const struct row_walk *))
{
	struct row_walk walk = {.settings = c->settings, .common = &c->common, .table = table};
	while (row_next(&walk)) {
		size_t errors = c->errors;
		c->at = (struct check_place){row_table_names[table], (long)walk.index, NULL};
		if (c->row_count++ == PLAN_ITEMS_MAX)
			error(c, NULL, "more rows than this driver can plan for, which is %d",
				PLAN_ITEMS_MAX);
		check(c, &walk);
		if (c->errors > errors) /* its copies have the same errors */
			walk.copies = 0;
	}
}

/* --- the other settings ----------------------------------------------------------------------- */

static bool has_option(const struct assay_settings *settings, const char *table, const char *option)
{
	for (size_t i = 0; i < assay_count(settings, table); i++) {
		const char *of_row = assay_text(assay_row(settings, table, i), "option");
		if (of_row != NULL && strcmp(of_row, option) == 0)
			return true;
	}
	return false;
}

static void check_options(struct checker *c)
{
	c->at = (struct check_place){"options", -1, NULL};
	for (size_t i = 0; i < c->common.options; i++) {
		const char *option = assay_text_at(c->settings, "options", i);
		if (!has_option(c->settings, "points", option) &&
			!has_option(c->settings, "status", option) &&
			!has_option(c->settings, "parts", option))
			error(c, NULL, "no row belongs to '%.60s'", option);
	}
}

static const char *or_empty(const char *text)
{
	return text != NULL ? text : "";
}

/* A basis of `adjust` must not make one variable of two. */
static void check_basis(struct checker *c, struct variable *v, const char *basis)
{
	v->place.basis = basis;
	for (size_t i = 0; i < c->var_count && !v->has_component; i++)
		if (&c->vars[i] != v && is_variable(&c->vars[i], v->place.name, &v->place))
			error(c, "basis", "this makes two variables '%s' %s of one basis",
				v->place.name, or_empty(v->place.analyte));
}

static void check_adjust(struct checker *c)
{
	for (size_t i = 0; i < assay_count(c->settings, "adjust"); i++) {
		const struct assay_settings *row = assay_row(c->settings, "adjust", i);
		const char *name = assay_text(row, "name"), *analyte = assay_text(row, "analyte");
		bool is_found = false;
		c->at = (struct check_place){"adjust", (long)i, NULL};
		for (size_t v = 0; v < c->var_count; v++) {
			struct variable *var = &c->vars[v];
			if (strcmp(var->place.name, name) != 0 ||
				!row_is_same_substance(var->place.analyte, NULL, analyte, NULL))
				continue;
			is_found = true;
			if (assay_has(row, "basis"))
				check_basis(c, var, assay_text(row, "basis"));
		}
		if (!is_found)
			error(c, "name", "no row reads '%s'%s%s", name,
				analyte != NULL ? " of " : "", or_empty(analyte));
		check_text(c, row, "basis");
		check_text(c, row, "label");
		check_uncertainty(c, row);
	}
}

static void check_components(struct checker *c)
{
	size_t count = assay_count(c->settings, "components");
	for (size_t i = 0; i < count; i++) {
		const struct assay_settings *row = assay_row(c->settings, "components", i);
		c->at = (struct check_place){"components", (long)i, NULL};
		for (size_t other = 0; other < i; other++)
			if (assay_int(assay_row(c->settings, "components", other), "code") ==
				assay_int(row, "code"))
				error(c, "code", "there is a component with this code already");
		check_text(c, row, "analyte");
		check_text(c, row, "label");
	}
	if (count > COMPONENT_COUNT_MAX)
		error(c, NULL, "more components than the limit, which is %d", COMPONENT_COUNT_MAX);
}

static void check_actions(struct checker *c)
{
	size_t count = assay_count(c->settings, "actions"), held = 0;
	for (size_t i = 0; i < count; i++) {
		const struct assay_settings *row = assay_row(c->settings, "actions", i);
		const char *name = assay_text(row, "name"), *use = assay_text(row, "use");
		bool is_coil = strcmp(assay_text(row, "table"), "coil") == 0;
		struct action action;
		c->at = (struct check_place){"actions", (long)i, NULL};
		if (!is_name(name))
			error(c, "name",
				"'%.60s': a name is a-z, 0-9 and _, starts with a letter, at most "
				"32",
				name);
		else if (action_find(c->settings, name, strlen(name), &action) &&
			 action.name != name)
			error(c, "name", "there is already an action '%s'", name);
		if (assay_int(row, "address") + c->common.address_offset < 0 ||
			assay_int(row, "address") + c->common.address_offset > 65535)
			error(c, "address", "'%s': the address lies outside 0 to 65535", name);
		if (is_coil && (assay_int(row, "value") > 1 || assay_int(row, "off") > 1))
			error(c, "value", "'%s': a coil is 0 or 1", name);
		if ((strcmp(use, "hazard") == 0) != assay_has(row, "off"))
			error(c, assay_has(row, "off") ? "off" : "use",
				"'%s': an action that switches something on, and no other, has a "
				"value that switches it off",
				name);
		held += strcmp(use, "hold") == 0;
	}
	if (held > ACTION_HELD_MAX)
		error(c, NULL, "%zu actions are for hold, the limit is %d", held, ACTION_HELD_MAX);
}

static void check_named(struct checker *c, const char *list, enum action_use use, const char *word)
{
	c->at = (struct check_place){list, -1, NULL};
	for (size_t i = 0; i < assay_count(c->settings, list); i++) {
		const char *name = assay_text_at(c->settings, list, i);
		struct action action;
		if (!action_find(c->settings, name, strlen(name), &action) || action.use != use)
			error(c, NULL, "no row of actions with use: %s has the name '%.60s'", word,
				name);
	}
}

static void check_hold(struct checker *c)
{
	const char *text = assay_text(c->settings, "hold"), *why = NULL;
	struct action action;
	c->at = (struct check_place){"hold", -1, NULL};
	while (text != NULL) {
		const char *part = text + strspn(text, " ,");
		text = action_next(c->settings, text, &action, &why);
		if (why != NULL)
			error(c, NULL, "'%.60s': %s", part, why);
	}
}

static void check_identity(struct checker *c)
{
	for (size_t i = 0; i < assay_count(c->settings, "identity"); i++) {
		const struct assay_settings *row = assay_row(c->settings, "identity", i);
		c->at = (struct check_place){"identity", (long)i, NULL};
		const char *type = assay_text(row, "type");
		int64_t width = strcmp(type, "text") == 0     ? assay_int(row, "registers")
				: strcmp(type, "uint64") == 0 ? 4
				: strcmp(type, "uint32") == 0 ? 2
							      : 1;
		int64_t address = assay_int(row, "address") + c->common.address_offset;
		bool is_object = strcmp(assay_text(row, "table"), "device-id") == 0;
		if (is_object && (assay_int(row, "address") > 255 || strcmp(type, "text") != 0))
			error(c, "address",
				"the objects of device-id are texts with numbers 0 to 255");
		else if (!is_object && (address < 0 || address + width > 65536))
			error(c, "address", "the address lies outside 0 to 65535");
		for (size_t n = 0; n < assay_count(row, "codes"); n++) {
			const char *text, *entry = assay_text_at(row, "codes", n);
			int64_t code;
			if (!identity_code_read(row->host, entry, &code, &text))
				error(c, "codes",
					"'%.40s': expected a number and its text, such as "
					"210=ADAM-4017+",
					entry);
		}
	}
}

size_t check_settings(const struct assay_settings *settings, check_report *report_to, void *arg)
{
	struct plan plan;
	struct checker c = {.settings = settings, .report = report_to, .arg = arg};
	row_common_read(settings, &c.common);
	check_rows(&c, ROW_POINTS, check_point);
	check_rows(&c, ROW_STATUS, check_status);
	check_rows(&c, ROW_PARTS, check_part);
	check_components(&c);
	check_actions(&c);
	check_hold(&c);
	check_named(&c, "before_start", ACTION_PULSE, "pulse");
	check_named(&c, "after_stop", ACTION_PULSE, "pulse");
	check_named(&c, "switch_on", ACTION_HAZARD, "hazard");
	check_options(&c);
	check_adjust(&c);
	check_identity(&c);
	c.at = (struct check_place){"points", -1, NULL};
	if (c.row_count == 0)
		error(&c, NULL, "there is no row of points or status to read");
	else if (c.errors == 0 && !plan_of(settings, TABLE_REGS_MAX, &plan))
		error(&c, NULL,
			"the map needs more than %d requests: raise max_gap or max_gap_bits",
			PLAN_BLOCKS_MAX);
	return c.errors;
}

/* --- for the slots that use the link ----------------------------------------------------------- */

struct first {
	struct assay_instrument *ins;
	bool is_explained;
};

static void explain(
	void *arg, enum assay_level level, const struct check_place *place, const char *text)
{
	struct first *first = arg;
	if (level != ASSAY_LOG_ERROR || first->is_explained)
		return;
	first->is_explained = true;
	if (place->row >= 0)
		assay_explain(first->ins, "%s, row %ld: %s", place->setting, place->row + 1, text);
	else
		assay_explain(first->ins, "%s: %s", place->setting, text);
}

int check_plan(struct assay_instrument *ins, struct plan *plan)
{
	struct first first = {.ins = ins};
	*plan = (struct plan){0};
	if (check_settings(ins->settings, explain, &first) > 0)
		return -EINVAL;
	if (plan_of(ins->settings, assay_modbus_registers(ins), plan))
		return 0;
	assay_explain(ins, "with max_registers %u the map needs more than %d requests",
		assay_modbus_registers(ins), PLAN_BLOCKS_MAX);
	return -EINVAL;
}

/* --- the slot --------------------------------------------------------------------------------- */

static void to_host(
	void *arg, enum assay_level level, const struct check_place *place, const char *text)
{
	struct assay_check *out = arg;
	out->host->finding(out, level, place->setting, place->row, place->column, "%s", text);
}

void map_check(const struct assay_settings *settings, struct assay_check *out)
{
	check_settings(settings, to_host, out);
}
