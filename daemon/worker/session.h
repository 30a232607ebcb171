/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The driver's thread: takes the instruments of the port through their lives, in turn, each when
 * something of it is due.
 *
 *	IDENTIFYING -> WAITING for GO -> RESTING <-> RUNNING
 *
 * Failures.  identify, configure, start and acquire are tried up to three times when an answer is
 * missing or broken (-ETIMEDOUT, -EBADMSG); repeats are counted in the next frame's quality.  Then
 * the unit is at fault: one STATE says so, its run ends as failed, and it is identified again with
 * back-off from half a second to 30 s, while the other units of the port go on; it begins anew
 * once the unit has worked for 10 s.  When no unit of
 * the port has answered three times in a row, the port itself is given up and the worker ends, so
 * that the next one opens it anew.  A refusal (-EPROTO, -EINVAL) while starting leaves the unit
 * ready.
 *
 * Pace.  With `every` a frame is due at whole multiples of it.  A measurement that begins with
 * start() begins at once and its first frame is not held back; a driver without start() keeps the
 * pace from its first frame.  Multiples that pass meanwhile are counted as dropped by the next
 * frame, with the reason driver-overrun.
 */
#ifndef ASSAY_WORKER_SESSION_H
#define ASSAY_WORKER_SESSION_H

#include <stddef.h>

#include "wire/exit.h"
#include "wire/wire.h"
#include "worker/device.h"

struct session;

/*
 * Loads drivers and settings of all units.  `setup` and `services` are borrowed.  Returns 0 with
 * *out owned by the caller, or a negative errno with `why`.
 */
int session_create(const struct wire_setup *setup, struct services *services, struct session **out,
	char why[MODULE_WHY]);

/* Legal on NULL; the session must not be running. */
void session_destroy(struct session *session);

/* Runs until the core says quit or the port is lost; everything is stopped and made safe. */
enum wire_exit session_run(struct session *session);

#endif
