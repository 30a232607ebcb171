/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "config/yaml.h"

struct node *node_get(const struct node *map, const char *key)
{
	if (map == NULL || map->type != NODE_MAP)
		return NULL;
	for (struct node *child = map->first; child != NULL; child = child->next)
		if (strcmp(child->key, key) == 0)
			return child;
	return NULL;
}

bool node_is_nothing(const struct node *node)
{
	if (node == NULL)
		return true;
	if (node->type != NODE_SCALAR || !node->plain)
		return false;
	return node->text[0] == '\0' || strcmp(node->text, "~") == 0 ||
	       strcmp(node->text, "null") == 0;
}

void node_append(struct arena *arena, struct node *map, const struct node *child, const char *key)
{
	struct node *copy = arena_copy(arena, child, sizeof *child), **end = &map->first;
	if (copy == NULL)
		return;
	copy->key = key;
	copy->next = NULL;
	while (*end != NULL)
		end = &(*end)->next;
	*end = copy;
	map->count++;
}

struct node *node_overlay(struct arena *arena, const struct node *below, const struct node *above)
{
	const struct node *model = above != NULL ? above : below;
	if (model == NULL)
		return NULL;
	struct node *map = arena_copy(arena, model, sizeof *model);
	if (map == NULL || below == NULL || above == NULL || below->type != NODE_MAP ||
		above->type != NODE_MAP)
		return map;
	map->first = NULL;
	map->count = 0;
	for (const struct node *child = above->first; child != NULL; child = child->next)
		node_append(arena, map, child, child->key);
	for (const struct node *child = below->first; child != NULL; child = child->next)
		if (node_get(above, child->key) == NULL)
			node_append(arena, map, child, child->key);
	return map;
}

const char *node_found(const struct node *node, char *text, size_t size)
{
	if (node_is_nothing(node))
		snprintf(text, size, "nothing");
	else if (node->type == NODE_SCALAR)
		snprintf(text, size, "'%.60s'", node->text);
	else
		snprintf(text, size, "%s", node->type == NODE_LIST ? "a list" : "a map");
	return text;
}
