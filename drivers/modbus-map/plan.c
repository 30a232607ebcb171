/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "row.h"

/* One value to be read. */
struct item {
	bool is_trigger;
	const char *option, *group; /* "" for none */
	enum table table;
	unsigned address, width;
};

struct draft {
	const struct assay_settings *settings;
	struct row_common common;
	struct item items[PLAN_ITEMS_MAX];
	size_t count;
};

static void add_rows(struct draft *d, enum row_table table)
{
	struct row_walk walk = {.settings = d->settings, .common = &d->common, .table = table};
	while (d->count < PLAN_ITEMS_MAX && row_next(&walk)) {
		const char *group = assay_text(walk.row, "group");
		d->items[d->count++] = (struct item){
			.is_trigger = table == ROW_PARTS && assay_has(walk.row, "frame"),
			.option = walk.option != NULL ? walk.option : "",
			.group = group != NULL ? group : "",
			.table = walk.place.table,
			.address = (unsigned)walk.place.address,
			.width = walk.place.width,
		};
	}
}

/* --- joining --- */

static int by_place(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	int r = (int)y->is_trigger - (int)x->is_trigger;
	if (r == 0)
		r = strcmp(x->option, y->option);
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
	bool bits = table_is_bits(item->table);
	unsigned limit = table_most(item->table);
	if (!bits && limit > registers)
		limit = registers;
	unsigned max_gap = (unsigned)assay_int(settings, bits ? "max_gap_bits" : "max_gap");
	return last->is_trigger == item->is_trigger && strcmp(last->option, item->option) == 0 &&
	       strcmp(last->group, item->group) == 0 && last->table == item->table &&
	       most - block->address <= limit &&
	       (item->address <= end || item->address - end <= max_gap);
}

/* True for a value that is read as a trigger already. */
static bool is_trigger_too(const struct draft *d, const struct item *item)
{
	for (size_t i = 0; i < d->count && d->items[i].is_trigger && !item->is_trigger; i++) {
		const struct item *t = &d->items[i];
		if (t->table == item->table && t->address == item->address &&
			t->width == item->width && strcmp(t->option, item->option) == 0)
			return true;
	}
	return false;
}

static bool join(const struct draft *d, unsigned registers, struct plan *plan)
{
	const struct item *before = NULL;
	for (size_t i = 0; i < d->count; i++) {
		const struct item *item = &d->items[i];
		if (is_trigger_too(d, item))
			continue;
		plan->pieces[plan->piece_count++] = (struct plan_piece){item->address, item->width};
		struct plan_block *last = plan->count > 0 ? &plan->blocks[plan->count - 1] : NULL;
		if (last != NULL && fits(last, before, item, d->settings, registers)) {
			before = item;
			unsigned end = item->address + item->width;
			if (end > last->address + last->count)
				last->count = end - last->address;
			last->pieces++;
			continue;
		}
		before = item;
		if (plan->count == PLAN_BLOCKS_MAX)
			return false;
		plan->blocks[plan->count++] = (struct plan_block){.table = item->table,
			.address = item->address,
			.count = item->width,
			.is_optional = item->option[0] != '\0',
			.is_trigger = item->is_trigger,
			.first = plan->piece_count - 1,
			.pieces = 1};
	}
	return true;
}

static void name_block(struct plan_block *b)
{
	snprintf(b->name, sizeof(b->name), "%s %u+%u", table_name(b->table), b->address, b->count);
}

bool plan_of(const struct assay_settings *settings, unsigned registers, struct plan *plan)
{
	struct draft d = {.settings = settings};
	*plan = (struct plan){0};
	row_common_read(settings, &d.common);
	for (int table = 0; table < ROW_TABLES; table++)
		add_rows(&d, (enum row_table)table);
	qsort(d.items, d.count, sizeof(*d.items), by_place);
	if (!join(&d, registers, plan))
		return false;
	for (size_t i = 0; i < plan->count; i++)
		name_block(&plan->blocks[i]);
	return true;
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

bool plan_name_read(const char *name, enum table *table, unsigned *address, unsigned *count)
{
	for (enum table t = TABLE_FIRST; t <= TABLE_LAST; t++) {
		size_t n = strlen(table_name(t));
		if (strncmp(name, table_name(t), n) != 0 || name[n] != ' ')
			continue;
		const char *at = name + n + 1;
		*table = t;
		return read_unsigned(&at, 65535, address) && *at++ == '+' &&
		       read_unsigned(&at, table_most(t), count) && *at == '\0' && *count > 0;
	}
	return false;
}
