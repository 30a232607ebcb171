/* SPDX-License-Identifier: Apache-2.0 */
#include "transport.h"

#include <assert.h>
#include <unistd.h>

int transport_open(struct transport *t, const struct sim_endpoint *endpoint, uint64_t peer_hold_ns)
{
	static const struct transport_ops *const table[] = {
		[SIM_PTY] = &transport_pty, [SIM_UDP] = &transport_udp, [SIM_TCP] = &transport_tcp};
	assert(endpoint->transport >= SIM_PTY && endpoint->transport <= SIM_TCP);
	*t = (struct transport){.ops = table[endpoint->transport],
		.fd = -1,
		.listen_fd = -1,
		.slave_fd = -1,
		.poll_at = SIM_NEVER,
		.peer_hold_ns = peer_hold_ns};
	return t->ops->open(t, endpoint);
}

void transport_close(struct transport *t)
{
	if (t->ops != NULL)
		t->ops->close(t);
	t->ops = NULL;
}
