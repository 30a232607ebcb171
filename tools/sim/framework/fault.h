/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults on demand.  A fault is a switch with a strength, set by `--fault NAME=VALUE` or at run
 * time through the control socket.  The framework plays garbage, stale and disconnect for all
 * models; a model plays those of the instrument (wrong-identity, busy, share, stall) itself and
 * draws them with sim_fault_active().  Late, lost, changed and cut bytes are no faults of an instrument:
 * the daemon's filters play them on any link.  Times here are real, not the instrument's.
 */
#ifndef ASSAY_SIM_FAULT_H
#define ASSAY_SIM_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "random.h"

enum sim_fault {
	FAULT_GARBAGE,        /* unsolicited bursts of random bytes per second */
	FAULT_STALE,          /* probability that the previous reply is sent again before a reply */
	FAULT_DISCONNECT,     /* the link is down: for a duration, or until off */
	FAULT_WRONG_IDENTITY, /* probability that the model reports another serial number */
	FAULT_BUSY,           /* probability that the model answers "busy" */
	FAULT_SHARE,          /* probability that the model reports a request of another host */
	FAULT_STALL,          /* probability that the host does not take a part of a stream */
	FAULT_COUNT
};

/* Zero is a valid initial state: all off. */
struct sim_faults {
	double strength[FAULT_COUNT]; /* probability, or bursts/s; 0 is off */
	uint64_t disconnect_until;    /* clock_boot() time, 0: until switched off */
	bool disconnect_timed;
};

/*
 * Sets one switch: "stale=0.2", "disconnect", "disconnect=5s", "busy", "stale=off", or "off" for all.  Returns 0, or -EINVAL with one line in `error` that names the value found and
 * the values accepted; the state is unchanged then.  `now` is clock_boot().
 */
int fault_set(struct sim_faults *faults, const char *text, uint64_t now, char *error, size_t size);

/* Writes the switches that are on as "stale=0.2 busy=1", or "off"; at most `size` bytes. */
void fault_print(const struct sim_faults *faults, char *text, size_t size);

/* Draws whether the fault strikes now; ends a timed disconnect whose time is over. */
bool fault_strikes(
	struct sim_faults *faults, enum sim_fault fault, struct sim_random *random, uint64_t now);

#endif
