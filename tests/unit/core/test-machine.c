/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of an instrument's states, searched breadth-first: every event in every state that can
 * be reached.  Beside each state stands a model that follows the actions alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/instrument/machine.h"

/* The effect of the actions. */
struct model {
	bool run;        /* open in the journal */
	bool request;    /* waits for its answer */
	bool start;      /* a START is unanswered by the worker */
	bool worker_run; /* the worker has started a run and not ended it */
	bool identified; /* by the worker, since its last fault */
	bool borrows;    /* the request needs a note that is not made */
	bool away;       /* a noted value was changed, and is not put back */
};

struct node {
	struct machine machine;
	struct model model;
	size_t from; /* in `nodes` */
	enum machine_event event;
};

#define NODES_MAX 512
static struct node nodes[NODES_MAX];
static size_t count;

static void fail_at(size_t node, const char *why)
{
	while (node != 0) {
		print_message("event %d led to state %d%s%s\n", nodes[node].event,
			(int)nodes[node].machine.state,
			nodes[node].machine.identified ? ", identified" : "",
			nodes[node].machine.maintenance ? ", maintenance" : "");
		node = nodes[node].from;
	}
	fail_msg("%s", why);
}

static bool is_same(const struct node *a, const struct node *b)
{
	const struct model *x = &a->model, *y = &b->model;
	return a->machine.state == b->machine.state &&
	       a->machine.identified == b->machine.identified &&
	       a->machine.maintenance == b->machine.maintenance &&
	       a->machine.away == b->machine.away && x->borrows == y->borrows &&
	       x->away == y->away && x->run == y->run && x->request == y->request &&
	       x->start == y->start && x->worker_run == y->worker_run &&
	       x->identified == y->identified;
}

/* The facts about the worker in the event itself. */
static void follow_worker(struct model *model, enum machine_event event)
{
	switch (event) {
	case MACHINE_IDENTIFIED: model->identified = true; break;
	case MACHINE_READY: model->away = false; break; /* its own settings, over the notes */
	case MACHINE_BORROW: model->borrows = true; break;
	case MACHINE_NOTED:
	case MACHINE_OWN: model->borrows = false; break;
	case MACHINE_STARTED:
		model->start = false;
		model->worker_run = true;
		break;
	case MACHINE_LOST:
	case MACHINE_GONE:
	case MACHINE_FAILED: model->identified = false; /* fall through */
	case MACHINE_ENDED:
	case MACHINE_ENDED_STEP:
	case MACHINE_ENDED_ROUND:
	case MACHINE_ENDED_SPOILED:
	case MACHINE_NOT_STARTED:
	case MACHINE_NOT_STARTED_ITSELF:
	case MACHINE_NOT_STARTED_CHANGED: model->start = model->worker_run = false; break;
	case MACHINE_TROUBLE:
	case MACHINE_STRANGER: model->identified = false; break;
	default: break;
	}
}

/* Takes the actions into the model; NULL, or the rule that they break. */
static const char *follow(
	struct model *model, const struct machine_step *step, enum machine_event event)
{
	if ((event == MACHINE_READY || event == MACHINE_FOUND) && !model->identified)
		return "ready before the worker identified the unit";
	follow_worker(model, event);
	if (event == MACHINE_FOUND && (step->actions & MACHINE_NOTE) == 0)
		return "the file's values are sent before those found are noted";
	if ((event == MACHINE_START || event == MACHINE_BORROW) && model->request)
		return "a request in place of one that waits";
	if (event == MACHINE_START || event == MACHINE_BORROW)
		model->request = true;
	if ((step->actions & MACHINE_SEND_CONFIGURE) != 0 && (!model->identified || model->start))
		return "CONFIGURE to a worker that does not rest";
	if ((step->actions & MACHINE_SEND_STOP) != 0 && !model->start && !model->worker_run &&
		step->next.state != MACHINE_BETWEEN && step->next.state != MACHINE_BUSY_FAULT &&
		step->next.state != MACHINE_ARMED_FAULT)
		return "a STOP to a worker that does nothing";
	if ((step->actions & MACHINE_SEND_START) != 0) {
		if (model->borrows)
			return "a value is changed before it is noted";
		if (model->away && event == MACHINE_START)
			return "an ordinary run starts before borrowed values are put back";
		model->away = model->away || event == MACHINE_NOTED;
		if (model->start)
			return "a second START before the first was answered";
		if (step->next.maintenance)
			return "a START in maintenance";
		if (!model->identified)
			return "a START to a unit that is not identified";
		model->start = true;
	}
	if ((step->actions & MACHINE_BEGIN_RUN) != 0) {
		if (model->run)
			return "a second open run";
		model->run = true;
		model->request = false; /* answered when it is committed */
	}
	if ((step->actions & MACHINE_END_RUN) != 0) {
		if (!model->run)
			return "the end of no run";
		model->run = false;
	}
	if ((step->actions & MACHINE_FAIL_REQUEST) != 0)
		model->request = model->borrows = false;
	if (event == MACHINE_STRANGER && !machine_has_start(step->next.state) &&
		machine_shown(step->next.state) != DEVICE_STATE_FAULT)
		return "another unit is not shown as a fault";
	return NULL;
}

