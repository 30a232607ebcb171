/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every state that the unit's table reaches, by every sequence of events, against a model of the
 * rules that core and driver rely on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "worker/unit-machine.h"

#define NODES_MAX   (1u << 18)
#define OVER_WITHIN 8 /* slots after QUIT */

/* The events of a path, seen from outside. */
struct model {
	bool owed;         /* a START waits for its answer */
	bool open;         /* STARTED was sent, ENDED was not */
	bool repeats;      /* further runs follow until STOP or ABORT is answered by ENDED */
	bool cut;          /* ABORT, QUIT or LOST was taken since START */
	bool stop;         /* the same for STOP */
	unsigned acquires; /* since then */
	bool measures;     /* the driver's start has succeeded, stop was not called */
	bool half_started; /* the same for a start that failed */
	bool awaits;       /* the same for one that waits for the instrument */
	bool unsafe;       /* a hazard was reported, make_safe was not called since */
	bool canceled;     /* a slot was: ABORT or QUIT is pending */
	bool fault;        /* STATE fault was sent since the last READY */
};

struct node {
	struct unit_state state;
	struct model model;
	size_t parent;
	enum unit_event event; /* that led here */
	bool revives;          /* a path leads to READY */
};

static struct node *nodes;
static size_t count;
static size_t *places; /* hash table of indices + 1 */

static const char *const names[] = {"LOST", "QUIT", "GO", "GO_SAFE", "REFUSE", "CONFIGURE", "ABORT",
	"STOP", "START", "DUE", "OK", "ENOUGH", "FRAME", "LAST", "DONE", "AGAIN", "SILENT",
	"FAILED", "GONE", "CANCELED", "HAZARD_ON", "HAZARD_OFF"};

static void print_path(size_t at)
{
	if (at != 0)
		print_path(nodes[at].parent);
	print_message("  %s -> phase %d\n", at != 0 ? names[nodes[at].event] : "",
		(int)nodes[at].state.phase);
}

static void rule(bool holds, size_t at, enum unit_event event, const char *text)
{
	if (holds)
		return;
	print_path(at);
	fail_msg("then %s: %s", names[event], text);
}

static uint64_t key_of(const struct unit_state *s, const struct model *m)
{
	const unsigned parts[] = {s->phase, s->mode, s->owes, s->end, s->failure, s->hazard,
		s->tries, s->silences, s->is_faulty, s->is_leaving, m->owed, m->open, m->repeats,
		m->cut, m->stop, m->acquires, m->measures, m->half_started, m->unsafe, m->fault,
		m->canceled, m->awaits};
	const unsigned sizes[] = {UNIT_PHASES, 4, 3, 6, UNIT_EVENTS, 3, UNIT_TRIES + 1,
		UNIT_TRIES + 1, 2, 2, 2, 2, 2, 2, 2, UNIT_TRIES + 2, 2, 2, 2, 2, 2, 2};
	uint64_t key = 0;
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		assert_true(parts[i] < sizes[i]);
		key = key * sizes[i] + parts[i];
	}
	return key;
}

/* The node's index; a new one is appended. */
static size_t find(const struct unit_state *state, const struct model *model, size_t parent,
	enum unit_event event)
{
	uint64_t key = key_of(state, model);
	size_t slot = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 44) % (2 * NODES_MAX);
	for (; places[slot] != 0; slot = (slot + 1) % (2 * NODES_MAX)) {
		const struct node *node = &nodes[places[slot] - 1];
		if (key_of(&node->state, &node->model) == key)
			return places[slot] - 1;
	}
	assert_true(count < NODES_MAX);
	nodes[count] = (struct node){*state, *model, parent, event, false};
	places[slot] = ++count;
	return count - 1;
}

static bool is_result(enum unit_event event)
{
	return event >= UNIT_ON_OK && event <= UNIT_ON_CANCELED;
}

static bool is_error(enum unit_event event)
{
	return event >= UNIT_ON_SILENT && event <= UNIT_ON_CANCELED;
}

static bool has_slot(const struct unit_state *state)
{
	enum unit_activity activity = unit_activity(state);
	return activity == UNIT_RUNS || activity == UNIT_RUNS_UNDISTURBED;
}

/* May the event happen in this state? */
static bool can_happen(const struct unit_state *state, enum unit_event event)
{
	enum unit_phase phase = state->phase;
	bool delivers = phase == UNIT_DELIVER || phase == UNIT_DELIVER_LAST;
	if (event <= UNIT_ON_START)
		return unit_takes(state, event);
	if (event == UNIT_ON_DUE)
		return unit_activity(state) == UNIT_WAITS_UNTIL_DUE;
	if (!has_slot(state))
		return false;
	if (event == UNIT_ON_HAZARD_ON)
		return unit_activity(state) == UNIT_RUNS && !delivers && phase != UNIT_IDENTIFY &&
		       phase != UNIT_RECHECK;
	if (event == UNIT_ON_HAZARD_OFF)
		return !delivers;
	if (event == UNIT_ON_OK)
		return phase != UNIT_ACQUIRE;
	if (event == UNIT_ON_ENOUGH)
		return delivers;
	bool starts = phase == UNIT_START || phase == UNIT_AWAIT || phase == UNIT_RESTART;
	return is_error(event) || phase == UNIT_ACQUIRE || (starts && event == UNIT_ON_AGAIN);
}

