/* SPDX-License-Identifier: Apache-2.0 */
/* Bound sockets, for the transports and for models that own theirs. */
#ifndef ASSAY_SIM_SOCKET_H
#define ASSAY_SIM_SOCKET_H

#include "host.h"

/*
 * Binds `port` (0: any free one) of endpoint->host, a numeric address, and listens if `type` is
 * SOCK_STREAM.  Returns an owned non-blocking fd, or a negative errno: -EINVAL if the address is
 * not numeric.
 */
int socket_bind(const struct sim_endpoint *endpoint, uint16_t port, int type);

/* The port of a bound socket, or 0. */
uint16_t socket_port(int fd);

#endif
