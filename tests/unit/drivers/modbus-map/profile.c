/* SPDX-License-Identifier: Apache-2.0 */
#include "profile.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

static const char *text(yaml_document_t *doc, int item)
{
	yaml_node_t *node = yaml_document_get_node(doc, item);
	if (node == NULL || node->type != YAML_SCALAR_NODE)
		host_bug("a profile: a single value was expected");
	return (const char *)node->data.scalar.value;
}

static void load_row(yaml_document_t *doc, struct host_settings *row, yaml_node_t *map)
{
	if (map == NULL || map->type != YAML_MAPPING_NODE)
		host_bug("a profile: a row that is no map");
	for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
		p++) {
		yaml_node_t *node = yaml_document_get_node(doc, p->value);
		if (node->type != YAML_SEQUENCE_NODE) {
			host_settings_set(row, text(doc, p->key), text(doc, p->value));
			continue;
		}
		for (yaml_node_item_t *i = node->data.sequence.items.start;
			i < node->data.sequence.items.top; i++)
			host_settings_set(row, text(doc, p->key), text(doc, *i));
	}
}

static void load_list(yaml_document_t *doc, struct host *h, const char *name, yaml_node_t *list)
{
	for (yaml_node_item_t *i = list->data.sequence.items.start;
		i < list->data.sequence.items.top; i++) {
		yaml_node_t *node = yaml_document_get_node(doc, *i);
		if (node->type == YAML_SCALAR_NODE)
			host_set(h, name, text(doc, *i));
		else
			load_row(doc, host_add_row(h, name), node);
	}
}

static void load_settings(yaml_document_t *doc, struct host *h, yaml_node_t *map)
{
	for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top;
		p++) {
		yaml_node_t *node = yaml_document_get_node(doc, p->value);
		if (node->type == YAML_SEQUENCE_NODE)
			load_list(doc, h, text(doc, p->key), node);
		else
			host_set(h, text(doc, p->key), text(doc, p->value));
	}
}

void profile_load(struct host *h, const char *path)
{
	yaml_parser_t parser;
	yaml_document_t doc;
	FILE *file = fopen(path, "r");
	if (file == NULL || !yaml_parser_initialize(&parser))
		host_bug("cannot open %s", path);
	yaml_parser_set_input_file(&parser, file);
	if (!yaml_parser_load(&parser, &doc))
		host_bug("%s: line %zu: %s", path, parser.problem_mark.line + 1, parser.problem);
	yaml_node_t *root = yaml_document_get_root_node(&doc);
	for (yaml_node_pair_t *p = root->data.mapping.pairs.start; p < root->data.mapping.pairs.top;
		p++)
		if (strcmp(text(&doc, p->key), "settings") == 0)
			load_settings(&doc, h, yaml_document_get_node(&doc, p->value));
	yaml_document_delete(&doc);
	yaml_parser_delete(&parser);
	fclose(file);
}
