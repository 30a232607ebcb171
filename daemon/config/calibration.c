/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "config/calibration.h"

const struct field calibration_fields[] = {
	{"id", FIELD_TEXT, 0, offsetof(struct calibration, id),
		.help = "name or number of the calibration, as people cite it"},
	{"from", FIELD_DATE, 0, offsetof(struct calibration, from), .help = "first day it holds"},
	{"until", FIELD_DATE, FIELD_END, offsetof(struct calibration, to),
		.help = "last day it holds"},
	{0},
};

struct flat {
	struct load *load;
	struct node *map, **end;
};

static void flat_add(struct flat *flat, const struct node *leaf, const char *key)
{
	if (node_get(flat->map, key) != NULL) {
		load_error(flat->load, leaf->key_mark, "'%.60s' is said twice", key);
		return;
	}
	struct node *copy = arena_copy(flat->load->arena, leaf, sizeof *leaf);
	if (copy == NULL)
		return;
	copy->key = key;
	copy->next = NULL;
	*flat->end = copy;
	flat->end = &copy->next;
	flat->map->count++;
}

static void flatten(struct flat *flat, const struct node *map, const char *prefix)
{
	for (const struct node *child = map->first; child != NULL; child = child->next) {
		const char *key = prefix == NULL ? child->key
						 : arena_printf(flat->load->arena, "%s_%s", prefix,
							   child->key);
		if (child->type == NODE_MAP)
			flatten(flat, child, key);
		else
			flat_add(flat, child, key);
	}
}

static bool is_own_key(const char *key)
{
	for (const struct field *f = calibration_fields; f->name != NULL; f++)
		if (strcmp(f->name, key) == 0)
			return true;
	return false;
}

/* Two maps out of one: the keys of every calibration, and what the driver knows. */
static void divide(struct load *load, const struct node *map, struct node *own, struct node *rest)
{
	struct node **ends[2] = {&own->first, &rest->first};
	for (const struct node *child = map->first; child != NULL; child = child->next) {
		struct node *copy = arena_copy(load->arena, child, sizeof *child);
		if (copy == NULL)
			return;
		bool is_own = is_own_key(child->key);
		copy->next = NULL;
		*ends[!is_own] = copy;
		ends[!is_own] = &copy->next;
	}
}

void calibration_read(struct load *load, const struct node *map, struct calibration *out)
{
	*out = (struct calibration){0};
	if (map == NULL || !fields_expect_map(load, map, "calibration", true))
		return;
	struct node own = *map, rest = *map;
	own.first = rest.first = NULL;
	if (map->type == NODE_MAP)
		divide(load, map, &own, &rest);
	fields_read(load, &own, "calibration", map->key_mark, calibration_fields, out);
	if (out->from != 0 && out->to != 0 && out->from >= out->to)
		load_error(load, node_get(map, "until")->mark,
			"the calibration ends before it begins");
	struct node *flat_map = arena_copy(load->arena, map, sizeof *map);
	if (flat_map == NULL)
		return;
	flat_map->type = NODE_MAP;
	flat_map->first = NULL;
	flat_map->count = 0;
	struct flat flat = {load, flat_map, &flat_map->first};
	flatten(&flat, &rest, NULL);
	out->settings = flat_map;
}
