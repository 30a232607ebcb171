/* SPDX-License-Identifier: Apache-2.0 */
/* Bound sockets, for the transports and for models that own theirs. */
#ifndef ASSAY_SIM_SOCKET_H
#define ASSAY_SIM_SOCKET_H

#include <stddef.h>

#include "host.h"

/*
 * Binds endpoint->host:port (numeric addresses only), listens if `type` is SOCK_STREAM, and
 * writes "udp 127.0.0.1:10001" with the real port to `ready`.  Returns an owned non-blocking fd,
 * or a negative errno after one line on standard error.
 */
int socket_bind(const struct sim_endpoint *endpoint, int type, char *ready, size_t size);

#endif
