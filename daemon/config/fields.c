/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/suggest.h"
#include "config/date.h"
#include "config/devices.h"
#include "config/fields.h"
#include "config/quantity.h"
#include "wire/host.h"
#include "record/text.h"

#define TEXT_BYTES_MAX 4096
#define DIGITS         "0123456789"

/* --- messages ---------------------------------------------------------------------------------*/

const char *fields_expected_bool(const char *text)
{
	static const char *const yes[] = {
		"yes", "Yes", "YES", "on", "On", "ON", "True", "TRUE", "y"};
	static const char *const no[] = {
		"no", "No", "NO", "off", "Off", "OFF", "False", "FALSE", "n"};
	for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
		if (strcmp(text, yes[i]) == 0)
			return "expected true or false; write true";
		if (strcmp(text, no[i]) == 0)
			return "expected true or false; write false";
	}
	return "expected true or false";
}

int fields_find_choice(
	struct load *load, const struct node *node, const char *name, const char *const *choices)
{
	const char *text = node->type == NODE_SCALAR ? node->text : "";
	char found[80], end[400];
	for (int i = 0; choices[i] != NULL; i++)
		if (strcmp(choices[i], text) == 0)
			return i;
	struct suggest near;
	suggest_init(&near, text);
	suggest_offer_all(&near, choices);
	load_error(load, node->mark, "found %s for '%s'%s", node_found(node, found, sizeof found),
		name, suggest_text(&near, end, sizeof end));
	return -1;
}

static const char *expected_of(enum field_type type)
{
	switch (type) {
	case FIELD_BOOL: return "expected true or false";
	case FIELD_UINT:
	case FIELD_COUNT: return "expected a whole number";
	case FIELD_DURATION:
	case FIELD_MS: return "expected a time such as 60 s";
	case FIELD_SIZE: return "expected a size such as 200 GiB";
	case FIELD_DATE:
		return "expected a date such as 2027-04-01, or a time such as 2027-04-01T12:00:00Z";
	case FIELD_DEVICE: return "expected a device file such as /dev/serial/by-id/usb-...";
	case FIELD_PATH: return "expected an absolute path, starting with /";
	case FIELD_HOST: return "expected a host name or an IP address alone";
	case FIELD_USB_SOCKET: return "expected bus and socket such as 1-2.3 (see lsusb -t)";
	case FIELD_TOKEN: return "expected 1 to 32 characters of a-z, 0-9 and -";
	default: return "expected a text of 1 to 4096 bytes";
	}
}

/* --- one value ------------------------------------------------------------------------------- */

/* "1-2.3": the bus, then the sockets on the way. */
static bool is_usb_socket(const char *text)
{
	size_t bus = strspn(text, DIGITS);
	return bus > 0 && text[bus] == '-' && text[bus + 1] != '\0' &&
	       text[strspn(text, DIGITS "-.")] == '\0' && strlen(text) < 32;
}

static bool is_text(enum field_type type, const char *text)
{
	size_t len = strlen(text);
	switch (type) {
	case FIELD_TOKEN: return token_is_valid(string_of(text));
	case FIELD_DEVICE:
	case FIELD_PATH: return text[0] == '/' && len <= TEXT_BYTES_MAX;
	case FIELD_HOST: return host_complaint(text) == NULL;
	case FIELD_USB_SOCKET: return is_usb_socket(text);
	default: return len > 0 && len <= TEXT_BYTES_MAX;
	}
}

static void read_integer(
	struct load *load, const struct field *f, const struct node *node, void *to)
{
	double max = f->max != 0 ? f->max : f->type == FIELD_UINT ? UINT32_MAX : (double)INT64_MAX;
	int64_t value;
	int r = quantity_parse_integer(node->text, &value);
	if (r < 0 || (double)value < f->min || (double)value > max) {
		if (f->max == 0)
			load_found(load, node, "expected a whole number");
		else if ((f->flags & FIELD_HEX) != 0)
			load_found(load, node, "expected a number from 0x%x to 0x%x",
				(unsigned)f->min, (unsigned)f->max);
		else
			load_found(load, node, "expected a whole number from %.0f to %.0f", f->min,
				f->max);
	} else if (f->type == FIELD_UINT) {
		*(unsigned *)to = (unsigned)value;
	} else {
		*(uint64_t *)to = (uint64_t)value;
	}
}

