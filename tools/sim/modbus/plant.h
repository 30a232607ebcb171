/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The analysers of one simulator: every port has the same unit ids, each unit its own gas.  A port
 * stands for an RS-485 line, a gateway, or one analyser's network socket.
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
 * Makes n_ports times n_units analysers by plant->plan; `ids` is copied.  0 or a negative errno;
 * plant_finish() is legal after a failure and on zeroed memory.
 */
int plant_init(struct modbus_plant *plant, size_t n_ports, const uint8_t *ids, size_t n_units,
	struct sim_random *random);

void plant_finish(struct modbus_plant *plant);

/*
 * Answers one whole frame that arrived at m->now on a port, plays the faults of the instrument
 * (busy, another unit's reply) and writes the truth log.  Returns the length of the reply, or 0 if
 * there is none.  A request to a unit that does not exist gets no reply on a line, and exception 0B
 * over TCP.
 */
size_t plant_answer(struct modbus_plant *plant, struct sim_model *m, size_t port,
	enum modbus_framing framing, const uint8_t *request, size_t len,
	uint8_t reply[ENGINE_FRAME_MAX]);

extern const struct sim_model_ops modbus_model;

#endif
