/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modbus over TCP and over a pseudo-terminal, against libmodbus' server in a process of its own and
 * against servers that break the rules.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <modbus.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <assay/driver.h>

#include "../apart.h"
#include "base/clock.h"
#include "crc16.h"
#include "pump.h"

#define UNIT     7
#define REPLY_MS 300

static struct port port;
static struct pump pump;
static pid_t server;
static int instrument = -1, listener = -1;
static int has_echo; /* of the line */

/* --- the server's process --------------------------------------------------------------------- */

static modbus_mapping_t *make_image(void)
{
	modbus_mapping_t *image = modbus_mapping_new(2000, 2000, 500, 500);
	for (int i = 0; image != NULL && i < 500; i++) {
		image->tab_registers[i] = (uint16_t)(i * 3);
		image->tab_input_registers[i] = (uint16_t)(i * 5);
	}
	for (int i = 0; image != NULL && i < 2000; i++) {
		image->tab_bits[i] = i % 3 == 0;
		image->tab_input_bits[i] = i % 5 == 0;
	}
	return image;
}

/* Answers as libmodbus does, on a connected descriptor, until it ends. */
static void serve(int fd)
{
	bool serial = port.kind == ASSAY_LINK_MODBUS_RTU;
	modbus_t *context = serial ? modbus_new_rtu("/dev/null", 9600, 'N', 8, 1)
				   : modbus_new_tcp(NULL, 502);
	modbus_mapping_t *image = make_image();
	uint8_t query[MODBUS_MAX_ADU_LENGTH];
	modbus_set_slave(context, UNIT);
	modbus_set_socket(context, fd);
	for (;;) {
		int n = modbus_receive(context, query);
		if (n > 0)
			modbus_reply(context, query, n, image);
		else if (n < 0)
			return;
	}
}

static void read_line_request(int fd, uint8_t request[8])
{
	for (size_t have = 0; have < 8;) {
		ssize_t n = read(fd, request + have, 8 - have);
		if (n <= 0)
			_exit(0);
		have += (size_t)n;
	}
}

static void reply_on_line(int fd, uint16_t value)
{
	uint8_t reply[7] = {UNIT, 3, 2, (uint8_t)(value >> 8), (uint8_t)value};
	uint16_t crc = crc_of(reply, 5);
	reply[5] = (uint8_t)crc;
	reply[6] = (uint8_t)(crc >> 8);
	if (write(fd, reply, sizeof reply) < 0)
		_exit(0);
}

/*
 * One unit of a line with several.  libmodbus' own server is none: after a request to another unit
 * it takes the next one for that unit's reply.
 */
static void serve_one_of_many(int fd)
{
	uint8_t request[8];
	for (;;) {
		read_line_request(fd, request);
		if (request[0] == UNIT)
			reply_on_line(fd, (uint16_t)((request[2] << 8 | request[3]) * 3));
	}
}

/* The third one is late.  The value is the address. */
static void answer_late_on_line(int fd)
{
	uint8_t request[8];
	for (uint16_t n = 1;; n++) {
		read_line_request(fd, request);
		if (n == 3)
			poll(NULL, 0, REPLY_MS + REPLY_MS / 3);
		reply_on_line(fd, request[3]);
	}
}

/* The servers that break the rules: one function per kind; fd is theirs. */
static void read_request(int fd, uint8_t request[260])
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	poll(&p, 1, -1);
	if (read(fd, request, 260) <= 0)
		_exit(0);
}

static void send_slowly(int fd, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		poll(NULL, 0, 100);
		if (write(fd, data + i, 1) < 0)
			_exit(0);
	}
}

/* A reply of one register to an MBAP request, with the head as it should be. */
static size_t make_reply(const uint8_t *request, uint8_t reply[32], uint16_t value)
{
	memcpy(reply, request, 8);
	reply[4] = 0;
	reply[5] = 5;
	reply[8] = 2;
	reply[9] = (uint8_t)(value >> 8);
	reply[10] = (uint8_t)value;
	return 11;
}

static void drip(int fd)
{
	uint8_t request[260], reply[32];
	for (;;) {
		read_request(fd, request);
		send_slowly(fd, reply, make_reply(request, reply, 1));
	}
}

static void say_nothing(int fd)
{
	uint8_t request[260];
	for (;;)
		read_request(fd, request);
}

