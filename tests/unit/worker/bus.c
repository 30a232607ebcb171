/* SPDX-License-Identifier: Apache-2.0 */
#include "bus.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "core.h"
#include "crc16.h"
#include "record/encode.h"
#include "record/quality.h"
#include "record/read.h"
#include "worker/commands.h"
#include "worker/link/modbus.h"
#include "worker/session.h"

#define PLENTY     (UINT64_C(1) << 40)
#define EPOCH      (1000000 * NS_PER_S)
#define BLOCK_STEP 500 /* addresses between two blocks */
#define REGISTERS  2   /* of a block */
#define BITS       16
#define SERIAL_AT  "60000" /* the address of the serial number */
#define PIECES     4096
#define IDLE_MAX   1000000 /* waits without a step of time */

enum piece_kind {
	PIECE_DATA,
	PIECE_END,  /* of the connection */
	PIECE_MADE, /* another connection */
};

struct piece {
	uint64_t when;
	enum piece_kind kind;
	size_t len;
	uint8_t data[260];
};

static struct bus *bus; /* the present one */
static uint64_t now = EPOCH;
static struct piece pieces[PIECES]; /* in order of their time */
static size_t piece_count;

static struct monitor monitor;
static struct link link_;
static struct channel channel;
static struct core_link core;
static struct commands commands;
static struct services services;
static int core_end;
static struct buffer received;

uint64_t bus_now(void)
{
	return now;
}

static uint64_t virtual_clock(void *arg)
{
	return now;
}

/* --- the instruments -------------------------------------------------------------------------- */

static bool is_bits(enum assay_modbus_table table)
{
	return table == ASSAY_COILS || table == ASSAY_DISCRETE;
}

uint16_t bus_value(size_t unit, enum assay_modbus_table table, unsigned address)
{
	uint32_t x = (uint32_t)(unit * 7919 + (unsigned)table * 104729 + address + 1) * 2654435761u;
	return is_bits(table) ? x >> 31 : (uint16_t)(x >> 16);
}

static struct piece *put_piece(enum piece_kind kind, uint64_t when)
{
	assert_true(piece_count < PIECES);
	size_t at = piece_count++;
	for (; at > 0 && pieces[at - 1].when > when; at--)
		pieces[at] = pieces[at - 1];
	pieces[at] = (struct piece){.when = when, .kind = kind};
	return &pieces[at];
}

static void take_piece(size_t at)
{
	piece_count--;
	memmove(pieces + at, pieces + at + 1, (piece_count - at) * sizeof *pieces);
}

void bus_reply(struct bus *b, const uint8_t *data, size_t len, uint64_t when)
{
	struct piece *piece = put_piece(PIECE_DATA, when);
	assert_true(len <= sizeof piece->data);
	piece->len = len;
	memcpy(piece->data, data, len);
}

/* The server's reply, and the end of its connection. */
static void reply_and_close(struct bus *b, const uint8_t *data, size_t len, uint64_t when)
{
	bool is_cut = b->closes == BUS_CLOSES_IN_REPLY && ++b->replies % b->every == 0;
	bool is_last = b->closes == BUS_CLOSES_AFTER_REPLY || b->closes == BUS_CLOSES_AT_ONCE;
	b->cuts += is_cut;
	bus_reply(b, data, is_cut ? b->replies % len : len, when);
	if (is_cut || is_last)
		put_piece(PIECE_END, when);
	else if (b->closes == BUS_CLOSES_IDLE)
		put_piece(PIECE_END, when + b->idle);
}

/* A request: an idle server goes on. */
static void keep_open(void)
{
	for (size_t i = 0; i < piece_count && !bus->is_racing; i++)
		if (pieces[i].kind == PIECE_END && pieces[i].when > now)
			take_piece(i--);
}

