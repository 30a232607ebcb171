/* SPDX-License-Identifier: Apache-2.0 */
#include <assay/driver.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "capture/file.h"
#include "config/hint.h"
#include "config/link.h"
#include "config/suggest.h"

#define BAUD_MAX      4000000
#define OPEN_MS       5000
#define REPLY_MS      1000
#define TIMEOUT_S_MAX 600
#define PORT_MODBUS   502
#define PORT_HTTP     80

struct link_section {
	struct port port;
	unsigned unit_id, parity, flow, pace, end;
	const struct node *type;
};

#define AT(member) offsetof(struct link_section, member)

static const char *const flow_choices[] = {"none", "rtscts", "xonxoff", NULL};
static const char *const parity_choices[] = {"none", "even", "odd", NULL};
static const char *const pace_choices[] = {"fast", "recorded", NULL};
static const char *const end_choices[] = {"stop", "loop", NULL};
static const char parity_letters[] = "NEO";

/* Rows that several tables share. */
#define TYPE_FIELD                                                              \
	{                                                                       \
		"type", FIELD_NODE, 0, AT(type), .help = "the type of the link" \
	}
#define OPEN_FIELD                                                                          \
	{                                                                                   \
		"open_timeout", FIELD_MS, 0, AT(port.open_ms), 0.1, TIMEOUT_S_MAX,          \
			.help = "how long opening or connecting may take; 5s when not said" \
	}
#define REPLY_FIELD                                                                    \
	{                                                                              \
		"reply_timeout", FIELD_MS, 0, AT(port.reply_ms), 0.01, TIMEOUT_S_MAX,  \
			.help = "how long an answer may take in all; 1s when not said" \
	}
#define SERIAL_FIELDS(parity_flags)                                                                \
	{"port", FIELD_PATH, FIELD_REQUIRED, AT(port.port),                                        \
		.help = "device file, best its /dev/serial/by-id name, which stays the same"},     \
		{"baud", FIELD_UINT, FIELD_REQUIRED, AT(port.baud), 50, BAUD_MAX,                  \
			.help = "bits per second"},                                                \
		{"data_bits", FIELD_UINT, 0, AT(port.data_bits), 5, 8, .help = "8 when not said"}, \
		{"parity", FIELD_CHOICE, (parity_flags), AT(parity), .choices = parity_choices,    \
			.help = "none, even or odd, as set at the instrument"},                    \
	{                                                                                          \
		"stop_bits", FIELD_UINT, 0, AT(port.stop_bits), 1, 2, .help = "1 when not said"    \
	}
#define UNIT_FIELD(unit_flags, unit_min, unit_max, text)                                  \
	{                                                                                 \
		"unit_id", FIELD_UINT, (unit_flags), AT(unit_id), (unit_min), (unit_max), \
			.help = (text)                                                    \
	}
#define HOST_FIELD                                                 \
	{                                                          \
		"host", FIELD_TEXT, FIELD_REQUIRED, AT(port.host), \
			.help = "its name or IP address"           \
	}
#define NUMBER_FIELD(number_flags, text)                                                      \
	{                                                                                     \
		"port", FIELD_UINT, (number_flags), AT(port.number), 1, 65535, .help = (text) \
	}

static const struct field serial_fields[] = {
	TYPE_FIELD,
	SERIAL_FIELDS(0),
	{"flow", FIELD_CHOICE, 0, AT(flow), .choices = flow_choices,
		.help = "flow control; none when not said"},
	OPEN_FIELD,
	{0},
};

static const struct field modbus_rtu_fields[] = {
	TYPE_FIELD,
	SERIAL_FIELDS(FIELD_REQUIRED),
	UNIT_FIELD(FIELD_REQUIRED, 1, 247, "the instrument's Modbus address"),
	OPEN_FIELD,
	REPLY_FIELD,
	{0},
};

