/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stddef.h>

#include "worker/unit-machine.h"

/* The effect of one event in one phase. */
typedef void cell(struct unit_step *step, enum unit_event event);

static void act(struct unit_step *step, enum unit_action action)
{
	assert(step->count < UNIT_ACTIONS_MAX);
	step->actions[step->count++] = action;
}

/* Enters a phase and counts its attempts from 0. */
static void enter(struct unit_step *step, enum unit_phase phase)
{
	step->state.phase = phase;
	step->state.tries = 0;
}

static bool may_retry(struct unit_step *step)
{
	if (++step->state.tries >= UNIT_TRIES || step->state.is_leaving)
		return false;
	act(step, UNIT_RETRY);
	return true;
}

static void declare_fault(struct unit_step *step, enum unit_event event)
{
	struct unit_state *state = &step->state;
	if (!state->is_faulty)
		act(step, UNIT_SEND_FAULT);
	act(step, UNIT_BACK_OFF);
	state->failure = event;
	state->is_faulty = true;
	if (event != UNIT_ON_SILENT)
		state->silences = 0;
	else if (state->silences < UNIT_TRIES)
		state->silences++;
}

static void send_ended(struct unit_step *step, enum wire_end end)
{
	act(step, UNIT_SEND_ENDED);
	step->end = end;
	step->state.owes = UNIT_OWES_NOTHING;
}

/* Waits for START. */
static void rest(struct unit_step *step)
{
	act(step, UNIT_DUE_CHECK);
	enter(step, UNIT_READY);
}

/* The driver has stopped and is as safe as possible: sends the answer or end that is due. */
static void conclude(struct unit_step *step)
{
	struct unit_state *state = &step->state;
	if (state->owes == UNIT_OWES_ANSWER)
		act(step, UNIT_SEND_NOT_STARTED);
	else if (state->owes == UNIT_OWES_END)
		send_ended(step, state->end);
	state->owes = UNIT_OWES_NOTHING;
	state->end = 0;
	state->failure = 0;
	if (state->is_leaving)
		enter(step, UNIT_OVER);
	else if (state->is_faulty)
		enter(step, UNIT_UNIDENTIFIED);
	else
		rest(step);
}

/* The driver has stopped. */
static void settle(struct unit_step *step)
{
	struct unit_state *state = &step->state;
	if (state->hazard == UNIT_HAZARD_ON && (state->failure != 0 || state->is_leaving))
		enter(step, UNIT_SAFE);
	else
		conclude(step);
}

/* --- cells of several phases ------------------------------------------------------------------ */

static void bug(struct unit_step *step, enum unit_event event)
{
	assert(!"an event that is impossible in this phase");
}

/* The event comes too late: the run is over, the identity was answered. */
static void drop(struct unit_step *step, enum unit_event event)
{
}

/* The event stays pending: unit_takes() is false. */
static void later(struct unit_step *step, enum unit_event event)
{
	bug(step, event);
}

static void too_early(struct unit_step *step, enum unit_event event)
{
	act(step, UNIT_SEND_NOT_READY);
}

static void hazard_on(struct unit_step *step, enum unit_event event)
{
	step->state.hazard = UNIT_HAZARD_ON;
	act(step, UNIT_SEND_HAZARD_ON);
}

static void hazard_off(struct unit_step *step, enum unit_event event)
{
	step->state.hazard = UNIT_HAZARD_OFF;
	act(step, UNIT_SEND_HAZARD_OFF);
}

/* QUIT or LOST before a stop or make_safe, which still runs. */
static void leave_after(struct unit_step *step, enum unit_event event)
{
	struct unit_state *state = &step->state;
	bool lost = event == UNIT_ON_LOST;
	state->is_leaving = true;
	state->is_faulty = state->is_faulty || lost;
	if (lost && state->failure == 0)
		state->failure = UNIT_ON_GONE;
	if (state->end == 0)
		state->end = lost ? WIRE_END_FAILED : WIRE_END_ABORTED;
}

/* QUIT or LOST while the driver measures. */
static void leave_run(struct unit_step *step, enum unit_event event)
{
	step->state.end = 0; /* a stop that was to follow */
	leave_after(step, event);
	enter(step, UNIT_STOP);
}

