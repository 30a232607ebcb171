/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "row.h"

static const char *const table_names[] = {
	[ASSAY_COILS] = "coil",
	[ASSAY_DISCRETE] = "discrete",
	[ASSAY_HOLDING] = "holding",
	[ASSAY_INPUT] = "input",
};

/* One value to be read. */
struct item {
	const char *option, *group; /* "" for none */
	enum assay_modbus_table table;
	unsigned address, width;
};

struct draft {
	struct assay_instrument *ins;
	struct row_common common;
	struct item items[PLAN_ITEMS_MAX];
	size_t count;
	struct variable {
		const char *name, *analyte, *basis;
	} vars[ROW_VARS_MAX]; /* so far */
	size_t var_count;
};

bool plan_is_bits(enum assay_modbus_table table)
{
	return table == ASSAY_COILS || table == ASSAY_DISCRETE;
}

size_t plan_bytes(enum assay_modbus_table table, unsigned count)
{
	return plan_is_bits(table) ? (count + 7) / 8 : (size_t)count * 2;
}

/* --- checking rows --- */

static bool is_variable(const struct variable *v, const char *name, const struct row_place *p)
{
	return strcmp(v->name, name) == 0 &&
	       row_is_same_substance(v->analyte, v->basis, p->analyte, p->basis);
}

/* Whether there is a variable `name` of the analyte and basis of `p`. */
static bool is_known(const struct draft *d, const char *name, const struct row_place *p)
{
	for (size_t i = 0; i < d->var_count; i++)
		if (is_variable(&d->vars[i], name, p))
			return true;
	return false;
}

static int reject(struct draft *d, const struct row_place *p, const char *why)
{
	assay_explain(d->ins, "'%s': %s", p->name, why);
	return -EINVAL;
}

static int check_row(struct draft *d, const struct assay_settings *row, const struct row_place *p,
	bool is_status)
{
	size_t n = strspn(p->name, "abcdefghijklmnopqrstuvwxyz0123456789_");
	if (n == 0 || n > 32 || p->name[n] != '\0' || p->name[0] < 'a' || p->name[0] > 'z')
		return reject(d, p, "a name is a-z, 0-9 and _, starts with a letter, at most 32");
	if (plan_is_bits(p->table) != (p->type == REGISTER_BIT))
		return reject(d, p, "type bit belongs to coil and discrete, others to registers");
	if (p->address < 0 || p->address + (long)register_width(p->type) > 65536)
		return reject(d, p, "the address lies outside 0 to 65535");
	if (p->of != NULL && !is_known(d, p->of, p))
		return reject(d, p, "'of' names no earlier variable with this analyte and basis");
	if (is_status) {
		bool is_word = p->type == REGISTER_INT16 || p->type == REGISTER_UINT16;
		if (assay_has(row, "bit") && !is_word)
			return reject(d, p, "'bit' picks one bit of an int16 or uint16");
		return 0;
	}
	const char *role = assay_text(row, "role");
	bool has_subject = strcmp(role, "uncertainty") == 0 || strcmp(role, "flags") == 0;
	if (has_subject && p->of == NULL)
		return reject(d, p, "this role needs 'of', the variable that it belongs to");
	if (!has_subject && p->of != NULL)
		return reject(d, p, "'of' is for the roles uncertainty and flags");
	return 0;
}

/* Consecutive rows of `status` may share a name. */
static int take_name(struct draft *d, const struct row_place *p, bool may_repeat)
{
	bool repeats = d->var_count > 0 && is_variable(&d->vars[d->var_count - 1], p->name, p);
	if (repeats && may_repeat)
		return 0;
	if (is_known(d, p->name, p))
		return reject(d, p, "there is already such a variable");
	if (strcmp(p->name, "missing") == 0 || strcmp(p->name, "status_text") == 0)
		return reject(d, p, "this name is reserved for the driver");
	if (d->var_count == ROW_VARS_MAX)
		return reject(d, p, "more variables than a frame can have");
	d->vars[d->var_count++] = (struct variable){p->name, p->analyte, p->basis};
	return 0;
}

static int add_item(struct draft *d, const struct assay_settings *row, const struct row_place *p,
	const char *option)
{
	const char *group = assay_text(row, "group");
	if (d->count == PLAN_ITEMS_MAX)
		return reject(d, p, "more rows than this driver can plan for");
	d->items[d->count++] = (struct item){
		.option = option != NULL ? option : "",
		.group = group != NULL ? group : "",
		.table = p->table,
		.address = (unsigned)p->address,
		.width = register_width(p->type),
	};
	return 0;
}

