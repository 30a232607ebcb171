/* SPDX-License-Identifier: Apache-2.0 */
/* One client at a time: the next one waits in the backlog until the first one has left. */
#include "transport.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

static int tcp_open(struct transport *t, const struct sim_endpoint *endpoint)
{
	t->listen_fd = transport_bind(t, endpoint, SOCK_STREAM);
	t->fd = t->listen_fd;
	return t->listen_fd < 0 ? t->listen_fd : 0;
}

static void drop_client(struct transport *t)
{
	if (t->fd >= 0 && t->fd != t->listen_fd)
		close(t->fd);
	t->fd = t->listen_fd;
}

static void tcp_close(struct transport *t)
{
	drop_client(t);
	if (t->listen_fd >= 0)
		close(t->listen_fd);
	t->listen_fd = t->fd = -1;
}

/* While down, a client is accepted and closed at once: it sees the end of the connection. */
static int tcp_set_down(struct transport *t, bool down)
{
	if (down)
		drop_client(t);
	return 0;
}

static ssize_t accept_client(struct transport *t)
{
	int fd = accept4(t->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return 0;
	if (t->is_down) {
		close(fd);
		return 0;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	t->fd = fd;
	return -ECONNRESET;
}

static ssize_t tcp_receive(struct transport *t, uint8_t *data, size_t size)
{
	if (t->fd == t->listen_fd)
		return accept_client(t);
	ssize_t n = recv(t->fd, data, size, MSG_DONTWAIT);
	if (n > 0)
		return n;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	drop_client(t);
	return -ECONNRESET;
}

static ssize_t tcp_send(
	struct transport *t, const struct peer *peer, const uint8_t *data, size_t len)
{
	if (t->fd == t->listen_fd)
		return (ssize_t)len;
	ssize_t n = send(t->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	return n >= 0 ? n : -errno;
}

const struct transport_ops transport_tcp = {
	.open = tcp_open,
	.close = tcp_close,
	.set_down = tcp_set_down,
	.receive = tcp_receive,
	.send = tcp_send,
};