static void handle(size_t index, const uint8_t *head, const uint8_t *pdu)
{
	struct bus_unit *unit = &bus->units[index];
	unsigned address = (unsigned)(pdu[1] << 8 | pdu[2]);
	unsigned count = (unsigned)(pdu[3] << 8 | pdu[4]);
	unsigned bytes = pdu[0] <= 2 ? (count + 7) / 8 : 2 * count;
	bool is_other = bus->exchanged_at > 0 && bus->connections >= bus->exchanged_at;
	size_t device = index + (is_other ? BUS_OTHER : 0);
	uint8_t reply[260] = {0}, *at = reply;
	uint8_t exception = bus->most > 0 && pdu[0] > 2 && count > bus->most ? 3 : 0;
	if (unit->busy_from > 0 && address >= unit->busy_from && now < unit->busy_until)
		exception = 6;
	if (++unit->requests == unit->stall_at)
		bus->free_at[unit->queue] = (bus->free_at[unit->queue] > now
							    ? bus->free_at[unit->queue]
							    : now) +
					    unit->stall;
	bool is_deaf = unit->replied_at != 0 && now < unit->replied_at + bus->deaf;
	if (is_deaf || (now >= unit->dead_from && now < unit->dead_until))
		return;
	if (exception != 0)
		bytes = 0;
	if (head != NULL) {
		memcpy(at, head, 6);
		at[4] = (uint8_t)((bytes + 3) >> 8);
		at[5] = (uint8_t)(bytes + 3);
		at += 6;
	}
	at[0] = (uint8_t)(index + 1);
	at[1] = pdu[0];
	at[2] = (uint8_t)bytes;
	if (exception != 0) {
		at[1] |= 0x80;
		at[2] = exception;
	}
	for (unsigned i = 0; i < count && exception == 0; i++) {
		uint16_t v = bus_value(device, pdu[0], address + i);
		if (pdu[0] <= 2) {
			at[3 + i / 8] |= (uint8_t)(v << i % 8);
			continue;
		}
		at[3 + 2 * i] = (uint8_t)(v >> 8);
		at[4 + 2 * i] = (uint8_t)v;
	}
	size_t len = (size_t)(at - reply) + 3 + bytes;
	if (head == NULL) {
		uint16_t crc = crc_of(reply, len);
		reply[len++] = (uint8_t)crc;
		reply[len++] = (uint8_t)(crc >> 8);
	}
	uint64_t *free_at = &bus->free_at[unit->queue];
	*free_at = (*free_at > now ? *free_at : now) + bus->latency + unit->slow;
	unit->replied_at = *free_at;
	if (bus->reply != NULL)
		bus->reply(bus, unit, reply, len, *free_at);
	else
		reply_and_close(bus, reply, len, *free_at);
}

/* "U QUANTITY\r": the reply is the value alone. */
static ssize_t handle_text(const uint8_t *data, size_t len)
{
	char request[32], reply[32];
	unsigned number, quantity;
	assert_true(len < sizeof request);
	memcpy(request, data, len);
	request[len] = '\0';
	assert_int_equal(sscanf(request, "%u %u\r", &number, &quantity), 2);
	assert_in_range(number, 1, bus->count);
	struct bus_unit *unit = &bus->units[number - 1];
	unit->requests++;
	if (now >= unit->dead_from && now < unit->dead_until)
		return (ssize_t)len;
	int n = snprintf(reply, sizeof reply, "%u.%u\r", number, quantity);
	uint64_t when = now + bus->latency;
	if (bus->reply != NULL)
		bus->reply(bus, unit, (const uint8_t *)reply, (size_t)n, when);
	else
		bus_reply(bus, (const uint8_t *)reply, (size_t)n, when);
	return (ssize_t)len;
}

static ssize_t bus_send(struct link *link, const uint8_t *data, size_t len)
{
	if (bus->is_text)
		return handle_text(data, len);
	bool is_tcp = bus->port.kind == ASSAY_LINK_MODBUS_TCP &&
		      bus->port.framing == PORT_FRAMING_TCP;
	const uint8_t *at = data + (is_tcp ? 6 : 0);
	assert_int_equal(len, is_tcp ? 12 : 8);
	keep_open();
	if (bus->echoes)
		bus_reply(bus, data, len, now);
	if (at[0] >= 1 && at[0] <= bus->count)
		handle(at[0] - 1, is_tcp ? data : NULL, at + 1);
	return (ssize_t)len;
}

