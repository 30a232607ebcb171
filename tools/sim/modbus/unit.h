/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One analyser on a line or behind a port: the gas in its stack, its readings and its registers.
 * Times are the instrument's own, in nanoseconds from 0.
 */
#ifndef ASSAY_SIM_MODBUS_UNIT_H
#define ASSAY_SIM_MODBUS_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cycle.h"
#include "gas.h"
#include "image.h"
#include "profile.h"

/* Values shown instead of drifting ones. */
enum unit_fixed {
	UNIT_DRIFTS,
	UNIT_FIXED_EXAMPLE, /* the usual value of each gas */
	UNIT_FIXED_BENCH,   /* 6.25 * 4^k in the registers from 138: a maker's bench pattern */
};

/* Common to all units of one simulator; borrowed by each until unit_finish(). */
struct unit_plan {
	const struct profile *profile;
	struct cycle cycle;
	enum word_order order;
	int address_offset;
	bool extras;
	unsigned streams;
	enum unit_fixed fixed;
	uint64_t interval; /* between two measurements, ns */
	int64_t started;   /* Unix seconds at time 0 */
};

struct modbus_unit {
	const struct unit_plan *plan;
	uint8_t id;
	struct gas_stack stack;
	struct analyser analyser;
	struct image image;
	uint64_t measured; /* time of the last measurement */
};

/* Measures once, at time 0.  0 or -ENOMEM; unit_finish() is legal after a failure. */
int unit_init(struct modbus_unit *unit, const struct unit_plan *plan, uint8_t id, uint64_t seed);

void unit_finish(struct modbus_unit *unit);

/* Advances state, values and registers to `now`. */
void unit_advance(struct modbus_unit *unit, uint64_t now);

#endif
