/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults on demand.  A fault is a switch with a strength, set by `--fault NAME=VALUE` or at run
 * time through the control socket.  Faults of the wire (drop ... stale) are applied between model
 * and transport, so all models have them; a model plays those of the instrument (wrong-identity,
 * busy, share, stall) itself and draws them with sim_fault_active().  Times here are real, not the
 * instrument's.
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
	FAULT_GARBAGE,        /* unsolicited bursts of random bytes per second */
	FAULT_TRUNCATE,       /* probability that a reply loses its end */
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
	double strength[FAULT_COUNT]; /* probability, bursts/s, or ns for delay; 0 is off */
	uint64_t disconnect_until;    /* clock_boot() time, 0: until switched off */
	bool disconnect_timed;
};

/*
 * Sets one switch: "drop=0.2", "delay=200ms", "disconnect", "disconnect=5s", "busy", "drop=off",
 * or "off" for all.  Returns 0, or -EINVAL with one line in `error` that names the value found and
 * the values accepted; the state is unchanged then.  `now` is clock_boot().
 */
int fault_set(struct sim_faults *faults, const char *text, uint64_t now, char *error, size_t size);

/* Writes the switches that are on as "drop=0.2 delay=200ms", or "off"; at most `size` bytes. */
void fault_print(const struct sim_faults *faults, char *text, size_t size);

/* Draws whether the fault strikes now; ends a timed disconnect whose time is over. */
bool fault_strikes(
	struct sim_faults *faults, enum sim_fault fault, struct sim_random *random, uint64_t now);

/* Flips 1 to 4 neighbouring bits of one byte out of `len` >= 1 and returns how many. */
unsigned fault_flip_bits(struct sim_random *random, uint8_t *data, size_t len);

#endif
