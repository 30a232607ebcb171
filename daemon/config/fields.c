/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "config/date.h"
#include "config/fields.h"
#include "config/hint.h"
#include "config/quantity.h"
#include "config/suggest.h"
#include "record/text.h"

#define TEXT_BYTES_MAX 4096
#define HOST_BYTES_MAX 253
#define DIGITS         "0123456789"
#define HOST           DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-_:%"
#define NS             1e9

/* --- values ---------------------------------------------------------------------------------- */

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

/* --- one field ------------------------------------------------------------------------------- */

/* A field, its value and where it goes. */
struct reading {
	struct load *load;
	const struct field *field;
	const struct node *node;
	void *to;
};

static void wrong(const struct reading *r, const char *expected)
{
	char found[80], hint[80] = "";
	if (r->node->type == NODE_SCALAR)
		hint_missing_space(r->node->text, hint, sizeof hint);
	load_error(r->load, r->node->mark, "found %s, expected %s%s",
		node_found(r->node, found, sizeof found), expected, hint);
}

static const char *expected_of(enum field_type type)
{
	switch (type) {
	case FIELD_BOOL: return "true or false";
	case FIELD_UINT:
	case FIELD_COUNT: return "a whole number";
	case FIELD_DURATION:
	case FIELD_MS: return "a time such as 60 s";
	case FIELD_SIZE: return "a size such as 200 GiB";
	case FIELD_DATE: return "a date such as 2027-04-01";
	case FIELD_PATH: return "an absolute path, beginning with /";
	case FIELD_HOST: return "a host name or an IP address alone";
	case FIELD_USB_SOCKET: return "bus and socket such as 1-2.3 (see lsusb -t)";
	case FIELD_TOKEN: return "1 to 32 characters of a-z, 0-9 and -";
	default: return "a text";
	}
}

/* "1-2.3": the bus, then the sockets on the way. */
static bool is_usb_socket(const char *text)
{
	size_t bus = strspn(text, DIGITS);
	return bus > 0 && text[bus] == '-' && text[bus + 1] != '\0' &&
	       text[strspn(text, DIGITS "-.")] == '\0' && strlen(text) < 32;
}

static void read_text(const struct reading *r)
{
	const char *text = r->node->text, *expected = expected_of(r->field->type);
	size_t len = strlen(text);
	bool fits = len > 0 && len <= TEXT_BYTES_MAX;
	switch (r->field->type) {
	case FIELD_TOKEN: fits = token_is_valid(string_of(text)); break;
	case FIELD_PATH: fits = fits && text[0] == '/'; break;
	case FIELD_HOST:
		fits = fits && len <= HOST_BYTES_MAX && text[strspn(text, HOST)] == '\0';
		break;
	case FIELD_USB_SOCKET: fits = is_usb_socket(text); break;
	default: expected = "a text of 1 to 4096 bytes"; break;
	}
	if (fits)
		*(const char **)r->to = text;
	else
		wrong(r, expected);
}

static void read_bool(const struct reading *r)
{
	const char *text = r->node->text;
	bool is_true = strcmp(text, "true") == 0;
	if (!is_true && strcmp(text, "false") != 0) {
		load_error(r->load, r->node->mark, "found '%.60s', %s", text,
			fields_expected_bool(text));
		return;
	}
	*(bool *)r->to = is_true;
}

static void read_integer(const struct reading *r)
{
	const struct field *f = r->field;
	double max = f->max != 0 ? f->max : f->type == FIELD_UINT ? UINT32_MAX : (double)INT64_MAX;
	int64_t value;
	int status = quantity_parse_integer(r->node->text, &value);
	if (status == 0 && (double)value >= f->min && (double)value <= max) {
		if (f->type == FIELD_UINT)
			*(unsigned *)r->to = (unsigned)value;
		else
			*(uint64_t *)r->to = (uint64_t)value;
		return;
	}
	char expected[120];
	bool is_hex = (f->flags & FIELD_HEX) != 0;
	if (f->max == 0)
		snprintf(expected, sizeof expected, "a whole number");
	else if (is_hex)
		snprintf(expected, sizeof expected, "a number from 0x%x to 0x%x", (unsigned)f->min,
			(unsigned)f->max);
	else
		snprintf(expected, sizeof expected, "a whole number from %.0f to %.0f", f->min,
			f->max);
	wrong(r, expected);
}

