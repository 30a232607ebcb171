/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/suggest.h"
#include "capture/file.h"
#include "config/hint.h"
#include "config/link.h"
#include "record/text.h"
#include "wire/faults.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "FIELD_BOOL is a byte of an unsigned");

struct link_section {
	struct port port;
	struct unit unit;
	const struct node *type;
};

/* --- the keys of a kind ----------------------------------------------------------------------- */

static struct field field_of(const struct port_key *key)
{
	static const enum field_type types[] = {
		[PORT_TEXT] = FIELD_TEXT,
		[PORT_FILE] = FIELD_PATH,
		[PORT_DEVICE] = FIELD_DEVICE,
		[PORT_HOST] = FIELD_HOST,
		[PORT_SOCKET] = FIELD_USB_SOCKET,
		[PORT_NUMBER] = FIELD_UINT,
		[PORT_HEX] = FIELD_UINT,
		[PORT_MS] = FIELD_MS,
		[PORT_BOOL] = FIELD_BOOL, /* the lowest byte of the member, which is 0 */
		[PORT_CHOICE] = FIELD_CHOICE,
		[PORT_SWITCH] = FIELD_CHOICE,
	};
	double unit = key->type == PORT_MS ? 1000 : 1;
	size_t base = key->of_unit ? offsetof(struct link_section, unit)
				   : offsetof(struct link_section, port);
	return (struct field){
		.name = key->key,
		.type = types[key->type],
		.flags = key->type == PORT_HEX ? FIELD_HEX : 0,
		.offset = base + key->offset,
		.min = key->min / unit,
		.max = key->max / unit,
		.choices = key->words,
		.help = key->help,
	};
}

void link_fields(const struct port_kind *kind, struct field fields[LINK_FIELDS_MAX])
{
	const struct port_key *key;
	size_t count = 0;
	fields[count++] = (struct field){"type", FIELD_NODE,
		.offset = offsetof(struct link_section, type), .help = "the type of the link"};
	for (size_t i = 0; (key = port_key_at(i)) != NULL; i++) {
		if (key->key == NULL || (key->links & kind->link) == 0)
			continue;
		assert(count + 1 < LINK_FIELDS_MAX);
		fields[count] = field_of(key);
		if ((key->required & kind->link) != 0)
			fields[count].flags |= FIELD_REQUIRED;
		count++;
	}
	fields[count] = (struct field){0};
}

static bool has_key(const struct port_kind *kind, const char *name)
{
	const struct port_key *key;
	if (strcmp(name, "type") == 0)
		return true;
	for (size_t i = 0; (key = port_key_at(i)) != NULL; i++)
		if ((key->links & kind->link) != 0 && key->key != NULL &&
			strcmp(key->key, name) == 0)
			return true;
	return false;
}

/* --- which kind ------------------------------------------------------------------------------- */

static void offer_kinds(struct suggest *near, const struct catalog_driver *driver)
{
	const struct port_kind *kind;
	for (size_t i = 0; (kind = port_kind_at(i)) != NULL; i++)
		if (port_kind_fits(kind, driver->links))
			suggest_offer(near, kind->name);
}

static const struct port_kind *read_kind(
	struct load *load, const struct node *type, const struct catalog_driver *driver)
{
	const char *name = type->type == NODE_SCALAR ? type->text : "";
	const struct port_kind *kind = port_kind_named(string_of(name));
	if (kind != NULL && port_kind_fits(kind, driver->links))
		return kind;
	char found[80], end[400], hint[100];
	struct suggest near;
	suggest_init(&near, name);
	offer_kinds(&near, driver);
	suggest_text(&near, end, sizeof end);
	hint_value(name, hint, sizeof hint);
	node_found(type, found, sizeof found);
	if (kind != NULL)
		load_error(load, type->mark, "driver %.40s has no link %s%s", driver->name, found,
			end);
	else
		load_error(load, type->mark, "unknown type of link %s%s", found,
			hint[0] != '\0' ? hint : end);
	return NULL;
}

/* From the name alone, from `type:`, or from the driver if that has only one kind. */
static const struct port_kind *find_kind(struct load *load, const struct node *node,
	struct config_mark where, const struct catalog_driver *driver)
{
	bool is_map = node != NULL && node->type == NODE_MAP;
	const struct node *type = is_map ? node_get(node, "type") : node;
	if (type != NULL && !node_is_nothing(type))
		return read_kind(load, type, driver);
	const struct port_kind *only = port_kind_of(driver->links);
	if (only == NULL) {
		char end[400];
		struct suggest near;
		suggest_init(&near, "");
		offer_kinds(&near, driver);
		load_error(load, node != NULL ? node->key_mark : where,
			"the type of the link is missing%s", suggest_text(&near, end, sizeof end));
	}
	return only;
}

