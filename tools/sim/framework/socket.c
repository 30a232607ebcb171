/* SPDX-License-Identifier: Apache-2.0 */
#include "socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static int read_address(const struct sim_endpoint *endpoint, union address *address, socklen_t *len)
{
	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, endpoint->host, &address->v4.sin_addr) == 1) {
		address->v4.sin_family = AF_INET;
		address->v4.sin_port = htons(endpoint->port);
		*len = sizeof(address->v4);
		return 0;
	}
	if (inet_pton(AF_INET6, endpoint->host, &address->v6.sin6_addr) == 1) {
		address->v6.sin6_family = AF_INET6;
		address->v6.sin6_port = htons(endpoint->port);
		*len = sizeof(address->v6);
		return 0;
	}
	return -EINVAL;
}

static void write_ready(int fd, const struct sim_endpoint *e, int type, char *ready, size_t size)
{
	union address address = {0};
	socklen_t len = sizeof(address);
	getsockname(fd, &address.any, &len);
	bool v6 = address.any.sa_family == AF_INET6;
	snprintf(ready, size, v6 ? "%s [%s]:%u" : "%s %s:%u", type == SOCK_DGRAM ? "udp" : "tcp",
		e->host, ntohs(v6 ? address.v6.sin6_port : address.v4.sin_port));
}

int socket_bind(const struct sim_endpoint *endpoint, int type, char *ready, size_t size)
{
	union address address;
	socklen_t len;
	if (read_address(endpoint, &address, &len) < 0) {
		fprintf(stderr, "assay-sim: %s: expected a numeric IPv4 or IPv6 address\n",
			endpoint->host);
		return -EINVAL;
	}
	int r, fd = socket(address.any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		goto err;
	if (type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (bind(fd, &address.any, len) < 0 || (type == SOCK_STREAM && listen(fd, 8) < 0))
		goto err;
	write_ready(fd, endpoint, type, ready, size);
	return fd;
err:
	r = -errno;
	fprintf(stderr, "assay-sim: %s:%u: %s\n", endpoint->host, endpoint->port, strerror(-r));
	if (fd >= 0)
		close(fd);
	return r;
}
