/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"
#include "config/reading.h"
#include "config/settings.h"
#include "record/encode.h"
#include "record/read.h"

/* --- one map over another -------------------------------------------------------------------- */

/* The values of an encoded map by the table's index; false after an unknown `name`. */
static bool spread(const struct assay_span *map, const struct assay_setting *table,
	struct assay_span *values, char name[33])
{
	struct reader r;
	size_t pairs = 0;
	struct assay_string key = {0};
	if (map->len == 0)
		return true;
	read_init(&r, map->data, map->len);
	read_map(&r, &pairs);
	while (pairs-- > 0 && read_key(&r, &key) == 0) {
		snprintf(name, 33, "%.*s", (int)key.len, key.data);
		const struct assay_setting *s = settings_find(table, name);
		if (s == NULL)
			return false;
		read_raw(&r, &values[s - table]);
	}
	snprintf(name, 33, "?");
	return read_finish(&r) == 0;
}

static void write_merged(struct buffer *out, const struct assay_setting *table,
	const struct assay_span *values, size_t count)
{
	size_t present = 0;
	for (size_t i = 0; i < count; i++)
		present += values[i].len != 0;
	encode_map(out, present);
	for (size_t i = 0; i < count; i++) {
		if (values[i].len == 0)
			continue;
		encode_text(out, table[i].name);
		encode_raw(out, values[i].data, values[i].len);
	}
}

int config_merge(const struct catalog_driver *driver, struct assay_span below,
	struct assay_span above, struct buffer *out, char **why)
{
	*why = NULL;
	char name[33];
	size_t count = settings_count(driver->settings);
	struct assay_span *values = calloc(count + 1, sizeof *values);
	if (values == NULL)
		return -ENOMEM;
	bool known = spread(&below, driver->settings, values, name) &&
		     spread(&above, driver->settings, values, name);
	int r = known ? 0 : -EINVAL;
	if (known)
		write_merged(out, driver->settings, values, count);
	else if (asprintf(why, "unknown setting '%s' of driver %s", name, driver->name) < 0)
		*why = NULL;
	free(values);
	return r == 0 && out->failed ? -ENOMEM : r;
}

/* --- one setting alone ----------------------------------------------------------------------- */

int config_parse_setting(const struct catalog_driver *driver, const char *name, const char *text,
	struct buffer *out, char **why)
{
	*why = NULL;
	struct arena arena = {0};
	struct config_errors errors = {0};
	struct load load = {.arena = &arena, .errors = &errors};
	struct assay_span settings = {0};
	struct settings_source source = {.driver = driver, .is_partial = true};
	const struct assay_setting *s = settings_find(driver->settings, name);
	/* A map of one pair, as in a file. */
	struct node map = {.type = NODE_MAP, .mark = {"value", 1, 1}, .count = 1};
	map.first = yaml_parse_value(text, false, "value", &arena, &errors);
	bool read = map.first != NULL;
	if (read) {
		map.first->key = name;
		map.first->key_mark = map.mark;
		if (s != NULL && (s->flags & ASSAY_CALIBRATION) != 0)
			source.calibration = &map;
		else
			source.settings = &map;
		read = settings_read(&load, &source, &settings);
	}
	bool is_short = arena.failed || errors.incomplete;
	if (read && !is_short)
		buffer_append(out, settings.data, settings.len);
	else if (!is_short)
		*why = errors_join(&errors);
	int r = is_short || out->failed ? -ENOMEM : read ? 0 : -EINVAL;
	config_errors_finish(&errors);
	arena_finish(&arena);
	return r;
}