static const struct field usb_fields[] = {
	TYPE_FIELD,
	{"vid", FIELD_UINT, FIELD_REQUIRED | FIELD_HEX, AT(port.vid), 1, 0xffff,
		.help = "USB vendor number, as lsusb shows it"},
	{"pid", FIELD_UINT, FIELD_REQUIRED | FIELD_HEX, AT(port.pid), 0, 0xffff,
		.help = "USB product number, as lsusb shows it"},
	{"serial", FIELD_TEXT, 0, AT(port.serial),
		.help = "USB serial text, to pick one of several equal devices"},
	{"path", FIELD_TEXT, 0, AT(port.path),
		.help = "the socket such as 1-2.3, to pick one of several equal devices"},
	{"interface", FIELD_UINT, 0, AT(port.interface), 0, 255, .help = "interface number"},
	{"in", FIELD_UINT, FIELD_HEX, AT(port.in), 0x81, 0x8f,
		.help = "endpoint from the instrument"},
	{"out", FIELD_UINT, FIELD_HEX, AT(port.out), 0x01, 0x0f,
		.help = "endpoint to the instrument"},
	OPEN_FIELD,
	{0},
};

static const struct field network_fields[] = {
	TYPE_FIELD,
	HOST_FIELD,
	NUMBER_FIELD(FIELD_REQUIRED, "the instrument's port number"),
	OPEN_FIELD,
	{0},
};

static const struct field http_fields[] = {
	TYPE_FIELD,
	HOST_FIELD,
	NUMBER_FIELD(0, "80 when not said"),
	OPEN_FIELD,
	{0},
};

static const struct field modbus_tcp_fields[] = {
	TYPE_FIELD,
	HOST_FIELD,
	NUMBER_FIELD(0, "502 when not said"),
	UNIT_FIELD(0, 0, 255, "the instrument's Modbus address; 1 when not said"),
	OPEN_FIELD,
	REPLY_FIELD,
	{0},
};

static const struct field playback_fields[] = {
	TYPE_FIELD,
	{"file", FIELD_PATH, FIELD_REQUIRED, AT(port.playback),
		.help = "a recording made by assayctl capture"},
	{"pace", FIELD_CHOICE, 0, AT(pace), .choices = pace_choices,
		.help = "fast: answers come at once (when not said); recorded: when they came "
			"then"},
	{"end", FIELD_CHOICE, 0, AT(end), .choices = end_choices,
		.help = "at its end: stop (when not said), or loop: from the beginning"},
	UNIT_FIELD(0, 0, 255, "the Modbus address; as recorded when not said"),
	REPLY_FIELD,
	{0},
};

static const struct field none_fields[] = {TYPE_FIELD, {0}};

static const struct link_type types[] = {
	{ASSAY_LINK_SERIAL, "serial", "a serial link", serial_fields},
	{ASSAY_LINK_USB, "usb", "a usb link", usb_fields},
	{ASSAY_LINK_TCP, "tcp", "a tcp link", network_fields},
	{ASSAY_LINK_UDP, "udp", "a udp link", network_fields},
	{ASSAY_LINK_HTTP, "http", "an http link", http_fields},
	{ASSAY_LINK_MODBUS_RTU, "modbus-rtu", "a modbus-rtu link", modbus_rtu_fields},
	{ASSAY_LINK_MODBUS_TCP, "modbus-tcp", "a modbus-tcp link", modbus_tcp_fields},
	{LINK_PLAYBACK, "playback", "a playback link", playback_fields},
	{ASSAY_LINK_NONE, "none", "a link of type none", none_fields},
};
#define TYPE_COUNT (sizeof types / sizeof types[0])

const struct link_type *link_type_at(size_t i)
{
	return i < TYPE_COUNT ? &types[i] : NULL;
}

const struct link_type *link_type_of(unsigned link)
{
	for (size_t i = 0; i < TYPE_COUNT; i++)
		if (types[i].link == link)
			return &types[i];
	return NULL;
}

const char *config_link_name(unsigned link)
{
	const struct link_type *type = link_type_of(link);
	return type != NULL ? type->name : "";
}

/* Whatever has bytes can be played back. */
bool link_type_fits(const struct catalog_driver *driver, const struct link_type *type)
{
	unsigned links = driver->links;
	if ((links & ~(unsigned)ASSAY_LINK_NONE) != 0)
		links |= LINK_PLAYBACK;
	return (links & type->link) != 0;
}

static const struct link_type *type_named(const char *name)
{
	for (size_t i = 0; i < TYPE_COUNT; i++)
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
	return NULL;
}

/* --- which type ------------------------------------------------------------------------------ */