/* In seconds; false after an error. */
static bool read_seconds(const struct reading *r, double *seconds)
{
	char why[QUANTITY_TEXT], found[80];
	if (quantity_read(r->node->text, "s", seconds, why) < 0) {
		load_error(r->load, r->node->mark, "found %s, %s",
			node_found(r->node, found, sizeof found), why);
		return false;
	}
	const struct field *f = r->field;
	double max = f->max != 0 ? f->max : 9e9;
	if (*seconds >= f->min && *seconds <= max)
		return true;
	char expected[80];
	snprintf(expected, sizeof expected, "a time from %.6g s to %.6g s", f->min, max);
	wrong(r, expected);
	return false;
}

static void read_duration(const struct reading *r)
{
	double seconds;
	if (!read_seconds(r, &seconds))
		return;
	if (r->field->type == FIELD_MS)
		*(unsigned *)r->to = (unsigned)lround(seconds * 1000);
	else
		*(uint64_t *)r->to = (uint64_t)llround(seconds * NS);
}

/* In the largest unit that leaves it whole; limits are round numbers. */
static const char *format_size(char *to, size_t size, double bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	size_t i = 0;
	while (i < 4 && bytes >= 1024 && fmod(bytes, 1024) == 0) {
		bytes /= 1024;
		i++;
	}
	snprintf(to, size, "%.0f %s", bytes, units[i]);
	return to;
}

static void read_size(const struct reading *r)
{
	char why[QUANTITY_TEXT], found[80];
	double bytes;
	if (quantity_read(r->node->text, "By", &bytes, why) < 0) {
		load_error(r->load, r->node->mark, "found %s, expected a size such as 200 GiB",
			node_found(r->node, found, sizeof found));
		return;
	}
	const struct field *f = r->field;
	double max = f->max != 0 ? f->max : 0x1p60;
	if (bytes >= f->min && bytes <= max) {
		*(uint64_t *)r->to = (uint64_t)bytes;
		return;
	}
	char expected[80], least[24], most[24];
	snprintf(expected, sizeof expected, "a size from %s to %s",
		format_size(least, sizeof least, f->min), format_size(most, sizeof most, max));
	wrong(r, expected);
}

static void read_date(const struct reading *r)
{
	bool end = (r->field->flags & FIELD_END) != 0;
	if (date_parse(r->node->text, end, r->to) < 0)
		wrong(r, "a date such as 2027-04-01, or a time such as 2027-04-01T12:00:00Z");
}

/* The index, or -1 after an error. */
static int find_choice(const struct reading *r, const struct node *node)
{
	const char *const *choices = r->field->choices;
	char found[80], end[400];
	if (node->type == NODE_SCALAR)
		for (int i = 0; choices[i] != NULL; i++)
			if (strcmp(choices[i], node->text) == 0)
				return i;
	struct suggest near;
	suggest_init(&near, node->type == NODE_SCALAR ? node->text : "");
	suggest_offer_all(&near, choices);
	load_error(r->load, node->mark, "found %s for '%s'%s",
		node_found(node, found, sizeof found), r->field->name,
		suggest_text(&near, end, sizeof end));
	return -1;
}

static void read_choice(const struct reading *r)
{
	int index = find_choice(r, r->node);
	if (index >= 0)
		*(unsigned *)r->to = (unsigned)index;
}

static void read_flags(const struct reading *r)
{
	if (r->node->type != NODE_LIST) {
		char expected[80];
		snprintf(expected, sizeof expected, "a list such as [%s]", r->field->choices[0]);
		wrong(r, expected);
		return;
	}
	unsigned bits = 0;
	for (const struct node *item = r->node->first; item != NULL; item = item->next) {
		int index = find_choice(r, item);
		if (index >= 0)
			bits |= 1u << index;
	}
	*(unsigned *)r->to = bits;
}

