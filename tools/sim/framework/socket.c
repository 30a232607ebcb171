/* SPDX-License-Identifier: Apache-2.0 */
#include "socket.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 64

int socket_bind(const struct sim_endpoint *endpoint, uint16_t port, int type)
{
	char service[8];
	snprintf(service, sizeof service, "%u", port);
	struct addrinfo hints = {.ai_socktype = type, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *address;
	if (getaddrinfo(endpoint->host, service, &hints, &address) != 0)
		return -EINVAL;
	int fd = socket(address->ai_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int r = fd < 0 ? -errno : 0;
	if (r == 0 && type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (r == 0 && (bind(fd, address->ai_addr, address->ai_addrlen) < 0 ||
			      (type == SOCK_STREAM && listen(fd, BACKLOG) < 0)))
		r = -errno;
	freeaddrinfo(address);
	if (r < 0 && fd >= 0)
		close(fd);
	return r < 0 ? r : fd;
}

uint16_t socket_port(int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof address;
	if (getsockname(fd, (struct sockaddr *)&address, &len) < 0)
		return 0;
	return ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
						   : ((struct sockaddr_in *)&address)->sin_port);
}
