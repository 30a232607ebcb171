/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stddef.h>

#include "core/instrument/machine.h"

static const struct {
	enum device_state shown;
	bool ready, start, run, active;
} states[MACHINE_STATES] = {
	[MACHINE_OFF] = {.shown = DEVICE_STATE_OFF},
	[MACHINE_CONNECTING] = {.shown = DEVICE_STATE_CONNECTING},
	[MACHINE_FAULT] = {.shown = DEVICE_STATE_FAULT},
	[MACHINE_IDLE] = {.shown = DEVICE_STATE_IDLE, .ready = true},
	[MACHINE_NOTING] = {.shown = DEVICE_STATE_ARMED,
		.ready = true,
		.start = true,
		.active = true},
	[MACHINE_ARMED] = {.shown = DEVICE_STATE_ARMED,
		.ready = true,
		.start = true,
		.active = true},
	[MACHINE_RETRYING] = {.shown = DEVICE_STATE_FAULT,
		.ready = true,
		.start = true,
		.active = true},
	[MACHINE_REFUSED] = {.shown = DEVICE_STATE_FAULT, .ready = true},
	[MACHINE_BUSY] = {.shown = DEVICE_STATE_BUSY, .ready = true, .run = true, .active = true},
	[MACHINE_STEPPING] = {.shown = DEVICE_STATE_BUSY,
		.ready = true,
		.run = true,
		.active = true},
	[MACHINE_BUSY_FAULT] = {.shown = DEVICE_STATE_FAULT, .run = true, .active = true},
	[MACHINE_ARMED_FAULT] = {.shown = DEVICE_STATE_FAULT, .start = true, .active = true},
	[MACHINE_SPOILED] = {.shown = DEVICE_STATE_FAULT,
		.ready = true,
		.run = true,
		.active = true},
	[MACHINE_BETWEEN] = {.shown = DEVICE_STATE_IDLE, .ready = true, .active = true},
	[MACHINE_RETURNING] = {.shown = DEVICE_STATE_IDLE, .ready = true},
	[MACHINE_QUEUED] = {.shown = DEVICE_STATE_ARMED,
		.ready = true,
		.start = true,
		.active = true},
	[MACHINE_SERVICE] = {.shown = DEVICE_STATE_MAINTENANCE, .ready = true},
	[MACHINE_SERVICE_DOWN] = {.shown = DEVICE_STATE_MAINTENANCE},
};

/* A cell: the next state, or one of these. */
enum {
	REST = MACHINE_STATES, /* returning if values are borrowed; idle, or service if people want */
	GIVE,                  /* refused, or service if people want that */
	STAY,                  /* the same state, with the event's actions */
	SKIP,                  /* ignored */
	NONE,                  /* rejected: there is nothing that it applies to */
	FOUL,                  /* breach of the protocol */
	BUG_,
};

/* clang-format off */
#define OFF_ MACHINE_OFF
#define CONN MACHINE_CONNECTING
#define FALT MACHINE_FAULT
#define IDLE MACHINE_IDLE
#define NOTE MACHINE_NOTING
#define ARMD MACHINE_ARMED
#define RTRY MACHINE_RETRYING
#define BUSY MACHINE_BUSY
#define STEP MACHINE_STEPPING
#define BSYF MACHINE_BUSY_FAULT
#define ARMF MACHINE_ARMED_FAULT
#define SPOI MACHINE_SPOILED
#define BTWN MACHINE_BETWEEN
#define RETN MACHINE_RETURNING
#define QUEU MACHINE_QUEUED
#define SERV MACHINE_SERVICE
#define SRVD MACHINE_SERVICE_DOWN

