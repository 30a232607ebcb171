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

#define REPLY_MS     1000 /* where the configuration does not say */
#define REGISTERS    125
#define BITS         2000
#define FRAME_MAX    512               /* twice the largest frame */
#define GAP_LEAST_NS UINT64_C(1750000) /* "Modbus over serial line" 2.5.1.1, above 19200 baud */
#define CHAR_BITS    11
#define SETTLE_NS    (20 * NS_PER_MS) /* after a failure, for what is still on its way */

struct modbus {
	struct channel *channel;
	modbus_t *context;
	bool is_serial;
	unsigned reply_ms;
	uint64_t gap_ns; /* silence between frames on a serial line */
	int mine;        /* the driver's thread's end, libmodbus' socket */
	/* the driver's thread */
	uint64_t last_end;
	bool has_failed;
	unsigned late_unit;
	uint64_t late_until;
	/* under the lock */
	int theirs;   /* the I/O thread's end; -1: an abort closed it */
	bool is_open; /* an exchange is under way */
	uint8_t request[FRAME_MAX];
};

bool modbus_is_kind(unsigned kind)
{
	return kind == ASSAY_LINK_MODBUS_RTU || kind == ASSAY_LINK_MODBUS_TCP;
}

/* --- making ----------------------------------------------------------------------------------- */

static void close_pair(struct modbus *modbus)
{
	if (modbus->mine >= 0)
		close(modbus->mine);
	if (modbus->theirs >= 0)
		close(modbus->theirs);
	modbus->mine = modbus->theirs = -1;
}

static int open_pair(struct modbus *modbus)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	modbus->mine = pair[0];
	modbus->theirs = pair[1];
	modbus_set_socket(modbus->context, modbus->mine);
	return 0;
}

/* The address and the line's settings are the link's business: libmodbus never connects. */
static modbus_t *make_context(const struct port *port, unsigned reply_ms)
{
	modbus_t *context = port->kind == ASSAY_LINK_MODBUS_RTU
				    ? modbus_new_rtu("/dev/null", 9600, 'N', 8, 1)
				    : modbus_new_tcp("127.0.0.1", MODBUS_TCP_DEFAULT_PORT);
	if (context == NULL)
		return NULL;
	/* Without a limit per byte the reply's limit is that of the whole reply. */
	modbus_set_response_timeout(context, reply_ms / 1000, reply_ms % 1000 * 1000);
	modbus_set_byte_timeout(context, 0, 0);
	return context;
}

static uint64_t gap_of(const struct port *port)
{
	uint64_t baud = port->baud != 0 ? port->baud : 9600;
	uint64_t gap = NS_PER_S * CHAR_BITS * 7 / 2 / baud;
	return baud > 19200 || gap < GAP_LEAST_NS ? GAP_LEAST_NS : gap;
}

struct modbus *modbus_create(const struct port *port, struct channel *channel)
{
	struct modbus *modbus = calloc(1, sizeof *modbus);
	if (modbus == NULL)
		return NULL;
	modbus->channel = channel;
	modbus->is_serial = port->kind == ASSAY_LINK_MODBUS_RTU;
	modbus->reply_ms = port->reply_ms != 0 ? port->reply_ms : REPLY_MS;
	modbus->gap_ns = gap_of(port);
	modbus->mine = modbus->theirs = -1;
	modbus->context = make_context(port, modbus->reply_ms);
	if (modbus->context == NULL || open_pair(modbus) < 0) {
		modbus_destroy(modbus);
		return NULL;
	}
	return modbus;
}

void modbus_destroy(struct modbus *modbus)
{
	if (modbus == NULL)
		return;
	close_pair(modbus);
	if (modbus->context != NULL)
		modbus_free(modbus->context);
	free(modbus);
}

/* --- the driver's thread ---------------------------------------------------------------------- */

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

static int begin_exchange(struct modbus *modbus)
{
	struct channel *channel = modbus->channel;
	monitor_lock(channel->monitor);
	int r = channel->cancelled ? -ECANCELED : channel->lost ? -ENODEV : 0;
	if (r == 0 && modbus->theirs < 0) {
		close_pair(modbus);
		r = open_pair(modbus);
		monitor_kick(channel->monitor); /* it polls the new end */
	}
	modbus->is_open = r == 0;
	monitor_unlock(channel->monitor);
	return r;
}

/* Leaves nothing behind that the next exchange could take for its own. */
static int end_exchange(struct modbus *modbus, int result)
{
	struct channel *channel = modbus->channel;
	monitor_lock(channel->monitor);
	modbus->is_open = false;
	channel->out = NULL;
	if (channel->cancelled)
		result = -ECANCELED;
	else if (channel->lost && result < 0)
		result = -ENODEV;
	monitor_unlock(channel->monitor);
	uint8_t rest[FRAME_MAX];
	while (result < 0 && recv(modbus->mine, rest, sizeof rest, MSG_DONTWAIT) > 0)
		;
	return result;
}