static void answer_with_too_much(int fd)
{
	uint8_t request[260], reply[260];
	for (;;) {
		read_request(fd, request);
		memset(reply, 0x55, sizeof reply);
		memcpy(reply, request, 8);
		reply[4] = 0;
		reply[5] = 253;
		reply[8] = 250; /* 125 registers where one was requested */
		if (write(fd, reply, 259) < 0)
			_exit(0);
	}
}

static void answer_with_another_function(int fd)
{
	uint8_t request[260], reply[32];
	for (;;) {
		read_request(fd, request);
		size_t len = make_reply(request, reply, 1);
		reply[7] = 4;
		if (write(fd, reply, len) < 0)
			_exit(0);
	}
}

static void answer_with_garbage(int fd)
{
	uint8_t request[260];
	for (;;) {
		read_request(fd, request);
		if (write(fd, "HTTP/1.1 400 Bad Request\r\n\r\n", 28) < 0)
			_exit(0);
	}
}

/* The first reply comes after its time; the value shows to which request it belongs. */
static void answer_late_once(int fd)
{
	uint8_t request[260], reply[32];
	for (uint16_t n = 1;; n++) {
		read_request(fd, request);
		if (n == 1)
			poll(NULL, 0, REPLY_MS + 100);
		if (write(fd, reply, make_reply(request, reply, n)) < 0)
			_exit(0);
	}
}

/* The value is the address. */
static void answer_requests(int fd)
{
	uint8_t request[260], reply[32];
	for (;;) {
		read_request(fd, request);
		if (write(fd, reply, make_reply(request, reply, request[9])) < 0)
			_exit(0);
	}
}

static void answer_once(int fd)
{
	uint8_t request[260], reply[32];
	read_request(fd, request);
	_exit(write(fd, reply, make_reply(request, reply, request[9])) < 0);
}

static void close_after_a_request(int fd)
{
	uint8_t request[260];
	read_request(fd, request);
	_exit(0);
}

/* --- requests of any function: bytes as they are on the wire --- */

/* What the server expects and sends, of a line or of TCP; ends with {NULL}. */
static const char *const (*dialogue)[2];

static size_t bytes_of(const char *hex, uint8_t *out, size_t size)
{
	size_t n = 0;
	unsigned byte;
	int used;
	for (; n < size && sscanf(hex, "%2x %n", &byte, &used) == 1; hex += used)
		out[n++] = (uint8_t)byte;
	return n;
}

static size_t with_crc(uint8_t *frame, size_t len)
{
	uint16_t crc = crc_of(frame, len);
	frame[len] = (uint8_t)crc;
	frame[len + 1] = (uint8_t)(crc >> 8);
	return len + 2;
}

/* Each text is a frame of a line without its CRC; TCP has a head of its own. */
static size_t frame_of(const char *hex, uint16_t transaction, uint8_t frame[300])
{
	if (port.kind == ASSAY_LINK_MODBUS_RTU)
		return with_crc(frame, bytes_of(hex, frame, 290));
	size_t len = bytes_of(hex, frame + 6, 290);
	memset(frame, 0, 6);
	frame[1] = (uint8_t)transaction;
	frame[5] = (uint8_t)len;
	return 6 + len;
}

static void play_dialogue(int fd)
{
	uint8_t expected[300], got[300], reply[300];
	/* The first reply of a line is not believed: the request comes twice. */
	bool is_first = port.kind == ASSAY_LINK_MODBUS_RTU;
	for (uint16_t i = 0; dialogue[i][0] != NULL; i++) {
		size_t len = frame_of(dialogue[i][0], (uint16_t)(i + 1), expected);
		for (size_t have = 0; have < len;) {
			ssize_t n = read(fd, got + have, len - have);
			if (n <= 0)
				_exit(0);
			have += (size_t)n;
		}
		if (memcmp(got, expected, len) != 0)
			_exit(1);
		len = frame_of(dialogue[i][1], (uint16_t)(i + 1), reply);
		if (port.echo != 0 &&
			write(fd, expected, frame_of(dialogue[i][0], 0, expected)) < 0)
			_exit(0);
		if (write(fd, reply, 3) < 0 || write(fd, reply + 3, len - 3) < 0)
			_exit(0);
		i -= is_first;
		is_first = false;
	}
	say_nothing(fd);
}

/* --- setting up ------------------------------------------------------------------------------- */

