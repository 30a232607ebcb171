/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/tcp-address.h"

#define SCHEME "tcp://"

static int read_port(const char *text, in_port_t *port)
{
	char *end;
	if (strspn(text, "0123456789") != strlen(text) || strlen(text) > 5)
		return -EINVAL;
	unsigned long value = strtoul(text, &end, 10);
	*port = htons((in_port_t)value);
	return value >= 1 && value <= 65535 ? 0 : -EINVAL;
}

int tcp_address_read(const char *endpoint, struct sockaddr_storage *address, socklen_t *len)
{
	char host[INET6_ADDRSTRLEN + 2];
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	const char *text = endpoint + strlen(SCHEME), *colon = strrchr(endpoint, ':');
	if (strncmp(endpoint, SCHEME, strlen(SCHEME)) != 0 || colon < text ||
		(size_t)(colon - text) >= sizeof host || read_port(colon + 1, &v4.sin_port) < 0)
		return -EINVAL;
	size_t size = (size_t)(colon - text);
	memcpy(host, text, size);
	host[size] = '\0';
	memset(address, 0, sizeof *address);
	if (strcmp(host, "*") == 0 || inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
		*len = sizeof v4;
		memcpy(address, &v4, sizeof v4);
		return 0;
	}
	if (size < 2 || host[0] != '[' || host[size - 1] != ']')
		return -EINVAL;
	host[size - 1] = '\0';
	if (inet_pton(AF_INET6, host + 1, &v6.sin6_addr) != 1)
		return -EINVAL;
	v6.sin6_port = v4.sin_port;
	*len = sizeof v6;
	memcpy(address, &v6, sizeof v6);
	return 0;
}
