/* SPDX-License-Identifier: Apache-2.0 */
/* A unit with a scripted driver, without threads and in virtual time: hours take milliseconds. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <assay/driver.h>

#include "base/clock.h"
#include "record/encode.h"
#include "worker/unit.h"

#define PLENTY (UINT64_C(1) << 40)

/* --- the script ------------------------------------------------------------------------------- */

static struct {
	int identify, configure, start, acquire, stop, make_safe; /* the results of the slots */
	bool has_hazard;                                          /* start reports one */
	unsigned waits;                                           /* for the instrument: so often */
	bool waits_by_itself;                                     /* without assay_again() */
	const char *sample; /* that the instrument began; NULL: start began it */
	bool aborts_start;  /* an ABORT arrives in start */
	uint64_t lasts;     /* acquire takes so long */
	bool is_exchanged;  /* by a unit with another number */
	const char *name;   /* of the variable */
	unsigned starts, stops, identifies, closes;
	int poll;        /* its result, */
	double pressure; /* and the value that it reports */
	unsigned polls;
} script;

static uint64_t now;
static struct monitor monitor;
static struct link port_link;
static struct heartbeat heartbeat;
static struct channel channel;
static struct core_link core;
static struct commands commands;
static struct services services;
static struct worker_unit unit;
static int core_end; /* of the socketpair */
static struct buffer received;

static uint64_t virtual_clock(void *arg)
{
	return now;
}

static void command(void (*write)(struct buffer *, unsigned))
{
	struct buffer bytes = {0};
	struct wire_message m;
	write(&bytes, 0);
	assert_int_equal(wire_next(bytes.data, bytes.len, &m), 1);
	assert_int_equal(commands_take_message(&commands, &m), 0);
	buffer_finish(&bytes);
}

static void write_go(struct buffer *to, unsigned index)
{
	wire_write_go(to, index, &(struct wire_go){.safe = false});
}

static void write_configure(struct buffer *to, unsigned index)
{
	wire_write_configure(to, index, &(struct wire_go){.safe = false});
}

static void write_refuse(struct buffer *to, unsigned index)
{
	wire_write_refuse(to, index, "another one is configured");
}

static struct wire_start start;

static void write_start(struct buffer *to, unsigned index)
{
	wire_write_start(to, index, &start);
}

static int identify(struct assay_instrument *ins, struct assay_identity *id)
{
	script.identifies++;
	assert_int_equal(*(const char *)ins->state, '\0');
	strcpy(id->serial, script.is_exchanged ? "S-2" : "S-1");
	strcpy(ins->state, "x"); /* of the identified unit */
	return script.identify;
}

static int configure(struct assay_instrument *ins)
{
	return script.configure;
}

static int start_measuring(struct assay_instrument *ins)
{
	script.starts++;
	if (script.has_hazard)
		assay_hazard(ins, true);
	if (script.waits > 0) {
		script.waits--;
		return script.waits_by_itself ? -EAGAIN : assay_again(ins, 1000);
	}
	if (script.sample != NULL)
		assay_began(ins, script.sample);
	if (script.aborts_start) {
		command(wire_write_abort);
		return -ECANCELED;
	}
	return script.start;
}

static int acquire(struct assay_instrument *ins, struct assay_raw *raw)
{
	now += script.lasts;
	if (script.acquire == ASSAY_CUT)
		assay_explain(ins, "it ended by itself");
	if (script.acquire >= 0)
		assert_int_equal(assay_raw_add(raw, "text/plain", NULL, "1", 1), 0);
	return script.acquire;
}

static int decode(const struct assay_decoding *in, struct assay_frame *out)
{
	assay_frame_kind(out, ASSAY_SCALARS);
	assay_add_int(out, script.name, ASSAY_DATA, 1, "1");
	return 0;
}

static int stop_measuring(struct assay_instrument *ins)
{
	script.stops++;
	return script.stop;
}