static ssize_t bus_receive(struct link *link, uint8_t *to, size_t size)
{
	if (piece_count == 0 || pieces[0].when > now)
		return -EAGAIN;
	if (pieces[0].kind == PIECE_END) {
		piece_count = 0; /* the rest is lost */
		snprintf(link->why, sizeof link->why, "the other side closed the connection");
		return -ENOTCONN;
	}
	size_t len = pieces[0].len;
	memcpy(to, pieces[0].data, len);
	take_piece(0);
	return len > 0 ? (ssize_t)len : -EAGAIN;
}

/* It takes the time of a reply. */
static int bus_connect(struct link *link, int *wait)
{
	if (piece_count == 0)
		put_piece(PIECE_MADE, now + bus->latency);
	*wait = link->fd;
	if (pieces[0].when > now)
		return -EAGAIN;
	assert_int_equal(pieces[0].kind, PIECE_MADE);
	piece_count = 0;
	if (++bus->connections % (bus->every + 1) == 0 && bus->closes == BUS_CLOSES_AT_ONCE)
		put_piece(PIECE_END, now);
	return 0;
}

static void bus_hang_up(struct link *link)
{
	piece_count = 0;
}

static const struct link_ops bus_ops = {.receive = bus_receive,
	.send = bus_send,
	.connect = bus_connect,
	.hang_up = bus_hang_up,
	.receive_max = 300};

/* --- the core --------------------------------------------------------------------------------- */

static void command(struct buffer *bytes)
{
	struct wire_message m;
	assert_int_equal(wire_next(bytes->data, bytes->len, &m), 1);
	assert_int_equal(commands_take_message(&commands, &m), 0);
	buffer_finish(bytes);
}

/* A serial number that another device has is rejected, or accepted with its values from now on. */
static void take_identity(size_t index, const struct wire_message *m)
{
	struct bus_unit *unit = &bus->units[index];
	struct wire_identity identity;
	struct buffer bytes = {0};
	char other[16];
	assert_int_equal(wire_read_identity(m, &identity), 0);
	snprintf(other, sizeof other, "%u",
		bus_value(index + BUS_OTHER, ASSAY_HOLDING, (unsigned)atoi(SERIAL_AT)));
	bool is_other = bus->has_identity && assay_string_is(identity.serial, other);
	assert_int_equal(identity.declared, !bus->has_identity);
	if (is_other && bus->rejects) {
		wire_write_refuse(&bytes, m->unit, "another one is configured");
	} else {
		unit->known = index + (is_other ? BUS_OTHER : 0);
		unit->accepted++;
		wire_write_go(&bytes, m->unit, &(struct wire_go){.safe = false});
	}
	command(&bytes);
}

/* One raw block: right if it has the values of its place. */
static void check_block(size_t index, struct assay_string name, struct assay_span data)
{
	static const char *const tables[] = {[ASSAY_COILS] = "coil",
		[ASSAY_DISCRETE] = "discrete",
		[ASSAY_HOLDING] = "holding",
		[ASSAY_INPUT] = "input"};
	struct bus_unit *unit = &bus->units[index];
	char table[16], text[40];
	unsigned address, count;
	snprintf(text, sizeof text, "%.*s", (int)name.len, name.data);
	assert_int_equal(sscanf(text, "%15s %u+%u", table, &address, &count), 3);
	assert_string_equal(table, tables[unit->table]);
	for (unsigned i = 0; i < count; i++) {
		uint16_t v = is_bits(unit->table)
				     ? data.data[i / 8] >> i % 8 & 1
				     : (uint16_t)(data.data[2 * i] << 8 | data.data[2 * i + 1]);
		unit->wrong += v != bus_value(unit->known, unit->table, address + i);
	}
}

