/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several instruments on one port in virtual time: no value under another's name, however late a
 * reply comes, and no instrument that takes the port from the others.
 */
#include <math.h>
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
#include "crc16.h"

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
	/*
	 * Attempts and silences of one reply_timeout each take turns while it stalls.  Three are to the
	 * block in question, up to three more to the next poll, and then it is at fault.
	 */
	uint64_t attempts = (uint64_t)ceil(s->times / 2);
	uint64_t waited = neighbour->dropped * s->every;
	if (!s->one_queue && !s->restarts && waited > attempts * reply + NS_PER_S)
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

/* Most attempts on a unit at fault are too short for it. */
static void slow_units_are_found_beside_others(void **state)
{
	static const unsigned kinds[] = {ASSAY_LINK_MODBUS_RTU, ASSAY_LINK_MODBUS_TCP};
	for (unsigned i = 0; i < 2; i++) {
		struct bus bus;
		bus_init(&bus, kinds[i], 6);
		uint64_t on = bus_now() + 30 * NS_PER_S;
		bus.end = on + 600 * NS_PER_S;
		for (size_t u = 2; u < 6; u++) {
			bus.units[u].dead_until = on;
			bus.units[u].slow = 600 * NS_PER_MS;
			bus.units[u].start.every_ns = 60 * NS_PER_S;
		}
		bus_run(&bus);
		for (size_t u = 2; u < 6; u++)
			assert_in_range(bus.units[u].first_frame, on, on + 400 * NS_PER_S);
	}
}

static void units_without_a_pace_are_served_in_turn(void **state)
{
	struct bus bus;
	bus_init(&bus, ASSAY_LINK_MODBUS_TCP, 3);
	for (size_t i = 0; i < 3; i++)
		bus.units[i].start.every_ns = 0;
	bus.end = bus_now() + 10 * NS_PER_S;
	bus_run(&bus);
	/* How early a unit starts depends on the threads; then their turns are the same. */
	unsigned turns = bus.units[0].frames - bus.units[0].frames_alone;
	for (size_t i = 0; i < 3; i++)
		assert_in_range(
			bus.units[i].frames - bus.units[i].frames_alone, turns - 1, turns + 1);
	assert_true(turns > 50);
}

/* Of three blocks two are busy for a long time: they are missing, and nothing else is. */
static void a_block_that_is_always_busy_costs_no_other_value(void **state)
{
	static const unsigned kinds[] = {ASSAY_LINK_MODBUS_RTU, ASSAY_LINK_MODBUS_TCP};
	static const uint64_t paces[] = {200 * NS_PER_MS, NS_PER_S};
	for (unsigned i = 0; i < 4; i++) {
		struct bus bus;
		bus_init(&bus, kinds[i / 2], 2);
		struct bus_unit *unit = &bus.units[0];
		uint64_t pace = paces[i % 2];
		unit->blocks = 3;
		bus.units[0].start.every_ns = bus.units[1].start.every_ns = pace;
		bus.latency = 10 * NS_PER_MS;
		unit->busy_from = 500;
		unit->busy_until = bus_now() + 60 * NS_PER_S;
		bus.end = bus_now() + 120 * NS_PER_S;
		bus_run(&bus);
		unsigned all = (unsigned)(120 * NS_PER_S / pace);
		unsigned busy_polls = (unsigned)(60 * NS_PER_S / pace);
		for (size_t u = 0; u < 2; u++) {
			assert_int_equal(bus.units[u].lost_runs + bus.units[u].wrong, 0);
			assert_true(bus.units[u].dropped <= (u == 0 ? 7 * NS_PER_S / pace : 1));
			assert_true(bus.units[u].frames >= all - 9 * NS_PER_S / pace);
		}
		assert_in_range(
			unit->missing, 2 * busy_polls - 18 * NS_PER_S / pace, 2 * busy_polls);
		assert_true(unit->retries <= 10);
	}
}

/* --- settings of the link --------------------------------------------------------------------- */