static int make_safe(struct assay_instrument *ins)
{
	if (script.make_safe == 0)
		assay_hazard(ins, false);
	return script.make_safe;
}

/* Of the state that identify filled, each one once. */
static void close_state(struct assay_instrument *ins)
{
	script.closes++;
	assert_int_not_equal(*(const char *)ins->state, '\0');
}

static int poll_values(struct assay_instrument *ins, struct assay_values *out)
{
	script.polls++;
	assay_value(out, "pressure", -1, "Pa");
	assay_value(out, "pressure", script.pressure, "Pa");
	assay_value(out, "No name", 1, "1");
	return script.poll;
}

static struct assay_driver driver = {.name = "script",
	.links = ASSAY_LINK_NONE,
	.state_size = 2,
	.raw_max = 100,
	.identify = identify,
	.configure = configure,
	.start = start_measuring,
	.acquire = acquire,
	.decode = decode,
	.stop = stop_measuring,
	.make_safe = make_safe,
	.close = close_state};

/* --- the bench -------------------------------------------------------------------------------- */

static int set_up(bool has_datagrams)
{
	static const struct clock_source source = {virtual_clock, virtual_clock, NULL};
	static const struct unit config = {.key = "script-1"};
	static const struct port port = {.kind = ASSAY_LINK_NONE};
	int pair[2];
	char why[MODULE_WHY];
	now = 1000000 * NS_PER_S;
	clock_replace(&source);
	memset(&script, 0, sizeof script);
	script.acquire = ASSAY_FRAME;
	script.name = "value";
	start = (struct wire_start){.mode = WIRE_CONTINUOUS};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	core_end = pair[1];
	assert_int_equal(monitor_init(&monitor), 0);
	assert_int_equal(link_open(&port_link, &port), 0);
	port_link.is_unconnected = has_datagrams;
	heartbeat = (struct heartbeat){0};
	channel_init(&channel, &monitor, &port_link, &heartbeat);
	core_link_init(&core, &monitor, pair[0]);
	assert_int_equal(commands_init(&commands, &monitor, &channel, 1), 0);
	services = (struct services){.core = &core, .commands = &commands, .channel = &channel};
	services_init(&services);
	core_link_grant(&core, PLENTY);
	return unit_init(&unit, &services, 0, &config, &driver, ASSAY_LINK_NONE, why);
}

static int before(void **state)
{
	driver.poll = NULL;
	driver.poll_ms = 0;
	return set_up(false);
}

static int before_on_datagrams(void **state)
{
	driver.poll = NULL;
	driver.poll_ms = 0;
	return set_up(true);
}

static int before_with_poll(void **state)
{
	driver.poll = poll_values;
	driver.poll_ms = 7000;
	return set_up(true);
}

static int after(void **state)
{
	clock_replace(NULL);
	unit_finish(&unit);
	commands_finish(&commands);
	channel_finish(&channel);
	link_close(&port_link);
	close(core.fd);
	close(core_end);
	core_link_finish(&core);
	monitor_finish(&monitor);
	buffer_finish(&received);
	return 0;
}

/* Turns until the unit has nothing to do before `until`; the clock jumps from one to the next. */
static void run_until(uint64_t until)
{
	for (;;) {
		bool has_credit = core_link_has_credit(&core);
		uint64_t due = unit_due(&unit, has_credit);
		if (!commands_has(&commands, 0, &unit.state)) {
			if (due > until)
				break;
			now = due > now ? due : now;
		}
		commands_enter(&commands, 0, unit.state.end == WIRE_END_STOPPED);
		unit_turn(&unit, due <= now);
		commands_leave(&commands);
	}
	now = until > now ? until : now;
}