/* The effect of the slot on the instrument, and whether it may be called now. */
static void take_result(struct model *m, size_t at, enum unit_event event)
{
	bool ok = !is_error(event);
	switch (nodes[at].state.phase) {
	case UNIT_START:
	case UNIT_RESTART:
	case UNIT_AWAIT:
		rule(!m->cut, at, event, "start after an abort");
		rule(!m->measures && !m->half_started, at, event, "start without stop before it");
		rule(m->awaits == (nodes[at].state.phase == UNIT_AWAIT), at, event,
			"start looks again without a start before it, or without an end of it");
		rule(!m->awaits || !m->stop, at, event, "start looks again after STOP");
		m->awaits = event == UNIT_ON_AGAIN;
		m->measures = ok && !m->awaits;
		m->half_started = !ok;
		break;
	case UNIT_ACQUIRE:
		rule(m->measures && m->open, at, event, "acquire outside of a run");
		rule(!m->cut, at, event, "acquire after an abort");
		m->acquires += m->stop;
		rule(m->acquires <= UNIT_TRIES, at, event, "acquire goes on after STOP");
		break;
	case UNIT_DELIVER:
	case UNIT_DELIVER_LAST:
		rule(!m->cut && m->open, at, event, "a frame outside of its run");
		if (ok && m->stop)
			m->acquires = UNIT_TRIES; /* one frame, and no further acquire */
		break;
	case UNIT_CLEAN:
		rule(m->half_started, at, event, "stop without start");
		m->half_started = false;
		break;
	case UNIT_STOP:
		rule(m->measures || m->awaits, at, event, "stop without start");
		m->measures = m->awaits = false;
		break;
	case UNIT_SAFE:
	case UNIT_RESCUE: m->unsafe = false; break;
	default: break;
	}
}

static void take_action(struct model *m, size_t at, enum unit_event event, enum unit_action action,
	const struct unit_step *step)
{
	bool is_cut = step->end == WIRE_END_STOPPED || step->end == WIRE_END_ABORTED;
	switch (action) {
	case UNIT_SEND_STARTED:
		rule(m->owed || (m->repeats && !m->open), at, event, "STARTED without START");
		m->owed = false;
		m->open = true;
		break;
	case UNIT_SEND_ENDED:
		rule(m->open || ((m->repeats || m->owed) && is_cut), at, event,
			"ENDED without STARTED");
		m->open = m->owed = false;
		m->repeats = m->repeats && step->end == WIRE_END_COMPLETE;
		break;
	case UNIT_SEND_NOT_STARTED:
		rule(m->owed, at, event, "a START is answered twice");
		m->owed = m->repeats = false;
		break;
	case UNIT_SEND_NOT_READY:
		rule(event == UNIT_ON_START, at, event, "an answer without START");
		break;
	case UNIT_SEND_FAULT:
		rule(!m->fault, at, event, "a second STATE about one fault");
		rule(!m->canceled, at, event, "an abort is a fault");
		m->fault = true;
		break;
	case UNIT_SEND_READY: m->fault = false; break;
	default: break;
	}
}

static bool is_sent(const struct unit_step *step, enum unit_action action)
{
	for (unsigned i = 0; i < step->count; i++) {
		if (step->actions[i] == action)
			return true;
	}
	return false;
}

/* The rules of resting: nothing is owed, the driver is stopped and, after a failure, safe. */
static void rest(struct model *m, size_t at, enum unit_event event, const struct unit_step *step)
{
	enum unit_phase phase = step->state.phase, before = nodes[at].state.phase;
	bool rests = phase == UNIT_READY || phase == UNIT_UNIDENTIFIED || phase == UNIT_OVER;
	if (!rests || phase == before)
		return;
	rule(!m->owed, at, event, "a START is not answered");
	rule(!m->open, at, event, "a run has no end");
	rule(!m->measures && !m->half_started && !m->awaits, at, event,
		"the driver was not stopped");
	rule(phase != UNIT_READY || !m->repeats, at, event, "a repetition has no end");
	rule(phase != UNIT_OVER || !m->unsafe, at, event, "a hazard is left on");
	bool from_run = before >= UNIT_PREPARE;
	rule(phase != UNIT_UNIDENTIFIED || !from_run || (m->fault && !m->unsafe), at, event,
		"a fault leaves a hazard on, or the core does not know of it");
	rule(!is_sent(step, UNIT_SEND_NOT_STARTED) || !m->unsafe, at, event,
		"a failed start leaves a hazard on");
	m->repeats = m->cut = m->stop = false;
	m->acquires = 0;
}

