/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine.h"
#include "frame.h"

#define PDU_READ 5 /* function, address, count */

int engine_init(struct modbus_engine *engine)
{
	*engine = (struct modbus_engine){.pair = {-1, -1}};
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, engine->pair) < 0)
		return -errno;
	engine->context[FRAMING_TCP] = modbus_new_tcp("127.0.0.1", MODBUS_TCP_DEFAULT_PORT);
	engine->context[FRAMING_RTU] = modbus_new_rtu("/dev/null", 9600, 'N', 8, 1);
	for (int i = 0; i < 2; i++) {
		if (engine->context[i] == NULL) {
			engine_finish(engine);
			return -ENOMEM;
		}
		modbus_set_socket(engine->context[i], engine->pair[0]);
		/* libmodbus sleeps this long before it rejects a wrong count. */
		modbus_set_response_timeout(engine->context[i], 0, 1);
	}
	return 0;
}

void engine_finish(struct modbus_engine *engine)
{
	for (int i = 0; i < 2; i++) {
		if (engine->context[i] != NULL)
			modbus_free(engine->context[i]);
		if (engine->pair[i] >= 0)
			close(engine->pair[i]);
	}
	*engine = (struct modbus_engine){.pair = {-1, -1}};
}

size_t engine_unit_at(enum modbus_framing framing)
{
	return framing == FRAMING_TCP ? 6 : 0;
}

static ssize_t take_reply(struct modbus_engine *engine, uint8_t *reply)
{
	ssize_t n = recv(engine->pair[1], reply, ENGINE_FRAME_MAX, MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	return n;
}

/* The one area that holds all requested items, or an empty map: libmodbus then replies with 02. */
static modbus_mapping_t map_request(const struct image *image, const uint8_t *pdu)
{
	modbus_mapping_t mapping = {0};
	uint16_t first = (uint16_t)(pdu[1] << 8 | pdu[2]);
	int count = pdu[3] << 8 | pdu[4];
	const struct image_area *area = image_find(image, pdu[0], first, count);
	if (area == NULL)
		return mapping;
	switch (area->table) {
	case IMAGE_COILS:
		mapping.nb_bits = area->count;
		mapping.start_bits = area->first;
		mapping.tab_bits = area->bits;
		break;
	case IMAGE_INPUT_BITS:
		mapping.nb_input_bits = area->count;
		mapping.start_input_bits = area->first;
		mapping.tab_input_bits = area->bits;
		break;
	case IMAGE_HOLDING:
		mapping.nb_registers = area->count;
		mapping.start_registers = area->first;
		mapping.tab_registers = area->registers;
		break;
	case IMAGE_INPUT:
		mapping.nb_input_registers = area->count;
		mapping.start_input_registers = area->first;
		mapping.tab_input_registers = area->registers;
		break;
	}
	return mapping;
}

/* A reply of `n` data bytes. */
static ssize_t make_reply(enum modbus_framing framing, const uint8_t *request, const uint8_t *data,
	ssize_t n, uint8_t *reply)
{
	size_t at = engine_unit_at(framing), len = at + 3 + (size_t)n;
	memcpy(reply, request, at + 2);
	reply[at + 2] = (uint8_t)n;
	memcpy(reply + at + 3, data, (size_t)n);
	if (framing == FRAMING_TCP) {
		reply[4] = (uint8_t)((n + 3) >> 8);
		reply[5] = (uint8_t)(n + 3);
		return (ssize_t)len;
	}
	return (ssize_t)frame_add_crc(reply, len);
}

/* libmodbus has no vendor functions; their replies are built here. */
static ssize_t answer_vendor(enum modbus_framing framing, const struct modbus_unit *unit,
	const uint8_t *request, const uint8_t *pdu, uint8_t *reply)
{
	uint8_t data[PROFILE_VENDOR_MAX];
	uint16_t start = (uint16_t)(pdu[1] << 8 | pdu[2]), count = (uint16_t)(pdu[3] << 8 | pdu[4]);
	ssize_t n = unit->plan->profile->vendor(&unit->analyser, pdu[0], start, count, data);
	return n < 0 ? n : make_reply(framing, request, data, n, reply);
}

/*
 * Nor has it registers of 32 bits: a request for n of them gets 4 n bytes.  -EOPNOTSUPP if the request
 * is for others, -ERANGE if the reply would be too long.
 */
static ssize_t answer_enron(enum modbus_framing framing, const struct modbus_unit *unit,
	const uint8_t *request, const uint8_t *pdu, uint8_t *reply)
{
	uint8_t data[PROFILE_VENDOR_MAX];
	uint16_t first = (uint16_t)(pdu[1] << 8 | pdu[2]);
	int count = pdu[3] << 8 | pdu[4];
	const struct image_area *area = image_find(&unit->image, pdu[0], first, count);
	if (area == NULL || !area->is_enron)
		return -EOPNOTSUPP;
	if (count == 0 || 4 * count > PROFILE_VENDOR_MAX)
		return -ERANGE;
	const uint16_t *registers = area->registers + 2 * (first - area->first);
	for (int i = 0; i < 2 * count; i++) {
		data[2 * i] = (uint8_t)(registers[i] >> 8);
		data[2 * i + 1] = (uint8_t)registers[i];
	}
	return make_reply(framing, request, data, 4 * count, reply);
}

static ssize_t answer_exception(struct modbus_engine *engine, modbus_t *context,
	const uint8_t *request, uint8_t exception, uint8_t *reply)
{
	return modbus_reply_exception(context, request, exception) < 0 ? -errno
								       : take_reply(engine, reply);
}

ssize_t engine_answer(struct modbus_engine *engine, enum modbus_framing framing,
	const struct modbus_unit *unit, uint8_t exception, const uint8_t *request, size_t len,
	uint8_t reply[ENGINE_FRAME_MAX])
{
	size_t at = engine_unit_at(framing);
	assert(len >= at + 2 && len <= ENGINE_FRAME_MAX);
	uint8_t padded[ENGINE_FRAME_MAX] = {
		0}; /* libmodbus reads as many bytes as the function needs */
	memcpy(padded, request, len);
	const uint8_t *pdu = padded + at + 1;
	size_t pdu_len = len - at - 1 - (framing == FRAMING_RTU ? 2 : 0);
	modbus_t *context = engine->context[framing];

	if (exception != 0)
		return answer_exception(engine, context, padded, exception, reply);
	bool is_read = image_has_table(&unit->image, pdu[0]);
	if (!is_read && unit->plan->profile->vendor != NULL && pdu_len == PDU_READ) {
		ssize_t n = answer_vendor(framing, unit, padded, pdu, reply);
		if (n != -EOPNOTSUPP)
			return n;
	}
	if (!is_read)
		return answer_exception(
			engine, context, padded, MODBUS_EXCEPTION_ILLEGAL_FUNCTION, reply);
	if (pdu_len != PDU_READ)
		return answer_exception(
			engine, context, padded, MODBUS_EXCEPTION_ILLEGAL_DATA_VALUE, reply);
	ssize_t n = answer_enron(framing, unit, padded, pdu, reply);
	if (n == -ERANGE)
		return answer_exception(
			engine, context, padded, MODBUS_EXCEPTION_ILLEGAL_DATA_VALUE, reply);
	if (n != -EOPNOTSUPP)
		return n;
	modbus_mapping_t mapping = map_request(&unit->image, pdu);
	if (modbus_reply(context, padded, (int)len, &mapping) < 0)
		return -errno;
	return take_reply(engine, reply);
}
