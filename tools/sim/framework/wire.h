/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between model and transport: the queue of units to be sent, each with the time it is due.  The
 * faults of the wire are applied here, and the pace of a serial line.
 */
#ifndef ASSAY_SIM_WIRE_H
#define ASSAY_SIM_WIRE_H

#include "base/list.h"
#include "transport.h"

struct wire {
	struct sim_host *host;
	struct transport *transport;
	struct list queue; /* struct unit */
	size_t queued;     /* bytes */
	uint8_t *last;     /* the unit before, for the fault stale */
	size_t last_len;
	uint64_t last_due, line_free; /* clock_boot() */
	uint64_t garbage_at;          /* SIM_NEVER: not drawn */
	bool is_blocked;              /* the transport took nothing: wait until it is writable */
};

void wire_init(struct wire *wire, struct sim_host *host, struct transport *transport);
void wire_finish(struct wire *wire);

/* Queues a copy of one unit with the faults that strike it; has the shape of sim_env.emit. */
void wire_emit(void *wire, const uint8_t *data, size_t len);

/* Drops what is queued; has the shape of sim_env.discard. */
void wire_discard(void *wire);

/* Queues garbage that is due, and sends what is due and fits. */
void wire_work(struct wire *wire);

/* When wire_work() is next needed, in clock_boot(); SIM_NEVER if only when writable or never. */
uint64_t wire_next(const struct wire *wire);

/* The client has gone: nothing queued is for the next one. */
void wire_reset(struct wire *wire);

#endif