static void fork_server(void (*act)(int fd))
{
	server = fork();
	assert_true(server >= 0);
	if (server != 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int fd = listener >= 0 ? accept(listener, NULL, NULL) : instrument;
	act(fd);
	_exit(0);
}

static void start_tcp(void (*act)(int fd))
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof at;
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&at, size), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &size), 0);
	port = (struct port){.kind = ASSAY_LINK_MODBUS_TCP,
		.host = "127.0.0.1",
		.number = ntohs(at.sin_port),
		.open_ms = 1000,
		.reply_ms = REPLY_MS};
	fork_server(act);
	assert_int_equal(pump_start(&pump, &port), 0);
}

static void start_rtu(void (*act)(int fd))
{
	static char path[64];
	instrument = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_int_equal(grantpt(instrument), 0);
	assert_int_equal(unlockpt(instrument), 0);
	assert_int_equal(ptsname_r(instrument, path, sizeof path), 0);
	port = (struct port){.kind = ASSAY_LINK_MODBUS_RTU,
		.port = path,
		.baud = 19200,
		.parity = PORT_PARITY_EVEN,
		.echo = has_echo,
		.reply_ms = REPLY_MS};
	assert_int_equal(pump_start(&pump, &port), 0); /* raw, before the server speaks */
	fork_server(act);
}

static int after(void **state)
{
	pump_stop(&pump);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	if (instrument >= 0)
		close(instrument);
	if (listener >= 0)
		close(listener);
	instrument = listener = -1;
	return 0;
}

/* As the session does: not before the unit may get a request. */
static int ask_unit(unsigned unit, int table, unsigned address, unsigned count, uint16_t *out)
{
	int r;
	while ((r = modbus_exchange(pump.modbus, unit, table, address, count, out)) == -EAGAIN)
		assert_int_equal(
			channel_settle(&pump.channel, modbus_not_before(pump.modbus, unit)), 0);
	return r;
}

static int ask(int table, unsigned address, unsigned count, uint16_t *out)
{
	return ask_unit(UNIT, table, address, count, out);
}

static uint64_t ms_since(uint64_t start)
{
	return (clock_boot() - start) / NS_PER_MS;
}

/* The dialogue's exchange of that function; hexadecimal as in it, from the function code on. */
static ssize_t ask_raw(unsigned function, const char *request, uint8_t reply[256], size_t expected)
{
	uint8_t data[256];
	struct modbus_raw raw = {.function = function,
		.data = data,
		.len = bytes_of(request, data, sizeof data),
		.reply = reply,
		.size = 252,
		.expected = expected};
	ssize_t r;
	while ((r = modbus_exchange_raw(pump.modbus, 1, &raw)) == -EAGAIN)
		assert_int_equal(
			channel_settle(&pump.channel, modbus_not_before(pump.modbus, 1)), 0);
	return r;
}

/* --- exchanges that succeed ------------------------------------------------------------------- */

static void check_tables(void)
{
	uint16_t out[2000];
	assert_int_equal(ask(ASSAY_HOLDING, 10, 125, out), 0);
	for (unsigned i = 0; i < 125; i++)
		assert_int_equal(out[i], (10 + i) * 3);
	assert_int_equal(ask(ASSAY_INPUT, 0, 1, out), 0);
	assert_int_equal(out[0], 0);
	assert_int_equal(ask(ASSAY_INPUT, 499, 1, out), 0);
	assert_int_equal(out[0], 499 * 5);
	assert_int_equal(ask(ASSAY_COILS, 0, 2000, out), 0);
	for (unsigned i = 0; i < 2000; i++)
		assert_int_equal(out[i], i % 3 == 0);
	assert_int_equal(ask(ASSAY_DISCRETE, 1, 13, out), 0);
	for (unsigned i = 0; i < 13; i++)
		assert_int_equal(out[i], (1 + i) % 5 == 0);
}

static void all_tables_are_read_over_tcp(void **state)
{
	start_tcp(serve);
	check_tables();
}

static void all_tables_are_read_over_a_serial_line(void **state)
{
	start_rtu(serve);
	check_tables();
}

static void exceptions_come_back_by_their_number(void **state)
{
	uint16_t out[10];
	start_tcp(serve);
	assert_int_equal(ask(ASSAY_HOLDING, 499, 2, out), ASSAY_MODBUS_EXCEPTION - 2);
	assert_int_equal(ask(ASSAY_HOLDING, 0, 2, out), 0); /* and harm nothing */
	assert_int_equal(out[1], 3);
}

