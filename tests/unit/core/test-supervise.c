/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor of a port: its worker's messages, hangs, ends and restarts, on virtual time. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "capture/write.h"
#include "wire/process.h"
#include "core/port/supervise.h"
#include "peer.h"
#include "record/text.h"
#include "virtual-loop.h"
#include "wire/exit.h"

#define MIB (1u << 20)

/* A port with two units, and what they were called with. */
struct unit_log {
	size_t messages, lost;
	uint64_t sum; /* over types and payloads, in order */
	bool is_quit; /* lost() came without a reason */
	char why[120];
	int verdict; /* of its next messages */
};

struct bench {
	struct loop *loop;
	struct port_host host;
	struct supervisor *supervisor;
	struct unit_log units[2];
	size_t gone;
	bool no_process; /* workers cannot be started */
};

static struct bench bench;
static struct port port = {.kind = ASSAY_LINK_SERIAL, .port = "/tmp/ttyS9", .baud = 9600};

static struct unit unit_setup(void *arg)
{
	const struct unit_log *u = arg;
	return (struct unit){.key = u == bench.units ? "a" : "b",
		.driver = "skeleton",
		.unit_id = (unsigned)(u - bench.units) + 1};
}

static const struct port *unit_port(void *arg)
{
	return &port;
}

static int unit_message(void *arg, const struct wire_message *m)
{
	struct unit_log *u = arg;
	u->messages++;
	u->sum = u->sum * 31 + (uint64_t)m->type;
	for (size_t i = 0; i < m->len; i++)
		u->sum = u->sum * 31 + m->payload[i];
	return u->verdict;
}

static void unit_lost(void *arg, const char *why)
{
	struct unit_log *u = arg;
	u->lost++;
	u->is_quit = why == NULL;
	snprintf(u->why, sizeof u->why, "%s", why != NULL ? why : "");
}

static const struct port_unit_ops unit_ops = {unit_setup, unit_port, NULL, unit_message, unit_lost};

static int start(const char *worker, int fd, int error, pid_t *pid)
{
	assert_string_equal(worker, "assay-worker");
	return bench.no_process ? -EAGAIN : peer_start(worker, fd, error, pid);
}

static int open_bench(void **state)
{
	bench = (struct bench){
		.host = {.worker = "assay-worker", .drivers = "/drivers", .start = start}};
	log_init(0, true);
	assert_int_equal(virtual_loop_open(&bench.loop, NULL), 0);
	bench.host.loop = bench.loop;
	struct port_unit units[2] = {{&unit_ops, &bench.units[0]}, {&unit_ops, &bench.units[1]}};
	assert_int_equal(supervise_start(&bench.host, units, 2, &bench.supervisor), 0);
	return 0;
}

static void run(uint64_t ns)
{
	assert_int_equal(virtual_loop_run_for(bench.loop, ns), 0);
}

/* The worker that runs now. */
static struct peer *worker(void)
{
	return peer_of(supervise_pid(bench.supervisor));
}

/* Lets the worker run for `ns` with a beat every second, in the state that `beat` reports. */
static void live(uint64_t ns, struct wire_beat beat)
{
	for (uint64_t passed = 0; passed < ns; passed += NS_PER_S) {
		struct buffer message = {0};
		wire_write_beat(&message, &beat);
		peer_send(worker(), &message);
		run(NS_PER_S);
	}
}

static void on_gone(void *arg)
{
	bench.gone++;
}

/* Stops the supervisor, if that is still to be done. */
static int close_bench(void **state)
{
	if (bench.gone == 0) {
		if (!supervise_is_stopping(bench.supervisor))
			supervise_stop(bench.supervisor, on_gone, NULL);
		if (bench.gone == 0)
			peer_exit(worker(), bench.loop, false, WIRE_EXIT_CLEAN);
		run(NS_PER_MS);
	}
	assert_int_equal(bench.gone, 1);
	loop_close(bench.loop);
	peers_forget();
	virtual_clock_release();
	return 0;
}

/* Waits for the next worker; the delay. */
static uint64_t wait_for_start(void)
{
	uint64_t begun = clock_boot();
	unsigned starts = supervise_starts(bench.supervisor);
	while (supervise_starts(bench.supervisor) == starts)
		run(NS_PER_MS);
	return clock_boot() - begun;
}

