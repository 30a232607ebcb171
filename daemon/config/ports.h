/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ports of the instruments.  Modbus instruments may share a port if all keys of their links but
 * `unit_id` are equal, instruments of drivers with ASSAY_LINK_SHARED a serial line or TCP connection if
 * all keys are; any other port belongs to one instrument.
 */
#ifndef ASSAY_CONFIG_PORTS_H
#define ASSAY_CONFIG_PORTS_H

#include "config/reading.h"

/*
 * "usb:10c4:842a:*:*": the canonical name of an instrument's port, from the keys that name ports of
 * this kind, or from the instrument's own `key`.  In the load's arena.
 */
const char *port_name(struct load *load, const struct port *port, const char *key);

/* Reports instruments that cannot share their port, or may be on one device. */
void ports_check(struct load *load);

/* Whether a host name or address surely means this computer. */
bool port_is_loopback(const char *host);

#endif
