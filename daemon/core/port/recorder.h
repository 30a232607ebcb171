/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recordings under way: from a port's worker to the one client that asked, never to a file.
 *
 * A client begins one, reads it piece by piece and stops it; the pieces in a row are a file of
 * capture/capture.h.  What it does not fetch is bounded: the worker then counts what is lost.
 * Nobody reading for a while ends a recording.  All on the main thread.
 */
#ifndef ASSAY_CORE_CAPTURE_H
#define ASSAY_CORE_CAPTURE_H

#include "core/control/control.h"
#include "core/core.h"

struct capture;
struct supervisor;

/* --- the control socket's operations --- */

int capture_op_start(struct control_call *call);
int capture_op_read(struct control_call *call);
int capture_op_stop(struct control_call *call);

/* At the end of the core: frees them all; nobody is answered. */
void capture_finish_all(struct core *core);

/* --- for the supervisor of the port --- */

/* Appends the message that makes a new worker record; records of the last one were whole. */
void capture_worker_begins(struct capture *capture, struct buffer *message);

/* A CAPTURED message: 0, or -EBADMSG for what the worker may not send. */
int capture_take(struct capture *capture, const uint8_t *records, size_t len);

/* The worker is gone, `why`. */
void capture_worker_ended(struct capture *capture, const char *why);

/* The port is given up: what was recorded can still be read. */
void capture_port_gone(struct capture *capture);

#endif