/* Waits until one runs. */
static struct peer *next_worker(void)
{
	if (supervise_pid(bench.supervisor) == 0)
		wait_for_start();
	return worker();
}

static void send_hello(void)
{
	struct buffer message = {0};
	wire_write_hello(&message, "landlock, seccomp");
	wire_write_opened(&message, NULL);
	peer_send(worker(), &message);
	run(NS_PER_MS);
}

/* --- the start ------------------------------------------------------------------------------- */

static void a_worker_gets_the_port_its_units_and_credit(void **state)
{
	struct wire_setup setup;
	uint64_t credit;
	run(NS_PER_MS);
	assert_int_equal(supervise_starts(bench.supervisor), 1);
	struct wire_message m = peer_expect(worker(), WIRE_SETUP);
	assert_int_equal(wire_read_setup(&m, &setup), 0);
	assert_string_equal(setup.drivers, "/drivers");
	assert_string_equal(setup.port.port, "/tmp/ttyS9");
	assert_int_equal(setup.unit_count, 2);
	assert_string_equal(setup.units[1].key, "b");
	assert_int_equal(setup.units[1].unit_id, 2);
	wire_setup_finish(&setup);
	m = peer_expect(worker(), WIRE_CREDIT);
	assert_int_equal(wire_read_credit(&m, &credit), 0);
	assert_true(credit >= WIRE_PAYLOAD_MAX); /* the largest frame can be sent */
	assert_false(peer_next(worker(), &m));
	assert_string_equal(supervise_lacking(bench.supervisor), "");
	send_hello();
	assert_string_equal(supervise_lacking(bench.supervisor), "landlock, seccomp");
	assert_int_equal(bench.units[0].messages, 1); /* OPENED: to each unit */
	assert_int_equal(bench.units[1].messages, 1);
}

static void a_worker_that_cannot_be_started_is_tried_again(void **state)
{
	bench.no_process = true;
	run(10 * NS_PER_S);
	assert_int_equal(supervise_pid(bench.supervisor), 0);
	bench.no_process = false;
	run(19 * NS_PER_S);
	assert_int_equal(supervise_pid(bench.supervisor), 0);
	run(2 * NS_PER_S);
	assert_int_equal(supervise_starts(bench.supervisor), 1);
	assert_int_equal(bench.units[0].lost, 0); /* it never had one */
}

/* --- its messages ---------------------------------------------------------------------------- */

/* A stream of legal messages of every kind for both units. */
static void write_stream(struct buffer *out, unsigned seed)
{
	struct wire_beat beat = {.progress = seed};
	struct wire_identity id = {.make = string_of("M"), .serial = string_of("1")};
	struct assay_span none = {0};
	for (unsigned i = 0; i < 40; i++) {
		unsigned unit = rand_r(&seed) % 2;
		switch (rand_r(&seed) % 6) {
		case 0: wire_write_identity(out, unit, &id); break;
		case 1: wire_write_hazard(out, unit, i % 2); break;
		case 2: wire_write_state(out, unit, "fault", "EIO", "no reply", none); break;
		case 3: wire_write_log(out, unit, 3 + i % 5, "a line"); break;
		case 4: wire_write_beat(out, &beat); break;
		case 5: wire_write_ended(out, unit, WIRE_END_STOPPED, "", ""); break;
		}
	}
}

static void messages_reach_their_units_in_order_however_they_are_cut(void **state)
{
	uint64_t sums[2] = {0};
	run(NS_PER_MS);
	for (unsigned round = 0; round < 30; round++) {
		struct buffer stream = {0};
		unsigned seed = round;
		write_stream(&stream, 7);
		bench.units[0].sum = bench.units[1].sum = 0;
		for (size_t at = 0; at < stream.len;) {
			size_t step = round == 0 ? stream.len : 1 + (size_t)rand_r(&seed) % 64;
			struct buffer piece = {0};
			if (step > stream.len - at)
				step = stream.len - at;
			buffer_append(&piece, stream.data + at, step);
			peer_send(worker(), &piece);
			run(NS_PER_MS);
			at += step;
		}
		buffer_finish(&stream);
		for (int i = 0; i < 2; i++) {
			assert_int_not_equal(bench.units[i].sum, 0);
			sums[i] = round == 0 ? bench.units[i].sum : sums[i];
			assert_int_equal(bench.units[i].sum, sums[i]);
		}
	}
	assert_int_equal(worker()->signal, 0);
}

