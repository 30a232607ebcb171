/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One port and its worker process, again and again: start it, feed it, hear it, notice its end or
 * its hanging, wait a little longer each time, start the next one.  The messages are handed to
 * the instruments of the port.
 */
#ifndef ASSAY_CORE_SUPERVISE_H
#define ASSAY_CORE_SUPERVISE_H

#include <stddef.h>

#include "base/buffer.h"
#include "core/core.h"
#include "core/port/recorder.h"

struct commit_item;
struct instrument;

struct supervisor;

/*
 * Begins to keep a worker for these instruments (1 or more, all on one port; the array is copied,
 * the instruments must outlive the supervisor's stopping).  0 or -ENOMEM.
 */
int supervise_start(
	struct core *core, struct instrument **instruments, size_t count, struct supervisor **out);

/*
 * Asks the worker to end and forgets the instruments once it has: `gone` is then called, perhaps
 * before this returns.  The supervisor frees itself.
 */
void supervise_stop(struct supervisor *supervisor, void (*gone)(void *arg), void *arg);

/* An instrument of the port is ready: once that lasts, the next failure is a new one. */
void supervise_worked(struct supervisor *supervisor);

/* Was it asked to stop?  Then nothing new is begun on its instruments. */
bool supervise_is_stopping(const struct supervisor *supervisor);

/* Sends what was written by wire_write_*() and empties the buffer. */
void supervise_send(struct supervisor *supervisor, struct buffer *message);

/* Ends a worker that broke the rules, with the reason in the log; the next one follows. */
void supervise_punish(struct supervisor *supervisor, const char *why);

/* A frame's bytes are on their way to the journal, and have arrived there. */
void supervise_hold(struct supervisor *supervisor);
void supervise_release(void *supervisor, const struct commit_item *item);

/* The port as recorder_start() needs it: it reports workers, records and its end to a recording. */
struct recording_port supervise_recording_port(struct supervisor *supervisor);

/* True while there is one, or a worker still sends the rest of the last. */
bool supervise_is_recording(const struct supervisor *supervisor);

/* Process id of the worker, 0 when none runs; how often one was started. */
int supervise_pid(const struct supervisor *supervisor);
unsigned supervise_starts(const struct supervisor *supervisor);

#endif