static void read_time(struct load *load, const struct field *f, const struct node *node, void *to)
{
	char why[QUANTITY_TEXT];
	double seconds, max = f->max != 0 ? f->max : 9e9;
	if (quantity_read(node->text, "s", &seconds, why) < 0)
		load_found(load, node, "%s", why);
	else if (seconds < f->min || seconds > max)
		load_found(load, node, "expected a time from %.6g s to %.6g s", f->min, max);
	else if (f->type == FIELD_MS)
		*(unsigned *)to = (unsigned)lround(seconds * 1000);
	else
		*(uint64_t *)to = (uint64_t)llround(seconds * 1e9);
}

/* In the largest unit that leaves it whole; limits are round numbers. */
static const char *format_size(char to[24], double bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	size_t i = 0;
	while (i < 4 && bytes >= 1024 && fmod(bytes, 1024) == 0) {
		bytes /= 1024;
		i++;
	}
	snprintf(to, 24, "%.0f %s", bytes, units[i]);
	return to;
}

static void read_size(struct load *load, const struct field *f, const struct node *node, void *to)
{
	char why[QUANTITY_TEXT], least[24], most[24];
	double bytes, max = f->max != 0 ? f->max : 0x1p60;
	if (quantity_read(node->text, "By", &bytes, why) < 0)
		load_found(load, node, "%s", expected_of(FIELD_SIZE));
	else if (bytes < f->min || bytes > max)
		load_found(load, node, "expected a size from %s to %s", format_size(least, f->min),
			format_size(most, max));
	else
		*(uint64_t *)to = (uint64_t)bytes;
}

static void read_flags(struct load *load, const struct field *f, const struct node *node, void *to)
{
	unsigned bits = 0;
	if (node->type != NODE_LIST) {
		load_found(load, node, "expected a list such as [%s]", f->choices[0]);
		return;
	}
	for (const struct node *item = node->first; item != NULL; item = item->next) {
		int index = fields_find_choice(load, item, f->name, f->choices);
		bits |= index >= 0 ? 1u << index : 0;
	}
	*(unsigned *)to = bits;
}

/* Reports a text that is_text() does not accept. */
static void wrong_text(struct load *load, const struct field *f, const struct node *node)
{
	char token[SUGGEST_TOKEN];
	const char *near = f->type == FIELD_TOKEN ? suggest_token(node->text, token) : NULL;
	if (f->type == FIELD_HOST)
		load_found(load, node, "%s", host_complaint(node->text));
	else if (f->type == FIELD_DEVICE)
		load_found(load, node, "%s%s", expected_of(f->type), devices_text(load->arena));
	else if (near != NULL)
		load_found(load, node, "%s; did you mean '%s'?", expected_of(f->type), near);
	else
		load_found(load, node, "%s", expected_of(f->type));
}

static void read_field(struct load *load, const struct field *f, const struct node *node, void *to)
{
	const char *text = node->text;
	int index;
	if (f->type < FIELD_CHOICE && (node->type != NODE_SCALAR || node_is_nothing(node))) {
		load_found(load, node, "%s", expected_of(f->type));
		return;
	}
	switch (f->type) {
	case FIELD_TEXT:
	case FIELD_TOKEN:
	case FIELD_PATH:
	case FIELD_DEVICE:
	case FIELD_HOST:
	case FIELD_USB_SOCKET:
		if (!is_text(f->type, text))
			wrong_text(load, f, node);
		else if (f->type != FIELD_TEXT || load_seen(load, node))
			*(const char **)to = text;
		break;
	case FIELD_BOOL:
		if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
			*(bool *)to = text[0] == 't';
		else
			load_found(load, node, "%s", fields_expected_bool(text));
		break;
	case FIELD_UINT:
	case FIELD_COUNT: read_integer(load, f, node, to); break;
	case FIELD_DURATION:
	case FIELD_MS: read_time(load, f, node, to); break;
	case FIELD_SIZE: read_size(load, f, node, to); break;
	case FIELD_DATE:
		if (date_parse(text, (f->flags & FIELD_END) != 0, to) < 0)
			load_found(load, node, "%s", expected_of(FIELD_DATE));
		break;
	case FIELD_CHOICE:
		index = fields_find_choice(load, node, f->name, f->choices);
		if (index >= 0)
			*(unsigned *)to = (unsigned)index;
		break;
	case FIELD_FLAGS: read_flags(load, f, node, to); break;
	case FIELD_NODE: *(const struct node **)to = node; break;
	case FIELD_SECTION: assert(!"fields_read() reads sections"); break;
	}
}

