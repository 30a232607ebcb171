/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/suggest.h"
#include "config/driver.h"

/* The reason why a module of that name is not in the catalog; NULL: there is no such module. */
static const char *why_unusable(const struct catalog *catalog, const char *name)
{
	char file[80];
	snprintf(file, sizeof file, "%.60s.so", name);
	for (size_t i = 0; i < catalog->problem_count; i++) {
		const char *path = catalog->problems[i].file;
		const char *slash = strrchr(path, '/');
		if (strcmp(slash != NULL ? slash + 1 : path, file) == 0)
			return catalog->problems[i].text;
	}
	return NULL;
}

const struct catalog_driver *driver_read(struct load *load, const struct node *node)
{
	if (node == NULL)
		return NULL;
	const char *name = node->type == NODE_SCALAR ? node->text : "";
	const struct catalog_driver *driver = catalog_find(load->catalog, name);
	if (driver != NULL)
		return driver;
	const char *why = why_unusable(load->catalog, name);
	if (why != NULL) {
		load_error(load, node->mark, "driver '%.60s' cannot be used: %s", name, why);
		return NULL;
	}
	char found[80], end[400];
	struct suggest near;
	suggest_init(&near, name);
	for (size_t i = 0; i < load->catalog->count; i++)
		suggest_offer(&near, load->catalog->drivers[i].name);
	const char *folder = load->catalog->driver_dir;
	load_error(load, node->mark,
		"there is no driver %s%s%s%s (its link and settings are not checked)",
		node_found(node, found, sizeof found), folder != NULL ? " in " : "",
		folder != NULL ? folder : "", suggest_text(&near, end, sizeof end));
	return NULL;
}
