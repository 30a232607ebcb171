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

static void put_port(struct map *map, const struct port *port)
{
	map_uint(map, "kind", port->kind);
	map_text(map, "port", port->port);
	put_number(map, "baud", port->baud);
	put_number(map, "data_bits", port->data_bits);
	put_number(map, "stop_bits", port->stop_bits);
	put_number(map, "parity", (unsigned char)port->parity);
	put_number(map, "flow", port->flow);
	map_text(map, "host", port->host);
	put_number(map, "number", port->number);
	put_number(map, "vid", port->vid);
	put_number(map, "pid", port->pid);
	map_text(map, "serial", port->serial);
	map_text(map, "path", port->path);
	put_number(map, "interface", port->interface);
	put_number(map, "in", port->in);
	put_number(map, "out", port->out);
	map_text(map, "playback", port->playback);
	put_number(map, "recorded_pace", port->recorded_pace);
	put_number(map, "loop", port->loop);
	put_number(map, "open_ms", port->open_ms);
	put_number(map, "reply_ms", port->reply_ms);
}

static void put_unit(struct map *map, const struct unit *unit)
{
	map_text(map, "key", unit->key);
	map_text(map, "driver", unit->driver);
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
	message_begin(&m, out, WIRE_SETUP, WIRE_PORT);
	map_uint(&m.map, "version", WIRE_VERSION);
	map_text(&m.map, "drivers", setup->drivers);
	struct map inner;
	map_key(&m.map, "port");
	map_open(&inner, out);
	put_port(&inner, &setup->port);
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

static int read_port(struct reader *r, struct port *port)
{
	unsigned parity, flow, recorded, loop;
	const struct field fields[] = {
		{"kind", FIELD_WORD, true, &port->kind},
		{"port", FIELD_STRING, false, &port->port},
		{"baud", FIELD_WORD, false, &port->baud},
		{"data_bits", FIELD_WORD, false, &port->data_bits},
		{"stop_bits", FIELD_WORD, false, &port->stop_bits},
		{"parity", FIELD_WORD, false, &parity},
		{"flow", FIELD_WORD, false, &flow},
		{"host", FIELD_STRING, false, &port->host},
		{"number", FIELD_WORD, false, &port->number},
		{"vid", FIELD_WORD, false, &port->vid},
		{"pid", FIELD_WORD, false, &port->pid},
		{"serial", FIELD_STRING, false, &port->serial},
		{"path", FIELD_STRING, false, &port->path},
		{"interface", FIELD_WORD, false, &port->interface},
		{"in", FIELD_WORD, false, &port->in},
		{"out", FIELD_WORD, false, &port->out},
		{"playback", FIELD_STRING, false, &port->playback},
		{"recorded_pace", FIELD_WORD, false, &recorded},
		{"loop", FIELD_WORD, false, &loop},
		{"open_ms", FIELD_WORD, false, &port->open_ms},
		{"reply_ms", FIELD_WORD, false, &port->reply_ms},
	};
	int error = payload_read(r, fields, sizeof fields / sizeof fields[0]);
	if (error < 0)
		return error;
	if (parity > 127 || flow > PORT_FLOW_XONXOFF || recorded > 1 || loop > 1)
		return -EBADMSG;
	port->parity = (char)parity;
	port->flow = (enum port_flow)flow;
	port->recorded_pace = recorded == 1;
	port->loop = loop == 1;
	return 0;
}

static int copy_settings(struct unit *unit, struct assay_span settings)
{
	if (settings.len == 0)
		return 0;
	uint8_t *copy = malloc(settings.len);
	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, settings.data, settings.len);
	unit->settings = copy;
	unit->settings_len = settings.len;
	return 0;
}

static int read_unit(struct reader *r, struct unit *unit)
{
	unsigned raw;
	struct assay_span settings;
	const struct field fields[] = {
		{"key", FIELD_STRING, true, &unit->key},
		{"driver", FIELD_STRING, true, &unit->driver},
		{"unit_id", FIELD_WORD, false, &unit->unit_id},
		{"raw", FIELD_WORD, false, &raw},
		{"settings", FIELD_MAP, false, &settings},
	};
	int error = payload_read(r, fields, sizeof fields / sizeof fields[0]);
	if (error < 0)
		return error;
	if (raw > UNIT_RAW_OFF)
		return -EBADMSG;
	unit->raw = (enum unit_raw)raw;
	return copy_settings(unit, settings);
}

static int read_units(struct assay_span units, struct wire_setup *setup)
{
	struct reader r;
	size_t count;
	read_init(&r, units.data, units.len);
	r.depth_max = FIELDS_DEPTH_MAX;
	if (read_array(&r, &count) < 0 || count == 0 || count > UNITS_MAX)
		return -EBADMSG;
	setup->units = calloc(count, sizeof *setup->units);
	if (setup->units == NULL)
		return -ENOMEM;
	setup->unit_count = count;
	for (size_t i = 0; i < count; i++) {
		int error = read_unit(&r, &setup->units[i]);
		if (error < 0)
			return error;
	}
	return read_finish(&r);
}

static int read_parts(struct assay_span port, struct assay_span units, struct wire_setup *setup)
{
	struct reader r;
	read_init(&r, port.data, port.len);
	int error = read_port(&r, &setup->port);
	return error < 0 ? error : read_units(units, setup);
}

int wire_read_setup(const struct wire_message *m, struct wire_setup *setup)
{
	*setup = (struct wire_setup){0};
	uint64_t version;
	struct assay_span port, units;
	const struct field fields[] = {
		{"version", FIELD_UINT, true, &version},
		{"drivers", FIELD_STRING, true, &setup->drivers},
		{"port", FIELD_MAP, true, &port},
		{"units", FIELD_ARRAY, true, &units},
	};
	int error = payload_read_message(m, fields, sizeof fields / sizeof fields[0]);
	if (error == 0 && version != WIRE_VERSION)
		error = -EBADMSG;
	if (error == 0)
		error = read_parts(port, units, setup);
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
		free((uint8_t *)unit->settings);
	}
	free(setup->units);
	free((char *)setup->drivers);
	free((char *)setup->port.port);
	free((char *)setup->port.host);
	free((char *)setup->port.serial);
	free((char *)setup->port.path);
	free((char *)setup->port.playback);
	*setup = (struct wire_setup){0};
}
