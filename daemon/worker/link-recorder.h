/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records the bytes of the link.  The start of each connection, up to the first run, is always kept:
 * a driver identifies its instrument first, so a recording that starts later can be played back.
 *
 * Never waits: records that the core does not fetch in time are counted and left out.
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
	struct buffer head; /* records of the connection's start */
	bool is_past;       /* the start is over */
	bool is_on;
	bool is_ending;        /* `on: false` has come; the waiting records are still sent */
	struct buffer waiting; /* records on their way to the core */
	size_t sent;           /* bytes of them that were sent */
	uint64_t credit;
	uint64_t records, bytes;               /* left out since the last record of the recording */
	uint64_t passed_records, passed_bytes; /* since the start was over */
};

void link_recorder_finish(struct link_recorder *recorder);

/* --- lock held --- */

void link_recorder_note(struct link_recorder *recorder, enum capture_kind kind, unsigned channel,
	const void *data, size_t len);

/* The connection's start is over: a run starts. */
void link_recorder_pass(struct link_recorder *recorder);

/* --- the I/O thread --- */

/* A CAPTURE message.  0 or -EBADMSG. */
int link_recorder_take_message(struct link_recorder *recorder, struct monitor *monitor,
	const struct wire_message *message);

/* Sends waiting records if the core gave credit and no other message waits.  True while on. */
bool link_recorder_send(struct link_recorder *recorder, struct core_link *core);

/* At the worker's end: sends all records that the core gave credit for. */
void link_recorder_send_all(struct link_recorder *recorder, struct core_link *core);

#endif
