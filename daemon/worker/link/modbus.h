/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modbus on top of a stream link, in the driver's thread.  libmodbus frames and checks the bytes that
 * it gets through a socketpair; the channel carries them, so that they pass the link like all
 * others, one deadline covers an exchange, and an abort interrupts it.
 *
 * A reply on a serial line does not name its request: line.h decides to which one it belongs.  Until
 * that is certain, a unit gets no further request: the exchange returns -EAGAIN, and the port is
 * free for its other units.
 */
#ifndef ASSAY_WORKER_LINK_MODBUS_H
#define ASSAY_WORKER_LINK_MODBUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "wire/port.h"
#include "worker/channel.h"

struct modbus;

/* Copies from `port`.  Borrows `channel` and makes it direct.  NULL: no memory. */
struct modbus *modbus_create(const struct port *port, struct channel *channel);

/* Legal on NULL. */
void modbus_destroy(struct modbus *modbus);

#define MODBUS_WHY 240

/*
 * One exchange with a unit, as assay_modbus_read() of <assay/driver.h>, within the port's reply_ms.
 * -EAGAIN: not before modbus_not_before().
 */
int modbus_exchange(struct modbus *modbus, unsigned unit_id, int table, unsigned address,
	unsigned count, uint16_t *out);

/* Any other request; all lengths are counted after the function code. */
struct modbus_raw {
	unsigned function; /* 1 to 127 */
	const void *data;
	size_t len;
	void *reply;
	size_t size;     /* of `reply` */
	size_t expected; /* of a right reply; 0: not known, it ends with a silence on a line */
};

/* The length of the reply, or as modbus_exchange(). */
ssize_t modbus_exchange_raw(struct modbus *modbus, unsigned unit_id, const struct modbus_raw *raw);

/* When the unit may get its next request, by clock_boot(); now or earlier: at once. */
uint64_t modbus_not_before(struct modbus *modbus, unsigned unit_id);

/* The next exchanges get 1 / `share` of the port's reply_ms. */
void modbus_limit(struct modbus *modbus, unsigned share);

/* The most registers of one request. */
unsigned modbus_registers_max(const struct modbus *modbus);

/* Why the last exchange failed: request, cause and the bytes that came; "" if it did not. */
const char *modbus_why(const struct modbus *modbus);

#endif
