/* SPDX-License-Identifier: Apache-2.0 */
/* SETUP: the one message that is kept, and the largest of the core's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "wire/payload.h"
#include "wire/wire.h"

#define UNITS_MAX 1024 /* instruments on one port; the Modbus limit is 247 */

static void put_number(struct map *map, const char *key, unsigned value)
{
	if (value != 0)
		map_uint(map, key, value);
}

static void put_unit(struct map *map, const struct unit *unit)
{
	map_text(map, "key", unit->key);
	map_text(map, "driver", unit->driver);
	if (unit->technique != NULL)
		map_text(map, "technique", unit->technique);
	put_number(map, "unit_id", unit->unit_id);
	put_number(map, "raw", unit->raw);
	if (unit->settings_len != 0) {
		map_key(map, "settings");
		encode_raw(map->to, unit->settings, unit->settings_len);
	}
}

void wire_write_setup(struct buffer *out, const struct wire_setup *setup)
{
	struct message m;
	message_start(&m, out, WIRE_SETUP, WIRE_PORT);
	map_uint(&m.map, "version", WIRE_VERSION);
	map_text(&m.map, "drivers", setup->drivers);
	if (setup->taken.len > 0)
		map_bytes(&m.map, "taken", setup->taken.data, setup->taken.len);
	struct map inner;
	map_key(&m.map, "port");
	map_open(&inner, out);
	port_write(&inner, &setup->port);
	map_close(&inner);
	map_key(&m.map, "units");
	encode_array(out, setup->unit_count);
	for (size_t i = 0; i < setup->unit_count; i++) {
		map_open(&inner, out);
		put_unit(&inner, &setup->units[i]);
		map_close(&inner);
	}
	message_end(&m);
}

static int read_settings(struct reader *r, const struct key *key, void *to)
{
	struct unit *unit = to;
	struct assay_span settings;
	if (read_peek(r) != READ_MAP)
		return read_fail(r, r->at, "must be a map");
	if (read_raw(r, &settings) < 0)
		return r->error;
	uint8_t *copy = malloc(settings.len);
	if (copy == NULL)
		return -ENOMEM;
	unit->settings = memcpy(copy, settings.data, settings.len);
	unit->settings_len = settings.len;
	return 0;
}

static const struct keys unit_keys = {
	.rows = (const struct key[]){
		{"key", KEY_OTHER, KEY_AT(struct unit, key), .required = true,
			.read = payload_read_owned},
		{"driver", KEY_OTHER, KEY_AT(struct unit, driver), .required = true,
			.read = payload_read_owned},
		{"technique", KEY_OTHER, KEY_AT(struct unit, technique),
			.read = payload_read_owned},
		{"unit_id", KEY_UINT, KEY_AT(struct unit, unit_id)},
		{"raw", KEY_UINT, KEY_AT(struct unit, raw), .limit = UNIT_RAW_OFF},
		{"settings", KEY_OTHER, .read = read_settings},
		{0},
	}};

static int read_units(struct reader *r, const struct key *key, void *to)
{
	struct wire_setup *setup = to;
	size_t count;
	if (read_array(r, &count) < 0)
		return r->error;
	if (count == 0 || count > UNITS_MAX)
		return read_fail(r, r->at, "must be a list of 1 to %d", UNITS_MAX);
	setup->units = calloc(count, sizeof *setup->units);
	if (setup->units == NULL)
		return -ENOMEM;
	setup->unit_count = count;
	int error = 0;
	for (size_t i = 0; error == 0 && i < count; i++)
		error = keys_read(r, &unit_keys, &setup->units[i], NULL);
	return error;
}

static int read_version(struct reader *r, const struct key *key, void *to)
{
	uint64_t version;
	if (read_uint(r, &version) == 0 && version != WIRE_VERSION)
		return read_fail(r, r->at, "must be %d", WIRE_VERSION);
	return r->error;
}

static int read_port_key(struct reader *r, const struct key *key, void *to)
{
	return port_read(r, to);
}

static int read_taken(struct reader *r, const struct key *key, void *to)
{
	struct wire_setup *setup = to;
	struct assay_span bytes;
	size_t at = r->at;
	if (read_bytes(r, &bytes) < 0)
		return r->error;
	if (bytes.len == 0 || bytes.len % WIRE_TAKEN_BYTES != 0 ||
		bytes.len / WIRE_TAKEN_BYTES > WIRE_TAKEN_MAX)
		return read_fail(r, at, "must be keys of data sets");
	uint8_t *copy = malloc(bytes.len);
	if (copy == NULL)
		return -ENOMEM;
	setup->taken = (struct assay_span){memcpy(copy, bytes.data, bytes.len), bytes.len};
	return 0;
}

static const struct key setup_rows[] = {
	{"version", KEY_OTHER, .required = true, .read = read_version},
	{"drivers", KEY_OTHER, KEY_AT(struct wire_setup, drivers), .required = true,
		.read = payload_read_owned},
	{"port", KEY_OTHER, KEY_AT(struct wire_setup, port), .required = true,
		.read = read_port_key},
	{"units", KEY_OTHER, .required = true, .read = read_units},
	{"taken", KEY_OTHER, .read = read_taken},
	{0},
};

int wire_read_setup(const struct wire_message *m, struct wire_setup *setup)
{
	int error = payload_decode(m, setup_rows, setup, sizeof *setup);
	if (error < 0)
		wire_setup_finish(setup);
	return error;
}

void wire_setup_finish(struct wire_setup *setup)
{
	for (size_t i = 0; i < setup->unit_count; i++) {
		struct unit *unit = &setup->units[i];
		free((char *)unit->key);
		free((char *)unit->driver);
		free((char *)unit->technique);
		free((uint8_t *)unit->settings);
	}
	free(setup->units);
	free((char *)setup->drivers);
	free((uint8_t *)setup->taken.data);
	port_finish(&setup->port);
	*setup = (struct wire_setup){0};
}