/* The next message; its type, or 0 for none. */
static unsigned next_message(struct wire_message *m)
{
	static size_t taken;
	if (received.len == 0)
		taken = 0;
	buffer_consume(&received, taken);
	taken = 0;
	uint8_t *to = buffer_reserve(&received, 1 << 16);
	ssize_t n = recv(core_end, to, 1 << 16, MSG_DONTWAIT);
	received.len += n > 0 ? (size_t)n : 0;
	if (wire_next(received.data, received.len, m) != 1)
		return 0;
	taken = m->size;
	return m->type;
}

static struct wire_message expect(enum wire_type type)
{
	struct wire_message m;
	assert_int_equal(next_message(&m), type);
	return m;
}

static void expect_nothing(void)
{
	struct wire_message m;
	assert_int_equal(next_message(&m), 0);
}

static void expect_end(enum wire_end end)
{
	struct wire_message m = expect(WIRE_ENDED);
	struct wire_ended ended;
	assert_int_equal(wire_read_ended(&m, &ended), 0);
	assert_int_equal(ended.end, end);
}

static void expect_hazard(bool on)
{
	struct wire_message m = expect(WIRE_HAZARD);
	bool is_on;
	assert_int_equal(wire_read_hazard(&m, &is_on), 0);
	assert_int_equal(is_on, on);
}

static void bring_up(void)
{
	run_until(now);
	expect(WIRE_IDENTITY);
	command(write_go);
	run_until(now);
	expect(WIRE_READY);
}