/* QUIT or LOST while it does not measure.  ENDED for a run that failed follows make_safe. */
static void leave(struct unit_step *step, enum unit_event event)
{
	leave_after(step, event);
	if (step->state.owes == UNIT_OWES_END && step->state.end != WIRE_END_FAILED)
		send_ended(step, step->state.end);
	settle(step);
}

/* --- up to READY ------------------------------------------------------------------------------ */

static void identify(struct unit_step *step, enum unit_event event)
{
	step->state.phase = UNIT_IDENTIFY; /* its tries go on */
}

static void identified(struct unit_step *step, enum unit_event event)
{
	act(step, UNIT_SEND_IDENTITY);
	enter(step, UNIT_IDENTIFIED);
}

static void configure(struct unit_step *step, enum unit_event event)
{
	enter(step, UNIT_CONFIGURE);
}

static void rescue(struct unit_step *step, enum unit_event event)
{
	step->state.hazard = UNIT_HAZARD_ON; /* until make_safe succeeds */
	enter(step, UNIT_RESCUE);
}

static void rescued(struct unit_step *step, enum unit_event event)
{
	if (step->state.hazard != UNIT_HAZARD_OFF)
		hazard_off(step, event);
	enter(step, UNIT_CONFIGURE);
}

static void reject(struct unit_step *step, enum unit_event event)
{
	step->state.is_faulty = true;
	act(step, UNIT_DUE_LATER);
	enter(step, UNIT_REJECTED);
}

static void ready(struct unit_step *step, enum unit_event event)
{
	step->state.is_faulty = false;
	act(step, UNIT_SEND_READY);
	rest(step);
}

static void recheck(struct unit_step *step, enum unit_event event)
{
	enter(step, UNIT_RECHECK);
}

static void rechecked(struct unit_step *step, enum unit_event event)
{
	rest(step);
}

/* A slot before READY has failed for good. */
static void fault(struct unit_step *step, enum unit_event event)
{
	declare_fault(step, event);
	step->state.failure = 0;
	enter(step, UNIT_UNIDENTIFIED);
}

/* Other units get their turns between the tries; a unit at fault has one try at a time. */
static void identify_silent(struct unit_step *step, enum unit_event event)
{
	if (step->state.is_faulty || !may_retry(step)) {
		fault(step, event);
		return;
	}
	act(step, UNIT_DUE_NOW);
	step->state.phase = UNIT_UNIDENTIFIED;
}

static void silent(struct unit_step *step, enum unit_event event)
{
	if (!may_retry(step))
		fault(step, event);
}

/* It is unknown how far the slot came. */
static void interrupted(struct unit_step *step, enum unit_event event)
{
	act(step, UNIT_DUE_NOW);
	enter(step, UNIT_UNIDENTIFIED);
}

/* --- the start of a run ----------------------------------------------------------------------- */

static void prepare(struct unit_step *step, enum unit_event event)
{
	step->state.owes = UNIT_OWES_ANSWER;
	act(step, UNIT_PREPARE_RUN);
	enter(step, UNIT_PREPARE);
}

static void start(struct unit_step *step, enum unit_event event)
{
	enter(step, UNIT_START);
}

static void restart(struct unit_step *step, enum unit_event event)
{
	enter(step, UNIT_RESTART);
}

/*
 * The start is given up.  If START was never answered, an error of the instrument leaves the unit
 * ready; silence, and any failure of a further measurement, is a fault.
 */
static void give_up_start(struct unit_step *step, enum unit_event event)
{
	struct unit_state *state = &step->state;
	bool first = state->owes == UNIT_OWES_ANSWER;
	state->failure = event;
	if (!first || event == UNIT_ON_SILENT || event == UNIT_ON_GONE)
		declare_fault(step, event);
	state->end = WIRE_END_FAILED;
	settle(step);
}

static void prepare_silent(struct unit_step *step, enum unit_event event)
{
	if (!may_retry(step))
		give_up_start(step, event);
}

/* The driver's stop follows every start that failed. */
static void clean(struct unit_step *step, enum unit_event event)
{
	step->state.failure = event;
	step->state.phase = UNIT_CLEAN;
}

