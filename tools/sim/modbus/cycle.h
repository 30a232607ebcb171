/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operating state of a stack gas analyser: measuring, or one of the states in which it holds
 * its last values.  A cycle is a repeated list such as "normal:3540,zero:60".
 */
#ifndef ASSAY_SIM_MODBUS_CYCLE_H
#define ASSAY_SIM_MODBUS_CYCLE_H

#include <stddef.h>

enum cycle_state {
	CYCLE_NORMAL,
	CYCLE_ZERO, /* zero gas or blow-back */
	CYCLE_CALIBRATING,
	CYCLE_MAINTENANCE,
	CYCLE_FAULT,
};

#define CYCLE_STEPS_MAX 16

struct cycle {
	struct cycle_step {
		enum cycle_state state;
		double seconds;
	} steps[CYCLE_STEPS_MAX];
	size_t n;
	double period;
};

/*
 * Reads "state:seconds,state:seconds"; a state without seconds has no end.  0, or -EINVAL for an
 * unknown state, a length that is not positive, or too many steps.
 */
int cycle_parse(struct cycle *cycle, const char *text);

/* The state at `seconds` >= 0 after the start.  An empty cycle is always normal. */
enum cycle_state cycle_at(const struct cycle *cycle, double seconds);

/* "normal", "zero" ...; static. */
const char *cycle_state_name(enum cycle_state state);

#endif
