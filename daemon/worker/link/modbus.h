/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modbus on top of a stream link, in the driver's thread alone.  libmodbus frames and checks what
 * it is handed through a socketpair; the channel carries the bytes, so that they pass the link like
 * all others, a total deadline holds, and an abort ends an exchange.
 *
 * Between exchanges nothing is expected: what arrives then is late or noise, and is dropped.  On a
 * serial line, where a reply does not say which request it answers, a unit that missed its time is
 * not asked again until a late reply would have come.
 */
#ifndef ASSAY_WORKER_LINK_MODBUS_H
#define ASSAY_WORKER_LINK_MODBUS_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/port.h"
#include "worker/channel.h"

struct modbus;

/* Makes one for `port`, which is copied.  `channel` is borrowed, and made direct.  NULL: no memory. */
struct modbus *modbus_create(const struct port *port, struct channel *channel);

/* Legal on NULL. */
void modbus_destroy(struct modbus *modbus);

/*
 * One exchange with a unit, as assay_modbus_read() of <assay/driver.h>, within
 * the port's reply_ms in total.
 */
int modbus_exchange(struct modbus *modbus, unsigned unit_id, int table, unsigned address,
	unsigned count, uint16_t *out);

#endif