static void cleaned(struct unit_step *step, enum unit_event event)
{
	struct unit_state *state = &step->state;
	enum unit_event failure = state->failure;
	bool first = state->owes == UNIT_OWES_ANSWER;
	state->failure = 0;
	if (failure == UNIT_ON_SILENT && may_retry(step))
		state->phase = first ? UNIT_START : UNIT_RESTART;
	else if (failure != UNIT_ON_CANCELED || first)
		give_up_start(step, failure);
	else if (state->is_leaving)
		settle(step);
	else
		enter(step, UNIT_PAUSED); /* where the abort is taken */
}

static void started(struct unit_step *step, enum unit_event event)
{
	act(step, UNIT_START_PACE);
	act(step, UNIT_SEND_STARTED);
	step->state.owes = UNIT_OWES_END;
	enter(step, UNIT_PACED);
}

static void restarted(struct unit_step *step, enum unit_event event)
{
	act(step, UNIT_DUE_NOW);
	if (step->state.mode == WIRE_REPEAT)
		act(step, UNIT_SEND_STARTED);
	step->state.owes = UNIT_OWES_END;
	enter(step, UNIT_PACED);
}

/* The instrument has to begin by itself: the driver is stopped however that ends. */
static void arm(struct unit_step *step, enum unit_event event)
{
	act(step, UNIT_DUE_SOON);
	if (step->state.owes == UNIT_OWES_ANSWER && step->state.phase == UNIT_START)
		act(step, UNIT_SEND_ARMED);
	enter(step, UNIT_ARMED);
}

static void await(struct unit_step *step, enum unit_event event)
{
	enter(step, UNIT_AWAIT);
}

static void begun(struct unit_step *step, enum unit_event event)
{
	if (step->state.owes == UNIT_OWES_ANSWER)
		started(step, event);
	else
		restarted(step, event);
}

/* ABORT or QUIT before the slot ran. */
static void cancel_start(struct unit_step *step, enum unit_event event)
{
	give_up_start(step, UNIT_ON_CANCELED);
}

/* --- measuring -------------------------------------------------------------------------------- */

static void acquire(struct unit_step *step, enum unit_event event)
{
	step->state.phase = UNIT_ACQUIRE;
}

static void deliver(struct unit_step *step, enum unit_event event)
{
	step->state.phase = event == UNIT_ON_LAST ? UNIT_DELIVER_LAST : UNIT_DELIVER;
}

/* The slot was interrupted: the abort is taken next. */
static void skip(struct unit_step *step, enum unit_event event)
{
	step->state.phase = UNIT_PACED;
}

static void fail(struct unit_step *step, enum unit_event event)
{
	declare_fault(step, event);
	step->state.end = WIRE_END_FAILED;
	enter(step, UNIT_STOP);
}

static void acquire_silent(struct unit_step *step, enum unit_event event)
{
	if (may_retry(step))
		step->state.phase = UNIT_PACED;
	else
		fail(step, event);
}

static void acquire_again(struct unit_step *step, enum unit_event event)
{
	act(step, UNIT_DUE_SOON);
	step->state.phase = step->state.end != 0 ? UNIT_STOP : UNIT_PACED;
}

static void stop(struct unit_step *step, enum unit_event event)
{
	step->state.end = event == UNIT_ON_ABORT ? WIRE_END_ABORTED : WIRE_END_STOPPED;
	enter(step, UNIT_STOP);
}

/* The current frame is finished first. */
static void stop_after(struct unit_step *step, enum unit_event event)
{
	step->state.end = WIRE_END_STOPPED;
}

/* The measurement is over, and the run with it unless it goes on after a restart. */
static void measured(struct unit_step *step, enum unit_event event)
{
	struct unit_state *state = &step->state;
	bool enough = event == UNIT_ON_ENOUGH && state->mode == WIRE_CONTINUOUS;
	if (state->end == 0 && (state->mode == WIRE_ONCE || enough))
		state->end = WIRE_END_COMPLETE;
	enter(step, UNIT_STOP);
}

static void delivered(struct unit_step *step, enum unit_event event)
{
	struct unit_state *state = &step->state;
	bool is_last = state->phase == UNIT_DELIVER_LAST || event == UNIT_ON_ENOUGH;
	state->silences = 0;
	if (is_last || state->end != 0) {
		measured(step, event);
		return;
	}
	act(step, UNIT_NEXT_PACE);
	enter(step, UNIT_PACED);
}

/* --- the end of a run ------------------------------------------------------------------------- */