/* The block's name is the quantity. */
static void check_text(size_t index, struct assay_string name, struct assay_span data)
{
	char wanted[48];
	int n = snprintf(wanted, sizeof wanted, "%zu.%.*s\r", index + 1, (int)name.len, name.data);
	bus->units[index].wrong += data.len != (size_t)n ||
				   memcmp(data.data, wanted, data.len) != 0;
}

static void check_raw(struct reader *r, size_t index)
{
	size_t blocks, pairs;
	read_array(r, &blocks);
	while (blocks-- > 0) {
		struct assay_string key, media = {0}, name = {0};
		struct assay_span data = {0};
		read_map(r, &pairs);
		while (pairs-- > 0 && read_key(r, &key) == 0) {
			if (assay_string_is(key, "media"))
				read_text(r, &media);
			else if (assay_string_is(key, "name"))
				read_text(r, &name);
			else if (assay_string_is(key, "data"))
				read_bytes(r, &data);
			else
				read_skip(r);
		}
		if (bus->is_text)
			check_text(index, name, data);
		else if (assay_string_is(media, "application/x-modbus-registers"))
			check_block(index, name, data);
		else
			bus->units[index].missing++;
	}
}

static void take_frame(size_t index, const struct wire_message *m)
{
	struct bus_unit *unit = &bus->units[index];
	struct wire_frame frame;
	struct reader r;
	struct assay_string key;
	assert_int_equal(wire_read_frame(m, &frame), 0);
	unit->frames++;
	unit->dropped += (unsigned)frame.dropped;
	unit->retries += frame.retries;
	for (size_t i = 0; quality_reason_at(i, NULL) != NULL; i++)
		unit->resumed += (frame.reasons >> i & 1) != 0 &&
				 strcmp(quality_reason_at(i, NULL), "resumed") == 0;
	if (unit->first_frame == 0) {
		unit->first_frame = now;
		for (size_t i = 0; i < bus->count; i++)
			bus->units[i].frames_alone = bus->units[i].frames;
	}
	read_init_pairs(&r, frame.part.data, frame.part.len, frame.pairs);
	for (unsigned i = 0; i < frame.pairs && read_key(&r, &key) == 0; i++) {
		if (assay_string_is(key, "raw"))
			check_raw(&r, index);
		else
			read_skip(&r);
	}
	assert_int_equal(read_finish(&r), 0);
}

static void take_message(const struct wire_message *m)
{
	struct bus_unit *unit = &bus->units[m->unit < bus->count ? m->unit : 0];
	struct buffer bytes = {0};
	struct wire_ended ended;
	struct wire_state state;
	switch (m->type) {
	case WIRE_IDENTITY: take_identity(m->unit, m); break;
	case WIRE_READY:
		wire_write_start(&bytes, m->unit, &unit->start);
		command(&bytes);
		break;
	case WIRE_FRAME: take_frame(m->unit, m); break;
	case WIRE_ENDED:
		assert_int_equal(wire_read_ended(m, &ended), 0);
		unit->lost_runs += ended.end == WIRE_END_FAILED;
		break;
	case WIRE_STATE:
		assert_int_equal(wire_read_state(m, &state), 0);
		unit->faults++;
		snprintf(unit->fault, sizeof unit->fault, "%.*s", (int)state.text.len,
			state.text.data);
		break;
	default: break;
	}
}

static void serve_core(void)
{
	uint8_t *to = buffer_reserve(&received, 1 << 18);
	ssize_t n = recv(core_end, to, 1 << 18, MSG_DONTWAIT);
	received.len += n > 0 ? (size_t)n : 0;
	struct wire_message m;
	size_t at = 0;
	while (wire_next(received.data + at, received.len - at, &m) == 1) {
		take_message(&m);
		at += m.size;
	}
	buffer_consume(&received, at);
}

/* --- time ------------------------------------------------------------------------------------- */

