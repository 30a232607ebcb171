/* SPDX-License-Identifier: Apache-2.0 */
#include <assay/driver.h>
#include <assert.h>
#include <errno.h>
#include <modbus.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "worker/link/modbus.h"

#define REGISTERS    125
#define BITS         2000
#define FRAME_MAX    MODBUS_MAX_ADU_LENGTH
#define GAP_LEAST_NS UINT64_C(1750000) /* "Modbus over serial line" 2.5.1.1, above 19200 baud */
#define CHAR_BITS    11
#define SETTLE_NS    (20 * NS_PER_MS) /* after a failure, for what is still on its way */
#define TCP_HEAD     6 /* transaction, protocol, length; then the unit as on a line */
#define CRC_BYTES    2
#define REFUSED      0x80 /* added to the function of a reply that is an exception */
#define PLAIN_BYTES  6    /* of a request: unit, function, address, count */
#define REQUEST_MAX  12   /* of one that is framed */
#define FRAMED_MAX   16

/* A request as it was framed. */
struct framed_query {
	uint8_t plain[PLAIN_BYTES];
	uint8_t data[REQUEST_MAX];
	size_t len; /* 0: there is none */
};

struct modbus {
	struct channel *channel;
	modbus_t *context;
	bool is_serial;
	unsigned reply_ms;
	uint64_t gap_ns; /* silence between frames on a serial line */
	int pair[2];     /* libmodbus' socket, and its other end */
	uint16_t transaction;
	uint64_t last_end;
	bool has_failed;
	unsigned late_unit;
	uint64_t late_until;
	struct framed_query framed[FRAMED_MAX]; /* the newest requests, in a ring */
	size_t next_framed;
};

struct query {
	uint8_t unit, function;
	uint16_t address, count;
	size_t bytes; /* of data in the reply */
};

struct adu {
	uint8_t data[FRAME_MAX];
	size_t len;
};

/* --- making ----------------------------------------------------------------------------------- */

/* The address and the line's settings are the link's business: libmodbus never connects. */
static modbus_t *make_context(const struct port *port)
{
	modbus_t *context = port->kind == ASSAY_LINK_MODBUS_RTU
				    ? modbus_new_rtu("/dev/null", 9600, 'N', 8, 1)
				    : modbus_new_tcp("127.0.0.1", MODBUS_TCP_DEFAULT_PORT);
	if (context == NULL)
		return NULL;
	return context;
}

/* 3.5 characters; a recording has no baud rate. */
static uint64_t gap_of(const struct port *port)
{
	uint64_t gap = port->baud != 0 ? NS_PER_S * CHAR_BITS * 7 / 2 / port->baud : 0;
	return port->baud > 19200 || gap < GAP_LEAST_NS ? GAP_LEAST_NS : gap;
}

struct modbus *modbus_create(const struct port *port, struct channel *channel)
{
	struct modbus *modbus = calloc(1, sizeof *modbus);
	if (modbus == NULL)
		return NULL;
	modbus->channel = channel;
	modbus->is_serial = port->kind == ASSAY_LINK_MODBUS_RTU;
	modbus->reply_ms = port->reply_ms;
	modbus->gap_ns = gap_of(port);
	modbus->pair[0] = modbus->pair[1] = -1;
	modbus->context = make_context(port);
	if (modbus->context == NULL ||
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, modbus->pair) < 0) {
		modbus_destroy(modbus);
		return NULL;
	}
	modbus_set_socket(modbus->context, modbus->pair[0]);
	channel_set_direct(channel);
	return modbus;
}

void modbus_destroy(struct modbus *modbus)
{
	if (modbus == NULL)
		return;
	for (int i = 0; i < 2; i++) {
		if (modbus->pair[i] >= 0)
			close(modbus->pair[i]);
	}
	if (modbus->context != NULL)
		modbus_free(modbus->context);
	free(modbus);
}

/* --- one exchange ----------------------------------------------------------------------------- */

/* The silence that a serial line needs, and in which late replies come and are dropped. */
static int keep_silence(struct modbus *modbus, unsigned unit_id)
{
	uint64_t until = modbus->last_end;
	if (modbus->has_failed)
		until += SETTLE_NS;
	else if (modbus->is_serial)
		until += modbus->gap_ns;
	if (modbus->is_serial && unit_id == modbus->late_unit && modbus->late_until > until)
		until = modbus->late_until;
	return channel_settle(modbus->channel, until);
}

