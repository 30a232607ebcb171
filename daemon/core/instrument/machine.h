/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The states of an instrument as a pure table: machine_step(state, event) gives the next state and
 * the actions.  It does no I/O, owns no memory and reads no clock.
 *
 *	                      ┌──────────── fault, lost ────────────┐
 *	                      ▼                                     │
 *	off ─▶ connecting ─▶ fault                                  │
 *	           │ ready     │ ready         start                │
 *	           ▼           ▼            ┌─────────▶ armed ──────┤
 *	         service ◀──▶ idle ─────────┘             │ started │
 *	                       ▲  ◀──── ended ──────── busy ────────┤
 *	                       │                    ▲  │  ▲ started │
 *	                       │            started │  ▼  │         │
 *	                       └── ended ── between ◀ ─┘ stepping ──┘
 *
 * queued: a start that changes values waits until they are read back; noting: until they are
 * noted (borrowed.h), then armed.  returning: idle again once they are put back; a start is queued.
 * service: taken out of service by people.  between: the worker repeats runs and none is open.
 * stepping: the next step of a method is starting, within the run.  refused, retrying: a run that
 * starts by itself was refused and is tried again.  armed-fault, busy-fault: a fault was reported,
 * the end of the start or of the run follows.  spoiled: a frame of the run did not pass the check;
 * the worker ends the run, and its other frames are dropped.
 */
#ifndef ASSAY_CORE_INSTRUMENT_MACHINE_H
#define ASSAY_CORE_INSTRUMENT_MACHINE_H

#include <stdbool.h>

#include "record/words.h"

enum machine_state {
	MACHINE_OFF,
	MACHINE_CONNECTING,
	MACHINE_FAULT,
	MACHINE_IDLE,
	MACHINE_NOTING,
	MACHINE_ARMED,
	MACHINE_RETRYING,
	MACHINE_REFUSED,
	MACHINE_BUSY,
	MACHINE_STEPPING,
	MACHINE_BUSY_FAULT,
	MACHINE_ARMED_FAULT,
	MACHINE_SPOILED,
	MACHINE_BETWEEN,
	MACHINE_RETURNING,
	MACHINE_QUEUED,
	MACHINE_SERVICE,
	MACHINE_SERVICE_DOWN, /* and not ready */
	MACHINE_STATES,
};

enum machine_event {
	/* of the port */
	MACHINE_ATTACH, /* a worker is being started */
	MACHINE_LOST,   /* the worker is gone */
	MACHINE_GONE,   /* the worker has exited after QUIT */
	/* of the worker */
	MACHINE_IDENTIFIED, /* this is the configured unit */
	MACHINE_STRANGER,   /* this is another unit */
	MACHINE_READY,
	MACHINE_FOUND, /* ready, with values that are noted before other ones are sent */
	MACHINE_STARTED,
	MACHINE_FRAME,
	MACHINE_ENDED,               /* the run is over, and the worker rests */
	MACHINE_ENDED_STEP,          /* the step is over, and the method has another */
	MACHINE_ENDED_ROUND,         /* the run is over, and the worker repeats */
	MACHINE_FAILED,              /* the run is over by a fault */
	MACHINE_ENDED_SPOILED,       /* a spoiled run is over; it started by itself */
	MACHINE_NOT_STARTED,         /* START was refused; the run was on demand */
	MACHINE_NOT_STARTED_ITSELF,  /* the same; such runs start by themselves */
	MACHINE_NOT_STARTED_CHANGED, /* the same, with changed settings, which are taken back */
	MACHINE_TROUBLE,             /* a fault */
	MACHINE_SPOIL,               /* a frame did not pass the check */
	/* of people and the core */
	MACHINE_START,   /* a run that may start */
	MACHINE_BORROW,  /* the same, with values that are noted first */
	MACHINE_NOTED,   /* they are durable */
	MACHINE_OWN,     /* there are none: the start that waits has no borrowed value */
	MACHINE_UNNOTED, /* they cannot be noted */
	MACHINE_RETRY,   /* a refused run is due again */
	MACHINE_STOP,
	MACHINE_REST, /* if idle, start the next run of one that runs by itself */
	MACHINE_SERVICE_ON,
	MACHINE_SERVICE_OFF,
	MACHINE_EVENTS,
};

enum machine_action {
	MACHINE_SEND_GO = 1 << 0,
	MACHINE_SEND_REFUSE = 1 << 1,
	MACHINE_SEND_START = 1 << 2,
	MACHINE_SEND_STOP = 1 << 3,
	MACHINE_BEGIN_RUN = 1 << 4,
	MACHINE_END_RUN = 1 << 5,
	MACHINE_FAIL_REQUEST = 1 << 6, /* answer the request that did not become a run */
	MACHINE_GO_ON = 1 << 7,        /* start the next run if runs start by themselves */
	MACHINE_RETRY_LATER = 1 << 8,
	MACHINE_NOTE = 1 << 9,            /* note the values found; NOTED, OWN or UNNOTED follows */
	MACHINE_SEND_CONFIGURE = 1 << 10, /* its own settings, and the noted values */
	MACHINE_SEND_LOOK = 1 << 12,      /* put back the noted values, and read back */
	MACHINE_FORGET = 1 << 11,         /* the notes of values that are put back */
};

enum machine_verdict {
	MACHINE_OK,
	MACHINE_IGNORED,  /* nothing changes */
	MACHINE_REJECTED, /* the request does not apply in this state */
	MACHINE_BREACH,   /* the worker may not send this now */
	MACHINE_BUG,      /* the core may not do this now */
};

/* Zero is off. */
struct machine {
	enum machine_state state;
	bool identified;  /* by the present worker */
	bool maintenance; /* wanted by people; from service on in force */
	bool away;        /* borrowed values were sent and are not put back */
};

struct machine_step {
	enum machine_verdict verdict;
	struct machine next; /* as before unless MACHINE_OK */
	unsigned actions;    /* enum machine_action */
};

struct machine_step machine_step(struct machine machine, enum machine_event event);

/* As people see it. */
enum device_state machine_shown(enum machine_state state);

/* Its worker is configured and would accept a START. */
bool machine_is_ready(enum machine_state state);

/* A run is open; a START is unanswered. */
bool machine_has_run(enum machine_state state);
bool machine_has_start(enum machine_state state);

/* Something is under way that a stop ends. */
bool machine_is_active(enum machine_state state);

#endif
