/* SPDX-License-Identifier: Apache-2.0 */
#include <assay/driver.h>
#include <assert.h>
#include <errno.h>
#include <modbus.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "worker/link/line.h"
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
#define REQUEST_MAX  12   /* of a framed one of that size */
#define FRAMED_MAX   16
#define REPLY_HEAD   3   /* unit, function, exception or bytes of data */
#define DATA_MAX     252 /* after the function, in a request or a reply */
#define SHOWN        40  /* of the bytes that came */
#define ABSORB_MAX   64  /* pieces between two exchanges */
#define QUERY_NAME   32

/* A request, plain and framed. */
struct framed_query {
	uint8_t plain[PLAIN_BYTES];
	uint8_t data[REQUEST_MAX];
	size_t len; /* 0: there is none */
};

struct modbus {
	struct channel *channel;
	modbus_t *context;
	bool is_line;  /* frames have a CRC and no transaction number */
	bool has_echo; /* the adapter returns each request */
	uint64_t pause_ns;
	unsigned reply_ms, limit_ms;
	unsigned registers_max; /* of one request; 0: the protocol's */
	uint64_t gap_ns;        /* silence between frames on a line */
	int pair[2];            /* libmodbus' socket, and its other end */
	uint16_t transaction;
	uint64_t last_end;
	bool has_failed;
	bool has_heard; /* bytes of a TCP peer */
	struct line line;
	struct line_inbox inbox;
	struct framed_query framed[FRAMED_MAX]; /* the newest requests, in a ring */
	size_t next_framed;
	char why[MODBUS_WHY];
};

