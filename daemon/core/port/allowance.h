/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The allowance of a worker: bytes of frames, by credit that comes back when they are committed, and
 * records in a second.
 *
 * Threads: main.
 */
#ifndef ASSAY_CORE_PORT_ALLOWANCE_H
#define ASSAY_CORE_PORT_ALLOWANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/wire.h"

struct allowance {
	uint64_t granted; /* bytes of frames that the worker may still send */
	uint64_t credit;  /* to be given back */
	size_t held;      /* items on their way, */
	size_t former;    /* the first of them by former workers, without credit for this one */

	size_t records; /* that it may send before its socket is left alone for a while */
	unsigned
		waited; /* seconds that it had to wait since it last sent too many; 0: it did not */
	bool is_waiting;
};

/*
 * A new worker: `granted` is its first credit, room for one frame of maximum size and for the credit
 * that is given back late.
 */
void allowance_begin(struct allowance *allowance, uint64_t credit_late);

/* The worker has ended: the rest of its messages is read at once. */
void allowance_end(struct allowance *allowance);

/*
 * A frame of this size came.  False: it is more than the worker may send: frames stay
 * in memory until they are committed.
 */
bool allowance_spend(struct allowance *allowance, size_t bytes);

/* An item that was held is committed. */
void allowance_return(struct allowance *allowance, uint64_t bytes);

/* The credit that is to be sent to the worker now; 0: not enough has come back. */
uint64_t allowance_grant(struct allowance *allowance);

/*
 * A message of this type came; `key` is for the log.  Records are never removed, so a worker that
 * sends them without end would fill the disk.  False: its socket is not to be read until
 * allowance_renew(); then it cannot send, and loses nothing.
 */
bool allowance_admits(struct allowance *allowance, enum wire_type type, const char *key);

/* A second has passed for a worker with so many units.  True: it had to wait, and may go on. */
bool allowance_renew(struct allowance *allowance, size_t units, const char *key);

#endif