static int ask(modbus_t *context, int table, unsigned address, unsigned count, uint16_t *out)
{
	int at = (int)address, n = (int)count;
	if (table == ASSAY_HOLDING || table == ASSAY_INPUT) {
		uint16_t registers[256]; /* more than any reply can hold */
		int r = table == ASSAY_HOLDING
				? modbus_read_registers(context, at, n, registers)
				: modbus_read_input_registers(context, at, n, registers);
		if (r == n)
			memcpy(out, registers, count * sizeof *out);
		return r;
	}
	uint8_t bits[256 * 8];
	int r = table == ASSAY_COILS ? modbus_read_bits(context, at, n, bits)
				     : modbus_read_input_bits(context, at, n, bits);
	for (unsigned i = 0; r == n && i < count; i++)
		out[i] = bits[i];
	return r;
}

/* libmodbus' errno: a system's one, an exception of the unit, or its own complaint. */
static int error_of(int error)
{
	if (error == ETIMEDOUT || error == EAGAIN)
		return -ETIMEDOUT;
	if (error > MODBUS_ENOBASE && error < MODBUS_ENOBASE + MODBUS_EXCEPTION_MAX)
		return ASSAY_MODBUS_EXCEPTION - (error - MODBUS_ENOBASE);
	return -EBADMSG;
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
	if (!is_valid(table, address, count))
		return -EINVAL;
	int r = keep_silence(modbus, unit_id);
	if (r < 0)
		return r;
	pulse_step(modbus->channel->pulse, modbus->reply_ms * NS_PER_MS);
	r = begin_exchange(modbus);
	if (r < 0)
		return r;
	modbus_set_slave(modbus->context, (int)unit_id);
	errno = 0;
	int n = ask(modbus->context, table, address, count, out);
	r = n == (int)count ? 0 : error_of(n < 0 ? errno : EBADMSG);
	modbus->last_end = clock_boot();
	modbus->has_failed = r == -ETIMEDOUT || r == -EBADMSG;
	if (r == -ETIMEDOUT) {
		modbus->late_unit = unit_id;
		modbus->late_until = modbus->last_end + modbus->reply_ms * NS_PER_MS;
	}
	return end_exchange(modbus, r);
}

/* --- the I/O thread --------------------------------------------------------------------------- */

int modbus_watch(struct modbus *modbus, struct pollfd *fd)
{
	monitor_lock(modbus->channel->monitor);
	bool sending = modbus->channel->out != NULL;
	*fd = (struct pollfd){.fd = sending ? -1 : modbus->theirs, .events = POLLIN};
	monitor_unlock(modbus->channel->monitor);
	return 1;
}

/* A request is whole or it is not: the socketpair gives it in one piece, as libmodbus sent it. */
static void carry_request(struct modbus *modbus)
{
	struct channel *channel = modbus->channel;
	ssize_t n = recv(modbus->theirs, modbus->request, sizeof modbus->request, MSG_DONTWAIT);
	if (n <= 0 || !modbus->is_open)
		return;
	ssize_t sent = channel_push(channel, modbus->request, (size_t)n);
	if (sent < 0 || sent == n)
		return;
	channel->out = modbus->request; /* the I/O thread goes on when the link has room */
	channel->out_len = (size_t)n;
	channel->out_at = (size_t)sent;
}

/* What has arrived: to libmodbus while it expects an answer, otherwise nowhere. */
static void carry_reply(struct modbus *modbus)
{
	uint8_t piece[FRAME_MAX];
	size_t n;
	while ((n = channel_take(modbus->channel, piece, sizeof piece)) > 0) {
		if (!modbus->is_open)
			continue;
		/* It holds much more than a frame: what does not fit is no reply. */
		ssize_t sent = send(modbus->theirs, piece, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		(void)sent;
	}
}

void modbus_handle(struct modbus *modbus, const struct pollfd *fd)
{
	struct channel *channel = modbus->channel;
	monitor_lock(channel->monitor);
	if (channel->out != NULL && channel->out_at == channel->out_len)
		channel->out = NULL;
	if (modbus->theirs >= 0) {
		carry_reply(modbus);
		if (fd->fd == modbus->theirs && (fd->revents & POLLIN) != 0)
			carry_request(modbus);
	}
	if (modbus->is_open && modbus->theirs >= 0 && (channel->cancelled || channel->lost)) {
		close(modbus->theirs); /* libmodbus' wait ends at once */
		modbus->theirs = -1;
	}
	monitor_unlock(channel->monitor);
}
