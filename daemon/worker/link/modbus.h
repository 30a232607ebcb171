/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modbus on top of a stream link, in the driver's thread.  libmodbus frames and checks the bytes that
 * it gets through a socketpair; the channel carries them, so that they pass the link like all
 * others, one deadline covers an exchange, and an abort interrupts it.
 *
 * Bytes that arrive between two exchanges are late or noise, and are dropped.  A reply on a serial
 * line does not name its request: a unit that did not reply in time gets no further request until
 * its late reply would have arrived.
 */
#ifndef ASSAY_WORKER_LINK_MODBUS_H
#define ASSAY_WORKER_LINK_MODBUS_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/port.h"
#include "worker/channel.h"

struct modbus;

/* Copies from `port`.  Borrows `channel` and makes it direct.  NULL: no memory. */
struct modbus *modbus_create(const struct port *port, struct channel *channel);

/* Legal on NULL. */
void modbus_destroy(struct modbus *modbus);

/*
 * One exchange with a unit, as assay_modbus_read() of <assay/driver.h>, within the port's reply_ms.
 */
int modbus_exchange(struct modbus *modbus, unsigned unit_id, int table, unsigned address,
	unsigned count, uint16_t *out);

#endif
