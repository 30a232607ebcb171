/* SPDX-License-Identifier: Apache-2.0 */
#include <assay/driver.h>
#include <math.h>
#include <string.h>

#include "base/suggest.h"
#include "config/fields.h"
#include "config/quantity.h"
#include "config/settings.h"
#include "config/warnings.h"
#include "record/encode.h"
#include "record/names.h"
#include "record/text.h"
#include "record/units.h"

#define ROWS_MAX  1000
#define ITEMS_MAX 10000

struct settings_writer {
	struct load *load;
	struct buffer *to;
	const struct catalog_driver *driver;
	unsigned techniques;
	bool is_partial, is_profile;
	const char *row_unit; /* of the column `unit`; NULL: none, or no row */
	bool in_table;        /* a table in a table would exceed the depth of a record */
};

size_t settings_count(const struct assay_setting *table)
{
	size_t count = 0;
	while (table != NULL && table[count].name != NULL)
		count++;
	return count;
}

const struct assay_setting *settings_find(const struct assay_setting *table, const char *name)
{
	for (; table != NULL && table->name != NULL; table++)
		if (strcmp(table->name, name) == 0)
			return table;
	return NULL;
}

/* --- one value ------------------------------------------------------------------------------- */

static bool is_bounded(const struct assay_setting *s)
{
	return s->min != 0 || s->max != 0;
}

/* "expected 256 to 8192", with the unit. */
static void out_of_range(
	struct settings_writer *w, const struct assay_setting *s, const struct node *node)
{
	const char *unit = quantity_is_plain(s->unit) ? "" : s->unit;
	if ((s->flags & ASSAY_HEX) != 0)
		load_found(w->load, node, "expected 0x%llx to 0x%llx", (unsigned long long)s->min,
			(unsigned long long)s->max);
	else
		load_found(w->load, node, "expected %.10g to %.10g%s%.20s", s->min, s->max,
			unit[0] != '\0' ? " " : "", unit);
}

static void write_int(
	struct settings_writer *w, const struct assay_setting *s, const struct node *node)
{
	char why[QUANTITY_TEXT];
	int64_t value = 0;
	double number;
	if (quantity_is_plain(s->unit)) {
		if (quantity_parse_integer(node->text, &value) < 0) {
			load_found(w->load, node, "expected a whole number");
			return;
		}
	} else if (quantity_read(node->text, s->unit, &number, why) < 0) {
		load_found(w->load, node, "%s", why);
		return;
	} else if (fabs(number) > 0x1p53 || number != trunc(number)) {
		load_found(w->load, node, "expected a whole number of %.20s", s->unit);
		return;
	} else {
		value = (int64_t)number;
	}
	if (is_bounded(s) && ((double)value < s->min || (double)value > s->max))
		out_of_range(w, s, node);
	else
		encode_int(w->to, value);
}

static void write_number(
	struct settings_writer *w, const struct assay_setting *s, const struct node *node)
{
	char why[QUANTITY_TEXT];
	double value;
	const char *unit = (s->flags & ASSAY_IN_UNIT) != 0 ? w->row_unit : s->unit;
	bool is_plain = quantity_is_plain(unit);
	bool may_be_bare = is_plain || (s->flags & ASSAY_IN_UNIT) != 0;
	if (may_be_bare && quantity_parse_number(node->text, &value) == 0) {
		/* A % here would make another number of it, in silence. */
	} else if (unit == NULL && (s->flags & ASSAY_IN_UNIT) != 0) {
		load_found(w->load, node,
			"expected a number alone, or 'unit' in the same row: it is in that unit");
		return;
	} else if (unit == NULL || strcmp(unit, "1") == 0) {
		load_found(w->load, node, "expected a number without a unit");
		return;
	} else if (quantity_read(node->text, unit, &value, why) < 0) {
		load_found(w->load, node, "%s", why);
		return;
	}
	if (is_bounded(s) && (value < s->min || value > s->max)) {
		out_of_range(w, s, node);
		return;
	}
	encode_quantity(w->to, value, s->unit != NULL ? s->unit : "1");
}

/* A text with a meaning: a unit or a CAS number. */
static void write_text(
	struct settings_writer *w, const struct assay_setting *s, const struct node *node)
{
	struct assay_string text = string_of(node->text);
	if ((s->flags & ASSAY_UNIT) != 0 && !unit_is_allowed(text, w->techniques)) {
		const char *near = unit_suggest(text);
		if (near == NULL)
			near = quantity_unit(node->text);
		if (near != NULL && !unit_is_allowed(string_of(near), w->techniques))
			near = NULL;
		load_found(w->load, node,
			"expected a unit of the list (frame-format, section Units)%s%s%s",
			near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
			near != NULL ? "'?" : "");
	} else if ((s->flags & ASSAY_CAS) != 0 && !cas_is_valid(text)) {
		load_found(w->load, node,
			"expected a CAS number such as 7446-09-5, whose last digit checks the "
			"others");
	} else {
		encode_text(w->to, node->text);
	}
}

