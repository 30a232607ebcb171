/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

#include "wire/host.h"

#define DIGITS         "0123456789"
#define NAME           DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_."
#define NAME_BYTES_MAX 253

/* An IPv6 address, maybe with a zone: fe80::1%eth0. */
static bool is_ipv6(const char *host)
{
	char address[INET6_ADDRSTRLEN];
	struct in6_addr bytes;
	size_t len = strcspn(host, "%");
	if (len >= sizeof address ||
		(host[len] == '%' && host[len + 1 + strspn(host + len + 1, NAME)] != '\0'))
		return false;
	memcpy(address, host, len);
	address[len] = '\0';
	return inet_pton(AF_INET6, address, &bytes) == 1;
}

/* A last label of digits, or 0x and so on, makes it an address to the resolver. */
static bool looks_like_ipv4(const char *host)
{
	const char *dot = strrchr(host, '.'), *last = dot != NULL ? dot + 1 : host;
	bool is_hex = last[0] == '0' && (last[1] == 'x' || last[1] == 'X');
	return *last != '\0' && (is_hex || last[strspn(last, DIGITS)] == '\0');
}

const char *host_complaint(const char *host)
{
	struct in_addr bytes;
	size_t len = strlen(host);
	if (strchr(host, ':') != NULL)
		return is_ipv6(host) ? NULL : "expected a host name or an IP address alone";
	if (len == 0 || len > NAME_BYTES_MAX || host[strspn(host, NAME)] != '\0')
		return "expected a host name or an IP address alone";
	if (looks_like_ipv4(host) && inet_pton(AF_INET, host, &bytes) != 1)
		return "this is no IP address: expected four numbers from 0 to 255 without leading "
		       "zeros, such as 192.0.2.10";
	return NULL;
}
