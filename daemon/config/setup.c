/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "config/fields.h"
#include "config/quantity.h"
#include "config/setup.h"
#include "record/encode.h"
#include "record/names.h"
#include "record/units.h"

#define DEEP_MAX 2 /* lists in lists, so that an audit record is not too deep */

/* An unquoted scalar is a quantity in a unit of records, a number, true, false, or else a text. */
static void write_free(struct buffer *to, const struct node *node)
{
	int64_t integer;
	double number;
	const char *text = node->text, *written, *unit = NULL;
	if (node->plain && quantity_split(text, &number, &written) == 0)
		unit = quantity_unit(written);
	if (!node->plain)
		encode_text(to, text);
	else if (quantity_parse_integer(text, &integer) == 0)
		encode_int(to, integer);
	else if (quantity_parse_number(text, &number) == 0)
		encode_f64(to, number);
	else if (unit != NULL && unit_is_allowed(string_of(unit), 0))
		encode_quantity(to, number, unit);
	else if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		encode_bool(to, text[0] == 't');
	else
		encode_text(to, text);
}

/* `name` has the unit; NULL: a free name. */
static void write_value(struct load *load, struct buffer *to, const struct node *node,
	const struct name *name, unsigned deep)
{
	char why[QUANTITY_TEXT];
	double value;
	if (node->type == NODE_SCALAR && !node_is_nothing(node)) {
		if (!load_seen(load, node))
			return;
		if (name == NULL)
			write_free(to, node);
		else if (name->unit == NULL)
			encode_text(to, node->text);
		else if (quantity_read(node->text, name->unit, &value, why) == 0)
			encode_quantity(to, value, name->unit);
		else
			load_found(load, node, "%s", why);
		return;
	}
	if (node->type != NODE_LIST || node->count == 0 || deep >= DEEP_MAX) {
		load_found(load, node, "expected a text, a quantity or a list of them");
		return;
	}
	/* The elements of a list, such as an oven program's, are not all of one kind. */
	encode_array(to, node->count);
	for (const struct node *item = node->first; item != NULL; item = item->next)
		write_value(load, to, item, NULL, deep + 1);
}

static void write_pair(struct load *load, struct buffer *to, const struct node *node)
{
	if (!name_is_valid(string_of(node->key))) {
		load_error(load, node->key_mark,
			"found '%.60s', expected a name of a-z, 0-9 and _ that starts with a "
			"letter",
			node->key);
		return;
	}
	const struct name *name = name_find(string_of(node->key));
	bool is_declared = name != NULL &&
			   (name->where == NAME_SETUP || name->where == NAME_SETTING);
	encode_text(to, node->key);
	write_value(load, to, node, is_declared ? name : NULL, 0);
}

static int by_key(const void *a, const void *b)
{
	return strcmp((*(const struct node *const *)a)->key, (*(const struct node *const *)b)->key);
}

bool setup_read(struct load *load, const struct node *map, struct assay_span *out)
{
	*out = (struct assay_span){0};
	size_t before = load->errors->count, count = 0;
	if (map == NULL)
		return true;
	if (!fields_expect_map(load, map, "setup", true))
		return false;
	if (map->type != NODE_MAP || map->count == 0)
		return true;
	/* Sorted, so that the order in the file does not matter. */
	const struct node **sorted = arena_array(load->arena, map->count, sizeof *sorted);
	if (sorted == NULL)
		return false;
	for (const struct node *child = map->first; child != NULL; child = child->next)
		sorted[count++] = child;
	qsort(sorted, count, sizeof *sorted, by_key);
	struct buffer to = {0};
	encode_map(&to, count);
	for (size_t i = 0; i < count; i++)
		write_pair(load, &to, sorted[i]);
	*out = load_keep(load, &to);
	return load->errors->count == before;
}
