/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmodbus' server as a function: a request's bytes go in, the reply's bytes come out.  The
 * library writes to one end of a socket pair and the engine reads the other at once, so that the
 * server can delay or damage the reply, and a slow client does not delay the others.
 */
#ifndef ASSAY_SIM_MODBUS_ENGINE_H
#define ASSAY_SIM_MODBUS_ENGINE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <modbus/modbus.h>

#include "unit.h"

enum modbus_framing {
	FRAMING_TCP,
	FRAMING_RTU,
};

#define ENGINE_FRAME_MAX MODBUS_TCP_MAX_ADU_LENGTH

struct modbus_engine {
	modbus_t *context[2]; /* by framing */
	int pair[2];
};

/* 0, or a negative errno with nothing to release. */
int engine_init(struct modbus_engine *engine);
void engine_finish(struct modbus_engine *engine);

/* Offset of the unit id in a frame; the PDU follows it. */
size_t engine_unit_at(enum modbus_framing framing);

/*
 * Answers one whole frame, whose length and (RTU) CRC were checked, from `unit`.  Returns the
 * length of the reply in `reply`, 0 if there is none (broadcast), or a negative errno.  With
 * `exception` != 0 the reply is that exception.  A function code that the profile lacks gets
 * exception 01, an address that it lacks 02, a wrong count or length 03.
 */
ssize_t engine_answer(struct modbus_engine *engine, enum modbus_framing framing,
	const struct modbus_unit *unit, uint8_t exception, const uint8_t *request, size_t len,
	uint8_t reply[ENGINE_FRAME_MAX]);

#endif
