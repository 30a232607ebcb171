/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "plan.h"
#include "row.h"

#define TEXT_MAX 256 /* of a name for people in a record */

struct variable {
	const char *name, *analyte, *basis;
	struct row_place place;
	bool has_position;
};

struct checker {
	const struct assay_settings *settings;
	check_report *report;
	void *arg;
	struct check_place at;
	size_t errors;
	struct row_common common;
	struct variable vars[ROW_VARS_MAX]; /* so far */
	size_t var_count, row_count;
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
	return strcmp(v->name, name) == 0 &&
	       row_is_same_substance(v->analyte, v->basis, p->analyte, p->basis);
}

/* Whether there is a variable `name` of the analyte and basis of `p`. */
static bool is_known(const struct checker *c, const char *name, const struct row_place *p)
{
	for (size_t i = 0; i < c->var_count; i++)
		if (is_variable(&c->vars[i], name, p))
			return true;
	return false;
}

/* Consecutive rows of `status` may share a name. */
static void check_name(
	struct checker *c, const struct row_place *p, bool is_status, bool has_position)
{
	struct variable *last = c->var_count > 0 ? &c->vars[c->var_count - 1] : NULL;
	size_t n = strspn(p->name, "abcdefghijklmnopqrstuvwxyz0123456789_");
	if (n == 0 || n > 32 || p->name[n] != '\0' || p->name[0] < 'a' || p->name[0] > 'z')
		error(c, "name",
			"'%.60s': a name is a-z, 0-9 and _, starts with a letter, at most 32",
			p->name);
	else if (is_status && last != NULL && is_variable(last, p->name, p)) {
		bool is_one = last->place.table == p->table && last->place.address == p->address &&
			      last->place.type == p->type;
		if (!is_one && !(has_position && last->has_position))
			error(c, "address",
				"'%s': rows of one name read one register, or have a position each",
				p->name);
		return;
	} else if (is_known(c, p->name, p))
		error(c, "name",
			"'%s': there is already such a variable; analyte or basis must differ",
			p->name);
	else if (strcmp(p->name, "missing") == 0 || strcmp(p->name, "status_text") == 0)
		error(c, "name", "'%s' is reserved for the driver", p->name);
	if (c->var_count == ROW_VARS_MAX)
		error(c, "name", "more variables than a frame can have, which is %d", ROW_VARS_MAX);
	else
		c->vars[c->var_count++] = (struct variable){
			p->name, p->analyte, p->basis, *p, has_position};
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
static bool has_row_at(const struct checker *c, enum assay_modbus_table table, long address)
{
	static const char *const lists[] = {"points", "status", "identity"};
	static const char *const tables[] = {[ASSAY_COILS] = "coil",
		[ASSAY_DISCRETE] = "discrete",
		[ASSAY_HOLDING] = "holding",
		[ASSAY_INPUT] = "input"};
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		for (size_t n = 0; n < assay_count(c->settings, lists[i]); n++) {
			const struct assay_settings *row = assay_row(c->settings, lists[i], n);
			if (assay_int(row, "address") == address &&
				strcmp(assay_text(row, "table"), tables[table]) == 0)
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
		enum assay_modbus_table table;
		long first; /* as manuals write the first address of the table */
	} written[] = {{ASSAY_HOLDING, 40001}, {ASSAY_INPUT, 30001}, {ASSAY_DISCRETE, 10001}};
	long address = (long)assay_int(row, "address");
	if (p->address < 0 || p->address + (long)register_width(p->type) > 65536) {
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

static void check_place(
	struct checker *c, const struct assay_settings *row, const struct row_place *p)
{
	static const char *const texts[] = {"analyte", "basis", "label"};
	if (plan_is_bits(p->table) != (p->type == REGISTER_BIT))
		error(c, assay_has(row, "type") ? "type" : "table",
			"'%s': type bit belongs to coil and discrete, others to registers",
			p->name);
	else
		check_address(c, row, p);
	if (p->of != NULL && !is_known(c, p->of, p))
		error(c, "of", "'%s': 'of' names no earlier variable with this analyte and basis",
			p->name);
	if (assay_has(row, "word_order") && register_width(p->type) == 1)
		warn(c, "word_order", "a value of one register has no word order");
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

static void check_point(
	struct checker *c, const struct assay_settings *row, const struct row_place *p)
{
	const char *role = assay_text(row, "role");
	bool has_subject = strcmp(role, "uncertainty") == 0 || strcmp(role, "flags") == 0;
	check_place(c, row, p);
	if (has_subject && p->of == NULL)
		error(c, "role", "'%s': this role needs 'of', the variable that it belongs to",
			p->name);
	if (!has_subject && p->of != NULL)
		error(c, "of", "'%s': 'of' is for the roles uncertainty and flags", p->name);
	if (assay_has(row, "cas") && p->analyte == NULL)
		warn(c, "cas", "a CAS number without an analyte is not recorded");
	check_uncertainty(c, row);
	check_limits(c, row);
	check_name(c, p, false, false);
}

static void check_status(
	struct checker *c, const struct assay_settings *row, const struct row_place *p)
{
	bool is_word = p->type == REGISTER_INT16 || p->type == REGISTER_UINT16;
	check_place(c, row, p);
	if (assay_has(row, "bit") && !is_word)
		error(c, "bit", "'%s': 'bit' picks one bit of an int16 or uint16", p->name);
	check_name(c, p, true, assay_has(row, "position"));
}

static void check_rows(struct checker *c, const char *table,
	void (*check)(struct checker *, const struct assay_settings *, const struct row_place *))
{
	for (size_t i = 0; i < assay_count(c->settings, table); i++) {
		const struct assay_settings *row = assay_row(c->settings, table, i);
		const char *option;
		struct row_place place;
		if (!row_is_wanted(c->settings, &c->common, row, &option))
			continue;
		c->at = (struct check_place){table, (long)i, NULL};
		row_place_read(row, &c->common, &place);
		if (c->row_count++ == PLAN_ITEMS_MAX)
			error(c, NULL, "more rows than this driver can plan for, which is %d",
				PLAN_ITEMS_MAX);
		check(c, row, &place);
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
			!has_option(c->settings, "status", option))
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
	v->basis = basis;
	for (size_t i = 0; i < c->var_count; i++)
		if (&c->vars[i] != v && strcmp(c->vars[i].name, v->name) == 0 &&
			row_is_same_substance(
				c->vars[i].analyte, c->vars[i].basis, v->analyte, v->basis))
			error(c, "basis", "this makes two variables '%s' %s of one basis", v->name,
				or_empty(v->analyte));
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
			if (strcmp(var->name, name) != 0 ||
				!row_is_same_substance(var->analyte, NULL, analyte, NULL))
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
		if (address < 0 || address + width > 65536)
			error(c, "address", "the address lies outside 0 to 65535");
	}
}

size_t check_settings(const struct assay_settings *settings, check_report *report_to, void *arg)
{
	struct plan plan;
	struct checker c = {.settings = settings, .report = report_to, .arg = arg};
	row_common_read(settings, &c.common);
	check_rows(&c, "points", check_point);
	check_rows(&c, "status", check_status);
	check_options(&c);
	check_adjust(&c);
	check_identity(&c);
	c.at = (struct check_place){"points", -1, NULL};
	if (c.row_count == 0)
		error(&c, NULL, "there is no row of points or status to read");
	else if (c.errors == 0 && !plan_of(settings, PLAN_REGISTERS_MAX, &plan))
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