/* --- sections -------------------------------------------------------------------------------- */

bool fields_expect_map(
	struct load *load, const struct node *node, const char *name, bool may_be_empty)
{
	if (node->type == NODE_MAP || (may_be_empty && node_is_nothing(node)))
		return true;
	load_found(load, node, "expected the keys of %s in lines of their own", name);
	return false;
}

/* The same of a section whose keys are known: `acquire: continuous` is one of its choices. */
static bool expect_section(
	struct load *load, const struct node *node, const char *name, const struct field *fields)
{
	for (const struct field *f = fields; f->name != NULL && node->type == NODE_SCALAR; f++) {
		for (size_t i = 0; f->choices != NULL && f->choices[i] != NULL; i++) {
			if (strcmp(f->choices[i], node->text) != 0)
				continue;
			load_found(load, node, "expected %s: {%s: %s}", name, f->name, node->text);
			return false;
		}
	}
	return fields_expect_map(load, node, name, true);
}

static int find_field(const struct field *fields, const char *name)
{
	for (int i = 0; fields[i].name != NULL; i++)
		if (strcmp(fields[i].name, name) == 0)
			return i;
	return -1;
}

/* The section below this one that has such a key; NULL: none has. */
static const char *section_of(struct load *load, const char *key, const struct field *fields)
{
	for (const struct field *f = fields; f->name != NULL; f++)
		if (f->type == FIELD_SECTION && find_field(f->fields, key) >= 0)
			return f->name;
	return load->section_of != NULL ? load->section_of(load, key, fields) : NULL;
}

/* Returns the index of the key that was probably meant, or -1. */
static int unknown_key(
	struct load *load, const struct node *child, const char *name, const struct field *fields)
{
	struct suggest near;
	char end[400];
	const char *section = section_of(load, child->key, fields);
	suggest_init(&near, child->key);
	for (const struct field *f = fields; f->name != NULL; f++)
		suggest_offer(&near, f->name);
	if (section != NULL) {
		load_error(load, child->key_mark, "'%.60s' belongs below '%s:' of %s", child->key,
			section, name);
		return find_field(fields, section);
	}
	load_error(load, child->key_mark, "unknown key '%.60s' in %s%s", child->key, name,
		suggest_text(&near, end, sizeof end));
	return near.best != NULL ? find_field(fields, near.best) : -1;
}

void fields_read(struct load *load, const struct node *map, const char *name,
	struct config_mark where, const struct field *fields, void *into)
{
	if (map != NULL && !expect_section(load, map, name, fields))
		return;
	uint64_t seen = 0; /* or misspelled */
	const struct node *child = map != NULL && map->type == NODE_MAP ? map->first : NULL;
	for (; child != NULL; child = child->next) {
		int i = find_field(fields, child->key);
		if (i < 0)
			i = unknown_key(load, child, name, fields);
		else if (fields[i].type == FIELD_SECTION)
			fields_read(
				load, child, child->key, child->key_mark, fields[i].fields, into);
		else
			read_field(load, &fields[i], child, (char *)into + fields[i].offset);
		seen |= i >= 0 ? UINT64_C(1) << i : 0;
	}
	for (int i = 0; fields[i].name != NULL; i++)
		if ((fields[i].flags & FIELD_REQUIRED) != 0 && (seen >> i & 1) == 0)
			load_error(load, where, "'%s' is missing in %s: %s", fields[i].name, name,
				fields[i].help);
}
