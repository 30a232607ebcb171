/* SPDX-License-Identifier: Apache-2.0 */
#include <assay/driver.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/instrument/borrowed.h"
#include "record/encode.h"
#include "record/keys.h"

void borrowed_finish(struct borrowed *borrowed)
{
	buffer_finish(&borrowed->found);
	*borrowed = (struct borrowed){0};
}

static struct assay_span found_in(const struct borrowed *borrowed)
{
	return (struct assay_span){borrowed->found.data, borrowed->found.len};
}

static bool has(struct assay_span settings, const char *name)
{
	return keys_value(settings, string_of(name)).len > 0;
}

static void put(struct map *map, const char *name, struct assay_span value)
{
	map_key(map, name);
	encode_raw(map->to, value.data, value.len);
}

bool borrowed_lacks(const struct borrowed *borrowed, const struct catalog_driver *driver,
	struct assay_span wanted, struct assay_span but)
{
	const struct assay_setting *s = driver->settings;
	for (; s != NULL && s->name != NULL; s++) {
		if ((s->flags & ASSAY_STAYS) != 0 && has(wanted, s->name) && !has(but, s->name) &&
			!has(found_in(borrowed), s->name))
			return true;
	}
	return false;
}

int borrowed_lay(const struct borrowed *borrowed, const struct catalog_driver *driver,
	struct assay_span wanted, struct buffer *out)
{
	char *why = NULL; /* the names were checked before */
	int r = config_merge(driver, found_in(borrowed), wanted, out, &why);
	free(why);
	return r;
}

int borrowed_lay_found(const struct borrowed *borrowed, const struct catalog_driver *driver,
	struct assay_span wanted, struct buffer *out)
{
	struct buffer rest = {0};
	struct map map;
	int r = 0;
	const struct assay_setting *s = driver->settings;
	if (borrowed->found.len == 0)
		return 0;
	map_open(&map, &rest);
	for (; s != NULL && s->name != NULL; s++) {
		struct assay_span value = keys_value(wanted, string_of(s->name));
		if ((s->flags & ASSAY_STAYS) == 0 && value.len > 0)
			put(&map, s->name, value);
	}
	map_close(&map);
	r = rest.failed
		    ? -ENOMEM
		    : borrowed_lay(borrowed, driver, (struct assay_span){rest.data, rest.len}, out);
	buffer_finish(&rest);
	return r;
}

/* A value as read back that the driver would take again. */
static bool can_be_sent(const struct assay_setting *s, struct assay_span value)
{
	struct assay_span inner = keys_value(value, string_of("v"));
	struct reader r;
	struct assay_string text;
	double number;
	if (value.len == 0)
		return false;
	if (inner.len > 0)
		value = inner;
	read_init(&r, value.data, value.len);
	switch (s->type) {
	case ASSAY_INT:
	case ASSAY_NUMBER:
		return read_double(&r, &number) == 0 &&
		       ((s->min == 0 && s->max == 0) || (number >= s->min && number <= s->max));
	case ASSAY_CHOICE:
		if (read_text(&r, &text) < 0)
			return false;
		for (size_t i = 0; s->choices != NULL && s->choices[i] != NULL; i++) {
			if (assay_string_is(text, s->choices[i]))
				return true;
		}
		return false;
	case ASSAY_BOOL: return read_peek(&r) == READ_BOOL;
	case ASSAY_TEXT: return read_peek(&r) == READ_TEXT;
	default: return false;
	}
}

int borrowed_find(struct borrowed *borrowed, const struct catalog_driver *driver,
	struct assay_span wanted, struct assay_span read_back, struct buffer *added, char name[33])
{
	struct buffer all = {0};
	struct map map, news;
	int r = 0;
	const struct assay_setting *s = driver->settings;
	map_open(&map, &all);
	map_open(&news, added);
	for (; s != NULL && s->name != NULL; s++) {
		struct assay_span noted = keys_value(found_in(borrowed), string_of(s->name));
		struct assay_span value = keys_value(read_back, string_of(s->name));
		if (noted.len > 0) {
			put(&map, s->name, noted);
		} else if ((s->flags & ASSAY_STAYS) == 0 || !has(wanted, s->name)) {
			continue;
		} else if (!can_be_sent(s, value)) {
			snprintf(name, 33, "%s", s->name);
			r = -ENOENT;
		} else {
			put(&map, s->name, value);
			put(&news, s->name, value);
		}
	}
	map_close(&news);
	map_close(&map);
	if (all.failed || added->failed) {
		buffer_finish(&all);
		return -ENOMEM;
	}
	buffer_finish(&borrowed->found);
	borrowed->found = all;
	return r;
}

int borrowed_drop(struct borrowed *borrowed, const struct catalog_driver *driver,
	struct assay_span wanted, struct buffer *dropped)
{
	struct buffer kept = {0};
	struct map map, gone;
	const struct assay_setting *s = driver->settings;
	map_open(&map, &kept);
	map_open(&gone, dropped);
	for (; s != NULL && s->name != NULL; s++) {
		struct assay_span noted = keys_value(found_in(borrowed), string_of(s->name));
		if (noted.len > 0)
			put(has(wanted, s->name) ? &map : &gone, s->name, noted);
	}
	map_close(&gone);
	map_close(&map);
	if (kept.failed || dropped->failed) {
		buffer_finish(&kept);
		return -ENOMEM;
	}
	if (map.pairs == 0)
		buffer_finish(&kept);
	buffer_finish(&borrowed->found);
	borrowed->found = kept;
	return 0;
}
