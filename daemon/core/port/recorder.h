/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recordings of the bytes on a port, from its worker to the one client that requested them, never
 * to a file of the daemon.
 *
 * A client starts a recording, reads it piece by piece and stops it; the pieces in a row are a file
 * of capture/capture.h.  Unread bytes are bounded: above that the worker counts the loss.  A
 * recording ends after 20 s without a read.
 *
 * Threads: the main thread's.
 */
#ifndef ASSAY_CORE_PORT_RECORDER_H
#define ASSAY_CORE_PORT_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

#define RECORDINGS_MAX    8
#define RECORDING_WAIT_MS 5000 /* of one read, at most */

struct capture_head;
struct loop;
struct recorder; /* the recordings under way */
struct recording;

/* Owned; NULL: out of memory. */
struct recorder *recorder_create(struct loop *loop);

/* Ends all recordings: waiting reads and ended() get NULL.  NULL is legal. */
void recorder_destroy(struct recorder *recorder);

/* The port that is recorded. */
struct recording_port {
	void *arg;
	/*
	 * Requests that the worker records and may send `bytes` more, or, if not `on`, that it
	 * stops and sends at most that much.  False: no worker runs.
	 */
	bool (*request)(void *arg, bool on, uint64_t bytes);
	/* The recording that gets the worker's records from now on; NULL: none. */
	void (*attach)(void *arg, struct recording *recording);
};

/*
 * Starts a recording with this head, and attaches it to the port.  `ended` is called once, when no
 * more bytes are recorded, with the reason; NULL: the daemon ends.  Copies `port`.  The recording
 * is borrowed until its end was read, or 20 s passed without a read.  NULL: there are
 * RECORDINGS_MAX, or out of memory.
 */
struct recording *recorder_start(struct recorder *recorder, const struct capture_head *head,
	const struct recording_port *port, void (*ended)(void *arg, const char *why), void *arg);

/* NULL: there is none of this number. */
struct recording *recorder_find(const struct recorder *recorder, uint64_t id);

/* Counted from 1 since the start of the daemon. */
uint64_t recording_id(const struct recording *recording);

/* The next bytes of a recording, borrowed for the call. */
struct recording_piece {
	const uint8_t *data;
	size_t len;
	bool is_end; /* the recording is freed after this */
};

/*
 * Calls `done` once, perhaps before this returns, with the bytes that arrive within `wait_ms`; NULL:
 * the daemon ends.  -EBUSY: another read waits, and `done` is not called.
 */
int recording_read(struct recording *recording, uint64_t wait_ms,
	void (*done)(void *arg, const struct recording_piece *piece), void *arg);

/* Stops recording; the rest can still be read. */
void recording_stop(struct recording *recording);

/* --- for the supervisor of the port --- */

/* Appends the message that makes a new worker record; records of the last one were whole. */
void recording_worker_starts(struct recording *recording, struct buffer *message);

/* Takes a CAPTURED message: 0, or -EBADMSG if the worker may not send this. */
int recording_take(struct recording *recording, const uint8_t *records, size_t len);

/* The worker ended, and why. */
void recording_worker_ended(struct recording *recording, const char *why);

/* The port is given up; the recorded bytes can still be read. */
void recording_port_gone(struct recording *recording);

#endif
