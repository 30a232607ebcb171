/* SPDX-License-Identifier: Apache-2.0 */
#include "transport.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "socket.h"

static int udp_open(struct transport *t, const struct sim_endpoint *endpoint)
{
	t->fd = socket_bind(endpoint, SOCK_DGRAM, t->ready, sizeof(t->ready));
	return t->fd < 0 ? t->fd : 0;
}

static void udp_close(struct transport *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

/* A network cannot say that it is gone: datagrams are read and forgotten. */
static int udp_set_down(struct transport *t, bool down)
{
	return 0;
}

static bool is_same(const struct peer *a, const struct peer *b)
{
	return a->len == b->len && memcmp(&a->address, &b->address, a->len) == 0;
}

/*
 * Takes a sender when there is none yet, it is the same, or the other one was silent for long
 * enough.  The receive fills the address whole, so that comparing its bytes is comparing it.
 */
static ssize_t admit(struct transport *t, const struct peer *peer, ssize_t n)
{
	uint64_t now = clock_boot();
	bool same = is_same(&t->peer, peer);
	if (!same && t->peer.len > 0 && t->peer_hold_ns > 0 && now < t->peer_seen + t->peer_hold_ns)
		return 0;
	t->peer = *peer;
	t->peer_seen = now;
	return n;
}

static ssize_t udp_receive(struct transport *t, uint8_t *data, size_t size)
{
	struct peer peer = {.len = sizeof(peer.address)};
	ssize_t n = recvfrom(
		t->fd, data, size, MSG_DONTWAIT, (struct sockaddr *)&peer.address, &peer.len);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR || errno == ECONNREFUSED ? 0 : -errno;
	if (t->is_down)
		return 0;
	return admit(t, &peer, n);
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