static void expect_all_frames(struct bus *bus)
{
	bus->end = bus_now() + 30 * NS_PER_S;
	bus_run(bus);
	for (size_t i = 0; i < bus->count; i++) {
		assert_int_equal(bus->units[i].wrong + bus->units[i].missing, 0);
		assert_in_range(bus->units[i].frames, 26, 31);
	}
}

static void a_pause_is_kept_before_each_request(void **state)
{
	struct bus bus;
	bus_init(&bus, ASSAY_LINK_MODBUS_TCP, 1);
	bus.deaf = 100 * NS_PER_MS;
	bus.port.pause_ms = 100;
	expect_all_frames(&bus);
	assert_int_equal(bus.units[0].retries, 0);
}

static void an_echo_is_dropped_if_the_link_says_so(void **state)
{
	struct bus bus;
	bus_init(&bus, ASSAY_LINK_MODBUS_RTU, 2);
	bus.echoes = true;
	bus.port.echo = 1;
	expect_all_frames(&bus);
	bus_init(&bus, ASSAY_LINK_MODBUS_RTU, 1);
	bus.echoes = true;
	bus.end = bus_now() + 20 * NS_PER_S;
	bus_run(&bus);
	assert_int_equal(bus.units[0].frames, 0);
	assert_non_null(strstr(bus.units[0].fault, "the request itself came back"));
	assert_non_null(strstr(bus.units[0].fault, "echo: true"));
}

static void frames_of_a_line_pass_over_tcp(void **state)
{
	struct bus bus;
	bus_init(&bus, ASSAY_LINK_MODBUS_TCP, 2);
	bus.port.framing = PORT_FRAMING_RTU;
	expect_all_frames(&bus);
}

static void a_request_reads_at_most_the_registers_of_the_link(void **state)
{
	struct bus bus;
	bus_init(&bus, ASSAY_LINK_MODBUS_TCP, 1);
	bus.units[0].blocks = 10; /* 20 registers in a row */
	bus.units[0].blocks_step = 2;
	bus.most = bus.port.max_registers = 8;
	expect_all_frames(&bus);
	unsigned requests = bus.units[0].requests;
	assert_in_range(requests, 3 * 26, 3 * 32 + 2);
}

/* --- servers that close their connection ------------------------------------------------------ */

/* A request that breaks off again and again ends a run, but no value is a wrong one. */
static void run_closing(struct bus *bus, const char *text)
{
	bool breaks = bus->closes == BUS_CLOSES_IN_REPLY || bus->closes == BUS_CLOSES_AT_ONCE ||
		      bus->is_racing;
	bus_run(bus);
	for (size_t i = 0; i < bus->count; i++) {
		const struct bus_unit *unit = &bus->units[i];
		unsigned lost = unit->missing + unit->lost_runs + unit->dropped;
		if (unit->wrong > 0 || (!breaks && (lost > 0 || unit->frames < 3)))
			fail_msg("%s: unit %zu: %u wrong, %u missing, %u runs lost, %u dropped: %s",
				text, i + 1, unit->wrong, unit->missing, unit->lost_runs,
				unit->dropped, unit->fault);
	}
}