static void requests_beyond_the_protocol_are_not_sent(void **state)
{
	uint16_t out[2100];
	start_tcp(serve);
	assert_int_equal(ask(ASSAY_HOLDING, 0, 126, out), -EINVAL);
	assert_int_equal(ask(ASSAY_HOLDING, 0, 0, out), -EINVAL);
	assert_int_equal(ask(ASSAY_COILS, 0, 2001, out), -EINVAL);
	assert_int_equal(ask(ASSAY_HOLDING, 65535, 2, out), -EINVAL);
	assert_int_equal(ask(9, 0, 1, out), -EINVAL);
}

static void a_unit_that_is_not_there_does_not_disturb_its_neighbour(void **state)
{
	uint16_t out[4];
	start_rtu(serve_one_of_many);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ask_unit(UNIT + 1, ASSAY_HOLDING, 0, 1, out), -ETIMEDOUT);
		assert_int_equal(ask(ASSAY_HOLDING, 7, 1, out), 0);
		assert_int_equal(out[0], 21);
	}
}

static void many_exchanges_stay_in_step(void **state)
{
	uint16_t out[2];
	start_tcp(serve);
	for (unsigned i = 0; i < 200; i++) {
		assert_int_equal(ask(ASSAY_HOLDING, i, 2, out), 0);
		assert_int_equal(out[0], i * 3);
	}
}

/* --- exchanges that fail ---------------------------------------------------------------------- */

static void a_reply_that_drips_meets_the_limit_of_the_whole(void **state)
{
	uint16_t out[1];
	start_tcp(drip);
	uint64_t start = clock_boot();
	assert_int_equal(ask(ASSAY_HOLDING, 0, 1, out), -ETIMEDOUT);
	assert_true(ms_since(start) >= REPLY_MS - 20 && ms_since(start) < 2 * REPLY_MS);
}

static void an_abort_ends_an_exchange_within_a_second(void **state)
{
	uint16_t out[1];
	start_tcp(say_nothing);
	pump_cancel_in(&pump, 50);
	uint64_t start = clock_boot();
	assert_int_equal(ask(ASSAY_HOLDING, 0, 1, out), -ECANCELED);
	assert_true(ms_since(start) < REPLY_MS);
	assert_int_equal(ask(ASSAY_HOLDING, 0, 1, out), -ECANCELED);
	pump_resume(&pump);
	assert_int_equal(ask(ASSAY_HOLDING, 0, 1, out), -ETIMEDOUT); /* works as before */
}

static void expect_bad(void (*act)(int fd))
{
	uint16_t out[4] = {9, 9, 9, 9};
	start_tcp(act);
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask(ASSAY_HOLDING, 0, 1, out), -EBADMSG);
	assert_int_equal(out[0], 9);
	assert_int_equal(out[1], 9);
}

static void more_registers_than_asked_for_are_refused(void **state)
{
	expect_bad(answer_with_too_much);
}

static void a_reply_to_another_function_is_refused(void **state)
{
	expect_bad(answer_with_another_function);
}

static void what_is_no_modbus_is_refused(void **state)
{
	uint16_t out[1];
	start_tcp(answer_with_garbage);
	for (int i = 0; i < 3; i++) {
		int r = ask(ASSAY_HOLDING, 0, 1, out);
		assert_true(r == -EBADMSG || r == -ETIMEDOUT);
	}
}

static void a_late_reply_is_not_taken_for_the_next_one(void **state)
{
	uint16_t out[1];
	start_tcp(answer_late_once);
	assert_int_equal(ask(ASSAY_HOLDING, 0, 1, out), -ETIMEDOUT);
	int r = ask(ASSAY_HOLDING, 0, 1, out); /* meets the late one at worst */
	assert_true(r == 0 || r == -EBADMSG || r == -ETIMEDOUT);
	if (r == 0)
		assert_int_equal(out[0], 2);
	r = ask(ASSAY_HOLDING, 0, 1, out);
	assert_int_equal(r, 0);
	assert_int_equal(out[0], 3);
}

static void a_late_reply_on_a_line_is_waited_for_and_dropped(void **state)
{
	uint16_t out[1];
	start_rtu(answer_late_on_line);
	assert_int_equal(ask(ASSAY_HOLDING, 4, 1, out), 0); /* two requests */
	assert_int_equal(ask(ASSAY_HOLDING, 5, 1, out), -ETIMEDOUT);
	assert_int_equal(ask(ASSAY_HOLDING, 6, 1, out), 0);
	assert_int_equal(out[0], 6);
}

