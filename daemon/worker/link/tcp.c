/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The link tcp: a connection, and after its end another one to the same peer.
 *
 *	           the peer closes, hang_up()            connect()
 *	TCP_OPEN ────────────────────────────▶ TCP_CLOSED ────────▶ TCP_CONNECTING
 *	   ▲                                        ▲  refused, no answer  │ │
 *	   │                                        └──────────────────────┘ │
 *	   └────────────────────── connected ────────────────────────────────┘
 *
 * Every other failure of the connection, such as a peer that is silent for too long, loses the port.
 */
#include <assay/driver.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "worker/link/connector.h"
#include "worker/link/link.h"

#define STREAM_PIECE 4096

enum tcp_state {
	TCP_OPEN,
	TCP_CLOSED,
	TCP_CONNECTING, /* requested; the result has not come */
};

struct tcp {
	enum tcp_state state;
	struct connector connector;
	char address[LINK_ADDRESS]; /* of the peer */
};

static void tcp_close(struct link *link)
{
	struct tcp *tcp = link->own;
	if (link->fd >= 0)
		close(link->fd);
	connector_stop(&tcp->connector);
	free(tcp);
	link->own = NULL;
}

static int tcp_open(struct link *link, const struct port *port)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof peer;
	struct tcp *tcp = calloc(1, sizeof *tcp);
	if (tcp == NULL)
		return link_fail(link, ENOMEM, "cannot connect");
	tcp->connector.fd = -1;
	link->own = tcp;
	link->is_unconnected = port->kind == ASSAY_LINK_HTTP; /* one for each request */
	int r = link_open_socket(link, port, SOCK_STREAM);
	if (r == 0) {
		connector_set_options(link->fd);
		link_address(link, tcp->address, sizeof tcp->address);
		r = getpeername(link->fd, (struct sockaddr *)&peer, &len) < 0
			    ? -errno
			    : connector_start(&tcp->connector, (struct sockaddr *)&peer, len,
				      port->open_ms);
		if (r < 0)
			link_fail(link, -r, "cannot start the process that connects again");
	}
	if (r < 0)
		tcp_close(link);
	return r;
}

static void tcp_hang_up(struct link *link)
{
	struct tcp *tcp = link->own;
	if (tcp->state != TCP_OPEN)
		return;
	shutdown(link->fd, SHUT_RDWR); /* now, even while another thread polls it */
	close(link->fd);
	link->fd = -1;
	tcp->state = TCP_CLOSED;
}

static int tcp_connect(struct link *link, int *wait)
{
	struct tcp *tcp = link->own;
	int r = 0;
	if (tcp->state == TCP_OPEN)
		return 0;
	if (tcp->state == TCP_CLOSED)
		r = connector_request(&tcp->connector);
	tcp->state = TCP_CONNECTING;
	if (r == 0)
		r = connector_take(&tcp->connector);
	*wait = tcp->connector.fd;
	if (r == -EAGAIN)
		return r;
	tcp->state = r < 0 ? TCP_CLOSED : TCP_OPEN;
	if (r >= 0) {
		link->fd = r;
		return 0;
	}
	if (r == -EPIPE) {
		snprintf(link->why, sizeof link->why, "the process that connects has ended");
		return -ENODEV;
	}
	link_fail(link, -r, "cannot connect again to %s", tcp->address);
	return -ENOTCONN;
}

static ssize_t tcp_result(struct link *link, ssize_t n)
{
	bool is_closed = n == 0 || (n < 0 && (errno == ECONNRESET || errno == EPIPE));
	ssize_t r = link_fd_result(link, n);
	if (!is_closed)
		return r;
	tcp_hang_up(link);
	return -ENOTCONN;
}

static ssize_t tcp_receive(struct link *link, uint8_t *to, size_t size)
{
	return tcp_result(link, recv(link->fd, to, size, 0));
}

static ssize_t tcp_send(struct link *link, const uint8_t *data, size_t len)
{
	return tcp_result(link, send(link->fd, data, len, MSG_NOSIGNAL));
}

const struct link_ops link_tcp = {
	.open = tcp_open,
	.close = tcp_close,
	.receive = tcp_receive,
	.send = tcp_send,
	.connect = tcp_connect,
	.hang_up = tcp_hang_up,
	.receive_max = STREAM_PIECE,
};
