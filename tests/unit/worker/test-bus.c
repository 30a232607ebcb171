/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several instruments on one port in virtual time: no value under another's name, however late a
 * reply comes, and no instrument that takes the port from the others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "bus.h"

#define POLLS_BEFORE 3 /* the stall comes */

static uint64_t random_state;

static unsigned dice(unsigned sides)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (unsigned)(random_state >> 33) % sides;
}

/* --- a unit that stalls, and then replies to all requests --------------------------------- */

struct stall {
	double times; /* of reply_timeout */
	unsigned block, table;
	uint64_t every;
	bool one_queue; /* the line itself is stalled, not only the unit */
	bool restarts;  /* the worker ends during the stall and another one begins */
};

static void describe(const struct stall *s, char *text, size_t size)
{
	snprintf(text, size, "stall of %.2f reply_timeout, block %u, function %u, every %u ms%s%s",
		s->times, s->block, s->table, (unsigned)(s->every / NS_PER_MS),
		s->one_queue ? ", one queue" : "", s->restarts ? ", restart" : "");
}

static void run_stall(const struct stall *s)
{
	struct bus bus;
	char text[120];
	describe(s, text, sizeof text);
	bus_init(&bus, ASSAY_LINK_MODBUS_RTU, 2);
	bus.port.reply_ms = 200 + dice(1000);
	bus.latency = (5 + dice(20)) * NS_PER_MS;
	uint64_t reply = bus.port.reply_ms * NS_PER_MS;
	for (size_t i = 0; i < 2; i++) {
		struct bus_unit *unit = &bus.units[i];
		unit->table = s->table;
		unit->blocks = 3;
		unit->start.every_ns = s->every;
		unit->queue = s->one_queue ? 0 : (unsigned)i;
	}
	struct bus_unit *stalled = &bus.units[0], *neighbour = &bus.units[1];
	stalled->stall = (uint64_t)(s->times * (double)reply);
	stalled->stall_at = 2 + POLLS_BEFORE * stalled->blocks + s->block + 1;
	bus.end = bus_now() + 6 * reply + 4 * NS_PER_S + stalled->stall;
	if (s->restarts) { /* quits while replies are owed */
		uint64_t end = bus.end;
		bus.end = bus_now() + 5 * reply + dice(1000) * NS_PER_MS;
		stalled->stall_at = 6 + dice(20);
		bus_run(&bus);
		bus.end = end + bus.end - bus_now() + 5 * reply;
	}
	bus_run(&bus);
	if (stalled->wrong + neighbour->wrong > 0)
		fail_msg("%s: wrong values: %u and %u", text, stalled->wrong, neighbour->wrong);
	if (stalled->frames < 3)
		fail_msg("%s: only %u frames", text, stalled->frames);
	bool bears = s->times < 4 || !s->one_queue;
	if (!s->restarts && bears && neighbour->lost_runs > 0)
		fail_msg("%s: the neighbour's run was lost: %s", text, neighbour->fault);
	uint64_t waited = neighbour->dropped * s->every;
	if (!s->one_queue && !s->restarts && waited > 3 * reply + NS_PER_S)
		fail_msg("%s: the neighbour lost %u frames", text, neighbour->dropped);
}

static unsigned scale(void)
{
	const char *text = getenv("ASSAY_TEST_SCALE");
	return text != NULL ? (unsigned)strtoul(text, NULL, 10) : 1;
}

static void a_late_reply_is_never_that_to_another_request(void **state)
{
	static const double times[] = {0.5, 1.1, 1.5, 2.05, 2.3, 2.8, 3.2, 7};
	static const uint64_t paces[] = {0, 200 * NS_PER_MS, NS_PER_S};
	unsigned count = 0;
	for (unsigned round = 0; round < scale(); round++)
		for (size_t t = 0; t < sizeof times / sizeof times[0]; t++)
			for (unsigned block = 0; block < 3; block++)
				for (unsigned table = ASSAY_COILS; table <= ASSAY_INPUT; table++)
					for (size_t pace = 0; pace < 3; pace++)
						for (unsigned one = 0; one < 2; one++, count++) {
							struct stall s = {times[t], block, table,
								paces[pace], one, false};
							run_stall(&s);
							if (dice(6) == 0) {
								s.restarts = true;
								run_stall(&s);
							}
						}
	print_message("%u combinations\n", count);
}