static const unsigned char cells[MACHINE_EVENTS][MACHINE_STATES] = {
/*                                 off   conn  fault idle  note  armed retry refus busy  step  busyf armdf spoil betwn retn  queu  serv  servd */
[MACHINE_ATTACH]              = { CONN, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_ },
[MACHINE_LOST]                = { BUG_, FALT, FALT, FALT, FALT, FALT, FALT, FALT, FALT, FALT, FALT, FALT, FALT, FALT, FALT, FALT, FALT, FALT },
[MACHINE_GONE]                = { SKIP, OFF_, OFF_, OFF_, OFF_, OFF_, OFF_, OFF_, OFF_, OFF_, OFF_, OFF_, OFF_, OFF_, OFF_, OFF_, OFF_, OFF_ },
[MACHINE_IDENTIFIED]          = { FOUL, CONN, STAY, CONN, FOUL, FOUL, FOUL, CONN, FOUL, FOUL, FOUL, STAY, FOUL, FOUL, CONN, FOUL, SRVD, STAY },
[MACHINE_STRANGER]            = { FOUL, FALT, FALT, FALT, FOUL, FOUL, FOUL, FALT, FOUL, FOUL, FOUL, STAY, FOUL, FOUL, FALT, FOUL, FALT, FALT },
[MACHINE_READY]               = { FOUL, REST, REST, FOUL, FOUL, FOUL, FOUL, FOUL, FOUL, FOUL, FOUL, FOUL, FOUL, FOUL, REST, STAY, FOUL, SERV },
[MACHINE_FOUND]               = { FOUL, STAY, STAY, FOUL, FOUL, FOUL, FOUL, FOUL, FOUL, FOUL, FOUL, FOUL, FOUL, FOUL, STAY, NOTE, FOUL, STAY },
[MACHINE_STARTED]             = { FOUL, FOUL, FOUL, FOUL, FOUL, BUSY, BUSY, FOUL, FOUL, BUSY, FOUL, FOUL, SKIP, BUSY, FOUL, FOUL, FOUL, FOUL },
[MACHINE_FRAME]               = { FOUL, FOUL, FOUL, FOUL, FOUL, FOUL, FOUL, FOUL, STAY, FOUL, FOUL, FOUL, SKIP, FOUL, FOUL, FOUL, FOUL, FOUL },
[MACHINE_ENDED]               = { FOUL, FOUL, FOUL, FOUL, FOUL, REST, REST, FOUL, REST, REST, FALT, FALT, REST, REST, FOUL, FOUL, FOUL, FOUL },
[MACHINE_ENDED_STEP]          = { BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, STEP, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_ },
[MACHINE_ENDED_ROUND]         = { BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BTWN, BUG_, BUG_, BUG_, SKIP, BUG_, BUG_, BUG_, BUG_, BUG_ },
[MACHINE_FAILED]              = { FOUL, FOUL, FOUL, FOUL, FOUL, FALT, FALT, FOUL, FALT, FALT, FALT, FALT, FALT, FALT, FOUL, FOUL, FOUL, FOUL },
[MACHINE_ENDED_SPOILED]       = { BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, GIVE, BUG_, BUG_, BUG_, BUG_, BUG_ },
[MACHINE_NOT_STARTED]         = { FOUL, FOUL, FOUL, FOUL, FOUL, REST, REST, FOUL, FOUL, REST, FALT, FALT, FOUL, FOUL, FOUL, FOUL, FOUL, FOUL },
[MACHINE_NOT_STARTED_ITSELF]  = { FOUL, FOUL, FOUL, FOUL, FOUL, GIVE, GIVE, FOUL, FOUL, GIVE, FALT, FALT, FOUL, FOUL, FOUL, FOUL, FOUL, FOUL },
[MACHINE_NOT_STARTED_CHANGED] = { FOUL, FOUL, FOUL, FOUL, FOUL, REST, GIVE, FOUL, FOUL, REST, FALT, FALT, FOUL, FOUL, FOUL, FOUL, FOUL, FOUL },
[MACHINE_TROUBLE]             = { FOUL, FALT, FALT, FALT, FALT, ARMF, ARMF, FALT, BSYF, BSYF, STAY, STAY, BSYF, FALT, FALT, FALT, FALT, FALT },
[MACHINE_SPOIL]               = { BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, SPOI, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_ },
[MACHINE_START]               = { NONE, NONE, NONE, ARMD, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, QUEU, NONE, NONE, NONE },
[MACHINE_BORROW]              = { NONE, NONE, NONE, QUEU, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, NONE, QUEU, NONE, NONE, NONE },
[MACHINE_NOTED]               = { SKIP, STAY, STAY, SKIP, ARMD, SKIP, SKIP, SKIP, SKIP, SKIP, SKIP, SKIP, SKIP, SKIP, STAY, STAY, SKIP, STAY },
[MACHINE_OWN]                 = { BUG_, BUG_, BUG_, BUG_, ARMD, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_, BUG_ },
[MACHINE_UNNOTED]             = { SKIP, SKIP, SKIP, SKIP, REST, SKIP, SKIP, SKIP, SKIP, SKIP, SKIP, SKIP, SKIP, SKIP, SKIP, SKIP, SKIP, SKIP },
[MACHINE_RETRY]               = { SKIP, SKIP, SKIP, SKIP, SKIP, SKIP, SKIP, RTRY, SKIP, SKIP, SKIP, SKIP, SKIP, SKIP, SKIP, SKIP, SKIP, SKIP },
[MACHINE_STOP]                = { NONE, NONE, NONE, NONE, REST, STAY, STAY, NONE, STAY, STAY, STAY, STAY, STAY, STAY, NONE, RETN, NONE, NONE },
[MACHINE_REST]                = { SKIP, SKIP, SKIP, REST, SKIP, SKIP, SKIP, REST, SKIP, SKIP, SKIP, SKIP, SKIP, SKIP, SKIP, SKIP, SKIP, SKIP },
[MACHINE_SERVICE_ON]          = { SRVD, SRVD, SRVD, SERV, REST, STAY, STAY, SERV, STAY, STAY, STAY, STAY, STAY, STAY, STAY, RETN, STAY, STAY },
[MACHINE_SERVICE_OFF]         = { STAY, STAY, STAY, STAY, STAY, STAY, STAY, STAY, STAY, STAY, STAY, STAY, STAY, STAY, STAY, STAY, REST, CONN },
};
/* clang-format on */