static void start_run(void)
{
	command(write_start);
	run_until(now);
	expect(WIRE_STARTED);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void a_silent_unit_is_tried_less_and_less_often(void **state)
{
	script.identify = -ETIMEDOUT;
	run_until(now + 3600 * NS_PER_S);
	expect(WIRE_STATE); /* once */
	expect_nothing();
	assert_true(unit_is_given_up(&unit.state));
	assert_in_range(script.identifies, 120, 170); /* at last every 30 s */
}

static void the_back_off_starts_again_after_steady_work(void **state)
{
	bring_up();
	start.every_ns = NS_PER_S;
	start_run();
	script.acquire = -EPROTO;
	run_until(now + 2 * NS_PER_S);
	assert_true(unit.backoff.wait > 0);
	uint64_t wait = unit.backoff.wait;
	script.acquire = ASSAY_FRAME;
	run_until(now + 60 * NS_PER_S);
	command(write_go);
	run_until(now + 20 * NS_PER_S);
	command(write_start);
	script.start = -ETIMEDOUT;
	run_until(now + NS_PER_MS);
	assert_int_equal(unit.backoff.wait, wait);
}

static void a_rejected_unit_is_identified_every_five_seconds(void **state)
{
	run_until(now);
	expect(WIRE_IDENTITY);
	for (int i = 0; i < 100; i++) {
		command(write_refuse);
		run_until(now + 5 * NS_PER_S - 1);
		expect_nothing();
		run_until(now + 1);
		expect(WIRE_IDENTITY);
	}
}

/* Of the log lines among the messages, which are `count`, the text of the last one. */
static const char *last_line(unsigned *count)
{
	static char text[WIRE_TEXT_MAX + 1];
	struct wire_message m;
	struct wire_log line;
	*count = 0;
	for (unsigned type; (type = next_message(&m)) != 0;) {
		if (type != WIRE_LOG)
			continue;
		assert_int_equal(wire_read_log(&m, &line), 0);
		assert_true(text_copy(text, sizeof text, line.text));
		++*count;
	}
	return text;
}

static void a_near_miss_of_a_known_name_is_logged_once(void **state)
{
	unsigned lines;
	bring_up();
	start.every_ns = NS_PER_S;
	script.name = "sginal";
	start_run();
	run_until(now + 100 * NS_PER_S);
	assert_string_equal(last_line(&lines),
		"driver script: variable 'sginal' is not in the list of names; did you mean "
		"'signal'?");
	assert_int_equal(lines, 1);
	script.name = "weight";
	run_until(now + 100 * NS_PER_S);
	last_line(&lines);
	assert_int_equal(lines, 0);
	script.name = "sginal";
	run_until(now + 100 * NS_PER_S);
	last_line(&lines);
	assert_int_equal(lines, 0);
	script.name = "live_tme";
	run_until(now + 100 * NS_PER_S);
	last_line(&lines);
	assert_int_equal(lines, 1);
}

static void a_day_of_frames_keeps_to_its_pace(void **state)
{
	bring_up();
	start.every_ns = 10 * NS_PER_S;
	start_run();
	struct wire_message m;
	unsigned frames = 0;
	for (unsigned i = 0; i < 24 * 360; i++) {
		run_until(now + 10 * NS_PER_S);
		while (next_message(&m) == WIRE_FRAME)
			frames++;
	}
	assert_int_equal(frames, 24 * 360 + 1); /* the first one comes at once */
}

static void frames_that_take_too_long_are_counted_as_dropped(void **state)
{
	bring_up();
	start.every_ns = NS_PER_S;
	script.lasts = 2500 * NS_PER_MS;
	start_run();
	run_until(now + 20 * NS_PER_S);
	struct wire_message m;
	struct wire_frame frame;
	uint64_t slots = 0, frames = 0;
	while (next_message(&m) == WIRE_FRAME) {
		assert_int_equal(wire_read_frame(&m, &frame), 0);
		slots += frame.dropped + 1;
		frames++;
	}
	assert_int_equal(frames, 8);
	assert_in_range(slots, 20, 22);
}

/* Such as until a counter of the instrument changes. */
static void ticks_without_anything_to_deliver_are_not_dropped_frames(void **state)
{
	struct wire_message m;
	struct wire_frame frame;
	bring_up();
	start.every_ns = NS_PER_S;
	start_run();
	for (int i = 0; i < 5; i++) {
		script.acquire = -EAGAIN;
		run_until(now + 100 * NS_PER_S + 300 * NS_PER_MS);
		script.acquire = ASSAY_FRAME;
		run_until(now + 2 * NS_PER_S);
	}
	unsigned frames = 0;
	while (next_message(&m) == WIRE_FRAME) {
		assert_int_equal(wire_read_frame(&m, &frame), 0);
		assert_int_equal(frame.dropped, 0);
		frames++;
	}
	assert_in_range(frames, 10, 16);
}

static void an_abort_while_a_repetition_starts_again_ends_it(void **state)
{
	bring_up();
	start = (struct wire_start){.mode = WIRE_REPEAT, .every_ns = NS_PER_S};
	script.acquire = ASSAY_LAST;
	start_run();
	expect(WIRE_FRAME);
	expect_end(WIRE_END_COMPLETE);
	script.aborts_start = true;
	run_until(now + 2 * NS_PER_S);
	expect_end(WIRE_END_ABORTED);
	expect_nothing();
	assert_int_equal(unit.state.phase, UNIT_READY);
	assert_int_equal(script.starts, 2);
	assert_int_equal(script.stops, 2);
}

static void expect_sample(const char *sample)
{
	struct wire_message m = expect(WIRE_STARTED);
	struct wire_started started;
	assert_int_equal(wire_read_started(&m, &started), 0);
	assert_true(assay_string_is(started.sample, sample));
}

static void a_start_waits_until_the_instrument_begins(void **state)
{
	bring_up();
	start = (struct wire_start){.mode = WIRE_REPEAT};
	script.acquire = ASSAY_LAST;
	script.sample = "A-1";
	script.waits = 3600;
	command(write_start);
	run_until(now + 3600 * NS_PER_S - 1);
	expect(WIRE_STATE); /* armed, once */
	expect_nothing();
	assert_int_equal(script.starts, 3600);
	assert_int_equal(script.stops, 0);
	script.waits = 0;
	script.lasts = NS_PER_S;
	run_until(now + 1);
	expect_sample("A-1");
	expect(WIRE_FRAME);
	expect_end(WIRE_END_COMPLETE);
	command(wire_write_abort);
	run_until(now + NS_PER_S);
	assert_int_equal(unit.state.phase, UNIT_READY);
}

/* However the wait ends, the driver's stop follows; a stop is not a failed start. */
static void a_wait_for_the_instrument_can_be_ended(void **state)
{
	void (*const ends[])(struct buffer *, unsigned) = {wire_write_stop, wire_write_abort};
	bring_up();
	for (unsigned i = 0; i < 4; i++) {
		start = (struct wire_start){.mode = i < 2 ? WIRE_ONCE : WIRE_REPEAT};
		script.waits = 3600;
		command(write_start);
		run_until(now + 10 * NS_PER_S);
		expect(WIRE_STATE);
		command(ends[i % 2]);
		run_until(now);
		expect_end(i % 2 == 0 ? WIRE_END_STOPPED : WIRE_END_ABORTED);
		assert_int_equal(script.stops, i + 1);
		assert_int_equal(unit.state.phase, UNIT_READY);
	}
	script.waits = 1;
	script.waits_by_itself = true; /* such as for the line: no wait for the instrument */
	command(write_start);
	run_until(now);
	expect_end(WIRE_END_NOT_STARTED);
	assert_int_equal(script.stops, 5);
}

static void another_sample_within_a_continuous_run_is_flagged(void **state)
{
	static const char *const samples[] = {"A-1", "A-1", "A-2", "A-2"};
	struct wire_frame frame;
	bring_up();
	script.acquire = ASSAY_LAST;
	start.every_ns = 10 * NS_PER_S;
	script.sample = samples[0];
	for (unsigned i = 0; i < 3; i++) {
		if (i == 0)
			command(write_start);
		run_until(now + 10 * NS_PER_S - 1);
		if (i == 0)
			expect_sample("A-1");
		struct wire_message m = expect(WIRE_FRAME);
		assert_int_equal(wire_read_frame(&m, &frame), 0);
		assert_int_equal(frame.quality, i == 2 ? ASSAY_SUSPECT : ASSAY_GOOD);
		expect_nothing();
		script.sample = samples[i + 1];
		run_until(now + 1);
	}
}

static void a_measurement_that_the_instrument_cut_is_told_at_the_end(void **state)
{
	struct wire_ended ended;
	bring_up();
	start.mode = WIRE_ONCE;
	for (int i = 0; i < 2; i++) {
		script.acquire = i == 0 ? ASSAY_CUT : ASSAY_LAST;
		start_run();
		expect(WIRE_FRAME);
		struct wire_message m = expect(WIRE_ENDED);
		assert_int_equal(wire_read_ended(&m, &ended), 0);
		assert_int_equal(ended.end, WIRE_END_COMPLETE);
		assert_true(assay_string_is(ended.text, i == 0 ? "it ended by itself" : ""));
	}
}

/* No connection breaks when a unit on a datagram link is exchanged. */
static void a_unit_on_datagrams_is_identified_again_while_it_rests(void **state)
{
	struct wire_identity identity;
	bring_up();
	char *driver_state = unit.device.ins.state;
	driver_state[0] = 'c'; /* as configured */
	run_until(now + 600 * NS_PER_S);
	assert_int_equal(script.identifies, 1 + 600 / 30);
	assert_ptr_equal(unit.device.ins.state, driver_state);
	assert_int_equal(driver_state[0], 'c');
	expect_nothing();
	start.every_ns = 50 * NS_PER_S;
	start_run(); /* not during a run */
	unsigned before_run = script.identifies;
	run_until(now + 120 * NS_PER_S);
	assert_int_equal(script.identifies, before_run);
	command(wire_write_stop);
	run_until(now);
	for (int i = 0; i < 3; i++)
		expect(WIRE_FRAME);
	expect_end(WIRE_END_STOPPED);
	script.is_exchanged = true;
	run_until(now + 32 * NS_PER_S);
	struct wire_message m = expect(WIRE_STATE);
	struct wire_state fault;
	assert_int_equal(wire_read_state(&m, &fault), 0);
	assert_true(assay_string_is(
		fault.text, "another unit replies: '', serial number 'S-2'; it was '', 'S-1'"));
	m = expect(WIRE_IDENTITY);
	assert_int_equal(wire_read_identity(&m, &identity), 0);
	assert_true(assay_string_is(identity.serial, "S-2"));
	command(write_go);
	run_until(now + 600 * NS_PER_S);
	expect(WIRE_READY);
	expect_nothing();
}

static void a_unit_at_rest_that_does_not_reply_is_at_fault(void **state)
{
	bring_up();
	script.identify = -ETIMEDOUT;
	run_until(now + 31 * NS_PER_S);
	expect(WIRE_STATE);
	expect_nothing();
	script.identify = 0;
	run_until(now + 60 * NS_PER_S);
	expect(WIRE_IDENTITY);
}

static void expect_pressure(double pressure)
{
	struct wire_message m = expect(WIRE_STATE);
	struct wire_state found;
	struct buffer values = {0};
	struct map map, quantity;
	map_open(&map, &values);
	map_key(&map, "pressure");
	map_open(&quantity, &values);
	map_f64(&quantity, "v", pressure);
	map_text(&quantity, "u", "Pa");
	map_close(&quantity);
	map_close(&map);
	assert_int_equal(wire_read_state(&m, &found), 0);
	assert_true(assay_string_is(found.state, "idle"));
	assert_int_equal(found.values.len, values.len);
	assert_memory_equal(found.values.data, values.data, values.len);
	buffer_finish(&values);
}

static void a_unit_at_rest_is_polled_and_its_values_are_sent_when_they_change(void **state)
{
	bring_up();
	for (script.pressure = 1; script.pressure < 4; script.pressure++) {
		run_until(now + 70 * NS_PER_S);
		expect_pressure(script.pressure);
		expect_nothing();
	}
	assert_int_equal(script.polls, 30);
	assert_int_equal(script.identifies, 1 + 210 / 30); /* on datagrams, as without poll */
	start.every_ns = 50 * NS_PER_S;
	start_run(); /* not during a run */
	run_until(now + 120 * NS_PER_S);
	assert_int_equal(script.polls, 30);
	command(wire_write_stop);
	run_until(now + 8 * NS_PER_S);
	for (int i = 0; i < 3; i++)
		expect(WIRE_FRAME);
	expect_end(WIRE_END_STOPPED);
	expect_pressure(script.pressure); /* after a run, all of them */
}

static void a_poll_without_reply_is_a_fault(void **state)
{
	bring_up();
	script.poll = -ETIMEDOUT;
	run_until(now + 7 * NS_PER_S);
	assert_int_equal(script.polls, UNIT_TRIES);
	struct wire_message m = expect(WIRE_STATE);
	struct wire_state fault;
	assert_int_equal(wire_read_state(&m, &fault), 0);
	assert_true(assay_string_is(fault.state, "fault"));
	script.poll = 0;
	run_until(now + NS_PER_S);
	expect(WIRE_IDENTITY);
	command(write_go);
	run_until(now + 8 * NS_PER_S);
	expect(WIRE_READY);
	expect_pressure(0);
	command(write_configure);
	run_until(now + 8 * NS_PER_S);
	expect(WIRE_READY);
	expect_pressure(0); /* of each READY, changed or not */
}

static void each_state_is_closed_once(void **state)
{
	run_until(now);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(script.closes, script.identifies - 1);
		command(write_refuse);
		run_until(now + 5 * NS_PER_S);
	}
	command(write_go);
	run_until(now + 65 * NS_PER_S); /* twice with a state aside */
	assert_int_equal(script.identifies, 4 + 2);
	assert_int_equal(script.closes, script.identifies - 1);
	unit_end(&unit, false);
	assert_int_equal(script.closes, script.identifies);
	unit_end(&unit, false);
	assert_int_equal(script.closes, script.identifies);
}