static const char *expected_of(const struct assay_setting *s)
{
	switch (s->type) {
	case ASSAY_BOOL: return "expected true or false";
	case ASSAY_INT: return "expected a whole number";
	case ASSAY_NUMBER: return "expected a number";
	case ASSAY_TABLE: return "expected a list of rows, each starting with '-'";
	default: return "expected a text";
	}
}

static void write_scalar(
	struct settings_writer *w, const struct assay_setting *s, const struct node *node)
{
	const char *text = node->text;
	if (node->type != NODE_SCALAR || node_is_nothing(node)) {
		load_found(w->load, node, "%s", expected_of(s));
		return;
	}
	switch (s->type) {
	case ASSAY_BOOL:
		if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
			encode_bool(w->to, text[0] == 't');
		else
			load_found(w->load, node, "%s", fields_expected_bool(text));
		break;
	case ASSAY_INT: write_int(w, s, node); break;
	case ASSAY_NUMBER: write_number(w, s, node); break;
	case ASSAY_CHOICE:
		if (fields_find_choice(w->load, node, s->name, s->choices) >= 0)
			encode_text(w->to, text);
		break;
	default: write_text(w, s, node); break;
	}
}

static void write_value(
	struct settings_writer *w, const struct assay_setting *s, const struct node *node);

static void write_list(
	struct settings_writer *w, const struct assay_setting *s, const struct node *node)
{
	if (node->type != NODE_LIST || node->count == 0 || node->count > ITEMS_MAX) {
		load_found(w->load, node, "expected a list of 1 to %d values, as in [a, b]",
			ITEMS_MAX);
		return;
	}
	encode_array(w->to, node->count);
	for (const struct node *item = node->first; item != NULL; item = item->next)
		write_scalar(w, s, item);
}

/* --- a map of settings ----------------------------------------------------------------------- */

/* The values of one table, by index; NULL: left out. */
struct given {
	const struct assay_setting *table;
	const char *of; /* the driver or a row, for messages */
	size_t count;
	const struct node **nodes;
	bool *misspelled, *is_default;
};

static bool given_init(struct settings_writer *w, struct given *g,
	const struct assay_setting *table, const char *of)
{
	struct arena *arena = w->load->arena;
	*g = (struct given){.table = table, .of = of, .count = settings_count(table)};
	g->nodes = arena_array(arena, g->count, sizeof *g->nodes);
	g->misspelled = arena_array(arena, g->count, sizeof *g->misspelled);
	g->is_default = arena_array(arena, g->count, sizeof *g->is_default);
	return g->nodes != NULL && g->misspelled != NULL && g->is_default != NULL;
}

static void unknown_name(
	struct settings_writer *w, struct given *g, const struct node *child, unsigned flags)
{
	char end[400];
	struct suggest near;
	suggest_init(&near, child->key);
	for (size_t i = 0; i < g->count; i++)
		if ((g->table[i].flags & ASSAY_CALIBRATION) == flags)
			suggest_offer(&near, g->table[i].name);
	load_error(w->load, child->key_mark, "unknown %s '%.60s' of %s%s",
		flags != 0 ? "calibration" : "setting", child->key, g->of,
		suggest_text(&near, end, sizeof end));
	for (size_t i = 0; near.best != NULL && i < g->count; i++)
		if (g->table[i].name == near.best)
			g->misspelled[i] = true;
}

/* Sorts the pairs of `map` into the table; `flags`: ASSAY_CALIBRATION, or 0 for all others. */
static void gather(
	struct settings_writer *w, struct given *g, const struct node *map, unsigned flags)
{
	if (map == NULL || map->type != NODE_MAP)
		return;
	for (const struct node *child = map->first; child != NULL; child = child->next) {
		const struct assay_setting *s = settings_find(g->table, child->key);
		if (s == NULL) {
			unknown_name(w, g, child, flags);
		} else if ((s->flags & ASSAY_CALIBRATION) != flags) {
			load_error(w->load, child->key_mark,
				"'%s' belongs under '%s:' of the instrument", child->key,
				flags != 0 ? "settings" : "calibration");
			g->misspelled[s - g->table] = true;
		} else if (w->is_partial && (s->flags & ASSAY_OWN) != 0) {
			load_error(w->load, child->key_mark,
				"'%s' belongs under 'settings:' of the instrument: its effect "
				"cannot be put back after a run",
				child->key);
		} else {
			g->nodes[s - g->table] = child;
		}
	}
}

/* Fills in defaults and reports missing settings.  Returns the number of values. */
static size_t complete(struct settings_writer *w, struct given *g, struct config_mark where)
{
	size_t present = 0;
	for (size_t i = 0; i < g->count; i++) {
		const struct assay_setting *s = &g->table[i];
		if (g->nodes[i] == NULL && !w->is_partial && s->fallback != NULL) {
			const char *name = arena_printf(w->load->arena,
				"(default of '%s' in driver %s)", s->name, w->driver->name);
			const struct node *node = yaml_parse_value(
				s->fallback, false, name, w->load->arena, w->load->errors);
			if (!node_is_nothing(node)) {
				g->nodes[i] = node;
				g->is_default[i] = true;
			}
		}
		bool is_missing = g->nodes[i] == NULL && !w->is_partial && !w->is_profile &&
				  !g->misspelled[i] && (s->flags & ASSAY_REQUIRED) != 0;
		if (is_missing)
			load_error(w->load, where, "'%s' is missing in the %s of %s: %s", s->name,
				(s->flags & ASSAY_CALIBRATION) != 0 ? "calibration" : "settings",
				g->of, s->help != NULL ? s->help : "");
		present += g->nodes[i] != NULL;
	}
	return present;
}