static struct model judge(size_t at, enum unit_event event, const struct unit_step *step)
{
	struct model m = nodes[at].model;
	enum unit_phase phase = nodes[at].state.phase;
	if (is_result(event))
		take_result(&m, at, event);
	if (event == UNIT_ON_HAZARD_ON) {
		m.unsafe = true;
		rule(is_sent(step, UNIT_SEND_HAZARD_ON), at, event, "a hazard is not reported");
	}
	m.unsafe = (m.unsafe || event == UNIT_ON_GO_SAFE) && event != UNIT_ON_HAZARD_OFF;
	if (event == UNIT_ON_GO_SAFE && phase != UNIT_IDENTIFIED)
		m.unsafe = nodes[at].model.unsafe;
	if (event == UNIT_ON_CANCELED && unit_activity(&nodes[at].state) == UNIT_RUNS)
		m.canceled = true;
	if (event == UNIT_ON_ABORT || event == UNIT_ON_QUIT)
		m.canceled = false;
	bool runs = m.owed || m.open || m.repeats;
	if (event == UNIT_ON_ABORT || event == UNIT_ON_QUIT || event == UNIT_ON_LOST)
		m.cut = m.cut || runs;
	if (event == UNIT_ON_STOP)
		m.stop = m.stop || runs;
	if (event == UNIT_ON_START && phase == UNIT_READY) {
		m.owed = true;
		m.repeats = step->state.mode == WIRE_REPEAT;
	}
	for (unsigned i = 0; i < step->count; i++)
		take_action(&m, at, event, step->actions[i], step);
	rest(&m, at, event, step);
	return m;
}

/* All nodes that follow `at`: calls `visit` with each. */
static void expand(size_t at, void (*visit)(size_t from, size_t to))
{
	for (unsigned e = 0; e < UNIT_EVENTS; e++) {
		unsigned modes = e == UNIT_ON_START ? WIRE_CONTINUOUS : WIRE_ONCE;
		for (unsigned mode = WIRE_ONCE; mode <= modes; mode++) {
			struct unit_state state = nodes[at].state;
			bool must_cut = nodes[at].model.canceled &&
					unit_takes(&state, UNIT_ON_ABORT);
			bool cuts = e == UNIT_ON_ABORT || e == UNIT_ON_QUIT;
			if (!can_happen(&state, e) || (must_cut && !cuts))
				continue;
			struct unit_step step = unit_step(state, e, mode);
			struct model model = judge(at, e, &step);
			size_t to = find(&step.state, &model, at, e);
			if (visit != NULL)
				visit(at, to);
		}
	}
}

static bool changed;

static void pass_revival_back(size_t from, size_t to)
{
	if (nodes[to].revives && !nodes[from].revives)
		nodes[from].revives = changed = true;
}

/* Any results lead to OVER. */
static void must_end(size_t at, const struct unit_state *state, unsigned slots)
{
	if (state->phase == UNIT_OVER)
		return;
	rule(slots < OVER_WITHIN && has_slot(state), at, UNIT_ON_QUIT,
		"QUIT does not lead to OVER");
	for (unsigned e = UNIT_ON_OK; e <= UNIT_ON_CANCELED; e++) {
		if (!can_happen(state, e))
			continue;
		struct unit_step step = unit_step(*state, e, 0);
		must_end(at, &step.state, slots + 1);
	}
}

static int search(void **state)
{
	nodes = calloc(NODES_MAX, sizeof *nodes);
	places = calloc(2 * NODES_MAX, sizeof *places);
	if (nodes == NULL || places == NULL)
		return -1;
	find(&(struct unit_state){0}, &(struct model){0}, 0, 0);
	return 0;
}

static int release(void **state)
{
	free(nodes);
	free(places);
	return 0;
}

static void every_reachable_step_keeps_the_rules(void **state)
{
	bool seen[UNIT_PHASES] = {false};
	for (size_t i = 0; i < count; i++) {
		seen[nodes[i].state.phase] = true;
		expand(i, NULL);
	}
	for (size_t i = 0; i < UNIT_PHASES; i++)
		assert_true(seen[i]);
	print_message("%zu states\n", count);
}

static void quit_and_a_lost_port_lead_to_the_end_from_everywhere(void **state)
{
	for (size_t i = 0; i < count; i++) {
		struct unit_state at = nodes[i].state;
		struct unit_step quit = unit_step(at, UNIT_ON_QUIT, 0);
		struct unit_step lost = unit_step(at, UNIT_ON_LOST, 0);
		must_end(i, &quit.state, 0);
		must_end(i, &lost.state, 0);
	}
}

static void a_unit_can_become_ready_from_everywhere(void **state)
{
	for (size_t i = 0; i < count; i++)
		nodes[i].revives = nodes[i].state.phase == UNIT_READY || nodes[i].state.is_leaving;
	do {
		changed = false;
		for (size_t i = count; i-- > 0;) {
			if (!nodes[i].revives)
				expand(i, pass_revival_back);
		}
	} while (changed);
	for (size_t i = 0; i < count; i++)
		rule(nodes[i].revives, i, UNIT_ON_DUE, "no way leads to READY");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reachable_step_keeps_the_rules),
		cmocka_unit_test(quit_and_a_lost_port_lead_to_the_end_from_everywhere),
		cmocka_unit_test(a_unit_can_become_ready_from_everywhere),
	};
	return cmocka_run_group_tests(tests, search, release);
}