static void other_links_lose_their_connection_instead(void **state)
{
	bring_up();
	run_until(now + 600 * NS_PER_S);
	assert_int_equal(script.identifies, 1);
}

/* The driver finds it out itself. */
static void a_start_that_finds_another_unit_identifies_it(void **state)
{
	bring_up();
	script.start = -ENODEV;
	script.is_exchanged = true;
	command(write_start);
	run_until(now);
	expect(WIRE_STATE);
	expect_end(WIRE_END_NOT_STARTED);
	run_until(now + 10 * NS_PER_S);
	expect(WIRE_IDENTITY);
}

static void a_stop_without_credit_ends_the_run(void **state)
{
	bring_up();
	core.credit = 0;
	start_run();
	run_until(now + 10 * NS_PER_S);
	command(wire_write_stop);
	run_until(now);
	expect_end(WIRE_END_STOPPED);
	expect_nothing();
}

static void a_fault_with_a_hazard_is_made_safe_before_the_run_ends(void **state)
{
	bring_up();
	script.has_hazard = true;
	script.acquire = -EPROTO;
	command(write_start);
	run_until(now);
	expect_hazard(true);
	expect(WIRE_STARTED);
	expect(WIRE_STATE);
	expect_hazard(false);
	expect_end(WIRE_END_FAILED);
	expect_nothing();
}

