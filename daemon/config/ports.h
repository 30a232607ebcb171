/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which instruments meet on which port.  Modbus instruments may share one, when they agree about
 * it and have different addresses; any other port belongs to one instrument.
 */
#ifndef ASSAY_CONFIG_PORTS_H
#define ASSAY_CONFIG_PORTS_H

#include "config/reading.h"

/* The canonical name of an instrument's port, in the load's arena. */
const char *port_name(struct load *load, const struct port *port, const char *key);

/* Reports instruments that cannot be on their ports together. */
void ports_check(struct load *load);

#endif
