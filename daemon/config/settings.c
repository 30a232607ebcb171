/* SPDX-License-Identifier: Apache-2.0 */
#include <assay/driver.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "config/fields.h"
#include "config/hint.h"
#include "config/quantity.h"
#include "config/settings.h"
#include "config/suggest.h"
#include "record/encode.h"

#define ROWS_MAX  1000
#define ITEMS_MAX 10000

/* Where the settings go, and whose they are. */
struct writing {
	struct load *load;
	struct buffer *to;
	const struct catalog_driver *driver;
	bool is_partial;
	bool in_table; /* a table in a table would pass the depth of a record */
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

static void wrong(struct writing *w, const struct node *node, const char *expected)
{
	char found[80], hint[80] = "";
	if (node->type == NODE_SCALAR)
		hint_missing_space(node->text, hint, sizeof hint);
	load_error(w->load, node->mark, "found %s, %s%s", node_found(node, found, sizeof found),
		expected, hint);
}

static bool is_bounded(const struct assay_setting *s)
{
	return s->min != 0 || s->max != 0;
}

/* "expected 256 to 8192", with the unit and a hint at numbers that lack it. */
static void out_of_range(struct writing *w, const struct assay_setting *s, const struct node *node)
{
	char expected[120];
	const char *unit = quantity_is_plain(s->unit) ? "" : s->unit;
	if ((s->flags & ASSAY_HEX) != 0)
		snprintf(expected, sizeof expected, "expected 0x%llx to 0x%llx",
			(unsigned long long)s->min, (unsigned long long)s->max);
	else
		snprintf(expected, sizeof expected, "expected %.10g to %.10g%s%.20s", s->min,
			s->max, unit[0] != '\0' ? " " : "", unit);
	wrong(w, node, expected);
}

static void write_int(struct writing *w, const struct assay_setting *s, const struct node *node)
{
	char why[QUANTITY_TEXT];
	int64_t value = 0;
	double number;
	if (quantity_is_plain(s->unit)) {
		if (quantity_parse_integer(node->text, &value) < 0) {
			wrong(w, node, "expected a whole number");
			return;
		}
	} else if (quantity_read(node->text, s->unit, &number, why) < 0) {
		wrong(w, node, why);
		return;
	} else if (fabs(number) > 0x1p53 || number != trunc(number)) {
		snprintf(why, sizeof why, "expected a whole number of %.20s", s->unit);
		wrong(w, node, why);
		return;
	} else {
		value = (int64_t)number;
	}
	if (is_bounded(s) && ((double)value < s->min || (double)value > s->max))
		out_of_range(w, s, node);
	else
		encode_int(w->to, value);
}

static void write_number(struct writing *w, const struct assay_setting *s, const struct node *node)
{
	char why[QUANTITY_TEXT];
	double value;
	if (quantity_read(node->text, s->unit, &value, why) < 0) {
		wrong(w, node, why);
		return;
	}
	if (is_bounded(s) && (value < s->min || value > s->max)) {
		out_of_range(w, s, node);
		return;
	}
	encode_quantity(w->to, value, s->unit != NULL ? s->unit : "1");
}

static void write_bool(struct writing *w, const struct node *node)
{
	if (strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0)
		encode_bool(w->to, node->text[0] == 't');
	else
		wrong(w, node, fields_expected_bool(node->text));
}

static void write_choice(struct writing *w, const struct assay_setting *s, const struct node *node)
{
	for (const char *const *choice = s->choices; *choice != NULL; choice++)
		if (strcmp(*choice, node->text) == 0) {
			encode_text(w->to, node->text);
			return;
		}
	char end[400], found[80];
	struct suggest near;
	suggest_init(&near, node->text);
	suggest_offer_all(&near, s->choices);
	load_error(w->load, node->mark, "found %s for '%s'%s",
		node_found(node, found, sizeof found), s->name,
		suggest_text(&near, end, sizeof end));
}

static const char *expected_of(const struct assay_setting *s)
{
	switch (s->type) {
	case ASSAY_BOOL: return "expected true or false";
	case ASSAY_INT: return "expected a whole number";
	case ASSAY_NUMBER: return "expected a number";
	case ASSAY_TABLE: return "expected a list of rows, each begun with '-'";
	default: return "expected a text";
	}
}

static void write_scalar(struct writing *w, const struct assay_setting *s, const struct node *node)
{
	if (node->type != NODE_SCALAR || node_is_nothing(node)) {
		wrong(w, node, expected_of(s));
		return;
	}
	switch (s->type) {
	case ASSAY_BOOL: write_bool(w, node); break;
	case ASSAY_INT: write_int(w, s, node); break;
	case ASSAY_NUMBER: write_number(w, s, node); break;
	case ASSAY_CHOICE: write_choice(w, s, node); break;
	default: encode_text(w->to, node->text); break;
	}
}

static void write_value(struct writing *w, const struct assay_setting *s, const struct node *node);

static void write_list(struct writing *w, const struct assay_setting *s, const struct node *node)
{
	char expected[80];
	if (node->type != NODE_LIST || node->count == 0 || node->count > ITEMS_MAX) {
		snprintf(expected, sizeof expected,
			"expected a list of 1 to %d values, as in [a, b]", ITEMS_MAX);
		wrong(w, node, expected);
		return;
	}
	encode_array(w->to, node->count);
	for (const struct node *item = node->first; item != NULL; item = item->next)
		write_scalar(w, s, item);
}

/* --- a map of settings ----------------------------------------------------------------------- */

/* The values of one table, by index; NULL where nothing was said. */
struct given {
	const struct assay_setting *table;
	const char *of; /* whose, for messages */
	size_t count;
	const struct node **nodes;
	bool *misspelled, *is_default;
};

static bool given_init(
	struct writing *w, struct given *g, const struct assay_setting *table, const char *of)
{
	struct arena *arena = w->load->arena;
	*g = (struct given){.table = table, .of = of, .count = settings_count(table)};
	g->nodes = arena_array(arena, g->count, sizeof *g->nodes);
	g->misspelled = arena_array(arena, g->count, sizeof *g->misspelled);
	g->is_default = arena_array(arena, g->count, sizeof *g->is_default);
	return g->nodes != NULL && g->misspelled != NULL && g->is_default != NULL;
}

static void unknown_name(
	struct writing *w, struct given *g, const struct node *child, unsigned flags)
{
	char end[400];
	struct suggest near;
	suggest_init(&near, child->key);
	for (size_t i = 0; i < g->count; i++)
		if ((g->table[i].flags & ASSAY_CALIBRATION) == flags)
			suggest_offer(&near, g->table[i].name);
	bool is_number = child->key[strspn(child->key, "0123456789")] == '\0';
	load_error(w->load, child->key_mark, "'%.60s' is no %s of %s%s", child->key,
		flags != 0 ? "calibration" : "setting", g->of,
		is_number ? "; a number has a decimal point, no comma"
			  : suggest_text(&near, end, sizeof end));
	for (size_t i = 0; near.best != NULL && i < g->count; i++)
		if (g->table[i].name == near.best)
			g->misspelled[i] = true;
}

/* Sorts the pairs of `map` into the table; `flags`: ASSAY_CALIBRATION, or 0 for all others. */
static void gather(struct writing *w, struct given *g, const struct node *map, unsigned flags)
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
		} else {
			g->nodes[s - g->table] = child;
		}
	}
}

