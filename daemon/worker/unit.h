/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One instrument of the port, from identify to the end (see session.h):
 *
 *	IDENTIFYING -> WAITING for GO -> RESTING <-> RUNNING
 *
 * Each turn does one step and returns.  Everything here belongs to the driver's thread.
 */
#ifndef ASSAY_WORKER_UNIT_H
#define ASSAY_WORKER_UNIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"
#include "worker/device.h"
#include "worker/pace.h"

#define UNIT_NEVER UINT64_MAX

enum phase {
	PHASE_IDENTIFYING,
	PHASE_WAITING, /* for GO or REFUSE */
	PHASE_RESTING,
	PHASE_RUNNING,
	PHASE_REFUSED,
};

struct worker_unit {
	struct device device;
	enum phase phase;
	uint64_t due; /* clock_boot(): when its phase has something to do by itself */
	bool is_faulty;
	bool is_silent;    /* it failed by not answering, or not sensibly */
	unsigned failures; /* in a row, without a frame between */
	struct backoff backoff;
	uint64_t ready_at; /* since when it has worked; 0: it does not */
	bool is_configured;
	bool is_left_on; /* something harmful, behind a port that is lost */

	struct start start; /* of the run */
	struct pace pace;
	bool is_measuring;                      /* between start and stop */
	struct buffer step_settings, step_sent; /* of a method's step: its frames say them */
	bool is_open;                           /* STARTED was said and ENDED was not */
	uint64_t frames, dropped;
	uint32_t retries;          /* of the frame to come */
	bool was_late, was_broken; /* why */
};

/* When the unit wants its turn, given what stands ordered; lock held.  0: now. */
uint64_t unit_due(const struct worker_unit *unit, const struct unit_commands *pending);

/* One step of the unit. */
void unit_turn(struct worker_unit *unit);

/* Nobody has answered several times in a row. */
bool unit_is_given_up(const struct worker_unit *unit);

/*
 * The end of the worker: ends the run, as failed when the port is lost, and switches off what is
 * on.  Returns true when nothing harmful is left on.
 */
bool unit_end(struct worker_unit *unit, bool lost);

void unit_finish(struct worker_unit *unit);

#endif