static void wrong_type(struct load *load, const struct node *said,
	const struct catalog_driver *driver, const char *problem)
{
	char found[80], end[400], hint[80] = "";
	struct suggest near;
	suggest_init(&near, said->type == NODE_SCALAR ? said->text : "");
	for (size_t i = 0; i < TYPE_COUNT; i++)
		if (link_type_fits(driver, &types[i]))
			suggest_offer(&near, types[i].name);
	if (said->type == NODE_SCALAR)
		hint_missing_space(said->text, hint, sizeof hint);
	load_error(load, said->mark, "%s %s%s", node_found(said, found, sizeof found), problem,
		hint[0] != '\0' ? hint : suggest_text(&near, end, sizeof end));
}

static const struct link_type *read_type(
	struct load *load, const struct node *said, const struct catalog_driver *driver)
{
	char problem[120];
	const struct link_type *type = said->type == NODE_SCALAR ? type_named(said->text) : NULL;
	if (type != NULL && link_type_fits(driver, type))
		return type;
	if (type == NULL)
		snprintf(problem, sizeof problem, "is no type of link");
	else
		snprintf(problem, sizeof problem, "is no link of driver %.40s", driver->name);
	wrong_type(load, said, driver, problem);
	return NULL;
}

/* Said by name, by `type:`, or not at all where the driver has only one. */
static const struct link_type *find_type(struct load *load, const struct node *node,
	struct config_mark where, const struct catalog_driver *driver)
{
	const struct node *said = node != NULL && node->type == NODE_MAP ? node_get(node, "type")
									 : node;
	if (said != NULL && !node_is_nothing(said))
		return read_type(load, said, driver);
	const struct link_type *only = link_type_of(driver->links);
	if (only == NULL) {
		char end[400];
		struct suggest near;
		suggest_init(&near, "");
		for (size_t i = 0; i < TYPE_COUNT; i++)
			if (link_type_fits(driver, &types[i]))
				suggest_offer(&near, types[i].name);
		load_error(load, node != NULL ? node->key_mark : where,
			"the type of the link is missing%s", suggest_text(&near, end, sizeof end));
	}
	return only;
}

/* --- what else ------------------------------------------------------------------------------- */

static const struct node *driver_defaults(
	struct load *load, const struct catalog_driver *driver, unsigned link)
{
	const struct assay_link_defaults *d = driver->link_defaults;
	while (d != NULL && d->link != 0 && d->link != link)
		d++;
	if (d == NULL || d->link == 0 || d->defaults == NULL)
		return NULL;
	const char *name = arena_printf(load->arena, "(link defaults of driver %s)", driver->name);
	return yaml_parse_value(d->defaults, true, name, load->arena, load->errors);
}

static struct link_section defaults_of(const struct link_type *type)
{
	struct link_section s = {.port = {.kind = type->link, .open_ms = OPEN_MS}};
	bool is_modbus = type->link == ASSAY_LINK_MODBUS_RTU || type->link == ASSAY_LINK_MODBUS_TCP;
	if (type->link == ASSAY_LINK_SERIAL || type->link == ASSAY_LINK_MODBUS_RTU) {
		s.port.data_bits = 8;
		s.port.stop_bits = 1;
	}
	if (type->link == LINK_PLAYBACK)
		s.port.reply_ms = REPLY_MS;
	if (is_modbus) {
		s.port.reply_ms = REPLY_MS;
		s.unit_id = 1;
	}
	if (type->link == ASSAY_LINK_MODBUS_TCP)
		s.port.number = PORT_MODBUS;
	if (type->link == ASSAY_LINK_HTTP)
		s.port.number = PORT_HTTP;
	return s;
}

static void check_host(struct load *load, const struct node *map, const char *host)
{
	const struct node *said = node_get(map, "host");
	if (host == NULL || said == NULL)
		return;
	size_t good = strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				   ".-_:%");
	if (host[good] != '\0' || good > 253)
		load_error(load, said->mark,
			"found '%.60s', expected a host name or an IP address alone", host);
}