static void stopped(struct unit_step *step, enum unit_event event)
{
	struct unit_state *state = &step->state;
	if (state->end == 0) {
		if (state->mode == WIRE_REPEAT)
			send_ended(step, WIRE_END_COMPLETE);
		act(step, UNIT_NEXT_PACE);
		enter(step, UNIT_PAUSED);
		return;
	}
	if (state->end != WIRE_END_FAILED)
		send_ended(step, state->end);
	settle(step);
}

/* A fault, unless the run has failed before; a run that was complete stays so. */
static void stop_failed(struct unit_step *step, enum unit_event event)
{
	struct unit_state *state = &step->state;
	if (state->end == 0)
		state->end = WIRE_END_FAILED;
	else if (state->end != WIRE_END_FAILED)
		send_ended(step, state->end);
	if (state->failure == 0)
		declare_fault(step, event);
	settle(step);
}

/* STOP or ABORT between two measurements: also of a repetition without an open run. */
static void end_pause(struct unit_step *step, enum unit_event event)
{
	send_ended(step, event == UNIT_ON_ABORT ? WIRE_END_ABORTED : WIRE_END_STOPPED);
	settle(step);
}

static void made_safe(struct unit_step *step, enum unit_event event)
{
	if (event == UNIT_ON_GONE && step->state.hazard == UNIT_HAZARD_ON)
		step->state.hazard = UNIT_HAZARD_OUT_OF_REACH;
	conclude(step);
}

/* --- the table -------------------------------------------------------------------------------- */

/* clang-format off */
#define BOTH(cell) cell, cell       /* LOST and QUIT */
#define SAME(cell) cell, cell, cell, cell /* GO, GO_SAFE, REFUSE and CONFIGURE */

/* OK, ENOUGH; FRAME, LAST, DONE, AGAIN; SILENT, FAILED, GONE, CANCELED; HAZARD_ON, HAZARD_OFF. */
#define NO_SLOT bug, bug, bug, bug, bug, bug, bug, bug, bug, bug, bug, bug
#define SLOT(ok, silent, failed, canceled) \
	ok, bug, bug, bug, bug, bug, silent, failed, failed, canceled, hazard_on, hazard_off
#define STARTS(ok, again) \
	ok, bug, bug, bug, bug, again, clean, clean, clean, clean, hazard_on, hazard_off
#define ACQUIRED(frame, done, again, silent, failed, canceled) \
	bug, bug, frame, frame, done, again, silent, failed, failed, canceled, hazard_on, hazard_off
#define DELIVERED(ok, failed, canceled) \
	ok, ok, bug, bug, bug, bug, failed, failed, failed, canceled, hazard_on, hazard_off