static void read_field(const struct reading *r)
{
	enum field_type type = r->field->type;
	bool wants_scalar = type < FIELD_CHOICE;
	if (wants_scalar && (r->node->type != NODE_SCALAR || node_is_nothing(r->node))) {
		wrong(r, expected_of(type));
		return;
	}
	switch (type) {
	case FIELD_TEXT:
	case FIELD_TOKEN:
	case FIELD_PATH:
	case FIELD_HOST:
	case FIELD_USB_SOCKET: read_text(r); break;
	case FIELD_BOOL: read_bool(r); break;
	case FIELD_UINT:
	case FIELD_COUNT: read_integer(r); break;
	case FIELD_DURATION:
	case FIELD_MS: read_duration(r); break;
	case FIELD_SIZE: read_size(r); break;
	case FIELD_DATE: read_date(r); break;
	case FIELD_CHOICE: read_choice(r); break;
	case FIELD_FLAGS: read_flags(r); break;
	case FIELD_NODE: *(const struct node **)r->to = r->node; break;
	case FIELD_SECTION: assert(!"read by fields_read"); break;
	}
}

/* --- sections -------------------------------------------------------------------------------- */

bool fields_expect_map(
	struct load *load, const struct node *node, const char *what, bool may_be_empty)
{
	if (node->type == NODE_MAP || (may_be_empty && node_is_nothing(node)))
		return true;
	char found[80], hint[80] = "";
	if (node->type == NODE_SCALAR)
		hint_missing_space(node->text, hint, sizeof hint);
	load_error(load, node->mark, "found %s, expected the keys of %s in lines of their own%s",
		node_found(node, found, sizeof found), what, hint);
	return false;
}

/* Returns the key that was probably meant, or NULL. */
static const char *unknown_key(
	struct load *load, const struct node *child, const char *what, const struct field *fields)
{
	struct suggest near;
	char end[400];
	suggest_init(&near, child->key);
	for (const struct field *f = fields; f->name != NULL; f++)
		suggest_offer(&near, f->name);
	load_error(load, child->key_mark, "'%.60s' is no key of %s%s", child->key, what,
		suggest_text(&near, end, sizeof end));
	return near.best;
}

static int find_field(const struct field *fields, const char *name)
{
	for (int i = 0; fields[i].name != NULL; i++)
		if (strcmp(fields[i].name, name) == 0)
			return i;
	return -1;
}

static void report_missing(struct load *load, const char *what, struct config_mark where,
	const struct field *fields, uint64_t seen)
{
	for (int i = 0; fields[i].name != NULL; i++)
		if ((fields[i].flags & FIELD_REQUIRED) != 0 && (seen >> i & 1) == 0)
			load_error(load, where, "'%s' is missing in %s: %s", fields[i].name, what,
				fields[i].help);
}

void fields_read(struct load *load, const struct node *map, const char *what,
	struct config_mark where, const struct field *fields, void *into)
{
	if (map != NULL && !fields_expect_map(load, map, what, true))
		return;
	uint64_t seen = 0; /* or misspelled */
	const struct node *child = map != NULL && map->type == NODE_MAP ? map->first : NULL;
	for (; child != NULL; child = child->next) {
		int i = find_field(fields, child->key);
		if (i < 0) {
			const char *meant = unknown_key(load, child, what, fields);
			if (meant != NULL)
				seen |= UINT64_C(1) << find_field(fields, meant);
			continue;
		}
		seen |= UINT64_C(1) << i;
		const struct field *f = &fields[i];
		struct reading r = {load, f, child, (char *)into + f->offset};
		if (f->type == FIELD_SECTION)
			fields_read(load, child, f->name, child->key_mark, f->fields, into);
		else
			read_field(&r);
	}
	report_missing(load, what, where, fields, seen);
}
