/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One Modbus exchange against any reply of a unit.  Input: the request (table, and TCP or line), the
 * number of values, then pieces of the reply, each with its length in front.  On a line the
 * checksum is corrected if bit 3 of the first byte is set, or no reply would get past it; bit 4 lets
 * the unit owe replies to former requests, bit 5 lets the reply be there before the request.
 */
#include <assay/driver.h>
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../../unit/worker/crc16.h"
#include "worker/channel.h"
#include "worker/link/modbus.h"

#define UNIT       7
#define VALUES_MAX 2000
#define REPLY_MAX  1024

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static const uint8_t *rest;
static size_t left;
static bool has_come; /* the reply */

/* The next piece; a port that is lost where there is none, so that nothing waits. */
static ssize_t receive(struct link *link, uint8_t *to, size_t size)
{
	if (!has_come || left < 2)
		return has_come ? -ENODEV : -EAGAIN;
	size_t n = rest[0] < left - 1 ? rest[0] : left - 1;
	n = n < size ? n : size;
	memcpy(to, rest + 1, n);
	rest += 1 + n;
	left -= 1 + n;
	return n > 0 ? (ssize_t)n : -EAGAIN;
}

/* The reply comes after the request. */
static ssize_t take(struct link *link, const uint8_t *data, size_t len)
{
	uint64_t one = 1;
	has_come = write(link->fd, &one, sizeof one) == sizeof one;
	return (ssize_t)len;
}

static int refuse(struct link *link, const struct port *port)
{
	return -ENODEV;
}

static const struct link_ops ops = {
	.open = refuse, .receive = receive, .send = take, .receive_max = 300};

/* The first piece with its checksum. */
static void seal(uint8_t *reply, size_t len)
{
	size_t n = len > 0 ? reply[0] : 0;
	if (n < 3 || n > len - 1)
		return;
	uint16_t crc = crc_of(reply + 1, n - 2);
	reply[n - 1] = (uint8_t)crc;
	reply[n] = (uint8_t)(crc >> 8);
}

/* The exchange must keep its contract, and write only the values. */
static void exchange(struct modbus *modbus, int table, unsigned count)
{
	uint16_t out[VALUES_MAX + 1];
	memset(out, 0xa5, sizeof out);
	int r = modbus_exchange(modbus, UNIT, table, 0, count, out);
	bool is_exception = r <= ASSAY_MODBUS_EXCEPTION - 1 && r >= ASSAY_MODBUS_EXCEPTION - 11;
	if (r != 0 && r != -EBADMSG && r != -ENODEV && r != -EINVAL && r != -EAGAIN &&
		!is_exception)
		abort();
	if (out[count] != 0xa5a5)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t reply[REPLY_MAX];
	if (len < 2 || len - 2 > sizeof reply)
		return 0;
	bool line = (data[0] & 4) != 0;
	memcpy(reply, data + 2, len - 2);
	if (line && (data[0] & 8) != 0)
		seal(reply, len - 2);
	rest = reply;
	left = len - 2;

	struct port port = {.kind = line ? ASSAY_LINK_MODBUS_RTU : ASSAY_LINK_MODBUS_TCP,
		.reply_ms = 1000,
		.playback = (data[0] & 16) != 0 ? NULL : "a recording"};
	struct monitor monitor;
	struct heartbeat heartbeat = {0};
	struct channel channel;
	has_come = (data[0] & 32) != 0;
	struct link link = {.ops = &ops, .fd = eventfd(has_come, EFD_NONBLOCK)};
	if (monitor_init(&monitor) < 0)
		return 0;
	channel_init(&channel, &monitor, &link, &heartbeat);
	struct modbus *modbus = modbus_create(&port, &channel);
	if (modbus != NULL)
		exchange(modbus, ASSAY_COILS + (data[0] & 3), data[1] % 126u + 1);
	modbus_destroy(modbus);
	channel_finish(&channel);
	monitor_finish(&monitor);
	close(link.fd);
	return 0;
}