static void a_hazard_that_stays_on_is_tried_again_at_the_end(void **state)
{
	bring_up();
	script.has_hazard = true;
	script.acquire = script.make_safe = -EPROTO;
	command(write_start);
	run_until(now);
	script.make_safe = 0;
	assert_int_equal(unit.state.hazard, UNIT_HAZARD_ON);
	assert_true(unit_end(&unit, false));
}

#define T(test) cmocka_unit_test_setup_teardown(test, before, after)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_silent_unit_is_tried_less_and_less_often),
		T(the_back_off_starts_again_after_steady_work),
		T(a_rejected_unit_is_identified_every_five_seconds),
		T(a_near_miss_of_a_known_name_is_logged_once),
		T(a_day_of_frames_keeps_to_its_pace),
		T(frames_that_take_too_long_are_counted_as_dropped),
		T(ticks_without_anything_to_deliver_are_not_dropped_frames),
		T(an_abort_while_a_repetition_starts_again_ends_it),
		T(a_start_waits_until_the_instrument_begins),
		T(a_wait_for_the_instrument_can_be_ended),
		T(another_sample_within_a_continuous_run_is_flagged),
		T(a_measurement_that_the_instrument_cut_is_told_at_the_end),
		T(a_stop_without_credit_ends_the_run),
		T(other_links_lose_their_connection_instead),
		T(a_start_that_finds_another_unit_identifies_it),
		cmocka_unit_test_setup_teardown(
			a_unit_on_datagrams_is_identified_again_while_it_rests, before_on_datagrams,
			after),
		cmocka_unit_test_setup_teardown(
			a_unit_at_rest_that_does_not_reply_is_at_fault, before_on_datagrams, after),
		cmocka_unit_test_setup_teardown(
			a_unit_at_rest_is_polled_and_its_values_are_sent_when_they_change,
			before_with_poll, after),
		cmocka_unit_test_setup_teardown(
			a_poll_without_reply_is_a_fault, before_with_poll, after),
		cmocka_unit_test_setup_teardown(
			each_state_is_closed_once, before_on_datagrams, after),
		T(a_fault_with_a_hazard_is_made_safe_before_the_run_ends),
		T(a_hazard_that_stays_on_is_tried_again_at_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