/* --- units that do not answer ---------------------------------------------------------------- */

/* Three units and `dead` others, from the time `dies` on: the fewest frames of one of the three. */
static unsigned run_beside_dead(unsigned kind, uint64_t pace, unsigned dead, uint64_t dies)
{
	struct bus bus;
	bus_init(&bus, kind, 3 + dead);
	bus.latency = 10 * NS_PER_MS;
	bus.end = bus_now() + 300 * NS_PER_S;
	for (size_t i = 0; i < bus.count; i++) {
		struct bus_unit *unit = &bus.units[i];
		unit->start.every_ns = pace;
		unit->dead_from = bus_now() + dies;
		unit->dead_until = i < 3 ? 0 : bus.end;
	}
	bus_run(&bus);
	unsigned least = bus.units[0].frames;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(bus.units[i].lost_runs, 0);
		assert_int_equal(bus.units[i].wrong, 0);
		least = bus.units[i].frames < least ? bus.units[i].frames : least;
	}
	return least;
}

static void dead_units_cost_the_others_at_most_a_twentieth(void **state)
{
	static const unsigned kinds[] = {ASSAY_LINK_MODBUS_RTU, ASSAY_LINK_MODBUS_TCP};
	static const uint64_t paces[] = {200 * NS_PER_MS, NS_PER_S};
	for (unsigned i = 0; i < 4; i++) {
		unsigned kind = kinds[i / 2];
		uint64_t pace = paces[i % 2];
		unsigned most = run_beside_dead(kind, pace, 0, 0);
		for (unsigned dead = 1; dead <= 3; dead++)
			for (unsigned dies = 0; dies < 2; dies++) {
				unsigned frames = run_beside_dead(
					kind, pace, dead, dies * 40 * NS_PER_S);
				/* Each that dies in its run costs three times of a reply, once. */
				unsigned once = dies * 3 * dead * (unsigned)(NS_PER_S / pace);
				if ((frames + once) * 100 < most * 95)
					fail_msg("link %u, every %u ms, %u dead%s: %u of %u frames",
						kind, (unsigned)(pace / NS_PER_MS), dead,
						dies ? " after 40 s" : "", frames, most);
			}
	}
}

static void a_unit_that_is_switched_on_is_found_beside_others(void **state)
{
	struct bus bus;
	bus_init(&bus, ASSAY_LINK_MODBUS_RTU, 6);
	uint64_t on = bus_now() + 60 * NS_PER_S;
	bus.end = on + 90 * NS_PER_S;
	for (size_t i = 3; i < 6; i++)
		bus.units[i].dead_until = i == 3 ? on : bus.end;
	bus_run(&bus);
	assert_non_null(strstr(bus.units[4].fault, "no answer"));
	assert_in_range(bus.units[3].first_frame, on, on + 60 * NS_PER_S);
}

static void units_without_a_pace_are_served_in_turn(void **state)
{
	struct bus bus;
	bus_init(&bus, ASSAY_LINK_MODBUS_TCP, 3);
	for (size_t i = 0; i < 3; i++)
		bus.units[i].start.every_ns = 0;
	bus.end = bus_now() + 10 * NS_PER_S;
	bus_run(&bus);
	for (size_t i = 0; i < 3; i++)
		assert_in_range(
			bus.units[i].frames, bus.units[0].frames - 3, bus.units[0].frames + 3);
	assert_true(bus.units[0].frames > 50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_late_reply_is_never_that_to_another_request),
		cmocka_unit_test(dead_units_cost_the_others_at_most_a_twentieth),
		cmocka_unit_test(a_unit_that_is_switched_on_is_found_beside_others),
		cmocka_unit_test(units_without_a_pace_are_served_in_turn),
	};
	const char *seed = getenv("ASSAY_TEST_SEED");
	random_state = seed != NULL ? strtoull(seed, NULL, 10) : 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
