/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What passes the link, for a recording.  The beginning of each connection, up to the first run,
 * is always kept, so that a recording that is begun later can be played back: a driver finds out
 * who is there before anything else.
 *
 * Nothing here waits: what the core does not fetch in time is counted and left out.
 */
#ifndef ASSAY_WORKER_LINK_RECORDER_H
#define ASSAY_WORKER_LINK_RECORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "capture/capture.h"
#include "wire/wire.h"
#include "worker/core-link.h"

/*
 * All zero: keeps the start of the connection and sends nothing.  All members are guarded by the
 * lock.
 */
struct link_recorder {
	struct buffer head; /* records of the connection's beginning */
	bool is_past;       /* the beginning is over */
	bool is_on;
	bool is_ending;        /* `on: false` was said, the rest is to be sent */
	struct buffer waiting; /* records on their way to the core */
	size_t sent;           /* bytes of them that are gone */
	uint64_t credit;
	uint64_t records, bytes; /* not in the recording since what stands last in it */
	uint64_t passed_records, passed_bytes; /* since the beginning was over */
};

void link_recorder_finish(struct link_recorder *recorder);

/* --- lock held --- */

void link_recorder_note(struct link_recorder *recorder, enum capture_kind kind, unsigned channel,
	const void *data, size_t len);

/* The connection's beginning is over: a run starts. */
void link_recorder_pass(struct link_recorder *recorder);

/* --- the I/O thread --- */

/* A CAPTURE message.  0 or -EBADMSG. */
int link_recorder_take_message(struct link_recorder *recorder, struct monitor *monitor,
	const struct wire_message *message);

/* Sends what waits, if the core gave credit and nothing else is to be sent.  True while on. */
bool link_recorder_send(struct link_recorder *recorder, struct core_link *core);

/* At the worker's end: hands over all that the core gave credit for. */
void link_recorder_send_all(struct link_recorder *recorder, struct core_link *core);

#endif
