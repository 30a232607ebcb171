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

/* The unit as a record may carry it, or NULL. */
static const char *record_unit(const char *written)
{
	const char *code = quantity_unit(written);
	bool known = code != NULL && unit_is_allowed(string_of(code), 0);
	return known ? code : NULL;
}

/* What an unquoted scalar is: a quantity, a number, true or false; else a text. */
static void write_free(struct buffer *to, const struct node *node)
{
	int64_t integer;
	double number;
	const char *written, *unit = NULL;
	if (node->plain && quantity_split(node->text, &number, &written) == 0)
		unit = record_unit(written);
	if (!node->plain)
		encode_text(to, node->text);
	else if (quantity_parse_integer(node->text, &integer) == 0)
		encode_int(to, integer);
	else if (quantity_parse_number(node->text, &number) == 0)
		encode_f64(to, number);
	else if (unit != NULL)
		encode_quantity(to, number, unit);
	else if (strcmp(node->text, "true") == 0 || strcmp(node->text, "false") == 0)
		encode_bool(to, node->text[0] == 't');
	else
		encode_text(to, node->text);
}

/* The list of names decides: a quantity in its unit, or a text. */
static void write_known(
	struct load *load, struct buffer *to, const struct node *node, const struct name *name)
{
	char why[QUANTITY_TEXT], found[80];
	double value;
	if (name->unit == NULL)
		encode_text(to, node->text);
	else if (quantity_read(node->text, name->unit, &value, why) == 0)
		encode_quantity(to, value, name->unit);
	else
		load_error(load, node->mark, "found %s, %s", node_found(node, found, sizeof found),
			why);
}

/* `name`: NULL where it is a free one. */
static void write_value(struct load *load, struct buffer *to, const struct node *node,
	const struct name *name, unsigned deep)
{
	char found[80];
	if (node->type == NODE_SCALAR && !node_is_nothing(node)) {
		if (name != NULL)
			write_known(load, to, node, name);
		else
			write_free(to, node);
		return;
	}
	if (node->type != NODE_LIST || node->count == 0 || deep >= DEEP_MAX) {
		load_error(load, node->mark,
			"found %s, expected a text, a quantity or a list of them",
			node_found(node, found, sizeof found));
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
			"found '%.60s', expected a name of a-z, 0-9 and _ that begins with a "
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

/* The children in the order of their names, so that the order of the file means nothing. */
static const struct node **sort(struct load *load, const struct node *map)
{
	const struct node **sorted = arena_array(load->arena, map->count, sizeof *sorted);
	size_t count = 0;
	for (const struct node *child = map->first; child != NULL && sorted != NULL;
		child = child->next)
		sorted[count++] = child;
	if (sorted != NULL)
		qsort(sorted, count, sizeof *sorted, by_key);
	return sorted;
}

bool setup_read(struct load *load, const struct node *map, struct assay_span *out)
{
	*out = (struct assay_span){0};
	size_t before = load->errors->count;
	if (map == NULL)
		return true;
	if (!fields_expect_map(load, map, "setup", true))
		return false;
	if (map->type != NODE_MAP || map->count == 0)
		return true;
	const struct node **sorted = sort(load, map);
	if (sorted == NULL)
		return false;
	struct buffer to = {0};
	encode_map(&to, map->count);
	for (size_t i = 0; i < map->count; i++)
		write_pair(load, &to, sorted[i]);
	out->data = to.failed ? NULL : arena_copy(load->arena, to.data, to.len);
	out->len = out->data != NULL ? to.len : 0;
	load->arena->failed |= to.failed;
	buffer_finish(&to);
	return load->errors->count == before;
}