/* --- values ----------------------------------------------------------------------------------- */

void link_check_profile(struct load *load, const struct node *profile)
{
	if (profile == NULL || !fields_expect_map(load, profile, "a profile's link", true))
		return;
	for (const struct node *child = profile->first; child != NULL; child = child->next) {
		const struct port_kind *any;
		bool known = false;
		for (size_t i = 0; (any = port_kind_at(i)) != NULL && !known; i++)
			known = has_key(any, child->key);
		if (!known)
			load_error(load, child->key_mark, "unknown key '%.60s' in a profile's link",
				child->key);
	}
}

/* A profile serves every kind: its `baud` means nothing to modbus-tcp and is left out there. */
static const struct node *profile_keys(
	struct load *load, const struct node *profile, const struct port_kind *kind)
{
	link_check_profile(load, profile);
	if (profile == NULL || profile->type != NODE_MAP)
		return NULL;
	struct node *map = arena_copy(load->arena, profile, sizeof *profile);
	for (struct node **at = map != NULL ? &map->first : NULL; at != NULL && *at != NULL;) {
		if (has_key(kind, (*at)->key))
			at = &(*at)->next;
		else
			*at = (*at)->next;
	}
	return map;
}

/* Takes the kind of link and this driver's unit from the recording. */
static void read_recording(struct load *load, const struct node *map,
	const struct catalog_driver *driver, struct link_section *s)
{
	static struct capture_head head; /* loading is done by one thread */
	const struct node *file = node_get(map, "file");
	char why[CAPTURE_WHY];
	size_t unit = 0;
	if (s->port.playback == NULL || file == NULL)
		return;
	if (capture_file_head(s->port.playback, &head, why) < 0) {
		load_error(load, file->mark, "cannot play '%.120s': %s", s->port.playback, why);
		return;
	}
	while (unit < head.unit_count && strcmp(head.units[unit].driver, driver->name) != 0)
		unit++;
	const struct port_kind *kind = port_kind_named(string_of(head.link));
	if (unit == head.unit_count || kind == NULL || (driver->links & kind->link) == 0) {
		load_error(load, file->mark,
			"'%.120s' was recorded on a %s link with driver %s, not with %s",
			s->port.playback, head.link, head.units[head.unit].driver, driver->name);
		return;
	}
	if (strcmp(head.units[head.unit].driver, driver->name) == 0)
		unit = head.unit;
	s->port.kind = kind->link;
	if (node_get(map, "unit_id") == NULL)
		s->unit.unit_id = head.units[unit].unit_id;
}

static void check_faults(struct load *load, const struct node *node, const char *text)
{
	struct faults faults;
	char why[FAULTS_WHY];
	if (faults_read(&faults, text, why) < 0)
		load_error(load, node->mark, "%s", why);
}

bool link_read(struct load *load, const struct node *node, struct config_mark where,
	const struct node *profile, const struct catalog_driver *driver, struct port *port,
	unsigned *unit_id)
{
	size_t before = load->errors->count;
	if (node != NULL && node->type == NODE_LIST) {
		load_found(load, node, "expected a type of link or a map");
		return false;
	}
	const struct port_kind *kind = find_kind(load, node, where, driver);
	if (kind == NULL)
		return false;
	const char *preset = catalog_link_defaults(driver, kind->link);
	const struct node *map = NULL;
	if (preset != NULL)
		map = yaml_parse_value(preset, true,
			arena_printf(load->arena, "(link defaults of driver %s)", driver->name),
			load->arena, load->errors);
	map = node_overlay(load->arena, map, profile_keys(load, profile, kind));
	map = node_overlay(load->arena, map, node != NULL && node->type == NODE_MAP ? node : NULL);
	struct field fields[LINK_FIELDS_MAX];
	struct link_section s = {0};
	link_fields(kind, fields);
	port_init(&s.port, &s.unit, kind);
	fields_read(load, map, arena_printf(load->arena, "a link of type %s", kind->name),
		node != NULL ? node->key_mark : where, fields, &s);
	if (s.port.faults != NULL)
		check_faults(load, node_get(map, "faults"), s.port.faults);
	if (kind->link == PORT_PLAYBACK)
		read_recording(load, map, driver, &s);
	*port = s.port;
	*unit_id = s.unit.unit_id;
	return load->errors->count == before;
}