static void write_pairs(struct settings_writer *w, const struct given *g)
{
	for (size_t i = 0; i < g->count; i++) {
		if (g->nodes[i] == NULL)
			continue;
		encode_text(w->to, g->table[i].name);
		write_value(w, &g->table[i], g->nodes[i]);
	}
}

/* The text of a row's column `unit`; NULL: it has none. */
static const char *unit_of(const struct given *g)
{
	for (size_t i = 0; i < g->count; i++)
		if ((g->table[i].flags & ASSAY_UNIT) != 0 && g->nodes[i] != NULL)
			return g->nodes[i]->text;
	return NULL;
}

/* The name of a row's variable: the core refuses frames with a unit that does not fit it. */
static void check_variable(
	struct load *load, const struct given *g, const struct node *row, const char *unit)
{
	const struct node *named = NULL, *at = NULL;
	bool has_unit = false;
	for (size_t i = 0; i < g->count; i++) {
		unsigned flags = g->table[i].flags;
		if ((flags & ASSAY_VARIABLE) != 0)
			named = g->nodes[i];
		if ((flags & ASSAY_UNIT) != 0 && !g->is_default[i])
			at = g->nodes[i];
		has_unit = has_unit || (flags & ASSAY_UNIT) != 0;
	}
	if (named == NULL || named->type != NODE_SCALAR)
		return;
	const struct name *name = name_find(string_of(named->text)), *near;
	char units[NAME_UNITS];
	unit = has_unit ? unit : "1";
	if (name == NULL && (near = name_near(named->text)) != NULL)
		load_warning(load, named->mark, WARN_VARIABLE_NAME, named->text, near->name);
	if (node_get(row, "of") == NULL && unit != NULL && !name_takes_unit(name, string_of(unit)))
		load_error(load, at != NULL ? at->mark : named->mark,
			"the unit of '%s' is %.20s: expected %s, or a unit of the same kind",
			name->name, unit, name_units(name, units));
}

/* [name, value, name, value ...] */
static void write_row(
	struct settings_writer *w, const struct assay_setting *s, const struct node *row)
{
	struct given g;
	const char *of = arena_printf(w->load->arena, "a row of '%s'", s->name);
	if (!fields_expect_map(w->load, row, of, false) || !given_init(w, &g, s->columns, of))
		return;
	struct settings_writer inner = *w;
	inner.is_partial = inner.is_profile = false;
	gather(&inner, &g, row, 0);
	encode_array(w->to, 2 * complete(&inner, &g, row->mark));
	inner.row_unit = unit_of(&g);
	write_pairs(&inner, &g);
	check_variable(w->load, &g, row, inner.row_unit);
}

static void write_table(
	struct settings_writer *w, const struct assay_setting *s, const struct node *node)
{
	if (node->type != NODE_LIST || node->count == 0) {
		load_found(w->load, node, "%s", expected_of(s));
		return;
	}
	if (node->count > ROWS_MAX || w->in_table) {
		load_error(w->load, node->mark, "there are %zu rows here, the limit is %d",
			node->count, w->in_table ? 0 : ROWS_MAX);
		return;
	}
	struct settings_writer inner = *w;
	inner.in_table = true;
	encode_array(w->to, node->count);
	for (const struct node *row = node->first; row != NULL; row = row->next)
		write_row(&inner, s, row);
}

static void write_value(
	struct settings_writer *w, const struct assay_setting *s, const struct node *node)
{
	if (s->type == ASSAY_TABLE)
		write_table(w, s, node);
	else if ((s->flags & ASSAY_LIST) != 0)
		write_list(w, s, node);
	else
		write_scalar(w, s, node);
}

bool settings_read(struct load *load, const struct settings_source *source, struct assay_span *out)
{
	size_t before = load->errors->count;
	struct buffer to = {0};
	struct settings_writer w = {.load = load,
		.to = &to,
		.driver = source->driver,
		.techniques = source->techniques,
		.is_partial = source->is_partial,
		.is_profile = source->is_profile};
	struct given g;
	if (source->settings != NULL &&
		!fields_expect_map(load, source->settings, "settings", true))
		return false;
	if (!given_init(&w, &g, source->driver->settings, source->driver->name))
		return false;
	gather(&w, &g, source->settings, 0);
	gather(&w, &g, source->calibration, ASSAY_CALIBRATION);
	encode_map(&to, complete(&w, &g, source->where));
	for (size_t i = 0; i < g.count && source->origins != NULL; i++) {
		if (g.nodes[i] != NULL && !g.is_default[i])
			source->origins[i] = g.nodes[i]->mark;
	}
	write_pairs(&w, &g);
	*out = load_keep(load, &to);
	return load->errors->count == before;
}