/* The bits beside the state that an event changes, before the cell is read. */
static struct machine note(struct machine m, enum machine_event event)
{
	switch (event) {
	case MACHINE_IDENTIFIED: m.identified = true; break;
	case MACHINE_ATTACH:
	case MACHINE_LOST:
	case MACHINE_GONE:
	case MACHINE_STRANGER:
	case MACHINE_FAILED:
	case MACHINE_TROUBLE: m.identified = false; break;
	case MACHINE_SERVICE_ON: m.maintenance = true; break;
	case MACHINE_SERVICE_OFF: m.maintenance = false; break;
	case MACHINE_READY: m.away = false; break;
	case MACHINE_NOTED: m.away = m.away || m.state == MACHINE_NOTING; break;
	default: break;
	}
	return m;
}

/* The actions that follow from the change of state alone. */
static unsigned actions_between(enum machine_state from, enum machine_state to)
{
	unsigned actions = 0;
	if (!states[from].run && states[to].run)
		actions |= MACHINE_BEGIN_RUN;
	if (states[from].run && !states[to].run)
		actions |= MACHINE_END_RUN;
	if (states[from].start && !states[to].start && !states[to].run)
		actions |= MACHINE_FAIL_REQUEST;
	if (from != MACHINE_REFUSED && to == MACHINE_REFUSED)
		actions |= MACHINE_RETRY_LATER;
	if (from != MACHINE_NOTING && to == MACHINE_NOTING)
		actions |= MACHINE_NOTE;
	if (from == MACHINE_NOTING && to == MACHINE_ARMED)
		actions |= MACHINE_SEND_START;
	return actions;
}

static unsigned actions_of(enum machine_event event, enum machine_state from)
{
	/* A start that waits in the core: the worker knows nothing of it. */
	bool waits = from == MACHINE_NOTING || from == MACHINE_QUEUED;
	switch (event) {
	case MACHINE_IDENTIFIED: return MACHINE_SEND_GO;
	case MACHINE_STRANGER: return MACHINE_SEND_REFUSE;
	case MACHINE_READY:
		return MACHINE_FORGET | (from == MACHINE_QUEUED ? MACHINE_SEND_LOOK : 0);
	case MACHINE_FOUND: return MACHINE_NOTE;
	case MACHINE_BORROW: return from == MACHINE_IDLE ? MACHINE_SEND_LOOK : 0;
	case MACHINE_NOTED: return from != MACHINE_NOTING ? MACHINE_SEND_CONFIGURE : 0;
	case MACHINE_START: return from == MACHINE_IDLE ? MACHINE_SEND_START : 0;
	case MACHINE_RETRY:
	case MACHINE_ENDED_STEP: return MACHINE_SEND_START;
	case MACHINE_SPOIL: return MACHINE_SEND_STOP;
	case MACHINE_STOP: return waits ? 0 : MACHINE_SEND_STOP;
	case MACHINE_SERVICE_ON: return states[from].active && !waits ? MACHINE_SEND_STOP : 0;
	default: return 0;
	}
}

struct machine_step machine_step(struct machine m, enum machine_event event)
{
	/* People want it out of service: the method's next step does not start. */
	if (event == MACHINE_ENDED_STEP && m.maintenance)
		event = MACHINE_ENDED;
	unsigned cell = cells[event][m.state];
	if ((event == MACHINE_READY || event == MACHINE_FOUND) && !m.identified)
		cell = FOUL;
	if (event == MACHINE_NOTED && !m.identified)
		cell = SKIP;
	if (cell == QUEU && m.state == RETN && m.maintenance)
		cell = NONE;
	switch (cell) {
	case SKIP: return (struct machine_step){MACHINE_IGNORED, m, 0};
	case NONE: return (struct machine_step){MACHINE_REJECTED, m, 0};
	case FOUL: return (struct machine_step){MACHINE_BREACH, m, 0};
	case BUG_: return (struct machine_step){MACHINE_BUG, m, 0};
	default: break;
	}
	struct machine_step step = {MACHINE_OK, note(m, event), 0};
	switch (cell) {
	case REST:
		step.next.state = step.next.away ? RETN : step.next.maintenance ? SERV : IDLE;
		break;
	case GIVE: step.next.state = step.next.maintenance ? SERV : MACHINE_REFUSED; break;
	case STAY: break;
	default: step.next.state = cell; break;
	}
	step.actions = actions_of(event, m.state) | actions_between(m.state, step.next.state);
	if (cell == REST && step.next.state == IDLE)
		step.actions |= MACHINE_GO_ON;
	if (cell == REST && step.next.state == RETN)
		step.actions |= MACHINE_SEND_CONFIGURE;
	return step;
}

enum device_state machine_shown(enum machine_state state)
{
	return states[state].shown;
}

bool machine_is_ready(enum machine_state state)
{
	return states[state].ready;
}

bool machine_has_run(enum machine_state state)
{
	return states[state].run;
}

bool machine_has_start(enum machine_state state)
{
	return states[state].start;
}

bool machine_is_active(enum machine_state state)
{
	return states[state].active;
}
