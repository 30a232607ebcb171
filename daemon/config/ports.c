/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/ports.h"
#include "config/settings.h"
#include "record/keys.h"

static const char *lower(struct load *load, const char *text)
{
	char *copy = arena_copy(load->arena, text, strlen(text) + 1);
	for (char *c = copy; c != NULL && *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	return copy != NULL ? copy : "";
}

const char *port_name(struct load *load, const struct port *port, const char *key)
{
	const struct port_kind *kind = port_kind(port);
	const struct port_key *k;
	const char *name = kind->family;
	for (size_t i = 0; (k = port_key_at(i)) != NULL; i++) {
		const void *value = (const char *)port + k->offset;
		if (!k->names_port || (k->links & kind->link) == 0)
			continue;
		if (k->type == PORT_HEX || k->type == PORT_NUMBER) {
			name = arena_printf(load->arena, k->type == PORT_HEX ? "%s:%04x" : "%s:%u",
				name, *(const unsigned *)value);
			continue;
		}
		const char *text = *(const char *const *)value;
		if (text != NULL && k->type == PORT_HOST)
			text = lower(load, text);
		name = arena_printf(load->arena, "%s:%s", name, text != NULL ? text : "*");
	}
	return name != kind->family ? name : arena_printf(load->arena, "%s:%s", name, key);
}

/* One device by two names, such as /dev/ttyUSB0 and its by-id link; seen only while plugged in. */
static bool is_same_device(const struct port *a, const struct port *b)
{
	char first[PATH_MAX], second[PATH_MAX];
	return a->port != NULL && b->port != NULL && strcmp(a->port, b->port) != 0 &&
	       realpath(a->port, first) != NULL && realpath(b->port, second) != NULL &&
	       strcmp(first, second) == 0;
}

bool port_is_loopback(const char *host)
{
	struct in6_addr bytes;
	return strcasecmp(host, "localhost") == 0 || strcasecmp(host, "ip6-localhost") == 0 ||
	       (strncmp(host, "127.", 4) == 0 && host[strspn(host, "0123456789.")] == '\0') ||
	       (inet_pton(AF_INET6, host, &bytes) == 1 && IN6_IS_ADDR_LOOPBACK(&bytes));
}

/* The usual name of a host: others are compared as they are written, because nothing is looked up. */
static const char *usual_host(const char *host, char text[INET6_ADDRSTRLEN])
{
	struct in6_addr bytes;
	if (strcasecmp(host, "localhost") == 0 || strcasecmp(host, "ip6-localhost") == 0 ||
		strcmp(host, "::1") == 0)
		return "127.0.0.1";
	if (inet_pton(AF_INET6, host, &bytes) == 1)
		return inet_ntop(AF_INET6, &bytes, text, INET6_ADDRSTRLEN);
	return host;
}

/* One address in two writings: localhost and 127.0.0.1, fe80::1 and fe80:0::1. */
static bool is_same_address(const struct port *a, const struct port *b)
{
	char first[INET6_ADDRSTRLEN], second[INET6_ADDRSTRLEN];
	return a->host != NULL && b->host != NULL && a->number == b->number &&
	       strcmp(port_kind_of(a->kind)->family, port_kind_of(b->kind)->family) == 0 &&
	       strcasecmp(a->host, b->host) != 0 &&
	       strcasecmp(usual_host(a->host, first), usual_host(b->host, second)) == 0;
}

/* "; tell them apart by serial or path": the keys that name such a port and may be left out. */
static const char *how_to_tell_apart(struct load *load, const struct port *port)
{
	const struct port_kind *kind = port_kind(port);
	const struct port_key *k;
	const char *text = "";
	for (size_t i = 0; (k = port_key_at(i)) != NULL; i++) {
		bool is_optional = (k->links & ~k->required & kind->link) != 0 && k->fallback == 0;
		if (k->names_port && is_optional)
			text = arena_printf(load->arena, "%s%s %s", text,
				text[0] == '\0' ? "; tell them apart by" : " or", k->key);
	}
	return text;
}

/* Units of drivers that name them in their requests, on one serial line or TCP connection. */
static bool may_share(const struct config_instrument *a, const struct config_instrument *b)
{
	return a->driver != NULL && b->driver != NULL &&
	       port_kind(&a->port) == port_kind(&b->port) &&
	       port_kind_is_shared(port_kind(&a->port), a->driver->links & b->driver->links);
}

/* The value of the setting `address`; empty: it is absent. */
static struct assay_span address_of(const struct config_instrument *instrument)
{
	return keys_value(instrument->settings, string_of("address"));
}

/* Of a driver with such a setting. */
static bool lacks_address(const struct config_instrument *instrument)
{
	return settings_find(instrument->driver->settings, "address") != NULL &&
	       address_of(instrument).len == 0;
}

/* One driver, and nothing to tell the units apart by: its setting `address`, or all settings. */
static bool is_same_unit(const struct config_instrument *a, const struct config_instrument *b)
{
	bool has_address = address_of(a).len > 0;
	struct assay_span first = has_address ? address_of(a) : a->settings;
	struct assay_span second = has_address ? address_of(b) : b->settings;
	return a->driver == b->driver && first.len == second.len &&
	       (first.len == 0 || memcmp(first.data, second.data, first.len) == 0);
}

static void check_pair(struct load *load, const struct config_instrument *first,
	const struct config_instrument *second)
{
	const struct port *a = &first->port, *b = &second->port;
	const char *place = strchr(second->port_name, ':') + 1;
	unsigned line = first->mark.line;
	bool is_one = strcmp(first->port_name, second->port_name) == 0;
	bool is_modbus = port_kind_of(a->kind)->is_modbus && port_kind_of(b->kind)->is_modbus;
	bool is_shared = is_modbus || may_share(first, second);
	if (is_same_device(a, b))
		load_error(load, second->mark,
			"'%s' and '%s' (line %u) are on one device by two names, %s and %s: use "
			"the same name",
			second->key, first->key, line, b->port, a->port);
	else if (is_same_address(a, b))
		load_error(load, second->mark,
			"'%s' and '%s' (line %u) are at one address in two writings, %s and %s: "
			"use the same one",
			second->key, first->key, line, b->host, a->host);
	else if (!port_may_be(a, b))
		return;
	else if (!is_shared)
		load_error(load, second->mark, "'%s' %s on the same port as '%s' (line %u): %s%s",
			second->key, is_one ? "is" : "may be", first->key, line, place,
			how_to_tell_apart(load, b));
	else if (!port_is_equal(a, b))
		load_error(load, second->mark,
			"'%s' shares the port %s with '%s' (line %u), so all keys of their links"
			"%s must be equal",
			second->key, place, first->key, line, is_modbus ? " but unit_id" : "");
	else if (!is_modbus && (lacks_address(first) || lacks_address(second)))
		load_error(load, second->mark,
			"'%s' and '%s' (line %u) are on one port, so both need the setting "
			"'address'",
			second->key, first->key, line);
	else if (!is_modbus && is_same_unit(first, second))
		load_error(load, second->mark,
			"'%s' and '%s' (line %u) have the same %s on one port: each unit needs "
			"its own address",
			second->key, first->key, line,
			address_of(first).len > 0 ? "address" : "settings");
	else if (is_modbus && first->unit_id == second->unit_id)
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
