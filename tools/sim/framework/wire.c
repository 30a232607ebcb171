/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "program.h"

#define QUEUE_MAX     (4u << 20) /* a client that does not read loses bytes, as on a serial line */
#define STREAM_ROOM   8
#define GARBAGE_MAX   32
#define BITS_PER_BYTE 10 /* start, 8 data, stop */

struct unit {
	struct list link; /* wire.queue */
	struct peer peer;
	size_t len, sent;
	uint8_t data[];
};

void wire_init(struct wire *wire, struct sim_host *host, struct transport *transport)
{
	*wire = (struct wire){.host = host, .transport = transport, .garbage_at = SIM_NEVER};
	list_init(&wire->queue);
}

void wire_finish(struct wire *wire)
{
	wire_reset(wire);
	for (size_t i = 0; i < 2; i++) {
		free(wire->last[i].data);
		wire->last[i].data = NULL;
	}
}

static void unit_free(struct wire *wire, struct unit *unit)
{
	wire->queued -= unit->len;
	wire->streamed -= unit->peer.is_stream;
	list_remove(&unit->link);
	free(unit);
}

void wire_reset(struct wire *wire)
{
	struct unit *unit;
	list_for_each(unit, &wire->queue, link)
	{
		unit_free(wire, unit);
	}
	wire->is_blocked = false;
	wire->line_free = 0;
}

void wire_discard(void *wire)
{
	wire_reset(wire);
}

static void enqueue(struct wire *wire, bool is_stream, const uint8_t *data, size_t len)
{
	if (len == 0 || wire->queued + len > QUEUE_MAX)
		return;
	struct unit *unit = malloc(sizeof(*unit) + len);
	if (unit == NULL)
		return;
	*unit = (struct unit){.peer = wire->transport->peer, .len = len};
	unit->peer.is_stream = is_stream;
	wire->streamed += is_stream;
	memcpy(unit->data, data, len);
	list_append(&wire->queue, &unit->link);
	wire->queued += len;
}

static void emit(struct wire *wire, bool is_stream, const uint8_t *data, size_t len)
{
	struct wire_last *last = &wire->last[is_stream];
	uint8_t *copy = malloc(len > 0 ? len : 1);
	if (copy == NULL)
		return;
	memcpy(copy, data, len);
	if (sim_host_is_stale(wire->host, len) && last->data != NULL)
		enqueue(wire, is_stream, last->data, last->len);
	enqueue(wire, is_stream, data, len);
	free(last->data);
	*last = (struct wire_last){copy, len};
}

void wire_emit(void *wire, const uint8_t *data, size_t len)
{
	emit(wire, false, data, len);
}

void wire_emit_stream(void *wire, const uint8_t *data, size_t len)
{
	emit(wire, true, data, len);
}

bool wire_stream_has_room(void *context)
{
	const struct wire *wire = context;
	return wire->streamed + wire->transport->in_flight < STREAM_ROOM;
}

/* Bursts are a Poisson process: the next one is drawn when the previous one is queued. */
static void make_garbage(struct wire *wire, uint64_t now)
{
	uint8_t bytes[GARBAGE_MAX];
	struct sim_random *random = &wire->host->wire_random;
	double rate = wire->host->faults.strength[FAULT_GARBAGE];
	if (rate <= 0) {
		wire->garbage_at = SIM_NEVER;
		return;
	}
	if (wire->garbage_at != SIM_NEVER && now < wire->garbage_at)
		return;
	if (wire->garbage_at != SIM_NEVER) {
		size_t len = 1 + random_u64(random) % GARBAGE_MAX;
		for (size_t i = 0; i < len; i++)
			bytes[i] = (uint8_t)random_u64(random);
		enqueue(wire, false, bytes, len);
	}
	wire->garbage_at = now + (uint64_t)(-log(1 - random_unit(random)) / rate * 1e9);
}

/* Sends a piece of a unit; false if the transport takes nothing now. */
static bool send_some(struct wire *wire, struct unit *unit, uint64_t now)
{
	size_t piece = unit->len - unit->sent;
	size_t paced = wire->host->baud / BITS_PER_BYTE / 200 + 1; /* 5 ms at this speed */
	if (wire->host->baud > 0 && paced < piece)
		piece = paced;
	ssize_t n = wire->transport->ops->send(
		wire->transport, &unit->peer, unit->data + unit->sent, piece);
	if (n == -EAGAIN || n == -EINTR) {
		wire->is_blocked = true;
		return false;
	}
	if (n < 0)
		unit->sent = unit->len;
	else
		unit->sent += (size_t)n;
	if (wire->host->baud > 0 && n > 0)
		wire->line_free = now + (uint64_t)n * BITS_PER_BYTE * NS_PER_S / wire->host->baud;
	if (unit->sent == unit->len)
		unit_free(wire, unit);
	return true;
}

void wire_work(struct wire *wire)
{
	uint64_t now = clock_boot();
	make_garbage(wire, now);
	wire->is_blocked = false;
	while (!list_is_empty(&wire->queue)) {
		struct unit *unit = list_item(wire->queue.next, struct unit, link);
		if (wire->line_free > now || !send_some(wire, unit, now))
			return;
	}
}

uint64_t wire_next(const struct wire *wire)
{
	uint64_t next = wire->garbage_at;
	if (list_is_empty(&wire->queue) || wire->is_blocked)
		return next;
	return wire->line_free < next ? wire->line_free : next;
}
