/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Misbehaviour on demand.  A fault is a switch with a strength, set by `--fault NAME=VALUE` or at
 * run time through the control socket.  Those of the wire (drop ... stale) are applied between
 * model and transport, so all models share them; those of the instrument (wrong-identity, busy,
 * share) are asked for by the model with sim_fault_active().  Times here are real, not the
 * instrument's accelerated ones.
 */
#ifndef ASSAY_SIM_FAULT_H
#define ASSAY_SIM_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "random.h"

enum sim_fault {
	FAULT_DROP,           /* probability that a reply is not sent */
	FAULT_DELAY,          /* duration by which each reply is late */
	FAULT_CORRUPT,        /* probability that 1 to 4 bits of one byte of a reply are flipped */
	FAULT_GARBAGE,        /* bursts of random bytes per second, unasked for */
	FAULT_TRUNCATE,       /* probability that a reply loses its end */
	FAULT_STALE,          /* probability that the reply before is sent once more, ahead */
	FAULT_DISCONNECT,     /* the link is down: for a duration, or until off */
	FAULT_WRONG_IDENTITY, /* probability that the model gives another serial number */
	FAULT_BUSY,           /* probability that the model answers "busy" */
	FAULT_SHARE, /* probability that the model says another host wants the instrument */
	FAULT_COUNT
};

/* Zero is a valid initial state: all off. */
struct sim_faults {
	double strength[FAULT_COUNT]; /* probability, bursts/s, or ns for delay; 0 is off */
	uint64_t disconnect_until;    /* clock_boot() time, 0: until switched off */
	bool disconnect_timed;
};

/*
 * Takes one switch: "drop=0.2", "delay=200ms", "disconnect", "disconnect=5s", "busy", "drop=off",
 * or "off" for all.  Returns 0, or -EINVAL with one line into `error` that names what was found
 * and what is accepted; the state is unchanged then.  `now` is clock_boot().
 */
int fault_set(struct sim_faults *faults, const char *text, uint64_t now, char *error, size_t size);

/* Writes the switches that are on as "drop=0.2 delay=200ms", or "off"; at most `size` bytes. */
void fault_print(const struct sim_faults *faults, char *text, size_t size);

/* Name as written on the command line, "wrong-identity"; a static string. */
const char *fault_name(enum sim_fault fault);

/* Draws whether the fault strikes now; for disconnect also ends a timed one that has passed. */
bool fault_strikes(
	struct sim_faults *faults, enum sim_fault fault, struct sim_random *random, uint64_t now);

/* Flips 1 to 4 neighbouring bits of one byte out of `len` >= 1 and returns how many. */
unsigned fault_flip_bits(struct sim_random *random, uint8_t *data, size_t len);

#endif
