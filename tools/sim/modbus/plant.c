/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "frame.h"
#include "plant.h"

#define EXCEPTION_FLAG 0x80
#define BITS_LOGGED    16

int plant_init(struct modbus_plant *plant, size_t n_ports, const uint8_t *ids, size_t n_units,
	struct sim_random *random)
{
	int r = engine_init(&plant->engine);
	if (r < 0)
		return r;
	plant->units = calloc(n_ports * n_units, sizeof *plant->units);
	if (plant->units == NULL)
		return -ENOMEM;
	plant->n_ports = n_ports;
	plant->n_units = n_units;
	for (size_t i = 0; r == 0 && i < n_ports * n_units; i++)
		r = unit_init(&plant->units[i], &plant->plan, ids[i % n_units], random_u64(random));
	return r;
}

void plant_finish(struct modbus_plant *plant)
{
	for (size_t i = 0; plant->units != NULL && i < plant->n_ports * plant->n_units; i++)
		unit_finish(&plant->units[i]);
	free(plant->units);
	plant->units = NULL;
	if (plant->engine.context[0] != NULL)
		engine_finish(&plant->engine);
}

/* The gases whose registers were requested, as the master will decode them. */
static void log_values(FILE *out, const struct modbus_unit *unit, int first, int count)
{
	const struct profile *profile = unit->plan->profile;
	const char *comma = "";
	fprintf(out, ",\"values\":{");
	for (size_t i = 0; i < profile->n_values; i++) {
		const struct profile_value *value = &profile->values[i];
		int wire = value->address + unit->plan->address_offset;
		float shown;
		const struct image_area *area = image_find(
			&unit->image, (int)profile->table, (uint16_t)wire, 1);
		int width = area != NULL && area->is_enron ? 1 : 2;
		if (wire < first || wire + width > first + count ||
			!image_get_float(&unit->image, profile->table, value->address, &shown))
			continue;
		fprintf(out, "%s\"%s\":%.9g", comma, gas_name(value->gas), (double)shown);
		comma = ",";
	}
	fprintf(out, "}");
}

static void log_bits(FILE *out, const struct modbus_unit *unit, int function, int first, int count)
{
	const struct image_area *area = image_find(&unit->image, function, (uint16_t)first, count);
	if (area == NULL || area->bits == NULL || count > BITS_LOGGED)
		return;
	fprintf(out, ",\"bits\":\"");
	for (int i = 0; i < count; i++)
		fputc('0' + area->bits[first - area->first + i], out);
	fprintf(out, "\"");
}

static void log_poll(struct sim_model *m, size_t port, const struct modbus_unit *unit,
	const uint8_t *pdu, const uint8_t *reply_pdu)
{
	FILE *out = sim_truth_start(m, "poll");
	if (out == NULL)
		return;
	int first = pdu[1] << 8 | pdu[2], count = pdu[3] << 8 | pdu[4];
	fprintf(out, ",\"port\":%zu,\"unit\":%u,\"function\":%u,\"address\":%d,\"count\":%d", port,
		unit->id, pdu[0], first, count);
	fprintf(out, ",\"state\":\"%s\"", cycle_state_name(unit->analyser.state));
	if ((reply_pdu[0] & EXCEPTION_FLAG) != 0)
		fprintf(out, ",\"exception\":%u", reply_pdu[1]);
	else if (pdu[0] == unit->plan->profile->table)
		log_values(out, unit, first, count);
	else
		log_bits(out, unit, pdu[0], first, count);
	sim_truth_end(m);
}

size_t plant_answer(struct modbus_plant *plant, struct sim_model *m, size_t port,
	enum modbus_framing framing, const uint8_t *request, size_t len,
	uint8_t reply[ENGINE_FRAME_MAX])
{
	assert(port < plant->n_ports);
	size_t at = engine_unit_at(framing);
	struct modbus_unit *units = plant->units + port * plant->n_units, *unit = NULL;
	for (size_t i = 0; i < plant->n_units && unit == NULL; i++)
		if (units[i].id == request[at])
			unit = &units[i];
	if (unit == NULL && framing == FRAMING_RTU)
		return 0;
	uint8_t exception = 0;
	if (unit == NULL)
		exception = MODBUS_EXCEPTION_GATEWAY_TARGET;
	else if (sim_fault_active(m, FAULT_BUSY))
		exception = MODBUS_EXCEPTION_SLAVE_OR_SERVER_BUSY;
	if (unit != NULL)
		unit_advance(unit, m->now);
	else
		unit = units; /* any: the reply is an exception */
	ssize_t n = engine_answer(&plant->engine, framing, unit, exception, request, len, reply);
	if (n <= 0)
		return 0;
	uint8_t pdu[5] = {0};
	for (size_t i = 0; i < sizeof pdu && at + 1 + i < len; i++)
		pdu[i] = request[at + 1 + i];
	if (exception != MODBUS_EXCEPTION_GATEWAY_TARGET)
		log_poll(m, port, unit, pdu, reply + at + 1);
	if (!sim_fault_active(m, FAULT_WRONG_IDENTITY))
		return (size_t)n;
	reply[at] ^= 0x40;
	return framing == FRAMING_RTU ? frame_add_crc(reply, (size_t)n - 2) : (size_t)n;
}
