/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One instrument of the port as a state machine: a pure table of phases and events, without I/O,
 * lock or clock.  unit.h runs the slots and performs the actions.
 *
 * A phase either waits for an event (of the core, or its time), or names the driver's slot that
 * runs next.  Commands of the core are taken between slots, so an abort can still prevent a slot;
 * one that arrives while a slot runs is taken after the slot's result.
 *
 *	UNIDENTIFIED --due--> IDENTIFY --ok--> IDENTIFIED --GO---------------> CONFIGURE --ok--> READY
 *	                         ^               |     |                           ^
 *	                         |               |     +--GO_SAFE--> RESCUE --ok---+
 *	                         +--due-- REJECTED <--REFUSE
 *
 *	READY --CONFIGURE--> CONFIGURE
 *	READY --due--> RECHECK --ok, the same unit--> READY
 *
 *	READY --START--> PREPARE --ok--> START --ok: STARTED--> PACED --due--> ACQUIRE
 *
 *	PACED <--no answer, try again--- ACQUIRE --frame--> DELIVER --sent, more to come--> PACED
 *	                                    |                  |
 *	                                    +-- done -+-- last, stop, abort
 *	                                              v
 *	PACED <--ok-- RESTART <--due-- PAUSED <--- STOP ---over: ENDED--> READY
 *
 *	START, RESTART: after a failure CLEAN runs the driver's stop; then the slot is tried again, or
 *	                the start is given up.  If the instrument has to begin by itself, ARMED waits,
 *	                and AWAIT runs the slot again.
 *	fault:          every slot that fails for good leads to UNIDENTIFIED, out of a run through STOP
 *	                and, while a hazard is on, SAFE.
 *	QUIT, LOST:     every phase leads to OVER, through STOP if the driver measures, and SAFE while a
 *	                hazard is on.
 */
#ifndef ASSAY_WORKER_UNIT_MACHINE_H
#define ASSAY_WORKER_UNIT_MACHINE_H

#include <stdbool.h>

#include "wire/wire.h"

#define UNIT_TRIES       3 /* of a slot without a sound answer; of silent faults in a row */
#define UNIT_ACTIONS_MAX 4

enum unit_phase {
	UNIT_UNIDENTIFIED, /* waits until it is due */
	UNIT_IDENTIFY,     /* runs identify */
	UNIT_IDENTIFIED,   /* waits for GO or REFUSE */
	UNIT_REJECTED,     /* waits until it is due: the unit may have been exchanged */
	UNIT_RESCUE,       /* runs make_safe before anything else, after an unclean end */
	UNIT_CONFIGURE,    /* runs configure */
	UNIT_READY,        /* waits for START, or until it is due for RECHECK */
	UNIT_RECHECK, /* runs poll, or identify: no connection breaks when the unit is exchanged */
	UNIT_PREPARE, /* runs configure if the START has other settings */
	UNIT_START,   /* runs start */
	UNIT_ARMED,   /* the instrument begins by itself; waits until it is due */
	UNIT_AWAIT,   /* runs start again, to see if it has begun */
	UNIT_CLEAN,   /* runs stop after a start that failed */
	UNIT_PACED,   /* measures; waits until the next frame is due */
	UNIT_ACQUIRE, /* runs acquire */
	UNIT_DELIVER, /* decodes and sends a frame */
	UNIT_DELIVER_LAST, /* the same for the last frame of a measurement */
	UNIT_STOP,         /* runs stop */
	UNIT_PAUSED,       /* between two measurements; waits until the next one is due */
	UNIT_RESTART,      /* runs start for a further measurement of the same START */
	UNIT_SAFE,         /* runs make_safe */
	UNIT_OVER,
	UNIT_PHASES,
};