/* In place of the C library's: fds[0] is the link's, or -1; fds[1] wakes the driver's thread. */
int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
	static unsigned idle;
	uint64_t limit = UINT64_MAX;
	assert_int_equal(count, 2);
	if (timeout != NULL)
		limit = now + (uint64_t)timeout->tv_sec * NS_PER_S + (uint64_t)timeout->tv_nsec;
	fds[0].revents = fds[1].revents = 0;
	static unsigned turns;
	for (;;) {
		if (fds[0].fd < 0 || ++turns % 16 == 0)
			serve_core();
		if (!monitor.is_sleeping) { /* it was poked */
			fds[1].revents = POLLIN;
			return 1;
		}
		bool has_input = fds[0].fd >= 0 && piece_count > 0;
		if (has_input && pieces[0].when <= now) {
			fds[0].revents = POLLIN;
			return 1;
		}
		uint64_t next = limit;
		if (has_input && pieces[0].when < next)
			next = pieces[0].when;
		if (now >= bus->end) {
			commands_quit(&commands);
		} else if (next > bus->end) {
			next = bus->end;
		}
		idle = next > now ? 0 : idle + 1;
		if (idle > IDLE_MAX || next == UINT64_MAX)
			fail_msg("nothing happens any more");
		now = next > now ? next : now;
		if (now == limit)
			return 0;
	}
}

/* --- a session -------------------------------------------------------------------------------- */

void bus_init(struct bus *b, unsigned kind, size_t count)
{
	*b = (struct bus){.count = count, .latency = 30 * NS_PER_MS};
	b->port = (struct port){.kind = kind, .reply_ms = 1000};
	for (size_t i = 0; i < count; i++)
		b->units[i] = (struct bus_unit){.table = ASSAY_HOLDING,
			.blocks = 2,
			.known = i,
			.start = {.mode = WIRE_CONTINUOUS, .every_ns = NS_PER_S}};
	piece_count = 0;
	now = EPOCH;
}

/* A setting that is given here as text, or its default, as the core would send it. */
struct given {
	const char *name, *value;
};

static const char *value_of(const struct assay_setting *setting, const struct given *given)
{
	for (; given->name != NULL; given++)
		if (strcmp(given->name, setting->name) == 0)
			return given->value;
	return setting->fallback;
}

static void put_value(struct buffer *to, const struct assay_setting *setting, const char *value)
{
	if (setting->type == ASSAY_INT)
		encode_int(to, strtoll(value, NULL, 10));
	else if (setting->type == ASSAY_BOOL)
		encode_bool(to, strcmp(value, "true") == 0);
	else if (setting->type == ASSAY_NUMBER)
		encode_quantity(
			to, strtod(value, NULL), setting->unit != NULL ? setting->unit : "1");
	else
		encode_text(to, value);
}

/* A row of these values, and the defaults of the others. */
static void put_row(
	struct buffer *to, const struct assay_setting *columns, const struct given *given)
{
	const struct assay_setting *column;
	size_t cells = 0;
	for (column = columns; column->name != NULL; column++)
		cells += value_of(column, given) != NULL;
	encode_array(to, 2 * cells);
	for (column = columns; column->name != NULL; column++) {
		const char *value = value_of(column, given);
		if (value == NULL)
			continue;
		encode_text(to, column->name);
		put_value(to, column, value);
	}
}

static void put_point(struct buffer *to, const struct assay_setting *columns,
	const struct bus_unit *unit, unsigned number)
{
	static const char *const tables[] = {[ASSAY_COILS] = "coil",
		[ASSAY_DISCRETE] = "discrete",
		[ASSAY_HOLDING] = "holding",
		[ASSAY_INPUT] = "input"};
	unsigned per_block = is_bits(unit->table) ? BITS : 1;
	char name[16], address[16];
	const struct given given[] = {{"name", name}, {"table", tables[unit->table]},
		{"address", address}, {"type", is_bits(unit->table) ? "bit" : "uint32"}, {0}};
	snprintf(name, sizeof name, "p%u", number);
	snprintf(address, sizeof address, "%u",
		number / per_block * (unit->blocks_step > 0 ? unit->blocks_step : BLOCK_STEP) +
			number % per_block);
	put_row(to, columns, given);
}

static void write_address(size_t index, struct buffer *to)
{
	struct map map;
	map_open(&map, to);
	map_uint(&map, "address", index + 1);
	map_close(&map);
}

