/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "config/calibration.h"

const struct field calibration_fields[] = {
	{"id", FIELD_TEXT, 0, offsetof(struct calibration_section, id),
		.help = "name or number of the calibration, as people cite it"},
	{"from", FIELD_DATE, 0, offsetof(struct calibration_section, from),
		.help = "first day it holds"},
	{"until", FIELD_DATE, FIELD_END, offsetof(struct calibration_section, to),
		.help = "last day it holds"},
	{0},
};

/* Appends the leaves below `map` to `flat`, with the keys on the way joined by '_'. */
static void flatten(
	struct load *load, struct node *flat, const struct node *map, const char *prefix)
{
	for (const struct node *child = map->first; child != NULL; child = child->next) {
		const char *key = prefix == NULL
					  ? child->key
					  : arena_printf(load->arena, "%s_%s", prefix, child->key);
		if (child->type == NODE_MAP)
			flatten(load, flat, child, key);
		else if (node_get(flat, key) != NULL)
			load_error(load, child->key_mark, "'%.60s' is given twice", key);
		else
			node_append(load->arena, flat, child, key);
	}
}

void calibration_read(struct load *load, const struct node *map, struct calibration_section *out)
{
	*out = (struct calibration_section){0};
	if (map == NULL || !fields_expect_map(load, map, "calibration", true))
		return;
	/* Three maps out of one: keys of every calibration, settings as written, and flat. */
	struct node own = {.type = NODE_MAP, .mark = map->mark}, rest = own;
	struct node *flat = arena_copy(load->arena, &own, sizeof own);
	const struct node *child = map->type == NODE_MAP ? map->first : NULL;
	for (; child != NULL; child = child->next) {
		const struct field *f = calibration_fields;
		while (f->name != NULL && strcmp(f->name, child->key) != 0)
			f++;
		node_append(load->arena, f->name != NULL ? &own : &rest, child, child->key);
	}
	fields_read(load, &own, "calibration", map->key_mark, calibration_fields, out);
	if (out->from != 0 && out->to != 0 && out->from >= out->to)
		load_error(load, node_get(map, "until")->mark,
			"the calibration ends before it starts");
	if (flat == NULL)
		return;
	flatten(load, flat, &rest, NULL);
	out->settings = flat;
}
