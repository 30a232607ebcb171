/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modbus TCP for many clients on consecutive ports, one poll loop.  A client whose bytes come in
 * drops, or who does not read its replies, keeps nobody else waiting.
 */
#ifndef ASSAY_SIM_MODBUS_SERVER_H
#define ASSAY_SIM_MODBUS_SERVER_H

#include "framework/host.h"
#include "plant.h"

/* Serves plant->n_ports ports from the host's endpoint on until it ends.  0 or a negative errno. */
int server_run(struct modbus_plant *plant, struct sim_model *m, struct sim_host *host);

#endif