/* What libmodbus did not take of a bad reply is not left to the next one. */
static void empty_pair(struct modbus *modbus)
{
	uint8_t rest[FRAME_MAX];
	for (int i = 0; i < 2; i++) {
		while (recv(modbus->pair[i], rest, sizeof rest, MSG_DONTWAIT) > 0)
			;
	}
}

/* libmodbus frames what it is given. */
static const struct framed_query *frame_plain(
	struct modbus *modbus, const uint8_t plain[PLAIN_BYTES])
{
	struct framed_query *framed = &modbus->framed[modbus->next_framed];
	framed->len = 0;
	if (modbus_send_raw_request(modbus->context, plain, PLAIN_BYTES) < 0)
		return NULL;
	ssize_t n = recv(modbus->pair[1], framed->data, sizeof framed->data, MSG_DONTWAIT);
	if (n < PLAIN_BYTES)
		return NULL;
	memcpy(framed->plain, plain, PLAIN_BYTES);
	framed->len = (size_t)n;
	modbus->next_framed = (modbus->next_framed + 1) % FRAMED_MAX;
	return framed;
}

/* An instrument is asked the same again and again. */
static const struct framed_query *find_framed(
	const struct modbus *modbus, const uint8_t plain[PLAIN_BYTES])
{
	for (size_t i = 0; i < FRAMED_MAX; i++) {
		const struct framed_query *framed = &modbus->framed[i];
		if (framed->len > 0 && memcmp(framed->plain, plain, PLAIN_BYTES) == 0)
			return framed;
	}
	return NULL;
}

/* What libmodbus leaves to others is the transaction of TCP. */
static int frame_request(struct modbus *modbus, const struct query *q, struct adu *request)
{
	const uint8_t plain[PLAIN_BYTES] = {q->unit, q->function, (uint8_t)(q->address >> 8),
		(uint8_t)q->address, (uint8_t)(q->count >> 8), (uint8_t)q->count};
	const struct framed_query *framed = find_framed(modbus, plain);
	if (framed == NULL)
		framed = frame_plain(modbus, plain);
	if (framed == NULL)
		return -EBADMSG;
	memcpy(request->data, framed->data, framed->len);
	request->len = framed->len;
	if (!modbus->is_serial) {
		modbus->transaction++;
		request->data[0] = (uint8_t)(modbus->transaction >> 8);
		request->data[1] = (uint8_t)modbus->transaction;
	}
	return 0;
}

/* TCP: drops the replies to earlier requests.  False: one of them is longer than any reply. */
static bool drop_late(const struct adu *request, struct adu *reply)
{
	while (reply->len >= TCP_HEAD && memcmp(reply->data, request->data, 2) != 0) {
		size_t size = TCP_HEAD + (size_t)(reply->data[4] << 8 | reply->data[5]);
		if (size > sizeof reply->data)
			return false;
		if (reply->len < size)
			break;
		reply->len -= size;
		memmove(reply->data, reply->data + size, reply->len);
	}
	return true;
}

/* How long the reply will be: 0 when too little has come to tell, or -EBADMSG. */
static ssize_t size_of_reply(const struct modbus *modbus, const struct query *q,
	const struct adu *request, const struct adu *reply)
{
	size_t head = modbus->is_serial ? 0 : TCP_HEAD;
	size_t tail = modbus->is_serial ? CRC_BYTES : 0;
	if (reply->len < head + 2 || memcmp(reply->data, request->data, head > 0 ? 2 : 0) != 0)
		return 0;
	const uint8_t *at = reply->data + head;
	bool refused = at[1] == (q->function | REFUSED);
	size_t size = 3 + (refused ? 0 : q->bytes); /* unit, function, exception or bytes */
	if (at[0] != q->unit || (!refused && at[1] != q->function))
		return -EBADMSG;
	if (!modbus->is_serial && (reply->data[2] != 0 || reply->data[3] != 0 ||
					  (size_t)(reply->data[4] << 8 | reply->data[5]) != size))
		return -EBADMSG;
	return (ssize_t)(head + size + tail);
}

static int receive_reply(struct modbus *modbus, const struct query *q, const struct adu *request,
	struct adu *reply, uint64_t deadline)
{
	for (;;) {
		if (!modbus->is_serial && !drop_late(request, reply))
			return -EBADMSG;
		ssize_t size = size_of_reply(modbus, q, request, reply);
		if (size < 0 || (size > 0 && reply->len >= (size_t)size)) {
			reply->len = size < 0 ? 0 : (size_t)size;
			return size < 0 ? (int)size : 0;
		}
		ssize_t n = channel_read(modbus->channel, reply->data + reply->len,
			sizeof reply->data - reply->len, clock_ms_until(deadline));
		if (n < 0)
			return (int)n;
		reply->len += (size_t)n;
	}
}