/* "1-2.3": bus, then the sockets on the way. */
static void check_usb_path(struct load *load, const struct node *map, const char *path)
{
	const struct node *said = node_get(map, "path");
	if (path == NULL || said == NULL)
		return;
	size_t bus = strspn(path, "0123456789");
	bool is_path = bus > 0 && path[bus] == '-' && path[bus + 1] != '\0' &&
		       path[strspn(path, "0123456789-.")] == '\0' && strlen(path) < 32;
	if (!is_path)
		load_error(load, said->mark,
			"found '%.60s', expected bus and socket such as 1-2.3 (see lsusb -t)",
			path);
}

/* The recording says which kind of link it is of, and which unit was this driver's. */
static void read_playback(struct load *load, const struct node *map,
	const struct catalog_driver *driver, struct link_section *s)
{
	static struct capture_head head; /* loading is done by one thread */
	const struct node *said = node_get(map, "file");
	char why[CAPTURE_WHY];
	size_t unit = 0;
	if (s->port.playback == NULL || said == NULL)
		return;
	if (capture_file_head(s->port.playback, &head, why) < 0) {
		load_error(load, said->mark, "cannot play '%.120s': %s", s->port.playback, why);
		return;
	}
	while (unit < head.unit_count && strcmp(head.units[unit].driver, driver->name) != 0)
		unit++;
	const struct link_type *type = type_named(head.link);
	if (unit == head.unit_count || type == NULL || (driver->links & type->link) == 0) {
		load_error(load, said->mark,
			"'%.120s' was recorded on a %s link with driver %s, not with %s",
			s->port.playback, head.link, head.units[head.unit].driver, driver->name);
		return;
	}
	if (strcmp(head.units[head.unit].driver, driver->name) == 0)
		unit = head.unit;
	s->port.kind = type->link;
	if (node_get(map, "unit_id") == NULL)
		s->unit_id = head.units[unit].unit_id;
}

static bool has_key(const struct link_type *type, const char *key)
{
	for (const struct field *f = type->fields; f->name != NULL; f++)
		if (strcmp(f->name, key) == 0)
			return true;
	return false;
}

/* A profile does not say which type it is used with: its `baud` means nothing to modbus-tcp. */
static const struct node *profile_keys(
	struct load *load, const struct node *profile, const struct link_type *type)
{
	if (profile == NULL || !fields_expect_map(load, profile, "a profile's link", true))
		return NULL;
	struct node *map = arena_copy(load->arena, profile, sizeof *profile);
	if (map == NULL || map->type != NODE_MAP)
		return NULL;
	for (struct node **at = &map->first; *at != NULL;) {
		bool known = false;
		for (size_t i = 0; i < TYPE_COUNT && !known; i++)
			known = has_key(&types[i], (*at)->key);
		if (!known)
			load_error(
				load, (*at)->key_mark, "'%.60s' is no key of any link", (*at)->key);
		if (has_key(type, (*at)->key))
			at = &(*at)->next;
		else
			*at = (*at)->next;
	}
	return map;
}

bool link_read(struct load *load, const struct node *node, struct config_mark where,
	const struct node *profile, const struct catalog_driver *driver, struct port *port,
	unsigned *unit_id)
{
	size_t before = load->errors->count;
	if (node != NULL && node->type == NODE_LIST) {
		load_error(load, node->mark, "found a list, expected a type of link or a map");
		return false;
	}
	const struct link_type *type = find_type(load, node, where, driver);
	if (type == NULL)
		return false;
	if (node != NULL)
		where = node->key_mark;
	const struct node *said = node != NULL && node->type == NODE_MAP ? node : NULL;
	const struct node *map = node_overlay(load->arena,
		driver_defaults(load, driver, type->link), profile_keys(load, profile, type));
	map = node_overlay(load->arena, map, said);
	struct link_section s = defaults_of(type);
	fields_read(load, map, type->what, where, type->fields, &s);
	if (type->link == LINK_PLAYBACK)
		read_playback(load, map, driver, &s);
	check_host(load, map, s.port.host);
	check_usb_path(load, map, s.port.path);
	if (type->link == ASSAY_LINK_SERIAL || type->link == ASSAY_LINK_MODBUS_RTU)
		s.port.parity = parity_letters[s.parity];
	s.port.flow = (enum port_flow)s.flow;
	s.port.recorded_pace = s.pace == 1;
	s.port.loop = s.end == 1;
	*port = s.port;
	*unit_id = s.unit_id;
	return load->errors->count == before;
}