static void write_hello_of(struct buffer *out, unsigned version)
{
	wire_write_hello(out, "");
	uint8_t *at = memmem(out->data, out->len, "version", 7);
	assert_non_null(at);
	at[7] = (uint8_t)version; /* a CBOR integer of one byte */
}

/* Everything that wire.h forbids, each sent by a new worker. */
static void a_worker_that_breaks_the_protocol_is_killed(void **state)
{
	enum {
		OWN_TYPE,
		UNIT,
		PORT,
		VERSION,
		TYPE,
		SIZE,
		BEAT,
		LOG,
		HELLO,
		VERDICT,
		OPENED,
		KINDS
	};
	for (int kind = 0; kind < KINDS; kind++) {
		struct buffer message = {0};
		struct peer *peer = next_worker();
		size_t lost = bench.units[1].lost;
		switch (kind) {
		case OWN_TYPE: wire_write_quit(&message); break;
		case UNIT: wire_write_hazard(&message, 2, true); break;
		case PORT: wire_write_hazard(&message, WIRE_PORT, true); break;
		case VERSION: write_hello_of(&message, WIRE_VERSION + 1); break;
		case TYPE: buffer_append(&message, "\0\0\0\0\x63\0\0\0", 8); break;
		case SIZE: buffer_append(&message, "\xff\xff\xff\x7f\x40\0\0\0", 8); break;
		case BEAT: buffer_append(&message, "\1\0\0\0\x4a\0\0\0x", 9); break;
		case LOG: buffer_append(&message, "\1\0\0\0\x49\0\0\0\x80", 9); break;
		case HELLO: buffer_append(&message, "\1\0\0\0\x40\0\0\0\x80", 9); break;
		case VERDICT: wire_write_hazard(&message, 1, true); break;
		case OPENED: wire_write_opened(&message, NULL); break;
		}
		bench.units[1].verdict = kind >= VERDICT ? -EBADMSG : 0;
		peer_send(peer, &message);
		run(NS_PER_MS);
		assert_int_equal(peer->signal, SIGKILL);
		wire_write_hazard(&message, 0, true); /* the rest is not read */
		size_t messages = bench.units[0].messages;
		send(peer->fd, message.data, message.len, MSG_NOSIGNAL);
		buffer_finish(&message);
		peer_exit(peer, bench.loop, true, SIGKILL);
		run(NS_PER_MS);
		assert_int_equal(bench.units[0].messages, messages);
		assert_int_equal(bench.units[1].lost, lost + 1);
		assert_string_equal(bench.units[1].why, "the worker broke the protocol");
	}
}

static void a_state_of_the_port_reaches_every_unit(void **state)
{
	struct buffer message = {0};
	run(NS_PER_MS);
	wire_write_state(&message, WIRE_PORT, "fault", "ENODEV", "gone", (struct assay_span){0});
	peer_send(worker(), &message);
	run(NS_PER_MS);
	assert_int_equal(bench.units[0].messages, 1);
	assert_int_equal(bench.units[1].messages, 1);
}

/* --- messages to it -------------------------------------------------------------------------- */

/* The socket is full: the rest follows when the worker reads again. */
static void messages_to_a_slow_worker_wait(void **state)
{
	enum { MESSAGES = 2500 };
	char text[WIRE_TEXT_MAX + 1] = "";
	struct wire_message m;
	run(NS_PER_MS);
	memset(text, 'x', sizeof text - 1);
	for (int i = 0; i < MESSAGES; i++) {
		struct buffer message = {0};
		wire_write_refuse(&message, (unsigned)i % 2, text);
		supervise_send(bench.supervisor, &message);
		assert_int_equal(message.len, 0);
		buffer_finish(&message);
	}
	peer_expect(worker(), WIRE_SETUP);
	peer_expect(worker(), WIRE_CREDIT);
	int got = 0;
	for (int turn = 0; turn < MESSAGES && got < MESSAGES; turn++) {
		while (peer_next(worker(), &m)) {
			assert_int_equal(m.type, WIRE_REFUSE);
			assert_int_equal(m.unit, got++ % 2);
		}
		assert_true(turn > 0 || got < MESSAGES);
		run(NS_PER_MS);
	}
	assert_int_equal(got, MESSAGES);
}

