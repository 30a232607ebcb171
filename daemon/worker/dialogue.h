/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dialogue of a simulated instrument as lines of the log, see `log` of wire/faults.h: what is sent
 * and received, as the filter leaves it.  Bytes that are not printable ASCII are escaped; of a long
 * piece the first ones are shown.  At most so many lines per second; the others are counted.
 */
#ifndef ASSAY_WORKER_DIALOGUE_H
#define ASSAY_WORKER_DIALOGUE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "worker/core-link.h"

/* All zero: writes nothing.  Guarded by the lock. */
struct dialogue {
	unsigned rate; /* lines per second; 0: none */
	uint64_t second;
	unsigned lines, muted;  /* in it; since the last line */
	struct buffer messages; /* on their way to the core */
};

void dialogue_finish(struct dialogue *dialogue);

/* Lock held.  `way` is "->" to the instrument, or "<-". */
void dialogue_note(
	struct dialogue *dialogue, const char *way, const void *data, size_t len, uint64_t now);

/* The I/O thread: offers the messages to the core. */
void dialogue_send(struct dialogue *dialogue, struct core_link *core);

#endif