/* libmodbus checks a line's CRC.  TCP has none, and it would hand back the bytes as they are. */
static bool is_sound(struct modbus *modbus, uint8_t unit, const struct adu *reply)
{
	uint8_t checked[FRAME_MAX];
	if (!modbus->is_serial)
		return true;
	modbus_set_slave(modbus->context, unit); /* it checks no other unit's reply */
	ssize_t n = send(modbus->pair[1], reply->data, reply->len, MSG_NOSIGNAL);
	return n == (ssize_t)reply->len &&
	       modbus_receive_confirmation(modbus->context, checked) == n;
}

/* A whole reply of the right length.  0, or an error. */
static int check_reply(struct modbus *modbus, const struct query *q, const struct adu *reply)
{
	const uint8_t *at = reply->data + (modbus->is_serial ? 0 : TCP_HEAD);
	if (at[1] == q->function && at[2] != q->bytes)
		return -EBADMSG; /* libmodbus would wait for the rest of what it announces */
	if (!is_sound(modbus, q->unit, reply))
		return -EBADMSG;
	if (at[1] == q->function)
		return 0;
	return at[2] > 0 && at[2] < MODBUS_EXCEPTION_MAX ? ASSAY_MODBUS_EXCEPTION - at[2]
							 : -EBADMSG;
}

static void unpack(const struct query *q, const uint8_t *data, uint16_t *out)
{
	bool bits = q->function == MODBUS_FC_READ_COILS ||
		    q->function == MODBUS_FC_READ_DISCRETE_INPUTS;
	for (size_t i = 0; i < q->count; i++)
		out[i] = bits ? data[i / 8] >> i % 8 & 1
			      : (uint16_t)(data[2 * i] << 8 | data[2 * i + 1]);
}

static int transact(struct modbus *modbus, const struct query *q, uint16_t *out)
{
	uint64_t deadline = clock_boot() + modbus->reply_ms * NS_PER_MS;
	struct adu request, reply = {.len = 0};
	if (modbus->is_serial || modbus->has_failed)
		channel_discard(modbus->channel);
	int r = frame_request(modbus, q, &request);
	if (r == 0)
		r = channel_write(
			modbus->channel, request.data, request.len, (int)modbus->reply_ms);
	if (r == 0)
		r = receive_reply(modbus, q, &request, &reply, deadline);
	if (r == 0)
		r = check_reply(modbus, q, &reply);
	if (r == -EBADMSG)
		empty_pair(modbus);
	if (r == 0)
		unpack(q, reply.data + (modbus->is_serial ? 3 : TCP_HEAD + 3), out);
	return r;
}

static bool is_valid(int table, unsigned address, unsigned count)
{
	unsigned most = table == ASSAY_HOLDING || table == ASSAY_INPUT ? REGISTERS : BITS;
	return table >= ASSAY_COILS && table <= ASSAY_INPUT && count > 0 && count <= most &&
	       address <= 0xffff && address + count <= 0x10000;
}

int modbus_exchange(struct modbus *modbus, unsigned unit_id, int table, unsigned address,
	unsigned count, uint16_t *out)
{
	static const uint8_t functions[] = {
		[ASSAY_COILS] = MODBUS_FC_READ_COILS,
		[ASSAY_DISCRETE] = MODBUS_FC_READ_DISCRETE_INPUTS,
		[ASSAY_HOLDING] = MODBUS_FC_READ_HOLDING_REGISTERS,
		[ASSAY_INPUT] = MODBUS_FC_READ_INPUT_REGISTERS,
	};
	if (!is_valid(table, address, count))
		return -EINVAL;
	int r = keep_silence(modbus, unit_id);
	if (r < 0)
		return r;
	bool words = table == ASSAY_HOLDING || table == ASSAY_INPUT;
	struct query q = {.unit = (uint8_t)unit_id,
		.function = functions[table],
		.address = (uint16_t)address,
		.count = (uint16_t)count,
		.bytes = words ? 2 * (size_t)count : ((size_t)count + 7) / 8};
	r = transact(modbus, &q, out);
	modbus->last_end = clock_boot();
	modbus->has_failed = r == -ETIMEDOUT || r == -EBADMSG;
	if (r == -ETIMEDOUT) {
		modbus->late_unit = unit_id;
		modbus->late_until = modbus->last_end + modbus->reply_ms * NS_PER_MS;
	}
	return r;
}