static const char *find_fault(const struct node *node)
{
	enum machine_state state = node->machine.state;
	if (node->model.run != machine_has_run(state))
		return "the state and the open run differ";
	if (node->model.request && !machine_has_start(state))
		return "a request waits for an answer without end";
	if (node->model.start && !machine_has_start(state) && state != MACHINE_STEPPING &&
		state != MACHINE_BUSY_FAULT)
		return "a START is forgotten";
	if (node->model.worker_run && !node->model.run)
		return "the run is over before the worker ended it";
	if (machine_is_ready(state) && !node->machine.identified)
		return "ready without an identity";
	if (node->machine.maintenance && state == MACHINE_IDLE)
		return "idle although people want it out of service";
	if (!node->machine.maintenance && machine_shown(state) == DEVICE_STATE_MAINTENANCE)
		return "in maintenance without a request for it";
	if (node->model.away && state == MACHINE_IDLE)
		return "idle with values that are not put back";
	if (node->model.borrows && state != MACHINE_NOTING && state != MACHINE_QUEUED)
		return "a start goes on before its values are noted";
	if (machine_has_run(state) && !machine_is_active(state))
		return "an open run that a stop does not end";
	return NULL;
}

static void search(void)
{
	count = 1;
	nodes[0] = (struct node){0};
	for (size_t at = 0; at < count; at++) {
		for (unsigned event = 0; event < MACHINE_EVENTS; event++) {
			struct machine_step step = machine_step(
				nodes[at].machine, (enum machine_event)event);
			if (step.verdict != MACHINE_OK) {
				assert_int_equal(step.actions, 0);
				assert_memory_equal(
					&step.next, &nodes[at].machine, sizeof step.next);
				continue;
			}
			struct node next = {
				step.next, nodes[at].model, at, (enum machine_event)event};
			const char *fault = follow(&next.model, &step, next.event);
			size_t known = 0;
			while (known < count && !is_same(&nodes[known], &next))
				known++;
			if (known == count) {
				assert_true(count < NODES_MAX);
				nodes[count++] = next;
			}
			if (fault == NULL)
				fault = find_fault(&next);
			if (fault != NULL)
				fail_at(known, fault);
		}
	}
}

static void every_sequence_of_events_keeps_the_rules(void **state)
{
	search();
	print_message("%zu states with their models\n", count);
}

static void every_state_is_reached(void **state)
{
	bool reached[MACHINE_STATES] = {false};
	search();
	for (size_t i = 0; i < count; i++)
		reached[nodes[i].machine.state] = true;
	for (size_t i = 0; i < MACHINE_STATES; i++) {
		if (!reached[i])
			fail_msg("state %d", (int)i);
	}
}

/* From everywhere: the worker may go, and the next one brings the instrument back. */
static void nothing_is_stuck(void **state)
{
	static const enum machine_event way[] = {MACHINE_LOST, MACHINE_IDENTIFIED, MACHINE_READY};
	search();
	for (size_t i = 1; i < count; i++) {
		struct machine m = nodes[i].machine;
		struct model model = nodes[i].model;
		if (m.state == MACHINE_OFF)
			continue;
		for (size_t k = 0; k < 3; k++) {
			struct machine_step step = machine_step(m, way[k]);
			assert_int_equal(step.verdict, MACHINE_OK);
			assert_null(follow(&model, &step, way[k]));
			m = step.next;
		}
		assert_int_equal(m.state, m.maintenance ? MACHINE_SERVICE : MACHINE_IDLE);
		assert_false(model.run || model.request || model.start);
	}
}

/* A stop that is accepted takes effect with each end that the worker may report. */
static void a_stop_is_followed_by_an_end(void **state)
{
	static const enum machine_event ends[] = {MACHINE_ENDED, MACHINE_FAILED, MACHINE_LOST};
	search();
	for (size_t i = 0; i < count; i++) {
		struct machine m = nodes[i].machine;
		bool accepted = machine_step(m, MACHINE_STOP).verdict == MACHINE_OK;
		assert_int_equal(accepted, machine_is_active(m.state));
		/* A start that waits in the core is over at once. */
		if (m.state == MACHINE_NOTING || m.state == MACHINE_QUEUED) {
			assert_false(machine_is_active(machine_step(m, MACHINE_STOP).next.state));
			continue;
		}
		for (size_t k = 0; accepted && k < 3; k++) {
			struct machine_step step = machine_step(m, ends[k]);
			assert_int_equal(step.verdict, MACHINE_OK);
			assert_false(machine_is_active(step.next.state));
		}
	}
}

static void a_rejected_unit_cannot_become_ready(void **state)
{
	struct machine m = {0};
	m = machine_step(m, MACHINE_ATTACH).next;
	m = machine_step(m, MACHINE_STRANGER).next;
	assert_int_equal(machine_step(m, MACHINE_READY).verdict, MACHINE_BREACH);
	assert_int_equal(machine_step(m, MACHINE_START).verdict, MACHINE_REJECTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_sequence_of_events_keeps_the_rules),
		cmocka_unit_test(every_state_is_reached),
		cmocka_unit_test(nothing_is_stuck),
		cmocka_unit_test(a_stop_is_followed_by_an_end),
		cmocka_unit_test(a_rejected_unit_cannot_become_ready),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
