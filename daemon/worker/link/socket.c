/* SPDX-License-Identifier: Apache-2.0 */
/* Connected sockets: of the link tcp, which goes on in tcp.c, and the link udp. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crc32c.h"
#include "wire/host.h"
#include "worker/link/link.h"

#define DATAGRAM_MAX 65536
#define LOCAL_FIRST  61000 /* past net.ipv4.ip_local_port_range */

/* Looks up a name only if it is not an address: the resolver has no deadline of its own. */
static int look_up(struct link *link, const struct port *port, int type, struct addrinfo **out)
{
	char number[12];
	snprintf(number, sizeof number, "%u", port->number);
	struct addrinfo hints = {.ai_family = AF_UNSPEC,
		.ai_socktype = type,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
	const char *complaint = host_complaint(port->host);
	if (complaint != NULL) {
		snprintf(link->why, sizeof link->why, "'%s': %s", port->host, complaint);
		return -EADDRNOTAVAIL;
	}
	int r = getaddrinfo(port->host, number, &hints, out);
	if (r == EAI_NONAME) {
		hints.ai_flags = AI_NUMERICSERV | AI_ADDRCONFIG;
		r = getaddrinfo(port->host, number, &hints, out);
	}
	if (r == 0)
		return 0;
	snprintf(link->why, sizeof link->why, "cannot look up %s: %s", port->host, gai_strerror(r));
	return -EADDRNOTAVAIL;
}

/* Waits for a connect() that was started: 0, or a positive errno. */
static int await_connection(int fd, uint64_t deadline)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	int n;
	do {
		n = poll(&p, 1, clock_ms_until(deadline));
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n == 0 ? ETIMEDOUT : errno;
	int error = 0;
	socklen_t size = sizeof error;
	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	return error;
}

/*
 * Some instruments answer one port of one host, and reject other ports until that one was silent
 * for a while: the next worker must use the same port.  So the local port is computed from the
 * peer, outside of the range that the kernel assigns.  If it is in use, the kernel assigns another.
 */
static void bind_again(int fd, const struct addrinfo *at)
{
	struct sockaddr_storage local = {.ss_family = (sa_family_t)at->ai_family};
	uint32_t sum = crc32c(0, at->ai_addr, at->ai_addrlen);
	in_port_t number = htons((in_port_t)(LOCAL_FIRST + sum % (65536 - LOCAL_FIRST)));
	if (at->ai_family == AF_INET)
		((struct sockaddr_in *)&local)->sin_port = number;
	else
		((struct sockaddr_in6 *)&local)->sin6_port = number;
	(void)bind(fd, (struct sockaddr *)&local, at->ai_addrlen);
}

/* Connects to one address; the descriptor, or a negative errno. */
static int connect_to(const struct addrinfo *at, uint64_t deadline)
{
	int fd = socket(
		at->ai_family, at->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, at->ai_protocol);
	if (fd < 0)
		return -errno;
	if (at->ai_socktype == SOCK_DGRAM)
		bind_again(fd, at);
	int error = connect(fd, at->ai_addr, at->ai_addrlen) < 0 ? errno : 0;
	if (error == EINPROGRESS)
		error = await_connection(fd, deadline);
	if (error == 0)
		return fd;
	close(fd);
	return -error;
}

int link_open_socket(struct link *link, const struct port *port, int type)
{
	uint64_t deadline = clock_boot() + port->open_ms * NS_PER_MS;
	struct addrinfo *list;
	int r = look_up(link, port, type, &list);
	if (r < 0)
		return r;
	r = -EADDRNOTAVAIL;
	for (const struct addrinfo *at = list; at != NULL; at = at->ai_next) {
		r = connect_to(at, deadline);
		if (r >= 0)
			break;
	}
	freeaddrinfo(list);
	if (r < 0)
		return link_fail(
			link, -r, "cannot connect to %s port %u", port->host, port->number);
	link->fd = r;
	return 0;
}

const char *link_address(const struct link *link, char *text, size_t size)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof peer;
	char host[64], number[12];
	text[0] = '\0';
	if (link->fd >= 0 && getpeername(link->fd, (struct sockaddr *)&peer, &len) == 0 &&
		getnameinfo((struct sockaddr *)&peer, len, host, sizeof host, number, sizeof number,
			NI_NUMERICHOST | NI_NUMERICSERV) == 0)
		snprintf(text, size, "%s port %s", host, number);
	return text;
}

static int udp_open(struct link *link, const struct port *port)
{
	link->is_unconnected = true;
	return link_open_socket(link, port, SOCK_DGRAM);
}

/*
 * ECONNREFUSED: no program listens at the moment, for example because the instrument restarts.  That
 * is a missing answer, not a lost port.  Ignores datagrams without bytes.
 */
static ssize_t udp_receive(struct link *link, uint8_t *to, size_t size)
{
	ssize_t n = recv(link->fd, to, size, 0);
	if (n == 0 || (n < 0 && errno == ECONNREFUSED))
		return -EAGAIN;
	return link_fd_result(link, n);
}

static ssize_t udp_send(struct link *link, const uint8_t *data, size_t len)
{
	ssize_t n = send(link->fd, data, len, MSG_NOSIGNAL);
	if (n < 0 && errno == ECONNREFUSED) /* of an earlier datagram; reporting clears it */
		n = send(link->fd, data, len, MSG_NOSIGNAL);
	if (n < 0 && errno == ECONNREFUSED)
		return (ssize_t)len;
	if (n < 0 && errno == EMSGSIZE)
		return -EMSGSIZE;
	return link_fd_result(link, n);
}

const struct link_ops link_udp = {
	.open = udp_open,
	.receive = udp_receive,
	.send = udp_send,
	.receive_max = DATAGRAM_MAX,
};
