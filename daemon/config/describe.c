/* SPDX-License-Identifier: Apache-2.0 */
#include <assay/driver.h>

#include "config/catalog.h"
#include "wire/port.h"

static const char *const types[] = {[ASSAY_BOOL] = "bool",
	[ASSAY_INT] = "int",
	[ASSAY_NUMBER] = "number",
	[ASSAY_TEXT] = "text",
	[ASSAY_CHOICE] = "choice",
	[ASSAY_TABLE] = "table"};

static void put_flags(struct map *map, unsigned flags)
{
	static const struct {
		unsigned bit;
		const char *name;
	} names[] = {{ASSAY_REQUIRED, "required"}, {ASSAY_LIST, "list"},
		{ASSAY_CALIBRATION, "calibration"}, {ASSAY_HAZARD, "hazard"}, {ASSAY_LIVE, "live"},
		{ASSAY_HEX, "hex"}, {ASSAY_CALIBRATES, "calibrates"}, {ASSAY_STAYS, "stays"},
		{ASSAY_UNIT, "ucum"}, {ASSAY_CAS, "cas"}, {ASSAY_IN_UNIT, "in_unit"},
		{ASSAY_OWN, "own"}, {ASSAY_VARIABLE, "variable"}};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if ((flags & names[i].bit) != 0)
			map_bool(map, names[i].name, true);
	}
}

void catalog_put_setting(struct map *map, const struct assay_setting *s)
{
	map_text(map, "name", s->name);
	map_text(map, "type", types[s->type]);
	map_text(map, "unit", s->unit);
	if (s->min < s->max) {
		map_f64(map, "min", s->min);
		map_f64(map, "max", s->max);
	}
	if (s->choices != NULL) {
		size_t count = 0;
		while (s->choices[count] != NULL)
			count++;
		map_key(map, "choices");
		encode_array(map->to, count);
		for (size_t i = 0; i < count; i++)
			encode_text(map->to, s->choices[i]);
	}
	put_flags(map, s->flags);
	map_text(map, "default", s->fallback);
	map_text(map, "help", s->help);
	if (s->columns != NULL) {
		map_key(map, "columns");
		catalog_put_settings(map->to, s->columns);
	}
}

void catalog_put_settings(struct buffer *to, const struct assay_setting *settings)
{
	size_t count = 0;
	while (settings != NULL && settings[count].name != NULL)
		count++;
	encode_array(to, count);
	for (size_t i = 0; i < count; i++) {
		struct map map;
		map_open(&map, to);
		catalog_put_setting(&map, &settings[i]);
		map_close(&map);
	}
}

/* The kinds of link that the driver has, with its defaults for them. */
static void put_links(struct map *map, const struct catalog_driver *driver)
{
	const struct port_kind *kind;
	size_t count = 0;
	for (size_t i = 0; (kind = port_kind_at(i)) != NULL; i++)
		count += (driver->links & kind->link) != 0;
	map_key(map, "links");
	encode_array(map->to, count);
	for (size_t i = 0; (kind = port_kind_at(i)) != NULL; i++) {
		struct map link;
		if ((driver->links & kind->link) == 0)
			continue;
		map_open(&link, map->to);
		map_text(&link, "type", kind->name);
		map_text(&link, "defaults", catalog_link_defaults(driver, kind->link));
		map_close(&link);
	}
}

void catalog_put(struct buffer *to, const struct catalog_driver *driver)
{
	struct map map;
	map_open(&map, to);
	map_text(&map, "name", driver->name);
	map_text(&map, "version", driver->version);
	map_text(&map, "summary", driver->summary);
	map_text(&map, "technique", driver->technique);
	map_text(&map, "make", driver->make);
	put_links(&map, driver);
	map_key(&map, "settings");
	catalog_put_settings(to, driver->settings);
	map_close(&map);
}