static void credit_returns_in_steps(void **state)
{
	uint64_t credit, given = 0, released = 0;
	struct wire_message m;
	run(NS_PER_MS);
	peer_expect(worker(), WIRE_SETUP);
	peer_expect(worker(), WIRE_CREDIT);
	for (int i = 0; i < 50; i++) {
		supervise_hold(bench.supervisor);
		supervise_release(bench.supervisor, 100000);
		released += 100000;
		while (peer_next(worker(), &m)) {
			assert_int_equal(wire_read_credit(&m, &credit), 0);
			given += credit;
		}
		assert_true(given <= released && released - given < MIB);
	}
	assert_true(given > 3 * MIB);
}

/* A frame of 1 MiB; false: the worker was ended before. */
static bool send_frame(struct peer *peer)
{
	static const uint8_t bytes[MIB / 16];
	struct wire_frame frame = {.part = {NULL, MIB - WIRE_HEAD_BYTES - WIRE_FRAME_HEAD_BYTES}};
	struct buffer message = {0};
	wire_write_frame_head(&message, 0, &frame);
	while (message.len < MIB) {
		size_t len = MIB - message.len < sizeof bytes ? MIB - message.len : sizeof bytes;
		buffer_append(&message, bytes, len);
	}
	for (size_t at = 0; at < message.len && peer->signal == 0;) {
		ssize_t n = send(
			peer->fd, message.data + at, message.len - at, MSG_NOSIGNAL | MSG_DONTWAIT);
		at += n > 0 ? (size_t)n : 0;
		run(NS_PER_MS);
	}
	buffer_finish(&message);
	return peer->signal == 0;
}

/* Nothing is committed, as on a full disk: the frames that wait stay within the credit. */
static void a_worker_without_credit_is_ended(void **state)
{
	uint64_t credit;
	run(NS_PER_MS);
	struct peer *peer = worker();
	peer_expect(peer, WIRE_SETUP);
	struct wire_message m = peer_expect(peer, WIRE_CREDIT);
	assert_int_equal(wire_read_credit(&m, &credit), 0);
	for (uint64_t sent = MIB; sent <= credit; sent += MIB)
		assert_true(send_frame(peer));
	supervise_hold(bench.supervisor);
	supervise_release(bench.supervisor, 2 * MIB);
	assert_true(send_frame(peer));
	assert_true(send_frame(peer));
	size_t messages = bench.units[0].messages;
	assert_false(send_frame(peer));
	assert_int_equal(bench.units[0].messages, messages);
	peer_exit(peer, bench.loop, true, SIGKILL);
	run(NS_PER_MS);
	assert_non_null(strstr(bench.units[0].why, "more frames than"));
}

/*
 * Each becomes a record that stays: they are taken at a bounded rate, all of them, and its beats with them,
 * whose deadlines are then over.
 */
static void a_worker_that_reports_without_end_has_to_wait(void **state)
{
	enum { MESSAGES = 4000, BURST = 2000, A_SECOND = 200 };
	struct wire_beat beat = {.progress = 1};
	size_t sent = 0, hung = 0;
	run(NS_PER_MS);
	struct peer *peer = worker();
	for (int second = 0; second < 20; second++) {
		struct buffer message = {0};
		for (int i = 0; i < BURST && sent < MESSAGES; i++, sent++)
			wire_write_hazard(&message, 0, sent % 2);
		beat.progress++;
		beat.deadline = clock_boot() + 3 * NS_PER_S;
		wire_write_beat(&message, &beat);
		peer_send(peer, &message);
		buffer_finish(&message);
		run(NS_PER_S);
		assert_int_equal(peer->signal, 0);
		assert_true(bench.units[0].messages <= BURST + (size_t)(second + 1) * A_SECOND);
	}
	assert_true(bench.units[0].messages > BURST);
	assert_int_equal(bench.units[0].messages, sent);
	for (; hung < 60 && peer->signal == 0; hung++) /* and then it hangs */
		live(NS_PER_S, beat);
	assert_int_equal(peer->signal, SIGKILL);
}

/* Its frames are committed when the next worker runs, which has its own credit. */
static void frames_of_a_former_worker_give_no_credit(void **state)
{
	struct wire_message m;
	run(NS_PER_MS);
	supervise_hold(bench.supervisor);
	peer_exit(worker(), bench.loop, true, SIGSEGV);
	wait_for_start();
	peer_expect(worker(), WIRE_SETUP);
	peer_expect(worker(), WIRE_CREDIT);
	supervise_hold(bench.supervisor);
	supervise_release(bench.supervisor, 4 * MIB);
	assert_false(peer_next(worker(), &m));
	supervise_release(bench.supervisor, 4 * MIB);
	peer_expect(worker(), WIRE_CREDIT);
}

