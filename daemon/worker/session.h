/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver's thread: gives the units of the port their turns, one after the other, each when its
 * time has come or a command is pending.  unit-machine.h has the way of a unit from identify to the
 * end of a run.
 *
 * Failures.  identify, configure, start and acquire are tried up to three times if an answer is
 * missing or broken (-ETIMEDOUT, -EBADMSG); repeats are counted in the next frame's quality.  Then
 * the unit is at fault: the core gets one STATE, the run ends as failed, and the unit is identified
 * again, one attempt at a time, with a back-off of 0.5 to 30 s, while the other units of the port
 * continue: as long as one of them works, those at fault get at most a thirtieth of the port's
 * time, and most of their attempts wait only a quarter of the time of a reply.  The back-off
 * starts from 0.5 s again once the unit has worked for 10 s.  If every unit of the port has three
 * silent faults in a row, the worker gives up the port and ends, so that the next worker opens it
 * again.  An error of the instrument (-EPROTO, -EINVAL) while starting leaves the unit ready.
 *
 * Pace.  With `every` a frame is due at whole multiples of it.  A driver with start() has started
 * the measurement when start() returns: its first frame is acquired at once.  A driver without
 * start() keeps the pace from its first frame.  The next frame counts the multiples that passed
 * without a frame as dropped, with the reason driver-overrun.
 */
#ifndef ASSAY_WORKER_SESSION_H
#define ASSAY_WORKER_SESSION_H

#include "wire/exit.h"
#include "wire/wire.h"
#include "worker/device.h"
#include "worker/module.h"

struct session;

/*
 * Loads drivers and settings of all units.  Borrows `setup` and `services`.  Returns 0 with *out
 * owned by the caller, or a negative errno with `why`.
 */
int session_create(const struct wire_setup *setup, struct services *services, struct session **out,
	char why[MODULE_WHY]);

/* Legal on NULL; the session must not be running. */
void session_destroy(struct session *session);

/* Runs until the core sends QUIT or the port is lost; everything is stopped and made safe. */
enum wire_exit session_run(struct session *session);

#endif
