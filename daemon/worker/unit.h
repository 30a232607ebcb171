/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One instrument of the port: runs the driver's slots and performs the actions that unit-machine.h
 * decides on.  Belongs to the driver's thread.
 *
 * A unit has no thread and no loop: a turn takes the pending commands, runs slots until the unit
 * waits, and returns.  It blocks only inside slots, and in core_link_frame() without credit.
 */
#ifndef ASSAY_WORKER_UNIT_H
#define ASSAY_WORKER_UNIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/backoff.h"
#include "worker/commands.h"
#include "worker/device.h"
#include "worker/pace.h"
#include "worker/unit-machine.h"

#define UNIT_NEVER UINT64_MAX

struct worker_unit {
	struct device device; /* first: unit_of() in unit.c */
	struct unit_state state;
	uint64_t due;                    /* clock_boot(): if the state waits for it */
	uint64_t identity_due, poll_due; /* of a unit that rests */
	struct backoff backoff;
	unsigned attempts;  /* to identify it while it is at fault */
	uint64_t ready_at;  /* since when it has worked; 0: it does not */
	bool is_configured; /* with the settings in use */
	struct assay_identity identity;
	unsigned connection; /* channel->connections when it was read last */
	int error;           /* of the first failure that is being handled, */
	char why[EXPLAIN_MAX];

	struct own own;     /* by the last GO or CONFIGURE */
	struct start start; /* of the last run */
	struct pace pace;
	struct buffer step_settings, step_sent; /* of a method's step, for each of its frames */
	uint64_t frames, dropped;               /* `dropped`: before the next frame */
	bool was_late, was_broken;              /* why the next frame was retried, */
	bool was_resumed;                       /* after the connection had broken */
	bool is_calibrated;                     /* the calibration holds, or there is none */
	char sample[SAMPLE_MAX + 1]; /* as the instrument reported it at the start of the run, */
	bool has_other_sample;       /* and another one for a further measurement of the run */
	char cut[EXPLAIN_MAX];       /* why the instrument ended the last measurement early */
	char waits_for[EXPLAIN_MAX]; /* as the core knows it, until the next run */
};

/*
 * Borrows `services`, `config` and `driver`.  0, or a negative errno with `why`; either way finish
 * with unit_finish().
 */
int unit_init(struct worker_unit *unit, struct services *services, unsigned index,
	const struct unit *config, const struct assay_driver *driver, unsigned link,
	char why[MODULE_WHY]);
void unit_finish(struct worker_unit *unit);

/*
 * When the unit's time comes, commands apart: not before it may use the line again.  No frame is
 * due while there is no credit for it.
 */
uint64_t unit_due(const struct worker_unit *unit, bool has_credit);

/* One turn.  `is_due`: the time of unit_due() has come. */
void unit_turn(struct worker_unit *unit, bool is_due);

/*
 * The end of the worker: ends the run, as failed if the port is lost, and switches off hazards.
 * Returns true if no hazard is left on.
 */
bool unit_end(struct worker_unit *unit, bool lost);

#endif