static void an_exchange_that_the_server_breaks_off_fails_alone(void **state)
{
	uint16_t out[1];
	start_tcp(close_after_a_request);
	uint64_t start = clock_boot();
	assert_int_equal(ask(ASSAY_HOLDING, 0, 1, out), -ETIMEDOUT);
	assert_true(ms_since(start) < REPLY_MS);
	assert_non_null(strstr(modbus_why(pump.modbus), "closed the connection"));
	fork_server(answer_requests);
	assert_int_equal(ask(ASSAY_HOLDING, 7, 1, out), 0);
	assert_int_equal(out[0], 7);
	assert_false(channel_is_lost(&pump.channel));
}

/* The reply of the former connection is there, but not to the next request. */
static void a_server_that_closes_after_its_reply_is_connected_to_again(void **state)
{
	uint16_t out[1];
	start_tcp(answer_once);
	for (uint16_t i = 0; i < 20; i++) {
		assert_int_equal(ask(ASSAY_HOLDING, i, 1, out), 0);
		assert_int_equal(out[0], i);
		waitpid(server, NULL, 0); /* it has closed */
		fork_server(answer_once);
	}
	assert_int_equal(pump.channel.breaks, 0);
	assert_int_equal(pump.channel.connections, 19);
}

static void a_server_that_does_not_come_back_is_named(void **state)
{
	uint16_t out[1];
	start_tcp(answer_once);
	assert_int_equal(ask(ASSAY_HOLDING, 0, 1, out), 0);
	close(listener);
	listener = -1;
	waitpid(server, NULL, 0);
	assert_int_equal(ask(ASSAY_HOLDING, 0, 1, out), -ETIMEDOUT);
	assert_non_null(strstr(modbus_why(pump.modbus), "cannot connect again to 127.0.0.1 port"));
}

#define T(test) cmocka_unit_test_teardown(test, after)

/* --- requests of any function ----------------------------------------------------------------- */

/* Frames of Daniel's 2251 map: one address is four bytes. */
static const char *const daniel[][2] = {
	{"01 03 0B DA 00 01", "01 03 02 00 01"},
	{"01 03 1B 59 00 04", "01 03 10 3C FD F3 B6 3F A0 00 00 42 BC 66 66 3F 59 99 9A"},
	{"01 03 1B 59 00 10", "01 83 02"},
	{"01 03 1B 59 00 04", "01 03 08 3C FD F3 B6 3F A0 00 00"},
	{NULL, NULL},
};

static void check_daniel(void)
{
	static const uint8_t floats[] = {0x10, 0x3c, 0xfd, 0xf3, 0xb6, 0x3f, 0xa0, 0, 0, 0x42, 0xbc,
		0x66, 0x66, 0x3f, 0x59, 0x99, 0x9a};
	uint8_t reply[256];
	uint16_t stream = 0;
	assert_int_equal(ask_unit(1, ASSAY_HOLDING, 3034, 1, &stream), 0);
	assert_int_equal(stream, 1);
	assert_int_equal(ask_raw(3, "1B 59 00 04", reply, 17), 17);
	assert_memory_equal(reply, floats, sizeof floats);
	assert_int_equal(ask_raw(3, "1B 59 00 10", reply, 65), ASSAY_MODBUS_EXCEPTION - 2);
	/* A device that counts 16 bits per address. */
	ssize_t r = ask_raw(3, "1B 59 00 04", reply, 17);
	assert_true(r == -EBADMSG || r == -ETIMEDOUT);
}

static void replies_have_four_bytes_per_address_if_so_requested(void **state)
{
	dialogue = daniel;
	start_tcp(play_dialogue);
	check_daniel();
	after(NULL);
	start_rtu(play_dialogue);
	check_daniel();
}

/* "Modbus application protocol" 6.21: three texts of unknown length. */
static const char *const identity[][2] = {
	{"01 2B 0E 01 00", "01 2B 0E 01 01 00 00 03 00 04 41 63 6D 65 01 01 58 02 03 31 2E 30"},
	{"01 2B 0E 01 00", "01 AB 01"},
	{"01 11", "01 11 03 58 FF 01"},
	{NULL, NULL},
};

