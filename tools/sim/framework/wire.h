/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between model and transport: the queue of units to be sent.  Applies the faults stale and garbage,
 * and the pace of a serial line.
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
	size_t streamed;   /* units of a stream in the queue */
	struct wire_last {
		uint8_t *data;
		size_t len;
	} last[2];          /* the previous unit undamaged, for the fault stale; that of a stream */
	uint64_t line_free; /* clock_boot() */
	uint64_t garbage_at; /* SIM_NEVER: not drawn */
	bool is_blocked;     /* a send returned EAGAIN: wait until writable */
};

void wire_init(struct wire *wire, struct sim_host *host, struct transport *transport);
void wire_finish(struct wire *wire);

/* Queues a copy of one unit, behind the previous one if that is stale; for sim_env.emit and emit_stream. */
void wire_emit(void *wire, const uint8_t *data, size_t len);
void wire_emit_stream(void *wire, const uint8_t *data, size_t len);

/* Whether few units of the stream are not taken by the host yet. */
bool wire_stream_has_room(void *wire);

/* Drops the queue; for sim_env.discard. */
void wire_discard(void *wire);

/* Queues garbage that is due, and sends the units as far as they fit. */
void wire_work(struct wire *wire);

/* When wire_work() is next needed, in clock_boot(); SIM_NEVER if not before it is writable. */
uint64_t wire_next(const struct wire *wire);

/* Drops the queue when the client has changed. */
void wire_reset(struct wire *wire);

#endif