static void a_server_may_close_between_two_requests(void **state)
{
	static const uint64_t paces[] = {0, 200 * NS_PER_MS, NS_PER_S};
	unsigned count = 0;
	for (unsigned round = 0; round < 42 * scale(); round++)
		for (unsigned closes = BUS_CLOSES_AFTER_REPLY; closes <= BUS_CLOSES_AT_ONCE;
			closes++)
			for (unsigned pace = 0; pace < 3; pace++, count++) {
				struct bus bus;
				char text[160];
				bus_init(&bus, ASSAY_LINK_MODBUS_TCP, 1 + dice(3));
				bus.closes = closes;
				bus.idle = dice(1500) * NS_PER_MS;
				bus.is_racing = closes == BUS_CLOSES_IDLE && dice(4) == 0;
				bus.every = 2 + dice(4);
				bus.latency = (1 + dice(5)) * NS_PER_MS;
				bus.port.connection = dice(4) == 0 ? PORT_CONNECTION_PER_REQUEST
								   : PORT_CONNECTION_KEPT;
				bus.port.framing = closes == BUS_CLOSES_AFTER_REPLY && dice(2) == 0
							   ? PORT_FRAMING_RTU
							   : PORT_FRAMING_TCP;
				for (size_t i = 0; i < bus.count; i++)
					bus.units[i].start.every_ns = paces[pace];
				bus.end = bus_now() + (pace == 0 ? 4 : 12) * NS_PER_S;
				snprintf(text, sizeof text,
					"close %u, idle %u ms%s, every %u, latency %u ms, pace %u, "
					"%zu units, connection %u, framing %u",
					closes, (unsigned)(bus.idle / NS_PER_MS),
					bus.is_racing ? " racing" : "", bus.every,
					(unsigned)(bus.latency / NS_PER_MS), pace, bus.count,
					bus.port.connection, bus.port.framing);
				run_closing(&bus, text);
			}
	print_message("%u combinations\n", count);
}

/* 1000 frames, one each second, of a server that closes after each reply. */
static void no_frame_is_lost_when_each_reply_ends_the_connection(void **state)
{
	struct bus bus;
	bus_init(&bus, ASSAY_LINK_MODBUS_TCP, 2);
	bus.closes = BUS_CLOSES_AFTER_REPLY;
	bus.end = bus_now() + 1001 * NS_PER_S;
	run_closing(&bus, "1000 s");
	for (size_t i = 0; i < 2; i++) {
		assert_in_range(bus.units[i].frames, 1000, 1002);
		assert_int_equal(bus.units[i].retries, 0);
	}
	assert_in_range(bus.connections, 2 * 2 * 1000, 2 * 2 * 1002);
}

static void a_connection_per_request_is_closed_after_each(void **state)
{
	struct bus bus;
	bus_init(&bus, ASSAY_LINK_MODBUS_TCP, 2);
	bus.port.connection = PORT_CONNECTION_PER_REQUEST;
	expect_all_frames(&bus);
	assert_int_equal(bus.connections + 1, bus.units[0].requests + bus.units[1].requests);
}

/*
 * Another device answers after some reconnect, in the middle of a poll too: none of its values is
 * delivered before the core has accepted its identity, and none at all if the core rejects it.
 */
static void no_value_of_an_exchanged_device_is_delivered_under_the_other(void **state)
{
	static const uint64_t paces[] = {0, 200 * NS_PER_MS, NS_PER_S};
	unsigned count = 0, found = 0;
	for (unsigned round = 0; round < 12 * scale(); round++)
		for (unsigned closes = BUS_CLOSES_NEVER; closes <= BUS_CLOSES_AT_ONCE; closes++)
			for (unsigned rejects = 0; rejects < 2; rejects++, count++) {
				struct bus bus;
				char text[100];
				bus_init(&bus, ASSAY_LINK_MODBUS_TCP, 1 + dice(3));
				bus.has_identity = true;
				bus.rejects = rejects;
				bus.closes = closes;
				bus.idle = dice(1500) * NS_PER_MS;
				bus.is_racing = closes == BUS_CLOSES_IDLE && dice(2) == 0;
				bus.every = 2 + dice(4);
				bus.port.connection = closes == BUS_CLOSES_NEVER
							      ? PORT_CONNECTION_PER_REQUEST
							      : PORT_CONNECTION_KEPT;
				bus.exchanged_at = 1 + dice(20);
				for (size_t i = 0; i < bus.count; i++)
					bus.units[i].start.every_ns = paces[dice(3)];
				bus.end = bus_now() + 12 * NS_PER_S;
				snprintf(text, sizeof text, "close %u, %s, exchanged at %u", closes,
					rejects ? "rejected" : "accepted", bus.exchanged_at);
				bus_run(&bus);
				for (size_t i = 0; i < bus.count; i++) {
					const struct bus_unit *unit = &bus.units[i];
					if (unit->wrong > 0)
						fail_msg("%s: %u wrong values of unit %zu", text,
							unit->wrong, i + 1);
					found += unit->known >= BUS_OTHER;
				}
			}
	print_message("%u combinations, %u exchanges accepted\n", count, found);
	assert_true(found > count / 4);
}