static void check_identity(void)
{
	static const uint8_t texts[] = {
		0x0e, 1, 1, 0, 0, 3, 0, 4, 'A', 'c', 'm', 'e', 1, 1, 'X', 2, 3, '1', '.', '0'};
	uint8_t reply[256];
	assert_int_equal(ask_raw(0x2b, "0E 01 00", reply, 0), sizeof texts);
	assert_memory_equal(reply, texts, sizeof texts);
	assert_int_equal(ask_raw(0x2b, "0E 01 00", reply, 0), ASSAY_MODBUS_EXCEPTION - 1);
	assert_int_equal(ask_raw(0x11, "", reply, 0), 4);
	assert_int_equal(reply[1], 'X');
}

static void a_reply_of_unknown_length_comes_whole(void **state)
{
	dialogue = identity;
	start_tcp(play_dialogue);
	check_identity();
	after(NULL);
	start_rtu(play_dialogue);
	check_identity();
}

/* A frame longer than any, with the head and the CRC of a reply. */
static void babble(int fd)
{
	uint8_t request[8], frame[400] = {1, 0x2b, 0x0e};
	size_t len = with_crc(frame, 330);
	for (;;) {
		if (read(fd, request, sizeof request) <= 0)
			_exit(0);
		if (write(fd, frame, len) < 0)
			_exit(0);
	}
}

static void a_reply_longer_than_any_is_none(void **state)
{
	uint8_t reply[256];
	start_rtu(babble);
	ssize_t r = ask_raw(0x2b, "0E 01 00", reply, 0);
	assert_true(r == -EBADMSG || r == -ETIMEDOUT);
	assert_null(strstr(modbus_why(pump.modbus), "more than")); /* it was never stored */
}

/* Functions 5 and 6: the reply is the request; with an adapter that returns each, it comes twice. */
static void a_reply_that_is_the_request_is_no_echo(void **state)
{
	static const char *const writes[][2] = {
		{"01 05 00 AC FF 00", "01 05 00 AC FF 00"},
		{"01 06 00 01 00 03", "01 06 00 01 00 03"},
		{"01 10 00 01 00 02 04 00 0A 01 02", "01 10 00 01 00 02"},
		{NULL, NULL},
	};
	dialogue = writes;
	for (int echo = 0; echo < 2; echo++) {
		uint8_t reply[256];
		has_echo = echo;
		start_rtu(play_dialogue);
		assert_int_equal(ask_raw(5, "00 AC FF 00", reply, 4), 4);
		assert_int_equal(reply[2], 0xff);
		assert_int_equal(ask_raw(6, "00 01 00 03", reply, 4), 4);
		assert_int_equal(ask_raw(16, "00 01 00 02 04 00 0A 01 02", reply, 4), 4);
		has_echo = 0;
		if (echo == 0)
			after(NULL);
	}
}

static void requests_that_are_none_are_not_sent(void **state)
{
	uint8_t data[300] = {0}, reply[252];
	const struct modbus_raw wrong[] = {{0, data, 1, reply, 252, 0},
		{0x83, data, 1, reply, 252, 0}, {3, data, 253, reply, 252, 0},
		{3, data, 4, reply, 4, 5}};
	start_tcp(say_nothing);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		assert_int_equal(modbus_exchange_raw(pump.modbus, 1, &wrong[i]), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(all_tables_are_read_over_tcp),
		T(all_tables_are_read_over_a_serial_line),
		T(exceptions_come_back_by_their_number),
		T(requests_beyond_the_protocol_are_not_sent),
		T(a_unit_that_is_not_there_does_not_disturb_its_neighbour),
		T(many_exchanges_stay_in_step),
		T(a_reply_that_drips_meets_the_limit_of_the_whole),
		T(an_abort_ends_an_exchange_within_a_second),
		T(more_registers_than_asked_for_are_refused),
		T(a_reply_to_another_function_is_refused),
		T(what_is_no_modbus_is_refused),
		T(replies_have_four_bytes_per_address_if_so_requested),
		T(a_reply_of_unknown_length_comes_whole),
		T(a_reply_longer_than_any_is_none),
		T(a_reply_that_is_the_request_is_no_echo),
		T(requests_that_are_none_are_not_sent),
		T(a_late_reply_is_not_taken_for_the_next_one),
		T(a_late_reply_on_a_line_is_waited_for_and_dropped),
		T(an_exchange_that_the_server_breaks_off_fails_alone),
		T(a_server_that_closes_after_its_reply_is_connected_to_again),
		T(a_server_that_does_not_come_back_is_named),
	};
	return RUN_APART(tests);
}
