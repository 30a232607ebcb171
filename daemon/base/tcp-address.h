/* SPDX-License-Identifier: Apache-2.0 */
/* The address of a listening socket as an endpoint: tcp://192.0.2.1:5570, tcp://[::]:5570. */
#ifndef ASSAY_BASE_TCP_ADDRESS_H
#define ASSAY_BASE_TCP_ADDRESS_H

#include <sys/socket.h>

/*
 * Reads an endpoint with a numeric address, or `*` for every one of IPv4, and a port from 1 on; names
 * are not looked up.  0, or -EINVAL.
 */
int tcp_address_read(const char *endpoint, struct sockaddr_storage *address, socklen_t *len);

#endif
