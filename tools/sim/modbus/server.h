/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modbus TCP for many clients on consecutive ports, in one poll loop.  A client that sends byte by
 * byte or does not read its replies does not delay the others.
 */
#ifndef ASSAY_SIM_MODBUS_SERVER_H
#define ASSAY_SIM_MODBUS_SERVER_H

#include "framework/host.h"
#include "plant.h"

/*
 * Serves plant->n_ports ports, from the endpoint's upwards, until the host ends.  0 or a negative
 * errno.
 */
int server_run(struct modbus_plant *plant, struct sim_model *m, struct sim_host *host);

#endif