enum unit_event {
	UNIT_ON_LOST, /* the port, after the core was informed */
	/* Of the core, in the order in which pending ones are taken. */
	UNIT_ON_QUIT,
	UNIT_ON_GO,
	UNIT_ON_GO_SAFE,
	UNIT_ON_REFUSE,
	UNIT_ON_CONFIGURE,
	UNIT_ON_ABORT,
	UNIT_ON_STOP,
	UNIT_ON_START,
	UNIT_ON_DUE,
	/* Results of slots. */
	UNIT_ON_OK,
	UNIT_ON_ENOUGH, /* DELIVER: sent, and the run has the frames that START requested */
	UNIT_ON_FRAME,  /* ACQUIRE: ASSAY_FRAME, ASSAY_LAST, ASSAY_DONE, -EAGAIN */
	UNIT_ON_LAST,
	UNIT_ON_DONE,
	UNIT_ON_AGAIN,    /* the same of START, AWAIT and RESTART */
	UNIT_ON_SILENT,   /* no answer, or one that breaks the protocol */
	UNIT_ON_FAILED,   /* another error */
	UNIT_ON_GONE,     /* -ENODEV */
	UNIT_ON_CANCELED, /* interrupted by an abort or QUIT */
	/* Of the driver, while a slot runs. */
	UNIT_ON_HAZARD_ON,
	UNIT_ON_HAZARD_OFF,
	UNIT_EVENTS,
};

enum unit_action {
	UNIT_SEND_IDENTITY,
	UNIT_SEND_READY,
	UNIT_SEND_ARMED, /* STATE: a START waits for the instrument */
	UNIT_SEND_STARTED,
	UNIT_SEND_ENDED,       /* with unit_step.end */
	UNIT_SEND_NOT_STARTED, /* ENDED as the answer to START, with the first failure */
	UNIT_SEND_NOT_READY,   /* the same to a START that comes too early */
	UNIT_SEND_FAULT,       /* STATE, with the first failure */
	UNIT_SEND_HAZARD_ON,
	UNIT_SEND_HAZARD_OFF,
	UNIT_PREPARE_RUN, /* resets the counters of a run */
	UNIT_START_PACE,  /* the first frame is due */
	UNIT_NEXT_PACE,   /* the next frame or measurement is due at the next multiple of `every` */
	UNIT_RETRY,       /* drops the input and counts a retry */
	UNIT_BACK_OFF,    /* due after a back-off */
	UNIT_DUE_NOW,
	UNIT_DUE_SOON,  /* ACQUIRE had nothing to deliver, start nothing to report */
	UNIT_DUE_LATER, /* the identity of a rejected unit */
	UNIT_DUE_CHECK, /* a unit that rests: poll; the identity, if the link has no connections */
};

enum unit_debt {
	UNIT_OWES_NOTHING,
	UNIT_OWES_ANSWER, /* STARTED or ENDED, to START */
	UNIT_OWES_END,    /* ENDED, after STARTED */
};

enum unit_hazard {
	UNIT_HAZARD_OFF,
	UNIT_HAZARD_ON,
	UNIT_HAZARD_OUT_OF_REACH, /* on, behind a port that is lost */
};

/* Zero is the state after the port was opened. */
struct unit_state {
	enum unit_phase phase;
	enum wire_mode mode; /* of the last START */
	enum unit_debt owes;
	enum wire_end end;       /* how the run is to end; 0: not decided */
	enum unit_event failure; /* the first one of the start or run that is given up; 0: none */
	enum unit_hazard hazard;
	unsigned tries;    /* of the present slot, without a sound answer */
	unsigned silences; /* silent faults in a row, without a frame in between */
	bool is_faulty;    /* the core knows of a fault since the unit was last ready */
	bool is_leaving;   /* after QUIT or LOST */
};

struct unit_step {
	struct unit_state state;
	unsigned count;
	enum unit_action actions[UNIT_ACTIONS_MAX]; /* to be performed in this order */
	enum wire_end end;
};

/*
 * The state after `event`, and the actions.  The event must be possible in the phase: the result
 * of a slot that runs, DUE if the phase waits for it.  `mode` is that of a START.
 */
struct unit_step unit_step(struct unit_state state, enum unit_event event, enum wire_mode mode);

/* False if the event, of the core, stays pending until a later phase. */
bool unit_takes(const struct unit_state *state, enum unit_event event);

enum unit_activity {
	UNIT_WAITS,            /* for an event of the core */
	UNIT_WAITS_UNTIL_DUE,  /* the same, or UNIT_ON_DUE */
	UNIT_RUNS,             /* a slot, which a stop or abort reaches */
	UNIT_RUNS_UNDISTURBED, /* stop or make_safe */
};
enum unit_activity unit_activity(const struct unit_state *state);

/* True if the unit is not identified, after a fault or an attempt without a sound answer. */
bool unit_is_at_fault(const struct unit_state *state);

/* True if the unit waits for its next attempt after several silent faults in a row. */
bool unit_is_given_up(const struct unit_state *state);

#endif