static void write_settings(
	const struct assay_setting *table, const struct bus_unit *unit, struct buffer *to)
{
	static const struct given given[] = {{"max_gap", "0"}, {"max_gap_bits", "0"}, {0}};
	static const struct given serial[] = {{"field", "serial"}, {"table", "holding"},
		{"address", SERIAL_AT}, {"type", "uint16"}, {0}};
	unsigned points = unit->blocks * (is_bits(unit->table) ? BITS : 1);
	struct map map;
	map_open(&map, to);
	for (; table->name != NULL; table++) {
		const char *value = value_of(table, given);
		bool is_points = strcmp(table->name, "points") == 0;
		bool is_identity = bus->has_identity && strcmp(table->name, "identity") == 0;
		if (value == NULL && !is_points && !is_identity)
			continue;
		map_key(&map, table->name);
		if (is_identity) {
			encode_array(to, 1);
			put_row(to, table->columns, serial);
			continue;
		}
		if (!is_points) {
			put_value(to, table, value);
			continue;
		}
		encode_array(to, points);
		for (unsigned i = 0; i < points; i++)
			put_point(to, table->columns, unit, i);
	}
	map_close(&map);
}

void bus_run(struct bus *b)
{
	static const struct clock_source source = {virtual_clock, virtual_clock, NULL};
	struct heartbeat heartbeat = {0};
	struct unit units[BUS_UNITS];
	struct buffer settings[BUS_UNITS] = {0};
	char keys[BUS_UNITS][8], why[MODULE_WHY];
	struct wire_setup setup = {
		.drivers = core_drivers(), .port = b->port, .units = units, .unit_count = b->count};
	struct session *session;
	struct module module;
	int pair[2];
	bus = b;
	clock_replace(&source);
	const char *driver = b->is_text ? "multidrop" : "modbus-map";
	setup.drivers = b->is_text ? getenv("ASSAY_TEST_MULTIDROP") : core_drivers();
	if (module_open(&module, setup.drivers, driver, why) < 0)
		fail_msg("%s", why);
	for (size_t i = 0; i < b->count; i++) {
		snprintf(keys[i], sizeof keys[i], "u-%zu", i + 1);
		if (b->is_text)
			write_address(i, &settings[i]);
		else
			write_settings(module.driver->settings, &b->units[i], &settings[i]);
		units[i] = (struct unit){.key = keys[i],
			.driver = driver,
			.unit_id = (unsigned)i + 1,
			.settings = settings[i].data,
			.settings_len = settings[i].len};
	}
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	core_end = pair[1];
	assert_int_equal(monitor_init(&monitor), 0);
	link_ = (struct link){.ops = &bus_ops, .fd = eventfd(0, EFD_CLOEXEC)};
	channel_init(&channel, &monitor, &link_, &heartbeat);
	channel.is_per_request = b->port.connection == PORT_CONNECTION_PER_REQUEST;
	core_link_init(&core, &monitor, pair[0]);
	assert_int_equal(commands_init(&commands, &monitor, &channel, b->count), 0);
	services = (struct services){.core = &core, .commands = &commands, .channel = &channel};
	services_init(&services);
	if (b->is_text)
		channel_set_direct(&channel); /* there is no I/O thread */
	else
		services.modbus = modbus_create(&b->port, &channel);
	assert_true(b->is_text || services.modbus != NULL);
	core_link_grant(&core, PLENTY);
	if (session_create(&setup, &services, &session, why) < 0)
		fail_msg("%s", why);
	session_run(session);
	serve_core();
	session_destroy(session);
	module_close(&module);
	modbus_destroy(services.modbus);
	commands_finish(&commands);
	channel_finish(&channel);
	core_link_finish(&core);
	monitor_finish(&monitor);
	close(link_.fd);
	close(pair[0]);
	close(core_end);
	buffer_finish(&received);
	for (size_t i = 0; i < b->count; i++)
		buffer_finish(&settings[i]);
	clock_replace(NULL);
}
