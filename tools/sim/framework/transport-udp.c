/* SPDX-License-Identifier: Apache-2.0 */
#include "transport.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

static int udp_open(struct transport *t, const struct sim_endpoint *endpoint)
{
	t->fd = transport_bind(t, endpoint, SOCK_DGRAM);
	return t->fd < 0 ? t->fd : 0;
}

static void udp_close(struct transport *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

/* A network does not report that it is down: datagrams are read and dropped. */
static int udp_set_down(struct transport *t, bool down)
{
	return 0;
}

/*
 * Drops a datagram from another sender until the current one has been silent for peer_hold_ns.  The
 * receive writes every byte of the address, so that memcmp compares addresses.
 */
static ssize_t udp_receive(struct transport *t, uint8_t *data, size_t size)
{
	struct peer peer = {.len = sizeof(peer.address)};
	ssize_t n = recvfrom(
		t->fd, data, size, MSG_DONTWAIT, (struct sockaddr *)&peer.address, &peer.len);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR || errno == ECONNREFUSED ? 0 : -errno;
	if (t->is_down)
		return 0;
	uint64_t now = clock_boot();
	bool is_same = peer.len == t->peer.len &&
		       memcmp(&peer.address, &t->peer.address, peer.len) == 0;
	if (!is_same && t->peer.len > 0 && now < t->peer_seen + t->peer_hold_ns)
		return 0;
	t->peer = peer;
	t->peer_seen = now;
	return n;
}

static ssize_t udp_send(
	struct transport *t, const struct peer *peer, const uint8_t *data, size_t len)
{
	if (peer->len == 0)
		return (ssize_t)len;
	ssize_t n = sendto(
		t->fd, data, len, MSG_DONTWAIT, (const struct sockaddr *)&peer->address, peer->len);
	return n >= 0 ? n : -errno;
}

const struct transport_ops transport_udp = {
	.open = udp_open,
	.close = udp_close,
	.set_down = udp_set_down,
	.receive = udp_receive,
	.send = udp_send,
};