static int add_rows(struct draft *d, const char *table, bool is_status)
{
	const struct assay_settings *settings = d->ins->settings;
	for (size_t i = 0; i < assay_count(settings, table); i++) {
		const struct assay_settings *row = assay_row(settings, table, i);
		const char *option;
		struct row_place place;
		if (!row_is_wanted(settings, &d->common, row, &option))
			continue;
		row_place_read(row, &d->common, &place);
		int r = check_row(d, row, &place, is_status);
		if (r == 0)
			r = take_name(d, &place, is_status);
		if (r == 0)
			r = add_item(d, row, &place, option);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool has_option(const struct assay_settings *settings, const char *table, const char *option)
{
	for (size_t i = 0; i < assay_count(settings, table); i++) {
		const char *of_row = assay_text(assay_row(settings, table, i), "option");
		if (of_row != NULL && strcmp(of_row, option) == 0)
			return true;
	}
	return false;
}

static int check_options(struct draft *d)
{
	const struct assay_settings *settings = d->ins->settings;
	for (size_t i = 0; i < d->common.options; i++) {
		const char *option = assay_text_at(settings, "options", i);
		if (!has_option(settings, "points", option) &&
			!has_option(settings, "status", option)) {
			assay_explain(d->ins, "options: no row belongs to '%s'", option);
			return -EINVAL;
		}
	}
	return 0;
}

static int check_adjust(struct draft *d)
{
	const struct assay_settings *settings = d->ins->settings;
	for (size_t i = 0; i < assay_count(settings, "adjust"); i++) {
		const struct assay_settings *row = assay_row(settings, "adjust", i);
		const char *name = assay_text(row, "name"), *analyte = assay_text(row, "analyte");
		bool is_found = false;
		for (size_t v = 0; v < d->var_count && !is_found; v++)
			is_found = strcmp(d->vars[v].name, name) == 0 &&
				   row_is_same_substance(d->vars[v].analyte, NULL, analyte, NULL);
		if (is_found)
			continue;
		assay_explain(d->ins, "adjust: no row reads '%s'%s%s", name,
			analyte != NULL ? " of " : "", analyte != NULL ? analyte : "");
		return -EINVAL;
	}
	return 0;
}

/* --- joining --- */

static int by_place(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int r = strcmp(x->option, y->option);
	if (r == 0)
		r = strcmp(x->group, y->group);
	if (r == 0)
		r = (int)x->table - (int)y->table;
	if (r == 0)
		r = (x->address > y->address) - (x->address < y->address);
	return r;
}

static bool fits(const struct plan_block *block, const struct item *last, const struct item *item,
	const struct assay_settings *settings, unsigned registers)
{
	unsigned end = block->address + block->count, most = item->address + item->width;
	bool bits = plan_is_bits(item->table);
	unsigned limit = bits ? PLAN_BITS_MAX : registers;
	unsigned max_gap = (unsigned)assay_int(settings, bits ? "max_gap_bits" : "max_gap");
	return strcmp(last->option, item->option) == 0 && strcmp(last->group, item->group) == 0 &&
	       last->table == item->table && most - block->address <= limit &&
	       (item->address <= end || item->address - end <= max_gap);
}

static int join(struct draft *d, struct plan *plan)
{
	unsigned registers = assay_modbus_registers(d->ins);
	for (size_t i = 0; i < d->count; i++) {
		const struct item *item = &d->items[i];
		plan->pieces[plan->piece_count++] = (struct plan_piece){item->address, item->width};
		struct plan_block *last = plan->count > 0 ? &plan->blocks[plan->count - 1] : NULL;
		if (last != NULL && fits(last, item - 1, item, d->ins->settings, registers)) {
			unsigned end = item->address + item->width;
			if (end > last->address + last->count)
				last->count = end - last->address;
			last->pieces++;
			continue;
		}
		if (plan->count == PLAN_BLOCKS_MAX) {
			assay_explain(d->ins,
				"the map needs more than %d requests: raise max_gap or "
				"max_gap_bits",
				PLAN_BLOCKS_MAX);
			return -EINVAL;
		}
		plan->blocks[plan->count++] = (struct plan_block){.table = item->table,
			.address = item->address,
			.count = item->width,
			.is_optional = item->option[0] != '\0',
			.first = i,
			.pieces = 1};
	}
	return 0;
}

static void name_block(struct plan_block *b)
{
	snprintf(b->name, sizeof(b->name), "%s %u+%u", table_names[b->table], b->address, b->count);
}

int plan_make(struct assay_instrument *ins, struct plan *plan)
{
	struct draft d = {.ins = ins};
	*plan = (struct plan){0};
	row_common_read(ins->settings, &d.common);
	int r = add_rows(&d, "points", false);
	if (r == 0)
		r = add_rows(&d, "status", true);
	if (r == 0)
		r = check_options(&d);
	if (r == 0)
		r = check_adjust(&d);
	if (r < 0)
		return r;
	if (d.count == 0) {
		assay_explain(ins, "there is no row of points or status to read");
		return -EINVAL;
	}
	qsort(d.items, d.count, sizeof(*d.items), by_place);
	r = join(&d, plan);
	for (size_t i = 0; r == 0 && i < plan->count; i++)
		name_block(&plan->blocks[i]);
	return r;
}

/* --- splitting --- */

/* The number of the block's pieces up to the first gap; all if there is none. */
static size_t before_gap(const struct plan *plan, const struct plan_block *b)
{
	const struct plan_piece *piece = &plan->pieces[b->first];
	unsigned end = piece->address + piece->width;
	size_t n = 1;
	for (; n < b->pieces && piece[n].address <= end; n++)
		if (piece[n].address + piece[n].width > end)
			end = piece[n].address + piece[n].width;
	return n;
}

bool plan_has_gaps(const struct plan *plan, size_t block)
{
	const struct plan_block *b = &plan->blocks[block];
	return before_gap(plan, b) < b->pieces;
}

/* The block's pieces from `skip` on, `pieces` of them. */
static struct plan_block part_of(
	const struct plan *plan, const struct plan_block *whole, size_t skip, size_t pieces)
{
	struct plan_block part = *whole;
	unsigned end = 0;
	part.first += skip;
	part.pieces = pieces;
	part.address = plan->pieces[part.first].address;
	for (size_t i = part.first; i < part.first + pieces; i++)
		if (plan->pieces[i].address + plan->pieces[i].width > end)
			end = plan->pieces[i].address + plan->pieces[i].width;
	part.count = end - part.address;
	name_block(&part);
	return part;
}

bool plan_split(struct plan *plan, size_t block)
{
	struct plan_block *b = &plan->blocks[block];
	const struct plan_block whole = *b;
	size_t n = before_gap(plan, b);
	if (n == b->pieces)
		n = b->pieces / 2;
	if (n == 0 || plan->count == PLAN_BLOCKS_MAX)
		return false;
	memmove(b + 1, b, (plan->count - block) * sizeof *b);
	plan->count++;
	b[0] = part_of(plan, &whole, 0, n);
	b[1] = part_of(plan, &whole, n, whole.pieces - n);
	if (plan_has_gaps(plan, block + 1))
		plan_split(plan, block + 1); /* gaps are left out all at once */
	return true;
}

/* --- names of blocks --- */

static bool read_unsigned(const char **at, unsigned max, unsigned *out)
{
	const char *s = *at;
	unsigned v = 0;
	for (; *s >= '0' && *s <= '9' && v <= max; s++)
		v = v * 10 + (unsigned)(*s - '0');
	bool ok = s != *at && v <= max;
	*at = s;
	*out = v;
	return ok;
}

bool plan_name_read(
	const char *name, enum assay_modbus_table *table, unsigned *address, unsigned *count)
{
	for (int t = ASSAY_COILS; t <= ASSAY_INPUT; t++) {
		size_t n = strlen(table_names[t]);
		if (strncmp(name, table_names[t], n) != 0 || name[n] != ' ')
			continue;
		const char *at = name + n + 1;
		*table = (enum assay_modbus_table)t;
		unsigned limit = plan_is_bits(*table) ? PLAN_BITS_MAX : PLAN_REGISTERS_MAX;
		return read_unsigned(&at, 65535, address) && *at++ == '+' &&
		       read_unsigned(&at, limit, count) && *at == '\0' && *count > 0;
	}
	return false;
}