static const struct row {
	enum unit_activity activity;
	cell *cells[UNIT_EVENTS];
} table[UNIT_PHASES] = {
	/* LOST, QUIT      GO, GO_SAFE, REFUSE, CONFIGURE  ABORT    STOP        START      DUE; results */
	[UNIT_UNIDENTIFIED] = {UNIT_WAITS_UNTIL_DUE, {
	BOTH(leave),       SAME(drop),                drop,         drop,       too_early, identify,
	NO_SLOT}},
	[UNIT_IDENTIFY] = {UNIT_RUNS, {
	BOTH(leave),       SAME(drop),                drop,         drop,       too_early, bug,
	SLOT(identified, identify_silent, fault, interrupted)}},
	[UNIT_IDENTIFIED] = {UNIT_WAITS, {
	BOTH(leave),       configure, rescue, reject, drop, drop,   drop,       too_early, bug,
	NO_SLOT}},
	[UNIT_REJECTED] = {UNIT_WAITS_UNTIL_DUE, {
	BOTH(leave),       SAME(drop),                drop,         drop,       too_early, identify,
	NO_SLOT}},
	[UNIT_RESCUE] = {UNIT_RUNS_UNDISTURBED, {
	BOTH(leave),       SAME(drop),                drop,         drop,       too_early, bug,
	SLOT(rescued, fault, fault, fault)}},
	[UNIT_CONFIGURE] = {UNIT_RUNS, {
	BOTH(leave),       SAME(drop),                drop,         drop,       too_early, bug,
	SLOT(ready, silent, fault, interrupted)}},
	[UNIT_READY] = {UNIT_WAITS_UNTIL_DUE, {
	BOTH(leave),       drop, drop, drop, configure, drop,       drop,       prepare,   recheck,
	NO_SLOT}},
	[UNIT_RECHECK] = {UNIT_RUNS, {
	BOTH(leave),       drop, drop, drop, later,   drop,         drop,       later,     bug,
	SLOT(rechecked, silent, fault, interrupted)}},
	[UNIT_PREPARE] = {UNIT_RUNS, {
	BOTH(leave),       SAME(drop),                cancel_start, later,      later,     bug,
	SLOT(start, prepare_silent, give_up_start, give_up_start)}},
	[UNIT_START] = {UNIT_RUNS, {
	BOTH(leave),       SAME(drop),                cancel_start, later,      later,     bug,
	STARTS(started, arm)}},
	[UNIT_ARMED] = {UNIT_WAITS_UNTIL_DUE, {
	BOTH(leave_run),   SAME(drop),                stop,         stop,       later,     await,
	NO_SLOT}},
	[UNIT_AWAIT] = {UNIT_RUNS, {
	BOTH(leave_run),   SAME(drop),                stop,         stop,       later,     bug,
	STARTS(begun, arm)}},
	[UNIT_CLEAN] = {UNIT_RUNS_UNDISTURBED, {
	BOTH(leave_after), SAME(drop),                later,        later,      later,     bug,
	SLOT(cleaned, cleaned, cleaned, cleaned)}},
	[UNIT_PACED] = {UNIT_WAITS_UNTIL_DUE, {
	BOTH(leave_run),   SAME(drop),                stop,         stop,       later,     acquire,
	NO_SLOT}},
	[UNIT_ACQUIRE] = {UNIT_RUNS, {
	BOTH(leave_run),   SAME(drop),                stop,         stop_after, later,     bug,
	ACQUIRED(deliver, measured, acquire_again, acquire_silent, fail, skip)}},
	[UNIT_DELIVER] = {UNIT_RUNS, {
	BOTH(leave_run),   SAME(drop),                stop,         stop_after, later,     bug,
	DELIVERED(delivered, fail, skip)}},
	[UNIT_DELIVER_LAST] = {UNIT_RUNS, {
	BOTH(leave_run),   SAME(drop),                stop,         stop_after, later,     bug,
	DELIVERED(delivered, fail, skip)}},
	[UNIT_STOP] = {UNIT_RUNS_UNDISTURBED, {
	BOTH(leave_after), SAME(drop),                later,        later,      later,     bug,
	SLOT(stopped, stop_failed, stop_failed, stop_failed)}},
	[UNIT_PAUSED] = {UNIT_WAITS_UNTIL_DUE, {
	BOTH(leave),       SAME(drop),                end_pause,    end_pause,  later,     restart,
	NO_SLOT}},
	[UNIT_RESTART] = {UNIT_RUNS, {
	BOTH(leave),       SAME(drop),                end_pause,    end_pause,  later,     bug,
	STARTS(restarted, arm)}},
	[UNIT_SAFE] = {UNIT_RUNS_UNDISTURBED, {
	BOTH(leave_after), SAME(drop),                later,        later,      later,     bug,
	SLOT(made_safe, made_safe, made_safe, made_safe)}},
	[UNIT_OVER] = {UNIT_WAITS, {
	BOTH(drop),        SAME(drop),                drop,         drop,       drop,      bug,
	NO_SLOT}},
};
/* clang-format on */

struct unit_step unit_step(struct unit_state state, enum unit_event event, enum wire_mode mode)
{
	struct unit_step step = {.state = state};
	if (event == UNIT_ON_START && state.phase == UNIT_READY)
		step.state.mode = mode;
	table[state.phase].cells[event](&step, event);
	return step;
}

bool unit_takes(const struct unit_state *state, enum unit_event event)
{
	return table[state->phase].cells[event] != later;
}

enum unit_activity unit_activity(const struct unit_state *state)
{
	return table[state->phase].activity;
}

bool unit_is_at_fault(const struct unit_state *state)
{
	bool is_identified = state->phase != UNIT_UNIDENTIFIED && state->phase != UNIT_IDENTIFY;
	return (state->is_faulty || state->tries > 0) && !is_identified;
}

bool unit_is_given_up(const struct unit_state *state)
{
	return state->phase == UNIT_UNIDENTIFIED && state->silences >= UNIT_TRIES;
}