/* `resumed`: the exchange broke off and was repeated over another connection. */
static void a_frame_is_resumed_only_after_an_exchange_that_broke_off(void **state)
{
	for (unsigned closes = BUS_CLOSES_AFTER_REPLY; closes <= BUS_CLOSES_IN_REPLY; closes++)
		for (unsigned every = 7; every < 27; every++) {
			struct bus bus;
			bus_init(&bus, ASSAY_LINK_MODBUS_TCP, 1);
			bus.has_identity = every % 2 == 0;
			bus.closes = closes;
			bus.idle = 500 * NS_PER_MS;
			bus.every = every;
			bus.end = bus_now() + 60 * NS_PER_S;
			run_closing(&bus, "resumed");
			const struct bus_unit *unit = &bus.units[0];
			assert_in_range(unit->frames, 58, 62);
			assert_in_range(unit->resumed, bus.cuts > 0 ? bus.cuts - 1 : 0, bus.cuts);
			assert_int_equal(bus.cuts > 0, closes == BUS_CLOSES_IN_REPLY);
		}
}

/* --- lines of text that units share ----------------------------------------------------------- */

/* Some replies come late, by up to the link's reply_timeout; the driver waits for 200 ms. */
static unsigned late_one_in;

static void reply_late(
	struct bus *b, struct bus_unit *unit, const uint8_t *data, size_t len, uint64_t when)
{
	uint64_t late = late_one_in > 0 && dice(late_one_in) == 0 ? dice(960) * NS_PER_MS : 0;
	bus_reply(b, data, len, when + late);
}

static void run_text(struct bus *bus, unsigned one_in, bool has_dead, unsigned seconds)
{
	bus_init(bus, ASSAY_LINK_SERIAL, 4);
	bus->port.reply_ms = 1000;
	bus->is_text = true;
	bus->reply = reply_late;
	late_one_in = one_in;
	if (has_dead)
		bus->units[3].dead_until = UINT64_MAX;
	bus->end = bus_now() + seconds * NS_PER_S;
	bus_run(bus);
}

static void no_late_reply_of_a_shared_line_gets_another_name(void **state)
{
	unsigned frames = 0;
	for (unsigned round = 0; round < 10 * scale(); round++) {
		struct bus bus;
		run_text(&bus, 20 + 10 * round, true, 120);
		for (size_t i = 0; i < 3; i++) {
			if (bus.units[i].wrong > 0)
				fail_msg("round %u: %u wrong values of unit %zu in %u frames",
					round, bus.units[i].wrong, i + 1, bus.units[i].frames);
			frames += bus.units[i].frames;
		}
		assert_int_equal(bus.units[3].frames, 0);
	}
	assert_true(frames > 500);
}

static void a_dead_unit_of_a_shared_line_costs_the_others_little(void **state)
{
	struct bus alone, beside;
	run_text(&alone, 0, false, 3600);
	run_text(&beside, 0, true, 3600);
	for (size_t i = 0; i < 3; i++) {
		assert_in_range(alone.units[i].frames, 3590, 3600);
		print_message("unit %zu: %u frames, %u beside a dead unit\n", i + 1,
			alone.units[i].frames, beside.units[i].frames);
		assert_true(beside.units[i].frames * 100 >= alone.units[i].frames * 95);
		assert_int_equal(beside.units[i].lost_runs, 0);
	}
}

/* --- replies that are none ------------------------------------------------------------------- */

/* Changes the reply; the bytes that are sent. */
struct malformation {
	unsigned kind; /* of link */
	size_t (*change)(uint8_t *data, size_t len);
	const char *text; /* that names it */
};