/* The journal still has frames of it: the supervisor lives until they are committed. */
static void a_stopped_port_waits_for_its_frames(void **state)
{
	run(NS_PER_MS);
	supervise_hold(bench.supervisor);
	supervise_hold(bench.supervisor);
	supervise_stop(bench.supervisor, on_gone, NULL);
	peer_exit(worker(), bench.loop, false, WIRE_EXIT_CLEAN);
	run(NS_PER_MS);
	assert_int_equal(bench.gone, 1);
	supervise_release(bench.supervisor, 10);
	supervise_release(bench.supervisor, 2 * MIB); /* and this one frees it */
}

/* --- ends ------------------------------------------------------------------------------------ */

static void every_end_has_its_reason(void **state)
{
	static const struct {
		bool is_killed;
		int status;
		const char *why;
	} ends[] = {
		{false, WIRE_EXIT_NOT_OPENED, "the port cannot be opened"},
		{false, WIRE_EXIT_LOST, "the port was lost"},
		{false, WIRE_EXIT_CLEAN,
			"the worker ended without a request (exit code 0)"}, /* without a QUIT */
		{false, WIRE_EXIT_DRIVER,
			"the driver broke the rules of its interface (exit code 14)"},
		{true, SIGSEGV, "the worker crashed (signal 11)"},
		{true, SIGKILL, "the worker crashed (signal 9)"}, /* not by us */
	};
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		next_worker();
		send_hello();
		unsigned starts = supervise_starts(bench.supervisor);
		struct buffer message = {0};
		wire_write_hazard(&message, 1, true); /* its last message is read */
		size_t messages = bench.units[1].messages;
		peer_send(worker(), &message);
		peer_exit(worker(), bench.loop, ends[i].is_killed, ends[i].status);
		run(NS_PER_MS);
		assert_int_equal(bench.units[1].messages, messages + 1);
		assert_string_equal(bench.units[0].why, ends[i].why);
		assert_string_equal(bench.units[1].why, ends[i].why);
		assert_int_equal(bench.units[0].lost, i + 1);
		next_worker();
		assert_int_equal(supervise_starts(bench.supervisor), starts + 1);
	}
}

static void a_recording_that_is_over_is_not_played_again(void **state)
{
	run(NS_PER_MS);
	peer_exit(worker(), bench.loop, false, WIRE_EXIT_OVER);
	run(3600 * NS_PER_S);
	assert_string_equal(bench.units[0].why, "the recording is over");
	assert_int_equal(supervise_starts(bench.supervisor), 1);
	assert_int_equal(supervise_pid(bench.supervisor), 0);
}

static void delays_grow_until_a_unit_has_worked_for_a_while(void **state)
{
	uint64_t most = 250 * NS_PER_MS;
	run(NS_PER_MS);
	for (int i = 0; i < 12; i++) {
		peer_exit(worker(), bench.loop, false, WIRE_EXIT_LOST);
		uint64_t delay = wait_for_start();
		assert_in_range(delay, most * 3 / 4, most + 2 * NS_PER_MS);
		most = most * 2 < 30 * NS_PER_S ? most * 2 : 30 * NS_PER_S;
	}
	supervise_worked(bench.supervisor); /* it worked, but not for long */
	live(8 * NS_PER_S, (struct wire_beat){0});
	peer_exit(worker(), bench.loop, false, WIRE_EXIT_LOST);
	assert_in_range(wait_for_start(), 22 * NS_PER_S, 31 * NS_PER_S);
	supervise_worked(bench.supervisor);
	live(11 * NS_PER_S, (struct wire_beat){0});
	peer_exit(worker(), bench.loop, false, WIRE_EXIT_LOST);
	assert_in_range(wait_for_start(), 0, 252 * NS_PER_MS);
}

