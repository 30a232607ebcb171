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
#define SETTLE_NS    (20 * NS_PER_MS) /* after a failure, for bytes that are still on their way */
#define TCP_HEAD     6 /* transaction, protocol, length; then the unit as on a line */
#define CRC_BYTES    2
#define EXCEPTION    0x80 /* added to the function of a reply that is an exception */
#define PLAIN_BYTES  6    /* of a request: unit, function, address, count */
#define REQUEST_MAX  12   /* of a framed one */
#define FRAMED_MAX   16

/* A request, plain and framed. */
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
	bool is_bits;
	size_t bytes; /* of data in the reply */
};

struct adu {
	uint8_t data[FRAME_MAX];
	size_t len;
};

/* --- making ----------------------------------------------------------------------------------- */

struct modbus *modbus_create(const struct port *port, struct channel *channel)
{
	struct modbus *modbus = calloc(1, sizeof *modbus);
	if (modbus == NULL)
		return NULL;
	modbus->channel = channel;
	modbus->is_serial = port->kind == ASSAY_LINK_MODBUS_RTU;
	modbus->reply_ms = port->reply_ms;
	/* 3.5 characters; a recording has no baud rate. */
	modbus->gap_ns = port->baud != 0 ? NS_PER_S * CHAR_BITS * 7 / 2 / port->baud : 0;
	if (port->baud > 19200 || modbus->gap_ns < GAP_LEAST_NS)
		modbus->gap_ns = GAP_LEAST_NS;
	modbus->pair[0] = modbus->pair[1] = -1;
	/* The link has the address and the line's settings: libmodbus never connects. */
	modbus->context = modbus->is_serial ? modbus_new_rtu("/dev/null", 9600, 'N', 8, 1)
					    : modbus_new_tcp("127.0.0.1", MODBUS_TCP_DEFAULT_PORT);
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

/* libmodbus frames the request; equal ones, which most polls are, are framed once. */
static const struct framed_query *frame_query(
	struct modbus *modbus, const uint8_t plain[PLAIN_BYTES])
{
	for (size_t i = 0; i < FRAMED_MAX; i++) {
		const struct framed_query *known = &modbus->framed[i];
		if (known->len > 0 && memcmp(known->plain, plain, PLAIN_BYTES) == 0)
			return known;
	}
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

/* libmodbus does not count the transactions of TCP. */
static int frame_request(struct modbus *modbus, const struct query *q, struct adu *request)
{
	const uint8_t plain[PLAIN_BYTES] = {q->unit, q->function, (uint8_t)(q->address >> 8),
		(uint8_t)q->address, (uint8_t)(q->count >> 8), (uint8_t)q->count};
	const struct framed_query *framed = frame_query(modbus, plain);
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

/* The size of the reply: 0 if too few bytes have come to know it, or -EBADMSG. */
static ssize_t size_of_reply(const struct modbus *modbus, const struct query *q,
	const struct adu *request, const struct adu *reply)
{
	size_t head = modbus->is_serial ? 0 : TCP_HEAD;
	size_t tail = modbus->is_serial ? CRC_BYTES : 0;
	if (reply->len < head + 2 || memcmp(reply->data, request->data, head > 0 ? 2 : 0) != 0)
		return 0;
	const uint8_t *at = reply->data + head;
	bool failed = at[1] == (q->function | EXCEPTION);
	size_t size = 3 + (failed ? 0 : q->bytes); /* unit, function, exception or bytes */
	if (at[0] != q->unit || (!failed && at[1] != q->function))
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

/*
 * A whole reply of the right length.  libmodbus checks the CRC of a line; a reply over TCP has none.
 * 0, or an error.
 */
static int check_reply(struct modbus *modbus, const struct query *q, const struct adu *reply)
{
	const uint8_t *at = reply->data + (modbus->is_serial ? 0 : TCP_HEAD);
	if (at[1] == q->function && at[2] != q->bytes)
		return -EBADMSG; /* libmodbus would wait for as many bytes as it announces */
	if (modbus->is_serial) {
		uint8_t checked[FRAME_MAX];
		modbus_set_slave(modbus->context, q->unit); /* it rejects other units' replies */
		ssize_t n = send(modbus->pair[1], reply->data, reply->len, MSG_NOSIGNAL);
		if (n != (ssize_t)reply->len ||
			modbus_receive_confirmation(modbus->context, checked) != n)
			return -EBADMSG;
	}
	if (at[1] == q->function)
		return 0;
	return at[2] > 0 && at[2] < MODBUS_EXCEPTION_MAX ? ASSAY_MODBUS_EXCEPTION - at[2]
							 : -EBADMSG;
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
	for (int i = 0; r == -EBADMSG && i < 2; i++) /* bytes that libmodbus left of a bad reply */
		while (recv(modbus->pair[i], reply.data, sizeof reply.data, MSG_DONTWAIT) > 0)
			;
	if (r < 0)
		return r;
	const uint8_t *data = reply.data + (modbus->is_serial ? 3 : TCP_HEAD + 3);
	for (size_t i = 0; i < q->count; i++)
		out[i] = q->is_bits ? data[i / 8] >> i % 8 & 1
				    : (uint16_t)(data[2 * i] << 8 | data[2 * i + 1]);
	return 0;
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
	bool is_bits = table == ASSAY_COILS || table == ASSAY_DISCRETE;
	if (table < ASSAY_COILS || table > ASSAY_INPUT || count == 0 ||
		count > (is_bits ? BITS : REGISTERS) || address > 0xffff ||
		address + count > 0x10000)
		return -EINVAL;
	struct query q = {.unit = (uint8_t)unit_id,
		.function = functions[table],
		.address = (uint16_t)address,
		.count = (uint16_t)count,
		.is_bits = is_bits,
		.bytes = is_bits ? ((size_t)count + 7) / 8 : 2 * (size_t)count};
	/* The silence that a line needs, and in which late replies arrive and are dropped. */
	uint64_t until = modbus->last_end;
	if (modbus->has_failed)
		until += SETTLE_NS;
	else if (modbus->is_serial)
		until += modbus->gap_ns;
	if (modbus->is_serial && unit_id == modbus->late_unit && modbus->late_until > until)
		until = modbus->late_until;
	int r = channel_settle(modbus->channel, until);
	if (r < 0)
		return r;
	r = transact(modbus, &q, out);
	modbus->last_end = clock_boot();
	modbus->has_failed = r == -ETIMEDOUT || r == -EBADMSG;
	if (r == -ETIMEDOUT) {
		modbus->late_unit = unit_id;
		modbus->late_until = modbus->last_end + modbus->reply_ms * NS_PER_MS;
	}
	return r;
}