/* Fills in defaults and reports what is missing.  Returns how many values there are. */
static size_t complete(struct writing *w, struct given *g, struct config_mark where)
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
		bool is_missing = g->nodes[i] == NULL && !w->is_partial && !g->misspelled[i] &&
				  (s->flags & ASSAY_REQUIRED) != 0;
		if (is_missing)
			load_error(w->load, where, "'%s' is missing in the %s of %s: %s", s->name,
				(s->flags & ASSAY_CALIBRATION) != 0 ? "calibration" : "settings",
				g->of, s->help != NULL ? s->help : "");
		present += g->nodes[i] != NULL;
	}
	return present;
}

/* [name, value, name, value ...] */
static void write_row(struct writing *w, const struct assay_setting *s, const struct node *row)
{
	struct given g;
	const char *of = arena_printf(w->load->arena, "a row of '%s'", s->name);
	if (!fields_expect_map(w->load, row, of, false) || !given_init(w, &g, s->columns, of))
		return;
	struct writing inner = *w;
	inner.is_partial = false;
	gather(&inner, &g, row, 0);
	encode_array(w->to, 2 * complete(&inner, &g, row->mark));
	for (size_t i = 0; i < g.count; i++) {
		if (g.nodes[i] == NULL)
			continue;
		encode_text(w->to, g.table[i].name);
		write_value(&inner, &g.table[i], g.nodes[i]);
	}
}

static void write_table(struct writing *w, const struct assay_setting *s, const struct node *node)
{
	if (node->type != NODE_LIST || node->count == 0) {
		wrong(w, node, expected_of(s));
		return;
	}
	if (node->count > ROWS_MAX || w->in_table) {
		load_error(w->load, node->mark, "there are %zu rows here, the limit is %d",
			node->count, w->in_table ? 0 : ROWS_MAX);
		return;
	}
	struct writing inner = *w;
	inner.in_table = true;
	encode_array(w->to, node->count);
	for (const struct node *row = node->first; row != NULL; row = row->next)
		write_row(&inner, s, row);
}

static void write_value(struct writing *w, const struct assay_setting *s, const struct node *node)
{
	if (s->type == ASSAY_TABLE)
		write_table(w, s, node);
	else if ((s->flags & ASSAY_LIST) != 0)
		write_list(w, s, node);
	else
		write_scalar(w, s, node);
}

static void write_settings(struct writing *w, const struct settings_source *source)
{
	struct given g;
	if (!given_init(w, &g, source->driver->settings, source->driver->name))
		return;
	gather(w, &g, source->settings, 0);
	gather(w, &g, source->calibration, ASSAY_CALIBRATION);
	encode_map(w->to, complete(w, &g, source->where));
	for (size_t i = 0; i < g.count && source->origins != NULL; i++) {
		if (g.nodes[i] != NULL && !g.is_default[i])
			source->origins[i] = g.nodes[i]->mark;
	}
	for (size_t i = 0; i < g.count; i++) {
		if (g.nodes[i] == NULL)
			continue;
		encode_text(w->to, g.table[i].name);
		write_value(w, &g.table[i], g.nodes[i]);
	}
}

bool settings_read(struct load *load, const struct settings_source *source, struct assay_span *out)
{
	size_t before = load->errors->count;
	if (source->settings != NULL &&
		!fields_expect_map(load, source->settings, "settings", true))
		return false;
	struct buffer to = {0};
	struct writing w = {load, &to, source->driver, source->is_partial, false};
	write_settings(&w, source);
	out->data = to.failed ? NULL : arena_copy(load->arena, to.data, to.len);
	out->len = out->data != NULL ? to.len : 0;
	load->arena->failed |= to.failed;
	buffer_finish(&to);
	return load->errors->count == before;
}
