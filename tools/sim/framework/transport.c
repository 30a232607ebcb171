/* SPDX-License-Identifier: Apache-2.0 */
#include "transport.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "socket.h"

int transport_open(struct transport *t, const struct sim_endpoint *endpoint, uint64_t peer_hold_ns)
{
	static const struct transport_ops *const table[] = {[SIM_PTY] = &transport_pty,
		[SIM_UDP] = &transport_udp,
		[SIM_TCP] = &transport_tcp,
		[SIM_USB] = &transport_usb};
	assert(endpoint->transport >= SIM_PTY && endpoint->transport <= SIM_USB);
	*t = (struct transport){
		.ops = endpoint->is_played ? &transport_usb_socket : table[endpoint->transport],
		.fd = -1,
		.listen_fd = -1,
		.slave_fd = -1,
		.poll_at = SIM_NEVER,
		.peer_hold_ns = peer_hold_ns};
	return t->ops->open(t, endpoint);
}

int transport_bind(struct transport *t, const struct sim_endpoint *endpoint, int type)
{
	int fd = socket_bind(endpoint, endpoint->port, type);
	if (fd == -EINVAL)
		fprintf(stderr, "assay-sim: %s: expected a numeric IPv4 or IPv6 address\n",
			endpoint->host);
	else if (fd < 0)
		fprintf(stderr, "assay-sim: %s:%u: %s\n", endpoint->host, endpoint->port,
			strerror(-fd));
	snprintf(t->ready, sizeof(t->ready),
		strchr(endpoint->host, ':') ? "%s [%s]:%u" : "%s %s:%u",
		type == SOCK_DGRAM ? "udp" : "tcp", endpoint->host, fd >= 0 ? socket_port(fd) : 0);
	return fd;
}

void transport_close(struct transport *t)
{
	if (t->ops != NULL)
		t->ops->close(t);
	t->ops = NULL;
}