static void seal(uint8_t *data, size_t len)
{
	uint16_t crc = crc_of(data, len - 2);
	data[len - 2] = (uint8_t)crc;
	data[len - 1] = (uint8_t)(crc >> 8);
}

static size_t nothing(uint8_t *d, size_t len)
{
	return 0;
}

static size_t line_unit_0(uint8_t *d, size_t len)
{
	d[0] = 0;
	seal(d, len);
	return len;
}

static size_t line_function(uint8_t *d, size_t len)
{
	d[1] = 4;
	seal(d, len);
	return len;
}

static size_t line_longer(uint8_t *d, size_t len)
{
	d[2] = 8;
	seal(d, 13);
	return 13;
}

static size_t line_crc(uint8_t *d, size_t len)
{
	d[len - 1] ^= 1;
	return len;
}

static size_t line_cut(uint8_t *d, size_t len)
{
	return len - 4;
}

static size_t line_noise(uint8_t *d, size_t len)
{
	memset(d, 0xff, 20);
	return 20;
}

static size_t line_exception(uint8_t *d, size_t len)
{
	d[1] |= 0x80;
	d[2] = 12;
	seal(d, 5);
	return 5;
}

static size_t tcp_unit_255(uint8_t *d, size_t len)
{
	d[6] = 255;
	return len;
}

static size_t tcp_function(uint8_t *d, size_t len)
{
	d[7] = 1;
	return len;
}

static size_t tcp_longer(uint8_t *d, size_t len)
{
	d[5] += 4;
	d[8] += 4;
	return len + 4;
}

static size_t tcp_bytes(uint8_t *d, size_t len)
{
	d[8] += 2;
	return len;
}

static size_t tcp_protocol(uint8_t *d, size_t len)
{
	d[3] = 7;
	return len;
}

static size_t tcp_transaction(uint8_t *d, size_t len)
{
	d[0] = d[1] = 0;
	return len;
}

static size_t tcp_cut(uint8_t *d, size_t len)
{
	return len - 2;
}

static size_t tcp_http(uint8_t *d, size_t len)
{
	memcpy(d, "HTTP/1.1 400 Bad Request", 24);
	return 24;
}

static size_t tcp_line(uint8_t *d, size_t len)
{
	memmove(d, d + 6, len - 6);
	seal(d, len - 4);
	return len - 4;
}

static size_t tcp_exception(uint8_t *d, size_t len)
{
	d[5] = 3;
	d[7] |= 0x80;
	d[8] = 0;
	return 9;
}

static const struct malformation *malformation;

static void reply_malformed(
	struct bus *bus, struct bus_unit *unit, const uint8_t *data, size_t len, uint64_t when)
{
	uint8_t changed[260] = {0};
	memcpy(changed, data, len);
	len = malformation->change(changed, len);
	if (len > 0)
		bus_reply(bus, changed, len, when);
}