static void a_new_device_is_tried_at_once(void **state)
{
	const char *away = port.port;
	char there[] = "/tmp/test-supervise-XXXXXX";
	for (int i = 0; i < 10; i++) {
		next_worker();
		peer_exit(worker(), bench.loop, false, WIRE_EXIT_NOT_OPENED);
		run(NS_PER_MS);
	}
	virtual_loop_touch(bench.loop, "/tmp"); /* the folder of the port's path: another device */
	supervise_look(bench.supervisor);
	assert_in_range(wait_for_start(), 5 * NS_PER_S, 31 * NS_PER_S);
	peer_exit(worker(), bench.loop, false, WIRE_EXIT_NOT_OPENED);
	run(NS_PER_MS);
	int fd = mkstemp(there);
	assert_true(fd >= 0);
	close(fd);
	port.port = there;
	virtual_loop_touch(bench.loop, "/tmp");
	assert_in_range(wait_for_start(), 0, 2 * NS_PER_MS);
	for (int i = 0; i < 10; i++) {
		peer_exit(worker(), bench.loop, false, WIRE_EXIT_NOT_OPENED);
		run(NS_PER_MS);
		next_worker();
	}
	/* The worker came too early, such as before the links of udev: the next one comes soon. */
	supervise_look(bench.supervisor);
	peer_exit(worker(), bench.loop, false, WIRE_EXIT_NOT_OPENED);
	assert_in_range(wait_for_start(), 0, 252 * NS_PER_MS);
	unsigned starts = supervise_starts(bench.supervisor);
	virtual_loop_touch(bench.loop, "/tmp"); /* there is a worker: nothing happens */
	live(3 * NS_PER_S, (struct wire_beat){0});
	assert_int_equal(supervise_starts(bench.supervisor), starts);
	assert_int_equal(worker()->signal, 0);
	unlink(there);
	port.port = away;
}

/* A port of the network has nothing that is plugged in. */
static void a_network_port_waits_on(void **state)
{
	static const struct port tcp = {.kind = ASSAY_LINK_TCP, .host = "192.0.2.1"};
	struct port serial = port;
	port = tcp;
	for (int i = 0; i < 10; i++) {
		next_worker();
		peer_exit(worker(), bench.loop, false, WIRE_EXIT_NOT_OPENED);
		run(NS_PER_MS);
	}
	supervise_look(bench.supervisor);
	assert_in_range(wait_for_start(), 5 * NS_PER_S, 31 * NS_PER_S);
	port = serial;
}

/* --- hangs ----------------------------------------------------------------------------------- */

static void a_worker_without_beats_is_killed(void **state)
{
	run(NS_PER_MS);
	live(60 * NS_PER_S, (struct wire_beat){0});
	run(19 * NS_PER_S); /* idle: they come every eight seconds */
	assert_int_equal(worker()->signal, 0);
	live(NS_PER_S, (struct wire_beat){.deadline = UINT64_MAX / 2});
	run(3 * NS_PER_S);
	assert_int_equal(worker()->signal, 0);
	run(3 * NS_PER_S);
	assert_int_equal(worker()->signal, SIGKILL);
	peer_exit(worker(), bench.loop, true, SIGKILL);
	run(NS_PER_MS);
	assert_string_equal(bench.units[0].why, "the worker hung and was killed");
}

static void a_driver_past_its_own_deadline_is_killed(void **state)
{
	run(NS_PER_MS);
	uint64_t deadline = clock_boot() + 30 * NS_PER_S;
	live(30 * NS_PER_S, (struct wire_beat){.progress = 1, .deadline = deadline});
	assert_int_equal(worker()->signal, 0);
	live(NS_PER_S, (struct wire_beat){.progress = 2, .deadline = deadline + 5 * NS_PER_S});
	live(5 * NS_PER_S, (struct wire_beat){.progress = 2, .deadline = deadline + 5 * NS_PER_S});
	assert_int_equal(worker()->signal, 0);
	live(4 * NS_PER_S, (struct wire_beat){.progress = 2, .deadline = deadline + 5 * NS_PER_S});
	assert_int_equal(worker()->signal, SIGKILL);
}

/* Neither ran, so neither beats nor progress could come; the driver's deadline passed meanwhile. */
static void a_machine_that_slept_is_no_hung_worker(void **state)
{
	run(NS_PER_MS);
	for (int i = 0; i < 3; i++) {
		struct wire_beat beat = {
			.progress = (uint64_t)i, .deadline = clock_boot() + 20 * NS_PER_S};
		live(10 * NS_PER_S, beat);
		virtual_clock_sleep(3600 * NS_PER_S);
		live(9 * NS_PER_S, beat); /* the same step, with the deadline of before */
		assert_int_equal(worker()->signal, 0);
		virtual_clock_sleep(25 * NS_PER_S);
		run(3 * NS_PER_S);
		assert_int_equal(worker()->signal, 0);
	}
	live(30 * NS_PER_S, (struct wire_beat){.progress = 9, .deadline = clock_boot() + NS_PER_S});
	assert_int_equal(worker()->signal, SIGKILL); /* awake, and stuck */
}