struct query {
	uint8_t unit, function;
	const uint8_t *data; /* after the function */
	size_t len;
	size_t reply_len; /* from the unit on; 0: not known */
	bool has_bytes;   /* the reply has the number of its bytes after the function */
	bool is_mirrored; /* the reply is the request */
	char name[QUERY_NAME];
	uint8_t plain
		[PLAIN_BYTES]; /* the request if it is that long, else what tells it from others */
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
	modbus->is_line = port->kind == ASSAY_LINK_MODBUS_RTU || port->framing == PORT_FRAMING_RTU;
	modbus->has_echo = port->echo != 0;
	modbus->pause_ns = port->pause_ms * NS_PER_MS;
	modbus->registers_max = port->max_registers;
	modbus->reply_ms = modbus->limit_ms = port->reply_ms;
	line_init(&modbus->line, port->reply_ms * NS_PER_MS, port->playback == NULL);
	/* 3.5 characters; a recording has no baud rate. */
	modbus->gap_ns = port->baud != 0 ? NS_PER_S * CHAR_BITS * 7 / 2 / port->baud : 0;
	if (port->baud > 19200 || modbus->gap_ns < GAP_LEAST_NS)
		modbus->gap_ns = GAP_LEAST_NS;
	modbus->pair[0] = modbus->pair[1] = -1;
	/* The link has the address and the line's settings: libmodbus never connects. */
	modbus->context = modbus->is_line ? modbus_new_rtu("/dev/null", 9600, 'N', 8, 1)
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

/* A request of another length than most. */
static int frame_long(struct modbus *modbus, const struct query *q, struct adu *request)
{
	uint8_t plain[2 + DATA_MAX] = {q->unit, q->function};
	memcpy(plain + 2, q->data, q->len);
	if (modbus_send_raw_request(modbus->context, plain, (int)(2 + q->len)) < 0)
		return -EBADMSG;
	ssize_t n = recv(modbus->pair[1], request->data, sizeof request->data, MSG_DONTWAIT);
	request->len = n > 0 ? (size_t)n : 0;
	return n > 0 ? 0 : -EBADMSG;
}

/* libmodbus does not count the transactions of TCP. */
static int frame_request(struct modbus *modbus, const struct query *q, struct adu *request)
{
	if (2 + q->len != PLAIN_BYTES) {
		int r = frame_long(modbus, q, request);
		if (r < 0)
			return r;
	} else {
		const struct framed_query *framed = frame_query(modbus, q->plain);
		if (framed == NULL)
			return -EBADMSG;
		memcpy(request->data, framed->data, framed->len);
		request->len = framed->len;
	}
	if (!modbus->is_line) {
		modbus->transaction++;
		request->data[0] = (uint8_t)(modbus->transaction >> 8);
		request->data[1] = (uint8_t)modbus->transaction;
	}
	return 0;
}

/* --- words ------------------------------------------------------------------------------------ */

/* The first bytes in hexadecimal. */
static const char *show(char text[SHOWN], const uint8_t *data, size_t len)
{
	size_t n = 0;
	for (size_t i = 0; i < len && n + sizeof "00 ..." < SHOWN; i++)
		n += (size_t)snprintf(text + n, SHOWN - n, "%s%02x", i > 0 ? " " : "", data[i]);
	if (n / 3 + 1 < len)
		snprintf(text + n, SHOWN - n, " ...");
	if (len == 0)
		text[0] = '\0';
	return text;
}

/* Notes why the exchange failed: `error` and then the bytes that came.  Returns `error`. */
static int fail(struct modbus *modbus, int error, const struct query *q, const uint8_t *data,
	size_t len, const char *format, ...) __attribute__((format(printf, 6, 7)));

static int fail(struct modbus *modbus, int error, const struct query *q, const uint8_t *data,
	size_t len, const char *format, ...)
{
	char hex[SHOWN], cause[MODBUS_WHY / 2];
	va_list args;
	va_start(args, format);
	vsnprintf(cause, sizeof cause, format, args);
	va_end(args);
	snprintf(modbus->why, sizeof modbus->why, "unit %u, %s: %s%s%s", q->unit, q->name, cause,
		len > 0 ? ": " : "", show(hex, data, len));
	return error;
}

/* The reply's unit, function or length is not that of the request. */
static int fail_strange(struct modbus *modbus, int error, const struct query *q, const uint8_t *at,
	size_t size, const uint8_t *data, size_t len)
{
	if (at[0] != q->unit)
		return fail(modbus, error, q, data, len, "unit %u answered, not unit %u", at[0],
			q->unit);
	if ((at[1] & ~EXCEPTION) != q->function)
		return fail(modbus, error, q, data, len,
			"a reply to function %02u came, not to %02u", at[1] & ~EXCEPTION,
			q->function);
	return fail(modbus, error, q, data, len, "a reply of %zu bytes came, not of %zu", size,
		q->reply_len);
}

static int fail_silent(struct modbus *modbus, const struct query *q)
{
	if (!modbus->is_line && !modbus->has_heard)
		return fail(modbus, -ETIMEDOUT, q, NULL, 0,
			"no answer within %u ms; a device server of a serial line needs "
			"`framing: rtu-over-tcp` in the link",
			modbus->limit_ms);
	return fail(modbus, -ETIMEDOUT, q, NULL, 0, "no answer within %u ms", modbus->limit_ms);
}

/* The exchange broke off: to the driver no, or no complete, reply. */
static int fail_closed(
	struct modbus *modbus, const struct query *q, const uint8_t *data, size_t len)
{
	char why[MODBUS_WHY / 2];
	modbus->channel->breaks++;
	channel_why(modbus->channel, why, sizeof why);
	return fail(modbus, -ETIMEDOUT, q, data, len, "%s", why);
}

/* --- a reply of TCP --------------------------------------------------------------------------- */

static unsigned number_at(const uint8_t *at)
{
	return (unsigned)(at[0] << 8 | at[1]);
}

/*
 * Drops the replies to earlier requests, and keeps the start of the last in `dropped`.  -EBADMSG:
 * one is longer than any reply.
 */
static int drop_late(struct modbus *modbus, const struct query *q, const struct adu *request,
	struct adu *reply, struct adu *dropped)
{
	while (reply->len >= TCP_HEAD && memcmp(reply->data, request->data, 2) != 0) {
		size_t size = TCP_HEAD + number_at(reply->data + 4);
		*dropped = *reply;
		if (line_is_frame(reply->data, reply->len))
			return fail(modbus, -EBADMSG, q, reply->data, reply->len,
				"a frame of a serial line came: set `framing: rtu-over-tcp` in the "
				"link");
		if (size > sizeof reply->data || number_at(reply->data + 2) != 0)
			return fail(modbus, -EBADMSG, q, reply->data, reply->len,
				"what came is not Modbus TCP");
		if (reply->len < size)
			break;
		reply->len -= size;
		memmove(reply->data, reply->data + size, reply->len);
	}
	return 0;
}

/* The size of the reply: 0 if too few bytes have come to know it, or -EBADMSG. */
static ssize_t size_of_reply(struct modbus *modbus, const struct query *q,
	const struct adu *request, const struct adu *reply)
{
	if (reply->len < TCP_HEAD + 2 || memcmp(reply->data, request->data, 2) != 0)
		return 0;
	const uint8_t *at = reply->data + TCP_HEAD;
	size_t announced = number_at(reply->data + 4);
	bool failed = at[1] == (q->function | EXCEPTION);
	bool is_possible = announced >= 2 && announced <= 2 + DATA_MAX;
	size_t size = failed             ? REPLY_HEAD
		      : q->reply_len > 0 ? q->reply_len
		      : is_possible      ? announced
					 : 2 + DATA_MAX;
	if (number_at(reply->data + 2) != 0)
		return fail(modbus, -EBADMSG, q, reply->data, reply->len, "protocol %u came, not 0",
			number_at(reply->data + 2));
	if (at[0] != q->unit || (!failed && at[1] != q->function) || announced != size)
		return fail_strange(modbus, -EBADMSG, q, at, announced, reply->data, reply->len);
	return (ssize_t)(TCP_HEAD + size);
}

static int fail_late(struct modbus *modbus, const struct query *q, const struct adu *request,
	const struct adu *reply, const struct adu *dropped)
{
	const struct adu *came = reply->len > 0 ? reply : dropped;
	if (came->len == 0)
		return fail_silent(modbus, q);
	if (came->len >= 2 && memcmp(came->data, request->data, 2) != 0)
		return fail(modbus, -ETIMEDOUT, q, came->data, came->len,
			"a reply with transaction number %u came, not %u, and none within %u ms",
			number_at(came->data), modbus->transaction, modbus->limit_ms);
	return fail(modbus, -ETIMEDOUT, q, came->data, came->len,
		"only %zu bytes of the answer came within %u ms", came->len, modbus->limit_ms);
}

/* The unit's part of the reply, from its number on, goes to `reply`. */
static int receive_tcp(struct modbus *modbus, const struct query *q, const struct adu *request,
	struct adu *reply, uint64_t deadline)
{
	struct adu dropped = {.len = 0};
	for (;;) {
		int r = drop_late(modbus, q, request, reply, &dropped);
		ssize_t size = r < 0 ? r : size_of_reply(modbus, q, request, reply);
		if (size < 0)
			return (int)size;
		if (size > 0 && reply->len >= (size_t)size) {
			reply->len = (size_t)size - TCP_HEAD;
			memmove(reply->data, reply->data + TCP_HEAD, reply->len);
			return 0;
		}
		ssize_t n = channel_read(modbus->channel, reply->data + reply->len,
			sizeof reply->data - reply->len, clock_ms_until(deadline));
		if (n == -ETIMEDOUT)
			return fail_late(modbus, q, request, reply, &dropped);
		if (n == -ENOTCONN)
			return fail_closed(modbus, q, reply->data, reply->len);
		if (n < 0)
			return (int)n;
		modbus->has_heard = true;
		reply->len += (size_t)n;
	}
}

/* --- a reply of a line ------------------------------------------------------------------------ */

static ssize_t read_line(struct modbus *modbus, uint64_t until)
{
	struct line_inbox *in = &modbus->inbox;
	ssize_t n = channel_read(modbus->channel, in->data + in->len, sizeof in->data - in->len,
		clock_ms_until(until));
	in->len += n > 0 ? (size_t)n : 0;
	return n;
}

/* Between two exchanges: replies to former requests, and noise. */
static int absorb(struct modbus *modbus)
{
	struct line_frame frame;
	ssize_t n = 1;
	for (int i = 0; i < ABSORB_MAX && n > 0; i++) {
		n = read_line(modbus, 0);
		line_take(&modbus->line, &modbus->inbox, NULL, false, clock_boot(), &frame);
	}
	return n < 0 && n != -ETIMEDOUT && n != -ENOTCONN ? (int)n : 0;
}

/* No more bytes come, and none of them were a reply. */
static int fail_line(struct modbus *modbus, const struct query *q, size_t reply_len)
{
	const struct line_inbox *in = &modbus->inbox;
	size_t shown = in->noise < sizeof in->first ? in->noise : sizeof in->first;
	if (in->noise == 0 && in->heard_len > 0)
		return fail_strange(modbus, -ETIMEDOUT, q, in->heard, in->heard_len - CRC_BYTES,
			in->heard,
			in->heard_len < sizeof in->heard ? in->heard_len : sizeof in->heard);
	if (in->noise == 0)
		return fail_silent(modbus, q);
	if (in->noise < reply_len)
		return fail(modbus, -ETIMEDOUT, q, in->first, shown,
			"only %zu of %zu bytes came within %u ms", in->noise, reply_len,
			modbus->limit_ms);
	return fail(modbus, -EBADMSG, q, in->first, shown, "%zu bytes came that are no reply",
		in->noise);
}

/* `is_damaged`: the error is a reply that came, and not as it was sent. */
static int receive_line(struct modbus *modbus, const struct query *q, const struct adu *request,
	struct adu *reply, uint64_t deadline, bool *is_damaged)
{
	struct line_query lq = {.sent = request->data,
		.sent_len = request->len,
		.reply_len = q->reply_len > 0 ? q->reply_len + CRC_BYTES : 0,
		.echoes = modbus->has_echo,
		.is_mirrored = q->is_mirrored};
	size_t least = q->reply_len > 0 ? lq.reply_len : REPLY_HEAD + CRC_BYTES;
	struct line_inbox *in = &modbus->inbox;
	/* Sooner than that the unit cannot have received the request. */
	uint64_t earliest = deadline - modbus->limit_ms * NS_PER_MS +
			    request->len * modbus->channel->link->byte_ns;
	struct line_frame frame;
	for (bool is_last = false;;) {
		enum line_result r = line_take(
			&modbus->line, in, &lq, is_last, clock_boot(), &frame);
		switch (r) {
		case LINE_REPLY:
			reply->len = frame.len - CRC_BYTES;
			memcpy(reply->data, frame.data, reply->len);
			return 0;
		case LINE_DAMAGED:
			*is_damaged = true;
			return fail(modbus, -EBADMSG, q, frame.data, frame.len,
				"the CRC of the reply is wrong");
		case LINE_STRANGE:
			return fail_strange(modbus, -EBADMSG, q, frame.data, frame.len - CRC_BYTES,
				frame.data, frame.len);
		case LINE_ECHO:
			return fail(modbus, -EBADMSG, q, request->data, request->len,
				"the request itself came back; if the adapter returns each, set "
				"`echo: true` in the link");
		case LINE_MORE: break;
		}
		if (is_last)
			return fail_line(modbus, q, least);
		/* Noise as long as the reply: what is still on its way is not waited for long. */
		uint64_t until = clock_boot() + SETTLE_NS;
		if (in->noise + in->len < least || until > deadline)
			until = deadline;
		ssize_t n = read_line(modbus, until);
		if (n == -ENOTCONN)
			return fail_closed(modbus, q, in->first, 0);
		if (n < 0 && n != -ETIMEDOUT)
			return (int)n;
		is_last = n < 0 || in->len == sizeof in->data;
		if (n > 0 && channel_received(modbus->channel).mono < earliest)
			in->before = in->len;
	}
}

/* --- one exchange ----------------------------------------------------------------------------- */

/* A whole reply of the right length, from its unit on. */
static int check_reply(struct modbus *modbus, const struct query *q, const struct adu *reply)
{
	const uint8_t *at = reply->data;
	size_t bytes = q->reply_len - REPLY_HEAD;
	if (at[1] == q->function && q->has_bytes && at[2] != bytes)
		return fail(modbus, -EBADMSG, q, at, reply->len,
			"the reply announces %u bytes, not %zu", at[2], bytes);
	if (at[1] == q->function)
		return 0;
	if (at[2] == 0 || at[2] >= MODBUS_EXCEPTION_MAX)
		return fail(modbus, -EBADMSG, q, at, reply->len,
			"exception %u came, which the protocol does not have", at[2]);
	return ASSAY_MODBUS_EXCEPTION - at[2];
}

static int exchange_tcp(struct modbus *modbus, const struct query *q, struct adu *reply)
{
	uint64_t deadline = clock_boot() + modbus->limit_ms * NS_PER_MS;
	struct adu request;
	if (modbus->has_failed)
		channel_discard(modbus->channel);
	int r = frame_request(modbus, q, &request);
	if (r == 0)
		r = channel_write(
			modbus->channel, request.data, request.len, (int)modbus->limit_ms);
	if (r == -ENOTCONN)
		return fail_closed(modbus, q, NULL, 0);
	return r == 0 ? receive_tcp(modbus, q, &request, reply, deadline) : r;
}

static int exchange_line(struct modbus *modbus, const struct query *q, struct adu *reply)
{
	uint64_t deadline = clock_boot() + modbus->limit_ms * NS_PER_MS;
	bool is_damaged = false;
	struct adu request;
	int r = frame_request(modbus, q, &request);
	if (r < 0)
		return r;
	unsigned connections = modbus->channel->connections;
	line_request(&modbus->inbox);
	r = channel_write(modbus->channel, request.data, request.len, (int)modbus->limit_ms);
	if (modbus->channel->connections != connections)
		modbus->inbox.len = modbus->inbox.before = 0; /* of the former connection */
	if (r == -ENOTCONN)
		return fail_closed(modbus, q, NULL, 0);
	if (r == 0)
		r = receive_line(modbus, q, &request, reply, deadline, &is_damaged);
	if (r < 0 && !is_damaged)
		line_missed(&modbus->line, q->plain, clock_boot());
	else if (!line_replied(&modbus->line, q->plain, clock_boot()) && r == 0)
		r = -EAGAIN;
	return r;
}

static int transact(struct modbus *modbus, const struct query *q, struct adu *reply)
{
	int r = modbus->is_line ? exchange_line(modbus, q, reply) : exchange_tcp(modbus, q, reply);
	return r == 0 ? check_reply(modbus, q, reply) : r;
}

/* One exchange, after the silence that a line needs. */
static int exchange(struct modbus *modbus, const struct query *q, struct adu *reply)
{
	uint64_t until = modbus->last_end;
	reply->len = 0;
	if (modbus->has_failed)
		until += SETTLE_NS;
	else if (modbus->is_line)
		until += modbus->gap_ns;
	if (until < modbus->last_end + modbus->pause_ns)
		until = modbus->last_end + modbus->pause_ns;
	int r = channel_settle(modbus->channel, until);
	if (r == 0 && modbus->is_line)
		r = absorb(modbus);
	if (r < 0)
		return r;
	if (modbus_not_before(modbus, q->unit) > clock_boot())
		return -EAGAIN;
	r = transact(modbus, q, reply);
	channel_end_exchange(modbus->channel);
	modbus->last_end = clock_boot();
	modbus->has_failed = r == -ETIMEDOUT || r == -EBADMSG;
	return r;
}

/* --- requests to read ------------------------------------------------------------------------- */

static bool is_bits(int table)
{
	return table == ASSAY_COILS || table == ASSAY_DISCRETE;
}

static bool query_make(
	struct query *q, unsigned unit_id, int table, unsigned address, unsigned count)
{
	static const struct {
		uint8_t function;
		const char *name;
	} tables[] = {
		[ASSAY_COILS] = {MODBUS_FC_READ_COILS, "coil"},
		[ASSAY_DISCRETE] = {MODBUS_FC_READ_DISCRETE_INPUTS, "discrete"},
		[ASSAY_HOLDING] = {MODBUS_FC_READ_HOLDING_REGISTERS, "holding"},
		[ASSAY_INPUT] = {MODBUS_FC_READ_INPUT_REGISTERS, "input"},
	};
	if (table < ASSAY_COILS || table > ASSAY_INPUT || count == 0 ||
		count > (is_bits(table) ? BITS : REGISTERS) || address > 0xffff ||
		address + count > 0x10000)
		return false;
	*q = (struct query){.unit = (uint8_t)unit_id,
		.function = tables[table].function,
		.len = PLAIN_BYTES - 2,
		.reply_len = REPLY_HEAD +
			     (is_bits(table) ? ((size_t)count + 7) / 8 : 2 * (size_t)count),
		.has_bytes = true,
		.plain = {(uint8_t)unit_id, tables[table].function, (uint8_t)(address >> 8),
			(uint8_t)address, (uint8_t)(count >> 8), (uint8_t)count}};
	q->data = q->plain + 2;
	snprintf(q->name, sizeof q->name, "%s %u+%u", tables[table].name, address, count);
	return true;
}

int modbus_exchange(struct modbus *modbus, unsigned unit_id, int table, unsigned address,
	unsigned count, uint16_t *out)
{
	struct query q;
	struct adu reply;
	modbus->why[0] = '\0';
	if (!query_make(&q, unit_id, table, address, count))
		return -EINVAL;
	int r = exchange(modbus, &q, &reply);
	const uint8_t *data = reply.data + REPLY_HEAD;
	for (size_t i = 0; r == 0 && i < count; i++)
		out[i] = is_bits(table) ? data[i / 8] >> i % 8 & 1
					: (uint16_t)(data[2 * i] << 8 | data[2 * i + 1]);
	return r;
}

/* --- other requests --------------------------------------------------------------------------- */

/* What tells the request from others, in the place of an address and a count. */
static void mark(struct query *q)
{
	uint32_t hash = 2166136261u; /* FNV-1a */
	for (size_t i = 0; i < q->len; i++)
		hash = (hash ^ q->data[i]) * 16777619u;
	for (size_t i = 0; i < PLAIN_BYTES - 2; i++)
		q->plain[2 + i] = q->len == PLAIN_BYTES - 2 ? q->data[i] : (uint8_t)(hash >> 8 * i);
}

ssize_t modbus_exchange_raw(struct modbus *modbus, unsigned unit_id, const struct modbus_raw *raw)
{
	struct adu reply;
	modbus->why[0] = '\0';
	if (raw->function == 0 || raw->function >= EXCEPTION || raw->len > DATA_MAX ||
		raw->expected > DATA_MAX || raw->expected > raw->size)
		return -EINVAL;
	struct query q = {.unit = (uint8_t)unit_id,
		.function = (uint8_t)raw->function,
		.data = raw->data,
		.len = raw->len,
		.reply_len = raw->expected > 0 ? 2 + raw->expected : 0,
		.is_mirrored = raw->function == MODBUS_FC_WRITE_SINGLE_COIL ||
			       raw->function == MODBUS_FC_WRITE_SINGLE_REGISTER,
		.plain = {(uint8_t)unit_id, (uint8_t)raw->function}};
	snprintf(q.name, sizeof q.name, "function %02u", raw->function);
	mark(&q);
	int r = exchange(modbus, &q, &reply);
	if (r < 0)
		return r;
	if (reply.len - 2 > raw->size)
		return fail(modbus, -EBADMSG, &q, reply.data, reply.len,
			"a reply of %zu bytes came, more than %zu", reply.len - 2, raw->size);
	memcpy(raw->reply, reply.data + 2, reply.len - 2);
	return (ssize_t)(reply.len - 2);
}

uint64_t modbus_not_before(struct modbus *modbus, unsigned unit_id)
{
	uint64_t now = clock_boot();
	return modbus->is_line ? line_not_before(&modbus->line, (uint8_t)unit_id, now) : now;
}

void modbus_limit(struct modbus *modbus, unsigned share)
{
	modbus->limit_ms = (modbus->reply_ms + share - 1) / share;
}

unsigned modbus_registers_max(const struct modbus *modbus)
{
	return modbus->registers_max > 0 ? modbus->registers_max : REGISTERS;
}

const char *modbus_why(const struct modbus *modbus)
{
	return modbus->why;
}
