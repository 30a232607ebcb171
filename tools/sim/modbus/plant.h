/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The analysers of one simulator: every port has the same unit ids, each with its own gas.  A port
 * stands for an RS-485 line, a gateway, or a single analyser's network socket.
 */
#ifndef ASSAY_SIM_MODBUS_PLANT_H
#define ASSAY_SIM_MODBUS_PLANT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine.h"
#include "unit.h"
#include "framework/sim.h"

struct modbus_plant {
	struct unit_plan plan;
	struct modbus_engine engine;
	struct modbus_unit *units; /* n_ports times n_units */
	size_t n_units, n_ports;
};

/*
 * Makes n_ports times n_units analysers as plant->plan says; `ids` is copied.  0 or a negative
 * errno; plant_finish() is legal after a failure and on zeroed memory.
 */
int plant_init(struct modbus_plant *plant, size_t n_ports, const uint8_t *ids, size_t n_units,
	struct sim_random *random);

void plant_finish(struct modbus_plant *plant);

/*
 * Answers one whole frame that came in at m->now on a port, playing the faults of the instrument
 * (busy, another unit's reply) and logging the truth.  Returns the length of the reply, or 0 when
 * nobody answers: on a line, silence for a unit that is not there; behind TCP that is exception 0B.
 */
size_t plant_answer(struct modbus_plant *plant, struct sim_model *m, size_t port,
	enum modbus_framing framing, const uint8_t *request, size_t len,
	uint8_t reply[ENGINE_FRAME_MAX]);

#endif