/* --- stop ------------------------------------------------------------------------------------ */

static void a_worker_that_quits_leaves_no_reason(void **state)
{
	run(NS_PER_MS);
	supervise_stop(bench.supervisor, on_gone, NULL);
	assert_true(supervise_is_stopping(bench.supervisor));
	peer_expect(worker(), WIRE_SETUP);
	peer_expect(worker(), WIRE_CREDIT);
	peer_expect(worker(), WIRE_QUIT);
	assert_int_equal(bench.gone, 0);
	peer_exit(worker(), bench.loop, false, WIRE_EXIT_CLEAN);
	run(NS_PER_MS);
	assert_int_equal(bench.gone, 1);
	assert_true(bench.units[0].is_quit && bench.units[1].is_quit);
}

static void a_worker_that_does_not_quit_is_killed(void **state)
{
	run(NS_PER_MS);
	supervise_stop(bench.supervisor, on_gone, NULL);
	live(10 * NS_PER_S, (struct wire_beat){0});
	assert_int_equal(worker()->signal, 0);
	live(2 * NS_PER_S, (struct wire_beat){0});
	assert_int_equal(worker()->signal, SIGKILL);
	peer_exit(worker(), bench.loop, true, SIGKILL);
	run(NS_PER_MS);
	assert_int_equal(bench.gone, 1);
	assert_false(bench.units[0].is_quit);
	assert_string_equal(bench.units[0].why, "the worker hung and was killed");
}

static void a_port_without_a_worker_stops_at_once(void **state)
{
	run(NS_PER_MS);
	peer_exit(worker(), bench.loop, false, WIRE_EXIT_LOST);
	run(NS_PER_MS);
	supervise_stop(bench.supervisor, on_gone, NULL);
	assert_int_equal(bench.gone, 1);
	assert_int_equal(bench.units[1].lost, 2);
	assert_true(bench.units[1].is_quit);
}

/* --- recordings ------------------------------------------------------------------------------ */

static char recording_end[100];

static void on_recording_ended(void *arg, const char *why)
{
	snprintf(recording_end, sizeof recording_end, "%s", why != NULL ? why : "");
}

static void on_piece(void *arg, const struct recording_piece *piece)
{
	*(size_t *)arg += piece != NULL ? piece->len : 0;
}

static void send_captured(size_t len)
{
	uint8_t data[64] = {0};
	struct buffer records = {0}, message = {0};
	struct capture_record record = {.kind = CAPTURE_IN, .mono = 1, .data = data, .len = len};
	if (len > 0)
		capture_write(&records, &record);
	wire_write_captured(&message, records.data, records.len);
	buffer_finish(&records);
	peer_send(worker(), &message);
	run(NS_PER_MS);
}

static struct wire_capture expect_capture(void)
{
	struct wire_capture capture;
	struct wire_message m;
	do {
		assert_true(peer_next(worker(), &m));
	} while (m.type != WIRE_CAPTURE);
	assert_int_equal(wire_read_capture(&m, &capture), 0);
	return capture;
}

static void a_recording_follows_the_port_over_its_workers(void **state)
{
	static const struct capture_head head = {.site = "s", .node = "n", .unit_count = 1};
	struct recorder *recorder = recorder_create(bench.loop);
	struct recording_port recorded = supervise_recording_port(bench.supervisor);
	size_t bytes = 0;
	run(NS_PER_MS);
	recording_end[0] = '\0';
	struct recording *recording = recorder_start(
		recorder, &head, &recorded, on_recording_ended, NULL);
	assert_true(supervise_is_recording(bench.supervisor));
	assert_true(expect_capture().on);
	send_captured(64);
	assert_int_equal(recording_read(recording, 0, on_piece, &bytes), 0);
	assert_true(bytes > 64);
	peer_exit(worker(), bench.loop, false, WIRE_EXIT_LOST);
	wait_for_start();
	assert_true(expect_capture().on); /* with SETUP */
	assert_true(supervise_is_recording(bench.supervisor));
	recording_stop(recording);
	assert_false(expect_capture().on);
	send_captured(64); /* the rest, and the last */
	send_captured(0);
	assert_string_equal(recording_end, "stopped");
	assert_false(supervise_is_recording(bench.supervisor));
	send_captured(64); /* late: dropped */
	assert_int_equal(worker()->signal, 0);

	recording = recorder_start(recorder, &head, &recorded, on_recording_ended, NULL);
	supervise_stop(bench.supervisor, on_gone, NULL);
	peer_exit(worker(), bench.loop, false, WIRE_EXIT_CLEAN);
	run(NS_PER_MS);
	assert_non_null(strstr(recording_end, "configuration"));
	recorder_destroy(recorder);
}

