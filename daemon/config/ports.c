/* SPDX-License-Identifier: Apache-2.0 */
#include <assay/driver.h>
#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "config/ports.h"

static bool is_modbus(const struct port *port)
{
	return port->kind == ASSAY_LINK_MODBUS_RTU || port->kind == ASSAY_LINK_MODBUS_TCP;
}

static const char *lower(struct load *load, const char *text)
{
	char *copy = arena_copy(load->arena, text, strlen(text) + 1);
	for (char *c = copy; c != NULL && *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return copy != NULL ? copy : "";
}

static const char *text_or(const char *text, const char *otherwise)
{
	return text != NULL ? text : otherwise;
}

const char *port_name(struct load *load, const struct port *port, const char *key)
{
	if (port->playback != NULL)
		return arena_printf(load->arena, "playback:%s", port->playback);
	switch (port->kind) {
	case ASSAY_LINK_SERIAL:
	case ASSAY_LINK_MODBUS_RTU:
		return arena_printf(load->arena, "serial:%s", text_or(port->port, ""));
	case ASSAY_LINK_USB:
		return arena_printf(load->arena, "usb:%04x:%04x:%s:%s", port->vid, port->pid,
			text_or(port->serial, "*"), text_or(port->path, "*"));
	case ASSAY_LINK_UDP:
		return arena_printf(load->arena, "udp:%s:%u", lower(load, text_or(port->host, "")),
			port->number);
	case ASSAY_LINK_TCP:
	case ASSAY_LINK_HTTP:
	case ASSAY_LINK_MODBUS_TCP:
		return arena_printf(load->arena, "tcp:%s:%u", lower(load, text_or(port->host, "")),
			port->number);
	default: return arena_printf(load->arena, "none:%s", key);
	}
}

static bool texts_differ(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) != 0;
}

/* Could both mean one device?  What only one of them narrows does not tell them apart. */
static bool same_usb(const struct port *a, const struct port *b)
{
	return a->kind == ASSAY_LINK_USB && b->kind == ASSAY_LINK_USB && a->playback == NULL &&
	       b->playback == NULL && a->vid == b->vid && a->pid == b->pid &&
	       !texts_differ(a->serial, b->serial) && !texts_differ(a->path, b->path);
}

/* One device by two names, such as /dev/ttyUSB0 and its by-id link: known while it is plugged in. */
static bool same_device(const struct port *a, const struct port *b)
{
	char first[PATH_MAX], second[PATH_MAX];
	return a->port != NULL && b->port != NULL && strcmp(a->port, b->port) != 0 &&
	       realpath(a->port, first) != NULL && realpath(b->port, second) != NULL &&
	       strcmp(first, second) == 0;
}

static bool same_way(const struct port *a, const struct port *b)
{
	return a->kind == b->kind && a->baud == b->baud && a->data_bits == b->data_bits &&
	       a->stop_bits == b->stop_bits && a->parity == b->parity && a->open_ms == b->open_ms &&
	       a->reply_ms == b->reply_ms && a->recorded_pace == b->recorded_pace &&
	       a->loop == b->loop;
}

static void check_pair(struct load *load, const struct config_instrument *first,
	const struct config_instrument *second)
{
	const struct port *a = &first->port, *b = &second->port;
	unsigned line = first->mark.line;
	bool same = strcmp(first->port_name, second->port_name) == 0;
	if (same_usb(a, b))
		load_error(load, second->mark,
			"'%s' and '%s' (line %u) may take the same USB device %04x:%04x: tell them "
			"apart by serial, or by path such as 1-2.3",
			second->key, first->key, line, b->vid, b->pid);
	else if (same_device(a, b))
		load_error(load, second->mark,
			"'%s' and '%s' (line %u) are on one device by two names, %s and %s: use "
			"the "
			"same name",
			second->key, first->key, line, b->port, a->port);
	else if (same && !(is_modbus(a) && is_modbus(b)))
		load_error(load, second->mark, "'%s' is on the same port as '%s' (line %u): %s",
			second->key, first->key, line, strchr(second->port_name, ':') + 1);
	else if (same && !same_way(a, b))
		load_error(load, second->mark,
			"'%s' shares the port %s with '%s' (line %u), so all keys of their links "
			"but "
			"unit_id must be equal",
			second->key, strchr(second->port_name, ':') + 1, first->key, line);
	else if (same && first->unit_id == second->unit_id)
		load_error(load, second->mark,
			"'%s' and '%s' (line %u) have the same unit_id %u on one port", second->key,
			first->key, line, second->unit_id);
}

/* One error per instrument is enough. */
void ports_check(struct load *load)
{
	const struct config *config = load->config;
	for (size_t i = 1; i < config->instrument_count; i++) {
		size_t before = load->errors->count;
		for (size_t j = 0; j < i && load->errors->count == before; j++)
			if (config->instruments[i].port_name != NULL &&
				config->instruments[j].port_name != NULL)
				check_pair(load, &config->instruments[j], &config->instruments[i]);
	}
}