/* What came, and what was requested: for each way in which a reply can be wrong. */
static void every_malformed_reply_is_named(void **state)
{
	static const struct malformation list[] = {
		{ASSAY_LINK_MODBUS_RTU, nothing, "no answer within 1000 ms"},
		{ASSAY_LINK_MODBUS_RTU, line_unit_0, "unit 0 answered, not unit 1: 00 03 04"},
		{ASSAY_LINK_MODBUS_RTU, line_function,
			"a reply to function 04 came, not to 03: 01 04 04"},
		{ASSAY_LINK_MODBUS_RTU, line_longer,
			"a reply of 11 bytes came, not of 7: 01 03 08"},
		{ASSAY_LINK_MODBUS_RTU, line_crc, "the CRC of the reply is wrong: 01 03 04"},
		{ASSAY_LINK_MODBUS_RTU, line_cut,
			"only 5 of 9 bytes came within 1000 ms: 01 03 04"},
		{ASSAY_LINK_MODBUS_RTU, line_noise, "20 bytes came that are no reply: ff ff ff"},
		{ASSAY_LINK_MODBUS_RTU, line_exception,
			"exception 12 came, which the protocol does not have: 01 83 0c"},
		{ASSAY_LINK_MODBUS_TCP, nothing,
			"no answer within 1000 ms; a device server of a serial line needs "
			"`framing: rtu-over-tcp` in the link"},
		{ASSAY_LINK_MODBUS_TCP, tcp_unit_255,
			"unit 255 answered, not unit 1: 00 03 00 00 00 07 ff"},
		{ASSAY_LINK_MODBUS_TCP, tcp_function, "a reply to function 01 came, not to 03"},
		{ASSAY_LINK_MODBUS_TCP, tcp_longer, "a reply of 11 bytes came, not of 7"},
		{ASSAY_LINK_MODBUS_TCP, tcp_bytes, "the reply announces 6 bytes, not 4"},
		{ASSAY_LINK_MODBUS_TCP, tcp_protocol, "protocol 7 came, not 0"},
		{ASSAY_LINK_MODBUS_TCP, tcp_transaction,
			"a reply with transaction number 0 came, not 3, and none within 1000 ms"},
		{ASSAY_LINK_MODBUS_TCP, tcp_cut, "only 11 bytes of the answer came within 1000 ms"},
		{ASSAY_LINK_MODBUS_TCP, tcp_http, "what came is not Modbus TCP: 48 54 54 50"},
		{ASSAY_LINK_MODBUS_TCP, tcp_line, "framing: rtu-over-tcp"},
		{ASSAY_LINK_MODBUS_TCP, tcp_exception,
			"exception 0 came, which the protocol does not have"},
	};
	for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
		struct bus bus;
		malformation = &list[i];
		bus_init(&bus, list[i].kind, 1);
		bus.reply = reply_malformed;
		bus.end = bus_now() + 15 * NS_PER_S;
		bus_run(&bus);
		assert_int_equal(bus.units[0].frames, 0);
		if (strstr(bus.units[0].fault, list[i].text) == NULL)
			fail_msg("'%s' does not have '%s'", bus.units[0].fault, list[i].text);
		assert_non_null(strstr(bus.units[0].fault, "unit 1, holding 0+2: "));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_late_reply_is_never_that_to_another_request),
		cmocka_unit_test(dead_units_cost_the_others_at_most_a_twentieth),
		cmocka_unit_test(a_unit_that_is_switched_on_is_found_beside_others),
		cmocka_unit_test(slow_units_are_found_beside_others),
		cmocka_unit_test(units_without_a_pace_are_served_in_turn),
		cmocka_unit_test(a_block_that_is_always_busy_costs_no_other_value),
		cmocka_unit_test(a_pause_is_kept_before_each_request),
		cmocka_unit_test(an_echo_is_dropped_if_the_link_says_so),
		cmocka_unit_test(frames_of_a_line_pass_over_tcp),
		cmocka_unit_test(a_request_reads_at_most_the_registers_of_the_link),
		cmocka_unit_test(a_server_may_close_between_two_requests),
		cmocka_unit_test(no_frame_is_lost_when_each_reply_ends_the_connection),
		cmocka_unit_test(a_connection_per_request_is_closed_after_each),
		cmocka_unit_test(no_value_of_an_exchanged_device_is_delivered_under_the_other),
		cmocka_unit_test(a_frame_is_resumed_only_after_an_exchange_that_broke_off),
		cmocka_unit_test(every_malformed_reply_is_named),
		cmocka_unit_test(no_late_reply_of_a_shared_line_gets_another_name),
		cmocka_unit_test(a_dead_unit_of_a_shared_line_costs_the_others_little),
	};
	const char *seed = getenv("ASSAY_TEST_SEED");
	random_state = seed != NULL ? strtoull(seed, NULL, 10) : 1;
	print_message("ASSAY_TEST_SEED=%llu\n", (unsigned long long)random_state);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