/* --- the process ------------------------------------------------------------------------------ */

/* It has the socket as 3, the standard error that it was given, and no other descriptor. */
static void a_process_inherits_its_socket_and_nothing_else(void **state)
{
	char path[] = "/tmp/test-process-XXXXXX", text[200] = "";
	int pair[2], error[2], status, file = mkstemp(path);
	pid_t pid;
	const char *script =
		"#!/bin/sh\necho \"$0 $1 $2\" >&3\necho wrong >&2\nfor n in 4 5 6 7 8 9; do\n"
		"[ -e /proc/self/fd/$n ] && echo $n >&3\ndone\nexit 5\n";
	assert_int_equal(write(file, script, strlen(script)), strlen(script));
	assert_int_equal(fchmod(file, 0700), 0);
	close(file);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_int_equal(pipe(error), 0);
	assert_int_equal(process_start(path, pair[1], error[1], &pid), 0);
	close(pair[1]);
	close(error[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 5);
	char expected[100];
	snprintf(expected, sizeof expected, "%s --fd 3\n", path);
	assert_true(read(pair[0], text, sizeof text - 1) > 0);
	assert_string_equal(text, expected);
	assert_int_equal(read(pair[0], text, sizeof text - 1), 0);
	assert_int_equal(read(error[0], text, sizeof text), 6);
	assert_memory_equal(text, "wrong\n", 6);
	close(error[0]);
	close(pair[0]);
	unlink(path);
	assert_int_equal(process_start("/nonexistent", 0, 2, &pid), -ENOENT);
	assert_int_equal(pid, 0);
}

int main(void)
{
#define WITH_BENCH(test) cmocka_unit_test_setup_teardown(test, open_bench, close_bench)
	const struct CMUnitTest tests[] = {
		WITH_BENCH(a_worker_gets_the_port_its_units_and_credit),
		WITH_BENCH(a_worker_that_cannot_be_started_is_tried_again),
		WITH_BENCH(messages_reach_their_units_in_order_however_they_are_cut),
		WITH_BENCH(a_worker_that_breaks_the_protocol_is_killed),
		WITH_BENCH(a_state_of_the_port_reaches_every_unit),
		WITH_BENCH(messages_to_a_slow_worker_wait),
		WITH_BENCH(credit_returns_in_steps),
		WITH_BENCH(a_worker_without_credit_is_ended),
		WITH_BENCH(a_worker_that_reports_without_end_has_to_wait),
		WITH_BENCH(frames_of_a_former_worker_give_no_credit),
		WITH_BENCH(a_stopped_port_waits_for_its_frames),
		WITH_BENCH(every_end_has_its_reason),
		WITH_BENCH(a_recording_that_is_over_is_not_played_again),
		WITH_BENCH(delays_grow_until_a_unit_has_worked_for_a_while),
		WITH_BENCH(a_new_device_is_tried_at_once),
		WITH_BENCH(a_network_port_waits_on),
		WITH_BENCH(a_worker_without_beats_is_killed),
		WITH_BENCH(a_driver_past_its_own_deadline_is_killed),
		WITH_BENCH(a_machine_that_slept_is_no_hung_worker),
		WITH_BENCH(a_worker_that_quits_leaves_no_reason),
		WITH_BENCH(a_worker_that_does_not_quit_is_killed),
		WITH_BENCH(a_port_without_a_worker_stops_at_once),
		WITH_BENCH(a_recording_follows_the_port_over_its_workers),
		cmocka_unit_test(a_process_inherits_its_socket_and_nothing_else),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
